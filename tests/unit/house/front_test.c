/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the front without sockets: who is answered what, each fault's effect on a request and on
 * the stream, and rules that are refused.
 * Method: a front on a clock that the test turns; requests are signed by the test, replies and
 * messages are kept as texts.
 */
#include "house/front.h"
#include "house_rig.h"

enum { REPLIES_MAX = 64 };
static struct world {
    struct front *f;
    struct front_config c;
    int64_t mono_ns, wall_ns;
    struct clock clock;
    struct house_instrument in;
    char folder[64], ledger[96];
    struct {
        uint64_t ticket;
        int status, retry_s;
        char text[512];
    } reply[REPLIES_MAX];
    uint32_t replies;
    char sent[REPLIES_MAX][512];
    uint32_t sents, closed_all;
    int64_t frozen_ns;
    uint64_t tickets;
} w;

static int64_t world_mono(void *arg)
{
    (void)arg;
    return w.mono_ns;
}
static int64_t world_wall(void *arg)
{
    (void)arg;
    return w.wall_ns;
}

static void on_reply(void *arg, uint64_t ticket, const struct front_reply *r)
{
    assert_ptr_equal(arg, &w);
    assert_true(w.replies < REPLIES_MAX && r->count < sizeof w.reply[0].text);
    w.reply[w.replies].ticket = ticket;
    w.reply[w.replies].status = r->status;
    w.reply[w.replies].retry_s = r->retry_s;
    memcpy(w.reply[w.replies].text, r->text, r->count);
    w.reply[w.replies++].text[r->count] = '\0';
}

static void on_send(void *arg, uint32_t session, const char *text, size_t count)
{
    (void)arg;
    assert_int_equal(session, 3);
    assert_true(w.sents < REPLIES_MAX && count < sizeof w.sent[0]);
    memcpy(w.sent[w.sents], text, count);
    w.sent[w.sents++][count] = '\0';
}

static void on_close(void *arg, uint32_t session)
{
    (void)arg;
    (void)session;
}

static void on_close_all(void *arg)
{
    (void)arg;
    w.closed_all++;
}

static void on_freeze(void *arg, int64_t ns)
{
    (void)arg;
    w.frozen_ns += ns;
}

static bool no_market(void *arg, struct fact_view *out)
{
    (void)arg;
    (void)out;
    return false;
}

static int begin(void **state)
{
    (void)state;
    struct trail tr = {0};
    memset(&w, 0, sizeof w);
    snprintf(w.folder, sizeof w.folder, "/tmp/front-test-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.ledger, sizeof w.ledger, "%s/ledger", w.folder);
    w.mono_ns = SEC;
    w.wall_ns = T0;
    w.clock = (struct clock){.wall_ns = world_wall, .mono_ns = world_mono};
    w.in = (struct house_instrument){rig_instrument(), -8, "USD"};
    w.c.clock = &w.clock;
    w.c.callers.count = 1;
    strcpy(w.c.callers.at[0].name, "mine");
    strcpy(w.c.callers.at[0].secret, "s1");
    w.c.callers.at[0].milli = CALLERS_BURST * 1000ll;
    w.c.callers.at[0].filled_ns = w.c.callers.at[0].banned_until_ns = INT64_MIN;
    w.c.house.venue = (struct venue_config){.seed = 1,
                                            .profile = VENUE_PLAIN,
                                            .orders_max = 64,
                                            .instruments_max = 4,
                                            .account = 1,
                                            .latency_ns = 20 * MS};
    w.c.house.instrument = &w.in;
    w.c.house.instrument_count = 1;
    w.c.house.tempo = (struct tempo){
        .kind = TEMPO_WALL, .clock = &w.clock, .wall0_ns = T0, .speed = TEMPO_REAL_TIME};
    w.c.house.ledger_path = w.ledger;
    w.c.house.ops.next = no_market;
    w.c.ops = (struct front_ops){.arg = &w,
                                 .reply = on_reply,
                                 .send = on_send,
                                 .close = on_close,
                                 .close_all = on_close_all,
                                 .freeze = on_freeze};
    assert_true(is_ok(front_open(&w.c, &w.f, &tr)));
    return 0;
}

static int end(void **state)
{
    (void)state;
    front_close(w.f);
    unlink(w.ledger);
    rmdir(w.folder);
    return 0;
}

static void pass(int64_t ns)
{
    w.mono_ns += ns;
    w.wall_ns += ns;
    front_time(w.f);
}

/* Gives how many replies came at once. */
static uint32_t ask(uint32_t method, const char *path, const char *query, const char *body)
{
    static const char *const methods[] = {"", "GET", "POST", "DELETE"};
    char stamp[24], sign[CALLERS_SIGN_BYTES], whole[256];
    uint32_t before = w.replies;
    snprintf(stamp, sizeof stamp, "%lld", (long long)(w.wall_ns / MS));
    snprintf(whole, sizeof whole, "%s%s%s", path, query[0] ? "?" : "", query);
    struct callers_text t = {stamp, methods[method], whole, body, strlen(body)};
    callers_sign("s1", &t, sign);
    struct front_http q = {method, path, query,        "mine",     stamp,
                           sign,   body, strlen(body), ++w.tickets};
    front_http(w.f, &q);
    for (uint32_t i = before; i < w.replies; i++)
        assert_int_equal(w.reply[i].ticket, w.tickets);
    return w.replies - before;
}

static uint32_t order(const char *client)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"client_id\": \"%s\", \"symbol\": \"LIN\", \"side\": \"buy\", \"type\": \"limit\", "
             "\"qty\": \"1\", \"price\": \"50\", \"tif\": \"gtc\"}",
             client);
    return ask(HOUSE_POST, "/v1/orders", "", body);
}

static int status(void)
{
    return w.reply[w.replies - 1].status;
}

static bool says(const char *text)
{
    return strstr(w.reply[w.replies - 1].text, text) != NULL;
}

static void rule(const char *json, int want)
{
    struct front_http q = {HOUSE_POST, "/faults", "", "", "", "", json, strlen(json), ++w.tickets};
    front_control(w.f, &q);
    assert_int_equal(status(), want);
    json_t *o = json_loads(w.reply[w.replies - 1].text, 0, NULL);
    assert_non_null(o);
    json_decref(o);
}

static void front_spoils_requests_as_told(void **state)
{
    (void)state;
    rule("{\"on\":\"order\",\"do\":\"error_before\",\"client_id\":\"b\",\"status\":502}", 200);
    assert_int_equal(order("a"), 1);
    assert_int_equal(status(), 200);
    assert_int_equal(order("b"), 1);
    assert_int_equal(status(), 502);
    assert_int_equal(order("b"), 1); /* nothing had been done */
    assert_int_equal(status(), 200);
    rule("[{\"on\":\"order\",\"do\":\"error_after\"},{\"on\":\"order\",\"do\":\"drop_reply\"}]",
         200);
    assert_int_equal(order("c"), 1);
    assert_int_equal(status(), 503);
    assert_int_equal(order("c"), 1); /* it had been done; and this reply is dropped */
    assert_int_equal(status(), 0);
    assert_int_equal(order("c"), 1);
    assert_true(says("DUPLICATE"));
    rule("{\"on\":\"order\",\"do\":\"delay\",\"ms\":250}", 200);
    assert_int_equal(order("d"), 0);
    assert_true(front_wait_ns(w.f) <= 250 * MS);
    pass(249 * MS);
    assert_int_equal(w.reply[w.replies - 1].ticket, w.tickets - 1);
    pass(MS);
    assert_int_equal(w.reply[w.replies - 1].ticket, w.tickets);
    assert_int_equal(status(), 200);
    rule("{\"on\":\"cancel\",\"do\":\"swallow\"}", 200);
    struct house_totals t;
    assert_int_equal(ask(HOUSE_DELETE, "/v1/orders", "client_id=a", ""), 1);
    assert_int_equal(status(), 200);
    house_totals(front_house(w.f), &t);
    assert_int_equal(t.cancels, 0);
    assert_int_equal(ask(HOUSE_DELETE, "/v1/orders", "client_id=a", ""), 1);
    house_totals(front_house(w.f), &t);
    assert_int_equal(t.cancels, 1);
}

static void front_freezes_disconnects_and_bans(void **state)
{
    (void)state;
    rule("[{\"on\":\"fills\",\"do\":\"freeze\",\"ms\":70},{\"on\":\"open\",\"do\":\"disconnect\","
         "\"skip\":1},{\"on\":\"positions\",\"do\":\"ban\",\"seconds\":3}]",
         200);
    assert_int_equal(ask(HOUSE_GET, "/v1/fills", "", ""), 1);
    assert_int_equal(w.frozen_ns, 70 * MS);
    assert_int_equal(ask(HOUSE_GET, "/v1/orders/open", "", ""), 1);
    assert_int_equal(w.closed_all, 0);
    assert_int_equal(ask(HOUSE_GET, "/v1/orders/open", "", ""), 1);
    assert_int_equal(w.closed_all, 1);
    assert_int_equal(ask(HOUSE_GET, "/v1/positions", "", ""), 1);
    assert_int_equal(status(), 418);
    assert_int_equal(w.reply[w.replies - 1].retry_s, 3);
    pass(2 * SEC);
    assert_int_equal(order("x"), 1);
    assert_int_equal(status(), 418);
    pass(SEC);
    assert_int_equal(order("x"), 1);
    assert_int_equal(status(), 200);
}

static uint64_t number_sent(uint32_t i)
{
    const char *n = strstr(w.sent[i], "\"n\":");
    return n == NULL ? 0 : strtoull(n + 4, NULL, 10);
}

static void say(const char *text)
{
    front_ws_in(w.f, 3, text, strlen(text));
}

static void log_in(void)
{
    char stamp[24], sign[CALLERS_SIGN_BYTES], text[256];
    snprintf(stamp, sizeof stamp, "%lld", (long long)(w.wall_ns / MS));
    struct callers_text t = {stamp, "LOGIN", "", "", 0};
    callers_sign("s1", &t, sign);
    snprintf(text, sizeof text,
             "{\"op\":\"login\",\"key\":\"mine\",\"time\":\"%s\",\"sign\":\"%s\"}", stamp, sign);
    assert_true(front_ws_open(w.f, 3));
    say(text);
    assert_non_null(strstr(w.sent[w.sents - 1], "\"ok\":true"));
    say("{\"op\":\"subscribe\",\"channels\":[\"reports\",\"market:LIN\"]}");
    assert_non_null(strstr(w.sent[w.sents - 1], "subscribed"));
}

static void front_stream_is_numbered_before_it_is_spoiled(void **state)
{
    (void)state;
    log_in();
    rule("[{\"on\":\"report\",\"do\":\"duplicate\"},{\"on\":\"report\",\"do\":\"lose\"},"
         "{\"on\":\"report\",\"do\":\"reorder\"}]",
         200);
    uint32_t first = w.sents;
    for (int i = 0; i < 5; i++) {
        char client[16];
        snprintf(client, sizeof client, "n%d", i);
        assert_int_equal(order(client), 1);
        pass(100 * MS);
    }
    static const uint64_t want[] = {1, 1, 4, 3, 5};
    assert_int_equal(w.sents - first, sizeof want / sizeof *want);
    for (uint32_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(number_sent(first + i), want[i]);
    say("{\"op\":\"snapshot\",\"symbol\":\"NO\"}");
    assert_non_null(strstr(w.sent[w.sents - 1], "SYMBOL"));
    say("{\"op\":\"subscribe\",\"channels\":[\"market:NO\"]}");
    assert_non_null(strstr(w.sent[w.sents - 1], "CHANNEL"));
    front_ws_closed(w.f, 3);
    assert_int_equal(order("later"), 1);
    pass(100 * MS); /* nobody listens; nothing is sent */
    rule("{\"on\":\"connect\",\"do\":\"refuse\"}", 200);
    assert_false(front_ws_open(w.f, 3));
    log_in();
    front_ws_closed(w.f, 3);
}

static void front_rules_that_do_nothing_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "5",
        "{}",
        "{\"on\":\"order\"}",
        "{\"on\":\"order\",\"do\":\"dance\"}",
        "{\"on\":\"report\",\"do\":\"delay\"}",
        "{\"on\":\"market\",\"do\":\"swallow\"}",
        "{\"on\":\"fills\",\"do\":\"swallow\"}",
        "{\"on\":\"order\",\"do\":\"duplicate\"}",
        "{\"on\":\"login\",\"do\":\"delay\"}",
        "{\"on\":\"order\",\"do\":\"delay\",\"ms\":-1}",
        "{\"on\":\"order\",\"do\":\"error_before\",\"status\":200}",
        "{\"on\":\"order\",\"do\":\"delay\",\"when\":1}",
        "[{\"on\":\"order\",\"do\":\"delay\"},{\"on\":\"order\",\"do\":\"refuse\"}]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        rule(bad[i], 400);
    assert_int_equal(order("a"), 1); /* of the last two not even the good one counts */
    assert_int_equal(status(), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(front_spoils_requests_as_told, begin, end),
        cmocka_unit_test_setup_teardown(front_freezes_disconnects_and_bans, begin, end),
        cmocka_unit_test_setup_teardown(front_stream_is_numbered_before_it_is_spoiled, begin, end),
        cmocka_unit_test_setup_teardown(front_rules_that_do_nothing_are_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
