/* SPDX-License-Identifier: Apache-2.0
 *
 * The file is preallocated block by block (a store into a hole of a full disk would end the process
 * with SIGBUS) and never grows. A process that dies loses nothing of it, since the pages are the
 * kernel's; only a loss of power can, and then the desk takes everything open as unknown. So
 * nothing waits for fdatasync but the thread here, which is woken at once for a kill: its flag
 * should be on the disk before people rely on it.
 */
#include "egress/store.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/must.h"

enum { PATH_BYTES = 4096, SYNC_MS = 1000 };

struct store {
    int lock_fd, file_fd, wake_fd;
    void *map;
    size_t bytes;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_ending;
    _Atomic uint64_t failures;
};

static void *sync_thread(void *arg)
{
    struct store *s = arg;
    while (!atomic_load(&s->is_ending)) {
        uint64_t woken;
        struct pollfd p = {.fd = s->wake_fd, .events = POLLIN};
        if (poll(&p, 1, SYNC_MS) > 0 && read(s->wake_fd, &woken, sizeof woken) < 0)
            continue;
        if (fdatasync(s->file_fd) != 0)
            atomic_fetch_add(&s->failures, 1);
    }
    return NULL;
}

struct result store_make_folder(const char *folder, struct trail *tr)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s", folder);
    if (n <= 0 || (size_t)n >= sizeof path)
        return FAIL(tr, TOO_LARGE, "state folder %.120s...: the path is too long", folder);
    for (char *at = path + 1; at != NULL; at = at[0] != 0 ? at + 1 : NULL) {
        at += strcspn(at, "/");
        const char was = *at;
        *at = 0;
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return FAIL(tr, IO,
                        "state folder %.200s: cannot be made (%s); name another with "
                        "--state",
                        path, strerrordesc_np(errno));
        *at = was;
    }
    return OK_RESULT;
}

static struct result take_lock(struct store *s, const char *folder, struct trail *tr)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/egress.lock", folder);
    if (n < 0 || (size_t)n >= sizeof path)
        return FAIL(tr, TOO_LARGE, "state folder %.120s...: the path is too long", folder);
    TRY(store_make_folder(folder, tr));
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return FAIL(tr, IO, "state folder %.200s: cannot be used (%s); name another with --state",
                    folder, strerrordesc_np(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return OK_RESULT;
    return FAIL(tr, BUSY, "another tenon-egress holds the state folder %.200s", folder);
}

static struct result allocate(struct store *s, const char *path, struct trail *tr)
{
    struct stat st;
    if (fstat(s->file_fd, &st) != 0 || !S_ISREG(st.st_mode))
        return FAIL(tr, IO, "witness %.200s: is not a regular file", path);
    if (st.st_size != 0 && st.st_size != (off_t)s->bytes)
        return FAIL(tr, VERSION,
                    "witness %.200s: has %ld bytes, this program's has %zu; use the tenon-egress "
                    "that wrote it until its orders are closed, then move it away",
                    path, (long)st.st_size, s->bytes);
    int error = posix_fallocate(s->file_fd, 0, (off_t)s->bytes);
    if (error == ENOSPC || error == EDQUOT)
        return FAIL(tr, DISK_FULL, "witness %.200s: no room for its %zu bytes", path, s->bytes);
    if (error != 0)
        return FAIL(tr, IO, "witness %.200s: cannot be allocated (%s)", path,
                    strerrordesc_np(error));
    return OK_RESULT;
}

static struct result map_file(struct store *s, const char *folder, struct trail *tr)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/witness", folder);
    must(n > 0 && (size_t)n < sizeof path);
    s->file_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->file_fd < 0)
        return FAIL(tr, IO, "witness %.200s: cannot be opened (%s)", path, strerrordesc_np(errno));
    TRY(allocate(s, path, tr));
    void *map =
        mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->file_fd, 0);
    if (map == MAP_FAILED)
        return FAIL(tr, IO, "witness %.200s: cannot be mapped (%s)", path, strerrordesc_np(errno));
    s->map = map;
    (void)mlock(map, s->bytes); /* no page of it should have to be found during a kill */
    return OK_RESULT;
}

/* Signals are the main thread's: it waits for them. */
static struct result start_thread(struct store *s, struct trail *tr)
{
    sigset_t all, before;
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->wake_fd < 0)
        return FAIL(tr, IO, "eventfd: %s", strerrordesc_np(errno));
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = pthread_create(&s->thread, NULL, sync_thread, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->has_thread = error == 0;
    return error == 0 ? OK_RESULT
                      : FAIL(tr, IO, "no thread to sync the witness: %s", strerrordesc_np(error));
}

struct result store_open(const char *folder, size_t bytes, struct store **out, struct trail *tr)
{
    struct store *s = calloc(1, sizeof *s);
    must(s != NULL && bytes > 0);
    *s = (struct store){.lock_fd = -1, .file_fd = -1, .wake_fd = -1, .bytes = bytes};
    struct result r = take_lock(s, folder, tr);
    if (is_ok(r))
        r = map_file(s, folder, tr);
    if (is_ok(r))
        r = start_thread(s, tr);
    if (is_ok(r))
        *out = s;
    else
        store_close(s);
    return r;
}

void *store_witness(const struct store *s)
{
    return s->map;
}

void store_sync_soon(struct store *s)
{
    uint64_t one = 1;
    if (write(s->wake_fd, &one, sizeof one) < 0)
        return; /* a full counter is awake already */
}

uint64_t store_failures(const struct store *s)
{
    return atomic_load(&s->failures);
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    if (s->has_thread) {
        atomic_store(&s->is_ending, true);
        store_sync_soon(s);
        pthread_join(s->thread, NULL);
    }
    if (s->map != NULL) {
        (void)msync(s->map, s->bytes, MS_SYNC);
        munmap(s->map, s->bytes);
    }
    const int fds[] = {s->wake_fd, s->file_fd, s->lock_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    free(s);
}

struct result store_boot(uint64_t *out, struct trail *tr)
{
    char text[64] = {0};
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n < 36)
        return FAIL(tr, IO, "the kernel does not name this boot (/proc/sys/kernel/random/boot_id)");
    *out = hash_fnv64(HASH_FNV64_SEED, text, 36);
    return OK_RESULT;
}
