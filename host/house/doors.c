/* SPDX-License-Identifier: Apache-2.0
 *
 * libwebsockets around the front. A connection has a slot; the ticket of a request is its slot and
 * a number that rises with each request, so that a reply that comes late cannot reach a stranger.
 * What the front sends is queued and written when the socket takes it; before anything is written
 * the ledger is synced, so one sync serves all that gathered meanwhile. A stream that does not read
 * is closed when its queue is full: its adapter comes back and asks for what it missed.
 *
 * Time is a timer of libwebsockets that is set anew after each turn.
 */
#include "house/doors.h"
#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "base/must.h"

enum {
    SLOTS = 256,
    PATH_BYTES = 128,
    QUERY_BYTES = 1024,
    HEADER_BYTES = 192,
    BODY_MAX = 64 * 1024,
    QUEUE_MAX = 32 * 1024 * 1024, /* bytes waiting for one stream */
    HEAD_ROOM = 1024,
    KEEPALIVE_S = 600,
    WAIT_MAX_US = 1000000,
};

struct message {
    struct message *next;
    size_t count;
    uint8_t bytes[]; /* LWS_PRE, then the text */
};
struct slot {
    struct doors *doors;
    struct lws *wsi; /* NULL = free */
    bool is_stream, is_control, is_dying;
    uint32_t session;
    /* a request */
    uint32_t number; /* part of its ticket; 0 = none is open */
    struct front_http q;
    char path[PATH_BYTES], query[QUERY_BYTES];
    char key[HEADER_BYTES], time[HEADER_BYTES], sign[HEADER_BYTES];
    char *in; /* body or stream message, gathered */
    size_t in_count;
    bool awaits_body;
    int status, retry_s;
    bool has_reply;
    struct message *first, *last; /* stream: queue; HTTP: the reply's body */
    size_t queued;
};
struct doors {
    struct front *front;
    struct lws_context *context;
    struct lws_vhost *control;
    lws_sorted_usec_list_t timer;
    struct slot slot[SLOTS];
    uint32_t session_slot[FRONT_SESSIONS_MAX]; /* slot + 1 */
    uint32_t number;
    int port;
    struct result over; /* of the ledger */
    struct trail trail;
    struct lws_protocols protocols[2];
    char control_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};
struct seat {      /* what libwebsockets keeps for a connection */
    uint32_t slot; /* + 1 */
};

/* ---- queues ---- */
static void queue(struct slot *s, const char *text, size_t count)
{
    struct message *m = malloc(sizeof *m + LWS_PRE + count);
    must(m != NULL);
    m->next = NULL;
    m->count = count;
    memcpy(m->bytes + LWS_PRE, text, count);
    if (s->last == NULL)
        s->first = m;
    else
        s->last->next = m;
    s->last = m;
    s->queued += count;
}

static void drop_first(struct slot *s)
{
    struct message *m = s->first;
    s->first = m->next;
    if (s->first == NULL)
        s->last = NULL;
    s->queued -= m->count;
    free(m);
}

static void kill_slot(struct slot *s)
{
    if (s->wsi == NULL || s->is_dying)
        return;
    s->is_dying = true;
    lws_set_timeout(s->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

/* ---- the front's ops ---- */
static void on_reply(void *arg, uint64_t ticket, const struct front_reply *r)
{
    struct doors *d = arg;
    struct slot *s = &d->slot[ticket % SLOTS];
    if (s->wsi == NULL || s->number == 0 || s->number != ticket / SLOTS)
        return; /* it has gone */
    s->number = 0;
    if (r->status == 0) {
        kill_slot(s);
        return;
    }
    s->status = r->status;
    s->retry_s = r->retry_s;
    s->has_reply = true;
    queue(s, r->text, r->count);
    lws_callback_on_writable(s->wsi);
}

static void on_send(void *arg, uint32_t session, const char *text, size_t count)
{
    struct doors *d = arg;
    must(d->session_slot[session] != 0);
    struct slot *s = &d->slot[d->session_slot[session] - 1];
    if (s->is_dying)
        return;
    if (s->queued + count > QUEUE_MAX) {
        kill_slot(s);
        return;
    }
    queue(s, text, count);
    lws_callback_on_writable(s->wsi);
}

static void on_close(void *arg, uint32_t session)
{
    struct doors *d = arg;
    must(d->session_slot[session] != 0);
    kill_slot(&d->slot[d->session_slot[session] - 1]);
}

static void on_close_all(void *arg)
{
    struct doors *d = arg;
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (!d->slot[i].is_control)
            kill_slot(&d->slot[i]);
    }
}

/* A venue that hangs: the kernel still takes connections and bytes, nobody reads them. */
static void on_freeze(void *arg, int64_t ns)
{
    (void)arg;
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

/* ---- slots ---- */
static struct slot *take_slot(struct doors *d, struct lws *wsi, struct seat *seat)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (d->slot[i].wsi != NULL)
            continue;
        struct slot *s = &d->slot[i];
        memset(s, 0, sizeof *s);
        s->doors = d;
        s->wsi = wsi;
        s->is_control = d->control != NULL && lws_get_vhost(wsi) == d->control;
        seat->slot = i + 1;
        return s;
    }
    return NULL;
}

static void free_slot(struct doors *d, struct seat *seat)
{
    if (seat == NULL || seat->slot == 0)
        return;
    struct slot *s = &d->slot[seat->slot - 1];
    seat->slot = 0;
    if (s->is_stream) {
        d->session_slot[s->session] = 0;
        front_ws_closed(d->front, s->session);
    }
    while (s->first != NULL)
        drop_first(s);
    free(s->in);
    s->in = NULL;
    s->wsi = NULL;
}

static struct slot *slot_of(struct doors *d, struct lws *wsi, struct seat *seat)
{
    return seat->slot != 0 ? &d->slot[seat->slot - 1] : take_slot(d, wsi, seat);
}

/* Gathers what comes in pieces; false: too long. */
static bool gather(struct slot *s, const void *bytes, size_t count, size_t most)
{
    if (s->in_count + count > most)
        return false;
    s->in = realloc(s->in, s->in_count + count + 1);
    must(s->in != NULL);
    memcpy(s->in + s->in_count, bytes, count);
    s->in_count += count;
    return true;
}

static bool synced(struct doors *d)
{
    if (is_ok(d->over))
        d->over = house_sync(front_house(d->front), &d->trail);
    return is_ok(d->over);
}

/* ---- time ---- */
static void set_timer(struct doors *d);

static void on_timer(lws_sorted_usec_list_t *timer)
{
    struct doors *d = lws_container_of(timer, struct doors, timer);
    front_time(d->front);
    set_timer(d);
    lws_cancel_service(d->context); /* the turn ends: what was decided is synced, then said */
}

static void set_timer(struct doors *d)
{
    int64_t us = front_wait_ns(d->front) / 1000;
    us = us > WAIT_MAX_US ? WAIT_MAX_US : us < 1 ? 1 : us;
    lws_sul_schedule(d->context, 0, &d->timer, on_timer, us);
}

/* ---- requests ---- */
static void header(struct lws *wsi, const char *name, char out[HEADER_BYTES])
{
    out[0] = '\0';
    int n = lws_hdr_custom_copy(wsi, out, HEADER_BYTES, name, (int)strlen(name));
    if (n < 0)
        out[0] = '\0';
}

/* The query as it was sent: libwebsockets gives it in pieces. false: too long. */
static bool read_query(struct lws *wsi, char out[QUERY_BYTES])
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0;; i++) {
        char piece[QUERY_BYTES];
        int n = lws_hdr_copy_fragment(wsi, piece, sizeof piece, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n < 0)
            return n == -1;
        if (used + (size_t)n + 2 > QUERY_BYTES)
            return false;
        if (i > 0)
            out[used++] = '&';
        memcpy(out + used, piece, (size_t)n);
        used += (size_t)n;
        out[used] = '\0';
    }
}

static uint32_t method_of(struct lws *wsi)
{
    char *uri = NULL;
    int count = 0;
    switch (lws_http_get_uri_and_method(wsi, &uri, &count)) {
    case LWSHUMETH_GET:
        return HOUSE_GET;
    case LWSHUMETH_POST:
        return HOUSE_POST;
    case LWSHUMETH_DELETE:
        return HOUSE_DELETE;
    default:
        return HOUSE_METHOD_UNSET;
    }
}

static void ask(struct doors *d, struct slot *s)
{
    s->awaits_body = false;
    s->number = ++d->number == 0 ? ++d->number : d->number;
    s->q.ticket = (uint64_t)s->number * SLOTS + (uint64_t)(s - d->slot);
    s->q.body = s->in == NULL ? "" : s->in;
    s->q.body_count = s->in_count;
    if (s->is_control)
        front_control(d->front, &s->q);
    else
        front_http(d->front, &s->q);
    front_time(d->front);
    set_timer(d);
}

static int on_request(struct doors *d, struct slot *s, const char *path, size_t count)
{
    char length[24] = "";
    if (s == NULL || s->number != 0 || s->has_reply || count >= PATH_BYTES)
        return -1;
    memcpy(s->path, path, count);
    s->path[count] = '\0';
    if (!read_query(s->wsi, s->query))
        return -1;
    header(s->wsi, "x-key:", s->key);
    header(s->wsi, "x-time:", s->time);
    header(s->wsi, "x-sign:", s->sign);
    s->q = (struct front_http){.method = method_of(s->wsi),
                               .path = s->path,
                               .query = s->query,
                               .key = s->key,
                               .time = s->time,
                               .sign = s->sign};
    s->in_count = 0;
    if (s->q.method == HOUSE_METHOD_UNSET)
        return -1;
    lws_set_timeout(s->wsi, NO_PENDING_TIMEOUT, 0);
    s->awaits_body =
        s->q.method == HOUSE_POST &&
        lws_hdr_copy(s->wsi, length, sizeof length, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0 &&
        strcmp(length, "0") != 0;
    if (!s->awaits_body)
        ask(d, s);
    return 0;
}

static int write_head(struct slot *s)
{
    uint8_t room[LWS_PRE + HEAD_ROOM];
    uint8_t *start = room + LWS_PRE, *p = start, *end = room + sizeof room - 1;
    char retry[16];
    static const char type[] = "application/json";
    if (lws_add_http_header_status(s->wsi, (unsigned)s->status, &p, end) != 0 ||
        lws_add_http_header_by_token(s->wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (const uint8_t *)type,
                                     sizeof type - 1, &p, end) != 0 ||
        lws_add_http_header_content_length(s->wsi, s->first->count, &p, end) != 0)
        return -1;
    int n = snprintf(retry, sizeof retry, "%d", s->retry_s);
    if (s->retry_s > 0 && lws_add_http_header_by_name(s->wsi, (const uint8_t *)"retry-after:",
                                                      (uint8_t *)retry, n, &p, end) != 0)
        return -1;
    return lws_finalize_write_http_header(s->wsi, start, &p, end);
}

static int write_reply(struct doors *d, struct slot *s)
{
    if (s == NULL || !s->has_reply)
        return 0;
    if (s->is_dying || !synced(d) || write_head(s) != 0)
        return -1;
    struct message *m = s->first;
    int n = lws_write(s->wsi, m->bytes + LWS_PRE, m->count, LWS_WRITE_HTTP_FINAL);
    drop_first(s);
    s->has_reply = false;
    if (n < 0)
        return -1;
    return lws_http_transaction_completed(s->wsi) != 0 ? -1 : 0;
}

/* ---- streams ---- */
static int on_stream_open(struct doors *d, struct slot *s)
{
    uint32_t session = 0;
    while (session < FRONT_SESSIONS_MAX && d->session_slot[session] != 0)
        session++;
    if (s == NULL || session == FRONT_SESSIONS_MAX)
        return -1;
    d->session_slot[session] = (uint32_t)(s - d->slot) + 1;
    s->session = session;
    s->is_stream = true;
    if (front_ws_open(d->front, session))
        return 0;
    s->is_stream = false;
    d->session_slot[session] = 0;
    return -1;
}

static int on_stream_bytes(struct doors *d, struct slot *s, const void *bytes, size_t count)
{
    if (!gather(s, bytes, count, FRONT_MESSAGE_MAX))
        return -1;
    if (!lws_is_final_fragment(s->wsi) || lws_remaining_packet_payload(s->wsi) > 0)
        return 0;
    front_ws_in(d->front, s->session, s->in, s->in_count);
    s->in_count = 0;
    front_time(d->front);
    set_timer(d);
    return 0;
}

static int write_stream(struct doors *d, struct slot *s)
{
    if (s->first != NULL && !synced(d))
        return -1;
    while (s->first != NULL && !s->is_dying) {
        struct message *m = s->first;
        int n = lws_write(s->wsi, m->bytes + LWS_PRE, m->count, LWS_WRITE_TEXT);
        drop_first(s);
        if (n < 0)
            return -1;
        if (lws_send_pipe_choked(s->wsi))
            break;
    }
    if (s->first != NULL)
        lws_callback_on_writable(s->wsi);
    return s->is_dying ? -1 : 0;
}

/* ---- libwebsockets ---- */
static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t count)
{
    struct lws_context *context = lws_get_context(wsi);
    struct doors *d = context == NULL ? NULL : lws_context_user(context);
    struct seat *seat = user;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return on_request(d, slot_of(d, wsi, seat), in, count);
    case LWS_CALLBACK_HTTP_BODY:
        return gather(slot_of(d, wsi, seat), in, count, BODY_MAX) ? 0 : -1;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        if (slot_of(d, wsi, seat)->awaits_body)
            ask(d, slot_of(d, wsi, seat));
        return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return write_reply(d, slot_of(d, wsi, seat));
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: {
        char path[PATH_BYTES] = "";
        (void)lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
        return strcmp(path, "/v1/stream") == 0 && lws_get_vhost(wsi) != d->control ? 0 : -1;
    }
    case LWS_CALLBACK_ESTABLISHED:
        return on_stream_open(d, slot_of(d, wsi, seat));
    case LWS_CALLBACK_RECEIVE:
        return on_stream_bytes(d, slot_of(d, wsi, seat), in, count);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_stream(d, slot_of(d, wsi, seat));
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (reason != LWS_CALLBACK_HTTP_DROP_PROTOCOL || !lws_is_ssl(wsi))
            free_slot(d, seat);
        return 0;
    default:
        return 0;
    }
}

static struct result open_vhosts(struct doors *d, const struct doors_config *c, struct trail *tr)
{
    struct lws_context_creation_info info = {.port = c->port,
                                             .iface = "127.0.0.1",
                                             .protocols = d->protocols,
                                             .keepalive_timeout = KEEPALIVE_S,
                                             .timeout_secs = KEEPALIVE_S,
                                             .vhost_name = "venue"};
    struct lws_vhost *v = lws_create_vhost(d->context, &info);
    if (v == NULL)
        return FAIL(tr, IO, "127.0.0.1:%d: cannot be listened on; is another tenon-venue there?",
                    c->port);
    d->port = lws_get_vhost_listen_port(v);
    if (c->control_path == NULL)
        return OK_RESULT;
    int n = snprintf(d->control_path, sizeof d->control_path, "%s", c->control_path);
    if (n < 0 || n >= (int)sizeof d->control_path)
        return FAIL(tr, TOO_LARGE, "control socket: its path is over %zu characters; use a shorter",
                    sizeof d->control_path - 1);
    struct stat st;
    if (lstat(d->control_path, &st) == 0 && (!S_ISSOCK(st.st_mode) || unlink(d->control_path) != 0))
        return FAIL(tr, STATE, "control socket %s: is in the way and is no socket; remove it",
                    d->control_path);
    mode_t before = umask(077);
    info.port = 0;
    info.iface = d->control_path;
    info.options = LWS_SERVER_OPTION_UNIX_SOCK;
    info.vhost_name = "control";
    d->control = lws_create_vhost(d->context, &info);
    umask(before);
    if (d->control == NULL)
        return FAIL(tr, IO, "control socket %s: cannot be made; check its folder", d->control_path);
    return OK_RESULT;
}

static void say(int level, const char *line)
{
    fprintf(stderr, "tenon-venue: %s%s", level == LLL_ERR ? "error: " : "", line);
}

static struct result open_sockets(struct doors *d, const struct doors_config *c, struct trail *tr)
{
    lws_set_log_level(LLL_ERR, say);
    d->protocols[0] = (struct lws_protocols){.name = "tenon-venue",
                                             .callback = on_event,
                                             .per_session_data_size = sizeof(struct seat),
                                             .rx_buffer_size = FRONT_MESSAGE_MAX};
    struct lws_context_creation_info info = {.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
                                             .max_http_header_pool = SLOTS,
                                             .pt_serv_buf_size = BODY_MAX,
                                             .user = d};
    d->context = lws_create_context(&info);
    if (d->context == NULL)
        return FAIL(tr, IO, "sockets: libwebsockets does not start; see its words above");
    return open_vhosts(d, c, tr);
}

struct result doors_open(const struct doors_config *c, struct front_config *fc, struct doors **out,
                         struct trail *tr)
{
    *out = NULL;
    struct doors *d = calloc(1, sizeof *d);
    must(d != NULL);
    fc->ops = (struct front_ops){.arg = d,
                                 .reply = on_reply,
                                 .send = on_send,
                                 .close = on_close,
                                 .close_all = on_close_all,
                                 .freeze = on_freeze};
    struct result r = front_open(fc, &d->front, tr);
    if (is_ok(r))
        r = open_sockets(d, c, tr);
    if (is_ok(r)) {
        set_timer(d);
        *out = d;
    } else {
        doors_close(d);
    }
    return r;
}

void doors_close(struct doors *d)
{
    if (d == NULL)
        return;
    if (d->context != NULL)
        lws_context_destroy(d->context);
    if (d->control != NULL)
        unlink(d->control_path);
    front_close(d->front);
    free(d);
}

int doors_port(const struct doors *d)
{
    return d->port;
}

struct house *doors_house(struct doors *d)
{
    return front_house(d->front);
}

struct result doors_turn(struct doors *d, struct trail *tr)
{
    (void)lws_service(d->context, 0);
    if (synced(d))
        return OK_RESULT;
    return FAIL_AS(tr, d->over, "%s", trail_sentence(&d->trail, d->over));
}

void doors_wake(struct doors *d)
{
    lws_cancel_service(d->context);
}
