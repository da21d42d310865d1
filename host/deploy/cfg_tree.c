/* SPDX-License-Identifier: Apache-2.0
 *
 * libyaml's events into a small tree with places. YAML as a whole is a hazard for a file that
 * moves money: aliases multiply, tags ask for types, merge keys override, duplicate keys win
 * silently, multi-line scalars fold. So this takes a subset and refuses the rest by name: one
 * document; mappings, lists and one-line scalars; plain or quoted without escapes; ASCII values;
 * no anchors, aliases, tags, directives; keys are scalars and distinct. Nothing is typed here: a
 * scalar is its text and whether it was quoted, and the readers in cfg_scalar.c decide by what the
 * key wants, never by what the text looks like.
 *
 * The tree lives in two fixed pools (nodes, text), so a hostile file can cost no more than they
 * hold. The event loop is a loop over `open`, the innermost collection, and not a recursion.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/deploy.h"

struct builder {
    struct cfg_file *f;
    struct cfg_node *open; /* innermost open collection */
    uint32_t depth;
    uint32_t documents;
    const char *key; /* a key waiting for its value */
    uint32_t key_line, key_col;
    bool done;
};

static uint32_t line_of(yaml_mark_t m)
{
    return (uint32_t)m.line + 1;
}
static uint32_t col_of(yaml_mark_t m)
{
    return (uint32_t)m.column + 1;
}

static struct result refuse(struct builder *b, const yaml_event_t *e, enum cfg_code code,
                            const char *what)
{
    return cfg_fail_at(b->f, code, line_of(e->start_mark), col_of(e->start_mark), "%s", what);
}

/* Copies a scalar into the text pool; one-line, printable ASCII, no escapes. */
static struct result keep(struct builder *b, const yaml_event_t *e, const char **out)
{
    struct cfg_file *f = b->f;
    size_t n = e->data.scalar.length;
    const char *v = (const char *)e->data.scalar.value;
    if (e->start_mark.line != e->end_mark.line ||
        e->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
        e->data.scalar.style == YAML_FOLDED_SCALAR_STYLE)
        return refuse(b, e, CFG_SUBSET, "a value over more than one line; write it on one line");
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)v[i] < 0x20 || (uint8_t)v[i] > 0x7e)
            return refuse(b, e, CFG_BYTES,
                          "a character outside printable ASCII in a name or value; letters of "
                          "other scripts that look alike are not the same");
    size_t quotes = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? 0 : 2;
    if (e->end_mark.index - e->start_mark.index != n + quotes)
        return refuse(b, e, CFG_SUBSET, "an escape in a quoted value; write the character itself");
    if (n > CFG_SCALAR_MAX_BYTES)
        return refuse(b, e, CFG_SIZE, "a value of more than 500 characters; shorten it");
    must(f->text_used + n + 1 <= f->text_bytes);
    char *to = f->text + f->text_used;
    memcpy(to, v, n);
    to[n] = 0;
    f->text_used += n + 1;
    *out = to;
    return OK_RESULT;
}

static struct result take_key(struct builder *b, const yaml_event_t *e)
{
    TRY(keep(b, e, &b->key));
    b->key_line = line_of(e->start_mark);
    b->key_col = col_of(e->start_mark);
    if (b->key[0] == 0)
        return refuse(b, e, CFG_SUBSET, "an empty key; give it a name");
    if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && cfg_is_ambiguous(b->key))
        return cfg_fail_at(b->f, CFG_TYPE, b->key_line, b->key_col,
                           "the key %s is no plain name to every YAML reader; write it in quotes",
                           b->key);
    for (const struct cfg_node *c = b->open->first; c != NULL; c = c->next)
        if (strcmp(c->key, b->key) == 0)
            return cfg_fail_at(b->f, CFG_DUPLICATE, b->key_line, b->key_col,
                               "the key %s is given twice, first on line %u; remove one", b->key,
                               c->key_line);
    return OK_RESULT;
}

/* A new node below b->open, or the root. */
static struct result add_node(struct builder *b, const yaml_event_t *e, enum cfg_kind kind,
                              struct cfg_node **out)
{
    struct cfg_file *f = b->f;
    if (f->node_count == CFG_NODES_MAX)
        return refuse(b, e, CFG_FULL, "more than 8192 values; split the file");
    struct cfg_node *n = &f->pool[f->node_count++];
    *n = (struct cfg_node){.kind = kind,
                           .line = line_of(e->start_mark),
                           .col = col_of(e->start_mark),
                           .parent = b->open,
                           .key = b->key};
    n->key_line = b->key != NULL ? b->key_line : n->line;
    n->key_col = b->key != NULL ? b->key_col : n->col;
    b->key = NULL;
    if (b->open == NULL) {
        must(f->root == NULL);
        f->root = n;
    } else {
        if (b->open->last != NULL)
            b->open->last->next = n;
        else
            b->open->first = n;
        b->open->last = n;
        b->open->count++;
    }
    *out = n;
    return OK_RESULT;
}

static bool wants_key(const struct builder *b)
{
    return b->open != NULL && b->open->kind == CFG_MAP && b->key == NULL;
}

static struct result on_scalar(struct builder *b, const yaml_event_t *e)
{
    if (e->data.scalar.tag != NULL)
        return refuse(b, e, CFG_SUBSET, "a tag; types are given by the key, remove it");
    if (e->data.scalar.anchor != NULL)
        return refuse(b, e, CFG_SUBSET, "an anchor; write the value out where it is used");
    if (wants_key(b))
        return take_key(b, e);
    struct cfg_node *n;
    TRY(add_node(b, e, CFG_SCALAR, &n));
    n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return keep(b, e, &n->text);
}

static struct result on_open(struct builder *b, const yaml_event_t *e, enum cfg_kind kind)
{
    bool map = kind == CFG_MAP;
    if (wants_key(b))
        return refuse(b, e, CFG_SUBSET, "a key that is no plain name; keys are single words");
    if ((map ? e->data.mapping_start.tag : e->data.sequence_start.tag) != NULL)
        return refuse(b, e, CFG_SUBSET, "a tag; types are given by the key, remove it");
    if ((map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor) != NULL)
        return refuse(b, e, CFG_SUBSET, "an anchor; write the value out where it is used");
    if (b->depth == DEPLOY_DEPTH_MAX)
        return refuse(b, e, CFG_DEPTH, "nested deeper than 16 levels; no key needs that");
    struct cfg_node *n;
    TRY(add_node(b, e, kind, &n));
    b->open = n;
    b->depth++;
    return OK_RESULT;
}

static struct result on_document(struct builder *b, const yaml_event_t *e)
{
    if (b->documents++ > 0)
        return refuse(b, e, CFG_SUBSET, "a second document; a file holds exactly one");
    bool directive =
        e->data.document_start.version_directive != NULL ||
        e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end;
    if (directive)
        return refuse(b, e, CFG_SUBSET, "a directive (% line); remove it");
    return OK_RESULT;
}

static struct result on_event(struct builder *b, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(b, e);
    case YAML_SCALAR_EVENT:
        return on_scalar(b, e);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, e, CFG_MAP);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, e, CFG_LIST);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        must(b->open != NULL && b->depth > 0 && b->key == NULL);
        b->open = b->open->parent;
        b->depth--;
        return OK_RESULT;
    case YAML_ALIAS_EVENT:
        return refuse(b, e, CFG_SUBSET, "an alias; write the value out where it is used");
    case YAML_STREAM_END_EVENT:
        b->done = true;
        return OK_RESULT;
    default: /* stream start, document end: nothing to keep */
        return OK_RESULT;
    }
}

/* libyaml's own complaint, with its place; the first line of a file has no mark in it. */
static struct result refuse_yaml(const struct cfg_file *f, const yaml_parser_t *p)
{
    const char *what = p->problem != NULL ? p->problem : "the text does not parse";
    return cfg_fail_at(f, CFG_YAML, line_of(p->problem_mark), col_of(p->problem_mark),
                       "not YAML (%s); check quotes, brackets and indentation", what);
}

static struct result run(struct builder *b, yaml_parser_t *p)
{
    struct result r = OK_RESULT;
    while (is_ok(r) && !b->done) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e))
            return refuse_yaml(b->f, p);
        r = on_event(b, &e);
        yaml_event_delete(&e);
    }
    return r;
}

struct result cfg_tree(struct cfg_file *f)
{
    must(f->bytes != NULL && f->root == NULL);
    struct builder b = {.f = f};
    yaml_parser_t p;
    f->pool = malloc(CFG_NODES_MAX * sizeof(*f->pool));
    f->text_bytes = f->count + 2 * (CFG_NODES_MAX + 1); /* every scalar and key with its NUL */
    f->text = malloc(f->text_bytes);
    must(f->pool != NULL && f->text != NULL);
    must(yaml_parser_initialize(&p) == 1);
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)f->bytes, f->count);
    struct result r = run(&b, &p);
    yaml_parser_delete(&p);
    TRY(r);
    if (f->root == NULL || f->root->kind != CFG_MAP)
        return cfg_fail_at(f, CFG_TYPE, 1, 1,
                           "the file is no mapping of keys; see configs/reference.yaml");
    must(b.open == NULL && b.depth == 0);
    return OK_RESULT;
}
