/* SPDX-License-Identifier: Apache-2.0
 *
 * Giving up root. A program started as root opens what only root may, hands its folders to its own
 * user, and becomes that user for good. Main thread, before other threads start.
 */
#ifndef GATEWAY_PRIVILEGE_H
#define GATEWAY_PRIVILEGE_H
#include "base/result.h"

/* True when the process has root's power to lose. */
bool privilege_is_root(void);
/* The user exists? NOT_FOUND with a sentence when not. */
MUST_USE struct result privilege_user(const char *user, struct trail *tr);
/* Gives a folder and all in it to the user (symbolic links are not followed). */
MUST_USE struct result privilege_give(const char *path, const char *user, struct trail *tr);
/* Could the user read all of these (folders: enter, too)? Asked in a child process that becomes
 * that user; before other threads start. */
bool privilege_can_read(const char *user, const char *const *path, size_t count);
/* Becomes the user: groups, gid, uid, and no way back. Refuses when `must_reach` (may be NULL)
 * cannot be entered and written by that user. */
MUST_USE struct result privilege_drop(const char *user, const char *must_reach, struct trail *tr);
#endif
