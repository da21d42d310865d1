/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the thin path through the core: signal, gate, order, answers, position, next signal.
 * Method: a rigged core, one event at a time, looking at the effects of each step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "tests/lib/core_rig.h"

static void path_signal_becomes_one_protected_order(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open(&r);
    rig_signal(&r, TN_LONG, 1000000);
    assert_int_equal(rig_count(&r, FACT_INTENT), 1);
    const struct fact_decision *d = rig_effect(&r, FACT_DECISION, 0);
    assert_non_null(d);
    assert_int_equal(d->denied_by, 0);
    const struct fact_send *s = rig_sent_order(&r);
    assert_int_equal(s->qty, 10000); /* 10,000 USD at 10,000.00 = 1.0000 */
    assert_int_equal(s->price, 1005000);
    assert_int_equal(s->tif, FACT_IOC);
    uint64_t id = s->order;
    rig_sent(&r, id, FACT_SENT_OK);
    rig_exec(&r, id, FACT_EXEC_NEW);
    assert_int_equal(rig_state(&r, id), ORDER_STATE_WORKING);
    rig_fill(&r, id, 4000, 1000000);
    assert_int_equal(rig_state(&r, id), ORDER_STATE_PARTIAL);
    rig_fill(&r, id, 6000, 1000200);
    assert_int_equal(rig_state(&r, id), ORDER_STATE_FILLED);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 10000);
    const struct fact_position *p = rig_effect(&r, FACT_POSITION, 0);
    assert_int_equal(p->avg_price, 1000120);
    assert_int_equal(p->fees, 200);
    rig_close(&r);
}

static void path_turn_is_close_then_open(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open(&r);
    rig_signal(&r, TN_LONG, 1000000);
    uint64_t id = rig_sent_order(&r)->order;
    rig_fill(&r, id, 10000, 1000000);
    rig_signal(&r, TN_SHORT, 500000);
    assert_int_equal(rig_count(&r, FACT_SEND), 2);
    const struct fact_send *close = rig_effect(&r, FACT_SEND, 0);
    const struct fact_send *open = rig_effect(&r, FACT_SEND, 1);
    assert_int_equal(close->qty, 10000);
    assert_int_equal(close->reduce_only, 1);
    assert_int_equal(open->qty, 5000);
    assert_int_equal(open->reduce_only, 0);
    assert_true(strcmp(close->client_id, open->client_id) != 0);
    rig_close(&r);
}

static void path_auto_off_is_denied_by_name(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open(&r);
    rig_auto(&r, false);
    rig_signal(&r, TN_LONG, 1000000);
    const struct fact_decision *d = rig_effect(&r, FACT_DECISION, 0);
    assert_non_null(d);
    assert_int_equal(d->approved, 0);
    assert_int_equal(d->denied_by, 1u << (RISK_AUTO - 1));
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    rig_close(&r);
}

static void path_newer_signal_cancels_then_plans_again(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open(&r);
    rig_signal_full(
        &r, (struct fact_signal){.side = TN_LONG, .advice = TN_ADVICE_LIMIT, .limit_offset = 1000});
    const struct fact_send *s = rig_sent_order(&r);
    uint64_t id = s->order;
    assert_int_equal(s->tif, FACT_GTC);
    assert_int_equal(s->price, 999000);
    rig_exec(&r, id, FACT_EXEC_NEW);
    rig_signal(&r, TN_SHORT, 1000000);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    rig_fill(&r, id, 3000, 999000); /* the fill overtakes the cancel */
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(rig_count(&r, FACT_SEND), 2); /* close 3000, open 10000 short */
    assert_int_equal(((const struct fact_send *)rig_effect(&r, FACT_SEND, 0))->qty, 3000);
    rig_close(&r);
}

static void path_stop_hit_flattens(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open(&r);
    rig_signal_full(
        &r, (struct fact_signal){.side = TN_LONG, .advice = TN_ADVICE_STOP, .stop_distance = 5000});
    uint64_t id = rig_sent_order(&r)->order;
    rig_fill(&r, id, 10000, 1000000);
    assert_int_equal(rig_count(&r, FACT_STOPPED), 1);
    rig_quote(&r, RIG_BTC, 994800, 995000);
    assert_int_equal(rig_count(&r, FACT_STOPPED), 1);
    const struct fact_send *s = rig_sent_order(&r);
    assert_int_equal(s->side, TN_SHORT);
    assert_int_equal(s->reduce_only, 1);
    rig_close(&r);
}

static void path_kill_cancels_and_flattens(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open(&r);
    rig_signal(&r, TN_LONG, 1000000);
    uint64_t id = rig_sent_order(&r)->order;
    rig_exec(&r, id, FACT_EXEC_NEW);
    rig_fill(&r, id, 4000, 1000000);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_KILLED);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    const struct fact_send *s = rig_sent_order(&r);
    assert_int_equal(s->qty, 4000);
    uint64_t close = s->order;
    rig_fill(&r, close, 4000, 999000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
    rig_signal(&r, TN_LONG, 1000000);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_KILLED);
    rig_close(&r);
}

static void path_snapshot_then_same_effects(void **state)
{
    (void)state;
    struct core_rig a, b;
    rig_open(&a);
    rig_signal(&a, TN_LONG, 1000000);
    uint64_t id = rig_sent_order(&a)->order;
    rig_fill(&a, id, 4000, 1000000);
    size_t n = core_snapshot_bytes(a.core);
    uint8_t *bytes = test_malloc(n);
    assert_int_equal(core_snapshot(a.core, bytes, n), n);
    rig_open_bare(&b, NULL);
    struct trail tr = {0};
    assert_true(is_ok(core_restore(b.core, bytes, n, &tr)));
    b.seq = a.seq;
    b.t_ns = a.t_ns;
    b.trade_id = a.trade_id;
    uint8_t *again = test_malloc(n);
    assert_int_equal(core_snapshot(b.core, again, n), n);
    assert_memory_equal(bytes, again, n);
    rig_fill(&a, id, 6000, 1000100);
    rig_fill(&b, id, 6000, 1000100);
    assert_int_equal(a.out.used, b.out.used);
    assert_memory_equal(a.out.bytes, b.out.bytes, a.out.used);
    test_free(bytes);
    test_free(again);
    rig_close(&a);
    rig_close(&b);
}

static void path_signal_without_a_price_is_denied_by_name(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open_bare(&r, NULL);
    rig_configure(&r);
    struct fact_start start = {.epoch = 1, .core_logic = FACT_CORE_LOGIC, .kind = FACT_RUN_PAPER};
    rig_step(&r, FACT_START, &start);
    rig_auto(&r, true);
    rig_signal(&r, TN_LONG, 1000000); /* no data yet */
    const struct fact_decision *d = rig_effect(&r, FACT_DECISION, 0);
    assert_non_null(d);
    assert_int_equal(d->approved, 0);
    assert_int_equal(d->denied_by, 1u << (RISK_COLLAR - 1));
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
    rig_close(&r);
}

static void path_auto_off_leaves_working_orders_and_positions_alone(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open(&r);
    rig_signal_full(
        &r, (struct fact_signal){.side = TN_LONG, .advice = TN_ADVICE_LIMIT, .limit_offset = 1000});
    uint64_t id = rig_sent_order(&r)->order;
    rig_exec(&r, id, FACT_EXEC_NEW);
    rig_fill(&r, id, 3000, 999000);
    rig_auto(&r, false);
    rig_signal(&r, TN_SHORT, 1000000);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    const struct fact_decision *d = rig_effect(&r, FACT_DECISION, 0);
    assert_non_null(d);
    assert_int_not_equal(d->denied_by & 1u << (RISK_AUTO - 1), 0);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 3000);
    rig_close(&r);
}

static void path_kill_closes_beside_a_silent_order(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open(&r);
    rig_signal(&r, TN_LONG, 500000);
    uint64_t first = rig_sent_order(&r)->order;
    rig_fill(&r, first, 5000, 1000000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_signal(&r, TN_LONG, 1000000);
    uint64_t silent = rig_sent_order(&r)->order;
    rig_sent(&r, silent, FACT_SENT_UNKNOWN);
    assert_int_equal(rig_state(&r, silent), ORDER_STATE_UNKNOWN);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_KILLED);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    const struct fact_send *close = rig_sent_order(&r);
    assert_int_equal(close->qty, 5000);
    assert_int_equal(close->side, TN_SHORT);
    uint64_t id = close->order;
    rig_fill(&r, id, 5000, 999000);
    rig_fill(&r, silent, 2000, 1000000); /* it had been there */
    rig_status(&r, silent, FACT_FOUND_DONE);
    const struct fact_send *again = rig_sent_order(&r);
    assert_int_equal(again->qty, 2000);
    assert_int_equal(again->side, TN_SHORT);
    rig_close(&r);
}

static void path_cancelled_with_fills_unheard_keeps_its_exposure(void **state)
{
    (void)state;
    struct core_rig r;
    rig_open(&r);
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .advice = TN_ADVICE_LIMIT | TN_ADVICE_TTL,
                                             .limit_offset = 1000,
                                             .ttl_ns = 5 * RIG_S});
    uint64_t id = rig_sent_order(&r)->order;
    rig_exec(&r, id, FACT_EXEC_NEW);
    rig_tick(&r, r.t_ns + 5 * RIG_S);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    struct fact_exec e = {.order = id,
                          .kind = FACT_EXEC_CANCELED,
                          .instrument = RIG_BTC,
                          .account = RIG_ACCOUNT,
                          .cum_qty = 4000};
    rig_step(&r, FACT_EXEC, &e);
    assert_int_equal(rig_state(&r, id), 0); /* no move */
    assert_int_equal(core_open_orders(r.core), 1);
    rig_fill(&r, id, 4000, 999000);
    rig_step(&r, FACT_EXEC, &e);
    assert_int_equal(rig_state(&r, id), ORDER_STATE_CANCELLED);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_signal_becomes_one_protected_order),
        cmocka_unit_test(path_turn_is_close_then_open),
        cmocka_unit_test(path_auto_off_is_denied_by_name),
        cmocka_unit_test(path_signal_without_a_price_is_denied_by_name),
        cmocka_unit_test(path_auto_off_leaves_working_orders_and_positions_alone),
        cmocka_unit_test(path_newer_signal_cancels_then_plans_again),
        cmocka_unit_test(path_stop_hit_flattens),
        cmocka_unit_test(path_kill_cancels_and_flattens),
        cmocka_unit_test(path_kill_closes_beside_a_silent_order),
        cmocka_unit_test(path_cancelled_with_fills_unheard_keeps_its_exposure),
        cmocka_unit_test(path_snapshot_then_same_effects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
