/* SPDX-License-Identifier: Apache-2.0
 *
 * A binary heap of indices over a fixed array; the order is total, so equal inputs leave in one
 * order whatever way they came in.
 */
#include "flow/road_hold.h"
#include <stdlib.h>
#include "base/must.h"

struct result road_hold_open(struct road_hold *h, uint32_t capacity)
{
    *h = (struct road_hold){.capacity = capacity};
    h->held = calloc(capacity, sizeof *h->held);
    h->heap = calloc(capacity, sizeof *h->heap);
    must(h->held != NULL && h->heap != NULL);
    for (uint32_t i = 0; i < capacity; i++)
        h->heap[i] = i;
    return OK_RESULT;
}

void road_hold_close(struct road_hold *h)
{
    free(h->held);
    free(h->heap);
    *h = (struct road_hold){0};
}

bool road_hold_has_room(const struct road_hold *h)
{
    return h->count < h->capacity;
}

static bool before(const struct road_hold *h, uint32_t a, uint32_t b)
{
    const struct road_held *x = &h->held[h->heap[a]], *y = &h->held[h->heap[b]];
    if (x->due_ns != y->due_ns)
        return x->due_ns < y->due_ns;
    if (x->source != y->source)
        return x->source < y->source;
    if (x->tie != y->tie)
        return x->tie < y->tie;
    return x->count < y->count;
}

static void swap(struct road_hold *h, uint32_t a, uint32_t b)
{
    uint32_t t = h->heap[a];
    h->heap[a] = h->heap[b];
    h->heap[b] = t;
}

void road_hold_put(struct road_hold *h, const struct road_held *r)
{
    must(h->count < h->capacity);
    uint32_t i = h->count++;
    h->held[h->heap[i]] = *r;
    h->held[h->heap[i]].count = h->given++;
    for (; i > 0 && before(h, i, (i - 1) / 2); i = (i - 1) / 2)
        swap(h, i, (i - 1) / 2);
}

int64_t road_hold_due(const struct road_hold *h)
{
    return h->count == 0 ? INT64_MAX : h->held[h->heap[0]].due_ns;
}

const struct road_held *road_hold_first(const struct road_hold *h)
{
    must(h->count > 0);
    return &h->held[h->heap[0]];
}

void road_hold_take(struct road_hold *h, struct road_held *out)
{
    *out = *road_hold_first(h);
    h->count--;
    swap(h, 0, h->count);
    for (uint32_t i = 0;;) {
        uint32_t least = i, left = 2 * i + 1, right = 2 * i + 2;
        if (left < h->count && before(h, left, least))
            least = left;
        if (right < h->count && before(h, right, least))
            least = right;
        if (least == i)
            return;
        swap(h, i, least);
        i = least;
    }
}
