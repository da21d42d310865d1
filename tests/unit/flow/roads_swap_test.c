/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: between two sessions of an account no market event is lost and none is given twice.
 * Method: both sessions hear one stream; the old one is cut off at every place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "flow/roads_priv.h"

enum { EVENTS = 2 * ROADS_SPARE };
static struct roads_account a;

static struct line_event event_of(uint32_t i)
{
    return (struct line_event){.event = {.size = sizeof(struct tn_event),
                                         .type = TN_EVENT_BAR + i % 3,
                                         .t_ns = 1000 + i,
                                         .instrument = 5 + i % 2}};
}

static void begin(void)
{
    memset(&a, 0, sizeof a);
    a.names.instrument_count = 2;
    a.names.instrument[0].id = 5;
    a.names.instrument[1].id = 6;
    a.spare = calloc(ROADS_SPARE, sizeof *a.spare);
    assert_non_null(a.spare);
}

/* The old one gave all before `old`, the new one was beside it from `from` to `to`. */
static uint32_t next_after(uint32_t old, uint32_t from, uint32_t to)
{
    struct line_event e, want;
    uint32_t given = old;
    begin();
    for (uint32_t i = 0; i < old; i++) {
        e = event_of(i);
        roads_given(&a, &e.event);
    }
    for (uint32_t i = from; i < to; i++) {
        e = event_of(i);
        roads_spare(&a, &e);
    }
    for (; roads_spare_next(&a, &e); given++) {
        want = event_of(given);
        assert_memory_equal(&e, &want, sizeof e);
    }
    roads_spare_end(&a);
    assert_null(a.spare);
    return given;
}

static void roads_swap_goes_on_where_the_old_session_ended(void **state)
{
    (void)state;
    for (uint32_t old = 10; old <= 40; old++)
        assert_int_equal(next_after(old, 10, 40), 40);
    assert_int_equal(next_after(50, 10, 40), 50); /* it was ahead */
}

static void roads_swap_keeps_the_newest(void **state)
{
    (void)state;
    assert_int_equal(next_after(EVENTS - ROADS_SPARE, 0, EVENTS), EVENTS);
    assert_int_equal(next_after(EVENTS - 1, 0, EVENTS), EVENTS);
}

static void roads_swap_without_a_second_session_keeps_nothing(void **state)
{
    (void)state;
    struct line_event e = event_of(0);
    begin();
    roads_spare_end(&a);
    roads_spare(&a, &e);
    assert_false(roads_spare_next(&a, &e));
    e.event.instrument = 9; /* of nobody */
    roads_given(&a, &e.event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roads_swap_goes_on_where_the_old_session_ended),
        cmocka_unit_test(roads_swap_keeps_the_newest),
        cmocka_unit_test(roads_swap_without_a_second_session_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
