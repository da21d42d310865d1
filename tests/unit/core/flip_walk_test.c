/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: whatever is promoted, whenever, between orders, fills, kills and restarts: signals are
 * believed by their cause, a DEPLOY is whole or nothing, no quantity, money or order is made or
 * lost by one, and each continuation after a restore is the same. Method: seeded walks with random
 * promotions; who is believed is worked out here from FLIPPED effects alone, over lists without
 * end; net positions, money and live orders are compared across each DEPLOY; a second core that is
 * restored again and again from snapshots of the first gets the same events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_walk.h"

static const struct core_limits small = {.orders = 24,
                                         .fills = 32,
                                         .limits = 64,
                                         .instances = 4,
                                         .routes = 9,
                                         .accounts = 2,
                                         .instruments = 3,
                                         .currencies = 4};

/* ---- who is believed, by the rule and not by the core's ring ---- */

enum { HISTORY_MAX = 2000 };
static struct history {
    uint64_t since[HISTORY_MAX];
    int64_t generation[HISTORY_MAX]; /* -1 = nobody */
    uint32_t count;
} history[PROMOTE_INSTANCES + 1];

static struct {
    uint32_t flips, deploys, not_flat, not_staged, broken, handed, removed, unaccepted, accepted,
        limit_modes, until_modes, flip_modes, remove_closes, used, lifted;
} seen;

static void begin_history(void)
{
    memset(history, 0, sizeof history);
    for (uint32_t id = 1; id <= 2; id++)
        history[id].count = 1; /* unsigned, since ever */
}

static void note_flip(uint64_t seq, const struct fact_flipped *f)
{
    struct history *h = &history[f->instance];
    assert_true(h->count < HISTORY_MAX);
    h->since[h->count] = seq;
    h->generation[h->count++] = f->to == 0 ? -1 : (int64_t)f->to;
    seen.flips++;
    seen.removed += f->to == 0;
    seen.handed += f->handed_to != 0 && f->positions + f->orders > 0;
}

static bool is_believed(const struct history *h, uint64_t generation, uint64_t cause)
{
    if (h->count == 0)
        return generation == 0; /* let through, to be denied: nobody has a route there */
    if (h->generation[h->count - 1] == -1)
        return false;
    uint32_t i = h->count - 1;
    while (i > 0 && cause <= h->since[i])
        i--;
    bool before_all = h->since[i] != 0 && cause <= h->since[i];
    bool forgotten = h->count - i > REIGNS;
    return !before_all && !forgotten && h->generation[i] == (int64_t)generation;
}

/* ---- what a DEPLOY must not move ---- */

struct holdings {
    int64_t net[3][3]; /* account, instrument */
    int64_t realised, fees;
    uint64_t serial, live_hash;
    uint32_t live;
};

/* Orders that lived before `seq`: what they are, not whose. */
static void look(const struct core *c, uint64_t seq, struct holdings *out)
{
    memset(out, 0, sizeof *out);
    out->serial = core_serial(c);
    for (uint32_t i = 1; i < c->book_count; i++) {
        const struct book_row *b = &c->book[i];
        out->net[b->account][b->instrument] += b->qty;
        out->realised += b->realised;
        out->fees += b->fees;
    }
    for (uint32_t i = c->live_oldest; i != CORE_NONE; i = c->order[i].live_newer) {
        const struct order_row *o = &c->order[i];
        if (o->id >> 10 >= seq)
            continue;
        out->live++;
        out->live_hash = out->live_hash * 1099511628211ull + o->id + (uint64_t)o->cum * 31 +
                         (uint64_t)o->price * 7 + c->book[o->book].instrument;
    }
}

static void see_deploy(const struct core_rig *r, const struct holdings *before)
{
    struct holdings after;
    struct core_staged s;
    look(r->core, r->seq, &after);
    core_staged(r->core, &s);
    assert_memory_equal(before->net, after.net, sizeof after.net);
    assert_true(before->realised == after.realised && before->fees == after.fees);
    assert_true(before->live == after.live && before->live_hash == after.live_hash);
    bool active = after.serial != before->serial;
    uint32_t refused =
        rig_ignored(r, FACT_IGNORED_NOT_FLAT) + rig_ignored(r, FACT_IGNORED_NOT_STAGED);
    assert_int_equal(refused, active ? 0 : 1);
    assert_true(!active || !s.is_open);
    assert_true(active || rig_count(r, FACT_FLIPPED) == 0);
    seen.deploys += active;
    seen.not_flat += rig_ignored(r, FACT_IGNORED_NOT_FLAT);
    seen.not_staged += rig_ignored(r, FACT_IGNORED_NOT_STAGED);
}

static void see_effects(const struct core_rig *r)
{
    const struct fact_flipped *f;
    const struct fact_moded *m;
    const struct fact_intent *k;
    for (uint32_t i = 0; (f = rig_effect(r, FACT_FLIPPED, i)) != NULL; i++)
        note_flip(r->seq, f);
    for (uint32_t i = 0; (m = rig_effect(r, FACT_MODED, i)) != NULL; i++) {
        seen.limit_modes += m->why == FACT_WHY_LIMIT;
        seen.until_modes += m->why == FACT_WHY_UNTIL;
        seen.flip_modes += m->why == FACT_WHY_FLIP;
        seen.lifted += m->why == FACT_WHY_REQUEST && m->from == MODE_KILLED;
    }
    for (uint32_t i = 0; (k = rig_effect(r, FACT_INTENT, i)) != NULL; i++)
        seen.remove_closes += k->origin == FACT_ORIGIN_REMOVE;
    seen.used += rig_ignored(r, FACT_IGNORED_USED);
}

static void see_signal(const struct core_rig *r, const struct fact_view *v)
{
    const struct fact_signal *s = &v->u.fact_signal;
    bool believed = is_believed(&history[s->instance], v->head.generation, v->head.cause_seq);
    assert_int_equal(rig_ignored(r, FACT_IGNORED_NOT_ACCEPTED), believed ? 0 : 1);
    assert_true(believed || rig_count(r, FACT_DECISION) == rig_count(r, FACT_INTENT));
    seen.unaccepted += !believed;
    seen.accepted += believed;
}

static void step(struct walk *w, const struct fact_view *v, bool deploy_alone)
{
    struct holdings before;
    if (deploy_alone)
        look(w->rig->core, w->rig->seq + 1, &before);
    walk_step(w, v);
    see_effects(w->rig);
    if (v->head.type == FACT_SIGNAL)
        see_signal(w->rig, v);
    if (deploy_alone)
        see_deploy(w->rig, &before);
    seen.broken += v->head.type == FACT_STAGE && rig_ignored(w->rig, FACT_IGNORED_NOT_ALLOWED);
    core_check(w->rig->core);
}

static void walk_of(struct walk *w, struct core_rig *r, uint64_t seed)
{
    rig_open_sized(r, &small);
    walk_open(w, r, seed);
    w->kill_ppm = 150;
    walk_configure(w);
    w->promote.one_in = 12;
    begin_history();
}

static void flip_walk_keeps_every_rule(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct core_rig r;
        struct walk w;
        walk_of(&w, &r, seed * 7777777ull);
        for (int i = 0; i < 4000; i++) {
            struct fact_view v;
            walk_next(&w, &v);
            step(&w, &v, v.head.type == FACT_DEPLOY);
        }
        assert_true(core_totals(r.core)->fills > 20);
        rig_close(&r);
    }
    print_message("%u deploys, %u flips (%u away, %u handed over), refused: %u not flat, %u not "
                  "staged, %u stages broken\n",
                  seen.deploys, seen.flips, seen.removed, seen.handed, seen.not_flat,
                  seen.not_staged, seen.broken);
    print_message("signals: %u believed, %u not; closes of what left: %u; modes: %u by a limit, %u "
                  "by time, %u lifted by a flip, %u kills lifted; %u requests used twice\n",
                  seen.accepted, seen.unaccepted, seen.remove_closes, seen.limit_modes,
                  seen.until_modes, seen.flip_modes, seen.lifted, seen.used);
    assert_true(seen.deploys > 900 && seen.flips > 900 && seen.removed > 90 && seen.handed > 5);
    assert_true(seen.not_flat > 200 && seen.not_staged > 200 && seen.broken > 100);
    assert_true(seen.accepted > 5000 && seen.unaccepted > 5000 && seen.remove_closes > 100);
    assert_true(seen.limit_modes > 20 && seen.until_modes > 20 && seen.flip_modes > 20);
    assert_true(seen.lifted > 1 && seen.used > 5);
}

/* ---- restored anywhere ---- */

static void copy(struct core_rig *to, const struct core_rig *from)
{
    size_t bytes = core_snapshot_bytes(from->core);
    uint8_t *snap = malloc(bytes);
    struct trail tr = {0};
    assert_non_null(snap);
    assert_int_equal(core_snapshot(from->core, snap, bytes), bytes);
    rig_open_bare(to, &small);
    struct result res = core_restore(to->core, snap, bytes, &tr);
    if (!is_ok(res))
        fail_msg("event %llu: %s", (unsigned long long)from->seq, trail_sentence(&tr, res));
    uint8_t *again = malloc(bytes);
    assert_non_null(again);
    assert_int_equal(core_snapshot_bytes(to->core), bytes);
    core_snapshot(to->core, again, bytes);
    assert_memory_equal(snap, again, bytes);
    to->seq = from->seq;
    to->t_ns = from->t_ns;
    to->trade_id = from->trade_id;
    free(snap);
    free(again);
}

static void flip_walk_restored_core_goes_on_identically(void **state)
{
    (void)state;
    uint32_t open = 0, committed = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct core_rig a, b;
        struct walk w, z;
        walk_of(&w, &a, seed * 123456789ull);
        copy(&b, &a);
        z = w;
        z.rig = &b;
        for (int i = 0; i < 2500; i++) {
            struct fact_view v;
            struct core_staged s;
            walk_next(&w, &v);
            walk_step(&w, &v);
            walk_step(&z, &v);
            if (a.out.used != b.out.used || memcmp(a.out.bytes, b.out.bytes, a.out.used) != 0)
                fail_msg("seed %llu: effects of event %llu differ", (unsigned long long)seed,
                         (unsigned long long)a.seq);
            core_staged(a.core, &s);
            if (walk_draw(&w, s.is_open ? 5 : 40) != 0)
                continue;
            open += s.is_open;
            committed += s.is_committed;
            rig_close(&b);
            copy(&b, &a);
        }
        rig_close(&a);
        rig_close(&b);
    }
    print_message("restored inside %u stages, %u of them committed\n", open, committed);
    assert_true(open > 100 && committed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flip_walk_keeps_every_rule),
        cmocka_unit_test(flip_walk_restored_core_goes_on_identically),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
