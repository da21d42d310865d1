/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the strategies that the tests of the swap rely on are what their headers say: they pass the
 * static checks, hand their state over (or not) as declared, agree with a twin that never stopped,
 * count what they should never be given, and break their contract when told. Method: the shared
 * objects of tests/fixtures/plugins in inline bays, fed with a saw-tooth of bars.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bays/bay.h"

#define SWAP_DIR TENON_BINARY_DIR "/swap/"
#define BAR_NS 60000000000ll
enum { BARS = 400, SIGNALS = 512 };

static const char *const all[] = {"tail-1.0.0", "tail-1.1.0", "tail-1.2.0",   "memo-1.0.0",
                                  "memo-2.0.0", "memo-3.0.0", "cold-1.0.0",   "cold-1.1.0",
                                  "slow-1.0.0", "slow-1.1.0", "chatty-1.0.0", "steady-1.0.0"};

static struct bay_module *module_of(const char *name)
{
    char path[512];
    struct trail tr = {0};
    struct bay_module *m = NULL;
    snprintf(path, sizeof path, "%s%s.so", SWAP_DIR, name);
    struct result r = bay_load(path, NULL, &m, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return m;
}

/* With the defaults of its params, but for `param` (when >= 0). */
static struct bay *bay_of(const struct bay_module *m, int param, int64_t value)
{
    union tn_number params[TN_MAX_PARAMS];
    struct trail tr = {0};
    struct bay *b = NULL;
    const struct tn_manifest *f = &bay_module_facts(m)->manifest;
    for (uint32_t i = 0; i < f->param_count; i++)
        params[i] = f->params[i].def;
    if (param >= 0)
        params[param].i = value;
    struct bay_spec spec = {.bar_ns = BAR_NS,
                            .seed = 7,
                            .instrument = {.size = sizeof spec.instrument,
                                           .id = 1,
                                           .tick = 1,
                                           .lot = 1,
                                           .price_scale = 1,
                                           .qty_scale = 1,
                                           .symbol = "COIN"},
                            .node_count = 1,
                            .node[0] = {.id = 3, .module = m, .params = params}};
    struct result r = bay_inline_new(&spec, NULL, &b, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return b;
}

/* Long waves with a ripple, so that every strategy changes its mind many times. */
static struct tn_event bar_at(uint32_t i, bool is_history)
{
    int64_t wave = i / 40 % 2 ? 40 - i % 40 : i % 40;
    int64_t close = 100000 + wave * 25 + (i * 7 % 11) * 60 + i / 3;
    struct tn_event ev = {.size = sizeof ev,
                          .type = TN_EVENT_BAR,
                          .seq = 1 + i,
                          .t_ns = (1 + (int64_t)i) * BAR_NS,
                          .instrument = 1,
                          .flags = is_history ? TN_EVENT_F_WARMUP : 0};
    ev.u.bar = (struct tn_bar){.open_ns = i * BAR_NS,
                               .open = close - (i % 3 ? 5 : -5),
                               .high = close + 20,
                               .low = close - 20,
                               .close = close,
                               .volume = 10};
    return ev;
}

struct heard {
    uint32_t count;
    uint64_t fault_seq;
    struct bay_answer a[SIGNALS];
};

static void give(struct bay *b, uint32_t from, uint32_t to, bool is_history, struct heard *h)
{
    struct bay_answer a;
    for (uint32_t i = from; i < to; i++) {
        const struct tn_event ev = bar_at(i, is_history);
        b->ops->give(b, &ev, 1);
        while (b->ops->take(b, &a)) {
            if (a.kind == BAY_FAULT)
                h->fault_seq = a.cause_seq;
            else if (h->count < SIGNALS)
                h->a[h->count++] = a;
        }
    }
}

static void activate(struct bay *b)
{
    struct trail tr = {0};
    struct result r = b->ops->activate(b, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
}

static struct heard *heard_new(void)
{
    struct heard *h = calloc(1, sizeof *h);
    assert_non_null(h);
    return h;
}

/* The signals of both from this event on are the same, but for the file they came from. */
static void assert_same_from(const struct heard *a, const struct heard *b, uint64_t seq)
{
    uint32_t i = 0, k = 0, compared = 0;
    while (i < a->count && a->a[i].cause_seq < seq)
        i++;
    while (k < b->count && b->a[k].cause_seq < seq)
        k++;
    for (; i < a->count && k < b->count; i++, k++, compared++) {
        struct fact_signal x = a->a[i].signal, y = b->a[k].signal;
        x.plugin_hash = y.plugin_hash = 0;
        assert_int_equal(a->a[i].cause_seq, b->a[k].cause_seq);
        assert_memory_equal(&x, &y, sizeof x);
    }
    assert_int_equal(i, a->count);
    assert_int_equal(k, b->count);
    assert_true(compared > 5);
}

static double value_of(const struct bay_answer *a, uint32_t reason)
{
    double v;
    memcpy(&v, &a->signal.reason[reason].value_bits, sizeof v);
    return v;
}

/* ---- tests ---- */

static void swap_plugins_pass_the_static_checks(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof all / sizeof *all; i++) {
        const struct tn_manifest *m = &bay_module_facts(module_of(all[i]))->manifest;
        char name[80];
        snprintf(name, sizeof name, "%s-%s", m->id, m->version);
        assert_string_equal(name, all[i]);
    }
}

static void tail_warmed_by_its_window_agrees_with_its_twin(void **state)
{
    (void)state;
    struct bay *twin = bay_of(module_of("tail-1.0.0"), -1, 0);
    struct bay *late = bay_of(module_of("tail-1.1.0"), -1, 0);
    struct heard *a = heard_new(), *b = heard_new();
    const uint32_t need = late->ops->warmup(late), swap = 200;
    assert_int_equal(need, 21);
    activate(twin);
    give(twin, 0, BARS, false, a);
    give(late, swap - need, swap, true, b);
    activate(late);
    give(late, swap, BARS, false, b);
    assert_same_from(a, b, 1 + swap);
    twin->ops->stop(twin);
    late->ops->stop(late);
    free(a);
    free(b);
}

static void memo_successor_with_its_state_agrees_with_its_twin(void **state)
{
    (void)state;
    struct bay *twin = bay_of(module_of("memo-1.0.0"), -1, 0);
    struct bay *next = bay_of(module_of("memo-2.0.0"), -1, 0);
    struct bay *bare = bay_of(module_of("memo-2.0.0"), -1, 0);
    struct heard *a = heard_new(), *b = heard_new(), *c = heard_new();
    struct trail tr = {0};
    void *bytes = NULL;
    size_t count = 0;
    const uint32_t swap = 200;
    activate(twin);
    give(twin, 0, swap, false, a);
    assert_true(is_ok(twin->ops->save(twin, 0, swap, &bytes, &count, &tr)));
    give(twin, swap, BARS, false, a);
    assert_true(is_ok(next->ops->load(next, 0, bytes, count, &tr)));
    activate(next);
    give(next, swap, BARS, false, b);
    assert_same_from(a, b, 1 + swap);
    give(bare, swap - 50, swap, true, c); /* history alone is not enough: the test can fail */
    activate(bare);
    give(bare, swap, BARS, false, c);
    assert_true(c->count > 0);
    assert_true(value_of(&c->a[0], 0) != value_of(&b->a[0], 0));
    free(bytes);
    struct bay *bays[] = {twin, next, bare};
    for (uint32_t i = 0; i < 3; i++)
        bays[i]->ops->stop(bays[i]);
    free(a);
    free(b);
    free(c);
}

static void memo_state_of_a_schema_it_does_not_read_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        bool is_read;
    } cases[] = {{"memo-1.0.0", "memo-1.0.0", true},  {"memo-1.0.0", "memo-2.0.0", true},
                 {"memo-2.0.0", "memo-2.0.0", true},  {"memo-2.0.0", "memo-1.0.0", false},
                 {"memo-1.0.0", "memo-3.0.0", false}, {"memo-2.0.0", "memo-3.0.0", false},
                 {"memo-3.0.0", "memo-2.0.0", false}, {"memo-3.0.0", "memo-3.0.0", true}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bay *from = bay_of(module_of(cases[i].from), -1, 0);
        struct bay *to = bay_of(module_of(cases[i].to), -1, 0);
        struct heard *h = heard_new();
        struct trail tr = {0};
        void *bytes = NULL;
        size_t count = 0;
        activate(from);
        give(from, 0, 50, false, h);
        assert_true(is_ok(from->ops->save(from, 0, 50, &bytes, &count, &tr)));
        struct result r = to->ops->load(to, 0, bytes, count, &tr);
        assert_int_equal(r.code, cases[i].is_read ? RESULT_OK : RESULT_VERSION);
        free(bytes);
        from->ops->stop(from);
        to->ops->stop(to);
        free(h);
    }
}

static void cold_is_marked_and_often_flat(void **state)
{
    (void)state;
    struct heard *h = heard_new();
    const struct bay_module *m = module_of("cold-1.0.0");
    struct bay *b = bay_of(m, -1, 0);
    uint32_t flat = 0;
    assert_true(bay_module_facts(m)->manifest.flags & TN_FLAG_COLD);
    assert_int_equal(bay_module_facts(m)->manifest.state_schema, 0);
    activate(b);
    give(b, 0, BARS, false, h);
    for (uint32_t i = 0; i < h->count; i++)
        flat += h->a[i].signal.side == TN_FLAT;
    assert_in_range(flat, h->count / 3, h->count);
    b->ops->stop(b);
    free(h);
}

static void slow_counts_what_it_should_not_be_given(void **state)
{
    (void)state;
    const struct bay_module *m = module_of("slow-1.0.0");
    struct heard *h = heard_new();
    struct bay *b = bay_of(m, 3, 1000);
    give(b, 0, 20, true, h);
    activate(b);
    give(b, 20, 100, false, h);
    assert_true(h->count > 5);
    for (uint32_t i = 0; i < h->count; i++)
        assert_true(value_of(&h->a[i], 0) == 0.0 && value_of(&h->a[i], 1) == 0.0);
    b->ops->stop(b);
    free(h);
}

static void *on_alloc(void *self, uint64_t bytes)
{
    assert_in_range(bytes, 1, 4096);
    return memset(self, 0, 4096);
}

/* A bay lets nothing through at the wrong time, so the counts are proved on bare functions. */
static void slow_bare_functions_count(void **state)
{
    (void)state;
    static const struct tn_instrument coin = {.size = sizeof coin, .id = 1, .symbol = "COIN"};
    const struct bay_module *m = module_of("slow-1.1.0");
    const struct tn_strategy_ops *ops = bay_module_entry(m)->ops;
    union tn_number params[4] = {{.i = 0}, {.i = 0}, {.i = 0}, {.i = 10}};
    _Alignas(16) static uint8_t memory[4096];
    struct tn_signal signal[1];
    struct tn_signals out = {.size = sizeof out, .capacity = 1, .signal = signal};
    const struct tn_create c = {.size = sizeof c,
                                .param_count = 4,
                                .params = params,
                                .instrument = &coin,
                                .bar_ns = BAR_NS};
    const struct tn_host host = {.size = sizeof host, .self = memory, .alloc = on_alloc};
    void *inst = NULL;
    uint32_t at = 0, told = 0;
    assert_int_equal(ops->base.create(&host, &c, &inst), TN_OK);
    for (; at < 3; at++) { /* live, and not active yet */
        const struct tn_event ev = bar_at(at, false);
        ops->on_events(inst, &ev, 1, NULL, &out);
    }
    assert_int_equal(ops->base.activate(inst), TN_OK);
    ops->base.deactivate(inst);
    for (; at < 60; at++) {
        const struct tn_event ev = bar_at(at, false);
        ops->on_events(inst, &ev, 1, NULL, &out);
        if (out.count == 0)
            continue;
        told++;
        assert_true(signal[0].reason[0].value == 3.0);
        assert_true(signal[0].reason[1].value == (double)(at - 2));
    }
    assert_true(told > 3);
    ops->base.destroy(inst);
}

static void faulty_tail_breaks_after_so_many_live_bars(void **state)
{
    (void)state;
    struct heard *h = heard_new();
    struct bay *b = bay_of(module_of("tail-1.2.0"), 4, 30);
    give(b, 0, 100, true, h);
    activate(b);
    give(b, 100, BARS, false, h);
    assert_int_equal(h->fault_seq, 1 + 100 + 30);
    assert_true(b->ops->is_quarantined(b));
    b->ops->stop(b);
    free(h);
}

static void chatty_speaks_with_every_bar(void **state)
{
    (void)state;
    struct heard *h = heard_new();
    struct bay *b = bay_of(module_of("chatty-1.0.0"), -1, 0);
    activate(b);
    give(b, 0, 100, false, h);
    assert_int_equal(h->count, 100);
    for (uint32_t i = 1; i < h->count; i++)
        assert_true(h->a[i].signal.side != h->a[i - 1].signal.side);
    b->ops->stop(b);
    free(h);
}

static void steady_is_long_with_every_bar(void **state)
{
    (void)state;
    struct heard *h = heard_new();
    struct bay *b = bay_of(module_of("steady-1.0.0"), -1, 0);
    activate(b);
    give(b, 0, 100, false, h);
    assert_int_equal(h->count, 100);
    for (uint32_t i = 0; i < h->count; i++)
        assert_int_equal(h->a[i].signal.side, TN_LONG);
    b->ops->stop(b);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_plugins_pass_the_static_checks),
        cmocka_unit_test(tail_warmed_by_its_window_agrees_with_its_twin),
        cmocka_unit_test(memo_successor_with_its_state_agrees_with_its_twin),
        cmocka_unit_test(memo_state_of_a_schema_it_does_not_read_is_refused),
        cmocka_unit_test(cold_is_marked_and_often_flat),
        cmocka_unit_test(slow_counts_what_it_should_not_be_given),
        cmocka_unit_test(slow_bare_functions_count),
        cmocka_unit_test(faulty_tail_breaks_after_so_many_live_bars),
        cmocka_unit_test(chatty_speaks_with_every_bar),
        cmocka_unit_test(steady_is_long_with_every_bar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
