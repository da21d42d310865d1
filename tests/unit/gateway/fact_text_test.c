/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: every byte of every record type is shown under a name, once, and the JSON is JSON.
 * Method: the field table is checked against the payload sizes; each type is printed from random
 * bytes (seed printed) and parsed back; a few records are compared with what they must read.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "gateway/fact_text.h"

static const uint16_t types[] = {
#define X(id, name, payload, version, class, text) id,
    FACT_EVENTS(X) FACT_EFFECTS(X)
#undef X
};
enum { TYPES = sizeof types / sizeof types[0] };
static char out[FACT_PRINT_BYTES];

static struct fact_head head_of(uint16_t type)
{
    return (struct fact_head){.bytes = fact_bytes(type),
                              .seq = 42,
                              .t_ns = 1514862245123456789,
                              .cause_seq = 41,
                              .type = type,
                              .version = fact_version(type),
                              .sub = 1,
                              .source = 2};
}

static void fact_fields_cover_every_payload(void **state)
{
    (void)state;
    for (uint32_t t = 0; t < TYPES; t++) {
        struct fact_fields f = fact_fields(types[t]);
        uint32_t at = 0;
        assert_true(f.count > 0);
        for (uint32_t i = 0; i < f.count; i++) {
            if (f.field[i].offset != at)
                fail_msg("%s.%s begins at %u, the one before ends at %u", fact_name(types[t]),
                         f.field[i].name, f.field[i].offset, at);
            assert_int_equal(f.field[i].words != NULL, f.field[i].kind == FACT_KIND_WORD);
            at += f.field[i].bytes;
        }
        if (at != fact_bytes(types[t]))
            fail_msg("%s: fields end at %u of %u", fact_name(types[t]), at, fact_bytes(types[t]));
    }
    assert_int_equal(fact_fields(9999).count, 0);
}

static void fact_json_of_any_bytes_parses(void **state)
{
    const uint64_t seed = 0xfac7;
    struct rng r;
    struct fact_view v;
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_seed(&r, seed);
    for (uint32_t round = 0; round < 50 * TYPES; round++) {
        uint16_t type = types[round % TYPES];
        v.head = head_of(type);
        for (uint32_t i = 0; i < FACT_MAX_BYTES; i++)
            v.u.bytes[i] = (uint8_t)(round < TYPES ? 0xff : rng_next(&r));
        size_t n = fact_print(FACT_FORM_JSON, &v.head, v.u.bytes, out, sizeof out);
        assert_true(n < sizeof out - 1 && strlen(out) == n);
        json_error_t e;
        json_t *o = json_loads(out, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &e);
        if (!o)
            fail_msg("%s: %s in %s", fact_name(type), e.text, out);
        assert_string_equal(json_string_value(json_object_get(o, "type")), fact_name(type));
        struct fact_fields f = fact_fields(type);
        for (uint32_t i = 0; i < f.count; i++) {
            if (f.field[i].kind != FACT_KIND_PAD)
                assert_non_null(json_object_get(json_object_get(o, "payload"), f.field[i].name));
        }
        json_decref(o);
        n = fact_print(FACT_FORM_WORDS, &v.head, v.u.bytes, out, sizeof out);
        assert_true(n < sizeof out - 1 && strchr(out, '\n') == NULL);
    }
}

static void fact_words_read_as_written(void **state)
{
    struct fact_exec x = {.order = 17,
                          .trade_id = 5,
                          .kind = FACT_EXEC_TRADE,
                          .instrument = 1,
                          .account = 1,
                          .side = 2,
                          .last_qty = 150,
                          .last_price = -3,
                          .liquidity = FACT_MAKER};
    struct fact_head h = head_of(FACT_EXEC);
    (void)state;
    snprintf(x.text, sizeof x.text, "a \"b\"\n");
    fact_print(FACT_FORM_WORDS, &h, &x, out, sizeof out);
    assert_string_equal(out, "42.1 2018-01-02T03:04:05.123456789Z EXEC cause_seq=41 source=2 "
                             "order=17 venue_order=0 trade_id=5 kind=TRADE instrument=1 account=1 "
                             "side=SHORT last_qty=150 last_price=-3 cum_qty=0 leaves_qty=0 fee=0 "
                             "venue_ns=0 liquidity=MAKER reason=NONE found=UNSET "
                             "text=\"a \\\"b\\\"\\u000a\"");
}

static void fact_json_reads_as_written(void **state)
{
    struct fact_decision d = {.intent = 9,
                              .strategy = 3,
                              .asked = 10,
                              .granted = 4,
                              .side = 1,
                              .denied_by = 1u << (RISK_EXPOSURE - 1),
                              .cut_by = 1u << (RISK_MAX_QTY - 1)};
    struct fact_head h = head_of(FACT_DECISION);
    (void)state;
    d.result[RISK_EXPOSURE] = FACT_RULE_DENY;
    d.result[RISK_KILL] = FACT_RULE_PASS;
    d.rule[RISK_EXPOSURE - 1] = (struct fact_rule){.observed = 1700000, .limit = 1500000};
    fact_print(FACT_FORM_JSON, &h, &d, out, sizeof out);
    json_t *root = json_loads(out, 0, NULL), *o = json_object_get(root, "payload");
    assert_non_null(o);
    json_t *exposure = json_object_get(json_object_get(o, "rule"), "RISK_EXPOSURE_EXCEEDS_CAP");
    assert_int_equal(json_integer_value(json_object_get(exposure, "observed")), 1700000);
    assert_int_equal(json_integer_value(json_object_get(exposure, "limit")), 1500000);
    assert_string_equal(json_string_value(json_array_get(json_object_get(o, "denied_by"), 0)),
                        "RISK_EXPOSURE_EXCEEDS_CAP");
    assert_string_equal(json_string_value(json_array_get(json_object_get(o, "cut_by"), 0)),
                        "RISK_QTY_EXCEEDS_MAXIMUM");
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "result"),
                                                          "RISK_EXPOSURE_EXCEEDS_CAP")),
                        "DENY");
    assert_true(json_is_false(json_object_get(o, "approved")));
    assert_string_equal(json_string_value(json_object_get(o, "intent")), "9");
    assert_string_equal(json_string_value(json_object_get(o, "side")), "LONG");
    json_decref(root);
}

static void fact_reasons_stop_at_their_count(void **state)
{
    struct fact_signal s = {.instance = 1, .reason_count = 2};
    struct fact_head h = head_of(FACT_SIGNAL);
    double half = 0.5;
    (void)state;
    memcpy(&s.reason[1].value_bits, &half, sizeof half);
    s.reason[1].contribution_ppm = -7;
    fact_print(FACT_FORM_JSON, &h, &s, out, sizeof out);
    assert_non_null(strstr(out, "\"reason\":[{\"input\":0,\"contribution_ppm\":0,"
                                "\"value_bits\":\"0000000000000000\",\"value\":\"0\"},"
                                "{\"input\":0,\"contribution_ppm\":-7,"
                                "\"value_bits\":\"3fe0000000000000\",\"value\":\"0.5\"}]"));
    s.reason_count = 0xffffffff; /* a lie is cut at the table's size */
    fact_print(FACT_FORM_JSON, &h, &s, out, sizeof out);
    json_t *o = json_loads(out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(json_object_get(o, "payload"), "reason")),
                     FACT_MAX_REASONS);
    json_decref(o);
}

static void fact_unknown_types_are_shown_as_bytes(void **state)
{
    static const uint8_t bytes[] = {0xde, 0xad};
    struct fact_head h = {.seq = 1, .type = 999, .version = 1, .bytes = 2};
    (void)state;
    fact_print(FACT_FORM_WORDS, &h, bytes, out, sizeof out);
    assert_non_null(strstr(out, "? (type 999 version 1) bytes=dead"));
    fact_print(FACT_FORM_JSON, &h, bytes, out, sizeof out);
    assert_non_null(strstr(out, "\"type_id\":999"));
    assert_non_null(strstr(out, "\"payload\":{\"bytes\":\"dead\"}}"));
    struct fact_head newer = head_of(FACT_TICK);
    static const uint64_t tick[1];
    newer.version = 2;
    fact_print(FACT_FORM_WORDS, &newer, tick, out, sizeof out);
    assert_non_null(strstr(out, "TICK cause_seq=41 source=2 (type 48 version 2) bytes=00"));
}

static void fact_print_cuts_at_the_buffer(void **state)
{
    char small[40];
    struct fact_decision d = {0};
    struct fact_head h = head_of(FACT_DECISION);
    (void)state;
    memset(small, 'x', sizeof small);
    assert_int_equal(fact_print(FACT_FORM_WORDS, &h, &d, small, 39), 38);
    assert_int_equal(small[38], '\0');
    assert_int_equal(small[39], 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fact_fields_cover_every_payload),
        cmocka_unit_test(fact_json_of_any_bytes_parses),
        cmocka_unit_test(fact_words_read_as_written),
        cmocka_unit_test(fact_json_reads_as_written),
        cmocka_unit_test(fact_reasons_stop_at_their_count),
        cmocka_unit_test(fact_unknown_types_are_shown_as_bytes),
        cmocka_unit_test(fact_print_cuts_at_the_buffer),
    };
    return cmocka_run_group_tests_name("fact_text", tests, NULL, NULL);
}
