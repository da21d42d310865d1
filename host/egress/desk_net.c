/* SPDX-License-Identifier: Apache-2.0
 *
 * What the network says. Each HTTP request has a ticket until its reply, its failure or its
 * deadline; a ticket ends once, and with it at most one answer to the engine.
 *
 * The reply to an adapter's request goes to the bay that asked, and to no later one: request
 * numbers are a bay's own. Captured texts are masked before the bay sees the reply.
 */
#include <string.h>
#include "egress/desk_priv.h"
#include "egress/reread.h"

/* ---- tickets ---- */
struct desk_ticket *desk_ticket_new(struct desk *d)
{
    if (d->ticket_count == DESK_TICKETS_MAX)
        return NULL;
    struct desk_ticket *t;
    do
        t = &d->ticket[++d->next_ticket % DESK_TICKETS_MAX];
    while (t->number);
    memset(t, 0, sizeof *t);
    t->number = d->next_ticket;
    t->approval = DESK_NONE;
    d->ticket_count++;
    return t;
}

void desk_ticket_done(struct desk *d, struct desk_ticket *t)
{
    must(t->number && d->ticket_count);
    t->number = 0;
    d->ticket_count--;
}

static struct desk_ticket *ticket_of(struct desk *d, uint64_t number)
{
    struct desk_ticket *t = &d->ticket[number % DESK_TICKETS_MAX];
    return number && t->number == number ? t : NULL;
}

static void answer(struct desk *d, struct desk_ticket *t, uint32_t what, uint32_t reason)
{
    if (t->approval != DESK_NONE)
        desk_answer(d, t->approval, what, reason);
    t->approval = DESK_NONE;
    t->is_answered = true;
}

/* Tells the bay that asked. */
static void tell_asker(struct desk *d, const struct desk_ticket *t, uint32_t kind, uint32_t status,
                       const void *bytes, uint64_t count)
{
    struct desk_account *a = &d->account[t->account];
    if (t->request && a->session[t->is_second].generation == t->generation)
        desk_tell_in(d, a, t->is_second, kind, t->link, status, t->request, bytes, count);
}

void desk_ticket_lost(struct desk *d, struct desk_ticket *t)
{
    struct desk_ticket was = *t;
    answer(d, t, FACT_SENT_UNKNOWN, FACT_SENT_REASON_NONE);
    desk_ticket_done(d, t);
    tell_asker(d, &was, TN_IN_SILENT, 0, NULL, 0);
    if (was.stored)
        desk_round_reply(d, &d->account[was.account], &was, 0, NULL, 0);
}

void desk_tickets_time(struct desk *d)
{
    for (uint32_t i = 0; d->ticket_count && i < DESK_TICKETS_MAX; i++) {
        struct desk_ticket *t = &d->ticket[i];
        if (!t->number)
            continue;
        if (t->deadline_ns <= d->now)
            desk_ticket_lost(d, t);
        else
            arm(d, t->deadline_ns);
    }
}

/* ---- captures ---- */
struct seeking {
    const char *path;
    const char *text;
    uint32_t count;
};

static bool seek(void *arg, const struct reread_value *v)
{
    struct seeking *s = arg;
    if (v->kind == REREAD_TEXT && !s->text && strcmp(v->path, s->path) == 0) {
        s->text = v->text;
        s->count = v->count;
    }
    return true;
}

/* Keeps what was asked for and blanks it in `bytes`, which is ours. */
static void capture(struct desk *d, struct desk_account *a, const struct desk_ticket *t,
                    uint8_t *bytes, uint64_t count)
{
    struct desk_session *s = &a->session[t->is_second];
    for (uint32_t i = 0; i < DESK_CAPTURES_MAX; i++) {
        struct desk_capture *c = &s->capture[i];
        struct seeking seeking = {.path = c->path};
        if (!c->is_wanted || c->request != t->request)
            continue;
        c->is_wanted = false;
        const char *bad = reread_json((char *)bytes, count, false, seek, &seeking);
        if (bad || !seeking.text || seeking.count > sizeof c->text) {
            desk_log(d, 3, "account %u: nothing to capture at %s: %s", id_of(a), c->path,
                     bad            ? bad
                     : seeking.text ? "the text is too long"
                                    : "no text is there");
        } else {
            c->is_held = true;
            c->count = seeking.count;
            memcpy(c->text, seeking.text, seeking.count);
        }
        if (seeking.text) /* also what is not kept is not the bay's to read */
            memset(bytes + (seeking.text - (char *)bytes), '*', seeking.count);
    }
}

static bool is_captured(const struct desk_account *a, const struct desk_ticket *t)
{
    for (uint32_t i = 0; i < DESK_CAPTURES_MAX; i++) {
        const struct desk_capture *c = &a->session[t->is_second].capture[i];
        if (t->request && c->is_wanted && c->request == t->request)
            return true;
    }
    return false;
}

/* ---- replies ---- */
/* HTTP 429: slower; 418: stop. The venue's word on for how long, else a second or two minutes. */
static void pace(struct desk *d, struct desk_account *a, uint32_t status, int32_t retry_s)
{
    int64_t wait = retry_s >= 0 && retry_s <= 86400 ? retry_s * 1000 * DESK_MS : -1;
    if (status == 429) {
        a->hold_until_ns = d->now + (wait >= 0 ? wait : 1000 * DESK_MS);
        desk_alarm(d, ROAD_ALARM_BANNED, id_of(a), 0,
                   "the venue says too many requests: only cancels and closes go on");
    } else if (status == 418) {
        a->ban_until_ns = d->now + (wait >= 0 ? wait : 120000 * DESK_MS);
        desk_alarm(d, ROAD_ALARM_BANNED, id_of(a), 0,
                   "the venue has shut us out for %lld s: nothing is sent until then",
                   (long long)((a->ban_until_ns - d->now) / (1000 * DESK_MS)));
    }
}

static void reply(struct desk *d, struct desk_account *a, struct desk_ticket *t,
                  const struct desk_net_in *in)
{
    struct desk_ticket was = *t;
    const uint8_t *bytes = in->bytes;
    answer(d, t, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    desk_ticket_done(d, t);
    pace(d, a, in->status, in->retry_s);
    if (in->count > LINE_BODY_MAX) {
        desk_alarm(d, ROAD_ALARM_FLOOD, id_of(a), 0, "a reply is longer than 128 KB");
        tell_asker(d, &was, TN_IN_SILENT, 0, NULL, 0);
        if (was.stored)
            desk_round_reply(d, a, &was, 0, NULL, 0);
        return;
    }
    if (in->status / 100 == 2 && is_captured(a, &was)) {
        memcpy(d->line, in->bytes, in->count);
        capture(d, a, &was, d->line, in->count);
        bytes = d->line;
    }
    tell_asker(d, &was, TN_IN_BYTES, in->status, bytes, in->count);
    if (was.stored)
        desk_round_reply(d, a, &was, in->status, in->bytes, in->count);
}

static void unasked(struct desk *d, struct desk_account *a, bool second,
                    const struct desk_net_in *in)
{
    if (in->count > LINE_BODY_MAX)
        desk_alarm(d, ROAD_ALARM_FLOOD, id_of(a), 0, "a message is longer than 128 KB");
    else
        desk_tell_in(d, a, second, TN_IN_BYTES, in->link, in->status, 0, in->bytes, in->count);
}

/* ---- links ---- */
static void up(struct desk *d, struct desk_account *a, bool second, const struct desk_net_in *in)
{
    struct desk_link *l = &a->session[second].link[in->link];
    if (!l->type)
        return; /* it was closed meanwhile */
    d->totals.reconnects += l->was_up && !l->is_up;
    l->is_up = l->was_up = true;
    l->is_owed = true;
    if (!second)
        a->round.next_ns = 0; /* a kill may have waited for it */
    desk_tell_in(d, a, second, TN_IN_UP, in->link, in->status, 0, NULL, 0);
}

static void down(struct desk *d, struct desk_account *a, bool second, const struct desk_net_in *in)
{
    struct desk_link *l = &a->session[second].link[in->link];
    l->is_owed |= l->is_up;
    l->is_up = false;
    for (uint32_t i = 0; d->ticket_count && i < DESK_TICKETS_MAX; i++) {
        struct desk_ticket *t = &d->ticket[i];
        if (t->number && t->account == a->index && t->link == in->link && t->is_second == second)
            desk_ticket_lost(d, t);
    }
    desk_tell_in(d, a, second, TN_IN_DOWN, in->link, in->status, 0, NULL, 0);
}

/* ---- the door ---- */
static void of_ticket(struct desk *d, const struct desk_net_in *in)
{
    struct desk_ticket *t = ticket_of(d, in->ticket);
    if (!t) /* it ended by its deadline, or its link went down: too late to change that */
        return;
    struct desk_ticket was = *t;
    struct desk_account *a = &d->account[t->account];
    switch (in->what) {
    case DESK_NET_WRITTEN:
        answer(d, t, FACT_SENT_OK, FACT_SENT_REASON_NONE);
        break;
    case DESK_NET_BYTES:
        reply(d, a, t, in);
        break;
    case DESK_NET_FAILED:
        if (t->is_answered) { /* it cannot be both written and unsent */
            desk_ticket_lost(d, t);
            break;
        }
        answer(d, t, FACT_SENT_FAILED, FACT_SENT_REASON_NO_LINK);
        desk_ticket_done(d, t);
        tell_asker(d, &was, TN_IN_FAILED, 0, NULL, 0);
        if (was.stored)
            desk_round_reply(d, a, &was, 0, NULL, 0);
        break;
    default:
        desk_ticket_lost(d, t);
        break;
    }
}

void desk_from_net(struct desk *d, int64_t wall_ns, const struct desk_net_in *in)
{
    desk_enter(d, wall_ns);
    struct desk_account *a = desk_account_of(d, in->account);
    bool second = in->is_second != 0;
    if (!a || in->link >= DESK_LINKS_MAX)
        return;
    if (in->what == DESK_NET_UP)
        up(d, a, second, in);
    else if (in->what == DESK_NET_DOWN)
        down(d, a, second, in);
    else if (in->ticket)
        of_ticket(d, in);
    else if (in->what == DESK_NET_BYTES)
        unasked(d, a, second, in);
    desk_pump(d);
}
