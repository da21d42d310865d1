/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: an adapter cannot inflate, invent or misroute. Whatever its template says that the approval
 * does not, nothing leaves, the lie is named, and cancels go on without it.
 * Method: each lie of the rig's bay, alone, at an order, a close and a cancel; then seeded streams
 * of damaged templates, of which only those that read like the approval may leave.
 */
#include "tests/unit/base/dies.h"
#include "base/num.h"
#include "egress/desk_priv.h"
#include "tests/lib/desk_rig.h"

static struct rig rig;

static int up(void **state)
{
    *state = &rig;
    desk_rig_start(&rig, 1);
    return 0;
}
static int down(void **state)
{
    desk_rig_stop(*state);
    return 0;
}

static const struct {
    enum rig_lie lie;
    uint32_t alarm;
    const char *text;
} LIES[] = {
    {RIG_MORE, ROAD_ALARM_MISMATCH, "something else: qty"},
    {RIG_LESS_PRICE, ROAD_ALARM_MISMATCH, "something else: price"},
    {RIG_OTHER_SYMBOL, ROAD_ALARM_MISMATCH, "something else: symbol"},
    {RIG_OTHER_SIDE, ROAD_ALARM_MISMATCH, "something else: side"},
    {RIG_LEVERAGE, ROAD_ALARM_MISMATCH, "something else: leverage"},
    {RIG_UNNAMED, ROAD_ALARM_UNNAMED, "no row names: post_only"},
    {RIG_UNNAMED_HEAD, ROAD_ALARM_UNNAMED, "no row names: X-Other:"},
    {RIG_TWICE, ROAD_ALARM_UNNAMED, "the same key twice"},
    {RIG_ESCAPED, ROAD_ALARM_UNNAMED, "an escape in a string"},
    {RIG_OTHER_ID, ROAD_ALARM_MISMATCH, "something else: client_id"},
    {RIG_OTHER_TIME, ROAD_ALARM_MISMATCH, "something else: at"},
    {RIG_NO_ID, ROAD_ALARM_MISMATCH, "required field is missing: client_id"},
    {RIG_LIST, ROAD_ALARM_UNNAMED, "no row names: orders[].qty"},
    {RIG_LEAK, ROAD_ALARM_UNNAMED, "where none is named: client_id"},
    {RIG_OTHER_PATH, ROAD_ALARM_INVENTED, "no row of the wire table"},
    {RIG_OTHER_METHOD, ROAD_ALARM_INVENTED, "no row of the wire table"},
    {RIG_FREE_WEIGHT, ROAD_ALARM_MISMATCH, "a rate budget that nobody signed"},
};

static const char *last_alarm(const struct rig *r, uint32_t what)
{
    const char *text = "";
    for (uint32_t i = 0; i < r->said_count; i++)
        if (r->said[i].kind == ROAD_ALARM && r->said[i].alarm.what == what)
            text = r->said[i].alarm.text;
    return text;
}

static void desk_each_lie_about_an_order_is_refused_and_named(void **state)
{
    struct rig *r = *state;
    for (uint32_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
        uint32_t times;
        desk_rig_stop(r);
        desk_rig_start(r, 1);
        r->lie = LIES[i].lie;
        uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
        desk_rig_durable(r);
        assert_int_equal(r->sent_count, 0);
        const struct road_sent *s = desk_rig_sent_of(r, k, &times);
        assert_int_equal(times, 1);
        assert_int_equal(s->sent.what, FACT_SENT_SUPPRESSED);
        assert_int_equal(s->sent.reason, FACT_SENT_REASON_MISMATCH);
        assert_int_equal(desk_rig_alarms(r, LIES[i].alarm), 1);
        if (!strstr(last_alarm(r, LIES[i].alarm), LIES[i].text))
            fail_msg("lie %u: \"%s\"", LIES[i].lie, last_alarm(r, LIES[i].alarm));
    }
}

static void desk_a_close_must_say_that_it_only_reduces(void **state)
{
    struct rig *r = *state;
    r->lie = RIG_NOT_REDUCING;
    desk_rig_order(r, RIG_BTC, TN_SHORT, 1500, true);
    assert_int_equal(r->sent_count, 0);
    assert_non_null(strstr(last_alarm(r, ROAD_ALARM_MISMATCH), "something else: reduce_only"));
    r->lie = RIG_HONEST;
    desk_rig_order(r, RIG_BTC, TN_SHORT, 1500, true);
    assert_int_equal(r->sent_count, 1);
}

static void desk_a_lie_about_a_cancel_makes_the_stored_one_leave(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    r->lie = RIG_OTHER_ID;
    uint64_t c = desk_rig_cancel(r, k);
    desk_rig_venue(r);
    assert_int_equal(desk_rig_sent_of(r, c, &times)->sent.what, FACT_SENT_OK);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_MISMATCH), 1);
    assert_false(desk_rig_order_of(r, r->asked[0].client_id)->works);
    r->lie = RIG_SILENT; /* it drops the cancel */
    k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    c = desk_rig_cancel(r, k);
    desk_rig_run(r, 300 * RIG_MS);
    assert_int_equal(desk_rig_sent_of(r, c, &times)->sent.what, FACT_SENT_OK);
}

static void desk_an_invented_order_ends_the_bay(void **state)
{
    struct rig *r = *state;
    struct tn_approval a = {.class_of = TN_CLASS_ORDER,
                            .approval = 999 * 4096,
                            .instrument = RIG_BTC,
                            .side = TN_LONG,
                            .tif = FACT_GTC,
                            .qty = 1000000,
                            .price = 10000,
                            .client_id = "T3-1-1"};
    desk_rig_template(r, &a, RIG_HONEST);
    desk_rig_durable(r);
    assert_int_equal(r->sent_count, 0);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_INVENTED), 1);
    uint32_t asked = r->asked_count, times;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    assert_int_equal(r->asked_count, asked);
    assert_int_equal(desk_rig_sent_of(r, k, &times)->sent.reason, FACT_SENT_REASON_NO_TEMPLATE);
    uint64_t c = desk_rig_cancel(r, k); /* by the stored one */
    desk_rig_venue(r);
    assert_int_equal(desk_rig_sent_of(r, c, &times)->sent.what, FACT_SENT_OK);
}

static void desk_an_order_that_says_it_is_a_query_is_an_invented_one(void **state)
{
    struct rig *r = *state;
    desk_rig_pass(r, TN_CLASS_SESSION, RIG_HTTP, "/v1/orders", "{\"qty\":\"5\"}");
    assert_int_equal(r->sent_count, 0);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_INVENTED), 1);
}

static void desk_an_order_that_says_it_is_a_cancel_is_an_invented_one(void **state)
{
    struct rig *r = *state;
    uint32_t times;
    r->lie = RIG_OTHER_CLASS;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    assert_int_equal(r->sent_count, 0);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_INVENTED), 1);
    assert_int_equal(desk_rig_sent_of(r, k, &times)->sent.what, FACT_SENT_SUPPRESSED);
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, true);
    r->is_late = true;
    desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    struct tn_approval a = r->asked[r->asked_count - 1];
    a.class_of = TN_CLASS_CANCEL; /* this time a whole cancel, with an order's approval */
    desk_rig_template(r, &a, RIG_HONEST);
    desk_rig_durable(r);
    assert_int_equal(r->sent_count, 0);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_INVENTED), 2);
}

static void desk_an_old_approval_again_is_an_invented_one(void **state)
{
    struct rig *r = *state;
    desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_template(r, &r->asked[0], RIG_HONEST); /* while it flies */
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_INVENTED), 1);
    assert_int_equal(r->sent_count, 1);
    desk_rig_venue(r);
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, true);
    desk_rig_template(r, &r->asked[0], RIG_HONEST); /* after it was answered */
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_INVENTED), 2);
    assert_int_equal(r->sent_count, 1);
}

static void desk_the_third_mismatch_ends_the_bay(void **state)
{
    struct rig *r = *state;
    r->lie = RIG_MORE;
    for (uint32_t i = 0; i < 5; i++) {
        desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
        desk_rig_durable(r);
    }
    assert_int_equal(r->asked_count, 3);
    assert_int_equal(r->sent_count, 0);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_LINE), 1);
}

static void capture_of(struct rig *r, uint32_t length)
{
    static char body[8192];
    struct {
        struct line_capture c;
        char path[5];
    } c = {.c = {.request = r->request + 1, .id = 0, .format = TN_WIRE_JSON, .path_bytes = 5},
           .path = {'t', 'o', 'k', 'e', 'n'}};
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_CAPTURE, &c, (uint32_t)(sizeof c.c + 5));
    desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/fills?limit=100", "");
    size_t n = (size_t)snprintf(body, sizeof body, "{\"token\":\"");
    memset(body + n, 'T', length);
    memcpy(body + n + length, "\"}", 3);
    struct desk_net_in in = {.account = RIG_ACCOUNT,
                             .link = RIG_HTTP,
                             .what = DESK_NET_BYTES,
                             .status = 200,
                             .retry_s = -1,
                             .ticket = desk_rig_last(r)->m.ticket,
                             .count = strlen(body),
                             .bytes = (const uint8_t *)body};
    r->in_text[0] = '\0';
    desk_from_net(r->d, r->now, &in);
}

/* Kept or not: the bay sees no letter of it. */
static void desk_a_token_of_any_length_is_masked(void **state)
{
    struct rig *r = *state;
    const struct desk_capture *held = &r->d->account[0].session[0].capture[0];
    static const uint32_t length[] = {2048, 2049, 6000};
    for (uint32_t i = 0; i < 3; i++) {
        capture_of(r, length[i]);
        assert_non_null(strstr(r->in_text, "{\"token\":\"****"));
        assert_null(strchr(r->in_text, 'T'));
        assert_true(held->is_held && held->count == 2048); /* the first one, from then on */
    }
}

/* The request that finds no ticket was made already, with its secrets. */
static void desk_a_request_too_many_leaves_no_secret_behind(void **state)
{
    struct rig *r = *state;
    for (uint32_t i = 0; i < DESK_TICKETS_MAX; i++)
        desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/fills?limit=100", "");
    assert_int_equal(r->sent_count, DESK_TICKETS_MAX);
    r->in.kind = 0;
    desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/fills?limit=100", "");
    assert_int_equal(r->sent_count, DESK_TICKETS_MAX);
    assert_int_equal(r->in.kind, TN_IN_FAILED);
    assert_null(memmem(r->d->out.bytes, sizeof r->d->out.bytes, "KEY1", 4));
}

/* ---- damage ---- */
static struct rng rng;

static int64_t number_in(const char *text, const char *key, int exp)
{
    char find[32];
    int64_t v = INT64_MIN;
    snprintf(find, sizeof find, "\"%s\":", key);
    const char *at = strstr(text, find);
    if (at) {
        at += strlen(find);
        at += *at == '"';
        (void)num_parse(at, strspn(at, "-0123456789.eE+"), exp, false, &v).code;
    }
    return v;
}

/* An own, dull reading of what left: the venue's view. */
static void expect_as_approved(const struct rig *r, const struct rig_sent *s)
{
    const struct tn_approval *a = &r->asked[r->asked_count - 1];
    const char *body = s->text + s->m.path_bytes + s->m.head_bytes;
    char id[64];
    snprintf(id, sizeof id, "\"client_id\":\"%s\"", a->client_id);
    assert_int_equal(s->m.method, TN_METHOD_POST);
    assert_memory_equal(s->text, "/v1/orders", s->m.path_bytes);
    assert_int_equal(number_in(body, "qty", -3), a->qty);
    assert_int_equal(number_in(body, "price", -2), a->price);
    assert_non_null(strstr(body, id));
    assert_non_null(strstr(body, "\"symbol\":\"BTC-USD\""));
    assert_non_null(strstr(body, "\"side\":\"buy\""));
    assert_null(strstr(body, "hush"));
}

/* One to three bytes of the bay's message are other ones. */
static void desk_damaged_templates_leave_only_when_they_read_like_the_approval(void **state)
{
    struct rig *r = *state;
    uint64_t seed = 20261120;
    uint32_t left = 0, refused = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_seed(&rng, seed);
    for (uint32_t round = 0; round < 4000; round++) {
        if (round % 500 == 0) {
            desk_rig_stop(r);
            desk_rig_start(r, 1);
        }
        desk_bay(r->d, r->now, RIG_ACCOUNT, false, true); /* a good name again */
        r->is_late = true;
        desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
        desk_rig_durable(r);
        uint32_t before = r->sent_count;
        r->damage = &rng;
        desk_rig_template(r, &r->asked[r->asked_count - 1], RIG_HONEST);
        r->damage = NULL;
        if (r->sent_count > before) {
            assert_int_equal(r->sent_count, before + 1);
            expect_as_approved(r, desk_rig_last(r));
            left++;
        } else {
            refused++;
        }
        desk_rig_net(r, DESK_NET_WRITTEN, RIG_HTTP, r->sent_count ? desk_rig_last(r)->m.ticket : 1);
        desk_rig_venue(r);
    }
    print_message("%u left, %u refused\n", left, refused);
    assert_true(refused > 2000);
}

/* Bytes without any sense, on every kind of message. */
static void desk_garbage_of_a_bay_sends_nothing_and_breaks_nothing(void **state)
{
    struct rig *r = *state;
    static uint8_t bytes[6000];
    uint64_t seed = 7;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_seed(&rng, seed);
    for (uint32_t round = 0; round < 20000; round++) {
        if (round % 3 == 0)
            desk_bay(r->d, r->now, RIG_ACCOUNT, false, true);
        uint32_t count = (uint32_t)rng_below(&rng, round % 50 == 0 ? sizeof bytes : 200);
        for (uint32_t i = 0; i < count; i++)
            bytes[i] = rng_below(&rng, 3) ? (uint8_t)rng_below(&rng, 4) : (uint8_t)rng_next(&rng);
        uint32_t kind = (uint32_t)rng_below(&rng, 60);
        if (kind == LINE_OPEN) /* a link that closes is no fault, and ends this test */
            continue;
        r->said_count = r->said_count > RIG_SAID_MAX - 64 ? 0 : r->said_count;
        desk_from_bay(r->d, r->now, RIG_ACCOUNT, rng_below(&rng, 8) == 0, kind, bytes, count);
    }
    assert_int_equal(r->sent_count, 0);
    desk_check(r->d);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(desk_each_lie_about_an_order_is_refused_and_named),
        T(desk_a_close_must_say_that_it_only_reduces),
        T(desk_a_lie_about_a_cancel_makes_the_stored_one_leave),
        T(desk_an_invented_order_ends_the_bay),
        T(desk_an_order_that_says_it_is_a_query_is_an_invented_one),
        T(desk_an_order_that_says_it_is_a_cancel_is_an_invented_one),
        T(desk_an_old_approval_again_is_an_invented_one),
        T(desk_the_third_mismatch_ends_the_bay),
        T(desk_damaged_templates_leave_only_when_they_read_like_the_approval),
        T(desk_garbage_of_a_bay_sends_nothing_and_breaks_nothing),
        T(desk_a_token_of_any_length_is_masked),
        T(desk_a_request_too_many_leaves_no_secret_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
