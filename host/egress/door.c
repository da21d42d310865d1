/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection that sends nothing costs one place of DOOR_CONNECTIONS, and the oldest one gives its
 * place to the next: a kill is never refused for want of room. An answer is one small write to an
 * empty socket buffer; a peer that does not read its answer loses it, and its kill holds.
 */
#include "egress/door.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "egress/attach.h"
#include "egress/door_ask.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"

enum { HEAD_BYTES = 4 };

struct visitor {
    int fd; /* -1 = free */
    uint32_t uid, count;
    uint64_t came;
    uint8_t bytes[HEAD_BYTES + DOOR_REQUEST_MAX];
};
struct door {
    int listen_fd;
    uint32_t engine_uid;
    uint64_t arrivals;
    struct net *net;
    struct door_ops ops;
    struct visitor visitor[DOOR_CONNECTIONS];
};

static void leave(struct door *d, struct visitor *v)
{
    net_unwatch(d->net, v->fd);
    close(v->fd);
    v->fd = -1;
}

static bool send_answer(const struct visitor *v, const char *json, size_t count)
{
    uint8_t frame[HEAD_BYTES + DOOR_ANSWER_MAX];
    const uint32_t n = (uint32_t)count;
    must(count > 0 && count <= DOOR_ANSWER_MAX);
    memcpy(frame, &n, HEAD_BYTES);
    memcpy(frame + HEAD_BYTES, json, count);
    return send(v->fd, frame, HEAD_BYTES + count, MSG_NOSIGNAL | MSG_DONTWAIT) ==
           (ssize_t)(HEAD_BYTES + count);
}

static struct result do_kill(struct door *d, const struct visitor *v, const struct door_ask *ask,
                             char *sentence, size_t room, struct trail *tr)
{
    const char *said = "";
    struct road_kill k = {.keep_positions = ask->keep_positions,
                          .wall_ns = clock_wall(&clock_system)};
    if (ask->account[0] != 0)
        k.account = d->ops.account(d->ops.arg, ask->account);
    if (ask->account[0] != 0 && k.account == 0)
        return FAIL(tr, UNKNOWN_NAME,
                    "tenon-egress knows no account '%.31s', so nothing was killed; without "
                    "--account all are",
                    ask->account);
    snprintf(k.by, sizeof k.by, "uid %u", v->uid);
    snprintf(k.reason, sizeof k.reason, "%s", ask->reason);
    d->ops.kill(d->ops.arg, &k, &said);
    snprintf(sentence, room, "%s", said);
    return OK_RESULT;
}

static size_t answer(struct door *d, const struct visitor *v, const struct door_ask *ask, char *out,
                     size_t room)
{
    char members[DOOR_ANSWER_MAX * 3 / 4] = "", sentence[256] = "", text[512];
    struct trail tr = {0};
    if (ask->what == DOOR_ASK_STATUS) {
        d->ops.status(d->ops.arg, members, sizeof members);
        return door_ask_answer(ask->id, members, out, room);
    }
    bool is_kill = ask->what == DOOR_ASK_KILL;
    must(is_kill || ask->what == DOOR_ASK_SECRETS);
    struct result r = is_kill ? do_kill(d, v, ask, sentence, sizeof sentence, &tr)
                              : d->ops.secrets(d->ops.arg, sentence, sizeof sentence, &tr);
    if (!is_ok(r))
        return door_ask_refuse(ask->id, r, is_kill ? "risk kill" : "egress secrets", &tr, out,
                               room);
    door_ask_text(sentence, text, sizeof text);
    snprintf(members, sizeof members, "\"text\":\"%s\"", text);
    return door_ask_answer(ask->id, members, out, room);
}

/* A whole request lies in v. false: the connection is to be closed. */
static bool serve(struct door *d, const struct visitor *v, uint32_t count)
{
    char out[DOOR_ANSWER_MAX];
    struct door_ask ask;
    struct trail tr = {0};
    struct result r = door_ask_read((const char *)v->bytes + HEAD_BYTES, count, &ask, &tr);
    if (is_ok(r))
        return send_answer(v, out, answer(d, v, &ask, out, sizeof out));
    (void)send_answer(v, out, door_ask_refuse(ask.id, r, "tenon-egress", &tr, out, sizeof out));
    return false;
}

static bool take(struct door *d, struct visitor *v)
{
    for (;;) {
        uint32_t want = 0;
        if (v->count < HEAD_BYTES)
            return true;
        memcpy(&want, v->bytes, HEAD_BYTES);
        if (want == 0 || want > DOOR_REQUEST_MAX) {
            if (d->ops.log != NULL)
                d->ops.log(d->ops.arg, LOG_WARN, "a visitor at the door speaks something else");
            return false;
        }
        if (v->count < HEAD_BYTES + want)
            return true;
        if (!serve(d, v, want))
            return false;
        v->count -= HEAD_BYTES + want;
        memmove(v->bytes, v->bytes + HEAD_BYTES + want, v->count);
    }
}

static struct visitor *find(struct door *d, int fd)
{
    for (uint32_t i = 0; i < DOOR_CONNECTIONS; i++) {
        if (d->visitor[i].fd == fd)
            return &d->visitor[i];
    }
    return NULL;
}

static void on_visitor(void *arg, int fd)
{
    struct door *d = arg;
    struct visitor *v = find(d, fd);
    must(v != NULL && v->count < sizeof v->bytes);
    ssize_t n = recv(fd, v->bytes + v->count, sizeof v->bytes - v->count, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        leave(d, v);
        return;
    }
    v->count += (uint32_t)n;
    if (!take(d, v))
        leave(d, v);
}

static struct visitor *make_room(struct door *d)
{
    struct visitor *oldest = &d->visitor[0];
    for (uint32_t i = 0; i < DOOR_CONNECTIONS; i++) {
        if (d->visitor[i].fd < 0)
            return &d->visitor[i];
        if (d->visitor[i].came < oldest->came)
            oldest = &d->visitor[i];
    }
    leave(d, oldest);
    return oldest;
}

static void on_listen(void *arg, int fd)
{
    struct door *d = arg;
    struct trail tr = {0};
    uint32_t uid = 0;
    int guest = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (guest < 0)
        return;
    if (!attach_may(guest, d->engine_uid, &uid)) {
        if (d->ops.log != NULL)
            d->ops.log(d->ops.arg, LOG_WARN, "a process of another user came to the door; refused");
        close(guest);
        return;
    }
    struct visitor *v = make_room(d);
    struct result r = net_watch(d->net, guest, on_visitor, d, &tr);
    if (!is_ok(r)) {
        close(guest);
        return;
    }
    v->fd = guest;
    v->uid = uid;
    v->count = 0;
    v->came = ++d->arrivals;
}

struct result door_new(int listen_fd, uint32_t engine_uid, struct net *net,
                       const struct door_ops *ops, struct door **out, struct trail *tr)
{
    struct door *d = calloc(1, sizeof *d);
    must(d != NULL);
    d->listen_fd = listen_fd;
    d->engine_uid = engine_uid;
    d->net = net;
    d->ops = *ops;
    for (uint32_t i = 0; i < DOOR_CONNECTIONS; i++)
        d->visitor[i].fd = -1;
    struct result r = net_watch(net, listen_fd, on_listen, d, tr);
    if (is_ok(r))
        *out = d;
    else
        free(d);
    return r;
}

void door_free(struct door *d)
{
    if (d == NULL)
        return;
    for (uint32_t i = 0; i < DOOR_CONNECTIONS; i++) {
        if (d->visitor[i].fd >= 0)
            leave(d, &d->visitor[i]);
    }
    net_unwatch(d->net, d->listen_fd);
    close(d->listen_fd);
    free(d);
}
