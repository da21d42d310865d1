/* SPDX-License-Identifier: Apache-2.0
 *
 * What a deployment will be, before it is: rows that come between STAGE BEGIN and COMMIT are held
 * in tables of their own and change nothing, so all of them can be applied by one event (flip.c)
 * and none of them by half.
 *
 * Each row is checked when it comes, against what is there and what was staged before it; one that
 * does not fit is reported and breaks the stage, which then cannot be committed: a deployment with
 * a hole in it is another deployment. COMMIT also does what would be slow in the flip: the
 * effective limits of all books under the staged table, and which of them get tighter. Working them
 * out row by row at DEPLOY, as unstaged rows do, would make the pause grow with the table.
 *
 * Unstaged rows and a waiting stage exclude each other: while there is one, every row is its own.
 */
#include "core/state.h"

void staged_forget(struct core *c)
{
    c->staged = (struct staged){0};
}

static void refuse(struct core *c, uint16_t type, uint64_t about)
{
    if (!c->staged.is_committed) /* what is sealed stays what it was */
        c->staged.is_broken = 1;
    step_ignored(c, FACT_IGNORED_NOT_ALLOWED, type, about);
}

/* ---- what is there, or will be ---- */

bool staged_has_currency(const struct core *c, uint32_t id)
{
    if (id == 0 || id > c->max.currencies)
        return false;
    bool found = c->currency[id].id != 0;
    for (uint32_t i = 0; !found && i < c->staged.currency_count; i++)
        found = c->staged_currency[i].id == id;
    return found;
}

bool staged_has_instrument(const struct core *c, uint32_t id)
{
    if (id == 0 || id > c->max.instruments)
        return false;
    bool found = c->market[id].def.id != 0;
    for (uint32_t i = 0; !found && i < c->staged.instrument_count; i++)
        found = c->staged_instrument[i].id == id;
    return found;
}

bool staged_has_account(const struct core *c, uint32_t id)
{
    if (id == 0 || id > c->max.accounts)
        return false;
    bool found = c->account[id].def.id != 0;
    for (uint32_t i = 0; !found && i < c->staged.account_count; i++)
        found = c->staged_account[i].id == id;
    return found;
}

static bool is_staged_instance(const struct core *c, uint32_t id)
{
    for (uint32_t i = 0; i < c->staged.instance_count; i++) {
        if (c->staged_instance[i].def.id == id)
            return true;
    }
    return false;
}

bool staged_has_instance(const struct core *c, uint32_t id)
{
    if (id == 0 || id > c->max.instances)
        return false;
    const struct instance_row *r = &c->instance[id];
    return (r->id != 0 && r->is_removed == 0) || is_staged_instance(c, id);
}

/* ---- rows: the rule that one breaks, or NULL and it is held ---- */

static const char *add_currency(struct core *c, const struct fact_currency *e)
{
    struct staged *s = &c->staged;
    RULE(config_currency_ok(c, e));
    for (uint32_t i = 0; i < s->currency_count; i++)
        RULE(c->staged_currency[i].id != e->id);
    c->staged_currency[s->currency_count++] = *e;
    return NULL;
}

static const char *add_instrument(struct core *c, const struct fact_instrument *e)
{
    struct staged *s = &c->staged;
    RULE(config_instrument_ok(c, e) && config_instrument_stays(c, e));
    for (uint32_t i = 0; i < s->instrument_count; i++)
        RULE(c->staged_instrument[i].id != e->id);
    c->staged_instrument[s->instrument_count++] = *e;
    return NULL;
}

static const char *add_account(struct core *c, const struct fact_account *e)
{
    struct staged *s = &c->staged;
    RULE(config_account_ok(c, e));
    for (uint32_t i = 0; i < s->account_count; i++)
        RULE(c->staged_account[i].id != e->id);
    c->staged_account[s->account_count++] = *e;
    return NULL;
}

/* The very row; instrument 0: of the whole instance. */
static const struct fact_remove *removal(const struct core *c, uint32_t strategy,
                                         uint32_t instrument)
{
    for (uint32_t i = 0; i < c->staged.remove_count; i++) {
        if (c->staged_remove[i].strategy == strategy &&
            c->staged_remove[i].instrument == instrument)
            return &c->staged_remove[i];
    }
    return NULL;
}

const struct fact_remove *staged_removal(const struct core *c, uint32_t strategy,
                                         uint32_t instrument)
{
    const struct fact_remove *r = removal(c, strategy, instrument);
    return r != NULL ? r : removal(c, strategy, 0);
}

/* Ids are rows and have no gaps, over all deployments. */
static const char *add_instance(struct core *c, const struct staged_instance *e)
{
    struct staged *s = &c->staged;
    RULE(e->def.id != 0 && e->def.id <= c->max.instances);
    RULE(e->generation != 0 && e->generation <= UINT32_MAX); /* signed by somebody */
    RULE(e->def.id == 1 || c->instance[e->def.id - 1].id != 0 ||
         is_staged_instance(c, e->def.id - 1));
    RULE(!is_staged_instance(c, e->def.id));
    RULE(removal(c, e->def.id, 0) == NULL);
    c->staged_instance[s->instance_count++] = *e;
    return NULL;
}

const struct fact_route *staged_route(const struct core *c, uint32_t strategy, uint32_t instrument)
{
    for (uint32_t i = 0; i < c->staged.route_count; i++) {
        if (c->staged_route[i].strategy == strategy &&
            (instrument == 0 || c->staged_route[i].instrument == instrument))
            return &c->staged_route[i];
    }
    return NULL;
}

/* Routes that are there, and those staged that are not. */
static uint32_t routes_after(const struct core *c)
{
    uint32_t n = config_routes(c);
    for (uint32_t i = 0; i < c->staged.route_count; i++)
        n += book_find(c, c->staged_route[i].strategy, c->staged_route[i].instrument) == NULL;
    return n;
}

static const char *add_route(struct core *c, const struct fact_route *e)
{
    struct staged *s = &c->staged;
    RULE(config_route_ok(c, e));
    RULE(book_find(c, e->strategy, e->instrument) != NULL || routes_after(c) < c->max.routes);
    RULE(removal(c, e->strategy, 0) == NULL && removal(c, e->strategy, e->instrument) == NULL);
    RULE(staged_route(c, e->strategy, e->instrument) == NULL);
    c->staged_route[s->route_count++] = *e;
    return NULL;
}

/* Only what is there can go, once, and not while the same deployment brings it. */
static const char *add_remove(struct core *c, const struct fact_remove *e)
{
    struct staged *s = &c->staged;
    RULE(e->strategy != 0 && e->strategy <= c->max.instances);
    RULE(c->instance[e->strategy].id != 0 && c->instance[e->strategy].is_removed == 0);
    RULE(e->instrument == 0 || book_find(c, e->strategy, e->instrument) != NULL);
    RULE(e->instrument != 0 || !is_staged_instance(c, e->strategy));
    RULE(staged_route(c, e->strategy, e->instrument) == NULL);
    RULE(removal(c, e->strategy, e->instrument) == NULL);
    RULE(e->on_remove <= FACT_ON_REMOVE_HAND_TO);
    RULE((e->on_remove == FACT_ON_REMOVE_HAND_TO) == (e->to != 0));
    RULE(e->to == 0 || (e->to != e->strategy && staged_has_instance(c, e->to)));
    RULE(s->remove_count < c->max.instances + c->max.routes);
    c->staged_remove[s->remove_count++] = *e;
    return NULL;
}

static const char *add_limit(struct core *c, const struct fact_limit *e)
{
    struct staged *s = &c->staged;
    RULE(config_limit_ok(c, e));
    uint32_t i = config_limit_place(c->staged_limit, s->limit_count, e);
    RULE(i < c->max.limits);
    c->staged_limit[i] = *e;
    s->limit_count += i == s->limit_count;
    return NULL;
}

static const char *add_rate(struct core *c, const struct fact_rate *e)
{
    struct staged *s = &c->staged;
    RULE(config_rate_ok(c, e));
    uint32_t i = config_rate_place(c->staged_rate, s->rate_count, e);
    RULE(i < c->max.currencies * 2);
    c->staged_rate[i] = *e;
    s->rate_count += i == s->rate_count;
    return NULL;
}

/* What a refusal is about: as unstaged rows say it. */
static uint64_t about_of(const struct fact_head *head, const void *payload)
{
    switch (head->type) {
    case FACT_CURRENCY:
        return ((const struct fact_currency *)payload)->id;
    case FACT_INSTRUMENT:
        return ((const struct fact_instrument *)payload)->id;
    case FACT_ACCOUNT:
        return ((const struct fact_account *)payload)->id;
    case FACT_INSTANCE:
        return ((const struct fact_instance *)payload)->id;
    case FACT_ROUTE:
        return ((const struct fact_route *)payload)->strategy;
    case FACT_LIMIT:
        return ((const struct fact_limit *)payload)->rule;
    case FACT_RATE:
        return ((const struct fact_rate *)payload)->from;
    default:
        return ((const struct fact_remove *)payload)->strategy;
    }
}

static const char *add(struct core *c, const struct fact_head *head, const void *payload)
{
    switch (head->type) {
    case FACT_CURRENCY:
        return add_currency(c, payload);
    case FACT_INSTRUMENT:
        return add_instrument(c, payload);
    case FACT_ACCOUNT:
        return add_account(c, payload);
    case FACT_INSTANCE: {
        struct staged_instance e = {.generation = head->generation};
        e.def = *(const struct fact_instance *)payload;
        return add_instance(c, &e);
    }
    case FACT_ROUTE:
        return add_route(c, payload);
    case FACT_LIMIT:
        return add_limit(c, payload);
    case FACT_RATE:
        return add_rate(c, payload);
    case FACT_INPUT:
        return NULL; /* counted, for readers */
    default:
        must(head->type == FACT_REMOVE);
        return add_remove(c, payload);
    }
}

static bool is_row(uint16_t type)
{
    return (type >= FACT_CURRENCY && type <= FACT_RATE) || type == FACT_INPUT ||
           type == FACT_REMOVE;
}

bool staged_row(struct core *c, const struct fact_head *head, const void *payload)
{
    if (!c->staged.is_open || !is_row(head->type))
        return false;
    c->staged.rows += c->staged.is_committed ? 0 : 1;
    if (c->staged.is_committed || add(c, head, payload) != NULL)
        refuse(c, head->type, about_of(head, payload));
    return true;
}

/* ---- the stage ---- */

/* Effective limits under the staged table, and the rules of RISK_HELD_RULES that get tighter. */
static void derive_book(struct core *c, uint32_t book)
{
    int64_t *after = c->staged_effective[book];
    config_effective(c, c->staged_limit, c->staged.limit_count, book, after);
    c->tighter[book] = 0;
    for (uint32_t r = 1; r < RISK_RULE_END; r++)
        c->tighter[book] |= after[r] < c->effective[book][r] ? 1u << (r - 1) : 0u;
    c->tighter[book] &= RISK_HELD_RULES;
}

void staged_derive(struct core *c)
{
    for (uint32_t i = 1; c->staged.is_committed && i < c->book_count; i++)
        derive_book(c, i);
}

void staged_book(struct core *c, uint32_t book)
{
    if (c->staged.is_committed)
        derive_book(c, book);
}

static bool is_same(const struct core *c, const struct fact_stage *e)
{
    return c->staged.is_open && c->staged.serial == e->serial &&
           memcmp(c->staged.sha256, e->sha256, sizeof e->sha256) == 0;
}

static void commit(struct core *c, const struct fact_stage *e)
{
    struct staged *s = &c->staged;
    if (!is_same(c, e))
        step_ignored(c, FACT_IGNORED_NOT_STAGED, FACT_STAGE, e->serial);
    else if (s->is_committed)
        step_ignored(c, FACT_IGNORED_NOT_NEEDED, FACT_STAGE, e->serial);
    else if (s->is_broken || e->rows != s->rows)
        step_ignored(c, FACT_IGNORED_NOT_ALLOWED, FACT_STAGE, e->serial);
    else {
        s->is_committed = 1;
        staged_derive(c);
    }
}

void staged_stage(struct core *c, const struct fact_stage *e)
{
    switch (e->what) {
    case FACT_STAGE_BEGIN:
        staged_forget(c);
        c->staged.serial = e->serial;
        memcpy(c->staged.sha256, e->sha256, sizeof e->sha256);
        c->staged.run_until_ns = e->run_until_ns > 0 ? e->run_until_ns : 0;
        c->staged.is_open = 1;
        break;
    case FACT_STAGE_COMMIT:
        commit(c, e);
        break;
    case FACT_STAGE_DROP:
        if (!is_same(c, e))
            step_ignored(c, FACT_IGNORED_NOT_STAGED, FACT_STAGE, e->serial);
        else
            staged_forget(c);
        break;
    default:
        step_ignored(c, FACT_IGNORED_RESERVED_KIND, FACT_STAGE, e->what);
        break;
    }
}

/* Rows that a snapshot brought are added where they lie, in the order of what they refer to; a
 * REMOVE and the rows that exclude it are told apart whichever comes first. */
const char *staged_restore(struct core *c, const struct staged *to)
{
    const char *broken = NULL;
    RULE(to->is_open <= 1 && to->is_committed <= to->is_open && to->is_broken <= to->is_open);
    RULE(!(to->is_broken && to->is_committed) && to->run_until_ns >= 0);
    c->staged = (struct staged){0};
#define AGAIN(member)                                                                              \
    for (uint32_t i = 0; broken == NULL && i < to->member##_count; i++) {                          \
        broken = add_##member(c, &c->staged_##member[i]);                                          \
        if (broken == NULL && c->staged.member##_count != i + 1)                                   \
            broken = "each staged row stands once";                                                \
    }
    AGAIN(currency)
    AGAIN(instrument)
    AGAIN(account)
    AGAIN(instance)
    AGAIN(route)
    AGAIN(remove)
    AGAIN(limit)
    AGAIN(rate)
#undef AGAIN
    c->staged = *to;
    return broken;
}

void core_staged(const struct core *c, struct core_staged *out)
{
    *out = (struct core_staged){.serial = c->staged.serial,
                                .is_open = c->staged.is_open != 0,
                                .is_committed = c->staged.is_committed != 0};
    memcpy(out->sha256, c->staged.sha256, sizeof out->sha256);
}
