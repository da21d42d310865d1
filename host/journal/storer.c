/* SPDX-License-Identifier: Apache-2.0
 *
 * Failure. A group that cannot be stored is tried again every 20 ms; the ring fills behind it and
 * the core is told FULL. Only a store that contradicts us (something acknowledged is gone, somebody
 * else has the lock) ends the writing.
 *
 * The lock is taken once or twice a group by threads that may block; the core's thread never takes
 * it. Waiters are woken only when there are some.
 */
#include "journal/storer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/must.h"

enum { RETRY_NS = 20000000, WAIT_SPIN_TURNS = 20000 };
static const int64_t second_ns = 1000000000, minute_ns = 60 * second_ns;

static void tell_waiters(struct storer *s)
{
    pthread_mutex_lock(&s->lock);
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

static void set_health(struct storer *s, struct result r)
{
    if (atomic_load_explicit(&s->health, memory_order_relaxed) == r.code)
        return;
    atomic_store(&s->health, r.code);
    tell_waiters(s);
}

/* The host goes on after losing acknowledged groups: that is signed before it is true, so that the
 * heads of what was lost cannot contradict what comes. */
static struct result sign_rewind(struct storer *s, const struct chain *before, struct trail *tr)
{
    if (!s->rewind)
        return OK_RESULT;
    TRY(heads_sign(s->heads, HEADS_REWIND, before, clock_wall(s->clock), tr));
    TRY(heads_forget(s->heads, tr));
    s->rewind = false;
    return OK_RESULT;
}

static struct result begin_heads(struct storer *s, const struct chain *before, struct trail *tr)
{
    if (s->begun)
        return OK_RESULT;
    if (before->index == 0)
        TRY(heads_begin(s->heads, before, clock_wall(s->clock), tr));
    s->begun = true;
    return OK_RESULT;
}

static struct result store_once(struct storer *s, const struct storer_group *g, struct trail *tr)
{
    if (s->heads) {
        TRY(sign_rewind(s, &g->before, tr));
        TRY(begin_heads(s, &g->before, tr));
        heads_attempt(s->heads, g->after.index);
    }
    return s->store->ops->append(s->store, g->after.index, g->bytes, g->count, s->sync, tr);
}

static void measure(struct storer *s)
{
    uint64_t ppm = 0;
    if (s->store->ops->space && is_ok(s->store->ops->space(s->store, &ppm, NULL)))
        atomic_store_explicit(&s->disk_ppm, ppm, memory_order_relaxed);
}

/* Stores the group, however long it takes; gives up on a stop or on a failure for good. */
static bool store_group(struct storer *s, const struct storer_group *g)
{
    for (;;) {
        struct trail why = {0};
        const bool last_try = atomic_load(&s->stop);
        const struct result r = store_once(s, g, &why);
        if (!is_ok(r))
            measure(s);
        set_health(s, r);
        if (is_ok(r))
            return true;
        s->trail = why;
        if (last_try || (r.code != RESULT_DISK_FULL && r.code != RESULT_IO))
            return false;
        const struct timespec t = {.tv_nsec = RETRY_NS};
        nanosleep(&t, NULL);
    }
}

static void publish(struct storer *s, const struct storer_group *g)
{
    must(g->after.seq > s->stored.seq);
    s->stored = g->after;
    if (s->heads)
        heads_write(s->heads, &s->stored, clock_wall(s->clock));
    atomic_fetch_add_explicit(&s->bytes_written, g->count, memory_order_relaxed);
    atomic_store(&s->durable, s->stored.seq);
    if (s->durable_fn != NULL)
        s->durable_fn(s->durable_arg, s->stored.seq);
    if (atomic_load(&s->waiters) != 0)
        tell_waiters(s);
}

static void sign(struct storer *s, enum heads_kind kind)
{
    if (!s->heads || s->signed_index == s->stored.index)
        return;
    struct trail why = {0};
    struct result r = heads_sign(s->heads, kind, &s->stored, clock_wall(s->clock), &why);
    if (is_ok(r))
        s->signed_index = s->stored.index;
    else
        s->trail = why;
    atomic_store(&s->sign_health, r.code);
}

/* What is due by the clock: a signature a minute, the disk once a second. */
static void housekeep(struct storer *s)
{
    const int64_t now = clock_mono(s->clock);
    if (now - s->signed_ns >= minute_ns) {
        s->signed_ns = now;
        sign(s, HEADS_MINUTE);
    }
    if (now - s->measured_ns >= second_ns) {
        s->measured_ns = now;
        measure(s);
    }
}

/* False when storing failed for good. */
static bool store_next(struct storer *s)
{
    struct storer_group *g = &s->group[s->next_store];
    s->next_store = (s->next_store + 1) % STORER_GROUPS;
    if (!store_group(s, g))
        return false;
    publish(s, g);
    if (g->snapshot)
        sign(s, HEADS_SNAPSHOT);
    housekeep(s);
    return true;
}

static void *run(void *arg)
{
    struct storer *s = arg;
    prctl(PR_SET_NAME, "journal-store");
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->queued == 0 && !s->ending)
            pthread_cond_wait(&s->work, &s->lock);
        if (s->queued == 0 || s->dead)
            break;
        pthread_mutex_unlock(&s->lock);
        const bool stored = store_next(s);
        pthread_mutex_lock(&s->lock);
        s->queued--;
        s->dead = !stored;
        pthread_cond_signal(&s->freed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

struct storer_group *storer_take(struct storer *s, bool little)
{
    const uint32_t queued_max = little ? 0 : STORER_GROUPS - 1;
    pthread_mutex_lock(&s->lock);
    while (s->queued > queued_max && !s->dead)
        pthread_cond_wait(&s->freed, &s->lock);
    const bool dead = s->dead;
    pthread_mutex_unlock(&s->lock);
    return dead ? NULL : &s->group[s->next_take];
}

void storer_give(struct storer *s, struct storer_group *g, bool more)
{
    must(g == &s->group[s->next_take]);
    s->next_take = (s->next_take + 1) % STORER_GROUPS;
    pthread_mutex_lock(&s->lock);
    const bool hand_over = more || s->queued > 0;
    if (hand_over) {
        s->queued++;
        pthread_cond_signal(&s->work);
    }
    pthread_mutex_unlock(&s->lock);
    if (hand_over || store_next(s))
        return;
    pthread_mutex_lock(&s->lock);
    s->dead = true;
    pthread_mutex_unlock(&s->lock);
}

/* Nothing queued: the storer's thread waits, so storing is ours. */
static bool is_ours(struct storer *s)
{
    pthread_mutex_lock(&s->lock);
    const bool ours = s->queued == 0 && !s->dead;
    pthread_mutex_unlock(&s->lock);
    return ours;
}

void storer_idle(struct storer *s, bool upkeep)
{
    if (!is_ours(s))
        return;
    if (upkeep && s->store->ops->upkeep)
        s->store->ops->upkeep(s->store);
    housekeep(s);
}

void storer_end(struct storer *s)
{
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    if (!s->dead)
        sign(s, HEADS_STOP);
}

struct result storer_open(struct storer *s, const struct journal_options *o, struct heads *heads,
                          const struct check_end *end, size_t group_room, struct trail *tr)
{
    s->store = o->store;
    s->heads = heads;
    s->clock = o->clock;
    s->durable_fn = o->durable;
    s->durable_arg = o->durable_arg;
    s->sync = o->sync;
    s->rewind = end->doubt;
    s->stored = end->chain;
    s->signed_index = end->chain.index;
    s->signed_ns = s->measured_ns = clock_mono(s->clock);
    atomic_store(&s->durable, end->chain.seq);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->moved, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->freed, NULL);
    measure(s);
    for (int i = 0; i < STORER_GROUPS; i++) {
        s->group[i].bytes = malloc(group_room);
        if (!s->group[i].bytes)
            return FAIL(tr, FULL, "no memory for a journal group of %zu bytes", group_room);
    }
    if (pthread_create(&s->thread, NULL, run, s) != 0)
        return FAIL(tr, IO, "the journal's store thread cannot be started");
    return OK_RESULT;
}

void storer_close(struct storer *s)
{
    for (int i = 0; i < STORER_GROUPS; i++)
        free(s->group[i].bytes);
    pthread_cond_destroy(&s->freed);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->lock);
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

struct result storer_wait(struct storer *s, uint64_t seq, struct trail *tr)
{
    for (int i = 0; i < WAIT_SPIN_TURNS; i++) {
        if (atomic_load_explicit(&s->durable, memory_order_acquire) >= seq)
            return OK_RESULT;
        relax();
    }
    atomic_fetch_add(&s->waiters, 1);
    pthread_mutex_lock(&s->lock);
    while (atomic_load(&s->durable) < seq && atomic_load(&s->health) == 0)
        pthread_cond_wait(&s->moved, &s->lock);
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_sub(&s->waiters, 1);
    if (atomic_load(&s->durable) >= seq)
        return OK_RESULT;
    struct result r = {.code = atomic_load(&s->health)};
    if (is_ok(r))
        r = RESULT_OF(AGAIN);
    return FAIL_AS(tr, r, "seq %" PRIu64 " is not durable yet: %s; %s", seq, result_text(r),
                   result_remedy(r));
}
