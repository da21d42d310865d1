/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the generator behaves like a market, and the same everywhere.
 * Method: the plugin's sources are compiled in. Days of data are generated from fixed seeds and the
 * stylised facts measured on one-minute returns: fat tails, clustered volatility without linear
 * memory, volume in a U over the day, a spread that is positive and wider when volatility is high;
 * tape and quotes that agree, prices and sizes on the grid, time that never falls. Bits: a hash of
 * the stream is a constant here, since the arithmetic is the same on every machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "adapters/synth/market.c"
#include "adapters/synth/synth.c"

enum { DAYS = 20, MINUTES = DAYS * 1440, LAGS = 10 };
static const int64_t start_ns = START_NS;

static uint64_t memory[1 << 16];
static size_t memory_used;
static void *take_memory(void *self, uint64_t bytes)
{
    (void)self;
    bytes = (bytes + 15) & ~15ull;
    if (memory_used + bytes > sizeof memory)
        return NULL;
    void *p = (uint8_t *)memory + memory_used;
    memset(p, 0, bytes);
    memory_used += bytes;
    return p;
}

static union tn_number params[PARAM_COUNT];
static struct tn_instrument instruments[3] = {
    {.size = sizeof(struct tn_instrument), .id = 1, .price_exp = -2, .tick = 5, .lot = 10},
    {.size = sizeof(struct tn_instrument), .id = 2, .price_exp = -4, .tick = 1, .lot = 1},
    {.size = sizeof(struct tn_instrument), .id = 9, .price_exp = 0, .tick = 25, .lot = 100},
};

static void set_defaults(void)
{
    for (uint32_t i = 0; i < PARAM_COUNT; i++)
        params[i] = tn_plugin_note.manifest.params[i].def;
}

static void *make_source(uint32_t count, uint64_t seed)
{
    struct tn_source_create c = {.size = sizeof c,
                                 .param_count = PARAM_COUNT,
                                 .params = params,
                                 .instrument = instruments,
                                 .instrument_count = count,
                                 .seed = seed};
    struct tn_host host = {.size = sizeof host, .alloc = take_memory};
    void *inst = NULL;
    memory_used = 0;
    assert_int_equal(ops.create(&host, &c, &inst), TN_OK);
    return inst;
}

/* The next `count` events. */
static void take(void *inst, struct tn_event *ev, uint32_t count)
{
    struct tn_source_out out = {.size = sizeof out, .event_capacity = count, .event = ev};
    uint64_t used;
    assert_int_equal(ops.feed(inst, NULL, 0, 0, &used, &out), TN_OK);
    assert_int_equal(out.event_count, count);
    assert_int_equal(out.report_count, 0);
}

struct facts { /* measured over one run */
    double kurtosis, memory_of_return, memory_of_size, largest;
    double ends, noon;               /* mean volume per hour */
    double calm_spread, wild_spread; /* mean spread of minutes below and above the median size */
    uint64_t trades, quotes;
};

static double mid[MINUTES + 1], spread_sum[MINUTES + 1], volume[24];
static uint32_t spread_count[MINUTES + 1];

static void check_event(const struct tn_event *ev, struct tn_quote *last, int64_t *t)
{
    const struct tn_instrument *in = &instruments[0];
    assert_true(ev->t_ns >= *t);
    *t = ev->t_ns;
    if (ev->type == TN_EVENT_QUOTE) {
        const struct tn_quote *q = &ev->u.quote;
        assert_true(q->bid > 0 && q->ask > q->bid);
        assert_true(q->bid % in->tick == 0 && q->ask % in->tick == 0);
        assert_true(q->bid_qty > 0 && q->bid_qty % in->lot == 0);
        assert_true(q->ask_qty > 0 && q->ask_qty % in->lot == 0);
        *last = *q;
        return;
    }
    const struct tn_trade *tr = &ev->u.trade;
    assert_int_equal(ev->type, TN_EVENT_TRADE);
    assert_true(tr->aggressor == 1 || tr->aggressor == 2);
    assert_int_equal(tr->price, tr->aggressor == 1 ? last->ask : last->bid);
    assert_true(tr->qty > 0 && tr->qty % in->lot == 0);
    assert_true(tr->qty <= (tr->aggressor == 1 ? last->ask_qty : last->bid_qty));
}

static void generate(uint64_t seed, struct facts *f)
{
    static struct tn_event ev[512];
    void *inst = make_source(1, seed);
    struct tn_quote last = {0};
    int64_t t = 0, end = start_ns + (int64_t)MINUTES * 60000000000;
    memset(mid, 0, sizeof mid);
    memset(spread_sum, 0, sizeof spread_sum);
    memset(spread_count, 0, sizeof spread_count);
    memset(volume, 0, sizeof volume);
    memset(f, 0, sizeof *f);
    while (t < end) {
        take(inst, ev, 512);
        for (int i = 0; i < 512 && t < end; i++) {
            check_event(&ev[i], &last, &t);
            int64_t minute = (t - start_ns) / 60000000000;
            if (minute >= MINUTES)
                break;
            if (ev[i].type == TN_EVENT_TRADE) {
                f->trades++;
                volume[minute / 60 % 24] += (double)ev[i].u.trade.qty;
                continue;
            }
            f->quotes++;
            mid[minute] = 0.5 * (double)(last.bid + last.ask);
            spread_sum[minute] += (double)(last.ask - last.bid);
            spread_count[minute]++;
        }
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double memory_at(const double *x, int count, double mean, double variance, int lag)
{
    double sum = 0;
    for (int i = lag; i < count; i++)
        sum += (x[i] - mean) * (x[i - lag] - mean);
    return sum / count / variance;
}

static void moments(const double *x, int count, double *mean, double *variance, double *kurtosis)
{
    double s = 0, s2 = 0, s4 = 0;
    for (int i = 0; i < count; i++)
        s += x[i];
    *mean = s / count;
    for (int i = 0; i < count; i++) {
        double d = x[i] - *mean;
        s2 += d * d;
        s4 += d * d * d * d;
    }
    *variance = s2 / count;
    *kurtosis = s4 / count / (*variance * *variance);
}

static void measure(struct facts *f)
{
    static double r[MINUTES], size[MINUTES], sorted[MINUTES];
    for (int i = 0; i + 1 < MINUTES; i++) {
        assert_true(mid[i] > 0);
        r[i] = mid[i + 1] / mid[i] - 1.0;
        size[i] = r[i] < 0 ? -r[i] : r[i];
        f->largest = size[i] > f->largest ? size[i] : f->largest;
    }
    int n = MINUTES - 1;
    double mean, variance, kurtosis;
    moments(r, n, &mean, &variance, &f->kurtosis);
    for (int lag = 1; lag <= LAGS; lag++)
        f->memory_of_return += memory_at(r, n, mean, variance, lag) / LAGS;
    moments(size, n, &mean, &variance, &kurtosis);
    for (int lag = 1; lag <= LAGS; lag++)
        f->memory_of_size += memory_at(size, n, mean, variance, lag) / LAGS;
    memcpy(sorted, size, (size_t)n * sizeof sorted[0]);
    qsort(sorted, (size_t)n, sizeof sorted[0], compare);
    double calm = 0, wild = 0;
    for (int i = 0; i < n; i++) {
        double mean_spread = spread_sum[i + 1] / spread_count[i + 1];
        if (size[i] < sorted[n / 2])
            calm += mean_spread;
        else
            wild += mean_spread;
    }
    f->calm_spread = calm / (n / 2.0);
    f->wild_spread = wild / (n / 2.0);
    f->ends = (volume[0] + volume[1] + volume[22] + volume[23]) / 4;
    f->noon = (volume[10] + volume[11] + volume[12] + volume[13]) / 4;
}

static void synth_stylised_facts_hold_for_several_seeds(void **state)
{
    (void)state;
    set_defaults();
    params[PARAM_QUOTES_PER_MINUTE].i = 12;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct facts f;
        generate(seed, &f);
        measure(&f);
        print_message("seed %llu: kurtosis %.1f, memory of r %.3f, of |r| %.3f, largest %.4f, "
                      "volume ends/noon %.1f, spread %.1f/%.1f, trades/quote %.2f\n",
                      (unsigned long long)seed, f.kurtosis, f.memory_of_return, f.memory_of_size,
                      f.largest, f.ends / f.noon, f.wild_spread, f.calm_spread,
                      (double)f.trades / (double)f.quotes);
        assert_true(f.kurtosis > 4.0);
        assert_true(f.memory_of_size > 0.08); /* white noise of this length: 0.006 */
        assert_true(f.memory_of_return < 0.02 && f.memory_of_return > -0.02);
        assert_true(f.memory_of_size > 4 * f.memory_of_return);
        assert_true(f.ends > 2.5 * f.noon && f.ends < 10 * f.noon);
        assert_true(f.wild_spread > 1.02 * f.calm_spread);
        assert_true(f.largest < 0.2);
        assert_true(f.trades > f.quotes / 4);
    }
}

static uint64_t hash_of(const struct tn_event *ev, uint32_t count)
{
    uint64_t h = 0xcbf29ce484222325ull;
    const uint8_t *p = (const uint8_t *)ev;
    for (size_t i = 0; i < count * sizeof *ev; i++)
        h = (h ^ p[i]) * 0x100000001b3ull;
    return h;
}

enum { SOME = 100000 };
#define EXPECTED_HASH 0x8dfe690b23c40263ull
static struct tn_event one[SOME], two[SOME];

static void synth_same_seed_same_bits_whatever_the_cut(void **state)
{
    (void)state;
    set_defaults();
    params[PARAM_FAULTS_PER_DAY].f = 50;
    void *inst = make_source(3, 42);
    take(inst, one, SOME);
    inst = make_source(3, 42);
    for (uint32_t at = 0, n = 1; at < SOME; at += n, n = n * 3 % 1001 + 1)
        take(inst, two + at, n = n < SOME - at ? n : SOME - at);
    assert_memory_equal(one, two, sizeof one);
    print_message("hash %llx\n", (unsigned long long)hash_of(one, SOME));
    assert_true(hash_of(one, SOME) == EXPECTED_HASH);
    inst = make_source(3, 43);
    take(inst, two, SOME);
    assert_true(hash_of(two, SOME) != hash_of(one, SOME));
}

static void synth_instruments_are_merged_by_time_and_independent(void **state)
{
    (void)state;
    set_defaults();
    void *inst = make_source(3, 7);
    take(inst, one, SOME);
    uint32_t seen[3] = {0};
    for (uint32_t i = 0; i < SOME; i++) {
        assert_true(i == 0 || one[i].t_ns >= one[i - 1].t_ns);
        seen[one[i].instrument == 1 ? 0 : one[i].instrument == 2 ? 1 : 2]++;
    }
    assert_true(seen[0] > SOME / 4 && seen[1] > SOME / 4 && seen[2] > SOME / 4);
    /* Alone, the first instrument has the same stream. */
    inst = make_source(1, 7);
    take(inst, two, seen[0]);
    uint32_t at = 0;
    for (uint32_t i = 0; i < SOME; i++) {
        if (one[i].instrument == 1)
            assert_memory_equal(&one[i], &two[at++], sizeof one[i]);
    }
    assert_int_equal(at, seen[0]);
}

static void synth_faults_appear_only_when_asked_for(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        set_defaults();
        params[PARAM_FAULTS_PER_DAY].f = asked ? 60 : 0;
        void *inst = make_source(1, 5);
        take(inst, one, SOME);
        uint32_t crossed = 0, gaps = 0, frozen = 0, equal = 0, days;
        struct tn_quote last = {0};
        for (uint32_t i = 1; i < SOME; i++) {
            gaps += one[i].t_ns - one[i - 1].t_ns > 20 * 1000000000ll;
            if (one[i].type != TN_EVENT_QUOTE)
                continue;
            crossed += one[i].u.quote.bid > one[i].u.quote.ask;
            equal = memcmp(&last, &one[i].u.quote, sizeof last) == 0 ? equal + 1 : 0;
            frozen += equal == 20;
            last = one[i].u.quote;
        }
        days = (uint32_t)((one[SOME - 1].t_ns - one[0].t_ns) / 86400000000000 + 1);
        print_message("faults asked %d: crossed %u gaps %u frozen %u in %u days\n", asked, crossed,
                      gaps, frozen, days);
        assert_true(asked ? crossed > 0 && gaps > 0 && frozen > 0
                          : crossed == 0 && gaps == 0 && frozen == 0);
        assert_true(crossed < 60 * 10 * days); /* short ones */
    }
}

static void synth_extreme_params_keep_prices_positive(void **state)
{
    (void)state;
    for (int high = 0; high < 2; high++) {
        for (uint32_t i = 1; i < PARAM_COUNT; i++) {
            const struct tn_param *p = &tn_plugin_note.manifest.params[i];
            params[i] = high ? p->max : p->min;
        }
        params[PARAM_START_NS].i = start_ns;
        void *inst = make_source(3, 5);
        take(inst, one, SOME);
        for (uint32_t i = 0; i < SOME; i++) {
            assert_true(i == 0 || one[i].t_ns >= one[i - 1].t_ns);
            if (one[i].type == TN_EVENT_QUOTE)
                assert_true(one[i].u.quote.bid > 0 && one[i].u.quote.ask > 0);
            else
                assert_true(one[i].u.trade.price > 0 && one[i].u.trade.qty > 0);
        }
    }
}

static void synth_wrong_settings_are_refused(void **state)
{
    (void)state;
    set_defaults();
    struct tn_source_create c = {.size = sizeof c, .params = params, .instrument = instruments};
    struct tn_host host = {.size = sizeof host, .alloc = take_memory};
    void *inst;
    c.param_count = PARAM_COUNT;
    assert_int_equal(ops.create(&host, &c, &inst), TN_E_PARAM);
    c.instrument_count = 1;
    c.param_count = 1;
    assert_int_equal(ops.create(&host, &c, &inst), TN_E_PARAM);
    c.param_count = PARAM_COUNT;
    memory_used = sizeof memory;
    assert_int_equal(ops.create(&host, &c, &inst), TN_E_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synth_stylised_facts_hold_for_several_seeds),
        cmocka_unit_test(synth_same_seed_same_bits_whatever_the_cut),
        cmocka_unit_test(synth_instruments_are_merged_by_time_and_independent),
        cmocka_unit_test(synth_faults_appear_only_when_asked_for),
        cmocka_unit_test(synth_extreme_params_keep_prices_positive),
        cmocka_unit_test(synth_wrong_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
