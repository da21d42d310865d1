/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal's disk in memory, behind the storage seam. What append returned for is there for
 * good; the group that was being written in a crash is there whole, is not there, or is there
 * damaged, by chance, as a log whose last entry was torn. It fails when told to.
 */
#include "tests/sim/sim.h"
#include <stdlib.h>
#include <string.h>

struct stored {
    uint8_t *bytes;
    size_t count;
};
struct simdisk {
    struct stored *group; /* [index - 1] */
    uint64_t count, room;
    struct stored flight; /* being written */
    uint64_t flight_index;
    int32_t fail_with;
};
struct view {
    struct journal_store store; /* first */
    struct simdisk *disk;
};

static struct simdisk *of(struct journal_store *s)
{
    return ((struct view *)s)->disk;
}

static void put(struct simdisk *d, uint64_t index, const void *bytes, size_t count)
{
    if (d->count == d->room) {
        d->room = d->room ? 2 * d->room : 256;
        d->group = realloc(d->group, d->room * sizeof *d->group);
        must(d->group != NULL);
    }
    if (index <= d->count) { /* a retry, or over a torn end */
        must(index == d->count);
        free(d->group[--d->count].bytes);
    }
    must(index == d->count + 1);
    struct stored *g = &d->group[d->count++];
    g->count = count;
    g->bytes = malloc(count);
    must(g->bytes != NULL);
    memcpy(g->bytes, bytes, count);
}

static void land(struct simdisk *d)
{
    free(d->flight.bytes);
    d->flight = (struct stored){NULL, 0};
    d->flight_index = 0;
}

static struct result append(struct journal_store *s, uint64_t index, const void *bytes,
                            size_t count, bool sync, struct trail *tr)
{
    struct simdisk *d = of(s);
    (void)sync;
    if (d->fail_with != 0) {
        struct result r = {.code = d->fail_with};
        return FAIL_AS(tr, r, "the simulated disk fails as told");
    }
    land(d);
    put(d, index, bytes, count);
    return OK_RESULT;
}

static struct result sync_all(struct journal_store *s, struct trail *tr)
{
    (void)s;
    (void)tr;
    return OK_RESULT;
}

static struct result read_one(struct journal_store *s, uint64_t index, const void **bytes,
                              size_t *count, struct trail *tr)
{
    const struct simdisk *d = of(s);
    if (index > d->count)
        return RESULT_OF(END);
    if (index == 0)
        return FAIL(tr, CORRUPT, "there is no group 0");
    *bytes = d->group[index - 1].bytes;
    *count = d->group[index - 1].count;
    return OK_RESULT;
}

static struct result bounds(struct journal_store *s, uint64_t *first, uint64_t *last,
                            struct trail *tr)
{
    (void)tr;
    *first = 1;
    *last = of(s)->count;
    return OK_RESULT;
}

static void close_view(struct journal_store *s)
{
    free(s);
}

static const struct journal_store_ops ops = {.name = "simulated",
                                             .append = append,
                                             .sync = sync_all,
                                             .read = read_one,
                                             .bounds = bounds,
                                             .close = close_view};

struct simdisk *simdisk_new(void)
{
    struct simdisk *d = calloc(1, sizeof *d);
    must(d != NULL);
    return d;
}

void simdisk_free(struct simdisk *d)
{
    land(d);
    for (uint64_t i = 0; i < d->count; i++)
        free(d->group[i].bytes);
    free(d->group);
    free(d);
}

struct journal_store *simdisk_open(struct simdisk *d)
{
    struct view *v = calloc(1, sizeof *v);
    must(v != NULL);
    v->store.ops = &ops;
    v->disk = d;
    return &v->store;
}

void simdisk_begin(struct simdisk *d, uint64_t index, const void *bytes, size_t count)
{
    land(d);
    d->flight_index = index;
    d->flight.count = count;
    d->flight.bytes = malloc(count);
    must(d->flight.bytes != NULL);
    memcpy(d->flight.bytes, bytes, count);
}

void simdisk_crash(struct simdisk *d, struct rng *r)
{
    const uint64_t fate = rng_below(r, 3);
    if (d->flight.bytes && fate > 0) {
        /* Cut. (Other damage does not get past the sums of the real store's log.) */
        if (fate == 2)
            d->flight.count = 1 + (size_t)rng_below(r, d->flight.count - 1);
        put(d, d->flight_index, d->flight.bytes, d->flight.count);
    }
    land(d);
}

void simdisk_fail(struct simdisk *d, int32_t code)
{
    d->fail_with = code;
}
