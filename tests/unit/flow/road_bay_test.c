/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: an adapter that hangs is noticed like one that ends, and a pause of the engine or of the
 * whole machine blames nobody. Method: heartbeats and times by hand; then a real bay with a fixture
 * adapter, whose process is stopped.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "flow/road_bay.h"
#include "tests/lib/adapter_rig.h"
#include "tests/lib/bay_guest.h"

#define MS 1000000ll
static struct adapter_rig rig;

static void open_pair(struct road_agent *a, struct link *bay)
{
    struct link_end end[2];
    struct trail tr = {0};
    *a = (struct road_agent){.state = ROAD_BAY_RUNS};
    bay_guest_good(link_make(LINE_BYTES, end, &tr), &tr);
    bay_guest_good(link_open(&end[0], &a->line, &tr), &tr);
    bay_guest_good(link_open(&end[1], bay, &tr), &tr);
}

static void road_bay_hangs_when_its_heartbeat_stands_still(void **state)
{
    (void)state;
    struct road_agent a;
    struct link bay;
    int64_t now = 77000 * MS;
    open_pair(&a, &bay);
    for (int i = 0; i < 1000; i++, now += 100 * MS) { /* also one that says what it likes */
        link_beat(&bay, i % 2 ? now : -now);
        assert_false(road_bay_hangs(&a, now));
    }
    const int64_t last = now - 100 * MS;
    for (; now <= last + ROAD_BAY_HANGS_NS; now += 100 * MS)
        assert_false(road_bay_hangs(&a, now));
    assert_true(road_bay_hangs(&a, now));
    link_beat(&bay, now);
    assert_false(road_bay_hangs(&a, now));
    link_close(&bay);
    link_close(&a.line);
}

static void road_bay_that_never_began_hangs(void **state)
{
    (void)state;
    struct road_agent a;
    struct link bay;
    int64_t now = 77000 * MS;
    open_pair(&a, &bay);
    while (!road_bay_hangs(&a, now))
        now += 100 * MS;
    assert_int_equal(now, 77000 * MS + ROAD_BAY_HANGS_NS + 100 * MS);
    link_close(&bay);
    link_close(&a.line);
}

static void road_bay_is_not_blamed_while_the_engine_was_away(void **state)
{
    (void)state;
    struct road_agent a;
    struct link bay;
    int64_t now = 77000 * MS;
    open_pair(&a, &bay);
    link_beat(&bay, now);
    for (int i = 0; i < 10; i++, now += 3600000 * MS)
        assert_false(road_bay_hangs(&a, now));
    link_close(&bay);
    link_close(&a.line);
}

/* The whole way: a process that is stopped has not ended, and is taken for dead. */
static void road_bay_stopped_process_is_killed_and_named(void **state)
{
    (void)state;
    struct bay_guest g = {.spawn = bay_guest_spawner(), .modules = 1};
    const char *path = TENON_BINARY_DIR "/abi/broken_adapter.so";
    struct road_agent a = {.state = ROAD_BAY_RUNS};
    struct link_message m;
    struct trail tr = {0};
    struct bay_facts facts;
    int64_t now = 10;
    adapter_rig_open(&rig, path);
    bay_guest_good(bay_seal(path, NULL, &g.module[0], &facts, &tr), &tr);
    bay_guest_good(bay_guest_try(&g, SPAWN_ADAPTER, bay_guest_is_whole(g.spawn), 0, &tr), &tr);
    bay_guest_send(&g, LINE_ADAPTER, &rig.spec, sizeof rig.spec);
    assert_int_equal(bay_guest_done(&g, LINE_DONE, LINE_ADAPTER).code, RESULT_OK);
    bay_guest_send(&g, LINE_ACTIVATE, &now, sizeof now);
    assert_int_equal(bay_guest_done(&g, LINE_DONE, LINE_ACTIVATE).code, RESULT_OK);
    a.line = g.line;
    a.child = g.child;
    while (road_bay_take(&a, g.spawn, &m, bay_guest_body, sizeof bay_guest_body))
        ;
    assert_int_equal(a.state, ROAD_BAY_RUNS);
    assert_int_equal(kill(g.child.pid, SIGSTOP), 0);
    for (uint32_t i = 0; i < 1000000 && a.state == ROAD_BAY_RUNS; i++) {
        (void)road_bay_take(&a, g.spawn, &m, bay_guest_body, sizeof bay_guest_body);
        a.beat_ns -= 1000 * MS; /* a second went by */
        sched_yield();
    }
    assert_int_equal(a.state, ROAD_BAY_GONE);
    assert_non_null(strstr(a.why, "no sign of life for 5 s"));
    int32_t status = 0;
    char text[SPAWN_TEXT_BYTES];
    while (!spawn_how(g.spawn, g.child.id, &status, text)) {
        assert_true(spawn_is_alive(g.spawn));
        sched_yield();
    }
    assert_non_null(strstr(text, "signal 9"));
    link_close(&g.desk);
    spawn_stop(g.spawn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(road_bay_hangs_when_its_heartbeat_stands_still),
        cmocka_unit_test(road_bay_that_never_began_hangs),
        cmocka_unit_test(road_bay_is_not_blamed_while_the_engine_was_away),
        cmocka_unit_test(road_bay_stopped_process_is_killed_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
