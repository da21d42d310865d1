/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: @ID@ signals when it should and says why. Method: the plugin's source is included and fed
 * bar by bar through its own entry, as a host does it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "strategy.c"

struct rig {
    _Alignas(16) uint8_t arena[8192];
    uint64_t used;
    void *inst;
    uint64_t seq;
    struct tn_signal signal; /* the last one */
};

static void *rig_alloc(void *self, uint64_t bytes)
{
    struct rig *r = self;
    void *piece = r->arena + r->used;
    r->used += (bytes + 15) & ~15ull;
    return r->used <= sizeof r->arena ? piece : NULL;
}

static void rig_open(struct rig *r)
{
    *r = (struct rig){0};
    const struct tn_manifest *m = tn_entry.manifest;
    union tn_number param[TN_MAX_PARAMS];
    for (uint32_t i = 0; i < m->param_count; i++)
        param[i] = m->params[i].def;
    const struct tn_host host = {.size = sizeof host, .self = r, .alloc = rig_alloc};
    const struct tn_instrument instrument = {
        .size = sizeof instrument, .id = 1, .price_exp = -2, .price_scale = 0.01};
    const struct tn_create c = {.size = sizeof c,
                                .param_count = m->param_count,
                                .params = param,
                                .instrument = &instrument,
                                .bar_ns = 60000000000};
    assert_int_equal(tn_easy_ops.base.create(&host, &c, &r->inst), TN_OK);
}

/* One bar; gives the number of signals. */
static uint32_t rig_bar(struct rig *r, int64_t close, double average, uint32_t ready)
{
    const struct tn_event ev = {
        .size = sizeof ev,
        .type = TN_EVENT_BAR,
        .seq = ++r->seq,
        .t_ns = (int64_t)r->seq * 60000000000,
        .u.bar = {.open = close, .high = close, .low = close, .close = close}};
    const struct tn_inputs in = {
        .size = sizeof in, .input_count = 1, .value = &average, .ready = &ready};
    struct tn_signals out = {.size = sizeof out, .capacity = 1, .signal = &r->signal};
    assert_int_equal(tn_easy_ops.on_events(r->inst, &ev, 1, &in, &out), TN_OK);
    return out.count;
}

static void crossing_the_average_signals_once(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    assert_int_equal(rig_bar(&r, 10100, 100.0, 0), 0); /* the average is not ready */
    assert_int_equal(rig_bar(&r, 9900, 100.0, 1), 0);
    assert_int_equal(rig_bar(&r, 10100, 100.0, 1), 1);
    assert_int_equal(r.signal.side, TN_LONG);
    assert_int_equal(rig_bar(&r, 10200, 100.0, 1), 0);
    assert_int_equal(rig_bar(&r, 9900, 100.0, 1), 1);
    assert_int_equal(r.signal.side, TN_FLAT);
    assert_int_equal(r.signal.score_ppm, 0);
}

static void reasons_sum_to_the_score(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    for (int64_t close = 9900; close <= 20000; close += 10100 / 2) {
        if (rig_bar(&r, close, 100.0, 1) == 0)
            continue;
        int64_t sum = 0;
        for (uint32_t i = 0; i < r.signal.reason_count; i++)
            sum += r.signal.reason[i].contribution_ppm;
        assert_int_equal(sum, r.signal.score_ppm);
        assert_in_range(r.signal.score_ppm, 1, TN_ONE_PPM);
    }
    assert_int_equal(r.signal.side, TN_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crossing_the_average_signals_once),
        cmocka_unit_test(reasons_sum_to_the_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
