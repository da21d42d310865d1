/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the short road of the core's arithmetic gives what base/num.h gives, always. Method: each
 * function of core/quick.h beside its namesake, in every rounding mode, on all pairs of edge values
 * and on seeded random ones of every magnitude; results and codes must be the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>
#include "base/clock.h"
#include "core/quick.h"

enum { RANDOM_CASES = 300000 };

static const int64_t edge[] = {0,
                               1,
                               -1,
                               2,
                               -2,
                               3,
                               -3,
                               5,
                               -5,
                               10,
                               999999,
                               1000000,
                               -1000001,
                               INT32_MAX,
                               INT32_MIN,
                               INT64_MAX,
                               INT64_MIN,
                               INT64_MAX - 1,
                               INT64_MIN + 1,
                               INT64_MAX / 2,
                               INT64_MIN / 2};
enum { EDGES = sizeof edge / sizeof edge[0] };

static void same(struct result r, int64_t got, struct result wanted, int64_t value)
{
    assert_int_equal(r.code, wanted.code);
    if (is_ok(wanted))
        assert_true(got == value);
}

static void compare_division(num_i128 wide, int64_t divisor)
{
    for (int mode = NUM_TOWARD_ZERO; mode <= NUM_AWAY; mode++) {
        int64_t got = 7, value = 7;
        struct result r = quick_div(wide, divisor, (enum num_round)mode, &got);
        struct result wanted = num_div128(wide, divisor, (enum num_round)mode, &value);
        same(r, got, wanted, value);
    }
}

static void compare_product(int64_t a, int64_t b, int64_t c)
{
    for (int mode = NUM_TOWARD_ZERO; mode <= NUM_AWAY; mode++) {
        int64_t got = 7, value = 7;
        struct result r = quick_muldiv(a, b, c, (enum num_round)mode, &got);
        struct result wanted = num_muldiv(a, b, c, (enum num_round)mode, &value);
        same(r, got, wanted, value);
    }
}

static void compare_step(int64_t v, int64_t step)
{
    for (int mode = NUM_TOWARD_ZERO; mode <= NUM_AWAY; mode++) {
        int64_t got = 7, value = 7;
        struct result r = quick_to_step(v, step, (enum num_round)mode, &got);
        struct result wanted = num_to_step(v, step, (enum num_round)mode, &value);
        same(r, got, wanted, value);
    }
}

static void compare_sum(int64_t a, int64_t b)
{
    int64_t got = 7, value = 7;
    struct result r = quick_add(a, b, &got), wanted = num_add(a, b, &value);
    same(r, got, wanted, value);
    r = quick_sub(a, b, &got);
    wanted = num_sub(a, b, &value);
    same(r, got, wanted, value);
}

static void quick_edges_give_what_num_gives(void **state)
{
    (void)state;
    for (int i = 0; i < EDGES; i++) {
        for (int k = 0; k < EDGES; k++) {
            compare_sum(edge[i], edge[k]);
            if (edge[k] != 0)
                compare_division(edge[i], edge[k]);
            if (edge[k] > 0)
                compare_step(edge[i], edge[k]);
            for (int n = 0; n < EDGES; n++) {
                if (edge[n] != 0)
                    compare_product(edge[i], edge[k], edge[n]);
            }
        }
    }
}

/* Of every magnitude: a random number of its bits is kept. */
static int64_t any(struct rng *g)
{
    return (int64_t)rng_next(g) >> rng_below(g, 64);
}

static void quick_random_values_give_what_num_gives(void **state)
{
    (void)state;
    struct rng g;
    uint64_t seed = (uint64_t)time(NULL);
    print_message("seed %lu\n", (unsigned long)seed);
    rng_seed(&g, seed);
    for (int i = 0; i < RANDOM_CASES; i++) {
        int64_t a = any(&g), b = any(&g), c = any(&g);
        compare_sum(a, b);
        if (c == 0)
            continue;
        compare_division((num_i128)a * b, c);
        compare_product(a, b, c);
        if (c > 0)
            compare_step(a, c);
    }
}

/* A tie is where the modes differ most: exact halves of an even and of an odd quotient. */
static void quick_half_goes_to_even(void **state)
{
    (void)state;
    static const struct {
        int64_t n, divisor, wanted;
    } row[] = {{1, 2, 0},
               {3, 2, 2},
               {5, 2, 2},
               {-1, 2, 0},
               {-3, 2, -2},
               {-5, 2, -2},
               {15, 10, 2},
               {25, 10, 2},
               {26, 10, 3},
               {-26, 10, -3},
               {INT64_MAX, 2, INT64_MAX / 2 + 1}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_true(quick_round(row[i].n, row[i].divisor, NUM_HALF_EVEN) == row[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_edges_give_what_num_gives),
        cmocka_unit_test(quick_random_values_give_what_num_gives),
        cmocka_unit_test(quick_half_goes_to_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
