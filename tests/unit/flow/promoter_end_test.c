/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: an ask may end at any moment, by the engine or with the host, and then there is one REFUSED
 * or nothing, what was staged is dropped, every bay is stopped once and all memory is given back
 * (ASan and tsan judge that). Method: the laboratory of promoter_rig.h, whose engine stops at each
 * step in turn.
 */
#include "tests/unit/flow/promoter_rig.h"

static const struct lab_instance TAIL_1[] = {{"main", "tail", "1.0.0", "bars: 20", NULL}};
static const struct lab_instance TAIL_2[] = {{"main", "tail", "1.1.0", "bars: 20", NULL}};
static const struct lab_instance MEMO_1[] = {{"main", "memo", "1.0.0", "", NULL}};
static const struct lab_instance MEMO_2[] = {{"main", "memo", "2.0.0", "", NULL}};

static struct lab *asked(const struct lab_instance *old, const struct lab_instance *next)
{
    struct lab *l = lab_new(old, 1);
    lab_bars(l, 60);
    lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, next, 1, NULL));
    return l;
}

#define SAID_SIGNED "proposed TEXT SIGNATURE SIGNATURE SIGNATURE"

static void promoter_abandoned_before_it_listens_is_refused_once(void **state)
{
    (void)state;
    struct lab *l = asked(TAIL_1, TAIL_2);
    assert_int_equal(lab_next(l), PROMOTER_LISTEN);
    promoter_abandon(l->promoter, PROMOTION_WHY_MODE, "the host was killed");
    promoter_abandon(l->promoter, PROMOTION_WHY_OVERTAKEN, "and again");
    lab_refused(l, RESULT_STATE, PROMOTION_WHY_MODE, "the host was killed");
    assert_string_equal(lab_facts(l), SAID_SIGNED " refused");
    promoter_abandon(l->promoter, PROMOTION_WHY_MODE, "nothing is on its way");
    assert_false(promoter_has_news(l->promoter));
    /* The next one is not hit by it. */
    lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, TAIL_2, 1, NULL));
    assert_int_equal(lab_run(l), PROMOTER_OFFERED);
    promoter_offer_free(l->news.offer);
    lab_free(l);
}

/* Abandoned when it already listens; the answer to LISTEN comes too late for anybody. */
static void promoter_abandoned_while_it_waits_leaves_no_state(void **state)
{
    (void)state;
    struct lab *l = asked(MEMO_1, MEMO_2);
    assert_int_equal(lab_next(l), PROMOTER_LISTEN);
    assert_int_equal(l->news.state_count, 1);
    assert_int_equal(l->news.state[0].strategy, 1);
    assert_int_equal(l->news.state[0].generation, 1);
    assert_int_equal(l->news.state[0].node, 0);
    promoter_abandon(l->promoter, PROMOTION_WHY_OVERTAKEN, "a newer one came");
    lab_listen(l, &l->news);
    lab_refused(l, RESULT_STATE, PROMOTION_WHY_OVERTAKEN, "a newer one came");
    lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, MEMO_2, 1, NULL));
    assert_int_equal(lab_run(l), PROMOTER_OFFERED);
    assert_int_equal(l->news.offer->warm.seat[0].how, WARM_STATE);
    promoter_offer_free(l->news.offer);
    lab_free(l);
}

/* Numbers facts until one of this kind is numbered. */
static void number_until(struct lab *l, uint16_t type)
{
    do {
        pthread_mutex_lock(&l->lock);
        while (!promoter_has_news(l->promoter))
            pthread_cond_wait(&l->woken, &l->lock);
        pthread_mutex_unlock(&l->lock);
        if (!promoter_take(l->promoter, &l->news))
            continue;
        assert_int_equal(l->news.kind, PROMOTER_FACT);
        l->fact[l->fact_count++] = l->news.fact;
    } while (l->fact_count == 0 || l->fact[l->fact_count - 1].head.type != type);
}

static void promoter_abandoned_when_staged_drops_what_was_staged(void **state)
{
    (void)state;
    struct lab *l = asked(TAIL_1, TAIL_2);
    assert_int_equal(lab_next(l), PROMOTER_LISTEN);
    lab_listen(l, &l->news);
    number_until(l, FACT_INSTANCE); /* LIMIT rows still lie there */
    promoter_abandon(l->promoter, PROMOTION_WHY_MODE, "the host was killed");
    lab_refused(l, RESULT_STATE, PROMOTION_WHY_MODE, "the host was killed");
    assert_string_equal(lab_facts(l),
                        SAID_SIGNED " verified approved BEGIN INSTANCE LIMIT DROP refused");
    assert_int_equal(lab_fact(l, FACT_PROMOTION, 3)->u.fact_promotion.from, PROMOTION_APPROVED);
    lab_free(l);
}

/* The offer lies there, not taken: it is taken back, and its bays are stopped. */
static void promoter_abandoned_offer_is_taken_back(void **state)
{
    (void)state;
    struct lab *l = asked(TAIL_1, TAIL_2);
    assert_int_equal(lab_next(l), PROMOTER_LISTEN);
    lab_listen(l, &l->news);
    number_until(l, FACT_STAGE);
    while (l->fact_count < 64) {
        pthread_mutex_lock(&l->lock);
        while (!promoter_has_news(l->promoter))
            pthread_cond_wait(&l->woken, &l->lock);
        pthread_mutex_unlock(&l->lock);
        if (l->fact[l->fact_count - 1].head.type == FACT_LIMIT &&
            lab_fact(l, FACT_LIMIT, l->doc.limit_count - 1) != NULL)
            break; /* every row is numbered: the next news is the offer */
        assert_true(promoter_take(l->promoter, &l->news));
        l->fact[l->fact_count++] = l->news.fact;
    }
    assert_true(promoter_is_busy(l->promoter));
    promoter_abandon(l->promoter, PROMOTION_WHY_OVERTAKEN, "a newer one came");
    lab_refused(l, RESULT_STATE, PROMOTION_WHY_OVERTAKEN, "a newer one came");
    assert_string_equal(lab_facts(l),
                        SAID_SIGNED " verified approved BEGIN INSTANCE LIMIT DROP refused");
    lab_free(l);
}

/* Closed at each step: nothing is said any more, nothing leaks, nothing hangs. */
static void promoter_closes_at_any_moment(void **state)
{
    (void)state;
    for (uint32_t step = 0; step < 7; step++) {
        struct lab *l = lab_new(MEMO_1, 1);
        lab_bars(l, 60);
        if (step > 0)
            lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, MEMO_2, 1, NULL));
        if (step > 1)
            assert_int_equal(lab_next(l), PROMOTER_LISTEN);
        if (step > 2)
            lab_listen(l, &l->news);
        if (step == 4)
            number_until(l, FACT_STAGE);
        if (step > 4) {
            assert_int_equal(lab_next(l), PROMOTER_OFFERED);
            if (step == 5) { /* taken, and its bays given back */
                for (uint32_t i = 0; i < l->news.offer->part.bay_count; i++)
                    promoter_retire(l->promoter, l->news.offer->part.bay[i]);
                l->news.offer->part.bay_count = 0;
            }
            promoter_offer_free(l->news.offer);
        }
        lab_free(l);
    }
}

/* ---- retiring ---- */

struct stopping_bay {
    struct bay bay; /* first */
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    pthread_t by;
    uint32_t stops;
};

static void on_stop(struct bay *b)
{
    struct stopping_bay *s = (struct stopping_bay *)(void *)b;
    pthread_mutex_lock(&s->lock);
    s->by = pthread_self();
    s->stops++;
    pthread_cond_broadcast(&s->stopped);
    pthread_mutex_unlock(&s->lock);
}

static const struct bay_ops stopping_ops = {.name = "stopping", .stop = on_stop};

static void stopping_init(struct stopping_bay *s)
{
    memset(s, 0, sizeof *s);
    s->bay.ops = &stopping_ops;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->stopped, NULL);
}

static void await_stop(struct stopping_bay *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->stops == 0)
        pthread_cond_wait(&s->stopped, &s->lock);
    assert_int_equal(s->stops, 1);
    assert_false(pthread_equal(s->by, pthread_self()));
    pthread_mutex_unlock(&s->lock);
}

/* While it idles, and while it waits for the engine in the middle of an ask. */
static void promoter_stops_retired_bays_on_its_own_thread(void **state)
{
    (void)state;
    struct stopping_bay s[3];
    for (uint32_t i = 0; i < 3; i++)
        stopping_init(&s[i]);
    struct lab *l = lab_new(TAIL_1, 1);
    lab_bars(l, 60);
    promoter_retire(l->promoter, &s[0].bay);
    await_stop(&s[0]);
    lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, TAIL_2, 1, NULL));
    assert_int_equal(lab_next(l), PROMOTER_LISTEN);
    promoter_retire(l->promoter, &s[1].bay);
    await_stop(&s[1]);
    lab_listen(l, &l->news);
    assert_int_equal(lab_next(l), PROMOTER_OFFERED);
    belief_listen(l->plant.belief, NULL);
    promoter_offer_free(l->news.offer);
    promoter_retire(l->promoter, &s[2].bay); /* at the latest when it is closed */
    lab_free(l);
    await_stop(&s[2]);
}

/* ---- what goes wrong meanwhile ---- */

static void promoter_refuses_when_the_market_outran_it(void **state)
{
    (void)state;
    struct lab *l = asked(TAIL_1, TAIL_2);
    const struct fact_tick tick = {.why = 8};
    assert_int_equal(lab_next(l), PROMOTER_LISTEN);
    struct promoter_listening *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->tap = l->tap;
    g->from_seq = l->seq;
    tap_reset(l->tap, l->seq);
    for (uint32_t i = 0; i <= TAP_FACTS_MAX; i++) {
        const struct fact_head head = {
            .type = FACT_TICK, .bytes = sizeof tick, .seq = l->seq + 1 + i, .t_ns = l->t_ns};
        tap_put(l->tap, &head, &tick);
    }
    LAB_OK(l, journal_wait(l->journal, l->seq, &l->tr));
    promoter_listening(l->promoter, g);
    promoter_durable(l->promoter, l->seq);
    lab_refused(l, RESULT_FULL, PROMOTION_WHY_CHECK,
                "the market gave more than 65536 events while it was prepared");
    lab_free(l);
}

static void promoter_refuses_when_the_state_cannot_be_had(void **state)
{
    (void)state;
    struct lab *l = asked(MEMO_1, MEMO_2);
    assert_int_equal(lab_next(l), PROMOTER_LISTEN);
    struct promoter_listening *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->tap = l->tap;
    g->from_seq = l->seq;
    g->state_count = 1;
    g->state[0].strategy = 1;
    snprintf(g->state[0].text, sizeof g->state[0].text, "it is quarantined");
    tap_reset(l->tap, l->seq);
    LAB_OK(l, journal_wait(l->journal, l->seq, &l->tr));
    promoter_listening(l->promoter, g);
    promoter_durable(l->promoter, l->seq);
    lab_refused(l, RESULT_STATE, PROMOTION_WHY_STATE,
                "strategy main: the running build's state was not to be had: it is quarantined");
    lab_free(l);
}

/* One bit of the saved state is another: the host's header finds it, the plugin never sees it. */
static void promoter_refuses_a_damaged_state(void **state)
{
    (void)state;
    struct lab *l = asked(MEMO_1, MEMO_2);
    assert_int_equal(lab_next(l), PROMOTER_LISTEN);
    struct promoter_listening *g = calloc(1, sizeof *g);
    assert_non_null(g);
    struct bay *b = belief_bay(l->plant.belief, 1, 1);
    g->tap = l->tap;
    g->from_seq = l->seq;
    g->state_count = 1;
    g->state[0].strategy = 1;
    LAB_OK(l, b->ops->save(b, 0, l->seq, &g->state[0].bytes, &g->state[0].count, &l->tr));
    ((uint8_t *)g->state[0].bytes)[g->state[0].count - 1] ^= 1;
    tap_reset(l->tap, l->seq);
    LAB_OK(l, journal_wait(l->journal, l->seq, &l->tr));
    promoter_listening(l->promoter, g);
    promoter_durable(l->promoter, l->seq);
    lab_refused(l, RESULT_CORRUPT, PROMOTION_WHY_CHECK, "does not match its SHA-256");
    lab_free(l);
}

/* A new build that breaks only when the stream goes on: found in the tap, before it is offered. */
static void promoter_refuses_a_build_that_breaks_in_the_tap(void **state)
{
    (void)state;
    static const struct lab_instance next[] = {
        {"main", "tail", "1.0.0", "bars: 20", NULL},
        {"bad", "broken_str", "1.0.0", "mode: 1, at: 80", TENON_BINARY_DIR "/abi"}};
    struct lab *l = lab_new(TAIL_1, 1);
    lab_bars(l, 60);
    l->bars_after_listen = 30;
    lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, next, 2, NULL));
    lab_refused(l, RESULT_PLUGIN, PROMOTION_WHY_FAULT, "instance bad (broken_str 1.0.0): broke");
    assert_int_equal(belief_count(l->plant.belief), 1);
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promoter_abandoned_before_it_listens_is_refused_once),
        cmocka_unit_test(promoter_abandoned_while_it_waits_leaves_no_state),
        cmocka_unit_test(promoter_abandoned_when_staged_drops_what_was_staged),
        cmocka_unit_test(promoter_abandoned_offer_is_taken_back),
        cmocka_unit_test(promoter_closes_at_any_moment),
        cmocka_unit_test(promoter_stops_retired_bays_on_its_own_thread),
        cmocka_unit_test(promoter_refuses_when_the_market_outran_it),
        cmocka_unit_test(promoter_refuses_when_the_state_cannot_be_had),
        cmocka_unit_test(promoter_refuses_a_damaged_state),
        cmocka_unit_test(promoter_refuses_a_build_that_breaks_in_the_tap),
    };
    return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
