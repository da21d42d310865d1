/* SPDX-License-Identifier: Apache-2.0
 *
 * Eight strategies on one instrument: through belief and their bays, answers asked for after each
 * event as the engine does, and by their bare pointers. The event is one that they ignore, so that
 * nothing but the way to them is measured.
 */
#include "dispatch.h"
#include <stdlib.h>
#include "desk.h"
#include "flow/belief.h"

enum { EVENTS = 200000 }; /* in a round */

static const union tn_number params[] = {{.i = JOB_LARGE_PPM}, {.i = JOB_SMALL_PPM}};
static const struct desk_node node[] = {{TENON_BENCH_DIR, "flip.so", params}};

struct audience {
    struct belief *belief;
    struct bay *bay[DISPATCH_STRATEGIES];
    void *inst[DISPATCH_STRATEGIES];
    const struct tn_strategy_ops *ops;
};

static void *give_memory(void *self, uint64_t bytes)
{
    (void)self;
    return calloc(1, bytes);
}

static void open_audience(struct audience *a)
{
    struct trail tr = {0};
    struct bay_module *m = NULL;
    struct tn_host host = {.size = sizeof host, .alloc = give_memory};
    struct tn_create c = {.size = sizeof c, .param_count = 2, .params = params};
    must(is_ok(bay_load(TENON_BENCH_DIR "/flip.so", NULL, &m, &tr)));
    must(is_ok(belief_new(DISPATCH_STRATEGIES, &a->belief, &tr)));
    a->ops = bay_module_entry(m)->ops;
    for (uint32_t k = 0; k < DISPATCH_STRATEGIES; k++) {
        struct belief_route route = {.strategy = k + 1, .instrument = 1};
        a->bay[k] = desk_bay(node, 1);
        must(is_ok(belief_add(a->belief, a->bay[k], &route, &tr)));
        must(a->ops->base.create(&host, &c, &a->inst[k]) == TN_OK);
        must(a->ops->base.activate(a->inst[k]) == TN_OK);
    }
    must(is_ok(belief_activate(a->belief, &tr)));
}

static void close_audience(struct audience *a)
{
    belief_free(a->belief);
    for (uint32_t k = 0; k < DISPATCH_STRATEGIES; k++) {
        a->bay[k]->ops->stop(a->bay[k]);
        a->ops->base.deactivate(a->inst[k]);
        a->ops->base.destroy(a->inst[k]);
        free(a->inst[k]);
    }
}

static double by_belief(struct audience *a, uint64_t *seq)
{
    struct fact_head head = {.bytes = sizeof(struct fact_bar), .type = FACT_BAR, .version = 1};
    struct fact_bar bar = {.instrument = 1, .open = 1, .high = 1, .low = 1, .close = 1};
    struct belief_answer answer;
    int64_t from = rounds_cpu_ns();
    for (uint32_t i = 0; i < EVENTS; i++) {
        head.seq = ++*seq;
        head.t_ns = (int64_t)head.seq;
        belief_event(a->belief, &head, &bar);
        must(!belief_take(a->belief, &answer));
    }
    return (double)(rounds_cpu_ns() - from) / EVENTS / DISPATCH_STRATEGIES;
}

static double by_pointer(struct audience *a, uint64_t *seq)
{
    struct tn_event ev = {.size = sizeof ev, .type = TN_EVENT_BAR, .instrument = 1};
    struct tn_inputs in = {.size = sizeof in};
    struct tn_signals out = {.size = sizeof out};
    int64_t from = rounds_cpu_ns();
    for (uint32_t i = 0; i < EVENTS; i++) {
        ev.seq = ++*seq;
        ev.t_ns = (int64_t)ev.seq;
        for (uint32_t k = 0; k < DISPATCH_STRATEGIES; k++)
            must(a->ops->on_events(a->inst[k], &ev, 1, &in, &out) == TN_OK);
    }
    return (double)(rounds_cpu_ns() - from) / EVENTS / DISPATCH_STRATEGIES;
}

void dispatch_run(uint32_t rounds, struct rounds *host, struct rounds *limit)
{
    struct audience a;
    uint64_t seq = 0;
    open_audience(&a);
    for (uint32_t r = 0; r < rounds; r++) {
        rounds_add(host, by_belief(&a, &seq));
        rounds_add(limit, by_pointer(&a, &seq));
    }
    close_audience(&a);
}
