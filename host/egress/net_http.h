/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP/1.1 request from the desk's path, header lines and body. Pure.
 */
#ifndef EGRESS_NET_HTTP_H
#define EGRESS_NET_HTTP_H
#include "egress/desk.h"

enum { NET_HTTP_EXTRA = 512 }; /* what is added at most */
/* Bytes written, or 0 and a sentence: the parts would not be one request and no other. host: the
 * Host line's value. */
size_t net_http_frame(const struct desk_message *m, const char *host, uint8_t *out, size_t room,
                      struct trail *tr);

/* "http://127.0.0.1:80" of the scheme that this type of link wants, on loopback. */
struct net_address {
    char host[64];  /* for the connection */
    char named[96]; /* host:port, for the Host line */
    uint16_t port;
    bool is_v6;
};
MUST_USE struct result net_http_address(const char *endpoint, uint32_t type,
                                        struct net_address *out, struct trail *tr);
#endif
