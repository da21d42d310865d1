/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes beside a host: the spawner of its bays, the home of strategy bays, and the way to
 * tenon-egress. What a deployment does not name is not started.
 */
#ifndef DAEMON_HELPERS_H
#define DAEMON_HELPERS_H
#include "bays/process.h"
#include "flow/roads.h"
#include "gateway/args.h"
#include "gateway/paths.h"

struct helpers {
    struct spawn *spawn;       /* NULL: nothing needs one */
    struct process_home *home; /* NULL: no bay is a process */
    bool has_roads;
    struct roads_options roads;
    char socket[PATHS_SOCKET_BYTES];
};
/* Before threads are made and before root is given up. text: of the deployment named on the command
 * line, NULL = the journal says, so all may be needed. */
MUST_USE struct result helpers_start(struct helpers *h, const struct args *a, const char *text,
                                     struct trail *tr);
/* Once there is a log. is_paced: market time follows a clock. */
MUST_USE struct result helpers_open(struct helpers *h, struct log *log, bool is_paced,
                                    struct trail *tr);
void helpers_close(struct helpers *h); /* after the engine */
#endif
