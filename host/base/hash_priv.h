/* SPDX-License-Identifier: Apache-2.0
 *
 * Test doors of hash.c: the two forms of CRC32C between which hash_crc32c chooses by CPU. Both
 * take and give the inverted running value, like hash_crc32c.
 */
#ifndef BASE_HASH_PRIV_H
#define BASE_HASH_PRIV_H
#include "base/hash.h"

uint32_t hash_crc32c_soft(uint32_t crc, const void *data, size_t count);
#if defined(__x86_64__)
/* Only on a CPU with SSE4.2. */
uint32_t hash_crc32c_sse42(uint32_t crc, const void *data, size_t count);
#endif
#endif
