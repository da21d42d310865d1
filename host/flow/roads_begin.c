/* SPDX-License-Identifier: Apache-2.0
 *
 * Attaching, adapters, and mending both.
 *
 * At an attachment every account of the deployment is said with its adapter's signed facts, then
 * READY, then each adapter is started and egress is given its end of the line. Losing egress loses
 * the bays with it: their line ends there, and a session that nobody knows is worth nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "flow/plant.h"
#include "flow/roads_priv.h"

/* ---- what the journal held ---- */

/* The newest trade up to which nothing is missing: that of a whole reconciliation. Fills since then
 * may have gaps between them; they are asked for again, and known by their trade ids. */
void roads_cursor(struct roads *r, const struct fact_sync *e)
{
    if (e->phase != FACT_SYNC_WHOLE || e->account < 1 || e->account > DEPLOY_ACCOUNTS_MAX)
        return;
    memcpy(r->account[e->account - 1].cursor, e->cursor, sizeof e->cursor);
}

void roads_past(struct roads *r, const struct fact_head *head, const void *payload)
{
    if (head->type == FACT_START) {
        const struct fact_start *s = payload;
        if (r->epoch_count == r->epoch_room) {
            r->epoch_room = 2 * r->epoch_room + 64;
            r->epoch = realloc(r->epoch, r->epoch_room * sizeof *r->epoch);
            must(r->epoch != NULL);
        }
        r->epoch[r->epoch_count++] = (struct roads_epoch){head->seq, s->epoch};
    }
    if (head->type == FACT_SYNC)
        roads_cursor(r, payload);
}

/* ---- accounts ---- */

struct result roads_load(const char *plugin_dir, const struct deploy_adapter *d,
                         const struct bay_module **out, const struct tn_adapter_facts **facts,
                         struct trail *tr)
{
    uint8_t sha256[FACT_HASH_BYTES];
    char path[DEPLOY_PATH_BYTES];
    struct bay_module *m = NULL;
    const bool is_pinned = hash_from_hex(d->sha256_hex, sha256);
    m = is_pinned ? bay_module_find(sha256) : NULL;
    if (m == NULL) {
        TRY(plant_find(plugin_dir, d->plugin, d->version, path, tr));
        TRY(bay_load(path, is_pinned ? sha256 : NULL, &m, tr));
    }
    if (bay_module_facts(m)->manifest.kind != TN_KIND_ADAPTER)
        return FAIL(tr, ABI, "plugin %s %s: it is not an adapter; name an adapter", d->plugin,
                    d->version);
    TRY(agent_facts(m, facts, tr));
    if (!(*facts)->simulated)
        return FAIL(tr, NOT_PERMITTED,
                    "adapter %s %s: its venue is not simulated, and adapters of a draft ABI serve "
                    "simulated accounts only",
                    d->plugin, d->version);
    *out = m;
    return OK_RESULT;
}

static double scale_of(int32_t exp)
{
    double x = 1.0;
    for (int32_t i = 0; i < (exp < 0 ? -exp : exp); i++)
        x *= 10.0;
    return exp < 0 ? 1.0 / x : x;
}

static void name_instruments(struct roads_account *a, const struct roads_setup *s)
{
    const struct deploy_doc *d = s->doc;
    a->names.instrument_count = a->spec.instrument_count = d->instrument_count;
    for (uint32_t i = 0; i < d->instrument_count; i++) {
        const struct fact_instrument *from = &d->instrument[i];
        const struct fact_currency *settle = &d->currency[from->settle - 1];
        struct tn_instrument *to = &a->spec.instrument[i].def;
        a->names.instrument[i].id = s->ids->instrument[i];
        a->names.instrument[i].settle_exp = settle->exp;
        memcpy(a->names.instrument[i].settle, settle->name, sizeof settle->name);
        *to = (struct tn_instrument){.size = sizeof *to,
                                     .id = s->ids->instrument[i],
                                     .price_exp = from->price_exp,
                                     .qty_exp = from->qty_exp,
                                     .tick = from->tick,
                                     .lot = from->lot,
                                     .price_scale = scale_of(from->price_exp),
                                     .qty_scale = scale_of(from->qty_exp)};
        memcpy(to->symbol, from->symbol, sizeof to->symbol);
        memcpy(a->spec.instrument[i].venue_symbol, from->symbol, sizeof from->symbol);
    }
}

static void fill_spec(struct roads_account *a, const struct roads_setup *s, bool is_second)
{
    const struct bay_facts *f = bay_module_facts(a->module);
    a->spec.version = LINE_VERSION;
    a->spec.account = a->names.account;
    a->spec.epoch = s->epoch;
    a->spec.is_second = is_second;
    a->spec.param_count = f->manifest.param_count;
    const struct tn_manifest *m = bay_module_entry(a->module)->manifest;
    for (uint32_t i = 0; i < m->param_count && i < TN_MAX_PARAMS; i++)
        a->spec.param[i] = m->params[i].def;
    memcpy(a->spec.sha256, f->sha256, sizeof a->spec.sha256);
    memcpy(a->spec.cursor, a->cursor, sizeof a->spec.cursor);
}

static struct result open_account(struct roads *r, uint32_t i, struct trail *tr)
{
    const struct roads_setup *s = &r->setup;
    uint32_t id = s->ids->account[i];
    struct roads_account *a = &r->account[id - 1];
    a->is_used = true;
    a->in_doubt = true; /* as the core takes it after each start */
    a->names.account = id;
    a->latency_ns = s->doc->venue[i].latency_ns;
    a->adapter = &s->doc->adapter[i];
    memcpy(a->name, s->doc->account[i].name, sizeof a->name);
    name_instruments(a, s);
    if (r->o.in_engine)
        return OK_RESULT;
    return roads_load(s->plugin_dir, a->adapter, &a->module, &a->facts, tr);
}

/* ---- saying them ---- */

static bool say_rows(struct roads *r, const struct roads_account *a)
{
    struct road_row *m = calloc(1, sizeof *m);
    bool ok = true;
    must(m != NULL);
    for (uint32_t i = 0; i < a->facts->row_count && ok; i++) {
        const struct tn_wire_row *w = &a->facts->row[i];
        *m = (struct road_row){.account = a->names.account,
                               .index = i,
                               .format = w->format,
                               .class_of = w->class_of,
                               .inbound = w->inbound,
                               .link = w->link,
                               .method = w->method,
                               .field_count = w->field_count};
        memcpy(m->match, w->match, sizeof m->match);
        must(w->field_count <= ROAD_FIELDS_MAX);
        if (w->field_count > 0)
            memcpy(m->field, w->field, w->field_count * sizeof *w->field);
        ok = road_link_put(&r->link, ROAD_ROW, m, sizeof *m);
    }
    free(m);
    return ok;
}

static bool say_account(struct roads *r, const struct roads_account *a)
{
    const struct deploy_doc *d = r->setup.doc;
    struct road_account m = {.account = a->names.account,
                             .simulated = a->facts->simulated,
                             .endpoint_count = a->adapter->endpoint_count,
                             .client_id = a->facts->client_id,
                             .client_id_max = a->facts->client_id_max,
                             .validity_ns = a->facts->validity_ns,
                             .budget_count = a->facts->bucket_count,
                             .row_count = a->facts->row_count};
    must(m.budget_count <= ROAD_BUDGETS_MAX && m.endpoint_count <= ROAD_ENDPOINTS_MAX);
    memcpy(m.name, a->name, sizeof m.name);
    memcpy(m.secret, a->adapter->secret, sizeof m.secret);
    for (uint32_t i = 0; i < m.endpoint_count; i++)
        memcpy(m.endpoint[i], a->adapter->endpoint[i].address, sizeof m.endpoint[i]);
    for (uint32_t i = 0; i < m.budget_count; i++) {
        m.budget[i].weight = a->facts->bucket[i].weight;
        m.budget[i].per_ns = a->facts->bucket[i].per_ns;
    }
    bool ok = road_link_put(&r->link, ROAD_ACCOUNT, &m, sizeof m);
    for (uint32_t i = 0; i < d->instrument_count && ok; i++) {
        struct road_instrument in = {.account = m.account, .def = d->instrument[i]};
        in.def.id = r->setup.ids->instrument[i];
        memcpy(in.venue_symbol, d->instrument[i].symbol, sizeof d->instrument[i].symbol);
        ok = road_link_put(&r->link, ROAD_INSTRUMENT, &in, sizeof in);
    }
    return ok && say_rows(r, a);
}

struct result roads_start_bay(struct roads *r, struct roads_account *a, bool is_second,
                              struct trail *tr)
{
    fill_spec(a, &r->setup, is_second);
    const struct road_bay_spec s = {.spawn = r->o.spawn, .module = a->module, .adapter = &a->spec};
    return road_bay_start(is_second ? &a->second : &a->bay, &s, &r->link, tr);
}

/* A run does not begin without an adapter. Later, one that cannot be started is like one that
 * ended: its account is in doubt, and the others go on. */
static struct result start_bay(struct roads *r, struct roads_account *a, struct trail *tr)
{
    struct trail why = {0};
    if (!r->was_attached)
        return roads_start_bay(r, a, false, tr);
    struct result result = roads_start_bay(r, a, false, &why);
    if (!is_ok(result)) {
        snprintf(a->bay.why, sizeof a->bay.why, "%.180s", trail_sentence(&why, result));
        roads_bay_gone(r, a);
    }
    return OK_RESULT;
}

static struct result say_all(struct roads *r, struct trail *tr)
{
    const struct road_ready ready = {.epoch = r->setup.epoch};
    bool ok = true;
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX && ok; i++) {
        if (r->account[i].is_used)
            ok = say_account(r, &r->account[i]);
    }
    ok = ok && road_link_put(&r->link, ROAD_READY, &ready, sizeof ready);
    link_ring(&r->link.link);
    if (!ok)
        return FAIL(tr, FULL, "tenon-egress: the link has no room for the accounts at its start");
    struct result result = OK_RESULT;
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX && is_ok(result); i++) {
        if (r->account[i].is_used && !r->account[i].is_off)
            result = start_bay(r, &r->account[i], tr);
    }
    return result;
}

struct result roads_attach(struct roads *r, int wait_ms, struct trail *tr)
{
    const struct roads_setup *s = &r->setup;
    TRY(road_link_attach(&r->link, s->epoch, s->journal_id, s->host, wait_ms, tr));
    r->is_attached = true;
    struct result result = say_all(r, tr);
    if (!is_ok(result))
        roads_lost(r, "it could not be told the accounts");
    r->was_attached = r->was_attached || is_ok(result);
    return result;
}

struct result roads_begin(struct roads *r, const struct roads_setup *s, struct trail *tr)
{
    struct result result = OK_RESULT;
    r->setup = *s;
    for (uint32_t i = 0; i < s->doc->account_count && is_ok(result); i++) {
        if (s->doc->account[i].via == FACT_VIA_EGRESS)
            result = open_account(r, i, tr);
    }
    if (!is_ok(result))
        return result;
    r->is_begun = true;
    if (!r->o.in_engine)
        return roads_attach(r, 5000, tr);
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        if (r->account[i].is_used)
            roads_doubt(r, &r->account[i], FACT_SYNC_WHOLE, "the venue in the engine", NULL);
    }
    return OK_RESULT;
}

/* ---- losing and mending ---- */

void roads_lost(struct roads *r, const char *why)
{
    const int64_t now = clock_mono(r->setup.clock);
    if (!r->is_attached)
        return;
    if (r->setup.log != NULL)
        log_now(r->setup.log, LOG_ERROR, NULL,
                "tenon-egress: %s; %u approvals have no answer, no new risk until it is back and "
                "every account was reconciled",
                why, r->open_live);
    r->is_attached = false;
    r->again_ns = now + ROADS_AGAIN_NS;
    road_link_detach(&r->link);
    for (uint32_t i = 0; i < r->open_count; i++) {
        struct roads_approval *a = &r->open[(r->open_first + i) % ROADS_OPEN];
        if (!a->is_done)
            roads_hold_sent(r, a, FACT_SENT_UNKNOWN, FACT_SENT_REASON_NO_LINK);
    }
    r->open_first = r->open_count = r->open_live = 0;
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        struct roads_account *a = &r->account[i];
        if (!a->is_used)
            continue;
        road_bay_stop(&a->bay, r->o.spawn);
        road_bay_stop(&a->second, r->o.spawn);
        roads_doubt(r, a, FACT_SYNC_LOST, "tenon-egress has gone", NULL);
    }
}

void roads_bay_gone(struct roads *r, struct roads_account *a)
{
    const int64_t now = clock_mono(r->setup.clock);
    const struct road_bay m = {.account = a->names.account};
    struct trail tr = {0};
    a->died_ns[a->deaths++ % ROADS_DEATHS] = now;
    r->totals.deaths++;
    int64_t oldest = a->died_ns[a->deaths % ROADS_DEATHS];
    a->is_off = a->deaths >= ROADS_DEATHS && now - oldest < ROADS_DEATHS_NS;
    a->again_ns = now + ROADS_AGAIN_NS;
    if (r->setup.log != NULL)
        log_now(r->setup.log, LOG_ERROR, NULL, "adapter of account %s: %s; %s", a->name, a->bay.why,
                a->is_off ? "it ended three times in ten minutes and stays off: promote another"
                          : "it is started again");
    memset(&a->bay, 0, sizeof a->bay);
    (void)!is_ok(road_link_bay(&r->link, &m, NULL, &tr));
    roads_doubt(r, a, FACT_SYNC_LOST, "its adapter ended", NULL);
}

void roads_withheld(struct roads *r, const struct fact_alert *e, bool is_last)
{
    struct roads_account *a = &r->account[e->account - 1];
    char why[160];
    snprintf(why, sizeof why, "%.32s %.32s withholds executions: order %lu, %ld filled, %ld given",
             a->adapter->plugin, a->adapter->version, (unsigned long)e->order, (long)e->a,
             (long)e->b);
    if (is_last && r->setup.log != NULL)
        log_now(r->setup.log, LOG_ERROR, NULL,
                "account %s: %s, after a whole reconciliation too; the order ended with what is "
                "known, and the account only reduces: compare it with the venue",
                a->name, why);
    if (is_last)
        return;
    roads_doubt(r, a, FACT_SYNC_LOST, why, NULL);
    if (r->o.in_engine)
        roads_doubt(r, a, FACT_SYNC_WHOLE, "the venue in the engine", NULL);
    if (a->bay.state != ROAD_BAY_RUNS)
        return; /* the next one begins with a whole reconciliation */
    road_bay_fail(&a->bay, r->o.spawn, why);
    roads_bay_gone(r, a);
}

static void mend_bay(struct roads *r, struct roads_account *a, int64_t now)
{
    struct trail tr = {0};
    if (!a->is_off && a->bay.state == ROAD_BAY_NONE && now >= a->again_ns)
        (void)!is_ok(start_bay(r, a, &tr));
}

void roads_mend(struct roads *r)
{
    const int64_t now = clock_mono(r->setup.clock);
    struct trail tr = {0};
    if (!r->is_begun || r->o.in_engine)
        return;
    if (!r->is_attached && now >= r->again_ns) {
        if (is_ok(roads_attach(r, ROADS_WAIT_MS, &tr)) && r->setup.log != NULL)
            log_now(r->setup.log, LOG_WARN, NULL, "tenon-egress is back");
        r->again_ns = clock_mono(r->setup.clock) + ROADS_AGAIN_NS; /* from when it ended */
    }
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX && r->is_attached; i++) {
        if (r->account[i].is_used)
            mend_bay(r, &r->account[i], now);
    }
}
