/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: belief shows each bay exactly what it should see, in order, and hands answers out in
 * deployment order with their due time. Method: a bay that writes down what it is given and
 * answers as told; facts as the journal has them. The same with real plugins is in
 * tests/contract/belief_inline_test.c.
 */
#include "tests/unit/flow/belief_rig.h"

static void belief_market_data_reaches_the_bays_of_its_instrument(void **state)
{
    (void)state;
    static const struct belief_route route[] = {{.strategy = 11, .instrument = 2},
                                                {.strategy = 12, .instrument = 7},
                                                {.strategy = 13, .instrument = 2}};
    struct noting_bay n[3];
    struct belief *b = make(n, route, 3);
    put_bar(b, 5, 600, 2, FACT_MD_OFF_TICK);
    put_trade(b, 6, 610, 7, 42, 0);
    const struct fact_quote q = {.instrument = 2, .bid = 3, .bid_qty = 4, .ask = 5, .ask_qty = 6};
    put(b, 7, 620, FACT_QUOTE, &q);
    put_bar(b, 8, 630, 3, 0);      /* an instrument of nobody */
    put_bar(b, 9, 640, 999999, 0); /* and one beyond the table */
    const struct fact_auto other = {.on = 1};
    put(b, 10, 650, FACT_AUTO, &other);
    assert_int_equal(n[0].seen_count, 2);
    assert_int_equal(n[1].seen_count, 1);
    assert_int_equal(n[2].seen_count, 2);
    assert_memory_equal(n[0].seen, n[2].seen, 2 * sizeof n[0].seen[0]);
    const struct tn_event *bar = &n[0].seen[0], *trade = &n[1].seen[0], *quote = &n[0].seen[1];
    assert_int_equal(bar->type, TN_EVENT_BAR);
    assert_int_equal(bar->size, sizeof *bar);
    assert_int_equal(bar->seq, 5);
    assert_int_equal(bar->t_ns, 600);
    assert_int_equal(bar->instrument, 2);
    assert_int_equal(bar->flags, TN_EVENT_F_OFF_TICK);
    assert_int_equal(bar->u.bar.open_ns, 540);
    assert_int_equal(bar->u.bar.open, 4);
    assert_int_equal(bar->u.bar.high, 9);
    assert_int_equal(bar->u.bar.low, 1);
    assert_int_equal(bar->u.bar.close, 5);
    assert_int_equal(bar->u.bar.volume, 77);
    assert_int_equal(trade->type, TN_EVENT_TRADE);
    assert_int_equal(trade->u.trade.price, 42);
    assert_int_equal(trade->u.trade.qty, 2);
    assert_int_equal(trade->u.trade.aggressor, TN_SHORT);
    assert_int_equal(quote->type, TN_EVENT_QUOTE);
    assert_int_equal(quote->u.quote.bid, 3);
    assert_int_equal(quote->u.quote.ask_qty, 6);
    belief_free(b);
}

static void belief_tick_reaches_all_and_position_its_strategy(void **state)
{
    (void)state;
    static const struct belief_route route[] = {{.strategy = 11, .instrument = 2},
                                                {.strategy = 12, .instrument = 2},
                                                {.strategy = 11, .instrument = 3}};
    struct noting_bay n[3];
    struct belief *b = make(n, route, 3);
    put_tick(b, 1, 10);
    const struct fact_position p = {.strategy = 12, .instrument = 2, .qty = -7, .avg_price = 99};
    put(b, 1, 10, FACT_POSITION, &p);
    const struct fact_position external = {.strategy = 0, .instrument = 2, .qty = 1};
    put(b, 1, 10, FACT_POSITION, &external);
    assert_int_equal(n[0].seen_count, 1);
    assert_int_equal(n[1].seen_count, 2);
    assert_int_equal(n[2].seen_count, 1);
    assert_int_equal(n[2].seen[0].type, TN_EVENT_TICK);
    assert_int_equal(n[2].seen[0].instrument, 3);
    assert_int_equal(n[1].seen[1].type, TN_EVENT_POSITION);
    assert_int_equal(n[1].seen[1].u.position.qty, -7);
    assert_int_equal(n[1].seen[1].u.position.avg_price, 99);
    belief_free(b);
}

static void belief_bars_from_trades_close_by_the_tick(void **state)
{
    (void)state;
    struct noting_bay n;
    struct belief *b = make(&n, &FROM_TRADES, 1);
    assert_int_equal(belief_deadline(b), INT64_MAX);
    put_trade(b, 1, 70, 1, 10, 0);
    put_trade(b, 2, 90, 1, 12, 0);
    assert_int_equal(belief_deadline(b), 120);
    put_tick(b, 3, 119);
    assert_int_equal(n.seen_count, 3);
    put_tick(b, 4, 120);
    assert_int_equal(belief_deadline(b), INT64_MAX);
    assert_int_equal(n.seen_count, 5);
    assert_int_equal(n.seen[3].type, TN_EVENT_BAR); /* before the tick that closed it */
    assert_int_equal(n.seen[3].seq, 4);
    assert_int_equal(n.seen[3].t_ns, 120);
    assert_int_equal(n.seen[3].u.bar.open_ns, 60);
    assert_int_equal(n.seen[3].u.bar.open, 10);
    assert_int_equal(n.seen[3].u.bar.close, 12);
    assert_int_equal(n.seen[3].u.bar.volume, 4);
    assert_int_equal(n.seen[4].type, TN_EVENT_TICK);
    put_tick(b, 5, 500); /* silence has no bars */
    assert_int_equal(n.seen_count, 6);
    belief_free(b);
}

static void belief_any_later_fact_closes_a_bar(void **state)
{
    (void)state;
    struct noting_bay n;
    struct belief *b = make(&n, &FROM_TRADES, 1);
    put_trade(b, 1, 70, 1, 10, 0);
    const struct fact_auto other = {.on = 1};
    put(b, 2, 130, FACT_AUTO, &other); /* not for bays, but time has passed */
    assert_int_equal(n.seen_count, 2);
    assert_int_equal(n.seen[1].type, TN_EVENT_BAR);
    assert_int_equal(n.seen[1].seq, 2);
    assert_int_equal(n.seen[1].t_ns, 120);
    put_trade(b, 3, 130, 1, 11, 0);
    put_trade(b, 4, 185, 1, 15, 0); /* closes the bar before it is given itself */
    assert_int_equal(n.seen_count, 5);
    assert_int_equal(n.seen[3].type, TN_EVENT_BAR);
    assert_int_equal(n.seen[3].u.bar.close, 11);
    assert_int_equal(n.seen[4].type, TN_EVENT_TRADE);
    assert_int_equal(belief_deadline(b), 240);
    assert_int_equal(belief_unused_trades(b), 0);
    put_trade(b, 5, 186, 1, 0, 0);
    assert_int_equal(belief_unused_trades(b), 1);
    belief_free(b);
}

static void belief_bar_facts_and_made_bars_never_mix(void **state)
{
    (void)state;
    const struct belief_route route[] = {FROM_TRADES, {.strategy = 2, .instrument = 1}};
    struct noting_bay n[2];
    struct belief *b = make(n, route, 2);
    put_bar(b, 1, 60, 1, 0);
    assert_int_equal(n[0].seen_count, 0);
    assert_int_equal(n[1].seen_count, 1);
    put_trade(b, 2, 61, 1, 5, 0);
    put_tick(b, 3, 120);
    assert_int_equal(n[0].seen_count, 3); /* trade, bar, tick */
    assert_int_equal(n[1].seen_count, 3); /* bar fact, trade, tick */
    belief_free(b);
}

static void belief_two_lengths_have_two_deadlines(void **state)
{
    (void)state;
    struct belief_route route[] = {FROM_TRADES, FROM_TRADES};
    struct noting_bay n[2];
    route[0].bar_ns = 300;
    struct belief *b = make(n, route, 2);
    put_trade(b, 1, 10, 1, 5, 0);
    assert_int_equal(belief_deadline(b), 60);
    put_tick(b, 2, 60);
    assert_int_equal(belief_deadline(b), 300);
    assert_int_equal(n[0].seen_count, 2);
    assert_int_equal(n[1].seen_count, 3);
    put_trade(b, 3, 290, 1, 6, 0);
    put_tick(b, 4, 300); /* both end here */
    assert_int_equal(n[0].seen[3].u.bar.close, 6);
    assert_int_equal(n[1].seen[4].u.bar.open, 6);
    assert_int_equal(belief_deadline(b), INT64_MAX);
    belief_free(b);
}

static void belief_history_is_flagged(void **state)
{
    (void)state;
    struct noting_bay n;
    struct belief *b = make(&n, &FROM_TRADES, 1);
    put_trade(b, 1, 10, 1, 5, FACT_MD_WARMUP);
    put_trade(b, 2, 70, 1, 5, 0); /* live; closes a bar of history */
    put_tick(b, 3, 120);          /* closes a bar with a live trade */
    assert_int_equal(n.seen[0].flags, TN_EVENT_F_WARMUP);
    assert_int_equal(n.seen[1].type, TN_EVENT_BAR);
    assert_int_equal(n.seen[1].flags, TN_EVENT_F_WARMUP);
    assert_int_equal(n.seen[2].flags, 0);
    assert_int_equal(n.seen[3].type, TN_EVENT_BAR);
    assert_int_equal(n.seen[3].flags, 0);
    belief_free(b);
}

static void belief_before_activation_all_is_history(void **state)
{
    (void)state;
    struct noting_bay n;
    struct belief *b = NULL;
    struct trail tr = {0};
    assert_true(is_ok(belief_new(1, &b, &tr)));
    noting_init(&n);
    assert_true(is_ok(belief_add(b, &n.bay, &FROM_TRADES, &tr)));
    const struct fact_position p = {.strategy = 1, .instrument = 1, .qty = 3};
    put_trade(b, 1, 10, 1, 5, 0);
    put(b, 1, 10, FACT_POSITION, &p);
    put_tick(b, 2, 60);
    assert_int_equal(n.seen_count, 4); /* trade, position, bar, tick */
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(n.seen[i].flags, TN_EVENT_F_WARMUP);
    assert_true(is_ok(belief_activate(b, &tr)));
    put_trade(b, 3, 70, 1, 5, 0);
    assert_int_equal(n.seen[4].flags, 0);
    belief_free(b);
}

static void belief_answers_come_in_deployment_order_with_due_time(void **state)
{
    (void)state;
    static const struct belief_route route[] = {
        {.strategy = 11, .instrument = 1, .due_ns = 500},
        {.strategy = 12, .instrument = 1, .due_ns = 0},
        {.strategy = 13, .instrument = 2, .due_ns = INT64_MAX}};
    struct noting_bay n[3];
    struct belief_answer a;
    struct belief *b = make(n, route, 3);
    for (int i = 0; i < 3; i++)
        n[i].answers_bars = true;
    assert_false(belief_take(b, &a));
    put_bar(b, 1, 60, 2, 0);
    put_bar(b, 2, 60, 1, 0);
    put_bar(b, 3, 120, 1, 0);
    static const struct {
        uint64_t cause;
        int64_t due;
    } want[] = {{2, 560}, {3, 620}, {2, 60}, {3, 120}, {1, INT64_MAX}};
    for (int i = 0; i < 5; i++) {
        assert_true(belief_take(b, &a));
        assert_int_equal(a.a.cause_seq, want[i].cause);
        assert_int_equal(a.due_ns, want[i].due);
    }
    assert_false(belief_take(b, &a));
    put_bar(b, 4, 180, 1, FACT_MD_WARMUP);
    assert_false(belief_take(b, &a));
    /* A bay of another process answers between two facts. */
    n[1].queue[n[1].queued++ % 8] = (struct bay_answer){.kind = BAY_SIGNAL, .cause_seq = 4};
    assert_true(belief_take(b, &a));
    assert_int_equal(a.a.cause_seq, 4);
    belief_free(b);
}

static void belief_fault_passes_once_and_ends_the_bay(void **state)
{
    (void)state;
    static const struct belief_route route[] = {{.strategy = 11, .instrument = 1},
                                                {.strategy = 12, .instrument = 1}};
    struct noting_bay n[2];
    struct belief_answer a;
    struct belief *b = make(n, route, 2);
    n[1].answers_bars = true;
    put_bar(b, 1, 60, 1, 0);
    n[0].queue[n[0].queued++] =
        (struct bay_answer){.kind = BAY_FAULT, .instance = 11, .cause_seq = 1, .status = TN_E_DATA};
    n[0].queue[n[0].queued++] = (struct bay_answer){.kind = BAY_SIGNAL, .cause_seq = 1};
    assert_true(belief_take(b, &a));
    assert_int_equal(a.a.kind, BAY_FAULT);
    assert_int_equal(a.a.instance, 11);
    assert_int_equal(a.a.status, TN_E_DATA);
    assert_true(belief_is_quarantined(b, 0));
    assert_false(belief_is_quarantined(b, 1));
    assert_true(belief_take(b, &a)); /* the other bay's; the faulty one is silent */
    assert_int_equal(a.a.kind, BAY_SIGNAL);
    assert_false(belief_take(b, &a));
    put_bar(b, 2, 120, 1, 0);
    put_tick(b, 3, 121);
    assert_int_equal(n[0].seen_count, 1);
    assert_int_equal(n[1].seen_count, 3);
    belief_free(b);
}

static void belief_bad_routes_are_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct belief_route bad[] = {
        {.strategy = 9, .instrument = 0},
        {.strategy = 9, .instrument = BELIEF_INSTRUMENTS_MAX + 1},
        {.strategy = 9, .instrument = 1, .due_ns = -1},
        {.strategy = 9, .instrument = 1, .bars_from_trades = true}};
    struct belief *b = NULL;
    struct noting_bay n;
    noting_init(&n);
    struct trail tr = {0};
    assert_int_equal(belief_new(0, &b, &tr).code, RESULT_RANGE);
    assert_null(b);
    assert_int_equal(belief_new(BELIEF_BAYS_MAX + 1, &b, &tr).code, RESULT_RANGE);
    assert_true(is_ok(belief_new(1, &b, &tr)));
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct trail why = {0};
        assert_int_equal(belief_add(b, &n.bay, &bad[i], &why).code, RESULT_RANGE);
        assert_int_equal(why.count, 1);
        assert_non_null(strstr(why.frame[0].text, "strategy 9"));
    }
    const struct belief_route good = {.strategy = 9, .instrument = BELIEF_INSTRUMENTS_MAX};
    assert_true(is_ok(belief_add(b, &n.bay, &good, &tr)));
    assert_int_equal(belief_add(b, &n.bay, &good, &tr).code, RESULT_FULL);
    belief_free(b);
    belief_free(NULL);
}

static void belief_start_asks_every_bay(void **state)
{
    (void)state;
    static const struct belief_route route[] = {{.strategy = 11, .instrument = 1},
                                                {.strategy = 12, .instrument = 1}};
    struct noting_bay n[2];
    struct trail tr = {0};
    struct belief *b = make(n, route, 2);
    n[0].warmup = 40;
    n[1].warmup = 7;
    assert_int_equal(belief_warmup(b), 40);
    assert_true(is_ok(belief_activate(b, &tr)));
    n[1].refuses = true;
    assert_int_equal(belief_activate(b, &tr).code, RESULT_PLUGIN);
    belief_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(belief_market_data_reaches_the_bays_of_its_instrument),
        cmocka_unit_test(belief_tick_reaches_all_and_position_its_strategy),
        cmocka_unit_test(belief_bars_from_trades_close_by_the_tick),
        cmocka_unit_test(belief_any_later_fact_closes_a_bar),
        cmocka_unit_test(belief_bar_facts_and_made_bars_never_mix),
        cmocka_unit_test(belief_two_lengths_have_two_deadlines),
        cmocka_unit_test(belief_history_is_flagged),
        cmocka_unit_test(belief_before_activation_all_is_history),
        cmocka_unit_test(belief_answers_come_in_deployment_order_with_due_time),
        cmocka_unit_test(belief_fault_passes_once_and_ends_the_bay),
        cmocka_unit_test(belief_bad_routes_are_refused_with_a_sentence),
        cmocka_unit_test(belief_start_asks_every_bay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
