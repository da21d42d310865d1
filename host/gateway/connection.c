/* SPDX-License-Identifier: Apache-2.0
 *
 * One client. It has at most one request under way: while that is with the core or its answer is
 * still being written, nothing more is read from it, so the kernel's socket buffer is the only
 * queue and a client that does not read costs one answer, not memory without bound. One timer per
 * connection cuts whoever is silent, half-finished or does not take its answer.
 *
 * The buffer begins small and grows to the frame that its head announces, and is given back when it
 * is empty: only a client that hands a bundle over costs most of a megabyte, and only meanwhile.
 *
 * A request that the core has is remembered by the mailbox's id. When its client is gone or gave up
 * waiting, the answer is dropped; the command still happens, and the log says so.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/must.h"
#include "gateway/commands.h"
#include "gateway/server.h"

bool connection_is_allowed(uint32_t peer, uint32_t own)
{
    return peer == own || peer == 0;
}

enum { FIRST_BYTES = 8 * 1024 };

static void next_request(struct connection *c);

/* A connection that may only kill holds one of the last slots: it has a second to say so. */
static uint32_t idle_ms(const struct connection *c)
{
    uint32_t ms = c->g->o.idle_ms;
    return c->kill_only && ms > 1000 ? 1000 : ms;
}

/* ---- closing ---- */
static void on_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    must(c->magic == CONNECTION_MAGIC && c->handles > 0);
    if (--c->handles > 0)
        return;
    free(c->in);
    free(c->writing);
    memset(c, 0, sizeof *c);
}

void connection_close(struct connection *c)
{
    if (c->closing)
        return;
    c->closing = true;
    c->waits_for = 0;
    uv_close((uv_handle_t *)&c->pipe, on_closed);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

/* ---- answering ---- */
static void on_written(uv_write_t *w, int status)
{
    struct connection *c = w->data;
    free(c->writing);
    c->writing = NULL;
    if (c->closing)
        return;
    if (status != 0 || c->close_after_write)
        connection_close(c);
    else
        next_request(c);
}

static void on_timer(uv_timer_t *timer);

/* Takes over `answer` (may be NULL: no memory). */
static void send_answer(struct connection *c, json_t *answer)
{
    size_t count = 0;
    struct trail tr = {0};
    must(!c->closing && c->writing == NULL);
    if (!answer || !is_ok(frame_make(answer, &c->writing, &count, &tr))) {
        json_decref(answer);
        connection_close(c);
        return;
    }
    json_decref(answer);
    uv_buf_t buffer = uv_buf_init((char *)c->writing, (unsigned)count);
    c->write.data = c;
    uv_timer_start(&c->timer, on_timer, idle_ms(c), 0);
    if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buffer, 1, on_written) != 0)
        connection_close(c);
}

static void send_complaint(struct connection *c, int64_t id, const struct complaint *complaint,
                           bool close)
{
    c->close_after_write = c->close_after_write || close;
    send_answer(c, dispatch_answer_complaint(id, complaint));
}

static void log_command(const struct connection *c, const char *what, const char *text)
{
    if (c->g->o.log)
        log_now(c->g->o.log, LOG_INFO, NULL, "command %s by uid:%u %s%s%s",
                c->command ? command_name(c->command) : "?", c->uid, what, text[0] ? ": " : "",
                text);
}

/* The core answers with an exit code; a complaint has a code for scripts and a hint for people. */
static struct result result_of(int exit)
{
    static const struct {
        int exit;
        struct result rc;
    } rows[] = {{1, {RESULT_IO}},
                {10, {RESULT_DENIED}},
                {11, {RESULT_SIGNATURE}},
                {12, {RESULT_APPROVAL}},
                {66, {RESULT_UNKNOWN_NAME}},
                {69, {RESULT_UNREACHABLE}},
                {70, {RESULT_BUG}},
                {75, {RESULT_AGAIN}},
                {76, {RESULT_ABI}},
                {77, {RESULT_NOT_PERMITTED}},
                {78, {RESULT_CONFIG}}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        must(result_exit(rows[i].rc) == rows[i].exit);
        if (rows[i].exit == exit)
            return rows[i].rc;
    }
    return RESULT_OF(STATE);
}

void connection_answered(struct gateway *g, const struct mailbox_answer *a)
{
    for (size_t i = 0; i < sizeof g->connection / sizeof g->connection[0]; i++) {
        struct connection *c = &g->connection[i];
        if (!c->used || c->closing || c->waits_for != a->id)
            continue;
        c->waits_for = 0;
        log_command(c, a->exit == 0 ? "done" : "refused", a->text);
        if (a->exit == 0) {
            json_t *result = json_pack("{s:s, s:s}", "schema", "tenon.done.v1", "text", a->text);
            send_answer(c, dispatch_answer_result(c->request_id, result));
            json_decref(result);
        } else {
            struct complaint complaint;
            complaint_make(&complaint, result_of(a->exit), command_name(c->command), "%s", a->text);
            complaint.exit = a->exit;
            complaint.next[0] = '\0'; /* the core's sentence says what to do */
            send_complaint(c, c->request_id, &complaint, false);
        }
    }
}

/* ---- time ---- */
static void on_timer(uv_timer_t *timer)
{
    struct connection *c = timer->data;
    struct complaint complaint;
    if (c->closing)
        return;
    if (c->writing) { /* it does not take its answer */
        connection_close(c);
        return;
    }
    if (c->waits_for) {
        complaint_make(&complaint, RESULT_OF(TIMEOUT), command_name(c->command),
                       "handed to the core, which did not answer in %u ms; it may still act",
                       c->answer_ms);
        c->waits_for = 0;
        log_command(c, "not answered in time", "");
        send_complaint(c, c->request_id, &complaint, false);
        return;
    }
    complaint_make(&complaint, RESULT_OF(TIMEOUT), "request", "nothing complete came in %u ms",
                   idle_ms(c));
    uv_read_stop((uv_stream_t *)&c->pipe);
    send_complaint(c, 0, &complaint, true);
}

/* ---- requests ---- */
static void ask_core(struct connection *c, struct dispatch *d)
{
    struct complaint complaint;
    bool posted = mailbox_post(&c->g->mail, &d->ask);
    c->waits_for = posted ? d->ask.id : 0;
    if (!posted && d->ask.kind == GATEWAY_KILL &&
        d->ask.target == 0) /* answered when the newest of its sort is */
        c->waits_for = c->g->mail.newest_kill[d->ask.keep_positions != 0];
    if (c->waits_for == 0) {
        complaint_make(&complaint, RESULT_OF(FULL), command_name(d->command),
                       "%d requests wait for the core already",
                       d->ask.bundle ? MAILBOX_BUNDLES : MAILBOX_OTHERS);
        complaint_next(&complaint, "try again; see tenon status");
        send_complaint(c, d->id, &complaint, false);
        return;
    }
    log_command(c, "asked", d->ask.reason);
    c->answer_ms = d->slow ? c->g->o.slow_ms : c->g->o.answer_ms;
    uv_timer_start(&c->timer, on_timer, c->answer_ms, 0);
    if (posted && c->g->o.wake)
        c->g->o.wake(c->g->o.wake_arg);
}

static void serve(struct connection *c, const char *body, size_t count)
{
    struct dispatch d;
    struct dispatch_context cx = {
        .uid = c->uid, .kill_only = c->kill_only, .view = view_get(&c->g->view)};
    dispatch_run(body, count, &cx, &d);
    c->command = d.command;
    c->request_id = d.id;
    if (d.kind == DISPATCH_RESULT)
        send_answer(c, dispatch_answer_result(d.id, d.result));
    else if (d.kind == DISPATCH_ASK)
        ask_core(c, &d);
    else
        send_complaint(c, d.id, &d.complaint, d.malformed || c->kill_only);
    dispatch_fini(&d);
}

/* Serves the frame at the front of the buffer when it is whole. */
static void take_frame(struct connection *c)
{
    uint32_t count = 0;
    struct trail tr = {0};
    struct complaint complaint;
    if (c->in_used < FRAME_HEAD_BYTES)
        return;
    struct result rc = frame_length(c->in, &count, &tr);
    if (!is_ok(rc)) {
        complaint_from(&complaint, rc, "request", &tr);
        uv_read_stop((uv_stream_t *)&c->pipe);
        send_complaint(c, 0, &complaint, true);
        return;
    }
    size_t whole = FRAME_HEAD_BYTES + (size_t)count;
    if (c->in_used < whole)
        return;
    uv_read_stop((uv_stream_t *)&c->pipe);
    serve(c, (const char *)c->in + FRAME_HEAD_BYTES, count);
    memmove(c->in, c->in + whole, c->in_used - whole);
    c->in_used -= whole;
    if (c->in_used > 0)
        return;
    free(c->in);
    c->in = NULL;
    c->in_room = 0;
}

/* Room for the frame that has begun; what take_frame let pass has a right length. */
static size_t wanted_room(const struct connection *c)
{
    uint32_t count = 0;
    struct trail tr = {0};
    if (c->in_used < FRAME_HEAD_BYTES || !is_ok(frame_length(c->in, &count, &tr)) ||
        count < FIRST_BYTES)
        return FRAME_HEAD_BYTES + FIRST_BYTES;
    return FRAME_HEAD_BYTES + (size_t)count;
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *buffer)
{
    struct connection *c = handle->data;
    (void)hint;
    size_t want = wanted_room(c);
    if (c->in_room < want) {
        uint8_t *grown = realloc(c->in, want);
        if (!grown) { /* the read fails, and the connection with it */
            *buffer = uv_buf_init(NULL, 0);
            return;
        }
        c->in = grown;
        c->in_room = want;
    }
    must(c->in_used < c->in_room);
    *buffer = uv_buf_init((char *)c->in + c->in_used, (unsigned)(c->in_room - c->in_used));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct connection *c = stream->data;
    (void)buffer;
    must(c->magic == CONNECTION_MAGIC);
    if (n < 0) {
        connection_close(c);
        return;
    }
    c->in_used += (size_t)n;
    must(c->in_used <= c->in_room);
    take_frame(c);
}

/* The answer is out: what came meanwhile, or wait for more. */
static void next_request(struct connection *c)
{
    uv_timer_start(&c->timer, on_timer, idle_ms(c), 0);
    take_frame(c);
    if (!c->closing && !c->writing && c->waits_for == 0 &&
        uv_read_start((uv_stream_t *)&c->pipe, on_room, on_read) != 0)
        connection_close(c);
}

/* ---- accepting ---- */
static struct connection *free_connection(struct gateway *g)
{
    for (size_t i = 0; i < sizeof g->connection / sizeof g->connection[0]; i++) {
        if (!g->connection[i].used) {
            g->connection[i].kill_only = i >= SERVER_CONNECTIONS_MAX;
            return &g->connection[i];
        }
    }
    return NULL;
}

static bool read_peer(struct connection *c)
{
    struct ucred peer;
    socklen_t bytes = sizeof peer;
    uv_os_fd_t fd = -1;
    if (uv_fileno((const uv_handle_t *)&c->pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0)
        return false;
    c->uid = peer.uid;
    return true;
}

static void refuse_stranger(struct connection *c)
{
    struct complaint complaint;
    complaint_make(&complaint, RESULT_OF(NOT_PERMITTED), "connection",
                   "uid %u may not command a host of uid %u", c->uid, (unsigned)geteuid());
    complaint_next(&complaint, "run the tool as that user or as root");
    send_complaint(c, 0, &complaint, true);
}

static void on_refused_closed(uv_handle_t *handle)
{
    free(handle);
}

/* No slot is left: the connection is taken off the queue and dropped. */
static void drop_connection(struct gateway *g)
{
    uv_pipe_t *pipe = malloc(sizeof *pipe);
    if (!pipe)
        return;
    uv_pipe_init(&g->loop, pipe, 0);
    (void)uv_accept((uv_stream_t *)&g->listener, (uv_stream_t *)pipe);
    uv_close((uv_handle_t *)pipe, on_refused_closed);
}

void connection_accept(struct gateway *g)
{
    struct connection *c = free_connection(g);
    if (!c) {
        drop_connection(g);
        return;
    }
    c->magic = CONNECTION_MAGIC;
    c->used = true;
    c->g = g;
    c->handles = 2;
    uv_timer_init(&g->loop, &c->timer);
    uv_pipe_init(&g->loop, &c->pipe, 0);
    c->timer.data = c->pipe.data = c;
    if (uv_accept((uv_stream_t *)&g->listener, (uv_stream_t *)&c->pipe) != 0 || !read_peer(c))
        connection_close(c);
    else if (!connection_is_allowed(c->uid, geteuid()))
        refuse_stranger(c);
    else
        next_request(c);
}

void connection_stop_all(struct gateway *g)
{
    struct complaint complaint;
    for (size_t i = 0; i < sizeof g->connection / sizeof g->connection[0]; i++) {
        struct connection *c = &g->connection[i];
        if (!c->used || c->closing)
            continue;
        if (c->waits_for == 0) {
            connection_close(c);
            continue;
        }
        c->waits_for = 0;
        complaint_make(&complaint, RESULT_OF(UNREACHABLE), command_name(c->command),
                       "the host is stopping; the request may not have been done");
        send_complaint(c, c->request_id, &complaint, true);
        if (!c->closing) /* whoever does not take it does not hold the end up */
            uv_timer_start(&c->timer, on_timer, 200, 0);
    }
}
