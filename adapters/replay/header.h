/* SPDX-License-Identifier: Apache-2.0
 *
 * The header row of a CSV file: which shape it has and what each column means. A header that could
 * be read in two ways, or whose rows belong to several instruments, is refused.
 */
#ifndef REPLAY_HEADER_H
#define REPLAY_HEADER_H
#include "tenon/draft/source.h"

enum { HEADER_COLUMNS_MAX = 64 };

enum header_shape { SHAPE_UNSET = 0, SHAPE_BAR, SHAPE_TRADE, SHAPE_QUOTE, SHAPE_QUOTE_BAR };

enum header_role { /* what a column is used for; values are kept in an array by role */
                   ROLE_SKIP = 0,
                   ROLE_STAMP, /* ns since 1970 UTC */
                   ROLE_DATE,  /* YYYY-MM-DD, kept as the stamp of its midnight UTC */
                   ROLE_OPEN,
                   ROLE_HIGH,
                   ROLE_LOW,
                   ROLE_CLOSE,
                   ROLE_VOLUME,
                   ROLE_PRICE,
                   ROLE_QTY,
                   ROLE_BID,
                   ROLE_BID_QTY,
                   ROLE_ASK,
                   ROLE_ASK_QTY,
                   ROLE_SIDE,    /* buy, sell: who took */
                   ROLE_MAKER,   /* true, false: the buyer was the maker */
                   ROLE_FLAGGED, /* 0, 1 */
                   ROLE_COUNT
};

struct header {
    uint32_t shape;
    uint32_t columns;
    uint32_t has; /* bit per role */
    uint8_t role[HEADER_COLUMNS_MAX];
};

/* Reads the row text..end. Gives NULL, or why it is refused (static text below 64 bytes). */
const char *header_read(struct header *h, const uint8_t *text, const uint8_t *end);
#endif
