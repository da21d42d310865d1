/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/egress_guest.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/must.h"
#include "tenon/strategy.h"

#define PATIENCE_NS 30000000000ll
enum { TURN_MS = 20 };

static void give_up(const struct egress_guest *g, const char *what, const char *detail)
{
    fprintf(stderr, "waited in vain for %s %s; tenon-egress said:\n%s\n", what, detail, g->words);
    must(!"it happens in time");
}

static int64_t patience(void)
{
    return clock_mono(&clock_system) + PATIENCE_NS;
}

/* ---- the venue ---- */
static void listen_here(struct egress_guest *g)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    g->server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(bind(g->server, (struct sockaddr *)&at, sizeof at) == 0 && listen(g->server, 64) == 0);
    must(getsockname(g->server, (struct sockaddr *)&at, &n) == 0);
    g->port = ntohs(at.sin_port);
}

static void answer(struct egress_guest *g, struct egress_guest_peer *p, const char *request)
{
    char body[256] = "{\"ok\":true}", text[512];
    if (g->is_mute)
        return;
    if (strstr(request, "GET /v1/positions ") != NULL)
        snprintf(body, sizeof body,
                 "{\"ok\":true,\"positions\":[{\"symbol\":\"BTC-USD\",\"qty\":\"%s%ld.%03ld\","
                 "\"mark\":\"100.00\"}]}",
                 g->position < 0 ? "-" : "", labs((long)g->position / 1000),
                 labs((long)g->position % 1000));
    if (strstr(request, "\"client_id\":\"K") != NULL) /* egress's own close */
        g->position = 0;
    int n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                     strlen(body), body);
    must(send(p->fd, text, (size_t)n, MSG_NOSIGNAL) == n);
}

/* A whole request lies at the front: gives its length, 0 = not yet. */
static uint32_t whole(const struct egress_guest_peer *p)
{
    const char *end = strstr(p->text, "\r\n\r\n"), *length = strstr(p->text, "Content-Length: ");
    if (end == NULL)
        return 0;
    uint32_t n = (uint32_t)(end + 4 - p->text);
    if (length != NULL && length < end)
        n += (uint32_t)atoi(length + 16);
    return n <= p->count ? n : 0;
}

static void serve(struct egress_guest *g, struct egress_guest_peer *p)
{
    ssize_t got = read(p->fd, p->text + p->count, sizeof p->text - 1 - p->count);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            close(p->fd);
            p->fd = -1;
        }
        return;
    }
    p->count += (uint32_t)got;
    p->text[p->count] = 0;
    uint32_t n;
    while ((n = whole(p)) > 0) {
        must(g->received_count < GUEST_REQUESTS);
        char *request = strndup(p->text, n);
        g->received[g->received_count++] = request;
        answer(g, p, request);
        p->count -= n;
        memmove(p->text, p->text + n, p->count + 1);
    }
}

static void accept_peers(struct egress_guest *g)
{
    for (uint32_t i = 0; i < GUEST_PEERS; i++) {
        if (g->peer[i].fd >= 0)
            continue;
        g->peer[i].fd = accept4(g->server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        g->peer[i].count = 0;
        if (g->peer[i].fd < 0)
            return;
    }
}

/* ---- the process ---- */
void egress_guest_open(struct egress_guest *g)
{
    char run[80];
    memset(g, 0, sizeof *g);
    g->socket = g->page_fd = g->words_fd = -1;
    for (uint32_t i = 0; i < GUEST_PEERS; i++)
        g->peer[i].fd = -1;
    strcpy(g->dir, "/tmp/tenon-egress-XXXXXX");
    must(mkdtemp(g->dir) != NULL && chmod(g->dir, 0711) == 0); /* root's egress is another user */
    snprintf(run, sizeof run, "%s/run", g->dir);
    must(mkdir(run, 0700) == 0 && chmod(run, 0777) == 0);
    snprintf(g->attach, sizeof g->attach, "%s/egress.sock", run);
    snprintf(g->door, sizeof g->door, "%s/door.sock", run);
    listen_here(g);
}

static void become(const struct egress_guest *g, int words, int password)
{
    char program[] = TENON_BINARY_DIR "/tenon-egress", state[96], user[] = "--engine-user",
         root[] = "root", fd[] = "--password-fd", three[] = "3", s[] = "--state", a[] = "--attach",
         d[] = "--door", attach[96], door[96];
    snprintf(state, sizeof state, "%s/state", g->dir);
    snprintf(attach, sizeof attach, "%s", g->attach);
    snprintf(door, sizeof door, "%s", g->door);
    char *argv[16] = {program, s, state, a, attach, d, door};
    int n = 7;
    if (password >= 0) {
        argv[n++] = fd;
        argv[n++] = three;
    }
    if (geteuid() == 0) {
        argv[n++] = user;
        argv[n++] = root;
    }
    argv[n] = NULL;
    dup2(words, STDOUT_FILENO);
    dup2(words, STDERR_FILENO);
    if (password >= 0)
        dup2(password, 3);
    execv(program, argv);
    _exit(127);
}

/* A test that gives up must not leave a process behind. */
static void on_broken(void *arg, const char *expr, const char *file, int line)
{
    const struct egress_guest *g = arg;
    (void)expr, (void)file, (void)line;
    if (g->pid > 0)
        kill(g->pid, SIGKILL);
}

void egress_guest_run(struct egress_guest *g, const char *password)
{
    int words[2], secret[2] = {-1, -1};
    must(pipe2(words, O_CLOEXEC) == 0);
    if (password != NULL) {
        must(pipe2(secret, O_CLOEXEC) == 0);
        must(write(secret[1], password, strlen(password)) == (ssize_t)strlen(password));
        close(secret[1]);
    }
    g->pid = fork();
    must(g->pid >= 0);
    if (g->pid == 0)
        become(g, words[1], secret[0]);
    must_set_hook(on_broken, g);
    close(words[1]);
    if (secret[0] >= 0)
        close(secret[0]);
    g->words_fd = words[0];
    g->word_count = 0;
    memset(g->words, 0, sizeof g->words);
    must(fcntl(g->words_fd, F_SETFL, O_NONBLOCK) == 0);
    egress_guest_wait_word(g, "ready: ");
}

int egress_guest_end(struct egress_guest *g, int signal)
{
    int status = 0;
    must(kill(g->pid, signal) == 0 && waitpid(g->pid, &status, 0) == g->pid);
    close(g->words_fd);
    g->words_fd = -1;
    g->pid = 0;
    return status;
}

void egress_guest_close(struct egress_guest *g)
{
    char command[128];
    must_set_hook(NULL, NULL);
    if (g->has_core)
        egress_guest_detach(g);
    if (g->pid > 0)
        egress_guest_end(g, SIGKILL);
    for (uint32_t i = 0; i < GUEST_PEERS; i++) {
        if (g->peer[i].fd >= 0)
            close(g->peer[i].fd);
    }
    for (uint32_t i = 0; i < g->received_count; i++)
        free(g->received[i]);
    close(g->server);
    static const char *const name[] = {"state/witness", "state/egress.lock", "state/secrets",
                                       "run/egress.sock", "run/door.sock"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        snprintf(command, sizeof command, "%s/%s", g->dir, name[i]);
        unlink(command);
    }
    snprintf(command, sizeof command, "%s/state", g->dir);
    rmdir(command);
    snprintf(command, sizeof command, "%s/run", g->dir);
    rmdir(command);
    rmdir(g->dir);
}

/* ---- the engine ---- */
void egress_guest_send(int socket, const void *bytes, size_t count, const int *fd, uint32_t fds)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * 8)];
    } control;
    struct iovec iov = {.iov_len = count};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    memcpy(&iov.iov_base, &bytes, sizeof bytes);
    if (fds > 0) {
        memset(&control, 0, sizeof control);
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fds);
        memcpy(CMSG_DATA(c), fd, sizeof(int) * fds);
    }
    must(sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)count);
}

static void connect_to(const char *path, int kind, int *out)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    *out = socket(AF_UNIX, kind | SOCK_CLOEXEC, 0);
    must(connect(*out, (struct sockaddr *)&at, sizeof at) == 0);
}

static void make_page(struct egress_guest *g, uint64_t epoch)
{
    g->page_fd = memfd_create("durable", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    must(g->page_fd >= 0 && ftruncate(g->page_fd, sizeof *g->page) == 0);
    must(fcntl(g->page_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    g->page = mmap(NULL, sizeof *g->page, PROT_READ | PROT_WRITE, MAP_SHARED, g->page_fd, 0);
    must(g->page != MAP_FAILED);
    g->page->version = ROAD_VERSION;
    g->page->epoch = epoch;
}

/* Says hello; end[0] is the engine's of the link that went with it. */
static void say_hello(struct egress_guest *g, uint64_t epoch, int *socket_out,
                      struct link_end end[2])
{
    struct road_hello h = {.version = ROAD_VERSION,
                           .link_bytes = ROAD_LINK_BYTES,
                           .epoch = epoch,
                           .journal_id = {1},
                           .host = "test"};
    struct trail tr = {0};
    must(is_ok(link_make(ROAD_LINK_BYTES, end, &tr)));
    if (g->page == NULL)
        make_page(g, epoch);
    connect_to(g->attach, SOCK_SEQPACKET, socket_out);
    const int fd[] = {end[1].mine, end[1].theirs, end[1].bell, end[1].their_bell, g->page_fd};
    egress_guest_send(*socket_out, &h, sizeof h, fd, 5);
    link_end_close(&end[1]);
}

struct road_welcome egress_guest_hello(struct egress_guest *g, uint64_t epoch, int *socket_out)
{
    struct road_welcome w = {0};
    struct link_end end[2];
    struct trail tr = {0};
    say_hello(g, epoch, socket_out, end);
    must(recv(*socket_out, &w, sizeof w, 0) == (ssize_t)sizeof w);
    if (w.exit == 0 && !g->has_core) {
        must(is_ok(link_open(&end[0], &g->core, &tr)));
        g->has_core = true;
        g->socket = *socket_out;
    } else {
        link_end_close(&end[0]);
    }
    return w;
}

void egress_guest_hello_and_gone(struct egress_guest *g, uint64_t epoch)
{
    struct link_end end[2];
    int socket = -1;
    must(kill(g->pid, SIGSTOP) == 0 && waitpid(g->pid, NULL, WUNTRACED) == g->pid);
    say_hello(g, epoch, &socket, end);
    link_end_close(&end[0]);
    close(socket);
    must(kill(g->pid, SIGCONT) == 0);
}

static void put(struct egress_guest *g, uint32_t kind, const void *bytes, size_t count)
{
    must(link_put(&g->core, kind, bytes, (uint32_t)count));
    link_ring(&g->core);
}

#define F(m, unit, p, v)                                                                           \
    {                                                                                              \
        .size = sizeof(struct tn_wire_field), .meaning = (m), .required = 1, .unit_exp = (unit),   \
        .path = (p), .value = (v)                                                                  \
    }
#define KEY F(TN_FIELD_SECRET, 0, "X-Key:", "")
static const struct road_row ROWS[] = {
    {.format = TN_WIRE_JSON,
     .class_of = TN_CLASS_ORDER,
     .link = GUEST_HTTP,
     .method = TN_METHOD_POST,
     .match = "/v1/orders",
     .field_count = 10,
     .field = {KEY, F(TN_FIELD_CLIENT_ID, 0, "client_id", ""), F(TN_FIELD_SYMBOL, 0, "symbol", ""),
               F(TN_FIELD_SIDE, 0, "side", "buy|sell"), F(TN_FIELD_TYPE, 0, "type", "limit|stop"),
               F(TN_FIELD_QTY, 127, "qty", ""), F(TN_FIELD_PRICE, 127, "price", ""),
               F(TN_FIELD_TIF, 0, "tif", "gtc|ioc"),
               F(TN_FIELD_REDUCE_ONLY, 0, "reduce_only", "false|true"),
               F(TN_FIELD_TIME, 0, "at", "")}},
    {.format = TN_WIRE_QUERY,
     .class_of = TN_CLASS_CANCEL,
     .link = GUEST_HTTP,
     .method = TN_METHOD_DELETE,
     .match = "/v1/orders",
     .field_count = 3,
     .field = {KEY, F(TN_FIELD_CLIENT_ID, 0, "client_id", ""),
               F(TN_FIELD_SYMBOL, 0, "symbol", "")}},
    {.format = TN_WIRE_QUERY,
     .class_of = TN_CLASS_CANCEL_ALL,
     .link = GUEST_HTTP,
     .method = TN_METHOD_DELETE,
     .match = "/v1/orders/all",
     .field_count = 1,
     .field = {KEY}},
    {.format = TN_WIRE_QUERY,
     .class_of = TN_CLASS_QUERY,
     .link = GUEST_HTTP,
     .method = TN_METHOD_GET,
     .match = "/v1/positions",
     .field_count = 1,
     .field = {KEY}},
    {.format = TN_WIRE_JSON,
     .class_of = TN_CLASS_QUERY,
     .inbound = 1,
     .link = GUEST_HTTP,
     .method = TN_METHOD_GET,
     .match = "/v1/positions",
     .field_count = 3,
     .field = {F(TN_FIELD_SYMBOL, 0, "positions[].symbol", ""),
               F(TN_FIELD_QTY, 127, "positions[].qty", ""),
               F(TN_FIELD_MARK, 127, "positions[].mark", "")}},
};

static void say_facts(struct egress_guest *g)
{
    struct road_account a = {.account = GUEST_ACCOUNT,
                             .instance = 1,
                             .simulated = !g->is_live,
                             .endpoint_count = 1,
                             .name = "paper",
                             .client_id = TN_CLIENT_ID_TEXT,
                             .client_id_max = 31,
                             .budget_count = 1,
                             .row_count = sizeof ROWS / sizeof *ROWS};
    struct road_instrument n = {
        .account = GUEST_ACCOUNT,
        .def = {.id = GUEST_BTC, .price_exp = -2, .qty_exp = -3, .tick = 1, .lot = 1, .min_qty = 1},
        .venue_symbol = "BTC-USD"};
    snprintf(a.endpoint[0], sizeof a.endpoint[0], "http://127.0.0.1:%u", g->port);
    a.budget[0].weight = 100000;
    a.budget[0].per_ns = 1000000000;
    put(g, ROAD_ACCOUNT, &a, sizeof a);
    put(g, ROAD_INSTRUMENT, &n, sizeof n);
    for (uint32_t i = 0; i < a.row_count; i++) {
        struct road_row row = ROWS[i];
        row.account = GUEST_ACCOUNT;
        row.index = i;
        put(g, ROAD_ROW, &row, sizeof row);
    }
}

void egress_guest_attach(struct egress_guest *g, uint64_t epoch)
{
    int socket = -1;
    const struct road_welcome w = egress_guest_hello(g, epoch, &socket);
    if (w.exit != 0)
        give_up(g, "a welcome:", w.text);
    const struct road_ready ready = {.epoch = epoch};
    say_facts(g);
    put(g, ROAD_READY, &ready, sizeof ready);
    egress_guest_wait_said(g, ROAD_ATTACHED);
}

void egress_guest_detach(struct egress_guest *g)
{
    if (g->has_bay)
        link_close(&g->bay);
    link_close(&g->core);
    munmap(g->page, sizeof *g->page);
    close(g->page_fd);
    close(g->socket);
    g->page = NULL;
    g->has_core = g->has_bay = false;
    g->socket = g->page_fd = -1;
    g->said_count = 0;
}

void egress_guest_durable(struct egress_guest *g, uint64_t seq)
{
    __atomic_store_n(&g->page->seq, seq, __ATOMIC_RELEASE);
    link_ring(&g->core);
}

void egress_guest_order(struct egress_guest *g, uint64_t k, uint64_t seq, bool reduces)
{
    struct road_order o = {.approval = k,
                           .seq = seq,
                           .t_ns = 1234567890,
                           .send = {.order = k,
                                    .attempt = 1,
                                    .account = GUEST_ACCOUNT,
                                    .instrument = GUEST_BTC,
                                    .side = reduces ? TN_SHORT : TN_LONG,
                                    .tif = FACT_GTC,
                                    .reduce_only = reduces,
                                    .qty = 1500,
                                    .price = 10025}};
    snprintf(o.send.client_id, sizeof o.send.client_id, "T1-%lu-1", (unsigned long)k);
    put(g, ROAD_ORDER, &o, sizeof o);
}

static void core_turn(struct egress_guest *g)
{
    static _Alignas(16) uint8_t bytes[LINK_MESSAGE_MAX];
    struct link_message m;
    while (g->has_core && link_take(&g->core, &m, bytes, sizeof bytes)) {
        must(g->said_count < GUEST_SAID);
        struct egress_guest_said *s = &g->said[g->said_count++];
        memset(s, 0, sizeof *s);
        s->kind = m.kind;
        memcpy(&s->sent, bytes,
               m.bytes < sizeof *s - offsetof(struct egress_guest_said, sent)
                   ? m.bytes
                   : sizeof *s - offsetof(struct egress_guest_said, sent));
    }
}

/* ---- waiting ---- */
void egress_guest_turn(struct egress_guest *g)
{
    struct pollfd p[GUEST_PEERS + 4];
    nfds_t n = 0;
    p[n++] = (struct pollfd){.fd = g->words_fd, .events = POLLIN};
    p[n++] = (struct pollfd){.fd = g->server, .events = POLLIN};
    for (uint32_t i = 0; i < GUEST_PEERS; i++)
        p[n++] = (struct pollfd){.fd = g->peer[i].fd, .events = POLLIN};
    bool sleeps = true;
    if (g->has_core) {
        sleeps = link_sleep(&g->core);
        p[n++] = (struct pollfd){.fd = g->core.end.bell, .events = POLLIN};
    }
    if (g->has_bay) {
        sleeps = link_sleep(&g->bay) && sleeps;
        p[n++] = (struct pollfd){.fd = g->bay.end.bell, .events = POLLIN};
    }
    (void)poll(p, n, sleeps ? TURN_MS : 0);
    if (g->has_core)
        link_awake(&g->core);
    if (g->has_bay)
        link_awake(&g->bay);
    ssize_t got = g->words_fd < 0 ? 0
                                  : read(g->words_fd, g->words + g->word_count,
                                         sizeof g->words - 1 - g->word_count);
    g->word_count += got > 0 ? (uint32_t)got : 0;
    core_turn(g);
    egress_guest_bay_turn(g);
    accept_peers(g);
    for (uint32_t i = 0; i < GUEST_PEERS; i++) {
        if (g->peer[i].fd >= 0)
            serve(g, &g->peer[i]);
    }
}

void egress_guest_wait_word(struct egress_guest *g, const char *part)
{
    for (const int64_t until = patience(); strstr(g->words, part) == NULL; egress_guest_turn(g)) {
        if (clock_mono(&clock_system) > until || waitpid(g->pid, NULL, WNOHANG) != 0)
            give_up(g, "the word", part);
    }
}

void egress_guest_wait_up(struct egress_guest *g)
{
    for (const int64_t until = patience(); !g->is_up; egress_guest_turn(g)) {
        if (clock_mono(&clock_system) > until)
            give_up(g, "a connection", "of the adapter");
    }
}

const struct egress_guest_said *egress_guest_wait_said(struct egress_guest *g, uint32_t kind)
{
    for (const int64_t until = patience();; egress_guest_turn(g)) {
        for (uint32_t i = 0; i < g->said_count; i++) {
            if (g->said[i].kind == kind)
                return &g->said[i];
        }
        if (clock_mono(&clock_system) > until)
            give_up(g, "a message on the road", "");
    }
}

const struct road_sent *egress_guest_wait_sent(struct egress_guest *g, uint64_t k)
{
    char name[32];
    snprintf(name, sizeof name, "%lu", (unsigned long)k);
    for (const int64_t until = patience();; egress_guest_turn(g)) {
        for (uint32_t i = 0; i < g->said_count; i++) {
            if (g->said[i].kind == ROAD_SENT && g->said[i].sent.approval == k)
                return &g->said[i].sent;
        }
        if (clock_mono(&clock_system) > until)
            give_up(g, "the answer to approval", name);
    }
}

uint32_t egress_guest_requests(const struct egress_guest *g, const char *part)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->received_count; i++)
        n += strstr(g->received[i], part) != NULL;
    return n;
}

const char *egress_guest_wait_request(struct egress_guest *g, const char *part, uint32_t nth)
{
    for (const int64_t until = patience(); egress_guest_requests(g, part) <= nth;
         egress_guest_turn(g)) {
        if (clock_mono(&clock_system) > until)
            give_up(g, "the request", part);
    }
    for (uint32_t i = 0;; i++) {
        if (strstr(g->received[i], part) != NULL && nth-- == 0)
            return g->received[i];
    }
}

/* ---- the door ---- */
static bool read_whole(struct egress_guest *g, int fd, char *out, size_t count)
{
    const int64_t until = patience();
    for (size_t n = 0; n < count;) {
        ssize_t got = recv(fd, out + n, count - n, MSG_DONTWAIT);
        if (got == 0)
            return false;
        n += got > 0 ? (size_t)got : 0;
        if (got < 0)
            egress_guest_turn(g);
        if (clock_mono(&clock_system) > until)
            give_up(g, "an answer", "at the door");
    }
    return true;
}

char *egress_guest_door(struct egress_guest *g, const char *json)
{
    uint32_t n = (uint32_t)strlen(json);
    int fd = -1;
    connect_to(g->door, SOCK_STREAM, &fd);
    must(send(fd, &n, 4, MSG_NOSIGNAL) == 4 && send(fd, json, n, MSG_NOSIGNAL) == (ssize_t)n);
    char head_of[4], *out = NULL;
    if (read_whole(g, fd, head_of, 4)) {
        memcpy(&n, head_of, 4);
        out = calloc(1, n + 1);
        must(out != NULL && read_whole(g, fd, out, n));
    }
    close(fd);
    return out;
}

void egress_guest_wait_status(struct egress_guest *g, const char *part)
{
    for (const int64_t until = patience();; egress_guest_turn(g)) {
        char *status = egress_guest_door(g, "{\"v\":1,\"id\":1,\"cmd\":\"egress status\"}");
        const bool has = status != NULL && strstr(status, part) != NULL;
        if (!has && clock_mono(&clock_system) > until)
            give_up(g, part, status != NULL ? status : "(no answer)");
        free(status);
        if (has)
            return;
    }
}
