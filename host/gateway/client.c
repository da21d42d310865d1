/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain sockets and poll instead of a loop: one exchange, then the process ends. The time limit is
 * for the whole exchange on the monotonic clock, so a host that drips bytes cannot hold the tool.
 * The tool also looks at who answers: in a folder that others can write to, somebody could have
 * made a socket of that name, and a kill that goes there would be lost in silence.
 */
#include "gateway/client.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/must.h"
#include "gateway/frame.h"
#include "gateway/paths.h"
#include "gateway/socket.h"

static struct result wait_for(const struct client_call *call, short events, struct trail *tr)
{
    struct pollfd p = {.fd = call->fd, .events = events};
    for (;;) {
        int64_t left = (call->until_ns - clock_mono(&clock_system)) / 1000000;
        if (left <= 0)
            return FAIL(tr, TIMEOUT, "the host did not answer in time");
        int n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
        if (n > 0)
            return OK_RESULT;
        if (n < 0 && errno != EINTR)
            return FAIL(tr, IO, "waiting for the host failed: %s", strerror(errno));
    }
}

static struct result send_all(const struct client_call *call, const uint8_t *bytes, size_t count,
                              struct trail *tr)
{
    while (count > 0) {
        struct result rc = wait_for(call, POLLOUT, tr);
        if (!is_ok(rc))
            return rc;
        ssize_t n = send(call->fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return OK_RESULT; /* closed early: why is in the answer, if there is one */
        if (n < 0)
            return FAIL(tr, UNREACHABLE, "the host cannot be written to: %s", strerror(errno));
        bytes += n;
        count -= (size_t)n;
    }
    return OK_RESULT;
}

static struct result read_all(const struct client_call *call, uint8_t *bytes, size_t count,
                              struct trail *tr)
{
    while (count > 0) {
        struct result rc = wait_for(call, POLLIN, tr);
        if (!is_ok(rc))
            return rc;
        ssize_t n = recv(call->fd, bytes, count, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            return FAIL(tr, UNREACHABLE, "the host closed the connection before it answered");
        bytes += n;
        count -= (size_t)n;
    }
    return OK_RESULT;
}

static struct result check_peer(int fd, struct trail *tr)
{
    struct ucred peer;
    socklen_t bytes = sizeof peer;
    uint32_t own = geteuid();
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0)
        return FAIL(tr, IO, "the kernel does not say who answers: %s", strerror(errno));
    if (own != 0 && peer.uid != own && peer.uid != 0)
        return FAIL(tr, NOT_PERMITTED, "uid %u answers on the socket, not your host (uid %u)",
                    peer.uid, own);
    return OK_RESULT;
}

static struct result send_request(const struct client_call *call, const char *cmd,
                                  const json_t *args, struct trail *tr)
{
    uint8_t *frame = NULL;
    size_t count = 0;
    json_t *root = json_pack("{s:i, s:i, s:s}", "v", FRAME_VERSION, "id", 1, "cmd", cmd);
    if (root && args)
        json_object_set_new(root, "args", json_deep_copy(args));
    struct result rc =
        root ? frame_make(root, &frame, &count, tr) : FAIL(tr, FULL, "no memory for the request");
    if (is_ok(rc))
        rc = send_all(call, frame, count, tr);
    free(frame);
    json_decref(root);
    return rc;
}

static struct result read_answer(const struct client_call *call, json_t **out, struct trail *tr)
{
    uint8_t head[FRAME_HEAD_BYTES];
    uint32_t count = 0;
    TRY(read_all(call, head, sizeof head, tr));
    struct result rc = frame_length(head, &count, tr);
    if (!is_ok(rc))
        return FAIL(tr, PROTOCOL, "what answers on the socket does not speak tenon's protocol");
    uint8_t *body = malloc(count);
    if (!body)
        return FAIL(tr, FULL, "no memory for an answer of %u bytes", count);
    rc = read_all(call, body, count, tr);
    if (is_ok(rc) && !is_ok(frame_parse((const char *)body, count, out, tr)))
        rc = FAIL(tr, PROTOCOL, "the host's answer is not understood");
    free(body);
    return rc;
}

static struct result judge(const json_t *answer, const char *cmd, json_t **result,
                           struct complaint *c)
{
    const json_t *error = json_object_get(answer, "error");
    *result = json_incref(json_object_get(answer, "result"));
    if (json_integer_value(json_object_get(answer, "v")) != FRAME_VERSION)
        complaint_make(c, RESULT_OF(PROTOCOL), cmd, "the host speaks another version");
    else if (json_is_true(json_object_get(answer, "ok")) && *result)
        return OK_RESULT;
    else if (json_is_object(error))
        complaint_read(c, error, (int)json_integer_value(json_object_get(answer, "exit")));
    else
        complaint_make(c, RESULT_OF(PROTOCOL), cmd, "the host's answer has no result");
    json_decref(*result);
    *result = NULL;
    return c->rc;
}

struct result client_begin(const struct client_options *o, const char *cmd, const json_t *args,
                           struct client_call *out, struct complaint *c)
{
    must(o != NULL && cmd != NULL && out != NULL && c != NULL);
    char path[PATHS_SOCKET_BYTES];
    struct trail tr = {0};
    struct result rc = OK_RESULT;
    *out = (struct client_call){.fd = -1, .cmd = cmd};
    if (!o->socket_path)
        rc = paths_socket_find(path, &tr);
    if (is_ok(rc))
        rc = socket_connect(o->socket_path ? o->socket_path : path, &out->fd, &tr);
    out->until_ns =
        clock_mono(&clock_system) + (int64_t)(o->timeout_ms ? o->timeout_ms : 15000) * 1000000;
    if (is_ok(rc))
        rc = check_peer(out->fd, &tr);
    if (is_ok(rc))
        rc = send_request(out, cmd, args, &tr);
    if (is_ok(rc))
        return rc;
    client_leave(out);
    return complaint_from(c, rc, cmd, &tr);
}

bool client_wait(const struct client_call *call, int ms)
{
    struct pollfd p = {.fd = call->fd, .events = POLLIN};
    return poll(&p, 1, ms) > 0 || clock_mono(&clock_system) >= call->until_ns;
}

struct result client_finish(struct client_call *call, json_t **result, struct complaint *c)
{
    struct trail tr = {0};
    json_t *answer = NULL;
    *result = NULL;
    struct result rc = read_answer(call, &answer, &tr);
    client_leave(call);
    if (!is_ok(rc))
        return complaint_from(c, rc, call->cmd, &tr);
    rc = judge(answer, call->cmd, result, c);
    json_decref(answer);
    return rc;
}

void client_leave(struct client_call *call)
{
    if (call->fd >= 0)
        close(call->fd);
    call->fd = -1;
}

struct result client_call(const struct client_options *o, const char *cmd, const json_t *args,
                          json_t **result, struct complaint *c)
{
    struct client_call call;
    must(result != NULL);
    *result = NULL;
    TRY(client_begin(o, cmd, args, &call, c));
    return client_finish(&call, result, c);
}
