/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the adapter says what the venue said, exactly, and asks for what it has missed. Method: the
 * built plugin in an agent; messages of the venue are given as text, and templates, answers and
 * timers are looked at. Frames recorded from a running tenon-venue are in tests/fixtures/frames and
 * are read by tests/contract/venue_frames_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/lib/venue_words.h"

/* ---- templates ---- */

static void tenon_venue_start_opens_links_and_stores_what_a_kill_needs(void **state)
{
    (void)state;
    const struct line_open *http = adapter_lane_at(&rig.desk, LINE_OPEN, 0);
    const struct line_open *stream = adapter_lane_at(&rig.desk, LINE_OPEN, 1);
    assert_int_equal(http->type, TN_LINK_HTTP);
    assert_int_equal(http->is_order_path, 1);
    assert_int_equal(stream->type, TN_LINK_WS);
    assert_memory_equal(stream + 1, "/v1/stream", 10);
    static const uint32_t classes[] = {TN_CLASS_CANCEL, TN_CLASS_CANCEL_ALL, TN_CLASS_QUERY,
                                       TN_CLASS_QUERY, TN_CLASS_ORDER};
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(request_at(i)->class_of, classes[i]);
        assert_int_equal(request_at(i)->flags, TN_REQUEST_STORED);
        assert_int_equal(request_at(i)->approval, 0);
    }
    assert_null(request_at(5));
    assert_template(request_at(0),
                    "/v1/orders?client_id=<field 12>&symbol=<field 1>&at=<field 14>" HEAD);
    assert_template(request_at(1), "/v1/orders/all" HEAD);
    assert_template(request_at(3), "/v1/positions" HEAD);
    assert_template(request_at(4),
                    "/v1/orders" HEAD "Content-Type: application/json\r\n"
                    "{\"client_id\":\"<field 12>\",\"symbol\":\"<field 1>\",\"side\":\"<field 2>\","
                    "\"type\":\"<field 3>\",\"qty\":\"<field 4>\",\"price\":\"<field 5>\","
                    "\"tif\":\"<field 7>\",\"reduce_only\":<field 8>,\"at\":\"<field 14>\"}");
}

static void tenon_venue_order_becomes_exactly_these_words(void **state)
{
    (void)state;
    struct tn_approval a = an_order();
    adapter_rig_forget(&rig);
    adapter_rig_approve(&rig, &a);
    const struct line_request *m = last_request();
    assert_int_equal(m->class_of, TN_CLASS_ORDER);
    assert_int_equal(m->approval, 4097);
    assert_int_equal(m->method, TN_METHOD_POST);
    assert_template(m, "/v1/orders" HEAD "Content-Type: application/json\r\n"
                       "{\"client_id\":\"T1-9-1\",\"symbol\":\"BTC-USD\",\"side\":\"buy\","
                       "\"type\":\"limit\",\"qty\":\"1.5\",\"price\":\"100.25\",\"tif\":\"gtc\","
                       "\"reduce_only\":false,\"at\":\"1234567890123456789\"}");
    /* The digest covers time, method, path and body, all before it and in this order. */
    const struct line_part *p = (const void *)(m + 1);
    assert_int_equal(p[0].kind, TN_PART_NOW_MS | TN_PART_HIDDEN);
    assert_int_equal(p[1].kind, TN_PART_BYTES | TN_PART_HIDDEN);
    assert_int_equal(p[2].kind, TN_PART_BYTES);
    assert_int_equal(p[3].kind, TN_PART_BYTES | TN_PART_HIDDEN);
    assert_int_equal(p[3].bytes, p[m->part_count - 1].bytes);
    for (uint32_t i = 0; i < m->part_count; i++) {
        if (p[i].kind == TN_PART_HMAC) {
            assert_int_equal(p[i].first, 0);
            assert_int_equal(p[i].count, 4);
            assert_int_equal(p[i].field, 1);
        }
    }
    assert_true(sizeof *m + m->part_count * sizeof *p + m->bytes < 2048);
}

static void tenon_venue_order_of_another_instrument_uses_its_own_units(void **state)
{
    (void)state;
    char text[4096];
    struct tn_approval a = an_order();
    a.instrument = 2;
    a.side = TN_SHORT;
    a.tif = 2;
    a.reduce_only = 1;
    a.qty = 7;
    a.price = 1;
    adapter_rig_approve(&rig, &a);
    assert_non_null(strstr(adapter_template(last_request(), text, sizeof text),
                           "\"symbol\":\"ETH-USD\",\"side\":\"sell\",\"type\":\"limit\","
                           "\"qty\":\"0.07\",\"price\":\"0.001\",\"tif\":\"ioc\","
                           "\"reduce_only\":true"));
}

static void tenon_venue_cancel_and_query_name_the_order(void **state)
{
    (void)state;
    struct tn_approval a = an_order();
    a.class_of = TN_CLASS_CANCEL;
    adapter_rig_approve(&rig, &a);
    assert_int_equal(last_request()->method, TN_METHOD_DELETE);
    assert_template(last_request(), "/v1/orders?client_id=T1-9-1&symbol=BTC-USD&at="
                                    "1234567890123456789" HEAD);
    a.class_of = TN_CLASS_QUERY;
    adapter_rig_approve(&rig, &a);
    assert_int_equal(last_request()->method, TN_METHOD_GET);
    assert_int_equal(last_request()->class_of, TN_CLASS_QUERY);
}

static void tenon_venue_what_the_venue_does_not_know_is_burned(void **state)
{
    (void)state;
    struct tn_approval a = an_order();
    adapter_rig_forget(&rig);
    a.type = TN_ORDER_TRIGGER;
    adapter_rig_approve(&rig, &a);
    a = an_order();
    a.class_of = TN_CLASS_AMEND;
    adapter_rig_approve(&rig, &a);
    a = an_order();
    snprintf(a.client_id, sizeof a.client_id, "T1\",\"qty\":\"9");
    adapter_rig_approve(&rig, &a);
    a = an_order();
    a.instrument = 5;
    adapter_rig_approve(&rig, &a);
    static const int32_t want[] = {TN_E_UNSUPPORTED, TN_E_UNSUPPORTED, TN_E_PARAM, TN_E_PARAM};
    for (uint32_t i = 0; i < 4; i++) {
        const struct line_burn *b = adapter_lane_at(&rig.desk, LINE_BURN, i);
        assert_non_null(b);
        assert_int_equal(b->approval, 4097);
        assert_int_equal(b->status, want[i]);
    }
    assert_null(last_request());
}

/* ---- login and reconciliation ---- */

static void tenon_venue_up_logs_in_subscribes_and_reconciles(void **state)
{
    (void)state;
    adapter_rig_forget(&rig);
    adapter_rig_in(&rig, T0, TN_IN_UP, 1, 0, 0, NULL, 0);
    assert_template(request_at(0), "{\"op\":\"login\",\"key\":\"<key>\",\"time\":\"<now>\","
                                   "\"sign\":\"<sign>\"}");
    assert_null(request_at(1));
    adapter_rig_hear(&rig, T0, "{\"ch\":\"login\",\"ok\":true}");
    assert_template(request_at(1), "{\"op\":\"subscribe\",\"channels\":[\"market:BTC-USD\","
                                   "\"market:ETH-USD\",\"reports\"]}");
    assert_int_equal(last_sync()->phase, TN_SYNC_BEGAN);
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"fills\":[{\"client_id\":\"T1-9-1\",\"order_id\":\"9\","
                      "\"symbol\":\"BTC-USD\",\"side\":\"buy\",\"t\":\"77\",\"due\":\"78\","
                      "\"trade_id\":\"501\",\"last_qty\":\"0.5\",\"last_price\":\"100.25\","
                      "\"cum_qty\":\"0.5\",\"leaves_qty\":\"1\",\"fee\":\"0.050125\","
                      "\"fee_currency\":\"USD\",\"liquidity\":\"taker\"}],\"more\":true}");
    assert_template(last_request(), "/v1/fills?after=501&limit=100" HEAD);
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"fills\":[],\"more\":false}");
    assert_template(last_request(), "/v1/orders/open?after=" HEAD);
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"orders\":[{\"client_id\":\"T1-9-1\",\"order_id\":\"9\","
                      "\"symbol\":\"BTC-USD\",\"side\":\"buy\",\"cum_qty\":\"0.5\","
                      "\"leaves_qty\":\"1.0000\",\"t\":\"79\"}]}");
    const struct tn_said *fill = said_at(0), *open = said_at(1);
    assert_int_equal(fill->kind, TN_SAID_FILL);
    assert_int_equal(fill->last_qty, 5000);
    assert_int_equal(fill->last_price, 10025);
    assert_int_equal(fill->fee, 50125);
    assert_int_equal(fill->fee_exp, -6);
    assert_int_equal(fill->due_ns, 78);
    assert_int_equal(fill->liquidity, 2);
    assert_string_equal(fill->trade_id, "501");
    assert_string_equal(fill->fee_currency, "USD");
    assert_int_equal(open->kind, TN_SAID_STATUS);
    assert_int_equal(open->found, 1);
    assert_int_equal(open->leaves_qty, 10000);
    assert_int_equal(last_sync()->phase, TN_SYNC_WHOLE);
    assert_int_equal(last_sync()->fills, 1);
    assert_int_equal(last_sync()->orders, 1);
    assert_string_equal(last_sync()->cursor, "501");
}

static void tenon_venue_failed_reconciliation_is_said_and_tried_again(void **state)
{
    (void)state;
    adapter_rig_in(&rig, T0, TN_IN_UP, 1, 0, 0, NULL, 0);
    adapter_rig_hear(&rig, T0, "{\"ch\":\"login\",\"ok\":true}");
    for (int i = 0; i < 3; i++) {
        adapter_rig_forget(&rig);
        if (i > 0)
            adapter_rig_in(&rig, T0 + i * S, TN_IN_TIMER, 2, 0, 0, NULL, 0);
        uint64_t request = i > 0 ? last_request()->request : 7;
        if (i == 0) /* fills were asked for before the lane was forgotten: number 6 + 2 */
            request = 8;
        if (i == 1)
            adapter_rig_reply(&rig, T0 + S, request, 503, "no");
        else
            adapter_rig_in(&rig, T0, i == 0 ? TN_IN_SILENT : TN_IN_FAILED, 0, 0, request, NULL, 0);
        assert_int_equal(last_sync()->phase, TN_SYNC_FAILED);
        const struct tn_timer *t = adapter_lane_last(&rig.desk, LINE_TIMER);
        assert_int_equal(t->id, 2);
    }
    adapter_rig_in(&rig, T0 + 9 * S, TN_IN_TIMER, 2, 0, 0, NULL, 0);
    assert_int_equal(last_sync()->phase, TN_SYNC_BEGAN);
}

static void tenon_venue_hole_or_loss_of_the_stream_meanwhile_is_not_whole(void **state)
{
    (void)state;
    static const char *const none[] = {"{\"ok\":true,\"fills\":[],\"more\":false}",
                                       "{\"ok\":true,\"orders\":[],\"more\":false}"};
    go_live();
    adapter_rig_hear(&rig, T0, TRADE("1", "501"));
    adapter_rig_hear(&rig, T0, TRADE("3", "503"));
    adapter_rig_reply(&rig, T0, last_request()->request, 200, none[0]);
    adapter_rig_hear(&rig, T0, TRADE("5", "505"));
    adapter_rig_reply(&rig, T0, last_request()->request, 200, none[1]);
    assert_int_equal(adapter_lane_count(&rig.core, LINE_SYNC), 3); /* began, failed, began */
    const struct line_sync *y = adapter_lane_at(&rig.core, LINE_SYNC, 1);
    assert_int_equal(y->phase, TN_SYNC_FAILED);
    assert_int_equal(last_sync()->phase, TN_SYNC_BEGAN);
    adapter_rig_in(&rig, T0, TN_IN_DOWN, 1, 0, 0, NULL, 0);
    adapter_rig_reply(&rig, T0, last_request()->request, 200, none[0]);
    adapter_rig_reply(&rig, T0, last_request()->request, 200, none[1]);
    assert_int_equal(last_sync()->phase, TN_SYNC_FAILED);
    go_live();
}

/* Open orders come in pages too; a page that ends where the last one did is no page. */
static void tenon_venue_open_orders_are_asked_for_page_by_page(void **state)
{
    (void)state;
#define OPEN_PAGE(id, more)                                                                        \
    "{\"ok\":true,\"orders\":[{\"client_id\":\"" id "\",\"symbol\":\"BTC-USD\","                   \
    "\"side\":\"buy\",\"cum_qty\":\"0\",\"leaves_qty\":\"1\"}],\"more\":" more "}"
    adapter_rig_in(&rig, T0, TN_IN_UP, 1, 0, 0, NULL, 0);
    adapter_rig_hear(&rig, T0, "{\"ch\":\"login\",\"ok\":true}");
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"fills\":[],\"more\":false}");
    adapter_rig_reply(&rig, T0, last_request()->request, 200, OPEN_PAGE("T1-A-1", "true"));
    assert_template(last_request(), "/v1/orders/open?after=T1-A-1" HEAD);
    adapter_rig_reply(&rig, T0, last_request()->request, 200, OPEN_PAGE("T1-B-1", "false"));
    assert_int_equal(last_sync()->phase, TN_SYNC_WHOLE);
    assert_int_equal(last_sync()->orders, 2);
    adapter_rig_hear(&rig, T0, TRADE("1", "501"));
    adapter_rig_hear(&rig, T0, TRADE("3", "503"));
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"fills\":[],\"more\":false}");
    adapter_rig_reply(&rig, T0, last_request()->request, 200, OPEN_PAGE("T1&A", "true"));
    assert_int_equal(last_sync()->phase, TN_SYNC_FAILED);
}

static void tenon_venue_page_that_leads_nowhere_ends_the_reconciliation(void **state)
{
    (void)state;
    adapter_rig_in(&rig, T0, TN_IN_UP, 1, 0, 0, NULL, 0);
    adapter_rig_hear(&rig, T0, "{\"ch\":\"login\",\"ok\":true}");
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"fills\":[],\"more\":true}");
    assert_int_equal(last_sync()->phase, TN_SYNC_FAILED);
}

/* Reports may come in another order than executions were made, so they never move the cursor. */
static void tenon_venue_hole_in_reports_asks_from_the_last_page_on(void **state)
{
    (void)state;
    go_live();
    adapter_rig_hear(&rig, T0, TRADE("4", "502"));
    adapter_rig_hear(&rig, T0, TRADE("5", "501"));
    assert_null(last_request());
    adapter_rig_hear(&rig, T0, TRADE("7", "504")); /* 6 is missing */
    assert_int_equal(saids(), 3);
    assert_int_equal(last_sync()->phase, TN_SYNC_BEGAN);
    assert_template(last_request(), "/v1/fills?after=&limit=100" HEAD);
    adapter_rig_hear(&rig, T0, TRADE("8", "505"));
    adapter_rig_in(&rig, T0, TN_IN_SILENT, 0, 0, last_request()->request, NULL, 0);
    adapter_rig_hear(&rig, T0, TRADE("9", "506"));
    adapter_rig_in(&rig, T0 + S, TN_IN_TIMER, 2, 0, 0, NULL, 0);
    assert_template(last_request(), "/v1/fills?after=&limit=100" HEAD);
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"fills\":[" TRADE("1", "503") "],\"more\":true}");
    assert_template(last_request(), "/v1/fills?after=503&limit=100" HEAD);
}

static void tenon_venue_report_heard_twice_is_said_once(void **state)
{
    (void)state;
    go_live();
    adapter_rig_hear(&rig, T0, TRADE("4", "501"));
    adapter_rig_hear(&rig, T0, TRADE("4", "501"));
    adapter_rig_hear(&rig, T0, TRADE("3", "500"));
    assert_int_equal(saids(), 1);
}

static void tenon_venue_report_that_was_overtaken_is_said(void **state)
{
    (void)state;
    go_live();
    adapter_rig_hear(&rig, T0, TRADE("4", "501"));
    adapter_rig_hear(&rig, T0, TRADE("6", "503"));
    adapter_rig_hear(&rig, T0, TRADE("5", "502"));
    adapter_rig_hear(&rig, T0, TRADE("4", "501"));
    assert_int_equal(saids(), 3);
    assert_string_equal(said_at(2)->trade_id, "502");
    assert_int_equal(last_sync()->phase, TN_SYNC_BEGAN);
}

static void tenon_venue_periodic_question_says_what_was_lost_only(void **state)
{
    (void)state;
    go_live();
    adapter_rig_hear(&rig, T0, TRADE("1", "500"));
    adapter_rig_in(&rig, T0 + 60 * S, TN_IN_TIMER, 3, 0, 0, NULL, 0);
    assert_template(last_request(), "/v1/fills?after=&limit=100" HEAD);
    adapter_rig_reply(
        &rig, T0, last_request()->request, 200,
        "{\"ok\":true,\"fills\":[" TRADE("1", "500") "," TRADE("2", "501") "],\"more\":false}");
    assert_int_equal(saids(), 2);
    assert_string_equal(said_at(1)->trade_id, "501");
    assert_null(last_sync()); /* nothing was announced */
    const struct tn_timer *t = adapter_lane_last(&rig.desk, LINE_TIMER);
    assert_int_equal(t->id, 3);
    assert_int_equal(t->at_ns, T0 + 120 * S);
    adapter_rig_in(&rig, T0 + 120 * S, TN_IN_TIMER, 3, 0, 0, NULL, 0);
    assert_template(last_request(), "/v1/fills?after=501&limit=100" HEAD);
}

/* ---- replies ---- */

static void tenon_venue_refused_order_is_rejected_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        uint32_t status, reason;
        const char *text;
    } rows[] = {
        {400, 4, "{\"ok\":false,\"code\":\"QTY\",\"text\":\"below the lot\"}"},
        {400, 5, "{\"ok\":false,\"code\":\"FUNDS\"}"},
        {400, 9, "{\"ok\":false,\"code\":\"NEWS\"}"},
        {401, 9, "{\"ok\":false,\"code\":\"SIGN\"}"},
        {429, 8, "slow down"},
        {418, 8, ""},
    };
    go_live();
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tn_approval a = an_order();
        adapter_rig_forget(&rig);
        adapter_rig_approve(&rig, &a);
        adapter_rig_reply(&rig, T0, last_request()->request, rows[i].status, rows[i].text);
        assert_int_equal(saids(), 1);
        assert_int_equal(said_at(0)->kind, TN_SAID_REJECT);
        assert_int_equal(said_at(0)->reason, rows[i].reason);
        assert_string_equal(said_at(0)->client_id, "T1-9-1");
        assert_int_equal(said_at(0)->instrument, 1);
    }
}

static void tenon_venue_open_outcome_is_asked_about_never_guessed(void **state)
{
    (void)state;
    static const struct {
        uint32_t status;
        const char *text;
    } rows[] = {{500, ""},
                {503, "{\"ok\":false,\"code\":\"HALTED\"}"},
                {400, "{\"ok\":false,\"code\":\"DUPLICATE\"}"}};
    go_live();
    adapter_rig_hear(&rig, T0, TRADE("1", "500"));
    for (uint32_t i = 0; i < 3; i++) {
        struct tn_approval a = an_order();
        adapter_rig_forget(&rig);
        adapter_rig_approve(&rig, &a);
        adapter_rig_reply(&rig, T0, last_request()->request, rows[i].status, rows[i].text);
        assert_int_equal(saids(), 0);
        assert_int_equal(last_request()->class_of, TN_CLASS_QUERY);
        assert_int_equal(last_request()->approval, 0);
        assert_template(last_request(), "/v1/orders?client_id=T1-9-1&symbol=BTC-USD&at=77" HEAD);
        adapter_rig_reply(&rig, T0, last_request()->request, 200,
                          "{\"ok\":true,\"found\":\"proved_absent\",\"due\":\"90\"}");
        assert_int_equal(saids(), 1);
        assert_int_equal(said_at(0)->kind, TN_SAID_STATUS);
        assert_int_equal(said_at(0)->found, 4);
        assert_int_equal(said_at(0)->due_ns, 90);
    }
}

/* That the venue does not know an order is no word that it works. */
static void tenon_venue_cancel_of_an_unknown_order_is_asked_about(void **state)
{
    (void)state;
    go_live();
    struct tn_approval a = an_order();
    a.class_of = TN_CLASS_CANCEL;
    adapter_rig_approve(&rig, &a);
    adapter_rig_reply(&rig, T0, last_request()->request, 404,
                      "{\"ok\":false,\"code\":\"UNKNOWN\",\"text\":\"no such order\"}");
    assert_int_equal(saids(), 0);
    assert_int_equal(last_request()->class_of, TN_CLASS_QUERY);
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"found\":\"proved_absent\"}");
    assert_int_equal(said_at(0)->found, 4);
    adapter_rig_forget(&rig);
    adapter_rig_approve(&rig, &a);
    adapter_rig_reply(&rig, T0, last_request()->request, 429, "");
    assert_int_equal(said_at(0)->kind, TN_SAID_CANCEL_REJECT);
    assert_int_equal(said_at(0)->reason, 8);
}

static void tenon_venue_query_says_missed_fills_before_what_became_of_the_order(void **state)
{
    (void)state;
    go_live();
    struct tn_approval a = an_order();
    a.class_of = TN_CLASS_QUERY;
    adapter_rig_approve(&rig, &a);
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"found\":\"done\",\"order\":{\"client_id\":\"T1-9-1\","
                      "\"symbol\":\"BTC-USD\",\"side\":\"buy\",\"cum_qty\":\"1.5\","
                      "\"leaves_qty\":\"0\"}}");
    assert_int_equal(saids(), 0);
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"fills\":[" TRADE("1", "501") "],\"more\":false}");
    assert_int_equal(saids(), 2);
    assert_int_equal(said_at(0)->kind, TN_SAID_FILL);
    assert_int_equal(said_at(1)->kind, TN_SAID_STATUS);
    assert_int_equal(said_at(1)->found, 2);
    assert_int_equal(said_at(1)->cum_qty, 15000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_plain, close_it)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tenon_venue_start_opens_links_and_stores_what_a_kill_needs),
        TEST(tenon_venue_order_becomes_exactly_these_words),
        TEST(tenon_venue_order_of_another_instrument_uses_its_own_units),
        TEST(tenon_venue_cancel_and_query_name_the_order),
        TEST(tenon_venue_what_the_venue_does_not_know_is_burned),
        TEST(tenon_venue_up_logs_in_subscribes_and_reconciles),
        TEST(tenon_venue_failed_reconciliation_is_said_and_tried_again),
        TEST(tenon_venue_hole_or_loss_of_the_stream_meanwhile_is_not_whole),
        TEST(tenon_venue_open_orders_are_asked_for_page_by_page),
        TEST(tenon_venue_page_that_leads_nowhere_ends_the_reconciliation),
        TEST(tenon_venue_hole_in_reports_asks_from_the_last_page_on),
        TEST(tenon_venue_report_heard_twice_is_said_once),
        TEST(tenon_venue_report_that_was_overtaken_is_said),
        TEST(tenon_venue_periodic_question_says_what_was_lost_only),
        TEST(tenon_venue_refused_order_is_rejected_with_its_reason),
        TEST(tenon_venue_open_outcome_is_asked_about_never_guessed),
        TEST(tenon_venue_cancel_of_an_unknown_order_is_asked_about),
        TEST(tenon_venue_query_says_missed_fills_before_what_became_of_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
