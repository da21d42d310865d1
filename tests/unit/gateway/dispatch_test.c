/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the dispatcher does what a right request says and answers every wrong one with a place and
 * a reason; no bytes whatever make it crash or ask the core for something.
 * Method: bodies are given to dispatch_run without a socket; a property test (seed printed) mutates
 * a right request byte by byte and also feeds noise.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "gateway/dispatch.h"
#include "gateway/frame.h"

static struct gateway_view view;
static struct dispatch_context cx;
static struct dispatch d;

static int make_view(void **state)
{
    (void)state;
    memset(&view, 0, sizeof view);
    view.mode = MODE_ACTIVE;
    view.serial = 3;
    snprintf(view.deployment, sizeof view.deployment, "demo");
    view.strategy_count = 2;
    view.strategy[0].id = 4;
    snprintf(view.strategy[0].name, sizeof view.strategy[0].name, "cross_btc");
    view.strategy[1].id = 9;
    snprintf(view.strategy[1].name, sizeof view.strategy[1].name, "cross_eth");
    cx = (struct dispatch_context){.uid = 1234, .view = &view};
    return 0;
}

static void run(const char *body)
{
    dispatch_fini(&d);
    dispatch_run(body, strlen(body), &cx, &d);
}

static void complains(const char *body, int exit, const char *what, bool malformed)
{
    run(body);
    assert_int_equal(d.kind, DISPATCH_COMPLAINT);
    if (!strstr(d.complaint.what, what))
        fail_msg("%s said '%s'", body, d.complaint.what);
    assert_int_equal(complaint_exit(&d.complaint), exit);
    assert_int_equal(d.malformed, malformed);
}

static void dispatch_status_gives_the_view(void **state)
{
    (void)state;
    run("{\"v\":1,\"id\":7,\"cmd\":\"status\"}");
    assert_int_equal(d.kind, DISPATCH_RESULT);
    assert_int_equal(d.id, 7);
    assert_string_equal(json_string_value(json_object_get(d.result, "mode")), "ACTIVE");
    assert_string_equal(json_string_value(json_object_get(d.result, "state")), "running");
    cx.view = NULL;
    run("{\"v\":1,\"id\":8,\"cmd\":\"status\",\"args\":{}}");
    assert_string_equal(json_string_value(json_object_get(d.result, "state")), "starting");
    dispatch_fini(&d);
}

static void dispatch_auto_names_the_instance(void **state)
{
    (void)state;
    run("{\"v\":1,\"id\":1,\"cmd\":\"auto on\",\"args\":{\"words\":[\"cross_eth\"]}}");
    assert_int_equal(d.kind, DISPATCH_ASK);
    assert_int_equal(d.ask.kind, GATEWAY_AUTO);
    assert_int_equal(d.ask.on, 1);
    assert_int_equal(d.ask.target, 9);
    assert_string_equal(d.ask.by, "uid:1234");
    run("{\"v\":1,\"id\":1,\"cmd\":\"auto off\"}");
    assert_int_equal(d.ask.on, 0);
    assert_int_equal(d.ask.target, 0);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"auto on\",\"args\":{\"words\":[\"cross_btx\"]}}", 66,
              "no strategy 'cross_btx'", false);
    assert_non_null(strstr(d.complaint.next, "did you mean cross_btc?"));
    complains("{\"v\":1,\"id\":1,\"cmd\":\"auto on\",\"args\":{\"words\":[\"a\",\"b\"]}}", 64,
              "one argument too many", false);
}

static void dispatch_kill_carries_reason_and_peer(void **state)
{
    (void)state;
    run("{\"v\":1,\"id\":2,\"cmd\":\"risk kill\",\"args\":{\"reason\":\"bad feed\","
        "\"keep-positions\":true}}");
    assert_int_equal(d.kind, DISPATCH_ASK);
    assert_int_equal(d.ask.kind, GATEWAY_KILL);
    assert_int_equal(d.ask.mode, MODE_KILLED);
    assert_int_equal(d.ask.keep_positions, 1);
    assert_string_equal(d.ask.reason, "bad feed");
    assert_string_equal(d.ask.by, "uid:1234");
    cx.kill_only = true;
    run("{\"v\":1,\"id\":2,\"cmd\":\"risk kill\"}");
    assert_int_equal(d.ask.kind, GATEWAY_KILL);
    complains("{\"v\":1,\"id\":2,\"cmd\":\"status\"}", 75, "only risk kill", false);
}

static void dispatch_wrong_messages_are_malformed(void **state)
{
    (void)state;
    complains("", 65, "not JSON", true);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"sta", 65, "not JSON", true);
    complains("[1,2]", 65, "not an object", true);
    complains("\"status\"", 65, "not JSON", true);
    complains("{\"v\":1,\"v\":1,\"id\":1,\"cmd\":\"status\"}", 65, "duplicate", true);
    complains("{\"v\":2,\"id\":1,\"cmd\":\"status\"}", 76, "`v` must be 1", true);
    complains("{\"v\":1,\"cmd\":\"status\"}", 65, "`id`", true);
    complains("{\"v\":1,\"id\":-1,\"cmd\":\"status\"}", 65, "`id`", true);
    complains("{\"v\":1,\"id\":1}", 65, "`cmd`", true);
    complains("{\"v\":1,\"id\":1,\"cmd\":[]}", 65, "`cmd`", true);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"status\",\"args\":[]}", 65, "`args`", true);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"status\",\"sudo\":true}", 65, "'sudo'", true);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"status\"} x", 65, "not JSON", true);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"a\\u0000b\"}", 65, "not JSON", true);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"\xff\xfe\"}", 65, "not JSON", true);
}

static void dispatch_wrong_commands_keep_the_stream(void **state)
{
    (void)state;
    complains("{\"v\":1,\"id\":1,\"cmd\":\"stats\"}", 66, "unknown command 'stats'", false);
    assert_non_null(strstr(d.complaint.next, "did you mean 'status'?"));
    complains("{\"v\":1,\"id\":1,\"cmd\":\"journal prune\"}", 64, "runs in the tool", false);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"status\",\"args\":{\"reason\":\"x\"}}", 64,
              "unknown argument 'reason'", false);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"status\",\"args\":{\"json\":true}}", 64,
              "unknown argument 'json'", false);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"keep-positions\":false}}", 64,
              "must be true", false);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"reason\":5}}", 64,
              "must be a text", false);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"auto on\",\"args\":{\"words\":\"x\"}}", 64,
              "must be a list", false);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"reason\":\"token=abcdef\"}}", 64,
              "looks like a secret", false);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"reason\":\"a\\nb\"}}", 64,
              "not one printable line", false);
}

static void frame_deep_json_is_refused_before_parsing(void **state)
{
    enum { DEEP = 200000 };
    char *bomb = malloc(DEEP + 1);
    (void)state;
    assert_non_null(bomb);
    memset(bomb, '[', DEEP);
    bomb[DEEP] = '\0';
    complains(bomb, 65, "nested 200000 deep", true);
    free(bomb);
    char line[256] = "{\"v\":1,\"id\":1,\"cmd\":\"status\",\"args\":";
    strcat(line, "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"); /* 17 with the object */
    complains(line, 65, "nested 17 deep", true);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"}", 66, "unknown command",
              false); /* brackets in a text are no depth */
}

static void frame_length_is_checked(void **state)
{
    static const uint8_t zero[4], all[4] = {255, 255, 255, 255}, over[4] = {1, 0, 4, 0},
                                  cap[4] = {0, 0, 4, 0}, one[4] = {1, 0, 0, 0};
    uint32_t n = 77;
    struct trail tr = {0};
    (void)state;
    assert_int_equal(frame_length(zero, &n, &tr).code, RESULT_RANGE);
    assert_int_equal(frame_length(all, &n, &tr).code, RESULT_TOO_LARGE);
    assert_int_equal(frame_length(over, &n, &tr).code, RESULT_TOO_LARGE);
    assert_int_equal(n, 77);
    assert_true(is_ok(frame_length(cap, &n, &tr)));
    assert_int_equal(n, FRAME_MAX_BYTES);
    assert_true(is_ok(frame_length(one, &n, &tr)));
    assert_int_equal(n, 1);
}

/* Any bytes: an answer of a known kind; and an ASK only carries what the table allows. */
static void dispatch_any_bytes_are_answered(void **state)
{
    static const char right[] =
        "{\"v\":1,\"id\":2,\"cmd\":\"risk kill\",\"args\":{\"reason\":\"bad feed\"}}";
    enum { ROUNDS = 20000 };
    const uint64_t seed = 0x7e0;
    struct rng r;
    uint32_t asks = 0;
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_seed(&r, seed);
    for (int i = 0; i < ROUNDS; i++) {
        char body[sizeof right + 8];
        size_t n = sizeof right - 1;
        memcpy(body, right, n);
        uint64_t changes = rng_below(&r, 4);
        for (uint64_t k = 0; k < changes; k++)
            body[rng_below(&r, n)] = (char)rng_below(&r, 256);
        if (rng_below(&r, 4) == 0)
            n = rng_below(&r, n + 1);
        dispatch_fini(&d);
        dispatch_run(body, n, &cx, &d);
        assert_true(d.kind == DISPATCH_COMPLAINT || d.kind == DISPATCH_ASK);
        if (d.kind == DISPATCH_COMPLAINT)
            assert_true(d.complaint.what[0] != '\0');
        asks += d.kind == DISPATCH_ASK;
        if (d.kind == DISPATCH_ASK)
            assert_int_equal(d.ask.kind, GATEWAY_KILL);
    }
    dispatch_fini(&d);
    assert_in_range(asks, ROUNDS / 8, ROUNDS - 1); /* both branches were walked */
}

static void complaint_survives_the_wire(void **state)
{
    struct complaint back;
    (void)state;
    complains("{\"v\":1,\"id\":1,\"cmd\":\"stats\"}", 66, "unknown", false);
    json_t *answer = dispatch_answer_complaint(1, &d.complaint);
    complaint_read(&back, json_object_get(answer, "error"),
                   (int)json_integer_value(json_object_get(answer, "exit")));
    assert_int_equal(back.rc.code, d.complaint.rc.code);
    assert_string_equal(back.what, d.complaint.what);
    assert_string_equal(back.where, d.complaint.where);
    assert_string_equal(back.why, d.complaint.why);
    assert_string_equal(back.next, d.complaint.next);
    assert_int_equal(complaint_exit(&back), 66);
    json_decref(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(dispatch_status_gives_the_view, make_view),
        cmocka_unit_test_setup(dispatch_auto_names_the_instance, make_view),
        cmocka_unit_test_setup(dispatch_kill_carries_reason_and_peer, make_view),
        cmocka_unit_test_setup(dispatch_wrong_messages_are_malformed, make_view),
        cmocka_unit_test_setup(dispatch_wrong_commands_keep_the_stream, make_view),
        cmocka_unit_test_setup(frame_deep_json_is_refused_before_parsing, make_view),
        cmocka_unit_test(frame_length_is_checked),
        cmocka_unit_test_setup(dispatch_any_bytes_are_answered, make_view),
        cmocka_unit_test_setup(complaint_survives_the_wire, make_view),
    };
    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
