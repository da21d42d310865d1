/* SPDX-License-Identifier: Apache-2.0
 *
 * Definitions by number and moment. They are few (hundreds) and are kept in the order of the
 * journal, so "as it was after event n" is a walk backwards that skips what is younger: no index
 * that could disagree with the journal.
 *
 * Rows of a promotion are staged first and count from its DEPLOY on: they get that event's number
 * here, behind a STAGE row, since its limits replace what was there. Those of one that was refused
 * or dropped are forgotten.
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
           type == FACT_INPUT || type == FACT_ROUTE || type == FACT_LIMIT || type == FACT_SIGNATURE;
}

/* ---- what is staged ---- */

static void take_stage(struct story_stage *g, const struct fact_view *v)
{
    if (v->u.fact_stage.what != FACT_STAGE_COMMIT)
        g->rows.count = 0;
    g->is_open = v->u.fact_stage.what == FACT_STAGE_BEGIN;
    memcpy(g->sha256, v->u.fact_stage.sha256, sizeof g->sha256);
}

/* The staged rows count from this event on. */
static void take_deploy(struct story_list *names, struct story_stage *g, const struct fact_view *v)
{
    struct fact_head head = v->head;
    g->deploy_seq = v->head.seq;
    g->count_before = names->count;
    story_list_add(names, &v->head, v->u.bytes);
    if (memcmp(g->sha256, v->u.fact_deploy.sha256, sizeof g->sha256) != 0 || g->rows.count == 0)
        return;
    head.type = FACT_STAGE;
    head.bytes = 0;
    story_list_add(names, &head, "");
    for (uint32_t i = 0; i < g->rows.count; i++) {
        head = g->rows.row[i].head;
        head.seq = v->head.seq;
        story_list_add(names, &head, g->rows.row[i].u.bytes);
    }
}

void story_names_take(struct story_list *names, struct story_stage *g, const struct fact_view *v)
{
    if (v->head.type == FACT_STAGE)
        take_stage(g, v);
    else if (v->head.type == FACT_DEPLOY)
        take_deploy(names, g, v);
    else if (v->head.type == FACT_IGNORED && v->head.seq == g->deploy_seq)
        names->count = g->count_before; /* the core did not take it */
    else if (story_is_name(v->head.type) && g->is_open && v->head.type != FACT_START &&
             v->head.type != FACT_SIGNATURE)
        story_list_add(&g->rows, &v->head, v->u.bytes);
    else if (story_is_name(v->head.type))
        story_list_add(names, &v->head, v->u.bytes);
}

/* ---- as it was ---- */

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

const struct fact_view *story_build(const struct story_list *names, uint32_t instance,
                                    uint32_t generation, uint64_t upto)
{
    for (uint32_t i = names->count; i-- > 0;) {
        const struct fact_view *v = &names->row[i];
        if (v->head.type == FACT_INSTANCE && v->head.seq <= upto &&
            v->u.fact_instance.id == instance && v->head.generation == generation)
            return v;
    }
    return NULL;
}

static bool same_signature(const struct fact_view *a, const struct fact_view *b)
{
    const struct fact_signature *x = &a->u.fact_signature, *y = &b->u.fact_signature;
    return a->head.type == b->head.type && x->role == y->role &&
           memcmp(x->sha256, y->sha256, sizeof x->sha256) == 0 &&
           memcmp(x->key_id, y->key_id, sizeof x->key_id) == 0;
}

/* A document that was handed over twice has its signatures on record twice. */
const struct fact_signature *story_signature(const struct story_list *names,
                                             const uint8_t sha256[FACT_HASH_BYTES], uint32_t n)
{
    for (uint32_t i = 0; i < names->count; i++) {
        const struct fact_view *v = &names->row[i];
        bool again = false;
        if (v->head.type != FACT_SIGNATURE ||
            memcmp(v->u.fact_signature.sha256, sha256, FACT_HASH_BYTES) != 0)
            continue;
        for (uint32_t k = 0; k < i && !again; k++)
            again = same_signature(&names->row[k], v);
        if (!again && n-- == 0)
            return &v->u.fact_signature;
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
                                     uint32_t generation, uint32_t input, uint64_t upto)
{
    for (uint32_t i = names->count; i-- > 0;) {
        const struct fact_view *v = &names->row[i];
        if (v->head.type == FACT_INPUT && v->head.seq <= upto && v->head.generation == generation &&
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
    uint32_t from = names->count; /* a staged deployment brings all its limits */
    while (from > 0 &&
           (names->row[from - 1].head.type != FACT_STAGE || names->row[from - 1].head.seq > upto))
        from--;
    for (uint32_t i = from; i < names->count; i++) {
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
        .signer = s->signer,
        .signer_count = s->signer_count,
    };
}

static void fill_lines(const struct story_list *names, struct story_scope *s)
{
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        const struct fact_limit *l =
            story_limit(names, r, s->strategy->id, s->instrument->id, s->upto);
        s->rule_line[r] = l ? l->line : 0;
    }
}

void story_scope_build(const struct story_list *names, uint32_t generation, struct story_scope *s)
{
    s->generation = generation;
    for (uint32_t i = 0; i < TN_MAX_INPUTS; i++) {
        const struct fact_input *in = story_input(names, s->strategy->id, generation, i, s->upto);
        s->input[i] = in ? in->name : NULL;
    }
}

static void fill_signers(const struct story_list *names, struct story_scope *s)
{
    const struct fact_signature *f;
    for (uint32_t n = 0; (f = story_signature(names, s->deploy->sha256, n)) != NULL; n++) {
        bool again = s->signer_count == STORY_SIGNERS_MAX;
        for (uint32_t i = 0; i < s->signer_count && !again; i++)
            again = strncmp(s->signer[i], f->person, sizeof f->person) == 0;
        if (!again)
            s->signer[s->signer_count++] = f->person;
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
    story_scope_build(names, p ? p->head.generation : 0, out);
    fill_signers(names, out);
    fill_json(out);
    return OK_RESULT;
}
