/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside plan*.c: the same findings for words and for JSON.
 */
#ifndef DEPLOY_PLAN_PRIV_H
#define DEPLOY_PLAN_PRIV_H
#include "deploy/plan.h"

const struct plan_owned *plan_owned_by(const struct plan_input *p, const char *strategy);
/* The route of the running document is not in the next one. */
bool plan_leaves(const struct plan_input *p, uint32_t route);
const struct deploy_remove *plan_remove_of(const struct plan_input *p, const char *strategy);
/* Sum over the routes that stay. */
struct plan_owned plan_kept(const struct plan_input *p);
const char *plan_how_name(uint32_t how);
#endif
