/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: ema_cross 1.0.0 signals exactly at crossings, with advice and reasons as its parameters
 * say. Method: made-up averages bar by bar over its sources, and the contract cards.
 */
#include "tests/contract/plugin_cards.h"
#include "strategies/ema_cross/1.0.0/ema_cross.c"
#include "strategies/ema_cross/ema_cross_case.h"

static void defaults(union tn_number p[TN_MAX_PARAMS])
{
    memset(p, 0, TN_MAX_PARAMS * sizeof *p);
    plugin_host_defaults(tn_entry.manifest, p);
}

static uint32_t bar(struct cross_case *c, double fast, double slow)
{
    return case_bar(c, 100000, (double[]){fast, slow}, 3);
}

static void ema_cross_at_each_crossing_signals_once(void **state)
{
    (void)state;
    union tn_number p[TN_MAX_PARAMS];
    struct cross_case c;
    defaults(p);
    case_open(&c, p);
    assert_int_equal(bar(&c, 99, 100), 0);  /* the first side seen is no crossing */
    assert_int_equal(bar(&c, 100, 100), 0); /* touching is none either */
    assert_int_equal(bar(&c, 101, 100), 1);
    assert_int_equal(c.signal.side, TN_LONG);
    assert_int_equal(bar(&c, 105, 100), 0);
    assert_int_equal(bar(&c, 100, 100), 0);
    assert_int_equal(bar(&c, 102, 100), 0); /* came back to the same side */
    assert_int_equal(bar(&c, 99.5, 100), 1);
    assert_int_equal(c.signal.side, TN_SHORT);
    assert_int_equal(bar(&c, 101, 100), 1);
    case_close(&c);
}

static void ema_cross_without_ready_inputs_is_silent(void **state)
{
    (void)state;
    union tn_number p[TN_MAX_PARAMS];
    struct cross_case c;
    defaults(p);
    case_open(&c, p);
    assert_int_equal(case_bar(&c, 1, (double[]){99, 100}, 3), 0);
    for (uint32_t ready = 0; ready < 3; ready++)
        assert_int_equal(case_bar(&c, 1, (double[]){101, 100}, ready), 0);
    assert_int_equal(case_bar(&c, 1, (double[]){101, 0}, 3), 0); /* no price */
    assert_int_equal(case_bar(&c, 1, (double[]){101, 100}, 3), 1);
    case_close(&c);
}

static void ema_cross_score_is_the_sum_of_its_reasons(void **state)
{
    (void)state;
    union tn_number p[TN_MAX_PARAMS];
    struct cross_case c;
    defaults(p);
    p[GAIN].f = 50;
    case_open(&c, p);
    bar(&c, 99, 100);
    assert_int_equal(bar(&c, 101, 100), 1); /* 1 % x 50 */
    assert_int_equal(c.signal.score_ppm, 500000);
    assert_int_equal(c.signal.reason_count, 2);
    assert_int_equal(c.signal.reason[FAST].input, FAST);
    assert_int_equal(c.signal.reason[FAST].contribution_ppm, 50500000);
    assert_int_equal(c.signal.reason[SLOW].contribution_ppm, -50000000);
    assert_true(c.signal.reason[FAST].value == 101 && c.signal.reason[SLOW].value == 100);
    assert_int_equal(bar(&c, 90, 100), 1); /* -10 % x 50: held at -1 by a named reason */
    assert_int_equal(c.signal.score_ppm, -TN_ONE_PPM);
    assert_int_equal(c.signal.reason_count, 3);
    assert_int_equal(c.signal.reason[2].input, TN_REASON_CLAMP);
    assert_int_equal(c.signal.reason[2].contribution_ppm, 4000000);
    assert_true(c.signal.reason[2].value == -5.0);
    assert_int_equal(bar(&c, 100.00000001, 100), 1); /* too near for a millionth: still long */
    assert_int_equal(c.signal.score_ppm, 1);
    assert_int_equal(bar(&c, 1, 100000000), 1);
    assert_int_equal(bar(&c, 100000000, 1), 1); /* a contribution held at 200 */
    assert_int_equal(c.signal.reason[FAST].contribution_ppm, 200000000);
    case_close(&c);
}

static void ema_cross_advice_follows_the_parameters(void **state)
{
    (void)state;
    union tn_number p[TN_MAX_PARAMS];
    struct cross_case c;
    defaults(p);
    case_open(&c, p);
    bar(&c, 99, 100);
    assert_int_equal(bar(&c, 101, 100), 1);
    assert_int_equal(c.signal.advice, TN_ADVICE_TARGET);
    assert_int_equal(c.signal.target_ppm, p[TARGET].i);
    assert_int_equal(c.signal.horizon_ns, 60000000000);
    case_close(&c);

    p[TARGET].i = 250000;
    p[STOP].i = 20000;
    p[LIMIT].i = 100;
    p[TTL].i = 30;
    case_open(&c, p);
    bar(&c, 99, 100);
    assert_int_equal(bar(&c, 101, 100), 1);
    assert_int_equal(c.signal.advice,
                     TN_ADVICE_TARGET | TN_ADVICE_STOP | TN_ADVICE_LIMIT | TN_ADVICE_TTL);
    assert_int_equal(c.signal.target_ppm, 250000);
    assert_int_equal(c.signal.stop_distance, 2000); /* 2 % of 1000.00 */
    assert_int_equal(c.signal.limit_offset, 10);
    assert_int_equal(c.signal.ttl_ns, 30 * 60000000000);
    assert_int_equal(case_bar(&c, 3, (double[]){99, 100}, 3), 1);
    assert_int_equal(c.signal.stop_distance, 1); /* a stop asked for is never lost */
    assert_int_equal(case_bar(&c, INT64_MAX, (double[]){101, 100}, 3), 1);
    assert_int_equal(c.signal.stop_distance, INT64_MAX / 50);
    case_close(&c);
}

static void ema_cross_inputs_of_another_count_are_refused(void **state)
{
    (void)state;
    union tn_number p[TN_MAX_PARAMS];
    struct cross_case c;
    const struct tn_strategy_ops *ops = tn_entry.ops;
    const struct tn_event ev = plugin_bar(1, 5, 5, 5);
    const double in[2] = {1, 2};
    const uint32_t ready = 3;
    const struct tn_inputs one = {
        .size = sizeof one, .input_count = 1, .value = in, .ready = &ready};
    struct tn_signals out = {.size = sizeof out};
    defaults(p);
    case_open(&c, p);
    assert_int_equal(ops->on_events(c.inst, &ev, 1, &one, &out), TN_E_DATA);
    assert_int_equal(ops->on_events(c.inst, &ev, 1, NULL, &out), TN_E_DATA);
    case_close(&c);
}

static void ema_cross_no_finite_input_fails_the_instance(void **state)
{
    (void)state;
    union tn_number p[TN_MAX_PARAMS];
    struct cross_case c;
    const struct tn_strategy_ops *ops = tn_entry.ops;
    const struct tn_event ev = plugin_bar(2, 5, 5, 5);
    const double in[2] = {__builtin_inf(), 100};
    const uint32_t ready = 3;
    const struct tn_inputs i = {.size = sizeof i, .input_count = 2, .value = in, .ready = &ready};
    struct tn_signals out = {.size = sizeof out, .capacity = 1, .signal = &(struct tn_signal){0}};
    defaults(p);
    case_open(&c, p);
    bar(&c, 99, 100);
    assert_int_equal(ops->on_events(c.inst, &ev, 1, &i, &out), TN_E_DATA);
    case_close(&c);
}

static void ema_cross_signal_over_capacity_is_counted_not_written(void **state)
{
    (void)state;
    union tn_number p[TN_MAX_PARAMS];
    struct cross_case c;
    const struct tn_strategy_ops *ops = tn_entry.ops;
    const struct tn_event ev = plugin_bar(2, 5, 5, 5);
    const double in[2] = {101, 100};
    const uint32_t ready = 3;
    const struct tn_inputs i = {.size = sizeof i, .input_count = 2, .value = in, .ready = &ready};
    struct tn_signals out = {.size = sizeof out, .capacity = 0, .signal = NULL};
    defaults(p);
    case_open(&c, p);
    bar(&c, 99, 100);
    assert_int_equal(ops->on_events(c.inst, &ev, 1, &i, &out), TN_OK);
    assert_int_equal(out.count, 1); /* over the capacity: the host calls it a fault */
    case_close(&c);
}

static void ema_cross_contract_cards_hold(void **state)
{
    (void)state;
    cards_run(&tn_entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ema_cross_at_each_crossing_signals_once),
        cmocka_unit_test(ema_cross_without_ready_inputs_is_silent),
        cmocka_unit_test(ema_cross_score_is_the_sum_of_its_reasons),
        cmocka_unit_test(ema_cross_advice_follows_the_parameters),
        cmocka_unit_test(ema_cross_inputs_of_another_count_are_refused),
        cmocka_unit_test(ema_cross_no_finite_input_fails_the_instance),
        cmocka_unit_test(ema_cross_signal_over_capacity_is_counted_not_written),
        cmocka_unit_test(ema_cross_contract_cards_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
