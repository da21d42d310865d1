/* SPDX-License-Identifier: Apache-2.0
 *
 * Cards D36, D39, D43: the same input gives the same bytes, however it is cut into batches, and
 * nothing impossible comes out of a market with extremes.
 */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/must.h"
#include "bays/cards_priv.h"

void cards_d36(struct cards_case *c)
{
    struct feed_market f;
    struct rig a, b;
    cards_market(c, &f, CARDS_EVENTS);
    if (!cards_start(c, &a, &f))
        return;
    rig_feed(&a, &f, 0, f.count, 32);
    if (!cards_start(c, &b, &f)) /* while the first lives: another address */
        return;
    rig_feed(&b, &f, 0, f.count, 32);
    if (!rig_same(&a, &b))
        CARD_FAIL("the same %u events twice give other answers", f.count);
    else if (c->manifest->kind == TN_KIND_STRATEGY && a.signals == 0)
        CARD_WARN("same bytes twice, but no signal in %u events", f.count);
    else
        CARD_PASS("same %u events, same %zu bytes of answers", f.count, a.answer_bytes);
}

/* Batches of random size, from a seed. */
static void feed_ragged(struct rig *r, const struct feed_market *f)
{
    struct rng rng;
    rng_seed(&rng, CARDS_SEED);
    for (uint32_t at = 0; at < f->count && !r->broken;) {
        uint32_t n = 1 + (uint32_t)rng_below(&rng, RIG_BATCH_MAX);
        n = n < f->count - at ? n : f->count - at;
        rig_feed(r, f, at, at + n, n);
        at += n;
    }
}

void cards_d39(struct cards_case *c)
{
    static const uint32_t batch[] = {2, 7, 64, RIG_BATCH_MAX, 0};
    struct feed_market f;
    struct rig one, many;
    cards_market(c, &f, CARDS_EVENTS);
    if (!cards_start(c, &one, &f))
        return;
    rig_feed(&one, &f, 0, f.count, 1);
    for (size_t i = 0; i < sizeof batch / sizeof batch[0]; i++) {
        if (!cards_start(c, &many, &f))
            return;
        if (batch[i] > 0)
            rig_feed(&many, &f, 0, f.count, batch[i]);
        else
            feed_ragged(&many, &f);
        if (!rig_same(&one, &many)) {
            CARD_FAIL("batches of %u give other answers than one by one (0 = random sizes)",
                      batch[i]);
            return;
        }
        rig_end(&many);
        rig_fini(&many);
    }
    CARD_PASS("batches of 2, 7, 64, %d and random sizes equal one by one", RIG_BATCH_MAX);
}

void cards_d43(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    uint64_t signals = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        feed_init(&f, CARDS_SEED + seed, CARDS_EVENTS, c->manifest->input_count, false);
        if (!cards_start(c, &r, &f))
            return;
        rig_feed(&r, &f, 0, f.count, 16);
        if (r.broken) {
            CARD_FAIL("at event %u of seed %llu: %s", r.broken_at,
                      (unsigned long long)(CARDS_SEED + seed), r.broken);
            return;
        }
        signals += r.signals;
        rig_end(&r);
        rig_fini(&r);
        feed_fini(&f);
    }
    CARD_PASS("%d events with extremes: every answer finite and in range (%llu signals)",
              3 * CARDS_EVENTS, (unsigned long long)signals);
}
