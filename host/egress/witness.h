/* SPDX-License-Identifier: Apache-2.0
 *
 * The witness: what egress did with each approval, in memory that outlives it (version 1).
 *
 * A mapped file of fixed size. A process that dies leaves it as it was at its last store; so the
 * order of stores is what is promised: ASKED before the bay hears of an approval, TAKEN before its
 * first byte may leave, ANSWERED before the engine hears the answer. A new desk over the same
 * witness then knows: never taken = 0 bytes left; taken and not answered = nobody knows. After a
 * loss of power (another boot) the file may be older than what left: what is open is unknown then.
 *
 * Each slot is written by plain stores, and its state last (release). The head is kept twice, the
 * newer whole one counts. The kill flag is a word of its own, set last and read before each send.
 */
#ifndef EGRESS_WITNESS_H
#define EGRESS_WITNESS_H
#include <stdatomic.h>
#include "base/result.h"
#include "tbl/road.h"

enum { WITNESS_VERSION = 1, WITNESS_SLOTS = 8192, WITNESS_KILLS = 9 };

enum witness_state {
    WITNESS_UNSET = 0, /* the slot is free */
    WITNESS_ASKED,     /* no byte can have left */
    WITNESS_TAKEN,     /* bytes may have left */
    WITNESS_ANSWERED,  /* `what` says how; kept until the slot is needed */
};
struct witness_slot {
    _Atomic uint32_t state; /* enum witness_state */
    uint32_t what, reason;  /* enum fact_sent_what, fact_sent_reason */
    uint32_t account, instrument, class_of;
    uint64_t epoch, approval, order;
    uint32_t attempt, is_told; /* is_told: an OPEN or SENT of it reached the engine's line */
    char client_id[ROAD_CLIENT_ID_BYTES];
};
struct witness_head {
    uint64_t turn; /* the greater of two whole ones counts */
    uint64_t epoch;
    uint64_t seq; /* highest event acted on, of any epoch */
    uint8_t journal_id[16];
    uint8_t hash[FACT_HASH_BYTES];  /* chain over the approvals taken */
    uint64_t approvals, orders_out; /* the meter: orders approved, orders that left */
    uint64_t closes;                /* of the kill, for their ids */
    uint32_t crc, reserved;         /* of all before */
};
struct witness_kill { /* [0] of all accounts, the others of one each */
    _Atomic uint32_t is_set;
    uint32_t reserved;
    struct road_kill kill;
};
struct witness {
    uint64_t magic;
    uint32_t version, bytes;
    uint64_t boot;
    struct witness_head head[2];
    struct witness_kill kill[WITNESS_KILLS];
    struct witness_slot slot[WITNESS_SLOTS];
};

/* Makes a zeroed one, or checks an old one: RESULT_VERSION, RESULT_CORRUPT. *power_lost: it is of
 * another boot; all that was asked or taken may have left. */
MUST_USE struct result witness_open(struct witness *w, size_t bytes, uint64_t boot,
                                    bool *power_lost, struct trail *tr);
/* The newest whole head. */
void witness_read_head(const struct witness *w, struct witness_head *out);
void witness_write_head(struct witness *w, const struct witness_head *h);

static inline uint32_t witness_state(const struct witness_slot *s)
{
    return atomic_load_explicit(&s->state, memory_order_acquire);
}
static inline void witness_move(struct witness_slot *s, uint32_t state)
{
    atomic_store_explicit(&s->state, state, memory_order_release);
}

/* Sets the flag of an account (0 = all); false: no row is left, so all accounts are killed. A flag
 * that is set already gets no softer: positions are kept only while all who killed keep them. */
bool witness_set_kill(struct witness *w, const struct road_kill *k);
void witness_lift(struct witness *w, uint32_t account);
/* The flag that binds an account, or NULL: its own or that of all, whichever closes positions. 0
 * asks for the one of all accounts. */
const struct road_kill *witness_killed(const struct witness *w, uint32_t account);
#endif
