/* SPDX-License-Identifier: Apache-2.0
 *
 * What this kernel can enforce, by trying it: a version number says too little (a container may
 * forbid what the kernel knows), and a bay that finds out by itself finds out too late.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bays/sandbox.h"

/* Gives 0, or the errno of what the child tried. */
static int in_child(int flags)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(unshare(flags) == 0 ? 0 : errno & 127);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static void note(struct sandbox_can *can, enum sandbox_item item, int cause)
{
    can->cause[item] = cause;
    if (cause != 0)
        can->missing |= 1u << item;
}

static void probe_namespaces(bool is_root, struct sandbox_can *can)
{
    static const struct {
        enum sandbox_item item;
        int flag;
    } kind[] = {{SANDBOX_PID_NS, CLONE_NEWPID},
                {SANDBOX_NET_NS, CLONE_NEWNET},
                {SANDBOX_IPC_NS, CLONE_NEWIPC},
                {SANDBOX_UTS_NS, CLONE_NEWUTS},
                {SANDBOX_MOUNT_NS, CLONE_NEWNS}};
    int with = is_root ? 0 : CLONE_NEWUSER;
    if (!is_root)
        note(can, SANDBOX_USER_NS, in_child(CLONE_NEWUSER));
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
        note(can, kind[i].item, in_child(with | kind[i].flag));
}

static void probe_seals(struct sandbox_can *can)
{
    int fd = memfd_create("tenon-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int grow = fd < 0 ? -1 : fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    note(can, SANDBOX_SEALS, grow == 0 ? 0 : errno);
    int write = fd < 0 ? -1 : fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
    note(can, SANDBOX_LINKS, write == 0 ? 0 : errno);
    if (fd >= 0)
        close(fd);
}

void sandbox_probe(bool is_root, bool have_uids, struct sandbox_can *out)
{
    const uint32_t trap = SECCOMP_RET_TRAP;
    memset(out, 0, sizeof *out);
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    note(out, SANDBOX_LANDLOCK, version >= 1 ? 0 : errno);
    long seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap);
    note(out, SANDBOX_SECCOMP, seccomp == 0 ? 0 : errno);
    probe_namespaces(is_root, out);
    probe_seals(out);
    note(out, SANDBOX_OWN_UID, is_root && have_uids ? 0 : EPERM);
}

bool sandbox_say(const struct sandbox_can *can, uint32_t n, char out[SANDBOX_TEXT_BYTES])
{
    static const char *const text[] = {
#define X(name, text) [SANDBOX_##name] = text,
        SANDBOX_ITEMS(X)
#undef X
    };
    for (uint32_t item = 1; item < SANDBOX_ITEM_COUNT; item++) {
        if (!(can->missing & 1u << item) || n-- > 0)
            continue;
        snprintf(out, SANDBOX_TEXT_BYTES, "%s (%s)", text[item], strerror(can->cause[item]));
        return true;
    }
    return false;
}

bool sandbox_is_whole(const struct sandbox_can *can)
{
    return can->missing == 0;
}
