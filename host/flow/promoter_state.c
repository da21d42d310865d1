/* SPDX-License-Identifier: Apache-2.0
 *
 * How each new build comes to know what it must (ABI-RULES section 4, step 7):
 *
 *   replay   every node declares its warm-up, and history is long enough
 *   state    a node keeps state that no history makes again, or history is too short; the running
 *            build has a node of the same name and plugin whose state fits
 *   cold     neither: only while the strategy holds nothing
 *
 * A state that fits is one that state_load would take; it is looked at here first, because what
 * cannot be taken must not cost the engine a save between two events. Where a bay takes state at
 * all, each of its nodes that can does: an average that was replayed beside a strategy that was
 * not would be a mixture of two pasts. The replay comes before and is overwritten by it.
 */
#include "flow/promoter_priv.h"
#include <stdio.h>
#include <string.h>
#include "base/must.h"

enum { WHY_BYTES = 192 };

/* ---- does it fit? ---- */

static const struct tn_manifest *manifest_of(const struct plant *p, uint32_t place)
{
    return p->module[place] != NULL ? &bay_module_facts(p->module[place])->manifest : NULL;
}

/* A parameter that both know has the same value. */
static bool same_params(const struct tn_manifest *a, const union tn_number *av,
                        const struct tn_manifest *b, const union tn_number *bv)
{
    for (uint32_t i = 0; i < a->param_count; i++) {
        for (uint32_t k = 0; k < b->param_count; k++) {
            if (strncmp(a->params[i].name, b->params[k].name, TN_NAME_BYTES) == 0 &&
                memcmp(&av[i], &bv[k], sizeof av[i]) != 0)
                return false;
        }
    }
    return true;
}

static bool fits(const struct promoter_job *j, uint32_t place, uint32_t old_place)
{
    const struct plant *part = &j->offer->part, *old = j->old;
    const struct deploy_instance *d = &j->offer->doc->instance[place];
    const struct deploy_instance *o = &j->ask->doc->instance[old_place];
    const struct tn_manifest *m = manifest_of(part, place), *w = manifest_of(old, old_place);
    if (m == NULL || w == NULL || strcmp(d->fact.name, o->fact.name) != 0 ||
        strncmp(m->id, w->id, TN_NAME_BYTES) != 0)
        return false;
    return m->state_schema > 0 && w->state_schema > 0 && w->state_schema <= m->state_schema &&
           w->state_schema >= m->state_schema_oldest && d->bar_ns == o->bar_ns &&
           j->offer->ids.instrument[d->instrument - 1] ==
               j->old_ids.instrument[o->instrument - 1] &&
           same_params(m, part->params[place], w, old->params[old_place]);
}

static void find_passes(const struct promoter_job *j, struct promoter_seat *s)
{
    const struct plant_nodes *nodes = &j->offer->part.nodes[s->place];
    const struct plant_nodes *old = &j->old->nodes[s->old_place];
    for (uint32_t n = 0; n < nodes->count; n++) {
        for (uint32_t k = 0; k < old->count && !s->can_pass[n]; k++) {
            s->can_pass[n] = fits(j, nodes->at[n], old->at[k]);
            s->old_node[n] = k;
        }
    }
}

/* ---- decisions ---- */

/* Every node can be told by the old build what it knew. */
static bool can_pass_all(const struct promoter_job *j, const struct promoter_seat *s)
{
    for (uint32_t n = 0; n < j->offer->part.nodes[s->place].count; n++) {
        if (!s->can_pass[n])
            return false;
    }
    return true;
}

/* The first node whose state is needed and does not fit; the count of nodes when there is none. */
static uint32_t find_stuck(const struct promoter_job *j, const struct promoter_seat *s)
{
    const struct plant *part = &j->offer->part;
    const struct plant_nodes *nodes = &part->nodes[s->place];
    for (uint32_t n = 0; n < nodes->count; n++) {
        if (warm_needs_state(part, nodes->at[n]) && !s->can_pass[n])
            return n;
    }
    return nodes->count;
}

/* Why the state of this node cannot be passed on, for the sentence. */
static void say_misfit(const struct promoter_job *j, const struct promoter_seat *s, uint32_t node,
                       char out[WHY_BYTES])
{
    const uint32_t place = j->offer->part.nodes[s->place].at[node];
    const struct plant_nodes *old = &j->old->nodes[s->old_place];
    const struct deploy_instance *d = &j->offer->doc->instance[place];
    const struct tn_manifest *m = manifest_of(&j->offer->part, place), *w = NULL;
    for (uint32_t k = 0; k < old->count; k++) {
        if (strcmp(j->ask->doc->instance[old->at[k]].fact.name, d->fact.name) == 0)
            w = manifest_of(j->old, old->at[k]);
    }
    if (m != NULL && w != NULL && strncmp(m->id, w->id, TN_NAME_BYTES) == 0 &&
        (w->state_schema > m->state_schema || w->state_schema < m->state_schema_oldest))
        snprintf(out, WHY_BYTES, "the state of %s has schema %u, and %s %s reads %u to %u",
                 d->fact.name, w->state_schema, d->fact.plugin, d->fact.version,
                 m->state_schema_oldest, m->state_schema);
    else
        snprintf(out, WHY_BYTES, "the state of %s does not fit: other plugin, parameters or bars",
                 d->fact.name);
}

/* A cold build may take over only from a strategy that holds nothing. */
static struct result check_flat(struct promoter_job *j, const struct promoter_seat *s,
                                const char *why)
{
    const struct core_owned *o = &j->ask->owned[s->old_place];
    if (o->orders == 0 && o->stops == 0 && o->positions == 0)
        return OK_RESULT;
    j->why = PROMOTION_WHY_STATE;
    return FAIL(&j->tr, STATE,
                "strategy %s: the new build starts cold (%s), and it holds %u working orders, %u "
                "stops and %u positions; flatten it first, or promote one that can be warmed",
                j->offer->doc->instance[s->place].fact.name, why, o->orders, o->stops,
                o->positions);
}

static struct result decide(struct promoter_job *j, struct promoter_seat *s)
{
    const struct plant *part = &j->offer->part;
    char why[WHY_BYTES] = "a part of it has neither state nor warm-up";
    s->how = warm_how(part, part->instance[s->place].id);
    if (s->is_new) {
        s->how = s->how == WARM_STATE ? WARM_REPLAY : s->how; /* nobody has a state for it */
        return OK_RESULT;
    }
    find_passes(j, s);
    const uint32_t stuck = s->how == WARM_STATE ? find_stuck(j, s) : 0;
    if (s->how == WARM_STATE && stuck < part->nodes[s->place].count) {
        s->how = WARM_COLD;
        say_misfit(j, s, stuck, why);
    }
    s->wants_states = s->how == WARM_STATE;
    return s->how == WARM_COLD ? check_flat(j, s, why) : OK_RESULT;
}

static struct promoter_seat seat_of(const struct promoter_job *j, uint32_t strategy)
{
    const struct deploy_doc *doc = j->offer->doc, *before = j->ask->doc;
    struct promoter_seat s = {.is_new = true};
    while (j->offer->part.instance[s.place].id != strategy)
        s.place++;
    for (uint32_t i = 0; before != NULL && i < before->instance_count; i++) {
        if (strcmp(before->instance[i].fact.name, doc->instance[s.place].fact.name) != 0 ||
            j->old->nodes[i].count == 0)
            continue;
        s.is_new = false;
        s.old_place = i;
    }
    return s;
}

/* A first look at the history: where it is too short for a replay, the running build is asked for
 * its state as second choice. It changes what is asked for, never what is put on record. */
static struct result look_back(struct promoter_job *j)
{
    struct warm_report *rep = &j->offer->warm;
    TRY(warm_count(&j->offer->part, j->p->o.journal_dir, j->ask->seq, &j->p->stop, rep, &j->tr));
    for (uint32_t i = 0; i < j->seat_count; i++) {
        struct promoter_seat *s = &j->seat[i];
        if (s->how == WARM_REPLAY && !s->is_new && rep->seat[i].have < rep->seat[i].need)
            s->wants_states = can_pass_all(j, s);
    }
    return OK_RESULT;
}

struct result promoter_seats(struct promoter_job *j)
{
    const struct plant *part = &j->offer->part;
    struct result r = OK_RESULT;
    j->seat_count = belief_count(part->belief);
    must(j->seat_count <= DEPLOY_INSTANCES_MAX);
    for (uint32_t i = 0; i < j->seat_count && is_ok(r); i++) {
        struct bay *bay;
        j->seat[i] = seat_of(j, belief_seat(part->belief, i, &bay)->strategy);
        r = decide(j, &j->seat[i]);
    }
    return is_ok(r) ? look_back(j) : r;
}

/* ---- asking and handing over ---- */

void promoter_wanted(const struct promoter_job *j, struct promoter_news *out)
{
    for (uint32_t i = 0; i < j->seat_count; i++) {
        const struct promoter_seat *s = &j->seat[i];
        const uint32_t count = j->offer->part.nodes[s->place].count;
        for (uint32_t n = 0; s->wants_states && n < count; n++) {
            if (!s->can_pass[n] || out->state_count == PROMOTER_STATES_MAX)
                continue;
            const uint32_t at = out->state_count++;
            out->state[at].strategy = j->old_ids.instance[s->old_place];
            out->state[at].generation = j->old_ids.generation[s->old_place];
            out->state[at].node = s->old_node[n];
        }
    }
}

static const struct promoter_state *find_state(const struct promoter_job *j,
                                               const struct promoter_seat *s, uint32_t node)
{
    const struct promoter_listening *l = j->listening;
    for (uint32_t i = 0; i < l->state_count; i++) {
        if (l->state[i].strategy == j->old_ids.instance[s->old_place] &&
            l->state[i].node == s->old_node[node])
            return &l->state[i];
    }
    return NULL;
}

/* For belief replay: whose state this instance began with (tbl/facts.h). */
static void say_state(struct promoter_job *j, const struct promoter_seat *s, uint32_t node)
{
    const struct plant *part = &j->offer->part;
    const struct fact_plugin f = {.instance = part->instance[part->nodes[s->place].at[node]].id,
                                  .what = FACT_PLUGIN_WARM,
                                  .from_seq = j->listening->from_seq,
                                  .to_seq = j->old_ids.generation[s->old_place]};
    promoter_say(j, FACT_PLUGIN, (uint32_t)j->offer->doc->fact.serial, &f);
}

static struct result load_node(struct promoter_job *j, const struct promoter_seat *s, uint32_t node,
                               struct bay *bay, bool is_needed)
{
    const struct promoter_state *st = s->can_pass[node] ? find_state(j, s, node) : NULL;
    if (st != NULL && st->bytes != NULL) {
        TRY(bay->ops->load(bay, node, st->bytes, st->count, &j->tr));
        say_state(j, s, node);
        return OK_RESULT;
    }
    if (!is_needed)
        return OK_RESULT;
    j->why = PROMOTION_WHY_STATE;
    return FAIL(
        &j->tr, STATE,
        "strategy %s: the running build's state was not to be had: %s; promote it again, or "
        "a build that declares its warm-up",
        j->offer->doc->instance[s->place].fact.name, st != NULL ? st->text : "it was not saved");
}

static struct result hand_over(struct promoter_job *j, uint32_t i)
{
    const struct promoter_seat *s = &j->seat[i];
    const struct plant *part = &j->offer->part;
    const struct plant_nodes *nodes = &part->nodes[s->place];
    struct warm_seat *w = &j->offer->warm.seat[i];
    const bool is_short = w->have < w->need;
    struct result r = OK_RESULT;
    struct bay *bay;
    w->how = s->how;
    if (!s->wants_states || (s->how == WARM_REPLAY && !is_short))
        return r;
    /* With a history that is too short every node has to be told; nothing is half warm. */
    if (is_short && !can_pass_all(j, s))
        return r;
    (void)belief_seat(part->belief, i, &bay);
    for (uint32_t n = 0; n < nodes->count && is_ok(r); n++)
        r = load_node(j, s, n, bay, is_short || warm_needs_state(part, nodes->at[n]));
    w->how = WARM_STATE;
    return r;
}

struct result promoter_hand_over(struct promoter_job *j)
{
    struct result r = OK_RESULT;
    must(j->offer->warm.seat_count == j->seat_count);
    for (uint32_t i = 0; i < j->seat_count && is_ok(r); i++)
        r = hand_over(j, i);
    return r;
}
