/* SPDX-License-Identifier: Apache-2.0
 *
 * Exponential moving average, TA-Lib's convention: the seed is the plain average of the first
 * `period` values, then value += k * (x - value) with k = 2 / (period + 1). O(1) per value. No
 * plugin types here.
 */
#ifndef EMA_MATH_H
#define EMA_MATH_H
#include <stdbool.h>
#include <stdint.h>

enum { EMA_PERIOD_MAX = 10000 };

struct ema {
    int64_t period;
    int64_t count; /* values seen, stays at period once ready */
    double k;
    double value; /* the sum of the values until ready, then the average */
};

void ema_init(struct ema *s, int64_t period);
void ema_push(struct ema *s, double x);
bool ema_is_ready(const struct ema *s);
double ema_value(const struct ema *s); /* 0 until ready */
/* True when the members agree with each other and with the period: for loaded bytes. */
bool ema_is_valid(const struct ema *s, int64_t period);
#endif
