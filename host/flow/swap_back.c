/* SPDX-License-Identifier: Apache-2.0
 *
 * Going back: what watches a build on probation, the rollback itself, and what becomes of builds
 * that are heard no more.
 *
 * While the old builds still hear, a rollback is the same flip with other rows: everything it needs
 * was made ready with the promotion (text, rows, generations), so it waits for nothing but the
 * disk. After probation the old builds are gone, and the promoter makes them again from the
 * journaled text, without asking anybody for a signature: signing N authorised one rollback
 * (DECISIONS 31).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "deploy/compose.h"
#include "flow/lockstep_priv.h"

/* ---- watching ---- */

static void want_back(struct lockstep *l, enum promotion_why why, const char *text)
{
    struct swap *w = &l->swap;
    if (!w->on_probation || w->is_back_wanted || w->current == NULL || w->current->back.doc == NULL)
        return;
    w->is_back_wanted = true;
    w->wanted_why = why;
    w->wanted_request = 0;
    snprintf(w->wanted_by, sizeof w->wanted_by, "host");
    snprintf(w->wanted_text, sizeof w->wanted_text, "%s", text);
}

/* Each new build has its own window: one that trades rarely is not judged by its neighbour. */
static void watch_decision(struct lockstep *l, const struct fact_decision *d)
{
    struct swap *w = &l->swap;
    uint32_t i = 0;
    while (i < w->old_count && w->old[i].strategy != d->strategy)
        i++;
    if (!w->on_probation || i == w->old_count)
        return;
    uint32_t mask = (1u << DEPLOY_DENIALS_OF) - 1;
    w->denied[i] = (w->denied[i] << 1 | (d->approved ? 0 : 1)) & mask;
    w->decided[i]++;
    uint32_t denied = (uint32_t)__builtin_popcount(w->denied[i]);
    char text[FACT_TEXT_BYTES];
    if (denied < l->doc->denials)
        return;
    snprintf(text, sizeof text, "%u of its last %u intents were denied", denied,
             w->decided[i] < DEPLOY_DENIALS_OF ? w->decided[i] : DEPLOY_DENIALS_OF);
    want_back(l, PROMOTION_WHY_DENIALS, text);
}

void swap_effect(struct lockstep *l, const struct fact_head *head, const void *payload)
{
    struct swap *w = &l->swap;
    if (head->type == FACT_DECISION) {
        watch_decision(l, payload);
        return;
    }
    if (head->type == FACT_IGNORED) {
        const struct fact_ignored *i = payload;
        if (i->detail == FACT_DEPLOY && i->why == FACT_IGNORED_NOT_FLAT)
            w->forbidden_by = (uint32_t)i->about;
        return;
    }
    const struct fact_flipped *f = payload;
    struct core_instance_view v;
    if (core_instance(l->core, f->instance - 1, &v) && v.kind == TN_KIND_STRATEGY)
        w->swaps++;
    w->orders += f->orders;
    w->positions += f->positions;
    w->stops += f->stops;
}

void swap_fault(struct lockstep *l, uint32_t strategy, uint32_t generation, int32_t status,
                bool is_late)
{
    struct swap *w = &l->swap;
    char text[FACT_TEXT_BYTES];
    snprintf(text, sizeof text, "strategy %u: %s (status %d)", strategy,
             is_late ? "too many late answers" : "it broke its contract", status);
    if (core_reign(l->core, strategy, l->seq.last_seq) == generation) {
        /* a build that was there before says nothing about what was promoted */
        if (w->current != NULL && generation == w->current->serial)
            want_back(l, is_late ? PROMOTION_WHY_DEADLINE : PROMOTION_WHY_FAULT, text);
        return;
    }
    if ((w->phase != SWAP_HEARING && w->phase != SWAP_COMMITTED) || w->offer == NULL ||
        generation != w->offer->serial)
        return;
    w->is_faulty = true; /* refused between two events */
    w->fault_why = is_late ? PROMOTION_WHY_DEADLINE : PROMOTION_WHY_FAULT;
    memcpy(w->fault_text, text, sizeof w->fault_text);
}

/* ---- builds that are heard no more ---- */

/* An answer that was given in time, by who reigned then, and is not due yet. Until it is, its build
 * hears on: so what the journal says of it, and of when it was stopped, stays whole. */
static bool holds_accepted(const struct lockstep *l, const struct swap_build *b)
{
    for (uint32_t i = 0; i < l->seq.count; i++) {
        const struct seq_held *h = &l->seq.held[l->seq.heap[i]];
        if (h->signal.instance == b->strategy && h->generation == b->generation &&
            core_reign(l->core, b->strategy, h->cause_seq) == b->generation)
            return true;
    }
    return false;
}

static struct result retire(struct lockstep *l, const struct swap_build *b, struct trail *tr)
{
    uint32_t lane = 0;
    struct bay *bay = belief_remove(l->plant.belief, b->strategy, b->generation, &lane);
    if (bay == NULL)
        return OK_RESULT;
    seq_drop(&l->seq, lane);
    for (uint32_t k = 0; k < l->bay_count; k++) {
        if (l->bay[k] == bay)
            l->bay[k--] = l->bay[--l->bay_count];
    }
    struct fact_plugin e = {.instance = b->strategy, .what = FACT_PLUGIN_STOPPED};
    struct result r = lockstep_say(l, FACT_PLUGIN, b->generation, &e, tr);
    promoter_retire(l->swap.promoter, bay);
    return r;
}

/* Beside the active builds, those before them, new ones and these there is room for no others. */
static_assert(4 * DEPLOY_INSTANCES_MAX <= BELIEF_BAYS_MAX, "builds that leave have their seats");

struct result swap_retire(struct lockstep *l, const struct swap_build *b, uint32_t count,
                          struct trail *tr)
{
    struct swap *w = &l->swap;
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < count && is_ok(r); i++) {
        if (w->leaving_count < DEPLOY_INSTANCES_MAX && holds_accepted(l, &b[i]))
            w->leaving[w->leaving_count++] = b[i];
        else
            r = retire(l, &b[i], tr);
    }
    return r;
}

static uint32_t find_left(const struct lockstep *l)
{
    uint32_t i = 0;
    while (i < l->swap.leaving_count && holds_accepted(l, &l->swap.leaving[i]))
        i++;
    return i;
}

bool swap_has_left(const struct lockstep *l)
{
    return find_left(l) < l->swap.leaving_count;
}

struct result swap_leave(struct lockstep *l, struct trail *tr)
{
    struct swap *w = &l->swap;
    uint32_t at = find_left(l);
    must(at < w->leaving_count);
    const struct swap_build b = w->leaving[at];
    w->leaving_count--;
    memmove(&w->leaving[at], &w->leaving[at + 1], (w->leaving_count - at) * sizeof b);
    return retire(l, &b, tr);
}

uint32_t swap_builds(const struct promoter_offer *o, struct swap_build out[DEPLOY_INSTANCES_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < o->warm.seat_count; i++)
        out[count++] = (struct swap_build){.strategy = o->warm.seat[i].strategy,
                                           .generation = o->warm.seat[i].generation};
    return count;
}

struct result swap_refuse(struct lockstep *l, enum promotion_why why, struct result result,
                          const char *text, struct trail *tr)
{
    struct swap *w = &l->swap;
    struct promoter_offer *o = w->offer;
    struct swap_build b[DEPLOY_INSTANCES_MAX];
    uint32_t count = swap_builds(o, b);
    const struct registry_entry *e = registry_find(l->registry, o->sha256);
    struct swap_said s = {.from = e != NULL ? e->state : PROMOTION_APPROVED,
                          .to = PROMOTION_REFUSED,
                          .why = why,
                          .result = result,
                          .by = o->by,
                          .text = text};
    w->offer = NULL;
    w->phase = SWAP_NONE;
    w->is_faulty = false;
    TRY(swap_stage(l, o, FACT_STAGE_DROP, tr));
    TRY(swap_say(l, o->serial, o->sha256, &s, tr));
    struct result r = swap_retire(l, b, count, tr);
    promoter_offer_free(o);
    return r;
}

struct result swap_settle(struct lockstep *l, enum promotion_why why, struct trail *tr)
{
    struct swap *w = &l->swap;
    const struct registry_entry *e = registry_active(l->registry);
    struct swap_build old[DEPLOY_INSTANCES_MAX];
    uint32_t count = w->old_count;
    uint8_t sha256[FACT_HASH_BYTES];
    must(w->on_probation && e != NULL);
    struct swap_said s = {
        .from = PROMOTION_PROBATION, .to = PROMOTION_PERMANENT, .why = why, .by = "host"};
    memcpy(old, w->old, sizeof old);
    memcpy(sha256, e->sha256, sizeof sha256);
    w->on_probation = false;
    w->old_count = 0;
    promoter_offer_free(w->current);
    w->current = NULL;
    TRY(swap_say(l, e->serial, sha256, &s, tr));
    return swap_retire(l, old, count, tr);
}

/* ---- going back ---- */

/* Is there a way back? Asked before the text is derived: reading two documents takes milliseconds,
 * and a rollback that was made ready needs none of it. */
static struct result can_go_back(const struct lockstep *l, struct trail *tr)
{
    const struct registry_entry *now = registry_active(l->registry);
    const struct registry_entry *old = registry_before(l->registry);
    size_t count = 0;
    if (now == NULL || old == NULL)
        return FAIL(tr, STATE,
                    "there is nothing to go back to: serial %lu is the first of this journal; "
                    "promote another one",
                    (unsigned long)(now != NULL ? now->serial : 0));
    if (now->rollback_of != 0)
        return FAIL(tr, STATE,
                    "serial %lu is a rollback itself (of %lu), and a signature authorises one way "
                    "back only; promote what you want as serial %lu",
                    (unsigned long)now->serial, (unsigned long)now->rollback_of,
                    (unsigned long)now->serial + 1);
    if (registry_text(l->registry, now->sha256, &count) == NULL ||
        registry_text(l->registry, old->sha256, &count) == NULL)
        return FAIL(tr, MISSING,
                    "the journal does not hold the text of serial %lu; promote it again as %lu",
                    (unsigned long)old->serial, (unsigned long)now->serial + 1);
    return OK_RESULT;
}

/* The text of the rollback of what is active. */
static struct result derive(const struct lockstep *l, char **text, struct trail *tr)
{
    size_t now_count = 0, old_count = 0;
    TRY(can_go_back(l, tr));
    const char *now = registry_text(l->registry, registry_active(l->registry)->sha256, &now_count);
    const char *old = registry_text(l->registry, registry_before(l->registry)->sha256, &old_count);
    return compose_rollback(old, old_count, now, now_count, text, tr);
}

struct result lockstep_rollback(struct lockstep *l, const char *by, const char *reason,
                                uint64_t request, struct trail *tr)
{
    struct swap *w = &l->swap;
    if (w->phase == SWAP_COMMITTED || w->is_back_wanted)
        return FAIL(tr, BUSY,
                    "a flip is waiting for the disk at this moment; see tenon status, and try "
                    "again");
    if (l->registry == NULL || l->doc == NULL)
        return FAIL(tr, STATE, "this host has no deployment; start it with one");
    TRY(can_go_back(l, tr));
    w->is_back_wanted = true;
    w->wanted_why = PROMOTION_WHY_PERSON;
    w->wanted_request = request;
    snprintf(w->wanted_by, sizeof w->wanted_by, "%s", by);
    snprintf(w->wanted_text, sizeof w->wanted_text, "%s",
             reason[0] != 0 ? reason : "an operator asked for it");
    return OK_RESULT;
}

/* Can the flip be taken back with builds that still hear? */
static bool old_are_well(const struct lockstep *l)
{
    const struct swap *w = &l->swap;
    if (!w->on_probation || w->current == NULL || w->current->back.doc == NULL)
        return false; /* or the prepared way was used, and the core refused it */
    for (uint32_t i = 0; i < w->old_count; i++) {
        if (belief_has_fault(l->plant.belief, w->old[i].strategy, w->old[i].generation))
            return false;
    }
    return true;
}

/* The offer of a flip back: everything in it was made with the promotion. */
static struct promoter_offer *back_offer(struct lockstep *l)
{
    struct swap *w = &l->swap;
    struct promoter_offer *c = w->current, *o = calloc(1, sizeof *o);
    must(o != NULL);
    o->is_rollback = true;
    o->doc = c->back.doc;
    o->serial = o->doc->fact.serial;
    memcpy(o->sha256, o->doc->fact.sha256, sizeof o->sha256);
    memcpy(o->parent, c->sha256, sizeof o->parent);
    memcpy(o->by, w->wanted_by, sizeof o->by);
    o->ids = c->back.ids;
    o->rows = c->back.rows;
    c->back.doc = NULL;
    c->back.rows = (struct stage_rows){0};
    return o;
}

static struct result say_back(struct lockstep *l, const struct promoter_offer *o, const char *text,
                              size_t count, struct trail *tr)
{
    static const uint32_t way[] = {PROMOTION_DRAFT, PROMOTION_PROPOSED, PROMOTION_VERIFIED,
                                   PROMOTION_APPROVED, PROMOTION_SHADOW};
    struct swap *w = &l->swap;
    char ready[80], signers[80];
    unsigned long taken_back = (unsigned long)o->doc->rollback_of;
    snprintf(ready, sizeof ready, "made ready with deployment %lu; its builds hear already",
             taken_back);
    snprintf(signers, sizeof signers, "by the signatures of deployment %lu, which it takes back",
             taken_back);
    const char *const text_of[] = {w->wanted_text, ready, signers, NULL};
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i + 1 < sizeof way / sizeof *way && is_ok(r); i++) {
        struct swap_said s = {.from = way[i],
                              .to = way[i + 1],
                              .why = i == 0 ? w->wanted_why : PROMOTION_WHY_PASSED,
                              .by = w->wanted_by,
                              .text = text_of[i]};
        r = swap_say(l, o->serial, o->sha256, &s, tr);
        if (i == 0 && is_ok(r))
            r = swap_text(l, FACT_TEXT_DEPLOYMENT, text, count, o->sha256, tr);
    }
    return r;
}

static struct result flip_back(struct lockstep *l, struct trail *tr)
{
    struct swap *w = &l->swap;
    char answer[FACT_TEXT_BYTES + 64];
    struct promoter_offer *o = back_offer(l);
    TRY(say_back(l, o, w->current->back.text, w->current->back.count, tr));
    TRY(swap_stage(l, o, FACT_STAGE_BEGIN, tr));
    w->offer = o;
    w->phase = SWAP_HEARING;
    snprintf(answer, sizeof answer, "going back to serial %lu's content as serial %lu",
             (unsigned long)registry_before(l->registry)->serial, (unsigned long)o->serial);
    swap_answer(l, w->wanted_request, 0, answer);
    return swap_commit(l, tr);
}

/* The builds are gone or faulty: the promoter makes them again. */
static struct result build_back(struct lockstep *l, struct trail *tr)
{
    struct swap *w = &l->swap;
    char *text = NULL, name[BUNDLE_NAME_BYTES];
    struct trail why = {0};
    struct result r = derive(l, &text, &why);
    if (is_ok(r)) {
        struct bundle *b = bundle_new();
        snprintf(name, sizeof name, "rollback-of-%lu.yaml",
                 (unsigned long)registry_active(l->registry)->serial);
        bundle_set(&b->file, name, text, strlen(text));
        free(text);
        r = lockstep_hand_over(l, PROMOTER_ROLLBACK, b, w->wanted_by, w->wanted_request, &why);
    }
    if (!is_ok(r)) {
        swap_answer(l, w->wanted_request, result_exit(r), trail_sentence(&why, r));
        swap_line(l, "rollback: %.200s", trail_sentence(&why, r));
    }
    (void)tr;
    return OK_RESULT;
}

struct result swap_back(struct lockstep *l, struct trail *tr)
{
    struct swap *w = &l->swap;
    if (w->phase == SWAP_HEARING)
        TRY(swap_refuse(l, PROMOTION_WHY_OVERTAKEN, RESULT_OF(STATE),
                        "the one before it is being rolled back", tr));
    if (w->is_asking) {
        if (w->kind == PROMOTER_ROLLBACK) {
            w->is_back_wanted = false;
            swap_answer(l, w->wanted_request, result_exit(RESULT_OF(BUSY)),
                        "a rollback is on its way already; see tenon status");
            return OK_RESULT;
        }
        if (w->kind != PROMOTER_DEPLOYMENT) {
            w->back_waits = true; /* a paper is done in a moment, and never by half */
            return OK_RESULT;
        }
        if (!w->is_abandoned)
            promoter_abandon(w->promoter, PROMOTION_WHY_OVERTAKEN,
                             "the one before it is being rolled back");
        w->is_abandoned = true;
        w->back_waits = !old_are_well(l);
        if (w->back_waits)
            return OK_RESULT; /* its REFUSED comes first: the promoter does one thing at a time */
    }
    w->is_back_wanted = false;
    w->back_why = w->wanted_why;
    return old_are_well(l) ? flip_back(l, tr) : build_back(l, tr);
}
