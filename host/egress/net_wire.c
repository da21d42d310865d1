/* SPDX-License-Identifier: Apache-2.0
 *
 * Callbacks of libwebsockets, for one connection each. A connection that is no longer ours (it was
 * dropped, its opaque pointer is NULL) is closed at its next word. A redirect is refused: nobody
 * signed where it leads.
 *
 * Idle WebSocket connections are pinged after 10 s and given up after 25 s without a word.
 */
#include <stdio.h>
#include <string.h>
#include "egress/net_priv.h"
#include "base/must.h"

enum { PING_S = 10, HANG_UP_S = 25 };
static const lws_retry_bo_t idle_policy = {.secs_since_valid_ping = PING_S,
                                           .secs_since_valid_hangup = HANG_UP_S};

bool net_wire_connect(struct net_wire *w)
{
    const struct net_link *l = w->link;
    struct lws_client_connect_info i = {
        .context = l->net->context,
        .address = l->address.host,
        .port = l->address.port,
        .path = l->path,
        .host = l->address.named,
        .ietf_version_or_minus_one = -1,
        .method = l->type == TN_LINK_WS ? NULL : "RAW",
        .local_protocol_name = l->type == TN_LINK_WS ? "tenon-ws" : "tenon-tcp",
        .pwsi = &w->wsi,
        .retry_and_idle_policy = l->type == TN_LINK_WS ? &idle_policy : NULL,
        .opaque_user_data = w};
    return lws_client_connect_via_info(&i) != NULL;
}

void net_wire_drop(struct net_wire *w)
{
    if (w->wsi == NULL)
        return;
    lws_set_opaque_user_data(w->wsi, NULL);
    lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    w->wsi = NULL;
}

static int end(struct net_wire *w, const char *why)
{
    lws_set_opaque_user_data(w->wsi, NULL);
    net_link_lost(w, why);
    return -1;
}

static int refused(struct net_wire *w, const char *in, size_t count)
{
    char why[160];
    snprintf(why, sizeof why, "no connection to %.60s: %.*s", w->link->address.named,
             in != NULL ? (int)(count < 60 ? count : 60) : 7, in != NULL ? in : "refused");
    return end(w, why);
}

/* ---- raw TCP, and HTTP on it ---- */
static int on_reply(struct net_wire *w)
{
    const struct net_reply *r = w->reply;
    struct net_request *asked = w->now;
    bool is_last = r->is_last;
    net_say(w->link, DESK_NET_BYTES, asked->ticket, r->status, r->retry_s, r->body, r->body_bytes);
    free(asked);
    w->now = NULL;
    w->state = WIRE_READY;
    w->until_ns = INT64_MAX;
    w->has_served = true;
    if (is_last)
        return end(w, "the server closed after its reply");
    net_link_next(w);
    return 0;
}

static int on_tcp_bytes(struct net_wire *w, const uint8_t *in, size_t count)
{
    struct trail tr = {0};
    size_t used = 0;
    if (w->link->type == TN_LINK_RAW) {
        net_say(w->link, DESK_NET_BYTES, 0, 0, -1, in, count);
        return 0;
    }
    if (w->state != WIRE_BUSY || !w->now->has_begun)
        return end(w, "the server spoke unasked");
    struct result r = net_reply_feed(w->reply, in, count, &used, &tr);
    if (r.code == RESULT_AGAIN)
        return 0;
    if (!is_ok(r))
        return end(w, trail_sentence(&tr, r));
    if (used == count)
        return on_reply(w);
    w->reply->is_last = true; /* more than the reply that was asked for: not to be used again */
    return on_reply(w);
}

static int on_tcp_closed(struct net_wire *w)
{
    struct trail tr = {0};
    struct result r = OK_RESULT;
    if (w->state != WIRE_BUSY || !w->now->has_begun)
        return end(w, "the server closed the connection");
    r = net_reply_end(w->reply, &tr);
    return is_ok(r) ? on_reply(w) : end(w, trail_sentence(&tr, r));
}

static int write_one(struct net_wire *w, struct net_request *r, enum lws_write_protocol how)
{
    r->has_begun = true;
    return lws_write(w->wsi, r->bytes, r->count, how) < (int)r->count ? -1 : 0;
}

/* libwebsockets keeps what the kernel did not take, and comes back when it is gone. */
static bool say_written(struct net_wire *w, const struct net_request *r)
{
    if (lws_partial_buffered(w->wsi))
        return false;
    net_say(w->link, DESK_NET_WRITTEN, r->ticket, 0, -1, "", 0);
    return true;
}

/* The oldest of what waits on a link that is one connection; it stays w->now until its last byte
 * is with the kernel. */
static int write_pending(struct net_wire *w, enum lws_write_protocol how)
{
    struct net_link *l = w->link;
    if (w->now == NULL && (w->now = net_link_take(l)) != NULL && write_one(w, w->now, how) != 0)
        return end(w, "the connection was lost");
    if (w->now != NULL && say_written(w, w->now)) {
        free(w->now);
        w->now = NULL;
    }
    if (w->now != NULL || l->first != NULL)
        lws_callback_on_writable(w->wsi);
    return 0;
}

static int on_tcp_writable(struct net_wire *w)
{
    if (w->link->type == TN_LINK_RAW)
        return write_pending(w, LWS_WRITE_RAW);
    if (w->now == NULL || w->now->is_written)
        return 0;
    if (!w->now->has_begun && write_one(w, w->now, LWS_WRITE_RAW) != 0)
        return end(w, "the connection was lost");
    w->now->is_written = say_written(w, w->now);
    if (!w->now->is_written)
        lws_callback_on_writable(w->wsi);
    return 0;
}

static int on_tcp(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t count)
{
    struct net_wire *w = lws_get_opaque_user_data(wsi);
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_RAW_CONNECTED:
        if (w == NULL)
            return -1;
        net_link_connected(w);
        return 0;
    case LWS_CALLBACK_RAW_RX:
        return w != NULL ? on_tcp_bytes(w, in, count) : -1;
    case LWS_CALLBACK_RAW_WRITEABLE:
        return w != NULL ? on_tcp_writable(w) : -1;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        return w != NULL ? refused(w, in, count) : -1;
    case LWS_CALLBACK_RAW_CLOSE:
        return w != NULL ? on_tcp_closed(w) : 0;
    case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
        return -1;
    default:
        return 0;
    }
}

/* ---- WebSocket ---- */
static int on_piece(struct net_wire *w, const uint8_t *in, size_t count)
{
    struct net_link *l = w->link;
    const bool is_last = lws_is_final_fragment(w->wsi) && lws_remaining_packet_payload(w->wsi) == 0;
    if (is_last && l->whole_bytes == 0 && count <= LINE_BODY_MAX) {
        net_say(l, DESK_NET_BYTES, 0, 0, -1, in, count);
        return 0;
    }
    if (l->whole == NULL)
        l->whole = malloc(LINE_BODY_MAX);
    must(l->whole != NULL);
    if (count > LINE_BODY_MAX - l->whole_bytes)
        return end(w, "the venue sent a message of more than 131072 bytes");
    memcpy(l->whole + l->whole_bytes, in, count);
    l->whole_bytes += (uint32_t)count;
    if (!is_last)
        return 0;
    net_say(l, DESK_NET_BYTES, 0, 0, -1, l->whole, l->whole_bytes);
    l->whole_bytes = 0;
    return 0;
}

static int on_ws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t count)
{
    struct net_wire *w = lws_get_opaque_user_data(wsi);
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        if (w == NULL)
            return -1;
        net_link_connected(w);
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return w != NULL ? on_piece(w, in, count) : -1;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return w != NULL ? write_pending(w, LWS_WRITE_TEXT) : -1;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        return w != NULL ? refused(w, in, count) : -1;
    case LWS_CALLBACK_CLIENT_CLOSED:
        return w != NULL ? end(w, "the venue closed the connection") : 0;
    case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
        return -1;
    default:
        return 0;
    }
}

/* ---- other descriptors ---- */
static int on_fd(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t count)
{
    struct net_watch *w = lws_get_opaque_user_data(wsi);
    (void)user;
    (void)in;
    (void)count;
    if (reason == LWS_CALLBACK_RAW_RX_FILE) {
        if (w == NULL)
            return -1;
        w->ready(w->arg, w->fd);
    } else if (reason == LWS_CALLBACK_RAW_CLOSE_FILE && w != NULL) {
        w->wsi = NULL;
    }
    return 0;
}

const struct lws_protocols net_wire_protocols[] = {
    {.name = "tenon-tcp", .callback = on_tcp, .rx_buffer_size = 65536},
    {.name = "tenon-ws", .callback = on_ws, .rx_buffer_size = 65536},
    {.name = "tenon-fd", .callback = on_fd},
    {0},
};
