/* SPDX-License-Identifier: Apache-2.0
 *
 * See obey.h.
 */
#include "flow/obey.h"
#include <stdio.h>
#include <string.h>
#include "flow/promoter.h"

static struct result obey_kill(struct obey *o, const struct gateway_request *q, char text[160],
                               struct trail *tr)
{
    struct fact_mode m = {.scope = q->scope,
                          .id = q->target,
                          .mode = MODE_KILLED,
                          .keep_positions = q->keep_positions};
    memcpy(m.by, q->by, sizeof m.by);
    memcpy(m.reason, q->reason, sizeof m.reason);
    uint32_t open = core_open_orders(lockstep_core(o->engine));
    const char *what = q->keep_positions ? "positions kept" : "positions being flattened";
    if (q->scope == MODE_SCOPE_ACCOUNT)
        snprintf(text, 160, "the account is killed: no new risk, its orders being cancelled, %s",
                 what);
    else
        snprintf(text, 160, "killed: no new risk, %u open orders being cancelled, %s", open, what);
    return lockstep_command(o->engine, FACT_MODE, &m, tr);
}

static struct result obey_auto(struct obey *o, const struct gateway_request *q, char text[160],
                               struct trail *tr)
{
    struct fact_auto a = {.strategy = q->target, .on = q->on};
    memcpy(a.by, q->by, sizeof a.by);
    enum mode now = core_mode(lockstep_core(o->engine), MODE_SCOPE_GLOBAL, 0);
    snprintf(text, 160, "auto trading is %s%s", q->on ? "on" : "off",
             q->on && now != MODE_ACTIVE ? ", but the mode forbids new risk: see tenon status"
                                         : "");
    return lockstep_command(o->engine, FACT_AUTO, &a, tr);
}

/* What one person may: the core's word counts, since only it knows who may lift what. */
static struct result obey_mode(struct obey *o, const struct gateway_request *q, char text[160],
                               struct trail *tr)
{
    const struct core *c = lockstep_core(o->engine);
    struct fact_mode m = {.scope = q->scope, .id = q->target, .mode = q->mode};
    memcpy(m.by, q->by, sizeof m.by);
    memcpy(m.reason, q->reason, sizeof m.reason);
    TRY(lockstep_command(o->engine, FACT_MODE, &m, tr));
    enum mode now = core_mode(c, (enum mode_scope)q->scope, q->target);
    /* a stricter mode than the one asked for is what was wanted, and more */
    bool is_done = now == q->mode || (q->mode == MODE_ACTIVE && now == MODE_SAFE_START) ||
                   (q->mode > MODE_SAFE_START && now > q->mode);
    static const char *const name[MODE_END] = {"UNSET",
#define X(id, name, risk, reduce, work, lifted, text) #name,
                                               MODES(X)
#undef X
    };
    snprintf(text, 160, "%s%s", name[now],
             now > q->mode && now > MODE_SAFE_START ? " already" : "");
    if (is_done)
        return OK_RESULT;
    return FAIL(tr, NOT_PERMITTED,
                "the mode stays %s: lifting it takes two people; write a request with tenon risk "
                "resume --out FILE, have it signed, and hand it over with --request FILE",
                name[now]);
}

/* Handed to the promoter: answered when it is done. */
static bool obey_later(struct obey *o, const struct gateway_request *q, struct result *r,
                       struct trail *tr)
{
    static const uint32_t kind[] = {[GATEWAY_PROMOTE] = PROMOTER_DEPLOYMENT,
                                    [GATEWAY_TRUST] = PROMOTER_TRUST,
                                    [GATEWAY_REQUEST] = PROMOTER_REQUEST};
    switch (q->kind) {
    case GATEWAY_PROMOTE:
    case GATEWAY_TRUST:
    case GATEWAY_REQUEST:
        *r = lockstep_hand_over(o->engine, kind[q->kind], q->bundle, q->by, q->id, tr);
        return true;
    case GATEWAY_ROLLBACK:
        *r = lockstep_rollback(o->engine, q->by, q->reason, q->id, tr);
        return true;
    default:
        return false;
    }
}

/* A refusal is the person's to hear; only what broke the engine ends the run. */
static struct result obey_one(struct obey *o, const struct gateway_request *q, struct trail *tr)
{
    struct result r = OK_RESULT;
    struct trail why = {0};
    char text[160] = "";
    if (obey_later(o, q, &r, &why)) {
        if (!is_ok(r))
            gateway_answer(o->gateway, q->id, result_exit(r), trail_sentence(&why, r));
        return OK_RESULT;
    }
    if (q->kind == GATEWAY_KILL)
        r = obey_kill(o, q, text, &why);
    else if (q->kind == GATEWAY_AUTO)
        r = obey_auto(o, q, text, &why);
    else if (q->kind == GATEWAY_MODE)
        r = obey_mode(o, q, text, &why);
    else {
        o->wants_stop = true;
        snprintf(text, sizeof text, "stopping");
    }
    o->publish(o->arg); /* whoever asks after the answer sees its effect */
    gateway_answer(o->gateway, q->id, is_ok(r) ? 0 : result_exit(r),
                   is_ok(r) ? text : trail_sentence(&why, r));
    if (is_ok(r) || r.code == RESULT_NOT_PERMITTED)
        return OK_RESULT;
    return FAIL_AS(tr, r, "%s", trail_sentence(&why, r));
}

static void answer_all(struct obey *o)
{
    struct lockstep_answer a;
    if (!lockstep_take_answer(o->engine, &a))
        return;
    o->publish(o->arg);
    do {
        gateway_answer(o->gateway, a.request, a.exit, a.text);
    } while (lockstep_take_answer(o->engine, &a));
}

struct result obey_all(struct obey *o, struct trail *tr)
{
    struct gateway_request q;
    struct result r = OK_RESULT;
    while (is_ok(r) && gateway_poll(o->gateway, &q))
        r = obey_one(o, &q, tr);
    answer_all(o);
    return r;
}
