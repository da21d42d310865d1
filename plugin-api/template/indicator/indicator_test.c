/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: @ID@ gives the right numbers, the same in a batch as one by one. Method: the plugin's
 * source is included and fed through its own entry, as a host does it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "indicator.c"

enum { BARS = 40 };

struct rig {
    _Alignas(16) uint8_t arena[8192];
    uint64_t used;
    void *inst;
};

static void *rig_alloc(void *self, uint64_t bytes)
{
    struct rig *r = self;
    void *piece = r->arena + r->used;
    r->used += (bytes + 15) & ~15ull;
    return r->used <= sizeof r->arena ? piece : NULL;
}

static void rig_open(struct rig *r, int64_t period)
{
    *r = (struct rig){0};
    const union tn_number param[] = {{.i = period}};
    const struct tn_host host = {.size = sizeof host, .self = r, .alloc = rig_alloc};
    const struct tn_instrument instrument = {
        .size = sizeof instrument, .id = 1, .price_exp = -2, .price_scale = 0.01};
    const struct tn_create c = {.size = sizeof c,
                                .param_count = 1,
                                .params = param,
                                .instrument = &instrument,
                                .bar_ns = 60000000000};
    assert_int_equal(tn_easy_ops.base.create(&host, &c, &r->inst), TN_OK);
}

static void fill(struct tn_event ev[BARS])
{
    for (int i = 0; i < BARS; i++)
        ev[i] = (struct tn_event){.size = sizeof ev[i],
                                  .type = i % 5 == 4 ? TN_EVENT_TICK : TN_EVENT_BAR,
                                  .seq = (uint64_t)i + 1,
                                  .u.bar.close = 1000 + 10 * i};
}

static void value_is_the_middle_of_both_ends(void **state)
{
    (void)state;
    struct rig r;
    struct tn_event ev[3] = {{0}};
    double value[3];
    uint32_t ready[3];
    rig_open(&r, 2);
    for (int i = 0; i < 3; i++)
        ev[i] = (struct tn_event){
            .size = sizeof ev[i], .type = TN_EVENT_BAR, .u.bar.close = 100 + 50 * i};
    assert_int_equal(tn_easy_ops.on_events(r.inst, ev, 3, value, ready), TN_OK);
    assert_int_equal(ready[1], 0);
    assert_int_equal(ready[2], 1);
    assert_true(value[2] == 1.5); /* between 1.00 and 2.00 */
}

static void batch_equals_one_by_one(void **state)
{
    (void)state;
    struct rig a, b;
    struct tn_event ev[BARS];
    double value[2][BARS];
    uint32_t ready[2][BARS];
    fill(ev);
    rig_open(&a, 7);
    rig_open(&b, 7);
    assert_int_equal(tn_easy_ops.on_events(a.inst, ev, BARS, value[0], ready[0]), TN_OK);
    for (int i = 0; i < BARS; i++)
        assert_int_equal(tn_easy_ops.on_events(b.inst, &ev[i], 1, &value[1][i], &ready[1][i]),
                         TN_OK);
    assert_memory_equal(value[0], value[1], sizeof value[0]);
    assert_memory_equal(ready[0], ready[1], sizeof ready[0]);
    assert_int_equal(ready[0][BARS - 1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_is_the_middle_of_both_ends),
        cmocka_unit_test(batch_equals_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
