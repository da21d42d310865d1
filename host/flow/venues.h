/* SPDX-License-Identifier: Apache-2.0
 *
 * From a deployment to a simulated venue and its market: the same for the engine's own venue and
 * for tenon-venue, so that both homes simulate the same.
 */
#ifndef FLOW_VENUES_H
#define FLOW_VENUES_H
#include "bays/bay.h"
#include "deploy/deploy.h"
#include "flow/feed.h"
#include "venue/venue.h"

enum { VENUES_ORDERS = 4096 };

/* The venue of the document's i-th account, which has this id. seed: of the run; epoch: the host's
 * before this one, 0 = none. Ledger and what was before are the caller's to set. */
struct venue_config venues_config(const struct deploy_doc *d, uint32_t i, uint32_t account,
                                  uint64_t seed, uint64_t epoch);

struct venues_source {
    const struct deploy_doc *doc; /* instruments: the first ones, place and id agree */
    const struct tn_entry *entry; /* of source `replay`, or of `synth` without data */
    const char *data_path;        /* NULL: the seeded generator */
    uint64_t seed;
    uint32_t faults_per_day; /* of the generator */
};
MUST_USE struct result venues_feed(const struct venues_source *s, struct feed **out,
                                   struct trail *tr);
#endif
