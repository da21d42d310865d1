/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups in memory, for backtests, replay and tests: the same groups, the same chain, no disk.
 * A group's bytes never move once stored, so a reader in another thread needs the lock only to
 * find them; that is how a run can be replayed from the journal that is still open.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "journal/journal.h"

struct memory_group {
    void *bytes;
    size_t count;
};
struct memory {
    struct journal_store store; /* first: the store is the object */
    pthread_mutex_t lock;
    struct memory_group *group;
    size_t count, room;
    uint64_t first; /* index of group[0] */
};

static struct memory *of(struct journal_store *s)
{
    return (struct memory *)s;
}

static struct result make_room(struct memory *m, struct trail *tr)
{
    if (m->count < m->room)
        return OK_RESULT;
    const size_t room = m->room ? 2 * m->room : 1024;
    void *more = realloc(m->group, room * sizeof *m->group);
    if (!more)
        return FAIL(tr, FULL, "no memory for %zu journal groups", room);
    m->group = more;
    m->room = room;
    return OK_RESULT;
}

static struct result put(struct memory *m, uint64_t index, const void *bytes, size_t count,
                         struct trail *tr)
{
    if (m->count == 0)
        m->first = index;
    const uint64_t last = m->first + m->count - 1;
    must(index == last + 1 || (m->count > 0 && index == last));
    void *copy = malloc(count);
    if (!copy)
        return FAIL(tr, FULL, "no memory for a journal group of %zu bytes", count);
    memcpy(copy, bytes, count);
    if (m->count > 0 && index == last) {
        free(m->group[m->count - 1].bytes);
        m->count--;
    }
    struct result r = make_room(m, tr);
    if (!is_ok(r)) {
        free(copy);
        return r;
    }
    m->group[m->count++] = (struct memory_group){.bytes = copy, .count = count};
    return OK_RESULT;
}

static struct result memory_append(struct journal_store *s, uint64_t index, const void *bytes,
                                   size_t count, bool sync, struct trail *tr)
{
    struct memory *m = of(s);
    (void)sync; /* memory is as durable as it gets */
    pthread_mutex_lock(&m->lock);
    struct result r = put(m, index, bytes, count, tr);
    pthread_mutex_unlock(&m->lock);
    return r;
}

static struct result memory_sync(struct journal_store *s, struct trail *tr)
{
    (void)s;
    (void)tr;
    return OK_RESULT;
}

static struct result memory_read(struct journal_store *s, uint64_t index, const void **bytes,
                                 size_t *count, struct trail *tr)
{
    struct memory *m = of(s);
    struct result r = OK_RESULT;
    pthread_mutex_lock(&m->lock);
    if (m->count == 0 || index >= m->first + m->count) {
        r = RESULT_OF(END);
    } else if (index < m->first) {
        r = FAIL(tr, CORRUPT, "group %" PRIu64 " is missing: the first one kept is %" PRIu64, index,
                 m->first);
    } else {
        *bytes = m->group[index - m->first].bytes;
        *count = m->group[index - m->first].count;
    }
    pthread_mutex_unlock(&m->lock);
    return r;
}

static struct result memory_bounds(struct journal_store *s, uint64_t *first, uint64_t *last,
                                   struct trail *tr)
{
    struct memory *m = of(s);
    (void)tr;
    pthread_mutex_lock(&m->lock);
    *first = m->count ? m->first : 1;
    *last = *first + m->count - 1;
    pthread_mutex_unlock(&m->lock);
    return OK_RESULT;
}

static struct result memory_checkpoint(struct journal_store *s, const char *dir, struct trail *tr)
{
    (void)s;
    return FAIL(tr, STATE, "a journal in memory cannot be copied to %s: use a journal on disk",
                dir);
}

static struct result memory_drop_before(struct journal_store *s, uint64_t index, struct trail *tr)
{
    struct memory *m = of(s);
    (void)tr;
    pthread_mutex_lock(&m->lock);
    size_t n = 0;
    while (n < m->count && m->first + n < index)
        free(m->group[n++].bytes);
    memmove(m->group, m->group + n, (m->count - n) * sizeof *m->group);
    m->count -= n;
    m->first += n;
    pthread_mutex_unlock(&m->lock);
    return OK_RESULT;
}

static void memory_close(struct journal_store *s)
{
    struct memory *m = of(s);
    for (size_t i = 0; i < m->count; i++)
        free(m->group[i].bytes);
    free(m->group);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static const struct journal_store_ops memory_ops = {
    .name = "memory",
    .append = memory_append,
    .sync = memory_sync,
    .read = memory_read,
    .bounds = memory_bounds,
    .checkpoint = memory_checkpoint,
    .drop_before = memory_drop_before,
    .close = memory_close,
};

struct result journal_store_memory(struct journal_store **out)
{
    struct memory *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m)
        return RESULT_OF(FULL);
    m->store.ops = &memory_ops;
    pthread_mutex_init(&m->lock, NULL);
    *out = &m->store;
    return OK_RESULT;
}
