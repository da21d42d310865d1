/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop, what it watches beside the sockets, and the queue of what happened. The desk is never
 * called from inside a callback of libwebsockets, nor from a call the desk itself made: what
 * happened is copied into the queue, and net_turn hands it out from the bottom of the stack. The
 * copy costs less than one system call of the socket it came from.
 *
 * An account that is held keeps its events in the queue; when they are more than NET_QUEUED_MAX
 * bytes its sockets are not read, and the venue waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "egress/net_priv.h"
#include "base/log.h"
#include "base/must.h"

enum { NET_FDS = 1024 };
#define NS_PER_US 1000

void net_log(const struct net *n, uint32_t level, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    if (n->o.ops.log == NULL)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    n->o.ops.log(n->o.ops.arg, level, line);
}

void net_say(struct net_link *l, uint32_t what, uint64_t ticket, uint32_t status, int32_t retry_s,
             const void *bytes, size_t count)
{
    if (l->net->is_ending)
        return;
    struct net_event *e = malloc(sizeof *e + count);
    must(e != NULL);
    *e = (struct net_event){.link = l,
                            .in = {.account = l->account,
                                   .link = l->id,
                                   .is_second = l->is_second,
                                   .what = what,
                                   .status = status,
                                   .retry_s = retry_s,
                                   .ticket = ticket,
                                   .count = count}};
    if (count > 0)
        memcpy(e->bytes, bytes, count);
    *l->net->last = e;
    l->net->last = &e->next;
    l->queued += sizeof *e + count;
    net_link_flow(l);
}

static bool is_held(const struct net *n, uint32_t account)
{
    return n->o.ops.holds != NULL && n->o.ops.holds(n->o.ops.arg, account);
}

/* Takes the oldest event of an account that is not held out of the queue; NULL = none. */
static struct net_event *take_event(struct net *n)
{
    for (struct net_event **at = &n->first; *at != NULL; at = &(*at)->next) {
        struct net_event *e = *at;
        if (is_held(n, e->in.account))
            continue;
        *at = e->next;
        if (n->last == &e->next)
            n->last = at;
        return e;
    }
    return NULL;
}

static bool has_event(const struct net *n)
{
    for (const struct net_event *e = n->first; e != NULL; e = e->next) {
        if (!is_held(n, e->in.account))
            return true;
    }
    return false;
}

static void hand_out(struct net *n)
{
    struct net_event *e;
    while ((e = take_event(n)) != NULL) {
        e->in.bytes = e->bytes;
        if (e->link != NULL)
            e->link->queued -= sizeof *e + e->in.count;
        if (e->in.what != DESK_NET_UNSET)
            n->o.ops.in(n->o.ops.arg, &e->in);
        if (e->link != NULL)
            net_link_flow(e->link);
        free(e);
    }
}

/* ---- other descriptors ---- */
struct result net_watch(struct net *n, int fd, void (*ready)(void *arg, int fd), void *arg,
                        struct trail *tr)
{
    struct net_watch *w = n->watch;
    while (w < n->watch + NET_WATCHES && w->fd >= 0)
        w++;
    if (w == n->watch + NET_WATCHES)
        return FAIL(tr, FULL, "more than %d descriptors to look at", NET_WATCHES);
    const lws_sock_file_fd_type own = {.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 3)};
    if (own.filefd < 0)
        return FAIL(tr, IO, "a descriptor cannot be copied: %s", strerrordesc_np(errno));
    *w = (struct net_watch){.net = n, .fd = fd, .ready = ready, .arg = arg};
    lws_adopt_desc_t adopt = {.vh = lws_get_vhost_by_name(n->context, "default"),
                              .type = LWS_ADOPT_RAW_FILE_DESC,
                              .fd = own,
                              .vh_prot_name = "tenon-fd",
                              .opaque = w};
    w->wsi = lws_adopt_descriptor_vhost_via_info(&adopt);
    if (w->wsi != NULL)
        return OK_RESULT;
    w->fd = -1;
    return FAIL(tr, IO, "the loop takes no further descriptor");
}

void net_unwatch(struct net *n, int fd)
{
    for (struct net_watch *w = n->watch; w < n->watch + NET_WATCHES; w++) {
        if (w->fd != fd)
            continue;
        w->fd = -1;
        if (w->wsi != NULL) {
            lws_set_opaque_user_data(w->wsi, NULL);
            lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
            w->wsi = NULL;
        }
    }
}

/* ---- the loop ---- */
/* An alarm that is over before the library begins to wait is called then, and the wait that follows
 * knows of no end any more: it is told to end, each time. */
static void on_alarm(lws_sorted_usec_list_t *sul)
{
    struct net *n = lws_container_of(sul, struct net, alarm);
    lws_cancel_service(n->context);
}

static void sweep(struct net *n)
{
    const int64_t now = net_now();
    for (struct net_link **at = &n->links; *at != NULL;) {
        struct net_link *l = *at;
        net_link_tick(l, now);
        bool is_over = l->is_gone;
        for (uint32_t i = 0; is_over && i < NET_WIRES; i++)
            is_over = l->wire[i].wsi == NULL;
        if (!is_over) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        for (struct net_event *e = n->first; e != NULL; e = e->next) {
            if (e->link == l)
                e->link = NULL;
        }
        net_link_free(l);
    }
}

void net_turn(struct net *n, int64_t wait_ns)
{
    sweep(n);
    const int64_t now = net_now();
    for (const struct net_link *l = n->links; l != NULL && wait_ns > 0; l = l->next) {
        int64_t at = net_link_deadline(l);
        if (at - now < wait_ns)
            wait_ns = at > now ? at - now : 0;
    }
    if (wait_ns <= 0 || has_event(n)) {
        lws_service(n->context, -1);
    } else {
        lws_sul_schedule(n->context, 0, &n->alarm, on_alarm, wait_ns / NS_PER_US + 1);
        lws_service(n->context, 0);
        lws_sul_schedule(n->context, 0, &n->alarm, NULL, LWS_SET_TIMER_USEC_CANCEL);
    }
    hand_out(n);
}

struct result net_new(const struct net_options *o, struct net **out, struct trail *tr)
{
    struct net *n = calloc(1, sizeof *n);
    must(n != NULL && o->ops.in != NULL);
    n->o = *o;
    n->o.connect_wait_ns = o->connect_wait_ns ? o->connect_wait_ns : 5000000000ll;
    n->o.reply_wait_ns = o->reply_wait_ns ? o->reply_wait_ns : 10000000000ll;
    n->o.backoff_ns = o->backoff_ns ? o->backoff_ns : 100000000ll;
    n->o.backoff_max_ns = o->backoff_max_ns ? o->backoff_max_ns : 10000000000ll;
    rng_seed(&n->rng, o->seed);
    n->last = &n->first;
    for (uint32_t i = 0; i < NET_WATCHES; i++)
        n->watch[i].fd = -1;
    unsetenv("http_proxy"); /* libwebsockets would send orders there */
    unsetenv("socks_proxy");
    lws_set_log_level(0, NULL);
    struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
                                             .protocols = net_wire_protocols,
                                             .gid = (gid_t)-1,
                                             .uid = (uid_t)-1,
                                             .vhost_name = "default",
                                             .fd_limit_per_thread = NET_FDS,
                                             .pt_serv_buf_size = 64 * 1024,
                                             .user = n};
    n->context = lws_create_context(&info);
    if (n->context == NULL) {
        free(n);
        return FAIL(tr, IO,
                    "libwebsockets could not be started; is memory or the limit of open "
                    "files (ulimit -n) used up?");
    }
    *out = n;
    return OK_RESULT;
}

void net_free(struct net *n)
{
    if (n == NULL)
        return;
    n->is_ending = true;
    for (struct net_link *l = n->links; l != NULL; l = l->next) {
        for (uint32_t i = 0; i < NET_WIRES; i++)
            net_wire_drop(&l->wire[i]);
    }
    for (uint32_t i = 0; i < NET_WATCHES; i++) {
        if (n->watch[i].fd >= 0)
            net_unwatch(n, n->watch[i].fd);
    }
    lws_context_destroy(n->context);
    for (struct net_link *l = n->links, *next; l != NULL; l = next) {
        next = l->next;
        net_link_free(l);
    }
    for (struct net_event *e = n->first, *next; e != NULL; e = next) {
        next = e->next;
        free(e);
    }
    free(n);
}

uint32_t net_links_up(const struct net *n)
{
    uint32_t up = 0;
    for (const struct net_link *l = n->links; l != NULL; l = l->next)
        up += l->is_up && !l->is_gone;
    return up;
}
