/* SPDX-License-Identifier: Apache-2.0
 *
 * What bays ask for. A bay is hostile until its message was looked at: every count, index and text
 * is checked here, and what a template would send is read again before it leaves (desk_send.c).
 *
 * Two kinds of being wrong: what can come of an error (a field that differs, one field too many)
 * counts, and the third ends it; a template for an approval that nobody gave, or that has already
 * left, ends it at once. A bay that was ended is not asked any more: its cancels go by the stored
 * templates, and a new bay begins anew.
 */
#include <string.h>
#include "egress/desk_priv.h"
#include "egress/reread.h"

void desk_fault(struct desk *d, struct desk_account *a, bool second, bool at_once)
{
    struct desk_session *s = &a->session[second];
    if (s->is_faulty || (!at_once && ++s->faults < DESK_FAULTS_MAX))
        return;
    s->is_faulty = true;
    desk_alarm(d, ROAD_ALARM_LINE, id_of(a), 0,
               "the adapter broke its contract: its bay is not asked any more");
}

bool desk_use_stored(struct desk *d, uint32_t i)
{
    struct desk_approval *a = &d->approval[i];
    enum desk_stored what = a->class_of == TN_CLASS_CANCEL  ? DESK_STORED_CANCEL
                            : a->class_of == TN_CLASS_QUERY ? DESK_STORED_ORDER_QUERY
                                                            : DESK_STORED_UNSET;
    if (!what || a->by_stored || !d->account[a->account].session[0].stored[what].count)
        return false;
    a->by_stored = true;
    a->state = DESK_READY;
    d->totals.stored_cancels += a->class_of == TN_CLASS_CANCEL;
    return true;
}

void desk_ask(struct desk *d, uint32_t i)
{
    struct desk_approval *a = &d->approval[i];
    struct desk_account *at = &d->account[a->account];
    const struct desk_session *s = &at->session[0];
    if (!s->is_here || s->is_faulty) {
        if (!desk_use_stored(d, i))
            desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
        return;
    }
    struct line_approval l = {.t_ns = d->now,
                              .a = {.size = sizeof l.a,
                                    .class_of = a->class_of,
                                    .approval = a->k,
                                    .order = a->order,
                                    .t_ns = a->t_ns,
                                    .instrument = facts_of(at)->instrument[a->instrument].def.id,
                                    .side = a->side,
                                    .type = TN_ORDER_LIMIT,
                                    .tif = a->tif,
                                    .qty = a->qty,
                                    .price = a->price,
                                    .reduce_only = a->reduce_only,
                                    .venue_id_bytes = (uint32_t)strlen(a->venue_id)}};
    memcpy(l.a.client_id, a->client_id, sizeof l.a.client_id);
    memcpy(l.a.venue_id, a->venue_id, sizeof a->venue_id);
    a->deadline_ns = d->now + d->c.template_wait_ns;
    arm(d, a->deadline_ns);
    desk_tell(d, at, false, LINE_APPROVAL, &l, sizeof l, NULL, 0);
}

/* ---- links ---- */
static bool path_is_plain(const uint8_t *p, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (p[i] <= 0x20 || p[i] >= 0x7f)
            return false;
    return count == 0 || p[0] == '/';
}

void desk_open(struct desk *d, struct desk_account *a, bool second, struct desk_link *l)
{
    must(l->type && l->wish.endpoint < ROAD_ENDPOINTS_MAX);
    memcpy(l->endpoint, facts_of(a)->a.endpoint[l->wish.endpoint], sizeof l->endpoint);
    d->c.ops.open(d->c.ops.arg, id_of(a), second, &l->wish, l->endpoint, l->path);
}

static void close_link(struct desk *d, struct desk_account *a, bool second, uint32_t id)
{
    struct desk_link *l = &a->session[second].link[id];
    if (l->type)
        d->c.ops.close(d->c.ops.arg, id_of(a), second, id);
    l->is_owed |= l->is_up;
    l->type = 0;
    l->is_up = false;
}

static bool leads_elsewhere(const struct desk_account *a, const struct desk_link *l,
                            const struct line_open *o, const uint8_t *path)
{
    return l->type != o->type || strlen(l->path) != o->path_bytes ||
           memcmp(l->path, path, o->path_bytes) != 0 ||
           strncmp(l->endpoint, facts_of(a)->a.endpoint[o->endpoint], sizeof l->endpoint) != 0;
}

static const char *take_open(struct desk *d, struct desk_account *a, bool second,
                             const uint8_t *bytes, uint32_t count)
{
    struct line_open o;
    if (count < sizeof o)
        return "a wish for a link that is too short";
    memcpy(&o, bytes, sizeof o);
    if (o.id >= DESK_LINKS_MAX || o.type > TN_LINK_RAW || o.path_bytes != count - sizeof o ||
        o.path_bytes >= DESK_PATH_BYTES || !path_is_plain(bytes + sizeof o, o.path_bytes))
        return "a wish for a link that is none";
    struct desk_link *l = &a->session[second].link[o.id];
    if (!o.type) {
        close_link(d, a, second, o.id);
        return NULL;
    }
    if (o.endpoint >= facts_of(a)->a.endpoint_count)
        return "a link to an endpoint that nobody signed";
    if (l->type && leads_elsewhere(a, l, &o, bytes + sizeof o)) {
        if (l->is_up) /* it was told RESUMED, of a link that people have signed away */
            desk_tell_in(d, a, second, TN_IN_DOWN, o.id, 0, 0, NULL, 0);
        close_link(d, a, second, o.id);
    }
    l->type = o.type;
    l->is_order_path = o.is_order_path != 0;
    l->wish = o;
    if (l->is_up) /* a new bay, an old link: it was told RESUMED */
        return NULL;
    memcpy(l->path, bytes + sizeof o, o.path_bytes);
    l->path[o.path_bytes] = '\0';
    desk_open(d, a, second, l);
    return NULL;
}

/* ---- templates ---- */
static bool has_field(const struct assemble_template *t, uint32_t field)
{
    for (uint32_t i = 0; i < t->head.part_count; i++)
        if ((t->part[i].kind & ~TN_PART_HIDDEN) == TN_PART_FIELD && t->part[i].field == field)
            return true;
    return false;
}

static enum desk_stored purpose_of(const struct assemble_template *t)
{
    switch (t->head.class_of) {
    case TN_CLASS_CANCEL:
        return DESK_STORED_CANCEL;
    case TN_CLASS_CANCEL_ALL:
        return DESK_STORED_CANCEL_ALL;
    case TN_CLASS_QUERY:
        return has_field(t, TN_FIELD_CLIENT_ID) ? DESK_STORED_ORDER_QUERY : DESK_STORED_POSITIONS;
    case TN_CLASS_ORDER:
        return DESK_STORED_CLOSE;
    default:
        return DESK_STORED_UNSET;
    }
}

static const char *store(struct desk *d, struct desk_account *a, bool second, const uint8_t *bytes,
                         uint32_t count)
{
    enum desk_stored what = purpose_of(&d->in);
    if (!what || d->in.head.approval || d->in.head.link >= DESK_LINKS_MAX)
        return "a stored template that no purpose needs";
    if (count > DESK_TEMPLATE_BYTES)
        return "a stored template longer than 4096 bytes";
    if (d->in.head.bucket < ROAD_BUDGETS_MAX &&
        rate_when(&a->budget[d->in.head.bucket], d->now, d->in.head.weight, RATE_KILL) == INT64_MAX)
        return "a stored template heavier than its whole rate budget";
    struct desk_template *t = &a->session[second].stored[what];
    t->count = count;
    memcpy(t->message, bytes, count);
    a->round.next_ns = 0; /* a kill may have waited for it */
    return NULL;
}

/* Was this approval here before, and is the template only late? */
static bool is_late(const struct desk *d, const struct desk_account *a, uint64_t k)
{
    for (uint32_t i = 0; i < WITNESS_SLOTS; i++) {
        const struct witness_slot *s = &d->w->slot[i];
        if (s->approval != k || s->epoch != d->epoch || s->account != id_of(a) ||
            witness_state(s) == WITNESS_UNSET)
            continue;
        const struct desk_approval *p = &d->approval[i];
        return (p->state != DESK_STATE_UNSET && p->by_stored) || s->class_of != TN_CLASS_ORDER ||
               (witness_state(s) == WITNESS_ANSWERED &&
                (s->what == FACT_SENT_SUPPRESSED || s->what == FACT_SENT_FAILED));
    }
    return false;
}

static void invented(struct desk *d, struct desk_account *a, bool second, uint64_t k,
                     const char *what)
{
    d->totals.refused_invented++;
    desk_alarm(d, ROAD_ALARM_INVENTED, id_of(a), k, "the adapter invented %s; nothing was sent",
               what);
    desk_fault(d, a, second, true);
}

/* The open approval that a template answers; one of another class only if there is no other. */
static uint32_t asked_of(const struct desk *d, const struct desk_account *a, uint64_t k,
                         uint32_t class_of)
{
    uint32_t other = DESK_NONE;
    for (uint32_t i = d->live_first; i != DESK_NONE; i = d->approval[i].next) {
        const struct desk_approval *p = &d->approval[i];
        if (p->k != k || p->account != a->index || p->state != DESK_ASKED)
            continue;
        if (p->class_of == class_of)
            return i;
        other = i;
    }
    return other;
}

static void take_template(struct desk *d, struct desk_account *a, bool second, const uint8_t *bytes,
                          uint32_t count)
{
    const struct line_request *h = &d->in.head;
    uint32_t i = second ? DESK_NONE : asked_of(d, a, h->approval, h->class_of);
    if (i == DESK_NONE && h->approval && !second && is_late(d, a, h->approval)) {
        d->totals.late_templates++;
        desk_log(d, 2, "account %u: a template came too late", id_of(a));
    } else if (i == DESK_NONE) {
        invented(d, a, second, h->approval, "a request that no open approval covers");
    } else if (h->class_of != d->approval[i].class_of) {
        invented(d, a, second, h->approval, "a request of another class than was approved");
    } else if (count > DESK_TEMPLATE_BYTES) {
        desk_alarm(d, ROAD_ALARM_FLOOD, id_of(a), h->approval,
                   "a template is longer than 4096 bytes");
        if (!desk_use_stored(d, i))
            desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    } else {
        d->template_of[i].count = count;
        memcpy(d->template_of[i].message, bytes, count);
        d->approval[i].state = DESK_READY;
    }
}

static const char *take_request(struct desk *d, struct desk_account *a, bool second,
                                const uint8_t *bytes, uint32_t count)
{
    const char *why = assemble_take(bytes, count, &d->in);
    if (why)
        return why;
    const struct line_request *h = &d->in.head;
    if (h->flags & TN_REQUEST_STORED)
        return store(d, a, second, bytes, count);
    switch (h->class_of) {
    case TN_CLASS_ORDER:
    case TN_CLASS_AMEND:
    case TN_CLASS_CANCEL:
        take_template(d, a, second, bytes, count);
        return NULL;
    case TN_CLASS_QUERY:
    case TN_CLASS_SESSION:
        if (h->approval)
            take_template(d, a, second, bytes, count);
        else
            desk_pass(d, a, second, bytes, count);
        return NULL;
    default:
        invented(d, a, second, h->approval, "a cancel-all or setting that nobody approved");
        return NULL;
    }
}

/* ---- the small ones ---- */
static const char *take_capture(struct desk_account *a, bool second, const uint8_t *bytes,
                                uint32_t count)
{
    struct line_capture c;
    if (count < sizeof c)
        return "a capture that is too short";
    memcpy(&c, bytes, sizeof c);
    if (c.id >= DESK_CAPTURES_MAX || c.format != TN_WIRE_JSON || !c.path_bytes ||
        c.path_bytes != count - sizeof c || c.path_bytes >= REREAD_PATH_BYTES || !c.request)
        return "a capture that is none";
    struct desk_capture *to = &a->session[second].capture[c.id];
    to->is_wanted = true;
    to->request = c.request;
    memcpy(to->path, bytes + sizeof c, c.path_bytes);
    to->path[c.path_bytes] = '\0';
    return NULL;
}

static const char *take_timer(struct desk *d, struct desk_account *a, bool second,
                              const uint8_t *bytes, uint32_t count)
{
    struct tn_timer t;
    if (count != sizeof t)
        return "a timer that is none";
    memcpy(&t, bytes, sizeof t);
    if (t.id >= TN_ADAPTER_TIMERS_MAX || t.at_ns < 0)
        return "a timer that is none";
    a->session[second].timer[t.id] = t.at_ns;
    if (t.at_ns)
        arm(d, t.at_ns);
    return NULL;
}

static const char *take_burn(struct desk *d, struct desk_account *a, bool second,
                             const uint8_t *bytes, uint32_t count)
{
    struct line_burn b;
    if (count != sizeof b)
        return "a refusal that is none";
    memcpy(&b, bytes, sizeof b);
    for (uint32_t i = d->live_first; i != DESK_NONE && !second; i = d->approval[i].next) {
        const struct desk_approval *p = &d->approval[i];
        if (p->k != b.approval || p->account != a->index || p->state != DESK_ASKED)
            continue;
        desk_log(d, 2, "account %u: the adapter refused an approval with status %d", id_of(a),
                 b.status);
        if (!desk_use_stored(d, i))
            desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
        return NULL;
    }
    return NULL; /* it may have ended meanwhile */
}

static const char *take_line(struct desk *d, struct desk_account *a, bool second, uint32_t kind,
                             const uint8_t *bytes, uint32_t count)
{
    switch (kind) {
    case LINE_OPEN:
        return take_open(d, a, second, bytes, count);
    case LINE_REQUEST:
        return take_request(d, a, second, bytes, count);
    case LINE_CAPTURE:
        return take_capture(a, second, bytes, count);
    case LINE_TIMER:
        return take_timer(d, a, second, bytes, count);
    case LINE_BURN:
        return take_burn(d, a, second, bytes, count);
    default:
        return "a message of an unknown kind";
    }
}

void desk_from_bay(struct desk *d, int64_t wall_ns, uint32_t account, bool second, uint32_t kind,
                   const void *bytes, uint32_t count)
{
    desk_enter(d, wall_ns);
    struct desk_account *a = desk_account_of(d, account);
    if (!a || !a->session[second].is_here || a->session[second].is_faulty)
        return;
    const char *why = take_line(d, a, second, kind, bytes, count);
    if (why) {
        desk_alarm(d, ROAD_ALARM_LINE, account, 0, "the adapter's bay said %s", why);
        desk_fault(d, a, second, false);
    }
    desk_pump(d);
}
