/* SPDX-License-Identifier: Apache-2.0
 *
 * The user ids that bays get: the range that /etc/subuid gives to the host's own user, where a
 * Debian system keeps who may use which ids (subuid(5)). One id is one bay at a time. tools/setup
 * writes the line. Main thread, at start.
 */
#ifndef DAEMON_UIDS_H
#define DAEMON_UIDS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UIDS_FILE "/etc/subuid"
enum { UIDS_MAX = 1024, UIDS_LEAST = 1000 /* ids below are of people and services */ };
struct uids {
    uint32_t first, count;
};
/* The first usable line "user:first:count" of the text. False: none, and *out is empty. A longer
 * range is cut to UIDS_MAX. */
bool uids_parse(const char *text, size_t bytes, const char *user, struct uids *out);
/* The same of the file; false also when it cannot be read. */
bool uids_read(const char *path, const char *user, struct uids *out);
#endif
