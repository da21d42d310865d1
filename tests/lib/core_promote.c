/* SPDX-License-Identifier: Apache-2.0
 *
 * See core_promote.h. A stage is drawn up whole when it begins and given one event at a time, so
 * that orders, fills and restarts come between its rows.
 */
#include "tests/lib/core_promote.h"
#include "base/must.h"
#include "tests/lib/core_stage.h"
#include "tests/lib/core_walk.h"
#include <string.h>

static bool one_in(struct walk *w, uint64_t n)
{
    return walk_draw(w, n) == 0;
}

static struct fact_view *add(struct promote *p, uint16_t type, uint64_t generation)
{
    must(p->count < PROMOTE_ROWS);
    struct fact_view *v = &p->event[p->count++];
    memset(v, 0, sizeof *v);
    v->head.type = type;
    v->head.generation = (uint32_t)generation;
    return v;
}

static void add_route(struct walk *w, uint32_t id)
{
    uint32_t instrument = 1 + (uint32_t)walk_draw(w, 2);
    add(&w->promote, FACT_ROUTE, 0)->u.fact_route =
        (struct fact_route){.strategy = id,
                            .instrument = instrument,
                            .account = id == RIG_S2 && instrument == RIG_INV ? 2 : 1,
                            .budget = 100000000000 * (1 + (int64_t)walk_draw(w, 9))};
}

static void add_remove(struct walk *w, uint32_t id, uint32_t instrument)
{
    struct fact_remove e = {.strategy = id, .instrument = instrument};
    e.on_remove = one_in(w, 5) ? 0 : 1 + (uint32_t)walk_draw(w, 2);
    if (e.on_remove == FACT_ON_REMOVE_HAND_TO)
        e.to = 1 + (id + (uint32_t)walk_draw(w, 3)) % PROMOTE_INSTANCES;
    add(&w->promote, FACT_REMOVE, 0)->u.fact_remove = e;
}

static void add_instance(struct walk *w, uint32_t id, uint64_t generation)
{
    add(&w->promote, FACT_INSTANCE, generation)->u.fact_instance =
        stage_instance_fact(id, generation, one_in(w, 6) ? FACT_COLD : 0);
}

static void add_instances(struct walk *w)
{
    struct core_instance_view v;
    uint64_t serial = w->promote.serial;
    uint32_t id = 1;
    for (; core_instance(w->rig->core, id - 1, &v); id++) {
        uint64_t draw = walk_draw(w, 10);
        if (v.is_removed && draw > 3)
            continue;
        bool back = v.generation_before != 0 && one_in(w, 4);
        if (draw <= 4)
            add_instance(w, id, back ? v.generation_before : serial);
        else if (draw == 5)
            add_remove(w, id, 0);
        else if (draw == 6)
            add_remove(w, id, 1 + (uint32_t)walk_draw(w, 2));
        if (draw <= 3)
            add_route(w, id);
    }
    if (id <= PROMOTE_INSTANCES && one_in(w, 2)) {
        add_instance(w, id, serial);
        add_route(w, id);
    }
}

static void add_limits(struct walk *w)
{
    for (uint32_t rule = RISK_MAX_QTY; rule <= RISK_LEVERAGE; rule++) {
        struct fact_limit e = {.rule = rule, .limit = (int64_t)walk_draw(w, 900000) + 4000};
        if (rule == RISK_COLLAR)
            continue;
        if (rule == RISK_MAX_VALUE)
            e.limit *= 10000000;
        add(&w->promote, FACT_LIMIT, 0)->u.fact_limit = e;
        e.strategy = 1 + (uint32_t)walk_draw(w, 2);
        e.limit /= 2;
        if (one_in(w, 4))
            add(&w->promote, FACT_LIMIT, 0)->u.fact_limit = e;
    }
    struct fact_rate rate = {.from = RIG_USD, .to = RIG_EUR, .exp = -4};
    rate.rate = 9000 + (int64_t)walk_draw(w, 300);
    add(&w->promote, FACT_RATE, 0)->u.fact_rate = rate;
}

static void draw_up(struct walk *w)
{
    struct promote *p = &w->promote;
    p->serial++;
    p->count = p->at = 0;
    p->tries = (uint32_t)walk_draw(w, 4);
    int64_t until = one_in(w, 4) ? w->rig->t_ns + (int64_t)walk_draw(w, 90) * RIG_S : 0;
    add(p, FACT_STAGE, 0)->u.fact_stage = stage_fact(p->serial, FACT_STAGE_BEGIN, 0, until);
    add_instances(w);
    add_limits(w);
    if (one_in(w, 15)) /* does not fit */
        add(p, FACT_LIMIT, 0)->u.fact_limit = (struct fact_limit){.rule = RISK_RULE_END};
    uint32_t rows = p->count - 1 + (uint32_t)one_in(w, 20);
    add(p, FACT_STAGE, 0)->u.fact_stage = stage_fact(p->serial, FACT_STAGE_COMMIT, rows, 0);
    if (one_in(w, 12))
        add(p, FACT_STAGE, 0)->u.fact_stage = stage_fact(p->serial, FACT_STAGE_DROP, 0, 0);
    else
        add(p, FACT_DEPLOY, 0)->u.fact_deploy =
            stage_deploy_fact(p->serial + (uint64_t)one_in(w, 15));
}

/* What was refused waits: tried again, then dropped, or forgotten by the next one. */
static bool go_on(struct walk *w)
{
    struct promote *p = &w->promote;
    struct core_staged s;
    core_staged(w->rig->core, &s);
    if (!s.is_open || (p->tries == 0 && one_in(w, 3)))
        return false;
    p->count = p->at = 0;
    if (p->tries > 0 && s.is_committed) {
        p->tries--;
        add(p, FACT_DEPLOY, 0)->u.fact_deploy = stage_deploy_fact(s.serial);
    } else {
        add(p, FACT_STAGE, 0)->u.fact_stage = stage_fact(s.serial, FACT_STAGE_DROP, 0, 0);
    }
    return true;
}

/* Mostly the build that reigns. */
static uint32_t some_generation(struct walk *w, uint32_t id)
{
    struct core_instance_view v;
    uint64_t draw = walk_draw(w, 10);
    if (!core_instance(w->rig->core, id - 1, &v) || draw == 0)
        return (uint32_t)walk_draw(w, w->promote.serial + 2);
    return draw < 3 ? v.generation_before : v.generation;
}

static void make_signal(struct walk *w, struct fact_view *v)
{
    struct fact_signal *s = &v->u.fact_signal;
    v->head.type = FACT_SIGNAL;
    s->instance = 1 + (uint32_t)walk_draw(w, PROMOTE_INSTANCES);
    s->instrument = 1 + (uint32_t)walk_draw(w, 2);
    s->side = 1 + (uint32_t)walk_draw(w, 3);
    s->advice = (uint32_t)walk_draw(w, 16);
    s->target_ppm = (int32_t)walk_draw(w, 1000001);
    s->limit_offset = (int64_t)walk_draw(w, 3000);
    s->stop_distance = 1 + (int64_t)walk_draw(w, 20000);
    s->ttl_ns = 1 + (int64_t)walk_draw(w, 20) * RIG_S / 2;
    s->horizon_ns = 1;
    v->head.generation = some_generation(w, s->instance);
    uint64_t ago = walk_draw(w, one_in(w, 8) ? 400 : 25);
    v->head.cause_seq = w->rig->seq > ago ? w->rig->seq - ago : 1;
}

static void make_request(struct walk *w, struct fact_view *v)
{
    struct fact_request *e = &v->u.fact_request;
    v->head.type = FACT_REQUEST;
    e->scope = 1 + (uint32_t)walk_draw(w, 3);
    e->id = e->scope == MODE_SCOPE_GLOBAL ? 0 : 1 + (uint32_t)walk_draw(w, 2);
    e->mode = one_in(w, 5) ? MODE_REDUCING : MODE_ACTIVE;
    e->people = 1 + (uint32_t)walk_draw(w, 9);
    e->sha256[0] = (uint8_t)walk_draw(w, 256);
    e->sha256[1] = (uint8_t)walk_draw(w, 9);
}

bool promote_next(struct walk *w, struct fact_view *v)
{
    struct promote *p = &w->promote;
    uint64_t draw = walk_draw(w, 100);
    if (draw < 12) {
        make_signal(w, v);
    } else if (draw == 12 || draw == 15) {
        make_request(w, v);
    } else if (draw == 13 && one_in(w, 8)) {
        uint32_t id = 1 + (uint32_t)walk_draw(w, PROMOTE_INSTANCES);
        v->head.type = FACT_PLUGIN;
        v->head.generation = some_generation(w, id);
        v->u.fact_plugin = (struct fact_plugin){.instance = id, .what = FACT_PLUGIN_QUARANTINED};
    } else if (draw == 14 && one_in(w, 3)) { /* modes do not stay for the rest of the walk */
        v->head.type = FACT_MODE;
        v->u.fact_mode = (struct fact_mode){.scope = MODE_SCOPE_STRATEGY,
                                            .id = 1 + (uint32_t)walk_draw(w, PROMOTE_INSTANCES),
                                            .mode = MODE_ACTIVE};
    } else if (p->at < p->count && draw < 60) {
        *v = p->event[p->at++];
    } else if (p->at == p->count && one_in(w, p->one_in)) {
        if (!go_on(w))
            draw_up(w);
        return false;
    } else {
        return false;
    }
    return true;
}
