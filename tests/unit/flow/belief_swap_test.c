/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: builds come to a belief and leave it between two events, and the others notice nothing: the
 * same order, the same bars, no answer lost, no memory asked for. Method: the noting bay of
 * belief_rig.h; the heap is watched. Belief itself is in belief_test.c.
 */
#include "tests/unit/flow/belief_rig.h"
#include "flow/tap.h"
#include "tests/lib/alloc_watch.h"

static struct belief *make_idle(struct noting_bay *n, const struct belief_route *route,
                                uint32_t count, uint32_t room)
{
    struct belief *b = NULL;
    struct trail tr = {0};
    assert_true(is_ok(belief_new(room, &b, &tr)));
    for (uint32_t i = 0; i < count; i++) {
        noting_init(&n[i]);
        assert_true(is_ok(belief_add(b, &n[i].bay, &route[i], &tr)));
    }
    return b;
}

/* Three seats of two strategies; the new build of strategy 11 comes behind them. */
static const struct belief_route OLD[] = {{.strategy = 11, .generation = 1, .instrument = 1},
                                          {.strategy = 12, .generation = 1, .instrument = 2},
                                          {.strategy = 13, .generation = 1, .instrument = 1}};
static const struct belief_route NEW[] = {
    {.strategy = 11, .generation = 2, .instrument = 1, .due_ns = 7}};

static void belief_adopted_seats_hear_and_answer_behind_the_others(void **state)
{
    (void)state;
    struct noting_bay n[3], m[1];
    struct trail tr = {0};
    struct belief_answer a;
    struct belief *b = make_idle(n, OLD, 3, 8), *from = make_idle(m, NEW, 1, 1);
    assert_true(is_ok(belief_activate(b, &tr)));
    n[0].answers_bars = n[2].answers_bars = m[0].answers_bars = true;
    put_bar(from, 1, 60, 1, 0);
    assert_int_equal(m[0].seen[0].flags, TN_EVENT_F_WARMUP); /* whatever its bay is */
    alloc_watch_start();
    assert_true(is_ok(belief_adopt(b, from, &tr)));
    assert_int_equal(alloc_watch_stop(), 0);
    assert_int_equal(belief_count(b), 4);
    assert_int_equal(belief_count(from), 0);
    put_bar(from, 2, 120, 1, 0);
    assert_int_equal(m[0].seen_count, 1);
    put_bar(b, 2, 120, 1, 0);
    static const uint32_t want[][2] = {{11, 1}, {13, 1}, {11, 2}};
    bool lane[BELIEF_BAYS_MAX] = {false};
    for (int i = 0; i < 3; i++) {
        assert_true(belief_take(b, &a));
        assert_int_equal(a.strategy, want[i][0]);
        assert_int_equal(a.generation, want[i][1]);
        assert_int_equal(a.due_ns, i == 2 ? 127 : 120);
        assert_true(a.lane < BELIEF_BAYS_MAX && !lane[a.lane]);
        lane[a.lane] = true;
    }
    assert_false(belief_take(b, &a));
    belief_free(from);
    belief_free(b);
}

static void belief_removed_seat_leaves_the_others_in_order(void **state)
{
    (void)state;
    struct noting_bay n[3], m[1];
    struct trail tr = {0};
    struct belief_answer a;
    uint32_t lane = 99, again = 99;
    struct belief *b = make_idle(n, OLD, 3, 8), *from = make_idle(m, NEW, 1, 1);
    assert_true(is_ok(belief_activate(b, &tr)));
    assert_true(is_ok(belief_adopt(b, from, &tr)));
    assert_ptr_equal(belief_bay(b, 11, 1), &n[0].bay);
    alloc_watch_start();
    assert_ptr_equal(belief_remove(b, 11, 1, &lane), &n[0].bay);
    assert_int_equal(alloc_watch_stop(), 0);
    assert_null(belief_remove(b, 11, 1, &lane));
    assert_null(belief_bay(b, 11, 1));
    assert_int_equal(belief_count(b), 3);
    n[1].answers_bars = n[2].answers_bars = m[0].answers_bars = true;
    put_bar(b, 1, 60, 1, 0);
    put_bar(b, 2, 60, 2, 0);
    put_tick(b, 3, 61);
    assert_int_equal(n[0].seen_count, 0);
    assert_int_equal(n[1].seen_count, 2);
    assert_int_equal(n[2].seen_count, 2);
    assert_int_equal(m[0].seen_count, 2);
    static const uint32_t want[][2] = {{12, 1}, {13, 1}, {11, 2}};
    for (int i = 0; i < 3; i++) {
        assert_true(belief_take(b, &a));
        assert_int_equal(a.strategy, want[i][0]);
        assert_int_equal(a.generation, want[i][1]);
        assert_int_not_equal(a.lane, lane);
    }
    /* The lane that became free is the next one's; the last of an instrument leaves no chain. */
    assert_true(is_ok(belief_add(b, &n[0].bay, &OLD[0], &tr)));
    assert_ptr_equal(belief_remove(b, 11, 1, &again), &n[0].bay);
    assert_int_equal(again, lane);
    assert_non_null(belief_remove(b, 12, 1, &lane));
    put_bar(b, 4, 120, 2, 0);
    assert_int_equal(n[1].seen_count, 2);
    belief_free(from);
    belief_free(b);
}

/* Removed while a seat behind it still has answers of the last fact. */
static void belief_removal_between_answers_loses_none(void **state)
{
    (void)state;
    struct noting_bay n[3];
    struct trail tr = {0};
    struct belief_answer a;
    uint32_t lane;
    struct belief *b = make_idle(n, OLD, 3, 3);
    assert_true(is_ok(belief_activate(b, &tr)));
    n[0].answers_bars = n[2].answers_bars = true;
    put_bar(b, 1, 60, 1, 0);
    n[2].queue[n[2].queued++] = (struct bay_answer){.kind = BAY_SIGNAL, .cause_seq = 1};
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(belief_take(b, &a));
        assert_int_equal(a.strategy, i == 0 ? 11 : 13);
    }
    assert_non_null(belief_remove(b, 11, 1, &lane));
    assert_true(belief_take(b, &a));
    assert_int_equal(a.strategy, 13);
    assert_false(belief_take(b, &a));
    belief_free(b);
}

static void belief_open_bars_move_with_their_seat(void **state)
{
    (void)state;
    const struct belief_route old = FROM_TRADES;
    struct belief_route next = FROM_TRADES;
    struct noting_bay n, m;
    struct trail tr = {0};
    uint32_t lane;
    next.generation = 2;
    next.bar_ns = 30;
    struct belief *b = make_idle(&n, &old, 1, 2), *from = make_idle(&m, &next, 1, 1);
    assert_true(is_ok(belief_activate(b, &tr)));
    put_trade(b, 1, 10, 1, 5, 0);
    put_trade(from, 1, 10, 1, 5, 0);
    assert_int_equal(belief_deadline(b), 60);
    assert_true(is_ok(belief_adopt(b, from, &tr)));
    assert_int_equal(belief_deadline(b), 30);
    assert_int_equal(belief_deadline(from), INT64_MAX);
    put_tick(b, 2, 30);
    assert_int_equal(m.seen[1].type, TN_EVENT_BAR);
    assert_int_equal(m.seen[1].u.bar.open, 5);
    assert_int_equal(m.seen[1].flags, TN_EVENT_F_WARMUP); /* its trades were history */
    put_trade(b, 3, 31, 1, 6, 0);
    assert_int_equal(belief_deadline(b), 60);
    assert_ptr_equal(belief_remove(b, 1, 0, &lane), &n.bay);
    assert_int_equal(belief_deadline(b), 60); /* the other's second bar */
    assert_ptr_equal(belief_remove(b, 1, 2, &lane), &m.bay);
    assert_int_equal(belief_deadline(b), INT64_MAX);
    belief_free(from);
    belief_free(b);
}

static void belief_adoption_that_cannot_be_moves_nothing(void **state)
{
    (void)state;
    struct noting_bay n[3], m[2];
    struct trail tr = {0};
    struct belief_route two[] = {{.strategy = 21, .generation = 2, .instrument = 1},
                                 {.strategy = 22, .generation = 2, .instrument = 1}};
    struct belief *b = make_idle(n, OLD, 3, 4), *from = make_idle(m, two, 2, 2);
    assert_int_equal(belief_adopt(b, from, &tr).code, RESULT_FULL);
    assert_int_equal(belief_count(b), 3);
    assert_int_equal(belief_count(from), 2);
    belief_free(from);
    two[1].instrument = 9;
    from = make_idle(m, &two[1], 1, 1);
    assert_int_equal(belief_adopt(b, from, &tr).code, RESULT_FULL);
    assert_true(is_ok(belief_reserve(b, 9, &tr)));
    assert_true(is_ok(belief_adopt(b, from, &tr)));
    assert_int_equal(belief_count(b), 4);
    belief_free(from);
    belief_free(b);
    b = make_idle(n, OLD, 3, 4);
    from = make_idle(m, &OLD[1], 1, 1);
    assert_int_equal(belief_adopt(b, from, &tr).code, RESULT_DUPLICATE);
    assert_int_equal(belief_count(from), 1);
    belief_free(from);
    belief_free(b);
}

static void belief_position_is_told_to_one_build(void **state)
{
    (void)state;
    struct noting_bay n[3], m[1];
    struct trail tr = {0};
    const struct fact_head head = {.seq = 5, .t_ns = 50, .type = FACT_POSITION};
    const struct fact_position p = {.strategy = 11, .instrument = 1, .qty = -4, .avg_price = 70};
    struct belief *b = make_idle(n, OLD, 3, 8), *from = make_idle(m, NEW, 1, 1);
    assert_true(is_ok(belief_activate(b, &tr)));
    assert_true(is_ok(belief_adopt(b, from, &tr)));
    belief_position(b, 11, 2, &head, &p);
    assert_int_equal(n[0].seen_count + n[1].seen_count + n[2].seen_count, 0);
    assert_int_equal(m[0].seen_count, 1);
    assert_int_equal(m[0].seen[0].type, TN_EVENT_POSITION);
    assert_int_equal(m[0].seen[0].seq, 5);
    assert_int_equal(m[0].seen[0].u.position.qty, -4);
    assert_int_equal(m[0].seen[0].flags, 0);
    put(b, 6, 60, FACT_POSITION, &p); /* as an effect: both builds */
    assert_int_equal(n[0].seen_count, 1);
    assert_int_equal(m[0].seen_count, 2);
    belief_free(from);
    belief_free(b);
}

static void belief_fault_is_known_by_build(void **state)
{
    (void)state;
    struct noting_bay n[3], m[1];
    struct trail tr = {0};
    struct belief_answer a;
    struct belief *b = make_idle(n, OLD, 3, 8), *from = make_idle(m, NEW, 1, 1);
    assert_true(is_ok(belief_activate(b, &tr)));
    assert_true(is_ok(belief_adopt(b, from, &tr)));
    put_bar(b, 1, 60, 1, 0);
    m[0].queue[m[0].queued++] = (struct bay_answer){.kind = BAY_FAULT, .instance = 4};
    assert_true(belief_take(b, &a));
    assert_int_equal(a.a.instance, 4); /* an indicator of its bay */
    assert_int_equal(a.strategy, 11);
    assert_int_equal(a.generation, 2);
    assert_true(belief_has_fault(b, 11, 2));
    assert_false(belief_has_fault(b, 11, 1));
    assert_false(belief_has_fault(b, 99, 1));
    belief_free(from);
    belief_free(b);
}

static void belief_tap_gets_what_belief_uses(void **state)
{
    (void)state;
    struct noting_bay n[3];
    struct trail tr = {0};
    struct tap *tap = NULL;
    const struct fact_auto other = {.on = 1};
    struct belief *b = make_idle(n, OLD, 3, 3);
    assert_true(is_ok(tap_new(&tap, &tr)));
    put_bar(b, 1, 60, 1, 0);
    tap_reset(tap, 1);
    belief_listen(b, tap);
    put_bar(b, 2, 120, 1, 0);
    put(b, 3, 121, FACT_AUTO, &other);
    put_tick(b, 4, 122);
    belief_listen(b, NULL);
    put_tick(b, 5, 123);
    assert_int_equal(tap->put, 2);
    assert_int_equal(tap->fact[0].head.seq, 2);
    assert_int_equal(tap->fact[1].head.seq, 4);
    tap_free(tap);
    belief_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(belief_adopted_seats_hear_and_answer_behind_the_others),
        cmocka_unit_test(belief_removed_seat_leaves_the_others_in_order),
        cmocka_unit_test(belief_removal_between_answers_loses_none),
        cmocka_unit_test(belief_open_bars_move_with_their_seat),
        cmocka_unit_test(belief_adoption_that_cannot_be_moves_nothing),
        cmocka_unit_test(belief_position_is_told_to_one_build),
        cmocka_unit_test(belief_fault_is_known_by_build),
        cmocka_unit_test(belief_tap_gets_what_belief_uses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
