/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds come and go. What a build knew when it began to count is one of three things:
 *
 *   genesis    nothing: it hears everything after it was activated
 *   restart    the market records of all epochs before, as history (lockstep.c relive)
 *   promotion  the events that its STARTED record names, as history; and for nodes that got their
 *              state handed over, that state: the build which it came from runs here too, and its
 *              state is taken after the same event
 *
 * A build that cannot be put into its first state is shown all the same, but its row says so: its
 * signals are then no proof. Which document it comes from is told by its generation, the serial
 * that brought it. A refused file may have borne the same serial: at a restart the one that was
 * active counts, else the newest that was handed over before and not refused.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "flow/rebelief_priv.h"

/* ---- rows ---- */

struct rebelief_build *rebelief_seat_row(struct rebelief *b, uint32_t instance, uint32_t generation)
{
    for (uint32_t i = 0; i < b->out->build_count; i++) {
        struct rebelief_build *row = &b->out->build[i];
        if (row->instance == instance && row->generation == generation)
            return row;
    }
    if (b->out->build_count == REBELIEF_BUILDS_MAX)
        return NULL;
    struct rebelief_build *row = &b->out->build[b->out->build_count++];
    const struct rebelief_name *n = rebelief_instance(b, instance);
    *row = (struct rebelief_build){.instance = instance, .generation = generation};
    if (n != NULL)
        memcpy(row->name, n->name, sizeof row->name);
    return row;
}

struct rebelief_seat *rebelief_seat_find(const struct rebelief *b, uint32_t instance,
                                         uint32_t generation)
{
    for (uint32_t i = 0; i < b->seat_count; i++) {
        const struct rebelief_build *row = b->seat[i]->row;
        if (row->instance == instance && row->generation == generation)
            return b->seat[i];
    }
    return NULL;
}

/* ---- documents ---- */

static const struct registry_entry *entry_of(const struct rebelief *b,
                                             const struct rebelief_start *s)
{
    const struct registry_entry *found = NULL;
    if (b->o->as_serial != 0)
        return registry_serial(b->registry, b->o->as_serial);
    for (uint32_t i = 0; i < registry_count(b->registry); i++) {
        const struct registry_entry *e = registry_entry(b->registry, i);
        bool is_refused = e->state == PROMOTION_REFUSED && e->last_seq < s->seq;
        if (e->serial != s->generation || e->first_seq > s->seq || is_refused)
            continue;
        if (e->flip.flip_seq != 0 && e->flip.flip_seq < s->seq)
            return e;
        found = e;
    }
    return found;
}

static struct result read_document(const struct rebelief *b, const struct rebelief_start *s,
                                   struct deploy_doc *out)
{
    size_t count = 0;
    const struct registry_entry *e = entry_of(b, s);
    const char *text = e != NULL ? registry_text(b->registry, e->sha256, &count) : NULL;
    const uint64_t serial = b->o->as_serial != 0 ? b->o->as_serial : s->generation;
    if (text == NULL && serial == 0)
        return FAIL(b->tr, MISSING,
                    "journal %s: runs an unsigned deployment, and only the text of signed ones is "
                    "in a journal; its belief is proved by a backtest of the same data",
                    b->o->journal_dir);
    if (text == NULL)
        return FAIL(b->tr, NOT_FOUND,
                    "journal %s: does not hold the text of deployment %" PRIu64
                    "; see tenon config history",
                    b->o->journal_dir, serial);
    return deploy_parse(text, count, e->name[0] != 0 ? e->name : "deployment", NULL, out, b->tr);
}

/* The journal's numbers for what the document names. */
static void map_ids(const struct rebelief *b, const struct deploy_doc *d, struct stage_ids *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < d->instance_count; i++) {
        out->instance[i] = UINT32_MAX; /* of another deployment only */
        for (uint32_t k = 0; k < b->instance_count; k++) {
            if (strncmp(b->instance[k].name, d->instance[i].fact.name, FACT_NAME_BYTES) == 0)
                out->instance[i] = b->instance[k].id;
        }
    }
    for (uint32_t i = 0; i < d->instrument_count; i++) {
        out->instrument[i] = d->instrument[i].id;
        for (uint32_t k = 0; k < b->instrument_count; k++) {
            if (strncmp(b->instrument[k].name, d->instrument[i].symbol, FACT_NAME_BYTES) == 0)
                out->instrument[i] = b->instrument[k].id;
        }
    }
}

static struct result build(const struct rebelief *b, const struct rebelief_start *s,
                           const struct deploy_doc *d, struct rebelief_seat *out)
{
    struct stage_ids ids;
    uint32_t generation[DEPLOY_INSTANCES_MAX], at = d->instance_count;
    bool only[DEPLOY_INSTANCES_MAX] = {false};
    map_ids(b, d, &ids);
    for (uint32_t i = 0; i < d->instance_count; i++) {
        generation[i] = s->generation;
        only[i] = ids.instance[i] == s->instance;
        at = only[i] ? i : at;
    }
    if (at == d->instance_count)
        return FAIL(b->tr, NOT_FOUND, "deployment %" PRIu64 " has no strategy %s", d->fact.serial,
                    out->row->name);
    const struct plant_options o = {.doc = d,
                                    .plugin_dir = b->o->plugin_dir,
                                    .bars_from_trades = b->market_type != FACT_BAR,
                                    .ids = &ids,
                                    .generation = generation,
                                    .only = only};
    memcpy(out->row->plugin, d->instance[at].fact.plugin, sizeof out->row->plugin);
    memcpy(out->row->version, d->instance[at].fact.version, sizeof out->row->version);
    return plant_open(&o, &out->plant, b->tr);
}

/* What a single build needs and lacks is said in its row; the others go on. */
static void cannot_be_built(struct rebelief *b, struct rebelief_build *row, struct result why)
{
    rebelief_differ(row, 0, "%s, generation %u, cannot be built again: %s", row->name,
                    row->generation, trail_sentence(b->tr, why));
    *b->tr = (struct trail){0};
}

/* ---- state that was handed over ---- */

/* The node of a seat's bay by its instance's id. */
static bool find_node(const struct rebelief_seat *s, uint32_t instance, uint32_t *node)
{
    const struct plant *p = &s->plant;
    uint32_t place = 0;
    while (place < p->instance_count && p->instance[place].id != s->row->instance)
        place++;
    must(place < p->instance_count);
    const struct plant_nodes *nodes = &p->nodes[place];
    for (*node = 0; *node < nodes->count; (*node)++) {
        if (p->instance[nodes->at[*node]].id == instance)
            return true;
    }
    return false;
}

void rebelief_seat_save(struct rebelief *b, uint64_t seq)
{
    for (uint32_t i = 0; i < b->state_count; i++) {
        struct rebelief_state *s = &b->state[i];
        if (s->as_of != seq || s->bytes != NULL)
            continue;
        for (uint32_t k = 0; k < b->seat_count && s->bytes == NULL; k++) {
            struct rebelief_seat *from = b->seat[k];
            struct trail unused = {0};
            uint32_t node;
            if (from->plant.belief == NULL || from->row->generation != s->from_generation ||
                !find_node(from, s->node, &node))
                continue;
            struct bay *bay = from->plant.bay[0];
            if (!is_ok(bay->ops->save(bay, node, seq, &s->bytes, &s->count, &unused)))
                s->bytes = NULL;
        }
    }
}

/* The states that this build began with, newest word first; at most one per node. */
static uint32_t find_states(struct rebelief *b, const struct rebelief_seat *s,
                            const struct rebelief_start *start,
                            struct rebelief_state *out[BAY_NODES_MAX])
{
    uint32_t count = 0, node;
    const struct registry_entry *e = entry_of(b, start);
    for (uint32_t i = b->state_count; i-- > 0 && count < BAY_NODES_MAX;) {
        struct rebelief_state *t = &b->state[i];
        bool again = false;
        if (t->generation != start->generation || t->said_seq > start->seq ||
            t->said_seq < b->start_seq || (b->o->as_serial == 0 && t->said_seq < e->first_seq) ||
            !find_node(s, t->node, &node))
            continue;
        for (uint32_t k = 0; k < count; k++)
            again = again || out[k]->node == t->node;
        if (!again)
            out[count++] = t;
    }
    return count;
}

static void load(struct rebelief *b, struct rebelief_seat *s, const struct rebelief_state *t)
{
    uint32_t node = 0;
    struct rebelief_build *row = s->row;
    bool found = find_node(s, t->node, &node);
    must(found);
    if (t->bytes == NULL) {
        rebelief_differ(
            row, 0,
            "%s, generation %u, cannot be compared: it began with a state of generation "
            "%u as of event %" PRIu64 ", which could not be made again",
            row->name, row->generation, t->from_generation, t->as_of);
        return;
    }
    struct bay *bay = s->plant.bay[0];
    struct result r = bay->ops->load(bay, node, t->bytes, t->count, b->tr);
    if (!is_ok(r))
        rebelief_differ(row, 0,
                        "%s, generation %u, cannot be compared: it does not take its state: %s",
                        row->name, row->generation, trail_sentence(b->tr, r));
    if (!is_ok(r))
        *b->tr = (struct trail){0};
}

/* ---- the past ---- */

struct past { /* what one build is shown before it counts */
    struct rebelief *b;
    struct rebelief_seat *seat;
    struct rebelief_step step;
    struct rebelief_state *state[BAY_NODES_MAX];
    uint32_t state_count; /* not loaded yet */
};

/* Loads what is as of an event before this one. */
static void load_until(struct past *p, uint64_t seq)
{
    for (uint32_t i = 0; i < p->state_count;) {
        if (p->state[i]->as_of >= seq) {
            i++;
            continue;
        }
        load(p->b, p->seat, p->state[i]);
        p->state[i] = p->state[--p->state_count];
    }
}

/* Shows the events from..to of the journal. */
static struct result show_window(struct past *p, uint64_t from, uint64_t to)
{
    struct journal_reader *r = NULL;
    struct fact_head head;
    const void *payload;
    TRY(journal_reader_open(p->b->store, &r, p->b->tr));
    struct result x = journal_reader_seek(r, from, p->b->tr);
    while (is_ok(x) && is_ok(x = journal_reader_next(r, &head, &payload, p->b->tr)) &&
           head.seq <= to) {
        if (head.sub == 0) {
            rebelief_show_rest(&p->step, &p->seat, 1);
            load_until(p, head.seq);
        }
        rebelief_show(&p->step, &p->seat, 1, &head, payload);
    }
    rebelief_show_rest(&p->step, &p->seat, 1);
    journal_reader_close(r);
    return x.code == RESULT_END ? OK_RESULT : x;
}

/* As the engine does when it goes on: market data only, all of it history, under one number. */
static struct result show_history(struct past *p, uint64_t number)
{
    struct journal_reader *r = NULL;
    struct fact_head head;
    const void *payload;
    TRY(journal_reader_open(p->b->store, &r, p->b->tr));
    struct result x = OK_RESULT;
    while (is_ok(x = journal_reader_next(r, &head, &payload, p->b->tr)) &&
           head.seq < p->b->start_seq) {
        struct fact_view v = {.head = head};
        if (fact_class_of(head.type) != FACT_CLASS_MARKET)
            continue;
        const uint32_t warm = FACT_MD_WARMUP;
        must(head.bytes <= sizeof v.u);
        memcpy(&v.u, payload, head.bytes);
        memcpy(v.u.bytes + sizeof(uint32_t), &warm, sizeof warm); /* flags follow instrument */
        v.head.seq = number;
        belief_event(p->seat->plant.belief, &v.head, &v.u);
        rebelief_match_collect(p->seat);
    }
    journal_reader_close(r);
    return x.code == RESULT_END ? OK_RESULT : x;
}

static void tell_positions(struct past *p, uint64_t seq)
{
    const struct rebelief *b = p->b;
    for (uint32_t i = 0; i < b->position_count; i++) {
        const struct fact_position *f = &b->position[i];
        const struct fact_head head = {
            .seq = seq, .t_ns = b->timed_ns, .type = FACT_POSITION, .bytes = sizeof *f};
        if (f->strategy == p->seat->row->instance && f->qty != 0)
            belief_event(p->seat->plant.belief, &head, f);
    }
}

/* Warm-up, activation, and what came since, up to the last event that was read. Builds of one
 * promotion begin together: what the first one's record says holds for all. */
static struct result relive(struct past *p, const struct rebelief_start *s, uint64_t upto_seq)
{
    struct rebelief *b = p->b;
    uint64_t live_from = s->seq;
    struct result r = OK_RESULT;
    if (!b->group_is_later) {
        r = show_history(p, s->seq - 1);
    } else if (s->from_seq != 0) {
        live_from = s->to_seq + 1;
        r = show_window(p, s->from_seq, s->to_seq);
    }
    if (!is_ok(r))
        return r;
    load_until(p, UINT64_MAX);
    if (p->seat->fault_seq != 0)
        return FAIL(b->tr, PLUGIN, "it breaks its contract in its warm-up, at event %" PRIu64,
                    p->seat->fault_seq);
    TRY(belief_activate(p->seat->plant.belief, b->tr));
    p->seat->head = p->seat->count = 0;
    tell_positions(p, upto_seq);
    return show_window(p, live_from, upto_seq);
}

static struct result open_one(struct rebelief *b, const struct rebelief_start *s, uint64_t upto_seq)
{
    struct rebelief_seat *seat = calloc(1, sizeof *seat);
    struct past *p = calloc(1, sizeof *p);
    struct deploy_doc *d = calloc(1, sizeof *d);
    must(seat != NULL && p != NULL && d != NULL);
    seat->row = rebelief_seat_row(b, s->instance, s->generation);
    must(seat->row != NULL); /* the caller looked */
    if (seat->row->from_seq == 0)
        seat->row->from_seq = s->seq;
    must(b->seat_count < REBELIEF_BUILDS_MAX); /* one per row at most */
    b->seat[b->seat_count++] = seat;
    *p = (struct past){.b = b, .seat = seat};
    struct result r = read_document(b, s, d);
    if (is_ok(r))
        r = build(b, s, d, seat);
    if (is_ok(r) && b->group_is_later)
        p->state_count = find_states(b, seat, s, p->state);
    if (is_ok(r))
        r = relive(p, &b->group[0], upto_seq);
    if (!is_ok(r)) {
        cannot_be_built(b, seat->row, r);
        plant_close(&seat->plant);
    }
    free(d);
    free(p);
    return OK_RESULT;
}

struct result rebelief_seat_open(struct rebelief *b, uint64_t upto_seq)
{
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < b->group_count && is_ok(r); i++) {
        const struct rebelief_start *s = &b->group[i];
        if (rebelief_seat_row(b, s->instance, s->generation) == NULL)
            return FAIL(b->tr, FULL,
                        "journal %s: holds more than %d builds; compare a part of it: archive and "
                        "prune what came before",
                        b->o->journal_dir, REBELIEF_BUILDS_MAX);
        struct rebelief_seat *before = rebelief_seat_find(b, s->instance, s->generation);
        if (before != NULL)
            rebelief_seat_close(b, before);
        r = open_one(b, s, upto_seq);
    }
    b->group_count = 0;
    b->group_is_later = true;
    return r;
}

void rebelief_seat_close(struct rebelief *b, struct rebelief_seat *s)
{
    uint32_t at = 0;
    while (at < b->seat_count && b->seat[at] != s)
        at++;
    must(at < b->seat_count);
    rebelief_match_end(b, s);
    s->row->to_seq = b->read_seq;
    plant_close(&s->plant);
    free(s->held);
    free(s);
    for (b->seat_count--; at < b->seat_count; at++)
        b->seat[at] = b->seat[at + 1];
}
