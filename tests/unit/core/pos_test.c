/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: money is exact. Method: figures by hand for linear, inverse and multiplied contracts; then
 * long seeded runs of fills against an oracle that keeps every value as an exact fraction of
 * 128-bit integers and shares no code with the core: realised is rounded once per fill, half-even,
 * cost is never lost, and equity = start + realised - fees + unrealised to the last unit. A fill
 * whose figures do not fit changes nothing. Rates: constant, by a mark with an age, missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_rig.h"

static struct core_rig r;

static int setup(void **state)
{
    (void)state;
    rig_open(&r);
    rig_quote(&r, RIG_INV, 999900, 1000100);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_check(r.core);
    rig_close(&r);
    return 0;
}

/* Fills of no order go to EXTERNAL, whose position is kept like any other. */
static void fill(uint32_t instrument, int64_t signed_qty, int64_t price, int64_t fee)
{
    rig_exec_full(&r, (struct fact_exec){.trade_id = ++r.trade_id,
                                         .kind = FACT_EXEC_TRADE,
                                         .instrument = instrument,
                                         .side = signed_qty > 0 ? TN_LONG : TN_SHORT,
                                         .last_qty = num_abs(signed_qty),
                                         .last_price = price,
                                         .fee = fee});
}

static struct core_account_view account(void)
{
    struct core_account_view v;
    assert_true(core_account(r.core, 0, &v));
    assert_int_equal(v.equity, v.start + v.realised - v.fees + v.unrealised);
    return v;
}

static void pos_linear_by_hand(void **state)
{
    (void)state;
    fill(RIG_BTC, 10000, 1000000, 50); /* 1 at 10,000.00 */
    fill(RIG_BTC, 20000, 1003000, 50); /* 2 at 10,030.00: average 10,020.00 */
    assert_int_equal(rig_book(&r, 0, RIG_BTC).avg_price, 1002000);
    fill(RIG_BTC, -15000, 1004000, -20); /* 1.5 x 20.00 = 30 USD, and a rebate */
    assert_int_equal(rig_book(&r, 0, RIG_BTC).realised, 3000000000);
    assert_int_equal(rig_book(&r, 0, RIG_BTC).fees, 80);
    assert_int_equal(rig_book(&r, 0, RIG_BTC).unrealised, -3000000000); /* mark 10,000.00 */
    assert_int_equal(account().equity, 10000000000000 - 80);
    fill(RIG_BTC, -25000, 1000000, 0); /* through zero: loses 1.5 x 20, then short 1 at 10,000 */
    struct core_position_view v = rig_book(&r, 0, RIG_BTC);
    assert_int_equal(v.qty, -10000);
    assert_int_equal(v.realised, 0);
    assert_int_equal(v.avg_price, 1000000);
    rig_quote(&r, RIG_BTC, 989900, 990100);
    assert_int_equal(account().unrealised, 10000000000); /* short gains 100 USD */
}

static void pos_inverse_by_hand(void **state)
{
    (void)state;
    /* 100-USD contracts settled in the currency: worth 100 / price. 50 at 10,000: 0.5 */
    fill(RIG_INV, 50, 1000000, 0);
    assert_int_equal(rig_book(&r, 0, RIG_INV).avg_price, 1000000);
    fill(RIG_INV, -50, 1250000, 0); /* 0.5 - 50 x 100 / 12,500 = 0.5 - 0.4: long gains 0.1 */
    assert_int_equal(rig_book(&r, 0, RIG_INV).realised, 10000000);
    fill(RIG_INV, -50, 1250000, 0);
    rig_quote(&r, RIG_INV, 1000000, 1000000);
    fill(RIG_INV, 50, 1000000, 0); /* sold worth 0.4, bought worth 0.5: the short gains 0.1 */
    assert_int_equal(rig_book(&r, 0, RIG_INV).realised, 20000000);
    fill(RIG_INV, 1, 300000, 0); /* 100 / 3000: does not end; average is the price again */
    assert_int_equal(rig_book(&r, 0, RIG_INV).avg_price, 300000);
}

static void pos_average_of_an_inverse_never_overflows(void **state)
{
    (void)state;
    fill(RIG_INV, 40000000000000000, 1000000, 0);
    int64_t avg = rig_book(&r, 0, RIG_INV).avg_price;
    assert_true(avg == 1000000 || avg == 0); /* exact, or honestly none */
}

static void snapshot_of_book(struct book_row *out, struct net_row *net)
{
    *out = *config_book(r.core, 0, RIG_BTC, RIG_ACCOUNT);
    out->mark_seen = out->unrealised = 0;
    *net = *net_of(r.core, RIG_ACCOUNT, RIG_BTC);
}

static void pos_fill_that_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        int64_t qty, price, fee;
    } bad[] = {
        {CORE_QTY_MAX, 1000000, 0},         /* position */
        {-CORE_QTY_MAX, CORE_PRICE_MAX, 0}, /* through zero: close fits, open does not */
        {-30000, CORE_PRICE_MAX, 0},        /* realised */
        {-1, 1000000, INT64_MAX},           /* fees */
        {1, 1000000, INT64_MAX},
    };
    fill(RIG_BTC, 30000, 1000000, 100);
    struct book_row before, after;
    struct net_row net, net_after;
    snapshot_of_book(&before, &net);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fill(RIG_BTC, bad[i].qty, bad[i].price, bad[i].fee);
        assert_int_equal(rig_alerts(&r, FACT_ALERT_OVERFLOW), 1);
        snapshot_of_book(&after, &net_after);
        assert_memory_equal(&after, &before, sizeof after);
        assert_memory_equal(&net_after, &net, sizeof net);
    }
    fill(RIG_BTC, 30000, 1000000, INT64_MIN); /* a fee without an opposite is no fee */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FORBIDDEN), 1);
}

/* ---- the oracle: exact fractions ---- */

typedef __int128 wide;
struct exact { /* position, its cost and what was realised, in units 10^-12 of the currency */
    int64_t qty;
    wide cost;
    int64_t realised, fees;
};

static wide half_even(wide a, wide b)
{
    bool negative = a < 0;
    wide top = negative ? -a : a, q = top / b, rest = top % b;
    if (rest * 2 > b || (rest * 2 == b && q % 2 != 0))
        q++;
    return negative ? -q : q;
}

/* A linear contract with price exponent -2, quantity -4: a product is 10^-6, the currency 10^-8 or
 * 10^-5 (then it rounds). `per` is currency units per product unit as a fraction. */
static void oracle_fill(struct exact *x, int64_t signed_qty, int64_t price, int64_t mult, wide num,
                        wide den)
{
    while (signed_qty != 0) {
        bool closes = x->qty != 0 && (x->qty > 0) != (signed_qty > 0);
        int64_t part = num_abs(signed_qty);
        if (closes && part > num_abs(x->qty))
            part = num_abs(x->qty);
        wide value = (wide)part * price * mult;
        if (!closes) {
            x->cost += value;
            x->qty += signed_qty;
            return;
        }
        wide taken = half_even(x->cost * part, num_abs(x->qty));
        wide gain = x->qty > 0 ? value - taken : taken - value;
        x->realised += (int64_t)half_even(gain * num, den);
        x->cost -= taken;
        int64_t sign = signed_qty > 0 ? 1 : -1;
        x->qty += sign * part;
        signed_qty -= sign * part;
    }
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void run_linear(uint64_t seed, int32_t settle_exp, int64_t mult, wide num, wide den)
{
    struct core_rig keep = r;
    rig_open_bare(&r, NULL);
    struct fact_currency usd = {.id = RIG_USD, .exp = settle_exp};
    rig_step(&r, FACT_CURRENCY, &usd);
    struct fact_instrument d = {.id = 1,
                                .contract = FACT_LINEAR,
                                .price_exp = -2,
                                .qty_exp = -4,
                                .tick = 1,
                                .lot = 1,
                                .multiplier = mult,
                                .settle = RIG_USD};
    rig_step(&r, FACT_INSTRUMENT, &d);
    struct fact_account a = {.id = 1, .currency = RIG_USD, .balance = 1000000000};
    rig_step(&r, FACT_ACCOUNT, &a);
    struct exact x = {0};
    for (int i = 0; i < 3000; i++) {
        int64_t qty = (int64_t)(next(&seed) % 1999) - 999,
                price = 1 + (int64_t)(next(&seed) % 99999);
        int64_t fee = (int64_t)(next(&seed) % 201) - 100;
        if (qty == 0)
            continue;
        fill(1, qty, price, fee);
        oracle_fill(&x, qty, price, mult, num, den);
        x.fees += fee;
        struct core_position_view v = rig_book(&r, 0, 1);
        assert_int_equal(v.qty, x.qty);
        assert_int_equal(v.realised, x.realised);
        assert_int_equal(v.fees, x.fees);
        assert_true(config_book(r.core, 0, 1, 1)->cost == x.cost);
        int64_t mark = 1 + (int64_t)(next(&seed) % 99999);
        struct fact_trade t = {.instrument = 1, .price = mark, .qty = 1};
        rig_step(&r, FACT_TRADE, &t);
        wide open = (wide)num_abs(x.qty) * mark * mult - x.cost;
        int64_t unrealised = (int64_t)half_even((x.qty < 0 ? -open : open) * num, den);
        struct core_account_view acc = account();
        assert_int_equal(acc.unrealised, unrealised);
        assert_int_equal(acc.equity, 1000000000 + x.realised - x.fees + unrealised);
    }
    core_check(r.core);
    rig_close(&r);
    r = keep;
}

static void pos_random_fills_match_the_exact_oracle(void **state)
{
    (void)state;
    const uint64_t seed = 77001;
    print_message("seeds from %llu\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < 4; i++) {
        run_linear(seed + i, -8, 1, 100, 1);
        run_linear(seed + 100 + i, -5, 1, 1, 10);     /* rounds */
        run_linear(seed + 200 + i, -2, 37, 1, 10000); /* a multiplier, and rounds hard */
    }
}

/* Inverse: worth is a fraction; what a close takes and gives stays within one unit of the ratio. */
static void pos_inverse_round_trips_lose_nothing(void **state)
{
    (void)state;
    uint64_t seed = 5150;
    print_message("seed %llu\n", (unsigned long long)seed);
    wide exact = 0; /* in 10^-18 of the currency, each term truncated: error below 10^-18 each */
    int64_t qty = 0;
    const wide unit = 1000000000000000000;
    for (int i = 0; i < 2000; i++) {
        int64_t q = (int64_t)(next(&seed) % 199) - 99, p = 100000 + (int64_t)(next(&seed) % 900000);
        if (q == 0)
            continue;
        fill(RIG_INV, q, p, 0);
        qty += q;
        exact -= (wide)-q * 100 * unit * 100 / p; /* buying costs less coin at a higher price */
    }
    fill(RIG_INV, -qty, 500000, 0);
    exact += (wide)-qty * 100 * unit * 100 / 500000;
    assert_int_equal(rig_position(&r, 0, RIG_INV), 0);
    wide realised = (wide)rig_book(&r, 0, RIG_INV).realised * 10000000000;
    wide off = realised - exact;
    assert_true(off < (wide)2000 * 10000000000 && off > -(wide)2000 * 10000000000);
}

/* ---- account currency is not the settle currency ---- */

static void other_currency(struct fact_rate rate)
{
    rig_close(&r);
    rig_open_bare(&r, NULL);
    rig_configure(&r);
    struct fact_account eur = {.id = 2, .currency = RIG_EUR, .balance = 10000000000000};
    rig_step(&r, FACT_ACCOUNT, &eur);
    struct fact_route route = {
        .strategy = RIG_S2, .instrument = RIG_BTC, .account = 2, .budget = 1000000000000};
    rig_step(&r, FACT_ROUTE, &route);
    if (rate.from != 0)
        rig_step(&r, FACT_RATE, &rate);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
    rig_start(&r, 1);
    rig_auto(&r, true);
    rig_quote(&r, RIG_BTC, 999900, 1000100);
}

static const struct fact_signal by_s2 = {.instance = RIG_S2, .side = TN_LONG};

static void pos_constant_rate_converts_exactly(void **state)
{
    (void)state;
    other_currency((struct fact_rate){.from = RIG_USD, .to = RIG_EUR, .exp = -2, .rate = 80});
    rig_signal_full(&r, by_s2);
    assert_int_equal(rig_sent_order(&r)->qty, 12500); /* 10,000 EUR = 12,500 USD */
    uint64_t id = rig_sent_order(&r)->order;
    rig_fill(&r, id, 12500, 1000000);
    rig_quote(&r, RIG_BTC, 1007900, 1008100); /* + 80.00 x 1.25 = 100 USD = 80 EUR */
    struct core_account_view v;
    assert_true(core_account(r.core, 1, &v));
    assert_int_equal(v.unrealised, 8000000000);
    assert_int_equal(v.fees, 80); /* 100 units of USD */
    assert_int_equal(v.equity, 10000000000000 + 8000000000 - 80);
}

static void pos_missing_rate_denies_new_risk(void **state)
{
    (void)state;
    other_currency((struct fact_rate){0});
    struct book_row *b = book_find(r.core, RIG_S2, RIG_BTC);
    b->target = 0;
    rig_signal_full(&r, by_s2);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
}

static void pos_rate_by_a_mark_is_good_until_its_age(void **state)
{
    (void)state;
    struct fact_rate rate = {
        .from = RIG_USD, .to = RIG_EUR, .instrument = RIG_INV, .max_age_ns = 10 * RIG_S};
    other_currency(rate);
    rig_signal_full(&r, by_s2);
    assert_int_equal(rig_count(&r, FACT_SEND), 0); /* no mark yet */
    rig_quote(&r, RIG_INV, 80, 80 + 1);
    int64_t marked = r.t_ns; /* 0.80 */
    rig_at(&r, marked + 10 * RIG_S);
    rig_quote(&r, RIG_BTC, 999900, 1000100);
    rig_signal_full(&r, by_s2);
    assert_int_equal(rig_sent_order(&r)->qty, 12500);
    const struct fact_decision *d = rig_decision(&r);
    assert_int_equal(d->rule[RISK_RATE - 1].observed, 10 * RIG_S);
    assert_int_equal(d->rule[RISK_RATE - 1].limit, 10 * RIG_S);
    rig_fill(&r, rig_sent_order(&r)->order, 5000, 1000000);
    rig_exec(&r, r.sends[0].order, FACT_EXEC_EXPIRED);
    rig_at(&r, marked + 10 * RIG_S + 1); /* too old by a nanosecond */
    rig_signal_full(&r, by_s2);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2, .side = TN_FLAT});
    d = rig_decision(&r);
    assert_int_equal(d->approved, 1); /* closing is never held up by a rate */
    assert_int_equal(d->result[RISK_RATE], FACT_RULE_FREE);
    assert_int_equal(d->rule[RISK_RATE - 1].observed, 10 * RIG_S + 1);
    struct core_account_view v;
    assert_true(core_account(r.core, 1, &v));
    assert_int_equal(v.equity, 0); /* not known, not guessed */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pos_linear_by_hand),
        TEST(pos_inverse_by_hand),
        TEST(pos_average_of_an_inverse_never_overflows),
        TEST(pos_fill_that_does_not_fit_changes_nothing),
        TEST(pos_random_fills_match_the_exact_oracle),
        TEST(pos_inverse_round_trips_lose_nothing),
        TEST(pos_constant_rate_converts_exactly),
        TEST(pos_missing_rate_denies_new_risk),
        TEST(pos_rate_by_a_mark_is_good_until_its_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
