/* SPDX-License-Identifier: Apache-2.0
 *
 * The invariants, by the numbers that each violation names (README.md), looked at after every step
 * of the core, at every request that egress puts on the wire, and at everything the venue takes or
 * fills. The books here are kept from what the outside sees, never from the core's own tables:
 * orders from SEND effects, their states from ORDER effects, the venue's truth from its own books.
 */
#include "tests/sim/sim.h"
#include "base/num.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRADES = 1 << 17, INDEX = 1 << 16, CHECK_EVERY = 64 };
#define QUERY_WITHIN_NS (13 * SIM_S / 2)
#define SETTLE_NS (20 * SIM_S)

struct order {
    uint64_t epoch, id, seq;
    struct fact_send send;
    uint32_t strategy, state;
    int64_t cum, state_ns, unknown_ns, query_ns;
    bool is_lost; /* its record went down with a crash: no fact */
    bool is_reducing;
    uint32_t wire, took;
    bool is_at_venue; /* works there, at the end */
    int64_t venue_cum;
};
struct booked {
    uint64_t trade_id, seq;
};
struct watch {
    struct sim *s;
    struct order *order;
    uint32_t orders, room;
    uint32_t index[INDEX]; /* of order and epoch; row + 1 */
    uint32_t *live;        /* rows that the core holds live */
    uint32_t lives;
    struct booked booked[TRADES];
    int64_t position[SIM_STRATEGIES + 1][SIM_INSTRUMENTS];
    int64_t net[SIM_INSTRUMENTS]; /* the venue's */
    int64_t killed_ns;            /* egress has the flag; 0 = no */
    uint32_t mode;
    uint64_t last_seq;
    bool is_synced, is_fresh; /* fresh: after a restart the states are read from the core once */
    struct watch_counts counts;
};

/* ---- small things ---- */

bool sim_text(const char *json, size_t count, const char *key, char *out, size_t room)
{
    char want[48];
    const int n = snprintf(want, sizeof want, "\"%s\":\"", key);
    const char *at = memmem(json, count, want, (size_t)n);
    if (!at)
        return false;
    at += n;
    const char *end = memchr(at, '"', count - (size_t)(at - json));
    if (!end || (size_t)(end - at) >= room)
        return false;
    memcpy(out, at, (size_t)(end - at));
    out[end - at] = '\0';
    return true;
}

static int64_t decimal(const char *json, size_t count, const char *key, int exp)
{
    char text[64];
    int64_t v = -1;
    if (sim_text(json, count, key, text, sizeof text) &&
        !is_ok(num_parse(text, strlen(text), exp, false, &v)))
        v = -1;
    return v;
}

static uint32_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ b << 40) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(a >> 40);
}

static struct order *find(struct watch *w, uint64_t epoch, uint64_t id)
{
    for (uint32_t i = mix(id, epoch) & (INDEX - 1); w->index[i] != 0; i = (i + 1) & (INDEX - 1)) {
        struct order *o = &w->order[w->index[i] - 1];
        if (o->id == id && o->epoch == epoch)
            return o;
    }
    return NULL;
}

/* The one that the core means by this id: of the newest epoch that is a fact. */
static struct order *find_fact(struct watch *w, uint64_t id)
{
    for (uint32_t i = w->orders; i-- > 0;)
        if (w->order[i].id == id && !w->order[i].is_lost)
            return &w->order[i];
    return NULL;
}

static struct order *add(struct watch *w, uint64_t epoch, uint64_t id)
{
    if (w->orders == w->room) {
        w->room = w->room ? 2 * w->room : 256;
        w->order = realloc(w->order, w->room * sizeof *w->order);
        w->live = realloc(w->live, w->room * sizeof *w->live);
        must(w->order && w->live);
    }
    must(w->orders < INDEX / 2);
    uint32_t i = mix(id, epoch) & (INDEX - 1);
    while (w->index[i] != 0)
        i = (i + 1) & (INDEX - 1);
    struct order *o = &w->order[w->orders++];
    *o = (struct order){.epoch = epoch, .id = id};
    w->index[i] = w->orders;
    return o;
}

static bool is_live(uint32_t state)
{
    static const uint8_t terminal[ORDER_STATE_END] = {
#define X(id, name, is_terminal, reserved, text) [id] = is_terminal,
        ORDER_STATES(X)
#undef X
    };
    return state != 0 && state < ORDER_STATE_END && !terminal[state];
}

static uint32_t instrument_of(const char *json, size_t count)
{
    char symbol[64];
    if (sim_text(json, count, "symbol", symbol, sizeof symbol))
        for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++)
            if (strcmp(symbol, engine_instrument(i)->def.symbol) == 0)
                return i;
    return SIM_INSTRUMENTS;
}

/* ---- the core's steps ---- */

/* 13, 14: with everything that works or may work at its worst side. */
static void check_exposure(struct watch *w, const struct order *new)
{
    const uint32_t at = new->send.instrument - 1;
    const int64_t sign = new->send.side == TN_LONG ? 1 : -1;
    int64_t side = sign * w->position[new->strategy][at];
    __int128 gross = 0;
    struct core_account_view a;
    for (uint32_t i = 0; i < w->lives; i++) {
        const struct order *o = &w->order[w->live[i]];
        if (o->strategy == new->strategy && o->send.instrument == new->send.instrument &&
            o->send.side == new->send.side && o->send.qty > o->cum)
            side += o->send.qty - o->cum;
        gross += (__int128)(o->send.qty - o->cum) *
                 core_mark(engine_core(w->s->engine), o->send.instrument);
    }
    if (side > 30000)
        sim_violated(w->s, 13,
                     "order %lu brings strategy %u to %ld with all that works or is unknown",
                     (unsigned long)new->id, new->strategy, (long)side);
    for (uint32_t s = 1; s <= SIM_STRATEGIES; s++)
        for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++)
            gross +=
                (__int128)labs(w->position[s][i]) * core_mark(engine_core(w->s->engine), i + 1);
    if (core_account(engine_core(w->s->engine), 0, &a) && gross * 100 > (__int128)10 * a.equity)
        sim_violated(w->s, 14, "order %lu brings the account over ten times its equity",
                     (unsigned long)new->id);
}

/* 15: an opening needs everything to be in order. */
static void check_opening(struct watch *w, const struct order *o)
{
    const uint32_t health = core_health(engine_core(w->s->engine), o->send.instrument);
    if (w->mode != MODE_ACTIVE)
        sim_violated(w->s, 15, "order %lu opens in mode %u", (unsigned long)o->id, w->mode);
    if (!w->is_synced)
        sim_violated(w->s, 15, "order %lu opens on an account that is not reconciled",
                     (unsigned long)o->id);
    if (health != FACT_HEALTHY)
        sim_violated(w->s, 15, "order %lu opens on market data of health %u", (unsigned long)o->id,
                     health);
}

static const struct fact_intent *intent_of(const struct core_out *out, uint64_t id)
{
    const uint8_t *p = out->bytes, *end = p + out->used;
    while (p < end) {
        struct fact_head h;
        memcpy(&h, p, sizeof h);
        const struct fact_intent *f = (const void *)(p + sizeof h);
        if (h.type == FACT_INTENT && f->intent == id)
            return f;
        p += sizeof h + h.bytes;
    }
    return NULL;
}

static void on_send(struct watch *w, const struct fact_head *h, const struct fact_send *f,
                    const struct core_out *out)
{
    struct road_client id;
    const struct fact_intent *in = intent_of(out, f->order);
    if (!road_client_read(f->client_id, sizeof f->client_id, &id) || id.order != f->order) {
        sim_violated(w->s, 3, "SEND of order %lu has a client id of another",
                     (unsigned long)f->order);
        return;
    }
    if (find(w, id.epoch, f->order)) {
        sim_violated(w->s, 8, "client id %.32s is used again", f->client_id);
        return;
    }
    struct order *o = add(w, id.epoch, f->order);
    o->send = *f;
    o->seq = h->seq;
    o->strategy = in ? in->strategy : 0;
    o->is_reducing = in && in->reducing;
    o->state = ORDER_STATE_SENDING;
    o->state_ns = w->s->now_ns;
    w->live[w->lives++] = w->orders - 1;
    w->counts.orders++;
    if (!o->is_reducing) {
        check_exposure(w, o);
        check_opening(w, o);
    }
}

static void drop_live(struct watch *w, const struct order *o)
{
    const uint32_t row = (uint32_t)(o - w->order);
    for (uint32_t i = 0; i < w->lives; i++)
        if (w->live[i] == row)
            w->live[i--] = w->live[--w->lives];
}

/* 5, 6 */
static void on_order(struct watch *w, const struct fact_order *f)
{
    struct order *o = find_fact(w, f->order);
    const int64_t left = f->qty > f->cum ? f->qty - f->cum : 0;
    if (w->s->o.trace)
        printf("%14.6f order %lu: %u -> %u by %u, %ld of %ld\n",
               (double)(w->s->now_ns - SIM_T0) / 1e9, (unsigned long)f->order, f->from, f->to,
               f->event, (long)f->cum, (long)f->qty);
    if (f->leaves != (is_live(f->to) ? left : 0))
        sim_violated(w->s, 6, "order %lu: leaves %ld of %ld with %ld done", (unsigned long)f->order,
                     (long)f->leaves, (long)f->qty, (long)f->cum);
    if (!o) /* it becomes one with the SEND that follows */
        return;
    if (!w->is_fresh && o->state != f->from && f->from != ORDER_STATE_APPROVED)
        sim_violated(w->s, 5, "order %lu goes from state %u, it was in %u", (unsigned long)f->order,
                     f->from, o->state);
    if (!is_live(f->from) && f->from != f->to &&
        !(f->from == ORDER_STATE_ABSENT && f->to == ORDER_STATE_EXTERNAL))
        sim_violated(w->s, 5, "order %lu goes from its end %u to %u", (unsigned long)f->order,
                     f->from, f->to);
    if (f->cum > o->send.qty)
        sim_violated(w->s, 2, "order %lu of %ld is filled with %ld", (unsigned long)f->order,
                     (long)o->send.qty, (long)f->cum);
    if (f->to == ORDER_STATE_UNKNOWN && f->from != ORDER_STATE_UNKNOWN) {
        o->unknown_ns = w->s->now_ns;
        w->counts.unknowns++;
    }
    if (!is_live(o->state) && is_live(f->to))
        w->live[w->lives++] = (uint32_t)(o - w->order);
    if (is_live(o->state) && !is_live(f->to))
        drop_live(w, o);
    o->state = f->to;
    o->cum = f->cum;
    o->state_ns = w->s->now_ns;
}

/* 9 */
static void on_position(struct watch *w, const struct fact_head *h, const struct fact_position *f)
{
    if (f->strategy <= SIM_STRATEGIES && f->instrument >= 1 && f->instrument <= SIM_INSTRUMENTS)
        w->position[f->strategy][f->instrument - 1] = f->qty;
    if (f->trade_id == 0)
        return;
    uint32_t i = mix(f->trade_id, 0) & (TRADES - 1);
    while (w->booked[i].trade_id != 0 && w->booked[i].trade_id != f->trade_id)
        i = (i + 1) & (TRADES - 1);
    const uint64_t before = w->booked[i].trade_id == f->trade_id ? w->booked[i].seq : 0;
    if (before != 0 && before != h->seq) /* one event may share it out among strategies */
        sim_violated(w->s, 9, "trade %lu is booked twice: at event %lu and %lu",
                     (unsigned long)f->trade_id, (unsigned long)w->booked[i].seq,
                     (unsigned long)h->seq);
    w->booked[i] = (struct booked){f->trade_id, h->seq};
    w->counts.fills++;
}

static void on_alert(struct watch *w, const struct fact_alert *f)
{
    if (f->what == FACT_ALERT_OVERFILL)
        sim_violated(w->s, 2, "order %lu is filled with %ld of %ld", (unsigned long)f->order,
                     (long)f->a, (long)f->b);
    if (f->what == FACT_ALERT_FORBIDDEN)
        sim_violated(w->s, 5, "order %lu in state %ld: evidence %ld that cannot be",
                     (unsigned long)f->order, (long)f->a, (long)f->b);
    if (f->what == FACT_ALERT_FULL || f->what == FACT_ALERT_OVERFLOW)
        sim_violated(w->s, 32, "the core alerts that a table is full (%u)", f->what);
}

static void on_effect(struct watch *w, const struct fact_head *h, const void *payload,
                      const struct core_out *out)
{
    const struct fact_moded *m = payload;
    const struct fact_query *q = payload;
    struct order *o;
    switch (h->type) {
    case FACT_SEND:
        on_send(w, h, payload, out);
        break;
    case FACT_ORDER:
        on_order(w, payload);
        break;
    case FACT_POSITION:
        on_position(w, h, payload);
        break;
    case FACT_ALERT:
        on_alert(w, payload);
        break;
    case FACT_MODED:
        if (m->scope == MODE_SCOPE_GLOBAL)
            w->mode = m->to;
        break;
    case FACT_QUERY:
        w->counts.queries++;
        o = find_fact(w, q->order);
        if (o)
            o->query_ns = w->s->now_ns;
        break;
    default:
        break;
    }
}

/* After a restart what was known of the lost end is void: states and positions anew. */
static void read_states(struct watch *w)
{
    struct core_order_view v;
    struct core_position_view p;
    const struct core *c = engine_core(w->s->engine);
    w->lives = 0;
    for (uint32_t i = 0; i < w->orders; i++) {
        struct order *o = &w->order[i];
        if (o->is_lost || !core_order_find(c, o->id, &v))
            continue;
        o->state = v.state;
        o->cum = v.cum;
        o->unknown_ns = o->query_ns = w->s->now_ns;
        if (is_live(o->state))
            w->live[w->lives++] = i;
    }
    memset(w->position, 0, sizeof w->position);
    for (uint32_t i = 0; core_position(c, i, &p); i++)
        if (p.strategy <= SIM_STRATEGIES)
            w->position[p.strategy][p.instrument - 1] = p.qty;
    w->mode = core_mode(c, MODE_SCOPE_GLOBAL, 0);
    w->is_fresh = false;
}

/* 11 */
static void check_queries(struct watch *w)
{
    for (uint32_t i = 0; i < w->lives; i++) {
        const struct order *o = &w->order[w->live[i]];
        const int64_t since = o->query_ns > o->unknown_ns ? o->query_ns : o->unknown_ns;
        if (o->state == ORDER_STATE_UNKNOWN && w->s->now_ns - since > QUERY_WITHIN_NS)
            sim_violated(w->s, 11, "order %lu is unknown and was not asked for",
                         (unsigned long)o->id);
    }
}

void watch_step(struct watch *w, const struct fact_head *event, const void *payload,
                const struct core_out *out)
{
    const struct fact_sync *sync = payload;
    const uint8_t *p = out->bytes, *end = p + out->used;
    if (event->seq != w->last_seq + 1)
        sim_violated(w->s, 26, "event %lu follows %lu", (unsigned long)event->seq,
                     (unsigned long)w->last_seq);
    w->last_seq = event->seq;
    w->counts.steps++;
    sim_mix(w->s, payload, event->bytes);
    while (p < end) {
        struct fact_head h;
        memcpy(&h, p, sizeof h);
        on_effect(w, &h, p + sizeof h, out);
        p += sizeof h + h.bytes;
    }
    if (event->type == FACT_SYNC)
        w->is_synced =
            sync->phase == FACT_SYNC_WHOLE || (sync->phase == FACT_SYNC_AGAIN && w->is_synced);
    if (event->type == FACT_START) {
        w->is_synced = false;
        read_states(w);
    }
    check_queries(w);
    if (w->counts.steps % CHECK_EVERY == 0) {
        core_check(engine_core(w->s->engine));
        if (w->s->desk && !w->s->is_desk_dying)
            desk_check(w->s->desk);
        engine_keep_snapshot(w->s->engine);
    }
}

/* 29 is judged by who opens the journal; here the lost end is forgotten. */
void watch_recovered(struct watch *w, uint64_t last_seq, uint64_t durable)
{
    (void)durable;
    for (uint32_t i = 0; i < w->orders; i++)
        if (w->order[i].seq > last_seq)
            w->order[i].is_lost = true;
    for (uint32_t i = 0; i < TRADES; i++)
        if (w->booked[i].seq > last_seq)
            w->booked[i].seq = 0;
    w->last_seq = last_seq;
    w->is_fresh = true;
}

/* ---- the wire ---- */

static void check_bytes(struct watch *w, const struct order *o, const char *body, size_t count)
{
    char side[8] = "", tif[8] = "";
    const struct fact_send *f = &o->send;
    sim_text(body, count, "side", side, sizeof side);
    sim_text(body, count, "tif", tif, sizeof tif);
    const bool reduce = memmem(body, count, "\"reduce_only\":true", 18) != NULL;
    if (instrument_of(body, count) != f->instrument - 1 ||
        decimal(body, count, "qty", -4) != f->qty ||
        decimal(body, count, "price", -2) != f->price ||
        strcmp(side, f->side == TN_LONG ? "buy" : "sell") != 0 ||
        strcmp(tif, f->tif == FACT_GTC ? "gtc" : "ioc") != 0 || reduce != (f->reduce_only != 0))
        sim_violated(w->s, 2, "order %lu leaves with other figures: %.*s", (unsigned long)o->id,
                     (int)(count < 200 ? count : 200), body);
}

static void check_order(struct watch *w, const char *body, size_t count)
{
    char client[64] = "";
    struct road_client id;
    sim_text(body, count, "client_id", client, sizeof client);
    if (client[0] == 'K') {
        if (w->killed_ns == 0 || !memmem(body, count, "\"reduce_only\":true", 18))
            sim_violated(w->s, 16, "%s closes without a kill, or not reduce-only", client);
        return;
    }
    struct order *o =
        road_client_read(client, strlen(client), &id) ? find(w, id.epoch, id.order) : NULL;
    if (!o) {
        sim_violated(w->s, 3, "%s leaves and no SEND says it", client);
        return;
    }
    w->counts.sends++;
    if (++o->wire > 1)
        sim_violated(w->s, 7, "%s leaves a second time", client);
    if (w->killed_ns != 0)
        sim_violated(w->s, 16, "%s leaves after the kill", client);
    if (o->seq > engine_durable(w->s->engine)) {
        w->counts.unsynced_closes++;
        if (!o->send.reduce_only)
            sim_violated(w->s, 4, "%s leaves, its record %lu is not durable: %lu is", client,
                         (unsigned long)o->seq, (unsigned long)engine_durable(w->s->engine));
    }
    if (o->is_lost && !o->send.reduce_only)
        sim_violated(w->s, 4, "%s leaves, and its record was lost in a crash", client);
    check_bytes(w, o, body, count);
}

void watch_wire(struct watch *w, const char *path, size_t path_count, const char *body,
                size_t body_count)
{
    if (body_count > 0 && path_count == 10 && memcmp(path, "/v1/orders", 10) == 0)
        check_order(w, body, body_count);
}

void watch_killed(struct watch *w)
{
    if (w->killed_ns == 0) {
        w->killed_ns = w->s->now_ns;
        w->counts.kills++;
    }
}

/* ---- the venue ---- */

static struct order *of_client(struct watch *w, const char *client)
{
    struct road_client id;
    return road_client_read(client, strlen(client), &id) ? find(w, id.epoch, id.order) : NULL;
}

/* 1, 3 */
void watch_venue_took(struct watch *w, const char *client)
{
    struct order *o = of_client(w, client);
    if (client[0] == 'K')
        return;
    if (!o)
        sim_violated(w->s, 3, "the venue took %s, and no intent says it", client);
    else if (++o->took > 1)
        sim_violated(w->s, 1, "the venue took %s twice", client);
}

/* 2 */
void watch_venue_fill(struct watch *w, const char *client, uint32_t instrument, uint32_t side,
                      int64_t qty)
{
    struct order *o = of_client(w, client);
    w->net[instrument] += side == TN_LONG ? qty : -qty;
    if (!o)
        return;
    o->venue_cum += qty;
    if (o->venue_cum > o->send.qty)
        sim_violated(w->s, 2, "the venue filled order %lu of %ld with %ld", (unsigned long)o->id,
                     (long)o->send.qty, (long)o->venue_cum);
}

/* ---- the end ---- */

static void read_venue(struct watch *w)
{
    char client[HOUSE_CLIENT_BYTES];
    for (uint32_t i = 0; exchange_works(w->s->exchange, i, client); i++) {
        struct order *o = of_client(w, client);
        if (o)
            o->is_at_venue = true;
        if (w->killed_ns != 0 && w->s->now_ns - w->killed_ns > 60 * SIM_S)
            sim_violated(w->s, 16, "%s works at the venue a minute after the kill", client);
    }
}

static void check_orders_at_end(struct watch *w)
{
    for (uint32_t i = 0; i < w->lives; i++) {
        const struct order *o = &w->order[w->live[i]];
        if (w->s->now_ns - o->state_ns < SETTLE_NS && o->state != ORDER_STATE_UNKNOWN)
            continue;
        if (o->state == ORDER_STATE_UNKNOWN && w->s->now_ns - o->unknown_ns < SETTLE_NS)
            continue;
        if (!o->is_at_venue || o->cum != o->venue_cum)
            sim_violated(
                w->s, 12,
                "order %lu is live here (state %u, %ld done) and not so at the venue (%ld)",
                (unsigned long)o->id, o->state, (long)o->cum, (long)o->venue_cum);
        if (o->state == ORDER_STATE_UNKNOWN || o->state == ORDER_STATE_QUARANTINE)
            sim_violated(w->s, 12, "order %lu is still unknown", (unsigned long)o->id);
    }
    for (uint32_t i = 0; i < w->orders; i++) {
        const struct order *o = &w->order[i];
        if (o->is_at_venue && (o->is_lost || !is_live(o->state)))
            sim_violated(w->s, 12, "order %lu works at the venue and is not live here (state %u)",
                         (unsigned long)o->id, o->state);
    }
}

/* 24 */
static void check_positions_at_end(struct watch *w)
{
    int64_t sum[SIM_INSTRUMENTS] = {0};
    struct core_position_view p;
    for (uint32_t i = 0; core_position(engine_core(w->s->engine), i, &p); i++)
        sum[p.instrument - 1] += p.qty;
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++) {
        if (sum[i] != w->net[i])
            sim_violated(w->s, 24, "instrument %u: %ld here, %ld at the venue", i + 1, (long)sum[i],
                         (long)w->net[i]);
    }
}

static void check_kill_at_end(struct watch *w)
{
    struct core_order_view o;
    if (w->killed_ns == 0 || w->s->now_ns - w->killed_ns < 60 * SIM_S)
        return;
    if (core_mode(engine_core(w->s->engine), MODE_SCOPE_GLOBAL, 0) != MODE_KILLED)
        sim_violated(w->s, 16, "egress is killed and the core is in mode %u",
                     core_mode(engine_core(w->s->engine), MODE_SCOPE_GLOBAL, 0));
    if (core_order(engine_core(w->s->engine), 0, &o))
        sim_violated(w->s, 16, "order %lu is live a minute after the kill", (unsigned long)o.order);
}

void watch_end(struct watch *w)
{
    if (!engine_is_up(w->s->engine) || !w->s->desk || !exchange_is_up(w->s->exchange) ||
        !w->s->agent) {
        sim_violated(w->s, 12, "not everything is up at the end");
        return;
    }
    if (!w->is_synced)
        sim_violated(w->s, 12, "the account is not reconciled at the end");
    read_venue(w);
    check_orders_at_end(w);
    check_positions_at_end(w);
    check_kill_at_end(w);
}

struct watch *watch_new(struct sim *s)
{
    struct watch *w = calloc(1, sizeof *w);
    must(w != NULL);
    w->s = s;
    return w;
}

void watch_free(struct watch *w)
{
    free(w->order);
    free(w->live);
    free(w);
}

void watch_counts(const struct watch *w, struct watch_counts *out)
{
    *out = w->counts;
}
