/* SPDX-License-Identifier: Apache-2.0
 *
 * What an engine says first, and under which document it runs.
 *
 * A journal that is empty takes the first signed deployment and trust document from the command
 * line, through the same checks and the same records as any later promotion; only probation makes
 * no sense, since there is nothing to go back to. A journal that holds a run is asked itself: its
 * texts, signatures and PROMOTION records say what is active, and what was on its way when the
 * host died is finished when its commit was durable, and refused otherwise. So a crash at any step
 * leaves the old one or the new one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flow/lockstep_priv.h"
#include "flow/replay.h"

/* ---- facts ---- */

static struct result say(struct lockstep *l, uint16_t type, const void *payload, struct trail *tr)
{
    return lockstep_say(l, type, 0, payload, tr);
}

static struct result say_genesis(struct lockstep *l, struct trail *tr)
{
    struct fact_genesis g = {.seed = l->o.seed};
    memcpy(g.journal_id, l->found.journal_id, sizeof g.journal_id);
    if (l->doc != NULL)
        memcpy(g.host, l->doc->host, sizeof g.host);
    return say(l, FACT_GENESIS, &g, tr);
}

static struct result say_start(struct lockstep *l, struct trail *tr)
{
    struct fact_start s = {
        .epoch = l->found.epoch + 1, .core_logic = FACT_CORE_LOGIC, .kind = l->o.kind};
    bay_libm_probe(s.libm_probe);
    snprintf(s.version, sizeof s.version, "%s", TENON_VERSION);
    l->report.epoch = s.epoch;
    return say(l, FACT_START, &s, tr);
}

struct result genesis_dataset(struct lockstep *l, uint64_t rows, struct trail *tr)
{
    if (l->o.data_path == NULL)
        return OK_RESULT;
    struct fact_dataset e = {.rows = rows};
    const char *slash = strrchr(l->o.data_path, '/');
    memcpy(e.sha256, feed_sha256(l->feed), sizeof e.sha256);
    snprintf(e.name, sizeof e.name, "%s", slash ? slash + 1 : l->o.data_path);
    l->report.dataset = e;
    return say(l, FACT_DATASET, &e, tr);
}

struct result genesis_plugins(struct lockstep *l, uint32_t what, struct trail *tr)
{
    struct result r = OK_RESULT;
    for (uint32_t i = 0; l->doc != NULL && i < l->doc->instance_count && is_ok(r); i++) {
        struct core_instance_view v;
        if (!core_instance(l->core, l->ids.instance[i] - 1, &v))
            continue;
        struct fact_plugin e = {.instance = v.id, .what = what};
        r = lockstep_say(l, FACT_PLUGIN, v.generation, &e, tr);
    }
    for (uint32_t i = 0; i < l->swap.old_count && is_ok(r); i++) {
        struct fact_plugin e = {.instance = l->swap.old[i].strategy, .what = what};
        r = lockstep_say(l, FACT_PLUGIN, l->swap.old[i].generation, &e, tr);
    }
    for (uint32_t i = 0; i < l->swap.leaving_count && is_ok(r); i++) {
        struct fact_plugin e = {.instance = l->swap.leaving[i].strategy, .what = what};
        r = lockstep_say(l, FACT_PLUGIN, l->swap.leaving[i].generation, &e, tr);
    }
    return r;
}

/* A journal that is whole but shorter than its head elsewhere: trading waits for two people. */
static struct result say_doubt(struct lockstep *l, struct trail *tr)
{
    if (l->found.torn && l->o.log != NULL)
        log_now(l->o.log, LOG_WARN, NULL, "%s", l->found.torn_text);
    if (!l->found.doubt)
        return OK_RESULT;
    memcpy(l->report.doubt, l->found.doubt_text, sizeof l->report.doubt);
    if (l->o.log != NULL)
        log_now(l->o.log, LOG_ERROR, NULL, "journal %s: %s; no new risk until two people agree",
                l->o.journal_dir, l->found.doubt_text);
    struct fact_mode m = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_SAFE_LOSS, .by = "host"};
    snprintf(m.reason, sizeof m.reason, "%s", "the journal is shorter than its head");
    return say(l, FACT_MODE, &m, tr);
}

/* ---- the first deployment ---- */

static struct result say_signatures(struct lockstep *l, enum fact_text_kind kind, uint64_t serial,
                                    const uint8_t sha256[32], const struct trust_signed *s,
                                    uint32_t count, struct trail *tr)
{
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < count && is_ok(r); i++) {
        struct fact_signature e = {
            .serial = serial, .role = s[i].role, .kind = kind, .is_hashed = s[i].file.is_hashed};
        memcpy(e.sha256, sha256, sizeof e.sha256);
        memcpy(e.key_id, s[i].file.id, sizeof e.key_id);
        memcpy(e.signature, s[i].file.signature, sizeof e.signature);
        memcpy(e.global, s[i].file.global, sizeof e.global);
        snprintf(e.person, sizeof e.person, "%s", s[i].name);
        snprintf(e.comment, sizeof e.comment, "%s", s[i].file.comment);
        r = say(l, FACT_SIGNATURE, &e, tr);
    }
    return r;
}

static struct result say_trust(struct lockstep *l, struct trail *tr)
{
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    const struct bundle_part *f = &l->o.trust->file;
    TRY(trust_verify(&l->trust, l->o.trust, "trust", s, tr));
    TRY(swap_text(l, FACT_TEXT_TRUST, f->bytes, f->count, l->trust.sha256, tr));
    TRY(say_signatures(l, FACT_TEXT_TRUST, l->trust.version, l->trust.sha256, s,
                       l->o.trust->signature_count, tr));
    struct fact_trust e = {.version = l->trust.version,
                           .wall_ns = clock_wall(l->o.clock),
                           .people = l->trust.people_count,
                           .throwaway = l->trust.is_throwaway};
    memcpy(e.sha256, l->trust.sha256, sizeof e.sha256);
    return say(l, FACT_TRUST, &e, tr);
}

/* Rows between BEGIN and COMMIT, then DEPLOY once the commit is durable. */
static struct result say_staged(struct lockstep *l, const struct promoter_offer *o,
                                struct trail *tr)
{
    TRY(swap_stage(l, o, FACT_STAGE_BEGIN, tr));
    TRY(swap_stage(l, o, FACT_STAGE_COMMIT, tr));
    if (l->journal != NULL)
        TRY(journal_wait(l->journal, l->seq.last_seq, tr));
    return say(l, FACT_DEPLOY, &l->doc->fact, tr);
}

/* Unsigned, in a backtest: nothing is kept, so nothing has to be atomic. */
static struct result say_plain(struct lockstep *l, const struct promoter_offer *o, struct trail *tr)
{
    struct result r = say(l, FACT_DEPLOY, &l->doc->fact, tr);
    for (uint32_t i = 0; i < o->rows.count && is_ok(r); i++)
        r = say(l, (uint16_t)o->rows.row[i].type, &o->rows.row[i].u, tr);
    return r;
}

static struct result deploy_first(struct lockstep *l, struct trail *tr)
{
    struct promoter_offer o = {.serial = l->doc->fact.serial, .ids = l->ids};
    struct change *c = calloc(1, sizeof *c);
    must(c != NULL);
    o.doc = (struct deploy_doc *)(uintptr_t)l->doc; /* read only */
    memcpy(o.sha256, l->doc->fact.sha256, sizeof o.sha256);
    struct result r = change_find(NULL, l->doc, c, tr);
    if (is_ok(r))
        r = stage_rows(NULL, NULL, l->doc, &l->ids, c, l->plant.instance, l->plant.input,
                       l->plant.input_count, NULL, &o.rows, tr);
    if (is_ok(r))
        r = l->o.kind == FACT_RUN_BACKTEST ? say_plain(l, &o, tr) : say_staged(l, &o, tr);
    stage_rows_free(&o.rows);
    free(c);
    if (is_ok(r) && memcmp(core_deployment(l->core), l->doc->fact.sha256, FACT_HASH_BYTES) != 0)
        return FAIL(tr, BUG, "%s: the core did not take it; see tenon journal cat", l->doc->path);
    return r;
}

static struct result move(struct lockstep *l, uint32_t from, uint32_t to, uint64_t flip_seq,
                          struct trail *tr)
{
    struct swap_said s = {.from = from,
                          .to = to,
                          .why = PROMOTION_WHY_FIRST,
                          .by = l->o.by != NULL ? l->o.by : "host",
                          .flip_seq = flip_seq};
    return swap_say(l, l->doc->fact.serial, l->doc->fact.sha256, &s, tr);
}

static struct result say_first(struct lockstep *l, struct trail *tr)
{
    if (l->o.kind == FACT_RUN_BACKTEST)
        return deploy_first(l, tr);
    const struct bundle_part *f = &l->o.first->file;
    TRY(say_trust(l, tr));
    TRY(move(l, PROMOTION_DRAFT, PROMOTION_PROPOSED, 0, tr));
    TRY(swap_text(l, FACT_TEXT_DEPLOYMENT, f->bytes, f->count, l->doc->fact.sha256, tr));
    TRY(say_signatures(l, FACT_TEXT_DEPLOYMENT, l->doc->fact.serial, l->doc->fact.sha256,
                       l->first->sign, l->first->signed_count, tr));
    TRY(move(l, PROMOTION_PROPOSED, PROMOTION_VERIFIED, 0, tr));
    TRY(move(l, PROMOTION_VERIFIED, PROMOTION_APPROVED, 0, tr));
    TRY(move(l, PROMOTION_APPROVED, PROMOTION_SHADOW, 0, tr));
    TRY(move(l, PROMOTION_SHADOW, PROMOTION_CANARY, 0, tr));
    TRY(deploy_first(l, tr));
    return move(l, PROMOTION_CANARY, PROMOTION_PERMANENT, l->seq.last_seq, tr);
}

/* ---- which document ---- */

/* A document of the journal by its hash; heap. */
struct result genesis_parse(const struct lockstep *l, const uint8_t sha256[32],
                            struct deploy_doc **out, struct trail *tr)
{
    size_t count = 0;
    const struct registry_entry *e = registry_find(l->registry, sha256);
    const char *text = registry_text(l->registry, sha256, &count);
    *out = NULL;
    if (text == NULL || e == NULL)
        return FAIL(tr, MISSING,
                    "journal %s: does not hold the text of its active deployment; it was begun by "
                    "a host without signed deployments, or pruned: begin a new journal",
                    l->o.journal_dir);
    struct deploy_doc *d = calloc(1, sizeof *d);
    must(d != NULL);
    struct result r =
        deploy_parse(text, count, e->name[0] != 0 ? e->name : "deployment", NULL, d, tr);
    if (is_ok(r))
        *out = d;
    else
        free(d);
    return r;
}

struct result genesis_trust(struct lockstep *l, struct trail *tr)
{
    uint8_t sha256[FACT_HASH_BYTES];
    uint64_t version = 0;
    size_t count = 0;
    const char *text = NULL;
    if (registry_trust(l->registry, sha256, &version))
        text = registry_text(l->registry, sha256, &count);
    if (text == NULL)
        return FAIL(tr, MISSING,
                    "journal %s: does not hold its trust document; begin a new journal",
                    l->o.journal_dir);
    return trust_parse(text, count, "trust document", &l->trust, tr);
}

/* The file named on the command line is what is active, or what the first one was made from. */
static struct result check_given(const struct lockstep *l, struct trail *tr)
{
    static const uint8_t zeros[FACT_HASH_BYTES];
    const uint8_t *given = l->o.given_sha256;
    const struct deploy_doc *d = l->doc, *first = l->source_doc;
    if (given == NULL || memcmp(given, d->fact.sha256, FACT_HASH_BYTES) == 0)
        return OK_RESULT;
    if (memcmp(first->template_sha256, zeros, sizeof zeros) != 0 &&
        memcmp(first->template_sha256, given, FACT_HASH_BYTES) == 0)
        return OK_RESULT;
    return FAIL(tr, STATE,
                "journal %s: runs under another deployment (serial %lu) than %s; start it without "
                "naming one and promote the change, or give an empty journal folder",
                l->o.journal_dir, (unsigned long)d->fact.serial, l->o.given_name);
}

/* What was on its way when the host died: finished when committed, else refused. */
static struct result settle_entry(struct lockstep *l, const struct registry_entry *e,
                                  bool is_flipped, struct trail *tr)
{
    struct swap_said s = {.from = e->state, .by = "host"};
    uint64_t serial = e->serial;
    uint8_t sha256[FACT_HASH_BYTES];
    memcpy(sha256, e->sha256, sizeof sha256); /* e may go when the registry takes a record */
    if (!is_flipped) {
        s.to = PROMOTION_REFUSED;
        s.why = PROMOTION_WHY_RESTART;
        s.result = RESULT_OF(STATE);
        s.text = "the host was restarted before it was committed; promote it again";
        return swap_say(l, serial, sha256, &s, tr);
    }
    bool ends = registry_before(l->registry) == NULL || e->rollback_of != 0;
    s.to = ends ? PROMOTION_PERMANENT : PROMOTION_PROBATION;
    s.why = PROMOTION_WHY_RESTART;
    s.text = "committed before the restart, active since it";
    s.flip_seq = e->flip.flip_seq;
    s.until_ns = ends ? 0 : l->seq.last_ns + l->doc->probation_ns;
    const struct registry_entry *before = registry_before(l->registry);
    struct swap_said gone = {.from = before != NULL ? before->state : 0,
                             .to =
                                 e->rollback_of != 0 ? PROMOTION_ROLLED_BACK : PROMOTION_SUPERSEDED,
                             .why = PROMOTION_WHY_RESTART,
                             .by = "host"};
    /* it may be on record already: the host died between two of these records */
    if (before != NULL && (gone.from == PROMOTION_PROBATION || gone.from == PROMOTION_PERMANENT)) {
        uint64_t gone_serial = before->serial;
        uint8_t gone_sha[FACT_HASH_BYTES];
        memcpy(gone_sha, before->sha256, sizeof gone_sha);
        TRY(swap_say(l, gone_serial, gone_sha, &gone, tr));
    }
    return swap_say(l, serial, sha256, &s, tr);
}

static const struct registry_entry *on_its_way(const struct lockstep *l)
{
    for (uint32_t i = 0; i < registry_count(l->registry); i++) {
        const struct registry_entry *e = registry_entry(l->registry, i);
        if (e->state >= PROMOTION_PROPOSED && e->state <= PROMOTION_CANARY)
            return e;
    }
    return NULL;
}

/* The same file may have been handed over again: the entry is compared, not the hash. What is said
 * may drop an old entry, so each is looked for anew. */
static struct result settle_rest(struct lockstep *l, struct trail *tr)
{
    struct result r = OK_RESULT;
    const struct registry_entry *e = NULL;
    for (uint32_t left = registry_count(l->registry);
         left > 0 && is_ok(r) && (e = on_its_way(l)) != NULL; left--)
        r = settle_entry(l, e, e == registry_active(l->registry), tr);
    return r;
}

/* DEPLOY is on record, and what says so to people is not: its document is needed for that. */
static struct result read_flipped(struct lockstep *l, struct trail *tr)
{
    const struct registry_entry *now = registry_active(l->registry);
    if (now == NULL || now->state != PROMOTION_CANARY)
        return OK_RESULT;
    TRY(genesis_parse(l, now->sha256, &l->own_doc, tr));
    l->doc = l->own_doc;
    return OK_RESULT;
}

static struct result settle(struct lockstep *l, struct trail *tr)
{
    struct core_staged g;
    core_staged(l->core, &g);
    if (!g.is_committed) {
        if (g.is_open) {
            struct fact_stage e = {.serial = g.serial, .what = FACT_STAGE_DROP};
            memcpy(e.sha256, g.sha256, sizeof e.sha256);
            TRY(say(l, FACT_STAGE, &e, tr));
        }
        TRY(read_flipped(l, tr));
        return settle_rest(l, tr);
    }
    struct fact_deploy e = {.serial = g.serial};
    memcpy(e.sha256, g.sha256, sizeof e.sha256);
    TRY(genesis_parse(l, g.sha256, &l->own_doc, tr));
    l->doc = l->own_doc;
    memcpy(e.name, l->doc->fact.name, sizeof e.name);
    TRY(say(l, FACT_DEPLOY, &e, tr));
    if (memcmp(core_deployment(l->core), g.sha256, FACT_HASH_BYTES) == 0)
        return settle_rest(l, tr);
    /* the core says no: what is held has changed in between */
    struct fact_stage drop = {.serial = g.serial, .what = FACT_STAGE_DROP};
    memcpy(drop.sha256, g.sha256, sizeof drop.sha256);
    TRY(say(l, FACT_STAGE, &drop, tr));
    free(l->own_doc);
    l->own_doc = NULL;
    l->doc = NULL;
    return settle_rest(l, tr);
}

static struct result read_source_doc(struct lockstep *l, struct trail *tr)
{
    const struct registry_entry *e = NULL;
    for (uint32_t i = 0; e == NULL && i < registry_count(l->registry); i++) {
        if (registry_entry(l->registry, i)->flip.flip_seq != 0)
            e = registry_entry(l->registry, i);
    }
    l->source_doc = l->doc;
    if (e == NULL || memcmp(e->sha256, l->doc->fact.sha256, FACT_HASH_BYTES) == 0)
        return OK_RESULT;
    struct deploy_doc *first = NULL;
    TRY(genesis_parse(l, e->sha256, &first, tr));
    l->source_doc = first;
    return OK_RESULT;
}

/* Once more at each start, over the text that is about to run: what people signed, and not only
 * what a journal says that they signed. A key that is no longer listed cannot be asked; a rollback
 * was signed by nobody. */
static struct result check_signatures(const struct lockstep *l, struct trail *tr)
{
    const struct registry_entry *e = registry_active(l->registry);
    size_t count = 0;
    const char *text = e != NULL ? registry_text(l->registry, e->sha256, &count) : NULL;
    for (uint32_t i = 0; text != NULL && i < e->signature_count; i++) {
        const struct fact_signature *s = &e->signature[i].fact;
        uint32_t key = trust_key(&l->trust, s->key_id);
        if (key == TRUST_NOBODY)
            continue;
        struct sign_file f = {.is_hashed = s->is_hashed};
        char id[SIGN_ID_TEXT];
        memcpy(f.id, s->key_id, sizeof f.id);
        memcpy(f.signature, s->signature, sizeof f.signature);
        memcpy(f.global, s->global, sizeof f.global);
        snprintf(f.comment, sizeof f.comment, "%.*s", (int)sizeof s->comment, s->comment);
        sign_id_text(f.id, id);
        if (!is_ok(sign_verify(&f, &l->trust.key[key].key, text, count, "signature", NULL)))
            return FAIL(
                tr, CORRUPT,
                "journal %s: event %lu is no signature by %.*s (key %s) over the text of "
                "the active deployment (serial %lu): the journal is not what the host wrote; "
                "see tenon journal verify, and start it on a copy that is",
                l->o.journal_dir, (unsigned long)e->signature[i].seq, (int)sizeof s->person,
                s->person, id, (unsigned long)e->serial);
    }
    return OK_RESULT;
}

static struct result document_of_journal(struct lockstep *l, struct trail *tr)
{
    static const uint8_t zeros[FACT_HASH_BYTES];
    TRY(settle(l, tr));
    if (l->doc == NULL && memcmp(core_deployment(l->core), zeros, sizeof zeros) == 0)
        return OK_RESULT;
    if (l->doc == NULL)
        TRY(genesis_parse(l, core_deployment(l->core), &l->own_doc, tr));
    l->doc = l->own_doc;
    TRY(read_source_doc(l, tr));
    TRY(genesis_trust(l, tr));
    TRY(check_signatures(l, tr));
    return check_given(l, tr);
}

static struct result document_first(struct lockstep *l, struct trail *tr)
{
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    const struct bundle *b = l->o.first;
    if (l->o.trust == NULL)
        return FAIL(tr, CONFIG,
                    "%s: an empty journal begins with a deployment that people signed; name the "
                    "trust document that lists them with --trust FILE, or let the host sign it on "
                    "the spot with --throwaway-keys (for simulated accounts only)",
                    b->file.name);
    TRY(trust_parse(l->o.trust->file.bytes, l->o.trust->file.count, l->o.trust->file.name,
                    &l->trust, tr));
    TRY(trust_follow(NULL, &l->trust, l->o.trust, s, tr));
    struct vet_verdict *v = calloc(1, sizeof *v);
    must(v != NULL);
    l->first = v;
    struct vet_now now = {.trust = &l->trust,
                          .host = l->trust.host,
                          .wall_ns = clock_wall(l->o.clock),
                          .event_ns = INT64_MIN};
    TRY(vet(b, &now, v, tr));
    l->doc = &v->doc;
    l->source_doc = &v->doc;
    return OK_RESULT;
}

struct result genesis_document(struct lockstep *l, struct trail *tr)
{
    if (l->o.kind == FACT_RUN_BACKTEST)
        l->doc = l->source_doc = l->o.doc;
    else if (l->found.last_seq > 0)
        TRY(document_of_journal(l, tr));
    if (l->doc == NULL && l->o.first != NULL)
        TRY(document_first(l, tr));
    if (l->o.seed == 0)
        l->o.seed = l->source_doc != NULL && l->source_doc->seed != 0 ? l->source_doc->seed : 1;
    if (l->doc == NULL)
        return OK_RESULT;
    struct stage_names *n = calloc(1, sizeof *n);
    must(n != NULL);
    stage_names(l->core, n);
    struct result r = stage_ids(n, l->doc, &l->ids, tr);
    free(n);
    return r;
}

/* ---- builds ---- */

static void own_bays(struct lockstep *l, struct plant *p)
{
    for (uint32_t i = 0; i < p->bay_count; i++) {
        must(l->bay_count < BELIEF_BAYS_MAX);
        l->bay[l->bay_count++] = p->bay[i];
    }
    p->bay_count = 0;
}

struct result genesis_plant(struct lockstep *l, struct trail *tr)
{
    uint32_t generation[DEPLOY_INSTANCES_MAX];
    for (uint32_t i = 0; i < l->doc->instance_count; i++)
        generation[i] =
            l->ids.generation[i] != 0 ? l->ids.generation[i] : (uint32_t)l->doc->fact.serial;
    struct plant_options p = {.doc = l->doc,
                              .plugin_dir = l->o.plugin_dir,
                              .log = l->o.log,
                              .home = l->o.home,
                              .bars_from_trades = l->bars_from_trades,
                              .ids = &l->ids,
                              .generation = generation,
                              .bays_max = BELIEF_BAYS_MAX};
    TRY(plant_open(&p, &l->plant, tr));
    own_bays(l, &l->plant);
    TRY(belief_reserve(l->plant.belief, DEPLOY_INSTRUMENTS_MAX, tr));
    if (l->registry == NULL)
        return OK_RESULT;
    return swap_resume(l, tr);
}

/* ---- beginning ---- */

void lockstep_tell_position(struct lockstep *l, uint32_t strategy, uint32_t generation)
{
    struct core_position_view v;
    struct fact_head head = {.seq = l->seq.last_seq, .t_ns = l->seq.last_ns};
    for (uint32_t i = 0; core_position(l->core, i, &v); i++) {
        if (v.strategy != strategy || v.qty == 0)
            continue;
        struct fact_position p = {.strategy = strategy,
                                  .instrument = v.instrument,
                                  .account = v.account,
                                  .qty = v.qty,
                                  .avg_price = v.avg_price};
        belief_position(l->plant.belief, strategy, generation, &head, &p);
    }
}

/* A strategy that begins with a position is told so: it saw no fill of it. */
static void tell_positions(struct lockstep *l)
{
    struct core_instance_view v;
    for (uint32_t i = 0; core_instance(l->core, i, &v); i++)
        lockstep_tell_position(l, v.id, v.generation);
    for (uint32_t i = 0; i < l->swap.old_count; i++)
        lockstep_tell_position(l, l->swap.old[i].strategy, l->swap.old[i].generation);
}

struct result genesis_begin(struct lockstep *l, struct trail *tr)
{
    int64_t wall_ns = l->doc == NULL ? clock_wall(l->o.clock) : INT64_MIN;
    if (wall_ns > l->seq.last_ns)
        l->seq.last_ns = wall_ns;
    if (l->seq.last_seq == 0)
        TRY(say_genesis(l, tr));
    TRY(say_start(l, tr));
    TRY(say_doubt(l, tr));
    if (l->doc == NULL)
        return OK_RESULT;
    if (l->first != NULL || l->o.kind == FACT_RUN_BACKTEST)
        TRY(say_first(l, tr));
    TRY(genesis_dataset(l, 0, tr));
    if (l->is_fed_by_roads)
        TRY(recover_warm(l, tr));
    else
        TRY(lockstep_fetch(l, tr)); /* history, when there is some */
    TRY(belief_activate(l->plant.belief, tr));
    TRY(genesis_plugins(l, FACT_PLUGIN_STARTED, tr));
    tell_positions(l);
    return l->roads != NULL && lockstep_via_egress(l->doc) ? lockstep_begin_roads(l, tr)
                                                           : OK_RESULT;
}
