/* SPDX-License-Identifier: Apache-2.0
 *
 * Belief replay's parts, shared by rebelief.c (the survey, the walk), rebelief_seat.c (builds come
 * and go) and rebelief_match.c (answers against records). Internal to host/flow.
 */
#ifndef FLOW_REBELIEF_PRIV_H
#define FLOW_REBELIEF_PRIV_H
#include "flow/plant.h"
#include "flow/rebelief.h"

struct rebelief_answer { /* given by a build in the replay, not met in the journal yet */
    uint64_t cause_seq;
    int64_t due_ns;
    bool is_void; /* its bay was dead: it may be missing */
    struct fact_signal signal;
};

/* One build while it is heard. Its plant holds it alone, so builds cannot touch each other. */
struct rebelief_seat {
    struct rebelief_build *row;
    struct plant plant; /* no belief: it could not be built */
    uint64_t fault_seq; /* cause at which it broke its contract in the replay; 0 = it did not */
    uint64_t void_from; /* the journal says that its bay died of this event; 0 = it lives */
    struct rebelief_answer *held;
    uint32_t head, count, room;
};

/* A STARTED record, until the last one beside it is read. */
struct rebelief_start {
    uint32_t instance, generation;
    uint64_t seq, from_seq, to_seq;
};

/* A node that got its state from a build that ran. */
struct rebelief_state {
    uint32_t node, generation, from_generation; /* node: instance id */
    uint64_t as_of, said_seq;                   /* event of the state, of the record */
    void *bytes;                                /* NULL until the walk has passed as_of */
    size_t count;
};

struct rebelief_name {
    uint32_t id, kind;
    char name[FACT_NAME_BYTES];
};

/* The records of one step, in the order in which the engine shows them. */
struct rebelief_step {
    bool has_event;
    struct fact_view event;
};

enum { REBELIEF_GROUP_MAX = 256 };

struct rebelief {
    const struct rebelief_options *o;
    struct rebelief_report *out;
    struct trail *tr;
    struct journal_store *store;
    /* the survey: what the whole journal says */
    struct registry *registry;
    struct rebelief_name *instance, *instrument;
    uint32_t instance_count, instrument_count;
    struct rebelief_state *state;
    uint32_t state_count;
    uint64_t first_seq, last_seq;
    uint32_t market_type; /* of its first market record; 0 = none */
    uint32_t run_kind;    /* enum fact_run of its first START; 0 = none */
    /* the walk */
    struct rebelief_seat *seat[REBELIEF_BUILDS_MAX];
    uint32_t seat_count;
    struct fact_position *position; /* as last told, by strategy, instrument and account */
    uint32_t position_count;
    uint64_t start_seq; /* of this epoch's START */
    struct rebelief_start group[REBELIEF_GROUP_MAX];
    uint32_t group_count;
    bool group_is_later; /* it is not the first of its epoch: a promotion brought it */
    uint64_t read_seq;   /* of the last record */
    uint64_t timed_seq;  /* the last event before which every answer due was numbered ... */
    int64_t timed_ns;    /* ... and its time */
};

/* ---- rebelief.c ---- */
/* Arrays that grow by doubling; rows of `bytes`. */
void *rebelief_grow(void *rows, uint32_t count, size_t bytes);
const struct rebelief_name *rebelief_instance(const struct rebelief *b, uint32_t id);
/* Takes records in order; gives to `seat` what a step shows once its effects are known: POSITION
 * effects are carried before the event itself is shown (lockstep.c). */
void rebelief_show(struct rebelief_step *s, struct rebelief_seat *const *seat, uint32_t count,
                   const struct fact_head *head, const void *payload);
void rebelief_show_rest(struct rebelief_step *s, struct rebelief_seat *const *seat, uint32_t count);

/* ---- rebelief_seat.c ---- */
/* Builds all of b->group, shows them their past up to the last event read, and empties it. */
MUST_USE struct result rebelief_seat_open(struct rebelief *b, uint64_t upto_seq);
struct rebelief_seat *rebelief_seat_find(const struct rebelief *b, uint32_t instance,
                                         uint32_t generation);
/* Saves what is handed over after this event. */
void rebelief_seat_save(struct rebelief *b, uint64_t seq);
void rebelief_seat_close(struct rebelief *b, struct rebelief_seat *s);
struct rebelief_build *rebelief_seat_row(struct rebelief *b, uint32_t instance,
                                         uint32_t generation);

/* ---- rebelief_match.c ---- */
/* The first difference of a build is kept, later ones are not. */
void rebelief_differ(struct rebelief_build *row, uint64_t cause_seq, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes what the build answers to what it was shown last. */
void rebelief_match_collect(struct rebelief_seat *s);
void rebelief_match_signal(const struct rebelief *b, struct rebelief_seat *s,
                           const struct fact_head *head, const struct fact_signal *f);
void rebelief_match_late(struct rebelief_seat *s, const struct fact_head *head);
void rebelief_match_fault(const struct rebelief *b, struct rebelief_seat *s,
                          const struct fact_head *head, const struct fact_plugin *p);
/* Its bay died or is back: what it answered meanwhile may be missing, and nothing else. */
void rebelief_match_died(struct rebelief_seat *s, uint64_t cause_seq);
void rebelief_match_back(struct rebelief_seat *s, const struct fact_plugin *p);
/* The build is heard no more: what it still held was dropped, if it was not due before. */
void rebelief_match_end(const struct rebelief *b, struct rebelief_seat *s);
#endif
