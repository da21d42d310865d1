/* SPDX-License-Identifier: Apache-2.0
 *
 * The sleep is measured in nanoseconds: a millisecond of rounding would be most of an order's way.
 */
#include "daemon/pace.h"
#include <poll.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"

#define SECOND_NS 1000000000ll

int64_t pace_wait_ns(const struct pace *p, int64_t next_ns)
{
    if (p->speed == 0)
        return 0;
    int64_t wall = clock_mono(&clock_system) - p->mono0_ns;
    __int128 market = (__int128)wall * p->speed / 1000;
    __int128 ahead = (__int128)next_ns - p->market0_ns - market;
    if (ahead <= 0)
        return 0;
    __int128 wait = ahead * 1000 / p->speed + 1;
    return wait > SECOND_NS ? SECOND_NS : (int64_t)wait;
}

void pace_sleep(struct lockstep *l, int wake_fd, int64_t wait_ns)
{
    struct pollfd fd[1 + ROADS_POLL_MAX] = {{.fd = wake_fd, .events = POLLIN}};
    uint32_t count = 1;
    const struct timespec t = {wait_ns / SECOND_NS, wait_ns % SECOND_NS};
    static const struct timespec none = {0, 0};
    bool may = lockstep_sleep(l, fd, &count);
    (void)ppoll(fd, count, may && wait_ns > 0 ? &t : &none, NULL);
    lockstep_awake(l);
    if (fd[0].revents & POLLIN) {
        uint64_t rings;
        if (read(wake_fd, &rings, sizeof rings) < 0)
            return; /* somebody else drained it */
    }
}
