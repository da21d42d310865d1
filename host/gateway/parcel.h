/* SPDX-License-Identifier: Apache-2.0
 *
 * A bundle (a file and its signature files) as JSON on the wire:
 *     {"file": {"name", "base64"}, "signatures": [{"name", "base64"}, ...]}
 * Base64 and not text, because what people signed is bytes, and JSON would change some of them.
 *
 * The limit of the file is over what a deployment may have, so that the host itself refuses, and
 * journals, what is too large; only what no frame could carry is refused before. Any thread.
 */
#ifndef GATEWAY_PARCEL_H
#define GATEWAY_PARCEL_H
#include <jansson.h>
#include "base/bundle.h"
#include "base/result.h"

enum { PARCEL_FILE_MAX = 600 * 1024, PARCEL_SIGNATURE_MAX = 4 * 1024 };
/* TOO_LARGE with a sentence when a part is too large to be sent; the host checks it again. */
MUST_USE struct result parcel_check(const struct bundle *b, struct trail *tr);
/* New reference; NULL only without memory. Names are escaped and cut. */
json_t *parcel_json(const struct bundle *b);
/* The other way round, strictly: *out is new, or NULL and a failure. */
MUST_USE struct result parcel_read(const json_t *object, struct bundle **out, struct trail *tr);
#endif
