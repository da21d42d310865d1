/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests. What can be judged without the market is judged at once and answered with a code: form,
 * symbol, digits, a client id that was used. Everything else is "received": written to the ledger,
 * put into the queue, and decided by the matching at its moment; the stream tells how.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "house/house_priv.h"

enum { KEYS_MAX = 8, VALUE_BYTES = 64, FILLS_MAX = 1000, FILLS_DEFAULT = 100, FILL_BYTES = 512 };
#define AHEAD_NS 60000000000ll /* an approval may not be further in the future than this */

/* ---- answers ---- */
static void refuse(struct house_reply *out, int status, const char *code, const char *text)
{
    struct tell t = {out->text, 0, sizeof out->text};
    tell_put(&t, "{\"ok\":false,\"code\":\"%s\",\"text\":\"%s\"}", code, text);
    out->status = status;
    out->count = t.used;
}

static struct tell begin(struct house_reply *out)
{
    return (struct tell){out->text, 0, sizeof out->text};
}

static void finish(struct house_reply *out, const struct tell *t)
{
    out->status = 200;
    out->count = t->used;
}

/* ---- queries ---- */
struct words {
    uint32_t count;
    char key[KEYS_MAX][VALUE_BYTES], value[KEYS_MAX][VALUE_BYTES];
};

static bool copy(char out[VALUE_BYTES], const char *from, size_t count)
{
    if (count >= VALUE_BYTES)
        return false;
    memcpy(out, from, count);
    out[count] = '\0';
    return true;
}

/* Splits a=b&c=d; only keys of `known` ("a b "), each once. */
static bool split(const char *query, const char *known, struct words *w)
{
    w->count = 0;
    while (*query != '\0') {
        size_t n = strcspn(query, "&"), k = strcspn(query, "=");
        char key[VALUE_BYTES + 1];
        if (k >= n || w->count == KEYS_MAX || !copy(w->key[w->count], query, k) ||
            !copy(w->value[w->count], query + k + 1, n - k - 1))
            return false;
        memcpy(key, w->key[w->count], k);
        key[k] = ' ';
        key[k + 1] = '\0';
        if (strstr(known, key) == NULL)
            return false;
        w->count++;
        query += query[n] == '&' ? n + 1 : n;
    }
    return true;
}

static const char *word(const struct words *w, const char *key)
{
    for (uint32_t i = 0; i < w->count; i++) {
        if (strcmp(w->key[i], key) == 0)
            return w->value[i];
    }
    return NULL;
}

uint32_t house_symbol(const struct house *h, const char *symbol, size_t count)
{
    for (uint32_t i = 0; i < h->c.instrument_count; i++) {
        const char *name = h->book[i].in.def.symbol;
        if (strlen(name) == count && memcmp(name, symbol, count) == 0)
            return i;
    }
    return UINT32_MAX;
}

/* ---- client ids ---- */
static bool is_client(const char *id)
{
    size_t n = strlen(id);
    return n > 0 && n < HOUSE_CLIENT_BYTES &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

/* One base-32 number of a client id; 0 = none. Gives where it ends. */
static uint64_t number32(const char **at)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint64_t v = 0;
    for (const char *d; **at != '\0' && (d = strchr(digits, **at)) != NULL; (*at)++) {
        if (v >> 58 != 0)
            return 0;
        v = v << 5 | (uint64_t)(d - digits);
    }
    return v;
}

uint64_t house_order_of(const char *client)
{
    const char *at = client;
    if (*at++ != 'T' || number32(&at) == 0 || *at++ != '-')
        return 0;
    uint64_t order = number32(&at);
    if (*at++ != '-' || number32(&at) == 0 || *at != '\0' || order >> HOUSE_OWN_ORDER_BIT != 0)
        return 0;
    return order;
}

/* The order id that the matching will know it by. */
static uint64_t order_for(const struct house *h, const char *client)
{
    uint64_t order = house_order_of(client);
    return order != 0 ? order : h->own_orders + 1;
}

/* ---- times ---- */
/* The approval's event time. On wall time, and when none is given, it is now. */
static bool at_of(const struct house *h, const char *text, int64_t *at_ns)
{
    *at_ns = house_engine_now(h);
    if (text == NULL)
        return true;
    int64_t at;
    if (!is_ok(num_parse(text, strlen(text), 0, false, &at)) || at < 0)
        return false;
    if (h->c.tempo.kind == TEMPO_SCRIPT && at > 0) {
        if (at > *at_ns + AHEAD_NS)
            return false;
        *at_ns = at;
    }
    return true;
}

/* ---- orders ---- */
struct wish {
    char client[HOUSE_CLIENT_BYTES];
    uint32_t instrument, side, tif, reduce_only;
    int64_t qty, price, at_ns;
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text == NULL ? "" : text;
}

static const char *parse_words(const struct house *h, const json_t *o, struct wish *w)
{
    const char *side = text_of(o, "side"), *tif = text_of(o, "tif");
    const json_t *reduce_only = json_object_get(o, "reduce_only"), *at = json_object_get(o, "at");
    w->side = strcmp(side, "buy") == 0 ? 1 : strcmp(side, "sell") == 0 ? 2 : 0;
    w->tif = strcmp(tif, "gtc") == 0   ? FACT_GTC
             : strcmp(tif, "ioc") == 0 ? FACT_IOC
                                       : FACT_TIF_UNSET;
    w->reduce_only = json_is_true(reduce_only);
    if (!is_client(text_of(o, "client_id")))
        return "client_id is 1 to 31 of [A-Za-z0-9._-]";
    memcpy(w->client, text_of(o, "client_id"), strlen(text_of(o, "client_id")) + 1);
    if (w->side == 0 || w->tif == FACT_TIF_UNSET || strcmp(text_of(o, "type"), "limit") != 0)
        return "side is buy or sell, type limit, tif gtc or ioc";
    if (reduce_only != NULL && !json_is_boolean(reduce_only))
        return "reduce_only is true or false";
    if (at != NULL && !json_is_string(at))
        return "at is a string of ns";
    if (!at_of(h, json_string_value(at), &w->at_ns))
        return "at is an event time in ns, at most a minute ahead";
    return NULL;
}

static bool only_known(json_t *o)
{
    static const char known[] = " client_id symbol side type qty price tif reduce_only at ";
    const char *key;
    json_t *value;
    json_object_foreach(o, key, value)
    {
        char spaced[VALUE_BYTES + 2];
        size_t n = strlen(key);
        if (n >= VALUE_BYTES)
            return false;
        spaced[0] = ' ';
        memcpy(spaced + 1, key, n);
        memcpy(spaced + 1 + n, " ", 2);
        if (strstr(known, spaced) == NULL)
            return false;
    }
    return true;
}

/* NULL: good. Else the code, with the words. */
static const char *parse(const struct house *h, json_t *o, struct wish *w, const char **text)
{
    *text = json_is_object(o) && only_known(o) ? parse_words(h, o, w)
                                               : "not an object of the known fields";
    if (*text != NULL)
        return "MALFORMED";
    const char *symbol = text_of(o, "symbol"), *qty = text_of(o, "qty"),
               *price = text_of(o, "price");
    w->instrument = house_symbol(h, symbol, strlen(symbol));
    *text = "there is no such symbol";
    if (w->instrument == UINT32_MAX)
        return "SYMBOL";
    const struct fact_instrument *d = &h->book[w->instrument].in.def;
    *text = "qty is a positive decimal string within the instrument's digits";
    if (!is_ok(num_parse(qty, strlen(qty), d->qty_exp, false, &w->qty)) || w->qty <= 0)
        return "QTY";
    *text = "price is a positive decimal string within the instrument's digits";
    if (!is_ok(num_parse(price, strlen(price), d->price_exp, false, &w->price)) || w->price <= 0)
        return "PRICE";
    return NULL;
}

static void write_receive(struct house *h, uint32_t caller, const struct wish *w, uint64_t order)
{
    char text[BOOKLOG_LINE_MAX];
    struct tell t = {text, 0, sizeof text};
    tell_put(&t,
             "receive at=%ld key=%s client=%s order=%lu instrument=%u side=%s qty=%ld price=%ld "
             "tif=%s reduce_only=%u",
             (long)w->at_ns, h->c.callers->at[caller - 1].name, w->client, (unsigned long)order,
             h->book[w->instrument].in.def.id, w->side == 1 ? "buy" : "sell", (long)w->qty,
             (long)w->price, w->tif == FACT_GTC ? "gtc" : "ioc", w->reduce_only);
    rebuild_write(h, text, t.used);
}

static void write_duplicate(struct house *h, const char *client)
{
    char text[BOOKLOG_LINE_MAX];
    struct tell t = {text, 0, sizeof text};
    tell_put(&t, "duplicate client=%s", client);
    rebuild_write(h, text, t.used);
}

static void place(struct house *h, const struct house_ask *q, struct house_reply *out)
{
    struct wish w;
    const char *text = "";
    json_t *o = json_loadb(q->body, q->body_count, JSON_REJECT_DUPLICATES, NULL);
    const char *code = parse(h, o, &w, &text);
    json_decref(o);
    if (code != NULL) {
        refuse(out, 400, code, text);
        return;
    }
    uint64_t order = order_for(h, w.client);
    if (rows_by_client(h, w.client) != NULL || rows_by_order(h, order) != NULL) {
        write_duplicate(h, w.client);
        refuse(out, 409, "DUPLICATE", "this client id was used before, or proved absent");
        return;
    }
    if (h->waiting_count == HOUSE_QUEUE_MAX) {
        refuse(out, 503, "BUSY", "not received: too many requests wait");
        return;
    }
    write_receive(h, q->caller, &w, order);
    struct house_waiting wait = {
        .at_ns = w.at_ns, .order = order, .kind = HOUSE_KIND_SEND, .row = h->row_count - 1};
    must(house_wait(h, &wait));
    struct tell t = begin(out);
    tell_put(&t, "{\"ok\":true,\"order_id\":\"\",\"client_id\":\"%s\"}", w.client);
    finish(out, &t);
}

/* ---- cancels ---- */
static bool cancel_row(struct house *h, struct house_row *r, int64_t at_ns)
{
    char text[BOOKLOG_LINE_MAX];
    struct tell t = {text, 0, sizeof text};
    struct house_waiting wait = {
        .at_ns = at_ns, .order = r->order, .kind = HOUSE_KIND_CANCEL, .row = rows_place(h, r)};
    if (!house_wait(h, &wait))
        return false;
    tell_put(&t, "receive_cancel at=%ld order=%lu client=%s", (long)at_ns, (unsigned long)r->order,
             r->client);
    rebuild_write(h, text, t.used);
    return true;
}

static void cancel_one(struct house *h, const struct house_ask *q, struct house_reply *out)
{
    struct words w;
    int64_t at_ns;
    bool good = split(q->query, "client_id symbol at ", &w) && word(&w, "client_id") != NULL &&
                at_of(h, word(&w, "at"), &at_ns);
    if (!good) {
        refuse(out, 400, "MALFORMED", "DELETE /v1/orders?client_id=X[&symbol=S][&at=NS]");
        return;
    }
    struct house_row *r = rows_by_client(h, word(&w, "client_id"));
    const char *symbol = word(&w, "symbol");
    if (r == NULL || r->state == HOUSE_VOID || r->caller != q->caller) {
        refuse(out, 404, "UNKNOWN", "no order of this key has that client id");
        return;
    }
    if (symbol != NULL && strcmp(h->book[r->instrument].in.def.symbol, symbol) != 0) {
        refuse(out, 400, "SYMBOL", "the order is for another symbol");
        return;
    }
    if (!cancel_row(h, r, at_ns)) {
        refuse(out, 503, "BUSY", "not received: too many requests wait");
        return;
    }
    struct tell t = begin(out);
    tell_put(&t, "{\"ok\":true,\"client_id\":\"%s\"}", r->client);
    finish(out, &t);
}

static void cancel_all(struct house *h, const struct house_ask *q, struct house_reply *out)
{
    struct words w;
    int64_t at_ns;
    uint32_t only = UINT32_MAX, count = 0;
    if (!split(q->query, "symbol at ", &w) || !at_of(h, word(&w, "at"), &at_ns)) {
        refuse(out, 400, "MALFORMED", "DELETE /v1/orders/all[?symbol=S][&at=NS]");
        return;
    }
    const char *symbol = word(&w, "symbol");
    if (symbol != NULL && (only = house_symbol(h, symbol, strlen(symbol))) == UINT32_MAX) {
        refuse(out, 400, "SYMBOL", "there is no such symbol");
        return;
    }
    for (uint32_t i = 0; i < h->row_count; i++) {
        struct house_row *r = &h->row[i];
        bool is_open = r->state == HOUSE_RECEIVED || r->state == HOUSE_WORKING;
        if (is_open && r->caller == q->caller && (only == UINT32_MAX || r->instrument == only))
            count += cancel_row(h, r, at_ns);
    }
    struct tell t = begin(out);
    tell_put(&t, "{\"ok\":true,\"count\":%u}", count);
    finish(out, &t);
}

/* ---- questions ---- */
/* An id that never came is refused from here on: that is what makes its absence a proof. */
static void prove_absent(struct house *h, const struct house_ask *q, const char *client,
                         struct house_reply *out)
{
    char text[BOOKLOG_LINE_MAX];
    struct tell line = {text, 0, sizeof text};
    if (rows_by_client(h, client) == NULL && rows_by_order(h, order_for(h, client)) == NULL) {
        tell_put(&line, "void key=%s client=%s order=%lu", h->c.callers->at[q->caller - 1].name,
                 client, (unsigned long)order_for(h, client));
        rebuild_write(h, text, line.used);
    }
    struct tell t = begin(out);
    tell_put(&t, "{\"ok\":true,\"found\":\"proved_absent\",\"client_id\":\"%s\"", client);
    if (h->c.tempo.kind == TEMPO_SCRIPT)
        tell_number(&t, "due", house_engine_now(h), 0);
    tell_put(&t, "}");
    finish(out, &t);
}

static void find_one(struct house *h, const struct house_ask *q, struct house_reply *out)
{
    struct words w;
    struct house_waiting wait = {.kind = HOUSE_KIND_QUERY, .ticket = q->ticket};
    bool good = split(q->query, "client_id symbol at ", &w) && word(&w, "client_id") != NULL &&
                is_client(word(&w, "client_id")) && at_of(h, word(&w, "at"), &wait.at_ns);
    if (!good) {
        refuse(out, 400, "MALFORMED", "GET /v1/orders?client_id=X[&symbol=S][&at=NS]");
        return;
    }
    const struct house_row *r = rows_by_client(h, word(&w, "client_id"));
    if (r == NULL || r->state == HOUSE_VOID) {
        prove_absent(h, q, word(&w, "client_id"), out);
        return;
    }
    if (r->caller != q->caller) {
        refuse(out, 404, "UNKNOWN", "no order of this key has that client id");
        return;
    }
    wait.order = r->order;
    wait.row = rows_place(h, r);
    if (!house_wait(h, &wait))
        refuse(out, 503, "BUSY", "too many requests wait");
    else
        out->status = 0;
}

/* Where a page begins: behind the row of this client id. false: no such row of the key. */
static bool page_of(const struct house *h, const struct house_ask *q, uint32_t *first)
{
    struct words w;
    *first = 0;
    if (!split(q->query, "after ", &w))
        return false;
    const char *after = word(&w, "after");
    if (after == NULL || after[0] == '\0')
        return true;
    const struct house_row *r = rows_by_client(h, after);
    if (r == NULL || r->caller != q->caller)
        return false;
    *first = rows_place(h, r) + 1;
    return true;
}

static void list_open(const struct house *h, const struct house_ask *q, struct house_reply *out)
{
    struct tell t = begin(out);
    bool more = false;
    const char *between = "";
    uint32_t first;
    if (!page_of(h, q, &first)) {
        refuse(out, 400, "MALFORMED", "GET /v1/orders/open[?after=CLIENT_ID of the page before]");
        return;
    }
    tell_put(&t, "{\"ok\":true,\"orders\":[");
    for (uint32_t i = first; i < h->row_count && !more; i++) {
        const struct house_row *r = &h->row[i];
        if (r->caller != q->caller || (r->state != HOUSE_RECEIVED && r->state != HOUSE_WORKING))
            continue;
        more = t.used + HOUSE_TEXT_BYTES > t.room;
        if (more)
            break;
        tell_put(&t, "%s", between);
        tell_order(&t, h, r);
        between = ",";
    }
    tell_put(&t, "],\"more\":%s}", more ? "true" : "false");
    finish(out, &t);
}

static void list_fills(const struct house *h, const struct house_ask *q, struct house_reply *out)
{
    struct words w;
    int64_t after = 0, limit = FILLS_DEFAULT, given = 0;
    bool good = split(q->query, "after limit ", &w);
    const char *a = good ? word(&w, "after") : NULL, *l = good ? word(&w, "limit") : NULL;
    if (a != NULL && a[0] != '\0')
        good = good && is_ok(num_parse(a, strlen(a), 0, false, &after)) && after >= 0;
    if (l != NULL)
        good = good && is_ok(num_parse(l, strlen(l), 0, false, &limit)) && limit > 0;
    if (!good) {
        refuse(out, 400, "MALFORMED", "GET /v1/fills[?after=TRADE_ID][&limit=1..1000]");
        return;
    }
    limit = limit > FILLS_MAX ? FILLS_MAX : limit;
    struct tell t = begin(out);
    bool more = false;
    tell_put(&t, "{\"ok\":true,\"fills\":[");
    for (uint32_t i = rows_after(h, (uint64_t)after); i < h->fill_count; i++) {
        if (h->row[h->fill[i].row].caller != q->caller)
            continue;
        more = given == limit || t.used + FILL_BYTES + VALUE_BYTES > t.room;
        if (more)
            break;
        if (given++ > 0)
            tell_put(&t, ",");
        tell_fill(&t, h, &h->fill[i]);
    }
    tell_put(&t, "],\"more\":%s}", more ? "true" : "false");
    finish(out, &t);
}

static void list_positions(const struct house *h, struct house_reply *out)
{
    struct tell t = begin(out);
    const char *between = "";
    tell_put(&t, "{\"ok\":true,\"positions\":[");
    for (uint32_t i = 0; i < h->c.instrument_count; i++) {
        const struct house_book *b = &h->book[i];
        if (b->net == 0)
            continue;
        tell_put(&t, "%s{\"symbol\":\"%s\"", between, b->in.def.symbol);
        tell_number(&t, "qty", b->net, b->in.def.qty_exp);
        tell_number(&t, "mark", b->mark, b->in.def.price_exp);
        tell_put(&t, "}");
        between = ",";
    }
    tell_put(&t, "]}");
    finish(out, &t);
}

static void list_instruments(const struct house *h, struct house_reply *out)
{
    struct tell t = begin(out);
    tell_put(&t, "{\"ok\":true,\"instruments\":[");
    for (uint32_t i = 0; i < h->c.instrument_count; i++) {
        if (i > 0)
            tell_put(&t, ",");
        tell_instrument(&t, &h->book[i].in);
    }
    tell_put(&t, "]}");
    finish(out, &t);
}

static void tell_time(const struct house *h, struct house_reply *out)
{
    struct tell t = begin(out);
    tell_put(&t, "{\"ok\":true,\"clock\":\"%s\"", house_is_script(h) ? "script" : "wall");
    tell_number(&t, "t", house_engine_now(h), 0);
    tell_put(&t, "}");
    finish(out, &t);
}

bool house_snapshot(const struct house *h, const char *symbol, size_t count,
                    char out[HOUSE_TEXT_BYTES], size_t *used)
{
    uint32_t i = house_symbol(h, symbol, count);
    if (i == UINT32_MAX)
        return false;
    const struct house_book *b = &h->book[i];
    struct tell t = {out, 0, HOUSE_TEXT_BYTES};
    tell_put(&t, "{\"ch\":\"snapshot\",\"symbol\":\"%s\",\"n\":%lu", b->in.def.symbol,
             (unsigned long)b->market_n);
    tell_number(&t, "t", b->market_ns, 0);
    if (b->mark > 0)
        tell_number(&t, "last", b->mark, b->in.def.price_exp);
    else
        tell_put(&t, ",\"last\":\"\"");
    tell_put(&t, "}");
    *used = t.used;
    return true;
}

/* ---- the table ---- */
enum path {
    PATH_UNSET = 0,
    PATH_PLACE,
    PATH_CANCEL,
    PATH_CANCEL_ALL,
    PATH_FIND,
    PATH_OPEN,
    PATH_FILLS,
    PATH_POSITIONS,
    PATH_INSTRUMENTS,
    PATH_TIME
};
static const struct {
    uint32_t method;
    const char *path;
    uint32_t weight;
} paths[] = {
    [PATH_PLACE] = {HOUSE_POST, "/v1/orders", 1},
    [PATH_CANCEL] = {HOUSE_DELETE, "/v1/orders", 1},
    [PATH_CANCEL_ALL] = {HOUSE_DELETE, "/v1/orders/all", 5},
    [PATH_FIND] = {HOUSE_GET, "/v1/orders", 2},
    [PATH_OPEN] = {HOUSE_GET, "/v1/orders/open", 5},
    [PATH_FILLS] = {HOUSE_GET, "/v1/fills", 5},
    [PATH_POSITIONS] = {HOUSE_GET, "/v1/positions", 5},
    [PATH_INSTRUMENTS] = {HOUSE_GET, "/v1/instruments", 5},
    [PATH_TIME] = {HOUSE_GET, "/v1/time", 1},
};

static uint32_t path_of(uint32_t method, const char *path)
{
    for (uint32_t i = PATH_PLACE; i <= PATH_TIME; i++) {
        if (paths[i].method == method && strcmp(paths[i].path, path) == 0)
            return i;
    }
    return PATH_UNSET;
}

uint32_t house_weight(uint32_t method, const char *path)
{
    uint32_t i = path_of(method, path);
    return i == PATH_UNSET ? 0 : paths[i].weight;
}

void house_ask(struct house *h, const struct house_ask *q, struct house_reply *out)
{
    switch (path_of(q->method, q->path)) {
    case PATH_PLACE:
        place(h, q, out);
        return;
    case PATH_CANCEL:
        cancel_one(h, q, out);
        return;
    case PATH_CANCEL_ALL:
        cancel_all(h, q, out);
        return;
    case PATH_FIND:
        find_one(h, q, out);
        return;
    case PATH_OPEN:
        list_open(h, q, out);
        return;
    case PATH_FILLS:
        list_fills(h, q, out);
        return;
    case PATH_POSITIONS:
        list_positions(h, out);
        return;
    case PATH_INSTRUMENTS:
        list_instruments(h, out);
        return;
    case PATH_TIME:
        tell_time(h, out);
        return;
    default:
        refuse(out, 404, "MALFORMED", "there is no such path");
    }
}
