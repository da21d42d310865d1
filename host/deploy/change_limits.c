/* SPDX-License-Identifier: Apache-2.0
 *
 * Differences of limits. A row that came, went or changed is listed by its own value, but whether
 * it raises risk is judged by what holds: the core takes the tightest row that applies to a book,
 * and a rule's default where none does. So a limit moved from `all` to each instrument is neither
 * more nor less, a collar of 5 % where the default of 2 % held before is more, and a dropped row
 * under a wider one of the same value changes nothing. Books that only one of the documents has do
 * not count: their route is a difference of its own.
 */
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "base/num.h"
#include "deploy/cfg.h"
#include "deploy/change_priv.h"

struct kind { /* one settable limit */
    const char *key;
    int exp;
};
static const struct kind kinds[RISK_RULE_END] = {
#define X(key, rule, exp, min, max, unit) [RISK_##rule] = {#key, exp},
    CFG_LIMITS(X)
#undef X
};
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

bool change_applies(const struct fact_limit *l, const struct fact_route *r)
{
    return (l->instrument == 0 || l->instrument == r->instrument) &&
           (l->strategy == 0 || l->strategy == r->strategy);
}

int64_t change_effective(const struct deploy_doc *d, uint32_t route, uint32_t rule)
{
    int64_t limit = 0;
    bool named = false;
    for (uint32_t i = 0; i < d->limit_count; i++) {
        const struct fact_limit *l = &d->limit[i];
        if (l->rule != rule || !change_applies(l, &d->route[route]))
            continue;
        limit = !named || l->limit < limit ? l->limit : limit;
        named = true;
    }
    return named ? limit : rule_default[rule] == RISK_NO_DEFAULT ? 0 : rule_default[rule];
}

/* What the row, of document d, does on the routes that both documents have. */
static uint32_t direction(const struct change_pair *p, const struct deploy_doc *d,
                          const struct fact_limit *l)
{
    bool tightens = false;
    for (uint32_t i = 0; i < d->route_count; i++) {
        uint32_t was = change_route(p->was, change_strategy_of(d, i), change_symbol_of(d, i));
        uint32_t is = change_route(p->is, change_strategy_of(d, i), change_symbol_of(d, i));
        if (!change_applies(l, &d->route[i]) || was == CHANGE_NONE || is == CHANGE_NONE)
            continue;
        int64_t before = change_effective(p->was, was, l->rule);
        int64_t after = change_effective(p->is, is, l->rule);
        if (after > before)
            return CHANGE_RAISES;
        tightens |= after < before;
    }
    return tightens ? CHANGE_TIGHTENS : CHANGE_SAME;
}

static const char *strategy_name(const struct deploy_doc *d, const struct fact_limit *l)
{
    return l->strategy != 0 ? d->instance[l->strategy - 1].fact.name : "";
}

static const char *symbol_name(const struct deploy_doc *d, const struct fact_limit *l)
{
    return l->instrument != 0 ? d->instrument[l->instrument - 1].symbol : "";
}

static uint32_t find(const struct deploy_doc *d, const struct deploy_doc *of,
                     const struct fact_limit *l)
{
    for (uint32_t i = 0; i < d->limit_count; i++)
        if (d->limit[i].rule == l->rule &&
            strcmp(strategy_name(d, &d->limit[i]), strategy_name(of, l)) == 0 &&
            strcmp(symbol_name(d, &d->limit[i]), symbol_name(of, l)) == 0)
            return i;
    return CHANGE_NONE;
}

/* Exponent of a row's number as it is written. */
static int exponent(const struct deploy_doc *d, const struct fact_limit *l)
{
    if (rule_unit[l->rule] == RISK_UNIT_QTY) {
        must(l->instrument != 0);
        return d->instrument[l->instrument - 1].qty_exp;
    }
    for (uint32_t i = 0; i < d->route_count && rule_unit[l->rule] == RISK_UNIT_MONEY; i++)
        if (change_applies(l, &d->route[i]))
            return d->currency[d->account[d->route[i].account - 1].currency - 1].exp;
    return kinds[l->rule].exp;
}

void change_limit_text(const struct deploy_doc *d, const struct fact_limit *l,
                       char out[NUM_TEXT_BYTES])
{
    num_print(l->limit, exponent(d, l), out);
}

static void word(const struct deploy_doc *d, uint32_t i, char out[NUM_TEXT_BYTES])
{
    out[0] = 0;
    if (i != CHANGE_NONE)
        change_limit_text(d, &d->limit[i], out);
}

static void path_of(const struct deploy_doc *d, const struct fact_limit *l, char out[96])
{
    const char *key = kinds[l->rule].key;
    if (l->strategy != 0)
        snprintf(out, 96, "limits.by_strategy.%.31s.%s", strategy_name(d, l), key);
    else if (l->instrument != 0)
        snprintf(out, 96, "limits.by_instrument.%.31s.%s", symbol_name(d, l), key);
    else
        snprintf(out, 96, "limits.all.%s", key);
}

static void row(struct change_pair *p, uint32_t old, uint32_t i)
{
    char path[96], was[NUM_TEXT_BYTES], is[NUM_TEXT_BYTES];
    const struct deploy_doc *d = i != CHANGE_NONE ? p->is : p->was;
    const struct fact_limit *l = i != CHANGE_NONE ? &p->is->limit[i] : &p->was->limit[old];
    struct change_at at = {old != CHANGE_NONE ? p->was->limit[old].line : 0,
                           i != CHANGE_NONE ? p->is->limit[i].line : 0};
    must(kinds[l->rule].key != NULL);
    path_of(d, l, path);
    word(p->was, old, was);
    word(p->is, i, is);
    if (strcmp(was, is) != 0)
        change_add(p, CHANGE_LIMIT, direction(p, d, l), at, path, was, is);
}

void change_limits(struct change_pair *p)
{
    for (uint32_t i = 0; i < p->is->limit_count; i++)
        row(p, find(p->was, p->is, &p->is->limit[i]), i);
    for (uint32_t i = 0; i < p->was->limit_count; i++)
        if (find(p->is, p->was, &p->was->limit[i]) == CHANGE_NONE)
            row(p, i, CHANGE_NONE);
}
