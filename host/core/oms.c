/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders: one intent, at most one order, at most one open attempt.
 *
 * oms_place asks the gate, writes the order, and emits SEND in the same step; whoever carries
 * effects out hands a SEND over only when its record is durable. All changes of an order's state go
 * through oms_move: it asks the table, keeps the list of live orders and the working sums right,
 * and writes the ORDER effect. Silence is UNKNOWN: its quantity stays reserved, the venue is asked
 * at 0.2, 1 and 3 s and then every 5 s, and after five minutes it is quarantined; no timer ends it.
 *
 * Ended orders stay for late fills until their row is needed, the oldest first; a fill that comes
 * after that is looked up in the journal. The index is open addressing with backward-shift
 * deletion.
 */
#include "core/state.h"
#include "base/planted.h"
#include <string.h>

#define ACK_WAIT_NS (5 * CORE_SECOND_NS)
#define CANCEL_RETRY_NS CORE_SECOND_NS
#define QUARANTINE_NS (300 * CORE_SECOND_NS)
enum { QUERY_STEPS = 4 };
static const int64_t query_ns[QUERY_STEPS] = {200000000ll, 800000000ll, 2000000000ll, 5000000000ll};

static uint64_t mix(uint64_t id)
{
    id ^= id >> 31;
    id *= 0x9e3779b97f4a7c15ull;
    return id ^ id >> 29;
}

static uint32_t find(const struct core *c, uint64_t id)
{
    uint32_t mask = c->order_slots - 1;
    uint32_t i = (uint32_t)mix(id) & mask;
    while (c->order_slot[i] != CORE_NONE && c->order[c->order_slot[i]].id != id)
        i = (i + 1) & mask;
    return i;
}

/* Where an order that is not there goes: no row need be looked at. */
static uint32_t find_free(const struct core *c, uint64_t id)
{
    uint32_t mask = c->order_slots - 1;
    uint32_t i = (uint32_t)mix(id) & mask;
    while (c->order_slot[i] != CORE_NONE)
        i = (i + 1) & mask;
    return i;
}

struct order_row *oms_order(const struct core *c, uint64_t id)
{
    uint32_t row = c->order_slot[find(c, id)];
    return row == CORE_NONE ? NULL : &c->order[row];
}

static void unindex(struct core *c, uint64_t id)
{
    uint32_t mask = c->order_slots - 1;
    uint32_t hole = find(c, id);
    must(c->order_slot[hole] != CORE_NONE);
    for (uint32_t i = (hole + 1) & mask; c->order_slot[i] != CORE_NONE; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)mix(c->order[c->order_slot[i]].id) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            c->order_slot[hole] = c->order_slot[i];
            hole = i;
        }
    }
    c->order_slot[hole] = CORE_NONE;
}

static uint32_t index_of(const struct core *c, const struct order_row *o)
{
    return (uint32_t)(o - c->order);
}

/* Kept in order of age (ids rise), also when an ended order lives again: the order of effects must
 * not depend on what a snapshot cannot carry. */
static void live_link(struct core *c, struct order_row *o)
{
    uint32_t i = index_of(c, o);
    uint32_t after = c->live_newest;
    while (after != CORE_NONE && c->order[after].id > o->id)
        after = c->order[after].live_older;
    o->live_older = after;
    o->live_newer = after == CORE_NONE ? c->live_oldest : c->order[after].live_newer;
    if (after == CORE_NONE)
        c->live_oldest = i;
    else
        c->order[after].live_newer = i;
    if (o->live_newer == CORE_NONE)
        c->live_newest = i;
    else
        c->order[o->live_newer].live_older = i;
    c->live_count++;
}

static void live_unlink(struct core *c, struct order_row *o)
{
    must(c->live_count > 0);
    if (o->live_older != CORE_NONE)
        c->order[o->live_older].live_newer = o->live_newer;
    else
        c->live_oldest = o->live_newer;
    if (o->live_newer != CORE_NONE)
        c->order[o->live_newer].live_older = o->live_older;
    else
        c->live_newest = o->live_older;
    c->live_count--;
}

static void forget(struct core *c, struct order_row *o)
{
    uint32_t i = index_of(c, o);
    must(is_terminal(o->state));
    unindex(c, o->id);
    if (o->older != CORE_NONE)
        c->order[o->older].newer = o->newer;
    else
        c->oldest = o->newer;
    if (o->newer != CORE_NONE)
        c->order[o->newer].older = o->older;
    else
        c->newest = o->older;
    o->used = 0; /* cleared when it is taken */
    pool_put(&c->order_pool, i);
}

/* A free row, if need be that of the oldest ended order. */
static struct order_row *take_row(struct core *c)
{
    uint32_t i = pool_take(&c->order_pool);
    if (i != POOL_NONE)
        return &c->order[i];
    for (i = c->oldest; i != CORE_NONE; i = c->order[i].newer) {
        if (is_terminal(c->order[i].state)) {
            forget(c, &c->order[i]);
            break;
        }
    }
    i = pool_take(&c->order_pool);
    must(i != POOL_NONE); /* the gate asked oms_has_room */
    return &c->order[i];
}

static void __attribute__((noinline))
reserve(struct core *c, const struct order_row *o, int64_t leaves)
{
    struct book_row *b = &c->book[o->book];
    struct net_row *n = net_of(c, b->account, b->instrument);
    if (o->side == TN_LONG) {
        b->work_buy += leaves;
        n->work_buy += leaves;
    } else {
        b->work_sell += leaves;
        n->work_sell += leaves;
    }
    must(b->work_buy >= 0 && b->work_sell >= 0);
}

static int64_t reserved_of(const struct order_row *o)
{
    int64_t leaves = o->qty - o->cum;
    if (PLANTED(UNKNOWN_FREE) && o->state == ORDER_STATE_UNKNOWN)
        return 0;
    return is_reserved(o->state) && leaves > 0 ? leaves : 0;
}

static void ended(struct core *c, struct order_row *o)
{
    struct book_row *b = &c->book[o->book];
    must(b->live_orders > 0 && c->instance[b->strategy].live_orders > 0);
    live_unlink(c, o);
    b->live_orders--;
    c->instance[b->strategy].live_orders--;
    o->ttl_ns = o->check_ns = CORE_NEVER;
    o->want_cancel = 0;
}

static inline void say(struct core *c, const struct order_row *o, uint32_t from, uint32_t event,
                       bool is_live)
{
    const struct book_row *b = &c->book[o->book];
    bool done = !is_live || o->qty < o->cum;
    *ROOM(c, ORDER, fact_order) = (struct fact_order){.order = o->id,
                                                      .from = from,
                                                      .to = o->state,
                                                      .event = event,
                                                      .strategy = b->strategy,
                                                      .instrument = b->instrument,
                                                      .account = b->account,
                                                      .qty = o->qty,
                                                      .cum = o->cum,
                                                      .leaves = done ? 0 : o->qty - o->cum};
}

enum fsm_kind oms_move(struct core *c, struct order_row *o, enum order_event event, int64_t cum)
{
    uint8_t from = o->state;
    bool was_live = !is_terminal(from);
    int64_t held = reserved_of(o);
    enum fsm_kind kind = fsm_move(&oms_fsm, &o->state, (uint8_t)event);
    must(kind != FSM_UNDECIDED);
    if (kind == FSM_FORBID || kind == FSM_IGNORE)
        return kind;
    int64_t before = o->cum;
    o->cum = cum;
    int64_t now = reserved_of(o);
    if (now != held)
        reserve(c, o, now - held);
    if (o->state == ORDER_STATE_UNKNOWN && from != ORDER_STATE_UNKNOWN) {
        o->silent_ns = c->now_ns;
        o->queries = 0;
    }
    bool is_live = !is_terminal(o->state);
    if (kind == FSM_MOVE || cum != before)
        say(c, o, from, event, is_live);
    if (was_live && !is_live)
        ended(c, o);
    if (!was_live && is_live) { /* ABSENT that turns out to be there */
        live_link(c, o);
        c->book[o->book].live_orders++;
        c->instance[c->book[o->book].strategy].live_orders++;
        step_alert(c, FACT_ALERT_EXTERNAL, &c->book[o->book], o->id, o->qty, o->cum);
    }
    if (o->state == ORDER_STATE_WORKING && o->cum > 0)
        return oms_move(c, o, ORDER_EVENT_FILL_PART, o->cum);
    return kind;
}

void oms_check_at(struct core *c, struct order_row *o, int64_t t_ns)
{
    o->check_ns = t_ns;
    deadline_near(c, t_ns);
}

/* A cancel that was refused or never left is tried again, like one that is due by time. */
void oms_cancel_again(struct core *c, struct order_row *o)
{
    int64_t t_ns = c->now_ns + CANCEL_RETRY_NS;
    if (is_terminal(o->state) || o->cancel_why == FACT_CANCEL_UNSET || o->ttl_ns <= t_ns)
        return;
    o->ttl_ns = t_ns;
    deadline_near(c, t_ns);
}

const char core_base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* no I, L, O, U: read aloud */

static size_t put32(char *out, size_t at, uint64_t v)
{
    size_t count = v == 0 ? 1 : (68 - (size_t)__builtin_clzll(v)) / 5;
    for (size_t i = at + count; i-- > at; v >>= 5)
        out[i] = core_base32[v & 31];
    return at + count;
}

void core_client_id(uint64_t epoch, uint64_t order, uint32_t attempt, char out[FACT_NAME_BYTES])
{
    size_t at = 0;
    memset(out, 0, FACT_NAME_BYTES);
    out[at++] = 'T';
    at = put32(out, at, epoch & 0xffffffffull); /* at most 7 + 13 + 7 digits */
    out[at++] = '-';
    at = put32(out, at, order);
    out[at++] = '-';
    at = put32(out, at, attempt);
    must(at < FACT_NAME_BYTES);
}

static void send(struct core *c, struct order_row *o, bool reduce_only)
{
    struct book_row *b = &c->book[o->book];
    must(o->attempt == 0); /* re-issue takes proof, which no answer of this release gives */
    o->attempt = 1;
    (void)oms_move(c, o, ORDER_EVENT_SEND, 0);
    must(o->state == ORDER_STATE_SENDING);
    struct fact_send *e = ROOM(c, SEND, fact_send); /* the client id is written to its end */
    e->order = o->id;
    e->attempt = o->attempt;
    e->account = b->account;
    e->instrument = b->instrument;
    e->side = o->side;
    e->tif = o->tif;
    e->reduce_only = reduce_only;
    e->qty = o->qty;
    e->price = o->price;
    core_client_id(c->epoch, o->id, o->attempt, e->client_id);
    risk_message(c, &c->account[b->account]);
    oms_check_at(c, o, c->now_ns + ACK_WAIT_NS);
    deadline_near(c, o->ttl_ns);
}

/* The venue's net shrinks by this order too (DECISIONS 16). */
static bool net_shrinks(const struct core *c, const struct order_row *o)
{
    const struct book_row *b = &c->book[o->book];
    const struct net_row *n = net_of(c, b->account, b->instrument);
    int64_t working = o->side == TN_SHORT ? n->work_sell : n->work_buy; /* with this order */
    return working <= (o->side == TN_SHORT ? n->qty : -n->qty);
}

static struct order_row *new_order(struct core *c, const struct risk_ask *ask, int64_t qty)
{
    struct order_row *o = take_row(c);
    uint32_t i = index_of(c, o);
    memset(o, 0, sizeof *o);
    o->id = ask->intent;
    o->signal_seq = ask->signal_seq;
    o->qty = qty;
    o->price = ask->price;
    o->created_ns = c->now_ns;
    o->ttl_ns = ask->ttl_ns;
    o->check_ns = CORE_NEVER;
    o->book = book_index(c, ask->book);
    o->side = (uint8_t)ask->side;
    o->tif = (uint8_t)ask->tif;
    o->origin = (uint8_t)ask->origin;
    o->reducing = ask->reducing;
    o->state = ORDER_STATE_INTENT;
    o->used = 1;
    o->confirmed = 1;
    o->older = c->newest;
    o->newer = CORE_NONE;
    if (c->newest != CORE_NONE)
        c->order[c->newest].newer = i;
    else
        c->oldest = i;
    c->newest = i;
    c->order_slot[find_free(c, o->id)] = i;
    live_link(c, o);
    ask->book->live_orders++;
    c->instance[ask->book->strategy].live_orders++;
    return o;
}

void oms_place(struct core *c, const struct risk_ask *ask)
{
    const struct book_row *b = ask->book;
    *ROOM(c, INTENT, fact_intent) = (struct fact_intent){.intent = ask->intent,
                                                         .strategy = b->strategy,
                                                         .instrument = b->instrument,
                                                         .account = b->account,
                                                         .side = ask->side,
                                                         .origin = ask->origin,
                                                         .reducing = ask->reducing,
                                                         .tif = ask->tif,
                                                         .leg = ask->leg,
                                                         .qty = ask->qty,
                                                         .price = ask->price,
                                                         .reference = ask->reference,
                                                         .ttl_ns = ask->ttl_ns,
                                                         .signal_seq = ask->signal_seq};
    c->totals.intents++;
    int64_t granted = risk_decide(c, ask);
    if (granted == 0)
        return; /* INTENT -> DENIED is the DECISION itself; a denied intent never becomes a row */
    struct order_row *o = new_order(c, ask, granted);
    (void)oms_move(c, o, ORDER_EVENT_APPROVE, 0);
    must(o->state == ORDER_STATE_APPROVED);
    c->totals.orders++;
    send(c, o, ask->reducing && net_shrinks(c, o));
}

bool oms_cancel(struct core *c, struct order_row *o, uint32_t why)
{
    struct book_row *b = &c->book[o->book];
    must(!is_terminal(o->state));
    if (o->state == ORDER_STATE_SENDING || o->state == ORDER_STATE_APPROVED) {
        o->want_cancel = (uint16_t)why; /* as soon as the attempt has an answer */
        return false;
    }
    if (o->state == ORDER_STATE_PEND_CANCEL)
        return false;
    if (oms_move(c, o, ORDER_EVENT_CANCEL, o->cum) == FSM_FORBID)
        return false;
    struct fact_cancel *e = EFFECT(c, CANCEL, fact_cancel);
    e->order = o->id;
    e->attempt = o->attempt;
    e->why = why;
    e->account = b->account;
    e->instrument = b->instrument;
    e->venue_order = o->venue_order;
    o->want_cancel = 0;
    o->cancel_why = (uint8_t)why;
    c->totals.cancels++;
    risk_message(c, &c->account[b->account]);
    if (o->state != ORDER_STATE_UNKNOWN)
        oms_check_at(c, o, c->now_ns + ACK_WAIT_NS);
    return true;
}

/* While nobody knows what became of an order, each newer signal would cancel it once more; that
 * eats the budget which its query needs. One cancel is enough: when the order is found working, or
 * the cancel is refused, it is tried again. */
static bool is_asked(const struct order_row *o, uint32_t why)
{
    return why == FACT_CANCEL_NEWER && o->state == ORDER_STATE_UNKNOWN &&
           o->cancel_why != FACT_CANCEL_UNSET;
}

void oms_cancel_book(struct core *c, struct book_row *b, uint32_t why, bool opening_only)
{
    uint32_t book = book_index(c, b);
    for (uint32_t i = c->live_oldest; i != CORE_NONE;) {
        struct order_row *o = &c->order[i];
        i = o->live_newer;
        if (o->book == book && !(opening_only && o->reducing) && !is_asked(o, why))
            (void)oms_cancel(c, o, why);
    }
}

static void ask_venue(struct core *c, struct order_row *o)
{
    struct fact_query *e = EFFECT(c, QUERY, fact_query);
    e->order = o->id;
    e->attempt = o->attempt;
    e->account = c->book[o->book].account;
    uint32_t step = o->queries < QUERY_STEPS ? o->queries : QUERY_STEPS - 1;
    o->queries++;
    oms_check_at(c, o, c->now_ns + query_ns[step]);
}

static void check(struct core *c, struct order_row *o)
{
    if (o->state == ORDER_STATE_SENDING || o->state == ORDER_STATE_PEND_CANCEL)
        (void)oms_move(c, o, ORDER_EVENT_SILENT, o->cum);
    if (o->want_cancel) /* it waited for an answer that did not come; a cancel only reduces */
        (void)oms_cancel(c, o, o->want_cancel);
    if (o->state == ORDER_STATE_UNKNOWN && c->now_ns - o->silent_ns >= QUARANTINE_NS) {
        (void)oms_move(c, o, ORDER_EVENT_GIVE_UP, o->cum);
        step_alert(c, FACT_ALERT_QUARANTINE, &c->book[o->book], o->id, o->qty, o->cum);
    }
    if (!PLANTED(NO_QUERY) || o->state != ORDER_STATE_UNKNOWN)
        ask_venue(c, o);
}

void oms_timers(struct core *c)
{
    for (uint32_t i = c->live_oldest; i != CORE_NONE;) {
        struct order_row *o = &c->order[i];
        i = o->live_newer;
        if (o->ttl_ns <= c->now_ns) {
            o->ttl_ns = CORE_NEVER;
            (void)oms_cancel(c, o, o->cancel_why ? o->cancel_why : FACT_CANCEL_TTL);
        }
        if (o->check_ns <= c->now_ns)
            check(c, o);
    }
}

int64_t oms_deadline(const struct core *c)
{
    int64_t d = CORE_NEVER;
    for (uint32_t i = c->live_oldest; i != CORE_NONE; i = c->order[i].live_newer) {
        d = c->order[i].ttl_ns < d ? c->order[i].ttl_ns : d;
        d = c->order[i].check_ns < d ? c->order[i].check_ns : d;
    }
    return d;
}

/* A new epoch: what was on its way is UNKNOWN, and every live order is asked for. */
void oms_start(struct core *c)
{
    for (uint32_t i = c->live_oldest; i != CORE_NONE;) {
        struct order_row *o = &c->order[i];
        i = o->live_newer;
        o->confirmed = 0;
        o->queries = 0;
        if (o->state == ORDER_STATE_SENDING)
            (void)oms_move(c, o, ORDER_EVENT_SILENT, o->cum);
        ask_venue(c, o);
    }
}

void oms_sync(struct core *c, uint32_t account, uint32_t phase)
{
    for (uint32_t i = c->live_oldest; i != CORE_NONE;) {
        struct order_row *o = &c->order[i];
        i = o->live_newer;
        if (c->book[o->book].account != account)
            continue;
        if (phase == FACT_SYNC_LOST) {
            o->confirmed = 0;
            if (o->state == ORDER_STATE_SENDING)
                (void)oms_move(c, o, ORDER_EVENT_SILENT, o->cum);
        } else if (phase == FACT_SYNC_AGAIN) {
            if (o->state != ORDER_STATE_SENDING) /* one on its way has a deadline of its own */
                o->confirmed = 0;
        } else if (!o->confirmed) {
            o->queries = 0;
            ask_venue(c, o);
        }
    }
}

/* Ended ones too: what they may still fill or take back is the new owner's. */
void oms_hand_over(struct core *c, struct book_row *from, struct book_row *to)
{
    uint32_t source = book_index(c, from), target = book_index(c, to);
    for (uint32_t i = c->oldest; i != CORE_NONE; i = c->order[i].newer)
        c->order[i].book = c->order[i].book == source ? target : c->order[i].book;
    must(to->live_orders == 0 && to->work_buy == 0 && to->work_sell == 0);
    c->instance[from->strategy].live_orders -= from->live_orders;
    c->instance[to->strategy].live_orders += from->live_orders;
    to->live_orders = from->live_orders;
    to->work_buy = from->work_buy;
    to->work_sell = from->work_sell;
    from->live_orders = 0;
    from->work_buy = from->work_sell = 0;
}

/* Builds what a snapshot does not carry: index, free rows, live list, working sums are stored. */
void oms_derive(struct core *c)
{
    for (uint32_t i = 0; i < c->order_slots; i++)
        c->order_slot[i] = CORE_NONE;
    pool_init(&c->order_pool, c->order_free, c->max.orders);
    bool in_use_before = false;
    for (uint32_t i = 0; i < c->max.orders; i++)
        in_use_before = in_use_before || c->order[i].used;
    c->live_oldest = c->live_newest = CORE_NONE;
    c->live_count = 0;
    if (!in_use_before)
        return;
    for (uint32_t i = 0; i < c->max.orders; i++)
        must(pool_take(&c->order_pool) != POOL_NONE);
    for (uint32_t i = c->max.orders; i-- > 0;) {
        if (!c->order[i].used)
            pool_put(&c->order_pool, i);
    }
    for (uint32_t i = c->oldest; i != CORE_NONE; i = c->order[i].newer) {
        c->order_slot[find(c, c->order[i].id)] = i;
        if (!is_terminal(c->order[i].state))
            live_link(c, &c->order[i]);
    }
}

uint32_t core_open_orders(const struct core *c)
{
    return c->live_count;
}
