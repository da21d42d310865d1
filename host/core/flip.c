/* SPDX-License-Identifier: Apache-2.0
 *
 * DEPLOY: the event after which other builds are believed.
 *
 * What was staged and committed is applied whole, in this one step, or not at all: everything that
 * can forbid it is asked before the first change. What was slow was done at COMMIT, so the step
 * swaps tables and touches only what differs. Orders, positions, stops and signals in force belong
 * to the instance id, which stays: they are not touched, they only answer to another build.
 *
 * Who is believed is asked of the event that caused a signal, not of the moment it counts: an
 * answer of the old build to an event before the flip was given in time and is honoured also when
 * it is due after it; one of the new build to such an event is not (DECISIONS 30). So each instance
 * keeps its last few reigns. A flag per build would lose the first or double the second.
 *
 * A strategy that leaves keeps its rows (its profit is history) but has no route; whatever still
 * turns up there is closed. With HAND_TO another strategy's book takes position, stop and orders,
 * ended ones too, so that a late fill finds the new owner.
 */
#include "core/state.h"

void flip_reign(struct core *c, struct instance_row *r, uint64_t generation)
{
    for (uint32_t i = REIGNS - 1; i > 0; i--)
        r->reign[i] = r->reign[i - 1];
    r->reign[0] = (struct reign){.since_seq = c->seq, .generation = generation};
}

static uint64_t reign_at(const struct instance_row *r, uint64_t cause_seq)
{
    for (uint32_t i = 0; i < REIGNS; i++) {
        if (r->reign[i].since_seq == 0 || cause_seq > r->reign[i].since_seq)
            return r->reign[i].generation;
    }
    return REIGN_NOBODY; /* longer ago than is remembered */
}

bool flip_accepts_slow(const struct core *c, uint32_t instance, uint64_t generation,
                       uint64_t cause_seq)
{
    const struct instance_row *r = &c->instance[instance];
    return r->is_removed == 0 && reign_at(r, cause_seq) == generation;
}

static uint32_t spoken(uint64_t generation)
{
    return generation == REIGN_NOBODY ? 0 : (uint32_t)generation;
}

uint32_t core_reign(const struct core *c, uint32_t instance, uint64_t cause_seq)
{
    if (instance > c->max.instances || c->instance[instance].is_removed)
        return 0;
    return spoken(reign_at(&c->instance[instance], cause_seq));
}

/* ---- what forbids it ---- */

static bool holds(const struct book_row *b)
{
    return b->qty != 0 || b->live_orders > 0;
}

static void count_owned(struct core *c)
{
    memset(c->owned, 0, (c->instance_count + 1) * sizeof *c->owned);
    for (uint32_t i = 1; i < c->book_count; i++) {
        const struct book_row *b = &c->book[i];
        struct core_owned *o = &c->owned[b->strategy];
        o->orders += b->live_orders;
        o->stops += b->stop_price != 0;
        o->positions += b->qty != 0;
    }
}

/* One that is not there has the reign of nobody, or of the unsigned. */
static bool changes(const struct core *c, const struct staged_instance *e)
{
    return c->instance[e->def.id].reign[0].generation != e->generation;
}

static bool is_too_warm(const struct core *c, const struct staged_instance *e)
{
    const struct instance_row *r = &c->instance[e->def.id];
    if (!(e->def.kind & FACT_COLD) || r->id == 0 || !changes(c, e))
        return false;
    return c->owned[e->def.id].orders > 0 || c->owned[e->def.id].positions > 0;
}

/* Does another book hand something to the same one? Two cannot become one average. */
static bool is_contested(const struct core *c, const struct book_row *b, uint32_t to)
{
    for (uint32_t i = c->first_book[b->instrument]; i != 0; i = c->next_book[i]) {
        const struct book_row *other = &c->book[i];
        if (other == b || other->strategy == 0 || !holds(other))
            continue;
        const struct fact_remove *r = staged_removal(c, other->strategy, other->instrument);
        if (r != NULL && r->to == to)
            return true;
    }
    return false;
}

static bool can_take(const struct core *c, const struct book_row *b, uint32_t to)
{
    const struct fact_route *brought = staged_route(c, to, b->instrument);
    const struct book_row *t = book_find(c, to, b->instrument);
    if (staged_removal(c, to, b->instrument) != NULL || is_contested(c, b, to))
        return false;
    if (t == NULL)
        return brought != NULL && brought->account == b->account;
    return t->account == b->account && (!t->is_leaving || brought != NULL) && !holds(t) &&
           t->flatten_origin == FACT_ORIGIN_UNSET;
}

/* The instance that does not allow it; 0 = all do. */
static uint32_t forbidden_by(const struct core *c)
{
    for (uint32_t i = 0; i < c->staged.instance_count; i++) {
        if (is_too_warm(c, &c->staged_instance[i]))
            return c->staged_instance[i].def.id;
    }
    for (uint32_t i = 1; c->staged.remove_count > 0 && i < c->book_count; i++) {
        const struct book_row *b = &c->book[i];
        const struct fact_remove *r =
            b->strategy != 0 && holds(b) ? staged_removal(c, b->strategy, b->instrument) : NULL;
        if (r == NULL || r->on_remove == FACT_ON_REMOVE_FLATTEN)
            continue;
        if (r->on_remove == FACT_ON_REMOVE_UNSET || !can_take(c, b, r->to))
            return b->strategy;
    }
    return 0;
}

/* ---- all of it ---- */

static void say_flipped(struct core *c, uint32_t id, uint64_t from, uint64_t to, uint32_t handed_to)
{
    const struct core_owned *o = &c->owned[id];
    *ROOM(c, FLIPPED, fact_flipped) = (struct fact_flipped){.instance = id,
                                                            .from = spoken(from),
                                                            .to = spoken(to),
                                                            .orders = o->orders,
                                                            .stops = o->stops,
                                                            .positions = o->positions,
                                                            .handed_to = handed_to};
}

static void flip_instance(struct core *c, const struct staged_instance *e)
{
    struct instance_row *r = &c->instance[e->def.id];
    bool is_other = changes(c, e);
    for (uint32_t i = 0; r->id == 0 && i < REIGNS; i++)
        r->reign[i] = (struct reign){.generation = REIGN_NOBODY};
    config_instance(c, &e->def);
    if (!is_other)
        return;
    uint64_t from = r->reign[0].generation;
    flip_reign(c, r, e->generation);
    r->is_removed = 0;
    say_flipped(c, e->def.id, from, e->generation, 0);
    if (r->mode == MODE_REDUCING && r->mode_why == FACT_WHY_PLUGIN)
        mode_set(c, MODE_SCOPE_STRATEGY, e->def.id, MODE_ACTIVE, FACT_WHY_FLIP);
}

#define SWAP(a, b)                                                                                 \
    do {                                                                                           \
        __typeof__(a) swap_keep = (a);                                                             \
        (a) = (b);                                                                                 \
        (b) = swap_keep;                                                                           \
    } while (0)

/* Limits and rates are those of the deployment, all of them: none is left over. */
static void swap_tables(struct core *c)
{
    SWAP(c->limit, c->staged_limit);
    SWAP(c->effective, c->staged_effective);
    SWAP(c->rate, c->staged_rate);
    c->limit_count = c->staged.limit_count;
    c->rate_count = c->staged.rate_count;
    c->staged.is_committed = 0; /* books born from here on have the limits in force only */
}

static void take_tables(struct core *c)
{
    const struct staged *s = &c->staged;
    for (uint32_t i = 0; i < s->currency_count; i++)
        config_currency(c, &c->staged_currency[i]);
    for (uint32_t i = 0; i < s->account_count; i++)
        config_account(c, &c->staged_account[i]);
    for (uint32_t i = 0; i < s->instrument_count; i++)
        config_instrument(c, &c->staged_instrument[i]);
    for (uint32_t i = 0; i < s->instance_count; i++)
        flip_instance(c, &c->staged_instance[i]);
    swap_tables(c);
    for (uint32_t i = 0; i < s->route_count; i++)
        config_route(c, &c->staged_route[i]);
}

static void remove_instances(struct core *c)
{
    for (uint32_t i = 0; i < c->staged.remove_count; i++) {
        const struct fact_remove *e = &c->staged_remove[i];
        struct instance_row *r = &c->instance[e->strategy];
        if (e->instrument != 0)
            continue;
        say_flipped(c, e->strategy, r->reign[0].generation, REIGN_NOBODY, e->to);
        flip_reign(c, r, REIGN_NOBODY);
        r->is_removed = 1;
        r->auto_on = 0;
    }
}

static void hand_over(struct core *c, struct book_row *b, uint32_t to)
{
    struct book_row *t = book_find(c, to, b->instrument);
    must(t != NULL && t->account == b->account && !holds(t));
    oms_hand_over(c, b, t);
    pos_hand_over(c, b, t);
    stops_hand_over(c, b, t);
    plan_hand_over(b, t);
    c->tighter[book_index(c, t)] = RISK_HELD_RULES; /* what it took is new to its limits */
}

static void remove_routes(struct core *c)
{
    for (uint32_t i = 1; i < c->book_count; i++) {
        struct book_row *b = &c->book[i];
        const struct fact_remove *r =
            b->strategy != 0 ? staged_removal(c, b->strategy, b->instrument) : NULL;
        if (r == NULL)
            continue;
        b->budget = 0;
        if (r->on_remove == FACT_ON_REMOVE_HAND_TO && holds(b))
            hand_over(c, b, r->to);
    }
    for (uint32_t i = 1; i < c->book_count; i++) {
        struct book_row *b = &c->book[i];
        if (b->strategy != 0 && staged_removal(c, b->strategy, b->instrument) != NULL)
            plan_leave(c, b);
    }
}

/* Who holds more than a limit that was lowered opens nothing until an operator says so. */
static void reduce_what_exceeds(struct core *c)
{
    for (uint32_t i = 1; i < c->book_count; i++) {
        struct book_row *b = &c->book[i];
        if (c->tighter[i] == 0 || b->strategy == 0 || b->is_leaving || !holds(b) ||
            c->instance[b->strategy].mode >= MODE_REDUCING)
            continue;
        if (risk_exceeds(c, b, c->tighter[i]))
            mode_set(c, MODE_SCOPE_STRATEGY, b->strategy, MODE_REDUCING, FACT_WHY_LIMIT);
    }
}

static void activate(struct core *c, const struct fact_deploy *e, int64_t run_until_ns)
{
    c->serial = e->serial;
    memcpy(c->deployment, e->sha256, sizeof c->deployment);
    mode_deployed(c, run_until_ns);
}

void flip_deploy(struct core *c, const struct fact_deploy *e)
{
    const struct staged *s = &c->staged;
    /* Unsigned, or the first: its rows are taken as they come. After a signed one nothing is live
     * whose rows were not committed: a name without them would run on the old ones' limits. */
    if (!s->is_open && c->serial == 0) {
        activate(c, e, 0);
        return;
    }
    if (!s->is_open || !s->is_committed || s->serial != e->serial ||
        memcmp(s->sha256, e->sha256, sizeof e->sha256) != 0) {
        step_ignored(c, FACT_IGNORED_NOT_STAGED, FACT_DEPLOY, e->serial);
        return;
    }
    count_owned(c);
    uint32_t who = forbidden_by(c);
    if (who != 0) {
        step_ignored(c, FACT_IGNORED_NOT_FLAT, FACT_DEPLOY, who);
        return;
    }
    activate(c, e, s->run_until_ns);
    take_tables(c);
    if (s->remove_count > 0) {
        remove_instances(c);
        remove_routes(c);
    }
    reduce_what_exceeds(c);
    staged_forget(c);
}
