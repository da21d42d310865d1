/* SPDX-License-Identifier: Apache-2.0
 *
 * A message of events is given in batches, and the answers of a batch are handed over before the
 * next: what one give may answer is bounded. After a fault the inline bay is silent by itself; the
 * tenant goes on answering PING, so that the engine sees a bay that is quarantined, not one that
 * hangs.
 */
#include "bays/tenant.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

enum { BATCH = 64, PIECE_BYTES = 65536, STATE_MAX_BYTES = 64 * 1024 * 1024 };

struct tenant {
    struct tenant_ops ops;
    struct bay *bay;
    uint32_t node_count;
    uint8_t *state; /* that is being loaded */
    uint32_t state_total, state_got;
};

static void done(struct tenant *t, uint32_t what, struct result r, const struct trail *tr)
{
    struct line_done m = {.what = what, .code = r.code};
    if (!is_ok(r))
        snprintf(m.text, sizeof m.text, "%s", trail_sentence(tr, r));
    t->ops.put(t->ops.arg, LINE_DONE, &m, sizeof m, NULL, 0);
}

static void put_line(void *arg, uint32_t level, const char *text)
{
    struct tenant *t = arg;
    struct line_log m = {.level = level, .count = (uint32_t)strlen(text)};
    t->ops.put(t->ops.arg, LINE_LOG, &m, sizeof m, text, m.count);
}

/* ---- events ---- */
static void put_answers(struct tenant *t)
{
    struct bay_answer a;
    while (t->bay->ops->take(t->bay, &a)) {
        struct line_answer m = {.kind = a.kind,
                                .instance = a.instance,
                                .cause_seq = a.cause_seq,
                                .cause_t_ns = a.cause_t_ns,
                                .status = a.status};
        if (a.kind == BAY_SIGNAL)
            m.signal = a.signal;
        else
            memcpy(m.text, a.text, sizeof m.text);
        t->ops.put(t->ops.arg, LINE_ANSWER, &m, sizeof m, NULL, 0);
    }
}

static const char *give(struct tenant *t, const void *bytes, uint32_t count)
{
    const struct tn_event *ev = bytes;
    uint32_t left = count / (uint32_t)sizeof *ev;
    if (left == 0 || count % sizeof *ev != 0)
        return "its events are cut";
    for (uint32_t i = 0; i < left; i++) {
        if (ev[i].size != sizeof *ev)
            return "its events have another size";
    }
    while (left > 0) {
        uint32_t n = left < BATCH ? left : BATCH;
        t->bay->ops->give(t->bay, ev, n);
        put_answers(t);
        t->ops.beat(t->ops.arg);
        ev += n;
        left -= n;
    }
    bay_inline_lines(t->bay, put_line, t);
    return NULL;
}

/* ---- state ---- */
static void put_state(struct tenant *t, const struct line_state *q, const uint8_t *bytes,
                      uint32_t total)
{
    uint32_t offset = 0;
    do {
        uint32_t n = total - offset < PIECE_BYTES ? total - offset : PIECE_BYTES;
        struct line_state m = {.node = q->node,
                               .is_last = offset + n == total,
                               .as_of_seq = q->as_of_seq,
                               .total = total,
                               .offset = offset,
                               .count = n};
        t->ops.put(t->ops.arg, LINE_STATE, &m, sizeof m, bytes + offset, n);
        t->ops.beat(t->ops.arg);
        offset += n;
    } while (offset < total);
}

static const char *save(struct tenant *t, const void *bytes, uint32_t count)
{
    struct line_state q;
    struct trail tr = {0};
    void *state = NULL;
    size_t state_bytes = 0;
    if (count != sizeof q)
        return "its save is cut";
    memcpy(&q, bytes, sizeof q);
    if (q.node >= t->node_count)
        return "it wants the state of a node that is not here";
    struct result r = t->bay->ops->save(t->bay, q.node, q.as_of_seq, &state, &state_bytes, &tr);
    if (is_ok(r) && state_bytes > STATE_MAX_BYTES)
        r = FAIL(&tr, TOO_LARGE, "a state of %zu bytes is larger than a line carries", state_bytes);
    if (is_ok(r))
        put_state(t, &q, state, (uint32_t)state_bytes);
    free(state);
    done(t, LINE_SAVE, r, &tr);
    return NULL;
}

static void drop_state(struct tenant *t)
{
    free(t->state);
    t->state = NULL;
    t->state_total = t->state_got = 0;
}

static const char *load(struct tenant *t, const void *bytes, uint32_t count)
{
    struct line_state q;
    if (count < sizeof q)
        return "its load is cut";
    memcpy(&q, bytes, sizeof q);
    if (q.count != count - sizeof q || q.node >= t->node_count || q.total > STATE_MAX_BYTES)
        return "its load does not fit";
    if (q.offset == 0) {
        drop_state(t);
        t->state = malloc(q.total + 1u);
        must(t->state != NULL);
        t->state_total = q.total;
    }
    if (!t->state || q.offset != t->state_got || q.total != t->state_total ||
        q.count > q.total - q.offset || (q.is_last != 0) != (q.offset + q.count == q.total))
        return "its load is not in order";
    memcpy(t->state + q.offset, (const uint8_t *)bytes + sizeof q, q.count);
    t->state_got += q.count;
    if (!q.is_last)
        return NULL;
    struct trail tr = {0};
    struct result r = t->bay->ops->load(t->bay, q.node, t->state, q.total, &tr);
    drop_state(t);
    done(t, LINE_LOAD, r, &tr);
    return NULL;
}

/* ---- the rest ---- */
static const char *activate(struct tenant *t)
{
    struct trail tr = {0};
    struct result r = t->bay->ops->activate(t->bay, &tr);
    bay_inline_lines(t->bay, put_line, t);
    done(t, LINE_ACTIVATE, r, &tr);
    return NULL;
}

static const char *pong(struct tenant *t, const void *bytes, uint32_t count)
{
    struct line_done m = {.what = LINE_PING};
    if (count != sizeof m.number)
        return "its ping is cut";
    memcpy(&m.number, bytes, sizeof m.number);
    t->ops.put(t->ops.arg, LINE_PONG, &m, sizeof m, NULL, 0);
    return NULL;
}

const char *tenant_take(struct tenant *t, uint32_t kind, const void *bytes, uint32_t count)
{
    switch (kind) {
    case LINE_ACTIVATE:
        return activate(t);
    case LINE_GIVE:
        return give(t, bytes, count);
    case LINE_SAVE:
        return save(t, bytes, count);
    case LINE_LOAD:
        return load(t, bytes, count);
    case LINE_PING:
        return pong(t, bytes, count);
    default:
        return "it sends a message of an unknown kind";
    }
}

uint32_t tenant_warmup(struct tenant *t)
{
    return t->bay->ops->warmup(t->bay);
}

static struct result read_node(const struct line_node *from, const struct bay_module *const *module,
                               uint32_t module_count, struct bay_instance_spec *out,
                               struct trail *tr)
{
    if (from->module >= module_count)
        return FAIL(tr, PROTOCOL, "node %u: module %u was not handed over", from->id, from->module);
    *out = (struct bay_instance_spec){
        .id = from->id, .module = module[from->module], .params = from->param};
    uint32_t want = bay_module_facts(out->module)->manifest.param_count;
    if (from->param_count != want)
        return FAIL(tr, PROTOCOL, "node %u: %u params came, its plugin has %u", from->id,
                    from->param_count, want);
    memcpy(out->input_node, from->input_node, sizeof out->input_node);
    memcpy(out->input_output, from->input_output, sizeof out->input_output);
    return OK_RESULT;
}

struct result tenant_new(const struct line_strategy *spec, const struct bay_module *const *module,
                         uint32_t module_count, const struct tenant_ops *ops, struct tenant **out,
                         struct trail *tr)
{
    *out = NULL;
    if (spec->node_count == 0 || spec->node_count > BAY_NODES_MAX)
        return FAIL(tr, PROTOCOL, "a bay of %u nodes", spec->node_count);
    struct bay_spec b = {.instrument = spec->instrument,
                         .bar_ns = spec->bar_ns,
                         .seed = spec->seed,
                         .node_count = spec->node_count};
    for (uint32_t k = 0; k < spec->node_count; k++) {
        struct result r = read_node(&spec->node[k], module, module_count, &b.node[k], tr);
        if (!is_ok(r))
            return r;
    }
    struct bay *bay = NULL;
    TRY(bay_inline_new(&b, NULL, &bay, tr));
    struct tenant *t = calloc(1, sizeof *t);
    must(t != NULL);
    *t = (struct tenant){.ops = *ops, .bay = bay, .node_count = spec->node_count};
    bay_inline_lines(bay, put_line, t);
    *out = t;
    return OK_RESULT;
}

void tenant_free(struct tenant *t)
{
    if (!t)
        return;
    t->bay->ops->stop(t->bay);
    drop_state(t);
    free(t);
}
