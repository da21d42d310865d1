/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for work. A thread that sleeps on a futex must be woken by a system call of the thread
 * that hands over, and that is the core's. So this thread polls: it spins for some 50 us after its
 * last group (an order's own record usually comes right behind the tick's), then sleeps for 20 us,
 * doubling up to 200 us, and 1 ms after a second without work. So a record waits for the thread
 * about as long as the pause before it was, and never longer than two or three syncs, or one
 * millisecond after a quiet second; an idle host costs a few thousandths of a core.
 *
 * Grouping. There is no timer: whatever queued while the last sync ran is the next group, so a
 * group is one step when things are slow and thousands of records when they are not. Only when a
 * good part of a group is there already is it sealed while the one before is still synced: small
 * groups sealed ahead would cost a sync each.
 */
#include "journal/commit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/must.h"

enum {
    SPIN_TURNS = 4000,     /* about 50 us of pauses */
    NAP_FIRST_NS = 20000,  /* doubled with every 4th nap, */
    NAP_SHORT_NS = 200000, /* up to this, */
    NAP_LONG_NS = 1000000, /* and this after about a second without work */
    NAPS_SHORT = 5000,
    RING_BYTES = 16 * 1024 * 1024,
    RECORDS_MAX = 4096,
    AHEAD_BYTES = 32 * 1024, /* less is not sealed ahead of a running sync */
    UPKEEP_AT_NAP = 4,       /* a bit of upkeep in the 4th sleep of a pause, and each one after */
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

static void nap(int64_t ns)
{
    const struct timespec t = {.tv_nsec = ns};
    nanosleep(&t, NULL);
}

/* Copies one message's records to the end of the group and takes them into the chain. What the
 * core hands over is ours: a record that does not fit the format is a bug and stops the host. */
static uint32_t take_step(struct commit *c, struct storer_group *g, const uint8_t *bytes,
                          uint32_t count)
{
    uint8_t *p = g->bytes + g->count;
    uint8_t *const end = p + count;
    uint32_t records = 0;
    memcpy(p, bytes, count);
    while (p < end) {
        struct fact_head head;
        must((size_t)(end - p) > sizeof head);
        memcpy(&head, p, sizeof head);
        must(head.bytes == fact_bytes(head.type) && head.version == fact_version(head.type));
        must(group_stride(head.bytes) <= (size_t)(end - p));
        head.crc = group_crc(p, head.bytes);
        memcpy(p + offsetof(struct fact_head, crc), &head.crc, sizeof head.crc);
        struct result r = chain_record(&c->chain, ++records, &head, p + sizeof head, NULL);
        must(is_ok(r)); /* seq, sub and time in order */
        if (head.type == FACT_SNAPSHOT)
            g->snapshot = true;
        p += group_stride(head.bytes);
    }
    must(p == end);
    return records;
}

/* The header, the hash, and the chain behind the group. */
static void seal(struct commit *c, struct storer_group *g, struct group_head *head)
{
    head->index = c->chain.index + 1;
    head->first_seq = g->before.seq + 1;
    head->last_seq = c->chain.seq;
    head->last_t_ns = c->chain.t_ns;
    memcpy(head->journal_id, c->chain.journal_id, GROUP_ID_BYTES);
    memcpy(head->prev, c->chain.hash, FACT_HASH_BYTES);
    memcpy(g->bytes, head, sizeof *head);
    group_seal(g->bytes, g->count, c->sha);
    memcpy(c->chain.hash, g->bytes + offsetof(struct group_head, hash), FACT_HASH_BYTES);
    c->chain.index = head->index;
    g->after = c->chain;
}

/* Makes a group of what is queued; true when there is more behind it. */
static bool gather(struct commit *c, struct storer_group *g)
{
    struct group_head head = {.record_count = 0};
    uint32_t count;
    g->before = c->chain;
    g->count = sizeof head;
    g->snapshot = false;
    const uint8_t *step = ring_peek(&c->ring, &count);
    must(step != NULL);
    while (step) {
        if (head.record_count > 0 &&
            (head.record_count >= c->records_max || g->count + count > COMMIT_GROUP_SOFT_BYTES))
            break;
        must(g->count + count <= c->group_room);
        head.record_count += take_step(c, g, step, count);
        g->count += count;
        ring_release(&c->ring);
        step = ring_peek(&c->ring, &count);
    }
    seal(c, g, &head);
    return step != NULL;
}

/* One turn without work. */
static void idle(struct commit *c, uint32_t *turns)
{
    const uint32_t turn = *turns;
    *turns = turn < UINT32_MAX / 2 ? turn + 1 : SPIN_TURNS + NAPS_SHORT;
    if (turn < SPIN_TURNS) {
        relax();
        return;
    }
    const uint32_t naps = turn - SPIN_TURNS;
    if (naps >= UPKEEP_AT_NAP)
        storer_idle(&c->storer, true);
    int64_t ns = naps < 16 ? (int64_t)NAP_FIRST_NS << naps / 4 : NAP_SHORT_NS;
    if (ns > NAP_SHORT_NS)
        ns = NAP_SHORT_NS;
    nap(naps < NAPS_SHORT ? ns : NAP_LONG_NS);
}

static void *run(void *arg)
{
    struct commit *c = arg;
    uint32_t turns = 0, count;
    prctl(PR_SET_NAME, "journal");
    prctl(PR_SET_TIMERSLACK, 1000UL);
    for (;;) {
        const bool stopping = atomic_load(&c->stop); /* read before the ring: nothing is missed */
        if (ring_peek(&c->ring, &count)) {
            const bool little = ring_used(&c->ring) < AHEAD_BYTES;
            struct storer_group *g = storer_take(&c->storer, little);
            if (!g)
                break;
            turns = 0;
            const bool more = gather(c, g);
            storer_give(&c->storer, g, more);
        } else if (stopping) {
            break;
        } else {
            idle(c, &turns);
        }
    }
    storer_end(&c->storer);
    return NULL;
}

static void fini(struct commit *c)
{
    storer_close(&c->storer);
    hash_sha256_free(c->sha);
    free(c->ring.bytes);
}

struct result commit_open(struct commit *c, const struct journal_options *o, struct heads *heads,
                          const struct check_end *end, struct trail *tr)
{
    const uint32_t ring_bytes = o->ring_bytes ? o->ring_bytes : RING_BYTES;
    memset(c, 0, sizeof *c);
    c->records_max = o->group_records_max ? o->group_records_max : RECORDS_MAX;
    c->chain = end->chain;
    c->group_room = sizeof(struct group_head) + COMMIT_GROUP_SOFT_BYTES + ring_bytes / 4;
    atomic_store(&c->put_seq, end->chain.seq);
    void *memory = aligned_alloc(RING_LINE, ring_bytes);
    struct result r = hash_sha256_new(&c->sha);
    if (is_ok(r) && !memory)
        r = FAIL(tr, FULL, "no memory for the journal's ring of %u bytes", ring_bytes);
    if (memory) {
        memset(memory, 0, ring_bytes); /* no page fault later, on the core's thread */
        ring_init(&c->ring, memory, ring_bytes);
    }
    if (!is_ok(r)) {
        hash_sha256_free(c->sha);
        free(memory);
        return r;
    }
    r = storer_open(&c->storer, o, heads, end, c->group_room, tr);
    if (is_ok(r) && pthread_create(&c->thread, NULL, run, c) != 0) {
        storer_end(&c->storer);
        r = FAIL(tr, IO, "the journal's commit thread cannot be started");
    }
    if (!is_ok(r))
        fini(c);
    return r;
}

struct result commit_close(struct commit *c, struct trail *tr)
{
    const struct storer *s = &c->storer;
    atomic_store(&c->stop, true);
    atomic_store(&c->storer.stop, true);
    pthread_join(c->thread, NULL);
    struct result r = {.code = atomic_load(&s->health)};
    if (!is_ok(r))
        r = FAIL_AS(
            tr, r,
            "the records after seq %" PRIu64 " up to seq %" PRIu64 " could not be stored: %.160s",
            atomic_load(&s->durable), atomic_load(&c->put_seq), trail_sentence(&s->trail, r));
    else if (atomic_load(&s->sign_health) != 0)
        r = FAIL_AS(tr, ((struct result){.code = atomic_load(&s->sign_health)}), "%s",
                    trail_sentence(&s->trail, r));
    fini(c);
    return r;
}

struct result commit_wait(struct commit *c, uint64_t seq, struct trail *tr)
{
    if (seq > atomic_load(&c->put_seq))
        return FAIL(tr, STATE,
                    "seq %" PRIu64 " was not handed to the journal: the last one is %" PRIu64, seq,
                    atomic_load(&c->put_seq));
    return storer_wait(&c->storer, seq, tr);
}
