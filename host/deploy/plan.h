/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan: what a promotion would do, in lines for the operator who signs it. A view of the
 * document, never signed itself. Every figure that the plan does not know (no host is running) is
 * said to be unknown.
 */
#ifndef DEPLOY_PLAN_H
#define DEPLOY_PLAN_H
#include "deploy/change.h"
#include "deploy/trust.h"
#include <stdio.h>

struct plan_owned { /* of a strategy of the running deployment */
    char strategy[FACT_NAME_BYTES];
    uint32_t orders, stops;
    uint32_t positions;
};
struct plan_warmup { /* of a strategy that swaps */
    char strategy[FACT_NAME_BYTES];
    uint64_t need, have; /* events (bars where it has bars); have of the history at hand */
    uint32_t how;        /* enum plan_how */
};
enum plan_how { PLAN_HOW_UNSET = 0, PLAN_REPLAY, PLAN_STATE, PLAN_COLD };
struct plan_input {
    const struct deploy_doc *now, *next; /* now NULL: the first one */
    const char *next_path;
    bool is_draft; /* next was completed in memory only: the file at next_path cannot be signed */
    const struct change *change;
    const struct trust *trust;       /* NULL: not known */
    const struct trust_signed *sign; /* signatures at hand */
    uint32_t sign_count;
    const struct plan_owned *owned; /* NULL: not known */
    uint32_t owned_count;
    const struct plan_warmup *warmup; /* NULL: not known */
    uint32_t warmup_count;
};
/* How many of each role this change takes: see trust_need_of. */
struct trust_need plan_need(const struct trust *t, const struct change *c);
/* Lines: one per change (`~` changed, `+` new, `-` gone, `!` raises risk), then Effect, Warm-up,
 * Approvals, Next. */
void plan_print(FILE *out, const struct plan_input *p);
/* One line of it; width: of the paths. The mark is also what `config diff` shows. */
void plan_row(FILE *out, const struct change_row *r, int width);
char plan_mark(const struct change_row *r);
/* One JSON object, newline at its end. */
void plan_json(FILE *out, const struct plan_input *p);
#endif
