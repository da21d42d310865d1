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
#include "deploy/trust.h"
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
            assert_int_equal(f.field[i].words != NULL, f.field[i].kind == FACT_KIND_WORD ||
                                                           f.field[i].kind == FACT_KIND_COLD);
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
                             "venue_ns=0 liquidity=MAKER reason=NONE found=UNSET is_close=no "
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

static const struct fact_words *words_of(uint16_t type, const char *field)
{
    struct fact_fields f = fact_fields(type);
    for (uint32_t i = 0; i < f.count; i++) {
        if (strcmp(f.field[i].name, field) == 0)
            return f.field[i].words;
    }
    fail_msg("%s has no %s", fact_name(type), field);
    return NULL;
}

/* The roles' bits are written in two folders that cannot see each other. */
static void fact_roles_are_those_of_the_trust_document(void **state)
{
    const struct fact_words *words = words_of(FACT_SIGNATURE, "role");
    uint32_t count = 1; /* UNSET */
    (void)state;
#define X(NAME, name, bit, text)                                                                   \
    assert_string_equal(fact_word(words, bit), #NAME);                                             \
    count++;
    TRUST_ROLES(X)
#undef X
    for (uint32_t i = 0; i < words->count; i++)
        count -= words->word[i] != NULL;
    assert_int_equal(count, 0);
}

/* Every value of the lists that promotions use has its word. */
static void fact_words_of_promotions_have_no_holes(void **state)
{
    static const struct {
        uint16_t type;
        const char *field;
        uint32_t last;
    } lists[] = {{FACT_PROMOTION, "to", PROMOTION_STATE_END - 1},
                 {FACT_PROMOTION, "why", PROMOTION_WHY_END - 1},
                 {FACT_TEXT, "kind", FACT_TEXT_REQUEST},
                 {FACT_STAGE, "what", FACT_STAGE_DROP},
                 {FACT_REMOVE, "on_remove", FACT_ON_REMOVE_HAND_TO},
                 {FACT_MODED, "why", FACT_WHY_REMOVED},
                 {FACT_IGNORED, "why", FACT_IGNORED_USED},
                 {FACT_INTENT, "origin", FACT_ORIGIN_REMOVE},
                 {FACT_CANCEL, "why", FACT_CANCEL_REMOVE}};
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct fact_words *words = words_of(lists[i].type, lists[i].field);
        assert_int_equal(words->count, lists[i].last + 1);
        for (uint32_t v = 0; v <= lists[i].last; v++) {
            if (strcmp(fact_word(words, v), "?") == 0)
                fail_msg("%s.%s: no word for %u", fact_name(lists[i].type), lists[i].field, v);
        }
    }
}

static void fact_promotion_reads_as_written(void **state)
{
    struct fact_promotion p = {.serial = 3,
                               .from = PROMOTION_PROPOSED,
                               .to = PROMOTION_REFUSED,
                               .why = PROMOTION_WHY_CHECK,
                               .result = RESULT_SIGNATURE};
    struct fact_head h = head_of(FACT_PROMOTION);
    (void)state;
    snprintf(p.by, sizeof p.by, "uid:1000");
    snprintf(p.text, sizeof p.text, "three.yaml: bo's key is revoked");
    fact_print(FACT_FORM_WORDS, &h, &p, out, sizeof out);
    assert_non_null(strstr(out, "PROMOTION cause_seq=41 source=2 serial=3 sha256=0000"));
    assert_non_null(strstr(out, " from=PROPOSED to=REFUSED why=CHECK result=SIGNATURE "));
    assert_non_null(strstr(out, " by=\"uid:1000\" text=\"three.yaml: bo's key is revoked\""));
    p.to = PROMOTION_ROLLED_BACK;
    p.result = 12345; /* a code of a later release is shown, not hidden */
    fact_print(FACT_FORM_JSON, &h, &p, out, sizeof out);
    assert_non_null(strstr(out, "\"to\":\"ROLLED_BACK\""));
    assert_non_null(strstr(out, "\"result\":\"?12345\""));
}

static void fact_signature_shows_the_key_as_minisign_does(void **state)
{
    struct fact_signature s = {.role = TRUST_RISK,
                               .kind = FACT_TEXT_DEPLOYMENT,
                               .key_id = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}};
    struct fact_head h = head_of(FACT_SIGNATURE);
    (void)state;
    snprintf(s.person, sizeof s.person, "bo");
    fact_print(FACT_FORM_JSON, &h, &s, out, sizeof out);
    assert_non_null(strstr(out, "\"key_id\":\"EFCDAB8967452301\",\"role\":\"RISK\","
                                "\"kind\":\"DEPLOYMENT\""));
    s.role = 12; /* two roles at once is no role */
    fact_print(FACT_FORM_WORDS, &h, &s, out, sizeof out);
    assert_non_null(strstr(out, "key_id=EFCDAB8967452301 role=?12 "));
}

static void fact_generation_is_shown_when_there_is_one(void **state)
{
    struct fact_instance f = {.id = 1, .kind = 2 | FACT_COLD};
    struct fact_head h = head_of(FACT_INSTANCE);
    (void)state;
    fact_print(FACT_FORM_WORDS, &h, &f, out, sizeof out);
    assert_null(strstr(out, "generation"));
    assert_non_null(strstr(out, " kind=STRATEGY+COLD "));
    h.generation = 7;
    fact_print(FACT_FORM_WORDS, &h, &f, out, sizeof out);
    assert_non_null(strstr(out, " source=2 generation=7 id=1 "));
    f.kind = 2;
    fact_print(FACT_FORM_JSON, &h, &f, out, sizeof out);
    assert_non_null(strstr(out, "\"source\":2,\"generation\":7,\"payload\":{"));
    assert_non_null(strstr(out, "\"kind\":\"STRATEGY\""));
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
        cmocka_unit_test(fact_roles_are_those_of_the_trust_document),
        cmocka_unit_test(fact_words_of_promotions_have_no_holes),
        cmocka_unit_test(fact_promotion_reads_as_written),
        cmocka_unit_test(fact_signature_shows_the_key_as_minisign_does),
        cmocka_unit_test(fact_generation_is_shown_when_there_is_one),
        cmocka_unit_test(fact_reasons_stop_at_their_count),
        cmocka_unit_test(fact_unknown_types_are_shown_as_bytes),
        cmocka_unit_test(fact_print_cuts_at_the_buffer),
    };
    return cmocka_run_group_tests_name("fact_text", tests, NULL, NULL);
}
