/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon/draft/adapter.h: kind `adapter`, interface adapter/0. DRAFT: it may change until two real
 * venues have used it; a host refuses it for every account whose signed manifest does not say
 * `simulated`.
 *
 * An adapter turns one venue's words into the host's and back. It is sans-I/O: it owns no socket,
 * clock, thread or key. The host's egress process owns those. The adapter gets connection events,
 * bytes and timers and gives back
 *   - market events and execution reports (what the venue said),
 *   - request templates (what should be said to the venue): lists of parts that egress assembles.
 *     A secret or a signature is a part by name; its bytes are never shown to the adapter.
 *
 * Before a template of class ORDER or AMEND leaves, egress reads the assembled bytes again with the
 * wire table below and compares each field with the approval it got from the core. A field that no
 * row names, no approval, no row: nothing is sent. So an adapter can be wrong, but it cannot
 * inflate, invent or misroute an order.
 *
 * Replies are matched by correlation: the `request` number of a template comes back with the bytes
 * or the failure that answers it. Numbers of the venue that the adapter does not know become
 * TN_SAID_UNKNOWN with their text, never a guess.
 */
#ifndef TENON_DRAFT_ADAPTER_H
#define TENON_DRAFT_ADAPTER_H
#include "tenon/strategy.h" /* TN_LONG, TN_SHORT */

#define TN_ADAPTER_PARTS_MAX 64
#define TN_ADAPTER_CONNECTIONS_MAX 16
#define TN_ADAPTER_TIMERS_MAX 64
#define TN_ADAPTER_CLIENT_ID_BYTES 40

/* ---- connections ---- */
#define TN_LINK_HTTP 1u /* one request, one reply; keep-alive is the host's business */
#define TN_LINK_WS 2u   /* messages */
#define TN_LINK_RAW 3u  /* a byte stream: FIX and other binary forms */

/* A connection the adapter wants. The host opens it again, with backoff, whenever it is lost, until
 * the adapter closes it; each time TN_IN_DOWN and then TN_IN_UP are said. Hosts and ports are the
 * account's `endpoints` in the signed deployment; `endpoint` is an index into that list, so that an
 * adapter cannot name a host nobody signed. */
struct tn_link {
    uint32_t size;
    uint32_t id;   /* the adapter's own number, below TN_ADAPTER_CONNECTIONS_MAX */
    uint32_t type; /* TN_LINK_* */
    uint32_t endpoint;
    uint32_t is_order_path; /* 1: losing it makes open attempts UNKNOWN */
    uint32_t path_bytes;
    const char *path; /* WS: path and query of the handshake; borrowed until the call returns */
};

/* ---- request templates ---- */
#define TN_PART_BYTES 1u   /* literal bytes */
#define TN_PART_SECRET 2u  /* the secret field `field` of the account */
#define TN_PART_HMAC 3u    /* keyed digest over the parts [first, first + count) */
#define TN_PART_NOW_MS 4u  /* the host's clock, decimal milliseconds; one time per request */
#define TN_PART_CAPTURE 5u /* what the last TN_CAPTURE of that id found (a session token) */
/* STORED templates: egress fills it in; `field` is TN_FIELD_*, its words and units are those of the
 * wire row that reads this request. */
#define TN_PART_FIELD 6u
/* With any kind but HMAC: the part is assembled and counts for digests, but is not sent. So a
 * digest over "time, method, path, body" can stand in a header line before the body. */
#define TN_PART_HIDDEN 0x100u

#define TN_DIGEST_SHA256 1u
#define TN_DIGEST_SHA512 2u
#define TN_ENCODE_HEX 1u
#define TN_ENCODE_BASE64 2u
#define TN_ENCODE_BASE64URL 3u

struct tn_part {
    uint32_t size;
    uint32_t kind;   /* TN_PART_*, TN_PART_HIDDEN */
    uint32_t field;  /* SECRET, HMAC: index of the secret field; CAPTURE: id */
    uint32_t digest; /* HMAC: TN_DIGEST_* */
    uint32_t encode; /* HMAC: TN_ENCODE_* */
    uint32_t first;  /* HMAC: parts it covers; all before this one in the list */
    uint32_t count;
    uint32_t bytes;      /* BYTES: length */
    const uint8_t *data; /* BYTES: borrowed until the call returns */
};

/* What a request is for; each class has its own rules in egress. There is no "other". */
#define TN_CLASS_ORDER 1u
#define TN_CLASS_AMEND 2u
#define TN_CLASS_CANCEL 3u
#define TN_CLASS_CANCEL_ALL 4u
#define TN_CLASS_QUERY 5u
#define TN_CLASS_SESSION 6u /* login, keep-alive, subscription */
#define TN_CLASS_SETTING 7u /* leverage, margin mode: approved by the deployment */

/* A template is sent once. STORED ones are kept by egress per session and filled by it when the
 * host cannot be asked: that is how cancel-all and flatten work while the core hangs. A later one
 * for the same purpose takes the place of the earlier. The purposes, by class and FIELD parts:
 *   CANCEL                              one order, by its client id
 *   CANCEL_ALL                          all working orders of the account
 *   QUERY with a CLIENT_ID part         what became of an order
 *   QUERY without                       positions; an inbound row of class QUERY reads the reply
 *   ORDER                               the reduce-only, price-protected close of a position
 * `approval` is 0 in all of them. An account without the first two gets no new risk. */
#define TN_REQUEST_STORED 0x1u

struct tn_request {
    uint32_t size;
    uint32_t class_of; /* TN_CLASS_* */
    uint64_t request;  /* correlation, the adapter's own rising number */
    uint64_t approval; /* ORDER, AMEND, CANCEL: the k of tn_approval; else 0 */
    uint32_t link;     /* tn_link id */
    uint32_t flags;    /* TN_REQUEST_* */
    uint32_t weight;   /* cost in the venue's rate budget, in its own units */
    uint32_t bucket;   /* which of the manifest's rate budgets */
    uint32_t method;   /* HTTP: TN_METHOD_* */
    uint32_t part_count;
    uint32_t path_parts; /* HTTP: the first so many parts are path and query, */
    uint32_t head_parts; /* the next so many are header lines, each ended by CR LF; the rest is
                          * the body. Host, Content-Length and Connection are egress's. */
    const struct tn_part *part; /* borrowed until the call returns */
};
#define TN_METHOD_GET 1u
#define TN_METHOD_POST 2u
#define TN_METHOD_PUT 3u
#define TN_METHOD_DELETE 4u

/* Tells egress to keep a text of a reply for later TN_PART_CAPTURE parts, without showing it. */
struct tn_capture {
    uint32_t size;
    uint32_t id;
    uint64_t request; /* in the reply to this request */
    uint32_t format;  /* TN_WIRE_* */
    uint32_t path_bytes;
    const char *path; /* of the field, e.g. "data.token" */
};

/* ---- the wire table: how egress reads the bytes again ----
 * Each field that goes out is named by exactly one field of the row: keys of the JSON object, of
 * the query, of the form, and the header lines. Inbound rows name only what egress must read. */
#define TN_WIRE_JSON 1u
#define TN_WIRE_QUERY 2u /* path?a=b&c=d, no body */
#define TN_WIRE_FORM 3u  /* a=b&c=d in the body */
#define TN_WIRE_WS_JSON 4u
#define TN_WIRE_NUL_FIELDS 5u /* binary with NUL- or SOH-ended fields */

/* What a field must be. The first block is compared with the approval. */
#define TN_FIELD_SYMBOL 1u
#define TN_FIELD_SIDE 2u
#define TN_FIELD_TYPE 3u
#define TN_FIELD_QTY 4u
#define TN_FIELD_PRICE 5u
#define TN_FIELD_TRIGGER 6u
#define TN_FIELD_TIF 7u
#define TN_FIELD_REDUCE_ONLY 8u
#define TN_FIELD_ACCOUNT 9u
#define TN_FIELD_LEVERAGE 10u
#define TN_FIELD_MARGIN_MODE 11u
#define TN_FIELD_CLIENT_ID 12u
#define TN_FIELD_VENUE_ID 13u
#define TN_FIELD_TIME 14u /* event time of the approval, decimal ns */
#define TN_FIELD_MARK 15u /* inbound: the venue's price of a position */
#define TN_FIELD_CONSTANT 32u
#define TN_FIELD_SECRET 33u
#define TN_FIELD_HMAC 34u
#define TN_FIELD_NOW 35u
#define TN_FIELD_CAPTURE 36u
#define TN_FIELD_TOPIC 37u  /* SESSION: one of the texts in value; "*" in it: a venue symbol */
#define TN_FIELD_CURSOR 38u /* QUERY: letters, digits, "-_.:" only; asks, can never act */

struct tn_wire_field {
    uint32_t size;
    uint32_t meaning;  /* TN_FIELD_* */
    uint32_t required; /* 1: no send without it */
    int32_t unit_exp;  /* QTY, PRICE, TRIGGER: the text is in 10^unit_exp; 127 = plain decimal */
    char path[64];     /* "order.qty"; a query key; a field number; of each member of a list
                        * "rows[].qty", "names[]"; a header line "X-Time:" */
    char value[64];    /* CONSTANT: the only text allowed. TOPIC: "news|market:*". HMAC: empty.
                        * SIDE: the words for long and short,
                        * "buy|sell"; TIF: for 1 and 2, "gtc|ioc"; REDUCE_ONLY: for 0 and 1,
                        * "false|true"; TYPE: for TN_ORDER_LIMIT and _TRIGGER, "limit|stop" */
};
struct tn_wire_row {
    uint32_t size;
    uint32_t format;   /* TN_WIRE_* */
    uint32_t class_of; /* TN_CLASS_* */
    uint32_t inbound;  /* 1: a row for what comes in (ack, fill, position) */
    uint32_t link;     /* tn_link id, */
    uint32_t method;   /* HTTP method, */
    uint32_t field_count;
    uint32_t reserved;
    char match[64]; /* and path (without query), or "op=login": the key and text of a message,
                     * that select the row. That key is named by it. */
    const struct tn_wire_field *field; /* static, borrowed for ever */
};

/* ---- what comes in ---- */
#define TN_IN_UP 1u      /* the link is open */
#define TN_IN_DOWN 2u    /* it is closed; text says why */
#define TN_IN_RESUMED 3u /* the adapter is new, the link was kept open by egress */
#define TN_IN_BYTES 4u   /* a whole message (HTTP body, WS message) or the next bytes (RAW) */
#define TN_IN_FAILED 5u  /* the request was not sent: 0 bytes left; text says why */
#define TN_IN_SILENT 6u  /* the request may have been sent; no reply came */
#define TN_IN_TIMER 7u
#define TN_IN_TAKE_OVER 8u /* the other instance has gone; from here on approvals come here */

struct tn_in {
    uint32_t size;
    uint32_t kind;    /* TN_IN_* */
    int64_t t_ns;     /* stamped by egress on receipt; the only time an adapter knows */
    uint32_t link;    /* or the timer's id */
    uint32_t status;  /* HTTP status, WS close code; else 0 */
    uint64_t request; /* the request this answers, 0 = unasked */
    uint64_t bytes;
    const uint8_t *data; /* borrowed until the call returns; hostile input */
};

/* The core's approval, as egress forwards it. The adapter answers with exactly one template. */
#define TN_ORDER_LIMIT 1u
#define TN_ORDER_TRIGGER 2u
struct tn_approval {
    uint32_t size;
    uint32_t class_of; /* TN_CLASS_ORDER, AMEND, CANCEL, QUERY */
    uint64_t approval; /* k */
    uint64_t order;
    int64_t t_ns; /* event time of the approval; TN_FIELD_TIME must say the same */
    uint32_t instrument;
    uint32_t side; /* TN_LONG, TN_SHORT */
    uint32_t type; /* TN_ORDER_* */
    uint32_t tif;  /* 1 good till cancelled, 2 immediate or cancel */
    int64_t qty;   /* instrument units; AMEND: the new total */
    int64_t price;
    int64_t trigger; /* 0 = none */
    uint32_t reduce_only;
    uint32_t venue_id_bytes;
    char client_id[TN_ADAPTER_CLIENT_ID_BYTES]; /* by the manifest's rule, NUL-padded */
    char venue_id[64];                          /* CANCEL, AMEND, QUERY: as the venue named it */
};

/* ---- what goes out besides requests ---- */
#define TN_SAID_ACK 1u
#define TN_SAID_REJECT 2u
#define TN_SAID_FILL 3u
#define TN_SAID_CANCELED 4u
#define TN_SAID_CANCEL_REJECT 5u
#define TN_SAID_CANCEL_LATE 6u
#define TN_SAID_EXPIRED 7u
#define TN_SAID_VENUE_CANCEL 8u
#define TN_SAID_BUST 9u
#define TN_SAID_STATUS 10u
#define TN_SAID_UNKNOWN 11u /* a word the adapter does not know; it is alarmed, never dropped */

struct tn_said { /* what the venue said about an order; ExecutionReport v1 is made of it */
    uint32_t size;
    uint32_t kind;    /* TN_SAID_* */
    uint64_t request; /* the request it answers, 0 = unasked */
    uint32_t instrument;
    uint32_t side;
    int64_t venue_ns;             /* the venue's own time, a field only */
    int64_t due_ns;               /* simulated venues on script time: when it counts; else 0 */
    int64_t last_qty, last_price; /* instrument units, exact */
    int64_t cum_qty, leaves_qty;
    int64_t fee; /* > 0 we pay */
    int32_t fee_exp;
    uint32_t liquidity; /* 0 not said, 1 maker, 2 taker */
    uint32_t reason;    /* 0 none; else the host's reject words by number */
    uint32_t found;     /* STATUS: 1 working, 2 done, 3 absent, 4 proved never accepted */
    char client_id[TN_ADAPTER_CLIENT_ID_BYTES];
    char venue_id[64];
    char trade_id[64];
    char fee_currency[16];
    char text[64]; /* the venue's words */
};

/* A reconciliation: what the venue holds of the account, said between two of these. */
#define TN_SYNC_BEGAN 1u
#define TN_SYNC_WHOLE 2u  /* every execution after the cursor and every open order were said */
#define TN_SYNC_FAILED 3u /* it will be tried again; what was said so far stands */
struct tn_sync {
    uint32_t size;
    uint32_t phase; /* TN_SYNC_* */
    uint32_t orders, fills;
    char cursor[64]; /* the newest trade id up to which every execution was said */
};

struct tn_timer {
    uint32_t size;
    uint32_t id;   /* below TN_ADAPTER_TIMERS_MAX; setting it again moves it */
    int64_t at_ns; /* 0 = off */
};

/* Where a call puts what it wants. Each entry copies before it returns and gives TN_OK, TN_E_SHORT
 * (the bounded list of this call is full: the rest must wait for the next call) or TN_E_PARAM. */
struct tn_adapter_out {
    uint32_t size;
    uint32_t reserved;
    void *self;
    /* [hot] Opens, or closes again (type 0), a connection. */
    int32_t (*link)(void *self, const struct tn_link *l);
    /* [hot] Hands over a template. */
    int32_t (*request)(void *self, const struct tn_request *r);
    /* [hot] Announces a capture, before or with its request. */
    int32_t (*capture)(void *self, const struct tn_capture *c);
    /* [hot] A market event; seq is 0, t_ns is the venue's own time (the host stamps for itself). */
    int32_t (*event)(void *self, const struct tn_event *ev);
    /* [hot] What the venue said. */
    int32_t (*said)(void *self, const struct tn_said *s);
    /* [hot] Sets or clears a timer. */
    int32_t (*timer)(void *self, const struct tn_timer *t);
    /* [hot] A reconciliation began or ended. */
    int32_t (*sync)(void *self, const struct tn_sync *s);
};

/* ---- the adapter ---- */
struct tn_adapter_instrument {
    uint32_t size;
    uint32_t reserved;
    const struct tn_instrument *instrument; /* valid to destroy */
    char venue_symbol[TN_NAME_BYTES];       /* from the deployment, never guessed */
};
struct tn_adapter_create {
    uint32_t size;
    uint32_t param_count;
    const union tn_number *params;
    const struct tn_adapter_instrument *instrument; /* array, stride its size member */
    uint32_t instrument_count;
    uint32_t account;
    uint64_t epoch;     /* of the host: prefix of client ids */
    uint32_t is_second; /* 1: another instance still serves the account; answer no approval until
                         * TN_IN_TAKE_OVER. Its market data go on where the other's end. */
    uint32_t reserved;
    char cursor[64]; /* that of the last TN_SYNC_WHOLE the host heard, "" = none: fetch the
                      * executions after it before the first TN_SYNC_WHOLE */
};

#define TN_CLIENT_ID_NONE 0u    /* the venue takes none: an UNKNOWN attempt is never re-issued */
#define TN_CLIENT_ID_TEXT 1u    /* text of at most client_id_max characters */
#define TN_CLIENT_ID_COUNTER 2u /* a rising number, journaled before the send */

/* What the venue is: static data, read by the host without a call; part of what is signed. */
struct tn_adapter_facts {
    uint32_t size;
    uint32_t simulated; /* 1: no real money behind it */
    uint32_t client_id; /* TN_CLIENT_ID_* */
    uint32_t client_id_max;
    int64_t validity_ns;   /* an order older than this is refused by the venue; 0 = no such rule */
    uint32_t bucket_count; /* rate budgets: so much weight per so much time */
    uint32_t row_count;
    const struct tn_rate_budget *bucket; /* static */
    const struct tn_wire_row *row;       /* static */
};
struct tn_rate_budget {
    uint32_t size;
    uint32_t weight;
    int64_t per_ns;
};

struct tn_adapter_ops {
    struct tn_instance_ops base;          /* create is NULL here; the one below is used */
    const struct tn_adapter_facts *facts; /* constant data of the plugin itself */
    /* [setup] Makes an instance for one account. */
    int32_t (*create)(const struct tn_host *host, const struct tn_adapter_create *c, void **inst);
    /* [hot] Opens its links, hands over its stored templates. Once, after activate. */
    int32_t (*start)(void *inst, int64_t t_ns, const struct tn_adapter_out *out);
    /* [hot] One thing came in. Never blocks; work is O(bytes). Any bytes may come: what is not
     * understood is said as TN_SAID_UNKNOWN or logged, the state stays good. */
    int32_t (*on_in)(void *inst, const struct tn_in *in, const struct tn_adapter_out *out);
    /* [hot] Answers an approval with one request of that approval number, or with a status: the
     * approval is then burned. TN_E_UNSUPPORTED when the venue knows no such order. */
    int32_t (*on_approval)(void *inst, int64_t t_ns, const struct tn_approval *a,
                           const struct tn_adapter_out *out);
};

_Static_assert(sizeof(struct tn_part) == 40, "tn_part layout");
_Static_assert(sizeof(struct tn_request) == 64, "tn_request layout");
_Static_assert(sizeof(struct tn_in) == 48, "tn_in layout");
_Static_assert(sizeof(struct tn_approval) == 184, "tn_approval layout");
_Static_assert(sizeof(struct tn_said) == 344, "tn_said layout");
_Static_assert(sizeof(struct tn_wire_field) == 144, "tn_wire_field layout");
_Static_assert(sizeof(struct tn_wire_row) == 104, "tn_wire_row layout");
#endif
