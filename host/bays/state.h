/* SPDX-License-Identifier: Apache-2.0
 *
 * Saved state of one instance: a header of the host, the instance's parameters, then the plugin's
 * blob (ABI-RULES R24-R28). The header says whose state it is and after which event; its SHA-256
 * covers all three.
 *
 * A newer build takes an older one's state over although it knows other parameters: only those of
 * the same name must have the same value. So the parameters are in the state one by one, not as
 * one hash.
 *
 * All integers little-endian. Format version 2 (1 had one hash over parameters and market; no state
 * of that form was ever kept).
 */
#ifndef BAYS_STATE_H
#define BAYS_STATE_H
#include "base/result.h"
#include "bays/module.h"

#define STATE_MAGIC 0x5441545354504e54ull /* "TNPTSTAT" in the file */
enum { STATE_VERSION = 2 };

struct state_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes; /* with the parameters */
    char plugin[TN_NAME_BYTES];
    char plugin_version[TN_NAME_BYTES];
    uint32_t schema;
    uint32_t param_count;
    uint64_t market; /* instrument and bar length: of another market it is another state */
    uint64_t as_of_seq;
    uint64_t blob_bytes;
    uint8_t sha256[32]; /* of this header with zeros here, the parameters, then the blob */
};
struct state_param { /* behind the header, in the order of the manifest */
    char name[TN_NAME_BYTES];
    union tn_number value;
};
_Static_assert(sizeof(struct state_header) == 144, "state_header layout");
_Static_assert(sizeof(struct state_param) == 40, "state_param layout");

/* What a state must belong to. */
struct state_owner {
    const struct tn_manifest *manifest;
    const union tn_number *params; /* manifest order */
    uint64_t market;
};

uint64_t state_market(const struct tn_instrument *instrument, int64_t bar_ns);

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
