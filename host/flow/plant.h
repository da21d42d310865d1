/* SPDX-License-Identifier: Apache-2.0
 *
 * The plant: a deployment's plugin instances, loaded, bound and warm, as bays behind one belief.
 *
 * Each strategy becomes one bay together with its private copy of every indicator its inputs name
 * (a bay is one failure domain, so nothing is shared). An indicator that no strategy listens to is
 * refused: it would do nothing. Modules are loaded once per file and shared between bays.
 */
#ifndef FLOW_PLANT_H
#define FLOW_PLANT_H
#include "deploy/deploy.h"
#include "flow/belief.h"

struct plant_options {
    const struct deploy_doc *doc;
    const char *plugin_dir;
    struct log *log;       /* may be NULL */
    bool bars_from_trades; /* the source gives trades or quotes, not bars */
};

struct plant {
    struct belief *belief;
    uint32_t bay_count;
    struct bay *bay[DEPLOY_INSTANCES_MAX];
    /* The deployment's instances as facts: kind, hash and params hash filled in. */
    uint32_t instance_count;
    struct fact_instance instance[DEPLOY_INSTANCES_MAX];
    /* The bindings, as facts: they give a signal's reasons their names. */
    uint32_t input_count;
    struct fact_input input[DEPLOY_INSTANCES_MAX * TN_MAX_INPUTS];
};

MUST_USE struct result plant_open(const struct plant_options *o, struct plant *out,
                                  struct trail *tr);
void plant_close(struct plant *p); /* stops the bays in reverse order */

/* Path of the shared object of a plugin: `<dir>/<id>-<version>.so`, else `<dir>/<id>.so`. */
MUST_USE struct result plant_find(const char *dir, const char *id, const char *version,
                                  char out[DEPLOY_PATH_BYTES], struct trail *tr);
#endif
