/* SPDX-License-Identifier: Apache-2.0
 *
 * The one door to time and chance. Only mains and I/O threads go through it; the core has neither
 * (time comes as events, chance as seeds in events). Tests and the simulator put their own clock
 * behind the door. All times are int64 nanoseconds since 1970-01-01 UTC.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include "base/result.h"

struct clock {
    int64_t (*wall_ns)(void *arg);
    int64_t (*mono_ns)(void *arg);
    void *arg;
};
extern const struct clock clock_system;
static inline int64_t clock_wall(const struct clock *c)
{
    return c->wall_ns(c->arg);
}
static inline int64_t clock_mono(const struct clock *c)
{
    return c->mono_ns(c->arg);
}
/* Writes "2018-01-02T03:04:05.678901234Z" (30 characters + NUL). Proleptic Gregorian calendar, no
 * time zone database. */
enum { CLOCK_TEXT_BYTES = 32 };
void clock_print(int64_t ns, char out[CLOCK_TEXT_BYTES]);
/* Reads the same form, fraction optional, or a plain date ("2018-01-02" = midnight UTC). */
MUST_USE struct result clock_parse(const char *text, size_t count, int64_t *ns);
/* "90s", "10m", "2h", "1d", "250ms", "5us", "7ns": a duration; whole number + unit. */
MUST_USE struct result clock_parse_duration(const char *text, size_t count, int64_t *ns);

/* Seeded pseudo-random numbers (xoshiro256**, seeded by splitmix64). Same seed, same stream. */
struct rng {
    uint64_t s[4];
};
void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound); /* unbiased, bound > 0 */
/* Entropy from the kernel, for keys and epochs only. */
MUST_USE struct result rng_entropy(void *out, size_t count);
#endif
