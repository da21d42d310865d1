/* SPDX-License-Identifier: Apache-2.0
 *
 * What the core costs: tick to order, bars, one decision of the gate, one dispatch.
 *
 *   bench_core [--rounds N]
 *
 * Each figure stands beside that of a plain C limit (limit.h) that makes the same checks and writes
 * the same record bytes; the two run block by block in turn on one pinned CPU, and first it is
 * proved that they give the same bytes. Pieces of a loop are measured by the time stamp counter
 * around them, the cost of an empty piece taken off both; whole loops by the thread's CPU time.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "desk.h"
#include "dispatch.h"
#include "limit.h"
#include "rounds.h"

enum {
    QUOTES = 4096,
    TICKS = 2000,   /* in a block */
    BARS = 1000000, /* in a round */
    CHECK_TICKS = 5000,
    CHECK_BARS = 200000,
    FEE_PPM = 600,
    SYNCS = 300,
};

static struct bench {
    uint32_t rounds;
    double ns_per_stamp;
    uint64_t null_stamps;
    struct fact_quote quote[QUOTES];
    struct job_bar *bar;
} bench;

static const union tn_number flip_params[] = {{.i = JOB_LARGE_PPM}, {.i = JOB_SMALL_PPM}};
static const union tn_number fused_params[] = {
    {.i = JOB_FAST}, {.i = JOB_SLOW}, {.i = JOB_TARGET_PPM}};
static const union tn_number ema_fast[] = {{.i = JOB_FAST}}, ema_slow[] = {{.i = JOB_SLOW}};
static const union tn_number cross_params[] = {
    {.i = JOB_TARGET_PPM}, {.i = 0}, {.i = 0}, {.i = 0}, {.f = 50}};
static const struct desk_node flip[] = {{TENON_BENCH_DIR, "flip.so", flip_params}};
static const struct desk_node fused[] = {{TENON_BENCH_DIR, "fused.so", fused_params}};
static const struct desk_node cross[] = {{TENON_PLUGIN_DIR, "ema.so", ema_fast},
                                         {TENON_PLUGIN_DIR, "ema.so", ema_slow},
                                         {TENON_PLUGIN_DIR, "ema_cross-1.0.0.so", cross_params}};

/* ---- input ---- */

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void make_quotes(void)
{
    uint64_t s = 88172645463325252ull;
    int64_t price = JOB_PRICE;
    for (uint32_t i = 0; i < QUOTES; i++) {
        price += (int64_t)(next_random(&s) % 7) - 3;
        price = price < JOB_PRICE - 500 ? JOB_PRICE : price > JOB_PRICE + 500 ? JOB_PRICE : price;
        bench.quote[i] = (struct fact_quote){.instrument = 1,
                                             .bid = price - 1,
                                             .bid_qty = 1 + (int64_t)(next_random(&s) % 1000),
                                             .ask = price + 1,
                                             .ask_qty = 1 + (int64_t)(next_random(&s) % 1000)};
    }
}

static void make_bars(void)
{
    uint64_t s = 1181783497276652981ull;
    int64_t close = JOB_PRICE;
    bench.bar = malloc(BARS * sizeof bench.bar[0]);
    must(bench.bar != NULL);
    for (uint32_t i = 0; i < BARS; i++) {
        int64_t open = close;
        close += (int64_t)(next_random(&s) % 61) - 30;
        close = close < JOB_PRICE / 2 ? JOB_PRICE / 2 + 60 : close;
        close = close > JOB_PRICE * 2 ? JOB_PRICE * 2 - 60 : close;
        int64_t wick = (int64_t)(next_random(&s) % 10);
        int64_t end_ns = JOB_T0_NS + (i + 1) * JOB_BAR_NS;
        bench.bar[i] = (struct job_bar){.end_ns = end_ns,
                                        .fact = {.instrument = 1,
                                                 .open_ns = end_ns - JOB_BAR_NS,
                                                 .open = open,
                                                 .high = (open > close ? open : close) + wick,
                                                 .low = (open < close ? open : close) - wick,
                                                 .close = close,
                                                 .volume = (int64_t)(next_random(&s) % 10000)}};
    }
}

/* An endless stream of numbered quotes. The number of a quote is written half a round before it is
 * read: what is read now was not written just now, as with a real source. */
struct stream {
    uint64_t no;
    struct fact_quote quote[QUOTES];
};

static void open_stream(struct stream *s)
{
    s->no = 0;
    for (uint32_t i = 0; i < QUOTES; i++) {
        s->quote[i] = bench.quote[i];
        s->quote[i].quote_no = i + 1;
    }
}

static const struct fact_quote *next_quote(struct stream *s)
{
    const struct fact_quote *q = &s->quote[s->no++ % QUOTES];
    if (s->no >= QUOTES / 2)
        s->quote[(s->no + QUOTES / 2) % QUOTES].quote_no = s->no + QUOTES / 2 + 1;
    return q;
}

static int64_t middle_of(const struct fact_quote *q)
{
    return (q->bid + q->ask) / 2;
}

static uint64_t hash_of(const struct desk_node *n)
{
    char path[512];
    struct bay_facts f;
    struct trail tr = {0};
    uint64_t h = 0;
    (void)snprintf(path, sizeof path, "%s/%s", n->dir, n->file);
    must(is_ok(bay_read_facts(path, &f, &tr)));
    for (int i = 0; i < 8; i++)
        h = h << 8 | f.sha256[i];
    return h;
}

/* A desk and a limit that begin alike. */
struct pair {
    struct desk desk;
    struct limit limit;
    struct stream desk_quotes, limit_quotes;
};

static void open_pair(struct pair *p, const struct desk_node *node, uint32_t nodes, bool auto_on,
                      struct journal *journal)
{
    desk_open(&p->desk, node, nodes, auto_on, journal);
    limit_open(&p->limit, hash_of(&node[nodes - 1]), p->desk.seq, auto_on);
    open_stream(&p->desk_quotes);
    open_stream(&p->limit_quotes);
}

static void close_pair(struct pair *p)
{
    desk_close(&p->desk);
    limit_close(&p->limit);
}

/* ---- the same bytes ---- */

static void same_bytes(const struct pair *p, const char *what, uint64_t at)
{
    const struct desk *d = &p->desk;
    const struct limit *l = &p->limit;
    size_t host = (size_t)(d->out.bytes - d->record) + d->out.used;
    size_t plain = (size_t)(l->at - l->record);
    if (host == plain && memcmp(d->record, l->record, host) == 0)
        return;
    size_t i = 0;
    while (i < host && i < plain && d->record[i] == l->record[i])
        i++;
    (void)fprintf(
        stderr,
        "bench_core: %s %lu: the host's step (seq %lu, %zu bytes) and the C limit's "
        "(seq %lu, %zu bytes) differ at byte %zu; the limit no longer does the same job\n",
        what, (unsigned long)at, (unsigned long)d->seq, host, (unsigned long)l->seq, plain, i);
    exit(1);
}

static void check_ticks(bool auto_on)
{
    static struct pair p;
    open_pair(&p, flip, 1, auto_on, NULL);
    for (uint32_t i = 0; i < CHECK_TICKS; i++) {
        const struct fact_quote *q = next_quote(&p.desk_quotes);
        desk_quote(&p.desk, q);
        limit_quote(&p.limit, next_quote(&p.limit_quotes));
        same_bytes(&p, "tick", i);
        desk_fill(&p.desk, middle_of(q), 0);
        limit_fill(&p.limit, middle_of(q), 0);
        same_bytes(&p, "fill of tick", i);
    }
    must((core_totals(p.desk.core)->fills == CHECK_TICKS) == auto_on);
    close_pair(&p);
}

static void check_bars(void)
{
    static struct pair p;
    open_pair(&p, fused, 1, true, NULL);
    for (uint32_t i = 0; i < CHECK_BARS; i++) {
        const struct job_bar *b = &bench.bar[i];
        if (p.desk.send_count > 0) {
            desk_fill(&p.desk, b->fact.open, FEE_PPM);
            limit_fill(&p.limit, b->fact.open, FEE_PPM);
            same_bytes(&p, "fill before bar", i);
        }
        desk_bar(&p.desk, b);
        limit_bar(&p.limit, b);
        if (i > 0)
            same_bytes(&p, "bar", i);
    }
    must(core_totals(p.desk.core)->fills > CHECK_BARS / 100);
    close_pair(&p);
}

/* ---- 1: tick in, order out ---- */

struct tick_rounds {
    struct rounds host, limit, host_cycle, limit_cycle;
    uint32_t *sample;
    uint32_t samples;
};

static double piece_ns(const struct bench *b, uint64_t stamps)
{
    return ((double)stamps / TICKS - (double)b->null_stamps) * b->ns_per_stamp;
}

static void host_block(struct desk *d, struct stream *quotes, struct tick_rounds *t)
{
    uint64_t stamps = 0;
    for (uint32_t i = 0; i < TICKS; i++) {
        const struct fact_quote *q = next_quote(quotes);
        uint64_t from = rounds_begin();
        desk_quote(d, q);
        uint64_t took = rounds_end() - from;
        stamps += took;
        t->sample[t->samples++] = (uint32_t)took;
        desk_fill(d, middle_of(q), 0);
    }
    rounds_add(&t->host, piece_ns(&bench, stamps));
}

static void limit_block(struct limit *l, struct stream *quotes, struct tick_rounds *t)
{
    uint64_t stamps = 0;
    for (uint32_t i = 0; i < TICKS; i++) {
        const struct fact_quote *q = next_quote(quotes);
        uint64_t from = rounds_begin();
        limit_quote(l, q);
        stamps += rounds_end() - from;
        limit_fill(l, middle_of(q), 0);
    }
    rounds_add(&t->limit, piece_ns(&bench, stamps));
}

/* The whole life of an order, by CPU time: tick, order, sent, accepted, filled. */
static void cycle_blocks(struct pair *p, struct tick_rounds *t)
{
    int64_t from = rounds_cpu_ns();
    for (uint32_t i = 0; i < TICKS; i++) {
        const struct fact_quote *q = next_quote(&p->desk_quotes);
        desk_quote(&p->desk, q);
        desk_fill(&p->desk, middle_of(q), 0);
    }
    rounds_add(&t->host_cycle, (double)(rounds_cpu_ns() - from) / TICKS);
    from = rounds_cpu_ns();
    for (uint32_t i = 0; i < TICKS; i++) {
        const struct fact_quote *q = next_quote(&p->limit_quotes);
        limit_quote(&p->limit, q);
        limit_fill(&p->limit, middle_of(q), 0);
    }
    rounds_add(&t->limit_cycle, (double)(rounds_cpu_ns() - from) / TICKS);
}

static void drain(struct journal *j, uint64_t seq)
{
    struct trail tr = {0};
    if (j != NULL)
        must(is_ok(journal_wait(j, seq, &tr)));
}

static struct journal *open_memory_journal(void)
{
    struct journal_found found;
    struct trail tr = {0};
    struct journal *j = NULL;
    struct journal_options o = {.clock = &clock_system};
    rounds_pin(1); /* the commit thread inherits this CPU; the bench then takes the other one */
    must(is_ok(journal_store_memory(&o.store)));
    must(is_ok(journal_open(&o, &j, &found, &tr)));
    rounds_pin(0);
    return j;
}

static void print_quantiles(const char *name, uint32_t *sample, uint32_t count)
{
    static const double q[] = {0.5, 0.99, 0.999, 0.9999};
    double ns[4];
    for (int i = 0; i < 4; i++)
        ns[i] = ((double)rounds_quantile(sample, count, q[i]) - (double)bench.null_stamps) *
                bench.ns_per_stamp;
    printf("%-34s p50 %.0f  p99 %.0f  p99.9 %.0f  p99.99 %.0f ns, wall, of %u\n", name, ns[0],
           ns[1], ns[2], ns[3], count);
    fflush(stdout);
}

static void print_null(void)
{
    enum { COUNT = 100000 };
    static uint32_t sample[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t from = rounds_begin();
        sample[i] = (uint32_t)(rounds_end() - from);
    }
    print_quantiles("  an empty piece", sample, COUNT);
}

static void run_ticks(struct journal *journal)
{
    static struct pair p;
    struct tick_rounds t = {.sample = malloc(bench.rounds * TICKS * sizeof(uint32_t))};
    must(t.sample != NULL);
    open_pair(&p, flip, 1, true, journal);
    for (uint32_t r = 0; r < bench.rounds; r++) {
        host_block(&p.desk, &p.desk_quotes, &t);
        drain(journal, p.desk.seq);
        limit_block(&p.limit, &p.limit_quotes, &t);
        if (journal == NULL)
            cycle_blocks(&p, &t);
    }
    if (journal == NULL) {
        rounds_print("tick -> strategy -> gate -> order", &t.host, &t.limit, "ns", ROUNDS_AT_MOST,
                     2.0);
        print_quantiles("  one by one", t.sample, t.samples);
        print_null();
        rounds_print("  with sent, accepted, filled", &t.host_cycle, &t.limit_cycle, "ns CPU",
                     ROUNDS_AT_MOST, 2.0);
    } else {
        rounds_print("the same, record handed off", &t.host, &t.limit, "ns", ROUNDS_AT_MOST, 3.0);
        print_quantiles("  one by one", t.sample, t.samples);
    }
    must(core_totals(p.desk.core)->denials == 0 && p.limit.denials == 0);
    close_pair(&p);
    free(t.sample);
}

static void run_handed_off(void)
{
    struct trail tr = {0};
    struct journal *j = open_memory_journal();
    run_ticks(j);
    must(is_ok(journal_close(j, NULL, &tr)));
}

/* ---- first byte out, one durable sync before it ---- */

static void by_sync(uint32_t *sample, uint32_t count, const char *name)
{
    double p50 = rounds_quantile(sample, count, 0.5) / 1e3;
    double p99 = rounds_quantile(sample, count, 0.99) / 1e3;
    printf("%-34s p50 %.0f  p99 %.0f us, wall, of %u\n", name, p50, p99, count);
    fflush(stdout);
}

/* The same bytes to a preallocated flat file. */
static void flat_sync(const char *dir, uint32_t bytes)
{
    char path[600];
    static uint32_t sample[SYNCS];
    static uint8_t block[8192];
    (void)snprintf(path, sizeof path, "%s/flat", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(fd >= 0 && bytes <= sizeof block);
    for (uint32_t i = 0; i < SYNCS; i++)
        must(write(fd, block, bytes) == (ssize_t)bytes);
    must(fsync(fd) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    for (uint32_t i = 0; i < SYNCS; i++) {
        int64_t from = rounds_wall_ns();
        must(write(fd, block, bytes) == (ssize_t)bytes);
        must(fdatasync(fd) == 0);
        sample[i] = (uint32_t)(rounds_wall_ns() - from);
    }
    (void)close(fd);
    by_sync(sample, SYNCS, "  flat file, write and fdatasync");
}

static void sync_ticks(struct journal *j, int fd)
{
    static struct desk d;
    static struct stream quotes;
    static uint32_t sample[SYNCS];
    struct trail tr = {0};
    open_stream(&quotes);
    desk_open(&d, flip, 1, true, j);
    drain(j, d.seq);
    for (uint32_t i = 0; i < SYNCS; i++) {
        const struct fact_quote *q = next_quote(&quotes);
        int64_t from = rounds_wall_ns();
        desk_quote(&d, q);
        must(d.send_count == 1 && is_ok(journal_wait(j, d.seq, &tr)));
        must(write(fd, d.send, sizeof d.send[0]) == (ssize_t)sizeof d.send[0]);
        sample[i] = (uint32_t)(rounds_wall_ns() - from);
        desk_fill(&d, middle_of(q), 0);
        drain(j, d.seq);
    }
    by_sync(sample, SYNCS, "tick to first byte, one sync");
    desk_close(&d);
}

static void run_first_byte(void)
{
    char dir[] = "/var/tmp/tenon-bench-XXXXXX", path[600], command[700];
    struct journal_found found;
    struct trail tr = {0};
    struct journal *j = NULL;
    struct journal_options o = {.clock = &clock_system, .sync = true};
    must(mkdtemp(dir) != NULL);
    (void)snprintf(path, sizeof path, "%s/journal", dir);
    rounds_pin(1);
    struct result r = journal_store_rocksdb(path, true, false, &o.store, &tr);
    if (is_ok(r))
        r = journal_open(&o, &j, &found, &tr);
    rounds_pin(0);
    if (!is_ok(r)) {
        (void)fprintf(stderr, "bench_core: %s\n", trail_sentence(&tr, r));
        exit(1);
    }
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    must(fd >= 0);
    sync_ticks(j, fd);
    flat_sync(dir, 1400);
    (void)close(fd);
    must(is_ok(journal_close(j, NULL, &tr)));
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    must(system(command) == 0);
}

/* ---- 2: bars ---- */

static double host_bars(const struct desk_node *node, uint32_t nodes, bool auto_on)
{
    static struct desk d;
    desk_open(&d, node, nodes, auto_on, NULL);
    int64_t from = rounds_cpu_ns();
    for (uint32_t i = 0; i < BARS; i++) {
        if (d.send_count > 0)
            desk_fill(&d, bench.bar[i].fact.open, FEE_PPM);
        desk_bar(&d, &bench.bar[i]);
    }
    double m = BARS * 1e3 / (double)(rounds_cpu_ns() - from);
    desk_close(&d);
    return m;
}

static double limit_bars(void)
{
    static struct limit l;
    limit_open(&l, 1, 12, true);
    int64_t from = rounds_cpu_ns();
    for (uint32_t i = 0; i < BARS; i++) {
        if (l.sent_count > 0)
            limit_fill(&l, bench.bar[i].fact.open, FEE_PPM);
        limit_bar(&l, &bench.bar[i]);
    }
    double m = BARS * 1e3 / (double)(rounds_cpu_ns() - from);
    limit_close(&l);
    return m;
}

static void run_bars(void)
{
    struct rounds host = {0}, nodes = {0}, limit = {0};
    uint32_t rounds = bench.rounds / 4 + 1;
    for (uint32_t r = 0; r < rounds; r++) {
        rounds_add(&host, host_bars(fused, 1, true));
        rounds_add(&limit, limit_bars());
        rounds_add(&nodes, host_bars(cross, 3, true));
    }
    rounds_print("bars, averages in the strategy", &host, &limit, "M/s", ROUNDS_AT_LEAST, 0.25);
    rounds_print("bars, ema + ema + ema_cross", &nodes, &limit, "M/s", ROUNDS_AT_LEAST, 0.25);
}

/* ---- 3: one decision ---- */

/* A signal that the gate denies (auto is off): plan, intent, 17 rules, the denial record. */
static void run_gate(void)
{
    enum { DECISIONS = 200000 };
    static struct desk d;
    struct fact_signal s = {.instance = 1,
                            .instrument = 1,
                            .advice = TN_ADVICE_TARGET,
                            .confidence_ppm = TN_ONE_PPM,
                            .horizon_ns = JOB_BAR_NS,
                            .target_ppm = JOB_TARGET_PPM,
                            .reason_count = 1};
    uint32_t *sample = malloc(DECISIONS * sizeof *sample);
    must(sample != NULL);
    desk_open(&d, flip, 1, false, NULL);
    desk_quote(&d, &bench.quote[0]);
    for (uint32_t i = 0; i < DECISIONS; i++) {
        s.side = i & 1 ? TN_LONG : TN_SHORT;
        s.score_ppm = s.reason[0].contribution_ppm = i & 1 ? 500000 : -500000;
        uint64_t from = rounds_begin();
        desk_event(&d, FACT_SIGNAL, &s, sizeof s, d.seq);
        sample[i] = (uint32_t)(rounds_end() - from);
    }
    must(core_totals(d.core)->denials >= DECISIONS);
    print_quantiles("gate: signal -> denial record", sample, DECISIONS);
    print_null();
    desk_close(&d);
    free(sample);
}

/* ---- 4: dispatch ---- */

static void run_dispatch(void)
{
    struct rounds host = {0}, limit = {0};
    dispatch_run(bench.rounds, &host, &limit);
    rounds_print("dispatch, each of 8 strategies", &host, &limit, "ns CPU", ROUNDS_AT_MOST, 2.0);
}

/* ---- memory ---- */

/* Greatest resident memory of a child that runs one loop over the bars, MiB. */
static double memory_of(bool host)
{
    struct rusage u;
    int status = 0;
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        double rate = host ? host_bars(fused, 1, true) : limit_bars();
        _exit(rate > 0 ? 0 : 1);
    }
    must(wait4(child, &status, 0, &u) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return (double)u.ru_maxrss / 1024;
}

/* First of all sections: a child begins with what its parent holds. */
static void run_memory(void)
{
    struct rounds host = {0}, limit = {0};
    rounds_add(&host, memory_of(true));
    rounds_add(&limit, memory_of(false));
    rounds_print("memory, a million bars", &host, &limit, "MiB", ROUNDS_AT_MOST, 1.5);
}

static void run_plain_ticks(void)
{
    run_ticks(NULL);
}

static const struct section {
    const char *name;
    void (*run)(void);
} section[] = {
    {"memory", run_memory},         {"ticks", run_plain_ticks}, {"handed-off", run_handed_off},
    {"first-byte", run_first_byte}, {"bars", run_bars},         {"gate", run_gate},
    {"dispatch", run_dispatch},
};
enum { SECTIONS = sizeof section / sizeof section[0] };

static int usage(void)
{
    (void)fprintf(stderr, "usage: bench_core [--rounds N] [--only SECTION]; N from 1 to %d; ",
                  ROUNDS_MAX);
    for (uint32_t i = 0; i < SECTIONS; i++)
        (void)fprintf(stderr, "%s%s", section[i].name, i + 1 < SECTIONS ? ", " : "\n");
    return 64;
}

static bool take_options(int argc, char **argv, const char **only)
{
    bench.rounds = 40;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--rounds") == 0)
            bench.rounds = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--only") == 0)
            *only = argv[i + 1];
        else
            return false;
    }
    bool known = *only == NULL;
    for (uint32_t i = 0; i < SECTIONS && !known; i++)
        known = strcmp(section[i].name, *only) == 0;
    return known && bench.rounds >= 1 && bench.rounds <= ROUNDS_MAX;
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    if (!take_options(argc, argv, &only))
        return usage();
    rounds_pin(0);
    bench.ns_per_stamp = rounds_ns_per_stamp();
    bench.null_stamps = rounds_stamps_of_null();
    make_quotes();
    make_bars();
    check_ticks(true);
    check_ticks(false);
    check_bars();
    printf("the host and the C limit give the same bytes: %d ticks with and without orders, %d "
           "bars\n",
           CHECK_TICKS, CHECK_BARS);
    for (uint32_t i = 0; i < SECTIONS; i++) {
        if (only == NULL || strcmp(section[i].name, only) == 0)
            section[i].run();
    }
    free(bench.bar);
    return 0;
}
