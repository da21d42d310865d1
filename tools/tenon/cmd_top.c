/* SPDX-License-Identifier: Apache-2.0
 *
 * top: the host on one screen, four times a second. It asks for the status like any client, so it
 * shows nothing that `tenon status` does not, and cannot slow the core. --once takes two looks a
 * quarter of a second apart, for the rates, and prints them. Killing from here takes the word
 * KILL, typed: one key is too little for what cannot be taken back.
 */
#define NCURSES_NOMACROS 1
#include <curses.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "tools/tenon/kill.h"
#include "tools/tenon/top.h"

enum { LOOK_MS = 250, ANSWER_MS = 1000 };

struct look {
    json_t *status; /* NULL = never answered */
    int64_t at_ns;  /* monotonic */
};
struct screen {
    const struct cli *cli;
    struct look now, before;
    struct complaint why; /* of the last look that got no answer */
    struct top_view view;
    struct top_frame frame;
    bool wants_help;
    char typed[8]; /* "KILL", letter by letter */
    bool is_typing;
    char said[256]; /* answer to a kill */
};

static struct result look(struct screen *s)
{
    struct client_options o = {.socket_path = args_text(&s->cli->a, FLAG_SOCKET, NULL),
                               .timeout_ms = ANSWER_MS};
    json_t *status = NULL;
    struct result r = client_call(&o, "status", NULL, &status, &s->why);
    if (!is_ok(r))
        return r;
    json_decref(s->before.status);
    s->before = s->now;
    s->now = (struct look){status, clock_mono(&clock_system)};
    return r;
}

static void looks_end(struct screen *s)
{
    json_decref(s->now.status);
    json_decref(s->before.status);
}

/* ---- once ---- */
static int once_json(struct screen *s)
{
    json_t *rates = top_rates(s->now.status, s->before.status, s->now.at_ns - s->before.at_ns);
    return cli_json(s->cli, json_pack("{s:s, s:O, s:o}", "schema", "tenon.top.v1", "status",
                                      s->now.status, "rates", rates));
}

static int once(struct screen *s)
{
    struct complaint c;
    if (!is_ok(look(s)))
        return cli_complain(s->cli, &s->why);
    usleep(LOOK_MS * 1000);
    if (!is_ok(look(s)))
        return cli_complain(s->cli, &s->why);
    if (s->cli->json)
        return once_json(s);
    s->view.columns = TOP_LINE_BYTES;
    if (!top_draw(s->now.status, s->before.status, s->now.at_ns - s->before.at_ns, &s->view,
                  &s->frame)) {
        complaint_make(&c, RESULT_OF(PROTOCOL), s->cli->name,
                       "the host's status has an unknown form");
        return cli_complain(s->cli, &c);
    }
    for (uint32_t i = 0; i < s->frame.count; i++)
        puts(s->frame.line[i].text);
    return cli_done(s->cli, 0);
}

/* ---- the screen ---- */
static const char *const help[] = {
    "q  leave           s  strategies: the worst gain first, or as they are deployed",
    "w  more columns    K  kill: type KILL, then Enter; Esc takes it back",
    "?  this help",
};

static void paint(const struct screen *s)
{
    static const attr_t looks[] = {A_NORMAL, A_BOLD, A_NORMAL, A_STANDOUT, A_DIM};
    int rows = getmaxy(stdscr);
    werase(stdscr);
    for (uint32_t i = 0; i < s->frame.count && (int)i < rows - 1; i++) {
        wattrset(stdscr, (int)looks[s->frame.line[i].look]);
        mvwaddnstr(stdscr, (int)i, 0, s->frame.line[i].text, getmaxx(stdscr));
    }
    wattrset(stdscr, (int)A_REVERSE);
    if (s->is_typing)
        mvwprintw(stdscr, rows - 1, 0, "type KILL and Enter to kill, Esc to leave: %s", s->typed);
    else
        mvwaddnstr(stdscr, rows - 1, 0, s->said[0] != 0 ? s->said : "q leave  ? help  K kill",
                   getmaxx(stdscr));
    wattrset(stdscr, (int)A_NORMAL);
    for (int i = 0; s->wants_help && i < 3 && rows > 6; i++)
        mvwaddnstr(stdscr, rows - 5 + i, 0, help[i], getmaxx(stdscr));
    wrefresh(stdscr);
}

static void draw(struct screen *s)
{
    char line[4 * COMPLAINT_TEXT_BYTES];
    int columns = getmaxx(stdscr);
    s->view.columns = columns < TOP_COLUMNS_MIN ? TOP_COLUMNS_MIN : (uint32_t)columns;
    bool drawn =
        s->now.status != NULL && top_draw(s->now.status, s->before.status,
                                          s->now.at_ns - s->before.at_ns, &s->view, &s->frame);
    if (!drawn) {
        complaint_print(&s->why, line, sizeof line);
        s->frame.count = 1;
        s->frame.line[0].look = TOP_BAD;
        snprintf(s->frame.line[0].text, TOP_LINE_BYTES, "%.300s", line);
    }
    paint(s);
}

/* What each side did, in one line; nobody took it: why not. */
static void tell_kill(struct screen *s, const struct kill_side side[KILL_SIDES])
{
    size_t n = 0;
    for (int i = 0; i < KILL_SIDES && n < sizeof s->said; i++) {
        const struct kill_side *k = &side[i];
        const char *word = k->took        ? ask_text(k->result)
                           : k->is_absent ? "is not running"
                                          : "DID NOT TAKE IT";
        n += (size_t)snprintf(s->said + n, sizeof s->said - n, "%s%s: %.100s", i > 0 ? " | " : "",
                              k->name, word);
    }
}

/* As `risk kill` does it: a host that hangs does not take the way to tenon-egress with it. */
static void kill_now(struct screen *s)
{
    struct cli silent = *s->cli; /* a sentence in between would go over the screen */
    struct kill_side *side = calloc(KILL_SIDES, sizeof *side);
    json_t *args = json_pack("{s:s}", "reason", "typed in tenon top");
    const struct complaint *worst = NULL;
    silent.quiet = true;
    if (side == NULL || args == NULL)
        snprintf(s->said, sizeof s->said, "not killed: no memory for the request");
    else if (kill_ask(&silent, args, side, &worst))
        tell_kill(s, side);
    else
        complaint_print(worst, s->said, sizeof s->said);
    if (side != NULL)
        kill_end(side);
    free(side);
    json_decref(args);
}

static void type(struct screen *s, int key)
{
    size_t n = strlen(s->typed);
    if (key == 27) {
        s->is_typing = false;
    } else if (key == '\n' || key == '\r' || key == KEY_ENTER) {
        s->is_typing = false;
        if (strcmp(s->typed, "KILL") == 0)
            kill_now(s);
        else
            snprintf(s->said, sizeof s->said, "not killed: '%s' is not KILL", s->typed);
    } else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && n > 0) {
        s->typed[n - 1] = 0;
    } else if (key >= ' ' && key < 127 && n + 1 < sizeof s->typed) {
        s->typed[n] = (char)key;
        s->typed[n + 1] = 0;
    }
}

/* False: leave. */
static bool press(struct screen *s, int key)
{
    if (key == ERR || key == KEY_RESIZE)
        return true;
    if (s->is_typing) {
        type(s, key);
        return true;
    }
    s->said[0] = 0;
    switch (key) {
    case 'q':
        return false;
    case '?':
        s->wants_help = !s->wants_help;
        return true;
    case 's':
        s->view.by_gain = !s->view.by_gain;
        return true;
    case 'w':
        s->view.wide = !s->view.wide;
        return true;
    case 'K':
        s->is_typing = true;
        s->typed[0] = 0;
        return true;
    default:
        return true;
    }
}

static void follow(struct screen *s)
{
    int64_t since = clock_mono(&clock_system), next = 0;
    do {
        int64_t now = clock_mono(&clock_system);
        if (now >= next) {
            if (is_ok(look(s)))
                since = s->now.at_ns;
            next = clock_mono(&clock_system) + (int64_t)LOOK_MS * 1000000; /* keys come between */
            s->view.silent_ms = (clock_mono(&clock_system) - since) / 1000000;
            if (s->view.silent_ms < 2 * LOOK_MS)
                s->view.silent_ms = 0;
        }
        draw(s);
        int64_t left = (next - clock_mono(&clock_system)) / 1000000;
        wtimeout(stdscr, left < 1 ? 1 : (int)left);
    } while (press(s, wgetch(stdscr)));
}

static int live(struct screen *s)
{
    struct complaint c;
    if (s->cli->json || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
        complaint_make(&c, RESULT_OF(USAGE), s->cli->name,
                       s->cli->json ? "--json goes with --once: a screen is no JSON"
                                    : "this is no terminal; --once prints one picture");
        return cli_complain(s->cli, &c);
    }
    if (!is_ok(look(s)))
        return cli_complain(s->cli, &s->why);
    setlocale(LC_CTYPE, "");
    initscr();
    cbreak();
    noecho();
    set_escdelay(25);
    keypad(stdscr, true);
    curs_set(0);
    follow(s);
    endwin();
    return 0;
}

int cmd_TOP(const struct cli *cli)
{
    static struct screen s;
    s = (struct screen){.cli = cli, .view = {.utc = cli->utc}};
    int exit = args_has(&cli->a, FLAG_ONCE) ? once(&s) : live(&s);
    looks_end(&s);
    return exit;
}
