/* SPDX-License-Identifier: Apache-2.0
 *
 * See core_stage.h. Uses events only, as a host does.
 */
#include "tests/lib/core_stage.h"
#include "base/must.h"
#include <string.h>

static void hash_of(uint64_t serial, uint8_t sha256[FACT_HASH_BYTES])
{
    memset(sha256, 0x5a, FACT_HASH_BYTES);
    memcpy(sha256, &serial, sizeof serial);
}

struct fact_stage stage_fact(uint64_t serial, uint32_t what, uint32_t rows, int64_t run_until_ns)
{
    struct fact_stage e = {
        .serial = serial, .what = what, .rows = rows, .run_until_ns = run_until_ns, .name = "rig"};
    hash_of(serial, e.sha256);
    return e;
}

struct fact_deploy stage_deploy_fact(uint64_t serial)
{
    struct fact_deploy e = {.serial = serial, .name = "rig"};
    hash_of(serial, e.sha256);
    return e;
}

struct fact_instance stage_instance_fact(uint32_t id, uint64_t serial, uint32_t flags)
{
    struct fact_instance e = {.id = id, .kind = TN_KIND_STRATEGY | flags, .name = {'s'}};
    must(id > 0 && id < 10);
    e.name[1] = (char)('0' + id);
    hash_of(serial, e.sha256);
    return e;
}

void stage_begin_until(struct core_rig *r, uint64_t serial, int64_t run_until_ns)
{
    struct fact_stage e = stage_fact(serial, FACT_STAGE_BEGIN, 0, run_until_ns);
    r->staged_rows = 0;
    rig_step(r, FACT_STAGE, &e);
}

void stage_begin(struct core_rig *r, uint64_t serial)
{
    stage_begin_until(r, serial, 0);
}

void stage_row(struct core_rig *r, uint16_t type, const void *payload)
{
    r->staged_rows++;
    rig_step(r, type, payload);
}

void stage_commit(struct core_rig *r, uint64_t serial)
{
    struct fact_stage e = stage_fact(serial, FACT_STAGE_COMMIT, r->staged_rows, 0);
    rig_step(r, FACT_STAGE, &e);
}

void stage_drop(struct core_rig *r, uint64_t serial)
{
    struct fact_stage e = stage_fact(serial, FACT_STAGE_DROP, 0, 0);
    rig_step(r, FACT_STAGE, &e);
}

void stage_deploy(struct core_rig *r, uint64_t serial)
{
    struct fact_deploy e = stage_deploy_fact(serial);
    rig_step(r, FACT_DEPLOY, &e);
}

void stage_instance(struct core_rig *r, uint32_t id, uint64_t serial, uint32_t flags)
{
    struct fact_instance e = stage_instance_fact(id, serial, flags);
    uint32_t keep = r->generation;
    r->generation = (uint32_t)serial;
    stage_row(r, FACT_INSTANCE, &e);
    r->generation = keep;
}

void stage_route(struct core_rig *r, uint32_t strategy, uint32_t instrument, int64_t budget)
{
    struct fact_route e = {
        .strategy = strategy, .instrument = instrument, .account = RIG_ACCOUNT, .budget = budget};
    stage_row(r, FACT_ROUTE, &e);
}

void stage_remove(struct core_rig *r, uint32_t strategy, uint32_t instrument, uint32_t on_remove,
                  uint32_t to)
{
    struct fact_remove e = {
        .strategy = strategy, .instrument = instrument, .on_remove = on_remove, .to = to};
    stage_row(r, FACT_REMOVE, &e);
}

void stage_limit(struct core_rig *r, uint32_t rule, int64_t limit)
{
    struct fact_limit e = {.rule = rule, .limit = limit};
    stage_row(r, FACT_LIMIT, &e);
}

void stage_limits(struct core_rig *r)
{
    stage_limit(r, RISK_MAX_QTY, 1000000);
    stage_limit(r, RISK_MAX_VALUE, 2000000000000);
    stage_limit(r, RISK_POSITION, 1000000);
    stage_limit(r, RISK_EXPOSURE, 500000);
}

bool stage_flip(struct core_rig *r, uint64_t serial)
{
    stage_commit(r, serial);
    stage_deploy(r, serial);
    return core_serial(r->core) == serial;
}

bool stage_swap(struct core_rig *r, uint32_t id, uint64_t serial)
{
    stage_begin(r, serial);
    stage_instance(r, id, serial, 0);
    stage_limits(r);
    return stage_flip(r, serial);
}
