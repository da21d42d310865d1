/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: each thing of a document finds its id by name, new names get new ids and old ids are never
 * given again; and a promotion stages exactly the rows that differ, in an order in which the core
 * can take them. Method: documents that are parsed from text, names of a core written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flow/stage.h"

struct parts { /* of a document, whole lines; NULL takes what is good */
    const char *currencies, *instruments, *instances, *routes, *limits, *rest;
};
#define COIN(tick)                                                                                 \
    "  COIN: {contract: linear, price_exponent: -2, qty_exponent: -4, tick: " tick ", lot: "       \
    "0.0001, multiplier: 1, settle: USD, bar: 1m, stamp: end, session: always, degraded_after: "   \
    "5m, down_after: 30m}\n"
#define GEM                                                                                        \
    "  GEM: {contract: linear, price_exponent: -3, qty_exponent: -2, tick: 0.001, lot: 0.01, "     \
    "multiplier: 1, settle: EUR, bar: 1m, stamp: end, session: always, degraded_after: 5m, "       \
    "down_after: 30m}\n"
#define ONE "  one: {plugin: tail, version: 1.0.0, instrument: COIN, bar: 1m, params: {bars: 5}}\n"
#define TWO "  two: {plugin: tail, version: 1.0.0, instrument: COIN, bar: 1m, params: {bars: 8}}\n"
#define ROUTE(who, what, budget)                                                                   \
    "  - {strategy: " who ", instrument: " what ", account: paper, env: paper, budget: \"" budget  \
    "\"}\n"
#define ALL                                                                                        \
    "  all: {max_order_qty: 10, max_position_qty: 10, max_order_value: \"40000\", "                \
    "max_exposure_pct: 50}\n"

struct side { /* one document, its ids, what the plant would say of its instances */
    struct deploy_doc doc;
    struct stage_ids ids;
    struct fact_instance facts[DEPLOY_INSTANCES_MAX];
};
struct rig {
    struct stage_names names;
    struct side old, next;
    struct change change;
    struct stage_rows rows;
    struct trail tr;
};

static void ok(struct rig *g, struct result r)
{
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&g->tr, r));
}

static void read_side(struct rig *g, struct side *s, const struct parts *p, uint64_t serial)
{
    static char text[8192];
    int n = snprintf(
        text, sizeof text,
        "schema: 1\nhost: lab\nserial: 0\nseed: 7\ncurrencies:\n%saccounts:\n  paper:\n"
        "    currency: USD\n    balance: \"100000\"\n    simulated: true\n"
        "    venue: {profile: plain, latency_ms: 20, maker_fee_bps: 1, taker_fee_bps: 5}\n"
        "instruments:\n%sinstances:\n%sroutes:\n%slimits:\n%s%s",
        p->currencies ? p->currencies : "  USD: {exponent: -8}\n",
        p->instruments ? p->instruments : COIN("0.01"), p->instances ? p->instances : ONE TWO,
        p->routes ? p->routes : ROUTE("one", "COIN", "20000") ROUTE("two", "COIN", "20000"),
        p->limits ? p->limits : ALL, p->rest ? p->rest : "");
    assert_true(n > 0 && n < (int)sizeof text);
    ok(g, deploy_parse(text, (size_t)n, "doc.yaml", NULL, &s->doc, &g->tr));
    s->doc.fact.serial = serial;
    ok(g, stage_ids(&g->names, &s->doc, &s->ids, &g->tr));
    for (uint32_t i = 0; i < s->doc.instance_count; i++) {
        s->facts[i] = s->doc.instance[i].fact;
        s->facts[i].id = s->ids.instance[i];
    }
}

/* What a core that runs the old document knows. */
static void learn(struct rig *g)
{
    const struct deploy_doc *d = &g->old.doc;
    struct stage_names *n = &g->names;
    n->currency_count = d->currency_count;
    n->instrument_count = d->instrument_count;
    n->account_count = d->account_count;
    n->instance_count = d->instance_count;
    for (uint32_t i = 0; i < d->currency_count; i++)
        memcpy(n->currency[i], d->currency[i].name, sizeof n->currency[i]);
    for (uint32_t i = 0; i < d->instrument_count; i++)
        memcpy(n->instrument[i], d->instrument[i].symbol, sizeof n->instrument[i]);
    for (uint32_t i = 0; i < d->account_count; i++)
        memcpy(n->account[i], d->account[i].name, sizeof n->account[i]);
    for (uint32_t i = 0; i < d->instance_count; i++) {
        memcpy(n->instance[i].name, d->instance[i].fact.name, sizeof n->instance[i].name);
        n->instance[i].generation = n->instance[i].generation_before = 1;
    }
    ok(g, stage_ids(n, d, &g->old.ids, &g->tr));
}

static struct rig *rig_new(const struct parts *old)
{
    struct rig *g = calloc(1, sizeof *g);
    assert_non_null(g);
    read_side(g, &g->old, old, 1);
    learn(g);
    return g;
}

static void stage(struct rig *g, const struct parts *next, const uint32_t *generation)
{
    read_side(g, &g->next, next, 2);
    ok(g, change_find(&g->old.doc, &g->next.doc, &g->change, &g->tr));
    ok(g, stage_rows(&g->old.doc, &g->old.ids, &g->next.doc, &g->next.ids, &g->change,
                     g->next.facts, NULL, 0, generation, &g->rows, &g->tr));
}

static void rig_free(struct rig *g)
{
    stage_rows_free(&g->rows);
    free(g);
}

static uint32_t count_of(const struct rig *g, uint32_t type)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->rows.count; i++)
        n += g->rows.row[i].type == type;
    return n;
}

static const struct stage_row *first_of(const struct rig *g, uint32_t type)
{
    for (uint32_t i = 0; i < g->rows.count; i++) {
        if (g->rows.row[i].type == type)
            return &g->rows.row[i];
    }
    fail_msg("no row of type %u", type);
    return NULL;
}

/* ---- tests ---- */

static const struct parts same = {0};

static void stage_same_document_stages_its_limits_only(void **state)
{
    (void)state;
    struct rig *g = rig_new(&same);
    stage(g, &same, NULL);
    assert_int_equal(count_of(g, FACT_LIMIT), g->next.doc.limit_count);
    assert_int_equal(g->rows.count, g->next.doc.limit_count + g->next.doc.rate_count);
    assert_int_equal(g->rows.generation[0], 1);
    assert_int_equal(g->rows.generation[1], 1);
    rig_free(g);
}

static void stage_first_document_stages_everything(void **state)
{
    (void)state;
    struct rig *g = calloc(1, sizeof *g);
    assert_non_null(g);
    read_side(g, &g->next, &same, 1);
    ok(g, change_find(NULL, &g->next.doc, &g->change, &g->tr));
    ok(g, stage_rows(NULL, NULL, &g->next.doc, &g->next.ids, &g->change, g->next.facts, NULL, 0,
                     NULL, &g->rows, &g->tr));
    static const struct {
        uint32_t type, count;
    } wanted[] = {{FACT_CURRENCY, 1}, {FACT_INSTRUMENT, 1}, {FACT_ACCOUNT, 1},
                  {FACT_INSTANCE, 2}, {FACT_ROUTE, 2},      {FACT_REMOVE, 0}};
    for (uint32_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_int_equal(count_of(g, wanted[i].type), wanted[i].count);
    rig_free(g);
}

static void stage_other_params_stage_the_one_instance_under_the_new_serial(void **state)
{
    (void)state;
    const struct parts next = {
        .instances = "  one: {plugin: tail, version: 1.0.0, instrument: COIN, bar: 1m, params: "
                     "{bars: 6}}\n" TWO};
    struct rig *g = rig_new(&same);
    stage(g, &next, NULL);
    assert_int_equal(count_of(g, FACT_INSTANCE), 1);
    const struct stage_row *r = first_of(g, FACT_INSTANCE);
    assert_int_equal(r->u.instance.id, 1);
    assert_int_equal(r->generation, 2);
    assert_int_equal(g->rows.generation[0], 2);
    assert_int_equal(g->rows.generation[1], 1); /* it keeps its build */
    assert_int_equal(count_of(g, FACT_ROUTE), 0);
    rig_free(g);
}

/* For the way back: to the builds that still run. */
static void stage_given_generations_are_taken(void **state)
{
    (void)state;
    const struct parts next = {
        .instances = "  one: {plugin: tail, version: 1.1.0, instrument: COIN, bar: 1m, params: "
                     "{bars: 5}}\n" TWO};
    const uint32_t generation[DEPLOY_INSTANCES_MAX] = {7, 8};
    struct rig *g = rig_new(&same);
    stage(g, &next, generation);
    assert_int_equal(first_of(g, FACT_INSTANCE)->generation, 7);
    assert_int_equal(g->rows.generation[0], 7);
    assert_int_equal(g->rows.generation[1], 1);
    rig_free(g);
}

/* The same names in another order are the same things. */
static void stage_ids_go_by_name(void **state)
{
    (void)state;
    const struct parts old = {.currencies = "  USD: {exponent: -8}\n  EUR: {exponent: -8}\n",
                              .instruments = COIN("0.01") GEM,
                              .rest = "rates:\n  EUR/USD: {constant: \"1\"}\n"},
                       next = {.currencies = "  EUR: {exponent: -8}\n  USD: {exponent: -8}\n",
                               .instruments = GEM COIN("0.01"),
                               .instances = TWO ONE,
                               .rest = "rates:\n  EUR/USD: {constant: \"1\"}\n"};
    struct rig *g = rig_new(&old);
    stage(g, &next, NULL);
    assert_int_equal(g->next.ids.currency[0], 2);
    assert_int_equal(g->next.ids.currency[1], 1);
    assert_int_equal(g->next.ids.instrument[0], 2);
    assert_int_equal(g->next.ids.instance[0], 2);
    assert_int_equal(g->next.ids.instance[1], 1);
    assert_int_equal(count_of(g, FACT_INSTANCE) + count_of(g, FACT_INSTRUMENT) +
                         count_of(g, FACT_ROUTE) + count_of(g, FACT_CURRENCY),
                     0);
    const struct fact_rate *rate = &first_of(g, FACT_RATE)->u.rate;
    assert_int_equal(rate->from, 2);
    assert_int_equal(rate->to, 1);
    rig_free(g);
}

static void stage_new_names_get_the_next_free_ids(void **state)
{
    (void)state;
    const struct parts next = {
        .currencies = "  USD: {exponent: -8}\n  EUR: {exponent: -8}\n",
        .instruments = GEM COIN("0.01"),
        .instances = "  six: {plugin: tail, version: 1.0.0, instrument: GEM, bar: 1m}\n" ONE TWO,
        .routes =
            ROUTE("one", "COIN", "20000") ROUTE("two", "COIN", "20000") ROUTE("six", "GEM", "500"),
        .rest = "rates:\n  EUR/USD: {constant: \"1\"}\n"};
    struct rig *g = rig_new(&same);
    stage(g, &next, NULL);
    assert_int_equal(g->next.ids.instrument[0], 2);
    assert_int_equal(g->next.ids.instance[0], 3);
    assert_int_equal(g->next.ids.generation[0], 0); /* it is new */
    const struct fact_instrument *gem = &first_of(g, FACT_INSTRUMENT)->u.instrument;
    assert_int_equal(gem->id, 2);
    assert_int_equal(gem->settle, 2); /* EUR, as the core counts */
    const struct fact_route *route = &first_of(g, FACT_ROUTE)->u.route;
    assert_int_equal(count_of(g, FACT_ROUTE), 1);
    assert_int_equal(route->strategy, 3);
    assert_int_equal(route->instrument, 2);
    /* what a row names stands before it */
    assert_true(first_of(g, FACT_CURRENCY) < first_of(g, FACT_INSTRUMENT));
    assert_true(first_of(g, FACT_INSTRUMENT) < first_of(g, FACT_INSTANCE));
    assert_true(first_of(g, FACT_INSTANCE) < first_of(g, FACT_ROUTE));
    rig_free(g);
}

static void stage_instrument_that_changes_is_staged_under_its_id(void **state)
{
    (void)state;
    const struct parts next = {.instruments = COIN("0.05")};
    struct rig *g = rig_new(&same);
    stage(g, &next, NULL);
    assert_int_equal(count_of(g, FACT_INSTRUMENT), 1);
    assert_int_equal(first_of(g, FACT_INSTRUMENT)->u.instrument.id, 1);
    assert_int_equal(first_of(g, FACT_INSTRUMENT)->u.instrument.tick, 5);
    rig_free(g);
}

static void stage_budget_and_limits_name_the_cores_ids(void **state)
{
    (void)state;
    const struct parts next = {.instances = TWO ONE,
                               .routes =
                                   ROUTE("one", "COIN", "10000") ROUTE("two", "COIN", "20000"),
                               .limits = ALL "  by_strategy:\n    two: {max_open_orders: 3}\n"};
    struct rig *g = rig_new(&same);
    stage(g, &next, NULL);
    assert_int_equal(count_of(g, FACT_ROUTE), 1);
    assert_int_equal(first_of(g, FACT_ROUTE)->u.route.strategy, 1);
    uint32_t found = 0;
    for (uint32_t i = 0; i < g->rows.count; i++)
        found += g->rows.row[i].type == FACT_LIMIT && g->rows.row[i].u.limit.strategy == 2 &&
                 g->rows.row[i].u.limit.limit == 3;
    assert_int_equal(found, 1);
    rig_free(g);
}

static void stage_strategy_that_leaves_is_removed_as_the_document_says(void **state)
{
    (void)state;
    static const struct {
        const char *rest;
        uint32_t what, to;
    } cases[] = {{"", FACT_ON_REMOVE_UNSET, 0},
                 {"on_remove:\n  two: flatten\n", FACT_ON_REMOVE_FLATTEN, 0},
                 {"on_remove:\n  two: {hand_to: one}\n", FACT_ON_REMOVE_HAND_TO, 1}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct parts next = {
            .instances = ONE, .routes = ROUTE("one", "COIN", "20000"), .rest = cases[i].rest};
        struct rig *g = rig_new(&same);
        stage(g, &next, NULL);
        assert_int_equal(count_of(g, FACT_REMOVE), 1); /* its route goes with it */
        const struct fact_remove *r = &first_of(g, FACT_REMOVE)->u.remove;
        assert_int_equal(r->strategy, 2);
        assert_int_equal(r->instrument, 0);
        assert_int_equal(r->on_remove, cases[i].what);
        assert_int_equal(r->to, cases[i].to);
        rig_free(g);
    }
}

static void stage_route_that_leaves_names_its_instrument(void **state)
{
    (void)state;
    const struct parts next = {.routes = ROUTE("two", "COIN", "20000"),
                               .rest = "on_remove:\n  one: flatten\n"};
    struct rig *g = rig_new(&same);
    stage(g, &next, NULL);
    assert_int_equal(count_of(g, FACT_REMOVE), 1);
    const struct fact_remove *r = &first_of(g, FACT_REMOVE)->u.remove;
    assert_int_equal(r->strategy, 1);
    assert_int_equal(r->instrument, 1); /* the strategy itself stays */
    assert_int_equal(r->on_remove, FACT_ON_REMOVE_FLATTEN);
    rig_free(g);
}

/* A name that was there before gets its old id and row, and counts as new. */
static void stage_name_that_comes_back_has_its_old_id(void **state)
{
    (void)state;
    struct rig *g = rig_new(&same);
    g->names.instance[1].is_removed = true;
    read_side(g, &g->next, &same, 3);
    assert_int_equal(g->next.ids.instance[1], 2);
    assert_int_equal(g->next.ids.generation[1], 0);
    assert_int_equal(g->next.ids.generation[0], 1);
    rig_free(g);
}

static void stage_more_names_than_a_journal_can_have_are_refused(void **state)
{
    (void)state;
    struct rig *g = rig_new(&same);
    struct stage_ids ids;
    g->names.instance_count = STAGE_INSTANCES_MAX;
    for (uint32_t i = 2; i < STAGE_INSTANCES_MAX; i++)
        snprintf(g->names.instance[i].name, FACT_NAME_BYTES, "gone_%u", i);
    read_side(g, &g->next, &same, 2); /* known names still find their ids */
    snprintf(g->next.doc.instance[1].fact.name, FACT_NAME_BYTES, "six");
    struct result r = stage_ids(&g->names, &g->next.doc, &ids, &g->tr);
    assert_int_equal(r.code, RESULT_FULL);
    assert_non_null(strstr(trail_sentence(&g->tr, r), "all 255"));
    rig_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stage_same_document_stages_its_limits_only),
        cmocka_unit_test(stage_first_document_stages_everything),
        cmocka_unit_test(stage_other_params_stage_the_one_instance_under_the_new_serial),
        cmocka_unit_test(stage_given_generations_are_taken),
        cmocka_unit_test(stage_ids_go_by_name),
        cmocka_unit_test(stage_new_names_get_the_next_free_ids),
        cmocka_unit_test(stage_instrument_that_changes_is_staged_under_its_id),
        cmocka_unit_test(stage_budget_and_limits_name_the_cores_ids),
        cmocka_unit_test(stage_strategy_that_leaves_is_removed_as_the_document_says),
        cmocka_unit_test(stage_route_that_leaves_names_its_instrument),
        cmocka_unit_test(stage_name_that_comes_back_has_its_old_id),
        cmocka_unit_test(stage_more_names_than_a_journal_can_have_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
