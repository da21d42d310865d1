/* SPDX-License-Identifier: Apache-2.0
 *
 * Genesis, start and the deployment's tables, filled by events. A row that does not fit its table
 * or contradicts what is there changes nothing and is reported (the parser before the core should
 * have refused it; the core does not trust it). The effective limit of each book and rule is the
 * tightest row that applies; it is derived whenever a limit, route or instrument changes, so the
 * gate reads one number per rule.
 */
#include "core/state.h"
#include <string.h>

enum { RATE_EXP_MIN = -18, RATE_EXP_MAX = 18 };
#define AGE_MAX_NS (366ll * 86400 * CORE_SECOND_NS)

static const int64_t default_limit[RISK_RULE_END] = {
#define X(id, name, code, unit, may_cut, closes, def, source, text) [id] = (def),
    RISK_RULES(X)
#undef X
};

/* A rule without a default binds with 0 until the deployment names a limit: nothing passes. */
static int64_t limit_unset(uint32_t rule)
{
    return default_limit[rule] == RISK_NO_DEFAULT ? 0 : default_limit[rule];
}

void config_effective(const struct core *c, const struct fact_limit *limit, uint32_t count,
                      uint32_t book, int64_t out[RISK_RULE_END])
{
    const struct book_row *b = &c->book[book];
    bool named[RISK_RULE_END] = {false};
    for (uint32_t r = 1; r < RISK_RULE_END; r++)
        out[r] = limit_unset(r);
    for (uint32_t i = 0; i < count; i++) {
        const struct fact_limit *l = &limit[i];
        if ((l->instrument != 0 && l->instrument != b->instrument) ||
            (l->strategy != 0 && l->strategy != b->strategy))
            continue;
        if (!named[l->rule] || l->limit < out[l->rule])
            out[l->rule] = l->limit;
        named[l->rule] = true;
    }
}

static void derive_book(struct core *c, uint32_t book)
{
    config_effective(c, c->limit, c->limit_count, book, c->effective[book]);
}

/* Behind the other books of its instrument. */
static void chain(struct core *c, uint32_t book)
{
    uint32_t m = c->book[book].instrument;
    if (c->first_book[m] == 0)
        c->first_book[m] = (uint16_t)book;
    else
        c->next_book[c->last_book[m]] = (uint16_t)book;
    c->last_book[m] = (uint16_t)book;
    c->next_book[book] = 0;
}

/* Cost units in one unit of the settle currency, while that is a power of ten that fits. */
static int64_t scale_of(const struct core *c, const struct market_row *m)
{
    int shift = c->currency[m->def.settle].exp - money_cost_exp(c, m);
    return m->def.contract == FACT_LINEAR && shift >= 0 && shift <= 18 ? num_pow10(shift) : 0;
}

void config_derive(struct core *c)
{
    for (uint32_t i = 1; i <= c->max.instruments; i++)
        c->scale[i] = c->market[i].def.id != 0 ? scale_of(c, &c->market[i]) : 0;
    c->instance_count = c->max.instances;
    while (c->instance_count > 0 && c->instance[c->instance_count].id == 0)
        c->instance_count--;
    uint32_t pairs = (c->max.instances + 1) * (c->max.instruments + 1);
    memset(c->book_of, 0, pairs * sizeof *c->book_of);
    memset(c->first_book, 0, (c->max.instruments + 1) * sizeof *c->first_book);
    memset(c->net, 0, (c->max.accounts + 1) * (c->max.instruments + 1) * sizeof *c->net);
    for (uint32_t i = 1; i < c->book_count; i++) {
        struct book_row *b = &c->book[i];
        c->book_of[b->strategy * (c->max.instruments + 1) + b->instrument] = (uint16_t)i;
        chain(c, i);
        struct net_row *n = net_of(c, b->account, b->instrument);
        n->qty += b->qty;
        n->work_buy += b->work_buy;
        n->work_sell += b->work_sell;
        derive_book(c, i);
    }
}

/* A strategy has one account per instrument; EXTERNAL has a book on each. */
static struct book_row *find_external(const struct core *c, uint32_t instrument, uint32_t account)
{
    for (uint32_t i = 1; i < c->book_count; i++) {
        struct book_row *b = &c->book[i];
        if (b->strategy == 0 && b->instrument == instrument && b->account == account)
            return b;
    }
    return NULL;
}

/* What turns up during a kill is closed like what was there when it came. */
static uint32_t born_killed(const struct core *c, uint32_t account)
{
    const struct account_row *a = &c->account[account];
    return (c->mode == MODE_KILLED && c->keep_positions == 0) ||
           (a->mode == MODE_KILLED && a->keep_positions == 0);
}

struct book_row *config_book(struct core *c, uint32_t strategy, uint32_t instrument,
                             uint32_t account)
{
    struct book_row *b =
        strategy == 0 ? find_external(c, instrument, account) : book_find(c, strategy, instrument);
    if (b != NULL)
        return b;
    uint32_t room = c->max.routes + c->max.instruments * c->max.accounts + 1;
    must(c->book_count < room); /* routes are counted, EXTERNAL is one per account and instrument */
    uint32_t i = c->book_count++;
    b = &c->book[i];
    *b = (struct book_row){.strategy = strategy,
                           .instrument = instrument,
                           .account = account,
                           .flatten_ns = CORE_NEVER,
                           .signal_until_ns = CORE_NEVER,
                           .kill_flat = born_killed(c, account)};
    c->book_of[strategy * (c->max.instruments + 1) + instrument] = (uint16_t)i;
    chain(c, i);
    derive_book(c, i);
    staged_book(c, i);
    return b;
}

static void refuse(struct core *c, uint16_t type, uint64_t about)
{
    step_ignored(c, FACT_IGNORED_NOT_ALLOWED, type, about);
}

bool config_currency_ok(const struct core *c, const struct fact_currency *e)
{
    return e->id != 0 && e->id <= c->max.currencies && e->exp >= NUM_EXP_MIN &&
           e->exp <= NUM_EXP_MAX &&
           (c->currency[e->id].id == 0 || c->currency[e->id].exp == e->exp);
}

void config_currency(struct core *c, const struct fact_currency *e)
{
    c->currency[e->id].id = e->id;
    c->currency[e->id].exp = e->exp;
    memcpy(c->currency[e->id].name, e->name, sizeof e->name);
}

static void take_currency(struct core *c, const struct fact_currency *e)
{
    if (!config_currency_ok(c, e))
        refuse(c, FACT_CURRENCY, e->id);
    else
        config_currency(c, e);
}

bool config_instrument_ok(const struct core *c, const struct fact_instrument *e)
{
    return e->id != 0 && e->id <= c->max.instruments && e->settle != 0 &&
           staged_has_currency(c, e->settle) && e->tick > 0 && e->lot > 0 && e->min_qty >= 0 &&
           e->multiplier > 0 && e->tick <= CORE_PRICE_MAX && e->lot <= CORE_QTY_MAX &&
           e->price_max >= 0 && e->age_degraded_ns >= 0 && e->age_degraded_ns <= AGE_MAX_NS &&
           e->age_down_ns >= 0 && e->age_down_ns <= AGE_MAX_NS &&
           e->multiplier_exp >= NUM_EXP_MIN && e->multiplier_exp <= NUM_EXP_MAX &&
           (e->contract == FACT_LINEAR || e->contract == FACT_INVERSE) &&
           e->price_exp >= NUM_EXP_MIN && e->price_exp <= NUM_EXP_MAX &&
           e->qty_exp >= NUM_EXP_MIN && e->qty_exp <= NUM_EXP_MAX &&
           (e->id == 1 || staged_has_instrument(c, e->id - 1));
}

/* Exponents, multiplier, currency and kind are for life: costs are kept in them. */
bool config_instrument_stays(const struct core *c, const struct fact_instrument *e)
{
    const struct fact_instrument *d = &c->market[e->id].def;
    return d->id == 0 || (d->price_exp == e->price_exp && d->qty_exp == e->qty_exp &&
                          d->settle == e->settle && d->contract == e->contract &&
                          d->multiplier == e->multiplier && d->multiplier_exp == e->multiplier_exp);
}

void config_instrument(struct core *c, const struct fact_instrument *e)
{
    struct market_row *m = &c->market[e->id];
    if (m->def.id == 0)
        m->session_open = e->has_session ? 0 : 1;
    m->def = *e;
    c->scale[e->id] = scale_of(c, m);
    c->deadline_ns = INT64_MIN; /* its ages may have become shorter */
}

static void take_instrument(struct core *c, const struct fact_instrument *e)
{
    if (!config_instrument_ok(c, e) || !config_instrument_stays(c, e))
        refuse(c, FACT_INSTRUMENT, e->id);
    else
        config_instrument(c, e);
}

bool config_account_ok(const struct core *c, const struct fact_account *e)
{
    return e->id != 0 && e->id <= c->max.accounts && e->currency != 0 &&
           e->currency <= c->max.currencies && staged_has_currency(c, e->currency) &&
           (e->id == 1 || staged_has_account(c, e->id - 1)) && /* no gaps, as for instruments */
           (c->account[e->id].def.id == 0 || c->account[e->id].def.currency == e->currency);
}

void config_account(struct core *c, const struct fact_account *e)
{
    struct account_row *a = &c->account[e->id];
    int64_t start = a->def.id == 0 ? e->balance : a->def.balance;
    if (a->def.id == 0) {
        a->cash = e->balance;
        a->mode = MODE_ACTIVE;
        a->in_doubt = e->via == FACT_VIA_EGRESS;
    }
    a->def = *e;
    a->def.balance = start; /* the genesis balance stays; money moves by BALANCE */
}

static void take_account(struct core *c, const struct fact_account *e)
{
    if (!config_account_ok(c, e))
        refuse(c, FACT_ACCOUNT, e->id);
    else
        config_account(c, e);
}

void config_instance(struct core *c, const struct fact_instance *e)
{
    struct instance_row *r = &c->instance[e->id];
    if (r->id == 0)
        r->mode = MODE_ACTIVE;
    r->id = e->id;
    r->kind = e->kind & ~FACT_COLD;
    r->plugin_hash = 0;
    for (int i = 0; i < 8; i++)
        r->plugin_hash = r->plugin_hash << 8 | e->sha256[i];
    memcpy(r->name, e->name, sizeof r->name);
    if (e->id > c->instance_count)
        c->instance_count = e->id;
}

/* Outside a stage a new instance's build reigns for any cause, an existing one's from here on. */
static void take_instance(struct core *c, const struct fact_head *head,
                          const struct fact_instance *e)
{
    if (e->id == 0 || e->id > c->max.instances) {
        refuse(c, FACT_INSTANCE, e->id);
        return;
    }
    struct instance_row *r = &c->instance[e->id];
    for (uint32_t i = 0; r->id == 0 && i < REIGNS; i++)
        r->reign[i] = (struct reign){.generation = head->generation};
    if (r->reign[0].generation != head->generation)
        flip_reign(c, r, head->generation);
    r->is_removed = 0;
    config_instance(c, e);
}

uint32_t config_routes(const struct core *c)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < c->book_count; i++)
        n += c->book[i].strategy != 0;
    return n;
}

/* A strategy trades an instrument on one account for ever. */
bool config_route_ok(const struct core *c, const struct fact_route *e)
{
    if (e->strategy == 0 || e->strategy > c->max.instances ||
        !staged_has_instance(c, e->strategy) || e->instrument == 0 ||
        e->instrument > c->max.instruments || !staged_has_instrument(c, e->instrument) ||
        e->account == 0 || e->account > c->max.accounts || !staged_has_account(c, e->account) ||
        e->budget <= 0)
        return false;
    const struct book_row *b = book_find(c, e->strategy, e->instrument);
    return b == NULL || b->account == e->account;
}

void config_route(struct core *c, const struct fact_route *e)
{
    struct book_row *b = config_book(c, e->strategy, e->instrument, e->account);
    b->budget = e->budget;
    plan_return(b);
}

static void take_route(struct core *c, const struct fact_route *e)
{
    if (!config_route_ok(c, e)) {
        refuse(c, FACT_ROUTE, e->strategy);
        return;
    }
    if (book_find(c, e->strategy, e->instrument) == NULL && config_routes(c) >= c->max.routes) {
        step_alert(c, FACT_ALERT_FULL, NULL, 0, FACT_ROUTE, c->max.routes);
        return;
    }
    config_route(c, e);
}

bool config_limit_ok(const struct core *c, const struct fact_limit *e)
{
    return e->rule != 0 && e->rule < RISK_RULE_END && e->limit >= 0 &&
           e->instrument <= c->max.instruments && e->strategy <= c->max.instances;
}

uint32_t config_limit_place(const struct fact_limit *table, uint32_t count,
                            const struct fact_limit *e)
{
    uint32_t i = 0;
    while (i < count && !(table[i].rule == e->rule && table[i].instrument == e->instrument &&
                          table[i].strategy == e->strategy))
        i++;
    return i;
}

static void take_limit(struct core *c, const struct fact_limit *e)
{
    if (!config_limit_ok(c, e)) {
        refuse(c, FACT_LIMIT, e->rule);
        return;
    }
    uint32_t i = config_limit_place(c->limit, c->limit_count, e);
    if (i == c->max.limits) {
        step_alert(c, FACT_ALERT_FULL, NULL, 0, FACT_LIMIT, c->max.limits);
        return;
    }
    c->limit[i] = *e;
    if (i == c->limit_count)
        c->limit_count++;
    config_derive(c);
}

bool config_rate_ok(const struct core *c, const struct fact_rate *e)
{
    return e->from != 0 && e->from <= c->max.currencies && e->to != 0 &&
           e->to <= c->max.currencies && e->from != e->to && e->instrument <= c->max.instruments &&
           (e->instrument != 0 || e->rate > 0) && e->exp >= RATE_EXP_MIN && e->exp <= RATE_EXP_MAX;
}

uint32_t config_rate_place(const struct fact_rate *table, uint32_t count, const struct fact_rate *e)
{
    uint32_t i = 0;
    while (i < count && !(table[i].from == e->from && table[i].to == e->to))
        i++;
    return i;
}

static void take_rate(struct core *c, const struct fact_rate *e)
{
    uint32_t i = config_rate_place(c->rate, c->rate_count, e);
    if (!config_rate_ok(c, e) || i == c->max.currencies * 2) {
        refuse(c, FACT_RATE, e->from);
        return;
    }
    c->rate[i] = *e;
    if (i == c->rate_count)
        c->rate_count++;
}

static void take_start(struct core *c, const struct fact_start *e)
{
    c->epoch = e->epoch;
    c->started = 1;
    mode_start(c);
    oms_start(c);
}

static void take_balance(struct core *c, const struct fact_balance *e)
{
    int64_t cash;
    if (e->account == 0 || e->account > c->max.accounts || c->account[e->account].def.id == 0 ||
        !is_ok(num_add(c->account[e->account].cash, e->amount, &cash))) {
        refuse(c, FACT_BALANCE, e->account);
        return;
    }
    c->account[e->account].cash = cash;
}

static void take_clock(struct core *c, const struct fact_clock *e)
{
    if (e->skew_ns == INT64_MIN) { /* has no opposite */
        refuse(c, FACT_CLOCK, 0);
        return;
    }
    c->clock_skew_ns = e->skew_ns;
}

/* A fault counts while its build reigns: one that is only heard harms nobody. A build that is back
 * lifts what its own death brought, and nothing that a person or another cause did. */
static void take_plugin(struct core *c, const struct fact_head *head, const struct fact_plugin *e)
{
    const bool is_fault = e->what == FACT_PLUGIN_QUARANTINED || e->what == FACT_PLUGIN_DIED;
    if ((!is_fault && e->what != FACT_PLUGIN_BACK) || e->instance > c->max.instances)
        return;
    const struct instance_row *r = &c->instance[e->instance];
    if (r->is_removed || r->reign[0].generation != head->generation)
        step_ignored(c, FACT_IGNORED_NOT_ACCEPTED, FACT_PLUGIN, head->generation);
    else if (is_fault && r->mode < MODE_REDUCING) /* a fault lifts nothing */
        mode_set(c, MODE_SCOPE_STRATEGY, e->instance, MODE_REDUCING, FACT_WHY_PLUGIN);
    else if (!is_fault && r->mode == MODE_REDUCING && r->mode_why == FACT_WHY_PLUGIN)
        mode_set(c, MODE_SCOPE_STRATEGY, e->instance, MODE_ACTIVE, FACT_WHY_PLUGIN);
}

/* Rows of the deployment's tables, while nothing is staged. */
static bool take_row(struct core *c, const struct fact_head *head, const void *payload)
{
    switch (head->type) {
    case FACT_CURRENCY:
        take_currency(c, payload);
        return true;
    case FACT_INSTRUMENT:
        take_instrument(c, payload);
        return true;
    case FACT_ACCOUNT:
        take_account(c, payload);
        return true;
    case FACT_INSTANCE:
        take_instance(c, head, payload);
        return true;
    case FACT_ROUTE:
        take_route(c, payload);
        return true;
    case FACT_LIMIT:
        take_limit(c, payload);
        return true;
    case FACT_RATE:
        take_rate(c, payload);
        return true;
    case FACT_INPUT:
        return true;  /* for readers, as below */
    case FACT_REMOVE: /* takes a deployment */
        step_ignored(c, FACT_IGNORED_NOT_STAGED, FACT_REMOVE,
                     ((const struct fact_remove *)payload)->strategy);
        return true;
    default:
        return false;
    }
}

void config_event(struct core *c, const struct fact_head *head, const void *payload)
{
    if (staged_row(c, head, payload) || take_row(c, head, payload))
        return;
    switch (head->type) {
    case FACT_START:
        take_start(c, payload);
        break;
    case FACT_DEPLOY:
        flip_deploy(c, payload);
        break;
    case FACT_STAGE:
        staged_stage(c, payload);
        break;
    case FACT_REQUEST:
        mode_request(c, payload);
        break;
    case FACT_BALANCE:
        take_balance(c, payload);
        break;
    case FACT_CLOCK:
        take_clock(c, payload);
        break;
    case FACT_PLUGIN:
        take_plugin(c, head, payload);
        break;
    case FACT_GENESIS:
    case FACT_STOP:
    case FACT_LEFT:
    case FACT_UNRECORDED:
    case FACT_DATASET:
    case FACT_ROWS:
    case FACT_SNAPSHOT:
    case FACT_LATE:
    case FACT_TRUST:
    case FACT_TEXT:
    case FACT_SIGNATURE:
    case FACT_PROMOTION:
        break; /* facts for readers; the core holds nothing of them */
    default:
        step_ignored(c, FACT_IGNORED_RESERVED_KIND, head->type, 0);
        break;
    }
}
