/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshot files: snap-<seq>.tns, one header and the core's bytes. Written under another name,
 * synced, renamed, the folder synced: a file with the right name is whole. The hash is over header
 * and bytes; it goes into the SNAPSHOT record, so the chain vouches for the file.
 *
 * Reading takes the newest one that is not newer than the journal. A file that is damaged is
 * passed over for an older one, and said; one of an unknown version too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/must.h"
#include "journal/disk.h"
#include "journal/journal.h"

enum { SNAPSHOT_VERSION = 1, NAME_BYTES = PATH_MAX + 64 };
static const uint64_t snapshot_bytes_max = 1ull << 32;
static const char magic[8] = {'T', 'E', 'N', 'O', 'N', 'S', 'N', 'P'};

struct snapshot_head {
    char magic[8];
    uint32_t version;
    uint32_t head_bytes;
    uint64_t seq;
    uint64_t bytes;
    uint32_t core_logic;
    uint32_t reserved;
    uint8_t sha256[FACT_HASH_BYTES]; /* of this header with zeros here, and the bytes */
};
static_assert(sizeof(struct snapshot_head) == 72, "snapshot_head layout");

static struct result digest(const struct snapshot_head *head, const void *bytes,
                            uint8_t out[FACT_HASH_BYTES])
{
    struct hash_sha256 *sha;
    struct snapshot_head bare = *head;
    memset(bare.sha256, 0, sizeof bare.sha256);
    TRY(hash_sha256_new(&sha));
    hash_sha256_begin(sha);
    hash_sha256_add(sha, &bare, sizeof bare);
    hash_sha256_add(sha, bytes, head->bytes);
    hash_sha256_end(sha, out);
    hash_sha256_free(sha);
    return OK_RESULT;
}

static struct result write_file(const char *path, const struct snapshot_head *head,
                                const void *bytes, struct trail *tr)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return FAIL_AS(tr, disk_error(errno), "the snapshot %s cannot be made: %s", path,
                       strerror(errno));
    struct result r = disk_write(fd, path, head, sizeof *head, tr);
    if (is_ok(r))
        r = disk_write(fd, path, bytes, head->bytes, tr);
    if (is_ok(r) && fsync(fd) != 0)
        r = FAIL_AS(tr, disk_error(errno), "the snapshot %s cannot be synced: %s", path,
                    strerror(errno));
    close(fd);
    return r;
}

struct result journal_snapshot_write(const char *dir, uint64_t seq, const void *bytes, size_t count,
                                     uint8_t sha[FACT_HASH_BYTES], struct trail *tr)
{
    char path[NAME_BYTES], temporary[NAME_BYTES];
    struct snapshot_head head = {.version = SNAPSHOT_VERSION,
                                 .head_bytes = sizeof head,
                                 .seq = seq,
                                 .bytes = count,
                                 .core_logic = FACT_CORE_LOGIC};
    must(count > 0 && count < snapshot_bytes_max);
    if (strlen(dir) >= PATH_MAX)
        return FAIL(tr, TOO_LARGE, "the name of the snapshot folder is too long");
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return FAIL_AS(tr, disk_error(errno), "the snapshot folder %s cannot be made: %s", dir,
                       strerror(errno));
    memcpy(head.magic, magic, sizeof magic);
    TRY(digest(&head, bytes, head.sha256));
    snprintf(path, sizeof path, "%s/snap-%020" PRIu64 ".tns", dir, seq);
    snprintf(temporary, sizeof temporary, "%s/.snap-%020" PRIu64 ".new", dir, seq);
    struct result r = write_file(temporary, &head, bytes, tr);
    if (is_ok(r) && rename(temporary, path) != 0)
        r = FAIL(tr, IO, "the snapshot %s cannot be given its name: %s", path, strerror(errno));
    if (is_ok(r))
        r = disk_sync_dir(dir, tr);
    else
        unlink(temporary);
    memcpy(sha, head.sha256, sizeof head.sha256);
    return r;
}

static struct result check_head(const char *path, const struct snapshot_head *head,
                                uint64_t file_bytes, uint64_t seq, struct trail *tr)
{
    if (memcmp(head->magic, magic, sizeof magic) != 0)
        return FAIL(tr, CORRUPT, "%s does not begin like a snapshot: it is damaged", path);
    if (head->version != SNAPSHOT_VERSION || head->head_bytes != sizeof *head)
        return FAIL(tr, VERSION,
                    "%s has format version %u and this program knows %d: use the tenon version "
                    "that wrote it",
                    path, head->version, SNAPSHOT_VERSION);
    if (head->bytes == 0 || head->bytes > snapshot_bytes_max ||
        head->bytes != file_bytes - sizeof *head)
        return FAIL(tr, CORRUPT,
                    "%s says that it holds %" PRIu64 " bytes and has %" PRIu64
                    ": its length is damaged or its end is cut",
                    path, head->bytes, file_bytes - sizeof *head);
    if (head->seq != seq)
        return FAIL(tr, CORRUPT, "%s is of seq %" PRIu64 ": it was renamed", path, head->seq);
    return OK_RESULT;
}

static bool read_whole(int fd, void *out, size_t count)
{
    uint8_t *p = out;
    while (count > 0) {
        const ssize_t n = read(fd, p, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        count -= (size_t)n;
    }
    return true;
}

static struct result read_file(const char *path, uint64_t seq, void **bytes, size_t *count,
                               struct trail *tr)
{
    struct snapshot_head head;
    struct stat st;
    void *got = NULL;
    uint8_t sha[FACT_HASH_BYTES];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return FAIL(tr, IO, "the snapshot %s cannot be opened: %s", path, strerror(errno));
    struct result r = OK_RESULT;
    if (fstat(fd, &st) != 0 || (uint64_t)st.st_size < sizeof head ||
        !read_whole(fd, &head, sizeof head)) {
        r = FAIL(tr, CORRUPT, "the snapshot %s is cut: not even its header is whole", path);
        goto out;
    }
    r = check_head(path, &head, (uint64_t)st.st_size, seq, tr);
    if (!is_ok(r))
        goto out;
    got = malloc(head.bytes);
    if (!got || !read_whole(fd, got, head.bytes)) {
        r = FAIL(tr, IO, "the snapshot %s cannot be read whole", path);
        goto out;
    }
    r = digest(&head, got, sha);
    if (is_ok(r) && memcmp(sha, head.sha256, sizeof sha) != 0)
        r = FAIL(tr, CORRUPT, "%s does not match its own hash: it was altered or damaged", path);
    *count = head.bytes;
out:
    close(fd);
    if (!is_ok(r)) {
        free(got);
        got = NULL;
    }
    *bytes = got;
    return r;
}

/* The greatest seq of a snapshot file that is <= upto; `newer` = one above it exists. */
static struct result find_newest(const char *dir, uint64_t upto, uint64_t *seq, bool *newer,
                                 bool *any, struct trail *tr)
{
    DIR *d = opendir(dir);
    *any = false;
    *newer = false;
    if (!d)
        return FAIL(tr, NOT_FOUND, "there is no snapshot folder %s: %s", dir, strerror(errno));
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        uint64_t is;
        int end = 0;
        if (sscanf(e->d_name, "snap-%20" SCNu64 ".tns%n", &is, &end) != 1 || end == 0 ||
            e->d_name[end] != '\0')
            continue;
        if (is > upto)
            *newer = true;
        else if (!*any || is > *seq) {
            *seq = is;
            *any = true;
        }
    }
    closedir(d);
    return OK_RESULT;
}

struct result journal_snapshot_read(const char *dir, uint64_t upto, uint64_t *seq, void **bytes,
                                    size_t *count, struct trail *tr)
{
    char path[NAME_BYTES];
    bool newer, any;
    uint64_t limit = upto;
    *bytes = NULL;
    *count = 0;
    if (strlen(dir) >= PATH_MAX)
        return FAIL(tr, TOO_LARGE, "the name of the snapshot folder is too long");
    for (;;) {
        const struct result r = find_newest(dir, limit, seq, &newer, &any, tr);
        if (!is_ok(r))
            return r;
        if (!any)
            return FAIL(tr, NOT_FOUND, "%s holds no %ssnapshot at or before seq %" PRIu64 "%s", dir,
                        limit < upto ? "usable " : "", upto,
                        newer && limit == upto
                            ? ", only newer ones: they are ahead of the journal and are not used"
                            : "");
        snprintf(path, sizeof path, "%s/snap-%020" PRIu64 ".tns", dir, *seq);
        if (is_ok(read_file(path, *seq, bytes, count, tr)))
            return OK_RESULT;
        if (*seq == 0)
            return FAIL(tr, NOT_FOUND, "%s holds no usable snapshot", dir);
        limit = *seq - 1;
    }
}
