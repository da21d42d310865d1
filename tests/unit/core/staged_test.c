/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: rows between STAGE BEGIN and COMMIT change nothing before their DEPLOY; one that does not
 * fit breaks the stage; COMMIT, DROP and DEPLOY take only what was begun. Method: a rigged core;
 * the state without its stage is compared by snapshots; each bad row is one field away from a good
 * one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_stage.h"

static struct core_rig r;

static int setup(void **state)
{
    (void)state;
    rig_open_sized(&r, &(struct core_limits){.routes = 3,
                                             .limits = 6,
                                             .instruments = 3,
                                             .currencies = 3,
                                             .accounts = 3,
                                             .instances = 5});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_check(r.core);
    rig_close(&r);
    return 0;
}

/* All tables but those of the stage, without the counters that every event moves. */
static uint8_t *tables(size_t *bytes)
{
    struct core_totals totals = r.core->totals;
    struct staged staged = r.core->staged;
    uint64_t seq = r.core->seq;
    r.core->totals = (struct core_totals){0};
    r.core->staged = (struct staged){0};
    r.core->seq = 0;
    *bytes = core_snapshot_bytes(r.core);
    uint8_t *out = malloc(*bytes);
    assert_non_null(out);
    core_snapshot(r.core, out, *bytes);
    r.core->totals = totals;
    r.core->staged = staged;
    r.core->seq = seq;
    return out;
}

static struct core_staged staged(void)
{
    struct core_staged s;
    core_staged(r.core, &s);
    return s;
}

static struct fact_instrument instrument_like(uint32_t id)
{
    struct fact_instrument d;
    assert_true(core_instrument(r.core, 0, &d));
    d.id = id;
    return d;
}

static void give_all(void)
{
    struct fact_currency jpy = {.id = 3, .exp = -4, .name = "JPY"};
    stage_row(&r, FACT_CURRENCY, &jpy);
    struct fact_instrument third = instrument_like(3);
    third.settle = 3; /* what is staged before it counts */
    stage_row(&r, FACT_INSTRUMENT, &third);
    struct fact_account two = {.id = 2, .currency = 3, .balance = 700};
    stage_row(&r, FACT_ACCOUNT, &two);
    stage_instance(&r, RIG_S1, 5, 0);
    stage_instance(&r, 3, 5, FACT_COLD);
    struct fact_route route = {.strategy = 3, .instrument = 3, .account = 2, .budget = 50};
    stage_row(&r, FACT_ROUTE, &route);
    stage_route(&r, RIG_S1, RIG_BTC, 777);
    stage_limits(&r);
    struct fact_rate rate = {.from = 3, .to = RIG_USD, .exp = -4, .rate = 67};
    stage_row(&r, FACT_RATE, &rate);
    struct fact_input input = {.instance = 3, .source = 1};
    stage_row(&r, FACT_INPUT, &input);
    stage_remove(&r, RIG_S2, 0, FACT_ON_REMOVE_UNSET, 0);
}

static void staged_rows_change_nothing_before_their_deploy(void **state)
{
    (void)state;
    size_t n, k;
    stage_begin(&r, 5);
    uint8_t *before = tables(&n);
    give_all();
    assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
    assert_true(staged().is_open && !staged().is_committed && staged().serial == 5);
    stage_commit(&r, 5);
    assert_int_equal(r.out.count, 0);
    assert_true(staged().is_open && staged().is_committed);
    uint8_t *after = tables(&k);
    assert_int_equal(n, k);
    assert_memory_equal(before, after, n);
    assert_false(core_instance(r.core, 2, &(struct core_instance_view){0}));
    free(before);
    free(after);
}

static void staged_deploy_applies_every_row(void **state)
{
    (void)state;
    stage_begin(&r, 5);
    give_all();
    assert_true(stage_flip(&r, 5));
    struct core_instance_view v;
    uint32_t id;
    char name[16];
    int64_t budget;
    struct fact_instrument d;
    struct core_account_view a;
    assert_true(core_currency(r.core, 2, &id, name) && id == 3 && strcmp(name, "JPY") == 0);
    assert_false(core_currency(r.core, 3, &id, name));
    assert_true(core_instrument(r.core, 2, &d) && d.settle == 3);
    assert_true(core_account(r.core, 1, &a) && a.start == 700);
    assert_true(core_instance(r.core, 2, &v));
    assert_true(v.id == 3 && v.kind == TN_KIND_STRATEGY && v.generation == 5); /* the mark is off */
    assert_true(core_instance(r.core, 1, &v) && v.is_removed);
    assert_true(core_budget(r.core, 3, 3, &budget) && budget == 50);
    assert_true(core_budget(r.core, RIG_S1, RIG_BTC, &budget) && budget == 777);
    assert_false(core_budget(r.core, RIG_S2, RIG_BTC, &budget));
    assert_false(core_budget(r.core, 0, RIG_BTC, &budget));
    assert_true(r.core->rate_count == 1 && r.core->rate[0].from == 3);
    assert_int_equal(core_serial(r.core), 5);
    struct fact_deploy deploy = stage_deploy_fact(5);
    assert_memory_equal(core_deployment(r.core), deploy.sha256, FACT_HASH_BYTES);
    assert_false(staged().is_open);
    assert_int_equal(rig_count(&r, FACT_FLIPPED), 3);
}

/* Limits and rates of the deployment before are gone, also those that it alone named. */
static void staged_limits_replace_the_whole_table(void **state)
{
    (void)state;
    rig_limit_of(&r, RISK_OPEN_ORDERS, RIG_BTC, RIG_S1, 1);
    uint32_t book = book_index(r.core, book_find(r.core, RIG_S1, RIG_BTC));
    assert_int_equal(r.core->effective[book][RISK_OPEN_ORDERS], 1);
    stage_begin(&r, 2);
    stage_limits(&r);
    stage_limit(&r, RISK_MAX_QTY, 900); /* the same key again: the later one, as unstaged */
    stage_commit(&r, 2);
    assert_int_equal(r.core->effective[book][RISK_OPEN_ORDERS], 1);
    stage_deploy(&r, 2);
    assert_int_equal(r.core->effective[book][RISK_OPEN_ORDERS], 50);
    assert_int_equal(r.core->effective[book][RISK_MAX_QTY], 900);
    assert_int_equal(r.core->limit_count, 4);
}

/* One field away from good. */
static void bad_row(uint16_t type, const void *payload)
{
    stage_begin(&r, 9);
    stage_row(&r, type, payload);
    if (rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED) != 1)
        fail_msg("a row of type %u was taken", type);
    stage_commit(&r, 9);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    assert_true(staged().is_open && !staged().is_committed);
    stage_deploy(&r, 9);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
    assert_int_equal(core_serial(r.core), 0);
}

static void staged_row_that_does_not_fit_breaks_the_stage(void **state)
{
    (void)state;
    struct fact_currency cur = {.id = RIG_USD, .exp = -2};
    bad_row(FACT_CURRENCY, &cur);
    cur = (struct fact_currency){.id = 4, .exp = -2};
    bad_row(FACT_CURRENCY, &cur);
    struct fact_instrument d = instrument_like(RIG_BTC);
    d.multiplier++;
    bad_row(FACT_INSTRUMENT, &d);
    d = instrument_like(3);
    d.settle = 3;
    bad_row(FACT_INSTRUMENT, &d); /* nobody staged that currency */
    struct fact_account a = {.id = 3, .currency = RIG_USD};
    bad_row(FACT_ACCOUNT, &a); /* a gap */
    struct fact_instance s = stage_instance_fact(4, 9, 0);
    bad_row(FACT_INSTANCE, &s); /* a gap too: the next is 3 */
    s.id = 6;
    bad_row(FACT_INSTANCE, &s);
    struct fact_route w = {.strategy = 3, .instrument = RIG_BTC, .account = 1, .budget = 5};
    bad_row(FACT_ROUTE, &w);
    w = (struct fact_route){.strategy = RIG_S2, .instrument = RIG_BTC, .account = 2, .budget = 5};
    bad_row(FACT_ROUTE, &w);
    w = (struct fact_route){.strategy = RIG_S2, .instrument = RIG_BTC, .account = 1};
    bad_row(FACT_ROUTE, &w);
    struct fact_limit l = {.rule = RISK_RULE_END, .limit = 1};
    bad_row(FACT_LIMIT, &l);
    struct fact_rate x = {.from = 1, .to = 1, .rate = 5};
    bad_row(FACT_RATE, &x);
}

static void staged_bad_removals_break_the_stage(void **state)
{
    (void)state;
    static const struct fact_remove bad[] = {
        {.strategy = 0},
        {.strategy = 3},
        {.strategy = UINT32_MAX},
        {.strategy = RIG_S1, .instrument = RIG_INV}, /* no such route */
        {.strategy = RIG_S1, .instrument = UINT32_MAX},
        {.strategy = RIG_S1, .on_remove = FACT_ON_REMOVE_HAND_TO + 1, .to = RIG_S2},
        {.strategy = RIG_S1, .on_remove = FACT_ON_REMOVE_HAND_TO},
        {.strategy = RIG_S1, .on_remove = FACT_ON_REMOVE_HAND_TO, .to = RIG_S1},
        {.strategy = RIG_S1, .on_remove = FACT_ON_REMOVE_HAND_TO, .to = 3},
        {.strategy = RIG_S1, .on_remove = FACT_ON_REMOVE_FLATTEN, .to = RIG_S2},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        bad_row(FACT_REMOVE, &bad[i]);
}

static void contradict(uint16_t kind)
{
    switch (kind) {
    case 'i':
        stage_instance(&r, RIG_S1, 9, 0);
        break;
    case 'r':
        stage_route(&r, RIG_S1, RIG_BTC, 5);
        break;
    case 'a':
        stage_remove(&r, RIG_S1, 0, FACT_ON_REMOVE_UNSET, 0);
        break;
    default:
        stage_remove(&r, RIG_S1, RIG_BTC, FACT_ON_REMOVE_UNSET, 0);
        break;
    }
}

/* Two rows that cannot both be meant, whichever comes first: instance, route, and the removal of
 * all or of one. */
static void staged_contradictions_break_the_stage(void **state)
{
    (void)state;
    static const char *const pair[] = {"ia", "ai", "ii", "ra", "ar", "ro", "or", "rr", "aa", "oo"};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        stage_begin(&r, 9);
        contradict((uint16_t)pair[i][0]);
        assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
        contradict((uint16_t)pair[i][1]);
        if (rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED) != 1)
            fail_msg("%s was taken", pair[i]);
        stage_commit(&r, 9);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    }
}

/* Who left has no route before the deployment brings it again. */
static void staged_route_of_who_left_needs_its_instance(void **state)
{
    (void)state;
    stage_begin(&r, 2);
    stage_limits(&r);
    stage_remove(&r, RIG_S1, 0, FACT_ON_REMOVE_UNSET, 0);
    assert_true(stage_flip(&r, 2));
    stage_begin(&r, 3);
    stage_route(&r, RIG_S1, RIG_BTC, 5);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    stage_begin(&r, 3);
    stage_instance(&r, RIG_S1, 3, 0);
    stage_route(&r, RIG_S1, RIG_BTC, 5);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
}

static void staged_tables_that_are_full_break_the_stage(void **state)
{
    (void)state;
    stage_begin(&r, 9);
    for (uint32_t i = 0; i < 7; i++) {
        stage_limit(&r, RISK_MAX_QTY + i, 5);
        assert_int_equal(rig_count(&r, FACT_IGNORED), i == 6);
    }
    rig_route(&r, RIG_S2, RIG_BTC, 5); /* belongs to the stage, which is broken already */
    stage_begin(&r, 9);
    stage_route(&r, RIG_S2, RIG_BTC, 5);
    stage_route(&r, RIG_S1, RIG_INV, 5);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 0);
    stage_route(&r, RIG_S2, RIG_INV, 5); /* the fourth, in a table of three */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
}

static void staged_commit_needs_what_was_begun_and_all_of_it(void **state)
{
    (void)state;
    stage_commit(&r, 5);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
    stage_begin(&r, 5);
    stage_limits(&r);
    stage_commit(&r, 6);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
    r.staged_rows--; /* one row was lost */
    stage_commit(&r, 5);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    r.staged_rows++;
    stage_commit(&r, 5);
    assert_true(staged().is_committed);
    stage_commit(&r, 5);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_NEEDED), 1);
}

static void staged_sealed_stage_takes_no_row_and_stays(void **state)
{
    (void)state;
    stage_begin(&r, 5);
    stage_limits(&r);
    stage_commit(&r, 5);
    rig_limit(&r, RISK_MAX_QTY, 3);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    stage_deploy(&r, 5);
    assert_int_equal(core_serial(r.core), 5);
    assert_int_equal(r.core->limit[0].limit, 1000000);
}

static void staged_deploy_of_another_is_refused_and_the_stage_stays(void **state)
{
    (void)state;
    stage_begin(&r, 5);
    stage_deploy(&r, 5);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1); /* not committed */
    stage_limits(&r);
    stage_commit(&r, 5);
    stage_deploy(&r, 6);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
    struct fact_deploy e = stage_deploy_fact(5);
    e.serial = 6; /* of the very file */
    rig_step(&r, FACT_DEPLOY, &e);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
    e = stage_deploy_fact(5);
    e.sha256[31] ^= 1;
    rig_step(&r, FACT_DEPLOY, &e);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
    assert_true(staged().is_committed && core_serial(r.core) == 0);
    stage_deploy(&r, 5);
    assert_int_equal(core_serial(r.core), 5);
}

/* The first may come with rows of its own; after a signed one only what was committed. */
static void staged_deploy_without_a_stage_is_for_the_first_only(void **state)
{
    (void)state;
    stage_deploy(&r, 4);
    assert_int_equal(core_serial(r.core), 4);
    struct fact_deploy four = stage_deploy_fact(4);
    for (uint64_t serial = 0; serial < 7; serial++) {
        stage_deploy(&r, serial);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
        assert_int_equal(core_serial(r.core), 4);
        assert_memory_equal(core_deployment(r.core), four.sha256, FACT_HASH_BYTES);
    }
}

static void staged_drop_and_a_new_begin_forget(void **state)
{
    (void)state;
    stage_begin(&r, 5);
    stage_instance(&r, RIG_S1, 5, 0);
    stage_drop(&r, 4);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
    assert_true(staged().is_open);
    stage_drop(&r, 5);
    assert_false(staged().is_open);
    stage_drop(&r, 5);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
    stage_begin(&r, 6);
    stage_instance(&r, RIG_S1, 6, 0);
    stage_begin(&r, 7); /* the sixth is forgotten */
    stage_limits(&r);
    assert_true(stage_flip(&r, 7));
    assert_int_equal(rig_count(&r, FACT_FLIPPED), 0);
    assert_int_equal(core_reign(r.core, RIG_S1, r.seq), 0);
}

static void staged_unsigned_deploy_is_as_ever(void **state)
{
    (void)state;
    stage_deploy(&r, 3);
    assert_int_equal(r.out.count, 0);
    assert_int_equal(core_serial(r.core), 3);
    struct fact_remove e = {.strategy = RIG_S1};
    rig_step(&r, FACT_REMOVE, &e); /* takes a stage */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_STAGED), 1);
    struct fact_stage odd = stage_fact(3, FACT_STAGE_DROP + 1, 0, 0);
    rig_step(&r, FACT_STAGE, &odd);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_RESERVED_KIND), 1);
}

/* An EXTERNAL book is born while the stage waits: it has its limits too. */
static void staged_limits_reach_a_book_that_is_born_meanwhile(void **state)
{
    (void)state;
    stage_begin(&r, 5);
    stage_limits(&r);
    stage_limit(&r, RISK_MAX_QTY, 4321);
    stage_commit(&r, 5);
    rig_fill(&r, 0, 700, 1000000);
    stage_deploy(&r, 5);
    struct book_row *b = &r.core->book[r.core->book_count - 1];
    assert_int_equal(b->strategy, 0);
    assert_int_equal(r.core->effective[book_index(r.core, b)][RISK_MAX_QTY], 4321);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(staged_rows_change_nothing_before_their_deploy),
        TEST(staged_deploy_applies_every_row),
        TEST(staged_limits_replace_the_whole_table),
        TEST(staged_row_that_does_not_fit_breaks_the_stage),
        TEST(staged_bad_removals_break_the_stage),
        TEST(staged_contradictions_break_the_stage),
        TEST(staged_route_of_who_left_needs_its_instance),
        TEST(staged_tables_that_are_full_break_the_stage),
        TEST(staged_commit_needs_what_was_begun_and_all_of_it),
        TEST(staged_sealed_stage_takes_no_row_and_stays),
        TEST(staged_deploy_of_another_is_refused_and_the_stage_stays),
        TEST(staged_deploy_without_a_stage_is_for_the_first_only),
        TEST(staged_drop_and_a_new_begin_forget),
        TEST(staged_unsigned_deploy_is_as_ever),
        TEST(staged_limits_reach_a_book_that_is_born_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
