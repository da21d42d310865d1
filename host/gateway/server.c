/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's thread: one libuv loop with a listening socket, a bounded set of connections and an
 * async handle by which the core (an answer) and gateway_close (the end) wake it. All memory of
 * connections is in struct gateway; only buffers and JSON use the heap, and those are capped by
 * the number of connections times one frame.
 */
#include "gateway/server.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/must.h"
#include "gateway/socket.h"

static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0)
        connection_accept(listener->data);
}

static void stop_now(struct gateway *g)
{
    if (g->stopping)
        return;
    g->stopping = true;
    uv_close((uv_handle_t *)&g->listener, NULL);
    uv_close((uv_handle_t *)&g->wake, NULL);
    connection_stop_all(g);
}

static void on_wake(uv_async_t *wake)
{
    struct gateway *g = wake->data;
    struct mailbox_answer a;
    while (mailbox_take_answer(&g->mail, &a))
        connection_answered(g, &a);
    if (atomic_load_explicit(&g->stop, memory_order_acquire))
        stop_now(g);
}

static int open_handles(struct gateway *g)
{
    int e = uv_async_init(&g->loop, &g->wake, on_wake);
    if (e != 0)
        return e;
    e = uv_pipe_init(&g->loop, &g->listener, 0);
    must(e == 0); /* sets fields only */
    g->wake.data = g->listener.data = g;
    e = uv_pipe_open(&g->listener, g->listen_fd);
    if (e == 0) {
        g->listen_fd = -1; /* the loop's now */
        e = uv_listen((uv_stream_t *)&g->listener, SERVER_BACKLOG, on_connection);
    }
    if (e != 0)
        stop_now(g);
    return e;
}

struct result server_start(struct gateway *g, struct trail *tr)
{
    TRY(socket_bind(g->path, g->lock_path, SERVER_BACKLOG, &g->lock_fd, &g->listen_fd, tr));
    int e = uv_loop_init(&g->loop);
    if (e == 0) {
        e = open_handles(g);
        if (e != 0) {
            uv_run(&g->loop, UV_RUN_DEFAULT);
            uv_loop_close(&g->loop);
        }
    }
    if (e == 0)
        return OK_RESULT;
    if (g->listen_fd >= 0)
        close(g->listen_fd);
    socket_release(g->path, g->lock_fd);
    return FAIL(tr, IO, "cannot serve %s: %s", g->path, uv_strerror(e));
}

void *server_run(void *gateway)
{
    struct gateway *g = gateway;
    pthread_setname_np(pthread_self(), "tenon-gateway");
    uv_run(&g->loop, UV_RUN_DEFAULT);
    int e = uv_loop_close(&g->loop);
    must(e == 0); /* every handle was closed */
    return NULL;
}
