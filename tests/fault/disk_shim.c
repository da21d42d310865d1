/* SPDX-License-Identifier: Apache-2.0
 *
 * A preload library that logs what a program does to the files below one folder: opens, writes,
 * syncs, truncates, renames, links, unlinks, and what it writes through shared mappings. The
 * rebuilder makes disk images of the log as a power cut could have left them.
 *
 * Each call runs under one lock together with its log entry, so the log's order is the order in
 * which the kernel saw them, and a sync covers exactly the writes before it. Stores into a shared
 * mapping make no call: the mapping is compared with a copy of it at each logged call, and what
 * differs is logged as unsynced writes before it. Standard I/O's own writes do not pass through the
 * linkage table: a file that is synced without a write seen is logged whole.
 *
 * The log is written by raw system calls. Errors of the program's calls pass through unlogged.
 */
#include "tests/fault/disk_shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHIM __attribute__((visibility("default")))

enum { FDS_MAX = 4096, MAPS_MAX = 16, PAGE = 4096, LOG_FD = 1000 };

struct watched {
    uint32_t handle; /* 0 = not ours */
    bool seen;       /* wrote through us */
    bool is_folder;
};
struct map {
    uint8_t *at, *copy;
    size_t bytes;
    uint64_t offset;
    uint32_t handle;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct watched watched[FDS_MAX];
static struct map maps[MAPS_MAX];
static uint32_t handles;
static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_bytes;

/* ---- the log ---- */

static void log_bytes(const void *bytes, size_t count)
{
    const uint8_t *p = bytes;
    while (count > 0) {
        const long n = syscall(SYS_write, log_fd, p, count);
        if (n <= 0)
            abort();
        p += n;
        count -= (size_t)n;
    }
}

static void log_op(uint32_t kind, uint32_t handle, uint64_t offset, uint64_t size, const void *data,
                   uint64_t count)
{
    const struct disk_op op = {
        .kind = kind, .handle = handle, .offset = offset, .size = size, .data_bytes = count};
    log_bytes(&op, sizeof op);
    log_bytes(data, count);
}

static void log_names(uint32_t kind, uint32_t handle, uint64_t size, const char *a, const char *b)
{
    const struct disk_op op = {.kind = kind,
                               .handle = handle,
                               .size = size,
                               .path_bytes = (uint32_t)strlen(a),
                               .more_bytes = (uint32_t)strlen(b)};
    log_bytes(&op, sizeof op);
    log_bytes(a, op.path_bytes);
    log_bytes(b, op.more_bytes);
}

static void log_maps(void)
{
    for (struct map *m = maps; m < maps + MAPS_MAX; m++)
        for (size_t at = 0; m->at && at < m->bytes; at += PAGE) {
            const size_t n = m->bytes - at < PAGE ? m->bytes - at : PAGE;
            if (memcmp(m->copy + at, m->at + at, n) == 0)
                continue;
            memcpy(m->copy + at, m->at + at, n);
            log_op(DISK_OP_WRITE, m->handle, m->offset + at, 0, m->copy + at, n);
        }
}

static void enter(void)
{
    pthread_mutex_lock(&lock);
    if (log_fd >= 0)
        log_maps();
}

static void leave(void)
{
    const int e = errno;
    pthread_mutex_unlock(&lock);
    errno = e;
}

__attribute__((constructor)) static void begin(void)
{
    const char *r = getenv(DISK_SHIM_ROOT), *l = getenv(DISK_SHIM_LOG);
    if (!r || !l || strlen(r) + 2 > sizeof root)
        return;
    root_bytes = (size_t)snprintf(root, sizeof root, "%s/", r);
    const long fd = syscall(SYS_openat, AT_FDCWD, l, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0)
        abort();
    log_fd = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, LOG_FD);
    syscall(SYS_close, fd);
}

/* Below the root: the rest of the path; else NULL. */
static const char *ours(const char *path)
{
    return log_fd >= 0 && strncmp(path, root, root_bytes) == 0 ? path + root_bytes : NULL;
}

static struct watched *of(int fd)
{
    return fd >= 0 && fd < FDS_MAX && watched[fd].handle ? &watched[fd] : NULL;
}

/* ---- the calls ---- */

#define REAL(name)                                                                                 \
    static __typeof__(name) *real_##name;                                                          \
    if (!real_##name)                                                                              \
    *(void **)&real_##name = dlsym(RTLD_NEXT, #name)

static int open_watched(const char *path, int flags, mode_t mode)
{
    REAL(open);
    const char *p = ours(path);
    struct stat st;
    if (!p)
        return real_open(path, flags, mode);
    enter();
    const bool was = stat(path, &st) == 0;
    const int fd = real_open(path, flags, mode);
    if (fd >= 0 && fd < FDS_MAX) {
        const bool is_folder = was && S_ISDIR(st.st_mode);
        const uint64_t how = (!was ? DISK_OPEN_CREATED : 0u) |
                             (was && (flags & O_TRUNC) ? DISK_OPEN_CUT : 0u) |
                             (is_folder ? DISK_OPEN_FOLDER : 0u);
        watched[fd] = (struct watched){.handle = ++handles, .is_folder = is_folder};
        log_names(DISK_OP_OPEN, handles, how, p, "");
    }
    leave();
    return fd;
}

static mode_t mode_of(int flags, va_list more)
{
    return flags & O_CREAT ? (mode_t)va_arg(more, int) : 0;
}

SHIM int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_watched(path, flags, mode);
}

SHIM int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_watched(path, flags, mode);
}

SHIM int close(int fd)
{
    REAL(close);
    if (!of(fd))
        return real_close(fd);
    enter();
    watched[fd].handle = 0;
    const int r = real_close(fd);
    leave();
    return r;
}

SHIM ssize_t write(int fd, const void *bytes, size_t count)
{
    REAL(write);
    struct watched *w = of(fd);
    struct stat st;
    if (!w)
        return real_write(fd, bytes, count);
    enter();
    off_t at = lseek(fd, 0, SEEK_CUR);
    if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &st) == 0)
        at = st.st_size;
    const ssize_t n = real_write(fd, bytes, count);
    if (n > 0)
        log_op(DISK_OP_WRITE, w->handle, (uint64_t)at, 0, bytes, (uint64_t)n);
    w->seen = true;
    leave();
    return n;
}

static ssize_t pwrite_watched(int fd, const void *bytes, size_t count, off_t at)
{
    REAL(pwrite);
    struct watched *w = of(fd);
    if (!w)
        return real_pwrite(fd, bytes, count, at);
    enter();
    const ssize_t n = real_pwrite(fd, bytes, count, at);
    if (n > 0)
        log_op(DISK_OP_WRITE, w->handle, (uint64_t)at, 0, bytes, (uint64_t)n);
    w->seen = true;
    leave();
    return n;
}

SHIM ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    return pwrite_watched(fd, bytes, count, at);
}

SHIM ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at)
{
    return pwrite_watched(fd, bytes, count, at);
}

/* What standard I/O wrote behind our back. */
static void log_whole(int fd, struct watched *w)
{
    struct stat st;
    if (w->seen || w->is_folder || fstat(fd, &st) != 0 || st.st_size == 0)
        return;
    uint8_t *bytes = malloc((size_t)st.st_size);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const long in = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    const long n = bytes && in >= 0 ? syscall(SYS_pread64, in, bytes, st.st_size, 0L) : -1;
    if (n > 0)
        log_op(DISK_OP_WRITE, w->handle, 0, 0, bytes, (uint64_t)n);
    syscall(SYS_close, in);
    free(bytes);
}

static int sync_watched(int fd, int (*sync)(int))
{
    struct watched *w = of(fd);
    if (!w)
        return sync(fd);
    enter();
    log_whole(fd, w);
    const int r = sync(fd);
    if (r == 0)
        log_op(DISK_OP_SYNC, w->handle, 0, 0, NULL, 0);
    leave();
    return r;
}

SHIM int fsync(int fd)
{
    REAL(fsync);
    return sync_watched(fd, real_fsync);
}

SHIM int fdatasync(int fd)
{
    REAL(fdatasync);
    return sync_watched(fd, real_fdatasync);
}

SHIM int ftruncate(int fd, off_t size)
{
    REAL(ftruncate);
    const struct watched *w = of(fd);
    if (!w)
        return real_ftruncate(fd, size);
    enter();
    const int r = real_ftruncate(fd, size);
    if (r == 0)
        log_op(DISK_OP_TRUNCATE, w->handle, 0, (uint64_t)size, NULL, 0);
    leave();
    return r;
}

SHIM int fallocate(int fd, int mode, off_t at, off_t count)
{
    REAL(fallocate);
    const struct watched *w = of(fd);
    struct stat st;
    if (!w || (mode & FALLOC_FL_KEEP_SIZE))
        return real_fallocate(fd, mode, at, count);
    enter();
    const int r = real_fallocate(fd, mode, at, count);
    if (r == 0 && fstat(fd, &st) == 0)
        log_op(DISK_OP_TRUNCATE, w->handle, 0, (uint64_t)st.st_size, NULL, 0);
    leave();
    return r;
}

static int names(uint32_t kind, const char *from, const char *to,
                 int (*call)(const char *, const char *))
{
    const char *a = ours(from), *b = ours(to);
    if (!a || !b)
        return call(from, to);
    enter();
    const int r = call(from, to);
    if (r == 0)
        log_names(kind, 0, 0, a, b);
    leave();
    return r;
}

SHIM int rename(const char *from, const char *to)
{
    REAL(rename);
    return names(DISK_OP_RENAME, from, to, real_rename);
}

SHIM int link(const char *from, const char *to)
{
    REAL(link);
    return names(DISK_OP_LINK, from, to, real_link);
}

SHIM int unlink(const char *path)
{
    REAL(unlink);
    const char *p = ours(path);
    if (!p)
        return real_unlink(path);
    enter();
    const int r = real_unlink(path);
    if (r == 0)
        log_names(DISK_OP_UNLINK, 0, 0, p, "");
    leave();
    return r;
}

/* ---- shared mappings ---- */

static void remember_map(uint8_t *at, size_t bytes, uint64_t offset, uint32_t handle)
{
    for (struct map *m = maps; m < maps + MAPS_MAX; m++)
        if (!m->at) {
            uint8_t *copy = malloc(bytes);
            if (!copy)
                abort();
            memcpy(copy, at, bytes);
            *m = (struct map){
                .at = at, .copy = copy, .bytes = bytes, .offset = offset, .handle = handle};
            return;
        }
    abort();
}

SHIM void *mmap(void *hint, size_t bytes, int how, int flags, int fd, off_t offset)
{
    void *at = (void *)syscall(SYS_mmap, hint, bytes, how, flags, fd, offset);
    const struct watched *w = of(fd);
    if (!w || !(flags & MAP_SHARED) || !(how & PROT_WRITE) || at == MAP_FAILED)
        return at;
    enter();
    remember_map(at, bytes, (uint64_t)offset, w->handle);
    leave();
    return at;
}

SHIM int munmap(void *at, size_t bytes)
{
    bool is_ours = false;
    for (const struct map *m = maps; m < maps + MAPS_MAX; m++)
        is_ours = is_ours || (m->at && m->at == at);
    if (!is_ours)
        return (int)syscall(SYS_munmap, at, bytes);
    enter();
    for (struct map *m = maps; m < maps + MAPS_MAX; m++)
        if (m->at == at) {
            free(m->copy);
            *m = (struct map){0};
        }
    leave();
    return (int)syscall(SYS_munmap, at, bytes);
}

SHIM int msync(void *at, size_t bytes, int flags)
{
    REAL(msync);
    enter();
    const int r = real_msync(at, bytes, flags);
    for (const struct map *m = maps; r == 0 && (flags & MS_SYNC) && m < maps + MAPS_MAX; m++)
        if (m->at && m->at == at && bytes >= m->bytes)
            log_op(DISK_OP_SYNC, m->handle, 0, 0, NULL, 0);
    leave();
    return r;
}
