/* SPDX-License-Identifier: Apache-2.0
 *
 * A bar whose high lies below its low is not a bar; the host refuses such rows, and here the true
 * range is still never negative, because the distances from the last close take over. An average
 * far below one price unit is nothing, so it is set to zero before it reaches the denormals.
 */
#include "atr_math.h"

#define ATR_STILL 1e-9
#define ATR_VALUE_MAX 1e24 /* period * the greatest difference of two int64, with room */

void atr_init(struct atr *s, int64_t period)
{
    *s = (struct atr){.period = period};
}

static double distance(double a, double b)
{
    return a > b ? a - b : b - a;
}

static double true_range(double high, double low, double before)
{
    double range = distance(high, low);
    const double up = distance(high, before), down = distance(low, before);
    range = up > range ? up : range;
    return down > range ? down : range;
}

void atr_push(struct atr *s, double high, double low, double close)
{
    const double n = (double)s->period;
    const double range = true_range(high, low, s->close);
    s->close = close;
    if (s->count == 0) {
        s->count = 1;
    } else if (s->count <= s->period) {
        s->value += range;
        if (++s->count > s->period)
            s->value /= n;
    } else {
        s->value = (s->value * (n - 1.0) + range) / n;
        if (s->value < ATR_STILL)
            s->value = 0.0;
    }
}

bool atr_is_ready(const struct atr *s)
{
    return s->count > s->period;
}

double atr_value(const struct atr *s)
{
    return atr_is_ready(s) ? s->value : 0.0;
}

bool atr_is_valid(const struct atr *s, int64_t period)
{
    if (period < 1 || period > ATR_PERIOD_MAX || s->period != period)
        return false;
    if (s->count < 0 || s->count > period + 1)
        return false;
    if ((s->count == 0 && s->close != 0.0) || (s->count < 2 && s->value != 0.0))
        return false;
    if (!(s->close >= -ATR_VALUE_MAX && s->close <= ATR_VALUE_MAX)) /* also NaN */
        return false;
    return s->value >= 0.0 && s->value <= ATR_VALUE_MAX;
}
