/* SPDX-License-Identifier: Apache-2.0
 *
 * Two documents to one list of differences. The list is of texts, made from the parsed tables and
 * not from the files: 0.10 and 0.1, 60s and 1m, a limit for all and the same one for each, an entry
 * here or ten lines further down are no differences. What a number is printed as decides whether it
 * differs, since num_print gives each value one text.
 *
 * Everything is found by name. A document has at most 64 of a kind, so plain loops do; the list is
 * made once per file that a person hands over.
 */
#include "deploy/change.h"
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "deploy/change_priv.h"

static_assert(sizeof(((struct change_row *)0)->path) >= 10 + 2 * FACT_NAME_BYTES + 8,
              "instances.NAME.params.NAME fits");

void change_add(struct change_pair *p, uint32_t kind, uint32_t direction, struct change_at at,
                const char *path, const char *before, const char *after)
{
    struct change *out = p->out;
    out->kinds |= kind;
    out->raises |= direction == CHANGE_RAISES;
    out->tightens |= direction == CHANGE_TIGHTENS;
    out->only_tightens &= direction == CHANGE_TIGHTENS;
    if (out->row_count == CHANGE_ROWS_MAX) {
        p->full = true;
        return;
    }
    struct change_row *r = &out->row[out->row_count++];
    *r = (struct change_row){
        .kind = kind, .direction = direction, .old_line = at.was, .new_line = at.is};
    snprintf(r->path, sizeof(r->path), "%.95s", path);
    snprintf(r->before, sizeof(r->before), "%.95s", before);
    snprintf(r->after, sizeof(r->after), "%.95s", after);
}

void change_text(struct change_pair *p, uint32_t kind, uint32_t direction, struct change_at at,
                 const char *path, const char *before, const char *after)
{
    if (strcmp(before, after) != 0)
        change_add(p, kind, direction, at, path, before, after);
}

uint32_t change_currency(const struct deploy_doc *d, const char *name)
{
    for (uint32_t i = 0; i < d->currency_count; i++)
        if (strcmp(d->currency[i].name, name) == 0)
            return i;
    return CHANGE_NONE;
}

uint32_t change_account(const struct deploy_doc *d, const char *name)
{
    for (uint32_t i = 0; i < d->account_count; i++)
        if (strcmp(d->account[i].name, name) == 0)
            return i;
    return CHANGE_NONE;
}

uint32_t change_instrument(const struct deploy_doc *d, const char *symbol)
{
    for (uint32_t i = 0; i < d->instrument_count; i++)
        if (strcmp(d->instrument[i].symbol, symbol) == 0)
            return i;
    return CHANGE_NONE;
}

uint32_t change_instance(const struct deploy_doc *d, const char *name)
{
    for (uint32_t i = 0; i < d->instance_count; i++)
        if (strcmp(d->instance[i].fact.name, name) == 0)
            return i;
    return CHANGE_NONE;
}

const char *change_strategy_of(const struct deploy_doc *d, uint32_t route)
{
    must(route < d->route_count);
    return d->instance[d->route[route].strategy - 1].fact.name;
}

const char *change_symbol_of(const struct deploy_doc *d, uint32_t route)
{
    must(route < d->route_count);
    return d->instrument[d->route[route].instrument - 1].symbol;
}

uint32_t change_route(const struct deploy_doc *d, const char *strategy, const char *symbol)
{
    for (uint32_t i = 0; i < d->route_count; i++)
        if (strcmp(change_strategy_of(d, i), strategy) == 0 &&
            strcmp(change_symbol_of(d, i), symbol) == 0)
            return i;
    return CHANGE_NONE;
}

const char *change_settle_of(const struct deploy_doc *d, uint32_t instrument)
{
    must(instrument < d->instrument_count);
    return d->currency[d->instrument[instrument].settle - 1].name;
}

const char *change_money_of(const struct deploy_doc *d, uint32_t account)
{
    must(account < d->account_count);
    return d->currency[d->account[account].currency - 1].name;
}

struct result change_find(const struct deploy_doc *before, const struct deploy_doc *after,
                          struct change *out, struct trail *tr)
{
    static const struct deploy_doc nothing;
    struct change_pair p = {.was = before != NULL ? before : &nothing, .is = after, .out = out};
    must(after != NULL);
    memset(out, 0, sizeof(*out));
    out->only_tightens = true; /* until a row says otherwise */
    change_markets(&p);
    change_instances(&p);
    change_routes(&p);
    change_limits(&p);
    change_rates(&p);
    change_times(&p);
    change_swaps(&p);
    out->only_tightens &= out->row_count > 0;
    if (p.full)
        return FAIL(tr, FULL,
                    "%s differs in more than %d places from the running deployment; promote it in "
                    "several steps",
                    after->path, CHANGE_ROWS_MAX);
    return OK_RESULT;
}
