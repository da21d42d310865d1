/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact numbers: decimals as scaled integers.
 *
 * A decimal is mantissa x 10^exp with exp in [-12, 12]; the exponent is known from context
 * (instrument, currency), only the mantissa travels. Overflow is a result, never a wrap. Products
 * go through 128 bits. Rounding is always named: toward zero, floor, ceil, half-even, or away
 * from zero. No floating point and no locale here. Any thread, no allocation.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H
#include "base/result.h"

typedef __int128 num_i128;

enum num_round {
    NUM_ROUND_UNSET = 0,
    NUM_TOWARD_ZERO,
    NUM_FLOOR,
    NUM_CEIL,
    NUM_HALF_EVEN,
    NUM_AWAY,
};

enum { NUM_EXP_MIN = -12, NUM_EXP_MAX = 12, NUM_TEXT_BYTES = 48 };

/* Reads a plain decimal: [-]digits[.digits], or with an exponent part (e/E, at most 3 digits) when
 * allow_exp. No sign '+', no spaces, no hex, at most 40 characters. The value must be exactly
 * representable at `exp` (RESULT_DIGITS if not), within int64 (RESULT_OVERFLOWS), and
 * well-formed (RESULT_SYNTAX). "-0" gives 0. */
MUST_USE struct result num_parse(const char *text, size_t count, int exp, bool allow_exp,
                                 int64_t *out);

/* Prints mantissa at exp without exponent form, trailing zeros of the fraction removed
 * (e.g. 1500,-3 -> "1.5"). Gives the length. out has NUM_TEXT_BYTES. */
size_t num_print(int64_t mantissa, int exp, char out[NUM_TEXT_BYTES]);

/* 10^n for n in [0, 18]. */
int64_t num_pow10(int n);

MUST_USE struct result num_add(int64_t a, int64_t b, int64_t *out);
MUST_USE struct result num_sub(int64_t a, int64_t b, int64_t *out);
MUST_USE struct result num_mul(int64_t a, int64_t b, int64_t *out);

/* a*b/c with a 128-bit product, rounded as said. c != 0 (must). */
MUST_USE struct result num_muldiv(int64_t a, int64_t b, int64_t c, enum num_round round,
                                  int64_t *out);

/* wide / divisor rounded as said; divisor != 0 (must). */
MUST_USE struct result num_div128(num_i128 wide, num_i128 divisor, enum num_round round,
                                  int64_t *out);
/* The same with a 128-bit quotient; cannot overflow except INT128_MIN / -1 (must). */
num_i128 num_quotient(num_i128 wide, num_i128 divisor, enum num_round round);

MUST_USE struct result num_mul128(num_i128 a, int64_t b, num_i128 *out);
MUST_USE struct result num_add128(num_i128 a, num_i128 b, num_i128 *out);
MUST_USE struct result num_narrow(num_i128 wide, int64_t *out);

/* Moves a mantissa from one exponent to another: value * 10^(from-to), rounded as said. The
 * exponents may be sums of several (a product of price, quantity, multiplier), within +-1000. */
MUST_USE struct result num_rescale(num_i128 mantissa, int from_exp, int to_exp,
                                   enum num_round round, int64_t *out);

/* Largest multiple of step (> 0) <= v (FLOOR), >= v (CEIL) or toward zero. */
MUST_USE struct result num_to_step(int64_t v, int64_t step, enum num_round round, int64_t *out);

static inline int64_t num_abs(int64_t v) /* v > INT64_MIN */
{
    return v < 0 ? -v : v;
}
#endif
