/* SPDX-License-Identifier: Apache-2.0
 *
 * Belief replay: every build that a journal knows is built again from the documents in it, shown
 * exactly what it was shown then, and its signals are compared with those recorded (accepted or
 * not). The same version gives the same signals; another one gives the first that differs.
 */
#ifndef FLOW_REBELIEF_H
#define FLOW_REBELIEF_H
#include "flow/registry.h"

struct rebelief_options {
    const char *journal_dir;
    const char *plugin_dir;
    uint64_t as_serial; /* builds of this deployment instead of each one's own; 0 = its own */
};
enum { REBELIEF_BUILDS_MAX = 4096 };
struct rebelief_build {
    uint32_t instance, generation;
    uint64_t from_seq, to_seq;
    uint64_t signals, same; /* recorded; found again */
    uint64_t differs_seq;   /* cause of the first that differs; 0 = none does, or none could */
    char name[FACT_NAME_BYTES], plugin[FACT_NAME_BYTES], version[FACT_NAME_BYTES];
    char difference[320]; /* a sentence, empty when identical */
};
struct rebelief_report {
    uint32_t build_count;
    uint64_t events, signals;
    uint32_t differing; /* builds */
    struct rebelief_build build[REBELIEF_BUILDS_MAX];
};
MUST_USE struct result rebelief_run(const struct rebelief_options *o, struct rebelief_report *out,
                                    struct trail *tr);
#endif
