/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: times print and read exactly over the whole int64 range, bad texts are refused, and the
 * generator gives its published stream.
 * Method: known instants, the C library's calendar in UTC as an independent reference, and seeded
 * round trips.
 */
#include "tests/unit/base/dies.h"
#include <time.h>
#include "base/clock.h"

static struct rng rng;

static void seed(uint64_t value)
{
    rng_seed(&rng, value);
    print_message("seed %llu\n", (unsigned long long)value);
}

static void clock_print_known_instants_match(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } row[] = {
        {0, "1970-01-01T00:00:00.000000000Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {1, "1970-01-01T00:00:00.000000001Z"},
        {1514862245678901234, "2018-01-02T03:04:05.678901234Z"},
        {951782400000000000, "2000-02-29T00:00:00.000000000Z"},
        {4107542400000000000, "2100-03-01T00:00:00.000000000Z"},
        {-2203891200000000000, "1900-03-01T00:00:00.000000000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char text[CLOCK_TEXT_BYTES];
        int64_t back = 0;
        clock_print(row[i].ns, text);
        assert_string_equal(text, row[i].text);
        assert_true(is_ok(clock_parse(text, strlen(text), &back)));
        assert_true(back == row[i].ns);
    }
}

static void clock_print_random_instants_match_the_c_library(void **state)
{
    (void)state;
    seed(61);
    for (int round = 0; round < 50000; round++) {
        int64_t ns = (int64_t)rng_next(&rng), back = 0;
        char text[CLOCK_TEXT_BYTES], want[CLOCK_TEXT_BYTES];
        time_t seconds = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        size_t at = strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S.", &tm);
        snprintf(want + at, sizeof want - at, "%09dZ", (int)(ns - (int64_t)seconds * 1000000000));
        clock_print(ns, text);
        assert_string_equal(text, want);
        assert_true(is_ok(clock_parse(text, strlen(text), &back)));
        assert_true(back == ns);
    }
}

static void clock_every_day_of_four_centuries_follows_the_one_before(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_BYTES];
    int64_t back = 0;
    for (int64_t day = -106751; day <= 106751; day++) {
        clock_print(day * 86400 * 1000000000, text);
        assert_true(is_ok(clock_parse(text, 10, &back)));
        assert_true(back == day * 86400 * 1000000000);
    }
}

struct parse_row {
    const char *text;
    int32_t code;
    int64_t ns;
};

static void check_rows(const struct parse_row *row, size_t count,
                       struct result (*parse)(const char *, size_t, int64_t *))
{
    for (size_t i = 0; i < count; i++) {
        int64_t got = -5;
        int32_t code = parse(row[i].text, strlen(row[i].text), &got).code;
        if (code != row[i].code || (code == RESULT_OK && got != row[i].ns))
            fail_msg("\"%s\": code %d, value %lld", row[i].text, (int)code, (long long)got);
    }
}

static void clock_parse_table_of_edges_is_met(void **state)
{
    (void)state;
    static const struct parse_row row[] = {
        {"2018-01-02", RESULT_OK, 1514851200000000000},
        {"2018-01-02T03:04:05Z", RESULT_OK, 1514862245000000000},
        {"2018-01-02T03:04:05.6Z", RESULT_OK, 1514862245600000000},
        {"2018-01-02T03:04:05.678901234Z", RESULT_OK, 1514862245678901234},
        {"2016-02-29", RESULT_OK, 1456704000000000000},
        {"2000-02-29", RESULT_OK, 951782400000000000},
        {"2018-02-29", RESULT_RANGE, 0},
        {"1900-02-29", RESULT_RANGE, 0},
        {"2018-04-31", RESULT_RANGE, 0},
        {"2018-00-01", RESULT_RANGE, 0},
        {"2018-13-01", RESULT_RANGE, 0},
        {"2018-01-00", RESULT_RANGE, 0},
        {"2018-01-32", RESULT_RANGE, 0},
        {"2018-01-02T24:00:00Z", RESULT_RANGE, 0},
        {"2018-01-02T23:60:00Z", RESULT_RANGE, 0},
        {"2016-12-31T23:59:60Z", RESULT_RANGE, 0},
        {"1677-09-21T00:12:43.145224192Z", RESULT_OK, INT64_MIN},
        {"1677-09-21T00:12:43.145224191Z", RESULT_OVERFLOWS, 0},
        {"2262-04-11T23:47:16.854775808Z", RESULT_OVERFLOWS, 0},
        {"0001-01-01", RESULT_OVERFLOWS, 0},
        {"0000-02-29", RESULT_OVERFLOWS, 0},
        {"9999-12-31T23:59:59Z", RESULT_OVERFLOWS, 0},
        {"", RESULT_SYNTAX, 0},
        {"2018", RESULT_SYNTAX, 0},
        {"2018-01", RESULT_SYNTAX, 0},
        {"2018-1-2", RESULT_SYNTAX, 0},
        {"2018/01/02", RESULT_SYNTAX, 0},
        {"-018-01-02", RESULT_SYNTAX, 0},
        {" 2018-01-02", RESULT_SYNTAX, 0},
        {"2018-01-02 ", RESULT_SYNTAX, 0},
        {"2018-01-02T", RESULT_SYNTAX, 0},
        {"2018-01-02T03", RESULT_SYNTAX, 0},
        {"2018-01-02T03:04Z", RESULT_SYNTAX, 0},
        {"2018-01-02T03:04:05", RESULT_SYNTAX, 0},
        {"2018-01-02 03:04:05Z", RESULT_SYNTAX, 0},
        {"2018-01-02T03:04:05+00:00", RESULT_SYNTAX, 0},
        {"2018-01-02T03:04:05.Z", RESULT_SYNTAX, 0},
        {"2018-01-02T03:04:05.1234567890Z", RESULT_SYNTAX, 0},
        {"2018-01-02T03:04:05.12", RESULT_SYNTAX, 0},
        {"2018-01-02T03:04:05Z ", RESULT_SYNTAX, 0},
        {"2018-01-02T03:04:05ZZ", RESULT_SYNTAX, 0},
        {"2018-01-02t03:04:05z", RESULT_SYNTAX, 0},
    };
    check_rows(row, sizeof row / sizeof row[0], clock_parse);
    int64_t ns = 0;
    assert_int_equal(clock_parse(NULL, 0, &ns).code, RESULT_SYNTAX);
    assert_int_equal(clock_parse("2018-01-02T03:04:05Z", 10, &ns).code, RESULT_OK);
}

static void clock_parse_duration_table_of_edges_is_met(void **state)
{
    (void)state;
    static const struct parse_row row[] = {
        {"7ns", RESULT_OK, 7},
        {"5us", RESULT_OK, 5000},
        {"250ms", RESULT_OK, 250000000},
        {"90s", RESULT_OK, 90000000000},
        {"10m", RESULT_OK, 600000000000},
        {"2h", RESULT_OK, 7200000000000},
        {"1d", RESULT_OK, 86400000000000},
        {"0s", RESULT_OK, 0},
        {"9223372036854775807ns", RESULT_OK, INT64_MAX},
        {"9223372036854775808ns", RESULT_OVERFLOWS, 0},
        {"106751d", RESULT_OK, 9223286400000000000},
        {"106752d", RESULT_OVERFLOWS, 0},
        {"", RESULT_SYNTAX, 0},
        {"s", RESULT_SYNTAX, 0},
        {"90", RESULT_SYNTAX, 0},
        {"-1s", RESULT_SYNTAX, 0},
        {"+1s", RESULT_SYNTAX, 0},
        {"1.5s", RESULT_SYNTAX, 0},
        {"1 s", RESULT_SYNTAX, 0},
        {"1S", RESULT_SYNTAX, 0},
        {"1sec", RESULT_SYNTAX, 0},
        {"1w", RESULT_SYNTAX, 0},
        {"1m30s", RESULT_SYNTAX, 0},
        {" 1s", RESULT_SYNTAX, 0},
    };
    check_rows(row, sizeof row / sizeof row[0], clock_parse_duration);
    int64_t ns = 0;
    assert_int_equal(clock_parse_duration(NULL, 0, &ns).code, RESULT_SYNTAX);
}

static void clock_system_moves_forward_and_knows_the_century(void **state)
{
    (void)state;
    int64_t last = clock_mono(&clock_system);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono(&clock_system);
        assert_true(now >= last);
        last = now;
    }
    char text[CLOCK_TEXT_BYTES];
    clock_print(clock_wall(&clock_system), text);
    assert_memory_equal(text, "20", 2);
}

static int64_t hands_wall(void *arg)
{
    return *(int64_t *)arg;
}
static int64_t hands_mono(void *arg)
{
    return *(int64_t *)arg + 1;
}

static void clock_of_a_test_stands_behind_the_same_door(void **state)
{
    (void)state;
    int64_t hands = 5;
    struct clock c = {.wall_ns = hands_wall, .mono_ns = hands_mono, .arg = &hands};
    assert_int_equal(clock_wall(&c), 5);
    hands = 9;
    assert_int_equal(clock_mono(&c), 10);
}

static void rng_gives_the_published_streams(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 0);
    const uint64_t split[] = {0xe220a8397b1dcdafull, 0x6e789e6aa1b965f4ull, 0x06c45d188009454full,
                              0xf88bb8a8724c81ecull};
    assert_memory_equal(r.s, split, sizeof split);
    r = (struct rng){.s = {1, 2, 3, 4}};
    const uint64_t want[] = {11520,
                             0,
                             1509978240,
                             1215971899390074240u,
                             1216172134540287360u,
                             607988272756665600u,
                             16172922978634559625u,
                             8476171486693032832u,
                             10595114339597558777u,
                             2904607092377533576u};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_true(rng_next(&r) == want[i]);
}

static void rng_below_is_fair_where_a_plain_remainder_is_not(void **state)
{
    (void)state;
    seed(62);
    const uint64_t third = UINT64_C(1) << 62;
    int count[3] = {0};
    for (int i = 0; i < 30000; i++)
        count[rng_below(&rng, 3 * third) / third]++;
    /* a plain remainder would give the first third half of all */
    for (int i = 0; i < 3; i++)
        assert_in_range(count[i], 9500, 10500);
    for (uint64_t bound = 1; bound < 100; bound++)
        assert_true(rng_below(&rng, bound) < bound);
    for (int i = 0; i < 100; i++)
        assert_true(rng_below(&rng, UINT64_MAX) < UINT64_MAX);
}

static void rng_entropy_fills_all_and_differs(void **state)
{
    (void)state;
    uint8_t a[600] = {0}, b[600] = {0};
    assert_true(is_ok(rng_entropy(a, sizeof a - 1)));
    assert_true(is_ok(rng_entropy(b, sizeof b - 1)));
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + 560, b + 560, 39);
    assert_int_equal(a[599], 0);
    assert_true(is_ok(rng_entropy(NULL, 0)));
}

static void rng_entropy_refused_is_a_result(void **state)
{
    (void)state;
    assert_int_equal(rng_entropy((void *)(uintptr_t)16, 8).code, RESULT_IO);
}

static void draw_below_zero(void *arg)
{
    rng_below(arg, 0);
}

static void rng_below_zero_stops_the_process(void **state)
{
    (void)state;
    seed(63);
    assert_dies(draw_below_zero, &rng, "bound > 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_print_known_instants_match),
        cmocka_unit_test(clock_print_random_instants_match_the_c_library),
        cmocka_unit_test(clock_every_day_of_four_centuries_follows_the_one_before),
        cmocka_unit_test(clock_parse_table_of_edges_is_met),
        cmocka_unit_test(clock_parse_duration_table_of_edges_is_met),
        cmocka_unit_test(clock_system_moves_forward_and_knows_the_century),
        cmocka_unit_test(clock_of_a_test_stands_behind_the_same_door),
        cmocka_unit_test(rng_gives_the_published_streams),
        cmocka_unit_test(rng_below_is_fair_where_a_plain_remainder_is_not),
        cmocka_unit_test(rng_entropy_fills_all_and_differs),
        cmocka_unit_test(rng_entropy_refused_is_a_result),
        cmocka_unit_test(rng_below_zero_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
