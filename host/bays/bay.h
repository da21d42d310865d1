/* SPDX-License-Identifier: Apache-2.0
 *
 * Bays: where plugin code runs. A bay is one failure domain: a strategy with its private features.
 * Flow talks to every bay through struct bay_ops only. The inline bay runs the plugins on the
 * caller's thread; a process bay is another implementation of the same interface.
 *
 * The bay guards each call: status in the closed list, outputs finite and bounded, contributions
 * that sum to the score, FP control word unchanged. A broken answer quarantines the bay: it gives
 * one BAY_FAULT answer and is silent from then on. Modules are retired, never dlclosed.
 */
#ifndef BAYS_BAY_H
#define BAYS_BAY_H
#include "base/log.h"
#include "base/result.h"
#include "tbl/facts.h"
#include "tenon/indicator.h"
#include "tenon/strategy.h"

/* ---- static facts, read without running plugin code ---- */
enum { BAY_FILE_MAX_BYTES = 16 * 1024 * 1024 };
struct bay_facts {
    struct tn_manifest manifest;
    uint8_t sha256[32];
    uint64_t bytes;
    char build_id[48]; /* hex, may be empty */
};
/* Reads note, hash and build id of an ELF file; bounds-safe, nothing is mapped executable. */
MUST_USE struct result bay_read_facts(const char *path, struct bay_facts *out, struct trail *tr);

/* One static check S01..S17 (ABI-RULES section 5). */
enum bay_verdict { BAY_VERDICT_UNSET = 0, BAY_PASS, BAY_WARN, BAY_FAIL, BAY_SKIP, BAY_CRASH };
struct bay_check {
    char id[8];
    uint32_t verdict;
    char text[160];
};
enum { BAY_CHECKS_MAX = 96 };
struct bay_checks {
    uint32_t count, failed;
    struct bay_check check[BAY_CHECKS_MAX];
};
/* Runs S01..S17 over the bytes of a file (mapped or sealed memfd). */
void bay_check_static(const uint8_t *elf, size_t bytes, struct bay_checks *out,
                      struct bay_facts *facts);

/* ---- modules: a sealed copy, loaded once, never closed ---- */
struct bay_module; /* opaque, lives as long as the process */
/* Copies path to a sealed memfd, hashes it, compares with want_sha (NULL = any), runs the static
 * checks, dlopens exactly that copy (NOW, LOCAL), compares tn_entry with the note. */
MUST_USE struct result bay_load(const char *path, const uint8_t want_sha[32],
                                struct bay_module **out, struct trail *tr);
/* The first half, for a bay that is another process: a sealed copy, hashed and checked, not opened.
 * The descriptor is the caller's. */
MUST_USE struct result bay_seal(const char *path, const uint8_t want_sha[32], int *fd,
                                struct bay_facts *facts, struct trail *tr);
/* The second half, there: takes the descriptor over, also when it fails. Everything is checked
 * again: the bytes are what counts, not who handed them over. */
MUST_USE struct result bay_load_sealed(int fd, const char *name, const uint8_t want_sha[32],
                                       struct bay_module **out, struct trail *tr);
int bay_module_fd(const struct bay_module *m); /* its sealed copy; the module's own */
/* The module of these very bytes, when this process has loaded it before; else NULL. Any thread. */
struct bay_module *bay_module_find(const uint8_t sha256[32]);
const struct bay_facts *bay_module_facts(const struct bay_module *m);
const struct tn_entry *bay_module_entry(const struct bay_module *m);
uint32_t bay_module_count(void); /* loaded since start, for the cap and the alarm */

/* ---- a bay ---- */
struct bay_instance_spec {
    uint32_t id; /* instance id in the deployment */
    const struct bay_module *module;
    const union tn_number *params; /* manifest order, checked */
    /* For input k of this instance: node index within the bay spec and output of that node. */
    uint32_t input_node[TN_MAX_INPUTS];
    uint32_t input_output[TN_MAX_INPUTS];
};
enum { BAY_NODES_MAX = 16, BAY_ANSWERS_MAX = 1024 };
struct bay_spec {
    struct tn_instrument instrument;
    int64_t bar_ns;
    uint64_t seed;
    uint32_t node_count; /* indicators in topological order, the strategy last */
    struct bay_instance_spec node[BAY_NODES_MAX];
};
enum bay_answer_kind {
    BAY_ANSWER_UNSET = 0,
    BAY_SIGNAL,
    BAY_FAULT, /* quarantined: the last answer */
    BAY_DIED,  /* its process is gone and started again: silent until BAY_BACK */
    BAY_BACK,  /* it has caught up; what it answered to from_seq..to_seq may be lost */
};
struct bay_answer {
    uint32_t kind;
    uint32_t instance;
    uint64_t cause_seq;
    int64_t cause_t_ns;
    struct fact_signal signal; /* BAY_SIGNAL: checked; plugin_hash filled */
    int32_t status;            /* BAY_FAULT */
    char text[FACT_TEXT_BYTES];
    uint64_t from_seq, to_seq; /* BAY_BACK */
};
struct bay {
    const struct bay_ops *ops;
};
struct bay_ops {
    const char *name;
    /* Events in order, stride ev->size; never blocks. Warm-up events carry TN_EVENT_F_WARMUP:
     * their signals are dropped by the bay. Before activate only warm-up events may come (must).
     * What one give may answer is bounded (BAY_ANSWERS_MAX): take in between. */
    void (*give)(struct bay *b, const struct tn_event *ev, uint32_t count);
    /* The oldest answer, false when there is none. */
    bool (*take)(struct bay *b, struct bay_answer *out);
    /* Events of history the slowest node wants before its first answer. */
    uint32_t (*warmup)(struct bay *b);
    MUST_USE struct result (*activate)(struct bay *b, struct trail *tr);
    /* State of one node (index) as host header + blob; malloc'ed. */
    MUST_USE struct result (*save)(struct bay *b, uint32_t node, uint64_t as_of_seq, void **bytes,
                                   size_t *count, struct trail *tr);
    MUST_USE struct result (*load)(struct bay *b, uint32_t node, const void *bytes, size_t count,
                                   struct trail *tr);
    bool (*is_quarantined)(const struct bay *b);
    void (*stop)(struct bay *b); /* deactivate, destroy, free; cannot fail */
    /* Cold: writes the log lines that plugins wrote in hot calls. When there is nothing to do. */
    void (*idle)(struct bay *b);
};
/* Creates every node (create, not yet activate). l may be NULL. */
MUST_USE struct result bay_inline_new(const struct bay_spec *spec, struct log *l, struct bay **out,
                                      struct trail *tr);

/* Cold, for an inline bay without a log: hands over the lines that its plugins wrote; they were
 * escaped and limited when they came. */
typedef void (*bay_line_fn)(void *arg, uint32_t level, const char *text);
void bay_inline_lines(struct bay *b, bay_line_fn line, void *arg);

/* Checks one parameter by its row: type, bounds, step. */
MUST_USE struct result bay_param_check(const struct tn_param *row, union tn_number value,
                                       struct trail *tr);
/* SHA-256 over fixed exp/log/pow values: tells machines with other libm bits apart. */
void bay_libm_probe(uint8_t out[32]);
/* What an environment must hold so that a program starts with the libm variant pinned. */
#define BAY_LIBM_PIN "GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4"
/* Re-executes the program once with the libm variant pinned (DECISIONS 34). Gives back normally
 * when it already is, or when the re-exec fails (said in the trail). */
MUST_USE struct result bay_pin_libm(char **argv, struct trail *tr);
#endif
