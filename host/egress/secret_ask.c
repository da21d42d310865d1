/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines are read byte by byte: no copy stays in a buffer of the C library, and what lies behind the
 * line is left for whoever reads the descriptor next.
 */
#include "egress/secret_ask.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "egress/secret_priv.h"

void secret_ask_wipe(void *p, size_t count)
{
    secret_wipe(p, count);
}

struct result secret_ask_line(int fd, char *out, size_t room, struct trail *tr)
{
    size_t n = 0;
    char c = 0;
    bool is_wrong = false, has_any = false;
    for (;;) {
        ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FAIL(tr, NOT_PERMITTED,
                        "descriptor %d cannot be read (%s); open it, like 3<FILE", fd,
                        strerrordesc_np(errno));
        if (got == 0 || c == '\n')
            break;
        has_any = true;
        if (c == 0 || n == room - 1)
            is_wrong = true;
        else
            out[n++] = c;
    }
    out[n] = 0;
    if (is_wrong) {
        secret_wipe(out, room);
        return FAIL(tr, RANGE, "a line of descriptor %d has more than %zu bytes, or a NUL", fd,
                    room - 1);
    }
    return !has_any && c != '\n' ? RESULT_OF(END) : OK_RESULT;
}

static struct result open_credential(int *fd, struct trail *tr)
{
    char path[4096];
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    *fd = -1;
    if (folder != NULL && folder[0] == '/' && strlen(folder) < sizeof path - 32) {
        snprintf(path, sizeof path, "%s/tenon-secrets", folder);
        *fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    }
    return *fd >= 0 ? OK_RESULT
                    : FAIL(tr, NOT_PERMITTED,
                           "there are secrets, but nobody gave their password; use --password-fd, "
                           "or the systemd credential tenon-secrets");
}

struct result secret_ask_password(int fd, char out[SECRET_ASK_BYTES], struct trail *tr)
{
    int own = -1;
    memset(out, 0, SECRET_ASK_BYTES);
    if (fd < 0)
        TRY(open_credential(&own, tr));
    struct result r = secret_ask_line(fd >= 0 ? fd : own, out, SECRET_ASK_BYTES, tr);
    if (own >= 0)
        close(own);
    if (r.code == RESULT_END || (is_ok(r) && out[0] == 0))
        r = FAIL(tr, NOT_PERMITTED, "the password of the secrets is empty; give one");
    return r;
}
