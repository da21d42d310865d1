/* SPDX-License-Identifier: Apache-2.0
 *
 * Results: how a host function says that the world failed.
 *
 * Three kinds of failure are never mixed: our bug is an assertion (must.h); the world failed is a
 * `struct result`; a business refusal (risk, venue reject) is a journaled fact, not a result.
 * A result is a one-member struct so that it cannot be taken for a number, and every function
 * that gives one is MUST_USE. Detail goes to a `struct trail` passed by the caller: a fixed-size
 * stack of sentences, innermost first. No thread-local or global error exists.
 *
 * Any thread. Nothing here allocates.
 */
#ifndef BASE_RESULT_H
#define BASE_RESULT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tbl/results.h"

#define MUST_USE __attribute__((warn_unused_result))

enum result_class {
#define X(name, base) RESULT_CLASS_##name = base,
    RESULT_CLASSES(X)
#undef X
};

enum result_code {
#define X(name, code, class, exit, text, remedy) RESULT_##name = code,
    RESULTS(X)
#undef X
};

struct result {
    int32_t code; /* enum result_code */
};

#define RESULT_OF(name) ((struct result){.code = RESULT_##name})
#define OK_RESULT RESULT_OF(OK)

static inline bool is_ok(struct result r)
{
    return r.code == RESULT_OK;
}

/* Hands a failure up. Only where nothing is held; never inside a loop or conditional expression. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        struct result try_result_ = (expr);                                                        \
        if (!is_ok(try_result_))                                                                   \
            return try_result_;                                                                    \
    } while (0)

enum { TRAIL_FRAMES = 4, TRAIL_TEXT_BYTES = 320 };

struct trail_frame {
    const char *file; /* static, borrowed */
    int32_t line;
    char text[TRAIL_TEXT_BYTES]; /* NUL-terminated, printable: control bytes are escaped */
};

/* Zero-initialise before use. When full, the last frame is overwritten (the outermost wins). */
struct trail {
    uint32_t count;
    struct trail_frame frame[TRAIL_FRAMES];
};

/* Adds one sentence and gives back `r`, so that `return trail_add(...)` reads well. r must be a
 * failure; tr may be NULL. */
struct result trail_add(struct trail *tr, struct result r, const char *file, int line,
                        const char *fmt, ...) __attribute__((format(printf, 5, 6)));
#define FAIL(tr, name, ...) trail_add((tr), RESULT_OF(name), __FILE__, __LINE__, __VA_ARGS__)
#define FAIL_AS(tr, r, ...) trail_add((tr), (r), __FILE__, __LINE__, __VA_ARGS__)

/* The innermost sentence, or the result's own when the trail is empty. Never NULL. */
const char *trail_sentence(const struct trail *tr, struct result r);

const char *result_name(struct result r);   /* "DISK_FULL"; "?" for an unknown code */
const char *result_text(struct result r);   /* what it means */
const char *result_remedy(struct result r); /* what the operator should do */
int result_exit(struct result r);           /* exit code of a command that ends with it */
enum result_class result_class(struct result r);

/* Copies at most `count` bytes of `text` (not NUL-terminated) to `out`, escaping control and
 * non-ASCII bytes as \xNN; cuts with "..." when out is full. out_bytes >= 8. */
void text_escape(char *out, size_t out_bytes, const char *text, size_t count);
#endif
