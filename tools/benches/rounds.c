/* SPDX-License-Identifier: Apache-2.0
 *
 * Medians of rounds, not means: on a shared machine the mean measures the neighbours. Ratios are
 * made round by round and their median is shown, which is why both loops must have run in turn.
 *
 * The time stamp counter is used where a piece of a loop is too short for a system call; it counts
 * wall time, so its sums are cut into blocks and the blocks' median hides a preemption.
 */
#include "rounds.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/must.h"

enum { NULLS = 20001 };

void rounds_add(struct rounds *r, double value)
{
    must(r->count < ROUNDS_MAX);
    r->value[r->count++] = value;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

struct rounds_figure rounds_figure(const struct rounds *r)
{
    double sorted[ROUNDS_MAX];
    must(r->count > 0);
    for (uint32_t i = 0; i < r->count; i++)
        sorted[i] = r->value[i];
    qsort(sorted, r->count, sizeof sorted[0], by_value);
    double low = sorted[(r->count - 1) / 2], high = sorted[r->count / 2];
    return (struct rounds_figure){
        .median = (low + high) / 2, .least = sorted[0], .most = sorted[r->count - 1]};
}

struct rounds_figure rounds_ratio(const struct rounds *host, const struct rounds *limit)
{
    struct rounds ratio = {.count = 0};
    must(host->count == limit->count);
    for (uint32_t i = 0; i < host->count; i++)
        rounds_add(&ratio, host->value[i] / limit->value[i]);
    return rounds_figure(&ratio);
}

static int by_stamp(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

uint32_t rounds_quantile(uint32_t *sample, uint32_t count, double q)
{
    must(count > 0 && q >= 0 && q <= 1);
    qsort(sample, count, sizeof sample[0], by_stamp);
    return sample[(uint32_t)(q * (count - 1))];
}

void rounds_print(const char *name, const struct rounds *host, const struct rounds *limit,
                  const char *unit, enum rounds_sense sense, double target)
{
    struct rounds_figure h = rounds_figure(host), l = rounds_figure(limit);
    struct rounds_figure r = rounds_ratio(host, limit);
    bool met = sense == ROUNDS_AT_MOST ? r.median <= target : r.median >= target;
    printf("%-34s %7.1f [%.1f-%.1f] against %6.1f [%.1f-%.1f] %s: %.2f x [%.2f-%.2f], target %s "
           "%.2f x: %s\n",
           name, h.median, h.least, h.most, l.median, l.least, l.most, unit, r.median, r.least,
           r.most, sense == ROUNDS_AT_MOST ? "<=" : ">=", target, met ? "met" : "MISSED");
    fflush(stdout);
}

/* The CPUs of the process as they were before the first pin. */
static const cpu_set_t *allowed(void)
{
    static cpu_set_t set;
    static bool known;
    if (!known)
        must(sched_getaffinity(0, sizeof set, &set) == 0);
    known = true;
    return &set;
}

uint32_t rounds_cpus(void)
{
    return (uint32_t)CPU_COUNT(allowed());
}

void rounds_pin(uint32_t i)
{
    const cpu_set_t *all = allowed();
    uint32_t seen = 0, wanted = i % rounds_cpus();
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, all) && seen++ == wanted)
            CPU_SET(cpu, &one);
    }
    must(sched_setaffinity(0, sizeof one, &one) == 0);
}

static int64_t now_of(clockid_t id)
{
    struct timespec t;
    must(clock_gettime(id, &t) == 0);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int64_t rounds_cpu_ns(void)
{
    return now_of(CLOCK_THREAD_CPUTIME_ID);
}

int64_t rounds_wall_ns(void)
{
    return now_of(CLOCK_MONOTONIC);
}

double rounds_ns_per_stamp(void)
{
    int64_t from_ns = rounds_wall_ns();
    uint64_t from = rounds_begin();
    while (rounds_wall_ns() - from_ns < 50000000)
        continue;
    uint64_t stamps = rounds_end() - from;
    return (double)(rounds_wall_ns() - from_ns) / (double)stamps;
}

uint64_t rounds_stamps_of_null(void)
{
    static uint32_t sample[NULLS];
    for (uint32_t i = 0; i < NULLS; i++) {
        uint64_t from = rounds_begin();
        sample[i] = (uint32_t)(rounds_end() - from);
    }
    return rounds_quantile(sample, NULLS, 0.5);
}
