/* SPDX-License-Identifier: Apache-2.0
 *
 * Why not a log: the witness must be right after each single store without a system call, and its
 * size must not grow while the disk is full.
 */
#include "egress/witness.h"
#include <string.h>
#include "base/hash.h"
#include "base/must.h"

static const uint64_t MAGIC = 0x31535354494e5754ull; /* "TWNITSS1" as it lies */

static uint32_t crc_of(const struct witness_head *h)
{
    return hash_crc32c(0, h, offsetof(struct witness_head, crc));
}

static bool is_whole(const struct witness_head *h)
{
    return h->turn && h->crc == crc_of(h);
}

void witness_read_head(const struct witness *w, struct witness_head *out)
{
    const struct witness_head *a = &w->head[0], *b = &w->head[1];
    bool use_b = is_whole(b) && (!is_whole(a) || b->turn > a->turn);
    *out = use_b ? *b : *a;
    must(is_whole(out));
}

void witness_write_head(struct witness *w, const struct witness_head *h)
{
    struct witness_head now;
    witness_read_head(w, &now);
    uint64_t turn = now.turn + 1;
    now = *h;
    now.turn = turn;
    now.crc = crc_of(&now);
    w->head[turn & 1] = now;
    atomic_thread_fence(memory_order_release);
}

struct result witness_open(struct witness *w, size_t bytes, uint64_t boot, bool *power_lost,
                           struct trail *tr)
{
    *power_lost = false;
    if (bytes < sizeof *w)
        return FAIL(tr, TOO_LARGE, "the witness file has %zu bytes and needs %zu", bytes,
                    sizeof *w);
    if (!w->magic) {
        memset(w, 0, sizeof *w);
        struct witness_head first = {.turn = 2};
        first.crc = crc_of(&first);
        w->head[0] = first;
        w->version = WITNESS_VERSION;
        w->bytes = sizeof *w;
        w->boot = boot;
        atomic_thread_fence(memory_order_release);
        w->magic = MAGIC;
        return OK_RESULT;
    }
    if (w->magic != MAGIC)
        return FAIL(tr, CORRUPT, "the witness file is not one of tenon-egress");
    if (w->version != WITNESS_VERSION || w->bytes != sizeof *w)
        return FAIL(tr, VERSION, "the witness file is of version %u, this program writes %d",
                    w->version, WITNESS_VERSION);
    if (!is_whole(&w->head[0]) && !is_whole(&w->head[1]))
        return FAIL(tr, CORRUPT, "the witness file has no whole head");
    *power_lost = w->boot != boot;
    w->boot = boot;
    return OK_RESULT;
}

static bool is_set(const struct witness_kill *k)
{
    return atomic_load_explicit(&k->is_set, memory_order_acquire) != 0;
}

static struct witness_kill *kill_row(struct witness *w, uint32_t account)
{
    if (!account)
        return &w->kill[0];
    for (uint32_t i = 1; i < WITNESS_KILLS; i++)
        if (is_set(&w->kill[i]) && w->kill[i].kill.account == account)
            return &w->kill[i];
    for (uint32_t i = 1; i < WITNESS_KILLS; i++)
        if (!is_set(&w->kill[i]))
            return &w->kill[i];
    return NULL;
}

bool witness_set_kill(struct witness *w, const struct road_kill *k)
{
    struct witness_kill *row = kill_row(w, k->account);
    bool fits = row != NULL;
    struct road_kill whole = *k;
    if (!fits) {
        row = &w->kill[0];
        whole.account = 0;
    }
    if (is_set(row) && !row->kill.keep_positions)
        whole.keep_positions = 0;
    row->kill = whole;
    atomic_store(&row->is_set, 1);
    return fits;
}

void witness_lift(struct witness *w, uint32_t account)
{
    for (uint32_t i = 0; i < WITNESS_KILLS; i++)
        if (is_set(&w->kill[i]) && (!account || w->kill[i].kill.account == account))
            atomic_store(&w->kill[i].is_set, 0);
}

const struct road_kill *witness_killed(const struct witness *w, uint32_t account)
{
    const struct road_kill *of_all = is_set(&w->kill[0]) ? &w->kill[0].kill : NULL;
    for (uint32_t i = 1; account && i < WITNESS_KILLS; i++) {
        const struct road_kill *own = &w->kill[i].kill;
        if (is_set(&w->kill[i]) && own->account == account && (!of_all || of_all->keep_positions))
            return own;
    }
    return of_all;
}
