/* SPDX-License-Identifier: Apache-2.0
 *
 * The kill, and flatten: rounds over one account that need neither engine nor bay.
 *
 *   CANCEL  all working orders (the stored cancel-all; without one, each order that left, by its
 *           own stored cancel)
 *   READ    the venue's positions; flat: read again, three times in a row ends it
 *   CLOSE   each position, reduce-only, immediate-or-cancel, not worse than the venue's own mark
 *           and a step: 0.5 %, 1 %, 2 %, then 3 %; and again from CANCEL
 *
 * Then, while the account is killed, it looks again after 1, 3 and 10 s: an order that was on its
 * way at the press may reach the venue after its cancel-all.
 *
 * A step begins when all replies of the one before have come or their time is over. What fails is
 * tried again after a growing, jittered wait, and never given up: a person lifts the kill, not a
 * counter. Why read the venue instead of our books: the engine may hang, and orders that were on
 * their way fill after the press.
 */
#include <stdio.h>
#include <string.h>
#include "base/num.h"
#include "egress/desk_priv.h"
#include "egress/reread.h"
#include "tenon/strategy.h"

enum { READS_FLAT = 3, STEPS = 4, STUCK_TRIES = 20 };
static const int64_t SLIP_PPM[STEPS] = {5000, 10000, 20000, 30000};
static const int64_t PAUSE_NS = 10 * DESK_MS;
static const int64_t FILL_NS = 40 * DESK_MS;   /* a close gets so long to be matched */
static const int64_t REPLY_NS = 250 * DESK_MS; /* the first wait for a reply; it doubles */
static const int64_t RETRY_MAX_NS = 1000 * DESK_MS;
enum { WATCHES = 3 };
/* After it was flat: what was on its way at the press may arrive late. The last look comes after
 * the last request of before has its answer or its deadline. */
static const int64_t WATCH_NS[WATCHES] = {1000 * DESK_MS, 3000 * DESK_MS, 10000 * DESK_MS};

bool desk_is_closed(const struct desk *d, const struct desk_account *a)
{
    return a->round.is_on || desk_is_killed(d, id_of(a));
}

bool desk_is_killed(const struct desk *d, uint32_t account)
{
    return witness_killed(d->w, account) != NULL;
}

void desk_round_start(struct desk *d, struct desk_account *a, bool keep_positions)
{
    struct desk_round *r = &a->round;
    uint32_t number = r->number + 1;
    memset(r, 0, sizeof *r);
    r->number = number;
    r->is_on = true;
    r->keep_positions = keep_positions;
    r->phase = DESK_PHASE_CANCEL;
    r->since_ns = d->now;
}

void desk_set_killed(struct desk *d, const struct road_kill *k)
{
    struct road_kill whole = *k;
    whole.by[sizeof whole.by - 1] = whole.reason[sizeof whole.reason - 1] = '\0';
    if (!witness_set_kill(d->w, &whole))
        whole.account = 0;
    desk_witnessed(d, true);
    d->totals.is_killed = true;
    desk_log(d, 4, "killed: account %u (0 = all), by %s: %s", whole.account, whole.by,
             whole.reason);
    for (uint32_t i = 0; i < d->account_count; i++) {
        struct desk_account *a = &d->account[i];
        if (whole.account && whole.account != id_of(a))
            continue;
        bool keep = witness_killed(d->w, id_of(a))->keep_positions != 0;
        bool harder = a->round.is_on && a->round.keep_positions && !keep;
        if (!a->round.is_on || harder)
            desk_round_start(d, a, keep);
    }
}

/* ---- pace ---- */
static void again_in(struct desk *d, struct desk_round *r, int64_t ns)
{
    r->next_ns = d->now + ns;
    arm(d, r->next_ns);
}

/* Something of this step failed: from the beginning, later. */
static void retry(struct desk *d, struct desk_account *a)
{
    struct desk_round *r = &a->round;
    int64_t wait = PAUSE_NS << (r->tries < 7 ? r->tries : 7);
    if (wait > RETRY_MAX_NS)
        wait = RETRY_MAX_NS;
    wait += (int64_t)rng_below(&d->rng, (uint64_t)wait / 2 + 1);
    r->tries++;
    r->phase = DESK_PHASE_CANCEL;
    r->at = r->reads = 0;
    r->has_failed = r->is_waiting = false;
    again_in(d, r, wait);
    if (r->tries >= STUCK_TRIES && !r->is_stuck_told) {
        r->is_stuck_told = true;
        desk_alarm(d, ROAD_ALARM_STUCK, id_of(a), 0,
                   "the flatten does not end: the venue does not confirm; look at it by hand");
    }
}

static int64_t reply_wait(const struct desk_round *r)
{
    return REPLY_NS << (r->tries < 4 ? r->tries : 4);
}

static void watch(struct desk *d, struct desk_account *a)
{
    struct desk_round *r = &a->round;
    if (r->watches == WATCHES || !witness_killed(d->w, id_of(a))) {
        r->is_on = false;
        return;
    }
    r->phase = DESK_PHASE_CANCEL;
    r->at = r->reads = r->step = r->tries = 0;
    r->is_stuck_told = false;
    again_in(d, r, WATCH_NS[r->watches++]);
}

static void done(struct desk *d, struct desk_account *a)
{
    struct desk_round *r = &a->round;
    bool is_first = !r->is_done;
    watch(d, a);
    if (!is_first)
        return;
    r->is_done = r->is_owed = true;
    desk_log(d, 2, "account %u: %s after %lld ms, %u cancels, %u closes, %u reads", id_of(a),
             r->keep_positions ? "all orders cancelled" : "flat",
             (long long)((d->now - r->since_ns) / DESK_MS), r->cancelled, r->closed, r->read_count);
}

/* ---- cancel ---- */
static bool has_symbol(const struct desk_template *t)
{
    struct assemble_template in;
    if (assemble_take(t->message, t->count, &in))
        return false;
    for (uint32_t i = 0; i < in.head.part_count; i++)
        if ((in.part[i].kind & ~TN_PART_HIDDEN) == TN_PART_FIELD &&
            in.part[i].field == TN_FIELD_SYMBOL)
            return true;
    return false;
}

static const char *symbol_of(const struct desk_account *a, uint32_t instrument)
{
    const struct desk_facts *f = facts_of(a);
    for (uint32_t i = 0; i < f->instrument_count; i++)
        if (f->instrument[i].def.id == instrument)
            return f->instrument[i].venue_symbol;
    return NULL;
}

/* Without a cancel-all: the order in slot `at`, if it may work at the venue. */
static enum desk_fired cancel_slot(struct desk *d, struct desk_account *a, uint32_t at)
{
    const struct witness_slot *s = &d->w->slot[at];
    uint32_t state = witness_state(s);
    bool left =
        state == WITNESS_TAKEN ||
        (state == WITNESS_ANSWERED && (s->what == FACT_SENT_OK || s->what == FACT_SENT_UNKNOWN));
    if (s->class_of != TN_CLASS_ORDER || s->account != id_of(a) || !left)
        return DESK_FIRED;
    struct wire_want want = {.class_of = TN_CLASS_CANCEL,
                             .symbol = symbol_of(a, s->instrument),
                             .client_id = s->client_id,
                             .t_ns = d->last_t_ns};
    enum desk_fired f = desk_fire(d, a, DESK_STORED_CANCEL, &want, reply_wait(&a->round));
    a->round.cancelled += f == DESK_FIRED;
    return f;
}

static enum desk_fired cancel_one(struct desk *d, struct desk_account *a, uint32_t *count)
{
    struct desk_round *r = &a->round;
    const struct desk_template *all = &a->session[0].stored[DESK_STORED_CANCEL_ALL];
    if (!all->count) {
        *count = a->session[0].stored[DESK_STORED_CANCEL].count ? WITNESS_SLOTS : 0;
        return r->at < *count ? cancel_slot(d, a, r->at) : DESK_REFUSED;
    }
    bool each = has_symbol(all);
    *count = each ? facts_of(a)->instrument_count : 1;
    if (r->at >= *count)
        return DESK_FIRED;
    struct wire_want want = {.class_of = TN_CLASS_CANCEL_ALL, .t_ns = d->last_t_ns};
    if (each)
        want.symbol = facts_of(a)->instrument[r->at].venue_symbol;
    enum desk_fired f = desk_fire(d, a, DESK_STORED_CANCEL_ALL, &want, reply_wait(r));
    r->cancelled += f == DESK_FIRED;
    return f;
}

/* ---- close ---- */
/* Limit so far from the mark, on the tick, on the side that fills; false = cannot be said. */
static bool close_price(const struct fact_instrument *def, int64_t mark, bool sells, uint32_t step,
                        int64_t *price)
{
    int64_t ppm = 1000000 + (sells ? -SLIP_PPM[step] : SLIP_PPM[step]);
    int64_t raw;
    return is_ok(num_muldiv(mark, ppm, 1000000, sells ? NUM_FLOOR : NUM_CEIL, &raw)) &&
           is_ok(num_to_step(raw, def->tick, sells ? NUM_FLOOR : NUM_CEIL, price)) && *price > 0;
}

static void close_id(struct desk *d, char id[ROAD_CLIENT_ID_BYTES])
{
    d->head.closes++;
    witness_write_head(d->w, &d->head);
    desk_witnessed(d, false);
    memset(id, 0, ROAD_CLIENT_ID_BYTES);
    snprintf(id, ROAD_CLIENT_ID_BYTES, "K%llu-%llu", (unsigned long long)d->head.epoch,
             (unsigned long long)d->head.closes);
}

static bool can_close(const struct desk_account *a, const struct desk_position *p)
{
    return p->instrument != DESK_NONE && p->has_mark && p->mark > 0 &&
           num_abs(p->qty) >= facts_of(a)->instrument[p->instrument].def.lot;
}

static enum desk_fired close_one(struct desk *d, struct desk_account *a, uint32_t at)
{
    struct desk_round *r = &a->round;
    const struct desk_position *p = &r->position[at];
    if (!can_close(a, p))
        return DESK_FIRED;
    const struct road_instrument *i = &facts_of(a)->instrument[p->instrument];
    char id[ROAD_CLIENT_ID_BYTES];
    bool sells = p->qty > 0;
    struct wire_want want = {.class_of = TN_CLASS_ORDER,
                             .side = sells ? TN_SHORT : TN_LONG,
                             .type = TN_ORDER_LIMIT,
                             .tif = FACT_IOC,
                             .reduce_only = 1,
                             .qty_exp = i->def.qty_exp,
                             .price_exp = i->def.price_exp,
                             .qty = num_abs(p->qty) / i->def.lot * i->def.lot,
                             .t_ns = d->last_t_ns,
                             .symbol = i->venue_symbol,
                             .client_id = id};
    uint32_t step = r->step < STEPS ? r->step : STEPS - 1;
    if (!close_price(&i->def, p->mark, sells, step, &want.price))
        return DESK_REFUSED;
    close_id(d, id);
    enum desk_fired f = desk_fire(d, a, DESK_STORED_CLOSE, &want, reply_wait(r));
    r->closed += f == DESK_FIRED;
    return f;
}

/* ---- read ---- */
struct reading {
    struct desk_account *a;
    const struct road_row *row;
    struct desk_round *r;
    uint32_t last_row;
    bool has_row;
    struct {
        const char *text;
        uint32_t count;
    } symbol, qty, mark;
};

static const struct tn_wire_field *field_of(const struct road_row *row, uint32_t meaning)
{
    for (uint32_t i = 0; i < row->field_count; i++)
        if (row->field[i].meaning == meaning)
            return &row->field[i];
    return NULL;
}

/* A mark may be an average with more digits than prices have: those are cut. */
static bool read_mark(const struct tn_wire_field *f, const char *text, uint32_t count, int32_t exp,
                      int64_t *out)
{
    const char *point = memchr(text, '.', count);
    uint32_t digits = exp < 0 ? (uint32_t)-exp : 0;
    if (point && f->unit_exp == 127) {
        uint32_t whole = (uint32_t)(point - text);
        uint32_t most = digits ? whole + 1 + digits : whole;
        count = most < count ? most : count;
    }
    return wire_number(f, text, count, exp, out);
}

/* Of a symbol nobody named only this is known: there is something. In which exponent it could be
 * kept is not, and a quantity that does not fit must not hide the other positions. */
static int64_t any_quantity(const char *text, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (text[i] >= '1' && text[i] <= '9')
            return 1;
    return 0;
}

static void row_ends(struct reading *g)
{
    struct desk_round *r = g->r;
    if (!g->has_row)
        return;
    g->has_row = false;
    if (!g->symbol.text || !g->qty.text || r->position_count == DESK_INSTRUMENTS_MAX) {
        r->is_bad = true;
        return;
    }
    const struct desk_facts *f = facts_of(g->a);
    struct desk_position p = {.instrument = DESK_NONE};
    for (uint32_t i = 0; i < f->instrument_count; i++)
        if (strlen(f->instrument[i].venue_symbol) == g->symbol.count &&
            memcmp(f->instrument[i].venue_symbol, g->symbol.text, g->symbol.count) == 0)
            p.instrument = i;
    if (p.instrument == DESK_NONE) {
        p.qty = any_quantity(g->qty.text, g->qty.count);
    } else if (!wire_number(field_of(g->row, TN_FIELD_QTY), g->qty.text, g->qty.count,
                            f->instrument[p.instrument].def.qty_exp, &p.qty)) {
        r->is_bad = true;
        return;
    }
    const struct tn_wire_field *mark = field_of(g->row, TN_FIELD_MARK);
    if (p.instrument != DESK_NONE && mark && g->mark.text)
        p.has_mark = read_mark(mark, g->mark.text, g->mark.count,
                               f->instrument[p.instrument].def.price_exp, &p.mark);
    if (p.qty != 0 && p.qty != INT64_MIN)
        r->position[r->position_count++] = p;
    memset(&g->symbol, 0, sizeof g->symbol);
    memset(&g->qty, 0, sizeof g->qty);
    memset(&g->mark, 0, sizeof g->mark);
}

static bool is_list_of(const struct road_row *row, const char *list)
{
    const struct tn_wire_field *f = field_of(row, TN_FIELD_QTY);
    return f && strncmp(f->path, list, strlen(list)) == 0;
}

static bool read_value(void *arg, const struct reread_value *v)
{
    struct reading *g = arg;
    if (v->kind == REREAD_LIST) {
        g->r->saw_list |= is_list_of(g->row, v->path);
        return true;
    }
    for (uint32_t i = 0; i < g->row->field_count; i++) {
        const struct tn_wire_field *f = &g->row->field[i];
        if (strcmp(f->path, v->path) != 0)
            continue;
        if (g->has_row && v->row != g->last_row)
            row_ends(g);
        g->has_row = true;
        g->last_row = v->row;
        if (f->meaning == TN_FIELD_SYMBOL)
            g->symbol.text = v->text, g->symbol.count = v->count;
        else if (f->meaning == TN_FIELD_QTY)
            g->qty.text = v->text, g->qty.count = v->count;
        else if (f->meaning == TN_FIELD_MARK)
            g->mark.text = v->text, g->mark.count = v->count;
    }
    return true;
}

/* The signed row that reads replies to the stored query. */
static const struct road_row *positions_row(struct desk_account *a)
{
    struct wire_place place = desk_place(a);
    const struct desk_facts *f = facts_of(a);
    for (uint32_t i = 0; i < f->row_count; i++) {
        const struct road_row *in = &f->row[i];
        if (in->inbound && in->class_of == TN_CLASS_QUERY && wire_row_has(in, TN_FIELD_QTY) &&
            wire_row_has(in, TN_FIELD_SYMBOL) &&
            wire_row(&place, TN_CLASS_QUERY, in->link, in->method, in->match,
                     (uint32_t)strnlen(in->match, sizeof in->match)))
            return in;
    }
    return NULL;
}

static bool read_positions(struct desk_account *a, const uint8_t *bytes, uint64_t count)
{
    struct desk_round *r = &a->round;
    struct reading g = {.a = a, .row = positions_row(a), .r = r};
    r->position_count = 0;
    r->saw_list = r->is_bad = false;
    if (!g.row)
        return false;
    const char *bad = reread_json((const char *)bytes, count, false, read_value, &g);
    row_ends(&g);
    return !bad && r->saw_list && !r->is_bad;
}

/* What is left that could be closed, or that nobody can: dust below a lot counts as flat. */
static bool is_flat(struct desk *d, struct desk_account *a)
{
    struct desk_round *r = &a->round;
    for (uint32_t i = 0; i < r->position_count; i++) {
        const struct desk_position *p = &r->position[i];
        bool dust = p->instrument != DESK_NONE &&
                    num_abs(p->qty) < facts_of(a)->instrument[p->instrument].def.lot;
        if (dust)
            continue;
        if (!can_close(a, p) && !r->is_stuck_told) {
            r->is_stuck_told = true;
            desk_alarm(d, ROAD_ALARM_STUCK, id_of(a), 0,
                       "a position cannot be closed: its symbol or its mark is not known here");
        }
        return false;
    }
    return true;
}

/* ---- steps ---- */
static void next_phase(struct desk *d, struct desk_account *a)
{
    struct desk_round *r = &a->round;
    r->is_waiting = false;
    r->at = 0;
    bool cancels = r->phase == DESK_PHASE_CANCEL;
    if (cancels)
        r->cancel_failed = r->has_failed;
    if (r->phase == DESK_PHASE_READ && !r->has_read)
        r->has_failed = true;
    r->has_read = false;
    if (cancels && r->has_failed && !r->keep_positions && r->tries % 2) {
        r->has_failed = false; /* positions are closed even while cancels fail, every other time */
        r->phase = DESK_PHASE_READ;
    } else if (r->has_failed) {
        retry(d, a);
    } else if (cancels && r->keep_positions) {
        done(d, a);
    } else if (cancels) {
        r->phase = DESK_PHASE_READ;
    } else if (r->phase == DESK_PHASE_CLOSE) {
        r->phase = DESK_PHASE_CANCEL;
        r->step++;
        r->tries++;
        again_in(d, r, FILL_NS * (r->step < STEPS ? 1 : r->step < 25 ? r->step : 25));
    } else if (!is_flat(d, a)) {
        r->reads = 0;
        r->phase = DESK_PHASE_CLOSE;
    } else if (r->cancel_failed) {
        retry(d, a);
    } else if (++r->reads == READS_FLAT) {
        done(d, a);
    } else {
        again_in(d, r, PAUSE_NS);
    }
    if (r->is_on && r->tries >= STUCK_TRIES && !r->is_stuck_told) {
        r->is_stuck_told = true;
        desk_alarm(d, ROAD_ALARM_STUCK, id_of(a), 0,
                   "the flatten does not end: positions stay; look at the venue by hand");
    }
}

/* Fires what this step has left; true: all of it is out. */
static bool fire_phase(struct desk *d, struct desk_account *a)
{
    struct desk_round *r = &a->round;
    uint32_t count = 1;
    do {
        enum desk_fired f;
        if (r->phase == DESK_PHASE_CANCEL) {
            f = cancel_one(d, a, &count);
        } else if (r->phase == DESK_PHASE_READ) {
            struct wire_want want = {.class_of = TN_CLASS_QUERY, .t_ns = d->last_t_ns};
            f = desk_fire(d, a, DESK_STORED_POSITIONS, &want, reply_wait(r));
        } else {
            count = r->position_count;
            f = close_one(d, a, r->at);
        }
        if (f == DESK_HELD) /* desk_fire said when */
            return false;
        if (f != DESK_FIRED)
            r->has_failed = true;
    } while (++r->at < count);
    return true;
}

void desk_round_run(struct desk *d, struct desk_account *a)
{
    struct desk_round *r = &a->round;
    for (int i = 0; r->is_on && i < 8; i++) {
        if (!facts_of(a)->is_there)
            return; /* its facts come with READY */
        if (r->next_ns > d->now) {
            arm(d, r->next_ns);
            return;
        }
        if (!r->is_waiting) {
            if (!fire_phase(d, a))
                return;
            r->is_waiting = true;
        }
        if (r->in_flight)
            return;
        next_phase(d, a);
    }
    if (r->is_on)
        arm(d, d->now + DESK_MS);
}

void desk_round_reply(struct desk *d, struct desk_account *a, const struct desk_ticket *t,
                      uint32_t status, const uint8_t *bytes, uint64_t count)
{
    struct desk_round *r = &a->round;
    if (t->round != r->number || !r->in_flight)
        return; /* of a round that was begun anew */
    r->in_flight--;
    bool good = status / 100 == 2;
    /* A close that the venue refuses is not a failure of the round: the next read tells. */
    if (t->stored == DESK_STORED_CLOSE && status / 100 == 4 && status != 429 && status != 418)
        good = true;
    if (t->stored == DESK_STORED_CANCEL && status / 100 == 4 && status != 429 && status != 418)
        good = true; /* it had ended */
    if (good && t->stored == DESK_STORED_POSITIONS) {
        r->read_count++;
        good = r->is_on && read_positions(a, bytes, count);
        r->has_read = good;
    }
    r->has_failed |= !good;
    (void)d;
}
