/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: whatever a bay that was taken over goes on saying, who reads its line comes back: what may
 * be said has an end, a look has one, and a wait has its deadline. Method: a bay's inside by hand,
 * in each phase, with the other end of its line in the test's hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bays/process_priv.h"

enum { RING = 8 * 1024 * 1024, EVENTS = 4, STATE_BYTES = 64, SLOTS = BAY_ANSWERS_MAX + 4 };
#define ANSWER_NS 2000000ll

struct rig {
    struct process_home home;
    struct process_bay b;
    struct bay_module module;
    struct tn_event past[EVENTS];
    uint8_t coming[STATE_BYTES];
    struct bay_answer answer[SLOTS];
    uint8_t body[PROCESS_BODY_BYTES];
    struct link bay; /* its own end */
    struct trail tr;
};

static struct rig *rig_open(enum process_phase phase, uint32_t signals_max)
{
    struct rig *r = calloc(1, sizeof *r);
    struct link_end end[2];
    assert_non_null(r);
    assert_true(is_ok(link_make(RING, end, &r->tr)));
    assert_true(is_ok(link_open(&end[0], &r->b.link, &r->tr)));
    assert_true(is_ok(link_open(&end[1], &r->bay, &r->tr)));
    r->home.o = (struct process_options){.clock = &clock_system, .answer_ns = ANSWER_NS};
    r->module.facts.manifest.signals_max = signals_max;
    strcpy(r->module.facts.manifest.id, "taken");
    r->b.home = &r->home;
    r->b.strategy = &r->module.facts.manifest;
    r->b.spec.node_count = 1;
    r->b.spec.node[0].module = &r->module;
    r->b.phase = phase;
    r->b.want.wake = LINE_WAKE_BLOCK;
    r->b.child.pidfd = -1;
    r->b.past = r->past;
    r->b.past_mask = EVENTS - 1;
    r->b.answer = r->answer;
    r->b.body = r->body;
    r->b.state[0] = (struct process_state){.coming = r->coming, .max = STATE_BYTES};
    for (uint32_t i = 0; i < EVENTS; i++)
        r->past[i] = (struct tn_event){.size = sizeof r->past[i], .seq = 10 + i, .t_ns = 100 + i};
    r->b.sent = EVENTS;
    atomic_store(&r->b.head, EVENTS);
    return r;
}

static void rig_close(struct rig *r)
{
    link_close(&r->b.link);
    link_close(&r->bay);
    free(r);
}

static const char *take(struct rig *r, uint32_t kind, const void *bytes, uint32_t count)
{
    const struct link_message m = {.kind = kind, .bytes = count};
    memcpy(r->body, bytes, count);
    return process_take(&r->b, &m);
}

static struct line_answer signal_of(uint64_t seq)
{
    return (struct line_answer){
        .kind = BAY_SIGNAL, .cause_seq = seq, .cause_t_ns = 90 + (int64_t)seq};
}

/* A bay that is shown the past again owes its answers as ever; they are only not used. */
static void process_check_void_signals_are_counted(void **state)
{
    (void)state;
    static const enum process_phase phase[] = {PROCESS_DOWN, PROCESS_CATCHING};
    for (uint32_t i = 0; i < 2; i++) {
        struct rig *r = rig_open(phase[i], 2);
        struct line_answer a = signal_of(11);
        assert_null(take(r, LINE_ANSWER, &a, sizeof a));
        assert_null(take(r, LINE_ANSWER, &a, sizeof a));
        const char *wrong = take(r, LINE_ANSWER, &a, sizeof a);
        assert_non_null(wrong);
        assert_string_equal(wrong, "more signals than it declares");
        a = signal_of(12);
        assert_null(take(r, LINE_ANSWER, &a, sizeof a));
        a = signal_of(11); /* it went on from there */
        wrong = take(r, LINE_ANSWER, &a, sizeof a);
        assert_non_null(wrong);
        assert_string_equal(wrong, "answers an event that it was not given");
        assert_int_equal(r->b.answer_used, 0);
        rig_close(r);
    }
}

static void process_check_state_comes_nearer_to_its_end(void **state)
{
    (void)state;
    struct rig *r = rig_open(PROCESS_LIVE, 1);
    struct line_state empty = {.total = 8};
    r->b.is_saving = true;
    const char *wrong = take(r, LINE_STATE, &empty, sizeof empty);
    assert_non_null(wrong);
    assert_string_equal(wrong, "a piece of state without a byte");
    empty = (struct line_state){.is_last = 1}; /* a state of no bytes is one, once */
    assert_null(take(r, LINE_STATE, &empty, sizeof empty));
    assert_non_null(take(r, LINE_STATE, &empty, sizeof empty));
    rig_close(r);
}

static void process_check_one_look_has_an_end(void **state)
{
    (void)state;
    struct rig *r = rig_open(PROCESS_CATCHING, UINT32_MAX);
    const struct line_answer a = signal_of(10);
    for (uint32_t i = 0; i < PROCESS_READ_MAX + 1; i++)
        assert_true(link_put(&r->bay, LINE_ANSWER, &a, sizeof a));
    assert_true(process_pump(&r->b));
    assert_int_equal(r->b.link.taken, PROCESS_READ_MAX);
    assert_true(link_has(&r->b.link));
    assert_true(process_pump(&r->b));
    assert_false(link_has(&r->b.link));
    rig_close(r);
}

/* Nobody takes the answers, so nothing more is read, and a message that waits is no reply. */
static void process_check_waits_end_with_a_message_unread(void **state)
{
    (void)state;
    struct rig *r = rig_open(PROCESS_LIVE, 1);
    const struct line_answer a = signal_of(10);
    struct line_done done;
    r->b.answer_used = BAY_ANSWERS_MAX;
    assert_true(link_put(&r->bay, LINE_ANSWER, &a, sizeof a));
    struct result x = process_command(&r->b, LINE_ACTIVATE, NULL, 0, &done, &r->tr);
    assert_int_equal(x.code, RESULT_PLUGIN);
    assert_non_null(strstr(trail_sentence(&r->tr, x), "gave no answer in time"));
    r->tr = (struct trail){0};
    r->b.is_saving = true;
    x = process_save_node(&r->b, 0, 13, &r->tr);
    assert_int_equal(x.code, RESULT_PLUGIN);
    assert_non_null(strstr(trail_sentence(&r->tr, x), "gave no state in time"));
    assert_int_equal(r->b.answer_used, BAY_ANSWERS_MAX);
    rig_close(r);
}

/* What had come by the deadline is read, however late the reader is. */
static void process_check_late_reader_finds_the_reply(void **state)
{
    (void)state;
    struct rig *r = rig_open(PROCESS_LIVE, 1);
    const struct line_done said = {.what = LINE_ACTIVATE, .warmup = 7};
    struct line_done done;
    r->home.o.answer_ns = 0; /* over before it looks */
    assert_true(link_put(&r->bay, LINE_DONE, &said, sizeof said));
    const struct result x = process_command(&r->b, LINE_ACTIVATE, NULL, 0, &done, &r->tr);
    assert_true(is_ok(x));
    assert_int_equal(done.warmup, 7);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_check_void_signals_are_counted),
        cmocka_unit_test(process_check_state_comes_nearer_to_its_end),
        cmocka_unit_test(process_check_one_look_has_an_end),
        cmocka_unit_test(process_check_waits_end_with_a_message_unread),
        cmocka_unit_test(process_check_late_reader_finds_the_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
