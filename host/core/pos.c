/* SPDX-License-Identifier: Apache-2.0
 *
 * Positions: average cost on an exact cost sum.
 *
 * A fill that opens adds its exact value to the cost. A fill that reduces takes the same part of
 * the cost as of the quantity (half-even at the cost exponent, so that the rest keeps what was not
 * taken and nothing is lost), and books value - cost as realised, rounded once, half-even, to the
 * settle currency. A fill through zero is both, closing first. Fees are kept apart. A fill whose
 * figures do not fit changes nothing at all and is an alarm: half a booking would be a lie.
 */
#include "core/state.h"

static struct result reduce(const struct core *c, struct book_row *b, const struct market_row *m,
                            int64_t qty, int64_t price)
{
    int64_t held = num_abs(b->qty);
    must(qty > 0 && qty <= held);
    num_i128 v, part, taken;
    TRY(money_value(c, m, price, qty, &v));
    TRY(num_mul128(b->cost, qty, &part));
    if (qty == held)
        taken = b->cost; /* all of it: what the quotient would give */
    else if (part == (int64_t)part)
        taken = quick_round((int64_t)part, held, NUM_HALF_EVEN);
    else
        taken = num_quotient(part, held, NUM_HALF_EVEN);
    bool gains = (b->qty > 0) == (m->def.contract != FACT_INVERSE);
    int64_t pnl, sum;
    TRY(money_settle(c, m, gains ? v - taken : taken - v, NUM_HALF_EVEN, &pnl));
    TRY(num_add(b->realised, pnl, &sum));
    b->realised = sum;
    b->cost -= taken;
    b->qty += b->qty > 0 ? -qty : qty;
    must(b->qty != 0 || b->cost == 0);
    return OK_RESULT;
}

static struct result extend(const struct core *c, struct book_row *b, const struct market_row *m,
                            int64_t signed_qty, int64_t price)
{
    num_i128 v, cost;
    int64_t qty;
    TRY(money_value(c, m, price, num_abs(signed_qty), &v));
    TRY(num_add128(b->cost, v, &cost));
    TRY(num_add(b->qty, signed_qty, &qty));
    b->cost = cost;
    b->qty = qty;
    return OK_RESULT;
}

static struct result apply(const struct core *c, struct book_row *b, const struct market_row *m,
                           int64_t signed_qty, int64_t price)
{
    bool reduces = b->qty != 0 && (b->qty > 0) != (signed_qty > 0);
    if (!reduces)
        return extend(c, b, m, signed_qty, price);
    int64_t closing = num_abs(signed_qty) < num_abs(b->qty) ? num_abs(signed_qty) : num_abs(b->qty);
    int64_t rest = num_abs(signed_qty) - closing;
    TRY(reduce(c, b, m, closing, price));
    if (rest == 0)
        return OK_RESULT;
    return extend(c, b, m, signed_qty > 0 ? rest : -rest, price);
}

/* All of it or nothing: worked out on a copy. */
static struct result book_it(const struct core *c, struct book_row *b, const struct market_row *m,
                             int64_t signed_qty, int64_t price, int64_t fee)
{
    const struct net_row *n = net_of(c, b->account, b->instrument);
    struct book_row next = *b;
    int64_t net;
    TRY(num_add(n->qty, signed_qty, &net));
    TRY(apply(c, &next, m, signed_qty, price));
    TRY(num_add(next.fees, fee, &next.fees));
    if (num_abs(next.qty) > CORE_QTY_MAX || num_abs(net) > CORE_QTY_MAX)
        return RESULT_OF(OVERFLOWS);
    *b = next;
    return OK_RESULT;
}

static inline void say(struct core *c, const struct book_row *b, const struct market_row *m,
                       uint64_t order, uint64_t trade_id)
{
    const struct net_row *n = net_of(c, b->account, b->instrument);
    *ROOM(c, POSITION, fact_position) = (struct fact_position){.strategy = b->strategy,
                                                               .instrument = b->instrument,
                                                               .account = b->account,
                                                               .settle = m->def.settle,
                                                               .qty = b->qty,
                                                               .avg_price = money_avg_price(c, b),
                                                               .realised = b->realised,
                                                               .fees = b->fees,
                                                               .net = n->qty,
                                                               .order = order,
                                                               .trade_id = trade_id};
}

void pos_fill(struct core *c, struct book_row *b, uint32_t side, int64_t qty, int64_t price,
              int64_t fee, uint64_t order, uint64_t trade_id)
{
    must(qty > 0 && price > 0);
    must(side == TN_LONG || side == TN_SHORT);
    const struct market_row *m = &c->market[b->instrument];
    int64_t before = b->qty;
    int64_t signed_qty = side == TN_LONG ? qty : -qty;
    if (!is_ok(book_it(c, b, m, signed_qty, price, fee))) {
        step_alert(c, FACT_ALERT_OVERFLOW, b, order, qty, price);
        return;
    }
    b->mark_seen = 0;
    struct net_row *n = net_of(c, b->account, b->instrument);
    n->qty += b->qty - before;
    say(c, b, m, order, trade_id);
    stops_after_fill(c, b, before);
}

/* Profit and fees made so far stay where they were made. */
void pos_hand_over(struct core *c, struct book_row *from, struct book_row *to)
{
    must(to->qty == 0 && to->cost == 0);
    if (from->qty == 0)
        return;
    const struct market_row *m = &c->market[from->instrument];
    to->qty = from->qty;
    to->cost = from->cost;
    from->qty = 0;
    from->cost = 0;
    from->mark_seen = to->mark_seen = 0;
    say(c, from, m, 0, 0);
    say(c, to, m, 0, 0);
}
