/* SPDX-License-Identifier: Apache-2.0
 *
 * atr 1.0.0: average true range. Glue between the ABI and atr_math: bars move it, all other events
 * repeat the value. It works in price units and is scaled last.
 */
#include "tenon/easy.h"
#include "atr_math.h"

enum { PERIOD };

static bool is_valid(const struct tn_easy *e, const struct atr *s)
{
    return atr_is_valid(s, e->param[PERIOD].i);
}

static int32_t setup(const struct tn_easy *e, struct atr *s)
{
    atr_init(s, e->param[PERIOD].i);
    return TN_OK;
}

static void update(const struct tn_easy *e, struct atr *s, const struct tn_event *ev)
{
    (void)e;
    const struct tn_bar *bar = &ev->u.bar;
    if (ev->type == TN_EVENT_BAR)
        atr_push(s, (double)bar->high, (double)bar->low, (double)bar->close);
}

static void show(struct tn_easy *e, const struct atr *s)
{
    e->value[0] = atr_value(s) * e->instrument.price_scale;
    e->ready = atr_is_ready(s) ? 1u : 0u;
}

/* After ten periods the seed's weight is below 1 in 20000. */
static int64_t warmup(const struct tn_easy *e)
{
    return 10 * e->param[PERIOD].i + 1;
}

TN_INDICATOR(struct atr, is_valid, setup, update, show, warmup, .id = "atr", .version = "1.0.0",
             .vendor = "tenon", .text = "Average true range, Wilder's smoothing.",
             .budget_ns = 1000,
             TN_PARAMS(TN_PARAM_INT("period", 14, 1, ATR_PERIOD_MAX, 1, "bars",
                                    "True ranges in the average.")),
             TN_OUTPUTS(TN_PORT("value", "price", "The average; ready after `period` + 1 bars.")));
