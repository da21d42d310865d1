/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: each kind of promotion does what its kind allows and nothing else: a cold build takes over
 * only from a strategy that owns nothing, parameters and an indicator's period change with a
 * position held, limits change without any build, and all that one deployment changes changes at
 * one event. Method: whole engines beside an uninterrupted twin (twin.h), and books.h over each
 * journal.
 */
#include "tests/unit/flow/twin.h"

enum { BARS = 500 };

/* ---- cold ---- */

/* An order far below the market works until the next signal; a small one is filled at once. */
#define COLD(version, limit)                                                                       \
    "plugin: cold, version: " version ", params: {target_ppm: 20000, limit_ppm: " limit "}"
#define COLD_FAR "40000"

enum cold_owns { COLD_NOTHING, COLD_ORDER, COLD_POSITION };

static bool cold_is(const struct pair *s, enum cold_owns what)
{
    struct core_owned o;
    core_owned(pair_core(s), pair_instance(s, "one").id, &o);
    if (what == COLD_ORDER)
        return o.orders > 0 && o.positions == 0;
    return what == COLD_POSITION ? o.positions > 0 : o.orders + o.positions == 0;
}

/* From the bar on with which it begins, so that it lasts for most of a leg. */
static void cold_until(struct pair *s, enum cold_owns what)
{
    bool was = true;
    for (uint32_t i = 0; i < 10 * RIG_LEG; i++) {
        const bool is = cold_is(s, what);
        if (is && !was)
            return;
        was = is;
        pair_bars(s, 1);
    }
    fail_msg("it never comes to own %d", (int)what);
}

static struct pair *cold_promoted(const struct pair_config *first, const struct pair_config *next,
                                  enum cold_owns what)
{
    struct pair *s = twin_new(first, BARS);
    pair_open(s);
    pair_bars(s, 100);
    cold_until(s, what);
    pair_promote(s, next);
    return s;
}

static uint32_t cold_not_flat(const struct flow_rig *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->count; i++)
        n += r->record[i].head.type == FACT_IGNORED &&
             r->record[i].u.fact_ignored.why == FACT_IGNORED_NOT_FLAT &&
             r->record[i].u.fact_ignored.detail == FACT_DEPLOY;
    return n;
}

/* The old one trades on as if nobody had tried. */
static void cold_goes_on(struct pair *s, const struct pair_config *first, const char *what)
{
    assert_int_equal(core_serial(pair_core(s)), 1);
    assert_int_equal(pair_instance(s, "one").generation, 1);
    assert_null(belief_bay(s->f->engine->plant.belief, pair_instance(s, "one").id, 2));
    twin_end(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(b->reign_count[1], 1);
    free(b);
    struct pair *twin = twin_whole(first, BARS);
    const struct twin_pick all = {.instance = 1, .accepted = true}, one = {.instance = 1};
    print_message("  cold 1.0.0 -> 1.1.0, refused %s\n", what);
    assert_true(twin_assert_same(twin_signals(s->f, all), twin_signals(twin->f, one), true,
                                 "accepted") > 30);
    assert_int_equal(rig_count_of(s->f, FACT_INTENT), rig_count_of(twin->f, FACT_INTENT));
    pair_free(twin);
}

static void twin_kinds_cold_is_refused_while_it_owns_something(void **state)
{
    (void)state;
    const struct pair_config holds = {.one = COLD("1.0.0", "0")},
                             holds_next = {.one = COLD("1.1.0", "0")},
                             works = {.one = COLD("1.0.0", COLD_FAR)},
                             works_next = {.one = COLD("1.1.0", COLD_FAR)};
    struct pair *s = cold_promoted(&holds, &holds_next, COLD_POSITION);
    pair_refused(s, 2, 65, "it holds 0 working orders, 0 stops and 1 positions; flatten it");
    cold_goes_on(s, &holds, "with a position");
    pair_free(s);
    s = cold_promoted(&works, &works_next, COLD_ORDER);
    pair_refused(s, 2, 65, "it holds 1 working orders, 0 stops and 0 positions; flatten it");
    cold_goes_on(s, &works, "with a working order");
    pair_free(s);
}

static void twin_kinds_cold_is_taken_when_flat(void **state)
{
    (void)state;
    const struct pair_config first = {.one = COLD("1.0.0", "0")},
                             next = {.one = COLD("1.1.0", "0"),
                                     .swap = "{hear: 3m, probation: 1h}"};
    struct pair *s = cold_promoted(&first, &next, COLD_NOTHING);
    pair_until(s, 2, PROMOTION_PROBATION);
    assert_true(cold_is(s, COLD_NOTHING));
    assert_int_equal(pair_instance(s, "one").generation, 2);
    twin_end(s);
    free(books_of(s->f, false));
    /* Cold means that it need not know what it said last; the end of the journal told it. */
    struct pair *twin = twin_whole(&next, BARS);
    const int64_t from = twin_move(s->f, 2, PROMOTION_SHADOW)->head.t_ns;
    const struct twin_pick heard = {.instance = 1, .generation = 2, .after_ns = from},
                           of_twin = {.instance = 1, .after_ns = from};
    print_message("  cold 1.0.0 -> 1.1.0, taken when flat\n");
    assert_true(twin_assert_same(twin_signals(s->f, heard), twin_signals(twin->f, of_twin), true,
                                 "of the new build") > 20);
    pair_free(s);
    pair_free(twin);
}

/* Flat when it was promoted, not at the flip: the core has the last word. */
static void twin_kinds_cold_that_buys_while_it_is_heard_is_refused_at_the_flip(void **state)
{
    (void)state;
    const struct pair_config first = {.one = COLD("1.0.0", "0")},
                             next = {.one = COLD("1.1.0", "0"),
                                     .swap = "{hear: 15m, probation: 1h}"};
    struct pair *s = cold_promoted(&first, &next, COLD_NOTHING);
    pair_until(s, 2, PROMOTION_SHADOW);
    assert_true(cold_is(s, COLD_NOTHING));
    pair_until(s, 2, PROMOTION_REFUSED);
    assert_true(cold_is(s, COLD_POSITION));
    cold_goes_on(s, &first, "at the flip");
    assert_int_equal(cold_not_flat(s->f), 1);
    assert_non_null(strstr(twin_move(s->f, 2, PROMOTION_REFUSED)->u.fact_promotion.text,
                           "strategy one holds or works something, and this"));
    pair_free(s);
}

/* ---- parameters, limits, indicators ---- */

#define EMA(name, period)                                                                          \
    "  " name                                                                                      \
    ": {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m, params: {period: " period "}}\n"
#define CROSS(gain)                                                                                \
    "plugin: ema_cross, version: 1.0.0, params: {target_ppm: 500000, gain: " gain                  \
    "}, inputs: {fast: fast.value, slow: slow.value}"
#define EMAS EMA("fast", "3") EMA("slow", "8")
enum { FAST = 1, SLOW, ONE, TWO, THREE }; /* ids: places in the file */

/* Promoted early, so that the whole journal is the history: an average never forgets its seed, and
 * shall be the twin's to the last bit. */
static struct pair *cross_promoted(const struct pair_config *first, const struct pair_config *next)
{
    struct core_owned o = {0};
    struct pair *s = twin_new(first, BARS);
    pair_open(s);
    pair_bars(s, 100);
    for (uint32_t i = 0; i < 4 * RIG_LEG && o.positions == 0; i++) {
        pair_bars(s, 1);
        core_owned(pair_core(s), ONE, &o);
    }
    assert_true(o.positions > 0);
    pair_promote(s, next);
    return s;
}

static void cross_compare_new(struct pair *s, const struct pair *twin, const char *what,
                              uint32_t id)
{
    const int64_t from = twin_move(s->f, 2, PROMOTION_SHADOW)->head.t_ns;
    const struct twin_pick heard = {.instance = id, .generation = 2, .after_ns = from},
                           of_twin = {.instance = id, .after_ns = from};
    assert_true(twin_assert_same(twin_signals(s->f, heard), twin_signals(twin->f, of_twin), true,
                                 what) > 20);
}

/* Of a strategy that the promotion did not touch. */
static void cross_compare_all(struct pair *s, const struct pair *twin, const char *what,
                              uint32_t id)
{
    const struct twin_pick all = {.instance = id};
    assert_true(twin_assert_same(twin_signals(s->f, all), twin_signals(twin->f, all), true, what) >
                30);
}

static void twin_kinds_parameters_are_taken_with_a_position(void **state)
{
    (void)state;
    const struct pair_config first = {.first = EMAS, .one = CROSS("50")},
                             next = {.first = EMAS,
                                     .one = CROSS("60"),
                                     .swap = "{hear: 5m, probation: 2h}"};
    struct pair *s = cross_promoted(&first, &next), *twin = twin_whole(&next, BARS);
    pair_until(s, 2, PROMOTION_PROBATION);
    twin_end(s);
    struct books *b = books_of(s->f, false);
    assert_true(b->flips == 2 && b->positions > 0);
    free(b);
    print_message("  another gain\n");
    cross_compare_new(s, twin, "of the new build", ONE);
    cross_compare_all(s, twin, "of the other strategy", TWO);
    pair_free(s);
    pair_free(twin);
}

static void twin_kinds_limits_have_no_build_and_hear_nothing(void **state)
{
    (void)state;
    const struct pair_config first = {.first = EMAS, .one = CROSS("50")},
                             next = {.first = EMAS,
                                     .one = CROSS("50"),
                                     .limits = "  by_strategy:\n    one: {max_order_qty: 900}\n"};
    struct pair *s = cross_promoted(&first, &next), *twin = twin_whole(&first, BARS);
    const uint64_t market = core_totals(pair_core(s))->market;
    pair_until(s, 2, PROMOTION_PROBATION);
    assert_int_equal(core_totals(pair_core(s))->market, market);
    assert_int_equal(belief_count(s->f->engine->plant.belief), 2);
    assert_int_equal(pair_instance(s, "one").generation, 1);
    twin_end(s);
    struct books *b = books_of(s->f, false);
    assert_true(b->flips == 2 && b->unaccepted == 0);
    free(b);
    assert_null(twin_plugin(s->f, 2, FACT_PLUGIN_STARTED));
    print_message("  limits alone\n");
    cross_compare_all(s, twin, "of the one limited", ONE);
    cross_compare_all(s, twin, "of the other strategy", TWO);
    pair_free(s);
    pair_free(twin);
}

static void twin_kinds_indicator_swaps_who_listens_to_it(void **state)
{
    (void)state;
    const struct pair_config first = {.first = EMAS, .one = CROSS("50")},
                             next = {.first = EMA("fast", "5") EMA("slow", "8"),
                                     .one = CROSS("50")};
    struct pair *s = cross_promoted(&first, &next), *twin = twin_whole(&next, BARS);
    pair_until(s, 2, PROMOTION_PROBATION);
    assert_int_equal(pair_instance(s, "one").generation, 2);
    assert_int_equal(pair_instance(s, "two").generation, 1);
    assert_int_equal(belief_count(s->f->engine->plant.belief), 3);
    twin_end(s);
    free(books_of(s->f, false));
    print_message("  the period of an average\n");
    cross_compare_new(s, twin, "of who listens to it", ONE);
    cross_compare_all(s, twin, "of who does not", TWO);
    pair_free(s);
    pair_free(twin);
}

/* Which instances changed their build, all of them at this event. */
static uint32_t flipped_at(const struct flow_rig *r, uint64_t seq)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct fact_flipped *f = &r->record[i].u.fact_flipped;
        if (r->record[i].head.type != FACT_FLIPPED || f->from == 0)
            continue;
        assert_int_equal(r->record[i].head.seq, seq);
        assert_int_equal(bits & 1u << f->instance, 0);
        bits |= 1u << f->instance;
    }
    return bits;
}

static void twin_kinds_several_flip_at_one_event(void **state)
{
    (void)state;
    static const char third[] = "  three: {plugin: tail, version: 1.0.0, params: {bars: 9}, "
                                "instrument: COIN, bar: 1m, due: 0s}\n";
    const char *routes = PAIR_ROUTE("one") PAIR_ROUTE("two") PAIR_ROUTE("three");
    const struct pair_config first = {.first = EMAS,
                                      .one = CROSS("50"),
                                      .two = CROSS("40"),
                                      .more = third,
                                      .routes = routes},
                             next = {.first = EMA("fast", "4") EMA("slow", "8"),
                                     .one = CROSS("60"),
                                     .two = CROSS("40"),
                                     .more = third,
                                     .routes = routes};
    struct pair *s = cross_promoted(&first, &next), *twin = twin_whole(&next, BARS);
    pair_until(s, 2, PROMOTION_PROBATION);
    const uint64_t at = pair_instance(s, "one").flip_seq;
    twin_end(s);
    free(books_of(s->f, false));
    assert_int_equal(flipped_at(s->f, at), 1u << FAST | 1u << ONE | 1u << TWO);
    print_message("  two strategies and the average that they share\n");
    cross_compare_new(s, twin, "of the one", ONE);
    cross_compare_new(s, twin, "of the other", TWO);
    cross_compare_all(s, twin, "of the third, which stays", THREE);
    pair_free(s);
    pair_free(twin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twin_kinds_cold_is_refused_while_it_owns_something),
        cmocka_unit_test(twin_kinds_cold_is_taken_when_flat),
        cmocka_unit_test(twin_kinds_cold_that_buys_while_it_is_heard_is_refused_at_the_flip),
        cmocka_unit_test(twin_kinds_parameters_are_taken_with_a_position),
        cmocka_unit_test(twin_kinds_limits_have_no_build_and_hear_nothing),
        cmocka_unit_test(twin_kinds_indicator_swaps_who_listens_to_it),
        cmocka_unit_test(twin_kinds_several_flip_at_one_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
