/* SPDX-License-Identifier: Apache-2.0
 *
 * sma 1.0.0: simple moving average of closes. Glue between the ABI and sma_math: bars move it, all
 * other events repeat the value. The average is made in price units, exactly, and scaled last.
 */
#include "tenon/easy.h"
#include "sma_math.h"

enum { PERIOD };

static bool is_valid(const struct tn_easy *e, const struct sma *s)
{
    return sma_is_valid(s, e->param[PERIOD].i);
}

static int32_t setup(const struct tn_easy *e, struct sma *s)
{
    sma_init(s, e->param[PERIOD].i);
    return TN_OK;
}

static void update(const struct tn_easy *e, struct sma *s, const struct tn_event *ev)
{
    (void)e;
    if (ev->type == TN_EVENT_BAR)
        sma_push(s, ev->u.bar.close);
}

static void show(struct tn_easy *e, const struct sma *s)
{
    e->value[0] = sma_value(s) * e->instrument.price_scale;
    e->ready = sma_is_ready(s) ? 1u : 0u;
}

static int64_t warmup(const struct tn_easy *e)
{
    return e->param[PERIOD].i;
}

TN_INDICATOR(struct sma, is_valid, setup, update, show, warmup, .id = "sma", .version = "1.0.0",
             .vendor = "tenon", .text = "Simple moving average of closes.", .budget_ns = 1000,
             TN_PARAMS(TN_PARAM_INT("period", 20, 1, SMA_PERIOD_MAX, 1, "bars",
                                    "Closes in the average.")),
             TN_OUTPUTS(TN_PORT("value", "price", "The average; ready after `period` bars.")));
