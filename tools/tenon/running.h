/* SPDX-License-Identifier: Apache-2.0
 *
 * What a journal says about the deployment that is running on its host: the documents, and what
 * each strategy owns. For commands that compare a file with it.
 */
#ifndef TENON_RUNNING_H
#define TENON_RUNNING_H
#include "deploy/plan.h"
#include "flow/stage.h"
#include "tools/tenon/trusted.h"

struct running { /* zero-initialise; large: heap */
    struct trusted at;
    bool has_now, has_before; /* a deployment is active; there was one before it */
    struct deploy_doc now, before;
    bool has_core; /* the fields below are known */
    uint64_t last_seq;
    bool bars_from_trades; /* the source gives no bars */
    struct stage_names names;
    uint32_t owned_count;
    struct plan_owned owned[DEPLOY_INSTANCES_MAX]; /* by instance of `now` */
};
/* Reads the journal where there is one (see trusted.h); without one nothing is running. */
MUST_USE struct result running_open(const struct cli *cli, struct running *out, struct trail *tr);
/* Steps the core to the journal's end, for names and what is owned. */
MUST_USE struct result running_core(const struct cli *cli, struct running *out, struct trail *tr);
void running_close(struct running *r);
#endif
