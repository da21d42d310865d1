/* SPDX-License-Identifier: Apache-2.0
 *
 * The check at start: is the whole chain there, and is it the one the heads know?
 */
#ifndef JOURNAL_CHECK_H
#define JOURNAL_CHECK_H
#include "journal/heads.h"
#include "journal/journal.h"

struct check_end {
    struct chain chain; /* where writing goes on */
    bool doubt;
    char doubt_text[TRAIL_TEXT_BYTES];
    bool torn;
    char torn_text[TRAIL_TEXT_BYTES];
};

/* heads NULL: only the chain itself. id NULL or zero: any journal. */
MUST_USE struct result check_store(struct journal_store *store, const struct heads *heads,
                                   const uint8_t *id, struct check_end *out, struct trail *tr);
#endif
