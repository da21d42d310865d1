/* SPDX-License-Identifier: Apache-2.0
 *
 * scrypt and AES-256-GCM of OpenSSL. Everything in the file before the body is bound in as
 * additional data: version, costs, count, generation, names and nonce.
 */
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include "egress/secret_priv.h"
#include "base/must.h"

#define SCRYPT_MEMORY (2048ull * 1024 * 1024)

void secret_wipe(void *p, size_t count)
{
    OPENSSL_cleanse(p, count);
}

struct result secret_derive(const struct secret_head *h, const char *password,
                            uint8_t key[SECRET_KEY_BYTES], struct trail *tr)
{
    must(password[0] != 0);
    if (EVP_PBE_scrypt(password, strlen(password), h->salt, sizeof h->salt, 1ull << h->log2_n, h->r,
                       h->p, SCRYPT_MEMORY, key, SECRET_KEY_BYTES) == 1)
        return OK_RESULT;
    ERR_clear_error();
    return FAIL(tr, FULL, "no memory to derive a key from a password with scrypt (%llu MiB)",
                (1ull << h->log2_n) * h->r * 128 / 1048576);
}

static bool begin(EVP_CIPHER_CTX *c, const struct secrets *s, const uint8_t *file, int sealing)
{
    int n = 0;
    const size_t at = secret_body_at(&s->head);
    return c != NULL &&
           EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, s->key, file + at - SECRET_NONCE_ROOM,
                             sealing) == 1 &&
           EVP_CipherUpdate(c, NULL, &n, file, (int)at) == 1;
}

struct result secret_lock(const struct secrets *s, uint8_t *file, struct trail *tr)
{
    uint8_t *body = file + secret_body_at(&s->head);
    int n = 0, last = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool good = begin(c, s, file, 1) &&
                EVP_CipherUpdate(c, body, &n, s->body, (int)s->head.body_bytes) == 1 &&
                EVP_CipherFinal_ex(c, body + n, &last) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, SECRET_TAG_BYTES,
                                    body + s->head.body_bytes) == 1;
    EVP_CIPHER_CTX_free(c);
    ERR_clear_error();
    return good ? OK_RESULT : FAIL(tr, BUG, "AES-256-GCM could not seal the secrets");
}

bool secret_unlock(const struct secrets *s, const uint8_t *file, uint8_t *body)
{
    const uint8_t *sealed = file + secret_body_at(&s->head);
    uint8_t tag[SECRET_TAG_BYTES];
    int n = 0, last = 0;
    memcpy(tag, sealed + s->head.body_bytes, sizeof tag);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool good = begin(c, s, file, 0) &&
                EVP_CipherUpdate(c, body, &n, sealed, (int)s->head.body_bytes) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag) == 1 &&
                EVP_CipherFinal_ex(c, body + n, &last) == 1;
    EVP_CIPHER_CTX_free(c);
    ERR_clear_error();
    return good;
}
