/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the engine takes events in the one order that is promised: by time, at equal times
 * commands, due answers, venue answers, ticks, market data (DECISIONS 3 and 4, decision note 0002);
 * paper and backtest decide the same; a run drains and ends; what cannot be run is refused.
 * Method: real plugins on a small saw-tooth of bars; the order is read from the journal's records.
 */
#include "tests/unit/flow/flow_rig.h"

enum { BARS = 400, MANY = 1000000 };

/* Every answer lies at its due time, directly before the first event that is not before it. */
static void assert_due(const struct flow_rig *r, int64_t due_ns, uint32_t at_least)
{
    uint32_t signals = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct fact_head *h = &r->record[i].head;
        if (h->type != FACT_SIGNAL)
            continue;
        signals++;
        const struct fact_view *cause = rig_event(r, h->cause_seq);
        const struct fact_view *before = rig_event(r, h->seq - 1);
        assert_non_null(cause);
        assert_int_equal(cause->head.type, FACT_BAR);
        assert_int_equal(h->t_ns, cause->head.t_ns + due_ns);
        if (before->head.seq > cause->head.seq && before->head.type != FACT_SIGNAL)
            assert_true(before->head.t_ns < h->t_ns);
        if (due_ns == 0)
            assert_int_equal(h->seq, cause->head.seq + 1);
    }
    assert_true(signals >= at_least);
}

static void lockstep_answer_without_delay_follows_its_cause(void **state)
{
    (void)state;
    struct flow_rig *r = rig_new(NULL, BARS);
    rig_whole(r, FACT_RUN_PAPER);
    rig_read(r);
    assert_due(r, 0, 10);
    assert_int_equal(r->report.late, 0);
    rig_free(r);
}

/* At T lie, all at once, the answer to the bar before and a bar: the answer goes first. */
static void lockstep_answer_due_with_the_next_bar_goes_before_it(void **state)
{
    (void)state;
    const struct rig_config c = {.due = "1m"};
    struct flow_rig *r = rig_new(&c, BARS);
    rig_whole(r, FACT_RUN_PAPER);
    rig_read(r);
    assert_due(r, RIG_BAR_NS, 10);
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->record[i].head.type != FACT_SIGNAL)
            continue;
        const struct fact_view *next = rig_event(r, r->record[i].head.seq + 1);
        for (uint64_t seq = r->record[i].head.seq + 1; next->head.type != FACT_BAR; seq++)
            next = rig_event(r, seq);
        assert_int_equal(next->head.t_ns, r->record[i].head.t_ns);
    }
    assert_int_equal(r->report.late, 0);
    rig_free(r);
}

static void lockstep_answer_with_a_long_delay_waits_for_its_time(void **state)
{
    (void)state;
    const struct rig_config c = {.due = "90s"};
    struct flow_rig *r = rig_new(&c, BARS);
    rig_whole(r, FACT_RUN_PAPER);
    rig_read(r);
    assert_due(r, 90000000000ll, 10);
    assert_int_equal(r->report.late, 0);
    rig_free(r);
}

static uint32_t class_rank(const struct fact_head *h)
{
    switch (fact_class_of(h->type)) {
    case FACT_CLASS_CONTROL:
        return 0;
    case FACT_CLASS_ANSWER:
        return 1;
    case FACT_CLASS_VENUE:
        return 2;
    case FACT_CLASS_TICK:
        return 3;
    default:
        return 4;
    }
}

/* A latency of one bar: an acknowledgement is due at the very time of a bar, and so is the answer
 * to the bar before. Of two events at one time the later is of an earlier class only when its cause
 * lies at that time too: then it could not have come before. */
static void lockstep_equal_times_keep_the_order_of_classes(void **state)
{
    (void)state;
    const struct rig_config c = {.due = "1m", .venue = "latency_ms: 60000"};
    struct flow_rig *r = rig_new(&c, BARS);
    rig_whole(r, FACT_RUN_PAPER);
    rig_read(r);
    const struct fact_head *last = NULL;
    uint32_t before_bars = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct fact_head *h = &r->record[i].head;
        if (h->sub != 0)
            continue;
        if (last != NULL)
            assert_true(h->t_ns >= last->t_ns);
        if (last != NULL && h->t_ns == last->t_ns) {
            before_bars += last->type == FACT_EXEC && h->type == FACT_BAR;
            const struct fact_view *cause = rig_event(r, h->cause_seq);
            if (class_rank(h) < class_rank(last) && class_rank(h) > 0)
                assert_true(cause != NULL && cause->head.t_ns == h->t_ns);
        }
        last = h;
    }
    assert_true(before_bars >= 10);
    rig_free(r);
}

static void lockstep_order_is_sent_once_and_answered_once(void **state)
{
    (void)state;
    struct flow_rig *r = rig_new(NULL, BARS);
    rig_whole(r, FACT_RUN_PAPER);
    rig_read(r);
    uint32_t sends = rig_count_of(r, FACT_SEND), sent = rig_count_of(r, FACT_SENT);
    assert_true(sends >= 10);
    assert_int_equal(sends + rig_count_of(r, FACT_CANCEL), sent);
    assert_int_equal(r->report.venue_orders, sends);
    assert_int_equal(r->report.totals.fills, r->report.venue_fills);
    assert_false(r->report.in_flight);
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->record[i].head.type == FACT_SENT)
            assert_true(r->record[i].head.cause_seq < r->record[i].head.seq);
    }
    rig_free(r);
}

/* A backtest needs no signature: what paper says of them is all that it has more. */
static uint32_t count_of_papers(const struct flow_rig *r)
{
    return rig_count_of(r, FACT_TRUST) + rig_count_of(r, FACT_TEXT) +
           rig_count_of(r, FACT_SIGNATURE) + rig_count_of(r, FACT_PROMOTION) +
           rig_count_of(r, FACT_STAGE);
}

static void lockstep_backtest_decides_what_paper_decides(void **state)
{
    (void)state;
    const struct rig_config c = {.due = "5s"};
    struct flow_rig *paper = rig_new(&c, BARS), *test = rig_new(&c, BARS);
    struct replay_report replay;
    rig_whole(paper, FACT_RUN_PAPER);
    rig_whole(test, FACT_RUN_BACKTEST);
    assert_int_equal(paper->report.totals.orders, test->report.totals.orders);
    assert_int_equal(paper->report.totals.fills, test->report.totals.fills);
    rig_read(paper);
    assert_int_equal(paper->report.events - count_of_papers(paper), test->report.events);
    RIG_OK(paper, replay_dir(paper->journal, false, &replay, &paper->tr));
    assert_int_equal(replay.differences, 0);
    assert_int_equal(replay.events, paper->report.events);
    rig_free(paper);
    rig_free(test);
}

static void lockstep_same_backtest_twice_has_the_same_effects(void **state)
{
    (void)state;
    struct flow_rig *a = rig_new(NULL, BARS), *b = rig_new(NULL, BARS),
                    *c = rig_new(NULL, BARS - 1);
    rig_whole(a, FACT_RUN_BACKTEST);
    rig_whole(b, FACT_RUN_BACKTEST);
    rig_whole(c, FACT_RUN_BACKTEST);
    assert_memory_equal(a->report.effects_sha256, b->report.effects_sha256, FACT_HASH_BYTES);
    assert_true(memcmp(a->report.effects_sha256, c->report.effects_sha256, FACT_HASH_BYTES) != 0);
    assert_true(a->report.totals.orders > 0);
    rig_free(a);
    rig_free(b);
    rig_free(c);
}

static void lockstep_until_takes_nothing_after_it_and_drains(void **state)
{
    (void)state;
    const struct rig_config c = {.due = "90s"};
    struct flow_rig *r = rig_new(&c, BARS);
    rig_open(r, FACT_RUN_PAPER);
    lockstep_until(r->engine, RIG_T0 + 100 * RIG_BAR_NS);
    rig_run(r, MANY);
    int64_t t_ns;
    RIG_OK(r, lockstep_next(r->engine, &t_ns, &r->tr));
    assert_int_equal(t_ns, INT64_MAX);
    rig_stop(r);
    rig_read(r);
    assert_int_equal(rig_count_of(r, FACT_BAR), 100);
    assert_int_equal(r->report.market_events, 100);
    assert_false(r->report.in_flight);
    assert_due(r, 90000000000ll, 5); /* also the last ones, after the last bar */
    rig_free(r);
}

static void lockstep_auto_off_opens_nothing_more(void **state)
{
    (void)state;
    struct flow_rig *r = rig_new(NULL, BARS);
    rig_open(r, FACT_RUN_PAPER);
    while (core_totals(lockstep_core(r->engine))->orders < 5)
        RIG_OK(r, lockstep_turn(r->engine, &r->tr));
    struct fact_auto off = {.by = "test"};
    RIG_OK(r, lockstep_command(r->engine, FACT_AUTO, &off, &r->tr));
    uint64_t from = core_seq(lockstep_core(r->engine));
    rig_run(r, MANY);
    rig_stop(r);
    rig_read(r);
    uint32_t denied = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct fact_decision *d = &r->record[i].u.fact_decision;
        if (r->record[i].head.type != FACT_DECISION || r->record[i].head.seq <= from)
            continue;
        assert_false(d->approved && !d->reducing);
        denied += !d->approved;
    }
    assert_true(denied > 5);
    rig_free(r);
}

static void lockstep_kill_between_two_bars_flattens(void **state)
{
    (void)state;
    struct flow_rig *r = rig_new(NULL, BARS);
    struct core_position_view p = {0};
    rig_open(r, FACT_RUN_PAPER);
    while (!core_position(lockstep_core(r->engine), 0, &p) || p.qty == 0)
        RIG_OK(r, lockstep_turn(r->engine, &r->tr));
    struct fact_mode m = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_KILLED, .by = "test"};
    RIG_OK(r, lockstep_command(r->engine, FACT_MODE, &m, &r->tr));
    rig_run(r, MANY);
    assert_true(core_position(lockstep_core(r->engine), 0, &p));
    assert_int_equal(p.qty, 0);
    assert_int_equal(core_mode(lockstep_core(r->engine), MODE_SCOPE_GLOBAL, 0), MODE_KILLED);
    rig_stop(r);
    assert_int_equal(r->report.positions_left, 0);
    rig_free(r);
}

/* A command between any two turns: what is due is numbered before it all the same. */
static void lockstep_command_waits_for_what_is_due(void **state)
{
    (void)state;
    struct flow_rig *r = rig_new(NULL, BARS);
    const struct fact_auto on = {.on = 1, .by = "test"};
    rig_open(r, FACT_RUN_PAPER);
    struct result turn = OK_RESULT;
    while (is_ok(turn)) {
        RIG_OK(r, lockstep_command(r->engine, FACT_AUTO, &on, &r->tr));
        turn = lockstep_turn(r->engine, &r->tr);
    }
    assert_int_equal(turn.code, RESULT_END);
    rig_stop(r);
    rig_read(r);
    assert_due(r, 0, 10);
    rig_free(r);
}

/* ---- going on ---- */

static void lockstep_second_epoch_goes_on_where_the_first_ended(void **state)
{
    (void)state;
    struct flow_rig *r = rig_new(NULL, BARS), *whole = rig_new(NULL, BARS);
    rig_open(r, FACT_RUN_PAPER);
    lockstep_until(r->engine, RIG_T0 + 150 * RIG_BAR_NS);
    rig_run(r, MANY);
    rig_stop(r);
    uint32_t left = r->report.positions_left;
    rig_open(r, FACT_RUN_PAPER);
    struct core_position_view p;
    assert_true(core_position(lockstep_core(r->engine), 0, &p));
    assert_int_equal(p.qty != 0, left);
    assert_int_equal(venue_net(r->engine->venue[0], 1), p.qty);
    rig_run(r, MANY);
    rig_stop(r);
    assert_int_equal(r->report.epoch, 2);
    assert_int_equal(r->report.totals.fills - r->report.fills_before, r->report.venue_fills);
    rig_whole(whole, FACT_RUN_PAPER);
    assert_int_equal(r->report.totals.signals, whole->report.totals.signals);
    assert_int_equal(r->report.totals.orders, whole->report.totals.orders);
    rig_read(r);
    assert_int_equal(rig_count_of(r, FACT_BAR), BARS);
    rig_free(r);
    rig_free(whole);
}

/* An engine that is gone at once leaves an order at a venue that is gone too. */
static void lockstep_orders_of_a_lost_epoch_end(void **state)
{
    (void)state;
    struct flow_rig *r = rig_new(NULL, BARS);
    rig_open(r, FACT_RUN_PAPER);
    while (core_open_orders(lockstep_core(r->engine)) == 0)
        RIG_OK(r, lockstep_turn(r->engine, &r->tr));
    lockstep_free(r->engine); /* no STOP */
    rig_open(r, FACT_RUN_PAPER);
    rig_run(r, MANY);
    assert_int_equal(core_open_orders(lockstep_core(r->engine)), 0);
    assert_int_equal(core_mode(lockstep_core(r->engine), MODE_SCOPE_GLOBAL, 0), MODE_ACTIVE);
    rig_stop(r);
    assert_int_equal(r->report.epoch, 2);
    assert_true(r->report.totals.orders - r->report.orders_before > 5);
    rig_free(r);
}

static void lockstep_other_data_is_no_continuation(void **state)
{
    (void)state;
    struct flow_rig *r = rig_new(NULL, 200);
    rig_open(r, FACT_RUN_PAPER);
    rig_run(r, 100);
    rig_stop(r);
    struct lockstep_options o = rig_options(r, FACT_RUN_PAPER);
    char text[64];
    FILE *f = fopen(r->data, "r+");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    assert_non_null(fgets(text, sizeof text, f));
    fseek(f, -3, SEEK_CUR); /* the volume of the first bar */
    fputc('7', f);
    fclose(f);
    assert_int_equal(lockstep_open(&o, &r->engine, &r->tr).code, RESULT_STATE);
    assert_non_null(strstr(trail_sentence(&r->tr, RESULT_OF(STATE)), "bars.csv: gives something"));
    rig_bars(r, 20);
    r->tr = (struct trail){0};
    assert_int_equal(lockstep_open(&o, &r->engine, &r->tr).code, RESULT_STATE);
    assert_non_null(strstr(trail_sentence(&r->tr, RESULT_OF(STATE)), "before the place where"));
    rig_free(r);
}

/* ---- refused ---- */

static void lockstep_file_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct flow_rig *r = rig_new(NULL, BARS);
    struct lockstep_options o = rig_options(r, FACT_RUN_BACKTEST);
    o.data_path = "/nowhere/bars.csv";
    assert_false(is_ok(lockstep_open(&o, &r->engine, &r->tr)));
    assert_non_null(strstr(trail_sentence(&r->tr, RESULT_OF(NOT_FOUND)), "/nowhere/bars.csv"));
    o.data_path = r->data;
    o.plugin_dir = "/nowhere";
    r->tr = (struct trail){0};
    assert_int_equal(lockstep_open(&o, &r->engine, &r->tr).code, RESULT_NOT_FOUND);
    assert_non_null(strstr(trail_sentence(&r->tr, RESULT_OF(NOT_FOUND)), "replay"));
    o.plugin_dir = TENON_PLUGIN_DIR;
    r->doc.instrument[0].bar_ns = 5 * RIG_BAR_NS;
    r->tr = (struct trail){0};
    assert_int_equal(lockstep_open(&o, &r->engine, &r->tr).code, RESULT_CONFIG);
    assert_non_null(strstr(trail_sentence(&r->tr, RESULT_OF(CONFIG)), "wants bars of 60 s"));
    r->engine = NULL;
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lockstep_answer_without_delay_follows_its_cause),
        cmocka_unit_test(lockstep_answer_due_with_the_next_bar_goes_before_it),
        cmocka_unit_test(lockstep_answer_with_a_long_delay_waits_for_its_time),
        cmocka_unit_test(lockstep_equal_times_keep_the_order_of_classes),
        cmocka_unit_test(lockstep_order_is_sent_once_and_answered_once),
        cmocka_unit_test(lockstep_backtest_decides_what_paper_decides),
        cmocka_unit_test(lockstep_same_backtest_twice_has_the_same_effects),
        cmocka_unit_test(lockstep_until_takes_nothing_after_it_and_drains),
        cmocka_unit_test(lockstep_auto_off_opens_nothing_more),
        cmocka_unit_test(lockstep_kill_between_two_bars_flattens),
        cmocka_unit_test(lockstep_command_waits_for_what_is_due),
        cmocka_unit_test(lockstep_second_epoch_goes_on_where_the_first_ended),
        cmocka_unit_test(lockstep_orders_of_a_lost_epoch_end),
        cmocka_unit_test(lockstep_other_data_is_no_continuation),
        cmocka_unit_test(lockstep_file_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
