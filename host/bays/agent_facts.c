/* SPDX-License-Identifier: Apache-2.0
 *
 * An adapter's facts, looked at before anything believes them. They are data of the plugin, so no
 * call is made; but its pointers are the plugin's claims: each table must lie, whole, in a readable
 * segment of the very module, else a host that follows it would fall with it. The segments are
 * those the loader mapped; the walk through its list is cold and takes its lock.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include "base/must.h"
#include "bays/agent_priv.h"
#include "bays/module.h"
#include "tbl/road.h"

struct look {
    uintptr_t base; /* load address of the module */
    uintptr_t from, bytes;
    bool lies_in;
};

static int see_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct look *l = arg;
    (void)size;
    if (info->dlpi_addr != l->base)
        return 0;
    for (uint32_t i = 0; i < info->dlpi_phnum && !l->lies_in; i++) {
        const Elf64_Phdr *p = &info->dlpi_phdr[i];
        uintptr_t start = l->base + p->p_vaddr;
        l->lies_in = p->p_type == PT_LOAD && (p->p_flags & PF_R) && l->from >= start &&
                     l->bytes <= p->p_memsz && l->from - start <= p->p_memsz - l->bytes;
    }
    return 1;
}

static bool lies_in(const struct bay_module *m, const void *p, size_t bytes)
{
    struct link_map *map = NULL;
    if (!p || dlinfo(m->handle, RTLD_DI_LINKMAP, &map) != 0)
        return false;
    struct look l = {.base = map->l_addr, .from = (uintptr_t)p, .bytes = bytes};
    dl_iterate_phdr(see_module, &l);
    return l.lies_in;
}

static bool is_meaning(uint32_t m)
{
    return (m >= TN_FIELD_SYMBOL && m <= TN_FIELD_MARK) ||
           (m >= TN_FIELD_CONSTANT && m <= TN_FIELD_CURSOR);
}

static const char *check_field(const struct tn_wire_row *r, uint32_t k)
{
    const struct tn_wire_field *f = &r->field[k];
    if (f->size != sizeof *f || !is_meaning(f->meaning) || f->required > 1)
        return "a wire field with unknown members";
    if (!agent_is_text(f->path, sizeof f->path) || f->path[0] == 0 ||
        !agent_is_text(f->value, sizeof f->value))
        return "a wire field whose text does not end or is not plain";
    if (f->unit_exp != 127 && (f->unit_exp < -18 || f->unit_exp > 18))
        return "a wire field with a unit out of range";
    for (uint32_t i = 0; i < k; i++) {
        if (strcmp(r->field[i].path, f->path) == 0)
            return "a wire row that names a field twice";
    }
    return NULL;
}

static const char *check_row(const struct bay_module *m, const struct tn_wire_row *r)
{
    if (r->size != sizeof *r || r->format < TN_WIRE_JSON || r->format > TN_WIRE_NUL_FIELDS ||
        r->class_of < TN_CLASS_ORDER || r->class_of > TN_CLASS_SETTING || r->inbound > 1 ||
        r->link >= TN_ADAPTER_CONNECTIONS_MAX || r->method > TN_METHOD_DELETE)
        return "a wire row with unknown members";
    if (!agent_is_text(r->match, sizeof r->match) || r->match[0] == 0)
        return "a wire row that nothing selects";
    if (r->field_count > ROAD_FIELDS_MAX)
        return "a wire row with too many fields";
    if (r->field_count > 0 && !lies_in(m, r->field, r->field_count * sizeof r->field[0]))
        return "a wire row whose fields are not its own data";
    const char *why = NULL;
    for (uint32_t k = 0; k < r->field_count && !why; k++)
        why = check_field(r, k);
    return why;
}

static const char *check_facts(const struct bay_module *m, const struct tn_adapter_facts *f)
{
    if (f->size != sizeof *f || f->simulated > 1 || f->client_id > TN_CLIENT_ID_COUNTER ||
        f->validity_ns < 0)
        return "facts with unknown members";
    if (f->client_id == TN_CLIENT_ID_TEXT && f->client_id_max >= TN_ADAPTER_CLIENT_ID_BYTES)
        return "client ids that are too long";
    if (f->bucket_count == 0 || f->bucket_count > ROAD_BUDGETS_MAX || f->row_count == 0 ||
        f->row_count > AGENT_ROWS_MAX)
        return "no rate budget or wire row, or too many";
    if (!lies_in(m, f->bucket, f->bucket_count * sizeof f->bucket[0]) ||
        !lies_in(m, f->row, f->row_count * sizeof f->row[0]))
        return "facts that are not its own data";
    for (uint32_t i = 0; i < f->bucket_count; i++) {
        const struct tn_rate_budget *b = &f->bucket[i];
        if (b->size != sizeof *b || b->weight == 0 || b->per_ns <= 0)
            return "a rate budget of nothing";
    }
    const char *why = NULL;
    for (uint32_t i = 0; i < f->row_count && !why; i++)
        why = check_row(m, &f->row[i]);
    return why;
}

struct result agent_facts(const struct bay_module *module, const struct tn_adapter_facts **out,
                          struct trail *tr)
{
    const struct tn_manifest *m = &module->facts.manifest;
    *out = NULL;
    if (m->kind != TN_KIND_ADAPTER)
        return FAIL(tr, CONFIG, "plugin %s is no adapter; name one for the account", m->id);
    const struct tn_adapter_facts *f = module->ops.adapter.facts;
    const char *why =
        lies_in(module, f, sizeof *f) ? check_facts(module, f) : "facts that are not its own data";
    if (why)
        return FAIL(tr, ABI, "adapter %s %s gives %s; report it to %s", m->id, m->version, why,
                    m->vendor);
    *out = f;
    return OK_RESULT;
}
