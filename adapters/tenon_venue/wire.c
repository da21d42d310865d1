/* SPDX-License-Identifier: Apache-2.0
 *
 * What this venue is, as data: the rate budgets it grants, and the table by which egress reads each
 * request again. Every key, query field and header line that order.c writes has a row's field here;
 * one that has none is not sent.
 */
#include "session.h"

#define DECIMAL 127
#define FIELD(m, p, v)                                                                             \
    {                                                                                              \
        .size = sizeof(struct tn_wire_field), .meaning = TN_FIELD_##m, .required = 1,              \
        .unit_exp = DECIMAL, .path = p, .value = v                                                 \
    }
#define SIGNED_HEAD                                                                                \
    FIELD(SECRET, "X-Key:", ""), FIELD(NOW, "X-Time:", ""), FIELD(HMAC, "X-Sign:", "")

static const struct tn_wire_field place[] = {
    SIGNED_HEAD,
    FIELD(CONSTANT, "Content-Type:", "application/json"),
    FIELD(CLIENT_ID, "client_id", ""),
    FIELD(SYMBOL, "symbol", ""),
    FIELD(SIDE, "side", "buy|sell"),
    FIELD(TYPE, "type", "limit"),
    FIELD(QTY, "qty", ""),
    FIELD(PRICE, "price", ""),
    FIELD(TIF, "tif", "gtc|ioc"),
    FIELD(REDUCE_ONLY, "reduce_only", "false|true"),
    FIELD(TIME, "at", ""),
};
static const struct tn_wire_field one_order[] = {
    SIGNED_HEAD,
    FIELD(CLIENT_ID, "client_id", ""),
    FIELD(SYMBOL, "symbol", ""),
    FIELD(TIME, "at", ""),
};
static const struct tn_wire_field head_only[] = {SIGNED_HEAD};
static const struct tn_wire_field open_orders[] = {SIGNED_HEAD, FIELD(CURSOR, "after", "")};
static const struct tn_wire_field fills[] = {
    SIGNED_HEAD,
    FIELD(CURSOR, "after", ""),
    FIELD(CONSTANT, "limit", "100"),
};
static const struct tn_wire_field login[] = {
    FIELD(SECRET, "key", ""),
    FIELD(NOW, "time", ""),
    FIELD(HMAC, "sign", ""),
};
static const struct tn_wire_field subscribe[] = {FIELD(TOPIC, "channels[]", "market:*|reports")};
static const struct tn_wire_field snapshot[] = {FIELD(SYMBOL, "symbol", "")};
static const struct tn_wire_field positions_in[] = {
    FIELD(SYMBOL, "positions[].symbol", ""),
    FIELD(QTY, "positions[].qty", ""),
    FIELD(MARK, "positions[].mark", ""),
};

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof(a)[0])
#define HTTP_ROW(f, c, m, path, fields, in)                                                        \
    {                                                                                              \
        .size = sizeof(struct tn_wire_row), .format = TN_WIRE_##f, .class_of = TN_CLASS_##c,       \
        .inbound = (in), .link = SESSION_LINK_HTTP, .method = TN_METHOD_##m,                       \
        .field_count = COUNT(fields), .match = path, .field = fields                               \
    }
#define STREAM_ROW(path, fields, count)                                                            \
    {                                                                                              \
        .size = sizeof(struct tn_wire_row), .format = TN_WIRE_WS_JSON,                             \
        .class_of = TN_CLASS_SESSION, .link = SESSION_LINK_STREAM, .field_count = (count),         \
        .match = path, .field = fields                                                             \
    }

static const struct tn_wire_row rows[] = {
    HTTP_ROW(JSON, ORDER, POST, "/v1/orders", place, 0),
    HTTP_ROW(QUERY, CANCEL, DELETE, "/v1/orders", one_order, 0),
    HTTP_ROW(QUERY, CANCEL_ALL, DELETE, "/v1/orders/all", head_only, 0),
    HTTP_ROW(QUERY, QUERY, GET, "/v1/orders", one_order, 0),
    HTTP_ROW(QUERY, QUERY, GET, "/v1/orders/open", open_orders, 0),
    HTTP_ROW(QUERY, QUERY, GET, "/v1/fills", fills, 0),
    HTTP_ROW(QUERY, QUERY, GET, "/v1/positions", head_only, 0),
    HTTP_ROW(JSON, QUERY, GET, "/v1/positions", positions_in, 1),
    STREAM_ROW("op=login", login, COUNT(login)),
    STREAM_ROW("op=subscribe", subscribe, COUNT(subscribe)),
    STREAM_ROW("op=snapshot", snapshot, COUNT(snapshot)),
    STREAM_ROW("op=ping", NULL, 0),
};

/* The venue grants a key a pool of 2000 that fills up by 400 a second, for all of its requests; a
 * little of it is left to what the clocks disagree about. The stream is not counted there. */
static const struct tn_rate_budget budgets[] = {
    [SESSION_BUCKET_HTTP] = {.size = sizeof(struct tn_rate_budget),
                             .weight = 1900,
                             .per_ns = 5000000000},
    [SESSION_BUCKET_STREAM] = {.size = sizeof(struct tn_rate_budget),
                               .weight = 200,
                               .per_ns = 1000000000},
};

const struct tn_adapter_facts wire_facts = {
    .size = sizeof wire_facts,
    .simulated = 1,
    .client_id = TN_CLIENT_ID_TEXT,
    .client_id_max = 31,
    .bucket_count = COUNT(budgets),
    .row_count = COUNT(rows),
    .bucket = budgets,
    .row = rows,
};
