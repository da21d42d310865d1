/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: sma's numbers are right and its glue keeps the contract. Method: the maths against a table
 * computed apart from it (tests/contract/golden_indicators.py), its edges by hand, and all cards
 * of tests/contract/plugin_cards.h over the sources of the plugin, sanitizers included.
 */
#include "tests/contract/plugin_cards.h"
#include "plugins/sma/sma_math.c"
#include "plugins/sma/sma.c"

enum { FIRST_COLUMN = 0 };

static void sma_golden_series_match(void **state)
{
    (void)state;
    struct plugin_golden *g = plugin_golden_read();
    for (int c = FIRST_COLUMN; c < FIRST_COLUMN + 3; c++) {
        struct sma s;
        for (uint32_t i = 0; i < g->rows; i++) {
            const struct plugin_golden_row *row = &g->row[i];
            if (i == 0 || strcmp(row->series, row[-1].series) != 0)
                sma_init(&s, PLUGIN_GOLDEN_PERIOD[c]);
            sma_push(&s, row->close);
            assert_int_equal(sma_is_ready(&s), row->has[c]);
            assert_true(plugin_is_near(sma_value(&s), row->value[c], 1e-9));
        }
    }
    free(g);
}

static void sma_long_run_does_not_drift(void **state)
{
    (void)state;
    struct sma s;
    sma_init(&s, 7);
    for (int64_t i = 0; i < 1000000; i++)
        sma_push(&s, i % 2 ? 4611686018427387904 : 3); /* a sum of doubles would lose the 3 */
    for (int64_t i = 1; i <= 7; i++)
        sma_push(&s, i);
    assert_true(sma_value(&s) == 4.0);
    assert_true(sma_is_valid(&s, 7));
}

static void sma_contract_cards_hold(void **state)
{
    (void)state;
    cards_run(&tn_entry);
}

static void sma_damaged_members_are_refused(void **state)
{
    (void)state;
    struct sma good;
    sma_init(&good, 5);
    for (int i = 1; i <= 9; i++)
        sma_push(&good, i);
    assert_true(sma_is_valid(&good, 5));
    assert_false(sma_is_valid(&good, 6));
    assert_false(sma_is_valid(&good, 0));
    struct sma bad = good;
    bad.count = 99;
    assert_false(sma_is_valid(&bad, 5));
    bad.count = -1;
    assert_false(sma_is_valid(&bad, 5));
    bad = good;
    bad.head = 5;
    assert_false(sma_is_valid(&bad, 5));
    bad = good;
    bad.sum++;
    assert_false(sma_is_valid(&bad, 5));
    bad = good;
    bad.window[100] = 1;
    assert_false(sma_is_valid(&bad, 5));
    bad = good;
    bad.reserved = 1;
    assert_false(sma_is_valid(&bad, 5));
    sma_init(&good, 5);
    sma_push(&good, 1);
    good.head = 3; /* not where one value leads */
    assert_false(sma_is_valid(&good, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sma_golden_series_match),
        cmocka_unit_test(sma_long_run_does_not_drift),
        cmocka_unit_test(sma_damaged_members_are_refused),
        cmocka_unit_test(sma_contract_cards_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
