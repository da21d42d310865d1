/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: whatever a hostile adapter does instead of what was approved is not sent, is answered, and
 * is named. Method: real plugins, built around the sources of tenon_venue with one hostile thing
 * each, in an agent; the real desk; a network that the test answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/lib/adapter_world.h"

/* ---- hostile adapters ---- */

enum { BY_ORDER, BY_CANCEL, BY_QUERY };
static const struct {
    const char *name;
    uint32_t by, alarm;  /* what is approved; the alarm that names it */
    const char *why;     /* in its words */
    const char *instead; /* what leaves by the stored template; NULL = nothing */
} hostiles[] = {
    {"quantity", BY_ORDER, ROAD_ALARM_MISMATCH, "qty", NULL},
    {"symbol", BY_ORDER, ROAD_ALARM_MISMATCH, "symbol", NULL},
    {"price", BY_ORDER, ROAD_ALARM_MISMATCH, "price", NULL},
    {"side", BY_ORDER, ROAD_ALARM_MISMATCH, "side", NULL},
    {"leverage", BY_ORDER, ROAD_ALARM_MISMATCH, "leverage", NULL},
    {"client_id", BY_ORDER, ROAD_ALARM_MISMATCH, "client_id", NULL},
    {"unnamed", BY_ORDER, ROAD_ALARM_UNNAMED, "note", NULL},
    {"twice_named", BY_ORDER, ROAD_ALARM_UNNAMED, "twice", NULL},
    {"header", BY_ORDER, ROAD_ALARM_UNNAMED, "X-Account", NULL},
    {"class", BY_ORDER, ROAD_ALARM_INVENTED, "", NULL},
    {"no_cancel", BY_ORDER, ROAD_ALARM_NO_TEMPLATE, "stored cancel", NULL},
    {"other_order", BY_CANCEL, ROAD_ALARM_MISMATCH, "client_id", WORLD_ORDER_PATH},
    {"burned_cancel", BY_CANCEL, ROAD_ALARM_UNSET, "", WORLD_ORDER_PATH},
};

static void adapter_hostile_ones_are_refused_and_named(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof hostiles / sizeof hostiles[0]; i++) {
        world_open_hostile(hostiles[i].name);
        uint64_t k = hostiles[i].by == BY_ORDER ? world_order() : world_cancel();
        world_pass_time();
        if (hostiles[i].instead) {
            assert_int_equal(world.out_count, 1);
            assert_int_equal(world.out[0].m.method, TN_METHOD_DELETE);
            assert_memory_equal(world.out[0].text, hostiles[i].instead,
                                strlen(hostiles[i].instead));
            world_answer(&world.out[0], 200, "{\"ok\":true}");
            assert_int_equal(world_sent(k)->sent.what, FACT_SENT_OK);
        } else {
            assert_int_equal(world.out_count, 0);
            assert_non_null(world_sent(k));
            assert_int_equal(world_sent(k)->sent.what, FACT_SENT_SUPPRESSED);
        }
        if (hostiles[i].alarm && !world_is_named(hostiles[i].alarm, hostiles[i].why))
            fail_msg("%s: %u alarms, the first: %u \"%s\"", hostiles[i].name, world.alarm_count,
                     world.alarm[0].what, world.alarm[0].text);
        if (world.alarm_count > 0)
            print_message("%-14s %s\n", hostiles[i].name, world.alarm[0].text);
        world_close();
    }
}

/* The same road with nothing twisted: what is refused above is refused for its twist. */
static void adapter_hostile_honest_twin_of_the_hostile_ones_passes(void **state)
{
    (void)state;
    world_open_hostile("honest");
    (void)world_order();
    assert_int_equal(world.out_count, 1);
    world_assert_signed(&world.out[0], "POST", "/v1/orders", WORLD_ORDER_WORDS);
    assert_int_equal(world.alarm_count, 0);
    world_close();
}

/* One order is good; then it sends one nobody approved, or the same once more. */
static void adapter_hostile_invented_and_replayed_orders_end_the_bay(void **state)
{
    (void)state;
    static const char *const names[] = {"invented", "replayed"};
    for (uint32_t i = 0; i < 2; i++) {
        world_open_hostile(names[i]);
        uint64_t k = world_order();
        assert_int_equal(world.out_count, 1);
        world_answer(&world.out[0], 200, "{\"ok\":true}"); /* the adapter hears it, and strikes */
        assert_int_equal(world_sent(k)->sent.what, FACT_SENT_OK);
        assert_int_equal(world.out_count, 1);
        assert_true(world_is_named(ROAD_ALARM_INVENTED, "invented"));
        print_message("%-14s %s\n", names[i], world.alarm[0].text);
        struct desk_totals t;
        desk_totals(world.desk, &t);
        assert_int_equal(t.orders_out, 1);
        assert_int_equal(t.refused_invented, 1);
        /* It is not asked any more; what takes risk off still goes. */
        uint64_t again = world_order(), cancel = world_cancel();
        assert_int_equal(world_sent(again)->sent.what, FACT_SENT_SUPPRESSED);
        assert_int_equal(world.out_count, 2);
        world_assert_signed(&world.out[1], "DELETE", WORLD_ORDER_PATH, "");
        assert_null(world_sent(cancel));
        world_close();
    }
}

static void adapter_hostile_stolen_secret_does_not_leave(void **state)
{
    (void)state;
    world_open_hostile("stolen_secret");
    world_link_up(1);
    world_hear("{\"ch\":\"login\",\"ok\":true}");
    assert_true(world.alarm_count > 0);
    print_message("%-14s %s\n", "stolen_secret", world.alarm[0].text);
    for (uint32_t i = 0; i < world.out_count; i++)
        assert_null(strstr(world.out[i].text, WORLD_SECRET));
    const struct line_sync *y = adapter_lane_last(&world_rig()->core, LINE_SYNC);
    assert_int_equal(y->phase, TN_SYNC_FAILED);
    world_close();
}

/* A report that is not passed on: nothing was sent that should not be, so the desk has nothing to
 * refuse. The core's own question brings the answer that the reports kept back: more is filled than
 * it was told, so the order stays open and in doubt. */
static void adapter_hostile_dropped_reports_show_in_the_answer_to_a_question(void **state)
{
    (void)state;
    static const char *const names[] = {"dropped_fill", "dropped_cancel"};
    static const char *const reports[] = {
        "{\"ch\":\"reports\",\"n\":1,\"kind\":\"trade\",\"client_id\":\"T1-10-1\",\"side\":\"buy\","
        "\"order_id\":\"9\",\"symbol\":\"BTC-USD\",\"t\":\"7\",\"trade_id\":\"5\","
        "\"last_qty\":\"1.5\",\"last_price\":\"100\",\"cum_qty\":\"1.5\",\"leaves_qty\":\"0\"}",
        "{\"ch\":\"reports\",\"n\":1,\"kind\":\"canceled\",\"client_id\":\"T1-10-1\","
        "\"order_id\":\"9\",\"symbol\":\"BTC-USD\",\"t\":\"7\",\"cum_qty\":\"0\"}"};
    static const char *const found[] = {
        "{\"ok\":true,\"found\":\"done\",\"order\":{\"client_id\":\"T1-10-1\",\"symbol\":"
        "\"BTC-USD\",\"side\":\"buy\",\"cum_qty\":\"1.5\",\"leaves_qty\":\"0\"}}",
        "{\"ok\":true,\"found\":\"done\",\"order\":{\"client_id\":\"T1-10-1\",\"symbol\":"
        "\"BTC-USD\",\"side\":\"buy\",\"cum_qty\":\"0\",\"leaves_qty\":\"0\"}}"};
    for (uint32_t i = 0; i < 2; i++) {
        world_open_hostile(names[i]);
        (void)world_order();
        world_answer(&world.out[0], 200, "{\"ok\":true}");
        world_hear(reports[i]);
        assert_null(adapter_lane_last(&world_rig()->core, LINE_SAID));
        (void)world_query();
        world_answer(&world.out[1], 200, found[i]);
        if (world.out_count > 2) /* fills that were missed, first */
            world_answer(&world.out[2], 200, "{\"ok\":true,\"fills\":[],\"more\":false}");
        const struct line_said *m = adapter_lane_last(&world_rig()->core, LINE_SAID);
        assert_non_null(m);
        assert_int_equal(m->said.kind, TN_SAID_STATUS);
        assert_int_equal(m->said.found, 2);
        assert_int_equal(m->said.cum_qty, i == 0 ? 15000 : 0);
        world_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adapter_hostile_ones_are_refused_and_named),
        cmocka_unit_test(adapter_hostile_honest_twin_of_the_hostile_ones_passes),
        cmocka_unit_test(adapter_hostile_invented_and_replayed_orders_end_the_bay),
        cmocka_unit_test(adapter_hostile_stolen_secret_does_not_leave),
        cmocka_unit_test(adapter_hostile_dropped_reports_show_in_the_answer_to_a_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
