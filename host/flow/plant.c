/* SPDX-License-Identifier: Apache-2.0
 *
 * See plant.h. Order: load every module (so that one bad file refuses the whole before anything
 * runs), fill the facts, then build one bay per strategy in the order of the document. Nodes of a
 * bay are its indicators in the order of the document, the strategy last: that order is topological
 * since indicators of this release take no inputs.
 */
#include "flow/plant.h"
#include "base/hash.h"
#include "base/must.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct loading {
    const struct plant_options *o;
    struct plant *p;
    struct trail *tr;
    struct bay_module *module[DEPLOY_INSTANCES_MAX];
    union tn_number params[DEPLOY_INSTANCES_MAX][TN_MAX_PARAMS];
};

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

struct result plant_find(const char *dir, const char *id, const char *version,
                         char out[DEPLOY_PATH_BYTES], struct trail *tr)
{
    int n = snprintf(out, DEPLOY_PATH_BYTES, "%s/%s-%s.so", dir, id, version);
    if (n < 0 || n >= DEPLOY_PATH_BYTES)
        return FAIL(tr, TOO_LARGE, "plugins folder %.200s: the path is too long; use a shorter one",
                    dir);
    if (is_file(out))
        return OK_RESULT;
    snprintf(out, DEPLOY_PATH_BYTES, "%s/%s.so", dir, id);
    if (is_file(out))
        return OK_RESULT;
    return FAIL(tr, NOT_FOUND,
                "plugin %s %s: neither %s-%s.so nor %s.so is in %s; build it, or name another "
                "folder with --plugins",
                id, version, id, version, id, dir);
}

static struct result check_identity(const struct deploy_instance *d, const struct tn_manifest *m,
                                    const struct loading *k)
{
    if (strncmp(m->id, d->fact.plugin, TN_NAME_BYTES) != 0 ||
        strncmp(m->version, d->fact.version, TN_NAME_BYTES) != 0)
        return FAIL(
            k->tr, ABI,
            "%s:%u instance %s: wants %s %s but the file holds %s %s; name the version that "
            "is there, or install the one that is named",
            k->o->doc->path, d->line, d->fact.name, d->fact.plugin, d->fact.version, m->id,
            m->version);
    if (m->kind != TN_KIND_INDICATOR && m->kind != TN_KIND_STRATEGY)
        return FAIL(k->tr, ABI,
                    "%s:%u instance %s: %s is not an indicator or a strategy; only those are "
                    "instances",
                    k->o->doc->path, d->line, d->fact.name, m->id);
    return OK_RESULT;
}

/* A relative path counts from the document's folder, wherever the host was started. */
static void beside_document(const char *document, const char *path, char out[DEPLOY_PATH_BYTES])
{
    const char *slash = strrchr(document, '/');
    int folder = slash != NULL && path[0] != '/' && path[0] != 0 ? (int)(slash - document) + 1 : 0;
    int n = snprintf(out, DEPLOY_PATH_BYTES, "%.*s%s", folder, document, path);
    must(n >= 0);
}

static struct result load_one(struct loading *k, uint32_t i)
{
    const struct deploy_instance *d = &k->o->doc->instance[i];
    char path[DEPLOY_PATH_BYTES];
    beside_document(k->o->doc->path, d->path, path);
    if (path[0] == 0)
        TRY(plant_find(k->o->plugin_dir, d->fact.plugin, d->fact.version, path, k->tr));
    struct bay_facts facts;
    TRY(bay_read_facts(path, &facts, k->tr));
    TRY(check_identity(d, &facts.manifest, k));
    TRY(deploy_pin(k->o->doc, d, facts.sha256, k->tr));
    TRY(deploy_params(k->o->doc, d, &facts.manifest, k->params[i], k->tr));
    for (uint32_t before = 0; before < i && k->module[i] == NULL; before++) {
        if (memcmp(k->p->instance[before].sha256, facts.sha256, sizeof facts.sha256) == 0)
            k->module[i] = k->module[before]; /* same bytes: one module serves all */
    }
    if (k->module[i] == NULL)
        TRY(bay_load(path, facts.sha256, &k->module[i], k->tr));
    struct fact_instance *f = &k->p->instance[i];
    *f = d->fact;
    f->kind = facts.manifest.kind;
    memcpy(f->sha256, facts.sha256, sizeof f->sha256);
    f->params_hash = hash_fnv64(HASH_FNV64_SEED, k->params[i],
                                facts.manifest.param_count * sizeof(union tn_number));
    return OK_RESULT;
}

/* Index in the document of the instance an input names. */
static struct result find_instance(struct loading *k, const struct deploy_instance *d,
                                   uint32_t input, uint32_t *out)
{
    const struct deploy_doc *doc = k->o->doc;
    for (uint32_t i = 0; i < doc->instance_count; i++) {
        if (strncmp(doc->instance[i].fact.name, d->input[input].instance, FACT_NAME_BYTES) == 0) {
            *out = i;
            return OK_RESULT;
        }
    }
    return FAIL(k->tr, CONFIG,
                "%s:%u %s.inputs.%s: no instance is called %s; name one of this file", doc->path,
                d->input[input].line, d->fact.name, d->input[input].name, d->input[input].instance);
}

static struct result find_output(struct loading *k, const struct deploy_instance *d, uint32_t input,
                                 uint32_t instance, uint32_t *out)
{
    const struct tn_manifest *m = &bay_module_facts(k->module[instance])->manifest;
    for (uint32_t i = 0; i < m->output_count; i++) {
        if (strncmp(m->outputs[i].name, d->input[input].output, TN_NAME_BYTES) == 0) {
            *out = i;
            return OK_RESULT;
        }
    }
    return FAIL(k->tr, CONFIG, "%s:%u %s.inputs.%s: %s has no output %s; its first is %s",
                k->o->doc->path, d->input[input].line, d->fact.name, d->input[input].name, m->id,
                d->input[input].output, m->output_count ? m->outputs[0].name : "(none)");
}

/* Where the strategy's manifest input `k` is bound in the document. */
static struct result find_binding(struct loading *k, const struct deploy_instance *d,
                                  const struct tn_manifest *m, uint32_t input, uint32_t *out)
{
    for (uint32_t i = 0; i < d->input_count; i++) {
        if (strncmp(d->input[i].name, m->inputs[input].name, TN_NAME_BYTES) == 0) {
            *out = i;
            return OK_RESULT;
        }
    }
    return FAIL(k->tr, CONFIG,
                "%s:%u instance %s: input %s of %s is not bound; add it under inputs as "
                "instance.output",
                k->o->doc->path, d->line, d->fact.name, m->inputs[input].name, m->id);
}

static struct result refuse_unknown_inputs(struct loading *k, const struct deploy_instance *d,
                                           const struct tn_manifest *m)
{
    for (uint32_t i = 0; i < d->input_count; i++) {
        bool known = false;
        for (uint32_t q = 0; q < m->input_count && !known; q++)
            known = strncmp(d->input[i].name, m->inputs[q].name, TN_NAME_BYTES) == 0;
        if (!known)
            return FAIL(k->tr, CONFIG,
                        "%s:%u instance %s: %s %s has no input %s; see tenon plugin "
                        "show",
                        k->o->doc->path, d->input[i].line, d->fact.name, m->id, m->version,
                        d->input[i].name);
    }
    return OK_RESULT;
}

/* Adds instance `source` to the bay once; gives its node. */
static struct result add_node(struct loading *k, struct bay_spec *spec, uint32_t source,
                              uint32_t *node)
{
    const struct deploy_instance *d = &k->o->doc->instance[source];
    for (uint32_t i = 0; i < spec->node_count; i++) {
        if (spec->node[i].id == d->fact.id) {
            *node = i;
            return OK_RESULT;
        }
    }
    if (spec->node_count == BAY_NODES_MAX)
        return FAIL(k->tr, FULL, "%s:%u instance %s: a bay holds at most %d instances",
                    k->o->doc->path, d->line, d->fact.name, BAY_NODES_MAX);
    spec->node[spec->node_count] = (struct bay_instance_spec){
        .id = d->fact.id, .module = k->module[source], .params = k->params[source]};
    *node = spec->node_count++;
    return OK_RESULT;
}

static struct result bind(struct loading *k, uint32_t strategy, struct bay_spec *spec)
{
    const struct deploy_instance *d = &k->o->doc->instance[strategy];
    const struct tn_manifest *m = &bay_module_facts(k->module[strategy])->manifest;
    struct bay_instance_spec self = {
        .id = d->fact.id, .module = k->module[strategy], .params = k->params[strategy]};
    TRY(refuse_unknown_inputs(k, d, m));
    for (uint32_t i = 0; i < m->input_count; i++) {
        uint32_t binding = 0, source = 0;
        struct result r = find_binding(k, d, m, i, &binding);
        if (is_ok(r))
            r = find_instance(k, d, binding, &source);
        if (is_ok(r) && k->p->instance[source].kind != TN_KIND_INDICATOR)
            r = FAIL(k->tr, CONFIG, "%s:%u %s.inputs.%s: %s is no indicator", k->o->doc->path,
                     d->input[binding].line, d->fact.name, m->inputs[i].name,
                     d->input[binding].instance);
        if (is_ok(r))
            r = add_node(k, spec, source, &self.input_node[i]);
        if (is_ok(r))
            r = find_output(k, d, binding, source, &self.input_output[i]);
        if (!is_ok(r))
            return r;
        struct fact_input *f = &k->p->input[k->p->input_count++];
        *f = (struct fact_input){.instance = d->fact.id,
                                 .input = i,
                                 .source = k->o->doc->instance[source].fact.id,
                                 .output = self.input_output[i]};
        memcpy(f->name, m->inputs[i].name, sizeof f->name);
    }
    if (spec->node_count == BAY_NODES_MAX)
        return FAIL(k->tr, FULL, "%s:%u instance %s: a bay holds at most %d instances",
                    k->o->doc->path, d->line, d->fact.name, BAY_NODES_MAX);
    spec->node[spec->node_count++] = self;
    return OK_RESULT;
}

static double scale_of(int exp)
{
    /* 10^|exp| is exact in a double up to 22, so one division gives the nearest double. */
    double p = 1;
    for (int i = 0; i < (exp < 0 ? -exp : exp); i++)
        p *= 10;
    return exp < 0 ? 1 / p : p;
}

static void describe(const struct fact_instrument *f, struct tn_instrument *out)
{
    *out = (struct tn_instrument){.size = sizeof *out,
                                  .id = f->id,
                                  .price_exp = f->price_exp,
                                  .qty_exp = f->qty_exp,
                                  .tick = f->tick,
                                  .lot = f->lot,
                                  .price_scale = scale_of(f->price_exp),
                                  .qty_scale = scale_of(f->qty_exp)};
    memcpy(out->symbol, f->symbol, sizeof out->symbol);
}

static struct result build_bay(struct loading *k, uint32_t i)
{
    const struct deploy_doc *doc = k->o->doc;
    const struct deploy_instance *d = &doc->instance[i];
    must(d->instrument >= 1 && d->instrument <= doc->instrument_count);
    struct bay_spec spec = {.bar_ns = d->bar_ns, .seed = doc->seed + d->fact.id};
    describe(&doc->instrument[d->instrument - 1], &spec.instrument);
    TRY(bind(k, i, &spec));
    struct bay *bay;
    TRY(bay_inline_new(&spec, k->o->log, &bay, k->tr));
    k->p->bay[k->p->bay_count++] = bay;
    struct belief_route route = {.strategy = d->fact.id,
                                 .instrument = d->instrument,
                                 .due_ns = d->fact.due_ns,
                                 .bar_ns = d->bar_ns,
                                 .bars_from_trades = k->o->bars_from_trades && d->bar_ns > 0};
    return belief_add(k->p->belief, bay, &route, k->tr);
}

static struct result refuse_unheard(struct loading *k)
{
    const struct deploy_doc *doc = k->o->doc;
    for (uint32_t i = 0; i < doc->instance_count; i++) {
        bool heard = k->p->instance[i].kind == TN_KIND_STRATEGY;
        for (uint32_t s = 0; s < doc->instance_count && !heard; s++) {
            for (uint32_t q = 0; q < doc->instance[s].input_count && !heard; q++)
                heard = strcmp(doc->instance[s].input[q].instance, doc->instance[i].fact.name) == 0;
        }
        if (!heard)
            return FAIL(k->tr, CONFIG,
                        "%s:%u instance %s: no strategy listens to it; bind it to an input or take "
                        "it out",
                        doc->path, doc->instance[i].line, doc->instance[i].fact.name);
    }
    return OK_RESULT;
}

static struct result build(struct loading *k)
{
    const struct deploy_doc *doc = k->o->doc;
    k->p->instance_count = doc->instance_count;
    for (uint32_t i = 0; i < doc->instance_count; i++) {
        struct result r = load_one(k, i);
        if (!is_ok(r))
            return r;
    }
    TRY(refuse_unheard(k));
    TRY(belief_new(doc->instance_count ? doc->instance_count : 1, &k->p->belief, k->tr));
    for (uint32_t i = 0; i < doc->instance_count; i++) {
        if (k->p->instance[i].kind != TN_KIND_STRATEGY)
            continue;
        struct result r = build_bay(k, i);
        if (!is_ok(r))
            return r;
    }
    return OK_RESULT;
}

struct result plant_open(const struct plant_options *o, struct plant *out, struct trail *tr)
{
    memset(out, 0, sizeof *out);
    struct loading k = {.o = o, .p = out, .tr = tr};
    struct result r = build(&k);
    if (!is_ok(r))
        plant_close(out);
    return r;
}

void plant_close(struct plant *p)
{
    belief_free(p->belief);
    p->belief = NULL;
    while (p->bay_count > 0) {
        struct bay *b = p->bay[--p->bay_count];
        b->ops->stop(b);
    }
}
