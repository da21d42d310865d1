/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run was: for people in a page, for programs as one JSON object (schema tenon.summary/1).
 * Money is printed in its currency, exactly; the member `venue` holds mantissas and is what a
 * recount of the venue's ledger is compared with.
 */
#ifndef FLOW_SUMMARY_H
#define FLOW_SUMMARY_H
#include <stdio.h>
#include "flow/lockstep.h"
#include "flow/replay.h"

struct summary {
    const struct deploy_doc *doc;
    const struct core *core;
    const struct lockstep_report *report;
    const struct replay_report *replay; /* NULL: not replayed (backtest) */
    const char *market;                 /* the data file's name or "demo" */
    const char *state_dir;              /* of journal and ledger, may be NULL */
};
void summary_print(FILE *f, const struct summary *s);
void summary_json(FILE *f, const struct summary *s);
/* NULL when everything that must hold does; else the sentence that says what does not. */
const char *summary_fault(const struct summary *s, char text[TRAIL_TEXT_BYTES]);
#endif
