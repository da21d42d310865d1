/* SPDX-License-Identifier: Apache-2.0
 *
 * See core_rig.h. Asserts with must(), so it serves tests and benches alike.
 */
#include "tests/lib/core_rig.h"
#include "base/must.h"
#include <stdlib.h>
#include <string.h>

void rig_open_bare(struct core_rig *r, const struct core_limits *l)
{
    memset(r, 0, sizeof *r);
    size_t bytes = (core_bytes(l) + 63) / 64 * 64;
    r->memory = aligned_alloc(64, bytes);
    must(r->memory != NULL);
    memset(r->memory, 0, bytes);
    r->core = core_init(r->memory, bytes, l);
    r->out.capacity = CORE_OUT_BYTES;
    r->out.bytes = aligned_alloc(64, CORE_OUT_BYTES);
    must(r->out.bytes != NULL);
    r->t_ns = RIG_T0;
}

void rig_close(struct core_rig *r)
{
    free(r->memory);
    free(r->out.bytes);
    memset(r, 0, sizeof *r);
}

void rig_step(struct core_rig *r, uint16_t type, const void *payload)
{
    struct fact_head head = {.bytes = fact_bytes(type),
                             .seq = ++r->seq,
                             .t_ns = r->t_ns,
                             .cause_seq = r->cause_seq,
                             .type = type,
                             .version = fact_version(type),
                             .generation = r->generation};
    core_step(r->core, &head, payload, &r->out);
    const struct fact_send *sent;
    for (uint32_t i = 0; (sent = rig_effect(r, FACT_SEND, i)) != NULL; i++)
        r->sends[r->send_count++ % RIG_SENDS] =
            (struct core_rig_send){sent->order, sent->side, sent->instrument, sent->account};
}

static struct core_rig_send sent_of(const struct core_rig *r, uint64_t order)
{
    for (uint32_t i = 0; order != 0 && i < RIG_SENDS; i++) {
        if (r->sends[i].order == order)
            return r->sends[i];
    }
    return (struct core_rig_send){order, TN_LONG, RIG_BTC, RIG_ACCOUNT};
}

void rig_at(struct core_rig *r, int64_t t_ns)
{
    must(t_ns >= r->t_ns);
    r->t_ns = t_ns;
}

void rig_tick(struct core_rig *r, int64_t t_ns)
{
    rig_at(r, t_ns);
    struct fact_tick e = {.why = 1};
    rig_step(r, FACT_TICK, &e);
}

static void define_instruments(struct core_rig *r)
{
    struct fact_instrument btc = {.id = RIG_BTC,
                                  .contract = FACT_LINEAR,
                                  .price_exp = -2,
                                  .qty_exp = -4,
                                  .tick = 1,
                                  .lot = 1,
                                  .min_qty = 1,
                                  .multiplier = 1,
                                  .settle = RIG_USD,
                                  .age_degraded_ns = 60 * RIG_S,
                                  .age_down_ns = 300 * RIG_S,
                                  .price_max = 100000000000,
                                  .symbol = "BTC-USD"};
    rig_step(r, FACT_INSTRUMENT, &btc);
    struct fact_instrument inv = btc;
    inv.id = RIG_INV;
    inv.contract = FACT_INVERSE;
    inv.qty_exp = 0;
    inv.multiplier = 100;
    memcpy(inv.symbol, "INV-PERP", 9);
    rig_step(r, FACT_INSTRUMENT, &inv);
}

void rig_configure(struct core_rig *r)
{
    struct fact_genesis g = {.seed = 1, .host = "rig"};
    rig_step(r, FACT_GENESIS, &g);
    struct fact_currency usd = {.id = RIG_USD, .exp = -8, .name = "USD"};
    rig_step(r, FACT_CURRENCY, &usd);
    struct fact_currency eur = {.id = RIG_EUR, .exp = -8, .name = "EUR"};
    rig_step(r, FACT_CURRENCY, &eur);
    define_instruments(r);
    struct fact_account acc = {.id = RIG_ACCOUNT,
                               .currency = RIG_USD,
                               .balance = 10000000000000,
                               .simulated = 1,
                               .name = "paper"};
    rig_step(r, FACT_ACCOUNT, &acc);
    struct fact_instance s1 = {.id = RIG_S1, .kind = TN_KIND_STRATEGY, .name = "s1"};
    rig_step(r, FACT_INSTANCE, &s1);
    struct fact_instance s2 = {.id = RIG_S2, .kind = TN_KIND_STRATEGY, .name = "s2"};
    rig_step(r, FACT_INSTANCE, &s2);
    struct fact_route route = {
        .strategy = RIG_S1, .instrument = RIG_BTC, .account = RIG_ACCOUNT, .budget = 1000000000000};
    rig_step(r, FACT_ROUTE, &route);
    rig_limit(r, RISK_MAX_QTY, 1000000);
    rig_limit(r, RISK_MAX_VALUE, 2000000000000);
    rig_limit(r, RISK_POSITION, 1000000);
    rig_limit(r, RISK_EXPOSURE, 500000);
}

void rig_start(struct core_rig *r, uint64_t epoch)
{
    struct fact_start start = {
        .epoch = epoch, .core_logic = FACT_CORE_LOGIC, .kind = FACT_RUN_PAPER};
    rig_step(r, FACT_START, &start);
}

void rig_open_sized(struct core_rig *r, const struct core_limits *l)
{
    rig_open_bare(r, l);
    rig_configure(r);
    rig_start(r, 1);
    rig_auto(r, true);
    rig_quote(r, RIG_BTC, 999900, 1000100);
}

void rig_open(struct core_rig *r)
{
    rig_open_sized(r, NULL);
}

void rig_quote(struct core_rig *r, uint32_t instrument, int64_t bid, int64_t ask)
{
    struct fact_quote q = {
        .instrument = instrument, .bid = bid, .bid_qty = 10000, .ask = ask, .ask_qty = 10000};
    rig_step(r, FACT_QUOTE, &q);
}

void rig_bar(struct core_rig *r, uint32_t instrument, int64_t o, int64_t h, int64_t l, int64_t c)
{
    struct fact_bar b = {.instrument = instrument,
                         .open_ns = r->t_ns - 60 * RIG_S,
                         .open = o,
                         .high = h,
                         .low = l,
                         .close = c,
                         .volume = 1000};
    rig_step(r, FACT_BAR, &b);
}

void rig_limit_of(struct core_rig *r, uint32_t rule, uint32_t instrument, uint32_t strategy,
                  int64_t limit)
{
    struct fact_limit l = {
        .rule = rule, .instrument = instrument, .strategy = strategy, .limit = limit};
    rig_step(r, FACT_LIMIT, &l);
}

void rig_limit(struct core_rig *r, uint32_t rule, int64_t limit)
{
    rig_limit_of(r, rule, 0, 0, limit);
}

void rig_route(struct core_rig *r, uint32_t strategy, uint32_t instrument, int64_t budget)
{
    struct fact_route e = {
        .strategy = strategy, .instrument = instrument, .account = RIG_ACCOUNT, .budget = budget};
    rig_step(r, FACT_ROUTE, &e);
}

void rig_auto(struct core_rig *r, bool on)
{
    struct fact_auto a = {.on = on, .by = "rig"};
    rig_step(r, FACT_AUTO, &a);
}

void rig_mode(struct core_rig *r, uint32_t scope, uint32_t id, uint32_t mode)
{
    struct fact_mode m = {.scope = scope, .id = id, .mode = mode, .by = "rig", .reason = "test"};
    rig_step(r, FACT_MODE, &m);
}

void rig_signal_full(struct core_rig *r, struct fact_signal s)
{
    if (s.instance == 0)
        s.instance = RIG_S1;
    if (s.instrument == 0)
        s.instrument = RIG_BTC;
    if (s.horizon_ns == 0)
        s.horizon_ns = RIG_S;
    rig_step(r, FACT_SIGNAL, &s);
}

void rig_signal(struct core_rig *r, uint32_t side, int32_t target_ppm)
{
    rig_signal_full(r, (struct fact_signal){
                           .side = side, .advice = TN_ADVICE_TARGET, .target_ppm = target_ppm});
}

void rig_sent(struct core_rig *r, uint64_t order, uint32_t what)
{
    struct fact_sent e = {.order = order, .attempt = 1, .what = what};
    rig_step(r, FACT_SENT, &e);
}

void rig_cancel_sent(struct core_rig *r, uint64_t order, uint32_t what)
{
    struct fact_sent e = {.order = order, .attempt = 1, .what = what, .is_cancel = 1};
    rig_step(r, FACT_SENT, &e);
}

void rig_exec_full(struct core_rig *r, struct fact_exec e)
{
    struct core_rig_send s = sent_of(r, e.order);
    e.venue_order = e.venue_order ? e.venue_order : e.order + 1;
    e.instrument = e.instrument ? e.instrument : s.instrument;
    e.account = e.account ? e.account : s.account;
    e.side = e.side ? e.side : s.side;
    rig_step(r, FACT_EXEC, &e);
}

void rig_exec(struct core_rig *r, uint64_t order, uint32_t kind)
{
    rig_exec_full(r, (struct fact_exec){.order = order, .kind = kind});
}

void rig_fill(struct core_rig *r, uint64_t order, int64_t qty, int64_t price)
{
    rig_exec_full(r, (struct fact_exec){.order = order,
                                        .trade_id = ++r->trade_id,
                                        .kind = FACT_EXEC_TRADE,
                                        .last_qty = qty,
                                        .last_price = price,
                                        .fee = 100,
                                        .liquidity = FACT_TAKER});
}

void rig_status(struct core_rig *r, uint64_t order, uint32_t found)
{
    rig_exec_full(r, (struct fact_exec){.order = order, .kind = FACT_EXEC_STATUS, .found = found});
}

uint64_t rig_working(struct core_rig *r, uint32_t side, int32_t target_ppm)
{
    rig_signal_full(r, (struct fact_signal){.side = side,
                                            .advice = TN_ADVICE_TARGET | TN_ADVICE_LIMIT,
                                            .target_ppm = target_ppm,
                                            .limit_offset = 1000});
    uint64_t id = rig_sent_order(r)->order;
    rig_sent(r, id, FACT_SENT_OK);
    rig_exec(r, id, FACT_EXEC_NEW);
    return id;
}

void rig_hold(struct core_rig *r, uint32_t side, int32_t target_ppm)
{
    rig_signal(r, side, target_ppm);
    const struct fact_send *s = rig_sent_order(r);
    rig_fill(r, s->order, s->qty, 1000000);
}

const void *rig_effect(const struct core_rig *r, uint16_t type, uint32_t n)
{
    const uint8_t *p = r->out.bytes;
    const uint8_t *end = p + r->out.used;
    while (p < end) {
        struct fact_head h;
        memcpy(&h, p, sizeof h);
        if (h.type == type && n-- == 0)
            return p + sizeof h;
        p += sizeof h + h.bytes;
    }
    return NULL;
}

uint32_t rig_count(const struct core_rig *r, uint16_t type)
{
    uint32_t n = 0;
    while (rig_effect(r, type, n) != NULL)
        n++;
    return n;
}

uint32_t rig_alerts(const struct core_rig *r, uint32_t what)
{
    uint32_t n = 0;
    const struct fact_alert *a;
    for (uint32_t i = 0; (a = rig_effect(r, FACT_ALERT, i)) != NULL; i++)
        n += a->what == what;
    return n;
}

uint32_t rig_ignored(const struct core_rig *r, uint32_t why)
{
    uint32_t n = 0;
    const struct fact_ignored *e;
    for (uint32_t i = 0; (e = rig_effect(r, FACT_IGNORED, i)) != NULL; i++)
        n += e->why == why;
    return n;
}

const struct fact_decision *rig_decision(const struct core_rig *r)
{
    must(rig_count(r, FACT_DECISION) == 1);
    return rig_effect(r, FACT_DECISION, 0);
}

const struct fact_send *rig_sent_order(const struct core_rig *r)
{
    must(rig_count(r, FACT_SEND) == 1);
    return rig_effect(r, FACT_SEND, 0);
}

uint32_t rig_state(const struct core_rig *r, uint64_t order)
{
    uint32_t state = 0;
    const struct fact_order *o;
    for (uint32_t i = 0; (o = rig_effect(r, FACT_ORDER, i)) != NULL; i++) {
        if (o->order == order)
            state = o->to;
    }
    return state;
}

struct core_position_view rig_book(const struct core_rig *r, uint32_t strategy, uint32_t instrument)
{
    struct core_position_view v;
    for (uint32_t i = 0; core_position(r->core, i, &v); i++) {
        if (v.strategy == strategy && v.instrument == instrument)
            return v;
    }
    return (struct core_position_view){0};
}

int64_t rig_position(const struct core_rig *r, uint32_t strategy, uint32_t instrument)
{
    return rig_book(r, strategy, instrument).qty;
}
