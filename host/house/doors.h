/* SPDX-License-Identifier: Apache-2.0
 *
 * The venue's sockets: HTTP and WebSocket on loopback, and the control door on a Unix socket
 * (mode 0600, the same HTTP). One thread: it runs the front's time too, and sends nothing before
 * the ledger is synced.
 */
#ifndef HOUSE_DOORS_H
#define HOUSE_DOORS_H
#include "house/front.h"

struct doors_config {
    int port;                 /* on 127.0.0.1; 0 = any that is free */
    const char *control_path; /* NULL = no control door */
};

struct doors; /* heap */
/* Fills the ops of *c, opens the front with them and both doors. */
MUST_USE struct result doors_open(const struct doors_config *d, struct front_config *c,
                                  struct doors **out, struct trail *tr);
void doors_close(struct doors *d); /* NULL is let pass */
int doors_port(const struct doors *d);
struct house *doors_house(struct doors *d);
/* Serves until something happened; a failure of the ledger's disk ends it. */
MUST_USE struct result doors_turn(struct doors *d, struct trail *tr);
/* From a signal handler or another thread: ends the turn that waits. */
void doors_wake(struct doors *d);
#endif
