/* SPDX-License-Identifier: Apache-2.0
 *
 * rsi 1.0.0: relative strength index of closes. Glue between the ABI and rsi_math: bars move it,
 * all other events repeat the value. A ratio: it works in price units and needs no scale.
 */
#include "tenon/easy.h"
#include "rsi_math.h"

enum { PERIOD };

static bool is_valid(const struct tn_easy *e, const struct rsi *s)
{
    return rsi_is_valid(s, e->param[PERIOD].i);
}

static int32_t setup(const struct tn_easy *e, struct rsi *s)
{
    rsi_init(s, e->param[PERIOD].i);
    return TN_OK;
}

static void update(const struct tn_easy *e, struct rsi *s, const struct tn_event *ev)
{
    (void)e;
    if (ev->type == TN_EVENT_BAR)
        rsi_push(s, (double)ev->u.bar.close);
}

static void show(struct tn_easy *e, const struct rsi *s)
{
    e->value[0] = rsi_value(s);
    e->ready = rsi_is_ready(s) ? 1u : 0u;
}

/* After ten periods the seed's weight is below 1 in 20000. */
static int64_t warmup(const struct tn_easy *e)
{
    return 10 * e->param[PERIOD].i + 1;
}

TN_INDICATOR(struct rsi, is_valid, setup, update, show, warmup, .id = "rsi", .version = "1.0.0",
             .vendor = "tenon", .text = "Relative strength index of closes, Wilder's smoothing.",
             .budget_ns = 1000,
             TN_PARAMS(TN_PARAM_INT("period", 14, 1, RSI_PERIOD_MAX, 1, "bars",
                                    "Differences in the averages of gains and losses.")),
             TN_OUTPUTS(TN_PORT("value", "percent",
                                "0 to 100, 0 when nothing moved; ready after `period` + 1 bars.")));
