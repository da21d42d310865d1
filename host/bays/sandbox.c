/* SPDX-License-Identifier: Apache-2.0
 *
 * The two doors of the sandbox.
 *
 * Each layer is there for when another has a hole: Landlock takes the file system away (a rule set
 * without a rule), namespaces (spawn_main.c) take the network and the other processes away, seccomp
 * leaves a list of calls, limits bound what these can ask for. The list is written by what a bay
 * does: it takes messages from shared memory, waits for a bell, and has a heap.
 *
 * Two filters, since the dynamic loader needs more than a loaded plugin: it opens the sealed copy,
 * and maps it executable. Filters add up, the stricter answer wins, and none can be taken off: the
 * second is written as a list of its own and only what both allow is left.
 *
 * The answer to a forbidden call is SIGSYS, not an error: a plugin that makes one has broken its
 * contract, and an error would leave it running. A handler says the number of the call and ends the
 * process; if it were not reached, the signal would end it just the same.
 *
 * The address space is bounded relative to what is mapped at the time: the sanitizers' shadow is
 * terabytes of it. What they need beyond the list stands below, in their builds only.
 */
#include "bays/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/must.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

/* ---- Landlock: the kernel's own words, since the headers of Debian 12 know version 2 ---- */
enum {
    LANDLOCK_FS_ALL_1 = 0x1fff, /* every right to files of version 1 */
    LANDLOCK_FS_REFER = 0x2000,
    LANDLOCK_FS_TRUNCATE = 0x4000,
    LANDLOCK_FS_IOCTL = 0x8000,
    LANDLOCK_NET_ALL = 0x3,   /* bind and connect, version 4 */
    LANDLOCK_SCOPE_ALL = 0x3, /* abstract sockets and signals, version 6 */
};
struct landlock_rules {
    uint64_t fs, net, scope;
};

static struct result deny_files(bool is_contained, struct trail *tr)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    if (version < 1 && !is_contained)
        return OK_RESULT; /* sandbox_probe has told the host */
    struct landlock_rules r = {.fs = LANDLOCK_FS_ALL_1};
    r.fs |= version >= 2 ? LANDLOCK_FS_REFER : 0;
    r.fs |= version >= 3 ? LANDLOCK_FS_TRUNCATE : 0;
    r.fs |= version >= 5 ? LANDLOCK_FS_IOCTL : 0;
    r.net = version >= 4 ? LANDLOCK_NET_ALL : 0;
    r.scope = version >= 6 ? LANDLOCK_SCOPE_ALL : 0;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &r, sizeof r, 0);
    long done = rules < 0 ? -1 : syscall(SYS_landlock_restrict_self, rules, 0);
    int cause = errno;
    if (rules >= 0)
        close(rules);
    if (done == 0)
        return OK_RESULT;
    return FAIL(tr, NOT_PERMITTED, "the sandbox cannot take the files away: Landlock: %s",
                strerror(cause));
}

/* ---- limits ---- */
static struct result set_limit(int which, const char *name, uint64_t value, struct trail *tr)
{
    struct rlimit was, now = {.rlim_cur = value, .rlim_max = value};
    if (getrlimit((__rlimit_resource_t)which, &was) == 0 && was.rlim_max < value)
        now.rlim_cur = now.rlim_max = was.rlim_max; /* never raised */
    if (setrlimit((__rlimit_resource_t)which, &now) == 0)
        return OK_RESULT;
    return FAIL(tr, NOT_PERMITTED, "the sandbox cannot set the limit of %s: %s", name,
                strerror(errno));
}

static struct result mapped_bytes(uint64_t *out, struct trail *tr)
{
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    uint64_t pages = got > 0 ? strtoull(text, NULL, 10) : 0;
    if (pages == 0)
        return FAIL(tr, IO, "/proc/self/statm cannot be read: %s; mount /proc", strerror(errno));
    *out = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return OK_RESULT;
}

/* When memory is short the kernel takes a bay, not the host. A wish: some containers refuse it. */
static void offer_memory(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, "800", 3);
    close(fd);
}

enum { DESCRIPTORS_MAX = 64 };
static struct result set_limits(uint64_t memory_bytes, struct trail *tr)
{
    uint64_t mapped = 0;
    TRY(mapped_bytes(&mapped, tr));
    offer_memory();
    TRY(set_limit(RLIMIT_AS, "memory", mapped + memory_bytes, tr));
    TRY(set_limit(RLIMIT_CORE, "core files", 0, tr));
    TRY(set_limit(RLIMIT_FSIZE, "file sizes", 0, tr));
    TRY(set_limit(RLIMIT_NOFILE, "open files", DESCRIPTORS_MAX, tr));
    TRY(set_limit(RLIMIT_MEMLOCK, "locked memory", 0, tr));
    TRY(set_limit(RLIMIT_MSGQUEUE, "message queues", 0, tr));
    return set_limit(RLIMIT_NPROC, "processes", 0, tr);
}

/* ---- the handler of forbidden calls ---- */
static char *print_number(char *end, unsigned int n)
{
    *--end = '\n';
    do
        *--end = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    return end;
}

static void say_forbidden(int number, siginfo_t *info, void *context)
{
    static const char head[] = "\n" SANDBOX_FORBIDDEN;
    char digits[16], *end = digits + sizeof digits;
    (void)number;
    (void)context;
    char *from = print_number(end, (unsigned int)info->si_syscall);
    if (write(STDERR_FILENO, head, sizeof head - 1) > 0)
        (void)!write(STDERR_FILENO, from, (size_t)(end - from));
    _exit(SANDBOX_EXIT_FORBIDDEN);
}

/* ---- filters ---- */
#define CALL(name) SCMP_SYS(name)
static const int always[] = {
    CALL(munmap),        CALL(mremap),
    CALL(madvise),       CALL(brk),
    CALL(futex),         CALL(poll),
    CALL(ppoll),         CALL(sched_yield),
    CALL(clock_gettime), CALL(close),
    CALL(exit),          CALL(exit_group),
    CALL(rt_sigreturn),  CALL(getpid),
    CALL(gettid),        CALL(rt_sigprocmask),
    CALL(sysinfo),       CALL(restart_syscall),
};
/* For the loader, and for shutting the second door. */
static const int to_load[] = {
    CALL(read),    CALL(write),   CALL(openat),   CALL(fstat), CALL(newfstatat),
    CALL(lseek),   CALL(pread64), CALL(fcntl),    CALL(mmap),  CALL(mprotect),
    CALL(seccomp), CALL(prctl),   CALL(readlink),
};
#if IS_SANITIZED
static const int of_sanitizers[] = {
    CALL(sigaltstack), CALL(rt_sigaction),    CALL(sched_getaffinity), CALL(prlimit64),
    CALL(getrlimit),   CALL(clock_nanosleep), CALL(nanosleep),         CALL(getuid),
    CALL(getppid),     CALL(readlink),
};
#endif

struct filter {
    scmp_filter_ctx ctx;
    int bad; /* the first refusal of the library, negative */
};

static void keep(struct filter *f, int code)
{
    if (f->bad == 0 && code < 0)
        f->bad = code;
}
static void allow(struct filter *f, const int *call, size_t count)
{
    for (size_t i = 0; i < count; i++)
        keep(f, seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, call[i], 0));
}
#define ALLOW(f, list) allow((f), (list), sizeof(list) / sizeof((list)[0]))

static struct result begin(struct filter *f, struct trail *tr)
{
    f->bad = 0;
    f->ctx = seccomp_init(SCMP_ACT_TRAP);
    if (!f->ctx)
        return FAIL(tr, IO, "no memory for a filter of system calls");
    keep(f, seccomp_attr_set(f->ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    keep(f, seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2)); /* a tree, not a line */
    ALLOW(f, always);
    /* abort() sends the process its signal. */
    keep(f, seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, CALL(tgkill), 1,
                             SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid(), 0)));
#if IS_SANITIZED
    ALLOW(f, of_sanitizers);
#endif
    return OK_RESULT;
}

static struct result end(struct filter *f, struct trail *tr)
{
    keep(f, f->bad == 0 ? seccomp_load(f->ctx) : 0);
    seccomp_release(f->ctx);
    if (f->bad == 0)
        return OK_RESULT;
    return FAIL(tr, NOT_PERMITTED, "the sandbox cannot filter system calls: seccomp: %s",
                strerror(-f->bad));
}

/* ---- the doors ---- */
static struct result set_handlers(struct trail *tr)
{
    static const int crash[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
    struct sigaction action = {.sa_sigaction = say_forbidden, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    /* Crashes end the process under their own name: a handler (of a sanitizer) would make calls
     * that are forbidden. */
    for (size_t i = 0; i < sizeof crash / sizeof crash[0]; i++)
        signal(crash[i], SIG_DFL);
    if (sigaction(SIGSYS, &action, NULL) == 0)
        return OK_RESULT;
    return FAIL(tr, IO, "no handler for forbidden calls: %s", strerror(errno));
}

struct result sandbox_enter(const struct sandbox_limits *l, struct trail *tr)
{
    struct filter f;
    TRY(set_limits(l->memory_bytes, tr));
    TRY(set_handlers(tr));
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return FAIL(tr, NOT_PERMITTED, "the sandbox cannot give up privileges: %s",
                    strerror(errno));
    TRY(deny_files(l->is_contained, tr));
    TRY(begin(&f, tr));
    ALLOW(&f, to_load);
    return end(&f, tr);
}

/* A descriptor is an int: the upper half of the register is not looked at by the kernel. */
static void allow_descriptors(struct filter *f, int call, const int *fd, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        keep(f, seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, call, 1,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffu, (uint64_t)fd[i])));
}

struct result sandbox_close(const int *reads, uint32_t read_count, const int *writes,
                            uint32_t write_count, struct trail *tr)
{
    struct filter f;
    TRY(begin(&f, tr));
    allow_descriptors(&f, CALL(read), reads, read_count);
    allow_descriptors(&f, CALL(write), writes, write_count);
    keep(&f, seccomp_rule_add(f.ctx, SCMP_ACT_ALLOW, CALL(mmap), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)));
    keep(&f, seccomp_rule_add(f.ctx, SCMP_ACT_ALLOW, CALL(mprotect), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)));
    return end(&f, tr);
}
