/* SPDX-License-Identifier: Apache-2.0
 *
 * Two hosts must never share a socket, a dead host's file must not keep a new one from starting,
 * and two that start in the same moment must not both think the file is stale. So the lock decides:
 * flock on path.lock is held for the host's life and ends with it however it dies. Only the holder
 * looks at the socket file, and even then a connect must fail before it is removed; anything at
 * that path that is not a socket is left alone.
 *
 * The mode is set on the socket before bind (fchmod on an unbound socket gives the file's mode on
 * Linux): a umask would be process-wide, and chmod afterwards leaves a moment of 0755.
 */
#include "gateway/socket.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/must.h"

static struct result address(const char *path, struct sockaddr_un *a, struct trail *tr)
{
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    if (path[0] == '\0' || strlen(path) >= sizeof a->sun_path)
        return FAIL(tr, RANGE, "socket path '%.60s' has %zu characters: 1 to %zu are possible",
                    path, strlen(path), sizeof a->sun_path - 1);
    memcpy(a->sun_path, path, strlen(path));
    return OK_RESULT;
}

struct result socket_connect(const char *path, int *fd, struct trail *tr)
{
    struct sockaddr_un a;
    TRY(address(path, &a, tr));
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return FAIL(tr, IO, "no socket: %s", strerror(errno));
    /* A host that hangs accepts nobody; when its queue is full, connect waits for ever. */
    const struct timeval wait = {.tv_sec = 1}, none = {0};
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (connect(s, (const struct sockaddr *)&a, sizeof a) == 0) {
        setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
        *fd = s;
        return OK_RESULT;
    }
    int e = errno;
    close(s);
    if (e == EACCES || e == EPERM)
        return FAIL(tr, NOT_PERMITTED, "the host's socket %s belongs to another user", path);
    if (e == ENOENT)
        return FAIL(tr, UNREACHABLE, "no host is running: there is no socket %s", path);
    if (e == EAGAIN)
        return FAIL(tr, TIMEOUT, "the host on %s takes no more connections: it hangs", path);
    return FAIL(tr, UNREACHABLE, "no host answers on %s: %s", path, strerror(e));
}

static struct result take_lock(const char *lock_path, const char *path, int *fd, struct trail *tr)
{
    *fd = open(lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*fd < 0)
        return FAIL(tr, IO, "cannot open the lock %s: %s; name a folder of your own with --socket",
                    lock_path, strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return OK_RESULT;
    int e = errno;
    close(*fd);
    *fd = -1;
    if (e == EWOULDBLOCK)
        return FAIL(tr, BUSY, "another host holds the socket %s", path);
    return FAIL(tr, IO, "cannot lock %s: %s", lock_path, strerror(e));
}

/* We hold the lock: what is at path is a dead host's, or not ours to touch. */
static struct result clear_stale(const char *path, struct trail *tr)
{
    struct stat st;
    struct trail unused = {0};
    int fd = -1;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? OK_RESULT
                               : FAIL(tr, IO, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return FAIL(tr, STATE, "%s exists and is not a socket; remove it or use --socket", path);
    struct result r = socket_connect(path, &fd, &unused);
    if (is_ok(r))
        close(fd);
    if (is_ok(r) || r.code == RESULT_TIMEOUT)
        return FAIL(tr, BUSY, "another host answers on the socket %s", path);
    if (unlink(path) != 0 && errno != ENOENT)
        return FAIL(tr, IO, "cannot remove the dead socket %s: %s", path, strerror(errno));
    return OK_RESULT;
}

static struct result listen_on(const char *path, int backlog, int *out, struct trail *tr)
{
    struct sockaddr_un a;
    TRY(address(path, &a, tr));
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return FAIL(tr, IO, "no socket: %s", strerror(errno));
    if (fchmod(s, 0600) != 0 || bind(s, (const struct sockaddr *)&a, sizeof a) != 0 ||
        listen(s, backlog) != 0) {
        int e = errno;
        close(s);
        return FAIL(tr, IO, "cannot listen on %s: %s", path, strerror(e));
    }
    struct stat st;
    if (lstat(path, &st) != 0 || (st.st_mode & 0777) != 0600) {
        close(s);
        return FAIL(tr, IO, "the socket %s did not get mode 0600", path);
    }
    *out = s;
    return OK_RESULT;
}

struct result socket_bind(const char *path, const char *lock_path, int backlog, int *lock_fd,
                          int *listen_fd, struct trail *tr)
{
    struct sockaddr_un a;
    must(lock_fd != NULL && listen_fd != NULL);
    TRY(address(path, &a, tr));
    TRY(take_lock(lock_path, path, lock_fd, tr));
    struct result rc = clear_stale(path, tr);
    if (is_ok(rc))
        rc = listen_on(path, backlog, listen_fd, tr);
    if (!is_ok(rc)) {
        close(*lock_fd);
        *lock_fd = -1;
    }
    return rc;
}

void socket_release(const char *path, int lock_fd)
{
    must(lock_fd >= 0);
    unlink(path); /* the lock file stays: removing it would let two hosts lock two files */
    close(lock_fd);
}
