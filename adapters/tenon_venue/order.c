/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests as lists of parts. A signed request of HTTP is always the same list:
 *
 *   path:  [time] [method] path [body], the bracketed ones hidden: what is signed, in its order
 *   head:  "X-Key: " key, "X-Time: " time, "X-Sign: " digest over the parts of the path
 *   body:  once more, visible
 *
 * A stored request has FIELD parts where an approval has numbers; one function writes both, so they
 * cannot drift apart. Texts that come from the host (symbols, client ids) are looked at first: no
 * byte of them has a meaning in a path or in JSON.
 */
#include <string.h>
#include "decimal.h"
#include "session.h"

enum { TEXT_BYTES = 4096, PIECES_MAX = 24 };
enum { KEY = 0, SECRET = 1 }; /* fields of the account's secret */

/* A text of literal bytes and fields of the stored. */
struct words {
    bool is_full;
    uint32_t count, used;
    struct {
        uint32_t field; /* TN_FIELD_*, 0 = bytes */
        uint32_t from, bytes;
    } piece[PIECES_MAX];
    char text[TEXT_BYTES];
};

static void put(struct words *w, const char *text)
{
    size_t n = strlen(text);
    if (w->count == 0 || w->piece[w->count - 1].field != 0) {
        if (w->count == PIECES_MAX) {
            w->is_full = true;
            return;
        }
        w->piece[w->count].field = 0;
        w->piece[w->count].from = w->used;
        w->piece[w->count++].bytes = 0;
    }
    if (n > TEXT_BYTES - w->used) {
        w->is_full = true;
        return;
    }
    memcpy(w->text + w->used, text, n);
    w->used += (uint32_t)n;
    w->piece[w->count - 1].bytes += (uint32_t)n;
}

/* A value: its text, or with NULL a field that egress fills in. */
static void put_field(struct words *w, uint32_t field, const char *text)
{
    if (text != NULL) {
        put(w, text);
    } else if (w->count == PIECES_MAX) {
        w->is_full = true;
    } else {
        w->piece[w->count].field = field;
        w->piece[w->count].from = w->used;
        w->piece[w->count++].bytes = 0;
    }
}

/* ---- parts ---- */
struct draft {
    struct tn_request r;
    bool is_full;
    struct tn_part part[TN_ADAPTER_PARTS_MAX];
};

static struct tn_part *add(struct draft *d, uint32_t kind)
{
    if (d->r.part_count == TN_ADAPTER_PARTS_MAX) {
        d->is_full = true;
        d->r.part_count--; /* the last one is overwritten; a full draft is refused */
    }
    struct tn_part *p = &d->part[d->r.part_count++];
    *p = (struct tn_part){.size = sizeof *p, .kind = kind};
    return p;
}

static void add_text(struct draft *d, uint32_t hidden, const char *text)
{
    struct tn_part *p = add(d, TN_PART_BYTES | hidden);
    p->data = (const uint8_t *)text;
    p->bytes = (uint32_t)strlen(text);
}

static void add_words(struct draft *d, uint32_t hidden, const struct words *w)
{
    d->is_full = d->is_full || w->is_full;
    for (uint32_t i = 0; i < w->count; i++) {
        struct tn_part *p = add(d, (w->piece[i].field ? TN_PART_FIELD : TN_PART_BYTES) | hidden);
        p->field = w->piece[i].field;
        if (w->piece[i].field == 0) {
            p->data = (const uint8_t *)w->text + w->piece[i].from;
            p->bytes = w->piece[i].bytes;
        }
    }
}

static void add_secret(struct draft *d, uint32_t field)
{
    add(d, TN_PART_SECRET)->field = field;
}

static void add_digest(struct draft *d, uint32_t count)
{
    struct tn_part *p = add(d, TN_PART_HMAC);
    p->field = SECRET;
    p->digest = TN_DIGEST_SHA256;
    p->encode = TN_ENCODE_HEX;
    p->count = count;
}

static const char *method_name(uint32_t method)
{
    return method == TN_METHOD_POST ? "POST" : method == TN_METHOD_DELETE ? "DELETE" : "GET";
}

/* What the venue charges for a request. */
static uint32_t weight_of(uint32_t class_of, const struct words *path)
{
    static const char one[] = "/v1/orders?";
    if (class_of == TN_CLASS_ORDER || class_of == TN_CLASS_CANCEL)
        return 1;
    return memcmp(path->text, one, sizeof one - 1) == 0 ? 2 : 5;
}

static int32_t send(struct session *s, struct draft *d, uint32_t class_of, uint32_t weight,
                    const struct tn_adapter_out *out)
{
    d->r.size = sizeof d->r;
    d->r.class_of = class_of;
    d->r.weight = weight;
    d->r.bucket = d->r.link == SESSION_LINK_STREAM ? SESSION_BUCKET_STREAM : SESSION_BUCKET_HTTP;
    d->r.part = d->part;
    if (d->r.request == 0)
        d->r.request = s->next_request++;
    return d->is_full ? TN_E_PARAM : out->request(out->self, &d->r);
}

/* body NULL = none. */
static int32_t send_signed(struct session *s, struct draft *d, uint32_t class_of, uint32_t method,
                           const struct words *path, const struct words *body,
                           const struct tn_adapter_out *out)
{
    d->r.link = SESSION_LINK_HTTP;
    d->r.method = method;
    add(d, TN_PART_NOW_MS | TN_PART_HIDDEN);
    add_text(d, TN_PART_HIDDEN, method_name(method));
    add_words(d, 0, path);
    if (body != NULL)
        add_words(d, TN_PART_HIDDEN, body);
    d->r.path_parts = d->r.part_count;
    add_text(d, 0, "X-Key: ");
    add_secret(d, KEY);
    add_text(d, 0, "\r\nX-Time: ");
    add(d, TN_PART_NOW_MS);
    add_text(d, 0, "\r\nX-Sign: ");
    add_digest(d, d->r.path_parts);
    add_text(d, 0, body != NULL ? "\r\nContent-Type: application/json\r\n" : "\r\n");
    d->r.head_parts = d->r.part_count - d->r.path_parts;
    if (body != NULL)
        add_words(d, 0, body);
    return send(s, d, class_of, weight_of(class_of, path), out);
}

/* ---- values ---- */

/* Letters, digits and -_.: only, at least one. */
static bool is_plain(const char *text, size_t bytes)
{
    size_t n = strnlen(text, bytes);
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '_' || c == '.' || c == ':'))
            return false;
    }
    return n > 0 && n < bytes;
}

/* What the venue called something comes back to it in a path. */
static bool is_cursor(const char *text, size_t bytes)
{
    return text[0] == 0 || is_plain(text, bytes);
}

static const struct session_instrument *instrument_of(const struct session *s, uint32_t id)
{
    for (uint32_t i = 0; i < s->instrument_count; i++) {
        if (s->instrument[i].def->id == id)
            return &s->instrument[i];
    }
    return NULL;
}

/* The texts of an approval; all NULL for a stored request. */
struct values {
    const char *client_id, *symbol, *side, *type, *qty, *price, *tif, *reduce_only, *at;
    char qty_text[DECIMAL_TEXT_BYTES], price_text[DECIMAL_TEXT_BYTES], at_text[DECIMAL_TEXT_BYTES];
};

static bool read_values(struct values *v, const struct session_instrument *in,
                        const struct tn_approval *a)
{
    if (in == NULL || !is_plain(a->client_id, sizeof a->client_id) || a->t_ns < 0)
        return false;
    v->client_id = a->client_id;
    v->symbol = in->symbol;
    v->side = a->side == TN_LONG ? "buy" : "sell";
    v->type = "limit";
    v->tif = a->tif == 2 ? "ioc" : "gtc";
    v->reduce_only = a->reduce_only ? "true" : "false";
    v->qty = v->qty_text;
    v->price = v->price_text;
    v->at = v->at_text;
    return decimal_write(a->qty, in->def->qty_exp, v->qty_text) > 0 &&
           decimal_write(a->price, in->def->price_exp, v->price_text) > 0 &&
           decimal_write(a->t_ns, 0, v->at_text) > 0;
}

static void order_body(struct words *w, const struct values *v)
{
    put(w, "{\"client_id\":\"");
    put_field(w, TN_FIELD_CLIENT_ID, v->client_id);
    put(w, "\",\"symbol\":\"");
    put_field(w, TN_FIELD_SYMBOL, v->symbol);
    put(w, "\",\"side\":\"");
    put_field(w, TN_FIELD_SIDE, v->side);
    put(w, "\",\"type\":\"");
    put_field(w, TN_FIELD_TYPE, v->type);
    put(w, "\",\"qty\":\"");
    put_field(w, TN_FIELD_QTY, v->qty);
    put(w, "\",\"price\":\"");
    put_field(w, TN_FIELD_PRICE, v->price);
    put(w, "\",\"tif\":\"");
    put_field(w, TN_FIELD_TIF, v->tif);
    put(w, "\",\"reduce_only\":");
    put_field(w, TN_FIELD_REDUCE_ONLY, v->reduce_only);
    put(w, ",\"at\":\"");
    put_field(w, TN_FIELD_TIME, v->at);
    put(w, "\"}");
}

/* Of one order: DELETE cancels it, GET asks after it. */
static void order_path(struct words *w, const struct values *v)
{
    put(w, "/v1/orders?client_id=");
    put_field(w, TN_FIELD_CLIENT_ID, v->client_id);
    put(w, "&symbol=");
    put_field(w, TN_FIELD_SYMBOL, v->symbol);
    put(w, "&at=");
    put_field(w, TN_FIELD_TIME, v->at);
}

static void remember(struct draft *d, struct session *s, enum session_asked_what what,
                     const struct tn_approval *a)
{
    struct session_asked *q = session_ask(s, what);
    d->r.request = q->request;
    d->r.approval = a->approval;
    q->instrument = a->instrument;
    q->side = a->side;
    memcpy(q->client_id, a->client_id, sizeof q->client_id);
}

/* ---- approvals ---- */

int32_t order_place(struct session *s, const struct tn_approval *a,
                    const struct tn_adapter_out *out)
{
    struct values v = {.client_id = NULL};
    struct words path = {.count = 0}, body = {.count = 0};
    struct draft d = {.is_full = false};
    if (a->type != TN_ORDER_LIMIT || a->trigger != 0 || a->tif < 1 || a->tif > 2 || a->price <= 0)
        return TN_E_UNSUPPORTED;
    if (!read_values(&v, instrument_of(s, a->instrument), a) || a->qty <= 0 ||
        (a->side != TN_LONG && a->side != TN_SHORT))
        return TN_E_PARAM;
    remember(&d, s, SESSION_ASKED_ORDER, a);
    put(&path, "/v1/orders");
    order_body(&body, &v);
    return send_signed(s, &d, TN_CLASS_ORDER, TN_METHOD_POST, &path, &body, out);
}

static int32_t ask_order(struct session *s, const struct tn_approval *a, uint32_t class_of,
                         enum session_asked_what what, const struct tn_adapter_out *out)
{
    struct values v = {.client_id = NULL};
    struct words path = {.count = 0};
    struct draft d = {.is_full = false};
    if (!read_values(&v, instrument_of(s, a->instrument), a))
        return TN_E_PARAM;
    remember(&d, s, what, a);
    order_path(&path, &v);
    return send_signed(s, &d, class_of,
                       class_of == TN_CLASS_CANCEL ? TN_METHOD_DELETE : TN_METHOD_GET, &path, NULL,
                       out);
}

int32_t order_cancel(struct session *s, const struct tn_approval *a,
                     const struct tn_adapter_out *out)
{
    return ask_order(s, a, TN_CLASS_CANCEL, SESSION_ASKED_CANCEL, out);
}

int32_t order_query(struct session *s, const struct tn_approval *a,
                    const struct tn_adapter_out *out)
{
    return ask_order(s, a, TN_CLASS_QUERY, SESSION_ASKED_QUERY, out);
}

/* ---- reconciliation and stream ---- */

int32_t order_fills(struct session *s, const struct tn_adapter_out *out)
{
    struct words path = {.count = 0};
    struct draft d = {.is_full = false};
    d.r.request = session_ask(s, SESSION_ASKED_FILLS)->request;
    if (!is_cursor(s->cursor, sizeof s->cursor))
        return TN_E_DATA;
    put(&path, "/v1/fills?after=");
    put(&path, s->cursor);
    put(&path, "&limit=100");
    return send_signed(s, &d, TN_CLASS_QUERY, TN_METHOD_GET, &path, NULL, out);
}

int32_t order_open(struct session *s, const struct tn_adapter_out *out)
{
    struct words path = {.count = 0};
    struct draft d = {.is_full = false};
    d.r.request = session_ask(s, SESSION_ASKED_OPEN)->request;
    if (!is_cursor(s->open_after, sizeof s->open_after))
        return TN_E_DATA;
    put(&path, "/v1/orders/open?after=");
    put(&path, s->open_after);
    return send_signed(s, &d, TN_CLASS_QUERY, TN_METHOD_GET, &path, NULL, out);
}

static int32_t send_stream(struct session *s, struct draft *d, const struct words *w,
                           const struct tn_adapter_out *out)
{
    d->r.link = SESSION_LINK_STREAM;
    if (w != NULL)
        add_words(d, 0, w);
    return send(s, d, TN_CLASS_SESSION, 1, out);
}

int32_t order_login(struct session *s, const struct tn_adapter_out *out)
{
    struct draft d = {.is_full = false};
    add(&d, TN_PART_NOW_MS | TN_PART_HIDDEN);
    add_text(&d, TN_PART_HIDDEN, "LOGIN");
    add_text(&d, 0, "{\"op\":\"login\",\"key\":\"");
    add_secret(&d, KEY);
    add_text(&d, 0, "\",\"time\":\"");
    add(&d, TN_PART_NOW_MS);
    add_text(&d, 0, "\",\"sign\":\"");
    add_digest(&d, 2);
    add_text(&d, 0, "\"}");
    return send_stream(s, &d, NULL, out);
}

int32_t order_subscribe(struct session *s, const struct tn_adapter_out *out)
{
    struct draft d = {.is_full = false};
    struct words w = {.count = 0};
    put(&w, "{\"op\":\"subscribe\",\"channels\":[");
    for (uint32_t i = 0; i < s->instrument_count; i++) {
        put(&w, "\"market:");
        put(&w, s->instrument[i].symbol);
        put(&w, "\",");
    }
    put(&w, "\"reports\"]}");
    return send_stream(s, &d, &w, out);
}

int32_t order_snapshot(struct session *s, const struct session_instrument *in,
                       const struct tn_adapter_out *out)
{
    struct draft d = {.is_full = false};
    struct words w = {.count = 0};
    put(&w, "{\"op\":\"snapshot\",\"symbol\":\"");
    put(&w, in->symbol);
    put(&w, "\"}");
    return send_stream(s, &d, &w, out);
}

int32_t order_ping(struct session *s, const struct tn_adapter_out *out)
{
    struct draft d = {.is_full = false};
    struct words w = {.count = 0};
    put(&w, "{\"op\":\"ping\"}");
    return send_stream(s, &d, &w, out);
}

/* ---- stored ---- */

static int32_t store(struct session *s, uint32_t class_of, uint32_t method,
                     const struct words *path, const struct words *body,
                     const struct tn_adapter_out *out)
{
    struct draft d = {.r.flags = TN_REQUEST_STORED};
    return send_signed(s, &d, class_of, method, path, body, out);
}

int32_t order_stored(struct session *s, const struct tn_adapter_out *out)
{
    const struct values fields = {.client_id = NULL};
    struct words one = {.count = 0}, all = {.count = 0}, positions = {.count = 0};
    struct words orders = {.count = 0}, close = {.count = 0};
    order_path(&one, &fields);
    put(&all, "/v1/orders/all");
    put(&positions, "/v1/positions");
    put(&orders, "/v1/orders");
    order_body(&close, &fields);
    int32_t status = store(s, TN_CLASS_CANCEL, TN_METHOD_DELETE, &one, NULL, out);
    if (status == TN_OK)
        status = store(s, TN_CLASS_CANCEL_ALL, TN_METHOD_DELETE, &all, NULL, out);
    if (status == TN_OK)
        status = store(s, TN_CLASS_QUERY, TN_METHOD_GET, &one, NULL, out);
    if (status == TN_OK)
        status = store(s, TN_CLASS_QUERY, TN_METHOD_GET, &positions, NULL, out);
    if (status == TN_OK)
        status = store(s, TN_CLASS_ORDER, TN_METHOD_POST, &orders, &close, out);
    return status;
}
