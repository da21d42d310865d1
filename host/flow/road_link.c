/* SPDX-License-Identifier: Apache-2.0
 *
 * A peer that goes away is seen in two ways: the socket hangs up, or the link is broken. One that
 * is there and silent is told by its unanswered approvals, which the core's own timers doubt.
 */
#include "flow/road_link.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/must.h"

enum { FDS_MAX = 5 };

/* ---- the durable page ---- */

struct result road_link_open(struct road_link *r, const char *path, struct trail *tr)
{
    *r = (struct road_link){.fd = -1, .bell = -1, .page_fd = -1};
    if (strlen(path) >= sizeof r->path)
        return FAIL(tr, TOO_LARGE,
                    "egress socket %.100s...: the path is longer than %zu; use a "
                    "shorter one",
                    path, sizeof r->path - 1);
    memcpy(r->path, path, strlen(path) + 1);
    pthread_mutex_init(&r->lock, NULL);
    r->page_fd = memfd_create("tenon-durable", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (r->page_fd < 0 || ftruncate(r->page_fd, sizeof(struct road_durable)) != 0)
        return FAIL(tr, IO, "durable page: %s", strerror(errno));
    void *m = mmap(NULL, sizeof *r->page, PROT_READ | PROT_WRITE, MAP_SHARED, r->page_fd, 0);
    if (m == MAP_FAILED)
        return FAIL(tr, IO, "durable page: %s", strerror(errno));
    r->page = m;
    r->page->version = ROAD_VERSION;
    if (fcntl(r->page_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE) != 0)
        return FAIL(tr, IO, "durable page: cannot be sealed: %s", strerror(errno));
    return OK_RESULT;
}

void road_link_close(struct road_link *r)
{
    if (r->page == NULL && r->page_fd <= 0)
        return;
    road_link_detach(r);
    if (r->page != NULL)
        munmap(r->page, sizeof *r->page);
    if (r->page_fd >= 0)
        close(r->page_fd);
    pthread_mutex_destroy(&r->lock);
    r->page = NULL;
    r->page_fd = -1;
}

static void ring_bell(struct road_link *r)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&r->lock);
    if (r->bell >= 0 && write(r->bell, &one, sizeof one) < 0)
        errno = 0; /* a full counter rings already */
    pthread_mutex_unlock(&r->lock);
}

void road_link_durable(void *arg, uint64_t seq)
{
    struct road_link *r = arg;
    atomic_store(&r->page->seq, seq);
    uint64_t wanted = atomic_load(&r->wanted);
    if (wanted == 0)
        return;
    if (seq >= wanted)
        (void)atomic_compare_exchange_strong(&r->wanted, &wanted, 0);
    ring_bell(r);
}

void road_link_want(struct road_link *r, uint64_t seq)
{
    atomic_store(&r->wanted, seq);
    if (atomic_load(&r->page->seq) >= seq) /* it became durable in between: nobody else rings */
        ring_bell(r);
}

/* ---- attaching ---- */

static struct result send_fds(int fd, const void *bytes, size_t count, const int *fds,
                              uint32_t fd_count, struct trail *tr)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } control = {0};
    struct iovec io = {(void *)(uintptr_t)bytes, count};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    must(fd_count <= FDS_MAX);
    if (fd_count > 0) {
        m.msg_control = control.room;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
    }
    if (sendmsg(fd, &m, MSG_NOSIGNAL) != (ssize_t)count)
        return FAIL(tr, IO, "tenon-egress: cannot be told: %s", strerror(errno));
    return OK_RESULT;
}

static struct result connect_to(struct road_link *r, int wait_ms, struct trail *tr)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    memcpy(to.sun_path, r->path, sizeof r->path);
    r->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (r->fd < 0)
        return FAIL(tr, IO, "egress socket: %s", strerror(errno));
    (void)setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    (void)setsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (connect(r->fd, (struct sockaddr *)&to, sizeof to) != 0)
        return FAIL(tr, UNREACHABLE,
                    "egress socket %s: %s; start tenon-egress, or name its socket with --egress",
                    r->path, strerror(errno));
    return OK_RESULT;
}

static struct result greet(struct road_link *r, const struct road_hello *h,
                           const struct link_end *end, struct trail *tr)
{
    const int fds[FDS_MAX] = {end->mine, end->theirs, end->bell, end->their_bell, r->page_fd};
    struct road_welcome w = {0};
    TRY(send_fds(r->fd, h, sizeof *h, fds, FDS_MAX, tr));
    ssize_t got = recv(r->fd, &w, sizeof w, 0);
    if (got != (ssize_t)sizeof w)
        return FAIL(tr, UNREACHABLE, "egress socket %s: no welcome came (%s); see its log", r->path,
                    got < 0 ? strerror(errno) : "it hung up");
    w.text[sizeof w.text - 1] = 0;
    if (w.exit != 0)
        return FAIL(tr, STATE, "tenon-egress refused this host: %s", w.text);
    return OK_RESULT;
}

struct result road_link_attach(struct road_link *r, uint64_t epoch, const uint8_t journal_id[16],
                               const char *host, int wait_ms, struct trail *tr)
{
    struct link_end end[2];
    struct road_hello h = {.version = ROAD_VERSION, .link_bytes = ROAD_LINK_BYTES, .epoch = epoch};
    memcpy(h.journal_id, journal_id, sizeof h.journal_id);
    strncpy(h.host, host, sizeof h.host - 1);
    must(r->fd < 0);
    r->page->epoch = epoch;
    TRY(link_make(ROAD_LINK_BYTES, end, tr));
    struct result result = connect_to(r, wait_ms, tr);
    if (is_ok(result))
        result = greet(r, &h, &end[1], tr);
    link_end_close(&end[1]);
    if (is_ok(result))
        result = link_open(&end[0], &r->link, tr);
    else
        link_end_close(&end[0]);
    if (!is_ok(result)) {
        if (r->fd >= 0)
            close(r->fd);
        r->fd = -1;
        return result;
    }
    pthread_mutex_lock(&r->lock);
    r->bell = r->link.end.their_bell;
    pthread_mutex_unlock(&r->lock);
    return OK_RESULT;
}

void road_link_detach(struct road_link *r)
{
    if (r->fd < 0)
        return;
    pthread_mutex_lock(&r->lock);
    r->bell = -1;
    pthread_mutex_unlock(&r->lock);
    link_close(&r->link);
    close(r->fd);
    r->fd = -1;
}

bool road_link_look(struct road_link *r, const char **why)
{
    struct pollfd p = {.fd = r->fd, .events = POLLIN};
    *why = r->link.broken;
    if (r->link.broken != NULL)
        return false;
    if (poll(&p, 1, 0) <= 0)
        return true;
    char byte;
    *why = "tenon-egress has gone";
    return recv(r->fd, &byte, 1, MSG_DONTWAIT) > 0; /* it says nothing more here */
}

/* ---- using it ---- */

bool road_link_put(struct road_link *r, uint32_t kind, const void *bytes, uint32_t count)
{
    return r->fd >= 0 && link_put(&r->link, kind, bytes, count);
}

struct result road_link_bay(struct road_link *r, const struct road_bay *b, struct link_end *end,
                            struct trail *tr)
{
    if (r->fd < 0) {
        if (end != NULL)
            link_end_close(end);
        return FAIL(tr, UNREACHABLE, "tenon-egress: not attached");
    }
    if (end == NULL)
        return send_fds(r->fd, b, sizeof *b, NULL, 0, tr);
    const int fds[] = {end->mine, end->theirs, end->bell, end->their_bell};
    struct result result = send_fds(r->fd, b, sizeof *b, fds, 4, tr);
    link_end_close(end);
    return result;
}
