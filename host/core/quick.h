/* SPDX-License-Identifier: Apache-2.0
 *
 * The short road of exact arithmetic: when a value fits 64 bits, one machine division does what
 * base/num.h does with 128; when it does not, num.h does it. The answers are the same, always: this
 * is num.h's rounding again, for a positive divisor, inlined so that the mode is known.
 */
#ifndef CORE_QUICK_H
#define CORE_QUICK_H
#include "base/num.h"

static inline int64_t quick_round(int64_t n, int64_t divisor, enum num_round round)
{
    int64_t q = n / divisor, rest = n % divisor;
    if (rest == 0)
        return q;
    int64_t away = n < 0 ? -1 : 1;
    int64_t size = n < 0 ? -rest : rest;
    switch (round) {
    case NUM_FLOOR:
        return n < 0 ? q - 1 : q;
    case NUM_CEIL:
        return n < 0 ? q : q + 1;
    case NUM_AWAY:
        return q + away;
    case NUM_HALF_EVEN:
        return size > divisor - size || (size == divisor - size && (q & 1)) ? q + away : q;
    default:
        return q;
    }
}

/* num_div128 for a divisor of 64 bits. */
static inline struct result quick_div(num_i128 wide, int64_t divisor, enum num_round round,
                                      int64_t *out)
{
    if (__builtin_expect(wide == (int64_t)wide && divisor > 0, 1)) {
        *out = quick_round((int64_t)wide, divisor, round);
        return OK_RESULT;
    }
    return num_div128(wide, divisor, round, out);
}

/* num_muldiv */
static inline struct result quick_muldiv(int64_t a, int64_t b, int64_t c, enum num_round round,
                                         int64_t *out)
{
    return quick_div((num_i128)a * b, c, round, out);
}

/* num_add and num_sub */
static inline struct result quick_add(int64_t a, int64_t b, int64_t *out)
{
    return __builtin_add_overflow(a, b, out) ? RESULT_OF(OVERFLOWS) : OK_RESULT;
}
static inline struct result quick_sub(int64_t a, int64_t b, int64_t *out)
{
    return __builtin_sub_overflow(a, b, out) ? RESULT_OF(OVERFLOWS) : OK_RESULT;
}

/* num_to_step */
static inline struct result quick_to_step(int64_t v, int64_t step, enum num_round round,
                                          int64_t *out)
{
    if (step == 1) {
        *out = v;
        return OK_RESULT;
    }
    if (__builtin_expect(step <= 0, 0))
        return num_to_step(v, step, round, out);
    int64_t steps = quick_round(v, step, round);
    return __builtin_mul_overflow(steps, step, out) ? RESULT_OF(OVERFLOWS) : OK_RESULT;
}
#endif
