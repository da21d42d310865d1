/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a signature holds for the very file, key and comment it was made for and for nothing else,
 * ours and the stock tool's alike; no text, however broken, is read beyond its end.
 * Method: fixtures made by the stock minisign (its throwaway secret key is gone), keys made here,
 * and then damage: cut at every length, each bit of each byte turned, seeded noise. Damaged texts
 * lie in heap blocks of their exact size, so that the sanitizers see one byte too far.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include "base/clock.h"
#include "deploy/sign.h"

#define STOCK TENON_SOURCE_DIR "/tests/fixtures/minisign/"
#define COMMENT "role=operator kind=deployment host=demo serial=2 signed=2018-01-01T00:00:00Z"

static char file_text[] = "schema: 1\nhost: demo\nserial: 2\n";
enum { FILE_COUNT = sizeof file_text - 1 };

static char *slurp(const char *path, size_t *count)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *text = calloc(1, 4096);
    assert_non_null(text);
    *count = fread(text, 1, 4095, f);
    fclose(f);
    return text;
}

/* Parses a copy that ends where its block ends. */
static struct result parse(const char *text, size_t count, struct sign_file *out, struct trail *tr)
{
    char *exact = malloc(count > 0 ? count : 1);
    assert_non_null(exact);
    memcpy(exact, text, count);
    struct result r = sign_parse(exact, count, "f.minisig", out, tr);
    free(exact);
    return r;
}

static struct result parse_public(const char *text, size_t count, struct sign_public *out,
                                  struct trail *tr)
{
    char *exact = malloc(count > 0 ? count : 1);
    assert_non_null(exact);
    memcpy(exact, text, count);
    struct result r = sign_public_parse(exact, count, "ana.pub", out, tr);
    free(exact);
    return r;
}

static void said(const struct trail *tr, struct result r, const char *words)
{
    if (strstr(trail_sentence(tr, r), words) == NULL)
        fail_msg("'%s' does not say '%s'", trail_sentence(tr, r), words);
}

/* ---- the stock tool's ---- */
static void read_stock(const char *name, struct sign_file *sig, struct sign_public *key)
{
    char path[256];
    size_t count = 0;
    snprintf(path, sizeof path, STOCK "%s", name);
    char *text = slurp(path, &count);
    assert_true(is_ok(parse(text, count, sig, NULL)));
    free(text);
    text = slurp(STOCK "stock.pub", &count);
    assert_true(is_ok(parse_public(text, count, key, NULL)));
    char id[SIGN_ID_TEXT];
    sign_id_text(key->id, id);
    assert_non_null(strstr(text, id)); /* as minisign prints it */
    free(text);
}

static void sign_stock_signatures_hold(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t is_hashed;
        const char *comment;
    } row[] = {{"hashed.minisig", 1, "role=operator kind=deployment host=demo serial=1"},
               {"plain.minisig", 1, "timestamp:1514764800\tfile:signed.yaml\thashed"},
               {"legacy.minisig", 0, "timestamp:1514764800\tfile:signed.yaml"}};
    size_t count = 0;
    char *bytes = slurp(STOCK "signed.yaml", &count);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct sign_file sig;
        struct sign_public key;
        read_stock(row[i].name, &sig, &key);
        assert_int_equal(sig.is_hashed, row[i].is_hashed);
        assert_memory_equal(sig.comment, row[i].comment, strlen(row[i].comment));
        assert_true(is_ok(sign_verify(&sig, &key, bytes, count, row[i].name, NULL)));
        for (size_t at = 0; at < count; at++) {
            bytes[at] ^= 1;
            assert_int_equal(sign_verify(&sig, &key, bytes, count, "f", NULL).code,
                             RESULT_SIGNATURE);
            bytes[at] ^= 1;
        }
        assert_int_equal(sign_verify(&sig, &key, bytes, count - 1, "f", NULL).code,
                         RESULT_SIGNATURE);
    }
    free(bytes);
}

/* The other form of the same signature is another statement: hashed and whole do not mix. */
static void sign_stock_form_cannot_be_changed(void **state)
{
    (void)state;
    size_t count = 0;
    char *bytes = slurp(STOCK "signed.yaml", &count);
    struct sign_public key;
    struct sign_file sig;
    read_stock("hashed.minisig", &sig, &key);
    sig.is_hashed = 0;
    assert_int_equal(sign_verify(&sig, &key, bytes, count, "f", NULL).code, RESULT_SIGNATURE);
    read_stock("legacy.minisig", &sig, &key);
    sig.is_hashed = 1;
    assert_int_equal(sign_verify(&sig, &key, bytes, count, "f", NULL).code, RESULT_SIGNATURE);
    free(bytes);
}

/* ---- ours ---- */
static struct sign_secret *new_key(void)
{
    struct sign_secret *s = NULL;
    assert_true(is_ok(sign_secret_new(&s, NULL)));
    return s;
}

static void make(const struct sign_secret *s, struct sign_file *out)
{
    assert_true(is_ok(sign_make(s, file_text, FILE_COUNT, COMMENT, out, NULL)));
}

static void sign_made_is_read_back_and_holds(void **state)
{
    (void)state;
    char text[SIGN_FILE_BYTES];
    struct sign_file made, back;
    struct sign_secret *s = new_key();
    make(s, &made);
    size_t count = sign_print(&made, text);
    assert_int_equal(count, strlen(text));
    assert_true(is_ok(parse(text, count, &back, NULL)));
    assert_memory_equal(&made, &back, sizeof made);
    assert_true(is_ok(sign_verify(&back, sign_secret_public(s), file_text, FILE_COUNT, "f", NULL)));
    sign_secret_free(s);
}

static void sign_longest_comment_fits(void **state)
{
    (void)state;
    char comment[SIGN_COMMENT_BYTES + 1], text[SIGN_FILE_BYTES];
    struct sign_file made, back;
    struct trail tr = {0};
    struct sign_secret *s = new_key();
    memset(comment, 'x', sizeof comment);
    comment[SIGN_COMMENT_BYTES - 1] = 0;
    assert_true(is_ok(sign_make(s, "", 0, comment, &made, NULL)));
    assert_true(is_ok(parse(text, sign_print(&made, text), &back, NULL)));
    assert_true(is_ok(sign_verify(&back, sign_secret_public(s), "", 0, "f", NULL)));
    size_t count = sign_print(&made, text); /* one more, as the stock tool could have made it */
    char *at = strstr(text, "xx");
    memmove(at + 1, at, count + 1 - (size_t)(at - text));
    struct result r = parse(text, count + 1, &back, &tr);
    assert_int_equal(r.code, RESULT_TOO_LARGE);
    said(&tr, r, "f.minisig:3: its trusted comment has 192 characters, at most 191");
    tr = (struct trail){0};
    comment[SIGN_COMMENT_BYTES - 1] = 'x';
    comment[SIGN_COMMENT_BYTES] = 0;
    r = sign_make(s, "", 0, comment, &made, &tr);
    assert_int_equal(r.code, RESULT_TOO_LARGE);
    said(&tr, r, "192 characters, at most 191");
    assert_int_equal(sign_make(s, "", 0, "two\nlines", &made, NULL).code, RESULT_SYNTAX);
    assert_int_equal(sign_make(s, "", 0, "caf\xc3\xa9", &made, NULL).code, RESULT_SYNTAX);
    sign_secret_free(s);
}

/* Each way in which a signature does not hold has a sentence of its own. */
static void sign_refusals_say_which(void **state)
{
    (void)state;
    struct sign_file made;
    struct sign_secret *ana = new_key(), *bo = new_key();
    struct sign_public pretender = *sign_secret_public(bo);
    make(ana, &made);
    struct trail tr = {0};
    struct result r = sign_verify(&made, &pretender, file_text, FILE_COUNT, "f.minisig", &tr);
    assert_int_equal(r.code, RESULT_SIGNATURE);
    said(&tr, r, "f.minisig: was made by key");
    memcpy(pretender.id, made.id, SIGN_ID_BYTES); /* another key under the same id */
    tr = (struct trail){0};
    r = sign_verify(&made, &pretender, file_text, FILE_COUNT, "f.minisig", &tr);
    assert_int_equal(r.code, RESULT_SIGNATURE);
    said(&tr, r, "is no signature of these bytes");
    tr = (struct trail){0};
    memcpy(strstr(made.comment, "operator"), "rooooott", 8);
    r = sign_verify(&made, sign_secret_public(ana), file_text, FILE_COUNT, "f.minisig", &tr);
    assert_int_equal(r.code, RESULT_SIGNATURE);
    said(&tr, r, "its trusted comment was changed");
    sign_secret_free(ana);
    sign_secret_free(bo);
}

/* ---- damage ---- */
static void sign_cut_file_is_refused_at_every_length(void **state)
{
    (void)state;
    char text[SIGN_FILE_BYTES];
    struct sign_file made, back, zero = {0};
    struct sign_secret *s = new_key();
    make(s, &made);
    size_t count = sign_print(&made, text);
    for (size_t n = 0; n < count; n++) {
        assert_int_equal(parse(text, n, &back, NULL).code, RESULT_SYNTAX);
        assert_memory_equal(&back, &zero, sizeof zero); /* nothing is kept of it */
    }
    sign_secret_free(s);
}

static void sign_turned_bit_never_holds(void **state)
{
    (void)state;
    char text[SIGN_FILE_BYTES];
    struct sign_file made, back;
    struct sign_secret *s = new_key();
    make(s, &made);
    size_t count = sign_print(&made, text);
    size_t covered = (size_t)(strchr(text, '\n') - text); /* line 1 is covered by nothing */
    uint32_t parsed = 0;
    for (size_t bit = 0; bit < 8 * count; bit++) {
        text[bit / 8] ^= (char)(1u << bit % 8);
        struct result r = parse(text, count, &back, NULL);
        if (is_ok(r) && bit / 8 >= covered) {
            parsed++;
            r = sign_verify(&back, sign_secret_public(s), file_text, FILE_COUNT, "f", NULL);
        }
        if (is_ok(r) && bit / 8 >= covered)
            fail_msg("bit %zu of %zu makes no difference", bit, 8 * count);
        text[bit / 8] ^= (char)(1u << bit % 8);
    }
    assert_true(parsed > 500); /* many get as far as the signature */
    sign_secret_free(s);
}

static void sign_noise_is_refused(void **state)
{
    (void)state;
    const uint64_t seed = 20180101;
    char text[SIGN_FILE_BYTES + 1], id[SIGN_PUBLIC_TEXT];
    struct sign_file made, back;
    struct sign_public key;
    struct sign_secret *s = new_key();
    struct rng rng;
    make(s, &made);
    sign_public_text(sign_secret_public(s), id);
    rng_seed(&rng, seed);
    for (uint32_t i = 0; i < 20000; i++) {
        size_t count = i % 2 ? sign_print(&made, text) : rng_below(&rng, sizeof text);
        for (uint32_t k = i % 2 ? 1 + (uint32_t)rng_below(&rng, 8) : (uint32_t)count; k > 0; k--)
            text[i % 2 ? rng_below(&rng, count) : k - 1] = (char)rng_next(&rng);
        struct result r = parse(text, count, &back, NULL);
        if (is_ok(r))
            r = sign_verify(&back, sign_secret_public(s), file_text, FILE_COUNT, "f", NULL);
        if (is_ok(r) && memcmp(&back, &made, sizeof made) != 0)
            fail_msg("seed %llu, text %u holds", (unsigned long long)seed, i);
        if (i % 2 == 0)
            assert_false(is_ok(parse_public(text, count, &key, NULL)));
    }
    sign_secret_free(s);
}

/* X(what, replaced, by): one change each to a good file. */
static void sign_other_forms_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what, *by, *says;
    } row[] = {
        {"untrusted comment: ", "Untrusted comment: ", "f.minisig:1: is no signature file"},
        {"\ntrusted comment: ", "\ntrusted remark: ", "f.minisig:3: is no signature file"},
        {"role=operator", "role=\x1b[31m", "f.minisig:3: its trusted comment has bytes"},
        {"role=operator", "role=op\xc3\xa9", "f.minisig:3: its trusted comment has bytes"},
        {"00Z\n", "00Z\r\n", "f.minisig:3: its trusted comment has bytes"},
        {"\nRU", "\n RU", "f.minisig:2: is no signature file"},
        {"\nRU", "\nRX", "f.minisig:2: is no signature file"},
    };
    char text[SIGN_FILE_BYTES], changed[SIGN_FILE_BYTES + 64];
    struct sign_file made, back;
    struct sign_secret *s = new_key();
    make(s, &made);
    size_t count = sign_print(&made, text);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const char *at = strstr(text, row[i].what);
        assert_non_null(at);
        int n = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, row[i].by,
                         at + strlen(row[i].what));
        struct trail tr = {0};
        struct result r = parse(changed, (size_t)n, &back, &tr);
        assert_int_equal(r.code, RESULT_SYNTAX);
        said(&tr, r, row[i].says);
    }
    text[count] = '\n';
    assert_int_equal(parse(text, count + 1, &back, NULL).code, RESULT_SYNTAX);
    memset(changed, 'x', sizeof changed);
    assert_int_equal(parse(changed, SIGN_FILE_BYTES, &back, NULL).code, RESULT_SYNTAX);
    assert_int_equal(parse(changed, SIGN_FILE_BYTES + 1, &back, NULL).code, RESULT_TOO_LARGE);
    sign_secret_free(s);
}

/* The last base64 letter carries bits that stand for nothing: only one spelling is taken. */
static void sign_second_spelling_is_refused(void **state)
{
    (void)state;
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[SIGN_FILE_BYTES];
    struct sign_file made, back;
    struct sign_secret *s = new_key();
    make(s, &made);
    size_t count = sign_print(&made, text);
    char *ends[] = {strstr(text, "=\ntrusted") - 1, text + count - 4};
    for (size_t i = 0; i < 2; i++) {
        const char was = *ends[i];
        for (size_t k = 0; letters[k]; k++) {
            *ends[i] = letters[k];
            struct result r = parse(text, count, &back, NULL);
            if (is_ok(r) && letters[k] != was)
                r = sign_verify(&back, sign_secret_public(s), file_text, FILE_COUNT, "f", NULL);
            assert_true(is_ok(r) == (letters[k] == was));
        }
        *ends[i] = was;
    }
    sign_secret_free(s);
}

/* ---- public keys ---- */
static void sign_public_key_is_read_in_its_three_forms(void **state)
{
    (void)state;
    char line[SIGN_PUBLIC_TEXT], text[256];
    struct sign_public back;
    struct sign_secret *s = new_key();
    sign_public_text(sign_secret_public(s), line);
    assert_int_equal(strlen(line), 56);
    assert_memory_equal(line, "RW", 2);
    static const char *const good[] = {"%s", "%s\n", "untrusted comment: of ana\n%s\n"};
    static const char *const bad[] = {"%s\n\n",   " %s",
                                      "%s ",      "untrusted comment: a\n%s",
                                      "%s\n%s\n", "comment: a\n%s\n",
                                      "%.55s",    "untrusted comment: a\n%s\nmore\n",
                                      "%.55s=",   "\n%s\n"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int n = snprintf(text, sizeof text, good[i], line, line);
        assert_true(is_ok(parse_public(text, (size_t)n, &back, NULL)));
        assert_memory_equal(&back, sign_secret_public(s), sizeof back);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int n = snprintf(text, sizeof text, bad[i], line, line);
        if (is_ok(parse_public(text, (size_t)n, &back, NULL)))
            fail_msg("form %zu was taken: %s", i, text);
    }
    for (size_t n = 0; n < strlen(line); n++)
        assert_int_equal(parse_public(line, n, &back, NULL).code, RESULT_SYNTAX);
    sign_secret_free(s);
}

/* For a key of small order, R = the neutral point and S = 0 hold for one message in eight at
 * least, whoever made them. The proof is OpenSSL's own verdict. */
static bool is_forged(const uint8_t key[SIGN_KEY_BYTES])
{
    const uint8_t signature[SIGN_BYTES] = {1};
    EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, SIGN_KEY_BYTES);
    assert_non_null(k);
    bool held = false;
    for (uint32_t message = 0; message < 1000 && !held; message++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k), 1);
        held = EVP_DigestVerify(ctx, signature, sizeof signature, (const uint8_t *)&message,
                                sizeof message) == 1;
        EVP_MD_CTX_free(ctx);
    }
    EVP_PKEY_free(k);
    return held;
}

static void from_hex(const char *hex, uint8_t out[SIGN_KEY_BYTES])
{
    for (size_t i = 0; i < SIGN_KEY_BYTES; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

static void sign_key_anybody_can_sign_for_is_refused(void **state)
{
    (void)state;
    static const char *const weak[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    };
    char text[SIGN_PUBLIC_TEXT];
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        struct sign_public key = {{1, 2, 3}, {0}}, back;
        struct trail tr = {0};
        from_hex(weak[i], key.key);
        if (!is_forged(key.key))
            fail_msg("%s is not weak", weak[i]);
        sign_public_text(&key, text);
        struct result r = parse_public(text, strlen(text), &back, &tr);
        assert_int_equal(r.code, RESULT_SYNTAX);
        said(&tr, r, "for which anybody can sign");
    }
    struct sign_secret *s = new_key();
    assert_false(is_forged(sign_secret_public(s)->key));
    sign_secret_free(s);
}

/* ---- the comment ---- */
static void sign_comment_words_are_found_once(void **state)
{
    (void)state;
    static const struct {
        const char *comment, *value; /* of role; NULL = not there */
    } row[] = {
        {"role=risk", "risk"},
        {"host=demo role=risk serial=2", "risk"},
        {"host=demo\trole=risk", "risk"},
        {"  role=risk  ", "risk"},
        {"role=", ""},
        {"role=a=b", "a=b"},
        {"", NULL},
        {"role", NULL},
        {"arole=risk", NULL},
        {"role =risk", NULL},
        {"Role=risk", NULL},
        {"roles=risk", NULL},
        {"role=risk role=root", NULL},
        {"role=risk role=risk", NULL},
        {"role=12345678", NULL}, /* does not fit */
        {"role=1234567", "1234567"},
    };
    char out[8];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        bool found = sign_comment_get(row[i].comment, "role", out, sizeof out);
        if (found != (row[i].value != NULL))
            fail_msg("'%s': %s", row[i].comment, found ? out : "not found");
        if (found)
            assert_string_equal(out, row[i].value);
    }
}

static void sign_id_is_printed_from_its_high_end(void **state)
{
    (void)state;
    char text[SIGN_ID_TEXT];
    sign_id_text((const uint8_t[]){0xed, 0xc8, 0xf4, 0x3a, 0x95, 0x80, 0x02, 0xde}, text);
    assert_string_equal(text, "DE0280953AF4C8ED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_stock_signatures_hold),
        cmocka_unit_test(sign_stock_form_cannot_be_changed),
        cmocka_unit_test(sign_made_is_read_back_and_holds),
        cmocka_unit_test(sign_longest_comment_fits),
        cmocka_unit_test(sign_refusals_say_which),
        cmocka_unit_test(sign_cut_file_is_refused_at_every_length),
        cmocka_unit_test(sign_turned_bit_never_holds),
        cmocka_unit_test(sign_noise_is_refused),
        cmocka_unit_test(sign_other_forms_are_refused),
        cmocka_unit_test(sign_second_spelling_is_refused),
        cmocka_unit_test(sign_public_key_is_read_in_its_three_forms),
        cmocka_unit_test(sign_key_anybody_can_sign_for_is_refused),
        cmocka_unit_test(sign_comment_words_are_found_once),
        cmocka_unit_test(sign_id_is_printed_from_its_high_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
