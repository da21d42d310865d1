/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: ema_cross 1.1.0 takes a crossing only once the averages are k x atr apart, and is 1.0.0
 * for k = 0. Method: made-up averages bar by bar over its sources, and the contract cards.
 */
#include "tests/contract/plugin_cards.h"
#include "strategies/ema_cross/1.1.0/ema_cross.c"
#include "strategies/ema_cross/ema_cross_case.h"

static void open_with_k(struct cross_case *c, double k)
{
    union tn_number p[TN_MAX_PARAMS] = {{0}};
    plugin_host_defaults(tn_entry.manifest, p);
    p[K].f = k;
    case_open(c, p);
}

static uint32_t bar(struct cross_case *c, double fast, double atr)
{
    return case_bar(c, 100000, (double[]){fast, 100, atr}, 7);
}

static void ema_cross_inside_the_band_is_silent(void **state)
{
    (void)state;
    struct cross_case c;
    open_with_k(&c, 0.5);
    assert_int_equal(bar(&c, 98, 2), 0);    /* below, by more than 0.5 x 2 */
    assert_int_equal(bar(&c, 100.5, 2), 0); /* crossed, but inside the band */
    assert_int_equal(bar(&c, 101, 2), 0);   /* on its edge */
    assert_int_equal(bar(&c, 101.5, 2), 1);
    assert_int_equal(c.signal.side, TN_LONG);
    assert_int_equal(bar(&c, 99.5, 2), 0); /* back inside: still long */
    assert_int_equal(bar(&c, 101.5, 2), 0);
    assert_int_equal(bar(&c, 98.9, 2), 1);
    assert_int_equal(c.signal.side, TN_SHORT);
    case_close(&c);
}

static void ema_cross_first_side_is_taken_outside_the_band_only(void **state)
{
    (void)state;
    struct cross_case c;
    open_with_k(&c, 1);
    assert_int_equal(bar(&c, 101, 5), 0); /* not known yet */
    assert_int_equal(bar(&c, 110, 5), 0); /* known now: long */
    assert_int_equal(bar(&c, 90, 5), 1);
    assert_int_equal(c.signal.side, TN_SHORT);
    case_close(&c);
}

static void ema_cross_atr_is_a_reason_without_weight(void **state)
{
    (void)state;
    struct cross_case c;
    open_with_k(&c, 0);
    assert_int_equal(bar(&c, 99, 3), 0);
    assert_int_equal(bar(&c, 100.5, 3), 1); /* k = 0: as 1.0.0 */
    assert_int_equal(c.signal.score_ppm, 250000);
    assert_int_equal(c.signal.reason[ATR].input, ATR);
    assert_int_equal(c.signal.reason[ATR].contribution_ppm, 0);
    assert_true(c.signal.reason[ATR].value == 3);
    case_close(&c);
}

static void ema_cross_without_atr_is_silent(void **state)
{
    (void)state;
    struct cross_case c;
    open_with_k(&c, 0);
    assert_int_equal(case_bar(&c, 1, (double[]){99, 100, 1}, 7), 0);
    assert_int_equal(case_bar(&c, 1, (double[]){101, 100, 1}, 3), 0);
    assert_int_equal(case_bar(&c, 1, (double[]){101, 100, 1}, 7), 1);
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
        cmocka_unit_test(ema_cross_inside_the_band_is_silent),
        cmocka_unit_test(ema_cross_first_side_is_taken_outside_the_band_only),
        cmocka_unit_test(ema_cross_atr_is_a_reason_without_weight),
        cmocka_unit_test(ema_cross_without_atr_is_silent),
        cmocka_unit_test(ema_cross_contract_cards_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
