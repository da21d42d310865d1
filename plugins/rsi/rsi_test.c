/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: rsi's numbers are right and its glue keeps the contract. Method: the maths against a table
 * computed apart from it (tests/contract/golden_indicators.py), its edges by hand, and all cards
 * of tests/contract/plugin_cards.h over the sources of the plugin, sanitizers included.
 */
#include "tests/contract/plugin_cards.h"
#include "plugins/rsi/rsi_math.c"
#include "plugins/rsi/rsi.c"

enum { FIRST_COLUMN = 6 };

static void rsi_golden_series_match(void **state)
{
    (void)state;
    struct plugin_golden *g = plugin_golden_read();
    for (int c = FIRST_COLUMN; c < FIRST_COLUMN + 3; c++) {
        struct rsi s;
        for (uint32_t i = 0; i < g->rows; i++) {
            const struct plugin_golden_row *row = &g->row[i];
            if (i == 0 || strcmp(row->series, row[-1].series) != 0)
                rsi_init(&s, PLUGIN_GOLDEN_PERIOD[c]);
            rsi_push(&s, (double)row->close);
            assert_int_equal(rsi_is_ready(&s), row->has[c]);
            assert_true(plugin_is_near(rsi_value(&s), row->value[c], 1e-9));
        }
    }
    free(g);
}

static void rsi_still_market_gives_zero(void **state)
{
    (void)state;
    struct rsi s;
    rsi_init(&s, 3);
    for (int i = 0; i < 10; i++)
        rsi_push(&s, 500);
    assert_true(rsi_is_ready(&s) && rsi_value(&s) == 0.0);
}

static void rsi_after_moves_stop_ratio_stays_then_zero(void **state)
{
    (void)state;
    struct rsi s;
    rsi_init(&s, 3);
    for (int i = 0; i < 10; i++)
        rsi_push(&s, 500 + i % 2);
    const double before = rsi_value(&s);
    assert_true(before > 50 && before < 70);
    int bars = 0;
    for (; bars < 1000 && rsi_value(&s) != 0.0; bars++) {
        assert_true(plugin_is_near(rsi_value(&s), before, 1e-9));
        rsi_push(&s, 501);
    }
    assert_in_range(bars, 10, 999);
    assert_true(s.gain == 0.0 && s.loss == 0.0);
}

static void rsi_one_way_market_is_at_the_ends(void **state)
{
    (void)state;
    struct rsi up, down;
    rsi_init(&up, 2);
    rsi_init(&down, 2);
    for (int i = 0; i < 5; i++) {
        rsi_push(&up, i);
        rsi_push(&down, -i);
    }
    assert_true(rsi_value(&up) == 100.0 && rsi_value(&down) == 0.0);
}

static void rsi_contract_cards_hold(void **state)
{
    (void)state;
    cards_run(&tn_entry);
}

static void rsi_damaged_members_are_refused(void **state)
{
    (void)state;
    struct rsi good;
    rsi_init(&good, 5);
    for (int i = 1; i <= 9; i++)
        rsi_push(&good, (double)i);
    assert_true(rsi_is_valid(&good, 5));
    assert_false(rsi_is_valid(&good, 6));
    assert_false(rsi_is_valid(&good, 0));
    struct rsi bad = good;
    bad.count = 99;
    assert_false(rsi_is_valid(&bad, 5));
    bad.count = -1;
    assert_false(rsi_is_valid(&bad, 5));
    bad = good;
    bad.gain = -1;
    assert_false(rsi_is_valid(&bad, 5));
    bad.gain = __builtin_nan("");
    assert_false(rsi_is_valid(&bad, 5));
    bad = good;
    bad.loss = 1e300;
    assert_false(rsi_is_valid(&bad, 5));
    bad = good;
    bad.last = __builtin_nan("");
    assert_false(rsi_is_valid(&bad, 5));
    rsi_init(&good, 5);
    bad = good;
    bad.last = 1;
    assert_false(rsi_is_valid(&bad, 5));
    rsi_push(&good, 7);
    assert_true(rsi_is_valid(&good, 5));
    good.gain = 1;
    assert_false(rsi_is_valid(&good, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsi_golden_series_match),
        cmocka_unit_test(rsi_still_market_gives_zero),
        cmocka_unit_test(rsi_after_moves_stop_ratio_stays_then_zero),
        cmocka_unit_test(rsi_one_way_market_is_at_the_ends),
        cmocka_unit_test(rsi_damaged_members_are_refused),
        cmocka_unit_test(rsi_contract_cards_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
