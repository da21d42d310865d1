/* SPDX-License-Identifier: Apache-2.0
 *
 * Egress and the adapter's bay as processes: memory that is thrown away in a crash around the
 * production desk and the production agent with the real adapter, and the queues between them. The
 * witness is a mapped file: it outlives egress.
 */
#include "tests/sim/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOP_NS = 20000 }; /* from one process to the next */

/* ---- the desk's ways out ---- */

/* Egress dies here, in the middle of what it does: from now on nothing of it happens, and the
 * witness stays as it is at this moment. */
static bool dies(struct sim *s)
{
    if (s->is_desk_dying)
        return true;
    if (!sim_point(s, SIM_EGRESS) && !sim_fault(s, SIM_EGRESS_CRASH, 3000))
        return false;
    s->is_desk_dying = true;
    memcpy(s->witness_then, s->witness, DESK_WITNESS_BYTES);
    return true;
}

static bool desk_to_core(void *arg, uint32_t kind, const void *bytes, uint32_t count)
{
    struct sim *s = arg;
    const struct sim_thing t = {.kind = SIM_ROAD_IN, .a = kind};
    if (dies(s))
        return true;
    sim_post(s, SIM_PIPE_IN, HOP_NS, &t, bytes, count, NULL, 0);
    return true;
}

static bool desk_to_bay(void *arg, uint32_t account, bool second, uint32_t kind, const void *head,
                        uint32_t head_count, const void *body, uint32_t body_count)
{
    struct sim *s = arg;
    const struct sim_thing t = {.kind = SIM_DESK_BAY, .a = kind};
    must(account == SIM_ACCOUNT && !second);
    if (dies(s))
        return true;
    sim_post(s, SIM_PIPE_DESK_BAY, HOP_NS, &t, head, head_count, body, body_count);
    return true;
}

static void desk_open_link(void *arg, uint32_t account, bool second, const struct line_open *o,
                           const char *endpoint, const char *path)
{
    (void)endpoint;
    (void)path;
    must(account == SIM_ACCOUNT && !second);
    if (!dies(arg))
        cable_open(arg, o->id, o->type);
}

static void desk_close_link(void *arg, uint32_t account, bool second, uint32_t link)
{
    must(account == SIM_ACCOUNT && !second);
    if (!dies(arg))
        cable_close(arg, link);
}

static int64_t desk_send(void *arg, const struct desk_message *m)
{
    struct sim *s = arg;
    if (dies(s))
        return 0;
    const int64_t n = cable_send(s, m);
    (void)dies(s); /* the bytes are gone, and nobody was told */
    return n;
}

static int32_t desk_secret(void *arg, uint32_t account, uint32_t field,
                           uint8_t out[DESK_SECRET_BYTES])
{
    (void)arg;
    must(account == SIM_ACCOUNT);
    return exchange_secret(field, out);
}

static void desk_witnessed(void *arg, bool must_last)
{
    (void)must_last;
    (void)dies(arg);
}

static void desk_log(void *arg, uint32_t level, const char *line)
{
    const struct sim *s = arg;
    if (s->o.trace)
        printf("%14.6f desk %u: %s\n", (double)(s->now_ns - SIM_T0) / 1e9, level, line);
}

/* ---- egress ---- */

void office_open(struct sim *s)
{
    s->desk_memory = aligned_alloc(64, (desk_bytes() + 63) / 64 * 64);
    s->witness = aligned_alloc(64, (DESK_WITNESS_BYTES + 63) / 64 * 64);
    s->witness_then = aligned_alloc(64, (DESK_WITNESS_BYTES + 63) / 64 * 64);
    must(s->desk_memory && s->witness && s->witness_then);
    memset(s->witness, 0, DESK_WITNESS_BYTES);
}

void office_close(struct sim *s)
{
    if (s->agent)
        agent_free(s->agent);
    free(s->desk_memory);
    free(s->witness);
    free(s->witness_then);
}

void office_start_egress(struct sim *s)
{
    struct trail tr = {0};
    const struct desk_config c = {.witness = s->witness,
                                  .boot = 1,
                                  .seed = s->o.seed,
                                  .ops = {.arg = s,
                                          .to_core = desk_to_core,
                                          .to_bay = desk_to_bay,
                                          .open = desk_open_link,
                                          .close = desk_close_link,
                                          .send = desk_send,
                                          .secret = desk_secret,
                                          .log = desk_log,
                                          .witnessed = desk_witnessed}};
    memset(s->desk_memory, 0, desk_bytes());
    const struct result r = desk_init(s->desk_memory, desk_bytes(), &c, s->now_ns, &s->desk, &tr);
    if (!is_ok(r)) {
        sim_violated(s, 29, "egress does not start again: %s", trail_sentence(&tr, r));
        return;
    }
    engine_egress_here(s->engine);
}

void office_durable(struct sim *s, uint64_t seq)
{
    if (s->desk && !s->is_desk_dying)
        desk_durable(s->desk, s->now_ns, seq);
}

void office_crash_egress(struct sim *s)
{
    if (s->is_desk_dying)
        memcpy(s->witness, s->witness_then, DESK_WITNESS_BYTES);
    s->is_desk_dying = false;
    s->desk = NULL;
    for (uint32_t i = 0; i < SIM_LINKS; i++)
        cable_close(s, i);
    sim_cut(s, SIM_PIPE_OUT);
    sim_cut(s, SIM_PIPE_IN);
    sim_cut(s, SIM_PIPE_DESK_BAY);
    sim_cut(s, SIM_PIPE_BAY_DESK);
    sim_cut(s, SIM_PIPE_HTTP);
    if (s->agent) { /* its line to egress is closed: the engine starts another one */
        agent_free(s->agent);
        s->agent = NULL;
        sim_cut(s, SIM_PIPE_LINE);
    }
    engine_egress_gone(s->engine);
}

/* ---- the bay ---- */

static bool agent_to_core(void *arg, uint32_t kind, const void *head, uint32_t head_count,
                          const void *body, uint32_t body_count)
{
    struct sim *s = arg;
    const struct sim_thing t = {.kind = SIM_LINE_IN, .a = kind};
    sim_post(s, SIM_PIPE_LINE, HOP_NS, &t, head, head_count, body, body_count);
    return true;
}

static bool agent_to_desk(void *arg, uint32_t kind, const void *head, uint32_t head_count,
                          const void *body, uint32_t body_count)
{
    struct sim *s = arg;
    const struct sim_thing t = {.kind = SIM_BAY_DESK, .a = kind};
    sim_post(s, SIM_PIPE_BAY_DESK, HOP_NS, &t, head, head_count, body, body_count);
    return true;
}

void office_start_bay(struct sim *s)
{
    struct trail tr = {0};
    struct line_adapter spec;
    const struct agent_ops ops = {.arg = s, .to_core = agent_to_core, .to_desk = agent_to_desk};
    const struct sim_thing here = {.kind = SIM_BAY_HERE, .a = 1};
    if (s->agent || !s->desk)
        return;
    engine_bay_spec(s->engine, &spec);
    struct result r = agent_new(s->o.adapter, &spec, &ops, &s->agent, &tr);
    if (is_ok(r)) {
        sim_post(s, SIM_PIPE_BAY_DESK, HOP_NS, &here, NULL, 0, NULL, 0);
        r = agent_start(s->agent, s->now_ns, &tr);
    }
    if (!is_ok(r))
        sim_violated(s, 30, "the adapter does not start: %s", trail_sentence(&tr, r));
}

void office_crash_bay(struct sim *s)
{
    const struct sim_thing gone = {.kind = SIM_BAY_HERE, .a = 0};
    if (!s->agent)
        return;
    agent_free(s->agent);
    s->agent = NULL;
    sim_cut(s, SIM_PIPE_LINE);
    sim_cut(s, SIM_PIPE_DESK_BAY);
    /* What it put into its ring may still be read, or its end is closed first. */
    if (rng_below(&s->world, 2))
        sim_cut(s, SIM_PIPE_BAY_DESK);
    sim_post(s, SIM_PIPE_BAY_DESK, HOP_NS, &gone, NULL, 0, NULL, 0);
}
