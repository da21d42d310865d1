/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's side of the spawner. Requests are asked and answered in turn under one lock; what
 * comes in between (a bay ended) is kept in a table by id until somebody asks.
 */
#include "bays/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/must.h"
#include "bays/spawn_wire.h"

enum { ENDS_MAX = 4 * SPAWN_BAYS_MAX, ANSWER_MS = 10000, PATH_BYTES = 4096 };

struct ended {
    uint32_t id;
    int32_t status;
    char text[SPAWN_TEXT_BYTES];
};
struct spawn {
    pthread_mutex_t lock;
    pid_t pid;
    int socket;
    _Atomic bool is_gone;
    uint32_t next_id, ended_count;
    struct sandbox_can can;
    struct ended ended[ENDS_MAX]; /* a ring: the oldest is forgotten */
};

/* ---- what the spawner says ---- */
static void keep_end(struct spawn *s, const struct spawn_tell *t)
{
    struct ended *e = &s->ended[s->ended_count++ % ENDS_MAX];
    e->id = t->id;
    e->status = t->status;
    snprintf(e->text, sizeof e->text, "%.*s", SPAWN_TEXT_BYTES - 1, t->text);
}

/* One message; false: none in time, or the spawner has gone. *fd = its descriptor, or -1. */
static bool take(struct spawn *s, struct spawn_tell *t, int *fd, int wait_ms)
{
    uint32_t count = 1;
    struct pollfd p = {.fd = s->socket, .events = POLLIN};
    *fd = -1;
    int ready;
    do
        ready = poll(&p, 1, wait_ms);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return false;
    ssize_t got = spawn_wire_take(s->socket, t, sizeof *t, fd, &count, MSG_DONTWAIT);
    if (got != (ssize_t)sizeof *t || t->version != SPAWN_VERSION) {
        if (got >= 0 || errno != EAGAIN)
            s->is_gone = true;
        return false;
    }
    t->text[sizeof t->text - 1] = 0;
    return true;
}

/* The answer to a request; ends that come before it are kept. */
static bool wait_for(struct spawn *s, uint32_t id, struct spawn_tell *t, int *fd)
{
    while (take(s, t, fd, ANSWER_MS)) {
        if (t->news != SPAWN_ENDED && t->id == id)
            return true;
        if (t->news == SPAWN_ENDED)
            keep_end(s, t);
        if (*fd >= 0)
            close(*fd);
    }
    return false;
}

/* ---- starting and stopping it ---- */
static struct result find_program(const char *given, char out[PATH_BYTES], struct trail *tr)
{
    if (given) {
        snprintf(out, PATH_BYTES, "%s", given);
    } else {
        ssize_t got = readlink("/proc/self/exe", out, PATH_BYTES - sizeof "/tenon-bay");
        if (got <= 0)
            return FAIL(tr, IO, "/proc/self/exe cannot be read: %s; mount /proc", strerror(errno));
        out[got] = 0;
        strcpy(strrchr(out, '/') + 1, "tenon-bay");
    }
    if (access(out, X_OK) == 0)
        return OK_RESULT;
    return FAIL(tr, NOT_FOUND,
                "%s: cannot be executed: %s; install the whole of Tenon, or have all "
                "bays inline",
                out, strerror(errno));
}

static int execute(const char *program, const struct spawn_config *c, int socket, pid_t *pid)
{
    char first[16], count[16], name[] = "tenon-bay", what[] = "spawner";
    snprintf(first, sizeof first, "%u", c->uid_first);
    snprintf(count, sizeof count, "%u", c->uid_count);
    char *const argv[] = {name, what, first, count, NULL}, *const environment[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    must(posix_spawn_file_actions_init(&files) == 0 && posix_spawnattr_init(&how) == 0);
    sigset_t none;
    sigemptyset(&none);
    must(posix_spawn_file_actions_adddup2(&files, socket, SPAWN_FD_SOCKET) == 0);
    must(posix_spawn_file_actions_addclosefrom_np(&files, SPAWN_FD_SOCKET + 1) == 0);
    must(posix_spawnattr_setsigmask(&how, &none) == 0);
    must(posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID) == 0);
    int cause = posix_spawn(pid, program, &files, &how, argv, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return cause;
}

static struct result greet(struct spawn *s, const char *program, struct trail *tr)
{
    struct spawn_tell t = {.news = SPAWN_NEWS_UNSET};
    int fd = -1;
    bool said = wait_for(s, 0, &t, &fd);
    if (fd >= 0)
        close(fd);
    if (!said || t.news != SPAWN_HELLO)
        return FAIL(tr, UNREACHABLE,
                    "%s: the spawner of bays does not answer; is it of this "
                    "version?",
                    program);
    if (t.text[0])
        return FAIL(tr, NOT_PERMITTED, "%s: the spawner of bays: %s", program, t.text);
    s->can = t.can;
    return OK_RESULT;
}

struct result spawn_start(const struct spawn_config *c, struct spawn **out, struct trail *tr)
{
    char program[PATH_BYTES];
    int pair[2];
    must(c && out);
    *out = NULL;
    TRY(find_program(c->program, program, tr));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return FAIL(tr, IO, "no socket to the spawner of bays: %s", strerror(errno));
    struct spawn *s = calloc(1, sizeof *s);
    must(s != NULL && pthread_mutex_init(&s->lock, NULL) == 0);
    s->socket = pair[0];
    int high =
        fcntl(pair[1], F_DUPFD_CLOEXEC, SPAWN_FD_SOCKET + 1); /* dup2 to itself keeps CLOEXEC */
    int cause = high < 0 ? errno : execute(program, c, high, &s->pid);
    close(pair[1]);
    if (high >= 0)
        close(high);
    struct result r = OK_RESULT;
    if (cause != 0)
        r = FAIL(tr, IO, "%s: cannot be started: %s", program, strerror(cause));
    else
        r = greet(s, program, tr);
    if (!is_ok(r)) {
        spawn_stop(s);
        return r;
    }
    *out = s;
    return OK_RESULT;
}

const struct sandbox_can *spawn_can(const struct spawn *s)
{
    return &s->can;
}

bool spawn_is_alive(const struct spawn *s)
{
    return !s->is_gone;
}

void spawn_stop(struct spawn *s)
{
    if (!s)
        return;
    close(s->socket);
    if (s->pid > 0) {
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    must(pthread_mutex_destroy(&s->lock) == 0);
    free(s);
}

/* ---- bays ---- */
static uint32_t list_descriptors(const struct spawn_request *q, int fd[SPAWN_FDS_MAX])
{
    const struct link_end *end[2] = {&q->core, &q->desk};
    uint32_t count = 0;
    for (uint32_t i = 0; i < (q->kind == SPAWN_ADAPTER ? 2u : 1u); i++) {
        fd[count++] = end[i]->mine;
        fd[count++] = end[i]->theirs;
        fd[count++] = end[i]->bell;
        fd[count++] = end[i]->their_bell;
    }
    for (uint32_t i = 0; i < q->module_count; i++)
        fd[count++] = q->module_fd[i];
    return count;
}

static struct result gone(struct spawn *s, struct trail *tr)
{
    s->is_gone = true;
    return FAIL(tr, UNREACHABLE,
                "the spawner of bays has ended, and every bay with it; restart the host");
}

static struct result ask_for(struct spawn *s, const struct spawn_request *q,
                             struct spawn_child *out, struct trail *tr)
{
    struct spawn_tell t;
    int fd[SPAWN_FDS_MAX], pidfd = -1;
    uint32_t count = list_descriptors(q, fd);
    const struct spawn_ask ask = {.version = SPAWN_VERSION,
                                  .op = SPAWN_OP_START,
                                  .id = ++s->next_id,
                                  .kind = q->kind,
                                  .cpu = q->cpu,
                                  .is_contained = q->is_contained,
                                  .module_count = q->module_count,
                                  .core_bytes = q->core.capacity,
                                  .desk_bytes = q->kind == SPAWN_ADAPTER ? q->desk.capacity : 0,
                                  .memory_bytes =
                                      q->memory_bytes ? q->memory_bytes : SPAWN_MEMORY_BYTES};
    if (s->is_gone || !spawn_wire_put(s->socket, &ask, sizeof ask, fd, count) ||
        !wait_for(s, ask.id, &t, &pidfd))
        return gone(s, tr);
    if (t.news == SPAWN_STARTED && pidfd >= 0) {
        *out = (struct spawn_child){.id = ask.id, .pid = t.pid, .pidfd = pidfd};
        return OK_RESULT;
    }
    if (pidfd >= 0)
        close(pidfd);
    return FAIL(tr, NOT_PERMITTED, "a bay cannot be started: %s", t.text);
}

struct result spawn_bay(struct spawn *s, const struct spawn_request *q, struct spawn_child *out,
                        struct trail *tr)
{
    must(q->kind == SPAWN_STRATEGY || q->kind == SPAWN_ADAPTER);
    must(q->module_count > 0 && q->module_count <= SPAWN_MODULES_MAX);
    struct link_end core = q->core, desk = q->desk;
    *out = (struct spawn_child){.pidfd = -1};
    must(pthread_mutex_lock(&s->lock) == 0);
    struct result r = ask_for(s, q, out, tr);
    must(pthread_mutex_unlock(&s->lock) == 0);
    link_end_close(&core);
    if (q->kind == SPAWN_ADAPTER)
        link_end_close(&desk);
    return r;
}

/* Without the lock: a datagram is whole, and the core's thread may be the one that kills. */
void spawn_kill(struct spawn *s, uint32_t id)
{
    const struct spawn_ask ask = {.version = SPAWN_VERSION, .op = SPAWN_OP_KILL, .id = id};
    if (!spawn_wire_put(s->socket, &ask, sizeof ask, NULL, 0))
        s->is_gone = true;
}

static const struct ended *find_end(const struct spawn *s, uint32_t id)
{
    for (uint32_t i = 0; i < ENDS_MAX && i < s->ended_count; i++) {
        if (s->ended[i].id == id)
            return &s->ended[i];
    }
    return NULL;
}

bool spawn_how(struct spawn *s, uint32_t id, int32_t *status, char text[SPAWN_TEXT_BYTES])
{
    struct spawn_tell t;
    int fd;
    if (pthread_mutex_trylock(&s->lock) != 0)
        return false; /* a bay is being started: ask again */
    while (take(s, &t, &fd, 0)) {
        if (t.news == SPAWN_ENDED)
            keep_end(s, &t);
        if (fd >= 0)
            close(fd);
    }
    const struct ended *e = find_end(s, id);
    if (e) {
        memcpy(text, e->text, SPAWN_TEXT_BYTES);
        if (status)
            *status = e->status;
    }
    must(pthread_mutex_unlock(&s->lock) == 0);
    return e != NULL;
}
