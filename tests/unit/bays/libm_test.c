/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a program that pins libm computes the baseline's bits on any CPU, starts itself again once
 * and never twice. Method: this test runs itself as a child with other environments; the child
 * pins, counts its starts in its arguments' environment and prints the probe.
 */
#include <gnu/libc-version.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/hash.h"
#include "bays/bay.h"

/* Of glibc 2.36's baseline variants, computed with FMA, FMA4, AVX2 and AVX all switched off. */
#define BASELINE_2_36 "f05b9975ee4d124c6ea58c112fd9c96ad4b074b013615398ba108eb1fbc20553"

static char *self_path;

/* The child: "pin" prints "<result> <tunables> <probe>", "probe" does not pin. */
static int run_child(char **argv)
{
    uint8_t sha[32];
    char hex[HASH_HEX_BYTES];
    struct trail tr = {0};
    int32_t code = 0;
    if (strcmp(argv[1], "pin") == 0)
        code = bay_pin_libm(argv, &tr).code;
    bay_libm_probe(sha);
    hash_hex(sha, hex);
    const char *tunables = getenv("GLIBC_TUNABLES");
    printf("%d %s %s\n", code, tunables ? tunables : "-", hex);
    return 0;
}

static void ask(const char *mode, const char *tunables, const char *marker, char *out, size_t bytes)
{
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    pid_t pid = fork();
    if (pid == 0) {
        unsetenv("GLIBC_TUNABLES");
        unsetenv("TENON_LIBM_PINNED");
        if (tunables)
            setenv("GLIBC_TUNABLES", tunables, 1);
        if (marker)
            setenv("TENON_LIBM_PINNED", marker, 1);
        dup2(fd[1], 1);
        execl(self_path, self_path, mode, (char *)NULL);
        _exit(127);
    }
    close(fd[1]);
    size_t used = 0;
    ssize_t n;
    while ((n = read(fd[0], out + used, bytes - 1 - used)) > 0)
        used += (size_t)n;
    out[used] = 0;
    close(fd[0]);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void split(char *line, char **code, char **tunables, char **probe)
{
    *code = strtok(line, " \n");
    *tunables = strtok(NULL, " \n");
    *probe = strtok(NULL, " \n");
    assert_non_null(*probe);
}

static void libm_pinned_gives_the_baseline(void **state)
{
    (void)state;
    char pinned[512], off[512], *code, *tunables, *probe, *code2, *tunables2, *probe2;
    ask("pin", NULL, NULL, pinned, sizeof pinned);
    split(pinned, &code, &tunables, &probe);
    ask("probe", "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX", NULL, off, sizeof off);
    split(off, &code2, &tunables2, &probe2);
    assert_string_equal(code, "0");
    assert_string_equal(tunables, "glibc.cpu.hwcaps=-FMA,-FMA4");
    assert_string_equal(probe, probe2);
    if (strcmp(gnu_get_libc_version(), "2.36") == 0)
        assert_string_equal(probe, BASELINE_2_36);
}

static void libm_unpinned_differs_where_the_cpu_has_fma(void **state)
{
    (void)state;
    char plain[512], off[512], *code, *tunables, *probe, *probe2;
    if (!__builtin_cpu_supports("fma"))
        skip();
    ask("probe", NULL, NULL, plain, sizeof plain);
    split(plain, &code, &tunables, &probe);
    ask("probe", "glibc.cpu.hwcaps=-FMA,-FMA4", NULL, off, sizeof off);
    split(off, &code, &tunables, &probe2);
    assert_string_not_equal(probe, probe2);
}

static void libm_other_tunables_are_kept(void **state)
{
    (void)state;
    char line[1024], *code, *tunables, *probe;
    ask("pin", "glibc.malloc.check=0:glibc.cpu.hwcaps=-ERMS:glibc.malloc.tcache_count=3", NULL,
        line, sizeof line);
    split(line, &code, &tunables, &probe);
    assert_string_equal(code, "0");
    assert_non_null(strstr(tunables, "glibc.malloc.tcache_count=3"));
    assert_non_null(strstr(tunables, ":glibc.cpu.hwcaps=-ERMS,-FMA,-FMA4"));
    if (strcmp(gnu_get_libc_version(), "2.36") == 0)
        assert_string_equal(probe, BASELINE_2_36);
}

static void libm_marker_without_tunable_says_so_and_does_not_loop(void **state)
{
    (void)state;
    char line[512], *code, *tunables, *probe;
    ask("pin", NULL, "1", line, sizeof line);
    split(line, &code, &tunables, &probe);
    assert_int_equal(atoi(code), RESULT_STATE);
    assert_string_equal(tunables, "-");
}

static void libm_probe_repeats(void **state)
{
    (void)state;
    uint8_t a[32], b[32];
    bay_libm_probe(a);
    bay_libm_probe(b);
    assert_memory_equal(a, b, sizeof a);
}

int main(int argc, char **argv)
{
    static char path[4096];
    if (argc == 2)
        return run_child(argv);
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return 1;
    self_path = path;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libm_pinned_gives_the_baseline),
        cmocka_unit_test(libm_unpinned_differs_where_the_cpu_has_fma),
        cmocka_unit_test(libm_other_tunables_are_kept),
        cmocka_unit_test(libm_marker_without_tunable_says_so_and_does_not_loop),
        cmocka_unit_test(libm_probe_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
