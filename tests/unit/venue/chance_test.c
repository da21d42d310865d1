/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: luck is a pure function of seed, order, purpose and moment; so the order in which requests
 * about different orders came in changes nothing, and draws look like draws.
 * Method: the same requests of each moment are handed over forwards, backwards and rotated, over a
 * moving market, demo profile with jitter; the ledgers must be the same bytes. Draws are counted.
 */
#include "rig.h"

enum { MOMENTS = 60, EACH = 8, KEYS = 20000 };

static void ask_one(struct rig *r, int64_t t, uint64_t id)
{
    if (id % 5 == 0)
        rig_cancel(r, t, id - EACH < id ? id - EACH : id);
    else
        rig_send(r, t, id, id % 2 ? VENUE_BUY : VENUE_SELL, 20 + 10 * (int64_t)(id % 40),
                 9950 + 5 * (int64_t)(id % 21), id % 3 ? FACT_GTC : FACT_IOC);
}

static void run(struct rig *r, uint64_t seed, int64_t jitter_ns, uint32_t turn)
{
    struct venue_config c = rig_config();
    c.profile = VENUE_DEMO;
    c.jitter_ns = jitter_ns; /* 0: all requests of a moment arrive at one moment, too */
    c.seed = seed;
    c.orders_max = 512;
    rig_open_with(r, c);
    for (int64_t m = 0; m < MOMENTS; m++) {
        int64_t t = T0 + m * 13 * MS;
        rig_quote(r, t, 9980 + 5 * (m % 9), 300, 9990 + 5 * (m % 9), 300);
        while (venue_due(r->v) <= t)
            venue_take(r->v, &r->got);
        for (uint32_t i = 0; i < EACH; i++) {
            uint32_t k = turn == EACH ? EACH - 1 - i : (i + turn) % EACH;
            ask_one(r, t, (uint64_t)m * EACH + k + 1);
        }
    }
    while (venue_due(r->v) != INT64_MAX)
        venue_take(r->v, &r->got);
}

static void compare(int64_t jitter_ns)
{
    static struct rig one, two;
    run(&one, 5, jitter_ns, 0);
    struct venue_totals t;
    venue_totals(one.v, &t);
    assert_true(t.fills > 50 && t.rejects > 0 && t.cancels > 0);
    for (uint32_t turn = 1; turn <= EACH; turn++) {
        run(&two, 5, jitter_ns, turn);
        assert_int_equal(one.ledger_used, two.ledger_used);
        assert_memory_equal(one.ledger, two.ledger, one.ledger_used);
        rig_close(&two);
    }
    run(&two, 6, jitter_ns, 0);
    assert_true(one.ledger_used != two.ledger_used ||
                memcmp(one.ledger, two.ledger, one.ledger_used) != 0);
    rig_close(&two);
    rig_close(&one);
}

static void chance_order_of_requests_changes_nothing(void **state)
{
    (void)state;
    compare(0);
    compare(5 * MS);
}

/* Neighbouring keys, as orders and times are, in every member of the key. */
static void chance_draws_are_spread(void **state)
{
    (void)state;
    static struct rig r;
    struct venue_config c = rig_config();
    c.profile = VENUE_DEMO;
    rig_open_with(&r, c);
    for (int member = 0; member < 2; member++) {
        uint32_t hits[10] = {0}, demo = 0;
        for (uint32_t i = 0; i < KEYS; i++) {
            struct chance_key k = {member == 0 ? i : 7, CHANCE_REJECT, member == 1 ? i : 7};
            hits[chance_below(r.v, k, 10)]++;
            demo += chance_demo(r.v, k, 250000);
            assert_int_equal(chance_below(r.v, k, 1000), chance_below(r.v, k, 1000));
        }
        for (int i = 0; i < 10; i++)
            assert_in_range(hits[i], KEYS / 10 - 250, KEYS / 10 + 250); /* six sigma */
        assert_in_range(demo, KEYS / 4 - 400, KEYS / 4 + 400);
    }
    uint32_t same = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        struct chance_key a = {i, CHANCE_REJECT, 7}, b = {i, CHANCE_HALT, 7};
        same += chance_below(r.v, a, 10) == chance_below(r.v, b, 10);
    }
    assert_in_range(same, KEYS / 10 - 250, KEYS / 10 + 250);
    rig_close(&r);
    c.profile = VENUE_PLAIN;
    rig_open_with(&r, c);
    for (uint32_t i = 0; i < 100; i++)
        assert_false(chance_demo(r.v, (struct chance_key){i, CHANCE_REJECT, 7}, VENUE_PPM));
    rig_close(&r);
}

/* Late requests, as a venue behind sockets may get them, are decided next and never in the past. */
static void chance_request_from_the_past_is_decided_now(void **state)
{
    (void)state;
    static struct rig r;
    rig_open(&r);
    rig_quote(&r, T0, 9990, 100, 10000, 100);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9000, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, T0 + 20 * MS);
    rig_quote(&r, T0 + SEC, 10990, 100, 11000, 100);
    rig_send(&r, T0 + 500 * MS, 2, VENUE_BUY, 100, 10000, FACT_IOC);
    assert_int_equal(rig_expect(&r, FACT_EXEC_NEW, T0 + SEC)->venue_ns, T0 + SEC);
    rig_expect(&r, FACT_EXEC_EXPIRED, T0 + SEC);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chance_order_of_requests_changes_nothing),
        cmocka_unit_test(chance_draws_are_spread),
        cmocka_unit_test(chance_request_from_the_past_is_decided_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
