/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact money: what a quantity at a price is worth, and what an account is worth.
 *
 * The value of a linear contract is price x quantity x multiplier, an exact integer at the sum of
 * the three exponents: that sum is its cost exponent. An inverse contract is worth
 * quantity x multiplier / price of the settle currency, which is a ratio: it is kept ten digits
 * finer than the currency and rounded half-even there. Only when money is booked or compared does
 * a value become an integer of the settle currency, rounded once.
 */
#include "core/state.h"

enum { INVERSE_DIGITS = 10 };

int money_cost_exp(const struct core *c, const struct market_row *m)
{
    if (m->def.contract == FACT_INVERSE)
        return c->currency[m->def.settle].exp - INVERSE_DIGITS;
    return m->def.price_exp + m->def.qty_exp + m->def.multiplier_exp;
}

/* v * 10^digits; nothing when digits is not above 0. */
static struct result scale_up(num_i128 *v, int digits)
{
    struct result r = OK_RESULT;
    for (; is_ok(r) && digits > 0; digits--)
        r = num_mul128(*v, 10, v);
    return r;
}

static struct result inverse_value(const struct core *c, const struct market_row *m, int64_t price,
                                   int64_t qty, num_i128 *out)
{
    /* qty*10^qe * mult*10^me / (price*10^pe) at the cost exponent. */
    int shift = m->def.qty_exp + m->def.multiplier_exp - m->def.price_exp - money_cost_exp(c, m);
    num_i128 top, below = price;
    TRY(num_mul128((num_i128)qty, m->def.multiplier, &top));
    TRY(scale_up(&top, shift));
    TRY(scale_up(&below, -shift));
    *out = num_quotient(top, below, NUM_HALF_EVEN);
    return OK_RESULT;
}

struct result money_value(const struct core *c, const struct market_row *m, int64_t price,
                          int64_t qty, num_i128 *out)
{
    must(price >= 0);
    if (m->def.contract == FACT_INVERSE) {
        if (price == 0)
            return RESULT_OF(RANGE);
        return inverse_value(c, m, price, qty, out);
    }
    *out = (num_i128)price * qty; /* two int64: fits */
    return m->def.multiplier == 1 ? OK_RESULT : num_mul128(*out, m->def.multiplier, out);
}

struct result money_settle(const struct core *c, const struct market_row *m, num_i128 v,
                           enum num_round round, int64_t *out)
{
    int64_t scale = c->scale[m->def.id];
    if (scale != 0)
        return quick_div(v, scale, round, out);
    return num_rescale(v, money_cost_exp(c, m), c->currency[m->def.settle].exp, round, out);
}

static const struct fact_rate *find_rate(const struct core *c, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < c->rate_count; i++) {
        if (c->rate[i].from == from && c->rate[i].to == to)
            return &c->rate[i];
    }
    return NULL;
}

/* One unit of `from` in `to` as mantissa and exponent; AGAIN when it is missing or too old. */
static struct result rate_of(const struct core *c, uint32_t from, uint32_t to, int64_t *rate,
                             int *exp, int64_t *age_ns)
{
    *age_ns = 0;
    *rate = 1;
    *exp = 0;
    if (from == to)
        return OK_RESULT;
    const struct fact_rate *r = find_rate(c, from, to);
    if (r == NULL) {
        *age_ns = CORE_NEVER;
        return RESULT_OF(AGAIN);
    }
    *rate = r->rate;
    *exp = r->exp;
    if (r->instrument != 0) {
        const struct market_row *m = &c->market[r->instrument];
        *rate = m->mark;
        *exp = m->def.price_exp;
        *age_ns = m->mark == 0 ? CORE_NEVER : c->now_ns - m->data_ns;
    }
    bool old = r->instrument != 0 && *age_ns > r->max_age_ns;
    return *rate <= 0 || old ? RESULT_OF(AGAIN) : OK_RESULT;
}

int64_t money_rate_age_max(const struct core *c, uint32_t from, uint32_t to)
{
    const struct fact_rate *r = from == to ? NULL : find_rate(c, from, to);
    return r != NULL && r->instrument != 0 ? r->max_age_ns : 0;
}

struct result money_convert(const struct core *c, uint32_t from, uint32_t to, int64_t amount,
                            int64_t *out, int64_t *age_ns)
{
    int64_t rate;
    int exp;
    if (from == to) {
        *out = amount;
        *age_ns = 0;
        return OK_RESULT;
    }
    *out = 0;
    TRY(rate_of(c, from, to, &rate, &exp, age_ns));
    num_i128 wide = (num_i128)amount * rate;
    return num_rescale(wide, c->currency[from].exp + exp, c->currency[to].exp, NUM_HALF_EVEN, out);
}

struct result money_qty(const struct core *c, const struct market_row *m, uint32_t account,
                        int64_t amount, int64_t price, int64_t *qty)
{
    must(amount >= 0);
    if (price <= 0)
        return RESULT_OF(RANGE);
    const struct fact_instrument *d = &m->def;
    uint32_t ac = c->account[account].def.currency;
    int64_t above, under;
    if (d->settle == ac && c->scale[d->id] != 0 &&
        !__builtin_mul_overflow(amount, c->scale[d->id], &above) &&
        !__builtin_mul_overflow(d->multiplier, price, &under)) {
        *qty = quick_round(above, under, NUM_TOWARD_ZERO);
        return OK_RESULT;
    }
    int64_t rate, age;
    int rate_exp;
    TRY(rate_of(c, d->settle, ac, &rate, &rate_exp, &age));
    num_i128 top = amount, below = (num_i128)rate * d->multiplier;
    int shift = c->currency[ac].exp - rate_exp - d->multiplier_exp - d->qty_exp;
    if (d->contract == FACT_INVERSE) {
        top *= price;
        shift += d->price_exp;
    } else {
        TRY(num_mul128(below, price, &below));
        shift -= d->price_exp;
    }
    TRY(scale_up(&top, shift));
    TRY(scale_up(&below, -shift));
    return num_div128(top, below, NUM_TOWARD_ZERO, qty); /* one division: nothing rounds before */
}

int64_t money_avg_price(const struct core *c, const struct book_row *b)
{
    if (b->qty == 0)
        return 0;
    const struct market_row *m = &c->market[b->instrument];
    int64_t q = num_abs(b->qty);
    num_i128 p;
    if (m->def.contract == FACT_INVERSE) {
        /* price = qty * mult / cost */
        num_i128 top = (num_i128)q * m->def.multiplier, below = b->cost;
        int shift =
            m->def.qty_exp + m->def.multiplier_exp - money_cost_exp(c, m) - m->def.price_exp;
        bool fits = below != 0 && is_ok(scale_up(&top, shift)) && is_ok(scale_up(&below, -shift));
        p = fits ? num_quotient(top, below, NUM_HALF_EVEN) : 0;
    } else {
        num_i128 below = (num_i128)q * m->def.multiplier;
        if (below == (int64_t)below && b->cost == (int64_t)b->cost)
            return quick_round((int64_t)b->cost, (int64_t)below, NUM_HALF_EVEN);
        p = num_quotient(b->cost, below, NUM_HALF_EVEN);
    }
    int64_t out;
    return is_ok(num_narrow(p, &out)) ? out : 0;
}

/* Unrealised of a book at its instrument's mark, cached by the mark it was made at. */
static struct result unrealised(struct core *c, struct book_row *b, int64_t *out)
{
    const struct market_row *m = &c->market[b->instrument];
    if (b->qty == 0 || m->mark == 0) {
        *out = 0;
        return OK_RESULT;
    }
    int64_t quick;
    if (b->mark_seen != m->mark && b->cost == (int64_t)b->cost &&
        money_quick(c, m, m->mark, num_abs(b->qty), &quick)) {
        quick -= (int64_t)b->cost; /* neither is below zero: it fits */
        b->unrealised =
            quick_round(b->qty > 0 ? quick : -quick, c->scale[b->instrument], NUM_HALF_EVEN);
        b->mark_seen = m->mark;
    } else if (b->mark_seen != m->mark) {
        num_i128 v;
        int64_t u;
        TRY(money_value(c, m, m->mark, num_abs(b->qty), &v));
        bool gains = (b->qty > 0) == (m->def.contract != FACT_INVERSE);
        TRY(money_settle(c, m, gains ? v - b->cost : b->cost - v, NUM_HALF_EVEN, &u));
        b->unrealised = u;
        b->mark_seen = m->mark;
    }
    *out = b->unrealised;
    return OK_RESULT;
}

/* Adds a settle-currency amount, converted, to a sum of the account's currency. */
static struct result add_converted(const struct core *c, uint32_t from, uint32_t to, int64_t amount,
                                   int64_t *sum)
{
    int64_t converted, age, next;
    TRY(money_convert(c, from, to, amount, &converted, &age));
    TRY(num_add(*sum, converted, &next));
    *sum = next;
    return OK_RESULT;
}

struct result money_equity(struct core *c, uint32_t account, int64_t *equity,
                           int64_t *unrealised_sum, int64_t *realised_sum, int64_t *fees_sum)
{
    const struct account_row *a = &c->account[account];
    int64_t us = 0, rs = 0, fs = 0, sum = 0;
    struct result r = OK_RESULT;
    for (uint32_t i = 1; is_ok(r) && i < c->book_count; i++) {
        struct book_row *b = &c->book[i];
        if (b->account != account || (b->qty == 0 && b->realised == 0 && b->fees == 0))
            continue;
        uint32_t from = c->market[b->instrument].def.settle, to = a->def.currency;
        int64_t u;
        r = unrealised(c, b, &u);
        if (is_ok(r))
            r = from == to ? quick_add(us, u, &us) : add_converted(c, from, to, u, &us);
        if (is_ok(r))
            r = from == to ? quick_add(rs, b->realised, &rs)
                           : add_converted(c, from, to, b->realised, &rs);
        if (is_ok(r))
            r = from == to ? quick_add(fs, b->fees, &fs) : add_converted(c, from, to, b->fees, &fs);
    }
    TRY(r);
    TRY(quick_add(a->cash, us, &sum));
    TRY(quick_add(sum, rs, &sum));
    TRY(quick_sub(sum, fs, equity));
    *unrealised_sum = us;
    *realised_sum = rs;
    *fees_sum = fs;
    return OK_RESULT;
}
