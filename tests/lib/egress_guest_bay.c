/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "base/num.h"
#include "tenon/strategy.h"
#include "tests/lib/egress_guest.h"

struct writer {
    struct line_request h;
    struct line_part part[32];
    char bytes[2048];
};

static void text(struct writer *w, const char *s)
{
    const uint32_t n = (uint32_t)strlen(s);
    must(w->h.bytes + n <= sizeof w->bytes && w->h.part_count < 32);
    memcpy(w->bytes + w->h.bytes, s, n);
    w->h.bytes += n;
    w->part[w->h.part_count++] = (struct line_part){.kind = TN_PART_BYTES, .bytes = n};
}

static void fill(struct writer *w, uint32_t kind, uint32_t field)
{
    must(w->h.part_count < 32);
    w->part[w->h.part_count++] = (struct line_part){.kind = kind, .field = field};
}

static void begin(struct egress_guest *g, struct writer *w, uint32_t class_of, uint32_t method,
                  uint32_t flags)
{
    memset(w, 0, sizeof *w);
    w->h = (struct line_request){.class_of = class_of,
                                 .link = GUEST_HTTP,
                                 .weight = 1,
                                 .flags = flags,
                                 .method = method,
                                 .request = ++g->request};
}

static void head(struct writer *w)
{
    w->h.path_parts = w->h.part_count;
    text(w, "X-Key: ");
    fill(w, TN_PART_SECRET, 0);
    text(w, "\r\n");
    w->h.head_parts = w->h.part_count - w->h.path_parts;
}

static void hand(struct egress_guest *g, const struct writer *w)
{
    const uint32_t parts = w->h.part_count * (uint32_t)sizeof *w->part;
    uint8_t *to = link_reserve(&g->bay, LINE_REQUEST, (uint32_t)sizeof w->h + parts + w->h.bytes);
    must(to != NULL);
    memcpy(to, &w->h, sizeof w->h);
    memcpy(to + sizeof w->h, w->part, parts);
    memcpy(to + sizeof w->h + parts, w->bytes, w->h.bytes);
    link_commit(&g->bay);
    link_ring(&g->bay);
}

static void order_template(struct egress_guest *g, const struct tn_approval *a)
{
    struct writer w;
    char body[512], qty[NUM_TEXT_BYTES], price[NUM_TEXT_BYTES];
    begin(g, &w, TN_CLASS_ORDER, TN_METHOD_POST, 0);
    w.h.approval = a->approval;
    text(&w, "/v1/orders");
    head(&w);
    num_print(a->qty, -3, qty);
    num_print(a->price, -2, price);
    snprintf(body, sizeof body,
             "{\"client_id\":\"%s\",\"symbol\":\"BTC-USD\",\"side\":\"%s\",\"type\":\"limit\","
             "\"qty\":\"%s\",\"price\":\"%s\",\"tif\":\"gtc\",\"reduce_only\":%s,\"at\":\"%ld\"}",
             a->client_id, a->side == TN_LONG ? "buy" : "sell", qty, price,
             a->reduce_only ? "true" : "false", (long)a->t_ns);
    text(&w, body);
    hand(g, &w);
}

static void stored_templates(struct egress_guest *g)
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
    struct writer w;
    begin(g, &w, TN_CLASS_CANCEL_ALL, TN_METHOD_DELETE, TN_REQUEST_STORED);
    text(&w, "/v1/orders/all");
    head(&w);
    hand(g, &w);
    begin(g, &w, TN_CLASS_CANCEL, TN_METHOD_DELETE, TN_REQUEST_STORED);
    text(&w, "/v1/orders?client_id=");
    fill(&w, TN_PART_FIELD, TN_FIELD_CLIENT_ID);
    text(&w, "&symbol=");
    fill(&w, TN_PART_FIELD, TN_FIELD_SYMBOL);
    head(&w);
    hand(g, &w);
    begin(g, &w, TN_CLASS_QUERY, TN_METHOD_GET, TN_REQUEST_STORED);
    text(&w, "/v1/positions");
    head(&w);
    hand(g, &w);
    begin(g, &w, TN_CLASS_ORDER, TN_METHOD_POST, TN_REQUEST_STORED);
    text(&w, "/v1/orders");
    head(&w);
    for (uint32_t i = 0; i < sizeof row / sizeof *row; i++) {
        text(&w, row[i].before);
        fill(&w, TN_PART_FIELD, row[i].field);
    }
    text(&w, "\"}");
    hand(g, &w);
}

void egress_guest_bay(struct egress_guest *g)
{
    struct road_bay m = {.account = GUEST_ACCOUNT, .link_bytes = LINE_BYTES};
    struct line_open o = {.id = GUEST_HTTP, .type = TN_LINK_HTTP, .is_order_path = 1};
    struct link_end end[2];
    struct trail tr = {0};
    must(is_ok(link_make(LINE_BYTES, end, &tr)));
    const int fd[] = {end[1].mine, end[1].theirs, end[1].bell, end[1].their_bell};
    egress_guest_send(g->socket, &m, sizeof m, fd, 4);
    link_end_close(&end[1]);
    must(is_ok(link_open(&end[0], &g->bay, &tr)));
    g->has_bay = true;
    stored_templates(g);
    must(link_put(&g->bay, LINE_OPEN, &o, sizeof o)); /* last: when it is up, all is known */
    g->is_up = false;
    egress_guest_wait_up(g);
}

static void on_line_in(struct egress_guest *g, const struct line_in *in)
{
    g->in_count += in->kind == TN_IN_BYTES;
    g->is_up = g->is_up || in->kind == TN_IN_UP || in->kind == TN_IN_RESUMED;
}

void egress_guest_bay_turn(struct egress_guest *g)
{
    static _Alignas(16) uint8_t bytes[LINK_MESSAGE_MAX];
    struct link_message m;
    while (g->has_bay && link_take(&g->bay, &m, bytes, sizeof bytes)) {
        if (m.kind == LINE_IN)
            on_line_in(g, (const struct line_in *)(const void *)bytes);
        if (m.kind != LINE_APPROVAL)
            continue;
        g->approvals++;
        const struct line_approval *a = (const struct line_approval *)(const void *)bytes;
        if (!g->bay_is_silent && a->a.class_of == TN_CLASS_ORDER)
            order_template(g, &a->a);
    }
}
