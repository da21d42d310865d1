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
#include "bays/process.h"
#include "deploy/deploy.h"
#include "flow/belief.h"
#include "flow/stage.h"

struct plant_options {
    const struct deploy_doc *doc;
    const char *plugin_dir;
    struct log *log;             /* may be NULL */
    bool bars_from_trades;       /* the source gives trades or quotes, not bars */
    const struct stage_ids *ids; /* the core's ids of what the document names; NULL: its own */
    const uint32_t *generation;  /* by instance of the document; NULL: its serial for all */
    const bool *only;            /* by instance: the strategies to build; NULL: all */
    uint32_t bays_max;           /* room of the belief; 0 = as many as are built */
    struct process_home *home; /* where `bay: process` runs; NULL: every bay is inline, as for tools
                                * that only read a journal again */
    bool from_memory; /* what this process has loaded already is taken from memory, whatever the
                       * folder holds now: for the way back. Needs pins */
};

struct plant_nodes { /* of a strategy's bay, by place in the document; the strategy is the last */
    uint32_t count;
    uint32_t at[BAY_NODES_MAX];
};
struct plant {
    struct belief *belief;
    uint32_t bay_count;
    struct bay *bay[DEPLOY_INSTANCES_MAX];
    /* The deployment's instances as facts, by their place in the document, with the core's ids:
     * kind, hash and params hash filled in, for those too that are not built. */
    uint32_t instance_count;
    struct fact_instance instance[DEPLOY_INSTANCES_MAX];
    /* By place too, not built ones as well. A module is NULL when only its file was read. */
    const struct bay_module *module[DEPLOY_INSTANCES_MAX];
    union tn_number params[DEPLOY_INSTANCES_MAX][TN_MAX_PARAMS];
    struct plant_nodes nodes[DEPLOY_INSTANCES_MAX]; /* of strategies */
    /* The bindings, as facts: they give a signal's reasons their names. Of every strategy. */
    uint32_t input_count;
    struct fact_input input[DEPLOY_INSTANCES_MAX * TN_MAX_INPUTS];
};

MUST_USE struct result plant_open(const struct plant_options *o, struct plant *out,
                                  struct trail *tr);
void plant_close(struct plant *p); /* stops the bays in reverse order */
/* The bays belong to somebody else now (belief_adopt): forgets them, frees the empty belief. */
void plant_give(struct plant *p);

/* Path of the shared object of a plugin: `<dir>/<id>-<version>.so`, else `<dir>/<id>.so`. */
MUST_USE struct result plant_find(const char *dir, const char *id, const char *version,
                                  char out[DEPLOY_PATH_BYTES], struct trail *tr);
#endif
