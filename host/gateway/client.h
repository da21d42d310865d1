/* SPDX-License-Identifier: Apache-2.0
 *
 * The other end of the socket: one request, one answer, blocking, with a time limit. For the tool.
 */
#ifndef GATEWAY_CLIENT_H
#define GATEWAY_CLIENT_H
#include "gateway/complaint.h"

struct client_options {
    const char *socket_path; /* NULL = paths_socket_find() */
    uint32_t timeout_ms;     /* for the whole exchange; 0 = 15 s */
};
/* args is borrowed, may be NULL. On success *result is a new reference; a refusal by the host or a
 * failure on the way is in *c and its code is the result. */
MUST_USE struct result client_call(const struct client_options *o, const char *cmd,
                                   const json_t *args, json_t **result, struct complaint *c);
#endif
