/* SPDX-License-Identifier: Apache-2.0
 *
 * From a template to bytes: a bay's list of parts becomes path, head and body. Everything in a
 * template is hostile: counts, kinds, lengths and references are checked before they are used.
 *
 * All parts are laid out one after the other, hidden ones too, so that a digest over parts is a
 * digest over bytes that follow each other; then those that are sent are copied out, and where a
 * part gave anything but literal bytes its span is kept for the reader of the wire table.
 */
#ifndef EGRESS_ASSEMBLE_H
#define EGRESS_ASSEMBLE_H
#include "egress/wire.h"
#include "tbl/lines.h"

enum { ASSEMBLE_BYTES_MAX = 64 * 1024, ASSEMBLE_SECRET_BYTES = 512 };

struct assemble_from {
    const struct line_request *head;
    const struct line_part *part;
    const uint8_t *bytes;
    int64_t wall_ns;
    const struct wire_place *place;
    const struct wire_want *want; /* for FIELD parts; NULL = none may stand in it */
    void *arg;
    int32_t (*secret)(void *arg, uint32_t field, uint8_t out[ASSEMBLE_SECRET_BYTES]);
    /* A captured text; its length, -1 = there is none. */
    int32_t (*capture)(void *arg, uint32_t id, const uint8_t **out);
};
struct assembled {
    uint32_t path_bytes, head_bytes, body_bytes, span_count;
    struct wire_span span[TN_ADAPTER_PARTS_MAX];
    char bytes[ASSEMBLE_BYTES_MAX];
    uint8_t work[ASSEMBLE_BYTES_MAX]; /* with the hidden parts; wiped before it returns */
};

/* Is the message as long as it says, and its parts within their bounds? Where parts and bytes lie.
 * NULL = yes, else a phrase. `copy` gets the header and parts: 8-aligned. */
struct assemble_template {
    struct line_request head;
    struct line_part part[TN_ADAPTER_PARTS_MAX];
    const uint8_t *bytes; /* in the message */
};
const char *assemble_take(const void *message, uint32_t count, struct assemble_template *out);
/* NULL = done, else a phrase that says why not. */
const char *assemble(const struct assemble_from *from, struct assembled *out);
#endif
