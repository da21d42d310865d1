/* SPDX-License-Identifier: Apache-2.0
 *
 * Words to the service manager (sd_notify's protocol: one datagram per word on the socket that
 * NOTIFY_SOCKET names). No library for three lines. For the mains.
 */
#ifndef GATEWAY_NOTIFY_H
#define GATEWAY_NOTIFY_H
#include <stdbool.h>
#include <stdint.h>

struct notify {
    int fd;              /* -1 = nobody wants to hear */
    int64_t watchdog_ns; /* a sign of life is wanted this often; 0 = none */
    int64_t next_ns;     /* monotonic: the next one is due */
};
/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment, so
 * that no child speaks for us. Before other threads start. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);
/* "READY=1", "STOPPING=1", "STATUS=...". Never waits. */
void notify_say(const struct notify *n, const char *word);
/* The sign of life when it is due: each half of the wanted time. Gives when to come again
 * (INT64_MAX = never). It shows that the caller's loop turns, so only the loop calls it. */
int64_t notify_alive(struct notify *n, int64_t mono_ns);
#endif
