/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory, requests and answers of the simulated venue.
 *
 * A request (order, cancel, query) takes half the latency to the venue and its answer the other
 * half back. Between the two the market may move, so a request is not decided when it is sent but
 * when time reaches its arrival: it waits in a cell on two heaps, `todo` by arrival and `answers`
 * by the time its answer is due. Whoever comes first decides it: the next market event after the
 * arrival, or the taker of the answer. Both see the same market, because every market event up to
 * that moment has been shown. The cell then turns into the answer in place, so the promise
 * "answered at t(send) + latency" holds by construction.
 *
 * Everything is laid out once in memory of the caller. When cells run out, requests stay
 * unanswered (as with a venue that is swamped) and fills wait: nothing is lost that was promised.
 * Ended orders are remembered in a ring, for duplicates, late cancels and queries.
 */
#include "venue/venue_priv.h"
#include <string.h>

enum {
    MAGIC = 0x56454e55,
    ENDED_MIN = 1024,
    /* the demo profile, in ppm and ns */
    DEMO_REJECT_PPM = 20000,
    DEMO_SLOW_ACK_PPM = 20000,
    DEMO_SLOW_CANCEL_PPM = 300000,
    DEMO_CANCEL_REJECT_PPM = 30000,
    DEMO_HALT_PPM = 2000,
};
static const int64_t demo_slow_ack_max_ns = 2000000000;
static const int64_t demo_slow_cancel_max_ns = 6000000000;
static const int64_t demo_halt_ns = 1500000000;
static const int64_t second_ns = 1000000000;

/* ---- memory ---- */
static uint32_t power_above(uint32_t n)
{
    uint32_t p = 16;
    while (p < n)
        p *= 2;
    return p;
}

static uint32_t ended_max(const struct venue_config *c)
{
    return c->orders_max * 4 > ENDED_MIN ? c->orders_max * 4 : ENDED_MIN;
}

static uint32_t cells_max(const struct venue_config *c)
{
    return c->orders_max * 8 + 1024;
}

/* Gives the next piece and moves on; with base NULL it only measures. */
static void *piece(uint8_t *base, size_t *used, size_t bytes)
{
    size_t at = *used;
    *used = (at + bytes + 63) & ~(size_t)63;
    return base == NULL ? NULL : base + at;
}

static size_t lay_out(struct venue *v, uint8_t *base, const struct venue_config *c)
{
    size_t used = 0;
    uint32_t cells = cells_max(c);
    uint32_t slots = c->orders_max + ended_max(c);
    piece(base, &used, sizeof(struct venue));
    v->todo.at = piece(base, &used, cells * sizeof(struct venue_key));
    v->answers.at = piece(base, &used, cells * sizeof(struct venue_key));
    v->cell = piece(base, &used, cells * sizeof(struct venue_cell));
    v->cells.next = piece(base, &used, cells * sizeof(uint32_t));
    v->order = piece(base, &used, slots * sizeof(struct venue_order));
    v->slots.next = piece(base, &used, slots * sizeof(uint32_t));
    v->ended = piece(base, &used, ended_max(c) * sizeof(uint32_t));
    v->index = piece(base, &used, power_above(slots * 2) * sizeof(uint32_t));
    v->book = piece(base, &used, c->instruments_max * sizeof(struct venue_book));
    v->book_index = piece(base, &used, power_above(c->instruments_max * 2) * sizeof(uint32_t));
    return used;
}

size_t venue_bytes(const struct venue_config *c)
{
    must(c->orders_max > 0 && c->orders_max <= 1u << 20);
    must(c->instruments_max > 0 && c->instruments_max <= 1u << 16);
    struct venue scratch;
    return lay_out(&scratch, NULL, c);
}

struct venue *venue_init(void *memory, size_t bytes, const struct venue_config *c)
{
    must(bytes >= venue_bytes(c));
    must(((uintptr_t)memory & 63) == 0);
    must(c->profile == VENUE_PLAIN || c->profile == VENUE_DEMO);
    must(c->latency_ns >= 0 && c->jitter_ns >= 0 && c->slippage_ppm >= 0);
    must(c->volume_part_ppm >= 0 && c->volume_part_ppm <= VENUE_PPM);
    struct venue *v = memory;
    memset(v, 0, sizeof *v);
    lay_out(v, memory, c);
    v->magic = MAGIC;
    v->c = *c;
    uint32_t cells = cells_max(c);
    v->todo.capacity = cells;
    v->answers.capacity = cells;
    pool_init(&v->cells, v->cells.next, cells);
    v->ended_max = ended_max(c);
    uint32_t slots = c->orders_max + v->ended_max;
    pool_init(&v->slots, v->slots.next, slots);
    memset(v->cell, 0, cells * sizeof(struct venue_cell));
    memset(v->order, 0, slots * sizeof(struct venue_order));
    v->index_mask = power_above(slots * 2) - 1;
    memset(v->index, 0xff, (v->index_mask + 1) * sizeof(uint32_t));
    v->book_mask = power_above(c->instruments_max * 2) - 1;
    memset(v->book_index, 0xff, (v->book_mask + 1) * sizeof(uint32_t));
    v->run_ns = INT64_MIN;
    v->rate_from_ns = INT64_MIN;
    v->halted_until_ns = INT64_MIN;
    v->trades = c->trades_before;
    ledger_begin(v);
    return v;
}

void venue_instrument(struct venue *v, const struct fact_instrument *in, int32_t settle_exp)
{
    must(v->magic == MAGIC);
    must(in->tick > 0 && in->lot > 0 && in->multiplier > 0);
    struct venue_book *b = tables_book(v, in->id);
    if (b == NULL) {
        must(v->book_count < v->c.instruments_max);
        uint32_t i = (in->id * 0x9e3779b1u) & v->book_mask;
        while (v->book_index[i] != VENUE_NONE)
            i = (i + 1) & v->book_mask;
        v->book_index[i] = v->book_count;
        b = &v->book[v->book_count++];
        memset(b, 0, sizeof *b);
        b->head = VENUE_NONE;
        b->tail = VENUE_NONE;
    }
    b->def = *in;
    b->settle_exp = settle_exp;
    ledger_instrument(v, b);
}

/* ---- answers ---- */
bool venue_has_room(const struct venue *v)
{
    return v->cells.in_use + VENUE_SPARE_CELLS <= v->cells.capacity;
}

static struct fact_exec exec_of(const struct venue *v, uint32_t kind, const struct venue_order *o,
                                int64_t venue_ns)
{
    struct fact_exec e = {.kind = kind, .account = v->c.account, .venue_ns = venue_ns};
    if (o != NULL) {
        e.order = o->order;
        e.venue_order = o->venue_order;
        e.instrument = v->book[o->book].def.id;
        e.side = o->side;
        e.cum_qty = o->cum;
        e.leaves_qty = o->outcome == VENUE_OPEN ? o->qty - o->cum : 0;
    }
    return e;
}

struct fact_exec *venue_answer(struct venue *v, int64_t due_ns, uint32_t kind,
                               struct venue_order *o, int64_t venue_ns)
{
    if (due_ns < o->answered_ns)
        due_ns = o->answered_ns;
    o->answered_ns = due_ns;
    uint32_t i = pool_take(&v->cells);
    must(i != POOL_NONE);
    struct venue_cell *cell = &v->cell[i];
    cell->kind = VENUE_CELL_ANSWER;
    cell->arrive_ns = venue_ns;
    cell->due_ns = due_ns;
    cell->u.exec = exec_of(v, kind, o, venue_ns);
    struct venue_key k = {.t_ns = due_ns, .order = o->order, .counter = v->counter++, .cell = i};
    tables_put(&v->answers, k);
    return &cell->u.exec;
}

void venue_end(struct venue *v, struct venue_order *o, enum venue_outcome outcome)
{
    must(o->outcome == VENUE_OPEN && outcome != VENUE_OPEN);
    uint32_t slot = (uint32_t)(o - v->order);
    struct venue_book *b = &v->book[o->book];
    if (o->prev == VENUE_NONE)
        b->head = o->next;
    else
        v->order[o->prev].next = o->next;
    if (o->next == VENUE_NONE)
        b->tail = o->prev;
    else
        v->order[o->next].prev = o->prev;
    o->outcome = outcome;
    v->open_count--;
    if (v->ended_count == v->ended_max) {
        tables_forget(v, v->ended[v->ended_first]);
        v->ended_first = (v->ended_first + 1) % v->ended_max;
        v->ended_count--;
    }
    v->ended[(v->ended_first + v->ended_count) % v->ended_max] = slot;
    v->ended_count++;
}

/* ---- requests: sent ---- */
static int64_t latency(const struct venue *v, struct chance_key k)
{
    int64_t ns = v->c.latency_ns;
    if (v->c.jitter_ns > 0)
        ns += (int64_t)chance_below(v, k, (uint64_t)v->c.jitter_ns + 1);
    return ns;
}

/* What the next request about an order must come after, so that nothing about it overtakes. */
struct turn {
    int64_t arrive_ns, due_ns;
};

static struct turn turn_of(const struct venue *v, uint64_t order)
{
    struct turn turn = {INT64_MIN, INT64_MIN};
    const struct venue_order *o = tables_order(v, order);
    if (o != NULL)
        turn.due_ns = o->answered_ns;
    for (uint32_t i = 0; i < VENUE_STRANGERS; i++) {
        if (v->stranger[i].order == order && v->stranger[i].due_ns > turn.due_ns)
            turn.due_ns = v->stranger[i].due_ns;
    }
    for (uint32_t i = 0; i < v->todo.count; i++) {
        if (v->todo.at[i].order != order)
            continue;
        const struct venue_cell *cell = &v->cell[v->todo.at[i].cell];
        if (cell->arrive_ns > turn.arrive_ns)
            turn.arrive_ns = cell->arrive_ns;
        if (cell->due_ns > turn.due_ns)
            turn.due_ns = cell->due_ns;
    }
    return turn;
}

/* How long a request takes inside the venue, beyond the way there and back. */
struct pace {
    int64_t slow_ns; /* its answer only */
    int64_t late_ns; /* the decision and so the answer */
};

/* Puts a request on its way; NULL when the venue is swamped. Requests about different orders may
 * overtake each other, as over several connections; those about one order never do. One that comes
 * when later things are decided already (a venue behind sockets) is decided next. */
static struct venue_cell *request(struct venue *v, int64_t t_ns, uint32_t kind, uint64_t order,
                                  struct pace pace)
{
    must(v->magic == MAGIC);
    if (!venue_has_room(v))
        return NULL;
    static_assert(VENUE_CELL_QUERY == (int)CHANCE_WAY_QUERY, "a kind is its purpose");
    int64_t ns = latency(v, (struct chance_key){order, kind, t_ns});
    int64_t arrive = t_ns + ns / 2 + pace.late_ns;
    if (arrive < v->run_ns)
        arrive = v->run_ns;
    struct turn turn = turn_of(v, order);
    if (arrive < turn.arrive_ns)
        arrive = turn.arrive_ns;
    int64_t due = t_ns + ns + pace.slow_ns + pace.late_ns;
    if (due < arrive)
        due = arrive;
    if (due <= turn.due_ns)
        due = turn.due_ns + 1;
    uint32_t i = pool_take(&v->cells);
    must(i != POOL_NONE);
    struct venue_cell *cell = &v->cell[i];
    cell->kind = kind;
    cell->arrive_ns = arrive;
    cell->due_ns = due;
    struct venue_key k = {.t_ns = arrive, .order = order, .counter = v->counter, .cell = i};
    tables_put(&v->todo, k);
    k.t_ns = due;
    tables_put(&v->answers, k);
    v->counter++;
    return cell;
}

void venue_send(struct venue *v, int64_t t_ns, const struct fact_send *s)
{
    struct pace pace = {0, 0};
    if (chance_demo(v, (struct chance_key){s->order, CHANCE_SLOW_ACK, t_ns}, DEMO_SLOW_ACK_PPM)) {
        struct chance_key k = {s->order, CHANCE_SLOW_ACK_NS, t_ns};
        pace.slow_ns = (int64_t)chance_below(v, k, (uint64_t)demo_slow_ack_max_ns);
    }
    struct venue_cell *cell = request(v, t_ns, VENUE_CELL_SEND, s->order, pace);
    if (cell != NULL)
        cell->u.send = *s;
}

void venue_cancel(struct venue *v, int64_t t_ns, const struct fact_cancel *c)
{
    struct pace pace = {0, 0};
    struct chance_key k = {c->order, CHANCE_SLOW_CANCEL, t_ns};
    if (chance_demo(v, k, DEMO_SLOW_CANCEL_PPM)) {
        k.purpose = CHANCE_SLOW_CANCEL_NS;
        pace.late_ns = (int64_t)chance_below(v, k, (uint64_t)demo_slow_cancel_max_ns);
    }
    struct venue_cell *cell = request(v, t_ns, VENUE_CELL_CANCEL, c->order, pace);
    if (cell != NULL)
        cell->u.cancel = *c;
}

void venue_query(struct venue *v, int64_t t_ns, const struct fact_query *q)
{
    struct pace pace = {0, 0};
    struct venue_cell *cell = request(v, t_ns, VENUE_CELL_QUERY, q->order, pace);
    if (cell != NULL)
        cell->u.query = *q;
}

/* ---- requests: arrived ---- */
static void set_text(struct fact_exec *e, uint32_t reason, const char *text)
{
    e->reason = reason;
    size_t n = strlen(text);
    must(n < sizeof e->text);
    memcpy(e->text, text, n);
}

static bool is_over_rate(struct venue *v, int64_t t_ns)
{
    if (v->rate_from_ns == INT64_MIN || t_ns - v->rate_from_ns >= second_ns) {
        v->rate_from_ns = t_ns;
        v->rate_count = 0;
    }
    return ++v->rate_count > VENUE_RATE_MAX;
}

/* Why the demo profile refuses a good order; 0 = it does not. */
static uint32_t demo_reject(struct venue *v, uint64_t order, int64_t t_ns, const char **text)
{
    struct chance_key k = {order, CHANCE_HALT, t_ns};
    if (chance_demo(v, k, DEMO_HALT_PPM))
        v->halted_until_ns = t_ns + demo_halt_ns;
    if (t_ns < v->halted_until_ns) {
        *text = "trading is halted";
        return FACT_REJECT_HALTED;
    }
    k.purpose = CHANCE_REJECT;
    if (!chance_demo(v, k, DEMO_REJECT_PPM))
        return FACT_REJECT_NONE;
    k.purpose = CHANCE_REJECT_WHY;
    switch (chance_below(v, k, 3)) {
    case 0:
        *text = "margin is being recalculated";
        return FACT_REJECT_FUNDS;
    case 1:
        *text = "too many requests";
        return FACT_REJECT_RATE;
    default:
        *text = "internal error, not accepted";
        return FACT_REJECT_OTHER;
    }
}

static bool would_reduce(const struct venue_book *b, uint32_t side)
{
    return side == VENUE_BUY ? b->net < 0 : b->net > 0;
}

static uint32_t because(const char **text, const char *why, uint32_t reason)
{
    *text = why;
    return reason;
}

/* Static rules of the venue, in the order a venue asks them. */
static uint32_t refuse(struct venue *v, int64_t t_ns, const struct fact_send *s,
                       const struct venue_book *b, const char **text)
{
    *text = "";
    if (is_over_rate(v, t_ns))
        return because(text, "over 200 orders in a second", FACT_REJECT_RATE);
    if (b == NULL)
        return because(text, "unknown instrument", FACT_REJECT_UNKNOWN_SYMBOL);
    if (s->order == 0 || s->account != v->c.account)
        return because(text, "not an account or order here", FACT_REJECT_OTHER);
    if (tables_order(v, s->order) != NULL)
        return because(text, "order id was used before", FACT_REJECT_DUPLICATE);
    if ((s->side != VENUE_BUY && s->side != VENUE_SELL) ||
        (s->tif != FACT_GTC && s->tif != FACT_IOC))
        return because(text, "side or time in force", FACT_REJECT_OTHER);
    if (s->qty <= 0 || s->qty % b->def.lot != 0 || s->qty < b->def.min_qty)
        return because(text, "lot or minimum quantity", FACT_REJECT_QTY);
    if (s->price <= 0 || s->price % b->def.tick != 0 ||
        (b->def.price_max > 0 && s->price > b->def.price_max))
        return because(text, "tick or price range", FACT_REJECT_PRICE);
    int64_t fee;
    if (!is_ok(match_fee(b, s->price, s->qty, VENUE_PPM, &fee)))
        return because(text, "value does not fit", FACT_REJECT_QTY);
    if (s->reduce_only && !would_reduce(b, s->side))
        return because(text, "reduce only: nothing to reduce", FACT_REJECT_OTHER);
    if (v->open_count >= v->c.orders_max)
        return because(text, "too many open orders", FACT_REJECT_OTHER);
    return demo_reject(v, s->order, t_ns, text);
}

static struct venue_order *open_order(struct venue *v, const struct fact_send *s,
                                      struct venue_book *b, int64_t t_ns)
{
    uint32_t slot = pool_take(&v->slots);
    must(slot != POOL_NONE);
    struct venue_order *o = &v->order[slot];
    *o = (struct venue_order){.order = s->order,
                              .venue_order = ++v->venue_orders,
                              .arrive_ns = t_ns,
                              .qty = s->qty,
                              .price = s->price,
                              .book = (uint32_t)(b - v->book),
                              .side = s->side,
                              .ioc = s->tif == FACT_IOC,
                              .reduce_only = s->reduce_only != 0,
                              .outcome = VENUE_OPEN,
                              .prev = b->tail,
                              .next = VENUE_NONE};
    uint32_t place = tables_place(v, s->order);
    must(v->index[place] == VENUE_NONE);
    v->index[place] = slot;
    if (b->tail == VENUE_NONE)
        b->head = slot;
    else
        v->order[b->tail].next = slot;
    b->tail = slot;
    v->open_count++;
    return o;
}

static void arrive_send(struct venue *v, struct venue_cell *cell)
{
    struct fact_send s = cell->u.send;
    int64_t t = cell->arrive_ns;
    struct venue_book *b = tables_book(v, s.instrument);
    v->totals.orders++;
    ledger_order(v, t, &s);
    const char *text;
    uint32_t reason = refuse(v, t, &s, b, &text);
    cell->kind = VENUE_CELL_ANSWER;
    struct venue_order *o = reason == FACT_REJECT_NONE ? open_order(v, &s, b, t) : NULL;
    cell->u.exec = exec_of(v, o != NULL ? FACT_EXEC_NEW : FACT_EXEC_REJECTED, o, t);
    if (o != NULL) {
        o->answered_ns = cell->due_ns;
    } else {
        v->totals.rejects++;
        cell->u.exec.order = s.order;
        cell->u.exec.instrument = s.instrument;
        cell->u.exec.side = s.side;
        set_text(&cell->u.exec, reason, text);
    }
    ledger_exec(v, &cell->u.exec, cell->due_ns);
    if (o != NULL)
        match_arrival(v, o, t, cell->due_ns);
}

static void arrive_cancel(struct venue *v, struct venue_cell *cell)
{
    struct fact_cancel c = cell->u.cancel;
    int64_t t = cell->arrive_ns;
    ledger_cancel_asked(v, t, &c);
    struct venue_order *o = tables_order(v, c.order);
    cell->kind = VENUE_CELL_ANSWER;
    if (o == NULL) {
        bool ended = c.order < v->c.orders_before;
        cell->u.exec = exec_of(v, ended ? FACT_EXEC_CANCEL_LATE : FACT_EXEC_CANCEL_REJECT, NULL, t);
        cell->u.exec.order = c.order;
        cell->u.exec.instrument = c.instrument;
        set_text(&cell->u.exec, ended ? FACT_REJECT_NONE : FACT_REJECT_OTHER,
                 ended ? "ended with the epoch before" : "unknown order");
        v->totals.cancels_late += ended;
        v->totals.cancel_rejects += !ended;
    } else if (o->outcome != VENUE_OPEN) {
        cell->u.exec = exec_of(v, FACT_EXEC_CANCEL_LATE, o, t);
        set_text(&cell->u.exec, FACT_REJECT_NONE, "the order has already ended");
        v->totals.cancels_late++;
    } else if (chance_demo(v, (struct chance_key){c.order, CHANCE_CANCEL_REJECT, t},
                           DEMO_CANCEL_REJECT_PPM)) {
        cell->u.exec = exec_of(v, FACT_EXEC_CANCEL_REJECT, o, t);
        set_text(&cell->u.exec, FACT_REJECT_RATE, "busy, try again");
        v->totals.cancel_rejects++;
    } else {
        venue_end(v, o, VENUE_CANCELED);
        cell->u.exec = exec_of(v, FACT_EXEC_CANCELED, o, t);
        v->totals.cancels++;
    }
    ledger_exec(v, &cell->u.exec, cell->due_ns);
}

/* It was here and never became an order: nobody need wait for it. */
static bool was_refused(const struct venue *v, uint64_t order)
{
    for (uint32_t i = 0; i < VENUE_STRANGERS; i++) {
        if (v->stranger[i].order == order && v->stranger[i].is_refused)
            return true;
    }
    return false;
}

static void arrive_query(struct venue *v, struct venue_cell *cell)
{
    struct fact_query q = cell->u.query;
    ledger_query(v, cell->arrive_ns, &q);
    const struct venue_order *o = tables_order(v, q.order);
    cell->kind = VENUE_CELL_ANSWER;
    cell->u.exec = exec_of(v, FACT_EXEC_STATUS, o, cell->arrive_ns);
    cell->u.exec.order = q.order;
    if (o == NULL)
        cell->u.exec.found = q.order < v->c.orders_before || was_refused(v, q.order)
                                 ? FACT_FOUND_PROVED_ABSENT
                                 : FACT_FOUND_ABSENT;
    else
        cell->u.exec.found = o->outcome == VENUE_OPEN ? FACT_FOUND_WORKING : FACT_FOUND_DONE;
    ledger_exec(v, &cell->u.exec, cell->due_ns);
}

/* Remembers when the answer to a request is due, with its order; one that is refused or not known
 * here is remembered for a while. */
static void note_answer(struct venue *v, const struct venue_cell *cell)
{
    struct venue_order *o = tables_order(v, cell->u.exec.order);
    if (o == NULL) {
        struct venue_stranger *s = &v->stranger[v->stranger_next++ % VENUE_STRANGERS];
        *s = (struct venue_stranger){cell->u.exec.order, cell->due_ns,
                                     cell->u.exec.kind == FACT_EXEC_REJECTED};
    } else if (o->answered_ns < cell->due_ns) {
        o->answered_ns = cell->due_ns;
    }
}

/* Lets every request that has arrived by then be decided, in order of arrival. */
void venue_run(struct venue *v, int64_t upto_ns)
{
    if (upto_ns > v->run_ns)
        v->run_ns = upto_ns;
    while (v->todo.count > 0 && v->todo.at[0].t_ns <= upto_ns) {
        struct venue_cell *cell = &v->cell[tables_take(&v->todo).cell];
        if (cell->kind == VENUE_CELL_SEND)
            arrive_send(v, cell);
        else if (cell->kind == VENUE_CELL_CANCEL)
            arrive_cancel(v, cell);
        else
            arrive_query(v, cell);
        note_answer(v, cell);
    }
#ifdef TENON_SLOW_CHECKS
    venue_check(v);
#endif
}

void venue_resume(struct venue *v, uint32_t instrument, int64_t net)
{
    struct venue_book *b = tables_book(v, instrument);
    must(b != NULL && b->net == 0 && v->totals.orders == 0);
    b->net = net;
    ledger_resume(v, b);
}

bool venue_keep(struct venue *v, const struct venue_kept *k)
{
    struct venue_book *b = tables_book(v, k->instrument);
    must(b != NULL && v->totals.orders == 0 && k->cum >= 0 && k->cum <= k->qty);
    if (k->venue_order > v->venue_orders)
        v->venue_orders = k->venue_order;
    if (tables_order(v, k->order) != NULL || v->open_count >= v->c.orders_max)
        return false;
    uint64_t numbered = v->venue_orders;
    struct fact_send s = {.order = k->order,
                          .instrument = k->instrument,
                          .side = k->side,
                          .tif = k->tif,
                          .reduce_only = k->reduce_only,
                          .qty = k->qty,
                          .price = k->price};
    struct venue_order *o = open_order(v, &s, b, k->arrive_ns);
    v->venue_orders = numbered;
    o->venue_order = k->venue_order;
    o->cum = k->cum;
    if (k->has_ended)
        venue_end(v, o, k->cum == k->qty ? VENUE_FILLED : VENUE_CANCELED);
    return true;
}

/* ---- the market, and taking answers ---- */
void venue_market(struct venue *v, const struct fact_head *head, const void *payload)
{
    must(head->type == FACT_BAR || head->type == FACT_TRADE || head->type == FACT_QUOTE);
    const uint32_t *ids = payload; /* each of the three begins with instrument and flags */
    if (ids[1] & FACT_MD_WARMUP)
        return;
    struct venue_book *b = tables_book(v, ids[0]);
    if (b == NULL)
        return;
    if (v->todo.count == 0 && b->head == VENUE_NONE) {
        match_note(b, head->type, payload);
        v->run_ns = head->t_ns > v->run_ns ? head->t_ns : v->run_ns;
        return;
    }
    if (head->type == FACT_BAR)
        match_bar(v, b, head->t_ns, payload);
    else if (head->type == FACT_TRADE)
        match_trade(v, b, head->t_ns, payload);
    else
        match_quote(v, b, head->t_ns, payload);
}

int64_t venue_due(const struct venue *v)
{
    return v->answers.count == 0 ? INT64_MAX : v->answers.at[0].t_ns;
}

int64_t venue_ripe(const struct venue *v)
{
    if (v->answers.count == 0)
        return INT64_MAX;
    const struct venue_cell *cell = &v->cell[v->answers.at[0].cell];
    return cell->kind == VENUE_CELL_ANSWER ? INT64_MIN : cell->arrive_ns;
}

void venue_take(struct venue *v, struct fact_view *out)
{
    must(v->answers.count > 0);
    struct venue_cell *cell = &v->cell[v->answers.at[0].cell];
    if (cell->kind != VENUE_CELL_ANSWER) {
        venue_run(v, cell->arrive_ns);
        cell = &v->cell[v->answers.at[0].cell];
    }
    must(cell->kind == VENUE_CELL_ANSWER);
    struct venue_key k = tables_take(&v->answers);
    out->head = (struct fact_head){.bytes = sizeof(struct fact_exec),
                                   .t_ns = cell->due_ns,
                                   .type = FACT_EXEC,
                                   .version = fact_version(FACT_EXEC),
                                   .source = v->c.account};
    out->u.fact_exec = cell->u.exec;
    cell->kind = VENUE_CELL_UNSET;
    pool_put(&v->cells, k.cell);
}

void venue_totals(const struct venue *v, struct venue_totals *out)
{
    *out = v->totals;
}

int64_t venue_net(const struct venue *v, uint32_t instrument)
{
    const struct venue_book *b = tables_book(v, instrument);
    return b == NULL ? 0 : b->net;
}

void venue_check(const struct venue *v)
{
    must(v->magic == MAGIC);
    must(v->answers.count == v->cells.in_use);
    uint32_t open = 0;
    for (uint32_t i = 0; i < v->book_count; i++) {
        const struct venue_book *b = &v->book[i];
        uint32_t before = VENUE_NONE;
        for (uint32_t s = b->head; s != VENUE_NONE; s = v->order[s].next) {
            const struct venue_order *o = &v->order[s];
            must(o->outcome == VENUE_OPEN && o->book == i && o->prev == before);
            must(o->cum >= 0 && o->cum < o->qty);
            before = s;
            open++;
        }
        must(b->tail == before);
    }
    must(open == v->open_count);
    must(open + v->ended_count == v->slots.in_use);
}
