/* SPDX-License-Identifier: Apache-2.0
 *
 * What sign.c and sign_secret.c share.
 */
#ifndef DEPLOY_SIGN_PRIV_H
#define DEPLOY_SIGN_PRIV_H
#include "deploy/sign.h"

/* IO: the library has no such algorithm here, or no memory; takes its reason off the queue. */
struct result sign_unable(struct trail *tr, const char *what);
MUST_USE struct result sign_digest(const void *bytes, size_t count, uint8_t out[SIGN_BYTES],
                                   struct trail *tr);
/* Printable ASCII and tabs only. */
bool sign_comment_is_good(const char *text, size_t count);
#endif
