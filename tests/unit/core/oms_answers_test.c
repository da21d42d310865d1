/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: cancels get through (after the ack, after silence, after a refusal), a restart doubts every
 * order until it is found, and fills that no live order explains are looked up or become EXTERNAL.
 * Method: a rigged core, one answer at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_rig.h"

static struct core_rig r;

static int setup(void **state)
{
    (void)state;
    rig_open(&r);
    return 0;
}

static int setup_small(void **state)
{
    (void)state;
    rig_open_sized(&r, &(struct core_limits){.fills = 4});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_check(r.core);
    rig_close(&r);
    return 0;
}

static uint8_t state_of(uint64_t id)
{
    const struct order_row *o = oms_order(r.core, id);
    return o ? o->state : 0;
}

static uint64_t with_ttl(int64_t ttl_ns)
{
    rig_signal_full(&r, (struct fact_signal){.side = TN_LONG,
                                             .advice = TN_ADVICE_LIMIT | TN_ADVICE_TTL,
                                             .limit_offset = 1000,
                                             .ttl_ns = ttl_ns});
    return rig_sent_order(&r)->order;
}

static void oms_answers_ttl_cancels_exactly_when_due(void **state)
{
    (void)state;
    uint64_t id = with_ttl(10 * RIG_S);
    rig_exec(&r, id, FACT_EXEC_NEW);
    int64_t due = r.t_ns + 10 * RIG_S;
    assert_int_equal(core_deadline(r.core), due);
    rig_tick(&r, due - 1);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0);
    rig_tick(&r, due);
    const struct fact_cancel *c = rig_effect(&r, FACT_CANCEL, 0);
    assert_non_null(c);
    assert_int_equal(c->why, FACT_CANCEL_TTL);
    assert_int_equal(c->venue_order, id + 1);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
    assert_int_equal(core_totals(r.core)->ttl_cancels, 1);
}

static void oms_answers_cancel_waits_for_the_ack(void **state)
{
    (void)state;
    uint64_t id = with_ttl(2 * RIG_S);
    rig_tick(&r, r.t_ns + 2 * RIG_S);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0); /* SENDING: nothing to cancel yet */
    rig_sent(&r, id, FACT_SENT_OK);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0);
    rig_exec(&r, id, FACT_EXEC_NEW);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    assert_int_equal(state_of(id), ORDER_STATE_PEND_CANCEL);
}

static void oms_answers_cancel_goes_when_the_ack_never_comes(void **state)
{
    (void)state;
    uint64_t id = with_ttl(2 * RIG_S);
    rig_tick(&r, r.t_ns + 2 * RIG_S);
    rig_tick(&r, r.t_ns + 3 * RIG_S);
    assert_int_equal(state_of(id), ORDER_STATE_UNKNOWN);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    assert_int_equal(rig_count(&r, FACT_QUERY), 1);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
}

static void oms_answers_refused_cancel_is_tried_again(void **state)
{
    (void)state;
    uint64_t id = with_ttl(2 * RIG_S);
    rig_exec(&r, id, FACT_EXEC_NEW);
    rig_tick(&r, r.t_ns + 2 * RIG_S);
    rig_exec(&r, id, FACT_EXEC_CANCEL_REJECT);
    assert_int_equal(state_of(id), ORDER_STATE_WORKING);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0); /* not in a tight loop */
    assert_int_equal(core_deadline(r.core), r.t_ns + RIG_S);
    rig_tick(&r, r.t_ns + RIG_S);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    rig_cancel_sent(&r, id, FACT_SENT_FAILED); /* never left */
    assert_int_equal(state_of(id), ORDER_STATE_WORKING);
    rig_tick(&r, r.t_ns + RIG_S);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    rig_cancel_sent(&r, id, FACT_SENT_OK);
    rig_fill(&r, id, 5000, 999000);
    rig_exec(&r, id, FACT_EXEC_CANCEL_REJECT);
    assert_int_equal(state_of(id), ORDER_STATE_PARTIAL);
    rig_tick(&r, r.t_ns + RIG_S);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(core_totals(r.core)->cancelled_after_partial, 1);
    assert_int_equal(core_totals(r.core)->cancels, 4);
}

static void oms_answers_silent_cancel_is_unknown(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 1000000);
    rig_signal(&r, TN_FLAT, 0);
    rig_cancel_sent(&r, id, FACT_SENT_UNKNOWN); /* the venue or the clock decides */
    assert_int_equal(state_of(id), ORDER_STATE_PEND_CANCEL);
    rig_tick(&r, r.t_ns + 5 * RIG_S);
    assert_int_equal(state_of(id), ORDER_STATE_UNKNOWN);
    rig_status(&r, id, FACT_FOUND_DONE);
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
}

static void oms_answers_venue_ends_by_itself(void **state)
{
    (void)state;
    uint64_t a = rig_working(&r, TN_LONG, 1000000);
    rig_exec(&r, a, FACT_EXEC_EXPIRED);
    assert_int_equal(state_of(a), ORDER_STATE_EXPIRED);
    assert_int_equal(rig_count(&r, FACT_SEND), 0); /* the next signal plans again, not this */
    rig_at(&r, r.t_ns + 2 * RIG_S);
    uint64_t b = rig_working(&r, TN_LONG, 1000000);
    rig_exec(&r, b, FACT_EXEC_VENUE_CANCEL);
    assert_int_equal(state_of(b), ORDER_STATE_CANCELLED);
    rig_exec(&r, b, FACT_EXEC_REJECTED);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_REPEATED), 1);
    rig_exec(&r, b, 99); /* a kind of report that does not exist */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FORBIDDEN), 1);
    assert_int_equal(state_of(b), ORDER_STATE_CANCELLED);
}

static void oms_answers_of_unknown_orders_are_counted(void **state)
{
    (void)state;
    rig_exec(&r, 77, FACT_EXEC_NEW);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_ORDER), 1);
    rig_sent(&r, 77, FACT_SENT_OK);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_ORDER), 1);
    rig_status(&r, 77, FACT_FOUND_WORKING);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_ORDER), 1);
}

static void oms_answers_restart_doubts_until_found(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_signal(&r, TN_LONG, 900000);
    uint64_t flying = rig_sent_order(&r)->order;
    rig_start(&r, 2);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_SAFE_START);
    assert_int_equal(state_of(flying), ORDER_STATE_UNKNOWN); /* never "not sent" */
    assert_int_equal(rig_count(&r, FACT_QUERY), 1);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    assert_false(core_auto(r.core, RIG_S1));
    rig_auto(&r, true);
    rig_status(&r, flying, FACT_FOUND_ABSENT);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_SAFE_START);
    rig_status(&r, flying, FACT_FOUND_WORKING);
    assert_int_equal(state_of(flying), ORDER_STATE_WORKING);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_ACTIVE);
    const struct fact_moded *m = rig_effect(&r, FACT_MODED, 0);
    assert_int_equal(m->why, FACT_WHY_CLEAN);
}

static void oms_answers_restart_denies_new_risk_until_found(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    rig_signal(&r, TN_LONG, 900000);
    rig_start(&r, 2);
    rig_auto(&r, true);
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2, .side = TN_LONG});
    assert_int_equal(rig_decision(&r)->denied_by, 1u << (RISK_MODE - 1));
    assert_int_equal(rig_decision(&r)->rule[RISK_MODE - 1].observed, MODE_SAFE_START);
}

static void oms_answers_client_ids_differ_by_epoch_and_order(void **state)
{
    (void)state;
    rig_signal(&r, TN_LONG, 1000000);
    char a[FACT_NAME_BYTES], b[FACT_NAME_BYTES];
    const struct fact_send *s = rig_sent_order(&r);
    uint64_t id = s->order;
    memcpy(a, s->client_id, sizeof a);
    core_client_id(1, id, 1, b);
    assert_string_equal(a, b);
    core_client_id(2, id, 1, b);
    assert_string_not_equal(a, b);
    core_client_id(1, id, 2, b);
    assert_string_not_equal(a, b);
    core_client_id(UINT32_MAX, UINT64_MAX, UINT32_MAX, b); /* the longest there is */
    assert_int_equal(strlen(b), 1 + 7 + 1 + 13 + 1 + 7);
    assert_string_equal(b, "T3ZZZZZZ-FZZZZZZZZZZZZ-3ZZZZZZ");
}

static void oms_answers_fill_without_an_order_is_external(void **state)
{
    (void)state;
    rig_fill(&r, 0, 4000, 1000000);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_EXTERNAL), 1);
    const struct fact_position *p = rig_effect(&r, FACT_POSITION, 0);
    assert_int_equal(p->strategy, 0);
    assert_int_equal(p->net, 4000);
    rig_hold(&r, TN_LONG, 500000);
    assert_int_equal(((const struct fact_position *)rig_effect(&r, FACT_POSITION, 0))->net, 9000);
    struct fact_exec e = {
        .trade_id = 900, .kind = FACT_EXEC_TRADE, .instrument = 9, .last_qty = 1, .last_price = 1};
    rig_exec_full(&r, e);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_INSTRUMENT), 1);
}

/* Egress closed what the venue held: that was the strategy's, so its book is flat too; what is more
 * than anybody held is EXTERNAL. */
static void oms_answers_close_of_egress_is_the_strategies(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    int64_t held = rig_position(&r, RIG_S1, RIG_BTC);
    assert_true(held > 0);
    struct fact_exec e = {.trade_id = 71,
                          .kind = FACT_EXEC_TRADE,
                          .side = TN_SHORT,
                          .last_qty = held - 10,
                          .last_price = 1000000,
                          .fee = 100,
                          .is_close = 1};
    rig_exec_full(&r, e);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 10);
    assert_int_equal(rig_position(&r, 0, RIG_BTC), 0);
    rig_exec_full(&r, e); /* heard again */
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 10);
    e.trade_id = 72;
    e.last_qty = 14;
    rig_exec_full(&r, e);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
    assert_int_equal(rig_position(&r, 0, RIG_BTC), -4);
}

static struct fact_account via_egress(void)
{
    return (struct fact_account){.id = 2,
                                 .currency = RIG_USD,
                                 .balance = 1,
                                 .simulated = 1,
                                 .via = FACT_VIA_EGRESS,
                                 .name = "out"};
}

/* Until its venue was reconciled, an account takes no new risk, and the start is not clean. */
static void oms_answers_account_in_doubt_waits_for_its_reconciliation(void **state)
{
    (void)state;
    const struct fact_account a = via_egress();
    struct fact_sync s = {.account = 2, .phase = FACT_SYNC_WHOLE};
    rig_step(&r, FACT_ACCOUNT, &a);
    assert_int_equal(r.core->account[2].in_doubt, 1);
    const struct fact_start start = {.epoch = 9, .core_logic = 1, .kind = FACT_RUN_PAPER};
    rig_step(&r, FACT_START, &start);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_SAFE_START);
    rig_step(&r, FACT_SYNC, &s);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_ACTIVE);
    s.phase = FACT_SYNC_LOST;
    rig_step(&r, FACT_SYNC, &s);
    assert_int_equal(r.core->account[2].in_doubt, 1);
    struct book_row b = {.account = 2};
    assert_int_equal(mode_effective(r.core, &b), MODE_SAFE_START);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_GLOBAL, 0), MODE_ACTIVE); /* others go on */
    s.account = 1; /* at home in the engine: nobody can say such a thing of it */
    rig_step(&r, FACT_SYNC, &s);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    s = (struct fact_sync){.account = 2, .phase = FACT_SYNC_WHOLE};
    rig_step(&r, FACT_SYNC, &s);
    b.account = 2;
    assert_int_equal(mode_effective(r.core, &b), MODE_ACTIVE);
}

/* A venue that goes on saying that more is filled than its adapter delivers: the account is in
 * doubt until the executions were asked for as a whole; only then the order ends without them. */
static void withheld(uint64_t *id, struct fact_exec *done)
{
    r.core->account[RIG_ACCOUNT].def.via = FACT_VIA_EGRESS;
    *id = rig_working(&r, TN_LONG, 1000000);
    rig_fill(&r, *id, 3000, 999000);
    *done = (struct fact_exec){
        .order = *id, .kind = FACT_EXEC_STATUS, .found = FACT_FOUND_DONE, .cum_qty = 5000};
    for (uint32_t i = 1; i < 8; i++) {
        rig_exec_full(&r, *done);
        assert_int_equal(rig_alerts(&r, FACT_ALERT_MISSING_FILLS), 0);
        rig_tick(&r, r.t_ns + 5 * RIG_S);
    }
    rig_exec_full(&r, *done);
    const struct fact_alert *a = rig_effect(&r, FACT_ALERT, 0);
    assert_int_equal(a->what, FACT_ALERT_MISSING_FILLS);
    assert_int_equal(a->account, RIG_ACCOUNT);
    assert_int_equal(a->a - a->b, 2000);
    assert_int_equal(mode_effective(r.core, &r.core->book[1]), MODE_SAFE_START);
    rig_exec_full(&r, *done); /* nothing new as long as nobody has asked for the executions */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_MISSING_FILLS), 0);
    assert_int_equal(state_of(*id), ORDER_STATE_PARTIAL);
}

static void oms_answers_withheld_fills_are_fetched_by_a_reconciliation(void **state)
{
    (void)state;
    const struct fact_sync whole = {.account = RIG_ACCOUNT, .phase = FACT_SYNC_WHOLE};
    struct fact_exec done;
    uint64_t id;
    withheld(&id, &done);
    rig_fill(&r, id, 2000, 999000);
    rig_step(&r, FACT_SYNC, &whole);
    assert_int_equal(rig_count(&r, FACT_QUERY), 1);
    rig_exec_full(&r, done);
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
    assert_int_equal(rig_count(&r, FACT_ALERT), 0);
    assert_int_equal(mode_effective(r.core, &r.core->book[1]), MODE_ACTIVE);
}

static void oms_answers_fills_withheld_from_a_reconciliation_end_the_order(void **state)
{
    (void)state;
    const struct fact_sync whole = {.account = RIG_ACCOUNT, .phase = FACT_SYNC_WHOLE};
    struct fact_exec done;
    uint64_t id;
    withheld(&id, &done);
    rig_step(&r, FACT_SYNC, &whole);
    rig_exec_full(&r, done);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_MISSING_FILLS), 1);
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
    assert_int_equal(core_open_orders(r.core), 0);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_ACCOUNT, RIG_ACCOUNT), MODE_REDUCING);
    rig_tick(&r, r.t_ns + 600 * RIG_S);
    assert_int_equal(rig_count(&r, FACT_QUERY), 0);
}

/* A status that overtakes its fill is no loss, however often that happens to a long-lived order. */
static void oms_answers_fills_that_come_after_their_status_are_not_missed(void **state)
{
    (void)state;
    r.core->account[RIG_ACCOUNT].def.via = FACT_VIA_EGRESS;
    const uint64_t id = rig_working(&r, TN_LONG, 1000000);
    struct fact_exec seen = {
        .order = id, .kind = FACT_EXEC_STATUS, .found = FACT_FOUND_WORKING, .leaves_qty = 1000};
    for (uint32_t i = 1; i < 12; i++) {
        seen.cum_qty = 10 * (int64_t)i;
        rig_exec_full(&r, seen);
        assert_int_equal(rig_count(&r, FACT_ALERT), 0);
        rig_fill(&r, id, 10, 999000);
        rig_exec_full(&r, seen);
    }
    assert_int_equal(mode_effective(r.core, &r.core->book[1]), MODE_ACTIVE);
}

/* Another account's venue has no word on an order. */
static void oms_answers_word_of_another_account_changes_nothing(void **state)
{
    (void)state;
    const struct fact_account a = via_egress();
    rig_step(&r, FACT_ACCOUNT, &a);
    rig_signal(&r, TN_LONG, 1000000);
    uint64_t id = rig_sent_order(&r)->order;
    rig_exec(&r, id, FACT_EXEC_NEW);
    rig_exec_full(&r, (struct fact_exec){.order = id, .kind = FACT_EXEC_CANCELED, .account = 2});
    assert_int_equal(state_of(id), ORDER_STATE_WORKING);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FORBIDDEN), 1);
}

static void oms_answers_external_has_a_book_on_each_account(void **state)
{
    (void)state;
    struct fact_account second = {.id = 2, .currency = RIG_USD, .balance = 1, .name = "other"};
    rig_step(&r, FACT_ACCOUNT, &second);
    rig_fill(&r, 0, 4000, 1000000);
    rig_exec_full(&r, (struct fact_exec){.trade_id = 50,
                                         .kind = FACT_EXEC_TRADE,
                                         .account = 2,
                                         .last_qty = 700,
                                         .last_price = 1000000});
    const struct fact_position *p = rig_effect(&r, FACT_POSITION, 0);
    assert_int_equal(p->account, 2);
    assert_int_equal(p->qty, 700);
    assert_int_equal(p->net, 700);
    assert_int_equal(net_of(r.core, 1, RIG_BTC)->qty, 4000);
}

static void oms_answers_fill_that_does_not_fit_its_order_is_external(void **state)
{
    (void)state;
    rig_signal(&r, TN_LONG, 1000000);
    uint64_t id = rig_sent_order(&r)->order;
    struct fact_exec e = {.order = id,
                          .trade_id = 60,
                          .kind = FACT_EXEC_TRADE,
                          .instrument = RIG_INV,
                          .last_qty = 5,
                          .last_price = 1000000};
    rig_exec_full(&r, e); /* wrong symbol */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_EXTERNAL), 1);
    assert_int_equal(rig_position(&r, 0, RIG_INV), 5);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
    e = (struct fact_exec){.order = id,
                           .trade_id = 61,
                           .kind = FACT_EXEC_TRADE,
                           .side = TN_SHORT,
                           .last_qty = 5,
                           .last_price = 1000000};
    rig_exec_full(&r, e); /* wrong side */
    assert_int_equal(rig_position(&r, 0, RIG_BTC), -5);
    assert_int_equal(state_of(id), ORDER_STATE_SENDING);
}

static void found(uint64_t order, uint64_t trade, bool booked, uint32_t strategy, int64_t qty)
{
    struct fact_found f = {.order = order,
                           .trade_id = trade,
                           .booked = booked,
                           .strategy = strategy,
                           .instrument = RIG_BTC,
                           .account = RIG_ACCOUNT,
                           .side = TN_LONG,
                           .last_qty = qty,
                           .last_price = 1000000,
                           .fee = 7};
    rig_step(&r, FACT_FOUND, &f);
}

static void oms_answers_lookup_books_what_was_not_booked(void **state)
{
    (void)state;
    rig_fill(&r, 77, 4000, 1000000);
    const struct fact_lookup *l = rig_effect(&r, FACT_LOOKUP, 0);
    assert_non_null(l);
    assert_int_equal(l->trade_id, r.trade_id);
    assert_int_equal(rig_count(&r, FACT_POSITION), 0);
    uint64_t trade = r.trade_id;
    found(77, trade, true, RIG_S1, 4000);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_DUPLICATE_FILL), 1);
    found(77, trade, false, RIG_S1, 4000);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_LATE_FILL), 1);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 4000);
    found(77, trade, false, RIG_S1, 4000); /* asked twice, answered twice */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_DUPLICATE_FILL), 1);
    found(78, 500, false, 0, 300); /* nobody's */
    assert_int_equal(rig_position(&r, 0, RIG_BTC), 300);
    found(79, 501, false, RIG_S2, 300); /* a strategy without this route */
    assert_int_equal(rig_position(&r, 0, RIG_BTC), 600);
    found(80, 502, false, RIG_S1, 0);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_INSTRUMENT), 1);
}

/* With few trade ids remembered, an old order's fill is asked for first, and then is its fill. */
static void oms_answers_found_fill_moves_its_living_order(void **state)
{
    (void)state;
    uint64_t old = rig_working(&r, TN_LONG, 500000);
    for (int i = 0; i < 6; i++) {
        rig_at(&r, r.t_ns + 1);
        rig_fill(&r, 0, 1, 1000000);
    }
    rig_fill(&r, old, 5000, 999000);
    assert_int_equal(rig_count(&r, FACT_LOOKUP), 1);
    assert_int_equal(state_of(old), ORDER_STATE_WORKING);
    found(old, r.trade_id, false, RIG_S1, 5000);
    assert_int_equal(state_of(old), ORDER_STATE_FILLED);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 5000);
    assert_int_equal(core_open_orders(r.core), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(oms_answers_ttl_cancels_exactly_when_due),
        TEST(oms_answers_cancel_waits_for_the_ack),
        TEST(oms_answers_cancel_goes_when_the_ack_never_comes),
        TEST(oms_answers_refused_cancel_is_tried_again),
        TEST(oms_answers_silent_cancel_is_unknown),
        TEST(oms_answers_venue_ends_by_itself),
        TEST(oms_answers_of_unknown_orders_are_counted),
        TEST(oms_answers_restart_doubts_until_found),
        TEST(oms_answers_restart_denies_new_risk_until_found),
        TEST(oms_answers_client_ids_differ_by_epoch_and_order),
        TEST(oms_answers_fill_without_an_order_is_external),
        TEST(oms_answers_close_of_egress_is_the_strategies),
        TEST(oms_answers_account_in_doubt_waits_for_its_reconciliation),
        TEST(oms_answers_word_of_another_account_changes_nothing),
        TEST(oms_answers_withheld_fills_are_fetched_by_a_reconciliation),
        TEST(oms_answers_fills_withheld_from_a_reconciliation_end_the_order),
        TEST(oms_answers_fills_that_come_after_their_status_are_not_missed),
        TEST(oms_answers_external_has_a_book_on_each_account),
        TEST(oms_answers_fill_that_does_not_fit_its_order_is_external),
        TEST(oms_answers_lookup_books_what_was_not_booked),
        cmocka_unit_test_setup_teardown(oms_answers_found_fill_moves_its_living_order, setup_small,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
