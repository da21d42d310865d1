/* SPDX-License-Identifier: Apache-2.0
 *
 * Deployment documents: one YAML file (a strict subset, see deploy/README.md) parsed into plain
 * tables. One form for both kinds: a file of serial 0 is nobody's word (a template, a backtest),
 * one of serial 1 and up is what people sign. Bad input is refused whole, with
 * `file:line:col: what, allowed, nearest known key`.
 */
#ifndef DEPLOY_DEPLOY_H
#define DEPLOY_DEPLOY_H
#include "base/result.h"
#include "tbl/facts.h"
#include "tenon/abi.h"

enum {
    DEPLOY_FILE_MAX_BYTES = 256 * 1024,
    DEPLOY_DEPTH_MAX = 16,
    DEPLOY_CURRENCIES_MAX = 16,
    DEPLOY_ACCOUNTS_MAX = 8,
    DEPLOY_INSTRUMENTS_MAX = 64,
    DEPLOY_INSTANCES_MAX = 64,
    DEPLOY_ROUTES_MAX = 128,
    DEPLOY_LIMITS_MAX = 256,
    DEPLOY_RATES_MAX = 32,
    DEPLOY_PATH_BYTES = 512,
    DEPLOY_REMOVES_MAX = 64,
};
/* How a swap goes when the document does not say: the new build hears the stream this long (event
 * time) before the flip, the old one is kept ready this long after it. */
#define DEPLOY_HEAR_NS 60000000000ll
#define DEPLOY_PROBATION_NS 1800000000000ll
enum { DEPLOY_DENIALS_OF = 16, DEPLOY_DENIALS = 12 };

/* Where a strategy runs, with the indicators it listens to. */
struct deploy_bay {
    uint32_t is_process;   /* 0: inline, on the host's own thread */
    uint32_t is_contained; /* refused where the kernel cannot enforce the whole sandbox */
    uint32_t wake;         /* enum line_wake */
    int32_t cpu;           /* -1 = any */
};

struct deploy_instance {
    struct fact_instance fact;    /* id, name, plugin, version, due_ns; sha256 zero until loaded */
    char path[DEPLOY_PATH_BYTES]; /* of the .so as written, may be empty: found by id and version */
    char sha256_hex[72];          /* pinned, may be empty */
    uint32_t line;
    uint32_t instrument; /* instrument id it works on */
    int64_t bar_ns;      /* bars it is fed with */
    struct deploy_bay bay;
    bool has_bay;         /* the document says where it runs */
    uint32_t param_count; /* as written; checked against the manifest when loaded */
    struct {
        char name[TN_NAME_BYTES];
        char text[48]; /* the scalar as written */
        uint32_t line, col;
    } param[TN_MAX_PARAMS];
    uint32_t input_count;
    struct {
        char name[TN_NAME_BYTES]; /* of the strategy's input */
        char instance[FACT_NAME_BYTES];
        char output[TN_NAME_BYTES];
        uint32_t line, col;
    } input[TN_MAX_INPUTS];
};

/* The same numbers as enum venue_profile, which this folder does not see (a test compares). */
enum deploy_profile { DEPLOY_PROFILE_UNSET = 0, DEPLOY_PLAIN, DEPLOY_DEMO };

struct deploy_venue { /* per account, how the simulated venue behaves */
    uint32_t profile; /* enum deploy_profile */
    int64_t latency_ns, jitter_ns, maker_fee_ppm, taker_fee_ppm, slippage_ppm, volume_part_ppm;
};

/* How an account reaches its venue through tenon-egress; plugin empty = it does not. */
enum { DEPLOY_ENDPOINTS_MAX = 4, DEPLOY_ENDPOINT_BYTES = 128 };
struct deploy_adapter {
    char plugin[FACT_NAME_BYTES], version[FACT_NAME_BYTES];
    char sha256_hex[72];          /* pinned, may be empty */
    char secret[FACT_NAME_BYTES]; /* in egress's store; empty = the account's name */
    uint32_t endpoint_count;      /* in the adapter's own order */
    struct {
        char name[FACT_NAME_BYTES];
        char address[DEPLOY_ENDPOINT_BYTES]; /* http://127.0.0.1:7410 */
    } endpoint[DEPLOY_ENDPOINTS_MAX];
};

struct deploy_remove { /* on_remove: what becomes of what a leaving strategy owns */
    char strategy[FACT_NAME_BYTES];
    char to[FACT_NAME_BYTES]; /* HAND_TO */
    uint32_t what;            /* enum fact_on_remove */
    uint32_t line;
};

struct deploy_lines { /* where things stand in the file; 0 = not there */
    uint32_t host, seed, run_until, swap;
    uint32_t currency[DEPLOY_CURRENCIES_MAX];
    uint32_t account[DEPLOY_ACCOUNTS_MAX];
    uint32_t instrument[DEPLOY_INSTRUMENTS_MAX];
    uint32_t route[DEPLOY_ROUTES_MAX];
    uint32_t rate[DEPLOY_RATES_MAX];
};

struct deploy_doc {
    char path[DEPLOY_PATH_BYTES];
    struct fact_deploy fact; /* serial, 0 = unsigned; sha256 of the bytes parsed */
    char host[FACT_NAME_BYTES];
    uint64_t seed;
    /* of a signed one (serial 1 and up); zero otherwise */
    uint8_t parent[FACT_HASH_BYTES];          /* SHA-256 of the one before; zeros for serial 1 */
    int64_t not_before_ns, expires_ns;        /* wall clock: when it may be promoted */
    int64_t run_until_ns;                     /* event time: then REDUCING; 0 = never */
    uint8_t template_sha256[FACT_HASH_BYTES]; /* of the file it was composed from; zeros = none */
    uint64_t rollback_of;                     /* serial that this one takes back; 0 = none */
    /* of any */
    int64_t hear_ns, probation_ns; /* event time */
    uint32_t denials;              /* of DEPLOY_DENIALS_OF decisions, then it is rolled back */
    uint32_t remove_count;
    struct deploy_remove remove[DEPLOY_REMOVES_MAX];
    uint32_t currency_count, account_count, instrument_count, instance_count, route_count,
        limit_count, rate_count;
    struct fact_currency currency[DEPLOY_CURRENCIES_MAX];
    struct fact_account account[DEPLOY_ACCOUNTS_MAX];
    struct deploy_venue venue[DEPLOY_ACCOUNTS_MAX];
    struct deploy_adapter adapter[DEPLOY_ACCOUNTS_MAX];
    struct fact_instrument instrument[DEPLOY_INSTRUMENTS_MAX];
    uint32_t stamp[DEPLOY_INSTRUMENTS_MAX]; /* TN_STAMP_* of its bar files */
    struct deploy_instance instance[DEPLOY_INSTANCES_MAX];
    struct fact_route route[DEPLOY_ROUTES_MAX];
    struct fact_limit limit[DEPLOY_LIMITS_MAX];
    struct fact_rate rate[DEPLOY_RATES_MAX];
    struct deploy_lines line; /* of what has no line of its own above */
};

/* Parses a deployment. Instruments named but not defined in it are looked up in the instruments
 * file (configs/instruments.yaml form). *out is large: heap or static. Refused whole on any
 * error. */
MUST_USE struct result deploy_read(const char *path, const char *instruments_path,
                                   struct deploy_doc *out, struct trail *tr);
/* The same from bytes; name for sentences. What is signed stands alone: a document of serial 1 and
 * up defines its instruments itself, pins every plugin, and has parent, not_before and expires. */
MUST_USE struct result deploy_parse(const char *bytes, size_t count, const char *name,
                                    const char *instruments_path, struct deploy_doc *out,
                                    struct trail *tr);
/* The same with the document's only instrument replaced by `symbol` of the instruments file, before
 * anything is computed from it: limits in quantities land on the new exponents. */
MUST_USE struct result deploy_read_as(const char *path, const char *instruments_path,
                                      const char *symbol, struct deploy_doc *out, struct trail *tr);
/* One entry of the instruments file by symbol, with its currency; both get id 1. */
MUST_USE struct result deploy_instrument(const char *instruments_path, const char *symbol,
                                         struct fact_instrument *out, struct fact_currency *ccy,
                                         uint32_t *stamp, struct trail *tr);
/* Converts the params of an instance as written by the manifest's table; missing = default. */
MUST_USE struct result deploy_params(const struct deploy_doc *d, const struct deploy_instance *i,
                                     const struct tn_manifest *m,
                                     union tn_number out[TN_MAX_PARAMS], struct trail *tr);
/* The shared object of an instance is the pinned one: sha256 is of the bytes that will be loaded.
 * An instance without a pin takes any. */
MUST_USE struct result deploy_pin(const struct deploy_doc *d, const struct deploy_instance *i,
                                  const uint8_t sha256[32], struct trail *tr);
/* Nearest of `count` known names to `word` (edit distance <= 3), or NULL. */
const char *deploy_nearest(const char *word, const char *const *known, size_t count);
#endif
