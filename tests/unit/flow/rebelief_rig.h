/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of belief replay: a journal as an engine writes it, without the engine. Real builds
 * of a real document answer to bars; their answers are numbered when they are due; all is journaled
 * in order. What a test wants to be wrong in the journal it says beforehand (rig->damage).
 */
#ifndef FLOW_REBELIEF_RIG_H
#define FLOW_REBELIEF_RIG_H
#include <unistd.h>
#include "base/hash.h"
#include "core/seq.h"
#include "flow/rebelief.h"
#include "flow/tap.h"
#include "tests/unit/flow/flow_rig.h"

#define SWAP_DIR TENON_BINARY_DIR "/swap"
enum { LAB_EVENTS = 8192, LAB_TEXT = 8192, LAB_STATES = 4 };

enum lab_damage {
    LAB_NONE = 0,
    LAB_SIDE,
    LAB_SCORE,
    LAB_REASON,
    LAB_HASH,
    LAB_LEAVE_OUT, /* the signal is not recorded */
    LAB_DOUBLE,    /* it is recorded twice */
    LAB_LATE,      /* it is recorded as late */
};

struct lab_instance {
    const char *plugin, *version, *params, *due;
};

struct lab {
    char dir[64], journal[96];
    struct trail tr;
    struct journal *j;
    struct seq seq;
    struct belief *belief;
    struct bay *bay[BELIEF_BAYS_MAX];
    uint32_t bay_count, bars, epoch;
    uint64_t signals; /* recorded */
    uint32_t damage;
    uint64_t damage_at;    /* the signal with this number, from 1 */
    uint64_t damage_cause; /* out: what it answers */
    uint32_t event_count;
    struct fact_view event[LAB_EVENTS]; /* all so far, for warm-up */
    struct deploy_doc doc;
    struct plant part;
};

#define LAB_OK(l, expr)                                                                            \
    do {                                                                                           \
        struct result lab_r = (expr);                                                              \
        if (!is_ok(lab_r))                                                                         \
            fail_msg("%s: %s", #expr, trail_sentence(&(l)->tr, lab_r));                            \
    } while (0)

static inline void lab_say(struct lab *l, uint16_t type, uint32_t generation, uint64_t cause,
                           const void *payload);

/* ---- answers ---- */

static inline void lab_signal(struct lab *l, struct seq_held *h)
{
    const bool hit = ++l->signals == l->damage_at;
    struct fact_late late = {.instance = h->signal.instance, .due_ns = h->due_ns};
    if (hit)
        l->damage_cause = h->cause_seq;
    if (hit && l->damage == LAB_SIDE)
        h->signal.side = h->signal.side == TN_LONG ? TN_SHORT : TN_LONG;
    if (hit && l->damage == LAB_SCORE)
        h->signal.score_ppm += 1;
    if (hit && l->damage == LAB_REASON)
        h->signal.reason[1].value_bits ^= 1;
    if (hit && l->damage == LAB_HASH)
        h->signal.plugin_hash ^= 1;
    if (hit && l->damage == LAB_LATE)
        lab_say(l, FACT_LATE, h->generation, h->cause_seq, &late);
    else if (!hit || l->damage != LAB_LEAVE_OUT)
        lab_say(l, FACT_SIGNAL, h->generation, h->cause_seq, &h->signal);
    if (hit && l->damage == LAB_DOUBLE)
        lab_say(l, FACT_SIGNAL, h->generation, h->cause_seq, &h->signal);
}

static inline void lab_due(struct lab *l, int64_t t_ns)
{
    while (seq_due(&l->seq) <= t_ns) {
        struct seq_held h;
        seq_take(&l->seq, &h);
        l->seq.last_ns = h.due_ns > l->seq.last_ns ? h.due_ns : l->seq.last_ns;
        lab_signal(l, &h);
    }
}

static inline void lab_collect(struct lab *l)
{
    struct belief_answer a;
    while (belief_take(l->belief, &a)) {
        if (a.a.kind == BAY_SIGNAL) {
            assert_int_equal(
                seq_answer(&l->seq, a.lane, a.generation, a.a.cause_seq, a.due_ns, &a.a.signal),
                SEQ_HELD);
            continue;
        }
        struct fact_plugin e = {
            .instance = a.strategy, .what = FACT_PLUGIN_QUARANTINED, .status = a.a.status};
        memcpy(e.text, a.a.text, sizeof e.text);
        seq_drop(&l->seq, a.lane);
        lab_say(l, FACT_PLUGIN, a.generation, a.a.cause_seq, &e);
    }
}

/* ---- facts ---- */

static inline void lab_put(struct lab *l, const struct fact_head *head, const void *payload)
{
    static uint8_t step[sizeof(struct fact_head) + FACT_MAX_BYTES + 8];
    memset(step, 0, sizeof step);
    memcpy(step, head, sizeof *head);
    memcpy(step + sizeof *head, payload, head->bytes);
    const uint32_t bytes = (uint32_t)sizeof *head + ((head->bytes + 7) & ~7u);
    LAB_OK(l, journal_put(l->j, step, bytes, head->seq, false));
    assert_true(l->event_count < LAB_EVENTS);
    struct fact_view *v = &l->event[l->event_count++];
    v->head = *head;
    memcpy(v->u.bytes, payload, head->bytes);
}

static inline void lab_event(struct lab *l, uint16_t type, int64_t t_ns, uint32_t generation,
                             uint64_t cause, const void *payload)
{
    struct fact_head head = {.bytes = fact_bytes(type),
                             .t_ns = t_ns,
                             .cause_seq = cause,
                             .type = type,
                             .version = fact_version(type),
                             .generation = generation};
    seq_number(&l->seq, &head);
    lab_put(l, &head, payload);
    if (l->belief == NULL)
        return;
    belief_event(l->belief, &head, payload);
    lab_collect(l);
}

static inline void lab_say(struct lab *l, uint16_t type, uint32_t generation, uint64_t cause,
                           const void *payload)
{
    lab_event(l, type, l->seq.last_ns, generation, cause, payload);
}

static inline void lab_plugin(struct lab *l, uint32_t what, uint32_t instance, uint32_t generation,
                              uint64_t from, uint64_t to)
{
    const struct fact_plugin e = {
        .instance = instance, .what = what, .from_seq = from, .to_seq = to};
    lab_say(l, FACT_PLUGIN, generation, 0, &e);
}

/* Long waves with a ripple: every strategy changes its mind many times. */
static inline void lab_bars(struct lab *l, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        const uint32_t i = l->bars++;
        const int64_t wave = i / 40 % 2 ? 40 - i % 40 : i % 40;
        const int64_t close = 100000 + wave * 25 + (i * 7 % 11) * 60 + i / 3;
        const int64_t t_ns = RIG_T0 + (1 + (int64_t)i) * RIG_BAR_NS;
        const struct fact_bar b = {.instrument = 1,
                                   .open_ns = t_ns - RIG_BAR_NS,
                                   .open = close - (i % 3 ? 5 : -5),
                                   .high = close + 20,
                                   .low = close - 20,
                                   .close = close,
                                   .volume = 10};
        lab_due(l, t_ns);
        lab_event(l, FACT_BAR, t_ns, 0, 0, &b);
    }
}

/* ---- documents ---- */

static inline void lab_pin(const char *plugin, const char *version, char hex[HASH_HEX_BYTES])
{
    char path[512];
    struct bay_facts f;
    struct trail tr = {0};
    snprintf(path, sizeof path, "%s/%s-%s.so", SWAP_DIR, plugin, version);
    struct result r = bay_read_facts(path, &f, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    hash_hex(f.sha256, hex);
}

static inline void lab_text(const struct lab_instance *i, uint32_t count, uint32_t serial,
                            char out[LAB_TEXT])
{
    int n = snprintf(
        out, LAB_TEXT,
        "schema: 1\nhost: lab\nserial: %u\nseed: 7\nparent: \"%064d\"\n"
        "not_before: 2026-01-01T00:00:00Z\nexpires: 2026-01-02T00:00:00Z\n"
        "currencies:\n  USD: {exponent: -8}\n"
        "accounts:\n  paper: {currency: USD, balance: \"100000\", simulated: true, venue: "
        "{profile: plain, latency_ms: 20, maker_fee_bps: 1, taker_fee_bps: 5}}\n"
        "instruments:\n  COIN: {contract: linear, price_exponent: -2, qty_exponent: -4, tick: "
        "0.01, lot: 0.0001, multiplier: 1, settle: USD, bar: 1m, stamp: end, session: always, "
        "degraded_after: 5m, down_after: 30m}\ninstances:\n",
        serial, serial == 1 ? 0 : 1);
    for (uint32_t k = 0; k < count; k++) {
        char hex[HASH_HEX_BYTES];
        lab_pin(i[k].plugin, i[k].version, hex);
        n += snprintf(out + n, LAB_TEXT - (size_t)n,
                      "  one%u: {plugin: %s, version: %s, sha256: \"%s\", instrument: COIN, bar: "
                      "1m, due: %s, params: {%s}}\n",
                      k, i[k].plugin, i[k].version, hex, i[k].due ? i[k].due : "0s",
                      i[k].params ? i[k].params : "target_ppm: 500000");
    }
    n += snprintf(out + n, LAB_TEXT - (size_t)n, "routes:\n");
    for (uint32_t k = 0; k < count; k++)
        n += snprintf(out + n, LAB_TEXT - (size_t)n,
                      "  - {strategy: one%u, instrument: COIN, account: paper, env: paper, "
                      "budget: \"20000\"}\n",
                      k);
    n += snprintf(out + n, LAB_TEXT - (size_t)n,
                  "limits:\n  all: {max_order_qty: 1000, max_position_qty: 1000, max_order_value: "
                  "\"40000\", price_collar_pct: 5, max_exposure_pct: 50, max_leverage_x: 2, "
                  "max_open_orders: 10, max_messages_per_s: 20}\n");
    assert_true(n < LAB_TEXT);
}

static inline void lab_pieces(struct lab *l, const char *text)
{
    struct fact_text_piece p = {.kind = FACT_TEXT_DEPLOYMENT, .total = (uint32_t)strlen(text)};
    hash_sha256_once(text, p.total, p.sha256);
    while (p.offset < p.total) {
        const uint32_t left = p.total - p.offset;
        p.count = left < FACT_PIECE_BYTES ? left : FACT_PIECE_BYTES;
        memset(p.bytes, 0, sizeof p.bytes);
        memcpy(p.bytes, text + p.offset, p.count);
        lab_say(l, FACT_TEXT, 0, 0, &p);
        p.offset += p.count;
    }
}

/* Hands a document over: its record, its text, its rows; and builds it. */
static inline void lab_propose(struct lab *l, const struct lab_instance *i, uint32_t count,
                               uint32_t serial)
{
    static char text[LAB_TEXT];
    lab_text(i, count, serial, text);
    LAB_OK(l, deploy_parse(text, strlen(text), "lab.yaml", NULL, &l->doc, &l->tr));
    struct fact_promotion p = {.serial = serial, .from = PROMOTION_DRAFT, .to = PROMOTION_PROPOSED};
    memcpy(p.sha256, l->doc.fact.sha256, sizeof p.sha256);
    lab_say(l, FACT_PROMOTION, 0, 0, &p);
    lab_pieces(l, text);
    const struct plant_options o = {
        .doc = &l->doc, .plugin_dir = SWAP_DIR, .bays_max = BELIEF_BAYS_MAX};
    LAB_OK(l, plant_open(&o, &l->part, &l->tr));
    lab_say(l, FACT_INSTRUMENT, 0, 0, &l->doc.instrument[0]);
    for (uint32_t k = 0; k < l->part.instance_count; k++)
        lab_say(l, FACT_INSTANCE, serial, 0, &l->part.instance[k]);
}

static inline void lab_own(struct lab *l)
{
    for (uint32_t i = 0; i < l->part.bay_count; i++)
        l->bay[l->bay_count++] = l->part.bay[i];
}

/* ---- beginnings and ends ---- */

static inline struct lab *lab_new(void)
{
    struct lab *l = calloc(1, sizeof *l);
    assert_non_null(l);
    snprintf(l->dir, sizeof l->dir, "/tmp/tenon-belief-XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    snprintf(l->journal, sizeof l->journal, "%s/journal", l->dir);
    seq_init(&l->seq, 0, RIG_T0);
    return l;
}

static inline void lab_open(struct lab *l, uint32_t kind)
{
    struct journal_found found;
    struct journal_options o = {.clock = &clock_system};
    LAB_OK(l, journal_store_rocksdb(l->journal, true, false, &o.store, &l->tr));
    LAB_OK(l, journal_open(&o, &l->j, &found, &l->tr));
    seq_init(&l->seq, l->seq.last_seq, l->seq.last_ns);
    struct fact_genesis g = {.seed = 7};
    struct fact_start s = {.epoch = ++l->epoch, .kind = kind};
    bay_libm_probe(s.libm_probe);
    if (l->epoch == 1)
        lab_say(l, FACT_GENESIS, 0, 0, &g);
    lab_say(l, FACT_START, 0, 0, &s);
}

static inline void lab_started(struct lab *l, uint32_t generation)
{
    LAB_OK(l, belief_activate(l->part.belief, &l->tr));
    lab_own(l);
    l->belief = l->part.belief;
    LAB_OK(l, belief_reserve(l->belief, DEPLOY_INSTRUMENTS_MAX, &l->tr));
    for (uint32_t i = 0; i < l->part.instance_count; i++)
        lab_plugin(l, FACT_PLUGIN_STARTED, l->part.instance[i].id, generation, 0, 0);
}

/* The first deployment of a journal, active. */
static inline void lab_first(struct lab *l, const struct lab_instance *i, uint32_t count)
{
    lab_open(l, FACT_RUN_PAPER);
    lab_propose(l, i, count, 1);
    lab_say(l, FACT_DEPLOY, 0, 0, &l->doc.fact);
    lab_started(l, 1);
}

/* The same one goes on in the next epoch: its belief is warmed by all market data before. */
static inline void lab_go_on(struct lab *l)
{
    const uint32_t before = l->event_count;
    lab_open(l, FACT_RUN_PAPER);
    const struct plant_options o = {
        .doc = &l->doc, .plugin_dir = SWAP_DIR, .bays_max = BELIEF_BAYS_MAX};
    LAB_OK(l, plant_open(&o, &l->part, &l->tr));
    for (uint32_t i = 0; i < before; i++) {
        struct fact_view v = l->event[i];
        if (v.head.type != FACT_BAR)
            continue;
        v.head.seq = l->seq.last_seq;
        v.u.fact_bar.flags = FACT_MD_WARMUP;
        belief_event(l->part.belief, &v.head, &v.u);
    }
    lab_started(l, (uint32_t)l->doc.fact.serial);
}

/* A later deployment: its builds are warmed by the last `window` bars' events and given the states
 * of the builds of generation `from` (0 = none), and hear from here on. */
static inline void lab_promote(struct lab *l, const struct lab_instance *i, uint32_t count,
                               uint32_t serial, uint32_t window, uint32_t from, bool says_so)
{
    struct belief_answer a;
    lab_propose(l, i, count, serial);
    const uint64_t to = l->seq.last_seq;
    uint32_t at = l->event_count, bars = 0;
    while (at > 0 && bars < window)
        bars += l->event[--at].head.type == FACT_BAR;
    for (uint32_t k = at; k < l->event_count; k++)
        belief_event(l->part.belief, &l->event[k].head, &l->event[k].u);
    while (belief_take(l->part.belief, &a))
        assert_int_equal(a.a.kind, BAY_SIGNAL);
    for (uint32_t k = 0; from != 0 && k < l->part.bay_count; k++) {
        void *bytes = NULL;
        size_t size = 0;
        struct bay *old = belief_bay(l->belief, l->part.instance[k].id, from);
        LAB_OK(l, old->ops->save(old, 0, to, &bytes, &size, &l->tr));
        struct bay *new = l->part.bay[k];
        LAB_OK(l, new->ops->load(new, 0, bytes, size, &l->tr));
        free(bytes);
    }
    for (uint32_t k = 0; k < l->part.bay_count; k++)
        LAB_OK(l, l->part.bay[k]->ops->activate(l->part.bay[k], &l->tr));
    for (uint32_t k = 0; from != 0 && says_so && k < l->part.bay_count; k++)
        lab_plugin(l, FACT_PLUGIN_WARM, l->part.instance[k].id, serial, to, from);
    const uint64_t upto = l->seq.last_seq;
    lab_own(l);
    LAB_OK(l, belief_adopt(l->belief, l->part.belief, &l->tr));
    const uint64_t first = l->event[at].head.seq;
    for (uint32_t k = 0; k < l->part.bay_count; k++)
        lab_plugin(l, FACT_PLUGIN_STARTED, l->part.instance[k].id, serial, window ? first : 0,
                   upto);
    plant_give(&l->part);
}

static inline void lab_close(struct lab *l, bool says_so)
{
    uint8_t head[FACT_HASH_BYTES];
    const struct fact_stop stop = {0};
    if (says_so)
        lab_say(l, FACT_STOP, 0, 0, &stop);
    LAB_OK(l, journal_close(l->j, head, &l->tr));
    belief_free(l->belief);
    l->belief = NULL;
    while (l->bay_count > 0) {
        struct bay *b = l->bay[--l->bay_count];
        b->ops->stop(b);
    }
}

static inline void lab_free(struct lab *l)
{
    rig_remove(l->dir);
    free(l);
}

/* Belief replay of what was written. */
static inline struct result lab_replay(struct lab *l, uint64_t as_serial, const char *plugins,
                                       struct rebelief_report *rep)
{
    const struct rebelief_options o = {.journal_dir = l->journal,
                                       .plugin_dir = plugins ? plugins : SWAP_DIR,
                                       .as_serial = as_serial};
    l->tr = (struct trail){0};
    return rebelief_run(&o, rep, &l->tr);
}
#endif
