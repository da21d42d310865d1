/* SPDX-License-Identifier: Apache-2.0
 *
 * A promotion or rollback as seen from the command line: handed to the host, then followed by
 * asking for its status until the deployment is active or was refused. The host's lines (each has a
 * number) go to standard error as they are said, none twice; the outcome to standard output. One
 * thread. Ctrl-C ends the following, never the promotion.
 */
#ifndef TENON_FOLLOW_H
#define TENON_FOLLOW_H
#include "base/bundle.h"
#include "tools/tenon/cli.h"

/* Asks the command of cli, with b (promote) or without (rollback), and follows it unless --no-wait
 * is given; gives the exit code. */
int follow(const struct cli *cli, const struct bundle *b);
#endif
