/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside deploy/: a document while it is built. Sections are read in the order of the root keys
 * (a later one may only name what an earlier one defined), whatever their order in the file; rows
 * of a section keep the file's order and get ids 1, 2, ... in it.
 */
#ifndef DEPLOY_CFG_DOC_H
#define DEPLOY_CFG_DOC_H
#include "deploy/cfg.h"
#include "deploy/deploy.h"

struct cfg_doc {
    struct cfg_file *f;
    struct deploy_doc *d;
    const char *table_path; /* instruments file; NULL = none given */
    struct cfg_file *table; /* opened when first needed */
    const char *as;         /* symbol that replaces the document's only instrument, or NULL */
    char symbol[DEPLOY_INSTRUMENTS_MAX][FACT_NAME_BYTES]; /* as the document names them */
};

/* cfg_entry.c: instruments. */
MUST_USE struct result cfg_currencies(const struct cfg_file *f, const struct cfg_node *map,
                                      struct fact_currency *out, uint32_t *count);
MUST_USE struct result cfg_entry(const struct cfg_file *f, const struct cfg_node *entry,
                                 const struct fact_currency *ccy, uint32_t ccy_count,
                                 struct fact_instrument *out, uint32_t *stamp);
/* Finds a symbol in an opened instruments file. asked: what names it, for the sentence; NULL =
 * the caller itself. */
MUST_USE struct result cfg_entry_find(const struct cfg_file *table, const struct cfg_file *asker,
                                      const struct cfg_node *asked, const char *symbol,
                                      struct fact_instrument *out, struct fact_currency *ccy,
                                      uint32_t *stamp);
MUST_USE struct result cfg_instruments(struct cfg_doc *c);
/* Length of bars: `none` = 0, or whole seconds that divide a day. */
MUST_USE struct result cfg_bar(const struct cfg_file *f, const struct cfg_node *n, int64_t *out);

/* cfg_head.c: what a document says about itself; swap and on_remove once instances are known. */
MUST_USE struct result cfg_head(struct cfg_doc *c);
MUST_USE struct result cfg_after(struct cfg_doc *c);
/* What is signed stands alone: times, parent, pins and instruments are in it. */
MUST_USE struct result cfg_alone(struct cfg_doc *c);

/* cfg_parts.c, cfg_instance.c, cfg_limits.c: the other sections. */
MUST_USE struct result cfg_accounts(struct cfg_doc *c);
/* cfg_adapter.c: via and adapter of one account. */
MUST_USE struct result cfg_adapter(struct cfg_doc *c, const struct cfg_node *account,
                                   struct fact_account *fact, struct deploy_adapter *out);
MUST_USE struct result cfg_routes(struct cfg_doc *c);
MUST_USE struct result cfg_rates(struct cfg_doc *c);
MUST_USE struct result cfg_instances(struct cfg_doc *c);
MUST_USE struct result cfg_limits(struct cfg_doc *c);

/* Id of a name that a value (or, at_key, a key) gives, or a refusal with the nearest known. */
MUST_USE struct result cfg_instrument_id(struct cfg_doc *c, const struct cfg_node *n, bool at_key,
                                         uint32_t *out);
MUST_USE struct result cfg_instance_id(struct cfg_doc *c, const struct cfg_node *n, bool at_key,
                                       uint32_t *out);
MUST_USE struct result cfg_currency_id(const struct cfg_file *f, const struct cfg_node *n,
                                       const char *name, const struct fact_currency *ccy,
                                       uint32_t count, uint32_t *out);
/* A mapping or list with 1 to `max` children. */
MUST_USE struct result cfg_rows(const struct cfg_file *f, const struct cfg_node *n,
                                enum cfg_kind kind, uint32_t max);
#endif
