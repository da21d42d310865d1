/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: an agent hands on what a good adapter wants and says, in order, waits when a line is full,
 * and makes one sentence and silence of every broken rule; facts that point out of the plugin are
 * refused before they are followed. Method: tests/abi/broken_adapter.c, one mode per rule; lines
 * are the rig's queues.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "bays/fpu.h"
#include "tests/lib/adapter_rig.h"

#define ABI TENON_BINARY_DIR "/abi/"
static struct adapter_rig rig;

static void open_mode(int64_t mode)
{
    adapter_rig_open(&rig, ABI "broken_adapter.so");
    rig.spec.param[0].i = mode;
    adapter_rig_start(&rig, 10);
}

static void hear(const char *text)
{
    adapter_rig_in(&rig, 1000, TN_IN_BYTES, 3, 0, 0, text, strlen(text));
}

static struct tn_approval an_approval(uint32_t class_of)
{
    return (struct tn_approval){.size = sizeof(struct tn_approval),
                                .class_of = class_of,
                                .approval = 8193,
                                .t_ns = 1000,
                                .instrument = 1};
}

static void agent_good_calls_become_messages_in_order(void **state)
{
    (void)state;
    open_mode(0);
    const struct line_open *o = adapter_lane_at(&rig.desk, LINE_OPEN, 0);
    assert_int_equal(o->id, 3);
    assert_memory_equal(o + 1, "/s", 2);
    const struct line_log *log = adapter_lane_at(&rig.core, LINE_LOG, 0);
    assert_int_equal(log->level, 2);
    assert_memory_equal(log + 1, "begun", 5);
    adapter_rig_forget(&rig);
    hear("now");
    static const uint32_t core[] = {LINE_EVENT, LINE_SAID, LINE_SYNC};
    static const uint32_t desk[] = {LINE_OPEN, LINE_TIMER, LINE_CAPTURE, LINE_REQUEST};
    assert_int_equal(rig.core.count, 3);
    assert_int_equal(rig.desk.count, 4);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(rig.core.message[i].kind, core[i]);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(rig.desk.message[i].kind, desk[i]);
    const struct line_event *ev = (const void *)rig.core.message[0].bytes;
    assert_int_equal(ev->stamp_ns, 1000);
    assert_int_equal(ev->event.u.trade.price, 100);
    const struct line_request *r = (const void *)rig.desk.message[3].bytes;
    const struct line_part *p = (const void *)(r + 1);
    assert_int_equal(r->part_count, 2);
    assert_int_equal(r->bytes, 5);
    assert_int_equal(p[1].kind, TN_PART_HMAC);
    assert_memory_equal(p + 2, "hello", 5);
    assert_int_equal(rig.desk.message[3].count, sizeof *r + 2 * sizeof *p + 5);
    adapter_rig_close(&rig);
}

static void agent_full_line_loses_nothing_and_keeps_order(void **state)
{
    (void)state;
    open_mode(0);
    adapter_rig_forget(&rig);
    rig.is_full = true;
    hear("now");
    hear("and");
    assert_int_equal(rig.core.count, 0);
    assert_false(agent_flush(rig.agent));
    rig.is_full = false;
    assert_true(agent_flush(rig.agent));
    assert_int_equal(rig.core.count, 5);
    assert_int_equal(rig.desk.count, 4);
    assert_int_equal(rig.core.message[2].kind, LINE_SYNC);
    assert_int_equal(rig.core.message[3].kind, LINE_EVENT);
    adapter_rig_close(&rig);
}

/* Its queue is bounded: a line that never gets room again costs answers, not memory. */
static void agent_queue_that_stays_full_refuses_and_stays_whole(void **state)
{
    (void)state;
    open_mode(0);
    adapter_rig_forget(&rig);
    rig.is_full = true;
    for (int i = 0; i < 20000; i++)
        hear("and");
    rig.is_full = false;
    uint64_t ping = 4;
    agent_take(rig.agent, LINE_PING, &ping, sizeof ping);
    assert_true(rig.core.count > 1000 && rig.core.count < 8000);
    const struct line_done *pong = adapter_lane_last(&rig.core, LINE_PONG);
    assert_int_equal(pong->number, 4);
    assert_false(agent_is_quarantined(rig.agent));
    adapter_rig_close(&rig);
}

/* The spare room is the host's own. What the host said in it leaves none for the adapter, and no
 * word of it goes behind the end of the queue. */
static void agent_queue_full_of_the_hosts_words_takes_no_other(void **state)
{
    (void)state;
    open_mode(0);
    adapter_rig_forget(&rig);
    rig.is_full = true;
    for (uint64_t ping = 1; ping < 10000; ping++)
        agent_take(rig.agent, LINE_PING, &ping, sizeof ping);
    for (int i = 0; i < 1000; i++)
        hear("and");
    rig.is_full = false;
    assert_true(agent_flush(rig.agent));
    assert_true(adapter_lane_count(&rig.core, LINE_PONG) > 4000);
    assert_int_equal(adapter_lane_count(&rig.core, LINE_EVENT), 0);
    assert_int_equal(adapter_lane_count(&rig.core, LINE_SAID), 0);
    assert_false(agent_is_quarantined(rig.agent));
    adapter_rig_close(&rig);
}

static void agent_broken_rule_is_one_sentence_and_silence(void **state)
{
    (void)state;
    static const struct {
        int64_t mode;
        const char *why;
    } rows[] = {
        {1, "an unknown status"},
        {2, "TN_E_DATA"},
        {3, "host memory asked for in a hot call"},
        {4, "FP control word changed"},
        {5, "prices or sizes that cannot be"},
        {6, "an instrument it was not given"},
        {7, "a market event with unknown members"},
        {8, "prices or sizes that cannot be"},
        {9, "a text that does not end"},
        {10, "a fill without"},
        {11, "numbers that cannot be"},
        {12, "a venue's answer with unknown members"},
        {13, "a link with unknown members"},
        {14, "a link with a bad path"},
        {15, "whose number does not rise"},
        {16, "a link it has not asked for"},
        {17, "parts do not add up"},
        {18, "a digest over what does not stand before it"},
        {19, "a hidden digest"},
        {20, "bytes from nowhere"},
        {21, "too long"},
        {22, "a stored template with an approval"},
        {23, "a timer"},
        {24, "a capture"},
        {25, "a reconciliation"},
    };
    const struct fpu before = fpu_read();
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_mode(rows[i].mode);
        adapter_rig_forget(&rig);
        hear("and");
        assert_int_equal(rig.core.count, 2);
        if (rows[i].mode == 15) /* the first number is used up by a good call */
            hear("now");
        adapter_rig_forget(&rig);
        hear("now");
        const struct line_done *d = adapter_lane_at(&rig.core, LINE_DONE, 0);
        assert_non_null(d);
        assert_int_equal(d->code, RESULT_PLUGIN);
        assert_int_equal(d->what, LINE_IN);
        if (!strstr(d->text, rows[i].why))
            fail_msg("mode %d: \"%s\" lacks \"%s\"", (int)rows[i].mode, d->text, rows[i].why);
        assert_int_equal(rig.core.count, 1); /* of a broken call nothing else leaves */
        assert_int_equal(rig.desk.count, 0);
        assert_true(agent_is_quarantined(rig.agent));
        assert_true(fpu_same(before, fpu_read()));
        hear("and");
        assert_int_equal(rig.core.count, 1);
        adapter_rig_close(&rig);
    }
}

static void agent_approval_is_answered_once_or_burned(void **state)
{
    (void)state;
    struct tn_approval order = an_approval(TN_CLASS_ORDER), amend = an_approval(TN_CLASS_AMEND);
    open_mode(0);
    adapter_rig_forget(&rig);
    adapter_rig_approve(&rig, &order);
    adapter_rig_approve(&rig, &amend);
    assert_int_equal(rig.desk.count, 2);
    const struct line_request *r = (const void *)rig.desk.message[0].bytes;
    const struct line_burn *b = (const void *)rig.desk.message[1].bytes;
    assert_int_equal(r->approval, 8193);
    assert_int_equal(rig.desk.message[1].kind, LINE_BURN);
    assert_int_equal(b->approval, 8193);
    assert_int_equal(b->status, TN_E_UNSUPPORTED);
    adapter_rig_close(&rig);
    for (int64_t mode = 26; mode <= 28; mode++) { /* none, two, one and a failure */
        open_mode(mode);
        adapter_rig_forget(&rig);
        adapter_rig_approve(&rig, &order);
        assert_true(agent_is_quarantined(rig.agent));
        assert_int_equal(rig.desk.count, 1);
        assert_int_equal(rig.desk.message[0].kind, LINE_BURN);
        assert_int_equal(rig.core.message[0].kind, LINE_DONE);
        adapter_rig_close(&rig);
    }
}

static void agent_failed_setup_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        int64_t mode;
        const char *why;
    } rows[] = {{29, "TN_E_PARAM"}, {30, "arena bytes"}, {31, "start failed"}, {65, "mode"}};
    for (uint32_t i = 0; i < 4; i++) {
        struct trail tr = {0};
        struct agent_ops ops = {.arg = NULL};
        struct agent *a = NULL;
        adapter_rig_open(&rig, ABI "broken_adapter.so");
        rig.spec.param[0].i = rows[i].mode;
        struct result r = agent_new(rig.module, &rig.spec, &ops, &a, &tr);
        if (is_ok(r)) {
            r = agent_start(a, 5, &tr);
            agent_free(a);
        }
        assert_false(is_ok(r));
        if (!strstr(trail_sentence(&tr, r), rows[i].why))
            fail_msg("\"%s\" lacks \"%s\"", trail_sentence(&tr, r), rows[i].why);
    }
    struct trail tr = {0};
    struct agent *a = NULL;
    rig.spec.sha256[0] ^= 1;
    assert_int_equal(agent_new(rig.module, &rig.spec, &(struct agent_ops){0}, &a, &tr).code,
                     RESULT_FOREIGN);
}

static void agent_stop_ends_the_adapter_and_says_so(void **state)
{
    (void)state;
    open_mode(0);
    adapter_rig_forget(&rig);
    agent_take(rig.agent, LINE_STOP, NULL, 0);
    const struct line_done *d = adapter_lane_at(&rig.core, LINE_DONE, 0);
    assert_int_equal(d->what, LINE_STOP);
    assert_true(agent_is_stopped(rig.agent));
    hear("now");
    assert_int_equal(rig.core.count, 1);
    adapter_rig_close(&rig);
}

static void agent_cut_message_of_egress_is_a_fault(void **state)
{
    (void)state;
    struct line_in m = {.kind = TN_IN_BYTES, .bytes = 9};
    open_mode(0);
    adapter_rig_forget(&rig);
    agent_take(rig.agent, LINE_IN, &m, sizeof m);
    assert_int_equal(rig.core.message[0].kind, LINE_DONE);
    assert_true(agent_is_quarantined(rig.agent));
    adapter_rig_close(&rig);
}

static struct result facts_of(const char *name, struct trail *tr)
{
    char path[512];
    struct bay_module *m = NULL;
    const struct tn_adapter_facts *f = NULL;
    snprintf(path, sizeof path, ABI "%s.so", name);
    TRY(bay_load(path, NULL, &m, tr));
    return agent_facts(m, &f, tr);
}

static void agent_facts_good_ones_are_read_without_a_call(void **state)
{
    (void)state;
    struct trail tr = {0};
    const struct tn_adapter_facts *f = NULL;
    adapter_rig_open(&rig, ABI "broken_adapter.so");
    assert_true(is_ok(agent_facts(rig.module, &f, &tr)));
    assert_int_equal(f->row_count, 1);
    assert_string_equal(f->row[0].field[0].path, "symbol");
}

static void agent_facts_wrong_ones_are_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *name, *why;
    } rows[] = {
        {"facts_meaning", "a wire field with unknown members"},
        {"facts_twice", "names a field twice"},
        {"facts_far_fields", "wire"}, /* what lies behind the table is no field */
        {"facts_many_fields", "too many fields"},
        {"facts_no_match", "nothing selects"},
        {"facts_wild_fields", "not its own data"},
        {"facts_simulated", "facts with unknown members"},
        {"facts_client_id", "client ids that are too long"},
        {"facts_no_budget", "no rate budget"},
        {"facts_wild_rows", "not its own data"},
        {"facts_wild", "its facts are not constant data"},
        {"facts_no_approval", "on_approval"},
        {"solo", "no adapter"},
    };
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct trail tr = {0};
        struct result r = facts_of(rows[i].name, &tr);
        assert_false(is_ok(r));
        if (!strstr(trail_sentence(&tr, r), rows[i].why))
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].name, trail_sentence(&tr, r), rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agent_good_calls_become_messages_in_order),
        cmocka_unit_test(agent_full_line_loses_nothing_and_keeps_order),
        cmocka_unit_test(agent_queue_that_stays_full_refuses_and_stays_whole),
        cmocka_unit_test(agent_queue_full_of_the_hosts_words_takes_no_other),
        cmocka_unit_test(agent_broken_rule_is_one_sentence_and_silence),
        cmocka_unit_test(agent_approval_is_answered_once_or_burned),
        cmocka_unit_test(agent_failed_setup_is_refused_with_its_reason),
        cmocka_unit_test(agent_stop_ends_the_adapter_and_says_so),
        cmocka_unit_test(agent_cut_message_of_egress_is_a_fault),
        cmocka_unit_test(agent_facts_good_ones_are_read_without_a_call),
        cmocka_unit_test(agent_facts_wrong_ones_are_refused_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
