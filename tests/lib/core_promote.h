/* SPDX-License-Identifier: Apache-2.0
 *
 * Random promotions for a walk of core_walk.h: stages of rows, good and bad, committed, deployed,
 * dropped or begun anew, between all the other events; signals and faults of builds that reign,
 * reigned or never did; requests. Four instances, of which two are there from the start. The walk
 * decides how often; without promotions it draws as ever.
 */
#ifndef LIB_CORE_PROMOTE_H
#define LIB_CORE_PROMOTE_H
#include "tests/lib/core_rig.h"

enum { PROMOTE_ROWS = 48, PROMOTE_INSTANCES = 4 };

struct walk;
struct promote {
    uint32_t one_in; /* how often a stage is begun; 0 = never */
    uint64_t serial;
    uint32_t count, at; /* events of the running promotion */
    struct fact_view event[PROMOTE_ROWS];
    uint32_t tries; /* DEPLOYs left for what was refused */
};
/* The next event of a promotion, or of something near it; false: an ordinary one is due. */
bool promote_next(struct walk *w, struct fact_view *v);
#endif
