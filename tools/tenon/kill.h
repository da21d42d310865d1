/* SPDX-License-Identifier: Apache-2.0
 *
 * The kill as people press it, by `tenon risk kill` and on the screen of `tenon top`: both sides
 * are asked, the host and tenon-egress. One thread.
 */
#ifndef TENON_KILL_H
#define TENON_KILL_H
#include "tools/tenon/ask.h"

enum { KILL_SIDES = 2 };
struct kill_side { /* zero-initialise; both: heap */
    const char *name;
    char path[PATHS_BYTES]; /* "" = wherever the host is */
    struct client_call call;
    bool is_asked, took, is_absent; /* absent: nobody listens at all */
    json_t *result;                 /* of who took it */
    struct complaint c;             /* of who did not */
};
/* Asks host [0] and egress [1] at once and waits; with cli->quiet and with --json nothing is said
 * meanwhile. False: nobody took it, and *worst says why. kill_end. */
bool kill_ask(const struct cli *cli, const json_t *args, struct kill_side side[KILL_SIDES],
              const struct complaint **worst);
void kill_end(struct kill_side side[KILL_SIDES]);
#endif
