/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the narrow places of a promotion end as the wide ones do: a death between DEPLOY and the
 * record that says so, a build that breaks while its commit waits for the disk, a rollback that was
 * refused and is asked for again, one that is asked for twice, a fault of a build that nobody
 * promoted. Method: a real engine, brought to the place and given there what the world would give;
 * its journal is proved by books.h.
 */
#include "flow/promoter_priv.h"
#include "tests/unit/flow/books.h"
#include "tests/unit/flow/pair.h"

static const struct pair_config next = {.one = PAIR_TAIL("1.1.0", "bars: 7")};

static struct pair *running(void)
{
    struct pair *s = pair_new(NULL);
    pair_open(s);
    pair_bars(s, 130);
    return s;
}

static void until_committed(struct pair *s)
{
    while (s->f->engine->swap.phase != SWAP_COMMITTED)
        assert_true(pair_step(s));
}

/* DEPLOY reached the disk and nothing after it. */
static void die_after_deploy(struct pair *s)
{
    struct lockstep *l = s->f->engine;
    until_committed(s);
    struct fact_deploy e = {.serial = l->swap.offer->serial};
    memcpy(e.sha256, l->swap.offer->sha256, sizeof e.sha256);
    memcpy(e.name, l->swap.offer->doc->fact.name, sizeof e.name);
    RIG_OK(s->f, lockstep_say(l, FACT_DEPLOY, 0, &e, &s->f->tr));
    assert_int_equal(core_serial(pair_core(s)), e.serial);
    pair_crash(s);
}

static void swap_edge_death_after_deploy_is_the_new_one_on_probation(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    die_after_deploy(s);
    pair_open(s);
    assert_int_equal(core_serial(pair_core(s)), 2);
    assert_int_equal(pair_state(s, 2), PROMOTION_PROBATION);
    assert_int_equal(pair_state(s, 1), PROMOTION_SUPERSEDED);
    pair_bars(s, 10);
    pair_roll_back(s, "");
    pair_until(s, 3, PROMOTION_PERMANENT);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

static void swap_edge_death_after_the_deploy_of_a_rollback_ends_it(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_roll_back(s, "");
    die_after_deploy(s);
    pair_open(s);
    assert_int_equal(core_serial(pair_core(s)), 3);
    assert_int_equal(pair_state(s, 3), PROMOTION_PERMANENT);
    assert_int_equal(pair_state(s, 2), PROMOTION_ROLLED_BACK);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* The disk is slow; meanwhile the new build breaks. It is never believed. */
static void swap_edge_fault_while_the_commit_waits_refuses_it(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    until_committed(s);
    swap_fault(s->f->engine, pair_instance(s, "one").id, 2, TN_E_STATE, false);
    pair_until(s, 2, PROMOTION_REFUSED);
    assert_int_equal(core_serial(pair_core(s)), 1);
    assert_int_equal(pair_instance(s, "one").generation, 1);
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* The core says no to the flip back: the prepared way is used up, and a new one is built. */
static void swap_edge_rollback_that_the_core_refuses_can_be_asked_again(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_bars(s, 10);
    pair_roll_back(s, "");
    until_committed(s);
    struct fact_stage other = {.serial = 3, .what = FACT_STAGE_BEGIN};
    RIG_OK(s->f, lockstep_say(s->f->engine, FACT_STAGE, 0, &other, &s->f->tr));
    pair_until(s, 3, PROMOTION_REFUSED);
    assert_int_equal(core_serial(pair_core(s)), 2);
    pair_roll_back(s, "again");
    pair_until(s, 3, PROMOTION_PERMANENT);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* The derived text has the same bytes each time; what is one way back stays one. */
static void swap_edge_rollback_after_a_refused_one_is_still_the_only_one(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct pair *s = running();
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PERMANENT);
    pair_roll_back(s, "");
    pair_until(s, 3, PROMOTION_APPROVED);
    pair_crash(s);
    pair_open(s);
    assert_int_equal(pair_state(s, 3), PROMOTION_REFUSED);
    pair_roll_back(s, "");
    pair_until(s, 3, PROMOTION_PERMANENT);
    struct result r = lockstep_rollback(s->f->engine, "bo", "", PAIR_REQUEST, &tr);
    assert_int_equal(r.code, RESULT_STATE);
    assert_non_null(strstr(trail_sentence(&tr, r), "is a rollback itself"));
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* Whoever asks while one is built gets an answer too. */
static void swap_edge_rollback_asked_twice_is_answered_twice(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PERMANENT);
    pair_answered(s, 0, "nothing has changed yet");
    pair_roll_back(s, "");
    assert_true(pair_step(s)); /* it is with the promoter */
    assert_int_equal(s->f->engine->swap.kind, PROMOTER_ROLLBACK);
    pair_roll_back(s, "twice");
    pair_answered(s, result_exit(RESULT_OF(BUSY)), "on its way");
    pair_answered(s, 0, "nothing has changed yet");
    pair_until(s, 3, PROMOTION_PERMANENT);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* A paper is not given up for it: it is refused, or in force, by its own merits. */
static void swap_edge_rollback_waits_for_a_paper(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_answered(s, 0, "nothing has changed yet");
    struct bundle *b = bundle_new();
    bundle_set(&b->file, "trust.yaml", "schema: 1\n", 10);
    RIG_OK(s->f,
           lockstep_hand_over(s->f->engine, PROMOTER_TRUST, b, "ana", PAIR_REQUEST, &s->f->tr));
    pair_roll_back(s, "");
    pair_answered(s, result_exit(RESULT_OF(CONFIG)), "trust.yaml");
    pair_answered(s, 0, "going back to serial 1's content as serial 3");
    pair_until(s, 3, PROMOTION_PERMANENT);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

/* What the promoter says next, once it says something. */
static uint32_t next_news(struct pair *s)
{
    struct promoter *p = s->f->engine->swap.promoter;
    while (!promoter_has_news(p))
        assert_int_equal(sem_wait(&s->news), 0);
    pthread_mutex_lock(&p->lock);
    uint32_t kind = p->first->kind;
    pthread_mutex_unlock(&p->lock);
    return kind;
}

/* A fact was lost between the promoter's last look and the adoption: nobody may miss an event. */
static void swap_edge_offer_that_missed_an_event_is_refused(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_APPROVED); /* from here on the promoter waits for nothing else */
    while (next_news(s) != PROMOTER_OFFERED)
        assert_true(pair_step(s));
    atomic_store(&s->f->engine->swap.tap->is_full, 1);
    pair_refused(s, 2, result_exit(RESULT_OF(STATE)), "at a quieter time");
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_stop(s);
    struct books *b = books_of(s->f, false);
    assert_int_equal(b->flips, 2);
    free(b);
    pair_free(s);
}

/* `two` was not promoted: what it does says nothing about the deployment. */
static void swap_edge_fault_of_another_build_takes_nothing_back(void **state)
{
    (void)state;
    const struct pair_config first = {
        .two = "plugin: tail, version: 1.2.0, params: {target_ppm: 500000, stop_ppm: 40000, "
               "bars: 8, breaks_after: 220}"};
    struct pair *s = pair_new(&first);
    pair_open(s);
    pair_bars(s, 130);
    struct pair_config more = next;
    more.two = first.two;
    pair_promote(s, &more);
    pair_until(s, 2, PROMOTION_PROBATION);
    while (!belief_has_fault(s->f->engine->plant.belief, pair_instance(s, "two").id, 1))
        assert_true(pair_step(s));
    assert_int_equal(pair_state(s, 2), PROMOTION_PROBATION);
    pair_bars(s, 10);
    assert_int_equal(pair_state(s, 2), PROMOTION_PROBATION);
    assert_int_equal(core_mode(pair_core(s), MODE_SCOPE_STRATEGY, pair_instance(s, "two").id),
                     MODE_REDUCING);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_edge_death_after_deploy_is_the_new_one_on_probation),
        cmocka_unit_test(swap_edge_death_after_the_deploy_of_a_rollback_ends_it),
        cmocka_unit_test(swap_edge_fault_while_the_commit_waits_refuses_it),
        cmocka_unit_test(swap_edge_rollback_that_the_core_refuses_can_be_asked_again),
        cmocka_unit_test(swap_edge_rollback_after_a_refused_one_is_still_the_only_one),
        cmocka_unit_test(swap_edge_rollback_asked_twice_is_answered_twice),
        cmocka_unit_test(swap_edge_rollback_waits_for_a_paper),
        cmocka_unit_test(swap_edge_offer_that_missed_an_event_is_refused),
        cmocka_unit_test(swap_edge_fault_of_another_build_takes_nothing_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
