/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact decimals: "[-]digits[.digits]" to and from integers at an exponent. Nothing is rounded: a
 * text that the exponent cannot hold is refused.
 */
#ifndef TENON_VENUE_DECIMAL_H
#define TENON_VENUE_DECIMAL_H
#include "json.h"

enum { DECIMAL_TEXT_BYTES = 48 };

/* A string or number that is a plain decimal, as an integer at `exp` (in [-18, 18]). */
bool decimal_read(const struct json *value, int32_t exp, int64_t *out);
/* The same with the text's own exponent, zeros at its end dropped: "1.50" = 15 at -1. */
bool decimal_read_free(const struct json *value, int64_t *mantissa, int32_t *exp);
/* Writes mantissa at exp; gives the length, 0 when exp is out of range. NUL-terminated. */
uint32_t decimal_write(int64_t mantissa, int32_t exp, char out[DECIMAL_TEXT_BYTES]);
#endif
