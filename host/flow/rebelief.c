/* SPDX-License-Identifier: Apache-2.0
 *
 * See rebelief.h. Two passes over the journal. The survey reads what is said about deployments,
 * which numbers names have, and whose state went to whom. The walk then shows every event to every
 * build that was heard at that moment, in the engine's own order, and meets each recorded signal
 * with what the build answered.
 *
 * The core is not run: what it decided has its own proof (replay.h). Belief depends on it only
 * through POSITION effects, which are records and shown as they stand.
 *
 * Builds come in groups of STARTED records: the first group of an epoch is what the host began or
 * went on with, later ones are builds that a promotion brought. A group is complete when the next
 * event is of another kind.
 */
#include "flow/rebelief.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "flow/rebelief_priv.h"

void *rebelief_grow(void *rows, uint32_t count, size_t bytes)
{
    if ((count & (count - 1)) != 0)
        return rows; /* there is room until the next power of two */
    void *more = realloc(rows, (count == 0 ? 1 : (size_t)count * 2) * bytes);
    must(more != NULL);
    return more;
}

const struct rebelief_name *rebelief_instance(const struct rebelief *b, uint32_t id)
{
    const struct rebelief_name *found = NULL;
    for (uint32_t i = 0; i < b->instance_count; i++) {
        if (b->instance[i].id == id)
            found = &b->instance[i];
    }
    return found;
}

/* ---- the survey ---- */

/* One row per name; a name keeps its number once it is active, so the last word counts. */
static void note_name(struct rebelief_name **rows, uint32_t *count, uint32_t id, uint32_t kind,
                      const char name[FACT_NAME_BYTES])
{
    struct rebelief_name *n = NULL;
    for (uint32_t i = 0; i < *count && n == NULL; i++) {
        if (strncmp((*rows)[i].name, name, FACT_NAME_BYTES) == 0)
            n = &(*rows)[i];
    }
    if (n == NULL) {
        *rows = rebelief_grow(*rows, *count, sizeof **rows);
        n = &(*rows)[(*count)++];
    }
    *n = (struct rebelief_name){.id = id, .kind = kind};
    memcpy(n->name, name, sizeof n->name);
}

static void note_state(struct rebelief *b, const struct fact_head *head,
                       const struct fact_plugin *p)
{
    if (p->what != FACT_PLUGIN_WARM)
        return;
    b->state = rebelief_grow(b->state, b->state_count, sizeof *b->state);
    b->state[b->state_count++] = (struct rebelief_state){.node = p->instance,
                                                         .generation = head->generation,
                                                         .from_generation = (uint32_t)p->to_seq,
                                                         .as_of = p->from_seq,
                                                         .said_seq = head->seq};
}

static void note(struct rebelief *b, const struct fact_head *head, const void *payload)
{
    const struct fact_instance *i = payload;
    const struct fact_instrument *n = payload;
    const struct fact_start *s = payload;
    if (b->first_seq == 0)
        b->first_seq = head->seq;
    b->last_seq = head->seq;
    registry_take(b->registry, head, payload);
    if (head->type == FACT_INSTANCE)
        note_name(&b->instance, &b->instance_count, i->id, i->kind & ~FACT_COLD, i->name);
    if (head->type == FACT_INSTRUMENT)
        note_name(&b->instrument, &b->instrument_count, n->id, 0, n->symbol);
    if (head->type == FACT_PLUGIN)
        note_state(b, head, payload);
    if (head->type == FACT_START && b->run_kind == 0)
        b->run_kind = s->kind;
    if (fact_class_of(head->type) == FACT_CLASS_MARKET && b->market_type == 0)
        b->market_type = head->type;
}

static struct result survey(struct rebelief *b)
{
    struct journal_reader *r = NULL;
    struct fact_head head;
    const void *payload;
    TRY(journal_reader_open(b->store, &r, b->tr));
    struct result x;
    while (is_ok(x = journal_reader_next(r, &head, &payload, b->tr)))
        note(b, &head, payload);
    journal_reader_close(r);
    return x.code == RESULT_END ? OK_RESULT : x;
}

static struct result check(const struct rebelief *b)
{
    const char *dir = b->o->journal_dir;
    if (b->first_seq == 0 || b->run_kind != FACT_RUN_PAPER)
        return FAIL(
            b->tr, STATE,
            "journal %s: holds no run of a host; a backtest keeps no records of its belief, "
            "and is proved by running it again: its hashes are the same",
            dir);
    if (b->first_seq > 1)
        return FAIL(b->tr, STATE,
                    "journal %s: begins at event %" PRIu64 ", what was before it was pruned, and "
                    "belief is built from the beginning; give a copy from before that",
                    dir, b->first_seq);
    if (b->o->as_serial != 0 && registry_serial(b->registry, b->o->as_serial) == NULL)
        return FAIL(b->tr, NOT_FOUND,
                    "journal %s: has no deployment %" PRIu64 "; see tenon config history", dir,
                    b->o->as_serial);
    return OK_RESULT;
}

/* ---- the walk ---- */

void rebelief_show_rest(struct rebelief_step *s, struct rebelief_seat *const *seat, uint32_t count)
{
    if (!s->has_event)
        return;
    s->has_event = false;
    for (uint32_t i = 0; i < count; i++) {
        if (seat[i]->plant.belief == NULL)
            continue;
        belief_event(seat[i]->plant.belief, &s->event.head, &s->event.u);
        rebelief_match_collect(seat[i]);
    }
}

void rebelief_show(struct rebelief_step *s, struct rebelief_seat *const *seat, uint32_t count,
                   const struct fact_head *head, const void *payload)
{
    if (head->sub == 0) {
        rebelief_show_rest(s, seat, count);
        s->has_event = true;
        s->event.head = *head;
        must(head->bytes <= sizeof s->event.u);
        memcpy(&s->event.u, payload, head->bytes);
        return;
    }
    for (uint32_t i = 0; i < count && head->type == FACT_POSITION; i++) {
        if (seat[i]->plant.belief != NULL)
            belief_event(seat[i]->plant.belief, head, payload);
    }
}

static void note_position(struct rebelief *b, const struct fact_position *p)
{
    for (uint32_t i = 0; i < b->position_count; i++) {
        struct fact_position *was = &b->position[i];
        if (was->strategy == p->strategy && was->instrument == p->instrument &&
            was->account == p->account) {
            *was = *p;
            return;
        }
    }
    b->position = rebelief_grow(b->position, b->position_count, sizeof *b->position);
    b->position[b->position_count++] = *p;
}

static struct result take_start(struct rebelief *b, const struct fact_head *head,
                                const struct fact_start *s)
{
    uint8_t probe[FACT_HASH_BYTES];
    while (b->seat_count > 0)
        rebelief_seat_close(b, b->seat[b->seat_count - 1]);
    b->start_seq = head->seq;
    b->group_is_later = false;
    bay_libm_probe(probe);
    if (memcmp(probe, s->libm_probe, sizeof probe) != 0)
        return FAIL(b->tr, VERSION,
                    "journal %s: event %" PRIu64 " begins a run on a machine whose exp, log and "
                    "pow give other bits than here; compare its belief on one like it",
                    b->o->journal_dir, head->seq);
    return OK_RESULT;
}

/* A record about a build that is not heard is a difference of its own. */
static struct rebelief_seat *seat_of(struct rebelief *b, const struct fact_head *head,
                                     uint32_t instance)
{
    struct rebelief_seat *s = rebelief_seat_find(b, instance, head->generation);
    if (s != NULL)
        return s;
    struct rebelief_build *row = rebelief_seat_row(b, instance, head->generation);
    if (row == NULL)
        return NULL;
    if (head->type == FACT_SIGNAL || head->type == FACT_LATE)
        row->signals++;
    rebelief_differ(row, head->cause_seq,
                    "event %" PRIu64 " is a %s of generation %u of %s, which no record says was "
                    "started",
                    head->seq, fact_name(head->type), head->generation, row->name);
    return NULL;
}

static void take_plugin(struct rebelief *b, const struct fact_head *head,
                        const struct fact_plugin *p)
{
    const struct rebelief_name *n = rebelief_instance(b, p->instance);
    if (n == NULL || n->kind != TN_KIND_STRATEGY)
        return;
    if (p->what == FACT_PLUGIN_STARTED && b->group_count < REBELIEF_GROUP_MAX)
        b->group[b->group_count++] = (struct rebelief_start){.instance = p->instance,
                                                             .generation = head->generation,
                                                             .seq = head->seq,
                                                             .from_seq = p->from_seq,
                                                             .to_seq = p->to_seq};
    if (p->what != FACT_PLUGIN_STOPPED && p->what != FACT_PLUGIN_QUARANTINED &&
        p->what != FACT_PLUGIN_DIED && p->what != FACT_PLUGIN_BACK)
        return;
    struct rebelief_seat *s = seat_of(b, head, p->instance);
    if (s == NULL)
        return;
    if (p->what == FACT_PLUGIN_STOPPED)
        rebelief_seat_close(b, s);
    else if (p->what == FACT_PLUGIN_DIED)
        rebelief_match_died(s, head->cause_seq);
    else if (p->what == FACT_PLUGIN_BACK)
        rebelief_match_back(s, p);
    else
        rebelief_match_fault(b, s, head, p);
}

static struct result take_event(struct rebelief *b, const struct fact_head *head,
                                const void *payload)
{
    const struct fact_signal *signal = payload;
    const struct fact_late *late = payload;
    struct rebelief_seat *s;
    switch (head->type) {
    case FACT_START:
        return take_start(b, head, payload);
    case FACT_PLUGIN:
        take_plugin(b, head, payload);
        return OK_RESULT;
    case FACT_SIGNAL:
        s = seat_of(b, head, signal->instance);
        if (s != NULL)
            rebelief_match_signal(b, s, head, signal);
        return OK_RESULT;
    case FACT_LATE:
        s = seat_of(b, head, late->instance);
        if (s != NULL)
            rebelief_match_late(s, head);
        return OK_RESULT;
    default:
        break;
    }
    if (fact_class_of(head->type) == FACT_CLASS_TICK ||
        fact_class_of(head->type) == FACT_CLASS_MARKET) {
        b->timed_seq = head->seq;
        b->timed_ns = head->t_ns;
    }
    return OK_RESULT;
}

/* What the event before still has to show, and whom it brought. */
static struct result end_step(struct rebelief *b, struct rebelief_step *step, bool is_started)
{
    uint64_t seq = step->event.head.seq;
    if (!step->has_event)
        return OK_RESULT;
    rebelief_show_rest(step, b->seat, b->seat_count);
    rebelief_seat_save(b, seq);
    return b->group_count > 0 && !is_started ? rebelief_seat_open(b, seq) : OK_RESULT;
}

static bool is_started(const struct fact_head *head, const void *payload)
{
    const struct fact_plugin *p = payload;
    return head->type == FACT_PLUGIN && p->what == FACT_PLUGIN_STARTED;
}

static struct result take(struct rebelief *b, struct rebelief_step *step,
                          const struct fact_head *head, const void *payload)
{
    if (head->sub == 0) {
        TRY(end_step(b, step, is_started(head, payload)));
        b->out->events++;
        TRY(take_event(b, head, payload));
    }
    if (head->type == FACT_POSITION)
        note_position(b, payload);
    rebelief_show(step, b->seat, b->seat_count, head, payload);
    b->read_seq = head->seq;
    return OK_RESULT;
}

static struct result walk(struct rebelief *b)
{
    struct rebelief_step *step = calloc(1, sizeof *step);
    struct journal_reader *r = NULL;
    struct fact_head head;
    const void *payload;
    must(step != NULL);
    struct result x = journal_reader_open(b->store, &r, b->tr);
    while (is_ok(x) && is_ok(x = journal_reader_next(r, &head, &payload, b->tr)))
        x = take(b, step, &head, payload);
    if (r != NULL)
        journal_reader_close(r);
    if (x.code == RESULT_END)
        x = end_step(b, step, false);
    free(step);
    return x;
}

/* ---- the whole ---- */

static void finish(struct rebelief *b)
{
    struct rebelief_report *out = b->out;
    while (b->seat_count > 0)
        rebelief_seat_close(b, b->seat[b->seat_count - 1]);
    for (uint32_t i = 0; i < out->build_count; i++) {
        const struct rebelief_build *row = &out->build[i];
        out->signals += row->signals;
        out->differing += row->difference[0] != 0;
        must(row->difference[0] != 0 || row->same == row->signals);
    }
}

static void release(struct rebelief *b)
{
    for (uint32_t i = 0; i < b->state_count; i++)
        free(b->state[i].bytes);
    free(b->state);
    free(b->instance);
    free(b->instrument);
    free(b->position);
    registry_free(b->registry);
    b->store->ops->close(b->store);
    free(b);
}

struct result rebelief_run(const struct rebelief_options *o, struct rebelief_report *out,
                           struct trail *tr)
{
    memset(out, 0, sizeof *out);
    struct rebelief *b = calloc(1, sizeof *b);
    must(b != NULL);
    b->o = o;
    b->out = out;
    b->tr = tr;
    struct result r = journal_store_rocksdb(o->journal_dir, false, true, &b->store, tr);
    if (!is_ok(r)) {
        free(b);
        return r;
    }
    b->registry = registry_new();
    registry_keep_all(b->registry);
    r = survey(b);
    if (is_ok(r))
        r = check(b);
    if (is_ok(r))
        r = walk(b);
    finish(b);
    if (is_ok(r) && out->build_count == 0)
        r = FAIL(tr, STATE,
                 "journal %s: no strategy was started in it; there is no belief to compare",
                 o->journal_dir);
    release(b);
    return r;
}
