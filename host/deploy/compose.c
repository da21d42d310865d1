/* SPDX-License-Identifier: Apache-2.0
 *
 * Deployment files that the program writes: proposals for people to sign, and the rollback that a
 * signature authorised. Both are the tree of a file that was read, written again in one canonical
 * form (compose_tree.c), with some values replaced: so what the author wrote stays as written, and
 * what nobody reviewed cannot slip in by a way of printing. Whatever is written is parsed before it
 * is given out; a proposal that does not parse is a refusal of the proposal.
 */
#include "deploy/compose.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/must.h"
#include "deploy/cfg_doc.h"
#include "deploy/compose_priv.h"

void compose_time(int64_t ns, char out[COMPOSE_WORD_BYTES])
{
    char text[CLOCK_TEXT_BYTES];
    clock_print(ns, text);
    snprintf(out, COMPOSE_WORD_BYTES, "%.19sZ", text); /* whole seconds */
}

void compose_hash(const uint8_t sha[FACT_HASH_BYTES], char out[COMPOSE_WORD_BYTES])
{
    char hex[HASH_HEX_BYTES];
    hash_hex(sha, hex);
    snprintf(out, COMPOSE_WORD_BYTES, "\"%s\"", hex);
}

void compose_set(struct compose *c, enum cfg_section section, const char *name, const char *key,
                 const char *value)
{
    must(c->word_count < COMPOSE_WORDS_MAX);
    struct compose_word *w = &c->word[c->word_count++];
    w->section = section;
    snprintf(w->name, sizeof(w->name), "%.31s", name);
    snprintf(w->key, sizeof(w->key), "%.31s", key);
    snprintf(w->value, sizeof(w->value), "%s", value);
}

struct result compose_end(struct compose *c, const char *name, char **text, struct trail *tr)
{
    struct deploy_doc *d = malloc(sizeof(*d));
    must(d != NULL);
    struct result r = deploy_parse(*text, strlen(*text), name, NULL, d, tr);
    free(d);
    free(c);
    if (!is_ok(r)) {
        free(*text);
        *text = NULL;
    }
    return r;
}

/* ---- proposals ---- */
struct proposal {
    const char *path, *instruments_path, *symbol;
    const struct compose_head *head;
    struct result (*pin)(void *arg, const char *plugin, const char *version, const char *path,
                         uint8_t sha256[FACT_HASH_BYTES], struct trail *tr);
    void *pin_arg;
    struct trail *tr;
};

static void set_head(struct compose *c, const struct cfg_file *f, const struct compose_head *h)
{
    char value[COMPOSE_WORD_BYTES];
    snprintf(value, sizeof(value), "%llu", (unsigned long long)h->serial);
    compose_set(c, CFG_IN_ROOT, "", "serial", value);
    compose_set(c, CFG_IN_ROOT, "", "rollback_of", "");
    if (h->host != NULL)
        compose_set(c, CFG_IN_ROOT, "", "host", h->host);
    if (h->serial == 0) {
        static const char *const only[] = {"parent", "not_before", "expires", "template"};
        for (size_t i = 0; i < sizeof(only) / sizeof(only[0]); i++)
            compose_set(c, CFG_IN_ROOT, "", only[i], "");
        return;
    }
    compose_hash(h->parent, value);
    compose_set(c, CFG_IN_ROOT, "", "parent", value);
    compose_time(h->not_before_ns, value);
    compose_set(c, CFG_IN_ROOT, "", "not_before", value);
    compose_time(h->expires_ns, value);
    compose_set(c, CFG_IN_ROOT, "", "expires", value);
    compose_hash(f->sha256, value);
    compose_set(c, CFG_IN_ROOT, "", "template", value);
}

/* A relative path counts from the author's folder, and the signed bytes have none: it is written
 * out. `out` is the path as the proposal has it, "" when the instance names none. */
static struct result set_path(struct compose *c, const struct proposal *p,
                              const struct deploy_instance *e, char out[DEPLOY_PATH_BYTES])
{
    char joined[2 * DEPLOY_PATH_BYTES], value[COMPOSE_WORD_BYTES];
    const char *slash = strrchr(p->path, '/');
    snprintf(out, DEPLOY_PATH_BYTES, "%s", e->path);
    if (e->path[0] == 0 || e->path[0] == '/')
        return OK_RESULT;
    snprintf(joined, sizeof(joined), "%.*s%s", slash ? (int)(slash - p->path) + 1 : 0, p->path,
             e->path);
    char *real = realpath(joined, NULL);
    if (real == NULL || strlen(real) >= DEPLOY_PATH_BYTES || strpbrk(real, "\"\\") != NULL) {
        free(real);
        return FAIL(p->tr, NOT_FOUND,
                    "%s:%u instance %s: path %.200s names no file that can be written out; build "
                    "it, or correct the path",
                    p->path, e->line, e->fact.name, e->path);
    }
    snprintf(out, DEPLOY_PATH_BYTES, "%s", real);
    free(real);
    snprintf(value, sizeof(value), "\"%s\"", out);
    compose_set(c, CFG_IN_INSTANCE, e->fact.name, "path", value);
    return OK_RESULT;
}

static struct result set_pins(struct compose *c, const struct proposal *p,
                              const struct deploy_doc *d)
{
    uint8_t sha[FACT_HASH_BYTES];
    char value[COMPOSE_WORD_BYTES], path[DEPLOY_PATH_BYTES];
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < d->instance_count && p->pin != NULL && is_ok(r); i++) {
        const struct deploy_instance *e = &d->instance[i];
        r = set_path(c, p, e, path);
        if (!is_ok(r) || e->sha256_hex[0] != 0)
            continue;
        r = p->pin(p->pin_arg, e->fact.plugin, e->fact.version, path, sha, p->tr);
        if (!is_ok(r))
            break;
        compose_hash(sha, value);
        compose_set(c, CFG_IN_INSTANCE, e->fact.name, "sha256", value);
    }
    return r;
}

/* Adapters of accounts are pinned like instances. */
static struct result set_adapter_pins(struct compose *c, const struct proposal *p,
                                      const struct deploy_doc *d)
{
    uint8_t sha[FACT_HASH_BYTES];
    char value[COMPOSE_WORD_BYTES];
    for (uint32_t i = 0; i < d->account_count && p->pin != NULL; i++) {
        const struct deploy_adapter *a = &d->adapter[i];
        if (a->plugin[0] == 0 || a->sha256_hex[0] != 0)
            continue;
        struct result r = p->pin(p->pin_arg, a->plugin, a->version, NULL, sha, p->tr);
        if (!is_ok(r))
            return r;
        compose_hash(sha, value);
        compose_set(c, CFG_IN_ADAPTER, d->account[i].name, "sha256", value);
    }
    return OK_RESULT;
}

/* Definitions that the file leaves to the instruments file, and the one symbol that replaces. */
static struct result set_instruments(struct compose *c, const struct proposal *p,
                                     const struct cfg_node *root, struct cfg_file **table)
{
    const struct cfg_node *map = cfg_get(root, "instruments");
    bool is_asked = p->symbol != NULL;
    for (const struct cfg_node *n = map->first; n != NULL; n = n->next)
        is_asked |= n->count == 0;
    if (is_asked)
        TRY(cfg_open(p->instruments_path, p->tr, table));
    if (*table != NULL)
        c->table = cfg_get((*table)->root, "instruments");
    if (p->symbol != NULL) {
        snprintf(c->from, sizeof(c->from), "%.31s", map->first->key);
        snprintf(c->to, sizeof(c->to), "%.31s", p->symbol);
    }
    return OK_RESULT;
}

static struct result proposal(const struct proposal *p, const struct cfg_file *f,
                              struct cfg_file **table, const struct deploy_doc *d, char **text)
{
    struct compose *c = calloc(1, sizeof(*c));
    must(c != NULL);
    c->title = "# A proposal, written by tenon config plan. People sign these very bytes.";
    set_head(c, f, p->head);
    struct result r = set_pins(c, p, d);
    if (is_ok(r))
        r = set_adapter_pins(c, p, d);
    if (is_ok(r))
        r = set_instruments(c, p, f->root, table);
    if (!is_ok(r)) {
        free(c);
        return r;
    }
    compose_tree(c, f->root, text);
    return compose_end(c, p->path, text, p->tr);
}

struct result compose_proposal(const char *path, const char *instruments_path, const char *symbol,
                               const struct compose_head *head,
                               struct result (*pin)(void *arg, const char *plugin,
                                                    const char *version, const char *path,
                                                    uint8_t sha256[FACT_HASH_BYTES],
                                                    struct trail *tr),
                               void *pin_arg, char **text, struct trail *tr)
{
    struct proposal p = {.path = path,
                         .instruments_path = instruments_path,
                         .symbol = symbol,
                         .head = head,
                         .pin = pin,
                         .pin_arg = pin_arg,
                         .tr = tr};
    struct cfg_file *f = NULL, *table = NULL;
    struct deploy_doc *d = malloc(sizeof(*d));
    must(d != NULL);
    *text = NULL;
    struct result r = symbol != NULL ? deploy_read_as(path, instruments_path, symbol, d, tr)
                                     : deploy_read(path, instruments_path, d, tr);
    if (is_ok(r))
        r = cfg_open(path, tr, &f);
    if (is_ok(r) && memcmp(f->sha256, d->fact.sha256, sizeof(f->sha256)) != 0)
        r = FAIL(tr, AGAIN, "%s changed while it was read; try again", path);
    if (is_ok(r))
        r = proposal(&p, f, &table, d, text);
    cfg_close(f);
    cfg_close(table);
    free(d);
    return r;
}
