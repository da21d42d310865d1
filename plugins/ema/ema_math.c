/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of the operations is part of the result: batch and stream use this one function, and
 * the build forbids contraction into fused multiply-adds, so the bits are the same everywhere.
 */
#include "ema_math.h"

#define EMA_VALUE_MAX 1e24 /* period * the greatest int64, with room */

void ema_init(struct ema *s, int64_t period)
{
    *s = (struct ema){.period = period, .k = 2.0 / (double)(period + 1)};
}

void ema_push(struct ema *s, double x)
{
    if (s->count == s->period) {
        s->value += s->k * (x - s->value);
        return;
    }
    s->value += x;
    if (++s->count == s->period)
        s->value /= (double)s->period;
}

bool ema_is_ready(const struct ema *s)
{
    return s->count == s->period;
}

double ema_value(const struct ema *s)
{
    return ema_is_ready(s) ? s->value : 0.0;
}

bool ema_is_valid(const struct ema *s, int64_t period)
{
    if (period < 1 || period > EMA_PERIOD_MAX || s->period != period)
        return false;
    if (s->k != 2.0 / (double)(period + 1) || s->count < 0 || s->count > period)
        return false;
    if (s->count == 0 && s->value != 0.0)
        return false;
    return s->value >= -EMA_VALUE_MAX && s->value <= EMA_VALUE_MAX; /* false for NaN */
}
