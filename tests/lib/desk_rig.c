/* SPDX-License-Identifier: Apache-2.0
 *
 * The rig's engine, bay and network. Templates are written part by part as an adapter would; each
 * lie changes one thing in them.
 */
#include "tests/lib/desk_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "base/num.h"

/* ---- ops ---- */
static bool to_core(void *arg, uint32_t kind, const void *bytes, uint32_t count)
{
    struct rig *r = arg;
    if (r->core_full)
        return false;
    if (r->dead)
        return true;
    must(r->said_count < RIG_SAID_MAX);
    struct rig_said *s = &r->said[r->said_count++];
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->count = count;
    must(count <= sizeof *s - offsetof(struct rig_said, sent));
    memcpy(&s->sent, bytes, count);
    return true;
}

static bool to_bay(void *arg, uint32_t account, bool second, uint32_t kind, const void *head,
                   uint32_t head_count, const void *body, uint32_t body_count)
{
    struct rig *r = arg;
    (void)account;
    (void)second;
    if (r->bay_full)
        return false;
    if (kind == LINE_APPROVAL) {
        struct line_approval a;
        must(head_count == sizeof a && r->asked_count < RIG_ORDERS_MAX);
        memcpy(&a, head, sizeof a);
        r->asked[r->asked_count++] = a.a;
    } else { /* spilled messages come in one piece */
        must(kind == LINE_IN && head_count + body_count >= sizeof r->in);
        memcpy(&r->in, head, sizeof r->in);
        const char *text = body_count ? body : (const char *)head + sizeof r->in;
        uint32_t n = r->in.bytes < sizeof r->in_text ? (uint32_t)r->in.bytes
                                                     : (uint32_t)sizeof r->in_text - 1;
        memcpy(r->in_text, text, n);
        r->in_text[n] = '\0';
        r->in_count++;
    }
    return true;
}

static void on_open(void *arg, uint32_t account, bool second, const struct line_open *o,
                    const char *endpoint, const char *path)
{
    struct rig *r = arg;
    (void)account, (void)second, (void)o;
    snprintf(r->opened_at, sizeof r->opened_at, "%.120s%.120s", endpoint, path);
    r->opened++;
}

static void on_close(void *arg, uint32_t account, bool second, uint32_t link)
{
    (void)account, (void)second, (void)link;
    ((struct rig *)arg)->closed++;
}

static int64_t on_send(void *arg, const struct desk_message *m)
{
    struct rig *r = arg;
    uint32_t count = m->path_bytes + m->head_bytes + m->body_bytes;
    if (r->net_gone || r->dead)
        return 0;
    must(r->sent_count < RIG_SENT_MAX && count < RIG_TEXT_BYTES);
    struct rig_sent *s = &r->sent[r->sent_count++];
    memset(s, 0, sizeof *s);
    s->m = *m;
    memcpy(s->text, m->bytes, count);
    s->m.bytes = NULL;
    return count;
}

static int32_t on_secret(void *arg, uint32_t account, uint32_t field,
                         uint8_t out[DESK_SECRET_BYTES])
{
    static const char *const text[] = {"KEY1", "hush"};
    (void)arg, (void)account;
    if (field > 1)
        return -1;
    memcpy(out, text[field], 4);
    return 4;
}

/* The process ends here: what it stores and sends after this never happened. */
static void on_witnessed(void *arg, bool must_last)
{
    struct rig *r = arg;
    (void)must_last;
    if (r->die_at && !r->dead && ++r->stores == r->die_at) {
        memcpy(r->left, r->w, sizeof *r->w);
        r->dead = true;
    }
}

/* ---- life ---- */
void desk_rig_boot(struct rig *r)
{
    struct desk_config c = {.witness = r->w,
                            .boot = r->boot,
                            .seed = 1,
                            .ops = {.arg = r,
                                    .to_core = to_core,
                                    .to_bay = to_bay,
                                    .open = on_open,
                                    .close = on_close,
                                    .send = on_send,
                                    .secret = on_secret,
                                    .witnessed = on_witnessed}};
    struct trail tr = {0};
    if (r->dead)
        memcpy(r->w, r->left, sizeof *r->w);
    r->dead = r->core_full = r->bay_full = r->net_gone = false;
    r->die_at = r->stores = 0;
    r->said_count = r->asked_count = r->answered_count = r->in_count = r->sent_count = 0;
    must(is_ok(desk_init(r->memory, desk_bytes(), &c, r->now, &r->d, &tr)));
}

/* A desk is large: its memory is kept for the next one. Of what is not cleared, nothing is read. */
static void lend_memory(struct rig *r)
{
    static struct rig kept;
    if (!kept.memory) {
        must(posix_memalign(&kept.memory, 64, (desk_bytes() + 63) / 64 * 64) == 0);
        kept.w = malloc(sizeof *kept.w);
        kept.left = malloc(sizeof *kept.left);
        kept.said = malloc(RIG_SAID_MAX * sizeof *kept.said);
        kept.sent = malloc(RIG_SENT_MAX * sizeof *kept.sent);
        must(kept.w && kept.left && kept.said && kept.sent);
    }
    r->memory = kept.memory;
    r->w = kept.w;
    r->left = kept.left;
    r->said = kept.said;
    r->sent = kept.sent;
    memset(r->w, 0, sizeof *r->w);
}

void desk_rig_start(struct rig *r, uint64_t boot)
{
    memset(r, 0, sizeof *r);
    r->boot = boot;
    r->now = 1000000 * RIG_MS;
    r->retry_s = -1;
    r->client_id = TN_CLIENT_ID_TEXT;
    lend_memory(r);
    desk_rig_boot(r);
    desk_rig_attach(r, 3);
    desk_rig_bay(r);
}

void desk_rig_stop(struct rig *r)
{
    if (!r->dead)
        desk_check(r->d);
}

void desk_rig_forget(struct rig *r)
{
    desk_rig_venue(r);
    r->said_count = r->asked_count = r->answered_count = r->sent_count = 0;
}

/* ---- facts ---- */
#define F(m, req, unit, p, v)                                                                      \
    {                                                                                              \
        .size = sizeof(struct tn_wire_field), .meaning = (m), .required = (req),                   \
        .unit_exp = (unit), .path = (p), .value = (v)                                              \
    }
#define SIGNED                                                                                     \
    F(TN_FIELD_SECRET, 1, 0, "X-Key:", ""), F(TN_FIELD_NOW, 1, 0, "X-Time:", ""),                  \
        F(TN_FIELD_HMAC, 1, 0, "X-Sign:", "")

static const struct road_row ROWS[] = {
    {.format = TN_WIRE_JSON,
     .class_of = TN_CLASS_ORDER,
     .link = RIG_HTTP,
     .method = TN_METHOD_POST,
     .match = "/v1/orders",
     .field_count = 14,
     .field = {SIGNED, F(TN_FIELD_CLIENT_ID, 1, 0, "client_id", ""),
               F(TN_FIELD_SYMBOL, 1, 0, "symbol", ""), F(TN_FIELD_SIDE, 1, 0, "side", "buy|sell"),
               F(TN_FIELD_TYPE, 1, 0, "type", "limit|stop"), F(TN_FIELD_QTY, 1, 127, "qty", ""),
               F(TN_FIELD_PRICE, 1, 127, "price", ""), F(TN_FIELD_TIF, 1, 0, "tif", "gtc|ioc"),
               F(TN_FIELD_REDUCE_ONLY, 1, 0, "reduce_only", "false|true"),
               F(TN_FIELD_TIME, 1, 0, "at", ""), F(TN_FIELD_LEVERAGE, 0, 0, "leverage", "1"),
               F(TN_FIELD_CONSTANT, 0, 0, "Content-Type:", "application/json")}},
    {.format = TN_WIRE_QUERY,
     .class_of = TN_CLASS_CANCEL,
     .link = RIG_HTTP,
     .method = TN_METHOD_DELETE,
     .match = "/v1/orders",
     .field_count = 6,
     .field = {SIGNED, F(TN_FIELD_CLIENT_ID, 1, 0, "client_id", ""),
               F(TN_FIELD_SYMBOL, 1, 0, "symbol", ""), F(TN_FIELD_TIME, 0, 0, "at", "")}},
    {.format = TN_WIRE_QUERY,
     .class_of = TN_CLASS_CANCEL_ALL,
     .link = RIG_HTTP,
     .method = TN_METHOD_DELETE,
     .match = "/v1/orders/all",
     .field_count = 4,
     .field = {SIGNED, F(TN_FIELD_SYMBOL, 0, 0, "symbol", "")}},
    {.format = TN_WIRE_QUERY,
     .class_of = TN_CLASS_QUERY,
     .link = RIG_HTTP,
     .method = TN_METHOD_GET,
     .match = "/v1/orders",
     .field_count = 4,
     .field = {SIGNED, F(TN_FIELD_CLIENT_ID, 1, 0, "client_id", "")}},
    {.format = TN_WIRE_QUERY,
     .class_of = TN_CLASS_QUERY,
     .link = RIG_HTTP,
     .method = TN_METHOD_GET,
     .match = "/v1/positions",
     .field_count = 3,
     .field = {SIGNED}},
    {.format = TN_WIRE_JSON,
     .class_of = TN_CLASS_QUERY,
     .inbound = 1,
     .link = RIG_HTTP,
     .method = TN_METHOD_GET,
     .match = "/v1/positions",
     .field_count = 3,
     .field = {F(TN_FIELD_SYMBOL, 1, 0, "positions[].symbol", ""),
               F(TN_FIELD_QTY, 1, 127, "positions[].qty", ""),
               F(TN_FIELD_MARK, 0, 127, "positions[].mark", "")}},
    {.format = TN_WIRE_QUERY,
     .class_of = TN_CLASS_QUERY,
     .link = RIG_HTTP,
     .method = TN_METHOD_GET,
     .match = "/v1/fills",
     .field_count = 5,
     .field = {SIGNED, F(TN_FIELD_CURSOR, 0, 0, "after", ""),
               F(TN_FIELD_CONSTANT, 0, 0, "limit", "100")}},
    {.format = TN_WIRE_WS_JSON,
     .class_of = TN_CLASS_SESSION,
     .link = RIG_WS,
     .match = "op=subscribe",
     .field_count = 1,
     .field = {F(TN_FIELD_TOPIC, 1, 0, "channels[]", "market:*|reports")}},
    {.format = TN_WIRE_WS_JSON,
     .class_of = TN_CLASS_QUERY,
     .link = RIG_WS,
     .match = "op=positions",
     .field_count = 0},
    {.format = TN_WIRE_JSON,
     .class_of = TN_CLASS_SESSION,
     .link = RIG_HTTP,
     .method = TN_METHOD_POST,
     .match = "/v1/session",
     .field_count = 3,
     .field = {SIGNED}},
};

static struct road_account account_of(struct rig *r)
{
    struct road_account a = {.account = RIG_ACCOUNT,
                             .instance = 1,
                             .simulated = 1,
                             .endpoint_count = 1,
                             .name = "sim",
                             .client_id = r->client_id,
                             .client_id_max = 36,
                             .budget_count = 1};
    snprintf(a.endpoint[0], sizeof a.endpoint[0], "%s",
             r->endpoint ? r->endpoint : "http://127.0.0.1:1");
    a.budget[0].weight = r->weight ? r->weight : 100000;
    a.budget[0].per_ns = r->weight ? r->per_ns : 1000 * RIG_MS;
    return a;
}

void desk_rig_facts(struct rig *r)
{
    struct road_account a = account_of(r);
    desk_from_core(r->d, r->now, ROAD_ACCOUNT, &a, sizeof a);
    static const char *const symbol[] = {"BTC-USD", "ETH-USD"};
    for (uint32_t i = 0; i < 2; i++) {
        struct road_instrument n = {.account = RIG_ACCOUNT,
                                    .def = {.id = RIG_BTC + i,
                                            .price_exp = -2,
                                            .qty_exp = -3,
                                            .tick = 5,
                                            .lot = 10,
                                            .min_qty = 10}};
        snprintf(n.venue_symbol, sizeof n.venue_symbol, "%s", symbol[i]);
        desk_from_core(r->d, r->now, ROAD_INSTRUMENT, &n, sizeof n);
    }
    for (uint32_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct road_row row = ROWS[i];
        row.account = RIG_ACCOUNT;
        row.index = i;
        desk_from_core(r->d, r->now, ROAD_ROW, &row, sizeof row);
    }
}

void desk_rig_attach(struct rig *r, uint64_t epoch)
{
    struct road_hello h = {.version = ROAD_VERSION, .epoch = epoch, .journal_id = {1, 2, 3}};
    struct road_ready ready = {.epoch = epoch};
    r->epoch = epoch;
    desk_attach(r->d, r->now, &h);
    desk_rig_facts(r);
    desk_from_core(r->d, r->now, ROAD_READY, &ready, sizeof ready);
}

/* ---- templates ---- */
struct writer {
    struct line_request h;
    struct line_part part[TN_ADAPTER_PARTS_MAX];
    uint8_t bytes[2048];
    uint8_t out[8192];
};

static void part(struct writer *w, uint32_t kind, uint32_t field)
{
    w->part[w->h.part_count++] = (struct line_part){.kind = kind, .field = field};
}

static void text(struct writer *w, uint32_t kind, const char *s)
{
    uint32_t n = (uint32_t)strlen(s);
    must(w->h.bytes + n <= sizeof w->bytes);
    memcpy(w->bytes + w->h.bytes, s, n);
    w->h.bytes += n;
    w->part[w->h.part_count++] = (struct line_part){.kind = kind, .bytes = n};
}

static void head(struct writer *w, const char *more)
{
    uint32_t signed_parts = w->h.path_parts = w->h.part_count;
    text(w, TN_PART_BYTES, "X-Key: ");
    part(w, TN_PART_SECRET, 0);
    text(w, TN_PART_BYTES, "\r\nX-Time: ");
    part(w, TN_PART_NOW_MS, 0);
    text(w, TN_PART_BYTES, "\r\nX-Sign: ");
    w->part[w->h.part_count++] = (struct line_part){.kind = TN_PART_HMAC,
                                                    .field = 1,
                                                    .digest = TN_DIGEST_SHA256,
                                                    .encode = TN_ENCODE_HEX,
                                                    .count = signed_parts};
    text(w, TN_PART_BYTES, "\r\n");
    if (*more)
        text(w, TN_PART_BYTES, more);
    w->h.head_parts = w->h.part_count - w->h.path_parts;
}

static void hand(struct rig *r, struct writer *w)
{
    uint32_t parts = w->h.part_count * (uint32_t)sizeof w->part[0];
    memcpy(w->out, &w->h, sizeof w->h);
    memcpy(w->out + sizeof w->h, w->part, parts);
    memcpy(w->out + sizeof w->h + parts, w->bytes, w->h.bytes);
    uint32_t count = (uint32_t)sizeof w->h + parts + w->h.bytes;
    for (uint64_t n = r->damage ? 1 + rng_below(r->damage, 3) : 0; n; n--)
        w->out[rng_below(r->damage, count)] = (uint8_t)rng_next(r->damage);
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_REQUEST, w->out, count);
}

static void begin(struct rig *r, struct writer *w, uint32_t class_of, uint32_t link,
                  uint32_t method)
{
    memset(w, 0, sizeof *w);
    w->h = (struct line_request){.class_of = class_of,
                                 .link = link,
                                 .weight = r->heavy ? r->heavy : 1,
                                 .method = method,
                                 .request = ++r->request};
}

static const char *symbol_of(uint32_t instrument)
{
    return instrument == RIG_BTC ? "BTC-USD" : "ETH-USD";
}

static void number(char *out, int64_t v, int exp)
{
    char text_of[NUM_TEXT_BYTES];
    num_print(v, exp, text_of);
    snprintf(out, NUM_TEXT_BYTES, "%s", text_of);
}

static void order_body(const struct tn_approval *a, enum rig_lie lie, char *out, size_t bytes)
{
    char qty[NUM_TEXT_BYTES], price[NUM_TEXT_BYTES];
    number(qty, lie == RIG_MORE ? a->qty * 10 : a->qty, -3);
    number(price, lie == RIG_LESS_PRICE ? a->price - 5 : a->price, -2);
    const char *symbol =
        symbol_of(lie == RIG_OTHER_SYMBOL ? RIG_BTC + RIG_ETH - a->instrument : a->instrument);
    bool sells = (a->side == TN_SHORT) != (lie == RIG_OTHER_SIDE);
    bool reduces = a->reduce_only && lie != RIG_NOT_REDUCING;
    char id[80];
    snprintf(id, sizeof id, "\"client_id\":\"%s%s\",", a->client_id,
             lie == RIG_OTHER_ID ? "x" : "");
    const char *more = lie == RIG_LEVERAGE  ? ",\"leverage\":\"20\""
                       : lie == RIG_UNNAMED ? ",\"post_only\":false"
                       : lie == RIG_TWICE   ? ",\"qty\":\"9\""
                       : lie == RIG_ESCAPED ? ",\"q\\u0074y\":\"9\""
                       : lie == RIG_LIST    ? ",\"orders\":[{\"qty\":\"9\"}]"
                                            : "";
    snprintf(out, bytes,
             "{%s\"symbol\":\"%s\",\"side\":\"%s\",\"type\":\"limit\",\"qty\":\"%s\","
             "\"price\":\"%s\",\"tif\":\"%s\",\"reduce_only\":%s,\"at\":\"%lld\"%s}",
             lie == RIG_NO_ID || lie == RIG_LEAK ? "" : id, symbol, sells ? "sell" : "buy", qty,
             price, a->tif == FACT_IOC ? "ioc" : "gtc", reduces ? "true" : "false",
             (long long)(lie == RIG_OTHER_TIME ? a->t_ns + 1 : a->t_ns), more);
}

static void order_template(struct rig *r, const struct tn_approval *a, enum rig_lie lie)
{
    struct writer w;
    char body[512];
    begin(r, &w, TN_CLASS_ORDER, RIG_HTTP,
          lie == RIG_OTHER_METHOD ? TN_METHOD_PUT : TN_METHOD_POST);
    w.h.approval = a->approval;
    if (lie == RIG_FREE_WEIGHT)
        w.h.bucket = 1;
    if (lie == RIG_OTHER_CLASS)
        w.h.class_of = TN_CLASS_CANCEL;
    order_body(a, lie, body, sizeof body);
    part(&w, TN_PART_NOW_MS | TN_PART_HIDDEN, 0);
    text(&w, TN_PART_BYTES | TN_PART_HIDDEN, "POST");
    text(&w, TN_PART_BYTES, lie == RIG_OTHER_PATH ? "/v1/orders/batch" : "/v1/orders");
    text(&w, TN_PART_BYTES | TN_PART_HIDDEN, body);
    head(&w, lie == RIG_UNNAMED_HEAD ? "X-Other: 1\r\n" : "Content-Type: application/json\r\n");
    if (lie == RIG_LEAK) {
        text(&w, TN_PART_BYTES, "{\"client_id\":\"");
        part(&w, TN_PART_SECRET, 1);
        text(&w, TN_PART_BYTES, "\",");
        text(&w, TN_PART_BYTES, body + 1);
    } else {
        text(&w, TN_PART_BYTES, body);
    }
    hand(r, &w);
}

static void query_template(struct rig *r, const struct tn_approval *a, enum rig_lie lie)
{
    struct writer w;
    char path[200];
    bool cancels = a->class_of == TN_CLASS_CANCEL;
    begin(r, &w, a->class_of, RIG_HTTP, cancels ? TN_METHOD_DELETE : TN_METHOD_GET);
    w.h.approval = a->approval;
    snprintf(path, sizeof path, "/v1/orders?client_id=%s%s%s%s", a->client_id,
             lie == RIG_OTHER_ID ? "x" : "", cancels ? "&symbol=" : "",
             cancels ? symbol_of(a->instrument) : "");
    part(&w, TN_PART_NOW_MS | TN_PART_HIDDEN, 0);
    text(&w, TN_PART_BYTES | TN_PART_HIDDEN, cancels ? "DELETE" : "GET");
    text(&w, TN_PART_BYTES, path);
    head(&w, "");
    hand(r, &w);
}

void desk_rig_template(struct rig *r, const struct tn_approval *a, enum rig_lie lie)
{
    if (lie == RIG_SILENT)
        return;
    if (lie == RIG_REFUSES) {
        struct line_burn b = {.approval = a->approval, .status = TN_E_UNSUPPORTED};
        desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_BURN, &b, sizeof b);
    } else if (a->class_of == TN_CLASS_ORDER) {
        order_template(r, a, lie);
    } else {
        query_template(r, a, lie);
    }
}

void desk_rig_answer(struct rig *r)
{
    while (r->answered_count < r->asked_count)
        desk_rig_template(r, &r->asked[r->answered_count++], r->lie);
}

void desk_rig_pass(struct rig *r, uint32_t class_of, uint32_t link, const char *path,
                   const char *body)
{
    struct writer w;
    begin(r, &w, class_of, link, *body && link == RIG_HTTP ? TN_METHOD_POST : TN_METHOD_GET);
    w.h.bucket = r->lie == RIG_FREE_WEIGHT ? 200000 : 0;
    if (link == RIG_HTTP) {
        text(&w, TN_PART_BYTES, path);
        head(&w, "");
    }
    if (*body)
        text(&w, TN_PART_BYTES, body);
    hand(r, &w);
}

static void close_template(struct writer *w)
{
    static const struct {
        const char *before;
        uint32_t field;
    } row[] = {{"{\"client_id\":\"", TN_FIELD_CLIENT_ID},
               {"\",\"symbol\":\"", TN_FIELD_SYMBOL},
               {"\",\"side\":\"", TN_FIELD_SIDE},
               {"\",\"type\":\"limit\",\"qty\":\"", TN_FIELD_QTY},
               {"\",\"price\":\"", TN_FIELD_PRICE},
               {"\",\"tif\":\"", TN_FIELD_TIF},
               {"\",\"reduce_only\":", TN_FIELD_REDUCE_ONLY},
               {",\"at\":\"", TN_FIELD_TIME}};
    text(w, TN_PART_BYTES, "/v1/orders");
    head(w, "");
    for (uint32_t i = 0; i < sizeof row / sizeof *row; i++) {
        text(w, TN_PART_BYTES, row[i].before);
        part(w, TN_PART_FIELD, row[i].field);
    }
    text(w, TN_PART_BYTES, "\"}");
}

void desk_rig_stored(struct rig *r, uint32_t class_of, bool by_id)
{
    struct writer w;
    uint32_t method = class_of == TN_CLASS_ORDER   ? TN_METHOD_POST
                      : class_of == TN_CLASS_QUERY ? TN_METHOD_GET
                                                   : TN_METHOD_DELETE;
    begin(r, &w, class_of, RIG_HTTP, method);
    w.h.flags = TN_REQUEST_STORED;
    if (class_of == TN_CLASS_ORDER) {
        close_template(&w);
    } else if (by_id) {
        text(&w, TN_PART_BYTES, "/v1/orders?client_id=");
        part(&w, TN_PART_FIELD, TN_FIELD_CLIENT_ID);
        if (class_of == TN_CLASS_CANCEL) {
            text(&w, TN_PART_BYTES, "&symbol=");
            part(&w, TN_PART_FIELD, TN_FIELD_SYMBOL);
        }
        head(&w, "");
    } else {
        text(&w, TN_PART_BYTES, class_of == TN_CLASS_QUERY ? "/v1/positions" : "/v1/orders/all");
        head(&w, "");
    }
    hand(r, &w);
}

void desk_rig_stored_ws(struct rig *r)
{
    struct writer w;
    begin(r, &w, TN_CLASS_QUERY, RIG_WS, 0);
    w.h.flags = TN_REQUEST_STORED;
    text(&w, TN_PART_BYTES, "{\"op\":\"positions\"}");
    hand(r, &w);
}

void desk_rig_bay(struct rig *r)
{
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, true);
    for (uint32_t i = RIG_HTTP; i <= RIG_WS; i++) {
        struct line_open o = {.id = i,
                              .type = i == RIG_HTTP ? TN_LINK_HTTP : TN_LINK_WS,
                              .is_order_path = i == RIG_HTTP};
        desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_OPEN, &o, sizeof o);
        desk_rig_net(r, DESK_NET_UP, i, 0);
    }
    desk_rig_stored(r, TN_CLASS_CANCEL, true);
    if (!r->no_cancel_all)
        desk_rig_stored(r, TN_CLASS_CANCEL_ALL, false);
    desk_rig_stored(r, TN_CLASS_QUERY, true);
    desk_rig_stored(r, TN_CLASS_QUERY, false);
    desk_rig_stored(r, TN_CLASS_ORDER, false);
}

/* ---- the engine ---- */
static void client_id(struct rig *r, uint64_t order, char *out, size_t bytes)
{
    memset(out, 0, bytes);
    snprintf(out, bytes, "T%llu-%llu-1", (unsigned long long)r->epoch, (unsigned long long)order);
}

uint64_t desk_rig_order(struct rig *r, uint32_t instrument, uint32_t side, int64_t qty,
                        bool reduces)
{
    uint64_t k = r->k += 4096;
    struct road_order o = {.approval = k,
                           .seq = reduces ? 0 : k / 4096,
                           .t_ns = (int64_t)k * 1000,
                           .send = {.order = k,
                                    .attempt = 1,
                                    .account = RIG_ACCOUNT,
                                    .instrument = instrument,
                                    .side = side,
                                    .tif = FACT_GTC,
                                    .reduce_only = reduces,
                                    .qty = qty,
                                    .price = 10000}};
    client_id(r, k, o.send.client_id, sizeof o.send.client_id);
    desk_from_core(r->d, r->now, ROAD_ORDER, &o, sizeof o);
    if (!r->is_late)
        desk_rig_answer(r);
    return k;
}

uint64_t desk_rig_cancel(struct rig *r, uint64_t order)
{
    uint64_t k = r->k += 4096;
    struct road_cancel c = {
        .approval = k,
        .t_ns = (int64_t)k * 1000,
        .cancel = {.order = order, .attempt = 1, .account = RIG_ACCOUNT, .instrument = RIG_BTC}};
    client_id(r, order, c.client_id, sizeof c.client_id);
    desk_from_core(r->d, r->now, ROAD_CANCEL, &c, sizeof c);
    if (!r->is_late)
        desk_rig_answer(r);
    return k;
}

uint64_t desk_rig_query(struct rig *r, uint64_t order)
{
    uint64_t k = r->k += 4096;
    struct road_query q = {.approval = k,
                           .t_ns = (int64_t)k * 1000,
                           .query = {.order = order, .attempt = 1, .account = RIG_ACCOUNT},
                           .instrument = RIG_BTC};
    client_id(r, order, q.client_id, sizeof q.client_id);
    desk_from_core(r->d, r->now, ROAD_QUERY, &q, sizeof q);
    if (!r->is_late)
        desk_rig_answer(r);
    return k;
}

void desk_rig_durable(struct rig *r)
{
    desk_durable(r->d, r->now, r->k / 4096);
}

void desk_rig_kill(struct rig *r, bool keep_positions)
{
    struct road_kill k = {
        .keep_positions = keep_positions, .wall_ns = r->now, .by = "test", .reason = "press"};
    desk_kill(r->d, r->now, &k);
}

/* ---- time ---- */
void desk_rig_net(struct rig *r, uint32_t what, uint32_t link, uint64_t ticket)
{
    struct desk_net_in in = {
        .account = RIG_ACCOUNT, .link = link, .what = what, .ticket = ticket, .retry_s = -1};
    desk_from_net(r->d, r->now, &in);
}

void desk_rig_run(struct rig *r, int64_t ns)
{
    int64_t end = r->now + ns;
    for (int i = 0; i < 100000; i++) {
        desk_rig_venue(r);
        int64_t at = desk_deadline(r->d);
        if (at > end)
            break;
        r->now = at > r->now ? at : r->now;
        desk_time(r->d, r->now);
    }
    r->now = end;
    desk_time(r->d, r->now);
    desk_rig_venue(r);
}

/* ---- what was heard ---- */
const struct road_sent *desk_rig_sent_of(const struct rig *r, uint64_t k, uint32_t *times)
{
    const struct road_sent *found = NULL;
    *times = 0;
    for (uint32_t i = 0; i < r->said_count; i++)
        if (r->said[i].kind == ROAD_SENT && r->said[i].sent.approval == k) {
            found = &r->said[i].sent;
            ++*times;
        }
    return found;
}

uint32_t desk_rig_alarms(const struct rig *r, uint32_t what)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->said_count; i++)
        n += r->said[i].kind == ROAD_ALARM && r->said[i].alarm.what == what;
    return n;
}

const struct rig_sent *desk_rig_last(const struct rig *r)
{
    return r->sent_count ? &r->sent[r->sent_count - 1] : NULL;
}
