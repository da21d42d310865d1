/* SPDX-License-Identifier: Apache-2.0
 *
 * See save.h. A new file gets its name by link(), which refuses one that is taken; rename() would
 * silently replace it. The mode is set when the passing file is made, so there is no moment in
 * which others could open a secret.
 */
#include "tools/tenon/save.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/must.h"
#include "gateway/paths.h"
#include "journal/disk.h"

static struct result refuse(const char *path, const char *what, int error, struct trail *tr)
{
    if (error == ENOSPC || error == EDQUOT)
        return FAIL(tr, DISK_FULL, "%.200s: %s, the disk is full; free space and try again", path,
                    what);
    if (error == EACCES || error == EPERM || error == EROFS)
        return FAIL(tr, NOT_PERMITTED, "%.200s: %s (%s); use a folder of your own", path, what,
                    strerrordesc_np(error));
    return FAIL(tr, IO, "%.200s: %s (%s); check its folder", path, what, strerrordesc_np(error));
}

/* 0, or errno. */
static int write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n = write(fd, bytes, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ENOSPC;
        bytes += n;
        count -= (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

static struct result sync_folder(const char *path, struct trail *tr)
{
    char dir[PATHS_BYTES];
    const char *slash = strrchr(path, '/');
    int n = slash != NULL ? (int)(slash - path) : 0;
    snprintf(dir, sizeof dir, "%.*s%s", n, path, slash == NULL ? "." : n == 0 ? "/" : "");
    return disk_sync_dir(dir, tr);
}

static struct result save(const char *path, mode_t mode, const void *bytes, size_t count,
                          bool is_new, struct trail *tr)
{
    char passing[PATHS_BYTES];
    int n = snprintf(passing, sizeof passing, "%s.new-%d", path, (int)getpid());
    if (n < 0 || (size_t)n >= sizeof passing)
        return FAIL(tr, TOO_LARGE, "%.120s...: the path is longer than %d bytes; use a shorter one",
                    path, PATHS_BYTES - 1);
    int fd = open(passing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return refuse(path, "cannot be made", errno, tr);
    struct result r = OK_RESULT;
    int error = write_all(fd, bytes, count);
    error = close(fd) != 0 && error == 0 ? errno : error;
    if (error != 0)
        r = refuse(path, "cannot be written", error, tr);
    else if ((is_new ? link(passing, path) : rename(passing, path)) == 0)
        r = sync_folder(path, tr);
    else if (errno == EEXIST)
        r = FAIL(tr, STATE, "%.200s: exists already and is not replaced; move it away first", path);
    else
        r = refuse(path, "cannot be named", errno, tr);
    unlink(passing);
    return r;
}

struct result save_new(const char *path, mode_t mode, const void *bytes, size_t count,
                       struct trail *tr)
{
    return save(path, mode, bytes, count, true, tr);
}

struct result save_over(const char *path, mode_t mode, const void *bytes, size_t count,
                        struct trail *tr)
{
    return save(path, mode, bytes, count, false, tr);
}
