/* SPDX-License-Identifier: Apache-2.0
 *
 * Source `synth`: a seeded market for demos and tests, one stream per instrument, given in time
 * order (at equal times in the order of the instruments). It is a generator: it never ends, the
 * host stops asking. How the market is made is told in market.c.
 */
#include "market.h"

enum {
    PARAM_START_NS,
    PARAM_QUOTES_PER_MINUTE,
    PARAM_PRICE_TICKS,
    PARAM_LOTS,
    PARAM_VOLATILITY_PPM,
    PARAM_SPREAD_TICKS,
    PARAM_TRADES_PER_QUOTE,
    PARAM_JUMPS_PER_DAY,
    PARAM_TREND,
    PARAM_FAULTS_PER_DAY,
    PARAM_COUNT,
    INSTRUMENTS_MAX = 64,
};

struct synth {
    struct market_plan plan;
    uint64_t given;
    uint32_t count;
    uint32_t reserved;
    struct market market[];
};

static int32_t create(const struct tn_host *host, const struct tn_source_create *c, void **inst)
{
    if (c->param_count != PARAM_COUNT || c->instrument_count == 0 ||
        c->instrument_count > INSTRUMENTS_MAX)
        return TN_E_PARAM;
    const union tn_number *p = c->params;
    size_t bytes = sizeof(struct synth) + c->instrument_count * sizeof(struct market);
    struct synth *s = host->alloc(host->self, bytes);
    if (s == NULL)
        return TN_E_MEMORY;
    s->plan = (struct market_plan){
        .start_ns = p[PARAM_START_NS].i,
        .quote_ns = 60000000000 / p[PARAM_QUOTES_PER_MINUTE].i,
        .price_ticks = p[PARAM_PRICE_TICKS].i,
        .lots = p[PARAM_LOTS].i,
        .minute_vol = (double)p[PARAM_VOLATILITY_PPM].i * 1e-6,
        .jumps_per_day = p[PARAM_JUMPS_PER_DAY].f,
        .faults_per_day = p[PARAM_FAULTS_PER_DAY].f,
        .trades_per_quote = p[PARAM_TRADES_PER_QUOTE].f,
        .trend = p[PARAM_TREND].f,
        .spread_ticks = p[PARAM_SPREAD_TICKS].i,
    };
    s->count = c->instrument_count;
    for (uint32_t i = 0; i < s->count; i++) {
        if (c->instrument[i].tick <= 0 || c->instrument[i].lot <= 0)
            return TN_E_PARAM;
        market_init(&s->market[i], &s->plan, &c->instrument[i], c->seed);
    }
    *inst = s;
    return TN_OK;
}

static int32_t feed(void *inst, const uint8_t *bytes, uint64_t count, uint32_t final,
                    uint64_t *used, struct tn_source_out *out)
{
    struct synth *s = inst;
    (void)bytes;
    (void) final;
    *used = count;
    out->event_count = 0;
    out->report_count = 0;
    out->header_error = 0;
    while (out->event_count < out->event_capacity) {
        uint32_t first = 0;
        for (uint32_t i = 1; i < s->count; i++) {
            if (market_next_ns(&s->market[i], &s->plan) <
                market_next_ns(&s->market[first], &s->plan))
                first = i;
        }
        market_take(&s->market[first], &s->plan, &out->event[out->event_count++]);
        s->given++;
    }
    out->rows = s->given;
    out->rows_used = s->given;
    out->off_tick = 0;
    return TN_OK;
}

static int32_t activate(void *inst)
{
    (void)inst;
    return TN_OK;
}

static void end_of_life(void *inst)
{
    (void)inst;
}

static const struct tn_source_ops ops = {
    .base = {.size = sizeof(struct tn_source_ops),
             .revision = 0,
             .activate = activate,
             .deactivate = end_of_life,
             .destroy = end_of_life},
    .source_kind = TN_SOURCE_GENERATOR,
    .create = create,
    .feed = feed,
};

/* 2024-01-02T00:00:00Z */
#define START_NS 1704153600000000000

TN_PLUGIN(
    TN_KIND_SOURCE, &ops, .id = "synth", .version = "1.0.0", .vendor = "tenon",
    .flags = TN_FLAG_DRAFT | TN_FLAG_COLD,
    .text = "a seeded market: clustered volatility, jumps, regimes, spread, daily volume shape",
    .arena_bytes = sizeof(struct synth) + INSTRUMENTS_MAX * sizeof(struct market) + 64,
    .budget_ns = 5000, .param_count = PARAM_COUNT,
    .params = {
        TN_PARAM_INT("start_ns", START_NS, 0, 4000000000000000000, 0, "ns",
                     "time of the first event, nanoseconds since 1970 UTC"),
        TN_PARAM_INT("quotes_per_minute", 60, 1, 60000, 1, "1/min",
                     "mean number of quotes of one instrument"),
        TN_PARAM_INT("price_ticks", 400000, 1000, 1000000000, 1, "ticks",
                     "first mid price of each instrument"),
        TN_PARAM_INT("lots", 500, 1, 1000000000, 1, "lots", "typical size of a trade"),
        TN_PARAM_INT("volatility_ppm", 600, 1, 20000, 1, "ppm",
                     "standard deviation of the return of a calm minute"),
        TN_PARAM_INT("spread_ticks", 4, 1, 10000, 1, "ticks", "spread of a calm market"),
        TN_PARAM_REAL("trades_per_quote", 0.8, 0.0, 2.0, 0, "", "mean trades after a quote"),
        TN_PARAM_REAL("jumps_per_day", 6.0, 0.0, 1000.0, 0, "1/day", "sudden moves"),
        TN_PARAM_REAL("trend", 0.08, 0.0, 1.0, 0, "",
                      "drift per minute of a trend, in units of the volatility"),
        TN_PARAM_REAL("faults_per_day", 0.0, 0.0, 1000.0, 0, "1/day",
                      "short data faults: crossed quotes, silence, frozen quotes"),
    });
