/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files that are there whole or not at all: written under a passing name in the same folder,
 * on the disk before they get their own name.
 */
#ifndef TENON_SAVE_H
#define TENON_SAVE_H
#include <sys/types.h>
#include "base/result.h"

/* STATE when something has that name already; it is left alone. */
MUST_USE struct result save_new(const char *path, mode_t mode, const void *bytes, size_t count,
                                struct trail *tr);
/* Takes the place of what has that name. */
MUST_USE struct result save_over(const char *path, mode_t mode, const void *bytes, size_t count,
                                 struct trail *tr);
#endif
