/* SPDX-License-Identifier: Apache-2.0
 *
 * The command table (tbl/commands.h) as data: rows to look up and walk. Read-only, any thread.
 */
#ifndef GATEWAY_COMMANDS_H
#define GATEWAY_COMMANDS_H
#include <stdbool.h>
#include <stddef.h>
#include "tbl/commands.h"

struct command_row {
    const char *noun;
    const char *verb; /* "" = none */
    const char *text;
    const char *exits; /* "" = only the common ones */
    uint32_t where;    /* enum command_where */
};
struct command_flag_row {
    const char *name;
    const char *meta; /* "" for a switch */
    int64_t min, max;
    uint32_t type; /* enum command_value */
};
struct command_arg_row {
    uint32_t command;
    uint32_t type;
    const char *meta;
    const char *choices; /* words with one blank between, "" = free */
    const char *text;
    bool needed, many;
};
struct command_use_row { /* a flag in a command; command COMMAND_UNSET = every command */
    uint32_t command, flag;
    const char *text;
    bool needed;
};
struct command_pair_row { /* two flags that exclude or need each other */
    uint32_t command, a, b;
    const char *why;
};

const struct command_row *command_row(uint32_t command); /* 1..COMMAND_END-1 */
const struct command_flag_row *command_flag_row(uint32_t flag);
/* "plugin check", "run": noun and verb, borrowed for ever. */
const char *command_name(uint32_t command);

extern const struct command_arg_row command_args[];
extern const size_t command_args_count;
extern const struct command_use_row command_uses[]; /* the command's own, then the common ones */
extern const size_t command_uses_count;
extern const struct command_pair_row command_conflicts[];
extern const size_t command_conflicts_count;
extern const struct command_pair_row command_needs[];
extern const size_t command_needs_count;

/* COMMAND_UNSET when there is none. command_by_name takes "plugin check". */
uint32_t command_find(const char *noun, const char *verb);
uint32_t command_by_name(const char *name);
bool command_noun_exists(const char *noun);
bool command_noun_has_verbs(const char *noun);
/* FLAG_UNSET when there is none; `name` without dashes. Of two by one name the one that the command
 * has; the first while the command is not known (UNSET). */
uint32_t command_flag_by_name(uint32_t command, const char *name, size_t count);
/* The row by which a command takes a flag, or NULL. */
const struct command_use_row *command_use(uint32_t command, uint32_t flag);
/* The i-th argument's row (the last one repeats when it says many), or NULL. */
const struct command_arg_row *command_arg(uint32_t command, uint32_t i);
/* The word at index i of a blank-separated list: its length, and where it begins; 0 past the
 * end. */
size_t command_choice(const char *choices, uint32_t i, const char **begin);

/* Nearest of `count` words to `word`: at most 3 edits and fewer than half of its letters, the
 * first of equals; NULL when none is near. */
const char *command_nearest(const char *word, const char *const *known, size_t count);
#endif
