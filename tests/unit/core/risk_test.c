/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: each rule of the gate binds exactly at its limit, all are always evaluated and written
 * down, closes pass what the table lets them pass, cuts give lots that really fit.
 * Method: a rigged core whose figures are easy (1.0000 at 10,000.00, equity 100,000 USD); per rule
 * one below, at and one above the limit; extreme limits; a seeded property run over positions,
 * working orders and limits that recomputes each rule's figure here and looks at what was granted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_rig.h"

static struct core_rig r;
static const struct fact_decision *d;

static int setup(void **state)
{
    (void)state;
    rig_open(&r);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_check(r.core);
    rig_close(&r);
    return 0;
}

/* A signal for `target_ppm` of 1.0000 and its decision; its order is gone afterwards. */
static const struct fact_decision *ask(uint32_t side, int32_t target_ppm)
{
    rig_at(&r, r.t_ns + 2 * RIG_S); /* no duplicate */
    rig_signal(&r, side, target_ppm);
    d = rig_decision(&r);
    return d;
}

static void drop(void)
{
    rig_exec(&r, d->intent, FACT_EXEC_REJECTED);
}

/* Only this rule was asked too much. */
static void assert_only(uint32_t rule, uint8_t result)
{
    for (uint32_t i = 1; i < RISK_RULE_END; i++) {
        if (i == rule)
            assert_int_equal(d->result[i], result);
        else
            assert_true(d->result[i] == FACT_RULE_PASS || d->result[i] == FACT_RULE_FREE);
    }
}

static void risk_record_is_complete(void **state)
{
    (void)state;
    struct fact_deploy dep = {.serial = 41};
    rig_step(&r, FACT_DEPLOY, &dep);
    rig_limit(&r, RISK_MESSAGES, 100);
    ask(TN_LONG, 500000);
    assert_int_equal(d->approved, 1);
    assert_int_equal(d->asked, 5000);
    assert_int_equal(d->granted, 5000);
    assert_int_equal(d->price, 1005000);
    assert_int_equal(d->reference, 1000000);
    assert_int_equal(d->serial, 41);
    static const struct fact_rule rule[RISK_RULE_COUNT] = {
        {0, 0},                        /* KILL */
        {MODE_ACTIVE, MODE_ACTIVE},    /* MODE */
        {1, 1},                        /* AUTO */
        {1, 1},                        /* PERMISSION */
        {1, 1},                        /* STATIC */
        {FACT_HEALTHY, FACT_HEALTHY},  /* DATA */
        {0, 50000000},                 /* CLOCK */
        {5000, 1000000},               /* MAX_QTY */
        {502500000000, 2000000000000}, /* MAX_VALUE: 0.5 x 10,050 USD */
        {5000, 20000},                 /* COLLAR */
        {5000, 1000000},               /* POSITION */
        {50000, 500000},               /* EXPOSURE: 5,000 of 100,000 */
        {50000, 3000000},              /* LEVERAGE */
        {0, 0},                        /* RATE */
        {0, 0},                        /* DUPLICATE */
        {1, 50},                       /* OPEN_ORDERS */
        {1, 80},                       /* MESSAGES: 20 % are kept back */
    };
    for (uint32_t i = 0; i < RISK_RULE_COUNT; i++) {
        assert_int_equal(d->rule[i].observed, rule[i].observed);
        assert_int_equal(d->rule[i].limit, rule[i].limit);
        assert_int_equal(d->result[i + 1], FACT_RULE_PASS);
    }
}

static void risk_all_rules_are_evaluated_after_a_denial(void **state)
{
    (void)state;
    rig_auto(&r, false);
    rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S1, MODE_REDUCING);
    rig_limit(&r, RISK_COLLAR, 4999);
    rig_limit(&r, RISK_POSITION, 100);
    ask(TN_LONG, 500000);
    assert_int_equal(d->approved, 0);
    assert_int_equal(d->denied_by,
                     1u << (RISK_MODE - 1) | 1u << (RISK_AUTO - 1) | 1u << (RISK_COLLAR - 1));
    assert_int_equal(d->cut_by, 1u << (RISK_POSITION - 1)); /* what it would have cut is told too */
    for (uint32_t i = 1; i < RISK_RULE_END; i++)
        assert_int_not_equal(d->result[i], FACT_RULE_UNSET);
    assert_int_equal(core_totals(r.core)->denied_by[RISK_AUTO], 1);
    assert_int_equal(core_totals(r.core)->denied_by[RISK_KILL], 0);
}

/* Limits below, at and above what is asked, for the rules that only say yes or no. */
static void risk_yes_or_no_limits_bind_exactly(void **state)
{
    (void)state;
    static const struct {
        uint32_t rule;
        int64_t observed;
    } c[] = {{RISK_COLLAR, 5000}, {RISK_OPEN_ORDERS, 1}, {RISK_CLOCK, 30}};
    struct fact_clock clock = {.skew_ns = -30};
    rig_step(&r, FACT_CLOCK, &clock);
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        rig_limit(&r, c[i].rule, c[i].observed - 1);
        ask(TN_LONG, 500000);
        assert_only(c[i].rule, FACT_RULE_DENY);
        assert_int_equal(d->rule[c[i].rule - 1].observed, c[i].observed);
        for (int64_t more = 0; more < 2; more++) {
            rig_limit(&r, c[i].rule, c[i].observed + more);
            ask(TN_LONG, 500000);
            assert_int_equal(d->denied_by | d->cut_by, 0);
            drop();
        }
    }
    clock.skew_ns = INT64_MIN; /* has no opposite: refused, the old one stays */
    rig_step(&r, FACT_CLOCK, &clock);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
}

/* The same for the rules that may cut: one unit too little cuts one lot. */
static void risk_cutting_limits_bind_exactly(void **state)
{
    (void)state;
    static const struct {
        uint32_t rule;
        int64_t observed;
    } c[] = {{RISK_MAX_QTY, 5000},
             {RISK_MAX_VALUE, 502500000000},
             {RISK_POSITION, 5000},
             {RISK_EXPOSURE, 50000},
             {RISK_LEVERAGE, 50000}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        for (int64_t more = -1; more <= 1; more++) {
            rig_limit(&r, c[i].rule, c[i].observed + more);
            ask(TN_LONG, 500000);
            assert_int_equal(d->approved, 1);
            assert_int_equal(d->rule[c[i].rule - 1].observed, c[i].observed);
            assert_int_equal(d->rule[c[i].rule - 1].limit, c[i].observed + more);
            if (more < 0) {
                assert_only(c[i].rule, FACT_RULE_CUT);
                assert_int_equal(d->cut_by, 1u << (c[i].rule - 1));
                assert_in_range(d->granted, 4900, 4999);
                assert_int_equal(rig_sent_order(&r)->qty, d->granted);
            } else {
                assert_int_equal(d->cut_by, 0);
                assert_int_equal(d->granted, 5000);
            }
            drop();
        }
        rig_limit(&r, c[i].rule, 0); /* nothing left: a cut to nothing is a denial */
        ask(TN_LONG, 500000);
        assert_only(c[i].rule, FACT_RULE_DENY);
        assert_int_equal(d->granted, 0);
        rig_limit(&r, c[i].rule, INT64_MAX);
        ask(TN_LONG, 500000);
        assert_int_equal(d->granted, 5000);
        drop();
    }
    rig_limit(&r, RISK_MESSAGES, INT64_MAX);
    ask(TN_LONG, 500000);
    assert_int_equal(d->granted, 5000);
}

static void risk_cut_is_in_lots_and_not_below_the_minimum(void **state)
{
    (void)state;
    struct fact_instrument i;
    assert_true(core_instrument(r.core, 0, &i));
    i.lot = 100;
    i.min_qty = 300;
    rig_step(&r, FACT_INSTRUMENT, &i);
    rig_limit(&r, RISK_MAX_QTY, 499);
    ask(TN_LONG, 500000);
    assert_int_equal(d->granted, 400);
    drop();
    rig_limit(&r, RISK_MAX_QTY, 300);
    ask(TN_LONG, 500000);
    assert_int_equal(d->granted, 300);
    drop();
    rig_limit(&r, RISK_MAX_QTY, 299);
    ask(TN_LONG, 500000);
    assert_int_equal(d->granted, 0);
    assert_only(RISK_MAX_QTY, FACT_RULE_DENY);
}

static void risk_tightest_row_that_applies_binds(void **state)
{
    (void)state;
    rig_limit_of(&r, RISK_MAX_QTY, RIG_BTC, 0, 4000);
    rig_limit_of(&r, RISK_MAX_QTY, 0, RIG_S1, 3000);
    rig_limit_of(&r, RISK_MAX_QTY, RIG_INV, 0, 10);
    rig_limit_of(&r, RISK_MAX_QTY, 0, RIG_S2, 20);
    ask(TN_LONG, 500000);
    assert_int_equal(d->granted, 3000);
    drop();
    rig_limit_of(&r, RISK_MAX_QTY, 0, RIG_S1, 9000);
    ask(TN_LONG, 500000);
    assert_int_equal(d->granted, 4000);
}

static void risk_unnamed_limit_lets_nothing_pass(void **state)
{
    (void)state;
    for (uint32_t rule = 1; rule < RISK_RULE_END; rule++) {
        static const int64_t without[RISK_RULE_END] = {
#define X(id, name, code, unit, may_cut, closes, def, source, text) [id] = (def),
            RISK_RULES(X)
#undef X
        };
        bool must_be_named = rule == RISK_MAX_QTY || rule == RISK_MAX_VALUE ||
                             rule == RISK_POSITION || rule == RISK_EXPOSURE;
        assert_int_equal(without[rule] == RISK_NO_DEFAULT, must_be_named);
    }
    struct core_rig bare;
    rig_open_bare(&bare, NULL);
    struct fact_currency usd = {.id = 1, .exp = -8};
    rig_step(&bare, FACT_CURRENCY, &usd);
    struct fact_instrument i = {.id = 1,
                                .contract = FACT_LINEAR,
                                .price_exp = -2,
                                .qty_exp = -4,
                                .tick = 1,
                                .lot = 1,
                                .multiplier = 1,
                                .settle = 1};
    rig_step(&bare, FACT_INSTRUMENT, &i);
    struct fact_account a = {.id = 1, .currency = 1, .balance = 10000000000000};
    rig_step(&bare, FACT_ACCOUNT, &a);
    struct fact_instance s = {.id = 1, .kind = TN_KIND_STRATEGY};
    rig_step(&bare, FACT_INSTANCE, &s);
    rig_route(&bare, 1, 1, 1000000000000);
    rig_start(&bare, 1);
    rig_auto(&bare, true);
    rig_quote(&bare, 1, 999900, 1000100);
    rig_signal(&bare, TN_LONG, 500000);
    const struct fact_decision *x = rig_decision(&bare);
    assert_int_equal(x->denied_by, 1u << (RISK_MAX_QTY - 1) | 1u << (RISK_MAX_VALUE - 1) |
                                       1u << (RISK_POSITION - 1) | 1u << (RISK_EXPOSURE - 1));
    rig_close(&bare);
}

/* ---- closes ---- */

static void risk_closes_pass_what_the_table_frees(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 1000000);
    for (uint32_t rule = RISK_MAX_QTY; rule < RISK_RULE_END; rule++) {
        if (rule != RISK_COLLAR && rule != RISK_MESSAGES)
            rig_limit(&r, rule, 0); /* everything is over its limit */
    }
    struct fact_clock clock = {.skew_ns = RIG_S};
    rig_step(&r, FACT_CLOCK, &clock);
    rig_tick(&r, r.t_ns + 400 * RIG_S); /* data DOWN */
    ask(TN_LONG, 500000);
    assert_int_equal(d->reducing, 1);
    assert_int_equal(d->granted, 5000);
    static const bool binds[RISK_RULE_END] = {
        [RISK_MODE] = true,    [RISK_AUTO] = true,   [RISK_PERMISSION] = true,
        [RISK_STATIC] = true,  [RISK_COLLAR] = true, [RISK_DUPLICATE] = true,
        [RISK_MESSAGES] = true};
    for (uint32_t rule = 1; rule < RISK_RULE_END; rule++)
        assert_int_equal(d->result[rule], binds[rule] ? FACT_RULE_PASS : FACT_RULE_FREE);
    assert_int_equal(d->rule[RISK_DATA - 1].observed, FACT_DOWN); /* measured all the same */
    assert_int_equal(d->rule[RISK_CLOCK - 1].observed, RIG_S);
}

static void risk_closes_are_never_cut(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 1000000);
    rig_limit(&r, RISK_MAX_QTY, 10);
    rig_limit(&r, RISK_POSITION, 10);
    ask(TN_FLAT, 0);
    assert_int_equal(d->granted, 10000);
    assert_int_equal(d->cut_by, 0);
}

static void risk_close_outside_the_collar_is_denied_but_a_flatten_has_its_own(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 1000000);
    rig_limit(&r, RISK_COLLAR, 4999);
    ask(TN_FLAT, 0);
    assert_only(RISK_COLLAR, FACT_RULE_DENY);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_KILLED);
    d = rig_decision(&r);
    assert_int_equal(d->approved, 1);
    assert_int_equal(d->rule[RISK_COLLAR - 1].limit, 30000);
}

/* ---- exposure ---- */

static void risk_unknown_orders_count(void **state)
{
    (void)state;
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    rig_limit(&r, RISK_EXPOSURE, 100000); /* 10,000 USD: 1.0000 in all */
    rig_signal(&r, TN_LONG, 600000);
    rig_sent(&r, rig_sent_order(&r)->order, FACT_SENT_UNKNOWN);
    struct fact_signal s = {
        .instance = RIG_S2, .side = TN_LONG, .advice = TN_ADVICE_TARGET, .target_ppm = 600000};
    rig_signal_full(&r, s); /* two strategies race one cap: the second gets what is left */
    d = rig_decision(&r);
    assert_only(RISK_EXPOSURE, FACT_RULE_CUT);
    assert_int_equal(d->granted, 4000);
    assert_int_equal(d->rule[RISK_EXPOSURE - 1].observed, 120000);
}

static void risk_turn_counts_the_worse_side(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 600000);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_limit(&r, RISK_POSITION, 4000); /* tightened below what is held */
    rig_signal(&r, TN_SHORT, 500000);
    assert_int_equal(rig_count(&r, FACT_DECISION), 2);
    const struct fact_decision *close = rig_effect(&r, FACT_DECISION, 0);
    const struct fact_decision *open = rig_effect(&r, FACT_DECISION, 1);
    assert_int_equal(close->granted, 6000);
    assert_int_equal(open->granted, 0); /* until the close is filled, 6000 may stay: no more yet */
    assert_int_equal(open->rule[RISK_POSITION - 1].observed, 6000);
}

/* ---- duplicates and messages ---- */

static void again(int64_t after_ns)
{
    rig_at(&r, r.t_ns + after_ns);
    rig_signal(&r, TN_LONG, 500000);
    d = rig_decision(&r);
    if (d->approved)
        drop();
}

static void risk_duplicate_is_the_same_within_a_second(void **state)
{
    (void)state;
    again(0);
    assert_int_equal(d->approved, 1);
    again(RIG_S - 1);
    assert_int_equal(d->denied_by, 1u << (RISK_DUPLICATE - 1));
    again(RIG_S);
    assert_int_equal(d->approved, 1);
    rig_signal(&r, TN_LONG, 400000); /* another quantity is another intent */
    assert_int_equal(rig_decision(&r)->approved, 1);
}

static void risk_third_duplicate_in_a_minute_turns_the_strategy_off(void **state)
{
    (void)state;
    again(0);
    again(1); /* 1 */
    again(58 * RIG_S);
    rig_quote(&r, RIG_BTC, 999900, 1000100);
    again(1); /* 2, 58 s later */
    assert_true(core_auto(r.core, RIG_S1));
    again(3 * RIG_S);
    again(1); /* 3, but the first is over a minute ago */
    assert_true(core_auto(r.core, RIG_S1));
    again(1); /* and one more: three within 3 s */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_DUPLICATES), 1);
    assert_false(core_auto(r.core, RIG_S1));
    assert_true(core_auto(r.core, RIG_S2));
    again(2 * RIG_S);
    assert_int_equal(d->denied_by, 1u << (RISK_AUTO - 1));
}

static void risk_messages_keep_a_fifth_for_closes_and_cancels(void **state)
{
    (void)state;
    rig_limit(&r, RISK_MESSAGES, 10);
    rig_limit(&r, RISK_DUPLICATE, 0);
    rig_hold(&r, TN_LONG, 100000);
    rig_at(&r, (r.t_ns / RIG_S + 1) * RIG_S); /* a fresh second */
    for (int i = 0; i < 8; i++) {
        rig_signal(&r, TN_LONG, 200000 + i * 1000);
        d = rig_decision(&r);
        assert_int_equal(d->approved, 1);
        assert_int_equal(d->rule[RISK_MESSAGES - 1].observed, i + 1);
        drop();
    }
    rig_signal(&r, TN_LONG, 300000);
    d = rig_decision(&r);
    assert_only(RISK_MESSAGES, FACT_RULE_DENY);
    assert_int_equal(d->rule[RISK_MESSAGES - 1].limit, 8);
    rig_signal(&r, TN_LONG, 50000);
    d = rig_decision(&r); /* a close: may use all ten */
    assert_int_equal(d->approved, 1);
    drop();
    rig_signal(&r, TN_LONG, 40000);
    assert_int_equal(rig_decision(&r)->approved, 1);
    rig_signal(&r, TN_LONG, 30000);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0); /* SENDING: waits */
    rig_exec(&r, r.sends[(r.send_count - 1) % RIG_SENDS].order, FACT_EXEC_REJECTED);
    assert_int_equal(rig_decision(&r)->denied_by, 1u << (RISK_MESSAGES - 1));
    rig_at(&r, r.t_ns + RIG_S);
    rig_signal(&r, TN_LONG, 300000);
    assert_int_equal(rig_decision(&r)->approved, 1);
}

/* ---- cuts against recomputed figures ---- */

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static __int128 ceil_div(__int128 a, __int128 b)
{
    return (a + b - 1) / b;
}

/* Value of a net in account units: the linear one ends exactly, the inverse one is rounded up. */
static __int128 worth_of(uint32_t instrument, int64_t qty, int64_t price)
{
    if (instrument == RIG_BTC)
        return (__int128)qty * price * 100;
    __int128 fine = (__int128)qty * 100 * 100 * 1000000000000000000; /* at 10^-18, half even */
    __int128 q = fine / price, rest = fine % price;
    if (rest * 2 > price || (rest * 2 == price && q % 2 != 0))
        q++;
    return ceil_div(q, 10000000000);
}

static void risk_what_is_granted_fits_every_cap(void **state)
{
    (void)state;
    uint64_t seed = 424242;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint32_t cuts = 0, full = 0, none = 0;
    for (int i = 0; i < 3000; i++) {
        uint32_t ins = 1 + next(&seed) % 2;
        int64_t price = 1000 + (int64_t)(next(&seed) % 2000000) * 2;
        rig_close(&r);
        rig_open(&r);
        rig_route(&r, RIG_S1, RIG_INV, 1000000000000);
        struct fact_instrument def;
        assert_true(core_instrument(r.core, ins - 1, &def));
        def.lot = 1 + (int64_t)(next(&seed) % 20);
        def.price_max = 0;
        rig_step(&r, FACT_INSTRUMENT, &def);
        rig_quote(&r, ins, price, price);
        struct fact_trade t = {.instrument = ins, .price = price, .qty = 1};
        rig_step(&r, FACT_TRADE, &t);
        int64_t held = (int64_t)(next(&seed) % 40001) - 20000;
        if (held != 0) /* someone else's */
            rig_exec_full(&r, (struct fact_exec){.trade_id = 5,
                                                 .kind = FACT_EXEC_TRADE,
                                                 .instrument = ins,
                                                 .last_price = price,
                                                 .side = held > 0 ? TN_LONG : TN_SHORT,
                                                 .last_qty = num_abs(held)});
        rig_limit(&r, RISK_MAX_QTY, INT64_MAX);
        rig_limit(&r, RISK_MAX_VALUE, INT64_MAX);
        rig_limit(&r, RISK_POSITION, INT64_MAX);
        rig_limit(&r, RISK_EXPOSURE, 1 + (int64_t)(next(&seed) % 200000));
        rig_limit(&r, RISK_LEVERAGE, 1 + (int64_t)(next(&seed) % 200000));
        uint32_t side = 1 + next(&seed) % 2;
        rig_quote(&r, ins, price - 1, price + 1);
        rig_signal_full(&r, (struct fact_signal){.instrument = ins, .side = side});
        const struct fact_decision *x = rig_effect(&r, FACT_DECISION, 0);
        if (x == NULL || x->result[RISK_RATE] == FACT_RULE_DENY)
            continue;
        struct core_account_view a;
        assert_true(core_account(r.core, 0, &a));
        int64_t up = held + (side == TN_LONG ? x->granted : 0);
        int64_t down = held - (side == TN_SHORT ? x->granted : 0);
        int64_t w = num_abs(up) > num_abs(down) ? num_abs(up) : num_abs(down);
        __int128 ppm = ceil_div(worth_of(ins, w, price) * 1000000, a.equity);
        int64_t cap = x->rule[RISK_EXPOSURE - 1].limit < x->rule[RISK_LEVERAGE - 1].limit
                          ? x->rule[RISK_EXPOSURE - 1].limit
                          : x->rule[RISK_LEVERAGE - 1].limit;
        if (x->granted > 0 && ppm > cap)
            fail_msg("case %d: granted %lld of %lld makes %lld ppm of %lld", i,
                     (long long)x->granted, (long long)x->asked, (long long)ppm, (long long)cap);
        assert_int_equal(x->granted % def.lot, 0);
        cuts += x->cut_by != 0 && x->granted > 0;
        full += x->granted == x->asked;
        none += x->granted == 0;
    }
    print_message("cut %u, whole %u, denied %u\n", cuts, full, none);
    assert_true(cuts > 100 && full > 100 && none > 100);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(risk_record_is_complete),
        TEST(risk_all_rules_are_evaluated_after_a_denial),
        TEST(risk_yes_or_no_limits_bind_exactly),
        TEST(risk_cutting_limits_bind_exactly),
        TEST(risk_cut_is_in_lots_and_not_below_the_minimum),
        TEST(risk_tightest_row_that_applies_binds),
        TEST(risk_unnamed_limit_lets_nothing_pass),
        TEST(risk_closes_pass_what_the_table_frees),
        TEST(risk_closes_are_never_cut),
        TEST(risk_close_outside_the_collar_is_denied_but_a_flatten_has_its_own),
        TEST(risk_unknown_orders_count),
        TEST(risk_turn_counts_the_worse_side),
        TEST(risk_duplicate_is_the_same_within_a_second),
        TEST(risk_third_duplicate_in_a_minute_turns_the_strategy_off),
        TEST(risk_messages_keep_a_fifth_for_closes_and_cancels),
        TEST(risk_what_is_granted_fits_every_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
