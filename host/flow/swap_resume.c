/* SPDX-License-Identifier: Apache-2.0
 *
 * What a promotion needs to know of the engine, copied; and an engine that starts while one is on
 * probation: the builds before it are built again beside the active ones, warmed by the same
 * history, and the way back is made again. A probation never ends by a restart.
 */
#include <stdlib.h>
#include <string.h>
#include "flow/lockstep_priv.h"

struct promoter_ask *swap_ask(struct lockstep *l, uint32_t kind, struct bundle *b, const char *by,
                              uint64_t request)
{
    struct promoter_ask *a = calloc(1, sizeof *a);
    struct deploy_doc *doc = malloc(sizeof *doc);
    size_t count = 0;
    must(a != NULL && doc != NULL && l->doc != NULL);
    const char *text = registry_text(l->registry, l->doc->fact.sha256, &count);
    must(text != NULL); /* it was parsed from it, or journaled at the start */
    a->kind = kind;
    a->request = request;
    a->bundle = b;
    snprintf(a->by, sizeof a->by, "%s", by);
    a->trust = l->trust;
    memcpy(a->host, l->doc->host, sizeof a->host);
    *doc = *l->doc;
    a->doc = doc;
    a->text = malloc(count + 1);
    must(a->text != NULL);
    memcpy(a->text, text, count + 1);
    a->text_count = count;
    a->serial = core_serial(l->core);
    memcpy(a->sha256, core_deployment(l->core), sizeof a->sha256);
    a->wall_floor_ns = registry_wall(l->registry);
    a->event_ns = l->seq.last_ns;
    a->seq = l->seq.last_seq;
    a->bars_from_trades = l->bars_from_trades;
    stage_names(l->core, &a->names);
    for (uint32_t i = 0; i < l->doc->instance_count; i++)
        core_owned(l->core, l->ids.instance[i], &a->owned[i]);
    if (kind == PROMOTER_REQUEST) {
        uint8_t sha256[FACT_HASH_BYTES];
        hash_sha256_once(b->file.bytes, b->file.count, sha256);
        a->is_used = registry_used(l->registry, sha256);
    }
    return a;
}

/* ---- after a start ---- */

struct resuming {
    struct lockstep *l;
    const struct registry_entry *now, *old;
    struct deploy_doc *doc; /* of the one before */
    struct stage_ids ids;
    struct stage_names names;
    struct change change;
    struct plant part;
};

/* The strategies of the one before that run beside those of the active one. */
static uint32_t choose(const struct resuming *k, bool only[DEPLOY_INSTANCES_MAX],
                       uint32_t generation[DEPLOY_INSTANCES_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < k->doc->instance_count; i++) {
        const char *name = k->doc->instance[i].fact.name;
        bool is_gone = true, is_swapped = false;
        for (uint32_t n = 0; n < k->l->doc->instance_count; n++) {
            if (strcmp(k->l->doc->instance[n].fact.name, name) != 0)
                continue;
            is_gone = false;
            is_swapped = k->change.swaps[n];
        }
        only[i] = is_gone || is_swapped;
        count += only[i];
        generation[i] = k->names.instance[k->ids.instance[i] - 1].generation_before;
    }
    return count;
}

static struct result build_old(struct resuming *k, struct trail *tr)
{
    struct lockstep *l = k->l;
    bool only[DEPLOY_INSTANCES_MAX] = {false};
    uint32_t generation[DEPLOY_INSTANCES_MAX] = {0};
    TRY(change_find(k->doc, l->doc, &k->change, tr));
    TRY(stage_ids(&k->names, k->doc, &k->ids, tr));
    if (choose(k, only, generation) == 0)
        return OK_RESULT;
    struct plant_options p = {.doc = k->doc,
                              .plugin_dir = l->o.plugin_dir,
                              .log = l->o.log,
                              .home = l->o.home,
                              .bars_from_trades = l->bars_from_trades,
                              .ids = &k->ids,
                              .generation = generation,
                              .only = only};
    TRY(plant_open(&p, &k->part, tr));
    for (uint32_t i = 0; i < k->doc->instance_count; i++) {
        if (!only[i] || k->part.instance[i].kind != TN_KIND_STRATEGY)
            continue;
        must(l->swap.old_count < DEPLOY_INSTANCES_MAX);
        l->swap.old[l->swap.old_count++] =
            (struct swap_build){.strategy = k->ids.instance[i], .generation = generation[i]};
    }
    for (uint32_t i = 0; i < k->part.bay_count; i++) {
        must(l->bay_count < BELIEF_BAYS_MAX);
        l->bay[l->bay_count++] = k->part.bay[i];
    }
    TRY(belief_adopt(l->plant.belief, k->part.belief, tr));
    plant_give(&k->part);
    return OK_RESULT;
}

static struct result make_way(struct resuming *k, struct trail *tr)
{
    struct lockstep *l = k->l;
    struct promoter_offer *c = calloc(1, sizeof *c);
    must(c != NULL);
    c->serial = k->now->serial;
    memcpy(c->sha256, k->now->sha256, sizeof c->sha256);
    l->swap.current = c;
    struct wayback_ask a = {.now = l->doc,
                            .now_ids = &l->ids,
                            .names = &k->names,
                            .is_flipped = true,
                            .plugin_dir = l->o.plugin_dir};
    a.old_text = registry_text(l->registry, k->old->sha256, &a.old_count);
    a.now_text = registry_text(l->registry, k->now->sha256, &a.now_count);
    if (a.old_text == NULL || a.now_text == NULL)
        return FAIL(tr, MISSING, "journal %s: does not hold the text of serial %lu",
                    l->o.journal_dir, (unsigned long)k->old->serial);
    return wayback_make(&a, &c->back, tr);
}

static struct result resume(struct resuming *k, struct trail *tr)
{
    struct lockstep *l = k->l;
    stage_names(l->core, &k->names);
    TRY(genesis_parse(l, k->old->sha256, &k->doc, tr));
    TRY(build_old(k, tr));
    return make_way(k, tr);
}

struct result swap_resume(struct lockstep *l, struct trail *tr)
{
    const struct registry_entry *now = registry_active(l->registry);
    const struct registry_entry *old = registry_before(l->registry);
    (void)tr;
    if (now == NULL || old == NULL || now->state != PROMOTION_PROBATION)
        return OK_RESULT;
    struct trail why = {0};
    struct resuming *k = calloc(1, sizeof *k);
    must(k != NULL);
    k->l = l;
    k->now = now;
    k->old = old;
    l->swap.on_probation = true;
    l->swap.until_ns = now->last.until_ns;
    struct result r = resume(k, &why);
    /* Without the builds before it trading goes on: a rollback then builds them anew. */
    if (!is_ok(r) && l->o.log != NULL)
        log_now(l->o.log, LOG_WARN, NULL, "serial %lu is kept on probation without a way back: %s",
                (unsigned long)now->serial, trail_sentence(&why, r));
    plant_close(&k->part);
    free(k->doc);
    free(k);
    return OK_RESULT;
}
