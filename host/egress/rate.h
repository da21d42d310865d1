/* SPDX-License-Identifier: Apache-2.0
 *
 * Rate budgets of a venue: at most `weight` in any `per_ns`, with 20 % kept for what takes risk
 * off. Half of that is the kill's alone: strategies close and cancel too, and what they leave must
 * be enough to cancel all, read and close once, at once.
 *
 * A venue counts in windows whose beginning nobody knows, and a leaky bucket lets nearly twice the
 * weight through one of them. So what was spent is kept in pieces of a sixteenth of the window, and
 * 17 of them (the whole window and the piece it cuts) never sum to more than the weight.
 *
 * Pure; one owner. Time never goes back: an earlier time counts as the last one.
 */
#ifndef EGRESS_RATE_H
#define EGRESS_RATE_H
#include <stdbool.h>
#include <stdint.h>

enum { RATE_PIECES = 17, RATE_RESERVE_PCT = 20, RATE_KILL_PCT = 10 };
enum rate_use {
    RATE_USE_UNSET = 0,
    RATE_OPEN,   /* may not touch the reserve */
    RATE_REDUCE, /* cancels and closes, as approved */
    RATE_KILL,   /* the kill's and the flatten's own */
};

struct rate {
    uint32_t weight; /* 0 = no such budget: everything is free */
    int64_t piece_ns;
    int64_t at; /* number of the newest piece */
    uint64_t sum;
    uint32_t spent[RATE_PIECES];
};

void rate_init(struct rate *r, uint32_t weight, int64_t per_ns);
/* Would this fit now? What it is for is the caller's word. */
bool rate_fits(struct rate *r, int64_t now_ns, uint32_t weight, enum rate_use use);
void rate_spend(struct rate *r, int64_t now_ns, uint32_t weight);
/* When it will fit, if nothing else is spent; INT64_MAX = never. */
int64_t rate_when(const struct rate *r, int64_t now_ns, uint32_t weight, enum rate_use use);
/* The clock was set: what was spent is as old as it was. */
void rate_shift(struct rate *r, int64_t by_ns);
void rate_check(const struct rate *r);
#endif
