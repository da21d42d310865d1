/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of state. The journal's promise is only as good as this disk's sync, so a sync is
 * timed here on a small file of its own, in the very folder the journal would be in.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/clock.h"
#include "tools/tenon/doctor.h"

enum { SYNCS = 32, BLOCK = 4096 };
static const int64_t slow_ns = 20 * 1000 * 1000;

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The folder, or the nearest one above it that exists: nothing is made here. */
static void nearest(char *path)
{
    while (access(path, F_OK) != 0) {
        char *slash = strrchr(path, '/');
        if (slash == NULL || slash == path) {
            snprintf(path, PATHS_BYTES, "/");
            return;
        }
        *slash = 0;
    }
}

static void room(struct doctor *d, const char *dir)
{
    enum { TMPFS = 0x01021994, NFS = 0x6969, CIFS = (int)0xFF534D42, RAMFS = (int)0x858458f6 };
    struct statfs fs;
    if (statfs(dir, &fs) != 0) {
        doctor_say(d, "disk", DOCTOR_SKIP, NULL, "the file system of %.200s cannot be asked (%s)",
                   dir, strerrordesc_np(errno));
        return;
    }
    int type = (int)fs.f_type;
    if (type == TMPFS || type == RAMFS)
        doctor_say(d, "disk", DOCTOR_WARN, "keep the journal on a disk: --journal DIR",
                   "%.200s is in memory: the journal would be gone with the machine", dir);
    if (type == NFS || type == CIFS)
        doctor_say(d, "disk", DOCTOR_FAIL, "keep the journal on a local disk: --journal DIR",
                   "%.200s is on a network file system, whose syncs and locks cannot be relied on",
                   dir);
    uint64_t free_mib = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize >> 20;
    uint64_t per_cent = fs.f_blocks != 0 ? (uint64_t)fs.f_bavail * 100 / fs.f_blocks : 0;
    enum doctor_verdict v = free_mib < 512 ? DOCTOR_FAIL : per_cent < 10 ? DOCTOR_WARN : DOCTOR_OK;
    doctor_say(d, "disk", v,
               v == DOCTOR_OK ? NULL
                              : "make room: a host whose journal is full takes no new risk "
                                "(tenon journal archive, then prune)",
               "%" PRIu64 " MiB free (%" PRIu64 " %%) at %.200s", free_mib, per_cent, dir);
}

/* Times a 4 KiB write and its sync, as the journal does them; false when the disk says no. */
static bool time_syncs(int fd, int64_t took[SYNCS])
{
    char block[BLOCK];
    memset(block, 0x5a, sizeof block);
    for (int i = 0; i < SYNCS; i++) {
        int64_t t0 = clock_mono(&clock_system);
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) != 0)
            return false;
        took[i] = clock_mono(&clock_system) - t0;
    }
    qsort(took, SYNCS, sizeof took[0], by_size);
    return true;
}

static void syncs(struct doctor *d, const char *dir)
{
    char path[PATHS_BYTES + 32];
    int64_t took[SYNCS];
    snprintf(path, sizeof path, "%s/.doctor-XXXXXX", dir);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        doctor_say(d, "disk", errno == EACCES ? DOCTOR_WARN : DOCTOR_FAIL,
                   "run it as the user that the host runs as, or name a folder with --journal",
                   "%.200s cannot be written by this user (%s)", dir, strerrordesc_np(errno));
        return;
    }
    bool done = time_syncs(fd, took);
    int why = errno;
    unlink(path);
    close(fd);
    if (!done) {
        doctor_say(d, "disk", DOCTOR_FAIL, "look at the disk: dmesg",
                   "a write in %.200s was not synced (%s)", dir, strerrordesc_np(why));
        return;
    }
    int64_t median = took[SYNCS / 2], worst = took[SYNCS - 1];
    bool is_slow = median > slow_ns;
    doctor_say(d, "disk", is_slow ? DOCTOR_WARN : DOCTOR_OK,
               is_slow ? "use a disk that syncs faster: each order waits for one sync" : NULL,
               "a sync of 4 KiB takes %" PRId64 " us (median of %d), at worst %" PRId64 " us",
               median / 1000, SYNCS, worst / 1000);
}

void doctor_disk(struct doctor *d)
{
    struct trail tr = {0};
    char dir[PATHS_BYTES];
    struct result r = cli_journal_dir(d->cli, dir, &tr);
    if (!is_ok(r)) {
        doctor_say(d, "disk", DOCTOR_FAIL, "name a folder with --journal",
                   "there is no folder for the journal: %s", trail_sentence(&tr, r));
        return;
    }
    nearest(dir);
    room(d, dir);
    syncs(d, dir);
}
