/* SPDX-License-Identifier: Apache-2.0
 *
 * The spawner's own side: one thread that waits for the host's socket and for the end of its
 * children, and does nothing else.
 *
 * It executes itself (tenon-bay) for each bay, out of a descriptor: no path is looked up, and an
 * update of the file cannot mix two versions in one run. A child is made by clone3 with a pidfd and
 * its namespaces in one call; it is a copy of this process, which is small and never grows, so no
 * page of the host's gigabytes is ever copied (ABI-RULES R34).
 *
 * Of root's capabilities it keeps those for users, namespaces and the signals to its children. It
 * ignores the signals that a terminal or a service manager sends to whole groups: the host decides
 * when bays end, and says it by closing its socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/must.h"
#include "bays/spawn_wire.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

enum { UID_NOBODY = 65534 }; /* root without user ids to give: no bay is ever root's */

struct seat {    /* of one running bay */
    uint32_t id; /* 0 = free */
    pid_t pid;
    int pidfd, words;
};
struct spawner {
    int socket, program;
    int life, life_end; /* a pipe that nobody writes to: life_end closes when we end */
    bool is_root;
    uint32_t uid_first, uid_count;
    struct sandbox_can can;
    struct seat seat[SPAWN_BAYS_MAX];
};

static void tell(struct spawner *s, struct spawn_tell *t, int fd)
{
    t->version = SPAWN_VERSION;
    if (!spawn_wire_put(s->socket, t, sizeof *t, &fd, fd >= 0 ? 1 : 0))
        _exit(0); /* the host has gone: the bays go with us */
}

static void refuse(struct spawner *s, uint32_t id, const char *what, int cause)
{
    struct spawn_tell t = {.news = SPAWN_REFUSED, .id = id};
    if (cause != 0)
        snprintf(t.text, sizeof t.text, "%s: %s", what, strerror(cause));
    else
        snprintf(t.text, sizeof t.text, "%s", what);
    tell(s, &t, -1);
}

/* ---- how it ended ---- */
static const char *call_name(int number, char out[64])
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    snprintf(out, 64, "%s", name ? name : "unknown");
    free(name);
    return out;
}

/* The words are hostile text: the last line that says something is kept, escaped. */
static void take_words(int fd, char *out, size_t room, int *forbidden)
{
    char text[4096];
    ssize_t got;
    out[0] = 0;
    *forbidden = -1;
    while ((got = read(fd, text, sizeof text - 1)) > 0) {
        text[got] = 0;
        for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
            if (strncmp(line, SANDBOX_FORBIDDEN, sizeof SANDBOX_FORBIDDEN - 1) == 0)
                *forbidden = atoi(line + sizeof SANDBOX_FORBIDDEN - 1);
            if (line[0] != 0)
                text_escape(out, room, line, strlen(line));
        }
    }
}

static void say_end(const struct seat *seat, int status, char out[SPAWN_TEXT_BYTES])
{
    char words[160], name[64];
    int call;
    take_words(seat->words, words, sizeof words, &call);
    const char *colon = words[0] ? ": " : "";
    if (WIFSIGNALED(status))
        snprintf(out, SPAWN_TEXT_BYTES, "was killed by signal %d (%s)%s%s", WTERMSIG(status),
                 strsignal(WTERMSIG(status)), colon, words);
    else if (WEXITSTATUS(status) == SANDBOX_EXIT_FORBIDDEN && call >= 0)
        snprintf(out, SPAWN_TEXT_BYTES, "made a forbidden system call: %s (%d)",
                 call_name(call, name), call);
    else if (WEXITSTATUS(status) == 0)
        snprintf(out, SPAWN_TEXT_BYTES, "ended");
    else
        snprintf(out, SPAWN_TEXT_BYTES, "ended with status %d%s%s", WEXITSTATUS(status), colon,
                 words);
}

static void reap(struct spawner *s, struct seat *seat)
{
    siginfo_t info = {0};
    struct spawn_tell t = {.news = SPAWN_ENDED, .id = seat->id, .pid = seat->pid};
    if (waitid((idtype_t)P_PIDFD, (id_t)seat->pidfd, &info, WEXITED) != 0)
        return;
    t.status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status & 127;
    say_end(seat, t.status, t.text);
    close(seat->pidfd);
    close(seat->words);
    *seat = (struct seat){0};
    tell(s, &t, -1);
}

/* ---- how it begins ---- */
static int namespaces(const struct spawner *s)
{
    static const struct {
        enum sandbox_item item;
        int flag;
    } kind[] = {{SANDBOX_PID_NS, CLONE_NEWPID},
                {SANDBOX_NET_NS, CLONE_NEWNET},
                {SANDBOX_IPC_NS, CLONE_NEWIPC},
                {SANDBOX_UTS_NS, CLONE_NEWUTS},
                {SANDBOX_MOUNT_NS, CLONE_NEWNS}};
    int flags = 0;
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
        flags |= s->can.missing & 1u << kind[i].item ? 0 : kind[i].flag;
    return s->is_root || flags == 0 ? flags : flags | CLONE_NEWUSER;
}

/* As fork, with namespaces and a pidfd. */
static pid_t give_birth(int flags, int *pidfd)
{
    struct clone_args a = {.flags = (uint64_t)flags | CLONE_PIDFD,
                           .pidfd = (uint64_t)(uintptr_t)pidfd,
                           .exit_signal = SIGCHLD};
    return (pid_t)syscall(SYS_clone3, &a, sizeof a);
}

static struct seat *free_seat(struct spawner *s, uint32_t *uid)
{
    uint32_t seats = SPAWN_BAYS_MAX;
    if (s->uid_count > 0 && s->uid_count < seats)
        seats = s->uid_count;
    for (uint32_t i = 0; i < seats; i++) {
        *uid = s->uid_count > 0 ? s->uid_first + i : s->is_root ? UID_NOBODY : 0;
        if (s->seat[i].id == 0)
            return &s->seat[i];
    }
    return NULL;
}

/* Waits for execve, or for what went wrong before it. NULL: it is a bay now. */
static const char *wait_for_execve(int failed, int *cause)
{
    int why[2] = {0, 0};
    ssize_t got;
    do
        got = read(failed, why, sizeof why);
    while (got < 0 && errno == EINTR);
    *cause = why[1];
    return got == 0 ? NULL : spawn_child_stage(why[0]);
}

static void start(struct spawner *s, const struct spawn_ask *q, const int *fd, uint32_t fd_count)
{
    struct spawn_birth b = {.ask = q,
                            .fd = fd,
                            .fd_count = fd_count,
                            .program = s->program,
                            .life = s->life,
                            .flags = namespaces(s)};
    char text[SANDBOX_TEXT_BYTES];
    int words[2] = {-1, -1}, failed[2] = {-1, -1}, cause = 0;
    struct seat *seat = free_seat(s, &b.uid);
    if (q->is_contained && sandbox_say(&s->can, 0, text)) {
        refuse(s, q->id, text, 0);
        return;
    }
    if (!seat) {
        refuse(s, q->id, "as many bays run as there is room, or user ids, for", 0);
        return;
    }
    if (pipe2(words, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(failed, O_CLOEXEC) != 0) {
        refuse(s, q->id, "no pipe for it", errno);
        close(words[0]);
        close(words[1]);
        return;
    }
    b.words = words[1];
    b.failed = failed[1];
    struct spawn_tell t = {.news = SPAWN_STARTED, .id = q->id};
    *seat = (struct seat){.id = q->id, .words = words[0], .pidfd = -1};
    seat->pid = give_birth(b.flags, &seat->pidfd);
    if (seat->pid == 0)
        spawn_child_run(&b);
    cause = errno;
    close(words[1]);
    close(failed[1]);
    const char *stage = "no process for it";
    if (seat->pid > 0)
        stage = wait_for_execve(failed[0], &cause);
    close(failed[0]);
    if (!stage) {
        t.pid = seat->pid;
        tell(s, &t, seat->pidfd);
        return;
    }
    if (seat->pid > 0) {
        waitpid(seat->pid, NULL, 0);
        close(seat->pidfd);
    }
    close(words[0]);
    *seat = (struct seat){0};
    refuse(s, q->id, stage, cause);
}

/* ---- the loop ---- */
static void kill_seat(struct spawner *s, uint32_t id)
{
    for (uint32_t i = 0; i < SPAWN_BAYS_MAX; i++) {
        if (s->seat[i].id == id && id != 0)
            syscall(SYS_pidfd_send_signal, s->seat[i].pidfd, SIGKILL, NULL, 0);
    }
}

static void end_all(struct spawner *s)
{
    for (uint32_t i = 0; i < SPAWN_BAYS_MAX; i++)
        kill_seat(s, s->seat[i].id);
    for (uint32_t i = 0; i < SPAWN_BAYS_MAX; i++) {
        if (s->seat[i].id != 0)
            waitpid(s->seat[i].pid, NULL, 0);
    }
    _exit(0);
}

static void take_ask(struct spawner *s)
{
    struct spawn_ask q;
    int fd[SPAWN_FDS_MAX];
    uint32_t count = SPAWN_FDS_MAX;
    ssize_t got = spawn_wire_take(s->socket, &q, sizeof q, fd, &count, 0);
    if (got <= 0)
        end_all(s);
    uint32_t want = 0;
    if (got == sizeof q && q.op == SPAWN_OP_START)
        want = SPAWN_LINE_FDS * (q.kind == SPAWN_ADAPTER ? 2 : 1) + q.module_count;
    must(got == sizeof q && q.version == SPAWN_VERSION && count == want);
    if (q.op == SPAWN_OP_START)
        start(s, &q, fd, count);
    else
        kill_seat(s, q.id);
    for (uint32_t i = 0; i < count; i++)
        close(fd[i]);
}

static void serve(struct spawner *s)
{
    struct pollfd p[1 + SPAWN_BAYS_MAX];
    struct seat *seat[1 + SPAWN_BAYS_MAX] = {NULL};
    for (;;) {
        nfds_t count = 1;
        p[0] = (struct pollfd){.fd = s->socket, .events = POLLIN};
        for (uint32_t i = 0; i < SPAWN_BAYS_MAX; i++) {
            if (s->seat[i].id == 0)
                continue;
            seat[count] = &s->seat[i];
            p[count++] = (struct pollfd){.fd = s->seat[i].pidfd, .events = POLLIN};
        }
        if (poll(p, count, -1) < 0)
            continue;
        for (nfds_t i = 1; i < count; i++) {
            if (p[i].revents != 0)
                reap(s, seat[i]);
        }
        if (p[0].revents != 0)
            take_ask(s);
    }
}

/* Users, namespaces, signals to children of other users; and no way to get the others back. */
static int keep_capabilities(void)
{
    static const int kept[] = {CAP_SETUID, CAP_SETGID, CAP_SYS_ADMIN, CAP_KILL};
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct had[2] = {0}, data[2] = {0};
    if (syscall(SYS_capget, &head, had) != 0)
        return errno;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        data[kept[i] / 32].permitted |= had[kept[i] / 32].permitted & 1u << kept[i] % 32;
    for (int i = 0; i < 2; i++)
        data[i].effective = data[i].permitted;
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
        if (!(data[cap / 32].permitted & 1u << cap % 32) && prctl(PR_CAPBSET_DROP, cap) != 0)
            return errno;
    }
    return syscall(SYS_capset, &head, data) == 0 ? 0 : errno;
}

int spawn_main(int argc, char **argv)
{
    static struct spawner s;
    int life[2];
    if (argc != 4 || pipe2(life, O_CLOEXEC) != 0)
        return 64;
    s.socket = SPAWN_FD_SOCKET;
    fcntl(s.socket, F_SETFD, FD_CLOEXEC);
    s.life = life[0];
    s.life_end = life[1];
    s.is_root = geteuid() == 0;
    s.uid_first = (uint32_t)strtoul(argv[2], NULL, 10);
    s.uid_count = s.is_root ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    for (size_t i = 0; i < 3; i++)
        signal((const int[]){SIGINT, SIGTERM, SIGHUP}[i], SIG_IGN);
    s.program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    struct spawn_tell t = {.news = SPAWN_HELLO};
    int cause = s.program < 0 ? errno : s.is_root ? keep_capabilities() : 0;
    if (cause != 0)
        snprintf(t.text, sizeof t.text, "it cannot prepare itself: %s", strerror(cause));
    sandbox_probe(s.is_root, s.uid_count > 0, &s.can);
    t.can = s.can;
    tell(&s, &t, -1);
    serve(&s);
    return 0;
}
