/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a configuration file. They are read once into one buffer; the hash and the parser
 * both work on that buffer, so there is no moment between check and use in which the file could
 * become another one. The open follows no link and does not wait on a pipe, and anything that is
 * not a regular file is refused: what an operator reviewed has to be what is read. More bytes than
 * the limit are refused before any parser sees one.
 *
 * The text check is ours and not libyaml's, because that one is generous: it takes UTF-16, a byte
 * order mark, carriage returns, NEL, and tabs in places. Characters that change the direction or
 * have no width could make a reviewed line read differently from what it is, so they are refused
 * even in comments. Values are ASCII only (cfg_tree.c), so no letter can look like another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/deploy.h"

static struct result refuse_open(const struct cfg_file *f, int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return FAIL(f->tr, NOT_FOUND, "error[CFG001] %s: there is no such file; check the path",
                    f->path);
    if (error == ELOOP)
        return FAIL(f->tr, CONFIG,
                    "error[CFG001] %s: is a symbolic link; name the file itself, links are not "
                    "followed",
                    f->path);
    if (error == EACCES || error == EPERM)
        return FAIL(f->tr, NOT_PERMITTED,
                    "error[CFG001] %s: may not be read by this user; change its owner or mode",
                    f->path);
    return FAIL(f->tr, IO, "error[CFG001] %s: cannot be opened (%s); check the path", f->path,
                strerrordesc_np(error));
}

static struct result check_size(const struct cfg_file *f, size_t count)
{
    if (count > DEPLOY_FILE_MAX_BYTES)
        return FAIL(f->tr, CONFIG,
                    "error[CFG002] %s: is larger than %d bytes and was not parsed; split it, or "
                    "move instruments to the instruments file",
                    f->path, DEPLOY_FILE_MAX_BYTES);
    return OK_RESULT;
}

/* Reads to the end or one byte past the limit, whatever size the file claims to have. */
static struct result read_all(struct cfg_file *f, int fd)
{
    const size_t room = DEPLOY_FILE_MAX_BYTES + 1;
    f->bytes = malloc(room + 1);
    must(f->bytes != NULL);
    while (f->count < room) {
        ssize_t got = read(fd, f->bytes + f->count, room - f->count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FAIL(f->tr, IO, "error[CFG001] %s: cannot be read (%s); check the disk", f->path,
                        strerrordesc_np(errno));
        if (got == 0)
            break;
        f->count += (size_t)got;
    }
    f->bytes[f->count] = 0;
    return check_size(f, f->count);
}

/* Length of the UTF-8 sequence at p with `left` bytes, or 0; *cp gets the code point. */
static uint32_t decode(const uint8_t *p, size_t left, uint32_t *cp)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n == 0 || n > left || p[0] > 0xf4)
        return 0;
    *cp = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
    for (uint32_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        *cp = (*cp << 6) | (p[i] & 0x3f);
    }
    if (*cp < least[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
        return 0;
    return n;
}

/* Why a character has no place in a configuration file, or NULL. */
static const char *objection(uint32_t cp)
{
    switch (cp) {
    case '\t':
        return "a tab; indent with spaces";
    case '\r':
        return "a carriage return; end lines with a line feed only";
    case 0:
        return "a NUL byte; remove it";
    case 0xfeff:
        return "a byte order mark; save the file as plain UTF-8";
    case 0x2028:
    case 0x2029:
        return "a Unicode line separator; end lines with a line feed only";
    default:
        break;
    }
    if ((cp < 0x20 && cp != '\n') || (cp >= 0x7f && cp < 0xa0))
        return "a control character; remove it";
    bool hidden = cp == 0xad || cp == 0x61c || (cp >= 0x200b && cp <= 0x200f) ||
                  (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f);
    return hidden ? "an invisible or direction-changing character; remove it" : NULL;
}

static struct result check_text(const struct cfg_file *f)
{
    uint32_t line = 1, col = 1;
    for (size_t i = 0; i < f->count;) {
        uint32_t cp = 0;
        const uint8_t *p = (const uint8_t *)f->bytes + i;
        uint32_t n = decode(p, f->count - i, &cp);
        if (n == 0)
            return cfg_fail_at(f, CFG_BYTES, line, col,
                               "byte 0x%02x is not UTF-8; save the file as plain UTF-8", p[0]);
        const char *why = objection(cp);
        if (why != NULL)
            return cfg_fail_at(f, CFG_BYTES, line, col, "%s", why);
        i += n;
        col = cp == '\n' ? 1 : col + 1;
        line += cp == '\n';
    }
    return OK_RESULT;
}

struct result cfg_bytes(struct cfg_file *f)
{
    must(f->bytes == NULL && f->count == 0);
    struct result r = OK_RESULT;
    struct stat st;
    int fd = open(f->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_open(f, errno);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        r = FAIL(f->tr, CONFIG,
                 "error[CFG001] %s: is not a regular file; name a file, not a folder, pipe or "
                 "device",
                 f->path);
        goto out;
    }
    r = read_all(f, fd);
    if (is_ok(r))
        r = check_text(f);
out:
    close(fd);
    return r;
}

struct result cfg_bytes_given(struct cfg_file *f, const char *bytes, size_t count)
{
    must(f->bytes == NULL && f->count == 0);
    TRY(check_size(f, count));
    f->bytes = malloc(count + 1);
    must(f->bytes != NULL);
    if (count > 0)
        memcpy(f->bytes, bytes, count);
    f->bytes[count] = 0;
    f->count = count;
    return check_text(f);
}
