/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact decimals out of text: [-]digits[.digits][e[+-]digits], at most 40 characters, to an integer
 * at a given exponent. What cannot be held exactly is refused with its reason; nothing is rounded.
 */
#ifndef REPLAY_DECIMAL_H
#define REPLAY_DECIMAL_H
#include "tenon/draft/source.h"

/* A number that is too large for any instrument (its own reason depends on the column). */
#define DECIMAL_RANGE 0xffffu

/* Reads from *text up to a comma or `end` and leaves *text there. Gives 0, TN_ROW_FIELDS when there
 * is nothing, TN_ROW_NUMBER, TN_ROW_DIGITS or DECIMAL_RANGE. On failure *text is not moved. */
uint32_t decimal_read(const uint8_t **text, const uint8_t *end, int32_t exp, int64_t *out);
/* The same for a plain non-negative integer below 4e18 (a stamp); TN_ROW_TIME when it is not. */
uint32_t decimal_stamp(const uint8_t **text, const uint8_t *end, int64_t *out);
#endif
