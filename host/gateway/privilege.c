/* SPDX-License-Identifier: Apache-2.0
 *
 * Group before user, all three ids of each, then a proof that root cannot be taken back. The
 * reachability of the state folder is asked after the drop by really opening it: path permissions
 * of parents are the kernel's to judge.
 */
#include "gateway/privilege.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FTW_HANDLES = 16 };

bool privilege_is_root(void)
{
    return geteuid() == 0;
}

struct result privilege_user(const char *user, struct trail *tr)
{
    if (getpwnam(user) != NULL)
        return OK_RESULT;
    return FAIL(tr, NOT_FOUND,
                "user %s: does not exist, and the host does not run as root; make it with "
                "tools/setup run, or start as another user",
                user);
}

static uid_t give_uid; /* nftw passes no argument; set and used within one call */
static gid_t give_gid;

static int give_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return lchown(path, give_uid, give_gid);
}

struct result privilege_give(const char *path, const char *user, struct trail *tr)
{
    const struct passwd *p = getpwnam(user);
    if (p == NULL)
        return privilege_user(user, tr);
    give_uid = p->pw_uid;
    give_gid = p->pw_gid;
    if (nftw(path, give_one, FTW_HANDLES, FTW_PHYS) != 0)
        return FAIL(tr, IO,
                    "folder %s: cannot be given to user %s: %s; choose one on a disk that "
                    "keeps owners",
                    path, user, strerror(errno));
    return OK_RESULT;
}

/* In the child: exit status 0 = all readable. */
static int try_reading(const char *user, const char *const *path, size_t count)
{
    struct stat st;
    if (!is_ok(privilege_drop(user, NULL, NULL)))
        return 1;
    for (size_t i = 0; i < count; i++) {
        if (stat(path[i], &st) != 0 || access(path[i], S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK))
            return 1;
    }
    return 0;
}

bool privilege_can_read(const char *user, const char *const *path, size_t count)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_reading(user, path, count));
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

struct result privilege_drop(const char *user, const char *must_reach, struct trail *tr)
{
    const struct passwd *p = getpwnam(user);
    if (p == NULL)
        return privilege_user(user, tr);
    if (initgroups(user, p->pw_gid) != 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) != 0 ||
        setresuid(p->pw_uid, p->pw_uid, p->pw_uid) != 0)
        return FAIL(tr, IO, "user %s: cannot become it: %s", user, strerror(errno));
    if (setuid(0) == 0)
        return FAIL(tr, BUG, "user %s: root could be taken back", user);
    if (must_reach != NULL && access(must_reach, R_OK | W_OK | X_OK) != 0)
        return FAIL(tr, NOT_PERMITTED,
                    "folder %s: user %s cannot write there: %s; open its parents for it, or choose "
                    "another folder with --journal",
                    must_reach, user, strerror(errno));
    return OK_RESULT;
}
