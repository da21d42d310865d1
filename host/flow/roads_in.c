/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes back. Egress is ours and is believed; a bay is not: what it says is measured and
 * checked (road.c), and one word that cannot be ends it. A line is read only while there is room to
 * hold what it says, so a flood waits in its own ring.
 */
#include <stdio.h>
#include <string.h>
#include "flow/roads_priv.h"

/* ---- time ---- */

/* When an input counts: in script time when it says so, else at egress's stamp, as far as that can
 * be believed. */
static int64_t due_of(const struct roads *r, int64_t script_ns, int64_t stamp_ns)
{
    if (r->o.is_script)
        return script_ns != 0 ? script_ns : INT64_MIN;
    const int64_t now = clock_wall(r->setup.clock);
    return stamp_ns > 0 && stamp_ns < now ? stamp_ns : now;
}

struct look {
    int64_t last_ns, mono_ns;
    uint32_t last_class;
};

/* Came after an event that should have come after it? Classes at one time: see enum fact_class; a
 * venue's answers go before ticks and market data. */
static void note_time(struct roads *r, const struct look *k, int64_t due_ns, uint32_t class_of)
{
    if (!r->o.is_script || due_ns == INT64_MIN)
        return;
    bool later_class = k->last_class == FACT_CLASS_TICK || k->last_class == FACT_CLASS_MARKET;
    bool is_late = due_ns < k->last_ns ||
                   (due_ns == k->last_ns && later_class && class_of == FACT_CLASS_VENUE);
    if (is_late && r->totals.late++ < LATE_SAID && r->setup.log != NULL)
        log_now(r->setup.log, LOG_WARN, NULL,
                "%s due at %ld came %.3f ms of market time after it; its place in the run is lost",
                class_of == FACT_CLASS_VENUE ? "an answer" : "market data", (long)due_ns,
                (double)(k->last_ns - due_ns) / 1e6);
    int64_t room = roads_room(r, due_ns, k->mono_ns);
    if (room < r->totals.least_room_ns)
        r->totals.least_room_ns = room;
}

/* A venue on script time runs ahead by a quarter of its latency: what is left of that when its data
 * come was not spent on the way. */
static void note_feed(struct roads *r, const struct roads_account *a, const struct look *k,
                      int64_t t_ns)
{
    if (!r->o.is_script)
        return;
    int64_t lead = a->latency_ns / 4 * 1000 / r->o.script_speed;
    roads_trip(&r->feed, lead - roads_room(r, t_ns, k->mono_ns));
}

/* ---- egress ---- */

static void take_sent(struct roads *r, const struct look *k, const struct road_sent *s)
{
    struct roads_approval *a = roads_find(r, s->approval);
    if (a == NULL && (s->approval & ((1u << ROAD_SUB_BITS) - 1)) >= STRAY_SUB)
        return; /* of a cancel that nobody waits for */
    if (a == NULL) {
        r->totals.refused++;
        return;
    }
    r->totals.sents++;
    roads_trip(&r->trip, k->mono_ns - a->mono_ns);
    struct roads_approval done = *a;
    roads_done(r, a);
    note_time(r, k, done.t_ns + r->account[done.account - 1].latency_ns / 2, FACT_CLASS_VENUE);
    roads_hold_sent(r, &done, s->sent.what, s->sent.reason);
}

/* Does an order wait to hear what became of an attempt? Egress remembers thousands of approvals and
 * tells all of them at each attachment; nearly all are of orders that have ended long ago. */
static bool is_awaited(const struct roads *r, uint64_t order)
{
    struct core_order_view o;
    return core_order_find(r->setup.core, order, &o) &&
           (o.state == ORDER_STATE_SENDING || o.state == ORDER_STATE_UNKNOWN ||
            o.state == ORDER_STATE_PEND_CANCEL || o.state == ORDER_STATE_QUARANTINE);
}

/* An order that left, and whose record the end of its epoch took: by now its number is of a later
 * epoch's event, or of none yet. The journal is told that it was there. */
static void note_unrecorded(struct roads *r, const struct road_open *o)
{
    struct fact_unrecorded e = {
        .order = o->order, .epoch = o->epoch, .account = o->account, .what = o->what};
    bool left = o->what == FACT_SENT_OK || o->what == FACT_SENT_UNKNOWN;
    if (!left || roads_is_pruned(r, o->order) || o->class_of != TN_CLASS_ORDER ||
        !roads_has(r, o->account) || o->epoch == r->setup.epoch ||
        roads_epoch(r, o->order) == o->epoch)
        return;
    roads_hold(r, due_of(r, 0, 0), RANK_CONTROL, o->account, o->approval, 0, FACT_UNRECORDED, &e);
}

/* An approval of an earlier epoch: what became of it, when it is an order of ours. */
static void take_open(struct roads *r, const struct road_open *o)
{
    note_unrecorded(r, o);
    struct fact_sent e = {.order = o->order,
                          .what = o->what,
                          .is_cancel = o->class_of == TN_CLASS_CANCEL,
                          .reason = FACT_SENT_REASON_EPOCH};
    bool is_ours = o->class_of == TN_CLASS_ORDER || o->class_of == TN_CLASS_CANCEL;
    is_ours = is_ours && is_awaited(r, o->order);
    if (is_ours && roads_has(r, o->account) && o->what != FACT_SENT_UNSET)
        roads_hold(r, due_of(r, 0, 0), RANK_SENT, o->account, o->approval,
                   road_approval_seq(o->approval), FACT_SENT, &e);
}

static void take_killed(struct roads *r, const struct road_kill *m)
{
    struct fact_mode e = {.scope = m->account == 0 ? MODE_SCOPE_GLOBAL : MODE_SCOPE_ACCOUNT,
                          .id = m->account,
                          .mode = MODE_KILLED,
                          .keep_positions = m->keep_positions};
    memcpy(e.by, m->by, sizeof e.by);
    memcpy(e.reason, m->reason, sizeof e.reason);
    e.by[sizeof e.by - 1] = e.reason[sizeof e.reason - 1] = 0;
    roads_hold(r, due_of(r, 0, 0), RANK_CONTROL, m->account, 0, 0, FACT_MODE, &e);
}

static void take_net(struct roads *r, const struct road_net *m)
{
    if (!roads_has(r, m->account))
        return;
    struct roads_account *a = &r->account[m->account - 1];
    if (r->setup.log != NULL)
        log_now(r->setup.log, m->up ? LOG_INFO : LOG_WARN, NULL,
                "account %s: connection %u is %s%s%.*s", a->name, m->link, m->up ? "up" : "down",
                m->text[0] ? ": " : "", (int)sizeof m->text, m->text);
    if (!m->up && m->is_order_path)
        roads_doubt(r, a, FACT_SYNC_LOST, "its connection is down", NULL);
}

static void take_flat(struct roads *r, const struct road_flat *m)
{
    if (!roads_has(r, m->account))
        return;
    r->account[m->account - 1].is_flattening = false;
    if (r->setup.log != NULL)
        log_now(r->setup.log, LOG_INFO, NULL, "account %s: flat after %u cancels and %u closes",
                r->account[m->account - 1].name, m->cancelled, m->closed);
}

static void take_alarm(const struct roads *r, const struct road_alarm *m)
{
    const char *name = roads_has(r, m->account) ? r->account[m->account - 1].name : "-";
    if (r->setup.log != NULL)
        log_now(r->setup.log, LOG_ERROR, NULL, "tenon-egress, account %s: %.*s", name,
                (int)sizeof m->text, m->text);
}

static void take_road(struct roads *r, const struct look *k, const struct link_message *m)
{
    const void *p = r->buffer;
    switch (m->kind) {
    case ROAD_SENT:
        if (m->bytes == sizeof(struct road_sent))
            take_sent(r, k, p);
        break;
    case ROAD_OPEN:
        if (m->bytes == sizeof(struct road_open))
            take_open(r, p);
        break;
    case ROAD_KILLED:
        if (m->bytes == sizeof(struct road_kill))
            take_killed(r, p);
        break;
    case ROAD_NET:
        if (m->bytes == sizeof(struct road_net))
            take_net(r, p);
        break;
    case ROAD_ALARM:
        if (m->bytes == sizeof(struct road_alarm))
            take_alarm(r, p);
        break;
    case ROAD_FLATTENED:
        if (m->bytes == sizeof(struct road_flat))
            take_flat(r, p);
        break;
    default:
        break; /* ATTACHED: figures for people */
    }
}

/* ---- bays ---- */

/* Accounts of one deployment listen to the same instruments: the first one's data are taken. */
static bool gives_market(const struct roads *r, const struct roads_account *a)
{
    uint32_t i = 0;
    while (!r->account[i].is_used)
        i++;
    return a == &r->account[i];
}

static const char *take_event(struct roads *r, struct roads_account *a, const struct look *k,
                              const struct line_event *m)
{
    struct road_held h = {0};
    const char *why = road_market_of(&a->names, &m->event, &h.fact);
    if (why != NULL || !gives_market(r, a))
        return why;
    h.due_ns = due_of(r, m->event.t_ns, m->stamp_ns);
    h.fact.head.t_ns = h.due_ns;
    h.source = a->names.account;
    r->totals.events++;
    note_time(r, k, h.due_ns, FACT_CLASS_MARKET);
    note_feed(r, a, k, h.due_ns);
    roads_given(a, &m->event);
    road_hold_put(&r->market, &h);
    return NULL;
}

/* While two sessions stand, the data of one are enough; those of the other are kept for the gap. */
static const char *take_spare(struct roads_account *a, const struct line_event *m)
{
    struct fact_view unused;
    const char *why = road_market_of(&a->names, &m->event, &unused);
    if (why == NULL)
        roads_spare(a, m);
    return why;
}

static void close_gap(struct roads *r, struct roads_account *a, const struct look *k)
{
    struct line_event m;
    uint32_t lost = 0;
    while (roads_spare_next(a, &m)) {
        if (road_hold_has_room(&r->market))
            (void)take_event(r, a, k, &m);
        else
            lost++;
    }
    if (lost > 0 && r->setup.log != NULL)
        log_now(r->setup.log, LOG_ERROR, NULL,
                "account %s: %u market events between the two adapters found no room and are lost",
                a->name, lost);
    roads_spare_end(a);
}

/* An order that bears an id of ours and that the core does not have: one that left before its
 * record was durable (a close may), and whose record was lost. Nobody wants it: it is cancelled by
 * exactly its client id, and the answer is nobody's. */
static void cancel_stray(struct roads *r, struct roads_account *a, const struct tn_said *s)
{
    struct road_client id = {0};
    struct road_cancel m = {.t_ns = core_now(r->setup.core)};
    const uint64_t seq = core_seq(r->setup.core);
    r->stray_count = r->stray_seq == seq ? r->stray_count + 1 : 0;
    r->stray_seq = seq;
    if (!r->is_attached || r->stray_count >= STRAYS)
        return;
    must(road_client_read(s->client_id, sizeof s->client_id, &id));
    m.approval = road_approval(seq, STRAY_SUB + r->stray_count);
    m.cancel = (struct fact_cancel){.order = id.order,
                                    .attempt = id.attempt,
                                    .why = FACT_CANCEL_REMOVE,
                                    .account = a->names.account,
                                    .instrument = s->instrument,
                                    .venue_order = road_number(s->venue_id, sizeof s->venue_id)};
    memcpy(m.client_id, s->client_id, sizeof m.client_id);
    (void)road_link_put(&r->link, ROAD_CANCEL, &m, sizeof m);
    link_ring(&r->link.link);
    if (r->setup.log != NULL)
        log_now(r->setup.log, LOG_WARN, NULL,
                "account %s: order %.*s is at the venue and in no record of ours: it is cancelled",
                a->name, (int)sizeof s->client_id, s->client_id);
}

/* Is it about an order that the core has? An id of another epoch than its event's is of a record
 * that was lost; its number may have been used again. */
static bool is_known(struct roads *r, struct roads_account *a, const struct tn_said *s,
                     struct fact_exec *e)
{
    struct road_client id = {0};
    struct core_order_view o;
    if (!road_client_read(s->client_id, sizeof s->client_id, &id))
        return true;
    const bool is_its_epoch = roads_is_pruned(r, id.order)
                                  ? r->epoch_count == 0 || id.epoch < r->epoch[0].epoch
                                  : roads_epoch(r, id.order) == id.epoch;
    if (is_its_epoch && core_order_find(r->setup.core, id.order, &o))
        return true;
    bool works =
        e->kind == FACT_EXEC_NEW || (e->kind == FACT_EXEC_STATUS && e->found == FACT_FOUND_WORKING);
    if (works)
        cancel_stray(r, a, s);
    if (is_its_epoch)
        return true; /* long ended, perhaps: the core looks it up */
    e->order = 0;
    return e->kind == FACT_EXEC_TRADE || e->kind == FACT_EXEC_BUST;
}

static const char *take_said(struct roads *r, struct roads_account *a, const struct look *k)
{
    const struct line_said *m = (const struct line_said *)(const void *)r->buffer;
    struct fact_exec e;
    if (m->said.kind == TN_SAID_UNKNOWN) {
        if (r->setup.log != NULL)
            log_now(r->setup.log, LOG_ERROR, NULL,
                    "account %s: the venue said a word that its adapter does not know: %.*s",
                    a->name, (int)sizeof m->said.text, m->said.text);
        return NULL;
    }
    const char *why = road_exec_of(&a->names, &m->said, &e);
    if (why != NULL)
        return why;
    const int64_t due = due_of(r, m->said.due_ns, m->stamp_ns);
    r->totals.said++;
    if (!is_known(r, a, &m->said, &e))
        return NULL;
    note_time(r, k, due, FACT_CLASS_VENUE);
    roads_hold(r, due, RANK_EXEC, a->names.account, e.order, e.order >> 10, FACT_EXEC, &e);
    return NULL;
}

/* The new session is reconciled: from here on it is the one. */
static void take_over(struct roads *r, struct roads_account *a, const struct look *k,
                      const struct line_sync *m)
{
    if (!roads_take_over(r, a))
        return;
    close_gap(r, a, k);
    roads_doubt(r, a, FACT_SYNC_WHOLE, "a new adapter was reconciled and took over", m);
}

static void take_sync(struct roads *r, struct roads_account *a, struct road_agent *bay,
                      const struct look *k)
{
    const struct line_sync *m = (const struct line_sync *)(const void *)r->buffer;
    if (bay == &a->second) { /* what it does not find is asked for, as after any other */
        if (m->phase == TN_SYNC_BEGAN)
            roads_doubt(r, a, FACT_SYNC_AGAIN, "a new adapter is reconciled beside the old one", m);
        else if (m->phase == TN_SYNC_WHOLE)
            take_over(r, a, k, m);
    } else if (m->phase == TN_SYNC_BEGAN) {
        roads_doubt(r, a, FACT_SYNC_AGAIN, "what it does not find is asked for", m);
    } else if (m->phase == TN_SYNC_WHOLE) {
        roads_doubt(r, a, FACT_SYNC_WHOLE, "reconciled with its venue", m);
    } /* FAILED: it will be tried again */
}

/* Its lines are words for people, so a flood of them is cut, and that is said once. */
static void take_log(const struct roads *r, struct roads_account *a, int64_t mono_ns,
                     uint32_t bytes)
{
    const struct line_log *m = (const struct line_log *)(const void *)r->buffer;
    uint32_t count = bytes - (uint32_t)sizeof *m;
    if (mono_ns - a->logs_ns >= 1000000000) {
        a->logs_ns = mono_ns;
        a->logs = 0;
    }
    if (r->setup.log == NULL || a->logs++ > ROADS_LOGS)
        return;
    if (a->logs > ROADS_LOGS)
        log_now(r->setup.log, LOG_WARN, NULL,
                "adapter of account %s: over %d lines in a second; the rest of them is left out",
                a->name, ROADS_LOGS);
    else
        log_now(r->setup.log, LOG_INFO, NULL, "adapter of account %s: %.*s", a->name,
                (int)(m->count < count ? m->count : count), (const char *)r->buffer + sizeof *m);
}

/* NULL, or why this bay is no good. */
static const char *take_word(struct roads *r, struct roads_account *a, struct road_agent *bay,
                             const struct look *k, const struct link_message *m)
{
    static const char wrong[] = "a message of another length";
    const struct line_done *done = (const struct line_done *)(const void *)r->buffer;
    const struct line_event *event = (const struct line_event *)(const void *)r->buffer;
    switch (m->kind) {
    case LINE_EVENT:
        if (m->bytes != sizeof(struct line_event))
            return wrong;
        return bay == &a->bay ? take_event(r, a, k, event) : take_spare(a, event);
    case LINE_SAID:
        return m->bytes == sizeof(struct line_said) ? take_said(r, a, k) : wrong;
    case LINE_SYNC:
        if (m->bytes != sizeof(struct line_sync))
            return wrong;
        take_sync(r, a, bay, k);
        return NULL;
    case LINE_LOG:
        if (m->bytes < sizeof(struct line_log))
            return wrong;
        take_log(r, a, k->mono_ns, m->bytes);
        return NULL;
    case LINE_DONE:
        if (m->bytes != sizeof *done)
            return wrong;
        if (done->code == 0)
            return NULL;
        snprintf(bay->why, sizeof bay->why, "%.*s", (int)sizeof done->text - 1, done->text);
        return bay->why;
    case LINE_PONG:
        return NULL;
    default:
        return "a message of an unknown kind";
    }
}

static void read_bay(struct roads *r, struct roads_account *a, struct road_agent *bay,
                     const struct look *k)
{
    struct link_message m;
    for (uint32_t i = 0; i < ROADS_BATCH; i++) {
        if (!roads_has_room(r) || !road_bay_take(bay, r->o.spawn, &m, r->buffer, ROADS_BUFFER))
            break;
        const char *why = take_word(r, a, bay, k, &m);
        if (bay->state != ROAD_BAY_RUNS)
            return; /* it took over: what is left is read as the first one's */
        if (why != NULL) {
            char text[192];
            r->totals.refused++;
            snprintf(text, sizeof text, "%s", why);
            road_bay_fail(bay, r->o.spawn, text);
        }
    }
    if (bay->state != ROAD_BAY_GONE)
        return;
    if (bay == &a->bay) {
        roads_bay_gone(r, a);
    } else {
        if (r->setup.log != NULL)
            log_now(r->setup.log, LOG_ERROR, NULL,
                    "adapter of account %s: the new one failed: %s; the old one stays", a->name,
                    bay->why);
        roads_second_end(r, a);
    }
}

static void read_road(struct roads *r, const struct look *k)
{
    struct link_message m;
    const char *why = NULL;
    for (uint32_t i = 0; i < ROADS_BATCH && r->answers.count < ROADS_WORDS &&
                         link_take(&r->link.link, &m, r->buffer, ROADS_BUFFER);
         i++)
        take_road(r, k, &m);
    if (!road_link_look(&r->link, &why))
        roads_lost(r, why != NULL ? why : "its link is broken");
}

void roads_receive(struct roads *r, int64_t last_ns, uint32_t last_class)
{
    if (!r->is_begun || r->o.in_engine)
        return;
    const struct look k = {
        .last_ns = last_ns, .last_class = last_class, .mono_ns = clock_mono(r->setup.clock)};
    if (r->is_attached)
        read_road(r, &k);
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX && r->is_attached; i++) {
        struct roads_account *a = &r->account[i];
        if (a->bay.state == ROAD_BAY_RUNS)
            read_bay(r, a, &a->bay, &k);
        if (a->second.state == ROAD_BAY_RUNS)
            read_bay(r, a, &a->second, &k);
    }
    roads_mend(r);
}
