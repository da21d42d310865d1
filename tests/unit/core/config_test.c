/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a row of the deployment that does not fit or contradicts what is there changes nothing and
 * is reported; what is for life stays for life; full tables are alarms. Also what a step does with
 * records that it does not know, and what the views answer past their end.
 * Method: a rigged core; each bad row is one field away from a good one, and the whole state is
 * compared before and after by its snapshot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_rig.h"
#include "tests/unit/base/dies.h"

static struct core_rig r;

static int setup(void **state)
{
    (void)state;
    rig_open_sized(&r, &(struct core_limits){.routes = 2,
                                             .limits = 6,
                                             .instruments = 3,
                                             .currencies = 3,
                                             .accounts = 3,
                                             .instances = 4});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_check(r.core);
    rig_close(&r);
    return 0;
}

/* The tables of the state, without the counters that every event moves. */
static uint8_t *tables(size_t *bytes)
{
    struct core_totals keep = r.core->totals;
    uint64_t seq = r.core->seq;
    r.core->totals = (struct core_totals){0};
    r.core->seq = 0;
    *bytes = core_snapshot_bytes(r.core);
    uint8_t *out = malloc(*bytes);
    assert_non_null(out);
    core_snapshot(r.core, out, *bytes);
    r.core->totals = keep;
    r.core->seq = seq;
    return out;
}

static void assert_refused(uint16_t type, const void *payload)
{
    size_t n, k;
    uint8_t *before = tables(&n);
    rig_step(&r, type, payload);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    uint8_t *after = tables(&k);
    assert_int_equal(n, k);
    assert_memory_equal(before, after, n);
    free(before);
    free(after);
}

static void assert_taken(uint16_t type, const void *payload)
{
    rig_step(&r, type, payload);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
}

/* `good` with one member changed is refused. */
#define BAD(type, member, value)                                                                   \
    x = good;                                                                                      \
    x.member = (value);                                                                            \
    assert_refused(type, &x)

static void config_bad_instruments_change_nothing(void **state)
{
    (void)state;
    struct fact_instrument good, x;
    assert_true(core_instrument(r.core, 0, &good));
    good.id = 3;
    BAD(FACT_INSTRUMENT, id, 0);
    BAD(FACT_INSTRUMENT, id, 4);
    BAD(FACT_INSTRUMENT, settle, 0);
    BAD(FACT_INSTRUMENT, settle, 3);
    BAD(FACT_INSTRUMENT, settle, UINT32_MAX);
    BAD(FACT_INSTRUMENT, contract, 0);
    BAD(FACT_INSTRUMENT, contract, 3);
    BAD(FACT_INSTRUMENT, tick, 0);
    BAD(FACT_INSTRUMENT, tick, INT64_MAX);
    BAD(FACT_INSTRUMENT, lot, -1);
    BAD(FACT_INSTRUMENT, lot, INT64_MAX);
    BAD(FACT_INSTRUMENT, min_qty, -1);
    BAD(FACT_INSTRUMENT, multiplier, 0);
    BAD(FACT_INSTRUMENT, multiplier_exp, -13);
    BAD(FACT_INSTRUMENT, multiplier_exp, 13);
    BAD(FACT_INSTRUMENT, price_exp, -13);
    BAD(FACT_INSTRUMENT, price_exp, 13);
    BAD(FACT_INSTRUMENT, qty_exp, -13);
    BAD(FACT_INSTRUMENT, qty_exp, 13);
    BAD(FACT_INSTRUMENT, price_max, -1);
    BAD(FACT_INSTRUMENT, age_degraded_ns, -1);
    BAD(FACT_INSTRUMENT, age_degraded_ns, INT64_MAX);
    BAD(FACT_INSTRUMENT, age_down_ns, -1);
    BAD(FACT_INSTRUMENT, age_down_ns, INT64_MAX);
    assert_taken(FACT_INSTRUMENT, &good);
    assert_true(core_instrument(r.core, 2, &x));
    assert_false(core_instrument(r.core, 3, &x));
}

static void config_grid_and_money_of_an_instrument_are_for_life(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    struct fact_instrument good, x;
    assert_true(core_instrument(r.core, 0, &good));
    BAD(FACT_INSTRUMENT, price_exp, -3);
    BAD(FACT_INSTRUMENT, qty_exp, -3);
    BAD(FACT_INSTRUMENT, settle, RIG_EUR);
    BAD(FACT_INSTRUMENT, contract, FACT_INVERSE);
    BAD(FACT_INSTRUMENT, multiplier, 2);
    BAD(FACT_INSTRUMENT, multiplier_exp, 1);
    good.tick = 50;
    good.lot = 10;
    good.min_qty = 20;
    assert_taken(FACT_INSTRUMENT, &good);
}

static void config_bad_names_change_nothing(void **state)
{
    (void)state;
    struct fact_currency y[] = {
        {.id = 0}, {.id = 4}, {.id = 1, .exp = -2}, {.id = 3, .exp = -13}, {.id = 3, .exp = 13}};
    for (size_t i = 0; i < 5; i++)
        assert_refused(FACT_CURRENCY, &y[i]);
    struct fact_account a[] = {{.id = 0, .currency = 1}, {.id = 4, .currency = 1},
                               {.id = 2, .currency = 0}, {.id = 2, .currency = 3},
                               {.id = 2, .currency = 9}, {.id = 1, .currency = RIG_EUR},
                               {.id = 3, .currency = 1} /* leaves a gap */};
    for (size_t i = 0; i < 7; i++)
        assert_refused(FACT_ACCOUNT, &a[i]);
    struct fact_instance s[] = {{.id = 0}, {.id = 5}};
    for (size_t i = 0; i < 2; i++)
        assert_refused(FACT_INSTANCE, &s[i]);
    struct fact_account again = {.id = 1, .currency = 1, .balance = 5, .name = "renamed"};
    assert_taken(FACT_ACCOUNT, &again);
    struct core_account_view v;
    assert_true(core_account(r.core, 0, &v));
    assert_string_equal(v.name, "renamed");
    assert_int_equal(v.start, 10000000000000); /* money moves by BALANCE only */
    assert_int_equal(v.equity, 10000000000000);
    assert_false(core_account(r.core, 1, &v));
}

static void config_bad_routes_limits_and_rates_change_nothing(void **state)
{
    (void)state;
    struct fact_route good = {.strategy = 2, .instrument = 1, .account = 1, .budget = 5}, x;
    BAD(FACT_ROUTE, strategy, 0);
    BAD(FACT_ROUTE, strategy, 3);
    BAD(FACT_ROUTE, strategy, 99);
    BAD(FACT_ROUTE, instrument, 0);
    BAD(FACT_ROUTE, instrument, 3);
    BAD(FACT_ROUTE, instrument, 99);
    BAD(FACT_ROUTE, account, 0);
    BAD(FACT_ROUTE, account, 2);
    BAD(FACT_ROUTE, account, 99);
    BAD(FACT_ROUTE, budget, 0);
    BAD(FACT_ROUTE, budget, -1);
    struct fact_limit l[] = {{.rule = 0},
                             {.rule = RISK_RULE_END},
                             {.rule = 8, .limit = -1},
                             {.rule = 8, .instrument = 4},
                             {.rule = 8, .strategy = 5}};
    for (size_t i = 0; i < 5; i++)
        assert_refused(FACT_LIMIT, &l[i]);
    struct fact_rate e[] = {
        {.from = 0, .to = 1, .rate = 1},       {.from = 1, .to = 0, .rate = 1},
        {.from = 1, .to = 1, .rate = 1},       {.from = 4, .to = 1, .rate = 1},
        {.from = 1, .to = 4, .rate = 1},       {.from = 1, .to = 2, .rate = 0},
        {.from = 1, .to = 2, .instrument = 4}, {.from = 1, .to = 2, .rate = 1, .exp = 1000}};
    for (size_t i = 0; i < 8; i++)
        assert_refused(FACT_RATE, &e[i]);
}

static void config_route_keeps_its_account(void **state)
{
    (void)state;
    struct fact_account second = {.id = 2, .currency = 1};
    assert_taken(FACT_ACCOUNT, &second);
    struct fact_route x = {.strategy = 1, .instrument = 1, .account = 2, .budget = 5};
    assert_refused(FACT_ROUTE, &x);
    x.account = 1;
    assert_taken(FACT_ROUTE, &x); /* a new budget */
    assert_int_equal(book_find(r.core, 1, 1)->budget, 5);
}

static void config_full_tables_are_alarms(void **state)
{
    (void)state;
    rig_fill(&r, 0, 5, 1000000); /* an EXTERNAL book does not take a route's place */
    rig_route(&r, RIG_S2, RIG_BTC, 5);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FULL), 0);
    rig_route(&r, RIG_S2, RIG_INV, 5);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FULL), 1);
    assert_null(book_find(r.core, RIG_S2, RIG_INV));
    rig_limit(&r, RISK_CLOCK, 5); /* the rig made four */
    rig_limit(&r, RISK_COLLAR, 5);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FULL), 0);
    rig_limit(&r, RISK_MESSAGES, 5);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FULL), 1);
    rig_limit(&r, RISK_COLLAR, 6); /* a row that is there may change */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FULL), 0);
    struct fact_rate e = {.rate = 1};
    for (uint32_t i = 0; i < 6; i++) { /* all pairs of three currencies fit */
        e.from = 1 + i / 2;
        e.to = 1 + (e.from + i % 2) % 3;
        assert_taken(FACT_RATE, &e);
    }
    assert_taken(FACT_RATE, &e);
    assert_int_equal(r.core->rate_count, 6);
}

static void config_balance_moves_cash_and_never_wraps(void **state)
{
    (void)state;
    struct fact_balance b = {.account = 1, .amount = -4000000000000};
    assert_taken(FACT_BALANCE, &b);
    struct core_account_view v;
    assert_true(core_account(r.core, 0, &v));
    assert_int_equal(v.equity, 6000000000000);
    b.amount = INT64_MAX;
    assert_refused(FACT_BALANCE, &b);
    b = (struct fact_balance){.account = 2, .amount = 1};
    assert_refused(FACT_BALANCE, &b);
    b.account = 0;
    assert_refused(FACT_BALANCE, &b);
    b.account = UINT32_MAX;
    assert_refused(FACT_BALANCE, &b);
}

static void config_cash_and_profit_that_do_not_fit_deny(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    struct fact_balance b = {.account = 1, .amount = INT64_MAX - 10000000000000};
    assert_taken(FACT_BALANCE, &b);
    rig_quote(&r, RIG_BTC, 1100000, 1100000 + 2); /* unrealised on top does not fit */
    rig_at(&r, r.t_ns + 2 * RIG_S);
    rig_signal(&r, TN_LONG, 900000);
    assert_int_equal(rig_decision(&r)->result[RISK_RATE], FACT_RULE_DENY);
    assert_int_equal(rig_decision(&r)->rule[RISK_RATE - 1].observed, INT64_MAX);
    assert_int_equal(rig_decision(&r)->result[RISK_EXPOSURE], FACT_RULE_DENY);
}

static void config_facts_for_readers_change_nothing(void **state)
{
    (void)state;
    static const uint16_t type[] = {FACT_GENESIS, FACT_STOP,     FACT_DATASET,
                                    FACT_ROWS,    FACT_SNAPSHOT, FACT_LATE};
    struct fact_view zero = {0};
    for (size_t i = 0; i < sizeof type / sizeof *type; i++) {
        size_t n, k;
        uint8_t *before = tables(&n);
        rig_step(&r, type[i], &zero.u);
        assert_int_equal(r.out.count, 0);
        uint8_t *after = tables(&k);
        assert_memory_equal(before, after, n);
        free(before);
        free(after);
    }
    struct fact_plugin p = {.instance = 1, .what = FACT_PLUGIN_SKIPPED};
    rig_step(&r, FACT_PLUGIN, &p);
    assert_int_equal(r.out.count, 0);
    p = (struct fact_plugin){.instance = 4000000000u, .what = FACT_PLUGIN_QUARANTINED};
    rig_step(&r, FACT_PLUGIN, &p);
    assert_int_equal(rig_count(&r, FACT_MODED), 0);
}

static void config_unknown_reserved_or_misshapen_records_are_ignored(void **state)
{
    (void)state;
    struct fact_view v = {0};
    rig_step(&r, FACT_VERDICT, &v.u);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_RESERVED_KIND), 1);
    rig_step(&r, 9999, &v.u);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_RESERVED_KIND), 1);
    rig_step(&r, FACT_SEND, &v.u); /* an effect is no event */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_RESERVED_KIND), 1);
    struct fact_head h = {
        .seq = ++r.seq, .t_ns = r.t_ns, .type = FACT_QUOTE, .version = 1, .bytes = 8};
    core_step(r.core, &h, &v.u, &r.out);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_RESERVED_KIND), 1);
    h = (struct fact_head){.seq = ++r.seq,
                           .t_ns = r.t_ns,
                           .type = FACT_QUOTE,
                           .version = 2,
                           .bytes = sizeof(struct fact_quote)};
    core_step(r.core, &h, &v.u, &r.out);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_RESERVED_KIND), 1);
}

static void config_views_tell_what_is_there(void **state)
{
    (void)state;
    uint8_t hash[FACT_HASH_BYTES];
    memset(hash, 7, sizeof hash);
    struct fact_deploy dep = {.serial = 3};
    memcpy(dep.sha256, hash, sizeof hash);
    rig_step(&r, FACT_DEPLOY, &dep);
    assert_memory_equal(core_deployment(r.core), hash, sizeof hash);
    assert_int_equal(core_seq(r.core), r.seq);
    assert_int_equal(core_now(r.core), r.t_ns);
    assert_int_equal(core_epoch(r.core), 1);
    struct core_position_view v;
    assert_true(core_position(r.core, 0, &v));
    assert_false(core_position(r.core, 1, &v));
    assert_int_equal(core_mode(r.core, MODE_SCOPE_UNSET, 0), MODE_UNSET);
}

static void step_backwards(void *arg)
{
    (void)arg;
    r.t_ns--;
    struct fact_tick t = {0};
    rig_step(&r, FACT_TICK, &t);
}

static void step_with_a_hole(void *arg)
{
    (void)arg;
    r.seq++;
    rig_tick(&r, r.t_ns);
}

static void broken_core(void *arg)
{
    (void)arg;
    book_find(r.core, RIG_S1, RIG_BTC)->work_buy++;
    core_check(r.core);
}

static void config_broken_rules_stop_the_process(void **state)
{
    (void)state;
    assert_dies(step_backwards, NULL, "head->t_ns >= c->now_ns");
    assert_dies(step_with_a_hole, NULL, "head->seq == c->seq + 1");
    assert_dies(broken_core, NULL, "buy == b->work_buy");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(config_bad_instruments_change_nothing),
        TEST(config_grid_and_money_of_an_instrument_are_for_life),
        TEST(config_bad_names_change_nothing),
        TEST(config_bad_routes_limits_and_rates_change_nothing),
        TEST(config_route_keeps_its_account),
        TEST(config_full_tables_are_alarms),
        TEST(config_balance_moves_cash_and_never_wraps),
        TEST(config_cash_and_profit_that_do_not_fit_deny),
        TEST(config_facts_for_readers_change_nothing),
        TEST(config_unknown_reserved_or_misshapen_records_are_ignored),
        TEST(config_views_tell_what_is_there),
        TEST(config_broken_rules_stop_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
