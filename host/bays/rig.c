/* SPDX-License-Identifier: Apache-2.0
 *
 * The rig applies the same guards as the inline bay (guard.h), but keeps raw answers instead of
 * facts: the bytes of values, ready bits and signals, each with the index of its event. So "equal"
 * in a card means equal to the last bit.
 */
#include "bays/rig.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "bays/guard.h"
#include "bays/state.h"

static void *need(size_t count, size_t bytes)
{
    void *p = calloc(count > 0 ? count : 1, bytes);
    must(p != NULL);
    return p;
}

void rig_init(struct rig *r, const struct bay_module *m, const struct feed_market *f)
{
    struct trail tr = {0};
    memset(r, 0, sizeof *r);
    r->module = m;
    r->manifest = &m->facts.manifest;
    must(r->manifest->kind == TN_KIND_INDICATOR || r->manifest->kind == TN_KIND_STRATEGY);
    struct result done = serve_init(&r->serve, r->manifest->arena_bytes, &tr);
    must(is_ok(done));
    for (uint32_t i = 0; i < r->manifest->param_count; i++)
        r->params[i] = r->manifest->params[i].def;
    r->create = (struct tn_create){.size = sizeof r->create,
                                   .param_count = r->manifest->param_count,
                                   .params = r->params,
                                   .instrument = &f->instrument,
                                   .bar_ns = FEED_BAR_NS,
                                   .seed = 20240229};
    r->value = need((size_t)RIG_BATCH_MAX * r->manifest->output_count, sizeof r->value[0]);
    r->ready = need(RIG_BATCH_MAX, sizeof r->ready[0]);
    r->out.size = sizeof r->out;
    r->out.signal =
        need((size_t)RIG_BATCH_MAX * r->manifest->signals_max + 1, sizeof r->out.signal[0]);
}

void rig_fini(struct rig *r)
{
    serve_fini(&r->serve);
    free(r->value);
    free(r->ready);
    free(r->out.signal);
    free(r->answer);
    memset(r, 0, sizeof *r);
}

int32_t rig_create(struct rig *r)
{
    r->serve.setup = true;
    int32_t status = r->module->ops.base.create(&r->serve.host, &r->create, &r->inst);
    r->serve.setup = false;
    return status;
}

int32_t rig_activate(struct rig *r)
{
    r->serve.setup = true;
    int32_t status = r->module->ops.base.activate(r->inst);
    r->serve.setup = false;
    return status;
}

void rig_end(struct rig *r)
{
    r->module->ops.base.deactivate(r->inst);
    r->module->ops.base.destroy(r->inst);
}

static void keep(struct rig *r, const void *bytes, size_t count)
{
    if (r->answer_bytes + count > r->answer_room) {
        r->answer_room = (r->answer_bytes + count) * 2;
        r->answer = realloc(r->answer, r->answer_room);
        must(r->answer != NULL);
    }
    memcpy(r->answer + r->answer_bytes, bytes, count);
    r->answer_bytes += count;
}

static void break_rule(struct rig *r, uint32_t at, const char *why)
{
    if (r->broken)
        return;
    r->broken = why;
    r->broken_at = at;
}

int32_t rig_hot(struct rig *r, const struct feed_market *f, uint32_t at, uint32_t count)
{
    must(count <= RIG_BATCH_MAX && at + count <= f->count);
    r->serve.now_ns = f->event[at].t_ns;
    r->serve.line_count = 0; /* the cards do not read the log */
    if (r->manifest->kind == TN_KIND_INDICATOR)
        return r->module->ops.indicator.on_events(r->inst, &f->event[at], count, r->value,
                                                  r->ready);
    struct tn_inputs in = {.size = sizeof in,
                           .input_count = f->inputs,
                           .value = f->value + (size_t)at * f->inputs,
                           .ready = f->ready + at};
    r->out.count = 0;
    r->out.capacity = count * r->manifest->signals_max;
    return r->module->ops.strategy.on_events(r->inst, &f->event[at], count, &in, &r->out);
}

static void keep_outputs(struct rig *r, uint32_t at, uint32_t count)
{
    uint32_t outputs = r->manifest->output_count;
    for (uint32_t i = 0; i < count; i++) {
        double *v = r->value + (size_t)i * outputs;
        const char *why = guard_outputs(v, r->ready[i], outputs);
        if (why)
            break_rule(r, at + i, why);
        keep(r, v, outputs * sizeof v[0]);
        keep(r, &r->ready[i], sizeof r->ready[i]);
    }
}

static void keep_signals(struct rig *r, uint32_t at, uint32_t count)
{
    uint32_t given = r->out.count, last = 0;
    if (given > r->out.capacity) {
        break_rule(r, at, "more signals than it declares");
        given = 0;
    }
    for (uint32_t k = 0; k < given; k++) {
        struct tn_signal s = r->out.signal[k];
        const char *why = guard_signal(&s, count, r->manifest->input_count);
        if (!why && s.event < last)
            why = "its signals are not in the order of events";
        last = s.event;
        s.event += at; /* in the feed: so that batches compare */
        if (why)
            break_rule(r, s.event < at + count ? s.event : at, why);
        keep(r, &s, sizeof s);
        r->signals++;
    }
    memset(r->out.signal, 0, given * sizeof r->out.signal[0]);
}

void rig_feed(struct rig *r, const struct feed_market *f, uint32_t from, uint32_t to,
              uint32_t batch)
{
    must(batch > 0 && batch <= RIG_BATCH_MAX);
    for (uint32_t at = from; at < to && !r->broken; at += batch) {
        uint32_t count = batch < to - at ? batch : to - at;
        for (uint32_t i = 0; i < count; i++)
            r->ready[i] = GUARD_READY_UNWRITTEN;
        int32_t status = rig_hot(r, f, at, count);
        if (status != TN_OK)
            break_rule(r, at, guard_status_name(status));
        else if (r->manifest->kind == TN_KIND_INDICATOR)
            keep_outputs(r, at, count);
        else
            keep_signals(r, at, count);
    }
}

void rig_forget(struct rig *r)
{
    r->answer_bytes = 0;
    r->signals = 0;
}

bool rig_same(const struct rig *a, const struct rig *b)
{
    return a->answer_bytes == b->answer_bytes &&
           (a->answer_bytes == 0 || memcmp(a->answer, b->answer, a->answer_bytes) == 0);
}

int64_t rig_save(struct rig *r, void *memory, size_t step)
{
    struct state_sink sink;
    state_sink_init(&sink, memory, r->manifest->state_max_bytes);
    sink.step = step;
    int32_t status = r->module->ops.base.state_save(r->inst, &sink.stream);
    return status == TN_OK && !sink.over ? (int64_t)sink.count : -1;
}

int32_t rig_load(struct rig *r, uint32_t schema, const void *bytes, size_t count, size_t step)
{
    struct state_source source;
    state_source_init(&source, bytes, count);
    source.step = step;
    r->serve.setup = true;
    int32_t status = r->module->ops.base.state_load(r->inst, schema, &source.stream);
    r->serve.setup = false;
    return status;
}
