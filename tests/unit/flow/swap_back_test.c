/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: there is always a way back: by an operator, on probation and after it; by the host when the
 * new build breaks its contract or is denied too much; and never a looser limit by it (DECISIONS
 * 31). Method: a real engine with its journal, the builds that break and chatter, and the journal
 * read and proved by books.h.
 */
#include "tests/unit/flow/books.h"
#include "tests/unit/flow/pair.h"

#define WAY "proposed, verified, approved, shadow, canary, "

static const struct fact_promotion *last_move(const struct flow_rig *r, uint64_t serial)
{
    const struct fact_promotion *p = NULL;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->record[i].head.type == FACT_PROMOTION &&
            r->record[i].u.fact_promotion.serial == serial)
            p = &r->record[i].u.fact_promotion;
    }
    assert_non_null(p);
    return p;
}

static uint32_t stopped_of(const struct flow_rig *r, uint32_t generation)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->count; i++)
        n += r->record[i].head.type == FACT_PLUGIN && r->record[i].head.generation == generation &&
             r->record[i].u.fact_plugin.what == FACT_PLUGIN_STOPPED;
    return n;
}

static struct pair *promoted(const struct pair_config *next)
{
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_bars(s, 25);
    return s;
}

/* The old builds still hear: the flip back takes no turn of the market. */
static void swap_back_on_probation_is_the_same_flip(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 7")};
    struct pair *s = promoted(&next);
    uint64_t market = core_totals(pair_core(s))->market;
    pair_roll_back(s, "it trades too little");
    pair_until(s, 3, PROMOTION_PERMANENT);
    assert_int_equal(core_totals(pair_core(s))->market, market);
    assert_int_equal(core_serial(pair_core(s)), 3);
    assert_int_equal(pair_instance(s, "one").generation, 1); /* the very build that ran before */
    pair_bars(s, 1);
    pair_answered(s, 0, "nothing has changed yet"); /* of the promotion */
    pair_answered(s, 0, "going back to serial 1's content as serial 3");
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    books_assert_moves(s->f, 2, WAY "probation, rolled back");
    books_assert_moves(s->f, 3, WAY "permanent");
    assert_int_equal(last_move(s->f, 2)->why, PROMOTION_WHY_PERSON);
    assert_string_equal(last_move(s->f, 2)->text, "it trades too little");
    assert_int_equal(b->flips, 3);
    assert_true(b->orders > 0 && b->positions > 0);
    assert_int_equal(stopped_of(s->f, 2), 1);
    free(b);
    pair_free(s);
}

static void swap_back_after_probation_builds_anew(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 7")};
    struct pair *s = promoted(&next);
    pair_until(s, 2, PROMOTION_PERMANENT);
    assert_null(belief_bay(s->f->engine->plant.belief, pair_instance(s, "one").id, 1));
    pair_bars(s, 10);
    pair_roll_back(s, "");
    pair_until(s, 3, PROMOTION_PERMANENT);
    assert_int_equal(pair_instance(s, "one").generation, 3); /* a new build of the old version */
    assert_int_equal(pair_instance(s, "two").generation, 1);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(b->flips, 3);
    assert_int_equal(last_move(s->f, 2)->to, PROMOTION_ROLLED_BACK);
    assert_int_equal(rig_count_of(s->f, FACT_SIGNATURE), 1 + 3 + 3); /* nobody signed it */
    free(b);
    pair_free(s);
}

static void swap_back_of_the_first_or_of_a_rollback_is_refused(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 7")};
    struct pair *s = pair_new(NULL);
    struct trail tr = {0};
    pair_open(s);
    pair_bars(s, 130);
    struct result r = lockstep_rollback(s->f->engine, "bo", "", PAIR_REQUEST, &tr);
    assert_int_equal(r.code, RESULT_STATE);
    assert_non_null(strstr(trail_sentence(&tr, r), "nothing to go back to"));
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_roll_back(s, "");
    pair_until(s, 3, PROMOTION_PERMANENT);
    tr = (struct trail){0};
    r = lockstep_rollback(s->f->engine, "bo", "", PAIR_REQUEST, &tr);
    assert_int_equal(r.code, RESULT_STATE);
    assert_non_null(strstr(trail_sentence(&tr, r), "is a rollback itself"));
    pair_promote(s, &next); /* what was taken back may be promoted again */
    pair_until(s, 4, PROMOTION_PERMANENT);
    assert_int_equal(pair_instance(s, "one").generation, 4);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* Tightened with 2; the way back to 1 keeps the tighter limit. */
static void swap_back_never_loosens_a_limit(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 7"),
                                     .limits = "  by_strategy:\n    one: {max_order_qty: 2}\n"};
    struct pair *s = promoted(&next);
    pair_roll_back(s, "");
    pair_until(s, 3, PROMOTION_PERMANENT);
    const struct deploy_doc *d = lockstep_doc(s->f->engine);
    uint32_t found = 0;
    for (uint32_t i = 0; i < d->limit_count; i++)
        found += d->limit[i].rule == RISK_MAX_QTY && d->limit[i].strategy == 1 &&
                 d->limit[i].limit == 20000;
    assert_int_equal(found, 1);
    uint64_t from = core_seq(pair_core(s));
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    uint32_t cut = 0;
    for (uint32_t i = 0; i < s->f->count; i++) {
        const struct fact_decision *e = &s->f->record[i].u.fact_decision;
        if (s->f->record[i].head.type != FACT_DECISION || s->f->record[i].head.seq < from ||
            e->strategy != 1 || e->reducing || !e->approved)
            continue;
        assert_true(e->granted <= 20000);
        cut++;
    }
    assert_true(cut > 0);
    free(b);
    pair_free(s);
}

static void swap_back_by_itself_when_the_build_breaks(void **state)
{
    (void)state;
    const struct pair_config next = {.one = PAIR_TAIL("1.2.0", "bars: 5, breaks_after: 40")};
    struct pair *s = promoted(&next);
    pair_until(s, 3, PROMOTION_PERMANENT);
    assert_int_equal(pair_instance(s, "one").generation, 1);
    assert_int_equal(core_mode(pair_core(s), MODE_SCOPE_STRATEGY, pair_instance(s, "one").id),
                     MODE_ACTIVE); /* the build that was the reason is gone */
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(last_move(s->f, 2)->why, PROMOTION_WHY_FAULT);
    assert_string_equal(last_move(s->f, 2)->by, "host");
    assert_int_equal(b->flips, 3);
    assert_int_equal(stopped_of(s->f, 2), 1);
    free(b);
    pair_free(s);
}

/* Every order of it lies outside the collar; the gate says so to each. */
static void swap_back_by_itself_when_the_gate_denies_too_much(void **state)
{
    (void)state;
    const struct pair_config next = {
        .one = "plugin: chatty, version: 1.0.0, params: {limit_ppm: 100000}",
        .swap = "{hear: 5m, probation: 2h, denials: 8}"};
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &next);
    pair_until(s, 3, PROMOTION_PERMANENT);
    assert_int_equal(pair_instance(s, "one").generation, 1);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(last_move(s->f, 2)->why, PROMOTION_WHY_DENIALS);
    assert_non_null(strstr(last_move(s->f, 2)->text, "8 of its last"));
    free(b);
    pair_free(s);
}

/* The old builds are kept for the way back only until the next promotion is heard. */
static void swap_back_after_a_second_promotion_goes_to_the_one_before(void **state)
{
    (void)state;
    const struct pair_config second = {.one = PAIR_TAIL("1.1.0", "bars: 7")},
                             third = {.one = PAIR_TAIL("1.1.0", "bars: 9")};
    struct pair *s = promoted(&second);
    pair_promote(s, &third);
    pair_until(s, 3, PROMOTION_PROBATION);
    pair_roll_back(s, "");
    pair_until(s, 4, PROMOTION_PERMANENT);
    assert_int_equal(pair_instance(s, "one").generation, 2);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    books_assert_moves(s->f, 2, WAY "probation, permanent, superseded");
    books_assert_moves(s->f, 3, WAY "probation, rolled back");
    free(b);
    pair_free(s);
}

/* A rollback goes before what is being prepared or heard: that one is refused. */
static void swap_back_overtakes_a_promotion_on_its_way(void **state)
{
    (void)state;
    const struct pair_config second = {.one = PAIR_TAIL("1.1.0", "bars: 7")},
                             third = {.one = PAIR_TAIL("1.1.0", "bars: 9")};
    for (int hears = 0; hears <= 1; hears++) {
        struct pair *s = promoted(&second);
        pair_promote(s, &third);
        if (hears)
            pair_until(s, 3, PROMOTION_SHADOW);
        pair_roll_back(s, "");
        for (uint32_t i = 0; i < PAIR_TURNS && core_serial(pair_core(s)) != 3; i++)
            (void)pair_step(s);
        assert_int_equal(lockstep_doc(s->f->engine)->rollback_of, 2);
        pair_stop(s);
        struct books *b = books_of(s->f, false);
        uint32_t refused = 0;
        for (uint32_t i = 0; i < s->f->count; i++)
            refused += s->f->record[i].head.type == FACT_PROMOTION &&
                       s->f->record[i].u.fact_promotion.to == PROMOTION_REFUSED;
        assert_int_equal(refused, 1);
        assert_int_equal(b->flips, 3);
        free(b);
        pair_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_back_on_probation_is_the_same_flip),
        cmocka_unit_test(swap_back_after_probation_builds_anew),
        cmocka_unit_test(swap_back_of_the_first_or_of_a_rollback_is_refused),
        cmocka_unit_test(swap_back_never_loosens_a_limit),
        cmocka_unit_test(swap_back_by_itself_when_the_build_breaks),
        cmocka_unit_test(swap_back_by_itself_when_the_gate_denies_too_much),
        cmocka_unit_test(swap_back_after_a_second_promotion_goes_to_the_one_before),
        cmocka_unit_test(swap_back_overtakes_a_promotion_on_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
