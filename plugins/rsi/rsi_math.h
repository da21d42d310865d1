/* SPDX-License-Identifier: Apache-2.0
 *
 * Relative strength index with Wilder's smoothing, TA-Lib's convention: the averages of gains and
 * losses are seeded with the plain averages of the first `period` differences (so the first value
 * comes with value period + 1), then avg = (avg * (period - 1) + x) / period, and
 * RSI = 100 * gain / (gain + loss). When nothing has moved, 0, as TA-Lib gives. O(1) per value.
 */
#ifndef RSI_MATH_H
#define RSI_MATH_H
#include <stdbool.h>
#include <stdint.h>

enum { RSI_PERIOD_MAX = 10000 };

struct rsi {
    int64_t period;
    int64_t count; /* values seen, stays at period + 1 once ready */
    double last;   /* the value before */
    double gain;   /* sums until ready, then averages; never negative */
    double loss;
};

void rsi_init(struct rsi *s, int64_t period);
void rsi_push(struct rsi *s, double x);
bool rsi_is_ready(const struct rsi *s);
double rsi_value(const struct rsi *s); /* 0..100; 0 until ready */
/* True when the members agree with each other and with the period: for loaded bytes. */
bool rsi_is_valid(const struct rsi *s, int64_t period);
#endif
