/* SPDX-License-Identifier: Apache-2.0
 *
 * A file's bytes, unpacked: plain, gzip or zstd by their first bytes, whatever the name says. The
 * file must be a plain regular one: no symlink, pipe, folder or device. Bounded: total size, and
 * ratio to what was read (a bomb). One thread.
 */
#ifndef FLOW_UNPACK_H
#define FLOW_UNPACK_H
#include "base/result.h"

struct unpack;
/* Opens and hashes the file. bytes_max 0 = 8 GiB. */
MUST_USE struct result unpack_open(const char *path, uint64_t bytes_max, struct unpack **out,
                                   struct trail *tr);
void unpack_close(struct unpack *u); /* NULL is let pass */
/* At most `room` next bytes into out; *count 0 = the end of the file, complete and unchanged. */
MUST_USE struct result unpack_read(struct unpack *u, uint8_t *out, size_t room, size_t *count,
                                   struct trail *tr);
const uint8_t *unpack_sha256(const struct unpack *u);
uint64_t unpack_bytes(const struct unpack *u); /* given so far */
#endif
