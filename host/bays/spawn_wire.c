/* SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams with descriptors over a SOCK_SEQPACKET pair: a message is whole or not there.
 */
#include "bays/spawn_wire.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/must.h"

union control {
    char bytes[CMSG_SPACE(sizeof(int) * SPAWN_FDS_MAX)];
    struct cmsghdr align;
};

bool spawn_wire_put(int socket, const void *bytes, size_t count, const int *fd, uint32_t fd_count)
{
    union control control = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    must(fd_count <= SPAWN_FDS_MAX);
    if (fd_count > 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * fd_count),
                              .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(c), fd, sizeof(int) * fd_count);
    }
    ssize_t put;
    do
        put = sendmsg(socket, &m, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    return put == (ssize_t)count;
}

/* Takes the descriptors of a message; those beyond the room are closed. */
static void take_descriptors(struct msghdr *m, int *fd, uint32_t room, uint32_t *count)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int one;
            memcpy(&one, CMSG_DATA(c) + i * sizeof one, sizeof one);
            if (*count < room)
                fd[(*count)++] = one;
            else
                close(one);
        }
    }
}

ssize_t spawn_wire_take(int socket, void *bytes, size_t count, int *fd, uint32_t *fd_count,
                        int flags)
{
    union control control = {.bytes = {0}};
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    const uint32_t room = *fd_count;
    ssize_t got;
    do
        got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC | flags);
    while (got < 0 && errno == EINTR);
    *fd_count = 0;
    if (got > 0)
        take_descriptors(&m, fd, room, fd_count);
    return got;
}
