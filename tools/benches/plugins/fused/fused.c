/* SPDX-License-Identifier: Apache-2.0
 *
 * fused 1.0.0: the moving-average cross with both averages inside, as the C limit of the benches
 * has it: one call a bar. The averages start at the first close and count from bar `slow` on.
 */
#include "tenon/easy.h"

enum { FAST, SLOW, TARGET };

struct fused {
    double fast, slow;
    double fast_k, slow_k; /* 2 / (period + 1) */
    int64_t bars;
    int64_t side; /* 1 fast above slow, -1 below, 0 not known yet */
};

static double k_of(int64_t period)
{
    return 2.0 / (double)(period + 1);
}

static bool is_valid(const struct tn_easy *e, const struct fused *s)
{
    bool begun = s->bars > 0;
    return s->bars >= 0 && s->side >= -1 && s->side <= 1 && tn_is_finite(s->fast) &&
           tn_is_finite(s->slow) && s->fast_k == (begun ? k_of(e->param[FAST].i) : 0.0) &&
           s->slow_k == (begun ? k_of(e->param[SLOW].i) : 0.0);
}

static void begin(const struct tn_easy *e, struct fused *s, double close)
{
    s->fast = s->slow = close;
    s->fast_k = k_of(e->param[FAST].i);
    s->slow_k = k_of(e->param[SLOW].i);
}

static void turn(struct tn_easy *e, const struct fused *s, const struct tn_now *now)
{
    struct tn_signal *out = tn_signal_begin(e, now, s->side > 0 ? TN_LONG : TN_SHORT);
    tn_reason_add(e, out, TN_REASON_BASE, s->fast - s->slow, s->side > 0 ? 0.5 : -0.5);
    tn_advise_target(out, e->param[TARGET].i);
    tn_signal_finish(out);
}

static void on_event(struct tn_easy *e, struct fused *s, const struct tn_now *now)
{
    if (now->event->type != TN_EVENT_BAR)
        return;
    const double close = (double)now->event->u.bar.close;
    if (s->bars == 0)
        begin(e, s, close);
    s->fast += s->fast_k * (close - s->fast);
    s->slow += s->slow_k * (close - s->slow);
    if (++s->bars < e->param[SLOW].i)
        return;
    const int64_t before = s->side;
    s->side = s->fast > s->slow ? 1 : s->fast < s->slow ? -1 : before;
    if (before != 0 && s->side != before)
        turn(e, s, now);
}

TN_STRATEGY(struct fused, is_valid, on_event, .id = "fused", .version = "1.0.0", .vendor = "tenon",
            .text = "A moving-average cross in one piece; for benches.", .budget_ns = 1000,
            .signals_max = 1,
            TN_PARAMS(TN_PARAM_INT("fast", 12, 1, 1000, 1, "bars", "The quicker average."),
                      TN_PARAM_INT("slow", 26, 1, 1000, 1, "bars", "The slower average."),
                      TN_PARAM_INT("target_ppm", 500000, 0, 1000000, 1, "ppm", "Budget used.")));
