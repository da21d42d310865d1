/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire table at work: reads the bytes that are about to leave and says whether they are what
 * was approved (DECISIONS 20). Every value in path, query, head and body is named by exactly one
 * field of the signed row, and is what that field must be; a secret stands only where a secret is
 * named. Without an approval (queries, session) nothing that could act has a name.
 *
 * Pure; nothing is kept. `place` and rows are the caller's.
 */
#ifndef EGRESS_WIRE_H
#define EGRESS_WIRE_H
#include "base/result.h"
#include "tbl/road.h"

enum { WIRE_FIELDS_MAX = 64, WIRE_WHY_BYTES = 112, WIRE_TEXT_BYTES = 96 };

struct wire_place { /* an account, as the signed facts have it */
    const struct road_row *row;
    uint32_t row_count;
    uint32_t client_id; /* TN_CLIENT_ID_* */
    const char *account;
    void *arg;
    bool (*knows)(void *arg, const char *symbol, uint32_t count); /* a venue symbol of it */
};
struct wire_span { /* bytes that a part other than literal ones gave */
    uint32_t kind, at, count;
};
struct wire_message {
    const char *bytes; /* path, head, body */
    uint32_t path_bytes, head_bytes, body_bytes;
    uint32_t link, type, method, class_of;
    const struct wire_span *span;
    uint32_t span_count;
};
struct wire_want { /* what was approved, by the core or by the kill */
    uint32_t class_of, side, type, tif, reduce_only;
    int32_t qty_exp, price_exp;
    int64_t qty, price, t_ns;
    const char *symbol; /* NULL: not about one */
    const char *client_id, *venue_id;
};
enum wire_verdict {
    WIRE_UNSET = 0,
    WIRE_SAME,
    WIRE_NO_ROW,    /* no row of this class reads it: invented */
    WIRE_UNNAMED,   /* something in it has no name, or can be read in two ways */
    WIRE_DIFFERENT, /* it says something else than the approval */
};
/* want NULL: no approval is behind it. `why` is one phrase unless WIRE_SAME. */
enum wire_verdict wire_read(const struct wire_place *p, const struct wire_message *m,
                            const struct wire_want *want, char why[WIRE_WHY_BYTES]);

/* The outbound row that would read such a request; path_bytes of path, without its query. */
const struct road_row *wire_row(const struct wire_place *p, uint32_t class_of, uint32_t link,
                                uint32_t method, const char *path, uint32_t path_bytes);
/* The text of a FIELD part, by the words and units of the row. Its length, -1 = not possible. */
int32_t wire_print(const struct road_row *row, uint32_t meaning, const struct wire_want *want,
                   char out[WIRE_TEXT_BYTES]);
/* A number as an inbound or outbound field writes it; false when it is not exact at `exp`. */
bool wire_number(const struct tn_wire_field *f, const char *text, uint32_t count, int32_t exp,
                 int64_t *out);
bool wire_row_has(const struct road_row *row, uint32_t meaning);
#endif
