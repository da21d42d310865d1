/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what a client of the venue meets: refusals with their codes, life of an order, pages of
 * fills, proofs of absence; and that a restart knows everything that was acknowledged, from any
 * torn end of its ledger.
 * Method: a house on wall time whose clock the test turns; for restarts a random run whose ledger
 * is cut at random bytes behind its last sync.
 */
#include "house_rig.h"
#include <sys/stat.h>

static struct rig rig, again;

static void begin(void)
{
    rig_set(&rig, TEMPO_WALL, VENUE_PLAIN);
    for (int i = 0; i < 2000; i++)
        rig_quote(&rig, T0 + i * 100 * MS, 9990 + 5 * (i % 7), 10000 + 5 * (i % 7), 10000);
    rig_begin(&rig);
    rig_until(&rig, T0 + SEC);
}

static void expect_code(int status, int want, const char *code)
{
    assert_int_equal(status, want);
    json_t *o = json_loadb(rig.reply.text, rig.reply.count, 0, NULL);
    assert_true(json_is_false(json_object_get(o, "ok")));
    assert_string_equal(json_string_value(json_object_get(o, "code")), code);
    json_decref(o);
}

static int post(const char *body)
{
    return rig_ask(&rig, MINE, HOUSE_POST, "/v1/orders", "", body);
}

#define ORDER(symbol, qty, price, more)                                                            \
    "{\"client_id\":\"a\",\"symbol\":\"" symbol "\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":"  \
    "\"" qty "\",\"price\":\"" price "\",\"tif\":\"gtc\"" more "}"

static void house_bad_requests_are_refused_with_a_code(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{}",
        ORDER("LIN", "1", "1", ",\"more\":1"),
        ORDER("LIN", "1", "1", ",\"at\":5"),
        ORDER("LIN", "1", "1", ",\"at\":\"-5\""),
        ORDER("LIN", "1", "1", ",\"at\":\"5x\""),
        ORDER("LIN", "1", "1", ",\"reduce_only\":\"no\""),
        ORDER("LIN", "1", "1", ",\"qty\":\"2\""),
        "{\"client_id\":\"a "
        "b\",\"symbol\":\"LIN\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":\"1\","
        "\"price\":\"1\",\"tif\":\"gtc\"}",
        "{\"client_id\":\"a\",\"symbol\":\"LIN\",\"side\":\"long\",\"type\":\"limit\",\"qty\":"
        "\"1\","
        "\"price\":\"1\",\"tif\":\"gtc\"}",
        "{\"client_id\":\"a\",\"symbol\":\"LIN\",\"side\":\"buy\",\"type\":\"market\",\"qty\":"
        "\"1\","
        "\"price\":\"1\",\"tif\":\"gtc\"}"};
    begin();
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        expect_code(post(malformed[i]), 400, "MALFORMED");
    expect_code(post(ORDER("NO", "1", "1", "")), 400, "SYMBOL");
    expect_code(post(ORDER("LIN", "0", "1", "")), 400, "QTY");
    expect_code(post(ORDER("LIN", "0.0001", "1", "")), 400, "QTY");
    expect_code(post(ORDER("LIN", "1", "1.001", "")), 400, "PRICE");
    expect_code(post(ORDER("LIN", "1", "-1", "")), 400, "PRICE");
    expect_code(rig_ask(&rig, MINE, HOUSE_DELETE, "/v1/orders", "", ""), 400, "MALFORMED");
    expect_code(rig_ask(&rig, MINE, HOUSE_DELETE, "/v1/orders", "client_id=x&x=1", ""), 400,
                "MALFORMED");
    expect_code(rig_ask(&rig, MINE, HOUSE_DELETE, "/v1/orders", "client_id=x", ""), 404, "UNKNOWN");
    expect_code(rig_ask(&rig, MINE, HOUSE_DELETE, "/v1/orders/all", "symbol=NO", ""), 400,
                "SYMBOL");
    expect_code(rig_ask(&rig, MINE, HOUSE_GET, "/v1/fills", "limit=0", ""), 400, "MALFORMED");
    expect_code(rig_ask(&rig, MINE, HOUSE_GET, "/v1/nothing", "", ""), 404, "MALFORMED");
    struct house_totals t;
    house_totals(rig.h, &t);
    assert_int_equal(t.orders, 0);
    rig_remove(&rig);
}

static void house_order_lives_and_is_found(void **state)
{
    (void)state;
    begin();
    assert_int_equal(rig_order(&rig, "a", "buy", "1", "99", "gtc", 0), 200);
    assert_int_equal(rig.said_count, 0); /* received is not accepted */
    rig_until(&rig, T0 + 2 * SEC);
    assert_string_equal(said_word(rig_last(&rig, "new", "a"), "order_id"), "1");
    assert_string_equal(said_word(rig_last(&rig, "new", "a"), "due"), ""); /* wall time has none */
    expect_code(rig_order(&rig, "a", "buy", "1", "99", "gtc", 0), 409, "DUPLICATE");
    assert_int_equal(rig_find(&rig, "a", 0), 0);
    uint64_t ticket = rig.tickets;
    rig_until(&rig, T0 + 3 * SEC);
    assert_int_equal(rig.said[rig.said_count - 1].ticket, ticket);
    assert_string_equal(said_word(&rig.said[rig.said_count - 1], "found"), "working");
    assert_int_equal(rig_ask(&rig, OTHERS, HOUSE_DELETE, "/v1/orders", "client_id=a", ""), 404);
    assert_int_equal(rig_ask(&rig, OTHERS, HOUSE_GET, "/v1/orders", "client_id=a", ""), 404);
    assert_int_equal(rig_cancel(&rig, "a", 0), 200);
    rig_until(&rig, T0 + 4 * SEC);
    rig_last(&rig, "canceled", "a");
    assert_int_equal(rig_cancel(&rig, "a", 0), 200);
    rig_until(&rig, T0 + 5 * SEC);
    rig_last(&rig, "cancel_late", "a");
    assert_int_equal(rig_order(&rig, "b", "buy", "0.015", "100", "gtc", 0), 200);
    rig_until(&rig, T0 + 6 * SEC);
    assert_string_equal(said_word(rig_last(&rig, "rejected", "b"), "code"), "QTY");
    house_check(rig.h);
    rig_remove(&rig);
}

static void house_fills_come_in_pages_and_positions_add_up(void **state)
{
    (void)state;
    char client[16], query[64];
    int64_t after = 0, bought = 0, pages = 0;
    begin();
    for (int i = 0; i < 25; i++) {
        snprintf(client, sizeof client, "f%d", i);
        assert_int_equal(rig_order(&rig, client, "buy", "0.1", "200", "ioc", 0), 200);
        rig_until(&rig, T0 + (2 + i) * SEC);
    }
    for (bool more = true; more; pages++) {
        snprintf(query, sizeof query, "after=%lld&limit=10", (long long)after);
        assert_int_equal(rig_ask(&rig, MINE, HOUSE_GET, "/v1/fills", query, ""), 200);
        json_t *o = json_loadb(rig.reply.text, rig.reply.count, 0, NULL);
        const json_t *fills = json_object_get(o, "fills");
        assert_true(json_array_size(fills) <= 10);
        for (size_t i = 0; i < json_array_size(fills); i++) {
            struct said s = {.o = json_array_get(fills, i)};
            int64_t trade = strtoll(said_word(&s, "trade_id"), NULL, 10), qty = 0;
            const char *text = said_word(&s, "last_qty");
            assert_true(trade > after);
            after = trade;
            assert_true(is_ok(num_parse(text, strlen(text), -3, false, &qty)));
            bought += qty;
        }
        more = json_is_true(json_object_get(o, "more"));
        json_decref(o);
    }
    assert_int_equal(pages, 3);
    assert_int_equal(bought, 2500);
    assert_int_equal(rig_ask(&rig, MINE, HOUSE_GET, "/v1/positions", "", ""), 200);
    assert_non_null(strstr(rig.reply.text, "\"symbol\":\"LIN\",\"qty\":\"2.5\""));
    assert_int_equal(rig_ask(&rig, OTHERS, HOUSE_GET, "/v1/fills", "", ""), 200);
    assert_non_null(strstr(rig.reply.text, "\"fills\":[]"));
    rig_remove(&rig);
}

static void house_cancel_all_takes_the_orders_of_its_key(void **state)
{
    (void)state;
    char client[16];
    begin();
    for (int i = 0; i < 30; i++) {
        snprintf(client, sizeof client, "c%d", i);
        assert_int_equal(rig_order(&rig, client, "buy", "0.1", "50", "gtc", 0), 200);
    }
    static const char other[] = "{\"client_id\":\"o\",\"symbol\":\"LIN\",\"side\":\"buy\",\"type\":"
                                "\"limit\",\"qty\":\"1\",\"price\":\"50\",\"tif\":\"gtc\"}";
    assert_int_equal(rig_ask(&rig, OTHERS, HOUSE_POST, "/v1/orders", "", other), 200);
    rig_until(&rig, T0 + 2 * SEC);
    assert_int_equal(rig_ask(&rig, MINE, HOUSE_DELETE, "/v1/orders/all", "symbol=LIN", ""), 200);
    assert_non_null(strstr(rig.reply.text, "\"count\":30"));
    rig_until(&rig, T0 + 3 * SEC);
    struct house_totals t;
    house_totals(rig.h, &t);
    assert_int_equal(t.working, 1);
    assert_int_equal(rig_ask(&rig, OTHERS, HOUSE_GET, "/v1/orders/open", "", ""), 200);
    assert_non_null(strstr(rig.reply.text, "\"client_id\":\"o\""));
    rig_remove(&rig);
}

static void house_open_orders_come_in_pages(void **state)
{
    (void)state;
    enum { ORDERS = 700 };
    char client[16], query[64] = "";
    uint32_t seen = 0, pages = 0;
    begin();
    for (int i = 0; i < ORDERS; i++) {
        snprintf(client, sizeof client, "p%d", i);
        assert_int_equal(rig_order(&rig, client, "buy", "0.1", "50", "gtc", 0), 200);
        if (i % 100 == 99) /* within the 200 that the matching takes in a second */
            rig_until(&rig, house_engine_now(rig.h) + SEC);
    }
    for (bool more = true; more; pages++) {
        assert_int_equal(rig_ask(&rig, MINE, HOUSE_GET, "/v1/orders/open", query, ""), 200);
        json_t *o = json_loadb(rig.reply.text, rig.reply.count, 0, NULL);
        const json_t *orders = json_object_get(o, "orders");
        for (size_t i = 0; i < json_array_size(orders); i++) {
            struct said s = {.o = json_array_get(orders, i)};
            snprintf(client, sizeof client, "p%u", seen++);
            assert_string_equal(said_word(&s, "client_id"), client);
        }
        snprintf(query, sizeof query, "after=%s", client);
        more = json_is_true(json_object_get(o, "more"));
        json_decref(o);
    }
    assert_int_equal(seen, ORDERS);
    assert_true(pages > 1);
    expect_code(rig_ask(&rig, MINE, HOUSE_GET, "/v1/orders/open", "after=none", ""), 400,
                "MALFORMED");
    expect_code(rig_ask(&rig, OTHERS, HOUSE_GET, "/v1/orders/open", query, ""), 400, "MALFORMED");
    rig_remove(&rig);
}

/* A query that finds nothing makes sure that nothing comes. */
static void house_absence_is_proved_by_refusing_the_id(void **state)
{
    (void)state;
    begin();
    assert_int_equal(rig_find(&rig, "T1-Z-1", 0), 200);
    assert_non_null(strstr(rig.reply.text, "\"found\":\"proved_absent\""));
    assert_int_equal(rig_find(&rig, "late", 0), 200);
    expect_code(rig_order(&rig, "T1-Z-1", "buy", "1", "99", "gtc", 0), 409, "DUPLICATE");
    expect_code(rig_order(&rig, "T1-Z-2", "buy", "1", "99", "gtc", 0), 409, "DUPLICATE");
    rig_end(&rig);
    rig.event_at = 0;
    rig_begin(&rig);
    expect_code(rig_order(&rig, "late", "buy", "1", "99", "gtc", 0), 409, "DUPLICATE");
    assert_int_equal(rig_order(&rig, "new", "buy", "1", "99", "gtc", 0), 200);
    struct house_totals t;
    house_totals(rig.h, &t);
    assert_int_equal(t.voided, 2);
    assert_int_equal(t.duplicates, 3);
    rig_remove(&rig);
}

static void house_client_ids_decode_to_orders(void **state)
{
    (void)state;
    assert_int_equal(house_order_of("T1-100-1"), 1024);
    assert_int_equal(house_order_of("T7-ZZ-2"), 31 * 32 + 31);
    static const char *const others[] = {"",
                                         "T",
                                         "T1",
                                         "T1-",
                                         "T1-1",
                                         "T1-1-",
                                         "T1-1-1x",
                                         "t1-1-1",
                                         "T1-1-1-1",
                                         "T0-1-1",
                                         "T1-0-1",
                                         "T1-I-1",
                                         "T1-ZZZZZZZZZZZZZ-1",
                                         "K1"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(house_order_of(others[i]), 0);
}

/* ---- restarts ---- */
static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void copy_cut(const char *from, const char *to, off_t count)
{
    static char bytes[4 * 1024 * 1024];
    FILE *f = fopen(from, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_true((off_t)n >= count);
    f = fopen(to, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, (size_t)count, f), count);
    fclose(f);
}

/* Every order that was acknowledged is there with what was known of it, and nothing else. */
static void compare_lives(uint32_t acknowledged, uint32_t fills)
{
    const struct house *a = rig.h, *b = again.h;
    assert_true(b->row_count >= acknowledged && b->row_count <= a->row_count);
    assert_true(b->fill_count >= fills && b->fill_count <= a->fill_count);
    for (uint32_t i = 0; i < b->row_count; i++) {
        assert_string_equal(b->row[i].client, a->row[i].client);
        assert_int_equal(b->row[i].order, a->row[i].order);
        assert_int_equal(b->row[i].qty, a->row[i].qty);
        assert_true(b->row[i].cum <= a->row[i].cum && b->row[i].state <= a->row[i].state);
    }
    for (uint32_t i = 0; i < b->fill_count; i++)
        assert_memory_equal(&b->fill[i], &a->fill[i], sizeof a->fill[i]);
    house_check(b);
}

static void reopen(off_t count, uint32_t acknowledged, uint32_t fills)
{
    rig_set(&again, TEMPO_WALL, VENUE_DEMO);
    copy_cut(rig.ledger, again.ledger, count);
    again.mono_ns = rig.mono_ns;
    again.wall_ns = rig.wall_ns;
    memcpy(again.event, rig.event, sizeof rig.event);
    again.event_count = rig.event_count;
    rig_begin(&again);
    compare_lives(acknowledged, fills);
    rig_until(&again, house_engine_now(again.h) + 30 * SEC); /* what waited is decided now */
    assert_int_equal(again.h->waiting_count, 0);
    for (uint32_t i = 0; i < again.h->row_count; i++)
        assert_int_not_equal(again.h->row[i].state, HOUSE_RECEIVED);
    /* The matching knows them too; the demo refuses some cancels and is slow with others. */
    for (int i = 0; i < 20 && again.h->working > 0; i++) {
        assert_int_equal(rig_ask(&again, MINE, HOUSE_DELETE, "/v1/orders/all", "", ""), 200);
        rig_until(&again, house_engine_now(again.h) + 10 * SEC);
    }
    assert_int_equal(again.h->working, 0);
    house_check(again.h);
    rig_remove(&again);
}

static void house_restart_knows_what_was_acknowledged(void **state)
{
    (void)state;
    struct rng g;
    const char *text = getenv("TENON_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20261121;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_seed(&g, seed);
    rig_set(&rig, TEMPO_WALL, VENUE_DEMO);
    for (int i = 0; i < 4000; i++)
        rig_quote(&rig, T0 + i * 50 * MS, 9990 + 5 * (i * 7 % 23), 10000 + 5 * (i * 7 % 23),
                  10 * (int64_t)(1 + rng_below(&g, 500)));
    rig_begin(&rig);
    for (int i = 0; i < 400; i++) {
        char client[16], price[16];
        snprintf(client, sizeof client, "r%d", i);
        snprintf(price, sizeof price, "%.2f", 99 + 0.05 * (double)rng_below(&g, 60));
        rig_until(&rig, house_engine_now(rig.h) + (int64_t)rng_below(&g, 300) * MS);
        const char *side = rng_below(&g, 2) ? "buy" : "sell";
        assert_int_equal(rig_order(&rig, client, side, "0.4", price, "gtc", 0), 200);
        snprintf(client, sizeof client, "r%d", (int)rng_below(&g, (uint64_t)i + 1));
        if (rng_below(&g, 3) == 0)
            assert_int_equal(rig_cancel(&rig, client, 0), 200);
        struct trail tr = {0};
        assert_true(is_ok(house_sync(rig.h, &tr)));
        if (i % 10 != 9)
            continue;
        off_t synced = size_of(rig.ledger);
        uint32_t orders = rig.h->row_count, fills = rig.h->fill_count;
        rig_until(&rig, house_engine_now(rig.h) + 100 * MS);
        assert_true(is_ok(house_sync(rig.h, &tr)));
        off_t torn = (off_t)rng_below(&g, (uint64_t)(size_of(rig.ledger) - synced) + 1);
        reopen(synced + torn, orders, fills);
    }
    assert_true(rig.h->fill_count > 100);
    rig_remove(&rig);
}

static void house_other_instruments_refuse_the_ledger(void **state)
{
    (void)state;
    struct trail tr = {0};
    begin();
    assert_int_equal(rig_order(&rig, "a", "buy", "1", "99", "gtc", 0), 200);
    rig_end(&rig);
    rig.in.def.qty_exp = -4;
    struct result r = house_open(&rig.c, &rig.h, &tr);
    assert_int_equal(r.code, RESULT_CORRUPT);
    assert_non_null(strstr(trail_sentence(&tr, r), "instrument id=1 symbol=LIN"));
    rig.h = NULL;
    rig_remove(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(house_bad_requests_are_refused_with_a_code),
        cmocka_unit_test(house_order_lives_and_is_found),
        cmocka_unit_test(house_fills_come_in_pages_and_positions_add_up),
        cmocka_unit_test(house_open_orders_come_in_pages),
        cmocka_unit_test(house_cancel_all_takes_the_orders_of_its_key),
        cmocka_unit_test(house_absence_is_proved_by_refusing_the_id),
        cmocka_unit_test(house_client_ids_decode_to_orders),
        cmocka_unit_test(house_restart_knows_what_was_acknowledged),
        cmocka_unit_test(house_other_instruments_refuse_the_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
