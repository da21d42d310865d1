/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of the last `period` values and their sum. A running sum of doubles would drift and a
 * re-sum of the window would cost O(period); prices are integers, so the running sum can be exact
 * instead. 128 bits hold 1024 values of any size.
 */
#include "sma_math.h"
#include <string.h>

void sma_init(struct sma *s, int64_t period)
{
    memset(s, 0, sizeof *s);
    s->period = period;
}

void sma_push(struct sma *s, int64_t value)
{
    s->sum += (__int128)value - s->window[s->head];
    s->window[s->head] = value;
    s->head = s->head + 1 == s->period ? 0 : s->head + 1;
    if (s->count < s->period)
        s->count++;
}

bool sma_is_ready(const struct sma *s)
{
    return s->count == s->period;
}

double sma_value(const struct sma *s)
{
    return sma_is_ready(s) ? (double)s->sum / (double)s->period : 0.0;
}

bool sma_is_valid(const struct sma *s, int64_t period)
{
    if (period < 1 || period > SMA_PERIOD_MAX || s->period != period || s->reserved != 0)
        return false;
    if (s->count < 0 || s->count > period || s->head < 0 || s->head >= period)
        return false;
    if (s->count < period && s->head != s->count)
        return false;
    __int128 sum = 0;
    for (int64_t i = 0; i < SMA_PERIOD_MAX; i++) {
        if (i >= s->count && s->window[i] != 0)
            return false;
        sum += s->window[i];
    }
    return sum == s->sum;
}
