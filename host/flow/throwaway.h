/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys made on the spot and thrown away with the process: a trust document of three people who are
 * this run, and their signatures. The demo and `run --throwaway-keys` use them, so that a paper run
 * takes the very road of a signed one. Such a trust document says so, counts only for accounts at a
 * simulated venue, and can never be followed by, or follow, another one.
 */
#ifndef FLOW_THROWAWAY_H
#define FLOW_THROWAWAY_H
#include "base/bundle.h"
#include "base/clock.h"
#include "deploy/trust.h"

struct throwaway; /* heap */
MUST_USE struct result throwaway_new(const char *host, const struct clock *clock,
                                     struct throwaway **out, struct trail *tr);
void throwaway_free(struct throwaway *t); /* wipes the keys; NULL is let pass */
/* The signed trust document; borrowed. */
const struct bundle *throwaway_trust(const struct throwaway *t);
/* A deployment's text with its signatures; the caller frees it. */
MUST_USE struct result throwaway_sign(const struct throwaway *t, const char *text, size_t count,
                                      const char *name, uint64_t serial, struct bundle **out,
                                      struct trail *tr);

/* From an author's file to the signed deployment of this serial, pins from plugin_dir. `symbol` and
 * `instruments` as in compose_proposal. */
struct throwaway_ask {
    const char *path, *instruments, *symbol, *plugin_dir;
    uint64_t serial;
    const uint8_t *parent; /* NULL: zeros */
};
MUST_USE struct result throwaway_propose(const struct throwaway *t, const struct throwaway_ask *a,
                                         struct bundle **out, struct trail *tr);
#endif
