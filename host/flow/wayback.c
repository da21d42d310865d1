/* SPDX-License-Identifier: Apache-2.0
 *
 * See wayback.h. The derived document is parsed like any other and compared with the one it takes
 * back, so its rows are made by the same code as a promotion's; only the generations of what
 * changes are not its own serial but those of the builds that still run.
 */
#include "flow/wayback.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "deploy/compose.h"

/* By instance of the derived document: the build that ran before the flip. */
static void generations(const struct wayback_ask *a, const struct deploy_doc *d,
                        uint32_t out[DEPLOY_INSTANCES_MAX])
{
    for (uint32_t i = 0; i < d->instance_count; i++) {
        out[i] = (uint32_t)d->fact.serial;
        for (uint32_t k = 0; k < a->names->instance_count; k++) {
            if (strcmp(a->names->instance[k].name, d->instance[i].fact.name) != 0)
                continue;
            out[i] = a->is_flipped ? a->names->instance[k].generation_before
                                   : a->names->instance[k].generation;
        }
    }
}

static struct result make_rows(const struct wayback_ask *a, struct wayback *w, struct change *c,
                               struct plant *facts, struct trail *tr)
{
    static const bool none[DEPLOY_INSTANCES_MAX];
    uint32_t generation[DEPLOY_INSTANCES_MAX];
    struct plant_options p = {
        .doc = w->doc, .plugin_dir = a->plugin_dir, .ids = &w->ids, .only = none};
    TRY(change_find(a->now, w->doc, c, tr));
    TRY(stage_ids(a->names, w->doc, &w->ids, tr));
    TRY(plant_open(&p, facts, tr));
    generations(a, w->doc, generation);
    struct result r = stage_rows(a->now, a->now_ids, w->doc, &w->ids, c, facts->instance, NULL, 0,
                                 generation, &w->rows, tr);
    plant_close(facts);
    return r;
}

struct result wayback_make(const struct wayback_ask *a, struct wayback *out, struct trail *tr)
{
    memset(out, 0, sizeof *out);
    struct change *c = calloc(1, sizeof *c);
    struct plant *facts = calloc(1, sizeof *facts);
    out->doc = calloc(1, sizeof *out->doc);
    must(c != NULL && facts != NULL && out->doc != NULL);
    struct result r =
        compose_rollback(a->old_text, a->old_count, a->now_text, a->now_count, &out->text, tr);
    if (is_ok(r)) {
        out->count = strlen(out->text);
        r = deploy_parse(out->text, out->count, "rollback", NULL, out->doc, tr);
    }
    if (is_ok(r))
        r = make_rows(a, out, c, facts, tr);
    free(facts);
    free(c);
    if (!is_ok(r))
        wayback_free(out);
    return r;
}

void wayback_free(struct wayback *w)
{
    free(w->text);
    free(w->doc);
    stage_rows_free(&w->rows);
    memset(w, 0, sizeof *w);
}
