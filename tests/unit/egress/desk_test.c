/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the one road. Each approval is answered exactly once, and its bytes leave at most once:
 * after its template was read again, its record is durable and its budget is there, and never
 * after a burn.
 * Method: the rig plays engine, bay and network, one step at a time; time is a number.
 */
#include "tests/unit/base/dies.h"
#include "tests/lib/desk_rig.h"
#include "egress/mac.h"

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

static void expect(struct rig *r, uint64_t k, uint32_t what, uint32_t reason)
{
    uint32_t times;
    const struct road_sent *s = desk_rig_sent_of(r, k, &times);
    assert_int_equal(times, 1);
    assert_int_equal(s->sent.what, what);
    assert_int_equal(s->sent.reason, reason);
}

static void expect_none(struct rig *r, uint64_t k)
{
    uint32_t times;
    desk_rig_sent_of(r, k, &times);
    assert_int_equal(times, 0);
}

static struct desk_totals totals(struct rig *r)
{
    struct desk_totals t;
    desk_totals(r->d, &t);
    return t;
}

static void desk_order_of_an_honest_bay_leaves_once_and_is_answered_once(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    assert_int_equal(r->sent_count, 0); /* its record is not durable */
    desk_rig_durable(r);
    assert_int_equal(r->sent_count, 1);
    const struct rig_sent *s = desk_rig_last(r);
    assert_int_equal(s->m.method, TN_METHOD_POST);
    assert_int_equal(s->m.path_bytes, 10);
    assert_non_null(strstr(s->text, "X-Key: KEY1\r\nX-Time: 1000000\r\nX-Sign: "));
    assert_non_null(strstr(s->text, "\"qty\":\"1.5\",\"price\":\"100\""));
    expect_none(r, k); /* taken, and nobody knows yet */
    desk_rig_net(r, DESK_NET_WRITTEN, RIG_HTTP, s->m.ticket);
    expect(r, k, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    desk_rig_venue(r);
    desk_rig_durable(r);
    expect(r, k, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(r->in.kind, TN_IN_BYTES);
    assert_int_equal(r->in.request, r->request);
    assert_int_equal(desk_rig_order_of(r, r->asked[0].client_id)->times, 1);
    assert_int_equal(totals(r).open, 0);
}

static void desk_the_signature_covers_time_method_path_and_body(void **state)
{
    struct rig *r = *state;
    desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    const char *text = desk_rig_last(r)->text, *sign = strstr(text, "X-Sign: ");
    char of[1024];
    uint8_t mac[64];
    char hex[132];
    size_t n =
        (size_t)snprintf(of, sizeof of, "1000000POST/v1/orders%s", strstr(text, "{\"client"));
    n = mac_hmac(TN_DIGEST_SHA256, (const uint8_t *)"hush", 4, (const uint8_t *)of, n, mac);
    mac_text(TN_ENCODE_HEX, mac, n, hex);
    assert_memory_equal(sign + 8, hex, 64);
}

static void desk_reduce_only_and_cancels_do_not_wait_for_the_disk(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_SHORT, 1500, true);
    assert_int_equal(r->sent_count, 1);
    uint64_t c = desk_rig_cancel(r, k);
    assert_int_equal(r->sent_count, 2);
    uint64_t q = desk_rig_query(r, k);
    assert_int_equal(r->sent_count, 3);
    desk_rig_venue(r);
    expect(r, k, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    expect(r, c, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    expect(r, q, FACT_SENT_OK, FACT_SENT_REASON_NONE);
}

static void desk_what_the_network_says_becomes_the_answer(void **state)
{
    struct rig *r = *state;
    static const struct {
        uint32_t net, what, reason, in;
    } row[] = {{DESK_NET_FAILED, FACT_SENT_FAILED, FACT_SENT_REASON_NO_LINK, TN_IN_FAILED},
               {DESK_NET_SILENT, FACT_SENT_UNKNOWN, FACT_SENT_REASON_NONE, TN_IN_SILENT},
               {DESK_NET_WRITTEN, FACT_SENT_OK, FACT_SENT_REASON_NONE, 0}};
    for (uint32_t i = 0; i < 3; i++) {
        r->in.kind = 0;
        uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
        desk_rig_durable(r);
        desk_rig_net(r, row[i].net, RIG_HTTP, desk_rig_last(r)->m.ticket);
        expect(r, k, row[i].what, row[i].reason);
        assert_int_equal(r->in.kind, row[i].in);
        desk_rig_net(r, row[i].net, RIG_HTTP,
                     desk_rig_last(r)->m.ticket); /* said twice: no second answer */
        expect(r, k, row[i].what, row[i].reason);
    }
    r->net_gone = true;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    expect(r, k, FACT_SENT_FAILED, FACT_SENT_REASON_NO_LINK);
}

static void desk_silence_and_a_lost_link_are_unknown(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_time(r->d, r->now += 9999 * RIG_MS);
    expect_none(r, k);
    desk_time(r->d, r->now += 2 * RIG_MS);
    expect(r, k, FACT_SENT_UNKNOWN, FACT_SENT_REASON_NONE);
    k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_net(r, DESK_NET_DOWN, RIG_HTTP, 0);
    expect(r, k, FACT_SENT_UNKNOWN, FACT_SENT_REASON_NONE);
}

static void desk_no_template_burns_an_order_and_a_cancel_goes_by_the_stored_one(void **state)
{
    struct rig *r = *state;
    r->lie = RIG_SILENT;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    uint64_t c = desk_rig_cancel(r, k), q = desk_rig_query(r, k);
    desk_rig_durable(r);
    assert_int_equal(r->sent_count, 0);
    desk_time(r->d, r->now += 250 * RIG_MS);
    expect(r, k, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    assert_int_equal(r->sent_count, 2);
    assert_non_null(strstr(r->sent[0].text, "/v1/orders?client_id=T3-4096-1&symbol=BTC-USD"));
    uint32_t heard = r->in_count;
    desk_rig_venue(r);
    assert_int_equal(r->in_count, heard); /* the bay asked for neither */
    expect(r, c, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    expect(r, q, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    assert_int_equal(totals(r).stored_cancels, 1);
    r->lie = RIG_HONEST;
    for (uint32_t i = 0; i < r->asked_count; i++) /* all three come after all: too late */
        desk_rig_template(r, &r->asked[i], RIG_HONEST);
    assert_int_equal(totals(r).late_templates, 3);
    assert_int_equal(totals(r).refused_invented, 0);
    assert_int_equal(r->sent_count, 2);
}

static void desk_a_bay_that_refuses_or_dies_burns_at_once(void **state)
{
    struct rig *r = *state;
    r->lie = RIG_REFUSES;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    expect(r, k, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    r->lie = RIG_SILENT;
    k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    uint64_t c = desk_rig_cancel(r, k);
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, false);
    expect(r, k, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    desk_rig_venue(r);
    expect(r, c, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    uint64_t next = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    expect(r, next, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    assert_int_equal(r->closed, 0); /* sessions stay */
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, true);
    assert_int_equal(r->in.kind, TN_IN_RESUMED);
    r->lie = RIG_HONEST;
    r->answered_count = r->asked_count;
    next = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    expect(r, next, FACT_SENT_OK, FACT_SENT_REASON_NONE);
}

static void desk_without_stored_cancels_no_new_risk_leaves(void **state)
{
    struct rig *r = *state;
    desk_rig_stop(r);
    memset(r, 0, sizeof *r);
    desk_rig_start(r, 1);
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, false);
    desk_rig_stop(r); /* a desk whose bay hands over nothing */
    desk_rig_start(r, 1);
    struct witness *w = r->w;
    memset(w, 0, sizeof *w);
    desk_rig_boot(r);
    desk_rig_attach(r, 4);
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, true);
    struct line_open o = {.id = RIG_HTTP, .type = TN_LINK_HTTP};
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_OPEN, &o, sizeof o);
    desk_rig_net(r, DESK_NET_UP, RIG_HTTP, 0);
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    expect(r, k, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_NO_TEMPLATE), 1);
    desk_rig_stored(r, TN_CLASS_CANCEL, true);
    k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    expect(r, k, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    desk_rig_stored(r, TN_CLASS_CANCEL_ALL, false);
    k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    expect(r, k, FACT_SENT_OK, FACT_SENT_REASON_NONE);
}

static void desk_a_record_that_never_becomes_durable_burns_its_order(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_run(r, 4900 * RIG_MS);
    expect_none(r, k);
    desk_rig_run(r, 200 * RIG_MS);
    expect(r, k, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_STALE);
    desk_rig_durable(r);
    assert_int_equal(r->sent_count, 0);
}

static void desk_a_full_line_to_the_engine_delays_answers_and_loses_none(void **state)
{
    struct rig *r = *state;
    uint64_t k[20];
    for (uint32_t i = 0; i < 20; i++)
        k[i] = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    r->core_full = true;
    r->sent[19].is_replied = true; /* this one flies on */
    desk_rig_venue(r);
    assert_true(desk_holds(r->d, RIG_ACCOUNT));
    for (uint32_t i = 0; i < 20; i++)
        expect_none(r, k[i]);
    r->core_full = false;
    uint32_t said = r->said_count;
    desk_rig_net(r, DESK_NET_WRITTEN, RIG_HTTP, r->sent[19].m.ticket);
    uint64_t late = desk_rig_cancel(r, k[0]);
    desk_rig_venue(r);
    desk_rig_run(r, 2 * RIG_MS);
    for (uint32_t i = 0; i < 20; i++) {
        expect(r, k[i], FACT_SENT_OK, FACT_SENT_REASON_NONE);
        assert_int_equal(r->said[said + i].sent.approval, k[i]); /* in their order */
    }
    expect(r, late, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    assert_false(desk_holds(r->d, RIG_ACCOUNT));
}

static void desk_a_full_line_to_the_bay_spills_then_begins_its_links_anew(void **state)
{
    struct rig *r = *state;
    static uint8_t big[60000];
    struct desk_net_in in = {.account = RIG_ACCOUNT,
                             .link = RIG_WS,
                             .what = DESK_NET_BYTES,
                             .count = sizeof big,
                             .bytes = big};
    r->bay_full = true;
    uint32_t before = r->in_count, opened = r->opened;
    for (int i = 0; i < 4; i++)
        desk_from_net(r->d, r->now, &in);
    assert_true(desk_holds(r->d, RIG_ACCOUNT));
    r->bay_full = false;
    desk_rig_run(r, 2 * RIG_MS);
    assert_int_equal(r->in_count, before + 4);
    assert_false(desk_holds(r->d, RIG_ACCOUNT));
    r->bay_full = true;
    for (int i = 0; i < 5; i++)
        desk_from_net(r->d, r->now, &in);
    assert_int_equal(r->closed, 1);
    assert_int_equal(r->opened, opened + 1);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_FLOOD), 1);
    r->bay_full = false;
    desk_rig_run(r, 2 * RIG_MS);
    assert_int_equal(r->in_count, before + 5); /* DOWN, and nothing that came before it */
    assert_true(r->in.kind == TN_IN_DOWN && r->in.link == RIG_WS);
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false); /* HTTP stays */
    desk_rig_durable(r);
    desk_rig_venue(r);
    expect(r, k, FACT_SENT_OK, FACT_SENT_REASON_NONE);
}

static void desk_an_older_epoch_and_a_falling_number_are_fenced(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    r->k -= 4096;
    desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false); /* the same number again */
    uint32_t times;
    assert_int_equal(desk_rig_sent_of(r, k, &times)->sent.reason, FACT_SENT_REASON_EPOCH);
    assert_int_equal(r->sent_count, 1);
    r->k -= 4096;
    desk_rig_cancel(r, k); /* what takes risk off needs no rising number */
    assert_int_equal(r->sent_count, 2);
    struct road_hello h = {.version = ROAD_VERSION, .epoch = 2, .journal_id = {1, 2, 3}};
    const char *why;
    assert_false(desk_admits(r->d, &h, &why));
    assert_non_null(why);
    desk_attach(r->d, r->now, &h);
    assert_false(totals(r).is_attached);
    uint32_t asked = r->asked_count;
    desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    assert_int_equal(r->asked_count, asked);
    h.journal_id[0] = 9; /* another journal has its own epochs */
    assert_true(desk_admits(r->d, &h, &why));
}

static uint32_t opens(const struct rig *r, uint64_t k, const struct road_open **out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->said_count; i++)
        if (r->said[i].kind == ROAD_OPEN && r->said[i].open.approval == k) {
            *out = &r->said[i].open;
            n++;
        }
    return n;
}

static void desk_a_new_engine_hears_what_became_of_the_older_ones_orders(void **state)
{
    struct rig *r = *state;
    const struct road_open *o = NULL;
    uint64_t done = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    uint64_t flies = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    uint64_t waits = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    uint32_t sent = r->sent_count;
    desk_detach(r->d, r->now);
    desk_rig_attach(r, 5);
    assert_int_equal(opens(r, flies, &o), 1);
    assert_true(o->what == FACT_SENT_UNKNOWN && !o->is_answered && o->epoch == 3);
    assert_int_equal(opens(r, waits, &o), 1);
    assert_true(o->what == FACT_SENT_FAILED && !o->is_answered && o->class_of == TN_CLASS_ORDER);
    assert_int_equal(opens(r, done, &o), 1);
    assert_true(o->what == FACT_SENT_OK && o->is_answered);
    desk_rig_durable(r);
    desk_rig_run(r, 20000 * RIG_MS);
    assert_int_equal(r->sent_count, sent); /* burned is burned */
    expect_none(r, flies);
    expect_none(r, waits);
}

static void desk_a_reply_after_its_engine_has_gone_answers_nobody(void **state)
{
    struct rig *r = *state;
    const struct road_open *o = NULL;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_attach(r, 5); /* without a word that the first one has gone */
    assert_int_equal(opens(r, k, &o), 1);
    assert_int_equal(o->what, FACT_SENT_UNKNOWN);
    desk_rig_venue(r);
    expect_none(r, k);
}

static void desk_a_reply_goes_to_the_bay_that_asked_and_to_no_later_one(void **state)
{
    struct rig *r = *state;
    desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/fills?limit=100", "");
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, true);
    uint32_t heard = r->in_count;
    desk_rig_venue(r);
    assert_int_equal(r->in_count, heard);
}

static void desk_a_second_bay_takes_over_with_its_own_links_and_open_approvals(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false); /* its template lies here */
    r->is_late = true;
    desk_bay(r->d, r->now, RIG_ACCOUNT, true, true);
    struct line_open o = {.id = RIG_HTTP, .type = TN_LINK_HTTP, .is_order_path = 1};
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, true, LINE_OPEN, &o, sizeof o);
    assert_int_equal(r->asked_count, 1);
    desk_bay_takes_over(r->d, r->now, RIG_ACCOUNT);
    assert_int_equal(r->closed, 2);
    assert_int_equal(r->asked_count, 2);
    assert_int_equal(r->asked[1].approval, k);
    assert_int_equal(r->in.kind, TN_IN_TAKE_OVER);
    desk_rig_net(r, DESK_NET_UP, RIG_HTTP, 0);
    r->answered_count = 1;
    desk_rig_answer(r);
    desk_rig_durable(r);
    desk_rig_venue(r);
    expect(r, k, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    assert_int_equal(desk_rig_order_of(r, r->asked[0].client_id)->times, 1);
}

static void desk_a_held_stored_cancel_ends_when_the_next_bay_stored_none(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    r->status = 418;
    r->retry_s = 3;
    desk_rig_venue(r);
    r->status = 0;
    r->lie = RIG_SILENT;
    uint64_t c = desk_rig_cancel(r, k);
    desk_rig_run(r, 300 * RIG_MS);
    expect_none(r, c); /* the stored one waits for the end of the ban */
    desk_bay(r->d, r->now, RIG_ACCOUNT, true, true);
    desk_bay_takes_over(r->d, r->now, RIG_ACCOUNT);
    desk_rig_run(r, 4000 * RIG_MS);
    expect(r, c, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
}

static void desk_a_second_bay_cannot_answer_for_the_first(void **state)
{
    struct rig *r = *state;
    r->is_late = true;
    desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_bay(r->d, r->now, RIG_ACCOUNT, true, true);
    struct {
        struct line_request h;
        struct line_part p;
        char text[8];
    } t = {.h = {.class_of = TN_CLASS_ORDER,
                 .approval = r->asked[0].approval,
                 .part_count = 1,
                 .bytes = 8},
           .p = {.kind = TN_PART_BYTES, .bytes = 8}};
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, true, LINE_REQUEST, &t, sizeof t);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_INVENTED), 1);
    desk_bay_takes_over(r->d, r->now, RIG_ACCOUNT); /* refused: it broke its contract */
    assert_int_equal(r->asked_count, 1);
    desk_rig_answer(r);
    desk_rig_durable(r);
    assert_int_equal(r->sent_count, 1);
}

static void desk_orders_keep_a_fifth_of_the_budget_for_cancels(void **state)
{
    struct rig *r = *state;
    r->weight = 100;
    r->per_ns = 1000 * RIG_MS;
    desk_rig_attach(r, 4);
    uint64_t k[90];
    for (uint32_t i = 0; i < 90; i++)
        k[i] = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    assert_int_equal(r->sent_count, 80);
    for (uint32_t i = 0; i < 10; i++)
        desk_rig_cancel(r, k[i]);
    assert_int_equal(r->sent_count, 90);
    uint64_t c = desk_rig_cancel(r, k[20]);
    assert_int_equal(r->sent_count, 90); /* the rest is the kill's */
    desk_rig_run(r, 150 * RIG_MS);
    expect(r, k[85], FACT_SENT_SUPPRESSED, FACT_SENT_REASON_RATE);
    expect_none(r, c);
    const struct road_kill kill = {.by = "test"};
    desk_kill(r->d, r->now, &kill);
    assert_true(r->sent_count > 90 && r->sent_count <= 100);
    desk_rig_run(r, 1000 * RIG_MS);
    expect(r, c, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    assert_true(totals(r).rate_held >= 11);
}

/* What is heavier than its whole budget will never have it: it is answered and not held. */
static void desk_what_no_budget_can_carry_is_not_held(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    r->heavy = 100001;
    uint64_t c = desk_rig_cancel(r, k); /* by the stored one */
    desk_rig_venue(r);
    expect(r, c, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    assert_int_equal(totals(r).stored_cancels, 1);
    k = desk_rig_order(r, RIG_BTC, TN_SHORT, 1500, true); /* there is none for this */
    expect(r, k, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_RATE);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_RATE), 1);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_LINE), 0);
    desk_rig_stored(r, TN_CLASS_CANCEL, true); /* refused: the one of before stays */
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_LINE), 1);
    c = desk_rig_cancel(r, k);
    desk_rig_venue(r);
    expect(r, c, FACT_SENT_OK, FACT_SENT_REASON_NONE);
}

static void desk_429_holds_orders_and_418_everything(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    r->status = 429;
    r->retry_s = 2;
    desk_rig_venue(r);
    expect(r, k, FACT_SENT_OK,
           FACT_SENT_REASON_NONE); /* it was handed over: the adapter reads it */
    r->status = 0;
    uint64_t held = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    uint64_t c = desk_rig_cancel(r, k);
    desk_rig_run(r, 110 * RIG_MS);
    expect(r, held, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_RATE);
    expect(r, c, FACT_SENT_OK, FACT_SENT_REASON_NONE);
    r->status = 418;
    desk_rig_cancel(r, k);
    desk_rig_venue(r);
    r->status = 0;
    c = desk_rig_cancel(r, k);
    desk_rig_run(r, 1900 * RIG_MS);
    expect_none(r, c);
    desk_rig_run(r, 200 * RIG_MS);
    expect(r, c, FACT_SENT_OK, FACT_SENT_REASON_NONE);
}

/* A day is the longest that is believed, and it is believed. */
static void desk_a_ban_of_a_day_holds_for_a_day(void **state)
{
    struct rig *r = *state;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    r->status = 418;
    r->retry_s = 86400;
    desk_rig_venue(r);
    r->status = 0;
    uint64_t c = desk_rig_cancel(r, k);
    desk_rig_run(r, 86399000 * RIG_MS);
    expect_none(r, c);
    desk_rig_run(r, 1000 * RIG_MS);
    expect(r, c, FACT_SENT_OK, FACT_SENT_REASON_NONE);
}

static void desk_session_and_query_pass_without_an_approval_and_nothing_else(void **state)
{
    struct rig *r = *state;
    desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/fills?after=abc-1&limit=100", "");
    assert_int_equal(r->sent_count, 1);
    desk_rig_pass(r, TN_CLASS_SESSION, RIG_WS, "",
                  "{\"op\":\"subscribe\",\"channels\":[\"market:BTC-USD\",\"reports\"]}");
    assert_int_equal(r->sent_count, 2);
    r->in.kind = 0;
    desk_rig_pass(r, TN_CLASS_SESSION, RIG_WS, "",
                  "{\"op\":\"subscribe\",\"channels\":[\"market:XRP-USD\"]}");
    assert_int_equal(r->in.kind, TN_IN_FAILED);
    desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/fills?after=a%20b", "");
    assert_int_equal(r->sent_count, 2);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_UNNAMED), 2);
    r->lie = RIG_FREE_WEIGHT;
    r->in.kind = 0;
    desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/fills", "");
    assert_int_equal(r->in.kind, TN_IN_FAILED);
    r->lie = RIG_HONEST;
    desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/withdraw", "");
    assert_int_equal(r->sent_count, 2);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_INVENTED), 1);
    desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/fills", ""); /* it is not asked any more */
    assert_int_equal(r->sent_count, 2);
}

static void desk_a_captured_token_is_masked_and_stands_only_where_it_is_named(void **state)
{
    struct rig *r = *state;
    struct {
        struct line_capture c;
        char path[5];
    } c = {.c = {.request = r->request + 1, .id = 0, .format = TN_WIRE_JSON, .path_bytes = 5},
           .path = {'t', 'o', 'k', 'e', 'n'}};
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_CAPTURE, &c, (uint32_t)(sizeof c.c + 5));
    desk_rig_pass(r, TN_CLASS_QUERY, RIG_HTTP, "/v1/fills?limit=100", "");
    desk_rig_venue(r);
    assert_non_null(strstr(r->in_text, "\"token\":\"*****\""));
}

static void desk_a_request_may_wait_as_long_as_its_ticket_lives(void **state)
{
    struct rig *r = *state;
    desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    assert_int_equal(desk_rig_last(r)->m.wait_ns, 10000 * RIG_MS);
    desk_rig_pass(r, TN_CLASS_SESSION, RIG_WS, "",
                  "{\"op\":\"subscribe\",\"channels\":[\"market:BTC-USD\",\"reports\"]}");
    assert_int_equal(desk_rig_last(r)->m.wait_ns, 0); /* answered when it was handed over */
    desk_rig_kill(r, false);
    assert_int_equal(desk_rig_last(r)->m.wait_ns, 250 * RIG_MS);
}

static void desk_deadlines_and_budgets_move_with_a_clock_that_is_set_back(void **state)
{
    struct rig *r = *state;
    r->weight = 10;
    r->per_ns = 1000 * RIG_MS;
    desk_rig_attach(r, 4);
    for (uint32_t i = 0; i < 8; i++)
        desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    assert_int_equal(r->sent_count, 8);
    r->lie = RIG_SILENT;
    uint64_t k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    r->now -= 500000 * RIG_MS;
    desk_rig_net(r, DESK_NET_UP, RIG_WS, 0); /* any word that brings the new time */
    assert_true(desk_deadline(r->d) <= r->now + 250 * RIG_MS);
    desk_rig_run(r, 300 * RIG_MS);
    expect(r, k, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    r->lie = RIG_HONEST;
    desk_rig_run(r, 900 * RIG_MS);
    k = desk_rig_order(r, RIG_BTC, TN_LONG, 1500, false);
    desk_rig_durable(r);
    desk_rig_venue(r);
    expect(r, k, FACT_SENT_OK, FACT_SENT_REASON_NONE);
}

static void desk_timers_of_a_bay_come_back_once(void **state)
{
    struct rig *r = *state;
    struct tn_timer t = {.size = sizeof t, .id = 3, .at_ns = r->now + 5 * RIG_MS};
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_TIMER, &t, sizeof t);
    uint32_t before = r->in_count;
    assert_true(desk_deadline(r->d) <= t.at_ns);
    desk_rig_run(r, 4 * RIG_MS);
    assert_int_equal(r->in_count, before);
    desk_rig_run(r, 20 * RIG_MS);
    assert_int_equal(r->in_count, before + 1);
    assert_true(r->in.kind == TN_IN_TIMER && r->in.link == 3);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(desk_order_of_an_honest_bay_leaves_once_and_is_answered_once),
        T(desk_the_signature_covers_time_method_path_and_body),
        T(desk_reduce_only_and_cancels_do_not_wait_for_the_disk),
        T(desk_what_the_network_says_becomes_the_answer),
        T(desk_silence_and_a_lost_link_are_unknown),
        T(desk_no_template_burns_an_order_and_a_cancel_goes_by_the_stored_one),
        T(desk_a_bay_that_refuses_or_dies_burns_at_once),
        T(desk_without_stored_cancels_no_new_risk_leaves),
        T(desk_a_record_that_never_becomes_durable_burns_its_order),
        T(desk_a_full_line_to_the_engine_delays_answers_and_loses_none),
        T(desk_a_full_line_to_the_bay_spills_then_begins_its_links_anew),
        T(desk_an_older_epoch_and_a_falling_number_are_fenced),
        T(desk_a_new_engine_hears_what_became_of_the_older_ones_orders),
        T(desk_a_reply_after_its_engine_has_gone_answers_nobody),
        T(desk_a_reply_goes_to_the_bay_that_asked_and_to_no_later_one),
        T(desk_a_second_bay_takes_over_with_its_own_links_and_open_approvals),
        T(desk_a_held_stored_cancel_ends_when_the_next_bay_stored_none),
        T(desk_a_second_bay_cannot_answer_for_the_first),
        T(desk_orders_keep_a_fifth_of_the_budget_for_cancels),
        T(desk_429_holds_orders_and_418_everything),
        T(desk_session_and_query_pass_without_an_approval_and_nothing_else),
        T(desk_a_captured_token_is_masked_and_stands_only_where_it_is_named),
        T(desk_deadlines_and_budgets_move_with_a_clock_that_is_set_back),
        T(desk_timers_of_a_bay_come_back_once),
        T(desk_what_no_budget_can_carry_is_not_held),
        T(desk_a_ban_of_a_day_holds_for_a_day),
        T(desk_a_request_may_wait_as_long_as_its_ticket_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
