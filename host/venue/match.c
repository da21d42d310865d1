/* SPDX-License-Identifier: Apache-2.0
 *
 * Matching. Each open order is in one of two conditions:
 *   fresh    it has been marketable at every look so far (or not looked at): it takes, at the
 *            market's price made worse by slippage, never beyond its limit;
 *   resting  a look showed that it is not marketable: it makes, at its own limit, when the market
 *            comes through it.
 * An IOC order ends at its first look with whatever is left.
 *
 * What is not known is decided against us. A bar hides the order of its prices, so only bars that
 * open no more than a latency before an order's arrival count, and touching a limit is not enough.
 * A trade exactly at a limit first serves the queue that stood there. Quotes that are crossed, and
 * sides without a price, match nothing. Quantity seen once is given once: what we take from a quote
 * or a trade is remembered until the market shows the next.
 */
#include "venue/venue_priv.h"
#include <string.h>

enum { DEMO_PARTIAL_PPM = 250000 };

static bool is_marketable(const struct venue_order *o, int64_t price)
{
    return price > 0 && (o->side == VENUE_BUY ? price <= o->price : price >= o->price);
}

static bool is_through(const struct venue_order *o, int64_t price)
{
    return price > 0 && (o->side == VENUE_BUY ? price < o->price : price > o->price);
}

/* ---- fees ---- */
/* v * 10^n */
static struct result scale_up(num_i128 *v, int n)
{
    struct result r = OK_RESULT;
    for (; n > 0 && is_ok(r); n -= 18)
        r = num_mul128(*v, num_pow10(n < 18 ? n : 18), v);
    return r;
}

struct result match_fee(const struct venue_book *b, int64_t price, int64_t qty, int64_t ppm,
                        int64_t *fee)
{
    must(price > 0 && qty > 0);
    const struct fact_instrument *d = &b->def;
    bool inverse = d->contract == FACT_INVERSE;
    num_i128 top = qty, below = 1;
    TRY(num_mul128(top, d->multiplier, &top));
    TRY(num_mul128(top, ppm, &top));
    if (inverse)
        below = price;
    else
        TRY(num_mul128(top, price, &top));
    int shift = d->qty_exp + d->multiplier_exp - 6 - b->settle_exp;
    shift += inverse ? -d->price_exp : d->price_exp;
    TRY(scale_up(shift >= 0 ? &top : &below, shift >= 0 ? shift : -shift));
    /* Up is against us for fees and rebates alike. */
    return num_narrow(num_quotient(top, below, NUM_CEIL), fee);
}

/* ---- fills ---- */
static int64_t in_lots(const struct venue_book *b, int64_t qty)
{
    return qty - qty % b->def.lot;
}

static int64_t reducible(const struct venue_book *b, const struct venue_order *o)
{
    int64_t room = o->side == VENUE_BUY ? -b->net : b->net;
    return room > 0 ? room : 0;
}

static void end_unasked(struct venue *v, struct venue_order *o, int64_t due_ns, int64_t t_ns)
{
    venue_end(v, o, VENUE_CANCELED);
    struct fact_exec *e = venue_answer(v, due_ns, FACT_EXEC_VENUE_CANCEL, o, t_ns);
    static const char text[] = "reduce only: nothing to reduce";
    static_assert(sizeof text <= sizeof e->text, "text fits");
    memcpy(e->text, text, sizeof text);
    ledger_exec(v, e, o->answered_ns);
}

struct offer { /* what the market gives an order at one moment */
    int64_t price;
    int64_t qty; /* at most */
    uint32_t liquidity;
    int64_t due_ns;
    int64_t t_ns; /* the venue's time */
};

static int64_t demo_cut(const struct venue *v, const struct venue_order *o, int64_t qty)
{
    const struct venue_book *b = &v->book[o->book];
    struct chance_key k = {o->order, CHANCE_PARTIAL, o->cum};
    if (qty >= 2 * b->def.lot && chance_demo(v, k, DEMO_PARTIAL_PPM))
        return in_lots(b, qty / 2);
    return qty;
}

/* Fills what can be filled and gives the quantity. May end the order. */
static int64_t fill(struct venue *v, struct venue_order *o, const struct offer *f)
{
    struct venue_book *b = &v->book[o->book];
    if (!venue_has_room(v))
        return 0;
    int64_t most = o->qty - o->cum;
    if (f->qty < most)
        most = f->qty;
    if (o->reduce_only) {
        if (reducible(b, o) == 0) {
            end_unasked(v, o, f->due_ns, f->t_ns);
            return 0;
        }
        if (reducible(b, o) < most)
            most = reducible(b, o);
    }
    int64_t qty = demo_cut(v, o, in_lots(b, most));
    int64_t ppm = f->liquidity == FACT_MAKER ? v->c.maker_fee_ppm : v->c.taker_fee_ppm;
    int64_t fee;
    int64_t net;
    if (qty <= 0 || !is_ok(match_fee(b, f->price, qty, ppm, &fee)) ||
        !is_ok(num_add(b->net, o->side == VENUE_BUY ? qty : -qty, &net)))
        return 0;
    b->net = net;
    o->cum += qty;
    must(o->cum <= o->qty);
    v->totals.fills++;
    v->totals.partial_fills += o->cum < o->qty;
    v->totals.maker_fills += f->liquidity == FACT_MAKER;
    v->totals.taker_fills += f->liquidity == FACT_TAKER;
    if (o->cum == o->qty)
        venue_end(v, o, VENUE_FILLED);
    struct fact_exec *e = venue_answer(v, f->due_ns, FACT_EXEC_TRADE, o, f->t_ns);
    e->trade_id = ++v->trades;
    e->last_qty = qty;
    e->last_price = f->price;
    e->fee = fee;
    e->liquidity = f->liquidity;
    ledger_exec(v, e, o->answered_ns);
    return qty;
}

/* After a look at the market: an IOC ends, and what was not marketable rests. */
static void after_look(struct venue *v, struct venue_order *o, bool marketable, int64_t due_ns,
                       int64_t t_ns)
{
    if (o->outcome != VENUE_OPEN)
        return;
    if (o->ioc && venue_has_room(v)) {
        venue_end(v, o, VENUE_EXPIRED);
        v->totals.expired++;
        ledger_exec(v, venue_answer(v, due_ns, FACT_EXEC_EXPIRED, o, t_ns), o->answered_ns);
    } else if (!marketable) {
        o->resting = 1;
    }
}

/* The part of a bar's or trade's quantity that we can get. */
static int64_t part_of(const struct venue *v, int64_t qty)
{
    if (v->c.volume_part_ppm == 0 || qty <= 0)
        return qty < 0 ? 0 : qty;
    int64_t part;
    return is_ok(num_muldiv(qty, v->c.volume_part_ppm, VENUE_PPM, NUM_FLOOR, &part)) ? part : 0;
}

/* A price made worse by slippage, within the limit. */
static int64_t slipped(const struct venue *v, const struct venue_order *o, int64_t price)
{
    int64_t slip;
    if (!is_ok(num_muldiv(price, v->c.slippage_ppm, VENUE_PPM, NUM_CEIL, &slip)))
        return o->price;
    if (o->side == VENUE_BUY)
        return o->price - price < slip ? o->price : price + slip;
    return price - o->price < slip ? o->price : price - slip;
}

/* ---- bars ---- */
static int64_t into(int64_t price, int64_t low, int64_t high)
{
    return price < low ? low : price > high ? high : price;
}

static void look_at_bar(struct venue *v, struct venue_order *o, int64_t t_ns,
                        const struct fact_bar *bar, int64_t *left)
{
    bool was_fresh = !o->resting;
    struct offer f = {.qty = *left, .due_ns = t_ns, .t_ns = bar->open_ns};
    bool marketable = is_marketable(o, bar->open);
    if (marketable) {
        f.liquidity = was_fresh ? FACT_TAKER : FACT_MAKER;
        f.price = was_fresh ? into(slipped(v, o, bar->open), bar->low, bar->high) : bar->open;
        *left -= fill(v, o, &f);
    }
    if (was_fresh)
        after_look(v, o, marketable, t_ns, bar->open_ns);
    if (o->outcome != VENUE_OPEN || marketable || !o->resting)
        return;
    if (is_through(o, o->side == VENUE_BUY ? bar->low : bar->high)) {
        f = (struct offer){o->price, *left, FACT_MAKER, t_ns, t_ns};
        *left -= fill(v, o, &f);
    }
}

void match_bar(struct venue *v, struct venue_book *b, int64_t t_ns, const struct fact_bar *bar)
{
    /* A bar cannot tell what happened within one latency of its open: who arrives then has it. */
    int64_t open_ns = bar->open_ns + v->c.latency_ns + v->c.jitter_ns;
    open_ns = open_ns < t_ns ? open_ns : t_ns;
    venue_run(v, open_ns);
    match_note(b, FACT_BAR, bar);
    bool is_sane =
        bar->low > 0 && bar->low <= bar->high && bar->open >= bar->low && bar->open <= bar->high;
    /* Where quotes or trades are seen too, a bar only repeats them. */
    if (is_sane && (b->seen & (VENUE_SEEN_TRADE | VENUE_SEEN_QUOTE)) == 0) {
        int64_t left = part_of(v, bar->volume);
        for (uint32_t i = b->head, next; i != VENUE_NONE; i = next) {
            next = v->order[i].next;
            if (v->order[i].arrive_ns <= open_ns)
                look_at_bar(v, &v->order[i], t_ns, bar, &left);
        }
    }
    venue_run(v, t_ns);
}

/* ---- trades ---- */
/* What stands before us at our price when we join it, as far as the data tells. */
static int64_t queue_at(const struct venue_book *b, const struct venue_order *o)
{
    if ((b->seen & VENUE_SEEN_QUOTE) == 0)
        return b->last_qty;
    int64_t best = o->side == VENUE_BUY ? b->bid : b->ask;
    if (best <= 0 || is_through(o, best))
        return 0; /* we are the new best */
    return o->side == VENUE_BUY ? b->bid_qty : b->ask_qty;
}

static void take_from_trade(struct venue *v, struct venue_order *o, int64_t due_ns, int64_t t_ns)
{
    struct venue_book *b = &v->book[o->book];
    bool marketable = is_marketable(o, b->last);
    if (marketable) {
        struct offer f = {slipped(v, o, b->last), part_of(v, b->last_qty) - b->last_used,
                          FACT_TAKER, due_ns, t_ns};
        b->last_used += fill(v, o, &f);
    }
    after_look(v, o, marketable, due_ns, t_ns);
    if (o->resting)
        o->queue_ahead = queue_at(b, o);
}

static void look_at_trade(struct venue *v, struct venue_order *o, int64_t t_ns,
                          const struct fact_trade *tr)
{
    struct venue_book *b = &v->book[o->book];
    if (!o->resting) {
        if ((b->seen & VENUE_SEEN_QUOTE) == 0)
            take_from_trade(v, o, t_ns, t_ns);
        return;
    }
    int64_t left = part_of(v, tr->qty) - b->last_used;
    struct offer f = {o->price, left, FACT_MAKER, t_ns, t_ns};
    if (is_through(o, tr->price)) {
        b->last_used += fill(v, o, &f);
        return;
    }
    /* Exactly at the limit, by somebody who takes our side of the book. */
    if (tr->price != o->price || tr->aggressor == o->side)
        return;
    int64_t behind = tr->qty - o->queue_ahead;
    o->queue_ahead = behind >= 0 ? 0 : -behind;
    if (behind > 0) {
        f.qty = behind < left ? behind : left;
        b->last_used += fill(v, o, &f);
    }
}

void match_trade(struct venue *v, struct venue_book *b, int64_t t_ns, const struct fact_trade *tr)
{
    venue_run(v, t_ns);
    if (tr->price <= 0 || tr->qty <= 0)
        return;
    match_note(b, FACT_TRADE, tr);
    for (uint32_t i = b->head, next; i != VENUE_NONE; i = next) {
        next = v->order[i].next;
        look_at_trade(v, &v->order[i], t_ns, tr);
    }
}

/* ---- quotes ---- */
/* Takes from the opposite best; a size of 0 with a price means that the feed gives no sizes. */
static bool take_from_quote(struct venue *v, struct venue_order *o, uint32_t liquidity,
                            int64_t due_ns, int64_t t_ns)
{
    struct venue_book *b = &v->book[o->book];
    bool buys = o->side == VENUE_BUY;
    int64_t best = buys ? b->ask : b->bid;
    if (!is_marketable(o, best))
        return false;
    int64_t size = buys ? b->ask_qty : b->bid_qty;
    int64_t *used = buys ? &b->ask_used : &b->bid_used;
    struct offer f = {liquidity == FACT_MAKER ? o->price : best,
                      size == 0 ? INT64_MAX : size - *used, liquidity, due_ns, t_ns};
    int64_t got = fill(v, o, &f);
    if (size != 0)
        *used += got;
    return true;
}

static void look_at_quote(struct venue *v, struct venue_order *o, int64_t t_ns)
{
    struct venue_book *b = &v->book[o->book];
    if (!o->resting) {
        bool marketable = take_from_quote(v, o, FACT_TAKER, t_ns, t_ns);
        after_look(v, o, marketable, t_ns, t_ns);
        if (o->resting)
            o->queue_ahead = queue_at(b, o);
        return;
    }
    if (take_from_quote(v, o, FACT_MAKER, t_ns, t_ns))
        return;
    /* The queue before us is never longer than what is shown, and gone when we are the best. */
    int64_t best = o->side == VENUE_BUY ? b->bid : b->ask;
    if (best == o->price || is_through(o, best)) {
        int64_t shown = queue_at(b, o);
        if (shown < o->queue_ahead)
            o->queue_ahead = shown;
    }
}

void match_quote(struct venue *v, struct venue_book *b, int64_t t_ns, const struct fact_quote *q)
{
    venue_run(v, t_ns);
    if (q->bid > 0 && q->ask > 0 && q->bid > q->ask)
        return; /* a broken feed, not a market */
    match_note(b, FACT_QUOTE, q);
    for (uint32_t i = b->head, next; i != VENUE_NONE; i = next) {
        next = v->order[i].next;
        look_at_quote(v, &v->order[i], t_ns);
    }
}

/* ---- all ---- */
void match_arrival(struct venue *v, struct venue_order *o, int64_t t_ns, int64_t due_ns)
{
    const struct venue_book *b = &v->book[o->book];
    if (b->seen & VENUE_SEEN_QUOTE) {
        bool marketable = take_from_quote(v, o, FACT_TAKER, due_ns, t_ns);
        after_look(v, o, marketable, due_ns, t_ns);
        if (o->resting)
            o->queue_ahead = queue_at(b, o);
    } else if (b->seen & VENUE_SEEN_TRADE) {
        take_from_trade(v, o, due_ns, t_ns);
    }
}

void match_note(struct venue_book *b, uint16_t type, const void *payload)
{
    if (type == FACT_QUOTE) {
        const struct fact_quote *q = payload;
        if (q->bid > 0 && q->ask > 0 && q->bid > q->ask)
            return;
        if (q->bid != b->bid || q->bid_qty != b->bid_qty)
            b->bid_used = 0;
        if (q->ask != b->ask || q->ask_qty != b->ask_qty)
            b->ask_used = 0;
        b->bid = q->bid;
        b->bid_qty = q->bid_qty;
        b->ask = q->ask;
        b->ask_qty = q->ask_qty;
        b->seen |= VENUE_SEEN_QUOTE;
    } else if (type == FACT_TRADE) {
        const struct fact_trade *tr = payload;
        if (tr->price <= 0 || tr->qty <= 0)
            return;
        b->last = tr->price;
        b->last_qty = tr->qty;
        b->last_used = 0;
        b->seen |= VENUE_SEEN_TRADE;
    } else {
        b->seen |= VENUE_SEEN_BAR;
    }
}
