/* SPDX-License-Identifier: Apache-2.0
 *
 * What no promotion can do while the host runs. Positions, orders and money are counted on an
 * instrument's exponents and in an account's currency; the journal's first events defined both.
 * A file that redefines them does not describe this host with other plugins but another host, which
 * a new journal is for. New accounts and instruments come with the same restart: the venue and the
 * market source are opened with those there are.
 *
 * on_remove is judged here too, since only the document before knows what leaves: a name that
 * nothing leaves under is a typing error in the one line that decides about a position.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/change_priv.h"

struct ask {
    const struct deploy_doc *was, *is;
    struct trail *tr;
};

static struct result fixed(const struct ask *a, uint32_t line, const char *section,
                           const char *name, const char *key, const char *was, const char *is)
{
    char where[CFG_PATH_BYTES];
    snprintf(where, sizeof(where), "%s%s%.40s%s%.40s", section, name[0] != 0 ? "." : "", name,
             key[0] != 0 ? "." : "", key);
    return cfg_fail_where(a->tr, a->is->path, CFG_FIXED, line != 0 ? line : 1, 1, where,
                          "cannot change from %.40s to %.40s while the host runs; keep %.40s, or "
                          "start a new journal with this file",
                          was, is, was);
}

/* Found by the list of differences, whose texts the sentence shows. */
static bool is_fixed_key(const char *path)
{
    static const char *const instrument[] = {"contract", "price_exponent", "qty_exponent",
                                             "multiplier", "settle"};
    const char *key = strrchr(path, '.');
    if (strncmp(path, "accounts.", 9) == 0)
        return strchr(path + 9, '.') != NULL && strstr(path, ".adapter.plugin") == NULL &&
               strstr(path, ".adapter.version") == NULL && strstr(path, ".adapter.sha256") == NULL;
    if (strncmp(path, "currencies.", 11) == 0)
        return strchr(path + 11, '.') != NULL;
    if (strncmp(path, "instruments.", 12) != 0)
        return false;
    for (size_t i = 0; i < sizeof(instrument) / sizeof(instrument[0]); i++)
        if (strcmp(key + 1, instrument[i]) == 0)
            return true;
    return false;
}

static struct result check_head(const struct ask *a)
{
    char was[32], is[32];
    if (strcmp(a->was->host, a->is->host) != 0)
        return fixed(a, a->is->line.host, "host", "", "", a->was->host, a->is->host);
    snprintf(was, sizeof(was), "%llu", (unsigned long long)a->was->seed);
    snprintf(is, sizeof(is), "%llu", (unsigned long long)a->is->seed);
    if (a->was->seed != a->is->seed)
        return fixed(a, a->is->line.seed, "seed", "", "", was, is);
    return OK_RESULT;
}

/* Currencies, accounts and instruments: what both have keeps its meaning. */
static struct result check_kept(const struct ask *a)
{
    struct change *c = calloc(1, sizeof(*c));
    must(c != NULL);
    struct result r = OK_RESULT;
    struct change_pair p = {.was = a->was, .is = a->is, .out = c};
    change_markets(&p); /* at most 1008 rows: they fit */
    must(!p.full);
    for (uint32_t i = 0; i < c->row_count && is_ok(r); i++)
        if (is_fixed_key(c->row[i].path))
            r = fixed(a, c->row[i].new_line, c->row[i].path, "", "", c->row[i].before,
                      c->row[i].after);
    free(c);
    return r;
}

static struct result check_new(const struct ask *a)
{
    for (uint32_t i = 0; i < a->is->account_count; i++)
        if (change_account(a->was, a->is->account[i].name) == CHANGE_NONE)
            return cfg_fail_where(a->tr, a->is->path, CFG_FIXED, a->is->line.account[i], 1,
                                  "accounts",
                                  "%s is a new account, and its venue is opened when the host "
                                  "starts; leave it out, or start a new journal with this file",
                                  a->is->account[i].name);
    for (uint32_t i = 0; i < a->is->instrument_count; i++)
        if (change_instrument(a->was, a->is->instrument[i].symbol) == CHANGE_NONE)
            return cfg_fail_where(a->tr, a->is->path, CFG_FIXED, a->is->line.instrument[i], 1,
                                  "instruments",
                                  "%s is a new instrument, and its market data is opened when the "
                                  "host starts; leave it out, or start a new journal with this "
                                  "file",
                                  a->is->instrument[i].symbol);
    return OK_RESULT;
}

static struct result check_routes(const struct ask *a)
{
    for (uint32_t i = 0; i < a->is->route_count; i++) {
        const char *strategy = change_strategy_of(a->is, i);
        uint32_t old = change_route(a->was, strategy, change_symbol_of(a->is, i));
        if (old == CHANGE_NONE)
            continue;
        const char *was = a->was->account[a->was->route[old].account - 1].name;
        const char *is = a->is->account[a->is->route[i].account - 1].name;
        if (strcmp(was, is) != 0)
            return fixed(a, a->is->line.route[i], "routes", strategy, "account", was, is);
    }
    return OK_RESULT;
}

/* The route of the document before that this line is about, or CHANGE_NONE. */
static uint32_t leaving(const struct ask *a, const char *strategy)
{
    for (uint32_t i = 0; i < a->was->route_count; i++)
        if (strcmp(change_strategy_of(a->was, i), strategy) == 0 &&
            change_route(a->is, strategy, change_symbol_of(a->was, i)) == CHANGE_NONE)
            return i;
    return CHANGE_NONE;
}

static struct result check_remove(const struct ask *a, const struct deploy_remove *r)
{
    char where[CFG_PATH_BYTES], hint[TRAIL_TEXT_BYTES];
    const char *known[DEPLOY_ROUTES_MAX];
    uint32_t count = 0, from = leaving(a, r->strategy);
    snprintf(where, sizeof(where), "on_remove.%s", r->strategy);
    for (uint32_t i = 0; i < a->was->route_count; i++)
        if (change_route(a->is, change_strategy_of(a->was, i), change_symbol_of(a->was, i)) ==
            CHANGE_NONE)
            known[count++] = change_strategy_of(a->was, i);
    cfg_hint(hint, sizeof(hint), "strategy ", r->strategy, known, count);
    if (from == CHANGE_NONE)
        return cfg_fail_where(a->tr, a->is->path, CFG_NAME, r->line, 1, where,
                              "no strategy of this name loses its route; remove the line%s", hint);
    if (r->what != FACT_ON_REMOVE_HAND_TO)
        return OK_RESULT;
    uint32_t to = change_route(a->is, r->to, change_symbol_of(a->was, from));
    const char *account = a->was->account[a->was->route[from].account - 1].name;
    if (to == CHANGE_NONE ||
        strcmp(a->is->account[a->is->route[to].account - 1].name, account) != 0)
        return cfg_fail_where(a->tr, a->is->path, CFG_CONFLICT, r->line, 1, where,
                              "%s has no route to %s on account %s, so it cannot take over what %s "
                              "owns there; name a strategy that has, or write flatten",
                              r->to, change_symbol_of(a->was, from), account, r->strategy);
    return OK_RESULT;
}

struct result change_allowed(const struct deploy_doc *before, const struct deploy_doc *after,
                             struct trail *tr)
{
    struct ask a = {.was = before, .is = after, .tr = tr};
    struct result r = OK_RESULT;
    must(after != NULL);
    if (before == NULL)
        return OK_RESULT;
    TRY(check_head(&a));
    TRY(check_kept(&a));
    TRY(check_new(&a));
    TRY(check_routes(&a));
    for (uint32_t i = 0; i < after->remove_count && is_ok(r); i++)
        r = check_remove(&a, &after->remove[i]);
    return r;
}
