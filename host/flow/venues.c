/* SPDX-License-Identifier: Apache-2.0
 *
 * A venue's seed is the run's, moved by account and epoch: no two venues of a run share their luck,
 * and a later epoch does not repeat the one before.
 */
#include "flow/venues.h"
#include <string.h>

struct venue_config venues_config(const struct deploy_doc *d, uint32_t i, uint32_t account,
                                  uint64_t seed, uint64_t epoch)
{
    const struct deploy_venue *v = &d->venue[i];
    return (struct venue_config){.seed = seed * 1000003 + account + epoch * 7919,
                                 .profile = v->profile,
                                 .orders_max = VENUES_ORDERS,
                                 .instruments_max = DEPLOY_INSTRUMENTS_MAX,
                                 .account = account,
                                 .latency_ns = v->latency_ns,
                                 .jitter_ns = v->jitter_ns,
                                 .maker_fee_ppm = v->maker_fee_ppm,
                                 .taker_fee_ppm = v->taker_fee_ppm,
                                 .slippage_ppm = v->slippage_ppm,
                                 .volume_part_ppm = v->volume_part_ppm};
}

/* The generator's params: its defaults, with the data faults that the run asks for. */
static void generator_params(const struct venues_source *s, union tn_number out[TN_MAX_PARAMS])
{
    const struct tn_manifest *m = s->entry->manifest;
    for (uint32_t i = 0; i < m->param_count; i++) {
        out[i] = m->params[i].def;
        if (strcmp(m->params[i].name, "faults_per_day") == 0)
            out[i].f = (double)s->faults_per_day;
    }
}

struct result venues_feed(const struct venues_source *s, struct feed **out, struct trail *tr)
{
    union tn_number params[TN_MAX_PARAMS];
    const struct deploy_doc *d = s->doc;
    struct feed_spec f = {.path = s->data_path,
                          .entry = s->entry,
                          .instrument = d->instrument,
                          .instrument_count = s->data_path ? 1 : d->instrument_count,
                          .stamp = d->stamp[0],
                          .bar_ns = s->data_path ? d->instrument[0].bar_ns : 0,
                          .seed = s->seed,
                          .source = 1};
    if (s->data_path == NULL) {
        generator_params(s, params); /* the feed copies them */
        f.params = params;
    }
    return feed_open(&f, out, tr);
}
