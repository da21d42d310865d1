/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's end of its road to tenon-egress: the attach socket, the link and the durable page.
 *
 * The page is made before the journal is opened and outlives every attachment: the journal's
 * storing thread raises it (road_link_durable) and rings egress when an order waits for it, so that
 * no turn of the engine stands between a record on the disk and the order it lets go.
 *
 * All but road_link_durable belongs to one thread.
 */
#ifndef FLOW_ROAD_LINK_H
#define FLOW_ROAD_LINK_H
#include <pthread.h>
#include "base/link.h"
#include "tbl/road.h"

struct road_link {
    char path[108]; /* of egress's attach socket */
    int fd;         /* -1: not attached */
    struct link link;
    int page_fd;
    struct road_durable *page;
    pthread_mutex_t lock; /* of bell */
    int bell;             /* egress's, -1 = none */
    _Atomic uint64_t wanted;
};

MUST_USE struct result road_link_open(struct road_link *r, const char *path, struct trail *tr);
void road_link_close(struct road_link *r);
/* The journal's storing thread; arg is the road_link. */
void road_link_durable(void *arg, uint64_t seq);

/* Connects and says hello; waits for the welcome, `wait_ms` at most. UNREACHABLE: nobody is
 * there. */
MUST_USE struct result road_link_attach(struct road_link *r, uint64_t epoch,
                                        const uint8_t journal_id[16], const char *host, int wait_ms,
                                        struct trail *tr);
void road_link_detach(struct road_link *r);
/* Looks at socket and link; false: egress is gone, and *why says how. */
bool road_link_look(struct road_link *r, const char **why);

/* False: not attached, or no room. */
bool road_link_put(struct road_link *r, uint32_t kind, const void *bytes, uint32_t count);
/* An order of this event waits for its record. */
void road_link_want(struct road_link *r, uint64_t seq);
/* The bay's line of an account; the end is taken over. end NULL: no descriptors. */
MUST_USE struct result road_link_bay(struct road_link *r, const struct road_bay *b,
                                     struct link_end *end, struct trail *tr);
#endif
