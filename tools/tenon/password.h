/* SPDX-License-Identifier: Apache-2.0
 *
 * The password of a person's key, or of the file of secrets (person "secrets"): from --password-fd,
 * from the systemd credential tenon-PERSON, or from the terminal without echo. Never from an
 * argument or a variable, which others can read.
 */
#ifndef TENON_PASSWORD_H
#define TENON_PASSWORD_H
#include "tools/tenon/cli.h"

enum {
    PASSWORD_BYTES = 1025, /* with its NUL */
    PASSWORD_LEAST = 8,    /* characters of a new one */
};
/* is_new: at least PASSWORD_LEAST characters, and asked twice on a terminal. NOT_PERMITTED when
 * there is nobody to ask. On failure out is wiped. */
MUST_USE struct result password_get(const struct cli *cli, const char *person, bool is_new,
                                    char out[PASSWORD_BYTES], struct trail *tr);
void password_wipe(char out[PASSWORD_BYTES]);
/* A line that others must not see, from the terminal, without echo. prompt: without its colon.
 * NOT_PERMITTED when there is no terminal, or nothing was typed. */
MUST_USE struct result password_ask_line(const char *prompt, char out[PASSWORD_BYTES],
                                         struct trail *tr);
#endif
