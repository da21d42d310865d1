/* SPDX-License-Identifier: Apache-2.0
 *
 * A deployment from file to offer:
 *
 *   propose ─► describe ─► build ─► listen ─► warm ─► catch up ─► say ─► catch up ─► offer
 *
 * What costs time (files, signatures, plugin hooks, history) comes before the facts that say it is
 * verified; what lies in the tap by then is shown last, when the engine has numbered those facts,
 * so that it finds a handful left to show. Whatever fails on the way is one REFUSED.
 *
 * A rollback whose builds do not run any more goes the same way without signatures: its text was
 * derived from two documents that have theirs (DECISIONS 31).
 */
#include "flow/promoter_priv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"

/* ---- propose ---- */

static void say_proposed(struct promoter_job *j)
{
    char text[TRAIL_TEXT_BYTES];
    snprintf(text, sizeof text, "%s: handed over by %s with %u signatures",
             j->ask->bundle->file.name, j->ask->by, j->ask->bundle->signature_count);
    promoter_say_move(j, PROMOTION_PROPOSED, PROMOTION_WHY_PERSON, OK_RESULT, text);
}

/* Takes what the verdict has over into an offer. */
static void begin_offer(struct promoter_job *j, const struct deploy_doc *doc,
                        const struct change *change)
{
    struct promoter_offer *o = calloc(1, sizeof *o);
    must(o != NULL);
    o->doc = malloc(sizeof *o->doc);
    must(o->doc != NULL);
    *o->doc = *doc;
    o->change = *change;
    o->serial = j->serial;
    o->is_rollback = j->ask->kind == PROMOTER_ROLLBACK;
    memcpy(o->sha256, j->sha256, sizeof o->sha256);
    memcpy(o->parent, doc->parent, sizeof o->parent);
    memcpy(o->by, j->ask->by, sizeof o->by);
    j->offer = o;
}

static struct result judge(struct promoter_job *j, struct vet_verdict *v)
{
    const struct promoter_ask *a = j->ask;
    struct vet_now now = {.trust = &a->trust,
                          .host = a->host,
                          .doc = a->doc,
                          .serial = a->serial,
                          .wall_ns = j->wall_ns,
                          .event_ns = a->event_ns};
    memcpy(now.sha256, a->sha256, sizeof now.sha256);
    struct result r = vet(a->bundle, &now, v, &j->tr);
    j->serial = v->serial;
    memcpy(j->sha256, v->sha256, sizeof j->sha256);
    say_proposed(j);
    /* Its signatures are good and it was read: the journal keeps what was signed. */
    if (v->signed_count > 0 && v->doc.fact.serial != 0) {
        promoter_say_text(j, FACT_TEXT_DEPLOYMENT);
        promoter_say_signatures(j, FACT_TEXT_DEPLOYMENT, v->sign, v->signed_count);
    }
    if (is_ok(r) && a->must_tighten && !v->change.only_tightens)
        r = FAIL(&j->tr, BUSY,
                 "%s: another promotion is on its way, and only one that tightens may overtake it; "
                 "see tenon status, and try again when it is active or refused",
                 a->bundle->file.name);
    if (is_ok(r))
        begin_offer(j, &v->doc, &v->change);
    return r;
}

static struct result propose_signed(struct promoter_job *j)
{
    struct vet_verdict *v = calloc(1, sizeof *v);
    must(v != NULL);
    const int64_t began = clock_mono(j->p->o.clock);
    struct result r = judge(j, v);
    if (is_ok(r))
        j->offer->took.vet = clock_mono(j->p->o.clock) - began;
    free(v);
    return r;
}

static struct result propose_rollback(struct promoter_job *j)
{
    const struct bundle_part *file = &j->ask->bundle->file;
    struct deploy_doc *doc = calloc(1, sizeof *doc);
    struct change *change = calloc(1, sizeof *change);
    must(doc != NULL && change != NULL);
    hash_sha256_once(file->bytes, file->count, j->sha256);
    struct result r = deploy_parse(file->bytes, file->count, file->name, NULL, doc, &j->tr);
    j->serial = doc->fact.serial;
    say_proposed(j);
    promoter_say_text(j, FACT_TEXT_DEPLOYMENT);
    if (is_ok(r))
        r = change_find(j->ask->doc, doc, change, &j->tr);
    if (is_ok(r))
        begin_offer(j, doc, change);
    free(change);
    free(doc);
    return r;
}

/* ---- describe ---- */

/* What an instance of the active document owns; NULL when it is new. */
static const struct core_owned *owned_by(const struct promoter_job *j, uint32_t id,
                                         const char **name)
{
    const struct deploy_doc *before = j->ask->doc;
    for (uint32_t i = 0; i < before->instance_count; i++) {
        if (j->old_ids.instance[i] != id)
            continue;
        *name = before->instance[i].fact.name;
        return &j->ask->owned[i];
    }
    return NULL;
}

static bool owns(const struct core_owned *o)
{
    return o != NULL && (o->orders > 0 || o->stops > 0 || o->positions > 0);
}

static struct result check_removal(struct promoter_job *j, const struct fact_remove *f)
{
    const char *name = "", *heir = "";
    const struct core_owned *o = owned_by(j, f->strategy, &name), *h;
    if (!owns(o) || f->on_remove == FACT_ON_REMOVE_FLATTEN)
        return OK_RESULT;
    j->why = PROMOTION_WHY_STATE;
    if (f->on_remove == FACT_ON_REMOVE_UNSET)
        return FAIL(&j->tr, STATE,
                    "strategy %s leaves with %u working orders, %u stops and %u positions and the "
                    "document does not say what becomes of them; write on_remove: {%s: flatten} or "
                    "hand_to: INSTANCE",
                    name, o->orders, o->stops, o->positions, name);
    h = owned_by(j, f->to, &heir);
    if (owns(h))
        return FAIL(&j->tr, STATE,
                    "strategy %s is handed to %s, which has %u working orders, %u stops and %u "
                    "positions of its own; hand it to one that is flat, or write flatten",
                    name, heir, h->orders, h->stops, h->positions);
    j->why = PROMOTION_WHY_CHECK;
    return OK_RESULT;
}

/* A strategy that leaves with all it has must own nothing, unless the document says what becomes
 * of it; and who takes it over must be flat. One that loses a route of several is the core's to
 * judge: it knows the books. The core judges again at the flip, by what is held then. */
static struct result check_leaving(struct promoter_job *j)
{
    const struct stage_rows *rows = &j->offer->rows;
    struct result r = OK_RESULT;
    for (uint32_t i = 0; j->ask->doc != NULL && i < rows->count && is_ok(r); i++) {
        if (rows->row[i].type == FACT_REMOVE && rows->row[i].u.remove.instrument == 0)
            r = check_removal(j, &rows->row[i].u.remove);
    }
    return r;
}

/* Ids of both documents, and the active one's instances as they run. */
static struct result describe(struct promoter_job *j)
{
    static const bool none[DEPLOY_INSTANCES_MAX];
    const struct promoter_ask *a = j->ask;
    TRY(stage_ids(&a->names, j->offer->doc, &j->offer->ids, &j->tr));
    if (a->doc == NULL)
        return OK_RESULT;
    TRY(stage_ids(&a->names, a->doc, &j->old_ids, &j->tr));
    struct plant_options o = {.doc = a->doc,
                              .plugin_dir = j->p->o.plugin_dir,
                              .bars_from_trades = a->bars_from_trades,
                              .ids = &j->old_ids,
                              .only = none,
                              .from_memory = true};
    struct plant *old = calloc(1, sizeof *old);
    must(old != NULL);
    struct result r = plant_open(&o, old, &j->tr);
    if (is_ok(r))
        j->old = old;
    else
        free(old);
    return r;
}

static void mark_cold(const struct promoter_job *j, struct fact_instance *facts)
{
    for (uint32_t i = 0; i < j->seat_count; i++) {
        if (j->seat[i].how == WARM_COLD && !j->seat[i].is_new)
            facts[j->seat[i].place].kind |= FACT_COLD;
    }
}

static struct result make_rows(struct promoter_job *j)
{
    struct promoter_offer *o = j->offer;
    struct fact_instance facts[DEPLOY_INSTANCES_MAX];
    memcpy(facts, o->part.instance, sizeof facts);
    mark_cold(j, facts);
    TRY(stage_rows(j->ask->doc, j->ask->doc ? &j->old_ids : NULL, o->doc, &o->ids, &o->change,
                   facts, o->part.input, o->part.input_count, NULL, &o->rows, &j->tr));
    return check_leaving(j);
}

/* Without it a promotion can still be taken back, by building anew: said, not refused. */
static void make_way_back(struct promoter_job *j)
{
    const struct promoter_ask *a = j->ask;
    struct trail why = {0};
    if (j->offer->is_rollback || a->doc == NULL || a->text == NULL)
        return;
    const struct wayback_ask ask = {.old_text = a->text,
                                    .old_count = a->text_count,
                                    .now_text = a->bundle->file.bytes,
                                    .now_count = a->bundle->file.count,
                                    .now = j->offer->doc,
                                    .now_ids = &j->offer->ids,
                                    .names = &a->names,
                                    .plugin_dir = j->p->o.plugin_dir};
    struct result r = wayback_make(&ask, &j->offer->back, &why);
    if (!is_ok(r) && j->p->o.log != NULL)
        log_now(j->p->o.log, LOG_WARN, &(struct log_ids){.serial = j->serial},
                "the way back from deployment %lu is not made ready, a rollback will build anew: "
                "%s",
                (unsigned long)j->serial, trail_sentence(&why, r));
}

/* ---- listen, say, offer ---- */

static struct result listen(struct promoter_job *j)
{
    struct promoter *p = j->p;
    struct promoter_item *i = promoter_item_new(PROMOTER_LISTEN);
    promoter_wanted(j, i->news);
    promoter_post(p, i);
    TRY(promoter_wait(p, promoter_has_listening));
    pthread_mutex_lock(&p->lock);
    j->listening = p->listening;
    p->listening = NULL;
    p->want_durable = j->listening->from_seq;
    pthread_mutex_unlock(&p->lock);
    must(j->listening->tap != NULL);
    j->offer->tap = j->listening->tap;
    if (p->o.journal_dir == NULL)
        return OK_RESULT;
    atomic_store(&p->waits_durable, true);
    struct result r = promoter_wait(p, promoter_has_durable);
    atomic_store(&p->waits_durable, false);
    return r;
}

static void say_verified(struct promoter_job *j)
{
    const struct promoter_offer *o = j->offer;
    char text[TRAIL_TEXT_BYTES];
    snprintf(text, sizeof text,
             "form, signatures, plugins and history were checked; %u strategies take another build",
             o->part.bay_count);
    promoter_say_move(j, PROMOTION_VERIFIED, PROMOTION_WHY_PASSED, OK_RESULT, text);
    if (o->is_rollback)
        snprintf(text, sizeof text, "by the signatures of deployment %lu, which it takes back",
                 (unsigned long)o->doc->rollback_of);
    else
        snprintf(text, sizeof text, "signed by enough people");
    promoter_say_move(j, PROMOTION_APPROVED, PROMOTION_WHY_PASSED, OK_RESULT, text);
    promoter_say_stage(j, FACT_STAGE_BEGIN);
    promoter_say_rows(j);
}

/* The engine numbers what was said; then the rest of the tap is shown and the builds are offered.
 * Until it has taken them they can be taken back. */
static struct result offer(struct promoter_job *j)
{
    char text[TRAIL_TEXT_BYTES];
    struct promoter_news *back;
    TRY(promoter_wait(j->p, promoter_is_drained));
    TRY(promoter_catch_up(j));
    snprintf(text, sizeof text,
             "deployment %lu is verified and approved; %u strategies take another build, nothing "
             "has changed yet",
             (unsigned long)j->serial, j->offer->part.bay_count);
    promoter_end(j, PROMOTER_OFFERED, text);
    struct result r = promoter_wait(j->p, promoter_is_drained);
    if (is_ok(r) || !promoter_take_back(j->p, &back))
        return OK_RESULT;
    j->offer = back->offer;
    free(back);
    return r;
}

static struct result prepare(struct promoter_job *j)
{
    if (j->ask->kind == PROMOTER_ROLLBACK)
        TRY(propose_rollback(j));
    else
        TRY(propose_signed(j));
    TRY(describe(j));
    TRY(promoter_build(j));
    TRY(promoter_seats(j));
    TRY(make_rows(j));
    make_way_back(j);
    TRY(listen(j));
    TRY(promoter_warm(j));
    TRY(promoter_catch_up(j));
    say_verified(j);
    return offer(j);
}

void promoter_deployment(struct promoter_job *j)
{
    struct result r = prepare(j);
    if (!is_ok(r))
        promoter_refuse(j, r);
}
