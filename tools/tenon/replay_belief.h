/* SPDX-License-Identifier: Apache-2.0
 *
 * replay --belief: see replay_belief.c.
 */
#ifndef TENON_REPLAY_BELIEF_H
#define TENON_REPLAY_BELIEF_H
#include "tools/tenon/cli.h"

/* The whole command; gives its exit code. */
int replay_belief(const struct cli *cli);
#endif
