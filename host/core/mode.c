/* SPDX-License-Identifier: Apache-2.0
 *
 * Modes: global, account, strategy; the strictest of the three binds. Down is one touch. Up needs
 * whoever the table names: SELF lifts SAFE_START when nothing at the venue is in doubt, an operator
 * lifts REDUCING and HALTED, and what needs two people is lifted by a REQUEST that two signed, each
 * request once. A deployment that has run until its time leaves only what reduces.
 *
 * KILLED denies, cancels everything and flattens price-protected (plan_flatten); what fills late
 * is closed again. Nothing lifts the globe to ACTIVE past a reconciliation that is not clean: it
 * goes to SAFE_START, which lifts itself.
 */
#include "core/state.h"
#include "base/planted.h"

struct mode_row {
    bool new_risk, reduce;
    uint8_t work, lifted_by;
};
enum { WORK_UNSET = 0, WORK_KEEP, WORK_OPENING, WORK_ALL };
enum { LIFTED_UNSET = 0, LIFTED_OPERATOR, LIFTED_SELF, LIFTED_TWO };
static const struct mode_row row[MODE_END] = {
#define X(id, name, risk, reduce, work, lifted, text)                                              \
    [id] = {risk, reduce, WORK_##work, LIFTED_##lifted},
    MODES(X)
#undef X
};

bool mode_allows(enum mode m, bool reducing, uint32_t origin)
{
    if (!reducing)
        return row[m].new_risk || (PLANTED(UNRECONCILED) && m == MODE_SAFE_START);
    if (m == MODE_KILLED)
        return origin == FACT_ORIGIN_KILL || origin == FACT_ORIGIN_PERSON;
    return row[m].reduce || origin == FACT_ORIGIN_PERSON;
}

static bool in_scope(const struct book_row *b, enum mode_scope scope, uint32_t id)
{
    return scope == MODE_SCOPE_GLOBAL || (scope == MODE_SCOPE_ACCOUNT && b->account == id) ||
           (scope == MODE_SCOPE_STRATEGY && b->strategy == id);
}

static uint32_t *slot(struct core *c, enum mode_scope scope, uint32_t id)
{
    if (scope == MODE_SCOPE_GLOBAL)
        return &c->mode;
    if (scope == MODE_SCOPE_ACCOUNT && id <= c->max.accounts && c->account[id].def.id != 0)
        return &c->account[id].mode;
    if (scope == MODE_SCOPE_STRATEGY && id <= c->max.instances && c->instance[id].id != 0)
        return &c->instance[id].mode;
    return NULL;
}

static void apply(struct core *c, struct book_row *b, enum mode m, bool keep_positions)
{
    if (row[m].work == WORK_OPENING)
        oms_cancel_book(c, b, FACT_CANCEL_MODE, true);
    if (row[m].work != WORK_ALL)
        return;
    if (!keep_positions) {
        b->kill_flat = 1;
        plan_flatten(c, b, FACT_ORIGIN_KILL);
        return;
    }
    b->signal_seq = 0;
    b->pending = 0;
    b->flatten_origin = FACT_ORIGIN_UNSET; /* a stop's close ends too: KILLED allows only its own */
    b->flatten_ns = CORE_NEVER;
    oms_cancel_book(c, b, FACT_CANCEL_MODE, false);
}

static void set(struct core *c, enum mode_scope scope, uint32_t id, enum mode to, uint32_t why,
                bool keep_positions)
{
    uint32_t *m = slot(c, scope, id);
    /* Also when nothing changes: what a person wants, no flip may lift. */
    if (m != NULL && scope == MODE_SCOPE_STRATEGY && (*m != to || why == FACT_WHY_PERSON))
        c->instance[id].mode_why = why;
    if (m == NULL || *m == to) {
        step_ignored(c, FACT_IGNORED_NOT_NEEDED, scope, to);
        return;
    }
    struct fact_moded *e = EFFECT(c, MODED, fact_moded);
    e->scope = scope;
    e->id = id;
    e->from = *m;
    e->to = to;
    e->why = why;
    bool stricter = to > *m;
    *m = to;
    if (!stricter)
        return;
    for (uint32_t i = 1; i < c->book_count; i++) {
        if (in_scope(&c->book[i], scope, id))
            apply(c, &c->book[i], to, keep_positions);
    }
}

void mode_set(struct core *c, enum mode_scope scope, uint32_t id, enum mode to, uint32_t why)
{
    set(c, scope, id, to, why, false);
}

/* For what turns up at the venue later. */
static void note_keep(struct core *c, enum mode_scope scope, uint32_t id, uint32_t keep)
{
    if (scope == MODE_SCOPE_GLOBAL)
        c->keep_positions = keep;
    else if (scope == MODE_SCOPE_ACCOUNT)
        c->account[id].keep_positions = keep != 0;
}

/* A kill on a kill: one that kept the positions becomes one that does not; never back. */
static void kill_again(struct core *c, const struct fact_mode *e)
{
    bool any = false;
    for (uint32_t i = 1; i < c->book_count && !e->keep_positions; i++) {
        struct book_row *b = &c->book[i];
        if (b->kill_flat || !in_scope(b, (enum mode_scope)e->scope, e->id))
            continue;
        any = true;
        apply(c, b, MODE_KILLED, false);
    }
    if (!e->keep_positions)
        note_keep(c, (enum mode_scope)e->scope, e->id, 0);
    if (!any)
        step_ignored(c, FACT_IGNORED_NOT_NEEDED, e->scope, e->mode);
}

static bool is_clean(const struct core *c)
{
    if (!c->started)
        return false;
    for (uint32_t i = 1; i <= c->max.accounts; i++) {
        if (c->account[i].in_doubt)
            return false;
    }
    for (uint32_t i = c->live_oldest; i != CORE_NONE; i = c->order[i].live_newer) {
        if (!c->order[i].confirmed || c->order[i].state == ORDER_STATE_UNKNOWN)
            return false;
    }
    return true;
}

void mode_command(struct core *c, const struct fact_mode *e)
{
    uint32_t *m = e->mode > MODE_UNSET && e->mode < MODE_END && e->mode != MODE_SAFE_START
                      ? slot(c, (enum mode_scope)e->scope, e->id)
                      : NULL;
    if (m == NULL) {
        step_ignored(c, FACT_IGNORED_NOT_ALLOWED, e->scope, e->mode);
        return;
    }
    if (e->mode < *m && row[*m].lifted_by != LIFTED_OPERATOR) {
        step_ignored(c, FACT_IGNORED_NOT_ALLOWED, e->scope, e->mode);
        return;
    }
    enum mode_scope scope = (enum mode_scope)e->scope;
    if (e->mode == MODE_KILLED && *m == MODE_KILLED) {
        kill_again(c, e);
        return;
    }
    if (e->mode == MODE_KILLED)
        note_keep(c, scope, e->id, e->keep_positions ? 1 : 0);
    enum mode to = (enum mode)e->mode;
    if (to == MODE_ACTIVE && *m != MODE_ACTIVE && scope == MODE_SCOPE_GLOBAL && !is_clean(c))
        to = MODE_SAFE_START;
    uint32_t why = to == MODE_SAFE_LOSS ? FACT_WHY_DOUBT : FACT_WHY_PERSON;
    set(c, scope, e->id, to, why, e->keep_positions != 0);
}

static bool is_used(const struct core *c, const struct fact_request *e)
{
    for (uint32_t i = 0; i < c->request_count; i++) {
        if (memcmp(c->request[i].sha256, e->sha256, sizeof e->sha256) == 0)
            return true;
    }
    return false;
}

static void remember(struct core *c, const struct fact_request *e)
{
    memcpy(c->request[c->request_next].sha256, e->sha256, sizeof e->sha256);
    c->request_next = (c->request_next + 1) % REQUESTS_MAX;
    if (c->request_count < REQUESTS_MAX)
        c->request_count++;
}

/* What people asked for together: up from any mode, by the same reconciliation. It is used up even
 * when there is nothing to lift: kept for later it would lift what nobody meant then. */
void mode_request(struct core *c, const struct fact_request *e)
{
    enum mode_scope scope = (enum mode_scope)e->scope;
    uint32_t *m = slot(c, scope, e->id);
    if (m == NULL || e->people < 2 || (e->mode != MODE_ACTIVE && e->mode != MODE_REDUCING)) {
        step_ignored(c, FACT_IGNORED_NOT_ALLOWED, e->scope, e->mode);
        return;
    }
    if (is_used(c, e)) {
        step_ignored(c, FACT_IGNORED_USED, e->scope, e->mode);
        return;
    }
    remember(c, e);
    enum mode to = (enum mode)e->mode;
    bool was_killed = *m == MODE_KILLED;
    if (to == MODE_ACTIVE && *m != MODE_ACTIVE && scope == MODE_SCOPE_GLOBAL && !is_clean(c))
        to = MODE_SAFE_START;
    set(c, scope, e->id, to, FACT_WHY_REQUEST, false);
    for (uint32_t i = 1; was_killed && i < c->book_count; i++) {
        if (in_scope(&c->book[i], scope, e->id))
            plan_spare(c, &c->book[i]);
    }
}

void mode_deployed(struct core *c, int64_t run_until_ns)
{
    c->run_until_ns = run_until_ns;
    if (run_until_ns != 0)
        deadline_near(c, run_until_ns);
}

int64_t mode_deadline(const struct core *c)
{
    return c->run_until_ns != 0 ? c->run_until_ns : CORE_NEVER;
}

/* Once for each deployment: an operator who lifts it is not asked again. */
void mode_timers(struct core *c)
{
    if (c->run_until_ns == 0 || c->now_ns < c->run_until_ns)
        return;
    c->run_until_ns = 0;
    if (c->mode < MODE_REDUCING)
        mode_set(c, MODE_SCOPE_GLOBAL, 0, MODE_REDUCING, FACT_WHY_UNTIL);
}

/* A start is a doubt until every order that lived before it has been found again. */
void mode_start(struct core *c)
{
    c->auto_all = 0;
    for (uint32_t i = 1; i <= c->max.accounts; i++)
        c->account[i].in_doubt = c->account[i].def.via == FACT_VIA_EGRESS;
    for (uint32_t i = 1; i <= c->max.instances; i++)
        c->instance[i].auto_on = 0;
    if (c->mode <= MODE_SAFE_START)
        mode_set(c, MODE_SCOPE_GLOBAL, 0, MODE_SAFE_START, FACT_WHY_START);
}

void mode_sync(struct core *c, const struct fact_sync *e)
{
    bool is_known = e->account >= 1 && e->account <= c->max.accounts &&
                    c->account[e->account].def.via == FACT_VIA_EGRESS;
    if (!is_known || e->phase == FACT_SYNC_UNSET || e->phase > FACT_SYNC_AGAIN) {
        step_ignored(c, FACT_IGNORED_NOT_ALLOWED, e->account, e->phase);
        return;
    }
    if (e->phase != FACT_SYNC_AGAIN)
        c->account[e->account].in_doubt = e->phase == FACT_SYNC_LOST;
    oms_sync(c, e->account, e->phase);
}

void mode_clean(struct core *c)
{
    must(c->mode == MODE_SAFE_START);
    if (is_clean(c))
        mode_set(c, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE, FACT_WHY_CLEAN);
}

void mode_auto(struct core *c, const struct fact_auto *e)
{
    if (e->strategy == 0) {
        c->auto_all = e->on ? 1 : 0;
        for (uint32_t i = 1; i <= c->max.instances; i++)
            c->instance[i].auto_on =
                c->instance[i].id != 0 && !c->instance[i].is_removed && e->on ? 1 : 0;
        return;
    }
    if (e->strategy > c->max.instances || c->instance[e->strategy].id == 0 ||
        c->instance[e->strategy].is_removed) {
        step_ignored(c, FACT_IGNORED_UNKNOWN_INSTRUMENT, e->strategy, 0);
        return;
    }
    c->instance[e->strategy].auto_on = e->on ? 1 : 0;
    if (e->on)
        c->auto_all = 1;
}

enum mode core_mode(const struct core *c, enum mode_scope scope, uint32_t id)
{
    struct core *w = (struct core *)(uintptr_t)c; /* slot only finds; nothing is written */
    uint32_t *m = slot(w, scope, id);
    return m ? (enum mode) * m : MODE_UNSET;
}

bool core_auto(const struct core *c, uint32_t strategy)
{
    if (strategy == 0)
        return c->auto_all != 0;
    return mode_is_auto(c, strategy);
}
