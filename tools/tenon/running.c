/* SPDX-License-Identifier: Apache-2.0
 *
 * See running.h. What is owned comes from the core itself, stepped over the newest snapshot and the
 * events after it: no second program adds up positions. The store is opened read-only, so the host
 * may be running on it; what it has not made durable yet is not seen, which a plan can bear.
 */
#include "tools/tenon/running.h"
#include <string.h>
#include "base/arena.h"
#include "base/must.h"
#include "flow/replay.h"

static struct result read_doc(const struct registry *reg, const struct registry_entry *e,
                              const char *name, struct deploy_doc *out, struct trail *tr)
{
    size_t count = 0;
    const char *text = registry_text(reg, e->sha256, &count);
    if (text == NULL)
        return FAIL(tr, CORRUPT,
                    "the journal does not hold the text of serial %llu whole; run tenon journal "
                    "verify",
                    (unsigned long long)e->serial);
    return deploy_parse(text, count, name, NULL, out, tr);
}

struct result running_open(const struct cli *cli, struct running *out, struct trail *tr)
{
    TRY(trusted_open(cli, &out->at, tr));
    const struct registry *reg = out->at.registry;
    const struct registry_entry *now = reg != NULL ? registry_active(reg) : NULL;
    const struct registry_entry *before = reg != NULL ? registry_before(reg) : NULL;
    if (now == NULL || now->serial == 0)
        return OK_RESULT;
    TRY(read_doc(reg, now, "the running deployment", &out->now, tr));
    out->has_now = true;
    if (before == NULL || before->serial == 0)
        return OK_RESULT;
    TRY(read_doc(reg, before, "the deployment before", &out->before, tr));
    out->has_before = true;
    return OK_RESULT;
}

/* The first market record tells what the source gives. */
static struct result look_at_market(struct journal_store *store, struct running *out,
                                    struct trail *tr)
{
    struct journal_reader *reader = NULL;
    struct fact_head head;
    const void *payload;
    TRY(journal_reader_open(store, &reader, tr));
    struct result r = OK_RESULT;
    do {
        r = journal_reader_next(reader, &head, &payload, tr);
    } while (is_ok(r) && head.type != FACT_BAR && head.type != FACT_TRADE &&
             head.type != FACT_QUOTE);
    journal_reader_close(reader);
    out->bars_from_trades = is_ok(r) && head.type != FACT_BAR;
    return r.code == RESULT_END ? OK_RESULT : r;
}

static void ask_core(const struct core *c, struct running *out)
{
    struct core_instance_view v;
    stage_names(c, &out->names);
    for (uint32_t i = 0; i < out->now.instance_count; i++) {
        struct plan_owned *o = &out->owned[out->owned_count++];
        memcpy(o->strategy, out->now.instance[i].fact.name, sizeof(o->strategy));
        for (uint32_t k = 0; core_instance(c, k, &v); k++)
            if (!v.is_removed && strcmp(v.name, o->strategy) == 0) {
                struct core_owned owned;
                core_owned(c, v.id, &owned);
                o->orders = owned.orders;
                o->stops = owned.stops;
                o->positions = owned.positions;
            }
    }
    out->has_core = true;
}

static struct result step(struct journal_store *store, const char *dir, struct running *out,
                          struct trail *tr)
{
    struct replay_report report;
    struct arena a = {0};
    size_t bytes = core_bytes(&replay_limits);
    struct result r = arena_map(&a, bytes + 64);
    if (is_ok(r)) {
        struct core *core = core_init(arena_take(&a, bytes, 64), bytes, &replay_limits);
        r = replay_run(store, dir, true, core, &report, tr);
        if (is_ok(r) && report.differences == 0) {
            out->last_seq = report.last_seq;
            ask_core(core, out);
        } else if (is_ok(r)) {
            r = FAIL(tr, CORRUPT, "%.200s: %s; see tenon replay", dir, report.difference);
        }
    }
    arena_unmap(&a);
    return r;
}

struct result running_core(const struct cli *cli, struct running *out, struct trail *tr)
{
    char dir[PATHS_BYTES];
    struct journal_store *store = NULL;
    if (!out->has_now)
        return OK_RESULT;
    TRY(cli_journal_dir(cli, dir, tr));
    TRY(journal_store_rocksdb(dir, false, true, &store, tr));
    struct result r = look_at_market(store, out, tr);
    if (is_ok(r))
        r = step(store, dir, out, tr);
    store->ops->close(store);
    return r;
}

void running_close(struct running *r)
{
    trusted_close(&r->at);
}
