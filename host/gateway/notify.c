/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket is connected once, before root is given up: systemd's lies in /run/systemd, and the
 * word comes from this process either way. A word that cannot be sent is lost; the manager then
 * does what it does to a silent service.
 */
#include "gateway/notify.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define US_NS 1000ll

static int64_t number_of(const char *text)
{
    int64_t n = 0;
    if (text == NULL || text[0] == 0 || strlen(text) > 15)
        return -1;
    for (; *text >= '0' && *text <= '9'; text++)
        n = n * 10 + (*text - '0');
    return *text == 0 ? n : -1;
}

static int connect_to(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const size_t n = path != NULL ? strlen(path) : 0;
    if (n < 2 || n >= sizeof at.sun_path || (path[0] != '/' && path[0] != '@'))
        return -1;
    memcpy(at.sun_path, path, n);
    if (path[0] == '@')
        at.sun_path[0] = 0; /* the abstract name space */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, bytes) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void notify_open(struct notify *n)
{
    const int64_t us = number_of(getenv("WATCHDOG_USEC"));
    const char *pid = getenv("WATCHDOG_PID");
    *n = (struct notify){.fd = connect_to(getenv("NOTIFY_SOCKET"))};
    if (n->fd >= 0 && us > 0 && (pid == NULL || number_of(pid) == getpid()))
        n->watchdog_ns = us * US_NS;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

void notify_say(const struct notify *n, const char *word)
{
    if (n->fd >= 0 && send(n->fd, word, strlen(word), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return; /* nobody listens any more */
}

int64_t notify_alive(struct notify *n, int64_t mono_ns)
{
    if (n->watchdog_ns == 0)
        return INT64_MAX;
    if (mono_ns >= n->next_ns) {
        notify_say(n, "WATCHDOG=1");
        n->next_ns = mono_ns + n->watchdog_ns / 2;
    }
    return n->next_ns;
}
