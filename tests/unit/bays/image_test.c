/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: no bytes make the reader of ELF files and notes read outside of them or loop, and a damaged
 * file is never taken for another good one. Method: a real plugin cut at every length and with
 * random bits flipped, each in a heap block of exactly its size (the address sanitizer watches the
 * end); the seed is printed. Then single facts of good and bad files.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "bays/bay.h"
#include "bays/check.h"
#include "bays/image.h"
#include "bays/note.h"

#define ABI TENON_BINARY_DIR "/abi/"
enum { FLIPS = 4000 };

static uint8_t *read_file(const char *path, size_t *count)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *count = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(*count);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *count, f), *count);
    fclose(f);
    return bytes;
}

/* Runs all readers over the bytes; true when the file passes every static check. */
static bool read_all(const uint8_t *bytes, size_t count)
{
    struct bay_checks checks = {0};
    struct bay_facts facts;
    bay_check_static(bytes, count, &checks, &facts);
    assert_int_equal(checks.count, 17);
    for (uint32_t i = 0; i < checks.count; i++)
        assert_true(strlen(checks.check[i].text) > 0);
    return checks.failed == 0;
}

static bool read_copy(const uint8_t *bytes, size_t count)
{
    uint8_t *exact = malloc(count > 0 ? count : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, count);
    bool good = read_all(exact, count);
    free(exact);
    return good;
}

/* Bytes behind the last loaded one (debug data, section headers) do not matter to the loader. */
static size_t last_needed(const uint8_t *bytes, size_t count)
{
    struct image im;
    char why[IMAGE_TEXT_BYTES];
    size_t end = 0;
    assert_true(image_parse(&im, bytes, count, why));
    for (uint32_t i = 0; i < im.phnum; i++) {
        size_t to = im.phdr[i].p_offset + im.phdr[i].p_filesz;
        end = to > end ? to : end;
    }
    return end;
}

static void image_cut_at_every_length_is_refused(void **state)
{
    (void)state;
    size_t count;
    uint8_t *bytes = read_file(ABI "mean.so", &count);
    size_t end = last_needed(bytes, count);
    assert_true(read_copy(bytes, count));
    for (size_t n = 0; n < end; n++) {
        if (read_copy(bytes, n))
            fail_msg("cut to %zu of %zu bytes it still passes", n, end);
    }
    assert_true(read_copy(bytes, end));
    free(bytes);
}

static void image_random_bit_flips_read_nothing_outside(void **state)
{
    (void)state;
    uint64_t seed = 20181115;
    struct rng rng;
    size_t count;
    uint8_t *good = read_file(ABI "cross.so", &count);
    count = last_needed(good, count);
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_seed(&rng, seed);
    uint32_t refused = 0;
    for (int i = 0; i < FLIPS; i++) {
        uint8_t *bad = malloc(count);
        memcpy(bad, good, count);
        uint64_t flips = 1 + rng_below(&rng, 8);
        for (uint64_t k = 0; k < flips; k++) {
            /* half of them into the headers and tables, where they hurt */
            uint64_t span = rng_below(&rng, 2) ? 4096 : count;
            bad[rng_below(&rng, span)] ^= (uint8_t)(1u << rng_below(&rng, 8));
        }
        refused += !read_all(bad, count);
        free(bad);
    }
    assert_true(refused > FLIPS / 4);
    free(good);
}

static void image_random_words_in_tables_read_nothing_outside(void **state)
{
    (void)state;
    static const uint64_t nasty[] = {0,          1,         0x7fffffff, 0xffffffff,
                                     1ull << 40, INT64_MAX, UINT64_MAX, UINT64_MAX - 15};
    struct image im;
    char why[IMAGE_TEXT_BYTES];
    size_t count;
    uint8_t *good = read_file(ABI "mean.so", &count);
    assert_true(image_parse(&im, good, count, why));
    for (size_t at = im.dyn_off; at < im.dyn_off + (im.dyn_count + 1) * 16; at += 8) {
        for (size_t k = 0; k < sizeof nasty / sizeof nasty[0]; k++) {
            uint64_t before;
            memcpy(&before, good + at, 8);
            memcpy(good + at, &nasty[k], 8);
            (void)read_copy(good, count);
            memcpy(good + at, &before, 8);
        }
    }
    for (size_t at = 64; at < 64 + im.phnum * sizeof(Elf64_Phdr); at += 8) {
        for (size_t k = 0; k < sizeof nasty / sizeof nasty[0]; k++) {
            uint64_t before;
            memcpy(&before, good + at, 8);
            memcpy(good + at, &nasty[k], 8);
            (void)read_copy(good, count);
            memcpy(good + at, &before, 8);
        }
    }
    assert_true(read_copy(good, count));
    free(good);
}

static void image_good_file_gives_note_and_build_id(void **state)
{
    (void)state;
    struct image im;
    struct tn_manifest m;
    char why[IMAGE_TEXT_BYTES], id[48];
    size_t count;
    uint8_t *bytes = read_file(ABI "cross.so", &count);
    assert_true(image_parse(&im, bytes, count, why));
    assert_true(is_ok(note_read(&im, &m, why)));
    assert_string_equal(m.id, "cross");
    assert_int_equal(m.input_count, 2);
    assert_string_equal(m.inputs[1].name, "slow");
    note_build_id(&im, id, sizeof id);
    assert_int_equal(strlen(id), 40);
    assert_int_equal(strspn(id, "0123456789abcdef"), 40);
    free(bytes);
}

static struct tn_manifest good_manifest(void)
{
    struct image im;
    struct tn_manifest m;
    char why[IMAGE_TEXT_BYTES];
    size_t count;
    uint8_t *bytes = read_file(ABI "mean.so", &count);
    assert_true(image_parse(&im, bytes, count, why));
    assert_true(is_ok(note_read(&im, &m, why)));
    free(bytes);
    return m;
}

static void note_each_broken_member_is_refused(void **state)
{
    (void)state;
    const struct tn_manifest good = good_manifest();
    struct tn_manifest m;
    char why[IMAGE_TEXT_BYTES];
#define BROKEN(change, word)                                                                       \
    do {                                                                                           \
        m = good;                                                                                  \
        change;                                                                                    \
        assert_false(is_ok(note_manifest_check(&m, why)));                                         \
        if (!strstr(why, word))                                                                    \
            fail_msg(#change ": %s", why);                                                         \
    } while (0)
    assert_true(is_ok(note_manifest_check(&good, why)));
    BROKEN(m.abi_major = 0, "ABI 0.0");
    BROKEN(m.abi_minor = 7, "ABI 1.7");
    BROKEN(m.fingerprint++, "fingerprint");
    BROKEN(m.id[0] = 0, "id or version");
    BROKEN(m.id[31] = 'x', "id or version");
    BROKEN(memset(m.id, 'a', sizeof m.id), "id or version");
    BROKEN(strcpy(m.version, "1.0"), "id or version");
    BROKEN(strcpy(m.version, "1.0.0;rm"), "id or version");
    BROKEN(m.vendor[0] = '\n', "plain text");
    BROKEN(m.text[3] = (char)0xff, "plain text");
    BROKEN(m.param_count = 17, "17 params");
    BROKEN(m.output_count = 9, "9 outputs");
    BROKEN(m.output_count = 0, "at least one output");
    BROKEN(m.input_count = 1, "no inputs");
    BROKEN(m.signals_max = 1, "strategies only");
    BROKEN(m.kind = TN_KIND_STRATEGY, "no outputs");
    BROKEN(m.kind = TN_KIND_ROUTER, "kind 4");
    BROKEN(m.kind = TN_KIND_SOURCE, "draft flag");
    BROKEN(m.flags = TN_FLAG_DRAFT, "draft flag");
    BROKEN(m.flags = 0x80000000u, "feature bits");
    BROKEN(m.arena_bytes = UINT32_MAX, "arena_bytes");
    BROKEN(m.state_max_bytes = UINT32_MAX, "state_max_bytes");
    BROKEN(m.state_schema_oldest = 2, "state_schema_oldest");
    BROKEN(m.params[0].type = 4, "type 4");
    BROKEN(m.params[0].reserved = 1, "type 1");
    BROKEN(m.params[0].name[0] = '9', "parameter 1");
    BROKEN(m.params[0].text[0] = 0, "parameter 1");
    BROKEN(m.params[0].min.i = 6, "default");
    BROKEN(m.params[0].max.i = 4, "default");
    BROKEN(m.params[0].step.i = -1, "default");
    BROKEN((m.params[0].type = TN_TYPE_F64, m.params[0].max.f = (double)INFINITY), "default");
    BROKEN(m.params[0].type = TN_TYPE_BOOL, "default");
    BROKEN((m.param_count = 2, m.params[1] = m.params[0]), "twice");
    BROKEN(m.params[5].unit[2] = 1, "not zero");
    BROKEN(m.outputs[3].name[0] = 'a', "not zero");
    BROKEN((m.output_count = 2, m.outputs[1] = m.outputs[0]), "twice");
    BROKEN(m.outputs[0].unit[0] = 7, "plain text");
#undef BROKEN
}

static void note_extra_flags_that_are_optional_pass(void **state)
{
    (void)state;
    struct tn_manifest m = good_manifest();
    char why[IMAGE_TEXT_BYTES];
    m.flags = 0x00008000u | TN_FLAG_MAY_CONFLATE;
    assert_true(is_ok(note_manifest_check(&m, why)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_cut_at_every_length_is_refused),
        cmocka_unit_test(image_random_bit_flips_read_nothing_outside),
        cmocka_unit_test(image_random_words_in_tables_read_nothing_outside),
        cmocka_unit_test(image_good_file_gives_note_and_build_id),
        cmocka_unit_test(note_each_broken_member_is_refused),
        cmocka_unit_test(note_extra_flags_that_are_optional_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
