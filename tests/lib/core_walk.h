/* SPDX-License-Identifier: Apache-2.0
 *
 * A seeded random walk of events for a core: markets that move and misbehave, signals, venue
 * answers in any order (late, twice, contradicting, overfilled, busted, for nobody), ticks, modes,
 * switches and new limits. The walk sees only effects, as the outside does, so the same seed gives
 * the same events for the same core. What it made can be kept and fed to another core.
 */
#ifndef LIB_CORE_WALK_H
#define LIB_CORE_WALK_H
#include "tests/lib/core_promote.h"
#include "tests/lib/core_rig.h"

enum { WALK_ORDERS = 64, WALK_TRADES = 64 };

struct walk_order {
    uint64_t id;
    uint32_t side, instrument, account, state;
    int64_t qty, cum, price;
};

struct walk {
    struct core_rig *rig;
    uint64_t seed;
    uint32_t kill_ppm; /* how often a kill is pressed */
    int64_t price[3];  /* by instrument */
    struct walk_order order[WALK_ORDERS];
    uint32_t order_count;
    struct fact_exec trade[WALK_TRADES]; /* fills given, to be repeated or busted */
    uint32_t trade_count;
    uint64_t epoch;
    struct promote promote;    /* one_in set: promotions too */
    struct fact_lookup lookup; /* the last question, 0 = answered */
};

void walk_open(struct walk *w, struct core_rig *rig, uint64_t seed);
/* Routes, limits and rates that make both strategies and both instruments live. */
void walk_configure(struct walk *w);
/* The next event, not yet stepped. */
void walk_next(struct walk *w, struct fact_view *event);
/* Steps it and looks at the effects. */
void walk_step(struct walk *w, const struct fact_view *event);
uint64_t walk_draw(struct walk *w, uint64_t below);
#endif
