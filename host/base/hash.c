/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC32C, SHA-256, FNV-1a.
 *
 * CRC32C asks the CPU each time: __builtin_cpu_supports is one load and one test, and neither an
 * ifunc nor a constructor of ours runs before main. The software form goes by half bytes with a
 * table of 16 words that can be checked by eye; it is for CPUs without SSE4.2, which trade no
 * volume, so a large table would be paid in cache lines for nothing.
 *
 * SHA-256 fetches its EVP_MD once and keeps its context. Only the fetch can fail for a reason in
 * the world (a provider configuration without SHA-256) and is a result; the other calls fail only
 * when memory is gone or the order of calls is wrong, which stops the process.
 */
#include "base/hash.h"
#include "base/hash_priv.h"
#include "base/must.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_CHUNK_BYTES = 32768 };

uint32_t hash_crc32c_soft(uint32_t crc, const void *data, size_t count)
{
    /* entry i: the remainder of i * x^28, bits reflected, polynomial 0x82f63b78 */
    static const uint32_t half[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const uint8_t *at = data;
    crc = ~crc;
    for (const uint8_t *end = at + count; at < end; at++) {
        crc ^= *at;
        crc = (crc >> 4) ^ half[crc & 15];
        crc = (crc >> 4) ^ half[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t hash_crc32c_sse42(uint32_t crc, const void *data,
                                                             size_t count)
{
    const uint8_t *at = data;
    uint64_t wide = (uint32_t)~crc;
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; count > 0; count--)
        crc = __builtin_ia32_crc32qi(crc, *at++);
    return ~crc;
}
#endif

uint32_t hash_crc32c(uint32_t crc, const void *data, size_t count)
{
    must(data != NULL || count == 0);
#if defined(__x86_64__)
    return __builtin_cpu_supports("sse4.2") ? hash_crc32c_sse42(crc, data, count)
                                            : hash_crc32c_soft(crc, data, count);
#else
    return hash_crc32c_soft(crc, data, count);
#endif
}

uint64_t hash_fnv64(uint64_t seed, const void *data, size_t count)
{
    const uint8_t *at = data;
    must(data != NULL || count == 0);
    for (size_t i = 0; i < count; i++)
        seed = (seed ^ at[i]) * 0x100000001b3ull;
    return seed;
}

#define SHA256_MAGIC 0x53484132u

struct hash_sha256 {
    uint32_t magic;
    bool open; /* between begin and end */
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

struct result hash_sha256_new(struct hash_sha256 **out)
{
    must(out != NULL);
    EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (md == NULL)
        return RESULT_OF(IO);
    struct hash_sha256 *h = calloc(1, sizeof *h);
    must(h != NULL);
    h->magic = SHA256_MAGIC;
    h->md = md;
    h->ctx = EVP_MD_CTX_new();
    must(h->ctx != NULL);
    *out = h;
    return OK_RESULT;
}

void hash_sha256_free(struct hash_sha256 *h)
{
    if (h == NULL)
        return;
    must(h->magic == SHA256_MAGIC);
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    h->magic = 0;
    free(h);
}

void hash_sha256_begin(struct hash_sha256 *h)
{
    must(h->magic == SHA256_MAGIC);
    must(EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1);
    h->open = true;
}

void hash_sha256_add(struct hash_sha256 *h, const void *data, size_t count)
{
    must(h->magic == SHA256_MAGIC);
    must(h->open);
    must(EVP_DigestUpdate(h->ctx, data, count) == 1);
}

void hash_sha256_end(struct hash_sha256 *h, uint8_t out[HASH_SHA256_BYTES])
{
    unsigned bytes = 0;
    must(h->magic == SHA256_MAGIC);
    must(h->open);
    must(EVP_DigestFinal_ex(h->ctx, out, &bytes) == 1);
    must(bytes == HASH_SHA256_BYTES);
    h->open = false;
}

void hash_sha256_once(const void *data, size_t count, uint8_t out[HASH_SHA256_BYTES])
{
    unsigned bytes = 0;
    must(data != NULL || count == 0);
    must(EVP_Digest(data, count, out, &bytes, EVP_sha256(), NULL) == 1);
    must(bytes == HASH_SHA256_BYTES);
}

static ssize_t read_at(int fd, uint8_t *chunk, uint64_t offset)
{
    ssize_t got;
    do
        got = pread(fd, chunk, FILE_CHUNK_BYTES, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got;
}

struct result hash_sha256_fd(int fd, uint8_t out[HASH_SHA256_BYTES], uint64_t *bytes)
{
    uint8_t chunk[FILE_CHUNK_BYTES];
    struct hash_sha256 *h = NULL;
    uint64_t total = 0;
    TRY(hash_sha256_new(&h));
    hash_sha256_begin(h);
    ssize_t got = read_at(fd, chunk, 0);
    for (; got > 0; got = read_at(fd, chunk, total)) {
        hash_sha256_add(h, chunk, (size_t)got);
        total += (uint64_t)got;
    }
    int cause = errno;
    hash_sha256_end(h, out);
    hash_sha256_free(h);
    errno = cause;
    if (bytes != NULL)
        *bytes = total;
    return got < 0 ? RESULT_OF(IO) : OK_RESULT;
}

void hash_hex(const uint8_t sha[HASH_SHA256_BYTES], char out[HASH_HEX_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    must(sha != NULL && out != NULL);
    for (size_t i = 0; i < HASH_SHA256_BYTES; i++) {
        out[2 * i] = hex[sha[i] >> 4];
        out[2 * i + 1] = hex[sha[i] & 15];
    }
    out[HASH_HEX_BYTES - 1] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hash_from_hex(const char *hex, uint8_t out[HASH_SHA256_BYTES])
{
    must(hex != NULL && out != NULL);
    for (size_t i = 0; i < HASH_SHA256_BYTES; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return hex[HASH_HEX_BYTES - 1] == '\0';
}
