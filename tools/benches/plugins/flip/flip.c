/* SPDX-License-Identifier: Apache-2.0
 *
 * flip 1.0.0: a new signal at every quote, in turn a larger and a smaller long target. For benches:
 * each tick becomes a decision and an order, as no sane strategy would have it.
 */
#include "tenon/easy.h"

enum { LARGE, SMALL };

struct flip {
    int64_t is_large;
};

static bool is_valid(const struct tn_easy *e, const struct flip *f)
{
    return e != NULL && (f->is_large == 0 || f->is_large == 1);
}

static void on_event(struct tn_easy *e, struct flip *f, const struct tn_now *now)
{
    if (now->event->type != TN_EVENT_QUOTE)
        return;
    f->is_large = !f->is_large;
    struct tn_signal *s = tn_signal_begin(e, now, TN_LONG);
    tn_reason_add(e, s, TN_REASON_BASE, 0.5, 0.5);
    tn_advise_target(s, e->param[f->is_large ? LARGE : SMALL].i);
    tn_signal_finish(s);
}

TN_STRATEGY(struct flip, is_valid, on_event, .id = "flip", .version = "1.0.0", .vendor = "tenon",
            .text = "A signal at every quote; for benches.", .budget_ns = 1000, .signals_max = 1,
            TN_PARAMS(TN_PARAM_INT("large_ppm", 600000, 0, 1000000, 1, "ppm", "Odd quotes."),
                      TN_PARAM_INT("small_ppm", 300000, 0, 1000000, 1, "ppm", "Even quotes.")));
