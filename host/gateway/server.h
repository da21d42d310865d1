/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the gateway's thread: the listening socket, the connections and who waits for what.
 * Everything here belongs to that thread, but gateway_open fills it before the thread begins.
 */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H
#include <pthread.h>
#include <uv.h>
#include "gateway/dispatch.h"
#include "gateway/frame.h"
#include "gateway/gateway.h"
#include "gateway/mailbox.h"
#include "gateway/paths.h"
#include "gateway/view.h"

enum {
    SERVER_CONNECTIONS_MAX = 32, /* beyond it, ... */
    SERVER_KILL_CONNECTIONS = 8, /* ... so many more that may only kill */
    SERVER_BACKLOG = 16,
};

struct connection {
    uint32_t magic;
    bool used, kill_only, closing, close_after_write, paused;
    uint32_t uid;
    uint64_t waits_for; /* id of the request the core has; 0 = none */
    int64_t request_id; /* the client's own */
    uint32_t command;
    uint32_t answer_ms; /* how long the core may take for it */
    struct gateway *g;
    uv_pipe_t pipe;
    uv_timer_t timer;
    uint32_t handles; /* still to be closed by the loop */
    uv_write_t write;
    uint8_t *writing; /* the answer in flight */
    uint8_t *in;      /* made at the first bytes, grows to the frame whose head is in it */
    size_t in_used, in_room;
};
enum { CONNECTION_MAGIC = 0x7465436e };

struct gateway {
    struct gateway_options o;
    char path[PATHS_SOCKET_BYTES];
    char lock_path[PATHS_SOCKET_BYTES + 8];
    int lock_fd;
    int listen_fd;
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uv_pipe_t listener;
    _Atomic bool stop;
    bool stopping;
    struct connection connection[SERVER_CONNECTIONS_MAX + SERVER_KILL_CONNECTIONS];
    struct mailbox mail;
    struct view view;
};

/* server.c */
MUST_USE struct result server_start(struct gateway *g, struct trail *tr);
void *server_run(void *gateway);
/* connection.c */
void connection_accept(struct gateway *g);
void connection_answered(struct gateway *g, const struct mailbox_answer *a);
void connection_close(struct connection *c);
void connection_stop_all(struct gateway *g);
/* True when a peer may command a host that runs as `own`. */
bool connection_is_allowed(uint32_t peer, uint32_t own);
#endif
