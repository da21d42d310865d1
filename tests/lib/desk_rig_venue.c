/* SPDX-License-Identifier: Apache-2.0
 *
 * The rig's venue: a list of orders by client id and two positions. A close fills at once and never
 * through zero; everything else works until it is cancelled. It reads what the desk sent with a
 * dull reader of its own, so that it is a second opinion.
 */
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "base/num.h"
#include "tests/lib/desk_rig.h"

static bool value_of(const char *text_in, const char *key, char *out, size_t bytes)
{
    char find[40];
    snprintf(find, sizeof find, "\"%s\":\"", key);
    const char *at = strstr(text_in, find);
    size_t skip = strlen(find);
    if (!at) {
        snprintf(find, sizeof find, "%s=", key);
        at = strstr(text_in, find);
        skip = strlen(find);
    }
    if (!at)
        return false;
    at += skip;
    size_t n = strcspn(at, "\"&X");
    snprintf(out, bytes, "%.*s", (int)n, at);
    return true;
}

struct rig_order *desk_rig_order_of(struct rig *r, const char *id)
{
    for (uint32_t i = 0; i < r->order_count; i++)
        if (strcmp(r->order[i].client_id, id) == 0)
            return &r->order[i];
    return NULL;
}

static void fill(struct rig *r, struct rig_order *o)
{
    int64_t *p = &r->position[o->symbol[0] == 'E'];
    int64_t qty = o->qty;
    if (o->reduces) { /* never through zero */
        if (*p == 0 || (*p > 0) == (qty > 0))
            qty = 0;
        else if (num_abs(qty) > num_abs(*p))
            qty = -*p;
    }
    *p += qty;
    o->works = false;
}

static void venue_order(struct rig *r, const struct rig_sent *s)
{
    char id[64], qty[32], side[8], tif[8];
    must(value_of(s->text, "client_id", id, sizeof id) && value_of(s->text, "qty", qty, 32) &&
         value_of(s->text, "side", side, 8) && value_of(s->text, "tif", tif, 8));
    struct rig_order *o = desk_rig_order_of(r, id);
    if (o) {
        o->times++;
        return;
    }
    must(r->order_count < RIG_ORDERS_MAX);
    o = &r->order[r->order_count++];
    memset(o, 0, sizeof *o);
    snprintf(o->client_id, sizeof o->client_id, "%.39s", id);
    must(value_of(s->text, "symbol", o->symbol, sizeof o->symbol));
    must(is_ok(num_parse(qty, strlen(qty), -3, false, &o->qty)));
    o->qty = side[0] == 's' ? -o->qty : o->qty;
    o->reduces = strstr(s->text, "\"reduce_only\":true") != NULL;
    o->works = true;
    o->times = 1;
    if (tif[0] == 'i') {
        if (!r->ignores_closes)
            fill(r, o);
        o->works = false;
    }
}

static void venue_cancel(struct rig *r, const struct rig_sent *s)
{
    char id[64];
    bool one = value_of(s->text, "client_id", id, sizeof id);
    for (uint32_t i = 0; i < r->order_count && !r->ignores_cancels; i++)
        if (!one || strcmp(r->order[i].client_id, id) == 0)
            r->order[i].works = false;
}

static void positions(const struct rig *r, char *out, size_t bytes)
{
    static const char *const symbol[] = {"BTC-USD", "ETH-USD"};
    size_t at = (size_t)snprintf(out, bytes, "{\"ok\":true,\"positions\":[");
    bool comma = false;
    for (uint32_t i = 0; i < 2; i++) {
        char qty[NUM_TEXT_BYTES];
        if (!r->position[i])
            continue;
        num_print(r->position[i], -3, qty);
        at += (size_t)snprintf(out + at, bytes - at,
                               "%s{\"symbol\":\"%s\",\"qty\":\"%s\",\"mark\":\"100.123\"}",
                               comma ? "," : "", symbol[i], qty);
        comma = true;
    }
    snprintf(out + at, bytes - at, "]}");
}

static void reply_to(struct rig *r, struct rig_sent *s)
{
    char body[512] = "{\"ok\":true,\"token\":\"t0ken\"}";
    bool good = !r->status || r->status / 100 == 2;
    s->is_replied = true;
    if (good && s->m.method == TN_METHOD_POST && strncmp(s->text, "/v1/orders", 10) == 0)
        venue_order(r, s);
    if (good && s->m.method == TN_METHOD_DELETE)
        venue_cancel(r, s);
    if (strncmp(s->text, "/v1/positions", 13) == 0)
        positions(r, body, sizeof body);
    if (r->positions_text && strncmp(s->text, "/v1/positions", 13) == 0)
        snprintf(body, sizeof body, "%s", r->positions_text);
    uint32_t status = r->status ? r->status : 200;
    if (r->refuses_cancels && s->m.method == TN_METHOD_DELETE)
        status = 500;
    struct desk_net_in in = {.account = RIG_ACCOUNT,
                             .link = s->m.link,
                             .what = DESK_NET_BYTES,
                             .status = status,
                             .retry_s = r->retry_s,
                             .ticket = s->m.ticket,
                             .count = strlen(body),
                             .bytes = (const uint8_t *)body};
    if (!r->dead) /* nobody is there to hear it */
        desk_from_net(r->d, r->now, &in);
}

void desk_rig_venue(struct rig *r)
{
    for (uint32_t i = 0; i < r->sent_count; i++)
        if (!r->sent[i].is_replied && r->sent[i].m.type == TN_LINK_HTTP)
            reply_to(r, &r->sent[i]);
}
