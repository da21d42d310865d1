/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading. What an id means is settled first, by looking at one step of the journal: an intent's
 * number begins with the number of its event, so no search is needed. Then one walk over all
 * records: definitions are kept, positions and the last stops and modes are carried along, and
 * whatever concerns a chosen order is copied. Orders are always chosen before anything happens to
 * them, because a step writes its INTENT first. At the end signals, causes and bars are fetched.
 *
 * A bar that the host made from trades is no record. It is made again here from the same trades by
 * the same code (flow/bars.h), over the instrument's own bar length up to the cause.
 */
#include "tools/tenon/story.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "tenon/strategy.h"

enum { LEG_BITS = 10 }; /* of an intent's number; the rest is its event */

struct rolling { /* per strategy and instrument, as of now in the walk */
    uint32_t strategy, instrument;
    int64_t qty;
    struct fact_view stop; /* the last stop that was hit */
};
struct walk {
    struct story *s;
    struct journal_store *store;
    struct journal_reader *reader;
    struct trail *tr;
    uint64_t intent; /* asked for; 0 = not an order */
    uint64_t event;  /* asked for; 0 = not an event */
    bool last_denial;
    struct rolling *rolling;
    uint32_t rolling_count, rolling_room;
    struct fact_view mode; /* the last one commanded or changed */
    struct fact_view step; /* the event of the step being read */
    uint64_t touched_seq;  /* last step in which something happened to a chosen order */
};

uint64_t story_order_of(const struct fact_view *v)
{
    switch (v->head.type) {
    case FACT_INTENT:
        return v->u.fact_intent.intent;
    case FACT_DECISION:
        return v->u.fact_decision.intent;
    case FACT_SEND:
        return v->u.fact_send.order;
    case FACT_SENT:
        return v->u.fact_sent.order;
    case FACT_EXEC:
        return v->u.fact_exec.order;
    case FACT_FOUND:
        return v->u.fact_found.order;
    case FACT_CANCEL:
        return v->u.fact_cancel.order;
    case FACT_QUERY:
        return v->u.fact_query.order;
    case FACT_ORDER:
        return v->u.fact_order.order;
    case FACT_POSITION:
        return v->u.fact_position.order;
    case FACT_ALERT:
        return v->u.fact_alert.order;
    case FACT_LOOKUP:
        return v->u.fact_lookup.order;
    default:
        return 0;
    }
}

static struct story_order *find_order(const struct story *s, uint64_t id)
{
    for (uint32_t i = s->order_count; id != 0 && i-- > 0;) {
        if (s->order[i].id == id)
            return &s->order[i];
    }
    return NULL;
}

static struct rolling *rolling_of(struct walk *w, uint32_t strategy, uint32_t instrument)
{
    for (uint32_t i = 0; i < w->rolling_count; i++) {
        if (w->rolling[i].strategy == strategy && w->rolling[i].instrument == instrument)
            return &w->rolling[i];
    }
    if (w->rolling_count == w->rolling_room) {
        w->rolling_room = w->rolling_room ? 2 * w->rolling_room : 16;
        w->rolling = realloc(w->rolling, w->rolling_room * sizeof *w->rolling);
        must(w->rolling != NULL);
    }
    struct rolling *r = &w->rolling[w->rolling_count++];
    memset(r, 0, sizeof *r);
    r->strategy = strategy;
    r->instrument = instrument;
    return r;
}

/* ---- the walk ---- */

/* Belief and its answers, when an event was asked for: those of it and those because of it. */
static bool is_answer_to(const struct walk *w, uint64_t signal_seq)
{
    for (uint32_t i = 0; i < w->s->signal.count; i++) {
        if (w->s->signal.row[i].head.seq == signal_seq)
            return true;
    }
    return false;
}

static bool is_wanted(const struct walk *w, const struct fact_view *v)
{
    const struct fact_intent *i = &v->u.fact_intent;
    if (w->intent != 0)
        return i->intent == w->intent;
    if (w->event == 0)
        return false;
    return v->head.seq == w->event || (i->signal_seq != 0 && is_answer_to(w, i->signal_seq));
}

static struct story_order *add_order(struct story *s, uint64_t id)
{
    if (s->order_count == STORY_ORDERS_MAX) {
        s->orders_more++;
        return NULL;
    }
    if (s->order_count == s->order_room) {
        s->order_room = s->order_room ? 2 * s->order_room : 4;
        s->order = realloc(s->order, s->order_room * sizeof *s->order);
        must(s->order != NULL);
    }
    struct story_order *o = &s->order[s->order_count++];
    memset(o, 0, sizeof *o);
    o->id = id;
    o->state = ORDER_STATE_INTENT;
    return o;
}

static void choose(struct walk *w, const struct fact_view *v)
{
    const struct fact_intent *i = &v->u.fact_intent;
    const struct rolling *r = rolling_of(w, i->strategy, i->instrument);
    struct story_order *o = add_order(w->s, i->intent);
    if (o == NULL)
        return;
    o->intent = *v;
    o->made = w->step;
    o->position_before = r->qty;
    if (i->origin == FACT_ORIGIN_STOP)
        o->trigger = r->stop;
    if (i->origin == FACT_ORIGIN_KILL)
        o->trigger = w->mode;
}

/* The order that a decision is told with; NULL = with none. */
static struct story_order *order_of_decision(struct walk *w, const struct fact_view *v)
{
    const struct fact_decision *d = &v->u.fact_decision;
    struct story_order *o = NULL;
    if (w->last_denial && (d->denied_by != 0 || d->cut_by != 0)) {
        w->s->order_count = 0; /* the newest takes its place */
        o = add_order(w->s, d->intent);
    } else if (d->intent != 0) {
        o = w->last_denial ? NULL : find_order(w->s, d->intent);
    } else if (v->head.seq == w->event || is_answer_to(w, v->head.seq)) {
        o = add_order(w->s, 0); /* no route: the signal never became an intent */
    }
    if (o != NULL && o->made.head.type == 0)
        o->made = w->step;
    return o;
}

static void take_decision(struct walk *w, const struct fact_view *v)
{
    const struct fact_decision *d = &v->u.fact_decision;
    story_denials_take(&w->s->denials, &v->head, d);
    struct story_order *o = order_of_decision(w, v);
    if (o == NULL || o->decision.head.type != 0)
        return;
    o->decision = *v;
    if (!d->approved)
        o->state = ORDER_STATE_DENIED;
    memcpy(o->since_ns, story_denials_book(&w->s->denials, d)->since_ns, sizeof o->since_ns);
}

static void take_order(struct walk *w, const struct fact_view *v)
{
    struct story_order *o = find_order(w->s, story_order_of(v));
    /* A stop that is set or lifted by a fill names no order: it stands in the fill's own step. */
    bool beside = v->head.type == FACT_STOPPED && v->head.seq == w->touched_seq;
    if (o == NULL && !beside)
        return;
    if (v->head.type == FACT_INTENT || v->head.type == FACT_DECISION)
        return;
    if (v->head.type == FACT_EXEC)
        w->touched_seq = v->head.seq;
    if (v->head.type == FACT_ORDER)
        o->state = v->u.fact_order.to;
    if (v->head.type == FACT_SEND && o->send.head.type == 0)
        o->send = *v;
    story_list_add(&w->s->kept, &v->head, v->u.bytes);
}

static void carry_along(struct walk *w, const struct fact_view *v)
{
    const struct fact_position *p = &v->u.fact_position;
    const struct fact_stopped *t = &v->u.fact_stopped;
    if (v->head.sub == 0)
        w->step = *v;
    if (v->head.type == FACT_POSITION)
        rolling_of(w, p->strategy, p->instrument)->qty = p->qty;
    if (v->head.type == FACT_STOPPED && t->what == FACT_STOP_HIT)
        rolling_of(w, t->strategy, t->instrument)->stop = *v;
    /* A command says who and why; a mode that changes without one says what it can. */
    if (v->head.type == FACT_MODE ||
        (v->head.type == FACT_MODED && v->head.seq != w->mode.head.seq))
        w->mode = *v;
}

static void take(struct walk *w, const struct fact_view *v)
{
    story_names_take(&w->s->names, &w->s->stage, v);
    if (w->event != 0 && v->head.seq == w->event)
        story_list_add(&w->s->event, &v->head, v->u.bytes);
    if (w->event != 0 && v->head.type == FACT_SIGNAL &&
        (v->head.seq == w->event || v->head.cause_seq == w->event))
        story_list_add(&w->s->signal, &v->head, v->u.bytes);
    if (v->head.type == FACT_INTENT && is_wanted(w, v))
        choose(w, v);
    if (v->head.type == FACT_DECISION)
        take_decision(w, v);
    take_order(w, v);
    carry_along(w, v);
}

static void view(struct fact_view *v, const struct fact_head *head, const void *payload)
{
    must(head->bytes <= FACT_MAX_BYTES);
    v->head = *head;
    memcpy(v->u.bytes, payload, head->bytes);
}

static struct result walk_all(struct walk *w)
{
    struct fact_view v;
    struct fact_head head;
    const void *payload;
    struct result x = journal_reader_open(w->store, &w->reader, w->tr);
    while (is_ok(x)) {
        x = journal_reader_next(w->reader, &head, &payload, w->tr);
        if (!is_ok(x))
            break;
        if (w->s->first_seq == 0)
            w->s->first_seq = head.seq;
        w->s->last_seq = head.seq;
        view(&v, &head, payload);
        take(w, &v);
    }
    if (w->reader != NULL)
        journal_reader_close(w->reader);
    w->reader = NULL;
    return x.code == RESULT_END ? OK_RESULT : x;
}

/* ---- single records ---- */

/* The first record with seq >= `seq`; END past the last. */
static struct result seek(struct walk *w, uint64_t seq, struct journal_reader **r,
                          struct fact_view *v)
{
    struct fact_head head;
    const void *payload;
    TRY(journal_reader_open(w->store, r, w->tr));
    struct result x = journal_reader_seek(*r, seq, w->tr);
    if (is_ok(x))
        x = journal_reader_next(*r, &head, &payload, w->tr);
    if (is_ok(x))
        view(v, &head, payload);
    return x;
}

/* Event `seq` itself; *v keeps type 0 when the journal does not have it. */
static struct result fetch(struct walk *w, uint64_t seq, struct fact_view *v)
{
    struct journal_reader *r = NULL;
    struct fact_view got;
    struct result x = seek(w, seq, &r, &got);
    if (r != NULL)
        journal_reader_close(r);
    if (x.code == RESULT_END)
        return OK_RESULT;
    if (is_ok(x) && got.head.seq == seq)
        *v = got;
    return x;
}

/* Is there an intent of this number? It stands in the step that its number begins with. */
static struct result has_intent(struct walk *w, uint64_t id, bool *found)
{
    struct journal_reader *r = NULL;
    struct fact_view v = {0};
    struct fact_head head;
    const void *payload;
    *found = false;
    struct result x = seek(w, id >> LEG_BITS, &r, &v);
    while (is_ok(x) && v.head.seq == id >> LEG_BITS && !*found) {
        *found = v.head.type == FACT_INTENT && v.u.fact_intent.intent == id;
        x = journal_reader_next(r, &head, &payload, w->tr);
        if (is_ok(x))
            view(&v, &head, payload);
    }
    if (r != NULL)
        journal_reader_close(r);
    return x.code == RESULT_END ? OK_RESULT : x;
}

/* The first event at or after t_ns, by halving. */
static struct result seq_at(struct walk *w, int64_t t_ns, uint64_t below, uint64_t *out)
{
    uint64_t low = w->s->first_seq, high = below;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct fact_view v = {0};
        struct result x = fetch(w, middle, &v);
        if (!is_ok(x))
            return x;
        if (v.head.type == 0 || v.head.t_ns < t_ns)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return OK_RESULT;
}

/* ---- after the walk ---- */

static struct result walk_bar(struct walk *w, uint32_t instrument, int64_t bar_ns,
                              const struct fact_view *cause, struct bars_bar *out)
{
    struct journal_reader *r = NULL;
    struct fact_view v;
    struct fact_head head;
    const void *payload;
    struct bars bars;
    uint64_t from = 0;
    bars_init(&bars, bar_ns);
    TRY(seq_at(w, cause->head.t_ns - bar_ns, cause->head.seq, &from));
    struct result x = seek(w, from, &r, &v);
    while (is_ok(x) && v.head.seq < cause->head.seq) {
        struct bars_bar closed; /* none: the interval begins here */
        const struct fact_trade *t = &v.u.fact_trade;
        if (v.head.type == FACT_TRADE && t->instrument == instrument &&
            !bars_time(&bars, v.head.t_ns, &closed))
            bars_trade(&bars, v.head.t_ns, t->price, t->qty, t->flags & FACT_MD_WARMUP);
        x = journal_reader_next(r, &head, &payload, w->tr);
        if (is_ok(x))
            view(&v, &head, payload);
    }
    if (r != NULL)
        journal_reader_close(r);
    if (is_ok(x) && !bars_time(&bars, cause->head.t_ns, out))
        memset(out, 0, sizeof *out);
    return x;
}

/* A cause that only says that time has passed stands for the bar that ended with it. */
static struct result find_bar(struct walk *w, struct story_order *o)
{
    const struct fact_view *i =
        story_name(&w->s->names, FACT_INSTRUMENT, o->scope.instrument->id, o->cause.head.seq);
    int64_t bar_ns = i ? i->u.fact_instrument.bar_ns : 0;
    if (o->cause.head.type != FACT_TICK || bar_ns <= 0 || o->cause.head.t_ns % bar_ns != 0)
        return OK_RESULT;
    return walk_bar(w, i->u.fact_instrument.id, bar_ns, &o->cause, &o->bar);
}

static struct result complete(struct walk *w, struct story_order *o)
{
    const struct fact_decision *d = &o->decision.u.fact_decision;
    const struct fact_intent *i = &o->intent.u.fact_intent;
    bool has_intent_record = o->intent.head.type != 0;
    if (o->decision.head.type == 0)
        return FAIL(w->tr, CORRUPT,
                    "intent %" PRIu64 " has no decision in this journal; run tenon journal verify",
                    o->id);
    TRY(story_scope(&w->s->names, o->decision.head.seq, d->strategy, d->instrument, d->account,
                    &o->scope, w->tr));
    o->scope.json.rule_since_ns = o->since_ns;
    o->scope.origin = has_intent_record ? i->origin : 0;
    uint64_t signal_seq = has_intent_record                  ? i->signal_seq
                          : o->made.head.type == FACT_SIGNAL ? o->made.head.seq
                                                             : 0;
    if (signal_seq == 0) {
        o->cause = o->made;
        return OK_RESULT;
    }
    TRY(fetch(w, signal_seq, &o->signal));
    if (o->signal.head.type != FACT_SIGNAL)
        return OK_RESULT; /* pruned: told so */
    o->build =
        story_build(&w->s->names, d->strategy, o->signal.head.generation, o->decision.head.seq);
    TRY(fetch(w, o->signal.head.cause_seq, &o->cause));
    return find_bar(w, o);
}

/* ---- what was asked ---- */

/* T<epoch>-<order>-<attempt> in the base 32 of core/oms.c: no I, L, O, U. */
static const char *take32(const char *p, uint64_t *out)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const char *from = p;
    *out = 0;
    for (; *p && *p != '-'; p++) {
        const char *at = strchr(digits, *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
        if (at == NULL || *out >> 59 != 0)
            return NULL;
        *out = *out << 5 | (uint64_t)(at - digits);
    }
    return p == from ? NULL : p;
}

static bool parse_client_id(const char *id, uint64_t *order)
{
    uint64_t epoch, attempt;
    if (*id != 'T' && *id != 't')
        return false;
    const char *p = take32(id + 1, &epoch);
    p = p && *p == '-' ? take32(p + 1, order) : NULL;
    p = p && *p == '-' ? take32(p + 1, &attempt) : NULL;
    return p && *p == 0 && *order != 0;
}

static struct result nothing_there(struct walk *w, const char *id)
{
    return FAIL(w->tr, NOT_FOUND,
                "%s: the journal %s has no order, intent or event of that number; its events are "
                "%" PRIu64 " to %" PRIu64,
                id, w->s->journal, w->s->first_seq, w->s->last_seq);
}

/* An event that is about an order stands for the order's whole story. */
static struct result resolve_event(struct walk *w, uint64_t seq)
{
    struct fact_view v = {0};
    TRY(fetch(w, seq, &v));
    if (v.head.type == 0)
        return OK_RESULT; /* said after the walk, with the journal's bounds */
    uint64_t order = story_order_of(&v);
    bool found = false;
    w->event = seq;
    if (order == 0)
        return OK_RESULT;
    TRY(has_intent(w, order, &found));
    w->intent = found ? order : 0;
    return OK_RESULT;
}

static struct result resolve(struct walk *w, const char *id)
{
    uint64_t n = 0;
    bool found = false, client = parse_client_id(id, &n);
    if (!client) {
        char *end = NULL;
        n = strtoull(id, &end, 10);
        if (end == id || *end != 0 || n == 0)
            return FAIL(w->tr, USAGE,
                        "'%.40s' is no number of an order, intent or event and no client id such "
                        "as T1-DZW00-1",
                        id);
    }
    TRY(has_intent(w, n, &found));
    if (found)
        w->intent = n;
    else if (!client)
        return resolve_event(w, n);
    return OK_RESULT;
}

static struct result check_found(struct walk *w, const struct story_ask *ask)
{
    struct story *s = w->s;
    uint64_t order;
    if (s->last_seq == 0)
        return FAIL(w->tr, NOT_FOUND, "the journal %s is empty: nothing has run on it yet",
                    s->journal);
    if (ask->id == NULL && s->order_count == 0)
        return FAIL(w->tr, NOT_FOUND, "nothing was denied or cut in the journal %s", s->journal);
    if (ask->id == NULL)
        return OK_RESULT;
    if (s->order_count == 0 && (s->event.count == 0 || ask->decision_only))
        return s->event.count
                   ? FAIL(w->tr, NOT_FOUND,
                          "event %s led to no decision of the gate; see tenon explain %s", ask->id,
                          ask->id)
                   : nothing_there(w, ask->id);
    const char *sent = s->order_count ? s->order[0].send.u.fact_send.client_id : "";
    if (parse_client_id(ask->id, &order) && strcasecmp(sent, ask->id) != 0)
        return FAIL(w->tr, NOT_FOUND, "%s: order %" PRIu64 " was sent under another client id, %s",
                    ask->id, order, sent[0] ? sent : "or not at all");
    return OK_RESULT;
}

static struct result tell(struct walk *w, const struct story_ask *ask)
{
    struct result x = OK_RESULT;
    w->last_denial = ask->id == NULL;
    if (ask->id != NULL)
        x = resolve(w, ask->id);
    if (is_ok(x))
        x = walk_all(w);
    if (is_ok(x))
        x = check_found(w, ask);
    for (uint32_t i = 0; i < w->s->order_count && is_ok(x); i++)
        x = complete(w, &w->s->order[i]);
    return x;
}

struct result story_read(const char *dir, const struct story_ask *ask, struct story *out,
                         struct trail *tr)
{
    memset(out, 0, sizeof *out);
    out->journal = dir;
    struct walk w = {.s = out, .tr = tr};
    TRY(journal_store_rocksdb(dir, false, true, &w.store, tr));
    struct result x = tell(&w, ask);
    w.store->ops->close(w.store);
    free(w.rolling);
    if (!is_ok(x))
        story_free(out);
    return x;
}

void story_free(struct story *s)
{
    free(s->names.row);
    free(s->stage.rows.row);
    free(s->order);
    free(s->kept.row);
    free(s->event.row);
    free(s->signal.row);
    story_denials_free(&s->denials);
    memset(s, 0, sizeof *s);
}
