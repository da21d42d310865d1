/* SPDX-License-Identifier: Apache-2.0
 *
 * ema 1.0.0: exponential moving average of closes. Glue between the ABI and ema_math: bars move
 * it, all other events repeat the value. It works in price units and is scaled last.
 */
#include "tenon/easy.h"
#include "ema_math.h"

enum { PERIOD };

static bool is_valid(const struct tn_easy *e, const struct ema *s)
{
    return ema_is_valid(s, e->param[PERIOD].i);
}

static int32_t setup(const struct tn_easy *e, struct ema *s)
{
    ema_init(s, e->param[PERIOD].i);
    return TN_OK;
}

static void update(const struct tn_easy *e, struct ema *s, const struct tn_event *ev)
{
    (void)e;
    if (ev->type == TN_EVENT_BAR)
        ema_push(s, (double)ev->u.bar.close);
}

static void show(struct tn_easy *e, const struct ema *s)
{
    e->value[0] = ema_value(s) * e->instrument.price_scale;
    e->ready = ema_is_ready(s) ? 1u : 0u;
}

/* An average never forgets its seed; after five periods its weight is below 1 in 20000. */
static int64_t warmup(const struct tn_easy *e)
{
    return 5 * e->param[PERIOD].i;
}

TN_INDICATOR(struct ema, is_valid, setup, update, show, warmup, .id = "ema", .version = "1.0.0",
             .vendor = "tenon", .text = "Exponential moving average of closes.", .budget_ns = 1000,
             TN_PARAMS(TN_PARAM_INT("period", 20, 1, EMA_PERIOD_MAX, 1, "bars",
                                    "The smoothing is 2 / (period + 1).")),
             TN_OUTPUTS(TN_PORT("value", "price", "The average; ready after `period` bars.")));
