/* SPDX-License-Identifier: Apache-2.0
 *
 * What a host says of itself once a second.
 */
#ifndef DAEMON_WORDS_H
#define DAEMON_WORDS_H
#include "flow/lockstep.h"

/* One line on standard output. */
void words_status(const struct lockstep *l);
#endif
