/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of promotions in a whole engine: two strategies on the saw-tooth of flow_rig.h.
 * `one` is promoted, with limit orders that work for a while; `two` stays as it is, with a position
 * and a stop most of the time. What is proved of a flip is read from the journal's records by
 * books.h, never from the engine.
 *
 * Time stands still while a promotion is prepared (`hold`), so that a test has the same events each
 * time it is run; while it waits it sleeps until the promoter's thread has news.
 */
#ifndef PAIR_H
#define PAIR_H
#include <semaphore.h>
#include "tests/unit/flow/flow_rig.h"

enum { PAIR_BARS = 600, PAIR_TURNS = 200000, PAIR_REQUEST = 7 };

struct pair {
    struct flow_rig *f;
    sem_t news;
    bool runs_free; /* no hold: the engine goes on while the promoter works */
    bool is_new;    /* not opened yet */
    struct lockstep_answer answer;
};

/* The document's parts that tests change; NULL takes what is good. */
struct pair_config {
    const char *first; /* instances that stand before the two, whole lines */
    const char *one;   /* "plugin: tail, version: 1.0.0, ..." */
    const char *due;   /* of `one`, "0s" */
    const char *more;  /* further instances, whole lines */
    const char *two;
    const char *swap;   /* "{hear: 20m, probation: 2h}" */
    const char *routes; /* all of them */
    const char *limits; /* of all */
    const char *rest;   /* further keys */
};
#define PAIR_TAIL(version, params)                                                                 \
    "plugin: tail, version: " version                                                              \
    ", params: {target_ppm: 500000, stop_ppm: 40000, limit_ppm: "                                  \
    "100, " params "}"
#define PAIR_ONE PAIR_TAIL("1.0.0", "bars: 5")
#define PAIR_TWO                                                                                   \
    "plugin: tail, version: 1.0.0, params: {target_ppm: 500000, stop_ppm: 40000, bars: 8}"
#define PAIR_ROUTE(name)                                                                           \
    "  - {strategy: " name ", instrument: COIN, account: paper, env: paper, budget: \"20000\"}\n"

static inline void pair_write(const char *path, const struct pair_config *c)
{
    static char text[8192];
    int n = snprintf(
        text, sizeof text,
        "schema: 1\nhost: lab\nserial: 0\nseed: 7\nswap: %s\ncurrencies:\n  USD: {exponent: -8}\n"
        "accounts:\n  paper:\n    currency: USD\n    balance: \"100000\"\n    simulated: true\n"
        "    venue: {profile: plain, latency_ms: 20, maker_fee_bps: 1, taker_fee_bps: 5,\n"
        "            volume_part_pct: 0.05}\n"
        "instruments:\n  COIN:\n    contract: linear\n    price_exponent: -2\n"
        "    qty_exponent: -4\n    tick: 0.01\n    lot: 0.0001\n    multiplier: 1\n"
        "    settle: USD\n    bar: 1m\n    stamp: end\n    session: always\n"
        "    degraded_after: 5m\n    down_after: 30m\ninstances:\n%s"
        "  one: {%s, instrument: COIN, bar: 1m, due: %s}\n"
        "  two: {%s, instrument: COIN, bar: 1m, due: 0s}\n%sroutes:\n%s"
        "limits:\n  all: {max_order_qty: 1000, max_position_qty: 1000, max_order_value: "
        "\"40000\", price_collar_pct: 5, max_exposure_pct: 50, max_leverage_x: 2, "
        "max_open_orders: 10, max_messages_per_s: 20}\n%s%s",
        c->swap ? c->swap : "{hear: 20m, probation: 2h}", c->first ? c->first : "",
        c->one ? c->one : PAIR_ONE, c->due ? c->due : "0s", c->two ? c->two : PAIR_TWO,
        c->more ? c->more : "", c->routes ? c->routes : PAIR_ROUTE("one") PAIR_ROUTE("two"),
        c->limits ? c->limits : "", c->rest ? c->rest : "");
    assert_true(n > 0 && n < (int)sizeof text);
    rig_write(path, text);
}

static inline struct pair *pair_new(const struct pair_config *c)
{
    static const struct pair_config good;
    struct pair *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->f = rig_new(NULL, PAIR_BARS);
    s->f->plugins = TENON_BINARY_DIR "/swap";
    s->is_new = true;
    pair_write(s->f->config, c ? c : &good);
    assert_int_equal(sem_init(&s->news, 0, 0), 0);
    return s;
}

static inline void pair_free(struct pair *s)
{
    rig_free(s->f);
    sem_destroy(&s->news);
    free(s);
}

static inline void pair_wake(void *arg)
{
    struct pair *s = arg;
    sem_post(&s->news);
}

static inline void pair_auto_on(struct pair *s)
{
    const struct fact_auto on = {.on = 1, .by = "test"};
    RIG_OK(s->f, lockstep_command(s->f->engine, FACT_AUTO, &on, &s->f->tr));
}

static inline void pair_open(struct pair *s)
{
    struct lockstep_options o = rig_options(s->f, FACT_RUN_PAPER);
    o.hold = !s->runs_free;
    o.wake = pair_wake;
    o.wake_arg = s;
    RIG_OK(s->f, lockstep_open(&o, &s->f->engine, &s->f->tr));
    pair_auto_on(s);
    s->is_new = false;
}

/* The process is gone: nothing is stopped in order, the journal holds what it holds. */
static inline void pair_crash(struct pair *s)
{
    lockstep_free(s->f->engine);
    s->f->engine = NULL;
}

static inline const struct core *pair_core(const struct pair *s)
{
    return lockstep_core(s->f->engine);
}

/* One turn; sleeps when only the promoter's news can bring it on. False at the end. */
static inline bool pair_step(struct pair *s)
{
    struct result r = lockstep_turn(s->f->engine, &s->f->tr);
    if (r.code == RESULT_AGAIN)
        assert_int_equal(sem_wait(&s->news), 0);
    else if (!is_ok(r) && r.code != RESULT_END)
        fail_msg("%s", trail_sentence(&s->f->tr, r));
    return r.code != RESULT_END;
}

/* So many bars more, or all that are left. */
static inline void pair_bars(struct pair *s, uint64_t count)
{
    const struct core_totals *t = core_totals(pair_core(s));
    uint64_t upto = t->market + count;
    for (uint32_t i = 0; i < PAIR_TURNS && t->market < upto && pair_step(s); i++)
        continue;
}

static inline void pair_stop(struct pair *s)
{
    pair_bars(s, PAIR_BARS);
    while (pair_step(s))
        continue;
    rig_stop(s->f);
}

/* ---- promoting ---- */

static inline struct bundle *pair_sign(struct pair *s, const struct pair_config *c)
{
    char path[128];
    struct lockstep_promotion p;
    lockstep_promotion(s->f->engine, &p);
    snprintf(path, sizeof path, "%s/next.yaml", s->f->dir);
    pair_write(path, c);
    return rig_sign(s->f, path, p.serial + 1, p.sha256);
}

static inline void pair_hand_over(struct pair *s, struct bundle *b)
{
    while (lockstep_take_answer(s->f->engine, &s->answer)) /* nobody waits for the older ones */
        continue;
    RIG_OK(s->f, lockstep_hand_over(s->f->engine, PROMOTER_DEPLOYMENT, b, "ana", PAIR_REQUEST,
                                    &s->f->tr));
}

static inline void pair_promote(struct pair *s, const struct pair_config *c)
{
    pair_hand_over(s, pair_sign(s, c));
}

static inline void pair_roll_back(struct pair *s, const char *reason)
{
    RIG_OK(s->f, lockstep_rollback(s->f->engine, "bo", reason, PAIR_REQUEST, &s->f->tr));
}

static inline uint32_t pair_state(const struct pair *s, uint64_t serial)
{
    const struct registry *r = s->f->engine->registry;
    for (uint32_t i = registry_count(r); i-- > 0;) {
        if (registry_entry(r, i)->serial == serial)
            return registry_entry(r, i)->state;
    }
    return PROMOTION_UNSET;
}

/* Turns until the newest document of this serial is in this state. */
static inline void pair_until(struct pair *s, uint64_t serial, uint32_t state)
{
    for (uint32_t i = 0; i < PAIR_TURNS && pair_state(s, serial) != state; i++) {
        if (!pair_step(s))
            break;
    }
    if (pair_state(s, serial) != state)
        fail_msg("serial %lu is %s, not %s", (unsigned long)serial,
                 promotion_state_name(pair_state(s, serial)), promotion_state_name(state));
}

/* The answer that the person got: its exit code, and words in it. */
static inline void pair_answered(struct pair *s, int exit, const char *words)
{
    for (uint32_t i = 0; i < PAIR_TURNS && !lockstep_take_answer(s->f->engine, &s->answer); i++) {
        if (!pair_step(s))
            fail_msg("the run ended without an answer");
    }
    assert_int_equal(s->answer.request, PAIR_REQUEST);
    if (s->answer.exit != exit || strstr(s->answer.text, words) == NULL)
        fail_msg("wanted exit %d and '%s', got %d: %s", exit, words, s->answer.exit,
                 s->answer.text);
}

static inline void pair_refused(struct pair *s, uint64_t serial, int exit, const char *words)
{
    pair_answered(s, exit, words);
    pair_until(s, serial, PROMOTION_REFUSED);
    assert_int_equal(core_serial(pair_core(s)), s->f->engine->doc->fact.serial);
}

static inline struct core_instance_view pair_instance(const struct pair *s, const char *name)
{
    struct core_instance_view v;
    for (uint32_t i = 0; core_instance(pair_core(s), i, &v); i++) {
        if (strcmp(v.name, name) == 0)
            return v;
    }
    fail_msg("no instance %s", name);
    return v;
}
#endif
