/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: builds that are built again answer as they did, in their first epoch, after a restart,
 * after a promotion with history and after one with a state that was handed over; and whatever a
 * journal says otherwise is named: the event, the instance, the generation, what differs. Method:
 * journals as an engine writes them (rebelief_rig.h), whole or with one record altered, left out or
 * doubled.
 */
#include "tests/unit/flow/rebelief_rig.h"

static const struct lab_instance tail = {.plugin = "tail", .version = "1.0.0"};
static const struct lab_instance tail_next = {.plugin = "tail", .version = "1.1.0"};
static const struct lab_instance tail_quick = {
    .plugin = "tail", .version = "1.1.0", .params = "bars: 5"};
static const struct lab_instance memo = {.plugin = "memo", .version = "1.0.0"};
static const struct lab_instance memo_next = {.plugin = "memo", .version = "2.0.0"};

static struct rebelief_report *report_new(void)
{
    struct rebelief_report *rep = calloc(1, sizeof *rep);
    assert_non_null(rep);
    return rep;
}

static const struct rebelief_build *build_of(const struct rebelief_report *rep, uint32_t instance,
                                             uint32_t generation)
{
    for (uint32_t i = 0; i < rep->build_count; i++) {
        if (rep->build[i].instance == instance && rep->build[i].generation == generation)
            return &rep->build[i];
    }
    fail_msg("instance %u of generation %u is not in the report", instance, generation);
    return NULL;
}

static void assert_identical(struct lab *l, uint32_t builds, uint64_t at_least)
{
    struct rebelief_report *rep = report_new();
    LAB_OK(l, lab_replay(l, 0, NULL, rep));
    for (uint32_t i = 0; i < rep->build_count; i++)
        assert_string_equal(rep->build[i].difference, "");
    assert_int_equal(rep->differing, 0);
    assert_int_equal(rep->build_count, builds);
    assert_int_equal(rep->signals, l->signals);
    assert_int_equal(rep->events, l->seq.last_seq);
    for (uint32_t i = 0; i < rep->build_count; i++) {
        assert_int_equal(rep->build[i].same, rep->build[i].signals);
        assert_true(rep->build[i].signals >= at_least);
    }
    free(rep);
}

static void assert_words(const char *text, const char *const words[])
{
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (strstr(text, words[i]) == NULL)
            fail_msg("'%s' is not in: %s", words[i], text);
    }
}
#define WORDS(text, ...) assert_words(text, (const char *const[]){__VA_ARGS__, NULL})

/* ---- the same builds ---- */

static void rebelief_first_epoch_is_identical(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    const struct lab_instance two[] = {tail, memo};
    lab_first(l, two, 2);
    lab_bars(l, 300);
    lab_close(l, true);
    assert_identical(l, 2, 4);
    lab_free(l);
}

/* Answers that are due later are met later, and those not due at the end never. */
static void rebelief_late_due_times_are_identical(void **state)
{
    (void)state;
    static const char *const due[] = {"1ns", "30s", "10m"};
    for (uint32_t i = 0; i < sizeof due / sizeof *due; i++) {
        struct lab *l = lab_new();
        struct lab_instance slow = tail_quick;
        slow.due = due[i];
        lab_first(l, &slow, 1);
        lab_bars(l, 200);
        lab_close(l, i != 1);
        assert_identical(l, 1, 20);
        lab_free(l);
    }
}

static void rebelief_after_a_restart_is_identical(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    const struct lab_instance two[] = {tail, memo};
    lab_first(l, two, 2);
    lab_bars(l, 150);
    lab_close(l, false); /* no STOP: it was killed */
    lab_go_on(l);
    lab_bars(l, 150);
    lab_close(l, true);
    assert_identical(l, 2, 4);
    lab_free(l);
}

static void rebelief_promoted_build_is_identical(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    lab_first(l, &tail, 1);
    lab_bars(l, 150);
    lab_promote(l, &tail_quick, 1, 2, 30, 0, true);
    lab_bars(l, 100);
    lab_plugin(l, FACT_PLUGIN_STOPPED, 1, 1, 0, 0);
    uint32_t lane;
    struct bay *gone = belief_remove(l->belief, 1, 1, &lane);
    seq_drop(&l->seq, lane);
    assert_non_null(gone);
    lab_bars(l, 50);
    lab_close(l, true);
    assert_identical(l, 2, 4);
    struct rebelief_report *rep = report_new();
    LAB_OK(l, lab_replay(l, 0, NULL, rep));
    assert_string_equal(build_of(rep, 1, 1)->version, "1.0.0");
    assert_string_equal(build_of(rep, 1, 2)->version, "1.1.0");
    assert_string_equal(build_of(rep, 1, 2)->name, "one0");
    assert_true(build_of(rep, 1, 1)->to_seq < build_of(rep, 1, 2)->to_seq);
    free(rep);
    lab_free(l);
}

/* tail answers by its last 21 bars: a window that is longer or shorter gives the same from then on,
 * and one that is recorded wrongly gives itself away. */
static void rebelief_shows_the_recorded_window(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    lab_first(l, &tail, 1);
    lab_bars(l, 150);
    lab_promote(l, &tail_next, 1, 2, 10, 0, true); /* too short: silent until it has 21 bars */
    lab_bars(l, 150);
    lab_close(l, true);
    assert_identical(l, 2, 3);
    lab_free(l);
}

static void rebelief_handed_over_state_is_identical(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    lab_first(l, &memo, 1);
    lab_bars(l, 150);
    lab_promote(l, &memo_next, 1, 2, 20, 1, true);
    lab_bars(l, 300);
    lab_close(l, true);
    assert_identical(l, 2, 4);
    lab_free(l);
}

/* The same journal without the word about the state: what began with it cannot answer the same. */
static void rebelief_state_that_is_not_on_record_differs(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    struct rebelief_report *rep = report_new();
    lab_first(l, &memo, 1);
    lab_bars(l, 150);
    lab_promote(l, &memo_next, 1, 2, 20, 1, false);
    lab_bars(l, 300);
    lab_close(l, true);
    LAB_OK(l, lab_replay(l, 0, NULL, rep));
    assert_int_equal(rep->differing, 1);
    assert_string_equal(build_of(rep, 1, 1)->difference, "");
    WORDS(build_of(rep, 1, 2)->difference, "one0, generation 2");
    free(rep);
    lab_free(l);
}

static void rebelief_fault_at_the_same_event_is_identical(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    const struct lab_instance faulty = {
        .plugin = "tail", .version = "1.2.0", .params = "bars: 5, breaks_after: 60"};
    lab_first(l, &tail, 1);
    lab_bars(l, 150);
    lab_promote(l, &faulty, 1, 2, 30, 0, true);
    lab_bars(l, 150);
    lab_close(l, true);
    bool broke = false;
    for (uint32_t i = 0; i < l->event_count; i++)
        broke = broke || (l->event[i].head.type == FACT_PLUGIN &&
                          l->event[i].u.fact_plugin.what == FACT_PLUGIN_QUARANTINED);
    assert_true(broke);
    assert_identical(l, 2, 4);
    lab_free(l);
}

static void rebelief_fault_that_does_not_come_again_differs(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    struct rebelief_report *rep = report_new();
    lab_first(l, &tail_quick, 1);
    lab_bars(l, 100);
    const struct fact_plugin e = {
        .instance = 1, .what = FACT_PLUGIN_QUARANTINED, .text = "tail: it lies"};
    lab_say(l, FACT_PLUGIN, 1, l->seq.last_seq, &e);
    lab_close(l, true);
    LAB_OK(l, lab_replay(l, 0, NULL, rep));
    WORDS(build_of(rep, 1, 1)->difference, "broke its contract there (tail: it lies)", "does not");
    free(rep);
    lab_free(l);
}

/* ---- differences ---- */

static void rebelief_altered_signal_is_named(void **state)
{
    (void)state;
    static const struct {
        uint32_t damage;
        const char *words;
    } cases[] = {
        {LAB_SIDE, "side: the journal has "},
        {LAB_SCORE, "score: the journal has "},
        {LAB_REASON, "reason 2, value: the journal has "},
        {LAB_HASH, "plugin: the journal has another file's hash"},
        {LAB_LEAVE_OUT, "the journal has none, this build gives "},
        {LAB_DOUBLE, ", this build gives none"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lab *l = lab_new();
        struct rebelief_report *rep = report_new();
        char event[48];
        l->damage = cases[i].damage;
        l->damage_at = 7;
        lab_first(l, &tail_quick, 1);
        lab_bars(l, 200);
        lab_close(l, true);
        assert_true(l->signals > 20);
        LAB_OK(l, lab_replay(l, 0, NULL, rep));
        const struct rebelief_build *b = build_of(rep, 1, 1);
        snprintf(event, sizeof event, "event %lu of one0, generation 1",
                 (unsigned long)l->damage_cause);
        WORDS(b->difference, event, cases[i].words);
        assert_int_equal(b->differs_seq, l->damage_cause);
        assert_int_equal(rep->differing, 1);
        /* one is lost, no more: what follows is found again */
        assert_true(b->same + 1 >= b->signals);
        free(rep);
        lab_free(l);
    }
}

static void rebelief_late_answer_is_found(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    l->damage = LAB_LATE;
    l->damage_at = 5;
    lab_first(l, &tail_quick, 1);
    lab_bars(l, 200);
    lab_close(l, true);
    assert_identical(l, 1, 20);
    lab_free(l);
}

static void rebelief_signal_of_a_build_that_never_started_is_named(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    struct rebelief_report *rep = report_new();
    lab_first(l, &tail_quick, 1);
    lab_bars(l, 100);
    const struct fact_signal stray = {.instance = 1, .side = TN_LONG};
    lab_say(l, FACT_SIGNAL, 9, l->seq.last_seq, &stray);
    lab_close(l, true);
    LAB_OK(l, lab_replay(l, 0, NULL, rep));
    assert_string_equal(build_of(rep, 1, 1)->difference, "");
    WORDS(build_of(rep, 1, 9)->difference, "SIGNAL of generation 9 of one0", "no record");
    free(rep);
    lab_free(l);
}

/* ---- other builds ---- */

static void rebelief_as_another_version_that_answers_the_same_is_identical(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    struct rebelief_report *rep = report_new();
    lab_first(l, &tail, 1);
    lab_bars(l, 150);
    lab_promote(l, &tail_next, 1, 2, 30, 0, true);
    lab_bars(l, 50);
    lab_close(l, true);
    LAB_OK(l, lab_replay(l, 2, NULL, rep));
    assert_int_equal(rep->differing, 0);
    assert_string_equal(build_of(rep, 1, 1)->version, "1.1.0");
    LAB_OK(l, lab_replay(l, 1, NULL, rep));
    assert_int_equal(rep->differing, 0);
    assert_string_equal(build_of(rep, 1, 2)->version, "1.0.0");
    free(rep);
    lab_free(l);
}

static void rebelief_as_another_build_names_the_first_that_differs(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    struct rebelief_report *rep = report_new();
    lab_first(l, &tail, 1);
    lab_bars(l, 150);
    lab_promote(l, &tail_quick, 1, 2, 30, 0, true);
    lab_bars(l, 50);
    lab_close(l, true);
    LAB_OK(l, lab_replay(l, 2, NULL, rep));
    const struct rebelief_build *b = build_of(rep, 1, 1);
    assert_true(b->differs_seq > 0 && b->differs_seq < l->seq.last_seq);
    WORDS(b->difference, "one0, generation 1", "this build gives");
    assert_string_equal(build_of(rep, 1, 2)->difference, "");
    struct result r = lab_replay(l, 3, NULL, rep);
    assert_int_equal(r.code, RESULT_NOT_FOUND);
    WORDS(trail_sentence(&l->tr, r), "has no deployment 3", "config history");
    free(rep);
    lab_free(l);
}

/* A file that was refused bore the same serial as the one that came after it. */
static void rebelief_refused_document_of_the_same_serial_is_not_taken(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    lab_first(l, &tail, 1);
    lab_bars(l, 100);
    lab_propose(l, &memo, 1, 2);
    struct fact_promotion no = {.serial = 2, .from = PROMOTION_PROPOSED, .to = PROMOTION_REFUSED};
    memcpy(no.sha256, l->doc.fact.sha256, sizeof no.sha256);
    lab_say(l, FACT_PROMOTION, 0, 0, &no);
    plant_close(&l->part);
    lab_promote(l, &tail_quick, 1, 2, 30, 0, true);
    lab_bars(l, 100);
    lab_close(l, true);
    assert_identical(l, 2, 4);
    lab_free(l);
}

/* ---- what cannot be compared ---- */

static void rebelief_missing_plugin_is_said_in_its_row(void **state)
{
    (void)state;
    struct lab *l = lab_new();
    struct rebelief_report *rep = report_new();
    lab_first(l, &tail, 1);
    lab_bars(l, 100);
    lab_close(l, true);
    LAB_OK(l, lab_replay(l, 0, l->dir, rep));
    const struct rebelief_build *b = build_of(rep, 1, 1);
    WORDS(b->difference, "one0, generation 1, cannot be built again", "tail-1.0.0.so");
    assert_int_equal(b->differs_seq, 0);
    assert_int_equal(b->same, 0);
    assert_int_equal(b->signals, l->signals);
    free(rep);
    lab_free(l);
}

static void rebelief_journals_without_belief_are_refused(void **state)
{
    (void)state;
    struct rebelief_report *rep = report_new();
    struct lab *l = lab_new();
    struct result r = lab_replay(l, 0, NULL, rep);
    assert_false(is_ok(r)); /* no journal there */
    lab_open(l, FACT_RUN_BACKTEST);
    lab_close(l, true);
    r = lab_replay(l, 0, NULL, rep);
    assert_int_equal(r.code, RESULT_STATE);
    WORDS(trail_sentence(&l->tr, r), "holds no run of a host", "a backtest keeps no records");
    lab_free(l);
    l = lab_new();
    lab_open(l, FACT_RUN_PAPER);
    lab_close(l, true);
    r = lab_replay(l, 0, NULL, rep);
    assert_int_equal(r.code, RESULT_STATE);
    WORDS(trail_sentence(&l->tr, r), "no strategy was started");
    lab_free(l);
    free(rep);
}

static void rebelief_unsigned_deployment_has_no_text(void **state)
{
    (void)state;
    struct rebelief_report *rep = report_new();
    struct lab *l = lab_new();
    const struct fact_instance i = {.id = 1, .kind = TN_KIND_STRATEGY, .name = "one0"};
    lab_open(l, FACT_RUN_PAPER);
    lab_say(l, FACT_INSTANCE, 0, 0, &i);
    lab_plugin(l, FACT_PLUGIN_STARTED, 1, 0, 0, 0);
    lab_close(l, true);
    LAB_OK(l, lab_replay(l, 0, NULL, rep));
    WORDS(build_of(rep, 1, 0)->difference, "unsigned deployment", "only the text of signed ones");
    lab_free(l);
    free(rep);
}

static void rebelief_other_libm_is_refused(void **state)
{
    (void)state;
    struct rebelief_report *rep = report_new();
    struct lab *l = lab_new();
    struct fact_start s = {.epoch = 2, .kind = FACT_RUN_PAPER};
    lab_first(l, &tail, 1);
    lab_bars(l, 50);
    lab_say(l, FACT_START, 0, 0, &s);
    lab_close(l, true);
    struct result r = lab_replay(l, 0, NULL, rep);
    assert_int_equal(r.code, RESULT_VERSION);
    WORDS(trail_sentence(&l->tr, r), "exp, log and pow");
    lab_free(l);
    free(rep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rebelief_first_epoch_is_identical),
        cmocka_unit_test(rebelief_late_due_times_are_identical),
        cmocka_unit_test(rebelief_after_a_restart_is_identical),
        cmocka_unit_test(rebelief_promoted_build_is_identical),
        cmocka_unit_test(rebelief_shows_the_recorded_window),
        cmocka_unit_test(rebelief_handed_over_state_is_identical),
        cmocka_unit_test(rebelief_state_that_is_not_on_record_differs),
        cmocka_unit_test(rebelief_fault_at_the_same_event_is_identical),
        cmocka_unit_test(rebelief_fault_that_does_not_come_again_differs),
        cmocka_unit_test(rebelief_altered_signal_is_named),
        cmocka_unit_test(rebelief_late_answer_is_found),
        cmocka_unit_test(rebelief_signal_of_a_build_that_never_started_is_named),
        cmocka_unit_test(rebelief_as_another_version_that_answers_the_same_is_identical),
        cmocka_unit_test(rebelief_as_another_build_names_the_first_that_differs),
        cmocka_unit_test(rebelief_refused_document_of_the_same_serial_is_not_taken),
        cmocka_unit_test(rebelief_missing_plugin_is_said_in_its_row),
        cmocka_unit_test(rebelief_journals_without_belief_are_refused),
        cmocka_unit_test(rebelief_unsigned_deployment_has_no_text),
        cmocka_unit_test(rebelief_other_libm_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
