/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of secrets on disk: read whole and only when it is our own and private, written whole or
 * not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "egress/secret.h"
#include "base/must.h"

enum { PATH_BYTES = 4096 };

static struct result look(int fd, const char *path, size_t *count, struct trail *tr)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return FAIL(tr, SYNTAX, "secrets %.200s: is not a regular file", path);
    if ((st.st_mode & 077) != 0)
        return FAIL(tr, NOT_PERMITTED,
                    "secrets %.200s: can be read by others (mode %03o); run chmod 600 on it, and "
                    "rotate the secrets if others had access",
                    path, (unsigned)(st.st_mode & 0777));
    if (st.st_size > SECRET_FILE_MAX)
        return FAIL(tr, TOO_LARGE, "secrets %.200s: is larger than %d bytes, so it is none", path,
                    SECRET_FILE_MAX);
    *count = (size_t)st.st_size;
    return OK_RESULT;
}

struct result secret_read(const char *path, uint8_t **out, size_t *count, struct trail *tr)
{
    *out = NULL;
    *count = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return FAIL_AS(tr, errno == ENOENT ? RESULT_OF(NOT_FOUND) : RESULT_OF(NOT_PERMITTED),
                       "secrets %.200s: cannot be opened (%s); check path and owner", path,
                       strerrordesc_np(errno));
    struct result r = look(fd, path, count, tr);
    if (is_ok(r)) {
        *out = malloc(*count + 1);
        must(*out != NULL);
        if (pread(fd, *out, *count, 0) != (ssize_t)*count)
            r = FAIL(tr, IO, "secrets %.200s: cannot be read; check the disk", path);
    }
    close(fd);
    if (!is_ok(r)) {
        free(*out);
        *out = NULL;
    }
    return r;
}

/* Root writes into a folder of egress's own user: the file is that user's too. */
static bool give_to_owner(int fd, const char *path)
{
    char dir[PATH_BYTES];
    struct stat st;
    const char *slash = strrchr(path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
             slash != NULL ? path : ".");
    return geteuid() != 0 || (stat(dir, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0);
}

static struct result sync_folder(const char *path, struct trail *tr)
{
    char dir[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
             slash != NULL ? path : ".");
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good ? OK_RESULT : FAIL(tr, IO, "folder %.200s: cannot be synced; check the disk", dir);
}

struct result secret_write(const char *path, const uint8_t *bytes, size_t count, struct trail *tr)
{
    char passing[PATH_BYTES];
    int n = snprintf(passing, sizeof passing, "%s.new-%d", path, (int)getpid());
    if (n < 0 || (size_t)n >= sizeof passing)
        return FAIL(tr, TOO_LARGE, "secrets %.200s...: the path is too long", path);
    int fd = open(passing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return FAIL(tr, IO, "secrets %.200s: cannot be made (%s); use a folder of your own", path,
                    strerrordesc_np(errno));
    struct result r = OK_RESULT;
    errno = ENOSPC; /* a short write says nothing else */
    bool good =
        write(fd, bytes, count) == (ssize_t)count && fsync(fd) == 0 && give_to_owner(fd, path);
    good = close(fd) == 0 && good;
    if (!good || rename(passing, path) != 0)
        r = FAIL(tr, IO, "secrets %.200s: cannot be written (%s); nothing was changed", path,
                 strerrordesc_np(errno));
    else
        r = sync_folder(path, tr);
    if (!is_ok(r))
        unlink(passing);
    return r;
}
