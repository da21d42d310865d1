/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin new and plugin build. A new plugin is the template of its kind with @ID@ replaced in
 * texts and file names, and @API@ by the folder of the headers. It is made under a temporary name
 * and renamed at the end, so that a failure half-way leaves no folder that looks finished. build
 * runs make without a shell in between: no word of a path is ever interpreted.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/must.h"
#include "tenon/abi.h"
#include "tools/tenon/cli.h"

enum { TEMPLATE_FILE_MAX_BYTES = 1024 * 1024, TEMPLATE_DEPTH_MAX = 4 };

struct scaffold {
    const char *id;
    const char *share;
    uint32_t files;
    struct trail *tr;
};

static bool is_id(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n >= TN_NAME_BYTES || !islower((unsigned char)name[0]))
        return false;
    for (; *name; name++) {
        if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_')
            return false;
    }
    return true;
}

/* Copies text with the placeholders replaced; malloc'ed. */
static char *fill(const struct scaffold *s, const char *text, size_t count, size_t *out_count)
{
    char *out = NULL;
    FILE *f = open_memstream(&out, out_count);
    if (!f)
        return NULL;
    for (size_t i = 0; i < count;) {
        if (count - i >= 4 && memcmp(text + i, "@ID@", 4) == 0) {
            fputs(s->id, f);
            i += 4;
        } else if (count - i >= 5 && memcmp(text + i, "@API@", 5) == 0) {
            fputs(s->share, f);
            i += 5;
        } else {
            fputc(text[i++], f);
        }
    }
    return fclose(f) == 0 ? out : NULL;
}

static struct result read_file(const char *path, char **out, size_t *count, struct trail *tr)
{
    FILE *f = fopen(path, "rbe");
    char *bytes = malloc(TEMPLATE_FILE_MAX_BYTES);
    struct result rc = OK_RESULT;
    if (!f || !bytes) {
        rc = FAIL(tr, IO, "cannot read the template %s: %s", path, strerror(errno));
    } else {
        *count = fread(bytes, 1, TEMPLATE_FILE_MAX_BYTES, f);
        if (ferror(f) || !feof(f))
            rc = FAIL(tr, IO, "the template %s is unreadable or over %d bytes", path,
                      TEMPLATE_FILE_MAX_BYTES);
    }
    if (f)
        fclose(f);
    if (!is_ok(rc)) {
        free(bytes);
        bytes = NULL;
    }
    *out = bytes;
    return rc;
}

static struct result write_file(const char *path, const char *bytes, size_t count, mode_t mode,
                                struct trail *tr)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return FAIL(tr, IO, "cannot make %s: %s", path, strerror(errno));
    bool good = true;
    while (count > 0 && good) {
        ssize_t n = write(fd, bytes, count);
        good = n > 0 || (n < 0 && errno == EINTR);
        bytes += n > 0 ? n : 0;
        count -= n > 0 ? (size_t)n : 0;
    }
    int e = errno;
    if (close(fd) == 0 && good)
        return OK_RESULT;
    return FAIL(tr, IO, "cannot write %s: %s", path, strerror(e));
}

static struct result copy_file(struct scaffold *s, const char *from, const char *to, mode_t mode)
{
    char *text = NULL, *filled = NULL;
    size_t count = 0, filled_count = 0;
    TRY(read_file(from, &text, &count, s->tr));
    filled = fill(s, text, count, &filled_count);
    struct result rc = filled ? write_file(to, filled, filled_count, mode, s->tr)
                              : FAIL(s->tr, FULL, "no memory to fill %s", from);
    free(text);
    free(filled);
    s->files++;
    return rc;
}

static struct result copy_tree(struct scaffold *s, const char *from, const char *to, int depth);

static struct result copy_entry(struct scaffold *s, const char *from, const char *to,
                                const char *name, int depth)
{
    char source[PATHS_BYTES + 300], target[PATHS_BYTES + 300];
    struct stat st;
    size_t n = 0;
    char *filled = fill(s, name, strlen(name), &n);
    if (!filled)
        return FAIL(s->tr, FULL, "no memory for a file name");
    snprintf(source, sizeof source, "%s/%s", from, name);
    snprintf(target, sizeof target, "%s/%s", to, filled);
    free(filled);
    if (lstat(source, &st) != 0)
        return FAIL(s->tr, IO, "cannot look at %s: %s", source, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return copy_tree(s, source, target, depth + 1);
    if (S_ISREG(st.st_mode))
        return copy_file(s, source, target, st.st_mode & 0777);
    return OK_RESULT; /* a template has files and folders only */
}

static struct result copy_tree(struct scaffold *s, const char *from, const char *to, int depth)
{
    if (depth > TEMPLATE_DEPTH_MAX)
        return FAIL(s->tr, RANGE, "the template %s is nested too deep", from);
    if (mkdir(to, 0777) != 0)
        return FAIL(s->tr, IO, "cannot make the folder %s: %s", to, strerror(errno));
    DIR *dir = opendir(from);
    struct dirent *e;
    struct result rc = OK_RESULT;
    if (!dir)
        return FAIL(s->tr, NOT_FOUND, "no template %s: %s", from, strerror(errno));
    while (is_ok(rc) && (e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = copy_entry(s, from, to, e->d_name, depth);
    }
    closedir(dir);
    return rc;
}

/* Removes what a failed copy left: files and folders below a name that only we made. */
static void remove_tree(const char *path, int depth)
{
    DIR *dir = depth <= TEMPLATE_DEPTH_MAX + 1 ? opendir(path) : NULL;
    struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) {
        char inner[PATHS_BYTES + 300];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (unlink(inner) != 0)
            remove_tree(inner, depth + 1);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static struct result make(const struct cli *cli, char target[PATHS_BYTES], struct scaffold *s)
{
    char share[PATHS_BYTES], from[PATHS_BYTES + 64], work[PATHS_BYTES + 32];
    const char *kind = cli->a.word[0], *dir = args_text(&cli->a, FLAG_DIR, ".");
    struct stat st;
    s->id = cli->a.word[1];
    if (!is_id(s->id))
        return FAIL(s->tr, USAGE,
                    "'%s' is no plugin id: a small letter, then small letters, "
                    "digits and _, at most %d",
                    s->id, TN_NAME_BYTES - 1);
    TRY(paths_share(share, s->tr));
    s->share = share;
    int n = snprintf(target, PATHS_BYTES, "%s/%s", dir, s->id);
    if (n < 0 || n >= PATHS_BYTES)
        return FAIL(s->tr, TOO_LARGE, "the path of the new folder is too long");
    snprintf(from, sizeof from, "%s/template/%s", share, kind);
    snprintf(work, sizeof work, "%s.new-%d", target, (int)getpid());
    if (lstat(target, &st) == 0)
        return FAIL(s->tr, STATE, "%s exists already; remove it or choose another name", target);
    if (stat(from, &st) != 0)
        return FAIL(s->tr, NOT_FOUND, "no template for kind %s at %s", kind, from);
    struct result rc = copy_tree(s, from, work, 0);
    if (is_ok(rc) && rename(work, target) != 0)
        rc = FAIL(s->tr, IO, "cannot name the folder %s: %s", target, strerror(errno));
    if (!is_ok(rc))
        remove_tree(work, 0);
    return rc;
}

int cmd_PLUGIN_NEW(const struct cli *cli)
{
    char target[PATHS_BYTES];
    struct trail tr = {0};
    struct scaffold s = {.tr = &tr};
    must(cli->a.word_count == 2);
    struct result rc = make(cli, target, &s);
    if (!is_ok(rc))
        return cli_fail(cli, rc, &tr);
    if (cli->json)
        return cli_json(cli, json_pack("{s:s, s:s, s:s, s:s, s:i}", "schema", "tenon.new.v1",
                                       "kind", cli->a.word[0], "id", s.id, "folder", target,
                                       "files", (int)s.files));
    printf("%s\n", target);
    cli_say(cli, "%u files; next: cd %s, read its README.md, tenon plugin build", s.files, target);
    return cli_done(cli, 0);
}

/* ---- build ---- */
static struct result check_makefile(const char *dir, struct trail *tr)
{
    static const char *const names[] = {"GNUmakefile", "makefile", "Makefile"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATHS_BYTES + 16];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
            return OK_RESULT;
    }
    return FAIL(tr, NOT_FOUND, "no Makefile in %s; make a plugin with tenon plugin new", dir);
}

/* make's own output is for people: it goes to standard error. */
static struct result run_make(const char *dir, int *status, struct trail *tr)
{
    char name[] = "make", change[] = "-C", share[PATHS_BYTES], folder[PATHS_BYTES];
    char *argv[] = {name, change, folder, NULL};
    struct trail unused = {0};
    posix_spawn_file_actions_t to_stderr;
    pid_t pid = 0;
    snprintf(folder, sizeof folder, "%s", dir);
    if (is_ok(paths_share(share, &unused)))
        setenv("TENON_API", share, 0);
    posix_spawn_file_actions_init(&to_stderr);
    posix_spawn_file_actions_adddup2(&to_stderr, STDERR_FILENO, STDOUT_FILENO);
    int e = posix_spawnp(&pid, name, &to_stderr, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&to_stderr);
    if (e != 0)
        return FAIL(tr, IO, "cannot start make: %s; install it", strerror(e));
    while (waitpid(pid, status, 0) < 0) {
        if (errno != EINTR)
            return FAIL(tr, IO, "make was lost: %s", strerror(errno));
    }
    return OK_RESULT;
}

int cmd_PLUGIN_BUILD(const struct cli *cli)
{
    const char *dir = cli->a.word_count > 0 ? cli->a.word[0] : ".";
    struct trail tr = {0};
    int status = 0;
    struct result rc = check_makefile(dir, &tr);
    if (is_ok(rc))
        rc = run_make(dir, &status, &tr);
    if (is_ok(rc) && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        rc = FAIL(&tr, IO, "the build in %s failed; make's own messages are above", dir);
    if (!is_ok(rc))
        return cli_fail(cli, rc, &tr);
    if (cli->json)
        return cli_json(
            cli, json_pack("{s:s, s:s, s:b}", "schema", "tenon.build.v1", "folder", dir, "ok", 1));
    cli_say(cli, "built %s", dir);
    return 0;
}
