/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a restored core is the same core, and damaged bytes are refused by a result, never by a
 * crash. Method: random walks; at random points the state goes through a snapshot into a fresh
 * core, both get the rest of the walk, and effects and later snapshots are compared byte for byte.
 * Then one real snapshot is cut at every length, every bit of its first part and a sample of the
 * rest is flipped, its counts are set to large values: each is refused with a sentence, or
 * restored into a core whose own snapshot is those very bytes and which steps on, through the
 * DEPLOY of what is staged in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_stage.h"
#include "tests/lib/core_walk.h"

/* Small tables: rows are reused and rings run over within a walk. */
static const struct core_limits small = {.orders = 24,
                                         .fills = 32,
                                         .limits = 64,
                                         .instances = 4,
                                         .accounts = 2,
                                         .instruments = 3,
                                         .currencies = 4};

static void *snapshot_of(const struct core *c, size_t *bytes)
{
    *bytes = core_snapshot_bytes(c);
    uint8_t *out = malloc(*bytes); /* exactly: one byte more would be an error of memory */
    assert_non_null(out);
    assert_int_equal(core_snapshot(c, out, *bytes), *bytes);
    return out;
}

static void copy(struct core_rig *to, const struct core_rig *from)
{
    size_t bytes;
    void *snap = snapshot_of(from->core, &bytes);
    struct trail tr = {0};
    rig_open_bare(to, &small);
    struct result res = core_restore(to->core, snap, bytes, &tr);
    if (!is_ok(res))
        fail_msg("%s", trail_sentence(&tr, res));
    to->seq = from->seq;
    to->t_ns = from->t_ns;
    to->trade_id = from->trade_id;
    free(snap);
}

static void same_state(const struct core_rig *a, const struct core_rig *b)
{
    size_t n, k;
    void *x = snapshot_of(a->core, &n), *y = snapshot_of(b->core, &k);
    assert_int_equal(n, k);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static void same_effects(const struct core_rig *a, const struct core_rig *b, uint64_t seed)
{
    if (a->out.used != b->out.used || memcmp(a->out.bytes, b->out.bytes, a->out.used) != 0)
        fail_msg("seed %llu: effects of event %llu differ", (unsigned long long)seed,
                 (unsigned long long)a->seq);
}

static void snap_restored_core_goes_on_identically(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct core_rig a, b;
        struct walk w, z;
        rig_open_sized(&a, &small);
        walk_open(&w, &a, seed * 1000003ull);
        walk_configure(&w);
        copy(&b, &a);
        z = w;
        z.rig = &b;
        for (int i = 0; i < 3000; i++) {
            struct fact_view v;
            walk_next(&w, &v);
            walk_step(&w, &v);
            walk_step(&z, &v);
            same_effects(&a, &b, seed);
            if (walk_draw(&w, 250) != 0)
                continue;
            same_state(&a, &b);
            rig_close(&b); /* again, from where it now is */
            copy(&b, &a);
            same_state(&a, &b);
        }
        assert_true(core_totals(a.core)->fills > 32 && core_totals(a.core)->orders > 24);
        rig_close(&a);
        rig_close(&b);
    }
}

enum { STAGED_SERIAL = 3 };

/* Two deployments before it, a request that was used, and a committed stage with every row. */
static void stage_everything(struct core_rig *r)
{
    for (uint32_t serial = 1; serial < STAGED_SERIAL; serial++) {
        struct fact_rate eur = {.from = RIG_USD, .to = RIG_EUR, .exp = -4, .rate = 9173};
        stage_begin(r, serial);
        stage_instance(r, RIG_S1 + serial - 1, serial, 0);
        stage_limits(r);
        stage_row(r, FACT_RATE, &eur);
        assert_true(stage_flip(r, serial));
    }
    struct fact_request request = {
        .sha256 = {7}, .scope = MODE_SCOPE_GLOBAL, .mode = MODE_ACTIVE, .people = 2};
    rig_step(r, FACT_REQUEST, &request);
    stage_begin_until(r, STAGED_SERIAL, r->t_ns + 5 * RIG_S);
    struct fact_currency jpy = {.id = 3, .exp = -4, .name = "JPY"};
    stage_row(r, FACT_CURRENCY, &jpy);
    struct fact_instrument third = r->core->market[RIG_BTC].def;
    third.id = third.settle = 3;
    stage_row(r, FACT_INSTRUMENT, &third);
    struct fact_account two = r->core->account[2].def;
    stage_row(r, FACT_ACCOUNT, &two);
    stage_instance(r, RIG_S2, STAGED_SERIAL, 0);
    stage_instance(r, 3, STAGED_SERIAL, FACT_COLD);
    stage_route(r, 3, RIG_BTC, 5000);
    stage_route(r, RIG_S2, RIG_BTC, 7000);
    stage_remove(r, RIG_S1, 0, FACT_ON_REMOVE_FLATTEN, 0);
    stage_limits(r);
    struct fact_rate rate = {.from = 3, .to = RIG_USD, .exp = -4, .rate = 67};
    stage_row(r, FACT_RATE, &rate);
    stage_commit(r, STAGED_SERIAL);
    assert_int_equal(r->out.count, 0);
}

/* A state with everything in it: positions, working, unknown and ended orders, stop, flatten. */
static void *rich(struct core_rig *r, size_t *bytes)
{
    struct walk w;
    rig_open_sized(r, &small);
    walk_open(&w, r, 99991);
    w.kill_ppm = 0;
    walk_configure(&w);
    uint32_t live = 0, stops = 0, held = 0;
    for (int i = 0; i < 5000 && !(i > 900 && live > 2 && stops > 0 && held > 2); i++) {
        struct fact_view v;
        walk_next(&w, &v);
        walk_step(&w, &v);
        live = r->core->live_count;
        stops = held = 0;
        for (uint32_t b = 1; b < r->core->book_count; b++) {
            stops += r->core->book[b].stop_price != 0;
            held += r->core->book[b].qty != 0;
        }
    }
    assert_true(live > 2 && stops > 0 && held > 2);
    assert_true(r->core->order_pool.in_use > live);
    stage_everything(r);
    return snapshot_of(r->core, bytes);
}

static uint32_t refused, taken, deployed;

static bool stage_try_deploy(struct core_rig *x)
{
    stage_deploy(x, STAGED_SERIAL);
    return rig_count(x, FACT_FLIPPED) > 0;
}

/* Refused with a sentence, or really a state: the same bytes again, and able to go on. */
static void try_bytes(const void *bytes, size_t count)
{
    static struct core_rig x;
    uint8_t *exact = malloc(count ? count : 1);
    struct trail tr = {0};
    assert_non_null(exact);
    memcpy(exact, bytes, count);
    rig_open_bare(&x, &small);
    struct result r = core_restore(x.core, exact, count, &tr);
    if (!is_ok(r)) {
        assert_true(r.code == RESULT_CORRUPT || r.code == RESULT_VERSION);
        assert_true(tr.count > 0 && strlen(tr.frame[0].text) > 20);
        refused++;
    } else {
        size_t n;
        void *again = snapshot_of(x.core, &n);
        assert_int_equal(n, count);
        memcpy(exact + 8, (const uint8_t *)again + 8, 4); /* whose logic: the writer's own */
        assert_memory_equal(again, exact, n);
        free(again);
        x.seq = core_seq(x.core);
        x.t_ns = core_now(x.core);
        rig_tick(&x, x.t_ns + RIG_S);
        rig_quote(&x, RIG_BTC, 999000, 1001000);
        rig_signal(&x, TN_SHORT, 700000);
        deployed += stage_try_deploy(&x);
        rig_quote(&x, RIG_BTC, 998000, 1000000);
        rig_mode(&x, MODE_SCOPE_GLOBAL, 0, MODE_KILLED);
        core_check(x.core);
        taken++;
    }
    rig_close(&x);
    free(exact);
}

static void snap_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct core_rig r;
    size_t n;
    uint8_t *bytes = rich(&r, &n);
    refused = taken = 0;
    for (size_t cut = 0; cut < n; cut += cut < 400 ? 1 : 37)
        try_bytes(bytes, cut);
    assert_int_equal(taken, 0);
    uint8_t *longer = calloc(1, n + 8);
    memcpy(longer, bytes, n);
    try_bytes(longer, n + 1);
    try_bytes(longer, n + 8);
    assert_int_equal(taken, 0);
    try_bytes(bytes, n);
    assert_int_equal(taken, 1);
    print_message("%zu bytes, %u cuts refused\n", n, refused);
    free(longer);
    free(bytes);
    rig_close(&r);
}

static void snap_flipped_bits_never_crash(void **state)
{
    (void)state;
    struct core_rig r;
    size_t n;
    uint8_t *bytes = rich(&r, &n);
    const uint64_t seed = 31337;
    uint64_t s = seed;
    refused = taken = deployed = 0;
    for (size_t i = 0; i < n; i++) {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        if (i > 300 && s % 3 != 0)
            continue;
        uint8_t keep = bytes[i];
        bytes[i] ^= (uint8_t)(1u << (s >> 8) % 8);
        try_bytes(bytes, n);
        bytes[i] = keep ^ 0x80; /* signs and high bytes: the wildest figures */
        if (s % 2)
            try_bytes(bytes, n);
        bytes[i] = keep;
    }
    print_message("seed %llu: %u refused, %u taken, %u of these deployed\n",
                  (unsigned long long)seed, refused, taken, deployed);
    assert_true(refused > 100 && taken > 100 && deployed > 100);
    free(bytes);
    rig_close(&r);
}

static void snap_words_of_extremes_never_crash(void **state)
{
    (void)state;
    static const uint64_t extreme[] = {0, 1, UINT32_MAX, INT64_MAX, UINT64_MAX, 1ull << 63};
    struct core_rig r;
    size_t n;
    uint8_t *bytes = rich(&r, &n);
    refused = taken = 0;
    for (size_t i = 0; i + 8 <= n; i += 4) {
        uint64_t keep;
        memcpy(&keep, bytes + i, 8);
        size_t wide = i % 8 == 0 ? 8 : 4;
        memcpy(bytes + i, &extreme[i / 4 % 6], wide);
        try_bytes(bytes, n);
        memcpy(bytes + i, &keep, 8);
    }
    print_message("%u refused, %u taken\n", refused, taken);
    assert_true(refused > 100);
    free(bytes);
    rig_close(&r);
}

/* One figure or index made impossible in a real state: refused, each by itself. */
#define REFUSED(member, value)                                                                     \
    do {                                                                                           \
        __typeof__(member) keep = (member);                                                        \
        (member) = (__typeof__(member))(value);                                                    \
        bytes = snapshot_of(r.core, &n);                                                           \
        refused = 0;                                                                               \
        try_bytes(bytes, n);                                                                       \
        if (refused != 1)                                                                          \
            fail_msg("%s = %s was taken", #member, #value);                                        \
        (member) = keep;                                                                           \
        free(bytes);                                                                               \
    } while (0)

static void snap_impossible_rows_are_refused(void **state)
{
    (void)state;
    struct core_rig r;
    size_t n;
    uint8_t *bytes = rich(&r, &n);
    free(bytes);
    struct core *c = r.core;
    struct order_row *o = NULL; /* an ended one: no sum or list would show it */
    for (uint32_t i = c->oldest; i != CORE_NONE; i = c->order[i].newer)
        o = is_terminal(c->order[i].state) ? &c->order[i] : o;
    assert_non_null(o);
    struct book_row *b = book_find(c, RIG_S1, RIG_BTC);
    struct market_row *m = &c->market[RIG_BTC];
    REFUSED(o->book, 0);
    REFUSED(o->book, c->book_count);
    REFUSED(o->side, 3);
    REFUSED(o->state, ORDER_STATE_END);
    REFUSED(o->qty, 0);
    REFUSED(o->cum, -1);
    REFUSED(o->id, c->seq << 11);
    REFUSED(o->created_ns, c->now_ns + 1);
    REFUSED(o->price, -1);
    REFUSED(o->used, 2);
    REFUSED(b->strategy, 4);
    REFUSED(b->instrument, 3);
    REFUSED(b->account, 9);
    REFUSED(b->qty, CORE_QTY_MAX + 1);
    REFUSED(b->target, INT64_MIN);
    REFUSED(b->stop_price, -1);
    REFUSED(b->limit_offset, INT64_MAX);
    REFUSED(b->flatten_origin, FACT_ORIGIN_SIGNAL);
    REFUSED(b->last_ns, -1);
    REFUSED(b->cost, -1);
    REFUSED(b->live_orders, b->live_orders + 1);
    REFUSED(b->work_buy, b->work_buy + 1);
    REFUSED(b->kill_flat, 2);
    REFUSED(m->def.id, 2);
    REFUSED(m->def.settle, 4);
    REFUSED(m->mark, CORE_PRICE_MAX + 1);
    REFUSED(m->data_ns, c->now_ns + 1);
    REFUSED(m->health, 4);
    REFUSED(m->good_count, 21);
    REFUSED(m->session_open, 2);
    REFUSED(c->account[1].def.currency, 9);
    REFUSED(c->account[1].mode, 0);
    REFUSED(c->account[1].def.id, 0);
    REFUSED(c->instance[1].mode, MODE_END);
    REFUSED(c->instance[1].live_orders, 77);
    REFUSED(c->instance[1].duplicate_ns[1], INT64_MAX);
    REFUSED(c->currency[2].exp, 13);
    REFUSED(c->currency[2].id, 1);
    REFUSED(c->limit[0].rule, RISK_RULE_END);
    REFUSED(c->rate[0].to, 9);
    REFUSED(c->mode, MODE_UNSET);
    REFUSED(c->now_ns, INT64_MAX);
    REFUSED(c->seq, UINT64_MAX);
    REFUSED(c->clock_skew_ns, INT64_MIN);
    REFUSED(c->fill[1].key, c->fill[0].key);
    rig_close(&r);
}

static void snap_impossible_deployments_are_refused(void **state)
{
    (void)state;
    struct core_rig r;
    size_t n;
    uint8_t *bytes = rich(&r, &n);
    free(bytes);
    struct core *c = r.core;
    struct book_row *b = book_find(c, RIG_S1, RIG_BTC);
    REFUSED(b->is_leaving, 1); /* with a budget */
    REFUSED(b->flatten_origin, FACT_ORIGIN_REMOVE + 1);
    REFUSED(c->run_until_ns, -1);
    REFUSED(c->instance[1].is_removed, 2);
    REFUSED(c->instance[1].mode_why, FACT_WHY_REMOVED + 1);
    REFUSED(c->instance[1].reign[0].since_seq, c->seq + 1);
    REFUSED(c->instance[1].reign[1].since_seq, c->instance[1].reign[0].since_seq);
    REFUSED(c->instance[1].reign[0].generation, UINT32_MAX + 1ull);
    REFUSED(c->staged.is_open, 0);
    REFUSED(c->staged.is_broken, 1);
    REFUSED(c->staged.is_committed, 2);
    REFUSED(c->staged.run_until_ns, -1);
    REFUSED(c->staged.currency_count, 0); /* the instrument settles in it */
    REFUSED(c->staged.instance_count, 1); /* the route is of the other one */
    REFUSED(c->staged.limit_count, c->staged.limit_count + 1);
    REFUSED(c->staged_currency[0].exp, 13);
    REFUSED(c->staged_instrument[0].id, 2);
    REFUSED(c->staged_account[0].currency, 9);
    REFUSED(c->staged_instance[1].def.id, 1);
    REFUSED(c->staged_instance[1].generation, 0);
    REFUSED(c->staged_route[1].account, 2); /* it has one already */
    REFUSED(c->staged_route[0].strategy, UINT32_MAX);
    REFUSED(c->staged_remove[0].strategy, RIG_S2); /* it is also brought */
    REFUSED(c->staged_remove[0].on_remove, 9);
    REFUSED(c->staged_limit[1].rule, c->staged_limit[0].rule);
    REFUSED(c->staged_rate[0].from, RIG_USD);
    rig_close(&r);
}

static void snap_of_other_tables_or_format_is_named(void **state)
{
    (void)state;
    struct core_rig r, x;
    size_t n;
    uint8_t *bytes = rich(&r, &n);
    struct trail tr = {0};
    rig_open_bare(&x, NULL); /* default tables */
    struct result res = core_restore(x.core, bytes, n, &tr);
    assert_int_equal(res.code, RESULT_VERSION);
    assert_non_null(strstr(tr.frame[0].text, "table sizes"));
    rig_close(&x);
    bytes[4]++; /* format */
    rig_open_bare(&x, &small);
    assert_int_equal(core_restore(x.core, bytes, n, &tr).code, RESULT_VERSION);
    rig_close(&x);
    bytes[4]--;
    bytes[8]++; /* logic: another one goes on from the same state, and signs its own with its own */
    rig_open_bare(&x, &small);
    assert_int_equal(core_restore(x.core, bytes, n, &tr).code, RESULT_OK);
    uint8_t *again = malloc(n);
    assert_int_equal(core_snapshot(x.core, again, n), n);
    bytes[8]--;
    assert_memory_equal(again, bytes, n);
    free(again);
    rig_close(&x);
    free(bytes);
    rig_close(&r);
}

/* An ended order that lives again takes the place of its age, as it will after a restore. */
static void snap_order_of_effects_survives_a_reopened_order(void **state)
{
    (void)state;
    struct core_rig a, b;
    rig_open_sized(&a, &small);
    rig_route(&a, RIG_S2, RIG_BTC, 1000000000000);
    rig_signal(&a, TN_LONG, 500000);
    uint64_t first = rig_sent_order(&a)->order;
    rig_sent(&a, first, FACT_SENT_UNKNOWN);
    rig_status(&a, first, FACT_FOUND_PROVED_ABSENT);
    rig_signal_full(&a, (struct fact_signal){.instance = RIG_S2, .side = TN_LONG});
    uint64_t second = rig_sent_order(&a)->order;
    rig_exec(&a, first, FACT_EXEC_NEW);
    copy(&b, &a);
    rig_start(&a, 2);
    rig_start(&b, 2);
    same_effects(&a, &b, 0);
    assert_int_equal(((const struct fact_query *)rig_effect(&a, FACT_QUERY, 0))->order, first);
    assert_int_equal(((const struct fact_query *)rig_effect(&a, FACT_QUERY, 1))->order, second);
    rig_close(&a);
    rig_close(&b);
}

/* The ring of used requests goes on where it was, also when it has come round. */
static void snap_keeps_which_request_is_the_oldest(void **state)
{
    (void)state;
    struct core_rig a, b;
    struct fact_request e = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_ACTIVE, .people = 2};
    rig_open_sized(&a, &small);
    for (uint32_t i = 1; i <= REQUESTS_MAX + 100; i++) {
        memcpy(e.sha256, &i, sizeof i);
        rig_step(&a, FACT_REQUEST, &e);
    }
    copy(&b, &a);
    for (uint32_t i = REQUESTS_MAX + 101; i <= REQUESTS_MAX + 150; i++) {
        memcpy(e.sha256, &i, sizeof i);
        rig_step(&a, FACT_REQUEST, &e);
        rig_step(&b, FACT_REQUEST, &e);
    }
    same_state(&a, &b);
    for (uint32_t i = 151; i <= REQUESTS_MAX + 150; i++) {
        memcpy(e.sha256, &i, sizeof i);
        rig_step(&b, FACT_REQUEST, &e);
        assert_int_equal(rig_ignored(&b, FACT_IGNORED_USED), 1);
    }
    rig_close(&a);
    rig_close(&b);
}

static void snap_of_nothing_restores(void **state)
{
    (void)state;
    struct core_rig a, b;
    rig_open_bare(&a, &small);
    copy(&b, &a);
    same_state(&a, &b);
    assert_int_equal(core_seq(b.core), 0);
    rig_close(&a);
    rig_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snap_restored_core_goes_on_identically),
        cmocka_unit_test(snap_cut_anywhere_is_refused),
        cmocka_unit_test(snap_flipped_bits_never_crash),
        cmocka_unit_test(snap_words_of_extremes_never_crash),
        cmocka_unit_test(snap_impossible_rows_are_refused),
        cmocka_unit_test(snap_impossible_deployments_are_refused),
        cmocka_unit_test(snap_of_other_tables_or_format_is_named),
        cmocka_unit_test(snap_order_of_effects_survives_a_reopened_order),
        cmocka_unit_test(snap_keeps_which_request_is_the_oldest),
        cmocka_unit_test(snap_of_nothing_restores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
