/* SPDX-License-Identifier: Apache-2.0
 *
 * See bay_guest.h.
 */
#include "tests/lib/bay_guest.h"
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"

#define SWAP TENON_BINARY_DIR "/swap/"
struct tn_event bay_guest_bars[BAY_GUEST_BARS];
uint8_t bay_guest_body[LINK_MESSAGE_MAX] __attribute__((aligned(64)));

bool bay_guest_is_root(void)
{
    return geteuid() == 0;
}

bool bay_guest_is_whole(const struct spawn *s)
{
    return sandbox_is_whole(spawn_can(s));
}

void bay_guest_good(struct result r, const struct trail *tr)
{
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(tr, r));
}

struct spawn_config bay_guest_config(void)
{
    return (struct spawn_config){.program = BAY_GUEST_PROGRAM,
                                 .uid_first = bay_guest_is_root() ? BAY_GUEST_UID_FIRST : 0,
                                 .uid_count = bay_guest_is_root() ? 8 : 0};
}

struct spawn *bay_guest_spawner(void)
{
    struct trail tr = {0};
    struct spawn *s = NULL;
    const struct spawn_config c = bay_guest_config();
    bay_guest_good(spawn_start(&c, &s, &tr), &tr);
    return s;
}

void bay_guest_make_bars(void)
{
    struct rng rng;
    int64_t price = 100000;
    rng_seed(&rng, 11);
    for (int i = 0; i < BAY_GUEST_BARS; i++) {
        int64_t open = price;
        price += (int64_t)rng_below(&rng, 801) - 400;
        bay_guest_bars[i] = (struct tn_event){.size = sizeof bay_guest_bars[i],
                                              .type = TN_EVENT_BAR,
                                              .seq = 500 + (uint64_t)i * 2,
                                              .t_ns = (i + 1) * BAY_GUEST_MINUTE_NS,
                                              .instrument = 4,
                                              .u.bar = {.open_ns = i * BAY_GUEST_MINUTE_NS,
                                                        .open = open,
                                                        .high = open > price ? open : price,
                                                        .low = open < price ? open : price,
                                                        .close = price,
                                                        .volume = 10}};
    }
}

/* ---- what it is to run ---- */
struct line_node *bay_guest_add(struct bay_guest *g, const char *file)
{
    char path[512];
    struct bay_facts facts;
    struct trail tr = {0};
    uint32_t n = g->modules++;
    snprintf(path, sizeof path, SWAP "%s.so", file);
    bay_guest_good(bay_seal(path, NULL, &g->module[n], &facts, &tr), &tr);
    struct line_node *node = &g->spec.node[g->spec.node_count];
    *node = (struct line_node){
        .id = 11 + g->spec.node_count, .module = n, .param_count = facts.manifest.param_count};
    for (uint32_t k = 0; k < node->param_count; k++)
        node->param[k] = facts.manifest.params[k].def;
    memcpy(node->sha256, facts.sha256, sizeof node->sha256);
    g->spec.node_count++;
    return node;
}

void bay_guest_begin(struct bay_guest *g, struct spawn *s, uint32_t wake)
{
    *g = (struct bay_guest){.spawn = s,
                            .spec = {.version = LINE_VERSION,
                                     .wake = wake,
                                     .spin_us = 100,
                                     .instrument = {.size = sizeof(struct tn_instrument),
                                                    .id = 4,
                                                    .price_exp = -2,
                                                    .qty_exp = -3,
                                                    .tick = 1,
                                                    .lot = 1,
                                                    .price_scale = 0.01,
                                                    .qty_scale = 0.001,
                                                    .symbol = "TEST"},
                                     .bar_ns = BAY_GUEST_MINUTE_NS,
                                     .seed = 1}};
}

void bay_guest_cross(struct bay_guest *g, struct spawn *s, uint32_t wake)
{
    bay_guest_begin(g, s, wake);
    bay_guest_add(g, "ema")->param[0].i = 4;
    bay_guest_add(g, "ema")->param[0].i = 12;
    bay_guest_add(g, "ema_cross-1.0.0")->input_node[1] = 1;
}

void bay_guest_hostile(struct bay_guest *g, struct spawn *s, const char *file, int64_t after)
{
    bay_guest_begin(g, s, LINE_WAKE_BLOCK);
    bay_guest_add(g, file)->param[3].i = after;
}

/* ---- its life ---- */
struct result bay_guest_try(struct bay_guest *g, uint32_t kind, bool is_contained,
                            uint64_t memory_bytes, struct trail *tr)
{
    struct link_end core[2], desk[2] = {{0}};
    bay_guest_good(link_make(LINE_BYTES, core, tr), tr);
    bay_guest_good(link_open(&core[0], &g->line, tr), tr);
    if (kind == SPAWN_ADAPTER) {
        bay_guest_good(link_make(LINE_BYTES, desk, tr), tr);
        bay_guest_good(link_open(&desk[0], &g->desk, tr), tr);
    }
    const struct spawn_request q = {.kind = kind,
                                    .is_contained = is_contained,
                                    .cpu = SPAWN_ANY_CPU,
                                    .memory_bytes = memory_bytes,
                                    .core = core[1],
                                    .desk = desk[1],
                                    .module_fd = g->module,
                                    .module_count = g->modules};
    struct result r = spawn_bay(g->spawn, &q, &g->child, tr);
    for (uint32_t i = 0; i < g->modules; i++)
        close(g->module[i]);
    return r;
}

void bay_guest_send(struct bay_guest *g, uint32_t kind, const void *bytes, uint32_t count)
{
    while (!link_put(&g->line, kind, bytes, count)) {
        assert_null(g->line.broken);
        sched_yield();
    }
    link_ring(&g->line);
}

bool bay_guest_next_of(struct bay_guest *g, struct link *l, struct link_message *m)
{
    struct pollfd p[2] = {{.fd = l->end.bell, .events = POLLIN},
                          {.fd = g->child.pidfd, .events = POLLIN}};
    for (;;) {
        if (link_take(l, m, bay_guest_body, sizeof bay_guest_body)) {
            link_ring(l); /* there is room */
            return true;
        }
        assert_null(l->broken);
        if (p[1].revents != 0)
            return false; /* and it was emptied after the end */
        if (link_sleep(l) && poll(p, 2, BAY_GUEST_WAIT_MS) == 0)
            fail_msg("the bay says nothing");
        link_awake(l);
    }
}

bool bay_guest_next(struct bay_guest *g, struct link_message *m)
{
    return bay_guest_next_of(g, &g->line, m);
}

struct line_done bay_guest_done(struct bay_guest *g, uint32_t kind, uint32_t what)
{
    struct link_message m;
    struct line_done d;
    do
        assert_true(bay_guest_next(g, &m));
    while (m.kind == LINE_LOG);
    assert_int_equal(m.kind, kind);
    assert_int_equal(m.bytes, sizeof d);
    memcpy(&d, bay_guest_body, sizeof d);
    assert_int_equal(d.what, what);
    return d;
}

void bay_guest_open(struct bay_guest *g)
{
    struct trail tr = {0};
    bay_guest_good(bay_guest_try(g, SPAWN_STRATEGY, bay_guest_is_whole(g->spawn), 0, &tr), &tr);
    bay_guest_send(g, LINE_STRATEGY, &g->spec, sizeof g->spec);
    struct line_done d = bay_guest_done(g, LINE_DONE, LINE_STRATEGY);
    if (d.code != RESULT_OK)
        fail_msg("%s", d.text);
    bay_guest_send(g, LINE_ACTIVATE, NULL, 0);
    d = bay_guest_done(g, LINE_DONE, LINE_ACTIVATE);
    assert_int_equal(d.code, RESULT_OK);
}

const char *bay_guest_end(struct bay_guest *g, int32_t *status)
{
    static char text[SPAWN_TEXT_BYTES];
    struct pollfd p = {.fd = g->child.pidfd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, BAY_GUEST_WAIT_MS), 1);
    while (!spawn_how(g->spawn, g->child.id, status, text)) {
        assert_true(spawn_is_alive(g->spawn));
        sched_yield();
    }
    close(g->child.pidfd);
    link_close(&g->line);
    if (g->desk.mine)
        link_close(&g->desk);
    return text;
}

void bay_guest_stop(struct bay_guest *g)
{
    int32_t status = -1;
    bay_guest_send(g, LINE_STOP, NULL, 0);
    (void)bay_guest_done(g, LINE_DONE, LINE_STOP);
    assert_string_equal(bay_guest_end(g, &status), "ended");
    assert_int_equal(status, 0);
}
