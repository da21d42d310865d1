/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and folders of a host: the shipped configurations, and the folders it makes or takes.
 */
#ifndef DAEMON_PLACES_H
#define DAEMON_PLACES_H
#include "base/result.h"
#include "gateway/paths.h"

/* A shipped configuration by its name. */
MUST_USE struct result places_default(const char *name, char out[PATHS_BYTES], struct trail *tr);
/* As root: the folder is empty, or bears `mark`, a file that only this kind of folder has. */
MUST_USE struct result places_check(const char *path, const char *mark, struct trail *tr);
/* The folder and those above it. */
MUST_USE struct result places_make(const char *path, struct trail *tr);
#endif
