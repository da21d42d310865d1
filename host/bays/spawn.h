/* SPDX-License-Identifier: Apache-2.0
 *
 * The spawner: a small process that starts the bays. The host starts it early, while it may still
 * make other users' processes, and then gives that power up; what is left in the spawner is a
 * single thread that knows one message, "start a bay", and answers with a pidfd.
 *
 * A bay gets: namespaces of its own (pid, net, ipc, uts, mount; user, too, when we are not root),
 * a user of its own when we are root, an environment that is empty but for the pin of libm (which
 * ld.so reads before main; the bay clears it), the descriptors named here and no other, its CPU. It
 * shuts the rest itself (bays/sandbox.h) before it looks at a byte of a plugin.
 *
 * When the host ends, however it ends, the spawner sees its socket close, kills every bay and ends;
 * when the spawner ends, the kernel kills every bay.
 *
 * spawn_bay, spawn_kill and spawn_how may be called from any thread. spawn_bay waits for the
 * spawner, some milliseconds: not a thing for the core's thread in live trading. The others do not
 * wait.
 */
#ifndef BAYS_SPAWN_H
#define BAYS_SPAWN_H
#include <sys/types.h>
#include "base/link.h"
#include "bays/sandbox.h"

enum {
    SPAWN_VERSION = 1,
    SPAWN_MODULES_MAX = 16,
    SPAWN_BAYS_MAX = 64,
    SPAWN_TEXT_BYTES = 256,
    SPAWN_ANY_CPU = -1,
};
#define SPAWN_MEMORY_BYTES (256ull * 1024 * 1024) /* when a request says 0 */

/* ---- what tenon-bay finds when it starts: argv is "tenon-bay VERSION KIND CORE-BYTES DESK-BYTES
 * MODULES MEMORY IS-CONTAINED", and these descriptors ---- */
enum {
    SPAWN_FD_LIFE = 0,  /* reads; hangs up when the spawner ends */
    SPAWN_FD_NOTE = 1,  /* writes; the same as 2 */
    SPAWN_FD_WORDS = 2, /* writes, never blocks; the last of it becomes spawn_how's text */
    SPAWN_FD_CORE = 3,  /* 3..6: the bay's end of the line to the engine */
    SPAWN_FD_DESK = 7,  /* 7..10: of an adapter's line to egress */
    SPAWN_FD_MODULE = 11,
};

/* ---- the host's side ---- */
enum spawn_kind { SPAWN_KIND_UNSET = 0, SPAWN_STRATEGY, SPAWN_ADAPTER };

struct spawn_config {
    const char *program;           /* tenon-bay; NULL = beside the running program */
    uint32_t uid_first, uid_count; /* when root: one of these for each bay; none = nobody's id */
};
struct spawn; /* heap */
/* Starts the spawner and asks it what this kernel can enforce. Before root is given up. */
MUST_USE struct result spawn_start(const struct spawn_config *c, struct spawn **out,
                                   struct trail *tr);
/* What cannot be enforced here: see sandbox_say. */
const struct sandbox_can *spawn_can(const struct spawn *s);
/* Kills every bay, ends the spawner, waits for it. NULL is fine. */
void spawn_stop(struct spawn *s);

struct spawn_request {
    uint32_t kind;         /* enum spawn_kind */
    bool is_contained;     /* tier contained: refused when something cannot be enforced */
    int32_t cpu;           /* SPAWN_ANY_CPU */
    uint64_t memory_bytes; /* beyond what the empty bay has; 0 = SPAWN_MEMORY_BYTES */
    struct link_end core;  /* the bay's ends: taken over, also when it fails */
    struct link_end desk;  /* ADAPTER only; else all zero */
    const int *module_fd;  /* sealed copies (bay_seal, bay_module_fd), borrowed */
    uint32_t module_count;
};
struct spawn_child {
    uint32_t id; /* never used twice by one spawner */
    pid_t pid;
    int pidfd; /* readable when it has ended; the caller closes it */
};
MUST_USE struct result spawn_bay(struct spawn *s, const struct spawn_request *q,
                                 struct spawn_child *out, struct trail *tr);
void spawn_kill(struct spawn *s, uint32_t id);
/* How it ended, in words for people and as waitpid says it (status may be NULL); false: not known
 * yet: the spawner says it within milliseconds of the end. */
bool spawn_how(struct spawn *s, uint32_t id, int32_t *status, char text[SPAWN_TEXT_BYTES]);
/* False when the spawner has ended, and with it every bay. */
bool spawn_is_alive(const struct spawn *s);

/* ---- the spawner's own main: tenon-bay spawner; gives the exit status ---- */
int spawn_main(int argc, char **argv);
#endif
