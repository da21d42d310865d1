/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands whose work is another program's: the tool becomes it, with the flags it was given.
 */
#ifndef TENON_BECOME_H
#define TENON_BECOME_H
#include "tools/tenon/cli.h"

/* Only comes back when it could not: the exit code then. */
int become_with_flags(const struct cli *cli, const char *program);
#endif
