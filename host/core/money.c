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

static struct result inverse_value(const struct core *c, const struct market_row *m, int64_t price,
                                   int64_t qty, num_i128 *out)
{
    /* qty*10^qe * mult*10^me / (price*10^pe) at the cost exponent. */
    int shift = m->def.qty_exp + m->def.multiplier_exp - m->def.price_exp - money_cost_exp(c, m);
    num_i128 top;
    TRY(num_mul128((num_i128)qty, m->def.multiplier, &top));
    for (; shift >= 18; shift -= 18)
        TRY(num_mul128(top, num_pow10(18), &top));
    if (shift >= 0) {
        TRY(num_mul128(top, num_pow10(shift), &top));
        *out = num_quotient(top, price, NUM_HALF_EVEN);
    } else {
        num_i128 below = (num_i128)price * num_pow10(-shift > 18 ? 18 : -shift);
        *out = num_quotient(top, below, NUM_HALF_EVEN);
    }
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
    num_i128 v = (num_i128)price * qty; /* two int64: fits */
    if (m->def.multiplier != 1)
        TRY(num_mul128(v, m->def.multiplier, &v));
    *out = v;
    return OK_RESULT;
}

struct result money_settle(const struct core *c, const struct market_row *m, num_i128 v,
                           enum num_round round, int64_t *out)
{
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

struct result money_convert(const struct core *c, uint32_t from, uint32_t to, int64_t amount,
                            int64_t *out, int64_t *age_ns)
{
    *age_ns = 0;
    *out = amount;
    if (from == to)
        return OK_RESULT;
    const struct fact_rate *r = find_rate(c, from, to);
    if (r == NULL) {
        *age_ns = CORE_NEVER;
        *out = 0;
        return RESULT_OF(AGAIN);
    }
    int64_t rate = r->rate;
    int exp = r->exp;
    if (r->instrument != 0) {
        const struct market_row *m = &c->market[r->instrument];
        rate = m->mark;
        exp = m->def.price_exp;
        *age_ns = m->mark == 0 ? CORE_NEVER : c->now_ns - m->data_ns;
    }
    if (rate <= 0 || (r->instrument != 0 && *age_ns > r->max_age_ns)) {
        *out = 0;
        return RESULT_OF(AGAIN);
    }
    num_i128 wide = (num_i128)amount * rate;
    return num_rescale(wide, c->currency[from].exp + exp, c->currency[to].exp, NUM_HALF_EVEN, out);
}

struct result money_qty(const struct core *c, const struct market_row *m, uint32_t account,
                        int64_t amount, int64_t price, int64_t *qty)
{
    must(amount >= 0);
    if (price <= 0)
        return RESULT_OF(RANGE);
    /* One unit of the settle currency in account currency, at 12 more digits than the account's. */
    uint32_t ac = c->account[account].def.currency;
    int64_t age;
    int64_t one = num_pow10(9);
    int64_t worth;
    TRY(money_convert(c, m->def.settle, ac, one, &worth, &age));
    if (worth <= 0)
        return RESULT_OF(RANGE);
    /* amount / worth * one: in settle units, toward zero. */
    int64_t settle;
    TRY(num_muldiv(amount, one, worth, NUM_TOWARD_ZERO, &settle));
    int se = c->currency[m->def.settle].exp;
    const struct fact_instrument *d = &m->def;
    num_i128 top = (num_i128)settle;
    num_i128 below = d->multiplier;
    int shift; /* result = top * 10^shift / below */
    if (d->contract == FACT_INVERSE) {
        top *= price;
        shift = se + d->price_exp - d->multiplier_exp - d->qty_exp;
    } else {
        below *= price;
        shift = se - d->price_exp - d->multiplier_exp - d->qty_exp;
    }
    if (shift < 0 && -shift <= 18)
        TRY(num_mul128(below, num_pow10(-shift), &below));
    else if (shift > 0 && shift <= 18)
        TRY(num_mul128(top, num_pow10(shift), &top));
    else if (shift != 0)
        return RESULT_OF(OVERFLOWS);
    return num_div128(top, below, NUM_TOWARD_ZERO, qty);
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
        num_i128 top = (num_i128)q * m->def.multiplier;
        int shift = m->def.qty_exp + m->def.multiplier_exp - money_cost_exp(c, m) - m->def.price_exp;
        for (; shift > 0; shift--)
            top *= 10;
        p = b->cost == 0 ? 0 : num_quotient(top, b->cost, NUM_HALF_EVEN);
    } else {
        p = num_quotient(b->cost, (num_i128)q * m->def.multiplier, NUM_HALF_EVEN);
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
    if (b->mark_seen != m->mark) {
        num_i128 v;
        TRY(money_value(c, m, m->mark, num_abs(b->qty), &v));
        bool gains = (b->qty > 0) == (m->def.contract != FACT_INVERSE);
        int64_t u;
        TRY(money_settle(c, m, gains ? v - b->cost : b->cost - v, NUM_HALF_EVEN, &u));
        b->unrealised = u;
        b->mark_seen = m->mark;
    }
    *out = b->unrealised;
    return OK_RESULT;
}

struct result money_equity(struct core *c, uint32_t account, int64_t *equity, int64_t *unrealised_sum,
                           int64_t *realised_sum, int64_t *fees_sum)
{
    const struct account_row *a = &c->account[account];
    int64_t sum = a->cash, us = 0, rs = 0, fs = 0, age;
    for (uint32_t i = 1; i < c->book_count; i++) {
        struct book_row *b = &c->book[i];
        if (b->account != account || (b->qty == 0 && b->realised == 0 && b->fees == 0))
            continue;
        const struct market_row *m = &c->market[b->instrument];
        int64_t u, cu = 0, cr = 0, cf = 0;
        struct result r = unrealised(c, b, &u);
        if (is_ok(r))
            r = money_convert(c, m->def.settle, a->def.currency, u, &cu, &age);
        if (is_ok(r))
            r = money_convert(c, m->def.settle, a->def.currency, b->realised, &cr, &age);
        if (is_ok(r))
            r = money_convert(c, m->def.settle, a->def.currency, b->fees, &cf, &age);
        if (!is_ok(r))
            return r;
        us += cu;
        rs += cr;
        fs += cf;
        sum += cu + cr - cf;
    }
    *equity = sum;
    *unrealised_sum = us;
    *realised_sum = rs;
    *fees_sum = fs;
    return OK_RESULT;
}
