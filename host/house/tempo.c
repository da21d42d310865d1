/* SPDX-License-Identifier: Apache-2.0
 *
 * Products go through 128 bits: a speed of 600 over a day is beyond 64. Waiting rounds up, so that
 * a waiter never wakes a moment early and spins.
 */
#include "house/tempo.h"
#include "base/must.h"
#include "base/num.h"

static int64_t scaled(int64_t ns, int64_t times, int64_t per)
{
    int64_t out;
    if (!is_ok(num_muldiv(ns, times, per, NUM_FLOOR, &out)))
        return ns < 0 ? INT64_MIN / 4 : INT64_MAX / 4;
    return out;
}

int64_t tempo_now(const struct tempo *p)
{
    must(p->speed > 0 && (p->kind == TEMPO_WALL || p->kind == TEMPO_SCRIPT));
    if (p->kind == TEMPO_WALL)
        return clock_wall(p->clock);
    int64_t since = clock_mono(p->clock) - p->mono0_ns;
    return p->market0_ns + scaled(since, p->speed, TEMPO_REAL_TIME) + p->lead_ns;
}

int64_t tempo_wait_ns(const struct tempo *p, int64_t t_ns)
{
    int64_t now = tempo_now(p);
    if (t_ns <= now)
        return 0;
    uint64_t left = (uint64_t)t_ns - (uint64_t)now;
    int64_t gap = left > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)left;
    return p->kind == TEMPO_WALL ? gap : scaled(gap, TEMPO_REAL_TIME, p->speed) + 1;
}

int64_t tempo_market(const struct tempo *p, int64_t source_ns)
{
    if (p->kind == TEMPO_SCRIPT)
        return source_ns;
    return p->wall0_ns + scaled(source_ns - p->market0_ns, TEMPO_REAL_TIME, p->speed);
}
