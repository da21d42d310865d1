/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: each order's attempts bear the epoch of the event that made it, however many starts a
 * journal holds; what is older than its first start is known to be that.
 * Method: a journal of 3,000 starts, ten events each, whose beginning was pruned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "flow/roads_priv.h"

enum { STARTS = 3000, EVENTS = 10, FIRST_EPOCH = 41, FIRST_SEQ = 500 };
static struct roads roads;

static uint64_t order_at(uint64_t seq)
{
    return seq << 10 | 3;
}

static void begin(uint32_t starts)
{
    free(roads.epoch);
    roads = (struct roads){.setup.epoch = FIRST_EPOCH + starts};
    for (uint32_t i = 0; i < starts; i++) {
        const struct fact_head head = {.type = FACT_START, .seq = FIRST_SEQ + i * EVENTS};
        const struct fact_start start = {.epoch = FIRST_EPOCH + i};
        roads_past(&roads, &head, &start);
    }
}

static void roads_epoch_is_that_of_the_event(void **state)
{
    (void)state;
    begin(STARTS);
    for (uint64_t i = 0; i < STARTS * EVENTS; i++) {
        const uint64_t order = order_at(FIRST_SEQ + i);
        assert_int_equal(roads_epoch(&roads, order), FIRST_EPOCH + i / EVENTS);
        assert_false(roads_is_pruned(&roads, order));
    }
}

static void roads_epoch_before_the_first_start_is_the_one_before(void **state)
{
    (void)state;
    begin(STARTS);
    assert_true(roads_is_pruned(&roads, order_at(FIRST_SEQ - 1)));
    assert_int_equal(roads_epoch(&roads, order_at(FIRST_SEQ - 1)), FIRST_EPOCH - 1);
    begin(0);
    assert_true(roads_is_pruned(&roads, order_at(7)));
    assert_int_equal(roads_epoch(&roads, order_at(7)), FIRST_EPOCH);
    free(roads.epoch);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        TEST(roads_epoch_is_that_of_the_event),
        TEST(roads_epoch_before_the_first_start_is_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
