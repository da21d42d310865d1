/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may speak to the venue: API keys with their secrets, the signature of each request, and the
 * weight each key has left. Over its budget a key gets 429; one that goes on is banned (418) for a
 * time that doubles. Wall time in milliseconds for signatures, monotonic time for budgets.
 */
#ifndef HOUSE_CALLERS_H
#define HOUSE_CALLERS_H
#include "base/result.h"

enum {
    CALLERS_MAX = 8,
    CALLERS_NAME_BYTES = 32,
    CALLERS_SECRET_BYTES = 128,
    CALLERS_NONE = 0, /* callers are numbered from 1 */
    CALLERS_SIGN_BYTES = 65,
    CALLERS_BURST = 2000,  /* weight */
    CALLERS_REFILL = 400,  /* a second */
    CALLERS_PATIENCE = 20, /* requests over budget before a ban */
    CALLERS_BAN_S = 60,
};

struct caller {
    char name[CALLERS_NAME_BYTES];
    char secret[CALLERS_SECRET_BYTES];
    int64_t filled_ns; /* monotonic: when `milli` was right */
    int64_t milli;     /* weight left, thousandths */
    uint32_t over;     /* requests since it ran out */
    uint32_t bans;
    int64_t banned_until_ns;
};
struct callers {
    uint32_t count;
    struct caller at[CALLERS_MAX];
};

/* Lines of `KEY SECRET`; '#' begins a comment. The file must be nobody else's to read. */
MUST_USE struct result callers_read(const char *path, struct callers *out, struct trail *tr);

struct callers_text { /* what is signed: one after the other */
    const char *time, *method, *path, *body;
    size_t body_count;
};
enum callers_verdict {
    CALLERS_UNSET = 0,
    CALLERS_GOOD,
    CALLERS_BAD_SIGN,
    CALLERS_BAD_TIME,
};
/* Finds the key and checks time (wall, within 5 s) and signature. Gives the caller's number. */
enum callers_verdict callers_check(const struct callers *c, const char *key, const char *sign,
                                   const struct callers_text *t, int64_t wall_ns, uint32_t *caller);
/* The signature in lowercase hex. */
void callers_sign(const char *secret, const struct callers_text *t, char out[CALLERS_SIGN_BYTES]);

/* Takes weight. 0: granted; else the HTTP status, with seconds to wait. */
int callers_weigh(struct callers *c, uint32_t caller, uint32_t weight, int64_t mono_ns,
                  int *retry_s);
void callers_ban(struct callers *c, uint32_t caller, int64_t mono_ns, int64_t seconds);
#endif
