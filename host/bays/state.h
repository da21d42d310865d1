/* SPDX-License-Identifier: Apache-2.0
 *
 * Saved state of one instance: a header of the host, then the plugin's blob (ABI-RULES R24-R28).
 * The header says whose state it is and after which event; its SHA-256 covers header and blob.
 *
 * All integers little-endian. Format version 1.
 */
#ifndef BAYS_STATE_H
#define BAYS_STATE_H
#include "base/result.h"
#include "bays/module.h"

#define STATE_MAGIC 0x5441545354504e54ull /* "TNPTSTAT" in the file */
enum { STATE_VERSION = 1 };

struct state_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;
    char plugin[TN_NAME_BYTES];
    char plugin_version[TN_NAME_BYTES];
    uint32_t schema;
    uint32_t reserved;
    uint64_t config; /* params, instrument and bar length: another config is another state */
    uint64_t as_of_seq;
    uint64_t blob_bytes;
    uint8_t sha256[32]; /* of this header with zeros here, then the blob */
};
_Static_assert(sizeof(struct state_header) == 144, "state_header layout");

/* What a state must belong to. */
struct state_owner {
    const struct tn_manifest *manifest;
    uint64_t config;
};

uint64_t state_config(const struct tn_manifest *m, const union tn_number *params,
                      const struct tn_instrument *instrument, int64_t bar_ns);

/* Asks the instance for its state; *bytes is malloc'ed. RESULT_PLUGIN: it broke its contract. */
MUST_USE struct result state_save(const struct state_owner *o, const struct tn_instance_ops *ops,
                                  void *inst, uint64_t as_of_seq, void **bytes, size_t *count,
                                  struct trail *tr);
/* Checks header and hash before the instance sees a byte: any other result than OK and PLUGIN
 * means that it was not touched. */
MUST_USE struct result state_load(const struct state_owner *o, const struct tn_instance_ops *ops,
                                  void *inst, const void *bytes, size_t count, struct trail *tr);

/* Streams over memory for the plugin's side; `step` > 0 limits each call (checks use 1..23). */
struct state_sink {
    struct tn_stream_out stream;
    uint8_t *bytes;
    size_t count, max;
    size_t step;
    bool over; /* more than max was written */
};
struct state_source {
    struct tn_stream_in stream;
    const uint8_t *bytes;
    size_t count, at;
    size_t step;
};
void state_sink_init(struct state_sink *s, void *memory, size_t max);
void state_source_init(struct state_source *s, const void *bytes, size_t count);
#endif
