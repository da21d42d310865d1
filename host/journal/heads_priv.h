/* SPDX-License-Identifier: Apache-2.0
 *
 * The host key behind the heads: made once, read at each start, used by the commit thread.
 */
#ifndef JOURNAL_HEADS_PRIV_H
#define JOURNAL_HEADS_PRIV_H
#include <openssl/evp.h>
#include "base/result.h"

/* Reads dir/host.key; with `make`, makes it and host.pub when there are no signed heads yet. */
MUST_USE struct result heads_key_open(const char *dir, bool make, EVP_PKEY **out, struct trail *tr);
bool heads_key_sign(EVP_PKEY *key, const void *bytes, size_t count, uint8_t signature[64]);
bool heads_key_verify(EVP_PKEY *key, const void *bytes, size_t count, const uint8_t signature[64]);
#endif
