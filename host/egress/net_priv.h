/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of net share: the sockets' state. See net.h.
 */
#ifndef EGRESS_NET_PRIV_H
#define EGRESS_NET_PRIV_H
#include <libwebsockets.h>
#include "egress/net.h"
#include "egress/net_http.h"
#include "egress/net_reply.h"
#include "base/clock.h"

struct net_event { /* waits to be handed out */
    struct net_event *next;
    struct net_link *link; /* whose queue it fills; NULL = gone meanwhile */
    struct desk_net_in in;
    uint8_t bytes[];
};
struct net_request { /* waits to go out, or has gone */
    struct net_request *next;
    uint64_t ticket;
    int64_t until_ns; /* monotonic; begins before, or fails */
    bool has_begun;   /* a byte of it may have left */
    bool is_written;  /* HTTP: all of it has */
    size_t count;
    uint8_t room[LWS_PRE]; /* libwebsockets puts its frame head here */
    uint8_t bytes[];
};
enum wire_state { WIRE_NONE = 0, WIRE_CONNECTING, WIRE_READY, WIRE_BUSY };
struct net_wire { /* one connection */
    struct net_link *link;
    struct lws *wsi;
    uint32_t state;
    bool has_served;            /* HTTP: a reply came on it */
    int64_t since_ns, until_ns; /* monotonic: in this state since; given up at */
    struct net_request *now;    /* HTTP: the one request on it; else what is being written */
    struct net_reply *reply;    /* HTTP */
};
struct net_link { /* what the desk opened */
    struct net *net;
    struct net_link *next;
    uint32_t account, id, type;
    bool is_second, is_up, is_gone, is_refused, was_said_down, is_held;
    struct net_address address;
    char path[512];
    uint32_t attempts; /* in vain, in a row */
    int64_t try_ns;    /* not before */
    struct net_request *first, *last;
    uint32_t pending;
    uint64_t queued; /* bytes of its events */
    uint8_t *whole;  /* WS: a message while it comes in pieces */
    uint32_t whole_bytes;
    struct net_wire wire[NET_WIRES]; /* WS and RAW: the first one only */
};
struct net_watch {
    struct net *net;
    int fd; /* the caller's; -1 = free */
    struct lws *wsi;
    void (*ready)(void *arg, int fd);
    void *arg;
};
struct net {
    struct net_options o;
    struct lws_context *context;
    lws_sorted_usec_list_t alarm;
    struct rng rng;
    struct net_link *links;
    struct net_event *first, **last;
    struct net_watch watch[NET_WATCHES];
    bool is_ending;
};

/* net_link.c */
void net_link_tick(struct net_link *l, int64_t now_ns);
int64_t net_link_deadline(const struct net_link *l);
void net_link_free(struct net_link *l);
void net_link_connected(struct net_wire *w);
/* The connection is gone, or given up: says what that means for its request and its link. */
void net_link_lost(struct net_wire *w, const char *why);
void net_link_next(struct net_wire *w); /* a free HTTP connection takes what waits */
/* The oldest that waits, NULL = none; those whose time is over fail on the way. */
struct net_request *net_link_take(struct net_link *l);
void net_link_flow(struct net_link *l); /* reads on, or not */
void net_request_fail(struct net_link *l, struct net_request *r, const char *why);

/* net_wire.c */
extern const struct lws_protocols net_wire_protocols[];
bool net_wire_connect(struct net_wire *w);
/* Ends the connection from our side, without another word of it. */
void net_wire_drop(struct net_wire *w);

/* net.c */
void net_say(struct net_link *l, uint32_t what, uint64_t ticket, uint32_t status, int32_t retry_s,
             const void *bytes, size_t count);
void net_log(const struct net *n, uint32_t level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static inline int64_t net_now(void)
{
    return clock_mono(&clock_system);
}
#endif
