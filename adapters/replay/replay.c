/* SPDX-License-Identifier: Apache-2.0
 *
 * Source `replay`: bars, trades and quotes out of CSV bytes.
 *
 * One pass per row: the end of the line by memchr, control and foreign bytes eight at a time, then
 * each column once, in file order, by its role. A row is first read into values, then judged, and
 * only then counted: a row that cannot go out now (no room, or a report went before it) is left
 * unread and comes again with the next call, so the cut between calls changes nothing.
 * A general CSV reader (quotes, escapes) is not wanted: market data has none, and a row that needs
 * one is reported.
 */
#include "decimal.h"
#include "header.h"
#include "tenon/strategy.h"
#include <string.h>

enum { LINE_MAX_BYTES = 4096, PRICE_DIGITS_MAX = 12 };
static const int64_t day_ns = 86400000000000;

struct replay {
    struct tn_instrument in;
    struct header header;
    uint32_t stamp;
    uint32_t has_header;
    uint32_t is_skipping; /* inside a line that is too long, already reported */
    uint32_t reserved;
    int64_t bar_ns;
    int64_t price_max;
    int64_t last_ns; /* stamp of the last row used, 0 = none */
    uint64_t line;   /* lines ended so far */
    uint64_t rows, used, off_tick;
};

static int32_t create(const struct tn_host *host, const struct tn_source_create *c, void **inst)
{
    if (c->instrument_count != 1 || c->instrument[0].tick <= 0 || c->bar_ns < 0 ||
        (c->stamp != TN_STAMP_START && c->stamp != TN_STAMP_END))
        return TN_E_PARAM;
    struct replay *r = host->alloc(host->self, sizeof *r);
    if (r == NULL)
        return TN_E_MEMORY;
    r->in = c->instrument[0];
    r->stamp = c->stamp;
    r->bar_ns = c->bar_ns;
    /* The greatest price is 1e12, as far as it fits. */
    r->price_max = INT64_MAX;
    int digits = PRICE_DIGITS_MAX - r->in.price_exp;
    if (digits >= 0 && digits <= 18) {
        r->price_max = 1;
        while (digits-- > 0)
            r->price_max *= 10;
    }
    *inst = r;
    return TN_OK;
}

/* ---- text of a row ---- */
/* True when every byte is printable ASCII. */
static bool is_plain(const uint8_t *p, const uint8_t *end)
{
    const uint64_t high = 0x8080808080808080ull, ones = 0x0101010101010101ull;
    uint64_t bad = 0;
    for (; end - p >= 8; p += 8) {
        uint64_t x;
        memcpy(&x, p, 8);
        /* high bit set; below 0x20; or 0x7f */
        bad |= (x | ((x - ones * 0x20) & ~x) | (x + ones)) & high;
    }
    for (; p < end; p++)
        bad |= *p < 0x20 || *p > 0x7e;
    return bad == 0;
}

static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    /* Days since 1970-01-01 of a Gregorian date, counted in years that begin in March. */
    y -= m <= 2;
    int64_t era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static uint32_t read_date(const uint8_t **text, const uint8_t *end, int64_t *out)
{
    static const uint8_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const uint8_t *p = *text;
    if (end - p < 10 || (end - p > 10 && p[10] != ',') || p[4] != '-' || p[7] != '-')
        return TN_ROW_TIME;
    int n[10];
    for (int i = 0; i < 10; i++) {
        n[i] = p[i] - '0';
        if (i != 4 && i != 7 && (n[i] < 0 || n[i] > 9))
            return TN_ROW_TIME;
    }
    int year = n[0] * 1000 + n[1] * 100 + n[2] * 10 + n[3];
    int month = n[5] * 10 + n[6], day = n[8] * 10 + n[9];
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1970 || year > 2095 || month < 1 || month > 12 || day < 1 ||
        day > month_days[month - 1] || (month == 2 && day == 29 && !is_leap))
        return TN_ROW_TIME;
    *out = days_of(year, month, day) * day_ns;
    *text = p + 10;
    return *out > 0 ? 0 : TN_ROW_TIME;
}

/* One of two words; the first gives 1, the second 2, nothing gives 0. */
static uint32_t read_word(const uint8_t **text, const uint8_t *end, const char *one,
                          const char *two, int64_t *out)
{
    const uint8_t *comma = memchr(*text, ',', (size_t)(end - *text));
    const uint8_t *stop = comma != NULL ? comma : end;
    size_t n = (size_t)(stop - *text);
    if (n == 0)
        *out = 0;
    else if (n == strlen(one) && memcmp(*text, one, n) == 0)
        *out = 1;
    else if (n == strlen(two) && memcmp(*text, two, n) == 0)
        *out = 2;
    else
        return TN_ROW_FIELDS;
    *text = stop;
    return 0;
}

static uint32_t read_quantity(const struct replay *r, const uint8_t **p, const uint8_t *end,
                              int64_t *out)
{
    uint32_t why = decimal_read(p, end, r->in.qty_exp, out);
    return why == DECIMAL_RANGE ? TN_ROW_QTY : why;
}

static uint32_t read_column(const struct replay *r, uint32_t role, const uint8_t **p,
                            const uint8_t *end, int64_t value[ROLE_COUNT])
{
    uint32_t why;
    switch (role) {
    case ROLE_SKIP: {
        const uint8_t *comma = memchr(*p, ',', (size_t)(end - *p));
        *p = comma != NULL ? comma : end;
        return 0;
    }
    case ROLE_STAMP:
        return decimal_stamp(p, end, &value[ROLE_STAMP]);
    case ROLE_DATE:
        return read_date(p, end, &value[ROLE_STAMP]);
    case ROLE_VOLUME:
    case ROLE_QTY:
    case ROLE_BID_QTY:
    case ROLE_ASK_QTY:
        return read_quantity(r, p, end, &value[role]);
    case ROLE_SIDE:
        return read_word(p, end, "buy", "sell", &value[role]);
    case ROLE_MAKER:
        return read_word(p, end, "false", "true", &value[role]);
    case ROLE_FLAGGED:
        return read_word(p, end, "0", "1", &value[role]);
    default:
        why = decimal_read(p, end, r->in.price_exp, &value[role]);
        return why == DECIMAL_RANGE ? TN_ROW_PRICE : why;
    }
}

static uint32_t read_values(const struct replay *r, const uint8_t *p, const uint8_t *end,
                            int64_t value[ROLE_COUNT])
{
    for (uint32_t i = 0; i < r->header.columns; i++) {
        if (i > 0) {
            if (p == end)
                return TN_ROW_FIELDS;
            p++; /* the comma at which the last column ended */
        }
        uint32_t why = read_column(r, r->header.role[i], &p, end, value);
        if (why != 0)
            return why;
    }
    return p == end ? 0 : TN_ROW_FIELDS;
}

/* ---- judging values ---- */
static bool is_price(const struct replay *r, int64_t price)
{
    return price > 0 && price <= r->price_max;
}

static bool is_off_tick(const struct replay *r, int64_t price)
{
    return r->in.tick != 1 && price % r->in.tick != 0;
}

static uint32_t judge_bar(const struct replay *r, const int64_t *value, struct tn_event *ev)
{
    struct tn_bar *b = &ev->u.bar;
    b->open_ns = r->stamp == TN_STAMP_START ? value[ROLE_STAMP] : value[ROLE_STAMP] - r->bar_ns;
    b->open = value[ROLE_OPEN];
    b->high = value[ROLE_HIGH];
    b->low = value[ROLE_LOW];
    b->close = value[ROLE_CLOSE];
    b->volume = value[ROLE_VOLUME];
    ev->type = TN_EVENT_BAR;
    ev->t_ns = b->open_ns + r->bar_ns;
    if (!is_price(r, b->open) || !is_price(r, b->high) || !is_price(r, b->low) ||
        !is_price(r, b->close))
        return TN_ROW_PRICE;
    if (b->high < b->open || b->high < b->close || b->low > b->open || b->low > b->close)
        return TN_ROW_BAR;
    if (b->volume < 0)
        return TN_ROW_QTY;
    if (is_off_tick(r, b->open) || is_off_tick(r, b->high) || is_off_tick(r, b->low) ||
        is_off_tick(r, b->close))
        ev->flags |= TN_EVENT_F_OFF_TICK;
    return 0;
}

static uint32_t judge_trade(const struct replay *r, const int64_t *value, struct tn_event *ev)
{
    struct tn_trade *t = &ev->u.trade;
    t->price = value[ROLE_PRICE];
    t->qty = value[ROLE_QTY];
    ev->type = TN_EVENT_TRADE;
    ev->t_ns = value[ROLE_STAMP];
    int64_t taker = value[ROLE_SIDE] != 0 ? value[ROLE_SIDE] : value[ROLE_MAKER];
    t->aggressor = taker == 1 ? TN_LONG : taker == 2 ? TN_SHORT : 0;
    if (!is_price(r, t->price))
        return TN_ROW_PRICE;
    if (t->qty <= 0)
        return TN_ROW_QTY;
    if (is_off_tick(r, t->price))
        ev->flags |= TN_EVENT_F_OFF_TICK;
    return 0;
}

static uint32_t judge_quote(const struct replay *r, const int64_t *value, struct tn_event *ev)
{
    struct tn_quote *q = &ev->u.quote;
    q->bid = value[ROLE_BID];
    q->bid_qty = value[ROLE_BID_QTY];
    q->ask = value[ROLE_ASK];
    q->ask_qty = value[ROLE_ASK_QTY];
    ev->type = TN_EVENT_QUOTE;
    ev->t_ns = value[ROLE_STAMP];
    if (r->header.shape == SHAPE_QUOTE_BAR && r->stamp == TN_STAMP_START)
        ev->t_ns += r->bar_ns;
    if (q->bid < 0 || q->ask < 0 || q->bid > r->price_max || q->ask > r->price_max)
        return TN_ROW_PRICE;
    if (q->bid_qty < 0 || q->ask_qty < 0)
        return TN_ROW_QTY;
    /* Where a quote has sizes, a price without size is no offer, and the other way round. A quote
     * bar's price was one; many feeds just give those no size. */
    bool has_sizes = r->header.shape == SHAPE_QUOTE;
    if ((r->header.has & 1u << ROLE_BID_QTY) && (q->bid == 0 || (has_sizes && q->bid_qty == 0)))
        q->bid = q->bid_qty = 0;
    if ((r->header.has & 1u << ROLE_ASK_QTY) && (q->ask == 0 || (has_sizes && q->ask_qty == 0)))
        q->ask = q->ask_qty = 0;
    if (q->bid == 0 && q->ask == 0)
        return TN_ROW_EMPTY;
    if (is_off_tick(r, q->bid) || is_off_tick(r, q->ask))
        ev->flags |= TN_EVENT_F_OFF_TICK;
    return 0;
}

/* Reads one row into *ev and gives 0 or why it is not used. Changes nothing of the instance. */
static uint32_t read_row(const struct replay *r, const uint8_t *row, const uint8_t *end,
                         struct tn_event *ev, int64_t *stamp)
{
    int64_t value[ROLE_COUNT];
    value[ROLE_VOLUME] = value[ROLE_BID_QTY] = value[ROLE_ASK_QTY] = 0;
    value[ROLE_SIDE] = value[ROLE_MAKER] = value[ROLE_FLAGGED] = 0;
    if (!is_plain(row, end))
        return TN_ROW_ENCODING;
    uint32_t why = read_values(r, row, end, value);
    if (why != 0)
        return why;
    memset(ev, 0, sizeof *ev);
    ev->size = sizeof *ev;
    ev->instrument = r->in.id;
    *stamp = value[ROLE_STAMP];
    if (r->header.shape == SHAPE_BAR)
        why = judge_bar(r, value, ev);
    else if (r->header.shape == SHAPE_TRADE)
        why = judge_trade(r, value, ev);
    else
        why = judge_quote(r, value, ev);
    if (why != 0)
        return why;
    if (value[ROLE_FLAGGED] == 2)
        return TN_ROW_FLAGGED;
    if (*stamp < r->last_ns)
        return TN_ROW_TIME;
    bool is_bar = r->header.shape == SHAPE_BAR || r->header.shape == SHAPE_QUOTE_BAR;
    return is_bar && *stamp == r->last_ns ? TN_ROW_REPEAT : 0;
}

/* ---- lines ---- */
static void report(struct tn_source_out *out, uint64_t line, uint32_t reason, const uint8_t *text,
                   size_t count)
{
    struct tn_row_report *p = &out->report[out->report_count++];
    memset(p, 0, sizeof *p);
    p->line = line;
    p->reason = reason;
    p->bytes = (uint32_t)(count < sizeof p->text ? count : sizeof p->text);
    memcpy(p->text, text, p->bytes);
}

static void take_header(struct replay *r, const uint8_t *text, const uint8_t *end,
                        struct tn_source_out *out)
{
    const char *why = is_plain(text, end) ? header_read(&r->header, text, end)
                                          : "control or non-ASCII bytes in the header";
    bool is_bar = r->header.shape == SHAPE_BAR || r->header.shape == SHAPE_QUOTE_BAR;
    if (why == NULL && is_bar && r->bar_ns == 0)
        why = "rows are bars but no bar length is set";
    if (why != NULL) {
        report(out, 1, TN_ROW_FIELDS, (const uint8_t *)why, strlen(why));
        out->header_error = 1;
        return;
    }
    r->has_header = 1;
}

/* One data row; false when it must come again with the next call. */
static bool take_row(struct replay *r, const uint8_t *row, const uint8_t *end,
                     struct tn_source_out *out)
{
    if (out->event_count == out->event_capacity || out->report_count == out->report_capacity)
        return false;
    struct tn_event *ev = &out->event[out->event_count];
    int64_t stamp;
    uint32_t why = end - row > LINE_MAX_BYTES ? TN_ROW_LENGTH : read_row(r, row, end, ev, &stamp);
    if (why != 0) {
        report(out, r->line + 1, why, row, (size_t)(end - row));
    } else {
        if (out->report_count > 0)
            return false; /* reports of a call come after its events */
        out->event_count++;
        r->used++;
        r->off_tick += (ev->flags & TN_EVENT_F_OFF_TICK) != 0;
        r->last_ns = stamp;
    }
    r->rows++;
    return true;
}

/* A line without an end in sight: waited for, or too long. Gives false to wait. */
static bool skip_long(struct replay *r, const uint8_t *row, const uint8_t *end,
                      struct tn_source_out *out)
{
    if (end - row <= LINE_MAX_BYTES + 1 || out->report_count == out->report_capacity)
        return false;
    if (!r->has_header) {
        take_header(r, row, row + LINE_MAX_BYTES, out);
        if (!out->header_error) { /* a header this long has more than any file's columns */
            report(out, 1, TN_ROW_LENGTH, row, LINE_MAX_BYTES);
            out->header_error = 1;
        }
        return false;
    }
    report(out, r->line + 1, TN_ROW_LENGTH, row, LINE_MAX_BYTES);
    r->rows++;
    r->is_skipping = 1;
    return true;
}

/* Takes the line p..stop (without its end); false when it must come again. */
static bool take_line(struct replay *r, const uint8_t *p, const uint8_t *stop,
                      struct tn_source_out *out)
{
    if (r->is_skipping) {
        r->is_skipping = 0;
    } else {
        if (stop > p && stop[-1] == '\r')
            stop--;
        if (!r->has_header)
            take_header(r, p, stop, out);
        else if (!take_row(r, p, stop, out))
            return false;
    }
    r->line++;
    return true;
}

static int32_t feed(void *inst, const uint8_t *bytes, uint64_t count, uint32_t final,
                    uint64_t *used, struct tn_source_out *out)
{
    struct replay *r = inst;
    const uint8_t *p = bytes, *end = bytes + count;
    if (out->event_capacity == 0 || out->report_capacity == 0)
        return TN_E_SHORT;
    out->event_count = 0;
    out->report_count = 0;
    out->header_error = 0;
    while (p < end && !out->header_error) {
        const uint8_t *stop = memchr(p, '\n', (size_t)(end - p));
        if (stop == NULL && !final) {
            if (!r->is_skipping && !skip_long(r, p, end, out))
                break;
            p = end;
        } else if (!take_line(r, p, stop != NULL ? stop : end, out)) {
            break;
        } else {
            p = stop != NULL ? stop + 1 : end;
        }
    }
    *used = (uint64_t)(p - bytes);
    out->rows = r->rows;
    out->rows_used = r->used;
    out->off_tick = r->off_tick;
    return TN_OK;
}

static int32_t activate(void *inst)
{
    (void)inst;
    return TN_OK;
}

static void end_of_life(void *inst)
{
    (void)inst;
}

static const struct tn_source_ops ops = {
    .base = {.size = sizeof(struct tn_source_ops),
             .revision = 0,
             .activate = activate,
             .deactivate = end_of_life,
             .destroy = end_of_life},
    .source_kind = TN_SOURCE_FILE,
    .create = create,
    .feed = feed,
};

TN_PLUGIN(TN_KIND_SOURCE, &ops, .id = "replay", .version = "1.0.0", .vendor = "tenon",
          .flags = TN_FLAG_DRAFT | TN_FLAG_COLD,
          .text = "bars, trades and quotes out of a CSV file, every row used or reported",
          .arena_bytes = sizeof(struct replay) + 64, .budget_ns = 2000);
