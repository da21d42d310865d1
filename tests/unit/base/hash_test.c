/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the hashes are the ones the world knows, the same on every CPU and however the bytes are
 * cut.
 * Method: published vectors; both forms of CRC32C against a bit-by-bit reference; files in memory.
 */
#include "tests/unit/base/dies.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include "base/clock.h"
#include "base/hash_priv.h"

static uint32_t crc_by_bits(uint32_t crc, const uint8_t *at, size_t count)
{
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

static void crc32c_known_vectors_match(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0};
    assert_int_equal(hash_crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(hash_crc32c(0, bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(hash_crc32c(0, bytes, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(hash_crc32c(0, bytes, 32), 0x46dd794eu);
    assert_int_equal(hash_crc32c(0, NULL, 0), 0);
    assert_int_equal(hash_crc32c(77, NULL, 0), 77);
}

static uint32_t crc_by_cpu(uint32_t crc, const void *data, size_t count)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return hash_crc32c_sse42(crc, data, count);
#endif
    return hash_crc32c_soft(crc, data, count);
}

static void crc32c_forms_agree_at_every_length_and_alignment(void **state)
{
    (void)state;
    const uint64_t seed = 31;
    struct rng rng;
    rng_seed(&rng, seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)rng_next(&rng);
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t count = 0; count + offset <= sizeof bytes; count++) {
            uint32_t start = (uint32_t)rng_next(&rng);
            uint32_t want = crc_by_bits(start, bytes + offset, count);
            assert_int_equal(hash_crc32c_soft(start, bytes + offset, count), want);
            assert_int_equal(crc_by_cpu(start, bytes + offset, count), want);
            assert_int_equal(hash_crc32c(start, bytes + offset, count), want);
            size_t cut = rng_below(&rng, count + 1);
            uint32_t half = hash_crc32c(start, bytes + offset, cut);
            assert_int_equal(hash_crc32c(half, bytes + offset + cut, count - cut), want);
        }
    }
}

static void fnv64_known_vectors_match(void **state)
{
    (void)state;
    assert_true(hash_fnv64(HASH_FNV64_SEED, "", 0) == 0xcbf29ce484222325ull);
    assert_true(hash_fnv64(HASH_FNV64_SEED, "a", 1) == 0xaf63dc4c8601ec8cull);
    assert_true(hash_fnv64(HASH_FNV64_SEED, "foobar", 6) == 0x85944171f73967e8ull);
    uint64_t half = hash_fnv64(HASH_FNV64_SEED, "foo", 3);
    assert_true(hash_fnv64(half, "bar", 3) == 0x85944171f73967e8ull);
}

#define SHA_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA_MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void assert_sha(const uint8_t sha[HASH_SHA256_BYTES], const char *want)
{
    char hex[HASH_HEX_BYTES];
    hash_hex(sha, hex);
    assert_string_equal(hex, want);
}

static void sha256_known_vectors_match_in_both_forms(void **state)
{
    (void)state;
    uint8_t sha[HASH_SHA256_BYTES];
    struct hash_sha256 *h = NULL;
    hash_sha256_once("", 0, sha);
    assert_sha(sha, SHA_EMPTY);
    hash_sha256_once(NULL, 0, sha);
    assert_sha(sha, SHA_EMPTY);
    hash_sha256_once("abc", 3, sha);
    assert_sha(sha, SHA_ABC);
    assert_true(is_ok(hash_sha256_new(&h)));
    hash_sha256_begin(h);
    hash_sha256_end(h, sha);
    assert_sha(sha, SHA_EMPTY);
    hash_sha256_begin(h);
    for (int i = 0; i < 1000000 / 50; i++)
        hash_sha256_add(h, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 50);
    hash_sha256_end(h, sha);
    assert_sha(sha, SHA_MILLION_A);
    /* the same object again, and begun anew in the middle */
    hash_sha256_begin(h);
    hash_sha256_add(h, "to be forgotten", 15);
    hash_sha256_begin(h);
    hash_sha256_add(h, "a", 1);
    hash_sha256_add(h, "bc", 2);
    hash_sha256_end(h, sha);
    assert_sha(sha, SHA_ABC);
    hash_sha256_free(h);
    hash_sha256_free(NULL);
}

static void sha256_without_a_provider_is_a_result(void **state)
{
    (void)state;
    struct hash_sha256 *h = NULL;
    uint8_t sha[HASH_SHA256_BYTES];
    int fd = memfd_create("hash_test", 0);
    assert_int_equal(EVP_set_default_properties(NULL, "provider=none-such"), 1);
    int32_t code = hash_sha256_new(&h).code;
    int32_t fd_code = hash_sha256_fd(fd, sha, NULL).code;
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_int_equal(code, RESULT_IO);
    assert_int_equal(fd_code, RESULT_IO);
    assert_null(h);
    assert_true(is_ok(hash_sha256_new(&h)));
    hash_sha256_free(h);
    close(fd);
}

static void sha256_fd_hashes_the_whole_file_from_its_start(void **state)
{
    (void)state;
    uint8_t sha[HASH_SHA256_BYTES];
    uint64_t bytes = 99;
    int fd = memfd_create("hash_test", 0);
    assert_true(fd >= 0);
    assert_true(is_ok(hash_sha256_fd(fd, sha, &bytes)));
    assert_int_equal(bytes, 0);
    assert_sha(sha, SHA_EMPTY);
    char block[1000];
    memset(block, 'a', sizeof block);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(write(fd, block, sizeof block), sizeof block);
    assert_true(is_ok(hash_sha256_fd(fd, sha, &bytes)));
    assert_int_equal(bytes, 1000000);
    assert_sha(sha, SHA_MILLION_A);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 1000000); /* the position is not touched */
    assert_true(is_ok(hash_sha256_fd(fd, sha, NULL)));
    close(fd);
}

static void sha256_fd_unreadable_is_a_result(void **state)
{
    (void)state;
    uint8_t sha[HASH_SHA256_BYTES];
    int dir = open("/", O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    assert_int_equal(hash_sha256_fd(dir, sha, NULL).code, RESULT_IO);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(hash_sha256_fd(-1, sha, NULL).code, RESULT_IO);
    assert_int_equal(errno, EBADF);
    close(dir);
}

static void hash_hex_round_trip_keeps_every_byte(void **state)
{
    (void)state;
    uint8_t sha[HASH_SHA256_BYTES], back[HASH_SHA256_BYTES];
    char hex[HASH_HEX_BYTES];
    for (int start = 0; start < 256; start += 32) {
        for (int i = 0; i < HASH_SHA256_BYTES; i++)
            sha[i] = (uint8_t)(start + i);
        hash_hex(sha, hex);
        assert_int_equal(strlen(hex), 64);
        assert_true(hash_from_hex(hex, back));
        assert_memory_equal(sha, back, sizeof sha);
        for (char *c = hex; *c != '\0'; c++)
            *c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
        memset(back, 0, sizeof back);
        assert_true(hash_from_hex(hex, back));
        assert_memory_equal(sha, back, sizeof sha);
    }
}

static void hash_from_hex_takes_exactly_64_digits(void **state)
{
    (void)state;
    uint8_t sha[HASH_SHA256_BYTES];
    char hex[80];
    for (size_t length = 0; length <= 70; length++) {
        memset(hex, '0', length);
        hex[length] = '\0';
        assert_int_equal(hash_from_hex(hex, sha), length == 64);
    }
    const char bad[] = "gG/:@` \xff";
    for (size_t i = 0; i < sizeof bad - 1; i++) {
        for (size_t at = 0; at < 64; at++) {
            memcpy(hex, SHA_ABC, HASH_HEX_BYTES);
            hex[at] = bad[i];
            assert_false(hash_from_hex(hex, sha));
        }
    }
}

static void add_before_begin(void *arg)
{
    hash_sha256_add(arg, "x", 1);
}
static void end_before_begin(void *arg)
{
    uint8_t sha[HASH_SHA256_BYTES];
    hash_sha256_end(arg, sha);
}

static void add_after_end(void *arg)
{
    uint8_t sha[HASH_SHA256_BYTES];
    hash_sha256_begin(arg);
    hash_sha256_end(arg, sha);
    hash_sha256_add(arg, "x", 1);
}

static void sha256_out_of_order_stops_the_process(void **state)
{
    (void)state;
    struct hash_sha256 *h = NULL;
    assert_true(is_ok(hash_sha256_new(&h)));
    assert_dies(add_before_begin, h, "h->open");
    assert_dies(end_before_begin, h, "h->open");
    assert_dies(add_after_end, h, "h->open");
    hash_sha256_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_known_vectors_match),
        cmocka_unit_test(crc32c_forms_agree_at_every_length_and_alignment),
        cmocka_unit_test(fnv64_known_vectors_match),
        cmocka_unit_test(sha256_known_vectors_match_in_both_forms),
        cmocka_unit_test(sha256_without_a_provider_is_a_result),
        cmocka_unit_test(sha256_fd_hashes_the_whole_file_from_its_start),
        cmocka_unit_test(sha256_fd_unreadable_is_a_result),
        cmocka_unit_test(hash_hex_round_trip_keeps_every_byte),
        cmocka_unit_test(hash_from_hex_takes_exactly_64_digits),
        cmocka_unit_test(sha256_out_of_order_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
