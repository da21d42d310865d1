/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader of one HTTP/1.1 reply, fed with whatever bytes come. Strict: what could be read in two
 * ways is refused, since a reply taken for another one's would be a wrong answer to an order.
 * Pure; the caller's memory.
 */
#ifndef EGRESS_NET_REPLY_H
#define EGRESS_NET_REPLY_H
#include "base/result.h"
#include "tbl/lines.h"

enum {
    NET_REPLY_HEAD_MAX = 16 * 1024, /* status line and headers */
    NET_REPLY_BODY_MAX = LINE_BODY_MAX,
    NET_REPLY_LINE_MAX = 4096,
};
struct net_reply {
    uint32_t state; /* of the reader; private */
    uint32_t status;
    int32_t retry_s; /* Retry-After in seconds; -1 = none */
    bool is_last;    /* the server closes after it */
    bool has_length, is_chunked;
    uint64_t left;
    uint32_t head_bytes, line_bytes, body_bytes;
    char line[NET_REPLY_LINE_MAX];
    uint8_t body[NET_REPLY_BODY_MAX];
};

void net_reply_begin(struct net_reply *r);
/* Takes bytes; *used says how many. OK: the reply is whole. AGAIN: more is wanted. Else what the
 * server sent is no reply that we understand, and the connection is of no more use. */
MUST_USE struct result net_reply_feed(struct net_reply *r, const uint8_t *bytes, size_t count,
                                      size_t *used, struct trail *tr);
/* The server closed: OK when that ends the reply (a body without a length). */
MUST_USE struct result net_reply_end(struct net_reply *r, struct trail *tr);
/* Has anything of it come? */
bool net_reply_has_begun(const struct net_reply *r);
#endif
