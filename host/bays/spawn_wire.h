/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the host (spawn.c) and the spawner (spawn_main.c): one datagram each way, descriptors
 * beside it. Both are of one build and trust each other; the version says so. Internal.
 */
#ifndef BAYS_SPAWN_WIRE_H
#define BAYS_SPAWN_WIRE_H
#include "bays/spawn.h"

enum { SPAWN_FD_SOCKET = 3, SPAWN_LINE_FDS = 4 };
enum { SPAWN_FDS_MAX = 2 * SPAWN_LINE_FDS + SPAWN_MODULES_MAX };
enum spawn_op { SPAWN_OP_UNSET = 0, SPAWN_OP_START, SPAWN_OP_KILL };

/* START comes with the descriptors of core, then desk (ADAPTER), then the modules. */
struct spawn_ask {
    uint32_t version, op, id, kind;
    int32_t cpu;
    uint32_t is_contained, module_count, reserved;
    uint32_t core_bytes, desk_bytes;
    uint64_t memory_bytes;
};

enum spawn_news { SPAWN_NEWS_UNSET = 0, SPAWN_HELLO, SPAWN_STARTED, SPAWN_REFUSED, SPAWN_ENDED };
/* STARTED comes with the pidfd. */
struct spawn_tell {
    uint32_t version, news, id;
    int32_t pid, status;
    uint32_t reserved;
    struct sandbox_can can; /* HELLO */
    char text[SPAWN_TEXT_BYTES];
};

/* One datagram with descriptors; false = errno says why. wire_take gives the bytes, 0 at the end,
 * -1 with errno; *fd_count comes as room and goes as what arrived, close-on-exec. */
bool spawn_wire_put(int socket, const void *bytes, size_t count, const int *fd, uint32_t fd_count);
ssize_t spawn_wire_take(int socket, void *bytes, size_t count, int *fd, uint32_t *fd_count,
                        int flags);

/* ---- inside the spawner: spawn_child.c ---- */
struct spawn_birth {
    const struct spawn_ask *ask;
    const int *fd; /* as they came */
    uint32_t fd_count;
    int program;  /* tenon-bay, to execute */
    int life;     /* read end of a pipe that the spawner never writes to */
    int words;    /* write end */
    int failed;   /* write end: int[2], stage and errno, when it cannot become a bay */
    int flags;    /* namespaces, CLONE_* */
    uint32_t uid; /* 0 = keep ours */
};
/* In the child; does not return. */
void spawn_child_run(const struct spawn_birth *b) __attribute__((noreturn));
const char *spawn_child_stage(int stage);
#endif
