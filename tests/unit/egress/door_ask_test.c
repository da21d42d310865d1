/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a request at egress's door is understood or refused, never half understood.
 * Method: good ones to their fields, bad ones to their refusals; answers are JSON again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <cmocka.h>
#include "egress/door_ask.h"

static struct result ask(const char *json, struct door_ask *out)
{
    struct trail tr = {0};
    return door_ask_read(json, strlen(json), out, &tr);
}

static void door_ask_kill_has_its_fields(void **state)
{
    (void)state;
    struct door_ask a;
    assert_true(is_ok(ask("{\"v\":1,\"id\":7,\"cmd\":\"risk kill\"}", &a)));
    assert_int_equal(a.what, DOOR_ASK_KILL);
    assert_int_equal(a.id, 7);
    assert_string_equal(a.account, "");
    assert_false(a.keep_positions);
    assert_true(is_ok(ask("{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"reason\":\"too "
                          "hot\",\"keep-positions\":true,\"account\":\"paper\"}}",
                          &a)));
    assert_string_equal(a.reason, "too hot");
    assert_true(a.keep_positions);
    assert_string_equal(a.account, "paper");
    assert_true(is_ok(ask("{\"v\":1,\"id\":1,\"cmd\":\"egress status\",\"args\":{}}", &a)));
    assert_int_equal(a.what, DOOR_ASK_STATUS);
    assert_true(is_ok(ask("{\"v\":1,\"id\":1,\"cmd\":\"egress secrets\"}", &a)));
    assert_int_equal(a.what, DOOR_ASK_SECRETS);
}

static void door_ask_anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"v\":1,\"id\":1}",
        "{\"id\":1,\"cmd\":\"risk kill\"}",
        "{\"v\":2,\"id\":1,\"cmd\":\"risk kill\"}",
        "{\"v\":\"1\",\"id\":1,\"cmd\":\"risk kill\"}",
        "{\"v\":1,\"id\":-1,\"cmd\":\"risk kill\"}",
        "{\"v\":1,\"id\":9223372036854775808,\"cmd\":\"risk kill\"}",
        "{\"v\":1,\"id\":1,\"cmd\":\"risk resume\"}",
        "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"all\":true}}",
        "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"words\":[\"paper\"]}}",
        "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"account\":\"\"}}",
        "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"account\":1}}",
        "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"account\":"
        "\"a23456789012345678901234567890123\"}}",
        "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"keep-positions\":\"yes\"}}",
        "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"cmd\":\"egress status\"}",
        "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\"} x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct door_ask a;
        if (is_ok(ask(bad[i], &a)))
            fail_msg("taken: %s", bad[i]);
    }
}

static void door_ask_answers_are_json(void **state)
{
    (void)state;
    char out[4096], text[64];
    struct trail tr = {0};
    struct result r = FAIL(&tr, STATE, "a \"quoted\" \\ path\n");
    size_t n = door_ask_refuse(9, r, "here", &tr, out, sizeof out);
    json_t *j = json_loadb(out, n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_int_equal(json_integer_value(json_object_get(j, "id")), 9);
    assert_false(json_is_true(json_object_get(j, "ok")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(j, "error"), "code")),
                        "STATE");
    json_decref(j);
    n = door_ask_answer(3, "\"text\":\"x\"", out, sizeof out);
    j = json_loadb(out, n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_true(json_is_true(json_object_get(j, "ok")));
    json_decref(j);
    assert_int_equal(door_ask_answer(3, "\"text\":\"x\"", out, 20), 0);
    door_ask_text("\"\\\n\xff", text, sizeof text);
    assert_string_equal(text, "\\\"\\\\\\u000a\\u00ff");
    door_ask_text("0123456789", text, 12);
    assert_string_equal(text, "01234");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(door_ask_kill_has_its_fields),
        cmocka_unit_test(door_ask_anything_else_is_refused),
        cmocka_unit_test(door_ask_answers_are_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
