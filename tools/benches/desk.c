/* SPDX-License-Identifier: Apache-2.0
 *
 * Setting up is plain; what is measured is inline in desk.h, laid out as flow/lockstep.c does it:
 * the event's record and the effects of its step lie behind each other, ready to be handed over.
 */
#include "desk.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { RECORD_BYTES = CORE_OUT_BYTES + 4096 };

static void need(struct result r, const struct trail *tr)
{
    if (is_ok(r))
        return;
    (void)fprintf(stderr, "bench: %s\n", trail_sentence(tr, r));
    exit(1);
}

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    must(memory != MAP_FAILED);
    return memory;
}

static void set_limit(struct desk *d, uint32_t rule, int64_t value)
{
    struct fact_limit l = {.rule = rule, .limit = value};
    desk_event(d, FACT_LIMIT, &l, sizeof l, 0);
}

static void define_market(struct desk *d)
{
    struct fact_currency usd = {.id = 1, .exp = JOB_MONEY_EXP, .name = "USD"};
    struct fact_instrument in = {.id = 1,
                                 .contract = FACT_LINEAR,
                                 .price_exp = JOB_PRICE_EXP,
                                 .qty_exp = JOB_QTY_EXP,
                                 .tick = JOB_TICK,
                                 .lot = JOB_LOT,
                                 .min_qty = JOB_MIN_QTY,
                                 .multiplier = JOB_MULTIPLIER,
                                 .settle = 1,
                                 .bar_ns = JOB_BAR_NS,
                                 .age_degraded_ns = 10 * JOB_BAR_NS,
                                 .age_down_ns = 60 * JOB_BAR_NS,
                                 .price_max = 100000000,
                                 .symbol = "BENCH"};
    desk_event(d, FACT_CURRENCY, &usd, sizeof usd, 0);
    desk_event(d, FACT_INSTRUMENT, &in, sizeof in, 0);
}

static void configure(struct desk *d, bool auto_on)
{
    struct fact_genesis g = {.journal_id = {1}, .host = "bench", .seed = 1};
    struct fact_account a = {
        .id = 1, .currency = 1, .balance = JOB_BALANCE, .simulated = 1, .name = "paper"};
    struct fact_instance s = {.id = 1, .kind = TN_KIND_STRATEGY, .name = "bench"};
    struct fact_route r = {.strategy = 1, .instrument = 1, .account = 1, .budget = JOB_BUDGET};
    struct fact_deploy deploy = {.serial = 0, .name = "bench"};
    struct fact_start start = {
        .epoch = 1, .core_logic = FACT_CORE_LOGIC, .kind = FACT_RUN_BACKTEST};
    struct fact_auto on = {.on = auto_on, .by = "bench"};
    d->t_ns = JOB_T0_NS;
    desk_event(d, FACT_GENESIS, &g, sizeof g, 0);
    define_market(d);
    desk_event(d, FACT_ACCOUNT, &a, sizeof a, 0);
    desk_event(d, FACT_INSTANCE, &s, sizeof s, 0);
    desk_event(d, FACT_ROUTE, &r, sizeof r, 0);
    set_limit(d, RISK_MAX_QTY, JOB_MAX_QTY);
    set_limit(d, RISK_MAX_VALUE, JOB_MAX_VALUE);
    set_limit(d, RISK_POSITION, JOB_MAX_POSITION);
    set_limit(d, RISK_EXPOSURE, JOB_MAX_EXPOSURE_PPM);
    desk_event(d, FACT_DEPLOY, &deploy, sizeof deploy, 0);
    desk_event(d, FACT_START, &start, sizeof start, 0);
    desk_event(d, FACT_AUTO, &on, sizeof on, 0);
}

static const struct bay_module *load(const struct desk_node *n)
{
    char path[512];
    struct trail tr = {0};
    struct bay_module *m = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", n->dir, n->file);
    need(bay_load(path, NULL, &m, &tr), &tr);
    return m;
}

struct bay *desk_bay(const struct desk_node *node, uint32_t nodes)
{
    struct trail tr = {0};
    struct bay *bay = NULL;
    struct bay_spec spec = {.instrument = {.size = sizeof spec.instrument,
                                           .id = 1,
                                           .price_exp = JOB_PRICE_EXP,
                                           .qty_exp = JOB_QTY_EXP,
                                           .tick = JOB_TICK,
                                           .lot = JOB_LOT,
                                           .price_scale = 0.01,
                                           .qty_scale = 0.001,
                                           .symbol = "BENCH"},
                            .bar_ns = JOB_BAR_NS,
                            .seed = 1,
                            .node_count = nodes};
    for (uint32_t i = 0; i < nodes; i++) {
        bool last = i + 1 == nodes;
        spec.node[i] = (struct bay_instance_spec){
            .id = last ? 1 : i + 2, .module = load(&node[i]), .params = node[i].params};
        for (uint32_t k = 0; last && k < i; k++)
            spec.node[i].input_node[k] = k;
    }
    need(bay_inline_new(&spec, NULL, &bay, &tr), &tr);
    return bay;
}

static void __attribute__((noinline)) keep(void *arg, const struct fact_send *s)
{
    struct desk *d = arg;
    must(d->send_count < DESK_SENDS_MAX);
    d->send[d->send_count++] = *s;
}

void desk_open(struct desk *d, const struct desk_node *node, uint32_t nodes, bool auto_on,
               struct journal *journal)
{
    struct core_limits sizes = {0};
    struct trail tr = {0};
    size_t bytes = core_bytes(&sizes);
    memset(d, 0, sizeof *d);
    d->memory = map(bytes);
    d->core = core_init(d->memory, bytes, &sizes);
    d->record = map(RECORD_BYTES);
    d->out.capacity = CORE_OUT_BYTES;
    d->adapter = keep;
    d->journal = journal;
    d->bay = desk_bay(node, nodes);
    need(d->bay->ops->activate(d->bay, &tr), &tr);
    configure(d, auto_on);
}

void desk_close(struct desk *d)
{
    struct core_limits sizes = {0};
    d->bay->ops->stop(d->bay);
    (void)munmap(d->memory, core_bytes(&sizes));
    (void)munmap(d->record, RECORD_BYTES);
}

/* What a fill costs: fee_ppm of its value, rounded up to a whole unit of money, as is the value. */
static int64_t fee_of(int64_t price, int64_t qty, int64_t fee_ppm)
{
    int64_t value = (price * qty + 999) / 1000;
    return (value * fee_ppm + TN_ONE_PPM - 1) / TN_ONE_PPM;
}

void desk_fill(struct desk *d, int64_t price, int64_t fee_ppm)
{
    for (uint32_t i = 0; i < d->send_count; i++) {
        const struct fact_send *s = &d->send[i];
        struct fact_sent sent = {.order = s->order, .attempt = 1, .what = FACT_SENT_OK};
        struct fact_exec e = {.order = s->order,
                              .venue_order = ++d->venue_order,
                              .kind = FACT_EXEC_NEW,
                              .instrument = 1,
                              .account = 1,
                              .side = s->side,
                              .leaves_qty = s->qty,
                              .venue_ns = d->t_ns};
        uint64_t cause = s->order >> JOB_INTENT_SHIFT;
        desk_event(d, FACT_SENT, &sent, sizeof sent, cause);
        desk_event(d, FACT_EXEC, &e, sizeof e, cause);
        e.kind = FACT_EXEC_TRADE;
        e.trade_id = ++d->trade_id;
        e.last_qty = e.cum_qty = s->qty;
        e.last_price = price;
        e.leaves_qty = 0;
        e.fee = fee_of(price, s->qty, fee_ppm);
        e.liquidity = FACT_TAKER;
        desk_event(d, FACT_EXEC, &e, sizeof e, cause);
        desk_orders(d);
    }
    d->send_count = 0;
}
