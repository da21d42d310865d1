/* SPDX-License-Identifier: Apache-2.0
 *
 * Effects on their way out. SEND, CANCEL and QUERY go to the simulated venue of their account, or
 * over the roads (roads.h) to tenon-egress; each SEND and CANCEL is answered by a SENT event that
 * takes its turn like any other. LOOKUP is
 * answered from the journal's records. POSITION goes to belief, so that a strategy sees the host's
 * truth.
 *
 * The write-ahead rule lives here: an order that opens risk waits until its step is durable; when
 * that cannot be (the disk is full), it is not sent and the core is told so. A reduce-only order
 * and a cancel do not wait (they can only lower risk, and must work while the disk is full).
 */
#include "flow/lockstep_priv.h"
#include <string.h>

static void answer(struct lockstep *l, const struct carry_pending *p)
{
    must(l->pending_count < CARRY_PENDING_MAX);
    uint32_t at = (l->pending_head + l->pending_count) % CARRY_PENDING_MAX;
    l->pending[at] = *p;
    l->pending_count++;
}

void carry_take(struct lockstep *l, struct carry_pending *out)
{
    must(l->pending_count > 0);
    *out = l->pending[l->pending_head];
    l->pending_head = (l->pending_head + 1) % CARRY_PENDING_MAX;
    l->pending_count--;
}

static struct venue *venue_of(struct lockstep *l, uint32_t account)
{
    return account >= 1 && account <= DEPLOY_ACCOUNTS_MAX ? l->venue[account - 1] : NULL;
}

static void sent(struct lockstep *l, uint64_t order, uint32_t attempt, bool is_cancel, bool ok)
{
    struct carry_pending p = {.type = FACT_SENT, .cause_seq = l->seq.last_seq};
    p.u.sent = (struct fact_sent){.order = order,
                                  .attempt = attempt,
                                  .what = ok ? FACT_SENT_OK : FACT_SENT_FAILED,
                                  .is_cancel = is_cancel,
                                  .reason = ok ? FACT_SENT_REASON_NONE : FACT_SENT_REASON_NO_LINK};
    answer(l, &p);
}

/* Without a home in the engine: egress holds it back until its record is durable. */
static bool goes_out(struct lockstep *l, uint32_t account)
{
    return roads_has(l->roads, account) && !l->o.roads->in_engine;
}

static bool is_healthy(const struct lockstep *l)
{
    uint64_t disk_ppm;
    return l->journal == NULL || is_ok(journal_health(l->journal, &disk_ppm));
}

static struct result send(struct lockstep *l, const struct fact_head *head,
                          const struct fact_send *s, struct trail *tr)
{
    struct venue *v = venue_of(l, s->account);
    struct trail why = {0};
    struct result r = OK_RESULT;
    if (goes_out(l, s->account)) {
        roads_send(l->roads, head, s, s->reduce_only || is_healthy(l));
        return OK_RESULT;
    }
    if (v != NULL && l->journal != NULL && !s->reduce_only)
        r = journal_wait(l->journal, l->seq.last_seq, &why);
    bool no_room = r.code == RESULT_DISK_FULL || r.code == RESULT_IO;
    if (!is_ok(r) && !no_room)
        return FAIL_AS(tr, r, "%s", trail_sentence(&why, r));
    if (v != NULL && !no_room)
        venue_send(v, l->seq.last_ns, s);
    if (roads_has(l->roads, s->account))
        roads_send(l->roads, head, s, v != NULL && !no_room);
    else
        sent(l, s->order, s->attempt, false, v != NULL && !no_room);
    return OK_RESULT;
}

static void cancel(struct lockstep *l, const struct fact_head *head, const struct fact_cancel *c)
{
    struct venue *v = venue_of(l, c->account);
    if (v != NULL)
        venue_cancel(v, l->seq.last_ns, c);
    if (roads_has(l->roads, c->account))
        roads_cancel(l->roads, head, c);
    else
        sent(l, c->order, c->attempt, true, v != NULL);
}

static void query(struct lockstep *l, const struct fact_head *head, const struct fact_query *q)
{
    struct venue *v = venue_of(l, q->account);
    struct core_order_view o;
    if (v != NULL)
        venue_query(v, l->seq.last_ns, q);
    if (roads_has(l->roads, q->account) && core_order_find(l->core, q->order, &o))
        roads_query(l->roads, head, q, o.instrument);
}

/* Executions that do not come: the way they come by is reconciled anew, once for an order; what is
 * missing then, the core has ended without. */
static void alert(struct lockstep *l, const struct fact_alert *a)
{
    struct core_order_view o;
    bool is_live = false;
    if (a->what != FACT_ALERT_MISSING_FILLS || !roads_has(l->roads, a->account))
        return;
    for (uint32_t i = 0; !is_live && core_order(l->core, i, &o); i++)
        is_live = o.order == a->order;
    roads_withheld(l->roads, a, !is_live);
}

static void moded(struct lockstep *l, const struct fact_moded *m)
{
    const struct fact_head *event = (const struct fact_head *)(const void *)l->step_bytes;
    if (l->roads != NULL)
        roads_mode(l->roads, m, event->type == FACT_MODE ? (const void *)(event + 1) : NULL);
}

/* Looks through the journal for the fill. Cold: the whole chain is read. */
static struct result look_up(struct lockstep *l, const struct fact_lookup *q,
                             struct fact_found *out, struct trail *tr)
{
    *out = (struct fact_found){.order = q->order,
                               .trade_id = q->trade_id,
                               .account = q->account,
                               .instrument = q->instrument};
    if (l->journal == NULL)
        return OK_RESULT;
    TRY(journal_wait(l->journal, l->seq.last_seq, tr));
    struct journal_store *store = NULL;
    struct journal_reader *reader = NULL;
    TRY(journal_store_rocksdb(l->o.journal_dir, false, true, &store, tr));
    struct result r = journal_reader_open(store, &reader, tr);
    struct fact_head head;
    const void *payload;
    while (is_ok(r) && is_ok(r = journal_reader_next(reader, &head, &payload, tr))) {
        if (head.type == FACT_INTENT) {
            const struct fact_intent *i = payload;
            if (i->intent == q->order)
                out->strategy = i->strategy;
        }
        if (head.type != FACT_EXEC)
            continue;
        const struct fact_exec *e = payload;
        bool same = e->kind == FACT_EXEC_TRADE && e->trade_id == q->trade_id &&
                    e->account == q->account && e->instrument == q->instrument;
        if (same && head.seq < l->seq.last_seq)
            out->booked = 1;
        if (same && head.seq == l->seq.last_seq) {
            out->side = e->side;
            out->last_qty = e->last_qty;
            out->last_price = e->last_price;
            out->fee = e->fee;
        }
    }
    if (reader != NULL)
        journal_reader_close(reader);
    store->ops->close(store);
    return r.code == RESULT_END ? OK_RESULT : r;
}

static struct result lookup(struct lockstep *l, const struct fact_lookup *q, struct trail *tr)
{
    struct carry_pending p = {.type = FACT_FOUND, .cause_seq = l->seq.last_seq};
    TRY(look_up(l, q, &p.u.found, tr));
    answer(l, &p);
    return OK_RESULT;
}

static struct result carry_one(struct lockstep *l, const struct fact_head *head,
                               const void *payload, struct trail *tr)
{
    switch (head->type) {
    case FACT_SEND:
        return send(l, head, payload, tr);
    case FACT_CANCEL:
        cancel(l, head, payload);
        return OK_RESULT;
    case FACT_QUERY:
        query(l, head, payload);
        return OK_RESULT;
    case FACT_MODED:
        moded(l, payload);
        return OK_RESULT;
    case FACT_ALERT:
        alert(l, payload);
        return OK_RESULT;
    case FACT_LOOKUP:
        return lookup(l, payload, tr);
    case FACT_POSITION:
        if (l->plant.belief != NULL)
            belief_event(l->plant.belief, head, payload);
        return OK_RESULT;
    case FACT_DECISION:
    case FACT_FLIPPED:
        swap_effect(l, head, payload);
        return OK_RESULT;
    case FACT_IGNORED:
        if (l->registry != NULL)
            registry_take(l->registry, head, payload);
        swap_effect(l, head, payload);
        return OK_RESULT;
    default:
        return OK_RESULT; /* facts for readers */
    }
}

struct result carry_effects(struct lockstep *l, struct trail *tr)
{
    const uint8_t *p = l->out.bytes;
    const uint8_t *end = p + l->out.used;
    struct result r = OK_RESULT;
    while (p < end && is_ok(r)) {
        const struct fact_head *head = (const struct fact_head *)(const void *)p;
        must(head->seq == l->seq.last_seq);
        r = carry_one(l, head, head + 1, tr);
        p += sizeof *head + head->bytes;
    }
    return r;
}
