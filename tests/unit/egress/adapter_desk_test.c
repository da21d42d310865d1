/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what the core approved leaves as exactly those bytes, signed so that a venue takes it; a
 * kill needs no bay, and a swap of bays loses and doubles nothing. Method: the built tenon_venue in
 * an agent, the real desk, a network that the test answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/lib/adapter_world.h"

/* ---- the real adapter ---- */

static void adapter_desk_approvals_leave_as_exactly_these_bytes(void **state)
{
    (void)state;
    world_open(TENON_PLUGIN_DIR "/tenon_venue.so");
    uint64_t order = world_order();
    assert_int_equal(world.out_count, 1);
    assert_int_equal(world.out[0].m.method, TN_METHOD_POST);
    world_assert_signed(&world.out[0], "POST", "/v1/orders", WORLD_ORDER_WORDS);
    assert_null(world_sent(order));
    world_answer(&world.out[0], 200, "{\"ok\":true,\"order_id\":\"\",\"client_id\":\"T1-10-1\"}");
    assert_int_equal(world_sent(order)->sent.what, FACT_SENT_OK);
    uint64_t cancel = world_cancel();
    assert_int_equal(world.out_count, 2);
    world_assert_signed(&world.out[1], "DELETE", WORLD_ORDER_PATH, "");
    world_answer(&world.out[1], 200, "{\"ok\":true}");
    assert_int_equal(world_sent(cancel)->sent.what, FACT_SENT_OK);
    uint64_t query = world_query();
    assert_int_equal(world.out_count, 3);
    world_assert_signed(&world.out[2], "GET", WORLD_ORDER_PATH, "");
    world_answer(&world.out[2], 200, "{\"ok\":true,\"found\":\"absent\"}");
    assert_int_equal(world_sent(query)->sent.what, FACT_SENT_OK);
    const struct line_said *said = adapter_lane_last(&world_rig()->core, LINE_SAID);
    assert_int_equal(said->said.found, 3);
    assert_int_equal(world.alarm_count, 0);
    world_close();
}

static void adapter_desk_login_subscription_and_questions_pass(void **state)
{
    (void)state;
    char want[256], text[64], digest[65];
    world_open(TENON_PLUGIN_DIR "/tenon_venue.so");
    world_link_up(1);
    snprintf(text, sizeof text, "%lldLOGIN", WORLD_T0 / 1000000);
    world_sign(text, digest);
    snprintf(want, sizeof want,
             "{\"op\":\"login\",\"key\":\"%s\",\"time\":\"%lld\",\"sign\":\"%s\"}", WORLD_KEY,
             WORLD_T0 / 1000000, digest);
    assert_string_equal(world.out[0].text, want);
    world_hear("{\"ch\":\"login\",\"ok\":true}");
    assert_string_equal(world.out[1].text, "{\"op\":\"subscribe\",\"channels\":[\"market:BTC-USD\","
                                           "\"market:ETH-USD\",\"reports\"]}");
    world_assert_signed(&world.out[2], "GET", "/v1/fills?after=&limit=100", "");
    world_answer(&world.out[2], 200, "{\"ok\":true,\"fills\":[],\"more\":false}");
    world_assert_signed(&world.out[3], "GET", "/v1/orders/open?after=", "");
    world_answer(&world.out[3], 200, "{\"ok\":true,\"orders\":[]}");
    const struct line_sync *y = adapter_lane_last(&world_rig()->core, LINE_SYNC);
    assert_int_equal(y->phase, TN_SYNC_WHOLE);
    assert_int_equal(world.alarm_count, 0);
    world_close();
}

/* A kill needs neither the engine nor the bay: the stored templates are enough. */
static void adapter_desk_kill_uses_the_stored_templates(void **state)
{
    (void)state;
    world_open(TENON_PLUGIN_DIR "/tenon_venue.so");
    (void)world_order();
    world_answer(&world.out[0], 200, "{\"ok\":true}");
    desk_bay(world.desk, WORLD_T0, 1, false, false);
    desk_detach(world.desk, WORLD_T0);
    struct road_kill kill = {.wall_ns = WORLD_T0, .by = "t", .reason = "test"};
    desk_kill(world.desk, WORLD_T0, &kill);
    world_assert_signed(&world.out[1], "DELETE", "/v1/orders/all", "");
    uint32_t closes = 0, flat = 0;
    for (uint32_t i = 1; i < WORLD_OUT_MAX && flat < 3; i++) {
        if (i == world.out_count) /* what is to be done next has a time */
            desk_time(world.desk, desk_deadline(world.desk));
        assert_true(i < world.out_count);
        const struct world_out *o = &world.out[i];
        bool positions = strncmp(o->text, "/v1/positions", 13) == 0;
        bool order = o->m.method == TN_METHOD_POST;
        if (order) {
            assert_non_null(strstr(o->text, "\"symbol\":\"BTC-USD\",\"side\":\"sell\""));
            assert_non_null(strstr(o->text, "\"qty\":\"1.5\""));
            assert_non_null(strstr(o->text, "\"tif\":\"ioc\",\"reduce_only\":true"));
            closes++;
        }
        flat += positions && closes > 0;
        world_answer(o, 200,
                     !positions    ? "{\"ok\":true,\"count\":1}"
                     : closes == 0 ? "{\"ok\":true,\"positions\":[{\"symbol\":\"BTC-USD\","
                                     "\"qty\":\"1.5\",\"mark\":\"100.25\"}]}"
                                   : "{\"ok\":true,\"positions\":[]}");
    }
    assert_int_equal(closes, 1);
    assert_int_equal(flat, 3);
    world_close();
}

/* A swap: the second session is up and reconciled before the first one goes; an approval is asked
 * of whoever serves, and leaves once. */
static void adapter_desk_second_bay_takes_over_after_it_reconciled(void **state)
{
    (void)state;
    world_open(TENON_PLUGIN_DIR "/tenon_venue.so");
    world_go_live(false);
    adapter_rig_open(&world.side[1].rig, TENON_PLUGIN_DIR "/tenon_venue.so");
    world.side[1].rig.spec.is_second = 1;
    desk_bay(world.desk, WORLD_T0, 1, true, true);
    adapter_rig_start(&world.side[1].rig, WORLD_T0);
    world_settle();
    world_link_up_of(true, 0);
    world_go_live(true);
    uint64_t before = world_order();
    assert_int_equal(world.out_count, 1);
    assert_false(world.out[0].m.is_second);
    world_answer(&world.out[0], 200, "{\"ok\":true}");
    assert_int_equal(world_sent(before)->sent.what, FACT_SENT_OK);
    world.first = 1; /* from the next message of the desk on */
    desk_bay_takes_over(world.desk, WORLD_T0, 1);
    world_settle();
    assert_non_null(strstr(world.out[1].text, "/v1/fills?after="));
    world.out_count = 0;
    uint64_t after = world_order();
    assert_int_equal(world.out_count, 1);
    assert_non_null(strstr(world.out[0].text, "\"client_id\":\"T1-11-1\""));
    world_answer(&world.out[0], 200, "{\"ok\":true}");
    assert_int_equal(world_sent(after)->sent.what, FACT_SENT_OK);
    assert_null(adapter_lane_last(&world.side[1].rig.desk, LINE_BURN));
    assert_int_equal(world.alarm_count, 0);
    world_close();
}

/* The bay died and a new one came: it goes on over the links that were kept. */
static void adapter_desk_new_bay_resumes_on_the_old_links(void **state)
{
    (void)state;
    world_open(TENON_PLUGIN_DIR "/tenon_venue.so");
    world_go_live(false);
    desk_bay(world.desk, WORLD_T0, 1, false, false);
    adapter_rig_close(&world.side[0].rig);
    desk_bay(world.desk, WORLD_T0, 1, false, true);
    adapter_rig_start(&world.side[0].rig, WORLD_T0);
    world_settle();
    world_hear("{\"ch\":\"login\",\"ok\":true}");
    assert_int_equal(world.out_count, 3);
    world_assert_signed(&world.out[2], "GET", "/v1/fills?after=&limit=100", "");
    uint64_t k = world_order();
    assert_int_equal(world.out_count, 4);
    world_answer(&world.out[3], 200, "{\"ok\":true}");
    assert_int_equal(world_sent(k)->sent.what, FACT_SENT_OK);
    assert_int_equal(world.alarm_count, 0);
    world_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adapter_desk_approvals_leave_as_exactly_these_bytes),
        cmocka_unit_test(adapter_desk_login_subscription_and_questions_pass),
        cmocka_unit_test(adapter_desk_kill_uses_the_stored_templates),
        cmocka_unit_test(adapter_desk_second_bay_takes_over_after_it_reconciled),
        cmocka_unit_test(adapter_desk_new_bay_resumes_on_the_old_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
