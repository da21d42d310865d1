/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands of the tool share. Data goes to standard output, messages to standard error;
 * a handler gives the exit code. One thread.
 */
#ifndef TENON_CLI_H
#define TENON_CLI_H
#include <stdio.h>
#include "gateway/args.h"
#include "gateway/paths.h"

struct cli {
    struct args a;
    bool json, quiet, utc, color;
    const char *name; /* of the command, for complaints */
    char **argv;      /* of the program, for those that run belief: they re-execute once */
};

/* Prints the complaint (and with --json the object on standard output); gives its exit code. */
int cli_complain(const struct cli *cli, const struct complaint *c);
/* The same from a result and its trail. */
int cli_fail(const struct cli *cli, struct result rc, const struct trail *tr);
/* A message, unless --quiet. */
void cli_say(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Takes over `object` (NULL = no memory), prints it on one line; gives 0 or an exit code. */
int cli_json(const struct cli *cli, json_t *object);
/* Exit code of a command that printed to standard output: 1 when that failed (a full disk). */
int cli_done(const struct cli *cli, int exit);
/* --journal and --heads with their defaults. */
MUST_USE struct result cli_journal_dir(const struct cli *cli, char out[PATHS_BYTES],
                                       struct trail *tr);
MUST_USE struct result cli_heads_dir(const struct cli *cli, char out[PATHS_BYTES],
                                     struct trail *tr);
MUST_USE struct result cli_plugins_dir(const struct cli *cli, char out[PATHS_BYTES],
                                       struct trail *tr);
/* The instruments file: --instruments, else the shipped one ($TENON_CONFIGS, else beside the
 * program, as tenond looks for it). NOT_FOUND when there is none. */
MUST_USE struct result cli_instruments(const struct cli *cli, char out[PATHS_BYTES],
                                       struct trail *tr);

/* One handler per command of tbl/commands.h. */
#define X(name, noun, verb, where, text, exits) int cmd_##name(const struct cli *cli);
COMMANDS(X)
#undef X
#endif
