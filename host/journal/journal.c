/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer's door: open checks everything before a byte is written, put is one copy, close
 * drains. The work is in check.c (is it whole), commit.c (the thread) and heads.c.
 *
 * The last eighth of the ring belongs to cancels and closes. The room that is left is counted down
 * on the caller's side and measured again only when it seems used up, so that a put normally
 * touches no cache line that the commit thread writes.
 */
#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "journal/commit.h"

enum { RESERVE_PART = 8, MESSAGE_OVERHEAD = 64 };

struct journal {
    struct commit commit; /* first: aligned to cache lines */
    struct heads *heads;
    struct journal_store *store;
    uint64_t disk_full_ppm;
};

static void tell(const struct check_end *end, struct journal_found *found)
{
    const struct chain *c = &end->chain;
    *found = (struct journal_found){.records = c->records,
                                    .last_seq = c->seq,
                                    .last_t_ns = c->seq ? c->t_ns : 0,
                                    .epoch = c->epoch,
                                    .last_snapshot_seq = c->snapshot_seq,
                                    .doubt = end->doubt,
                                    .torn = end->torn};
    memcpy(found->doubt_text, end->doubt_text, sizeof found->doubt_text);
    memcpy(found->torn_text, end->torn_text, sizeof found->torn_text);
    memcpy(found->head, c->hash, sizeof found->head);
    memcpy(found->journal_id, c->journal_id, sizeof found->journal_id);
}

static struct result choose_id(const struct journal_options *o, struct chain *c, struct trail *tr)
{
    static const uint8_t zero[GROUP_ID_BYTES];
    if (c->has_id)
        return OK_RESULT;
    memcpy(c->journal_id, o->journal_id, GROUP_ID_BYTES);
    c->has_id = true;
    if (memcmp(c->journal_id, zero, GROUP_ID_BYTES) != 0)
        return OK_RESULT;
    struct result r = rng_entropy(c->journal_id, GROUP_ID_BYTES);
    return is_ok(r) ? r : FAIL_AS(tr, r, "the kernel gave no random bytes for a journal id");
}

struct result journal_open(const struct journal_options *o, struct journal **out,
                           struct journal_found *found, struct trail *tr)
{
    struct check_end end;
    *out = NULL;
    must(o->store != NULL && o->clock != NULL);
    struct journal *j = aligned_alloc(64, (sizeof *j + 63) & ~(size_t)63);
    struct heads *heads = NULL;
    struct result r = j ? OK_RESULT : FAIL(tr, FULL, "no memory for the journal");
    if (is_ok(r) && o->heads_dir)
        r = heads_open(o->heads_dir, true, &heads, tr);
    if (is_ok(r))
        r = check_store(o->store, heads, o->journal_id, &end, tr);
    if (is_ok(r))
        r = choose_id(o, &end.chain, tr);
    if (is_ok(r)) {
        memset(j, 0, sizeof *j);
        tell(&end, found);
        r = commit_open(&j->commit, o, heads, &end, tr);
    }
    if (!is_ok(r)) {
        heads_close(heads);
        free(j);
        o->store->ops->close(o->store);
        return r;
    }
    j->heads = heads;
    j->store = o->store;
    j->disk_full_ppm = o->disk_full_ppm ? o->disk_full_ppm : 950000;
    *out = j;
    return OK_RESULT;
}

/* Room for `need` bytes beside what is kept back? Measures again when the count says no. */
static bool has_room(struct commit *c, uint64_t need, bool reserve)
{
    const uint64_t kept = reserve ? 0 : c->ring.capacity / RESERVE_PART;
    if (c->room >= need + kept)
        return true;
    c->room = c->ring.capacity - ring_used(&c->ring);
    return c->room >= need + kept;
}

struct result journal_put(struct journal *j, const void *bytes, uint32_t count, uint64_t last_seq,
                          bool reserve)
{
    struct commit *c = &j->commit;
    must(count >= sizeof(struct fact_head) && count % GROUP_ALIGN == 0);
    must(last_seq > atomic_load_explicit(&c->put_seq, memory_order_relaxed));
    if (count > c->ring.capacity / 4)
        return RESULT_OF(TOO_LARGE);
    const int32_t health = atomic_load_explicit(&c->storer.health, memory_order_relaxed);
    if (health != 0 && (!reserve || (health != RESULT_DISK_FULL && health != RESULT_IO)))
        return RESULT_OF(FULL);
    if (!has_room(c, (uint64_t)count + MESSAGE_OVERHEAD, reserve))
        return RESULT_OF(FULL);
    const uint64_t before = c->ring.head_next;
    void *p = ring_reserve(&c->ring, count);
    if (!p) {
        c->room = 0;
        return RESULT_OF(FULL);
    }
    memcpy(p, bytes, count);
    ring_commit(&c->ring);
    const uint64_t took = c->ring.head_next - before; /* with header and padding */
    c->room -= c->room < took ? c->room : took;
    atomic_store_explicit(&c->put_seq, last_seq, memory_order_release);
    return OK_RESULT;
}

uint64_t journal_durable(const struct journal *j)
{
    return atomic_load_explicit(&j->commit.storer.durable, memory_order_acquire);
}

struct result journal_wait(struct journal *j, uint64_t seq, struct trail *tr)
{
    return commit_wait(&j->commit, seq, tr);
}

struct result journal_health(const struct journal *j, uint64_t *disk_ppm)
{
    const struct commit *c = &j->commit;
    *disk_ppm = atomic_load_explicit(&c->storer.disk_ppm, memory_order_relaxed);
    const int32_t health = atomic_load(&c->storer.health);
    const int32_t sign = atomic_load(&c->storer.sign_health);
    if (health != 0 || sign != 0)
        return (struct result){.code = health ? health : sign};
    return *disk_ppm >= j->disk_full_ppm ? RESULT_OF(DISK_FULL) : OK_RESULT;
}

uint64_t journal_bytes_written(const struct journal *j)
{
    return atomic_load_explicit(&j->commit.storer.bytes_written, memory_order_relaxed);
}

struct result journal_close(struct journal *j, uint8_t head[FACT_HASH_BYTES], struct trail *tr)
{
    struct result r = commit_close(&j->commit, tr);
    if (head)
        memcpy(head, j->commit.storer.stored.hash, FACT_HASH_BYTES);
    j->store->ops->close(j->store);
    heads_close(j->heads);
    free(j);
    return r;
}
