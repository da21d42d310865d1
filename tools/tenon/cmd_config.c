/* SPDX-License-Identifier: Apache-2.0
 *
 * config validate and config diff. validate says whether a file could run here: form, names and
 * ranges by the parser that the host uses, then each plugin's file against what the document says
 * of it. Only the notes in the files are read: no plugin code runs, so it is safe on a file from
 * anywhere.
 *
 * diff shows three documents side by side, since whoever changes what is running wants to know what
 * the last change was too: a value that goes back to the one before is no new one.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "bays/bay.h"
#include "tools/tenon/config.h"
#include "tools/tenon/running.h"

struct result config_read(const struct cli *cli, const char *path, struct deploy_doc *out,
                          struct trail *tr)
{
    char instruments[PATHS_BYTES];
    struct result r = cli_instruments(cli, instruments, NULL);
    if (!is_ok(r) && args_has(&cli->a, FLAG_INSTRUMENTS))
        return cli_instruments(cli, instruments, tr); /* named: it has to be there */
    return deploy_read(path, is_ok(r) ? instruments : NULL, out, tr);
}

struct result config_plugin(const char *document, const char *dir, const char *plugin,
                            const char *version, const char *path, char out[DEPLOY_PATH_BYTES],
                            struct trail *tr)
{
    const char *slash = strrchr(document, '/');
    if (path == NULL || path[0] == 0) /* an adapter has none */
        return plant_find(dir, plugin, version, out, tr);
    int folder = slash != NULL && path[0] != '/' ? (int)(slash - document) + 1 : 0;
    int n = snprintf(out, DEPLOY_PATH_BYTES, "%.*s%s", folder, document, path);
    if (n < 0 || n >= DEPLOY_PATH_BYTES)
        return FAIL(tr, TOO_LARGE, "%.200s: the path of plugin %s is too long; use a shorter one",
                    document, plugin);
    return OK_RESULT;
}

/* ---- validate ---- */
struct validating {
    const struct cli *cli;
    const struct deploy_doc *doc;
    char dir[PATHS_BYTES];
    uint32_t checked, missing;
    struct bay_facts *facts; /* by instance; kind 0 = its file is not there */
    struct trail *tr;
};

static struct result check_identity(const struct validating *v, uint32_t i)
{
    const struct deploy_instance *d = &v->doc->instance[i];
    const struct tn_manifest *m = &v->facts[i].manifest;
    if (strncmp(m->id, d->fact.plugin, TN_NAME_BYTES) == 0 &&
        strncmp(m->version, d->fact.version, TN_NAME_BYTES) == 0)
        return OK_RESULT;
    return FAIL(v->tr, ABI,
                "%s:%u instance %s: wants %s %s but the file holds %s %s; name the version that is "
                "there, or install the one that is named",
                v->doc->path, d->line, d->fact.name, d->fact.plugin, d->fact.version, m->id,
                m->version);
}

/* The file of one instance: the one it names, with params inside its table. */
static struct result check_plugin(struct validating *v, uint32_t i)
{
    const struct deploy_instance *d = &v->doc->instance[i];
    char path[DEPLOY_PATH_BYTES];
    union tn_number params[TN_MAX_PARAMS];
    struct trail none = {0};
    struct result r =
        config_plugin(v->doc->path, v->dir, d->fact.plugin, d->fact.version, d->path, path, &none);
    if (r.code == RESULT_NOT_FOUND && !args_has(&v->cli->a, FLAG_PLUGINS)) {
        v->missing++;
        return OK_RESULT;
    }
    if (!is_ok(r))
        return FAIL_AS(v->tr, r, "%s", trail_sentence(&none, r));
    TRY(bay_read_facts(path, &v->facts[i], v->tr));
    TRY(check_identity(v, i));
    TRY(deploy_pin(v->doc, d, v->facts[i].sha256, v->tr));
    TRY(deploy_params(v->doc, d, &v->facts[i].manifest, params, v->tr));
    v->checked++;
    return OK_RESULT;
}

static bool has_port(const struct tn_port *port, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strncmp(port[i].name, name, TN_NAME_BYTES) == 0)
            return true;
    return false;
}

static struct result check_input(const struct validating *v, const struct deploy_instance *d,
                                 const struct tn_manifest *m, uint32_t k)
{
    if (!has_port(m->inputs, m->input_count, d->input[k].name))
        return FAIL(v->tr, CONFIG,
                    "%s:%u instance %s: %s %s has no input %s; see tenon plugin show", v->doc->path,
                    d->input[k].line, d->fact.name, m->id, m->version, d->input[k].name);
    for (uint32_t i = 0; i < v->doc->instance_count; i++) {
        const struct tn_manifest *source = &v->facts[i].manifest;
        if (strcmp(v->doc->instance[i].fact.name, d->input[k].instance) != 0 || source->kind == 0)
            continue;
        if (!has_port(source->outputs, source->output_count, d->input[k].output))
            return FAIL(v->tr, CONFIG,
                        "%s:%u %s.inputs.%s: %s has no output %s; see tenon plugin "
                        "show",
                        v->doc->path, d->input[k].line, d->fact.name, d->input[k].name, source->id,
                        d->input[k].output);
    }
    return OK_RESULT;
}

/* Every input is bound, to an output that is there. */
static struct result check_inputs(const struct validating *v, uint32_t i)
{
    const struct deploy_instance *d = &v->doc->instance[i];
    const struct tn_manifest *m = &v->facts[i].manifest;
    struct result r = OK_RESULT;
    if (m->kind == 0)
        return OK_RESULT;
    for (uint32_t k = 0; k < d->input_count && is_ok(r); k++)
        r = check_input(v, d, m, k);
    for (uint32_t q = 0; q < m->input_count && is_ok(r); q++) {
        bool bound = false;
        for (uint32_t k = 0; k < d->input_count; k++)
            bound |= strncmp(d->input[k].name, m->inputs[q].name, TN_NAME_BYTES) == 0;
        if (!bound)
            r = FAIL(v->tr, CONFIG,
                     "%s:%u instance %s: input %s of %s is not bound; add it under inputs as "
                     "instance.output",
                     v->doc->path, d->line, d->fact.name, m->inputs[q].name, m->id);
    }
    return r;
}

static struct result check_all(struct validating *v)
{
    struct result r = cli_plugins_dir(v->cli, v->dir, v->tr);
    for (uint32_t i = 0; i < v->doc->instance_count && is_ok(r); i++)
        r = check_plugin(v, i);
    for (uint32_t i = 0; i < v->doc->instance_count && is_ok(r); i++)
        r = check_inputs(v, i);
    return r;
}

static int tell_valid(const struct validating *v)
{
    const struct deploy_doc *d = v->doc;
    char sha[HASH_HEX_BYTES];
    hash_hex(d->fact.sha256, sha);
    if (v->cli->json)
        return cli_json(v->cli, json_pack("{s:s, s:s, s:b, s:s, s:s, s:I, s:i, s:i, s:i, s:i, s:i}",
                                          "schema", "tenon.validate.v1", "file", d->path, "valid",
                                          1, "sha256", sha, "host", d->host, "serial",
                                          (json_int_t)d->fact.serial, "instances",
                                          (int)d->instance_count, "routes", (int)d->route_count,
                                          "limits", (int)d->limit_count, "plugins_checked",
                                          (int)v->checked, "plugins_missing", (int)v->missing));
    printf("%s is valid: host %s, serial %llu%s, %u instances, %u routes, %u limits\n", d->path,
           d->host, (unsigned long long)d->fact.serial, d->fact.serial == 0 ? " (unsigned)" : "",
           d->instance_count, d->route_count, d->limit_count);
    printf("sha256 %s\n", sha);
    if (v->missing > 0)
        cli_say(v->cli,
                "%u of %u instances were not checked against their plugins, which are not in %s; "
                "name the folder with --plugins",
                v->missing, d->instance_count, v->dir);
    return cli_done(v->cli, 0);
}

int cmd_CONFIG_VALIDATE(const struct cli *cli)
{
    struct trail tr = {0};
    struct deploy_doc *doc = calloc(1, sizeof(*doc));
    struct bay_facts *facts = calloc(DEPLOY_INSTANCES_MAX, sizeof(*facts));
    must(doc != NULL && facts != NULL);
    struct validating v = {.cli = cli, .doc = doc, .facts = facts, .tr = &tr};
    struct result r = config_read(cli, cli->a.word[0], doc, &tr);
    if (is_ok(r))
        r = check_all(&v);
    int exit = is_ok(r) ? tell_valid(&v) : cli_fail(cli, r, &tr);
    free(facts);
    free(doc);
    return exit;
}

/* ---- diff ---- */
struct diffing {
    const struct cli *cli;
    struct running run;
    struct deploy_doc next, other;
    struct change last, now; /* before -> running, running -> proposed */
    bool is_three;
    const char *now_name;
};

static const struct change_row *row_of(const struct change *c, const char *path)
{
    for (uint32_t i = 0; i < c->row_count; i++)
        if (strcmp(c->row[i].path, path) == 0)
            return &c->row[i];
    return NULL;
}

struct side { /* one line of the table */
    char mark;
    const char *path, *before, *now, *next;
};

/* Row i of what is proposed, then those of the last change that it does not touch. */
static bool side_at(const struct diffing *d, uint32_t i, struct side *out)
{
    if (i < d->now.row_count) {
        const struct change_row *r = &d->now.row[i];
        const struct change_row *last = row_of(&d->last, r->path);
        *out = (struct side){plan_mark(r), r->path, last != NULL ? last->before : r->before,
                             r->before, r->after};
        return true;
    }
    i -= d->now.row_count;
    for (uint32_t k = 0; k < d->last.row_count; k++) {
        const struct change_row *r = &d->last.row[k];
        if (row_of(&d->now, r->path) != NULL)
            continue;
        if (i-- == 0) {
            *out = (struct side){' ', r->path, r->before, r->after, r->after};
            return true;
        }
    }
    return false;
}

static const char *shown(const char *text)
{
    return text[0] != 0 ? text : "-";
}

static int print_sides(const struct diffing *d)
{
    struct side s;
    int path = 4, before = 9, now = 7;
    for (uint32_t i = 0; side_at(d, i, &s); i++) {
        path = (int)strlen(s.path) > path ? (int)strlen(s.path) : path;
        before = (int)strlen(s.before) > before ? (int)strlen(s.before) : before;
        now = (int)strlen(s.now) > now ? (int)strlen(s.now) : now;
    }
    if (!side_at(d, 0, &s)) {
        printf("%s says the same as %s.\n", d->next.path, d->now_name);
        return cli_done(d->cli, 0);
    }
    if (d->is_three)
        printf("  %-*s  %-*s  %-*s  %s\n", path, "KEY", before, "LAST GOOD", now, "RUNNING",
               "PROPOSED");
    else
        printf("  %-*s  %-*s  %s\n", path, "KEY", now, "BEFORE", "PROPOSED");
    for (uint32_t i = 0; side_at(d, i, &s); i++) {
        printf("%c %-*s  ", s.mark, path, s.path);
        if (d->is_three)
            printf("%-*s  ", before, shown(s.before));
        printf("%-*s  %s\n", now, shown(s.now), shown(s.next));
    }
    if (d->now.raises)
        puts("! raises risk: it takes a signature of role risk too.");
    return cli_done(d->cli, 0);
}

static int json_sides(const struct diffing *d)
{
    json_t *list = json_array();
    struct side s;
    for (uint32_t i = 0; side_at(d, i, &s); i++) {
        const char mark[2] = {s.mark, 0};
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "path", s.path, "mark",
                                              mark, "last_good", d->is_three ? s.before : "",
                                              "running", s.now, "proposed", s.next));
    }
    return cli_json(d->cli,
                    json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "schema", "tenon.diff.v1", "file",
                              d->next.path, "against", d->now_name, "raises_risk", d->now.raises,
                              "only_tightens", d->now.only_tightens, "rows", list));
}

static struct result compare(struct diffing *d, struct trail *tr)
{
    const struct deploy_doc *now = NULL;
    d->now_name = "nothing: no deployment is running";
    TRY(config_read(d->cli, d->cli->a.word[0], &d->next, tr));
    if (d->cli->a.word_count > 1) {
        d->now_name = d->cli->a.word[1];
        TRY(config_read(d->cli, d->now_name, &d->other, tr));
        now = &d->other;
    } else {
        TRY(running_open(d->cli, &d->run, tr));
        if (d->run.has_now) {
            d->now_name = "the running deployment";
            now = &d->run.now;
        }
        d->is_three = d->run.has_before;
    }
    if (d->is_three)
        TRY(change_find(&d->run.before, &d->run.now, &d->last, tr));
    return change_find(now, &d->next, &d->now, tr);
}

int cmd_CONFIG_DIFF(const struct cli *cli)
{
    struct trail tr = {0};
    struct diffing *d = calloc(1, sizeof(*d));
    must(d != NULL);
    d->cli = cli;
    struct result r = compare(d, &tr);
    int exit = 0;
    if (!is_ok(r))
        exit = cli_fail(cli, r, &tr);
    else
        exit = cli->json ? json_sides(d) : print_sides(d);
    running_close(&d->run);
    free(d);
    return exit;
}
