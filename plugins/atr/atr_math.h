/* SPDX-License-Identifier: Apache-2.0
 *
 * Average true range with Wilder's smoothing, TA-Lib's convention: the true range of bar n is the
 * greatest of high - low, |high - close(n-1)|, |low - close(n-1)| and begins with bar 2; the seed
 * is the plain average of the first `period` true ranges (so the first value comes with bar
 * period + 1), then atr = (atr * (period - 1) + tr) / period. O(1) per bar.
 */
#ifndef ATR_MATH_H
#define ATR_MATH_H
#include <stdbool.h>
#include <stdint.h>

enum { ATR_PERIOD_MAX = 10000 };

struct atr {
    int64_t period;
    int64_t count; /* bars seen, stays at period + 1 once ready */
    double close;  /* of the bar before */
    double value;  /* the sum of true ranges until ready, then the average; never negative */
};

void atr_init(struct atr *s, int64_t period);
void atr_push(struct atr *s, double high, double low, double close);
bool atr_is_ready(const struct atr *s);
double atr_value(const struct atr *s); /* 0 until ready */
/* True when the members agree with each other and with the period: for loaded bytes. */
bool atr_is_valid(const struct atr *s, int64_t period);
#endif
