/* SPDX-License-Identifier: Apache-2.0
 *
 * Seats in a flat array, one per bay, and for each instrument the chain of its seats: an event of
 * one instrument touches those seats only. The chains hold indexes in rising order, so serving
 * them is serving in deployment order.
 *
 * Bars are made per seat, not per instrument: two strategies may want two lengths, and a seat's
 * stream then depends on nothing but its own route. The earliest end over all seats is kept in
 * deadline_ns, so that asking for it and finding that nothing is due cost one compare per fact.
 *
 * Answers are taken by walking the seats from the first. The walk remembers where it is until the
 * next fact, because a bay that said "nothing" has no reason to say more before that.
 *
 * Builds come and go between two events. A seat that goes is closed up behind, so the order of the
 * rest stays; then the chains are linked anew, in place: that costs a walk over the seats and no
 * memory. Seats know each other by index only, so an array that moves needs no repair. What an
 * adopted belief was shown was history for its seats although their bays are active already: from
 * the adoption on they hear what the others hear.
 */
#include "flow/belief.h"
#include "flow/bars.h"
#include "flow/tap.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

#define SEAT_NONE UINT32_MAX

struct seat {
    struct bay *bay;
    struct belief_route route;
    struct bars bars;
    uint32_t next; /* seat of the same instrument, or SEAT_NONE */
    uint32_t lane;
    bool is_quarantined;
};

struct belief {
    uint32_t count, max;
    uint32_t take_at;     /* seats before it have nothing more to say about the last fact */
    uint32_t chain_count; /* entries of first and last */
    bool is_active;       /* until then all is history */
    int64_t deadline_ns;
    struct tap *tap;                      /* NULL: nobody listens in */
    uint64_t lanes[BELIEF_BAYS_MAX / 64]; /* bits: taken */
    uint32_t *first, *last;               /* by instrument id: seats, or SEAT_NONE */
    struct seat seat[];
};

struct result belief_new(uint32_t max_bays, struct belief **out, struct trail *tr)
{
    *out = NULL;
    if (max_bays == 0 || max_bays > BELIEF_BAYS_MAX)
        return FAIL(tr, RANGE, "belief with %u bays: 1 to %d are possible; use fewer strategies",
                    max_bays, BELIEF_BAYS_MAX);
    struct belief *b = calloc(1, sizeof *b + (size_t)max_bays * sizeof b->seat[0]);
    if (b == NULL)
        return FAIL(tr, FULL, "no memory for %u bays; free some and start again", max_bays);
    b->max = max_bays;
    b->deadline_ns = INT64_MAX;
    *out = b;
    return OK_RESULT;
}

void belief_free(struct belief *b)
{
    if (b == NULL)
        return;
    free(b->first);
    free(b->last);
    free(b);
}

struct result belief_reserve(struct belief *b, uint32_t instrument, struct trail *tr)
{
    must(instrument <= BELIEF_INSTRUMENTS_MAX);
    if (instrument < b->chain_count)
        return OK_RESULT;
    const uint32_t count = instrument + 1;
    uint32_t *first = realloc(b->first, count * sizeof *first);
    if (first != NULL)
        b->first = first;
    uint32_t *last = realloc(b->last, count * sizeof *last);
    if (last != NULL)
        b->last = last;
    if (first == NULL || last == NULL)
        return FAIL(tr, FULL, "no memory for the bays of instrument %u; free some and start again",
                    instrument);
    for (uint32_t i = b->chain_count; i < count; i++)
        b->first[i] = b->last[i] = SEAT_NONE;
    b->chain_count = count;
    return OK_RESULT;
}

static struct result check_route(const struct belief *b, const struct belief_route *r,
                                 struct trail *tr)
{
    if (b->count == b->max)
        return FAIL(tr, FULL, "strategy %u: all %u bays of this belief are taken", r->strategy,
                    b->max);
    if (r->instrument == 0 || r->instrument > BELIEF_INSTRUMENTS_MAX)
        return FAIL(tr, RANGE,
                    "strategy %u: instrument id %u is not in 1 to %d; route it to a "
                    "defined instrument",
                    r->strategy, r->instrument, BELIEF_INSTRUMENTS_MAX);
    if (r->due_ns < 0)
        return FAIL(tr, RANGE,
                    "strategy %u: answers cannot be due before their cause; use a due "
                    "time of 0 or more",
                    r->strategy);
    if (r->bars_from_trades && r->bar_ns <= 0)
        return FAIL(tr, RANGE,
                    "strategy %u: bars from trades need a length; set the bar length "
                    "of the instance",
                    r->strategy);
    return OK_RESULT;
}

/* The lowest lane that no seat has. There is one: seats are as many as lanes at most. */
static uint32_t take_lane(struct belief *b)
{
    uint32_t word = 0;
    while (word < BELIEF_BAYS_MAX / 64 && b->lanes[word] == UINT64_MAX)
        word++;
    must(word < BELIEF_BAYS_MAX / 64);
    const uint32_t bit = (uint32_t)__builtin_ctzll(~b->lanes[word]);
    b->lanes[word] |= 1ull << bit;
    return word * 64 + bit;
}

/* Appends a seat to the chain of its instrument. */
static void link_seat(struct belief *b, uint32_t at)
{
    const uint32_t instrument = b->seat[at].route.instrument;
    must(instrument < b->chain_count);
    uint32_t *last = &b->last[instrument];
    b->seat[at].next = SEAT_NONE;
    if (*last == SEAT_NONE)
        b->first[instrument] = at;
    else
        b->seat[*last].next = at;
    *last = at;
}

/* Links all chains anew; `gone` is the instrument of a seat that is there no more. */
static void link_all(struct belief *b, uint32_t gone)
{
    b->first[gone] = b->last[gone] = SEAT_NONE;
    for (uint32_t i = 0; i < b->count; i++)
        b->first[b->seat[i].route.instrument] = b->last[b->seat[i].route.instrument] = SEAT_NONE;
    for (uint32_t i = 0; i < b->count; i++)
        link_seat(b, i);
}

struct result belief_add(struct belief *b, struct bay *bay, const struct belief_route *route,
                         struct trail *tr)
{
    must(bay != NULL && bay->ops != NULL);
    TRY(check_route(b, route, tr));
    TRY(belief_reserve(b, route->instrument, tr));
    const uint32_t at = b->count++;
    struct seat *s = &b->seat[at];
    *s = (struct seat){.bay = bay, .route = *route, .lane = take_lane(b)};
    if (route->bars_from_trades)
        bars_init(&s->bars, route->bar_ns);
    link_seat(b, at);
    return OK_RESULT;
}

/* ---- builds that come and go ---- */

static uint32_t find_seat(const struct belief *b, uint32_t strategy, uint32_t generation)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->seat[i].route.strategy == strategy && b->seat[i].route.generation == generation)
            return i;
    }
    return SEAT_NONE;
}

static void find_deadline(struct belief *b)
{
    b->deadline_ns = INT64_MAX;
    for (uint32_t i = 0; i < b->count; i++) {
        if (!b->seat[i].route.bars_from_trades)
            continue;
        const int64_t end = bars_deadline(&b->seat[i].bars);
        b->deadline_ns = end < b->deadline_ns ? end : b->deadline_ns;
    }
}

struct result belief_adopt(struct belief *b, struct belief *from, struct trail *tr)
{
    must(b != from && (b->is_active || !from->is_active));
    if (from->count > b->max - b->count)
        return FAIL(tr, FULL,
                    "%u new builds beside %u that are heard: a host hears %u at most; wait for the "
                    "end of the probation, or use fewer strategies",
                    from->count, b->count, b->max);
    for (uint32_t i = 0; i < from->count; i++) {
        const struct belief_route *r = &from->seat[i].route;
        if (r->instrument >= b->chain_count)
            return FAIL(tr, FULL, "strategy %u: instrument %u is above the %u that this host has",
                        r->strategy, r->instrument, b->chain_count - 1);
        if (find_seat(b, r->strategy, r->generation) != SEAT_NONE)
            return FAIL(tr, DUPLICATE, "strategy %u: its build of deployment %u is heard already",
                        r->strategy, r->generation);
    }
    for (uint32_t i = 0; i < from->count; i++) {
        const uint32_t at = b->count++;
        b->seat[at] = from->seat[i];
        b->seat[at].lane = take_lane(b);
        link_seat(b, at);
        from->first[from->seat[i].route.instrument] = SEAT_NONE;
        from->last[from->seat[i].route.instrument] = SEAT_NONE;
    }
    from->count = from->take_at = 0;
    from->deadline_ns = INT64_MAX;
    memset(from->lanes, 0, sizeof from->lanes);
    find_deadline(b);
    return OK_RESULT;
}

struct bay *belief_remove(struct belief *b, uint32_t strategy, uint32_t generation, uint32_t *lane)
{
    const uint32_t at = find_seat(b, strategy, generation);
    if (at == SEAT_NONE)
        return NULL;
    struct bay *bay = b->seat[at].bay;
    const uint32_t instrument = b->seat[at].route.instrument;
    *lane = b->seat[at].lane;
    must(b->lanes[*lane / 64] >> *lane % 64 & 1);
    b->lanes[*lane / 64] &= ~(1ull << *lane % 64);
    b->count--;
    memmove(&b->seat[at], &b->seat[at + 1], (b->count - at) * sizeof b->seat[0]);
    b->take_at -= b->take_at > at;
    link_all(b, instrument);
    find_deadline(b);
    return bay;
}

struct bay *belief_bay(const struct belief *b, uint32_t strategy, uint32_t generation)
{
    const uint32_t at = find_seat(b, strategy, generation);
    return at == SEAT_NONE ? NULL : b->seat[at].bay;
}

bool belief_has_fault(const struct belief *b, uint32_t strategy, uint32_t generation)
{
    const uint32_t at = find_seat(b, strategy, generation);
    return at != SEAT_NONE && b->seat[at].is_quarantined;
}

const struct belief_route *belief_seat(const struct belief *b, uint32_t index, struct bay **bay)
{
    must(index < b->count);
    *bay = b->seat[index].bay;
    return &b->seat[index].route;
}

void belief_listen(struct belief *b, struct tap *tap)
{
    b->tap = tap;
}

/* ---- what is shown ---- */

static void give(struct seat *s, const struct tn_event *ev)
{
    if (!s->is_quarantined)
        s->bay->ops->give(s->bay, ev, 1);
}

static struct tn_event event_of(const struct belief *b, const struct fact_head *head, uint32_t type,
                                uint32_t instrument, uint32_t md_flags)
{
    uint32_t flags = b->is_active ? 0 : TN_EVENT_F_WARMUP;
    if (md_flags & FACT_MD_OFF_TICK)
        flags |= TN_EVENT_F_OFF_TICK;
    if (md_flags & FACT_MD_WARMUP)
        flags |= TN_EVENT_F_WARMUP;
    return (struct tn_event){.size = sizeof(struct tn_event),
                             .type = type,
                             .seq = head->seq,
                             .t_ns = head->t_ns,
                             .instrument = instrument,
                             .flags = flags};
}

/* Gives the seat's bar when its end has come. */
static void close_bar(const struct belief *b, struct seat *s, const struct fact_head *head)
{
    struct bars_bar bar;
    if (!bars_time(&s->bars, head->t_ns, &bar))
        return;
    struct tn_event ev =
        event_of(b, head, TN_EVENT_BAR, s->route.instrument, bar.has_live ? 0 : FACT_MD_WARMUP);
    ev.t_ns = bar.end_ns;
    ev.u.bar = (struct tn_bar){.open_ns = bar.open_ns,
                               .open = bar.open,
                               .high = bar.high,
                               .low = bar.low,
                               .close = bar.close,
                               .volume = bar.volume};
    give(s, &ev);
}

/* Closes all bars that are due and finds the next deadline. */
static void close_bars(struct belief *b, const struct fact_head *head)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->seat[i].route.bars_from_trades)
            close_bar(b, &b->seat[i], head);
    }
    find_deadline(b);
    must(b->deadline_ns > head->t_ns);
}

static uint32_t first_seat(const struct belief *b, uint32_t instrument)
{
    return instrument < b->chain_count ? b->first[instrument] : SEAT_NONE;
}

static void give_bar(struct belief *b, const struct fact_head *head, const struct fact_bar *f)
{
    struct tn_event ev = event_of(b, head, TN_EVENT_BAR, f->instrument, f->flags);
    ev.u.bar = (struct tn_bar){.open_ns = f->open_ns,
                               .open = f->open,
                               .high = f->high,
                               .low = f->low,
                               .close = f->close,
                               .volume = f->volume};
    for (uint32_t i = first_seat(b, f->instrument); i != SEAT_NONE; i = b->seat[i].next)
        if (!b->seat[i].route.bars_from_trades)
            give(&b->seat[i], &ev);
}

static void give_trade(struct belief *b, const struct fact_head *head, const struct fact_trade *f)
{
    struct tn_event ev = event_of(b, head, TN_EVENT_TRADE, f->instrument, f->flags);
    ev.u.trade = (struct tn_trade){.price = f->price, .qty = f->qty, .aggressor = f->aggressor};
    for (uint32_t i = first_seat(b, f->instrument); i != SEAT_NONE; i = b->seat[i].next) {
        struct seat *s = &b->seat[i];
        give(s, &ev);
        if (!s->route.bars_from_trades)
            continue;
        bars_trade(&s->bars, head->t_ns, f->price, f->qty, ev.flags & TN_EVENT_F_WARMUP);
        const int64_t end = bars_deadline(&s->bars);
        b->deadline_ns = end < b->deadline_ns ? end : b->deadline_ns;
    }
}

static void give_quote(struct belief *b, const struct fact_head *head, const struct fact_quote *f)
{
    struct tn_event ev = event_of(b, head, TN_EVENT_QUOTE, f->instrument, f->flags);
    ev.u.quote = (struct tn_quote){
        .bid = f->bid, .bid_qty = f->bid_qty, .ask = f->ask, .ask_qty = f->ask_qty};
    for (uint32_t i = first_seat(b, f->instrument); i != SEAT_NONE; i = b->seat[i].next)
        give(&b->seat[i], &ev);
}

static void give_tick(struct belief *b, const struct fact_head *head)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const struct tn_event ev = event_of(b, head, TN_EVENT_TICK, b->seat[i].route.instrument, 0);
        give(&b->seat[i], &ev);
    }
}

static void give_position(struct belief *b, const struct fact_head *head,
                          const struct fact_position *f)
{
    struct tn_event ev = event_of(b, head, TN_EVENT_POSITION, f->instrument, 0);
    ev.u.position = (struct tn_position){.qty = f->qty, .avg_price = f->avg_price};
    for (uint32_t i = first_seat(b, f->instrument); i != SEAT_NONE; i = b->seat[i].next)
        if (b->seat[i].route.strategy == f->strategy)
            give(&b->seat[i], &ev);
}

void belief_position(struct belief *b, uint32_t strategy, uint32_t generation,
                     const struct fact_head *head, const struct fact_position *p)
{
    const uint32_t at = find_seat(b, strategy, generation);
    must(at != SEAT_NONE && p->strategy == strategy);
    struct tn_event ev = event_of(b, head, TN_EVENT_POSITION, p->instrument, 0);
    ev.u.position = (struct tn_position){.qty = p->qty, .avg_price = p->avg_price};
    b->take_at = 0;
    give(&b->seat[at], &ev);
}

void belief_event(struct belief *b, const struct fact_head *head, const void *payload)
{
    b->take_at = 0;
    if (b->tap != NULL)
        tap_put(b->tap, head, payload);
    if (head->t_ns >= b->deadline_ns)
        close_bars(b, head);
    switch (head->type) {
    case FACT_BAR:
        must(head->bytes >= sizeof(struct fact_bar));
        give_bar(b, head, payload);
        break;
    case FACT_TRADE:
        must(head->bytes >= sizeof(struct fact_trade));
        give_trade(b, head, payload);
        break;
    case FACT_QUOTE:
        must(head->bytes >= sizeof(struct fact_quote));
        give_quote(b, head, payload);
        break;
    case FACT_TICK:
        give_tick(b, head);
        break;
    case FACT_POSITION:
        must(head->bytes >= sizeof(struct fact_position));
        give_position(b, head, payload);
        break;
    default:
        break;
    }
}

bool belief_take(struct belief *b, struct belief_answer *out)
{
    for (; b->take_at < b->count; b->take_at++) {
        struct seat *s = &b->seat[b->take_at];
        if (s->is_quarantined || !s->bay->ops->take(s->bay, &out->a))
            continue;
        must(out->a.kind >= BAY_SIGNAL && out->a.kind <= BAY_BACK);
        s->is_quarantined = out->a.kind == BAY_FAULT;
        if (__builtin_add_overflow(out->a.cause_t_ns, s->route.due_ns, &out->due_ns))
            out->due_ns = INT64_MAX;
        out->strategy = s->route.strategy;
        out->generation = s->route.generation;
        out->lane = s->lane;
        return true;
    }
    b->take_at = 0; /* a bay in another process may still answer before the next fact */
    return false;
}

int64_t belief_deadline(const struct belief *b)
{
    return b->deadline_ns;
}

struct result belief_activate(struct belief *b, struct trail *tr)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct bay *bay = b->seat[i].bay;
        const struct result r = bay->ops->activate(bay, tr);
        if (!is_ok(r))
            return r;
    }
    b->is_active = true;
    return OK_RESULT;
}

uint32_t belief_warmup(const struct belief *b)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const uint32_t wanted = b->seat[i].bay->ops->warmup(b->seat[i].bay);
        most = wanted > most ? wanted : most;
    }
    return most;
}

uint32_t belief_count(const struct belief *b)
{
    return b->count;
}

bool belief_is_quarantined(const struct belief *b, uint32_t index)
{
    must(index < b->count);
    return b->seat[index].is_quarantined;
}

uint64_t belief_unused_trades(const struct belief *b)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < b->count; i++)
        sum += b->seat[i].bars.late + b->seat[i].bars.odd;
    return sum;
}

void belief_idle(struct belief *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->seat[i].bay->ops->idle != NULL)
            b->seat[i].bay->ops->idle(b->seat[i].bay);
    }
}
