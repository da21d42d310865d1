/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: an engine decides the same whether its strategies run inline or each in a process; it swaps
 * builds from one process to another and loses nothing; the death of a process, and a strategy that
 * is hostile on purpose, change nothing of what another strategy does; the journal replays, core
 * and belief. Method: the real tenon-bay under the real spawner, a home that is waited for, so that
 * the events are the same each time; beside it the same engine with inline bays.
 */
#include <signal.h>
#include "bays/process.h"
#include "flow/rebelief.h"
#include "tests/unit/flow/books.h"
#include "tests/unit/flow/pair.h"

#define BAY_PROGRAM TENON_BINARY_DIR "/tenon-bay"
#define ANSWER_NS 20000000000ll
#define IN_PROCESS ", bay: process"
enum { BARS = 400, TRADES = 2000 };

static struct spawn *spawner;
static struct process_home *home;

static int begin(void **state)
{
    (void)state;
    struct trail tr = {0};
    const struct spawn_config c = {.program = BAY_PROGRAM};
    struct result r = spawn_start(&c, &spawner, &tr);
    const struct process_options o = {
        .spawn = spawner, .clock = &clock_system, .answer_ns = ANSWER_NS, .is_waited = true};
    if (is_ok(r))
        r = process_home_open(&o, &home, &tr);
    if (!is_ok(r))
        print_error("%s\n", trail_sentence(&tr, r));
    return is_ok(r) ? 0 : 1;
}

static int end(void **state)
{
    (void)state;
    process_home_close(home);
    spawn_stop(spawner);
    return 0;
}

static struct pair *pair_at_home(const struct pair_config *c)
{
    struct pair *s = pair_new(c);
    s->f->home = home;
    return s;
}

/* ---- what was decided ---- */

struct trade { /* what an order was for, without its number */
    int64_t t_ns, qty, price;
    uint32_t strategy, side;
};

/* Of one strategy; 0 = of all. */
static uint32_t trades_of(const struct flow_rig *r, uint32_t strategy, struct trade *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct fact_intent *e = &r->record[i].u.fact_intent;
        if (r->record[i].head.type != FACT_INTENT || (strategy != 0 && e->strategy != strategy))
            continue;
        assert_true(n < TRADES);
        out[n++] = (struct trade){.t_ns = r->record[i].head.t_ns,
                                  .qty = e->qty,
                                  .price = e->price,
                                  .strategy = e->strategy,
                                  .side = e->side};
    }
    return n;
}

static void assert_same_trades(const struct flow_rig *a, const struct flow_rig *b,
                               uint32_t strategy, uint32_t at_least)
{
    static struct trade of_a[TRADES], of_b[TRADES];
    const uint32_t n = trades_of(a, strategy, of_a);
    assert_int_equal(n, trades_of(b, strategy, of_b));
    assert_true(n >= at_least);
    assert_memory_equal(of_a, of_b, n * sizeof *of_a);
}

static const struct fact_view *find_plugin(const struct flow_rig *r, uint32_t what, uint32_t skip)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->record[i].head.type == FACT_PLUGIN && r->record[i].head.sub == 0 &&
            r->record[i].u.fact_plugin.what == what && skip-- == 0)
            return &r->record[i];
    }
    return NULL;
}

static void assert_belief(struct pair *s)
{
    struct rebelief_report *rep = calloc(1, sizeof *rep);
    assert_non_null(rep);
    const struct rebelief_options o = {.journal_dir = s->f->journal, .plugin_dir = s->f->plugins};
    RIG_OK(s->f, rebelief_run(&o, rep, &s->f->tr));
    for (uint32_t i = 0; i < rep->build_count; i++)
        assert_string_equal(rep->build[i].difference, "");
    assert_true(rep->signals > 20);
    free(rep);
}

/* ---- tests ---- */

static void swap_process_backtest_is_that_of_inline_bays(void **state)
{
    (void)state;
    static const char *const due[] = {"0s", "20ms", "90s"};
    for (uint32_t i = 0; i < 3; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s\n    bay: process\n    wake: hybrid", due[i]);
        const struct rig_config inside = {.due = due[i]}, outside = {.due = text};
        struct flow_rig *a = rig_new(&inside, BARS), *b = rig_new(&outside, BARS);
        b->home = home;
        rig_whole(a, FACT_RUN_BACKTEST);
        rig_whole(b, FACT_RUN_BACKTEST);
        assert_true(a->report.totals.fills > 10);
        assert_int_equal(a->report.events, b->report.events);
        assert_memory_equal(a->report.effects_sha256, b->report.effects_sha256, FACT_HASH_BYTES);
        assert_int_equal(b->report.late, 0);
        rig_free(a);
        rig_free(b);
    }
}

/* From an inline bay to a process, and from there to another by its state. */
static void swap_process_to_process_trades_on_as_if_nothing_had_happened(void **state)
{
    (void)state;
    static const char memo[] = "plugin: memo, version: %s, params: {target_ppm: 500000, stop_ppm: "
                               "40000}%s";
    char old[160], next[160];
    snprintf(old, sizeof old, memo, "1.0.0", IN_PROCESS);
    snprintf(next, sizeof next, memo, "2.0.0", IN_PROCESS);
    const struct pair_config first = {.one = old}, second = {.one = next};
    struct pair *s = pair_at_home(&first), *twin = pair_new(&first);
    pair_open(s);
    pair_bars(s, 133);
    pair_promote(s, &second);
    pair_until(s, 2, PROMOTION_PERMANENT);
    assert_int_equal(pair_instance(s, "one").generation, 2);
    pair_stop(s);
    pair_open(twin); /* without a home: inline, never swapped */
    pair_stop(twin);
    struct books *b = books_of(s->f, false);
    rig_read(twin->f);
    assert_int_equal(b->flips, 2);
    assert_same_trades(s->f, twin->f, 0, 30);
    assert_belief(s);
    free(b);
    pair_free(s);
    pair_free(twin);
}

static pid_t pid_of(const struct pair *s, uint32_t strategy, uint32_t generation)
{
    struct process_totals t;
    struct bay *b = belief_bay(s->f->engine->plant.belief, strategy, generation);
    assert_non_null(b);
    assert_string_equal(b->ops->name, "process");
    process_totals(b, &t);
    return t.pid;
}

/* kill -9 of one bay: its strategy reduces for as long as it is gone; the other does not notice. */
static void swap_process_killed_bay_reduces_until_it_is_back(void **state)
{
    (void)state;
    const struct pair_config c = {.one = PAIR_ONE IN_PROCESS, .two = PAIR_TWO IN_PROCESS};
    struct pair *s = pair_at_home(&c), *twin = pair_new(&c);
    pair_open(s);
    pair_bars(s, 200);
    const uint32_t one = pair_instance(s, "one").id, two = pair_instance(s, "two").id;
    assert_int_equal(kill(pid_of(s, one, 1), SIGKILL), 0);
    pair_bars(s, 1);
    assert_int_equal(core_mode(pair_core(s), MODE_SCOPE_STRATEGY, one), MODE_ACTIVE);
    pair_stop(s);
    pair_open(twin);
    pair_stop(twin);
    struct books *b = books_of(s->f, false);
    rig_read(twin->f);
    const struct fact_view *died = find_plugin(s->f, FACT_PLUGIN_DIED, 0);
    const struct fact_view *back = find_plugin(s->f, FACT_PLUGIN_BACK, 0);
    assert_non_null(died);
    assert_non_null(back);
    assert_int_equal(died->u.fact_plugin.instance, one);
    assert_non_null(strstr(died->u.fact_plugin.text, "signal 9"));
    assert_true(back->head.seq > died->head.seq);
    assert_null(find_plugin(s->f, FACT_PLUGIN_DIED, 1));
    uint32_t reduced = 0, active = 0;
    for (uint32_t i = 0; i < s->f->count; i++) {
        const struct fact_moded *m = &s->f->record[i].u.fact_moded;
        if (s->f->record[i].head.type != FACT_MODED || m->scope != MODE_SCOPE_STRATEGY)
            continue;
        assert_int_equal(m->id, one);
        reduced += m->to == MODE_REDUCING && s->f->record[i].head.seq == died->head.seq;
        active += m->to == MODE_ACTIVE && s->f->record[i].head.seq == back->head.seq;
    }
    assert_int_equal(reduced, 1);
    assert_int_equal(active, 1);
    assert_same_trades(s->f, twin->f, two, 20);
    assert_belief(s);
    free(b);
    pair_free(s);
    pair_free(twin);
}

/* A whole run, `one` being this plugin in a process, hostile after so many live bars. */
static struct pair *beside_hostile(const char *plugin, uint32_t target_ppm, uint32_t after,
                                   uint32_t *two)
{
    char one[200];
    snprintf(one, sizeof one,
             "plugin: %s, version: 1.0.0, params: {target_ppm: %u, stop_ppm: 40000, "
             "after: %u}" IN_PROCESS,
             plugin, target_ppm, after);
    const struct pair_config c = {.one = one};
    struct pair *s = pair_at_home(&c);
    pair_open(s);
    const uint32_t one_id = pair_instance(s, "one").id;
    *two = pair_instance(s, "two").id;
    pair_stop(s);
    free(books_of(s->f, false));
    const struct fact_view *end_of = find_plugin(s->f, FACT_PLUGIN_QUARANTINED, 0);
    assert_int_equal(end_of != NULL, after < BARS);
    if (end_of != NULL)
        assert_int_equal(end_of->u.fact_plugin.instance, one_id);
    return s;
}

/* What is beside each of them trades as it does beside the base. */
static void ends_alike(const char *base_plugin, uint32_t target_ppm, uint32_t base_after)
{
    static const char *const plugin[] = {"hostile_nan",  "hostile_segfault", "hostile_socket",
                                         "hostile_quit", "hostile_scribble", "hostile_fork"};
    uint32_t two;
    struct pair *base = beside_hostile(base_plugin, target_ppm, base_after, &two);
    for (uint32_t i = 0; i < sizeof plugin / sizeof plugin[0]; i++) {
        struct pair *s = beside_hostile(plugin[i], target_ppm, 50, &two);
        assert_same_trades(s->f, base->f, two, 20);
        pair_free(s);
    }
    pair_free(base);
}

/* Every kind of end that a hostile strategy comes to is the same to the one beside it. */
static void swap_process_hostile_bay_leaves_the_other_alone(void **state)
{
    (void)state;
    ends_alike("hostile_nan", 300000, 50);
}

/* And is nothing to it. What it trades is, since both share one market: here it wants too little to
 * trade. */
static void swap_process_hostile_bay_is_to_the_other_as_a_healthy_one(void **state)
{
    (void)state;
    ends_alike("hostile_nan", 1, 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_process_backtest_is_that_of_inline_bays),
        cmocka_unit_test(swap_process_to_process_trades_on_as_if_nothing_had_happened),
        cmocka_unit_test(swap_process_killed_bay_reduces_until_it_is_back),
        cmocka_unit_test(swap_process_hostile_bay_leaves_the_other_alone),
        cmocka_unit_test(swap_process_hostile_bay_is_to_the_other_as_a_healthy_one),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
