/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders and fills of all lives of this venue, in memory, found by client id, order id and trade
 * id. Nothing is ever forgotten: a client id that was used is used for ever.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "house/house_priv.h"

enum { FIRST_ROOM = 1024 };

static uint32_t hash_client(const char *client)
{
    return (uint32_t)(hash_fnv64(HASH_FNV64_SEED, client, strlen(client)) >> 16);
}

static uint32_t hash_order(uint64_t order)
{
    return (uint32_t)((order * 0x9e3779b97f4a7c15ull) >> 32);
}

static void put(struct rows_index *x, uint32_t hash, uint32_t row)
{
    uint32_t i = hash & x->mask;
    while (x->at[i] != 0)
        i = (i + 1) & x->mask;
    x->at[i] = row + 1;
}

static void grow_index(struct rows_index *x, uint32_t room)
{
    free(x->at);
    x->mask = room * 4 - 1;
    x->at = calloc(x->mask + 1, sizeof *x->at);
    must(x->at != NULL);
}

static void grow(struct house *h)
{
    h->row_room = h->row_room == 0 ? FIRST_ROOM : h->row_room * 2;
    h->row = realloc(h->row, h->row_room * sizeof *h->row);
    must(h->row != NULL);
    grow_index(&h->by_client, h->row_room);
    grow_index(&h->by_order, h->row_room);
    for (uint32_t i = 0; i < h->row_count; i++) {
        put(&h->by_client, hash_client(h->row[i].client), i);
        put(&h->by_order, hash_order(h->row[i].order), i);
    }
}

struct house_row *rows_add(struct house *h, const char *client, uint64_t order)
{
    must(strlen(client) < HOUSE_CLIENT_BYTES);
    if (h->row_count == h->row_room)
        grow(h);
    struct house_row *r = &h->row[h->row_count];
    memset(r, 0, sizeof *r);
    memcpy(r->client, client, strlen(client));
    r->order = order;
    put(&h->by_client, hash_client(client), h->row_count);
    put(&h->by_order, hash_order(order), h->row_count);
    h->row_count++;
    return r;
}

struct house_row *rows_by_client(const struct house *h, const char *client)
{
    if (h->row_room == 0)
        return NULL;
    for (uint32_t i = hash_client(client) & h->by_client.mask; h->by_client.at[i] != 0;
         i = (i + 1) & h->by_client.mask) {
        struct house_row *r = &h->row[h->by_client.at[i] - 1];
        if (strcmp(r->client, client) == 0)
            return r;
    }
    return NULL;
}

struct house_row *rows_by_order(const struct house *h, uint64_t order)
{
    if (h->row_room == 0)
        return NULL;
    for (uint32_t i = hash_order(order) & h->by_order.mask; h->by_order.at[i] != 0;
         i = (i + 1) & h->by_order.mask) {
        struct house_row *r = &h->row[h->by_order.at[i] - 1];
        if (r->order == order)
            return r;
    }
    return NULL;
}

struct house_fill *rows_fill(struct house *h)
{
    if (h->fill_count == h->fill_room) {
        h->fill_room = h->fill_room == 0 ? FIRST_ROOM : h->fill_room * 2;
        h->fill = realloc(h->fill, h->fill_room * sizeof *h->fill);
        must(h->fill != NULL);
    }
    struct house_fill *f = &h->fill[h->fill_count++];
    memset(f, 0, sizeof *f);
    return f;
}

uint32_t rows_after(const struct house *h, uint64_t trade)
{
    uint32_t low = 0, high = h->fill_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (h->fill[middle].trade <= trade)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t rows_place(const struct house *h, const struct house_row *r)
{
    return (uint32_t)(r - h->row);
}

void rows_free(struct house *h)
{
    free(h->row);
    free(h->fill);
    free(h->by_client.at);
    free(h->by_order.at);
}
