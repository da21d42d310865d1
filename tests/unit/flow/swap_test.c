/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a promotion takes over between two events and nothing else changes: orders, positions and
 * stops go on, each event is believed from one build, a refusal leaves all as it was, and one that
 * must not wait (a kill) does not. Method: a real engine with its journal, real signatures and
 * plugins, time standing still while a promotion is prepared; then the journal is read and proved
 * by books.h, and replayed.
 */
#include "tests/unit/flow/books.h"
#include "tests/unit/flow/pair.h"

#define WAY "proposed, verified, approved, shadow, canary, probation"

/* ---- going well ---- */

struct trade { /* what an order was for, without its number */
    int64_t t_ns, qty, price;
    uint32_t strategy, side;
};

static uint32_t trades_of(const struct flow_rig *r, struct trade *out, uint32_t max)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct fact_intent *e = &r->record[i].u.fact_intent;
        if (r->record[i].head.type != FACT_INTENT)
            continue;
        assert_true(n < max);
        out[n++] = (struct trade){.t_ns = r->record[i].head.t_ns,
                                  .qty = e->qty,
                                  .price = e->price,
                                  .strategy = e->strategy,
                                  .side = e->side};
    }
    return n;
}

/* Versions that answer alike: a run with a swap trades exactly as one that was left alone. */
static void swap_of_a_version_trades_on_as_if_nothing_had_happened(void **state)
{
    (void)state;
    static struct trade with[2000], without[2000];
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 5")};
    struct pair *s = pair_new(NULL), *twin = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 133);
    pair_promote(s, &next);
    pair_answered(s, 0, "nothing has changed yet");
    assert_int_equal(core_serial(pair_core(s)), 1);
    assert_int_equal(pair_instance(s, "one").generation, 1);
    pair_until(s, 2, PROMOTION_PROBATION);
    assert_int_equal(core_serial(pair_core(s)), 2);
    assert_int_equal(pair_instance(s, "one").generation, 2);
    assert_int_equal(pair_instance(s, "two").generation, 1);
    pair_until(s, 2, PROMOTION_PERMANENT);
    pair_stop(s);
    pair_open(twin);
    pair_stop(twin);
    struct books *b = books_of(s->f, false);
    rig_read(twin->f);
    books_assert_moves(s->f, 1,
                       "proposed, verified, approved, shadow, canary, permanent, superseded");
    books_assert_moves(s->f, 2, WAY ", permanent");
    assert_int_equal(b->flips, 2);
    assert_true(b->orders > 0 && b->positions > 0 && b->stops > 0);
    assert_true(b->unaccepted > 10); /* heard before the flip, and the old one after it */
    uint32_t n = trades_of(s->f, with, 2000);
    assert_int_equal(n, trades_of(twin->f, without, 2000));
    assert_true(n > 50);
    assert_memory_equal(with, without, n * sizeof *with);
    free(b);
    pair_free(s);
    pair_free(twin);
}

static void swap_of_params_is_the_same_road(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.0.0", "bars: 7")};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PERMANENT);
    assert_int_equal(pair_instance(s, "one").generation, 2);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_true(b->orders + b->positions > 0);
    free(b);
    pair_free(s);
}

/* Nothing hears beforehand, since no build is another; what is held exceeds the new limit. */
static void swap_of_limits_alone_starts_no_build_and_reduces_what_exceeds(void **state)
{
    (void)state;
    const struct pair_config next = {.limits =
                                         "  by_strategy:\n    two: {max_position_qty: 0.1}\n"};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 140); /* `two` is short from 134 to 146 */
    uint64_t before = core_totals(pair_core(s))->market;
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    assert_int_equal(core_totals(pair_core(s))->market, before);
    assert_int_equal(pair_instance(s, "two").generation, 1);
    assert_int_equal(core_mode(pair_core(s), MODE_SCOPE_STRATEGY, pair_instance(s, "two").id),
                     MODE_REDUCING);
    assert_int_equal(core_mode(pair_core(s), MODE_SCOPE_STRATEGY, pair_instance(s, "one").id),
                     MODE_ACTIVE);
    pair_until(s, 2, PROMOTION_PERMANENT);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(b->flips, 2);
    assert_int_equal(b->unaccepted, 0);
    free(b);
    pair_free(s);
}

static void swap_of_two_strategies_is_one_flip(void **state)
{
    (void)state;
    const struct pair_config next = {
        .one = PAIR_TAIL("1.1.0", "bars: 5"),
        .two = "plugin: tail, version: 1.1.0, params: {target_ppm: 500000, stop_ppm: 40000, bars: "
               "8}"};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PERMANENT);
    assert_int_equal(pair_instance(s, "one").flip_seq, pair_instance(s, "two").flip_seq);
    assert_int_equal(pair_instance(s, "two").generation, 2);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_true(b->orders > 0 && b->positions > 0 && b->stops > 0);
    free(b);
    pair_free(s);
}

/* The engine goes on while the promoter works, as it does on a live market. */
static void swap_beside_a_running_market_misses_nothing(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 5"),
                                     .swap = "{hear: 20m, probation: 60m}"};
    struct pair *s = pair_new(NULL);
    s->runs_free = true;
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &next);
    for (uint32_t i = 0; i < PAIR_TURNS && pair_state(s, 2) < PROMOTION_SHADOW; i++) {
        if (core_totals(pair_core(s))->market < 330) { /* enough bars are kept for the flip */
            (void)pair_step(s);
            continue;
        }
        RIG_OK(s->f, journal_wait(s->f->engine->journal, core_seq(pair_core(s)), &s->f->tr));
        RIG_OK(s->f, lockstep_service(s->f->engine, &s->f->tr));
        if (pair_state(s, 2) < PROMOTION_SHADOW && !swap_is_ready(s->f->engine))
            assert_int_equal(sem_wait(&s->news), 0);
    }
    pair_until(s, 2, PROMOTION_PERMANENT);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(b->flips, 2);
    assert_int_equal(rig_count_of(s->f, FACT_BAR), PAIR_BARS);
    free(b);
    pair_free(s);
}

/* ---- state, cold ---- */

static void swap_of_state_hands_over_and_the_first_answers_stay(void **state)
{
    (void)state;
    static struct trade with[2000], without[2000];
    const struct pair_config first = {.one = "plugin: memo, version: 1.0.0"},
                             next = {.one = "plugin: memo, version: 2.0.0"};
    struct pair *s = pair_new(&first), *twin = pair_new(&first);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PERMANENT);
    pair_stop(s);
    pair_open(twin);
    pair_stop(twin);
    struct books *b = books_of(s->f, false);
    rig_read(twin->f);
    uint32_t n = trades_of(s->f, with, 2000);
    assert_int_equal(n, trades_of(twin->f, without, 2000));
    assert_true(n > 50);
    assert_memory_equal(with, without, n * sizeof *with);
    free(b);
    pair_free(s);
    pair_free(twin);
}

/* While it holds something a build without warm-up or state may not take over; flat it may. */
static void swap_of_a_cold_build_waits_for_flat(void **state)
{
    (void)state;
    const struct pair_config first = {.one = "plugin: cold, version: 1.0.0"},
                             next = {.one = "plugin: cold, version: 1.1.0"};
    struct core_owned o = {0};
    struct pair *s = pair_new(&first);
    pair_open(s);
    pair_bars(s, 100);
    while (o.positions == 0) {
        pair_bars(s, 1);
        core_owned(pair_core(s), pair_instance(s, "one").id, &o);
    }
    pair_promote(s, &next);
    pair_refused(s, 2, 65, "starts cold");
    while (o.positions + o.orders > 0) {
        pair_bars(s, 1);
        core_owned(pair_core(s), pair_instance(s, "one").id, &o);
    }
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_SHADOW);
    for (uint32_t i = 0; i < PAIR_TURNS && pair_state(s, 2) < PROMOTION_PROBATION; i++)
        (void)pair_step(s);
    /* twenty bars later it may hold something again: then the core says no, whole */
    core_owned(pair_core(s), pair_instance(s, "one").id, &o);
    bool is_flat = o.orders + o.positions == 0;
    assert_int_equal(pair_state(s, 2), is_flat ? PROMOTION_PROBATION : PROMOTION_REFUSED);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* ---- strategies that come and go ---- */

static void swap_brings_a_new_strategy_and_takes_one_away(void **state)
{
    (void)state;
    const struct pair_config
        more = {.more = "  three: {plugin: tail, version: 1.1.0, params: {target_ppm: 100000, "
                        "bars: 6}, instrument: COIN, bar: 1m, due: 0s}\n",
                .routes = PAIR_ROUTE("one") PAIR_ROUTE("two") PAIR_ROUTE("three")},
        gone = {.rest = "on_remove:\n  three: flatten\n"}, silent = {0};
    struct core_owned o = {0};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &more);
    pair_until(s, 2, PROMOTION_PERMANENT);
    pair_auto_on(s);
    uint32_t three = pair_instance(s, "three").id;
    assert_int_equal(three, 3);
    while (o.positions == 0) {
        pair_bars(s, 1);
        core_owned(pair_core(s), three, &o);
    }
    pair_promote(s, &silent);
    pair_refused(s, 3, 65, "on_remove");
    pair_promote(s, &gone);
    pair_until(s, 3, PROMOTION_PROBATION);
    assert_true(pair_instance(s, "three").is_removed);
    pair_bars(s, 5);
    core_owned(pair_core(s), three, &o);
    assert_int_equal(o.positions + o.orders, 0);
    pair_stop(s);
    free(books_of(s->f, true));
    pair_free(s);
}

/* ---- refused ---- */

static void swap_with_a_wrong_parent_or_serial_is_refused(void **state)
{
    (void)state;
    char path[128];
    static const struct pair_config same = {0};
    const uint8_t other[FACT_HASH_BYTES] = {1, 2, 3};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 100);
    snprintf(path, sizeof path, "%s/next.yaml", s->f->dir);
    pair_write(path, &same);
    uint8_t now[FACT_HASH_BYTES];
    memcpy(now, core_deployment(pair_core(s)), sizeof now);
    pair_hand_over(s, rig_sign(s->f, path, 2, other));
    pair_refused(s, 2, 65, "was written to follow 010203000000");
    pair_hand_over(s, rig_sign(s->f, path, 3, now));
    pair_refused(s, 3, 65, "serial");
    pair_hand_over(s, rig_sign(s->f, path, 1, now));
    pair_answered(s, 65, "serial");
    assert_memory_equal(now, core_deployment(pair_core(s)), sizeof now);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(b->flips, 1);
    assert_int_equal(rig_count_of(s->f, FACT_STAGE), 2); /* of the first */
    free(b);
    pair_free(s);
}

static void swap_with_an_altered_byte_is_refused(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 5")};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 100);
    struct bundle *b = pair_sign(s, &next);
    char *at = strstr(b->file.bytes, "target_ppm: 500000");
    assert_non_null(at);
    at[12] = '6';
    pair_hand_over(s, b);
    pair_answered(s, 11, "signature");
    b = pair_sign(s, &next);
    free(b->signature[--b->signature_count]
             .bytes); /* the guard's is missing; params raise nothing, so it is not needed */
    pair_hand_over(s, b);
    pair_answered(s, 0, "nothing has changed yet");
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

static void swap_second_document_while_one_is_on_its_way_is_busy(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 5")};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &next);
    struct result r = lockstep_hand_over(s->f->engine, PROMOTER_DEPLOYMENT, pair_sign(s, &next),
                                         "ana", 8, &s->f->tr);
    assert_int_equal(r.code, RESULT_BUSY);
    assert_non_null(strstr(trail_sentence(&s->f->tr, r), "on its way"));
    pair_until(s, 2, PROMOTION_SHADOW);
    const struct pair_config other = {.one = PAIR_TAIL("1.1.0", "bars: 6")};
    pair_promote(s, &other);
    pair_refused(s, 2, 75, "only one that tightens may overtake it");
    for (uint32_t i = 0; i < PAIR_TURNS && core_serial(pair_core(s)) != 2; i++)
        (void)pair_step(s);
    assert_int_equal(pair_instance(s, "one").generation, 2);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* Tightening waits for nobody: what hears already is refused, and must be planned on top of it. */
static void swap_that_only_tightens_overtakes_one_that_hears(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 5")},
                             tight = {.limits = "  by_strategy:\n    one: {max_order_qty: 2}\n"};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_SHADOW);
    uint64_t market = core_totals(pair_core(s))->market;
    pair_promote(s, &tight);
    for (uint32_t i = 0; i < PAIR_TURNS && core_serial(pair_core(s)) != 2; i++)
        (void)pair_step(s);
    assert_int_equal(core_totals(pair_core(s))->market, market); /* no bar later */
    assert_int_equal(pair_instance(s, "one").generation, 1);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < s->f->count; i++)
        refused += s->f->record[i].head.type == FACT_PROMOTION &&
                   s->f->record[i].u.fact_promotion.to == PROMOTION_REFUSED &&
                   s->f->record[i].u.fact_promotion.why == PROMOTION_WHY_OVERTAKEN;
    assert_int_equal(refused, 1);
    assert_int_equal(b->flips, 2);
    free(b);
    pair_free(s);
}

static void swap_of_a_build_that_breaks_while_it_hears_is_refused(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.2.0", "bars: 5, breaks_after: 6")},
                             good = {.one = PAIR_TAIL("1.1.0", "bars: 5")};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_SHADOW);
    pair_until(s, 2, PROMOTION_REFUSED);
    assert_int_equal(core_serial(pair_core(s)), 1);
    assert_int_equal(core_mode(pair_core(s), MODE_SCOPE_STRATEGY, pair_instance(s, "one").id),
                     MODE_ACTIVE);
    pair_promote(s, &good);
    pair_until(s, 2, PROMOTION_PERMANENT);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(b->flips, 2);
    free(b);
    pair_free(s);
}

static void pair_kill(struct pair *s)
{
    const struct fact_mode m = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_KILLED, .by = "test"};
    RIG_OK(s->f, lockstep_command(s->f->engine, FACT_MODE, &m, &s->f->tr));
}

static void swap_is_given_up_when_the_host_is_killed(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 5")};
    for (int hears = 0; hears <= 1; hears++) {
        struct pair *s = pair_new(NULL);
        pair_open(s);
        pair_bars(s, 130);
        pair_promote(s, &next);
        if (hears)
            pair_until(s, 2, PROMOTION_SHADOW);
        uint64_t seq = core_seq(pair_core(s));
        pair_kill(s);
        assert_int_equal(core_seq(pair_core(s)), seq + 1); /* at once, before anything else */
        pair_until(s, 2, PROMOTION_REFUSED);
        assert_int_equal(core_serial(pair_core(s)), 1);
        pair_answered(s, hears ? 0 : 65, "");
        pair_bars(s, 20);
        assert_int_equal(core_mode(pair_core(s), MODE_SCOPE_GLOBAL, 0), MODE_KILLED);
        pair_stop(s);
        struct books *b = books_of(s->f, false);
        assert_int_equal(b->flips, 1);
        free(b);
        pair_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_of_a_version_trades_on_as_if_nothing_had_happened),
        cmocka_unit_test(swap_of_params_is_the_same_road),
        cmocka_unit_test(swap_of_limits_alone_starts_no_build_and_reduces_what_exceeds),
        cmocka_unit_test(swap_of_two_strategies_is_one_flip),
        cmocka_unit_test(swap_beside_a_running_market_misses_nothing),
        cmocka_unit_test(swap_of_state_hands_over_and_the_first_answers_stay),
        cmocka_unit_test(swap_of_a_cold_build_waits_for_flat),
        cmocka_unit_test(swap_brings_a_new_strategy_and_takes_one_away),
        cmocka_unit_test(swap_with_a_wrong_parent_or_serial_is_refused),
        cmocka_unit_test(swap_with_an_altered_byte_is_refused),
        cmocka_unit_test(swap_second_document_while_one_is_on_its_way_is_busy),
        cmocka_unit_test(swap_that_only_tightens_overtakes_one_that_hears),
        cmocka_unit_test(swap_of_a_build_that_breaks_while_it_hears_is_refused),
        cmocka_unit_test(swap_is_given_up_when_the_host_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
