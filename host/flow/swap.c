/* SPDX-License-Identifier: Apache-2.0
 *
 * See swap.h. Each turn does the first thing of a fixed list that can be done now; what is done
 * does not depend on when the promoter's thread ran, but for the event numbers it falls between.
 *
 * New bays are heard by the same belief as the old ones: adopting them is moving seats. Which
 * build's signals count is the core's business (its reigns), so nothing here filters anything.
 */
#include "flow/swap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flow/lockstep_priv.h"

/* ---- opening and closing ---- */

struct result swap_open(struct lockstep *l, struct trail *tr)
{
    if (l->o.kind == FACT_RUN_BACKTEST)
        return OK_RESULT;
    struct promoter_options o = {.plugin_dir = l->o.plugin_dir,
                                 .home = l->o.home,
                                 .journal_dir = l->o.journal_dir,
                                 .opens_adapters = l->o.roads != NULL && !l->o.roads->in_engine,
                                 .log = l->o.log,
                                 .clock = l->o.clock,
                                 .wake = l->o.wake,
                                 .wake_arg = l->o.wake_arg};
    TRY(tap_new(&l->swap.tap, tr));
    return promoter_open(&o, &l->swap.promoter, tr);
}

void swap_close(struct lockstep *l)
{
    struct swap *w = &l->swap;
    if (l->plant.belief != NULL)
        belief_listen(l->plant.belief, NULL);
    promoter_close(w->promoter);
    promoter_offer_free(w->offer);
    promoter_offer_free(w->current);
    tap_free(w->tap);
    memset(w, 0, sizeof *w);
}

/* ---- what to do next ---- */

static bool is_killed(const struct lockstep *l)
{
    return core_mode(l->core, MODE_SCOPE_GLOBAL, 0) == MODE_KILLED;
}

static bool is_paper(uint32_t kind)
{
    return kind == PROMOTER_TRUST || kind == PROMOTER_REQUEST;
}

/* What a kill gives up. Papers go on: a request of two people is what lifts the kill. */
static bool is_for_builds(const struct swap *w)
{
    return w->phase == SWAP_HEARING || (w->is_asking && !is_paper(w->kind) && !w->is_abandoned);
}

static bool is_durable(const struct lockstep *l)
{
    return l->journal == NULL || journal_durable(l->journal) >= l->swap.commit_seq;
}

enum swap_next {
    NEXT_UNSET = 0,
    NEXT_STOP,
    NEXT_FAULT,
    NEXT_BACK,
    NEXT_FLIP,
    NEXT_COMMIT,
    NEXT_SETTLE,
    NEXT_LEAVE,
    NEXT_DURABLE,
    NEXT_NEWS
};

static enum swap_next next_of(const struct lockstep *l)
{
    const struct swap *w = &l->swap;
    if (w->is_faulty) /* also when it broke while its commit waited for the disk */
        return NEXT_FAULT;
    if (w->phase == SWAP_COMMITTED)
        return is_durable(l) || l->o.hold ? NEXT_FLIP : NEXT_UNSET;
    if (is_for_builds(w) && is_killed(l))
        return NEXT_STOP;
    if (w->is_back_wanted && !w->back_waits)
        return NEXT_BACK;
    if (w->phase == SWAP_HEARING && l->seq.last_ns >= w->hear_until_ns)
        return NEXT_COMMIT;
    if (w->on_probation && l->seq.last_ns >= w->until_ns)
        return NEXT_SETTLE;
    if (swap_has_left(l))
        return NEXT_LEAVE;
    if (w->waits_durable && l->journal != NULL && journal_durable(l->journal) > w->durable_told)
        return NEXT_DURABLE;
    if (promoter_has_news(w->promoter))
        return NEXT_NEWS;
    return NEXT_UNSET;
}

bool swap_is_ready(struct lockstep *l)
{
    return l->swap.promoter != NULL && next_of(l) != NEXT_UNSET;
}

int64_t swap_deadline(const struct lockstep *l)
{
    const struct swap *w = &l->swap;
    int64_t at = INT64_MAX;
    if (w->phase == SWAP_HEARING)
        at = w->hear_until_ns;
    if (w->on_probation && w->until_ns < at)
        at = w->until_ns;
    return at;
}

/* ---- handing over ---- */

struct result lockstep_hand_over(struct lockstep *l, uint32_t kind, struct bundle *b,
                                 const char *by, uint64_t request, struct trail *tr)
{
    struct swap *w = &l->swap;
    if (l->doc == NULL) {
        bundle_free(b);
        return FAIL(tr, STATE,
                    "this host was started without a deployment and has no trust document; start "
                    "it with tenon run --config FILE --trust FILE");
    }
    if (w->is_asking || (w->phase == SWAP_COMMITTED && !is_paper(kind))) {
        bundle_free(b);
        return FAIL(tr, BUSY,
                    "another promotion is on its way; see tenon status, and try again when it is "
                    "active or refused");
    }
    struct promoter_ask *a = swap_ask(l, kind, b, by, request);
    a->must_tighten = w->phase == SWAP_HEARING;
    struct result r = promoter_submit(w->promoter, a, tr);
    if (!is_ok(r)) {
        promoter_ask_free(a);
        return r;
    }
    w->is_asking = true;
    w->kind = kind;
    w->is_abandoned = false;
    return OK_RESULT;
}

/* ---- news ---- */

/* The tap is turned on and the wanted states are saved, between two events: both are as of the
 * last one. */
static struct result listen(struct lockstep *l, const struct promoter_news *n, struct trail *tr)
{
    struct swap *w = &l->swap;
    struct promoter_listening *g = calloc(1, sizeof *g);
    must(g != NULL);
    tap_reset(w->tap, l->seq.last_seq);
    belief_listen(l->plant.belief, w->tap);
    g->tap = w->tap;
    g->from_seq = l->seq.last_seq;
    g->state_count = n->state_count;
    for (uint32_t i = 0; i < n->state_count; i++) {
        struct promoter_state *s = &g->state[i];
        struct trail why = {0};
        s->strategy = n->state[i].strategy;
        s->node = n->state[i].node;
        struct bay *b = belief_bay(l->plant.belief, s->strategy, n->state[i].generation);
        struct result r = b == NULL
                              ? FAIL(&why, STATE, "the running build is not there any more")
                              : b->ops->save(b, s->node, g->from_seq, &s->bytes, &s->count, &why);
        if (!is_ok(r))
            snprintf(s->text, sizeof s->text, "%s", trail_sentence(&why, r));
    }
    w->waits_durable = true;
    w->durable_told = 0;
    promoter_listening(w->promoter, g);
    if (!l->o.hold || l->journal == NULL)
        return OK_RESULT;
    return journal_wait(l->journal, l->seq.last_seq, tr);
}

static void tell_durable(struct lockstep *l)
{
    l->swap.durable_told = journal_durable(l->journal);
    promoter_durable(l->swap.promoter, l->swap.durable_told);
}

/* Rows of an ask that was given up stage nothing: something else may be staged by now. */
static bool is_void(const struct swap *w, uint16_t type)
{
    return w->is_abandoned && type != FACT_PROMOTION && type != FACT_TEXT && type != FACT_SIGNATURE;
}

static struct result number_fact(struct lockstep *l, const struct promoter_news *n,
                                 struct trail *tr)
{
    if (is_void(&l->swap, n->fact.head.type))
        return OK_RESULT;
    /* Staged while another hears: it only tightens, and tightening waits for nobody. */
    if (n->fact.head.type == FACT_STAGE && l->swap.phase == SWAP_HEARING)
        TRY(swap_refuse(l, PROMOTION_WHY_OVERTAKEN, RESULT_OF(STATE),
                        "a promotion that only tightens came; plan it again on top of that one",
                        tr));
    if (n->fact.head.type == FACT_PROMOTION)
        return swap_record(l, &n->fact.u.fact_promotion, tr);
    return lockstep_say(l, n->fact.head.type, n->fact.head.generation, &n->fact.u, tr);
}

static void end_ask(struct lockstep *l)
{
    l->swap.is_asking = l->swap.waits_durable = false;
    l->swap.is_abandoned = l->swap.back_waits = false;
    if (l->plant.belief != NULL)
        belief_listen(l->plant.belief, NULL);
}

/* What lies in the tap and was not shown to the new builds yet: a handful. */
static void catch_up(struct lockstep *l, struct promoter_offer *o)
{
    uint32_t end = atomic_load_explicit(&l->swap.tap->put, memory_order_relaxed);
    for (uint32_t i = o->tap_at; o->part.belief != NULL && i < end; i++)
        belief_event(o->part.belief, &l->swap.tap->fact[i].head, l->swap.tap->fact[i].payload);
    belief_listen(l->plant.belief, NULL);
}

static struct result say_started(struct lockstep *l, const struct promoter_offer *o,
                                 struct trail *tr)
{
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < o->warm.seat_count && is_ok(r); i++) {
        const struct warm_seat *s = &o->warm.seat[i];
        struct fact_plugin e = {.instance = s->strategy,
                                .what = FACT_PLUGIN_STARTED,
                                .from_seq = o->warm.from_seq,
                                .to_seq = l->seq.last_seq};
        snprintf(e.text, sizeof e.text, "%s, %lu of %lu warm-up events",
                 s->how == WARM_STATE  ? "state handed over"
                 : s->how == WARM_COLD ? "cold"
                                       : "history replayed",
                 (unsigned long)s->have, (unsigned long)s->need);
        r = lockstep_say(l, FACT_PLUGIN, s->generation, &e, tr);
        if (is_ok(r))
            lockstep_tell_position(l, s->strategy, s->generation);
    }
    return r;
}

/* The new builds hear from here on. */
static struct result adopt(struct lockstep *l, struct trail *tr)
{
    struct swap *w = &l->swap;
    struct promoter_offer *o = w->offer;
    catch_up(l, o);
    if (o->part.belief != NULL) {
        for (uint32_t i = 0; i < o->part.bay_count; i++) {
            must(l->bay_count < BELIEF_BAYS_MAX);
            l->bay[l->bay_count++] = o->part.bay[i];
        }
        TRY(belief_adopt(l->plant.belief, o->part.belief, tr));
        plant_give(&o->part);
        TRY(say_started(l, o, tr));
    }
    w->phase = SWAP_HEARING;
    w->is_asking = w->waits_durable = false;
    bool hears = o->change.swap_count > 0 && !o->is_rollback;
    w->hear_until_ns = l->seq.last_ns + (hears ? o->doc->hear_ns : 0);
    struct swap_said s = {.from = PROMOTION_APPROVED,
                          .to = PROMOTION_SHADOW,
                          .why = PROMOTION_WHY_PASSED,
                          .by = o->by,
                          .until_ns = w->hear_until_ns};
    return swap_say(l, o->serial, o->sha256, &s, tr);
}

/* An offer that nobody wants any more: its bays were heard by nobody. */
static struct result discard(struct lockstep *l, struct promoter_offer *o, enum promotion_why why,
                             const char *text, struct trail *tr)
{
    struct swap_said s = {.from = PROMOTION_APPROVED,
                          .to = PROMOTION_REFUSED,
                          .why = why,
                          .result = RESULT_OF(STATE),
                          .by = o->by,
                          .text = text};
    for (uint32_t i = 0; i < o->part.bay_count; i++)
        promoter_retire(l->swap.promoter, o->part.bay[i]);
    belief_free(o->part.belief); /* with its seats: they were never moved */
    o->part.belief = NULL;
    plant_give(&o->part);
    if (l->swap.phase == SWAP_NONE) /* else something else is staged by now */
        TRY(swap_stage(l, o, FACT_STAGE_DROP, tr));
    TRY(swap_say(l, o->serial, o->sha256, &s, tr));
    end_ask(l);
    promoter_offer_free(o);
    return OK_RESULT;
}

/* Why an offer is not taken; NULL: it is. The tap may have filled up after the promoter's last look
 * at it: then the new builds would miss events. */
static const char *unwanted(const struct lockstep *l, const struct promoter_offer *o,
                            enum promotion_why *why)
{
    const struct swap *w = &l->swap;
    *why = is_killed(l) ? PROMOTION_WHY_MODE : PROMOTION_WHY_OVERTAKEN;
    if (memcmp(o->parent, core_deployment(l->core), FACT_HASH_BYTES) != 0 || w->is_abandoned ||
        is_killed(l))
        return "what was active when it was prepared is not any more, or the host was killed; "
               "promote it again";
    *why = PROMOTION_WHY_CHECK;
    return atomic_load(&w->tap->is_full) != 0
               ? "the market gave more events than are kept while it was prepared; promote it at a "
                 "quieter time"
               : NULL;
}

static struct result take_offer(struct lockstep *l, struct promoter_news *n, struct trail *tr)
{
    struct swap *w = &l->swap;
    enum promotion_why why = PROMOTION_WHY_UNSET;
    must(n->offer != NULL);
    const char *text = unwanted(l, n->offer, &why);
    if (text != NULL) {
        swap_answer(l, n->request, result_exit(RESULT_OF(STATE)), text);
        return discard(l, n->offer, why, text, tr);
    }
    must(w->offer == NULL && w->phase == SWAP_NONE && w->is_asking);
    w->offer = n->offer;
    /* Two live versions at most: the way back to the one before is by a new build from here on. */
    if (w->on_probation)
        TRY(swap_settle(l, PROMOTION_WHY_OVERTAKEN, tr));
    swap_answer(l, n->request, 0, n->sentence);
    return adopt(l, tr);
}

static struct result take_news(struct lockstep *l, struct trail *tr)
{
    static struct promoter_news n; /* large; one thread */
    if (!promoter_take(l->swap.promoter, &n))
        return OK_RESULT;
    switch (n.kind) {
    case PROMOTER_FACT:
        return number_fact(l, &n, tr);
    case PROMOTER_LISTEN:
        return listen(l, &n, tr);
    case PROMOTER_OFFERED:
        return take_offer(l, &n, tr);
    case PROMOTER_REFUSED:
        end_ask(l);
        swap_answer(l, n.request, result_exit(n.result), n.sentence);
        return OK_RESULT;
    case PROMOTER_DONE:
        end_ask(l);
        swap_answer(l, n.request, 0, n.sentence);
        if (l->swap.kind == PROMOTER_TRUST)
            return genesis_trust(l, tr);
        return OK_RESULT;
    default:
        must(!"news of a kind that is known");
    }
    return OK_RESULT;
}

/* ---- commit and flip ---- */

struct result swap_commit(struct lockstep *l, struct trail *tr)
{
    struct swap *w = &l->swap;
    struct core_staged g;
    struct swap_said s = {.from = PROMOTION_SHADOW,
                          .to = PROMOTION_CANARY,
                          .why = PROMOTION_WHY_PASSED,
                          .by = w->offer->by};
    if (w->is_asking && !is_paper(w->kind) && !w->is_abandoned) {
        /* what was to overtake it is too late: it was written to follow what is active now */
        promoter_abandon(w->promoter, PROMOTION_WHY_OVERTAKEN, "another one was committed first");
        w->is_abandoned = true;
    }
    TRY(swap_say(l, w->offer->serial, w->offer->sha256, &s, tr));
    TRY(swap_stage(l, w->offer, FACT_STAGE_COMMIT, tr));
    w->commit_seq = l->seq.last_seq;
    core_staged(l->core, &g);
    w->phase = SWAP_COMMITTED;
    if (!g.is_committed || g.serial != w->offer->serial)
        return swap_refuse(l, PROMOTION_WHY_STATE, RESULT_OF(STATE),
                           "the core does not take its rows; see tenon journal cat", tr);
    return OK_RESULT;
}

static struct result refuse_flip(struct lockstep *l, struct trail *tr)
{
    struct core_instance_view v;
    char text[192];
    if (l->swap.forbidden_by == 0 || !core_instance(l->core, l->swap.forbidden_by - 1, &v))
        return swap_refuse(l, PROMOTION_WHY_STATE, RESULT_OF(STATE),
                           "the core does not take it; see tenon journal cat --type IGNORED", tr);
    snprintf(text, sizeof text,
             "strategy %s holds or works something, and this drops it, swaps it cold or hands it "
             "to one that is not flat; flatten it, or hand it to one that is",
             v.name);
    return swap_refuse(l, PROMOTION_WHY_STATE, RESULT_OF(STATE), text, tr);
}

/* The one before: superseded, or rolled back. */
static struct result leave_old(struct lockstep *l, const struct registry_entry *before,
                               bool is_rollback, struct trail *tr)
{
    if (before == NULL)
        return OK_RESULT;
    struct swap *w = &l->swap;
    struct swap_said s = {.from = before->state,
                          .to = is_rollback ? PROMOTION_ROLLED_BACK : PROMOTION_SUPERSEDED,
                          .why = is_rollback ? w->back_why : PROMOTION_WHY_OVERTAKEN,
                          .by = w->offer->by,
                          .text = is_rollback ? w->wanted_text : NULL,
                          .flip_seq = is_rollback ? l->seq.last_seq : 0};
    uint8_t sha256[FACT_HASH_BYTES];
    memcpy(sha256, before->sha256, sizeof sha256);
    return swap_say(l, before->serial, sha256, &s, tr);
}

static void take_document(struct lockstep *l, struct promoter_offer *o)
{
    /* the source keeps the first one; readers ask again by lockstep_doc */
    struct deploy_doc *gone = l->own_doc;
    l->own_doc = o->doc;
    l->doc = o->doc;
    l->ids = o->ids;
    o->doc = NULL;
    if (gone != l->source_doc)
        free(gone);
}

/* What is heard beside the accepted builds until probation ends. */
static void note_old(struct lockstep *l, const struct promoter_offer *o)
{
    struct swap *w = &l->swap;
    w->old_count = 0;
    for (uint32_t i = 0; i < o->rows.count; i++) {
        const struct stage_row *r = &o->rows.row[i];
        struct core_instance_view v;
        uint32_t id = r->type == FACT_INSTANCE ? r->u.instance.id
                      : r->type == FACT_REMOVE ? r->u.remove.strategy
                                               : 0;
        if (id == 0 || !core_instance(l->core, id - 1, &v) ||
            w->old_count == DEPLOY_INSTANCES_MAX ||
            belief_bay(l->plant.belief, id, v.generation_before) == NULL ||
            v.generation == v.generation_before)
            continue;
        w->old[w->old_count++] =
            (struct swap_build){.strategy = id, .generation = v.generation_before};
    }
}

static struct result begin_probation(struct lockstep *l, struct promoter_offer *o, int64_t pause_ns,
                                     uint64_t flip_seq, struct trail *tr)
{
    struct swap *w = &l->swap;
    struct swap_said s = {.from = PROMOTION_CANARY,
                          .to = PROMOTION_PROBATION,
                          .why = PROMOTION_WHY_PASSED,
                          .by = o->by,
                          .flip_seq = flip_seq,
                          .pause_ns = pause_ns,
                          .has_carried = true};
    note_old(l, o);
    w->on_probation = true;
    w->until_ns = s.until_ns = l->seq.last_ns + l->doc->probation_ns;
    memset(w->denied, 0, sizeof w->denied);
    memset(w->decided, 0, sizeof w->decided);
    w->current = o;
    return swap_say(l, o->serial, o->sha256, &s, tr);
}

static struct result end_rollback(struct lockstep *l, struct promoter_offer *o, int64_t pause_ns,
                                  uint64_t flip_seq, struct trail *tr)
{
    struct swap *w = &l->swap;
    struct swap_said s = {.from = PROMOTION_CANARY,
                          .to = PROMOTION_PERMANENT,
                          .why = PROMOTION_WHY_PASSED,
                          .by = o->by,
                          .flip_seq = flip_seq,
                          .pause_ns = pause_ns,
                          .has_carried = true};
    TRY(swap_say(l, o->serial, o->sha256, &s, tr));
    note_old(l, o); /* the builds that were gone back from */
    uint32_t count = w->old_count;
    w->old_count = 0;
    w->on_probation = false;
    promoter_offer_free(w->current);
    w->current = NULL;
    struct result r = swap_retire(l, w->old, count, tr);
    promoter_offer_free(o);
    return r;
}

/* A build that broke while it was only heard harmed nobody; accepted, its strategy only reduces. */
static struct result quarantine_broken(struct lockstep *l, const struct promoter_offer *o,
                                       struct trail *tr)
{
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < o->rows.count && is_ok(r); i++) {
        const struct stage_row *row = &o->rows.row[i];
        if (row->type != FACT_INSTANCE ||
            !belief_has_fault(l->plant.belief, row->u.instance.id, row->generation))
            continue;
        struct fact_plugin e = {.instance = row->u.instance.id,
                                .what = FACT_PLUGIN_QUARANTINED,
                                .text = "it broke its contract before it was accepted"};
        r = lockstep_say(l, FACT_PLUGIN, row->generation, &e, tr);
    }
    return r;
}

static struct result flip(struct lockstep *l, struct trail *tr)
{
    struct swap *w = &l->swap;
    struct promoter_offer *o = w->offer;
    const struct registry_entry *before = registry_active(l->registry);
    struct fact_deploy e = {.serial = o->serial};
    if (l->o.hold && l->journal != NULL)
        TRY(journal_wait(l->journal, w->commit_seq, tr));
    memcpy(e.sha256, o->sha256, sizeof e.sha256);
    memcpy(e.name, o->doc->fact.name, sizeof e.name);
    w->swaps = w->orders = w->positions = w->stops = w->forbidden_by = 0;
    TRY(lockstep_answers_due(l, tr));
    if (w->is_faulty)
        return OK_RESULT;
    int64_t t0 = clock_mono(l->o.clock);
    struct result r =
        lockstep_event(l, FACT_DEPLOY, &e, l->seq.last_ns, (struct lockstep_mark){0}, tr);
    int64_t pause_ns = clock_mono(l->o.clock) - t0;
    uint64_t flip_seq = l->seq.last_seq;
    if (!is_ok(r))
        return r;
    if (memcmp(core_deployment(l->core), o->sha256, FACT_HASH_BYTES) != 0)
        return refuse_flip(l, tr);
    TRY(leave_old(l, before, o->is_rollback, tr));
    TRY(quarantine_broken(l, o, tr));
    take_document(l, o);
    w->offer = NULL;
    w->phase = SWAP_NONE;
    return o->is_rollback ? end_rollback(l, o, pause_ns, flip_seq, tr)
                          : begin_probation(l, o, pause_ns, flip_seq, tr);
}

/* ---- turns ---- */

static struct result stop_for_kill(struct lockstep *l, struct trail *tr)
{
    struct swap *w = &l->swap;
    if (w->phase == SWAP_HEARING)
        return swap_refuse(l, PROMOTION_WHY_MODE, RESULT_OF(STATE), "the host was killed", tr);
    w->is_abandoned = true;
    promoter_abandon(w->promoter, PROMOTION_WHY_MODE, "the host was killed");
    return OK_RESULT;
}

struct result swap_turn(struct lockstep *l, struct trail *tr)
{
    switch (next_of(l)) {
    case NEXT_STOP:
        return stop_for_kill(l, tr);
    case NEXT_FAULT:
        return swap_refuse(l, l->swap.fault_why, RESULT_OF(PLUGIN), l->swap.fault_text, tr);
    case NEXT_BACK:
        return swap_back(l, tr);
    case NEXT_FLIP:
        return flip(l, tr);
    case NEXT_COMMIT:
        return swap_commit(l, tr);
    case NEXT_SETTLE:
        return swap_settle(l, PROMOTION_WHY_TIME, tr);
    case NEXT_LEAVE:
        return swap_leave(l, tr);
    case NEXT_DURABLE:
        tell_durable(l);
        return OK_RESULT;
    case NEXT_NEWS:
        return take_news(l, tr);
    case NEXT_UNSET:
        break;
    }
    return OK_RESULT;
}
