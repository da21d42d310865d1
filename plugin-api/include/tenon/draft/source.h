/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon/draft/source.h: kind `source`, interface source/0. DRAFT: may change; refused in live.
 *
 * A source turns bytes (a file the host reads and unpacks for it) or a seed into market data. It
 * is sans-I/O: the host gives it bytes and takes events. A row it cannot use is reported with its
 * line number and reason, never guessed and never silently dropped: rows = used + reported.
 */
#ifndef TENON_DRAFT_SOURCE_H
#define TENON_DRAFT_SOURCE_H
#include "tenon/abi.h"

#define TN_SOURCE_FILE 1u      /* wants bytes: feed() until final */
#define TN_SOURCE_GENERATOR 2u /* wants none: feed(NULL, 0, 0) gives the next events for ever */

/* Why a row was not used: the closed list. New reasons come at its end. */
#define TN_ROW_FIELDS 1u    /* missing, extra or reordered fields */
#define TN_ROW_NUMBER 2u    /* not an exact decimal */
#define TN_ROW_DIGITS 3u    /* more digits than the instrument's exponent holds */
#define TN_ROW_PRICE 4u     /* zero, negative or beyond the instrument's range */
#define TN_ROW_QTY 5u       /* zero or negative quantity on a trade, negative volume */
#define TN_ROW_BAR 6u       /* high/low do not enclose open and close */
#define TN_ROW_TIME 7u      /* not a time, or before the last one */
#define TN_ROW_REPEAT 8u    /* same stamp as the last bar */
#define TN_ROW_LENGTH 9u    /* longer than 4096 bytes */
#define TN_ROW_FLAGGED 10u  /* the vendor flags it as suspicious */
#define TN_ROW_EMPTY 11u    /* a quote with neither side */
#define TN_ROW_ENCODING 12u /* control or non-ASCII bytes */

#define TN_STAMP_START 1u /* a bar's stamp is its start: the event time is stamp + bar_ns */
#define TN_STAMP_END 2u

struct tn_source_create {
    uint32_t size;
    uint32_t param_count;
    const union tn_number *params;
    const struct tn_instrument *instrument; /* array */
    uint32_t instrument_count;
    uint32_t stamp; /* TN_STAMP_* */
    int64_t bar_ns; /* length of a bar row, 0 when rows are no bars */
    uint64_t seed;
};

struct tn_row_report {
    uint64_t line;   /* 1-based line of the file */
    uint32_t reason; /* TN_ROW_* */
    uint32_t bytes;  /* used of text */
    char text[64];   /* beginning of the row, escaped by the host before it is shown */
};

struct tn_source_out {
    uint32_t size;
    uint32_t event_capacity;
    uint32_t event_count;
    uint32_t report_capacity;
    uint32_t report_count;
    uint32_t header_error;  /* 1: this file is not for this source; report[0].text says why */
    struct tn_event *event; /* stride sizeof(struct tn_event); seq is 0, the host numbers */
    struct tn_row_report *report;
    uint64_t rows;      /* running total of data rows seen */
    uint64_t rows_used; /* running total of rows that became events */
    uint64_t off_tick;  /* running total of rows used although off the tick grid */
};

/* Order: the reports of a call are about rows after the rows of its events, so what comes out does
 * not depend on where the host cuts the bytes. Times of the events of a source never fall. */
struct tn_source_ops {
    struct tn_instance_ops base; /* create is NULL here; the one below is used */
    uint32_t source_kind;        /* TN_SOURCE_* */
    uint32_t reserved;
    /* [setup] */
    int32_t (*create)(const struct tn_host *host, const struct tn_source_create *c, void **inst);
    /* [hot] Consumes some of the bytes (*used <= count) and gives events; called again with the
     * rest until all is used and nothing more comes out. final = 1 with the last bytes. The host
     * sets the capacities and arrays of *out; the source sets counts and totals. A call with at
     * least 8192 bytes makes progress. After header_error there is no further call. O(count). */
    int32_t (*feed)(void *inst, const uint8_t *bytes, uint64_t count, uint32_t final,
                    uint64_t *used, struct tn_source_out *out);
};
#endif
