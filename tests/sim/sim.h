/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator's inside: one world of one seed. See README.md.
 *
 * Everything happens in one thread at times that the world gives: a heap of things to come, ordered
 * by time and then by the order in which they were put, and the deadlines that core, desk and house
 * ask for. Chance comes from seeded streams, one for each kind of fault, so that a fault that is
 * never drawn does not change the others. Processes are structs that are thrown away in a crash;
 * what outlives them (the disk, the heads, the witness, the venue's ledger, what is on a cable) is
 * the world's.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H
#include "base/clock.h"
#include "base/must.h"
#include "bays/agent.h"
#include "core/seq.h"
#include "core/step.h"
#include "egress/desk.h"
#include "flow/road.h"
#include "house/house.h"
#include "journal/check.h"
#include "journal/journal.h"

#define SIM_S 1000000000ll
#define SIM_MS 1000000ll
#define SIM_T0 1700000000000000000ll

enum {
    SIM_ACCOUNT = 1,
    SIM_USD = 1,
    SIM_INSTRUMENTS = 2,
    SIM_STRATEGIES = 2,
    SIM_LINKS = 4,
    SIM_PATH_BYTES = 512,
    SIM_WHY_BYTES = 400,
};

/* ---- faults: a row per kind, drawn once per seed as never, seldom or often ---- */
#define SIM_FAULTS(X)                                                                              \
    X(ENGINE_CRASH, 90, "the engine is killed")                                                    \
    X(EGRESS_CRASH, 120, "egress is killed")                                                       \
    X(BAY_CRASH, 120, "the adapter's bay is killed")                                               \
    X(VENUE_CRASH, 240, "the venue is killed")                                                     \
    X(DISCONNECT, 60, "a connection breaks")                                                       \
    X(PARTITION, 150, "nothing passes between egress and the venue for a while")                   \
    X(DISK_FULL, 180, "the journal's disk is full for a while")                                    \
    X(DISK_SLOW, 90, "the journal's disk is slow for a while")                                     \
    X(GATEWAY, 40, "the venue answers a request with 502, before or after it took it")             \
    X(LOST_REPLY, 40, "a reply is lost")                                                           \
    X(SLOW_REPLY, 40, "a reply takes seconds")                                                     \
    X(REPEAT, 60, "the venue says a report twice")                                                 \
    X(OMIT, 60, "the venue leaves a report out of its stream")                                     \
    X(PLUGIN, 90, "a strategy answers nonsense, or floods")                                        \
    X(KILL, 400, "a person presses kill, at the engine or at egress")
enum sim_fault {
    SIM_FAULT_UNSET = 0,
#define X(name, every_s, text) SIM_##name,
    SIM_FAULTS(X)
#undef X
        SIM_FAULT_END
};

/* ---- things to come ---- */
enum sim_kind {
    SIM_KIND_UNSET = 0,
    SIM_ROAD_OUT,  /* engine to desk; a = kind */
    SIM_ROAD_IN,   /* desk to engine; a = kind */
    SIM_ROAD_GONE, /* the desk sees that the engine's end is closed */
    SIM_LINE_IN,   /* bay to engine; a = kind */
    SIM_DESK_BAY,  /* desk to bay; a = kind */
    SIM_BAY_DESK,  /* bay to desk; a = kind */
    SIM_BAY_HERE,  /* the desk hears of a new bay */
    SIM_NET_IN,    /* network to desk: struct desk_net_in and bytes */
    SIM_NET_HTTP,  /* a request arrives at the venue: struct cable_request and bytes */
    SIM_NET_WS,    /* a message arrives at the venue; a = link */
    SIM_NET_OPEN,  /* a connection is asked for; a = link, b = type */
    SIM_STORED,    /* the disk has done what it was asked */
    SIM_SIGNAL,    /* belief answers */
    SIM_FAULT,     /* a = enum sim_fault */
    SIM_START,     /* a process starts: a = enum sim_process */
};
enum sim_process { SIM_PROCESS_UNSET = 0, SIM_ENGINE, SIM_EGRESS, SIM_BAY, SIM_VENUE };
/* Messages of one pipe arrive in order; those of a pipe that was cut since do not arrive. */
enum sim_pipe {
    SIM_PIPE_NONE = 0, /* alone, always arrives */
    SIM_PIPE_OUT,
    SIM_PIPE_IN,
    SIM_PIPE_LINE,
    SIM_PIPE_DESK_BAY,
    SIM_PIPE_BAY_DESK,
    SIM_PIPE_DISK,
    SIM_PIPE_WS_OUT, /* + link */
    SIM_PIPE_WS_IN = SIM_PIPE_WS_OUT + SIM_LINKS,
    SIM_PIPE_HTTP = SIM_PIPE_WS_IN + SIM_LINKS, /* cut with egress; not in order */
    SIM_PIPE_END,
};
struct sim_thing {
    int64_t t_ns;
    uint64_t number, life;
    uint32_t kind, pipe;
    uint64_t a, b;
    uint8_t *bytes;
    uint32_t count;
};

struct sim_options {
    uint64_t seed;
    int64_t length_ns; /* simulated, quiet end included */
    bool no_faults;
    uint64_t crash_at,
        crash_again;    /* crash point: the n-th operation; the m-th after it; 0 = none */
    uint32_t crash_who; /* enum sim_process */
    const struct bay_module *adapter;
    const char *folder; /* for heads and the venue's ledger; this world's own */
    bool trace;
};

struct engine;
struct exchange;
struct watch;
struct simdisk;
struct sim {
    struct sim_options o;
    int64_t now_ns, quiet_ns, end_ns;
    bool is_quiet;
    struct clock clock;
    /* what is to come */
    struct sim_thing *heap;
    uint32_t things, room;
    uint64_t number;
    struct {
        int64_t last_ns;
        uint64_t life;
    } pipe[SIM_PIPE_END];
    /* chance */
    struct rng world, market, belief, net, faults;
    uint32_t often[SIM_FAULT_END]; /* 0 never, 1 seldom, 2 often */
    uint64_t happened[SIM_FAULT_END];
    /* processes */
    struct engine *engine;
    struct exchange *exchange;
    struct agent *agent; /* NULL: dead */
    struct desk *desk;   /* NULL: dead */
    void *desk_memory;
    struct witness *witness;
    uint64_t attachment; /* of engine and desk: the pipes' life */
    uint32_t links_up;   /* bits, egress's side */
    uint32_t link_type[SIM_LINKS], link_tries[SIM_LINKS];
    bool is_partitioned;
    bool is_desk_dying; /* it crashed in the middle of a call: what it still does does not happen */
    struct witness *witness_then; /* as it was in that moment */
    int64_t partition_until_ns;
    /* what outlives them */
    struct simdisk *disk;
    struct watch *watch;
    uint64_t operations; /* crash points passed, of the process that is to die */
    uint64_t deaths;
    uint64_t hash; /* over all that happened, in order */
    bool is_broken;
    char why[SIM_WHY_BYTES];
};

/* world.c */
void sim_open(struct sim *s, const struct sim_options *o);
void sim_close(struct sim *s);
/* Runs to the end, or to the first violation. */
void sim_run(struct sim *s);
/* A violation: the first one is kept, and the run ends. */
void sim_violated(struct sim *s, int invariant, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sim_post(struct sim *s, enum sim_pipe pipe, int64_t delay_ns, const struct sim_thing *t,
              const void *head, uint32_t head_count, const void *body, uint32_t body_count);
void sim_cut(struct sim *s, enum sim_pipe pipe);
void sim_mix(struct sim *s, const void *bytes, size_t count);
/* One in n, of this kind of fault, when it is drawn for this seed and it is not quiet. */
bool sim_fault(struct sim *s, enum sim_fault f, uint64_t one_in);
/* A place where a process may be made to die (crash points); true: it does. The engine is dead;
 * egress dies with the call that it is in. */
bool sim_point(struct sim *s, enum sim_process who);
void sim_crash(struct sim *s, enum sim_process who);
int64_t sim_between(struct rng *r, int64_t low, int64_t high);

/* engine.c */
struct engine *engine_new(struct sim *s);
void engine_free(struct engine *e);
void engine_start(struct engine *e);
void engine_crash(struct engine *e);
bool engine_is_up(const struct engine *e);
int64_t engine_deadline(const struct engine *e);
void engine_time(struct engine *e);
void engine_road(struct engine *e, uint32_t kind, const void *bytes, uint32_t count);
void engine_line(struct engine *e, uint32_t kind, const void *bytes, uint32_t count);
void engine_stored(struct engine *e);
void engine_signal(struct engine *e, uint32_t strategy);
void engine_nonsense(struct engine *e);
void engine_kill(struct engine *e, bool keep);
void engine_egress_gone(struct engine *e);
void engine_egress_here(struct engine *e);
void engine_bay_gone(struct engine *e);
void engine_bay_spec(const struct engine *e, struct line_adapter *out);
/* Keeps a snapshot, now and then, for the check at the end. */
void engine_keep_snapshot(struct engine *e);
uint64_t engine_durable(const struct engine *e);
struct core *engine_core(const struct engine *e);
/* At the end: the journal replayed from the beginning gives this very state. */
void engine_check_replay(struct engine *e);
struct engine_counts {
    uint64_t starts, events, groups, replayed, snapshots_equal;
};
void engine_counts(const struct engine *e, struct engine_counts *out);
const struct house_instrument *engine_instrument(uint32_t i);

/* office.c: egress and the adapter's bay, as processes around desk.h and agent.h */
void office_start_egress(struct sim *s);
void office_crash_egress(struct sim *s);
void office_start_bay(struct sim *s);
/* Records up to here are on the disk. */
void office_durable(struct sim *s, uint64_t seq);
void office_crash_bay(struct sim *s);
void office_open(struct sim *s);
void office_close(struct sim *s);

/* cable.c: between desk and venue */
struct cable_request {
    uint64_t ticket;
    uint32_t link, method, path_bytes, head_bytes, body_bytes, egress_life;
};
int64_t cable_send(struct sim *s, const struct desk_message *m);
void cable_open(struct sim *s, uint32_t link, uint32_t type);
void cable_close(struct sim *s, uint32_t link);
void cable_opened(struct sim *s, uint32_t link, uint32_t type);
void cable_break(struct sim *s, uint32_t link);
void cable_partition(struct sim *s, int64_t ns);
void cable_reply(struct sim *s, const struct cable_request *q, uint32_t status, int32_t retry_s,
                 const char *text, size_t count);
void cable_tell(struct sim *s, uint32_t link, const char *text, size_t count);
void cable_all_down(struct sim *s);

/* exchange.c: the venue behind its doors */
struct exchange *exchange_new(struct sim *s);
void exchange_free(struct exchange *x);
void exchange_start(struct exchange *x);
void exchange_crash(struct exchange *x);
bool exchange_is_up(const struct exchange *x);
int64_t exchange_deadline(const struct exchange *x);
void exchange_time(struct exchange *x);
void exchange_http(struct exchange *x, const struct cable_request *q, const uint8_t *bytes);
void exchange_ws(struct exchange *x, uint32_t link, const uint8_t *bytes, uint32_t count);
void exchange_connected(struct exchange *x, uint32_t link);
void exchange_closed(struct exchange *x, uint32_t link);
/* The i-th order that the venue holds open; false past the end. */
bool exchange_works(const struct exchange *x, uint32_t i, char client[HOUSE_CLIENT_BYTES]);
void exchange_totals(const struct exchange *x, struct house_totals *out);
int32_t exchange_secret(uint32_t field, uint8_t out[DESK_SECRET_BYTES]);

/* simdisk.c: the journal's faulty disk */
struct simdisk *simdisk_new(void);
void simdisk_free(struct simdisk *d);
/* A store on it, as one process has it open; closing it leaves the disk. */
struct journal_store *simdisk_open(struct simdisk *d);
/* A group is being written: a crash before its append returned may leave any of it. */
void simdisk_begin(struct simdisk *d, uint64_t index, const void *bytes, size_t count);
void simdisk_crash(struct simdisk *d, struct rng *r);
void simdisk_fail(struct simdisk *d, int32_t code);

/* watch.c: the invariants. It sees what the outside sees: effects, bytes on the wire, reports. */
struct watch *watch_new(struct sim *s);
void watch_free(struct watch *w);
void watch_step(struct watch *w, const struct fact_head *event, const void *payload,
                const struct core_out *out);
/* After a restart: the journal goes up to here; younger orders are no facts. */
void watch_recovered(struct watch *w, uint64_t last_seq, uint64_t durable);
void watch_wire(struct watch *w, const char *path, size_t path_count, const char *body,
                size_t body_count);
void watch_venue_took(struct watch *w, const char *client);
void watch_venue_fill(struct watch *w, const char *client, uint32_t instrument, uint32_t side,
                      int64_t qty);
void watch_killed(struct watch *w);
void watch_end(struct watch *w);
struct watch_counts {
    uint64_t steps, orders, sends, fills, unsynced_closes, unknowns, kills, queries;
};
void watch_counts(const struct watch *w, struct watch_counts *out);

/* Text of a member of a flat JSON object: "key":"text"; false when it is not there. */
bool sim_text(const char *json, size_t count, const char *key, char *out, size_t room);
#endif
