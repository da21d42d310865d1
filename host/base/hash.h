/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes: CRC32C (Castagnoli, for records), SHA-256 (chain, files, plugins), and a 64-bit FNV-1a
 * for tables. SHA-256 uses OpenSSL with a fetched EVP_MD and a reused context: fetching per digest
 * costs half the time (host/decisions). A hash_sha256 object belongs to one thread.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include "base/result.h"

enum { HASH_SHA256_BYTES = 32, HASH_HEX_BYTES = 65 };

/* CRC32C of `count` bytes, continuing `crc` (start with 0). Hardware where there is SSE4.2. */
uint32_t hash_crc32c(uint32_t crc, const void *data, size_t count);
uint64_t hash_fnv64(uint64_t seed, const void *data, size_t count);
#define HASH_FNV64_SEED 0xcbf29ce484222325ull

struct hash_sha256; /* opaque, heap */
MUST_USE struct result hash_sha256_new(struct hash_sha256 **out);
void hash_sha256_free(struct hash_sha256 *h);
void hash_sha256_begin(struct hash_sha256 *h);
void hash_sha256_add(struct hash_sha256 *h, const void *data, size_t count);
void hash_sha256_end(struct hash_sha256 *h, uint8_t out[HASH_SHA256_BYTES]);

/* One-shot forms for cold paths. */
void hash_sha256_once(const void *data, size_t count, uint8_t out[HASH_SHA256_BYTES]);
/* The whole file from its first byte, wherever its position is (which stays); no pipes. bytes may
 * be NULL. RESULT_IO: errno says why the read failed. */
MUST_USE struct result hash_sha256_fd(int fd, uint8_t out[HASH_SHA256_BYTES], uint64_t *bytes);
void hash_hex(const uint8_t sha[HASH_SHA256_BYTES], char out[HASH_HEX_BYTES]);
bool hash_from_hex(const char *hex, uint8_t out[HASH_SHA256_BYTES]); /* exactly 64 hex digits */
#endif
