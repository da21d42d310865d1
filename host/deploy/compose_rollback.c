/* SPDX-License-Identifier: Apache-2.0
 *
 * The way back, as a document. It must not depend on who derives it or when: the same two texts
 * give the same bytes, so its hash can be foretold, recorded and named as the next parent.
 *
 * Limits are merged as rows (the tighter of the two for each scope), because that is what a person
 * can compare with the two files. Rows alone would not do, though: a rule that one file names and
 * the other leaves to its default has no second row. So each route is measured afterwards, as the
 * core measures it, and where the merged rows would allow more than either document did, a row for
 * that strategy says the tighter figure. Rows that a wider one makes pointless are dropped: the
 * parser refuses such rows.
 *
 * What lets older or less believable data through is a limit too, though it stands with the
 * instruments: ages and the greatest price are the tighter of both. Nobody can say which of two
 * rates is the safer one, so the rate in force stays.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "deploy/change_priv.h"
#include "deploy/compose_priv.h"

enum { ROWS_MAX = 2 * DEPLOY_LIMITS_MAX + DEPLOY_ROUTES_MAX * RISK_RULE_END };

struct rollback {
    struct deploy_doc old, now;
    uint32_t row_count;
    struct fact_limit row[ROWS_MAX]; /* with the ids of `old`; limit 0 = dropped */
};
static const uint32_t rule_unit[RISK_RULE_END] = {
#define X(id, name, code, unit, may_cut, closes, def, source, text) [id] = RISK_UNIT_##unit,
    RISK_RULES(X)
#undef X
};
static const struct {
    const char *key;
    uint32_t rule;
} settable[] = {
#define X(key, rule, exp, min, max, unit) {#key, RISK_##rule},
    CFG_LIMITS(X)
#undef X
};
enum { SETTABLE_COUNT = sizeof(settable) / sizeof(settable[0]) };

static void put(struct rollback *b, uint32_t rule, uint32_t instrument, uint32_t strategy,
                int64_t limit)
{
    for (uint32_t i = 0; i < b->row_count; i++) {
        struct fact_limit *l = &b->row[i];
        if (l->rule == rule && l->instrument == instrument && l->strategy == strategy) {
            l->limit = limit < l->limit ? limit : l->limit;
            return;
        }
    }
    must(b->row_count < ROWS_MAX);
    b->row[b->row_count++] = (struct fact_limit){
        .rule = rule, .instrument = instrument, .strategy = strategy, .limit = limit};
}

/* A value of `now` in the scope of a row: on the routes of `old` whose account has its currency.
 * The whole scope when they all have; else a row for each strategy. */
static void put_money(struct rollback *b, const struct fact_limit *l, const char *currency)
{
    uint32_t reached = 0, fits = 0;
    for (uint32_t i = 0; i < b->old.route_count; i++) {
        const struct fact_route *r = &b->old.route[i];
        bool same = strcmp(change_money_of(&b->old, r->account - 1), currency) == 0;
        reached += change_applies(l, r);
        fits += change_applies(l, r) && same;
    }
    if (reached > 0 && fits == reached)
        put(b, l->rule, l->instrument, l->strategy, l->limit);
    for (uint32_t i = 0; i < b->old.route_count && fits < reached; i++) {
        const struct fact_route *r = &b->old.route[i];
        if (change_applies(l, r) && strcmp(change_money_of(&b->old, r->account - 1), currency) == 0)
            put(b, l->rule, 0, r->strategy, l->limit);
    }
}

static const char *currency_of(const struct deploy_doc *d, const struct fact_limit *l)
{
    for (uint32_t i = 0; i < d->route_count; i++)
        if (change_applies(l, &d->route[i]))
            return change_money_of(d, d->route[i].account - 1);
    must(false); /* the parser refuses a value that reaches no route */
    return "";
}

/* A row of `now` with the ids of `old`, where what it is for is still there. */
static void put_now(struct rollback *b, const struct fact_limit *l)
{
    struct fact_limit at = *l;
    const struct deploy_doc *n = &b->now;
    if (l->instrument != 0) {
        uint32_t i = change_instrument(&b->old, n->instrument[l->instrument - 1].symbol);
        if (i == CHANGE_NONE)
            return;
        at.instrument = i + 1;
    }
    if (l->strategy != 0) {
        uint32_t i = change_instance(&b->old, n->instance[l->strategy - 1].fact.name);
        if (i == CHANGE_NONE)
            return;
        at.strategy = i + 1;
    }
    bool routed = l->strategy == 0;
    for (uint32_t i = 0; i < b->old.route_count; i++)
        routed |= change_applies(&at, &b->old.route[i]);
    if (!routed)
        return;
    if (rule_unit[l->rule] == RISK_UNIT_MONEY)
        put_money(b, &at, currency_of(n, l));
    else
        put(b, at.rule, at.instrument, at.strategy, at.limit);
}

/* What the merged rows allow on a route; INT64_MAX: none applies. */
static int64_t merged(const struct rollback *b, uint32_t route, uint32_t rule)
{
    int64_t limit = INT64_MAX;
    for (uint32_t i = 0; i < b->row_count; i++)
        if (b->row[i].rule == rule && change_applies(&b->row[i], &b->old.route[route]) &&
            b->row[i].limit < limit)
            limit = b->row[i].limit;
    return limit;
}

/* Where a default held on one side, it holds on. */
static void tighten(struct rollback *b, uint32_t route)
{
    uint32_t now =
        change_route(&b->now, change_strategy_of(&b->old, route), change_symbol_of(&b->old, route));
    for (uint32_t k = 0; k < SETTABLE_COUNT && now != CHANGE_NONE; k++) {
        uint32_t rule = settable[k].rule;
        const struct fact_route *r = &b->old.route[route];
        int64_t was = change_effective(&b->old, route, rule);
        int64_t is = change_effective(&b->now, now, rule);
        int64_t wanted = was < is ? was : is, have = merged(b, route, rule);
        if (have != INT64_MAX && have > wanted)
            put(b, rule, rule_unit[rule] == RISK_UNIT_QTY ? r->instrument : 0, r->strategy, wanted);
    }
}

/* Rows that a wider one makes pointless. */
static void drop_looser(struct rollback *b)
{
    for (uint32_t i = 0; i < b->row_count; i++) {
        struct fact_limit *l = &b->row[i];
        uint32_t on =
            l->strategy != 0 ? b->old.instance[l->strategy - 1].instrument : l->instrument;
        for (uint32_t k = 0; k < b->row_count; k++) {
            const struct fact_limit *w = &b->row[k];
            bool wider = w->rule == l->rule && w->strategy == 0 && k != i &&
                         (w->instrument == 0 || w->instrument == on);
            if (wider && w->limit != 0 && l->limit > w->limit)
                l->limit = 0;
        }
    }
}

static void merge(struct rollback *b)
{
    for (uint32_t i = 0; i < b->old.limit_count; i++) {
        const struct fact_limit *l = &b->old.limit[i];
        put(b, l->rule, l->instrument, l->strategy, l->limit);
    }
    for (uint32_t i = 0; i < b->now.limit_count; i++)
        put_now(b, &b->now.limit[i]);
    for (uint32_t i = 0; i < b->old.route_count; i++)
        tighten(b, i);
    drop_looser(b);
}

/* ---- writing ---- */
/* The rows of one scope; false when there is none. A strategy's quantity has its instrument too. */
static bool write_scope(const struct rollback *b, FILE *out, uint32_t instrument, uint32_t strategy,
                        const char *head)
{
    char text[NUM_TEXT_BYTES];
    bool any = false;
    for (uint32_t k = 0; k < SETTABLE_COUNT; k++)
        for (uint32_t i = 0; i < b->row_count; i++) {
            const struct fact_limit *l = &b->row[i];
            if (l->rule != settable[k].rule || l->limit == 0 || l->strategy != strategy ||
                (strategy == 0 && l->instrument != instrument))
                continue;
            if (!any)
                fputs(head, out);
            any = true;
            change_limit_text(&b->old, l, text);
            fprintf(out, "%s%s: %s\n", instrument + strategy > 0 ? "      " : "    ",
                    settable[k].key, text);
        }
    return any;
}

/* "  by_instrument:" when it is the first, then the name. */
static void head_of(char out[96], const char *section, bool first, const char *name)
{
    const char *quote = cfg_is_ambiguous(name) ? "\"" : "";
    snprintf(out, 96, "%s%s%s    %s%.31s%s:\n", first ? "  " : "", first ? section : "",
             first ? ":\n" : "", quote, name, quote);
}

static void write_limits(FILE *out, void *arg)
{
    const struct rollback *b = arg;
    char head[96];
    bool first = true;
    fputs("limits:\n", out);
    if (!write_scope(b, out, 0, 0, "  all:\n"))
        fputs("  all: {}\n", out);
    for (uint32_t i = 0; i < b->old.instrument_count; i++) {
        head_of(head, "by_instrument", first, b->old.instrument[i].symbol);
        if (write_scope(b, out, i + 1, 0, head))
            first = false;
    }
    first = true;
    for (uint32_t i = 0; i < b->old.instance_count; i++) {
        head_of(head, "by_strategy", first, b->old.instance[i].fact.name);
        if (write_scope(b, out, 0, i + 1, head))
            first = false;
    }
}

/* The rate in force, or what the older document says where there is none (or its instrument is not
 * in the older one). */
static void write_rate(const struct rollback *b, FILE *out, uint32_t i)
{
    const struct deploy_doc *d = &b->old;
    const struct fact_rate *r = &d->rate[i];
    uint32_t now = change_rate(&b->now, &b->old, i);
    char text[NUM_TEXT_BYTES], age[32];
    fprintf(out, "  %s/%s:\n", d->currency[r->from - 1].name, d->currency[r->to - 1].name);
    if (now != CHANGE_NONE &&
        (b->now.rate[now].instrument == 0 ||
         change_instrument(&b->old, b->now.instrument[b->now.rate[now].instrument - 1].symbol) !=
             CHANGE_NONE)) {
        d = &b->now;
        r = &d->rate[now];
    }
    if (r->instrument == 0) {
        num_print(r->rate, r->exp, text);
        fprintf(out, "    constant: \"%s\"\n", text);
        return;
    }
    cfg_duration_text(r->max_age_ns, age);
    fputs("    instrument: ", out);
    compose_name(out, d->instrument[r->instrument - 1].symbol);
    fprintf(out, "\n    max_age: %s\n", age);
}

static void write_rates(FILE *out, void *arg)
{
    const struct rollback *b = arg;
    for (uint32_t i = 0; i < b->old.rate_count; i++) {
        fputs(i == 0 ? "rates:\n" : "", out);
        write_rate(b, out, i);
    }
}

static void write_remove(FILE *out, void *arg)
{
    const struct rollback *b = arg;
    bool first = true;
    for (uint32_t i = 0; i < b->now.route_count; i++) {
        const char *strategy = change_strategy_of(&b->now, i);
        if (change_route(&b->old, strategy, change_symbol_of(&b->now, i)) != CHANGE_NONE)
            continue;
        fputs(first ? "on_remove:\n  " : "  ", out);
        first = false;
        compose_name(out, strategy);
        fputs(": flatten\n", out);
    }
}

static void set_budgets(struct compose *c, const struct rollback *b)
{
    for (uint32_t i = 0; i < b->old.route_count; i++) {
        const char *strategy = change_strategy_of(&b->old, i);
        char text[NUM_TEXT_BYTES], value[COMPOSE_WORD_BYTES];
        uint32_t now = change_route(&b->now, strategy, change_symbol_of(&b->old, i));
        if (now == CHANGE_NONE || b->now.route[now].budget >= b->old.route[i].budget)
            continue;
        uint32_t account = b->now.route[now].account - 1;
        num_print(b->now.route[now].budget,
                  b->now.currency[b->now.account[account].currency - 1].exp, text);
        snprintf(value, sizeof(value), "\"%s\"", text);
        compose_set(c, CFG_IN_ROUTE, strategy, "budget", value);
    }
}

/* Not below what the older document's bars need: there it would never be healthy. */
static void set_age(struct compose *c, const struct fact_instrument *was, const char *key,
                    int64_t before, int64_t now)
{
    char text[32];
    int64_t age = now > was->bar_ns ? now : was->bar_ns;
    if (age >= before)
        return;
    cfg_duration_text(age, text);
    compose_set(c, CFG_IN_INSTRUMENT, was->symbol, key, text);
}

static void set_price_max(struct compose *c, const struct fact_instrument *was,
                          const struct fact_instrument *is)
{
    char text[NUM_TEXT_BYTES], value[COMPOSE_WORD_BYTES];
    int64_t max = is->price_max > was->tick ? is->price_max : was->tick;
    if (is->price_max == 0 || (was->price_max != 0 && was->price_max <= max))
        return;
    num_print(max, was->price_exp, text);
    snprintf(value, sizeof(value), "\"%s\"", text);
    compose_set(c, CFG_IN_INSTRUMENT, was->symbol, "price_max", value);
}

/* How far data is believed; what the market is like stays as the older document says. Exponents are
 * the same in both: nothing can change them while a host runs. */
static void set_instruments(struct compose *c, const struct rollback *b)
{
    for (uint32_t i = 0; i < b->old.instrument_count; i++) {
        const struct fact_instrument *was = &b->old.instrument[i];
        uint32_t now = change_instrument(&b->now, was->symbol);
        if (now == CHANGE_NONE)
            continue;
        const struct fact_instrument *is = &b->now.instrument[now];
        set_age(c, was, "degraded_after", was->age_degraded_ns, is->age_degraded_ns);
        set_age(c, was, "down_after", was->age_down_ns, is->age_down_ns);
        set_price_max(c, was, is);
    }
}

static void set_head(struct compose *c, const struct rollback *b)
{
    char value[COMPOSE_WORD_BYTES];
    int64_t until = b->old.run_until_ns;
    if (until == 0 || (b->now.run_until_ns != 0 && b->now.run_until_ns < until))
        until = b->now.run_until_ns;
    snprintf(value, sizeof(value), "%llu", (unsigned long long)b->now.fact.serial + 1);
    compose_set(c, CFG_IN_ROOT, "", "serial", value);
    compose_hash(b->now.fact.sha256, value);
    compose_set(c, CFG_IN_ROOT, "", "parent", value);
    compose_time(b->now.not_before_ns, value);
    compose_set(c, CFG_IN_ROOT, "", "not_before", value);
    compose_time(b->now.expires_ns, value);
    compose_set(c, CFG_IN_ROOT, "", "expires", value);
    value[0] = 0;
    compose_set(c, CFG_IN_ROOT, "", "template", value);
    if (until != 0)
        compose_time(until, value);
    compose_set(c, CFG_IN_ROOT, "", "run_until", value);
    snprintf(value, sizeof(value), "%llu", (unsigned long long)b->now.fact.serial);
    compose_set(c, CFG_IN_ROOT, "", "rollback_of", value);
}

static struct result rollback(struct rollback *b, const char *old_text, size_t old_count,
                              char **text, struct trail *tr)
{
    struct cfg_file *f = NULL;
    TRY(cfg_open_bytes(old_text, old_count, "the deployment before", tr, &f));
    struct compose *c = calloc(1, sizeof(*c));
    must(c != NULL);
    c->title = "# A rollback, derived by the host: signing the serial it takes back allowed it.";
    c->limits = write_limits;
    c->on_remove = write_remove;
    c->rates = write_rates;
    c->arg = b;
    merge(b);
    set_head(c, b);
    set_instruments(c, b);
    set_budgets(c, b);
    compose_tree(c, f->root, text);
    cfg_close(f);
    return compose_end(c, "the rollback", text, tr);
}

struct result compose_rollback(const char *old_text, size_t old_count, const char *now_text,
                               size_t now_count, char **text, struct trail *tr)
{
    struct rollback *b = calloc(1, sizeof(*b));
    must(b != NULL);
    *text = NULL;
    struct result r = deploy_parse(old_text, old_count, "the deployment before", NULL, &b->old, tr);
    if (is_ok(r))
        r = deploy_parse(now_text, now_count, "the active deployment", NULL, &b->now, tr);
    if (is_ok(r) && (b->old.fact.serial == 0 || b->now.fact.serial <= b->old.fact.serial))
        r = FAIL(tr, STATE,
                 "serial %llu does not come after serial %llu; only what came before is "
                 "gone back to",
                 (unsigned long long)b->now.fact.serial, (unsigned long long)b->old.fact.serial);
    if (is_ok(r))
        r = rollback(b, old_text, old_count, text, tr);
    free(b);
    return r;
}
