/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 (RFC 4648, section 4) in its one canonical form: padded, no line breaks, unused bits zero.
 * So each sequence of bytes has exactly one text, and a text that was touched does not decode.
 * Pure; any thread; nothing allocates.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters without NUL for so many bytes, and room for the bytes of so many characters. */
#define BASE64_TEXT(count) (((count) + 2) / 3 * 4)
#define BASE64_ROOM(count) ((count) / 4 * 3)

/* out holds BASE64_TEXT(count) + 1; NUL-ended. */
void base64_print(const void *bytes, size_t count, char *out);
/* out holds BASE64_ROOM(count); false when text is not canonical, *out_count is then unset. */
bool base64_parse(const char *text, size_t count, void *out, size_t *out_count);
#endif
