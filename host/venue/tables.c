/* SPDX-License-Identifier: Apache-2.0
 *
 * The venue's tables: heaps of cells by time, orders by id, books by instrument. Fixed memory of
 * the caller, open addressing with linear runs.
 */
#include "venue/venue_priv.h"

static bool is_before(const struct venue_key *a, const struct venue_key *b)
{
    if (a->t_ns != b->t_ns)
        return a->t_ns < b->t_ns;
    return a->order != b->order ? a->order < b->order : a->counter < b->counter;
}

void tables_put(struct venue_heap *h, struct venue_key k)
{
    must(h->count < h->capacity);
    uint32_t i = h->count++;
    while (i > 0) {
        uint32_t up = (i - 1) / 2;
        if (!is_before(&k, &h->at[up]))
            break;
        h->at[i] = h->at[up];
        i = up;
    }
    h->at[i] = k;
}

struct venue_key tables_take(struct venue_heap *h)
{
    must(h->count > 0);
    struct venue_key top = h->at[0];
    struct venue_key k = h->at[--h->count];
    uint32_t i = 0;
    for (;;) {
        uint32_t down = 2 * i + 1;
        if (down >= h->count)
            break;
        if (down + 1 < h->count && is_before(&h->at[down + 1], &h->at[down]))
            down++;
        if (!is_before(&h->at[down], &k))
            break;
        h->at[i] = h->at[down];
        i = down;
    }
    h->at[i] = k;
    return top;
}

/* ---- order index ---- */
static uint32_t hash_id(uint64_t id)
{
    id *= 0x9e3779b97f4a7c15ull;
    return (uint32_t)(id >> 32);
}

uint32_t tables_place(const struct venue *v, uint64_t order)
{
    uint32_t i = hash_id(order) & v->index_mask;
    while (v->index[i] != VENUE_NONE && v->order[v->index[i]].order != order)
        i = (i + 1) & v->index_mask;
    return i;
}

struct venue_order *tables_order(const struct venue *v, uint64_t order)
{
    uint32_t slot = v->index[tables_place(v, order)];
    return slot == VENUE_NONE ? NULL : &v->order[slot];
}

/* Deletion shifts the rest of the run back, so that no tombstones gather. */
void tables_forget(struct venue *v, uint32_t slot)
{
    uint32_t hole = tables_place(v, v->order[slot].order);
    must(v->index[hole] == slot);
    uint32_t i = hole;
    for (;;) {
        i = (i + 1) & v->index_mask;
        if (v->index[i] == VENUE_NONE)
            break;
        uint32_t home = hash_id(v->order[v->index[i]].order) & v->index_mask;
        if (((i - home) & v->index_mask) >= ((i - hole) & v->index_mask)) {
            v->index[hole] = v->index[i];
            hole = i;
        }
    }
    v->index[hole] = VENUE_NONE;
    pool_put(&v->slots, slot);
}

struct venue_book *tables_book(const struct venue *v, uint32_t instrument)
{
    uint32_t i = (instrument * 0x9e3779b1u) & v->book_mask;
    while (v->book_index[i] != VENUE_NONE) {
        if (v->book[v->book_index[i]].def.id == instrument)
            return &v->book[v->book_index[i]];
        i = (i + 1) & v->book_mask;
    }
    return NULL;
}
