/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk, used by start, readers, archive and prune. A walk from the middle (a reader's seek, a
 * pruned journal) begins unanchored: the first group's prev and seq are believed, everything after
 * them is checked. Whoever needs more compares the believed part with a signed checkpoint.
 */
#include "journal/chain.h"

#include <inttypes.h>
#include <string.h>

#include "base/must.h"

void chain_begin(struct chain *c)
{
    memset(c, 0, sizeof *c);
    c->t_ns = INT64_MIN;
    c->anchored = true;
}

void chain_begin_at(struct chain *c, uint64_t index)
{
    must(index > 0);
    chain_begin(c);
    c->index = index - 1;
    c->anchored = index == 1;
}

struct result chain_group(struct chain *c, const void *bytes, size_t count, struct hash_sha256 *sha,
                          struct group_head *head, struct trail *tr)
{
    TRY(group_parse(bytes, count, c->index + 1, c->has_id ? c->journal_id : NULL, head, tr));
    if (c->anchored && memcmp(head->prev, c->hash, sizeof c->hash) != 0)
        return FAIL(tr, BROKEN_CHAIN,
                    "group %" PRIu64 " (seq %" PRIu64 " to %" PRIu64
                    ") does not follow group %" PRIu64
                    ": the hash it names is not that group's; restore a good copy",
                    head->index, head->first_seq, head->last_seq, c->index);
    TRY(group_check_hash(bytes, count, head, sha, tr));
    if (!c->anchored) {
        c->seq = head->first_seq - 1;
        c->anchored = true;
    }
    memcpy(c->journal_id, head->journal_id, GROUP_ID_BYTES);
    c->has_id = true;
    memcpy(c->hash, head->hash, sizeof c->hash);
    c->index = head->index;
    return OK_RESULT;
}

static struct result check_order(const struct chain *c, uint32_t number,
                                 const struct fact_head *head, struct trail *tr)
{
    const bool event = head->sub == 0;
    const uint64_t seq = event ? c->seq + 1 : c->seq;
    const uint32_t sub = event ? 0 : c->sub + 1;
    if (head->seq != seq || head->sub != sub || (number == 1 && !event))
        return FAIL(tr, BROKEN_CHAIN,
                    "record %u of group %" PRIu64 " is seq %" PRIu64 "/%u where seq %" PRIu64
                    "/%u must follow: a record is missing, repeated or swapped",
                    number, c->index, head->seq, head->sub, seq, sub);
    if (head->t_ns < c->t_ns || (!event && head->t_ns != c->t_ns))
        return FAIL(tr, BROKEN_CHAIN,
                    "record %u of group %" PRIu64 " (seq %" PRIu64 "/%u) is at time %" PRId64
                    " ns after one at %" PRId64 " ns: time must not fall",
                    number, c->index, head->seq, head->sub, head->t_ns, c->t_ns);
    return OK_RESULT;
}

struct result chain_record(struct chain *c, uint32_t number, const struct fact_head *head,
                           const void *payload, struct trail *tr)
{
    TRY(check_order(c, number, head, tr));
    c->seq = head->seq;
    c->sub = head->sub;
    c->t_ns = head->t_ns;
    c->records++;
    if (head->type == FACT_START) {
        struct fact_start start;
        memcpy(&start, payload, sizeof start);
        c->epoch = start.epoch;
    }
    if (head->type == FACT_SNAPSHOT) {
        struct fact_snapshot snapshot;
        memcpy(&snapshot, payload, sizeof snapshot);
        c->snapshot_seq = snapshot.seq;
    }
    return OK_RESULT;
}

struct result chain_add(struct chain *c, const void *bytes, size_t count, struct hash_sha256 *sha,
                        struct trail *tr)
{
    struct group_head head;
    struct trail whole = {0};
    /* Records are looked at also when the hash is wrong: a CRC names the record that was hit. */
    struct chain before = *c;
    const struct result r = chain_group(c, bytes, count, sha, &head, &whole);
    if (!is_ok(r) && (r.code != RESULT_BROKEN_CHAIN || head.index != before.index + 1))
        return trail_add(tr, r, whole.frame[0].file, whole.frame[0].line, "%s",
                         trail_sentence(&whole, r));
    struct group_cursor cursor;
    group_rewind(&cursor, bytes, &head);
    struct fact_head record;
    const void *payload;
    struct result n = group_next(&cursor, &record, &payload, tr);
    while (is_ok(n)) {
        if (is_ok(r)) {
            struct result o = chain_record(c, cursor.number, &record, payload, tr);
            if (!is_ok(o))
                return o;
        }
        n = group_next(&cursor, &record, &payload, tr);
    }
    if (n.code != RESULT_END)
        return n;
    if (!is_ok(r))
        return trail_add(tr, r, whole.frame[0].file, whole.frame[0].line, "%s",
                         trail_sentence(&whole, r));
    if (head.last_seq != c->seq || head.last_t_ns != c->t_ns)
        return FAIL(tr, BROKEN_CHAIN,
                    "group %" PRIu64 " says that it ends at seq %" PRIu64
                    " but its last record is seq %" PRIu64,
                    head.index, head.last_seq, c->seq);
    return OK_RESULT;
}
