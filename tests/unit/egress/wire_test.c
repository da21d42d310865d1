/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: units, words and forms of a wire row mean one thing; a message is read by the row its bytes
 * choose; and what egress fills in reads back as what was wanted.
 * Method: one row per form, hand-written messages; seeded numbers printed and read at all units.
 */
#include "tests/unit/base/dies.h"
#include "base/clock.h"
#include "base/num.h"
#include "egress/wire.h"
#include "tenon/strategy.h"

#define F(m, req, unit, p, v)                                                                      \
    {                                                                                              \
        .size = sizeof(struct tn_wire_field), .meaning = (m), .required = (req),                   \
        .unit_exp = (unit), .path = (p), .value = (v)                                              \
    }
static struct road_row rows[] = {
    {.format = TN_WIRE_WS_JSON,
     .class_of = TN_CLASS_ORDER,
     .match = "op=order",
     .field_count = 10,
     .field = {F(TN_FIELD_SYMBOL, 1, 0, "o.s", ""), F(TN_FIELD_SIDE, 1, 0, "o.d", "B|S"),
               F(TN_FIELD_QTY, 1, -2, "o.q", ""), F(TN_FIELD_PRICE, 1, 127, "o.p", ""),
               F(TN_FIELD_CLIENT_ID, 0, 0, "o.c", ""), F(TN_FIELD_TRIGGER, 0, 127, "o.t", ""),
               F(TN_FIELD_MARGIN_MODE, 0, 0, "o.m", "isolated"),
               F(TN_FIELD_ACCOUNT, 0, 0, "o.a", ""), F(TN_FIELD_CONSTANT, 0, 0, "o.l[]", "x"),
               F(TN_FIELD_REDUCE_ONLY, 0, 0, "o.r", "0|1")}},
    {.format = TN_WIRE_FORM,
     .class_of = TN_CLASS_CANCEL,
     .link = 1,
     .method = TN_METHOD_POST,
     .match = "/cancel",
     .field_count = 2,
     .field = {F(TN_FIELD_VENUE_ID, 1, 0, "id", ""), F(TN_FIELD_CONSTANT, 0, 0, "?v", "2")}},
    {.format = TN_WIRE_WS_JSON, .class_of = TN_CLASS_SESSION, .match = "op=ping", .field_count = 0},
};

static bool knows(void *arg, const char *symbol, uint32_t count)
{
    (void)arg;
    return count == 3 && memcmp(symbol, "BTC", 3) == 0;
}

static struct wire_place place = {
    .row = rows, .row_count = 3, .client_id = TN_CLIENT_ID_NONE, .account = "acc", .knows = knows};
static struct wire_want want = {.class_of = TN_CLASS_ORDER,
                                .side = TN_SHORT,
                                .type = TN_ORDER_LIMIT,
                                .tif = FACT_GTC,
                                .qty_exp = -3,
                                .price_exp = -1,
                                .qty = 1500,
                                .price = 99,
                                .symbol = "BTC",
                                .client_id = "c1",
                                .venue_id = "77"};
static char why[WIRE_WHY_BYTES];

static enum wire_verdict ws(const char *text, uint32_t class_of, bool wanted)
{
    struct wire_message m = {.bytes = text,
                             .body_bytes = (uint32_t)strlen(text),
                             .type = TN_LINK_WS,
                             .class_of = class_of};
    return wire_read(&place, &m, wanted ? &want : NULL, why);
}

static void wire_reads_nested_fields_in_their_units(void **state)
{
    (void)state;
    static const struct {
        enum wire_verdict v;
        const char *order;
    } row[] = {
        {WIRE_SAME, "\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":\"9.9\""},
        {WIRE_SAME, "\"s\":\"BTC\",\"d\":\"S\",\"q\":\"150\",\"p\":9.90,\"c\":\"c1\""},
        {WIRE_SAME,
         "\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9,\"m\":\"isolated\",\"a\":\"acc\""},
        {WIRE_DIFFERENT, "\"s\":\"BTC\",\"d\":\"S\",\"q\":1.5,\"p\":9.9"},
        {WIRE_DIFFERENT, "\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":99e-1"},
        {WIRE_DIFFERENT, "\"s\":\"BTC\",\"d\":\"S\",\"q\":-150,\"p\":9.9"},
        {WIRE_DIFFERENT, "\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.91"},
        {WIRE_DIFFERENT, "\"s\":\"BTC\",\"d\":\"s\",\"q\":150,\"p\":9.9"},
        {WIRE_DIFFERENT, "\"s\":\"BTC\",\"d\":\"B|S\",\"q\":150,\"p\":9.9"},
        {WIRE_DIFFERENT, "\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9,\"t\":\"1\""},
        {WIRE_DIFFERENT, "\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9,\"m\":\"cross\""},
        {WIRE_DIFFERENT, "\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9,\"a\":\"other\""},
        {WIRE_DIFFERENT, "\"d\":\"S\",\"q\":150,\"p\":9.9"},
        {WIRE_UNNAMED, "\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9,\"l\":[\"x\"]"},
        {WIRE_UNNAMED, "\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9,\"x\":1"},
    };
    for (uint32_t i = 0; i < sizeof row / sizeof *row; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"op\":\"order\",\"o\":{%s}}", row[i].order);
        if (ws(text, TN_CLASS_ORDER, true) != row[i].v)
            fail_msg("%s: %s", text, why);
    }
    want.tif = FACT_IOC; /* the row has no word for it: the venue would keep the order */
    assert_int_equal(ws("{\"op\":\"order\",\"o\":{\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9}}",
                        TN_CLASS_ORDER, true),
                     WIRE_DIFFERENT);
    want.tif = FACT_GTC;
    want.reduce_only = 1; /* silence would be the venue's default */
    assert_int_equal(ws("{\"op\":\"order\",\"o\":{\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9}}",
                        TN_CLASS_ORDER, true),
                     WIRE_DIFFERENT);
    assert_int_equal(
        ws("{\"op\":\"order\",\"o\":{\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9,\"r\":1}}",
           TN_CLASS_ORDER, true),
        WIRE_SAME);
    want.reduce_only = 0;
}

static void wire_the_bytes_choose_the_row(void **state)
{
    (void)state;
    assert_int_equal(ws("{\"op\":\"ping\"}", TN_CLASS_SESSION, false), WIRE_SAME);
    assert_int_equal(ws("{\"op\":\"ping\",\"n\":1}", TN_CLASS_SESSION, false), WIRE_UNNAMED);
    assert_int_equal(ws("{\"op\":\"order\"}", TN_CLASS_SESSION, false), WIRE_NO_ROW);
    assert_int_equal(ws("{\"op\":\"other\"}", TN_CLASS_SESSION, false), WIRE_NO_ROW);
    assert_int_equal(ws("{\"x\":{\"op\":\"ping\"}}", TN_CLASS_SESSION, false), WIRE_NO_ROW);
    assert_int_equal(ws("{\"op\":\"ping\"", TN_CLASS_SESSION, false), WIRE_UNNAMED);
    /* an order without an approval: its fields act, so they have no name there */
    assert_int_equal(ws("{\"op\":\"order\",\"o\":{\"s\":\"BTC\",\"d\":\"S\",\"q\":150,\"p\":9.9}}",
                        TN_CLASS_ORDER, false),
                     WIRE_DIFFERENT);
    struct wire_message raw = {.bytes = "x", .body_bytes = 1, .type = TN_LINK_RAW};
    assert_int_equal(wire_read(&place, &raw, NULL, why), WIRE_UNNAMED);
}

static enum wire_verdict cancel(const char *path, const char *body)
{
    char text[100];
    struct wire_want w = want;
    struct wire_message m = {.bytes = text,
                             .path_bytes = (uint32_t)strlen(path),
                             .body_bytes = (uint32_t)strlen(body),
                             .link = 1,
                             .type = TN_LINK_HTTP,
                             .method = TN_METHOD_POST,
                             .class_of = TN_CLASS_CANCEL};
    snprintf(text, sizeof text, "%s%s", path, body);
    w.class_of = TN_CLASS_CANCEL;
    return wire_read(&place, &m, &w, why);
}

static void wire_forms_and_queries_are_apart(void **state)
{
    (void)state;
    assert_int_equal(cancel("/cancel", "id=77"), WIRE_SAME);
    assert_int_equal(cancel("/cancel?v=2", "id=77"), WIRE_SAME);
    assert_int_equal(cancel("/cancel?v=3", "id=77"), WIRE_DIFFERENT);
    assert_int_equal(cancel("/cancel?id=77", ""), WIRE_UNNAMED);
    assert_int_equal(cancel("/cancel", "id=78"), WIRE_DIFFERENT);
    assert_int_equal(cancel("/cancel", "id=77&id=77"), WIRE_UNNAMED);
    assert_int_equal(cancel("/cancel", "{\"id\":77}"), WIRE_UNNAMED);
    assert_int_equal(cancel("/cancel", ""), WIRE_DIFFERENT);
    assert_int_equal(cancel("/cancel/", "id=77"), WIRE_NO_ROW);
    assert_int_equal(cancel("//cancel", "id=77"), WIRE_NO_ROW);
    assert_int_equal(cancel("/Cancel", "id=77"), WIRE_NO_ROW);
}

static void wire_what_is_filled_in_reads_back(void **state)
{
    (void)state;
    struct rng rng;
    uint32_t exact = 0;
    print_message("seed 5\n");
    rng_seed(&rng, 5);
    for (uint32_t i = 0; i < 20000; i++) {
        char text[WIRE_TEXT_BYTES];
        struct tn_wire_field *f = &rows[0].field[2];
        struct wire_want w = want;
        int64_t back;
        f->unit_exp = rng_below(&rng, 2) ? 127 : (int32_t)rng_below(&rng, 9) - 4;
        w.qty_exp = (int32_t)rng_below(&rng, 12) - 9;
        w.qty = (int64_t)rng_below(&rng, 1000000) * num_pow10((int)rng_below(&rng, 6));
        int32_t n = wire_print(&rows[0], TN_FIELD_QTY, &w, text);
        if (n < 0) {
            assert_int_not_equal(f->unit_exp, 127);
            continue;
        }
        assert_true(wire_number(f, text, (uint32_t)n, w.qty_exp, &back));
        assert_int_equal(back, w.qty);
        exact++;
    }
    assert_true(exact > 10000);
    rows[0].field[2].unit_exp = -2;
    char text[WIRE_TEXT_BYTES];
    assert_int_equal(wire_print(&rows[0], TN_FIELD_SIDE, &want, text), 1);
    assert_int_equal(text[0], 'S');
    assert_int_equal(wire_print(&rows[0], TN_FIELD_TIF, &want, text), -1); /* no such field */
    assert_int_equal(wire_print(&rows[0], TN_FIELD_ACCOUNT, &want, text), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_reads_nested_fields_in_their_units),
        cmocka_unit_test(wire_the_bytes_choose_the_row),
        cmocka_unit_test(wire_forms_and_queries_are_apart),
        cmocka_unit_test(wire_what_is_filled_in_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
