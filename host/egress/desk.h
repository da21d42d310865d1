/* SPDX-License-Identifier: Apache-2.0
 *
 * The desk: all that tenon-egress decides, as a sans-I/O step. No clock, socket, file, thread or
 * heap: time comes with each call, what should be done goes out through struct desk_ops at once.
 * The program (host/egress.c) and the simulator drive the very same code.
 *
 * One road (DECISIONS 19): an approval comes from the engine, goes to the adapter's bay, comes back
 * as a template. The desk assembles the template's bytes, reads them again by the signed wire
 * table, compares every field with the approval, waits until the approval's record is durable,
 * looks at the kill flag and at the rate budget, counts itself in the meter, writes `taken` into
 * the witness, and only then sends, once; each approval is answered exactly once with ROAD_SENT.
 *
 * When ROAD_SENT says OK: WS and RAW, when `send` took the message; HTTP, at the first of
 * DESK_NET_WRITTEN and the reply. FAILED and SILENT before that are FAILED and UNKNOWN.
 *
 * States of an approval: asked (given to the bay) -> ready (template compared) -> taken (in the
 * witness, before the first byte) -> answered. Burned: kill, epoch, no template by the deadline,
 * mismatch, no link. A cancel without a template goes out by the stored one.
 *
 * Kill (own door or the engine's word): the flag goes into the witness first; then every order not
 * yet taken is burned, stored cancel-alls and cancels go out, positions are queried, and what the
 * venue reports is closed reduce-only and price-protected in steps, until flat in three reads. That
 * needs no engine and no bay.
 *
 * One thread. Memory is the caller's, laid out once.
 */
#ifndef EGRESS_DESK_H
#define EGRESS_DESK_H
#include "base/result.h"
#include "egress/witness.h"
#include "tbl/lines.h"
#include "tbl/road.h"

enum {
    DESK_ACCOUNTS_MAX = 8,
    DESK_APPROVALS_MAX = 8192,  /* open or waiting for a durable record */
    DESK_BYTES_MAX = 64 * 1024, /* of one assembled request */
    DESK_SECRET_BYTES = 512,
    DESK_SECRET_NONE = -1,      /* there is none */
    DESK_SECRET_OF_OTHERS = -2, /* it is of simulated accounts and this one is live, or reverse */
    DESK_FIELDS_MAX = 64,       /* of one message */
    DESK_TEMPLATE_BYTES = 4096, /* of one template that waits: head, parts and bytes */
    DESK_WITNESS_BYTES = sizeof(struct witness),
};

enum desk_net { /* what the network said of a connection or a request */
                DESK_NET_UNSET = 0,
                DESK_NET_UP,
                DESK_NET_DOWN,
                DESK_NET_BYTES,   /* a reply (request != 0) or an unasked message */
                DESK_NET_FAILED,  /* the request: 0 bytes left */
                DESK_NET_SILENT,  /* the request: some bytes left, no reply will come */
                DESK_NET_WRITTEN, /* the request: its last byte is with the kernel */
};
struct desk_net_in {
    uint32_t account, link; /* the adapter's link id */
    uint32_t is_second;     /* of the second session of an account (adapter swap) */
    uint32_t what;          /* enum desk_net */
    uint32_t status;        /* HTTP status, WS close code */
    int32_t retry_s;        /* HTTP Retry-After; -1 = none */
    uint64_t ticket;        /* the desk's number of the request, as given to `send` */
    uint64_t count;
    const uint8_t *bytes;
};
struct desk_message { /* to the network */
    uint32_t account, link, is_second;
    uint32_t type;   /* TN_LINK_* */
    uint32_t method; /* HTTP */
    uint64_t ticket;
    int64_t wait_ns; /* it begins within so long, or not at all: its ticket ends then; 0 = none */
    uint32_t path_bytes, head_bytes, body_bytes; /* HTTP: one after the other; WS, RAW: body only */
    const uint8_t *bytes;
};

struct desk_ops {
    void *arg;
    /* false: no room; the desk stops reading that account's net and tries again. */
    bool (*to_core)(void *arg, uint32_t kind, const void *bytes, uint32_t count);
    bool (*to_bay)(void *arg, uint32_t account, bool second, uint32_t kind, const void *head,
                   uint32_t head_count, const void *body, uint32_t body_count);
    void (*open)(void *arg, uint32_t account, bool second, const struct line_open *o,
                 const char *endpoint, const char *path);
    void (*close)(void *arg, uint32_t account, bool second, uint32_t link);
    /* Hands a whole message over. Gives how many bytes were taken: all, or 0 = nothing left. */
    int64_t (*send)(void *arg, const struct desk_message *m);
    /* A field of the account's secret; gives its length, or why not (DESK_SECRET_...). */
    int32_t (*secret)(void *arg, uint32_t account, uint32_t field, uint8_t out[DESK_SECRET_BYTES]);
    void (*log)(void *arg, uint32_t level, const char *line);
    /* After each store to the witness that another process may have to rely on; may be NULL.
     * must_last: it must outlive a loss of power (the kill flag), as far as the disk allows. */
    void (*witnessed)(void *arg, bool must_last);
};

struct desk_config {
    void *witness; /* mapped, DESK_WITNESS_BYTES, kept over restarts (egress/witness.h) */
    uint64_t boot; /* of the machine: another than the witness's means power may have been lost */
    uint64_t seed; /* of jitter in retries */
    int64_t template_wait_ns; /* 0 = 250 ms */
    struct desk_ops ops;
};

struct desk; /* opaque */
size_t desk_bytes(void);
MUST_USE struct result desk_init(void *memory, size_t bytes, const struct desk_config *c,
                                 int64_t wall_ns, struct desk **out, struct trail *tr);

/* May this engine attach? A lower epoch of the same journal may not: a newer one has been here. */
bool desk_admits(const struct desk *d, const struct road_hello *h, const char **why);
/* The engine: it is here (a newer epoch burns what is not taken of the older), or gone. */
void desk_attach(struct desk *d, int64_t wall_ns, const struct road_hello *h);
void desk_detach(struct desk *d, int64_t wall_ns);
void desk_from_core(struct desk *d, int64_t wall_ns, uint32_t kind, const void *bytes,
                    uint32_t count);
/* All records up to here are on the disk. */
void desk_durable(struct desk *d, int64_t wall_ns, uint64_t seq);
/* A bay of an account: it is here, gone, or the second one takes over: the first one's links are
 * closed, and from then on the second session is the first (is_second 0), with its links. A take
 * over sends nothing by itself: the net changes its names first, then desk_time goes on. */
void desk_bay(struct desk *d, int64_t wall_ns, uint32_t account, bool second, bool here);
void desk_bay_takes_over(struct desk *d, int64_t wall_ns, uint32_t account);
void desk_from_bay(struct desk *d, int64_t wall_ns, uint32_t account, bool second, uint32_t kind,
                   const void *bytes, uint32_t count);
void desk_from_net(struct desk *d, int64_t wall_ns, const struct desk_net_in *in);
/* Is the flag set for this account, or for all? */
bool desk_is_killed(const struct desk *d, uint32_t account);
/* egress's own door. */
void desk_kill(struct desk *d, int64_t wall_ns, const struct road_kill *k);
/* Timers: template deadlines, retries, budgets, the kill's rounds. */
int64_t desk_deadline(const struct desk *d); /* wall; INT64_MAX = none */
void desk_time(struct desk *d, int64_t wall_ns);
/* Not now: the account's network is not to be read (its bay's or the engine's line is full). */
bool desk_holds(const struct desk *d, uint32_t account);

struct desk_totals {
    uint64_t approvals, sent, suppressed, failed, unknown, burned;
    uint64_t orders_out, cancels_out, queries_out, closes_out, bytes_out;
    uint64_t refused_mismatch, refused_invented, refused_unnamed, no_template, stored_cancels;
    uint64_t rate_held, late_templates, reconnects;
    bool is_killed, is_attached;
    uint64_t epoch;
    uint32_t open;
};
void desk_totals(const struct desk *d, struct desk_totals *out);
/* Whole-state invariants; asserts. For tests and the simulator. */
void desk_check(const struct desk *d);
#endif
