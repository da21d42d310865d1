/* SPDX-License-Identifier: Apache-2.0
 *
 * The fast road adds up digits without a check, since 18 of them fit 64 bits; longer texts (zeros
 * at the end, mostly) take the slow road, which holds zeros back until a digit follows them. strtod
 * would be neither exact nor free of the locale.
 */
#include "decimal.h"

enum { TEXT_MAX = 40, DIGITS_FAST = 18, DIGITS_MAX = 19 };
static const int64_t stamp_max = 4000000000000000000;
static const uint64_t power[19] = {
    1ull,
    10ull,
    100ull,
    1000ull,
    10000ull,
    100000ull,
    1000000ull,
    10000000ull,
    100000000ull,
    1000000000ull,
    10000000000ull,
    100000000000ull,
    1000000000000ull,
    10000000000000ull,
    100000000000000ull,
    1000000000000000ull,
    10000000000000000ull,
    100000000000000000ull,
    1000000000000000000ull,
};

static inline bool is_digit(const uint8_t *p, const uint8_t *end)
{
    return p < end && (uint8_t)(*p - '0') < 10;
}

/* Significant digits of p..end (a dot is passed over) without the zeros at their end; `dropped`
 * says how many those were. False when more than 19 are left. */
static bool add_up_slowly(const uint8_t *p, const uint8_t *end, uint64_t *sum, int *dropped)
{
    int count = 0, zeros = 0;
    uint64_t s = 0;
    for (; p < end; p++) {
        if (*p == '.')
            continue;
        if (*p == '0') {
            zeros += s != 0;
            continue;
        }
        count += zeros + 1;
        if (count > DIGITS_MAX)
            return false;
        s = s * power[zeros + 1] + (uint64_t)(*p - '0');
        zeros = 0;
    }
    *sum = s;
    *dropped = zeros;
    return true;
}

/* The exponent part, if there is one: e[+-]digits, at most three of them. */
static bool read_exponent(const uint8_t **text, const uint8_t *end, int *out)
{
    const uint8_t *p = *text;
    *out = 0;
    if (p == end || (*p != 'e' && *p != 'E'))
        return true;
    p++;
    bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const uint8_t *from = p;
    int n = 0;
    for (; is_digit(p, end) && p - from < 4; p++)
        n = n * 10 + (*p - '0');
    if (p == from || p - from > 3)
        return false;
    *out = minus ? -n : n;
    *text = p;
    return true;
}

/* sum * 10^shift as an exact integer. */
static uint32_t to_units(uint64_t sum, int shift, bool minus, int64_t *out)
{
    if (sum != 0 && shift < 0) {
        if (shift < -18 || sum % power[-shift] != 0)
            return TN_ROW_DIGITS;
        sum /= power[-shift];
    } else if (sum != 0 && shift > 0) {
        if (shift > 18 || __builtin_mul_overflow(sum, power[shift], &sum))
            return DECIMAL_RANGE;
    }
    if (sum > (uint64_t)INT64_MAX)
        return DECIMAL_RANGE;
    *out = minus ? -(int64_t)sum : (int64_t)sum;
    return 0;
}

uint32_t decimal_read(const uint8_t **text, const uint8_t *end, int32_t exp, int64_t *out)
{
    const uint8_t *p = *text;
    if (p == end || *p == ',')
        return TN_ROW_FIELDS;
    bool minus = *p == '-';
    p += minus;
    const uint8_t *first = p;
    uint64_t sum = 0;
    for (; is_digit(p, end); p++)
        sum = sum * 10 + (uint64_t)(*p - '0');
    int digits = (int)(p - first), fraction = 0;
    if (digits == 0)
        return TN_ROW_NUMBER;
    if (p < end && *p == '.') {
        const uint8_t *from = ++p;
        for (; is_digit(p, end); p++)
            sum = sum * 10 + (uint64_t)(*p - '0');
        fraction = (int)(p - from);
        if (fraction == 0)
            return TN_ROW_NUMBER;
    }
    const uint8_t *last = p;
    int power_of_ten;
    if (!read_exponent(&p, end, &power_of_ten) || (p < end && *p != ',') || p - *text > TEXT_MAX)
        return TN_ROW_NUMBER;
    if (digits + fraction > DIGITS_FAST) {
        int dropped;
        if (!add_up_slowly(first, last, &sum, &dropped))
            return fraction > 0 ? TN_ROW_DIGITS : DECIMAL_RANGE;
        power_of_ten += dropped;
    }
    uint32_t why = to_units(sum, power_of_ten - fraction - exp, minus, out);
    if (why == 0)
        *text = p;
    return why;
}

uint32_t decimal_stamp(const uint8_t **text, const uint8_t *end, int64_t *out)
{
    const uint8_t *p = *text;
    uint64_t n = 0;
    for (; is_digit(p, end) && p - *text < 20; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    if (p == *text || p - *text > 19 || (p < end && *p != ',') || n == 0 || n > (uint64_t)stamp_max)
        return TN_ROW_TIME;
    *out = (int64_t)n;
    *text = p;
    return 0;
}
