/* SPDX-License-Identifier: Apache-2.0
 *
 * See core_walk.h. Each kind of event is one small maker; a weighted draw picks one. Orders and
 * trades are kept in short rings; answers go to living orders mostly and to ended ones at times.
 * Trouble is dosed so that the core trades through most of a walk.
 */
#include "tests/lib/core_walk.h"
#include "base/must.h"
#include <string.h>

uint64_t walk_draw(struct walk *w, uint64_t below)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 7;
    w->seed ^= w->seed << 17;
    return w->seed % below;
}

static bool one_in(struct walk *w, uint64_t n)
{
    return walk_draw(w, n) == 0;
}

void walk_open(struct walk *w, struct core_rig *rig, uint64_t seed)
{
    must(seed != 0);
    *w = (struct walk){.rig = rig, .seed = seed, .epoch = 1, .kill_ppm = 300};
    w->price[RIG_BTC] = w->price[RIG_INV] = 1000000;
}

void walk_configure(struct walk *w)
{
    struct core_rig *r = w->rig;
    rig_route(r, RIG_S2, RIG_BTC, 800000000000);
    rig_route(r, RIG_S1, RIG_INV, 600000000000);
    struct fact_account eur = {.id = 2, .currency = RIG_EUR, .balance = 5000000000000};
    rig_step(r, FACT_ACCOUNT, &eur);
    struct fact_rate rate = {.from = RIG_USD, .to = RIG_EUR, .exp = -4, .rate = 9173};
    rig_step(r, FACT_RATE, &rate);
    struct fact_route route = {
        .strategy = RIG_S2, .instrument = RIG_INV, .account = 2, .budget = 300000000000};
    rig_step(r, FACT_ROUTE, &route);
    rig_quote(r, RIG_INV, 999900, 1000100);
}

static int64_t move_price(struct walk *w, uint32_t instrument)
{
    int64_t p = w->price[instrument] + (int64_t)walk_draw(w, 4001) - 2000;
    w->price[instrument] = p < 500000 ? 500000 : p > 2000000 ? 2000000 : p;
    return w->price[instrument];
}

static uint16_t make_market(struct walk *w, struct fact_view *v)
{
    uint32_t i = 1 + (uint32_t)walk_draw(w, 2);
    int64_t p = move_price(w, i), half = 1 + (int64_t)walk_draw(w, 200);
    switch (walk_draw(w, 8)) {
    case 0:
        v->u.fact_bar = (struct fact_bar){.instrument = i,
                                          .open = p,
                                          .high = p + half,
                                          .low = p - half,
                                          .close = p + half / 2,
                                          .volume = 5};
        return FACT_BAR;
    case 1:
        v->u.fact_trade = (struct fact_trade){.instrument = i,
                                              .qty = 1 - (int64_t)one_in(w, 60),
                                              .price = one_in(w, 60) ? -p : p,
                                              .trade_no = one_in(w, 40) ? walk_draw(w, 4) : 0};
        return FACT_TRADE;
    default:
        v->u.fact_quote = (struct fact_quote){.instrument = one_in(w, 200) ? 9 : i,
                                              .bid = p - half,
                                              .ask = p + half,
                                              .bid_qty = 10,
                                              .ask_qty = 10};
        if (one_in(w, 50))
            v->u.fact_quote.bid = p + half;
        return FACT_QUOTE;
    }
}

static uint16_t make_signal(struct walk *w, struct fact_view *v)
{
    struct fact_signal *s = &v->u.fact_signal;
    s->instance = 1 + (uint32_t)walk_draw(w, 2);
    s->instrument = 1 + (uint32_t)walk_draw(w, 2);
    s->side = 1 + (uint32_t)walk_draw(w, 3);
    s->advice = (uint32_t)walk_draw(w, 16);
    s->target_ppm = (int32_t)walk_draw(w, 1000001);
    s->limit_offset = (int64_t)walk_draw(w, 3000);
    s->stop_distance = 1 + (int64_t)walk_draw(w, 20000);
    s->ttl_ns = 1 + (int64_t)walk_draw(w, 20) * RIG_S / 2;
    s->horizon_ns = 1;
    return FACT_SIGNAL;
}

static bool is_over(uint32_t state)
{
    return state == ORDER_STATE_FILLED || state == ORDER_STATE_CANCELLED ||
           state == ORDER_STATE_REJECTED || state == ORDER_STATE_EXPIRED ||
           state == ORDER_STATE_ABSENT;
}

static struct walk_order *some_order(struct walk *w)
{
    uint32_t kept = w->order_count < WALK_ORDERS ? w->order_count : WALK_ORDERS;
    bool any = one_in(w, 12);
    uint32_t start = (uint32_t)walk_draw(w, WALK_ORDERS);
    for (uint32_t i = 0; i < kept; i++) {
        struct walk_order *o = &w->order[(start + i) % kept];
        if (any || !is_over(o->state))
            return o;
    }
    return NULL;
}

static uint16_t make_sent(struct walk *w, struct fact_view *v)
{
    const struct walk_order *o = some_order(w);
    v->u.fact_sent = (struct fact_sent){.order = o ? o->id : 5,
                                        .attempt = 1,
                                        .what = one_in(w, 4) ? 2 + (uint32_t)walk_draw(w, 3) : 1,
                                        .is_cancel = one_in(w, 4)};
    return FACT_SENT;
}

static void make_fill(struct walk *w, const struct walk_order *o, struct fact_exec *e)
{
    int64_t left = o->qty - o->cum;
    e->kind = FACT_EXEC_TRADE;
    e->trade_id = ++w->rig->trade_id;
    e->last_qty = left <= 1 || one_in(w, 2) ? left : 1 + (int64_t)walk_draw(w, (uint64_t)left);
    if (left <= 0 || one_in(w, 80))
        e->last_qty = 1 + (int64_t)walk_draw(w, 50); /* more than there is */
    e->last_price = o->price + (int64_t)walk_draw(w, 101) - 50;
    e->last_price = e->last_price < 1 ? 1 : e->last_price;
    e->fee = (int64_t)walk_draw(w, 2000) - 500;
    e->liquidity = 1 + (uint32_t)walk_draw(w, 2);
}

static bool make_old_trade(struct walk *w, struct fact_exec *e)
{
    if (w->trade_count == 0)
        return false;
    uint32_t kept = w->trade_count < WALK_TRADES ? w->trade_count : WALK_TRADES;
    *e = w->trade[(w->trade_count - 1 - walk_draw(w, kept)) % WALK_TRADES];
    e->kind = one_in(w, 3) ? FACT_EXEC_BUST : FACT_EXEC_TRADE;
    return true;
}

static uint16_t make_exec(struct walk *w, struct fact_view *v)
{
    static const uint32_t kinds[] = {FACT_EXEC_NEW,
                                     FACT_EXEC_NEW,
                                     FACT_EXEC_REJECTED,
                                     FACT_EXEC_CANCELED,
                                     FACT_EXEC_CANCELED,
                                     FACT_EXEC_CANCEL_REJECT,
                                     FACT_EXEC_CANCEL_LATE,
                                     FACT_EXEC_EXPIRED,
                                     FACT_EXEC_VENUE_CANCEL,
                                     FACT_EXEC_STATUS,
                                     FACT_EXEC_STATUS,
                                     FACT_EXEC_STATUS,
                                     14};
    struct fact_exec *e = &v->u.fact_exec;
    struct walk_order *o = some_order(w);
    if (one_in(w, 25) && make_old_trade(w, e))
        return FACT_EXEC;
    struct walk_order nobody = {.side = 1 + (uint32_t)walk_draw(w, 2),
                                .qty = 20,
                                .account = 1,
                                .instrument = 1 + (uint32_t)walk_draw(w, 2),
                                .price = 1000000};
    if (one_in(w, 120))
        o = &nobody;
    if (o == NULL) /* nothing lives: an answer for an order that never was */
        *(o = &nobody) = (struct walk_order){.id = 3, .instrument = 1, .account = 1, .side = 1};
    *e = (struct fact_exec){.order = o->id,
                            .venue_order = o->id + 1,
                            .instrument = o->instrument,
                            .account = o->account,
                            .side = o->side};
    if ((o == &nobody && o->id == 0) || (o->id != 3 && one_in(w, 2))) {
        make_fill(w, o, e);
        w->trade[w->trade_count++ % WALK_TRADES] = *e;
    } else {
        e->kind = kinds[walk_draw(w, sizeof kinds / sizeof *kinds)];
        e->found = 1 + (uint32_t)walk_draw(w, 4);
        e->cum_qty = o->cum + (int64_t)one_in(w, 5);
        e->reason = one_in(w, 5) ? FACT_REJECT_DUPLICATE : FACT_REJECT_OTHER;
    }
    return FACT_EXEC;
}

static uint16_t make_found(struct walk *w, struct fact_view *v)
{
    for (uint32_t i = 0; i < WALK_TRADES; i++) {
        const struct fact_exec *e = &w->trade[i];
        if (w->lookup.trade_id == 0 || e->trade_id != w->lookup.trade_id)
            continue;
        v->u.fact_found = (struct fact_found){.order = e->order,
                                              .trade_id = e->trade_id,
                                              .booked = one_in(w, 3),
                                              .strategy = (uint32_t)walk_draw(w, 3),
                                              .instrument = e->instrument,
                                              .account = e->account,
                                              .side = e->side,
                                              .last_qty = e->last_qty,
                                              .last_price = e->last_price,
                                              .fee = e->fee};
    }
    w->lookup.trade_id = 0;
    return FACT_FOUND;
}

static uint16_t make_mode(struct walk *w, struct fact_view *v)
{
    struct fact_mode *m = &v->u.fact_mode;
    m->scope = 1 + (uint32_t)walk_draw(w, 3);
    m->id = m->scope == MODE_SCOPE_GLOBAL ? 0 : 1 + (uint32_t)walk_draw(w, 2);
    m->mode = walk_draw(w, 8) ? MODE_ACTIVE : one_in(w, 2) ? MODE_REDUCING : MODE_HALTED;
    if (walk_draw(w, 1000000) < w->kill_ppm * 50ull)
        m->mode = one_in(w, 2) ? MODE_KILLED : MODE_SAFE_LOSS;
    m->keep_positions = one_in(w, 2);
    return FACT_MODE;
}

static uint16_t make_control(struct walk *w, struct fact_view *v)
{
    struct fact_instrument *d = &v->u.fact_instrument;
    switch (walk_draw(w, 9)) {
    case 0:
    case 1:
        return make_mode(w, v);
    case 2:
        v->u.fact_clock = (struct fact_clock){(int64_t)walk_draw(w, 52000000)};
        return FACT_CLOCK;
    case 3:
        v->u.fact_session = (struct fact_session){1 + (uint32_t)walk_draw(w, 2), !one_in(w, 9)};
        return FACT_SESSION;
    case 4:
        v->u.fact_balance = (struct fact_balance){.account = 1 + (uint32_t)walk_draw(w, 3),
                                                  .amount = (int64_t)walk_draw(w, 2000) - 1000};
        return FACT_BALANCE;
    case 5:
        v->u.fact_limit = (struct fact_limit){.rule = RISK_MAX_QTY + (uint32_t)walk_draw(w, 6),
                                              .limit = (int64_t)walk_draw(w, 900000) + 4000,
                                              .strategy = (uint32_t)walk_draw(w, 3)};
        if (v->u.fact_limit.rule == RISK_MAX_VALUE)
            v->u.fact_limit.limit *= 10000000;
        return FACT_LIMIT;
    case 6:
        must(core_instrument(w->rig->core, (uint32_t)walk_draw(w, 2), d));
        d->lot = 1 + (int64_t)walk_draw(w, 3);
        d->tick = 1 + (int64_t)walk_draw(w, 9);
        return FACT_INSTRUMENT;
    case 7:
        if (!one_in(w, 3))
            return make_mode(w, v);
        v->u.fact_start = (struct fact_start){.epoch = ++w->epoch};
        return FACT_START;
    default:
        v->u.fact_plugin =
            (struct fact_plugin){.instance = 1 + (uint32_t)walk_draw(w, 2),
                                 .what = one_in(w, 9) ? FACT_PLUGIN_QUARANTINED : FACT_PLUGIN_WARM};
        return FACT_PLUGIN;
    }
}

static void fill_head(struct walk *w, struct fact_view *v, uint16_t type, int64_t t_ns)
{
    v->head.bytes = fact_bytes(type);
    v->head.seq = w->rig->seq + 1;
    v->head.t_ns = t_ns;
    v->head.type = type;
    v->head.version = fact_version(type);
}

void walk_next(struct walk *w, struct fact_view *v)
{
    memset(v, 0, sizeof *v);
    struct core_rig *r = w->rig;
    if (w->promote.one_in != 0 && promote_next(w, v)) {
        fill_head(w, v, v->head.type, r->t_ns + (int64_t)walk_draw(w, RIG_S / 50));
        return;
    }
    int64_t t = r->t_ns + (int64_t)walk_draw(w, one_in(w, 200) ? 90 * RIG_S : RIG_S / 3);
    uint16_t type;
    uint64_t draw = walk_draw(w, 100);
    int64_t due = core_deadline(r->core);
    if (draw < 15 || (due <= t && !one_in(w, 10))) {
        type = FACT_TICK;
        if (due <= t || (due != INT64_MAX && (due - t < 9 * RIG_S || one_in(w, 60))))
            t = due > r->t_ns ? due : r->t_ns; /* seldom so far that data gets old */
    } else if (draw < 40) {
        type = make_market(w, v);
    } else if (draw < 55) {
        type = make_signal(w, v);
    } else if (draw < 60 && w->lookup.trade_id != 0) {
        type = make_found(w, v);
    } else if (draw < 90) {
        type = one_in(w, 4) ? make_sent(w, v) : make_exec(w, v);
    } else if (draw < 92) {
        type = FACT_AUTO;
        v->u.fact_auto =
            (struct fact_auto){.strategy = (uint32_t)walk_draw(w, 3), .on = !one_in(w, 9)};
    } else {
        type = draw < 95 ? make_control(w, v) : make_market(w, v);
    }
    fill_head(w, v, type, t);
}

static void count_fill(struct walk *w, const struct fact_view *v)
{
    const struct fact_exec *e = &v->u.fact_exec;
    if (v->head.type != FACT_EXEC || rig_count(w->rig, FACT_POSITION) == 0)
        return;
    for (uint32_t i = 0; i < WALK_ORDERS; i++) {
        if (e->order != 0 && w->order[i].id == e->order)
            w->order[i].cum += e->kind == FACT_EXEC_BUST ? -e->last_qty : e->last_qty;
    }
}

void walk_step(struct walk *w, const struct fact_view *v)
{
    struct core_rig *r = w->rig;
    rig_at(r, v->head.t_ns);
    r->generation = v->head.generation;
    r->cause_seq = v->head.cause_seq;
    rig_step(r, v->head.type, &v->u);
    r->generation = 0;
    r->cause_seq = 0;
    count_fill(w, v);
    const struct fact_send *s;
    for (uint32_t i = 0; (s = rig_effect(r, FACT_SEND, i)) != NULL; i++)
        w->order[w->order_count++ % WALK_ORDERS] = (struct walk_order){.id = s->order,
                                                                       .side = s->side,
                                                                       .instrument = s->instrument,
                                                                       .account = s->account,
                                                                       .qty = s->qty,
                                                                       .price = s->price};
    const struct fact_order *o;
    for (uint32_t i = 0; (o = rig_effect(r, FACT_ORDER, i)) != NULL; i++) {
        for (uint32_t k = 0; k < WALK_ORDERS; k++)
            w->order[k].state = w->order[k].id == o->order ? o->to : w->order[k].state;
    }
    const struct fact_lookup *l = rig_effect(r, FACT_LOOKUP, 0);
    if (l != NULL)
        w->lookup = *l;
}
