/* SPDX-License-Identifier: Apache-2.0
 *
 * Words made from the command table: help, the manual page and the completion scripts. The output
 * is the same on every machine: no terminal width, no locale, no date. Any thread.
 */
#ifndef GATEWAY_HELP_H
#define GATEWAY_HELP_H
#include <stdio.h>
#include "gateway/commands.h"

enum { HELP_COLUMNS = 100 };

void help_all(FILE *out);                    /* every command with its sentence */
void help_noun(FILE *out, const char *noun); /* the verbs of a noun */
void help_command(FILE *out, uint32_t command);
void help_man(FILE *out); /* tenon(1), roff with man macros */
/* shell: one of the choices of `completion`. */
void help_completion(FILE *out, const char *shell);
#endif
