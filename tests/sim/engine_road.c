/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's roads: it attaches to egress and says its accounts, takes what egress answers and
 * what the adapter says, and mends what it lost. In tenond this is flow/roads*.c.
 */
#include "tests/sim/engine_priv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- egress ---- */

static void say_rows(struct engine *e, const struct tn_adapter_facts *f)
{
    struct road_row *m = calloc(1, sizeof *m);
    must(m != NULL);
    for (uint32_t i = 0; i < f->row_count; i++) {
        const struct tn_wire_row *w = &f->row[i];
        memset(m, 0, sizeof *m);
        m->account = SIM_ACCOUNT;
        m->index = i;
        m->format = w->format;
        m->class_of = w->class_of;
        m->inbound = w->inbound;
        m->link = w->link;
        m->method = w->method;
        m->field_count = w->field_count;
        memcpy(m->match, w->match, sizeof m->match);
        must(w->field_count <= ROAD_FIELDS_MAX);
        if (w->field_count > 0)
            memcpy(m->field, w->field, w->field_count * sizeof *w->field);
        engine_to_desk(e, ROAD_ROW, m, sizeof *m);
    }
    free(m);
}

static void say_account(struct engine *e)
{
    const struct tn_adapter_facts *f;
    struct road_account a = {.account = SIM_ACCOUNT, .simulated = 1, .endpoint_count = 2};
    must(is_ok(agent_facts(e->s->o.adapter, &f, NULL)));
    snprintf(a.name, sizeof a.name, "paper");
    snprintf(a.endpoint[0], sizeof a.endpoint[0], "http://127.0.0.1:1");
    snprintf(a.endpoint[1], sizeof a.endpoint[1], "ws://127.0.0.1:1");
    a.client_id = f->client_id;
    a.client_id_max = f->client_id_max;
    a.validity_ns = f->validity_ns;
    a.budget_count = f->bucket_count;
    a.row_count = f->row_count;
    for (uint32_t i = 0; i < a.budget_count; i++) {
        a.budget[i].weight = f->bucket[i].weight;
        a.budget[i].per_ns = f->bucket[i].per_ns;
    }
    engine_to_desk(e, ROAD_ACCOUNT, &a, sizeof a);
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++) {
        struct road_instrument m = {.account = SIM_ACCOUNT, .def = engine_instrument(i)->def};
        memcpy(m.venue_symbol, m.def.symbol, sizeof m.def.symbol);
        engine_to_desk(e, ROAD_INSTRUMENT, &m, sizeof m);
    }
    say_rows(e, f);
    const struct road_ready ready = {.epoch = e->epoch};
    engine_to_desk(e, ROAD_READY, &ready, sizeof ready);
}

void engine_attach(struct engine *e)
{
    struct road_hello h = {
        .version = ROAD_VERSION, .link_bytes = ROAD_LINK_BYTES, .epoch = e->epoch};
    const char *why = "";
    if (!e->s->desk || e->s->is_desk_dying || e->is_attached || !e->is_up)
        return;
    memcpy(h.journal_id, e->journal_id, sizeof h.journal_id);
    snprintf(h.host, sizeof h.host, "sim");
    if (!desk_admits(e->s->desk, &h, &why)) {
        sim_violated(e->s, 8, "egress refuses epoch %lu: %s", (unsigned long)e->epoch, why);
        return;
    }
    sim_cut(e->s, SIM_PIPE_OUT);
    sim_cut(e->s, SIM_PIPE_IN);
    e->is_attached = true;
    e->open_count = 0;
    desk_attach(e->s->desk, e->s->now_ns, &h);
    say_account(e);
    office_durable(e->s, e->durable);
    office_start_bay(e->s);
}

static void doubt(struct engine *e, uint32_t phase, const struct line_sync *m)
{
    struct fact_sync f = {.account = SIM_ACCOUNT, .phase = phase};
    if (e->in_doubt && phase == FACT_SYNC_LOST)
        return;
    e->in_doubt = phase == FACT_SYNC_LOST;
    if (m) {
        f.orders = m->orders;
        f.fills = m->fills;
        memcpy(f.cursor, m->cursor, sizeof f.cursor);
    }
    engine_event(e, FACT_SYNC, &f, SIM_ACCOUNT);
}

void engine_egress_gone(struct engine *e)
{
    if (!e->is_up || !e->is_attached)
        return;
    e->is_attached = false;
    for (uint32_t i = 0; i < e->open_count && e->is_up; i++) {
        const struct fact_sent f = {.order = e->open[i].order,
                                    .attempt = e->open[i].attempt,
                                    .what = FACT_SENT_UNKNOWN,
                                    .is_cancel = e->open[i].is_cancel,
                                    .reason = FACT_SENT_REASON_NO_LINK};
        engine_event(e, FACT_SENT, &f, SIM_ACCOUNT);
    }
    e->open_count = 0;
    doubt(e, FACT_SYNC_LOST, NULL);
}

void engine_egress_here(struct engine *e)
{
    engine_attach(e);
}

void engine_bay_gone(struct engine *e)
{
    doubt(e, FACT_SYNC_LOST, NULL);
}

static void take_sent(struct engine *e, const struct road_sent *m)
{
    struct fact_sent f;
    uint32_t i = 0;
    if ((m->approval & 0xffff) >= ENGINE_STRAY)
        return; /* nobody in the core waits for it */
    while (i < e->open_count && e->open[i].approval != m->approval)
        i++;
    if (i < e->open_count)
        e->open[i] = e->open[--e->open_count];
    else if (m->class_of != TN_CLASS_QUERY)
        sim_violated(e->s, 7, "approval %lu is answered twice, or was never given",
                     (unsigned long)m->approval);
    if (road_sent_of(m, &f))
        engine_event(e, FACT_SENT, &f, SIM_ACCOUNT);
}

static void take_open(struct engine *e, const struct road_open *m)
{
    const struct fact_sent f = {.order = m->order,
                                .attempt = 1,
                                .what = m->what,
                                .is_cancel = m->class_of == TN_CLASS_CANCEL,
                                .reason = FACT_SENT_REASON_EPOCH};
    if ((m->class_of == TN_CLASS_ORDER || m->class_of == TN_CLASS_CANCEL) &&
        m->what != FACT_SENT_UNSET)
        engine_event(e, FACT_SENT, &f, SIM_ACCOUNT);
}

static void take_killed(struct engine *e, const struct road_kill *m)
{
    struct fact_mode f = {.scope = m->account == 0 ? MODE_SCOPE_GLOBAL : MODE_SCOPE_ACCOUNT,
                          .id = m->account,
                          .mode = MODE_KILLED,
                          .keep_positions = m->keep_positions};
    memcpy(f.by, m->by, sizeof f.by);
    memcpy(f.reason, m->reason, sizeof f.reason);
    engine_event(e, FACT_MODE, &f, 0);
}

void engine_road(struct engine *e, uint32_t kind, const void *bytes, uint32_t count)
{
    const struct road_net *net = bytes;
    if (kind == ROAD_SENT && count == sizeof(struct road_sent))
        take_sent(e, bytes);
    else if (kind == ROAD_OPEN && count == sizeof(struct road_open))
        take_open(e, bytes);
    else if (kind == ROAD_KILLED && count == sizeof(struct road_kill))
        take_killed(e, bytes);
    else if (kind == ROAD_NET && count == sizeof *net && !net->up && net->is_order_path)
        doubt(e, FACT_SYNC_LOST, NULL);
    else if (kind == ROAD_ALARM && count == sizeof(struct road_alarm))
        engine_alarm(e, bytes);
}

/* ---- the bay ---- */

static void name_instruments(struct road_names *n)
{
    memset(n, 0, sizeof *n);
    n->account = SIM_ACCOUNT;
    n->instrument_count = SIM_INSTRUMENTS;
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++) {
        n->instrument[i].id = i + 1;
        n->instrument[i].settle_exp = -8;
        snprintf(n->instrument[i].settle, sizeof n->instrument[i].settle, "USD");
    }
}

void engine_bay_spec(const struct engine *e, struct line_adapter *out)
{
    const struct tn_manifest *m = bay_module_entry(e->s->o.adapter)->manifest;
    memset(out, 0, sizeof *out);
    out->version = LINE_VERSION;
    out->account = SIM_ACCOUNT;
    out->epoch = e->epoch;
    out->instrument_count = SIM_INSTRUMENTS;
    out->param_count = m->param_count;
    for (uint32_t i = 0; i < m->param_count; i++)
        out->param[i] = m->params[i].def;
    memcpy(out->sha256, bay_module_facts(e->s->o.adapter)->sha256, sizeof out->sha256);
    memcpy(out->cursor, e->cursor, sizeof out->cursor);
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++) {
        const struct fact_instrument *d = &engine_instrument(i)->def;
        out->instrument[i].def = (struct tn_instrument){.size = sizeof(struct tn_instrument),
                                                        .id = d->id,
                                                        .price_exp = d->price_exp,
                                                        .qty_exp = d->qty_exp,
                                                        .tick = d->tick,
                                                        .lot = d->lot,
                                                        .price_scale = 0.01,
                                                        .qty_scale = 0.0001};
        memcpy(out->instrument[i].def.symbol, d->symbol, sizeof d->symbol);
        memcpy(out->instrument[i].venue_symbol, d->symbol, sizeof d->symbol);
    }
}

static void take_event(struct engine *e, const struct line_event *m)
{
    struct road_names names;
    struct fact_view v;
    memset(&v, 0, sizeof v);
    name_instruments(&names);
    const char *why = road_market_of(&names, &m->event, &v);
    if (why)
        sim_violated(e->s, 5, "the adapter says %s", why);
    else
        engine_event(e, v.head.type, &v.u, SIM_ACCOUNT);
}

/* An order of ours that no record tells of: a close that left ahead of its record, which then went
 * down in a crash. Nobody manages it, so it is cancelled. */
static void cancel_stray(struct engine *e, const struct fact_exec *f, const struct tn_said *said)
{
    struct road_cancel m;
    memset(&m, 0, sizeof m);
    m.approval = road_approval(e->seq.last_seq, ENGINE_STRAY + (e->strays++ & 0xff));
    m.t_ns = e->s->now_ns;
    m.cancel = (struct fact_cancel){.order = f->order,
                                    .attempt = 1,
                                    .why = FACT_CANCEL_DATA,
                                    .account = SIM_ACCOUNT,
                                    .instrument = f->instrument,
                                    .venue_order = f->venue_order};
    memcpy(m.client_id, said->client_id, sizeof m.client_id);
    if (e->is_attached)
        engine_to_desk(e, ROAD_CANCEL, &m, sizeof m);
}

/* After a crash numbers of lost events are used again, so an order is told by its epoch too. */
static bool is_stray(const struct engine *e, const struct fact_exec *f, const struct tn_said *said)
{
    struct core_order_view o;
    struct road_client id;
    if (!road_client_read(said->client_id, sizeof said->client_id, &id))
        return false;
    return id.epoch != engine_epoch_of(e, id.order) || !core_order_find(e->core, f->order, &o);
}

static void take_said(struct engine *e, const struct line_said *m)
{
    struct road_names names;
    struct fact_exec f;
    name_instruments(&names);
    if (m->said.kind == TN_SAID_UNKNOWN)
        return;
    const char *why = road_exec_of(&names, &m->said, &f);
    if (why) {
        sim_violated(e->s, 5, "the adapter says %s", why);
        return;
    }
    if (is_stray(e, &f, &m->said)) {
        if (f.kind == FACT_EXEC_NEW ||
            (f.kind == FACT_EXEC_STATUS && f.found == FACT_FOUND_WORKING))
            cancel_stray(e, &f, &m->said);
        if (f.kind != FACT_EXEC_TRADE)
            return;
        f.order = 0; /* EXTERNAL */
    }
    engine_event(e, FACT_EXEC, &f, SIM_ACCOUNT);
}

static void take_sync(struct engine *e, const struct line_sync *m)
{
    struct fact_sync again = {.account = SIM_ACCOUNT, .phase = FACT_SYNC_AGAIN};
    if (m->phase == TN_SYNC_BEGAN && !e->in_doubt)
        engine_event(e, FACT_SYNC, &again, SIM_ACCOUNT);
    else if (m->phase == TN_SYNC_WHOLE)
        doubt(e, FACT_SYNC_WHOLE, m);
}

void engine_line(struct engine *e, uint32_t kind, const void *bytes, uint32_t count)
{
    const struct line_sync *sync = bytes;
    const struct line_done *done = bytes;
    if (kind == LINE_EVENT && count == sizeof(struct line_event))
        take_event(e, bytes);
    else if (kind == LINE_SAID && count == sizeof(struct line_said))
        take_said(e, bytes);
    else if (kind == LINE_SYNC && count == sizeof *sync)
        take_sync(e, sync);
    else if (kind == LINE_DONE && count == sizeof *done && done->code != 0)
        sim_violated(e->s, 30, "the adapter is quarantined: %.160s", done->text);
}
