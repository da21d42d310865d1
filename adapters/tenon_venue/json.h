/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON out of hostile bytes, without memory: json_read walks the whole text once and says whether
 * it is one JSON value; what it gives are slices of that text, which json_next and json_find then
 * walk without being able to fail. Depth is bounded; numbers stay text, since a price must not
 * become a double on its way.
 */
#ifndef TENON_VENUE_JSON_H
#define TENON_VENUE_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type {
    JSON_UNSET = 0,
    JSON_STRING, /* slice without the quotes, escapes as they stand */
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_OBJECT, /* slice without the braces */
    JSON_ARRAY,
};
struct json {
    enum json_type type;
    uint32_t bytes;
    const char *at; /* borrowed from the text */
};

enum { JSON_DEPTH_MAX = 8, JSON_BYTES_MAX = 1024 * 1024 };

bool json_read(const uint8_t *text, uint64_t bytes, struct json *out);
/* The next member of an object or array; `rest` begins as a copy of it and is eaten up. key may be
 * NULL for arrays. False at the end. */
bool json_next(struct json *rest, struct json *key, struct json *value);
/* The first member of that name; false (and JSON_UNSET) when there is none. */
bool json_find(const struct json *object, const char *name, struct json *out);
/* Is it this string? */
bool json_is(const struct json *value, const char *text);
/* Copies a string that holds no escape and fits with its NUL; the rest of out is zeroed. An absent
 * or other value gives "". False when it is there and does not fit. */
bool json_copy(const struct json *value, char *out, size_t out_bytes);
#endif
