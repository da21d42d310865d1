/* SPDX-License-Identifier: Apache-2.0
 *
 * config explain: one key of the deployment file, from the table that the parser reads it by
 * (deploy/keys.h). A key may be written as its path (limits.all.max_order_value, routes.budget,
 * instances.btc_cross.due), where names that an author gives may stand or be left out, or by its
 * name alone; then every place that has it is told.
 */
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/deploy.h"
#include "tools/tenon/cli.h"

enum { FOUND_MAX = 16, SECTIONS = CFG_IN_TRUST };

struct found { /* one key of one section */
    enum cfg_section section;
    char key[FACT_NAME_BYTES];
};
struct meaning {
    char text[160], form[160], range[160], def[160], example[160];
};

static const struct {
    const char *key, *min, *max, *unit;
    uint32_t rule;
    int exp;
} limit[] = {
#define X(name, rule, exp, min, max, unit) {#name, min, max, unit, RISK_##rule, exp},
    CFG_LIMITS(X)
#undef X
};
static const struct {
    const char *text;
    uint32_t unit;
    int64_t def;
} rule[RISK_RULE_END] = {
#define X(id, name, code, unit, may_cut, closes, d, source, words)                                 \
    [id] = {words, RISK_UNIT_##unit, d},
    RISK_RULES(X)
#undef X
};

static void range_words(const char *min, const char *max, const char *unit, char out[160])
{
    if (max[0] == 0)
        out[0] = 0;
    else
        snprintf(out, 160, "%s%s to %s%s%s", min[0] == 0 ? "above 0" : "", min, max,
                 unit[0] != 0 ? " " : "", unit);
}

static void explain_limit(const char *key, struct meaning *m)
{
    for (size_t i = 0; i < sizeof(limit) / sizeof(limit[0]); i++) {
        char def[NUM_TEXT_BYTES];
        if (strcmp(limit[i].key, key) != 0)
            continue;
        snprintf(m->text, sizeof(m->text), "%s", rule[limit[i].rule].text);
        bool whole = rule[limit[i].rule].unit == RISK_UNIT_COUNT;
        snprintf(m->form, sizeof(m->form), "%s",
                 cfg_value_text(whole ? CFG_IS_WHOLE : CFG_IS_DECIMAL));
        range_words(limit[i].min, limit[i].max, limit[i].unit, m->range);
        if (rule[limit[i].rule].def == RISK_NO_DEFAULT) {
            snprintf(m->def, sizeof(m->def), "none: every route must be reached by one");
            snprintf(m->example, sizeof(m->example), "%s: 5", key);
        } else {
            num_print(rule[limit[i].rule].def, limit[i].exp, def);
            snprintf(m->def, sizeof(m->def), "%s", def);
            snprintf(m->example, sizeof(m->example), "%s: %s", key, def);
        }
    }
}

static void explain_row(const struct found *f, struct meaning *m)
{
    struct cfg_row row;
    if (!cfg_row(f->section, f->key, &row))
        return;
    bool word = row.is == CFG_IS_WORD;
    snprintf(m->text, sizeof(m->text), "%s", row.text);
    snprintf(m->form, sizeof(m->form), "%s%s%s", cfg_value_text(row.is), word ? ": " : "",
             word ? row.unit : "");
    range_words(row.min, row.max, word ? "" : row.unit, m->range);
    snprintf(m->def, sizeof(m->def), "%s",
             row.is_required   ? "none: it must be there"
             : row.def[0] != 0 ? row.def
                               : "none");
    snprintf(m->example, sizeof(m->example), "%s: %s", row.key, row.example);
}

static void explain(const struct found *f, struct meaning *m)
{
    memset(m, 0, sizeof(*m));
    if (f->section == CFG_IN_LIMIT)
        explain_limit(f->key, m);
    else
        explain_row(f, m);
    must(m->text[0] != 0);
}

static bool has_key(enum cfg_section s, const char *key)
{
    const char *const *names;
    size_t count = cfg_section_keys(s, &names, NULL);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], key) == 0)
            return true;
    return false;
}

/* The next part of a path, without an index in brackets; false at its end. */
static bool next_part(const char **at, char out[FACT_NAME_BYTES])
{
    size_t n = strcspn(*at, ".");
    size_t word = strcspn(*at, ".[");
    if (n == 0)
        return false;
    snprintf(out, FACT_NAME_BYTES, "%.*s", (int)(word < 31 ? word : 31), *at);
    *at += n + ((*at)[n] == '.');
    return true;
}

/* Walks the path from the root; what is no key of the section must be an author's name. */
static bool find_path(const char *path, struct found *out)
{
    char part[FACT_NAME_BYTES];
    enum cfg_section in = CFG_IN_ROOT;
    bool may_name = false;
    while (next_part(&path, part)) {
        enum cfg_shape shape = CFG_SHAPE_UNSET;
        enum cfg_section below = CFG_SECTION_UNSET;
        if (!has_key(in, part)) {
            if (!may_name)
                return false;
            may_name = false;
            continue;
        }
        out->section = in;
        snprintf(out->key, sizeof(out->key), "%s", part);
        if (!cfg_nest(in, part, &shape, &below))
            return true; /* a value, or names with plain values below it */
        in = below;
        may_name = shape != CFG_ONE;
    }
    return out->key[0] != 0;
}

static uint32_t find(const char *key, struct found out[FOUND_MAX])
{
    uint32_t count = 0;
    memset(out, 0, FOUND_MAX * sizeof(*out));
    if (find_path(key, &out[0]))
        return 1;
    memset(out, 0, sizeof(*out));
    for (enum cfg_section s = 1; s < (enum cfg_section)SECTIONS && strlen(key) < FACT_NAME_BYTES;
         s++)
        if (has_key(s, key) && count < FOUND_MAX) {
            out[count].section = s;
            snprintf(out[count].key, sizeof(out[count].key), "%s", key);
            count++;
        }
    return count;
}

static struct result refuse(const char *key, struct trail *tr)
{
    const char *known[256], *last = strrchr(key, '.');
    size_t count = 0;
    for (enum cfg_section s = 1; s < (enum cfg_section)SECTIONS; s++) {
        const char *const *names;
        size_t n = cfg_section_keys(s, &names, NULL);
        for (size_t i = 0; i < n && count < sizeof(known) / sizeof(known[0]); i++)
            known[count++] = names[i];
    }
    const char *near = deploy_nearest(last != NULL ? last + 1 : key, known, count);
    return FAIL(tr, NOT_FOUND,
                "%.80s is no key of a deployment file%s%s; all of them are in "
                "configs/reference.yaml",
                key, near != NULL ? "; nearest known key " : "", near != NULL ? near : "");
}

static void print(const struct found *f)
{
    struct meaning m;
    explain(f, &m);
    printf("%s%s%s\n  %s\n", f->section == CFG_IN_ROOT ? "" : cfg_section_name(f->section),
           f->section == CFG_IN_ROOT ? "" : ": ", f->key, m.text);
    printf("  %-8s %s\n", "form", m.form);
    if (m.range[0] != 0)
        printf("  %-8s %s\n", "range", m.range);
    printf("  %-8s %s\n", "default", m.def);
    printf("  %-8s %s\n", "example", m.example);
}

static json_t *json_of(const struct found *f)
{
    struct meaning m;
    explain(f, &m);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "section", cfg_section_name(f->section),
                     "key", f->key, "text", m.text, "form", m.form, "range", m.range, "default",
                     m.def, "example", m.example);
}

int cmd_CONFIG_EXPLAIN(const struct cli *cli)
{
    struct trail tr = {0};
    struct found found[FOUND_MAX];
    const char *key = cli->a.word[0];
    uint32_t count = find(key, found);
    if (count == 0)
        return cli_fail(cli, refuse(key, &tr), &tr);
    if (!cli->json) {
        for (uint32_t i = 0; i < count; i++) {
            if (i > 0)
                putchar('\n');
            print(&found[i]);
        }
        return cli_done(cli, 0);
    }
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_of(&found[i]));
    return cli_json(cli,
                    json_pack("{s:s, s:o}", "schema", "tenon.keys_explained.v1", "keys", list));
}
