/* SPDX-License-Identifier: Apache-2.0
 *
 * What a live swap costs, and what it loses (nothing): flips in the core alone, flips of a whole
 * engine under load with plugins whose start and stop hooks take a millisecond, one promotion of 32
 * strategies step by step, and rollbacks end to end.
 *
 *   bench_swap [--flips N]
 *
 * The core's pause is the step that flips (DEPLOY) beside an ordinary event, both between time
 * stamps with the cost of an empty piece taken off. The engine runs as fast as it can over the
 * generated market with a journal on disk; its gap is the wall time from one turn's end to the
 * next's, with swaps going on and without, in turn. What was lost is counted from the journal
 * afterwards, record by record, and the program ends with 1 if anything was.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "desk.h"
#include "flow/lockstep.h"
#include "flow/promoter.h"
#include "flow/throwaway.h"
#include "rounds.h"

enum {
    FLIPS = 1000,
    ORDINARY = 64, /* events between two flips in the core */
    AFTER = 500,   /* turns between two flips of the engine */
    GAPS_MAX = 8000000,
    STRATEGIES = 32,
};

static struct bench {
    uint32_t flips;
    char dir[64], journal[96], heads[96], config[96];
    double ns_per_stamp;
    uint64_t null_stamps;
    struct trail tr;
} bench;

static void ok(struct result r, const char *what)
{
    if (is_ok(r))
        return;
    fprintf(stderr, "bench_swap: %s: %s\n", what, trail_sentence(&bench.tr, r));
    exit(1);
}

static void print_times(const char *name, uint32_t *sample, uint32_t count, const char *note)
{
    if (count == 0)
        return;
    printf("  %-34s p50 %8u  p99 %8u  p99.9 %8u  max %8u ns  %s\n", name,
           rounds_quantile(sample, count, 0.5), rounds_quantile(sample, count, 0.99),
           rounds_quantile(sample, count, 0.999), rounds_quantile(sample, count, 1.0), note);
}

/* ---- the core alone ---- */

static const union tn_number flip_params[] = {{.i = JOB_LARGE_PPM}, {.i = JOB_SMALL_PPM}};
static const struct desk_node flip_node[] = {{TENON_BENCH_DIR, "flip.so", flip_params}};

static void adapter(void *arg, const struct fact_send *s)
{
    struct desk *d = arg;
    if (d->send_count < DESK_SENDS_MAX)
        d->send[d->send_count++] = *s;
}

static uint32_t in_ns(uint64_t stamps)
{
    uint64_t own = stamps > bench.null_stamps ? stamps - bench.null_stamps : 0;
    return (uint32_t)((double)own * bench.ns_per_stamp);
}

/* One event through the core between two stamps. */
static uint32_t timed(struct desk *d, uint16_t type, uint32_t generation, const void *payload,
                      uint32_t bytes)
{
    struct fact_head *head = (struct fact_head *)(void *)d->record;
    *head = (struct fact_head){.bytes = bytes,
                               .seq = ++d->seq,
                               .t_ns = d->t_ns,
                               .type = type,
                               .version = 1,
                               .generation = generation};
    memcpy(head + 1, payload, bytes);
    d->out.bytes = d->record + sizeof *head + bytes;
    uint64_t t0 = rounds_begin();
    core_step(d->core, head, head + 1, &d->out);
    return in_ns(rounds_end() - t0);
}

static void stage_next(struct desk *d, uint32_t serial, const uint8_t sha256[32])
{
    struct fact_stage s = {.serial = serial, .what = FACT_STAGE_BEGIN};
    struct fact_instance i = {.id = 1, .kind = TN_KIND_STRATEGY, .name = "strategy"};
    struct fact_limit l = {.rule = RISK_MAX_QTY, .limit = JOB_MAX_QTY};
    memcpy(s.sha256, sha256, sizeof s.sha256);
    i.sha256[0] = (uint8_t)serial;
    (void)timed(d, FACT_STAGE, 0, &s, sizeof s);
    (void)timed(d, FACT_INSTANCE, serial, &i, sizeof i);
    (void)timed(d, FACT_LIMIT, 0, &l, sizeof l);
    l = (struct fact_limit){.rule = RISK_MAX_VALUE, .limit = JOB_MAX_VALUE};
    (void)timed(d, FACT_LIMIT, 0, &l, sizeof l);
    l = (struct fact_limit){.rule = RISK_POSITION, .limit = JOB_MAX_POSITION};
    (void)timed(d, FACT_LIMIT, 0, &l, sizeof l);
    l = (struct fact_limit){.rule = RISK_EXPOSURE, .limit = JOB_MAX_EXPOSURE_PPM};
    (void)timed(d, FACT_LIMIT, 0, &l, sizeof l);
    s.what = FACT_STAGE_COMMIT;
    s.rows = 5;
    (void)timed(d, FACT_STAGE, 0, &s, sizeof s);
}

static void bench_core(void)
{
    uint32_t *flips = calloc(bench.flips, sizeof *flips);
    uint32_t *quotes = calloc((size_t)bench.flips * ORDINARY, sizeof *quotes);
    struct desk d;
    uint32_t count = 0;
    must(flips != NULL && quotes != NULL);
    desk_open(&d, flip_node, 1, true, NULL);
    d.adapter = adapter;
    for (uint32_t i = 0; i < bench.flips; i++) {
        struct fact_deploy e = {.serial = i + 2};
        memset(e.sha256, (int)(i + 2), sizeof e.sha256);
        e.sha256[1] = (uint8_t)((i + 2) >> 8);
        stage_next(&d, i + 2, e.sha256);
        for (uint32_t k = 0; k < ORDINARY; k++) {
            struct fact_quote q = {.instrument = 1,
                                   .bid = JOB_PRICE - 1 - k % 3,
                                   .bid_qty = 10,
                                   .ask = JOB_PRICE + 1 + k % 3,
                                   .ask_qty = 10,
                                   .quote_no = (uint64_t)i * ORDINARY + k + 1};
            d.t_ns += JOB_QUOTE_NS;
            quotes[count++] = timed(&d, FACT_QUOTE, 0, &q, sizeof q);
        }
        flips[i] = timed(&d, FACT_DEPLOY, 0, &e, sizeof e);
        must(core_serial(d.core) == i + 2);
    }
    printf("core: %u flips, one instance and its limits each, %u quotes between two\n", bench.flips,
           ORDINARY);
    print_times("an ordinary event (quote)", quotes, count, "");
    print_times("the flip (DEPLOY)", flips, bench.flips, "target p50 1000, p99 5000");
    desk_close(&d);
    free(flips);
    free(quotes);
}

/* ---- a whole engine ---- */

static void write_config(const char *version, uint32_t strategies, int64_t spins)
{
    FILE *f = fopen(bench.config, "w");
    must(f != NULL);
    fprintf(f,
            "schema: 1\nhost: bench\nserial: 0\nseed: 11\nswap: {hear: 1s, probation: 24h, "
            "denials: 16}\ncurrencies:\n  USD: {exponent: -8}\naccounts:\n  paper:\n    currency: "
            "USD\n    balance: \"1000000\"\n    simulated: true\n    venue: {profile: plain, "
            "latency_ms: 20, maker_fee_bps: 1, taker_fee_bps: 5}\ninstruments:\n"
            "  COIN:\n    contract: linear\n    price_exponent: -2\n    qty_exponent: -6\n"
            "    tick: \"0.01\"\n    lot: \"0.0001\"\n    multiplier: \"1\"\n    settle: USD\n"
            "    bar: 1m\n    stamp: end\n    session: always\n    degraded_after: 10m\n"
            "    down_after: 1h\ninstances:\n");
    for (uint32_t i = 0; i < strategies; i++)
        fprintf(f,
                "  s%u: {plugin: slow, version: %s, instrument: COIN, bar: 1m, due: 1ms, params: "
                "{spins: %ld, stop_ppm: 20000}}\n",
                i, version, (long)spins);
    fprintf(f, "routes:\n");
    for (uint32_t i = 0; i < strategies; i++)
        fprintf(f,
                "  - {strategy: s%u, instrument: COIN, account: paper, env: paper, budget: "
                "\"1000\"}\n",
                i);
    fprintf(f, "limits:\n  all: {max_order_value: \"21000\", max_exposure_pct: 100, "
               "max_order_qty: 100000, max_position_qty: 100000, max_leverage_x: 3, "
               "max_open_orders: 100, max_messages_per_s: 1000, price_collar_pct: 5}\n");
    must(fclose(f) == 0);
}

static struct bundle *propose(const struct throwaway *t, uint64_t serial, const uint8_t *parent)
{
    struct throwaway_ask a = {
        .path = bench.config, .plugin_dir = TENON_SWAP_DIR, .serial = serial, .parent = parent};
    struct bundle *b = NULL;
    ok(throwaway_propose(t, &a, &b, &bench.tr), "proposal");
    return b;
}

struct run {
    struct lockstep *engine;
    struct throwaway *keys;
    int64_t last_ns;
    uint32_t *gap; /* of the kind of turn that goes on */
    uint32_t gap_count;
};

static void open_run(struct run *r, uint32_t strategies)
{
    memset(r, 0, sizeof *r);
    write_config("1.0.0", strategies, 1500000);
    ok(throwaway_new("bench", &clock_system, &r->keys, &bench.tr), "keys");
    struct bundle *first = propose(r->keys, 1, NULL);
    struct lockstep_options o = {.kind = FACT_RUN_PAPER,
                                 .first = first,
                                 .trust = throwaway_trust(r->keys),
                                 .by = "bench",
                                 .plugin_dir = TENON_SWAP_DIR,
                                 .journal_dir = bench.journal,
                                 .heads_dir = bench.heads,
                                 .clock = &clock_system};
    ok(lockstep_open(&o, &r->engine, &bench.tr), "engine");
    bundle_free(first);
    struct fact_auto on = {.on = 1, .by = "bench"};
    ok(lockstep_command(r->engine, FACT_AUTO, &on, &bench.tr), "auto");
    r->last_ns = rounds_wall_ns();
}

static void turn(struct run *r)
{
    struct result x = lockstep_turn(r->engine, &bench.tr);
    int64_t now = rounds_wall_ns();
    ok(x, "turn");
    if (r->gap != NULL && r->gap_count < GAPS_MAX)
        r->gap[r->gap_count++] =
            (uint32_t)(now - r->last_ns > UINT32_MAX ? UINT32_MAX : now - r->last_ns);
    r->last_ns = now;
}

static uint64_t serial_of(const struct run *r, uint8_t sha256[32])
{
    struct lockstep_promotion p;
    lockstep_promotion(r->engine, &p);
    if (sha256 != NULL)
        memcpy(sha256, p.sha256, 32);
    return p.serial;
}

/* Turns until the active serial is this one. Gives the wall time of it. */
static int64_t until(struct run *r, uint64_t serial)
{
    struct lockstep_answer a;
    int64_t t0 = rounds_wall_ns();
    while (serial_of(r, NULL) != serial) {
        turn(r);
        while (lockstep_take_answer(r->engine, &a))
            if (a.exit != 0) {
                fprintf(stderr, "bench_swap: serial %lu was refused: %s\n", (unsigned long)serial,
                        a.text);
                exit(1);
            }
    }
    return rounds_wall_ns() - t0;
}

static void promote(struct run *r, const char *version, uint32_t strategies, int64_t spins)
{
    uint8_t parent[32];
    uint64_t serial = serial_of(r, parent) + 1;
    write_config(version, strategies, spins);
    struct bundle *b = propose(r->keys, serial, parent);
    r->last_ns = rounds_wall_ns();
    ok(lockstep_hand_over(r->engine, PROMOTER_DEPLOYMENT, b, "bench", serial, &bench.tr),
       "hand over");
}

static void bench_engine(struct run *r)
{
    uint32_t pairs = bench.flips / 2;
    uint32_t *back = calloc(pairs, sizeof *back), *there = calloc(pairs, sizeof *there);
    uint32_t *with = calloc(GAPS_MAX, sizeof *with), *without = calloc(GAPS_MAX, sizeof *without);
    uint32_t with_count = 0, without_count = 0;
    must(back != NULL && there != NULL && with != NULL && without != NULL);
    for (uint32_t i = 0; i < pairs; i++) {
        uint64_t serial = serial_of(r, NULL);
        r->gap = with;
        r->gap_count = with_count;
        promote(r, "1.1.0", 1, 1500000);
        there[i] = (uint32_t)until(r, serial + 1);
        for (uint32_t k = 0; k < AFTER; k++)
            turn(r);
        ok(lockstep_rollback(r->engine, "bench", "", serial + 2, &bench.tr), "rollback");
        back[i] = (uint32_t)until(r, serial + 2);
        for (uint32_t k = 0; k < AFTER; k++)
            turn(r);
        uint32_t turns = r->gap_count - with_count;
        with_count = r->gap_count;
        r->gap = without;
        r->gap_count = without_count;
        for (uint32_t k = 0; k < turns; k++)
            turn(r);
        without_count = r->gap_count;
    }
    printf("engine: %u flips under load, start and stop hooks of about 1 ms each\n", pairs * 2);
    print_times("gap between turns, no swap", without, without_count, "");
    print_times("gap between turns, swapping", with, with_count, "target as without");
    print_times("promotion, handed over to active", there, pairs, "");
    print_times("rollback, asked for to active", back, pairs, "target 5 s");
    free(back);
    free(there);
    free(with);
    free(without);
    r->gap = NULL;
}

/* ---- what was lost ---- */

struct audit {
    uint64_t events, signals, accepted, foreign; /* foreign: accepted from the wrong build */
    uint64_t early, late, repeats, gaps;
    uint64_t flips;
    uint32_t generation[STAGE_INSTANCES_MAX + 1]; /* that reigns now */
    uint64_t flip_seq[STAGE_INSTANCES_MAX + 1];
    uint32_t before[STAGE_INSTANCES_MAX + 1];
    uint64_t last_cause[STAGE_INSTANCES_MAX + 1];
    uint32_t *pause;
};

/* A signal is accepted unless its step said otherwise: so it is judged at the next event. */
static void judge(struct audit *a, const struct fact_view *v, bool was_refused)
{
    const struct fact_signal *s = &v->u.fact_signal;
    uint32_t i = s->instance;
    bool is_new = v->head.cause_seq > a->flip_seq[i];
    uint32_t reigns = is_new ? a->generation[i] : a->before[i];
    double early, late;
    a->signals++;
    memcpy(&early, &s->reason[0].value_bits, sizeof early);
    memcpy(&late, &s->reason[1].value_bits, sizeof late);
    a->early += early != 0;
    a->late += late != 0;
    if (was_refused) {
        a->foreign += reigns == v->head.generation;
        return;
    }
    a->accepted++;
    a->foreign += reigns != v->head.generation;
    a->repeats += v->head.cause_seq == a->last_cause[i];
    a->last_cause[i] = v->head.cause_seq;
}

static void take(struct audit *a, const struct fact_head *head, const void *payload)
{
    static struct fact_view held;
    static bool holds, refused;
    static uint64_t last;
    if (head->sub == 0) {
        if (holds)
            judge(a, &held, refused);
        holds = refused = false;
        a->events++;
        a->gaps += head->seq != last + 1;
        last = head->seq;
    }
    if (head->type == FACT_SIGNAL) {
        held.head = *head;
        memcpy(&held.u, payload, head->bytes);
        holds = true;
    } else if (head->type == FACT_IGNORED) {
        const struct fact_ignored *e = payload;
        refused |= e->why == FACT_IGNORED_NOT_ACCEPTED;
    } else if (head->type == FACT_FLIPPED) {
        const struct fact_flipped *e = payload;
        a->before[e->instance] = e->from;
        a->generation[e->instance] = e->to;
        a->flip_seq[e->instance] = head->seq;
    } else if (head->type == FACT_PROMOTION) {
        const struct fact_promotion *p = payload;
        bool flips = p->flip_seq != 0 && p->why != PROMOTION_WHY_FIRST &&
                     (p->to == PROMOTION_PROBATION || p->to == PROMOTION_PERMANENT);
        if (flips && a->flips < bench.flips)
            a->pause[a->flips++] = (uint32_t)p->pause_ns;
    }
}

static int audit(void)
{
    struct audit a = {.pause = calloc(bench.flips + 1, sizeof *a.pause)};
    struct journal_store *store = NULL;
    struct journal_reader *reader = NULL;
    struct fact_head head;
    const void *payload;
    struct result r;
    must(a.pause != NULL);
    ok(journal_store_rocksdb(bench.journal, false, true, &store, &bench.tr), "journal");
    ok(journal_reader_open(store, &reader, &bench.tr), "journal");
    while (is_ok(r = journal_reader_next(reader, &head, &payload, &bench.tr)))
        take(&a, &head, payload);
    if (r.code != RESULT_END)
        ok(r, "journal");
    journal_reader_close(reader);
    store->ops->close(store);
    uint32_t flips = (uint32_t)a.flips;
    print_times("the flip, step and record", a.pause, flips, "wall time, as journaled");
    printf("  journal: %lu events, %lu missing or doubled; %u flips; %lu signals, %lu accepted, "
           "%lu of the wrong build, %lu twice; events before a start had ended %lu, after a stop "
           "had begun %lu\n",
           (unsigned long)a.events, (unsigned long)a.gaps, flips, (unsigned long)a.signals,
           (unsigned long)a.accepted, (unsigned long)a.foreign, (unsigned long)a.repeats,
           (unsigned long)a.early, (unsigned long)a.late);
    free(a.pause);
    return a.gaps + a.foreign + a.repeats + a.early + a.late == 0 && a.accepted > 0 ? 0 : 1;
}

/* ---- many strategies ---- */

static void bench_many(void)
{
    struct run r;
    struct lockstep_took t;
    struct lockstep_report report;
    open_run(&r, STRATEGIES);
    for (uint32_t k = 0; k < 200000; k++)
        turn(&r);
    promote(&r, "1.1.0", STRATEGIES, 1000);
    int64_t whole = until(&r, 2);
    lockstep_took(r.engine, &t);
    printf("promotion of %u strategies at once: vetted %.1f ms, loaded %.1f ms, warmed %.1f ms, "
           "caught up %.1f ms, heard and flipped in all %.1f ms\n",
           STRATEGIES, (double)t.vet_ns / 1e6, (double)t.load_ns / 1e6, (double)t.warm_ns / 1e6,
           (double)t.catch_up_ns / 1e6, (double)whole / 1e6);
    ok(lockstep_rollback(r.engine, "bench", "", 3, &bench.tr), "rollback");
    int64_t back = until(&r, 3);
    printf("  its rollback, asked for to active: %.2f ms (target 5 s)\n", (double)back / 1e6);
    ok(lockstep_stop(r.engine, &report, &bench.tr), "stop");
    lockstep_free(r.engine);
    throwaway_free(r.keys);
}

/* ---- the folder ---- */

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *f)
{
    (void)s;
    (void)type;
    (void)f;
    return remove(path);
}

static void new_folder(void)
{
    if (bench.dir[0] != 0)
        (void)nftw(bench.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(bench.dir, sizeof bench.dir, "/var/tmp/tenon-bench-swap-XXXXXX");
    must(mkdtemp(bench.dir) != NULL);
    snprintf(bench.journal, sizeof bench.journal, "%s/journal", bench.dir);
    snprintf(bench.heads, sizeof bench.heads, "%s/heads", bench.dir);
    snprintf(bench.config, sizeof bench.config, "%s/slow.yaml", bench.dir);
    must(mkdir(bench.heads, 0700) == 0);
}

int main(int argc, char **argv)
{
    struct run r;
    struct lockstep_report report;
    ok(bay_pin_libm(argv, &bench.tr), "libm");
    bench.flips = FLIPS;
    if (argc == 3 && strcmp(argv[1], "--flips") == 0)
        bench.flips = (uint32_t)strtoul(argv[2], NULL, 10);
    if (bench.flips < 2 || bench.flips > 100000) {
        fprintf(stderr, "usage: bench_swap [--flips N], N from 2 to 100000\n");
        return 64;
    }
    bench.ns_per_stamp = rounds_ns_per_stamp();
    bench.null_stamps = rounds_stamps_of_null();
    bench_core();
    new_folder();
    open_run(&r, 1);
    for (uint32_t k = 0; k < 20000; k++)
        turn(&r);
    bench_engine(&r);
    ok(lockstep_stop(r.engine, &report, &bench.tr), "stop");
    lockstep_free(r.engine);
    throwaway_free(r.keys);
    int code = audit();
    new_folder();
    bench_many();
    (void)nftw(bench.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return code;
}
