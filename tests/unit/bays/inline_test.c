/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the inline bay gives what good plugins say, the same however batches are cut, and turns
 * every broken rule into exactly one fault at the right event and then silence. Method: the good
 * and broken plugins of tests/abi; one mode per rule, each fed one by one and in batches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "bays/bay.h"
#include "bays/fpu.h"
#include "tests/lib/alloc_watch.h"

#define ABI TENON_BINARY_DIR "/abi/"
enum { BARS = 400, ANSWERS = 600 };
#define MINUTE_NS 60000000000ll

static struct bay_module *mean, *cross, *solo, *broken_ind, *broken_str;
static struct tn_event bars[BARS];

static struct bay_module *must_load(const char *name)
{
    char path[512];
    struct bay_module *m = NULL;
    struct trail tr = {0};
    snprintf(path, sizeof path, ABI "%s.so", name);
    struct result r = bay_load(path, NULL, &m, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return m;
}

static int load_all(void **state)
{
    struct rng rng;
    int64_t price = 100000;
    (void)state;
    mean = must_load("mean");
    cross = must_load("cross");
    solo = must_load("solo");
    broken_ind = must_load("broken_ind");
    broken_str = must_load("broken_str");
    rng_seed(&rng, 7);
    for (int i = 0; i < BARS; i++) {
        int64_t open = price;
        price += (int64_t)rng_below(&rng, 201) - 100;
        bars[i] = (struct tn_event){.size = sizeof bars[i],
                                    .type = TN_EVENT_BAR,
                                    .seq = 1000 + (uint64_t)i * 3,
                                    .t_ns = (i + 1) * MINUTE_NS,
                                    .instrument = 4,
                                    .u.bar = {.open_ns = i * MINUTE_NS,
                                              .open = open,
                                              .high = open > price ? open : price,
                                              .low = open < price ? open : price,
                                              .close = price,
                                              .volume = 10}};
    }
    return 0;
}

static struct bay_spec new_spec(void)
{
    return (struct bay_spec){.instrument = {.size = sizeof(struct tn_instrument),
                                            .id = 4,
                                            .price_exp = -2,
                                            .qty_exp = -3,
                                            .tick = 1,
                                            .lot = 1,
                                            .price_scale = 0.01,
                                            .qty_scale = 0.001,
                                            .symbol = "TEST"},
                             .bar_ns = MINUTE_NS,
                             .seed = 1};
}

static struct bay *open_bay(const struct bay_spec *spec)
{
    struct bay *b = NULL;
    struct trail tr = {0};
    struct result r = bay_inline_new(spec, NULL, &b, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return b;
}

static void activate(struct bay *b)
{
    struct trail tr = {0};
    struct result r = b->ops->activate(b, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
}

static const union tn_number fast[] = {{.i = 3}}, slow[] = {{.i = 12}}, ticks[] = {{.i = 5}};

static struct bay_spec cross_spec(void)
{
    struct bay_spec s = new_spec();
    s.node_count = 3;
    s.node[0] = (struct bay_instance_spec){.id = 11, .module = mean, .params = fast};
    s.node[1] = (struct bay_instance_spec){.id = 12, .module = mean, .params = slow};
    s.node[2] = (struct bay_instance_spec){
        .id = 13, .module = cross, .input_node = {0, 1}, .input_output = {0, 0}};
    return s;
}

static struct bay_spec solo_spec(void)
{
    struct bay_spec s = new_spec();
    s.node_count = 1;
    s.node[0] = (struct bay_instance_spec){.id = 21, .module = solo, .params = ticks};
    return s;
}

/* Feeds bars [from, to) in batches of `batch` and takes all answers. */
static uint32_t feed(struct bay *b, uint32_t from, uint32_t to, uint32_t batch,
                     struct bay_answer *out)
{
    uint32_t count = 0;
    for (uint32_t i = from; i < to; i += batch) {
        b->ops->give(b, &bars[i], batch < to - i ? batch : to - i);
        while (b->ops->take(b, &out[count])) {
            count++;
            assert_true(count < ANSWERS);
        }
    }
    return count;
}

static int64_t mean_of(uint32_t last, uint32_t n)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += bars[last - i].u.bar.close;
    return sum;
}

static void inline_cross_gives_the_signals_of_a_recount(void **state)
{
    (void)state;
    struct bay_answer got[ANSWERS];
    struct bay_spec spec = cross_spec();
    struct bay *b = open_bay(&spec);
    activate(b);
    uint32_t count = feed(b, 0, BARS, 1, got), at = 0, side = 0;
    for (uint32_t i = 11; i < BARS; i++) {
        int64_t f = mean_of(i, 3) * 12, s = mean_of(i, 12) * 3;
        uint32_t now = f > s ? TN_LONG : TN_SHORT;
        if (f == s || now == side)
            continue;
        side = now;
        assert_true(at < count);
        const struct bay_answer *a = &got[at++];
        assert_int_equal(a->kind, BAY_SIGNAL);
        assert_int_equal(a->instance, 13);
        assert_int_equal(a->cause_seq, bars[i].seq);
        assert_int_equal(a->cause_t_ns, bars[i].t_ns);
        assert_int_equal(a->signal.side, side);
        assert_int_equal(a->signal.instrument, 4);
        assert_int_equal(a->signal.reason_count, 3);
        double value;
        memcpy(&value, &a->signal.reason[1].value_bits, 8);
        assert_true(value > 0);
        const uint8_t *sha = bay_module_facts(cross)->sha256;
        assert_int_equal(a->signal.plugin_hash >> 56, sha[0]);
        assert_int_equal(a->signal.plugin_hash & 0xff, sha[7]);
    }
    assert_int_equal(at, count);
    assert_true(count > 10);
    assert_int_equal(b->ops->warmup(b), 12 + 3);
    b->ops->stop(b);
}

static void inline_answers_do_not_depend_on_batches(void **state)
{
    (void)state;
    static const uint32_t batch[] = {2, 3, 7, 63, 64, 65, 128, 399, 400};
    static struct bay_answer one[ANSWERS], many[ANSWERS];
    for (int kind = 0; kind < 2; kind++) {
        struct bay_spec spec = kind ? cross_spec() : solo_spec();
        memset(one, 0, sizeof one);
        struct bay *b = open_bay(&spec);
        activate(b);
        uint32_t count = feed(b, 0, BARS, 1, one);
        b->ops->stop(b);
        assert_true(count > 10);
        for (size_t i = 0; i < sizeof batch / sizeof batch[0]; i++) {
            memset(many, 0, sizeof many);
            b = open_bay(&spec);
            activate(b);
            assert_int_equal(feed(b, 0, BARS, batch[i], many), count);
            assert_memory_equal(one, many, sizeof one);
            b->ops->stop(b);
        }
    }
}

static void inline_warmup_signals_are_dropped_and_state_is_kept(void **state)
{
    (void)state;
    static struct bay_answer all[ANSWERS], live[ANSWERS];
    struct bay_spec spec = cross_spec();
    struct bay *b = open_bay(&spec);
    activate(b);
    uint32_t count = feed(b, 0, BARS, 8, all);
    b->ops->stop(b);
    b = open_bay(&spec);
    for (int i = 0; i < 200; i++)
        bars[i].flags = TN_EVENT_F_WARMUP;
    uint32_t warm = feed(b, 0, 200, 16, live);
    for (int i = 0; i < 200; i++)
        bars[i].flags = 0;
    assert_int_equal(warm, 0);
    activate(b);
    uint32_t after = feed(b, 200, BARS, 16, live), skip = 0;
    while (skip < count && all[skip].cause_seq < bars[200].seq)
        skip++;
    assert_true(after > 3);
    assert_int_equal(after, count - skip);
    for (uint32_t i = 0; i < after; i++)
        assert_memory_equal(&live[i].signal, &all[skip + i].signal, sizeof live[i].signal);
    b->ops->stop(b);
}

static void inline_stride_larger_than_event_is_followed(void **state)
{
    (void)state;
    struct wide {
        struct tn_event ev;
        uint64_t newer[3];
    };
    static struct wide wide[BARS];
    static struct bay_answer one[ANSWERS], two[ANSWERS];
    struct bay_spec spec = cross_spec();
    struct bay *b = open_bay(&spec);
    activate(b);
    uint32_t count = feed(b, 0, BARS, 64, one), n = 0;
    b->ops->stop(b);
    for (int i = 0; i < BARS; i++) {
        wide[i].ev = bars[i];
        wide[i].ev.size = sizeof wide[i];
        memset(wide[i].newer, 0xa5, sizeof wide[i].newer);
    }
    b = open_bay(&spec);
    activate(b);
    b->ops->give(b, &wide[0].ev, BARS);
    while (b->ops->take(b, &two[n]))
        n++;
    assert_int_equal(n, count);
    assert_memory_equal(one, two, n * sizeof one[0]);
    b->ops->stop(b);
}

/* ---- faults ---- */

struct rule {
    int64_t mode;
    int32_t status;
    const char *word;
};

/* Feeds a bay whose plugin breaks its rule at bar `at` and expects `before` signals, one fault. */
static void expect_fault(struct bay_spec *spec, const struct rule *rule, uint32_t at,
                         uint32_t before, uint32_t batch, uint32_t instance)
{
    static struct bay_answer got[ANSWERS];
    struct fpu fpu = fpu_read();
    struct bay *b = open_bay(spec);
    activate(b);
    uint32_t count = feed(b, 0, BARS, batch, got);
    if (count != before + 1 || got[count - 1].kind != BAY_FAULT ||
        !strstr(got[count - 1].text, rule->word))
        fail_msg("mode %lld in batches of %u: %u answers, last kind %u text %s",
                 (long long)rule->mode, batch, count, got[count ? count - 1 : 0].kind,
                 got[count ? count - 1 : 0].text);
    const struct bay_answer *f = &got[count - 1];
    assert_int_equal(f->cause_seq, bars[at - 1].seq);
    assert_int_equal(f->cause_t_ns, bars[at - 1].t_ns);
    assert_int_equal(f->status, rule->status);
    assert_int_equal(f->instance, instance);
    assert_true(b->ops->is_quarantined(b));
    assert_true(fpu_same(fpu, fpu_read()));
    assert_int_equal(feed(b, 0, 50, 10, got), 0); /* silent */
    void *bytes = NULL;
    size_t n = 0;
    assert_int_equal(b->ops->save(b, 0, 1, &bytes, &n, NULL).code, RESULT_STATE);
    b->ops->stop(b);
}

static const struct rule strategy_rules[] = {
    {2, 0, "side is not"},
    {3, 0, "score is outside"},
    {4, 0, "sign of the score"},
    {5, 0, "confidence is outside"},
    {6, 0, "horizon"},
    {7, 0, "unknown bit"},
    {8, 0, "target is outside"},
    {9, 0, "limit offset"},
    {10, 0, "stop distance"},
    {11, 0, "time to live"},
    {12, 0, "reason count"},
    {13, 0, "reason count"},
    {14, 0, "do not sum"},
    {15, 0, "names an input"},
    {16, 0, "not a finite number"},
    {19, 0, "same signal twice"},
    {20, 0, "more signals than it declares"},
    {22, 0, "size is not"},
    {25, 0, "sign of the score"},
};

static void inline_broken_signal_is_one_fault_at_its_event(void **state)
{
    (void)state;
    static const uint32_t batch[] = {1, 5, 64, 100};
    for (size_t i = 0; i < sizeof strategy_rules / sizeof strategy_rules[0]; i++) {
        const union tn_number params[] = {{.i = strategy_rules[i].mode}, {.i = 70}};
        struct bay_spec s = new_spec();
        s.node_count = 1;
        s.node[0] = (struct bay_instance_spec){.id = 31, .module = broken_str, .params = params};
        for (size_t k = 0; k < sizeof batch / sizeof batch[0]; k++)
            expect_fault(&s, &strategy_rules[i], 70, 69, batch[k], 31);
    }
}

/* Where the plugin does not say which event it was, the first of the batch is named. */
static void inline_broken_call_is_one_fault(void **state)
{
    (void)state;
    static const struct rule rules[] = {{1, -3, "an unknown status"},
                                        {17, 0, "outside the batch"},
                                        {18, 0, "more signals than it declares"},
                                        {23, 0, "FP control word"},
                                        {24, 0, "FP control word"}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const union tn_number params[] = {{.i = rules[i].mode}, {.i = 71}};
        struct bay_spec s = new_spec();
        s.node_count = 1;
        s.node[0] = (struct bay_instance_spec){.id = 31, .module = broken_str, .params = params};
        expect_fault(&s, &rules[i], 71, 70, 1, 31);
        expect_fault(&s, &rules[i], 71, 70, 10, 31); /* bar 71 begins a batch */
    }
}

static void inline_signals_out_of_order_are_a_fault(void **state)
{
    (void)state;
    const struct rule rule = {21, 0, "order of events"};
    const union tn_number params[] = {{.i = 21}, {.i = 70}};
    struct bay_spec s = new_spec();
    s.node_count = 1;
    s.node[0] = (struct bay_instance_spec){.id = 31, .module = broken_str, .params = params};
    expect_fault(&s, &rule, 68, 67, 128, 31); /* bar 70 answers for bar 68, after 69 was answered */
}

static void inline_broken_indicator_is_one_fault_at_its_event(void **state)
{
    (void)state;
    static const struct rule rules[] = {{1, 0, "not a finite number"},
                                        {2, 0, "not a finite number"},
                                        {3, 0, "beyond its outputs"},
                                        {4, 0, "were not written"}};
    static const uint32_t batch[] = {1, 9, 64, 128};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const union tn_number bad[] = {{.i = rules[i].mode}, {.i = 70}},
                              fine[] = {{.i = 0}, {.i = 1}};
        struct bay_spec s = new_spec();
        s.node_count = 2;
        s.node[0] = (struct bay_instance_spec){.id = 41, .module = broken_ind, .params = bad};
        s.node[1] = (struct bay_instance_spec){.id = 42, .module = broken_str, .params = fine};
        for (size_t k = 0; k < sizeof batch / sizeof batch[0]; k++)
            expect_fault(&s, &rules[i], 70, 69, batch[k], 41);
    }
}

static void inline_indicator_call_faults_are_found(void **state)
{
    (void)state;
    static const struct rule rules[] = {{5, 99, "an unknown status"},
                                        {6, TN_E_DATA, "TN_E_DATA"},
                                        {7, 0, "FP control word"},
                                        {8, 0, "hot call"},
                                        {9, 0, "hot call"}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const union tn_number bad[] = {{.i = rules[i].mode}, {.i = 65}},
                              fine[] = {{.i = 0}, {.i = 1}};
        struct bay_spec s = new_spec();
        s.node_count = 2;
        s.node[0] = (struct bay_instance_spec){.id = 41, .module = broken_ind, .params = bad};
        s.node[1] = (struct bay_instance_spec){.id = 42, .module = broken_str, .params = fine};
        uint32_t instance = i < 2 ? 41 : 42; /* of the bay when the node is not known */
        expect_fault(&s, &rules[i], 65, 64, 1, instance);
        expect_fault(&s, &rules[i], 65, 64, 64, instance);
    }
}

static void inline_not_ready_nan_reaches_nobody(void **state)
{
    (void)state;
    static struct bay_answer got[ANSWERS];
    const union tn_number nan[] = {{.i = 10}, {.i = 20}}, fine[] = {{.i = 0}, {.i = 1}};
    struct bay_spec s = new_spec();
    s.node_count = 2;
    s.node[0] = (struct bay_instance_spec){.id = 41, .module = broken_ind, .params = nan};
    s.node[1] = (struct bay_instance_spec){.id = 42, .module = broken_str, .params = fine};
    struct bay *b = open_bay(&s);
    activate(b);
    assert_int_equal(feed(b, 0, BARS, 16, got), BARS);
    assert_false(b->ops->is_quarantined(b));
    b->ops->stop(b);
}

static void inline_members_without_advice_are_zero(void **state)
{
    (void)state;
    static struct bay_answer got[ANSWERS];
    const union tn_number params[] = {{.i = 26}, {.i = 5}};
    struct bay_spec s = new_spec();
    s.node_count = 1;
    s.node[0] = (struct bay_instance_spec){.id = 31, .module = broken_str, .params = params};
    struct bay *b = open_bay(&s);
    activate(b);
    assert_int_equal(feed(b, 0, 10, 10, got), 10);
    assert_int_equal(got[4].signal.stop_distance, 0);
    assert_int_equal(got[4].signal.ttl_ns, 0);
    assert_int_equal(got[4].signal.target_ppm, 0);
    assert_int_equal(got[4].signal.limit_offset, 0);
    b->ops->stop(b);
}

static void inline_signal_slots_start_from_zero_each_time(void **state)
{
    (void)state;
    static struct bay_answer got[ANSWERS];
    static const uint32_t batch[] = {1, 2, 10};
    const union tn_number params[] = {{.i = 27}, {.i = 6}};
    struct bay_spec s = new_spec();
    s.node_count = 1;
    s.node[0] = (struct bay_instance_spec){.id = 31, .module = broken_str, .params = params};
    for (size_t k = 0; k < sizeof batch / sizeof batch[0]; k++) {
        struct bay *b = open_bay(&s);
        activate(b);
        assert_int_equal(feed(b, 0, 10, batch[k], got), 10);
        assert_int_equal(got[4].signal.advice, TN_ADVICE_TTL);
        assert_int_equal(got[5].signal.advice, 0);
        assert_int_equal(got[5].signal.confidence_ppm, 0);
        b->ops->stop(b);
    }
}

static void inline_full_queue_is_a_fault_and_keeps_what_it_has(void **state)
{
    (void)state;
    const union tn_number params[] = {{.i = 0}, {.i = 1}};
    struct bay_spec s = new_spec();
    struct bay_answer a;
    s.node_count = 1;
    s.node[0] = (struct bay_instance_spec){.id = 31, .module = broken_str, .params = params};
    struct bay *b = open_bay(&s);
    activate(b);
    for (int i = 0; i < 3; i++)
        b->ops->give(b, bars, BARS); /* 1200 signals, nobody takes */
    uint32_t signals = 0;
    while (b->ops->take(b, &a) && a.kind == BAY_SIGNAL)
        signals++;
    assert_int_equal(signals, BAY_ANSWERS_MAX);
    assert_int_equal(a.kind, BAY_FAULT);
    assert_non_null(strstr(a.text, "overflow"));
    assert_int_equal(a.cause_seq, bars[BAY_ANSWERS_MAX - 2 * BARS].seq);
    assert_false(b->ops->take(b, &a));
    b->ops->stop(b);
}

/* ---- creation ---- */

static void expect_no_bay(const struct bay_spec *s, int32_t code, const char *word)
{
    struct bay *b = NULL;
    struct trail tr = {0};
    struct result r = bay_inline_new(s, NULL, &b, &tr);
    if (r.code != code || !strstr(trail_sentence(&tr, r), word))
        fail_msg("code %d: %s", r.code, trail_sentence(&tr, r));
    assert_null(b);
}

static void inline_wrong_spec_is_refused_with_a_sentence(void **state)
{
    (void)state;
    const union tn_number zero[] = {{.i = 0}}, big[] = {{.i = 501}};
    const union tn_number fails[] = {{.i = 100}, {.i = 0}}, param[] = {{.i = 101}, {.i = 0}};
    const union tn_number fine[] = {{.i = 0}, {.i = 1}};
    struct bay_spec s = new_spec();
    expect_no_bay(&s, RESULT_CONFIG, "0 instances");
    s = cross_spec();
    s.node[2].input_node[1] = 2;
    expect_no_bay(&s, RESULT_CONFIG, "input slow comes from node 2");
    s = cross_spec();
    s.node[2].input_output[0] = 1;
    expect_no_bay(&s, RESULT_CONFIG, "output 1 of mean");
    s = cross_spec();
    s.node_count = 2;
    expect_no_bay(&s, RESULT_CONFIG, "kind indicator where a bay wants strategy");
    s = cross_spec();
    s.node[0] = s.node[2];
    expect_no_bay(&s, RESULT_CONFIG, "kind strategy where a bay wants indicator");
    s = cross_spec();
    s.node[0].params = zero;
    expect_no_bay(&s, RESULT_RANGE, "parameter length is 0");
    s.node[0].params = big;
    expect_no_bay(&s, RESULT_RANGE, "between 1 and 500");
    s = new_spec();
    s.node_count = 2;
    s.node[0] = (struct bay_instance_spec){.id = 41, .module = broken_ind, .params = fails};
    s.node[1] = (struct bay_instance_spec){.id = 42, .module = broken_str, .params = fine};
    expect_no_bay(&s, RESULT_PLUGIN, "create gave an unknown status (77)");
    s.node[0].params = param;
    expect_no_bay(&s, RESULT_CONFIG, "create gave TN_E_PARAM");
}

static void inline_failed_activate_can_be_stopped(void **state)
{
    (void)state;
    const union tn_number fails[] = {{.i = 102}, {.i = 0}}, fine[] = {{.i = 0}, {.i = 1}};
    struct bay_spec s = new_spec();
    struct trail tr = {0};
    s.node_count = 2;
    s.node[0] = (struct bay_instance_spec){.id = 41, .module = broken_ind, .params = fails};
    s.node[1] = (struct bay_instance_spec){.id = 42, .module = broken_str, .params = fine};
    struct bay *b = open_bay(&s);
    struct result r = b->ops->activate(b, &tr);
    assert_int_equal(r.code, RESULT_PLUGIN);
    assert_non_null(strstr(trail_sentence(&tr, r), "activate gave TN_E_STATE"));
    b->ops->stop(b);
}

/* ---- hot path and log ---- */

static void inline_give_and_take_allocate_nothing(void **state)
{
    (void)state;
    struct bay_answer a;
    struct bay_spec spec = cross_spec();
    struct bay *b = open_bay(&spec);
    activate(b);
    uint32_t signals = 0;
    alloc_watch_start();
    for (int i = 0; i < BARS; i++) {
        b->ops->give(b, &bars[i], 1);
        while (b->ops->take(b, &a))
            signals++;
    }
    uint64_t allocations = alloc_watch_stop();
    assert_int_equal(allocations, 0);
    assert_true(signals > 10);
    b->ops->stop(b);
}

static void inline_plugin_log_is_limited_and_escaped(void **state)
{
    (void)state;
    static struct bay_answer got[ANSWERS];
    char text[16384];
    int fd[2];
    struct log *l = NULL;
    struct bay *b = NULL;
    struct trail tr = {0};
    const union tn_number talk[] = {{.i = 11}, {.i = 5}}, fine[] = {{.i = 0}, {.i = 1}};
    struct bay_spec s = new_spec();
    s.node_count = 2;
    s.node[0] = (struct bay_instance_spec){.id = 41, .module = broken_ind, .params = talk};
    s.node[1] = (struct bay_instance_spec){.id = 42, .module = broken_str, .params = fine};
    assert_int_equal(pipe(fd), 0);
    assert_true(is_ok(log_open(&l, fd[1], LOG_WORDS, LOG_DEBUG)));
    assert_true(is_ok(bay_inline_new(&s, l, &b, &tr)));
    activate(b);
    feed(b, 0, 10, 1, got);
    b->ops->idle(b);
    b->ops->stop(b);
    log_close(l);
    close(fd[1]);
    ssize_t n = read(fd[0], text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = 0;
    close(fd[0]);
    uint32_t lines = 0;
    for (const char *at = text; (at = strstr(at, "broken_ind says: line\\x0awith \\x01")); at++)
        lines++;
    assert_int_equal(lines, 16);
    assert_non_null(strstr(text, "84 log lines dropped"));
}

/* ---- state ---- */

static void inline_state_moves_to_a_twin(void **state)
{
    (void)state;
    static struct bay_answer all[ANSWERS], rest[ANSWERS];
    struct bay_spec spec = cross_spec();
    struct trail tr = {0};
    void *bytes[3];
    size_t count[3];
    struct bay *a = open_bay(&spec), *b = open_bay(&spec);
    activate(a);
    feed(a, 0, 150, 10, all);
    for (uint32_t k = 0; k < 3; k++)
        assert_true(is_ok(a->ops->save(a, k, bars[149].seq, &bytes[k], &count[k], &tr)));
    uint32_t want = feed(a, 150, BARS, 10, all);
    for (uint32_t k = 0; k < 3; k++) {
        struct result r = b->ops->load(b, k, bytes[k], count[k], &tr);
        if (!is_ok(r))
            fail_msg("%s", trail_sentence(&tr, r));
    }
    activate(b);
    assert_int_equal(b->ops->load(b, 0, bytes[0], count[0], &tr).code, RESULT_STATE);
    assert_int_equal(feed(b, 150, BARS, 7, rest), want);
    assert_memory_equal(all, rest, want * sizeof all[0]);
    assert_true(want > 5);
    for (uint32_t k = 0; k < 3; k++)
        free(bytes[k]);
    a->ops->stop(a);
    b->ops->stop(b);
}

static void inline_state_of_another_node_is_refused(void **state)
{
    (void)state;
    struct bay_spec spec = cross_spec(), cold = solo_spec();
    struct trail tr = {0};
    static struct bay_answer got[ANSWERS];
    void *bytes = NULL;
    size_t count = 0;
    struct bay *a = open_bay(&spec), *b = open_bay(&spec), *c = open_bay(&cold);
    activate(a);
    feed(a, 0, 50, 10, got);
    assert_true(is_ok(a->ops->save(a, 0, 1, &bytes, &count, &tr)));
    assert_int_equal(b->ops->load(b, 1, bytes, count, &tr).code, RESULT_FOREIGN); /* other length */
    assert_int_equal(b->ops->load(b, 2, bytes, count, &tr).code, RESULT_FOREIGN); /* other plugin */
    assert_int_equal(c->ops->load(c, 0, bytes, count, &tr).code, RESULT_STATE);   /* keeps none */
    assert_true(is_ok(b->ops->load(b, 0, bytes, count, &tr)));
    free(bytes);
    a->ops->stop(a);
    b->ops->stop(b);
    c->ops->stop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inline_cross_gives_the_signals_of_a_recount),
        cmocka_unit_test(inline_answers_do_not_depend_on_batches),
        cmocka_unit_test(inline_warmup_signals_are_dropped_and_state_is_kept),
        cmocka_unit_test(inline_stride_larger_than_event_is_followed),
        cmocka_unit_test(inline_broken_signal_is_one_fault_at_its_event),
        cmocka_unit_test(inline_broken_call_is_one_fault),
        cmocka_unit_test(inline_signals_out_of_order_are_a_fault),
        cmocka_unit_test(inline_broken_indicator_is_one_fault_at_its_event),
        cmocka_unit_test(inline_indicator_call_faults_are_found),
        cmocka_unit_test(inline_not_ready_nan_reaches_nobody),
        cmocka_unit_test(inline_members_without_advice_are_zero),
        cmocka_unit_test(inline_signal_slots_start_from_zero_each_time),
        cmocka_unit_test(inline_full_queue_is_a_fault_and_keeps_what_it_has),
        cmocka_unit_test(inline_wrong_spec_is_refused_with_a_sentence),
        cmocka_unit_test(inline_failed_activate_can_be_stopped),
        cmocka_unit_test(inline_give_and_take_allocate_nothing),
        cmocka_unit_test(inline_plugin_log_is_limited_and_escaped),
        cmocka_unit_test(inline_state_moves_to_a_twin),
        cmocka_unit_test(inline_state_of_another_node_is_refused),
    };
    return cmocka_run_group_tests(tests, load_all, NULL);
}
