/* SPDX-License-Identifier: Apache-2.0
 *
 * See attach.h. The engine's death is the end of its socket: then its link, its page and the lines
 * of its bays are given back, and the desk burns what had not left. A bay may be replaced while the
 * engine lives; one whose line is broken is as good as dead.
 *
 * Messages are taken in turns, at most BATCH of a line at a time, so that no bay can keep the
 * engine's approvals or another bay's templates waiting.
 */
#include "egress/attach.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"

enum { BATCH = 64, FDS_MAX = 8, GUESTS_MAX = 4 };

struct line { /* to a bay, or to the engine */
    struct link link;
    bool is_open;
};
struct bay_lines {
    uint32_t account;    /* 0 = free */
    struct line line[2]; /* the one that serves, the second */
};
struct attach {
    struct attach_options o;
    struct desk *desk;
    int guest[GUESTS_MAX]; /* connected, no hello yet; -1 = none */
    uint32_t next_guest;
    int engine_fd;
    struct line core;
    const struct road_durable *page;
    uint64_t seq; /* as last told to the desk */
    struct bay_lines bay[DESK_ACCOUNTS_MAX];
    _Alignas(16) uint8_t buffer[LINK_MESSAGE_MAX];
};

static int64_t now(void)
{
    return clock_wall(&clock_system);
}

static void say(struct attach *a, uint32_t level, const char *line)
{
    if (a->o.log != NULL)
        a->o.log(a->o.arg, level, line);
}

/* ---- the socket file ---- */
struct result attach_listen(const char *path, int kind, bool is_for_others, int *fd,
                            struct trail *tr)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    *fd = -1;
    if (path[0] == 0 || strlen(path) >= sizeof at.sun_path)
        return FAIL(tr, RANGE, "socket path '%.60s' has %zu characters: 1 to %zu are possible",
                    path, strlen(path), sizeof at.sun_path - 1);
    strcpy(at.sun_path, path);
    int s = socket(AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Refused by nobody behind it is dead; a live one's queue may be full, or of another kind. */
    const bool is_dead =
        s >= 0 && connect(s, (const struct sockaddr *)&at, sizeof at) != 0 && errno == ECONNREFUSED;
    if (s >= 0 && !is_dead && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        close(s);
        return FAIL(tr, BUSY,
                    "another tenon-egress answers on %s, or somebody else; stop it, or "
                    "name another socket",
                    path);
    }
    if (lstat(path, &st) == 0 && (!S_ISSOCK(st.st_mode) || unlink(path) != 0)) {
        if (s >= 0)
            close(s);
        return FAIL(tr, STATE, "%s: is in the way and is no socket of ours; remove it", path);
    }
    /* fchmod before bind gives the file its mode at once: chmod afterwards leaves a moment. */
    if (s < 0 || fchmod(s, is_for_others ? 0666 : 0600) != 0 ||
        bind(s, (const struct sockaddr *)&at, sizeof at) != 0 || listen(s, GUESTS_MAX) != 0) {
        int e = errno;
        if (s >= 0)
            close(s);
        return FAIL(tr, IO, "cannot listen on %s: %s; name a folder of your own", path,
                    strerrordesc_np(e));
    }
    if (is_for_others && chmod(path, 0666) != 0) {
        close(s);
        return FAIL(tr, IO, "the socket %s did not get its mode", path);
    }
    *fd = s;
    return OK_RESULT;
}

bool attach_may(int fd, uint32_t engine_uid, uint32_t *uid)
{
    struct ucred peer;
    socklen_t bytes = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0)
        return false;
    *uid = peer.uid;
    return peer.uid == 0 || peer.uid == geteuid() || peer.uid == engine_uid;
}

/* ---- messages with descriptors ---- */
struct parcel {
    ssize_t count;
    uint32_t fds;
    int fd[FDS_MAX];
};

static void drop_fds(struct parcel *p)
{
    for (uint32_t i = 0; i < p->fds; i++) {
        if (p->fd[i] >= 0)
            close(p->fd[i]);
    }
    p->fds = 0;
}

/* Descriptors that came are ours, whatever becomes of the message. count 0 = the other is gone;
 * -1 = nothing yet. */
static void receive(int fd, void *out, size_t room, struct parcel *p)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } control;
    struct iovec iov = {.iov_base = out, .iov_len = room};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    *p = (struct parcel){0};
    p->count = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (p->count < 0) {
        p->count = errno == EAGAIN || errno == EINTR ? -1 : 0;
        return;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        p->fds = (uint32_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        must(p->fds <= FDS_MAX);
        memcpy(p->fd, CMSG_DATA(c), p->fds * sizeof(int));
    }
    if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        drop_fds(p);
        p->count = 0;
    }
}

/* The first four become a link; they are the link's then, also when it fails. */
static struct result take_link(struct parcel *p, uint32_t bytes, struct line *out, struct trail *tr)
{
    const struct link_end end = {.mine = p->fd[0],
                                 .theirs = p->fd[1],
                                 .bell = p->fd[2],
                                 .their_bell = p->fd[3],
                                 .capacity = bytes};
    must(p->fds >= 4 && !out->is_open);
    for (uint32_t i = 0; i < 4; i++)
        p->fd[i] = -1;
    TRY(link_open(&end, &out->link, tr));
    out->is_open = true;
    return OK_RESULT;
}

static void on_bell(void *arg, int fd)
{
    (void)arg; /* link_awake drains it: this only ends the wait */
    (void)fd;
}

static struct result watch_line(struct attach *a, struct line *l, struct trail *tr)
{
    return net_watch(a->o.net, l->link.end.bell, on_bell, a, tr);
}

static void close_line(struct attach *a, struct line *l)
{
    if (!l->is_open)
        return;
    net_unwatch(a->o.net, l->link.end.bell);
    link_close(&l->link);
    l->is_open = false;
}

/* ---- bays ---- */
static struct bay_lines *bay_of(struct attach *a, uint32_t account, bool make)
{
    for (uint32_t i = 0; i < DESK_ACCOUNTS_MAX; i++) {
        if (a->bay[i].account == account)
            return &a->bay[i];
    }
    for (uint32_t i = 0; make && i < DESK_ACCOUNTS_MAX; i++) {
        if (a->bay[i].account == 0) {
            a->bay[i].account = account;
            return &a->bay[i];
        }
    }
    return NULL;
}

static void lose_bay(struct attach *a, struct bay_lines *b, uint32_t which)
{
    if (!b->line[which].is_open)
        return;
    close_line(a, &b->line[which]);
    desk_bay(a->desk, now(), b->account, which == 1, false);
}

static void take_over(struct attach *a, struct bay_lines *b)
{
    if (!b->line[1].is_open) {
        say(a, LOG_WARN, "an adapter was to take over that is not here; nothing was changed");
        return;
    }
    close_line(a, &b->line[0]);
    b->line[0] = b->line[1];
    b->line[1] = (struct line){0};
    desk_bay_takes_over(a->desk, now(), b->account); /* closes the first session's links */
    net_take_over(a->o.net, b->account);
}

static void on_bay(struct attach *a, const struct road_bay *m, struct parcel *p)
{
    struct trail tr = {0};
    struct bay_lines *b = m->account != 0 ? bay_of(a, m->account, true) : NULL;
    if (b == NULL || m->is_second > 2 || (p->fds != 0 && p->fds != 4) ||
        (m->is_second == 2 && p->fds != 0)) {
        say(a, LOG_ERROR, "the engine handed over an adapter's line that fits no account");
        return;
    }
    if (m->is_second == 2) {
        take_over(a, b);
        return;
    }
    lose_bay(a, b, m->is_second);
    if (p->fds == 0)
        return; /* it is said to be gone */
    struct line *l = &b->line[m->is_second];
    struct result r = take_link(p, m->link_bytes, l, &tr);
    if (is_ok(r))
        r = watch_line(a, l, &tr);
    if (is_ok(r))
        desk_bay(a->desk, now(), b->account, m->is_second == 1, true);
    else {
        close_line(a, l);
        say(a, LOG_ERROR, trail_sentence(&tr, r));
    }
}

/* ---- the engine ---- */
static void forget_core(struct attach *a)
{
    close_line(a, &a->core);
    if (a->page != NULL)
        munmap((void *)(uintptr_t)a->page, sizeof *a->page);
    a->page = NULL;
}

static void engine_gone(struct attach *a, const char *why)
{
    for (uint32_t i = 0; i < DESK_ACCOUNTS_MAX; i++) {
        lose_bay(a, &a->bay[i], 1);
        lose_bay(a, &a->bay[i], 0);
        a->bay[i].account = 0;
    }
    forget_core(a);
    net_unwatch(a->o.net, a->engine_fd);
    close(a->engine_fd);
    a->engine_fd = -1;
    say(a, LOG_WARN, why);
    desk_detach(a->desk, now());
}

static bool pump_core(struct attach *a);

/* What the engine put on its link before this message belongs before it: the account of a bay. */
static void catch_up(struct attach *a)
{
    while (a->core.is_open && pump_core(a))
        ;
}

static void on_engine(void *arg, int fd)
{
    struct attach *a = arg;
    struct road_bay m;
    struct parcel p;
    receive(fd, &m, sizeof m, &p);
    if (p.count == (ssize_t)sizeof m)
        catch_up(a);
    if (a->engine_fd < 0)
        ; /* its link was broken */
    else if (p.count == (ssize_t)sizeof m)
        on_bay(a, &m, &p);
    else if (p.count >= 0)
        engine_gone(a, p.count == 0 ? "the engine is gone; its sessions stay"
                                    : "the engine broke the protocol of its socket");
    drop_fds(&p);
}

static struct result map_page(struct attach *a, int fd, uint64_t epoch, struct trail *tr)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(fd, &st) != 0 ||
        st.st_size < (off_t)sizeof *a->page)
        return FAIL(tr, PROTOCOL, "the durable page is no sealed memory of its size");
    void *map = mmap(NULL, sizeof *a->page, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED)
        return FAIL(tr, IO, "the durable page cannot be mapped: %s", strerrordesc_np(errno));
    a->page = map;
    if (a->page->version == ROAD_VERSION && a->page->epoch == epoch)
        return OK_RESULT;
    munmap(map, sizeof *a->page);
    a->page = NULL;
    return FAIL(tr, PROTOCOL, "the durable page is of version %u and another epoch", ROAD_VERSION);
}

static struct result check_hello(struct attach *a, const struct road_hello *h,
                                 const struct parcel *p, struct trail *tr)
{
    const char *why = "";
    if (p->count != (ssize_t)sizeof *h || p->fds != 5)
        return FAIL(tr, PROTOCOL, "no hello of an engine: %zd bytes, %u descriptors", p->count,
                    p->fds);
    if (h->version != ROAD_VERSION)
        return FAIL(tr, PROTOCOL,
                    "the engine speaks version %u of the road, tenon-egress %d; use "
                    "matching versions",
                    h->version, ROAD_VERSION);
    if (a->engine_fd >= 0)
        return FAIL(tr, BUSY, "another engine is attached; stop it first");
    if (!desk_admits(a->desk, h, &why))
        return FAIL(tr, STATE, "epoch %lu of this engine may not attach: %s",
                    (unsigned long)h->epoch, why);
    return OK_RESULT;
}

static struct result welcome(struct attach *a, const struct road_hello *h, struct parcel *p,
                             struct trail *tr)
{
    TRY(check_hello(a, h, p, tr));
    TRY(map_page(a, p->fd[4], h->epoch, tr));
    struct result r = take_link(p, h->link_bytes, &a->core, tr);
    if (is_ok(r))
        r = watch_line(a, &a->core, tr);
    if (!is_ok(r))
        forget_core(a);
    return r;
}

static void drop_guest(struct attach *a, int fd)
{
    for (uint32_t i = 0; i < GUESTS_MAX; i++) {
        if (a->guest[i] == fd)
            a->guest[i] = -1;
    }
    net_unwatch(a->o.net, fd);
}

static void on_guest(void *arg, int fd)
{
    struct attach *a = arg;
    struct road_hello h = {0};
    struct road_welcome answer = {.version = ROAD_VERSION};
    struct trail tr = {0};
    struct parcel p;
    receive(fd, &h, sizeof h, &p);
    if (p.count < 0)
        return;
    h.host[sizeof h.host - 1] = 0;
    struct result r = welcome(a, &h, &p, &tr);
    drop_fds(&p);
    drop_guest(a, fd);
    if (is_ok(r)) {
        r = net_watch(a->o.net, fd, on_engine, a, &tr);
        if (!is_ok(r))
            forget_core(a);
    }
    if (!is_ok(r)) {
        answer.exit = result_exit(r);
        snprintf(answer.text, sizeof answer.text, "%s", trail_sentence(&tr, r));
        say(a, LOG_WARN, answer.text);
    }
    bool was_told = send(fd, &answer, sizeof answer, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
    if (!is_ok(r) || !was_told) { /* it may have ended, or given up, while this one started */
        if (is_ok(r)) {
            net_unwatch(a->o.net, fd);
            forget_core(a);
        }
        close(fd);
        return;
    }
    a->engine_fd = fd;
    a->seq = 0;
    desk_attach(a->desk, now(), &h);
}

static void on_listen(void *arg, int fd)
{
    struct attach *a = arg;
    struct trail tr = {0};
    uint32_t uid = 0;
    int guest = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (guest < 0)
        return;
    if (!attach_may(guest, a->o.engine_uid, &uid)) {
        say(a, LOG_WARN, "a process of another user wanted to attach; refused");
        close(guest);
        return;
    }
    int *place = &a->guest[a->next_guest];
    a->next_guest = (a->next_guest + 1) % GUESTS_MAX;
    if (*place >= 0) { /* it never said hello */
        int old = *place;
        drop_guest(a, old);
        close(old);
    }
    struct result r = net_watch(a->o.net, guest, on_guest, a, &tr);
    if (is_ok(r)) {
        *place = guest;
        return;
    }
    close(guest);
    say(a, LOG_ERROR, trail_sentence(&tr, r));
}

/* ---- for the desk ---- */
bool attach_to_core(struct attach *a, uint32_t kind, const void *bytes, uint32_t count)
{
    return a->core.is_open && link_put(&a->core.link, kind, bytes, count);
}

bool attach_to_bay(struct attach *a, uint32_t account, bool second, uint32_t kind, const void *head,
                   uint32_t head_count, const void *body, uint32_t body_count)
{
    struct bay_lines *b = bay_of(a, account, false);
    if (b == NULL || !b->line[second ? 1 : 0].is_open)
        return false;
    struct link *l = &b->line[second ? 1 : 0].link;
    uint8_t *to = link_reserve(l, kind, head_count + body_count);
    if (to == NULL)
        return false;
    if (head_count > 0)
        memcpy(to, head, head_count);
    if (body_count > 0)
        memcpy(to + head_count, body, body_count);
    link_commit(l);
    return true;
}

/* ---- taking ---- */
static void look_at_page(struct attach *a)
{
    uint64_t seq = a->page != NULL ? atomic_load_explicit(&a->page->seq, memory_order_acquire) : 0;
    if (seq <= a->seq)
        return;
    a->seq = seq;
    desk_durable(a->desk, now(), seq);
}

void attach_recall(struct attach *a, const struct road_kill *k)
{
    char line[160];
    uint32_t back = net_recall(a->o.net, k->account, a->desk);
    snprintf(line, sizeof line,
             "a kill by %.31s: %u requests had not left and will not, %u are on the wire", k->by,
             back, net_on_the_wire(a->o.net));
    say(a, LOG_WARN, line);
}

static bool pump_core(struct attach *a)
{
    struct link_message m;
    uint32_t n = 0;
    while (n < BATCH && a->core.is_open &&
           link_take(&a->core.link, &m, a->buffer, sizeof a->buffer)) {
        n++;
        if (m.kind == ROAD_KILL && m.bytes == sizeof(struct road_kill))
            attach_recall(a, (const struct road_kill *)(const void *)a->buffer);
        if (m.kind == ROAD_ACCOUNT && m.bytes == sizeof(struct road_account))
            a->o.account(a->o.arg, (const struct road_account *)(const void *)a->buffer);
        desk_from_core(a->desk, now(), m.kind, a->buffer, m.bytes);
    }
    if (a->core.is_open && a->core.link.broken != NULL)
        engine_gone(a, "the engine's line is broken; it is cut off");
    return n == BATCH;
}

static bool pump_bay(struct attach *a, struct bay_lines *b, uint32_t which)
{
    struct line *l = &b->line[which];
    struct link_message m;
    uint32_t n = 0;
    while (n < BATCH && l->is_open && link_take(&l->link, &m, a->buffer, sizeof a->buffer)) {
        n++;
        desk_from_bay(a->desk, now(), b->account, which == 1, m.kind, a->buffer, m.bytes);
    }
    if (l->is_open && l->link.broken != NULL) {
        say(a, LOG_ERROR, "an adapter's line is broken; its bay is taken for dead");
        lose_bay(a, b, which);
    }
    return n == BATCH;
}

bool attach_pump(struct attach *a)
{
    bool more = pump_core(a);
    look_at_page(a);
    for (uint32_t i = 0; i < DESK_ACCOUNTS_MAX; i++) {
        for (uint32_t k = 0; k < 2 && a->bay[i].account != 0; k++)
            more = pump_bay(a, &a->bay[i], k) || more;
    }
    return more;
}

static bool line_sleeps(struct line *l)
{
    if (!l->is_open)
        return true;
    link_ring(&l->link);
    return link_sleep(&l->link);
}

bool attach_sleep(struct attach *a)
{
    bool sleeps = line_sleeps(&a->core);
    for (uint32_t i = 0; i < DESK_ACCOUNTS_MAX; i++) {
        for (uint32_t k = 0; k < 2; k++)
            sleeps = line_sleeps(&a->bay[i].line[k]) && sleeps;
    }
    /* The engine raises the page and then rings whom it sees asleep: so look once more. */
    if (a->page != NULL && atomic_load_explicit(&a->page->seq, memory_order_acquire) > a->seq)
        sleeps = false;
    return sleeps;
}

void attach_awake(struct attach *a)
{
    const int64_t beat = clock_mono(&clock_system);
    enum { LINES = 1 + 2 * DESK_ACCOUNTS_MAX };
    struct line *all[LINES] = {&a->core};
    for (uint32_t i = 1; i < LINES; i++)
        all[i] = &a->bay[(i - 1) / 2].line[(i - 1) % 2];
    for (uint32_t i = 0; i < LINES; i++) {
        if (!all[i]->is_open)
            continue;
        link_awake(&all[i]->link);
        link_beat(&all[i]->link, beat);
    }
}

bool attach_is_here(const struct attach *a)
{
    return a->engine_fd >= 0;
}

/* ---- begin and end ---- */
struct result attach_new(const struct attach_options *o, struct attach **out, struct trail *tr)
{
    struct attach *a = calloc(1, sizeof *a);
    must(a != NULL && o->net != NULL && o->listen_fd >= 0);
    a->o = *o;
    a->engine_fd = -1;
    for (uint32_t i = 0; i < GUESTS_MAX; i++)
        a->guest[i] = -1;
    struct result r = net_watch(o->net, o->listen_fd, on_listen, a, tr);
    if (is_ok(r))
        *out = a;
    else
        free(a);
    return r;
}

void attach_start(struct attach *a, struct desk *desk)
{
    a->desk = desk;
}

void attach_free(struct attach *a)
{
    if (a == NULL)
        return;
    if (a->engine_fd >= 0)
        engine_gone(a, "the engine is let go: tenon-egress stops");
    for (uint32_t i = 0; i < GUESTS_MAX; i++) {
        if (a->guest[i] < 0)
            continue;
        int fd = a->guest[i];
        drop_guest(a, fd);
        close(fd);
    }
    net_unwatch(a->o.net, a->o.listen_fd);
    close(a->o.listen_fd);
    free(a);
}
