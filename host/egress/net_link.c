/* SPDX-License-Identifier: Apache-2.0
 *
 * What the desk opened, over the connections that carry it. A WebSocket or raw link is one
 * connection. An HTTP link keeps one connection warm and opens more, up to NET_WIRES, while
 * requests wait: one request at a time each, since a pipelined request would hang on the one before
 * it, and one lost connection would then make many orders unknown.
 *
 * A request that no byte left of is moved to another connection, or fails; one that has begun is
 * never written again.
 */
#include <stdlib.h>
#include <string.h>
#include "egress/net_priv.h"
#include "base/log.h"
#include "base/must.h"

#define LIVED_NS 1000000000ll /* a connection that lasted so long was a good one */

static struct net_link *find(const struct net *n, uint32_t account, bool second, uint32_t id)
{
    for (struct net_link *l = n->links; l != NULL; l = l->next) {
        if (!l->is_gone && l->account == account && l->is_second == second && l->id == id)
            return l;
    }
    return NULL;
}

void net_request_fail(struct net_link *l, struct net_request *r, const char *why)
{
    net_say(l, r->has_begun ? DESK_NET_SILENT : DESK_NET_FAILED, r->ticket, 0, -1, why,
            strlen(why));
    free(r);
}

static void fail_pending(struct net_link *l, const char *why)
{
    while (l->first != NULL) {
        struct net_request *r = l->first;
        l->first = r->next;
        net_request_fail(l, r, why);
    }
    l->last = NULL;
    l->pending = 0;
}

static void put_first(struct net_link *l, struct net_request *r)
{
    r->next = l->first;
    l->first = r;
    if (l->last == NULL)
        l->last = r;
    l->pending++;
}

static struct net_request *take_first(struct net_link *l)
{
    struct net_request *r = l->first;
    must(r != NULL && l->pending > 0);
    l->first = r->next;
    if (l->first == NULL)
        l->last = NULL;
    l->pending--;
    r->next = NULL;
    return r;
}

/* While a venue hangs, requests wait for one of its connections; by then the desk has answered for
 * what is too old, and an order must not leave after its answer. */
struct net_request *net_link_take(struct net_link *l)
{
    while (l->first != NULL) {
        struct net_request *r = take_first(l);
        if (net_now() < r->until_ns)
            return r;
        net_request_fail(l, r, "it waited too long for a connection");
    }
    return NULL;
}

void net_link_flow(struct net_link *l)
{
    bool hold = l->queued > (l->is_held ? NET_QUEUED_MAX / 2 : NET_QUEUED_MAX);
    if (hold == l->is_held || l->type == TN_LINK_HTTP)
        return; /* an HTTP link has one bounded reply per request */
    l->is_held = hold;
    if (l->wire[0].wsi != NULL && l->wire[0].state == WIRE_READY)
        lws_rx_flow_control(l->wire[0].wsi, hold ? 0 : 1);
}

static void say_down(struct net_link *l, const char *why)
{
    if (l->is_up || !l->was_said_down)
        net_say(l, DESK_NET_DOWN, 0, 0, -1, why, strlen(why));
    l->is_up = false;
    l->was_said_down = true;
    l->whole_bytes = 0;
}

/* Twice as long each time, with jitter, so that many clients do not come back in one moment. */
static int64_t backoff(struct net_link *l)
{
    const struct net_options *o = &l->net->o;
    int64_t wait = o->backoff_ns;
    for (uint32_t i = 1; i < l->attempts && wait < o->backoff_max_ns; i++)
        wait *= 2;
    if (wait > o->backoff_max_ns)
        wait = o->backoff_max_ns;
    return wait / 2 + (int64_t)rng_below(&l->net->rng, (uint64_t)wait / 2 + 1);
}

void net_link_connected(struct net_wire *w)
{
    struct net_link *l = w->link;
    w->state = WIRE_READY;
    w->has_served = false;
    w->since_ns = net_now();
    w->until_ns = INT64_MAX;
    if (!l->is_up)
        net_say(l, DESK_NET_UP, 0, 0, -1, "", 0);
    l->is_up = true;
    l->was_said_down = false;
    if (l->type == TN_LINK_HTTP)
        net_link_next(w);
    else if (l->is_held)
        lws_rx_flow_control(w->wsi, 0);
}

void net_link_next(struct net_wire *w)
{
    struct net_link *l = w->link;
    if (w->state != WIRE_READY || l->is_gone || (w->now = net_link_take(l)) == NULL)
        return;
    w->state = WIRE_BUSY;
    w->until_ns = net_now() + l->net->o.reply_wait_ns;
    net_reply_begin(w->reply);
    lws_callback_on_writable(w->wsi);
}

void net_link_lost(struct net_wire *w, const char *why)
{
    struct net_link *l = w->link;
    const bool was_open = w->state >= WIRE_READY;
    const bool was_good = was_open && (w->has_served || net_now() - w->since_ns >= LIVED_NS);
    bool has_open = false;
    w->state = WIRE_NONE;
    w->wsi = NULL;
    w->until_ns = INT64_MAX;
    if (w->now != NULL && !w->now->has_begun && !l->is_gone)
        put_first(l, w->now);
    else if (w->now != NULL)
        net_request_fail(l, w->now, why);
    w->now = NULL;
    if (l->is_gone)
        return;
    for (uint32_t i = 0; i < NET_WIRES; i++)
        has_open = has_open || l->wire[i].state >= WIRE_READY;
    l->attempts = was_good ? 0 : l->attempts + 1;
    l->try_ns = net_now() + (was_good ? 0 : backoff(l));
    /* A server may close an idle HTTP connection: the link is down when a new one is refused. */
    if (has_open || (l->type == TN_LINK_HTTP && was_open))
        return;
    fail_pending(l, why);
    say_down(l, why);
}

/* ---- over time ---- */
static void give_up(struct net_wire *w, const char *why)
{
    struct lws *wsi = w->wsi;
    net_link_lost(w, why);
    w->wsi = wsi;
    net_wire_drop(w);
}

static void connect_one(struct net_link *l, int64_t now_ns)
{
    for (uint32_t i = 0; i < (l->type == TN_LINK_HTTP ? NET_WIRES : 1); i++) {
        struct net_wire *w = &l->wire[i];
        if (w->wsi != NULL || w->state != WIRE_NONE)
            continue;
        w->state = WIRE_CONNECTING;
        w->since_ns = now_ns;
        w->until_ns = now_ns + l->net->o.connect_wait_ns;
        if (w->reply == NULL && l->type == TN_LINK_HTTP) {
            w->reply = calloc(1, sizeof *w->reply);
            must(w->reply != NULL);
        }
        if (!net_wire_connect(w) && w->state == WIRE_CONNECTING)
            net_link_lost(w, "the connection was refused");
        return;
    }
}

void net_link_tick(struct net_link *l, int64_t now_ns)
{
    uint32_t open = 0, coming = 0;
    for (uint32_t i = 0; i < NET_WIRES; i++) {
        struct net_wire *w = &l->wire[i];
        if (w->state == WIRE_CONNECTING && now_ns >= w->until_ns)
            give_up(w, "no connection in time");
        else if (w->state == WIRE_BUSY && now_ns >= w->until_ns)
            give_up(w, "no reply in time");
        open += w->state >= WIRE_READY;
        coming += w->state == WIRE_CONNECTING;
    }
    if (l->is_gone || l->is_refused || now_ns < l->try_ns)
        return;
    /* Each connection on its way will take one of those that wait. */
    if (open + coming == 0 || (l->type == TN_LINK_HTTP && l->pending > coming))
        connect_one(l, now_ns);
}

int64_t net_link_deadline(const struct net_link *l)
{
    int64_t at = INT64_MAX;
    uint32_t open = 0, coming = 0;
    for (uint32_t i = 0; i < NET_WIRES; i++) {
        const struct net_wire *w = &l->wire[i];
        open += w->state >= WIRE_READY;
        coming += w->state == WIRE_CONNECTING;
        if (w->state != WIRE_NONE && w->until_ns < at)
            at = w->until_ns;
    }
    if (l->is_gone)
        return at;
    bool wants = open + coming == 0 ||
                 (l->type == TN_LINK_HTTP && l->pending > coming && open + coming < NET_WIRES);
    return wants && !l->is_refused && l->try_ns < at ? l->try_ns : at;
}

void net_link_free(struct net_link *l)
{
    for (uint32_t i = 0; i < NET_WIRES; i++) {
        free(l->wire[i].now);
        free(l->wire[i].reply);
    }
    for (struct net_request *r = l->first, *next; r != NULL; r = next) {
        next = r->next;
        free(r);
    }
    free(l->whole);
    free(l);
}

/* ---- what the desk asks for ---- */
void net_open(struct net *n, uint32_t account, bool second, const struct line_open *o,
              const char *endpoint, const char *path)
{
    struct trail tr = {0};
    struct net_link *l = find(n, account, second, o->id);
    if (l != NULL && l->is_up) {
        net_say(l, DESK_NET_UP, 0, 0, -1, "", 0);
        return;
    }
    if (l != NULL && !l->is_refused)
        return; /* on its way */
    if (l != NULL)
        net_close(n, account, second, o->id);
    l = calloc(1, sizeof *l);
    must(l != NULL);
    l->net = n;
    l->account = account;
    l->id = o->id;
    l->type = o->type;
    l->is_second = second;
    l->next = n->links;
    n->links = l;
    for (uint32_t i = 0; i < NET_WIRES; i++)
        l->wire[i] = (struct net_wire){.link = l, .until_ns = INT64_MAX};
    struct result r = net_http_address(endpoint, o->type, &l->address, &tr);
    if (is_ok(r) && (path == NULL || strlen(path) >= sizeof l->path || strpbrk(path, " \t\r\n")))
        r = FAIL(&tr, SYNTAX, "the path of connection %u is no path", o->id);
    if (is_ok(r)) {
        strcpy(l->path, path[0] != 0 ? path : "/");
        return;
    }
    l->is_refused = true;
    net_log(n, LOG_ERROR, "%s", trail_sentence(&tr, r));
    say_down(l, trail_sentence(&tr, r));
}

/* What the link itself had to say is of no more use; what became of its requests is. */
static void forget_words(struct net_link *l)
{
    for (struct net_event *e = l->net->first; e != NULL; e = e->next) {
        if (e->link == l && e->in.ticket == 0)
            e->in.what = DESK_NET_UNSET;
    }
}

void net_close(struct net *n, uint32_t account, bool second, uint32_t link)
{
    static const char why[] = "closed from our side";
    struct net_link *l = find(n, account, second, link);
    if (l == NULL)
        return;
    for (uint32_t i = 0; i < NET_WIRES; i++) {
        struct net_wire *w = &l->wire[i];
        if (w->now != NULL)
            net_request_fail(l, w->now, why);
        w->now = NULL;
        w->state = WIRE_NONE;
        w->until_ns = INT64_MAX;
        net_wire_drop(w);
    }
    fail_pending(l, why);
    l->is_gone = true;
    forget_words(l);
}

void net_take_over(struct net *n, uint32_t account)
{
    for (struct net_link *l = n->links; l != NULL; l = l->next) {
        if (l->account == account && !l->is_second && !l->is_gone)
            net_close(n, account, false, l->id);
    }
    for (struct net_link *l = n->links; l != NULL; l = l->next) {
        if (l->account == account && l->is_second)
            l->is_second = false;
    }
    for (struct net_event *e = n->first; e != NULL; e = e->next) {
        if (e->in.account == account)
            e->in.is_second = 0;
    }
}

static struct net_request *frame(const struct net_link *l, const struct desk_message *m,
                                 struct trail *tr)
{
    const size_t given = (size_t)m->path_bytes + m->head_bytes + m->body_bytes;
    struct net_request *r = malloc(sizeof *r + given + NET_HTTP_EXTRA);
    must(r != NULL && given <= DESK_BYTES_MAX);
    *r = (struct net_request){.ticket = m->ticket,
                              .until_ns = m->wait_ns ? net_now() + m->wait_ns : INT64_MAX};
    if (l->type == TN_LINK_HTTP) {
        r->count = net_http_frame(m, l->address.named, r->bytes, given + NET_HTTP_EXTRA, tr);
    } else if (m->path_bytes == 0 && m->head_bytes == 0) {
        memcpy(r->bytes, m->bytes, m->body_bytes);
        r->count = m->body_bytes;
    }
    if (r->count > 0)
        return r;
    free(r);
    return NULL;
}

/* A free connection for what waits; without one, net_turn opens another. */
static void push(struct net_link *l)
{
    for (uint32_t i = 0; i < NET_WIRES && l->first != NULL; i++) {
        struct net_wire *w = &l->wire[i];
        if (w->state != WIRE_READY || w->wsi == NULL)
            continue;
        if (l->type == TN_LINK_HTTP)
            net_link_next(w);
        else
            lws_callback_on_writable(w->wsi);
    }
}

int64_t net_send(struct net *n, const struct desk_message *m)
{
    struct trail tr = {0};
    struct net_link *l = find(n, m->account, m->is_second, m->link);
    if (l == NULL || !l->is_up || l->type != m->type || l->pending >= NET_PENDING_MAX)
        return 0;
    struct net_request *r = frame(l, m, &tr);
    if (r == NULL) {
        net_log(n, LOG_ERROR, "account %u: nothing was sent: %s", m->account,
                trail_sentence(&tr, RESULT_OF(SYNTAX)));
        return 0;
    }
    if (l->last != NULL)
        l->last->next = r;
    else
        l->first = r;
    l->last = r;
    l->pending++;
    push(l);
    return (int64_t)m->path_bytes + m->head_bytes + m->body_bytes;
}

uint32_t net_recall(struct net *n, uint32_t account, const struct desk *d)
{
    uint32_t count = 0;
    for (struct net_link *l = n->links; l != NULL; l = l->next) {
        if ((account != 0 && l->account != account) || (d != NULL && desk_is_killed(d, l->account)))
            continue;
        for (uint32_t i = 0; i < NET_WIRES; i++) {
            struct net_wire *w = &l->wire[i];
            if (w->now == NULL || w->now->has_begun)
                continue;
            net_request_fail(l, w->now, "killed before its first byte");
            w->now = NULL;
            w->state = WIRE_READY; /* an HTTP connection that was about to write */
            w->until_ns = INT64_MAX;
            count++;
        }
        count += l->pending;
        fail_pending(l, "killed before its first byte");
    }
    return count;
}

uint32_t net_on_the_wire(const struct net *n)
{
    uint32_t count = 0;
    for (const struct net_link *l = n->links; l != NULL; l = l->next) {
        for (uint32_t i = 0; i < NET_WIRES; i++)
            count += l->wire[i].now != NULL && l->wire[i].now->has_begun;
    }
    return count;
}
