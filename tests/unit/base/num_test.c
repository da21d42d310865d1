/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: decimals are exact, rounding does what its name says, and what does not fit is a result.
 * Method: tables of edges, and seeded properties against plain 128-bit arithmetic written here in
 * another way than num.c (digit by digit, rounding by definition instead of by correction).
 */
#include "tests/unit/base/dies.h"
#include "base/clock.h"
#include "base/num.h"

enum { ROUNDS = 60000 };
static struct rng rng;

static void seed(uint64_t value)
{
    rng_seed(&rng, value);
    print_message("seed %llu\n", (unsigned long long)value);
}

static int32_t parse(const char *text, int exp, bool allow_exp, int64_t *out)
{
    return num_parse(text, strlen(text), exp, allow_exp, out).code;
}

struct parse_row {
    const char *text;
    int exp;
    bool allow_exp;
    int32_t code;
    int64_t value;
};

static void num_parse_table_of_edges_is_met(void **state)
{
    (void)state;
    static const struct parse_row row[] = {
        {"0", 0, false, RESULT_OK, 0},
        {"-0", 0, false, RESULT_OK, 0},
        {"-0.000", -2, false, RESULT_OK, 0},
        {"007", 0, false, RESULT_OK, 7},
        {"1.5", -3, false, RESULT_OK, 1500},
        {"1.500", -1, false, RESULT_OK, 15},
        {"1.501", -1, false, RESULT_DIGITS, 0},
        {"1200", 2, false, RESULT_OK, 12},
        {"1250", 2, false, RESULT_DIGITS, 0},
        {"9223372036854775807", 0, false, RESULT_OK, INT64_MAX},
        {"9223372036854775808", 0, false, RESULT_OVERFLOWS, 0},
        {"-9223372036854775808", 0, false, RESULT_OK, INT64_MIN},
        {"-9223372036854775809", 0, false, RESULT_OVERFLOWS, 0},
        {"18446744073709551617", 0, false, RESULT_OVERFLOWS, 0},
        {"99999999999999999999", 0, false, RESULT_OVERFLOWS, 0},
        {"9223372036854775807000", 3, false, RESULT_OK, INT64_MAX},
        {"9223372.036854775807", -12, false, RESULT_OK, INT64_MAX},
        {"9223372.036854775808", -12, false, RESULT_OVERFLOWS, 0},
        {"0.000000000001", -12, false, RESULT_OK, 1},
        {"0.0000000000001", -12, false, RESULT_DIGITS, 0},
        {"1000000000000", 12, false, RESULT_OK, 1},
        {"0000000000000000000000000000000000000042", 0, false, RESULT_OK, 42},
        {"00000000000000000000000000000000000000042", 0, false, RESULT_SYNTAX, 0},
        {"1.0000000000000000000000000000000000001", 0, false, RESULT_DIGITS, 0},
        {"1e3", 0, true, RESULT_OK, 1000},
        {"1E3", 0, true, RESULT_OK, 1000},
        {"1e-3", -3, true, RESULT_OK, 1},
        {"-1.25e2", 0, true, RESULT_OK, -125},
        {"0e999", 0, true, RESULT_OK, 0},
        {"0e-999", 0, true, RESULT_OK, 0},
        {"1e999", 0, true, RESULT_OVERFLOWS, 0},
        {"1e-999", 0, true, RESULT_DIGITS, 0},
        {"1e18", 0, true, RESULT_OK, 1000000000000000000},
        {"1e19", 0, true, RESULT_OVERFLOWS, 0},
        {"1e1000", 0, true, RESULT_SYNTAX, 0},
        {"1e0001", 0, true, RESULT_SYNTAX, 0},
        {"1e", 0, true, RESULT_SYNTAX, 0},
        {"1e-", 0, true, RESULT_SYNTAX, 0},
        {"1e+3", 0, true, RESULT_SYNTAX, 0},
        {"1e3.0", 0, true, RESULT_SYNTAX, 0},
        {"1e3", 0, false, RESULT_SYNTAX, 0},
        {"e3", 0, true, RESULT_SYNTAX, 0},
        {"", 0, true, RESULT_SYNTAX, 0},
        {"-", 0, true, RESULT_SYNTAX, 0},
        {"--1", 0, true, RESULT_SYNTAX, 0},
        {"+1", 0, true, RESULT_SYNTAX, 0},
        {".5", -1, true, RESULT_SYNTAX, 0},
        {"5.", -1, true, RESULT_SYNTAX, 0},
        {"1.2.3", -3, true, RESULT_SYNTAX, 0},
        {"1,5", -3, true, RESULT_SYNTAX, 0},
        {" 1", 0, true, RESULT_SYNTAX, 0},
        {"1 ", 0, true, RESULT_SYNTAX, 0},
        {"1\n", 0, true, RESULT_SYNTAX, 0},
        {"0x10", 0, true, RESULT_SYNTAX, 0},
        {"nan", 0, true, RESULT_SYNTAX, 0},
        {"inf", 0, true, RESULT_SYNTAX, 0},
        {"\xd9\xa1", 0, true, RESULT_SYNTAX, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int64_t got = -77;
        int32_t code = parse(row[i].text, row[i].exp, row[i].allow_exp, &got);
        if (code != row[i].code || (code == RESULT_OK && got != row[i].value))
            fail_msg("\"%s\" at %d: code %d value %lld", row[i].text, row[i].exp, (int)code,
                     (long long)got);
    }
}

static void num_parse_reads_count_bytes_and_no_more(void **state)
{
    (void)state;
    int64_t got = 0;
    assert_int_equal(num_parse("12345", 3, 0, false, &got).code, RESULT_OK);
    assert_int_equal(got, 123);
    assert_int_equal(num_parse("1\0002", 3, 0, false, &got).code, RESULT_SYNTAX);
    assert_int_equal(num_parse(NULL, 0, 0, false, &got).code, RESULT_SYNTAX);
    assert_int_equal(num_parse("1e3", 2, 0, true, &got).code, RESULT_SYNTAX);
    assert_int_equal(num_parse("-5", 1, 0, true, &got).code, RESULT_SYNTAX);
}

/* Every digit text of up to 30 digits: the value in 128 bits, then moved to the exponent. */
static int32_t expect(const char *digits, int fraction, int power, bool negative, int exp,
                      int64_t *out)
{
    num_i128 value = 0;
    for (; *digits != '\0'; digits++)
        value = value * 10 + (*digits - '0');
    *out = 0;
    if (value == 0)
        return RESULT_OK;
    int shift = power - fraction - exp;
    for (; shift < 0; shift++) {
        if (value % 10 != 0)
            return RESULT_DIGITS;
        value /= 10;
    }
    num_i128 limit = (num_i128)INT64_MAX + negative;
    for (; shift > 0 && value <= limit; shift--)
        value *= 10;
    if (value > limit)
        return RESULT_OVERFLOWS;
    *out = (int64_t)(negative ? -value : value);
    return RESULT_OK;
}

static void num_parse_random_texts_match_the_reference(void **state)
{
    (void)state;
    seed(11);
    int seen[1000] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        char digits[32] = "", text[64];
        int whole = 1 + (int)rng_below(&rng, 18);
        int fraction = (int)rng_below(&rng, 13);
        /* zeros are made frequent, since they decide between digits and overflow */
        for (int i = 0; i < whole + fraction; i++)
            digits[i] = (char)('0' + (rng_below(&rng, 2) ? rng_below(&rng, 10) : 0));
        bool negative = rng_below(&rng, 2), with_power = rng_below(&rng, 2);
        int power = with_power ? (int)rng_below(&rng, 41) - 20 : 0;
        int exp = (int)rng_below(&rng, 25) - 12;
        int at = sprintf(text, "%s%.*s", negative ? "-" : "", whole, digits);
        if (fraction > 0)
            at += sprintf(text + at, ".%s", digits + whole);
        if (with_power)
            at += sprintf(text + at, "e%d", power);
        if (at > 40)
            continue;
        int64_t want, got = 0;
        int32_t code = expect(digits, fraction, power, negative, exp, &want);
        int32_t is = parse(text, exp, true, &got);
        if (is != code || (code == RESULT_OK && got != want))
            fail_msg("%s at %d: %d %lld, want %d %lld", text, exp, (int)is, (long long)got,
                     (int)code, (long long)want);
        seen[code]++;
    }
    /* the generator reaches every answer, or the property proves little */
    assert_true(seen[RESULT_OK] > 1000 && seen[RESULT_DIGITS] > 1000);
    assert_true(seen[RESULT_OVERFLOWS] > 1000);
}

static int64_t any_int64(void)
{
    uint64_t bits = rng_next(&rng) >> rng_below(&rng, 64);
    return (int64_t)(rng_below(&rng, 2) ? bits : 0 - bits);
}

static void num_print_then_parse_gives_the_same(void **state)
{
    (void)state;
    seed(12);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t value = any_int64(), back = 0;
        int exp = (int)rng_below(&rng, 25) - 12;
        char text[NUM_TEXT_BYTES];
        size_t length = num_print(value, exp, text);
        assert_int_equal(length, strlen(text));
        assert_int_equal(parse(text, exp, false, &back), RESULT_OK);
        assert_true(back == value);
        if (strchr(text, '.') != NULL)
            assert_int_not_equal(text[length - 1], '0');
    }
}

static void num_print_table_of_edges_is_met(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        int exp;
        const char *text;
    } row[] = {
        {0, 0, "0"},
        {0, 12, "0"},
        {0, -12, "0"},
        {1500, -3, "1.5"},
        {-1500, -3, "-1.5"},
        {5, -3, "0.005"},
        {-5, -1, "-0.5"},
        {1000, -3, "1"},
        {100, 0, "100"},
        {12, 2, "1200"},
        {INT64_MAX, 0, "9223372036854775807"},
        {INT64_MIN, 0, "-9223372036854775808"},
        {INT64_MIN, -12, "-9223372.036854775808"},
        {INT64_MIN, 12, "-9223372036854775808000000000000"},
        {1, -12, "0.000000000001"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char text[NUM_TEXT_BYTES];
        assert_int_equal(num_print(row[i].value, row[i].exp, text), strlen(row[i].text));
        assert_string_equal(text, row[i].text);
    }
}

static void num_pow10_is_ten_times_the_one_before(void **state)
{
    (void)state;
    assert_int_equal(num_pow10(0), 1);
    for (int n = 1; n <= 18; n++)
        assert_true(num_pow10(n) == num_pow10(n - 1) * 10);
}

static bool fits(num_i128 v)
{
    return v >= INT64_MIN && v <= INT64_MAX;
}

static void check64(struct result r, int64_t got, num_i128 want)
{
    assert_int_equal(r.code, fits(want) ? RESULT_OK : RESULT_OVERFLOWS);
    if (fits(want))
        assert_true(got == want);
}

static void num_add_sub_mul_match_wide_arithmetic(void **state)
{
    (void)state;
    seed(13);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t a = any_int64(), b = any_int64(), got = 0;
        struct result r = num_add(a, b, &got);
        check64(r, got, (num_i128)a + b);
        r = num_sub(a, b, &got);
        check64(r, got, (num_i128)a - b);
        r = num_mul(a, b, &got);
        check64(r, got, (num_i128)a * b);
        num_i128 wide = 0;
        assert_true(is_ok(num_mul128(a, b, &wide)));
        assert_true(wide == (num_i128)a * b);
        r = num_narrow(wide, &got);
        check64(r, got, (num_i128)a * b);
    }
}

#define I128_MAX ((num_i128)(((unsigned __int128)1 << 127) - 1))
#define I128_MIN (-I128_MAX - 1)

static void num_128_edges_overflow_as_a_result(void **state)
{
    (void)state;
    num_i128 wide = 0;
    int64_t narrow = 0;
    assert_int_equal(num_add128(I128_MAX, 1, &wide).code, RESULT_OVERFLOWS);
    assert_int_equal(num_add128(I128_MIN, -1, &wide).code, RESULT_OVERFLOWS);
    assert_true(is_ok(num_add128(I128_MAX, I128_MIN, &wide)));
    assert_true(wide == -1);
    assert_int_equal(num_mul128(I128_MIN, -1, &wide).code, RESULT_OVERFLOWS);
    assert_int_equal(num_mul128(I128_MAX / 2 + 1, 2, &wide).code, RESULT_OVERFLOWS);
    assert_true(is_ok(num_mul128(I128_MAX / 2, 2, &wide)));
    assert_true(is_ok(num_narrow(INT64_MIN, &narrow)));
    assert_true(narrow == INT64_MIN);
    assert_int_equal(num_narrow((num_i128)INT64_MAX + 1, &narrow).code, RESULT_OVERFLOWS);
    assert_int_equal(num_narrow((num_i128)INT64_MIN - 1, &narrow).code, RESULT_OVERFLOWS);
}

static const enum num_round rounds[] = {NUM_TOWARD_ZERO, NUM_FLOOR, NUM_CEIL, NUM_HALF_EVEN,
                                        NUM_AWAY};

static int sign(num_i128 v)
{
    return (v > 0) - (v < 0);
}

static num_i128 size(num_i128 v)
{
    return v < 0 ? -v : v;
}

/* Is q the quotient that the mode's definition asks for? |w|, |d| < 2^100. */
static bool is_rounded(num_i128 w, num_i128 d, enum num_round round, num_i128 q)
{
    if (d < 0) {
        w = -w;
        d = -d;
    }
    num_i128 over = w - q * d; /* what the exact value has more than q, in parts of d */
    if (over == 0)
        return true;
    if (size(over) >= d)
        return false;
    switch (round) {
    case NUM_FLOOR:
        return over > 0;
    case NUM_CEIL:
        return over < 0;
    case NUM_TOWARD_ZERO:
        return sign(over) == sign(w);
    case NUM_AWAY:
        return sign(over) == -sign(w);
    case NUM_HALF_EVEN:
        return 2 * size(over) < d || (2 * size(over) == d && q % 2 == 0);
    default:
        return false;
    }
}

static num_i128 any_wide(void)
{
    num_i128 v = (num_i128)(((unsigned __int128)rng_next(&rng) << 64 | rng_next(&rng)) >> 28);
    v >>= rng_below(&rng, 100);
    return rng_below(&rng, 2) ? v : -v;
}

static void num_quotient_meets_the_definition_of_each_mode(void **state)
{
    (void)state;
    seed(14);
    int ties = 0;
    for (int round = 0; round < ROUNDS; round++) {
        num_i128 d = any_wide();
        num_i128 w = any_wide();
        if (d == 0)
            continue;
        if (rng_below(&rng, 4) == 0) /* exact halves are rare: made often */
            w = (size(d) >> 60) == 0 ? d * (int64_t)(2 * rng_below(&rng, 1000) + 1) / 2 : w;
        ties += w % d != 0 && size(w % d) * 2 == size(d);
        for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
            num_i128 q = num_quotient(w, d, rounds[i]);
            assert_true(is_rounded(w, d, rounds[i], q));
            int64_t narrow = 0;
            struct result r = num_div128(w, d, rounds[i], &narrow);
            check64(r, narrow, q);
        }
    }
    assert_true(ties > 1000);
}

static void num_quotient_small_values_match_a_table(void **state)
{
    (void)state;
    /* columns: toward zero, floor, ceil, half-even, away */
    static const struct {
        int w, d;
        int q[5];
    } row[] = {
        {7, 2, {3, 3, 4, 4, 4}},       {-7, 2, {-3, -4, -3, -4, -4}}, {5, 2, {2, 2, 3, 2, 3}},
        {-5, 2, {-2, -3, -2, -2, -3}}, {5, -2, {-2, -3, -2, -2, -3}}, {-5, -2, {2, 2, 3, 2, 3}},
        {1, 3, {0, 0, 1, 0, 1}},       {-1, 3, {0, -1, 0, 0, -1}},    {2, 3, {0, 0, 1, 1, 1}},
        {6, 3, {2, 2, 2, 2, 2}},       {0, 5, {0, 0, 0, 0, 0}},       {1, 2, {0, 0, 1, 0, 1}},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        for (size_t j = 0; j < 5; j++)
            assert_true(num_quotient(row[i].w, row[i].d, rounds[j]) == row[i].q[j]);
}

static void num_quotient_extremes_do_not_wrap(void **state)
{
    (void)state;
    int64_t out = 0;
    assert_true(num_quotient(I128_MIN, 1, NUM_FLOOR) == I128_MIN);
    assert_true(num_quotient(I128_MAX, -1, NUM_FLOOR) == -I128_MAX);
    assert_true(num_quotient(I128_MIN + 1, -1, NUM_FLOOR) == I128_MAX);
    assert_true(num_quotient(I128_MAX, I128_MIN, NUM_HALF_EVEN) == -1);
    assert_true(num_quotient(I128_MIN, I128_MAX, NUM_HALF_EVEN) == -1);
    assert_true(num_quotient(I128_MIN, I128_MAX, NUM_AWAY) == -2);
    assert_true(num_quotient(I128_MIN / 2, I128_MIN, NUM_HALF_EVEN) == 0);
    assert_int_equal(num_div128(I128_MIN, -1, NUM_FLOOR, &out).code, RESULT_OVERFLOWS);
    assert_int_equal(num_div128(INT64_MIN, -1, NUM_FLOOR, &out).code, RESULT_OVERFLOWS);
    assert_true(is_ok(num_div128(-(num_i128)INT64_MAX, -1, NUM_FLOOR, &out)));
    assert_true(out == INT64_MAX);
}

static void num_muldiv_goes_through_128_bits(void **state)
{
    (void)state;
    seed(15);
    int64_t out = 0;
    assert_true(is_ok(num_muldiv(INT64_MAX, INT64_MAX, INT64_MAX, NUM_FLOOR, &out)));
    assert_true(out == INT64_MAX);
    assert_true(is_ok(num_muldiv(INT64_MIN, INT64_MIN, INT64_MIN, NUM_FLOOR, &out)));
    assert_true(out == INT64_MIN);
    assert_int_equal(num_muldiv(INT64_MIN, 1, -1, NUM_FLOOR, &out).code, RESULT_OVERFLOWS);
    assert_int_equal(num_muldiv(INT64_MAX, 2, 1, NUM_FLOOR, &out).code, RESULT_OVERFLOWS);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t a = any_int64(), b = any_int64() >> 28, c = any_int64();
        if (c == 0)
            continue;
        enum num_round mode = rounds[rng_below(&rng, 5)];
        struct result r = num_muldiv(a, b, c, mode, &out);
        if (is_ok(r))
            assert_true(is_rounded((num_i128)a * b, c, mode, out));
        else
            assert_false(fits(num_quotient((num_i128)a * b, c, mode)));
    }
}

static void num_rescale_moves_both_ways(void **state)
{
    (void)state;
    seed(16);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t value = any_int64(), out = 0;
        int from = (int)rng_below(&rng, 31) - 15, to = (int)rng_below(&rng, 31) - 15;
        enum num_round mode = rounds[rng_below(&rng, 5)];
        struct result r = num_rescale(value, from, to, mode, &out);
        num_i128 factor = 1;
        for (int i = from > to ? from - to : to - from; i > 0; i--)
            factor *= 10;
        if (to > from) {
            assert_true(is_ok(r)); /* it only shrinks */
            assert_true(is_rounded(value, factor, mode, out));
        } else if (is_ok(r)) {
            assert_true(out % factor == 0 && out / factor == value);
        } else {
            assert_int_equal(r.code, RESULT_OVERFLOWS);
            assert_true(size(value) > INT64_MAX / factor);
        }
    }
}

static void num_rescale_far_apart_decides_by_sign(void **state)
{
    (void)state;
    const int64_t want_plus[] = {0, 0, 1, 0, 1}, want_minus[] = {0, -1, 0, 0, -1};
    int64_t out = 7;
    for (size_t i = 0; i < 5; i++) {
        assert_true(is_ok(num_rescale(I128_MAX, -36, 12, rounds[i], &out)));
        assert_int_equal(out, want_plus[i]);
        assert_true(is_ok(num_rescale(I128_MIN, -36, 12, rounds[i], &out)));
        assert_int_equal(out, want_minus[i]);
        assert_true(is_ok(num_rescale(0, -36, 12, rounds[i], &out)));
        assert_int_equal(out, 0);
        assert_true(is_ok(num_rescale(0, 36, -12, rounds[i], &out)));
        assert_int_equal(out, 0);
    }
    assert_int_equal(num_rescale(1, 36, -12, NUM_FLOOR, &out).code, RESULT_OVERFLOWS);
    assert_int_equal(num_rescale(-1, 12, -12, NUM_FLOOR, &out).code, RESULT_OVERFLOWS);
    assert_int_equal(num_rescale(I128_MIN, 1, 0, NUM_FLOOR, &out).code, RESULT_OVERFLOWS);
    /* 38 places: the widest power that 128 bits hold; half of it is a tie to even */
    num_i128 half = 5;
    for (int i = 0; i < 37; i++)
        half *= 10;
    assert_true(is_ok(num_rescale(half, -38, 0, NUM_HALF_EVEN, &out)));
    assert_int_equal(out, 0);
    assert_true(is_ok(num_rescale(half + 1, -38, 0, NUM_HALF_EVEN, &out)));
    assert_int_equal(out, 1);
}

static void num_to_step_lands_on_the_grid(void **state)
{
    (void)state;
    seed(17);
    int64_t out = 0;
    assert_int_equal(num_to_step(INT64_MIN, 3, NUM_FLOOR, &out).code, RESULT_OVERFLOWS);
    assert_int_equal(num_to_step(INT64_MAX, 4, NUM_CEIL, &out).code, RESULT_OVERFLOWS);
    assert_true(is_ok(num_to_step(INT64_MIN, 3, NUM_CEIL, &out)));
    for (int round = 0; round < ROUNDS; round++) {
        int64_t v = any_int64() / 4;
        int64_t step = 1 + (int64_t)(rng_next(&rng) >> (3 + rng_below(&rng, 60)));
        for (size_t i = 0; i < 5; i++) {
            assert_true(is_ok(num_to_step(v, step, rounds[i], &out)));
            assert_int_equal(out % step, 0);
            assert_true(is_rounded(v, step, rounds[i], out / step));
        }
    }
}

static void num_abs_gives_the_size(void **state)
{
    (void)state;
    assert_int_equal(num_abs(-5), 5);
    assert_int_equal(num_abs(5), 5);
    assert_true(num_abs(INT64_MIN + 1) == INT64_MAX);
}

static int64_t sink;
static void divide_by_zero(void *arg)
{
    (void)arg;
    dies_unseen(num_muldiv(1, 1, 0, NUM_FLOOR, &sink));
}
static void quotient_by_zero(void *arg)
{
    (void)arg;
    (void)num_quotient(1, 0, NUM_FLOOR);
}
static void round_unset(void *arg)
{
    (void)arg;
    (void)num_quotient(6, 3, NUM_ROUND_UNSET);
}
static void quotient_beyond_128_bits(void *arg)
{
    (void)arg;
    (void)num_quotient(I128_MIN, -1, NUM_FLOOR);
}
static void parse_at_exponent_13(void *arg)
{
    (void)arg;
    dies_unseen(num_parse("1", 1, 13, false, &sink));
}
static void print_at_exponent_minus_13(void *arg)
{
    (void)arg;
    char text[NUM_TEXT_BYTES];
    num_print(1, -13, text);
}
static void step_zero(void *arg)
{
    (void)arg;
    dies_unseen(num_to_step(1, 0, NUM_FLOOR, &sink));
}
static void pow_19(void *arg)
{
    (void)arg;
    sink = num_pow10(19);
}

static void num_misuse_stops_the_process(void **state)
{
    (void)state;
    assert_dies(divide_by_zero, NULL, "c != 0");
    assert_dies(quotient_by_zero, NULL, "divisor != 0");
    assert_dies(round_unset, NULL, "round >= NUM_TOWARD_ZERO");
    assert_dies(quotient_beyond_128_bits, NULL, "divisor != -1");
    assert_dies(parse_at_exponent_13, NULL, "exp <= NUM_EXP_MAX");
    assert_dies(print_at_exponent_minus_13, NULL, "exp >= NUM_EXP_MIN");
    assert_dies(step_zero, NULL, "step > 0");
    assert_dies(pow_19, NULL, "n <= 18");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(num_parse_table_of_edges_is_met),
        cmocka_unit_test(num_parse_reads_count_bytes_and_no_more),
        cmocka_unit_test(num_parse_random_texts_match_the_reference),
        cmocka_unit_test(num_print_then_parse_gives_the_same),
        cmocka_unit_test(num_print_table_of_edges_is_met),
        cmocka_unit_test(num_pow10_is_ten_times_the_one_before),
        cmocka_unit_test(num_add_sub_mul_match_wide_arithmetic),
        cmocka_unit_test(num_128_edges_overflow_as_a_result),
        cmocka_unit_test(num_quotient_meets_the_definition_of_each_mode),
        cmocka_unit_test(num_quotient_small_values_match_a_table),
        cmocka_unit_test(num_quotient_extremes_do_not_wrap),
        cmocka_unit_test(num_muldiv_goes_through_128_bits),
        cmocka_unit_test(num_rescale_moves_both_ways),
        cmocka_unit_test(num_rescale_far_apart_decides_by_sign),
        cmocka_unit_test(num_to_step_lands_on_the_grid),
        cmocka_unit_test(num_abs_gives_the_size),
        cmocka_unit_test(num_misuse_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
