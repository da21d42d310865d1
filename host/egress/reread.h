/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers of our own for what goes out and comes in: JSON, query strings and head lines, zero-copy,
 * no heap. They give each value that lies in a text, with its path.
 *
 * They are stricter than the standards: two readers of one text must never see two things, so
 * anything that a venue's reader might take otherwise is refused instead of interpreted. Refused in
 * strict mode (all that goes out): escapes, null, an empty list or object, control bytes. Refused
 * always: the same key twice in one object, depth over 8, bytes after the end.
 *
 * Paths: "a.b" for a member, "rows[].x" and "names[]" for each member of a list.
 */
#ifndef EGRESS_REREAD_H
#define EGRESS_REREAD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REREAD_PATH_BYTES = 64, REREAD_DEPTH_MAX = 8, REREAD_KEYS_MAX = 128 };

enum reread_kind {
    REREAD_UNSET = 0,
    REREAD_TEXT, /* a string; its text without the quotes, as it stands */
    REREAD_NUMBER,
    REREAD_WORD, /* true, false, null */
    REREAD_LIST, /* a list begins; no text. Lets a reader tell an empty list from none */
};
struct reread_value {
    const char *path; /* NUL-ended, until the call returns */
    uint32_t kind;
    uint32_t row;     /* index in the outermost list; 0 outside */
    const char *text; /* in the text read */
    uint32_t count;
};
/* false ends the reading: the reader gives the taker's refusal up. */
typedef bool (*reread_fn)(void *arg, const struct reread_value *v);

/* NULL = read to its end; else one static phrase that says why not. */
const char *reread_json(const char *text, size_t count, bool strict, reread_fn fn, void *arg);
/* a=b&c=d; letters, digits and -_.~:/, only: what a venue might decode is refused. */
const char *reread_query(const char *text, size_t count, reread_fn fn, void *arg);
/* "Name: value" CR LF, again and again; paths are "Name:". */
const char *reread_head(const char *text, size_t count, reread_fn fn, void *arg);
#endif
