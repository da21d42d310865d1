/* SPDX-License-Identifier: Apache-2.0
 *
 * The sockets to venues, and the one loop of tenon-egress: libwebsockets carries the bytes (TCP and
 * WebSocket), the desk decides. Addresses on loopback only: the rest of the wire comes later.
 *
 * What it promises of a request: it goes out at most once, byte for byte as it was handed over,
 * beside the lines that HTTP itself needs (Host, Content-Length). FAILED means that not one byte
 * left; WRITTEN that the last one is with the kernel; SILENT that some may have left, and no reply
 * will come. Each HTTP connection carries one
 * request at a time, so a reply answers the request that is there and no other.
 *
 * Nothing here calls back from within a call: what happened waits in order until net_turn hands it
 * out. One thread.
 */
#ifndef EGRESS_NET_H
#define EGRESS_NET_H
#include "egress/desk.h"

enum {
    NET_WIRES = 16,               /* HTTP connections of one link */
    NET_PENDING_MAX = 4096,       /* requests of one link that wait for a connection */
    NET_QUEUED_MAX = 1024 * 1024, /* bytes come in and not yet handed out, of one link */
    NET_WATCHES = 64,
};

struct net_ops {
    void *arg;
    void (*in)(void *arg, const struct desk_net_in *in);
    bool (*holds)(void *arg, uint32_t account); /* not now; asked before each `in` */
    void (*log)(void *arg, uint32_t level, const char *line);
};
struct net_options {
    uint64_t seed; /* of the jitter between attempts to connect */
    struct net_ops ops;
    int64_t connect_wait_ns, reply_wait_ns; /* 0 = 5 s, 10 s */
    int64_t backoff_ns, backoff_max_ns;     /* 0 = 100 ms, 10 s */
};
struct net;
MUST_USE struct result net_new(const struct net_options *o, struct net **out, struct trail *tr);
/* Closes everything; says nothing more. */
void net_free(struct net *n);

/* Wants a connection, and again after each loss until it is closed. The answer is UP, or DOWN with
 * a sentence. Asking for what is open already says UP again; what was refused is looked
 * at anew. */
void net_open(struct net *n, uint32_t account, bool second, const struct line_open *o,
              const char *endpoint, const char *path);
/* Requests of it that did not begin fail, those that did are silent. Nothing more is said of the
 * link itself: DOWN is for what the desk did not want. */
void net_close(struct net *n, uint32_t account, bool second, uint32_t link);
/* The second session of an account becomes the one that serves: what is left of the first closes,
 * and is_second is 0 from here on. */
void net_take_over(struct net *n, uint32_t account);
/* All bytes, or 0: nothing left, and nothing will. What finds no connection in m->wait_ns fails. */
int64_t net_send(struct net *n, const struct desk_message *m);
/* A kill, before it is said to the desk: every request of this account (0 = of all) of which no
 * byte left fails, now. Gives how many. What the desk has killed before is spared: what waits there
 * are its cancels and closes. d NULL: nothing was. */
uint32_t net_recall(struct net *n, uint32_t account, const struct desk *d);
/* Requests of which bytes have left and no reply has come. */
uint32_t net_on_the_wire(const struct net *n);
/* Connections that are up, and requests under way. */
uint32_t net_links_up(const struct net *n);

/* The loop also looks at other descriptors: `ready` is called from net_turn when `fd` can be read.
 * The descriptor stays the caller's. */
MUST_USE struct result net_watch(struct net *n, int fd, void (*ready)(void *arg, int fd), void *arg,
                                 struct trail *tr);
void net_unwatch(struct net *n, int fd);
/* One round: waits at most so long (0 = not at all) for something to happen, then hands it out. */
void net_turn(struct net *n, int64_t wait_ns);
#endif
