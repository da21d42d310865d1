/* SPDX-License-Identifier: Apache-2.0
 *
 * ema_cross 1.0.0: long when the fast average crosses above the slow one, short when below.
 */
#define TN_WARMUP 1 /* the first bar with its averages tells the side */
#include "tenon/easy.h"

enum { TARGET, STOP, LIMIT, TTL, GAIN }; /* params, in the order of the table below */
enum { FAST, SLOW };                     /* inputs */

struct cross {
    int64_t side; /* 1: fast above slow, -1: below, 0: not known yet */
};

static bool is_valid(const struct tn_easy *e, const struct cross *c)
{
    return e != NULL && c->side >= -1 && c->side <= 1;
}

static void on_event(struct tn_easy *e, struct cross *c, const struct tn_now *now)
{
    if (now->event->type != TN_EVENT_BAR || !tn_all_ready(now) || now->in[SLOW] <= 0)
        return;
    const double distance = now->in[FAST] - now->in[SLOW];
    const int64_t before = c->side, close = now->event->u.bar.close;
    c->side = distance > 0 ? 1 : distance < 0 ? -1 : before;
    if (before == 0 || c->side == before)
        return;
    struct tn_signal *s = tn_signal_begin(e, now, c->side > 0 ? TN_LONG : TN_SHORT);
    tn_reason_add(e, s, FAST, now->in[FAST], e->param[GAIN].f * (now->in[FAST] / now->in[SLOW]));
    tn_reason_add(e, s, SLOW, now->in[SLOW], -e->param[GAIN].f);
    tn_advise_target(s, e->param[TARGET].i);
    tn_advise_stop(s, tn_ppm_of(close, e->param[STOP].i));
    tn_advise_limit(s, tn_ppm_of(close, e->param[LIMIT].i));
    tn_advise_ttl(s, e->param[TTL].i > 0 ? tn_bars_ns(e, e->param[TTL].i) : 0);
    tn_signal_finish(s);
}

TN_STRATEGY(struct cross, is_valid, on_event, .id = "ema_cross", .version = "1.0.0",
            .vendor = "tenon", .text = "Long on a cross up, short on a cross down.",
            .budget_ns = 1000, .signals_max = 1,
            TN_PARAMS(TN_PARAM_INT("target_ppm", 500000, 0, 1000000, 1, "ppm", "Budget used."),
                      TN_PARAM_INT("stop_ppm", 0, 0, 500000, 1, "ppm", "Stop; 0 = none."),
                      TN_PARAM_INT("limit_ppm", 0, 0, 500000, 1, "ppm", "Limit; 0 = market."),
                      TN_PARAM_INT("ttl_bars", 0, 0, 10000, 1, "bars", "Life; 0 = till next."),
                      TN_PARAM_REAL("gain", 50, 0.1, 100, 0, "", "Score = gain x distance.")),
            TN_INPUTS(TN_PORT("fast", "price", "The quicker average."),
                      TN_PORT("slow", "price", "The slower average.")));
