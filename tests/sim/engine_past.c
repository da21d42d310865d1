/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's past: groups to the disk, and back from it after a crash. Groups, chain, heads and
 * the check at the start are the production journal's; only its two threads are missing, whose work
 * is done here in steps: seal, write (which takes time and may be cut short by a crash), head file,
 * durable.
 */
#include "tests/sim/engine_priv.h"
#include "journal/group.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- trade ids that are booked ---- */

static uint32_t place(const struct engine *e, uint64_t trade_id)
{
    uint32_t i = (uint32_t)(trade_id * 0x9e3779b97f4a7c15ull >> 32) & e->trade_mask;
    while (e->trade[i] != 0 && e->trade[i] != trade_id)
        i = (i + 1) & e->trade_mask;
    return i;
}

bool engine_has_trade(const struct engine *e, uint64_t trade_id)
{
    return e->trade[place(e, trade_id)] == trade_id;
}

void engine_add_trade(struct engine *e, uint64_t trade_id)
{
    must(e->trade_count < e->trade_mask / 2);
    const uint32_t i = place(e, trade_id);
    e->trade_count += e->trade[i] == 0;
    e->trade[i] = trade_id;
}

void engine_alarm(struct engine *e, const struct road_alarm *m)
{
    if (e->s->o.trace)
        printf("%14.6f alarm %u: %.100s\n", (double)(e->s->now_ns - SIM_T0) / 1e9, m->what,
               m->text);
    const bool is_ours = m->what == ROAD_ALARM_METER || m->what == ROAD_ALARM_MISMATCH ||
                         m->what == ROAD_ALARM_INVENTED || m->what == ROAD_ALARM_UNNAMED ||
                         m->what == ROAD_ALARM_FLOOD;
    if (is_ours) /* nothing in this world deserves one of these */
        sim_violated(e->s, 31, "egress alarms (%u): %.120s", m->what, m->text);
}

/* ---- writing ---- */

/* Each record's CRC and its place in the chain, as the commit thread does it. */
static void take_records(struct engine *e, uint8_t *at, size_t count)
{
    uint32_t number = 0;
    for (uint8_t *end = at + count; at < end;) {
        struct fact_head h;
        memcpy(&h, at, sizeof h);
        h.crc = group_crc(at, h.bytes);
        memcpy(at, &h, sizeof h);
        must(is_ok(chain_record(&e->flight, ++number, &h, at + sizeof h, NULL)));
        at += group_stride(h.bytes);
    }
}

static void seal(struct engine *e)
{
    struct group_head head = {.record_count = e->pending_records};
    e->group_count = sizeof head + e->pending_count;
    e->group = realloc(e->group, e->group_count);
    must(e->group != NULL);
    memcpy(e->group + sizeof head, e->pending, e->pending_count);
    e->flight = e->chain;
    take_records(e, e->group + sizeof head, e->pending_count);
    head.index = e->chain.index + 1;
    head.first_seq = e->chain.seq + 1;
    head.last_seq = e->flight.seq;
    head.last_t_ns = e->flight.t_ns;
    memcpy(head.journal_id, e->journal_id, sizeof head.journal_id);
    memcpy(head.prev, e->chain.hash, sizeof head.prev);
    memcpy(e->group, &head, sizeof head);
    group_seal(e->group, e->group_count, e->sha);
    memcpy(e->flight.hash, e->group + offsetof(struct group_head, hash), FACT_HASH_BYTES);
    memcpy(e->flight.journal_id, e->journal_id, sizeof e->journal_id);
    e->flight.index = head.index;
    e->flight.has_id = e->flight.anchored = true;
    e->pending_count = 0;
    e->pending_records = 0;
}

static void write_soon(struct engine *e, int64_t delay_ns)
{
    const struct sim_thing t = {.kind = SIM_STORED};
    sim_post(e->s, SIM_PIPE_DISK, delay_ns, &t, NULL, 0, NULL, 0);
}

void engine_store(struct engine *e)
{
    if (e->is_storing || e->pending_count == 0 || sim_point(e->s, SIM_ENGINE))
        return;
    seal(e);
    e->is_storing = true;
    if (e->chain.index == 0)
        must(is_ok(heads_begin(e->heads, &e->chain, e->s->now_ns, NULL)));
    heads_attempt(e->heads, e->flight.index);
    simdisk_begin(e->s->disk, e->flight.index, e->group, e->group_count);
    int64_t ns = sim_between(&e->s->world, SIM_MS / 2, 4 * SIM_MS);
    if (sim_fault(e->s, SIM_DISK_SLOW, 200))
        ns = sim_between(&e->s->faults, 50 * SIM_MS, 2 * SIM_S);
    write_soon(e, ns);
}

void engine_stored(struct engine *e)
{
    struct trail tr = {0};
    if (!e->is_up || sim_point(e->s, SIM_ENGINE))
        return;
    const struct result r =
        e->store->ops->append(e->store, e->flight.index, e->group, e->group_count, true, &tr);
    if (!is_ok(r)) { /* again, until there is room */
        write_soon(e, 20 * SIM_MS);
        return;
    }
    e->chain = e->flight;
    e->is_storing = false;
    e->counts.groups++;
    if (sim_point(e->s, SIM_ENGINE))
        return;
    heads_write(e->heads, &e->chain, e->s->now_ns);
    e->durable = e->chain.seq;
    sim_mix(e->s, e->chain.hash, sizeof e->chain.hash);
    if (e->is_attached)
        office_durable(e->s, e->durable);
    engine_store(e);
}

/* ---- reading ---- */

struct replay {
    struct engine *e;
    struct core *core;
    const uint8_t *effect, *effect_end; /* of the last event, not compared yet */
    struct core_out out;
    uint64_t events;
};

static void compare_effect(struct replay *p, const struct fact_head *h, const void *payload)
{
    struct fact_head want;
    if (p->effect + sizeof want > p->effect_end) {
        sim_violated(p->e->s, 27, "event %lu has an effect more in the journal than in its replay",
                     (unsigned long)h->seq);
        return;
    }
    memcpy(&want, p->effect, sizeof want);
    want.crc = h->crc;
    if (memcmp(&want, h, sizeof want) != 0 ||
        memcmp(p->effect + sizeof want, payload, h->bytes) != 0)
        sim_violated(p->e->s, 27, "effect %u of event %lu (%s) replays otherwise", h->sub,
                     (unsigned long)h->seq, fact_name(h->type));
    p->effect += sizeof want + want.bytes;
}

static void replay_record(struct replay *p, const struct fact_head *h, const void *payload)
{
    if (h->sub != 0) {
        compare_effect(p, h, payload);
        return;
    }
    if (p->effect != p->effect_end)
        sim_violated(p->e->s, 27, "an event before %lu has fewer effects in the journal",
                     (unsigned long)h->seq);
    core_step(p->core, h, payload, &p->out);
    p->effect = p->out.bytes;
    p->effect_end = p->effect + p->out.used;
    p->events++;
}

/* From `from` on into `core`; up to the chain's end. */
static uint64_t replay(struct engine *e, struct core *core, uint64_t from, uint64_t to, bool note)
{
    struct journal_reader *reader;
    struct trail tr = {0};
    struct fact_head h;
    const void *payload;
    struct replay p = {.e = e, .core = core, .out = e->out};
    uint64_t seen = from;
    must(is_ok(journal_reader_open(e->store, &reader, &tr)));
    while (seen < to || (to > 0 && p.effect != p.effect_end)) {
        const struct result r = journal_reader_next(reader, &h, &payload, &tr);
        if (!is_ok(r)) {
            sim_violated(e->s, 26, "the journal cannot be read at event %lu of %lu: %s",
                         (unsigned long)seen, (unsigned long)to, trail_sentence(&tr, r));
            break;
        }
        if (h.seq <= from)
            continue;
        if (h.sub == 0 && h.seq != seen + 1)
            sim_violated(e->s, 26, "event %lu follows event %lu", (unsigned long)h.seq,
                         (unsigned long)seen);
        seen = h.seq;
        replay_record(&p, &h, payload);
        if (note)
            engine_note(e, &h, payload);
    }
    journal_reader_close(reader);
    return p.events;
}

/* ---- life ---- */

struct engine *engine_new(struct sim *s)
{
    struct engine *e = calloc(1, sizeof *e);
    must(e != NULL);
    e->s = s;
    e->memory_bytes = (core_bytes(&engine_limits) + 63) / 64 * 64;
    e->memory = aligned_alloc(64, e->memory_bytes);
    e->out.capacity = CORE_OUT_BYTES;
    e->out.bytes = aligned_alloc(64, CORE_OUT_BYTES);
    e->pending = malloc(ENGINE_PENDING_BYTES);
    e->trade_mask = (1u << 18) - 1;
    e->trade = calloc(e->trade_mask + 1u, sizeof *e->trade);
    must(e->memory && e->out.bytes && e->pending && e->trade);
    must(is_ok(hash_sha256_new(&e->sha)));
    memcpy(e->journal_id, &(uint64_t){s->o.seed + 1}, 8);
    must(snprintf(e->heads_dir, sizeof e->heads_dir, "%s/heads", s->o.folder) < SIM_PATH_BYTES);
    return e;
}

static void drop_life(struct engine *e)
{
    if (e->store)
        e->store->ops->close(e->store);
    heads_close(e->heads);
    e->store = NULL;
    e->heads = NULL;
    free(e->snapshot);
    e->snapshot = NULL;
}

void engine_free(struct engine *e)
{
    drop_life(e);
    hash_sha256_free(e->sha);
    free(e->memory);
    free(e->out.bytes);
    free(e->pending);
    free(e->trade);
    free(e->group);
    free(e);
}

void engine_crash(struct engine *e)
{
    const struct sim_thing gone = {.kind = SIM_ROAD_GONE};
    e->is_up = false;
    simdisk_crash(e->s->disk, &e->s->faults);
    sim_cut(e->s, SIM_PIPE_DISK);
    sim_cut(e->s, SIM_PIPE_IN);
    sim_cut(e->s, SIM_PIPE_LINE);
    /* What it put into its ring may still be read, or its end is closed first. */
    if (rng_below(&e->s->world, 2))
        sim_cut(e->s, SIM_PIPE_OUT);
    if (e->is_attached)
        sim_post(e->s, SIM_PIPE_OUT, 50000, &gone, NULL, 0, NULL, 0);
    e->is_attached = false;
}

static void limit(struct engine *e, uint32_t rule, int64_t value)
{
    const struct fact_limit f = {.rule = rule, .limit = value};
    engine_event(e, FACT_LIMIT, &f, 0);
}

static void say_deployment(struct engine *e)
{
    struct fact_genesis g = {.seed = e->s->o.seed, .host = "sim"};
    struct fact_currency usd = {.id = SIM_USD, .exp = -8, .name = "USD"};
    struct fact_account account = {.id = SIM_ACCOUNT,
                                   .currency = SIM_USD,
                                   .balance = 10000000000000,
                                   .simulated = 1,
                                   .via = FACT_VIA_EGRESS,
                                   .name = "paper"};
    memcpy(g.journal_id, e->journal_id, sizeof g.journal_id);
    engine_event(e, FACT_GENESIS, &g, 0);
    engine_event(e, FACT_CURRENCY, &usd, 0);
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++)
        engine_event(e, FACT_INSTRUMENT, &engine_instrument(i)->def, 0);
    engine_event(e, FACT_ACCOUNT, &account, 0);
    for (uint32_t i = 1; i <= SIM_STRATEGIES; i++) {
        struct fact_instance in = {.id = i, .kind = TN_KIND_STRATEGY, .due_ns = 20 * SIM_MS};
        struct fact_route route = {
            .strategy = i, .instrument = i, .account = SIM_ACCOUNT, .budget = 1500000000000};
        snprintf(in.name, sizeof in.name, "s%u", i);
        engine_event(e, FACT_INSTANCE, &in, 0);
        engine_event(e, FACT_ROUTE, &route, 0);
    }
    limit(e, RISK_MAX_QTY, 20000);
    limit(e, RISK_MAX_VALUE, 2000000000000);
    limit(e, RISK_POSITION, 30000);
    limit(e, RISK_EXPOSURE, 300000);
}

static bool open_journal(struct engine *e)
{
    struct trail tr = {0};
    struct check_end end;
    const uint64_t durable = e->durable;
    drop_life(e);
    mkdir(e->heads_dir, 0700);
    e->store = simdisk_open(e->s->disk);
    struct result r = heads_open(e->heads_dir, true, &e->heads, &tr);
    if (is_ok(r))
        r = check_store(e->store, e->heads, e->journal_id, &end, &tr);
    if (!is_ok(r) || end.doubt || end.chain.seq < durable) {
        sim_violated(e->s, 29, "the journal ends at %lu, durable was %lu: %s",
                     (unsigned long)end.chain.seq, (unsigned long)durable,
                     is_ok(r) ? end.doubt_text : trail_sentence(&tr, r));
        return false;
    }
    e->chain = end.chain;
    memcpy(e->chain.journal_id, e->journal_id, sizeof e->journal_id);
    e->chain.has_id = e->chain.anchored = true;
    watch_recovered(e->s->watch, end.chain.seq, durable);
    e->durable = end.chain.seq;
    return true;
}

static void forget(struct engine *e)
{
    memset(e->memory, 0, e->memory_bytes);
    memset(e->trade, 0, (e->trade_mask + 1u) * sizeof *e->trade);
    memset(&e->last_exec, 0, sizeof e->last_exec);
    memset(e->cursor, 0, sizeof e->cursor);
    e->core = core_init(e->memory, e->memory_bytes, &engine_limits);
    e->epoch = 0;
    e->trade_count = e->epoch_count = e->open_count = e->answer_count = 0;
    e->pending_count = 0;
    e->pending_records = 0;
    e->is_storing = false;
    e->in_doubt = true;
}

void engine_start(struct engine *e)
{
    if (e->is_up)
        return;
    forget(e);
    if (!open_journal(e))
        return;
    if (e->chain.seq > 0)
        e->counts.replayed += replay(e, e->core, 0, e->chain.seq, true);
    seq_init(&e->seq, e->chain.seq, e->chain.seq > 0 ? core_now(e->core) : 0);
    e->is_up = true;
    e->counts.starts++;
    if (e->chain.seq == 0)
        say_deployment(e);
    struct fact_start start = {
        .epoch = e->epoch + 1, .core_logic = FACT_CORE_LOGIC, .kind = FACT_RUN_PAPER};
    const struct fact_auto on = {.on = 1, .by = "simulator"};
    engine_event(e, FACT_START, &start, 0);
    engine_event(e, FACT_AUTO, &on, 0);
    if (e->is_up)
        engine_attach(e);
    if (!e->has_signals)
        engine_begin_signals(e);
    e->has_signals = true;
}

/* ---- the end ---- */

void engine_keep_snapshot(struct engine *e)
{
    if (!e->is_up || e->snapshot || rng_below(&e->s->world, 20) != 0)
        return;
    e->snapshot_bytes = core_snapshot_bytes(e->core);
    e->snapshot = malloc(e->snapshot_bytes);
    must(e->snapshot != NULL);
    e->snapshot_bytes = core_snapshot(e->core, e->snapshot, e->snapshot_bytes);
    e->snapshot_seq = e->seq.last_seq;
}

static uint8_t *state_of(const struct core *c, size_t *bytes)
{
    *bytes = core_snapshot_bytes(c);
    uint8_t *state = malloc(*bytes);
    must(state != NULL);
    *bytes = core_snapshot(c, state, *bytes);
    return state;
}

static void compare_state(struct engine *e, const struct core *other, int invariant,
                          const char *what)
{
    size_t n, m;
    uint8_t *live = state_of(e->core, &n), *again = state_of(other, &m);
    if (n != m || memcmp(live, again, n) != 0)
        sim_violated(e->s, invariant, "%s is not the live state", what);
    free(live);
    free(again);
}

static void finish_storing(struct engine *e)
{
    while (e->is_storing || e->pending_count > 0) {
        if (!e->is_storing)
            engine_store(e);
        engine_stored(e);
        if (!e->is_up)
            return;
    }
}

void engine_check_replay(struct engine *e)
{
    if (!e->is_up)
        return;
    finish_storing(e);
    void *memory = aligned_alloc(64, e->memory_bytes);
    must(memory != NULL);
    memset(memory, 0, e->memory_bytes);
    struct core *core = core_init(memory, e->memory_bytes, &engine_limits);
    replay(e, core, 0, e->chain.seq, false);
    compare_state(e, core, 27, "the journal replayed from its beginning");
    if (e->snapshot && !e->s->is_broken) {
        struct trail tr = {0};
        memset(memory, 0, e->memory_bytes);
        core = core_init(memory, e->memory_bytes, &engine_limits);
        const struct result r = core_restore(core, e->snapshot, e->snapshot_bytes, &tr);
        if (!is_ok(r))
            sim_violated(e->s, 28, "a snapshot is refused: %s", trail_sentence(&tr, r));
        else
            replay(e, core, e->snapshot_seq, e->chain.seq, false);
        if (is_ok(r))
            compare_state(e, core, 28, "a snapshot and the journal behind it");
        e->counts.snapshots_equal++;
    }
    free(memory);
}
