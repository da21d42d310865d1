/* SPDX-License-Identifier: Apache-2.0
 *
 * The inline bay: plugins on the caller's thread, behind bay_ops.
 *
 * One give works in chunks of INLINE_BATCH events: each indicator sees the chunk, then the
 * strategy sees it with the indicators' outputs gathered. All buffers exist from the start.
 *
 * Guards are placed so that a fault does not depend on where batches are cut: when event k of a
 * chunk is broken, the nodes behind still see the k events before it, their signals count, and the
 * fault names event k, as if the events had come one by one. Only a bad status says nothing about
 * which event: then the chunk's first is named and none of it counts.
 *
 * The FP control word is read twice a chunk, not twice a call: a bay is one failure domain, so it
 * need not be known which of its nodes changed it. After a fault no plugin function is called any
 * more, not even destroy: dropping the arenas is enough, and what has broken its contract once is
 * not trusted with a teardown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "bays/fpu.h"
#include "bays/guard.h"
#include "bays/module.h"
#include "bays/note.h"
#include "bays/serve.h"
#include "bays/state.h"

enum { INLINE_BATCH = 64, INLINE_WARMUP_MAX = 10 * 1000 * 1000 };
#define INLINE_MAGIC 0x494e4c494e450001ull

struct feed { /* where one input of the strategy comes from */
    const double *value;
    const uint32_t *ready;
    uint32_t stride, shift;
};

struct node {
    void *inst;
    int32_t (*on_indicator)(void *, const struct tn_event *, uint32_t, double *, uint32_t *);
    int32_t (*on_strategy)(void *, const struct tn_event *, uint32_t, const struct tn_inputs *,
                           struct tn_signals *);
    double *value; /* INLINE_BATCH * outputs */
    uint32_t *ready;
    uint32_t outputs;
    bool created, active;
    const struct bay_module *module;
    uint32_t id;
    uint64_t plugin_hash;
    uint64_t market;
    union tn_number params[TN_MAX_PARAMS];
    struct serve serve;
};

struct inline_bay {
    struct bay base;
    uint64_t magic;
    struct log *log;
    bool active, quarantined;
    bool stopping;       /* stop has begun: nobody may give or take any more */
    uint32_t node_count; /* the strategy is the last */
    uint32_t inputs, signals_max;
    struct feed feed[TN_MAX_INPUTS];
    struct tn_inputs in;
    struct tn_signals out;
    double *in_value;
    uint32_t *in_ready;
    struct bay_answer *answer; /* ring of BAY_ANSWERS_MAX + 1; the last is for the fault */
    uint32_t head, used;
    struct tn_instrument instrument;
    struct node *strategy; /* the last of node */
    struct node node[BAY_NODES_MAX];
};

/* Why a chunk is broken, and at which of its events. */
struct broken {
    const char *why;
    uint32_t event;
    int32_t status;
    const struct node *node;
};

static struct inline_bay *self(struct bay *b)
{
    struct inline_bay *i = (struct inline_bay *)(void *)b;
    must(i != NULL && i->magic == INLINE_MAGIC);
    return i;
}

static struct node *strategy_of(struct inline_bay *b)
{
    return &b->node[b->node_count - 1]; /* also while it is being built */
}

static const struct tn_event *event_at(const struct tn_event *ev, uint32_t n)
{
    return (const struct tn_event *)(const void *)((const char *)ev + (size_t)ev->size * n);
}

static struct log_ids ids_of(const struct node *n, uint64_t cause)
{
    return (struct log_ids){.cause_seq = cause, .plugin_hash = n->plugin_hash};
}

static void flush_logs(struct inline_bay *b)
{
    if (!b->log)
        return; /* they are kept for bay_inline_lines */
    for (uint32_t i = 0; i < b->node_count; i++) {
        struct node *n = &b->node[i];
        if (n->serve.line_count == 0 && n->serve.lines_lost == 0)
            continue;
        struct log_ids ids = ids_of(n, 0);
        serve_flush(&n->serve, b->log, &ids, n->module->facts.manifest.id);
    }
}

/* ---- answers ---- */

static struct bay_answer *next_slot(struct inline_bay *b)
{
    uint32_t at = b->head + b->used;
    b->used++;
    must(b->used <= BAY_ANSWERS_MAX + 1);
    return &b->answer[at <= BAY_ANSWERS_MAX ? at : at - (BAY_ANSWERS_MAX + 1)];
}

static void __attribute__((noinline, cold))
quarantine(struct inline_bay *b, const struct tn_event *ev, const struct broken *bad)
{
    const struct tn_event *at = event_at(ev, bad->event);
    const struct tn_manifest *m = &bad->node->module->facts.manifest;
    struct bay_answer *a = next_slot(b);
    must(!b->quarantined);
    b->quarantined = true;
    memset(a, 0, sizeof *a);
    a->kind = BAY_FAULT;
    a->instance = bad->node->id;
    a->cause_seq = at->seq;
    a->cause_t_ns = at->t_ns;
    a->status = bad->status;
    snprintf(a->text, sizeof a->text, "%.20s: %s", m->id, bad->why);
    if (!b->log)
        return;
    struct log_ids ids = ids_of(bad->node, at->seq);
    flush_logs(b);
    log_now(b->log, LOG_ERROR, &ids,
            "plugin %s %s broke its contract (%s, status %d) and is quarantined: it gives no more "
            "signals; report it to %s or promote another version",
            m->id, m->version, bad->why, bad->status, m->vendor);
}

static void publish(struct inline_bay *b, const struct tn_signal *s, const struct tn_event *at)
{
    const struct node *n = strategy_of(b);
    struct bay_answer *a = next_slot(b);
    a->kind = BAY_SIGNAL;
    a->instance = n->id;
    a->cause_seq = at->seq;
    a->cause_t_ns = at->t_ns;
    a->status = TN_OK;
    a->text[0] = 0;
    struct fact_signal *f = &a->signal; /* every byte is written: it goes to the journal */
    f->instance = n->id;
    f->instrument = b->instrument.id;
    f->side = s->side;
    f->advice = s->advice;
    f->score_ppm = s->score_ppm;
    f->confidence_ppm = s->confidence_ppm;
    f->horizon_ns = s->horizon_ns;
    /* Members without their advice bit are no advice: zero, whatever the plugin left there. */
    f->target_ppm = s->advice & TN_ADVICE_TARGET ? s->target_ppm : 0;
    f->limit_offset = s->advice & TN_ADVICE_LIMIT ? s->limit_offset : 0;
    f->stop_distance = s->advice & TN_ADVICE_STOP ? s->stop_distance : 0;
    f->ttl_ns = s->advice & TN_ADVICE_TTL ? s->ttl_ns : 0;
    f->reason_count = s->reason_count;
    f->plugin_hash = n->plugin_hash;
    uint32_t i = 0;
    for (; i < s->reason_count; i++) {
        f->reason[i].input = s->reason[i].input;
        f->reason[i].contribution_ppm = s->reason[i].contribution_ppm;
        memcpy(&f->reason[i].value_bits, &s->reason[i].value, sizeof f->reason[i].value_bits);
    }
    for (; i < FACT_MAX_REASONS; i++)
        f->reason[i] = (struct fact_reason){0};
}

/* ---- hot ---- */

static uint32_t break_at(struct broken *bad, const struct node *n, uint32_t event, int32_t status,
                         const char *why)
{
    *bad = (struct broken){.why = why, .event = event, .status = status, .node = n};
    return event;
}

/* Gives how many events from the first on are good. */
static uint32_t run_indicator(struct node *n, const struct tn_event *ev, uint32_t count,
                              struct broken *bad)
{
    for (uint32_t i = 0; i < count; i++)
        n->ready[i] = GUARD_READY_UNWRITTEN;
    n->serve.now_ns = ev->t_ns;
    int32_t status = n->on_indicator(n->inst, ev, count, n->value, n->ready);
    if (__builtin_expect(status != TN_OK, 0))
        return break_at(bad, n, 0, status, guard_status_name(status));
    for (uint32_t i = 0; i < count; i++) {
        const char *why = guard_outputs(n->value + (size_t)i * n->outputs, n->ready[i], n->outputs);
        if (__builtin_expect(why != NULL, 0))
            return break_at(bad, n, i, TN_OK, why);
    }
    return count;
}

static void gather_inputs(struct inline_bay *b, uint32_t count)
{
    double *value = b->in_value;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bits = 0;
        for (uint32_t k = 0; k < b->inputs; k++) {
            const struct feed *f = &b->feed[k];
            *value++ = f->value[(size_t)i * f->stride];
            bits |= (f->ready[i] >> f->shift & 1) << k;
        }
        b->in_ready[i] = bits;
    }
}

static bool repeats(const struct tn_signal *s, uint32_t k)
{
    for (uint32_t i = k; i-- > 0 && s[i].event == s[k].event;) {
        if (memcmp(&s[i], &s[k], sizeof s[k]) == 0)
            return true;
    }
    return false;
}

/* Checks the signals of a chunk in order; gives the event up to which they are good. */
static uint32_t check_signals(struct inline_bay *b, uint32_t count, struct broken *bad)
{
    const struct node *n = strategy_of(b);
    const struct tn_signal *s = b->out.signal;
    uint32_t at_event = 0;
    if (b->out.count > b->signals_max * count)
        return break_at(bad, n, 0, TN_OK, "more signals than it declares");
    for (uint32_t k = 0; k < b->out.count; k++) {
        uint32_t event = s[k].event < count ? s[k].event : 0;
        const char *why = guard_signal(&s[k], count, b->inputs);
        at_event = k > 0 && s[k - 1].event == event ? at_event + 1 : 1;
        if (!why && k > 0 && s[k - 1].event > event)
            why = "its signals are not in the order of events";
        if (!why && at_event > b->signals_max)
            why = "more signals than it declares";
        if (!why && repeats(s, k))
            why = "it gives the same signal twice";
        if (why)
            return break_at(bad, n, event, TN_OK, why);
    }
    return count;
}

static inline int32_t run_strategy(struct inline_bay *b, const struct tn_event *ev, uint32_t count)
{
    struct node *n = b->strategy;
    b->out.capacity = b->signals_max * count;
    n->serve.now_ns = ev->t_ns;
    return n->on_strategy(n->inst, ev, count, &b->in, &b->out);
}

static void __attribute__((noinline))
take_signals(struct inline_bay *b, const struct tn_event *ev, uint32_t good, struct broken *bad)
{
    struct tn_signal *s = b->out.signal;
    uint32_t cap = b->signals_max * INLINE_BATCH;
    uint32_t written = b->out.count < cap ? b->out.count : cap;
    for (uint32_t k = 0; k < written && s[k].event < good; k++) {
        const struct tn_event *at = event_at(ev, s[k].event);
        if (at->flags & TN_EVENT_F_WARMUP)
            continue;
        if (b->used >= BAY_ANSWERS_MAX) {
            (void)break_at(bad, strategy_of(b), s[k].event, TN_OK,
                           "its answers overflow the queue");
            break;
        }
        publish(b, &s[k], at);
    }
    for (uint32_t k = 0; k < written; k++) { /* the next call starts from zeros, as the first did */
        s[k] = (struct tn_signal){0};
        __asm__ volatile("" ::: "memory"); /* one by one: a call to memset costs more than this */
    }
}

/* What a chunk left behind when it was not silence. */
struct rest {
    uint32_t good; /* events that the strategy saw */
    int32_t status;
    bool misused, fpu_changed;
    struct fpu fpu; /* as it was */
    struct broken bad;
};

static void __attribute__((noinline))
judge(struct inline_bay *b, const struct tn_event *ev, struct rest *r)
{
    const struct node *n = strategy_of(b);
    if (r->status != TN_OK) {
        b->out.count = 0;
        r->good = break_at(&r->bad, n, 0, r->status, guard_status_name(r->status));
    } else if (b->out.count > 0) {
        r->good = check_signals(b, r->good, &r->bad);
    }
    if (r->misused)
        r->good = break_at(&r->bad, n, 0, TN_OK, "host memory asked for in a hot call");
    if (r->fpu_changed) {
        fpu_write(r->fpu);
        r->good = break_at(&r->bad, n, 0, TN_OK, "FP control word changed");
    }
    if (b->out.count > 0)
        take_signals(b, ev, r->good, &r->bad);
    if (r->bad.why != NULL)
        quarantine(b, ev, &r->bad);
}

/* The indicators' turn. Gives how many events from the first on are good. */
static uint32_t __attribute__((noinline))
run_indicators(struct inline_bay *b, const struct tn_event *ev, uint32_t count, struct rest *r)
{
    uint32_t good = count;
    for (uint32_t i = 0; i + 1 < b->node_count && good > 0; i++) {
        good = run_indicator(&b->node[i], ev, good, &r->bad);
        r->misused |= b->node[i].serve.misused;
    }
    if (good > 0 && b->inputs > 0)
        gather_inputs(b, good);
    return good;
}

/* Most chunks are silence: no signal, nothing broken. That case calls the plugins and no more. */
static inline void give_chunk(struct inline_bay *b, const struct tn_event *ev, uint32_t count)
{
    const struct fpu fpu = fpu_read();
    uint32_t good = count;
    int32_t status = TN_OK;
    struct rest r;
    r.misused = false;
    r.bad.why = NULL;
    if (b->node_count > 1)
        good = run_indicators(b, ev, count, &r);
    b->out.count = 0;
    if (__builtin_expect(good > 0, 1))
        status = run_strategy(b, ev, good);
    const bool misused = r.misused | b->strategy->serve.misused;
    const bool fpu_changed = !fpu_same(fpu, fpu_read());
    if (status == TN_OK && b->out.count == 0 && !misused && !fpu_changed && r.bad.why == NULL)
        return;
    r.good = good;
    r.status = status;
    r.misused = misused;
    r.fpu_changed = fpu_changed;
    r.fpu = fpu;
    judge(b, ev, &r);
}

static void give(struct bay *bay, const struct tn_event *ev, uint32_t count)
{
    struct inline_bay *b = self(bay);
    while (count > 0 && !b->quarantined) {
        uint32_t n = count < INLINE_BATCH ? count : INLINE_BATCH;
        must(ev->size >= sizeof *ev);
        must(!b->stopping && (b->active || (ev->flags & TN_EVENT_F_WARMUP)));
        give_chunk(b, ev, n);
        ev = n < count ? event_at(ev, n) : ev;
        count -= n;
    }
}

static bool take(struct bay *bay, struct bay_answer *out)
{
    struct inline_bay *b = self(bay);
    if (b->used == 0)
        return false;
    const struct bay_answer *a = &b->answer[b->head];
    if (__builtin_expect(a->kind == BAY_SIGNAL, 1)) {
        memcpy(out, a, offsetof(struct bay_answer, text));
        out->text[0] = 0;
    } else {
        *out = *a;
    }
    b->head = b->head < BAY_ANSWERS_MAX ? b->head + 1 : 0;
    if (--b->used == 0)
        b->head = 0; /* the first slots stay in the cache */
    return true;
}

/* ---- cold ---- */

static uint32_t warmup(struct bay *bay)
{
    struct inline_bay *b = self(bay);
    uint64_t slowest = 0, own = 0;
    for (uint32_t i = 0; i < b->node_count; i++) {
        const struct node *n = &b->node[i];
        uint64_t want = n->module->ops.base.warmup ? n->module->ops.base.warmup(n->inst) : 0;
        if (n->on_strategy)
            own = want;
        else
            slowest = want > slowest ? want : slowest;
    }
    uint64_t sum = slowest + own; /* the strategy's own begins when its inputs are ready */
    return sum < INLINE_WARMUP_MAX ? (uint32_t)sum : INLINE_WARMUP_MAX;
}

static struct result fail_call(struct trail *tr, const struct node *n, const char *call,
                               int32_t status)
{
    const struct tn_manifest *m = &n->module->facts.manifest;
    struct result r = status == TN_E_PARAM ? RESULT_OF(CONFIG) : RESULT_OF(PLUGIN);
    if (n->serve.denied > 0 || status == TN_E_MEMORY)
        return FAIL_AS(tr, r,
                       "plugin %s %s: %s gave %s: it used %llu of the %u arena bytes it "
                       "declares and wanted more; raise arena_bytes in its manifest",
                       m->id, m->version, call, guard_status_name(status),
                       (unsigned long long)n->serve.used, m->arena_bytes);
    return FAIL_AS(tr, r,
                   "plugin %s %s (instance %u): %s gave %s (%d); check its parameters or "
                   "report it to %s",
                   m->id, m->version, n->id, call, guard_status_name(status), status, m->vendor);
}

/* A setup call is over: no memory any more, and the FP control word is as before. */
static struct result end_setup(struct node *n, struct fpu fpu, const char *call, int32_t status,
                               struct trail *tr)
{
    n->serve.setup = false;
    if (!fpu_same(fpu, fpu_read())) {
        fpu_write(fpu);
        return FAIL(tr, PLUGIN,
                    "plugin %s: %s changed the floating-point control word; report it "
                    "to %s",
                    n->module->facts.manifest.id, call, n->module->facts.manifest.vendor);
    }
    return status == TN_OK ? OK_RESULT : fail_call(tr, n, call, status);
}

static struct result activate(struct bay *bay, struct trail *tr)
{
    struct inline_bay *b = self(bay);
    must(!b->active);
    if (b->quarantined)
        return FAIL(tr, PLUGIN, "plugin %s is quarantined since its warm-up; see its fault",
                    strategy_of(b)->module->facts.manifest.id);
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < b->node_count && is_ok(r); i++) {
        struct node *n = &b->node[i];
        struct fpu fpu = fpu_read();
        n->serve.setup = true;
        int32_t status = n->module->ops.base.activate(n->inst);
        n->active = status == TN_OK;
        r = end_setup(n, fpu, "activate", status, tr);
    }
    flush_logs(b);
    b->active = is_ok(r);
    return r;
}

static struct state_owner owner_of(const struct node *n)
{
    return (struct state_owner){
        .manifest = &n->module->facts.manifest, .params = n->params, .market = n->market};
}

static struct result save(struct bay *bay, uint32_t node, uint64_t as_of_seq, void **bytes,
                          size_t *count, struct trail *tr)
{
    struct inline_bay *b = self(bay);
    must(node < b->node_count);
    struct node *n = &b->node[node];
    if (b->quarantined)
        return FAIL(tr, STATE, "plugin %s is quarantined: its state is not worth saving",
                    n->module->facts.manifest.id);
    struct state_owner o = owner_of(n);
    struct result r = state_save(&o, &n->module->ops.base, n->inst, as_of_seq, bytes, count, tr);
    flush_logs(b);
    return r;
}

static struct result load(struct bay *bay, uint32_t node, const void *bytes, size_t count,
                          struct trail *tr)
{
    struct inline_bay *b = self(bay);
    must(node < b->node_count);
    struct node *n = &b->node[node];
    if (b->active || b->quarantined)
        return FAIL(tr, STATE, "plugin %s is %s: state is loaded before activate",
                    n->module->facts.manifest.id, b->active ? "active" : "quarantined");
    struct state_owner o = owner_of(n);
    n->serve.setup = true;
    struct result r = state_load(&o, &n->module->ops.base, n->inst, bytes, count, tr);
    n->serve.setup = false;
    flush_logs(b);
    return r;
}

static bool is_quarantined(const struct bay *bay)
{
    const struct inline_bay *b = (const struct inline_bay *)(const void *)bay;
    must(b->magic == INLINE_MAGIC);
    return b->quarantined;
}

static void idle(struct bay *bay)
{
    flush_logs(self(bay));
}

static void stop(struct bay *bay)
{
    struct inline_bay *b = self(bay);
    b->stopping = true;
    for (uint32_t i = b->node_count; i-- > 0;) {
        struct node *n = &b->node[i];
        if (n->active && !b->quarantined)
            n->module->ops.base.deactivate(n->inst);
    }
    for (uint32_t i = b->node_count; i-- > 0;) {
        struct node *n = &b->node[i];
        if (n->created && !b->quarantined)
            n->module->ops.base.destroy(n->inst);
    }
    flush_logs(b);
    for (uint32_t i = 0; i < b->node_count; i++) {
        serve_fini(&b->node[i].serve);
        free(b->node[i].value);
        free(b->node[i].ready);
    }
    free(b->out.signal);
    free(b->in_value);
    free(b->in_ready);
    free(b->answer);
    b->magic = 0;
    free(b);
}

static const struct bay_ops inline_ops = {.name = "inline",
                                          .give = give,
                                          .take = take,
                                          .warmup = warmup,
                                          .activate = activate,
                                          .save = save,
                                          .load = load,
                                          .is_quarantined = is_quarantined,
                                          .stop = stop,
                                          .idle = idle};

/* ---- creation ---- */

static struct result check_inputs(const struct bay_spec *spec, uint32_t k, struct trail *tr)
{
    const struct bay_instance_spec *s = &spec->node[k];
    const struct tn_manifest *m = &s->module->facts.manifest;
    for (uint32_t i = 0; i < m->input_count; i++) {
        if (s->input_node[i] >= k)
            return FAIL(tr, CONFIG,
                        "plugin %s: input %s comes from node %u, only the %u before it "
                        "can feed it; bind it to an indicator of this bay",
                        m->id, m->inputs[i].name, s->input_node[i], k);
        const struct tn_manifest *from = &spec->node[s->input_node[i]].module->facts.manifest;
        if (s->input_output[i] >= from->output_count)
            return FAIL(tr, CONFIG,
                        "plugin %s: input %s wants output %u of %s, which has %u; bind "
                        "it to one of these",
                        m->id, m->inputs[i].name, s->input_output[i], from->id, from->output_count);
    }
    return OK_RESULT;
}

static struct result check_node(const struct bay_spec *spec, uint32_t k, struct trail *tr)
{
    const struct bay_instance_spec *s = &spec->node[k];
    must(s->module != NULL);
    const struct tn_manifest *m = &s->module->facts.manifest;
    uint32_t want = k + 1 == spec->node_count ? TN_KIND_STRATEGY : TN_KIND_INDICATOR;
    if (m->kind != want)
        return FAIL(tr, CONFIG,
                    "plugin %s is of kind %s where a bay wants %s: indicators first, one strategy "
                    "last",
                    m->id, note_kind_name(m->kind), note_kind_name(want));
    must(s->params != NULL || m->param_count == 0);
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < m->param_count && is_ok(r); i++)
        r = bay_param_check(&m->params[i], s->params[i], tr);
    return is_ok(r) ? check_inputs(spec, k, tr) : r;
}

static struct result check_spec(const struct bay_spec *spec, struct trail *tr)
{
    if (spec->node_count == 0 || spec->node_count > BAY_NODES_MAX)
        return FAIL(tr, CONFIG, "a bay of %u instances: 1 to %d are possible; use fewer inputs",
                    spec->node_count, BAY_NODES_MAX);
    struct result r = OK_RESULT;
    for (uint32_t k = 0; k < spec->node_count && is_ok(r); k++)
        r = check_node(spec, k, tr);
    return r;
}

static void *need(size_t count, size_t bytes)
{
    void *p = calloc(count > 0 ? count : 1, bytes);
    must(p != NULL); /* boot: nothing can be done without memory */
    return p;
}

static uint64_t hash_head(const uint8_t sha[32])
{
    uint64_t h = 0;
    for (int i = 0; i < 8; i++)
        h = h << 8 | sha[i];
    return h;
}

static struct result create_node(struct inline_bay *b, const struct bay_spec *spec, uint32_t k,
                                 struct trail *tr)
{
    const struct bay_instance_spec *s = &spec->node[k];
    const struct tn_manifest *m = &s->module->facts.manifest;
    struct node *n = &b->node[k];
    n->module = s->module;
    n->id = s->id;
    n->plugin_hash = hash_head(s->module->facts.sha256);
    n->outputs = m->output_count;
    if (m->kind == TN_KIND_STRATEGY)
        n->on_strategy = s->module->ops.strategy.on_events;
    else
        n->on_indicator = s->module->ops.indicator.on_events;
    n->value = need((size_t)INLINE_BATCH * m->output_count, sizeof n->value[0]);
    n->ready = need(INLINE_BATCH, sizeof n->ready[0]);
    if (m->param_count > 0)
        memcpy(n->params, s->params, m->param_count * sizeof n->params[0]);
    n->market = state_market(&b->instrument, spec->bar_ns);
    TRY(serve_init(&n->serve, m->arena_bytes, tr));
    struct tn_create c = {.size = sizeof c,
                          .param_count = m->param_count,
                          .params = n->params,
                          .instrument = &b->instrument,
                          .bar_ns = spec->bar_ns,
                          .seed = spec->seed + k};
    struct fpu fpu = fpu_read();
    n->serve.setup = true;
    int32_t status = s->module->ops.base.create(&n->serve.host, &c, &n->inst);
    n->created = status == TN_OK;
    return end_setup(n, fpu, "create", status, tr);
}

static void bind_inputs(struct inline_bay *b, const struct bay_spec *spec)
{
    const struct bay_instance_spec *s = &spec->node[spec->node_count - 1];
    for (uint32_t i = 0; i < b->inputs; i++) {
        const struct node *from = &b->node[s->input_node[i]];
        b->feed[i] = (struct feed){.value = from->value + s->input_output[i],
                                   .ready = from->ready,
                                   .stride = from->outputs,
                                   .shift = s->input_output[i]};
    }
}

void bay_inline_lines(struct bay *bay, bay_line_fn line, void *arg)
{
    struct inline_bay *b = self(bay);
    for (uint32_t i = 0; i < b->node_count; i++) {
        struct serve *s = &b->node[i].serve;
        for (uint32_t k = 0; k < s->line_count; k++)
            line(arg, s->line[k].level, s->line[k].text);
        s->line_count = 0;
        s->lines_lost = 0;
    }
}

struct result bay_inline_new(const struct bay_spec *spec, struct log *l, struct bay **out,
                             struct trail *tr)
{
    must(spec && out);
    *out = NULL;
    TRY(check_spec(spec, tr));
    struct inline_bay *b = need(1, sizeof *b);
    const struct tn_manifest *m = &spec->node[spec->node_count - 1].module->facts.manifest;
    b->base.ops = &inline_ops;
    b->magic = INLINE_MAGIC;
    b->log = l;
    b->instrument = spec->instrument;
    b->inputs = m->input_count;
    b->signals_max = m->signals_max;
    b->in_value = need((size_t)INLINE_BATCH * b->inputs, sizeof b->in_value[0]);
    b->in_ready = need(INLINE_BATCH, sizeof b->in_ready[0]);
    b->answer = need(BAY_ANSWERS_MAX + 1, sizeof b->answer[0]);
    b->out = (struct tn_signals){
        .size = sizeof b->out,
        .signal = need((size_t)INLINE_BATCH * b->signals_max, sizeof(struct tn_signal))};
    b->in = (struct tn_inputs){
        .size = sizeof b->in, .input_count = b->inputs, .value = b->in_value, .ready = b->in_ready};
    struct result r = OK_RESULT;
    for (uint32_t k = 0; k < spec->node_count && is_ok(r); k++) {
        b->node_count = k + 1;
        r = create_node(b, spec, k, tr);
    }
    flush_logs(b);
    if (!is_ok(r)) {
        stop(&b->base);
        return r;
    }
    bind_inputs(b, spec);
    b->strategy = strategy_of(b);
    *out = &b->base;
    return OK_RESULT;
}
