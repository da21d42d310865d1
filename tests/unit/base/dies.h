/* SPDX-License-Identifier: Apache-2.0
 *
 * Proof that a broken rule stops the process: runs a function in a child, expects it to die by
 * abort() and to have printed the broken expression. The child leaves no core file.
 */
#ifndef TESTS_UNIT_BASE_DIES_H
#define TESTS_UNIT_BASE_DIES_H
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/result.h"

enum { DIES_TEXT_BYTES = 2048 };

static inline void dies_child(void (*run)(void *), void *arg, int err)
{
    struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
    dup2(err, STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    run(arg);
    _exit(0);
}

/* For calls that must not return. */
static inline void dies_unseen(struct result r)
{
    (void)r;
}

/* Runs it and gives the signal that ended it (0 = it returned); err gets what it printed. */
static inline int dies_run(void (*run)(void *), void *arg, char err[DIES_TEXT_BYTES])
{
    int pipe_fd[2];
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        dies_child(run, arg, pipe_fd[1]);
    close(pipe_fd[1]);
    size_t used = 0;
    ssize_t got;
    while ((got = read(pipe_fd[0], err + used, DIES_TEXT_BYTES - 1 - used)) > 0)
        used += (size_t)got;
    err[used] = '\0';
    close(pipe_fd[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* The child must abort on a rule whose text contains `expr`. */
static inline void assert_dies(void (*run)(void *), void *arg, const char *expr)
{
    char err[DIES_TEXT_BYTES];
    int signal_no = dies_run(run, arg, err);
    if (signal_no != SIGABRT || strstr(err, expr) == NULL)
        fail_msg("expected abort on \"%s\", got signal %d and: %s", expr, signal_no, err);
}
#endif
