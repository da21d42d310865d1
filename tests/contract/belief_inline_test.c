/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: facts in, signals out, with the real plugins in the real inline bay behind belief. Method:
 * a made-up tape is given once as trades (bars made by belief) and once as BAR facts; both must
 * give the same signals at the same bars, and these must be the crossings that a plain computation
 * over the closes finds. The plugins are the built shared objects, loaded as the host loads them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flow/belief.h"
#include "plugins/ema/ema_math.c"

enum { BARS = 400, SIGNALS_MAX = 200, FAST = 5, SLOW = 20, WARM = 50 };
#define MINUTE 60000000000ll

struct outcome {
    uint32_t count;
    struct {
        int64_t end_ns, due_ns;
        uint32_t side;
        int32_t score_ppm;
    } at[SIGNALS_MAX];
};

struct tape {
    int64_t close[BARS], high[BARS], low[BARS], first[BARS];
};

static void fill(struct tape *t)
{
    uint64_t seed = 3;
    int64_t price = 500000;
    for (int i = 0; i < BARS; i++) {
        int64_t p[3];
        for (int k = 0; k < 3; k++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            p[k] = price += (int64_t)((seed >> 33) % 2001) - 1000;
        }
        t->first[i] = p[0];
        t->close[i] = p[2];
        t->high[i] = p[0] > p[1] ? p[0] : p[1];
        t->high[i] = p[2] > t->high[i] ? p[2] : t->high[i];
        t->low[i] = p[0] < p[1] ? p[0] : p[1];
        t->low[i] = p[2] < t->low[i] ? p[2] : t->low[i];
    }
}

static const struct bay_module *load(const char *name)
{
    struct bay_module *m = NULL;
    struct trail tr = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", TENON_PLUGIN_DIR, name);
    const struct result r = bay_load(path, NULL, &m, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return m;
}

static struct bay *open_bay(void)
{
    static const union tn_number fast[] = {{.i = FAST}}, slow[] = {{.i = SLOW}};
    const struct bay_module *ema = load("ema.so"), *cross = load("ema_cross-1.0.0.so");
    const struct tn_manifest *m = &bay_module_facts(cross)->manifest;
    union tn_number params[TN_MAX_PARAMS];
    for (uint32_t i = 0; i < m->param_count; i++)
        params[i] = m->params[i].def;
    const struct bay_spec spec = {
        .instrument = {.size = sizeof spec.instrument,
                       .id = 3,
                       .price_exp = -2,
                       .tick = 1,
                       .lot = 1,
                       .price_scale = 0.01,
                       .qty_scale = 1,
                       .symbol = "TEST"},
        .bar_ns = MINUTE,
        .seed = 1,
        .node_count = 3,
        .node = {{.id = 1, .module = ema, .params = fast},
                 {.id = 2, .module = ema, .params = slow},
                 {.id = 3, .module = cross, .params = params, .input_node = {0, 1}}}};
    struct bay *bay = NULL;
    struct trail tr = {0};
    const struct result r = bay_inline_new(&spec, NULL, &bay, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return bay;
}

static void put(struct belief *b, uint64_t *seq, int64_t t_ns, uint16_t type, const void *payload,
                struct outcome *out)
{
    const struct fact_head head = {
        .bytes = fact_bytes(type), .seq = ++*seq, .t_ns = t_ns, .type = type};
    struct belief_answer a;
    belief_event(b, &head, payload);
    while (belief_take(b, &a)) {
        assert_int_equal(a.a.kind, BAY_SIGNAL);
        assert_int_equal(a.a.cause_seq, *seq);
        assert_int_equal(a.a.instance, 3);
        assert_int_equal(a.a.signal.instrument, 3);
        assert_true(out->count < SIGNALS_MAX);
        out->at[out->count].end_ns = a.a.cause_t_ns;
        out->at[out->count].due_ns = a.due_ns;
        out->at[out->count].side = a.a.signal.side;
        out->at[out->count++].score_ppm = a.a.signal.score_ppm;
    }
}

static void run(const struct tape *t, bool from_trades, struct outcome *out)
{
    struct bay *bay = open_bay();
    struct belief *b = NULL;
    struct trail tr = {0};
    uint64_t seq = 0;
    const struct belief_route route = {.strategy = 3,
                                       .instrument = 3,
                                       .due_ns = 250,
                                       .bar_ns = MINUTE,
                                       .bars_from_trades = from_trades};
    memset(out, 0, sizeof *out);
    assert_true(is_ok(belief_new(1, &b, &tr)));
    assert_true(is_ok(belief_add(b, bay, &route, &tr)));
    assert_int_equal(belief_warmup(b), 5 * SLOW + 1); /* and the bar that tells its side */
    for (int i = 0; i < BARS; i++) {
        const uint32_t flags = i < WARM ? FACT_MD_WARMUP : 0;
        const int64_t start = i * MINUTE,
                      order[] = {t->first[i], t->high[i], t->low[i], t->close[i]};
        if (i == WARM)
            assert_true(is_ok(belief_activate(b, &tr)));
        for (int k = 0; k < 4 && from_trades; k++) {
            const struct fact_trade f = {
                .instrument = 3, .flags = flags, .price = order[k], .qty = 1};
            put(b, &seq, start + k, FACT_TRADE, &f, out);
        }
        const struct fact_bar bar = {.instrument = 3,
                                     .flags = flags,
                                     .open_ns = start,
                                     .open = t->first[i],
                                     .high = t->high[i],
                                     .low = t->low[i],
                                     .close = t->close[i],
                                     .volume = 4};
        const struct fact_tick tick = {.why = 2};
        if (from_trades) {
            assert_int_equal(belief_deadline(b), start + MINUTE);
            put(b, &seq, start + MINUTE, FACT_TICK, &tick, out);
        } else {
            put(b, &seq, start + MINUTE, FACT_BAR, &bar, out);
        }
    }
    belief_free(b);
    bay->ops->stop(bay);
}

static void belief_inline_signals_are_the_crossings(void **state)
{
    (void)state;
    struct tape t;
    struct outcome trades, bars;
    struct ema fast, slow;
    uint32_t expected = 0;
    int64_t side = 0;
    fill(&t);
    run(&t, true, &trades);
    run(&t, false, &bars);
    assert_memory_equal(&trades, &bars, sizeof trades);
    ema_init(&fast, FAST);
    ema_init(&slow, SLOW);
    for (int i = 0; i < BARS; i++) {
        ema_push(&fast, (double)t.close[i]);
        ema_push(&slow, (double)t.close[i]);
        if (!ema_is_ready(&slow))
            continue;
        const int64_t now = ema_value(&fast) > ema_value(&slow) ? 1 : -1;
        if (side != 0 && now != side && i >= WARM) {
            assert_true(expected < bars.count);
            assert_int_equal(bars.at[expected].end_ns, (i + 1) * MINUTE);
            assert_int_equal(bars.at[expected].due_ns, (i + 1) * MINUTE + 250);
            assert_int_equal(bars.at[expected].side, now > 0 ? TN_LONG : TN_SHORT);
            assert_true(bars.at[expected].score_ppm * now > 0);
            expected++;
        }
        side = now;
    }
    assert_int_equal(bars.count, expected);
    assert_in_range(expected, 10, SIGNALS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(belief_inline_signals_are_the_crossings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
