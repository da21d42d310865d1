/* SPDX-License-Identifier: Apache-2.0
 *
 * Which trust document a command of the tool goes by: the one of --trust, else the one in force in
 * the journal. With a journal there is the registry of its deployments too. A file named with
 * --trust is believed: whoever names it vouches for it, as for a public key given to minisign -p.
 */
#ifndef TENON_TRUSTED_H
#define TENON_TRUSTED_H
#include "flow/registry.h"
#include "tools/tenon/cli.h"

struct trusted {                /* zero-initialise */
    struct trust trust;         /* version 0: there is none, and none was named */
    struct registry *registry;  /* NULL: no journal was read */
    char from[PATHS_BYTES + 8]; /* for sentences */
};
/* Reads the journal when --journal is given, or when --trust is not and there is a journal where
 * one is kept by default. */
MUST_USE struct result trusted_open(const struct cli *cli, struct trusted *t, struct trail *tr);
/* NOT_FOUND when there is no trust document, with what to do. */
MUST_USE struct result trusted_need(const struct trusted *t, struct trail *tr);
void trusted_close(struct trusted *t);
/* Later of the clock and every host time in the journal. */
int64_t trusted_wall(const struct trusted *t);
#endif
