/* SPDX-License-Identifier: Apache-2.0
 *
 * What the desk says. A full line is no reason to lose anything: answers wait in their slots,
 * states (a link is up, an account is flat) are owed and said as they are then, messages to a bay
 * wait in its spill. Only alarms and log lines may be lost; they are sentences.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "egress/desk_priv.h"
#include "base/planted.h"

void desk_log(struct desk *d, uint32_t level, const char *format, ...)
{
    char line[256];
    va_list ap;
    if (!d->c.ops.log)
        return;
    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    d->c.ops.log(d->c.ops.arg, level, line);
}

static bool to_core(struct desk *d, uint32_t kind, const void *bytes, uint32_t count)
{
    return d->is_attached && d->c.ops.to_core(d->c.ops.arg, kind, bytes, count);
}

void desk_alarm(struct desk *d, uint32_t what, uint32_t account, uint64_t approval,
                const char *format, ...)
{
    struct road_alarm a = {.what = what, .account = account, .approval = approval};
    va_list ap;
    va_start(ap, format);
    vsnprintf(a.text, sizeof a.text, format, ap);
    va_end(ap);
    desk_log(d, 3, "account %u: %s", account, a.text);
    to_core(d, ROAD_ALARM, &a, sizeof a);
}

void desk_witnessed(struct desk *d, bool must_last)
{
    if (d->c.ops.witnessed)
        d->c.ops.witnessed(d->c.ops.arg, must_last);
}

/* ---- answers ---- */
static bool say_sent(struct desk *d, uint32_t i)
{
    struct desk_approval *a = &d->approval[i];
    struct road_sent s = {.approval = a->k,
                          .t_ns = a->out_ns,
                          .took_ns = a->out_ns - a->came_ns,
                          .bytes = a->bytes,
                          .sent = {.order = a->order,
                                   .attempt = a->attempt,
                                   .what = a->what,
                                   .is_cancel = a->class_of == TN_CLASS_CANCEL,
                                   .reason = a->reason},
                          .class_of = a->class_of};
    if (!to_core(d, ROAD_SENT, &s, sizeof s))
        return false;
    d->w->slot[i].is_told = 1;
    return true;
}

static void count_answer(struct desk *d, uint32_t what)
{
    struct desk_totals *t = &d->totals;
    t->sent += what == FACT_SENT_OK;
    t->suppressed += what == FACT_SENT_SUPPRESSED;
    t->failed += what == FACT_SENT_FAILED;
    t->unknown += what == FACT_SENT_UNKNOWN;
}

void desk_answer(struct desk *d, uint32_t i, uint32_t what, uint32_t reason)
{
    struct desk_approval *a = &d->approval[i];
    struct witness_slot *s = &d->w->slot[i];
    must(a->state != DESK_STATE_UNSET && a->state != DESK_OWED);
    must(what != FACT_SENT_OK || a->state == DESK_FLYING);
    if (a->state != DESK_FLYING) {
        must(what == FACT_SENT_SUPPRESSED || what == FACT_SENT_FAILED);
        d->totals.burned++;
    }
    a->what = what;
    a->reason = reason;
    a->out_ns = d->now;
    s->what = what;
    s->reason = reason;
    witness_move(s, WITNESS_ANSWERED);
    desk_witnessed(d, false);
    count_answer(d, what);
    a->state = DESK_OWED;
    if (!d->is_attached) { /* the witness says it at the next attach */
        desk_drop(d, i);
    } else if (!d->owed && say_sent(d, i)) {
        desk_drop(d, i);
    } else {
        d->owed++;
        arm(d, d->now + DESK_MS);
    }
}

/* ---- what was open before this engine came ---- */
static bool is_before(const struct desk *d, uint32_t i)
{
    return d->approval[i].state == DESK_STATE_UNSET &&
           witness_state(&d->w->slot[i]) != WITNESS_UNSET;
}

static uint32_t what_of(const struct desk *d, const struct witness_slot *s)
{
    uint32_t state = witness_state(s);
    if (state == WITNESS_ANSWERED)
        return s->what;
    return (state == WITNESS_TAKEN && !PLANTED(TAKEN_FAILED)) || d->power_lost ? FACT_SENT_UNKNOWN
                                                                               : FACT_SENT_FAILED;
}

/* From open_at on; answered ones stay in the witness, as answered. */
static bool say_opens(struct desk *d)
{
    for (; d->open_at < WITNESS_SLOTS; d->open_at++) {
        struct witness_slot *s = &d->w->slot[d->open_at];
        if (!is_before(d, d->open_at))
            continue;
        bool answered = witness_state(s) == WITNESS_ANSWERED && s->is_told;
        struct road_open o = {.approval = s->approval,
                              .epoch = s->epoch,
                              .order = s->order,
                              .account = s->account,
                              .class_of = s->class_of,
                              .what = what_of(d, s),
                              .is_answered = answered};
        if (!to_core(d, ROAD_OPEN, &o, sizeof o))
            return false;
        d->opens += !answered;
        s->what = o.what;
        s->is_told = 1;
        witness_move(s, WITNESS_ANSWERED);
    }
    return true;
}

static bool say_attached(struct desk *d)
{
    struct road_attached t = {.seq = d->head.seq,
                              .epoch = d->before_epoch,
                              .killed = d->totals.is_killed,
                              .opens = d->opens};
    memcpy(t.hash, d->head.hash, sizeof t.hash);
    return to_core(d, ROAD_ATTACHED, &t, sizeof t);
}

static bool say_killed(struct desk *d)
{
    for (uint32_t i = 0; i < WITNESS_KILLS; i++) {
        const struct witness_kill *k = &d->w->kill[i];
        if (k->is_set && !to_core(d, ROAD_KILLED, &k->kill, sizeof k->kill))
            return false;
    }
    return true;
}

static bool say_flat(struct desk *d, struct desk_account *a)
{
    struct desk_round *r = &a->round;
    struct road_flat f = {.account = id_of(a),
                          .cancelled = r->cancelled,
                          .closed = r->closed,
                          .reads = r->read_count};
    if (!to_core(d, ROAD_FLATTENED, &f, sizeof f))
        return false;
    r->is_owed = false;
    return true;
}

static bool say_links(struct desk *d, struct desk_account *a)
{
    for (uint32_t i = 0; i < DESK_LINKS_MAX; i++) {
        struct desk_link *l = &a->session[0].link[i];
        struct road_net n = {.account = id_of(a),
                             .link = i,
                             .up = l->is_up,
                             .is_order_path = l->is_order_path,
                             .t_ns = d->now};
        if (l->is_owed && !to_core(d, ROAD_NET, &n, sizeof n))
            return false;
        l->is_owed = false;
    }
    return true;
}

static bool say_answers(struct desk *d)
{
    uint32_t next;
    for (uint32_t i = d->live_first; d->owed && i != DESK_NONE; i = next) {
        next = d->approval[i].next;
        if (d->approval[i].state != DESK_OWED)
            continue;
        if (!say_sent(d, i))
            return false;
        d->owed--;
        desk_drop(d, i);
    }
    return true;
}

/* In order: what an engine must know first comes first. */
static bool say_all(struct desk *d)
{
    if (d->attached_owed) {
        if (!say_opens(d) || !say_attached(d))
            return false;
        d->attached_owed = false;
    }
    if (d->killed_owed) {
        if (!say_killed(d))
            return false;
        d->killed_owed = false;
    }
    if (d->owed && !say_answers(d))
        return false;
    for (uint32_t i = 0; i < d->account_count; i++) {
        struct desk_account *a = &d->account[i];
        if (!say_links(d, a) || (a->round.is_owed && !say_flat(d, a)))
            return false;
    }
    return true;
}

void desk_say_owed(struct desk *d)
{
    if (d->is_attached && !say_all(d))
        arm(d, d->now + DESK_MS);
}

/* ---- bays ---- */
struct spilled {
    uint32_t kind, count;
};

static bool spill(struct desk *d, struct desk_account *a, bool second, uint32_t kind,
                  const void *head, uint32_t head_count, const void *body, uint32_t body_count)
{
    struct desk_session *s = &a->session[second];
    uint8_t *bytes = d->spill[a->index][second];
    struct spilled m = {kind, head_count + body_count};
    uint32_t need = sizeof m + m.count;
    if (s->spill_to + need > DESK_SPILL_BYTES && s->spill_from) {
        memmove(bytes, bytes + s->spill_from, s->spill_to - s->spill_from);
        s->spill_to -= s->spill_from;
        s->spill_from = 0;
    }
    if (s->spill_to + need > DESK_SPILL_BYTES)
        return false;
    memcpy(bytes + s->spill_to, &m, sizeof m);
    memcpy(bytes + s->spill_to + sizeof m, head, head_count);
    if (body_count)
        memcpy(bytes + s->spill_to + sizeof m + head_count, body, body_count);
    s->spill_to += need;
    return true;
}

/* What came in and can be kept no more must not look as if it never was: links on which something
 * comes in unasked are opened anew, and the adapter reconciles when they are up again. HTTP stays:
 * the kill may need it. */
static void overflow(struct desk *d, struct desk_account *a, bool second)
{
    struct desk_session *s = &a->session[second];
    s->spill_from = s->spill_to = 0;
    desk_alarm(d, ROAD_ALARM_FLOOD, id_of(a), 0,
               "more came in than its bay took: its links begin anew and it must reconcile");
    for (uint32_t i = 0; i < DESK_LINKS_MAX; i++) {
        struct desk_link *l = &s->link[i];
        if (!l->type || l->type == TN_LINK_HTTP)
            continue;
        d->c.ops.close(d->c.ops.arg, id_of(a), second, i);
        l->is_owed |= l->is_up;
        l->is_up = false;
        desk_tell_in(d, a, second, TN_IN_DOWN, i, 0, 0, NULL, 0);
        desk_open(d, a, second, l);
    }
}

bool desk_tell(struct desk *d, struct desk_account *a, bool second, uint32_t kind, const void *head,
               uint32_t head_count, const void *body, uint32_t body_count)
{
    struct desk_session *s = &a->session[second];
    if (s->is_here && s->spill_from == s->spill_to &&
        d->c.ops.to_bay(d->c.ops.arg, id_of(a), second, kind, head, head_count, body, body_count))
        return true;
    arm(d, d->now + DESK_MS);
    if (spill(d, a, second, kind, head, head_count, body, body_count))
        return true;
    overflow(d, a, second);
    return false;
}

void desk_tell_in(struct desk *d, struct desk_account *a, bool second, uint32_t kind, uint32_t link,
                  uint32_t status, uint64_t request, const void *bytes, uint64_t count)
{
    struct line_in in = {.kind = kind,
                         .link = link,
                         .status = status,
                         .t_ns = d->now,
                         .request = request,
                         .bytes = count};
    bool is_unasked = kind == TN_IN_BYTES && !request;
    must(count <= LINE_BODY_MAX);
    if (a->session[second].is_here || is_unasked) /* a bay that is gone asked for nothing */
        desk_tell(d, a, second, LINE_IN, &in, sizeof in, bytes, (uint32_t)count);
}

void desk_tell_spilled(struct desk *d, struct desk_account *a, bool second)
{
    struct desk_session *s = &a->session[second];
    const uint8_t *bytes = d->spill[a->index][second];
    while (s->is_here && s->spill_from < s->spill_to) {
        struct spilled m;
        memcpy(&m, bytes + s->spill_from, sizeof m);
        if (!d->c.ops.to_bay(d->c.ops.arg, id_of(a), second, m.kind,
                             bytes + s->spill_from + sizeof m, m.count, NULL, 0)) {
            arm(d, d->now + DESK_MS);
            return;
        }
        s->spill_from += (uint32_t)sizeof m + m.count;
    }
    if (s->spill_from == s->spill_to)
        s->spill_from = s->spill_to = 0;
}
