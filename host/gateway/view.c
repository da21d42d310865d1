/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer fills its own slot and exchanges it with the one between; the reader exchanges its
 * slot with the one between when that is fresh. Each exchange is one atomic operation with
 * acquire and release, so the three indices are always a permutation and no slot has two owners.
 * A sequence lock would be smaller, but its reader may have to read a torn copy again and again
 * while the core publishes.
 */
#include "gateway/view.h"
#include <string.h>
#include "base/must.h"

void view_init(struct view *v)
{
    memset(v, 0, sizeof *v);
    v->reading = 1;
    atomic_init(&v->between, 2);
}

void view_put(struct view *v, const struct gateway_view *from)
{
    must(v->writing < 3);
    must(from->position_count <= GATEWAY_POSITIONS_MAX &&
         from->instrument_count <= GATEWAY_INSTRUMENTS_MAX &&
         from->strategy_count <= GATEWAY_STRATEGIES_MAX &&
         from->account_count <= GATEWAY_ACCOUNTS_MAX);
    memcpy(&v->slot[v->writing], from, sizeof *from);
    uint32_t old =
        atomic_exchange_explicit(&v->between, v->writing | VIEW_FRESH, memory_order_acq_rel);
    v->writing = old & ~(uint32_t)VIEW_FRESH;
}

const struct gateway_view *view_get(struct view *v)
{
    if (atomic_load_explicit(&v->between, memory_order_relaxed) & VIEW_FRESH) {
        uint32_t old = atomic_exchange_explicit(&v->between, v->reading, memory_order_acq_rel);
        v->reading = old & ~(uint32_t)VIEW_FRESH;
        v->any = true;
    }
    must(v->reading < 3);
    return v->any ? &v->slot[v->reading] : NULL;
}
