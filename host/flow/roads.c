/* SPDX-License-Identifier: Apache-2.0
 *
 * Effects out, holds, questions. Open approvals lie in a ring in the order of their numbers, which
 * rise, so that an answer finds its approval by halving.
 */
#include "flow/roads.h"
#include <stdlib.h>
#include <string.h>
#include "flow/roads_priv.h"

struct result roads_open(const struct roads_options *o, struct roads **out, struct trail *tr)
{
    struct roads *r = calloc(1, sizeof *r);
    must(r != NULL);
    r->o = *o;
    r->link.fd = r->link.bell = r->link.page_fd = -1;
    r->totals.least_room_ns = INT64_MAX;
    r->open = calloc(ROADS_OPEN, sizeof *r->open);
    r->buffer = malloc(ROADS_BUFFER);
    must(r->open != NULL && r->buffer != NULL);
    struct result result = road_hold_open(&r->answers, ROADS_ANSWERS);
    if (is_ok(result))
        result = road_hold_open(&r->market, ROADS_MARKET);
    if (is_ok(result) && !o->in_engine)
        result = road_link_open(&r->link, o->socket, tr);
    if (is_ok(result))
        *out = r;
    else
        roads_free(r);
    return result;
}

void roads_free(struct roads *r)
{
    if (r == NULL)
        return;
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        road_bay_stop(&r->account[i].bay, r->o.spawn);
        road_bay_stop(&r->account[i].second, r->o.spawn);
        roads_spare_end(&r->account[i]);
    }
    road_link_close(&r->link);
    road_hold_close(&r->answers);
    road_hold_close(&r->market);
    free(r->open);
    free(r->epoch);
    free(r->buffer);
    free(r);
}

struct road_link *roads_page(struct roads *r)
{
    return r->o.in_engine ? NULL : &r->link;
}

bool roads_has(const struct roads *r, uint32_t account)
{
    return r != NULL && account >= 1 && account <= DEPLOY_ACCOUNTS_MAX &&
           r->account[account - 1].is_used;
}

/* ---- holding ---- */

bool roads_has_room(const struct roads *r)
{
    return r->answers.count < ROADS_SAID && road_hold_has_room(&r->market);
}

void roads_hold(struct roads *r, int64_t due_ns, enum roads_rank rank, uint32_t account,
                uint64_t tie, uint64_t cause_seq, uint16_t type, const void *payload)
{
    struct road_held h = {
        .due_ns = due_ns, .source = rank << 8 | account, .tie = tie, .cause_seq = cause_seq};
    h.fact.head = (struct fact_head){.bytes = fact_bytes(type),
                                     .t_ns = due_ns,
                                     .type = type,
                                     .version = fact_version(type),
                                     .source = account};
    memcpy(&h.fact.u, payload, fact_bytes(type));
    road_hold_put(&r->answers, &h);
}

static int64_t sent_due(const struct roads *r, const struct roads_approval *a)
{
    if (r->o.in_engine || r->o.is_script)
        return a->t_ns + r->account[a->account - 1].latency_ns / 2;
    return clock_wall(r->setup.clock);
}

void roads_hold_sent(struct roads *r, const struct roads_approval *a, uint32_t what,
                     uint32_t reason)
{
    const struct fact_sent e = {.order = a->order,
                                .attempt = a->attempt,
                                .what = what,
                                .is_cancel = a->class_of == TN_CLASS_CANCEL,
                                .reason = reason};
    if (a->class_of == TN_CLASS_QUERY)
        return; /* the core asks again by itself */
    roads_hold(r, sent_due(r, a), RANK_SENT, a->account, a->approval,
               road_approval_seq(a->approval), FACT_SENT, &e);
}

void roads_doubt(struct roads *r, struct roads_account *a, uint32_t phase, const char *text,
                 const struct line_sync *s)
{
    struct fact_sync e = {.account = a->names.account, .phase = phase};
    int64_t due = r->o.in_engine || r->o.is_script ? INT64_MIN : clock_wall(r->setup.clock);
    if (phase == FACT_SYNC_AGAIN ? a->in_doubt || a->is_again
                                 : a->in_doubt == (phase == FACT_SYNC_LOST) && !a->is_again)
        return; /* the core knows */
    a->is_again = phase == FACT_SYNC_AGAIN;
    a->in_doubt = phase == FACT_SYNC_LOST;
    if (s != NULL) {
        e.orders = s->orders;
        e.fills = s->fills;
        memcpy(e.cursor, s->cursor, sizeof e.cursor);
    }
    strncpy(e.text, text, sizeof e.text - 1);
    if (r->setup.log != NULL && !r->o.in_engine && phase != FACT_SYNC_AGAIN)
        log_now(r->setup.log, phase == FACT_SYNC_LOST ? LOG_WARN : LOG_INFO, NULL,
                "account %s: %s%s", a->name, phase == FACT_SYNC_LOST ? "in doubt: " : "", text);
    roads_hold(r, due, RANK_SYNC, a->names.account, 0, 0, FACT_SYNC, &e);
}

/* ---- open approvals ---- */

static struct roads_approval *at(struct roads *r, uint32_t i)
{
    return &r->open[(r->open_first + i) % ROADS_OPEN];
}

struct roads_approval *roads_find(struct roads *r, uint64_t approval)
{
    uint32_t low = 0, high = r->open_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (at(r, middle)->approval < approval)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < r->open_count && at(r, low)->approval == approval && !at(r, low)->is_done;
    return found ? at(r, low) : NULL;
}

void roads_done(struct roads *r, struct roads_approval *a)
{
    must(!a->is_done && r->open_live > 0);
    a->is_done = true;
    r->open_live--;
    while (r->open_count > 0 && at(r, 0)->is_done) {
        r->open_first = (r->open_first + 1) % ROADS_OPEN;
        r->open_count--;
    }
}

/* A venue of the demo profile answers seconds late on purpose. */
int64_t roads_quiet_ns(const struct roads *r)
{
    return r->quiet_ns;
}

static void note_open(struct roads *r, const struct roads_approval *a)
{
    int64_t quiet_ns = a->t_ns + 2 * r->account[a->account - 1].latency_ns + ROADS_SLOW_NS;
    r->quiet_ns = quiet_ns > r->quiet_ns ? quiet_ns : r->quiet_ns;
    must(r->open_count == 0 || at(r, r->open_count - 1)->approval < a->approval);
    *at(r, r->open_count) = *a;
    at(r, r->open_count)->mono_ns = clock_mono(r->setup.clock);
    r->open_count++;
    r->open_live++;
}

/* ---- effects ---- */

/* Rows rise, so the last one that begins not after it. What is before all of them is of a part that
 * was pruned: most likely of the epoch before the first that is known. */
uint64_t roads_epoch(const struct roads *r, uint64_t order)
{
    uint32_t low = 0, high = r->epoch_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->epoch[middle].seq <= order >> 10)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0)
        return r->epoch[low - 1].epoch;
    return r->epoch_count > 0 ? r->epoch[0].epoch - 1 : r->setup.epoch;
}

bool roads_is_pruned(const struct roads *r, uint64_t order)
{
    return r->epoch_count == 0 || order >> 10 < r->epoch[0].seq;
}

static struct roads_approval approval_of(const struct fact_head *head, uint32_t account,
                                         uint64_t order, uint32_t attempt, uint32_t class_of)
{
    return (struct roads_approval){.approval = road_approval(head->seq, head->sub),
                                   .order = order,
                                   .t_ns = head->t_ns,
                                   .account = account,
                                   .attempt = attempt,
                                   .class_of = class_of};
}

/* Gives it to egress; what cannot be given is answered as not sent. */
static void put(struct roads *r, const struct roads_approval *a, uint32_t kind, const void *bytes,
                uint32_t count)
{
    bool ok =
        r->is_attached && r->open_count < ROADS_OPEN && road_link_put(&r->link, kind, bytes, count);
    if (!ok) {
        roads_hold_sent(r, a, FACT_SENT_FAILED, FACT_SENT_REASON_NO_LINK);
        return;
    }
    note_open(r, a);
    link_ring(&r->link.link);
}

void roads_send(struct roads *r, const struct fact_head *head, const struct fact_send *s,
                bool is_stored)
{
    struct roads_approval a = approval_of(head, s->account, s->order, s->attempt, TN_CLASS_ORDER);
    struct road_order m;
    r->totals.orders++;
    if (r->o.in_engine || !is_stored) {
        roads_hold_sent(r, &a, is_stored ? FACT_SENT_OK : FACT_SENT_FAILED,
                        is_stored ? FACT_SENT_REASON_NONE : FACT_SENT_REASON_NO_LINK);
        return;
    }
    road_order_of(head, s, &m);
    put(r, &a, ROAD_ORDER, &m, sizeof m);
    if (m.seq != 0)
        road_link_want(&r->link, m.seq);
}

void roads_cancel(struct roads *r, const struct fact_head *head, const struct fact_cancel *c)
{
    struct roads_approval a = approval_of(head, c->account, c->order, c->attempt, TN_CLASS_CANCEL);
    struct road_cancel m;
    r->totals.cancels++;
    if (r->o.in_engine) {
        roads_hold_sent(r, &a, FACT_SENT_OK, FACT_SENT_REASON_NONE);
        return;
    }
    road_cancel_of(head, c, roads_epoch(r, c->order), &m);
    put(r, &a, ROAD_CANCEL, &m, sizeof m);
}

void roads_query(struct roads *r, const struct fact_head *head, const struct fact_query *q,
                 uint32_t instrument)
{
    struct roads_approval a = approval_of(head, q->account, q->order, q->attempt, TN_CLASS_QUERY);
    struct road_query m;
    r->totals.queries++;
    if (r->o.in_engine)
        return;
    road_query_of(head, q, roads_epoch(r, q->order), instrument, &m);
    put(r, &a, ROAD_QUERY, &m, sizeof m);
}

void roads_mode(struct roads *r, const struct fact_moded *m, const struct fact_mode *why)
{
    struct road_kill k = {.account = m->scope == MODE_SCOPE_ACCOUNT ? m->id : 0};
    bool sets = m->to == MODE_KILLED, lifts = m->from == MODE_KILLED;
    if (!r->is_attached || m->scope == MODE_SCOPE_STRATEGY || (!sets && !lifts))
        return;
    k.wall_ns = clock_wall(r->setup.clock);
    if (why != NULL) {
        k.keep_positions = why->keep_positions;
        memcpy(k.by, why->by, sizeof k.by);
        memcpy(k.reason, why->reason, sizeof k.reason);
    }
    (void)road_link_put(&r->link, sets ? ROAD_KILL : ROAD_LIFT, &k, sizeof k);
    link_ring(&r->link.link);
}

void roads_leave(struct roads *r, bool keep)
{
    const struct road_leave m = {.keep = keep};
    if (r == NULL || !r->is_attached)
        return;
    (void)road_link_put(&r->link, ROAD_LEAVE, &m, sizeof m);
    link_ring(&r->link.link);
}

void roads_flatten(struct roads *r)
{
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX && r->is_attached; i++) {
        const struct road_flat m = {.account = i + 1};
        if (!r->account[i].is_used)
            continue;
        r->account[i].is_flattening = true;
        (void)road_link_put(&r->link, ROAD_FLAT, &m, sizeof m);
    }
    if (r->is_attached)
        link_ring(&r->link.link);
}

bool roads_flattens(const struct roads *r)
{
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        if (r->account[i].is_flattening)
            return true;
    }
    return false;
}

/* ---- taking ---- */

int64_t roads_due(const struct roads *r)
{
    return road_hold_due(&r->answers);
}

void roads_take(struct roads *r, struct road_held *out)
{
    road_hold_take(&r->answers, out);
    if (out->fact.head.type == FACT_SYNC)
        roads_cursor(r, &out->fact.u.fact_sync);
}

int64_t roads_market_due(const struct roads *r)
{
    return road_hold_due(&r->market);
}

const struct road_held *roads_market_first(const struct roads *r)
{
    return road_hold_first(&r->market);
}

void roads_market_take(struct roads *r, struct road_held *out)
{
    road_hold_take(&r->market, out);
}

/* A restart under load showed it: a second of market data numbered within 70 ms, and every build
 * at fault for answers that nobody could have given in time. */
int64_t roads_behind_until(const struct roads *r, int64_t due_ns)
{
    static const int64_t behind_ns = 5 * 1000 * 1000, felt_ns = 1000 * 1000 * 1000;
    if (r->o.is_script)
        return INT64_MIN;
    const int64_t now = clock_wall(r->setup.clock);
    return now - due_ns > behind_ns ? now + felt_ns : INT64_MIN;
}

/* ---- waiting ---- */

static void add(struct pollfd *out, uint32_t *count, int fd)
{
    if (fd >= 0)
        out[(*count)++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

bool roads_sleep(struct roads *r, struct pollfd *out, uint32_t *count)
{
    bool may = true;
    if (r->is_attached) {
        add(out, count, r->link.fd);
        add(out, count, r->link.link.end.bell);
        may = link_sleep(&r->link.link) && may;
    }
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        struct road_agent *bay[2] = {&r->account[i].bay, &r->account[i].second};
        for (uint32_t k = 0; k < 2; k++) {
            if (bay[k]->state != ROAD_BAY_RUNS)
                continue;
            add(out, count, bay[k]->child.pidfd);
            add(out, count, bay[k]->line.end.bell);
            may = link_sleep(&bay[k]->line) && may;
        }
    }
    return may;
}

void roads_awake(struct roads *r)
{
    if (r->is_attached)
        link_awake(&r->link.link);
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        if (r->account[i].bay.state == ROAD_BAY_RUNS)
            link_awake(&r->account[i].bay.line);
        if (r->account[i].second.state == ROAD_BAY_RUNS)
            link_awake(&r->account[i].second.line);
    }
}

/* ---- figures ---- */

void roads_trip(struct roads_trip *t, int64_t ns)
{
    uint64_t v = ns > 0 ? (uint64_t)ns : 0;
    uint32_t top = v < 16 ? 0 : 60 - (uint32_t)__builtin_clzll(v);
    t->bucket[top * 16 + (v >> top & 15)]++;
    t->count++;
}

/* The upper end of the bucket that holds the 999th of a thousand. */
static int64_t p999(const struct roads_trip *t)
{
    uint64_t left = t->count - t->count / 1000, seen = 0;
    for (uint32_t i = 0; i < TRIP_BUCKETS && t->count > 0; i++) {
        seen += t->bucket[i];
        if (seen >= left)
            return (int64_t)(((uint64_t)(i % 16) + 1) << i / 16);
    }
    return 0;
}

int64_t roads_room(const struct roads *r, int64_t due_ns, int64_t mono_ns)
{
    const struct roads_options *o = &r->o;
    __int128 wall = (__int128)(due_ns - o->script_market_ns) * 1000 / o->script_speed;
    return (int64_t)wall + o->script_mono_ns - mono_ns;
}

void roads_totals(const struct roads *r, struct roads_totals *out)
{
    *out = r->totals;
    out->trip_p999_ns = p999(&r->trip);
    out->feed_p999_ns = p999(&r->feed);
}
