/* SPDX-License-Identifier: Apache-2.0
 *
 * What the disk shim writes into its log, and the rebuilder (tests/lib/disk_image.h) reads: one
 * struct disk_op per call that changes the watched folder, in the order in which they happened,
 * each followed by its two texts and its bytes. Little-endian, never kept: both ends are of one
 * build.
 */
#ifndef TESTS_DISK_SHIM_H
#define TESTS_DISK_SHIM_H
#include <stdint.h>

/* Environment of the watched program: absolute paths, the log outside the root. */
#define DISK_SHIM_ROOT "TENON_SHIM_ROOT"
#define DISK_SHIM_LOG "TENON_SHIM_LOG"

enum disk_op_kind {
    DISK_OP_UNSET = 0,
    DISK_OP_OPEN, /* handle is path from here on; size: enum disk_open bits */
    DISK_OP_WRITE,
    DISK_OP_TRUNCATE, /* to size */
    DISK_OP_SYNC,     /* of a file or a folder, returned without error */
    DISK_OP_RENAME,   /* path to more */
    DISK_OP_LINK,
    DISK_OP_UNLINK,
};
enum disk_open { DISK_OPEN_CREATED = 1, DISK_OPEN_CUT = 2, DISK_OPEN_FOLDER = 4 };
struct disk_op {
    uint32_t kind, handle;
    uint64_t offset, size;
    uint32_t path_bytes, more_bytes; /* relative to the root, no NUL */
    uint64_t data_bytes;
};
#endif
