/* SPDX-License-Identifier: Apache-2.0
 *
 * A line is used whole or not at all: a range that is cut in the file (no digits, a sign, too many
 * digits, ids that do not exist) is skipped, never repaired.
 */
#include "daemon/uids.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Decimal digits up to `end`; false when there is none or it does not fit. */
static bool number(const char **at, const char *end, uint64_t *out)
{
    const char *p = *at;
    *out = 0;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        *out = *out * 10 + (uint64_t)(*p - '0');
        if (*out > UINT32_MAX)
            return false;
    }
    bool any = p > *at;
    *at = p;
    return any;
}

static bool take_line(const char *line, const char *end, const char *user, struct uids *out)
{
    size_t n = strlen(user);
    uint64_t first, count;
    if ((size_t)(end - line) <= n || memcmp(line, user, n) != 0 || line[n] != ':')
        return false;
    const char *p = line + n + 1;
    if (!number(&p, end, &first) || p == end || *p++ != ':' || !number(&p, end, &count) || p != end)
        return false;
    if (first < UIDS_LEAST || count == 0 || first + count > UINT32_MAX)
        return false;
    *out = (struct uids){(uint32_t)first, (uint32_t)(count < UIDS_MAX ? count : UIDS_MAX)};
    return true;
}

bool uids_parse(const char *text, size_t bytes, const char *user, struct uids *out)
{
    const char *end = text + bytes;
    *out = (struct uids){0, 0};
    for (const char *line = text; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (stop == NULL)
            stop = end;
        if (take_line(line, stop, user, out))
            return true;
        line = stop + 1;
    }
    return false;
}

bool uids_read(const char *path, const char *user, struct uids *out)
{
    char text[16 * 1024]; /* more lines than that are not looked at */
    *out = (struct uids){0, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    return n > 0 && uids_parse(text, (size_t)n, user, out);
}
