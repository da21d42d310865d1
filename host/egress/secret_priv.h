/* SPDX-License-Identifier: Apache-2.0
 *
 * What secret.c and secret_seal.c share.
 */
#ifndef EGRESS_SECRET_PRIV_H
#define EGRESS_SECRET_PRIV_H
#include "egress/secret.h"

#define SECRET_MAGIC "TENONSEC"
enum {
    SECRET_LOG2_N = 16, /* 64 MiB and about a fifth of a second for each guess */
    SECRET_LOG2_LEAST = 10,
    SECRET_LOG2_MOST = 20, /* a damaged number must not ask for more than 1 GiB */
    SECRET_KEY_BYTES = 32,
    SECRET_NONCE_BYTES = 12,
    SECRET_NONCE_ROOM = 16,
    SECRET_TAG_BYTES = 16,
    SECRET_BODY_MAX = SECRET_NAMES_MAX * (4 + SECRET_FIELDS_MAX * (4 + SECRET_FIELD_BYTES)),
};
struct secret_entry {
    struct secret_clear clear;
    uint32_t field_count, reserved;
    struct secret_field field[SECRET_FIELDS_MAX];
};
struct secrets {
    struct secret_head head;
    uint8_t key[SECRET_KEY_BYTES];
    struct secret_entry entry[SECRET_NAMES_MAX];
    uint8_t body[SECRET_BODY_MAX]; /* while it is sealed or opened */
};

static inline size_t secret_body_at(const struct secret_head *h)
{
    return sizeof *h + (size_t)h->count * sizeof(struct secret_clear) + SECRET_NONCE_ROOM;
}
void secret_wipe(void *p, size_t count);
MUST_USE struct result secret_derive(const struct secret_head *h, const char *password,
                                     uint8_t key[SECRET_KEY_BYTES], struct trail *tr);
/* file: head, names and nonce are in it; the body comes from s->body and goes there sealed. */
MUST_USE struct result secret_lock(const struct secrets *s, uint8_t *file, struct trail *tr);
/* false: the seal does not hold. */
bool secret_unlock(const struct secrets *s, const uint8_t *file, uint8_t *body);
#endif
