/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: DEPLOY changes who is believed and nothing else; a cold build waits until its strategy is
 * flat; a limit below what is held leaves only closes, and so does the deployment's end. Method: a
 * rigged core driven through events only; effects and views are compared with what the rules say,
 * and the tables of orders and positions before and after.
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

/* A signal of a build about an event; S1, BTC. */
static void signal_of(uint32_t generation, uint64_t cause_seq, uint32_t side)
{
    r.generation = generation;
    r.cause_seq = cause_seq;
    rig_signal(&r, side, 500000);
    r.generation = 0;
    r.cause_seq = 0;
}

/* ---- acceptance ---- */

static void flip_signal_counts_by_its_cause_and_not_by_its_time(void **state)
{
    (void)state;
    uint64_t before = r.seq;
    assert_true(stage_swap(&r, RIG_S1, 7));
    uint64_t flip = r.seq;
    assert_int_equal(core_reign(r.core, RIG_S1, flip), 0);
    assert_int_equal(core_reign(r.core, RIG_S1, flip + 1), 7);
    signal_of(7, before, TN_LONG); /* the new build about the past: recorded, not believed */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ACCEPTED), 1);
    assert_int_equal(((const struct fact_ignored *)rig_effect(&r, FACT_IGNORED, 0))->about, 7);
    signal_of(7, flip, TN_LONG); /* the flip itself is the old one's still */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ACCEPTED), 1);
    uint64_t signals = core_totals(r.core)->signals;
    signal_of(0, flip + 1, TN_LONG); /* the old build about the present */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ACCEPTED), 1);
    assert_int_equal(core_totals(r.core)->signals, signals);
    assert_int_equal(core_totals(r.core)->unaccepted, 3);
    signal_of(0, before, TN_LONG); /* due late, given in time */
    assert_int_equal(rig_count(&r, FACT_SEND), 1);
    signal_of(7, flip + 1, TN_SHORT);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
    assert_int_equal(core_totals(r.core)->signals, signals + 2);
}

static void flip_last_four_reigns_are_known(void **state)
{
    (void)state;
    uint64_t flip[8];
    flip[0] = r.seq;
    for (uint32_t g = 1; g < 8; g++) {
        assert_true(stage_swap(&r, RIG_S1, g));
        flip[g] = r.seq;
        rig_tick(&r, r.t_ns + 1);
    }
    for (uint32_t g = 4; g < 8; g++)
        assert_int_equal(core_reign(r.core, RIG_S1, flip[g] + 1), g);
    assert_int_equal(core_reign(r.core, RIG_S1, flip[3] + 1), 0); /* longer ago: nobody */
    signal_of(3, flip[3] + 1, TN_LONG);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ACCEPTED), 1);
    signal_of(0, flip[3] + 1, TN_LONG); /* nor an unsigned one */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ACCEPTED), 1);
    signal_of(4, flip[4] + 1, TN_LONG);
    assert_int_equal(rig_count(&r, FACT_SEND), 1);
    assert_int_equal(core_reign(r.core, 99, r.seq), 0);
    assert_int_equal(core_reign(r.core, UINT32_MAX, r.seq), 0);
}

static void flip_of_one_leaves_the_others_believed(void **state)
{
    (void)state;
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    assert_true(stage_swap(&r, RIG_S1, 7));
    const struct fact_flipped *f = rig_effect(&r, FACT_FLIPPED, 0);
    assert_true(f->instance == RIG_S1 && f->from == 0 && f->to == 7);
    assert_int_equal(rig_count(&r, FACT_FLIPPED), 1);
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2, .side = TN_LONG});
    assert_int_equal(rig_count(&r, FACT_SEND), 1);
    struct core_instance_view v = instance(RIG_S2);
    assert_true(v.generation == 0 && v.generation_before == 0 && v.flip_seq == 0);
    v = instance(RIG_S1);
    assert_true(v.generation == 7 && v.generation_before == 0 && v.flip_seq > 0);
    assert_true(stage_swap(&r, RIG_S1, 8));
    v = instance(RIG_S1);
    assert_true(v.generation == 8 && v.generation_before == 7 && v.flip_seq == r.seq);
}

/* A row of a build that reigns already is no flip: a deployment may name what it leaves alone. */
static void flip_to_the_same_build_is_none(void **state)
{
    (void)state;
    assert_true(stage_swap(&r, RIG_S1, 7));
    stage_begin(&r, 8);
    struct fact_instance same = stage_instance_fact(RIG_S1, 7, FACT_COLD);
    rig_hold(&r, TN_LONG, 100000); /* a cold row would not do, were it another's */
    r.generation = 7;
    stage_row(&r, FACT_INSTANCE, &same);
    r.generation = 0;
    assert_true(stage_flip(&r, 8));
    assert_int_equal(rig_count(&r, FACT_FLIPPED), 0);
    assert_int_equal(core_reign(r.core, RIG_S1, r.seq + 1), 7);
}

/* Rows outside a stage: a new instance's build reigns for any cause, another one's from here on. */
static void flip_unstaged_row_names_who_reigns_too(void **state)
{
    (void)state;
    struct fact_instance third = stage_instance_fact(3, 0, 0);
    r.generation = 6;
    rig_step(&r, FACT_INSTANCE, &third);
    assert_int_equal(core_reign(r.core, 3, 1), 6);
    struct fact_instance first = stage_instance_fact(RIG_S1, 0, 0);
    uint64_t before = r.seq;
    rig_step(&r, FACT_INSTANCE, &first);
    r.generation = 0;
    assert_int_equal(core_reign(r.core, RIG_S1, before), 0);
    assert_int_equal(core_reign(r.core, RIG_S1, r.seq + 1), 6);
    signal_of(0, r.seq + 1, TN_LONG);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ACCEPTED), 1);
}

/* ---- what a flip leaves alone ---- */

static void flip_keeps_orders_stop_position_and_signal(void **state)
{
    (void)state;
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .advice = TN_ADVICE_TARGET | TN_ADVICE_STOP,
                                             .target_ppm = 500000,
                                             .stop_distance = 20000});
    rig_fill(&r, rig_sent_order(&r)->order, rig_sent_order(&r)->qty, 1000000);
    uint64_t order = rig_working(&r, TN_LONG, 900000);
    struct book_row before = *book_find(r.core, RIG_S1, RIG_BTC);
    struct order_row was = *oms_order(r.core, order);
    assert_true(stage_swap(&r, RIG_S1, 7));
    assert_int_equal(r.out.count, 1); /* FLIPPED, nothing else */
    const struct fact_flipped *f = rig_effect(&r, FACT_FLIPPED, 0);
    assert_true(f->orders == 1 && f->stops == 1 && f->positions == 1 && f->handed_to == 0);
    assert_memory_equal(book_find(r.core, RIG_S1, RIG_BTC), &before, sizeof before);
    assert_memory_equal(oms_order(r.core, order), &was, sizeof was);
    assert_true(before.signal_seq != 0 && before.stop_price != 0);
    assert_true(core_auto(r.core, RIG_S1));
    rig_fill(&r, order, 100, 999000); /* and it goes on */
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 5100);
}

static void flip_new_budget_counts_for_the_next_signal(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    stage_begin(&r, 2);
    stage_limits(&r);
    stage_route(&r, RIG_S1, RIG_BTC, 500000000000); /* half */
    assert_true(stage_flip(&r, 2));
    assert_int_equal(r.out.count, 0);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 5000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_signal(&r, TN_LONG, 500000);
    assert_int_equal(rig_sent_order(&r)->side, TN_SHORT);
    assert_int_equal(rig_sent_order(&r)->qty, 2500);
}

/* ---- cold ---- */

static void flip_cold_build_waits_until_its_strategy_is_flat(void **state)
{
    (void)state;
    uint64_t order = rig_working(&r, TN_LONG, 500000);
    for (int i = 0; i < 2; i++) { /* with an order, then with a position */
        stage_begin(&r, 4);
        stage_instance(&r, RIG_S1, 4, FACT_COLD);
        stage_limits(&r);
        assert_false(stage_flip(&r, 4));
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_FLAT), 1);
        assert_int_equal(((const struct fact_ignored *)rig_effect(&r, FACT_IGNORED, 0))->about,
                         RIG_S1);
        assert_int_equal(r.out.count, 1);
        assert_int_equal(instance(RIG_S1).generation, 0);
        rig_fill(&r, order, i == 0 ? 5000 : 1, 999000);
    }
    struct core_staged s;
    core_staged(r.core, &s);
    assert_true(s.is_committed); /* the host drops it, or waits */
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_signal(&r, TN_FLAT, 0);
    rig_fill(&r, rig_sent_order(&r)->order, rig_sent_order(&r)->qty, 1000000);
    stage_deploy(&r, 4);
    assert_int_equal(instance(RIG_S1).generation, 4);
    assert_int_equal(instance(RIG_S1).kind, TN_KIND_STRATEGY);
}

/* ---- modes and limits ---- */

static void fault_of(uint32_t generation)
{
    struct fact_plugin e = {.instance = RIG_S1, .what = FACT_PLUGIN_QUARANTINED};
    r.generation = generation;
    rig_step(&r, FACT_PLUGIN, &e);
    r.generation = 0;
}

static void flip_fault_counts_only_while_its_build_reigns(void **state)
{
    (void)state;
    assert_true(stage_swap(&r, RIG_S1, 7));
    fault_of(0);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ACCEPTED), 1);
    assert_int_equal(instance(RIG_S1).mode, MODE_ACTIVE);
    fault_of(8);
    assert_int_equal(instance(RIG_S1).mode, MODE_ACTIVE);
    fault_of(7);
    assert_int_equal(instance(RIG_S1).mode, MODE_REDUCING);
}

static void flip_away_from_a_fault_lifts_what_it_caused(void **state)
{
    (void)state;
    fault_of(0);
    assert_true(stage_swap(&r, RIG_S2, 6)); /* another one's flip does not */
    assert_int_equal(instance(RIG_S1).mode, MODE_REDUCING);
    assert_true(stage_swap(&r, RIG_S1, 7));
    const struct fact_moded *m = rig_effect(&r, FACT_MODED, 0);
    assert_true(m != NULL && m->why == FACT_WHY_FLIP && m->to == MODE_ACTIVE && m->id == RIG_S1);
    rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S1, MODE_REDUCING);
    assert_true(stage_swap(&r, RIG_S1, 8));
    assert_int_equal(instance(RIG_S1).mode, MODE_REDUCING); /* a person's stays */
}

static void flip_does_not_lift_what_a_person_confirmed(void **state)
{
    (void)state;
    fault_of(0);
    rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S1, MODE_REDUCING); /* already: but now it is meant */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_NEEDED), 1);
    assert_true(stage_swap(&r, RIG_S1, 7));
    assert_int_equal(instance(RIG_S1).mode, MODE_REDUCING);
}

static void limit_flip(uint64_t serial, uint32_t rule, int64_t limit)
{
    stage_begin(&r, serial);
    stage_limits(&r);
    stage_limit(&r, rule, limit);
    assert_true(stage_flip(&r, serial));
}

static void flip_limit_below_what_is_held_leaves_only_closes(void **state)
{
    (void)state;
    static const struct {
        uint32_t rule;
        int64_t fits, exceeds; /* 0.5 BTC at 10,000 of 100,000 equity: 5 % */
    } row[] = {
        {RISK_POSITION, 5000, 4999}, {RISK_EXPOSURE, 51000, 49000}, {RISK_LEVERAGE, 51000, 49000}};
    rig_hold(&r, TN_LONG, 500000);
    uint64_t serial = 1;
    for (int i = 0; i < 3; i++) {
        limit_flip(++serial, row[i].rule, row[i].fits);
        assert_int_equal(instance(RIG_S1).mode, MODE_ACTIVE);
        assert_int_equal(r.out.count, 0);
        limit_flip(++serial, row[i].rule, row[i].exceeds);
        const struct fact_moded *m = rig_effect(&r, FACT_MODED, 0);
        assert_true(m != NULL && m->why == FACT_WHY_LIMIT && m->to == MODE_REDUCING);
        assert_int_equal(m->id, RIG_S1);
        assert_int_equal(instance(RIG_S2).mode, MODE_ACTIVE); /* it holds nothing */
        rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S1, MODE_ACTIVE);
        limit_flip(++serial, row[i].rule, row[i].exceeds); /* not tighter: not asked again */
        assert_int_equal(instance(RIG_S1).mode, MODE_ACTIVE);
    }
    limit_flip(++serial, RISK_MAX_QTY, 1); /* of one order: nothing is held of it */
    assert_int_equal(instance(RIG_S1).mode, MODE_ACTIVE);
}

static void flip_limit_counts_what_still_works(void **state)
{
    (void)state;
    (void)rig_working(&r, TN_LONG, 500000);
    limit_flip(2, RISK_POSITION, 4999);
    assert_int_equal(instance(RIG_S1).mode, MODE_REDUCING);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0); /* orders stay: a person decides */
}

/* A strategy that is stricter already is not loosened, and EXTERNAL has no mode. */
static void flip_limit_loosens_nothing(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_fill(&r, 0, 700, 1000000);
    rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S1, MODE_HALTED);
    limit_flip(2, RISK_POSITION, 1);
    assert_int_equal(instance(RIG_S1).mode, MODE_HALTED);
    assert_int_equal(rig_count(&r, FACT_MODED), 0);
}

/* ---- run_until ---- */

static void flip_run_until_leaves_only_closes_once(void **state)
{
    (void)state;
    int64_t end = r.t_ns + 100 * RIG_S;
    stage_begin_until(&r, 2, end);
    stage_limits(&r);
    assert_true(stage_flip(&r, 2));
    rig_tick(&r, r.t_ns + 90 * RIG_S); /* what is due before it */
    assert_int_equal(core_deadline(r.core), end);
    rig_quote(&r, RIG_BTC, 999900, 1000100);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_ACTIVE);
    rig_tick(&r, end);
    const struct fact_moded *m = rig_effect(&r, FACT_MODED, 0);
    assert_true(m != NULL && m->why == FACT_WHY_UNTIL && m->to == MODE_REDUCING);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE);
    rig_tick(&r, end + RIG_S);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_ACTIVE);
    assert_true(core_deadline(r.core) > end);
}

static void flip_run_until_loosens_nothing(void **state)
{
    (void)state;
    int64_t end = r.t_ns + 5 * RIG_S;
    stage_begin_until(&r, 2, end);
    stage_limits(&r);
    assert_true(stage_flip(&r, 2));
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_HALTED);
    rig_tick(&r, end);
    assert_int_equal(rig_count(&r, FACT_MODED), 0);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_HALTED);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE);
    rig_tick(&r, end + RIG_S);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_ACTIVE);
}

static void flip_run_until_of_the_newest_counts(void **state)
{
    (void)state;
    int64_t end = r.t_ns + 10 * RIG_S;
    stage_begin_until(&r, 2, end);
    stage_limits(&r);
    assert_true(stage_flip(&r, 2));
    stage_begin_until(&r, 3, end + 20 * RIG_S);
    stage_limits(&r);
    assert_true(stage_flip(&r, 3));
    rig_tick(&r, end + RIG_S);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_ACTIVE);
    assert_true(stage_swap(&r, RIG_S1, 4)); /* and one without an end has none */
    rig_tick(&r, end + 30 * RIG_S);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_ACTIVE);
    stage_begin_until(&r, 5, r.t_ns - 1); /* over before it began: at the next event */
    stage_limits(&r);
    assert_true(stage_flip(&r, 5));
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_HALTED); /* stricter: stays */
    assert_int_equal(((const struct fact_moded *)rig_effect(&r, FACT_MODED, 0))->why,
                     FACT_WHY_UNTIL);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_HALTED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(flip_signal_counts_by_its_cause_and_not_by_its_time),
        TEST(flip_last_four_reigns_are_known),
        TEST(flip_of_one_leaves_the_others_believed),
        TEST(flip_to_the_same_build_is_none),
        TEST(flip_unstaged_row_names_who_reigns_too),
        TEST(flip_keeps_orders_stop_position_and_signal),
        TEST(flip_new_budget_counts_for_the_next_signal),
        TEST(flip_cold_build_waits_until_its_strategy_is_flat),
        TEST(flip_fault_counts_only_while_its_build_reigns),
        TEST(flip_away_from_a_fault_lifts_what_it_caused),
        TEST(flip_does_not_lift_what_a_person_confirmed),
        TEST(flip_limit_below_what_is_held_leaves_only_closes),
        TEST(flip_limit_counts_what_still_works),
        TEST(flip_limit_loosens_nothing),
        TEST(flip_run_until_leaves_only_closes_once),
        TEST(flip_run_until_loosens_nothing),
        TEST(flip_run_until_of_the_newest_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
