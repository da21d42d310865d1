/* SPDX-License-Identifier: Apache-2.0
 *
 * Digits are gathered into a 64-bit sum with the zeros at the end held back, so that "1.500000"
 * fits wherever 1.5 does and length alone never overflows.
 */
#include "decimal.h"
#include <string.h>

struct digits {
    uint64_t sum;
    int32_t exp;
    bool is_negative;
};

/* sum * 10^count + digit. */
static bool append(uint64_t *sum, int32_t zeros, uint64_t digit)
{
    for (int32_t i = 0; i <= zeros; i++) {
        if (__builtin_mul_overflow(*sum, 10u, sum))
            return false;
    }
    return !__builtin_add_overflow(*sum, digit, sum);
}

static bool gather(const struct json *v, struct digits *d)
{
    const char *p = v->at, *end = v->at + v->bytes;
    int32_t zeros = 0, digits = 0;
    bool dot = false;
    *d = (struct digits){.sum = 0};
    if ((v->type != JSON_STRING && v->type != JSON_NUMBER) || v->bytes > DECIMAL_TEXT_BYTES)
        return false;
    if (p < end && *p == '-') {
        d->is_negative = true;
        p++;
    }
    for (; p < end; p++) {
        if (*p == '.' && !dot && digits > 0 && p + 1 < end) {
            dot = true;
            continue;
        }
        if (*p < '0' || *p > '9')
            return false;
        digits++;
        d->exp -= dot ? 1 : 0;
        if (*p == '0') {
            zeros++;
        } else {
            if (!append(&d->sum, d->sum == 0 ? 0 : zeros, (uint64_t)(*p - '0')))
                return false;
            zeros = 0;
        }
    }
    d->exp = d->sum == 0 ? 0 : d->exp + zeros;
    return digits > 0;
}

static bool to_signed(const struct digits *d, uint64_t sum, int64_t *out)
{
    if (sum > (uint64_t)INT64_MAX)
        return false;
    *out = d->is_negative ? -(int64_t)sum : (int64_t)sum;
    return true;
}

bool decimal_read(const struct json *value, int32_t exp, int64_t *out)
{
    struct digits d;
    *out = 0;
    if (!gather(value, &d))
        return false;
    if (d.sum == 0)
        return true;
    if (d.exp < exp)
        return false; /* the last digit is not a zero: it does not fit */
    for (int32_t i = exp; i < d.exp; i++) {
        if (__builtin_mul_overflow(d.sum, 10u, &d.sum))
            return false;
    }
    return to_signed(&d, d.sum, out);
}

bool decimal_read_free(const struct json *value, int64_t *mantissa, int32_t *exp)
{
    struct digits d;
    *mantissa = 0;
    *exp = 0;
    if (!gather(value, &d) || d.exp < -18 || d.exp > 18)
        return false;
    *exp = d.exp;
    return to_signed(&d, d.sum, mantissa);
}

uint32_t decimal_write(int64_t mantissa, int32_t exp, char out[DECIMAL_TEXT_BYTES])
{
    char digit[40];
    uint32_t n = 0, at = 0;
    uint64_t v = mantissa < 0 ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
    if (exp < -18 || exp > 18) {
        out[0] = 0;
        return 0;
    }
    for (; v > 0; v /= 10)
        digit[n++] = (char)('0' + v % 10); /* last digit first */
    if (n == 0)
        exp = 0;
    for (; exp < 0 && n > 1 && digit[0] == '0'; exp++)
        memmove(digit, digit + 1, --n);
    if (mantissa < 0)
        out[at++] = '-';
    int32_t whole = (int32_t)n + (exp < 0 ? exp : 0); /* digits before the dot */
    if (whole <= 0)
        out[at++] = '0';
    for (int32_t i = 0; i < whole; i++)
        out[at++] = digit[n - 1 - (uint32_t)i];
    for (int32_t i = 0; i < exp && n > 0; i++)
        out[at++] = '0';
    if (exp < 0) {
        out[at++] = '.';
        for (int32_t i = whole < 0 ? whole : 0; i < 0; i++)
            out[at++] = '0';
        for (int32_t i = whole < 0 ? 0 : whole; i < (int32_t)n; i++)
            out[at++] = digit[n - 1 - (uint32_t)i];
    }
    out[at] = 0;
    return at;
}
