/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon/indicator.h: kind `indicator`, interface indicator/1, since ABI 1.0.
 *
 * An indicator turns a stream of events into named numbers (features), each with a ready flag. It
 * is a pure function of its stream: batch = streaming, bit for bit. No NaN or infinity leaves it;
 * "not ready" is said by the flag.
 */
#ifndef TENON_INDICATOR_H
#define TENON_INDICATOR_H
#include "tenon/abi.h"

struct tn_indicator_ops {
    struct tn_instance_ops base; /* base.size = sizeof(struct tn_indicator_ops) */
    /* [hot] `count` events, stride ev->size, one instrument, times not falling. For event i writes
     * value[i * output_count + k] and bit k of ready[i] for each output k. For events it does not
     * use it repeats its current values. Borrowed until return. Time O(count). */
    int32_t (*on_events)(void *inst, const struct tn_event *ev, uint32_t count, double *value,
                         uint32_t *ready);
};

/* A price or quantity of an event as a double, for maths inside the plugin. */
static inline double tn_price(const struct tn_instrument *in, int64_t units)
{
    return (double)units * in->price_scale;
}
#endif
