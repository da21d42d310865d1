/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside compose*.c: a tree to be written, and what is written instead of some of its values.
 */
#ifndef DEPLOY_COMPOSE_PRIV_H
#define DEPLOY_COMPOSE_PRIV_H
#include <stdio.h>
#include "deploy/cfg.h"
#include "deploy/compose.h"

enum { COMPOSE_WORDS_MAX = 384, COMPOSE_WORD_BYTES = DEPLOY_PATH_BYTES + 4 };
struct compose_word { /* value "" = the key is left out */
    enum cfg_section section;
    char name[FACT_NAME_BYTES]; /* of the row, "" in the root; of a route its strategy */
    char key[FACT_NAME_BYTES];
    char value[COMPOSE_WORD_BYTES]; /* as it is written, with its quotes */
};
struct compose {
    const char *title;
    uint32_t word_count;
    struct compose_word word[COMPOSE_WORDS_MAX];
    const struct cfg_node *table; /* definitions for empty instruments, or NULL */
    char from[FACT_NAME_BYTES], to[FACT_NAME_BYTES]; /* instrument renamed; "" = none */
    /* Written instead of the tree's own; NULL: as in the tree. */
    void (*limits)(FILE *out, void *arg);
    void (*on_remove)(FILE *out, void *arg);
    void (*rates)(FILE *out, void *arg);
    void *arg;
};

void compose_set(struct compose *c, enum cfg_section section, const char *name, const char *key,
                 const char *value);
void compose_time(int64_t ns, char out[COMPOSE_WORD_BYTES]);
void compose_hash(const uint8_t sha[FACT_HASH_BYTES], char out[COMPOSE_WORD_BYTES]);

/* compose_tree.c: the canonical text, malloc'ed. */
void compose_tree(const struct compose *c, const struct cfg_node *root, char **text);
/* The text parses, or it is freed. Frees c. */
MUST_USE struct result compose_end(struct compose *c, const char *name, char **text,
                                   struct trail *tr);
/* A name or value with quotes where other YAML readers would take it for another type. */
void compose_name(FILE *out, const char *name);
#endif
