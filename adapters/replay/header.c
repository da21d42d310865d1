/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns are known by name, so their order is free. A column nobody knows is let pass beside bars
 * (they come with many extras), but not beside trades and quotes: an order-book file also has
 * price and qty, and reading its levels as trades would be a guess. Columns that name a contract or
 * an exchange's own quote make one file carry several streams; they are refused as such.
 */
#include "header.h"
#include <string.h>

struct name {
    char text[16];
    uint8_t role;
};

/* In a shape where a role has no use it is skipped. */
static const struct name names[] = {
    {"ts_ns", ROLE_STAMP},
    {"recv_ns", ROLE_STAMP},
    {"date", ROLE_DATE},
    {"open", ROLE_OPEN},
    {"high", ROLE_HIGH},
    {"low", ROLE_LOW},
    {"close", ROLE_CLOSE},
    {"volume", ROLE_VOLUME},
    {"price", ROLE_PRICE},
    {"qty", ROLE_QTY},
    {"size", ROLE_QTY},
    {"bid", ROLE_BID},
    {"bid_close", ROLE_BID},
    {"bid_size", ROLE_BID_QTY},
    {"bid_qty", ROLE_BID_QTY},
    {"ask", ROLE_ASK},
    {"ask_close", ROLE_ASK},
    {"ask_size", ROLE_ASK_QTY},
    {"ask_qty", ROLE_ASK_QTY},
    {"side", ROLE_SIDE},
    {"buyer_is_maker", ROLE_MAKER},
    {"suspicious", ROLE_FLAGGED},
};

/* Harmless beside trades and quotes. */
static const char harmless[][16] = {
    "trade_id", "cost",     "exchange",  "condition_hex", "condition", "seq",
    "event_ns", "trade_ns", "update_id", "order_type",    "bid_open",  "bid_high",
    "bid_low",  "ask_open", "ask_high",  "ask_low",
};

static bool is_name(const uint8_t *text, size_t count, const char *name)
{
    return strlen(name) == count && memcmp(text, name, count) == 0;
}

static uint32_t bit(uint32_t role)
{
    return 1u << role;
}

static uint32_t shape_of(uint32_t has, bool has_quote_bar)
{
    const uint32_t bar = bit(ROLE_OPEN) | bit(ROLE_HIGH) | bit(ROLE_LOW) | bit(ROLE_CLOSE);
    const uint32_t trade = bit(ROLE_PRICE) | bit(ROLE_QTY);
    const uint32_t quote = bit(ROLE_BID) | bit(ROLE_ASK);
    bool is_bar = (has & bar) == bar;
    bool is_trade = (has & trade) == trade;
    bool is_quote = (has & quote) == quote;
    if (is_bar + is_trade + is_quote != 1)
        return SHAPE_UNSET;
    if (is_quote)
        return has_quote_bar ? SHAPE_QUOTE_BAR : SHAPE_QUOTE;
    return is_bar ? SHAPE_BAR : SHAPE_TRADE;
}

struct seen { /* of the columns, besides their roles */
    bool unknown, exchange, streams, quote_bar, twice;
};

static uint8_t classify(const uint8_t *text, size_t count, struct seen *s)
{
    s->exchange |= is_name(text, count, "exchange");
    s->quote_bar |= is_name(text, count, "bid_close");
    s->streams |= is_name(text, count, "symbol") || is_name(text, count, "contract") ||
                  is_name(text, count, "ticker");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (is_name(text, count, names[i].text))
            return names[i].role;
    }
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        if (is_name(text, count, harmless[i]))
            return ROLE_SKIP;
    }
    s->unknown = true;
    return ROLE_SKIP;
}

static const char *refuse(const struct header *h, const struct seen *s)
{
    if (s->streams)
        return "rows of several instruments; split the file first";
    if (s->twice)
        return "two columns mean the same";
    if ((h->has & (bit(ROLE_STAMP) | bit(ROLE_DATE))) == 0)
        return "no column ts_ns, recv_ns or date";
    if (h->shape == SHAPE_UNSET)
        return "columns of no known shape, or of two";
    if (h->shape != SHAPE_BAR && s->unknown)
        return "an unknown column beside trades or quotes";
    if (h->shape == SHAPE_QUOTE && s->exchange)
        return "quotes per exchange; build the best quote first";
    return NULL;
}

/* A trade's close or a bar's price column has no use in the other shape. */
static void drop_unused(struct header *h)
{
    static const uint32_t used[] = {
        [SHAPE_BAR] = 1u << ROLE_OPEN | 1u << ROLE_HIGH | 1u << ROLE_LOW | 1u << ROLE_CLOSE |
                      1u << ROLE_VOLUME,
        [SHAPE_TRADE] = 1u << ROLE_PRICE | 1u << ROLE_QTY | 1u << ROLE_SIDE | 1u << ROLE_MAKER |
                        1u << ROLE_FLAGGED,
        [SHAPE_QUOTE] = 1u << ROLE_BID | 1u << ROLE_BID_QTY | 1u << ROLE_ASK | 1u << ROLE_ASK_QTY |
                        1u << ROLE_FLAGGED,
        [SHAPE_QUOTE_BAR] =
            1u << ROLE_BID | 1u << ROLE_BID_QTY | 1u << ROLE_ASK | 1u << ROLE_ASK_QTY,
    };
    uint32_t keep = used[h->shape] | bit(ROLE_STAMP) | bit(ROLE_DATE);
    for (uint32_t i = 0; i < h->columns; i++) {
        if ((keep & bit(h->role[i])) == 0)
            h->role[i] = ROLE_SKIP;
    }
    h->has &= keep;
}

const char *header_read(struct header *h, const uint8_t *text, const uint8_t *end)
{
    struct seen s = {.unknown = false};
    memset(h, 0, sizeof *h);
    for (const uint8_t *p = text;;) {
        const uint8_t *comma = memchr(p, ',', (size_t)(end - p));
        const uint8_t *stop = comma != NULL ? comma : end;
        if (h->columns == HEADER_COLUMNS_MAX)
            return "more than 64 columns";
        uint8_t role = classify(p, (size_t)(stop - p), &s);
        if (role == ROLE_DATE && (h->has & bit(ROLE_STAMP)))
            role = ROLE_SKIP;
        if (role != ROLE_SKIP && (h->has & bit(role)))
            s.twice = true;
        h->has |= role == ROLE_SKIP ? 0 : bit(role);
        h->role[h->columns++] = role;
        if (comma == NULL)
            break;
        p = comma + 1;
    }
    h->shape = shape_of(h->has, s.quote_bar);
    const char *why = refuse(h, &s);
    if (why == NULL)
        drop_unused(h);
    return why;
}
