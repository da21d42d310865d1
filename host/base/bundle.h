/* SPDX-License-Identifier: Apache-2.0
 *
 * A file and the signature files beside it, as somebody hands them over: bytes and names, nothing
 * said about them yet. One heap block each; whoever holds the bundle frees it.
 */
#ifndef BASE_BUNDLE_H
#define BASE_BUNDLE_H
#include <stddef.h>
#include <stdint.h>

enum { BUNDLE_SIGNATURES_MAX = 16, BUNDLE_NAME_BYTES = 64 };
struct bundle_part {
    char name[BUNDLE_NAME_BYTES]; /* of the file, without its folder, for sentences */
    char *bytes;                  /* malloc'ed; NUL after count */
    size_t count;
};
struct bundle {
    struct bundle_part file;
    uint32_t signature_count;
    struct bundle_part signature[BUNDLE_SIGNATURES_MAX];
};
struct bundle *bundle_new(void);
/* Copies; name is cut to fit. */
void bundle_set(struct bundle_part *p, const char *name, const void *bytes, size_t count);
void bundle_free(struct bundle *b); /* NULL is let pass */
#endif
