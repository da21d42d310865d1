/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads records in order and believes nothing: each group's link and hash, each record's bounds,
 * CRC, kind and place are checked as it goes, so that a replay of a damaged journal stops at the
 * damage and names it. A group is copied out of the store first: several readers may share a store.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "journal/chain.h"
#include "journal/journal.h"

struct journal_reader {
    struct journal_store *store;
    struct hash_sha256 *sha;
    struct chain chain;
    struct group_head head;
    struct group_cursor cursor;
    uint8_t *bytes;
    size_t room;
};

struct result journal_reader_open(struct journal_store *store, struct journal_reader **out,
                                  struct trail *tr)
{
    uint64_t first, last;
    *out = NULL;
    TRY(store->ops->bounds(store, &first, &last, tr));
    struct journal_reader *r = calloc(1, sizeof *r);
    if (!r)
        return FAIL(tr, FULL, "no memory for a journal reader");
    struct result made = hash_sha256_new(&r->sha);
    if (!is_ok(made)) {
        free(r);
        return made;
    }
    r->store = store;
    chain_begin_at(&r->chain, first);
    *out = r;
    return OK_RESULT;
}

void journal_reader_close(struct journal_reader *r)
{
    if (!r)
        return;
    hash_sha256_free(r->sha);
    free(r->bytes);
    free(r);
}

/* Copies group `index` into the reader's own buffer. */
static struct result fetch(struct journal_reader *r, uint64_t index, size_t *count,
                           struct trail *tr)
{
    const void *bytes;
    struct result got = r->store->ops->read(r->store, index, &bytes, count, tr);
    if (!is_ok(got))
        return got;
    if (*count > r->room) {
        uint8_t *more = realloc(r->bytes, *count);
        if (!more)
            return FAIL(tr, FULL, "no memory for group %" PRIu64 " of %zu bytes", index, *count);
        r->bytes = more;
        r->room = *count;
    }
    memcpy(r->bytes, bytes, *count);
    return OK_RESULT;
}

static struct result next_group(struct journal_reader *r, struct trail *tr)
{
    size_t count;
    struct result got = fetch(r, r->chain.index + 1, &count, tr);
    if (!is_ok(got))
        return got;
    TRY(chain_group(&r->chain, r->bytes, count, r->sha, &r->head, tr));
    group_rewind(&r->cursor, r->bytes, &r->head);
    return OK_RESULT;
}

struct result journal_reader_next(struct journal_reader *r, struct fact_head *head,
                                  const void **payload, struct trail *tr)
{
    struct result got = RESULT_OF(END);
    if (r->cursor.at)
        got = group_next(&r->cursor, head, payload, tr);
    if (got.code == RESULT_END) {
        if (r->cursor.at && r->chain.seq != r->head.last_seq)
            return FAIL(tr, BROKEN_CHAIN,
                        "group %" PRIu64 " says that it ends at seq %" PRIu64
                        " but its last record is seq %" PRIu64,
                        r->head.index, r->head.last_seq, r->chain.seq);
        got = next_group(r, tr);
        if (is_ok(got))
            got = group_next(&r->cursor, head, payload, tr);
    }
    if (!is_ok(got))
        return got;
    return chain_record(&r->chain, r->cursor.number, head, *payload, tr);
}

/* The first group whose last_seq >= seq; last + 1 when there is none. */
static struct result find_group(struct journal_reader *r, uint64_t seq, uint64_t *index,
                                struct trail *tr)
{
    uint64_t low, last;
    TRY(r->store->ops->bounds(r->store, &low, &last, tr));
    uint64_t high = last + 1;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        struct group_head head;
        size_t count;
        struct result got = fetch(r, middle, &count, tr);
        if (is_ok(got))
            got = group_parse(r->bytes, count, middle, NULL, &head, tr);
        if (!is_ok(got))
            return got;
        if (head.last_seq >= seq)
            high = middle;
        else
            low = middle + 1;
    }
    *index = low;
    return OK_RESULT;
}

struct result journal_reader_seek(struct journal_reader *r, uint64_t seq, struct trail *tr)
{
    uint64_t index;
    TRY(find_group(r, seq, &index, tr));
    memset(&r->cursor, 0, sizeof r->cursor);
    chain_begin_at(&r->chain, index);
    for (;;) {
        const struct chain chain = r->chain;
        const struct group_cursor cursor = r->cursor;
        struct fact_head head;
        const void *payload;
        struct result got = journal_reader_next(r, &head, &payload, tr);
        if (got.code == RESULT_END)
            return OK_RESULT;
        if (!is_ok(got))
            return got;
        if (head.seq < seq)
            continue;
        /* One back. The first record of a group is given again from the group's beginning. */
        r->chain.seq = r->cursor.number == 1 ? r->head.first_seq - 1 : chain.seq;
        r->chain.sub = r->cursor.number == 1 ? 0 : chain.sub;
        r->chain.t_ns = r->cursor.number == 1 && !cursor.at ? INT64_MIN : chain.t_ns;
        r->chain.records = chain.records;
        r->chain.epoch = chain.epoch;
        r->chain.snapshot_seq = chain.snapshot_seq;
        if (r->cursor.number == 1)
            group_rewind(&r->cursor, r->bytes, &r->head);
        else
            r->cursor = cursor;
        return OK_RESULT;
    }
}

const uint8_t *journal_reader_chain(const struct journal_reader *r)
{
    return r->chain.hash;
}
