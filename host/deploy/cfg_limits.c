/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits: keys a person can read (unit in the name) to rows of the gate's rules.
 *
 * The core takes the tightest of all rows that apply to a book. So a row in by_instrument or
 * by_strategy that is looser than `all` would do nothing; it is refused, since whoever wrote it
 * believes otherwise. Quantities exist only on an instrument's exponent: such a limit in `all` or
 * for a strategy becomes one row per instrument (a row of its own in by_instrument takes
 * the place of that one, and a strategy only gets rows for what it has routes to). Values
 * are in the account's currency: all accounts the row reaches must share it.
 *
 * No hidden default: a rule whose row in tbl/risk_rules.h says RISK_NO_DEFAULT must be named so
 * that every route is covered. The others have the default of that row until named here. Zero is
 * refused everywhere: to stop a strategy one switches it off.
 */
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "deploy/cfg_doc.h"

struct kind { /* one settable limit */
    const char *key;
    uint32_t rule;
    int exp;
    const char *min, *max, *unit;
};
static const struct kind kinds[] = {
#define X(key, rule, exp, min, max, unit) {#key, RISK_##rule, exp, min, max, unit},
    CFG_LIMITS(X)
#undef X
};
enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

static const uint32_t rule_unit[RISK_RULE_END] = {
#define X(id, name, code, unit, may_cut, closes, def, source, text) [id] = RISK_UNIT_##unit,
    RISK_RULES(X)
#undef X
};
static const int64_t rule_default[RISK_RULE_END] = {
#define X(id, name, code, unit, may_cut, closes, def, source, text) [id] = (def),
    RISK_RULES(X)
#undef X
};

struct scope { /* a mapping of limits and what it is for; 0 = all */
    const struct cfg_node *map;
    uint32_t instrument, strategy;
};

static const struct kind *kind_of(const char *key)
{
    for (uint32_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i].key, key) == 0)
            return &kinds[i];
    must(false); /* cfg_keys has let only known keys through */
    return NULL;
}

static bool reaches(const struct scope *s, const struct fact_route *r)
{
    return (s->instrument == 0 || s->instrument == r->instrument) &&
           (s->strategy == 0 || s->strategy == r->strategy);
}

/* The row with exactly this scope, or NULL. */
static struct fact_limit *find_row(struct deploy_doc *d, uint32_t rule, uint32_t instrument,
                                   uint32_t strategy)
{
    for (uint32_t i = 0; i < d->limit_count; i++)
        if (d->limit[i].rule == rule && d->limit[i].instrument == instrument &&
            d->limit[i].strategy == strategy)
            return &d->limit[i];
    return NULL;
}

/* The rows of wider scopes that reach all of this one: a strategy works on one instrument. */
static struct result check_tighter(struct cfg_doc *c, const struct cfg_node *n,
                                   const struct fact_limit *l)
{
    struct deploy_doc *d = c->d;
    uint32_t on = l->strategy != 0 ? d->instance[l->strategy - 1].instrument : l->instrument;
    const struct fact_limit *wider[] = {find_row(d, l->rule, 0, 0), find_row(d, l->rule, on, 0)};
    for (uint32_t i = 0; i < 2; i++)
        if (wider[i] != NULL && l->limit > wider[i]->limit)
            return cfg_fail(c->f, CFG_CONFLICT, n,
                            "%s is looser than line %u, which reaches further; the tightest wins, "
                            "so this would do nothing",
                            n->text, wider[i]->line);
    return OK_RESULT;
}

static struct result add_row(struct cfg_doc *c, const struct cfg_node *n, uint32_t rule,
                             uint32_t instrument, uint32_t strategy, int64_t limit)
{
    struct deploy_doc *d = c->d;
    struct fact_limit l = {.rule = rule,
                           .instrument = instrument,
                           .strategy = strategy,
                           .line = n->line,
                           .limit = limit};
    must(limit > 0);
    TRY(check_tighter(c, n, &l));
    struct fact_limit *same = find_row(d, rule, instrument, strategy);
    if (same != NULL) { /* a quantity of `all`, now given for this instrument */
        *same = l;
        return OK_RESULT;
    }
    if (d->limit_count == DEPLOY_LIMITS_MAX)
        return cfg_fail_key(c->f, CFG_FULL, n,
                            "makes more than %d limits (quantities count once per instrument); "
                            "name fewer",
                            DEPLOY_LIMITS_MAX);
    d->limit[d->limit_count++] = l;
    return OK_RESULT;
}

/* A quantity on one instrument's exponent, at least one lot. */
static struct result read_qty(struct cfg_doc *c, const struct cfg_node *n, const struct kind *k,
                              const struct fact_instrument *i, int64_t *out)
{
    if (n->kind == CFG_SCALAR && cfg_is_decimal(n->text) &&
        num_parse(n->text, strlen(n->text), i->qty_exp, false, out).code == RESULT_DIGITS)
        return cfg_fail(c->f, CFG_DIGITS, n,
                        "%.40s has more digits than the quantity exponent %d of %s holds; write "
                        "one for each instrument under limits.by_instrument",
                        n->text, i->qty_exp, i->symbol);
    TRY(cfg_decimal(c->f, n, i->qty_exp, k->min, k->max, k->unit, out));
    if (*out < i->lot) {
        char lot[NUM_TEXT_BYTES];
        num_print(i->lot, i->qty_exp, lot);
        return cfg_fail(c->f, CFG_RANGE, n,
                        "%s is less than one lot of %s (%s), so nothing could "
                        "be ordered",
                        n->text, i->symbol, lot);
    }
    return OK_RESULT;
}

static struct result take_qty(struct cfg_doc *c, const struct scope *s, const struct cfg_node *n,
                              const struct kind *k)
{
    struct deploy_doc *d = c->d;
    struct result r = OK_RESULT;
    for (uint32_t i = 1; i <= d->instrument_count && is_ok(r); i++) {
        int64_t limit = 0;
        bool wanted = s->instrument == 0 ? s->strategy == 0 : s->instrument == i;
        for (uint32_t q = 0; q < d->route_count && s->strategy != 0; q++)
            wanted |= d->route[q].strategy == s->strategy && d->route[q].instrument == i;
        if (!wanted)
            continue;
        r = read_qty(c, n, k, &d->instrument[i - 1], &limit);
        if (is_ok(r))
            r = add_row(c, n, k->rule, i, s->strategy, limit);
    }
    return r;
}

/* The one currency of the accounts that routes of the scope go to. */
static struct result take_money(struct cfg_doc *c, const struct scope *s, const struct cfg_node *n,
                                const struct kind *k)
{
    struct deploy_doc *d = c->d;
    uint32_t ccy = 0;
    for (uint32_t q = 0; q < d->route_count; q++) {
        uint32_t of = d->account[d->route[q].account - 1].currency;
        if (!reaches(s, &d->route[q]))
            continue;
        if (ccy != 0 && of != ccy)
            return cfg_fail_key(
                c->f, CFG_CONFLICT, n,
                "reaches accounts in %s and in %s; give one for each strategy under "
                "limits.by_strategy",
                d->currency[ccy - 1].name, d->currency[of - 1].name);
        ccy = of;
    }
    if (ccy == 0)
        return cfg_fail_key(c->f, CFG_CONFLICT, n, "no route is in this scope; remove it");
    int64_t limit = 0;
    TRY(cfg_decimal(c->f, n, d->currency[ccy - 1].exp, k->min, k->max, d->currency[ccy - 1].name,
                    &limit));
    return add_row(c, n, k->rule, s->instrument, s->strategy, limit);
}

static struct result take_limit(struct cfg_doc *c, const struct scope *s, const struct cfg_node *n)
{
    const struct kind *k = kind_of(n->key);
    int64_t limit = 0;
    switch (rule_unit[k->rule]) {
    case RISK_UNIT_QTY:
        return take_qty(c, s, n, k);
    case RISK_UNIT_MONEY:
        return take_money(c, s, n, k);
    case RISK_UNIT_COUNT:
        TRY(cfg_int(c->f, n, strtoll(k->min, NULL, 10), strtoll(k->max, NULL, 10), &limit));
        break;
    default:
        TRY(cfg_decimal(c->f, n, k->exp, k->min, k->max, k->unit, &limit));
        break;
    }
    return add_row(c, n, k->rule, s->instrument, s->strategy, limit);
}

static struct result take_scope(struct cfg_doc *c, const struct scope *s)
{
    TRY(cfg_keys(c->f, s->map, CFG_IN_LIMIT));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = s->map->first; n != NULL && is_ok(r); n = n->next)
        r = take_limit(c, s, n);
    return r;
}

/* Every name under by_instrument or by_strategy. */
static struct result take_scopes(struct cfg_doc *c, const struct cfg_node *map, bool by_strategy)
{
    if (map == NULL)
        return OK_RESULT;
    TRY(cfg_is_map(c->f, map));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = map->first; n != NULL && is_ok(r); n = n->next) {
        struct scope s = {.map = n};
        r = by_strategy ? cfg_instance_id(c, n, true, &s.strategy)
                        : cfg_instrument_id(c, n, true, &s.instrument);
        if (is_ok(r))
            r = take_scope(c, &s);
    }
    return r;
}

static const char *key_of(uint32_t rule)
{
    for (uint32_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].rule == rule)
            return kinds[i].key;
    must(false); /* every rule without a default has a key */
    return "";
}

/* Every route is covered by a row of every rule without a default. */
static struct result check_named(struct cfg_doc *c, const struct cfg_node *limits)
{
    struct deploy_doc *d = c->d;
    for (uint32_t rule = 1; rule < RISK_RULE_END; rule++) {
        if (rule_default[rule] != RISK_NO_DEFAULT)
            continue;
        for (uint32_t q = 0; q < d->route_count; q++) {
            const struct fact_route *r = &d->route[q];
            bool named = find_row(d, rule, 0, 0) != NULL ||
                         find_row(d, rule, r->instrument, 0) != NULL ||
                         find_row(d, rule, 0, r->strategy) != NULL ||
                         find_row(d, rule, r->instrument, r->strategy) != NULL;
            if (!named)
                return cfg_fail_key(c->f, CFG_MISSING, limits,
                                    "%s is missing for %s on %s (routes[%u]); limits have no "
                                    "hidden default, name it under limits.all or by_instrument",
                                    key_of(rule), d->instance[r->strategy - 1].fact.name,
                                    c->symbol[r->instrument - 1], q);
        }
    }
    return OK_RESULT;
}

struct result cfg_limits(struct cfg_doc *c)
{
    const struct cfg_node *limits = cfg_get(c->f->root, "limits");
    TRY(cfg_keys(c->f, limits, CFG_IN_LIMITS));
    struct scope all = {.map = cfg_get(limits, "all")};
    TRY(take_scope(c, &all));
    TRY(take_scopes(c, cfg_get(limits, "by_instrument"), false));
    TRY(take_scopes(c, cfg_get(limits, "by_strategy"), true));
    return check_named(c, limits);
}
