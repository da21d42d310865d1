/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine says: the facts of accounts, approvals, and the words about kill and leaving.
 *
 * The engine is trusted, and looked at all the same: a message of the wrong size, an order whose
 * number does not rise, an account nobody named is said and has no effect. Facts are said anew by
 * every engine; they lie beside the old ones until READY, so that a kill in between has whole ones.
 */
#include <string.h>
#include "egress/desk_priv.h"

static bool account_is_whole(const struct road_account *a)
{
    return a->account && a->endpoint_count <= ROAD_ENDPOINTS_MAX &&
           a->budget_count <= ROAD_BUDGETS_MAX && memchr(a->name, 0, sizeof a->name) &&
           memchr(a->secret, 0, sizeof a->secret);
}

static void take_account(struct desk *d, const struct road_account *a)
{
    struct desk_account *to = desk_account_of(d, a->account);
    if (!to && account_is_whole(a) && d->account_count < DESK_ACCOUNTS_MAX) {
        to = &d->account[d->account_count++];
        to->id = a->account;
    }
    if (!to || !account_is_whole(a)) {
        desk_alarm(d, ROAD_ALARM_LINE, a->account, 0, "the engine's account cannot be used");
        return;
    }
    struct desk_facts *f = &to->facts[!to->active];
    memset(f, 0, sizeof *f);
    f->a = *a;
    f->is_there = true;
}

static struct desk_facts *staged(struct desk *d, uint32_t account)
{
    struct desk_account *a = desk_account_of(d, account);
    struct desk_facts *f = a ? &a->facts[!a->active] : NULL;
    return f && f->is_there && f->a.account == account ? f : NULL;
}

static void take_instrument(struct desk *d, const struct road_instrument *i)
{
    struct desk_facts *f = staged(d, i->account);
    if (!f || f->instrument_count == DESK_INSTRUMENTS_MAX || !i->def.id || i->def.tick <= 0 ||
        i->def.lot <= 0 || !memchr(i->venue_symbol, 0, sizeof i->venue_symbol))
        desk_alarm(d, ROAD_ALARM_LINE, i->account, 0, "the engine's instrument cannot be used");
    else
        f->instrument[f->instrument_count++] = *i;
}

static bool row_is_whole(const struct road_row *r)
{
    bool whole = r->field_count <= ROAD_FIELDS_MAX && memchr(r->match, 0, sizeof r->match);
    for (uint32_t i = 0; whole && i < r->field_count; i++)
        whole = memchr(r->field[i].path, 0, sizeof r->field[i].path) &&
                memchr(r->field[i].value, 0, sizeof r->field[i].value);
    return whole;
}

static void take_row(struct desk *d, const struct road_row *r)
{
    struct desk_facts *f = staged(d, r->account);
    if (!f || f->row_count == DESK_ROWS_MAX || !row_is_whole(r))
        desk_alarm(d, ROAD_ALARM_LINE, r->account, 0, "the engine's wire row cannot be used");
    else
        f->row[f->row_count++] = *r;
}

/* Budgets go on over a restart of the engine: the venue's windows do, too. */
static void use_facts(struct desk *d, struct desk_account *a)
{
    struct desk_facts *old = &a->facts[a->active], *now = &a->facts[!a->active];
    if (!now->is_there)
        return;
    bool same = old->a.budget_count == now->a.budget_count &&
                memcmp(old->a.budget, now->a.budget, sizeof old->a.budget) == 0;
    for (uint32_t i = 0; !same && i < ROAD_BUDGETS_MAX; i++)
        rate_init(&a->budget[i], i < now->a.budget_count ? now->a.budget[i].weight : 0,
                  i < now->a.budget_count ? now->a.budget[i].per_ns : 0);
    a->active = !a->active;
    old->is_there = false;
    old->a.account = 0;
    const struct road_kill *k = witness_killed(d->w, now->a.account);
    if (k && !a->round.is_on && !a->round.is_done)
        desk_round_start(d, a, k->keep_positions);
}

static void take_ready(struct desk *d, const struct road_ready *r)
{
    if (r->epoch != d->epoch) {
        desk_alarm(d, ROAD_ALARM_LINE, 0, 0, "READY of another epoch");
        return;
    }
    for (uint32_t i = 0; i < d->account_count; i++)
        use_facts(d, &d->account[i]);
    d->is_ready = true;
}

static uint32_t instrument_of(const struct desk_account *a, uint32_t id)
{
    const struct desk_facts *f = facts_of(a);
    for (uint32_t i = 0; i < f->instrument_count; i++)
        if (f->instrument[i].def.id == id)
            return i;
    return DESK_NONE;
}

/* An approval that has no slot: its answer is said at once, or never. */
static void refuse(struct desk *d, const struct desk_approval *a, uint32_t reason)
{
    struct road_sent s = {.approval = a->k,
                          .t_ns = d->now,
                          .sent = {.order = a->order,
                                   .attempt = a->attempt,
                                   .what = FACT_SENT_SUPPRESSED,
                                   .is_cancel = a->class_of == TN_CLASS_CANCEL,
                                   .reason = reason},
                          .class_of = a->class_of};
    d->totals.suppressed++;
    d->totals.burned++;
    if (!d->is_attached || !d->c.ops.to_core(d->c.ops.arg, ROAD_SENT, &s, sizeof s))
        desk_log(d, 4, "approval %llu was refused and the engine could not be told",
                 (unsigned long long)a->k);
}

static void witness_asked(struct desk *d, uint32_t i)
{
    const struct desk_approval *a = &d->approval[i];
    struct witness_slot *s = &d->w->slot[i];
    witness_move(s, WITNESS_UNSET);
    s->what = s->reason = s->is_told = 0;
    s->account = id_of(&d->account[a->account]);
    s->instrument = a->instrument == DESK_NONE
                        ? 0
                        : facts_of(&d->account[a->account])->instrument[a->instrument].def.id;
    s->class_of = a->class_of;
    s->epoch = d->epoch;
    s->approval = a->k;
    s->order = a->order;
    s->attempt = a->attempt;
    memcpy(s->client_id, a->client_id, sizeof s->client_id);
    witness_move(s, WITNESS_ASKED);
    desk_witnessed(d, false);
    if (a->class_of == TN_CLASS_ORDER) { /* the meter's other side */
        d->head.approvals++;
        witness_write_head(d->w, &d->head);
    }
}

/* Nobody gets new risk that could not be taken back without a bay. */
static bool can_cancel(const struct desk_account *a)
{
    const struct desk_template *t = a->session[0].stored;
    return t[DESK_STORED_CANCEL].count && t[DESK_STORED_CANCEL_ALL].count;
}

static void admit(struct desk *d, uint32_t i)
{
    struct desk_approval *a = &d->approval[i];
    struct desk_account *at = &d->account[a->account];
    if (a->class_of == TN_CLASS_ORDER && desk_is_closed(d, at)) {
        desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_KILL);
    } else if (a->class_of == TN_CLASS_ORDER && !a->reduce_only && !can_cancel(at)) {
        d->totals.no_template++;
        desk_alarm(d, ROAD_ALARM_NO_TEMPLATE, id_of(at), a->k,
                   "no order leaves: the adapter gave no stored cancel and cancel-all");
        desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    } else {
        desk_ask(d, i);
    }
}

static void take_approval(struct desk *d, const struct desk_approval *from, uint32_t account,
                          uint32_t instrument)
{
    struct desk_account *at = desk_account_of(d, account);
    d->totals.approvals++;
    bool rises = from->class_of != TN_CLASS_ORDER || from->k > d->last_k;
    if (rises && from->class_of == TN_CLASS_ORDER)
        d->last_k = from->k;
    if (from->t_ns > d->last_t_ns)
        d->last_t_ns = from->t_ns;
    if (!d->is_ready || !at || !facts_of(at)->is_there || !rises ||
        !memchr(from->client_id, 0, sizeof from->client_id)) {
        refuse(d, from, FACT_SENT_REASON_EPOCH);
        return;
    }
    uint32_t i;
    desk_slot_take(d, &i);
    if (i == DESK_NONE) {
        refuse(d, from, FACT_SENT_REASON_RATE);
        return;
    }
    struct desk_approval *a = &d->approval[i];
    uint32_t before = a->before;
    *a = *from;
    a->before = before;
    a->next = DESK_NONE;
    a->state = DESK_ASKED;
    a->account = at->index;
    a->instrument = instrument_of(at, instrument);
    a->came_ns = d->now;
    witness_asked(d, i);
    if (a->instrument == DESK_NONE)
        desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_MISMATCH);
    else
        admit(d, i);
}

static void take_order(struct desk *d, const struct road_order *o)
{
    struct desk_approval a = {.k = o->approval,
                              .seq = o->seq,
                              .t_ns = o->t_ns,
                              .class_of = TN_CLASS_ORDER,
                              .order = o->send.order,
                              .attempt = o->send.attempt,
                              .side = o->send.side,
                              .tif = o->send.tif,
                              .reduce_only = o->send.reduce_only,
                              .qty = o->send.qty,
                              .price = o->send.price};
    memcpy(a.client_id, o->send.client_id, sizeof o->send.client_id);
    take_approval(d, &a, o->send.account, o->send.instrument);
}

static void venue_id(struct desk_approval *a, uint64_t id)
{
    char digits[24];
    uint32_t n = 0;
    for (; id; id /= 10)
        digits[n++] = (char)('0' + id % 10);
    for (uint32_t i = 0; i < n; i++)
        a->venue_id[i] = digits[n - 1 - i];
}

static void take_cancel(struct desk *d, const struct road_cancel *c)
{
    struct desk_approval a = {.k = c->approval,
                              .t_ns = c->t_ns,
                              .class_of = TN_CLASS_CANCEL,
                              .order = c->cancel.order,
                              .attempt = c->cancel.attempt};
    memcpy(a.client_id, c->client_id, sizeof a.client_id);
    venue_id(&a, c->cancel.venue_order);
    take_approval(d, &a, c->cancel.account, c->cancel.instrument);
}

static void take_query(struct desk *d, const struct road_query *q)
{
    struct desk_approval a = {.k = q->approval,
                              .t_ns = q->t_ns,
                              .class_of = TN_CLASS_QUERY,
                              .order = q->query.order,
                              .attempt = q->query.attempt};
    memcpy(a.client_id, q->client_id, sizeof a.client_id);
    take_approval(d, &a, q->query.account, q->instrument);
}

/* Ends the rounds of accounts it lifted, and no others: a flatten goes on. */
static void take_lift(struct desk *d, const struct road_kill *k)
{
    bool was_killed[DESK_ACCOUNTS_MAX];
    for (uint32_t i = 0; i < d->account_count; i++)
        was_killed[i] = desk_is_killed(d, id_of(&d->account[i]));
    witness_lift(d->w, k->account);
    desk_witnessed(d, true);
    d->totals.is_killed = desk_any_killed(d);
    for (uint32_t i = 0; i < d->account_count; i++)
        if (was_killed[i] && !desk_is_killed(d, id_of(&d->account[i])))
            d->account[i].round.is_on = d->account[i].round.is_done = false;
    desk_log(d, 2, "the kill of account %u (0 = all) was lifted by %.31s", k->account, k->by);
}

/* A round that closes and has not ended says FLATTENED by itself. One that keeps positions, or only
 * looks again after its end, would not: it begins anew. */
static void take_flat(struct desk *d, const struct road_flat *f)
{
    struct desk_account *a = desk_account_of(d, f->account);
    if (a && (!a->round.is_on || a->round.keep_positions || a->round.is_done))
        desk_round_start(d, a, false);
}

static void take_leave(struct desk *d, const struct road_leave *l)
{
    d->is_ready = false; /* nothing new; what is open ends as it would */
    for (uint32_t i = 0; !l->keep && i < d->account_count; i++) {
        desk_close_links(d, &d->account[i], false);
        desk_close_links(d, &d->account[i], true);
    }
}

static uint32_t road_bytes(uint32_t kind)
{
    switch (kind) {
#define X(id, name, payload, direction, text)                                                      \
    case id:                                                                                       \
        return sizeof(struct payload);
        ROADS(X)
#undef X
    default:
        return 0;
    }
}

static void take(struct desk *d, uint32_t kind, const void *p)
{
    switch (kind) {
    case ROAD_ACCOUNT:
        take_account(d, p);
        break;
    case ROAD_INSTRUMENT:
        take_instrument(d, p);
        break;
    case ROAD_ROW:
        take_row(d, p);
        break;
    case ROAD_READY:
        take_ready(d, p);
        break;
    case ROAD_ORDER:
        take_order(d, p);
        break;
    case ROAD_CANCEL:
        take_cancel(d, p);
        break;
    case ROAD_QUERY:
        take_query(d, p);
        break;
    case ROAD_KILL:
        desk_set_killed(d, p);
        break;
    case ROAD_LIFT:
        take_lift(d, p);
        break;
    case ROAD_FLAT:
        take_flat(d, p);
        break;
    default:
        take_leave(d, p);
        break;
    }
}

void desk_road_take(struct desk *d, uint32_t kind, const void *bytes, uint32_t count)
{
    if (kind < ROAD_ACCOUNT || kind > ROAD_ROW || count != road_bytes(kind))
        desk_alarm(d, ROAD_ALARM_LINE, 0, 0, "the engine's message %u of %u bytes is none", kind,
                   count);
    else
        take(d, kind, bytes);
}
