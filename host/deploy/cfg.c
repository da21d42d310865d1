/* SPDX-License-Identifier: Apache-2.0
 *
 * What all readers of configuration share: opening a file, finding keys, and refusing. A refusal
 * is made in one place so that every sentence has the same shape and none lacks its line: callers
 * give a node and a sentence, the key path comes from the node's parents. The whole sentence must
 * fit one trail frame, so long paths are cut at the front and long lists of keys at the end; the
 * nearest key, which is what the reader most likely needs, is never cut.
 *
 * Unknown keys are named in file order and before missing ones: a misspelt required key is both,
 * and the first is the sentence that helps.
 */
#include "deploy/cfg.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "deploy/deploy.h"

enum { SHOWN_PATH_BYTES = 80, LIST_BYTES = 165 };

struct section_rows {
    const char *const *names;
    const uint8_t *required;
    size_t count;
    const char *name;
};

/* All rows in one list; a section is a run of it. */
static const struct {
    enum cfg_section section;
    uint8_t required;
} row[] = {
#define X(in, name, req, text) {CFG_IN_##in, req},
    CFG_KEYS(X)
#undef X
};
static const char *const row_name[] = {
#define X(in, name, req, text) #name,
    CFG_KEYS(X)
#undef X
};
static const uint8_t row_required[] = {
#define X(in, name, req, text) req,
    CFG_KEYS(X)
#undef X
};
enum { ROW_COUNT = sizeof(row) / sizeof(row[0]) };

size_t cfg_section_keys(enum cfg_section section, const char *const **names,
                        const uint8_t **required)
{
    must(section > CFG_SECTION_UNSET && section < CFG_SECTION_END);
    size_t from = 0, count = 0;
    while (from < ROW_COUNT && row[from].section != section)
        from++;
    while (from + count < ROW_COUNT && row[from + count].section == section)
        count++;
    must(count > 0);
    *names = row_name + from;
    if (required != NULL)
        *required = row_required + from;
    return count;
}

const char *cfg_section_name(enum cfg_section section)
{
    static const char *const name[] = {"unset",
#define X(id, text) text,
                                       CFG_SECTIONS(X)
#undef X
    };
    must(section < CFG_SECTION_END);
    return name[section];
}

/* Key path of a node: instances.cross.params.period, routes[0].env. What is legal fits whole; of a
 * hostile key only its beginning is shown. */
static void path_of(const struct cfg_node *n, char out[CFG_PATH_BYTES])
{
    char part[CFG_PATH_BYTES];
    char made[CFG_PATH_BYTES] = "";
    for (; n != NULL && n->parent != NULL; n = n->parent) {
        if (n->key != NULL) {
            snprintf(part, sizeof(part), "%.60s%s%.90s", n->key,
                     made[0] != 0 && made[0] != '[' ? "." : "", made);
        } else {
            uint32_t at = 0;
            for (const struct cfg_node *c = n->parent->first; c != n; c = c->next)
                at++;
            snprintf(part, sizeof(part), "[%u]%s%.120s", at,
                     made[0] != 0 && made[0] != '[' ? "." : "", made);
        }
        memcpy(made, part, sizeof(made));
    }
    memcpy(out, made, sizeof(made));
}

static struct result say(struct trail *tr, const char *path, enum cfg_code code, uint32_t line,
                         uint32_t col, const char *where, const char *fmt, va_list ap)
    __attribute__((format(printf, 7, 0)));
static struct result say(struct trail *tr, const char *path, enum cfg_code code, uint32_t line,
                         uint32_t col, const char *where, const char *fmt, va_list ap)
{
    must(code != CFG_CODE_UNSET && line > 0);
    char what[TRAIL_TEXT_BYTES];
    vsnprintf(what, sizeof(what), fmt, ap);
    size_t n = strlen(path);
    const char *cut = n > SHOWN_PATH_BYTES ? "..." : "";
    const char *shown = n > SHOWN_PATH_BYTES ? path + n - SHOWN_PATH_BYTES : path;
    return FAIL(tr, CONFIG, "error[CFG%03d] %s%s:%u:%u%s%s: %s", (int)code, cut, shown, line, col,
                where[0] != 0 ? " " : "", where, what);
}

struct result cfg_fail_where(struct trail *tr, const char *path, enum cfg_code code, uint32_t line,
                             uint32_t col, const char *where, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct result r = say(tr, path, code, line, col, where, fmt, ap);
    va_end(ap);
    return r;
}

struct result cfg_fail_at(const struct cfg_file *f, enum cfg_code code, uint32_t line, uint32_t col,
                          const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct result r = say(f->tr, f->path, code, line, col, "", fmt, ap);
    va_end(ap);
    return r;
}

struct result cfg_fail(const struct cfg_file *f, enum cfg_code code, const struct cfg_node *n,
                       const char *fmt, ...)
{
    char where[CFG_PATH_BYTES];
    path_of(n, where);
    va_list ap;
    va_start(ap, fmt);
    struct result r = say(f->tr, f->path, code, n->line, n->col, where, fmt, ap);
    va_end(ap);
    return r;
}

struct result cfg_fail_key(const struct cfg_file *f, enum cfg_code code, const struct cfg_node *n,
                           const char *fmt, ...)
{
    char where[CFG_PATH_BYTES];
    path_of(n, where);
    va_list ap;
    va_start(ap, fmt);
    struct result r = say(f->tr, f->path, code, n->key_line, n->key_col, where, fmt, ap);
    va_end(ap);
    return r;
}

void cfg_hint(char *out, size_t bytes, const char *what, const char *word, const char *const *known,
              size_t count)
{
    must(bytes > 16);
    char list[LIST_BYTES] = "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        size_t need = strlen(known[i]) + 2;
        if (used + need + 4 >= sizeof(list)) {
            used += (size_t)snprintf(list + used, sizeof(list) - used, ", ...");
            break;
        }
        used +=
            (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "", known[i]);
    }
    const char *near = deploy_nearest(word, known, count);
    snprintf(out, bytes, "; allowed %s%s%s%s", count > 0 ? list : "none",
             near != NULL ? "; nearest known " : "", near != NULL ? what : "",
             near != NULL ? near : "");
}

const struct cfg_node *cfg_get(const struct cfg_node *map, const char *key)
{
    must(map->kind == CFG_MAP);
    for (const struct cfg_node *c = map->first; c != NULL; c = c->next)
        if (strcmp(c->key, key) == 0)
            return c;
    return NULL;
}

struct result cfg_is_map(const struct cfg_file *f, const struct cfg_node *n)
{
    if (n->kind == CFG_MAP)
        return OK_RESULT;
    return cfg_fail(f, CFG_TYPE, n, "a mapping of keys is wanted here, not a %s",
                    n->kind == CFG_LIST ? "list" : "single value");
}

static bool is_later(const char *key)
{
    static const char *const later[] = {
#define X(name) #name,
        CFG_LATER(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        if (strcmp(later[i], key) == 0)
            return true;
    return false;
}

struct result cfg_keys(const struct cfg_file *f, const struct cfg_node *map,
                       enum cfg_section section)
{
    const char *const *names;
    const uint8_t *required;
    char hint[TRAIL_TEXT_BYTES];
    TRY(cfg_is_map(f, map));
    size_t count = cfg_section_keys(section, &names, &required);
    for (const struct cfg_node *c = map->first; c != NULL; c = c->next) {
        bool known = false;
        for (size_t i = 0; i < count && !known; i++)
            known = strcmp(names[i], c->key) == 0;
        if (known)
            continue;
        if (section == CFG_IN_ROOT && is_later(c->key))
            return cfg_fail_key(f, CFG_LATER, c, "comes with a later release; remove it");
        cfg_hint(hint, sizeof(hint), "key ", c->key, names, count);
        return cfg_fail_key(f, CFG_UNKNOWN, c, "unknown key%s", hint);
    }
    for (size_t i = 0; i < count; i++)
        if (required[i] && cfg_get(map, names[i]) == NULL)
            return cfg_fail(f, CFG_MISSING, map, "the key %s is missing; add it", names[i]);
    return OK_RESULT;
}

static struct cfg_file *new_file(const char *path, struct trail *tr)
{
    struct cfg_file *f = calloc(1, sizeof(*f));
    must(f != NULL);
    f->path = path;
    f->tr = tr;
    return f;
}

/* Takes f over: to *out when its bytes (got tells whether they are there) make a tree. */
static struct result finish(struct cfg_file *f, struct result got, struct cfg_file **out)
{
    struct result r = got;
    if (is_ok(r)) {
        hash_sha256_once(f->bytes, f->count, f->sha256);
        r = cfg_tree(f);
    }
    *out = is_ok(r) ? f : NULL;
    if (!is_ok(r))
        cfg_close(f);
    return r;
}

struct result cfg_open(const char *path, struct trail *tr, struct cfg_file **out)
{
    struct cfg_file *f = new_file(path, tr);
    return finish(f, cfg_bytes(f), out);
}

struct result cfg_open_bytes(const char *bytes, size_t count, const char *name, struct trail *tr,
                             struct cfg_file **out)
{
    struct cfg_file *f = new_file(name, tr);
    return finish(f, cfg_bytes_given(f, bytes, count), out);
}

void cfg_close(struct cfg_file *f)
{
    if (f == NULL)
        return;
    free(f->bytes);
    free(f->pool);
    free(f->text);
    free(f);
}
