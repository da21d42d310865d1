/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: ema's numbers are right and its glue keeps the contract. Method: the maths against a table
 * computed apart from it (tests/contract/golden_indicators.py), its edges by hand, and all cards
 * of tests/contract/plugin_cards.h over the sources of the plugin, sanitizers included.
 */
#include "tests/contract/plugin_cards.h"
#include "plugins/ema/ema_math.c"
#include "plugins/ema/ema.c"

enum { FIRST_COLUMN = 3 };

static void ema_golden_series_match(void **state)
{
    (void)state;
    struct plugin_golden *g = plugin_golden_read();
    for (int c = FIRST_COLUMN; c < FIRST_COLUMN + 3; c++) {
        struct ema s;
        for (uint32_t i = 0; i < g->rows; i++) {
            const struct plugin_golden_row *row = &g->row[i];
            if (i == 0 || strcmp(row->series, row[-1].series) != 0)
                ema_init(&s, PLUGIN_GOLDEN_PERIOD[c]);
            ema_push(&s, (double)row->close);
            assert_int_equal(ema_is_ready(&s), row->has[c]);
            assert_true(plugin_is_near(ema_value(&s), row->value[c], 1e-9));
        }
    }
    free(g);
}

static void ema_seed_is_the_plain_average(void **state)
{
    (void)state;
    struct ema s;
    ema_init(&s, 4);
    for (int i = 1; i <= 4; i++) {
        assert_true(ema_value(&s) == 0.0);
        ema_push(&s, 10.0 * i);
    }
    assert_true(ema_value(&s) == 25.0);
    ema_push(&s, 35.0); /* k = 0.4 */
    assert_true(ema_value(&s) == 29.0);
}

static void ema_contract_cards_hold(void **state)
{
    (void)state;
    cards_run(&tn_entry);
}

static void ema_damaged_members_are_refused(void **state)
{
    (void)state;
    struct ema good;
    ema_init(&good, 5);
    for (int i = 1; i <= 9; i++)
        ema_push(&good, (double)i);
    assert_true(ema_is_valid(&good, 5));
    assert_false(ema_is_valid(&good, 6));
    assert_false(ema_is_valid(&good, 0));
    struct ema bad = good;
    bad.count = 99;
    assert_false(ema_is_valid(&bad, 5));
    bad.count = -1;
    assert_false(ema_is_valid(&bad, 5));
    bad = good;
    bad.value = __builtin_nan("");
    assert_false(ema_is_valid(&bad, 5));
    bad.value = 1e300;
    assert_false(ema_is_valid(&bad, 5));
    bad = good;
    bad.k = 0.5;
    assert_false(ema_is_valid(&bad, 5));
    ema_init(&good, 5);
    assert_true(ema_is_valid(&good, 5));
    good.value = 1;
    assert_false(ema_is_valid(&good, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ema_golden_series_match),
        cmocka_unit_test(ema_seed_is_the_plain_average),
        cmocka_unit_test(ema_damaged_members_are_refused),
        cmocka_unit_test(ema_contract_cards_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
