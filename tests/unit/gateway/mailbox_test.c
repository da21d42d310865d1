/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: requests and answers cross between two threads whole, once and in order; kills have slots
 * of their own; a full lane is an answer, a bundle is freed once by whoever has it, and our own
 * mistakes stop the process.
 * Method: one thread first, to the edges of the lanes, then two threads that run a numbered stream
 * (bounded tries and yields; run under the thread sanitizer too).
 */
#include "tests/unit/base/dies.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gateway/mailbox.h"

static struct mailbox m;

static int drop(void **state)
{
    (void)state;
    mailbox_fini(&m);
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    mailbox_init(&m);
    return 0;
}

static bool post(uint32_t kind, uint32_t keep, struct gateway_request *r)
{
    memset(r, 0, sizeof *r);
    r->kind = kind;
    r->keep_positions = keep;
    return mailbox_post(&m, r);
}

static void mailbox_fresh_is_empty(void **state)
{
    struct gateway_request r;
    struct mailbox_answer a;
    (void)state;
    assert_false(mailbox_poll(&m, &r));
    assert_false(mailbox_take_answer(&m, &a));
}

static void mailbox_kills_have_slots_of_their_own(void **state)
{
    struct gateway_request r;
    (void)state;
    for (int i = 0; i < MAILBOX_OTHERS; i++)
        assert_true(post(GATEWAY_AUTO, 0, &r));
    assert_false(post(GATEWAY_AUTO, 0, &r));
    for (int i = 0; i < MAILBOX_KILLS; i++) {
        assert_true(post(GATEWAY_KILL, 0, &r));
        assert_int_equal(m.newest_kill[0], r.id);
        assert_true(post(GATEWAY_KILL, 1, &r));
        assert_true(mailbox_is_kill(r.id));
    }
    assert_false(post(GATEWAY_KILL, 0, &r));
    assert_false(post(GATEWAY_KILL, 1, &r));
    for (int i = 0; i < 2 * MAILBOX_KILLS; i++) {
        assert_true(mailbox_poll(&m, &r));
        assert_int_equal(r.kind, GATEWAY_KILL);
    }
    assert_true(mailbox_poll(&m, &r));
    assert_int_equal(r.kind, GATEWAY_AUTO);
}

static struct bundle *a_bundle(void)
{
    struct bundle *b = bundle_new();
    bundle_set(&b->file, "two.yaml", "schema: 1\n", 10);
    bundle_set(&b->signature[b->signature_count++], "two.yaml.minisig", "x", 1);
    return b;
}

/* The sanitizers tell whether each bundle is freed, and once. */
static void mailbox_bundle_belongs_to_its_request(void **state)
{
    struct gateway_request r = {.kind = GATEWAY_PROMOTE, .bundle = a_bundle()};
    struct gateway_request got;
    (void)state;
    assert_true(mailbox_post(&m, &r));
    assert_null(r.bundle); /* taken over */
    assert_true(mailbox_poll(&m, &got));
    assert_string_equal(got.bundle->file.name, "two.yaml");
    assert_int_equal(got.bundle->signature_count, 1);
    bundle_free(got.bundle);
    mailbox_answer(&m, got.id, 0, "checked");
    r.bundle = a_bundle();
    assert_true(mailbox_post(&m, &r)); /* never polled: freed at the end */
}

static void mailbox_bundles_are_few_and_hold_nothing_up(void **state)
{
    struct gateway_request r;
    struct mailbox_answer a;
    (void)state;
    for (int i = 0; i < MAILBOX_BUNDLES; i++) {
        r = (struct gateway_request){.kind = GATEWAY_PROMOTE, .bundle = a_bundle()};
        assert_true(mailbox_post(&m, &r));
        assert_false(mailbox_is_kill(r.id));
    }
    r = (struct gateway_request){.kind = GATEWAY_PROMOTE, .bundle = a_bundle()};
    assert_false(mailbox_post(&m, &r));
    assert_non_null(r.bundle); /* still the caller's */
    struct bundle *refused = r.bundle;
    for (int i = 0; i < MAILBOX_OTHERS; i++)
        assert_true(post(GATEWAY_MODE, 0, &r)); /* the others keep their own room */
    assert_false(post(GATEWAY_MODE, 0, &r));
    assert_true(post(GATEWAY_KILL, 1, &r));
    assert_true(mailbox_poll(&m, &r));
    assert_int_equal(r.kind, GATEWAY_KILL);
    assert_true(mailbox_poll(&m, &r));
    assert_int_equal(r.kind, GATEWAY_PROMOTE);
    bundle_free(r.bundle);
    mailbox_answer(&m, r.id, 0, "");
    assert_true(mailbox_take_answer(&m, &a)); /* its slot is free now */
    r = (struct gateway_request){.kind = GATEWAY_TRUST, .bundle = refused};
    assert_true(mailbox_post(&m, &r));
}

static void mailbox_slot_is_free_after_its_answer(void **state)
{
    struct gateway_request r;
    struct mailbox_answer a;
    uint64_t last = 0;
    (void)state;
    for (int i = 0; i < 5 * MAILBOX_OTHERS; i++) {
        assert_true(post(GATEWAY_AUTO, 0, &r));
        assert_true(r.id > last);
        last = r.id;
        assert_true(mailbox_poll(&m, &r));
        assert_int_equal(r.id, last);
        mailbox_answer(&m, r.id, 65, "no");
        assert_true(mailbox_take_answer(&m, &a));
        assert_int_equal(a.id, last);
        assert_int_equal(a.exit, 65);
        assert_string_equal(a.text, "no");
    }
}

static void mailbox_answer_keeps_one_long_sentence(void **state)
{
    struct gateway_request r;
    struct mailbox_answer a;
    char text[1000];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_true(post(GATEWAY_AUTO, 0, &r));
    assert_true(mailbox_poll(&m, &r));
    mailbox_answer(&m, r.id, 0, text);
    assert_true(mailbox_take_answer(&m, &a));
    assert_int_equal(strlen(a.text), sizeof a.text - 1);
}

static void answer_nothing_asked(void *unused)
{
    (void)unused;
    mailbox_answer(&m, 4, 0, "");
}

static void mailbox_answer_without_request_dies(void **state)
{
    (void)state;
    assert_dies(answer_nothing_asked, NULL, "answered < m->polled");
}

enum { STREAM = 20000, TRIES = 200000000 };

/* The core's side: answers each request with its own number. */
static void *serve(void *unused)
{
    struct gateway_request r;
    uint32_t served = 0;
    (void)unused;
    for (int64_t tries = 0; served < STREAM && tries < TRIES; tries++) {
        char text[32];
        if (!mailbox_poll(&m, &r)) {
            sched_yield();
            continue;
        }
        snprintf(text, sizeof text, "%u", r.target);
        mailbox_answer(&m, r.id, 0, text);
        served++;
    }
    return NULL;
}

static void mailbox_two_threads_lose_nothing(void **state)
{
    pthread_t core;
    uint32_t posted = 0, answered = 0;
    uint64_t sum = 0;
    (void)state;
    assert_int_equal(pthread_create(&core, NULL, serve, NULL), 0);
    for (int64_t tries = 0; answered < STREAM && tries < TRIES; tries++) {
        struct gateway_request r = {.kind = posted % 3 ? GATEWAY_AUTO : GATEWAY_KILL,
                                    .keep_positions = posted % 2,
                                    .target = posted};
        struct mailbox_answer a;
        bool moved = false;
        if (posted < STREAM && mailbox_post(&m, &r)) {
            posted++;
            moved = true;
        }
        if (mailbox_take_answer(&m, &a)) {
            sum += strtoul(a.text, NULL, 10);
            answered++;
            moved = true;
        }
        if (!moved)
            sched_yield();
    }
    pthread_join(core, NULL);
    assert_int_equal(answered, STREAM);
    assert_int_equal(sum, (uint64_t)STREAM * (STREAM - 1) / 2);
    for (int i = 0; i < 4; i++)
        assert_int_equal(m.open[i], 0);
}

int main(void)
{
#define MAIL(test) cmocka_unit_test_setup_teardown(test, fresh, drop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(mailbox_fresh_is_empty, fresh),
        cmocka_unit_test_setup(mailbox_kills_have_slots_of_their_own, fresh),
        MAIL(mailbox_bundle_belongs_to_its_request),
        MAIL(mailbox_bundles_are_few_and_hold_nothing_up),
        cmocka_unit_test_setup(mailbox_slot_is_free_after_its_answer, fresh),
        cmocka_unit_test_setup(mailbox_answer_keeps_one_long_sentence, fresh),
        cmocka_unit_test_setup(mailbox_answer_without_request_dies, fresh),
        cmocka_unit_test_setup(mailbox_two_threads_lose_nothing, fresh),
    };
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
