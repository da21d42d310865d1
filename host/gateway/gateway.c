/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's three doors for the core's thread, and its life. The doors only touch the mailbox
 * and the view; the loop's structures are never seen by another thread.
 *
 * SIGPIPE: libuv writes with plain write on pipes, so a client that leaves early would raise it in
 * the gateway's thread. It is blocked in that thread alone; the host's own handling stays as it is.
 */
#include "gateway/gateway.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "gateway/server.h"
#include "gateway/socket.h"

static struct result start_thread(struct gateway *g, struct trail *tr)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are the main thread's business */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int e = pthread_create(&g->thread, NULL, server_run, g);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e != 0)
        return FAIL(tr, IO, "cannot start the gateway's thread: %s", strerror(e));
    return OK_RESULT;
}

static struct result choose_path(struct gateway *g, const struct gateway_options *o,
                                 struct trail *tr)
{
    if (!o->socket_path) {
        TRY(paths_socket(g->path, tr));
    } else {
        if (strlen(o->socket_path) >= sizeof g->path)
            return FAIL(tr, RANGE, "socket path '%.60s...' is longer than %zu characters",
                        o->socket_path, sizeof g->path - 1);
        snprintf(g->path, sizeof g->path, "%s", o->socket_path);
    }
    snprintf(g->lock_path, sizeof g->lock_path, "%s.lock", g->path);
    return OK_RESULT;
}

struct result gateway_open(const struct gateway_options *o, struct gateway **out, struct trail *tr)
{
    must(o != NULL && out != NULL);
    struct gateway *g = aligned_alloc(64, (sizeof *g + 63) / 64 * 64);
    if (!g)
        return FAIL(tr, FULL, "no memory for the gateway");
    memset(g, 0, sizeof *g);
    g->o = *o;
    g->o.idle_ms = o->idle_ms ? o->idle_ms : 10000;
    g->o.answer_ms = o->answer_ms ? o->answer_ms : 5000;
    g->o.slow_ms = o->slow_ms ? o->slow_ms : 120000;
    atomic_init(&g->stop, false);
    mailbox_init(&g->mail);
    view_init(&g->view);
    struct result rc = choose_path(g, o, tr);
    if (is_ok(rc))
        rc = server_start(g, tr);
    if (!is_ok(rc)) {
        free(g);
        return rc;
    }
    rc = start_thread(g, tr);
    if (!is_ok(rc)) { /* run the loop to its end here, so that its handles are closed */
        atomic_store_explicit(&g->stop, true, memory_order_release);
        uv_async_send(&g->wake);
        server_run(g);
        socket_release(g->path, g->lock_fd);
        free(g);
        return rc;
    }
    *out = g;
    return OK_RESULT;
}

void gateway_close(struct gateway *g)
{
    if (!g)
        return;
    atomic_store_explicit(&g->stop, true, memory_order_release);
    uv_async_send(&g->wake);
    int e = pthread_join(g->thread, NULL);
    must(e == 0);
    socket_release(g->path, g->lock_fd);
    mailbox_fini(&g->mail);
    free(g);
}

const char *gateway_socket(const struct gateway *g)
{
    return g->path;
}

bool gateway_poll(struct gateway *g, struct gateway_request *out)
{
    return mailbox_poll(&g->mail, out);
}

void gateway_answer(struct gateway *g, uint64_t id, int exit, const char *text)
{
    mailbox_answer(&g->mail, id, exit, text);
    uv_async_send(&g->wake);
}

void gateway_publish(struct gateway *g, const struct gateway_view *v)
{
    view_put(&g->view, v);
}
