/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of cards and the runner. Each row forks; the child loads the plugin afresh, runs one
 * function and writes its verdict into a page shared with the parent. The parent waits on a pidfd
 * with a limit. A child that ends without a verdict has crashed, whatever its exit code: a plugin
 * has no business to end the process.
 *
 * Fork and not posix_spawn of another program: the checker is a library of the CLI and has no
 * second binary; it is called before anything has started threads.
 */
#include "bays/cards.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/must.h"
#include "bays/cards_priv.h"
#include "bays/check.h"

struct card {
    const char *id;
    cards_fn run; /* NULL: not yet */
    uint32_t limit_s;
    bool needs_state; /* skipped when the plugin keeps none */
    bool any_kind;    /* runs for draft kinds too */
};

static const struct card cards[] = {
    {.id = "S18"},
    {.id = "L19", .run = cards_l19, .limit_s = 10, .any_kind = true},
    {.id = "L20", .run = cards_l20, .limit_s = 30},
    {.id = "L21", .run = cards_l21, .limit_s = 120},
    {.id = "L22", .run = cards_l22, .limit_s = 10, .any_kind = true},
    {.id = "L23", .run = cards_l23, .limit_s = 10},
    {.id = "L24", .run = cards_l24, .limit_s = 30},
    {.id = "L25", .run = cards_l25, .limit_s = 30},
    {.id = "C26", .run = cards_c26, .limit_s = 30},
    {.id = "C27", .run = cards_c27, .limit_s = 60},
    {.id = "C28", .run = cards_c28, .limit_s = 60},
    {.id = "C29", .run = cards_c29, .limit_s = 30},
    {.id = "C30", .run = cards_c30, .limit_s = 30},
    {.id = "C31", .run = cards_c31, .limit_s = 30},
    {.id = "C32", .run = cards_c32, .limit_s = 30},
    {.id = "C33", .run = cards_c33, .limit_s = 30},
    {.id = "C34", .run = cards_c34, .limit_s = 30},
    {.id = "C35", .run = cards_c35, .limit_s = 30},
    {.id = "D36", .run = cards_d36, .limit_s = 30},
    {.id = "D37"},
    {.id = "D38"},
    {.id = "D39", .run = cards_d39, .limit_s = 60},
    {.id = "D40"},
    {.id = "D41"},
    {.id = "D42"},
    {.id = "D43", .run = cards_d43, .limit_s = 60},
    {.id = "D44"},
    {.id = "P45", .run = cards_p45, .limit_s = 30},
    {.id = "P46", .run = cards_p46, .limit_s = 30},
    {.id = "P47", .run = cards_p47, .limit_s = 30},
    {.id = "P48", .run = cards_p48, .limit_s = 5},
    {.id = "P49"},
    {.id = "T50", .run = cards_t50, .limit_s = 30, .needs_state = true},
    {.id = "T51", .run = cards_t51, .limit_s = 120, .needs_state = true},
    {.id = "T52", .run = cards_t52, .limit_s = 30, .needs_state = true},
    {.id = "T53", .run = cards_t53, .limit_s = 120, .needs_state = true},
    {.id = "T54", .run = cards_t54, .limit_s = 30, .needs_state = true},
    {.id = "T55", .run = cards_t55, .limit_s = 30, .needs_state = true},
    {.id = "T56"},
    {.id = "T57"},
    {.id = "B58"},
    {.id = "B59"},
    {.id = "B60"},
    {.id = "B61"},
    {.id = "B62"},
    {.id = "K63"},
    {.id = "K64"},
    {.id = "K65"},
    {.id = "K66"},
    {.id = "K67"},
    {.id = "K68"},
    {.id = "Z69"},
    {.id = "Z70"},
    {.id = "Z71"},
};
_Static_assert(17 + sizeof cards / sizeof cards[0] <= BAY_CHECKS_MAX, "every id has a row");

void cards_say(struct cards_case *c, uint32_t verdict, const char *fmt, ...)
{
    must(verdict > BAY_VERDICT_UNSET && verdict <= BAY_CRASH);
    must(c->said->verdict == BAY_VERDICT_UNSET); /* one verdict a card */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->said->text, sizeof c->said->text, fmt, ap);
    va_end(ap);
    c->said->verdict = verdict;
}

void cards_market(const struct cards_case *c, struct feed_market *f, uint32_t count)
{
    feed_init(f, CARDS_SEED, count, c->manifest->input_count, false);
}

bool cards_start(struct cards_case *c, struct rig *r, const struct feed_market *f)
{
    rig_init(r, c->module, f);
    int32_t status = rig_create(r);
    if (status != TN_OK) {
        CARD_FAIL("create with default parameters gave status %d", status);
        return false;
    }
    status = rig_activate(r);
    if (status != TN_OK)
        CARD_FAIL("activate gave status %d", status);
    return status == TN_OK;
}

const struct bay_module *cards_load_again(struct cards_case *c)
{
    struct bay_module *m = NULL;
    struct trail tr = {0};
    struct result r = bay_load(c->path, c->manifest ? c->module->facts.sha256 : NULL, &m, &tr);
    if (!is_ok(r))
        CARD_FAIL("a second copy is refused: %.100s", trail_sentence(&tr, r));
    return m;
}

/* L22 says why a plugin is refused at load; the others then have nothing to run. */
static bool load_for(struct cards_case *c, const struct card *card)
{
    struct bay_module *m = NULL;
    struct trail tr = {0};
    if (card->run == cards_l19 || card->run == cards_l21)
        return true; /* they watch the load itself */
    struct result r = bay_load(c->path, NULL, &m, &tr);
    c->module = m;
    if (is_ok(r)) {
        c->manifest = &m->facts.manifest;
        return true;
    }
    if (card->run == cards_l22)
        CARD_FAIL("%.150s", trail_sentence(&tr, r));
    else
        CARD_SKIP("not loaded, see L22");
    return false;
}

static void run_child(const char *path, const struct card *card, struct cards_said *said)
{
    struct cards_case c = {.path = path, .said = said};
    struct rlimit none = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int sig = 1; sig < 65; sig++) /* the caller's handlers would hide a crash */
        signal(sig, SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (quiet >= 0) {
        dup2(quiet, 1);
        dup2(quiet, 2);
        close(quiet);
    }
    if (load_for(&c, card))
        card->run(&c);
    _exit(0);
}

static void report(const struct card *card, const struct cards_said *said, int status, bool late,
                   struct bay_checks *out)
{
    if (late)
        check_add(out, card->id, BAY_FAIL, "no end after %u s: an endless loop?", card->limit_s);
    else if (WIFSIGNALED(status))
        check_add(out, card->id, BAY_CRASH, "the plugin died with signal %d (%s)", WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
    else if (said->verdict == BAY_VERDICT_UNSET || WEXITSTATUS(status) != 0)
        check_add(out, card->id, BAY_CRASH, "the process ended without a verdict (exit code %d)",
                  WEXITSTATUS(status));
    else
        check_add(out, card->id, (enum bay_verdict)said->verdict, "%s", said->text);
}

static struct result run_card(const char *path, const struct card *card, struct cards_said *said,
                              struct bay_checks *out, struct trail *tr)
{
    int status = 0;
    memset(said, 0, sizeof *said);
    pid_t pid = fork();
    if (pid < 0)
        return FAIL(tr, IO, "check %s: no process can be made: %s; free memory or processes",
                    card->id, strerror(errno));
    if (pid == 0)
        run_child(path, card, said);
    struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    int ended = 1;
    while (p.fd >= 0 && (ended = poll(&p, 1, (int)card->limit_s * 1000)) < 0 && errno == EINTR)
        continue;
    if (ended == 0 || p.fd < 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (p.fd < 0)
        return FAIL(tr, IO, "check %s: no pidfd: %s; Linux 5.3 or newer is needed", card->id,
                    strerror(errno));
    close(p.fd);
    report(card, said, status, ended == 0, out);
    return OK_RESULT;
}

static struct result run_row(const char *path, const struct card *card, const char *why_not,
                             const struct tn_manifest *m, struct cards_said *said,
                             struct bay_checks *out, struct trail *tr)
{
    bool draft = m->kind != TN_KIND_INDICATOR && m->kind != TN_KIND_STRATEGY;
    if (!card->run)
        check_add(out, card->id, BAY_SKIP, "not yet");
    else if (why_not)
        check_add(out, card->id, BAY_SKIP, "not loaded: %s failed", why_not);
    else if (draft && !card->any_kind)
        check_add(out, card->id, BAY_SKIP, "not yet for draft kinds");
    else if (card->needs_state && m->state_schema == 0)
        check_add(out, card->id, BAY_SKIP, "it keeps no state");
    else
        return run_card(path, card, said, out, tr);
    return OK_RESULT;
}

/* The static checks, on the bytes and without the loader. */
static struct result check_file(const char *path, struct bay_checks *out, struct bay_facts *facts,
                                struct trail *tr)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return FAIL(tr, NOT_FOUND, "%s: cannot be opened: %s; check the path", path,
                    strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > BAY_FILE_MAX_BYTES) {
        close(fd);
        return FAIL(tr, SYNTAX, "%s: not a regular file of at most %d bytes; give a plugin's .so",
                    path, BAY_FILE_MAX_BYTES);
    }
    size_t room = (size_t)st.st_size, count = 0;
    uint8_t *bytes = malloc(room + 1);
    must(bytes != NULL);
    ssize_t n;
    while (count < room && (n = read(fd, bytes + count, room - count)) > 0)
        count += (size_t)n;
    close(fd);
    bay_check_static(bytes, count, out, facts);
    free(bytes);
    return OK_RESULT;
}

static struct result run_all(const char *path, const char *only, struct bay_checks *out,
                             struct trail *tr)
{
    struct bay_facts facts;
    bool known = !only;
    must(path && out);
    memset(out, 0, sizeof *out);
    TRY(check_file(path, out, &facts, tr));
    const struct bay_check *failed = check_first_failed(out);
    struct cards_said *said =
        mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (said == MAP_FAILED)
        return FAIL(tr, IO, "no shared page for the check cards: %s", strerror(errno));
    struct result r = OK_RESULT;
    char why[8] = "";
    if (failed)
        memcpy(why, failed->id, sizeof why);
    for (size_t i = 0; i < sizeof cards / sizeof cards[0] && is_ok(r); i++) {
        if (only && strcmp(only, cards[i].id) != 0)
            continue;
        known = true;
        r = run_row(path, &cards[i], failed ? why : NULL, &facts.manifest, said, out, tr);
    }
    munmap(said, sizeof *said);
    if (is_ok(r) && !known && only[0] != 'S')
        return FAIL(tr, UNKNOWN_NAME, "there is no check %s; tenon plugin check lists them all",
                    only);
    return r;
}

struct result cards_run(const char *path, struct bay_checks *out, struct trail *tr)
{
    return run_all(path, NULL, out, tr);
}

struct result cards_run_one(const char *path, const char *id, struct bay_checks *out,
                            struct trail *tr)
{
    must(id != NULL);
    return run_all(path, id, out, tr);
}
