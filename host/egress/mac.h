/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests of the desk: SHA-256, and HMAC over SHA-256 or SHA-512, with all state on the stack.
 * Pure; any thread. Keys that passed through are wiped.
 */
#ifndef EGRESS_MAC_H
#define EGRESS_MAC_H
#include <stddef.h>
#include <stdint.h>

enum { MAC_BYTES_MAX = 64, MAC_TEXT_BYTES = 132 };

void mac_sha256(const void *a, size_t a_count, const void *b, size_t b_count, uint8_t out[32]);
/* digest: TN_DIGEST_*. Gives its length, 0 for an unknown one. */
size_t mac_hmac(uint32_t digest, const uint8_t *key, size_t key_count, const uint8_t *text,
                size_t count, uint8_t out[MAC_BYTES_MAX]);
/* encode: TN_ENCODE_*. Gives the length of the text, 0 for an unknown one. */
size_t mac_text(uint32_t encode, const uint8_t *mac, size_t count, char out[MAC_TEXT_BYTES]);
/* Clears memory that held a secret; no compiler leaves it out. */
void mac_wipe(void *p, size_t count);
#endif
