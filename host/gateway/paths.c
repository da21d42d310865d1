/* SPDX-License-Identifier: Apache-2.0
 *
 * Defaults follow the XDG base directories for a person's own host and the FHS for a system one.
 * Heads lie beside the journal's folder, never inside it: a restored journal folder must not bring
 * its own heads along. The program's folder comes from /proc/self/exe and not from argv[0], which
 * the caller chooses.
 */
#include "gateway/paths.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/must.h"

#define SYSTEM_SOCKET "/run/tenon/tenon.sock"

static const char *absolute(const char *variable)
{
    const char *value = getenv(variable);
    return value && value[0] == '/' ? value : NULL;
}

static struct result join(char *out, size_t bytes, struct trail *tr, const char *a, const char *b)
{
    int n = snprintf(out, bytes, "%s%s", a, b);
    must(n >= 0);
    if ((size_t)n >= bytes)
        return FAIL(tr, TOO_LARGE, "the path '%.80s...' has %d characters, at most %zu fit", a, n,
                    bytes - 1);
    return OK_RESULT;
}

struct result paths_socket(char out[PATHS_SOCKET_BYTES], struct trail *tr)
{
    const char *run = absolute("XDG_RUNTIME_DIR");
    return join(out, PATHS_SOCKET_BYTES, tr, run ? run : "/run/tenon", "/tenon.sock");
}

struct result paths_socket_find(char out[PATHS_SOCKET_BYTES], struct trail *tr)
{
    struct stat st;
    TRY(paths_socket(out, tr));
    if (lstat(out, &st) != 0 && lstat(SYSTEM_SOCKET, &st) == 0)
        return join(out, PATHS_SOCKET_BYTES, tr, SYSTEM_SOCKET, "");
    return OK_RESULT;
}

static struct result system_egress(const char *name, char out[PATHS_SOCKET_BYTES], struct trail *tr)
{
    char tail[32];
    must(strlen(name) < 16);
    snprintf(tail, sizeof tail, "/%s.sock", name);
    return join(out, PATHS_SOCKET_BYTES, tr, "/run/tenon-egress", tail);
}

struct result paths_egress(const char *name, char out[PATHS_SOCKET_BYTES], struct trail *tr)
{
    char tail[32];
    const char *run = absolute("XDG_RUNTIME_DIR");
    must(strlen(name) < 16);
    snprintf(tail, sizeof tail, "/tenon-%s.sock", name);
    return run ? join(out, PATHS_SOCKET_BYTES, tr, run, tail) : system_egress(name, out, tr);
}

struct result paths_egress_find(const char *name, char out[PATHS_SOCKET_BYTES], struct trail *tr)
{
    struct stat st;
    char other[PATHS_SOCKET_BYTES];
    TRY(paths_egress(name, out, tr));
    TRY(system_egress(name, other, tr));
    if (lstat(out, &st) != 0 && lstat(other, &st) == 0)
        memcpy(out, other, sizeof other);
    return OK_RESULT;
}

static bool is_usual(const char *socket)
{
    char own[PATHS_SOCKET_BYTES];
    struct trail unused = {0};
    return strcmp(socket, SYSTEM_SOCKET) == 0 ||
           (is_ok(paths_socket(own, &unused)) && strcmp(socket, own) == 0);
}

struct result paths_door_of(const char *socket, char out[PATHS_SOCKET_BYTES], struct trail *tr)
{
    struct stat st;
    char folder[PATHS_SOCKET_BYTES];
    const char *slash = strrchr(socket, '/');
    TRY(join(folder, sizeof folder, tr, socket, ""));
    folder[slash != NULL ? slash - socket + 1 : 0] = '\0';
    TRY(join(out, PATHS_SOCKET_BYTES, tr, folder, "tenon-door.sock"));
    return lstat(out, &st) != 0 && is_usual(socket) ? paths_egress_find("door", out, tr)
                                                    : OK_RESULT;
}

struct result paths_state(const char *name, char out[PATHS_BYTES], struct trail *tr)
{
    char tail[64];
    const char *state = absolute("XDG_STATE_HOME"), *home = absolute("HOME");
    must(name != NULL && strlen(name) < 32);
    snprintf(tail, sizeof tail, "/tenon/%s", name);
    if (state)
        return join(out, PATHS_BYTES, tr, state, tail);
    if (geteuid() == 0 || !home)
        return join(out, PATHS_BYTES, tr, "/var/lib", tail);
    snprintf(tail, sizeof tail, "/.local/state/tenon/%s", name);
    return join(out, PATHS_BYTES, tr, home, tail);
}

struct result paths_program(char out[PATHS_BYTES], struct trail *tr)
{
    ssize_t n = readlink("/proc/self/exe", out, PATHS_BYTES - 1);
    if (n <= 0)
        return FAIL(tr, IO, "the program cannot find its own folder: %s", strerror(errno));
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    must(slash != NULL);
    *slash = '\0';
    return OK_RESULT;
}

struct result paths_beside(const char *name, char out[PATHS_BYTES], struct trail *tr)
{
    char folder[PATHS_BYTES], tail[64];
    must(name != NULL && strlen(name) < 60);
    TRY(paths_program(folder, tr));
    snprintf(tail, sizeof tail, "/%s", name);
    return join(out, PATHS_BYTES, tr, folder, tail);
}

static bool has_templates(const char *folder)
{
    char path[PATHS_BYTES + 16];
    struct stat st;
    snprintf(path, sizeof path, "%s/template", folder);
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct result paths_share(char out[PATHS_BYTES], struct trail *tr)
{
    char folder[PATHS_BYTES];
    const char *given = getenv("TENON_SHARE");
    if (given && given[0]) {
        TRY(join(out, PATHS_BYTES, tr, given, ""));
        return has_templates(out)
                   ? OK_RESULT
                   : FAIL(tr, NOT_FOUND, "TENON_SHARE=%s has no folder template", given);
    }
    TRY(paths_program(folder, tr));
    for (char *end = folder + strlen(folder); end && end > folder;
         end = strrchr(folder, '/')) { /* build/<preset>/tenon lies inside the source tree */
        *end = '\0';
        struct result rc = join(out, PATHS_BYTES, tr, folder, "/plugin-api");
        if (!is_ok(rc) || has_templates(out))
            return rc;
        rc = join(out, PATHS_BYTES, tr, folder, "/share/tenon");
        if (!is_ok(rc) || has_templates(out))
            return rc;
    }
#ifdef TENON_SHARE_DIR
    TRY(join(out, PATHS_BYTES, tr, TENON_SHARE_DIR, ""));
    if (has_templates(out))
        return OK_RESULT;
#endif
    return FAIL(tr, NOT_FOUND,
                "no plugin templates near the program; set TENON_SHARE to the "
                "folder that has template/ and include/");
}
