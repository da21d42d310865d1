/* SPDX-License-Identifier: Apache-2.0
 *
 * Chance without a stream. A draw is a pure function of the venue's seed, the order, what the draw
 * is for and a moment of the order's own (when its request was sent, how much of it was filled). So
 * the fate of an order does not depend on what else went on before it, in which order messages came
 * in, or in which process the venue lives: the same orders meet the same luck in the engine, behind
 * sockets, and after a restart in the middle.
 */
#include "venue/venue_priv.h"

/* The finaliser of splitmix64: every bit of the input moves every bit of the output. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

uint64_t chance_below(const struct venue *v, struct chance_key k, uint64_t bound)
{
    struct rng r;
    uint64_t x = mix(v->c.seed);
    x = mix(x ^ k.order);
    x = mix(x ^ k.purpose);
    x = mix(x ^ (uint64_t)k.moment);
    rng_seed(&r, x);
    return rng_below(&r, bound);
}

bool chance_demo(const struct venue *v, struct chance_key k, uint32_t ppm)
{
    return v->c.profile == VENUE_DEMO && chance_below(v, k, VENUE_PPM) < ppm;
}
