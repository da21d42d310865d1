/* SPDX-License-Identifier: Apache-2.0
 *
 * See warm.h. Counting goes through a belief of the same seats, with bays that only count: so what
 * is a bar, and for whom, is said in one place, also where bars are made from trades. Each pass
 * begins afresh further back; with windows that double, all passes together read at most twice what
 * the last one does.
 */
#include "flow/warm.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

enum { FIRST_WINDOW = 4096, LOOK_EVERY = 1024, VIEWS_MAX = 8 };

/* ---- what a build needs ---- */

static bool declares_warmup(const struct bay_module *m)
{
    const struct tn_instance_ops *ops = bay_module_entry(m)->ops; /* every kind's table begins so */
    return ops->warmup != NULL;
}

static uint32_t place_of(const struct plant *p, uint32_t strategy)
{
    uint32_t at = 0;
    while (at < p->instance_count && p->instance[at].id != strategy)
        at++;
    must(at < p->instance_count);
    return at;
}

enum warm_how warm_how(const struct plant *p, uint32_t strategy)
{
    const struct plant_nodes *nodes = &p->nodes[place_of(p, strategy)];
    enum warm_how how = WARM_REPLAY;
    for (uint32_t i = 0; i < nodes->count; i++) {
        const struct bay_module *m = p->module[nodes->at[i]];
        const struct tn_manifest *f = &bay_module_facts(m)->manifest;
        const bool has_state = f->state_schema > 0, has_need = declares_warmup(m);
        if ((f->flags & TN_FLAG_COLD) != 0 || (!has_state && !has_need))
            return WARM_COLD;
        if (!has_need)
            how = WARM_STATE;
    }
    return how;
}

bool warm_needs_state(const struct plant *p, uint32_t place)
{
    const struct bay_module *m = p->module[place];
    return bay_module_facts(m)->manifest.state_schema > 0 && !declares_warmup(m);
}

/* ---- counting ---- */

struct counting_bay { /* a bay that sees what the real one would and remembers how much it was */
    struct bay bay;
    bool by_bars;
    uint64_t count;
};

static void on_give(struct bay *b, const struct tn_event *ev, uint32_t count)
{
    struct counting_bay *c = (struct counting_bay *)(void *)b;
    for (uint32_t i = 0; i < count; i++) {
        if (c->by_bars ? ev->type == TN_EVENT_BAR : ev->type <= TN_EVENT_QUOTE)
            c->count++;
        ev = (const struct tn_event *)(const void *)((const char *)ev + ev->size);
    }
}

static bool on_take(struct bay *b, struct bay_answer *out)
{
    (void)b;
    (void)out;
    return false;
}

static const struct bay_ops counting_ops = {.name = "counting", .give = on_give, .take = on_take};

struct counting {
    struct belief *belief;
    uint32_t count;
    struct counting_bay bay[DEPLOY_INSTANCES_MAX];
};

/* The same seats as the part's, all counts at zero. */
static struct result count_from_zero(struct counting *c, const struct plant *part, struct trail *tr)
{
    belief_free(c->belief);
    c->belief = NULL;
    c->count = belief_count(part->belief);
    must(c->count <= DEPLOY_INSTANCES_MAX);
    struct result r = belief_new(c->count > 0 ? c->count : 1, &c->belief, tr);
    for (uint32_t i = 0; i < c->count && is_ok(r); i++) {
        struct bay *real;
        const struct belief_route *route = belief_seat(part->belief, i, &real);
        c->bay[i] = (struct counting_bay){.bay.ops = &counting_ops, .by_bars = route->bar_ns > 0};
        r = belief_add(c->belief, &c->bay[i].bay, route, tr);
    }
    return r;
}

/* Twice the need, so that seeds settle. Where bars are made one more is wanted: the first is of a
 * part of its time, and the one that is open at the end must be whole. */
static bool is_enough(const struct counting *c, const struct warm_report *rep,
                      const struct plant *part)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct bay *real;
        const struct belief_route *route = belief_seat(part->belief, i, &real);
        if (c->bay[i].count < 2 * rep->seat[i].need + (route->bars_from_trades ? 2 : 0))
            return false;
    }
    return true;
}

/* ---- walking the journal ---- */

struct walk {
    struct journal_store *store;
    struct journal_reader *reader;
    const char *dir;
    uint64_t upto_seq;
    const _Atomic bool *stop;
    struct trail *tr;
};

static struct result open_walk(struct walk *w)
{
    TRY(journal_store_rocksdb(w->dir, false, true, &w->store, w->tr));
    return journal_reader_open(w->store, &w->reader, w->tr);
}

static void close_walk(struct walk *w)
{
    journal_reader_close(w->reader);
    if (w->store != NULL)
        w->store->ops->close(w->store);
    w->reader = NULL;
    w->store = NULL;
}

static struct result find_fault(struct belief *b, const struct plant *p, struct trail *tr)
{
    struct belief_answer a;
    while (belief_take(b, &a)) {
        if (a.a.kind == BAY_FAULT)
            return warm_fault(p, &a, tr);
    }
    return OK_RESULT;
}

struct result warm_fault(const struct plant *p, const struct belief_answer *a, struct trail *tr)
{
    const uint32_t at = place_of(p, a->strategy);
    return FAIL(tr, PLUGIN,
                "instance %s (%s %s): broke its contract while it was warmed, at event %lu: %s; "
                "correct the plugin and promote it under a new version",
                p->instance[at].name, p->instance[at].plugin, p->instance[at].version,
                (unsigned long)a->a.cause_seq, a->a.text);
}

/* Shows the records from..upto to a belief; *first and *events say what that was. */
static struct result show(struct walk *w, uint64_t from, struct belief *b, const struct plant *p,
                          struct warm_report *rep)
{
    struct fact_head head = {0};
    const void *payload;
    uint64_t records = 0;
    rep->from_seq = rep->to_seq = rep->events = 0;
    struct result r = journal_reader_seek(w->reader, from, w->tr);
    while (is_ok(r)) {
        if (records++ % LOOK_EVERY == 0 && atomic_load(w->stop))
            return RESULT_OF(AGAIN);
        r = journal_reader_next(w->reader, &head, &payload, w->tr);
        if (!is_ok(r) || head.seq > w->upto_seq)
            break;
        rep->from_seq = rep->from_seq == 0 ? head.seq : rep->from_seq;
        rep->to_seq = head.seq;
        rep->events += head.sub == 0;
        belief_event(b, &head, payload);
        r = p != NULL ? find_fault(b, p, w->tr) : r;
    }
    return r.code == RESULT_END ? OK_RESULT : r;
}

static struct result count_back(struct walk *w, const struct plant *part, uint64_t *from,
                                struct warm_report *rep)
{
    struct counting *c = calloc(1, sizeof *c);
    must(c != NULL);
    struct result r = OK_RESULT;
    uint64_t window = FIRST_WINDOW;
    for (bool done = false; !done && is_ok(r); window *= 2) {
        *from = w->upto_seq > window ? w->upto_seq - window + 1 : 1;
        r = count_from_zero(c, part, w->tr);
        if (is_ok(r))
            r = show(w, *from, c->belief, NULL, rep);
        /* When the journal gave a later event than was asked for, it begins there. */
        done = *from == 1 || rep->from_seq == 0 || rep->from_seq > *from || is_enough(c, rep, part);
    }
    for (uint32_t i = 0; i < rep->seat_count; i++)
        rep->seat[i].have = c->bay[i].count;
    belief_free(c->belief);
    free(c);
    return r;
}

static void begin_report(const struct plant *part, struct warm_report *rep)
{
    memset(rep, 0, sizeof *rep);
    rep->seat_count = belief_count(part->belief);
    must(rep->seat_count <= DEPLOY_INSTANCES_MAX);
    for (uint32_t i = 0; i < rep->seat_count; i++) {
        struct bay *bay;
        const struct belief_route *route = belief_seat(part->belief, i, &bay);
        rep->seat[i] = (struct warm_seat){.strategy = route->strategy,
                                          .generation = route->generation,
                                          .how = WARM_REPLAY,
                                          .need = bay->ops->warmup(bay)};
    }
}

struct result warm_count(const struct plant *part, const char *journal_dir, uint64_t upto_seq,
                         const _Atomic bool *stop, struct warm_report *out, struct trail *tr)
{
    begin_report(part, out);
    if (journal_dir == NULL || upto_seq == 0 || out->seat_count == 0)
        return OK_RESULT;
    struct walk w = {.dir = journal_dir, .upto_seq = upto_seq, .stop = stop, .tr = tr};
    uint64_t from = 0;
    struct result r = open_walk(&w);
    if (is_ok(r))
        r = count_back(&w, part, &from, out);
    close_walk(&w);
    return r;
}

struct result warm_short(const struct plant *part, const struct warm_report *rep, struct trail *tr)
{
    for (uint32_t i = 0; i < rep->seat_count; i++) {
        const struct warm_seat *s = &rep->seat[i];
        if (s->how == WARM_STATE || s->have >= s->need)
            continue;
        const uint32_t at = place_of(part, s->strategy);
        return FAIL(tr, STATE,
                    "instance %s: its warm-up is longer than the history: it needs %lu bars or "
                    "events before its first answer and the journal has %lu; promote it when there "
                    "are enough, or with parameters that need fewer",
                    part->instance[at].name, (unsigned long)s->need, (unsigned long)s->have);
    }
    return OK_RESULT;
}

/* A view of the journal that reaches the event that is durable. One opened while the writer turned
 * a log into a table may end before it: then another is opened. */
static struct result open_whole(struct walk *w, const struct plant *part, uint64_t *from,
                                struct warm_report *rep)
{
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < VIEWS_MAX; i++) {
        close_walk(w);
        r = open_walk(w);
        if (is_ok(r))
            r = count_back(w, part, from, rep);
        if (!is_ok(r) || rep->to_seq == w->upto_seq)
            return r;
    }
    return FAIL(w->tr, CORRUPT,
                "the journal in %s ends at event %lu for a reader, and event %lu was said to be "
                "durable; run tenon journal verify",
                w->dir, (unsigned long)rep->to_seq, (unsigned long)w->upto_seq);
}

static struct result replay(struct walk *w, struct plant *part, bool allow_short,
                            struct warm_report *rep)
{
    uint64_t from = 0;
    TRY(open_whole(w, part, &from, rep));
    if (!allow_short)
        TRY(warm_short(part, rep, w->tr));
    TRY(show(w, from, part->belief, part, rep));
    must(rep->to_seq == w->upto_seq); /* the very view that was counted */
    return OK_RESULT;
}

struct result warm_replay(struct plant *part, const char *journal_dir, uint64_t upto_seq,
                          bool allow_short, const _Atomic bool *stop, struct warm_report *out,
                          struct trail *tr)
{
    begin_report(part, out);
    if (journal_dir == NULL || upto_seq == 0 || out->seat_count == 0)
        return OK_RESULT;
    struct walk w = {.dir = journal_dir, .upto_seq = upto_seq, .stop = stop, .tr = tr};
    struct result r = replay(&w, part, allow_short, out);
    close_walk(&w);
    return r;
}
