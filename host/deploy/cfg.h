/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside deploy/: one configuration file as bytes, hash and a tree of nodes with places, and the
 * one way to say what is wrong with it.
 *
 * Invariants
 *   1. The bytes are read once; hash and tree come from that one buffer.
 *   2. A tree exists only for a file inside the strict subset (cfg_tree.c); below it every scalar
 *      is printable ASCII on one line, every mapping has distinct keys.
 *   3. Every refusal is one sentence
 *      `error[CFGnnn] file:line:col key.path: what; allowed ...; nearest known key ...`.
 * Life: cfg_open, readers, cfg_close. One thread; heap.
 */
#ifndef DEPLOY_CFG_H
#define DEPLOY_CFG_H
#include "base/hash.h"
#include "base/num.h"
#include "base/result.h"
#include "deploy/keys.h"

#define CFG_CODES(X)                                                                               \
    X(1, FILE, "the file cannot be used")                                                          \
    X(2, SIZE, "too large")                                                                        \
    X(3, BYTES, "bytes that have no place in it")                                                  \
    X(4, YAML, "not YAML")                                                                         \
    X(5, SUBSET, "YAML outside the strict subset")                                                 \
    X(6, DEPTH, "nested too deep")                                                                 \
    X(7, DUPLICATE, "given twice")                                                                 \
    X(8, UNKNOWN, "unknown key")                                                                   \
    X(9, MISSING, "missing key")                                                                   \
    X(10, TYPE, "another type is wanted")                                                          \
    X(11, NUMBER, "not a plain decimal")                                                           \
    X(12, RANGE, "outside its range")                                                              \
    X(13, DIGITS, "more digits than the exponent holds")                                           \
    X(14, NAME, "names something that is not there")                                               \
    X(15, FULL, "more than the tables hold")                                                       \
    X(16, VALUE, "not one of the allowed values")                                                  \
    X(17, LATER, "comes with a later release")                                                     \
    X(18, CONFLICT, "contradicts another key")                                                     \
    X(19, PIN, "another file than the pinned one")                                                 \
    X(20, TIME, "not a time")                                                                      \
    X(21, FIXED, "cannot change while the host runs")

enum cfg_code {
    CFG_CODE_UNSET = 0,
#define X(id, name, text) CFG_##name = id,
    CFG_CODES(X)
#undef X
};

enum cfg_kind { CFG_KIND_UNSET = 0, CFG_SCALAR, CFG_MAP, CFG_LIST };
enum { CFG_NODES_MAX = 8192, CFG_SCALAR_MAX_BYTES = 500, CFG_PATH_BYTES = 160 };

struct cfg_node {
    uint32_t kind;
    uint32_t quoted;
    uint32_t line, col;         /* of the value, from 1 */
    uint32_t key_line, key_col; /* of the key; the value's own in a list */
    uint32_t count;             /* children */
    const char *key;            /* in a mapping, else NULL */
    const char *text;           /* of a scalar */
    struct cfg_node *parent, *next, *first, *last;
};

struct cfg_file {
    const char *path; /* borrowed */
    struct trail *tr; /* borrowed, may be NULL */
    char *bytes;      /* NUL added after count */
    size_t count;
    uint8_t sha256[HASH_SHA256_BYTES];
    struct cfg_node *pool; /* CFG_NODES_MAX */
    uint32_t node_count;
    char *text; /* scalars and keys, NUL-terminated */
    size_t text_used, text_bytes;
    struct cfg_node *root;
};

enum cfg_section {
    CFG_SECTION_UNSET = 0,
#define X(name, text) CFG_IN_##name,
    CFG_SECTIONS(X)
#undef X
        CFG_SECTION_END
};

/* Reads, hashes and parses; *out is for cfg_close, NULL on failure. */
MUST_USE struct result cfg_open(const char *path, struct trail *tr, struct cfg_file **out);
/* The same from bytes that somebody read before; they are copied. name: for sentences, borrowed. */
MUST_USE struct result cfg_open_bytes(const char *bytes, size_t count, const char *name,
                                      struct trail *tr, struct cfg_file **out);
void cfg_close(struct cfg_file *f);

/* cfg_bytes.c: the file's bytes, without following links; refused when they are no clean text. */
MUST_USE struct result cfg_bytes(struct cfg_file *f);
/* The same checks over a copy of these. */
MUST_USE struct result cfg_bytes_given(struct cfg_file *f, const char *bytes, size_t count);
/* cfg_tree.c: f->bytes to f->root. */
MUST_USE struct result cfg_tree(struct cfg_file *f);

/* Refusals. `cfg_fail` points at a value, `cfg_fail_key` at its key, `cfg_fail_at` at a place. */
struct result cfg_fail(const struct cfg_file *f, enum cfg_code code, const struct cfg_node *n,
                       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
struct result cfg_fail_key(const struct cfg_file *f, enum cfg_code code, const struct cfg_node *n,
                           const char *fmt, ...) __attribute__((format(printf, 4, 5)));
struct result cfg_fail_at(const struct cfg_file *f, enum cfg_code code, uint32_t line, uint32_t col,
                          const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The same for places outside of a file being parsed. where: "key.path". */
struct result cfg_fail_where(struct trail *tr, const char *path, enum cfg_code code, uint32_t line,
                             uint32_t col, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));
/* "; allowed a, b, c" and "; nearest known key b" when there is one. */
void cfg_hint(char *out, size_t bytes, const char *what, const char *word, const char *const *known,
              size_t count);

/* The value of a key, or NULL. */
const struct cfg_node *cfg_get(const struct cfg_node *map, const char *key);
/* It is a mapping whose keys are all known to the section and that lacks none required. */
MUST_USE struct result cfg_keys(const struct cfg_file *f, const struct cfg_node *map,
                                enum cfg_section section);
MUST_USE struct result cfg_is_map(const struct cfg_file *f, const struct cfg_node *n);
/* The rows of a section, for hints and tests. Gives the count. */
size_t cfg_section_keys(enum cfg_section section, const char *const **names,
                        const uint8_t **required);
const char *cfg_section_name(enum cfg_section section);

/* cfg_form.c: what a value looks like, by section and key. */
enum cfg_value {
    CFG_VALUE_UNSET = 0,
#define X(name, text) CFG_IS_##name,
    CFG_VALUES(X)
#undef X
};
struct cfg_row {
    enum cfg_value is;
    const char *key, *min, *max, *unit, *def, *example;
    const char *text; /* what it means */
    bool is_required;
};
enum cfg_shape { CFG_SHAPE_UNSET = 0, CFG_ONE, CFG_NAMED, CFG_ROWS };
/* A deployment's or instruments file's key; false when the section has none of this name. */
bool cfg_row(enum cfg_section section, const char *key, struct cfg_row *out);
const char *cfg_value_text(enum cfg_value is);
/* The section below a key, and its shape; false: a value, or names with plain values. */
bool cfg_nest(enum cfg_section section, const char *key, enum cfg_shape *shape,
              enum cfg_section *below);
/* Typed readers of a key of this section, with the bounds and the default of its row. unit: instead
 * of the row's, for sentences; NULL: the row's. */
MUST_USE struct result cfg_read_decimal(const struct cfg_file *f, const struct cfg_node *map,
                                        enum cfg_section section, const char *key, int exp,
                                        const char *unit, int64_t *out);
MUST_USE struct result cfg_read_duration(const struct cfg_file *f, const struct cfg_node *map,
                                         enum cfg_section section, const char *key, int64_t *out);
MUST_USE struct result cfg_read_int(const struct cfg_file *f, const struct cfg_node *map,
                                    enum cfg_section section, const char *key, int64_t *out);
/* Index of the word in the row's list. */
MUST_USE struct result cfg_read_word(const struct cfg_file *f, const struct cfg_node *map,
                                     enum cfg_section section, const char *key, uint32_t *out);

/* cfg_scalar.c: typed readers. Each refuses what is not exactly its form. */
enum cfg_form {
    CFG_FORM_UNSET = 0,
    CFG_ID,       /* [a-z][a-z0-9_]*, as instances, accounts, plugins, hosts are named */
    CFG_SYMBOL,   /* letters, digits and . _ : / - */
    CFG_CURRENCY, /* [A-Z][A-Z0-9]* */
    CFG_VERSION,  /* 1.2.3 */
    CFG_HEX,      /* 64 hex digits, quoted */
    CFG_FILEPATH, /* printable, no blanks at its ends */
};
bool cfg_is_form(const char *text, enum cfg_form form);
/* Text of a form into out (NUL-terminated). `key`: the node's key instead of its value. */
MUST_USE struct result cfg_text(const struct cfg_file *f, const struct cfg_node *n,
                                enum cfg_form form, char *out, size_t bytes);
MUST_USE struct result cfg_key_text(const struct cfg_file *f, const struct cfg_node *n,
                                    enum cfg_form form, char *out, size_t bytes);
/* The root's schema key is a form this release reads. */
MUST_USE struct result cfg_schema(const struct cfg_file *f);
/* A whole number, written plain. */
MUST_USE struct result cfg_int(const struct cfg_file *f, const struct cfg_node *n, int64_t min,
                               int64_t max, int64_t *out);
/* A decimal, plain or quoted, as mantissa at exp. min and max are decimals; min "" = above zero. */
MUST_USE struct result cfg_decimal(const struct cfg_file *f, const struct cfg_node *n, int exp,
                                   const char *min, const char *max, const char *unit,
                                   int64_t *out);
/* The same with the exponent as written: at most 12 digits after the point. */
MUST_USE struct result cfg_decimal_any(const struct cfg_file *f, const struct cfg_node *n,
                                       int64_t *out, int32_t *exp);
/* 90s, 5m, 1h: a whole number and a unit. */
MUST_USE struct result cfg_duration(const struct cfg_file *f, const struct cfg_node *n,
                                    int64_t min_ns, int64_t max_ns, int64_t *out);
/* The same back, with the longest unit that makes a whole number. */
void cfg_duration_text(int64_t ns, char out[32]);
/* 2026-11-20T13:00:00Z: UTC, whole seconds, the years 2000 to 2199; plain or quoted. */
MUST_USE struct result cfg_time(const struct cfg_file *f, const struct cfg_node *n, int64_t *out);
MUST_USE struct result cfg_bool(const struct cfg_file *f, const struct cfg_node *n, bool *out);
/* One of `count` words; gives its index. */
MUST_USE struct result cfg_choice(const struct cfg_file *f, const struct cfg_node *n,
                                  const char *const *words, size_t count, uint32_t *out);
/* [-]digits[.digits] without leading zeros and not minus zero. */
bool cfg_is_decimal(const char *text);
/* A word or number that YAML readers take for another type: yes, no, on, off, null, ~, ... */
bool cfg_is_ambiguous(const char *text);
#endif
