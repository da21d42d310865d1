/* SPDX-License-Identifier: Apache-2.0
 *
 * On a market that stands still both averages shrink by the same factor each bar and their ratio
 * stays as it was, until they reach the denormals, where the ratio is noise and the arithmetic
 * slow. Both are set to zero together long before: below a billionth of a price unit per bar
 * nothing has moved, and the answer is 0.
 */
#include "rsi_math.h"

#define RSI_STILL 1e-9
#define RSI_VALUE_MAX 1e24 /* period * the greatest difference of two int64, with room */

void rsi_init(struct rsi *s, int64_t period)
{
    *s = (struct rsi){.period = period};
}

static void add_difference(struct rsi *s, double up, double down)
{
    const double n = (double)s->period;
    if (s->count > s->period) {
        s->gain = (s->gain * (n - 1.0) + up) / n;
        s->loss = (s->loss * (n - 1.0) + down) / n;
        if (s->gain + s->loss < RSI_STILL)
            s->gain = s->loss = 0.0;
        return;
    }
    s->gain += up;
    s->loss += down;
    if (++s->count > s->period) {
        s->gain /= n;
        s->loss /= n;
    }
}

void rsi_push(struct rsi *s, double x)
{
    const double difference = x - s->last;
    s->last = x;
    if (s->count == 0)
        s->count = 1;
    else
        add_difference(s, difference > 0 ? difference : 0.0, difference < 0 ? -difference : 0.0);
}

bool rsi_is_ready(const struct rsi *s)
{
    return s->count > s->period;
}

double rsi_value(const struct rsi *s)
{
    const double moved = s->gain + s->loss;
    return rsi_is_ready(s) && moved > 0.0 ? 100.0 * (s->gain / moved) : 0.0;
}

bool rsi_is_valid(const struct rsi *s, int64_t period)
{
    if (period < 1 || period > RSI_PERIOD_MAX || s->period != period)
        return false;
    if (s->count < 0 || s->count > period + 1)
        return false;
    if (s->count == 0 && s->last != 0.0)
        return false;
    if (s->count < 2 && (s->gain != 0.0 || s->loss != 0.0))
        return false;
    if (!(s->last >= -RSI_VALUE_MAX && s->last <= RSI_VALUE_MAX)) /* also NaN */
        return false;
    return s->gain >= 0.0 && s->gain <= RSI_VALUE_MAX && s->loss >= 0.0 && s->loss <= RSI_VALUE_MAX;
}
