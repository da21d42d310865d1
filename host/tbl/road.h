/* SPDX-License-Identifier: Apache-2.0
 *
 * The road between the engine and tenon-egress: every kind of message on it, once (version 1).
 *
 * They meet on egress's Unix socket (SOCK_SEQPACKET): the engine sends struct road_hello with the
 * descriptors of one link (base/link.h) and of the durable page; from then on everything is a
 * message on that link, and the socket only says who has died. An adapter bay's end of its line to
 * egress goes over the socket as struct road_bay with the descriptors of that link's end.
 *
 * Row: X(id, NAME, payload, direction, sentence); direction OUT: engine to egress, IN: back.
 */
#ifndef TBL_ROAD_H
#define TBL_ROAD_H
#include "tbl/facts.h"
#include "tenon/draft/adapter.h"

enum {
    ROAD_VERSION = 1,
    ROAD_LINK_BYTES = 4 * 1024 * 1024,
    ROAD_ENDPOINTS_MAX = 4,
    ROAD_ENDPOINT_BYTES = 128,
    ROAD_CLIENT_ID_BYTES = TN_ADAPTER_CLIENT_ID_BYTES,
    ROAD_BUDGETS_MAX = 8,
    ROAD_SUB_BITS = 16, /* an approval is seq << ROAD_SUB_BITS | sub */
};

#define ROADS(X)                                                                                   \
    X(1, ACCOUNT, road_account, OUT, "an account and the way to its venue")                        \
    X(2, INSTRUMENT, road_instrument, OUT, "an instrument under its name at the venue")            \
    X(3, READY, road_ready, OUT, "all accounts of this epoch are said; approvals follow")          \
    X(4, ORDER, road_order, OUT, "an approval to place an order")                                  \
    X(5, CANCEL, road_cancel, OUT, "an approval to cancel one")                                    \
    X(6, QUERY, road_query, OUT, "a question about one")                                           \
    X(7, KILL, road_kill, OUT, "the kill flag is set")                                             \
    X(8, LIFT, road_kill, OUT, "the kill flag is lifted, as people signed")                        \
    X(9, FLAT, road_flat, OUT, "cancel all of an account and close what its venue reports")        \
    X(10, LEAVE, road_leave, OUT, "the engine stops on purpose; sessions may stay")                \
    X(11, ROW, road_row, OUT, "a row of the wire table of an account's adapter")                   \
    X(32, OPEN, road_open, IN, "at attach: an approval of an earlier epoch without an answer")     \
    X(33, ATTACHED, road_attached, IN, "all of these are said; what egress acted on last")         \
    X(34, SENT, road_sent, IN, "what became of an approval")                                       \
    X(35, NET, road_net, IN, "a connection of an account is up or down")                           \
    X(36, KILLED, road_kill, IN, "the kill flag was set at egress's own door, or was found set")   \
    X(37, ALARM, road_alarm, IN, "something a person should see")                                  \
    X(38, FLATTENED, road_flat, IN, "an account is flat, in three reads of its venue")

enum road_kind {
    ROAD_UNSET = 0,
#define X(id, name, payload, direction, text) ROAD_##name = id,
    ROADS(X)
#undef X
};

struct road_hello {
    uint32_t version, link_bytes;
    uint64_t epoch; /* of the host: greater than any it attached with before */
    uint8_t journal_id[16];
    char host[FACT_NAME_BYTES];
    /* SCM_RIGHTS: mine, theirs, bell, their_bell of egress's end, the durable page's memfd */
};
struct road_welcome { /* the answer on the socket */
    uint32_t version;
    int32_t exit; /* 0, or why not */
    char text[192];
};
struct road_bay { /* engine to egress, on the socket */
    uint32_t account;
    uint32_t link_bytes;
    uint32_t is_second; /* 1: beside the one that serves, until road_bay of it again with 2 */
    uint32_t reserved;  /* is_second 2: takes over, the first one goes */
    /* SCM_RIGHTS: the four of egress's end */
};
/* The durable page, written by the engine, mapped read-only by egress. */
struct road_durable {
    uint32_t version, reserved;
    uint64_t epoch;
    _Alignas(64) _Atomic uint64_t seq; /* all events up to here are on the disk */
};

struct road_account {
    uint32_t account, instance; /* of the adapter */
    uint32_t simulated;         /* by the adapter's manifest */
    uint32_t endpoint_count;
    char name[FACT_NAME_BYTES];
    char secret
        [FACT_NAME_BYTES]; /* the secret's name in egress's store; empty = the account's name */
    char endpoint[ROAD_ENDPOINTS_MAX][ROAD_ENDPOINT_BYTES]; /* http://, ws://, tcp://: host:port */
    /* The adapter's signed facts: budgets and client-id rule. Its wire rows come as ROAD_ROW. */
    uint32_t client_id, client_id_max;
    int64_t validity_ns;
    uint32_t budget_count, row_count;
    struct {
        uint32_t weight, reserved;
        int64_t per_ns;
    } budget[ROAD_BUDGETS_MAX];
};
struct road_instrument {
    uint32_t account, reserved;
    struct fact_instrument def;
    char venue_symbol[TN_NAME_BYTES];
};
enum { ROAD_FIELDS_MAX = 32 };
struct road_row { /* struct tn_wire_row without its pointer; also the first `field_count` fields */
    uint32_t account, index;
    uint32_t format, class_of, inbound, link, method, field_count;
    char match[64];
    struct tn_wire_field field[ROAD_FIELDS_MAX];
};
struct road_ready {
    uint64_t epoch;
};
/* k: the approval's number, unique in the journal: its event and which of its
 * effects it is. */
struct road_order {
    uint64_t approval;
    uint64_t seq; /* leaves when the durable page has it; 0 = at once (reduce-only) */
    int64_t t_ns; /* event time of the effect */
    struct fact_send send;
};
struct road_cancel {
    uint64_t approval;
    int64_t t_ns;
    struct fact_cancel cancel;
    char client_id[ROAD_CLIENT_ID_BYTES];
};
struct road_query {
    uint64_t approval;
    int64_t t_ns;
    struct fact_query query;
    uint32_t instrument, reserved;
    char client_id[ROAD_CLIENT_ID_BYTES];
};
struct road_kill {
    uint32_t account; /* 0 = all */
    uint32_t keep_positions;
    int64_t wall_ns;
    char by[FACT_NAME_BYTES];
    char reason[FACT_TEXT_BYTES];
};
struct road_flat {
    uint32_t account;
    uint32_t cancelled, closed, reads; /* IN */
};
struct road_leave {
    uint32_t keep; /* 1: sessions and orders stay (an upgrade); 0: close the sessions */
    uint32_t reserved;
};
struct road_open {
    uint64_t approval;
    uint64_t epoch;
    uint64_t order;
    uint32_t account;
    uint32_t class_of;    /* TN_CLASS_* */
    uint32_t what;        /* enum fact_sent_what: FAILED = never taken; UNKNOWN */
    uint32_t is_answered; /* 1: ROAD_SENT was said then, perhaps never read: `what` is its word */
};
struct road_attached {
    uint64_t seq;                  /* highest event it acted on, of any epoch */
    uint8_t hash[FACT_HASH_BYTES]; /* of the approvals up to there */
    uint64_t epoch;                /* the one before */
    uint32_t killed, opens;
};
struct road_sent {
    uint64_t approval;
    int64_t t_ns;    /* wall clock */
    int64_t took_ns; /* from its arrival at egress to the last byte handed over */
    uint64_t bytes;
    struct fact_sent sent;
    uint32_t class_of; /* TN_CLASS_ORDER, CANCEL, QUERY */
    uint32_t reserved;
};
struct road_net {
    uint32_t account, link;
    uint32_t up;
    uint32_t is_order_path;
    int64_t t_ns;
    char text[FACT_TEXT_BYTES];
};
enum road_alarm_what {
    ROAD_ALARM_UNSET = 0,
    ROAD_ALARM_METER,    /* more went out than was approved: killed */
    ROAD_ALARM_MISMATCH, /* the bytes say something else than the approval */
    ROAD_ALARM_INVENTED, /* a template without an open approval */
    ROAD_ALARM_UNNAMED,  /* a field that no wire row names */
    ROAD_ALARM_NO_TEMPLATE,
    ROAD_ALARM_RATE,   /* held back for want of budget */
    ROAD_ALARM_BANNED, /* the venue said to stop for a while */
    ROAD_ALARM_FLOOD,
    ROAD_ALARM_LINE, /* a bay's line is broken */
    ROAD_ALARM_SECRET,
    ROAD_ALARM_STUCK, /* a kill's flatten does not end */
};
struct road_alarm {
    uint32_t what; /* enum road_alarm_what */
    uint32_t account;
    uint64_t approval;
    char text[128];
};
#endif
