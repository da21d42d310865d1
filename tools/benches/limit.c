/* SPDX-License-Identifier: Apache-2.0
 *
 * Straight code, no calls but the two through pointers. Each record is written once, member by
 * member, where it stays; values are products of two 64-bit numbers that are known to fit.
 */
#include "limit.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

#define SECOND_NS 1000000000ll
#define NEVER INT64_MAX

/* ---- records ---- */

static inline void *put(struct limit *l, uint16_t type, uint32_t bytes)
{
    struct fact_head *h = (struct fact_head *)(void *)l->at;
    *h = (struct fact_head){.bytes = bytes,
                            .seq = l->seq,
                            .t_ns = l->t_ns,
                            .cause_seq = l->cause_seq,
                            .type = type,
                            .version = 1,
                            .sub = (uint16_t)l->sub++};
    l->at += sizeof *h + bytes;
    return h + 1;
}
#define PUT(l, NAME, payload) ((struct payload *)put((l), FACT_##NAME, sizeof(struct payload)))

static inline void begin(struct limit *l, uint64_t cause_seq)
{
    l->seq++;
    l->cause_seq = cause_seq;
    l->sub = 0;
    l->at = l->record;
}

static inline void end_event(struct limit *l)
{
    l->event_bytes = (uint32_t)(l->at - l->record);
}

/* ---- arithmetic ---- */

static inline int64_t magnitude(int64_t v)
{
    return v < 0 ? -v : v;
}

static inline int64_t ceil_div(int64_t a, int64_t b) /* a >= 0 */
{
    return (a + b - 1) / b;
}

static inline int64_t half_even(int64_t a, int64_t b)
{
    int64_t q = magnitude(a) / b, rest = magnitude(a) % b;
    q += rest * 2 > b || (rest * 2 == b && (q & 1));
    return a < 0 ? -q : q;
}

static inline int64_t worst(int64_t qty, int64_t buy, int64_t sell)
{
    int64_t up = magnitude(qty + buy), down = magnitude(qty - sell);
    return up > down ? up : down;
}

static inline int64_t value_of(const struct limit *l, int64_t price, int64_t qty)
{
    return ceil_div(price * qty * l->multiplier, l->scale);
}

static inline int64_t unrealised(const struct limit *l)
{
    if (l->qty == 0)
        return 0;
    int64_t v = l->mark * magnitude(l->qty) * l->multiplier;
    return half_even(l->qty > 0 ? v - l->cost : l->cost - v, l->scale);
}

/* ---- the gate ---- */

#define BINDS(id, name, code, unit, may_cut, closes, def, source, text)                            \
    | ((closes) ? 1u << ((id)-1) : 0u)
static const uint32_t binds_closes = 0 RISK_RULES(BINDS);

#define RULE(NAME, seen, bound_, pass)                                                             \
    do {                                                                                           \
        d->rule[RISK_##NAME - 1] = (struct fact_rule){(seen), (bound_)};                           \
        uint32_t bit = 1u << (RISK_##NAME - 1);                                                    \
        bool is_free = o->reducing && !(binds_closes & bit), ok = (pass);                          \
        d->result[RISK_##NAME] = is_free ? FACT_RULE_FREE : ok ? FACT_RULE_PASS : FACT_RULE_DENY;  \
        denied |= is_free || ok ? 0u : bit;                                                        \
    } while (0)

static inline uint32_t static_checks(const struct limit *l, const struct limit_order *o,
                                     struct fact_decision *d)
{
    uint32_t denied = 0;
    bool killed = l->mode == MODE_KILLED;
    bool routed = l->budget > 0;
    bool valid = o->qty > 0 && o->qty % l->lot == 0 && o->qty >= l->min_qty && o->price > 0 &&
                 o->price % l->tick == 0 && o->price <= l->price_max && l->session_open;
    int64_t skew = magnitude(l->clock_skew_ns);
    RULE(KILL, killed, 0, !killed);
    RULE(MODE, l->mode, MODE_ACTIVE, l->mode == MODE_ACTIVE);
    RULE(AUTO, l->auto_on, 1, l->auto_on);
    RULE(PERMISSION, routed, 1, routed);
    RULE(STATIC, valid, 1, valid);
    RULE(DATA, l->health, FACT_HEALTHY, l->health == FACT_HEALTHY);
    RULE(CLOCK, skew, l->bound[RISK_CLOCK], skew <= l->bound[RISK_CLOCK]);
    return denied;
}

static inline uint32_t money_checks(const struct limit *l, const struct limit_order *o,
                                    struct fact_decision *d)
{
    uint32_t denied = 0;
    int64_t equity = l->cash + unrealised(l) + l->realised - l->fees;
    int64_t value = value_of(l, o->price, o->qty);
    int64_t away = ceil_div(magnitude(o->price - l->mark) * TN_ONE_PPM, l->mark);
    int64_t buy = l->work_buy + (o->side == TN_LONG ? o->qty : 0);
    int64_t sell = l->work_sell + (o->side == TN_SHORT ? o->qty : 0);
    int64_t most = worst(l->qty, buy, sell);
    int64_t worth = value_of(l, l->mark, most);
    int64_t exposure = ceil_div(worth * TN_ONE_PPM, equity);
    int64_t gross = worth; /* of all instruments: there is one */
    int64_t leverage = ceil_div(gross * TN_ONE_PPM, equity);
    RULE(MAX_QTY, o->qty, l->bound[RISK_MAX_QTY], o->qty <= l->bound[RISK_MAX_QTY]);
    RULE(MAX_VALUE, value, l->bound[RISK_MAX_VALUE], value <= l->bound[RISK_MAX_VALUE]);
    RULE(COLLAR, away, l->bound[RISK_COLLAR], away <= l->bound[RISK_COLLAR]);
    RULE(POSITION, most, l->bound[RISK_POSITION], most <= l->bound[RISK_POSITION]);
    RULE(EXPOSURE, exposure, l->bound[RISK_EXPOSURE],
         equity > 0 && exposure <= l->bound[RISK_EXPOSURE]);
    RULE(LEVERAGE, leverage, l->bound[RISK_LEVERAGE],
         equity > 0 && leverage <= l->bound[RISK_LEVERAGE]);
    return denied;
}

static inline uint32_t rate_checks(const struct limit *l, const struct limit_order *o,
                                   struct fact_decision *d)
{
    uint32_t denied = 0;
    bool same = l->last_ns != 0 && l->t_ns - l->last_ns < SECOND_NS && l->last_side == o->side &&
                l->last_qty == o->qty && l->last_price == o->price &&
                l->last_reducing == o->reducing;
    bool seen = false;
    for (uint32_t i = 0; i < l->live_orders; i++)
        seen |= l->order[i].id == o->id;
    int64_t open = l->live_orders + 1;
    int64_t messages = l->message_second == l->t_ns / SECOND_NS ? l->messages + 1 : 1;
    int64_t most = o->reducing ? l->bound[RISK_MESSAGES] : l->bound[RISK_MESSAGES] * 80 / 100;
    RULE(RATE, 0, 0, true);
    RULE(DUPLICATE, same || seen, 0, !same && !seen);
    RULE(OPEN_ORDERS, open, l->bound[RISK_OPEN_ORDERS], open <= l->bound[RISK_OPEN_ORDERS]);
    RULE(MESSAGES, messages, most, messages <= most);
    return denied;
}

static inline bool decide(struct limit *l, const struct limit_order *o)
{
    struct fact_decision *d = PUT(l, DECISION, fact_decision);
    memset(d->result, 0, sizeof d->result);
    uint32_t denied = static_checks(l, o, d) | money_checks(l, o, d) | rate_checks(l, o, d);
    d->intent = o->id;
    d->strategy = d->instrument = d->account = 1;
    d->approved = denied == 0;
    d->asked = o->qty;
    d->granted = denied == 0 ? o->qty : 0;
    d->price = o->price;
    d->reference = l->mark;
    d->side = o->side;
    d->denied_by = denied;
    d->cut_by = 0;
    d->reducing = o->reducing;
    d->serial = l->serial;
    l->last_side = o->side;
    l->last_qty = o->qty;
    l->last_price = o->price;
    l->last_reducing = o->reducing;
    l->last_ns = l->t_ns;
    return denied == 0;
}

/* ---- orders ---- */

static inline void moved(struct limit *l, const struct limit_order *o, uint32_t from, uint32_t to,
                         uint32_t event, int64_t cum)
{
    *PUT(l, ORDER, fact_order) =
        (struct fact_order){.order = o->id,
                            .from = from,
                            .to = to,
                            .event = event,
                            .strategy = 1,
                            .instrument = 1,
                            .account = 1,
                            .qty = o->qty,
                            .cum = cum,
                            .leaves = to == ORDER_STATE_FILLED ? 0 : o->qty - cum};
}

static inline uint32_t put32(char *out, uint32_t at, uint64_t v)
{
    static const char digit[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint32_t count = v == 0 ? 1 : (68 - (uint32_t)__builtin_clzll(v)) / 5;
    for (uint32_t i = count; i-- > 0; v >>= 5)
        out[at + i] = digit[v & 31];
    return at + count;
}

static inline void name_order(const struct limit *l, uint64_t order, char out[FACT_NAME_BYTES])
{
    memset(out, 0, FACT_NAME_BYTES);
    out[0] = 'T';
    uint32_t at = put32(out, 1, l->epoch);
    out[at++] = '-';
    at = put32(out, at, order);
    out[at++] = '-';
    (void)put32(out, at, 1);
}

static inline void send(struct limit *l, const struct limit_order *o)
{
    int64_t working = o->side == TN_SHORT ? l->work_sell : l->work_buy;
    bool shrinks = o->reducing && working <= (o->side == TN_SHORT ? l->qty : -l->qty);
    struct fact_send *s = PUT(l, SEND, fact_send);
    s->order = o->id;
    s->attempt = s->account = s->instrument = 1;
    s->side = o->side;
    s->tif = FACT_IOC;
    s->reduce_only = shrinks;
    s->qty = o->qty;
    s->price = o->price;
    name_order(l, o->id, s->client_id);
    int64_t second = l->t_ns / SECOND_NS;
    l->messages = l->message_second == second ? l->messages + 1 : 1;
    l->message_second = second;
    l->adapter(l->adapter_arg, s);
}

static inline void place(struct limit *l, int64_t delta, uint32_t leg, uint64_t signal_seq)
{
    uint32_t side = delta > 0 ? TN_LONG : TN_SHORT;
    int64_t free_qty = delta < 0 ? l->qty - l->work_sell : -l->qty - l->work_buy;
    int64_t slip = l->mark * JOB_SLIP_PPM / TN_ONE_PPM;
    int64_t price = side == TN_LONG ? l->mark + slip : l->mark - slip;
    price = (side == TN_LONG ? price : price + l->tick - 1) / l->tick * l->tick;
    struct limit_order o = {.id = l->seq << JOB_INTENT_SHIFT | leg,
                            .qty = magnitude(delta) / l->lot * l->lot,
                            .price = price,
                            .side = side,
                            .reducing = free_qty > 0 && magnitude(delta) <= free_qty};
    *PUT(l, INTENT, fact_intent) = (struct fact_intent){.intent = o.id,
                                                        .strategy = 1,
                                                        .instrument = 1,
                                                        .account = 1,
                                                        .side = side,
                                                        .origin = FACT_ORIGIN_SIGNAL,
                                                        .reducing = o.reducing,
                                                        .tif = FACT_IOC,
                                                        .leg = leg,
                                                        .qty = o.qty,
                                                        .price = o.price,
                                                        .reference = l->mark,
                                                        .ttl_ns = NEVER,
                                                        .signal_seq = signal_seq};
    if (!decide(l, &o)) {
        l->denials++;
        return;
    }
    l->order[l->live_orders++] = o;
    if (side == TN_LONG)
        l->work_buy += o.qty;
    else
        l->work_sell += o.qty;
    moved(l, &o, ORDER_STATE_INTENT, ORDER_STATE_APPROVED, ORDER_EVENT_APPROVE, 0);
    moved(l, &o, ORDER_STATE_APPROVED, ORDER_STATE_SENDING, ORDER_EVENT_SEND, 0);
    send(l, &o);
}

/* ---- belief in, orders out ---- */

static inline void signal(struct limit *l, const struct limit_wish *w, int64_t horizon_ns)
{
    begin(l, l->seq);
    struct fact_signal *f = PUT(l, SIGNAL, fact_signal);
    *f = (struct fact_signal){.instance = 1,
                              .instrument = 1,
                              .side = w->side,
                              .advice = TN_ADVICE_TARGET,
                              .score_ppm = w->score_ppm,
                              .confidence_ppm = TN_ONE_PPM,
                              .horizon_ns = horizon_ns,
                              .target_ppm = w->target_ppm,
                              .reason_count = 1,
                              .plugin_hash = l->plugin_hash};
    f->reason[0].input = TN_REASON_BASE;
    f->reason[0].contribution_ppm = w->score_ppm;
    memcpy(&f->reason[0].value_bits, &w->value, sizeof w->value);
    end_event(l);
    int64_t amount = l->budget * w->target_ppm / TN_ONE_PPM;
    int64_t lots = amount * l->scale / (l->mark * l->multiplier) / l->lot * l->lot;
    l->target = w->side == TN_LONG ? lots : -lots;
    int64_t delta = l->target - l->qty - (l->work_buy - l->work_sell);
    if (magnitude(delta) < l->lot || l->live_orders > 0)
        return;
    bool through_zero = l->qty != 0 && (l->qty > 0) != (l->target > 0);
    if (through_zero) {
        place(l, -l->qty, 0, l->seq);
        place(l, l->target, 1, l->seq);
    } else {
        place(l, l->target - l->qty, 0, l->seq);
    }
}

void limit_quote(struct limit *l, const struct fact_quote *q)
{
    l->t_ns += JOB_QUOTE_NS;
    begin(l, 0);
    *PUT(l, QUOTE, fact_quote) = *q;
    end_event(l);
    if (q->bid <= 0 || q->ask <= q->bid || q->ask > l->price_max || q->bid_qty < 0 ||
        q->ask_qty < 0)
        return;
    l->quote_no = q->quote_no;
    l->bid = q->bid;
    l->bid_qty = q->bid_qty;
    l->ask = q->ask;
    l->ask_qty = q->ask_qty;
    l->mark = q->bid + (q->ask - q->bid) / 2;
    l->data_ns = l->t_ns;
    struct limit_wish w;
    l->on_quote(&l->flip, q->bid, q->ask, &w);
    if (w.side != 0)
        signal(l, &w, 60000000000ll);
}

void limit_bar(struct limit *l, const struct job_bar *b)
{
    l->t_ns = b->end_ns;
    begin(l, 0);
    *PUT(l, BAR, fact_bar) = b->fact;
    end_event(l);
    const struct fact_bar *f = &b->fact;
    if (f->low <= 0 || f->high > l->price_max || f->low > f->open || f->low > f->close ||
        f->high < f->open || f->high < f->close || f->volume < 0)
        return;
    l->last = l->mark = f->close;
    l->data_ns = l->t_ns;
    struct limit_wish w;
    l->on_bar(&l->cross, f->close, &w);
    if (w.side != 0)
        signal(l, &w, JOB_BAR_NS);
}

/* ---- fills ---- */

static void book(struct limit *l, int64_t signed_qty, int64_t price)
{
    int64_t qty = magnitude(signed_qty);
    if (l->qty != 0 && (l->qty > 0) != (signed_qty > 0)) {
        int64_t v = price * qty * l->multiplier; /* never more than is held: closes go first */
        int64_t held = magnitude(l->qty);
        __int128 part = (__int128)l->cost * qty;
        int64_t taken = (int64_t)(part / held), rest = (int64_t)(part % held);
        taken += rest * 2 > held || (rest * 2 == held && (taken & 1));
        l->realised += half_even(l->qty > 0 ? v - taken : taken - v, l->scale);
        l->cost -= taken;
    } else {
        l->cost += price * qty * l->multiplier;
    }
    l->qty += signed_qty;
}

static void fill_one(struct limit *l, const struct limit_order *o, int64_t price, int64_t fee)
{
    uint64_t cause = o->id >> JOB_INTENT_SHIFT;
    struct fact_exec e = {.order = o->id,
                          .venue_order = ++l->venue_order,
                          .kind = FACT_EXEC_NEW,
                          .instrument = 1,
                          .account = 1,
                          .side = o->side,
                          .leaves_qty = o->qty,
                          .venue_ns = l->t_ns};
    begin(l, cause);
    *PUT(l, SENT, fact_sent) =
        (struct fact_sent){.order = o->id, .attempt = 1, .what = FACT_SENT_OK};
    begin(l, cause);
    *PUT(l, EXEC, fact_exec) = e;
    moved(l, o, ORDER_STATE_SENDING, ORDER_STATE_WORKING, ORDER_EVENT_ACK, 0);
    begin(l, cause);
    e.kind = FACT_EXEC_TRADE;
    e.trade_id = ++l->trade_id;
    e.last_qty = e.cum_qty = o->qty;
    e.last_price = price;
    e.leaves_qty = 0;
    e.fee = fee;
    e.liquidity = FACT_TAKER;
    *PUT(l, EXEC, fact_exec) = e;
    end_event(l);
    moved(l, o, ORDER_STATE_WORKING, ORDER_STATE_FILLED, ORDER_EVENT_FILL_LAST, o->qty);
    if (o->side == TN_LONG)
        l->work_buy -= o->qty;
    else
        l->work_sell -= o->qty;
    book(l, o->side == TN_LONG ? o->qty : -o->qty, price);
    l->fees += fee;
    *PUT(l, POSITION, fact_position) = (struct fact_position){
        .strategy = 1,
        .instrument = 1,
        .account = 1,
        .settle = 1,
        .qty = l->qty,
        .avg_price = l->qty ? half_even(l->cost, magnitude(l->qty) * l->multiplier) : 0,
        .realised = l->realised,
        .fees = l->fees,
        .net = l->qty,
        .order = o->id,
        .trade_id = e.trade_id};
}

void limit_fill(struct limit *l, int64_t price, int64_t fee_ppm)
{
    uint32_t count = l->live_orders;
    l->sent_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct limit_order o = l->order[i];
        l->live_orders--;
        fill_one(l, &o, price, ceil_div(value_of(l, price, o.qty) * fee_ppm, TN_ONE_PPM));
    }
}

/* ---- cold ---- */

static void __attribute__((noinline)) keep(void *arg, const struct fact_send *s)
{
    struct limit *l = arg;
    must(l->sent_count < LIMIT_ORDERS_MAX);
    l->sent[l->sent_count++] = *s;
}

static void configure(struct limit *l)
{
    static const int64_t bound[RISK_RULE_END] = {
#define X(id, name, code, unit, may_cut, closes, def, source, text) [id] = (def),
        RISK_RULES(X)
#undef X
    };
    memcpy(l->bound, bound, sizeof bound);
    l->bound[RISK_MAX_QTY] = JOB_MAX_QTY;
    l->bound[RISK_MAX_VALUE] = JOB_MAX_VALUE;
    l->bound[RISK_POSITION] = JOB_MAX_POSITION;
    l->bound[RISK_EXPOSURE] = JOB_MAX_EXPOSURE_PPM;
    l->tick = JOB_TICK;
    l->lot = JOB_LOT;
    l->min_qty = JOB_MIN_QTY;
    l->multiplier = JOB_MULTIPLIER;
    l->budget = JOB_BUDGET;
    l->cash = JOB_BALANCE;
    l->price_max = 100000000;
    l->scale = 1000; /* price and quantity have five decimals together, money two */
    l->epoch = 1;
    l->mode = MODE_ACTIVE;
    l->health = FACT_HEALTHY;
    l->session_open = 1;
    l->t_ns = JOB_T0_NS;
}

void limit_open(struct limit *l, uint64_t plugin_hash, uint64_t seq, bool auto_on)
{
    memset(l, 0, sizeof *l);
    void *so = dlopen(TENON_BENCH_DIR "/limit.so", RTLD_NOW | RTLD_LOCAL);
    must(so != NULL);
    *(void **)&l->on_quote = dlsym(so, "limit_on_quote");
    *(void **)&l->on_bar = dlsym(so, "limit_on_bar");
    must(l->on_quote != NULL && l->on_bar != NULL);
    configure(l);
    l->auto_on = auto_on;
    l->plugin_hash = plugin_hash;
    l->seq = seq;
    l->flip = (struct limit_flip){.large_ppm = JOB_LARGE_PPM, .small_ppm = JOB_SMALL_PPM};
    l->cross = (struct limit_cross){.fast_k = 2.0 / (JOB_FAST + 1),
                                    .slow_k = 2.0 / (JOB_SLOW + 1),
                                    .slow_bars = JOB_SLOW,
                                    .target_ppm = JOB_TARGET_PPM};
    l->record = aligned_alloc(64, LIMIT_RECORD_BYTES);
    must(l->record != NULL);
    memset(l->record, 0, LIMIT_RECORD_BYTES);
    l->adapter = keep;
    l->adapter_arg = l;
}

void limit_close(struct limit *l)
{
    free(l->record);
}
