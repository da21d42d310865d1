/* SPDX-License-Identifier: Apache-2.0
 *
 * Deployments for a core under test: begins a stage, adds rows, commits and deploys, each as one
 * event of the rig. The hash of a deployment is made of its serial. For unit tests and walks.
 */
#ifndef LIB_CORE_STAGE_H
#define LIB_CORE_STAGE_H
#include "tests/lib/core_rig.h"

struct fact_stage stage_fact(uint64_t serial, uint32_t what, uint32_t rows, int64_t run_until_ns);
struct fact_deploy stage_deploy_fact(uint64_t serial);
struct fact_instance stage_instance_fact(uint32_t id, uint64_t serial, uint32_t flags);

/* One at a time. The rows given since begin are counted for commit. */
void stage_begin(struct core_rig *r, uint64_t serial);
void stage_begin_until(struct core_rig *r, uint64_t serial, int64_t run_until_ns);
void stage_row(struct core_rig *r, uint16_t type, const void *payload);
void stage_commit(struct core_rig *r, uint64_t serial);
void stage_drop(struct core_rig *r, uint64_t serial);
void stage_deploy(struct core_rig *r, uint64_t serial); /* DEPLOY alone */

/* An INSTANCE row of another build: generation = serial; flags FACT_COLD or 0. */
void stage_instance(struct core_rig *r, uint32_t id, uint64_t serial, uint32_t flags);
void stage_route(struct core_rig *r, uint32_t strategy, uint32_t instrument, int64_t budget);
void stage_remove(struct core_rig *r, uint32_t strategy, uint32_t instrument, uint32_t on_remove,
                  uint32_t to);
void stage_limit(struct core_rig *r, uint32_t rule, int64_t limit);
void stage_limits(struct core_rig *r); /* the four of the rig, as they are there */
/* Commit and deploy; gives whether it became active. */
bool stage_flip(struct core_rig *r, uint64_t serial);
/* All at once: another build of one strategy, limits as they were. */
bool stage_swap(struct core_rig *r, uint32_t id, uint64_t serial);
#endif
