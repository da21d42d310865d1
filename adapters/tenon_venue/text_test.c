/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the two readers of venue text are exact and cannot be led out of the text. Method: the
 * plugin's sources are compiled in, so the sanitizers watch them; every text lies in memory of
 * exactly its own size. Decimals are compared with the host's own reader over random texts; JSON is
 * compared with rows, and cut and changed at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "adapters/tenon_venue/decimal.c"
#include "adapters/tenon_venue/json.c"
#include "base/clock.h"
#include "base/num.h"

static uint64_t seed_of(void)
{
    const char *given = getenv("TENON_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20261120;
    print_message("TENON_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static struct json text_value(const char *text, size_t n)
{
    return (struct json){.type = JSON_STRING, .bytes = (uint32_t)n, .at = text};
}

/* ---- decimals ---- */

static void decimal_rows_are_read_exactly_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t exp;
        bool ok;
        int64_t value;
    } rows[] = {
        {"100.25", -2, true, 10025},
        {"100.250000000000000000", -2, true, 10025},
        {"100.251", -2, false, 0},
        {"0", -8, true, 0},
        {"-0.0", -2, true, 0},
        {"-1.5", -1, true, -15},
        {"00012", 0, true, 12},
        {"9223372036854775807", 0, true, INT64_MAX},
        {"9223372036854775808", 0, false, 0},
        {"92233720368547758.07", -2, true, INT64_MAX},
        {"92233720368547758.08", -2, false, 0},
        {"0.000000000000000001", -18, true, 1},
        {"1500", 2, true, 15},
        {"1550", 2, false, 0},
        {"1e3", 0, false, 0},
        {"+1", 0, false, 0},
        {".5", -1, false, 0},
        {"5.", -1, false, 0},
        {"1.2.3", -2, false, 0},
        {"", 0, false, 0},
        {"-", 0, false, 0},
        {" 1", 0, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 7;
        struct json v = text_value(rows[i].text, strlen(rows[i].text));
        bool ok = decimal_read(&v, rows[i].exp, &value);
        if (ok != rows[i].ok || (ok && value != rows[i].value))
            fail_msg("%s at %d: %d, %lld", rows[i].text, rows[i].exp, ok, (long long)value);
    }
}

static void decimal_written_numbers_are_the_hosts_and_come_back(void **state)
{
    struct rng rng;
    (void)state;
    rng_seed(&rng, seed_of());
    for (int i = 0; i < 100000; i++) {
        int64_t value = (int64_t)(rng_next(&rng) >> rng_below(&rng, 64)), back = 0, mantissa;
        int32_t exp = (int32_t)rng_below(&rng, 19) - 12, own;
        char text[DECIMAL_TEXT_BYTES], want[NUM_TEXT_BYTES];
        value = value == INT64_MIN ? 0 : value;
        exp = exp > 6 ? 6 : exp;
        uint32_t n = decimal_write(value, exp, text);
        assert_int_equal(num_print(value, exp, want), n);
        assert_string_equal(text, want);
        struct json v = text_value(text, n);
        assert_true(decimal_read(&v, exp, &back));
        assert_int_equal(back, value);
        assert_true(decimal_read_free(&v, &mantissa, &own));
        assert_true(mantissa % 10 != 0 || own == 0 || mantissa == 0 || own > 0);
    }
}

static void decimal_random_texts_agree_with_the_hosts_reader(void **state)
{
    struct rng rng;
    (void)state;
    rng_seed(&rng, seed_of());
    uint32_t good = 0;
    for (int i = 0; i < 100000; i++) {
        static const char letters[] = "0123456789012345678900..-e";
        size_t n = rng_below(&rng, 24);
        char *text = malloc(n + 1); /* exactly its own size */
        for (size_t k = 0; k < n; k++)
            text[k] = letters[rng_below(&rng, sizeof letters - 1)];
        int32_t exp = -(int32_t)rng_below(&rng, 12);
        int64_t mine = 0, hosts = 0;
        struct json v = text_value(text, n);
        bool ok = decimal_read(&v, exp, &mine);
        assert_int_equal(ok, is_ok(num_parse(text, n, exp, false, &hosts)));
        if (ok)
            assert_int_equal(mine, hosts);
        good += ok;
        free(text);
    }
    assert_true(good > 5000);
}

/* ---- JSON ---- */

static bool reads(const char *text, size_t n, struct json *out)
{
    return json_read((const uint8_t *)text, n, out);
}

static void json_rows_are_one_value_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"{}", true},
        {" [1, 2] ", true},
        {"\"a\\n\\u00e9\"", true},
        {"-0.5e+3", true},
        {"null", true},
        {"{\"a\":{}}", true},
        {"[[[[[[[[1]]]]]]]]", true},
        {"[[[[[[[[[1]]]]]]]]]", false},
        {"{\"a\":1,}", false},
        {"[1,]", false},
        {"{\"a\" 1}", false},
        {"{a:1}", false},
        {"\"a", false},
        {"\"\\x\"", false},
        {"\"\\u12\"", false},
        {"01", false},
        {"1.", false},
        {"{} {}", false},
        {"tru", false},
        {"", false},
        {"{\"a\":1", false},
        {"\"\t\"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json v;
        if (reads(rows[i].text, strlen(rows[i].text), &v) != rows[i].ok)
            fail_msg("%s", rows[i].text);
    }
}

static void json_members_are_found_and_copied(void **state)
{
    (void)state;
    static const char text[] =
        "{ \"a\" : \"one\", \"b\":[1,{\"c\":\"two\"}], \"d\":null,\"e\":\"\\n\","
        "\"a\":\"again\" }";
    struct json m, v, member;
    char copy[4];
    assert_true(reads(text, sizeof text - 1, &m));
    assert_true(json_find(&m, "a", &v));
    assert_true(json_is(&v, "one"));
    assert_true(json_copy(&v, copy, sizeof copy));
    assert_string_equal(copy, "one");
    assert_false(json_copy(&v, copy, 3));
    assert_true(json_find(&m, "b", &v));
    assert_true(json_next(&v, NULL, &member) && member.type == JSON_NUMBER);
    assert_true(json_next(&v, NULL, &member) && json_find(&member, "c", &member));
    assert_true(json_is(&member, "two"));
    assert_false(json_next(&v, NULL, &member));
    assert_true(json_find(&m, "d", &v) && json_copy(&v, copy, sizeof copy) && copy[0] == 0);
    assert_true(json_find(&m, "e", &v));
    assert_false(json_copy(&v, copy, sizeof copy));
    assert_false(json_find(&m, "f", &v));
    assert_int_equal(v.type, JSON_UNSET);
}

/* Walks all that can be reached. */
static uint32_t walk(const struct json *v)
{
    struct json rest = *v, key, member;
    uint32_t n = 1;
    while (json_next(&rest, &key, &member))
        n += walk(&member);
    return n;
}

static void json_damaged_texts_never_lead_out_of_it(void **state)
{
    static const char good[] = "{\"ch\":\"reports\",\"n\":7,\"fills\":[{\"a\":\"1.5\",\"b\":[true,"
                               "null]},{\"c\":-1.5e3}],\"t\":\"\\u0041\"}";
    struct rng rng;
    (void)state;
    rng_seed(&rng, seed_of());
    uint32_t read_count = 0;
    for (int i = 0; i < 50000; i++) {
        size_t n = rng_below(&rng, 3) ? sizeof good - 1 : rng_below(&rng, sizeof good);
        char *text = malloc(n + 1);
        struct json v;
        memcpy(text, good, n);
        text = realloc(text, n > 0 ? n : 1);
        for (uint64_t k = rng_below(&rng, 4); k > 0 && n > 0; k--)
            text[rng_below(&rng, n)] = (char)"{}[]\",:\\0a \x01\xff"[rng_below(&rng, 14)];
        if (reads(text, n, &v)) {
            read_count++;
            assert_true(walk(&v) > 0);
        }
        free(text);
    }
    assert_true(read_count > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_rows_are_read_exactly_or_not_at_all),
        cmocka_unit_test(decimal_written_numbers_are_the_hosts_and_come_back),
        cmocka_unit_test(decimal_random_texts_agree_with_the_hosts_reader),
        cmocka_unit_test(json_rows_are_one_value_or_none),
        cmocka_unit_test(json_members_are_found_and_copied),
        cmocka_unit_test(json_damaged_texts_never_lead_out_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
