/* SPDX-License-Identifier: Apache-2.0
 *
 * The market of the check cards: a seeded random walk of bars, trades, quotes and ticks with the
 * extremes that real files have: empty sides, crossed quotes, zero volume, jumps, equal stamps,
 * long gaps, off-tick prices, the smallest and very large prices. Same seed, same bytes.
 */
#ifndef BAYS_FEED_H
#define BAYS_FEED_H
#include "base/result.h"
#include "tenon/indicator.h"
#include "tenon/strategy.h"

#define FEED_BAR_NS 60000000000ll

struct feed_market {
    struct tn_instrument instrument;
    uint32_t count;
    uint32_t inputs;
    struct tn_event *event;
    double *value;   /* count * inputs: what a strategy's inputs say at each event */
    uint32_t *ready; /* count */
};

/* calm: no extremes. Heap; stops the process when there is no memory. */
void feed_init(struct feed_market *m, uint64_t seed, uint32_t count, uint32_t inputs, bool calm);
void feed_fini(struct feed_market *m);
#endif
