/* SPDX-License-Identifier: Apache-2.0
 *
 * A real tenon-egress process with everything around it played by the test: the engine on the
 * attach socket, an adapter's bay that writes templates by hand, and a small HTTP venue. One
 * thread; whoever waits for something lets the others go on meanwhile.
 */
#ifndef TESTS_EGRESS_GUEST_H
#define TESTS_EGRESS_GUEST_H
#include <sys/types.h>
#include "base/link.h"
#include "egress/desk.h"

enum {
    GUEST_ACCOUNT = 3,
    GUEST_BTC = 11,
    GUEST_HTTP = 1,
    GUEST_REQUESTS = 1024,
    GUEST_PEERS = 32,
    GUEST_SAID = 2048,
};
struct egress_guest_said {
    uint32_t kind;
    union {
        struct road_sent sent;
        struct road_attached attached;
        struct road_open open;
        struct road_kill kill;
        struct road_flat flat;
        struct road_net net;
        struct road_alarm alarm;
    };
};
struct egress_guest_peer {
    int fd;
    uint32_t count;
    char text[8192];
};
struct egress_guest {
    char dir[64], attach[96], door[96];
    pid_t pid;
    int words_fd; /* its standard error */
    char words[16384];
    uint32_t word_count;
    /* the engine */
    int socket, page_fd;
    struct road_durable *page;
    struct link core, bay;
    bool has_core, has_bay;
    struct egress_guest_said said[GUEST_SAID];
    uint32_t said_count;
    uint32_t approvals, in_count; /* heard by the bay: to answer, bytes of the venue */
    bool bay_is_silent, is_up;
    bool is_live; /* the account says that it is no simulated one */
    uint64_t request;
    /* the venue */
    int server;
    uint16_t port;
    struct egress_guest_peer peer[GUEST_PEERS];
    char *received[GUEST_REQUESTS]; /* whole requests, in order */
    uint32_t received_count;
    bool is_mute;     /* takes, answers nothing */
    int64_t position; /* thousandths of BTC-USD; a close makes it 0 */
};

/* A fresh state folder and a listening venue; no process yet. */
void egress_guest_open(struct egress_guest *g);
/* Starts the process and waits until it is ready. extra: NULL-ended arguments; password: NULL =
 * none. */
void egress_guest_run(struct egress_guest *g, const char *password);
/* Signals it and waits for its end: the status as of waitpid. */
int egress_guest_end(struct egress_guest *g, int signal);
void egress_guest_close(struct egress_guest *g);

/* Hello, and the answer. */
struct road_welcome egress_guest_hello(struct egress_guest *g, uint64_t epoch, int *socket_out);
/* An engine that says hello while egress does nothing, and is gone before it can be answered. */
void egress_guest_hello_and_gone(struct egress_guest *g, uint64_t epoch);
void egress_guest_attach(struct egress_guest *g,
                         uint64_t epoch);         /* ... which is yes; facts; READY */
void egress_guest_detach(struct egress_guest *g); /* the engine dies, and its bays */
void egress_guest_bay(struct egress_guest *g);    /* with link and stored templates, up */
void egress_guest_order(struct egress_guest *g, uint64_t k, uint64_t seq, bool reduces);
void egress_guest_durable(struct egress_guest *g, uint64_t seq);

/* One look at everything; waits at most some milliseconds for something to happen. */
void egress_guest_turn(struct egress_guest *g);
const struct road_sent *egress_guest_wait_sent(struct egress_guest *g, uint64_t k);
const struct egress_guest_said *egress_guest_wait_said(struct egress_guest *g, uint32_t kind);
/* The nth request that has `part` in it. */
const char *egress_guest_wait_request(struct egress_guest *g, const char *part, uint32_t nth);
uint32_t egress_guest_requests(const struct egress_guest *g, const char *part);
void egress_guest_wait_word(struct egress_guest *g, const char *part);
/* A frame at the door and its answer; malloc'ed text. */
char *egress_guest_door(struct egress_guest *g, const char *json);
/* Until the status at the door has this text. */
void egress_guest_wait_status(struct egress_guest *g, const char *part);

/* ---- between its two files ---- */
void egress_guest_send(int socket, const void *bytes, size_t count, const int *fd, uint32_t fds);
void egress_guest_bay_turn(struct egress_guest *g);
void egress_guest_wait_up(struct egress_guest *g);
#endif
