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
#include "base/base64.h"
#include "gateway/frame.h"
#include "gateway/parcel.h"

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

static int drop(void **state)
{
    (void)state;
    dispatch_fini(&d);
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

static void dispatch_modes_are_asked_for(void **state)
{
    static const struct {
        const char *cmd;
        uint32_t mode;
    } rows[] = {
        {"risk halt", MODE_HALTED}, {"risk reduce", MODE_REDUCING}, {"risk resume", MODE_ACTIVE}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char body[160];
        snprintf(body, sizeof body,
                 "{\"v\":1,\"id\":1,\"cmd\":\"%s\",\"args\":{\"reason\":\"drill\"}}", rows[i].cmd);
        run(body);
        assert_int_equal(d.kind, DISPATCH_ASK);
        assert_int_equal(d.ask.kind, GATEWAY_MODE);
        assert_int_equal(d.ask.scope, MODE_SCOPE_GLOBAL);
        assert_int_equal(d.ask.mode, rows[i].mode);
        assert_int_equal(d.ask.target, 0);
        assert_string_equal(d.ask.reason, "drill");
        assert_false(d.slow);
        snprintf(body, sizeof body,
                 "{\"v\":1,\"id\":1,\"cmd\":\"%s\",\"args\":{\"words\":[\"cross_eth\"]}}",
                 rows[i].cmd);
        run(body);
        assert_int_equal(d.ask.scope, MODE_SCOPE_STRATEGY);
        assert_int_equal(d.ask.target, 9);
        snprintf(body, sizeof body,
                 "{\"v\":1,\"id\":1,\"cmd\":\"%s\",\"args\":{\"words\":[\"cross_xxx\"]}}",
                 rows[i].cmd);
        complains(body, 66, "no strategy 'cross_xxx'", false);
    }
}

/* One person may not lift it; the way down stays open, and so does what is not known yet. */
static void dispatch_one_person_does_not_lift_a_kill(void **state)
{
    static const char resume[] = "{\"v\":1,\"id\":1,\"cmd\":\"risk resume\"}";
    static const char one[] = "{\"v\":1,\"id\":1,\"cmd\":\"risk resume\",\"args\":{\"words\":"
                              "[\"cross_btc\"]}}";
    (void)state;
    for (uint32_t mode = MODE_UNSET; mode < MODE_END; mode++) {
        view.mode = mode;
        if (mode == MODE_KILLED || mode == MODE_SAFE_LOSS) {
            complains(resume, 77, "takes two people", false);
            assert_non_null(strstr(d.complaint.next, "tenon risk resume --out FILE"));
        } else {
            run(resume);
            assert_int_equal(d.kind, DISPATCH_ASK);
        }
        run("{\"v\":1,\"id\":1,\"cmd\":\"risk halt\"}");
        assert_int_equal(d.kind, DISPATCH_ASK);
        run(one); /* its own mode is what counts */
        assert_int_equal(d.kind, DISPATCH_ASK);
    }
    view.strategy[0].mode = MODE_KILLED;
    view.mode = MODE_ACTIVE;
    complains(one, 77, "lifting KILLED takes two people", false);
    cx.view = NULL;
    run(resume);
    assert_int_equal(d.kind, DISPATCH_ASK);
}

/* A request with a bundle: `cmd`, other args, and the bundle's JSON. */
static void run_bundle(const char *cmd, const char *args, const char *bundle)
{
    char body[4096];
    snprintf(body, sizeof body, "{\"v\":1,\"id\":3,\"cmd\":\"%s\",\"args\":{%s%s\"bundle\":%s}}",
             cmd, args, args[0] ? "," : "", bundle);
    run(body);
}

#define FILE_WORD "\"words\":[\"two.yaml\"]"
#define TWO "{\"name\":\"two.yaml\",\"base64\":\"c2NoZW1hOiAxCg==\"}"
#define SIG "{\"name\":\"two.yaml.ana.minisig\",\"base64\":\"AAEC\"}"

static void dispatch_bundles_reach_the_core(void **state)
{
    static const struct {
        const char *cmd, *args;
        uint32_t kind;
    } rows[] = {{"config promote", FILE_WORD, GATEWAY_PROMOTE},
                {"trust rotate", FILE_WORD, GATEWAY_TRUST},
                {"risk resume", "\"request\":\"two.yaml\"", GATEWAY_REQUEST}};
    (void)state;
    view.mode = MODE_KILLED; /* a request is for that */
    for (size_t i = 0; i < 3; i++) {
        run_bundle(rows[i].cmd, rows[i].args,
                   "{\"file\":" TWO ",\"signatures\":[" SIG "," SIG "]}");
        assert_int_equal(d.kind, DISPATCH_ASK);
        assert_int_equal(d.ask.kind, rows[i].kind);
        assert_true(d.slow);
        assert_string_equal(d.ask.by, "uid:1234");
        const struct bundle *b = d.ask.bundle;
        assert_string_equal(b->file.name, "two.yaml");
        assert_int_equal(b->file.count, 10);
        assert_memory_equal(b->file.bytes, "schema: 1\n", 11);
        assert_int_equal(b->signature_count, 2);
        assert_memory_equal(b->signature[1].bytes, "\0\1\2", 3);
    }
    run_bundle("config promote", FILE_WORD, "{\"file\":" TWO ",\"signatures\":[]}");
    assert_int_equal(d.kind, DISPATCH_ASK); /* unsigned: the host refuses, and journals it */
    run("{\"v\":1,\"id\":1,\"cmd\":\"config rollback\",\"args\":{\"reason\":\"drill\"}}");
    assert_int_equal(d.ask.kind, GATEWAY_ROLLBACK);
    assert_string_equal(d.ask.reason, "drill");
    assert_true(d.slow);
    assert_null(d.ask.bundle);
}

static void dispatch_wrong_bundles_are_refused(void **state)
{
    static const struct {
        const char *bundle;
        int exit;
        const char *what;
    } rows[] = {
        {"7", 65, "`bundle` must have `file`"},
        {"{}", 65, "`bundle` must have `file`"},
        {"{\"file\":" TWO "}", 65, "`bundle` must have `file`"},
        {"{\"file\":" TWO ",\"signatures\":{}}", 65, "`bundle` must have `file`"},
        {"{\"file\":" TWO ",\"signatures\":[],\"x\":1}", 65, "`bundle` must have `file`"},
        {"{\"file\":[],\"signatures\":[]}", 65, "the file of the bundle must have"},
        {"{\"file\":{\"name\":\"a\"},\"signatures\":[]}", 65, "the file of the bundle must have"},
        {"{\"file\":{\"name\":\"a\",\"base64\":1},\"signatures\":[]}", 65,
         "the file of the bundle must have"},
        {"{\"file\":{\"name\":\"\",\"base64\":\"\"},\"signatures\":[]}", 65, "no file name"},
        {"{\"file\":{\"name\":\"a/b\",\"base64\":\"\"},\"signatures\":[]}", 65, "no file name"},
        {"{\"file\":{\"name\":\"a\\nb\",\"base64\":\"\"},\"signatures\":[]}", 65, "no file name"},
        {"{\"file\":{\"name\":\"0123456789012345678901234567890123456789012345678901234567890123\","
         "\"base64\":\"\"},\"signatures\":[]}",
         65, "no file name"},
        {"{\"file\":{\"name\":\"a\",\"base64\":\"Zm9vYg=\"},\"signatures\":[]}", 65,
         "'a' of the bundle is not canonical base64"},
        {"{\"file\":" TWO ",\"signatures\":[" SIG ",{\"name\":\"s\",\"base64\":\"AAE \"}]}", 65,
         "a signature file 's' of the bundle is not canonical base64"},
        {"{\"file\":" TWO ",\"signatures\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}", 65,
         "has 17 signature files, at most 16"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_bundle("config promote", FILE_WORD, rows[i].bundle);
        assert_int_equal(d.kind, DISPATCH_COMPLAINT);
        if (!strstr(d.complaint.what, rows[i].what))
            fail_msg("%s said '%s'", rows[i].bundle, d.complaint.what);
        assert_int_equal(complaint_exit(&d.complaint), rows[i].exit);
        assert_null(d.ask.bundle);
    }
    complains("{\"v\":1,\"id\":1,\"cmd\":\"config promote\",\"args\":{" FILE_WORD "}}", 65,
              "`bundle`, the bytes of the signed file, is missing", false);
    complains("{\"v\":1,\"id\":1,\"cmd\":\"config promote\"}", 64, "FILE is missing", false);
    run_bundle("risk kill", "", "{\"file\":" TWO ",\"signatures\":[]}");
    assert_non_null(strstr(d.complaint.what, "nothing is done with one"));
    run_bundle("risk resume", "", "{\"file\":" TWO ",\"signatures\":[]}");
    assert_non_null(strstr(d.complaint.what, "nothing is done with one"));
    run_bundle("risk resume", "\"request\":\"r\",\"words\":[\"cross_btc\"]",
               "{\"file\":" TWO ",\"signatures\":[]}");
    assert_non_null(strstr(d.complaint.what, "'cross_btc' is one argument too many"));
    assert_int_equal(d.kind, DISPATCH_COMPLAINT);
    complains(
        "{\"v\":1,\"id\":1,\"cmd\":\"risk resume\",\"args\":{\"out\":\"x\",\"reason\":\"y\"}}", 64,
        "in the tool, not in the host", false);
}

static void parcel_largest_bundle_goes_through_a_frame(void **state)
{
    struct bundle *b = bundle_new();
    static char bytes[PARCEL_FILE_MAX + 1];
    struct trail tr = {0};
    uint8_t *frame = NULL;
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 >> 3);
    bundle_set(&b->file, "folder/large \xff.yaml", bytes, PARCEL_FILE_MAX);
    while (b->signature_count < BUNDLE_SIGNATURES_MAX)
        bundle_set(&b->signature[b->signature_count++],
                   "a-name-of-sixty-three-characters-which-is-the-longest-there.sig", bytes,
                   PARCEL_SIGNATURE_MAX);
    assert_true(is_ok(parcel_check(b, &tr)));
    json_t *root =
        json_pack("{s:i, s:i, s:s, s:{s:[s], s:o}}", "v", 1, "id", 1, "cmd", "config promote",
                  "args", "words", "large.yaml", "bundle", parcel_json(b));
    assert_true(is_ok(frame_make(root, &frame, &count, &tr)));
    dispatch_run((const char *)frame + FRAME_HEAD_BYTES, count - FRAME_HEAD_BYTES, &cx, &d);
    assert_int_equal(d.kind, DISPATCH_ASK);
    assert_string_equal(d.ask.bundle->file.name, "large \\xff.yaml");
    assert_int_equal(d.ask.bundle->file.count, PARCEL_FILE_MAX);
    assert_memory_equal(d.ask.bundle->file.bytes, bytes, PARCEL_FILE_MAX);
    assert_int_equal(d.ask.bundle->signature_count, BUNDLE_SIGNATURES_MAX);
    free(frame);
    json_decref(root);
    bundle_free(b);
    b = bundle_new();
    bundle_set(&b->file, "f.yaml", bytes, PARCEL_FILE_MAX + 1);
    assert_int_equal(parcel_check(b, &tr).code, RESULT_TOO_LARGE);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(TOO_LARGE)),
                           "the file 'f.yaml' has 614401 bytes, at most 614400 can be handed"));
    root = parcel_json(b); /* and the host would not take it either */
    struct bundle *got = NULL;
    assert_int_equal(parcel_read(root, &got, &tr).code, RESULT_TOO_LARGE);
    assert_null(got);
    json_decref(root);
    bundle_free(b);
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
    static const uint8_t zero[4], all[4] = {255, 255, 255, 255}, over[4] = {1, 0, 16, 0},
                                  cap[4] = {0, 0, 16, 0}, one[4] = {1, 0, 0, 0};
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
    static const char *const rights[2] = {
        "{\"v\":1,\"id\":2,\"cmd\":\"risk kill\",\"args\":{\"reason\":\"bad feed\"}}",
        "{\"v\":1,\"id\":2,\"cmd\":\"trust rotate\",\"args\":{" FILE_WORD ",\"bundle\":"
        "{\"file\":" TWO ",\"signatures\":[" SIG "]}}}"};
    enum { ROUNDS = 20000 };
    const uint64_t seed = 0x7e0;
    struct rng r;
    uint32_t asks = 0;
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_seed(&r, seed);
    for (int i = 0; i < ROUNDS; i++) {
        char body[512];
        const char *right = rights[i % 2];
        size_t n = strlen(right);
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
            assert_int_equal(d.ask.kind, i % 2 ? GATEWAY_TRUST : GATEWAY_KILL);
        assert_true(d.kind == DISPATCH_COMPLAINT || (d.ask.bundle != NULL) == (i % 2));
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
#define WITH_VIEW(test) cmocka_unit_test_setup_teardown(test, make_view, drop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(dispatch_status_gives_the_view, make_view),
        cmocka_unit_test_setup(dispatch_auto_names_the_instance, make_view),
        cmocka_unit_test_setup(dispatch_kill_carries_reason_and_peer, make_view),
        WITH_VIEW(dispatch_modes_are_asked_for),
        WITH_VIEW(dispatch_one_person_does_not_lift_a_kill),
        WITH_VIEW(dispatch_bundles_reach_the_core),
        WITH_VIEW(dispatch_wrong_bundles_are_refused),
        WITH_VIEW(parcel_largest_bundle_goes_through_a_frame),
        cmocka_unit_test_setup(dispatch_wrong_messages_are_malformed, make_view),
        cmocka_unit_test_setup(dispatch_wrong_commands_keep_the_stream, make_view),
        cmocka_unit_test_setup(frame_deep_json_is_refused_before_parsing, make_view),
        cmocka_unit_test(frame_length_is_checked),
        cmocka_unit_test_setup(dispatch_any_bytes_are_answered, make_view),
        cmocka_unit_test_setup(complaint_survives_the_wire, make_view),
    };
    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
