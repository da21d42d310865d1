/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a strategy in a process answers as it does inline, byte for byte; whatever becomes of its
 * process costs its own bay and nothing else; and what was killed comes back knowing all that it
 * missed. Method: the real tenon-bay under the real spawner, with strategies of
 * tests/fixtures/plugins, beside an inline twin that hears the same.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/must.h"
#include "bays/process.h"
#include "tbl/lines.h"

#define SWAP_DIR TENON_BINARY_DIR "/swap/"
#define BAY_PROGRAM TENON_BINARY_DIR "/tenon-bay"
#define BAR_NS 60000000000ll
/* Sanitizers on a busy machine are slow. Hangs have a shorter one, and so have the bars that go
 * well before them. */
#define ANSWER_NS 20000000000ll
#define HANG_NS 1000000000ll
#define COMING_NS (6 * ANSWER_NS)
enum { HISTORY = 50, ANSWERS = 2048, AFTER_PARAM = 3 };

static struct spawn *spawner;

struct rig {
    struct process_home *home;
    struct bay *bay, *twin;
    struct trail tr;
    uint32_t at; /* bars given */
    struct bay_answer a[ANSWERS], b[ANSWERS];
    uint32_t a_count, b_count;
};

#define RIG_OK(r, call)                                                                            \
    do {                                                                                           \
        const struct result ok_ = (call);                                                          \
        if (!is_ok(ok_))                                                                           \
            fail_msg("%s", trail_sentence(&(r)->tr, ok_));                                         \
    } while (0)

static struct bay_module *module_of(const char *name)
{
    char path[512];
    struct trail tr = {0};
    struct bay_module *m = NULL;
    snprintf(path, sizeof path, "%s%s.so", SWAP_DIR, name);
    const struct result r = bay_load(path, NULL, &m, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return m;
}

static struct tn_event bar_at(uint32_t i, bool is_history)
{
    const int64_t wave = i / 40 % 2 ? 40 - i % 40 : i % 40;
    const int64_t close = 100000 + wave * 25 + (i * 7 % 11) * 60 + i / 3;
    struct tn_event ev = {.size = sizeof ev,
                          .type = TN_EVENT_BAR,
                          .seq = 1 + i,
                          .t_ns = (1 + (int64_t)i) * BAR_NS,
                          .instrument = 1,
                          .flags = is_history ? TN_EVENT_F_WARMUP : 0};
    ev.u.bar = (struct tn_bar){.open_ns = i * BAR_NS,
                               .open = close - (i % 3 ? 5 : -5),
                               .high = close + 20,
                               .low = close - 20,
                               .close = close,
                               .volume = 1000};
    return ev;
}

/* Two nodes that are the same plugin would do as well: the fixtures have no inputs. */
static void make_bays(struct rig *r, const struct bay_module *m, int64_t after, uint32_t wake)
{
    const int64_t which = after >> 32;
    union tn_number params[TN_MAX_PARAMS];
    const struct tn_manifest *f = &bay_module_facts(m)->manifest;
    for (uint32_t i = 0; i < f->param_count; i++)
        params[i] = f->params[i].def;
    if (after >= 0)
        params[AFTER_PARAM].i = after & INT32_MAX;
    if (after >= 0 && which > 0)
        params[AFTER_PARAM + 1].i = which;
    const struct bay_spec spec = {.bar_ns = BAR_NS,
                                  .seed = 7,
                                  .instrument = {.size = sizeof spec.instrument,
                                                 .id = 1,
                                                 .tick = 1,
                                                 .lot = 1,
                                                 .price_scale = 1,
                                                 .qty_scale = 1,
                                                 .symbol = "COIN"},
                                  .node_count = 1,
                                  .node[0] = {.id = 3, .module = m, .params = params}};
    const struct process_spec p = {.wake = wake, .cpu = SPAWN_ANY_CPU};
    RIG_OK(r, process_new(r->home, &spec, &p, &r->bay, &r->tr));
    if (after < 0)
        RIG_OK(r, bay_inline_new(&spec, NULL, &r->twin, &r->tr));
}

static void show(struct rig *r, uint32_t count, bool is_history)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct tn_event ev = bar_at(r->at++, is_history);
        r->bay->ops->give(r->bay, &ev, 1);
        while (r->a_count < ANSWERS && r->bay->ops->take(r->bay, &r->a[r->a_count]))
            r->a_count++;
        if (r->twin == NULL)
            continue;
        r->twin->ops->give(r->twin, &ev, 1);
        while (r->b_count < ANSWERS && r->twin->ops->take(r->twin, &r->b[r->b_count]))
            r->b_count++;
    }
}

static void rig_open(struct rig *r, const char *plugin, int64_t after, bool is_waited,
                     int64_t answer_ns)
{
    memset(r, 0, sizeof *r);
    const struct process_options o = {
        .spawn = spawner, .clock = &clock_system, .answer_ns = answer_ns, .is_waited = is_waited};
    RIG_OK(r, process_home_open(&o, &r->home, &r->tr));
    make_bays(r, module_of(plugin), after, LINE_WAKE_HYBRID);
    show(r, HISTORY, true);
    assert_int_equal(r->a_count, 0);
    RIG_OK(r, r->bay->ops->activate(r->bay, &r->tr));
    if (r->twin != NULL)
        RIG_OK(r, r->twin->ops->activate(r->twin, &r->tr));
}

static void rig_close(struct rig *r)
{
    r->bay->ops->stop(r->bay);
    if (r->twin != NULL)
        r->twin->ops->stop(r->twin);
    process_home_close(r->home);
}

static void assert_same(const struct bay_answer *a, const struct bay_answer *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->instance, b->instance);
    assert_int_equal(a->cause_seq, b->cause_seq);
    assert_int_equal(a->cause_t_ns, b->cause_t_ns);
    assert_int_equal(a->status, b->status);
    assert_string_equal(a->text, b->text);
    if (a->kind == BAY_SIGNAL)
        assert_memory_equal(&a->signal, &b->signal, sizeof a->signal);
}

/* Takes until this kind comes: what is not waited for comes when it comes. */
static bool take_kind(struct rig *r, uint32_t kind, struct bay_answer *out)
{
    const int64_t until_ns = clock_mono(&clock_system) + COMING_NS;
    while (clock_mono(&clock_system) < until_ns) {
        if (!r->bay->ops->take(r->bay, out)) {
            sched_yield();
            continue;
        }
        if (out->kind == kind)
            return true;
        if (out->kind == BAY_SIGNAL && r->a_count < ANSWERS)
            r->a[r->a_count++] = *out;
    }
    return false;
}

/* ---- the same as inline ---- */

static void same_as_inline(const char *plugin)
{
    struct rig *r = calloc(1, sizeof *r);
    rig_open(r, plugin, -1, true, ANSWER_NS);
    show(r, 400, false);
    assert_true(r->b_count > 5);
    assert_int_equal(r->a_count, r->b_count);
    for (uint32_t i = 0; i < r->a_count; i++)
        assert_same(&r->a[i], &r->b[i]);
    assert_int_equal(r->bay->ops->warmup(r->bay), r->twin->ops->warmup(r->twin));
    rig_close(r);
    free(r);
}

static void process_waited_run_answers_as_inline(void **state)
{
    (void)state;
    same_as_inline("tail-1.0.0");
    same_as_inline("memo-2.0.0");
    same_as_inline("chatty-1.0.0");
}

/* A contract broken in a process is the fault that it is inline, of the same event. */
static void process_broken_contract_is_the_same_fault(void **state)
{
    (void)state;
    struct rig *r = calloc(1, sizeof *r);
    rig_open(r, "tail-1.2.0", -1, true, ANSWER_NS);
    show(r, 100, false);
    assert_int_equal(r->a_count, r->b_count);
    assert_true(r->a_count > 0);
    for (uint32_t i = 0; i < r->a_count; i++)
        assert_same(&r->a[i], &r->b[i]);
    assert_int_equal(r->a[r->a_count - 1].kind, BAY_FAULT);
    assert_true(r->bay->ops->is_quarantined(r->bay));
    rig_close(r);
    free(r);
}

/* State goes from one process to another through the host, and from inline to a process. */
static void process_state_passes_between_processes(void **state)
{
    (void)state;
    struct rig *r = calloc(1, sizeof *r), *q = calloc(1, sizeof *q);
    void *bytes = NULL, *twin = NULL;
    size_t count = 0, twin_count = 0;
    rig_open(r, "memo-1.0.0", -1, true, ANSWER_NS);
    show(r, 90, false);
    RIG_OK(r, r->bay->ops->save(r->bay, 0, r->at, &bytes, &count, &r->tr));
    RIG_OK(r, r->twin->ops->save(r->twin, 0, r->at, &twin, &twin_count, &r->tr));
    assert_int_equal(count, twin_count);
    assert_memory_equal(bytes, twin, count);
    const struct process_options o = {
        .spawn = spawner, .clock = &clock_system, .answer_ns = ANSWER_NS, .is_waited = true};
    RIG_OK(q, process_home_open(&o, &q->home, &q->tr));
    make_bays(q, module_of("memo-2.0.0"), -1, LINE_WAKE_BLOCK);
    RIG_OK(q, q->bay->ops->load(q->bay, 0, bytes, count, &q->tr));
    q->twin->ops->stop(q->twin);
    q->twin = NULL;
    RIG_OK(q, q->bay->ops->activate(q->bay, &q->tr));
    q->at = r->at;
    r->a_count = r->b_count = 0;
    show(r, 200, false);
    show(q, 200, false);
    assert_int_equal(q->a_count, r->b_count);
    assert_true(q->a_count > 0);
    for (uint32_t i = 0; i < q->a_count; i++)
        assert_int_equal(q->a[i].signal.side, r->b[i].signal.side);
    ((uint8_t *)bytes)[count - 1] ^= 1; /* damaged: refused, and the bay lives on */
    rig_close(q);
    RIG_OK(q, process_home_open(&o, &q->home, &q->tr));
    make_bays(q, module_of("memo-2.0.0"), -1, LINE_WAKE_BLOCK);
    assert_false(is_ok(q->bay->ops->load(q->bay, 0, bytes, count, &q->tr)));
    rig_close(q);
    rig_close(r);
    free(bytes);
    free(twin);
    free(q);
    free(r);
}

/* ---- deaths ---- */

static pid_t pid_of(const struct rig *r)
{
    struct process_totals t;
    process_totals(r->bay, &t);
    return t.pid;
}

static void kill_bay(struct rig *r)
{
    const pid_t pid = pid_of(r);
    assert_true(pid > 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
}

/* Killed between two events: it comes back, and from then on it answers as its twin does. */
static void process_killed_in_a_waited_run_is_back_at_once(void **state)
{
    (void)state;
    struct rig *r = calloc(1, sizeof *r);
    rig_open(r, "memo-1.0.0", -1, true, ANSWER_NS);
    show(r, 60, false);
    kill_bay(r);
    show(r, 300, false);
    uint32_t died = 0, back = 0, k = 0;
    for (uint32_t i = 0; i < r->a_count; i++) {
        if (r->a[i].kind == BAY_DIED) {
            died++;
            assert_non_null(strstr(r->a[i].text, "signal 9"));
        } else if (r->a[i].kind == BAY_BACK) {
            back++;
            while (k < r->b_count && r->b[k].cause_seq <= r->a[i].to_seq)
                k++; /* what was lost lies in the range that it names */
        } else {
            assert_true(k < r->b_count);
            assert_same(&r->a[i], &r->b[k++]);
        }
    }
    assert_int_equal(died, 1);
    assert_int_equal(back, 1);
    assert_int_equal(k, r->b_count);
    rig_close(r);
    free(r);
}

/* Paced: nobody waits. It is down for a while, and then it knows what it missed. */
static void process_killed_in_a_paced_run_comes_back_knowing_all(void **state)
{
    (void)state;
    struct rig *r = calloc(1, sizeof *r);
    struct bay_answer a;
    rig_open(r, "memo-1.0.0", -1, false, ANSWER_NS);
    show(r, 60, false);
    kill_bay(r);
    assert_true(take_kind(r, BAY_DIED, &a));
    show(r, 20, false); /* missed */
    assert_true(take_kind(r, BAY_BACK, &a));
    assert_true(a.from_seq <= a.to_seq);
    assert_int_equal(a.to_seq, r->at);
    r->a_count = r->b_count = 0;
    show(r, 300, false);
    for (uint32_t n = r->a_count; n < r->b_count; n++) {
        assert_true(take_kind(r, BAY_SIGNAL, &a));
        r->a[r->a_count++] = a;
    }
    assert_int_equal(r->a_count, r->b_count);
    assert_true(r->a_count > 0);
    for (uint32_t i = 0; i < r->a_count; i++)
        assert_same(&r->a[i], &r->b[i]);
    rig_close(r);
    free(r);
}

/* Without state it is told its history again. */
static void process_without_state_is_told_its_past(void **state)
{
    (void)state;
    struct rig *r = calloc(1, sizeof *r);
    rig_open(r, "tail-1.0.0", -1, true, ANSWER_NS);
    show(r, 30, false);
    kill_bay(r);
    show(r, 1, false);
    r->a_count = r->b_count = 0;
    show(r, 200, false);
    assert_int_equal(r->a_count, r->b_count);
    assert_true(r->a_count > 0);
    for (uint32_t i = 0; i < r->a_count; i++)
        assert_same(&r->a[i], &r->b[i]);
    rig_close(r);
    free(r);
}

/* The third death within ten minutes of event time is the last. */
static void process_third_death_in_ten_minutes_is_off(void **state)
{
    (void)state;
    struct rig *r = calloc(1, sizeof *r);
    rig_open(r, "memo-1.0.0", -1, true, ANSWER_NS);
    for (uint32_t death = 0; death < 3; death++) {
        show(r, 2, false);
        kill_bay(r);
        show(r, 1, false);
    }
    assert_true(r->bay->ops->is_quarantined(r->bay));
    assert_int_equal(r->a[r->a_count - 1].kind, BAY_FAULT);
    assert_non_null(strstr(r->a[r->a_count - 1].text, "died 3 times"));
    const uint32_t said = r->a_count;
    show(r, 20, false);
    assert_int_equal(r->a_count, said);
    rig_close(r);
    free(r);
}

/* Deaths that lie further apart never add up. */
static void process_deaths_far_apart_are_mended_for_ever(void **state)
{
    (void)state;
    struct rig *r = calloc(1, sizeof *r);
    rig_open(r, "memo-1.0.0", -1, true, ANSWER_NS);
    for (uint32_t death = 0; death < 5; death++) {
        kill_bay(r);
        show(r, 6, false); /* bars of a minute */
    }
    assert_false(r->bay->ops->is_quarantined(r->bay));
    rig_close(r);
    free(r);
}

/* ---- hostile strategies ---- */

struct hostile {
    const char *plugin;
    const char *how; /* part of the last sentence */
    int64_t which;   /* of its misdeeds */
};

static void contained(const struct hostile *h)
{
    struct rig *r = calloc(1, sizeof *r), *other = calloc(1, sizeof *other);
    rig_open(other, "memo-1.0.0", -1, true, ANSWER_NS);
    const bool hangs = strstr(h->how, "no answer") != NULL;
    rig_open(r, h->plugin, 8 | h->which << 32, true, hangs ? HANG_NS : ANSWER_NS);
    for (uint32_t i = 0; i < 30; i++) {
        show(r, 1, false);
        show(other, 1, false);
    }
    print_message("  %-20s %s\n", h->plugin, r->a[r->a_count - 1].text);
    assert_true(r->bay->ops->is_quarantined(r->bay));
    assert_int_equal(r->a[r->a_count - 1].kind, BAY_FAULT);
    if (strstr(r->a[r->a_count - 1].text, h->how) == NULL)
        fail_msg("%s: '%s' is not about '%s'", h->plugin, r->a[r->a_count - 1].text, h->how);
    uint32_t good = 0;
    for (uint32_t i = 0; i < r->a_count; i++)
        good += r->a[i].kind == BAY_SIGNAL;
    assert_int_equal(good, 8);
    assert_int_equal(other->a_count, other->b_count);
    for (uint32_t i = 0; i < other->a_count; i++)
        assert_same(&other->a[i], &other->b[i]);
    rig_close(r);
    rig_close(other);
    free(r);
    free(other);
}

static void process_hostile_strategies_are_contained_and_named(void **state)
{
    (void)state;
    static const struct hostile all[] = {
        {"hostile_segfault-1.0.0", "died 3 times", 0},
        {"hostile_spin-1.0.0", "no answer", 0},
        {"hostile_stall-1.0.0", "no answer", 0},
        {"hostile_leak-1.0.0", "died 3 times", 0},
        {"hostile_fork-1.0.0", "clone", 0},
        {"hostile_open-1.0.0", "open", 0},
        {"hostile_socket-1.0.0", "socket", 0},
        {"hostile_flood-1.0.0", "no answer", 0},
        {"hostile_nan-1.0.0", "finite", 0},
        {"hostile_wx-1.0.0", "mprotect", 0},
        {"hostile_kill-1.0.0", "kill", 0},
        {"hostile_quit-1.0.0", "died 3 times", 0},
        {"hostile_many-1.0.0", "more signals", 0},
        {"hostile_fastmath-1.0.0", "control word", 0},
    };
    for (uint32_t i = 0; i < sizeof all / sizeof all[0]; i++)
        contained(&all[i]);
}

/* A bay that has been taken over says in the ring whatever its new master wants. */
static void process_garbage_in_the_ring_is_a_death(void **state)
{
    (void)state;
    static const struct hostile all[] = {
        {"hostile_scribble-1.0.0", "has written what", 0},
        {"hostile_scribble-1.0.0", "kind or length", 1},
        {"hostile_scribble-1.0.0", "no bay may send", 2},
        {"hostile_scribble-1.0.0", "wrong size", 3},
        {"hostile_scribble-1.0.0", "nobody asked", 4},
        {"hostile_scribble-1.0.0", "state that nobody asked", 5},
        {"hostile_scribble-1.0.0", "no bay may send", 6},
    };
    for (uint32_t i = 0; i < sizeof all / sizeof all[0]; i++)
        contained(&all[i]);
}

static void process_hostile_files_are_refused_before_they_run(void **state)
{
    (void)state;
    static const struct hostile all[] = {{"hostile_constructor-1.0.0", "S09", 0}};
    for (uint32_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char path[512];
        struct trail tr = {0};
        struct bay_module *m = NULL;
        snprintf(path, sizeof path, "%s%s.so", SWAP_DIR, all[i].plugin);
        const struct result r = bay_load(path, NULL, &m, &tr);
        assert_false(is_ok(r));
        print_message("  %s\n", trail_sentence(&tr, r));
        assert_non_null(strstr(trail_sentence(&tr, r), all[i].how));
    }
}

static int begin(void **state)
{
    (void)state;
    struct trail tr = {0};
    const struct spawn_config c = {.program = BAY_PROGRAM};
    const struct result r = spawn_start(&c, &spawner, &tr);
    if (!is_ok(r))
        print_error("%s\n", trail_sentence(&tr, r));
    return is_ok(r) ? 0 : 1;
}

static int end(void **state)
{
    (void)state;
    spawn_stop(spawner);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_waited_run_answers_as_inline),
        cmocka_unit_test(process_broken_contract_is_the_same_fault),
        cmocka_unit_test(process_state_passes_between_processes),
        cmocka_unit_test(process_killed_in_a_waited_run_is_back_at_once),
        cmocka_unit_test(process_killed_in_a_paced_run_comes_back_knowing_all),
        cmocka_unit_test(process_without_state_is_told_its_past),
        cmocka_unit_test(process_third_death_in_ten_minutes_is_off),
        cmocka_unit_test(process_deaths_far_apart_are_mended_for_ever),
        cmocka_unit_test(process_hostile_strategies_are_contained_and_named),
        cmocka_unit_test(process_garbage_in_the_ring_is_a_death),
        cmocka_unit_test(process_hostile_files_are_refused_before_they_run),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
