/* SPDX-License-Identifier: Apache-2.0
 *
 * A lane is a growing array of copies: tests look at whole runs, and what is full fails loudly.
 */
#include "tests/lib/adapter_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bool put(struct adapter_lane *l, uint32_t kind, const void *head, uint32_t head_count,
                const void *body, uint32_t body_count)
{
    uint32_t count = head_count + body_count;
    assert_true(l->count < ADAPTER_RIG_MESSAGES && count <= ADAPTER_RIG_BYTES - l->used);
    uint8_t *at = l->bytes + l->used;
    memcpy(at, head, head_count);
    if (body_count > 0)
        memcpy(at + head_count, body, body_count);
    l->message[l->count++] = (struct adapter_message){.kind = kind, .count = count, .bytes = at};
    l->used += (count + 7) & ~7u;
    return true;
}

static bool to_core(void *arg, uint32_t kind, const void *head, uint32_t head_count,
                    const void *body, uint32_t body_count)
{
    struct adapter_rig *r = arg;
    return !r->is_full && put(&r->core, kind, head, head_count, body, body_count);
}

static bool to_desk(void *arg, uint32_t kind, const void *head, uint32_t head_count,
                    const void *body, uint32_t body_count)
{
    struct adapter_rig *r = arg;
    return !r->is_full && put(&r->desk, kind, head, head_count, body, body_count);
}

static void set_instrument(struct line_adapter *s, uint32_t id, const char *symbol, int32_t price,
                           int32_t qty)
{
    s->instrument[s->instrument_count].def =
        (struct tn_instrument){.size = sizeof(struct tn_instrument),
                               .id = id,
                               .price_exp = price,
                               .qty_exp = qty,
                               .tick = 1,
                               .lot = 1,
                               .price_scale = 1,
                               .qty_scale = 1};
    snprintf(s->instrument[s->instrument_count].def.symbol, TN_NAME_BYTES, "X%u", id);
    snprintf(s->instrument[s->instrument_count++].venue_symbol, TN_NAME_BYTES, "%s", symbol);
}

void adapter_rig_open(struct adapter_rig *r, const char *path)
{
    struct trail tr = {0};
    struct bay_facts facts;
    memset(r, 0, sizeof *r);
    struct result done = bay_read_facts(path, &facts, &tr);
    if (is_ok(done)) {
        r->module = bay_module_find(facts.sha256);
        if (!r->module)
            done = bay_load(path, NULL, &r->module, &tr);
    }
    if (!is_ok(done))
        fail_msg("%s", trail_sentence(&tr, done));
    r->spec.version = LINE_VERSION;
    r->spec.instance = 7;
    r->spec.account = 1;
    r->spec.epoch = 1;
    r->spec.param_count = facts.manifest.param_count;
    for (uint32_t i = 0; i < facts.manifest.param_count; i++)
        r->spec.param[i] = facts.manifest.params[i].def;
    memcpy(r->spec.sha256, facts.sha256, sizeof r->spec.sha256);
    set_instrument(&r->spec, 1, "BTC-USD", -2, -4);
    set_instrument(&r->spec, 2, "ETH-USD", -3, -2);
}

void adapter_rig_start(struct adapter_rig *r, int64_t t_ns)
{
    struct trail tr = {0};
    struct agent_ops ops = {.arg = r, .to_core = to_core, .to_desk = to_desk};
    struct result done = agent_new(r->module, &r->spec, &ops, &r->agent, &tr);
    if (is_ok(done))
        done = agent_start(r->agent, t_ns, &tr);
    if (!is_ok(done))
        fail_msg("%s", trail_sentence(&tr, done));
}

void adapter_rig_close(struct adapter_rig *r)
{
    if (r->agent)
        agent_free(r->agent);
    r->agent = NULL;
}

void adapter_rig_forget(struct adapter_rig *r)
{
    r->core.count = r->core.used = r->desk.count = r->desk.used = 0;
}

void adapter_rig_in(struct adapter_rig *r, int64_t t_ns, uint32_t kind, uint32_t link,
                    uint32_t status, uint64_t request, const void *bytes, size_t count)
{
    static uint8_t message[sizeof(struct line_in) + LINE_BODY_MAX];
    struct line_in m = {.kind = kind,
                        .link = link,
                        .status = status,
                        .t_ns = t_ns,
                        .request = request,
                        .bytes = count};
    assert_true(count <= LINE_BODY_MAX);
    memcpy(message, &m, sizeof m);
    if (count > 0)
        memcpy(message + sizeof m, bytes, count);
    agent_take(r->agent, LINE_IN, message, (uint32_t)(sizeof m + count));
}

void adapter_rig_hear(struct adapter_rig *r, int64_t t_ns, const char *text)
{
    adapter_rig_in(r, t_ns, TN_IN_BYTES, 1, 0, 0, text, strlen(text));
}

void adapter_rig_reply(struct adapter_rig *r, int64_t t_ns, uint64_t request, uint32_t status,
                       const char *text)
{
    adapter_rig_in(r, t_ns, TN_IN_BYTES, 0, status, request, text, strlen(text));
}

void adapter_rig_approve(struct adapter_rig *r, const struct tn_approval *a)
{
    struct line_approval m = {.t_ns = a->t_ns, .a = *a};
    m.a.size = sizeof m.a;
    agent_take(r->agent, LINE_APPROVAL, &m, sizeof m);
}

const void *adapter_lane_at(const struct adapter_lane *l, uint32_t kind, uint32_t n)
{
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->message[i].kind == kind && n-- == 0)
            return l->message[i].bytes;
    }
    return NULL;
}

const void *adapter_lane_last(const struct adapter_lane *l, uint32_t kind)
{
    for (uint32_t i = l->count; i-- > 0;) {
        if (l->message[i].kind == kind)
            return l->message[i].bytes;
    }
    return NULL;
}

uint32_t adapter_lane_count(const struct adapter_lane *l, uint32_t kind)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->count; i++)
        n += l->message[i].kind == kind;
    return n;
}

const char *adapter_template(const struct line_request *m, char *out, size_t out_bytes)
{
    const struct line_part *p = (const void *)(m + 1);
    const char *text = (const char *)(p + m->part_count);
    size_t at = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < m->part_count && at < out_bytes; i++) {
        static const char *const marks[] = {"?", "", "<key>", "<sign>", "<now>", "<capture>"};
        bool shown = !(p[i].kind & TN_PART_HIDDEN);
        if (shown && p[i].kind == TN_PART_BYTES)
            at += (size_t)snprintf(out + at, out_bytes - at, "%.*s", (int)p[i].bytes, text);
        else if (shown && p[i].kind == TN_PART_FIELD)
            at += (size_t)snprintf(out + at, out_bytes - at, "<field %u>", p[i].field);
        else if (shown)
            at += (size_t)snprintf(out + at, out_bytes - at, "%s", marks[p[i].kind]);
        text += p[i].bytes;
        if (i + 1 == m->path_parts && at < out_bytes)
            at += (size_t)snprintf(out + at, out_bytes - at, "\n");
    }
    assert_true(at < out_bytes);
    return out;
}
