/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon-sim: runs worlds, one per seed, and says what it saw. A seed that breaks an invariant is
 * printed with the one line that runs it again.
 */
#include "tests/sim/sim.h"
#include "base/planted.h"
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_VIOLATED = 1, EXIT_USAGE = 64, BROKEN_SHOWN = 20 };

struct args {
    uint64_t seed, seeds;
    int64_t length_ns;
    const char *adapter, *plant;
    const char *crash; /* engine or egress: every crash point of it */
    uint64_t crash_at, crash_again, points, every;
    bool twice, no_faults, trace;
};
struct sums {
    uint64_t worlds, violations, events, orders, sends, fills, unknowns, starts, replayed, kills;
    uint64_t unsynced_closes, queries, voided, deaths;
    uint64_t happened[SIM_FAULT_END];
    int64_t simulated_ns;
    uint64_t hash, differences;
};

static const char usage[] =
    "usage: tenon-sim [--seed N] [--seeds N] [--seconds N] [--twice] [--no-faults] [--trace]\n"
    "                 [--crash engine|egress [--crash-at N [--again M]] [--points N] [--every N]]\n"
    "                 [--plant NAME] --adapter FILE\n";

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void make_folder(char out[SIM_PATH_BYTES])
{
    const char *base = getenv("TMPDIR");
    if (!base)
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : P_tmpdir;
    must(snprintf(out, SIM_PATH_BYTES, "%s/tenon-sim-XXXXXX", base) < SIM_PATH_BYTES);
    must(mkdtemp(out) != NULL);
}

static void add(struct sums *sums, const struct sim *s)
{
    struct engine_counts e;
    struct watch_counts w;
    struct house_totals h;
    engine_counts(s->engine, &e);
    watch_counts(s->watch, &w);
    exchange_totals(s->exchange, &h);
    sums->worlds++;
    sums->violations += s->is_broken;
    sums->events += e.events;
    sums->starts += e.starts;
    sums->replayed += e.replayed;
    sums->orders += w.orders;
    sums->sends += w.sends;
    sums->fills += w.fills;
    sums->unknowns += w.unknowns;
    sums->kills += w.kills;
    sums->queries += w.queries;
    sums->unsynced_closes += w.unsynced_closes;
    sums->voided += h.voided;
    sums->deaths += s->deaths;
    sums->simulated_ns += s->now_ns - SIM_T0;
    for (uint32_t f = 0; f < SIM_FAULT_END; f++)
        sums->happened[f] += s->happened[f];
}

/* One world; its hash. `operations`: crash points passed; may be NULL. */
static uint64_t run_world(const struct args *a, const struct sim_options *o, struct sums *sums,
                          char why[SIM_WHY_BYTES], uint64_t *operations)
{
    struct sim *s = malloc(sizeof *s);
    char folder[SIM_PATH_BYTES];
    struct sim_options own = *o;
    must(s != NULL);
    make_folder(folder);
    own.folder = folder;
    own.trace = a->trace;
    sim_open(s, &own);
    sim_run(s);
    add(sums, s);
    memcpy(why, s->why, SIM_WHY_BYTES);
    const uint64_t hash = s->hash;
    if (operations)
        *operations = s->operations;
    sim_close(s);
    free(s);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return hash;
}

static void show_broken(const struct args *a, const struct sim_options *o, const char *why)
{
    printf("seed %" PRIu64 ": %s\n  again: tenon-sim --seed %" PRIu64 " --seconds %" PRId64,
           o->seed, why, o->seed, (int64_t)(o->length_ns / SIM_S));
    if (o->crash_at)
        printf(" --crash %s --crash-at %" PRIu64, a->crash, o->crash_at);
    if (o->crash_again)
        printf(" --again %" PRIu64, o->crash_again);
    if (a->plant)
        printf(" --plant %s", a->plant);
    printf("%s --adapter %s\n", o->no_faults ? " --no-faults" : "", a->adapter);
}

static void run_once(const struct args *a, const struct sim_options *o, struct sums *sums)
{
    char why[SIM_WHY_BYTES], again[SIM_WHY_BYTES];
    const uint64_t broken = sums->violations;
    const uint64_t hash = run_world(a, o, sums, why, NULL);
    sums->hash = sums->hash * 31 + hash;
    if (sums->violations > broken && sums->violations <= BROKEN_SHOWN)
        show_broken(a, o, why);
    if (!a->twice)
        return;
    struct sums second = {0};
    if (run_world(a, o, &second, again, NULL) == hash)
        return;
    sums->differences++;
    printf("seed %" PRIu64 ": the second run of the same seed is another one\n", o->seed);
}

static void count_operations(const struct args *a, const struct sim_options *o,
                             uint64_t *operations)
{
    struct sums first = {0};
    char why[SIM_WHY_BYTES];
    run_world(a, o, &first, why, operations);
}

/* Each n-th operation of one world is where the process dies; then, with --again, once more soon
 * after. The world's other faults are off, so what breaks is the crash. */
static void run_points(const struct args *a, struct sim_options o, struct sums *sums)
{
    uint64_t operations = 0;
    o.no_faults = true;
    o.crash_who = strcmp(a->crash, "egress") == 0 ? SIM_EGRESS : SIM_ENGINE;
    if (a->crash_at) {
        o.crash_at = a->crash_at;
        o.crash_again = a->crash_again;
        run_once(a, &o, sums);
        return;
    }
    count_operations(a, &o, &operations);
    for (uint64_t n = 1; n <= operations && (!a->points || sums->worlds < a->points);
         n += a->every) {
        o.crash_at = n;
        o.crash_again = n % 3 == 0 ? 1 + n % 37 : 0; /* a third of them: in the recovery */
        run_once(a, &o, sums);
    }
    printf("%" PRIu64 " operations in a world without a crash, %" PRIu64 " deaths in those with\n",
           operations, sums->deaths);
}

static void show(const struct sums *t, double cpu_s)
{
    static const char *const fault[SIM_FAULT_END] = {"",
#define X(name, every, text) text,
                                                     SIM_FAULTS(X)
#undef X
    };
    const double hours = (double)t->simulated_ns / 3600e9;
    for (uint32_t f = 1; f < SIM_FAULT_END; f++)
        printf("%8" PRIu64 "  %s\n", t->happened[f], fault[f]);
    printf("%" PRIu64 " worlds, %.1f simulated hours, %" PRIu64 " events (%" PRIu64
           " replayed after %" PRIu64 " starts)\n",
           t->worlds, hours, t->events, t->replayed, t->starts);
    printf("%" PRIu64 " orders, %" PRIu64 " sent (%" PRIu64
           " closes ahead of their record), %" PRIu64 " unknown for a time, %" PRIu64
           " queries, %" PRIu64 " proved absent, %" PRIu64 " fills booked, %" PRIu64 " kills\n",
           t->orders, t->sends, t->unsynced_closes, t->unknowns, t->queries, t->voided, t->fills,
           t->kills);
    printf("%.1f simulated hours per CPU-minute, %.0f events per CPU-second\n",
           cpu_s > 0 ? hours * 60 / cpu_s : 0, cpu_s > 0 ? (double)t->events / cpu_s : 0);
    printf("hash %016" PRIx64 ", %" PRIu64 " violations, %" PRIu64 " differences\n", t->hash,
           t->violations, t->differences);
}

static bool plant(const char *name)
{
#ifdef TENON_PLANTED
    static const char *const names[] = {"",
#define X(name, text) #name,
                                        PLANTS(X)
#undef X
    };
    for (uint32_t i = 1; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            planted = (enum plant)i;
    }
    return planted != PLANT_NONE;
#else
    fprintf(stderr, "tenon-sim: %s cannot be planted: build with -DTENON_PLANTED=ON\n", name);
    return false;
#endif
}

static bool take_number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

static bool take_value(struct args *a, const char *name, const char *value)
{
    uint64_t n = 0;
    if (strcmp(name, "--adapter") == 0) {
        a->adapter = value;
        return true;
    }
    if (strcmp(name, "--plant") == 0) {
        a->plant = value;
        return plant(value);
    }
    if (strcmp(name, "--crash") == 0) {
        a->crash = value;
        return strcmp(value, "engine") == 0 || strcmp(value, "egress") == 0;
    }
    if (!take_number(value, &n))
        return false;
    if (strcmp(name, "--seed") == 0)
        a->seed = n;
    else if (strcmp(name, "--seeds") == 0)
        a->seeds = n;
    else if (strcmp(name, "--seconds") == 0)
        a->length_ns = (int64_t)n * SIM_S;
    else if (strcmp(name, "--crash-at") == 0)
        a->crash_at = n;
    else if (strcmp(name, "--again") == 0)
        a->crash_again = n;
    else if (strcmp(name, "--points") == 0)
        a->points = n;
    else if (strcmp(name, "--every") == 0)
        a->every = n;
    else
        return false;
    return true;
}

static bool parse(struct args *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--twice") == 0)
            a->twice = true;
        else if (strcmp(argv[i], "--no-faults") == 0)
            a->no_faults = true;
        else if (strcmp(argv[i], "--trace") == 0)
            a->trace = true;
        else if (i + 1 >= argc || !take_value(a, argv[i], argv[i + 1]))
            return false;
        else
            i++;
    }
    return a->adapter && a->seeds > 0 && a->every > 0 && a->length_ns >= 120 * SIM_S;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct args a = {.seed = 1, .seeds = 1, .length_ns = 600 * SIM_S, .every = 1};
    struct sums sums = {0};
    struct trail tr = {0};
    struct bay_module *module;
    if (!parse(&a, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    const struct result r = bay_load(a.adapter, NULL, &module, &tr);
    if (!is_ok(r)) {
        fprintf(stderr, "tenon-sim: %s\n", trail_sentence(&tr, r));
        return EXIT_USAGE;
    }
    const double before = cpu_seconds();
    for (uint64_t i = 0; i < a.seeds; i++) {
        const struct sim_options o = {.seed = a.seed + i,
                                      .length_ns = a.length_ns,
                                      .no_faults = a.no_faults,
                                      .adapter = module};
        if (a.crash)
            run_points(&a, o, &sums);
        else
            run_once(&a, &o, &sums);
    }
    show(&sums, cpu_seconds() - before);
    return sums.violations || sums.differences ? EXIT_VIOLATED : 0;
}
