/* SPDX-License-Identifier: Apache-2.0
 *
 * The desk's life, and the engine's side of it. Each entry does its own thing and ends with one
 * pump: what is owed is said, what is ready is sent, rounds of the kill go on, the next deadline is
 * found. So no entry has to know what it may have made possible.
 *
 * An approval is its slot: index i of the table is slot i of the witness. Slots come back through a
 * queue, so that the oldest answer is forgotten first: the witness remembers the last thousands.
 */
#include "egress/desk_priv.h"
#include <string.h>

size_t desk_bytes(void)
{
    return sizeof(struct desk);
}

/* The wall clock was set back: everything that waits for a time waits as long as before. */
static void shift(struct desk *d, int64_t by)
{
    for (uint32_t i = d->live_first; i != DESK_NONE; i = d->approval[i].next) {
        struct desk_approval *p = &d->approval[i];
        p->came_ns += by;
        p->deadline_ns += by;
        p->held_ns += p->held_ns ? by : 0;
    }
    for (uint32_t i = 0; i < DESK_TICKETS_MAX; i++)
        d->ticket[i].deadline_ns += by;
    for (uint32_t i = 0; i < d->account_count; i++) {
        struct desk_account *a = &d->account[i];
        a->hold_until_ns += by;
        a->ban_until_ns += by;
        a->round.next_ns += by;
        a->round.since_ns += by;
        for (uint32_t b = 0; b < ROAD_BUDGETS_MAX; b++)
            rate_shift(&a->budget[b], by);
        for (uint32_t t = 0; t < 2 * TN_ADAPTER_TIMERS_MAX; t++) {
            int64_t *at = &a->session[t & 1].timer[t >> 1];
            *at = *at && *at + by > 0 ? *at + by : *at;
        }
    }
    d->now += by;
    d->next_ns = d->now;
}

/* Small steps back are waited out: a time never falls. */
void desk_enter(struct desk *d, int64_t wall_ns)
{
    must(d->magic == DESK_MAGIC);
    d->wall_ns = wall_ns;
    if (wall_ns < d->now - DESK_STEP_NS)
        shift(d, wall_ns - d->now);
    if (wall_ns > d->now)
        d->now = d->wall_ns = wall_ns;
}

/* ---- slots ---- */
static void link_live(struct desk *d, uint32_t i)
{
    struct desk_approval *a = &d->approval[i];
    a->next = DESK_NONE;
    a->before = d->live_last;
    if (d->live_last == DESK_NONE)
        d->live_first = i;
    else
        d->approval[d->live_last].next = i;
    d->live_last = i;
    d->totals.open++;
}

static void put_free(struct desk *d, uint32_t i)
{
    d->approval[i].state = DESK_STATE_UNSET;
    d->approval[i].next = DESK_NONE;
    if (d->free_last == DESK_NONE)
        d->free_first = i;
    else
        d->approval[d->free_last].next = i;
    d->free_last = i;
}

void desk_drop(struct desk *d, uint32_t i)
{
    struct desk_approval *a = &d->approval[i];
    if (a->before == DESK_NONE)
        d->live_first = a->next;
    else
        d->approval[a->before].next = a->next;
    if (a->next == DESK_NONE)
        d->live_last = a->before;
    else
        d->approval[a->next].before = a->before;
    d->totals.open--;
    put_free(d, i);
}

void desk_slot_take(struct desk *d, uint32_t *slot)
{
    uint32_t i = *slot = d->free_first;
    if (i == DESK_NONE)
        return;
    d->free_first = d->approval[i].next;
    if (d->free_first == DESK_NONE)
        d->free_last = DESK_NONE;
    memset(&d->approval[i], 0, sizeof d->approval[i]);
    link_live(d, i);
}

/* ---- life ---- */
static void reset_lists(struct desk *d)
{
    d->free_first = d->free_last = d->live_first = d->live_last = DESK_NONE;
    for (uint32_t i = 0; i < DESK_APPROVALS_MAX; i++)
        if (witness_state(&d->w->slot[i]) == WITNESS_UNSET)
            put_free(d, i);
    for (uint32_t i = 0; i < DESK_APPROVALS_MAX; i++)
        if (witness_state(&d->w->slot[i]) != WITNESS_UNSET)
            put_free(d, i);
}

bool desk_any_killed(const struct desk *d)
{
    for (uint32_t i = 0; i < WITNESS_KILLS; i++)
        if (d->w->kill[i].is_set)
            return true;
    return false;
}

struct result desk_init(void *memory, size_t bytes, const struct desk_config *c, int64_t wall_ns,
                        struct desk **out, struct trail *tr)
{
    struct desk *d = memory;
    must(bytes >= sizeof *d && ((uintptr_t)memory & 63) == 0);
    must(c->ops.to_core && c->ops.to_bay && c->ops.send && c->ops.secret && c->ops.open &&
         c->ops.close);
    memset(d, 0, offsetof(struct desk, line));
    TRY(witness_open(c->witness, sizeof(struct witness), c->boot, &d->power_lost, tr));
    d->magic = DESK_MAGIC;
    d->c = *c;
    if (!d->c.template_wait_ns)
        d->c.template_wait_ns = DESK_TEMPLATE_WAIT_NS;
    d->w = c->witness;
    witness_read_head(d->w, &d->head);
    d->now = d->wall_ns = wall_ns;
    d->next_ns = INT64_MAX;
    d->first_ticket = d->next_ticket = (uint64_t)wall_ns;
    rng_seed(&d->rng, c->seed);
    reset_lists(d);
    d->totals.is_killed = desk_any_killed(d);
    for (uint32_t i = 0; i < DESK_ACCOUNTS_MAX; i++)
        d->account[i].index = i;
    *out = d;
    return OK_RESULT;
}

void desk_pump(struct desk *d)
{
    desk_say_owed(d);
    desk_release(d);
    for (uint32_t i = 0; i < d->account_count; i++) {
        desk_tell_spilled(d, &d->account[i], false);
        desk_tell_spilled(d, &d->account[i], true);
        desk_round_run(d, &d->account[i]);
    }
    desk_say_owed(d);
#ifdef TENON_SLOW_CHECKS
    desk_check(d);
#endif
}

/* ---- the engine comes and goes ---- */
bool desk_admits(const struct desk *d, const struct road_hello *h, const char **why)
{
    static const uint8_t none[16];
    bool same = memcmp(d->head.journal_id, h->journal_id, sizeof none) == 0;
    *why = NULL;
    if (!h->epoch)
        *why = "an engine without an epoch";
    else if (same && h->epoch < d->head.epoch)
        *why = "an engine of a newer epoch of this journal has been here; this one is fenced off";
    return !*why;
}

/* What has not been taken will never be: its 0 bytes are certain. What flies is nobody's now. */
static void burn_open(struct desk *d)
{
    uint32_t next;
    for (uint32_t i = d->live_first; i != DESK_NONE; i = next) {
        next = d->approval[i].next;
        if (d->approval[i].state == DESK_OWED) {
            d->owed--;
            desk_drop(d, i);
        } else if (d->approval[i].state == DESK_FLYING) {
            desk_answer(d, i, FACT_SENT_UNKNOWN, FACT_SENT_REASON_EPOCH);
        } else {
            desk_answer(d, i, FACT_SENT_FAILED, FACT_SENT_REASON_EPOCH);
        }
    }
    must(d->live_first == DESK_NONE && d->owed == 0);
}

/* A ticket outlives the engine that asked; its approval does not. */
static void unbind_tickets(struct desk *d)
{
    for (uint32_t i = 0; d->ticket_count && i < DESK_TICKETS_MAX; i++)
        d->ticket[i].approval = DESK_NONE;
}

void desk_attach(struct desk *d, int64_t wall_ns, const struct road_hello *h)
{
    const char *why;
    desk_enter(d, wall_ns);
    d->is_attached = d->is_ready = false;
    burn_open(d);
    unbind_tickets(d);
    if (!desk_admits(d, h, &why)) {
        desk_log(d, 4, "epoch %llu: %s", (unsigned long long)h->epoch, why);
        return;
    }
    d->before_epoch = d->head.epoch;
    if (memcmp(d->head.journal_id, h->journal_id, sizeof h->journal_id) != 0)
        d->head.seq = 0;
    memcpy(d->head.journal_id, h->journal_id, sizeof h->journal_id);
    d->head.epoch = d->epoch = h->epoch;
    witness_write_head(d->w, &d->head);
    desk_witnessed(d, true);
    d->is_attached = d->attached_owed = true;
    d->killed_owed = d->totals.is_killed;
    d->open_at = d->opens = 0;
    d->durable = d->last_k = 0;
    for (uint32_t i = 0; i < d->account_count; i++)
        for (uint32_t l = 0; l < DESK_LINKS_MAX; l++) {
            struct desk_link *link = &d->account[i].session[0].link[l];
            link->is_owed = link->type != 0;
        }
    desk_pump(d);
}

void desk_detach(struct desk *d, int64_t wall_ns)
{
    desk_enter(d, wall_ns);
    d->is_attached = d->is_ready = false;
    burn_open(d);
    unbind_tickets(d);
    desk_pump(d);
}

/* ---- what the engine says ---- */
struct desk_account *desk_account_of(struct desk *d, uint32_t id)
{
    for (uint32_t i = 0; id && i < d->account_count; i++)
        if (id_of(&d->account[i]) == id)
            return &d->account[i];
    return NULL;
}

void desk_from_core(struct desk *d, int64_t wall_ns, uint32_t kind, const void *bytes,
                    uint32_t count)
{
    desk_enter(d, wall_ns);
    if (d->is_attached)
        desk_road_take(d, kind, bytes, count);
    else
        desk_log(d, 4, "a message of an engine that is not attached was dropped");
    desk_pump(d);
}

void desk_durable(struct desk *d, int64_t wall_ns, uint64_t seq)
{
    desk_enter(d, wall_ns);
    if (seq <= d->durable)
        return;
    d->durable = seq;
    desk_pump(d);
}

void desk_kill(struct desk *d, int64_t wall_ns, const struct road_kill *k)
{
    desk_enter(d, wall_ns);
    desk_set_killed(d, k);
    d->killed_owed = true;
    desk_pump(d);
}

/* ---- bays come and go ---- */
void desk_close_links(struct desk *d, struct desk_account *a, bool second)
{
    struct desk_session *s = &a->session[second];
    for (uint32_t i = 0; i < DESK_LINKS_MAX; i++) {
        if (s->link[i].type)
            d->c.ops.close(d->c.ops.arg, id_of(a), second, i);
        memset(&s->link[i], 0, sizeof s->link[i]);
    }
}

static void resume(struct desk *d, struct desk_account *a, bool second)
{
    for (uint32_t i = 0; i < DESK_LINKS_MAX; i++)
        if (a->session[second].link[i].is_up)
            desk_tell_in(d, a, second, TN_IN_RESUMED, i, 0, 0, NULL, 0);
}

/* Numbers of requests, timers and captures are the bay's own: a new one begins anew. Links, stored
 * templates and what was captured belong to the session. */
static void new_bay(struct desk *d, struct desk_account *a, bool second)
{
    struct desk_session *s = &a->session[second];
    s->generation++;
    s->is_here = true;
    s->is_faulty = false;
    s->faults = 0;
    memset(s->timer, 0, sizeof s->timer);
    for (uint32_t i = 0; i < DESK_CAPTURES_MAX; i++)
        s->capture[i].is_wanted = false;
    uint32_t from = s->spill_from, to = s->spill_to;
    s->spill_from = s->spill_to = 0;
    resume(d, a, second);
    if (s->spill_to == 0) { /* what came in meanwhile follows */
        s->spill_from = from;
        s->spill_to = to;
    }
}

static void bay_gone(struct desk *d, struct desk_account *a, bool second)
{
    struct desk_session *s = &a->session[second];
    s->is_here = false;
    s->spill_from = s->spill_to = 0;
    memset(s->timer, 0, sizeof s->timer);
    if (second) { /* it never served */
        desk_close_links(d, a, true);
        uint32_t generation = s->generation; /* numbers of requests are never taken twice */
        memset(s, 0, offsetof(struct desk_session, spill_from));
        s->generation = generation;
        return;
    }
    uint32_t next;
    for (uint32_t i = d->live_first; i != DESK_NONE; i = next) {
        struct desk_approval *p = &d->approval[i];
        next = p->next;
        if (p->account == a->index && p->state == DESK_ASKED && !desk_use_stored(d, i))
            desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    }
}

void desk_bay(struct desk *d, int64_t wall_ns, uint32_t account, bool second, bool here)
{
    desk_enter(d, wall_ns);
    struct desk_account *a = desk_account_of(d, account);
    if (!a) {
        desk_log(d, 4, "a bay of account %u, which nobody named", account);
        return;
    }
    if (a->session[second].is_here)
        bay_gone(d, a, second);
    if (here)
        new_bay(d, a, second);
    desk_pump(d);
}

static void swap_sessions(struct desk *d, struct desk_account *a)
{
    uint32_t generation = a->session[0].generation;
    uint8_t(*spill)[DESK_SPILL_BYTES] = d->spill[a->index];
    a->session[0] = a->session[1];
    memcpy(spill[0], spill[1], a->session[1].spill_to);
    memset(&a->session[1], 0, sizeof a->session[1]);
    a->session[1].generation = a->session[0].generation;
    if (a->session[0].generation <= generation)
        a->session[0].generation = generation + 1;
    for (uint32_t i = 0; i < DESK_TICKETS_MAX; i++) {
        struct desk_ticket *t = &d->ticket[i];
        if (!t->number || t->account != a->index)
            continue;
        if (t->is_second)
            t->generation = a->session[0].generation;
        else
            t->request = 0; /* whose number it was has gone */
        t->is_second = false;
    }
}

void desk_bay_takes_over(struct desk *d, int64_t wall_ns, uint32_t account)
{
    desk_enter(d, wall_ns);
    struct desk_account *a = desk_account_of(d, account);
    if (!a || !a->session[1].is_here || a->session[1].is_faulty) {
        desk_log(d, 4, "account %u has no good second bay that could take over", account);
        return;
    }
    desk_close_links(d, a, false);
    swap_sessions(d, a);
    for (uint32_t i = 0; i < DESK_LINKS_MAX; i++)
        a->session[0].link[i].is_owed = a->session[0].link[i].type != 0;
    desk_tell_in(d, a, false, TN_IN_TAKE_OVER, 0, 0, 0, NULL, 0);
    uint32_t next;
    for (uint32_t i = d->live_first; i != DESK_NONE; i = next) {
        struct desk_approval *p = &d->approval[i];
        next = p->next;
        bool is_old = p->state == DESK_ASKED || (p->state == DESK_READY && !p->by_stored);
        if (p->account != a->index || !is_old)
            continue;
        p->state = DESK_ASKED; /* links and captures of the old one's template are gone */
        desk_ask(d, i);
    }
    arm(d, d->now); /* nothing is sent before the caller's net has changed its names, too */
}

/* ---- time ---- */
int64_t desk_deadline(const struct desk *d)
{
    return d->next_ns;
}

static void bay_timers(struct desk *d, struct desk_account *a, bool second)
{
    struct desk_session *s = &a->session[second];
    for (uint32_t i = 0; i < TN_ADAPTER_TIMERS_MAX; i++) {
        if (!s->timer[i])
            continue;
        if (s->timer[i] > d->now) {
            arm(d, s->timer[i]);
            continue;
        }
        s->timer[i] = 0;
        desk_tell_in(d, a, second, TN_IN_TIMER, i, 0, 0, NULL, 0);
    }
}

static void template_deadlines(struct desk *d)
{
    uint32_t next;
    for (uint32_t i = d->live_first; i != DESK_NONE; i = next) {
        struct desk_approval *a = &d->approval[i];
        next = a->next;
        if (a->state != DESK_ASKED)
            continue;
        if (a->deadline_ns > d->now) {
            arm(d, a->deadline_ns);
            continue;
        }
        d->totals.no_template++;
        desk_alarm(d, ROAD_ALARM_NO_TEMPLATE, id_of(&d->account[a->account]), a->k,
                   "the adapter answered no template in time");
        if (!desk_use_stored(d, i))
            desk_answer(d, i, FACT_SENT_SUPPRESSED, FACT_SENT_REASON_NO_TEMPLATE);
    }
}

void desk_time(struct desk *d, int64_t wall_ns)
{
    desk_enter(d, wall_ns);
    d->next_ns = INT64_MAX;
    template_deadlines(d);
    desk_tickets_time(d);
    for (uint32_t i = 0; i < d->account_count; i++) {
        bay_timers(d, &d->account[i], false);
        bay_timers(d, &d->account[i], true);
    }
    desk_pump(d);
}

bool desk_holds(const struct desk *d, uint32_t account)
{
    if (d->is_attached && d->owed)
        return true;
    for (uint32_t i = 0; i < d->account_count; i++) {
        const struct desk_account *a = &d->account[i];
        for (uint32_t s = 0; id_of(a) == account && s < 2; s++)
            if (a->session[s].is_here && a->session[s].spill_from < a->session[s].spill_to)
                return true;
    }
    return false;
}

void desk_totals(const struct desk *d, struct desk_totals *out)
{
    *out = d->totals;
    out->is_attached = d->is_attached;
    out->epoch = d->epoch;
}

void desk_check(const struct desk *d)
{
    uint32_t live = 0, owed = 0, before = DESK_NONE;
    must(d->magic == DESK_MAGIC);
    for (uint32_t i = d->live_first; i != DESK_NONE; i = d->approval[i].next) {
        const struct desk_approval *a = &d->approval[i];
        uint32_t w = witness_state(&d->w->slot[i]);
        must(a->before == before && a->account < d->account_count);
        must(d->w->slot[i].approval == a->k);
        must(a->state != DESK_ASKED || w == WITNESS_ASKED);
        must(a->state != DESK_READY || w == WITNESS_ASKED);
        must(a->state != DESK_FLYING || w == WITNESS_TAKEN);
        must(a->state != DESK_OWED || w == WITNESS_ANSWERED);
        owed += a->state == DESK_OWED;
        before = i;
        must(++live <= DESK_APPROVALS_MAX);
    }
    must(before == d->live_last && live == d->totals.open && owed == d->owed);
    must(d->head.orders_out <= d->head.approvals);
    must(d->is_attached || live == 0);
    uint32_t tickets = 0;
    for (uint32_t i = 0; i < DESK_TICKETS_MAX; i++)
        tickets += d->ticket[i].number != 0;
    must(tickets == d->ticket_count);
    for (uint32_t i = 0; i < d->account_count; i++)
        for (uint32_t b = 0; b < ROAD_BUDGETS_MAX; b++)
            rate_check(&d->account[i].budget[b]);
}
