/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: nobody can tell from its signals that a strategy was swapped. A build that took over state
 * (schema 1 to 2) and one that was warmed by history say, from the moment they hear, what an
 * uninterrupted run would have said; also beside a running market, after a rollback and after a
 * restart. An answer belongs to the build that reigned at its cause, also when it is due after a
 * flip. Method: whole engines on the same bars, the one promoted, rolled back and let die, the
 * other left alone; then the signals of both journals are compared one by one (twin.h), each
 * journal is proved by books.h, and both its core and its builds are replayed. The journal is
 * longer than the history that a build is shown, so that state cannot be made again by it.
 */
#include "tests/unit/flow/twin.h"

enum { LONG = 3000, SHORT = 500, AT = 2600 };

/* ---- state: memo, schema 1 to 2 ---- */

struct memo_way {
    const char *what, *due, *swap;
    bool runs_free, restarts, goes_back;
};

static void die_and_start(struct pair *s)
{
    while (s->f->engine->seq.count > 0) /* what is held at a start is void */
        (void)pair_step(s);
    pair_crash(s);
    pair_open(s);
}

static struct pair *memo_run(const struct memo_way *w, const struct pair_config *first)
{
    const struct pair_config next = {
        .one = "plugin: memo, version: 2.0.0", .due = first->due, .swap = w->swap};
    struct pair *s = twin_new(first, LONG);
    s->runs_free = w->runs_free;
    pair_open(s);
    pair_bars(s, AT);
    assert_true(core_seq(pair_core(s)) > TWIN_WINDOW + 100);
    pair_promote(s, &next);
    if (w->runs_free)
        twin_prepare_beside(s, 2, 40);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_bars(s, 40);
    if (w->restarts)
        die_and_start(s);
    pair_bars(s, 30);
    if (w->goes_back)
        pair_roll_back(s, "to see that nothing is lost");
    twin_end(s);
    return s;
}

static void memo_compare(const struct memo_way *w, struct pair *s, struct pair *twin)
{
    struct flow_rig *f = s->f, *t = twin->f;
    free(books_of(f, false));
    const struct fact_plugin *start = twin_plugin(f, 2, FACT_PLUGIN_STARTED);
    assert_non_null(twin_plugin(f, 2, FACT_PLUGIN_WARM));
    assert_non_null(start);
    assert_true(start->from_seq > 100); /* its history begins in the middle */
    struct twin_pick one = {.instance = 1}, all = {.instance = 1, .accepted = true};
    uint32_t n = twin_assert_same(twin_signals(f, all), twin_signals(t, one), false, "accepted");
    struct twin_pick heard = {
        .instance = 1, .generation = 2, .after_ns = twin_move(f, 2, PROMOTION_SHADOW)->head.t_ns};
    one.after_ns = heard.after_ns;
    if (w->goes_back)
        one.upto_ns = heard.upto_ns = twin_move(f, 3, PROMOTION_PERMANENT)->head.t_ns;
    uint32_t m =
        twin_assert_same(twin_signals(f, heard), twin_signals(t, one), false, "of the new build");
    struct twin_pick two = {.instance = 2};
    (void)twin_assert_same(twin_signals(f, two), twin_signals(t, two), true, "of the other one");
    assert_true(n > 200 && m > 5);
    twin_believe(f);
}

/* The old one hears on, as well as ever, until it is stopped: by its time, or not at all. */
static void memo_compare_old(struct pair *s, struct pair *twin, const struct memo_way *w)
{
    struct twin_pick old = {.instance = 1, .generation = 1}, one = {.instance = 1};
    if (!w->goes_back) /* a bar that ends at that very time comes after it */
        old.upto_ns = one.upto_ns = twin_move(s->f, 2, PROMOTION_PERMANENT)->head.t_ns - 1;
    (void)twin_assert_same(twin_signals(s->f, old), twin_signals(twin->f, one), true,
                           "of the old build");
}

static void twin_of_state_cannot_tell_one_from_two(void **state)
{
    (void)state;
    static const struct memo_way way[] = {
        {.what = "promoted", .due = "0s"},
        {.what = "promoted beside a running market", .due = "0s", .runs_free = true},
        {.what = "rolled back on probation", .due = "0s", .goes_back = true},
        {.what = "restarted on probation", .due = "0s", .restarts = true},
        {.what = "restarted, then rolled back", .due = "0s", .restarts = true, .goes_back = true},
        {.what = "answers due an hour later", .due = "1h"},
        {.what = "answers due an hour later, rolled back", .due = "1h", .goes_back = true},
        {.what = "answers due after the probation",
         .due = "1h",
         .swap = "{hear: 20m, probation: 10m}"},
    };
    for (uint32_t i = 0; i < sizeof way / sizeof *way; i++) {
        const struct pair_config first = {.one = "plugin: memo, version: 1.0.0", .due = way[i].due};
        struct pair *s = memo_run(&way[i], &first), *twin = twin_whole(&first, LONG);
        print_message("  memo 1.0.0 -> 2.0.0, %s\n", way[i].what);
        memo_compare(&way[i], s, twin);
        if (strcmp(way[i].due, "0s") == 0)
            memo_compare_old(s, twin, &way[i]);
        pair_free(s);
        pair_free(twin);
    }
}

/* ---- replay: tail ---- */

#define TAIL_OTHER PAIR_TAIL("1.1.0", "bars: 20")

static void twin_of_replay_answers_from_the_first_bar_as_one_that_always_ran(void **state)
{
    (void)state;
    const struct pair_config next = {.one = TAIL_OTHER};
    struct pair *twin = twin_whole(&next, LONG);
    for (int runs_free = 0; runs_free <= 1; runs_free++) {
        struct pair *s = twin_new(NULL, LONG);
        s->runs_free = runs_free;
        pair_open(s);
        pair_bars(s, AT);
        pair_promote(s, &next);
        if (runs_free)
            twin_prepare_beside(s, 2, 40);
        twin_end(s);
        free(books_of(s->f, false));
        const struct fact_plugin *start = twin_plugin(s->f, 2, FACT_PLUGIN_STARTED);
        assert_true(start != NULL && start->from_seq > 100 &&
                    twin_plugin(s->f, 2, FACT_PLUGIN_WARM) == NULL);
        print_message("  tail 1.0.0 -> 1.1.0%s\n", runs_free ? ", beside a running market" : "");
        struct twin_pick heard = {.instance = 1,
                                  .generation = 2,
                                  .after_ns = twin_move(s->f, 2, PROMOTION_SHADOW)->head.t_ns},
                         of_twin = {.instance = 1, .after_ns = heard.after_ns};
        assert_true(twin_assert_same(twin_signals(s->f, heard), twin_signals(twin->f, of_twin),
                                     true, "of the new build") > 15);
        twin_believe(s->f);
        pair_free(s);
    }
    pair_free(twin);
}

/* ---- answers that are due after the flip ---- */

struct straddling {
    uint32_t old_counts, new_does_not; /* caused before the flip, due after it */
};

static struct straddling straddle(const struct twin_list *l, uint64_t flip)
{
    struct straddling n = {0};
    for (uint32_t i = 0; i < l->count; i++) {
        const struct twin_signal *x = &l->signal[i];
        const bool is_new = x->generation == 2;
        assert_int_equal(x->is_accepted, is_new == (x->cause_seq > flip));
        if (x->cause_seq > flip || x->seq <= flip)
            continue;
        n.old_counts += !is_new;
        n.new_does_not += is_new;
    }
    return n;
}

static void twin_of_answers_due_after_the_flip_takes_each_once(void **state)
{
    (void)state;
    const struct pair_config first = {.due = "1h"}, next = {.one = PAIR_TAIL("1.1.0", "bars: 5"),
                                                            .due = "1h",
                                                            .swap = "{hear: 1h, probation: 2h}"};
    struct pair *s = twin_new(&first, SHORT), *twin = twin_whole(&first, SHORT);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    const uint64_t flip = pair_instance(s, "one").flip_seq;
    twin_end(s);
    free(books_of(s->f, false));
    const struct twin_pick one = {.instance = 1}, all = {.instance = 1, .accepted = true};
    struct twin_list *l = twin_signals(s->f, one);
    const struct straddling n = straddle(l, flip);
    free(l);
    print_message("  tail 1.0.0 -> 1.1.0, answers due an hour later: caused before the flip and "
                  "due after it %u of the old build, accepted, and %u of the new one, not\n",
                  n.old_counts, n.new_does_not);
    assert_true(n.old_counts > 2);
    assert_int_equal(n.old_counts, n.new_does_not); /* both heard the same hour */
    assert_true(twin_assert_same(twin_signals(s->f, all), twin_signals(twin->f, one), false,
                                 "accepted") > 30);
    twin_believe(s->f);
    pair_free(s);
    pair_free(twin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twin_of_state_cannot_tell_one_from_two),
        cmocka_unit_test(twin_of_replay_answers_from_the_first_bar_as_one_that_always_ran),
        cmocka_unit_test(twin_of_answers_due_after_the_flip_takes_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
