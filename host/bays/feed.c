/* SPDX-License-Identifier: Apache-2.0
 *
 * Prices walk in ticks with a drift that changes sign every few hundred bars, so that averages
 * cross and strategies have something to say. Extremes come at random but seeded places. Inputs of
 * a strategy are averages of the closes with different memories: finite, and ready one after the
 * other, since an author forgets the not-ready case first.
 */
#include "bays/feed.h"
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/must.h"

struct walk {
    struct rng rng;
    int64_t price, t_ns, last_close;
    int64_t drift;
    uint64_t n;
    bool calm;
};

static int64_t pick(struct walk *w, int64_t from, int64_t to)
{
    must(from <= to);
    return from + (int64_t)rng_below(&w->rng, (uint64_t)(to - from) + 1);
}

static void move_price(struct walk *w)
{
    if (w->n % 300 == 0)
        w->drift = pick(w, -8, 8);
    w->price += pick(w, -60, 60) + w->drift;
    if (!w->calm && rng_below(&w->rng, 500) == 0)
        w->price += pick(w, -40000, 40000);
    if (w->price < 1000)
        w->price = 1000 + pick(w, 0, 500);
    if (w->price > 10000000)
        w->price = 5000000;
}

static void make_bar(struct walk *w, struct tn_event *ev)
{
    struct tn_bar *b = &ev->u.bar;
    ev->type = TN_EVENT_BAR;
    b->open = w->last_close;
    b->close = w->price;
    b->high = (b->open > b->close ? b->open : b->close) + pick(w, 0, 20);
    b->low = (b->open < b->close ? b->open : b->close) - pick(w, 0, 20);
    b->volume = pick(w, 1, 100000);
    b->open_ns = ev->t_ns - FEED_BAR_NS;
    uint64_t dice = w->calm ? 99 : rng_below(&w->rng, 100);
    if (dice == 0)
        b->volume = 0;
    if (dice == 1)
        b->open = b->high = b->low = b->close = w->price; /* nothing moved */
    if (dice == 2)
        b->volume = 1000000000000000;
    if (dice == 3)
        b->open = b->low = b->close = b->high = 1;
    if (dice == 4)
        b->open = b->low = b->close = b->high = 900000000000000;
    w->last_close = w->price;
}

static void make_trade(struct walk *w, struct tn_event *ev)
{
    ev->type = TN_EVENT_TRADE;
    ev->u.trade = (struct tn_trade){.price = w->price + pick(w, -3, 3),
                                    .qty = pick(w, 1, 5000),
                                    .aggressor = (uint32_t)pick(w, 0, 2)};
    if (!w->calm && rng_below(&w->rng, 50) == 0)
        ev->u.trade.qty = 1000000000000000;
}

static void make_quote(struct walk *w, struct tn_event *ev)
{
    int64_t half = pick(w, 1, 5);
    ev->type = TN_EVENT_QUOTE;
    ev->u.quote = (struct tn_quote){.bid = w->price - half,
                                    .bid_qty = pick(w, 1, 9000),
                                    .ask = w->price + half,
                                    .ask_qty = pick(w, 1, 9000)};
    uint64_t dice = w->calm ? 99 : rng_below(&w->rng, 60);
    if (dice == 0)
        ev->u.quote.bid = ev->u.quote.bid_qty = 0;
    if (dice == 1)
        ev->u.quote.ask = ev->u.quote.ask_qty = 0;
    if (dice == 2)
        ev->u.quote.bid = ev->u.quote.ask + 2; /* crossed */
}

static void make_event(struct walk *w, struct tn_event *ev, uint64_t seq)
{
    uint64_t dice = rng_below(&w->rng, 10);
    w->n++;
    move_price(w);
    if (w->calm || rng_below(&w->rng, 40) != 0)
        w->t_ns += FEED_BAR_NS;
    if (!w->calm && rng_below(&w->rng, 2000) == 0)
        w->t_ns += 40 * 86400ll * 1000000000ll; /* a market that was closed for weeks */
    *ev = (struct tn_event){.size = sizeof *ev, .seq = seq, .t_ns = w->t_ns, .instrument = 1};
    if (dice < 6)
        make_bar(w, ev);
    else if (dice == 6)
        make_trade(w, ev);
    else if (dice == 7)
        make_quote(w, ev);
    else if (dice == 8)
        ev->type = TN_EVENT_TICK;
    else {
        ev->type = TN_EVENT_POSITION;
        ev->u.position = (struct tn_position){.qty = pick(w, -50, 50), .avg_price = w->price};
    }
    if (!w->calm && rng_below(&w->rng, 700) == 0)
        ev->type = 4000; /* of a newer minor: to be skipped */
    if (!w->calm && rng_below(&w->rng, 30) == 0)
        ev->flags |= TN_EVENT_F_OFF_TICK;
}

static void make_inputs(struct feed_market *m)
{
    double average[TN_MAX_INPUTS];
    for (uint32_t k = 0; k < m->inputs; k++)
        average[k] = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct tn_event *ev = &m->event[i];
        for (uint32_t k = 0; k < m->inputs; k++) {
            double close = (double)ev->u.bar.close * m->instrument.price_scale;
            if (ev->type == TN_EVENT_BAR)
                average[k] += (close - average[k]) / (double)(2 + 5 * k);
            bool ready = i >= 3 + 7 * k;
            m->value[(size_t)i * m->inputs + k] = ready ? average[k] : 0;
            m->ready[i] |= (uint32_t)ready << k;
        }
    }
}

static void *need(size_t count, size_t bytes)
{
    void *p = calloc(count > 0 ? count : 1, bytes);
    must(p != NULL);
    return p;
}

void feed_init(struct feed_market *m, uint64_t seed, uint32_t count, uint32_t inputs, bool calm)
{
    struct walk w = {.price = 1000000, .last_close = 1000000, .calm = calm};
    must(inputs <= TN_MAX_INPUTS);
    memset(m, 0, sizeof *m);
    rng_seed(&w.rng, seed);
    w.t_ns = 1500000000ll * 1000000000ll;
    m->instrument = (struct tn_instrument){.size = sizeof m->instrument,
                                           .id = 1,
                                           .price_exp = -2,
                                           .qty_exp = -3,
                                           .tick = 1,
                                           .lot = 1,
                                           .price_scale = 0.01,
                                           .qty_scale = 0.001,
                                           .symbol = "CHECK"};
    m->count = count;
    m->inputs = inputs;
    m->event = need(count, sizeof m->event[0]);
    m->value = need((size_t)count * inputs, sizeof m->value[0]);
    m->ready = need(count, sizeof m->ready[0]);
    for (uint32_t i = 0; i < count; i++)
        make_event(&w, &m->event[i], 1 + i);
    make_inputs(m);
}

void feed_fini(struct feed_market *m)
{
    free(m->event);
    free(m->value);
    free(m->ready);
    memset(m, 0, sizeof *m);
}
