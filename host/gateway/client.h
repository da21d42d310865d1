/* SPDX-License-Identifier: Apache-2.0
 *
 * The other end of the socket: one request, one answer, blocking, with a time limit. For the tool.
 * In two halves for what takes long: whoever waits can ask the host other things meanwhile.
 */
#ifndef GATEWAY_CLIENT_H
#define GATEWAY_CLIENT_H
#include "gateway/complaint.h"

enum { CLIENT_SLOW_MS = 130000 }; /* a little more than the host's own limit for what takes long */
struct client_options {
    const char *socket_path; /* NULL = paths_socket_find() */
    uint32_t timeout_ms;     /* for the whole exchange; 0 = 15 s */
};
/* args is borrowed, may be NULL. On success *result is a new reference; a refusal by the host or a
 * failure on the way is in *c and its code is the result. */
MUST_USE struct result client_call(const struct client_options *o, const char *cmd,
                                   const json_t *args, json_t **result, struct complaint *c);

/* The same in two halves. */
struct client_call {
    int fd;
    int64_t until_ns; /* monotonic clock */
    const char *cmd;  /* borrowed */
};
MUST_USE struct result client_begin(const struct client_options *o, const char *cmd,
                                    const json_t *args, struct client_call *out,
                                    struct complaint *c);
/* Waits so long for the answer, or until a signal comes: is there one (or an end) to be read? */
bool client_wait(const struct client_call *call, int ms);
/* Reads the answer and ends the call. */
MUST_USE struct result client_finish(struct client_call *call, json_t **result,
                                     struct complaint *c);
/* Ends it without: the host goes on with what it was asked. */
void client_leave(struct client_call *call);
#endif
