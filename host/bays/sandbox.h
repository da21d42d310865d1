/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plugin's process may not do, and what of it this kernel cannot enforce.
 *
 * In this order (ABI-RULES R34): sandbox_enter, then the plugin's sealed copy is loaded, then
 * sandbox_close, then its code runs for the first time. Entered: no file of the system can be
 * opened (Landlock without a single rule; what has no name there, like a sealed copy, can), no
 * privilege can be gained, no other process looks in, memory and descriptors are bounded, and a
 * closed list of system calls is left. Closed: of these, what a loaded plugin needs no more
 * is gone: opening, executable memory, any change of the sandbox. Reading and writing is left for
 * the descriptors named.
 *
 * A forbidden call ends the process: its number goes to standard error first.
 */
#ifndef BAYS_SANDBOX_H
#define BAYS_SANDBOX_H
#include "base/result.h"

/* Row: X(NAME, what is not enforced without it). */
#define SANDBOX_ITEMS(X)                                                                           \
    X(LANDLOCK, "a plugin that breaks out of its code could open files: no Landlock")              \
    X(SECCOMP, "no bay can be a process: no seccomp filters")                                      \
    X(USER_NS, "bays get no user namespace of their own")                                          \
    X(PID_NS, "a bay could see and signal other processes: no pid namespace")                      \
    X(NET_NS, "a bay could reach the network: no network namespace")                               \
    X(IPC_NS, "a bay could reach others' shared memory: no ipc namespace")                         \
    X(UTS_NS, "bays get no host name of their own: no uts namespace")                              \
    X(MOUNT_NS, "bays share the host's mounts: no mount namespace")                                \
    X(OWN_UID, "bays run as one user: no user ids were given for them")                            \
    X(SEALS, "a bay could resize the memory it shares with the host: no seals")                    \
    X(LINKS, "the host cannot keep its shared memory to itself: no seal of future writes")

enum sandbox_item {
    SANDBOX_UNSET = 0,
#define X(name, text) SANDBOX_##name,
    SANDBOX_ITEMS(X)
#undef X
        SANDBOX_ITEM_COUNT
};
enum { SANDBOX_TEXT_BYTES = 192 };

struct sandbox_can {
    uint32_t missing;                  /* bit (1 << item) */
    int32_t cause[SANDBOX_ITEM_COUNT]; /* errno of what was tried; 0 = not asked for */
};
/* Tries everything, in children that end at once; in a process without threads. have_uids: user ids
 * for bays were given. */
void sandbox_probe(bool is_root, bool have_uids, struct sandbox_can *out);
/* One sentence for the n-th item that is missing; false when there are no more. */
bool sandbox_say(const struct sandbox_can *can, uint32_t n, char out[SANDBOX_TEXT_BYTES]);
/* Is everything there that tier `contained` needs? */
bool sandbox_is_whole(const struct sandbox_can *can);

/* ---- in the bay ---- */
enum { SANDBOX_EXIT_FORBIDDEN = 99 };              /* the exit status after a forbidden call, and */
#define SANDBOX_FORBIDDEN "forbidden system call " /* what is said before its number */
struct sandbox_limits {
    uint64_t memory_bytes; /* address space beyond what is mapped now */
    bool is_contained;     /* else a kernel without Landlock is let pass */
};
/* One thread, no plugin yet. */
MUST_USE struct result sandbox_enter(const struct sandbox_limits *l, struct trail *tr);
/* After the last load. reads, writes: the descriptors left to read from and write to. */
MUST_USE struct result sandbox_close(const int *reads, uint32_t read_count, const int *writes,
                                     uint32_t write_count, struct trail *tr);
#endif
