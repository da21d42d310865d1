/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures and public keys in minisign's file formats (Ed25519; the signed thing is the file's
 * bytes, hashed with BLAKE2b-512 in the form that minisign makes by default, "ED", or whole in its
 * older form, "Ed"). What we sign, the stock minisign verifies, and the other way round.
 *
 * A signature file has four lines: an untrusted comment, the base64 signature (algorithm, key id,
 * signature of the file), the trusted comment, and the base64 global signature over the first
 * signature and the trusted comment. Ours say in the trusted comment what the signer meant:
 *     role=operator kind=deployment host=demo serial=2 sha256=... signed=2026-11-20T13:00:00Z
 *
 * Pure functions but for sign_secret_*, which hold a key in OpenSSL. Any thread.
 */
#ifndef DEPLOY_SIGN_H
#define DEPLOY_SIGN_H
#include "base/result.h"

enum {
    SIGN_KEY_BYTES = 32,
    SIGN_ID_BYTES = 8,
    SIGN_BYTES = 64,
    SIGN_COMMENT_BYTES = 192, /* trusted comment with its NUL; more is refused */
    SIGN_FILE_BYTES = 1024,   /* of a whole signature file; more is refused */
    SIGN_PUBLIC_TEXT = 64,    /* "RW..." with its NUL */
    SIGN_ID_TEXT = 17,        /* 16 hex digits, as minisign prints a key id, with their NUL */
};

struct sign_public {
    uint8_t id[SIGN_ID_BYTES];
    uint8_t key[SIGN_KEY_BYTES];
};
struct sign_file {
    uint32_t is_hashed;
    uint8_t id[SIGN_ID_BYTES];
    uint8_t signature[SIGN_BYTES];
    uint8_t global[SIGN_BYTES];
    char comment[SIGN_COMMENT_BYTES]; /* the trusted one */
};

/* name: of the file, for sentences. SYNTAX or TOO_LARGE when it is no signature file. */
MUST_USE struct result sign_parse(const char *text, size_t count, const char *name,
                                  struct sign_file *out, struct trail *tr);
/* The whole file's text; gives its length. */
size_t sign_print(const struct sign_file *f, char out[SIGN_FILE_BYTES]);
/* SIGNATURE when it is not this key's over these bytes and its comment; the trail says which. */
MUST_USE struct result sign_verify(const struct sign_file *f, const struct sign_public *key,
                                   const void *bytes, size_t count, const char *name,
                                   struct trail *tr);

/* "RW..." alone, or the content of a minisign .pub file. */
MUST_USE struct result sign_public_parse(const char *text, size_t count, const char *name,
                                         struct sign_public *out, struct trail *tr);
void sign_public_text(const struct sign_public *key, char out[SIGN_PUBLIC_TEXT]);
void sign_id_text(const uint8_t id[SIGN_ID_BYTES], char out[SIGN_ID_TEXT]);

/* The value of `word=` in a trusted comment; false when it is not there, stands there twice or does
 * not fit. */
bool sign_comment_get(const char *comment, const char *word, char *out, size_t bytes);

/* ---- secret keys ---- */
struct sign_secret; /* heap; its bytes are wiped by _free */
MUST_USE struct result sign_secret_new(struct sign_secret **out, struct trail *tr);
void sign_secret_free(struct sign_secret *s); /* NULL is let pass */
/* The key id is the first 8 bytes of the BLAKE2b-512 of the public key: it needs no storage. */
const struct sign_public *sign_secret_public(const struct sign_secret *s);
MUST_USE struct result sign_make(const struct sign_secret *s, const void *bytes, size_t count,
                                 const char *comment, struct sign_file *out, struct trail *tr);
/* PKCS#8 PEM, encrypted with scrypt (N = 2^14, r = 8, p = 5: the largest N that OpenSSL's own
 * limit of 32 MiB lets through, with p for the work) and AES-256-CBC; malloc'ed, NUL-ended. The
 * public key is kept inside too (attribute localKeyID), so that an altered file is noticed. The
 * password is not empty. */
MUST_USE struct result sign_secret_export(const struct sign_secret *s, const char *password,
                                          char **pem, struct trail *tr);
/* NOT_PERMITTED when the password is wrong; SYNTAX when it is no key file, not encrypted, or not
 * with scrypt (of at most 64 times our work); CORRUPT when it was altered. */
MUST_USE struct result sign_secret_import(const char *pem, size_t count, const char *password,
                                          const char *name, struct sign_secret **out,
                                          struct trail *tr);
#endif
