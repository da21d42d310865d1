/* SPDX-License-Identifier: Apache-2.0
 *
 * What the demo shows of promotion: in the middle of the run the next version of a strategy is
 * proposed, signed on the spot and promoted; later it is rolled back; trading goes on all the time.
 * Nothing here is special to the host: it does what an operator would do by hand.
 */
#ifndef FLOW_DEMO_H
#define FLOW_DEMO_H
#include "flow/lockstep.h"
#include "flow/promoter.h"
#include "flow/throwaway.h"

struct demo {
    const struct throwaway *keys; /* NULL: nothing is shown */
    const char *path;             /* the author's file of the next deployment */
    const char *instruments, *plugin_dir;
    int64_t promote_ns, rollback_ns; /* event time */
    uint32_t step;
};
/* Between two events; cheap when nothing is to be done. A failure is that of our own files. */
MUST_USE struct result demo_turn(struct demo *d, struct lockstep *l, struct trail *tr);
/* Event time at which it wants to be asked; INT64_MAX = no more. */
int64_t demo_deadline(const struct demo *d);
/* NULL when what was begun ended well; else a sentence. For a run that must hold. */
const char *demo_fault(const struct demo *d, const struct lockstep *l);
#endif
