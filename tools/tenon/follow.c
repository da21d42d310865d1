/* SPDX-License-Identifier: Apache-2.0
 *
 * While the host checks, loads and warms (its answer may take two minutes) and afterwards, this
 * asks for the status four times a second: the status has the newest lines, what is active, what is
 * on its way and what was refused last. Nothing is pushed to clients, so a slow terminal can never
 * hold the host up, and a client that comes back later sees the same.
 *
 * A deployment is known by its hash. The one that a rollback makes is not known before; there the
 * serial is watched, which only rises. How it ends:
 *   active      its hash is the active one's (rollback: the active serial rose)
 *   refused     the host names its hash as the last refused one
 *   gone        it is none of these and not on its way any more; then the active serial tells
 *               whether it took over and was replaced since
 */
#include "tools/tenon/follow.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "deploy/cfg.h"
#include "tools/tenon/ask.h"

enum { LOOK_MS = 250, EXIT_INTERRUPTED = 130 };

struct follow {
    const struct cli *cli;
    char sha256[2 * HASH_SHA256_BYTES + 1]; /* of the file; "" = a rollback */
    int64_t serial;        /* of ours: as the file says, or as it was seen; 0 = not known yet */
    int64_t serial_before; /* active when we began */
    char refused_before[2 * HASH_SHA256_BYTES + 1];
    int64_t said;   /* the newest line that was printed */
    json_t *lines;  /* all of them, for --json */
    json_t *status; /* the newest */
};
enum outcome { OUTCOME_UNSET = 0, UNDER_WAY, ACTIVE, REPLACED, REFUSED, GONE };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static void watch_interrupt(void)
{
    struct sigaction a = {.sa_handler = on_interrupt}; /* no SA_RESTART: poll is to wake */
    sigemptyset(&a.sa_mask);
    int e = sigaction(SIGINT, &a, NULL);
    must(e == 0);
}

/* ---- what the status says ---- */
static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

static int64_t number_of(const json_t *o, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(o, name));
}

static struct result look(struct follow *f, struct complaint *c)
{
    json_t *status = NULL;
    TRY(ask_status(f->cli, &status, c));
    json_decref(f->status);
    f->status = status;
    return OK_RESULT;
}

static void print_lines(struct follow *f)
{
    size_t i;
    const json_t *line;
    json_array_foreach(json_object_get(f->status, "lines"), i, line)
    {
        int64_t number = number_of(line, "number");
        if (number <= f->said)
            continue;
        if (number > f->said + 1)
            cli_say(f->cli, "(%lld more lines are in the journal: tenon config history)",
                    (long long)(number - f->said - 1));
        cli_say(f->cli, "%s", text_of(line, "text"));
        json_array_append_new(f->lines, json_string(text_of(line, "text")));
        f->said = number;
    }
}

static bool is_refused(const struct follow *f)
{
    const char *sha256 = text_of(json_object_get(f->status, "refused"), "sha256");
    if (f->sha256[0] != '\0')
        return strcmp(sha256, f->sha256) == 0;
    return strcmp(sha256, f->refused_before) != 0;
}

static enum outcome judge(struct follow *f)
{
    const json_t *active = json_object_get(f->status, "active"),
                 *next = json_object_get(f->status, "next");
    bool is_rollback = f->sha256[0] == '\0';
    bool is_next = json_is_object(next) && (is_rollback || text_of(next, "sha256")[0] == '\0' ||
                                            strcmp(text_of(next, "sha256"), f->sha256) == 0);
    int64_t serial = number_of(active, "serial");
    if (is_rollback ? serial > f->serial_before : strcmp(text_of(active, "sha256"), f->sha256) == 0)
        return ACTIVE;
    if (is_next) {
        f->serial = number_of(next, "serial");
        return UNDER_WAY;
    }
    if (is_refused(f))
        return REFUSED;
    return f->serial > 0 && serial >= f->serial ? REPLACED : GONE;
}

/* ---- how it ends ---- */
static int end_with(struct follow *f, const char *promotion, const char *text)
{
    if (!f->cli->json) {
        printf("%s\n", text);
        return cli_done(f->cli, 0);
    }
    const json_t *active = json_object_get(f->status, "active");
    return cli_json(f->cli,
                    json_pack("{s:s, s:I, s:s, s:s, s:s, s:O}", "schema", "tenon.promotion.v1",
                              "serial", (json_int_t)number_of(active, "serial"), "sha256",
                              text_of(active, "sha256"), "promotion", promotion, "text", text,
                              "lines", f->lines));
}

static int end_active(struct follow *f)
{
    char text[256];
    const json_t *active = json_object_get(f->status, "active");
    const char *promotion = text_of(active, "promotion");
    bool is_probation = strcmp(promotion, "probation") == 0;
    snprintf(text, sizeof text, "serial %lld is active%s%s", (long long)number_of(active, "serial"),
             is_probation ? ", on probation" : "",
             is_probation && number_of(active, "before_serial") > 0
                 ? ": tenon config rollback brings the one before it back"
                 : "");
    return end_with(f, promotion[0] ? promotion : "permanent", text);
}

static const char *last_line(const struct follow *f, const char *otherwise)
{
    size_t count = json_array_size(f->lines);
    const char *text = count ? json_string_value(json_array_get(f->lines, count - 1)) : NULL;
    return text ? text : otherwise;
}

static int end_refused(struct follow *f)
{
    struct complaint c;
    const json_t *refused = json_object_get(f->status, "refused");
    json_t *error = json_pack("{s:s, s:s, s:s, s:s}", "code", text_of(refused, "code"), "what",
                              last_line(f, "it was refused before it took over"), "where",
                              f->cli->name, "next", "tenon config history shows its way");
    complaint_read(&c, error, (int)number_of(refused, "exit"));
    json_decref(error);
    return cli_complain(f->cli, &c);
}

static int end_gone(struct follow *f)
{
    struct complaint c;
    complaint_make(&c, RESULT_OF(STATE), f->cli->name, "%s",
                   last_line(f, "it is not on its way any more, and did not take over"));
    complaint_next(&c, "tenon config history says why");
    return cli_complain(f->cli, &c);
}

static int end_interrupted(struct follow *f)
{
    struct complaint c;
    if (!f->cli->json) {
        fprintf(stderr, "not followed any more; the host goes on with it: see tenon status and "
                        "tenon config history\n");
        return EXIT_INTERRUPTED;
    }
    complaint_make(&c, RESULT_OF(AGAIN), f->cli->name,
                   "not followed any more; the host goes on with it");
    complaint_next(&c, "tenon status and tenon config history");
    c.exit = EXIT_INTERRUPTED;
    return cli_complain(f->cli, &c);
}

/* ---- the way ---- */
static int watch(struct follow *f)
{
    struct complaint c;
    for (;;) {
        if (interrupted)
            return end_interrupted(f);
        if (!is_ok(look(f, &c)))
            return cli_complain(f->cli, &c);
        print_lines(f);
        switch (judge(f)) {
        case ACTIVE:
            return end_active(f);
        case REPLACED:
            return end_with(f, "superseded",
                            "it was active, and has been replaced since: see tenon "
                            "config history");
        case REFUSED:
            return end_refused(f);
        case GONE:
            return end_gone(f);
        default:
            poll(NULL, 0, LOOK_MS);
        }
    }
}

/* Until the host has answered; *exit when it is over with that. */
static bool hand_over(struct follow *f, const struct bundle *b, json_t **result, int *exit)
{
    struct complaint c;
    struct client_call call;
    struct client_options o = {.socket_path = args_text(&f->cli->a, FLAG_SOCKET, NULL),
                               .timeout_ms = CLIENT_SLOW_MS};
    json_t *args = ask_args(&f->cli->a, b);
    struct result rc =
        args ? client_begin(&o, f->cli->name, args, &call, &c)
             : complaint_make(&c, RESULT_OF(FULL), f->cli->name, "no memory for the request");
    json_decref(args);
    if (!is_ok(rc)) {
        *exit = cli_complain(f->cli, &c);
        return false;
    }
    while (!interrupted && !client_wait(&call, LOOK_MS)) {
        if (is_ok(look(f, &c))) { /* a status that fails here is no reason to give up */
            print_lines(f);
            (void)judge(f);
        }
    }
    if (interrupted) {
        client_leave(&call);
        *exit = end_interrupted(f);
        return false;
    }
    if (is_ok(client_finish(&call, result, &c)))
        return true;
    *exit = cli_complain(f->cli, &c);
    return false;
}

static int go(struct follow *f, const struct bundle *b)
{
    struct complaint c;
    json_t *result = NULL;
    int exit = 0;
    if (!is_ok(look(f, &c)))
        return cli_complain(f->cli, &c);
    f->said = number_of(f->status, "said");
    f->serial_before = number_of(json_object_get(f->status, "active"), "serial");
    snprintf(f->refused_before, sizeof f->refused_before, "%s",
             text_of(json_object_get(f->status, "refused"), "sha256"));
    watch_interrupt();
    if (!hand_over(f, b, &result, &exit))
        return exit;
    if (!args_has(&f->cli->a, FLAG_NO_WAIT))
        exit = watch(f);
    else if (f->cli->json)
        exit = cli_json(f->cli, json_incref(result));
    else
        exit = (printf("%s\n", ask_text(result)), cli_done(f->cli, 0));
    json_decref(result);
    return exit;
}

/* What the file says; 0 when it cannot be read: the host will say so better. */
static int64_t serial_of(const struct bundle *b)
{
    struct cfg_file *f = NULL;
    int64_t serial = 0;
    if (!is_ok(cfg_open_bytes(b->file.bytes, b->file.count, b->file.name, NULL, &f)))
        return 0;
    const struct cfg_node *n = f->root->kind == CFG_MAP ? cfg_get(f->root, "serial") : NULL;
    if (n == NULL || !is_ok(cfg_int(f, n, 1, UINT32_MAX, &serial)))
        serial = 0;
    cfg_close(f);
    return serial;
}

int follow(const struct cli *cli, const struct bundle *b)
{
    uint8_t sha256[HASH_SHA256_BYTES];
    struct follow f = {.cli = cli, .lines = json_array()};
    must(f.lines != NULL);
    if (b != NULL) {
        f.serial = serial_of(b);
        hash_sha256_once(b->file.bytes, b->file.count, sha256);
        for (size_t i = 0; i < sizeof sha256; i++)
            snprintf(f.sha256 + 2 * i, 3, "%02x", sha256[i]);
    }
    int exit = go(&f, b);
    json_decref(f.lines);
    json_decref(f.status);
    return exit;
}
