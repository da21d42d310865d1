/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a strategy or route that leaves with a deployment leaves nothing behind: who holds
 * something does not just go, what is held is closed until it is flat or handed over to the last
 * unit, what turns up late is closed too, and a name may come back. Method: a rigged core driven
 * through events only; effects, books and accounts are compared before and after.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_stage.h"

static struct core_rig r;

static int setup(void **state)
{
    (void)state;
    rig_open(&r);
    rig_at(&r, r.t_ns + 10 * RIG_S); /* far from the one-second rules of what the rig did */
    rig_quote(&r, RIG_BTC, 999900, 1000100);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_check(r.core);
    rig_close(&r);
    return 0;
}

static struct core_instance_view instance(uint32_t id)
{
    struct core_instance_view v;
    assert_true(core_instance(r.core, id - 1, &v));
    return v;
}

static struct core_owned owned(uint32_t strategy)
{
    struct core_owned o;
    core_owned(r.core, strategy, &o);
    return o;
}

/* A signal of a build about an event; S1, BTC. */
static void signal_of(uint32_t generation, uint64_t cause_seq, uint32_t side)
{
    r.generation = generation;
    r.cause_seq = cause_seq;
    rig_signal(&r, side, 500000);
    r.generation = 0;
    r.cause_seq = 0;
}

/* ---- what leaves ---- */

static void begin_removal(uint64_t serial, uint32_t on_remove, uint32_t to)
{
    stage_begin(&r, serial);
    stage_limits(&r);
    stage_remove(&r, RIG_S1, 0, on_remove, to);
}

static void flip_leave_who_holds_something_does_not_just_leave(void **state)
{
    (void)state;
    uint64_t order = rig_working(&r, TN_LONG, 500000);
    begin_removal(3, FACT_ON_REMOVE_UNSET, 0);
    assert_false(stage_flip(&r, 3));
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_FLAT), 1);
    rig_fill(&r, order, 5000, 999000);
    stage_deploy(&r, 3);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_FLAT), 1);
    assert_false(instance(RIG_S1).is_removed);
    assert_int_equal(r.out.count, 1);
}

static void flip_leave_flat_strategy_leaves_and_is_not_believed(void **state)
{
    (void)state;
    uint64_t before = r.seq;
    begin_removal(3, FACT_ON_REMOVE_UNSET, 0);
    assert_true(stage_flip(&r, 3));
    const struct fact_flipped *f = rig_effect(&r, FACT_FLIPPED, 0);
    assert_true(f->instance == RIG_S1 && f->from == 0 && f->to == 0 && f->handed_to == 0);
    assert_true(instance(RIG_S1).is_removed);
    assert_int_equal(instance(RIG_S1).mode, MODE_ACTIVE);
    int64_t budget = -1;
    assert_true(core_budget(r.core, RIG_S1, RIG_BTC, &budget) && budget == 0);
    signal_of(0, before, TN_LONG);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ACCEPTED), 1);
    rig_auto(&r, true);
    assert_false(core_auto(r.core, RIG_S1));
    struct fact_auto on = {.strategy = RIG_S1, .on = 1};
    rig_step(&r, FACT_AUTO, &on);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 1);
    begin_removal(4, FACT_ON_REMOVE_UNSET, 0);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1); /* it is not there */
}

static void flip_leave_what_is_late_for_who_left_is_closed(void **state)
{
    (void)state;
    uint64_t order = rig_working(&r, TN_LONG, 500000);
    rig_signal(&r, TN_FLAT, 0);
    rig_exec(&r, order, FACT_EXEC_CANCELED);
    begin_removal(3, FACT_ON_REMOVE_UNSET, 0);
    assert_true(stage_flip(&r, 3));
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_fill(&r, order, 300, 999000);
    assert_int_equal(rig_sent_order(&r)->side, TN_SHORT);
    assert_int_equal(rig_sent_order(&r)->qty, 300);
    rig_fill(&r, rig_sent_order(&r)->order, 300, 999000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
}

static const struct fact_intent *intent(void)
{
    assert_int_equal(rig_count(&r, FACT_INTENT), 1);
    return rig_effect(&r, FACT_INTENT, 0);
}

static void flip_leave_flatten_closes_until_it_is_flat(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    uint64_t order = rig_working(&r, TN_LONG, 900000);
    begin_removal(3, FACT_ON_REMOVE_FLATTEN, 0);
    assert_true(stage_flip(&r, 3));
    assert_int_equal(((const struct fact_flipped *)rig_effect(&r, FACT_FLIPPED, 0))->orders, 1);
    const struct fact_cancel *k = rig_effect(&r, FACT_CANCEL, 0);
    assert_true(k != NULL && k->order == order && k->why == FACT_CANCEL_REMOVE);
    rig_exec(&r, order, FACT_EXEC_CANCELED);
    assert_int_equal(intent()->origin, FACT_ORIGIN_REMOVE);
    int64_t first = rig_sent_order(&r)->price;
    assert_int_equal(rig_sent_order(&r)->qty, 5000);
    uint64_t close = rig_sent_order(&r)->order;
    rig_fill(&r, close, 2000, 995000);
    rig_exec(&r, close, FACT_EXEC_EXPIRED);
    assert_int_equal(rig_sent_order(&r)->qty, 3000); /* the rest, and wider */
    assert_true(rig_sent_order(&r)->price < first);
    rig_fill(&r, rig_sent_order(&r)->order, 3000, 990000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
    assert_int_equal(owned(RIG_S1).orders, 0);
    assert_int_equal(core_deadline(r.core) > r.t_ns + RIG_S, 1); /* and rests */
}

static void flip_leave_flatten_passes_auto_off_and_waits_for_a_halt(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_auto(&r, false);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_HALTED); /* only people may reduce */
    begin_removal(3, FACT_ON_REMOVE_FLATTEN, 0);
    assert_true(stage_flip(&r, 3));
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    assert_int_equal(rig_decision(&r)->approved, 0);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_REDUCING);
    rig_tick(&r, r.t_ns + RIG_S);
    assert_int_equal(rig_sent_order(&r)->qty, 5000);
}

/* The stop of what is being closed is not a second close. */
static void flip_leave_flatten_is_not_hit_by_its_own_stop(void **state)
{
    (void)state;
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .advice = TN_ADVICE_TARGET | TN_ADVICE_STOP,
                                             .target_ppm = 500000,
                                             .stop_distance = 20000});
    rig_fill(&r, rig_sent_order(&r)->order, 5000, 1000000);
    begin_removal(3, FACT_ON_REMOVE_FLATTEN, 0);
    assert_true(stage_flip(&r, 3));
    uint64_t close = rig_sent_order(&r)->order;
    rig_at(&r, r.t_ns + RIG_S);
    rig_quote(&r, RIG_BTC, 940000, 940200);
    assert_int_equal(rig_count(&r, FACT_STOPPED), 0);
    rig_fill(&r, close, 5000, 990000);
    assert_int_equal(((const struct fact_stopped *)rig_effect(&r, FACT_STOPPED, 0))->what,
                     FACT_STOP_LIFTED);
}

static void flip_leave_one_route_may_leave_and_its_strategy_stays(void **state)
{
    (void)state;
    rig_route(&r, RIG_S1, RIG_INV, 1000000000000);
    rig_quote(&r, RIG_INV, 999900, 1000100);
    rig_hold(&r, TN_LONG, 500000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    stage_begin(&r, 3);
    stage_limits(&r);
    stage_remove(&r, RIG_S1, RIG_BTC, FACT_ON_REMOVE_FLATTEN, 0);
    assert_true(stage_flip(&r, 3));
    assert_int_equal(rig_count(&r, FACT_FLIPPED), 0);
    rig_fill(&r, rig_sent_order(&r)->order, 5000, 999000);
    rig_signal(&r, TN_LONG, 500000); /* no route any more */
    assert_int_equal(rig_decision(&r)->denied_by, 1u << (RISK_PERMISSION - 1));
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
    rig_signal_full(&r, (struct fact_signal){.instrument = RIG_INV, .side = TN_LONG});
    assert_int_equal(rig_count(&r, FACT_SEND), 1);
}

static void flip_leave_removed_name_comes_back_with_its_id(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    begin_removal(3, FACT_ON_REMOVE_FLATTEN, 0);
    assert_true(stage_flip(&r, 3));
    uint64_t close = rig_sent_order(&r)->order;
    uint64_t gone = r.seq;
    rig_tick(&r, r.t_ns + 1);
    stage_begin(&r, 4);
    stage_limits(&r);
    stage_instance(&r, RIG_S1, 4, 0);
    stage_route(&r, RIG_S1, RIG_BTC, 900000000000);
    assert_true(stage_flip(&r, 4));
    const struct fact_flipped *f = rig_effect(&r, FACT_FLIPPED, 0);
    assert_true(f->from == 0 && f->to == 4 && f->positions == 1);
    assert_false(instance(RIG_S1).is_removed);
    rig_exec(&r, close, FACT_EXEC_EXPIRED);
    assert_int_equal(rig_count(&r, FACT_INTENT), 0); /* its own again, and nobody closes it */
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 5000);
    assert_int_equal(core_reign(r.core, RIG_S1, gone + 1), 0); /* nobody in between */
    signal_of(0, gone + 1, TN_LONG);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ACCEPTED), 1);
    signal_of(0, gone, TN_LONG); /* that which left, about what it heard: to the gate */
    assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
    assert_false(core_auto(r.core, RIG_S1)); /* a person says so again */
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_auto(&r, true);
    signal_of(4, r.seq, TN_SHORT);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
    assert_int_equal(rig_count(&r, FACT_SEND), 2);
}

/* ---- hand over ---- */

static void flip_leave_hand_to_moves_all_but_the_profit(void **state)
{
    (void)state;
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .advice = TN_ADVICE_TARGET | TN_ADVICE_STOP,
                                             .target_ppm = 600000,
                                             .stop_distance = 20000});
    uint64_t first = rig_sent_order(&r)->order;
    rig_fill(&r, first, 6000, 1000000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_signal(&r, TN_LONG, 500000);
    rig_fill(&r, rig_sent_order(&r)->order, 1000, 1010000); /* some profit */
    rig_at(&r, r.t_ns + 2 * RIG_S);
    uint64_t order = rig_working(&r, TN_LONG, 900000);
    struct book_row was = *book_find(r.core, RIG_S1, RIG_BTC);
    struct net_row net = *net_of(r.core, RIG_ACCOUNT, RIG_BTC);
    struct core_account_view before, after;
    core_account(r.core, 0, &before);
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    stage_route(&r, RIG_S2, RIG_BTC, 1000000000000); /* the book is born in the same flip */
    assert_true(stage_flip(&r, 3));
    const struct fact_flipped *f = rig_effect(&r, FACT_FLIPPED, 0);
    assert_true(f->handed_to == RIG_S2 && f->orders == 1 && f->stops == 1 && f->positions == 1);
    assert_int_equal(rig_count(&r, FACT_POSITION), 2);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0);
    struct book_row *from = book_find(r.core, RIG_S1, RIG_BTC);
    struct book_row *to = book_find(r.core, RIG_S2, RIG_BTC);
    assert_true(from->qty == 0 && from->cost == 0 && from->live_orders == 0);
    assert_true(from->realised == was.realised && from->fees == was.fees && was.realised > 0);
    assert_true(to->qty == was.qty && to->cost == was.cost && to->realised == 0);
    assert_true(to->stop_price == was.stop_price && to->work_buy == was.work_buy);
    assert_memory_equal(net_of(r.core, RIG_ACCOUNT, RIG_BTC), &net, sizeof net);
    core_account(r.core, 0, &after);
    assert_memory_equal(&before, &after, sizeof before); /* not a unit was made or lost */
    rig_fill(&r, order, 4000, 999000);
    assert_int_equal(rig_position(&r, RIG_S2, RIG_BTC), was.qty + 4000);
    rig_fill(&r, first, 7, 1000000); /* late, of an order that had ended before the flip */
    assert_int_equal(rig_position(&r, RIG_S2, RIG_BTC), was.qty + 4007);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
}

static void refused_hand_over(uint64_t serial)
{
    assert_false(stage_flip(&r, serial));
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_FLAT), 1);
    assert_int_equal(((const struct fact_ignored *)rig_effect(&r, FACT_IGNORED, 0))->about, RIG_S1);
}

static void flip_leave_hand_to_who_cannot_take_is_forbidden(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2); /* no book, no route */
    refused_hand_over(3);
    begin_removal(4, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    stage_route(&r, RIG_S2, RIG_INV, 1000000000000); /* another instrument */
    refused_hand_over(4);
    stage_drop(&r, 4);
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    begin_removal(5, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    stage_remove(&r, RIG_S2, 0, FACT_ON_REMOVE_FLATTEN, 0); /* it leaves too */
    refused_hand_over(5);
    stage_drop(&r, 5);
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2,
                                             .side = TN_LONG,
                                             .advice = TN_ADVICE_TARGET,
                                             .target_ppm = 100000});
    uint64_t order = rig_sent_order(&r)->order;
    begin_removal(6, FACT_ON_REMOVE_HAND_TO, RIG_S2); /* it has an order */
    refused_hand_over(6);
    rig_fill(&r, order, 1000, 1000000);
    begin_removal(7, FACT_ON_REMOVE_HAND_TO, RIG_S2); /* it has a position */
    refused_hand_over(7);
}

static void flip_leave_hand_to_another_account_is_forbidden(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    struct fact_account two = {.id = 2, .currency = RIG_USD, .balance = 1000, .name = "two"};
    rig_step(&r, FACT_ACCOUNT, &two);
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    struct fact_route route = {
        .strategy = RIG_S2, .instrument = RIG_BTC, .account = 2, .budget = 1000};
    stage_row(&r, FACT_ROUTE, &route);
    refused_hand_over(3);
}

static void flip_leave_two_do_not_hand_to_one(void **state)
{
    (void)state;
    stage_begin(&r, 2);
    stage_limits(&r);
    stage_instance(&r, 3, 2, 0);
    stage_route(&r, 3, RIG_BTC, 1000000000000);
    stage_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    assert_true(stage_flip(&r, 2));
    rig_hold(&r, TN_LONG, 300000);
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2,
                                             .side = TN_LONG,
                                             .advice = TN_ADVICE_TARGET,
                                             .target_ppm = 200000});
    uint64_t order = rig_sent_order(&r)->order;
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, 3);
    stage_remove(&r, RIG_S2, 0, FACT_ON_REMOVE_HAND_TO, 3);
    refused_hand_over(3);
    rig_exec(&r, order, FACT_EXEC_REJECTED); /* now only one has something */
    stage_deploy(&r, 3);
    assert_int_equal(core_serial(r.core), 3);
    assert_int_equal(rig_position(&r, 3, RIG_BTC), 3000);
}

static void flip_leave_hand_to_whose_route_left_before_is_forbidden(void **state)
{
    (void)state;
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    rig_hold(&r, TN_LONG, 500000);
    stage_begin(&r, 2);
    stage_limits(&r);
    stage_remove(&r, RIG_S2, RIG_BTC, FACT_ON_REMOVE_UNSET, 0);
    assert_true(stage_flip(&r, 2));
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    refused_hand_over(3);
    begin_removal(4, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    stage_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    assert_true(stage_flip(&r, 4));
    assert_int_equal(rig_position(&r, RIG_S2, RIG_BTC), 5000);
}

/* A taker that is flat, but whose own close waits for its next try, would close what it takes. */
static void flip_leave_hand_to_who_still_closes_is_forbidden(void **state)
{
    (void)state;
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2,
                                             .side = TN_LONG,
                                             .advice = TN_ADVICE_TARGET | TN_ADVICE_STOP,
                                             .target_ppm = 100000,
                                             .stop_distance = 20000});
    rig_fill(&r, rig_sent_order(&r)->order, 1000, 1000000);
    rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S2, MODE_HALTED);
    rig_quote(&r, RIG_BTC, 970000, 970200); /* hit, and denied */
    assert_int_equal(rig_count(&r, FACT_STOPPED), 1);
    struct fact_found late = {.trade_id = 777, /* what the journal knew closes it beside */
                              .strategy = RIG_S2,
                              .instrument = RIG_BTC,
                              .account = RIG_ACCOUNT,
                              .side = TN_SHORT,
                              .last_qty = 1000,
                              .last_price = 970000};
    rig_step(&r, FACT_FOUND, &late);
    assert_int_equal(rig_position(&r, RIG_S2, RIG_BTC), 0);
    rig_hold(&r, TN_LONG, 500000);
    assert_int_not_equal(book_find(r.core, RIG_S2, RIG_BTC)->flatten_origin, FACT_ORIGIN_UNSET);
    assert_int_equal(owned(RIG_S2).orders, 0);
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    refused_hand_over(3);
    rig_tick(&r, r.t_ns + 2 * RIG_S); /* its next try finds nothing, and that is the end of it */
    stage_deploy(&r, 3);
    assert_int_equal(core_serial(r.core), 3);
}

/* What it takes is measured by the taker's own limits. */
static void flip_leave_hand_to_beyond_the_takers_limit_leaves_only_closes(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    stage_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    struct fact_limit own = {.rule = RISK_POSITION, .strategy = RIG_S2, .limit = 4999};
    stage_row(&r, FACT_LIMIT, &own);
    assert_true(stage_flip(&r, 3));
    const struct fact_moded *m = rig_effect(&r, FACT_MODED, 0);
    assert_true(m != NULL && m->id == RIG_S2 && m->why == FACT_WHY_LIMIT);
    assert_int_equal(instance(RIG_S1).mode, MODE_ACTIVE);
}

/* There and back: no figure of the time before is left over in the book that had it first. */
static void flip_leave_handed_there_and_back_is_worth_the_same(void **state)
{
    (void)state;
    struct core_account_view before, after;
    rig_hold(&r, TN_LONG, 600000);
    rig_quote(&r, RIG_BTC, 1010000, 1010200);
    core_account(r.core, 0, &before);
    assert_true(before.unrealised > 0);
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    stage_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    assert_true(stage_flip(&r, 3));
    rig_auto(&r, true);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2,
                                             .side = TN_LONG,
                                             .advice = TN_ADVICE_TARGET,
                                             .target_ppm = 300000});
    rig_fill(&r, rig_sent_order(&r)->order, rig_sent_order(&r)->qty, 1010100); /* at the mark */
    core_account(r.core, 0, &before);
    stage_begin(&r, 4);
    stage_limits(&r);
    stage_instance(&r, RIG_S1, 4, 0);
    stage_route(&r, RIG_S1, RIG_BTC, 1000000000000);
    stage_remove(&r, RIG_S2, 0, FACT_ON_REMOVE_HAND_TO, RIG_S1);
    assert_true(stage_flip(&r, 4));
    core_account(r.core, 0, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_true(rig_position(&r, RIG_S1, RIG_BTC) > 0 && rig_position(&r, RIG_S1, RIG_BTC) < 6000);
}

/* The stop goes on following the average of what is bought on top. */
static void flip_leave_handed_stop_keeps_its_distance(void **state)
{
    (void)state;
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .advice = TN_ADVICE_TARGET | TN_ADVICE_STOP,
                                             .target_ppm = 500000,
                                             .stop_distance = 20000});
    uint64_t order = rig_sent_order(&r)->order;
    rig_fill(&r, order, 2000, 1000000);
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    stage_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    assert_true(stage_flip(&r, 3));
    assert_int_equal(rig_book(&r, RIG_S2, RIG_BTC).stop_price, 980000);
    rig_fill(&r, order, 2000, 1002000);
    assert_int_equal(rig_book(&r, RIG_S2, RIG_BTC).stop_price, 981000);
}

/* A close that runs goes on at the new owner. */
static void flip_leave_hand_to_takes_a_stop_that_was_hit(void **state)
{
    (void)state;
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .advice = TN_ADVICE_TARGET | TN_ADVICE_STOP,
                                             .target_ppm = 500000,
                                             .stop_distance = 20000});
    rig_fill(&r, rig_sent_order(&r)->order, 5000, 1000000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_quote(&r, RIG_BTC, 970000, 970200);
    uint64_t close = rig_sent_order(&r)->order;
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    stage_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    assert_true(stage_flip(&r, 3));
    rig_fill(&r, close, 2000, 969000);
    rig_exec(&r, close, FACT_EXEC_EXPIRED);
    assert_int_equal(intent()->strategy, RIG_S2);
    assert_int_equal(intent()->origin, FACT_ORIGIN_STOP);
    assert_int_equal(rig_sent_order(&r)->qty, 3000);
}

static void flip_leave_hand_to_with_nothing_to_hand_needs_no_taker(void **state)
{
    (void)state;
    begin_removal(3, FACT_ON_REMOVE_HAND_TO, RIG_S2);
    assert_true(stage_flip(&r, 3));
    assert_int_equal(rig_count(&r, FACT_POSITION), 0);
}

/* ---- kill ---- */

static void flip_leave_kill_goes_before_what_leaves(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    begin_removal(3, FACT_ON_REMOVE_FLATTEN, 0);
    assert_true(stage_flip(&r, 3));
    uint64_t close = rig_sent_order(&r)->order;
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_KILLED);
    rig_exec(&r, close, FACT_EXEC_EXPIRED);
    assert_int_equal(intent()->origin, FACT_ORIGIN_KILL);
    rig_exec(&r, rig_sent_order(&r)->order, FACT_EXEC_REJECTED);
    struct fact_request lift = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_ACTIVE, .people = 2};
    uint64_t killing = rig_sent_order(&r)->order;
    rig_step(&r, FACT_REQUEST, &lift); /* with the kill's close on its way */
    rig_exec(&r, killing, FACT_EXEC_EXPIRED);
    assert_int_equal(intent()->origin, FACT_ORIGIN_REMOVE);
    rig_fill(&r, rig_sent_order(&r)->order, 5000, 980000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
}

static void flip_leave_kill_that_runs_goes_on(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S1, MODE_KILLED);
    uint64_t close = rig_sent_order(&r)->order;
    begin_removal(3, FACT_ON_REMOVE_FLATTEN, 0);
    assert_true(stage_flip(&r, 3));
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0);
    rig_exec(&r, close, FACT_EXEC_EXPIRED);
    assert_int_equal(intent()->origin, FACT_ORIGIN_KILL);
    rig_fill(&r, rig_sent_order(&r)->order, 5000, 980000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
}

/* Nobody is told that what is being closed exceeds a limit: its mode stays. */
static void flip_leave_is_not_reduced_by_a_limit(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    stage_begin(&r, 3);
    stage_limits(&r);
    stage_limit(&r, RISK_POSITION, 1);
    stage_remove(&r, RIG_S1, 0, FACT_ON_REMOVE_FLATTEN, 0);
    assert_true(stage_flip(&r, 3));
    assert_int_equal(rig_count(&r, FACT_MODED), 0);
    assert_int_equal(instance(RIG_S1).mode, MODE_ACTIVE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(flip_leave_who_holds_something_does_not_just_leave),
        TEST(flip_leave_flat_strategy_leaves_and_is_not_believed),
        TEST(flip_leave_what_is_late_for_who_left_is_closed),
        TEST(flip_leave_flatten_closes_until_it_is_flat),
        TEST(flip_leave_flatten_passes_auto_off_and_waits_for_a_halt),
        TEST(flip_leave_flatten_is_not_hit_by_its_own_stop),
        TEST(flip_leave_one_route_may_leave_and_its_strategy_stays),
        TEST(flip_leave_removed_name_comes_back_with_its_id),
        TEST(flip_leave_hand_to_moves_all_but_the_profit),
        TEST(flip_leave_hand_to_who_cannot_take_is_forbidden),
        TEST(flip_leave_hand_to_another_account_is_forbidden),
        TEST(flip_leave_two_do_not_hand_to_one),
        TEST(flip_leave_hand_to_takes_a_stop_that_was_hit),
        TEST(flip_leave_hand_to_with_nothing_to_hand_needs_no_taker),
        TEST(flip_leave_kill_goes_before_what_leaves),
        TEST(flip_leave_kill_that_runs_goes_on),
        TEST(flip_leave_is_not_reduced_by_a_limit),
        TEST(flip_leave_hand_to_whose_route_left_before_is_forbidden),
        TEST(flip_leave_hand_to_who_still_closes_is_forbidden),
        TEST(flip_leave_hand_to_beyond_the_takers_limit_leaves_only_closes),
        TEST(flip_leave_handed_there_and_back_is_worth_the_same),
        TEST(flip_leave_handed_stop_keeps_its_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
