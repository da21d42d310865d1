/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: behind the first door no file can be opened but a sealed copy; behind the second none of
 * the calls by which code gets out of its process, or new code into it, is possible, and what a
 * strategy needs still is. Method: a child for each call enters, closes, and makes it; its end and
 * its last words are looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "bays/sandbox.h"

enum { GOOD = 0, WRONG = 7, NO_SANDBOX = 8, MEMORY = 64 * 1024 * 1024 };
static int bell[2]; /* a pipe: what may be read and written */

/* Runs it in a child whose standard error is read; gives its status. */
static int in_child(int (*run)(void *), void *arg, char words[512])
{
    int err[2];
    assert_int_equal(pipe(err), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(err[1], STDERR_FILENO);
        close(err[0]);
        close(err[1]);
        _exit(run(arg));
    }
    close(err[1]);
    size_t used = 0;
    ssize_t got;
    while ((got = read(err[0], words + used, 511 - used)) > 0)
        used += (size_t)got;
    words[used] = 0;
    close(err[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool enter(void)
{
    const struct sandbox_limits l = {.memory_bytes = MEMORY, .is_contained = true};
    struct trail tr = {0};
    struct result r = sandbox_enter(&l, &tr);
    if (!is_ok(r))
        fprintf(stderr, "%s\n", trail_sentence(&tr, r));
    return is_ok(r);
}
static bool shut(void)
{
    const int writes[] = {STDERR_FILENO, bell[1]};
    struct trail tr = {0};
    struct result r = sandbox_close(&bell[0], 1, writes, 2, &tr);
    if (!is_ok(r))
        fprintf(stderr, "%s\n", trail_sentence(&tr, r));
    return is_ok(r);
}

/* ---- forbidden calls ---- */
struct call {
    const char *name;
    long number, a, b, c, d;
};

static int make_call(void *arg)
{
    const struct call *c = arg;
    if (!enter() || !shut())
        return NO_SANDBOX;
    long got = syscall(c->number, c->a, c->b, c->c, c->d, 0, 0);
    return got == 0 ? GOOD : WRONG;
}

static void expect_forbidden(struct call *c)
{
    char words[512], want[64];
    int status = in_child(make_call, c, words);
    snprintf(want, sizeof want, "forbidden system call %ld\n", c->number);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != SANDBOX_EXIT_FORBIDDEN || !strstr(words, want))
        fail_msg("%s: status %x, words \"%s\"", c->name, (unsigned int)status, words);
}

static void sandbox_closed_forbids_the_ways_out(void **state)
{
    static char page[4096] __attribute__((aligned(4096)));
    static const char file[] = "/etc/passwd";
    const long at = (long)(uintptr_t)page, name = (long)(uintptr_t)file;
    struct call call[] = {
        {"openat", SYS_openat, AT_FDCWD, name, O_RDONLY, 0},
        {"open", SYS_open, name, O_RDONLY, 0, 0},
        {"stat", SYS_newfstatat, AT_FDCWD, name, at, 0},
        {"unlink", SYS_unlink, name, 0, 0, 0},
        {"readlink", SYS_readlinkat, AT_FDCWD, name, at, 64},
        {"socket", SYS_socket, 1, 1, 0, 0},
        {"socketpair", SYS_socketpair, 1, 1, 0, at},
        {"connect", SYS_connect, bell[1], at, 16, 0},
        {"sendmsg", SYS_sendmsg, bell[1], at, 0, 0},
        {"fork", SYS_fork, 0, 0, 0, 0},
        {"vfork", SYS_vfork, 0, 0, 0, 0},
        {"clone", SYS_clone, SIGCHLD, 0, 0, 0},
        {"clone3", SYS_clone3, at, 64, 0, 0},
        {"execve", SYS_execve, name, 0, 0, 0},
        {"execveat", SYS_execveat, AT_FDCWD, name, 0, 0},
        {"mprotect to run", SYS_mprotect, at, 4096, PROT_READ | PROT_EXEC, 0},
        {"mprotect all", SYS_mprotect, at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, 0},
        {"mmap to run", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS},
        {"pkey_mprotect", SYS_pkey_mprotect, at, 4096, PROT_EXEC, -1},
        {"memfd_create", SYS_memfd_create, name, 0, 0, 0},
        {"shmget", SYS_shmget, 0, 4096, 0600, 0},
        {"personality", SYS_personality, 0x0400000, 0, 0, 0},
        {"ptrace", SYS_ptrace, 0, 0, 0, 0},
        {"process_vm_readv", SYS_process_vm_readv, 1, at, 1, at},
        {"kill", SYS_kill, -1, SIGKILL, 0, 0},
        {"tgkill of another", SYS_tgkill, getpid(), getpid(), SIGKILL, 0},
        {"pidfd_open", SYS_pidfd_open, 1, 0, 0, 0},
        {"dup", SYS_dup, bell[0], 0, 0, 0},
        {"fcntl", SYS_fcntl, bell[1], F_SETFL, 0, 0},
        {"ioctl", SYS_ioctl, bell[1], 0x5421, at, 0},
        {"read of another", SYS_read, STDIN_FILENO, at, 1, 0},
        {"write to another", SYS_write, STDOUT_FILENO, at, 1, 0},
        {"write, high half", SYS_write, 0x100000000 + STDOUT_FILENO, at, 1, 0},
        {"pread", SYS_pread64, bell[0], at, 1, 0},
        {"prctl", SYS_prctl, 4, 1, 0, 0},
        {"seccomp", SYS_seccomp, 0, 0, 0, 0},
        {"landlock", SYS_landlock_create_ruleset, 0, 0, 1, 0},
        {"unshare", SYS_unshare, 0, 0, 0, 0},
        {"setns", SYS_setns, bell[0], 0, 0, 0},
        {"mount", SYS_mount, name, name, 0, 0},
        {"chroot", SYS_chroot, name, 0, 0, 0},
        {"io_uring_setup", SYS_io_uring_setup, 1, at, 0, 0},
        {"bpf", SYS_bpf, 0, at, 0, 0},
        {"userfaultfd", SYS_userfaultfd, 0, 0, 0, 0},
        {"perf_event_open", SYS_perf_event_open, at, 0, 0, -1},
        {"setuid", SYS_setuid, 0, 0, 0, 0},
        {"setpriority", SYS_setpriority, 0, 0, -20, 0},
        {"timer_create", SYS_timer_create, 0, 0, at, 0},
        {"getrandom", SYS_getrandom, at, 8, 0, 0},
        {"no such call", 999, 0, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof call / sizeof call[0]; i++)
        expect_forbidden(&call[i]);
}

/* The 32-bit door has other numbers: the filter knows whose they are. */
static int use_other_door(void *arg)
{
    (void)arg;
#if defined(__x86_64__)
    int got = 20; /* getpid there, writev here */
    if (!enter() || !shut())
        return NO_SANDBOX;
    __asm__ volatile("int $0x80" : "+a"(got) : : "memory");
#endif
    return GOOD;
}
static void sandbox_closed_ends_calls_of_another_kind(void **state)
{
    char words[512];
    (void)state;
#if !defined(__x86_64__)
    skip();
#endif
    int status = in_child(use_other_door, NULL, words);
    if (!WIFSIGNALED(status) && !(WIFEXITED(status) && WEXITSTATUS(status) > NO_SANDBOX))
        fail_msg("status %x, \"%s\"", (unsigned int)status, words);
}

/* ---- what is left ---- */
static int do_allowed(void *arg)
{
    struct pollfd p = {.fd = bell[0], .events = POLLIN};
    char c = 'x';
    (void)arg;
    if (!enter() || !shut())
        return NO_SANDBOX;
    char *m = malloc(4 * 1024 * 1024);
    if (!m)
        return WRONG;
    memset(m, 1, 4 * 1024 * 1024);
    m = realloc(m, 8 * 1024 * 1024);
    free(m);
    void *map = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map, 4096, PROT_READ | PROT_WRITE) != 0 ||
        munmap(map, 65536) != 0)
        return WRONG;
    if (write(bell[1], &c, 1) != 1 || poll(&p, 1, 0) != 1 || read(bell[0], &c, 1) != 1)
        return WRONG;
    sched_yield();
    return GOOD;
}
static void sandbox_closed_leaves_what_a_bay_needs(void **state)
{
    char words[512];
    (void)state;
    int status = in_child(do_allowed, NULL, words);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != GOOD)
        fail_msg("status %x, words \"%s\"", (unsigned int)status, words);
}

static int abort_in_it(void *arg)
{
    (void)arg;
    signal(SIGABRT, SIG_DFL);
    if (!enter() || !shut())
        return NO_SANDBOX;
    abort();
}
static void sandbox_closed_lets_a_must_abort(void **state)
{
    char words[512];
    (void)state;
    int status = in_child(abort_in_it, NULL, words);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* ---- the first door ---- */
static int open_things(void *arg)
{
    const int *copy = arg;
    char name[64];
    if (!enter())
        return NO_SANDBOX;
    if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
        return WRONG;
    if (open("/tmp", O_RDONLY | O_DIRECTORY) >= 0 || open("/proc/self/status", O_RDONLY) >= 0)
        return WRONG + 10;
    snprintf(name, sizeof name, "/proc/self/fd/%d", *copy);
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        return WRONG + 20;
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    return code == MAP_FAILED ? WRONG + 30 : GOOD;
}
static void sandbox_entered_opens_only_sealed_copies(void **state)
{
    char words[512];
    int copy = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    (void)state;
    assert_int_equal(ftruncate(copy, 4096), 0);
    int status = in_child(open_things, &copy, words);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != GOOD)
        fail_msg("status %x, words \"%s\"", (unsigned int)status, words);
    close(copy);
}

static int make_socket(void *arg)
{
    (void)arg;
    if (!enter())
        return NO_SANDBOX;
    return syscall(SYS_socket, 2, 1, 0) >= 0 ? GOOD : WRONG;
}
static void sandbox_entered_forbids_the_net_already(void **state)
{
    char words[512];
    (void)state;
    int status = in_child(make_socket, NULL, words);
    assert_int_equal(WEXITSTATUS(status), SANDBOX_EXIT_FORBIDDEN);
}

static int take_too_much(void *arg)
{
    (void)arg;
    if (!enter() || !shut())
        return NO_SANDBOX;
    void *some = mmap(NULL, MEMORY / 2, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *more = mmap(NULL, MEMORY, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return some != MAP_FAILED && more == MAP_FAILED ? GOOD : WRONG;
}
static void sandbox_memory_is_bounded(void **state)
{
    char words[512];
    (void)state;
    int status = in_child(take_too_much, NULL, words);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), GOOD);
}

enum { PR_DUMPABLE = 3, PR_PRIVILEGES = 39 };
static int look_at_privileges(void *arg)
{
    const struct rlimit low = {.rlim_cur = 32, .rlim_max = 32};
    (void)arg;
    setrlimit(RLIMIT_NOFILE, &low); /* below what it would set: left as it is */
    if (!enter())
        return NO_SANDBOX;
    if (fcntl(0, F_DUPFD, 33) >= 0)
        return WRONG + 1;
    return syscall(SYS_prctl, PR_DUMPABLE, 0, 0, 0, 0) == 0 &&
                   syscall(SYS_prctl, PR_PRIVILEGES, 0, 0, 0, 0) == 1
               ? GOOD
               : WRONG;
}
static void sandbox_gives_up_privileges(void **state)
{
    char words[512];
    (void)state;
    int status = in_child(look_at_privileges, NULL, words);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), GOOD);
}

/* ---- what a kernel can ---- */
static void sandbox_says_each_thing_that_is_missing(void **state)
{
    struct sandbox_can can = {.missing = 0};
    char text[SANDBOX_TEXT_BYTES];
    (void)state;
    assert_true(sandbox_is_whole(&can));
    assert_false(sandbox_say(&can, 0, text));
    for (int item = 1; item < SANDBOX_ITEM_COUNT; item++) {
        can.missing = 1u << item;
        can.cause[item] = ENOSYS;
        assert_false(sandbox_is_whole(&can));
        assert_true(sandbox_say(&can, 0, text));
        assert_non_null(strstr(text, "(Function not implemented)"));
        assert_false(sandbox_say(&can, 1, text));
    }
    can.missing = 1u << SANDBOX_SECCOMP | 1u << SANDBOX_LINKS;
    assert_true(sandbox_say(&can, 1, text));
    assert_non_null(strstr(text, "seal"));
}

static int probe_without(void *arg)
{
    struct rlimit none = {0};
    struct sandbox_can can;
    (void)arg;
    setrlimit(RLIMIT_NPROC, &none);
    if (geteuid() == 0 && setresuid(64500, 64500, 64500) != 0)
        return NO_SANDBOX;
    sandbox_probe(false, false, &can); /* it may not even fork */
    bool said = can.missing & 1u << SANDBOX_NET_NS && can.missing & 1u << SANDBOX_OWN_UID;
    return said && !(can.missing & 1u << SANDBOX_SEALS) ? GOOD : WRONG;
}
static void sandbox_probe_finds_what_this_kernel_has(void **state)
{
    struct sandbox_can can;
    char text[SANDBOX_TEXT_BYTES], words[512];
    (void)state;
    sandbox_probe(geteuid() == 0, true, &can);
    for (uint32_t n = 0; sandbox_say(&can, n, text); n++)
        print_message("missing here: %s\n", text);
    assert_int_equal(can.missing & (1u << SANDBOX_SEALS | 1u << SANDBOX_LINKS), 0);
    sandbox_probe(geteuid() == 0, false, &can);
    assert_true(can.missing & 1u << SANDBOX_OWN_UID);
    int status = in_child(probe_without, NULL, words);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), GOOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sandbox_closed_forbids_the_ways_out),
        cmocka_unit_test(sandbox_closed_ends_calls_of_another_kind),
        cmocka_unit_test(sandbox_closed_leaves_what_a_bay_needs),
        cmocka_unit_test(sandbox_closed_lets_a_must_abort),
        cmocka_unit_test(sandbox_entered_opens_only_sealed_copies),
        cmocka_unit_test(sandbox_entered_forbids_the_net_already),
        cmocka_unit_test(sandbox_memory_is_bounded),
        cmocka_unit_test(sandbox_gives_up_privileges),
        cmocka_unit_test(sandbox_says_each_thing_that_is_missing),
        cmocka_unit_test(sandbox_probe_finds_what_this_kernel_has),
    };
    if (pipe(bell) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
