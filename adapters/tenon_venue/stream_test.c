/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the stream's messages become exactly what they say, and no bytes break the adapter. Method:
 * the built plugin in an agent; messages as text, holes, silence, a second session, and garbage
 * made from good messages by a printed seed.
 */
#include <stdlib.h>
#include "tests/lib/venue_words.h"
#include "base/clock.h"

/* ---- market and stream ---- */

static void stream_market_messages_become_events(void **state)
{
    (void)state;
    go_live();
    adapter_rig_hear(
        &rig, T0 + 5,
        "{\"ch\":\"market\",\"symbol\":\"BTC-USD\",\"kind\":\"bar\",\"n\":1,\"t\":\"60\","
        "\"open_t\":\"0\",\"o\":\"100.5\",\"h\":\"101\",\"l\":\"99.99\",\"c\":\"100\","
        "\"v\":\"12.3456\"}");
    adapter_rig_hear(&rig, T0 + 6,
                     "{\"ch\":\"market\",\"symbol\":\"BTC-USD\",\"kind\":\"trade\",\"n\":2,"
                     "\"t\":\"61\",\"p\":\"100.01\",\"q\":\"2\",\"side\":\"sell\"}");
    adapter_rig_hear(&rig, T0 + 7,
                     "{\"ch\":\"market\",\"symbol\":\"ETH-USD\",\"kind\":\"quote\",\"n\":9,"
                     "\"t\":\"62\",\"b\":\"9.999\",\"bq\":\"1\",\"a\":\"0\",\"aq\":\"0\"}");
    const struct line_event *bar = adapter_lane_at(&rig.core, LINE_EVENT, 0);
    const struct line_event *trade = adapter_lane_at(&rig.core, LINE_EVENT, 1);
    const struct line_event *quote = adapter_lane_at(&rig.core, LINE_EVENT, 2);
    assert_int_equal(bar->stamp_ns, T0 + 5);
    assert_int_equal(bar->event.t_ns, 60);
    assert_int_equal(bar->event.u.bar.open, 10050);
    assert_int_equal(bar->event.u.bar.low, 9999);
    assert_int_equal(bar->event.u.bar.volume, 123456);
    assert_int_equal(trade->event.u.trade.price, 10001);
    assert_int_equal(trade->event.u.trade.aggressor, TN_SHORT);
    assert_int_equal(quote->event.instrument, 2);
    assert_int_equal(quote->event.u.quote.bid, 9999);
    assert_int_equal(quote->event.u.quote.ask, 0);
}

#define PRINT(n, t)                                                                                \
    "{\"ch\":\"market\",\"symbol\":\"BTC-USD\",\"kind\":\"trade\",\"n\":" n ",\"t\":\"" t "\","    \
    "\"p\":\"100\",\"q\":\"1\"}"

#define PICTURE(n)                                                                                 \
    "{\"ch\":\"snapshot\",\"symbol\":\"BTC-USD\",\"n\":" n ",\"t\":\"64\",\"last\":\"\"}"

/* Cases 44 and 45: a picture from before what came since is no picture; the next one is. */
static void stream_picture_older_than_what_came_since_is_asked_for_again(void **state)
{
    (void)state;
    go_live();
    adapter_rig_hear(&rig, T0, PRINT("5", "60"));
    adapter_rig_hear(&rig, T0, PRINT("8", "61"));
    assert_int_equal(adapter_lane_count(&rig.desk, LINE_REQUEST), 1);
    adapter_rig_hear(&rig, T0, PRINT("9", "62"));
    adapter_rig_hear(&rig, T0, PICTURE("7"));
    assert_int_equal(adapter_lane_count(&rig.desk, LINE_REQUEST), 2);
    adapter_rig_hear(&rig, T0, PRINT("8", "61")); /* heard before: it must not count twice */
    assert_int_equal(adapter_lane_count(&rig.core, LINE_EVENT), 3);
    adapter_rig_hear(&rig, T0, PICTURE("9"));
    adapter_rig_hear(&rig, T0, PRINT("10", "63"));
    assert_int_equal(adapter_lane_count(&rig.core, LINE_EVENT), 4);
    assert_int_equal(adapter_lane_count(&rig.desk, LINE_REQUEST), 2);
}

static void stream_hole_in_market_data_asks_once_and_goes_on(void **state)
{
    (void)state;
    go_live();
    adapter_rig_hear(&rig, T0, PRINT("5", "60"));
    adapter_rig_hear(&rig, T0, PRINT("6", "61"));
    adapter_rig_hear(&rig, T0, PRINT("9", "62"));
    adapter_rig_hear(&rig, T0, PRINT("12", "63"));
    assert_int_equal(adapter_lane_count(&rig.desk, LINE_REQUEST), 1);
    assert_template(last_request(), "{\"op\":\"snapshot\",\"symbol\":\"BTC-USD\"}");
    assert_int_equal(adapter_lane_count(&rig.core, LINE_EVENT), 4);
    /* The venue began anew: what looks old is dropped until two answers say so: one alone may be
     * older than what came since. */
    adapter_rig_hear(&rig, T0, PRINT("1", "64"));
    assert_int_equal(adapter_lane_count(&rig.core, LINE_EVENT), 4);
    adapter_rig_hear(&rig, T0, PICTURE("1"));
    assert_int_equal(adapter_lane_count(&rig.desk, LINE_REQUEST), 2);
    adapter_rig_hear(&rig, T0, PICTURE("1"));
    assert_int_equal(adapter_lane_count(&rig.desk, LINE_REQUEST), 2);
    adapter_rig_hear(&rig, T0, PRINT("2", "65"));
    assert_int_equal(adapter_lane_count(&rig.core, LINE_EVENT), 5);
}

static void stream_what_cannot_be_exact_is_said_as_unknown(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"ch\":\"reports\",\"n\":4,\"kind\":\"teleported\",\"symbol\":\"BTC-USD\"}",
        "{\"ch\":\"reports\",\"n\":5,\"kind\":\"new\",\"symbol\":\"DOGE\"}",
        "{\"ch\":\"reports\",\"n\":6,\"kind\":\"trade\",\"symbol\":\"BTC-USD\",\"side\":\"buy\","
        "\"trade_id\":\"7\",\"last_qty\":\"0.00001\",\"last_price\":\"1\"}",
        "{\"ch\":\"reports\",\"n\":7,\"kind\":\"trade\",\"symbol\":\"BTC-USD\",\"side\":\"buy\","
        "\"last_qty\":\"1\",\"last_price\":\"1\"}",
        "{\"ch\":\"market\",\"symbol\":\"BTC-USD\",\"kind\":\"trade\",\"n\":1,\"t\":\"60\","
        "\"p\":\"100.001\",\"q\":\"1\"}",
        "{\"ch\":\"weather\"}",
        "{\"ch\":\"market\"",
        "\xff\xfe",
        "[]",
        "",
    };
    go_live();
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        adapter_rig_hear(&rig, T0, bad[i]);
    assert_int_equal(saids(), sizeof bad / sizeof bad[0]);
    for (uint32_t i = 0; i < saids(); i++) {
        assert_int_equal(said_at(i)->kind, TN_SAID_UNKNOWN);
        assert_true(said_at(i)->text[0] != 0);
    }
    assert_int_equal(adapter_lane_count(&rig.core, LINE_EVENT), 0);
}

static void stream_silent_stream_is_asked_then_opened_again(void **state)
{
    (void)state;
    go_live();
    adapter_rig_in(&rig, T0 + 10 * S, TN_IN_TIMER, 1, 0, 0, NULL, 0);
    assert_template(last_request(), "{\"op\":\"ping\"}");
    adapter_rig_hear(&rig, T0, "{\"ch\":\"pong\"}");
    adapter_rig_in(&rig, T0 + 20 * S, TN_IN_TIMER, 1, 0, 0, NULL, 0);
    assert_null(adapter_lane_last(&rig.desk, LINE_OPEN));
    adapter_rig_in(&rig, T0 + 30 * S, TN_IN_TIMER, 1, 0, 0, NULL, 0);
    const struct line_open *down = adapter_lane_at(&rig.desk, LINE_OPEN, 0);
    const struct line_open *up = adapter_lane_at(&rig.desk, LINE_OPEN, 1);
    assert_int_equal(down->type, 0);
    assert_int_equal(up->type, TN_LINK_WS);
}

static void stream_second_only_reconciles_until_it_takes_over(void **state)
{
    (void)state;
    adapter_rig_close(&rig);
    rig.spec.is_second = 1;
    adapter_rig_forget(&rig);
    adapter_rig_start(&rig, T0);
    go_live();
    struct tn_approval a = an_order();
    adapter_rig_approve(&rig, &a);
    const struct line_burn *b = adapter_lane_last(&rig.desk, LINE_BURN);
    assert_int_equal(b->status, TN_E_STATE);
    adapter_rig_hear(&rig, T0, PRINT("5", "60"));
    assert_int_equal(adapter_lane_count(&rig.core, LINE_EVENT), 1);
    adapter_rig_in(&rig, T0, TN_IN_TAKE_OVER, 0, 0, 0, NULL, 0);
    assert_int_equal(last_sync()->phase, TN_SYNC_BEGAN);
    adapter_rig_hear(&rig, T0, PRINT("6", "61"));
    assert_int_equal(adapter_lane_count(&rig.core, LINE_EVENT), 2);
    adapter_rig_approve(&rig, &a);
    assert_int_equal(last_request()->class_of, TN_CLASS_ORDER);
}

static void stream_resumed_link_is_logged_in_again_and_goes_on(void **state)
{
    (void)state;
    adapter_rig_close(&rig);
    snprintf(rig.spec.cursor, sizeof rig.spec.cursor, "444");
    adapter_rig_start(&rig, T0);
    adapter_rig_forget(&rig);
    adapter_rig_in(&rig, T0, TN_IN_RESUMED, 0, 0, 0, NULL, 0);
    adapter_rig_in(&rig, T0, TN_IN_RESUMED, 1, 0, 0, NULL, 0);
    assert_null(request_at(1)); /* the login alone: the one before may not have got so far */
    adapter_rig_hear(&rig, T0, "{\"ch\":\"login\",\"ok\":true}");
    assert_template(request_at(2), "/v1/fills?after=444&limit=100" HEAD);
}

/* ---- hostile bytes ---- */

/* A message is cut, bytes are changed or doubled: the adapter keeps its contract whatever comes. */
static void stream_garbage_never_breaks_its_contract(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        TRADE("4", "501"),
        PRINT("5", "60"),
        "{\"ch\":\"login\",\"ok\":true}",
        "{\"ok\":true,\"fills\":[" TRADE("1", "501") "," TRADE("2", "502") "],\"more\":true}",
        "{\"ok\":true,\"orders\":[{\"client_id\":\"T1-9-1\",\"symbol\":\"BTC-USD\"}]}",
        "{\"ok\":true,\"found\":\"done\",\"order\":{\"client_id\":\"T1-9-1\",\"cum_qty\":\"1\"}}",
    };
    const char *given = getenv("TENON_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20261120;
    struct rng rng;
    print_message("TENON_SEED=%llu\n", (unsigned long long)seed);
    rng_seed(&rng, seed);
    go_live();
    for (int i = 0; i < 20000; i++) {
        char text[1024];
        size_t n = (size_t)snprintf(text, sizeof text, "%s", seeds[rng_below(&rng, 6)]);
        for (uint64_t k = rng_below(&rng, 4); k > 0; k--)
            text[rng_below(&rng, n)] = (char)rng_below(&rng, 256);
        if (rng_below(&rng, 4) == 0)
            n = rng_below(&rng, n + 1);
        if (i % 50 == 0) {
            struct tn_approval a = an_order();
            a.class_of = rng_below(&rng, 2) ? TN_CLASS_ORDER : TN_CLASS_QUERY;
            adapter_rig_approve(&rig, &a);
        }
        uint64_t request = rng_below(&rng, 2) && last_request() ? last_request()->request : 0;
        adapter_rig_in(&rig, T0 + i, TN_IN_BYTES, request ? 0 : 1,
                       (uint32_t)(200 + rng_below(&rng, 4) * 100), request, text, n);
        assert_false(agent_is_quarantined(rig.agent));
        if (rig.core.count > 2000 || rig.desk.count > 2000)
            adapter_rig_forget(&rig);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_plain, close_it)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stream_market_messages_become_events),
        TEST(stream_picture_older_than_what_came_since_is_asked_for_again),
        TEST(stream_hole_in_market_data_asks_once_and_goes_on),
        TEST(stream_what_cannot_be_exact_is_said_as_unknown),
        TEST(stream_silent_stream_is_asked_then_opened_again),
        TEST(stream_second_only_reconciles_until_it_takes_over),
        TEST(stream_resumed_link_is_logged_in_again_and_goes_on),
        TEST(stream_garbage_never_breaks_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
