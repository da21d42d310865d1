/* SPDX-License-Identifier: Apache-2.0
 *
 * The pieces lie in a ring, indexed by their number; moving on clears those that have gone by.
 */
#include "egress/rate.h"
#include <string.h>
#include "base/must.h"

void rate_init(struct rate *r, uint32_t weight, int64_t per_ns)
{
    memset(r, 0, sizeof *r);
    r->weight = per_ns > 0 ? weight : 0;
    r->piece_ns = per_ns / (RATE_PIECES - 1) + 1;
    r->at = INT64_MIN;
}

/* A cancel so heavy that it fits into nothing but the whole may use it: it must be able to go. */
static uint64_t cap(const struct rate *r, uint32_t weight, enum rate_use use)
{
    uint32_t kept = use == RATE_OPEN ? RATE_RESERVE_PCT : use == RATE_REDUCE ? RATE_KILL_PCT : 0;
    uint64_t most = (uint64_t)r->weight * (100 - kept) / 100;
    return use == RATE_REDUCE && weight > most ? r->weight : most;
}

static void move(struct rate *r, int64_t now_ns)
{
    int64_t piece = now_ns / r->piece_ns;
    if (piece <= r->at)
        return;
    if (r->at == INT64_MIN || piece - r->at >= RATE_PIECES) {
        memset(r->spent, 0, sizeof r->spent);
        r->sum = 0;
    } else {
        for (int64_t p = r->at + 1; p <= piece; p++) {
            uint32_t *s = &r->spent[(uint64_t)p % RATE_PIECES];
            r->sum -= *s;
            *s = 0;
        }
    }
    r->at = piece;
}

bool rate_fits(struct rate *r, int64_t now_ns, uint32_t weight, enum rate_use use)
{
    if (!r->weight)
        return true;
    move(r, now_ns);
    return r->sum + weight <= cap(r, weight, use);
}

void rate_spend(struct rate *r, int64_t now_ns, uint32_t weight)
{
    if (!r->weight)
        return;
    move(r, now_ns);
    must(r->sum + weight <= r->weight);
    r->spent[(uint64_t)r->at % RATE_PIECES] += weight;
    r->sum += weight;
}

int64_t rate_when(const struct rate *r, int64_t now_ns, uint32_t weight, enum rate_use use)
{
    if (!r->weight)
        return now_ns;
    if (weight > cap(r, weight, use))
        return INT64_MAX;
    struct rate copy = *r;
    move(&copy, now_ns);
    int64_t when = now_ns;
    while (copy.sum + weight > cap(r, weight, use)) { /* at most RATE_PIECES times */
        when = (copy.at + 1) * copy.piece_ns;
        move(&copy, when);
    }
    return when;
}

/* To the next whole piece: never younger than it was by more than one, and never older. */
void rate_shift(struct rate *r, int64_t by_ns)
{
    if (!r->weight || r->at == INT64_MIN)
        return;
    int64_t by = by_ns / r->piece_ns + (by_ns > 0 && by_ns % r->piece_ns != 0);
    uint32_t old[RATE_PIECES];
    memcpy(old, r->spent, sizeof old);
    for (int64_t p = r->at; p > r->at - RATE_PIECES; p--)
        r->spent[(uint64_t)(p + by) % RATE_PIECES] = old[(uint64_t)p % RATE_PIECES];
    r->at += by;
}

void rate_check(const struct rate *r)
{
    uint64_t sum = 0;
    for (int i = 0; i < RATE_PIECES; i++)
        sum += r->spent[i];
    must(sum == r->sum);
    must(!r->weight || sum <= r->weight);
}
