/* SPDX-License-Identifier: Apache-2.0
 *
 * The state folder of tenon-egress: one process at a time (flock), the witness's file mapped into
 * memory, and a thread that brings it to the disk. The desk only stores into memory: a disk that
 * hangs or is full delays no order and no kill.
 */
#ifndef EGRESS_STORE_H
#define EGRESS_STORE_H
#include "base/result.h"

/* The folder and all above it, for its owner alone; one that is there is left as it is. */
MUST_USE struct result store_make_folder(const char *folder, struct trail *tr);

struct store;
/* Takes the folder, makes or opens FOLDER/witness of `bytes` bytes, every block of it allocated,
 * and maps it. BUSY: another egress holds it. */
MUST_USE struct result store_open(const char *folder, size_t bytes, struct store **out,
                                  struct trail *tr);
void *store_witness(const struct store *s);
/* Asks the thread to sync now; returns at once. Otherwise it does so each second. */
void store_sync_soon(struct store *s);
/* How often the disk refused; 0 = never. */
uint64_t store_failures(const struct store *s);
void store_close(struct store *s); /* syncs; NULL is let pass */
/* A number that is another one after each boot of the machine. */
MUST_USE struct result store_boot(uint64_t *out, struct trail *tr);
#endif
