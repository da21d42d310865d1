/* SPDX-License-Identifier: Apache-2.0
 *
 * A feed: the host's side of a source plugin. It reads and unpacks the file (or asks a generator),
 * lets the source make market data of it, checks what the source gives, and hands it out as facts:
 * BAR, TRADE, QUOTE, and ROWS for what was not used.
 *
 * Invariants
 *   1. Every row of a file comes out: as one market fact, or counted in one ROWS fact.
 *   2. Facts come in file order. Rows of neighbouring lines refused for the same reason are one
 *      ROWS fact. Nothing depends on how the file is packed or cut into reads.
 *   3. t_ns never falls. ROWS has the time of the market fact before it.
 *   4. The bytes read are the bytes hashed: a file that changes while it is read is an error.
 *
 * One thread. Allocates at open only.
 */
#ifndef FLOW_FEED_H
#define FLOW_FEED_H
#include "base/result.h"
#include "tbl/facts.h"
#include "tenon/draft/source.h"

enum { FEED_PATH_MAX = 511 };

struct feed_spec {
    const char *path;              /* NULL for a generator */
    const struct tn_entry *entry;  /* of the source module: bay_module_entry(); outlives the feed */
    const union tn_number *params; /* in the manifest's order, checked; NULL = its defaults */
    const struct fact_instrument *instrument; /* array */
    uint32_t instrument_count;
    uint32_t stamp;     /* TN_STAMP_* of bar rows */
    int64_t bar_ns;     /* length of bar rows, 0 = the rows are no bars */
    uint64_t seed;      /* of a generator */
    uint32_t source;    /* its index in the deployment: head.source and fact_rows.source */
    uint64_t bytes_max; /* unpacked; 0 = 8 GiB */
};

struct feed;
MUST_USE struct result feed_open(const struct feed_spec *spec, struct feed **out, struct trail *tr);
void feed_close(struct feed *f); /* NULL is let pass */

/* The fact of one market event, from this source; seq is 0. The event was checked. */
void feed_fact(const struct tn_event *ev, uint32_t source, struct fact_view *out);

/* The next fact; seq is 0, sequencing is the caller's. RESULT_END after the last row. Any other
 * failure ends the feed: the same result comes again. */
MUST_USE struct result feed_next(struct feed *f, struct fact_view *out, struct trail *tr);

struct feed_totals {
    uint64_t rows; /* = used + reported, of what has been handed out so far */
    uint64_t used;
    uint64_t reported;
    uint64_t off_tick; /* of the used */
    uint64_t bytes;    /* unpacked so far */
};
void feed_totals(const struct feed *f, struct feed_totals *out);
/* SHA-256 of the file as it lies on disk, from the open on; zeros for a generator. */
const uint8_t *feed_sha256(const struct feed *f);
/* The words for a TN_ROW_* reason, "?" for an unknown one. */
const char *feed_reason(uint32_t reason);
#endif
