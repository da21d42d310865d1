/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: keys, signatures, time windows, budgets and bans; the pace of the venue's clock.
 * Method: a key file of the test's own, a signature computed by other code (openssl's command line
 * gave the constant below), times as arguments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "house/callers.h"
#include "house/tempo.h"

#define SEC 1000000000ll
static char path[64];

static void put(const char *text, mode_t mode)
{
    snprintf(path, sizeof path, "/tmp/callers-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static struct result try_read(const char *text, mode_t mode, struct callers *c)
{
    struct trail tr = {0};
    put(text, mode);
    struct result r = callers_read(path, c, &tr);
    if (!is_ok(r))
        assert_non_null(strstr(trail_sentence(&tr, r), "keys /tmp/callers-test-"));
    unlink(path);
    return r;
}

static void callers_files_are_read_or_refused(void **state)
{
    (void)state;
    struct callers c;
    assert_true(is_ok(try_read("# keys\nalice s3cret\n\n  bob  other \n", 0600, &c)));
    assert_int_equal(c.count, 2);
    assert_string_equal(c.at[0].name, "alice");
    assert_string_equal(c.at[0].secret, "s3cret");
    assert_string_equal(c.at[1].secret, "other");
    assert_int_equal(try_read("alice s3cret\n", 0640, &c).code, RESULT_NOT_PERMITTED);
    assert_int_equal(try_read("alice\n", 0600, &c).code, RESULT_SYNTAX);
    assert_int_equal(try_read("alice a b\n", 0600, &c).code, RESULT_SYNTAX);
    assert_int_equal(try_read("alice a\nalice b\n", 0600, &c).code, RESULT_DUPLICATE);
    assert_int_equal(try_read("# nobody\n", 0600, &c).code, RESULT_MISSING);
    assert_int_equal(try_read("a a\nb b\nc c\nd d\ne e\nf f\ng g\nh h\ni i\n", 0600, &c).code,
                     RESULT_FULL);
}

static const struct callers_text text = {
    .time = "1700000000000", .method = "POST", .path = "/v1/orders", .body = "{}", .body_count = 2};
/* printf '1700000000000POST/v1/orders{}' | openssl dgst -sha256 -hmac s3cret */
static const char good[] = "9ed627f2efb5ad952d73f2d422b69e48ddc247cb3f964e39d8fcf8afd816c1f2";

static uint32_t check(const char *key, const char *sign, const struct callers_text *t, int64_t ns,
                      enum callers_verdict want)
{
    struct callers c;
    uint32_t caller;
    assert_true(is_ok(try_read("bob b0b\nalice s3cret\n", 0600, &c)));
    assert_int_equal(callers_check(&c, key, sign, t, ns, &caller), want);
    return caller;
}

static void callers_signature_is_that_of_other_code(void **state)
{
    (void)state;
    const int64_t now = 1700000000 * SEC;
    char mine[CALLERS_SIGN_BYTES];
    callers_sign("s3cret", &text, mine);
    assert_string_equal(mine, good);
    assert_int_equal(check("alice", good, &text, now, CALLERS_GOOD), 2);
    check("bob", good, &text, now, CALLERS_BAD_SIGN);
    check("carol", good, &text, now, CALLERS_BAD_SIGN);
    check("", "", &text, now, CALLERS_BAD_SIGN);
    char wrong[sizeof good];
    for (size_t i = 0; i < sizeof good - 1; i++) {
        memcpy(wrong, good, sizeof good);
        wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
        check("alice", wrong, &text, now, CALLERS_BAD_SIGN);
    }
    struct callers_text other = text;
    other.method = "DELETE";
    check("alice", good, &other, now, CALLERS_BAD_SIGN);
}

static void callers_time_is_within_five_seconds(void **state)
{
    (void)state;
    const int64_t now = 1700000000 * SEC;
    check("alice", good, &text, now + 5 * SEC, CALLERS_GOOD);
    check("alice", good, &text, now - 5 * SEC, CALLERS_GOOD);
    check("alice", good, &text, now + 5 * SEC + 1000000, CALLERS_BAD_TIME);
    check("alice", good, &text, now - 5 * SEC - 1000000, CALLERS_BAD_TIME);
    char sign[CALLERS_SIGN_BYTES];
    struct callers_text odd = text;
    odd.time = "1.7e12";
    callers_sign("s3cret", &odd, sign);
    check("alice", sign, &odd, now, CALLERS_BAD_TIME);
}

static void callers_budget_empties_refills_and_bans(void **state)
{
    (void)state;
    struct callers c;
    int retry = 0;
    int64_t t = SEC;
    assert_true(is_ok(try_read("bob b0b\nalice s3cret\n", 0600, &c)));
    for (int i = 0; i < CALLERS_BURST; i++)
        assert_int_equal(callers_weigh(&c, 1, 1, t, &retry), 0);
    assert_int_equal(callers_weigh(&c, 1, 5, t, &retry), 429);
    assert_int_equal(retry, 1);
    assert_int_equal(callers_weigh(&c, 2, 5, t, &retry), 0); /* another key's budget is its own */
    t += SEC;
    for (int i = 0; i < CALLERS_REFILL; i++)
        assert_int_equal(callers_weigh(&c, 1, 1, t, &retry), 0);
    for (int i = 0; i < CALLERS_PATIENCE; i++)
        assert_int_equal(callers_weigh(&c, 1, 1, t, &retry), 429);
    assert_int_equal(callers_weigh(&c, 1, 1, t, &retry), 418);
    assert_int_equal(retry, CALLERS_BAN_S);
    t += (CALLERS_BAN_S - 1) * SEC;
    assert_int_equal(callers_weigh(&c, 1, 1, t, &retry), 418);
    assert_int_equal(retry, 1);
    t += SEC;
    for (int i = 0; i < CALLERS_BURST; i++) /* full again, never more than full */
        assert_int_equal(callers_weigh(&c, 1, 1, t, &retry), 0);
    for (int i = 0; i < CALLERS_PATIENCE; i++)
        assert_int_equal(callers_weigh(&c, 1, 1, t, &retry), 429);
    assert_int_equal(callers_weigh(&c, 1, 1, t, &retry), 418);
    assert_int_equal(retry, 2 * CALLERS_BAN_S);
}

static int64_t fixed(void *arg)
{
    return *(int64_t *)arg;
}

static void tempo_follows_its_clock(void **state)
{
    (void)state;
    int64_t now = 100 * SEC;
    struct clock clock = {.wall_ns = fixed, .mono_ns = fixed, .arg = &now};
    struct tempo p = {.kind = TEMPO_SCRIPT,
                      .clock = &clock,
                      .market0_ns = 5000 * SEC,
                      .mono0_ns = 90 * SEC,
                      .lead_ns = 3,
                      .speed = 600 * TEMPO_REAL_TIME};
    assert_int_equal(tempo_now(&p), 11000 * SEC + 3);
    assert_int_equal(tempo_market(&p, 7), 7);
    assert_int_equal(tempo_wait_ns(&p, 11000 * SEC), 0);
    assert_int_equal(tempo_wait_ns(&p, 11600 * SEC + 3), SEC + 1);
    assert_true(tempo_wait_ns(&p, INT64_MAX) > 0);
    now = 80 * SEC; /* before the beginning */
    assert_int_equal(tempo_now(&p), -1000 * SEC + 3);
    p = (struct tempo){.kind = TEMPO_WALL,
                       .clock = &clock,
                       .market0_ns = 5000 * SEC,
                       .wall0_ns = 70 * SEC,
                       .speed = 2 * TEMPO_REAL_TIME};
    assert_int_equal(tempo_now(&p), 80 * SEC);
    assert_int_equal(tempo_market(&p, 5020 * SEC), 80 * SEC);
    assert_int_equal(tempo_wait_ns(&p, 81 * SEC), SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_files_are_read_or_refused),
        cmocka_unit_test(callers_signature_is_that_of_other_code),
        cmocka_unit_test(callers_time_is_within_five_seconds),
        cmocka_unit_test(callers_budget_empties_refills_and_bans),
        cmocka_unit_test(tempo_follows_its_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
