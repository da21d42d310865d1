/* SPDX-License-Identifier: Apache-2.0
 *
 * From a deployment document to the core's rows: which id a name has, and which rows a promotion
 * stages. A document counts its things in file order; the core's ids are given once and never
 * again, so each document is mapped by name onto what the core holds.
 *
 * Pure functions over copies: the promoter runs them on its own thread.
 */
#ifndef FLOW_STAGE_H
#define FLOW_STAGE_H
#include "core/step.h"
#include "deploy/change.h"

enum { STAGE_INSTANCES_MAX = 255, STAGE_ROWS_MAX = 2048 };

/* What the core knows by name, copied between two events. */
struct stage_names {
    uint32_t currency_count, instrument_count, account_count, instance_count;
    char currency[DEPLOY_CURRENCIES_MAX][16];
    char instrument[DEPLOY_INSTRUMENTS_MAX][FACT_NAME_BYTES];
    char account[DEPLOY_ACCOUNTS_MAX][FACT_NAME_BYTES];
    struct {
        char name[FACT_NAME_BYTES];
        uint32_t generation, generation_before;
        bool is_removed;
    } instance[STAGE_INSTANCES_MAX];
};
void stage_names(const struct core *c, struct stage_names *out);

/* The core's id of each thing of a document, by its place there (index, from 0). */
struct stage_ids {
    uint32_t currency[DEPLOY_CURRENCIES_MAX];
    uint32_t instrument[DEPLOY_INSTRUMENTS_MAX];
    uint32_t account[DEPLOY_ACCOUNTS_MAX];
    uint32_t instance[DEPLOY_INSTANCES_MAX];
    uint32_t generation[DEPLOY_INSTANCES_MAX]; /* today's, 0 = it is new */
};
/* New names get the next free ids. FULL when there is none. */
MUST_USE struct result stage_ids(const struct stage_names *n, const struct deploy_doc *d,
                                 struct stage_ids *out, struct trail *tr);

struct stage_row {
    uint32_t type; /* FACT_CURRENCY .. FACT_RATE, FACT_INPUT, FACT_REMOVE */
    uint32_t generation;
    union {
        struct fact_currency currency;
        struct fact_instrument instrument;
        struct fact_account account;
        struct fact_instance instance;
        struct fact_input input;
        struct fact_route route;
        struct fact_limit limit;
        struct fact_rate rate;
        struct fact_remove remove;
    } u;
};
struct stage_rows { /* heap: stage_rows_free */
    uint32_t count;
    struct stage_row *row;
    uint32_t generation[DEPLOY_INSTANCES_MAX]; /* by instance of the document, after the flip */
};
/* What goes between STAGE BEGIN and STAGE COMMIT: new and changed currencies, instruments and
 * accounts; instances of which `differs` or `swaps` (their generation is the document's serial;
 * others keep theirs) with the inputs of the strategies that swap; all limits and rates (they
 * replace what is there); new and changed routes; REMOVE for strategies and routes that are gone.
 * `facts` and `inputs` are the plant's, with core ids. before NULL: everything is new. `generation`
 * (may be NULL) overrides the generation of instances, by place: a rollback to builds that run. */
MUST_USE struct result stage_rows(const struct deploy_doc *before, const struct stage_ids *old_ids,
                                  const struct deploy_doc *after, const struct stage_ids *ids,
                                  const struct change *change, const struct fact_instance *facts,
                                  const struct fact_input *inputs, uint32_t input_count,
                                  const uint32_t *generation, struct stage_rows *out,
                                  struct trail *tr);
void stage_rows_free(struct stage_rows *r);
#endif
