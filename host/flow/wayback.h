/* SPDX-License-Identifier: Apache-2.0
 *
 * The way back of a promotion, made ready before it is needed: the derived rollback's text, its
 * document and the rows it stages, with the generations of the builds that ran before. Used by the
 * promoter (with each offer) and after a start in the middle of a probation.
 *
 * Any thread; reads plugin files for their facts, loads nothing.
 */
#ifndef FLOW_WAYBACK_H
#define FLOW_WAYBACK_H
#include "flow/plant.h"

struct wayback { /* heap parts: wayback_free */
    char *text;  /* NUL-ended */
    size_t count;
    struct deploy_doc *doc;
    struct stage_ids ids;
    struct stage_rows rows;
};
struct wayback_ask {
    const char *old_text, *now_text; /* of the one before, of the one that comes (or came) */
    size_t old_count, now_count;
    const struct deploy_doc *now;
    const struct stage_ids *now_ids;
    const struct stage_names *names; /* of the core, before the flip ... */
    bool is_flipped;                 /* ... or after it */
    const char *plugin_dir;
};
/* On failure *out is empty: a promotion without a prepared way back can still be taken back, by
 * building anew. */
MUST_USE struct result wayback_make(const struct wayback_ask *a, struct wayback *out,
                                    struct trail *tr);
void wayback_free(struct wayback *w);
#endif
