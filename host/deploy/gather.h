/* SPDX-License-Identifier: Apache-2.0
 *
 * A file and the signatures that lie beside it, read once: FILE.minisig and every FILE.*.minisig
 * of the same folder, in the order of their names. Nothing is checked but that they are regular
 * files of a bearable size; what they say is judged by whoever gets the bundle.
 */
#ifndef DEPLOY_GATHER_H
#define DEPLOY_GATHER_H
#include "base/bundle.h"
#include "base/result.h"

/* Above what the host parses, so that it refuses and journals a file that is too large for it. */
enum { GATHER_FILE_BYTES = 600 * 1024 };

/* *out is for bundle_free; NULL on failure. path may not be a link. */
MUST_USE struct result gather(const char *path, struct bundle **out, struct trail *tr);
/* The same without signatures. */
MUST_USE struct result gather_file(const char *path, struct bundle **out, struct trail *tr);
#endif
