/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: requests and answers: due times, order, refusals, races, queries, bounds, totals, memory.
 * Method: one rig with a quote market; each request's answers are taken by due time and compared.
 */
#include "rig.h"

static const int64_t ack = T0 + 20 * MS;

static void open_quoted(struct rig *r, struct venue_config c)
{
    rig_open_with(r, c);
    rig_quote(r, T0 - SEC, 9990, 100000, 10000, 100000);
}

static void expect_reject(struct rig *r, struct fact_send s, uint32_t reason)
{
    struct venue_totals before;
    venue_totals(r->v, &before); /* answers about one order come one after the other */
    int64_t t = T0 + (int64_t)s.order * SEC + (int64_t)before.rejects * 30 * MS;
    venue_send(r->v, t, &s);
    const struct fact_exec *e = rig_expect(r, FACT_EXEC_REJECTED, t + 20 * MS);
    assert_int_equal(e->reason, reason);
    assert_int_equal(e->order, s.order);
    assert_int_equal(e->leaves_qty, 0);
    assert_true(e->text[0] != '\0');
}

static void venue_bad_orders_are_rejected_with_reason(void **state)
{
    (void)state;
    struct rig r;
    open_quoted(&r, rig_config());
    const struct fact_send good = rig_order(2, VENUE_BUY, 100, 9000, FACT_GTC);
    struct fact_send s = good;
    s.price = 9001;
    expect_reject(&r, s, FACT_REJECT_PRICE);
    s.price = 0;
    expect_reject(&r, s, FACT_REJECT_PRICE);
    s.price = 100000005;
    expect_reject(&r, s, FACT_REJECT_PRICE);
    s = good;
    s.qty = 105;
    expect_reject(&r, s, FACT_REJECT_QTY);
    s.qty = 10;
    expect_reject(&r, s, FACT_REJECT_QTY);
    s.qty = -100;
    expect_reject(&r, s, FACT_REJECT_QTY);
    s.qty = INT64_MAX / 10 * 10;
    s.price = 100000000;
    expect_reject(&r, s, FACT_REJECT_QTY);
    s = good;
    s.instrument = 5;
    expect_reject(&r, s, FACT_REJECT_UNKNOWN_SYMBOL);
    s = good;
    s.account = 4;
    expect_reject(&r, s, FACT_REJECT_OTHER);
    s = good;
    s.side = 3;
    expect_reject(&r, s, FACT_REJECT_OTHER);
    s = good;
    s.tif = FACT_TIF_UNSET;
    expect_reject(&r, s, FACT_REJECT_OTHER);
    struct venue_totals t;
    venue_totals(r.v, &t);
    assert_int_equal(t.orders, 11);
    assert_int_equal(t.rejects, 11);
    assert_int_equal(t.fills, 0);
    rig_close(&r);
}

static void venue_duplicate_order_id_is_rejected_while_open_and_after(void **state)
{
    (void)state;
    struct rig r;
    open_quoted(&r, rig_config());
    rig_send(&r, T0, 2, VENUE_BUY, 100, 9000, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    expect_reject(&r, rig_order(2, VENUE_BUY, 100, 9000, FACT_GTC), FACT_REJECT_DUPLICATE);
    rig_cancel(&r, T0 + 5 * SEC, 2);
    rig_expect(&r, FACT_EXEC_CANCELED, T0 + 5 * SEC + 20 * MS);
    rig_send(&r, T0 + 6 * SEC, 2, VENUE_BUY, 100, 9000, FACT_GTC);
    assert_int_equal(rig_expect(&r, FACT_EXEC_REJECTED, T0 + 6 * SEC + 20 * MS)->reason,
                     FACT_REJECT_DUPLICATE);
    rig_close(&r);
}

static void venue_too_many_open_orders_are_rejected(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.orders_max = 3;
    open_quoted(&r, c);
    for (uint64_t i = 1; i <= 4; i++)
        rig_send(&r, T0, i, VENUE_BUY, 100, 9000, FACT_GTC);
    for (int i = 0; i < 3; i++)
        rig_expect(&r, FACT_EXEC_NEW, ack);
    assert_string_equal(rig_expect(&r, FACT_EXEC_REJECTED, ack)->text, "too many open orders");
    rig_close(&r);
}

static void venue_rate_over_limit_is_rejected_and_recovers(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.orders_max = 1024;
    open_quoted(&r, c);
    for (uint64_t i = 1; i <= VENUE_RATE_MAX + 1; i++)
        rig_send(&r, T0, i, VENUE_BUY, 100, 9000, FACT_GTC);
    for (int i = 0; i < VENUE_RATE_MAX; i++)
        rig_expect(&r, FACT_EXEC_NEW, ack);
    assert_int_equal(rig_expect(&r, FACT_EXEC_REJECTED, ack)->reason, FACT_REJECT_RATE);
    rig_send(&r, T0 + SEC, 9000, VENUE_BUY, 100, 9000, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack + SEC);
    rig_close(&r);
}

static void venue_answer_is_decided_by_market_at_arrival(void **state)
{
    (void)state;
    struct rig r;
    open_quoted(&r, rig_config());
    rig_send(&r, T0, 1, VENUE_BUY, 100, 10000, FACT_IOC);
    rig_quote(&r, T0 + 9 * MS, 10000, 100, 10005, 100); /* gone before it arrives at 10 ms */
    rig_quote(&r, T0 + 11 * MS, 9990, 100, 10000, 100); /* back after it */
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_expect(&r, FACT_EXEC_EXPIRED, ack);
    rig_expect_none(&r);
    rig_close(&r);
}

static void venue_answers_to_one_order_never_overtake_each_other(void **state)
{
    (void)state;
    struct rig r;
    open_quoted(&r, rig_config());
    rig_quote(&r, T0 - SEC, 9990, 100, 10000, 40);
    rig_send(&r, T0, 1, VENUE_BUY, 100, 10000, FACT_GTC);
    rig_cancel(&r, T0, 1);
    rig_send(&r, T0 + 1 * MS, 2, VENUE_BUY, 100, 9995, FACT_GTC);
    rig_quote(&r, T0 + 15 * MS, 9980, 100, 9990, 100); /* fills 2 before its ack is due */
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_expect_fill(&r, ack, 40, 10000, FACT_TAKER);
    assert_int_equal(rig_expect(&r, FACT_EXEC_CANCELED, ack + 1)->cum_qty, 40);
    rig_expect(&r, FACT_EXEC_NEW, ack + 1 * MS);
    rig_expect_fill(&r, ack + 1 * MS, 100, 9995, FACT_MAKER);
    rig_expect_none(&r);
    rig_close(&r);
}

static void venue_cancel_before_fill_is_done_with_cum(void **state)
{
    (void)state;
    struct rig r;
    open_quoted(&r, rig_config());
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9995, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_quote(&r, T0 + SEC, 9980, 100, 9995, 40);
    rig_expect_fill(&r, T0 + SEC, 40, 9995, FACT_MAKER);
    rig_cancel(&r, T0 + 2 * SEC, 1);
    const struct fact_exec *e = rig_expect(&r, FACT_EXEC_CANCELED, T0 + 2 * SEC + 20 * MS);
    assert_int_equal(e->cum_qty, 40);
    assert_int_equal(e->leaves_qty, 0);
    rig_quote(&r, T0 + 3 * SEC, 9980, 100, 9990, 400);
    rig_expect_none(&r);
    assert_int_equal(venue_net(r.v, LIN), 40);
    rig_close(&r);
}

static void venue_cancel_overtaken_by_fill_is_late(void **state)
{
    (void)state;
    struct rig r;
    open_quoted(&r, rig_config());
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9995, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_cancel(&r, T0 + SEC, 1);
    rig_quote(&r, T0 + SEC + 5 * MS, 9980, 100, 9995, 400);
    rig_expect_fill(&r, T0 + SEC + 5 * MS, 100, 9995, FACT_MAKER);
    const struct fact_exec *e = rig_expect(&r, FACT_EXEC_CANCEL_LATE, T0 + SEC + 20 * MS);
    assert_int_equal(e->cum_qty, 100);
    assert_int_equal(e->leaves_qty, 0);
    struct venue_totals t;
    venue_totals(r.v, &t);
    assert_int_equal(t.cancels_late, 1);
    assert_int_equal(t.cancels, 0);
    rig_close(&r);
}

static void venue_cancel_of_unknown_order_is_rejected(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    rig_cancel(&r, T0, 404);
    const struct fact_exec *e = rig_expect(&r, FACT_EXEC_CANCEL_REJECT, ack);
    assert_int_equal(e->order, 404);
    assert_int_equal(e->instrument, LIN);
    rig_close(&r);
}

static void expect_found(struct rig *r, int64_t t_ns, uint64_t order, uint32_t found, int64_t cum)
{
    struct fact_query q = {.order = order, .account = ACCOUNT};
    venue_query(r->v, t_ns, &q);
    const struct fact_exec *e = rig_expect(r, FACT_EXEC_STATUS, t_ns + 20 * MS);
    assert_int_equal(e->found, found);
    assert_int_equal(e->order, order);
    assert_int_equal(e->cum_qty, cum);
}

static void venue_query_tells_working_done_and_absent(void **state)
{
    (void)state;
    struct rig r;
    open_quoted(&r, rig_config());
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9995, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    expect_found(&r, T0 + SEC, 1, FACT_FOUND_WORKING, 0);
    assert_int_equal(r.got.u.fact_exec.leaves_qty, 100);
    rig_quote(&r, T0 + 2 * SEC, 9980, 100, 9995, 400);
    rig_expect_fill(&r, T0 + 2 * SEC, 100, 9995, FACT_MAKER);
    expect_found(&r, T0 + 3 * SEC, 1, FACT_FOUND_DONE, 100);
    expect_found(&r, T0 + 4 * SEC, 2, FACT_FOUND_ABSENT, 0);
    rig_send(&r, T0 + 5 * SEC, 3, VENUE_BUY, 101, 9995, FACT_GTC); /* no whole lot: refused */
    rig_expect(&r, FACT_EXEC_REJECTED, T0 + 5 * SEC + 20 * MS);
    expect_found(&r, T0 + 6 * SEC, 3, FACT_FOUND_PROVED_ABSENT, 0);
    rig_close(&r);
}

static void venue_ended_orders_are_forgotten_oldest_first(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.orders_max = 2; /* the ring of ended orders holds 1024 */
    c.latency_ns = 0;
    open_quoted(&r, c);
    static uint64_t id[6000]; /* scattered, so that the index has runs to mend */
    struct rng rng;
    rng_seed(&rng, 99);
    int64_t t = T0;
    uint32_t count = sizeof id / sizeof id[0];
    for (uint32_t i = 0; i < count; i++, t += SEC) {
        id[i] = 1 + rng_below(&rng, UINT64_MAX - 1);
        rig_send(&r, t, id[i], VENUE_BUY, 100, 9000, FACT_IOC);
        rig_expect(&r, FACT_EXEC_NEW, t);
        rig_expect(&r, FACT_EXEC_EXPIRED, t);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct fact_query q = {.order = id[i], .account = ACCOUNT};
        venue_query(r.v, t, &q);
        assert_int_equal(rig_expect(&r, FACT_EXEC_STATUS, t)->found,
                         i + 1024 < count ? FACT_FOUND_ABSENT : FACT_FOUND_DONE);
    }
    rig_close(&r);
}

static void venue_requests_about_one_order_arrive_as_sent_whatever_the_jitter(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.jitter_ns = 500 * MS;
    open_quoted(&r, c);
    for (uint64_t i = 1; i <= 200; i++) {
        int64_t t = T0 + (int64_t)i * SEC;
        rig_send(&r, t, i, VENUE_BUY, 100, 9000, FACT_GTC);
        rig_cancel(&r, t + 1, i);
        rig_expect(&r, FACT_EXEC_NEW, venue_due(r.v));
        rig_expect(&r, FACT_EXEC_CANCELED, venue_due(r.v));
    }
    rig_close(&r);
}

static void venue_flood_of_requests_leaves_some_unanswered_and_lives(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.orders_max = 1;
    open_quoted(&r, c);
    for (int i = 0; i < 5000; i++)
        rig_cancel(&r, T0, 7);
    int answers = 0;
    for (; venue_due(r.v) != INT64_MAX; answers++)
        venue_take(r.v, &r.got);
    assert_true(answers > 1000 && answers < 5000);
    rig_send(&r, T0 + SEC, 1, VENUE_BUY, 100, 9000, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, T0 + SEC + 20 * MS);
    rig_close(&r);
}

static void venue_memory_is_used_within_bounds_only(void **state)
{
    (void)state;
    struct venue_config c = rig_config();
    size_t bytes = venue_bytes(&c);
    uint8_t *memory = NULL;
    assert_int_equal(posix_memalign((void **)&memory, 64, bytes + 64), 0);
    memset(memory, 0x5c, bytes + 64);
    struct venue *v = venue_init(memory, bytes, &c);
    struct fact_instrument in = rig_linear();
    venue_instrument(v, &in, -8);
    struct fact_view got;
    for (uint64_t i = 1; i < 3000; i++) {
        struct fact_send s = rig_order(i, VENUE_BUY, 100, 9000, FACT_GTC);
        venue_send(v, T0 + (int64_t)i * SEC, &s);
        struct fact_cancel x = {.order = i / 2, .account = ACCOUNT, .instrument = LIN};
        venue_cancel(v, T0 + (int64_t)i * SEC, &x);
        while (venue_due(v) != INT64_MAX)
            venue_take(v, &got);
    }
    venue_check(v);
    for (size_t i = bytes; i < bytes + 64; i++)
        assert_int_equal(memory[i], 0x5c);
    free(memory);
}

static void venue_ledger_tells_the_story_in_order(void **state)
{
    (void)state;
    struct rig r;
    open_quoted(&r, rig_config());
    rig_send(&r, T0, 1, VENUE_BUY, 100, 9995, FACT_GTC);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_quote(&r, T0 + SEC, 9980, 100, 9995, 40);
    rig_expect_fill(&r, T0 + SEC, 40, 9995, FACT_MAKER);
    rig_cancel(&r, T0 + 2 * SEC, 1);
    rig_expect(&r, FACT_EXEC_CANCELED, T0 + 2 * SEC + 20 * MS);
    rig_send(&r, T0 + 3 * SEC, 2, VENUE_BUY, 101, 9995, FACT_IOC);
    rig_expect(&r, FACT_EXEC_REJECTED, T0 + 3 * SEC + 20 * MS);
    assert_string_equal(
        r.ledger,
        "tenon-venue-ledger 1\n"
        "venue account=3 profile=plain maker_ppm=200 taker_ppm=500\n"
        "instrument id=1 symbol=LIN contract=linear price_exp=-2 qty_exp=-3 tick=5 lot=10 "
        "multiplier=1 multiplier_exp=0 settle=1 settle_exp=-8\n"
        "instrument id=9 symbol=INV contract=inverse price_exp=-1 qty_exp=0 tick=5 lot=1 "
        "multiplier=100 multiplier_exp=0 settle=2 settle_exp=-8\n"
        "order t=1700000000010000000 order=1 client=c?1 instrument=1 side=buy qty=100 price=9995 "
        "tif=gtc reduce_only=0\n"
        "accept t=1700000000010000000 order=1 venue_order=1 cum=0 leaves=100\n"
        "fill t=1700000001000000000 order=1 venue_order=1 due=1700000001000000000 trade=1 "
        "instrument=1 side=buy qty=40 "
        "price=9995 fee=79960 liquidity=maker cum=40 leaves=60\n"
        "ask_cancel t=1700000002010000000 order=1\n"
        "cancel t=1700000002010000000 order=1 venue_order=1 cum=40 leaves=0\n"
        "order t=1700000003010000000 order=2 client=c?1 instrument=1 side=buy qty=101 price=9995 "
        "tif=ioc reduce_only=0\n"
        "reject t=1700000003010000000 order=2 venue_order=0 cum=0 leaves=0 reason=4 "
        "text=lot_or_minimum_quantity\n");
    rig_close(&r);
}

static void venue_of_a_later_epoch_goes_on_where_the_last_one_ended(void **state)
{
    (void)state;
    struct rig r;
    struct venue_config c = rig_config();
    c.trades_before = 1000;
    c.orders_before = 500;
    rig_open_with(&r, c);
    venue_resume(r.v, LIN, -40);
    assert_int_equal(venue_net(r.v, LIN), -40);
    assert_non_null(strstr(r.ledger, "\nresume instrument=1 net=-40\n"));
    rig_quote(&r, T0 - SEC, 9990, 100, 10000, 100);
    struct fact_send s = rig_order(501, VENUE_BUY, 40, 10000, FACT_GTC);
    s.reduce_only = 1;
    venue_send(r.v, T0, &s);
    rig_expect(&r, FACT_EXEC_NEW, ack);
    rig_expect_fill(&r, ack, 40, 10000, FACT_TAKER);
    assert_int_equal(r.got.u.fact_exec.trade_id, 1001);
    assert_int_equal(venue_net(r.v, LIN), 0);
    expect_found(&r, T0 + SEC, 499, FACT_FOUND_PROVED_ABSENT, 0);
    expect_found(&r, T0 + 2 * SEC, 500, FACT_FOUND_ABSENT, 0);
    expect_found(&r, T0 + 3 * SEC, 501, FACT_FOUND_DONE, 40);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(venue_bad_orders_are_rejected_with_reason),
        cmocka_unit_test(venue_duplicate_order_id_is_rejected_while_open_and_after),
        cmocka_unit_test(venue_too_many_open_orders_are_rejected),
        cmocka_unit_test(venue_rate_over_limit_is_rejected_and_recovers),
        cmocka_unit_test(venue_answer_is_decided_by_market_at_arrival),
        cmocka_unit_test(venue_answers_to_one_order_never_overtake_each_other),
        cmocka_unit_test(venue_cancel_before_fill_is_done_with_cum),
        cmocka_unit_test(venue_cancel_overtaken_by_fill_is_late),
        cmocka_unit_test(venue_cancel_of_unknown_order_is_rejected),
        cmocka_unit_test(venue_query_tells_working_done_and_absent),
        cmocka_unit_test(venue_ended_orders_are_forgotten_oldest_first),
        cmocka_unit_test(venue_requests_about_one_order_arrive_as_sent_whatever_the_jitter),
        cmocka_unit_test(venue_flood_of_requests_leaves_some_unanswered_and_lives),
        cmocka_unit_test(venue_memory_is_used_within_bounds_only),
        cmocka_unit_test(venue_of_a_later_epoch_goes_on_where_the_last_one_ended),
        cmocka_unit_test(venue_ledger_tells_the_story_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
