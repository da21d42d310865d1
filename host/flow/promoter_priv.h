/* SPDX-License-Identifier: Apache-2.0
 *
 * The promoter's inside: what its two threads share, and what one ask has become so far. Everything
 * in struct promoter below `lock` is read and written under it only; a job belongs to the
 * promoter's thread alone.
 */
#ifndef FLOW_PROMOTER_PRIV_H
#define FLOW_PROMOTER_PRIV_H
#include "flow/promoter.h"
#include <pthread.h>
#include <stdatomic.h>

/* Bays that wait to be stopped: more than a host hears and a part brings, together. */
enum { PROMOTER_RETIRED_MAX = 1024, PROMOTER_NEAR = 32, PROMOTER_LOOK_EVERY = 1024 };

struct promoter_item { /* one piece of news, in a list */
    struct promoter_item *next;
    uint32_t kind;
    struct fact_head head;      /* FACT: type, generation, bytes */
    struct promoter_news *news; /* all others; heap */
    uint8_t payload[FACT_MAX_BYTES];
};

struct promoter {
    struct promoter_options o;
    pthread_t thread;
    _Atomic bool stop; /* give up what is being prepared: closing, or abandoned */
    _Atomic bool has_news, is_busy;
    _Atomic uint64_t durable;
    _Atomic bool waits_durable;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool is_closing, is_abandoned;
    enum promotion_why abandon_why;
    char abandon_text[FACT_TEXT_BYTES];
    uint64_t want_durable;
    struct promoter_ask *ask; /* not begun */
    struct promoter_listening *listening;
    struct promoter_item *first, *last;
    uint32_t retired_count;
    struct bay *retired[PROMOTER_RETIRED_MAX];
};

/* One strategy whose bay is another, and what the new build can be told by the old one. */
struct promoter_seat {
    uint32_t place, old_place; /* in the new and in the active document */
    bool is_new;
    enum warm_how how;
    bool wants_states;
    bool can_pass[BAY_NODES_MAX];     /* by node of the new bay: the old one's state fits */
    uint32_t old_node[BAY_NODES_MAX]; /* ... and which node's */
};

struct promoter_job {
    struct promoter *p;
    struct promoter_ask *ask;
    struct trail tr;
    enum promotion_why why; /* if it is refused */
    uint64_t serial;        /* of the document, as far as it was read */
    uint8_t sha256[FACT_HASH_BYTES];
    enum promotion_state state;
    bool is_staged; /* STAGE BEGIN was said */
    int64_t wall_ns;
    struct stage_ids old_ids; /* of the active document */
    struct plant *old;        /* the active document, described; nothing built. NULL: none */
    uint32_t seat_count;
    struct promoter_seat seat[DEPLOY_INSTANCES_MAX];
    struct promoter_listening *listening;
    struct promoter_offer *offer;
};

/* promoter.c: what the thread does with the other one */
void promoter_post(struct promoter *p, struct promoter_item *item);
struct promoter_item *promoter_item_new(uint32_t kind);
/* Waits until it is true, stopping retired bays meanwhile; AGAIN when the job is to be given up. */
typedef bool (*promoter_until_fn)(const struct promoter *p);
MUST_USE struct result promoter_wait(struct promoter *p, promoter_until_fn until);
bool promoter_is_drained(const struct promoter *p);
bool promoter_has_listening(const struct promoter *p);
bool promoter_has_durable(const struct promoter *p);
void promoter_listening_free(struct promoter_listening *l);
/* The last item, taken back from an engine that has not taken it; false when it has. */
bool promoter_take_back(struct promoter *p, struct promoter_news **out);

/* promoter_say.c: facts and sentences */
void promoter_say(struct promoter_job *j, uint16_t type, uint32_t generation, const void *payload);
void promoter_say_move(struct promoter_job *j, enum promotion_state to, enum promotion_why why,
                       struct result result, const char *text);
void promoter_say_text(struct promoter_job *j, enum fact_text_kind kind);
void promoter_say_signatures(struct promoter_job *j, enum fact_text_kind kind,
                             const struct trust_signed *s, uint32_t count);
void promoter_say_stage(struct promoter_job *j, enum fact_stage_what what);
void promoter_say_rows(struct promoter_job *j);
/* The end of an ask: one REFUSED, with its record; or DONE, or OFFERED with the job's offer. */
void promoter_refuse(struct promoter_job *j, struct result r);
void promoter_end(struct promoter_job *j, uint32_t kind, const char *sentence);
/* "ana (author), bo (operator)" */
void promoter_people(const struct trust_signed *s, uint32_t count, char *out, size_t bytes);

/* promoter_doc.c: a deployment from file to offer */
void promoter_deployment(struct promoter_job *j);
/* promoter_papers.c */
void promoter_trust(struct promoter_job *j);
void promoter_request(struct promoter_job *j);
/* promoter_state.c: which build gets what from which */
MUST_USE struct result promoter_seats(struct promoter_job *j);
void promoter_wanted(const struct promoter_job *j, struct promoter_news *out);
MUST_USE struct result promoter_hand_over(struct promoter_job *j);
/* promoter_build.c */
MUST_USE struct result promoter_build(struct promoter_job *j);
MUST_USE struct result promoter_warm(struct promoter_job *j);
MUST_USE struct result promoter_catch_up(struct promoter_job *j);
#endif
