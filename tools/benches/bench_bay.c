/* SPDX-License-Identifier: Apache-2.0
 *
 * What a bay of its own process costs, and what it saves.
 *
 *   bench_bay [--events N] [--deaths N] [--steps N] [--instructions]
 *
 *   round trip   an event given until its answer is taken: inline, then a process that spins, looks
 *                for a while, or sleeps at once (R37), with the host on one CPU and the bay on the
 *                other when there are two
 *   death        kill -9 until the host is told, and until the bay is back and knows all it missed
 *   core         steps of the core with another strategy inline, while a hostile bay is given the
 *                same events: its time beside a calm bay's and a null loop's, and the same effects;
 *                with --instructions also the core's instructions, counted by callgrind in a run of
 *                this program for each (the machine's own counters are not everywhere to be had)
 *
 * A round trip is waited for as in a run that goes as fast as it can. Deaths and hostile bays are
 * paced: nobody waits for them.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/hash.h"
#include "bays/process.h"
#include "desk.h"
#include "rounds.h"
#include "tbl/lines.h"

enum {
    EVENTS = 20000,
    WARM = 200,
    DEATHS = 20,
    STEPS = 200000,
    STEP_ROUNDS = 10,
    NULL_TURNS = 2000000,
    LIVE_BARS = 20, /* that a hostile strategy behaves */
    INSTANCE = 3,
    SAMPLES_MAX = 1000000,
};
#define HANG_NS 200000000ll

static struct bench {
    uint32_t events, deaths, steps;
    bool instructions;
    const char *only; /* --core NAME: one run of the core, for callgrind */
    struct spawn *spawn;
    struct trail tr;
    char self[512];
} bench;

static void ok(struct result r, const char *what)
{
    if (is_ok(r))
        return;
    fprintf(stderr, "bench_bay: %s: %s\n", what, trail_sentence(&bench.tr, r));
    exit(1);
}

static struct process_home *open_home(bool is_waited, int64_t answer_ns)
{
    struct process_home *h = NULL;
    const struct process_options o = {.spawn = bench.spawn,
                                      .clock = &clock_system,
                                      .answer_ns = answer_ns,
                                      .is_waited = is_waited};
    ok(process_home_open(&o, &h, &bench.tr), "home");
    return h;
}

/* A strategy of the test fixtures by file, in a process; with `home` NULL inline. */
static struct bay *open_bay(struct process_home *home, const char *file, uint32_t wake)
{
    static union tn_number params[TN_MAX_PARAMS];
    char path[600];
    struct bay_module *m = NULL;
    struct bay *b = NULL;
    snprintf(path, sizeof path, "%s/%s.so", TENON_SWAP_DIR, file);
    ok(bay_load(path, NULL, &m, &bench.tr), file);
    const struct tn_manifest *f = &bay_module_facts(m)->manifest;
    for (uint32_t i = 0; i < f->param_count; i++) {
        params[i] = f->params[i].def;
        if (strcmp(f->params[i].name, "after") == 0)
            params[i].i = LIVE_BARS;
    }
    const struct bay_spec spec = {.bar_ns = JOB_BAR_NS,
                                  .seed = 7,
                                  .instrument = {.size = sizeof spec.instrument,
                                                 .id = 1,
                                                 .tick = 1,
                                                 .lot = 1,
                                                 .price_scale = 1,
                                                 .qty_scale = 1,
                                                 .symbol = "BENCH"},
                                  .node_count = 1,
                                  .node[0] = {.id = INSTANCE, .module = m, .params = params}};
    const struct process_spec p = {.wake = wake, .cpu = rounds_cpus() > 1 ? 1 : SPAWN_ANY_CPU};
    if (home != NULL)
        ok(process_new(home, &spec, &p, &b, &bench.tr), file);
    else
        ok(bay_inline_new(&spec, NULL, &b, &bench.tr), file);
    ok(b->ops->activate(b, &bench.tr), "activate");
    return b;
}

static struct tn_event bar_at(uint64_t i)
{
    const int64_t close = JOB_PRICE + (int64_t)(i % 13) * 3;
    struct tn_event ev = {.size = sizeof ev,
                          .type = TN_EVENT_BAR,
                          .seq = i + 1,
                          .t_ns = JOB_T0_NS + (int64_t)(i + 1) * JOB_BAR_NS,
                          .instrument = 1};
    ev.u.bar = (struct tn_bar){.open_ns = JOB_T0_NS + (int64_t)i * JOB_BAR_NS,
                               .open = close,
                               .high = close + 2,
                               .low = close - 2,
                               .close = close,
                               .volume = 10};
    return ev;
}

/* ---- round trip ---- */

static void print_times(const char *name, uint32_t *ns, uint32_t count, double inline_p50)
{
    const uint32_t p50 = rounds_quantile(ns, count, 0.5);
    printf("  %-10s p50 %8u  p99 %8u  p99.9 %8u  max %9u ns", name, p50,
           rounds_quantile(ns, count, 0.99), rounds_quantile(ns, count, 0.999),
           rounds_quantile(ns, count, 1.0));
    if (inline_p50 > 0)
        printf("  x %.1f of inline", p50 / inline_p50);
    printf("\n");
}

static uint32_t trip(struct bay *b, uint64_t i)
{
    struct bay_answer a;
    const struct tn_event ev = bar_at(i);
    const int64_t t0 = rounds_wall_ns();
    b->ops->give(b, &ev, 1);
    const bool told = b->ops->take(b, &a);
    const int64_t t1 = rounds_wall_ns();
    must(told && a.kind == BAY_SIGNAL && a.cause_seq == i + 1);
    while (b->ops->take(b, &a))
        must(a.kind == BAY_SIGNAL);
    return (uint32_t)(t1 - t0);
}

static double round_trips(struct process_home *home, const char *name, uint32_t wake, double base)
{
    uint32_t *ns = calloc(bench.events, sizeof *ns);
    must(ns != NULL);
    struct bay *b = open_bay(home, "chatty-1.0.0", wake);
    for (uint64_t i = 0; i < WARM; i++)
        (void)trip(b, i);
    for (uint32_t i = 0; i < bench.events; i++)
        ns[i] = trip(b, WARM + i);
    const double p50 = rounds_quantile(ns, bench.events, 0.5);
    print_times(name, ns, bench.events, base);
    b->ops->stop(b);
    free(ns);
    return p50;
}

static void bench_trips(void)
{
    struct process_home *h = open_home(true, 0);
    uint32_t *null = calloc(bench.events, sizeof *null);
    must(null != NULL);
    for (uint32_t i = 0; i < bench.events; i++) {
        const int64_t t0 = rounds_wall_ns();
        null[i] = (uint32_t)(rounds_wall_ns() - t0);
    }
    printf("round trip: event given until its answer is taken, %u bars, %u CPUs\n", bench.events,
           rounds_cpus());
    print_times("(null)", null, bench.events, 0);
    const double base = round_trips(NULL, "inline", 0, 0);
    if (rounds_cpus() > 1)
        (void)round_trips(h, "spin", LINE_WAKE_SPIN, base);
    (void)round_trips(h, "hybrid", LINE_WAKE_HYBRID, base);
    (void)round_trips(h, "block", LINE_WAKE_BLOCK, base);
    process_home_close(h);
    free(null);
}

/* ---- death ---- */

static int64_t until(struct bay *b, uint32_t kind, struct bay_answer *a)
{
    for (;;) {
        if (b->ops->take(b, a) && a->kind == kind)
            return rounds_wall_ns();
        if (b->ops->is_quarantined(b)) {
            fprintf(stderr, "bench_bay: the bay is off: %s\n", a->text);
            exit(1);
        }
    }
}

static void bench_deaths(void)
{
    struct process_home *h = open_home(false, 0);
    struct bay *b = open_bay(h, "memo-1.0.0", LINE_WAKE_BLOCK);
    uint32_t *off = calloc(bench.deaths, sizeof *off), *back = calloc(bench.deaths, sizeof *back);
    uint64_t shown = 0, at = 0;
    must(off != NULL && back != NULL);
    for (uint32_t i = 0; i < bench.deaths; i++) {
        struct process_totals t;
        struct bay_answer a;
        for (uint32_t k = 0; k < 2000 + i * 37; k++, at++) {
            const struct tn_event ev = bar_at(at);
            b->ops->give(b, &ev, 1);
            while (b->ops->take(b, &a))
                must(a.kind == BAY_SIGNAL);
        }
        process_totals(b, &t);
        const int64_t t0 = rounds_wall_ns();
        must(kill(t.pid, SIGKILL) == 0);
        off[i] = (uint32_t)(until(b, BAY_DIED, &a) - t0);
        back[i] = (uint32_t)(until(b, BAY_BACK, &a) - t0);
        shown += strtoul(strstr(a.text, ", ") + 2, NULL, 10);
    }
    printf("death: %u times kill -9, on average %lu events shown again after the saved state\n",
           bench.deaths, (unsigned long)(shown / bench.deaths));
    print_times("off", off, bench.deaths, 0);
    print_times("back, warm", back, bench.deaths, 0);
    b->ops->stop(b);
    process_home_close(h);
    free(off);
    free(back);
}

/* ---- the core beside a hostile bay ---- */

static const union tn_number flip_params[] = {{.i = JOB_LARGE_PPM}, {.i = JOB_SMALL_PPM}};
static const struct desk_node flip_node[] = {{TENON_BENCH_DIR, "flip.so", flip_params}};

static void no_adapter(void *arg, const struct fact_send *s)
{
    struct desk *d = arg;
    if (d->send_count < DESK_SENDS_MAX)
        d->send[d->send_count++] = *s;
}

/* Time in the core and the strategy beside; the bay's own turn is outside. */
struct core_run {
    uint32_t *ns;
    uint32_t count;
    uint8_t effects[32];
    const char *end; /* what became of the bay */
    char text[FACT_TEXT_BYTES];
};

static void run_core(struct process_home *h, const char *file, struct core_run *out)
{
    struct hash_sha256 *hash;
    struct desk d;
    struct bay *b = open_bay(h, file, LINE_WAKE_BLOCK);
    ok(hash_sha256_new(&hash), "hash");
    hash_sha256_begin(hash);
    desk_open(&d, flip_node, 1, true, NULL);
    d.adapter = no_adapter;
    out->end = "lives";
    for (uint32_t i = 0; i < bench.steps; i++) {
        struct fact_quote q = {.instrument = 1,
                               .bid = JOB_PRICE - 1 - i % 3,
                               .bid_qty = 10,
                               .ask = JOB_PRICE + 1 + i % 3,
                               .ask_qty = 10,
                               .quote_no = i + 1};
        struct bay_answer a;
        const uint64_t t0 = rounds_begin();
        desk_quote(&d, &q);
        out->ns[i] = (uint32_t)(rounds_end() - t0);
        hash_sha256_add(hash, d.out.bytes, d.out.used);
        d.send_count = 0;
        const struct tn_event ev = bar_at(i);
        b->ops->give(b, &ev, 1);
        while (b->ops->take(b, &a)) {
            if (a.kind == BAY_SIGNAL)
                continue;
            out->end = a.kind == BAY_FAULT ? "off" : a.kind == BAY_DIED ? "died" : "back";
            memcpy(out->text, a.text, sizeof out->text);
        }
    }
    out->count = bench.steps;
    hash_sha256_end(hash, out->effects);
    hash_sha256_free(hash);
    desk_close(&d);
    b->ops->stop(b);
}

static double null_loop(void)
{
    const int64_t t0 = rounds_cpu_ns();
    for (uint32_t i = 0; i < NULL_TURNS; i++)
        __asm__ volatile("" ::"r"(i) : "memory");
    return (double)(rounds_cpu_ns() - t0) / NULL_TURNS;
}

static const char *const hostile[] = {
    "hostile_segfault", "hostile_spin",   "hostile_stall", "hostile_leak",     "hostile_fork",
    "hostile_open",     "hostile_socket", "hostile_flood", "hostile_scribble", "hostile_nan",
    "hostile_wx",       "hostile_kill",   "hostile_quit",  "hostile_many",     "hostile_fastmath",
};
enum { HOSTILE_COUNT = sizeof hostile / sizeof hostile[0] };

/* The core's instructions in one run of this program under callgrind; 0 = it is not installed. */
static uint64_t count_instructions(const char *file)
{
    char command[1200], line[256];
    uint64_t total = 0;
    snprintf(command, sizeof command,
             "valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=core_step "
             "'%s' --steps %u --core %s 2>&1",
             bench.self, bench.steps, file);
    FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c): a bench, by hand, with its own words */
    must(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        const char *at = strstr(line, "Collected :");
        if (at != NULL)
            total = strtoull(at + 11, NULL, 10);
    }
    (void)pclose(f);
    return total;
}

static void print_core(const char *name, struct core_run *r, const struct core_run *calm,
                       double ns_per_stamp, double null_before, double null_now)
{
    const double p50 = rounds_quantile(r->ns, r->count, 0.5) * ns_per_stamp;
    const double p99 = rounds_quantile(r->ns, r->count, 0.99) * ns_per_stamp;
    const double base = rounds_quantile(calm->ns, calm->count, 0.5) * ns_per_stamp;
    const bool same = memcmp(r->effects, calm->effects, sizeof r->effects) == 0;
    printf("  %-18s p50 %5.0f p99 %6.0f ns  x %.3f (null x %.3f)  effects %s  %-5s %s\n", name, p50,
           p99, p50 / base, null_now / null_before, same ? "equal" : "DIFFER", r->end, r->text);
    must(same);
}

static void bench_core(void)
{
    struct process_home *h = open_home(false, HANG_NS);
    struct core_run calm = {.ns = calloc(bench.steps, sizeof(uint32_t))};
    struct core_run run = {.ns = calloc(bench.steps, sizeof(uint32_t))};
    const double ns = rounds_ns_per_stamp();
    must(calm.ns != NULL && run.ns != NULL);
    run_core(h, "chatty-1.0.0", &calm); /* once to warm up */
    const double before = null_loop();
    run_core(h, "chatty-1.0.0", &calm);
    printf("core: %u quotes, each a decision of another strategy, beside a bay that is given a bar "
           "with each; core on CPU 0, bay on CPU %d\n",
           bench.steps, rounds_cpus() > 1 ? 1 : 0);
    print_core("(calm)", &calm, &calm, ns, before, before);
    for (uint32_t i = 0; i < HOSTILE_COUNT; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s-1.0.0", hostile[i]);
        const double now = null_loop();
        run_core(h, file, &run);
        print_core(hostile[i], &run, &calm, ns, before, now);
        memset(run.text, 0, sizeof run.text);
    }
    process_home_close(h);
    free(calm.ns);
    free(run.ns);
}

static void bench_instructions(void)
{
    const uint64_t calm = count_instructions("chatty-1.0.0");
    if (calm == 0) {
        printf("instructions: callgrind gave no count here\n");
        return;
    }
    printf("instructions of core_step in %u quotes, by callgrind: calm %lu\n", bench.steps,
           (unsigned long)calm);
    for (uint32_t i = 0; i < HOSTILE_COUNT; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s-1.0.0", hostile[i]);
        const uint64_t is = count_instructions(file);
        printf("  %-18s %lu  %s\n", hostile[i], (unsigned long)is, is == calm ? "equal" : "DIFFER");
    }
}

/* ---- main ---- */

static void read_args(int argc, char **argv)
{
    bench.events = EVENTS;
    bench.deaths = DEATHS;
    bench.steps = STEPS;
    for (int i = 1; i < argc; i++) {
        const bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--events") == 0 && has_value)
            bench.events = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--deaths") == 0 && has_value)
            bench.deaths = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--steps") == 0 && has_value)
            bench.steps = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--core") == 0 && has_value)
            bench.only = argv[++i];
        else if (strcmp(argv[i], "--instructions") == 0)
            bench.instructions = true;
        else {
            fprintf(stderr, "usage: bench_bay [--events N] [--deaths N] [--steps N] "
                            "[--instructions]\n");
            exit(64);
        }
    }
    const bool fits = bench.events >= 1 && bench.events <= SAMPLES_MAX && bench.deaths >= 1 &&
                      bench.deaths <= 1000 && bench.steps >= 100 && bench.steps <= SAMPLES_MAX;
    if (fits)
        return;
    fprintf(stderr, "bench_bay: events and steps up to %d, deaths up to 1000\n", SAMPLES_MAX);
    exit(64);
}

int main(int argc, char **argv)
{
    read_args(argc, argv);
    const ssize_t n = readlink("/proc/self/exe", bench.self, sizeof bench.self - 1);
    must(n > 0);
    const struct spawn_config c = {.program = TENON_BENCH_DIR "/../tenon-bay"};
    ok(spawn_start(&c, &bench.spawn, &bench.tr), "spawner");
    rounds_pin(0);
    if (bench.only != NULL) {
        struct process_home *h = open_home(false, HANG_NS);
        struct core_run run = {.ns = calloc(bench.steps, sizeof(uint32_t))};
        must(run.ns != NULL);
        run_core(h, bench.only, &run);
        process_home_close(h);
        free(run.ns);
    } else {
        bench_trips();
        bench_deaths();
        bench_core();
        if (bench.instructions)
            bench_instructions();
    }
    spawn_stop(bench.spawn);
    return 0;
}
