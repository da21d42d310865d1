/* SPDX-License-Identifier: Apache-2.0
 *
 * Secret keys: made, used, kept encrypted. A key lives in OpenSSL, which wipes it when it is freed;
 * the password is the caller's to wipe. What is stored is PKCS#8 with scrypt and AES-256-CBC, so
 * `openssl pkey -in ana.key -text` reads it too. minisign's own secret files need an scrypt with
 * more memory than OpenSSL 3.0 grants to PKCS#8 (32 MiB, not to be raised there), and ours is as
 * dear as that limit lets it be: N = 2^14 needs 16 MiB, N = 2^15 just misses, so p = 5 does it five
 * times over.
 *
 * CBC tells nothing about changed bytes: an altered file could decrypt to another, working key. So
 * the public key is kept inside, as the attribute localKeyID, and compared when the file is read.
 * A key that openssl made has no such attribute and is taken as it is.
 *
 * What a key file asks for is bounded before it is done: only scrypt, and at most 64 times our
 * work, or a damaged number would let a signer wait for hours.
 */
#include <stdlib.h>
#include <string.h>
#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include "base/must.h"
#include "deploy/sign_priv.h"

enum {
    SCRYPT_N = 1 << 14,
    SCRYPT_R = 8,
    SCRYPT_P = 5,
    SCRYPT_MOST = 64, /* times our work */
    SALT_BYTES = 16,
    PEM_BYTES_MAX = 4096,
};

struct sign_secret {
    EVP_PKEY *key;
    struct sign_public public;
};

/* Takes over `key` (NULL is let pass: no memory or no algorithm). */
static struct result adopt(EVP_PKEY *key, struct sign_secret **out, struct trail *tr)
{
    uint8_t digest[SIGN_BYTES];
    size_t n = SIGN_KEY_BYTES;
    struct sign_secret *s = calloc(1, sizeof *s);
    must(s != NULL);
    s->key = key;
    struct result r = OK_RESULT;
    if (key == NULL || EVP_PKEY_get_raw_public_key(key, s->public.key, &n) != 1)
        r = sign_unable(tr, "make an Ed25519 key");
    if (is_ok(r))
        r = sign_digest(s->public.key, SIGN_KEY_BYTES, digest, tr);
    if (!is_ok(r)) {
        sign_secret_free(s);
        return r;
    }
    must(n == SIGN_KEY_BYTES);
    memcpy(s->public.id, digest, SIGN_ID_BYTES);
    *out = s;
    return OK_RESULT;
}

struct result sign_secret_new(struct sign_secret **out, struct trail *tr)
{
    *out = NULL;
    return adopt(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), out, tr);
}

void sign_secret_free(struct sign_secret *s)
{
    if (s == NULL)
        return;
    EVP_PKEY_free(s->key);
    OPENSSL_cleanse(s, sizeof *s);
    free(s);
}

const struct sign_public *sign_secret_public(const struct sign_secret *s)
{
    return &s->public;
}

/* ---- signing ---- */
static struct result sign_bytes(const struct sign_secret *s, const void *bytes, size_t count,
                                uint8_t out[SIGN_BYTES], struct trail *tr)
{
    size_t n = SIGN_BYTES;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, s->key) == 1 &&
                EVP_DigestSign(ctx, out, &n, bytes, count) == 1 && n == SIGN_BYTES;
    EVP_MD_CTX_free(ctx);
    return good ? OK_RESULT : sign_unable(tr, "sign with Ed25519");
}

struct result sign_make(const struct sign_secret *s, const void *bytes, size_t count,
                        const char *comment, struct sign_file *out, struct trail *tr)
{
    uint8_t digest[SIGN_BYTES], covered[SIGN_BYTES + SIGN_COMMENT_BYTES];
    const size_t n = strlen(comment);
    struct sign_file made = {.is_hashed = 1};
    memset(out, 0, sizeof *out);
    if (n >= SIGN_COMMENT_BYTES)
        return FAIL(tr, TOO_LARGE,
                    "the trusted comment has %zu characters, at most %d fit; say it shorter", n,
                    SIGN_COMMENT_BYTES - 1);
    if (!sign_comment_is_good(comment, n))
        return FAIL(tr, SYNTAX,
                    "the trusted comment has bytes that are not printable ASCII; say it plainly");
    memcpy(made.id, s->public.id, SIGN_ID_BYTES);
    memcpy(made.comment, comment, n);
    TRY(sign_digest(bytes, count, digest, tr));
    TRY(sign_bytes(s, digest, sizeof digest, made.signature, tr));
    memcpy(covered, made.signature, SIGN_BYTES);
    memcpy(covered + SIGN_BYTES, comment, n);
    TRY(sign_bytes(s, covered, SIGN_BYTES + n, made.global, tr));
    *out = made;
    return OK_RESULT;
}

/* ---- keeping ---- */
/* The key with its public half beside it, encrypted; NULL when the library cannot. */
static X509_SIG *encrypt(const struct sign_secret *s, const char *password)
{
    X509_SIG *sealed = NULL;
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(s->key);
    X509_ALGOR *how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, SALT_BYTES, NULL, SCRYPT_N,
                                            SCRYPT_R, SCRYPT_P);
    if (plain != NULL && how != NULL &&
        PKCS8_pkey_add1_attr_by_NID(plain, NID_localKeyID, V_ASN1_OCTET_STRING, s->public.key,
                                    SIGN_KEY_BYTES) == 1)
        sealed = PKCS8_set0_pbe(password, (int)strlen(password), plain, how);
    if (sealed == NULL)
        X509_ALGOR_free(how); /* else it is part of what was sealed */
    PKCS8_PRIV_KEY_INFO_free(plain);
    return sealed;
}

struct result sign_secret_export(const struct sign_secret *s, const char *password, char **pem,
                                 struct trail *tr)
{
    must(password[0] != 0);
    *pem = NULL;
    struct result r = OK_RESULT;
    char *text = NULL;
    X509_SIG *sealed = encrypt(s, password);
    BIO *memory = BIO_new(BIO_s_mem());
    if (sealed == NULL || memory == NULL || PEM_write_bio_PKCS8(memory, sealed) != 1) {
        r = sign_unable(tr, "encrypt a key with scrypt");
        goto out;
    }
    long count = BIO_get_mem_data(memory, &text);
    must(count > 0 && count <= PEM_BYTES_MAX);
    *pem = strndup(text, (size_t)count);
    must(*pem != NULL);
out:
    BIO_free(memory);
    X509_SIG_free(sealed);
    return r;
}

static bool small(const ASN1_INTEGER *from, uint64_t *out)
{
    return from != NULL && ASN1_INTEGER_get_uint64(out, from) == 1 && *out > 0 && *out < 1u << 24;
}

/* The file says scrypt, with an amount of work that somebody meant. */
static bool is_scrypt(const X509_SIG *sealed)
{
    const X509_ALGOR *how = NULL;
    const ASN1_OCTET_STRING *bytes = NULL;
    PBE2PARAM *pbe = NULL;
    SCRYPT_PARAMS *work = NULL;
    uint64_t n = 0, r = 0, p = 0;
    X509_SIG_get0(sealed, &how, &bytes);
    if (OBJ_obj2nid(how->algorithm) == NID_pbes2)
        pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), how->parameter);
    if (pbe != NULL && OBJ_obj2nid(pbe->keyfunc->algorithm) == NID_id_scrypt)
        work = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), pbe->keyfunc->parameter);
    bool good =
        work != NULL && small(work->costParameter, &n) && small(work->blockSize, &r) &&
        small(work->parallelizationParameter, &p) &&
        (unsigned __int128)n * r * p <= (uint64_t)SCRYPT_N * SCRYPT_R * SCRYPT_P * SCRYPT_MOST;
    SCRYPT_PARAMS_free(work);
    PBE2PARAM_free(pbe);
    return good;
}

/* Whole, one object, and encrypted: what stands around a PEM object could be another one. */
static struct result check_pem(const char *pem, size_t count, const char *name, struct trail *tr)
{
    static const char first[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";
    static const char last[] = "\n-----END ENCRYPTED PRIVATE KEY-----\n";
    static const char plain[] = "-----BEGIN PRIVATE KEY-----";
    static const char stock[] = "untrusted comment: ";
    if (count >= sizeof plain && memcmp(pem, plain, sizeof plain - 1) == 0)
        return FAIL(tr, SYNTAX,
                    "%s: is a secret key without a password; encrypt it: openssl pkcs8 -topk8 "
                    "-scrypt -in %s -out NEW",
                    name, name);
    if (count >= sizeof stock && memcmp(pem, stock, sizeof stock - 1) == 0)
        return FAIL(tr, SYNTAX,
                    "%s: is a file of minisign's, whose secret keys only minisign can use: sign "
                    "with minisign -S, or make a key with tenon key new",
                    name);
    const size_t head = sizeof first - 1, tail = sizeof last - 1;
    if (count > PEM_BYTES_MAX || count < head + tail || memcmp(pem, first, head) != 0 ||
        memmem(pem + 1, count - 1, first, head) != NULL ||
        memcmp(pem + count - tail, last, tail) != 0)
        return FAIL(tr, SYNTAX,
                    "%s: is no secret key; take the .key file that tenon key new wrote, whole",
                    name);
    return OK_RESULT;
}

/* The public key kept inside is this key's. No attribute at all is openssl's file; one of another
 * name would be ours with a changed name. */
static bool is_unaltered(const PKCS8_PRIV_KEY_INFO *plain, const struct sign_public *public)
{
    const STACK_OF(X509_ATTRIBUTE) *all = PKCS8_pkey_get0_attrs(plain);
    if (all == NULL || X509at_get_attr_count(all) == 0)
        return true;
    int at = X509at_get_attr_by_NID(all, NID_localKeyID, -1);
    if (at < 0)
        return false;
    X509_ATTRIBUTE *one = X509at_get_attr(all, at);
    const ASN1_OCTET_STRING *kept = X509_ATTRIBUTE_get0_data(one, 0, V_ASN1_OCTET_STRING, NULL);
    return kept != NULL && ASN1_STRING_length(kept) == SIGN_KEY_BYTES &&
           CRYPTO_memcmp(ASN1_STRING_get0_data(kept), public->key, SIGN_KEY_BYTES) == 0;
}

static struct result take_key(const PKCS8_PRIV_KEY_INFO *plain, const char *name,
                              struct sign_secret **out, struct trail *tr)
{
    struct sign_secret *s = NULL;
    EVP_PKEY *key = EVP_PKCS82PKEY(plain);
    ERR_clear_error();
    if (key == NULL || !EVP_PKEY_is_a(key, "ED25519")) {
        EVP_PKEY_free(key);
        return FAIL(tr, SYNTAX, "%s: holds no Ed25519 key; make one with tenon key new", name);
    }
    TRY(adopt(key, &s, tr));
    if (!is_unaltered(plain, &s->public)) {
        sign_secret_free(s);
        return FAIL(tr, CORRUPT, "%s: was altered or damaged; restore it from a copy", name);
    }
    *out = s;
    return OK_RESULT;
}

struct result sign_secret_import(const char *pem, size_t count, const char *password,
                                 const char *name, struct sign_secret **out, struct trail *tr)
{
    struct result r = OK_RESULT;
    PKCS8_PRIV_KEY_INFO *plain = NULL;
    *out = NULL;
    TRY(check_pem(pem, count, name, tr));
    BIO *memory = BIO_new_mem_buf(pem, (int)count);
    X509_SIG *sealed = memory != NULL ? PEM_read_bio_PKCS8(memory, NULL, NULL, NULL) : NULL;
    if (sealed == NULL || !is_scrypt(sealed)) {
        r = FAIL(tr, SYNTAX,
                 "%s: is damaged, or not encrypted with scrypt of the usual strength; restore it, "
                 "or convert it: openssl "
                 "pkcs8 -topk8 -scrypt",
                 name);
        goto out;
    }
    plain = PKCS8_decrypt(sealed, password, (int)strlen(password));
    r = plain != NULL
            ? take_key(plain, name, out, tr)
            : FAIL(tr, NOT_PERMITTED,
                   "%s: the password is wrong (or the file was damaged); try again", name);
out:
    ERR_clear_error();
    PKCS8_PRIV_KEY_INFO_free(plain);
    X509_SIG_free(sealed);
    BIO_free(memory);
    return r;
}
