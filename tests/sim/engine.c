/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine: the production core and sequencer, the production mapping to the road (flow/road.h),
 * and the production journal's groups, chain, heads and check over the simulated disk. What tenond
 * does around them with threads and sockets is done here by the world's clock, in its order: an
 * event is numbered, stepped and handed to the journal; its effects go out; an order leaves egress
 * when its record is durable.
 *
 * A restart knows only the disk and the heads: it checks the journal, replays it, compares every
 * effect with its record, begins a new epoch and attaches again.
 */
#include "tests/sim/engine_priv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_NS = 1000000000, DUE_NS = 20000000, BIND_MAX = 64 };

const struct core_limits engine_limits = {.orders = 2048, .fills = 16384, .limits = 64};

const struct house_instrument *engine_instrument(uint32_t i)
{
    static struct house_instrument in[SIM_INSTRUMENTS];
    static const char *const names[SIM_INSTRUMENTS] = {"BTC-USD", "ETH-USD"};
    must(i < SIM_INSTRUMENTS);
    in[i] = (struct house_instrument){.def = {.id = i + 1,
                                              .contract = FACT_LINEAR,
                                              .price_exp = -2,
                                              .qty_exp = -4,
                                              .tick = 1,
                                              .lot = 1,
                                              .min_qty = 1,
                                              .multiplier = 1,
                                              .settle = SIM_USD,
                                              .age_degraded_ns = 60 * SIM_S,
                                              .age_down_ns = 300 * SIM_S,
                                              .price_max = 100000000000},
                                      .settle_exp = -8};
    snprintf(in[i].def.symbol, sizeof in[i].def.symbol, "%s", names[i]);
    snprintf(in[i].currency, sizeof in[i].currency, "USD");
    return &in[i];
}

/* ---- stepping ---- */

static void put_record(struct engine *e, const struct fact_head *h, const void *payload)
{
    const size_t stride = group_stride(h->bytes);
    must(e->pending_count + stride <= ENGINE_PENDING_BYTES);
    uint8_t *at = e->pending + e->pending_count;
    memset(at, 0, stride);
    memcpy(at, h, sizeof *h);
    memcpy(at + sizeof *h, payload, h->bytes);
    e->pending_count += stride;
    e->pending_records++;
}

static void put_effects(struct engine *e)
{
    const uint8_t *p = e->out.bytes, *end = p + e->out.used;
    while (p < end) {
        struct fact_head h;
        memcpy(&h, p, sizeof h);
        put_record(e, &h, p + sizeof h);
        p += sizeof h + h.bytes;
    }
}

void engine_to_desk(struct engine *e, uint32_t kind, const void *bytes, uint32_t count)
{
    const struct sim_thing t = {.kind = SIM_ROAD_OUT, .a = kind};
    sim_post(e->s, SIM_PIPE_OUT, 20000, &t, bytes, count, NULL, 0);
}

/* Answers that the engine gives itself are numbered after the step that asked. */
static void answer_later(struct engine *e, uint16_t type, const void *payload)
{
    must(e->answer_count < ENGINE_ANSWERS);
    struct fact_view *v = &e->answer[e->answer_count++];
    memset(v, 0, sizeof *v);
    v->head.type = type;
    memcpy(&v->u, payload, fact_bytes(type));
}

static void not_sent(struct engine *e, uint64_t order, uint32_t attempt, bool is_cancel)
{
    const struct fact_sent f = {.order = order,
                                .attempt = attempt,
                                .what = FACT_SENT_FAILED,
                                .is_cancel = is_cancel,
                                .reason = FACT_SENT_REASON_NO_LINK};
    answer_later(e, FACT_SENT, &f);
}

static void note_open(struct engine *e, const struct fact_head *head, uint64_t order,
                      uint32_t attempt, bool is_cancel)
{
    must(e->open_count < ENGINE_OPEN);
    e->open[e->open_count++] = (struct engine_open){.approval = road_approval(head->seq, head->sub),
                                                    .order = order,
                                                    .attempt = attempt,
                                                    .is_cancel = is_cancel};
}

static void send_order(struct engine *e, const struct fact_head *head, const struct fact_send *f)
{
    struct road_order m;
    if (!e->is_attached) {
        not_sent(e, f->order, f->attempt, false);
        return;
    }
    if (sim_point(e->s, SIM_ENGINE))
        return;
    road_order_of(head, f, &m);
    note_open(e, head, f->order, f->attempt, false);
    engine_to_desk(e, ROAD_ORDER, &m, sizeof m);
}

/* An order's client ids bear the epoch of the event that made it. */
uint64_t engine_epoch_of(const struct engine *e, uint64_t order)
{
    uint64_t epoch = e->epoch;
    for (uint32_t i = 0; i < e->epoch_count && e->epoch_seq[i] <= order >> 10; i++)
        epoch = e->epoch_number[i];
    return epoch;
}

static void send_cancel(struct engine *e, const struct fact_head *head, const struct fact_cancel *f)
{
    struct road_cancel m;
    if (!e->is_attached) {
        not_sent(e, f->order, f->attempt, true);
        return;
    }
    if (sim_point(e->s, SIM_ENGINE))
        return;
    road_cancel_of(head, f, engine_epoch_of(e, f->order), &m);
    note_open(e, head, f->order, f->attempt, true);
    engine_to_desk(e, ROAD_CANCEL, &m, sizeof m);
}

static void send_query(struct engine *e, const struct fact_head *head, const struct fact_query *f)
{
    struct core_order_view o;
    struct road_query m;
    if (!e->is_attached || !core_order_find(e->core, f->order, &o))
        return;
    road_query_of(head, f, engine_epoch_of(e, f->order), o.instrument, &m);
    engine_to_desk(e, ROAD_QUERY, &m, sizeof m);
}

/* A fill that the core cannot place: was it booked before, and whose order was it? */
static void look_up(struct engine *e, const struct fact_lookup *f)
{
    struct fact_found a = {.order = f->order,
                           .trade_id = f->trade_id,
                           .account = f->account,
                           .instrument = f->instrument,
                           .booked = engine_has_trade(e, f->trade_id)};
    if (e->last_exec.trade_id == f->trade_id) {
        a.side = e->last_exec.side;
        a.last_qty = e->last_exec.last_qty;
        a.last_price = e->last_exec.last_price;
        a.fee = e->last_exec.fee;
    }
    answer_later(e, FACT_FOUND, &a);
}

static void say_kill(struct engine *e, const struct fact_mode *why)
{
    struct road_kill k = {.wall_ns = e->s->now_ns};
    if (why)
        k.keep_positions = why->keep_positions;
    snprintf(k.by, sizeof k.by, "engine");
    if (e->is_attached)
        engine_to_desk(e, ROAD_KILL, &k, sizeof k);
}

static void carry_one(struct engine *e, const struct fact_head *h, const void *payload,
                      const struct fact_view *event)
{
    const struct fact_moded *m = payload;
    switch (h->type) {
    case FACT_SEND:
        send_order(e, h, payload);
        break;
    case FACT_CANCEL:
        send_cancel(e, h, payload);
        break;
    case FACT_QUERY:
        send_query(e, h, payload);
        break;
    case FACT_LOOKUP:
        look_up(e, payload);
        break;
    case FACT_MODED:
        if (m->to == MODE_KILLED && m->scope != MODE_SCOPE_STRATEGY)
            say_kill(e, event->head.type == FACT_MODE ? &event->u.fact_mode : NULL);
        break;
    default:
        break;
    }
}

static void carry(struct engine *e, const struct fact_view *event)
{
    const uint8_t *p = e->out.bytes, *end = p + e->out.used;
    while (p < end && e->is_up) {
        struct fact_head h;
        memcpy(&h, p, sizeof h);
        carry_one(e, &h, p + sizeof h, event);
        p += sizeof h + h.bytes;
    }
}

/* What must be remembered of an event to answer later questions; in a replay too. */
void engine_note(struct engine *e, const struct fact_head *h, const void *payload)
{
    const struct fact_start *start = payload;
    const struct fact_exec *exec = payload;
    const struct fact_sync *sync = payload;
    const struct fact_position *position = payload;
    if (h->type == FACT_START) {
        must(e->epoch_count < ENGINE_EPOCHS);
        e->epoch_seq[e->epoch_count] = h->seq;
        e->epoch_number[e->epoch_count++] = start->epoch;
        e->epoch = start->epoch;
    } else if (h->type == FACT_SYNC && sync->phase == FACT_SYNC_WHOLE) {
        memcpy(e->cursor, sync->cursor, sizeof e->cursor);
    } else if (h->type == FACT_EXEC && exec->kind == FACT_EXEC_TRADE) {
        e->last_exec = *exec;
    } else if (h->type == FACT_POSITION && position->trade_id != 0) {
        engine_add_trade(e, position->trade_id);
    }
}

static void note_effects(struct engine *e)
{
    const uint8_t *p = e->out.bytes, *end = p + e->out.used;
    while (p < end) {
        struct fact_head h;
        memcpy(&h, p, sizeof h);
        engine_note(e, &h, p + sizeof h);
        p += sizeof h + h.bytes;
    }
}

static void step(struct engine *e, struct fact_view *v, int64_t t_ns)
{
    v->head.bytes = fact_bytes(v->head.type);
    v->head.version = fact_version(v->head.type);
    v->head.t_ns = t_ns;
    seq_number(&e->seq, &v->head);
    core_step(e->core, &v->head, &v->u, &e->out);
    put_record(e, &v->head, &v->u);
    put_effects(e);
    engine_note(e, &v->head, &v->u);
    e->counts.events++;
    watch_step(e->s->watch, &v->head, &v->u, &e->out);
    carry(e, v);
    note_effects(e);
}

static void drain_answers(struct engine *e)
{
    for (uint32_t i = 0; i < e->answer_count && e->is_up; i++) {
        struct fact_view v = e->answer[i];
        step(e, &v, e->s->now_ns);
    }
    e->answer_count = 0;
}

/* What is due goes before whatever is numbered next. */
static void take_due(struct engine *e, int64_t t_ns)
{
    while (e->is_up && seq_due(&e->seq) <= t_ns) {
        struct seq_held h;
        struct fact_view v;
        memset(&v, 0, sizeof v);
        seq_take(&e->seq, &h);
        v.head.type = FACT_SIGNAL;
        v.head.cause_seq = h.cause_seq;
        v.head.source = h.signal.instance;
        v.u.fact_signal = h.signal;
        step(e, &v, h.due_ns);
        drain_answers(e);
    }
}

void engine_event(struct engine *e, uint16_t type, const void *payload, uint32_t source)
{
    struct fact_view v;
    if (!e->is_up)
        return;
    take_due(e, e->s->now_ns);
    if (!e->is_up)
        return;
    memset(&v, 0, sizeof v);
    v.head.type = type;
    v.head.source = source;
    memcpy(&v.u, payload, fact_bytes(type));
    step(e, &v, e->s->now_ns);
    drain_answers(e);
    if (e->is_up)
        engine_store(e);
}

/* ---- time and belief ---- */

int64_t engine_deadline(const struct engine *e)
{
    if (!e->is_up)
        return INT64_MAX;
    int64_t t = core_deadline(e->core);
    if (seq_due(&e->seq) < t)
        t = seq_due(&e->seq);
    const int64_t idle = e->seq.last_ns + IDLE_NS;
    return idle < t ? idle : t;
}

void engine_time(struct engine *e)
{
    if (!e->is_up)
        return;
    take_due(e, e->s->now_ns);
    struct fact_tick tick = {.why = core_deadline(e->core) <= e->s->now_ns ? 1 : 8};
    if (e->is_up && engine_deadline(e) <= e->s->now_ns)
        engine_event(e, FACT_TICK, &tick, 0);
    else if (e->is_up)
        engine_store(e);
}

static void next_signal(struct engine *e, uint32_t strategy)
{
    const struct sim_thing t = {.kind = SIM_SIGNAL, .a = strategy};
    sim_post(e->s, SIM_PIPE_NONE, sim_between(&e->s->belief, 200 * SIM_MS, 9 * SIM_S), &t, NULL, 0,
             NULL, 0);
}

static struct fact_signal random_signal(struct engine *e, uint32_t strategy)
{
    struct rng *r = &e->s->belief;
    struct fact_signal f = {.instance = strategy,
                            .instrument = strategy,
                            .side = TN_LONG + (uint32_t)rng_below(r, 2),
                            .advice = TN_ADVICE_TARGET,
                            .target_ppm = (int32_t)rng_below(r, 1000001),
                            .horizon_ns = SIM_S,
                            .confidence_ppm = 500000};
    if (rng_below(r, 4) == 0)
        f.side = TN_FLAT;
    if (rng_below(r, 2)) {
        f.advice |= TN_ADVICE_LIMIT;
        f.limit_offset = sim_between(r, 0, 2000);
    }
    if (rng_below(r, 3) == 0) {
        f.advice |= TN_ADVICE_STOP;
        f.stop_distance = sim_between(r, 500, 20000);
    }
    if (rng_below(r, 3) == 0) {
        f.advice |= TN_ADVICE_TTL;
        f.ttl_ns = sim_between(r, SIM_S, 20 * SIM_S);
    }
    f.score_ppm = f.side == TN_LONG ? 1 : f.side == TN_SHORT ? -1 : 0;
    return f;
}

static void hold_signal(struct engine *e, const struct fact_signal *f)
{
    const enum seq_put put =
        seq_answer(&e->seq, f->instance, 0, e->seq.last_seq, e->seq.last_ns + DUE_NS, f);
    if (put != SEQ_FAULT)
        return;
    struct fact_plugin p = {.instance = f->instance, .what = FACT_PLUGIN_QUARANTINED};
    seq_drop(&e->seq, f->instance);
    engine_event(e, FACT_PLUGIN, &p, f->instance);
}

void engine_signal(struct engine *e, uint32_t strategy)
{
    next_signal(e, strategy);
    const struct fact_signal f = random_signal(e, strategy);
    if (e->is_up && !e->s->is_quiet)
        hold_signal(e, &f);
}

/* A strategy that answers nonsense, or floods. */
void engine_nonsense(struct engine *e)
{
    struct rng *r = &e->s->faults;
    struct fact_signal f = random_signal(e, 1 + (uint32_t)rng_below(r, SIM_STRATEGIES));
    const uint64_t kind = rng_below(r, 4);
    if (kind == 0)
        f.instrument = 77;
    else if (kind == 1)
        f.target_ppm = INT32_MAX;
    else if (kind == 2)
        f.limit_offset = INT64_MAX;
    for (uint32_t i = 0; i < (kind == 3 ? SEQ_HELD_PER_INSTANCE / 2 : 1u) && e->is_up; i++)
        hold_signal(e, &f);
}

void engine_kill(struct engine *e, bool keep)
{
    struct fact_mode m = {
        .scope = MODE_SCOPE_GLOBAL, .mode = MODE_KILLED, .keep_positions = keep, .by = "simulator"};
    snprintf(m.reason, sizeof m.reason, "by chance");
    engine_event(e, FACT_MODE, &m, 0);
}

/* ---- questions ---- */

bool engine_is_up(const struct engine *e)
{
    return e->is_up;
}

uint64_t engine_durable(const struct engine *e)
{
    return e->durable;
}

struct core *engine_core(const struct engine *e)
{
    return e->core;
}

void engine_counts(const struct engine *e, struct engine_counts *out)
{
    *out = e->counts;
}

void engine_begin_signals(struct engine *e)
{
    for (uint32_t i = 1; i <= SIM_STRATEGIES; i++)
        next_signal(e, i);
}
