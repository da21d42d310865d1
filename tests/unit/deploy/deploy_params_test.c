/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: params come out of text exactly as the manifest's table allows, with its defaults for what
 * is not written. Method: a manifest with every type and texts at, inside and outside of each
 * edge; real numbers compared bit for bit with the compiler's own constants.
 */
#include <inttypes.h>
#include "tests/unit/deploy/document.h"

enum { PERIOD, GAIN, FLAG, WIDE, ODD };

static const struct tn_manifest manifest = {
    .id = "probe",
    .version = "1.0.0",
    .param_count = 5,
    .params = {TN_PARAM_INT("period", 20, 2, 100, 2, "bars", "p"),
               TN_PARAM_REAL("gain", 0.5, -2, 2.5, 0.1, "", "g"), TN_PARAM_FLAG("flag", 1, "f"),
               TN_PARAM_INT("wide", -1, INT64_MIN, INT64_MAX, 3, "", "w"),
               TN_PARAM_REAL("odd", 0.1, -1e12, 1e12, 0, "", "o")},
};

static struct deploy_doc doc = {.path = "d.yaml"};
static struct deploy_instance inst = {.fact = {.name = "one"}};
static union tn_number out[TN_MAX_PARAMS];
static struct trail tr;

static struct result give(const char *name, const char *text)
{
    memset(&tr, 0, sizeof(tr));
    memset(inst.param, 0, sizeof(inst.param));
    inst.param_count = 1;
    snprintf(inst.param[0].name, sizeof(inst.param[0].name), "%s", name);
    snprintf(inst.param[0].text, sizeof(inst.param[0].text), "%s", text);
    inst.param[0].line = 7;
    inst.param[0].col = 9;
    return deploy_params(&doc, &inst, &manifest, out, &tr);
}

static void give_refused(const char *name, const char *text, const char *sentence)
{
    struct result r = give(name, text);
    assert_int_equal(r.code, RESULT_CONFIG);
    assert_string_equal(trail_sentence(&tr, r), sentence);
}

static void params_not_written_have_their_defaults(void **state)
{
    (void)state;
    memset(out, 0x55, sizeof(out));
    inst.param_count = 0;
    assert_true(is_ok(deploy_params(&doc, &inst, &manifest, out, NULL)));
    assert_int_equal(out[PERIOD].i, 20);
    assert_true(out[GAIN].f == 0.5);
    assert_int_equal(out[FLAG].i, 1);
    assert_int_equal(out[WIDE].i, -1);
    assert_true(out[ODD].f == 0.1);
    for (int i = 5; i < TN_MAX_PARAMS; i++)
        assert_int_equal(out[i].i, 0);
}

static void params_at_their_bounds_are_taken(void **state)
{
    (void)state;
    assert_true(is_ok(give("period", "2")));
    assert_int_equal(out[PERIOD].i, 2);
    assert_true(is_ok(give("period", "100")));
    assert_int_equal(out[PERIOD].i, 100);
    assert_true(is_ok(give("gain", "-2")));
    assert_true(out[GAIN].f == -2.0);
    assert_true(is_ok(give("gain", "2.5")));
    assert_true(out[GAIN].f == 2.5);
    assert_true(is_ok(give("flag", "false")));
    assert_int_equal(out[FLAG].i, 0);
    assert_true(is_ok(give("flag", "true")));
    assert_int_equal(out[FLAG].i, 1);
    assert_true(is_ok(give("wide", "9223372036854775807"))); /* 3 divides 2^64 - 1 */
    assert_true(out[WIDE].i == INT64_MAX);
    assert_true(is_ok(give("wide", "-9223372036854775808")));
    assert_true(out[WIDE].i == INT64_MIN);
}

static void params_outside_their_table_are_refused(void **state)
{
    (void)state;
    give_refused("period", "0",
                 "error[CFG012] d.yaml:7:9 instances.one.params.period: 0 is outside its range; "
                 "allowed 2 to 100 bars");
    give_refused("period", "102",
                 "error[CFG012] d.yaml:7:9 instances.one.params.period: 102 is outside its range; "
                 "allowed 2 to 100 bars");
    give_refused("period", "7",
                 "error[CFG012] d.yaml:7:9 instances.one.params.period: 7 is between its steps; "
                 "allowed 2 and then every 2");
    give_refused("period", "12.0",
                 "error[CFG010] d.yaml:7:9 instances.one.params.period: 12.0 is not a whole "
                 "number, which this parameter is");
    give_refused("period", "true",
                 "error[CFG010] d.yaml:7:9 instances.one.params.period: true is not a whole "
                 "number, which this parameter is");
    give_refused("period", "99999999999999999999",
                 "error[CFG012] d.yaml:7:9 instances.one.params.period: 99999999999999999999 is "
                 "outside its range; allowed 2 to 100 bars");
    give_refused("gain", "2.6",
                 "error[CFG012] d.yaml:7:9 instances.one.params.gain: 2.6 is outside its range; "
                 "allowed -2 to 2.5");
    give_refused("gain", "0.25",
                 "error[CFG012] d.yaml:7:9 instances.one.params.gain: 0.25 is between its steps; "
                 "allowed -2 and then every 0.1");
    give_refused("gain", "true",
                 "error[CFG010] d.yaml:7:9 instances.one.params.gain: true is not a number, which "
                 "this parameter is");
    give_refused("odd", "0.1234567890123456",
                 "error[CFG013] d.yaml:7:9 instances.one.params.odd: 0.1234567890123456 has more "
                 "digits than a parameter keeps; write at most 15 in all and 12 after the point");
    give_refused("flag", "1",
                 "error[CFG010] d.yaml:7:9 instances.one.params.flag: 1 is not true or false, "
                 "which this parameter is");
    give_refused("perod", "12",
                 "error[CFG008] d.yaml:7:9 instances.one.params.perod: probe 1.0.0 has no such "
                 "parameter; allowed period, gain, flag, wide, odd; nearest known parameter "
                 "period");
}

static void params_of_steps_far_apart_do_not_overflow(void **state)
{
    (void)state;
    struct result r = give("wide", "0"); /* 2^63 above the minimum, not a multiple of 3 */
    assert_int_equal(r.code, RESULT_CONFIG);
    assert_true(is_ok(give("wide", "1")));
}

static void params_real_is_the_nearest_double(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double want;
    } c[] = {{"0.1", 0.1},
             {"0.3", 0.3},
             {"1.005", 1.005},
             {"-0.000000000001", -0.000000000001},
             {"999999999999", 999999999999.0},
             {"123456789012.345", 123456789012.345},
             {"0.000123456789", 0.000123456789},
             {"2.675", 2.675},
             {"0", 0.0}};
    for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
        assert_true(is_ok(give("odd", c[i].text)));
        assert_memory_equal(&out[ODD].f, &c[i].want, sizeof(double));
    }
    /* And 20,000 seeded ones against the C library in its own locale. */
    uint64_t seed = 20240611, x = seed;
    print_message("seed %" PRIu64 "\n", seed);
    for (int i = 0; i < 20000; i++) {
        char text[48];
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        uint64_t mantissa = (x >> 14) % 1000000000000000ull;
        int part = (int)((x >> 5) % 13);
        uint64_t scale = 1;
        for (int k = 0; k < part; k++)
            scale *= 10;
        if (mantissa / scale > 999999999999ull)
            continue;
        int n = snprintf(text, sizeof(text), "%" PRIu64, mantissa / scale);
        if (part > 0)
            snprintf(text + n, sizeof(text) - (size_t)n, ".%0*" PRIu64, part, mantissa % scale);
        double want = strtod(text, NULL);
        assert_true(is_ok(give("odd", text)));
        assert_memory_equal(&out[ODD].f, &want, sizeof(double));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(params_not_written_have_their_defaults),
        cmocka_unit_test(params_at_their_bounds_are_taken),
        cmocka_unit_test(params_outside_their_table_are_refused),
        cmocka_unit_test(params_of_steps_far_apart_do_not_overflow),
        cmocka_unit_test(params_real_is_the_nearest_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
