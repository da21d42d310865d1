/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugin instances: what is pinned, what it works on, its params and inputs as text. Params are
 * not typed here because their table is in the plugin's manifest (deploy_params.c); inputs name
 * instances that stand earlier in the file, which makes the file's order the order of evaluation
 * and a cycle impossible to write. One plugin version may be pinned to one hash only: a document
 * that names two would be a mix of builds nobody tested together.
 */
#include <string.h>
#include "base/must.h"
#include "deploy/cfg_doc.h"
#include "tbl/lines.h"

static struct result take_param(const struct cfg_file *f, const struct cfg_node *n,
                                struct deploy_instance *i)
{
    uint32_t at = i->param_count;
    TRY(cfg_key_text(f, n, CFG_ID, i->param[at].name, sizeof(i->param[at].name)));
    if (n->kind != CFG_SCALAR || n->quoted || n->text[0] == 0)
        return cfg_fail(f, CFG_TYPE, n, "a number, true or false is wanted here, without quotes");
    bool flag = strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0;
    if (!flag && !cfg_is_decimal(n->text))
        return cfg_fail(f, CFG_NUMBER, n,
                        "%.40s is not a plain decimal; write digits and at most one point, no "
                        "exponent, underscore, colon, leading zero or minus zero",
                        n->text);
    size_t count = strlen(n->text);
    if (count >= sizeof(i->param[at].text))
        return cfg_fail(f, CFG_NUMBER, n, "%.24s... is longer than a number may be (47 characters)",
                        n->text);
    memcpy(i->param[at].text, n->text, count + 1);
    i->param[at].line = n->line;
    i->param[at].col = n->col;
    i->param_count++;
    return OK_RESULT;
}

/* `instance.output`: both names, the instance defined above this one. */
static struct result take_input(struct cfg_doc *c, const struct cfg_node *n,
                                struct deploy_instance *i)
{
    const struct cfg_file *f = c->f;
    uint32_t at = i->input_count;
    const char *known[DEPLOY_INSTANCES_MAX];
    char hint[TRAIL_TEXT_BYTES];
    TRY(cfg_key_text(f, n, CFG_ID, i->input[at].name, sizeof(i->input[at].name)));
    const char *dot = n->kind == CFG_SCALAR ? strchr(n->text, '.') : NULL;
    size_t left = dot != NULL ? (size_t)(dot - n->text) : 0;
    if (dot == NULL || left == 0 || left >= sizeof(i->input[at].instance) || dot[1] == 0 ||
        strlen(dot + 1) >= sizeof(i->input[at].output) || !cfg_is_form(dot + 1, CFG_ID))
        return cfg_fail(f, CFG_VALUE, n,
                        "an output is wanted here as instance.output, like "
                        "ema_fast.value");
    memcpy(i->input[at].instance, n->text, left);
    memcpy(i->input[at].output, dot + 1, strlen(dot + 1));
    i->input[at].line = n->line;
    i->input[at].col = n->col;
    i->input_count++;
    for (uint32_t k = 0; k < c->d->instance_count; k++) {
        known[k] = c->d->instance[k].fact.name;
        if (strcmp(known[k], i->input[at].instance) != 0)
            continue;
        if (c->d->instance[k].has_bay)
            return cfg_fail(f, CFG_CONFLICT, n,
                            "%s has a bay of its own on line %u; what a strategy listens to runs "
                            "in the strategy's bay: take bay, tier, wake and cpu out there",
                            known[k], c->d->instance[k].line);
        return OK_RESULT;
    }
    cfg_hint(hint, sizeof(hint), "instance ", i->input[at].instance, known, c->d->instance_count);
    return cfg_fail(f, CFG_NAME, n, "%s is no instance above this one%s", i->input[at].instance,
                    hint);
}

static struct result take_bindings(struct cfg_doc *c, const struct cfg_node *n,
                                   struct deploy_instance *i)
{
    const struct cfg_node *params = cfg_get(n, "params");
    const struct cfg_node *inputs = cfg_get(n, "inputs");
    struct result r = OK_RESULT;
    if (params != NULL) {
        TRY(cfg_is_map(c->f, params));
        if (params->count > TN_MAX_PARAMS)
            return cfg_fail(c->f, CFG_FULL, params, "has %u params; a plugin has at most %d",
                            params->count, TN_MAX_PARAMS);
        for (const struct cfg_node *p = params->first; p != NULL && is_ok(r); p = p->next)
            r = take_param(c->f, p, i);
    }
    if (is_ok(r) && inputs != NULL) {
        TRY(cfg_is_map(c->f, inputs));
        if (inputs->count > TN_MAX_INPUTS)
            return cfg_fail(c->f, CFG_FULL, inputs, "has %u inputs; a plugin has at most %d",
                            inputs->count, TN_MAX_INPUTS);
        for (const struct cfg_node *p = inputs->first; p != NULL && is_ok(r); p = p->next)
            r = take_input(c, p, i);
    }
    return r;
}

/* path and sha256; the same plugin version has the same pin in the whole document. */
static struct result take_pin(struct cfg_doc *c, const struct cfg_node *n,
                              struct deploy_instance *i)
{
    const struct cfg_node *path = cfg_get(n, "path");
    const struct cfg_node *pin = cfg_get(n, "sha256");
    if (path != NULL)
        TRY(cfg_text(c->f, path, CFG_FILEPATH, i->path, sizeof(i->path)));
    if (pin != NULL)
        TRY(cfg_text(c->f, pin, CFG_HEX, i->sha256_hex, sizeof(i->sha256_hex)));
    for (uint32_t k = 0; k < c->d->instance_count; k++) {
        const struct deploy_instance *o = &c->d->instance[k];
        if (strcmp(o->fact.plugin, i->fact.plugin) == 0 &&
            strcmp(o->fact.version, i->fact.version) == 0 &&
            strcmp(o->sha256_hex, i->sha256_hex) != 0)
            return cfg_fail(c->f, CFG_CONFLICT, pin != NULL ? pin : n,
                            "pins %s %s otherwise than instance %s on line %u; one version is one "
                            "file",
                            i->fact.plugin, i->fact.version, o->fact.name, o->line);
    }
    return OK_RESULT;
}

/* bay, tier, wake, cpu. What is said about a process needs one. */
static struct result take_bay(struct cfg_doc *c, const struct cfg_node *n,
                              struct deploy_instance *i)
{
    static const char *const of_process[] = {"tier", "wake", "cpu"};
    uint32_t bay = 0, tier = 0, wake = LINE_WAKE_BLOCK - 1;
    int64_t cpu = -1;
    i->has_bay = cfg_get(n, "bay") != NULL;
    if (i->has_bay)
        TRY(cfg_read_word(c->f, n, CFG_IN_INSTANCE, "bay", &bay));
    for (uint32_t k = 0; k < 3 && bay == 0; k++) {
        const struct cfg_node *word = cfg_get(n, of_process[k]);
        if (word != NULL)
            return cfg_fail(c->f, CFG_CONFLICT, word,
                            "is for bays that are processes; write bay: process, or take it out");
    }
    if (cfg_get(n, "tier") != NULL)
        TRY(cfg_read_word(c->f, n, CFG_IN_INSTANCE, "tier", &tier));
    if (cfg_get(n, "wake") != NULL)
        TRY(cfg_read_word(c->f, n, CFG_IN_INSTANCE, "wake", &wake));
    if (cfg_get(n, "cpu") != NULL)
        TRY(cfg_read_int(c->f, n, CFG_IN_INSTANCE, "cpu", &cpu));
    i->bay = (struct deploy_bay){
        .is_process = bay, .is_contained = tier, .wake = wake + 1, .cpu = (int32_t)cpu};
    return OK_RESULT;
}

static struct result take_instance(struct cfg_doc *c, const struct cfg_node *n)
{
    struct deploy_instance *i = &c->d->instance[c->d->instance_count];
    memset(i, 0, sizeof(*i));
    i->line = n->key_line;
    i->fact.id = c->d->instance_count + 1;
    TRY(cfg_text(c->f, cfg_get(n, "plugin"), CFG_ID, i->fact.plugin, sizeof(i->fact.plugin)));
    TRY(cfg_text(c->f, cfg_get(n, "version"), CFG_VERSION, i->fact.version,
                 sizeof(i->fact.version)));
    TRY(cfg_instrument_id(c, cfg_get(n, "instrument"), false, &i->instrument));
    TRY(cfg_bar(c->f, cfg_get(n, "bar"), &i->bar_ns));
    TRY(cfg_read_duration(c->f, n, CFG_IN_INSTANCE, "due", &i->fact.due_ns));
    TRY(take_bay(c, n, i));
    TRY(take_pin(c, n, i));
    return take_bindings(c, n, i);
}

struct result cfg_instances(struct cfg_doc *c)
{
    const struct cfg_node *map = cfg_get(c->f->root, "instances");
    TRY(cfg_rows(c->f, map, CFG_MAP, DEPLOY_INSTANCES_MAX));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = map->first; n != NULL && is_ok(r); n = n->next) {
        char name[FACT_NAME_BYTES];
        r = cfg_key_text(c->f, n, CFG_ID, name, sizeof(name));
        if (is_ok(r))
            r = cfg_keys(c->f, n, CFG_IN_INSTANCE);
        if (is_ok(r))
            r = take_instance(c, n);
        if (is_ok(r))
            memcpy(c->d->instance[c->d->instance_count++].fact.name, name, sizeof(name));
    }
    return r;
}

struct result cfg_instance_id(struct cfg_doc *c, const struct cfg_node *n, bool at_key,
                              uint32_t *out)
{
    char name[FACT_NAME_BYTES], hint[TRAIL_TEXT_BYTES];
    const char *known[DEPLOY_INSTANCES_MAX];
    TRY(at_key ? cfg_key_text(c->f, n, CFG_ID, name, sizeof(name))
               : cfg_text(c->f, n, CFG_ID, name, sizeof(name)));
    for (uint32_t i = 0; i < c->d->instance_count; i++) {
        known[i] = c->d->instance[i].fact.name;
        if (strcmp(known[i], name) == 0) {
            *out = i + 1;
            return OK_RESULT;
        }
    }
    cfg_hint(hint, sizeof(hint), "instance ", name, known, c->d->instance_count);
    return (at_key ? cfg_fail_key : cfg_fail)(c->f, CFG_NAME, n, "%s is not under instances%s",
                                              name, hint);
}

struct result cfg_instrument_id(struct cfg_doc *c, const struct cfg_node *n, bool at_key,
                                uint32_t *out)
{
    char name[FACT_NAME_BYTES], hint[TRAIL_TEXT_BYTES];
    const char *known[DEPLOY_INSTRUMENTS_MAX];
    TRY(at_key ? cfg_key_text(c->f, n, CFG_SYMBOL, name, sizeof(name))
               : cfg_text(c->f, n, CFG_SYMBOL, name, sizeof(name)));
    for (uint32_t i = 0; i < c->d->instrument_count; i++) {
        known[i] = c->symbol[i];
        if (strcmp(known[i], name) == 0) {
            *out = i + 1;
            return OK_RESULT;
        }
    }
    cfg_hint(hint, sizeof(hint), "symbol ", name, known, c->d->instrument_count);
    return (at_key ? cfg_fail_key : cfg_fail)(c->f, CFG_NAME, n, "%s is not under instruments%s",
                                              name, hint);
}
