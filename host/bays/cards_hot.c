/* SPDX-License-Identifier: Apache-2.0
 *
 * Cards P45-P48: what a hot call costs.
 *
 * P45 counts system calls by a seccomp filter that traps all but the ones needed to end: the
 * handler counts and lets the call fail, so the first and the number are known. The time-stamp
 * counter, a clock without a system call, is trapped the same way (PR_SET_TSC).
 *
 * P46: a loaded plugin cannot name an allocator (S05), so what is left is the host's alloc in a
 * hot call, memory mapped by hand, and an allocator of libc reached through libm: the first is
 * counted by the host services, the second by the size of the address space, the third by
 * mallinfo2. P47 reports times and never fails by them: the machine may be busy.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/must.h"
#include "bays/cards_priv.h"

/* ---- P45 ---- */

/* Not _exit: before a call that does not return the address sanitizer makes system calls, which
 * the filter refuses. */
static void end_now(int code)
{
    (void)syscall(SYS_exit_group, code);
}

/* Written by a signal handler: there is no other way to reach it than a static. */
static struct {
    volatile sig_atomic_t calls, first, clocks, other;
} trapped;

static void on_trap(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    (void)sig;
    if (trapped.calls == 0)
        trapped.first = info->si_syscall;
    trapped.calls = trapped.calls + 1;
    uc->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
}

/* RDTSC is 0F 31, RDTSCP 0F 01 F9. Any other fault ends the process: the verdict is a crash. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    const uint8_t *at = (const uint8_t *)(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    (void)info;
    bool rdtsc = at[0] == 0x0f && at[1] == 0x31;
    bool rdtscp = at[0] == 0x0f && at[1] == 0x01 && at[2] == 0xf9;
    if (!rdtsc && !rdtscp)
        end_now(128 + sig);
    trapped.clocks = trapped.clocks + 1;
    uc->uc_mcontext.gregs[REG_RAX] = uc->uc_mcontext.gregs[REG_RDX] = 0;
    uc->uc_mcontext.gregs[REG_RIP] += rdtsc ? 2 : 3;
}

static bool trap_all(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit_group, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_rt_sigreturn, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    struct sigaction trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    return sigaction(SIGSYS, &trap, NULL) == 0 && sigaction(SIGSEGV, &fault, NULL) == 0 &&
           prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static int32_t run_hot(struct rig *r, const struct feed_market *f)
{
    for (uint32_t at = 0; at + 32 <= f->count; at += 32) {
        int32_t status = rig_hot(r, f, at, at % 64 == 0 ? 32 : 1);
        if (status != TN_OK)
            return status;
    }
    return TN_OK;
}

void cards_p45(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    cards_market(c, &f, CARDS_EVENTS);
    if (!cards_start(c, &r, &f))
        return;
    if (!trap_all()) {
        CARD_SKIP("this kernel does not let a process trap its own system calls");
        return;
    }
    int32_t status = run_hot(&r, &f);
    /* No way back from the filter: the verdict is written and the process ends. */
    if (trapped.calls > 0)
        CARD_FAIL("%d system calls in hot calls, the first is number %d", (int)trapped.calls,
                  (int)trapped.first);
    else if (trapped.clocks > 0)
        CARD_FAIL("reads the time-stamp counter in hot calls (%d times)", (int)trapped.clocks);
    else if (status != TN_OK)
        CARD_WARN("no system call up to a hot call that gave status %d", status);
    else
        CARD_PASS("no system call and no clock in hot calls");
    end_now(0);
}

/* ---- P46 ---- */

/* Pages of the address space; plain read: stdio would allocate. */
static long address_space(void)
{
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    must(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    must(n > 0);
    close(fd);
    return strtol(text, NULL, 10);
}

void cards_p46(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    cards_market(c, &f, CARDS_EVENTS);
    if (!cards_start(c, &r, &f))
        return;
    (void)run_hot(&r, &f); /* lazy things of libm happen now */
    bool before_misused = r.serve.misused;
    long pages = address_space();
    struct mallinfo2 heap = mallinfo2();
    (void)run_hot(&r, &f);
    struct mallinfo2 heap_after = mallinfo2();
    long pages_after = address_space();
    if (before_misused || r.serve.misused)
        CARD_FAIL("asks the host for memory or interfaces in a hot call");
    else if (heap.uordblks != heap_after.uordblks || heap.hblkhd != heap_after.hblkhd)
        CARD_FAIL("the heap grows by %lld bytes in hot calls",
                  (long long)(heap_after.uordblks + heap_after.hblkhd) -
                      (long long)(heap.uordblks + heap.hblkhd));
    else if (pages != pages_after)
        CARD_FAIL("the address space changes by %ld pages in hot calls", pages_after - pages);
    else
        CARD_PASS("no memory asked for in hot calls");
}

/* ---- P47, P48 ---- */

static int order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void cards_p47(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    cards_market(c, &f, CARDS_EVENTS);
    if (!cards_start(c, &r, &f))
        return;
    int64_t *ns = calloc(f.count, sizeof *ns), null_ns = INT64_MAX;
    must(ns != NULL);
    for (uint32_t i = 0; i < 1000; i++) { /* what a pair of clock readings costs */
        int64_t from = clock_mono(&clock_system), took = clock_mono(&clock_system) - from;
        null_ns = took < null_ns ? took : null_ns;
    }
    for (uint32_t i = 0; i < f.count; i++) {
        int64_t from = clock_mono(&clock_system);
        (void)rig_hot(&r, &f, i, 1);
        int64_t took = clock_mono(&clock_system) - from - null_ns;
        ns[i] = took > 0 ? took : 0;
    }
    qsort(ns, f.count, sizeof *ns, order);
    long long p50 = ns[f.count / 2], p99 = ns[f.count / 100 * 99], p999 = ns[f.count / 1000 * 999];
    uint32_t budget = c->manifest->budget_ns;
    if (budget == 0)
        CARD_WARN("p50 %lld, p99 %lld, p99.9 %lld ns an event; no budget_ns is declared", p50, p99,
                  p999);
    else if (p50 > budget)
        CARD_WARN("p50 %lld, p99 %lld, p99.9 %lld ns an event: above the declared %u", p50, p99,
                  p999, budget);
    else
        CARD_PASS("p50 %lld, p99 %lld, p99.9 %lld ns an event, declared %u", p50, p99, p999,
                  budget);
    free(ns);
}

void cards_p48(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    cards_market(c, &f, 1000);
    rig_init(&r, c->module, &f);
    int32_t status = rig_create(&r);
    if (status == TN_OK)
        status = rig_activate(&r);
    unsigned long long used = r.serve.used;
    if (r.serve.denied > 0)
        CARD_FAIL("wants more than the %u arena bytes it declares (had %llu, status %d)",
                  c->manifest->arena_bytes, used, status);
    else if (status != TN_OK)
        CARD_FAIL("create or activate gave status %d", status);
    else
        CARD_PASS("uses %llu of %u arena bytes with default parameters", used,
                  c->manifest->arena_bytes);
}
