/* SPDX-License-Identifier: Apache-2.0
 *
 * See tap.h. The facts lie in memory of their own pages: a tap that nobody fills costs address
 * space only. `put` is stored after the fact it counts and loaded before the facts it allows, which
 * is all that the two threads share; a ring would make the engine look at where the reader is.
 */
#include "flow/tap.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "base/must.h"

static_assert(sizeof(struct fact_bar) <= TAP_PAYLOAD_BYTES, "a bar fits");
static_assert(sizeof(struct fact_trade) <= TAP_PAYLOAD_BYTES, "a trade fits");
static_assert(sizeof(struct fact_quote) <= TAP_PAYLOAD_BYTES, "a quote fits");
static_assert(sizeof(struct fact_tick) <= TAP_PAYLOAD_BYTES, "a tick fits");
static_assert(sizeof(struct fact_position) <= TAP_PAYLOAD_BYTES, "a position fits");

struct result tap_new(struct tap **out, struct trail *tr)
{
    *out = NULL;
    void *p =
        mmap(NULL, sizeof(struct tap), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return FAIL(tr, FULL, "no memory to let a new build listen in (%zu bytes): %s; free some",
                    sizeof(struct tap), strerror(errno));
    *out = p;
    return OK_RESULT;
}

void tap_free(struct tap *t)
{
    if (t != NULL)
        munmap(t, sizeof *t);
}

void tap_reset(struct tap *t, uint64_t from_seq)
{
    t->from_seq = from_seq;
    atomic_store(&t->is_full, 0);
    atomic_store(&t->put, 0);
}

void tap_put(struct tap *t, const struct fact_head *head, const void *payload)
{
    switch (head->type) {
    case FACT_BAR:
    case FACT_TRADE:
    case FACT_QUOTE:
    case FACT_TICK:
    case FACT_POSITION:
        break;
    default:
        return;
    }
    const uint32_t at = atomic_load_explicit(&t->put, memory_order_relaxed);
    if (at == TAP_FACTS_MAX) {
        atomic_store_explicit(&t->is_full, 1, memory_order_release);
        return;
    }
    must(head->bytes <= TAP_PAYLOAD_BYTES);
    must(head->seq > t->from_seq);
    t->fact[at].head = *head;
    memcpy(t->fact[at].payload, payload, head->bytes);
    atomic_store_explicit(&t->put, at + 1, memory_order_release);
}
