/* SPDX-License-Identifier: Apache-2.0
 *
 * The venue's ledger on disk: an append-only file of text lines, each with its own CRC and a hash
 * that covers every line before it:  TEXT #CCCCCCCCHHHHHHHHHHHHHHHH
 *
 * Opening reads all of it. A last piece that is torn (a line without its end, or one that does not
 * match) is cut; damage before intact lines refuses the start, since what was acknowledged is gone.
 * Lines become durable together at booklog_sync: whoever answers a request syncs before it answers.
 */
#ifndef HOUSE_BOOKLOG_H
#define HOUSE_BOOKLOG_H
#include "base/hash.h"
#include "base/result.h"

enum { BOOKLOG_LINE_MAX = 600 };

struct booklog;
/* Takes each line that is there, oldest first, without its sums; a failure ends the reading. */
struct booklog_reader {
    void *arg;
    struct result (*line)(void *arg, uint64_t number, char *text, struct trail *tr);
};

/* Opens or makes it, for one writer (locked). cut_bytes: what was torn. */
MUST_USE struct result booklog_open(const char *path, const struct booklog_reader *reader,
                                    struct booklog **out, uint64_t *cut_bytes, struct trail *tr);
void booklog_close(struct booklog *b); /* NULL is let pass; syncs */
/* Appends in memory. The first failure of the disk stays: see booklog_sync. */
void booklog_put(struct booklog *b, const char *text, size_t count);
/* Writes and syncs what was appended; nothing to do when there is nothing. */
MUST_USE struct result booklog_sync(struct booklog *b, struct trail *tr);
uint64_t booklog_lines(const struct booklog *b);
uint64_t booklog_syncs(const struct booklog *b);

/* Reads a ledger that another process may be writing: the same lines; what is torn is let pass. */
MUST_USE struct result booklog_read(const char *path, const struct booklog_reader *reader,
                                    uint64_t *cut_bytes, struct trail *tr);
#endif
