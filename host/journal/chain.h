/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain: where a walk over the groups stands, and what must hold from one to the next.
 *
 * Invariants of a walk
 *   1. Group n + 1 follows group n, and its prev is the hash of group n; group 1 has prev zero.
 *   2. Events are dense (seq + 1, sub 0); effects of an event follow it with sub 1, 2, ...
 *   3. Time never falls, and an effect has the time of its event.
 *   4. A group begins with an event: steps are not split.
 *
 * The commit thread extends the same struct, so writer and readers share one idea of "the end".
 */
#ifndef JOURNAL_CHAIN_H
#define JOURNAL_CHAIN_H
#include "journal/group.h"

struct chain {
    uint8_t journal_id[GROUP_ID_BYTES];
    uint64_t index; /* of the last group; 0 = none */
    uint8_t hash[FACT_HASH_BYTES];
    uint64_t records;
    uint64_t seq; /* last event; 0 = none */
    uint32_t sub; /* last effect of it */
    int64_t t_ns;
    uint64_t epoch;        /* of the last START */
    uint64_t snapshot_seq; /* of the last SNAPSHOT */
    bool anchored;         /* prev of the next group is known, and so is seq */
    bool has_id;           /* journal_id is known */
};

/* Before group 1. */
void chain_begin(struct chain *c);
/* Before group `index`, whose prev and seq are taken as they are: a walk from the middle. */
void chain_begin_at(struct chain *c, uint64_t index);

/* Takes the next group's header in: identity, hash, link. */
MUST_USE struct result chain_group(struct chain *c, const void *bytes, size_t count,
                                   struct hash_sha256 *sha, struct group_head *head,
                                   struct trail *tr);
/* Takes one record in: order of seq, sub and time. `number` names it in a sentence. */
MUST_USE struct result chain_record(struct chain *c, uint32_t number, const struct fact_head *head,
                                    const void *payload, struct trail *tr);
/* Both, for all records of the group. */
MUST_USE struct result chain_add(struct chain *c, const void *bytes, size_t count,
                                 struct hash_sha256 *sha, struct trail *tr);
#endif
