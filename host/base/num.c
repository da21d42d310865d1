/* SPDX-License-Identifier: Apache-2.0
 *
 * Decimals as scaled integers.
 *
 * Reading is one pass without strtod or a buffer: significant digits gather in 64 bits, zeros wait
 * until a non-zero digit proves that they were not trailing. What is left is (magnitude, power of
 * ten) in lowest terms, and then the three answers are plain: a power below the wanted exponent
 * means more digits than it holds, a magnitude above 19 digits means overflow, anything else is
 * exact. "1.500" is therefore fine at one decimal and "1.501" is not.
 *
 * Rounding is decided in one place, num_quotient: C's division truncates, so the other modes are
 * a correction of at most one, decided by the remainder's sign and, for half-even, by comparing it
 * with what is missing to the divisor (doubling it could overflow 128 bits).
 */
#include "base/num.h"
#include "base/must.h"
#include <string.h>

typedef unsigned __int128 num_u128;

enum { TEXT_COUNT_MAX = 40, DIGITS_MAX = 19, WIDE_POW_MAX = 38, SUM_EXP_MAX = 1000 };

int64_t num_pow10(int n)
{
    static const int64_t power[] = {
        1,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
    };
    must(n >= 0 && n <= 18);
    return power[n];
}

struct decimal {
    uint64_t magnitude; /* without trailing zeros */
    int digits;         /* of the magnitude; above DIGITS_MAX it is no longer kept */
    int power;          /* value = magnitude * 10^power */
};

struct cursor {
    const char *at;
    const char *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes a run of digits into *d; *zeros counts those not yet proved significant. */
static int take_digits(struct cursor *c, struct decimal *d, int *zeros)
{
    int count = 0;
    for (; c->at < c->end && is_digit(*c->at); c->at++, count++) {
        int digit = *c->at - '0';
        if (digit == 0) {
            *zeros += d->digits > 0;
            continue;
        }
        d->digits += *zeros + 1;
        if (d->digits <= DIGITS_MAX)
            d->magnitude = d->magnitude * (uint64_t)num_pow10(d->digits == 1 ? 0 : *zeros + 1) +
                           (uint64_t)digit;
        *zeros = 0;
    }
    return count;
}

/* Takes "e5", "E-12": at most three digits. */
static bool take_power(struct cursor *c, int *power)
{
    bool negative = ++c->at < c->end && *c->at == '-';
    c->at += negative;
    int value = 0;
    const char *first = c->at;
    for (; c->at < c->end && is_digit(*c->at); c->at++) {
        if (c->at - first == 3)
            return false;
        value = value * 10 + (*c->at - '0');
    }
    *power += negative ? -value : value;
    return c->at > first;
}

static bool take_decimal(struct cursor *c, bool allow_exp, struct decimal *d)
{
    int zeros = 0;
    if (take_digits(c, d, &zeros) == 0)
        return false;
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        int fraction = take_digits(c, d, &zeros);
        if (fraction == 0)
            return false;
        d->power -= fraction;
    }
    d->power += zeros;
    if (allow_exp && c->at < c->end && (*c->at == 'e' || *c->at == 'E'))
        return take_power(c, &d->power) && c->at == c->end;
    return c->at == c->end;
}

struct result num_parse(const char *text, size_t count, int exp, bool allow_exp, int64_t *out)
{
    must(exp >= NUM_EXP_MIN && exp <= NUM_EXP_MAX);
    must(out != NULL && (text != NULL || count == 0));
    if (count == 0 || count > TEXT_COUNT_MAX)
        return RESULT_OF(SYNTAX);
    bool negative = text[0] == '-';
    struct cursor c = {.at = text + negative, .end = text + count};
    struct decimal d = {0};
    if (!take_decimal(&c, allow_exp, &d))
        return RESULT_OF(SYNTAX);
    *out = 0;
    if (d.digits == 0)
        return OK_RESULT;
    int shift = d.power - exp;
    if (shift < 0)
        return RESULT_OF(DIGITS);
    if (d.digits + shift > DIGITS_MAX)
        return RESULT_OF(OVERFLOWS);
    uint64_t value = d.magnitude * (uint64_t)num_pow10(shift);
    if (value > (uint64_t)INT64_MAX + negative)
        return RESULT_OF(OVERFLOWS);
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return OK_RESULT;
}

size_t num_print(int64_t mantissa, int exp, char out[NUM_TEXT_BYTES])
{
    must(exp >= NUM_EXP_MIN && exp <= NUM_EXP_MAX);
    uint64_t rest = mantissa < 0 ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
    while (exp < 0 && rest % 10 == 0) {
        rest /= 10;
        exp++;
    }
    char text[NUM_TEXT_BYTES]; /* filled from its end */
    size_t at = sizeof text;
    text[--at] = '\0';
    for (int i = 0; i < exp && rest != 0; i++)
        text[--at] = '0';
    for (int place = exp; rest != 0 || place <= 0; place++) {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
        if (place == -1)
            text[--at] = '.';
    }
    if (text[at] == '\0')
        text[--at] = '0';
    if (mantissa < 0)
        text[--at] = '-';
    memcpy(out, text + at, sizeof text - at);
    return sizeof text - at - 1;
}

struct result num_add(int64_t a, int64_t b, int64_t *out)
{
    return __builtin_add_overflow(a, b, out) ? RESULT_OF(OVERFLOWS) : OK_RESULT;
}

struct result num_sub(int64_t a, int64_t b, int64_t *out)
{
    return __builtin_sub_overflow(a, b, out) ? RESULT_OF(OVERFLOWS) : OK_RESULT;
}

struct result num_mul(int64_t a, int64_t b, int64_t *out)
{
    return __builtin_mul_overflow(a, b, out) ? RESULT_OF(OVERFLOWS) : OK_RESULT;
}

struct result num_mul128(num_i128 a, int64_t b, num_i128 *out)
{
    return __builtin_mul_overflow(a, b, out) ? RESULT_OF(OVERFLOWS) : OK_RESULT;
}

struct result num_add128(num_i128 a, num_i128 b, num_i128 *out)
{
    return __builtin_add_overflow(a, b, out) ? RESULT_OF(OVERFLOWS) : OK_RESULT;
}

struct result num_narrow(num_i128 wide, int64_t *out)
{
    if (wide < INT64_MIN || wide > INT64_MAX)
        return RESULT_OF(OVERFLOWS);
    *out = (int64_t)wide;
    return OK_RESULT;
}

static num_u128 magnitude(num_i128 v)
{
    return v < 0 ? 0 - (num_u128)v : (num_u128)v;
}

/* Must the truncated quotient's magnitude grow by one? Only asked when there is a remainder. */
static bool grows(enum num_round round, bool negative, bool odd, num_u128 rest, num_u128 divisor)
{
    switch (round) {
    case NUM_FLOOR:
        return negative;
    case NUM_CEIL:
        return !negative;
    case NUM_AWAY:
        return true;
    case NUM_HALF_EVEN:
        return rest > divisor - rest || (rest == divisor - rest && odd);
    case NUM_TOWARD_ZERO:
    default:
        return false;
    }
}

num_i128 num_quotient(num_i128 wide, num_i128 divisor, enum num_round round)
{
    must(divisor != 0);
    must(round >= NUM_TOWARD_ZERO && round <= NUM_AWAY);
    must(divisor != -1 || magnitude(wide) != (num_u128)1 << 127 || wide > 0);
    num_i128 quotient = wide / divisor;
    num_i128 rest = wide % divisor;
    if (rest == 0)
        return quotient;
    bool negative = (wide < 0) != (divisor < 0);
    if (grows(round, negative, quotient & 1, magnitude(rest), magnitude(divisor)))
        quotient += negative ? -1 : 1;
    return quotient;
}

struct result num_div128(num_i128 wide, num_i128 divisor, enum num_round round, int64_t *out)
{
    must(divisor != 0);
    /* The one quotient that does not even fit 128 bits. */
    if (divisor == -1 && wide < -(num_i128)INT64_MAX)
        return RESULT_OF(OVERFLOWS);
    return num_narrow(num_quotient(wide, divisor, round), out);
}

struct result num_muldiv(int64_t a, int64_t b, int64_t c, enum num_round round, int64_t *out)
{
    must(c != 0);
    return num_div128((num_i128)a * b, c, round, out);
}

static num_i128 wide_pow10(int n)
{
    must(n >= 0 && n <= WIDE_POW_MAX);
    num_i128 power = 1;
    for (; n > 18; n -= 18)
        power *= num_pow10(18);
    return power * num_pow10(n);
}

struct result num_rescale(num_i128 mantissa, int from_exp, int to_exp, enum num_round round,
                          int64_t *out)
{
    must(round >= NUM_TOWARD_ZERO && round <= NUM_AWAY);
    must(from_exp >= -SUM_EXP_MAX && from_exp <= SUM_EXP_MAX);
    must(to_exp >= -SUM_EXP_MAX && to_exp <= SUM_EXP_MAX);
    int shift = from_exp - to_exp;
    if (shift < -WIDE_POW_MAX) {
        /* Less than a fifth of one unit: only its sign matters to the rounding. */
        mantissa = (mantissa > 0) - (mantissa < 0);
        shift = -1;
    }
    if (shift < 0)
        return num_div128(mantissa, wide_pow10(-shift), round, out);
    if (mantissa != 0 && shift > WIDE_POW_MAX)
        return RESULT_OF(OVERFLOWS);
    num_i128 wide = 0;
    if (__builtin_mul_overflow(mantissa, wide_pow10(mantissa == 0 ? 0 : shift), &wide))
        return RESULT_OF(OVERFLOWS);
    return num_narrow(wide, out);
}

struct result num_to_step(int64_t v, int64_t step, enum num_round round, int64_t *out)
{
    must(step > 0);
    return num_narrow(num_quotient(v, step, round) * step, out);
}
