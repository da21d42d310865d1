/* SPDX-License-Identifier: Apache-2.0
 *
 * An archive file as a store to read from, so that replay, explain and the reader work on pruned
 * days as on today. A stream has no middle: going back begins again at the front. Opening reads
 * the file once, to know its bounds and that its end is there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "journal/archive_priv.h"
#include "journal/heads.h"
#include "journal/journal.h"

struct archive {
    struct journal_store store; /* first: the store is the object */
    char *path;
    FILE *f;
    ZSTD_DStream *z;
    ZSTD_inBuffer in;
    bool ended; /* the stream's end was reached, its checksum fits */
    uint8_t buffer[128 * 1024];
    uint64_t first, last;
    uint64_t next; /* index that the stream stands before */
    uint8_t *group;
    size_t room, count;
};

static struct archive *of(struct journal_store *s)
{
    return (struct archive *)s;
}

static struct result cut(const struct archive *a, const char *why, struct trail *tr)
{
    return FAIL(tr, CORRUPT,
                "the archive %s is damaged or cut near group %" PRIu64 ": %s; restore "
                "a good copy",
                a->path, a->next, why);
}

static struct result take(struct archive *a, void *out, size_t count, struct trail *tr)
{
    ZSTD_outBuffer o = {.dst = out, .size = count};
    while (o.pos < o.size) {
        if (a->in.pos == a->in.size) {
            a->in.size = fread(a->buffer, 1, sizeof a->buffer, a->f);
            a->in.pos = 0;
            if (a->in.size == 0)
                return cut(a, "its end is missing", tr);
        }
        const size_t r = ZSTD_decompressStream(a->z, &o, &a->in);
        if (ZSTD_isError(r))
            return cut(a, ZSTD_getErrorName(r), tr);
        a->ended = r == 0;
        if (a->ended && o.pos < o.size)
            return cut(a, "its stream ends early", tr);
    }
    return OK_RESULT;
}

static struct result begin(struct archive *a, struct trail *tr)
{
    struct archive_head head;
    rewind(a->f);
    ZSTD_initDStream(a->z);
    a->in = (ZSTD_inBuffer){.src = a->buffer};
    a->next = a->first;
    a->ended = false;
    TRY(take(a, &head, sizeof head, tr));
    if (memcmp(head.magic, ARCHIVE_MAGIC, sizeof head.magic) != 0)
        return cut(a, "it does not begin like an archive", tr);
    if (head.version != ARCHIVE_VERSION || head.head_bytes != sizeof head)
        return FAIL(tr, VERSION,
                    "the archive %s has format version %u and this program knows %d: use the tenon "
                    "version that wrote it",
                    a->path, head.version, ARCHIVE_VERSION);
    return OK_RESULT;
}

/* The next group into a->group; END at the zero length behind the last. */
static struct result take_group(struct archive *a, struct trail *tr)
{
    uint64_t count;
    TRY(take(a, &count, sizeof count, tr));
    if (count == 0)
        return RESULT_OF(END);
    if (count < sizeof(struct group_head) || count > GROUP_BYTES_MAX)
        return cut(a, "a group has an impossible length", tr);
    if (count > a->room) {
        uint8_t *more = realloc(a->group, count);
        if (!more)
            return FAIL(tr, FULL, "no memory for an archived group of %" PRIu64 " bytes", count);
        a->group = more;
        a->room = count;
    }
    TRY(take(a, a->group, count, tr));
    a->count = count;
    return OK_RESULT;
}

static struct result take_trailer(struct archive *a, struct trail *tr)
{
    uint64_t count;
    char line[HEADS_LINE_BYTES];
    struct heads_mark m;
    TRY(take(a, &count, sizeof count, tr));
    if (count == 0 || count >= sizeof line)
        return cut(a, "its signed line has an impossible length", tr);
    TRY(take(a, line, count, tr));
    TRY(heads_parse(line, count, &m, tr));
    if (m.at.index != a->last)
        return cut(a, "its signed line is of another group than its last", tr);
    return OK_RESULT;
}

/* The stream must end here: only at its end does zstd compare the checksum of all its bytes. */
static struct result take_end(struct archive *a, struct trail *tr)
{
    while (!a->ended) {
        uint8_t more;
        ZSTD_outBuffer o = {.dst = &more, .size = sizeof more};
        if (a->in.pos == a->in.size) {
            a->in.size = fread(a->buffer, 1, sizeof a->buffer, a->f);
            a->in.pos = 0;
            if (a->in.size == 0)
                return cut(a, "its end is missing", tr);
        }
        const size_t r = ZSTD_decompressStream(a->z, &o, &a->in);
        if (ZSTD_isError(r))
            return cut(a, ZSTD_getErrorName(r), tr);
        if (o.pos > 0)
            return cut(a, "something follows its signed line", tr);
        a->ended = r == 0;
    }
    if (a->in.pos < a->in.size || fgetc(a->f) != EOF)
        return cut(a, "something follows its end", tr);
    return OK_RESULT;
}

static struct result scan(struct archive *a, struct trail *tr)
{
    struct result r = begin(a, tr);
    while (is_ok(r)) {
        struct group_head head;
        r = take_group(a, tr);
        if (!is_ok(r))
            break;
        memcpy(&head, a->group, sizeof head);
        if (a->first == 0)
            a->first = head.index;
        else if (head.index != a->last + 1)
            return cut(a, "a group is missing", tr);
        a->last = head.index;
        a->next = head.index + 1;
    }
    if (r.code != RESULT_END)
        return r;
    if (a->first == 0)
        return cut(a, "it holds no group", tr);
    TRY(take_trailer(a, tr));
    TRY(take_end(a, tr));
    return begin(a, tr);
}

static struct result archive_read(struct journal_store *s, uint64_t index, const void **bytes,
                                  size_t *count, struct trail *tr)
{
    struct archive *a = of(s);
    if (index > a->last)
        return RESULT_OF(END);
    if (index < a->first)
        return FAIL(tr, CORRUPT,
                    "group %" PRIu64 " is not in the archive %s, which begins at %" PRIu64, index,
                    a->path, a->first);
    if (index < a->next)
        TRY(begin(a, tr));
    while (a->next <= index) {
        const struct result r = take_group(a, tr);
        if (!is_ok(r))
            return r;
        a->next++;
    }
    *bytes = a->group;
    *count = a->count;
    return OK_RESULT;
}

static struct result archive_bounds(struct journal_store *s, uint64_t *first, uint64_t *last,
                                    struct trail *tr)
{
    (void)tr;
    *first = of(s)->first;
    *last = of(s)->last;
    return OK_RESULT;
}

static struct result refuse(struct journal_store *s, struct trail *tr)
{
    return FAIL(tr, STATE, "the archive %s can only be read", of(s)->path);
}

static struct result archive_append(struct journal_store *s, uint64_t index, const void *bytes,
                                    size_t count, bool sync, struct trail *tr)
{
    (void)index;
    (void)bytes;
    (void)count;
    (void)sync;
    return refuse(s, tr);
}

static struct result archive_checkpoint(struct journal_store *s, const char *dir, struct trail *tr)
{
    (void)dir;
    return refuse(s, tr);
}

static struct result archive_drop_before(struct journal_store *s, uint64_t index, struct trail *tr)
{
    (void)index;
    return refuse(s, tr);
}

static void archive_close(struct journal_store *s)
{
    struct archive *a = of(s);
    if (a->f)
        fclose(a->f);
    ZSTD_freeDStream(a->z);
    free(a->group);
    free(a->path);
    free(a);
}

static const struct journal_store_ops archive_ops = {
    .name = "archive",
    .append = archive_append,
    .sync = refuse,
    .read = archive_read,
    .bounds = archive_bounds,
    .checkpoint = archive_checkpoint,
    .drop_before = archive_drop_before,
    .close = archive_close,
};

struct result journal_store_archive(const char *file, struct journal_store **out, struct trail *tr)
{
    *out = NULL;
    struct archive *a = calloc(1, sizeof *a);
    if (!a)
        return FAIL(tr, FULL, "no memory for the archive %s", file);
    a->store.ops = &archive_ops;
    a->path = strdup(file);
    a->z = ZSTD_createDStream();
    a->f = fopen(file, "re");
    struct result r;
    if (!a->path || !a->z)
        r = FAIL(tr, FULL, "no memory for the archive %s", file);
    else if (!a->f)
        r = FAIL_AS(tr, errno == ENOENT ? RESULT_OF(NOT_FOUND) : RESULT_OF(IO),
                    "the archive %s cannot be opened: %s", file, strerror(errno));
    else
        r = scan(a, tr);
    if (!is_ok(r)) {
        archive_close(&a->store);
        return r;
    }
    *out = &a->store;
    return OK_RESULT;
}
