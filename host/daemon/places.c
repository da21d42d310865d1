/* SPDX-License-Identifier: Apache-2.0
 *
 * See places.h.
 */
#include "daemon/places.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "gateway/privilege.h"

/* A shipped configuration: $TENON_CONFIGS, else configs/ of the source tree around the program,
 * else that of an installation. */
struct result places_default(const char *name, char out[PATHS_BYTES], struct trail *tr)
{
    char program[PATHS_BYTES];
    const char *env = getenv("TENON_CONFIGS");
    static const char *const below[] = {"../../configs", "../share/tenon/configs"};
    TRY(paths_program(program, tr));
    int n = env ? snprintf(out, PATHS_BYTES, "%s/%s", env, name) : 0;
    if (n > 0 && n < PATHS_BYTES && access(out, R_OK) == 0)
        return OK_RESULT;
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        n = snprintf(out, PATHS_BYTES, "%s/%s/%s", program, below[i], name);
        if (n > 0 && n < PATHS_BYTES && access(out, R_OK) == 0)
            return OK_RESULT;
    }
    return FAIL(tr, NOT_FOUND, "%s: not found beside the program; name it with --%s", name,
                strcmp(name, "instruments.yaml") == 0 ? "instruments" : "config");
}

/* Root gives its folders to the host's own user, so it takes none that is not the host's: a folder
 * that is there already is empty or bears a file that only this kind of folder has. */
struct result places_check(const char *path, const char *mark, struct trail *tr)
{
    char file[PATHS_BYTES + 32];
    DIR *dir = privilege_is_root() ? opendir(path) : NULL;
    uint32_t entries = 0;
    if (dir == NULL)
        return OK_RESULT;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        entries += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    snprintf(file, sizeof file, "%s/%s", path, mark);
    if (entries == 0 || access(file, F_OK) == 0)
        return OK_RESULT;
    return FAIL(
        tr, NOT_PERMITTED,
        "folder %s: holds files that are not the host's (no %s), and root would give them to "
        "user tenon; name an empty folder or the host's own",
        path, mark);
}

struct result places_make(const char *path, struct trail *tr)
{
    char part[PATHS_BYTES];
    snprintf(part, sizeof part, "%s", path);
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        (void)mkdir(part, 0755);
        *p = '/';
    }
    if (mkdir(part, 0750) != 0 && errno != EEXIST)
        return FAIL(tr, IO, "folder %s: cannot be made: %s; choose another", path, strerror(errno));
    return OK_RESULT;
}
