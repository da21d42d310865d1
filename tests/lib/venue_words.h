/* SPDX-License-Identifier: Apache-2.0
 *
 * What the adapter's tests share: the built plugin in an agent, logged in when a test wants it, and
 * short names for what it asked and said last.
 */
#ifndef LIB_VENUE_WORDS_H
#define LIB_VENUE_WORDS_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/lib/adapter_rig.h"

#define HEAD "\nX-Key: <key>\r\nX-Time: <now>\r\nX-Sign: <sign>\r\n"
#define TRADE(n, id)                                                                               \
    "{\"ch\":\"reports\",\"n\":" n ",\"kind\":\"trade\",\"client_id\":\"T1-9-1\","                 \
    "\"order_id\":\"9\",\"symbol\":\"BTC-USD\",\"side\":\"buy\",\"t\":\"77\",\"trade_id\":\"" id   \
    "\",\"last_qty\":\"0.5\",\"last_price\":\"100.25\",\"cum_qty\":\"0.5\",\"leaves_qty\":\"1\"}"

#define T0 1700000000000000000ll
#define S 1000000000ll
#define PLUGIN TENON_PLUGIN_DIR "/tenon_venue.so"
static struct adapter_rig rig;

static inline int open_plain(void **state)
{
    (void)state;
    adapter_rig_open(&rig, PLUGIN);
    adapter_rig_start(&rig, T0);
    return 0;
}

static inline int close_it(void **state)
{
    (void)state;
    assert_false(agent_is_quarantined(rig.agent));
    adapter_rig_close(&rig);
    return 0;
}

static inline const struct line_request *request_at(uint32_t n)
{
    return adapter_lane_at(&rig.desk, LINE_REQUEST, n);
}

static inline const struct line_request *last_request(void)
{
    return adapter_lane_last(&rig.desk, LINE_REQUEST);
}

static inline const struct tn_said *said_at(uint32_t n)
{
    const struct line_said *m = adapter_lane_at(&rig.core, LINE_SAID, n);
    return m ? &m->said : NULL;
}

static inline uint32_t saids(void)
{
    return adapter_lane_count(&rig.core, LINE_SAID);
}

static inline void assert_template(const struct line_request *m, const char *want)
{
    char text[4096];
    assert_non_null(m);
    assert_string_equal(adapter_template(m, text, sizeof text), want);
}

static inline const struct line_sync *last_sync(void)
{
    return adapter_lane_last(&rig.core, LINE_SYNC);
}

/* Logged in, reconciled, nothing remembered of it. */
static inline void go_live(void)
{
    adapter_rig_in(&rig, T0, TN_IN_UP, 1, 0, 0, NULL, 0);
    adapter_rig_hear(&rig, T0,
                     "{\"ch\":\"hello\",\"venue\":\"tenon\",\"clock\":\"wall\",\"t\":\"5\"}");
    adapter_rig_hear(&rig, T0, "{\"ch\":\"login\",\"ok\":true}");
    assert_template(last_request(), "/v1/fills?after=&limit=100\nX-Key: <key>\r\nX-Time: <now>\r\n"
                                    "X-Sign: <sign>\r\n");
    adapter_rig_reply(&rig, T0, last_request()->request, 200,
                      "{\"ok\":true,\"fills\":[],\"more\":false}");
    adapter_rig_reply(&rig, T0, last_request()->request, 200, "{\"ok\":true,\"orders\":[]}");
    assert_int_equal(last_sync()->phase, TN_SYNC_WHOLE);
    adapter_rig_forget(&rig);
}

static inline struct tn_approval an_order(void)
{
    return (struct tn_approval){.size = sizeof(struct tn_approval),
                                .class_of = TN_CLASS_ORDER,
                                .approval = 4097,
                                .order = 9,
                                .t_ns = 1234567890123456789,
                                .instrument = 1,
                                .side = TN_LONG,
                                .type = TN_ORDER_LIMIT,
                                .tif = 1,
                                .qty = 15000,
                                .price = 10025,
                                .client_id = "T1-9-1"};
}
#endif
