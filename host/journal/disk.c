/* SPDX-License-Identifier: Apache-2.0
 *
 * f_bavail and not f_bfree: the blocks kept back for root are not ours, also when we are root, so
 * that 95 % means the same for every user.
 */
#include "journal/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct result disk_error(int error)
{
    return error == ENOSPC || error == EDQUOT ? RESULT_OF(DISK_FULL) : RESULT_OF(IO);
}

struct result disk_used_ppm(const char *path, uint64_t *ppm, struct trail *tr)
{
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return FAIL(tr, IO, "the disk of %s cannot be measured: %s", path, strerror(errno));
    const uint64_t used = v.f_blocks - v.f_bfree;
    const uint64_t whole = used + v.f_bavail;
    *ppm = whole == 0 ? 1000000 : (uint64_t)((unsigned __int128)used * 1000000 / whole);
    return OK_RESULT;
}

struct result disk_has_room(const char *path, uint64_t bytes, struct trail *tr)
{
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return FAIL(tr, IO, "the disk of %s cannot be measured: %s", path, strerror(errno));
    if ((uint64_t)v.f_bavail * v.f_frsize < bytes)
        return FAIL(tr, DISK_FULL, "the disk of %s has less than %lu bytes free; free space", path,
                    (unsigned long)bytes);
    return OK_RESULT;
}

struct result disk_sync_dir(const char *dir, struct trail *tr)
{
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return FAIL(tr, IO, "the folder %s cannot be opened: %s", dir, strerror(errno));
    const int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    if (failed)
        return FAIL(tr, IO, "the folder %s cannot be synced: %s", dir, strerror(failed));
    return OK_RESULT;
}

struct result disk_write(int fd, const char *path, const void *bytes, size_t count,
                         struct trail *tr)
{
    const char *p = bytes;
    while (count > 0) {
        const ssize_t n = write(fd, p, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FAIL_AS(tr, disk_error(n < 0 ? errno : ENOSPC), "%s cannot be written: %s", path,
                           strerror(n < 0 ? errno : ENOSPC));
        p += n;
        count -= (size_t)n;
    }
    return OK_RESULT;
}
