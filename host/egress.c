/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon-egress: the process that alone talks to venues. Builds the parts in order, turns one loop
 * until a signal ends it, and stops in reverse. What it decides is in egress/desk.h; the way to it
 * are two sockets: one for the engine (egress/attach.h), one for people (egress/door.h), which
 * works while the engine hangs.
 *
 * Order: arguments, own limits, state folder (a second one ends here), secrets, sockets, own user,
 * loop (libwebsockets), desk over the witness, doors, READY. As root it gives the state folder to
 * user tenon-egress and becomes that user before it speaks to anybody.
 *
 * It ends on SIGTERM or SIGINT and leaves orders where they are: the witness says of each approval
 * what became of it, and the next start answers the engine by it. SIGHUP reads the secrets again.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "egress/attach.h"
#include "egress/door.h"
#include "egress/secret.h"
#include "egress/secret_ask.h"
#include "egress/store.h"
#include "gateway/args.h"
#include "gateway/notify.h"
#include "gateway/paths.h"
#include "gateway/privilege.h"

#define OWN_USER "tenon-egress"
#define WAIT_MAX_NS 1000000000ll
#define DESK_ALIGN ((size_t)64)

struct holder { /* which secret an account uses, and of which kind it must be */
    uint32_t account;
    enum secret_kind kind;
    char name[FACT_NAME_BYTES];
    char secret[SECRET_NAME_BYTES];
};
struct egress {
    struct args a;
    char state[PATHS_BYTES], secrets_path[PATHS_BYTES + 16];
    char attach_path[PATHS_SOCKET_BYTES], door_path[PATHS_SOCKET_BYTES];
    uint32_t engine_uid;
    int attach_fd, door_fd, signal_fd;
    struct log *log;
    struct notify notify;
    struct store *store;
    struct secrets *secrets;
    struct holder holder[DESK_ACCOUNTS_MAX];
    struct net *net;
    void *desk_memory;
    struct desk *desk;
    struct attach *attach;
    struct door *door;
    bool is_ending;
    int signal;
};

static int fail(struct result r, const struct trail *tr)
{
    struct complaint c = {0};
    char line[2048];
    (void)complaint_from(&c, r, "tenon-egress", tr);
    (void)complaint_print(&c, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    return complaint_exit(&c);
}

/* ---- what the desk asks for ---- */
static void on_log(void *arg, uint32_t level, const char *line)
{
    const struct egress *e = arg;
    log_now(e->log, level, NULL, "%s", line);
}

static bool to_core(void *arg, uint32_t kind, const void *bytes, uint32_t count)
{
    const struct egress *e = arg;
    return attach_to_core(e->attach, kind, bytes, count);
}

static bool to_bay(void *arg, uint32_t account, bool second, uint32_t kind, const void *head,
                   uint32_t head_count, const void *body, uint32_t body_count)
{
    const struct egress *e = arg;
    return attach_to_bay(e->attach, account, second, kind, head, head_count, body, body_count);
}

static void open_link(void *arg, uint32_t account, bool second, const struct line_open *o,
                      const char *endpoint, const char *path)
{
    const struct egress *e = arg;
    net_open(e->net, account, second, o, endpoint, path);
}

static void close_link(void *arg, uint32_t account, bool second, uint32_t link)
{
    const struct egress *e = arg;
    net_close(e->net, account, second, link);
}

static int64_t send_message(void *arg, const struct desk_message *m)
{
    const struct egress *e = arg;
    return net_send(e->net, m);
}

static int32_t secret_of(void *arg, uint32_t account, uint32_t field,
                         uint8_t out[DESK_SECRET_BYTES])
{
    const struct egress *e = arg;
    for (uint32_t i = 0; e->secrets != NULL && i < DESK_ACCOUNTS_MAX; i++) {
        const struct holder *h = &e->holder[i];
        if (h->account != account)
            continue;
        enum secret_kind kind = secret_kind_of(e->secrets, h->secret);
        if (kind != SECRET_KIND_UNSET && kind != h->kind)
            return DESK_SECRET_OF_OTHERS;
        return secret_get(e->secrets, h->secret, field, out, DESK_SECRET_BYTES);
    }
    return DESK_SECRET_NONE;
}

static void witnessed(void *arg, bool must_last)
{
    const struct egress *e = arg;
    if (must_last)
        store_sync_soon(e->store);
}

/* The engine says each account's way again at each attach: the newest word counts. */
static void on_account(void *arg, const struct road_account *a)
{
    struct egress *e = arg;
    struct holder *free_one = NULL, *h = NULL;
    for (uint32_t i = 0; i < DESK_ACCOUNTS_MAX; i++) {
        if (e->holder[i].account == a->account)
            h = &e->holder[i];
        else if (e->holder[i].account == 0 && free_one == NULL)
            free_one = &e->holder[i];
    }
    h = h != NULL ? h : free_one;
    if (h == NULL || a->account == 0)
        return; /* the desk refuses it */
    h->account = a->account;
    snprintf(h->name, sizeof h->name, "%.*s", FACT_NAME_BYTES - 1, a->name);
    h->kind = a->simulated ? SECRET_SIMULATED : SECRET_LIVE;
    const char *name = a->secret[0] != 0 ? a->secret : a->name;
    snprintf(h->secret, sizeof h->secret, "%.*s", SECRET_NAME_BYTES - 1, name);
}

/* ---- the door ---- */
static uint32_t account_of(void *arg, const char *name)
{
    const struct egress *e = arg;
    for (uint32_t i = 0; i < DESK_ACCOUNTS_MAX; i++) {
        if (e->holder[i].account != 0 && strcmp(e->holder[i].name, name) == 0)
            return e->holder[i].account;
    }
    return 0;
}

static void on_kill(void *arg, const struct road_kill *k, const char **sentence)
{
    struct egress *e = arg;
    attach_recall(e->attach, k);
    desk_kill(e->desk, clock_wall(&clock_system), k);
    if (k->account != 0)
        *sentence = k->keep_positions
                        ? "the account is killed at egress: no order of it leaves, all are being "
                          "cancelled; its positions stay"
                        : "the account is killed at egress: no order of it leaves, all are being "
                          "cancelled and its positions closed";
    else
        *sentence = k->keep_positions
                        ? "egress is killed: no order leaves, all are being cancelled; positions "
                          "stay"
                        : "egress is killed: no order leaves, all are being cancelled and "
                          "positions closed";
}

static void on_status(void *arg, char *out, size_t room)
{
    const struct egress *e = arg;
    struct desk_totals t;
    desk_totals(e->desk, &t);
    snprintf(
        out, room,
        "\"schema\":\"tenon.egress.v1\",\"killed\":%s,\"attached\":%s,\"epoch\":%lu,"
        "\"open\":%u,\"links_up\":%u,\"approvals\":%lu,\"sent\":%lu,\"suppressed\":%lu,"
        "\"failed\":%lu,\"unknown\":%lu,\"burned\":%lu,\"orders_out\":%lu,"
        "\"cancels_out\":%lu,\"queries_out\":%lu,\"closes_out\":%lu,\"bytes_out\":%lu,"
        "\"refused_mismatch\":%lu,\"refused_invented\":%lu,\"refused_unnamed\":%lu,"
        "\"no_template\":%lu,\"stored_cancels\":%lu,\"rate_held\":%lu,"
        "\"late_templates\":%lu,\"reconnects\":%lu,\"secrets\":%u,\"sync_failures\":%lu",
        t.is_killed ? "true" : "false", t.is_attached ? "true" : "false", (unsigned long)t.epoch,
        t.open, net_links_up(e->net), (unsigned long)t.approvals, (unsigned long)t.sent,
        (unsigned long)t.suppressed, (unsigned long)t.failed, (unsigned long)t.unknown,
        (unsigned long)t.burned, (unsigned long)t.orders_out, (unsigned long)t.cancels_out,
        (unsigned long)t.queries_out, (unsigned long)t.closes_out, (unsigned long)t.bytes_out,
        (unsigned long)t.refused_mismatch, (unsigned long)t.refused_invented,
        (unsigned long)t.refused_unnamed, (unsigned long)t.no_template,
        (unsigned long)t.stored_cancels, (unsigned long)t.rate_held,
        (unsigned long)t.late_templates, (unsigned long)t.reconnects,
        e->secrets != NULL ? secret_count(e->secrets) : 0, (unsigned long)store_failures(e->store));
}

static struct result on_secrets(void *arg, char *sentence, size_t room, struct trail *tr)
{
    struct egress *e = arg;
    uint8_t *bytes = NULL;
    size_t count = 0;
    if (e->secrets == NULL)
        return FAIL(tr, STATE,
                    "tenon-egress was started without secrets, so without their "
                    "password; start it again");
    struct result r = secret_read(e->secrets_path, &bytes, &count, tr);
    if (is_ok(r))
        r = secret_reload(e->secrets, bytes, count, e->secrets_path, tr);
    free(bytes);
    if (is_ok(r))
        snprintf(sentence, room, "tenon-egress uses %u secrets as they are now",
                 secret_count(e->secrets));
    return r;
}

/* ---- arguments ---- */
static struct result settle_paths(struct egress *e, struct trail *tr)
{
    const char *state = args_text(&e->a, FLAG_STATE, NULL);
    const char *attach = args_text(&e->a, FLAG_ATTACH, NULL);
    const char *door = args_text(&e->a, FLAG_DOOR, NULL);
    if ((attach != NULL && strlen(attach) >= sizeof e->attach_path) ||
        (door != NULL && strlen(door) >= sizeof e->door_path))
        return FAIL(tr, TOO_LARGE, "the path of a socket has at most %zu characters",
                    sizeof e->door_path - 1);
    if (state != NULL)
        snprintf(e->state, sizeof e->state, "%s", state);
    else
        TRY(paths_state("egress", e->state, tr));
    if (attach != NULL)
        strcpy(e->attach_path, attach);
    else
        TRY(paths_egress("egress", e->attach_path, tr));
    if (door != NULL)
        strcpy(e->door_path, door);
    else
        TRY(paths_egress("door", e->door_path, tr));
    snprintf(e->secrets_path, sizeof e->secrets_path, "%s/secrets", e->state);
    return OK_RESULT;
}

static struct result settle_engine(struct egress *e, struct trail *tr)
{
    const char *user = args_text(&e->a, FLAG_ENGINE_USER, privilege_is_root() ? "tenon" : NULL);
    e->engine_uid = geteuid();
    if (user == NULL)
        return OK_RESULT;
    const struct passwd *p = getpwnam(user);
    if (p == NULL)
        return FAIL(tr, NOT_FOUND,
                    "user %s of the host: does not exist; make it with tools/setup run, or name "
                    "another with --engine-user",
                    user);
    e->engine_uid = p->pw_uid;
    return OK_RESULT;
}

/* ---- secrets ---- */
static struct result open_secrets(struct egress *e, struct trail *tr)
{
    char password[SECRET_ASK_BYTES];
    uint8_t *bytes = NULL;
    size_t count = 0;
    struct result r = secret_read(e->secrets_path, &bytes, &count, tr);
    if (r.code == RESULT_NOT_FOUND) {
        memset(tr, 0, sizeof *tr);
        return OK_RESULT; /* an account that needs one says so */
    }
    int64_t fd = args_has(&e->a, FLAG_PASSWORD_FD) ? e->a.flag[FLAG_PASSWORD_FD].value : -1;
    if (is_ok(r))
        r = secret_ask_password((int)fd, password, tr);
    if (is_ok(r))
        r = secret_open(bytes, count, password, e->secrets_path, &e->secrets, tr);
    secret_ask_wipe(password, sizeof password);
    free(bytes);
    return r;
}

/* ---- opening ---- */
/* No core file, no debugger, no swap: this process holds keys. */
static void close_up(void)
{
    const struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

static struct result become_own_user(struct egress *e, struct trail *tr)
{
    if (!privilege_is_root())
        return OK_RESULT;
    TRY(privilege_give(e->state, OWN_USER, tr));
    TRY(privilege_give(e->attach_path, OWN_USER, tr));
    TRY(privilege_give(e->door_path, OWN_USER, tr));
    struct result r = privilege_drop(OWN_USER, e->state, tr);
    close_up(); /* a change of user makes a process dumpable or not as the system likes */
    return r;
}

static void on_signal(void *arg, int fd)
{
    struct egress *e = arg;
    struct signalfd_siginfo info;
    char sentence[256];
    struct trail tr = {0};
    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo != SIGHUP) {
        e->is_ending = true;
        e->signal = (int)info.ssi_signo;
        return;
    }
    struct result r = on_secrets(e, sentence, sizeof sentence, &tr);
    log_now(e->log, is_ok(r) ? LOG_INFO : LOG_ERROR, NULL, "%s",
            is_ok(r) ? sentence : trail_sentence(&tr, r));
}

static struct result catch_signals(struct egress *e, struct trail *tr)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return FAIL(tr, IO, "signals cannot be held: %s", strerrordesc_np(errno));
    e->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return e->signal_fd >= 0 ? OK_RESULT : FAIL(tr, IO, "signalfd: %s", strerrordesc_np(errno));
}

static struct result open_sockets(struct egress *e, struct trail *tr)
{
    bool others = privilege_is_root() || e->engine_uid != geteuid();
    TRY(attach_listen(e->attach_path, SOCK_SEQPACKET, others, &e->attach_fd, tr));
    return attach_listen(e->door_path, SOCK_STREAM, others, &e->door_fd, tr);
}

static void from_net(void *arg, const struct desk_net_in *in)
{
    const struct egress *e = arg;
    desk_from_net(e->desk, clock_wall(&clock_system), in);
}

static bool holds(void *arg, uint32_t account)
{
    const struct egress *e = arg;
    return desk_holds(e->desk, account);
}

static struct result open_net(struct egress *e, struct trail *tr)
{
    struct net_options o = {.ops = {.arg = e, .in = from_net, .holds = holds, .log = on_log}};
    TRY(rng_entropy(&o.seed, sizeof o.seed));
    TRY(net_new(&o, &e->net, tr));
    return net_watch(e->net, e->signal_fd, on_signal, e, tr);
}

static struct result open_desk(struct egress *e, struct trail *tr)
{
    struct desk_config c = {.witness = store_witness(e->store),
                            .ops = {.arg = e,
                                    .to_core = to_core,
                                    .to_bay = to_bay,
                                    .open = open_link,
                                    .close = close_link,
                                    .send = send_message,
                                    .secret = secret_of,
                                    .log = on_log,
                                    .witnessed = witnessed}};
    TRY(rng_entropy(&c.seed, sizeof c.seed));
    TRY(store_boot(&c.boot, tr));
    e->desk_memory = aligned_alloc(DESK_ALIGN, (desk_bytes() + DESK_ALIGN - 1) & ~(DESK_ALIGN - 1));
    must(e->desk_memory != NULL);
    return desk_init(e->desk_memory, desk_bytes(), &c, clock_wall(&clock_system), &e->desk, tr);
}

static struct result open_doors(struct egress *e, struct trail *tr)
{
    const struct attach_options o = {.listen_fd = e->attach_fd,
                                     .engine_uid = e->engine_uid,
                                     .net = e->net,
                                     .arg = e,
                                     .account = on_account,
                                     .log = on_log};
    const struct door_ops ops = {.arg = e,
                                 .account = account_of,
                                 .kill = on_kill,
                                 .status = on_status,
                                 .secrets = on_secrets,
                                 .log = on_log};
    TRY(attach_new(&o, &e->attach, tr));
    e->attach_fd = -1;
    TRY(open_desk(e, tr));
    attach_start(e->attach, e->desk);
    TRY(door_new(e->door_fd, e->engine_uid, e->net, &ops, &e->door, tr));
    e->door_fd = -1;
    return OK_RESULT;
}

static struct result open_all(struct egress *e, struct trail *tr)
{
    close_up();
    TRY(log_open(&e->log, STDERR_FILENO, args_has(&e->a, FLAG_JSON) ? LOG_JSON : LOG_WORDS,
                 args_has(&e->a, FLAG_QUIET) ? LOG_ERROR : LOG_INFO));
    TRY(settle_paths(e, tr));
    TRY(settle_engine(e, tr));
    TRY(catch_signals(e, tr));
    TRY(store_open(e->state, DESK_WITNESS_BYTES, &e->store, tr));
    TRY(open_secrets(e, tr));
    TRY(open_sockets(e, tr));
    TRY(become_own_user(e, tr));
    TRY(open_net(e, tr));
    return open_doors(e, tr);
}

/* ---- running ---- */
static int64_t wait_ns(struct egress *e)
{
    const int64_t due = desk_deadline(e->desk), wall = clock_wall(&clock_system);
    const int64_t mono = clock_mono(&clock_system), alive = notify_alive(&e->notify, mono);
    int64_t wait = WAIT_MAX_NS;
    if (due != INT64_MAX && due - wall < wait)
        wait = due > wall ? due - wall : 0;
    if (alive != INT64_MAX && alive - mono < wait)
        wait = alive > mono ? alive - mono : 0;
    return wait;
}

static void run(struct egress *e)
{
    while (!e->is_ending) {
        attach_awake(e->attach);
        bool more = attach_pump(e->attach);
        const int64_t wall = clock_wall(&clock_system);
        if (desk_deadline(e->desk) <= wall)
            desk_time(e->desk, wall);
        int64_t wait = wait_ns(e);
        if (!attach_sleep(e->attach) || more)
            wait = 0;
        net_turn(e->net, wait);
    }
}

static void say_end(const struct egress *e)
{
    struct desk_totals t;
    desk_totals(e->desk, &t);
    log_now(e->log, LOG_INFO, NULL,
            "stopped by %s; %u approvals are open, orders stay at their venues, and the next start "
            "answers by the witness",
            e->signal == SIGINT ? "SIGINT" : "SIGTERM", t.open);
}

static void close_all(struct egress *e)
{
    door_free(e->door);
    attach_free(e->attach);
    net_free(e->net);
    free(e->desk_memory);
    store_close(e->store);
    secret_free(e->secrets);
    const int fds[] = {e->attach_fd, e->door_fd, e->signal_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    notify_close(&e->notify);
    if (e->log != NULL)
        log_close(e->log);
    prctl(PR_SET_DUMPABLE, 1); /* nothing secret is left */
    free(e);
}

static int start(struct egress *e)
{
    struct trail tr = {0};
    struct result r = open_all(e, &tr);
    if (!is_ok(r))
        return fail(r, &tr);
    log_now(e->log, LOG_INFO, NULL, "ready: the host attaches at %s, people come to %s",
            e->attach_path, e->door_path);
    notify_say(&e->notify, "READY=1");
    run(e);
    notify_say(&e->notify, "STOPPING=1");
    say_end(e);
    unlink(e->attach_path);
    unlink(e->door_path);
    return 0;
}

int main(int argc, char **argv)
{
    struct complaint c = {0};
    struct egress *e = calloc(1, sizeof *e);
    must(e != NULL);
    e->attach_fd = e->door_fd = e->signal_fd = -1;
    notify_open(&e->notify);
    struct result r = args_parse_as(COMMAND_EGRESS_START, argc, argv, &e->a, &c);
    if (is_ok(r))
        r = args_check_files(&e->a, &c);
    int exit_code = 0;
    if (!is_ok(r)) {
        char line[2048];
        (void)complaint_print(&c, line, sizeof line);
        fprintf(stderr, "%s\n", line);
        exit_code = complaint_exit(&c);
    } else if (args_has(&e->a, FLAG_HELP)) {
        printf("tenon-egress is what `tenon egress start` starts, with the same flags: see tenon "
               "egress start --help\n");
    } else {
        exit_code = start(e);
    }
    close_all(e);
    return exit_code;
}
