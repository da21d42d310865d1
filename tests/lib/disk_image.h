/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk as a power cut could leave it, rebuilt from the log of the disk shim.
 *
 * The model knows for each file what is surely on the disk (what a sync covered) and what is only
 * on its way, in order. An image keeps the first and some of the second: all of it (the process
 * died, the kernel lived), none of it, a prefix whose last write is torn at a sector, or any subset
 * of its blocks in any order, holes read as zeros. Names are entries of a folder: a created,
 * renamed or unlinked name is sure when its folder was synced (and a created one when its file
 * was); before that each may be there or not. Folders themselves are there from the start.
 */
#ifndef TESTS_DISK_IMAGE_H
#define TESTS_DISK_IMAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct disk;
/* `log`: the shim's log; `base`: the folder as it was before, all of it sure; NULL = empty. */
struct disk *disk_new(const char *log, const char *base);
void disk_free(struct disk *d);
/* Takes the next operation; false at the end. */
bool disk_next(struct disk *d);
uint64_t disk_at(const struct disk *d);    /* operations taken */
bool disk_is_change(const struct disk *d); /* the last one changed or synced something */
/* The newest two numbers that the program wrote to the file `told`, below the root: what it has
 * asked to be kept, and what it was told is durable. */
void disk_told(const struct disk *d, uint64_t *asked, uint64_t *durable);

enum disk_damage {
    DISK_DAMAGE_UNSET = 0,
    DISK_KEPT,   /* all that was written */
    DISK_SYNCED, /* only what is sure */
    DISK_TORN,   /* a prefix in each file, the last write torn */
    DISK_MIXED,  /* any subset, in blocks */
    DISK_DAMAGE_END,
};
/* Writes an image into the folder `to`, which has the root's folders already. */
void disk_write_image(const struct disk *d, enum disk_damage damage, struct rng *rng,
                      const char *to);
#endif
