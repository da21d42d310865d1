/* SPDX-License-Identifier: Apache-2.0
 *
 * A process bay's parts, shared by process.c (the hot side), process_check.c (what comes back),
 * process_start.c (starting, commands, saving) and process_keep.c (the keeper). Internal.
 *
 * Who owns what: `revive` says it. UNSET, READY and FAILED: all of the bay is its caller's. WANTED
 * and BUSY: the child (line, pidfd) is the keeper's, and the past may only grow; the caller touches
 * nothing else. The words marked "shared" are atomic.
 */
#ifndef BAYS_PROCESS_PRIV_H
#define BAYS_PROCESS_PRIV_H
#include <pthread.h>
#include <stdatomic.h>
#include "base/link.h"
#include "base/must.h"
#include "bays/module.h"
#include "bays/process.h"
#include "bays/state.h"
#include "tbl/lines.h"

enum {
    PROCESS_PAST_MIN = 16384, /* events kept for a restart, at least */
    PROCESS_PAST_MAX = 1048576,
    PROCESS_SAVE_EVERY = 4096, /* events */
    PROCESS_SPIN_US = 50,      /* of HYBRID, when nothing else is said */
    PROCESS_NEAR = 64,         /* so few events behind, the keeper hands over */
    PROCESS_BATCH = 64,        /* events in one message when the past is shown again */
    PROCESS_LOGS_MAX = 1024,   /* lines between two PONGs: more is a flood */
    PROCESS_LINES = 16,        /* lines kept until a cold call writes them */
    PROCESS_READ_MAX = 4096,   /* messages in one look: its reader has more to do */
    PROCESS_HOW_BYTES = 96,
    PROCESS_BODY_BYTES = LINE_BODY_MAX + 4096,
};
#define PROCESS_MAGIC 0x50524f4345535301ull

enum process_phase {
    PROCESS_UNSET = 0,
    PROCESS_LIVE,
    PROCESS_CATCHING, /* started again; answers are void until it has done what it missed */
    PROCESS_DOWN,     /* dead; the keeper is at it */
    PROCESS_OFF,      /* quarantined */
};
enum process_revive { REVIVE_UNSET = 0, REVIVE_WANTED, REVIVE_BUSY, REVIVE_READY, REVIVE_FAILED };

struct process_state { /* of one node */
    uint8_t *bytes, *coming;
    uint32_t max, count, got; /* got: of `coming` so far */
    bool is_whole;            /* `coming` is */
};

struct process_line {
    uint32_t level, count;
    char text[256];
};

struct process_bay {
    struct bay base;
    uint64_t magic;
    struct process_home *home;
    struct process_bay *next; /* of the home's list */
    struct bay_spec spec;
    struct process_spec want;
    union tn_number params[BAY_NODES_MAX][TN_MAX_PARAMS];
    const struct tn_manifest *strategy;
    uint32_t strategy_id, warmup;
    uint64_t plugin_hash;
    uint32_t phase;
    bool can_save, is_active, was_loaded;
    bool warmup_known; /* its nodes were created once */
    /* the child */
    struct spawn_child child;
    struct link link;
    bool has_link, has_child;
    /* the past: every event that was given */
    struct tn_event *past;
    uint64_t past_mask;
    _Atomic uint64_t head; /* shared: events ever given */
    _Atomic uint64_t kept; /* shared: events before this one are forgotten, or may be */
    bool is_past_lost;     /* it grew over the ring while the bay was down */
    uint64_t activated_at;
    /* what the child was given and has done, as counts of events */
    uint64_t sent, done, asked_at;
    uint64_t answered_at; /* no answer may name an event before this one */
    uint32_t at_event;    /* answers to that event so far */
    uint64_t logs;
    _Atomic uint64_t asked, answered; /* shared: numbers of PING and PONG */
    _Atomic uint64_t overdue;         /* shared, by the keeper: this PING is unanswered too long */
    _Atomic uint32_t gone;            /* shared, by the keeper: 1 = the process has ended */
    _Atomic uint32_t runs;            /* shared: 1 = there is a process to watch */
    uint64_t looked_asked;            /* the keeper's own */
    int64_t looked_ns;
    /* saved state */
    struct process_state state[BAY_NODES_MAX];
    bool has_state, is_saving;
    bool save_bad;                /* a node could not */
    uint32_t saving;              /* node whose state is coming */
    uint64_t state_at, saving_at; /* counts of events */
    uint64_t save_next;
    /* a command that is waited for */
    uint32_t wants; /* its kind; 0 = none */
    bool has_reply;
    struct line_done reply;
    /* deaths */
    _Atomic uint32_t revive; /* shared: enum process_revive */
    _Atomic uint32_t stopping;
    bool is_busy; /* under the home's lock: the keeper is at it */
    uint64_t ready_at;
    uint64_t void_from; /* first event whose answers may be lost */
    char how[PROCESS_HOW_BYTES];
    uint32_t death_count;
    int64_t death_ns[PROCESS_DEATHS_MAX]; /* event time, newest first */
    struct process_totals totals;
    /* answers that were checked */
    struct bay_answer *answer;
    uint32_t answer_head, answer_used;
    /* log lines until idle */
    struct process_line *line;
    uint32_t line_count;
    uint64_t lines_lost;
    uint8_t *body; /* PROCESS_BODY_BYTES: the message that is looked at */
};

struct process_home {
    struct process_options o;
    pthread_mutex_t lock;
    pthread_cond_t quiet; /* some bay is not busy any more */
    pthread_t keeper;
    int bell; /* eventfd: something to do */
    bool is_running;
    _Atomic uint32_t stop;
    struct process_bay *first;
};

static inline struct process_bay *process_self(const struct bay *b)
{
    struct process_bay *p = (struct process_bay *)(void *)(uintptr_t)(const void *)b;
    must(p != NULL && p->magic == PROCESS_MAGIC);
    return p;
}
static inline struct tn_event *process_past(const struct process_bay *b, uint64_t at)
{
    return &b->past[at & b->past_mask];
}
static inline uint64_t process_head(const struct process_bay *b)
{
    return atomic_load_explicit(&b->head, memory_order_acquire);
}

/* process.c */
struct bay_answer *process_slot(struct process_bay *b);
/* The bay is dead for this reason; the first one counts. */
void process_die(struct process_bay *b, const char *how);
/* It broke its contract: quarantined. `at` is an event's place. */
void process_fault(struct process_bay *b, const struct bay_answer *a);
/* The states that came are as of this many events: a restart goes on from them. */
void process_states(struct process_bay *b, uint64_t at);
/* Reads what the line holds; false: the bay died of it. */
bool process_pump(struct process_bay *b);

/* process_check.c: NULL, or why this message is one that no bay may send. */
const char *process_take(struct process_bay *b, const struct link_message *m);
/* Takes what the line holds, at most PROCESS_READ_MAX messages and while there is room for their
 * answers; NULL, or what is wrong with the bay. */
const char *process_read(struct process_bay *b);
void process_back(struct process_bay *b); /* it has done what it missed */

/* process_start.c */
MUST_USE struct result process_launch(struct process_bay *b, struct trail *tr);
void process_end(struct process_bay *b); /* kills, reaps, closes the line */
/* Sends a command and waits for its DONE. */
MUST_USE struct result process_command(struct process_bay *b, uint32_t kind, const void *bytes,
                                       uint32_t count, struct line_done *done, struct trail *tr);
MUST_USE struct result process_load_node(struct process_bay *b, uint32_t node, const void *bytes,
                                         size_t count, struct trail *tr);
MUST_USE struct result process_save_node(struct process_bay *b, uint32_t node, uint64_t as_of_seq,
                                         struct trail *tr);
/* Waits for a message or the child's end, at most until then; false: too late, or it ended. */
bool process_wait(struct process_bay *b, int64_t until_ns);
void process_ask(struct process_bay *b); /* PING, if none is open */
void process_ask_save(struct process_bay *b);
int64_t process_deadline(const struct process_bay *b);
/* Fails, and keeps why for the answer that says so. */
struct result process_blame(struct process_bay *b, struct trail *tr, const char *why);
void process_how(struct process_bay *b, const char *otherwise, char out[PROCESS_HOW_BYTES]);

/* process_keep.c */
MUST_USE struct result process_revive(struct process_bay *b, struct trail *tr);
void process_keep_add(struct process_bay *b);
void process_keep_drop(struct process_bay *b);
void process_keep_wake(const struct process_home *h);
#endif
