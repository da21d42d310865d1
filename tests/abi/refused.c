/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that must not get in: one fault per build, chosen by a FAULT_... definition. With
 * FAULT_NONE the source is right and the link flags are wrong.
 */
#include "tenon/indicator.h"

void *malloc(unsigned long);
double sin(double);
double no_library_has_this(double);

__attribute__((unused)) static int32_t create(const struct tn_host *host, const struct tn_create *c,
                                              void **inst)
{
    (void)c;
    *inst = host->alloc(host->self, 16);
    return *inst ? TN_OK : TN_E_MEMORY;
}

__attribute__((unused)) static int32_t activate(void *inst)
{
    (void)inst;
    return TN_OK;
}

static void end(void *inst)
{
    (void)inst;
}

#ifdef FAULT_CONSTRUCTOR
__attribute__((constructor)) static void at_load(void)
{
    __builtin_trap();
}
#endif

#ifdef FAULT_IFUNC
static double plain(double v)
{
    return v;
}
static double (*choose(void))(double)
{
    return plain;
}
static double chosen(double) __attribute__((ifunc("choose")));
#endif

#ifdef FAULT_TLS_DATA
static __thread double last;
#endif
#ifdef FAULT_GLOBALS
static double last = 1;
#endif
#ifdef FAULT_TWO_SYMBOLS
TN_EXPORT const int tn_helper = 1;
#endif

static double work(double v)
{
#if defined FAULT_IMPORTS_MALLOC
    return malloc((unsigned long)v) ? v : 0;
#elif defined FAULT_USES_SIN
    return sin(v);
#elif defined FAULT_UNRESOLVED
    return no_library_has_this(v);
#elif defined FAULT_IFUNC
    return chosen(v);
#elif defined FAULT_TLS_DATA || defined FAULT_GLOBALS
    double before = last;
    last = v;
    return before;
#elif defined FAULT_MXCSR
    uint32_t fp = 0x9fc0;
    __asm__ volatile("ldmxcsr %0" : : "m"(fp));
    return v;
#else
    return v;
#endif
}

static int32_t on_events(void *inst, const struct tn_event *ev, uint32_t count, double *value,
                         uint32_t *ready)
{
    (void)inst;
    for (uint32_t i = 0; i < count; i++) {
        value[i] = work((double)ev->t_ns);
        ready[i] = 1;
    }
    return TN_OK;
}

#ifdef FAULT_FOREIGN_FUNCTION
void *memcpy(void *, const void *, unsigned long);
#endif

#ifdef FAULT_SHORT_OPS
#define OPS_SIZE (sizeof ops - 8)
#else
#define OPS_SIZE sizeof ops
#endif
#ifdef FAULT_REVISION
#define OPS_REVISION 2
#else
#define OPS_REVISION 1
#endif

static const struct tn_indicator_ops ops = {
    .base = {.size = OPS_SIZE,
             .revision = OPS_REVISION,
#ifndef FAULT_NO_CREATE
             .create = create,
#endif
#ifdef FAULT_FOREIGN_FUNCTION
             .activate = (int32_t(*)(void *))(void (*)(void))memcpy,
#else
             .activate = activate,
#endif
             .deactivate = end,
             .destroy = end},
    .on_events = on_events};

#define FACTS                                                                                      \
    .id = "refused", .version = "1.0.0", .vendor = "tests", .text = "Must not get in.",            \
    .arena_bytes = 16, .output_count = 1, .outputs = {TN_PORT("v", "", "A value.")}

#if defined FAULT_WRONG_MAJOR
#define FAULTS FACTS, .abi_major = 2
#elif defined FAULT_NEWER_MINOR
#define FAULTS FACTS, .abi_minor = 9
#elif defined FAULT_FINGERPRINT
#define FAULTS FACTS, .fingerprint = 0x1122334455667788ull
#elif defined FAULT_BAD_ID
#define FAULTS FACTS, .id = "Ref used"
#elif defined FAULT_BAD_COUNT
#define FAULTS FACTS, .param_count = 17
#elif defined FAULT_BAD_DEFAULT
#define FAULTS                                                                                     \
    FACTS, .param_count = 1, .params = {TN_PARAM_INT("n", 50, 1, 20, 1, "", "Above its maximum.")}
#elif defined FAULT_UNKNOWN_KIND
#define FAULTS FACTS, .kind = 9
#elif defined FAULT_UNKNOWN_FLAG
#define FAULTS FACTS, .flags = 0x00800000u
#elif defined FAULT_STATE_WITHOUT_SAVE
#define FAULTS FACTS, .state_schema = 1, .state_schema_oldest = 1, .state_max_bytes = 8
#else
#define FAULTS FACTS
#endif

#if defined FAULT_NO_NOTE
static const struct tn_manifest manifest = {.size = sizeof manifest,
                                            .abi_major = TN_ABI_MAJOR,
                                            .abi_minor = TN_ABI_MINOR,
                                            .fingerprint = TN_ABI_FINGERPRINT,
                                            .kind = TN_KIND_INDICATOR,
                                            FAULTS};
TN_EXPORT const struct tn_entry tn_entry = {.size = sizeof tn_entry,
                                            .abi_major = TN_ABI_MAJOR,
                                            .abi_minor = TN_ABI_MINOR,
                                            .fingerprint = TN_ABI_FINGERPRINT,
                                            .manifest = &manifest,
                                            .ops = &ops};
#elif defined FAULT_ENTRY_ABI || defined FAULT_ENTRY_MANIFEST || defined FAULT_ENTRY_SIZE ||       \
    defined FAULT_NO_OPS || defined FAULT_NO_ENTRY
/* A right note beside an entry that does not go with it. */
__attribute__((section(".note.tenon,\"a\",%note#"), used,
               aligned(8))) static const struct tn_note tn_plugin_note = {
    .name_bytes = 8,
    .desc_bytes = sizeof(struct tn_manifest),
    .type = 1,
    .name = "tenon",
    .manifest = {.size = sizeof(struct tn_manifest),
                 .abi_major = TN_ABI_MAJOR,
                 .abi_minor = TN_ABI_MINOR,
                 .fingerprint = TN_ABI_FINGERPRINT,
                 .kind = TN_KIND_INDICATOR,
                 FAULTS}};
#ifdef FAULT_ENTRY_MANIFEST
static const struct tn_manifest other = {.size = sizeof other, .id = "other"};
#endif
#ifndef FAULT_NO_ENTRY
TN_EXPORT const struct tn_entry tn_entry = {
#ifdef FAULT_ENTRY_SIZE
    .size = sizeof tn_entry + 64,
#else
    .size = sizeof tn_entry,
#endif
#ifdef FAULT_ENTRY_ABI
    .abi_major = 3,
#else
    .abi_major = TN_ABI_MAJOR,
#endif
    .abi_minor = TN_ABI_MINOR,
    .fingerprint = TN_ABI_FINGERPRINT,
#ifdef FAULT_ENTRY_MANIFEST
    .manifest = &other,
#else
    .manifest = &tn_plugin_note.manifest,
#endif
#ifdef FAULT_NO_OPS
    .ops = 0,
#else
    .ops = &ops,
#endif
};
#else /* something must use the table */
__attribute__((used)) static const void *const kept = &ops;
#endif
#else
TN_PLUGIN(TN_KIND_INDICATOR, &ops, FAULTS);
#endif

#ifdef FAULT_TWO_NOTES
__attribute__((section(".note.tenon.second,\"a\",%note#"), used,
               aligned(8))) static const struct tn_note second_note = {
    .name_bytes = 8,
    .desc_bytes = sizeof(struct tn_manifest),
    .type = 1,
    .name = "tenon",
    .manifest = {.size = sizeof(struct tn_manifest),
                 .abi_major = TN_ABI_MAJOR,
                 .fingerprint = TN_ABI_FINGERPRINT,
                 .kind = TN_KIND_INDICATOR,
                 FACTS}};
#endif
