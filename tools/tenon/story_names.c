/* SPDX-License-Identifier: Apache-2.0
 *
 * Definitions by number and moment. They are few (hundreds) and are kept in the order of the
 * journal, so "as it was after event n" is a walk backwards that skips what is younger: no index
 * that could disagree with the journal.
 *
 * Which row set a limit is found by the core's own rule: of the rows that apply, the last one for
 * each key counts, and the tightest of those binds (core/config.c).
 */
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "tools/tenon/story.h"

void story_list_add(struct story_list *l, const struct fact_head *head, const void *payload)
{
    must(head->bytes <= FACT_MAX_BYTES);
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : 64;
        l->row = realloc(l->row, l->room * sizeof *l->row);
        must(l->row != NULL);
    }
    struct fact_view *v = &l->row[l->count++];
    memset(v, 0, sizeof *v);
    v->head = *head;
    memcpy(&v->u, payload, head->bytes);
}

bool story_is_name(uint16_t type)
{
    return type == FACT_START || type == FACT_DEPLOY || type == FACT_CURRENCY ||
           type == FACT_INSTRUMENT || type == FACT_ACCOUNT || type == FACT_INSTANCE ||
           type == FACT_INPUT || type == FACT_ROUTE || type == FACT_LIMIT;
}

static uint32_t id_of(const struct fact_view *v)
{
    uint32_t id;
    memcpy(&id, v->u.bytes, sizeof id); /* the first member of all that are named by an id */
    return id;
}

const struct fact_view *story_name(const struct story_list *names, uint16_t type, uint32_t id,
                                   uint64_t upto)
{
    must(type == FACT_CURRENCY || type == FACT_INSTRUMENT || type == FACT_ACCOUNT ||
         type == FACT_INSTANCE);
    for (uint32_t i = names->count; i-- > 0;) {
        const struct fact_view *v = &names->row[i];
        if (v->head.type == type && v->head.seq <= upto && id_of(v) == id)
            return v;
    }
    return NULL;
}

const struct fact_view *story_last(const struct story_list *names, uint16_t type, uint64_t upto)
{
    for (uint32_t i = names->count; i-- > 0;) {
        if (names->row[i].head.type == type && names->row[i].head.seq <= upto)
            return &names->row[i];
    }
    return NULL;
}

const struct fact_input *story_input(const struct story_list *names, uint32_t instance,
                                     uint32_t input, uint64_t upto)
{
    for (uint32_t i = names->count; i-- > 0;) {
        const struct fact_view *v = &names->row[i];
        if (v->head.type == FACT_INPUT && v->head.seq <= upto &&
            v->u.fact_input.instance == instance && v->u.fact_input.input == input)
            return &v->u.fact_input;
    }
    return NULL;
}

const struct fact_route *story_route(const struct story_list *names, uint32_t strategy,
                                     uint32_t instrument, uint64_t upto)
{
    for (uint32_t i = names->count; i-- > 0;) {
        const struct fact_view *v = &names->row[i];
        if (v->head.type == FACT_ROUTE && v->head.seq <= upto &&
            v->u.fact_route.strategy == strategy && v->u.fact_route.instrument == instrument)
            return &v->u.fact_route;
    }
    return NULL;
}

static bool is_replaced(const struct story_list *names, uint32_t at, uint64_t upto)
{
    const struct fact_limit *l = &names->row[at].u.fact_limit;
    for (uint32_t i = at + 1; i < names->count; i++) {
        const struct fact_view *v = &names->row[i];
        if (v->head.type == FACT_LIMIT && v->head.seq <= upto && v->u.fact_limit.rule == l->rule &&
            v->u.fact_limit.instrument == l->instrument && v->u.fact_limit.strategy == l->strategy)
            return true;
    }
    return false;
}

const struct fact_limit *story_limit(const struct story_list *names, uint32_t rule,
                                     uint32_t strategy, uint32_t instrument, uint64_t upto)
{
    const struct fact_limit *best = NULL;
    for (uint32_t i = 0; i < names->count; i++) {
        const struct fact_view *v = &names->row[i];
        const struct fact_limit *l = &v->u.fact_limit;
        if (v->head.type != FACT_LIMIT || v->head.seq > upto || l->rule != rule ||
            (l->instrument != 0 && l->instrument != instrument) ||
            (l->strategy != 0 && l->strategy != strategy) || is_replaced(names, i, upto))
            continue;
        if (best == NULL || l->limit < best->limit)
            best = l;
    }
    return best;
}

/* ---- scope ---- */

static struct result missing(const char *what, uint32_t id, uint64_t upto, struct trail *tr)
{
    return FAIL(
        tr, NOT_FOUND,
        "the definition of %s %u is not in this journal before event %lu: its beginning was "
        "pruned; look in the archive",
        what, id, (unsigned long)upto);
}

static void fill_json(struct story_scope *s)
{
    s->json = (struct json_facts_names){
        .instance = s->strategy->name,
        .plugin = s->strategy->plugin,
        .version = s->strategy->version,
        .input = s->input,
        .input_count = TN_MAX_INPUTS,
        .instrument = s->instrument->symbol,
        .price_exp = s->instrument->price_exp,
        .qty_exp = s->instrument->qty_exp,
        .account = s->account->name,
        .money_exp = s->money->exp,
        .settle = s->settle->name,
        .settle_exp = s->settle->exp,
        .deployment = s->deploy->name,
        .rule_line = s->rule_line,
    };
}

static void fill_lines(const struct story_list *names, struct story_scope *s)
{
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        const struct fact_limit *l =
            story_limit(names, r, s->strategy->id, s->instrument->id, s->upto);
        s->rule_line[r] = l ? l->line : 0;
    }
    for (uint32_t i = 0; i < TN_MAX_INPUTS; i++) {
        const struct fact_input *in = story_input(names, s->strategy->id, i, s->upto);
        s->input[i] = in ? in->name : NULL;
    }
}

/* Positions found at the venue and intents that no route covers belong to nobody. */
static const struct fact_instance nobody = {.name = "EXTERNAL", .plugin = "", .version = ""};
static const struct fact_account nowhere = {.name = "(no route)"};
static const struct fact_deploy nothing = {.name = "(none)"};

struct result story_scope(const struct story_list *names, uint64_t upto, uint32_t strategy,
                          uint32_t instrument, uint32_t account, struct story_scope *out,
                          struct trail *tr)
{
    memset(out, 0, sizeof *out);
    const struct fact_view *i = story_name(names, FACT_INSTRUMENT, instrument, upto);
    const struct fact_view *a = story_name(names, FACT_ACCOUNT, account, upto);
    const struct fact_view *p = story_name(names, FACT_INSTANCE, strategy, upto);
    const struct fact_view *d = story_last(names, FACT_DEPLOY, upto);
    if (i == NULL)
        return missing("instrument", instrument, upto, tr);
    if (a == NULL && account != 0)
        return missing("account", account, upto, tr);
    if (p == NULL && strategy != 0)
        return missing("instance", strategy, upto, tr);
    uint32_t settle = i->u.fact_instrument.settle;
    uint32_t money = a ? a->u.fact_account.currency : settle;
    const struct fact_view *m = story_name(names, FACT_CURRENCY, money, upto);
    const struct fact_view *c = story_name(names, FACT_CURRENCY, settle, upto);
    if (m == NULL || c == NULL)
        return missing("currency", m == NULL ? money : settle, upto, tr);
    *out = (struct story_scope){.upto = upto,
                                .deploy = d ? &d->u.fact_deploy : &nothing,
                                .instrument = &i->u.fact_instrument,
                                .account = a ? &a->u.fact_account : &nowhere,
                                .strategy = p ? &p->u.fact_instance : &nobody,
                                .money = &m->u.fact_currency,
                                .settle = &c->u.fact_currency};
    fill_lines(names, out);
    fill_json(out);
    return OK_RESULT;
}
