/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate: yes, less, or no to one intent, with every rule's figure and limit.
 *
 * Each row of tbl/risk_rules.h has one function here; the table is expanded into a straight line
 * of calls, so a new row without its function does not compile and no pointer is followed. All
 * rules are evaluated, also after a denial. A rule that does not bind closes is still measured for
 * them and marked FREE. A rule that may cut says how much it would allow; the smallest allowance,
 * in lots, is what is granted, and if that is less than the instrument's minimum the cut becomes a
 * denial. The same record serves approval and denial.
 *
 * Most intents pass every rule that binds, so that case is straight: figures and limits are
 * written, one bit each says what failed, and the results are one of two constant rows. What a
 * rule would allow, and which bit means what, is only asked when a bit is set.
 */
#include "core/state.h"

#define DUPLICATE_NS CORE_SECOND_NS
#define DUPLICATE_WINDOW_NS (60 * CORE_SECOND_NS)
/* FLATTEN_COLLAR_PPM is the widest step of a price-protected flatten (plan.c). */
enum { DUPLICATES_MAX = 3, RESERVE_PERCENT = 20, FLATTEN_COLLAR_PPM = 30000 };

struct gate {
    struct core *c;
    const struct risk_ask *ask;
    const struct book_row *b;
    const struct market_row *m;
    const struct account_row *a;
    const int64_t *limit; /* effective, by rule */
    enum mode mode;
    bool money_ok; /* value, equity and rate are known */
    int64_t value; /* of the order, account currency */
    int64_t equity;
    int64_t rate_age_ns;
    int64_t exposed;       /* worst side of the venue's net with this order */
    int64_t exposed_value; /* of it at the mark, account currency */
    int64_t exposed_ppm;   /* of it as part of equity */
    int64_t gross;         /* all the account holds, with this order, at the marks */
    int64_t gross_ppm;
    bool exposed_ok, gross_ok; /* the part of equity is known */
    bool own_money;            /* settled in the account's own currency */
};

struct ruling {
    int64_t observed;
    int64_t limit;
    bool pass;
};

/* Inlined into evaluate, which is their straight line. */
#define RULING static inline __attribute__((always_inline)) struct ruling

static inline struct ruling flag(bool pass)
{
    return (struct ruling){.observed = pass ? 1 : 0, .limit = 1, .pass = pass};
}

static struct result __attribute__((noinline))
worth_wide(const struct gate *g, const struct market_row *m, int64_t qty, int64_t price,
           int64_t *out)
{
    num_i128 v;
    int64_t settle, age;
    TRY(money_value(g->c, m, price, num_abs(qty), &v));
    TRY(money_settle(g->c, m, v, NUM_CEIL, &settle));
    return money_convert(g->c, m->def.settle, g->a->def.currency, settle, out, &age);
}

static inline struct result worth(const struct gate *g, const struct market_row *m, int64_t qty,
                                  int64_t price, int64_t *out)
{
    if (price <= 0) /* no mark: unknown is not nothing */
        return RESULT_OF(AGAIN);
    int64_t quick;
    if (m->def.settle != g->a->def.currency || !money_quick(g->c, m, price, num_abs(qty), &quick))
        return worth_wide(g, m, qty, price, out);
    must(price >= 0);
    *out = quick_round(quick, g->c->scale[m->def.id], NUM_CEIL);
    return OK_RESULT;
}

/* a - b, stopped at the ends: allowances are only compared with quantities. */
static int64_t less(int64_t a, int64_t b)
{
    int64_t d;
    if (is_ok(quick_sub(a, b, &d)))
        return d;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

static struct result to_ppm(int64_t part, int64_t whole, int64_t *ppm)
{
    if (whole <= 0)
        return RESULT_OF(RANGE);
    return quick_muldiv(part, TN_ONE_PPM, whole, NUM_CEIL, ppm);
}

/* Worst side of a net with its working orders and, for one side, `qty` more. */
static int64_t worst(const struct net_row *n, uint32_t side, int64_t qty)
{
    int64_t up = n->qty + n->work_buy + (side == TN_LONG ? qty : 0);
    int64_t down = n->qty - n->work_sell - (side == TN_SHORT ? qty : 0);
    int64_t u = num_abs(up), d = num_abs(down);
    return u > d ? u : d;
}

static struct result __attribute__((noinline)) lot_worth(const struct gate *g, int64_t *value)
{
    return worth(g, g->m, g->m->def.lot, g->m->mark > 0 ? g->m->mark : g->ask->price, value);
}

/* Does a lot's worth surely fit? Then it need not be worked out before it is asked for. */
static inline bool lot_is_quick(const struct gate *g)
{
    int64_t unused;
    return g->m->def.settle == g->a->def.currency && g->m->mark > 0 &&
           money_quick(g->c, g->m, g->m->mark, g->m->def.lot, &unused);
}

/* How many lots' worth of `room` (account currency) is left, as a quantity. */
static int64_t quantity_for(const struct gate *g, int64_t room)
{
    int64_t lots, one, qty;
    if (room <= 0 || !is_ok(lot_worth(g, &one)) || one <= 0)
        return 0;
    lots = room / one;
    return is_ok(num_mul(lots, g->m->def.lot, &qty)) ? qty : g->ask->qty;
}

RULING rule_KILL(const struct gate *g)
{
    bool killed = g->mode == MODE_KILLED;
    return (struct ruling){.observed = killed, .limit = 0, .pass = !killed};
}

RULING rule_MODE(const struct gate *g)
{
    bool pass = g->mode == MODE_ACTIVE || mode_allows(g->mode, g->ask->reducing, g->ask->origin);
    int64_t would_pass = g->ask->reducing ? MODE_REDUCING : MODE_ACTIVE;
    return (struct ruling){
        .observed = g->mode, .limit = pass ? (int64_t)g->mode : would_pass, .pass = pass};
}

RULING rule_AUTO(const struct gate *g)
{
    bool by_belief = g->ask->origin == FACT_ORIGIN_SIGNAL;
    return flag(!by_belief || mode_is_auto(g->c, g->b->strategy));
}

RULING rule_PERMISSION(const struct gate *g)
{
    bool routed = g->b->strategy != 0 && g->b->budget > 0;
    return flag(routed || g->ask->origin == FACT_ORIGIN_KILL ||
                g->ask->origin == FACT_ORIGIN_REMOVE);
}

RULING rule_STATIC(const struct gate *g)
{
    const struct fact_instrument *d = &g->m->def;
    const struct risk_ask *k = g->ask;
    bool on_grid =
        (d->lot == 1 || k->qty % d->lot == 0) && (d->tick == 1 || k->price % d->tick == 0);
    bool ok = k->qty > 0 && on_grid && k->qty >= d->min_qty && k->price > 0 &&
              (d->price_max == 0 || k->price <= d->price_max) && g->m->session_open != 0;
    return flag(ok);
}

RULING rule_DATA(const struct gate *g)
{
    return (struct ruling){
        .observed = g->m->health, .limit = FACT_HEALTHY, .pass = g->m->health == FACT_HEALTHY};
}

RULING rule_CLOCK(const struct gate *g)
{
    int64_t skew = num_abs(g->c->clock_skew_ns);
    return (struct ruling){
        .observed = skew, .limit = g->limit[RISK_CLOCK], .pass = skew <= g->limit[RISK_CLOCK]};
}

RULING rule_MAX_QTY(const struct gate *g)
{
    int64_t l = g->limit[RISK_MAX_QTY];
    return (struct ruling){.observed = g->ask->qty, .limit = l, .pass = g->ask->qty <= l};
}

RULING rule_MAX_VALUE(const struct gate *g)
{
    int64_t l = g->limit[RISK_MAX_VALUE];
    if (!g->money_ok)
        return (struct ruling){.observed = INT64_MAX, .limit = l};
    return (struct ruling){.observed = g->value, .limit = l, .pass = g->value <= l};
}

/* The host's own close, made again until the position is flat. */
static bool flattens(const struct risk_ask *k)
{
    return k->origin == FACT_ORIGIN_KILL || k->origin == FACT_ORIGIN_STOP ||
           k->origin == FACT_ORIGIN_REMOVE;
}

RULING rule_COLLAR(const struct gate *g)
{
    int64_t ref = g->ask->reference, l = g->limit[RISK_COLLAR], ppm;
    if (flattens(g->ask) && l < FLATTEN_COLLAR_PPM)
        l = FLATTEN_COLLAR_PPM;
    if (ref <= 0 || !is_ok(to_ppm(num_abs(g->ask->price - ref), ref, &ppm)))
        return (struct ruling){.observed = INT64_MAX, .limit = l}; /* no reference = block */
    return (struct ruling){.observed = ppm, .limit = l, .pass = ppm <= l};
}

RULING rule_POSITION(const struct gate *g)
{
    struct net_row n = {g->b->qty, g->b->work_buy, g->b->work_sell};
    int64_t l = g->limit[RISK_POSITION];
    int64_t w = worst(&n, g->ask->side, g->ask->qty);
    return (struct ruling){.observed = w, .limit = l, .pass = w <= l};
}

RULING rule_EXPOSURE(const struct gate *g)
{
    int64_t l = g->limit[RISK_EXPOSURE], ppm = g->exposed_ppm;
    if (!g->exposed_ok)
        return (struct ruling){.observed = INT64_MAX, .limit = l};
    return (struct ruling){.observed = ppm, .limit = l, .pass = ppm <= l};
}

RULING rule_LEVERAGE(const struct gate *g)
{
    int64_t l = g->limit[RISK_LEVERAGE], ppm = g->gross_ppm;
    if (!g->gross_ok)
        return (struct ruling){.observed = INT64_MAX, .limit = l};
    return (struct ruling){.observed = ppm, .limit = l, .pass = ppm <= l};
}

RULING rule_RATE(const struct gate *g)
{
    int64_t age = g->rate_age_ns;
    int64_t l = 0;
    if (!g->own_money)
        l = money_rate_age_max(g->c, g->m->def.settle, g->a->def.currency);
    if (!g->money_ok && age <= l)
        age = CORE_NEVER; /* another rate that the account's equity needs */
    return (struct ruling){.observed = age, .limit = l, .pass = age <= l};
}

RULING rule_DUPLICATE(const struct gate *g)
{
    const struct book_row *b = g->b;
    const struct risk_ask *k = g->ask;
    bool same = !flattens(k) && b->last_ns != 0 && g->c->now_ns - b->last_ns < DUPLICATE_NS &&
                b->last_side == k->side && b->last_qty == k->qty && b->last_price == k->price &&
                b->last_reducing == (k->reducing ? 1u : 0u);
    bool seen = oms_seen(g->c, k->intent);
    return (struct ruling){.observed = same || seen, .limit = 0, .pass = !same && !seen};
}

RULING rule_OPEN_ORDERS(const struct gate *g)
{
    int64_t n = g->c->instance[g->b->strategy].live_orders + 1ll;
    int64_t l = g->limit[RISK_OPEN_ORDERS];
    bool room = oms_has_room(g->c);
    return (struct ruling){.observed = n, .limit = l, .pass = n <= l && room};
}

RULING rule_MESSAGES(const struct gate *g)
{
    int64_t second = g->c->now_ns / CORE_SECOND_NS;
    int64_t n = g->a->message_second == second ? (int64_t)g->a->message_count + 1 : 1;
    int64_t l = g->limit[RISK_MESSAGES];
    if (!g->ask->reducing)
        l = l / 100 * (100 - RESERVE_PERCENT) + l % 100 * (100 - RESERVE_PERCENT) / 100;
    return (struct ruling){.observed = n, .limit = l, .pass = n <= l};
}

/* What the account holds of all other instruments, worst sides at their marks, on top of *gross. */
static bool add_others(const struct gate *g, int64_t *gross)
{
    const struct core *c = g->c;
    int64_t value;
    bool ok = true;
    for (uint32_t i = 1; ok && i <= c->max.instruments && c->market[i].def.id != 0; i++) {
        const struct net_row *n = net_of(c, g->b->account, i);
        if (i == g->b->instrument || (n->qty == 0 && n->work_buy == 0 && n->work_sell == 0))
            continue;
        ok = is_ok(worth(g, &c->market[i], worst(n, 0, 0), c->market[i].mark, &value)) &&
             is_ok(quick_add(*gross, value, gross));
    }
    return ok;
}

/* The venue's net of the instrument with this order, and of all instruments, as parts of equity. */
static void expose(struct gate *g)
{
    const struct net_row *n = net_of(g->c, g->b->account, g->b->instrument);
    g->exposed = worst(n, g->ask->side, g->ask->qty);
    g->exposed_ok = g->gross_ok = false;
    if (!g->money_ok || !is_ok(worth(g, g->m, g->exposed, g->m->mark, &g->exposed_value)))
        return;
    g->exposed_ok = is_ok(to_ppm(g->exposed_value, g->equity, &g->exposed_ppm));
    g->gross = g->exposed_value;
    if (!add_others(g, &g->gross))
        return;
    if (g->gross == g->exposed_value) { /* nothing else is held: the same part of equity */
        g->gross_ok = g->exposed_ok;
        g->gross_ppm = g->exposed_ppm;
    } else {
        g->gross_ok = is_ok(to_ppm(g->gross, g->equity, &g->gross_ppm));
    }
}

static void weigh(struct gate *g)
{
    struct core *c = g->c;
    int64_t unused, age = 0;
    struct result r = worth(g, g->m, g->ask->qty, g->ask->price, &g->value);
    if (is_ok(r) && !lot_is_quick(g))
        r = lot_worth(g, &unused);
    if (is_ok(r))
        r = money_equity(c, g->b->account, &g->equity, &unused, &unused, &unused);
    g->money_ok = is_ok(r);
    expose(g);
    g->own_money = g->m->def.settle == g->a->def.currency;
    if (!g->own_money)
        (void)!is_ok(money_convert(c, g->m->def.settle, g->a->def.currency, 1, &unused, &age));
    g->rate_age_ns = age;
}

/* Quantity that a rule which may cut would let pass; asked when it does not pass. */
static int64_t allowance(const struct gate *g, uint32_t rule)
{
    int64_t l = g->limit[rule], cap;
    struct result r = num_muldiv(g->equity, l, TN_ONE_PPM, NUM_TOWARD_ZERO, &cap);
    switch (rule) {
    case RISK_MAX_QTY:
        return l;
    case RISK_MAX_VALUE:
        return g->money_ok ? quantity_for(g, l) : 0;
    case RISK_POSITION:
        return less(l, g->ask->side == TN_LONG ? g->b->qty + g->b->work_buy
                                               : g->b->work_sell - g->b->qty);
    case RISK_EXPOSURE:
        return g->exposed_ok && is_ok(r) ? less(quantity_for(g, cap), g->exposed - g->ask->qty) : 0;
    case RISK_LEVERAGE:
        return g->gross_ok && is_ok(r)
                   ? less(g->ask->qty - g->m->def.lot, quantity_for(g, g->gross - cap))
                   : 0;
    default:
        must(!"a rule that may cut says how much");
        return 0;
    }
}

/* Do the rules that would cut let `qty` pass? */
static bool fits(const struct gate *g, uint32_t would_cut, int64_t qty)
{
    struct risk_ask ask = *g->ask;
    struct gate h = *g;
    ask.qty = qty;
    h.ask = &ask;
    h.money_ok = g->money_ok && is_ok(worth(g, g->m, qty, ask.price, &h.value));
    expose(&h);
#define X(id, name, code, unit, may_cut, closes, def, source, text)                                \
    if ((would_cut & 1u << ((id)-1)) && !rule_##name(&h).pass)                                     \
        return false;
    RISK_RULES(X)
#undef X
    return true;
}

/* The allowances are estimates (a lot's value is rounded up, the other side may be the worse one),
 * so what they give is tried; if it is too much, the most lots below that fit are looked for. */
static int64_t most_that_fits(const struct gate *g, uint32_t would_cut, int64_t qty)
{
    int64_t lot = g->m->def.lot;
    int64_t low = 0, high = qty / lot;
    if (high == 0 || fits(g, would_cut, qty))
        return qty;
    while (low + 1 < high) { /* low fits or is none, high does not */
        int64_t middle = low + (high - low) / 2;
        if (fits(g, would_cut, middle * lot))
            low = middle;
        else
            high = middle;
    }
    return low * lot;
}

/* Smallest allowance of the rules that would cut, on the lot grid; asked when none would. */
static int64_t cut(const struct gate *g, struct fact_decision *d, uint32_t would_cut,
                   const int64_t *allow)
{
    int64_t granted = g->ask->qty;
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        if ((would_cut & 1u << (r - 1)) && allow[r] < granted)
            granted = allow[r];
    }
    if (granted < 0 || !is_ok(quick_to_step(granted, g->m->def.lot, NUM_TOWARD_ZERO, &granted)))
        granted = 0;
    if (would_cut != 0)
        granted = most_that_fits(g, would_cut, granted);
    if (granted < g->m->def.min_qty || granted < g->m->def.lot)
        granted = 0;
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        if ((would_cut & 1u << (r - 1)) == 0)
            continue;
        d->result[r] = granted > 0 ? FACT_RULE_CUT : FACT_RULE_DENY;
        if (granted > 0)
            d->cut_by |= 1u << (r - 1);
        else
            d->denied_by |= 1u << (r - 1);
    }
    return granted;
}

#define MAY_CUT(id, name, code, unit, may_cut, closes, def, source, text)                          \
    | ((may_cut) ? 1u << ((id)-1) : 0u)
#define CLOSES(id, name, code, unit, may_cut, closes, def, source, text)                           \
    | ((closes) ? 1u << ((id)-1) : 0u)
static const uint32_t rules_that_cut = 0 RISK_RULES(MAY_CUT);
static const uint32_t rules_for_closes = 0 RISK_RULES(CLOSES);

/* Results while every rule that binds passes: of an intent that opens, of one that reduces. */
#define OPENS(id, name, code, unit, may_cut, closes, def, source, text) [id] = FACT_RULE_PASS,
#define REDUCES(id, name, code, unit, may_cut, closes, def, source, text)                          \
    [id] = (closes) ? FACT_RULE_PASS : FACT_RULE_FREE,
static const uint8_t all_pass[2][32] = {{RISK_RULES(OPENS)}, {RISK_RULES(REDUCES)}};

/* Some rules failed: less, or no. */
static int64_t __attribute__((noinline))
refuse(const struct gate *g, struct fact_decision *d, uint32_t failed)
{
    int64_t allow[RISK_RULE_END] = {0};
    d->denied_by = failed & ~rules_that_cut;
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        uint32_t bit = 1u << (r - 1);
        if (failed & rules_that_cut & bit)
            allow[r] = allowance(g, r);
        else if (failed & bit)
            d->result[r] = FACT_RULE_DENY;
    }
    int64_t granted = cut(g, d, failed & rules_that_cut, allow);
    return d->denied_by == 0 ? granted : 0;
}

static inline int64_t evaluate(const struct gate *g, struct fact_decision *d)
{
    uint32_t failed = 0;
    struct ruling v;
#define X(id, name, code, unit, may_cut, closes, def, source, text)                                \
    v = rule_##name(g);                                                                            \
    d->rule[(id)-1] = (struct fact_rule){v.observed, v.limit};                                     \
    failed |= v.pass ? 0u : 1u << ((id)-1);
    RISK_RULES(X)
#undef X
    memcpy(d->result, all_pass[g->ask->reducing], sizeof d->result);
    failed &= g->ask->reducing ? rules_for_closes : ~0u;
    return __builtin_expect(failed == 0, 1) ? g->ask->qty : refuse(g, d, failed);
}

static void count_duplicates(struct core *c, struct book_row *b)
{
    struct instance_row *s = &c->instance[b->strategy];
    bool too_many =
        s->duplicates + 1 >= DUPLICATES_MAX && c->now_ns - s->duplicate_ns[0] < DUPLICATE_WINDOW_NS;
    s->duplicate_ns[0] = s->duplicate_ns[1];
    s->duplicate_ns[1] = c->now_ns;
    if (s->duplicates < DUPLICATES_MAX)
        s->duplicates++;
    if (!too_many || !s->auto_on)
        return;
    s->auto_on = 0;
    step_alert(c, FACT_ALERT_DUPLICATES, b, 0, s->duplicates, DUPLICATES_MAX);
}

static void remember(struct core *c, const struct risk_ask *k)
{
    struct book_row *b = k->book;
    b->last_side = k->side;
    b->last_qty = k->qty;
    b->last_price = k->price;
    b->last_reducing = k->reducing;
    b->last_ns = c->now_ns;
}

static void count_decision(struct core *c, const struct fact_decision *d)
{
    if (d->approved) {
        c->totals.approvals++;
        return;
    }
    c->totals.denials++;
    for (uint32_t r = 1; r < RISK_RULE_END; r++)
        c->totals.denied_by[r] += (d->denied_by >> (r - 1)) & 1;
}

int64_t risk_decide(struct core *c, const struct risk_ask *ask)
{
    struct book_row *b = ask->book;
    struct gate g = {.c = c,
                     .ask = ask,
                     .b = b,
                     .m = ask->market,
                     .a = &c->account[b->account],
                     .limit = c->effective[book_index(c, b)],
                     .mode = mode_effective(c, b)};
    weigh(&g);
    struct fact_decision *d = ROOM(c, DECISION, fact_decision);
    d->intent = ask->intent; /* every member is written, `result` and `rule` by evaluate */
    d->strategy = b->strategy;
    d->instrument = b->instrument;
    d->account = b->account;
    d->asked = ask->qty;
    d->price = ask->price;
    d->reference = ask->reference;
    d->side = ask->side;
    d->reducing = ask->reducing;
    d->denied_by = d->cut_by = 0;
    d->serial = c->serial;
    d->granted = evaluate(&g, d);
    d->approved = d->granted > 0;
    must(d->granted >= 0 && d->granted <= d->asked);
    must((d->denied_by != 0) == (d->granted == 0));
    if (d->result[RISK_DUPLICATE] == FACT_RULE_DENY)
        count_duplicates(c, b);
    remember(c, ask);
    count_decision(c, d);
    return d->granted;
}

/* The gate's own figures for an order of nothing: what is unknown exceeds. */
bool risk_exceeds(struct core *c, struct book_row *b, uint32_t rules)
{
    struct market_row *m = &c->market[b->instrument];
    struct risk_ask none = {.book = b, .market = m, .price = m->mark, .reference = m->mark};
    struct gate g = {.c = c,
                     .ask = &none,
                     .b = b,
                     .m = m,
                     .a = &c->account[b->account],
                     .limit = c->effective[book_index(c, b)],
                     .mode = mode_effective(c, b)};
    must((rules & ~RISK_HELD_RULES) == 0);
    if ((rules & 1u << (RISK_POSITION - 1)) && !rule_POSITION(&g).pass)
        return true;
    rules &= ~(1u << (RISK_POSITION - 1));
    if (rules == 0)
        return false;
    weigh(&g);
    return ((rules & 1u << (RISK_EXPOSURE - 1)) && !rule_EXPOSURE(&g).pass) ||
           ((rules & 1u << (RISK_LEVERAGE - 1)) && !rule_LEVERAGE(&g).pass);
}

/* A denial of a wish that never had a quantity: one rule says no, the others weigh nothing. */
static void deny_by(struct core *c, const struct fact_signal *s, uint32_t account,
                    enum risk_rule rule, struct fact_rule figure)
{
    struct fact_decision *d = EFFECT(c, DECISION, fact_decision);
    d->strategy = s->instance;
    d->instrument = s->instrument;
    d->account = account;
    d->side = s->side;
    d->serial = c->serial;
    for (uint32_t r = 1; r < RISK_RULE_END; r++)
        d->result[r] = FACT_RULE_FREE;
    d->rule[rule - 1] = figure;
    d->result[rule] = FACT_RULE_DENY;
    d->denied_by = 1u << (rule - 1);
    count_decision(c, d);
}

void risk_no_route(struct core *c, const struct fact_signal *s)
{
    deny_by(c, s, 0, RISK_PERMISSION, (struct fact_rule){0, 1});
}

void risk_unsized(struct core *c, const struct book_row *b, const struct fact_signal *s)
{
    const struct market_row *m = &c->market[b->instrument];
    const struct account_row *a = &c->account[b->account];
    const int64_t *limit = c->effective[book_index(c, b)];
    int64_t one, age;
    if (m->mark <= 0) /* no reference: what the collar would say of any price */
        deny_by(c, s, b->account, RISK_COLLAR, (struct fact_rule){INT64_MAX, limit[RISK_COLLAR]});
    else if (!is_ok(money_convert(c, m->def.settle, a->def.currency, 1, &one, &age)))
        deny_by(c, s, b->account, RISK_RATE,
                (struct fact_rule){age, money_rate_age_max(c, m->def.settle, a->def.currency)});
    else
        deny_by(c, s, b->account, RISK_STATIC, (struct fact_rule){0, 1});
}

void risk_message(struct core *c, struct account_row *a)
{
    int64_t second = c->now_ns / CORE_SECOND_NS;
    if (a->message_second != second) {
        a->message_second = second;
        a->message_count = 0;
    }
    a->message_count++;
}
