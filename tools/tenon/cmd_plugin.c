/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin list, show and check. list and show read ELF notes only: no plugin code runs, so they are
 * safe on a file from anywhere. check runs the cards, which do run it, in processes of their own.
 * Files are listed in name order, not in the order the folder gives them.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "bays/bay.h"
#include "bays/cards.h"
#include "tools/tenon/cli.h"

static const char *kind_word(uint32_t kind)
{
    static const char *const words[] = {"?",       "indicator", "strategy",
                                        "adapter", "router",    "source"};
    return kind < sizeof words / sizeof words[0] ? words[kind] : "?";
}

/* A fixed array of a manifest, NUL-terminated and printable. */
struct shown {
    char text[4 * TN_TEXT_BYTES + 4];
};
static struct shown show(const char *text, size_t bytes)
{
    struct shown s;
    text_escape(s.text, sizeof s.text, text, strnlen(text, bytes));
    return s;
}
#define SHOW(array) (show((array), sizeof(array)).text)

/* ---- JSON ---- */
static json_t *number_json(uint32_t type, union tn_number n)
{
    if (type == TN_TYPE_F64)
        return json_real(n.f);
    return type == TN_TYPE_BOOL ? json_boolean(n.i != 0) : json_integer(n.i);
}

static json_t *params_json(const struct tn_manifest *m)
{
    static const char *const types[] = {"?", "int", "real", "bool"};
    json_t *list = json_array();
    for (uint32_t i = 0; i < m->param_count && i < TN_MAX_PARAMS; i++) {
        const struct tn_param *p = &m->params[i];
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s}", "name", SHOW(p->name), "type",
                      types[p->type < 4 ? p->type : 0], "default", number_json(p->type, p->def),
                      "min", number_json(p->type, p->min), "max", number_json(p->type, p->max),
                      "step", number_json(p->type, p->step), "unit", SHOW(p->unit), "text",
                      SHOW(p->text)));
    }
    return list;
}

static json_t *ports_json(const struct tn_port *port, uint32_t count, uint32_t max)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < count && i < max; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", SHOW(port[i].name), "unit",
                                              SHOW(port[i].unit), "text", SHOW(port[i].text)));
    return list;
}

static json_t *facts_json(const char *path, const struct bay_facts *f)
{
    const struct tn_manifest *m = &f->manifest;
    char sha[HASH_HEX_BYTES];
    hash_hex(f->sha256, sha);
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:I, s:s}", "id", SHOW(m->id), "kind",
                  kind_word(m->kind), "version", SHOW(m->version), "vendor", SHOW(m->vendor),
                  "abi_major", (int)m->abi_major, "abi_minor", (int)m->abi_minor, "sha256", sha,
                  "bytes", (json_int_t)f->bytes, "text", SHOW(m->text));
    char shown_path[2 * PATHS_BYTES];
    text_escape(shown_path, sizeof shown_path, path, strlen(path));
    json_object_set_new(o, "file", json_string(shown_path));
    json_object_set_new(o, "build_id", json_string(SHOW(f->build_id)));
    json_object_set_new(o, "flags", json_integer(m->flags));
    json_object_set_new(o, "state_schema", json_integer(m->state_schema));
    json_object_set_new(o, "params", params_json(m));
    json_object_set_new(o, "inputs", ports_json(m->inputs, m->input_count, TN_MAX_INPUTS));
    json_object_set_new(o, "outputs", ports_json(m->outputs, m->output_count, TN_MAX_OUTPUTS));
    return o;
}

/* ---- words ---- */
static void print_number(char *out, size_t bytes, uint32_t type, union tn_number n)
{
    if (type == TN_TYPE_F64)
        snprintf(out, bytes, "%.9g", n.f);
    else if (type == TN_TYPE_BOOL)
        snprintf(out, bytes, "%s", n.i ? "true" : "false");
    else
        snprintf(out, bytes, "%" PRId64, n.i);
}

static void print_params(const struct tn_manifest *m)
{
    if (m->param_count > 0)
        printf("\n%-20s %12s %12s %12s  %-8s %s\n", "PARAMETER", "DEFAULT", "MIN", "MAX", "UNIT",
               "MEANING");
    for (uint32_t i = 0; i < m->param_count && i < TN_MAX_PARAMS; i++) {
        const struct tn_param *p = &m->params[i];
        char def[32], min[32], max[32];
        print_number(def, sizeof def, p->type, p->def);
        print_number(min, sizeof min, p->type, p->min);
        print_number(max, sizeof max, p->type, p->max);
        printf("%-20s %12s %12s %12s  %-8s %s\n", SHOW(p->name), def, min, max, SHOW(p->unit),
               SHOW(p->text));
    }
}

static void print_ports(const char *title, const struct tn_port *port, uint32_t count, uint32_t max)
{
    if (count > 0)
        printf("\n%-20s %-8s %s\n", title, "UNIT", "MEANING");
    for (uint32_t i = 0; i < count && i < max; i++)
        printf("%-20s %-8s %s\n", SHOW(port[i].name), SHOW(port[i].unit), SHOW(port[i].text));
}

static void print_facts(const char *path, const struct bay_facts *f)
{
    const struct tn_manifest *m = &f->manifest;
    char sha[HASH_HEX_BYTES];
    hash_hex(f->sha256, sha);
    printf("%s %s, %s, ABI %u.%u\n%s\n", SHOW(m->id), SHOW(m->version), kind_word(m->kind),
           m->abi_major, m->abi_minor, SHOW(m->text));
    printf("file      %s (%" PRIu64 " bytes)\nsha256    %s\n", path, f->bytes, sha);
    if (m->vendor[0])
        printf("vendor    %s\n", SHOW(m->vendor));
    if (m->flags & TN_FLAG_DRAFT)
        printf("draft     uses a draft kind: refused in live\n");
    print_params(m);
    print_ports("INPUT", m->inputs, m->input_count, TN_MAX_INPUTS);
    print_ports("OUTPUT", m->outputs, m->output_count, TN_MAX_OUTPUTS);
}

/* ---- folders ---- */
static int is_plugin(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 3 && strcmp(e->d_name + n - 3, ".so") == 0 && e->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* alphasort would ask the locale */
}

/* Calls visit for each plugin file of a folder, in name order. */
typedef void (*visit_fn)(void *arg, const char *path, const struct bay_facts *f, struct result rc,
                         const struct trail *tr);
static struct result walk(const char *dir, visit_fn visit, void *arg, struct trail *tr)
{
    struct dirent **entry = NULL;
    static struct bay_facts facts;
    int n = scandir(dir, &entry, is_plugin, by_name);
    if (n < 0)
        return FAIL(tr, NOT_FOUND, "no plugin folder %s: %s; name one with --plugins", dir,
                    strerror(errno));
    for (int i = 0; i < n; i++) {
        char path[PATHS_BYTES + 260];
        struct trail own = {0};
        snprintf(path, sizeof path, "%s/%s", dir, entry[i]->d_name);
        struct result rc = bay_read_facts(path, &facts, &own);
        visit(arg, path, &facts, rc, &own);
        free(entry[i]);
    }
    free(entry);
    return OK_RESULT;
}

struct listing {
    const struct cli *cli;
    json_t *list;     /* with --json */
    const char *want; /* plugin show: this id only */
    uint32_t count, unreadable;
};

static void list_one(void *arg, const char *path, const struct bay_facts *f, struct result rc,
                     const struct trail *tr)
{
    struct listing *l = arg;
    if (l->want && (!is_ok(rc) || strcmp(l->want, SHOW(f->manifest.id)) != 0))
        return;
    if (!is_ok(rc)) {
        l->unreadable++;
        cli_say(l->cli, "%s: not a plugin: %s", path, trail_sentence(tr, rc));
        return;
    }
    char sha[HASH_HEX_BYTES];
    hash_hex(f->sha256, sha);
    l->count++;
    if (l->list)
        json_array_append_new(l->list, facts_json(path, f));
    else if (l->want)
        print_facts(path, f);
    else {
        if (l->count == 1)
            printf("%-20s %-10s %-10s %-4s %-12s %s\n", "ID", "KIND", "VERSION", "ABI", "SHA256",
                   "FILE");
        printf("%-20s %-10s %-10s %u.%-2u %-12.12s %s\n", SHOW(f->manifest.id),
               kind_word(f->manifest.kind), SHOW(f->manifest.version), f->manifest.abi_major,
               f->manifest.abi_minor, sha, path);
    }
}

int cmd_PLUGIN_LIST(const struct cli *cli)
{
    char dir[PATHS_BYTES];
    struct trail tr = {0};
    struct listing l = {.cli = cli, .list = cli->json ? json_array() : NULL};
    struct result rc = cli_plugins_dir(cli, dir, &tr);
    if (is_ok(rc))
        rc = walk(dir, list_one, &l, &tr);
    if (!is_ok(rc)) {
        json_decref(l.list);
        return cli_fail(cli, rc, &tr);
    }
    if (cli->json)
        return cli_json(cli, json_pack("{s:s, s:o, s:i}", "schema", "tenon.plugins.v1", "plugins",
                                       l.list, "unreadable", (int)l.unreadable));
    cli_say(cli, "%u plugins in %s", l.count, dir);
    return cli_done(cli, 0);
}

static int show_file(const struct cli *cli, const char *path)
{
    static struct bay_facts facts;
    struct trail tr = {0};
    struct result rc = bay_read_facts(path, &facts, &tr);
    if (!is_ok(rc))
        return cli_fail(cli, rc, &tr);
    if (cli->json) {
        json_t *list = json_array();
        json_array_append_new(list, facts_json(path, &facts));
        return cli_json(cli, json_pack("{s:s, s:o, s:i}", "schema", "tenon.plugins.v1", "plugins",
                                       list, "unreadable", 0));
    }
    print_facts(path, &facts);
    return cli_done(cli, 0);
}

int cmd_PLUGIN_SHOW(const struct cli *cli)
{
    char dir[PATHS_BYTES];
    struct trail tr = {0};
    must(cli->a.word_count == 1);
    const char *want = cli->a.word[0];
    size_t n = strlen(want);
    if (strchr(want, '/') || (n > 3 && strcmp(want + n - 3, ".so") == 0))
        return show_file(cli, want);
    struct listing l = {.cli = cli, .want = want, .list = cli->json ? json_array() : NULL};
    struct result rc = cli_plugins_dir(cli, dir, &tr);
    if (is_ok(rc))
        rc = walk(dir, list_one, &l, &tr);
    if (is_ok(rc) && l.count == 0)
        rc = FAIL(&tr, NOT_FOUND, "no plugin '%s' in %s; tenon plugin list shows them", want, dir);
    if (!is_ok(rc)) {
        json_decref(l.list);
        return cli_fail(cli, rc, &tr);
    }
    if (cli->json)
        return cli_json(cli, json_pack("{s:s, s:o, s:i}", "schema", "tenon.plugins.v1", "plugins",
                                       l.list, "unreadable", 0));
    return cli_done(cli, 0);
}

/* ---- check ---- */
static const char *verdict_word(uint32_t verdict)
{
    static const char *const words[] = {"?", "pass", "warn", "FAIL", "skip", "CRASH"};
    return verdict < sizeof words / sizeof words[0] ? words[verdict] : "?";
}

static void print_checks(const struct cli *cli, const char *path, const struct bay_checks *k)
{
    bool only = args_has(&cli->a, FLAG_ONLY_FAILED);
    for (uint32_t i = 0; i < k->count; i++) {
        bool bad = k->check[i].verdict == BAY_FAIL || k->check[i].verdict == BAY_CRASH;
        if (!only || bad)
            printf("%s%-5s%s %-5s %s\n", cli->color && bad ? "\033[31m" : "",
                   verdict_word(k->check[i].verdict), cli->color && bad ? "\033[0m" : "",
                   k->check[i].id, k->check[i].text);
    }
    printf("%s: %u cards, %u failed\n", path, k->count, k->failed);
}

static json_t *checks_json(const struct cli *cli, const char *path, const struct bay_checks *k)
{
    bool only = args_has(&cli->a, FLAG_ONLY_FAILED);
    json_t *list = json_array();
    for (uint32_t i = 0; i < k->count; i++) {
        bool bad = k->check[i].verdict == BAY_FAIL || k->check[i].verdict == BAY_CRASH;
        if (!only || bad)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", SHOW(k->check[i].id),
                                                  "verdict", verdict_word(k->check[i].verdict),
                                                  "text", SHOW(k->check[i].text)));
    }
    return json_pack("{s:s, s:i, s:i, s:o}", "file", path, "cards", (int)k->count, "failed",
                     (int)k->failed, "checks", list);
}

int cmd_PLUGIN_CHECK(const struct cli *cli)
{
    static struct bay_checks checks;
    json_t *list = json_array();
    bool failed = false;
    for (uint32_t i = 0; i < cli->a.word_count; i++) {
        struct trail tr = {0};
        memset(&checks, 0, sizeof checks);
        struct result rc = cards_run(cli->a.word[i], &checks, &tr);
        if (!is_ok(rc)) {
            json_decref(list);
            return cli_fail(cli, rc, &tr);
        }
        must(checks.count <= BAY_CHECKS_MAX && checks.failed <= checks.count);
        failed = failed || checks.failed > 0;
        if (cli->json)
            json_array_append_new(list, checks_json(cli, cli->a.word[i], &checks));
        else
            print_checks(cli, cli->a.word[i], &checks);
    }
    if (!cli->json) {
        json_decref(list);
        return cli_done(cli, failed ? 1 : 0);
    }
    int exit = cli_json(cli, json_pack("{s:s, s:b, s:o}", "schema", "tenon.check.v1", "ok",
                                       (int)!failed, "files", list));
    return exit ? exit : failed ? 1 : 0;
}
