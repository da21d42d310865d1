/* SPDX-License-Identifier: Apache-2.0
 *
 * Building and ending an engine. Order of opening: memory, journal and recovery, the document it
 * runs under, venues, source, plugins, the first facts (genesis.c), history, activation. Whatever
 * fails, what was opened is closed in reverse and nothing has been traded.
 *
 * A journal is continued only under the deployment that it says is active: changing what is live is
 * a promotion, not a restart. Source events that the journal holds already are shown to
 * belief and the venues as history, so indicators are warm and prices known when it goes on.
 */
#include "flow/lockstep_priv.h"
#include "flow/replay.h"
#include "flow/venues.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOCKSTEP_MAGIC = 0x4c4f434b, LEDGER_TRIES = 100 };
/* Only a store that fails stops the market: how full a disk may be is the host's to guard. */
enum { ANY_FULLNESS_PPM = 1000001 };
enum { TRADE_BITS = 40, ORDER_BITS = 10 }; /* an order's id begins with its event */

static void write_ledger(void *arg, const char *line, size_t count)
{
    FILE *f = arg;
    fwrite(line, 1, count, f);
    fputc('\n', f);
}

/* One ledger per start that got this far: nothing is ever written over. */
static struct result open_ledger(struct lockstep *l, uint32_t i, struct trail *tr)
{
    char path[DEPLOY_PATH_BYTES];
    for (uint32_t again = 1; again <= LEDGER_TRIES; again++) {
        char suffix[16] = "";
        if (again > 1)
            snprintf(suffix, sizeof suffix, ".%u", again);
        int n = snprintf(path, sizeof path, "%s/venue-%s-%lu%s.ledger", l->o.ledger_path,
                         l->doc->account[i].name, (unsigned long)(l->found.epoch + 1), suffix);
        if (n < 0 || n >= (int)sizeof path)
            return FAIL(tr, TOO_LARGE, "ledger folder %.200s: the path is too long; use a shorter",
                        l->o.ledger_path);
        l->ledger[i] = fopen(path, "wx");
        if (l->ledger[i] != NULL)
            return OK_RESULT;
        if (errno != EEXIST)
            break;
    }
    return FAIL(tr, IO, "ledger %s: cannot be created: %s; give an empty run folder", path,
                strerror(errno));
}

static struct venue_config venue_of(const struct lockstep *l, uint32_t i)
{
    uint64_t epoch = l->found.epoch; /* of the run before; 0 = none */
    struct venue_config c = venues_config(l->doc, i, l->ids.account[i], l->o.seed, epoch);
    c.trades_before = epoch << TRADE_BITS;
    c.orders_before = epoch ? (l->seq.last_seq + 1) << ORDER_BITS : 0;
    c.ledger = l->ledger[i] ? write_ledger : NULL;
    c.ledger_arg = l->ledger[i];
    return c;
}

/* A simulated venue lives in the engine and ends with it, and its working orders too; what it held
 * is what the books say. */
static void resume_venue(struct lockstep *l, struct venue *v, uint32_t account)
{
    struct fact_instrument in;
    for (uint32_t k = 0; core_instrument(l->core, k, &in); k++) {
        struct core_position_view p;
        int64_t net = 0;
        for (uint32_t row = 0; core_position(l->core, row, &p); row++) {
            if (p.account == account && p.instrument == in.id)
                net += p.qty;
        }
        if (net != 0)
            venue_resume(v, in.id, net);
    }
}

static struct result open_venues(struct lockstep *l, struct trail *tr)
{
    const struct deploy_doc *d = l->doc;
    for (uint32_t i = 0; i < d->account_count; i++) {
        if (l->is_fed_by_roads && d->account[i].via == FACT_VIA_EGRESS)
            continue;
        struct result r = l->o.ledger_path ? open_ledger(l, i, tr) : OK_RESULT;
        if (!is_ok(r))
            return r;
        struct venue_config c = venue_of(l, i);
        size_t bytes = venue_bytes(&c);
        void *memory = arena_take(&l->venues, bytes, 64);
        must(memory != NULL);
        struct venue *v = venue_init(memory, bytes, &c);
        l->venue[c.account - 1] = v;
        for (uint32_t k = 0; k < d->instrument_count; k++) {
            struct fact_instrument in = d->instrument[k];
            in.id = l->ids.instrument[k];
            venue_instrument(v, &in, d->currency[in.settle - 1].exp);
        }
        resume_venue(l, v, c.account);
    }
    return OK_RESULT;
}

static struct result map_venues(struct lockstep *l)
{
    size_t bytes = 4096;
    for (uint32_t i = 0; i < l->doc->account_count; i++) {
        struct venue_config c = venue_of(l, i);
        bytes += venue_bytes(&c) + 64;
    }
    return arena_map(&l->venues, bytes);
}

static struct result map_memory(struct lockstep *l)
{
    size_t bytes = core_bytes(&replay_limits) + CORE_OUT_BYTES + 4096;
    TRY(arena_map(&l->arena, bytes));
    size_t core = core_bytes(&replay_limits);
    l->core = core_init(arena_take(&l->arena, core, 64), core, &replay_limits);
    l->step_bytes =
        arena_take(&l->arena, sizeof(struct fact_head) + FACT_MAX_BYTES + CORE_OUT_BYTES, 64);
    must(l->step_bytes != NULL);
    l->out.capacity = CORE_OUT_BYTES;
    return OK_RESULT;
}

/* ---- journal ---- */

static struct result open_journal(struct lockstep *l, struct trail *tr)
{
    if (l->o.journal_dir == NULL) {
        TRY(hash_sha256_new(&l->effects_hash));
        hash_sha256_begin(l->effects_hash);
        return OK_RESULT;
    }
    struct journal_store *store = NULL;
    TRY(journal_store_rocksdb(l->o.journal_dir, true, false, &store, tr));
    struct journal_options jo = {.store = store,
                                 .heads_dir = l->o.heads_dir,
                                 .sync = true,
                                 .disk_full_ppm = ANY_FULLNESS_PPM,
                                 .clock = l->o.clock};
    if (l->roads != NULL && roads_page(l->roads) != NULL) {
        jo.durable = road_link_durable;
        jo.durable_arg = roads_page(l->roads);
    }
    TRY(journal_open(&jo, &l->journal, &l->found, tr));
    l->registry = registry_new();
    if (l->found.last_seq == 0)
        return OK_RESULT;
    return recover_run(l, tr);
}

/* ---- source ---- */

/* The source is that of the first deployment, whatever was promoted since: the same instruments in
 * the same order, so that it gives again what it gave. */
static struct result open_feed(struct lockstep *l, struct feed **out, struct trail *tr)
{
    struct venues_source s = {.doc = l->source_doc,
                              .entry = bay_module_entry(l->source_module),
                              .data_path = l->o.data_path,
                              .seed = l->o.seed,
                              .faults_per_day = l->o.faults_per_day};
    return venues_feed(&s, out, tr);
}

/* What the rows are is known from the first one that can be used. */
static struct result probe(struct lockstep *l, bool *bars, struct trail *tr)
{
    struct feed *f = NULL;
    struct fact_view v = {0};
    TRY(open_feed(l, &f, tr));
    struct result r = OK_RESULT;
    do {
        r = feed_next(f, &v, tr);
    } while (is_ok(r) && v.head.type == FACT_ROWS);
    feed_close(f);
    *bars = is_ok(r) && v.head.type == FACT_BAR;
    if (is_ok(r) && l->seq.last_seq == 0)
        l->seq.last_ns = v.head.t_ns; /* a run begins when its market does */
    if (is_ok(r) && core_serial(l->core) == 0 && l->seq.last_ns > v.head.t_ns)
        return FAIL(tr, STATE,
                    "journal %s: was begun by a host without a deployment, on today's time; give "
                    "%s an empty journal folder",
                    l->o.journal_dir, l->doc->path);
    return r.code == RESULT_END ? OK_RESULT : r;
}

static struct result check_bars(const struct lockstep *l, struct trail *tr)
{
    const struct deploy_doc *d = l->doc;
    for (uint32_t i = 0; i < d->instance_count; i++) {
        int64_t have = d->instrument[d->instance[i].instrument - 1].bar_ns;
        if (d->instance[i].bar_ns != have)
            return FAIL(
                tr, CONFIG,
                "%s:%u instance %s: wants bars of %ld s but %s holds bars of %ld s; use the "
                "bar length of the file",
                d->path, d->instance[i].line, d->instance[i].fact.name,
                (long)(d->instance[i].bar_ns / 1000000000), l->o.data_path,
                (long)(have / 1000000000));
    }
    return OK_RESULT;
}

int64_t lockstep_clock(const struct lockstep *l)
{
    const struct roads_options *o = l->o.roads;
    if (!l->is_fed_by_roads)
        return INT64_MIN;
    if (!o->is_script)
        return clock_wall(l->o.clock);
    __int128 wall = clock_mono(l->o.clock) - o->script_mono_ns;
    int64_t now = o->script_market_ns + (int64_t)(wall * o->script_speed / 1000);
    return now > o->script_market_ns ? now : o->script_market_ns;
}

bool lockstep_via_egress(const struct deploy_doc *d)
{
    for (uint32_t i = 0; i < d->account_count; i++) {
        if (d->account[i].via == FACT_VIA_EGRESS)
            return true;
    }
    return false;
}

/* Market data come from where orders go to; there is nothing to be read again, so the journal's own
 * market is the history. */
static struct result check_roads(struct lockstep *l, struct trail *tr)
{
    if (!lockstep_via_egress(l->doc))
        return OK_RESULT;
    if (l->roads == NULL)
        return FAIL(tr, CONFIG,
                    "%s: an account goes via egress; name tenon-egress's socket with --attach, or "
                    "serve it by the venue in the engine with --in-engine",
                    l->doc->path);
    l->is_fed_by_roads = !l->o.roads->in_engine;
    if (l->is_fed_by_roads)
        l->skip = 0;
    if (l->is_fed_by_roads && l->o.data_path != NULL)
        return FAIL(tr, USAGE,
                    "%s: its market data come from its adapter; run without --data, or with "
                    "--in-engine",
                    l->doc->path);
    return OK_RESULT;
}

static struct result open_source(struct lockstep *l, struct trail *tr)
{
    char path[DEPLOY_PATH_BYTES];
    bool bars = false;
    if (l->is_fed_by_roads) {
        int64_t now = lockstep_clock(l);
        l->bars_from_trades = true;
        recover_close(l);
        if (now > l->seq.last_ns)
            l->seq.last_ns = now;
        return OK_RESULT;
    }
    if (l->o.data_path != NULL && l->doc->instrument_count != 1)
        return FAIL(tr, CONFIG,
                    "%s: has %u instruments but one data file feeds one; name it with --instrument",
                    l->doc->path, l->doc->instrument_count);
    TRY(plant_find(l->o.plugin_dir, l->o.data_path ? "replay" : "synth", "1.0.0", path, tr));
    TRY(bay_load(path, NULL, &l->source_module, tr));
    TRY(probe(l, &bars, tr));
    if (bars)
        TRY(check_bars(l, tr));
    l->bars_from_trades = !bars;
    return open_feed(l, &l->feed, tr);
}

static struct result build(struct lockstep *l, struct trail *tr)
{
    TRY(map_memory(l));
    if (l->o.roads != NULL)
        TRY(roads_open(l->o.roads, &l->roads, tr));
    TRY(open_journal(l, tr));
    TRY(genesis_document(l, tr));
    if (l->doc != NULL) {
        TRY(check_roads(l, tr));
        TRY(map_venues(l));
        TRY(open_venues(l, tr));
        TRY(open_source(l, tr));
        TRY(genesis_plant(l, tr));
    }
    TRY(swap_open(l, tr));
    return genesis_begin(l, tr);
}

struct result lockstep_open(const struct lockstep_options *o, struct lockstep **out,
                            struct trail *tr)
{
    must(o->kind == FACT_RUN_PAPER || o->kind == FACT_RUN_BACKTEST);
    struct lockstep *l = calloc(1, sizeof *l);
    must(l != NULL);
    l->magic = LOCKSTEP_MAGIC;
    l->o = *o;
    l->until_ns = INT64_MAX;
    seq_init(&l->seq, 0, 0);
    struct result r = build(l, tr);
    if (!is_ok(r)) {
        lockstep_free(l);
        return r;
    }
    *out = l;
    return OK_RESULT;
}

struct result lockstep_snapshot(struct lockstep *l, struct trail *tr)
{
    must(l->journal != NULL);
    l->snapshot_seq = l->seq.last_seq;
    size_t bytes = core_snapshot_bytes(l->core);
    void *memory = malloc(bytes);
    must(memory != NULL);
    size_t count = core_snapshot(l->core, memory, bytes);
    struct fact_snapshot e = {.seq = l->seq.last_seq, .bytes = count};
    struct result r = journal_wait(l->journal, l->seq.last_seq, tr);
    if (is_ok(r))
        r = journal_snapshot_write(l->o.journal_dir, e.seq, memory, count, e.sha256, tr);
    free(memory);
    return is_ok(r) ? lockstep_say(l, FACT_SNAPSHOT, 0, &e, tr) : r;
}

static uint32_t positions_left(const struct lockstep *l)
{
    struct core_position_view v;
    uint32_t n = 0;
    for (uint32_t i = 0; core_position(l->core, i, &v); i++)
        n += v.qty != 0;
    return n;
}

/* ---- ending ---- */

/* The next host goes on from a stored state: it is up sooner, and it may be one of another core
 * logic, which must not decide anew what this one decided. A disk without room costs only that. */
static struct result store_for_next(struct lockstep *l, struct trail *tr)
{
    struct trail why = {0};
    TRY(lockstep_answers_due(l, tr));
    struct result r = lockstep_snapshot(l, &why);
    if (is_ok(r) || (r.code != RESULT_DISK_FULL && r.code != RESULT_IO))
        return is_ok(r) ? r : FAIL_AS(tr, r, "%s", trail_sentence(&why, r));
    if (l->o.log != NULL)
        log_now(l->o.log, LOG_WARN, NULL,
                "the state could not be stored at the end, so only this version of tenond can go "
                "on: %s",
                trail_sentence(&why, r));
    return OK_RESULT;
}

struct result lockstep_stop(struct lockstep *l, struct lockstep_report *out, struct trail *tr)
{
    must(l->magic == LOCKSTEP_MAGIC && !l->stopped);
    struct feed_totals f = {0};
    if (l->feed != NULL)
        feed_totals(l->feed, &f);
    if (l->feed != NULL)
        TRY(genesis_dataset(l, f.rows, tr));
    TRY(genesis_plugins(l, FACT_PLUGIN_STOPPED, tr));
    uint32_t left = positions_left(l), out_there = 0;
    if (l->is_fed_by_roads)
        TRY(left_say(l, &out_there, tr));
    struct fact_stop e = {.forced = left > 0 || out_there > 0, .positions = left};
    if (l->journal != NULL && l->is_fed_by_roads)
        TRY(store_for_next(l, tr));
    TRY(lockstep_say(l, FACT_STOP, 0, &e, tr));
    l->stopped = true;
    lockstep_report(l, out);
    if (l->journal != NULL) {
        struct journal *j = l->journal;
        l->journal = NULL;
        TRY(journal_close(j, l->report.head, tr));
    } else {
        hash_sha256_end(l->effects_hash, l->report.effects_sha256);
    }
    lockstep_report(l, out);
    return OK_RESULT;
}

void lockstep_report(struct lockstep *l, struct lockstep_report *out)
{
    l->report.totals = *core_totals(l->core);
    l->report.last_seq = l->seq.last_seq;
    l->report.positions_left = positions_left(l);
    l->report.orders_left = core_open_orders(l->core);
    if (l->feed != NULL)
        feed_totals(l->feed, &l->report.feed);
    l->report.venue_orders = l->report.venue_fills = 0;
    l->report.in_flight = false;
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        struct venue_totals t;
        if (l->venue[i] == NULL)
            continue;
        venue_totals(l->venue[i], &t);
        l->report.venue_orders += t.orders;
        l->report.venue_fills += t.fills;
        l->report.in_flight |= venue_due(l->venue[i]) != INT64_MAX;
    }
    l->report.has_roads = l->is_fed_by_roads;
    if (l->roads != NULL)
        roads_totals(l->roads, &l->report.roads);
    *out = l->report;
}

void lockstep_free(struct lockstep *l)
{
    if (l == NULL)
        return;
    struct trail tr = {0};
    uint8_t head[FACT_HASH_BYTES];
    if (l->journal != NULL)
        (void)!is_ok(journal_close(l->journal, head, &tr));
    roads_free(l->roads);
    swap_close(l);
    recover_close(l);
    plant_close(&l->plant);
    while (l->bay_count > 0) {
        struct bay *b = l->bay[--l->bay_count];
        b->ops->stop(b);
    }
    registry_free(l->registry);
    bool is_apart = l->source_doc != l->doc && l->source_doc != l->o.doc &&
                    (l->first == NULL || l->source_doc != &l->first->doc);
    if (is_apart)
        free((void *)(uintptr_t)l->source_doc);
    free(l->own_doc);
    free(l->first);
    feed_close(l->feed);
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        if (l->ledger[i] != NULL)
            fclose(l->ledger[i]);
    }
    if (l->effects_hash != NULL)
        hash_sha256_free(l->effects_hash);
    arena_unmap(&l->venues);
    arena_unmap(&l->arena);
    free(l);
}

const struct deploy_doc *lockstep_doc(const struct lockstep *l)
{
    return l->doc;
}

const struct stage_ids *lockstep_ids(const struct lockstep *l)
{
    return &l->ids;
}

const struct core *lockstep_core(const struct lockstep *l)
{
    return l->core;
}

const struct plant *lockstep_plant(const struct lockstep *l)
{
    return &l->plant;
}

const struct journal *lockstep_journal(const struct lockstep *l)
{
    return l->journal;
}

int64_t lockstep_now(const struct lockstep *l)
{
    return l->seq.last_ns;
}

uint64_t lockstep_epoch(const struct lockstep *l)
{
    return l->report.epoch;
}
