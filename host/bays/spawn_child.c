/* SPDX-License-Identifier: Apache-2.0
 *
 * What a child of the spawner does between its birth and its execve: it stands in new namespaces
 * already, puts its descriptors to their places, becomes its user, and asks the kernel to be killed
 * with its parent. Asked last: a change of user takes the request back.
 *
 * It is a copy of a process with one thread, so it may call anything. What fails is told as stage
 * and errno through a pipe that execve closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "bays/bay.h"
#include "bays/spawn_wire.h"

#define STAGES(X)                                                                                  \
    X(MOUNTS, "its mounts cannot be made private")                                                 \
    X(NAME, "it cannot be given a host name")                                                      \
    X(FILES, "its descriptors cannot be put in place")                                             \
    X(SESSION, "it cannot leave the session")                                                      \
    X(CPU, "it cannot be bound to its CPU")                                                        \
    X(USER, "it cannot become its user")                                                           \
    X(PARENT, "it cannot be bound to the life of the spawner")                                     \
    X(EXEC, "tenon-bay cannot be executed")
enum stage {
    STAGE_UNSET = 0,
#define X(name, text) STAGE_##name,
    STAGES(X)
#undef X
};

const char *spawn_child_stage(int stage)
{
    switch (stage) {
#define X(name, text)                                                                              \
    case STAGE_##name:                                                                             \
        return text;
        STAGES(X)
#undef X
    default:
        return "it cannot be started";
    }
}

static void check(const struct spawn_birth *b, enum stage stage, bool good)
{
    const int why[2] = {stage, errno};
    if (good)
        return;
    (void)!write(b->failed, why, sizeof why);
    _exit(1);
}

/* Where descriptor n of a request goes: the lines, then the modules. */
static int place_of(const struct spawn_birth *b, uint32_t n)
{
    const uint32_t lines = b->ask->kind == SPAWN_ADAPTER ? 2 * SPAWN_LINE_FDS : SPAWN_LINE_FDS;
    return n < lines ? SPAWN_FD_CORE + (int)n : SPAWN_FD_MODULE + (int)(n - lines);
}

struct places {
    int program, failed; /* behind the modules, gone with execve */
};

/* First all to high numbers, so that no place is still a source; then each to its place. */
static struct places place_files(const struct spawn_birth *b)
{
    enum { HIGH = 128, OWN = 5, COUNT = OWN + SPAWN_FDS_MAX };
    const int last = SPAWN_FD_MODULE + (int)b->ask->module_count;
    const struct places p = {.program = last, .failed = last + 1};
    int from[COUNT] = {b->life, b->words, b->words, b->program, b->failed};
    int to[COUNT] = {SPAWN_FD_LIFE, SPAWN_FD_NOTE, SPAWN_FD_WORDS, p.program, p.failed};
    for (uint32_t i = 0; i < b->fd_count; i++) {
        from[OWN + i] = b->fd[i];
        to[OWN + i] = place_of(b, i);
    }
    for (uint32_t i = 0; i < OWN + b->fd_count; i++) {
        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, HIGH);
        check(b, STAGE_FILES, from[i] >= 0);
    }
    for (uint32_t i = 0; i < OWN + b->fd_count; i++)
        check(b, STAGE_FILES, dup2(from[i], to[i]) == to[i]);
    fcntl(p.program, F_SETFD, FD_CLOEXEC);
    fcntl(p.failed, F_SETFD, FD_CLOEXEC);
    check(b, STAGE_FILES, syscall(SYS_close_range, (unsigned int)last + 2, ~0u, 0) == 0);
    return p;
}

static void become_user(const struct spawn_birth *b)
{
    if (b->uid == 0)
        return;
    check(b, STAGE_USER,
          setgroups(0, NULL) == 0 && setresgid(b->uid, b->uid, b->uid) == 0 &&
              setresuid(b->uid, b->uid, b->uid) == 0);
}

static void execute(const struct spawn_birth *b, int program)
{
    const struct spawn_ask *q = b->ask;
    char version[16], core[16], desk[16], modules[16], memory[32], contained[4];
    snprintf(version, sizeof version, "%d", SPAWN_VERSION);
    snprintf(core, sizeof core, "%u", q->core_bytes);
    snprintf(desk, sizeof desk, "%u", q->desk_bytes);
    snprintf(modules, sizeof modules, "%u", q->module_count);
    snprintf(memory, sizeof memory, "%llu", (unsigned long long)q->memory_bytes);
    snprintf(contained, sizeof contained, "%u", q->is_contained);
    char name[] = "tenon-bay", strategy[] = "strategy", adapter[] = "adapter";
    char pin[] = BAY_LIBM_PIN, empty[] = "";
    char *const argv[] = {name,   version,   q->kind == SPAWN_ADAPTER ? adapter : strategy,
                          core,   desk,      modules,
                          memory, contained, NULL};
    char *const environment[] = {pin, NULL};
    execveat(program, empty, argv, environment, AT_EMPTY_PATH);
}

void spawn_child_run(const struct spawn_birth *birth)
{
    struct spawn_birth b = *birth;
    const int32_t cpu = b.ask->cpu;
    if (b.flags & CLONE_NEWNS)
        check(&b, STAGE_MOUNTS, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    if (b.flags & CLONE_NEWUTS)
        check(&b, STAGE_NAME, sethostname("bay", 3) == 0);
    struct places p = place_files(&b);
    b.failed = p.failed;
    check(&b, STAGE_SESSION, setsid() >= 0 && chdir("/") == 0);
    umask(077);
    if (cpu >= 0) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        check(&b, STAGE_CPU, sched_setaffinity(0, sizeof one, &one) == 0);
    }
    become_user(&b);
    check(&b, STAGE_PARENT, prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
    execute(&b, p.program);
    check(&b, STAGE_EXEC, false);
    _exit(1);
}
