/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person or a script is told when a command fails: where, what, why, what to do next.
 * Printed as `error[CODE] where: what (why). Hint: next`, or carried as JSON. Any thread; the
 * texts are escaped, so hostile input can be quoted.
 */
#ifndef GATEWAY_COMPLAINT_H
#define GATEWAY_COMPLAINT_H
#include <jansson.h>
#include "base/result.h"

enum { COMPLAINT_TEXT_BYTES = TRAIL_TEXT_BYTES, COMPLAINT_WHERE_BYTES = 160 };
struct complaint { /* zero-initialise */
    struct result rc;
    int exit; /* 0 = by rc */
    char where[COMPLAINT_WHERE_BYTES];
    char what[COMPLAINT_TEXT_BYTES];
    char why[COMPLAINT_TEXT_BYTES];
    char next[COMPLAINT_TEXT_BYTES];
};

/* Begins a complaint: code, place and what; why and next come from the result's own row. */
struct result complaint_make(struct complaint *c, struct result rc, const char *where,
                             const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void complaint_why(struct complaint *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void complaint_next(struct complaint *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* From a result and its trail: the innermost sentence is the what, an outer one the why. */
struct result complaint_from(struct complaint *c, struct result rc, const char *where,
                             const struct trail *tr);
int complaint_exit(const struct complaint *c);
/* One line without newline; gives its length. */
size_t complaint_print(const struct complaint *c, char *out, size_t out_bytes);
/* {code, what, where, why, next}; a new reference, NULL only without memory. */
json_t *complaint_json(const struct complaint *c);
/* The other way round, for clients; missing members stay empty. */
void complaint_read(struct complaint *c, const json_t *error, int exit);
#endif
