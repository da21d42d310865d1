/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: an order is sent at most once and then found out: each ambiguous case of the order rules
 * does what they say. Method: a rigged core, one answer at a time in every order the venue may give
 * them; after each the state, the exposure that is still held, the position and what was asked are
 * looked at. core_check runs after each step in the sanitized build.
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

static int teardown(void **state)
{
    (void)state;
    core_check(r.core);
    rig_close(&r);
    return 0;
}

static uint64_t sent(void)
{
    rig_signal(&r, TN_LONG, 1000000);
    return rig_sent_order(&r)->order;
}

static uint8_t state_of(uint64_t id)
{
    const struct order_row *o = oms_order(r.core, id);
    return o ? o->state : 0;
}

static int64_t held(void)
{
    return book_find(r.core, RIG_S1, RIG_BTC)->work_buy;
}

/* Ticks exactly when the core wants one, until t; counts the queries. */
static uint32_t ticks_until(int64_t t_ns)
{
    uint32_t queries = 0;
    for (int64_t d; (d = core_deadline(r.core)) <= t_ns;) {
        rig_tick(&r, d > r.t_ns ? d : r.t_ns);
        queries += rig_count(&r, FACT_QUERY);
    }
    rig_at(&r, t_ns);
    return queries;
}

static void oms_timeout_is_unknown_and_asks_at_its_times(void **state)
{
    (void)state;
    uint64_t id = sent();
    int64_t t0 = r.t_ns + 5 * RIG_S;
    assert_int_equal(core_deadline(r.core), t0);
    rig_tick(&r, t0 - 1);
    assert_int_equal(state_of(id), ORDER_STATE_SENDING);
    static const int64_t after[] = {0, 200000000, 1000000000, 3000000000, 8000000000, 13000000000};
    for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
        assert_int_equal(core_deadline(r.core), t0 + after[i]);
        rig_tick(&r, t0 + after[i]);
        assert_int_equal(rig_count(&r, FACT_QUERY), 1);
        assert_int_equal(rig_count(&r, FACT_SEND), 0); /* asked for, never sent again */
        assert_int_equal(state_of(id), ORDER_STATE_UNKNOWN);
        assert_int_equal(held(), 10000);
    }
}

static void oms_second_silence_asks_quickly_again(void **state)
{
    (void)state;
    uint64_t id = sent();
    ticks_until(r.t_ns + 30 * RIG_S); /* UNKNOWN, many queries */
    rig_status(&r, id, FACT_FOUND_WORKING);
    assert_int_equal(state_of(id), ORDER_STATE_WORKING);
    rig_signal(&r, TN_FLAT, 0);
    rig_tick(&r, r.t_ns + 5 * RIG_S); /* the cancel is silent too */
    assert_int_equal(state_of(id), ORDER_STATE_UNKNOWN);
    assert_int_equal(core_deadline(r.core), r.t_ns + 200000000);
}

static void oms_failed_with_0_bytes_ends(void **state)
{
    (void)state;
    uint64_t a = sent();
    rig_sent(&r, a, FACT_SENT_FAILED);
    assert_int_equal(state_of(a), ORDER_STATE_EXPIRED);
    assert_int_equal(held(), 0);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    uint64_t b = sent();
    assert_true(b > a);
    rig_sent(&r, b, FACT_SENT_SUPPRESSED);
    assert_int_equal(state_of(b), ORDER_STATE_EXPIRED);
    assert_int_equal(core_open_orders(r.core), 0);
}

static void oms_unknown_send_is_asked_at_once(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_sent(&r, id, FACT_SENT_UNKNOWN);
    assert_int_equal(state_of(id), ORDER_STATE_UNKNOWN);
    assert_int_equal(core_deadline(r.core), r.t_ns);
    rig_tick(&r, r.t_ns);
    assert_int_equal(rig_count(&r, FACT_QUERY), 1);
    rig_sent(&r, id, FACT_SENT_FAILED); /* 0 bytes left after all: proof */
    assert_int_equal(state_of(id), ORDER_STATE_EXPIRED);
}

static void oms_unknown_order_is_cancelled_once_by_newer_signals(void **state)
{
    (void)state;
    uint32_t cancels = 0;
    uint64_t id = sent();
    rig_sent(&r, id, FACT_SENT_UNKNOWN);
    for (uint32_t i = 0; i < 10; i++) {
        rig_signal(&r, TN_LONG, 1000 + (int32_t)i * 50000);
        cancels += rig_count(&r, FACT_CANCEL);
    }
    assert_int_equal(state_of(id), ORDER_STATE_UNKNOWN);
    assert_int_equal(cancels, 1);
    rig_status(&r, id, FACT_FOUND_WORKING); /* the cancel was lost with the silence */
    cancels = 0;
    for (uint32_t i = 0; i < 5; i++) {
        rig_tick(&r, r.t_ns + RIG_S);
        cancels += rig_count(&r, FACT_CANCEL);
    }
    assert_true(cancels >= 1);
}

static void oms_fill_before_ack_is_ack_and_fill(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_fill(&r, id, 4000, 1000000);
    assert_int_equal(state_of(id), ORDER_STATE_PARTIAL);
    rig_exec(&r, id, FACT_EXEC_NEW);
    assert_int_equal(state_of(id), ORDER_STATE_PARTIAL);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_REPEATED), 1);
    assert_int_equal(held(), 6000);
    assert_int_equal(core_deadline(r.core), r.t_ns + 60 * RIG_S); /* the ack ended the waiting */
}

static void oms_fill_twice_is_booked_once(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_fill(&r, id, 4000, 1000000);
    r.trade_id--;
    rig_fill(&r, id, 4000, 1000000);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_DUPLICATE_FILL), 1);
    assert_int_equal(rig_count(&r, FACT_POSITION), 0);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 4000);
    assert_int_equal(oms_order(r.core, id)->cum, 4000);
}

static void oms_ack_twice_changes_nothing(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 1000000);
    rig_exec(&r, id, FACT_EXEC_NEW);
    assert_int_equal(rig_count(&r, FACT_ORDER), 0);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_REPEATED), 1);
    rig_sent(&r, id, FACT_SENT_FAILED); /* a lie: the venue has it */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FORBIDDEN), 1);
    assert_int_equal(state_of(id), ORDER_STATE_WORKING);
}

static void oms_cancel_too_late_waits_for_the_fill(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 1000000);
    rig_signal(&r, TN_FLAT, 0);
    assert_int_equal(state_of(id), ORDER_STATE_PEND_CANCEL);
    rig_exec(&r, id, FACT_EXEC_CANCEL_LATE);
    assert_int_equal(state_of(id), ORDER_STATE_PEND_CANCEL);
    assert_int_equal(held(), 10000); /* position comes from fills only */
    rig_fill(&r, id, 10000, 999000);
    assert_int_equal(state_of(id), ORDER_STATE_FILLED);
    assert_int_equal(rig_sent_order(&r)->side, TN_SHORT); /* flat is still wanted */
}

static void oms_fill_then_cancel_too_late_is_late_evidence(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 1000000);
    rig_signal(&r, TN_FLAT, 0);
    rig_fill(&r, id, 10000, 999000);
    rig_exec(&r, id, FACT_EXEC_CANCEL_LATE);
    assert_int_equal(state_of(id), ORDER_STATE_FILLED);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_REPEATED), 1);
}

static void oms_cancel_ack_then_fill_is_booked_with_an_alert(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 1000000);
    rig_signal(&r, TN_FLAT, 0);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
    assert_int_equal(held(), 0);
    rig_fill(&r, id, 2500, 999000);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_LATE_FILL), 1);
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 2500);
    assert_int_equal(held(), 0);
    assert_int_equal(core_totals(r.core)->fills, 1);
}

static void oms_overfill_is_booked_with_an_alert(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_fill(&r, id, 9000, 1000000);
    rig_fill(&r, id, 4000, 1000000);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_OVERFILL), 1);
    assert_int_equal(state_of(id), ORDER_STATE_FILLED);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 13000);
    assert_int_equal(held(), 0);
}

static void oms_fill_beyond_all_figures_books_nothing(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_fill(&r, id, INT64_MAX, 1000000);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FORBIDDEN), 1);
    rig_fill(&r, id, CORE_QTY_MAX, 1000000);
    rig_fill(&r, id, CORE_QTY_MAX, 1000000); /* cum would not fit */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_OVERFLOW), 1);
    assert_int_equal(oms_order(r.core, id)->cum, CORE_QTY_MAX);
    rig_fill(&r, id, 0, 1000000);
    rig_fill(&r, id, 1, 0);
    rig_fill(&r, id, -1, 1000000);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_BAD_PRICE), 1);
}

static void bust(uint64_t id, uint64_t trade, int64_t qty, int64_t price)
{
    rig_exec_full(&r, (struct fact_exec){.order = id,
                                         .trade_id = trade,
                                         .kind = FACT_EXEC_BUST,
                                         .last_qty = qty,
                                         .last_price = price,
                                         .fee = 100});
}

static void oms_bust_reverses_once(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_fill(&r, id, 4000, 1000000);
    uint64_t trade = r.trade_id;
    bust(id, trade, 4000, 1000000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
    assert_int_equal(rig_book(&r, RIG_S1, RIG_BTC).fees, 0);
    assert_int_equal(held(), 10000); /* the order works again for all of it */
    bust(id, trade, 4000, 1000000);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_ORDER), 1);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
    bust(id, 999, 4000, 1000000); /* no such fill */
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_UNKNOWN_ORDER), 1);
}

static void oms_bust_of_an_ended_order_moves_money_only(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_fill(&r, id, 10000, 1000000);
    bust(id, r.trade_id, 10000, 1000000);
    assert_int_equal(state_of(id), ORDER_STATE_FILLED);
    assert_int_equal(held(), 0);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
    rig_fill(&r, id, 10000, 1000000); /* busted, then filled again */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_LATE_FILL), 1);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 10000);
}

static void oms_bust_of_a_late_fill_of_a_rejected_order(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_exec(&r, id, FACT_EXEC_REJECTED);
    rig_fill(&r, id, 4000, 1000000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 4000);
    bust(id, r.trade_id, 4000, 1000000);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FORBIDDEN), 0);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
}

static void oms_bust_of_an_external_fill(void **state)
{
    (void)state;
    rig_fill(&r, 0, 4000, 1000000);
    assert_int_equal(rig_position(&r, 0, RIG_BTC), 4000);
    bust(0, r.trade_id, 4000, 1000000);
    assert_int_equal(rig_position(&r, 0, RIG_BTC), 0);
    bust(0, r.trade_id, 4000, 1000000);
    assert_int_equal(rig_position(&r, 0, RIG_BTC), 0);
}

static void oms_bust_larger_than_the_order_is_an_alarm(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_fill(&r, id, 4000, 1000000);
    bust(id, r.trade_id, 5000, 1000000);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_FORBIDDEN), 1);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 4000);
}

static void oms_proved_absent_frees_and_late_life_reopens(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_sent(&r, id, FACT_SENT_UNKNOWN);
    rig_status(&r, id, FACT_FOUND_ABSENT);
    assert_int_equal(state_of(id), ORDER_STATE_UNKNOWN); /* proves nothing */
    assert_int_equal(held(), 10000);
    rig_status(&r, id, FACT_FOUND_PROVED_ABSENT);
    assert_int_equal(state_of(id), ORDER_STATE_ABSENT);
    assert_int_equal(held(), 0);
    rig_exec(&r, id, FACT_EXEC_NEW);
    assert_int_equal(state_of(id), ORDER_STATE_EXTERNAL);
    assert_int_equal(held(), 10000);
    assert_int_equal(rig_alerts(&r, FACT_ALERT_EXTERNAL), 1);
    rig_fill(&r, id, 10000, 1000000);
    assert_int_equal(state_of(id), ORDER_STATE_FILLED);
}

static void oms_proved_absent_of_what_was_there_means_it_ended(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 1000000);
    rig_status(&r, id, FACT_FOUND_PROVED_ABSENT);
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
}

static void oms_done_with_fills_missing_is_not_the_end(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 1000000);
    rig_fill(&r, id, 3000, 999000);
    struct fact_exec done = {
        .order = id, .kind = FACT_EXEC_STATUS, .found = FACT_FOUND_DONE, .cum_qty = 5000};
    rig_exec_full(&r, done);
    assert_int_equal(state_of(id), ORDER_STATE_PARTIAL);
    assert_int_equal(held(), 7000);
    assert_int_equal(ticks_until(r.t_ns + RIG_S), 1); /* asked again */
    rig_fill(&r, id, 2000, 999000);
    rig_exec_full(&r, done);
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 5000);
}

/* They never come: the questions have an end, and so has the order; its account only reduces. */
static void oms_fills_that_never_come_end_the_order(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 1000000);
    rig_fill(&r, id, 3000, 999000);
    const struct fact_exec done = {
        .order = id, .kind = FACT_EXEC_STATUS, .found = FACT_FOUND_DONE, .cum_qty = 5000};
    uint32_t asked = 0, alerts = 0;
    for (uint32_t i = 0; i < 20 && state_of(id) != ORDER_STATE_CANCELLED; i++) {
        rig_exec_full(&r, done);
        alerts += rig_alerts(&r, FACT_ALERT_MISSING_FILLS);
        if (state_of(id) == ORDER_STATE_CANCELLED)
            break;
        assert_int_equal(alerts, 0);
        assert_int_equal(held(), 7000);
        rig_tick(&r, r.t_ns + 5 * RIG_S);
        asked += rig_count(&r, FACT_QUERY);
    }
    assert_int_equal(state_of(id), ORDER_STATE_CANCELLED);
    assert_int_equal(asked, 7);
    assert_int_equal(alerts, 1);
    assert_int_equal(held(), 0);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_ACCOUNT, RIG_ACCOUNT), MODE_REDUCING);
    rig_fill(&r, id, 2000, 999000); /* money all the same */
    assert_int_equal(rig_alerts(&r, FACT_ALERT_LATE_FILL), 1);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 5000);
}

static void oms_unresolved_for_5_minutes_is_quarantined(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_sent(&r, id, FACT_SENT_UNKNOWN);
    int64_t since = r.t_ns;
    uint32_t queries = ticks_until(since + 299 * RIG_S);
    assert_int_equal(state_of(id), ORDER_STATE_UNKNOWN);
    assert_in_range(queries, 60, 64);
    ticks_until(since + 305 * RIG_S);
    assert_int_equal(state_of(id), ORDER_STATE_QUARANTINE);
    assert_int_equal(held(), 10000);
    assert_true(ticks_until(since + 1000 * RIG_S) >= 130); /* still asked */
    rig_status(&r, id, FACT_FOUND_WORKING);
    assert_int_equal(state_of(id), ORDER_STATE_WORKING);
}

static void oms_duplicate_id_reject_proves_the_first_was_taken(void **state)
{
    (void)state;
    uint64_t id = sent();
    rig_exec_full(&r, (struct fact_exec){.order = id,
                                         .kind = FACT_EXEC_REJECTED,
                                         .reason = FACT_REJECT_DUPLICATE});
    assert_int_equal(state_of(id), ORDER_STATE_WORKING);
    assert_int_equal(held(), 10000);
    rig_tick(&r, r.t_ns);
    assert_int_equal(rig_count(&r, FACT_QUERY), 1);
}

static int setup_small(void **state)
{
    (void)state;
    rig_open_sized(&r, &(struct core_limits){.orders = 4, .fills = 4});
    return 0;
}

static void rest_for(int64_t seconds)
{
    rig_at(&r, r.t_ns + seconds * RIG_S);
    rig_quote(&r, RIG_BTC, 999900, 1000100);
}

static void oms_full_table_denies_and_ended_rows_are_reused(void **state)
{
    (void)state;
    uint64_t first = 0;
    for (int i = 0; i < 4; i++) { /* each beside the last: the cancelled one never answers */
        rig_signal(&r, TN_LONG, 1000000 - i * 1000);
        if (i == 0)
            first = rig_sent_order(&r)->order;
        else
            rig_exec(&r, rig_sent_order(&r)->order, FACT_EXEC_REJECTED);
        rest_for(2);
        rig_exec(&r, first, FACT_EXEC_REJECTED);
    }
    assert_int_equal(core_open_orders(r.core), 0);
    uint64_t next = sent(); /* takes the row of the oldest */
    assert_null(oms_order(r.core, first));
    assert_int_equal(state_of(next), ORDER_STATE_SENDING);
    rig_fill(&r, first, 100, 1000000); /* of an order the core no longer holds */
    assert_int_equal(rig_count(&r, FACT_LOOKUP), 1);
    assert_int_equal(rig_count(&r, FACT_POSITION), 0);
}

static void oms_no_row_left_is_a_denial(void **state)
{
    (void)state;
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    rig_hold(&r, TN_LONG, 100000);
    struct fact_signal s = {
        .instance = RIG_S2, .side = TN_LONG, .advice = TN_ADVICE_TARGET, .target_ppm = 100000};
    rig_signal_full(&r, s);
    rig_fill(&r, rig_sent_order(&r)->order, 1000, 1000000);
    for (int i = 0; i < 2; i++) { /* turn: close and open, twice two orders */
        s = (struct fact_signal){.instance = i ? RIG_S2 : RIG_S1,
                                 .side = TN_SHORT,
                                 .advice = TN_ADVICE_TARGET,
                                 .target_ppm = 50000};
        rig_signal_full(&r, s);
        assert_int_equal(rig_count(&r, FACT_SEND), 2);
    }
    assert_int_equal(core_open_orders(r.core), 4);
    rig_route(&r, RIG_S1, RIG_INV, 1000000000000);
    rig_quote(&r, RIG_INV, 999900, 1000100);
    s = (struct fact_signal){.instance = RIG_S1, .instrument = RIG_INV, .side = TN_LONG};
    rig_signal_full(&r, s);
    assert_int_equal(rig_decision(&r)->result[RISK_OPEN_ORDERS], FACT_RULE_DENY);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define SMALL(f) cmocka_unit_test_setup_teardown(f, setup_small, teardown)
    const struct CMUnitTest tests[] = {
        TEST(oms_timeout_is_unknown_and_asks_at_its_times),
        TEST(oms_second_silence_asks_quickly_again),
        TEST(oms_failed_with_0_bytes_ends),
        TEST(oms_unknown_send_is_asked_at_once),
        TEST(oms_unknown_order_is_cancelled_once_by_newer_signals),
        TEST(oms_fill_before_ack_is_ack_and_fill),
        TEST(oms_fill_twice_is_booked_once),
        TEST(oms_ack_twice_changes_nothing),
        TEST(oms_cancel_too_late_waits_for_the_fill),
        TEST(oms_fill_then_cancel_too_late_is_late_evidence),
        TEST(oms_cancel_ack_then_fill_is_booked_with_an_alert),
        TEST(oms_overfill_is_booked_with_an_alert),
        TEST(oms_fill_beyond_all_figures_books_nothing),
        TEST(oms_bust_reverses_once),
        TEST(oms_bust_of_an_ended_order_moves_money_only),
        TEST(oms_bust_of_a_late_fill_of_a_rejected_order),
        TEST(oms_bust_of_an_external_fill),
        TEST(oms_bust_larger_than_the_order_is_an_alarm),
        TEST(oms_proved_absent_frees_and_late_life_reopens),
        TEST(oms_proved_absent_of_what_was_there_means_it_ended),
        TEST(oms_done_with_fills_missing_is_not_the_end),
        TEST(oms_fills_that_never_come_end_the_order),
        TEST(oms_unresolved_for_5_minutes_is_quarantined),
        TEST(oms_duplicate_id_reject_proves_the_first_was_taken),
        SMALL(oms_full_table_denies_and_ended_rows_are_reused),
        SMALL(oms_no_row_left_is_a_denial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
