/* SPDX-License-Identifier: Apache-2.0
 *
 * Trade ids already booked, so that a fill counts once however often it is reported. A ring of the
 * newest ids with an open-addressing index; when the ring overruns, the time of the newest id
 * forgotten is kept: a fill of an order older than that is asked from the journal's index (LOOKUP)
 * before it is booked, never guessed. Deletion shifts back, so no tombstones gather.
 */
#include "core/state.h"
#include "base/planted.h"

static uint64_t key_of(uint32_t account, uint32_t instrument, uint64_t trade_id)
{
    uint64_t h = trade_id * 0x9e3779b97f4a7c15ull;
    h ^= h >> 29;
    h += ((uint64_t)account << 32 | instrument) * 0xbf58476d1ce4e5b9ull;
    h ^= h >> 32;
    h *= 0x94d049bb133111ebull;
    h ^= h >> 31;
    return h ? h : 1; /* 0 means free */
}

static uint32_t find(const struct core *c, uint64_t key)
{
    uint32_t mask = c->fill_slots - 1;
    uint32_t i = (uint32_t)key & mask;
    while (c->fill_slot[i] != CORE_NONE && c->fill[c->fill_slot[i]].key != key)
        i = (i + 1) & mask;
    return i;
}

bool fills_known(const struct core *c, uint32_t account, uint32_t instrument, uint64_t trade_id)
{
    return !PLANTED(FILL_TWICE) &&
           c->fill_slot[find(c, key_of(account, instrument, trade_id))] != CORE_NONE;
}

static void forget(struct core *c, uint32_t row)
{
    uint32_t mask = c->fill_slots - 1;
    uint32_t hole = find(c, c->fill[row].key);
    must(c->fill_slot[hole] == row);
    if (c->fill[row].t_ns > c->evicted_ns)
        c->evicted_ns = c->fill[row].t_ns;
    uint32_t i = hole;
    for (;;) {
        i = (i + 1) & mask;
        if (c->fill_slot[i] == CORE_NONE)
            break;
        uint32_t home = (uint32_t)c->fill[c->fill_slot[i]].key & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            c->fill_slot[hole] = c->fill_slot[i];
            hole = i;
        }
    }
    c->fill_slot[hole] = CORE_NONE;
    c->fill[row].key = 0;
}

void fills_add(struct core *c, uint32_t account, uint32_t instrument, uint64_t trade_id)
{
    uint64_t key = key_of(account, instrument, trade_id);
    uint32_t row = c->fill_next;
    if (c->fill[row].key != 0)
        forget(c, row);
    c->fill[row] = (struct fill_row){.key = key, .t_ns = c->now_ns};
    uint32_t slot = find(c, key);
    must(c->fill_slot[slot] == CORE_NONE);
    c->fill_slot[slot] = row;
    c->fill_next = row + 1 == c->max.fills ? 0 : row + 1;
}

bool fills_repeat(const struct core *c)
{
    for (uint32_t i = 0; i < c->max.fills; i++) {
        if (c->fill[i].key != 0 && c->fill_slot[find(c, c->fill[i].key)] != i)
            return true;
    }
    return false;
}

void fills_derive(struct core *c)
{
    for (uint32_t i = 0; i < c->fill_slots; i++)
        c->fill_slot[i] = CORE_NONE;
    for (uint32_t i = 0; i < c->max.fills; i++) {
        if (c->fill[i].key != 0)
            c->fill_slot[find(c, c->fill[i].key)] = i;
    }
}
