/* SPDX-License-Identifier: Apache-2.0
 *
 * From a template to the network: every byte that leaves passes hand_over(), and before it
 * wire_read() on those very bytes. There is no second way out.
 *
 * An approval: assemble, read again, budget, kill flag, meter, `taken` into the witness, send. All
 * of it in one go: a template that waits (for a durable record, for budget) is assembled only when
 * nothing else holds it, so that its time is fresh and what was compared is what is sent.
 */
#include <string.h>
#include "egress/desk_priv.h"
#include "base/planted.h"
#include "egress/mac.h"

/* ---- the account, as the reader sees it ---- */
static bool knows(void *arg, const char *symbol, uint32_t count)
{
    const struct desk_facts *f = facts_of(arg);
    for (uint32_t i = 0; count && i < f->instrument_count; i++)
        if (strlen(f->instrument[i].venue_symbol) == count &&
            memcmp(f->instrument[i].venue_symbol, symbol, count) == 0)
            return true;
    return false;
}

struct wire_place desk_place(struct desk_account *a)
{
    const struct desk_facts *f = facts_of(a);
    return (struct wire_place){.row = f->row,
                               .row_count = f->row_count,
                               .client_id = f->a.client_id,
                               .account = f->a.name,
                               .arg = a,
                               .knows = knows};
}

struct source {
    struct desk *d;
    struct desk_account *a;
    bool second;
};

static int32_t secret(void *arg, uint32_t field, uint8_t out[ASSEMBLE_SECRET_BYTES])
{
    struct source *s = arg;
    int32_t n = s->d->c.ops.secret(s->d->c.ops.arg, id_of(s->a), field, out);
    must(n <= DESK_SECRET_BYTES);
    bool simulated = facts_of(s->a)->a.simulated != 0;
    if (n == DESK_SECRET_OF_OTHERS)
        desk_alarm(s->d, ROAD_ALARM_SECRET, id_of(s->a), 0,
                   "not signed: its secret was added for %s accounts and it is %s; see tenon "
                   "secret list",
                   simulated ? "live" : "simulated", simulated ? "simulated" : "live");
    else if (n < 0)
        desk_alarm(s->d, ROAD_ALARM_SECRET, id_of(s->a), 0,
                   "there is no secret field %u for this account: see tenon secret list", field);
    return n;
}

static int32_t capture(void *arg, uint32_t id, const uint8_t **out)
{
    struct source *s = arg;
    if (id >= DESK_CAPTURES_MAX || !s->a->session[s->second].capture[id].is_held)
        return -1;
    const struct desk_capture *c = &s->a->session[s->second].capture[id];
    *out = (const uint8_t *)c->text;
    return (int32_t)c->count;
}

/* ---- the bytes ---- */
/* What was assembled holds secrets; it lies here no longer than it must. */
static void forget(struct desk *d)
{
    mac_wipe(d->out.bytes, (size_t)d->out.path_bytes + d->out.head_bytes + d->out.body_bytes);
}

/* d->in becomes d->out, read again. */
static enum wire_verdict build(struct desk *d, struct desk_account *a, bool second,
                               const struct wire_want *want, char why[WIRE_WHY_BYTES])
{
    const struct line_request *h = &d->in.head;
    struct source source = {d, a, second};
    struct wire_place place = desk_place(a);
    struct assemble_from from = {.head = h,
                                 .part = d->in.part,
                                 .bytes = d->in.bytes,
                                 .wall_ns = d->wall_ns,
                                 .place = &place,
                                 .want = want,
                                 .arg = &source,
                                 .secret = secret,
                                 .capture = capture};
    const struct desk_link *l = h->link < DESK_LINKS_MAX ? &a->session[second].link[h->link] : NULL;
    const char *bad = !l || !l->type ? "a link that was never opened" : assemble(&from, &d->out);
    if (bad) {
        mac_wipe(d->out.bytes, sizeof d->out.bytes);
        memcpy(why, bad, strlen(bad) + 1);
        return WIRE_UNNAMED;
    }
    struct wire_message m = {.bytes = d->out.bytes,
                             .path_bytes = d->out.path_bytes,
                             .head_bytes = d->out.head_bytes,
                             .body_bytes = d->out.body_bytes,
                             .link = h->link,
                             .type = l->type,
                             .method = h->method,
                             .class_of = h->class_of,
                             .span = d->out.span,
                             .span_count = d->out.span_count};
    enum wire_verdict v = wire_read(&place, &m, want, why);
    if (v != WIRE_SAME)
        forget(d);
    return v;
}

/* ---- budgets ---- */
static uint32_t weight_of(const struct line_request *h)
{
    return h->weight ? h->weight : 1;
}

/* When the venue lets it through; now = at once. */
static int64_t budget_when(struct desk *d, struct desk_account *a, const struct line_request *h,
                           enum rate_use use)
{
    if (a->ban_until_ns > d->now)
        return a->ban_until_ns;
    if (use == RATE_OPEN && a->hold_until_ns > d->now)
        return a->hold_until_ns;
    struct rate *r = &a->budget[h->bucket];
    return rate_fits(r, d->now, weight_of(h), use) ? d->now
                                                   : rate_when(r, d->now, weight_of(h), use);
}

static bool bucket_is_there(const struct desk_account *a, const struct line_request *h)
{
    return h->bucket < ROAD_BUDGETS_MAX &&
           (!facts_of(a)->a.budget_count || h->bucket < facts_of(a)->a.budget_count);
}

/* ---- the one way out ---- */
/* t NULL: nobody waits for an answer. */
static bool hand_over(struct desk *d, struct desk_account *a, bool second,
                      const struct desk_ticket *t)
{
    const struct line_request *h = &d->in.head;
    struct desk_message m = {.account = id_of(a),
                             .link = h->link,
                             .is_second = second,
                             .type = a->session[second].link[h->link].type,
                             .method = h->method,
                             .ticket = t ? t->number : ++d->next_ticket,
                             .wait_ns = t ? t->deadline_ns - d->now : 0,
                             .path_bytes = d->out.path_bytes,
                             .head_bytes = d->out.head_bytes,
                             .body_bytes = d->out.body_bytes,
                             .bytes = (const uint8_t *)d->out.bytes};
    int64_t count = (int64_t)m.path_bytes + m.head_bytes + m.body_bytes;
    int64_t took = d->c.ops.send(d->c.ops.arg, &m);
    forget(d);
    must(took == count || took == 0);
    if (took == 0)
        return false;
    rate_spend(&a->budget[h->bucket], d->now, weight_of(h));
    d->totals.bytes_out += (uint64_t)count;
    return true;
}

/* A ticket for what will be answered; NULL with *full = false: the link answers nothing. */
static struct desk_ticket *ticket_for(struct desk *d, struct desk_account *a, bool second,
                                      bool *full)
{
    *full = false;
    if (a->session[second].link[d->in.head.link].type != TN_LINK_HTTP)
        return NULL;
    struct desk_ticket *t = desk_ticket_new(d);
    *full = !t;
    if (!t)
        return NULL;
    t->account = a->index;
    t->link = d->in.head.link;
    t->is_second = second;
    t->generation = a->session[second].generation;
    t->deadline_ns = d->now + DESK_REPLY_NS;
    return t;
}

/* ---- approvals ---- */
static struct wire_want want_of(const struct desk *d, const struct desk_approval *p)
{
    const struct desk_facts *f = facts_of(&d->account[p->account]);
    const struct road_instrument *i = &f->instrument[p->instrument];
    return (struct wire_want){.class_of = p->class_of,
                              .side = p->side,
                              .type = TN_ORDER_LIMIT,
                              .tif = p->tif,
                              .reduce_only = p->reduce_only,
                              .qty_exp = i->def.qty_exp,
                              .price_exp = i->def.price_exp,
                              .qty = p->qty,
                              .price = p->price,
                              .t_ns = p->t_ns,
                              .symbol = i->venue_symbol,
                              .client_id = p->client_id,
                              .venue_id = p->venue_id};
}

static void differs(struct desk *d, uint32_t i, enum wire_verdict v, const char *why)
{
    struct desk_approval *p = &d->approval[i];
    struct desk_account *a = &d->account[p->account];
    uint32_t what = v == WIRE_UNNAMED  ? ROAD_ALARM_UNNAMED
                    : v == WIRE_NO_ROW ? ROAD_ALARM_INVENTED
                                       : ROAD_ALARM_MISMATCH;
    d->totals.refused_unnamed += what == ROAD_ALARM_UNNAMED;
    d->totals.refused_invented += what == ROAD_ALARM_INVENTED;
    d->totals.refused_mismatch += what == ROAD_ALARM_MISMATCH;
    desk_alarm(d, what, id_of(a), p->k, "not sent: %s", why);
    if (!p->by_stored)
        desk_fault(d, a, false, v == WIRE_NO_ROW);
    if (!desk_use_stored(d, i))
        desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_MISMATCH);
}

/* The meter and the witness, before the first byte. false: more would leave than was approved. */
static bool take(struct desk *d, uint32_t i)
{
    struct desk_approval *p = &d->approval[i];
    uint64_t seq = p->k >> ROAD_SUB_BITS;
    bool is_order = p->class_of == TN_CLASS_ORDER;
    must(p->state == DESK_READY && witness_state(&d->w->slot[i]) == WITNESS_ASKED);
    if (is_order && d->head.orders_out >= d->head.approvals)
        return false;
    d->head.orders_out += is_order;
    if (seq > d->head.seq)
        d->head.seq = seq;
    uint64_t fact[3] = {d->epoch, p->k, p->order};
    mac_sha256(d->head.hash, sizeof d->head.hash, fact, sizeof fact, d->head.hash);
    witness_write_head(d->w, &d->head);
    desk_witnessed(d, false);
    witness_move(&d->w->slot[i], WITNESS_TAKEN);
    desk_witnessed(d, false);
    p->state = DESK_FLYING;
    return true;
}

static void over_the_meter(struct desk *d, uint32_t i)
{
    struct road_kill k = {
        .wall_ns = d->now, .by = "meter", .reason = "more orders out than approved"};
    desk_alarm(d, ROAD_ALARM_METER, 0, d->approval[i].k,
               "more orders would leave than were approved: killed");
    desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_KILL);
    desk_set_killed(d, &k);
    d->killed_owed = true;
}

static void count_out(struct desk *d, const struct desk_approval *p)
{
    d->totals.orders_out += p->class_of == TN_CLASS_ORDER;
    d->totals.cancels_out += p->class_of == TN_CLASS_CANCEL;
    d->totals.queries_out += p->class_of == TN_CLASS_QUERY;
}

static void send_approved(struct desk *d, uint32_t i)
{
    struct desk_approval *p = &d->approval[i];
    struct desk_account *a = &d->account[p->account];
    bool full;
    struct desk_ticket *t = ticket_for(d, a, false, &full);
    if (full) {
        forget(d);
        arm(d, d->now + DESK_MS);
        return;
    }
    if (!take(d, i)) {
        forget(d);
        if (t)
            desk_ticket_done(d, t);
        over_the_meter(d, i);
        return;
    }
    if (p->class_of == TN_CLASS_ORDER && desk_is_closed(d, a) &&
        !PLANTED(AFTER_KILL)) { /* once more, just before */
        forget(d);
        if (t)
            desk_ticket_done(d, t);
        desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_KILL);
        return;
    }
    p->bytes = (uint64_t)d->out.path_bytes + d->out.head_bytes + d->out.body_bytes;
    if (t) {
        t->approval = i;
        t->request = p->by_stored ? 0 : d->in.head.request;
    }
    if (!hand_over(d, a, false, t)) {
        if (t)
            desk_ticket_done(d, t);
        p->bytes = 0;
        desk_answer(d, i, FACT_SENT_FAILED, FACT_SENT_REASON_NO_LINK);
        return;
    }
    count_out(d, p);
    if (!t)
        desk_answer(d, i, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    else
        arm(d, t->deadline_ns);
}

/* It has no budget now. Orders wait a little, what takes risk off waits as long as it must. What is
 * heavier than its whole budget would wait for ever. */
static void hold(struct desk *d, uint32_t i, int64_t when)
{
    struct desk_approval *p = &d->approval[i];
    bool may_wait = p->class_of == TN_CLASS_CANCEL || p->reduce_only;
    if (when == INT64_MAX && desk_use_stored(d, i)) {
        p->held_ns = 0; /* desk_release tries again at once */
        return;
    }
    if (!p->held_ns) {
        p->held_ns = d->now;
        d->totals.rate_held++;
    }
    int64_t end = p->held_ns + DESK_HOLD_NS;
    if (when == INT64_MAX || (!may_wait && d->now >= end)) {
        desk_alarm(d, ROAD_ALARM_RATE, id_of(&d->account[p->account]), p->k,
                   when == INT64_MAX ? "not sent: it is heavier than what it may use of the "
                                       "venue's rate budget"
                                     : "not sent: the venue's rate budget is used up");
        desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_RATE);
    } else {
        arm(d, may_wait || when < end ? when : end);
    }
}

static void attempt(struct desk *d, uint32_t i)
{
    struct desk_approval *p = &d->approval[i];
    struct desk_account *a = &d->account[p->account];
    enum desk_stored what =
        p->class_of == TN_CLASS_CANCEL ? DESK_STORED_CANCEL : DESK_STORED_ORDER_QUERY;
    const struct desk_template *t = p->by_stored ? &a->session[0].stored[what] : &d->template_of[i];
    if (!t->count) { /* another bay has taken over, and stored none */
        desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
        return;
    }
    const char *bad = assemble_take(t->message, t->count, &d->in);
    must(!bad);
    if (!bucket_is_there(a, &d->in.head)) {
        differs(d, i, WIRE_DIFFERENT, "a rate budget that nobody signed");
        return;
    }
    bool reduces = p->class_of == TN_CLASS_CANCEL || p->reduce_only;
    int64_t when = budget_when(d, a, &d->in.head, reduces ? RATE_REDUCE : RATE_OPEN);
    if (when > d->now) {
        hold(d, i, when);
        return;
    }
    char why[WIRE_WHY_BYTES];
    struct wire_want want = want_of(d, p);
    enum wire_verdict v = build(d, a, false, &want, why);
    if (v != WIRE_SAME)
        differs(d, i, v, why);
    else
        send_approved(d, i);
}

static bool is_durable(struct desk *d, uint32_t i)
{
    struct desk_approval *p = &d->approval[i];
    if (p->class_of != TN_CLASS_ORDER || p->seq <= d->durable || PLANTED(UNSYNCED))
        return true;
    if (d->now >= p->came_ns + DESK_STALE_NS)
        desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_STALE);
    else
        arm(d, p->came_ns + DESK_STALE_NS);
    return false;
}

/* One look at each; only the one looked at may leave the list. */
void desk_release(struct desk *d)
{
    uint32_t next;
    for (uint32_t i = d->live_first; i != DESK_NONE; i = next) {
        struct desk_approval *p = &d->approval[i];
        struct desk_account *a = &d->account[p->account];
        next = p->next;
        if (p->state != DESK_ASKED && p->state != DESK_READY)
            continue;
        if (p->class_of == TN_CLASS_ORDER && desk_is_closed(d, a) && !PLANTED(AFTER_KILL))
            desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_KILL);
        else if (p->state == DESK_ASKED && a->session[0].is_faulty && !desk_use_stored(d, i))
            desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
        else if (p->state == DESK_READY && is_durable(d, i))
            attempt(d, i);
        if (p->state == DESK_READY && p->by_stored && p->class_of != TN_CLASS_ORDER && !p->held_ns)
            attempt(d, i); /* its template was refused: now by the stored one */
    }
}

/* ---- what no approval is behind ---- */
static void passed_not(struct desk *d, struct desk_account *a, bool second, const char *why)
{
    const struct line_request *h = &d->in.head;
    desk_log(d, 2, "account %u: a request was not sent: %s", id_of(a), why);
    desk_tell_in(d, a, second, TN_IN_FAILED, h->link, 0, h->request, NULL, 0);
}

void desk_pass(struct desk *d, struct desk_account *a, bool second, const void *message,
               uint32_t count)
{
    char why[WIRE_WHY_BYTES];
    bool full;
    (void)message; /* d->in holds it */
    (void)count;
    if (!bucket_is_there(a, &d->in.head)) {
        passed_not(d, a, second, "a rate budget that nobody signed");
        return;
    }
    if (budget_when(d, a, &d->in.head, RATE_OPEN) > d->now) {
        d->totals.rate_held++;
        passed_not(d, a, second, "the venue's rate budget is used up");
        return;
    }
    enum wire_verdict v = build(d, a, second, NULL, why);
    if (v != WIRE_SAME) {
        d->totals.refused_unnamed += v == WIRE_UNNAMED;
        d->totals.refused_invented += v == WIRE_NO_ROW;
        d->totals.refused_mismatch += v == WIRE_DIFFERENT;
        desk_alarm(d, v == WIRE_NO_ROW ? ROAD_ALARM_INVENTED : ROAD_ALARM_UNNAMED, id_of(a), 0,
                   "not sent: %s", why);
        passed_not(d, a, second, why);
        desk_fault(d, a, second, v == WIRE_NO_ROW);
        return;
    }
    struct desk_ticket *t = ticket_for(d, a, second, &full);
    if (full) {
        forget(d);
        passed_not(d, a, second, "too many requests wait for a reply");
        return;
    }
    if (t)
        t->request = d->in.head.request;
    if (!hand_over(d, a, second, t)) {
        if (t)
            desk_ticket_done(d, t);
        passed_not(d, a, second, "its link is not up");
        return;
    }
    d->totals.queries_out += d->in.head.class_of == TN_CLASS_QUERY;
    if (t)
        arm(d, t->deadline_ns);
}

/* ---- the kill's own ---- */
enum desk_fired desk_fire(struct desk *d, struct desk_account *a, enum desk_stored what,
                          const struct wire_want *want, int64_t wait_ns)
{
    const struct desk_template *s = &a->session[0].stored[what];
    char why[WIRE_WHY_BYTES];
    bool full;
    if (!s->count || assemble_take(s->message, s->count, &d->in) ||
        !bucket_is_there(a, &d->in.head))
        return DESK_REFUSED;
    int64_t when = budget_when(d, a, &d->in.head, RATE_KILL);
    if (when == INT64_MAX)
        return DESK_REFUSED;
    if (when > d->now) {
        arm(d, when);
        return DESK_HELD;
    }
    enum wire_verdict v = build(d, a, false, want, why);
    if (v != WIRE_SAME) {
        desk_alarm(d, ROAD_ALARM_MISMATCH, id_of(a), 0, "a stored template was not sent: %s", why);
        return DESK_REFUSED;
    }
    struct desk_ticket *t = ticket_for(d, a, false, &full);
    if (t) {
        t->stored = what;
        t->round = a->round.number;
        t->deadline_ns = d->now + wait_ns;
    }
    if (full) {
        forget(d);
        arm(d, d->now + DESK_MS);
        return DESK_HELD;
    }
    if (!hand_over(d, a, false, t)) {
        if (t)
            desk_ticket_done(d, t);
        return DESK_UNSENT;
    }
    d->totals.cancels_out += what == DESK_STORED_CANCEL || what == DESK_STORED_CANCEL_ALL;
    d->totals.queries_out += what == DESK_STORED_POSITIONS;
    d->totals.closes_out += what == DESK_STORED_CLOSE;
    a->round.in_flight += t != NULL;
    if (t)
        arm(d, t->deadline_ns);
    return DESK_FIRED;
}
