/* SPDX-License-Identifier: Apache-2.0
 *
 * Fixed slots and counters that only rise. `posted` is the one word the core looks at on every
 * turn, with a relaxed load: a request seen one turn later costs nothing, while an acquire load or
 * a lock there would be paid millions of times a second. When the counter has moved, an acquire
 * load of it orders the slots. base/ring is not used: its messages are of any length and kept in
 * one order, while here the slots must be reserved by kind.
 */
#include "gateway/mailbox.h"
#include <stdio.h>
#include <string.h>
#include "base/must.h"

static_assert(2 * MAILBOX_KILLS <= MAILBOX_SLOTS, "the lane of kills");
static_assert(MAILBOX_OTHERS + MAILBOX_BUNDLES <= MAILBOX_SLOTS, "the lane of all others");
static_assert(2 * MAILBOX_KILLS + MAILBOX_SLOTS <= MAILBOX_ANSWERS, "answers always have room");

void mailbox_init(struct mailbox *m)
{
    memset(m, 0, sizeof *m);
    atomic_init(&m->posted, 0);
    atomic_init(&m->kills.put, 0);
    atomic_init(&m->others.put, 0);
    atomic_init(&m->answers_put, 0);
}

void mailbox_fini(struct mailbox *m)
{
    struct gateway_request r;
    while (mailbox_poll(m, &r))
        bundle_free(r.bundle);
}

bool mailbox_post(struct mailbox *m, struct gateway_request *r)
{
    static const uint32_t room[4] = {MAILBOX_OTHERS, MAILBOX_KILLS, MAILBOX_BUNDLES, MAILBOX_KILLS};
    must(r->kind != GATEWAY_KIND_UNSET);
    bool kill = r->kind == GATEWAY_KILL, keep = kill && r->keep_positions != 0;
    must(!kill || r->bundle == NULL);
    uint32_t lane_bits = (kill ? 1 : 0) | (keep || r->bundle != NULL ? 2 : 0);
    struct mailbox_lane *lane = kill ? &m->kills : &m->others;
    if (m->open[lane_bits] == room[lane_bits])
        return false;
    r->id = ++m->next_id << 2 | lane_bits;
    if (kill && r->target == 0) /* one of an account stands in for none */
        m->newest_kill[keep] = r->id;
    uint64_t put = atomic_load_explicit(&lane->put, memory_order_relaxed);
    lane->slot[put % MAILBOX_SLOTS] = *r;
    atomic_store_explicit(&lane->put, put + 1, memory_order_release);
    m->open[lane_bits]++;
    atomic_fetch_add_explicit(&m->posted, 1, memory_order_release);
    r->bundle = NULL; /* it is the mailbox's */
    return true;
}

static bool take(struct mailbox_lane *lane, struct gateway_request *out)
{
    if (atomic_load_explicit(&lane->put, memory_order_acquire) == lane->taken)
        return false;
    *out = lane->slot[lane->taken % MAILBOX_SLOTS];
    lane->taken++;
    return true;
}

bool mailbox_poll(struct mailbox *m, struct gateway_request *out)
{
    if (__builtin_expect(atomic_load_explicit(&m->posted, memory_order_relaxed) == m->polled, 1))
        return false;
    must(atomic_load_explicit(&m->posted, memory_order_acquire) > m->polled);
    bool got = take(&m->kills, out) || take(&m->others, out);
    must(got);
    m->polled++;
    return true;
}

void mailbox_answer(struct mailbox *m, uint64_t id, int exit, const char *text)
{
    must(id != 0 && m->answered < m->polled);
    must(exit >= 0 && exit < 256);
    uint64_t put = atomic_load_explicit(&m->answers_put, memory_order_relaxed);
    struct mailbox_answer *a = &m->answer[put % MAILBOX_ANSWERS];
    a->id = id;
    a->exit = exit;
    snprintf(a->text, sizeof a->text, "%s", text ? text : "");
    m->answered++;
    atomic_store_explicit(&m->answers_put, put + 1, memory_order_release);
}

bool mailbox_take_answer(struct mailbox *m, struct mailbox_answer *out)
{
    uint64_t put = atomic_load_explicit(&m->answers_put, memory_order_acquire);
    if (put == m->answers_taken)
        return false;
    *out = m->answer[m->answers_taken % MAILBOX_ANSWERS];
    m->answers_taken++;
    must(m->open[out->id & 3] > 0);
    m->open[out->id & 3]--;
    return true;
}
