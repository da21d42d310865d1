/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: over long random runs the invariants of orders, risk and money hold after every event, and
 * the same events give the same effects, byte for byte.
 * Method: seeded walks (see tests/lib/core_walk.h); a mirror that is fed with events and effects
 * only and works every invariant out by itself; core_check after each event; the kept events are
 * then fed to a second core and the effects compared. Numbers in brackets are those of the list of
 * invariants in the risk research.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_walk.h"

enum { EVENTS = 4000, SENDS_MAX = 8192, TRADES_MAX = 16384 };

struct sent {
    uint64_t id;
    int64_t qty, cum;
    uint32_t state, side, instrument, account;
    char client_id[FACT_NAME_BYTES];
};

static struct mirror {
    struct sent sent[SENDS_MAX];
    uint32_t sent_count;
    int64_t position[3][3][3]; /* strategy, instrument, account */
    int64_t stop[3][3];
    uint8_t booked[TRADES_MAX]; /* by trade id: 1 booked, 2 reversed */
    uint32_t health[3];
    uint32_t mode;
    uint64_t sends, fills, approvals, denials;
} m;

static struct sent *sent_of(uint64_t id)
{
    for (uint32_t i = m.sent_count; i-- > 0;) {
        if (m.sent[i].id == id)
            return &m.sent[i];
    }
    return NULL;
}

/* (1) (7) (8): an intent is sent once, under an id that was never used. */
static void see_send(const struct fact_send *s, const struct fact_decision *d)
{
    assert_null(sent_of(s->order));
    for (uint32_t i = 0; i < m.sent_count; i++)
        assert_memory_not_equal(m.sent[i].client_id, s->client_id, FACT_NAME_BYTES);
    assert_int_equal(s->attempt, 1);
    assert_non_null(d); /* (4) in the step of its approval, for what was granted */
    assert_int_equal(d->intent, s->order);
    assert_int_equal(d->approved, 1);
    assert_int_equal(d->granted, s->qty);
    assert_true(m.sent_count < SENDS_MAX);
    struct sent *n = &m.sent[m.sent_count++];
    *n = (struct sent){.id = s->order,
                       .qty = s->qty,
                       .state = ORDER_STATE_SENDING,
                       .side = s->side,
                       .instrument = s->instrument,
                       .account = s->account};
    memcpy(n->client_id, s->client_id, sizeof n->client_id);
    m.sends++;
}

/* (13) (15) (16): what the gate let pass was allowed by the world as it was then. */
static void see_decision(const struct fact_decision *d)
{
    m.approvals += d->approved;
    m.denials += !d->approved;
    for (uint32_t rule = 1; rule < RISK_RULE_END && d->serial == 0 && d->intent; rule++)
        assert_int_not_equal(d->result[rule], FACT_RULE_UNSET);
    if (!d->approved)
        return;
    assert_true(d->granted > 0 && d->granted <= d->asked);
    assert_int_equal(d->denied_by, 0);
    if (d->reducing) {
        assert_int_equal(d->cut_by, 0);
        return;
    }
    assert_int_equal(m.mode, MODE_ACTIVE);
    assert_int_equal(m.health[d->instrument], FACT_HEALTHY);
    const struct fact_rule *e = &d->rule[RISK_EXPOSURE - 1];
    assert_true(e->observed <= e->limit || d->result[RISK_EXPOSURE] == FACT_RULE_CUT);
}

/* (5) (6): only moves of the table, and leaves are what is left. */
static void see_order(const struct fact_order *o)
{
    struct sent *s = sent_of(o->order);
    struct fsm_cell cell = fsm_cell(&oms_fsm, (uint8_t)o->from, (uint8_t)o->event);
    assert_true(cell.kind == FSM_MOVE || cell.kind == FSM_STAY);
    assert_int_equal(o->to, cell.kind == FSM_MOVE ? cell.next : o->from);
    bool ended = is_terminal((uint8_t)o->to);
    assert_int_equal(o->leaves, ended || o->cum > o->qty ? 0 : o->qty - o->cum);
    if (s == NULL) /* APPROVED, and SENDING that is just said */
        return;
    assert_int_equal(s->state, o->from);
    s->state = o->to;
    s->cum = o->cum;
}

/* (9) (24): a trade is booked once, reversed once, and moves the position by itself. */
static void see_position(const struct fact_position *p)
{
    assert_in_range(p->trade_id, 1, TRADES_MAX - 1);
    assert_in_range(m.booked[p->trade_id], 0, 1);
    m.booked[p->trade_id]++;
    m.fills++;
    int64_t *q = &m.position[p->strategy][p->instrument][p->account];
    assert_int_not_equal(p->qty, *q);
    *q = p->qty;
    int64_t net = 0;
    for (int s = 0; s < 3; s++)
        net += m.position[s][p->instrument][p->account];
    assert_int_equal(net, p->net);
}

/* (19): a stop only tightens while it stands. */
static void see_stop(const struct fact_stopped *s)
{
    int64_t *at = &m.stop[s->strategy][s->instrument];
    if (s->what == FACT_STOP_TIGHTENED)
        assert_true(s->qty > 0 ? s->price > *at : s->price < *at);
    if (s->what == FACT_STOP_SET)
        assert_int_equal(*at, 0);
    *at = s->what == FACT_STOP_SET || s->what == FACT_STOP_TIGHTENED ? s->price : 0;
}

static void see(const struct core_rig *r)
{
    const struct fact_decision *last = NULL;
    const uint8_t *p = r->out.bytes;
    uint16_t sub = 0;
    for (uint32_t i = 0; i < r->out.count; i++) {
        struct fact_head h;
        memcpy(&h, p, sizeof h);
        const void *payload = p + sizeof h;
        assert_int_equal(h.sub, ++sub);
        assert_int_equal(h.seq, r->seq);
        assert_int_equal(h.t_ns, r->t_ns);
        assert_int_equal(h.bytes, fact_bytes(h.type));
        const struct fact_moded *mode = payload;
        const struct fact_health *health = payload;
        if (h.type == FACT_DECISION)
            see_decision(last = payload);
        else if (h.type == FACT_SEND)
            see_send(payload, last);
        else if (h.type == FACT_ORDER)
            see_order(payload);
        else if (h.type == FACT_POSITION)
            see_position(payload);
        else if (h.type == FACT_STOPPED)
            see_stop(payload);
        else if (h.type == FACT_MODED && mode->scope == MODE_SCOPE_GLOBAL)
            m.mode = mode->to;
        else if (h.type == FACT_HEALTH)
            m.health[health->instrument] = health->to;
        p += sizeof h + h.bytes;
    }
}

/* (10): everything sent and not proved ended holds its leaves, UNKNOWN and QUARANTINE too. */
static void check_reserved(const struct core_rig *r)
{
    for (uint32_t a = 1; a < 3; a++) {
        for (uint32_t i = 1; i < 3; i++) {
            int64_t buy = 0, sell = 0;
            for (uint32_t k = 0; k < m.sent_count; k++) {
                const struct sent *s = &m.sent[k];
                if (s->instrument != i || s->account != a || is_terminal((uint8_t)s->state) ||
                    s->cum > s->qty)
                    continue;
                *(s->side == TN_LONG ? &buy : &sell) += s->qty - s->cum;
            }
            assert_int_equal(net_of(r->core, a, i)->work_buy, buy);
            assert_int_equal(net_of(r->core, a, i)->work_sell, sell);
        }
    }
}

/* (25) in the view, and (24): the core's positions are those that its effects told. */
static void check_money(const struct core_rig *r)
{
    struct core_account_view a;
    for (uint32_t i = 0; core_account(r->core, i, &a); i++)
        assert_int_equal(a.equity,
                         r->core->account[i + 1].cash + a.realised - a.fees + a.unrealised);
    struct core_position_view v;
    for (uint32_t i = 0; core_position(r->core, i, &v); i++)
        assert_int_equal(v.qty, m.position[v.strategy][v.instrument][v.account]);
}

static void replay(const struct fact_view *events, uint32_t count, uint64_t hash)
{
    struct core_rig b;
    struct walk w;
    rig_open(&b);
    walk_open(&w, &b, 1);
    walk_configure(&w);
    uint64_t again = 14695981039346656037ull;
    for (uint32_t i = 0; i < count; i++) {
        walk_step(&w, &events[i]);
        for (uint32_t k = 0; k < b.out.used; k++)
            again = (again ^ b.out.bytes[k]) * 1099511628211ull;
    }
    assert_int_equal(again, hash);
    rig_close(&b);
}

static void run(uint64_t seed, uint32_t kill_ppm)
{
    struct core_rig r;
    struct walk w;
    memset(&m, 0, sizeof m);
    struct fact_view *events = test_malloc(EVENTS * sizeof *events);
    rig_open(&r);
    walk_open(&w, &r, seed);
    w.kill_ppm = kill_ppm;
    walk_configure(&w);
    m.mode = MODE_ACTIVE;
    m.health[RIG_BTC] = m.health[RIG_INV] = FACT_HEALTHY;
    uint64_t hash = 14695981039346656037ull;
    for (uint32_t i = 0; i < EVENTS; i++) {
        walk_next(&w, &events[i]);
        walk_step(&w, &events[i]);
        see(&r);
        for (uint32_t k = 0; k < r.out.used; k++)
            hash = (hash ^ r.out.bytes[k]) * 1099511628211ull;
        core_check(r.core);
        if (i % 16 == 0)
            check_reserved(&r);
        check_money(&r);
    }
    print_message("seed %llu: %llu sent, %llu booked, %llu approved, %llu denied\n",
                  (unsigned long long)seed, (unsigned long long)m.sends,
                  (unsigned long long)m.fills, (unsigned long long)m.approvals,
                  (unsigned long long)m.denials);
    assert_true(m.sends > 20 && m.fills > 20 && m.denials > 20); /* the walk does something */
    rig_close(&r);
    replay(events, EVENTS, hash);
    test_free(events);
}

static void run_random_events_keep_every_invariant(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++)
        run(seed * 2654435761ull, 0);
}

static void run_random_events_with_kills_keep_every_invariant(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++)
        run(seed * 40503ull + 7, 3000);
}

/* (16): from the press on nothing opens, and what is open gets closed while the venue answers. */
static void run_kill_ends_flat_and_opens_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct core_rig r;
        struct walk w;
        rig_open(&r);
        walk_open(&w, &r, seed * 7368787ull);
        w.kill_ppm = 0;
        walk_configure(&w);
        struct fact_view v;
        for (int i = 0; i < 700; i++) {
            walk_next(&w, &v);
            walk_step(&w, &v);
        }
        for (uint32_t i = 1; i < 3; i++) { /* tradable again */
            struct fact_session open = {.instrument = i, .open = 1};
            rig_step(&r, FACT_SESSION, &open);
        }
        rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_KILLED);
        assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_KILLED);
        bool flat = false;
        for (int round = 0; round < 400 && !flat; round++) {
            const struct fact_intent *n;
            for (uint32_t i = 0; (n = rig_effect(&r, FACT_INTENT, i)) != NULL; i++)
                assert_int_equal(n->reducing, 1);
            uint32_t live = r.core->live_oldest;
            if (live == CORE_NONE) {
                rig_tick(&r, r.t_ns + RIG_S);
            } else { /* the venue fills closes at its price and cancels the rest */
                const struct order_row *o = &r.core->order[live];
                if (o->origin == FACT_ORIGIN_KILL)
                    rig_fill(&r, o->id, o->qty - o->cum, o->price);
                else
                    rig_exec(&r, o->id, FACT_EXEC_CANCELED);
            }
            struct core_position_view p;
            flat = core_open_orders(r.core) == 0;
            for (uint32_t i = 0; flat && core_position(r.core, i, &p); i++)
                flat = num_abs(p.qty) < r.core->market[p.instrument].def.lot;
        }
        if (!flat)
            fail_msg("seed %llu: not flat", (unsigned long long)seed);
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_random_events_keep_every_invariant),
        cmocka_unit_test(run_random_events_with_kills_keep_every_invariant),
        cmocka_unit_test(run_kill_ends_flat_and_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
