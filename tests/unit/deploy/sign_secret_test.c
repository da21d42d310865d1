/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a secret key comes back from its file with its password and with no other, unaltered or not
 * at all; the file is what the header says it is, and OpenSSL's limits are what we say they are.
 * Method: files made here, also with OpenSSL's own calls in forms that are to be refused. Damage is
 * done to a file whose scrypt is cheap (a kept key, encrypted again with N = 2), so that every bit
 * can be turned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include "deploy/sign.h"

#define PASSWORD "correct horse battery"

static struct sign_secret *new_key(void)
{
    struct sign_secret *s = NULL;
    assert_true(is_ok(sign_secret_new(&s, NULL)));
    return s;
}

static struct result import(const char *pem, size_t count, const char *password,
                            struct sign_secret **out, struct trail *tr)
{
    char *exact = malloc(count > 0 ? count : 1);
    assert_non_null(exact);
    memcpy(exact, pem, count);
    struct result r = sign_secret_import(exact, count, password, "ana.key", out, tr);
    free(exact);
    assert_true(is_ok(r) == (*out != NULL));
    return r;
}

static void refused(const char *pem, size_t count, const char *password, int32_t code,
                    const char *words)
{
    struct sign_secret *s = NULL;
    struct trail tr = {0};
    struct result r = import(pem, count, password, &s, &tr);
    if (r.code != code || strstr(trail_sentence(&tr, r), words) == NULL)
        fail_msg("%s: %s, wanted '%s'", result_name(r), trail_sentence(&tr, r), words);
}

/* ---- files made with OpenSSL's own calls ---- */
static char *pem_of(X509_SIG *sealed)
{
    char *text = NULL;
    BIO *memory = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8(memory, sealed), 1);
    long count = BIO_get_mem_data(memory, &text);
    char *pem = strndup(text, (size_t)count);
    BIO_free(memory);
    X509_SIG_free(sealed);
    assert_non_null(pem);
    return pem;
}

/* Takes over both. */
static char *seal(PKCS8_PRIV_KEY_INFO *plain, X509_ALGOR *how)
{
    assert_non_null(plain);
    assert_non_null(how);
    X509_SIG *sealed = PKCS8_set0_pbe(PASSWORD, (int)strlen(PASSWORD), plain, how);
    assert_non_null(sealed);
    PKCS8_PRIV_KEY_INFO_free(plain);
    return pem_of(sealed);
}

static X509_ALGOR *scrypt(uint64_t n, uint64_t r, uint64_t p)
{
    return PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 16, NULL, n, r, p);
}

static PKCS8_PRIV_KEY_INFO *fresh(const char *type)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, type);
    assert_non_null(key);
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    EVP_PKEY_free(key);
    return plain;
}

static X509_SIG *sealed_of(const char *pem)
{
    BIO *memory = BIO_new_mem_buf(pem, -1);
    X509_SIG *sealed = PEM_read_bio_PKCS8(memory, NULL, NULL, NULL);
    BIO_free(memory);
    assert_non_null(sealed);
    return sealed;
}

/* The content of our own file. */
static PKCS8_PRIV_KEY_INFO *opened(const struct sign_secret *s)
{
    char *pem = NULL;
    assert_true(is_ok(sign_secret_export(s, PASSWORD, &pem, NULL)));
    X509_SIG *sealed = sealed_of(pem);
    PKCS8_PRIV_KEY_INFO *plain = PKCS8_decrypt(sealed, PASSWORD, (int)strlen(PASSWORD));
    X509_SIG_free(sealed);
    free(pem);
    assert_non_null(plain);
    return plain;
}

/* ---- tests ---- */
static void sign_secret_comes_back_with_its_password_only(void **state)
{
    (void)state;
    char *pem = NULL, *again = NULL;
    struct sign_secret *s = new_key(), *back = NULL;
    struct sign_file made;
    assert_true(is_ok(sign_secret_export(s, PASSWORD, &pem, NULL)));
    assert_true(is_ok(sign_secret_export(s, PASSWORD, &again, NULL)));
    assert_string_not_equal(pem, again); /* salt and start vector are new each time */
    assert_true(is_ok(import(pem, strlen(pem), PASSWORD, &back, NULL)));
    assert_memory_equal(sign_secret_public(s), sign_secret_public(back),
                        sizeof(struct sign_public));
    assert_true(is_ok(sign_make(back, "x", 1, "", &made, NULL)));
    assert_true(is_ok(sign_verify(&made, sign_secret_public(s), "x", 1, "f", NULL)));
    refused(pem, strlen(pem), "correct horse batterz", RESULT_NOT_PERMITTED,
            "ana.key: the password is wrong");
    refused(pem, strlen(pem), "", RESULT_NOT_PERMITTED, "the password is wrong");
    sign_secret_free(back);
    sign_secret_free(s);
    free(again);
    free(pem);
}

static void sign_secret_ids_follow_from_the_key(void **state)
{
    (void)state;
    struct sign_secret *s = new_key(), *other = new_key();
    uint8_t digest[64];
    assert_int_equal(EVP_Digest(sign_secret_public(s)->key, SIGN_KEY_BYTES, digest, NULL,
                                EVP_blake2b512(), NULL),
                     1);
    assert_memory_equal(digest, sign_secret_public(s)->id, SIGN_ID_BYTES);
    assert_memory_not_equal(sign_secret_public(s)->key, sign_secret_public(other)->key,
                            SIGN_KEY_BYTES);
    sign_secret_free(s);
    sign_secret_free(other);
    sign_secret_free(NULL);
}

/* What is written says PBES2 with scrypt at 2^14, 8, 5 and AES-256-CBC, and a 16-byte salt. */
static void sign_secret_file_is_what_the_header_says(void **state)
{
    (void)state;
    char *pem = NULL;
    struct sign_secret *s = new_key();
    assert_true(is_ok(sign_secret_export(s, PASSWORD, &pem, NULL)));
    X509_SIG *sealed = sealed_of(pem);
    const X509_ALGOR *how = NULL;
    const ASN1_OCTET_STRING *bytes = NULL;
    X509_SIG_get0(sealed, &how, &bytes);
    assert_int_equal(OBJ_obj2nid(how->algorithm), NID_pbes2);
    PBE2PARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), how->parameter);
    assert_non_null(pbe);
    assert_int_equal(OBJ_obj2nid(pbe->encryption->algorithm), NID_aes_256_cbc);
    assert_int_equal(OBJ_obj2nid(pbe->keyfunc->algorithm), NID_id_scrypt);
    SCRYPT_PARAMS *work =
        ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), pbe->keyfunc->parameter);
    assert_non_null(work);
    assert_int_equal(ASN1_INTEGER_get(work->costParameter), 16384);
    assert_int_equal(ASN1_INTEGER_get(work->blockSize), 8);
    assert_int_equal(ASN1_INTEGER_get(work->parallelizationParameter), 5);
    assert_int_equal(ASN1_STRING_length(work->salt), 16);
    SCRYPT_PARAMS_free(work);
    PBE2PARAM_free(pbe);
    X509_SIG_free(sealed);
    sign_secret_free(s);
    free(pem);
}

/* Why not more: the next N does not get through, and its own limit cannot be given to PKCS#8. */
static void sign_secret_work_is_the_most_openssl_lets_through(void **state)
{
    (void)state;
    X509_ALGOR *ours = scrypt(1 << 14, 8, 5);
    assert_non_null(ours);
    X509_ALGOR_free(ours);
    assert_null(scrypt(1 << 15, 8, 1));
    assert_null(scrypt(1 << 20, 8, 1)); /* minisign's */
    uint8_t out[32];
    assert_int_equal(EVP_PBE_scrypt("x", 1, out, 16, 1 << 15, 8, 1, 0, out, sizeof out), 0);
    assert_int_equal(EVP_PBE_scrypt("x", 1, out, 16, 1 << 15, 8, 1, 64 << 20, out, sizeof out), 1);
}

static void sign_secret_of_openssl_is_taken(void **state)
{
    (void)state;
    struct sign_secret *back = NULL;
    char *pem = seal(fresh("ED25519"), scrypt(1 << 14, 8, 1));
    assert_true(is_ok(import(pem, strlen(pem), PASSWORD, &back, NULL)));
    sign_secret_free(back);
    free(pem);
}

static void sign_secret_other_kinds_are_refused(void **state)
{
    (void)state;
    char *pem = seal(fresh("X25519"), scrypt(2, 1, 1));
    refused(pem, strlen(pem), PASSWORD, RESULT_SYNTAX, "holds no Ed25519 key");
    free(pem);
    pem = seal(fresh("ED25519"), PKCS5_pbe2_set(EVP_aes_256_cbc(), 1000, NULL, 16));
    refused(pem, strlen(pem), PASSWORD, RESULT_SYNTAX,
            "not encrypted with scrypt of the usual strength");
    free(pem);
    pem = seal(fresh("ED25519"), PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 1, NULL, 0));
    refused(pem, strlen(pem), PASSWORD, RESULT_SYNTAX,
            "not encrypted with scrypt of the usual strength");
    free(pem);
    static const char plain[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n"
                                "-----END PRIVATE KEY-----\n";
    refused(plain, sizeof plain - 1, PASSWORD, RESULT_SYNTAX, "without a password; encrypt it");
    static const char stock[] = "untrusted comment: minisign encrypted secret key\nRWRTY0Iy\n";
    refused(stock, sizeof stock - 1, PASSWORD, RESULT_SYNTAX,
            "whose secret keys only minisign can use");
    refused("", 0, PASSWORD, RESULT_SYNTAX, "is no secret key");
}

/* The amount of work is written into a finished file, twice what the bound lets pass; OpenSSL's
 * own limit is one of memory, and would let it run for half a minute. */
static void sign_secret_endless_work_is_refused(void **state)
{
    (void)state;
    char *cheap = seal(fresh("ED25519"), scrypt(1 << 14, 8, 1));
    X509_SIG *sealed = sealed_of(cheap);
    X509_ALGOR *how = NULL;
    X509_SIG_getm(sealed, &how, NULL);
    PBE2PARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), how->parameter);
    SCRYPT_PARAMS *work =
        ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), pbe->keyfunc->parameter);
    assert_int_equal(ASN1_INTEGER_set(work->parallelizationParameter, 2 * 5 * 64), 1);
    assert_non_null(
        ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), work, &pbe->keyfunc->parameter));
    assert_non_null(ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(PBE2PARAM), pbe, &how->parameter));
    char *pem = pem_of(sealed);
    refused(pem, strlen(pem), PASSWORD, RESULT_SYNTAX,
            "not encrypted with scrypt of the usual strength");
    free(pem);
    free(cheap);
    SCRYPT_PARAMS_free(work);
    PBE2PARAM_free(pbe);
}

static void sign_secret_cut_file_is_refused_at_every_length(void **state)
{
    (void)state;
    char *pem = NULL;
    struct sign_secret *s = new_key();
    assert_true(is_ok(sign_secret_export(s, PASSWORD, &pem, NULL)));
    for (size_t n = 0; n < strlen(pem); n++)
        refused(pem, n, PASSWORD, RESULT_SYNTAX, "is no secret key");
    char *twice = NULL;
    assert_true(asprintf(&twice, "%s%s", pem, pem) > 0);
    refused(twice, strlen(twice), PASSWORD, RESULT_SYNTAX, "is no secret key");
    free(twice);
    sign_secret_free(s);
    free(pem);
}

static void sign_secret_turned_bit_never_gives_another_key(void **state)
{
    (void)state;
    struct sign_secret *s = new_key(), *back = NULL;
    char *pem = seal(opened(s), scrypt(2, 1, 1));
    size_t count = strlen(pem);
    uint32_t wrong = 0, altered = 0, same = 0;
    assert_true(is_ok(import(pem, count, PASSWORD, &back, NULL)));
    sign_secret_free(back);
    for (size_t bit = 0; bit < 8 * count; bit++) {
        pem[bit / 8] ^= (char)(1u << bit % 8);
        struct result r = import(pem, count, PASSWORD, &back, NULL);
        if (is_ok(r) && memcmp(sign_secret_public(s), sign_secret_public(back),
                               sizeof(struct sign_public)) != 0)
            fail_msg("bit %zu of %zu gives another key", bit, 8 * count);
        same += is_ok(r);
        wrong += r.code == RESULT_NOT_PERMITTED;
        altered += r.code == RESULT_CORRUPT;
        sign_secret_free(back);
        pem[bit / 8] ^= (char)(1u << bit % 8);
    }
    print_message("refused: password %u, altered %u; the same key: %u\n", wrong, altered, same);
    assert_true(wrong > 100 && altered > 100); /* both ways out were taken */
    sign_secret_free(s);
    free(pem);
}

/* Without the public key inside, a turned bit in the middle would go unnoticed. */
static void sign_secret_of_another_public_key_is_refused(void **state)
{
    (void)state;
    struct sign_secret *s = new_key();
    PKCS8_PRIV_KEY_INFO *plain = fresh("ED25519");
    assert_int_equal(PKCS8_pkey_add1_attr_by_NID(plain, NID_localKeyID, V_ASN1_OCTET_STRING,
                                                 sign_secret_public(s)->key, SIGN_KEY_BYTES),
                     1);
    char *pem = seal(plain, scrypt(2, 1, 1));
    refused(pem, strlen(pem), PASSWORD, RESULT_CORRUPT, "ana.key: was altered or damaged");
    sign_secret_free(s);
    free(pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_secret_comes_back_with_its_password_only),
        cmocka_unit_test(sign_secret_ids_follow_from_the_key),
        cmocka_unit_test(sign_secret_file_is_what_the_header_says),
        cmocka_unit_test(sign_secret_work_is_the_most_openssl_lets_through),
        cmocka_unit_test(sign_secret_of_openssl_is_taken),
        cmocka_unit_test(sign_secret_other_kinds_are_refused),
        cmocka_unit_test(sign_secret_endless_work_is_refused),
        cmocka_unit_test(sign_secret_cut_file_is_refused_at_every_length),
        cmocka_unit_test(sign_secret_turned_bit_never_gives_another_key),
        cmocka_unit_test(sign_secret_of_another_public_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
