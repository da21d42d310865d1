/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's socket file: exclusive, private, and never somebody else's file. Start and stop only.
 */
#ifndef GATEWAY_SOCKET_H
#define GATEWAY_SOCKET_H
#include "base/result.h"

/* Takes path.lock, removes a dead socket at path, binds and listens with mode 0600. BUSY when a
 * host is alive there. */
MUST_USE struct result socket_bind(const char *path, const char *lock_path, int backlog,
                                   int *lock_fd, int *listen_fd, struct trail *tr);
/* Removes the socket file and lets the lock go. */
void socket_release(const char *path, int lock_fd);
/* A connected, blocking stream socket; UNREACHABLE when nobody listens, TIMEOUT when who listens
 * has accepted nobody for so long that its queue is full. */
MUST_USE struct result socket_connect(const char *path, int *fd, struct trail *tr);
#endif
