/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of belief: a bay that writes down what it is given and answers as told, and facts
 * as the journal has them.
 */
#ifndef TESTS_BELIEF_RIG_H
#define TESTS_BELIEF_RIG_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flow/belief.h"

#define LOOSE __attribute__((unused))
enum { SEEN_MAX = 64 };

struct noting_bay {
    struct bay bay; /* first: the interface's pointer is this struct */
    struct tn_event seen[SEEN_MAX];
    uint32_t seen_count;
    struct bay_answer queue[8];
    uint32_t queued, taken;
    bool answers_bars; /* one signal for each bar that is no history */
    bool refuses;
    uint32_t warmup;
};

LOOSE static struct noting_bay *of(const struct bay *b)
{
    return (struct noting_bay *)(uintptr_t)b;
}

LOOSE static void note_give(struct bay *b, const struct tn_event *ev, uint32_t count)
{
    struct noting_bay *n = of(b);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(n->seen_count < SEEN_MAX);
        n->seen[n->seen_count++] = ev[i];
        if (n->answers_bars && ev[i].type == TN_EVENT_BAR && !(ev[i].flags & TN_EVENT_F_WARMUP))
            n->queue[n->queued++ % 8] = (struct bay_answer){
                .kind = BAY_SIGNAL, .cause_seq = ev[i].seq, .cause_t_ns = ev[i].t_ns};
    }
}

LOOSE static bool note_take(struct bay *b, struct bay_answer *out)
{
    struct noting_bay *n = of(b);
    if (n->taken == n->queued)
        return false;
    *out = n->queue[n->taken++ % 8];
    return true;
}

LOOSE static uint32_t note_warmup(struct bay *b)
{
    return of(b)->warmup;
}

LOOSE static struct result note_activate(struct bay *b, struct trail *tr)
{
    return of(b)->refuses ? FAIL(tr, PLUGIN, "the bay refuses to start") : OK_RESULT;
}

static const struct bay_ops NOTING LOOSE = {.name = "noting",
                                            .give = note_give,
                                            .take = note_take,
                                            .warmup = note_warmup,
                                            .activate = note_activate};

LOOSE static void noting_init(struct noting_bay *n)
{
    memset(n, 0, sizeof *n);
    n->bay.ops = &NOTING;
}

LOOSE static void put(struct belief *b, uint64_t seq, int64_t t_ns, uint16_t type,
                      const void *payload)
{
    const struct fact_head head = {
        .bytes = fact_bytes(type), .seq = seq, .t_ns = t_ns, .type = type};
    belief_event(b, &head, payload);
}

LOOSE static void put_trade(struct belief *b, uint64_t seq, int64_t t_ns, uint32_t instrument,
                            int64_t price, uint32_t flags)
{
    const struct fact_trade f = {
        .instrument = instrument, .flags = flags, .price = price, .qty = 2, .aggressor = TN_SHORT};
    put(b, seq, t_ns, FACT_TRADE, &f);
}

LOOSE static void put_bar(struct belief *b, uint64_t seq, int64_t t_ns, uint32_t instrument,
                          uint32_t flags)
{
    const struct fact_bar f = {.instrument = instrument,
                               .flags = flags,
                               .open_ns = t_ns - 60,
                               .open = 4,
                               .high = 9,
                               .low = 1,
                               .close = 5,
                               .volume = 77};
    put(b, seq, t_ns, FACT_BAR, &f);
}

LOOSE static void put_tick(struct belief *b, uint64_t seq, int64_t t_ns)
{
    const struct fact_tick f = {.why = 2};
    put(b, seq, t_ns, FACT_TICK, &f);
}

LOOSE static struct belief *make(struct noting_bay *n, const struct belief_route *route,
                                 uint32_t count)
{
    struct belief *b = NULL;
    struct trail tr = {0};
    assert_true(is_ok(belief_new(count, &b, &tr)));
    for (uint32_t i = 0; i < count; i++) {
        noting_init(&n[i]);
        assert_true(is_ok(belief_add(b, &n[i].bay, &route[i], &tr)));
    }
    assert_int_equal(belief_count(b), count);
    assert_true(is_ok(belief_activate(b, &tr)));
    return b;
}

static const struct belief_route FROM_TRADES LOOSE = {
    .strategy = 1, .instrument = 1, .bar_ns = 60, .bars_from_trades = true};
#endif
