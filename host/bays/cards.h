/* SPDX-License-Identifier: Apache-2.0
 *
 * The check cards of `tenon plugin check` (ABI-RULES section 5): what a plugin does, seen from
 * outside. The static checks run first and no plugin code with them; if one fails the plugin is
 * not loaded and the cards are skipped. Every card runs in a child process of its own with a time
 * limit, so a crash or an endless loop is a verdict and not the end of the checker.
 *
 * Cards that need what this version does not have yet are listed as skipped: "not yet".
 */
#ifndef BAYS_CARDS_H
#define BAYS_CARDS_H
#include "bays/bay.h"

/* Fills out with one row per id, in the order of the list. A failed card is a row, not a result;
 * the result is about the checking itself (the file cannot be read, no process can be made).
 * Call from a program with one thread: it forks. */
MUST_USE struct result cards_run(const char *path, struct bay_checks *out, struct trail *tr);
/* The same for the one id given (and the static checks). */
MUST_USE struct result cards_run_one(const char *path, const char *id, struct bay_checks *out,
                                     struct trail *tr);
#endif
