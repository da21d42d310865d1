/* SPDX-License-Identifier: Apache-2.0
 *
 * One market of the generator: a mid price that moves, a spread, sizes, trades. Pure arithmetic on
 * doubles with + - * / only, so that every machine gives the same bits; what leaves it are integers
 * on the instrument's grid.
 */
#ifndef SYNTH_MARKET_H
#define SYNTH_MARKET_H
#include "tenon/draft/source.h"

struct chance { /* xoshiro256**, seeded by splitmix64 */
    uint64_t s[4];
};
void chance_seed(struct chance *c, uint64_t seed);
uint64_t chance_next(struct chance *c);
double chance_unit(struct chance *c);   /* [0, 1) */
double chance_normal(struct chance *c); /* mean 0, variance 1: the sum of twelve */

struct market_plan { /* the same for all markets of an instance */
    int64_t start_ns;
    int64_t quote_ns;    /* mean distance of quotes */
    int64_t price_ticks; /* first mid */
    int64_t lots;        /* typical size of a trade in lots */
    double minute_vol;   /* standard deviation of the return of a calm minute */
    double jumps_per_day;
    double faults_per_day;
    double trades_per_quote;
    double trend;         /* drift of a trending minute in units of minute_vol */
    int64_t spread_ticks; /* in a calm market */
};

enum market_regime { REGIME_UNSET = 0, REGIME_RANGE, REGIME_UP, REGIME_DOWN };
enum market_fault { FAULT_NONE = 0, FAULT_CROSSED, FAULT_GAP, FAULT_STALE };
enum { MARKET_PENDING = 4 };

struct market {
    struct tn_instrument in;
    struct chance chance;
    double mid;        /* in ticks */
    double anchor;     /* what a range turns around */
    double vol;        /* of a minute, now; mean-reverting around minute_vol */
    double shock;      /* short-lived part of it, fed by the last minute's move */
    double minute_mid; /* mid when the minute began */
    int64_t minute;    /* of last_ns */
    int64_t last_ns;   /* of the last quote */
    uint32_t regime;
    uint32_t fault;
    uint32_t fault_left; /* quotes */
    uint32_t pending_count;
    struct tn_quote quote;                   /* the last good one */
    struct tn_event pending[MARKET_PENDING]; /* made, not yet given, in time order */
};

void market_init(struct market *m, const struct market_plan *p, const struct tn_instrument *in,
                 uint64_t seed);
/* Time of its next event. */
int64_t market_next_ns(struct market *m, const struct market_plan *p);
/* Its next event. */
void market_take(struct market *m, const struct market_plan *p, struct tn_event *out);
#endif
