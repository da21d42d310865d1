/* SPDX-License-Identifier: Apache-2.0
 *
 * The front of the venue: everything between sockets and the house, as a sans-I/O step. Signatures,
 * rate budgets, faults, the stream's sessions and their subscriptions. What should be sent goes out
 * through struct front_ops at once; the caller sends nothing that ops gave before house_sync.
 *
 * The sockets (doors.h) and a simulator drive the same code. One thread.
 */
#ifndef HOUSE_FRONT_H
#define HOUSE_FRONT_H
#include "house/faults.h"
#include "house/house.h"

enum { FRONT_SESSIONS_MAX = 64, FRONT_DELAYED_MAX = 1024, FRONT_MESSAGE_MAX = 16 * 1024 };

struct front_reply {
    int status;       /* HTTP; 0: close without a word */
    int retry_s;      /* Retry-After; 0 = none */
    size_t count;     /* JSON */
    const char *text; /* valid during the call */
};
struct front_ops {
    void *arg;
    /* The reply to a request, at once or later; exactly one for each. */
    void (*reply)(void *arg, uint64_t ticket, const struct front_reply *r);
    void (*send)(void *arg, uint32_t session, const char *text, size_t count);
    void (*close)(void *arg, uint32_t session);
    void (*close_all)(void *arg);          /* every connection, replies outstanding or not */
    void (*freeze)(void *arg, int64_t ns); /* read and send nothing for so long */
};

struct front_config {
    struct house_config house; /* its ops: only `next`; the rest is set here */
    struct callers callers;
    struct faults faults;
    struct front_ops ops;
    const struct clock *clock; /* wall for signatures, monotonic for budgets */
};

struct front; /* heap */
MUST_USE struct result front_open(const struct front_config *c, struct front **out,
                                  struct trail *tr);
void front_close(struct front *f); /* NULL is let pass */
struct house *front_house(struct front *f);

struct front_http {  /* NULL-terminated texts; those that are absent are empty */
    uint32_t method; /* enum house_method */
    const char *path, *query;
    const char *key, *time, *sign;
    const char *body;
    size_t body_count;
    uint64_t ticket;
};
void front_http(struct front *f, const struct front_http *q);
/* The other door, for tests and drivers: faults, status. Not signed: who may open it, may. */
void front_control(struct front *f, const struct front_http *q);

/* A stream. The caller chooses the number, below FRONT_SESSIONS_MAX. false: refused. */
bool front_ws_open(struct front *f, uint32_t session);
void front_ws_in(struct front *f, uint32_t session, const char *text, size_t count);
void front_ws_closed(struct front *f, uint32_t session);

void front_time(struct front *f);
int64_t front_wait_ns(const struct front *f); /* real time until front_time has something to do */
#endif
