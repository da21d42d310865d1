/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a parameter's value is taken exactly when its row allows it. Method: edges of each type,
 * and int64 rows whose spans overflow signed arithmetic.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "bays/bay.h"

static bool takes_int(const struct tn_param *row, int64_t v)
{
    struct trail tr = {0};
    bool ok = is_ok(bay_param_check(row, (union tn_number){.i = v}, &tr));
    assert_true(ok || strstr(tr.frame[0].text, row->name));
    return ok;
}

static bool takes_real(const struct tn_param *row, double v)
{
    struct trail tr = {0};
    bool ok = is_ok(bay_param_check(row, (union tn_number){.f = v}, &tr));
    assert_true(ok || strstr(tr.frame[0].text, row->name));
    return ok;
}

static void param_integer_edges_decide(void **state)
{
    (void)state;
    const struct tn_param row = TN_PARAM_INT("n", 5, -3, 12, 3, "", "Some.");
    assert_true(takes_int(&row, -3));
    assert_true(takes_int(&row, 0));
    assert_true(takes_int(&row, 12));
    assert_false(takes_int(&row, 1));
    assert_false(takes_int(&row, -4));
    assert_false(takes_int(&row, 13));
    assert_false(takes_int(&row, INT64_MIN));
}

static void param_widest_integer_row_does_not_overflow(void **state)
{
    (void)state;
    const struct tn_param row = TN_PARAM_INT("n", 0, INT64_MIN, INT64_MAX, 5, "", "Some.");
    assert_true(takes_int(&row, INT64_MIN));
    assert_true(takes_int(&row, INT64_MAX)); /* 2^64 - 1 is a multiple of 5 */
    assert_false(takes_int(&row, INT64_MAX - 1));
}

static void param_real_edges_decide(void **state)
{
    (void)state;
    const struct tn_param any = TN_PARAM_REAL("x", 0, -1, 1, 0, "", "Some.");
    const struct tn_param tenth = TN_PARAM_REAL("y", 0.1, 0.1, 2, 0.1, "", "Some.");
    assert_true(takes_real(&any, -1) && takes_real(&any, 1) && takes_real(&any, 0.123456789));
    assert_false(takes_real(&any, nextafter(1, 2)));
    assert_false(takes_real(&any, (double)NAN));
    assert_false(takes_real(&any, (double)INFINITY));
    for (int i = 1; i <= 20; i++)
        assert_true(takes_real(&tenth, i * 0.1 > 2 ? 2 : i * 0.1));
    assert_false(takes_real(&tenth, 0.15));
}

static void param_flag_is_zero_or_one(void **state)
{
    (void)state;
    const struct tn_param row = TN_PARAM_FLAG("on", 1, "Some.");
    assert_true(takes_int(&row, 0) && takes_int(&row, 1));
    assert_false(takes_int(&row, 2));
    assert_false(takes_int(&row, -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(param_integer_edges_decide),
        cmocka_unit_test(param_widest_integer_row_does_not_overflow),
        cmocka_unit_test(param_real_edges_decide),
        cmocka_unit_test(param_flag_is_zero_or_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
