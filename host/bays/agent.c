/* SPDX-License-Identifier: Apache-2.0
 *
 * One adapter, its calls and their guards.
 *
 * Each call fills two queues (agent_out.c). After it the rules are looked at once: status, the
 * first broken rule of its answers, the FP control word, memory asked for in a hot call. A call
 * that kept them all has its answers handed over in order; of one that did not, nothing leaves but
 * one DONE with the sentence, and from then on the adapter is not called any more, not even to end
 * it.
 */
#include "bays/agent.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "bays/agent_priv.h"
#include "bays/guard.h"
#include "bays/module.h"
#include "bays/note.h"

/* ---- queues ---- */

static bool hand_over(struct agent_queue *q, void *arg,
                      bool (*give)(void *, uint32_t, const void *, uint32_t, const void *,
                                   uint32_t))
{
    while (q->head < q->tail) {
        uint32_t kind, count;
        const uint8_t *at = q->bytes + q->head;
        memcpy(&kind, at, sizeof kind);
        memcpy(&count, at + 4, sizeof count);
        if (!give(arg, kind, at + 8, count, NULL, 0))
            return false;
        q->head += 8 + ((count + 7) & ~7u);
    }
    q->head = q->tail = 0;
    return true;
}

bool agent_flush(struct agent *a)
{
    bool core = hand_over(&a->core, a->ops.arg, a->ops.to_core);
    bool desk = hand_over(&a->desk, a->ops.arg, a->ops.to_desk);
    return core && desk;
}

/* Something of the host's own; the spare room is for these. */
static void say(struct agent_queue *q, uint32_t kind, const void *bytes, uint32_t count)
{
    uint8_t *at = agent_put(q, kind, count, 0);
    if (at)
        memcpy(at, bytes, count);
}

static void say_done(struct agent *a, uint32_t kind, uint32_t what, int32_t code, uint64_t number,
                     const char *text)
{
    struct line_done m = {.what = what, .code = code, .number = number};
    snprintf(m.text, sizeof m.text, "%s", text);
    say(&a->core, kind, &m, sizeof m);
}

/* The plugin's own lines, already escaped and limited. Those that find no room are dropped, as the
 * ring of struct serve does it. */
static void say_logs(struct agent *a)
{
    for (uint32_t i = 0; i < a->serve.line_count; i++) {
        const struct serve_line *l = &a->serve.line[i];
        struct line_log m = {.level = l->level, .count = (uint32_t)strlen(l->text)};
        uint8_t *at = agent_put(&a->core, LINE_LOG, (uint32_t)sizeof m + m.count, 1024);
        if (!at)
            break;
        memcpy(at, &m, sizeof m);
        memcpy(at + sizeof m, l->text, m.count);
    }
    a->serve.line_count = 0;
    a->serve.lines_lost = 0;
}

/* ---- calls ---- */

struct mark { /* what stood before a call */
    struct fpu fpu;
    uint32_t core, desk;
};

static struct mark begin(struct agent *a, int64_t t_ns)
{
    a->stamp_ns = t_ns;
    a->serve.now_ns = t_ns;
    a->templates = 0;
    a->wrong = NULL;
    return (struct mark){.fpu = fpu_read(), .core = a->core.tail, .desk = a->desk.tail};
}

static void drop(struct agent *a, const struct mark *was)
{
    a->core.tail = was->core;
    a->desk.tail = was->desk;
}

/* NULL, or what the call broke; then its answers are gone. */
static const char *judge(struct agent *a, const struct mark *was, int32_t status)
{
    const char *why = a->wrong;
    if (!guard_status_known(status))
        why = "an unknown status";
    if (!why && a->serve.misused)
        why = "host memory asked for in a hot call";
    if (!fpu_same(was->fpu, fpu_read())) {
        fpu_write(was->fpu);
        why = "FP control word changed";
    }
    if (why)
        drop(a, was);
    return why;
}

static void quarantine(struct agent *a, uint32_t what, const char *call, const char *why)
{
    const struct tn_manifest *m = &a->module->facts.manifest;
    char text[192];
    must(!a->quarantined);
    a->quarantined = true;
    snprintf(text, sizeof text,
             "adapter %s %s broke its contract in %s (%s) and is quarantined; report it to %s",
             m->id, m->version, call, why, m->vendor);
    say_logs(a);
    say_done(a, LINE_DONE, what, RESULT_PLUGIN, 0, text);
}

static void take_in(struct agent *a, const void *bytes, uint32_t count)
{
    struct line_in m;
    const uint8_t *data = (const uint8_t *)bytes + sizeof m;
    if (count >= sizeof m)
        memcpy(&m, bytes, sizeof m);
    if (count < sizeof m || m.bytes != count - sizeof m) {
        quarantine(a, LINE_IN, "nothing", "a message of egress was cut");
        return;
    }
    struct tn_in in = {.size = sizeof in,
                       .kind = m.kind,
                       .t_ns = m.t_ns,
                       .link = m.link,
                       .status = m.status,
                       .request = m.request,
                       .bytes = m.bytes,
                       .data = m.bytes > 0 ? data : NULL};
    struct mark was = begin(a, m.t_ns);
    int32_t status = a->call->on_in(a->inst, &in, &a->out);
    const char *why = judge(a, &was, status);
    if (!why && status != TN_OK) {
        why = guard_status_name(status);
        drop(a, &was);
    }
    if (why)
        quarantine(a, LINE_IN, "on_in", why);
}

static void burn(struct agent *a, uint64_t approval, int32_t status)
{
    struct line_burn m = {.approval = approval, .status = status};
    say(&a->desk, LINE_BURN, &m, sizeof m);
}

static void take_approval(struct agent *a, const void *bytes, uint32_t count)
{
    struct line_approval m;
    if (count != sizeof m) {
        quarantine(a, LINE_APPROVAL, "nothing", "a message of egress was cut");
        return;
    }
    memcpy(&m, bytes, sizeof m);
    m.a.size = sizeof m.a;
    struct mark was = begin(a, m.t_ns);
    int32_t status = a->call->on_approval(a->inst, m.t_ns, &m.a, &a->out);
    const char *why = judge(a, &was, status);
    if (!why && status != TN_OK && a->templates > 0)
        why = "an approval answered with a template and a failure";
    if (!why && status == TN_OK && a->templates != 1)
        why = "an approval answered with no template or with several";
    if (why) {
        drop(a, &was);
        quarantine(a, LINE_APPROVAL, "on_approval", why);
    }
    if (why || status != TN_OK)
        burn(a, m.a.approval, why ? TN_E_STATE : status);
}

static void end_life(struct agent *a)
{
    if (a->active && !a->quarantined)
        a->call->base.deactivate(a->inst);
    if (a->created && !a->quarantined)
        a->call->base.destroy(a->inst);
    a->active = a->created = a->started = false;
}

void agent_take(struct agent *a, uint32_t kind, const void *bytes, uint32_t count)
{
    (void)agent_flush(a);
    if (kind == LINE_STOP) {
        end_life(a);
        say_logs(a);
        say_done(a, LINE_DONE, LINE_STOP, RESULT_OK, 0, "");
        a->stopped = true;
    } else if (kind == LINE_PING && count == 8) {
        uint64_t number;
        memcpy(&number, bytes, sizeof number);
        say_done(a, LINE_PONG, LINE_PING, RESULT_OK, number, "");
    } else if (a->started && !a->quarantined) {
        if (kind == LINE_IN)
            take_in(a, bytes, count);
        else if (kind == LINE_APPROVAL)
            take_approval(a, bytes, count);
        say_logs(a);
    }
    (void)agent_flush(a);
}

bool agent_is_quarantined(const struct agent *a)
{
    return a->quarantined;
}

bool agent_is_stopped(const struct agent *a)
{
    return a->stopped && a->core.head == a->core.tail;
}

/* ---- life ---- */

static struct result check_spec(const struct bay_module *m, const struct line_adapter *s,
                                struct trail *tr)
{
    const struct tn_manifest *man = &m->facts.manifest;
    if (man->kind != TN_KIND_ADAPTER)
        return FAIL(tr, CONFIG, "plugin %s is of kind %s, an account wants an adapter", man->id,
                    note_kind_name(man->kind));
    if (memcmp(s->sha256, m->facts.sha256, sizeof s->sha256) != 0)
        return FAIL(tr, FOREIGN, "adapter %s is not the build that the deployment pins", man->id);
    if (s->version != LINE_VERSION || s->instrument_count == 0 ||
        s->instrument_count > LINE_INSTRUMENTS_MAX || s->param_count != man->param_count ||
        memchr(s->cursor, 0, sizeof s->cursor) == NULL)
        return FAIL(tr, PROTOCOL,
                    "adapter %s: its order to start has version %u, %u instruments and %u "
                    "parameters; this bay knows version %d",
                    man->id, s->version, s->instrument_count, s->param_count, LINE_VERSION);
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < man->param_count && is_ok(r); i++)
        r = bay_param_check(&man->params[i], s->param[i], tr);
    return r;
}

/* A setup call is over. */
static struct result end_setup(struct agent *a, const struct mark *was, const char *call,
                               int32_t status, struct trail *tr)
{
    const struct tn_manifest *m = &a->module->facts.manifest;
    a->serve.setup = false;
    const char *why = judge(a, was, status);
    if (!why && status != TN_OK)
        why = guard_status_name(status);
    say_logs(a);
    if (!why)
        return OK_RESULT;
    if (a->serve.denied > 0 || status == TN_E_MEMORY)
        return FAIL(tr, PLUGIN,
                    "adapter %s %s: %s wanted more than the %u arena bytes it declares; raise "
                    "arena_bytes in its manifest",
                    m->id, m->version, call, m->arena_bytes);
    return FAIL(tr, PLUGIN,
                "adapter %s %s: %s failed (%s); check its parameters or report it to %s", m->id,
                m->version, call, why, m->vendor);
}

static struct result create(struct agent *a, struct trail *tr)
{
    const struct line_adapter *s = &a->spec;
    for (uint32_t i = 0; i < s->instrument_count; i++) {
        struct tn_adapter_instrument *in = &a->instrument[i];
        *in = (struct tn_adapter_instrument){.size = sizeof *in,
                                             .instrument = &a->spec.instrument[i].def};
        memcpy(in->venue_symbol, s->instrument[i].venue_symbol, sizeof in->venue_symbol);
        in->venue_symbol[sizeof in->venue_symbol - 1] = 0;
    }
    TRY(serve_init(&a->serve, a->module->facts.manifest.arena_bytes, tr));
    struct tn_adapter_create c = {.size = sizeof c,
                                  .param_count = s->param_count,
                                  .params = a->spec.param,
                                  .instrument = a->instrument,
                                  .instrument_count = s->instrument_count,
                                  .account = s->account,
                                  .epoch = s->epoch,
                                  .is_second = s->is_second};
    memcpy(c.cursor, s->cursor, sizeof c.cursor);
    struct mark was = begin(a, 0);
    a->serve.setup = true;
    int32_t status = a->call->create(&a->serve.host, &c, &a->inst);
    a->created = status == TN_OK;
    return end_setup(a, &was, "create", status, tr);
}

struct result agent_new(const struct bay_module *module, const struct line_adapter *spec,
                        const struct agent_ops *ops, struct agent **out, struct trail *tr)
{
    const struct tn_adapter_facts *facts = NULL;
    *out = NULL;
    TRY(check_spec(module, spec, tr));
    TRY(agent_facts(module, &facts, tr));
    struct agent *a = calloc(1, sizeof *a);
    must(a != NULL);
    a->core.bytes = calloc(1, AGENT_QUEUE_BYTES);
    a->desk.bytes = calloc(1, AGENT_QUEUE_BYTES);
    must(a->core.bytes != NULL && a->desk.bytes != NULL);
    a->ops = *ops;
    a->module = module;
    a->call = &module->ops.adapter;
    a->facts = facts;
    a->spec = *spec;
    agent_out_init(a);
    struct result r = create(a, tr);
    if (!is_ok(r)) {
        a->quarantined = !a->created; /* what failed its setup is not called to end */
        agent_free(a);
        return r;
    }
    *out = a;
    return OK_RESULT;
}

void agent_free(struct agent *a)
{
    end_life(a);
    serve_fini(&a->serve);
    free(a->core.bytes);
    free(a->desk.bytes);
    free(a);
}

struct result agent_start(struct agent *a, int64_t wall_ns, struct trail *tr)
{
    must(!a->active && !a->quarantined);
    struct mark was = begin(a, wall_ns);
    a->serve.setup = true;
    int32_t status = a->call->base.activate(a->inst);
    a->active = status == TN_OK;
    TRY(end_setup(a, &was, "activate", status, tr));
    was = begin(a, wall_ns);
    status = a->call->start(a->inst, wall_ns, &a->out);
    TRY(end_setup(a, &was, "start", status, tr));
    a->started = true;
    (void)agent_flush(a);
    return OK_RESULT;
}
