/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the JSON of the three public records is what their schemas say, byte for byte stable, and
 * is refused rather than guessed. Method: one full sample of each is written, validated by the C
 * validator of the schema, compared with the fixture that the Python and TypeScript tests use too,
 * and given to the Python validator; then every enum value, every hostile one, and random records
 * (seed printed).
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "gateway/json_facts.h"
#include "tenon/strategy.h"
#include "tests/contract/schema_check.h"

static const char *const INPUTS[] = {"fast", "slow"};
static uint32_t line_of[RISK_RULE_END];
static int64_t since_of[RISK_RULE_END];
static const struct json_facts_names NAMES = {.instance = "cross_btc",
                                              .plugin = "ema_cross",
                                              .version = "1.0.0",
                                              .input = INPUTS,
                                              .input_count = 2,
                                              .instrument = "BTC-USDT",
                                              .price_exp = -2,
                                              .qty_exp = -3,
                                              .account = "paper",
                                              .money_exp = -2,
                                              .settle = "USDT",
                                              .settle_exp = -4,
                                              .deployment = "paper.yaml",
                                              .rule_line = line_of,
                                              .rule_since_ns = since_of};

static json_t *load(const char *folder, const char *name)
{
    char path[1024];
    json_error_t error;
    snprintf(path, sizeof path, "%s/%s/%s", TENON_SOURCE_DIR, folder, name);
    json_t *v = json_load_file(path, 0, &error);
    if (v == NULL)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return v;
}

static void is_valid(json_t *v, const char *schema)
{
    struct schema_check check = {0};
    json_t *root = load("plugin-api/schema", schema);
    if (!schema_check(&check, root, v))
        fail_msg("%s: %s", schema, check.why);
    json_decref(root);
}

static struct fact_head head_of(uint16_t type)
{
    return (struct fact_head){.bytes = fact_bytes(type),
                              .seq = 70123,
                              .t_ns = 1514764860000000000,
                              .cause_seq = 70120,
                              .type = type,
                              .version = 1};
}

static int64_t bits_of(double v)
{
    int64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static struct fact_signal sample_signal(void)
{
    return (struct fact_signal){.instance = 4,
                                .instrument = 1,
                                .side = TN_LONG,
                                .advice = TN_ADVICE_TARGET | TN_ADVICE_LIMIT | TN_ADVICE_STOP |
                                          TN_ADVICE_TTL,
                                .score_ppm = 1000000,
                                .confidence_ppm = 750000,
                                .horizon_ns = 60000000000,
                                .target_ppm = 500000,
                                .reason_count = 3,
                                .limit_offset = 150,
                                .stop_distance = 128000,
                                .ttl_ns = 600000000000,
                                .plugin_hash = 0x00ab34cd56ef7890,
                                .reason = {{0, 51500000, bits_of(64210.25)},
                                           {1, -50000000, bits_of(62340.0625)},
                                           {TN_REASON_CLAMP, -500000, bits_of(1.5)}}};
}

static struct fact_exec sample_exec(void)
{
    return (struct fact_exec){.order = 18446744073709551615u,
                              .venue_order = 77,
                              .trade_id = 9001,
                              .kind = FACT_EXEC_TRADE,
                              .instrument = 1,
                              .account = 1,
                              .side = TN_SHORT,
                              .last_qty = 250,
                              .last_price = 6421050,
                              .cum_qty = 1250,
                              .leaves_qty = 750,
                              .fee = -64210,
                              .venue_ns = 1514764860001000000,
                              .liquidity = FACT_MAKER,
                              .text = "fill\x01 part"};
}

static struct fact_decision sample_decision(void)
{
    struct fact_decision f = {.intent = 0xfedcba9876543210,
                              .strategy = 4,
                              .instrument = 1,
                              .account = 1,
                              .asked = 500,
                              .price = 6421050,
                              .reference = 6420000,
                              .side = TN_LONG,
                              .denied_by = 1u << (RISK_DATA - 1) | 1u << (RISK_POSITION - 1),
                              .cut_by = 1u << (RISK_MAX_QTY - 1),
                              .serial = 42};
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        f.result[r] = FACT_RULE_PASS;
        f.rule[r - 1] = (struct fact_rule){.observed = (int64_t)r, .limit = 100};
    }
    f.result[RISK_DATA] = f.result[RISK_POSITION] = FACT_RULE_DENY;
    f.result[RISK_MAX_QTY] = FACT_RULE_CUT;
    f.result[RISK_DUPLICATE] = FACT_RULE_FREE;
    f.rule[RISK_POSITION - 1] = (struct fact_rule){1700, 1500};
    f.rule[RISK_MAX_VALUE - 1] = (struct fact_rule){3210525, RISK_NO_DEFAULT};
    f.rule[RISK_LEVERAGE - 1] = (struct fact_rule){INT64_MAX, 3000000};
    line_of[RISK_POSITION] = 17;
    since_of[RISK_POSITION] = 1514764800000000000;
    return f;
}

static json_t *signal_json(const struct fact_signal *f)
{
    const struct fact_head head = head_of(FACT_SIGNAL);
    struct trail tr = {0};
    json_t *out = NULL;
    const struct result r = json_facts_signal(&head, f, &NAMES, &out, &tr);
    assert_true(is_ok(r) == (out != NULL));
    if (out == NULL) {
        assert_int_equal(r.code, RESULT_CORRUPT);
        assert_non_null(strstr(tr.frame[0].text, "record 70123"));
    }
    return out;
}

static json_t *exec_json(const struct fact_exec *f)
{
    const struct fact_head head = head_of(FACT_EXEC);
    struct trail tr = {0};
    json_t *out = NULL;
    const struct result r = json_facts_exec(&head, f, &NAMES, &out, &tr);
    assert_true(is_ok(r) ? out != NULL : r.code == RESULT_CORRUPT && out == NULL);
    return out;
}

static json_t *decision_json(const struct fact_decision *f, const struct json_facts_names *names)
{
    const struct fact_head head = head_of(FACT_DECISION);
    struct trail tr = {0};
    json_t *out = NULL;
    const struct result r = json_facts_decision(&head, f, names, &out, &tr);
    assert_true(is_ok(r) ? out != NULL : r.code == RESULT_CORRUPT && out == NULL);
    return out;
}

static const char *text_at(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* Runs the Python validator over the text; false when this machine has no jsonschema. */
static bool python_agrees(const char *schema, const char *text)
{
    char path[] = "/tmp/tenon-json-facts-XXXXXX", command[2048];
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    snprintf(command, sizeof command,
             "/usr/bin/python3 %s/tests/contract/schema_validate.py %s/plugin-api/schema/%s %s",
             TENON_SOURCE_DIR, TENON_SOURCE_DIR, schema, path);
    const int status = system(command);
    unlink(path);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
        print_message("skipped the Python validator: python3-jsonschema is not installed\n");
        return false;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

/* Validates in C and Python and compares with the fixture; takes the reference. */
static void is_fixture(json_t *v, const char *schema, const char *fixture)
{
    assert_non_null(v);
    is_valid(v, schema);
    char *text = json_dumps(v, JSON_INDENT(2));
    json_t *want = load("tests/fixtures/schema", fixture);
    char *want_text = json_dumps(want, JSON_INDENT(2));
    assert_string_equal(text, want_text);
    (void)python_agrees(schema, text);
    free(text);
    free(want_text);
    json_decref(want);
    json_decref(v);
}

static void json_facts_samples_equal_the_fixtures(void **state)
{
    (void)state;
    const struct fact_signal s = sample_signal();
    const struct fact_exec e = sample_exec();
    const struct fact_decision d = sample_decision();
    is_fixture(signal_json(&s), "signal-v1.schema.json", "signal-v1.json");
    is_fixture(exec_json(&e), "execution-report-v1.schema.json", "execution-report-v1.json");
    is_fixture(decision_json(&d, &NAMES), "denial-v1.schema.json", "denial-v1.json");
}

static void json_facts_signal_without_advice_has_none(void **state)
{
    (void)state;
    struct fact_signal f = sample_signal();
    f.advice = 0;
    f.side = TN_FLAT;
    f.score_ppm = 0;
    f.reason_count = 1;
    f.reason[0] = (struct fact_reason){TN_REASON_BASE, 0, 0};
    json_t *o = signal_json(&f);
    is_valid(o, "signal-v1.schema.json");
    assert_int_equal(json_object_size(json_object_get(o, "advice")), 0);
    assert_string_equal(text_at(o, "side"), "flat");
    json_t *reason = json_array_get(json_object_get(o, "reasons"), 0);
    assert_string_equal(text_at(reason, "feature"), "base");
    assert_true(json_is_null(json_object_get(reason, "input")));
    json_decref(o);
}

static void json_facts_signal_names_its_build(void **state)
{
    struct fact_head head = head_of(FACT_SIGNAL);
    const struct fact_signal f = sample_signal();
    struct trail tr = {0};
    json_t *o = NULL;
    (void)state;
    head.generation = 4294967295;
    assert_true(is_ok(json_facts_signal(&head, &f, &NAMES, &o, &tr)));
    is_valid(o, "signal-v1.schema.json");
    assert_int_equal(json_integer_value(json_object_get(o, "generation")), 4294967295);
    json_decref(o);
    o = signal_json(&f); /* unsigned: it says nothing, as before there were generations */
    assert_null(json_object_get(o, "generation"));
    json_decref(o);
}

static void json_facts_decision_names_the_signers(void **state)
{
    static const char *const signers[] = {"ana", "bo"};
    const struct fact_decision f = sample_decision();
    struct json_facts_names names = NAMES;
    (void)state;
    names.signer = signers;
    names.signer_count = 2;
    json_t *o = decision_json(&f, &names);
    is_valid(o, "denial-v1.schema.json");
    json_t *rule = json_array_get(json_object_get(o, "rules"), RISK_POSITION - 1);
    json_t *list = json_object_get(json_object_get(rule, "rule_source"), "signers");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_array_get(list, 1)), "bo");
    json_decref(o);
}

static void json_facts_hostile_signal_is_refused(void **state)
{
    (void)state;
    struct fact_signal f = sample_signal();
    f.side = 9;
    assert_null(signal_json(&f));
    f = sample_signal();
    f.reason_count = 0;
    assert_null(signal_json(&f));
    f.reason_count = 9;
    assert_null(signal_json(&f));
    f = sample_signal();
    f.reason[1].value_bits = bits_of(__builtin_nan(""));
    assert_null(signal_json(&f));
    f = sample_signal();
    f.reason[1].input = 8;
    assert_null(signal_json(&f));
    f.reason[1].input = 7; /* an index without a name: written, without guessing */
    json_t *o = signal_json(&f);
    is_valid(o, "signal-v1.schema.json");
    assert_string_equal(text_at(json_array_get(json_object_get(o, "reasons"), 1), "feature"), "?");
    json_decref(o);
}

static void json_facts_every_exec_word_is_in_the_schema(void **state)
{
    (void)state;
    for (uint32_t kind = FACT_EXEC_NEW; kind <= FACT_EXEC_STATUS; kind++) {
        struct fact_exec f = sample_exec();
        f.kind = kind;
        f.side = kind % 3; /* 0: not said */
        f.liquidity = kind % 3;
        f.found = kind % 5;
        f.reason = kind - 1;
        f.order = kind % 2;
        json_t *o = exec_json(&f);
        assert_non_null(o);
        is_valid(o, "execution-report-v1.schema.json");
        assert_true(json_is_null(json_object_get(o, "order")) == (f.order == 0));
        assert_true(json_is_null(json_object_get(o, "reject")) == (f.reason == 0));
        json_decref(o);
    }
}

static void json_facts_unknown_exec_values_are_refused(void **state)
{
    (void)state;
    const struct fact_exec good = sample_exec();
    struct fact_exec f = good;
    f.kind = 0;
    assert_null(exec_json(&f));
    f.kind = FACT_EXEC_STATUS + 1;
    assert_null(exec_json(&f));
    f = good;
    f.side = TN_FLAT;
    assert_null(exec_json(&f));
    f = good;
    f.liquidity = 3;
    assert_null(exec_json(&f));
    f = good;
    f.found = 5;
    assert_null(exec_json(&f));
    f = good;
    f.reason = FACT_REJECT_OTHER + 1;
    assert_null(exec_json(&f));
}

static void json_facts_venue_text_is_kept_whole_and_escaped(void **state)
{
    (void)state;
    struct fact_exec f = sample_exec();
    memset(f.text, 0xff, sizeof f.text); /* no NUL, no UTF-8 */
    json_t *o = exec_json(&f);
    assert_non_null(o);
    is_valid(o, "execution-report-v1.schema.json");
    assert_int_equal(strlen(text_at(o, "text")), 4 * sizeof f.text);
    json_decref(o);
}

static void json_facts_decision_tells_every_rule(void **state)
{
    (void)state;
    const struct fact_decision f = sample_decision();
    json_t *o = decision_json(&f, &NAMES);
    json_t *rules = json_object_get(o, "rules");
    assert_int_equal(json_array_size(rules), RISK_RULE_COUNT);
    assert_int_equal(json_array_size(json_object_get(o, "denied_by")), 2);
    assert_string_equal(text_at(o, "trace_id"), "fedcba987654321000000000000111eb");
    json_t *position = json_array_get(rules, RISK_POSITION - 1);
    assert_string_equal(text_at(position, "code"), "RISK_POSITION_EXCEEDS_MAXIMUM");
    assert_string_equal(text_at(position, "observed"), "1.7");
    assert_string_equal(text_at(position, "limit"), "1.5");
    assert_string_equal(text_at(position, "since"), "1514764800000000000");
    json_t *source = json_object_get(position, "rule_source");
    assert_string_equal(text_at(source, "file"), "paper.yaml");
    assert_int_equal(json_integer_value(json_object_get(source, "line")), 17);
    json_t *data = json_array_get(rules, RISK_DATA - 1);
    assert_string_equal(text_at(data, "since"), "1514764860000000000"); /* since now */
    assert_true(json_is_null(json_object_get(json_object_get(data, "rule_source"), "file")));
    json_t *value = json_array_get(rules, RISK_MAX_VALUE - 1);
    assert_string_equal(text_at(value, "observed"), "32105.25");
    assert_true(json_is_null(json_object_get(value, "limit")));
    assert_true(json_is_null(json_object_get(value, "since")));
    json_t *leverage = json_array_get(rules, RISK_LEVERAGE - 1);
    assert_true(json_is_null(json_object_get(leverage, "observed")));
    json_decref(o);
}

static void json_facts_decision_of_no_route_is_valid(void **state)
{
    (void)state;
    struct fact_decision f = {.side = TN_FLAT, .denied_by = 1u << (RISK_PERMISSION - 1)};
    for (uint32_t r = 1; r < RISK_RULE_END; r++)
        f.result[r] = FACT_RULE_FREE;
    f.result[RISK_PERMISSION] = FACT_RULE_DENY;
    const struct json_facts_names nobody = {0};
    json_t *o = decision_json(&f, &nobody);
    assert_non_null(o);
    is_valid(o, "denial-v1.schema.json");
    assert_true(json_is_null(json_object_get(o, "side")));
    assert_string_equal(text_at(o, "account"), "?");
    json_decref(o);
    f.result[RISK_KILL] = FACT_RULE_UNSET; /* a rule that was not evaluated */
    assert_null(decision_json(&f, &nobody));
}

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return *seed >> 16;
}

/* Whatever the bytes, the answer is a valid record or a refusal. */
static void json_facts_random_bytes_are_valid_or_refused(void **state)
{
    (void)state;
    uint64_t seed = 20180101;
    uint32_t written = 0;
    print_message("seed %" PRIu64 "\n", seed);
    json_t *roots[2] = {load("plugin-api/schema", "signal-v1.schema.json"),
                        load("plugin-api/schema", "execution-report-v1.schema.json")};
    for (int round = 0; round < 2000; round++) {
        struct fact_signal s = sample_signal();
        struct fact_exec e = sample_exec();
        struct schema_check check = {0};
        ((uint8_t *)&s)[next(&seed) % sizeof s] ^= (uint8_t)next(&seed);
        ((uint8_t *)&e)[next(&seed) % sizeof e] ^= (uint8_t)next(&seed);
        json_t *both[2] = {signal_json(&s), exec_json(&e)};
        for (int i = 0; i < 2; i++) {
            if (both[i] != NULL && !schema_check(&check, roots[i], both[i]))
                fail_msg("round %d: %s", round, check.why);
            written += both[i] != NULL;
            json_decref(both[i]);
        }
    }
    assert_in_range(written, 1000, 3990);
    json_decref(roots[0]);
    json_decref(roots[1]);
}

/* The C validator itself: a record spoiled in one place is refused there. */
static void json_facts_validator_finds_each_spoiled_member(void **state)
{
    (void)state;
    static const char *const files[] = {"signal-v1", "execution-report-v1", "denial-v1"};
    for (int i = 0; i < 3; i++) {
        char name[64];
        struct schema_check check = {0};
        snprintf(name, sizeof name, "%s.schema.json", files[i]);
        json_t *root = load("plugin-api/schema", name);
        snprintf(name, sizeof name, "%s.json", files[i]);
        json_t *good = load("tests/fixtures/schema", name);
        assert_true(schema_check(&check, root, good));
        const char *key;
        json_t *value;
        json_object_foreach(good, key, value)
        {
            json_t *bad = json_copy(good);
            json_object_del(bad, key);
            assert_false(schema_check(&check, root, bad));
            assert_non_null(strstr(check.why, key));
            json_object_set_new(bad, key, json_integer(-1));
            assert_false(schema_check(&check, root, bad));
            json_decref(bad);
        }
        json_object_set_new(good, "unknown", json_true());
        assert_false(schema_check(&check, root, good));
        json_decref(good);
        json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_facts_samples_equal_the_fixtures),
        cmocka_unit_test(json_facts_signal_without_advice_has_none),
        cmocka_unit_test(json_facts_signal_names_its_build),
        cmocka_unit_test(json_facts_decision_names_the_signers),
        cmocka_unit_test(json_facts_hostile_signal_is_refused),
        cmocka_unit_test(json_facts_every_exec_word_is_in_the_schema),
        cmocka_unit_test(json_facts_unknown_exec_values_are_refused),
        cmocka_unit_test(json_facts_venue_text_is_kept_whole_and_escaped),
        cmocka_unit_test(json_facts_decision_tells_every_rule),
        cmocka_unit_test(json_facts_decision_of_no_route_is_valid),
        cmocka_unit_test(json_facts_random_bytes_are_valid_or_refused),
        cmocka_unit_test(json_facts_validator_finds_each_spoiled_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
