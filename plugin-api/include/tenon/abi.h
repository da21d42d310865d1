/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon/abi.h: ABI 1.0 entry. The one thing a plugin exports and what every kind shares.
 *
 * ABI history (newest first)
 *   1.0  first: entry, indicator/1, strategy/1. draft: source/0, adapter/0 (draft/, not promised).
 *
 * Who calls it: the host. A plugin is a shared object that exports exactly one symbol, the const
 * data object `tn_entry`, and carries the same facts in the ELF note `.note.tenon`, so that a host
 * reads kind, id, version, parameters and outputs without running plugin code. note = manifest =
 * what tn_entry points to, byte for byte.
 *
 * Rules common to all functions
 *   - Every struct that crosses starts with `size` and only grows at its end. The receiver uses
 *     min(size it knows, size given) bytes and takes the rest as zero.
 *   - Only fixed-width integers, doubles and pointers cross. Padding is explicit and zero.
 *   - Status is int32: TN_OK or one of TN_E_*. An unknown status is a fault of the instance.
 *   - Nobody frees across the border. Pointers given to a call are valid until it returns, unless
 *     said otherwise. Text is UTF-8 with a length or a NUL inside a fixed array.
 *   - No plugin may start threads, open files or sockets, read a clock, install handlers, exit,
 *     or keep mutable globals. Many instances and two versions of a plugin live side by side.
 *   - Time and chance come with the event.
 *
 * Contract tags (the closed list; above every function pointer)
 *   [load]   once, before any instance, any thread.
 *   [setup]  create, activate, state_load: may allocate from the arena; may fail.
 *   [hot]    on_events: one call at a time per instance, any thread; no allocation, lock, syscall.
 *   [query]  between events: state_save; no change of what the instance would answer next.
 *   [drain]  deactivate, destroy: cannot fail.
 */
#ifndef TENON_ABI_H
#define TENON_ABI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TN_ABI_MAJOR 1
#define TN_ABI_MINOR 0

/* Units fixed by the ABI: word size 64, little-endian, time in ns, prices and quantities as int64
 * on the instrument's exponents, scores in millionths. Part of the handshake. */
#define TN_ABI_FINGERPRINT 0x544e010001400c06ull

/* Status codes: the closed list. */
#define TN_OK 0
#define TN_E_PARAM 1  /* a parameter is out of range or contradicts another */
#define TN_E_MEMORY 2 /* the declared arena is too small */
#define TN_E_STATE 3  /* wrong order of calls */
#define TN_E_SCHEMA 4 /* state of an unknown schema; nothing was changed */
#define TN_E_DATA 5   /* state or input bytes are damaged; nothing was changed */
#define TN_E_SHORT 6  /* an output buffer is too small; `needed` says how much */
#define TN_E_UNSUPPORTED 7

/* Kinds. */
#define TN_KIND_INDICATOR 1u
#define TN_KIND_STRATEGY 2u
#define TN_KIND_ADAPTER 3u /* draft */
#define TN_KIND_ROUTER 4u  /* reserved */
#define TN_KIND_SOURCE 5u  /* draft */

/* Manifest flags. Unknown bits in TN_FLAGS_REQUIRED are refused. */
#define TN_FLAG_MAY_CONFLATE 0x00000001u /* indicator: may be given only the latest quote */
#define TN_FLAG_COLD 0x00000002u         /* no state, no warm-up: swap only when flat */
#define TN_FLAG_DRAFT 0x00010000u        /* uses a draft kind: refused in live */
#define TN_FLAGS_REQUIRED 0xffff0000u

/* Parameter types. */
#define TN_TYPE_I64 1u
#define TN_TYPE_F64 2u
#define TN_TYPE_BOOL 3u /* value.i is 0 or 1 */

#define TN_NAME_BYTES 32
#define TN_TEXT_BYTES 96
#define TN_MAX_PARAMS 16
#define TN_MAX_OUTPUTS 8
#define TN_MAX_INPUTS 8

union tn_number {
    int64_t i;
    double f;
};

/* One row of the params table: it validates YAML, renders forms, bounds the tuner, writes docs. */
struct tn_param {
    char name[TN_NAME_BYTES];            /* [a-z][a-z0-9_]* */
    uint32_t type;                       /* TN_TYPE_* */
    uint32_t reserved;                   /* 0 */
    union tn_number def, min, max, step; /* inclusive bounds; step 0 = any */
    char unit[16];                       /* "bars", "ppm", "" */
    char text[TN_TEXT_BYTES];            /* one sentence */
};

/* One output of an indicator, or one input a strategy wants bound to an indicator's output. */
struct tn_port {
    char name[TN_NAME_BYTES];
    char unit[16]; /* "price", "ratio", "" */
    char text[TN_TEXT_BYTES];
};

/* The static facts. Lives in the note and is pointed to by tn_entry. */
struct tn_manifest {
    uint32_t size; /* sizeof(struct tn_manifest) of the plugin's header */
    uint16_t abi_major;
    uint16_t abi_minor; /* needs a host of at least this minor */
    uint64_t fingerprint;
    uint32_t kind;
    uint32_t flags;
    char id[TN_NAME_BYTES];      /* [a-z][a-z0-9_]* */
    char version[TN_NAME_BYTES]; /* semantic version */
    char vendor[TN_NAME_BYTES];
    char text[TN_TEXT_BYTES];     /* one sentence */
    uint32_t state_schema;        /* written; 0 = keeps no state */
    uint32_t state_schema_oldest; /* oldest readable */
    uint32_t state_max_bytes;
    uint32_t arena_bytes; /* instance memory wanted from the host */
    uint32_t data_bytes;  /* .data + .bss budget, 0 for well-behaved plugins */
    uint32_t budget_ns;   /* declared time of one event */
    uint32_t param_count;
    uint32_t output_count;
    uint32_t input_count;
    uint32_t signals_max; /* strategy: signals per event; 0 for other kinds */
    struct tn_param params[TN_MAX_PARAMS];
    struct tn_port outputs[TN_MAX_OUTPUTS];
    struct tn_port inputs[TN_MAX_INPUTS];
};

/* What is served to a plugin; every optional service by name. */
struct tn_host {
    uint32_t size;
    uint32_t reserved;
    void *self;
    /* [setup] Zeroed, 16-byte aligned memory for the life of the instance; NULL when the declared
     * arena_bytes are used up. Not in [hot]. Owned by the host. */
    void *(*alloc)(void *self, uint64_t bytes);
    /* [setup][hot][query][drain] One line to the host's log, at most 256 bytes, escaped, rate
     * limited. level: 1 debug, 2 info, 3 warning, 4 error. */
    void (*log)(void *self, uint32_t level, const char *text, uint32_t count);
    /* [setup] A named interface with a revision ("name/1"), valid to destroy, or NULL. */
    const void *(*get_interface)(void *self, const char *id);
};

/* The instrument an instance works on. Real price = integer * 10^price_exp. */
struct tn_instrument {
    uint32_t size;
    uint32_t id; /* never reused */
    int32_t price_exp;
    int32_t qty_exp;
    int64_t tick;       /* price units; binds orders only */
    int64_t lot;        /* quantity units */
    double price_scale; /* 10^price_exp, nearest double */
    double qty_scale;
    char symbol[TN_NAME_BYTES];
};

struct tn_create {
    uint32_t size;
    uint32_t param_count;
    const union tn_number *params; /* in the order of the manifest, already checked against it */
    const struct tn_instrument *instrument;
    int64_t bar_ns; /* bar length the instance is fed with, 0 = no bars */
    uint64_t seed;  /* for chance that must replay */
};

/* Market data and host facts as a plugin sees them. */
#define TN_EVENT_BAR 1u
#define TN_EVENT_TRADE 2u
#define TN_EVENT_QUOTE 3u
#define TN_EVENT_TICK 4u     /* time has passed; nothing else in it */
#define TN_EVENT_POSITION 5u /* strategy: the host's truth about the position changed */

#define TN_EVENT_F_WARMUP 0x1u /* history before the start: signals given now are dropped */
#define TN_EVENT_F_OFF_TICK 0x2u

struct tn_bar {
    int64_t open_ns;                /* start of the bar; the event's t_ns is its END */
    int64_t open, high, low, close; /* price units */
    int64_t volume;                 /* quantity units, >= 0 */
};
struct tn_trade {
    int64_t price, qty;
    uint32_t aggressor; /* TN_LONG buyer, TN_SHORT seller, 0 unknown */
    uint32_t reserved;
};
struct tn_quote {
    int64_t bid, bid_qty, ask, ask_qty; /* 0 = that side is empty */
};
struct tn_position {
    int64_t qty;       /* signed, quantity units */
    int64_t avg_price; /* price units, 0 when flat */
};

struct tn_event {
    uint32_t size; /* also the stride in a batch */
    uint32_t type; /* TN_EVENT_*; skip what you do not know */
    uint64_t seq;  /* event number: the cause of what you answer */
    int64_t t_ns;
    uint32_t instrument;
    uint32_t flags; /* TN_EVENT_F_* */
    union {
        struct tn_bar bar;
        struct tn_trade trade;
        struct tn_quote quote;
        struct tn_position position;
    } u;
};

/* Host streams for state. Each call may move fewer bytes than asked; 0 = end, < 0 = error. */
struct tn_stream_out {
    uint32_t size, reserved;
    void *self;
    int64_t (*write)(void *self, const void *bytes, uint64_t count);
};
struct tn_stream_in {
    uint32_t size, reserved;
    void *self;
    int64_t (*read)(void *self, void *bytes, uint64_t count);
};

/* What every instance has. The kind's own table starts with it. */
struct tn_instance_ops {
    uint32_t size;     /* of the kind's whole table */
    uint32_t revision; /* of the kind's interface: 1 for indicator/1 and strategy/1, 0 for drafts */
    /* [setup] Makes an instance. *inst is the plugin's own pointer, handed back in each call. */
    int32_t (*create)(const struct tn_host *host, const struct tn_create *c, void **inst);
    /* [setup] From here on events come. Called after warm-up as well as after state_load. */
    int32_t (*activate)(void *inst);
    /* [drain] No more events. */
    void (*deactivate)(void *inst);
    /* [drain] The last call; the host then drops the arena. */
    void (*destroy)(void *inst);
    /* [query] Optional (NULL when state_schema is 0). Same state, same bytes. */
    int32_t (*state_save)(void *inst, const struct tn_stream_out *out);
    /* [setup] Optional. `schema` is the one written; a failure leaves the instance as it was. */
    int32_t (*state_load)(void *inst, uint32_t schema, const struct tn_stream_in *in);
    /* [query] Optional. Events of history wanted before the first answer (0 = none). */
    uint32_t (*warmup)(void *inst);
};

/* The exported object. */
struct tn_entry {
    uint32_t size;
    uint16_t abi_major;
    uint16_t abi_minor;
    uint64_t fingerprint;
    const struct tn_manifest *manifest; /* equals the note, byte for byte */
    const void *ops;                    /* struct tn_indicator_ops or tn_strategy_ops by kind */
};

#define TN_EXPORT __attribute__((visibility("default"), used))

struct tn_note {
    uint32_t name_bytes; /* 8 */
    uint32_t desc_bytes; /* sizeof(struct tn_manifest) */
    uint32_t type;       /* 1 */
    char name[8];        /* "tenon" */
    uint32_t reserved;   /* 0; pads the name to the 8-byte alignment */
    struct tn_manifest manifest;
};

/* Declares note and entry from one manifest. Use once per plugin:
 *   TN_PLUGIN(TN_KIND_INDICATOR, &ops, .id = "sma", .version = "1.0.0", ...); */
#define TN_PLUGIN(plugin_kind, plugin_ops, ...)                                                    \
    __attribute__((section(".note.tenon,\"a\",%note#"), used, aligned(8)))                         \
    const struct tn_note tn_plugin_note = {.name_bytes = 8,                                        \
                                           .desc_bytes = sizeof(struct tn_manifest),               \
                                           .type = 1,                                              \
                                           .name = "tenon",                                        \
                                           .manifest = {.size = sizeof(struct tn_manifest),        \
                                                        .abi_major = TN_ABI_MAJOR,                 \
                                                        .abi_minor = TN_ABI_MINOR,                 \
                                                        .fingerprint = TN_ABI_FINGERPRINT,         \
                                                        .kind = (plugin_kind),                     \
                                                        __VA_ARGS__}};                             \
    TN_EXPORT const struct tn_entry tn_entry = {.size = sizeof(struct tn_entry),                   \
                                                .abi_major = TN_ABI_MAJOR,                         \
                                                .abi_minor = TN_ABI_MINOR,                         \
                                                .fingerprint = TN_ABI_FINGERPRINT,                 \
                                                .manifest = &tn_plugin_note.manifest,              \
                                                .ops = (plugin_ops)}

#define TN_PARAM_INT(n, d, lo, hi, st, un, tx)                                                     \
    {                                                                                              \
        .name = n, .type = TN_TYPE_I64, .def.i = d, .min.i = lo, .max.i = hi, .step.i = st,        \
        .unit = un, .text = tx                                                                     \
    }
#define TN_PARAM_REAL(n, d, lo, hi, st, un, tx)                                                    \
    {                                                                                              \
        .name = n, .type = TN_TYPE_F64, .def.f = d, .min.f = lo, .max.f = hi, .step.f = st,        \
        .unit = un, .text = tx                                                                     \
    }
#define TN_PARAM_FLAG(n, d, tx)                                                                    \
    {                                                                                              \
        .name = n, .type = TN_TYPE_BOOL, .def.i = d, .min.i = 0, .max.i = 1, .step.i = 1,          \
        .text = tx                                                                                 \
    }
#define TN_PORT(n, un, tx)                                                                         \
    {                                                                                              \
        .name = n, .unit = un, .text = tx                                                          \
    }

_Static_assert(sizeof(struct tn_param) == 184, "tn_param layout");
_Static_assert(sizeof(struct tn_port) == 144, "tn_port layout");
_Static_assert(sizeof(struct tn_event) == 80, "tn_event layout");
_Static_assert(sizeof(struct tn_instrument) == 80, "tn_instrument layout");
#endif
