/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: tenon-bay is a home: a strategy in it gives the answers of an inline bay with every wake
 * policy, its state goes to the next process, and an adapter hears egress and is heard, also when a
 * line is full for long. Method: the real program with shipped plugins; the test is the engine, and
 * egress.
 */
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/lib/adapter_rig.h"
#include "tests/lib/bay_guest.h"

#define SWAP TENON_BINARY_DIR "/swap/"

static struct spawn *spawn;

static int start_spawner(void **state)
{
    (void)state;
    spawn = bay_guest_spawner();
    return 0;
}
static int stop_spawner(void **state)
{
    (void)state;
    spawn_stop(spawn);
    return 0;
}

/* ---- the same answers ---- */
static uint32_t take_answers(struct bay_guest *g, uint64_t ping, struct line_answer *out)
{
    struct link_message m;
    uint32_t count = 0;
    bay_guest_send(g, LINE_PING, &ping, sizeof ping);
    for (;;) {
        assert_true(bay_guest_next(g, &m));
        if (m.kind == LINE_LOG)
            continue;
        if (m.kind == LINE_PONG) {
            struct line_done d;
            memcpy(&d, bay_guest_body, sizeof d);
            assert_int_equal(d.number, ping);
            return count;
        }
        assert_int_equal(m.kind, LINE_ANSWER);
        assert_int_equal(m.bytes, sizeof *out);
        memcpy(&out[count++], bay_guest_body, sizeof *out);
    }
}

static uint32_t answer_inline(const struct bay_guest *g, struct bay_answer *out)
{
    struct bay_spec spec = {.instrument = g->spec.instrument,
                            .bar_ns = g->spec.bar_ns,
                            .seed = g->spec.seed,
                            .node_count = g->spec.node_count};
    struct trail tr = {0};
    struct bay *b = NULL;
    uint32_t count = 0;
    for (uint32_t k = 0; k < spec.node_count; k++) {
        struct bay_module *m = bay_module_find(g->spec.node[k].sha256);
        if (!m)
            bay_guest_good(
                bay_load(k + 1 < spec.node_count ? SWAP "ema.so" : SWAP "ema_cross-1.0.0.so", NULL,
                         &m, &tr),
                &tr);
        spec.node[k] = (struct bay_instance_spec){
            .id = g->spec.node[k].id, .module = m, .params = g->spec.node[k].param};
        memcpy(spec.node[k].input_node, g->spec.node[k].input_node, sizeof spec.node[k].input_node);
    }
    bay_guest_good(bay_inline_new(&spec, NULL, &b, &tr), &tr);
    bay_guest_good(b->ops->activate(b, &tr), &tr);
    for (uint32_t i = 0; i < BAY_GUEST_BARS; i++) {
        b->ops->give(b, &bay_guest_bars[i], 1);
        while (b->ops->take(b, &out[count]))
            count++;
    }
    b->ops->stop(b);
    return count;
}

static void home_strategy_answers_as_inline(void **state)
{
    static struct bay_answer want[BAY_GUEST_BARS];
    static struct line_answer got[BAY_GUEST_BARS];
    (void)state;
    for (uint32_t wake = LINE_WAKE_SPIN; wake <= LINE_WAKE_BLOCK; wake++) {
        struct bay_guest g;
        bay_guest_cross(&g, spawn, wake);
        memset(want, 0, sizeof want);
        uint32_t wanted = answer_inline(&g, want), count = 0;
        assert_true(wanted > 20);
        bay_guest_open(&g);
        for (uint32_t i = 0, n = 1; i < BAY_GUEST_BARS; i += n, n = n % 7 + 1) {
            n = n < BAY_GUEST_BARS - i ? n : BAY_GUEST_BARS - i;
            bay_guest_send(&g, LINE_GIVE, &bay_guest_bars[i],
                           n * (uint32_t)sizeof bay_guest_bars[i]);
            if (i % 50 == 0)
                count += take_answers(&g, i, &got[count]);
        }
        count += take_answers(&g, BAY_GUEST_BARS, &got[count]);
        assert_int_equal(count, wanted);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(got[i].kind, BAY_SIGNAL);
            assert_int_equal(got[i].cause_seq, want[i].cause_seq);
            assert_int_equal(got[i].cause_t_ns, want[i].cause_t_ns);
            assert_memory_equal(&got[i].signal, &want[i].signal, sizeof want[i].signal);
        }
        assert_true(link_their_beat(&g.line) > 0);
        bay_guest_stop(&g);
    }
}

/* The libm of the bay gives the bits of a pinned program: the number it says is the same in each,
 * and is not zero. (This test itself runs unpinned.) */
static void home_has_libm_pinned(void **state)
{
    (void)state;
    uint64_t number[2];
    for (int i = 0; i < 2; i++) {
        struct bay_guest g;
        struct trail tr = {0};
        bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK);
        bay_guest_good(bay_guest_try(&g, SPAWN_STRATEGY, false, 0, &tr), &tr);
        bay_guest_send(&g, LINE_STRATEGY, &g.spec, sizeof g.spec);
        number[i] = bay_guest_done(&g, LINE_DONE, LINE_STRATEGY).number;
        bay_guest_stop(&g);
    }
    assert_int_equal(number[0], number[1]);
    assert_int_not_equal(number[0], 0);
}

/* ---- state ---- */
static uint32_t save_node(struct bay_guest *g, uint32_t node, uint8_t *out)
{
    struct line_state q = {.node = node, .as_of_seq = 77}, piece;
    struct link_message m;
    uint32_t got = 0;
    bay_guest_send(g, LINE_SAVE, &q, sizeof q);
    do {
        assert_true(bay_guest_next(g, &m));
        assert_int_equal(m.kind, LINE_STATE);
        memcpy(&piece, bay_guest_body, sizeof piece);
        assert_int_equal(piece.offset, got);
        assert_int_equal(piece.count, m.bytes - sizeof piece);
        memcpy(out + got, bay_guest_body + sizeof piece, piece.count);
        got += piece.count;
    } while (!piece.is_last);
    assert_int_equal(got, piece.total);
    assert_int_equal(bay_guest_done(g, LINE_DONE, LINE_SAVE).code, RESULT_OK);
    return got;
}

static struct line_done load_node(struct bay_guest *g, uint32_t node, const uint8_t *bytes,
                                  uint32_t count)
{
    for (uint32_t at = 0; at < count;) { /* pieces of odd sizes */
        uint32_t n = count - at < 37 ? count - at : 37;
        struct line_state m = {
            .node = node, .is_last = at + n == count, .total = count, .offset = at, .count = n};
        memcpy(bay_guest_body, &m, sizeof m);
        memcpy(bay_guest_body + sizeof m, bytes + at, n);
        bay_guest_send(g, LINE_LOAD, bay_guest_body, (uint32_t)sizeof m + n);
        at += n;
    }
    return bay_guest_done(g, LINE_DONE, LINE_LOAD);
}

static void home_state_goes_to_the_next_one(void **state)
{
    static struct line_answer one[BAY_GUEST_BARS], two[BAY_GUEST_BARS];
    static uint8_t saved[3][4096];
    uint32_t bytes[3];
    struct bay_guest old, new;
    (void)state;
    bay_guest_cross(&old, spawn, LINE_WAKE_BLOCK);
    bay_guest_open(&old);
    bay_guest_send(&old, LINE_GIVE, bay_guest_bars, 300 * sizeof bay_guest_bars[0]);
    (void)take_answers(&old, 1, one);
    for (uint32_t k = 0; k < 3; k++)
        bytes[k] = save_node(&old, k, saved[k]);
    bay_guest_send(&old, LINE_GIVE, &bay_guest_bars[300], 300 * sizeof bay_guest_bars[0]);
    uint32_t count = take_answers(&old, 2, one);
    assert_true(count > 10);
    bay_guest_stop(&old);

    bay_guest_cross(&new, spawn, LINE_WAKE_BLOCK);
    struct trail tr = {0};
    bay_guest_good(bay_guest_try(&new, SPAWN_STRATEGY, false, 0, &tr), &tr);
    bay_guest_send(&new, LINE_STRATEGY, &new.spec, sizeof new.spec);
    (void)bay_guest_done(&new, LINE_DONE, LINE_STRATEGY);
    saved[0][bytes[0] - 1] ^= 1;
    assert_int_not_equal(load_node(&new, 0, saved[0], bytes[0]).code, RESULT_OK);
    saved[0][bytes[0] - 1] ^= 1;
    for (uint32_t k = 0; k < 3; k++)
        assert_int_equal(load_node(&new, k, saved[k], bytes[k]).code, RESULT_OK);
    bay_guest_send(&new, LINE_ACTIVATE, NULL, 0);
    (void)bay_guest_done(&new, LINE_DONE, LINE_ACTIVATE);
    bay_guest_send(&new, LINE_GIVE, &bay_guest_bars[300], 300 * sizeof bay_guest_bars[0]);
    assert_int_equal(take_answers(&new, 3, two), count);
    assert_memory_equal(one, two, count * sizeof one[0]);
    bay_guest_stop(&new);
}

/* ---- an adapter ---- */
static struct adapter_rig rig; /* for its spec only */

static void open_adapter(struct bay_guest *g, const char *path, int64_t t_ns)
{
    struct trail tr = {0};
    struct bay_facts facts;
    adapter_rig_open(&rig, path);
    *g = (struct bay_guest){.spawn = spawn, .modules = 1};
    bay_guest_good(bay_seal(path, NULL, &g->module[0], &facts, &tr), &tr);
    bay_guest_good(bay_guest_try(g, SPAWN_ADAPTER, bay_guest_is_whole(spawn), 0, &tr), &tr);
    bay_guest_send(g, LINE_ADAPTER, &rig.spec, sizeof rig.spec);
    struct line_done d = bay_guest_done(g, LINE_DONE, LINE_ADAPTER);
    if (d.code != RESULT_OK)
        fail_msg("%s", d.text);
    bay_guest_send(g, LINE_ACTIVATE, &t_ns, sizeof t_ns);
    assert_int_equal(bay_guest_done(g, LINE_DONE, LINE_ACTIVATE).code, RESULT_OK);
}

/* False: egress's line is full. */
static bool hear(struct bay_guest *g, int64_t stamp_ns, const char *text)
{
    uint8_t m[sizeof(struct line_in) + 16];
    const struct line_in head = {
        .kind = TN_IN_BYTES, .t_ns = stamp_ns, .link = 3, .bytes = strlen(text)};
    memcpy(m, &head, sizeof head);
    memcpy(m + sizeof head, text, strlen(text));
    bool put = link_put(&g->desk, LINE_IN, m, (uint32_t)(sizeof head + strlen(text)));
    link_ring(&g->desk);
    return put;
}

static void expect_desk(struct bay_guest *g, const uint32_t *kind, uint32_t count)
{
    struct link_message m;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(bay_guest_next_of(g, &g->desk, &m));
        assert_int_equal(m.kind, kind[i]);
    }
}

static void home_adapter_hears_and_is_heard(void **state)
{
    static const uint32_t start[] = {LINE_OPEN};
    static const uint32_t now[] = {LINE_OPEN, LINE_TIMER, LINE_CAPTURE, LINE_REQUEST};
    static const uint32_t core[] = {LINE_EVENT, LINE_SAID, LINE_SYNC};
    struct bay_guest g;
    struct link_message m;
    (void)state;
    open_adapter(&g, TENON_BINARY_DIR "/abi/broken_adapter.so", 10);
    expect_desk(&g, start, 1);
    assert_true(hear(&g, 1000, "now"));
    expect_desk(&g, now, 4);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(bay_guest_next(&g, &m));
        assert_int_equal(m.kind, core[i]);
    }
    uint64_t ping = 5;
    bay_guest_send(&g, LINE_PING, &ping, sizeof ping);
    assert_int_equal(bay_guest_done(&g, LINE_PONG, LINE_PING).number, 5);
    assert_true(link_their_beat(&g.line) > 0 && link_their_beat(&g.desk) > 0);
    bay_guest_stop(&g);
}

/* The engine does not read for long: nothing is lost, nothing is taken beyond what there is room
 * for, and when it reads again all comes in order. */
static void home_adapter_full_line_holds_egress_back(void **state)
{
    enum { MESSAGES = 40000, STUCK = 2000 };
    struct bay_guest g;
    struct link_message m;
    int sent = 0, seen = 0, said = 0;
    (void)state;
    open_adapter(&g, TENON_BINARY_DIR "/abi/broken_adapter.so", 10);
    for (int refused = 0; refused < STUCK; refused++) {
        while (hear(&g, 1000 + sent, "and")) {
            sent++;
            refused = 0;
        }
        sched_yield();
    }
    assert_true(sent > 15000 && sent < MESSAGES); /* both lines are full */
    while (said < MESSAGES) {
        while (sent < MESSAGES && hear(&g, 1000 + sent, "and"))
            sent++;
        assert_true(bay_guest_next(&g, &m));
        struct line_event ev;
        said += m.kind == LINE_SAID; /* each "and" is an event, then a word */
        if (m.kind != LINE_EVENT)
            continue;
        memcpy(&ev, bay_guest_body, sizeof ev);
        assert_int_equal(ev.stamp_ns, 1000 + seen);
        seen++;
    }
    assert_int_equal(seen, MESSAGES);
    bay_guest_stop(&g);
}

/* The shipped adapter in its home: it opens its links and hands over its stored templates. */
static void home_adapter_of_the_venue_starts(void **state)
{
    struct bay_guest g;
    struct link_message m;
    uint32_t opens = 0, stored = 0;
    uint64_t ping = 1;
    (void)state;
    open_adapter(&g, SWAP "tenon_venue.so", 1000000000);
    bay_guest_send(&g, LINE_PING, &ping, sizeof ping);
    (void)bay_guest_done(&g, LINE_PONG, LINE_PING);
    while (link_take(&g.desk, &m, bay_guest_body, sizeof bay_guest_body)) {
        struct line_request r;
        opens += m.kind == LINE_OPEN;
        if (m.kind != LINE_REQUEST)
            continue;
        memcpy(&r, bay_guest_body, sizeof r);
        stored += (r.flags & TN_REQUEST_STORED) != 0;
    }
    assert_true(opens >= 2 && stored >= 4);
    bay_guest_stop(&g);
}

static void home_adapter_ends_when_a_line_breaks(void **state)
{
    struct bay_guest g;
    (void)state;
    open_adapter(&g, TENON_BINARY_DIR "/abi/broken_adapter.so", 10);
    memset(g.desk.out - 4096 + 64, 0xff, 8); /* egress says it has written what cannot be */
    const uint64_t one = 1;
    assert_int_equal(write(g.desk.end.their_bell, &one, sizeof one), sizeof one);
    assert_non_null(strstr(bay_guest_end(&g, NULL), "its line to egress"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(home_strategy_answers_as_inline),
        cmocka_unit_test(home_has_libm_pinned),
        cmocka_unit_test(home_state_goes_to_the_next_one),
        cmocka_unit_test(home_adapter_hears_and_is_heard),
        cmocka_unit_test(home_adapter_full_line_holds_egress_back),
        cmocka_unit_test(home_adapter_of_the_venue_starts),
        cmocka_unit_test(home_adapter_ends_when_a_line_breaks),
    };
    bay_guest_make_bars();
    return cmocka_run_group_tests(tests, start_spawner, stop_spawner);
}
