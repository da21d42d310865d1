/* SPDX-License-Identifier: Apache-2.0
 *
 * See stage.h. Ids are found by linear search through names: this runs once per promotion, off the
 * engine's thread, and tables of 64 rows need no index. Rows come in the order in which the core
 * takes them: what a row names (a currency, an instrument, an account, an instance) stands before
 * it.
 */
#include "flow/stage.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

/* ---- what the core knows ---- */

void stage_names(const struct core *c, struct stage_names *out)
{
    memset(out, 0, sizeof *out);
    struct fact_instrument f;
    struct core_account_view a;
    struct core_instance_view v;
    uint32_t id;
    while (out->currency_count < DEPLOY_CURRENCIES_MAX &&
           core_currency(c, out->currency_count, &id, out->currency[out->currency_count]))
        out->currency_count++;
    while (out->instrument_count < DEPLOY_INSTRUMENTS_MAX &&
           core_instrument(c, out->instrument_count, &f))
        memcpy(out->instrument[out->instrument_count++], f.symbol, sizeof f.symbol);
    while (out->account_count < DEPLOY_ACCOUNTS_MAX && core_account(c, out->account_count, &a))
        memcpy(out->account[out->account_count++], a.name, sizeof a.name);
    while (out->instance_count < STAGE_INSTANCES_MAX && core_instance(c, out->instance_count, &v)) {
        uint32_t i = out->instance_count++;
        memcpy(out->instance[i].name, v.name, sizeof v.name);
        out->instance[i].generation = v.generation;
        out->instance[i].generation_before = v.generation_before;
        out->instance[i].is_removed = v.is_removed;
    }
}

/* ---- ids ---- */

/* Place of a name in an array of names `stride` bytes apart; `count` when it is not there. */
static uint32_t find(const void *names, size_t stride, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strncmp((const char *)names + i * stride, name, FACT_NAME_BYTES) == 0)
            return i;
    }
    return count;
}

/* Gives the id of one thing: its row when the core has it, else the next free one. */
static struct result id_of(uint32_t found, uint32_t known, uint32_t *fresh, uint32_t max,
                           const char *what, const struct deploy_doc *d, uint32_t *out,
                           struct trail *tr)
{
    if (found < known) {
        *out = found + 1;
        return OK_RESULT;
    }
    if (known + *fresh >= max)
        return FAIL(tr, FULL,
                    "%s: names a new %s, and this journal has had all %u that a host can have; use "
                    "names it had before, or begin a new journal",
                    d->path, what, max);
    *out = known + ++*fresh;
    return OK_RESULT;
}

struct result stage_ids(const struct stage_names *n, const struct deploy_doc *d,
                        struct stage_ids *out, struct trail *tr)
{
    uint32_t fresh = 0;
    struct result r = OK_RESULT;
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < d->currency_count && is_ok(r); i++)
        r = id_of(find(n->currency, sizeof n->currency[0], n->currency_count, d->currency[i].name),
                  n->currency_count, &fresh, DEPLOY_CURRENCIES_MAX, "currency", d,
                  &out->currency[i], tr);
    fresh = 0;
    for (uint32_t i = 0; i < d->instrument_count && is_ok(r); i++)
        r = id_of(find(n->instrument, sizeof n->instrument[0], n->instrument_count,
                       d->instrument[i].symbol),
                  n->instrument_count, &fresh, DEPLOY_INSTRUMENTS_MAX, "instrument", d,
                  &out->instrument[i], tr);
    fresh = 0;
    for (uint32_t i = 0; i < d->account_count && is_ok(r); i++)
        r = id_of(find(n->account, sizeof n->account[0], n->account_count, d->account[i].name),
                  n->account_count, &fresh, DEPLOY_ACCOUNTS_MAX, "account", d, &out->account[i],
                  tr);
    fresh = 0;
    for (uint32_t i = 0; i < d->instance_count && is_ok(r); i++) {
        uint32_t at =
            find(n->instance, sizeof n->instance[0], n->instance_count, d->instance[i].fact.name);
        r = id_of(at, n->instance_count, &fresh, STAGE_INSTANCES_MAX, "instance", d,
                  &out->instance[i], tr);
        if (at < n->instance_count && !n->instance[at].is_removed)
            out->generation[i] = n->instance[at].generation;
    }
    return r;
}

/* ---- rows ---- */

struct staging {
    const struct deploy_doc *before, *after;
    const struct stage_ids *old_ids, *ids;
    const struct change *change;
    struct stage_rows *out;
    struct trail *tr;
    bool is_full;
};

static struct stage_row *add(struct staging *s, uint32_t type, uint32_t generation)
{
    static struct stage_row spare; /* written to by nobody who reads it */
    if (s->out->count == STAGE_ROWS_MAX) {
        s->is_full = true;
        return &spare;
    }
    struct stage_row *r = &s->out->row[s->out->count++];
    *r = (struct stage_row){.type = type, .generation = generation};
    return r;
}

static uint32_t instrument_id(const struct stage_ids *ids, uint32_t at)
{
    return at == 0 ? 0 : ids->instrument[at - 1];
}

static uint32_t instance_id(const struct stage_ids *ids, uint32_t at)
{
    return at == 0 ? 0 : ids->instance[at - 1];
}

static struct fact_instrument instrument_of(const struct deploy_doc *d, const struct stage_ids *ids,
                                            uint32_t i)
{
    struct fact_instrument f = d->instrument[i];
    f.id = ids->instrument[i];
    f.settle = ids->currency[f.settle - 1];
    return f;
}

static struct fact_route route_of(const struct deploy_doc *d, const struct stage_ids *ids,
                                  uint32_t i)
{
    struct fact_route f = d->route[i];
    f.strategy = instance_id(ids, f.strategy);
    f.instrument = instrument_id(ids, f.instrument);
    f.account = ids->account[f.account - 1];
    return f;
}

/* Currencies and accounts are for life; instruments may change their tick, lot and ages. */
static void add_market(struct staging *s)
{
    const struct deploy_doc *d = s->after, *b = s->before;
    for (uint32_t i = 0; i < d->currency_count; i++) {
        uint32_t at = b ? find(b->currency[0].name, sizeof b->currency[0], b->currency_count,
                               d->currency[i].name)
                        : 0;
        if (b != NULL && at < b->currency_count)
            continue;
        struct stage_row *r = add(s, FACT_CURRENCY, 0);
        r->u.currency = d->currency[i];
        r->u.currency.id = s->ids->currency[i];
    }
    for (uint32_t i = 0; i < d->instrument_count; i++) {
        struct fact_instrument f = instrument_of(d, s->ids, i);
        bool same = false;
        for (uint32_t k = 0; b != NULL && k < b->instrument_count && !same; k++) {
            struct fact_instrument old = instrument_of(b, s->old_ids, k);
            same = memcmp(&old, &f, sizeof f) == 0;
        }
        if (!same)
            add(s, FACT_INSTRUMENT, 0)->u.instrument = f;
    }
    for (uint32_t i = 0; i < d->account_count; i++) {
        if (b != NULL && find(b->account[0].name, sizeof b->account[0], b->account_count,
                              d->account[i].name) < b->account_count)
            continue;
        struct stage_row *r = add(s, FACT_ACCOUNT, 0);
        r->u.account = d->account[i];
        r->u.account.id = s->ids->account[i];
        r->u.account.currency = s->ids->currency[d->account[i].currency - 1];
    }
}

static void add_instances(struct staging *s, const struct fact_instance *facts,
                          const struct fact_input *inputs, uint32_t input_count,
                          const uint32_t *generation)
{
    const struct deploy_doc *d = s->after;
    for (uint32_t i = 0; i < d->instance_count; i++) {
        /* a strategy whose bay is another gives its signals under a new generation, also when only
         * an indicator of it changed */
        bool differs = s->before == NULL || s->change->differs[i] || s->change->swaps[i];
        uint32_t fresh = generation ? generation[i] : (uint32_t)d->fact.serial;
        s->out->generation[i] = differs ? fresh : s->ids->generation[i];
        if (!differs)
            continue;
        must(facts[i].id == s->ids->instance[i]);
        add(s, FACT_INSTANCE, fresh)->u.instance = facts[i];
    }
    for (uint32_t k = 0; k < input_count; k++) {
        for (uint32_t i = 0; i < d->instance_count; i++) {
            if (s->ids->instance[i] == inputs[k].instance &&
                (s->before == NULL || s->change->swaps[i]))
                add(s, FACT_INPUT, s->out->generation[i])->u.input = inputs[k];
        }
    }
}

/* They replace what is there: always all of them. */
static void add_limits(struct staging *s)
{
    const struct deploy_doc *d = s->after;
    for (uint32_t i = 0; i < d->limit_count; i++) {
        struct stage_row *r = add(s, FACT_LIMIT, 0);
        r->u.limit = d->limit[i];
        r->u.limit.instrument = instrument_id(s->ids, d->limit[i].instrument);
        r->u.limit.strategy = instance_id(s->ids, d->limit[i].strategy);
    }
    for (uint32_t i = 0; i < d->rate_count; i++) {
        struct stage_row *r = add(s, FACT_RATE, 0);
        r->u.rate = d->rate[i];
        r->u.rate.from = s->ids->currency[d->rate[i].from - 1];
        r->u.rate.to = s->ids->currency[d->rate[i].to - 1];
        r->u.rate.instrument = instrument_id(s->ids, d->rate[i].instrument);
    }
}

static void add_routes(struct staging *s)
{
    const struct deploy_doc *d = s->after, *b = s->before;
    for (uint32_t i = 0; i < d->route_count; i++) {
        struct fact_route f = route_of(d, s->ids, i);
        bool same = false;
        for (uint32_t k = 0; b != NULL && k < b->route_count && !same; k++) {
            struct fact_route old = route_of(b, s->old_ids, k);
            same = memcmp(&old, &f, sizeof f) == 0;
        }
        if (!same)
            add(s, FACT_ROUTE, 0)->u.route = f;
    }
}

static void remove_one(struct staging *s, uint32_t old, uint32_t instrument)
{
    const struct deploy_doc *d = s->after;
    struct stage_row *r = add(s, FACT_REMOVE, 0);
    r->u.remove.strategy = s->old_ids->instance[old];
    r->u.remove.instrument = instrument;
    for (uint32_t i = 0; i < d->remove_count; i++) {
        if (strcmp(d->remove[i].strategy, s->before->instance[old].fact.name) != 0)
            continue;
        r->u.remove.on_remove = d->remove[i].what;
        for (uint32_t k = 0; k < d->instance_count; k++) {
            if (strcmp(d->instance[k].fact.name, d->remove[i].to) == 0)
                r->u.remove.to = s->ids->instance[k];
        }
    }
}

/* Instances that are gone, and routes that are gone of strategies that stay. */
static void add_removes(struct staging *s)
{
    const struct deploy_doc *b = s->before, *d = s->after;
    bool gone[DEPLOY_INSTANCES_MAX] = {false};
    for (uint32_t i = 0; b != NULL && i < b->instance_count; i++) {
        bool stays = false;
        for (uint32_t k = 0; k < d->instance_count && !stays; k++)
            stays = s->ids->instance[k] == s->old_ids->instance[i];
        gone[i] = !stays;
        if (gone[i])
            remove_one(s, i, 0);
    }
    for (uint32_t i = 0; b != NULL && i < b->route_count; i++) {
        struct fact_route old = route_of(b, s->old_ids, i);
        bool stays = gone[b->route[i].strategy - 1];
        for (uint32_t k = 0; k < d->route_count && !stays; k++) {
            struct fact_route f = route_of(d, s->ids, k);
            stays = f.strategy == old.strategy && f.instrument == old.instrument;
        }
        if (!stays)
            remove_one(s, b->route[i].strategy - 1, old.instrument);
    }
}

struct result stage_rows(const struct deploy_doc *before, const struct stage_ids *old_ids,
                         const struct deploy_doc *after, const struct stage_ids *ids,
                         const struct change *change, const struct fact_instance *facts,
                         const struct fact_input *inputs, uint32_t input_count,
                         const uint32_t *generation, struct stage_rows *out, struct trail *tr)
{
    must((before == NULL) == (old_ids == NULL));
    struct staging s = {.before = before,
                        .after = after,
                        .old_ids = old_ids,
                        .ids = ids,
                        .change = change,
                        .out = out,
                        .tr = tr};
    memset(out, 0, sizeof *out);
    out->row = calloc(STAGE_ROWS_MAX, sizeof *out->row);
    must(out->row != NULL);
    add_market(&s);
    add_instances(&s, facts, inputs, input_count, generation);
    add_limits(&s);
    add_routes(&s);
    add_removes(&s);
    if (!s.is_full)
        return OK_RESULT;
    stage_rows_free(out);
    return FAIL(tr, FULL, "%s: changes more than %d rows at once; promote it in two steps",
                after->path, STAGE_ROWS_MAX);
}

void stage_rows_free(struct stage_rows *r)
{
    free(r->row);
    memset(r, 0, sizeof *r);
}
