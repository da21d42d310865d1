/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the sequencer numbers densely and never back in time, holds answers until they are due and
 * gives them in one order whatever the order they came in. Method: the rules one by one, then a
 * seeded property run against a plain list that is searched through each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "core/seq.h"
#include "tests/unit/base/dies.h"

static struct seq s;

static int setup(void **state)
{
    (void)state;
    memset(&s, 0xee, sizeof s);
    seq_init(&s, 100, 1000);
    return 0;
}

static uint64_t number(int64_t t_ns)
{
    struct fact_head h = {.t_ns = t_ns};
    seq_number(&s, &h);
    assert_int_equal(h.seq, s.last_seq);
    assert_int_equal(h.t_ns, s.last_ns);
    return h.seq;
}

/* A build that is alone: its lane is as good as its instance. */
static enum seq_put answer(uint32_t instance, uint64_t cause, int64_t due_ns)
{
    struct fact_signal g = {.instance = instance, .horizon_ns = due_ns};
    return seq_answer(&s, instance, 0, cause, due_ns, &g);
}

static enum seq_put answer_of(uint32_t lane, uint32_t generation, uint64_t cause, int64_t due_ns)
{
    struct fact_signal g = {.instance = 7, .horizon_ns = due_ns};
    return seq_answer(&s, lane, generation, cause, due_ns, &g);
}

static void expect(uint32_t instance, uint64_t cause, int64_t due_ns)
{
    struct seq_held h;
    assert_int_equal(seq_due(&s), due_ns);
    seq_take(&s, &h);
    assert_int_equal(h.due_ns, due_ns);
    assert_int_equal(h.signal.instance, instance);
    assert_int_equal(h.cause_seq, cause);
}

static void seq_numbers_are_dense_and_times_never_fall(void **state)
{
    (void)state;
    static const int64_t at[] = {1000, 1500, 1499, INT64_MIN, 1500, 1501};
    static const int64_t is[] = {1000, 1500, 1500, 1500, 1500, 1501};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(number(at[i]), 101 + i);
        assert_int_equal(s.last_ns, is[i]);
    }
}

static void seq_answer_waits_for_its_time(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    assert_int_equal(seq_due(&s), INT64_MAX);
    assert_int_equal(answer(1, n, 1010), SEQ_HELD);
    number(1009);
    assert_int_equal(seq_due(&s), 1010);
    expect(1, n, 1010);
    assert_int_equal(seq_due(&s), INT64_MAX);
}

static void seq_answer_at_once_is_between_its_event_and_the_next(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    assert_int_equal(answer(1, n, 1000), SEQ_HELD); /* D = 0: nothing after n is numbered yet */
    expect(1, n, 1000);
    number(1000);
    assert_int_equal(answer(1, n, 1000), SEQ_LATE); /* now something is, at the very time */
    assert_int_equal(answer(1, n, 1001), SEQ_HELD); /* but not at or after this one */
}

static void seq_late_is_by_time_and_not_by_count(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    for (int i = 0; i < 20; i++)
        number(1009);
    assert_int_equal(answer(1, n, 1010), SEQ_HELD);
    number(1010);
    assert_int_equal(answer(1, n, 1010), SEQ_LATE);
    assert_int_equal(s.count, 1); /* a late one is not held */
}

static void seq_equal_times_go_by_cause_then_instance_then_as_given(void **state)
{
    (void)state;
    uint64_t a = number(1000), b = number(1000);
    assert_int_equal(answer(2, b, 1005), SEQ_HELD);
    assert_int_equal(answer(1, b, 1005), SEQ_HELD);
    assert_int_equal(answer(1, b, 1005), SEQ_HELD);
    assert_int_equal(answer(3, a, 1005), SEQ_HELD);
    assert_int_equal(answer(9, b, 1004), SEQ_HELD);
    expect(9, b, 1004);
    expect(3, a, 1005);
    struct seq_held first, second;
    seq_take(&s, &first);
    seq_take(&s, &second);
    assert_int_equal(first.signal.instance, 1);
    assert_int_equal(second.signal.instance, 1);
    assert_true(first.order < second.order);
    expect(2, b, 1005);
}

static void seq_too_many_held_is_a_fault_of_that_instance(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    for (int i = 0; i < SEQ_HELD_PER_INSTANCE; i++)
        assert_int_equal(answer(7, n, 2000), SEQ_HELD);
    assert_int_equal(answer(7, n, 2000), SEQ_FAULT);
    assert_int_equal(answer(8, n, 2000), SEQ_HELD); /* the others go on */
    seq_drop(&s, 7);
    assert_int_equal(s.count, 1);
    assert_int_equal(answer(7, n, 2000), SEQ_HELD);
}

static void seq_full_is_a_fault_and_loses_nothing(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    for (int i = 0; i < SEQ_HELD_MAX; i++)
        assert_int_equal(answer((uint32_t)(i % 200), n, 5000 - i), SEQ_HELD);
    assert_int_equal(answer(201, n, 1001), SEQ_FAULT);
    for (int i = SEQ_HELD_MAX; i-- > 0;)
        expect((uint32_t)(i % 200), n, 5000 - i);
    assert_int_equal(answer(201, n, 1001), SEQ_HELD);
}

static void seq_eight_late_of_sixteen_is_a_fault(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    number(2000);
    for (int i = 0; i < SEQ_LATE_MAX - 1; i++)
        assert_int_equal(answer(1, n, 1500), SEQ_LATE);
    for (int i = 0; i < SEQ_LATE_WINDOW - SEQ_LATE_MAX; i++)
        assert_int_equal(answer(1, n, 3000), SEQ_HELD);
    assert_int_equal(answer(1, n, 1500), SEQ_FAULT); /* the eighth of sixteen */
    assert_int_equal(answer(2, n, 1500), SEQ_LATE);  /* counted by instance */
}

static void seq_late_while_the_host_was_behind_is_nobodys_fault(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    number(2000);
    seq_excuse(&s, 1500);
    seq_excuse(&s, 1400); /* never back */
    for (int i = 0; i < 4 * SEQ_LATE_MAX; i++)
        assert_int_equal(answer(1, n, 1500), SEQ_LATE);
    for (int i = 0; i < SEQ_LATE_MAX - 1; i++)
        assert_int_equal(answer(1, n, 1501), SEQ_LATE); /* after that it is its own again */
    assert_int_equal(answer(1, n, 1501), SEQ_FAULT);
    assert_int_equal(s.count, 0);
}

static void seq_old_late_ones_are_forgotten(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    number(2000);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < SEQ_LATE_MAX - 1; i++)
            assert_int_equal(answer(1, n, 1500), SEQ_LATE);
        for (int i = 0; i < SEQ_LATE_WINDOW - SEQ_LATE_MAX + 1; i++)
            assert_int_equal(answer(1, n, 3000), SEQ_HELD);
    }
}

static void seq_drop_takes_one_instance_only(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    for (int i = 0; i < 90; i++)
        assert_int_equal(answer((uint32_t)(i % 3), n, 1000 + (i * 37) % 50), SEQ_HELD);
    seq_drop(&s, 1);
    seq_drop(&s, 1);
    assert_int_equal(s.count, 60);
    int64_t last = 0;
    while (s.count > 0) {
        struct seq_held h;
        seq_take(&s, &h);
        assert_int_not_equal(h.signal.instance, 1);
        assert_true(h.due_ns >= last);
        last = h.due_ns;
    }
}

/* ---- two builds of one instance ---- */

static void seq_builds_of_one_instance_go_by_generation(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    struct seq_held h;
    assert_int_equal(answer_of(4, 12, n, 1005), SEQ_HELD);
    assert_int_equal(answer_of(9, 11, n, 1005), SEQ_HELD);
    assert_int_equal(answer_of(4, 12, n, 1005), SEQ_HELD);
    seq_take(&s, &h);
    assert_true(h.generation == 11 && h.lane == 9 && h.signal.instance == 7);
    seq_take(&s, &h);
    uint64_t first = h.order;
    assert_true(h.generation == 12 && h.lane == 4);
    seq_take(&s, &h);
    assert_true(h.generation == 12 && h.order > first);
}

static void seq_builds_of_one_instance_do_not_share_a_bound(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    for (int i = 0; i < SEQ_HELD_PER_INSTANCE; i++)
        assert_int_equal(answer_of(1, 5, n, 2000), SEQ_HELD);
    assert_int_equal(answer_of(1, 5, n, 2000), SEQ_FAULT);
    assert_int_equal(answer_of(2, 6, n, 2000), SEQ_HELD);
    seq_drop(&s, 1); /* the old one is heard no more */
    assert_int_equal(s.count, 1);
    struct seq_held h;
    seq_take(&s, &h);
    assert_int_equal(h.generation, 6);
}

static void seq_lane_that_is_dropped_begins_anew(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    number(2000);
    for (int i = 0; i < SEQ_LATE_MAX - 1; i++)
        assert_int_equal(answer_of(3, 5, n, 1500), SEQ_LATE);
    seq_drop(&s, 3);
    for (int i = 0; i < SEQ_LATE_MAX - 1; i++) /* another build's: its own seven */
        assert_int_equal(answer_of(3, 6, n, 1500), SEQ_LATE);
    assert_int_equal(answer_of(3, 6, n, 1500), SEQ_FAULT);
}

static void seq_lanes_end_where_the_header_says(void **state)
{
    (void)state;
    uint64_t n = number(1000);
    assert_int_equal(answer_of(SEQ_LANES_MAX - 1, 1, n, 2000), SEQ_HELD);
    seq_drop(&s, SEQ_LANES_MAX - 1);
    assert_int_equal(s.count, 0);
}

/* ---- against a plain list ---- */

struct naive {
    struct seq_held row[SEQ_HELD_MAX];
    uint32_t count;
};

static int by_rule(const struct seq_held *a, const struct seq_held *b)
{
    if (a->due_ns != b->due_ns)
        return a->due_ns < b->due_ns ? -1 : 1;
    if (a->cause_seq != b->cause_seq)
        return a->cause_seq < b->cause_seq ? -1 : 1;
    if (a->signal.instance != b->signal.instance)
        return a->signal.instance < b->signal.instance ? -1 : 1;
    if (a->generation != b->generation)
        return a->generation < b->generation ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static struct seq_held least(struct naive *list)
{
    uint32_t at = 0;
    for (uint32_t i = 1; i < list->count; i++)
        at = by_rule(&list->row[i], &list->row[at]) < 0 ? i : at;
    struct seq_held h = list->row[at];
    list->row[at] = list->row[--list->count];
    return h;
}

static void seq_gives_what_a_plain_list_gives(void **state)
{
    (void)state;
    static struct naive list;
    uint64_t x = 88172645463325252ull, given = 0;
    print_message("seed %llu\n", (unsigned long long)x);
    list.count = 0;
    for (int i = 0; i < 60000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint32_t what = x % 10, lane = (uint32_t)(x >> 8) % 40;
        uint32_t instance = lane % 20, generation = lane / 20; /* two builds of each */
        if (what < 3) {
            number(s.last_ns + (int64_t)(x >> 20) % 3);
        } else if (what < 7) {
            uint64_t cause = s.last_seq - (x >> 32) % 4;
            int64_t due = s.last_ns + 1 + (int64_t)((x >> 40) % 60);
            struct fact_signal g = {.instance = instance, .horizon_ns = due};
            enum seq_put put = seq_answer(&s, lane, generation, cause, due, &g);
            if (put == SEQ_HELD)
                list.row[list.count++] = (struct seq_held){.due_ns = due,
                                                           .order = given++,
                                                           .cause_seq = cause,
                                                           .lane = lane,
                                                           .generation = generation,
                                                           .signal = g};
        } else if (what < 9 && list.count > 0) {
            struct seq_held want = least(&list), is;
            seq_take(&s, &is);
            assert_memory_equal(&is, &want, sizeof is);
        } else if (x % 400 == 9) {
            seq_drop(&s, lane);
            for (uint32_t k = 0; k < list.count;) {
                if (list.row[k].lane == lane)
                    list.row[k] = list.row[--list.count];
                else
                    k++;
            }
        }
        assert_int_equal(s.count, list.count);
    }
    assert_true(given > 10000);
}

static void take_from_empty(void *arg)
{
    struct seq_held h;
    (void)arg;
    seq_take(&s, &h);
}

static void answer_the_future(void *arg)
{
    (void)arg;
    (void)answer(1, s.last_seq + 1, 5000);
}

static void answer_beyond_the_lanes(void *arg)
{
    (void)arg;
    (void)answer_of(SEQ_LANES_MAX, 1, s.last_seq, 5000);
}

static void seq_broken_rules_stop_the_process(void **state)
{
    (void)state;
    assert_dies(take_from_empty, NULL, "s->count > 0");
    assert_dies(answer_the_future, NULL, "cause_seq <= s->last_seq");
    assert_dies(answer_beyond_the_lanes, NULL, "lane < SEQ_LANES_MAX");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(seq_numbers_are_dense_and_times_never_fall),
        TEST(seq_answer_waits_for_its_time),
        TEST(seq_answer_at_once_is_between_its_event_and_the_next),
        TEST(seq_late_is_by_time_and_not_by_count),
        TEST(seq_equal_times_go_by_cause_then_instance_then_as_given),
        TEST(seq_too_many_held_is_a_fault_of_that_instance),
        TEST(seq_full_is_a_fault_and_loses_nothing),
        TEST(seq_eight_late_of_sixteen_is_a_fault),
        TEST(seq_late_while_the_host_was_behind_is_nobodys_fault),
        TEST(seq_old_late_ones_are_forgotten),
        TEST(seq_drop_takes_one_instance_only),
        TEST(seq_builds_of_one_instance_go_by_generation),
        TEST(seq_builds_of_one_instance_do_not_share_a_bound),
        TEST(seq_lane_that_is_dropped_begins_anew),
        TEST(seq_lanes_end_where_the_header_says),
        TEST(seq_gives_what_a_plain_list_gives),
        TEST(seq_broken_rules_stop_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
