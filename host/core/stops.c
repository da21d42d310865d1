/* SPDX-License-Identifier: Apache-2.0
 *
 * One host-side, reduce-only stop per book (DECISIONS 15). Its distance comes with the signal; the
 * core computes no indicator. It is set from the average entry when a position opens, follows a new
 * average only toward tighter, and a later signal may only tighten it. When the market touches it
 * the working orders are cancelled and the position is flattened at protected prices, again and
 * again until it is flat (plan_flatten); the signal is spent, so nothing opens before the next one.
 */
#include "core/state.h"

static void say(struct core *c, const struct book_row *b, uint32_t what, int64_t price)
{
    struct fact_stopped *e = EFFECT(c, STOPPED, fact_stopped);
    e->strategy = b->strategy;
    e->instrument = b->instrument;
    e->what = what;
    e->price = price;
    e->mark = c->market[b->instrument].mark;
    e->qty = b->qty;
}

static void lift(struct core *c, struct book_row *b)
{
    if (b->stop_price == 0)
        return;
    say(c, b, FACT_STOP_LIFTED, b->stop_price);
    b->stop_price = 0;
}

/* Price `distance` beyond the entry on the losing side; at least one unit, so never 0 or below. */
static int64_t stop_from(const struct core *c, const struct book_row *b, int64_t distance)
{
    int64_t entry = money_avg_price(c, b);
    int64_t p = b->qty > 0 ? entry - distance : entry + distance;
    return p < 1 ? 1 : p;
}

static bool is_tighter(const struct book_row *b, int64_t price)
{
    return b->stop_price == 0 || (b->qty > 0 ? price > b->stop_price : price < b->stop_price);
}

static void set(struct core *c, struct book_row *b)
{
    if (b->qty == 0 || b->stop_distance <= 0 || b->strategy == 0)
        return;
    int64_t price = stop_from(c, b, b->stop_distance);
    if (!is_tighter(b, price))
        return;
    uint32_t what = b->stop_price == 0 ? FACT_STOP_SET : FACT_STOP_TIGHTENED;
    b->stop_price = price;
    say(c, b, what, price);
}

void stops_after_fill(struct core *c, struct book_row *b, int64_t before)
{
    bool crossed = (before > 0 && b->qty < 0) || (before < 0 && b->qty > 0);
    if (b->qty == 0 || crossed)
        lift(c, b);
    set(c, b);
}

void stops_signal(struct core *c, struct book_row *b, int64_t distance)
{
    b->stop_distance = distance;
    /* Only a signal that holds the position tightens its stop; one that turns it closes anyway. */
    if (b->target != 0 && (b->target > 0) == (b->qty > 0))
        set(c, b);
}

void stops_hand_over(struct core *c, struct book_row *from, struct book_row *to)
{
    if (from->stop_price == 0)
        return;
    must(from->qty == 0 && to->qty != 0 && to->stop_price == 0);
    to->stop_price = from->stop_price;
    to->stop_distance = from->stop_distance;
    lift(c, from);
    say(c, to, FACT_STOP_SET, to->stop_price);
}

void stops_market(struct core *c, uint32_t instrument, int64_t low, int64_t high)
{
    for (uint32_t i = c->first_book[instrument]; i != 0; i = c->next_book[i]) {
        struct book_row *b = &c->book[i];
        if (b->stop_price == 0)
            continue;
        must(b->qty != 0);
        if (mode_effective(c, b) == MODE_KILLED || b->is_leaving)
            continue; /* the kill closes it, or was told to keep it; what leaves is being closed */
        bool hit = b->qty > 0 ? low <= b->stop_price : high >= b->stop_price;
        if (!hit)
            continue;
        say(c, b, FACT_STOP_HIT, b->stop_price);
        c->totals.stops_hit++;
        b->stop_price = 0;
        b->stop_distance = 0;
        b->signal_seq = 0;
        b->target = 0;
        plan_flatten(c, b, FACT_ORIGIN_STOP);
    }
}
