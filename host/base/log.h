/* SPDX-License-Identifier: Apache-2.0
 *
 * Structured log off the hot path. A thread that may not block opens a log_channel (an SPSC ring)
 * and puts fixed-size entries into it; one writer thread formats them (a line of JSON, or words on
 * a terminal) to a file descriptor. Cold threads call log_now directly. A full channel drops and
 * counts, and the count is printed with the next line. Every line carries: ts, level, msg, and
 * where they apply seq, cause_seq, intent, client id, serial, plugin hash (the correlation ids).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "base/result.h"

enum log_level { LOG_LEVEL_UNSET = 0, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_form { LOG_FORM_UNSET = 0, LOG_WORDS, LOG_JSON };

struct log_ids { /* zero = does not apply */
    uint64_t seq;
    uint64_t cause_seq;
    uint64_t intent;
    uint64_t serial;
    uint64_t plugin_hash; /* first 8 bytes of the SHA-256, big-endian */
};

struct log;         /* the writer, heap */
struct log_channel; /* one producer thread's door, heap */

MUST_USE struct result log_open(struct log **out, int fd, enum log_form form, enum log_level min);
void log_close(struct log *l); /* drains all channels, joins the writer */
MUST_USE struct result log_channel_open(struct log *l, const char *name, struct log_channel **out);
/* Hot-safe: no lock, syscall, clock or heap; ts_ns is the caller's event time (0 = writer's clock).
 * `msg` must be a static string; a and b are printed as "msg a b" operands. */
void log_put(struct log_channel *c, enum log_level level, int64_t ts_ns, const struct log_ids *ids,
             const char *msg, int64_t a, int64_t b);
/* Cold: formats and writes at once under a lock. ids may be NULL. */
void log_now(struct log *l, enum log_level level, const struct log_ids *ids, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
uint64_t log_dropped(const struct log *l);
#endif
