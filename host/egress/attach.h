/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the engine comes in: a Unix socket (SOCK_SEQPACKET) on which it says hello and hands over
 * its end of the road (tbl/road.h), the durable page, and the ends of its adapter bays' lines. From
 * there on everything goes over links in shared memory; the socket says who has died.
 *
 * Who may: the peer's uid, as the kernel says it, is root's, ours, or the engine's. One engine at a
 * time. What it hands over is checked like a stranger's. One thread: net's.
 */
#ifndef EGRESS_ATTACH_H
#define EGRESS_ATTACH_H
#include "egress/net.h"

struct attach_options {
    int listen_fd; /* of attach_listen; taken over */
    uint32_t engine_uid;
    struct net *net;
    void *arg;
    void (*account)(void *arg, const struct road_account *a); /* its way was said; unchecked */
    void (*log)(void *arg, uint32_t level, const char *line);
};
struct attach;
/* Binds and listens, mode 0600 or, when others than we may come, 0666 (the uid decides then). A
 * dead process's socket file is replaced. kind: SOCK_SEQPACKET or SOCK_STREAM. BUSY: somebody
 * answers there. */
MUST_USE struct result attach_listen(const char *path, int kind, bool is_for_others, int *fd,
                                     struct trail *tr);
/* Root, ourselves, or `engine_uid`? What the kernel says of the peer goes to *uid. */
bool attach_may(int fd, uint32_t engine_uid, uint32_t *uid);

MUST_USE struct result attach_new(const struct attach_options *o, struct attach **out,
                                  struct trail *tr);
void attach_start(struct attach *a, struct desk *desk); /* from here on it calls the desk */
void attach_free(struct attach *a);

/* For struct desk_ops. */
bool attach_to_core(struct attach *a, uint32_t kind, const void *bytes, uint32_t count);
bool attach_to_bay(struct attach *a, uint32_t account, bool second, uint32_t kind, const void *head,
                   uint32_t head_count, const void *body, uint32_t body_count);

/* A kill that the desk is about to hear of: takes back what has not left, and says how much has. */
void attach_recall(struct attach *a, const struct road_kill *k);
/* Takes what lies on the links, a bounded number of messages; true = there may be more. */
bool attach_pump(struct attach *a);
/* Rings those who sleep, and goes to sleep; false = there is something after all. */
bool attach_sleep(struct attach *a);
/* After waking: takes back that we sleep, drains the bells, and shows that we live. */
void attach_awake(struct attach *a);
bool attach_is_here(const struct attach *a); /* an engine */
#endif
