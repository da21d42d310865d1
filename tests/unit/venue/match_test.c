/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: matching at bar, trade and quote level does exactly what venue.h says, at the edges too.
 * Method: small hand-made markets around one order; every answer is compared in full order, so an
 * answer too many is a failure as much as a missing one. Fees are compared with figures worked out
 * by hand.
 */
#include "rig.h"

static const int64_t ack = T0 + 20 * MS;
static const int64_t minute = 60 * SEC;

/* ---- bars ---- */
static void match_bar_after_arrival_fills_at_open_with_slippage(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.slippage_ppm = 1000;
    rig_open_with(&r, c);
    rig_send(&r, T0 + SEC, 1, VENUE_BUY, 100, 10100, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, SEC + ack);
    rig_bar(&r, T0 + minute, 10000, 10100, 9000, 10000, 9999); /* opened before it was sent */
    rig_expect_none(&r);
    rig_bar(&r, T0 + 2 * minute, 10000, 10100, 9000, 10000, 9999);
    rig_expect_fill(&r, T0 + 2 * minute, 100, 10010, FACT_TAKER);
    assert_int_equal(r.got.u.fact_exec.venue_ns, T0 + minute);
    assert_int_equal(venue_net(r.v, LIN), 100);
    rig_expect_none(&r);
    rig_close(&r);
}

static void match_bar_open_within_one_latency_of_arrival_counts(void **state)
{
    (void)state;
    struct rig r;
    rig_open_with(&r, rig_config());
    rig_send(&r, T0, 1, VENUE_BUY, 100, 10100, FACT_GTC); /* sent as the bar opens */
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_bar(&r, T0 + minute, 10000, 10100, 9000, 10000, 9999);
    rig_expect_fill(&r, T0 + minute, 100, 10000, FACT_TAKER);
    rig_expect_none(&r);
    rig_close(&r);
}

static void match_bar_slippage_stays_within_limit_and_bar(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.slippage_ppm = 50000;
    c.latency_ns = 0;
    rig_open_with(&r, c);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 10020, FACT_GTC); /* limit is nearer than the slip */
    rig_send(&r, T0, 2, VENUE_SELL, 100, 9000, FACT_GTC); /* the bar's low is nearer */
    rig_expect(&r, FACT_EXEC_NEW, T0);
    rig_expect(&r, FACT_EXEC_NEW, T0);
    rig_bar(&r, T0 + minute, 10000, 10100, 9990, 10000, 9990);
    rig_expect_fill(&r, T0 + minute, 100, 10020, FACT_TAKER);
    rig_expect_fill(&r, T0 + minute, 100, 9990, FACT_TAKER);
    rig_close(&r);
}

static void match_bar_touching_limit_does_not_fill_but_through_does(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9500, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_bar(&r, T0 + 2 * minute, 10000, 10100, 9500, 9600, 9990);
    rig_expect_none(&r);
    rig_bar(&r, T0 + 3 * minute, 9600, 9700, 9499, 9600, 9990);
    rig_expect_fill(&r, T0 + 3 * minute, 100, 9500, FACT_MAKER);
    rig_close(&r);
}

static void match_bar_resting_order_gets_better_open(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_send(&r, T0, 1, VENUE_SELL, 100, 10500, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_bar(&r, T0 + 2 * minute, 10000, 10100, 9500, 9600, 9990);
    rig_bar(&r, T0 + 3 * minute, 10800, 10900, 10000, 10100, 9990);
    rig_expect_fill(&r, T0 + 3 * minute, 100, 10800, FACT_MAKER);
    rig_close(&r);
}

static void match_bar_volume_part_caps_and_is_shared(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.volume_part_ppm = 100000; /* a tenth */
    rig_open_with(&r, c);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 10100, FACT_GTC);
    rig_send(&r, T0, 2, VENUE_BUY, 100, 10100, FACT_IOC);
    rig_send(&r, T0, 3, VENUE_BUY, 100, 10100, FACT_IOC);
    for (int i = 0; i < 3; i++)
        rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_bar(&r, T0 + 2 * minute, 10000, 10100, 9900, 10000, 1509); /* 150 for us */
    rig_expect_fill(&r, T0 + 2 * minute, 100, 10000, FACT_TAKER);
    rig_expect_fill(&r, T0 + 2 * minute, 50, 10000, FACT_TAKER);
    assert_int_equal(r.got.u.fact_exec.leaves_qty, 50);
    const struct fact_exec *e = rig_expect(&r, FACT_EXEC_EXPIRED, T0 + 2 * minute);
    assert_int_equal(e->order, 2);
    assert_int_equal(e->cum_qty, 50);
    assert_int_equal(e->leaves_qty, 0);
    e = rig_expect(&r, FACT_EXEC_EXPIRED, T0 + 2 * minute);
    assert_int_equal(e->order, 3);
    assert_int_equal(e->cum_qty, 0);
    rig_expect_none(&r);
    rig_close(&r);
}

static void match_bar_without_volume_fills_nothing(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 10100, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_bar(&r, T0 + 2 * minute, 10000, 10100, 9900, 10000, 0);
    rig_expect_none(&r);
    rig_close(&r);
}

static void match_bar_of_warmup_or_other_instrument_is_no_market(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 10100, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    struct fact_bar bar = {LIN, FACT_MD_WARMUP, T0 + minute, 10000, 10100, 9900, 10000, 9990};
    struct fact_head head = rig_head(FACT_BAR, T0 + 2 * minute);
    venue_market(r.v, &head, &bar);
    bar.flags = 0;
    bar.instrument = 77;
    venue_market(r.v, &head, &bar);
    rig_expect_none(&r);
    rig_close(&r);
}

/* ---- trades ---- */
static void match_trade_marketable_takes_last_trade_and_its_size(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.slippage_ppm = 100;
    rig_open_with(&r, c);
    rig_trade(&r, T0 - SEC, 10000, 60);
    rig_send(&r, T0, 1, VENUE_SELL, 100, 9900, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_expect_fill(&r, ack, 60, 9999, FACT_TAKER);
    rig_send(&r, ack, 2, VENUE_SELL, 100, 9900, FACT_IOC); /* that trade is used up */
    rig_expect(&r, FACT_EXEC_NEW, ack + 20 * MS);
    rig_expect(&r, FACT_EXEC_EXPIRED, ack + 20 * MS);
    rig_trade(&r, T0 + SEC, 9990, 500); /* the rest still takes */
    rig_expect_fill(&r, T0 + SEC, 40, 9989, FACT_TAKER);
    rig_expect_none(&r);
    rig_close(&r);
}

static void match_trade_at_limit_serves_queue_first(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_trade(&r, T0 - SEC, 10000, 100); /* so 100 are taken to stand before us */
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9990, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_trade(&r, T0 + SEC, 9990, 70);
    rig_expect_none(&r);
    rig_trade_by(&r, T0 + 2 * SEC, 9990, 500, VENUE_BUY); /* a buyer takes the other side */
    rig_expect_none(&r);
    rig_trade_by(&r, T0 + 3 * SEC, 9990, 80, VENUE_SELL); /* 30 before us, 50 for us */
    rig_expect_fill(&r, T0 + 3 * SEC, 50, 9990, FACT_MAKER);
    rig_trade(&r, T0 + 4 * SEC, 9985, 500); /* through */
    rig_expect_fill(&r, T0 + 4 * SEC, 50, 9990, FACT_MAKER);
    rig_expect_none(&r);
    rig_close(&r);
}

static void match_trade_first_of_all_decides_waiting_orders(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9990, FACT_IOC);
    rig_send(&r, T0, 2, VENUE_BUY, 100, 10000, FACT_IOC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_trade(&r, T0 + SEC, 10000, 100);
    assert_int_equal(rig_expect(&r, FACT_EXEC_EXPIRED, T0 + SEC)->order, 1);
    rig_expect_fill(&r, T0 + SEC, 100, 10000, FACT_TAKER);
    rig_expect_none(&r);
    rig_close(&r);
}

/* ---- quotes ---- */
static void match_quote_marketable_takes_opposite_best_and_size(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_quote(&r, T0 - SEC, 9990, 50, 10000, 60);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 10050, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_expect_fill(&r, ack, 60, 10000, FACT_TAKER);
    rig_quote(&r, T0 + SEC, 9995, 50, 10000, 60); /* the same offer: already taken */
    rig_expect_none(&r);
    rig_quote(&r, T0 + 2 * SEC, 9995, 50, 10010, 300);
    rig_expect_fill(&r, T0 + 2 * SEC, 40, 10010, FACT_TAKER);
    rig_expect_none(&r);
    rig_close(&r);
}

static void match_quote_crossing_resting_order_fills_it_at_its_limit(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_quote(&r, T0 - SEC, 9990, 50, 10000, 60);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9995, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_quote(&r, T0 + SEC, 9980, 50, 9995, 60);
    rig_expect_fill(&r, T0 + SEC, 60, 9995, FACT_MAKER);
    rig_quote(&r, T0 + 2 * SEC, 9970, 50, 9980, 60);
    rig_expect_fill(&r, T0 + 2 * SEC, 40, 9995, FACT_MAKER);
    rig_close(&r);
}

static void match_quote_crossed_or_one_sided_matches_nothing(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_quote(&r, T0 - SEC, 9990, 50, 10000, 60);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9995, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_quote(&r, T0 + SEC, 10000, 50, 9900, 60); /* crossed: the feed is broken */
    rig_quote(&r, T0 + 2 * SEC, 9990, 50, 0, 0);  /* nobody sells */
    rig_send(&r, T0 + 2 * SEC, 2, VENUE_BUY, 100, 20000, FACT_IOC);
    rig_expect(&r, FACT_EXEC_NEW, T0 + 2 * SEC + 20 * MS);
    rig_expect(&r, FACT_EXEC_EXPIRED, T0 + 2 * SEC + 20 * MS);
    rig_expect_none(&r);
    rig_close(&r);
}

static void match_quote_without_sizes_fills_all(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_quote(&r, T0 - SEC, 9990, 0, 10000, 0);
    rig_send(&r, T0, 1, VENUE_BUY, 1000000, 10000, FACT_IOC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_expect_fill(&r, ack, 1000000, 10000, FACT_TAKER);
    rig_close(&r);
}

static void match_quote_bounds_the_queue_before_us(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_quote(&r, T0 - SEC, 9990, 500, 10000, 60);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9990, FACT_GTC); /* behind 500 */
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_quote(&r, T0 + SEC, 9990, 20, 10000, 60); /* most of them left */
    rig_trade_by(&r, T0 + 2 * SEC, 9990, 50, VENUE_SELL);
    rig_expect_fill(&r, T0 + 2 * SEC, 30, 9990, FACT_MAKER);
    rig_quote(&r, T0 + 3 * SEC, 9980, 20, 10000, 60); /* we are the best */
    rig_trade_by(&r, T0 + 4 * SEC, 9990, 50, VENUE_SELL);
    rig_expect_fill(&r, T0 + 4 * SEC, 50, 9990, FACT_MAKER);
    rig_close(&r);
}

/* ---- fees, reduce only ---- */
static void match_fee_linear_is_rate_on_value_rounded_against_us(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct venue_book b = {.def = rig_linear(), .settle_exp = -2};
    int64_t fee;
    /* 100.05 x 0.020 = 2.001; 500 ppm = 0.0010005 -> 0.01 up; rebate -> 0.00 up */
    assert_true(is_ok(match_fee(&b, 10005, 20, 500, &fee)));
    assert_int_equal(fee, 1);
    assert_true(is_ok(match_fee(&b, 10005, 20, -500, &fee)));
    assert_int_equal(fee, 0);
    b.settle_exp = -8;
    assert_true(is_ok(match_fee(&b, 10005, 20, 500, &fee)));
    assert_int_equal(fee, 100050);
    assert_true(is_ok(match_fee(&b, 10005, 20, -500, &fee)));
    assert_int_equal(fee, -100050);
    b.def.multiplier = 50;
    b.def.multiplier_exp = -1;
    assert_true(is_ok(match_fee(&b, 10005, 20, 500, &fee)));
    assert_int_equal(fee, 500250);
    rig_close(&r);
}

static void match_fee_inverse_divides_by_price(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct venue_book b = {.def = {.contract = FACT_INVERSE, .price_exp = -1, .multiplier = 100},
                           .settle_exp = -8};
    int64_t fee;
    /* 3 x 100 / 30000.0 = 0.01; 500 ppm = 0.000005 */
    assert_true(is_ok(match_fee(&b, 300000, 3, 500, &fee)));
    assert_int_equal(fee, 500);
    /* 3 x 100 / 7000.0 x 500 ppm = 2142.857 e-8 */
    assert_true(is_ok(match_fee(&b, 70000, 3, 500, &fee)));
    assert_int_equal(fee, 2143);
    rig_close(&r);
}

static void match_fee_overflow_is_a_result(void **state)
{
    (void)state;
    struct venue_book b = {
        .def = {.contract = FACT_LINEAR, .price_exp = 12, .qty_exp = 12, .multiplier = INT64_MAX},
        .settle_exp = -12};
    int64_t fee;
    struct result res = match_fee(&b, INT64_MAX, INT64_MAX, 500, &fee);
    assert_int_equal(res.code, RESULT_OVERFLOWS);
}

static void match_reduce_only_never_passes_zero(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_quote(&r, T0 - SEC, 9990, 0, 10000, 0);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 10000, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_expect_fill(&r, ack, 100, 10000, FACT_TAKER);
    struct fact_send s = rig_order(2, VENUE_SELL, 150, 9990, FACT_GTC);
    s.reduce_only = 1;
    venue_send(r.v, ack, &s);
    rig_expect(&r, FACT_EXEC_NEW, ack + 20 * MS);
    rig_expect_fill(&r, ack + 20 * MS, 100, 9990, FACT_TAKER);
    assert_int_equal(venue_net(r.v, LIN), 0);
    rig_quote(&r, T0 + SEC, 9995, 0, 10000, 0);
    const struct fact_exec *e = rig_expect(&r, FACT_EXEC_VENUE_CANCEL, T0 + SEC);
    assert_int_equal(e->cum_qty, 100);
    assert_int_equal(e->leaves_qty, 0);
    s.order = 3; /* flat: refused at once */
    venue_send(r.v, T0 + SEC, &s);
    e = rig_expect(&r, FACT_EXEC_REJECTED, T0 + SEC + 20 * MS);
    assert_string_equal(e->text, "reduce only: nothing to reduce");
    rig_expect_none(&r);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_bar_after_arrival_fills_at_open_with_slippage),
        cmocka_unit_test(match_bar_open_within_one_latency_of_arrival_counts),
        cmocka_unit_test(match_bar_slippage_stays_within_limit_and_bar),
        cmocka_unit_test(match_bar_touching_limit_does_not_fill_but_through_does),
        cmocka_unit_test(match_bar_resting_order_gets_better_open),
        cmocka_unit_test(match_bar_volume_part_caps_and_is_shared),
        cmocka_unit_test(match_bar_without_volume_fills_nothing),
        cmocka_unit_test(match_bar_of_warmup_or_other_instrument_is_no_market),
        cmocka_unit_test(match_trade_marketable_takes_last_trade_and_its_size),
        cmocka_unit_test(match_trade_at_limit_serves_queue_first),
        cmocka_unit_test(match_trade_first_of_all_decides_waiting_orders),
        cmocka_unit_test(match_quote_marketable_takes_opposite_best_and_size),
        cmocka_unit_test(match_quote_crossing_resting_order_fills_it_at_its_limit),
        cmocka_unit_test(match_quote_crossed_or_one_sided_matches_nothing),
        cmocka_unit_test(match_quote_without_sizes_fills_all),
        cmocka_unit_test(match_quote_bounds_the_queue_before_us),
        cmocka_unit_test(match_fee_linear_is_rate_on_value_rounded_against_us),
        cmocka_unit_test(match_fee_inverse_divides_by_price),
        cmocka_unit_test(match_fee_overflow_is_a_result),
        cmocka_unit_test(match_reduce_only_never_passes_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
