/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the desk, shared by its files (desk*.c) and by nobody else.
 *
 *   desk.c       life, engines and bays that come and go, time
 *   desk_road.c  what the engine says
 *   desk_say.c   what is said to the engine and to bays, and what could not be said yet
 *   desk_bay.c   what bays ask for
 *   desk_send.c  from a template to the network: every byte that leaves passes here
 *   desk_net.c   what the network says
 *   desk_kill.c  the kill's rounds
 */
#ifndef EGRESS_DESK_PRIV_H
#define EGRESS_DESK_PRIV_H
#include "base/clock.h"
#include "base/must.h"
#include "egress/assemble.h"
#include "egress/desk.h"
#include "egress/rate.h"
#include "egress/reread.h"

enum {
    DESK_ROWS_MAX = 48,
    DESK_INSTRUMENTS_MAX = LINE_INSTRUMENTS_MAX,
    DESK_LINKS_MAX = TN_ADAPTER_CONNECTIONS_MAX,
    DESK_CAPTURES_MAX = 16,
    DESK_CAPTURE_BYTES = 2048, /* a signed token (JWT) */
    DESK_TICKETS_MAX = 1024,
    DESK_SPILL_BYTES = 256 * 1024,
    DESK_FAULTS_MAX = 3, /* mismatches after which a bay is not asked any more */
    DESK_NONE = 0xffffffffu,
};
static const uint64_t DESK_MAGIC = 0x74736b4465736b31ull;
static const int64_t DESK_MS = 1000000;
static const int64_t DESK_TEMPLATE_WAIT_NS = 250 * DESK_MS;
static const int64_t DESK_HOLD_NS = 100 * DESK_MS; /* an order waits so long for budget */
static const int64_t DESK_STALE_NS = 5000 * DESK_MS;
static const int64_t DESK_STEP_NS = 1000 * DESK_MS; /* back by more: the clock was set */
static const int64_t DESK_REPLY_NS = 10000 * DESK_MS;

_Static_assert((int)DESK_APPROVALS_MAX == (int)WITNESS_SLOTS, "an approval is its slot");
_Static_assert((int)DESK_BYTES_MAX == (int)ASSEMBLE_BYTES_MAX, "one limit");
_Static_assert((int)DESK_SECRET_BYTES == (int)ASSEMBLE_SECRET_BYTES, "one limit");

enum desk_stored { /* purposes of stored templates */
                   DESK_STORED_UNSET = 0,
                   DESK_STORED_CANCEL,
                   DESK_STORED_CANCEL_ALL,
                   DESK_STORED_ORDER_QUERY,
                   DESK_STORED_POSITIONS,
                   DESK_STORED_CLOSE,
                   DESK_STORED_COUNT,
};
struct desk_facts { /* what was signed of an account; the row of a wire table holds its fields */
    bool is_there;
    uint32_t row_count, instrument_count;
    struct road_account a;
    struct road_row row[DESK_ROWS_MAX];
    struct road_instrument instrument[DESK_INSTRUMENTS_MAX];
};
enum { DESK_PATH_BYTES = 256 };
struct desk_link {
    uint32_t type; /* 0 = not wanted */
    bool is_order_path, is_up, was_up, is_owed;
    struct line_open wish; /* as it was opened */
    char path[DESK_PATH_BYTES];
    char endpoint[ROAD_ENDPOINT_BYTES]; /* as it was signed then */
};
struct desk_capture {
    bool is_wanted, is_held;
    uint32_t count;
    uint64_t request;
    char path[REREAD_PATH_BYTES];
    char text[DESK_CAPTURE_BYTES];
};
struct desk_template {
    uint32_t count;
    _Alignas(8) uint8_t message[DESK_TEMPLATE_BYTES];
};
struct desk_session { /* of one bay; links and stored templates outlive it */
    bool is_here, is_faulty;
    uint32_t faults, generation;
    struct desk_link link[DESK_LINKS_MAX];
    struct desk_capture capture[DESK_CAPTURES_MAX];
    int64_t timer[TN_ADAPTER_TIMERS_MAX]; /* 0 = off */
    struct desk_template stored[DESK_STORED_COUNT];
    uint32_t spill_from, spill_to; /* messages that its line had no room for */
};
enum desk_phase { DESK_PHASE_UNSET = 0, DESK_PHASE_CANCEL, DESK_PHASE_READ, DESK_PHASE_CLOSE };
struct desk_position {
    uint32_t instrument; /* index; DESK_NONE = a symbol nobody named */
    int64_t qty, mark;
    bool has_mark;
};
struct desk_round {  /* cancel all, read, close, until flat */
    uint32_t number; /* of the round; replies of an older one do not count */
    bool is_on, keep_positions, is_waiting, has_failed, has_read, cancel_failed, is_done;
    bool is_stuck_told, is_owed;
    uint32_t phase, at, in_flight, reads, step, tries, watches;
    uint32_t cancelled, closed, read_count;
    int64_t next_ns, since_ns;
    uint32_t position_count;
    bool saw_list, is_bad;
    struct desk_position position[DESK_INSTRUMENTS_MAX];
};
struct desk_account {
    uint32_t index, id;
    uint32_t active; /* which of the two is in force; the other is being said */
    struct desk_facts facts[2];
    struct rate budget[ROAD_BUDGETS_MAX];
    int64_t hold_until_ns, ban_until_ns; /* HTTP 429, 418 */
    struct desk_session session[2];
    struct desk_round round;
};

enum desk_state {
    DESK_STATE_UNSET = 0, /* the slot is free */
    DESK_ASKED,           /* the bay has it */
    DESK_READY,           /* a template lies here, or the stored one will do */
    DESK_FLYING,          /* taken; the network has it */
    DESK_OWED,            /* answered; the engine's line was full */
};
struct desk_approval {
    uint32_t state; /* enum desk_state */
    uint32_t next, before;
    uint32_t account; /* index */
    uint32_t class_of;
    bool by_stored;
    uint64_t k, seq, order, bytes;
    int64_t t_ns, came_ns, deadline_ns, out_ns;
    int64_t held_ns; /* since when it waits for budget; 0 = it does not */
    uint32_t attempt, instrument, side, tif, reduce_only; /* instrument: index in the facts */
    uint32_t what, reason;
    int64_t qty, price;
    char client_id[ROAD_CLIENT_ID_BYTES];
    char venue_id[24];
};
struct desk_ticket {
    uint64_t number; /* 0 = free */
    uint32_t account, link, generation;
    uint32_t approval; /* slot, DESK_NONE = none */
    uint32_t stored;   /* enum desk_stored of a kill's request, 0 = none of its own */
    uint32_t round;    /* of which round */
    bool is_second, is_answered;
    uint64_t request; /* the adapter's number; 0 = it did not ask */
    int64_t deadline_ns;
};

struct desk {
    uint64_t magic;
    struct desk_config c;
    struct witness *w;
    struct witness_head head;
    int64_t now, next_ns, wall_ns; /* wall_ns: as it was last given; now never falls in small */
    bool is_attached, is_ready, power_lost, attached_owed, killed_owed;
    uint32_t open_at; /* how far the opens were said */
    uint32_t opens;
    uint64_t epoch, durable, last_k, before_epoch;
    int64_t last_t_ns; /* newest event time heard of */
    uint64_t first_ticket, next_ticket;
    uint32_t ticket_count;
    uint32_t free_first, free_last, live_first, live_last, owed;
    struct rng rng;
    struct desk_totals totals;
    uint32_t account_count;
    struct desk_account account[DESK_ACCOUNTS_MAX];
    struct desk_approval approval[DESK_APPROVALS_MAX];
    struct desk_ticket ticket[DESK_TICKETS_MAX];
    struct assembled out; /* of the one message that is being made */
    struct assemble_template in;
    /* From here on nothing is cleared at start. */
    _Alignas(8) uint8_t line[LINE_BODY_MAX + 4096];
    uint8_t spill[DESK_ACCOUNTS_MAX][2][DESK_SPILL_BYTES];
    struct desk_template template_of[DESK_APPROVALS_MAX];
};

static inline void arm(struct desk *d, int64_t at_ns)
{
    if (at_ns < d->next_ns)
        d->next_ns = at_ns;
}
static inline const struct desk_facts *facts_of(const struct desk_account *a)
{
    return &a->facts[a->active];
}
static inline uint32_t id_of(const struct desk_account *a)
{
    return a->id;
}

/* desk.c */
void desk_enter(struct desk *d, int64_t wall_ns);
void desk_slot_take(struct desk *d, uint32_t *slot); /* DESK_NONE = none is free; else it is live */
bool desk_any_killed(const struct desk *d);
void desk_close_links(struct desk *d, struct desk_account *a, bool second);
struct desk_account *desk_account_of(struct desk *d, uint32_t id);
void desk_pump(struct desk *d);
/* Out of the live list, its slot free for later. */
void desk_drop(struct desk *d, uint32_t i);

/* desk_road.c */
void desk_road_take(struct desk *d, uint32_t kind, const void *bytes, uint32_t count);

/* desk_say.c */
void desk_log(struct desk *d, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void desk_alarm(struct desk *d, uint32_t what, uint32_t account, uint64_t approval,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Ends an approval: witness, then the engine. */
void desk_answer(struct desk *d, uint32_t i, uint32_t what, uint32_t reason);
void desk_witnessed(struct desk *d, bool must_last);
void desk_say_owed(struct desk *d);
/* A message to a bay, now or when its line has room again; false: it can never be said. */
bool desk_tell(struct desk *d, struct desk_account *a, bool second, uint32_t kind, const void *head,
               uint32_t head_count, const void *body, uint32_t body_count);
void desk_tell_in(struct desk *d, struct desk_account *a, bool second, uint32_t kind, uint32_t link,
                  uint32_t status, uint64_t request, const void *bytes, uint64_t count);
void desk_tell_spilled(struct desk *d, struct desk_account *a, bool second);

/* desk_bay.c */
void desk_ask(struct desk *d, uint32_t i); /* gives an approval to its bay */
/* A cancel or query goes by the stored template; false: there is none. */
bool desk_use_stored(struct desk *d, uint32_t i);
void desk_open(struct desk *d, struct desk_account *a, bool second, struct desk_link *l);
void desk_fault(struct desk *d, struct desk_account *a, bool second, bool at_once);

/* desk_send.c */
enum desk_fired { DESK_FIRED_UNSET = 0, DESK_FIRED, DESK_HELD, DESK_UNSENT, DESK_REFUSED };
void desk_release(struct desk *d);
/* A request of the adapter that no approval is behind. */
void desk_pass(struct desk *d, struct desk_account *a, bool second, const void *message,
               uint32_t count);
/* A stored template, filled in by the kill. */
enum desk_fired desk_fire(struct desk *d, struct desk_account *a, enum desk_stored what,
                          const struct wire_want *want, int64_t wait_ns);
struct wire_place desk_place(struct desk_account *a);

/* desk_net.c */
struct desk_ticket *desk_ticket_new(struct desk *d);
void desk_ticket_done(struct desk *d, struct desk_ticket *t);
void desk_tickets_time(struct desk *d);
void desk_ticket_lost(struct desk *d, struct desk_ticket *t); /* no reply will come */

/* desk_kill.c */
void desk_round_start(struct desk *d, struct desk_account *a, bool keep_positions);
void desk_round_run(struct desk *d, struct desk_account *a);
/* The reply to one of its requests; status 0 = none came. */
void desk_round_reply(struct desk *d, struct desk_account *a, const struct desk_ticket *t,
                      uint32_t status, const uint8_t *bytes, uint64_t count);
void desk_set_killed(struct desk *d, const struct road_kill *k);
/* No order of this account may leave: killed, or being flattened. */
bool desk_is_closed(const struct desk *d, const struct desk_account *a);
#endif
