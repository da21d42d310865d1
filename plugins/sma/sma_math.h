/* SPDX-License-Identifier: Apache-2.0
 *
 * Simple moving average over integers. The sum is kept as an exact integer, so that after any
 * number of bars it equals the sum of the window: nothing drifts, and a batch gives the same bits
 * as a stream. O(1) per value. No plugin types here.
 */
#ifndef SMA_MATH_H
#define SMA_MATH_H
#include <stdbool.h>
#include <stdint.h>

enum { SMA_PERIOD_MAX = 1024 };

struct sma {
    int64_t period;
    int64_t count; /* values in the window, at most period */
    int64_t head;  /* place of the next value; the oldest one once the window is full */
    int64_t reserved;
    __int128 sum;
    int64_t window[SMA_PERIOD_MAX]; /* places not used are 0 */
};

void sma_init(struct sma *s, int64_t period);
void sma_push(struct sma *s, int64_t value);
bool sma_is_ready(const struct sma *s);
double sma_value(const struct sma *s); /* 0 until ready */
/* True when the members agree with each other and with the period: for loaded bytes. */
bool sma_is_valid(const struct sma *s, int64_t period);
#endif
