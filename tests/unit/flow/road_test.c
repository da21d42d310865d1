/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what goes to egress is exactly what the core wants, and what comes back from a bay, which
 * is hostile, becomes a fact only when it can be one. Method: effects and words by hand; random
 * words from a printed seed, where nothing may pass that the core's own rules would not bear.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "flow/road.h"

static struct road_names names(void)
{
    struct road_names n = {.account = 3, .instrument_count = 2};
    n.instrument[0].id = 7;
    n.instrument[0].settle_exp = -8;
    strcpy(n.instrument[0].settle, "USD");
    n.instrument[1] = n.instrument[0];
    n.instrument[1].id = 9;
    return n;
}

static struct tn_said fill(void)
{
    struct tn_said s = {.size = sizeof s,
                        .kind = TN_SAID_FILL,
                        .instrument = 9,
                        .side = TN_SHORT,
                        .last_qty = 5,
                        .last_price = 700,
                        .cum_qty = 5,
                        .leaves_qty = 1,
                        .fee = 25,
                        .fee_exp = -2,
                        .liquidity = 2};
    const struct road_client id = {.epoch = 2, .order = 1234567, .attempt = 1};
    road_client_text(&id, s.client_id);
    strcpy(s.venue_id, "81");
    strcpy(s.trade_id, "4711");
    strcpy(s.fee_currency, "USD");
    return s;
}

static void road_approvals_rise_with_events_and_effects(void **state)
{
    (void)state;
    assert_true(road_approval(5, 65535) < road_approval(6, 1));
    assert_true(road_approval(5, 1) < road_approval(5, 2));
    assert_int_equal(road_approval_seq(road_approval(77, 9000)), 77);
}

static void road_client_ids_read_back_and_others_do_not(void **state)
{
    (void)state;
    uint64_t seed = 11;
    struct rng r;
    rng_seed(&r, seed);
    for (uint32_t i = 0; i < 20000; i++) {
        struct road_client in = {.epoch = rng_next(&r) & 0xffffffff,
                                 .order = rng_next(&r) >> rng_below(&r, 63),
                                 .attempt = (uint32_t)rng_below(&r, 5) + 1};
        struct road_client out = {0};
        char text[ROAD_CLIENT_ID_BYTES];
        in.order = in.order == 0 ? 1 : in.order;
        road_client_text(&in, text);
        if (!road_client_read(text, sizeof text, &out) || out.epoch != in.epoch ||
            out.order != in.order || out.attempt != in.attempt)
            fail_msg("seed %lu: %s does not read back", (unsigned long)seed, text);
    }
    static const char *const others[] = {
        "",         "T",      "T1-",    "T1-5",   "K1-5",          "T1-5-", "T1-05-1",
        "T1-5-1-1", "t1-5-1", "T1-O-1", "T1-0-1", "T1-5-ZZZZZZZZ", "T1--1", "T1-ZZZZZZZZZZZZZZ-1"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct road_client out;
        char text[ROAD_CLIENT_ID_BYTES] = {0};
        strncpy(text, others[i], sizeof text - 1);
        if (road_client_read(text, sizeof text, &out))
            fail_msg("%s is taken for one of ours", others[i]);
    }
}

static void road_order_waits_for_its_record_unless_it_reduces(void **state)
{
    (void)state;
    const struct fact_head h = {.seq = 40, .sub = 3, .t_ns = 99};
    struct fact_send s = {.order = 41000, .attempt = 1, .account = 3, .qty = 5, .price = 10};
    struct road_order o;
    road_order_of(&h, &s, &o);
    assert_int_equal(o.seq, 40);
    assert_int_equal(o.t_ns, 99);
    assert_int_equal(o.approval, road_approval(40, 3));
    assert_memory_equal(&o.send, &s, sizeof s);
    s.reduce_only = 1;
    road_order_of(&h, &s, &o);
    assert_int_equal(o.seq, 0);
}

static void road_fill_becomes_the_fill_it_says(void **state)
{
    (void)state;
    const struct road_names n = names();
    struct tn_said s = fill();
    struct fact_exec e;
    assert_null(road_exec_of(&n, &s, &e));
    assert_int_equal(e.kind, FACT_EXEC_TRADE);
    assert_int_equal(e.order, 1234567);
    assert_int_equal(e.account, 3);
    assert_int_equal(e.instrument, 9);
    assert_int_equal(e.trade_id, 4711);
    assert_int_equal(e.venue_order, 81);
    assert_int_equal(e.last_qty, 5);
    assert_int_equal(e.last_price, 700);
    assert_int_equal(e.fee, 25000000); /* 0.25 on the settle exponent */
    assert_int_equal(e.liquidity, FACT_TAKER);
    strcpy(s.client_id, "somebody-else");
    assert_null(road_exec_of(&n, &s, &e));
    assert_int_equal(e.order, 0); /* EXTERNAL */
}

static void refused(struct tn_said s, const char *what)
{
    const struct road_names n = names();
    struct fact_exec e;
    if (road_exec_of(&n, &s, &e) == NULL)
        fail_msg("%s passes", what);
}

static void road_words_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct tn_said s;
#define BAD(change, what)                                                                          \
    s = fill();                                                                                    \
    change;                                                                                        \
    refused(s, what)
    BAD(s.instrument = 8, "another instrument");
    BAD(s.kind = 99, "an unknown kind");
    BAD(s.kind = 0, "no kind");
    BAD(s.size = 8, "another size");
    BAD(s.side = 0, "a fill without a side");
    BAD(s.side = 3, "a side that is none");
    BAD(s.last_qty = 0, "a fill of nothing");
    BAD(s.last_qty = -1, "a negative fill");
    BAD(s.last_price = 0, "a fill without a price");
    BAD(s.trade_id[0] = 0, "a fill without an id");
    BAD(strcpy(s.fee_currency, "EUR"), "a fee in other money");
    BAD(s.fee_exp = 99, "a fee of an exponent that is none");
    BAD(s.fee = INT64_MAX; s.fee_exp = 12, "a fee that does not fit");
    BAD(s.cum_qty = -1, "a negative sum");
    BAD(s.found = 9, "an unknown finding");
#undef BAD
}

static void road_ids_that_are_no_numbers_never_meet_a_number(void **state)
{
    (void)state;
    assert_int_equal(road_number("4711", 64), 4711);
    assert_int_equal(road_number("", 64), 0);
    assert_int_equal(road_number("0", 64), 0);
    assert_true(road_number("abc-1", 64) >> 63 == 1);
    assert_true(road_number("04711", 64) >> 63 == 1);
    assert_true(road_number("18446744073709551616", 64) >> 63 == 1);
    assert_int_not_equal(road_number("abc-1", 64), road_number("abc-2", 64));
}

/* Random bytes where an adapter's word should be: what passes keeps the rules of a fact. */
static void road_random_words_keep_the_rules(void **state)
{
    (void)state;
    const struct road_names n = names();
    uint64_t seed = 23, passed = 0;
    struct rng r;
    rng_seed(&r, seed);
    for (uint32_t i = 0; i < 50000; i++) {
        struct tn_said s = fill();
        struct fact_exec e;
        uint8_t *bytes = (uint8_t *)&s;
        for (uint32_t k = 0; k < 1 + rng_below(&r, 6); k++)
            bytes[4 + rng_below(&r, sizeof s - 4)] = (uint8_t)rng_next(&r);
        if (road_exec_of(&n, &s, &e) != NULL)
            continue;
        passed++;
        bool good = e.account == 3 && (e.instrument == 7 || e.instrument == 9) &&
                    e.kind >= FACT_EXEC_NEW && e.kind <= FACT_EXEC_STATUS && e.side <= TN_SHORT &&
                    e.cum_qty >= 0 && e.leaves_qty >= 0 && e.reason <= FACT_REJECT_OTHER &&
                    memchr(e.text, 0, sizeof e.text) != NULL;
        if (e.kind == FACT_EXEC_TRADE)
            good = good && e.last_qty > 0 && e.last_price > 0 && e.trade_id != 0 && e.side != 0;
        if (!good)
            fail_msg("seed %lu, word %u: a word that cannot be passed", (unsigned long)seed, i);
    }
    assert_true(passed > 1000);
}

static void road_market_data_are_checked(void **state)
{
    (void)state;
    const struct road_names n = names();
    struct fact_view v;
    struct tn_event ev = {.size = sizeof ev, .type = TN_EVENT_TRADE, .t_ns = 5, .instrument = 7};
    ev.u.trade = (struct tn_trade){.price = 10, .qty = 2, .aggressor = TN_LONG};
    assert_null(road_market_of(&n, &ev, &v));
    assert_int_equal(v.head.type, FACT_TRADE);
    assert_int_equal(v.u.fact_trade.price, 10);
    ev.u.trade.qty = 0;
    assert_non_null(road_market_of(&n, &ev, &v));
    ev.u.trade.qty = 2;
    ev.instrument = 8;
    assert_non_null(road_market_of(&n, &ev, &v));
    ev.instrument = 7;
    ev.type = TN_EVENT_POSITION;
    assert_non_null(road_market_of(&n, &ev, &v));
    ev.type = TN_EVENT_BAR;
    ev.u.bar = (struct tn_bar){.open_ns = 1, .open = 5, .high = 4, .low = 3, .close = 4};
    assert_non_null(road_market_of(&n, &ev, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(road_approvals_rise_with_events_and_effects),
        cmocka_unit_test(road_client_ids_read_back_and_others_do_not),
        cmocka_unit_test(road_order_waits_for_its_record_unless_it_reduces),
        cmocka_unit_test(road_fill_becomes_the_fill_it_says),
        cmocka_unit_test(road_words_that_cannot_be_are_refused),
        cmocka_unit_test(road_ids_that_are_no_numbers_never_meet_a_number),
        cmocka_unit_test(road_random_words_keep_the_rules),
        cmocka_unit_test(road_market_data_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
