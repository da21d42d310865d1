/* SPDX-License-Identifier: Apache-2.0
 *
 * @ID@: long while the close is above its average, flat when it falls below.
 */
#define TN_WARMUP 50 /* bars of history that tell the side */
#include "tenon/easy.h"

enum { TARGET, STOP }; /* params, in the order of the table below */
enum { AVERAGE };      /* inputs, bound to an indicator's output by the deployment */

/* What the instance remembers: 8-byte members only; these bytes are saved and loaded. */
struct memory {
    int64_t side; /* 1: above, -1: below, 0: not known yet */
};

/* Loaded bytes may be anything: say whether they can be true. */
static bool is_valid(const struct tn_easy *e, const struct memory *m)
{
    (void)e;
    return m->side >= -1 && m->side <= 1;
}

static void on_event(struct tn_easy *e, struct memory *m, const struct tn_now *now)
{
    if (now->event->type != TN_EVENT_BAR || !tn_all_ready(now) || now->in[AVERAGE] <= 0)
        return;
    const int64_t close = now->event->u.bar.close, before = m->side;
    const double price = tn_price(&e->instrument, close);
    m->side = price > now->in[AVERAGE] ? 1 : price < now->in[AVERAGE] ? -1 : before;
    if (m->side == before || (before == 0 && m->side < 0))
        return;
    struct tn_signal *s = tn_signal_begin(e, now, m->side > 0 ? TN_LONG : TN_FLAT);
    if (m->side > 0) /* the score: how far above, 1 % = 0.5; what is over 1 is clamped by name */
        tn_reason_add(e, s, AVERAGE, now->in[AVERAGE], 50 * (price / now->in[AVERAGE] - 1));
    tn_advise_target(s, e->param[TARGET].i);
    tn_advise_stop(s, tn_ppm_of(close, e->param[STOP].i));
    tn_signal_finish(s);
}

TN_STRATEGY(struct memory, is_valid, on_event, .id = "@ID@", .version = "0.1.0", .vendor = "me",
            .text = "Long above the average, flat below.", .budget_ns = 1000, .signals_max = 1,
            TN_PARAMS(TN_PARAM_INT("target_ppm", 500000, 0, 1000000, 1, "ppm", "Budget used."),
                      TN_PARAM_INT("stop_ppm", 20000, 0, 500000, 1, "ppm", "Stop; 0 = none.")),
            TN_INPUTS(TN_PORT("average", "price", "What the close is compared with.")));
