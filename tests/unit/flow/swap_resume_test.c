/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a host that dies at any step of a promotion starts again with the old deployment or with
 * the new one, never with a mixture, and ready for the next. Method: an engine that is let go
 * without a word at each step, and another one opened on its journal; then the journal is proved by
 * books.h.
 */
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

/* What the second start goes on under; then a promotion works as ever. */
static void resume_and_promote(struct pair *s, uint64_t serial, uint32_t generation)
{
    pair_open(s);
    assert_int_equal(core_serial(pair_core(s)), serial);
    assert_int_equal(pair_instance(s, "one").generation, generation);
    assert_non_null(belief_bay(s->f->engine->plant.belief, pair_instance(s, "one").id, generation));
    pair_bars(s, 20);
    const struct pair_config more = {.one = PAIR_TAIL("1.0.0", "bars: 6")};
    pair_promote(s, &more);
    pair_until(s, serial + 1, PROMOTION_PROBATION);
    pair_stop(s);
    free(books_of(s->f, false));
}

static void swap_resume_after_every_record_of_a_promotion_is_old_or_new(void **state)
{
    (void)state;
    /* Each pass lets the engine go one event later, from the first fact to the flip and beyond. */
    for (uint32_t at = 1;; at += 7) {
        struct pair *s = running();
        pair_promote(s, &next);
        uint64_t from = core_seq(pair_core(s));
        while (core_seq(pair_core(s)) < from + at && core_serial(pair_core(s)) == 1)
            (void)pair_step(s);
        bool is_flipped = core_serial(pair_core(s)) == 2;
        bool is_sealed = s->f->engine->swap.phase == SWAP_COMMITTED;
        pair_crash(s);
        pair_open(s);
        bool is_new = core_serial(pair_core(s)) == 2;
        assert_int_equal(is_new, is_flipped || is_sealed);
        assert_int_equal(pair_instance(s, "one").generation, is_new ? 2 : 1);
        assert_int_equal(pair_state(s, 2), is_new                  ? PROMOTION_PROBATION
                                           : pair_state(s, 2) == 0 ? 0
                                                                   : PROMOTION_REFUSED);
        pair_stop(s);
        free(books_of(s->f, false));
        pair_free(s);
        if (is_flipped)
            break;
    }
}

static void swap_resume_while_hearing_is_refused_and_the_next_goes_well(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_SHADOW);
    pair_bars(s, 5);
    pair_crash(s);
    resume_and_promote(s, 1, 1);
    books_assert_moves(s->f, 1,
                       "proposed, verified, approved, shadow, canary, permanent, superseded");
    pair_free(s);
}

/* The commit is durable and DEPLOY is not there: the start brings the new one. */
static void swap_resume_after_a_durable_commit_finishes_it(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    while (s->f->engine->swap.phase != SWAP_COMMITTED)
        (void)pair_step(s);
    RIG_OK(s->f, journal_wait(s->f->engine->journal, core_seq(pair_core(s)), &s->f->tr));
    assert_int_equal(core_serial(pair_core(s)), 1);
    pair_crash(s);
    resume_and_promote(s, 2, 2);
    pair_free(s);
}

/* A probation does not end by a restart, and its way back is made ready again. */
static void swap_resume_on_probation_keeps_the_way_back(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_bars(s, 20);
    pair_crash(s);
    pair_open(s);
    struct lockstep_promotion p;
    lockstep_promotion(s->f->engine, &p);
    assert_int_equal(p.state, PROMOTION_PROBATION);
    assert_int_equal(p.before_serial, 1);
    assert_true(p.probation_until_ns > lockstep_now(s->f->engine));
    assert_non_null(belief_bay(s->f->engine->plant.belief, pair_instance(s, "one").id, 1));
    pair_bars(s, 10);
    uint64_t market = core_totals(pair_core(s))->market;
    pair_roll_back(s, "after a restart");
    pair_until(s, 3, PROMOTION_PERMANENT);
    assert_int_equal(core_totals(pair_core(s))->market, market);
    assert_int_equal(pair_instance(s, "one").generation, 1);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

static void swap_resume_after_a_rollback_runs_what_it_brought_back(void **state)
{
    (void)state;
    struct pair *s = running();
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_roll_back(s, "");
    pair_until(s, 3, PROMOTION_PERMANENT);
    pair_crash(s);
    resume_and_promote(s, 3, 1);
    pair_free(s);
}

/* A start believes the people's signatures, not the journal's word for them. */
static void swap_resume_verifies_who_signed_what_is_active(void **state)
{
    (void)state;
    for (uint32_t bad = 0; bad < 5; bad++) {
        struct pair *s = running();
        pair_promote(s, &next);
        pair_until(s, 2, PROMOTION_PROBATION);
        const struct registry_entry *e = registry_active(s->f->engine->registry);
        assert_true(e->signature_count > 0);
        struct fact_signature f = e->signature[0].fact;
        f.signature[20] ^= bad == 1 ? 1 : 0;
        f.global[20] ^= bad == 2 ? 1 : 0;
        f.comment[3] ^= bad == 3 ? 1 : 0;
        f.key_id[0] ^= bad == 4 ? 1 : 0; /* nobody's: it cannot be asked */
        RIG_OK(s->f, lockstep_say(s->f->engine, FACT_SIGNATURE, 0, &f, &s->f->tr));
        uint64_t at = core_seq(pair_core(s));
        RIG_OK(s->f, journal_wait(s->f->engine->journal, at, &s->f->tr));
        pair_crash(s);
        if (bad == 0 || bad == 4) {
            pair_open(s);
            assert_int_equal(core_serial(pair_core(s)), 2);
            pair_free(s);
            continue;
        }
        struct lockstep_options o = rig_options(s->f, FACT_RUN_PAPER);
        struct lockstep *l = NULL;
        struct result r = lockstep_open(&o, &l, &s->f->tr);
        char words[64];
        snprintf(words, sizeof words, "event %lu is no signature by %.20s ", (unsigned long)at,
                 f.person);
        assert_int_equal(r.code, RESULT_CORRUPT);
        if (strstr(trail_sentence(&s->f->tr, r), words) == NULL)
            fail_msg("%s", trail_sentence(&s->f->tr, r));
        pair_free(s);
    }
}

/* The file on the command line may be the one that the first deployment was made from. */
static void swap_resume_compares_the_given_file_with_what_runs(void **state)
{
    (void)state;
    struct pair *s = running();
    struct lockstep *l = NULL;
    pair_promote(s, &next);
    pair_until(s, 2, PROMOTION_PROBATION);
    pair_crash(s);
    struct lockstep_options o = rig_options(s->f, FACT_RUN_PAPER);
    uint8_t other[FACT_HASH_BYTES] = {9};
    o.given_sha256 = other;
    o.given_name = "other.yaml";
    struct result r = lockstep_open(&o, &l, &s->f->tr);
    assert_int_equal(r.code, RESULT_STATE);
    assert_non_null(strstr(trail_sentence(&s->f->tr, r), "another deployment (serial 2)"));
    struct deploy_doc *d = calloc(1, sizeof *d);
    assert_non_null(d);
    RIG_OK(s->f, deploy_read(s->f->config, NULL, d, &s->f->tr));
    o.given_sha256 = d->fact.sha256;
    RIG_OK(s->f, lockstep_open(&o, &s->f->engine, &s->f->tr));
    free(d);
    pair_stop(s);
    free(books_of(s->f, false));
    pair_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_resume_after_every_record_of_a_promotion_is_old_or_new),
        cmocka_unit_test(swap_resume_while_hearing_is_refused_and_the_next_goes_well),
        cmocka_unit_test(swap_resume_after_a_durable_commit_finishes_it),
        cmocka_unit_test(swap_resume_on_probation_keeps_the_way_back),
        cmocka_unit_test(swap_resume_after_a_rollback_runs_what_it_brought_back),
        cmocka_unit_test(swap_resume_verifies_who_signed_what_is_active),
        cmocka_unit_test(swap_resume_compares_the_given_file_with_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
