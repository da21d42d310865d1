/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what waits leaves in one order, whatever way it came. Method: random inputs from a printed
 * seed, given in two orders, against a plain sort.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "flow/road_hold.h"

enum { ROWS = 500 };

static int by_rule(const void *a, const void *b)
{
    const struct road_held *x = a, *y = b;
    if (x->due_ns != y->due_ns)
        return x->due_ns < y->due_ns ? -1 : 1;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->tie < y->tie ? -1 : 1;
}

static void road_hold_order_does_not_depend_on_arrival(void **state)
{
    (void)state;
    static struct road_held in[ROWS], out;
    struct road_hold h;
    struct rng r;
    uint64_t seed = 5;
    rng_seed(&r, seed);
    assert_true(is_ok(road_hold_open(&h, ROWS)));
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < ROWS; i++)
            in[i] = (struct road_held){.due_ns = (int64_t)rng_below(&r, 20),
                                       .source = (uint32_t)rng_below(&r, 3),
                                       .tie = i};
        for (uint32_t i = ROWS; i-- > 1;) { /* shuffled */
            uint32_t k = (uint32_t)rng_below(&r, i + 1);
            out = in[i];
            in[i] = in[k];
            in[k] = out;
        }
        for (uint32_t i = 0; i < ROWS; i++) {
            assert_true(road_hold_has_room(&h));
            road_hold_put(&h, &in[i]);
        }
        assert_false(road_hold_has_room(&h));
        qsort(in, ROWS, sizeof in[0], by_rule);
        for (uint32_t i = 0; i < ROWS; i++) {
            assert_int_equal(road_hold_due(&h), in[i].due_ns);
            road_hold_take(&h, &out);
            if (out.tie != in[i].tie)
                fail_msg("seed %lu, round %u: place %u has another", (unsigned long)seed, round, i);
        }
        assert_int_equal(road_hold_due(&h), INT64_MAX);
    }
    road_hold_close(&h);
}

/* Of one source at one time, with one tie: first come, first served. */
static void road_hold_equal_ones_keep_their_order(void **state)
{
    (void)state;
    struct road_hold h;
    struct road_held in = {.due_ns = 7}, out;
    assert_true(is_ok(road_hold_open(&h, 64)));
    for (uint64_t i = 0; i < 64; i++) {
        in.cause_seq = i;
        road_hold_put(&h, &in);
    }
    for (uint64_t i = 0; i < 64; i++) {
        road_hold_take(&h, &out);
        assert_int_equal(out.cause_seq, i);
    }
    road_hold_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(road_hold_order_does_not_depend_on_arrival),
        cmocka_unit_test(road_hold_equal_ones_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
