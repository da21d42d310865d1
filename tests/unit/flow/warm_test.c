/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a new build is shown the end of the journal, as much as it declared twice over and no less
 * than it needs; what it then answers is what one that never stopped answers; a journal that is too
 * short, not durable so far, or given up half way ends in its own result. Method: a real journal
 * with a running build beside it; plants of the fixture plugins.
 */
#include "tests/unit/flow/promoter_rig.h"

static const struct lab_instance TAIL[] = {{"tail", "tail", "1.0.0", "bars: 20", NULL}};
static _Atomic bool go_on, stop = true;

/* A plant of the active document, as of generation 2. */
static struct plant *part_of(struct lab *l)
{
    static const uint32_t two[DEPLOY_INSTANCES_MAX] = {2, 2, 2};
    struct plant *p = calloc(1, sizeof *p);
    const struct plant_options o = {
        .doc = &l->doc, .plugin_dir = LAB_PLUGINS, .ids = &l->ids, .generation = two};
    LAB_OK(l, plant_open(&o, p, &l->tr));
    return p;
}

static void end_part(struct plant *p)
{
    plant_close(p);
    free(p);
}

static void settle(struct lab *l)
{
    LAB_OK(l, journal_wait(l->journal, l->seq, &l->tr));
}

static void warm_replayed_build_answers_as_one_that_never_stopped(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL, 1);
    struct warm_report rep;
    lab_bars(l, 5000);
    settle(l);
    struct plant *p = part_of(l);
    assert_int_equal(warm_how(p, 1), WARM_REPLAY);
    assert_false(warm_needs_state(p, 0));
    LAB_OK(l, warm_replay(p, l->journal_dir, l->seq, false, &go_on, &rep, &l->tr));
    assert_int_equal(rep.seat_count, 1);
    assert_int_equal(rep.seat[0].need, 21);
    assert_int_equal(rep.seat[0].strategy, 1);
    assert_int_equal(rep.seat[0].generation, 2);
    assert_int_equal(rep.to_seq, 5000);
    /* Not the whole journal: one window of the end is enough. */
    assert_int_equal(rep.from_seq, 5000 - 4096 + 1);
    assert_int_equal(rep.events, 4096);
    assert_int_equal(rep.seat[0].have, 4096);
    LAB_OK(l, p->bay[0]->ops->activate(p->bay[0], &l->tr));
    LAB_OK(l, belief_adopt(l->plant.belief, p->belief, &l->tr));
    const uint32_t from = l->signal_count;
    lab_bars(l, 400);
    assert_true(lab_twins(l, from) > 20);
    uint32_t lane;
    assert_ptr_equal(belief_remove(l->plant.belief, 1, 2, &lane), p->bay[0]);
    end_part(p);
    lab_free(l);
}

static void warm_history_that_is_too_short_is_refused_with_both_figures(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL, 1);
    struct warm_report rep;
    lab_bars(l, 20);
    settle(l);
    struct plant *p = part_of(l);
    assert_int_equal(warm_replay(p, l->journal_dir, l->seq, false, &go_on, &rep, &l->tr).code,
                     RESULT_STATE);
    const char *said = trail_sentence(&l->tr, RESULT_OF(STATE));
    assert_non_null(strstr(said, "instance tail: its warm-up is longer than the history: it needs "
                                 "21 bars or events before its first answer and the journal has "
                                 "20"));
    LAB_OK(l, warm_replay(p, l->journal_dir, l->seq, true, &go_on, &rep, &l->tr));
    assert_int_equal(rep.seat[0].have, 20);
    assert_int_equal(rep.from_seq, 1);
    rep.seat[0].how = WARM_STATE; /* somebody hands state over: no longer short */
    LAB_OK(l, warm_short(p, &rep, &l->tr));
    lab_bars(l, 1);
    settle(l);
    end_part(p);
    p = part_of(l);
    LAB_OK(l, warm_replay(p, l->journal_dir, l->seq, false, &go_on, &rep, &l->tr));
    assert_int_equal(rep.seat[0].have, 21);
    end_part(p);
    lab_free(l);
}

/* Windows double until there are bars enough among what is none. */
static void warm_looks_back_as_far_as_bars_are_rare(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL, 1);
    struct warm_report rep;
    const struct fact_tick tick = {.why = 8};
    for (uint32_t i = 0; i < 60; i++) {
        lab_bars(l, 1);
        for (uint32_t k = 0; k < 499; k++)
            lab_event(l, FACT_TICK, 0, &tick);
    }
    settle(l);
    struct plant *p = part_of(l);
    LAB_OK(l, warm_count(p, l->journal_dir, l->seq, &go_on, &rep, &l->tr));
    assert_int_equal(rep.to_seq, 30000);
    assert_int_equal(rep.from_seq, 1); /* 42 bars are 21,000 events: windows of 4, 8, 16, 32 Ki */
    assert_int_equal(rep.seat[0].have, 60);
    /* Up to an event in the middle. */
    LAB_OK(l, warm_count(p, l->journal_dir, 10000, &go_on, &rep, &l->tr));
    assert_int_equal(rep.seat[0].have, 20);
    assert_int_equal(rep.to_seq, 10000);
    end_part(p);
    lab_free(l);
}

static void warm_is_given_up_when_told(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL, 1);
    struct warm_report rep;
    lab_bars(l, 50);
    settle(l);
    struct plant *p = part_of(l);
    assert_int_equal(warm_replay(p, l->journal_dir, l->seq, false, &stop, &rep, &l->tr).code,
                     RESULT_AGAIN);
    /* No history at all: no folder, or nothing numbered yet. */
    LAB_OK(l, warm_replay(p, NULL, l->seq, true, &go_on, &rep, &l->tr));
    assert_int_equal(rep.events, 0);
    assert_int_equal(rep.seat[0].need, 21);
    LAB_OK(l, warm_replay(p, l->journal_dir, 0, true, &go_on, &rep, &l->tr));
    /* An event that no reader finds. */
    assert_int_equal(warm_replay(p, l->journal_dir, 5000, true, &go_on, &rep, &l->tr).code,
                     RESULT_CORRUPT);
    end_part(p);
    lab_free(l);
}

/* Bars made from trades: the one that is open at the end comes out whole, as in the running build
 * beside it. */
static void warm_open_bars_are_as_in_the_running_build(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL, 1);
    struct warm_report rep;
    struct plant *p = calloc(1, sizeof *p);
    static const uint32_t two[DEPLOY_INSTANCES_MAX] = {2};
    struct plant_options o = {
        .doc = &l->doc, .plugin_dir = LAB_PLUGINS, .ids = &l->ids, .bars_from_trades = true};
    plant_close(&l->plant);
    o.bays_max = 4;
    LAB_OK(l, plant_open(&o, &l->plant, &l->tr));
    LAB_OK(l, belief_activate(l->plant.belief, &l->tr));
    o.generation = two;
    LAB_OK(l, plant_open(&o, p, &l->tr));
    for (uint32_t i = 0; i < 20010; i++) { /* six a minute; the last bar is half done */
        l->t_ns += LAB_BAR_NS / 6;
        const struct fact_trade f = {.instrument = 1, .price = 100000 + i % 977, .qty = 5};
        lab_event(l, FACT_TRADE, 0, &f);
    }
    settle(l);
    LAB_OK(l, warm_replay(p, l->journal_dir, l->seq, false, &go_on, &rep, &l->tr));
    assert_int_equal(rep.from_seq, 20010 - 4096 + 1);
    assert_true(rep.seat[0].have >= 4096 / 6 - 1);
    assert_int_equal(belief_deadline(p->belief), belief_deadline(l->plant.belief));
    LAB_OK(l, p->bay[0]->ops->activate(p->bay[0], &l->tr));
    LAB_OK(l, belief_adopt(l->plant.belief, p->belief, &l->tr));
    l->plant.bay[l->plant.bay_count++] = p->bay[0];
    plant_give(p);
    const uint32_t from = l->signal_count;
    for (uint32_t i = 0; i < 6000; i++) {
        l->t_ns += LAB_BAR_NS / 6;
        const struct fact_trade f = {.instrument = 1, .price = 100000 + i % 977, .qty = 5};
        lab_event(l, FACT_TRADE, 0, &f);
    }
    assert_true(lab_twins(l, from) > 5);
    free(p);
    lab_free(l);
}

static void warm_how_follows_the_manifests(void **state)
{
    (void)state;
    static const struct lab_instance many[] = {
        {"memo", "memo", "1.0.0", "", NULL},
        {"cold", "cold", "1.0.0", "", NULL},
        {"slow", "slow", "1.0.0", "spins: 0", NULL},
        {"bare", "broken_str", "1.0.0", "", TENON_BINARY_DIR "/abi"}};
    struct lab *l = lab_new(many, 4);
    struct plant *p = part_of(l);
    assert_int_equal(warm_how(p, 1), WARM_STATE);
    assert_true(warm_needs_state(p, 0));
    assert_int_equal(warm_how(p, 2), WARM_COLD);
    assert_int_equal(warm_how(p, 3), WARM_REPLAY); /* no state, but a need */
    assert_int_equal(warm_how(p, 4), WARM_COLD);   /* neither, and it does not say so */
    end_part(p);
    lab_free(l);
}

static void warm_fault_in_history_names_the_build(void **state)
{
    (void)state;
    static const struct lab_instance bad[] = {
        {"bad", "broken_str", "1.0.0", "mode: 1, at: 40", TENON_BINARY_DIR "/abi"}};
    struct lab *l = lab_new(bad, 1);
    struct warm_report rep;
    lab_bars(l, 30);
    settle(l);
    struct plant *p = part_of(l);
    LAB_OK(l, warm_replay(p, l->journal_dir, l->seq, false, &go_on, &rep, &l->tr));
    lab_bars(l, 9);
    settle(l);
    assert_int_equal(warm_replay(p, l->journal_dir, l->seq, false, &go_on, &rep, &l->tr).code,
                     RESULT_PLUGIN);
    assert_non_null(strstr(trail_sentence(&l->tr, RESULT_OF(PLUGIN)),
                           "instance bad (broken_str 1.0.0): broke its contract while it was "
                           "warmed, at event 10: broken_str:"));
    end_part(p);
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm_replayed_build_answers_as_one_that_never_stopped),
        cmocka_unit_test(warm_history_that_is_too_short_is_refused_with_both_figures),
        cmocka_unit_test(warm_looks_back_as_far_as_bars_are_rare),
        cmocka_unit_test(warm_is_given_up_when_told),
        cmocka_unit_test(warm_open_bars_are_as_in_the_running_build),
        cmocka_unit_test(warm_how_follows_the_manifests),
        cmocka_unit_test(warm_fault_in_history_names_the_build),
    };
    return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
