/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: after the press no order leaves, all orders are cancelled and the venue is flat, with the
 * engine gone, the bay gone, the budget used up, the disk full, or the venue in a bad mood.
 * Method: the rig's venue keeps orders and positions; the only mover is the desk's own deadline.
 */
#include "tests/unit/base/dies.h"
#include "base/num.h"
#include "egress/desk_priv.h"
#include "tests/lib/desk_rig.h"

static struct rig rig;

static int up(void **state)
{
    *state = &rig;
    desk_rig_start(&rig, 1);
    return 0;
}
static int down(void **state)
{
    desk_rig_stop(*state);
    return 0;
}

static uint32_t working(const struct rig *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->order_count; i++)
        n += r->order[i].works;
    return n;
}

static void work_orders(struct rig *r, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        desk_rig_order(r, i % 2 ? RIG_ETH : RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    assert_int_equal(working(r), count);
    r->position[0] = 12345;
    r->position[1] = -500;
}

static const struct road_flat *flattened(const struct rig *r, uint32_t *times)
{
    const struct road_flat *f = NULL;
    *times = 0;
    for (uint32_t i = 0; i < r->said_count; i++)
        if (r->said[i].kind == ROAD_FLATTENED) {
            f = &r->said[i].flat;
            ++*times;
        }
    return f;
}

/* No order but a reduce-only one after `from`. */
static void expect_no_new_risk(const struct rig *r, uint32_t from)
{
    for (uint32_t i = from; i < r->sent_count; i++)
        if (r->sent[i].m.method == TN_METHOD_POST)
            assert_non_null(strstr(r->sent[i].text, "\"reduce_only\":true"));
}

/* Dust below a lot (10) may stay. */
static void expect_flat(struct rig *r)
{
    assert_int_equal(working(r), 0);
    assert_true(num_abs(r->position[0]) < 10 && num_abs(r->position[1]) < 10);
}

static void desk_kill_cancels_closes_and_reads_flat_three_times(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    work_orders(r, 6);
    uint64_t waits = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    uint32_t from = r->sent_count;
    desk_rig_kill(r, false);
    assert_int_equal(desk_rig_sent_of(r, waits, &times)->sent.reason, FACT_SENT_REASON_KILL);
    desk_rig_durable(r);
    uint32_t asked = r->asked_count;
    uint64_t after = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    uint64_t close = desk_rig_order(r, RIG_BTC, TN_SHORT, 1500, true);
    assert_int_equal(desk_rig_sent_of(r, after, &times)->sent.reason, FACT_SENT_REASON_KILL);
    assert_int_equal(desk_rig_sent_of(r, close, &times)->sent.reason, FACT_SENT_REASON_KILL);
    assert_int_equal(r->asked_count, asked); /* no bay hears of them */
    desk_rig_run(r, 1000 * RIG_MS);
    expect_no_new_risk(r, from);
    expect_flat(r);
    const struct road_flat *f = flattened(r, &times);
    assert_int_equal(times, 1);
    assert_true(f->closed == 2 && f->reads == 4 && f->cancelled >= 2);
    /* not worse than 0.5 % off the mark 100.12, on the tick */
    assert_non_null(strstr(r->sent[from + 2].text, "\"side\":\"sell\",\"type\":\"limit\","
                                                   "\"qty\":\"12.34\",\"price\":\"99.6\","
                                                   "\"tif\":\"ioc\",\"reduce_only\":true"));
    assert_non_null(strstr(r->sent[from + 3].text, "\"side\":\"buy\""));
    assert_non_null(strstr(r->sent[from + 3].text, "\"price\":\"100.65\""));
    assert_non_null(strstr(r->sent[from + 2].text, "\"client_id\":\"K3-1\""));
}

/* It reached the venue after the cancel-all, and filled later still. */
static void desk_kill_looks_again_for_what_was_on_its_way(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    work_orders(r, 2);
    desk_rig_kill(r, false);
    desk_rig_run(r, 500 * RIG_MS);
    expect_flat(r);
    assert_non_null(flattened(r, &times));
    r->order[0].works = true;
    desk_rig_run(r, 1500 * RIG_MS);
    expect_flat(r);
    r->position[0] = 700;
    desk_rig_run(r, 3500 * RIG_MS);
    expect_flat(r);
    r->position[1] = -700;
    desk_rig_run(r, 12000 * RIG_MS);
    expect_flat(r);
    flattened(r, &times);
    assert_int_equal(times, 1);
    uint32_t sent = r->sent_count;
    desk_rig_run(r, 60000 * RIG_MS);
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    assert_int_equal(desk_rig_sent_of(r, k, &times)->sent.reason, FACT_SENT_REASON_KILL);
    assert_int_equal(r->sent_count, sent);
}

static void desk_kill_needs_no_engine_no_bay_and_no_disk(void **state)
{
    struct rig *r = *state;
    work_orders(r, 6);
    desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false); /* its record never becomes durable */
    desk_detach(r->d, r->now);
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, false);
    uint32_t from = r->sent_count;
    desk_rig_kill(r, false);
    desk_rig_run(r, 1000 * RIG_MS);
    expect_no_new_risk(r, from);
    expect_flat(r);
    uint32_t said = r->said_count; /* an engine that comes later hears it */
    desk_rig_attach(r, 9);
    uint32_t killed = 0, flat = 0;
    for (uint32_t i = said; i < r->said_count; i++) {
        killed += r->said[i].kind == ROAD_KILLED;
        flat += r->said[i].kind == ROAD_FLATTENED;
    }
    assert_int_equal(killed, 1);
    assert_int_equal(flat, 1);
}

static void desk_kill_uses_the_reserve_of_a_used_up_budget(void **state)
{
    struct rig *r = *state;
    r->weight = 50;
    r->per_ns = 10000 * RIG_MS;
    desk_rig_attach(r, 4);
    work_orders(r, 40); /* all that orders may use */
    uint32_t from = r->sent_count;
    desk_rig_kill(r, false);
    desk_rig_run(r, 1000 * RIG_MS);
    expect_flat(r);
    expect_no_new_risk(r, from);
    assert_true(r->sent_count - from <= 10);
}

/* Its templates were stored when the budget was larger: nothing waits for what never comes. */
static void desk_kill_that_no_budget_can_carry_alarms(void **state)
{
    struct rig *r = *state;
    work_orders(r, 2);
    r->heavy = 90;
    desk_rig_bay(r);
    r->weight = 50;
    r->per_ns = 10000 * RIG_MS;
    desk_rig_attach(r, 4);
    desk_rig_kill(r, false);
    desk_rig_run(r, 30000 * RIG_MS);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_STUCK), 1);
}

static void desk_kill_goes_on_while_the_venue_refuses_and_alarms(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    work_orders(r, 6);
    r->status = 503;
    desk_rig_kill(r, false);
    desk_rig_run(r, 30000 * RIG_MS);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_STUCK), 1);
    assert_null(flattened(r, &times));
    assert_true(r->sent_count < 150); /* growing waits */
    r->status = 0;
    desk_rig_run(r, 4000 * RIG_MS);
    expect_flat(r);
    assert_non_null(flattened(r, &times));
}

static void desk_kill_closes_even_when_cancels_fail_but_is_not_done(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    work_orders(r, 2);
    r->ignores_cancels = true;
    r->refuses_cancels = true;
    desk_rig_kill(r, false);
    desk_rig_run(r, 1000 * RIG_MS);
    assert_true(num_abs(r->position[0]) < 10 && num_abs(r->position[1]) < 10);
    assert_null(flattened(r, &times));
    r->ignores_cancels = r->refuses_cancels = false;
    desk_rig_run(r, 4000 * RIG_MS);
    expect_flat(r);
    assert_non_null(flattened(r, &times));
}

static void desk_kill_widens_its_price_step_by_step_to_three_percent(void **state)
{
    struct rig *r = *state;
    uint32_t at = 0;
    static const char *const price[] = {"\"99.6\"", "\"99.1\"", "\"98.1\"", "\"97.1\"", "\"97.1\""};
    work_orders(r, 1);
    r->position[1] = 0;
    r->ignores_closes = true;
    desk_rig_kill(r, false);
    desk_rig_run(r, 1000 * RIG_MS);
    for (uint32_t i = 1; i < r->sent_count && at < 5; i++)
        if (strstr(r->sent[i].text, "\"client_id\":\"K"))
            assert_non_null(strstr(r->sent[i].text, price[at++]));
    assert_int_equal(at, 5);
}

static void desk_kill_without_a_cancel_all_cancels_each_order_that_left(void **state)
{
    struct rig *r = *state;
    work_orders(r, 6);
    desk_rig_boot(r); /* the next bay hands over no cancel-all */
    desk_rig_attach(r, 4);
    r->no_cancel_all = true;
    desk_rig_bay(r);
    uint32_t from = r->sent_count;
    desk_rig_kill(r, false);
    desk_rig_run(r, 1000 * RIG_MS);
    expect_flat(r);
    assert_non_null(strstr(r->sent[from].text, "/v1/orders?client_id=T3-4096-1"));
}

static void desk_kill_that_keeps_positions_only_cancels(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    work_orders(r, 6);
    uint32_t from = r->sent_count;
    desk_rig_kill(r, true);
    desk_rig_run(r, 900 * RIG_MS);
    assert_int_equal(r->sent_count, from + 1);
    assert_int_equal(working(r), 0);
    assert_int_equal(r->position[0], 12345);
    assert_non_null(flattened(r, &times));
    desk_rig_kill(r, false); /* harder than before */
    desk_rig_run(r, 1000 * RIG_MS);
    expect_flat(r);
}

static void desk_kill_pressed_harder_does_not_count_replies_of_before(void **state)
{
    struct rig *r = *state;
    work_orders(r, 1);
    uint32_t from = r->sent_count;
    desk_rig_kill(r, true);
    desk_rig_kill(r, false);
    assert_int_equal(r->sent_count, from + 2); /* a cancel-all each */
    struct desk_net_in in = {.account = RIG_ACCOUNT,
                             .link = RIG_HTTP,
                             .what = DESK_NET_BYTES,
                             .status = 200,
                             .retry_s = -1,
                             .ticket = r->sent[from].m.ticket};
    desk_from_net(r->d, r->now, &in);
    assert_int_equal(r->sent_count, from + 2);
    in.ticket = r->sent[from + 1].m.ticket;
    desk_from_net(r->d, r->now, &in);
    assert_int_equal(r->sent_count, from + 3);
}

static void desk_kill_goes_on_when_the_clock_is_set_back(void **state)
{
    struct rig *r = *state;
    r->weight = 50;
    r->per_ns = 10000 * RIG_MS;
    desk_rig_attach(r, 4);
    work_orders(r, 40);
    r->status = 503;
    desk_rig_kill(r, false);
    desk_rig_run(r, 100 * RIG_MS);
    r->status = 0;
    r->now -= 500000 * RIG_MS;
    desk_time(r->d, r->now);
    assert_true(desk_deadline(r->d) < r->now + 2000 * RIG_MS);
    desk_rig_run(r, 2000 * RIG_MS);
    expect_flat(r);
    int64_t stamp = 0; /* and the venue believes the stamp */
    const char *at = strstr(desk_rig_last(r)->text, "X-Time: ") + 8;
    assert_int_equal(num_parse(at, strspn(at, "0123456789"), 0, false, &stamp).code, RESULT_OK);
    assert_true(stamp <= r->now / RIG_MS && stamp >= r->now / RIG_MS - 2000);
}

static void desk_kill_flag_outlives_the_process_and_the_kill_goes_on(void **state)
{
    struct rig *r = *state;
    work_orders(r, 6);
    r->net_gone = true;
    desk_rig_kill(r, false);
    desk_rig_run(r, 50 * RIG_MS);
    desk_rig_boot(r); /* the process died and began anew */
    struct desk_totals t;
    desk_totals(r->d, &t);
    assert_true(t.is_killed);
    desk_rig_attach(r, 4);
    desk_rig_bay(r);
    uint32_t times;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    assert_int_equal(desk_rig_sent_of(r, k, &times)->sent.reason, FACT_SENT_REASON_KILL);
    desk_rig_run(r, 2000 * RIG_MS);
    expect_flat(r);
    expect_no_new_risk(r, 0);
    struct road_kill lift = {.by = "two people"};
    desk_from_core(r->d, r->now, ROAD_LIFT, &lift, sizeof lift);
    k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    assert_int_equal(desk_rig_sent_of(r, k, &times)->sent.what, FACT_SENT_OK);
}

static void desk_kill_pressed_softer_later_still_closes_after_a_restart(void **state)
{
    struct rig *r = *state;
    struct road_kill own = {.account = RIG_ACCOUNT, .by = "test"};
    work_orders(r, 2);
    r->net_gone = true;
    desk_kill(r->d, r->now, &own);
    desk_rig_kill(r, true); /* of all */
    own.keep_positions = 1;
    desk_kill(r->d, r->now, &own);
    desk_rig_boot(r);
    desk_rig_attach(r, 4);
    desk_rig_bay(r);
    desk_rig_run(r, 2000 * RIG_MS);
    expect_flat(r);
}

static void desk_kill_of_another_account_leaves_this_one_alone(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    struct road_kill k = {.account = RIG_ACCOUNT + 1, .by = "test"};
    desk_kill(r->d, r->now, &k);
    uint64_t o = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    assert_int_equal(desk_rig_sent_of(r, o, &times)->sent.what, FACT_SENT_OK);
    k.account = RIG_ACCOUNT;
    desk_kill(r->d, r->now, &k);
    o = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    assert_int_equal(desk_rig_sent_of(r, o, &times)->sent.reason, FACT_SENT_REASON_KILL);
}

static void desk_kill_is_not_flat_by_a_question_that_nobody_answers(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    work_orders(r, 1);
    desk_rig_stored_ws(r);
    desk_rig_kill(r, false);
    desk_rig_run(r, 5000 * RIG_MS);
    assert_null(flattened(r, &times));
    desk_rig_stored(r, TN_CLASS_QUERY, false);
    desk_rig_run(r, 3000 * RIG_MS);
    expect_flat(r);
}

/* An approval is counted where it comes in, an order where it goes out: two places that both have
 * to be wrong. Here the first is made to forget. */
static void desk_meter_kills_at_one_order_too_many(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    r->d->head.approvals--;
    desk_rig_durable(r);
    assert_int_equal(desk_rig_sent_of(r, k, &times)->sent.reason, FACT_SENT_REASON_KILL);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_METER), 1);
    expect_no_new_risk(r, 0);
    assert_non_null(witness_killed(r->w, 0));
    k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    assert_int_equal(desk_rig_sent_of(r, k, &times)->sent.reason, FACT_SENT_REASON_KILL);
}

static void desk_flatten_by_the_engine_ends_and_orders_go_on(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    work_orders(r, 6);
    struct road_flat f = {.account = RIG_ACCOUNT};
    desk_from_core(r->d, r->now, ROAD_FLAT, &f, sizeof f);
    uint64_t meanwhile = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    assert_int_equal(desk_rig_sent_of(r, meanwhile, &times)->sent.reason, FACT_SENT_REASON_KILL);
    desk_rig_run(r, 1000 * RIG_MS);
    expect_flat(r);
    assert_non_null(flattened(r, &times));
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    assert_int_equal(desk_rig_sent_of(r, k, &times)->sent.what, FACT_SENT_OK);
}

static void desk_flatten_goes_on_when_the_kill_of_another_account_is_lifted(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    struct road_kill k = {.account = RIG_ACCOUNT + 1, .by = "test"};
    struct road_flat f = {.account = RIG_ACCOUNT};
    work_orders(r, 2);
    desk_kill(r->d, r->now, &k);
    desk_from_core(r->d, r->now, ROAD_FLAT, &f, sizeof f);
    desk_from_core(r->d, r->now, ROAD_LIFT, &k, sizeof k);
    desk_rig_run(r, 1000 * RIG_MS);
    expect_flat(r);
    assert_non_null(flattened(r, &times));
}

static void desk_flatten_during_a_kill_is_never_said_before_it_is_true(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    struct road_flat f = {.account = RIG_ACCOUNT};
    work_orders(r, 2);
    desk_rig_kill(r, true); /* its cancel-all is on its way */
    desk_from_core(r->d, r->now, ROAD_FLAT, &f, sizeof f);
    desk_rig_run(r, 900 * RIG_MS);
    assert_non_null(flattened(r, &times));
    assert_int_equal(times, 1);
    expect_flat(r);
    r->position[0] = 700; /* the kill's round only looks on: what is asked now is answered */
    desk_from_core(r->d, r->now, ROAD_FLAT, &f, sizeof f);
    desk_rig_run(r, 900 * RIG_MS);
    flattened(r, &times);
    assert_int_equal(times, 2);
    expect_flat(r);
}

static void desk_kill_reads_nothing_from_a_reply_without_positions(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    static const char *const bad[] = {"{}",
                                      "{\"positions\":{}}",
                                      "{\"positions\":[{\"qty\":\"1\"}]}",
                                      "{\"positions\":[{\"symbol\":\"BTC-USD\",\"qty\":\"x\"}]}",
                                      "{\"positions\":[]",
                                      "[]",
                                      "",
                                      "{\"ok\":true,\"positions\":[],\"positions\":[]}"};
    work_orders(r, 1);
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r->positions_text = bad[i];
        desk_rig_kill(r, false);
        desk_rig_run(r, 1000 * RIG_MS);
        assert_null(flattened(r, &times));
    }
    r->positions_text = NULL;
    desk_rig_run(r, 3000 * RIG_MS);
    expect_flat(r);
}

/* Too much for any exponent, or too fine: our own positions are closed all the same. */
static void desk_kill_closes_beside_a_position_of_a_symbol_nobody_named(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    static const char *const all[] = {
        "{\"positions\":[{\"symbol\":\"SHIB-USD\",\"qty\":\"12345678901.5\"},"
        "{\"symbol\":\"BTC-USD\",\"qty\":\"12.34\",\"mark\":\"100.12\"}]}",
        "{\"positions\":[{\"symbol\":\"BTC-USD\",\"qty\":\"12.34\",\"mark\":\"100.12\"},"
        "{\"symbol\":\"SHIB-USD\",\"qty\":\"-0.00000000000000001\"}]}"};
    work_orders(r, 1);
    r->position[1] = 0;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t from = r->sent_count, closes = 0;
        r->positions_text = all[i];
        desk_rig_kill(r, false);
        desk_rig_run(r, 1000 * RIG_MS);
        for (uint32_t at = from; at < r->sent_count; at++)
            closes += strstr(r->sent[at].text, "\"client_id\":\"K") != NULL;
        assert_true(closes > 0);
        assert_null(flattened(r, &times)); /* it stays, and a person hears of it */
        assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_STUCK), 1);
    }
    r->positions_text = "{\"positions\":[{\"symbol\":\"SHIB-USD\",\"qty\":\"-0.000\"}]}";
    desk_rig_run(r, 2000 * RIG_MS);
    assert_non_null(flattened(r, &times));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(desk_kill_cancels_closes_and_reads_flat_three_times),
        T(desk_kill_looks_again_for_what_was_on_its_way),
        T(desk_kill_needs_no_engine_no_bay_and_no_disk),
        T(desk_kill_uses_the_reserve_of_a_used_up_budget),
        T(desk_kill_goes_on_while_the_venue_refuses_and_alarms),
        T(desk_kill_closes_even_when_cancels_fail_but_is_not_done),
        T(desk_kill_widens_its_price_step_by_step_to_three_percent),
        T(desk_kill_without_a_cancel_all_cancels_each_order_that_left),
        T(desk_kill_that_keeps_positions_only_cancels),
        T(desk_kill_pressed_harder_does_not_count_replies_of_before),
        T(desk_kill_goes_on_when_the_clock_is_set_back),
        T(desk_kill_flag_outlives_the_process_and_the_kill_goes_on),
        T(desk_kill_of_another_account_leaves_this_one_alone),
        T(desk_kill_is_not_flat_by_a_question_that_nobody_answers),
        T(desk_meter_kills_at_one_order_too_many),
        T(desk_flatten_by_the_engine_ends_and_orders_go_on),
        T(desk_kill_reads_nothing_from_a_reply_without_positions),
        T(desk_kill_that_no_budget_can_carry_alarms),
        T(desk_kill_closes_beside_a_position_of_a_symbol_nobody_named),
        T(desk_flatten_goes_on_when_the_kill_of_another_account_is_lifted),
        T(desk_flatten_during_a_kill_is_never_said_before_it_is_true),
        T(desk_kill_pressed_softer_later_still_closes_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
