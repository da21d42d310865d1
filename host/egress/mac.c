/* SPDX-License-Identifier: Apache-2.0
 *
 * HMAC (RFC 2104) by hand over OpenSSL's one-shot block functions. Its EVP interface, the modern
 * one, allocates a context per digest; the desk has no heap, and its simulator counts on that. The
 * plain functions are marked as old in OpenSSL 3.0 and do the same work with the same assembler.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "egress/mac.h"
#include <string.h>
#include <openssl/sha.h>
#include "base/base64.h"
#include "tenon/draft/adapter.h"

enum { BLOCK256 = 64, BLOCK512 = 128 };

void mac_wipe(void *p, size_t count)
{
    memset(p, 0, count);
    __asm__ volatile("" : : "r"(p) : "memory");
}

void mac_sha256(const void *a, size_t a_count, const void *b, size_t b_count, uint8_t out[32])
{
    SHA256_CTX c;
    SHA256_Init(&c);
    SHA256_Update(&c, a, a_count);
    if (b_count)
        SHA256_Update(&c, b, b_count);
    SHA256_Final(out, &c);
}

static void pads(const uint8_t *key, size_t count, size_t block, uint8_t *inner, uint8_t *outer)
{
    for (size_t i = 0; i < block; i++) {
        uint8_t k = i < count ? key[i] : 0;
        inner[i] = k ^ 0x36;
        outer[i] = k ^ 0x5c;
    }
}

static size_t hmac256(const uint8_t *key, size_t key_count, const uint8_t *text, size_t count,
                      uint8_t *out)
{
    uint8_t short_key[32], inner[BLOCK256], outer[BLOCK256], mid[32];
    if (key_count > BLOCK256) {
        mac_sha256(key, key_count, NULL, 0, short_key);
        key = short_key;
        key_count = sizeof short_key;
    }
    pads(key, key_count, BLOCK256, inner, outer);
    mac_sha256(inner, sizeof inner, text, count, mid);
    mac_sha256(outer, sizeof outer, mid, sizeof mid, out);
    mac_wipe(short_key, sizeof short_key);
    mac_wipe(inner, sizeof inner);
    mac_wipe(outer, sizeof outer);
    return 32;
}

static void sha512_two(const void *a, size_t a_count, const void *b, size_t b_count, uint8_t *out)
{
    SHA512_CTX c;
    SHA512_Init(&c);
    SHA512_Update(&c, a, a_count);
    if (b_count)
        SHA512_Update(&c, b, b_count);
    SHA512_Final(out, &c);
}

static size_t hmac512(const uint8_t *key, size_t key_count, const uint8_t *text, size_t count,
                      uint8_t *out)
{
    uint8_t short_key[64], inner[BLOCK512], outer[BLOCK512], mid[64];
    if (key_count > BLOCK512) {
        sha512_two(key, key_count, NULL, 0, short_key);
        key = short_key;
        key_count = sizeof short_key;
    }
    pads(key, key_count, BLOCK512, inner, outer);
    sha512_two(inner, sizeof inner, text, count, mid);
    sha512_two(outer, sizeof outer, mid, sizeof mid, out);
    mac_wipe(short_key, sizeof short_key);
    mac_wipe(inner, sizeof inner);
    mac_wipe(outer, sizeof outer);
    return 64;
}

size_t mac_hmac(uint32_t digest, const uint8_t *key, size_t key_count, const uint8_t *text,
                size_t count, uint8_t out[MAC_BYTES_MAX])
{
    if (digest == TN_DIGEST_SHA256)
        return hmac256(key, key_count, text, count, out);
    if (digest == TN_DIGEST_SHA512)
        return hmac512(key, key_count, text, count, out);
    return 0;
}

static size_t hex(const uint8_t *mac, size_t count, char *out)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digit[mac[i] >> 4];
        out[2 * i + 1] = digit[mac[i] & 15];
    }
    out[2 * count] = '\0';
    return 2 * count;
}

size_t mac_text(uint32_t encode, const uint8_t *mac, size_t count, char out[MAC_TEXT_BYTES])
{
    if (encode == TN_ENCODE_HEX)
        return hex(mac, count, out);
    if (encode != TN_ENCODE_BASE64 && encode != TN_ENCODE_BASE64URL)
        return 0;
    base64_print(mac, count, out);
    size_t n = BASE64_TEXT(count);
    if (encode == TN_ENCODE_BASE64)
        return n;
    while (n && out[n - 1] == '=') /* RFC 4648 section 5, without padding */
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
    out[n] = '\0';
    return n;
}
