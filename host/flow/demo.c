/* SPDX-License-Identifier: Apache-2.0
 *
 * See demo.h.
 */
#include "flow/demo.h"

enum { DEMO_BEFORE = 0, DEMO_PROMOTED, DEMO_DONE };

int64_t demo_deadline(const struct demo *d)
{
    if (d->keys == NULL || d->step == DEMO_DONE)
        return INT64_MAX;
    return d->step == DEMO_BEFORE ? d->promote_ns : d->rollback_ns;
}

static struct result promote(struct demo *d, struct lockstep *l, struct trail *tr)
{
    struct lockstep_promotion p;
    struct bundle *b = NULL;
    lockstep_promotion(l, &p);
    struct throwaway_ask a = {.path = d->path,
                              .instruments = d->instruments,
                              .plugin_dir = d->plugin_dir,
                              .serial = p.serial + 1,
                              .parent = p.sha256};
    TRY(throwaway_propose(d->keys, &a, &b, tr));
    return lockstep_hand_over(l, PROMOTER_DEPLOYMENT, b, "demo", 0, tr);
}

/* A rollback needs something to go back from: a run that is too short for its second act ends
 * before it, and one that was killed has none. */
struct result demo_turn(struct demo *d, struct lockstep *l, struct trail *tr)
{
    struct lockstep_promotion p;
    if (lockstep_now(l) < demo_deadline(d))
        return OK_RESULT;
    lockstep_promotion(l, &p);
    if (p.is_busy)
        return OK_RESULT; /* somebody else promotes: it waits for its turn */
    if (d->step == DEMO_BEFORE) {
        d->step = DEMO_PROMOTED;
        return promote(d, l, tr);
    }
    if (p.serial != 2)
        return OK_RESULT;
    d->step = DEMO_DONE;
    return lockstep_rollback(l, "demo", "to show the way back", 0, tr);
}

const char *demo_fault(const struct demo *d, const struct lockstep *l)
{
    struct lockstep_promotion p;
    if (d->keys == NULL || d->step == DEMO_BEFORE)
        return NULL;
    lockstep_promotion(l, &p);
    if (p.is_busy || core_mode(lockstep_core(l), MODE_SCOPE_GLOBAL, 0) == MODE_KILLED)
        return NULL; /* it ends on the way, or somebody pressed kill: no promotion outlives that */
    if (d->step == DEMO_PROMOTED && p.serial != 2)
        return "the demo's promotion did not become active; see tenon config history";
    if (d->step == DEMO_DONE && p.serial != 3)
        return "the demo's rollback did not become active; see tenon config history";
    return NULL;
}
