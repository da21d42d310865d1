/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of a process bay, once (version 1): what goes between tenon-bay and the engine, and
 * between an adapter's bay and tenon-egress. Each line is a link (base/link.h); ids are its message
 * kinds. Everything a bay says is hostile until it was copied and checked.
 *
 * Row: X(id, NAME, direction, sentence). Directions: CORE: engine to bay, BAY: bay to engine,
 * DESK: egress to bay, ASK: bay to egress. Payloads stand below; variable parts follow them.
 */
#ifndef TBL_LINES_H
#define TBL_LINES_H
#include "tbl/facts.h"
#include "tenon/draft/adapter.h"

enum { LINE_VERSION = 1, LINE_BYTES = 1024 * 1024, LINE_BODY_MAX = 128 * 1024 };

#define LINES(X)                                                                                   \
    X(1, STRATEGY, CORE, "create the nodes of a strategy's bay")                                   \
    X(2, ADAPTER, CORE, "create an adapter")                                                       \
    X(3, ACTIVATE, CORE, "activate")                                                               \
    X(4, GIVE, CORE, "events: struct tn_event, one after the other")                               \
    X(5, SAVE, CORE, "save a node's state")                                                        \
    X(6, LOAD, CORE, "load a node's state: pieces, then the whole")                                \
    X(7, STOP, CORE, "deactivate, destroy, exit")                                                  \
    X(8, PING, CORE, "answer with PONG: everything before it is done")                             \
    X(16, DONE, BAY, "a command ended: status and sentence")                                       \
    X(17, ANSWER, BAY, "a signal or a fault")                                                      \
    X(18, STATE, BAY, "a piece of a saved state")                                                  \
    X(19, LOG, BAY, "a line for the host's log")                                                   \
    X(20, PONG, BAY, "answer to PING")                                                             \
    X(21, EVENT, BAY, "adapter: a market event")                                                   \
    X(22, SAID, BAY, "adapter: what the venue said of an order")                                   \
    X(23, SYNC, BAY, "adapter: a reconciliation began or ended")                                   \
    X(32, IN, DESK, "adapter: something came in; its bytes follow")                                \
    X(33, APPROVAL, DESK, "adapter: an approval to answer with a template")                        \
    X(48, OPEN, ASK, "adapter: a connection is wanted, or no longer; its path follows")            \
    X(49, REQUEST, ASK, "adapter: a template; parts and bytes follow")                             \
    X(50, CAPTURE, ASK, "adapter: a capture; its path follows")                                    \
    X(51, TIMER, ASK, "adapter: a timer")                                                          \
    X(52, BURN, ASK, "adapter: an approval it will not answer")

enum line_kind {
    LINE_UNSET = 0,
#define X(id, name, direction, text) LINE_##name = id,
    LINES(X)
#undef X
};

/* What a bay does while its line is empty (R37): look again and again, look for a while and then
 * sleep, or sleep at once. */
enum line_wake { LINE_WAKE_UNSET = 0, LINE_WAKE_SPIN, LINE_WAKE_HYBRID, LINE_WAKE_BLOCK };

enum { LINE_NODES_MAX = 16 };
struct line_node {
    uint32_t id, reserved;
    uint32_t module; /* index of its sealed memfd among those handed over */
    uint32_t param_count;
    union tn_number param[TN_MAX_PARAMS];
    uint32_t input_node[TN_MAX_INPUTS];
    uint32_t input_output[TN_MAX_INPUTS];
    uint8_t sha256[FACT_HASH_BYTES];
};
struct line_strategy {
    uint32_t version, node_count;
    uint32_t wake, spin_us; /* enum line_wake; HYBRID: how long it looks before it sleeps */
    struct tn_instrument instrument;
    int64_t bar_ns;
    uint64_t seed;
    struct line_node node[LINE_NODES_MAX];
};
enum { LINE_INSTRUMENTS_MAX = 64 };
struct line_adapter {
    uint32_t version, instance;
    uint32_t account, instrument_count;
    uint64_t epoch;
    uint32_t param_count, is_second; /* is_second: another one still serves; only reconcile */
    union tn_number param[TN_MAX_PARAMS];
    uint8_t sha256[FACT_HASH_BYTES];
    char cursor[64]; /* newest trade id the journal holds of this account; may be "" */
    struct {
        struct tn_instrument def;
        char venue_symbol[TN_NAME_BYTES];
    } instrument[LINE_INSTRUMENTS_MAX];
};
struct line_state { /* SAVE (bytes 0), LOAD and STATE: pieces of at most LINE_BODY_MAX */
    uint32_t node, is_last;
    uint64_t as_of_seq;
    uint32_t total, offset, count, reserved; /* count bytes follow */
};
struct line_done {
    uint32_t what;   /* the command's kind */
    int32_t code;    /* enum result_code */
    uint32_t warmup; /* STRATEGY: events wanted before the first answer */
    uint32_t reserved;
    uint64_t number; /* PING's */
    char text[192];
};
struct line_answer {
    uint32_t kind; /* enum bay_answer_kind */
    uint32_t instance;
    uint64_t cause_seq;
    int64_t cause_t_ns;
    int32_t status;
    uint32_t reserved;
    struct fact_signal signal;
    char text[FACT_TEXT_BYTES];
};
struct line_log {
    uint32_t level, count; /* count bytes follow */
};
struct line_sync {
    uint32_t phase;                   /* 1 began, 2 ended whole, 3 failed */
    uint32_t orders, fills, reserved; /* found in it */
    char cursor[64];
};
/* APPROVAL, EVENT and SAID carry the stamp of the host in front; IN is struct line_in and bytes;
 * TIMER is struct tn_timer. */
struct line_approval {
    int64_t t_ns;
    struct tn_approval a;
};
struct line_event {
    int64_t stamp_ns;      /* of the tn_in it came with: egress's receipt */
    struct tn_event event; /* t_ns: the venue's own time */
};
struct line_said {
    int64_t stamp_ns;
    struct tn_said said;
};
struct line_in { /* struct tn_in without its pointer; `bytes` bytes follow */
    uint32_t kind, link, status, reserved;
    int64_t t_ns;
    uint64_t request, bytes;
};
struct line_open { /* struct tn_link without its pointer; path follows */
    uint32_t id, type, endpoint, is_order_path, path_bytes, reserved;
};
struct line_request { /* part_count struct line_part follow, then all their bytes */
    uint32_t class_of, link, flags, weight, bucket, method;
    uint64_t request, approval;
    uint32_t part_count, path_parts, head_parts, bytes;
};
struct line_part {
    uint32_t kind, field, digest, encode, first, count, bytes, reserved;
};
struct line_capture { /* path follows */
    uint64_t request;
    uint32_t id, format, path_bytes, reserved;
};
struct line_burn {
    uint64_t approval;
    int32_t status;
    uint32_t reserved;
};
#endif
