/* SPDX-License-Identifier: Apache-2.0
 *
 * Framing on the socket: u32 little-endian length, then that many bytes of JSON. Pure; any thread.
 */
#ifndef GATEWAY_FRAME_H
#define GATEWAY_FRAME_H
#include <jansson.h>
#include "base/result.h"

enum {
    FRAME_HEAD_BYTES = 4,
    FRAME_MAX_BYTES = 1024 * 1024, /* a bundle in base64, see parcel.h */
    FRAME_DEPTH_MAX = 16,
    FRAME_VERSION = 1,
};
/* The length in a frame's head; RANGE when zero, TOO_LARGE when over the cap. */
MUST_USE struct result frame_length(const uint8_t head[FRAME_HEAD_BYTES], uint32_t *count,
                                    struct trail *tr);
/* Parses one body: an object, no duplicate keys, at most FRAME_DEPTH_MAX deep. New reference. */
MUST_USE struct result frame_parse(const char *bytes, size_t count, json_t **out, struct trail *tr);
/* Head and body in one malloc'ed block. */
MUST_USE struct result frame_make(const json_t *root, uint8_t **out, size_t *count,
                                  struct trail *tr);
#endif
