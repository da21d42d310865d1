/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a signed file handed over the socket reaches the core byte for byte and is freed once,
 * whoever goes away meanwhile; what takes long has its own time limit; a refusal keeps its class.
 * Method: a real gateway on a socket of the test's own; the client is the tool's, in its two
 * halves, and the test's thread is the core. Nothing sleeps; the sanitizers count what is freed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "gateway/client.h"
#include "gateway/gateway.h"
#include "gateway/parcel.h"
#include "gateway/socket.h"

static char folder[96], path[108];
static struct gateway *g;
static sem_t woken;

static void on_wake(void *arg)
{
    sem_post(arg);
}

static void open_gateway(uint32_t answer_ms, uint32_t slow_ms)
{
    struct gateway_options o = {.socket_path = path,
                                .wake = on_wake,
                                .wake_arg = &woken,
                                .answer_ms = answer_ms,
                                .slow_ms = slow_ms};
    struct trail tr = {0};
    struct result rc = gateway_open(&o, &g, &tr);
    if (!is_ok(rc))
        fail_msg("%s", trail_sentence(&tr, rc));
}

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%.60s/tenon-hand-XXXXXX", base ? base : P_tmpdir);
    if (!mkdtemp(folder) || sem_init(&woken, 0, 0) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/t.sock", folder);
    g = NULL;
    return 0;
}

static int make_gateway(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    open_gateway(0, 0);
    return 0;
}

static int drop(void **state)
{
    char lock[120];
    (void)state;
    gateway_close(g);
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);
    unlink(path);
    sem_destroy(&woken);
    return rmdir(folder);
}

/* The core's side: waits for a request and takes it. */
static struct gateway_request take(void)
{
    struct gateway_request r;
    while (sem_wait(&woken) != 0)
        assert_int_equal(errno, EINTR);
    assert_true(gateway_poll(g, &r));
    return r;
}

static void status_is_answered(void)
{
    struct client_options o = {.socket_path = path};
    struct complaint c;
    json_t *result = NULL;
    if (!is_ok(client_call(&o, "status", NULL, &result, &c)))
        fail_msg("%s", c.what);
    json_decref(result);
}

static char large[PARCEL_FILE_MAX];

static json_t *promote_args(size_t count)
{
    struct bundle *b = bundle_new();
    for (size_t i = 0; i < count; i++)
        large[i] = (char)(i * 31 >> 2);
    bundle_set(&b->file, "two.yaml", large, count);
    bundle_set(&b->signature[b->signature_count++], "two.yaml.ana.minisig", "sig", 3);
    json_t *args = json_pack("{s:[s], s:o}", "words", "two.yaml", "bundle", parcel_json(b));
    bundle_free(b);
    assert_non_null(args);
    return args;
}

/* Begins a promotion as the tool does. */
static struct client_call promote(size_t count)
{
    struct client_options o = {.socket_path = path, .timeout_ms = CLIENT_SLOW_MS};
    struct client_call call;
    struct complaint c;
    json_t *args = promote_args(count);
    if (!is_ok(client_begin(&o, "config promote", args, &call, &c)))
        fail_msg("%s", c.what);
    json_decref(args);
    return call;
}

static void handover_signed_file_arrives_whole(void **state)
{
    struct complaint c;
    json_t *result = NULL;
    (void)state;
    for (size_t count = 1; count <= PARCEL_FILE_MAX; count = count * 40 + 9599) {
        struct client_call call = promote(count);
        struct gateway_request r = take();
        assert_int_equal(r.kind, GATEWAY_PROMOTE);
        assert_int_equal(r.bundle->file.count, count);
        assert_memory_equal(r.bundle->file.bytes, large, count);
        assert_string_equal(r.bundle->signature[0].name, "two.yaml.ana.minisig");
        bundle_free(r.bundle);
        assert_false(client_wait(&call, 0)); /* not answered yet: other things can be asked */
        status_is_answered();
        gateway_answer(g, r.id, 0, "serial 2 is checked");
        assert_true(is_ok(client_finish(&call, &result, &c)));
        assert_string_equal(json_string_value(json_object_get(result, "text")),
                            "serial 2 is checked");
        json_decref(result);
    }
}

/* The exit code that the core answers with decides what scripts and people read. */
static void handover_refusals_keep_their_class(void **state)
{
    static const struct {
        int exit;
        int32_t code;
    } rows[] = {{11, RESULT_SIGNATURE}, {12, RESULT_APPROVAL}, {65, RESULT_STATE},
                {75, RESULT_AGAIN},     {76, RESULT_ABI},      {77, RESULT_NOT_PERMITTED},
                {78, RESULT_CONFIG},    {10, RESULT_DENIED},   {66, RESULT_UNKNOWN_NAME},
                {1, RESULT_IO},         {70, RESULT_BUG},      {99, RESULT_STATE}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct complaint c;
        json_t *result = NULL;
        struct client_call call = promote(10);
        struct gateway_request r = take();
        bundle_free(r.bundle);
        gateway_answer(g, r.id, rows[i].exit, "two.yaml: no, because");
        assert_int_equal(client_finish(&call, &result, &c).code, rows[i].code);
        assert_int_equal(complaint_exit(&c), rows[i].exit);
        assert_string_equal(c.what, "two.yaml: no, because");
        assert_string_equal(c.next, ""); /* one sentence, which says what to do */
        assert_null(result);
    }
}

/* The sanitizers tell that no bundle is lost or freed twice. */
static void handover_client_that_hands_over_and_goes_leaks_nothing(void **state)
{
    (void)state;
    struct client_call one = promote(PARCEL_FILE_MAX), two = promote(100000);
    struct gateway_request r = take();
    client_leave(&one);
    client_leave(&two);
    bundle_free(r.bundle);
    gateway_answer(g, r.id, 0, "checked"); /* nobody waits: dropped */
    assert_int_equal(sem_wait(&woken), 0); /* the second was posted, and stays in the mailbox */
    struct trail tr = {0};
    int cut = -1; /* a third one goes in the middle of its file */
    assert_true(is_ok(socket_connect(path, &cut, &tr)));
    assert_int_equal(send(cut, "\0\0\10\0{\"v\":1,", 11, MSG_NOSIGNAL), 11);
    close(cut);
    status_is_answered();
}

static void handover_promotion_has_more_time_than_others(void **state)
{
    struct client_options o = {.socket_path = path};
    struct complaint c;
    json_t *result = NULL;
    (void)state;
    open_gateway(20, 0);
    struct client_call call = promote(10);
    struct gateway_request slow = take();
    bundle_free(slow.bundle);
    assert_int_equal(client_call(&o, "risk halt", NULL, &result, &c).code, RESULT_TIMEOUT);
    assert_non_null(strstr(c.what, "did not answer in 20 ms"));
    assert_false(client_wait(&call, 0)); /* ... while the promotion still waits */
    struct gateway_request r = take();
    assert_int_equal(r.mode, MODE_HALTED);
    gateway_answer(g, r.id, 0, "late");
    gateway_answer(g, slow.id, 0, "checked");
    assert_true(is_ok(client_finish(&call, &result, &c)));
    json_decref(result);
}

static void handover_promotion_is_not_waited_for_without_end(void **state)
{
    struct complaint c;
    json_t *result = NULL;
    (void)state;
    open_gateway(0, 20);
    struct client_call call = promote(10);
    struct gateway_request r = take();
    bundle_free(r.bundle);
    assert_int_equal(client_finish(&call, &result, &c).code, RESULT_TIMEOUT);
    assert_non_null(strstr(c.what, "did not answer in 20 ms; it may still act"));
    gateway_answer(g, r.id, 0, "late");
}

int main(void)
{
#define LIVE(test) cmocka_unit_test_setup_teardown(test, make_gateway, drop)
#define BARE(test) cmocka_unit_test_setup_teardown(test, make_folder, drop)
    const struct CMUnitTest tests[] = {
        LIVE(handover_signed_file_arrives_whole),
        LIVE(handover_refusals_keep_their_class),
        LIVE(handover_client_that_hands_over_and_goes_leaks_nothing),
        BARE(handover_promotion_has_more_time_than_others),
        BARE(handover_promotion_is_not_waited_for_without_end),
    };
    return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
