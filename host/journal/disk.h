/* SPDX-License-Identifier: Apache-2.0
 *
 * What the journal asks of files: how full the disk is, and names that survive a power cut.
 */
#ifndef JOURNAL_DISK_H
#define JOURNAL_DISK_H
#include "base/result.h"

/* Millionths in use, as an unprivileged writer sees it. */
MUST_USE struct result disk_used_ppm(const char *path, uint64_t *ppm, struct trail *tr);
/* Syncs a folder, so that a name made or removed in it stays so. */
/* DISK_FULL unless so many bytes are free for us. */
MUST_USE struct result disk_has_room(const char *path, uint64_t bytes, struct trail *tr);
MUST_USE struct result disk_sync_dir(const char *dir, struct trail *tr);
/* Writes all bytes, or says why not. */
MUST_USE struct result disk_write(int fd, const char *path, const void *bytes, size_t count,
                                  struct trail *tr);
/* DISK_FULL for ENOSPC and EDQUOT, else IO. */
struct result disk_error(int error);
#endif
