/* SPDX-License-Identifier: Apache-2.0
 *
 * See password.h. A password is one line. It is read byte by byte, so that nothing is taken beyond
 * its end (one descriptor can hand several commands a line each) and no copy stays in a buffer of
 * the C library. No core file is written by a process that has seen one.
 *
 * On the terminal echo is off for that line only. A signal in between must not leave it off: it is
 * noted, the line is given up, the terminal is put back, and then the signal is let through.
 */
#include "tools/tenon/password.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "base/must.h"

static volatile sig_atomic_t caught;

static void note(int sig)
{
    caught = sig;
}

void password_wipe(char out[PASSWORD_BYTES])
{
    OPENSSL_cleanse(out, PASSWORD_BYTES);
}

/* Waits for a byte with the signals of `open` let through, in one step with the waiting: one that
 * comes just before is not slept over. */
static bool is_given_up(int fd, const sigset_t *open_signals)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (caught == 0 && ppoll(&p, 1, NULL, open_signals) < 0 && errno == EINTR)
        ;
    return caught != 0;
}

/* One line, without its line feed. where, what ("password"): for the sentence. open_signals: NULL =
 * no terminal. */
static struct result read_line(int fd, const char *where, const char *what,
                               const sigset_t *open_signals, char out[PASSWORD_BYTES],
                               struct trail *tr)
{
    size_t count = 0;
    bool is_wrong = false;
    for (;;) {
        char c;
        if (open_signals != NULL && is_given_up(fd, open_signals))
            return FAIL(tr, NOT_PERMITTED, "no %s was given: interrupted", what);
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FAIL(tr, NOT_PERMITTED, "%s cannot be read (%s); check it", where,
                        strerrordesc_np(errno));
        if (n == 0 || c == '\n')
            break;
        if (c == 0 || count == PASSWORD_BYTES - 1)
            is_wrong = true;
        else
            out[count++] = c;
    }
    out[count] = 0;
    if (is_wrong)
        return FAIL(tr, NOT_PERMITTED,
                    "%s: a %s is one line of at most %d bytes without a NUL; give another one",
                    where, what, PASSWORD_BYTES - 1);
    if (count == 0)
        return FAIL(tr, NOT_PERMITTED, "%s: the %s is empty; give one", where, what);
    return OK_RESULT;
}

/* ---- where there is no person ---- */
static struct result from_fd(int64_t fd, char out[PASSWORD_BYTES], struct trail *tr)
{
    char where[32];
    snprintf(where, sizeof where, "--password-fd %d", (int)fd);
    if (fcntl((int)fd, F_GETFD) < 0)
        return FAIL(tr, NOT_PERMITTED, "%s: no such descriptor is open; open it, like 3<FILE",
                    where);
    if (isatty((int)fd))
        return FAIL(tr, NOT_PERMITTED,
                    "%s: is a terminal, which would show the password; leave the flag out to be "
                    "asked",
                    where);
    return read_line((int)fd, where, "password", NULL, out, tr);
}

/* *found says whether systemd handed one over; without one there is somebody to ask. */
static struct result from_credential(const char *person, char out[PASSWORD_BYTES], bool *found,
                                     struct trail *tr)
{
    char path[PATHS_BYTES];
    struct stat st;
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    *found = false;
    if (folder == NULL || folder[0] != '/')
        return OK_RESULT;
    int n = snprintf(path, sizeof path, "%s/tenon-%s", folder, person);
    if (n < 0 || (size_t)n >= sizeof path)
        return FAIL(tr, TOO_LARGE, "CREDENTIALS_DIRECTORY is longer than a path may be");
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return OK_RESULT;
    *found = true;
    struct result r = OK_RESULT;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        r = FAIL(tr, NOT_PERMITTED, "the credential %.200s cannot be read; check the unit", path);
    else
        r = read_line(fd, "the credential", "password", NULL, out, tr);
    if (fd >= 0)
        close(fd);
    return r;
}

/* ---- where there is one ---- */
static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
enum { END_COUNT = sizeof ends / sizeof *ends };

/* The prompt comes after the echo is off: who sees it can type. */
static struct result ask(int tty, const char *prompt, const char *person, const char *what,
                         const sigset_t *before, char out[PASSWORD_BYTES], struct trail *tr)
{
    struct termios shown, hidden;
    if (tcgetattr(tty, &shown) != 0)
        return FAIL(tr, NOT_PERMITTED, "the terminal cannot be asked (%s); use a descriptor",
                    strerrordesc_np(errno));
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    if (tcsetattr(tty, TCSAFLUSH, &hidden) != 0)
        return FAIL(tr, NOT_PERMITTED,
                    "the terminal would show the %s (%s); hand it over by a descriptor", what,
                    strerrordesc_np(errno));
    dprintf(tty, "%s%s: ", prompt, person); /* a terminal that is gone shows in the read */
    struct result r = read_line(tty, "the terminal", what, before, out, tr);
    tcsetattr(tty, TCSAFLUSH, &shown);
    dprintf(tty, "\n");
    return r;
}

/* The signals wait while the echo is off, but for the moments in which a byte is waited for. */
static struct result ask_guarded(int tty, const char *prompt, const char *person, const char *what,
                                 char out[PASSWORD_BYTES], struct trail *tr)
{
    struct sigaction actions[END_COUNT], noted = {.sa_handler = note};
    sigset_t held, before;
    caught = 0;
    sigemptyset(&held);
    sigemptyset(&noted.sa_mask);
    for (int i = 0; i < END_COUNT; i++)
        sigaddset(&held, ends[i]);
    sigprocmask(SIG_BLOCK, &held, &before);
    for (int i = 0; i < END_COUNT; i++)
        sigaction(ends[i], &noted, &actions[i]);
    struct result r = ask(tty, prompt, person, what, &before, out, tr);
    for (int i = 0; i < END_COUNT; i++)
        sigaction(ends[i], &actions[i], NULL);
    if (caught != 0) {
        password_wipe(out);
        raise(caught); /* comes through with the next line */
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return r;
}

static struct result from_terminal(const char *person, bool is_new, char out[PASSWORD_BYTES],
                                   struct trail *tr)
{
    char again[PASSWORD_BYTES];
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0)
        return FAIL(tr, NOT_PERMITTED,
                    "no password of %s was given and there is no terminal to ask on; use "
                    "--password-fd, or the systemd credential tenon-%s",
                    person, person);
    char prompt[64];
    const bool is_key = strcmp(person, "secrets") != 0;
    snprintf(prompt, sizeof prompt, "%s for the %s", is_new ? "New password" : "Password",
             is_key ? "key of " : "file of ");
    struct result r = ask_guarded(tty, prompt, person, "password", out, tr);
    if (is_ok(r) && is_new) {
        r = ask_guarded(tty, "Once more", "", "password", again, tr);
        if (is_ok(r) && strcmp(out, again) != 0)
            r = FAIL(tr, NOT_PERMITTED, "the two passwords differ; nothing was made, try again");
        password_wipe(again);
    }
    close(tty);
    return r;
}

struct result password_get(const struct cli *cli, const char *person, bool is_new,
                           char out[PASSWORD_BYTES], struct trail *tr)
{
    const struct rlimit none = {0};
    bool found = true;
    setrlimit(RLIMIT_CORE, &none);
    memset(out, 0, PASSWORD_BYTES);
    struct result r = args_has(&cli->a, FLAG_PASSWORD_FD)
                          ? from_fd(cli->a.flag[FLAG_PASSWORD_FD].value, out, tr)
                          : from_credential(person, out, &found, tr);
    if (is_ok(r) && !found)
        r = from_terminal(person, is_new, out, tr);
    if (is_ok(r) && is_new && strlen(out) < PASSWORD_LEAST)
        r = FAIL(tr, NOT_PERMITTED,
                 "the password has %zu characters, a new key's at least %d; choose a longer one",
                 strlen(out), PASSWORD_LEAST);
    if (!is_ok(r))
        password_wipe(out);
    return r;
}

struct result password_ask_line(const char *prompt, char out[PASSWORD_BYTES], struct trail *tr)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0)
        return FAIL(tr, NOT_PERMITTED,
                    "there is no terminal to ask on; use --secret-fd, with a field a line");
    struct result r = ask_guarded(tty, prompt, "", "field", out, tr);
    close(tty);
    if (!is_ok(r))
        password_wipe(out);
    return r;
}
