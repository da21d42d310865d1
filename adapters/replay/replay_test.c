/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: every row of a file becomes exactly the right event or a report with its line and reason,
 * for every shape, and whatever the cut between calls. Tests named case_N answer the cases of the
 * bad-input list with that number.
 * Method: the plugin's sources are compiled in, so that the sanitizers see them. One harness feeds
 * a text in pieces of a given size, checks the contract of each call, and keeps what came out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include "adapters/replay/decimal.c"
#include "adapters/replay/header.c"
#include "adapters/replay/replay.c"

enum { OUT_MAX = 4096, MINUTE = 60 };
#define NS 1000000000ll

struct got {
    uint32_t events, reports, header_error;
    uint64_t rows, used, off_tick;
    struct tn_event event[OUT_MAX];
    struct tn_row_report report[OUT_MAX];
};
static struct got one, two;

struct setup {
    int32_t price_exp, qty_exp;
    int64_t tick, bar_ns;
    uint32_t stamp;
    uint32_t room; /* events and reports per call */
};
static const struct setup plain = {-2, -3, 1, MINUTE *NS, TN_STAMP_START, 64};

static uint64_t memory[1024];
static size_t memory_used;
static void *take_memory(void *self, uint64_t bytes)
{
    (void)self;
    assert_true(memory_used + bytes <= sizeof memory);
    void *p = (uint8_t *)memory + memory_used;
    memset(p, 0, bytes);
    memory_used += (bytes + 15) & ~(size_t)15;
    return p;
}

static void *make(const struct setup *s)
{
    static struct tn_instrument in;
    in = (struct tn_instrument){.size = sizeof in,
                                .id = 5,
                                .price_exp = s->price_exp,
                                .qty_exp = s->qty_exp,
                                .tick = s->tick,
                                .lot = 1};
    struct tn_source_create c = {.size = sizeof c,
                                 .instrument = &in,
                                 .instrument_count = 1,
                                 .stamp = s->stamp,
                                 .bar_ns = s->bar_ns};
    struct tn_host host = {.size = sizeof host, .alloc = take_memory};
    void *inst = NULL;
    memory_used = 0;
    assert_int_equal(ops.create(&host, &c, &inst), TN_OK);
    assert_int_equal(ops.base.activate(inst), TN_OK);
    return inst;
}

/* Set where the stamp of each row is its line: then events must come before reports. */
static bool is_stamped_by_line;

/* One call into exactly-sized arrays, so that a write past them is seen. */
static uint64_t call(void *inst, const struct setup *s, const uint8_t *bytes, size_t count,
                     uint32_t final, struct got *g)
{
    struct tn_source_out out = {
        .size = sizeof out, .event_capacity = s->room, .report_capacity = s->room};
    out.event = malloc(s->room * sizeof *out.event);
    out.report = malloc(s->room * sizeof *out.report);
    uint8_t *copy = malloc(count + (count == 0));
    assert_true(out.event != NULL && out.report != NULL && copy != NULL);
    memcpy(copy, bytes, count);
    uint64_t used = 0;
    assert_int_equal(ops.feed(inst, copy, count, final, &used, &out), TN_OK);
    assert_true(used <= count && out.event_count <= s->room && out.report_count <= s->room);
    if (is_stamped_by_line && out.event_count > 0 && out.report_count > 0)
        assert_true(out.event[out.event_count - 1].t_ns < (int64_t)out.report[0].line);
    assert_true(g->events + out.event_count <= OUT_MAX && g->reports + out.report_count <= OUT_MAX);
    memcpy(&g->event[g->events], out.event, out.event_count * sizeof *out.event);
    memcpy(&g->report[g->reports], out.report, out.report_count * sizeof *out.report);
    g->events += out.event_count;
    g->reports += out.report_count;
    g->rows = out.rows;
    g->used = out.rows_used;
    g->off_tick = out.off_tick;
    g->header_error = out.header_error;
    free(copy);
    free(out.event);
    free(out.report);
    return used;
}

static void feed_all(const struct setup *s, const char *text, size_t count, size_t cut,
                     struct got *g)
{
    memset(g, 0, sizeof *g);
    void *inst = make(s);
    size_t from = 0, upto = 0;
    while (!g->header_error) {
        uint32_t before = g->events + g->reports;
        uint64_t used = call(inst, s, (const uint8_t *)text + from, upto - from, upto == count, g);
        from += used;
        if (used == 0 && g->events + g->reports == before) {
            if (upto == count)
                break;
            upto = count - upto < cut ? count : upto + cut;
        }
    }
    assert_true(g->header_error || from == count);
    if (!g->header_error)
        assert_int_equal(g->rows, g->used + g->reports);
    assert_int_equal(g->used, g->events);
    ops.base.deactivate(inst);
    ops.base.destroy(inst);
}

static void run(const struct setup *s, const char *text)
{
    feed_all(s, text, strlen(text), 1 << 20, &one);
}

static void expect_report(uint32_t i, uint64_t line, uint32_t reason)
{
    assert_true(i < one.reports);
    assert_int_equal(one.report[i].line, line);
    assert_int_equal(one.report[i].reason, reason);
}

/* The one data row of this text is refused for this reason. */
static void expect_refused(const struct setup *s, const char *header, const char *row,
                           uint32_t reason)
{
    char text[8192];
    snprintf(text, sizeof text, "%s\n%s\n", header, row);
    run(s, text);
    if (one.reports != 1 || one.report[0].reason != reason)
        print_message("row '%.60s': %u reports, reason %u, wanted %u\n", row, one.reports,
                      one.report[0].reason, reason);
    assert_int_equal(one.events, 0);
    assert_int_equal(one.reports, 1);
    expect_report(0, 2, reason);
}

static const char bars[] = "ts_ns,open,high,low,close,volume";
static const char trades[] = "ts_ns,price,qty";
static const char quotes[] = "ts_ns,bid,bid_size,ask,ask_size";

/* ---- shapes ---- */
static void replay_bars_give_end_stamp_and_exact_numbers(void **state)
{
    (void)state;
    run(&plain, "ts_ns,open,high,low,close,volume,trades,x\n"
                "1000000000000000000,1.5,2.25,1.00,2,7.001,12,zz\r\n"
                "1000000060000000000,2,2,2,2,0,,\n");
    assert_int_equal(one.events, 2);
    const struct tn_event *ev = &one.event[0];
    assert_int_equal(ev->type, TN_EVENT_BAR);
    assert_int_equal(ev->size, sizeof *ev);
    assert_int_equal(ev->instrument, 5);
    assert_int_equal(ev->t_ns, 1000000060000000000);
    assert_int_equal(ev->u.bar.open_ns, 1000000000000000000);
    assert_int_equal(ev->u.bar.open, 150);
    assert_int_equal(ev->u.bar.high, 225);
    assert_int_equal(ev->u.bar.low, 100);
    assert_int_equal(ev->u.bar.close, 200);
    assert_int_equal(ev->u.bar.volume, 7001);
    assert_int_equal(ev->flags, 0);
    struct setup end = plain;
    end.stamp = TN_STAMP_END;
    run(&end, "ts_ns,open,high,low,close\n1000000060000000000,1,1,1,1\n");
    assert_int_equal(one.event[0].t_ns, 1000000060000000000);
    assert_int_equal(one.event[0].u.bar.open_ns, 1000000000000000000);
    assert_int_equal(one.event[0].u.bar.volume, 0);
}

static void replay_columns_in_any_order_and_dates(void **state)
{
    (void)state;
    struct setup day = plain;
    day.bar_ns = 86400 * NS;
    run(&day, "volume,close,low,high,open,date\n5,2,1,3,2,2016-02-29\n5,2,1,3,2,1970-01-02");
    assert_int_equal(one.events, 1);
    assert_int_equal(one.event[0].u.bar.open_ns, 1456704000 * NS);
    expect_report(0, 3, TN_ROW_TIME); /* before the last one */
    expect_refused(&day, "date,open,high,low,close", "2015-02-29,1,1,1,1", TN_ROW_TIME);
    expect_refused(&day, "date,open,high,low,close", "2015-13-01,1,1,1,1", TN_ROW_TIME);
    expect_refused(&day, "date,open,high,low,close", "2015-1-01,1,1,1,1", TN_ROW_TIME);
}

static void replay_trades_of_each_form_give_side(void **state)
{
    (void)state;
    run(&plain, "ts_ns,trade_id,side,price,qty,cost\n10,1,sell,1.5,2,3\n10,2,buy,1.5,2,3\n"
                "11,2,,1.5,2,3\n12,2,SELL,1.5,2,3\n");
    assert_int_equal(one.events, 3); /* equal stamps are fine */
    assert_int_equal(one.event[0].type, TN_EVENT_TRADE);
    assert_int_equal(one.event[0].t_ns, 10);
    assert_int_equal(one.event[0].u.trade.price, 150);
    assert_int_equal(one.event[0].u.trade.qty, 2000);
    assert_int_equal(one.event[0].u.trade.aggressor, TN_SHORT);
    assert_int_equal(one.event[1].u.trade.aggressor, TN_LONG);
    assert_int_equal(one.event[2].u.trade.aggressor, 0);
    expect_report(0, 5, TN_ROW_FIELDS);
    run(&plain, "recv_ns,seq,event_ns,trade_ns,trade_id,price,qty,buyer_is_maker,order_type\n"
                "10,1,8,8,3,1,1,true,MARKET\n11,1,8,8,3,1,1,false,\n");
    assert_int_equal(one.event[0].t_ns, 10);
    assert_int_equal(one.event[0].u.trade.aggressor, TN_SHORT);
    assert_int_equal(one.event[1].u.trade.aggressor, TN_LONG);
}

static void replay_flagged_trades_are_reported(void **state)
{
    (void)state;
    run(&plain, "ts_ns,price,size,exchange,condition_hex,suspicious\n"
                "10,1,1,P,20002020,0\n9,1,1,P,,1\n11,1,1,P,,1\n12,1,1,P,,2\n");
    assert_int_equal(one.events, 1);
    expect_report(0, 3, TN_ROW_FLAGGED);
    expect_report(1, 4, TN_ROW_FLAGGED);
    expect_report(2, 5, TN_ROW_FIELDS);
}

static void replay_quotes_with_and_without_sizes(void **state)
{
    (void)state;
    run(&plain, "ts_ns,bid,ask\n10,1.39,1.40\n");
    assert_int_equal(one.event[0].type, TN_EVENT_QUOTE);
    assert_int_equal(one.event[0].u.quote.bid, 139);
    assert_int_equal(one.event[0].u.quote.ask, 140);
    assert_int_equal(one.event[0].u.quote.bid_qty, 0);
    run(&plain,
        "ts_ns,bid,bid_size,ask,ask_size\n10,0,0,1,2\n11,1,5,2,0\n12,0,0,0,0\n13,1,0,0,3\n");
    assert_int_equal(one.events, 2);
    assert_int_equal(one.event[0].u.quote.bid, 0);
    assert_int_equal(one.event[0].u.quote.ask_qty, 2000);
    assert_int_equal(one.event[1].u.quote.ask, 0); /* nothing is offered there */
    expect_report(0, 4, TN_ROW_EMPTY);
    expect_report(1, 5, TN_ROW_EMPTY);
}

static void replay_quote_bars_give_closing_quote_at_end(void **state)
{
    (void)state;
    run(&plain, "ts_ns,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,"
                "ask_close,ask_size\n1000000000000,1,1,1,1.1,0,2,2,2,2.2,7\n"
                "1000000000000,1,1,1,1.1,0,2,2,2,2.2,7\n");
    assert_int_equal(one.events, 1);
    assert_int_equal(one.event[0].t_ns, 1000000000000 + MINUTE * NS);
    assert_int_equal(one.event[0].u.quote.bid, 110);
    assert_int_equal(one.event[0].u.quote.ask, 220);
    assert_int_equal(one.event[0].u.quote.ask_qty, 7000);
    expect_report(0, 3, TN_ROW_REPEAT);
}

static void expect_header_refused(const char *text, const char *why)
{
    run(&plain, text);
    assert_int_equal(one.header_error, 1);
    assert_int_equal(one.reports, 1);
    char said[65] = {0};
    memcpy(said, one.report[0].text, one.report[0].bytes);
    assert_string_equal(said, why);
}

static void case_47_rows_of_several_instruments_are_refused_whole(void **state)
{
    (void)state;
    const char *why = "rows of several instruments; split the file first";
    expect_header_refused("ts_ns,contract,open,high,low,close,volume\n", why);
    expect_header_refused("ts_ns,symbol,price,qty\n", why);
}

static void case_49_unknown_headers_are_refused(void **state)
{
    (void)state;
    expect_header_refused("TS_NS,open,high,low,close\n", "no column ts_ns, recv_ns or date");
    expect_header_refused("\xef\xbb\xbfts_ns,bid,ask\n",
                          "control or non-ASCII bytes in the header");
    expect_header_refused("\n", "no column ts_ns, recv_ns or date");
    expect_header_refused("1514764800000000000,1,1,1,1\n", "no column ts_ns, recv_ns or date");
    expect_header_refused("ts_ns,open,high,low\n", "columns of no known shape, or of two");
    expect_header_refused("ts_ns,price,qty,bid,ask\n", "columns of no known shape, or of two");
    expect_header_refused("ts_ns,price,qty,size\n", "two columns mean the same");
    expect_header_refused("recv_ns,seq,kind,side,price,qty\n",
                          "an unknown column beside trades or quotes");
    expect_header_refused("ts_ns,bid,ask,exchange\n",
                          "quotes per exchange; build the best quote first");
    struct setup no_bars = plain;
    no_bars.bar_ns = 0;
    run(&no_bars, "ts_ns,open,high,low,close\n");
    assert_int_equal(one.header_error, 1);
}

static void case_49_missing_and_extra_fields_are_reported(void **state)
{
    (void)state;
    expect_refused(&plain, bars, "1000,1,1,1,1", TN_ROW_FIELDS);
    expect_refused(&plain, bars, "1000,1,1,1,1,", TN_ROW_FIELDS);
    expect_refused(&plain, bars, "1000,1,,1,1,1", TN_ROW_FIELDS);
    expect_refused(&plain, bars, "1000,1,1,1,1,1,1", TN_ROW_FIELDS);
    expect_refused(&plain, bars, "", TN_ROW_TIME);
    expect_refused(&plain, bars, "open,1,1,1,1,1", TN_ROW_TIME);
}

/* ---- numbers ---- */
static void case_48_numbers_are_exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value; /* at 1e-3; -1: refused */
        uint32_t reason;
    } row[] = {
        {"1", 1000, 0},
        {"1.5", 1500, 0},
        {"001.250", 1250, 0},
        {"1.230000000000000000000000000", 1230, 0},
        {"1000000000000000000000e-18", 1000000, 0},
        {"1e-3", 1, 0},
        {"3.7E+02", 370000, 0},
        {"1.5e3", 1500000, 0},
        {"12345678901234567e-16", -1, TN_ROW_DIGITS},
        {"1e-4", -1, TN_ROW_DIGITS},
        {"0.1234", -1, TN_ROW_DIGITS},
        {"1.0001", -1, TN_ROW_DIGITS},
        {"123456789.1234567891234", -1, TN_ROW_DIGITS},
        {"+1", -1, TN_ROW_NUMBER},
        {" 1", -1, TN_ROW_NUMBER},
        {"1 ", -1, TN_ROW_NUMBER},
        {".5", -1, TN_ROW_NUMBER},
        {"5.", -1, TN_ROW_NUMBER},
        {"1e", -1, TN_ROW_NUMBER},
        {"1e+", -1, TN_ROW_NUMBER},
        {"1e0001", -1, TN_ROW_NUMBER},
        {"0x10", -1, TN_ROW_NUMBER},
        {"1_000", -1, TN_ROW_NUMBER},
        {"nan", -1, TN_ROW_NUMBER},
        {"inf", -1, TN_ROW_NUMBER},
        {"--1", -1, TN_ROW_NUMBER},
        {"1.2.3", -1, TN_ROW_NUMBER},
        {"\"1\"", -1, TN_ROW_NUMBER},
        {"1000000000000000000000000000000000000000000", -1, TN_ROW_NUMBER},
        {"99999999999999999999", -1, TN_ROW_QTY},
        {"1e16", -1, TN_ROW_QTY},
        {"9223372036854775.807", INT64_MAX, 0},
        {"9223372036854775.808", -1, TN_ROW_QTY},
        {"9223372036854775.8071", -1, TN_ROW_DIGITS},
        {"1e300", -1, TN_ROW_QTY},
        {"-0", -1, TN_ROW_QTY},
        {"-1", -1, TN_ROW_QTY},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "10,1,%s", row[i].text);
        if (row[i].value < 0) {
            expect_refused(&plain, trades, line, row[i].reason);
            continue;
        }
        char text[256];
        snprintf(text, sizeof text, "%s\n%s", trades, line);
        run(&plain, text);
        if (one.events != 1 || one.event[0].u.trade.qty != row[i].value)
            fail_msg("'%s' gave %u events, %lld", row[i].text, one.events,
                     (long long)one.event[0].u.trade.qty);
    }
}

static void case_41_prices_and_quantities_out_of_range_are_reported(void **state)
{
    (void)state;
    expect_refused(&plain, trades, "10,0,1", TN_ROW_PRICE);
    expect_refused(&plain, trades, "10,-1,1", TN_ROW_PRICE);
    expect_refused(&plain, trades, "10,1e18,1", TN_ROW_PRICE);
    expect_refused(&plain, trades, "10,1000000000000.01,1", TN_ROW_PRICE);
    expect_refused(&plain, trades, "10,1,0", TN_ROW_QTY);
    expect_refused(&plain, bars, "10,1,1,0,1,1", TN_ROW_PRICE);
    expect_refused(&plain, bars, "10,1,1,1,1,-1", TN_ROW_QTY);
    expect_refused(&plain, bars, "10,1,0.5,0.5,0.6,1", TN_ROW_BAR);
    expect_refused(&plain, bars, "10,1,2,1.5,1.6,1", TN_ROW_BAR);
    expect_refused(&plain, quotes, "10,-1,1,2,1", TN_ROW_PRICE);
    expect_refused(&plain, quotes, "10,1,-1,2,1", TN_ROW_QTY);
    run(&plain, "ts_ns,price,qty\n10,1000000000000,1\n");
    assert_int_equal(one.events, 1);
}

static void case_42_off_tick_rows_are_used_and_counted(void **state)
{
    (void)state;
    struct setup s = plain;
    s.tick = 5;
    run(&s,
        "ts_ns,open,high,low,close,volume\n10,1.05,1.10,1.05,1.05,1\n11,1.05,1.11,1.05,1.05,1\n");
    assert_int_equal(one.events, 2);
    assert_int_equal(one.off_tick, 1);
    assert_int_equal(one.event[0].flags, 0);
    assert_int_equal(one.event[1].flags, TN_EVENT_F_OFF_TICK);
}

static void case_43_time_that_goes_back_is_reported(void **state)
{
    (void)state;
    run(&plain, "ts_ns,price,qty\n10,1,1\n9,1,1\n10,1,1\n");
    assert_int_equal(one.events, 2);
    expect_report(0, 3, TN_ROW_TIME);
    run(&plain, "ts_ns,open,high,low,close\n10,1,1,1,1\n10,1,1,1,1\n9,1,1,1,1\n11,1,1,1,1\n");
    assert_int_equal(one.events, 2);
    expect_report(0, 3, TN_ROW_REPEAT);
    expect_report(1, 4, TN_ROW_TIME);
    expect_refused(&plain, trades, "0,1,1", TN_ROW_TIME);
    expect_refused(&plain, trades, "-5,1,1", TN_ROW_TIME);
    expect_refused(&plain, trades, "1.5,1,1", TN_ROW_TIME);
    expect_refused(&plain, trades, "4000000000000000001,1,1", TN_ROW_TIME);
    expect_refused(&plain, trades, "99999999999999999999,1,1", TN_ROW_TIME);
}

static void case_46_crossed_quotes_are_handed_on(void **state)
{
    (void)state;
    run(&plain, "ts_ns,bid,ask\n10,2,1\n");
    assert_int_equal(one.events, 1); /* data health judges it */
    assert_int_equal(one.event[0].u.quote.bid, 200);
}

static void case_50_long_lines_are_reported_and_skipped(void **state)
{
    (void)state;
    static char text[1 << 20];
    for (size_t cut = 1000; cut <= 1 << 20; cut *= 32) {
        int n = snprintf(text, sizeof text, "ts_ns,price,qty\n10,1,1\n");
        memset(text + n, '1', 700000);
        snprintf(text + n + 700000, 64, "\n11,1,1\n");
        feed_all(&plain, text, strlen(text), cut, &one);
        assert_int_equal(one.events, 2);
        assert_int_equal(one.reports, 1);
        expect_report(0, 3, TN_ROW_LENGTH);
        assert_int_equal(one.report[0].bytes, 64);
        text[n + 700000] = '\0'; /* without an end */
        feed_all(&plain, text, strlen(text), cut, &one);
        assert_int_equal(one.reports, 1);
        expect_report(0, 3, TN_ROW_LENGTH);
        memset(text, 'x', 700000); /* no header in sight */
        feed_all(&plain, text, 700000, cut, &one);
        assert_int_equal(one.header_error, 1);
    }
}

static void replay_line_of_the_greatest_length_is_used(void **state)
{
    (void)state;
    static char text[16384];
    int n = snprintf(text, sizeof text, "ts_ns,open,high,low,close,note\n10,1,1,1,1,");
    int row = n - (int)(strchr(text, '\n') + 1 - text);
    memset(text + n, 'n', 4096 - (size_t)row);
    strcpy(text + n + 4096 - row, "\r\n");
    run(&plain, text);
    assert_int_equal(one.events, 1);
    strcpy(text + n + 4096 - row, "n\n");
    run(&plain, text);
    expect_report(0, 2, TN_ROW_LENGTH);
}

static void replay_control_and_foreign_bytes_are_reported(void **state)
{
    (void)state;
    expect_refused(&plain, trades, "10,1,1\t", TN_ROW_ENCODING);
    expect_refused(&plain, trades, "10,1,\x7f", TN_ROW_ENCODING);
    expect_refused(&plain, trades, "10,1,\xc3\xa9", TN_ROW_ENCODING);
    char text[64];
    memcpy(text, "ts_ns,price,qty\n10,1,1", 22);
    memcpy(text + 22, "\0\n11,1,1\n", 9);
    feed_all(&plain, text, 31, 100, &one);
    expect_report(0, 2, TN_ROW_ENCODING);
    assert_int_equal(one.events, 1);
}

/* ---- properties ---- */
static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static bool is_same(void)
{
    if (one.events != two.events || one.reports != two.reports || one.rows != two.rows)
        return false;
    return memcmp(one.event, two.event, one.events * sizeof one.event[0]) == 0 &&
           memcmp(one.report, two.report, one.reports * sizeof one.report[0]) == 0;
}

static void replay_any_bytes_in_any_cut_account_for_every_row(void **state)
{
    (void)state;
    uint64_t s = 88172645463325252ull;
    print_message("seed %llu\n", (unsigned long long)s);
    static const char *const headers[] = {bars, trades, quotes};
    static const char alphabet[] = "0123456789012345678900..,,,-eE+\n\n\r \x01\xff";
    static char text[8192];
    for (int round = 0; round < 1500; round++) {
        size_t n = (size_t)snprintf(text, sizeof text, "%s\n", headers[round % 3]);
        int64_t t = 1000;
        for (int i = 0; i < 40; i++) {
            t += (int64_t)(next_random(&s) % 5) - 1;
            n += (size_t)snprintf(text + n, sizeof text - n, "%lld,%d,%d%s\n", (long long)t,
                                  (int)(next_random(&s) % 9), (int)(next_random(&s) % 9),
                                  round % 3 == 1   ? ""
                                  : round % 3 == 0 ? ",1,3,9"
                                                   : ",9,1");
        }
        for (uint64_t i = next_random(&s) % 12; i > 0; i--)
            text[strlen(headers[round % 3]) + 1 + next_random(&s) % 300] =
                alphabet[next_random(&s) % (sizeof alphabet - 1)];
        struct setup few = plain;
        feed_all(&plain, text, n, sizeof text, &one);
        few.room = 1 + (uint32_t)(next_random(&s) % 3);
        feed_all(&few, text, n, 1 + next_random(&s) % 50, &two);
        assert_true(is_same());
        uint64_t lines = 0;
        for (size_t i = 0; i < n; i++)
            lines += text[i] == '\n';
        assert_int_equal(one.rows, lines - 1);
        for (uint32_t i = 1; i < one.events; i++)
            assert_true(one.event[i].t_ns >= one.event[i - 1].t_ns);
    }
}

static void replay_reports_of_a_call_follow_its_events(void **state)
{
    (void)state;
    static char text[16384];
    size_t n = (size_t)snprintf(text, sizeof text, "%s\n", trades);
    for (int line = 2; line < 400; line++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%d,%s,1\n", line,
                              line % 7 < 3 ? "bad" : "1");
    is_stamped_by_line = true;
    run(&plain, text);
    is_stamped_by_line = false;
    assert_int_equal(one.rows, 398);
}

static void replay_wrong_settings_are_refused(void **state)
{
    (void)state;
    struct tn_instrument in = {.size = sizeof in, .id = 1, .tick = 1, .lot = 1};
    struct tn_source_create c = {.size = sizeof c, .instrument = &in, .instrument_count = 1};
    struct tn_host host = {.size = sizeof host, .alloc = take_memory};
    void *inst;
    assert_int_equal(ops.create(&host, &c, &inst), TN_E_PARAM); /* no stamp */
    c.stamp = TN_STAMP_END;
    c.instrument_count = 2;
    assert_int_equal(ops.create(&host, &c, &inst), TN_E_PARAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_bars_give_end_stamp_and_exact_numbers),
        cmocka_unit_test(replay_columns_in_any_order_and_dates),
        cmocka_unit_test(replay_trades_of_each_form_give_side),
        cmocka_unit_test(replay_flagged_trades_are_reported),
        cmocka_unit_test(replay_quotes_with_and_without_sizes),
        cmocka_unit_test(replay_quote_bars_give_closing_quote_at_end),
        cmocka_unit_test(case_47_rows_of_several_instruments_are_refused_whole),
        cmocka_unit_test(case_49_unknown_headers_are_refused),
        cmocka_unit_test(case_49_missing_and_extra_fields_are_reported),
        cmocka_unit_test(case_48_numbers_are_exact_or_refused),
        cmocka_unit_test(case_41_prices_and_quantities_out_of_range_are_reported),
        cmocka_unit_test(case_42_off_tick_rows_are_used_and_counted),
        cmocka_unit_test(case_43_time_that_goes_back_is_reported),
        cmocka_unit_test(case_46_crossed_quotes_are_handed_on),
        cmocka_unit_test(case_50_long_lines_are_reported_and_skipped),
        cmocka_unit_test(replay_line_of_the_greatest_length_is_used),
        cmocka_unit_test(replay_control_and_foreign_bytes_are_reported),
        cmocka_unit_test(replay_any_bytes_in_any_cut_account_for_every_row),
        cmocka_unit_test(replay_reports_of_a_call_follow_its_events),
        cmocka_unit_test(replay_wrong_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
