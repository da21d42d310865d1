/* SPDX-License-Identifier: Apache-2.0
 *
 * The strategies of the C limit: flip and the moving-average cross with the same arithmetic, in
 * the same order, as their plugins.
 */
#include "limit_so.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void limit_on_quote(struct limit_flip *s, int64_t bid, int64_t ask, struct limit_wish *out);
EXPORT void limit_on_bar(struct limit_cross *s, int64_t close, struct limit_wish *out);

void limit_on_quote(struct limit_flip *s, int64_t bid, int64_t ask, struct limit_wish *out)
{
    (void)bid;
    (void)ask;
    s->is_large = !s->is_large;
    *out = (struct limit_wish){.side = 1,
                               .target_ppm = (int32_t)(s->is_large ? s->large_ppm : s->small_ppm),
                               .score_ppm = 500000,
                               .value = 0.5};
}

void limit_on_bar(struct limit_cross *s, int64_t close, struct limit_wish *out)
{
    const double x = (double)close;
    if (s->bars == 0)
        s->fast = s->slow = x;
    s->fast += s->fast_k * (x - s->fast);
    s->slow += s->slow_k * (x - s->slow);
    out->side = 0;
    if (++s->bars < s->slow_bars)
        return;
    const int64_t before = s->side;
    s->side = s->fast > s->slow ? 1 : s->fast < s->slow ? -1 : before;
    if (before == 0 || s->side == before)
        return;
    out->side = s->side > 0 ? 1 : 2;
    out->target_ppm = (int32_t)s->target_ppm;
    out->score_ppm = s->side > 0 ? 500000 : -500000;
    out->value = s->fast - s->slow;
}
