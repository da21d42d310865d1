/* SPDX-License-Identifier: Apache-2.0
 *
 * See plant.h. Order: read the facts of every instance and load the modules that are wanted (so
 * that one bad file refuses the whole before anything runs), bind every strategy's inputs, then
 * build one bay per wanted strategy in the order of the document. Nodes of a bay are its indicators
 * in the order of its inputs, the strategy last: that order is topological since indicators of this
 * release take no inputs, and it depends on the strategy alone, so two documents with the same
 * strategy have the same nodes.
 *
 * An instance that is not built here runs already, or ran: what is known of it is asked of its
 * module, found by the pinned hash among those this process has loaded. So a document can be
 * described although its files are gone, and the same bytes are never loaded twice.
 */
#include "flow/plant.h"
#include "base/hash.h"
#include "base/must.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct loading {
    const struct plant_options *o;
    struct plant *p;
    struct trail *tr;
    const struct bay_facts *facts[DEPLOY_INSTANCES_MAX];
    bool is_wanted[DEPLOY_INSTANCES_MAX]; /* its module is */
    struct bay_facts read[DEPLOY_INSTANCES_MAX];
    struct bay_spec spec;
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

/* A relative path counts from the document's folder, wherever the host was started; a signed
 * document was handed over as bytes and has none, so it counts from the plugins folder. */
static void beside_document(const struct plant_options *o, const char *path,
                            char out[DEPLOY_PATH_BYTES])
{
    const char *slash = strrchr(o->doc->path, '/');
    const bool is_relative = path[0] != '/' && path[0] != 0;
    int n = 0;
    if (is_relative && o->doc->fact.serial > 0)
        n = snprintf(out, DEPLOY_PATH_BYTES, "%s/%s", o->plugin_dir, path);
    else if (is_relative && slash != NULL)
        n = snprintf(out, DEPLOY_PATH_BYTES, "%.*s%s", (int)(slash - o->doc->path) + 1,
                     o->doc->path, path);
    else
        n = snprintf(out, DEPLOY_PATH_BYTES, "%s", path);
    must(n >= 0);
}

/* The pinned module, when this process has loaded it and the document says which. */
static struct bay_module *loaded_already(const struct deploy_instance *d)
{
    uint8_t sha256[FACT_HASH_BYTES];
    return hash_from_hex(d->sha256_hex, sha256) ? bay_module_find(sha256) : NULL;
}

/* Reads what the file says, and loads it when its module is wanted. */
static struct result open_file(struct loading *k, uint32_t i)
{
    const struct deploy_instance *d = &k->o->doc->instance[i];
    char path[DEPLOY_PATH_BYTES];
    beside_document(k->o, d->path, path);
    if (path[0] == 0)
        TRY(plant_find(k->o->plugin_dir, d->fact.plugin, d->fact.version, path, k->tr));
    TRY(bay_read_facts(path, &k->read[i], k->tr));
    k->facts[i] = &k->read[i];
    TRY(check_identity(d, &k->read[i].manifest, k));
    TRY(deploy_pin(k->o->doc, d, k->read[i].sha256, k->tr));
    if (!k->is_wanted[i])
        return OK_RESULT;
    k->p->module[i] = bay_module_find(k->read[i].sha256);
    if (k->p->module[i] != NULL)
        return OK_RESULT;
    struct bay_module *m = NULL;
    TRY(bay_load(path, k->read[i].sha256, &m, k->tr));
    k->p->module[i] = m;
    return OK_RESULT;
}

static struct result load_one(struct loading *k, uint32_t i)
{
    const struct deploy_instance *d = &k->o->doc->instance[i];
    if (!k->is_wanted[i] || k->o->from_memory)
        k->p->module[i] = loaded_already(d);
    if (k->p->module[i] == NULL)
        TRY(open_file(k, i));
    if (k->p->module[i] != NULL)
        k->facts[i] = bay_module_facts(k->p->module[i]);
    const struct tn_manifest *m = &k->facts[i]->manifest;
    TRY(check_identity(d, m, k));
    TRY(deploy_params(k->o->doc, d, m, k->p->params[i], k->tr));
    struct fact_instance *f = &k->p->instance[i];
    *f = d->fact;
    f->id = k->o->ids ? k->o->ids->instance[i] : d->fact.id;
    f->kind = m->kind;
    memcpy(f->sha256, k->facts[i]->sha256, sizeof f->sha256);
    f->params_hash =
        hash_fnv64(HASH_FNV64_SEED, k->p->params[i], m->param_count * sizeof(union tn_number));
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
    const struct tn_manifest *m = &k->facts[instance]->manifest;
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

static struct result refuse_full(struct loading *k, const struct deploy_instance *d)
{
    return FAIL(k->tr, FULL, "%s:%u instance %s: a bay holds at most %d instances", k->o->doc->path,
                d->line, d->fact.name, BAY_NODES_MAX);
}

/* Adds instance `source` to the bay once; gives its node. */
static struct result add_node(struct loading *k, struct plant_nodes *nodes, uint32_t source,
                              uint32_t *node)
{
    for (uint32_t i = 0; i < nodes->count; i++) {
        if (nodes->at[i] == source) {
            *node = i;
            return OK_RESULT;
        }
    }
    if (nodes->count == BAY_NODES_MAX)
        return refuse_full(k, &k->o->doc->instance[source]);
    *node = nodes->count;
    nodes->at[nodes->count++] = source;
    return OK_RESULT;
}

static struct result bind_one(struct loading *k, uint32_t strategy, uint32_t input,
                              struct bay_instance_spec *self)
{
    const struct deploy_instance *d = &k->o->doc->instance[strategy];
    const struct tn_manifest *m = &k->facts[strategy]->manifest;
    uint32_t binding = 0, source = 0;
    TRY(find_binding(k, d, m, input, &binding));
    TRY(find_instance(k, d, binding, &source));
    if (k->p->instance[source].kind != TN_KIND_INDICATOR)
        return FAIL(k->tr, CONFIG, "%s:%u %s.inputs.%s: %s is no indicator", k->o->doc->path,
                    d->input[binding].line, d->fact.name, m->inputs[input].name,
                    d->input[binding].instance);
    TRY(add_node(k, &k->p->nodes[strategy], source, &self->input_node[input]));
    TRY(find_output(k, d, binding, source, &self->input_output[input]));
    struct fact_input *f = &k->p->input[k->p->input_count++];
    *f = (struct fact_input){.instance = k->p->instance[strategy].id,
                             .input = input,
                             .source = k->p->instance[source].id,
                             .output = self->input_output[input]};
    memcpy(f->name, m->inputs[input].name, sizeof f->name);
    return OK_RESULT;
}

/* Nodes of a strategy's bay, its inputs as facts; *self is what the bay must know of it. */
static struct result bind(struct loading *k, uint32_t strategy, struct bay_instance_spec *self)
{
    const struct deploy_instance *d = &k->o->doc->instance[strategy];
    const struct tn_manifest *m = &k->facts[strategy]->manifest;
    struct plant_nodes *nodes = &k->p->nodes[strategy];
    struct result r = refuse_unknown_inputs(k, d, m);
    for (uint32_t i = 0; i < m->input_count && is_ok(r); i++)
        r = bind_one(k, strategy, i, self);
    if (!is_ok(r))
        return r;
    if (nodes->count == BAY_NODES_MAX)
        return refuse_full(k, d);
    nodes->at[nodes->count++] = strategy;
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

static void describe(const struct fact_instrument *f, uint32_t id, struct tn_instrument *out)
{
    *out = (struct tn_instrument){.size = sizeof *out,
                                  .id = id,
                                  .price_exp = f->price_exp,
                                  .qty_exp = f->qty_exp,
                                  .tick = f->tick,
                                  .lot = f->lot,
                                  .price_scale = scale_of(f->price_exp),
                                  .qty_scale = scale_of(f->qty_exp)};
    memcpy(out->symbol, f->symbol, sizeof out->symbol);
}

static struct result open_bay(struct loading *k, const struct deploy_instance *d,
                              const struct bay_spec *spec, struct bay **out)
{
    if (k->o->home == NULL || !d->bay.is_process)
        return bay_inline_new(spec, k->o->log, out, k->tr);
    const struct process_spec p = {
        .wake = d->bay.wake, .cpu = d->bay.cpu, .is_contained = d->bay.is_contained != 0};
    return process_new(k->o->home, spec, &p, out, k->tr);
}

static struct result build_bay(struct loading *k, uint32_t i, const struct bay_instance_spec *self)
{
    const struct deploy_doc *doc = k->o->doc;
    const struct deploy_instance *d = &doc->instance[i];
    const struct plant_nodes *nodes = &k->p->nodes[i];
    const uint32_t id = k->p->instance[i].id;
    must(d->instrument >= 1 && d->instrument <= doc->instrument_count);
    const struct fact_instrument *in = &doc->instrument[d->instrument - 1];
    const uint32_t instrument = k->o->ids ? k->o->ids->instrument[d->instrument - 1] : in->id;
    struct bay_spec *spec = &k->spec;
    *spec =
        (struct bay_spec){.bar_ns = d->bar_ns, .seed = doc->seed + id, .node_count = nodes->count};
    describe(in, instrument, &spec->instrument);
    for (uint32_t n = 0; n < nodes->count; n++) {
        const uint32_t at = nodes->at[n];
        spec->node[n] = at == i ? *self : (struct bay_instance_spec){0};
        spec->node[n].id = k->p->instance[at].id;
        spec->node[n].module = k->p->module[at];
        spec->node[n].params = k->p->params[at];
    }
    struct bay *bay = NULL;
    TRY(open_bay(k, d, spec, &bay));
    k->p->bay[k->p->bay_count++] = bay;
    struct belief_route route = {.strategy = id,
                                 .generation = k->o->generation ? k->o->generation[i]
                                                                : (uint32_t)doc->fact.serial,
                                 .instrument = instrument,
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

static bool is_built(const struct plant_options *o, uint32_t i)
{
    return o->only == NULL || o->only[i];
}

/* The modules that are wanted: those of the strategies to be built and of what they listen to. A
 * document does not say which instances are strategies: indicators marked too do no harm. */
static uint32_t find_wanted(struct loading *k)
{
    const struct deploy_doc *doc = k->o->doc;
    uint32_t built = 0;
    for (uint32_t i = 0; i < doc->instance_count; i++) {
        if (!is_built(k->o, i))
            continue;
        built++;
        k->is_wanted[i] = true;
        for (uint32_t q = 0; q < doc->instance[i].input_count; q++) {
            for (uint32_t s = 0; s < doc->instance_count; s++)
                k->is_wanted[s] |=
                    strcmp(doc->instance[s].fact.name, doc->instance[i].input[q].instance) == 0;
        }
    }
    return built;
}

static struct result make_belief(struct loading *k, uint32_t built)
{
    uint32_t room = k->o->bays_max > built ? k->o->bays_max : built;
    TRY(belief_new(room > 0 ? room : 1, &k->p->belief, k->tr));
    return k->o->bays_max == 0 ? OK_RESULT
                               : belief_reserve(k->p->belief, DEPLOY_INSTRUMENTS_MAX, k->tr);
}

static struct result build(struct loading *k)
{
    const struct deploy_doc *doc = k->o->doc;
    struct result r = OK_RESULT;
    k->p->instance_count = doc->instance_count;
    const uint32_t built = find_wanted(k);
    for (uint32_t i = 0; i < doc->instance_count && is_ok(r); i++)
        r = load_one(k, i);
    if (is_ok(r))
        r = refuse_unheard(k);
    if (is_ok(r))
        r = make_belief(k, built);
    for (uint32_t i = 0; i < doc->instance_count && is_ok(r); i++) {
        struct bay_instance_spec self = {0};
        if (k->p->instance[i].kind != TN_KIND_STRATEGY)
            continue;
        r = bind(k, i, &self);
        if (is_ok(r) && is_built(k->o, i))
            r = build_bay(k, i, &self);
    }
    return r;
}

struct result plant_open(const struct plant_options *o, struct plant *out, struct trail *tr)
{
    memset(out, 0, sizeof *out);
    struct loading *k = calloc(1, sizeof *k); /* every manifest: too large for a stack */
    must(k != NULL);
    k->o = o;
    k->p = out;
    k->tr = tr;
    struct result r = build(k);
    free(k);
    if (!is_ok(r))
        plant_close(out);
    return r;
}

void plant_give(struct plant *p)
{
    must(p->belief == NULL || belief_count(p->belief) == 0);
    belief_free(p->belief);
    p->belief = NULL;
    p->bay_count = 0;
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
