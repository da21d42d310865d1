/* SPDX-License-Identifier: Apache-2.0
 *
 * From signal to intents (DECISIONS 14).
 *
 * A signal is a state, the wanted position. target = fraction x budget / price, toward zero in
 * lots; delta = target - position - working. When what works already leads to the target it is left
 * alone; otherwise everything that works is cancelled first, and the plan is made when the last
 * order has ended, from the position as it then is: a fill that overtakes its cancel so changes the
 * plan instead of adding to it. Through zero is two intents, the close first. A rejected or expired
 * order does not plan again: the next signal does.
 *
 * A flatten (stop hit, kill) is the same idea with target 0 and no belief behind it: cancel, close
 * at a protected price, and again when that has ended without being flat, wider every time.
 */
#include "core/state.h"

enum { MARKET_SLIP_PPM = 5000, LEG_BITS = 10, FLATTEN_STEPS = 6 };
#define FLATTEN_RETRY_NS CORE_SECOND_NS
static const int64_t flatten_slip_ppm[FLATTEN_STEPS] = {5000, 10000, 15000, 20000, 25000, 30000};

/* Limit on the tick grid: never a worse price for us than asked (buy down, sell up). */
static int64_t on_tick(const struct market_row *m, uint32_t side, int64_t price)
{
    int64_t p;
    struct result r = quick_to_step(price, m->def.tick, side == TN_LONG ? NUM_FLOOR : NUM_CEIL, &p);
    return is_ok(r) && p > 0 ? p : 0;
}

static int64_t protected_price(const struct market_row *m, uint32_t side, int64_t slip_ppm)
{
    int64_t slip;
    if (!is_ok(quick_muldiv(m->mark, slip_ppm, TN_ONE_PPM, NUM_TOWARD_ZERO, &slip)))
        return 0;
    return on_tick(m, side, side == TN_LONG ? m->mark + slip : m->mark - slip);
}

static void place(struct core *c, struct book_row *b, int64_t delta, uint32_t origin,
                  int64_t slip_ppm)
{
    must(delta != 0);
    struct market_row *m = &c->market[b->instrument];
    struct risk_ask ask = {.book = b,
                           .market = m,
                           .reference = m->mark,
                           .origin = origin,
                           .tif = FACT_IOC,
                           .side = delta > 0 ? TN_LONG : TN_SHORT,
                           .ttl_ns = CORE_NEVER};
    /* Reducing is what the position still has beyond the closes that already work. */
    int64_t free_qty = delta < 0 ? b->qty - b->work_sell : -b->qty - b->work_buy;
    ask.reducing = free_qty > 0 && num_abs(delta) <= free_qty;
    if (!is_ok(quick_to_step(num_abs(delta), m->def.lot, NUM_TOWARD_ZERO, &ask.qty)) ||
        ask.qty == 0)
        return; /* below a lot: none */
    if (origin == FACT_ORIGIN_SIGNAL) {
        ask.signal_seq = b->signal_seq;
        ask.ttl_ns = b->signal_until_ns;
    }
    if (origin == FACT_ORIGIN_SIGNAL && b->has_limit) {
        int64_t away = ask.side == TN_LONG ? -b->limit_offset : b->limit_offset;
        ask.price = on_tick(m, ask.side, m->mark + away);
        ask.tif = FACT_GTC;
    } else {
        ask.price = protected_price(m, ask.side, slip_ppm);
    }
    ask.leg = c->leg++;
    must(ask.leg < 1u << LEG_BITS);
    ask.intent = c->seq << LEG_BITS | ask.leg;
    oms_place(c, &ask);
}

/* What works already leads to the target: it lives as long as the newer signal (note 0003). */
static void keep_working(struct core *c, const struct book_row *b)
{
    uint32_t book = book_index(c, b);
    for (uint32_t i = c->live_oldest; i != CORE_NONE; i = c->order[i].live_newer) {
        struct order_row *o = &c->order[i];
        if (o->book != book || o->origin != FACT_ORIGIN_SIGNAL)
            continue;
        if (o->state == ORDER_STATE_WORKING || o->state == ORDER_STATE_PARTIAL)
            o->cancel_why = FACT_CANCEL_UNSET; /* nothing to try again */
        o->ttl_ns = b->signal_until_ns;
        deadline_near(c, o->ttl_ns);
    }
}

/* Something of this book is on its way out: what it holds does not lead to any target. */
static bool cancel_runs(const struct core *c, const struct book_row *b)
{
    uint32_t book = book_index(c, b);
    for (uint32_t i = c->live_oldest; i != CORE_NONE; i = c->order[i].live_newer) {
        const struct order_row *o = &c->order[i];
        if (o->book == book && (o->want_cancel || o->state == ORDER_STATE_PEND_CANCEL ||
                                (o->cancel_why && o->state == ORDER_STATE_UNKNOWN)))
            return true;
    }
    return false;
}

static void plan(struct core *c, struct book_row *b)
{
    const struct market_row *m = &c->market[b->instrument];
    int64_t working = b->work_buy - b->work_sell;
    if (num_abs(b->target - b->qty - working) < m->def.lot) {
        b->pending = cancel_runs(c, b); /* the plan is made again when that has ended */
        keep_working(c, b);
        return;
    }
    /* With auto off belief may not even cancel: the plan goes to the gate, which denies by name. */
    if (b->live_orders > 0 && core_auto(c, b->strategy)) {
        b->pending = 1;
        oms_cancel_book(c, b, FACT_CANCEL_NEWER, false);
        return;
    }
    b->pending = 0;
    int64_t delta = b->target - b->qty;
    bool through_zero = b->qty != 0 && b->target != 0 && (b->qty > 0) != (b->target > 0);
    if (through_zero) {
        place(c, b, -b->qty, FACT_ORIGIN_SIGNAL, MARKET_SLIP_PPM);
        place(c, b, b->target, FACT_ORIGIN_SIGNAL, MARKET_SLIP_PPM);
    } else if (delta != 0) { /* 0: only what works differs, and auto is off */
        place(c, b, delta, FACT_ORIGIN_SIGNAL, MARKET_SLIP_PPM);
    }
}

/* False when the wish cannot be sized now: no price, no rate, or figures that do not fit. */
static bool target_of(struct core *c, const struct book_row *b, const struct fact_signal *s,
                      int64_t *target)
{
    const struct market_row *m = &c->market[b->instrument];
    *target = 0;
    if (s->side == TN_FLAT)
        return true;
    int64_t fraction = s->advice & TN_ADVICE_TARGET ? s->target_ppm : TN_ONE_PPM;
    int64_t amount, qty = 0, lots = 0;
    struct result r = quick_muldiv(b->budget, fraction, TN_ONE_PPM, NUM_TOWARD_ZERO, &amount);
    if (is_ok(r))
        r = money_qty(c, m, b->account, amount, m->mark, &qty);
    if (is_ok(r))
        r = quick_to_step(qty, m->def.lot, NUM_TOWARD_ZERO, &lots);
    if (!is_ok(r) || lots > CORE_QTY_MAX)
        return false;
    *target = s->side == TN_LONG ? lots : -lots;
    return true;
}

/* What the bay's guard should have refused; belief is never trusted twice. */
static bool is_sane(const struct fact_signal *s)
{
    return (s->side == TN_LONG || s->side == TN_SHORT || s->side == TN_FLAT) &&
           (!(s->advice & TN_ADVICE_TARGET) ||
            (s->target_ppm >= 0 && s->target_ppm <= TN_ONE_PPM)) &&
           (!(s->advice & TN_ADVICE_LIMIT) ||
            (s->limit_offset >= 0 && s->limit_offset <= CORE_PRICE_MAX)) &&
           (!(s->advice & TN_ADVICE_STOP) ||
            (s->stop_distance > 0 && s->stop_distance <= CORE_PRICE_MAX)) &&
           (!(s->advice & TN_ADVICE_TTL) || s->ttl_ns > 0);
}

static void end_flatten(struct book_row *b)
{
    b->flatten_origin = FACT_ORIGIN_UNSET;
    b->flatten_ns = CORE_NEVER;
}

void plan_signal(struct core *c, const struct fact_signal *s)
{
    c->totals.signals++;
    if (!is_sane(s)) {
        step_ignored(c, FACT_IGNORED_NOT_ALLOWED, FACT_SIGNAL, s->instance);
        return;
    }
    struct book_row *b = book_find(c, s->instance, s->instrument);
    if (b == NULL || s->instance == 0 || b->is_leaving) {
        risk_no_route(c, s);
        return;
    }
    if (b->flatten_origin == FACT_ORIGIN_KILL) { /* no belief touches the closes of a kill */
        step_ignored(c, FACT_IGNORED_NOT_ALLOWED, FACT_SIGNAL, s->instance);
        return;
    }
    int64_t target;
    if (!target_of(c, b, s, &target)) { /* no opinion that could be acted on: what is, stays */
        risk_unsized(c, b, s);
        return;
    }
    end_flatten(b); /* a newer belief takes over from the stop's close */
    b->signal_seq = c->seq;
    b->signal_until_ns = CORE_NEVER;
    if ((s->advice & TN_ADVICE_TTL) && s->ttl_ns < CORE_NEVER - c->now_ns)
        b->signal_until_ns = c->now_ns + s->ttl_ns;
    b->has_limit = (s->advice & TN_ADVICE_LIMIT) != 0;
    b->limit_offset = b->has_limit ? s->limit_offset : 0;
    b->target = target;
    stops_signal(c, b, s->advice & TN_ADVICE_STOP ? s->stop_distance : 0);
    plan(c, b);
}

static void retry(struct core *c, struct book_row *b)
{
    b->flatten_ns = c->now_ns + FLATTEN_RETRY_NS;
    deadline_near(c, b->flatten_ns);
}

static bool is_silent(const struct order_row *o)
{
    return o->state == ORDER_STATE_UNKNOWN || o->state == ORDER_STATE_QUARANTINE;
}

/* Everything that works but the flatten's own closes, which end by themselves. */
static void cancel_others(struct core *c, struct book_row *b)
{
    uint32_t why = b->flatten_origin == FACT_ORIGIN_STOP     ? FACT_CANCEL_STOP
                   : b->flatten_origin == FACT_ORIGIN_REMOVE ? FACT_CANCEL_REMOVE
                                                             : FACT_CANCEL_MODE;
    uint32_t book = book_index(c, b);
    for (uint32_t i = c->live_oldest; i != CORE_NONE;) {
        struct order_row *o = &c->order[i];
        i = o->live_newer;
        bool asked = is_silent(o) && o->cancel_why != FACT_CANCEL_UNSET;
        if (o->book == book && o->origin != b->flatten_origin && !asked)
            (void)oms_cancel(c, o, why);
    }
}

/* Orders of the book that an answer will end; silent ones may never give one. */
static uint32_t count_answering(const struct core *c, const struct book_row *b)
{
    uint32_t book = book_index(c, b), n = 0;
    for (uint32_t i = c->live_oldest; i != CORE_NONE; i = c->order[i].live_newer)
        n += c->order[i].book == book && !is_silent(&c->order[i]);
    return n;
}

/* What of the position no order that lives could still close. */
static int64_t left_to_close(const struct book_row *b)
{
    if (b->qty > 0)
        return b->qty > b->work_sell ? b->qty - b->work_sell : 0;
    return -b->qty > b->work_buy ? b->qty + b->work_buy : 0;
}

/* One attempt of a flatten. Nothing that answers may work beside it, so a late fill cannot open a
 * position. A silent order may stay silent for long: it is asked to cancel once, its reservation is
 * left alone, and the rest is closed beside it; what it may still fill is closed when known. */
static void flatten(struct core *c, struct book_row *b)
{
    must(b->flatten_origin != FACT_ORIGIN_UNSET);
    if (b->live_orders == 0 && num_abs(b->qty) < c->market[b->instrument].def.lot) {
        end_flatten(b);
        return;
    }
    b->flatten_ns = CORE_NEVER;
    if (b->live_orders > 0)
        cancel_others(c, b);
    bool silent_live = b->live_orders > count_answering(c, b);
    if (silent_live)
        retry(c, b); /* else the end of the last order brings us back */
    int64_t left = left_to_close(b);
    if (count_answering(c, b) > 0 || num_abs(left) < c->market[b->instrument].def.lot)
        return;
    uint32_t step = b->flattens < FLATTEN_STEPS ? b->flattens : FLATTEN_STEPS - 1;
    if (b->flattens == FLATTEN_STEPS)
        step_alert(c, FACT_ALERT_KILL_STUCK, b, 0, b->qty, b->flattens);
    b->flattens++;
    place(c, b, -left, b->flatten_origin, flatten_slip_ppm[step]);
    if (b->live_orders == 0)
        retry(c, b); /* the gate said no */
}

void plan_flatten(struct core *c, struct book_row *b, uint32_t origin)
{
    b->signal_seq = 0;
    b->pending = 0;
    b->target = 0;
    b->flatten_origin = origin;
    b->flattens = 0;
    flatten(c, b);
}

static bool is_held(const struct book_row *b)
{
    return b->qty != 0 || b->live_orders > 0;
}

void plan_leave(struct core *c, struct book_row *b)
{
    b->is_leaving = 1;
    b->signal_seq = 0;
    b->pending = 0;
    b->target = 0;
    if (!is_held(b))
        end_flatten(b);
    else if (b->flatten_origin != FACT_ORIGIN_KILL) /* a kill does the same, with more right */
        plan_flatten(c, b, FACT_ORIGIN_REMOVE);
}

void plan_return(struct book_row *b)
{
    b->is_leaving = 0;
    if (b->flatten_origin == FACT_ORIGIN_REMOVE)
        end_flatten(b);
}

void plan_hand_over(struct book_row *from, struct book_row *to)
{
    if (from->flatten_origin == FACT_ORIGIN_UNSET)
        return;
    to->signal_seq = 0; /* as when a close begins */
    to->pending = 0;
    to->target = 0;
    to->flatten_origin = from->flatten_origin;
    to->flattens = from->flattens;
    to->flatten_ns = from->flatten_ns;
    end_flatten(from);
}

void plan_spare(struct core *c, struct book_row *b)
{
    if (mode_effective(c, b) == MODE_KILLED)
        return;
    b->kill_flat = 0;
    if (b->flatten_origin == FACT_ORIGIN_KILL)
        end_flatten(b);
    if (b->is_leaving && b->flatten_origin == FACT_ORIGIN_UNSET && is_held(b))
        plan_flatten(c, b, FACT_ORIGIN_REMOVE);
}

/* The last working order of the book has ended. */
void plan_ended(struct core *c, struct book_row *b)
{
    must(b->live_orders == 0);
    if (b->flatten_origin != FACT_ORIGIN_UNSET) {
        if (b->flattens < FLATTEN_STEPS)
            flatten(c, b);
        else
            retry(c, b); /* the widest protection did not fill: once a second from here on */
        return;
    }
    if (!b->pending)
        return;
    b->pending = 0;
    if (b->signal_seq != 0 && c->now_ns < b->signal_until_ns)
        plan(c, b);
}

/* A fill that came after a kill had closed everything is closed again; so is one whose strategy has
 * left. */
void plan_filled(struct core *c, struct book_row *b)
{
    if ((b->kill_flat | b->is_leaving) == 0 || b->flatten_origin != FACT_ORIGIN_UNSET ||
        b->qty == 0)
        return;
    if (mode_effective(c, b) != MODE_KILLED) {
        if (b->is_leaving)
            plan_flatten(c, b, FACT_ORIGIN_REMOVE);
    } else if (b->kill_flat) {
        plan_flatten(c, b, FACT_ORIGIN_KILL);
    }
}

int64_t plan_deadline(const struct core *c)
{
    int64_t d = CORE_NEVER;
    for (uint32_t i = 1; i < c->book_count; i++) {
        if (c->book[i].flatten_ns < d)
            d = c->book[i].flatten_ns;
    }
    return d;
}

void plan_timers(struct core *c)
{
    for (uint32_t i = 1; i < c->book_count; i++) {
        if (c->book[i].flatten_ns <= c->now_ns)
            flatten(c, &c->book[i]);
    }
}
