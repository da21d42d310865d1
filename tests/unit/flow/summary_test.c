/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the summary says exactly what the run was, as one JSON object and as a page, and holds only
 * when everything that must hold does. Method: a real backtest and a real paper run, whose figures
 * are compared with the engine's; then each condition broken once in a copy of the report.
 */
#include "tests/unit/flow/flow_rig.h"
#include <jansson.h>
#include "base/hash.h"
#include "flow/summary.h"

enum { BARS = 300, TEXT_BYTES = 65536 };

struct run {
    struct flow_rig *rig;
    struct replay_report replay;
    struct summary s;
    char text[TEXT_BYTES];
};

static struct run *run_new(enum fact_run kind)
{
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->rig = rig_new(NULL, BARS);
    rig_open(r->rig, kind);
    rig_run(r->rig, UINT32_MAX);
    RIG_OK(r->rig, lockstep_stop(r->rig->engine, &r->rig->report, &r->rig->tr));
    if (kind == FACT_RUN_PAPER)
        RIG_OK(r->rig, replay_dir(r->rig->journal, false, &r->replay, &r->rig->tr));
    r->s = (struct summary){.doc = &r->rig->doc,
                            .core = lockstep_core(r->rig->engine),
                            .report = &r->rig->report,
                            .replay = kind == FACT_RUN_PAPER ? &r->replay : NULL,
                            .market = "bars.csv"};
    return r;
}

static void run_free(struct run *r)
{
    rig_free(r->rig);
    free(r);
}

static const char *text_of(struct run *r, void (*print)(FILE *, const struct summary *))
{
    FILE *f = fmemopen(r->text, sizeof r->text, "w");
    assert_non_null(f);
    print(f, &r->s);
    assert_int_equal(fclose(f), 0);
    return r->text;
}

static json_int_t number(const json_t *j, const char *name)
{
    const json_t *v = json_object_get(j, name);
    if (!json_is_integer(v))
        fail_msg("%s: no integer in the summary", name);
    return json_integer_value(v);
}

static void summary_json_has_the_engines_figures(void **state)
{
    (void)state;
    struct run *r = run_new(FACT_RUN_PAPER);
    json_error_t e;
    json_t *j = json_loads(text_of(r, summary_json), JSON_REJECT_DUPLICATES, &e);
    if (j == NULL)
        fail_msg("line %d: %s", e.line, e.text);
    const struct lockstep_report *rep = r->s.report;
    const json_t *venue = json_object_get(j, "venue"), *rows = json_object_get(j, "rows");
    assert_string_equal(json_string_value(json_object_get(j, "schema")), "tenon.summary/1");
    assert_int_equal(number(rows, "seen"), BARS);
    assert_int_equal(number(rows, "seen"), number(rows, "used") + number(rows, "reported"));
    assert_int_equal(number(venue, "orders"), rep->totals.orders);
    assert_int_equal(number(venue, "fills"), rep->totals.fills);
    assert_int_equal(number(j, "epoch"), 1);
    assert_int_equal(number(j, "denied"), rep->totals.denials);
    assert_true(json_is_true(json_object_get(j, "holds")));
    struct core_position_view p;
    assert_true(core_position(r->s.core, 0, &p));
    assert_int_equal(number(json_object_get(venue, "net"), "COIN"), p.qty);
    assert_int_equal(number(json_object_get(venue, "fees"), "1"), p.fees);
    assert_int_equal(number(json_object_get(venue, "realised"), "1"), p.realised);
    char hex[HASH_HEX_BYTES];
    hash_hex(r->replay.effects_sha256, hex);
    assert_string_equal(json_string_value(json_object_get(j, "effects_sha256")), hex);
    json_decref(j);
    run_free(r);
}

static void summary_of_a_backtest_has_effects_but_no_replay(void **state)
{
    (void)state;
    struct run *r = run_new(FACT_RUN_BACKTEST);
    char hex[HASH_HEX_BYTES];
    hash_hex(r->s.report->effects_sha256, hex);
    json_t *j = json_loads(text_of(r, summary_json), 0, NULL);
    assert_non_null(j);
    assert_null(json_object_get(j, "replay"));
    assert_string_equal(json_string_value(json_object_get(j, "effects_sha256")), hex);
    assert_true(json_is_true(json_object_get(j, "holds")));
    json_decref(j);
    assert_non_null(strstr(text_of(r, summary_print), hex));
    run_free(r);
}

static void summary_page_names_the_figures(void **state)
{
    (void)state;
    struct run *r = run_new(FACT_RUN_PAPER);
    char line[128];
    const char *page = text_of(r, summary_print);
    snprintf(line, sizeof line, "orders      %lu: filled %lu",
             (unsigned long)r->s.report->totals.orders, (unsigned long)r->s.report->totals.filled);
    assert_non_null(strstr(page, line));
    assert_non_null(strstr(page, "replay      identical"));
    assert_non_null(strstr(page, "100000 USD"));
    r->replay.differences = 1;
    snprintf(r->replay.difference, sizeof r->replay.difference, "event 7 effect 1: differs");
    assert_non_null(strstr(text_of(r, summary_print), "replay      DIFFERENT: event 7 effect 1"));
    run_free(r);
}

static void assert_fault(const struct run *r, const char *words)
{
    char text[TRAIL_TEXT_BYTES];
    const char *fault = summary_fault(&r->s, text);
    if (words == NULL) {
        if (fault != NULL)
            fail_msg("a fault where none is: %s", fault);
        return;
    }
    assert_non_null(fault);
    if (strstr(fault, words) == NULL)
        fail_msg("'%s' is not in: %s", words, fault);
}

static void summary_fault_is_each_condition_broken(void **state)
{
    (void)state;
    struct run *r = run_new(FACT_RUN_PAPER);
    const struct lockstep_report good = *r->s.report;
    struct lockstep_report *rep = &r->rig->report;
    assert_fault(r, NULL);
    rep->feed.rows++;
    assert_fault(r, "rows: 301 seen but 300 used or reported");
    *rep = good;
    rep->venue_orders++;
    assert_fault(r, "books: ");
    rep->in_flight = true; /* an answer on its way explains it */
    assert_fault(r, NULL);
    *rep = good;
    rep->venue_fills--;
    assert_fault(r, "books: ");
    *rep = good;
    rep->totals.orders += 10;
    rep->orders_before = 10; /* of the epoch before: not this venue's */
    assert_fault(r, NULL);
    *rep = good;
    rep->quarantined = 2;
    assert_fault(r, "plugins: 2 quarantined");
    *rep = good;
    r->replay.differences = 1;
    snprintf(r->replay.difference, sizeof r->replay.difference, "event 7");
    assert_fault(r, "replay: event 7");
    run_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summary_json_has_the_engines_figures),
        cmocka_unit_test(summary_of_a_backtest_has_effects_but_no_replay),
        cmocka_unit_test(summary_page_names_the_figures),
        cmocka_unit_test(summary_fault_is_each_condition_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
