/* SPDX-License-Identifier: Apache-2.0
 *
 * The network between egress and the venue: connections that take time, break and come back,
 * requests and replies that are delayed, lost or overtake each other. A stream keeps its order as
 * long as it lives; requests do not. What is on its way when a connection breaks is lost.
 */
#include "tests/sim/sim.h"
#include <stdlib.h>
#include <string.h>

static int64_t way(struct sim *s)
{
    /* Mostly some milliseconds; one in fifty waits for a retransmission. */
    if (!s->o.no_faults && rng_below(&s->net, 50) == 0)
        return sim_between(&s->net, 200 * SIM_MS, 900 * SIM_MS);
    return sim_between(&s->net, SIM_MS, 8 * SIM_MS);
}

static void to_desk(struct sim *s, enum sim_pipe pipe, int64_t delay_ns, struct desk_net_in in,
                    const char *text, size_t count)
{
    const struct sim_thing t = {.kind = SIM_NET_IN};
    struct desk_net_in clean;
    memset(&clean, 0, sizeof clean);
    clean.account = SIM_ACCOUNT;
    clean.link = in.link;
    clean.what = in.what;
    clean.status = in.status;
    clean.retry_s = in.retry_s;
    clean.ticket = in.ticket;
    clean.count = count;
    sim_post(s, pipe, delay_ns, &t, &clean, sizeof clean, text, (uint32_t)count);
}

/* ---- connections ---- */

static void try_open(struct sim *s, uint32_t link, int64_t delay_ns)
{
    const struct sim_thing t = {.kind = SIM_NET_OPEN, .a = link, .b = s->link_type[link]};
    sim_post(s, (enum sim_pipe)(SIM_PIPE_WS_OUT + link), delay_ns, &t, NULL, 0, NULL, 0);
}

void cable_open(struct sim *s, uint32_t link, uint32_t type)
{
    must(link < SIM_LINKS);
    s->link_type[link] = type;
    s->link_tries[link] = 0;
    try_open(s, link, way(s));
}

/* As egress's network does it: as long as nobody closes it, it is tried again, ever later. */
static void try_later(struct sim *s, uint32_t link)
{
    int64_t wait = 100 * SIM_MS;
    for (uint32_t i = 0; i < s->link_tries[link] && wait < 10 * SIM_S; i++)
        wait *= 2;
    s->link_tries[link]++;
    try_open(s, link, sim_between(&s->net, wait / 2, wait));
}

static bool is_cut(struct sim *s)
{
    if (s->is_partitioned && s->now_ns >= s->partition_until_ns)
        s->is_partitioned = false;
    return s->is_partitioned;
}

void cable_opened(struct sim *s, uint32_t link, uint32_t type)
{
    const enum sim_pipe in = (enum sim_pipe)(SIM_PIPE_WS_IN + link);
    if (s->links_up >> link & 1)
        return; /* it was asked for twice */
    if (is_cut(s) || !exchange_is_up(s->exchange)) {
        to_desk(s, in, way(s), (struct desk_net_in){.link = link, .what = DESK_NET_DOWN}, "refused",
                7);
        try_later(s, link);
        return;
    }
    s->link_tries[link] = 0;
    s->links_up |= 1u << link;
    to_desk(s, in, way(s), (struct desk_net_in){.link = link, .what = DESK_NET_UP}, NULL, 0);
    if (type == TN_LINK_WS)
        exchange_connected(s->exchange, link);
}

void cable_close(struct sim *s, uint32_t link)
{
    must(link < SIM_LINKS);
    s->links_up &= ~(1u << link);
    sim_cut(s, (enum sim_pipe)(SIM_PIPE_WS_OUT + link));
    sim_cut(s, (enum sim_pipe)(SIM_PIPE_WS_IN + link));
    exchange_closed(s->exchange, link);
}

/* Broken in the middle: egress hears of it. */
void cable_break(struct sim *s, uint32_t link)
{
    if (!(s->links_up >> link & 1) || s->link_type[link] != TN_LINK_WS)
        return;
    cable_close(s, link);
    to_desk(s, (enum sim_pipe)(SIM_PIPE_WS_IN + link), way(s),
            (struct desk_net_in){.link = link, .what = DESK_NET_DOWN, .status = 1006}, "broken", 6);
    try_later(s, link);
}

void cable_all_down(struct sim *s)
{
    for (uint32_t i = 0; i < SIM_LINKS; i++)
        cable_break(s, i);
}

void cable_partition(struct sim *s, int64_t ns)
{
    if (s->is_partitioned)
        return;
    s->is_partitioned = true;
    s->partition_until_ns = s->now_ns + ns;
    cable_all_down(s);
}

/* ---- requests ---- */

static void send_http(struct sim *s, const struct desk_message *m)
{
    struct cable_request q;
    memset(&q, 0, sizeof q);
    q.ticket = m->ticket;
    q.link = m->link;
    q.method = m->method;
    q.path_bytes = m->path_bytes;
    q.head_bytes = m->head_bytes;
    q.body_bytes = m->body_bytes;
    const struct desk_net_in in = {.link = m->link, .ticket = m->ticket};
    struct desk_net_in written = in, failed = in, silent = in;
    written.what = DESK_NET_WRITTEN;
    failed.what = DESK_NET_FAILED;
    silent.what = DESK_NET_SILENT;
    if (is_cut(s) && rng_below(&s->net, 2)) { /* no connection could be made */
        to_desk(s, SIM_PIPE_HTTP, way(s), failed, "unreachable", 11);
        return;
    }
    to_desk(s, SIM_PIPE_HTTP, SIM_MS / 10, written, NULL, 0);
    if (is_cut(s)) {
        to_desk(s, SIM_PIPE_HTTP, 5 * SIM_S, silent, "no reply", 8);
        return;
    }
    const struct sim_thing t = {.kind = SIM_NET_HTTP};
    /* On its way it is the network's: it arrives also when egress is dead by then. */
    q.egress_life = (uint32_t)s->pipe[SIM_PIPE_HTTP].life;
    sim_post(s, SIM_PIPE_NONE, way(s), &t, &q, sizeof q, m->bytes,
             m->path_bytes + m->head_bytes + m->body_bytes);
    if (!exchange_is_up(s->exchange))
        to_desk(s, SIM_PIPE_HTTP, way(s), silent, "reset", 5);
}

int64_t cable_send(struct sim *s, const struct desk_message *m)
{
    const uint32_t all = m->path_bytes + m->head_bytes + m->body_bytes;
    must(m->link < SIM_LINKS);
    if (!(s->links_up >> m->link & 1))
        return 0;
    if (m->type == TN_LINK_HTTP) {
        watch_wire(s->watch, (const char *)m->bytes, m->path_bytes,
                   (const char *)m->bytes + m->path_bytes + m->head_bytes, m->body_bytes);
        send_http(s, m);
        return all;
    }
    const struct sim_thing t = {.kind = SIM_NET_WS, .a = m->link};
    sim_post(s, (enum sim_pipe)(SIM_PIPE_WS_OUT + m->link), way(s), &t, m->bytes, all, NULL, 0);
    return all;
}

void cable_reply(struct sim *s, const struct cable_request *q, uint32_t status, int32_t retry_s,
                 const char *text, size_t count)
{
    struct desk_net_in in = {.link = q->link,
                             .what = DESK_NET_BYTES,
                             .status = status,
                             .retry_s = retry_s,
                             .ticket = q->ticket};
    if (q->egress_life != s->pipe[SIM_PIPE_HTTP].life)
        return; /* whoever asked is dead */
    if (status == 0 || is_cut(s) || sim_fault(s, SIM_LOST_REPLY, 60)) {
        in.what = DESK_NET_SILENT;
        to_desk(s, SIM_PIPE_HTTP, 5 * SIM_S, in, "no reply", 8);
        return;
    }
    const int64_t slow =
        sim_fault(s, SIM_SLOW_REPLY, 60) ? sim_between(&s->net, SIM_S, 9 * SIM_S) : 0;
    to_desk(s, SIM_PIPE_HTTP, way(s) + slow, in, text, count);
}

void cable_tell(struct sim *s, uint32_t link, const char *text, size_t count)
{
    to_desk(s, (enum sim_pipe)(SIM_PIPE_WS_IN + link), way(s),
            (struct desk_net_in){.link = link, .what = DESK_NET_BYTES, .retry_s = -1}, text, count);
}
