/* SPDX-License-Identifier: Apache-2.0
 *
 * Archive and prune: how the journal stays bounded and its past stays provable.
 *
 * An archive is one zstd stream: a header, then each group as its length and its bytes, then a
 * zero length and a signed line for the last group. With the chain, that one signature covers the
 * whole file. It is read back and walked before the call succeeds. Prune signs a checkpoint (seq,
 * hash, epoch, counts of what goes) into the heads first and drops groups after: killed in
 * between, the journal still verifies from group 1. The last group is never dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/must.h"
#include "journal/archive_priv.h"
#include "journal/check.h"
#include "journal/disk.h"

struct out_file {
    FILE *f;
    const char *path;
    ZSTD_CStream *z;
    uint8_t buffer[128 * 1024];
};

static struct result put(struct out_file *o, const void *bytes, size_t count, ZSTD_EndDirective how,
                         struct trail *tr)
{
    ZSTD_inBuffer in = {.src = bytes, .size = count};
    size_t left;
    do {
        ZSTD_outBuffer out = {.dst = o->buffer, .size = sizeof o->buffer};
        left = ZSTD_compressStream2(o->z, &out, &in, how);
        if (ZSTD_isError(left))
            return FAIL(tr, IO, "the archive %s cannot be compressed: %s", o->path,
                        ZSTD_getErrorName(left));
        if (fwrite(o->buffer, 1, out.pos, o->f) != out.pos)
            return FAIL_AS(tr, disk_error(errno), "the archive %s cannot be written: %s", o->path,
                           strerror(errno));
    } while (how == ZSTD_e_end ? left != 0 : in.pos < in.size);
    return OK_RESULT;
}

static struct result put_counted(struct out_file *o, const void *bytes, uint64_t count,
                                 struct trail *tr)
{
    TRY(put(o, &count, sizeof count, ZSTD_e_continue, tr));
    return put(o, bytes, count, ZSTD_e_continue, tr);
}

/* Walks from the journal's beginning over the groups that end before `before_seq`, at most up to
 * the one before `last`; gives each to the archive when there is one. */
static struct result walk_old(struct journal_store *store, const struct heads *heads,
                              uint64_t before_seq, struct chain *at, struct out_file *o,
                              struct journal_report *rep, struct trail *tr)
{
    uint64_t first, last;
    struct hash_sha256 *sha;
    const struct heads_mark *cp = heads_checkpoint(heads);
    TRY(store->ops->bounds(store, &first, &last, tr));
    chain_begin(at);
    if (first > 1 && cp && first <= cp->at.index + 1)
        *at = cp->at;
    else if (first > 1)
        return FAIL(tr, CORRUPT,
                    "the journal begins at group %" PRIu64 " without a signed "
                    "checkpoint: run tenon-verify",
                    first);
    TRY(hash_sha256_new(&sha));
    struct result r = OK_RESULT;
    while (at->index + 1 < last) {
        const struct chain before = *at;
        const void *bytes;
        size_t count;
        r = store->ops->read(store, at->index + 1, &bytes, &count, tr);
        if (is_ok(r))
            r = chain_add(at, bytes, count, sha, tr);
        if (!is_ok(r))
            break;
        if (at->seq >= before_seq) {
            *at = before;
            break;
        }
        if (o)
            r = put_counted(o, bytes, count, tr);
        if (!is_ok(r))
            break;
        if (rep->groups++ == 0)
            rep->first_seq = before.seq + 1;
        rep->records += at->records - before.records;
        rep->last_seq = at->seq;
    }
    memcpy(rep->head, at->hash, sizeof rep->head);
    hash_sha256_free(sha);
    return r;
}

static struct result nothing_to_do(uint64_t before_seq, struct trail *tr)
{
    return FAIL(tr, NOT_FOUND,
                "no whole group ends before seq %" PRIu64 " (the last group always stays): use a "
                "later seq",
                before_seq);
}

/* Reads the archive back and walks it; the end must be the one that was written. */
static struct result read_back(const char *path, const struct chain *start, const struct chain *end,
                               struct trail *tr)
{
    struct journal_store *store;
    struct hash_sha256 *sha;
    struct chain c = *start;
    TRY(journal_store_archive(path, &store, tr));
    struct result r = hash_sha256_new(&sha);
    while (is_ok(r) && c.index < end->index) {
        const void *bytes;
        size_t count;
        r = store->ops->read(store, c.index + 1, &bytes, &count, tr);
        if (is_ok(r))
            r = chain_add(&c, bytes, count, sha, tr);
    }
    if (is_ok(r) && memcmp(c.hash, end->hash, sizeof c.hash) != 0)
        r = FAIL(tr, CORRUPT, "the archive %s does not read back as it was written", path);
    hash_sha256_free(sha);
    store->ops->close(store);
    return r;
}

static struct result write_archive(struct journal_store *store, const struct heads *heads,
                                   uint64_t before_seq, struct out_file *o,
                                   struct journal_report *rep, struct chain *at, struct trail *tr)
{
    struct archive_head head = {.version = ARCHIVE_VERSION, .head_bytes = sizeof head};
    const struct heads_mark *slot = heads_slot(heads);
    char line[HEADS_LINE_BYTES];
    memcpy(head.magic, ARCHIVE_MAGIC, sizeof head.magic);
    if (slot)
        memcpy(head.journal_id, slot->at.journal_id, sizeof head.journal_id);
    TRY(put(o, &head, sizeof head, ZSTD_e_continue, tr));
    TRY(walk_old(store, heads, before_seq, at, o, rep, tr));
    if (rep->groups == 0)
        return nothing_to_do(before_seq, tr);
    const struct heads_mark m = {
        .kind = HEADS_ARCHIVE, .at = *at, .wall_ns = clock_wall(&clock_system)};
    const uint64_t n = heads_print(heads, &m, line);
    const uint64_t zero = 0;
    if (n == 0)
        return FAIL(tr, IO, "the archive %s cannot be signed", o->path);
    TRY(put(o, &zero, sizeof zero, ZSTD_e_continue, tr));
    TRY(put_counted(o, line, n, tr));
    TRY(put(o, NULL, 0, ZSTD_e_end, tr));
    if (fflush(o->f) != 0 || fsync(fileno(o->f)) != 0)
        return FAIL_AS(tr, disk_error(errno), "the archive %s cannot be synced: %s", o->path,
                       strerror(errno));
    return OK_RESULT;
}

static struct result open_out(struct out_file *o, const char *path, struct trail *tr)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return FAIL_AS(tr, errno == EEXIST ? RESULT_OF(DUPLICATE) : disk_error(errno),
                       "the archive %s cannot be made: %s", path, strerror(errno));
    o->path = path;
    o->f = fdopen(fd, "w");
    o->z = ZSTD_createCStream();
    must(o->f != NULL && o->z != NULL);
    ZSTD_CCtx_setParameter(o->z, ZSTD_c_compressionLevel, 3);
    ZSTD_CCtx_setParameter(o->z, ZSTD_c_checksumFlag, 1);
    return OK_RESULT;
}

struct result journal_archive(const char *dir, const char *heads_dir, const char *out_file,
                              uint64_t before_seq, struct journal_report *rep, struct trail *tr)
{
    struct journal_store *store = NULL;
    struct heads *heads = NULL;
    struct out_file *o = calloc(1, sizeof *o);
    struct chain start, at;
    bool made = false;
    memset(rep, 0, sizeof *rep);
    struct result r = o ? OK_RESULT : FAIL(tr, FULL, "no memory for an archive");
    if (is_ok(r))
        r = heads_open(heads_dir, false, &heads, tr);
    if (is_ok(r))
        r = journal_store_rocksdb(dir, false, true, &store, tr);
    if (is_ok(r))
        r = open_out(o, out_file, tr);
    if (is_ok(r)) {
        made = true;
        r = write_archive(store, heads, before_seq, o, rep, &at, tr);
    }
    if (is_ok(r)) {
        chain_begin_at(&start, at.index + 1 - rep->groups);
        r = read_back(out_file, &start, &at, tr);
    }
    if (made && !is_ok(r))
        unlink(out_file);
    if (o && o->f)
        fclose(o->f);
    if (o)
        ZSTD_freeCStream(o->z);
    free(o);
    if (store)
        store->ops->close(store);
    heads_close(heads);
    return r;
}

struct result journal_prune(const char *dir, const char *heads_dir, uint64_t before_seq,
                            struct journal_report *rep, struct trail *tr)
{
    struct journal_store *store;
    struct heads *heads = NULL;
    struct check_end end;
    struct chain at;
    memset(rep, 0, sizeof *rep);
    TRY(journal_store_rocksdb(dir, false, false, &store, tr));
    struct result r = heads_open(heads_dir, true, &heads, tr);
    if (is_ok(r))
        r = check_store(store, heads, NULL, &end, tr);
    if (is_ok(r) && end.doubt)
        r = FAIL(tr, STATE, "nothing is pruned while the journal is in doubt: %.200s",
                 end.doubt_text);
    if (is_ok(r))
        r = walk_old(store, heads, before_seq, &at, NULL, rep, tr);
    if (is_ok(r) && rep->groups == 0)
        r = nothing_to_do(before_seq, tr);
    if (is_ok(r))
        r = heads_sign(heads, HEADS_CHECKPOINT, &at, clock_wall(&clock_system), tr);
    if (is_ok(r))
        r = store->ops->drop_before(store, at.index + 1, tr);
    heads_close(heads);
    store->ops->close(store);
    return r;
}
