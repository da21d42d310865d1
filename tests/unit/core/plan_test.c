/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a signal is a state, and what is sent leads to it: sizing toward zero in lots, prices that
 * are never worse than asked, closes before opens, working orders kept while they fit, and the
 * flatten of stops and kills. Method: a rigged core; figures worked out by hand in the comments;
 * the sizing also against exact 128-bit arithmetic over seeded rates, prices and exponents.
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
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_check(r.core);
    rig_close(&r);
    return 0;
}

static const struct fact_send *send_no(uint32_t n)
{
    const struct fact_send *s = rig_effect(&r, FACT_SEND, n);
    assert_non_null(s);
    return s;
}

static void define(int64_t tick, int64_t lot)
{
    struct fact_instrument d;
    assert_true(core_instrument(r.core, 0, &d));
    d.tick = tick;
    d.lot = lot;
    rig_step(&r, FACT_INSTRUMENT, &d);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
}

static void plan_target_is_toward_zero_in_lots(void **state)
{
    (void)state;
    define(1, 7);
    rig_signal(&r, TN_LONG, 1000000); /* 10,000 USD / 10,000.00 = 1.0000: 10000 = 1428 x 7 + 4 */
    assert_int_equal(send_no(0)->qty, 9996);
    rig_exec(&r, send_no(0)->order, FACT_EXEC_REJECTED);
    rig_at(&r, r.t_ns + 1);
    rig_signal(&r, TN_SHORT, 333333); /* 3333.33 -> 3333 -> 476 x 7 = 3332 */
    assert_int_equal(send_no(0)->qty, 3332);
    assert_int_equal(send_no(0)->side, TN_SHORT);
}

static void plan_below_a_lot_is_no_intent(void **state)
{
    (void)state;
    define(1, 100);
    rig_signal(&r, TN_LONG, 9999); /* 99.99 units */
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
    rig_signal(&r, TN_LONG, 10000); /* exactly one lot */
    assert_int_equal(send_no(0)->qty, 100);
    rig_fill(&r, send_no(0)->order, 100, 1000000);
    rig_signal(&r, TN_LONG, 19999); /* a lot less a bit more: none */
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_signal(&r, TN_LONG, 20000);
    assert_int_equal(send_no(0)->qty, 100);
}

static void plan_no_fraction_is_the_whole_budget(void **state)
{
    (void)state;
    rig_signal_full(&r, (struct fact_signal){.side = TN_SHORT});
    assert_int_equal(send_no(0)->qty, 10000);
}

static void plan_limit_is_on_the_passive_side_of_the_tick(void **state)
{
    (void)state;
    define(30, 1); /* mark 10,000.00; offset 10.07: buy 998993 down, sell 1001007 up */
    struct fact_signal s = {.side = TN_LONG, .advice = TN_ADVICE_LIMIT, .limit_offset = 1007};
    rig_signal_full(&r, s);
    assert_int_equal(send_no(0)->price, 998970);
    assert_int_equal(send_no(0)->tif, FACT_GTC);
    rig_exec(&r, send_no(0)->order, FACT_EXEC_REJECTED);
    s.side = TN_SHORT;
    rig_signal_full(&r, s);
    assert_int_equal(send_no(0)->price, 1001010);
    rig_exec(&r, send_no(0)->order, FACT_EXEC_REJECTED);
    s.limit_offset = 1000000; /* would be at zero */
    s.side = TN_LONG;
    rig_signal_full(&r, s);
    assert_int_equal(rig_decision(&r)->result[RISK_STATIC], FACT_RULE_DENY);
}

static void plan_market_is_protected_by_half_a_percent(void **state)
{
    (void)state;
    define(70, 1); /* 10,050.00 down to the tick, 9,950.00 up */
    rig_signal(&r, TN_LONG, 100000);
    assert_int_equal(send_no(0)->price, 1004990);
    assert_int_equal(send_no(0)->tif, FACT_IOC);
    rig_exec(&r, send_no(0)->order, FACT_EXEC_REJECTED);
    rig_signal(&r, TN_SHORT, 100000);
    assert_int_equal(send_no(0)->price, 995050);
}

static void plan_through_zero_closes_first(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 1000000);
    rig_signal(&r, TN_SHORT, 250000);
    assert_int_equal(rig_count(&r, FACT_SEND), 2);
    assert_int_equal(send_no(0)->qty, 10000);
    assert_int_equal(send_no(1)->qty, 2500);
    const struct fact_intent *i = rig_effect(&r, FACT_INTENT, 0);
    assert_int_equal(i->reducing, 1);
    i = rig_effect(&r, FACT_INTENT, 1);
    assert_int_equal(i->reducing, 0);
    assert_int_equal(i->leg, 1);
    assert_int_equal(send_no(0)->reduce_only, 1);
    assert_int_equal(send_no(1)->reduce_only, 0);
}

/* The close is refused and the open is larger than what is held: then it is no close. */
static void plan_open_beyond_a_refused_close_is_not_reducing(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_signal(&r, TN_FLAT, 0);
    rig_exec(&r, send_no(0)->order, FACT_EXEC_REJECTED);
    rig_signal(&r, TN_SHORT, 1000000); /* its close repeats the last intent: a duplicate */
    assert_int_equal(rig_count(&r, FACT_SEND), 1);
    assert_int_equal(((const struct fact_intent *)rig_effect(&r, FACT_INTENT, 1))->reducing, 0);
    assert_int_equal(send_no(0)->reduce_only, 0);
}

/* The venue's net can grow while the strategy's own position falls: then no reduce-only flag. */
static void plan_reduce_only_needs_the_net_to_shrink(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    r.sends[0] = (struct core_rig_send){0};
    rig_exec_full(&r, (struct fact_exec){.trade_id = 70,
                                         .kind = FACT_EXEC_TRADE,
                                         .side = TN_SHORT,
                                         .last_qty = 3000,
                                         .last_price = 1000000});
    rig_signal(&r, TN_LONG, 100000); /* sells 4000 of a net of 2000 */
    assert_int_equal(((const struct fact_intent *)rig_effect(&r, FACT_INTENT, 0))->reducing, 1);
    assert_int_equal(send_no(0)->reduce_only, 0);
}

static void plan_working_order_that_fits_is_kept(void **state)
{
    (void)state;
    rig_working(&r, TN_LONG, 500000);
    struct fact_signal s = {.side = TN_LONG,
                            .advice = TN_ADVICE_TARGET | TN_ADVICE_TTL,
                            .target_ppm = 500000,
                            .ttl_ns = 7 * RIG_S};
    rig_signal_full(&r, s);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0);
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
    assert_int_equal(core_deadline(r.core), r.t_ns + 7 * RIG_S); /* lives as the newer signal */
}

/* Wanted, not wanted, wanted again before the cancel's answer: it must be wanted in the end. */
static void plan_signal_that_returns_during_its_cancel_is_not_lost(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 500000);
    rig_signal(&r, TN_FLAT, 0);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_signal(&r, TN_LONG, 500000);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(send_no(0)->qty, 5000);
    rig_fill(&r, send_no(0)->order, 5000, 1000000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 5000);
}

static void plan_signal_is_over_at_its_time_to_live(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 500000);
    rig_signal_full(
        &r, (struct fact_signal){.side = TN_SHORT, .advice = TN_ADVICE_TTL, .ttl_ns = 3 * RIG_S});
    rig_at(&r, r.t_ns + 3 * RIG_S); /* the cancel's answer comes at that very time */
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
}

static void plan_without_a_price_has_no_opinion(void **state)
{
    (void)state;
    rig_route(&r, RIG_S1, RIG_INV, 1000000000000);
    rig_signal_full(&r, (struct fact_signal){.instrument = RIG_INV, .side = TN_LONG});
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
}

static void plan_no_route_is_a_denial(void **state)
{
    (void)state;
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2, .side = TN_LONG});
    const struct fact_decision *d = rig_decision(&r);
    assert_int_equal(d->denied_by, 1u << (RISK_PERMISSION - 1));
    assert_int_equal(d->result[RISK_PERMISSION], FACT_RULE_DENY);
    rig_signal_full(&r, (struct fact_signal){.instance = 9999, .instrument = 9999, .side = 1});
    assert_int_equal(rig_decision(&r)->approved, 0);
}

static void plan_signals_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct fact_signal bad[] = {
        {.side = 0},
        {.side = 4},
        {.side = TN_LONG, .advice = TN_ADVICE_TARGET, .target_ppm = -1},
        {.side = TN_LONG, .advice = TN_ADVICE_TARGET, .target_ppm = 1000001},
        {.side = TN_LONG, .advice = TN_ADVICE_LIMIT, .limit_offset = -1},
        {.side = TN_SHORT, .advice = TN_ADVICE_LIMIT, .limit_offset = INT64_MAX},
        {.side = TN_SHORT, .advice = TN_ADVICE_STOP, .stop_distance = INT64_MAX},
        {.side = TN_SHORT, .advice = TN_ADVICE_STOP, .stop_distance = 0},
        {.side = TN_LONG, .advice = TN_ADVICE_TTL, .ttl_ns = 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rig_signal_full(&r, bad[i]);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
        assert_int_equal(rig_count(&r, FACT_INTENT), 0);
    }
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .advice = TN_ADVICE_TTL,
                                             .ttl_ns = INT64_MAX}); /* long, but possible */
    assert_int_equal(rig_count(&r, FACT_SEND), 1);
}

/* ---- stop and kill ---- */

static uint64_t stop_hit(void)
{
    rig_signal_full(
        &r, (struct fact_signal){.side = TN_LONG, .advice = TN_ADVICE_STOP, .stop_distance = 5000});
    rig_fill(&r, send_no(0)->order, 10000, 1000000);
    assert_int_equal(rig_book(&r, RIG_S1, RIG_BTC).stop_price, 995000);
    rig_quote(&r, RIG_BTC, 994900, 995102);
    assert_int_equal(rig_count(&r, FACT_STOPPED), 0); /* mark 9,950.01: not yet */
    rig_quote(&r, RIG_BTC, 994900, 995100);
    assert_int_equal(rig_count(&r, FACT_STOPPED), 1);
    return send_no(0)->order;
}

static void plan_stop_tries_again_and_wider(void **state)
{
    (void)state;
    uint64_t id = stop_hit();
    static const int64_t slip_ppm[] = {5000, 10000, 15000, 20000, 25000, 30000, 30000};
    for (int i = 0; i < 7; i++) {
        int64_t low = 995000 - 995000 * slip_ppm[i] / 1000000;
        assert_int_equal(oms_order(r.core, id)->price, low);
        rig_exec(&r, id, FACT_EXEC_EXPIRED); /* nothing filled */
        assert_int_equal(rig_alerts(&r, FACT_ALERT_KILL_STUCK), 0);
        if (i < 5) { /* at once, then each second */
            id = send_no(0)->order;
            continue;
        }
        assert_int_equal(rig_count(&r, FACT_SEND), 0);
        rig_tick(&r, core_deadline(r.core));
        assert_int_equal(rig_alerts(&r, FACT_ALERT_KILL_STUCK), i == 5);
        id = send_no(0)->order;
    }
    rig_fill(&r, id, 10000, 970000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
    rig_tick(&r, core_deadline(r.core)); /* looks once more and is done */
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
    assert_int_equal(core_deadline(r.core), r.core->market[RIG_BTC].data_ns + 60 * RIG_S);
}

static void plan_stop_cancels_what_works_first(void **state)
{
    (void)state;
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .stop_distance = 5000,
                                             .advice = TN_ADVICE_STOP | TN_ADVICE_TARGET,
                                             .target_ppm = 500000});
    rig_fill(&r, send_no(0)->order, 5000, 1000000);
    rig_signal_full(
        &r, (struct fact_signal){.side = TN_LONG, .limit_offset = 9000, .advice = TN_ADVICE_LIMIT});
    uint64_t id = send_no(0)->order;
    rig_exec(&r, id, FACT_EXEC_NEW);
    rig_quote(&r, RIG_BTC, 994900, 995100);
    assert_int_equal(((const struct fact_cancel *)rig_effect(&r, FACT_CANCEL, 0))->why,
                     FACT_CANCEL_STOP);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    rig_fill(&r, id, 1000, 991000);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(send_no(0)->qty, 6000);
}

static void plan_new_signal_takes_over_from_a_stop(void **state)
{
    (void)state;
    uint64_t id = stop_hit();
    rig_fill(&r, id, 4000, 994000);
    rig_signal_full(&r, (struct fact_signal){
                            .side = TN_LONG, .advice = TN_ADVICE_TARGET, .target_ppm = 300000});
    assert_int_equal(rig_count(&r, FACT_SEND), 0); /* the close is SENDING: its end comes first */
    rig_exec(&r, id, FACT_EXEC_EXPIRED);
    assert_int_equal(send_no(0)->side, TN_SHORT);
    assert_int_equal(send_no(0)->qty, 6000 - 3015); /* 3,000 USD / 9,950.00 */
    rig_tick(&r, r.t_ns + 2 * RIG_S);
    assert_int_equal(rig_count(&r, FACT_SEND), 0); /* no flatten runs beside */
}

static void plan_stop_only_tightens(void **state)
{
    (void)state;
    struct fact_signal s = {.side = TN_LONG, .advice = TN_ADVICE_STOP, .stop_distance = 5000};
    rig_signal_full(&r, s);
    rig_fill(&r, send_no(0)->order, 10000, 1000000);
    s.stop_distance = 9000;
    rig_signal_full(&r, s);
    assert_int_equal(rig_count(&r, FACT_STOPPED), 0);
    assert_int_equal(rig_book(&r, RIG_S1, RIG_BTC).stop_price, 995000);
    s.stop_distance = 2000;
    rig_signal_full(&r, s);
    assert_int_equal(rig_book(&r, RIG_S1, RIG_BTC).stop_price, 998000);
    rig_signal(&r, TN_SHORT, 1000000); /* turns: lifted when through zero, a new one needs advice */
    rig_fill(&r, send_no(0)->order, 10000, 999000);
    const struct fact_stopped *e = rig_effect(&r, FACT_STOPPED, 0);
    assert_int_equal(e->what, FACT_STOP_LIFTED);
    assert_int_equal(rig_book(&r, RIG_S1, RIG_BTC).stop_price, 0);
}

static void plan_stop_of_a_short_is_hit_from_below(void **state)
{
    (void)state;
    struct fact_signal s = {.side = TN_SHORT, .advice = TN_ADVICE_STOP, .stop_distance = 5000};
    rig_signal_full(&r, s);
    rig_fill(&r, send_no(0)->order, 10000, 1000000);
    rig_bar(&r, RIG_BTC, 1000000, 1004999, 990000, 1000000);
    assert_int_equal(rig_count(&r, FACT_STOPPED), 0);
    struct fact_bar old = {.instrument = RIG_BTC,
                           .flags = FACT_MD_WARMUP,
                           .open = 1005000,
                           .high = 1005000,
                           .low = 1005000,
                           .close = 1005000};
    rig_step(&r, FACT_BAR, &old); /* history moves no money */
    assert_int_equal(rig_count(&r, FACT_STOPPED), 0);
    rig_bar(&r, RIG_BTC, 1000000, 1005000, 990000, 1000000);
    assert_int_equal(rig_count(&r, FACT_STOPPED), 1);
    assert_int_equal(send_no(0)->side, TN_LONG);
}

static void plan_stop_further_than_zero_is_at_one_unit(void **state)
{
    (void)state;
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .advice = TN_ADVICE_STOP,
                                             .stop_distance = CORE_PRICE_MAX});
    rig_fill(&r, send_no(0)->order, 10000, 1000000);
    assert_int_equal(rig_book(&r, RIG_S1, RIG_BTC).stop_price, 1);
}

/* A stop that is touched, and signals that keep coming, leave the kill's close alone. */
static void plan_kill_is_not_disturbed_by_stop_or_signal(void **state)
{
    (void)state;
    rig_signal_full(
        &r, (struct fact_signal){.side = TN_LONG, .advice = TN_ADVICE_STOP, .stop_distance = 5000});
    rig_fill(&r, send_no(0)->order, 10000, 1000000);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_KILLED);
    uint64_t id = send_no(0)->order;
    rig_exec(&r, id, FACT_EXEC_NEW);
    rig_quote(&r, RIG_BTC, 990000, 990100); /* through the stop */
    rig_signal(&r, TN_LONG, 200000);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    rig_exec(&r, id, FACT_EXEC_EXPIRED);
    assert_int_equal(rig_decision(&r)->denied_by, 0);
    assert_int_equal(((const struct fact_intent *)rig_effect(&r, FACT_INTENT, 0))->origin,
                     FACT_ORIGIN_KILL);
    rig_fill(&r, send_no(0)->order, 10000, 985000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
}

/* ---- sizing against exact arithmetic ---- */

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void plan_sizing_is_exact_for_any_rate(void **state)
{
    (void)state;
    const uint64_t seed = 20240607;
    uint64_t s = seed;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 20000; i++) {
        struct market_row m = {.def = {.contract = i & 1 ? FACT_INVERSE : FACT_LINEAR,
                                       .price_exp = -(int32_t)(next(&s) % 4),
                                       .qty_exp = -(int32_t)(next(&s) % 5),
                                       .multiplier = 1 + (int64_t)(next(&s) % 50),
                                       .settle = RIG_EUR}};
        int account_exp = -2 - (int)(next(&s) % 7);
        struct currency_row currency[3] = {{0}, {1, account_exp, "A"}, {2, -8, "S"}};
        struct account_row account[2] = {[1] = {.def = {.id = 1, .currency = 1}}};
        struct fact_rate rate = {
            .from = 2, .to = 1, .exp = -6, .rate = 1 + (int64_t)(next(&s) % 3000000)};
        struct core c = {.currency = currency, .account = account, .rate = &rate, .rate_count = 1};
        int64_t amount = (int64_t)(next(&s) % 1000000000),
                price = 1 + (int64_t)(next(&s) % 5000000);
        int64_t qty;
        struct result q = money_qty(&c, &m, 1, amount, price, &qty);
        assert_true(is_ok(q));
        /* qty 10^qe is the most whose worth does not exceed amount 10^ae; all scaled by 10^20 */
        num_i128 have = (num_i128)amount, unit = (num_i128)rate.rate * m.def.multiplier;
        int have_exp = account_exp, unit_exp = rate.exp + m.def.qty_exp;
        if (m.def.contract == FACT_INVERSE) { /* worth of a unit = mult / price */
            have *= price;
            have_exp += m.def.price_exp;
        } else {
            unit *= price;
            unit_exp += m.def.price_exp;
        }
        for (; have_exp > unit_exp; have_exp--)
            have *= 10;
        for (; unit_exp > have_exp; unit_exp--)
            unit *= 10;
        if (qty * unit > have || (qty + 1) * unit <= have)
            fail_msg("case %d: %lld units of %lld", i, (long long)qty, (long long)amount);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(plan_target_is_toward_zero_in_lots),
        TEST(plan_below_a_lot_is_no_intent),
        TEST(plan_no_fraction_is_the_whole_budget),
        TEST(plan_limit_is_on_the_passive_side_of_the_tick),
        TEST(plan_market_is_protected_by_half_a_percent),
        TEST(plan_through_zero_closes_first),
        TEST(plan_open_beyond_a_refused_close_is_not_reducing),
        TEST(plan_reduce_only_needs_the_net_to_shrink),
        TEST(plan_working_order_that_fits_is_kept),
        TEST(plan_signal_that_returns_during_its_cancel_is_not_lost),
        TEST(plan_signal_is_over_at_its_time_to_live),
        TEST(plan_without_a_price_has_no_opinion),
        TEST(plan_no_route_is_a_denial),
        TEST(plan_signals_that_cannot_be_are_refused),
        TEST(plan_stop_tries_again_and_wider),
        TEST(plan_stop_cancels_what_works_first),
        TEST(plan_new_signal_takes_over_from_a_stop),
        TEST(plan_stop_only_tightens),
        TEST(plan_stop_of_a_short_is_hit_from_below),
        TEST(plan_stop_further_than_zero_is_at_one_unit),
        TEST(plan_kill_is_not_disturbed_by_stop_or_signal),
        cmocka_unit_test(plan_sizing_is_exact_for_any_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
