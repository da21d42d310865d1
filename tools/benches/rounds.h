/* SPDX-License-Identifier: Apache-2.0
 *
 * What every bench needs: one CPU, its clocks, and rounds with their median, least and greatest.
 *
 * Figures are ratios to a limit loop measured in the same rounds, one block of each in turn, so
 * that what else the machine does meets both. Nothing here asserts a time.
 */
#ifndef BENCHES_ROUNDS_H
#define BENCHES_ROUNDS_H
#include <stdbool.h>
#include <stdint.h>

enum { ROUNDS_MAX = 256 };

struct rounds {
    const char *name;
    uint32_t count;
    double value[ROUNDS_MAX];
};

struct rounds_figure {
    double median, least, most;
};

void rounds_add(struct rounds *r, double value);
struct rounds_figure rounds_figure(const struct rounds *r);
/* host / limit round by round: the two were measured side by side. */
struct rounds_figure rounds_ratio(const struct rounds *host, const struct rounds *limit);

/* The q-quantile (0..1) of `count` samples; sorts them. */
uint32_t rounds_quantile(uint32_t *sample, uint32_t count, double q);

/* One line: name, both raw figures with spread, their ratio with spread, the target. */
enum rounds_sense { ROUNDS_SENSE_UNSET = 0, ROUNDS_AT_MOST, ROUNDS_AT_LEAST };
void rounds_print(const char *name, const struct rounds *host, const struct rounds *limit,
                  const char *unit, enum rounds_sense sense, double target);

/* CPUs this process may use; pins the calling thread to the i-th of them. */
uint32_t rounds_cpus(void);
void rounds_pin(uint32_t i);

int64_t rounds_cpu_ns(void); /* CPU time of this thread */
int64_t rounds_wall_ns(void);

/* Time stamps around a piece of a loop: what is before is done, what is after has not begun. */
static inline uint64_t rounds_begin(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}
static inline uint64_t rounds_end(void)
{
    uint32_t low, high, cpu;
    __asm__ volatile("rdtscp\n\tlfence" : "=a"(low), "=d"(high), "=c"(cpu)::"memory");
    return (uint64_t)high << 32 | low;
}
double rounds_ns_per_stamp(void);     /* length of one count of the time stamp */
uint64_t rounds_stamps_of_null(void); /* what an empty piece costs: the median */
#endif
