/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: data health is right to the nanosecond, bad data sets no price, and the core asks for its
 * ticks exactly. Method: a rigged core and every trouble by itself and two together, one
 * nanosecond before and at each deadline; the bad-input cases that reach the core by their number;
 * then a seeded property run: a core that is asked for its deadline after each event and one that
 * never is give the same effects, a tick at the deadline always moves the deadline on, and nothing
 * happens by itself before it.
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

static void trade(int64_t price, int64_t qty, uint64_t no)
{
    struct fact_trade t = {.instrument = RIG_BTC, .price = price, .qty = qty, .trade_no = no};
    rig_step(&r, FACT_TRADE, &t);
}

static uint32_t health(void)
{
    return core_health(r.core, RIG_BTC);
}

static const struct fact_health *changed(void)
{
    assert_int_equal(rig_count(&r, FACT_HEALTH), 1);
    return rig_effect(&r, FACT_HEALTH, 0);
}

static void good_ones(int n)
{
    static int64_t price = 1000000;
    while (n-- > 0)
        trade(price++, 1, 0);
}

static void market_first_data_is_healthy(void **state)
{
    (void)state;
    assert_int_equal(core_health(r.core, RIG_INV), FACT_HEALTH_UNSET);
    rig_bar(&r, RIG_INV, 10, 12, 9, 11);
    assert_int_equal(changed()->why, FACT_HEALTH_FIRST);
    assert_int_equal(core_health(r.core, RIG_INV), FACT_HEALTHY);
    assert_int_equal(core_mark(r.core, RIG_INV), 11);
    assert_int_equal(core_health(r.core, 999), FACT_HEALTH_UNSET);
    assert_int_equal(core_mark(r.core, 999), 0);
}

static void market_age_degrades_and_downs_on_the_nanosecond(void **state)
{
    (void)state;
    int64_t t = r.t_ns;
    assert_int_equal(core_deadline(r.core), t + 60 * RIG_S);
    rig_tick(&r, t + 60 * RIG_S - 1);
    assert_int_equal(health(), FACT_HEALTHY);
    rig_tick(&r, t + 60 * RIG_S);
    assert_int_equal(health(), FACT_DEGRADED);
    assert_int_equal(changed()->why, FACT_HEALTH_AGE);
    assert_int_equal(changed()->observed, 60 * RIG_S);
    assert_int_equal(core_deadline(r.core), t + 300 * RIG_S);
    rig_tick(&r, t + 300 * RIG_S - 1);
    assert_int_equal(health(), FACT_DEGRADED);
    rig_tick(&r, t + 300 * RIG_S);
    assert_int_equal(health(), FACT_DOWN);
    assert_int_equal(core_deadline(r.core), CORE_NEVER);
}

static void market_fresh_data_cures_age_but_not_down(void **state)
{
    (void)state;
    rig_tick(&r, r.t_ns + 60 * RIG_S);
    trade(1000001, 1, 0);
    assert_int_equal(health(), FACT_HEALTHY);
    rig_tick(&r, r.t_ns + 400 * RIG_S); /* both at once: DOWN, not a step between */
    assert_int_equal(changed()->to, FACT_DOWN);
    good_ones(MARKET_GOOD_COUNT - 1);
    assert_int_equal(health(), FACT_DOWN);
    good_ones(1);
    assert_int_equal(health(), FACT_HEALTHY);
    assert_int_equal(changed()->why, FACT_HEALTH_GOOD);
    assert_int_equal(changed()->observed, MARKET_GOOD_COUNT);
}

static void market_down_cancels_opening_orders(void **state)
{
    (void)state;
    rig_working(&r, TN_LONG, 500000);
    rig_tick(&r, r.t_ns + 300 * RIG_S);
    const struct fact_cancel *c = rig_effect(&r, FACT_CANCEL, 0);
    assert_non_null(c);
    assert_int_equal(c->why, FACT_CANCEL_DATA);
}

static void market_gap_needs_the_whole_count(void **state)
{
    (void)state;
    trade(1000000, 1, 7);
    trade(1000001, 1, 8);
    assert_int_equal(health(), FACT_HEALTHY);
    trade(1000002, 1, 10);
    assert_int_equal(changed()->why, FACT_HEALTH_GAP);
    assert_int_equal(changed()->observed, 10);
    assert_int_equal(changed()->limit, 9);
    assert_int_equal(core_mark(r.core, RIG_BTC), 1000000); /* the mid: a trade does not move it */
    good_ones(MARKET_GOOD_COUNT - 2);                      /* the one after the hole counts */
    assert_int_equal(health(), FACT_DEGRADED);
    good_ones(1);
    assert_int_equal(health(), FACT_HEALTHY);
}

static void market_bad_one_starts_the_count_again(void **state)
{
    (void)state;
    trade(0, 1, 0);
    good_ones(MARKET_GOOD_COUNT - 1);
    trade(-5, 1, 0);
    good_ones(MARKET_GOOD_COUNT - 1);
    assert_int_equal(health(), FACT_DEGRADED);
    good_ones(1);
    assert_int_equal(health(), FACT_HEALTHY);
}

/* An outage ends with a hole in the numbers: fresh data then is not the cure. */
static void market_second_trouble_decides_the_cure(void **state)
{
    (void)state;
    trade(1000000, 1, 7);
    rig_tick(&r, r.t_ns + 60 * RIG_S);
    trade(1000001, 1, 90);
    assert_int_equal(health(), FACT_DEGRADED);
    good_ones(MARKET_GOOD_COUNT - 2);
    assert_int_equal(health(), FACT_DEGRADED);
    good_ones(1);
    assert_int_equal(health(), FACT_HEALTHY);
}

static void market_case_41_impossible_price_or_quantity_is_dropped(void **state)
{
    (void)state;
    static const int64_t price[] = {0, -1, 100000000001, 1000000000000000000, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof price / sizeof *price; i++) {
        good_ones(MARKET_GOOD_COUNT);
        trade(price[i], 1, 0);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
        assert_int_equal(health(), FACT_DEGRADED);
        assert_int_equal(core_mark(r.core, RIG_BTC), 1000000);
    }
    trade(1000000, 0, 0);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
    struct fact_bar b = {.instrument = RIG_BTC, .open = 10, .high = 12, .low = 9, .close = 13};
    rig_step(&r, FACT_BAR, &b);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
    b.close = 11;
    b.volume = -1;
    rig_step(&r, FACT_BAR, &b);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
    b.low = -9;
    rig_step(&r, FACT_BAR, &b);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
    rig_quote(&r, RIG_BTC, -1, 1000100);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
    struct fact_quote q = {.instrument = RIG_BTC, .bid = 5, .ask = 6, .bid_qty = -1};
    rig_step(&r, FACT_QUOTE, &q);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
    assert_int_equal(core_mark(r.core, RIG_BTC), 1000000);
}

/* Also where an instrument names no greatest believable price. */
static void market_case_41_beyond_all_figures_without_a_maximum(void **state)
{
    (void)state;
    struct fact_instrument d;
    assert_true(core_instrument(r.core, 0, &d));
    d.price_max = 0;
    rig_step(&r, FACT_INSTRUMENT, &d);
    trade(1000000000000000000, 1, 0);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
    rig_quote(&r, RIG_BTC, INT64_MAX - 2, INT64_MAX - 1);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
    assert_int_equal(core_mark(r.core, RIG_BTC), 1000000);
}

static void market_case_42_off_the_tick_is_used_and_orders_are_not(void **state)
{
    (void)state;
    struct fact_instrument d;
    assert_true(core_instrument(r.core, 0, &d));
    d.tick = 100;
    rig_step(&r, FACT_INSTRUMENT, &d);
    rig_quote(&r, RIG_BTC, 999933, 1000055);
    assert_int_equal(core_mark(r.core, RIG_BTC), 999994);
    rig_signal(&r, TN_LONG, 100000);
    assert_int_equal(rig_sent_order(&r)->price % 100, 0);
}

static void market_case_46_crossed_for_a_second(void **state)
{
    (void)state;
    rig_quote(&r, RIG_BTC, 1000200, 1000100);
    int64_t t = r.t_ns;
    assert_int_equal(core_mark(r.core, RIG_BTC), 1000000); /* no mark from it */
    assert_int_equal(core_deadline(r.core), t + RIG_S);
    rig_at(&r, t + RIG_S - 1);
    rig_quote(&r, RIG_BTC, 1000100, 1000100); /* locked is the same trouble: since t */
    assert_int_equal(health(), FACT_HEALTHY);
    rig_tick(&r, t + RIG_S);
    assert_int_equal(changed()->why, FACT_HEALTH_CROSSED);
    good_ones(3 * MARKET_GOOD_COUNT); /* trades do not uncross a book */
    assert_int_equal(health(), FACT_DEGRADED);
    rig_quote(&r, RIG_BTC, 999900, 1000100);
    good_ones(MARKET_GOOD_COUNT - 1);
    assert_int_equal(health(), FACT_HEALTHY);
}

static void market_case_46_crossed_for_less_is_nothing(void **state)
{
    (void)state;
    rig_quote(&r, RIG_BTC, 1000200, 1000100);
    rig_at(&r, r.t_ns + RIG_S - 1);
    rig_quote(&r, RIG_BTC, 999800, 1000000);
    rig_tick(&r, r.t_ns + 2 * RIG_S);
    assert_int_equal(health(), FACT_HEALTHY);
    assert_int_equal(core_mark(r.core, RIG_BTC), 999900);
}

static void market_case_47_unknown_instrument_is_dropped(void **state)
{
    (void)state;
    uint32_t bad[] = {0, 3, 65, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rig_quote(&r, bad[i], 1, 2);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_INSTRUMENT), 1);
        rig_bar(&r, bad[i], 1, 1, 1, 1);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_INSTRUMENT), 1);
        struct fact_trade t = {.instrument = bad[i], .price = 1, .qty = 1};
        rig_step(&r, FACT_TRADE, &t);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_INSTRUMENT), 1);
        struct fact_session s = {.instrument = bad[i], .open = 1};
        rig_step(&r, FACT_SESSION, &s);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_INSTRUMENT), 1);
    }
}

static void market_case_52_frozen_but_pinging_goes_down(void **state)
{
    (void)state;
    int64_t t = r.t_ns; /* the content is from here on the same */
    uint32_t seen[4] = {0};
    for (int64_t at = t; at <= t + 1300 * RIG_S; at += RIG_S) {
        rig_at(&r, at);
        rig_quote(&r, RIG_BTC, 999900, 1000100);
        seen[health()]++;
        if (rig_count(&r, FACT_HEALTH) == 1)
            assert_int_equal(changed()->why, FACT_HEALTH_FROZEN);
    }
    assert_int_equal(seen[FACT_HEALTHY], 240);  /* 4 x 60 s */
    assert_int_equal(seen[FACT_DEGRADED], 960); /* until 4 x 300 s, never cured by its own pings */
    assert_int_equal(health(), FACT_DOWN);
    rig_quote(&r, RIG_BTC, 999900, 1000200);
    good_ones(MARKET_GOOD_COUNT - 1);
    assert_int_equal(health(), FACT_HEALTHY);
}

static void market_case_53_a_burst_is_taken_whole(void **state)
{
    (void)state;
    uint64_t before = core_totals(r.core)->market;
    for (int i = 0; i < 1000; i++)
        trade(1000000 + i, 1, (uint64_t)i + 1);
    assert_int_equal(core_totals(r.core)->market, before + 1000);
    assert_int_equal(health(), FACT_HEALTHY);
}

static void market_one_side_only_uses_the_last_trade(void **state)
{
    (void)state;
    rig_quote(&r, RIG_BTC, 990000, 0);
    assert_int_equal(core_mark(r.core, RIG_BTC), 1000000);
    trade(990500, 1, 0);
    assert_int_equal(core_mark(r.core, RIG_BTC), 990500);
    rig_quote(&r, RIG_BTC, 0, 991000);
    assert_int_equal(core_mark(r.core, RIG_BTC), 990500);
}

static void market_closed_session_denies(void **state)
{
    (void)state;
    struct fact_session s = {.instrument = RIG_BTC, .open = 0};
    rig_step(&r, FACT_SESSION, &s);
    rig_signal(&r, TN_LONG, 100000);
    assert_int_equal(rig_decision(&r)->denied_by, 1u << (RISK_STATIC - 1));
    s.open = 1;
    rig_step(&r, FACT_SESSION, &s);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_signal(&r, TN_LONG, 100000);
    assert_int_equal(rig_count(&r, FACT_SEND), 1);
}

static void market_shorter_age_counts_at_once(void **state)
{
    (void)state;
    assert_int_equal(core_deadline(r.core), r.t_ns + 60 * RIG_S);
    struct fact_instrument d;
    assert_true(core_instrument(r.core, 0, &d));
    d.age_degraded_ns = RIG_S;
    rig_step(&r, FACT_INSTRUMENT, &d);
    rig_at(&r, r.t_ns + RIG_S);
    rig_signal(&r, TN_LONG, 100000); /* no tick between, nobody asked for the deadline */
    assert_int_equal(rig_decision(&r)->denied_by, 1u << (RISK_DATA - 1));
}

/* ---- deadlines ---- */

/* Nothing was due; then data is good again: its age counts, also when nobody asks for ticks. */
static void market_age_counts_again_after_down(void **state)
{
    (void)state;
    rig_tick(&r, r.t_ns + 300 * RIG_S);
    good_ones(MARKET_GOOD_COUNT);
    assert_int_equal(health(), FACT_HEALTHY);
    rig_at(&r, r.t_ns + 60 * RIG_S);
    rig_signal(&r, TN_LONG, 100000);
    assert_int_equal(rig_decision(&r)->denied_by, 1u << (RISK_DATA - 1));
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void random_event(struct core_rig *x, uint64_t *s)
{
    rig_at(x, x->t_ns + (int64_t)(next(s) % (next(s) % 8 == 0 ? 200 * RIG_S : RIG_S)));
    uint32_t instrument = 1 + next(s) % 2;
    int64_t p = 999000 + (int64_t)(next(s) % 4);
    struct fact_trade t = {.instrument = instrument,
                           .price = p * (next(s) % 50 != 0),
                           .qty = 1,
                           .trade_no = next(s) % 4 ? 0 : next(s) % 3};
    struct fact_instrument d;
    switch (next(s) % 12) {
    case 0:
        rig_tick(x, x->t_ns);
        break;
    case 1:
        rig_bar(x, instrument, p, p + 2, p - 2, p + 1);
        break;
    case 2:
        core_instrument(x->core, instrument - 1, &d);
        d.age_degraded_ns = (int64_t)(next(s) % 4) * 30 * RIG_S;
        d.age_down_ns = (int64_t)(next(s) % 4) * 50 * RIG_S; /* also shorter than DEGRADED */
        rig_step(x, FACT_INSTRUMENT, &d);
        break;
    case 3:
        rig_signal_full(x, (struct fact_signal){.side = 1 + next(s) % 3,
                                                .advice = TN_ADVICE_TTL | TN_ADVICE_LIMIT,
                                                .ttl_ns = 1 + (int64_t)(next(s) % (9 * RIG_S))});
        break;
    case 4:
    case 5:
        rig_step(x, FACT_TRADE, &t);
        break;
    default:
        rig_quote(x, instrument, p, p + 2 - (int64_t)(next(s) % 6 == 0) * 4);
        break;
    }
}

static void market_asking_for_the_deadline_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct core_rig a, b;
        uint64_t s = seed * 7919, z = seed * 7919;
        rig_open(&a);
        rig_open(&b);
        for (int i = 0; i < 1500; i++) {
            random_event(&a, &s);
            random_event(&b, &z);
            (void)core_deadline(b.core);
            if (a.out.used != b.out.used || memcmp(a.out.bytes, b.out.bytes, a.out.used) != 0)
                fail_msg("seed %llu: event %d differs", (unsigned long long)seed, i);
        }
        rig_close(&a);
        rig_close(&b);
    }
}

static void market_deadline_is_exact_and_always_moves_on(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t s = seed * 104729;
        struct core_rig x;
        rig_open(&x);
        for (int i = 0; i < 600; i++) {
            random_event(&x, &s);
            for (int ticks = 0; ticks < 8; ticks++) {
                int64_t d = core_deadline(x.core);
                if (d == CORE_NEVER)
                    break;
                if (d > x.t_ns + 1) { /* nothing of its own accord before it */
                    rig_tick(&x, d - 1);
                    assert_int_equal(x.out.count, 0);
                    assert_int_equal(core_deadline(x.core), d);
                }
                rig_tick(&x, d > x.t_ns ? d : x.t_ns);
                if (x.out.count == 0 && core_deadline(x.core) <= d)
                    fail_msg("seed %llu: a tick at the deadline did nothing",
                             (unsigned long long)seed);
                assert_true(core_deadline(x.core) > x.t_ns);
            }
        }
        rig_close(&x);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(market_first_data_is_healthy),
        TEST(market_age_degrades_and_downs_on_the_nanosecond),
        TEST(market_fresh_data_cures_age_but_not_down),
        TEST(market_down_cancels_opening_orders),
        TEST(market_gap_needs_the_whole_count),
        TEST(market_bad_one_starts_the_count_again),
        TEST(market_second_trouble_decides_the_cure),
        TEST(market_case_41_impossible_price_or_quantity_is_dropped),
        TEST(market_case_41_beyond_all_figures_without_a_maximum),
        TEST(market_case_42_off_the_tick_is_used_and_orders_are_not),
        TEST(market_case_46_crossed_for_a_second),
        TEST(market_case_46_crossed_for_less_is_nothing),
        TEST(market_case_47_unknown_instrument_is_dropped),
        TEST(market_case_52_frozen_but_pinging_goes_down),
        TEST(market_case_53_a_burst_is_taken_whole),
        TEST(market_one_side_only_uses_the_last_trade),
        TEST(market_closed_session_denies),
        TEST(market_shorter_age_counts_at_once),
        TEST(market_age_counts_again_after_down),
        cmocka_unit_test(market_asking_for_the_deadline_changes_nothing),
        cmocka_unit_test(market_deadline_is_exact_and_always_moves_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
