/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what waits for nobody does not wait for a promotion that hears: one that only tightens
 * overtakes it, a trust document and a request go beside it; anything else is refused as busy and
 * leaves it alone. Method: a real engine with its promoter; its journal is proved by books.h.
 */
#include "tests/unit/flow/books.h"
#include "tests/unit/flow/pair.h"

static const struct pair_config longer = {.one = PAIR_TAIL("1.1.0", "bars: 7"),
                                          .swap = "{hear: 200m, probation: 2h}"};
static const struct pair_config tighter = {.limits =
                                               "  by_strategy:\n    one: {max_order_qty: 100}\n"};

static struct pair *hearing(void)
{
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    pair_promote(s, &longer);
    pair_answered(s, 0, "verified");
    pair_until(s, 2, PROMOTION_SHADOW);
    return s;
}

static void swap_queue_tightening_overtakes_what_hears(void **state)
{
    (void)state;
    struct pair *s = hearing();
    struct registry *r = s->f->engine->registry;
    uint64_t bars = core_totals(pair_core(s))->market;
    pair_promote(s, &tighter);
    pair_answered(s, 0, "verified");
    pair_until(s, 2, PROMOTION_PROBATION);
    assert_int_equal(core_totals(pair_core(s))->market, bars);
    assert_int_equal(registry_count(r), 3);
    assert_int_equal(registry_entry(r, 1)->state, PROMOTION_REFUSED);
    assert_int_equal(registry_entry(r, 1)->last.why, PROMOTION_WHY_OVERTAKEN);
    assert_int_equal(pair_instance(s, "one").generation, 1);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(b->flips, 2);
    free(b);
    pair_free(s);
}

static void swap_queue_anything_else_is_busy_and_it_goes_on(void **state)
{
    (void)state;
    static const struct pair_config other = {.one = PAIR_TAIL("1.1.0", "bars: 6")};
    struct pair *s = hearing();
    pair_promote(s, &other);
    pair_answered(s, result_exit(RESULT_OF(BUSY)), "only one that tightens may overtake");
    pair_bars(s, 230);
    assert_int_equal(core_serial(pair_core(s)), 2);
    assert_int_equal(pair_instance(s, "one").generation, 2);
    assert_int_equal(registry_active(s->f->engine->registry)->state, PROMOTION_PROBATION);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* One that would have overtaken, and was prepared when the flip was committed, is too late. */
static void swap_queue_a_late_tightening_leaves_the_committed_one_alone(void **state)
{
    (void)state;
    struct pair *s = hearing();
    struct swap *w = &s->f->engine->swap;
    pair_promote(s, &tighter);
    w->hear_until_ns = s->f->engine->seq.last_ns; /* its time is over at this very event */
    assert_int_equal(w->phase, SWAP_HEARING);
    pair_answered(s, result_exit(RESULT_OF(STATE)), "another one was committed first");
    pair_bars(s, 20);
    assert_int_equal(core_serial(pair_core(s)), 2);
    assert_int_equal(pair_instance(s, "one").generation, 2);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* A paper is judged while builds hear: here one that is no trust document. */
static void swap_queue_papers_go_beside(void **state)
{
    (void)state;
    static const char text[] = "schema: 1\n";
    struct pair *s = hearing();
    struct bundle *b = bundle_new();
    bundle_set(&b->file, "trust.yaml", text, sizeof text - 1);
    RIG_OK(s->f,
           lockstep_hand_over(s->f->engine, PROMOTER_TRUST, b, "ana", PAIR_REQUEST, &s->f->tr));
    pair_answered(s, result_exit(RESULT_OF(CONFIG)), "trust.yaml");
    assert_int_equal(s->f->engine->swap.phase, SWAP_HEARING);
    pair_bars(s, 230);
    assert_int_equal(core_serial(pair_core(s)), 2);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_queue_tightening_overtakes_what_hears),
        cmocka_unit_test(swap_queue_anything_else_is_busy_and_it_goes_on),
        cmocka_unit_test(swap_queue_a_late_tightening_leaves_the_committed_one_alone),
        cmocka_unit_test(swap_queue_papers_go_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
