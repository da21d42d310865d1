/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads like any plugin and misbehaves later: one mode per build, for the check cards. The base is
 * an indicator that gives the sum and the last of the closes, with state, and is right in all the
 * ways that its mode does not name.
 */
#include "tenon/indicator.h"
#include <string.h>

struct moody {
    double sum;
    int64_t bars;
    double last;
    int64_t spare;
};

#ifdef MODE_GLOBAL_STATE
static double shared;
#define DATA_BYTES 64
#else
#define DATA_BYTES 0
#endif

static inline long system_call(long number, long a, long b)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(0l)
                     : "rcx", "r11", "memory");
    return result;
}

struct frame {
    struct moody m;
    const struct tn_host *host;
};

static int32_t create(const struct tn_host *host, const struct tn_create *c, void **inst)
{
    (void)c;
#ifdef MODE_GREEDY
    struct frame *f = host->alloc(host->self, 4096);
#else
    struct frame *f = host->alloc(host->self, sizeof *f);
#endif
#ifdef MODE_NULL_ALLOC_CRASH
    f->m.bars = 0;
#else
    if (!f)
        return TN_E_MEMORY;
#endif
#ifdef MODE_UMASK_AT_CREATE
    system_call(95, 0, 0);
#endif
#ifdef MODE_HANG
    for (;;)
        __asm__ volatile("pause");
#endif
#ifdef MODE_OVERRUN
    memset((char *)(uintptr_t)c + c->size, 0x5a, 8);
#endif
    f->host = host;
    *inst = f;
    return TN_OK;
}

static int32_t activate(void *inst)
{
    (void)inst;
    return TN_OK;
}

static void end(void *inst)
{
    (void)inst;
}

static void hot_mischief(struct frame *f, const struct tn_event *ev)
{
    (void)f;
    (void)ev;
#ifdef MODE_CRASH
    if (f->m.bars == 50)
        __builtin_trap();
#endif
#ifdef MODE_SYSCALL
    if (f->m.bars == 50)
        system_call(39, 0, 0);
#endif
#ifdef MODE_CLOCK
    f->m.sum += (double)(__builtin_ia32_rdtsc() & 1023);
#endif
#ifdef MODE_GLOBAL_STATE
    shared += 1;
    f->m.sum += shared;
#endif
#ifdef MODE_ADDRESS
    f->m.sum += (double)(((uintptr_t)f >> 12) & 0xffff);
#endif
#ifdef MODE_NAN_ON_EXTREME
    if (ev->u.bar.volume == 0)
        f->m.last = 0.0 / (double)ev->u.bar.volume;
#endif
#ifdef MODE_HOT_ALLOC
    if (f->m.bars == 50)
        f->host->alloc(f->host->self, 8);
#endif
#ifdef MODE_ROUNDING
    uint32_t fp;
    __asm__ volatile("stmxcsr %0" : "=m"(fp));
    fp |= 0x8040;
    __asm__ volatile("ldmxcsr %0" : : "m"(fp));
#endif
}

static int32_t on_events(void *inst, const struct tn_event *ev, uint32_t count, double *value,
                         uint32_t *ready)
{
    struct frame *f = inst;
    for (uint32_t i = 0; i < count; i++) {
        if (ev->type == TN_EVENT_BAR) {
            f->m.last = (double)ev->u.bar.close;
            f->m.sum += f->m.last * 1e-6;
            f->m.bars++;
            hot_mischief(f, ev);
        }
        value[2 * i] = f->m.sum;
        value[2 * i + 1] = f->m.last;
        ready[i] = f->m.bars > 0 ? 3 : 0;
#ifdef MODE_BATCH_CUT
        if (i == 0)
            value[2 * i] += (double)count;
#endif
#ifdef MODE_IGNORES_STRIDE
        ev++;
#else
        ev = (const void *)((const char *)ev + ev->size);
#endif
    }
#ifdef MODE_SLOW_STATUS
    return f->m.bars >= 77 ? 1234 : TN_OK;
#else
    return TN_OK;
#endif
}

static int32_t state_save(void *inst, const struct tn_stream_out *out)
{
    struct frame *f = inst;
    struct moody copy = f->m;
    const char *at = (const char *)&copy;
#ifdef MODE_SAVE_DIFFERS
    copy.spare = (int64_t)(uintptr_t)inst;
#endif
#ifdef MODE_SAVE_CHANGES
    f->m.sum += 1;
#endif
#ifdef MODE_SHORT_STREAM
    return out->write(out->self, at, sizeof copy) > 0 ? TN_OK : TN_E_SHORT;
#else
    for (uint64_t left = sizeof copy; left > 0;) {
        int64_t n = out->write(out->self, at, left);
        if (n <= 0)
            return TN_E_SHORT;
        at += n;
        left -= (uint64_t)n;
    }
    return TN_OK;
#endif
}

static bool read_all(const struct tn_stream_in *in, void *bytes, uint64_t count)
{
    for (char *at = bytes; count > 0;) {
        int64_t n = in->read(in->self, at, count);
        if (n <= 0)
            return false;
        at += n;
        count -= (uint64_t)n;
    }
    return true;
}

static int32_t state_load(void *inst, uint32_t schema, const struct tn_stream_in *in)
{
    struct frame *f = inst;
    struct moody m;
    char more;
#ifndef MODE_NEWER_ACCEPTED
    if (schema != 1)
        return TN_E_SCHEMA;
#endif
    (void)schema;
#ifdef MODE_LOAD_HALF
    if (!read_all(in, &f->m, sizeof m) || in->read(in->self, &more, 1) != 0)
        return TN_E_DATA;
    m = f->m;
#else
    if (!read_all(in, &m, sizeof m) || in->read(in->self, &more, 1) != 0)
        return TN_E_DATA;
#endif
#ifdef MODE_LOAD_TRUSTS
    volatile char *where = (char *)f + m.bars % 7;
    if (m.bars < 0 || m.bars > 1000000)
        where = (volatile char *)(uintptr_t)m.bars;
    *where = *where;
#else
    if (m.bars < 0 || m.bars > INT64_MAX / 2 || !(m.sum - m.sum == 0) || !(m.last - m.last == 0))
        return TN_E_DATA;
#endif
#ifdef MODE_LOAD_FORGETS
    m.sum = 0;
#endif
    f->m = m;
    return TN_OK;
}

static uint32_t warmup(void *inst)
{
    (void)inst;
    return 1;
}

static const struct tn_indicator_ops ops = {.base = {.size = sizeof ops,
                                                     .revision = 1,
                                                     .create = create,
                                                     .activate = activate,
                                                     .deactivate = end,
                                                     .destroy = end,
                                                     .state_save = state_save,
                                                     .state_load = state_load,
                                                     .warmup = warmup},
                                            .on_events = on_events};

TN_PLUGIN(TN_KIND_INDICATOR, &ops, .id = "moody", .version = "1.0.0", .vendor = "tests",
          .text = "Misbehaves later.", .state_schema = 1, .state_schema_oldest = 1,
          .state_max_bytes = sizeof(struct moody), .arena_bytes = 64, .budget_ns = 1000,
          .data_bytes = DATA_BYTES, .output_count = 2,
          .outputs = {TN_PORT("sum", "", "Sum of closes."),
                      TN_PORT("last", "price", "Last close.")});
