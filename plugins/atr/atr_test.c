/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: atr's numbers are right and its glue keeps the contract. Method: the maths against a table
 * computed apart from it (tests/contract/golden_indicators.py), its edges by hand, and all cards
 * of tests/contract/plugin_cards.h over the sources of the plugin, sanitizers included.
 */
#include "tests/contract/plugin_cards.h"
#include "plugins/atr/atr_math.c"
#include "plugins/atr/atr.c"

enum { FIRST_COLUMN = 9 };

static void atr_golden_series_match(void **state)
{
    (void)state;
    struct plugin_golden *g = plugin_golden_read();
    for (int c = FIRST_COLUMN; c < FIRST_COLUMN + 3; c++) {
        struct atr s;
        for (uint32_t i = 0; i < g->rows; i++) {
            const struct plugin_golden_row *row = &g->row[i];
            if (i == 0 || strcmp(row->series, row[-1].series) != 0)
                atr_init(&s, PLUGIN_GOLDEN_PERIOD[c]);
            atr_push(&s, (double)row->high, (double)row->low, (double)row->close);
            assert_int_equal(atr_is_ready(&s), row->has[c]);
            assert_true(plugin_is_near(atr_value(&s), row->value[c], 1e-9));
        }
    }
    free(g);
}

static void atr_gap_counts_from_the_last_close(void **state)
{
    (void)state;
    struct atr s;
    atr_init(&s, 1);
    atr_push(&s, 12, 8, 10);
    assert_false(atr_is_ready(&s)); /* the first bar has no true range */
    atr_push(&s, 21, 20, 20);
    assert_true(atr_value(&s) == 11.0);
    atr_push(&s, 6, 5, 5);
    assert_true(atr_value(&s) == 15.0);
}

static void atr_still_market_reaches_zero(void **state)
{
    (void)state;
    struct atr s;
    atr_init(&s, 2);
    for (int i = 0; i < 5; i++)
        atr_push(&s, 12, 8, 10);
    assert_true(atr_value(&s) == 4.0);
    for (int i = 0; i < 200; i++)
        atr_push(&s, 10, 10, 10);
    assert_true(atr_value(&s) == 0.0);
}

static void atr_contract_cards_hold(void **state)
{
    (void)state;
    cards_run(&tn_entry);
}

static void atr_damaged_members_are_refused(void **state)
{
    (void)state;
    struct atr good;
    atr_init(&good, 5);
    for (int i = 1; i <= 9; i++)
        atr_push(&good, (double)i + 1, (double)i - 1, (double)i);
    assert_true(atr_is_valid(&good, 5));
    assert_false(atr_is_valid(&good, 6));
    assert_false(atr_is_valid(&good, 0));
    struct atr bad = good;
    bad.count = 99;
    assert_false(atr_is_valid(&bad, 5));
    bad.count = -1;
    assert_false(atr_is_valid(&bad, 5));
    bad = good;
    bad.value = -1;
    assert_false(atr_is_valid(&bad, 5));
    bad.value = __builtin_nan("");
    assert_false(atr_is_valid(&bad, 5));
    bad = good;
    bad.close = __builtin_nan("");
    assert_false(atr_is_valid(&bad, 5));
    atr_init(&good, 5);
    bad = good;
    bad.close = 1;
    assert_false(atr_is_valid(&bad, 5));
    atr_push(&good, 3, 1, 2);
    assert_true(atr_is_valid(&good, 5));
    good.value = 1;
    assert_false(atr_is_valid(&good, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(atr_golden_series_match),
        cmocka_unit_test(atr_gap_counts_from_the_last_close),
        cmocka_unit_test(atr_still_market_reaches_zero),
        cmocka_unit_test(atr_damaged_members_are_refused),
        cmocka_unit_test(atr_contract_cards_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
