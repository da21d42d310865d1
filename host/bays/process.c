/* SPDX-License-Identifier: Apache-2.0
 *
 * The hot side of a process bay: give, take, and what becomes of a death.
 *
 * Whether the bay has done what it was given is told by PING and PONG, one open at a time: an event
 * that nobody answers and one that is still being worked on look the same otherwise. The caller
 * reads no clock: the keeper looks at how long a PING is open and says `overdue`; only after the
 * line was read to its end is that a death, so a caller that was itself away blames nobody.
 *
 * Each event is kept in `past` before it is sent. That ring and the last saved state are all that a
 * restart needs; it costs a copy of 80 bytes for each event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bays/process_priv.h"

enum { ANSWER_SLOTS = BAY_ANSWERS_MAX + 4 }; /* room for DIED, BACK and a fault beyond the rest */

struct bay_answer *process_slot(struct process_bay *b)
{
    must(b->answer_used < ANSWER_SLOTS);
    struct bay_answer *a = &b->answer[(b->answer_head + b->answer_used++) % ANSWER_SLOTS];
    memset(a, 0, sizeof *a);
    return a;
}

/* ---- deaths ---- */

/* Event time of the newest event; deaths are counted in it, so a replay counts the same. */
static const struct tn_event *newest(const struct process_bay *b)
{
    const uint64_t head = process_head(b);
    return head > 0 ? process_past(b, head - 1) : NULL;
}

static bool is_too_often(struct process_bay *b, int64_t now_ns)
{
    memmove(&b->death_ns[1], &b->death_ns[0], (PROCESS_DEATHS_MAX - 1) * sizeof b->death_ns[0]);
    b->death_ns[0] = now_ns;
    b->death_count += b->death_count < PROCESS_DEATHS_MAX;
    return b->death_count == PROCESS_DEATHS_MAX &&
           now_ns - b->death_ns[PROCESS_DEATHS_MAX - 1] < PROCESS_DEATHS_NS;
}

/* Nothing that it was told can be told again. */
static const char *no_way_back(const struct process_bay *b)
{
    if (b->is_past_lost)
        return "past overgrown";
    if (!b->is_active)
        return "never was active";
    if (b->has_state ? b->state_at < b->kept : b->was_loaded)
        return "no state to load";
    return NULL;
}

static void release(struct process_bay *b, uint32_t phase)
{
    b->phase = phase;
    if (b->home->o.is_waited) {
        spawn_kill(b->home->o.spawn, b->child.id);
        return;
    }
    atomic_store_explicit(&b->revive, REVIVE_WANTED, memory_order_release);
    process_keep_wake(b->home);
}

void process_die(struct process_bay *b, const char *how)
{
    if (b->phase == PROCESS_OFF || b->phase == PROCESS_DOWN)
        return;
    const struct tn_event *e = newest(b);
    const char *stuck = no_way_back(b);
    char said[PROCESS_HOW_BYTES];
    snprintf(said, sizeof said, "%s", how);
    if (b->phase == PROCESS_LIVE)
        b->void_from = b->done;
    const bool often = is_too_often(b, e != NULL ? e->t_ns : 0);
    struct bay_answer *a = process_slot(b);
    const uint64_t last = process_head(b);
    const struct tn_event *lost = b->void_from < last ? process_past(b, b->void_from) : e;
    a->kind = often || stuck != NULL ? BAY_FAULT : BAY_DIED;
    a->instance = b->strategy_id;
    a->cause_seq = lost != NULL ? lost->seq : 0;
    a->cause_t_ns = lost != NULL ? lost->t_ns : 0;
    a->status = TN_E_STATE;
    if (often)
        snprintf(a->text, sizeof a->text, "died %d times: %.44s", PROCESS_DEATHS_MAX, said);
    else if (stuck != NULL)
        snprintf(a->text, sizeof a->text, "%.44s; %.16s", said, stuck);
    else
        snprintf(a->text, sizeof a->text, "%.63s", said);
    b->totals.deaths++;
    b->totals.died_ns = clock_mono(b->home->o.clock); /* a death is no hot path */
    if (b->home->o.log != NULL)
        log_now(b->home->o.log, LOG_ERROR, &(struct log_ids){.plugin_hash = b->plugin_hash},
                "bay of plugin %s: %s; %s", b->strategy->id, said,
                a->kind == BAY_DIED ? "it is started again"
                                    : "it stays off: promote another build");
    release(b, a->kind == BAY_DIED ? PROCESS_DOWN : PROCESS_OFF);
}

void process_fault(struct process_bay *b, const struct bay_answer *a)
{
    *process_slot(b) = *a;
    if (b->home->o.log != NULL)
        log_now(b->home->o.log, LOG_ERROR, &(struct log_ids){.plugin_hash = b->plugin_hash},
                "plugin %s %s broke its contract (%s, status %d) and is quarantined: it gives no "
                "more signals; report it to %s or promote another version",
                b->strategy->id, b->strategy->version, a->text, a->status, b->strategy->vendor);
    release(b, PROCESS_OFF);
}

/* The child that the keeper started knows the past up to ready_at; here is the rest. */
static void take_over(struct process_bay *b)
{
    const uint64_t head = process_head(b);
    if (b->is_past_lost) {
        b->phase = PROCESS_CATCHING;
        process_die(b, b->how);
        return;
    }
    b->phase = PROCESS_CATCHING;
    b->sent = b->ready_at;
    while (b->sent < head) {
        if (!link_put(&b->link, LINE_GIVE, process_past(b, b->sent), sizeof(struct tn_event))) {
            process_die(b, "its line is full");
            return;
        }
        b->sent++;
    }
    if (b->done == b->sent)
        process_back(b);
    process_ask(b);
    link_ring(&b->link);
}

static void come_back(struct process_bay *b)
{
    if (b->home->o.is_waited) {
        struct trail tr = {0};
        const struct result r = process_revive(b, &tr);
        if (!is_ok(r) && b->how[0] == 0)
            snprintf(b->how, sizeof b->how, "%.95s", trail_sentence(&tr, r));
        atomic_store(&b->revive, is_ok(r) ? REVIVE_READY : REVIVE_FAILED);
    }
    const uint32_t now = atomic_load_explicit(&b->revive, memory_order_acquire);
    if (now != REVIVE_READY && now != REVIVE_FAILED)
        return;
    atomic_store_explicit(&b->revive, REVIVE_UNSET, memory_order_relaxed);
    if (now == REVIVE_READY) {
        process_keep_wake(b->home); /* to watch it */
        take_over(b);
        return;
    }
    char how[PROCESS_HOW_BYTES];
    memcpy(how, b->how, sizeof how);
    b->phase = PROCESS_CATCHING; /* it is DOWN no more: this is the next death */
    process_die(b, how);
}

/* ---- reading ---- */

bool process_pump(struct process_bay *b)
{
    const char *wrong = process_read(b);
    if (b->phase == PROCESS_OFF)
        return false;
    if (wrong == NULL)
        return true;
    process_die(b, wrong);
    return false;
}

/* Reads the line; then, and only then, is silence a death. */
static void look(struct process_bay *b)
{
    const bool is_gone = atomic_load_explicit(&b->gone, memory_order_acquire) != 0;
    const uint64_t overdue = atomic_load_explicit(&b->overdue, memory_order_relaxed);
    if (!process_pump(b))
        return;
    const bool is_read = !link_has(&b->link);
    char how[PROCESS_HOW_BYTES];
    if (is_gone && is_read) {
        process_how(b, "its process has ended", how);
        process_die(b, how);
    } else if (overdue > atomic_load_explicit(&b->answered, memory_order_relaxed) && is_read) {
        snprintf(how, sizeof how, "gave no answer for %ld ms",
                 (long)(b->home->o.answer_ns / 1000000));
        process_die(b, how);
    } else if (atomic_load_explicit(&b->answered, memory_order_relaxed) ==
                   atomic_load_explicit(&b->asked, memory_order_relaxed) &&
               b->done < b->sent) {
        process_ask(b);
        link_ring(&b->link);
    }
}

/* Runs as fast as it can go: until everything given is done, or there is something to take. */
static void wait_done(struct process_bay *b)
{
    const int64_t until = process_deadline(b);
    while ((b->phase == PROCESS_LIVE || b->phase == PROCESS_CATCHING) && b->answer_used == 0 &&
           b->done < b->sent) {
        process_ask(b);
        link_ring(&b->link);
        if (!process_wait(b, until)) {
            char how[PROCESS_HOW_BYTES];
            if (!process_pump(b))
                return;
            if (b->answer_used > 0 || b->done == b->sent)
                return;
            process_how(b, "gave no answer in time", how);
            process_die(b, how);
            return;
        }
        if (!process_pump(b))
            return;
    }
}

static bool take(struct bay *bay, struct bay_answer *out)
{
    struct process_bay *b = process_self(bay);
    if (b->answer_used == 0) {
        if (b->phase == PROCESS_DOWN)
            come_back(b);
        if (b->phase == PROCESS_LIVE || b->phase == PROCESS_CATCHING) {
            if (b->home->o.is_waited)
                wait_done(b);
            else
                look(b);
        }
    }
    if (b->answer_used == 0)
        return false;
    *out = b->answer[b->answer_head];
    b->answer_head = (b->answer_head + 1) % ANSWER_SLOTS;
    b->answer_used--;
    b->totals.answers += out->kind == BAY_SIGNAL;
    if (out->kind == BAY_DIED || out->kind == BAY_FAULT)
        b->totals.off_ns = clock_mono(b->home->o.clock);
    if (out->kind == BAY_BACK)
        b->totals.back_ns = clock_mono(b->home->o.clock);
    return true;
}

/* ---- writing ---- */

/* Only the past while it is down may grow over what the keeper reads: then it is given up. */
static void keep(struct process_bay *b, const struct tn_event *ev)
{
    const uint64_t head = atomic_load_explicit(&b->head, memory_order_relaxed);
    if (head - b->kept > b->past_mask) {
        b->is_past_lost |= b->phase == PROCESS_DOWN;
        if (b->is_past_lost)
            return;
        b->kept++;
    }
    *process_past(b, head) = *ev;
    atomic_store_explicit(&b->head, head + 1, memory_order_release);
}

/* History may wait for room, and so may a run that waits anyway. */
static void send(struct process_bay *b, const struct tn_event *ev)
{
    bool may_wait = b->home->o.is_waited || (ev->flags & TN_EVENT_F_WARMUP);
    const int64_t until = may_wait ? process_deadline(b) : 0;
    while (!link_put(&b->link, LINE_GIVE, ev, sizeof *ev)) {
        if (b->link.broken != NULL || !may_wait) {
            process_die(b, b->link.broken != NULL ? b->link.broken
                                                  : "does not keep up: its line is full");
            return;
        }
        link_ring(&b->link);
        const int64_t soon = clock_mono(b->home->o.clock) + 1000000;
        (void)process_wait(b, soon);
        if (!process_pump(b))
            return;
        may_wait = soon < until && atomic_load(&b->gone) == 0;
    }
    b->sent++;
    process_ask(b);
    link_ring(&b->link);
}

static void give(struct bay *bay, const struct tn_event *ev, uint32_t count)
{
    struct process_bay *b = process_self(bay);
    for (uint32_t i = 0; i < count && b->phase != PROCESS_OFF; i++, ev++) {
        must(ev->size == sizeof *ev);
        must(b->is_active || (ev->flags & TN_EVENT_F_WARMUP));
        b->totals.given++;
        keep(b, ev);
        if (b->phase != PROCESS_LIVE && b->phase != PROCESS_CATCHING)
            continue;
        send(b, ev);
        if (b->can_save && b->is_active && b->phase == PROCESS_LIVE && !b->is_saving &&
            process_head(b) >= b->save_next)
            process_ask_save(b);
    }
}

/* ---- the rest of bay_ops ---- */

static uint32_t warmup(struct bay *bay)
{
    return process_self(bay)->warmup;
}

static struct result fail_dead(struct process_bay *b, struct trail *tr)
{
    return FAIL(tr, PLUGIN, "plugin %s: its bay is not running; see its fault", b->strategy->id);
}

void process_states(struct process_bay *b, uint64_t at)
{
    for (uint32_t n = 0; n < b->spec.node_count; n++) {
        struct process_state *s = &b->state[n];
        uint8_t *old = s->bytes;
        s->bytes = s->coming;
        s->coming = old;
        s->count = s->got;
    }
    b->has_state = true;
    b->state_at = at;
    b->save_next = at + PROCESS_SAVE_EVERY;
    b->totals.saves++;
}

/* Every node's state as of now: what a restart goes on from. */
static struct result save_all(struct process_bay *b, struct trail *tr)
{
    const uint64_t head = process_head(b);
    struct result r = OK_RESULT;
    if (!b->can_save)
        return r;
    const uint64_t seq = head > 0 ? process_past(b, head - 1)->seq : 0;
    for (uint32_t n = 0; n < b->spec.node_count && is_ok(r); n++)
        r = process_save_node(b, n, seq, tr);
    if (!is_ok(r))
        return r;
    process_states(b, head);
    return OK_RESULT;
}

static struct result activate(struct bay *bay, struct trail *tr)
{
    struct process_bay *b = process_self(bay);
    struct line_done done;
    must(!b->is_active);
    if (b->phase == PROCESS_OFF)
        return FAIL(tr, PLUGIN, "plugin %s is quarantined since its warm-up; see its fault",
                    b->strategy->id);
    TRY(process_command(b, LINE_ACTIVATE, NULL, 0, &done, tr));
    b->is_active = true;
    b->activated_at = process_head(b);
    return save_all(b, tr);
}

static struct result save(struct bay *bay, uint32_t node, uint64_t as_of_seq, void **bytes,
                          size_t *count, struct trail *tr)
{
    struct process_bay *b = process_self(bay);
    must(node < b->spec.node_count);
    if (b->phase != PROCESS_LIVE)
        return fail_dead(b, tr);
    TRY(process_save_node(b, node, as_of_seq, tr));
    const struct process_state *s = &b->state[node];
    *bytes = malloc(s->got > 0 ? s->got : 1);
    must(*bytes != NULL);
    memcpy(*bytes, s->coming, s->got);
    *count = s->got;
    return OK_RESULT;
}

static struct result load(struct bay *bay, uint32_t node, const void *bytes, size_t count,
                          struct trail *tr)
{
    struct process_bay *b = process_self(bay);
    must(node < b->spec.node_count);
    if (b->phase != PROCESS_LIVE || b->is_active)
        return FAIL(tr, STATE, "plugin %s is %s: state is loaded before activate", b->strategy->id,
                    b->is_active ? "active" : "quarantined");
    b->was_loaded = true;
    return process_load_node(b, node, bytes, count, tr);
}

static bool is_quarantined(const struct bay *bay)
{
    return process_self(bay)->phase == PROCESS_OFF;
}

static void idle(struct bay *bay)
{
    struct process_bay *b = process_self(bay);
    const struct log_ids ids = {.plugin_hash = b->plugin_hash};
    if (b->phase == PROCESS_DOWN) /* the keeper may be writing them */
        return;
    static const enum log_level level[] = {LOG_INFO, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    for (uint32_t i = 0; i < b->line_count && b->home->o.log != NULL; i++) {
        const struct process_line *l = &b->line[i];
        log_now(b->home->o.log, level[l->level < 5 ? l->level : 0], &ids, "%s: %.*s",
                b->strategy->id, (int)l->count, l->text);
    }
    if (b->lines_lost > 0 && b->home->o.log != NULL)
        log_now(b->home->o.log, LOG_WARN, &ids, "%s: %lu log lines more than are kept",
                b->strategy->id, (unsigned long)b->lines_lost);
    b->line_count = 0;
    b->lines_lost = 0;
}

static void stop(struct bay *bay)
{
    struct process_bay *b = process_self(bay);
    process_keep_drop(b);
    idle(bay);
    process_end(b);
    for (uint32_t n = 0; n < BAY_NODES_MAX; n++) {
        free(b->state[n].bytes);
        free(b->state[n].coming);
    }
    free(b->past);
    free(b->answer);
    free(b->line);
    free(b->body);
    b->magic = 0;
    free(b);
}

static const struct bay_ops process_ops = {.name = "process",
                                           .give = give,
                                           .take = take,
                                           .warmup = warmup,
                                           .activate = activate,
                                           .save = save,
                                           .load = load,
                                           .is_quarantined = is_quarantined,
                                           .stop = stop,
                                           .idle = idle};

void process_totals(const struct bay *bay, struct process_totals *out)
{
    const struct process_bay *b = process_self(bay);
    *out = b->totals;
    out->pid = b->phase == PROCESS_LIVE || b->phase == PROCESS_CATCHING ? b->child.pid : 0;
}

/* ---- creation ---- */

static void *need(size_t count, size_t bytes)
{
    void *p = calloc(count > 0 ? count : 1, bytes);
    must(p != NULL); /* boot: nothing can be done without memory */
    return p;
}

static void copy_spec(struct process_bay *b, const struct bay_spec *spec)
{
    b->spec = *spec;
    b->can_save = true;
    for (uint32_t n = 0; n < spec->node_count; n++) {
        const struct tn_manifest *m = &spec->node[n].module->facts.manifest;
        if (m->param_count > 0)
            memcpy(b->params[n], spec->node[n].params, m->param_count * sizeof b->params[n][0]);
        b->spec.node[n].params = b->params[n];
        b->can_save = b->can_save && m->state_schema > 0;
        b->state[n].max =
            (uint32_t)(sizeof(struct state_header) + TN_MAX_PARAMS * sizeof(struct state_param)) +
            m->state_max_bytes;
    }
    const struct bay_module *m = spec->node[spec->node_count - 1].module;
    b->strategy = &m->facts.manifest;
    b->strategy_id = spec->node[spec->node_count - 1].id;
    for (int i = 0; i < 8; i++)
        b->plugin_hash = b->plugin_hash << 8 | m->facts.sha256[i];
}

/* What it can be told again must reach as far back as it wants to look. */
static uint64_t past_size(const struct process_bay *b)
{
    uint64_t want = PROCESS_PAST_MIN;
    while (want < 4ull * b->warmup && want < PROCESS_PAST_MAX)
        want *= 2;
    return want;
}

struct result process_new(struct process_home *h, const struct bay_spec *spec,
                          const struct process_spec *p, struct bay **out, struct trail *tr)
{
    must(h != NULL && spec != NULL && spec->node_count > 0 && spec->node_count <= BAY_NODES_MAX);
    *out = NULL;
    struct process_bay *b = need(1, sizeof *b);
    b->base.ops = &process_ops;
    b->magic = PROCESS_MAGIC;
    b->home = h;
    b->want = *p;
    if (b->want.spin_us == 0)
        b->want.spin_us = PROCESS_SPIN_US;
    b->child.pidfd = -1;
    b->body = need(1, PROCESS_BODY_BYTES);
    b->answer = need(ANSWER_SLOTS, sizeof b->answer[0]);
    b->line = need(PROCESS_LINES, sizeof b->line[0]);
    b->phase = PROCESS_LIVE;
    copy_spec(b, spec);
    for (uint32_t n = 0; n < spec->node_count; n++) {
        b->state[n].bytes = need(1, b->state[n].max);
        b->state[n].coming = need(1, b->state[n].max);
    }
    b->past = need(1, sizeof b->past[0]); /* its true size is known when the nodes are there */
    process_keep_add(b);
    struct result r = process_launch(b, tr);
    if (!is_ok(r)) {
        stop(&b->base);
        return r;
    }
    free(b->past);
    b->past = need(past_size(b), sizeof b->past[0]);
    b->past_mask = past_size(b) - 1;
    atomic_store_explicit(&b->runs, 1, memory_order_release);
    process_keep_wake(h);
    *out = &b->base;
    return OK_RESULT;
}
