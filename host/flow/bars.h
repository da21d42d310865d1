/* SPDX-License-Identifier: Apache-2.0
 *
 * Time bars from trades, for one instrument and one length.
 *
 * Invariants
 *   1. Bars lie on a grid of bar_ns from the epoch: a trade at t belongs to the bar that starts at
 *      floor(t / bar_ns) * bar_ns; one exactly at a bar's end belongs to the next bar.
 *   2. At most one bar is open. An interval without a trade has no bar.
 *   3. A bar closes when time reaches its end, by a tick or by the first later event, whichever is
 *      numbered first; whoever drives this asks bars_deadline for the tick.
 *   4. A closed bar is never opened again. A trade older than the open bar, or than the end of the
 *      last closed one, is late: it is counted and is in no bar. Numbered streams have none, since
 *      their time never falls.
 *   5. A trade with a price or quantity below 1 is no trade: counted, in no bar.
 *
 * Bars are derived, not journaled: the same trades and ticks give the same bars. One thread; no
 * allocation.
 */
#ifndef FLOW_BARS_H
#define FLOW_BARS_H
#include <stdbool.h>
#include <stdint.h>

struct bars_bar {
    int64_t open_ns, end_ns;
    int64_t open, high, low, close;
    int64_t volume; /* stays at INT64_MAX when the sum does not fit */
    uint32_t trades;
    uint32_t has_live; /* 1: a trade in it was not history */
};

struct bars {
    int64_t bar_ns;
    int64_t closed_ns; /* end of the last closed bar; INT64_MIN = none yet */
    uint32_t is_open;
    uint32_t reserved;
    struct bars_bar bar; /* the open one */
    uint64_t late;       /* trades in no bar: too old */
    uint64_t odd;        /* trades in no bar: no price or quantity */
};

void bars_init(struct bars *b, int64_t bar_ns);
/* Closes the open bar when t_ns has reached its end; true = *out is a closed bar. */
bool bars_time(struct bars *b, int64_t t_ns, struct bars_bar *out);
/* Takes a trade. bars_time(t_ns) must have been asked before, so that no bar is overdue. */
void bars_trade(struct bars *b, int64_t t_ns, int64_t price, int64_t qty, bool is_history);
/* When the open bar ends; INT64_MAX = none is open. */
static inline int64_t bars_deadline(const struct bars *b)
{
    return b->is_open ? b->bar.end_ns : INT64_MAX;
}
#endif
