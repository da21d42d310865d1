/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree as canonical text: keys in the order of keys.h, named rows in the order of their file, one
 * key per line, two blanks per level, values as written. Comments are not kept: they are no part of
 * what a machine checks, and a comment that no longer fits its line would be signed with it.
 *
 * The walk follows the table of nests (keys.h), not the tree, since only the table knows whether
 * the keys of a mapping are ours (and have an order) or names that the author gave. It is recursive
 * over that table, which is four levels deep.
 */
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "deploy/compose_priv.h"

struct writer {
    const struct compose *c;
    FILE *out;
};

static void section(const struct writer *w, const struct cfg_node *map, enum cfg_section in,
                    const char *name, uint32_t level, bool in_list);

static void indent(FILE *out, uint32_t level)
{
    fprintf(out, "%*s", (int)(2 * level), "");
}

void compose_name(FILE *out, const char *name)
{
    const char *quote = cfg_is_ambiguous(name) ? "\"" : "";
    fprintf(out, "%s%s%s", quote, name, quote);
}

/* As written; the kind of quotes that needs no escape. */
static void scalar(FILE *out, const struct cfg_node *n)
{
    const char *quote = !n->quoted ? "" : strpbrk(n->text, "\"\\") != NULL ? "'" : "\"";
    fprintf(out, "%s%s%s", quote, n->text, quote);
}

static const struct compose_word *word_of(const struct compose *c, enum cfg_section in,
                                          const char *name, const char *key)
{
    for (uint32_t i = 0; i < c->word_count; i++)
        if (c->word[i].section == in && strcmp(c->word[i].name, name) == 0 &&
            strcmp(c->word[i].key, key) == 0)
            return &c->word[i];
    return NULL;
}

/* Mappings whose names are instruments. */
static bool names_instruments(const char *key)
{
    return strcmp(key, "instruments") == 0 || strcmp(key, "by_instrument") == 0;
}

static const char *renamed(const struct compose *c, const char *symbol)
{
    return c->from[0] != 0 && strcmp(c->from, symbol) == 0 ? c->to : symbol;
}

/* A definition from the instruments file, where the tree has none or another one is wanted. */
static const struct cfg_node *definition(const struct compose *c, const struct cfg_node *n)
{
    if (n->count > 0 && c->from[0] == 0)
        return n;
    const struct cfg_node *found = cfg_get(c->table, renamed(c, n->key));
    must(found != NULL); /* the document was read with this table before */
    return found;
}

/* One name of a mapping of names, with what it stands for. */
static void named(const struct writer *w, const struct cfg_node *of, const struct cfg_node *n,
                  enum cfg_section below, uint32_t level)
{
    const struct cfg_node *value = n;
    bool symbol = names_instruments(of->key);
    indent(w->out, level);
    compose_name(w->out, symbol ? renamed(w->c, n->key) : n->key);
    fputc(':', w->out);
    if (strcmp(of->key, "instruments") == 0)
        value = definition(w->c, n);
    if (value->kind == CFG_SCALAR) {
        fputc(' ', w->out);
        scalar(w->out, value);
        fputc('\n', w->out);
    } else if (value->count == 0) {
        fputs(" {}\n", w->out);
    } else {
        fputc('\n', w->out);
        section(w, value, below, n->key, level + 1, false);
    }
}

static void row(const struct writer *w, const struct cfg_node *n, enum cfg_section below,
                uint32_t level)
{
    const struct cfg_node *strategy = cfg_get(n, "strategy");
    indent(w->out, level);
    fputs("- ", w->out);
    section(w, n, below, strategy != NULL ? strategy->text : "", level + 1, true);
}

/* Names with plain values: params, inputs. */
static void pairs(const struct writer *w, const struct cfg_node *map, uint32_t level)
{
    for (const struct cfg_node *n = map->first; n != NULL; n = n->next) {
        indent(w->out, level);
        compose_name(w->out, n->key);
        fputs(": ", w->out);
        scalar(w->out, n);
        fputc('\n', w->out);
    }
}

static void collection(const struct writer *w, const struct cfg_node *n, enum cfg_section in,
                       uint32_t level)
{
    enum cfg_section below = CFG_SECTION_UNSET;
    enum cfg_shape shape = CFG_SHAPE_UNSET;
    if (n->count == 0) {
        fputs(" {}\n", w->out);
        return;
    }
    fputc('\n', w->out);
    if (!cfg_nest(in, n->key, &shape, &below)) {
        pairs(w, n, level + 1);
        return;
    }
    if (shape == CFG_ONE) {
        section(w, n, below, in == CFG_IN_ACCOUNT ? n->parent->key : "", level + 1, false);
        return;
    }
    for (const struct cfg_node *e = n->first; e != NULL; e = e->next)
        if (shape == CFG_ROWS)
            row(w, e, below, level + 1);
        else
            named(w, n, e, below, level + 1);
}

static void value(const struct writer *w, const struct cfg_node *n, enum cfg_section in,
                  uint32_t level)
{
    if (n->kind != CFG_SCALAR) {
        collection(w, n, in, level);
        return;
    }
    fputc(' ', w->out);
    if (strcmp(n->key, "instrument") == 0 && renamed(w->c, n->text) != n->text)
        compose_name(w->out, w->c->to);
    else
        scalar(w->out, n);
    fputc('\n', w->out);
}

/* Parts of the root that somebody else writes: true when it was one. */
static bool special(const struct writer *w, enum cfg_section in, const char *key)
{
    void (*write)(FILE *, void *) = NULL;
    if (in == CFG_IN_ROOT && strcmp(key, "limits") == 0)
        write = w->c->limits;
    if (in == CFG_IN_ROOT && strcmp(key, "on_remove") == 0)
        write = w->c->on_remove;
    if (in == CFG_IN_ROOT && strcmp(key, "rates") == 0)
        write = w->c->rates;
    if (write == NULL)
        return false;
    write(w->out, w->c->arg);
    return true;
}

/* name: of the row this mapping is; in_list: its first key stands after the dash. */
static void section(const struct writer *w, const struct cfg_node *map, enum cfg_section in,
                    const char *name, uint32_t level, bool in_list)
{
    const char *const *keys;
    size_t count = cfg_section_keys(in, &keys, NULL);
    bool first = in_list;
    for (size_t i = 0; i < count; i++) {
        const struct cfg_node *n = cfg_get(map, keys[i]);
        const struct compose_word *set = word_of(w->c, in, name, keys[i]);
        if (special(w, in, keys[i]) || (n == NULL && set == NULL) ||
            (set != NULL && set->value[0] == 0))
            continue;
        indent(w->out, first ? 0 : level);
        first = false;
        fprintf(w->out, "%s:", keys[i]);
        if (set != NULL)
            fprintf(w->out, " %s\n", set->value);
        else
            value(w, n, in, level);
    }
}

void compose_tree(const struct compose *c, const struct cfg_node *root, char **text)
{
    size_t bytes = 0;
    struct writer w = {.c = c, .out = open_memstream(text, &bytes)};
    must(w.out != NULL);
    fprintf(w.out, "%s\n", c->title);
    section(&w, root, CFG_IN_ROOT, "", 0, false);
    must(fclose(w.out) == 0);
}
