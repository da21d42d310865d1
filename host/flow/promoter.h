/* SPDX-License-Identifier: Apache-2.0
 *
 * The promoter: a thread of the host that prepares a promotion while the engine trades on. It
 * checks the document, loads the plugins, builds the bays and warms them on the journal and on a
 * tap of the live stream; the engine only numbers the facts it is given, takes the bays over
 * between two events, and gives old ones back to be stopped here. So no plugin hook (create,
 * activate, deactivate, destroy), file or signature is ever waited for by the engine's thread.
 *
 *   engine ── ask ──► promoter        what a person handed over, with what the engine knows
 *   engine ◄── news ── promoter       facts to number, "listen", "offer", "refused", "done"
 *   engine ── listening, retire ──►
 *
 * One ask at a time. News come in order; the engine takes one between two events. Until an offer is
 * taken nothing about trading has changed; whatever fails before is one REFUSED.
 */
#ifndef FLOW_PROMOTER_H
#define FLOW_PROMOTER_H
#include "deploy/vet.h"
#include "flow/registry.h"
#include "flow/stage.h"
#include "flow/tap.h"
#include "flow/warm.h"
#include "flow/wayback.h"

struct promoter; /* heap */
struct promoter_options {
    const char *plugin_dir;
    struct process_home *home; /* as of struct plant_options */
    const char *journal_dir;   /* NULL: no history (tests) */
    bool opens_adapters;       /* accounts that go via egress are not served in the engine */
    struct log *log;
    const struct clock *clock;
    /* Called on the promoter's thread when there is news, to wake an engine that sleeps; may be
     * NULL. */
    void (*wake)(void *arg);
    void *wake_arg;
};
MUST_USE struct result promoter_open(const struct promoter_options *o, struct promoter **out,
                                     struct trail *tr);
/* Gives up what is being prepared, stops every bay it still has, joins. NULL is let pass. */
void promoter_close(struct promoter *p);

/* ---- engine to promoter ---- */
enum promoter_kind {
    PROMOTER_KIND_UNSET = 0,
    PROMOTER_DEPLOYMENT, /* a signed deployment */
    PROMOTER_ROLLBACK,   /* the derived one, when its builds do not run any more */
    PROMOTER_TRUST,      /* the next trust document */
    PROMOTER_REQUEST,    /* a request of several people */
};
struct promoter_ask { /* heap: malloc'ed by the engine, freed by the promoter with all below */
    uint32_t kind;
    uint64_t request; /* of the gateway, to be answered; 0 = nobody waits */
    char by[FACT_NAME_BYTES];
    struct bundle *bundle; /* for ROLLBACK: the derived text, without signatures */
    /* what the engine knows, copies */
    struct trust trust;
    char host[FACT_NAME_BYTES];
    struct deploy_doc *doc; /* active; NULL = none yet */
    char *text;             /* its text */
    size_t text_count;
    uint64_t serial;
    uint8_t sha256[FACT_HASH_BYTES];
    int64_t wall_floor_ns, event_ns;
    uint64_t seq; /* the last event */
    bool bars_from_trades;
    bool must_tighten; /* another one hears already: only what tightens may overtake it */
    struct stage_names names;
    struct core_owned owned[DEPLOY_INSTANCES_MAX]; /* by instance of the active document */
    bool is_used;                                  /* REQUEST: it was used before */
};
void promoter_ask_free(struct promoter_ask *a);
/* BUSY when one is being prepared: the ask stays the caller's. */
MUST_USE struct result promoter_submit(struct promoter *p, struct promoter_ask *a,
                                       struct trail *tr);

/* The answer to LISTEN: the tap is on, and the states that were wanted are here. */
struct promoter_state {
    uint32_t strategy; /* instance id */
    uint32_t node;     /* of the running bay */
    void *bytes;       /* malloc'ed, taken over; NULL: it could not be saved, text says why */
    size_t count;
    char text[FACT_TEXT_BYTES];
};
enum { PROMOTER_STATES_MAX = 256 };
struct promoter_listening {
    struct tap *tap;   /* the engine's; read until the offer is taken or the ask has ended */
    uint64_t from_seq; /* the tap's facts come after this event; states are as of it */
    uint32_t state_count;
    struct promoter_state state[PROMOTER_STATES_MAX];
};
/* Takes the heap block over. */
void promoter_listening(struct promoter *p, struct promoter_listening *l);
/* The journal is durable up to here (the promoter waits for the tap's beginning). */
void promoter_durable(struct promoter *p, uint64_t seq);
/* A bay that is heard no more: stopped on the promoter's thread. */
void promoter_retire(struct promoter *p, struct bay *bay);
/* The ask in preparation is void (kill, a newer one): it ends with one REFUSED or nothing. */
void promoter_abandon(struct promoter *p, enum promotion_why why, const char *text);

/* ---- promoter to engine ---- */
enum promoter_news_kind {
    PROMOTER_NEWS_UNSET = 0,
    PROMOTER_FACT,    /* number this */
    PROMOTER_LISTEN,  /* turn the tap on, save these states, then call promoter_listening */
    PROMOTER_OFFERED, /* the builds are warm and active: take them over */
    PROMOTER_REFUSED, /* the ask has ended; its REFUSED record was a FACT before */
    PROMOTER_DONE,    /* TRUST, REQUEST: ended well; its facts came before */
};
/* What is offered; heap, owned by the engine once taken. */
struct promoter_offer {
    uint64_t serial;
    uint8_t sha256[FACT_HASH_BYTES], parent[FACT_HASH_BYTES];
    char by[FACT_NAME_BYTES];
    struct deploy_doc *doc;
    struct stage_ids ids;
    struct stage_rows rows;
    struct change change;
    struct plant part; /* the new bays, warm and active, in a belief of their own; may be empty */
    struct warm_report warm;
    struct tap *tap; /* borrowed; what lies in it from tap_at on was not shown to part yet */
    uint32_t tap_at;
    bool is_rollback;
    /* The way back, made ready ahead by wayback_make; empty for a rollback, and for the first. */
    struct wayback back;
    /* wall time by step, ns: what `tools/bench swap` shows */
    struct {
        int64_t vet, load, warm, catch_up;
    } took;
};
void promoter_offer_free(struct promoter_offer *o); /* NULL is let pass */

struct promoter_news {
    uint32_t kind;
    uint64_t request; /* to be answered now; 0 = nobody waits */
    struct result result;
    char sentence[TRAIL_TEXT_BYTES]; /* for the person: REFUSED why, OFFERED and DONE what */
    struct fact_view fact;           /* FACT: head.type, head.generation and payload */
    /* LISTEN: states wanted */
    uint32_t state_count;
    struct {
        uint32_t strategy, generation, node;
    } state[PROMOTER_STATES_MAX];
    struct promoter_offer *offer; /* OFFERED */
};
/* One relaxed load when there is none. */
bool promoter_has_news(const struct promoter *p);
bool promoter_take(struct promoter *p, struct promoter_news *out);
/* Is an ask being prepared (until its last news was taken)? */
bool promoter_is_busy(const struct promoter *p);
#endif
