/* SPDX-License-Identifier: Apache-2.0
 *
 * The log.
 *
 * A hot thread must not pay for a line with a system call, so a put only copies a fixed entry into
 * its channel's ring: text is made later, by the writer. For the same reason a put does not wake
 * the writer (signalling a condition variable is a system call when somebody waits). The writer
 * looks at every channel and then sleeps for at most POLL_NS; only log_close wakes it.
 *
 * One lock guards the file descriptor and the list of channels. The writer holds it while it
 * empties the channels, cold threads hold it for one line. Hot threads never see it.
 *
 * A line is made in a fixed buffer: the message is escaped first to plain ASCII and then for JSON,
 * so whatever a plugin or a venue put into a text, a line stays one line of valid JSON. When the
 * descriptor refuses a line it is counted as dropped: a full disk may not stop the host here.
 */
#include "base/log.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/ring.h"
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_MAGIC 0x4c4f4757u
#define CHANNEL_MAGIC 0x4c4f4743u
#define POLL_NS INT64_C(20000000)

enum {
    CHANNELS_MAX = 16,
    CHANNEL_BYTES = 65536, /* about 680 entries */
    NAME_BYTES = 32,
    MESSAGE_BYTES = 768,
    LINE_BYTES = 2 * MESSAGE_BYTES + 1024, /* all escaped, and every member */
    STACK_BYTES = 262144,
};

struct entry {
    int64_t ts_ns;
    const char *msg;
    int64_t a, b;
    struct log_ids ids;
    uint32_t level;
    uint32_t has_operands;
};

struct log_channel {
    struct ring ring;
    uint32_t magic;
    enum log_level min;
    char name[NAME_BYTES];
    _Atomic uint64_t dropped; /* written by the producer */
    uint64_t dropped_told;    /* by the writer: how many of them a line has told */
    uint8_t *bytes;
};

struct log {
    uint32_t magic;
    int fd;
    enum log_form form;
    enum log_level min;
    pthread_t writer;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    bool torn;                      /* the last line was cut: the next one begins with a newline */
    _Atomic uint32_t channel_count; /* stored after the channel it counts */
    struct log_channel *channel[CHANNELS_MAX];
    _Atomic uint64_t refused; /* lines the descriptor did not take */
    uint64_t refused_told;
};

struct line {
    size_t count;
    char text[LINE_BYTES];
};

static const char *level_name(uint32_t level)
{
    static const char *const name[] = {"?", "debug", "info", "warn", "error"};
    must(level >= LOG_DEBUG && level <= LOG_ERROR);
    return name[level];
}

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(l->text + l->count, sizeof l->text - l->count, fmt, args);
    va_end(args);
    must(length >= 0 && (size_t)length < sizeof l->text - l->count);
    l->count += (size_t)length;
}

/* Adds `text` as the inside of a JSON string; it holds only printable ASCII. */
static void add_quoted(struct line *l, const char *text)
{
    for (; *text != '\0'; text++) {
        must(l->count + 3 < sizeof l->text);
        if (*text == '"' || *text == '\\')
            l->text[l->count++] = '\\';
        l->text[l->count++] = *text;
    }
    l->text[l->count] = '\0';
}

static void add_id(struct line *l, enum log_form form, const char *name, uint64_t value)
{
    if (value == 0)
        return;
    if (form == LOG_JSON)
        add(l, ",\"%s\":%" PRIu64, name, value);
    else
        add(l, " %s=%" PRIu64, name, value);
}

static void add_hash(struct line *l, enum log_form form, uint64_t hash)
{
    if (hash != 0)
        add(l, form == LOG_JSON ? ",\"plugin\":\"%016" PRIx64 "\"" : " plugin=%016" PRIx64, hash);
}

static void add_ids(struct line *l, enum log_form form, const struct log_ids *ids)
{
    add_id(l, form, "seq", ids->seq);
    add_id(l, form, "cause_seq", ids->cause_seq);
    add_id(l, form, "intent", ids->intent);
    add_id(l, form, "serial", ids->serial);
    add_hash(l, form, ids->plugin_hash);
}

/* Adds the whole line of one entry. `from` is the channel's name, NULL for a cold thread. */
static void add_entry(struct line *l, enum log_form form, const char *from, const struct entry *e,
                      uint64_t dropped)
{
    char when[CLOCK_TEXT_BYTES];
    char message[MESSAGE_BYTES];
    clock_print(e->ts_ns != 0 ? e->ts_ns : clock_wall(&clock_system), when);
    text_escape(message, sizeof message, e->msg, strlen(e->msg));
    if (form == LOG_JSON) {
        add(l, "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":\"", when, level_name(e->level));
        add_quoted(l, message);
        add(l, "\"");
        if (from != NULL)
            add(l, ",\"from\":\"%s\"", from);
        if (e->has_operands)
            add(l, ",\"a\":%" PRId64 ",\"b\":%" PRId64, e->a, e->b);
    } else {
        add(l, "%s %-5s ", when, level_name(e->level));
        if (from != NULL)
            add(l, "%s: ", from);
        add(l, "%s", message);
        if (e->has_operands)
            add(l, " %" PRId64 " %" PRId64, e->a, e->b);
    }
    add_ids(l, form, &e->ids);
    add_id(l, form, "dropped", dropped);
    add(l, form == LOG_JSON ? "}\n" : "\n");
}

/* Gives how many bytes the descriptor took. */
static size_t write_line(int fd, const struct line *l)
{
    size_t done = 0;
    while (done < l->count) {
        ssize_t got = write(fd, l->text + done, l->count - done);
        if (got < 0 && errno != EINTR)
            break;
        done += got < 0 ? 0 : (size_t)got;
    }
    return done;
}

/* Formats and writes one entry; the lock is held. */
static void emit(struct log *l, struct log_channel *c, const struct entry *e)
{
    struct line line = {.count = 0};
    uint64_t refused = atomic_load_explicit(&l->refused, memory_order_relaxed);
    uint64_t dropped = c == NULL ? 0 : atomic_load_explicit(&c->dropped, memory_order_relaxed);
    uint64_t untold = refused - l->refused_told + (c == NULL ? 0 : dropped - c->dropped_told);
    add(&line, l->torn ? "\n" : "");
    add_entry(&line, l->form, c == NULL ? NULL : c->name, e, untold);
    size_t taken = write_line(l->fd, &line);
    if (taken < line.count) {
        l->torn = taken > 0 || l->torn;
        atomic_store_explicit(&l->refused, refused + 1, memory_order_relaxed);
        return;
    }
    l->torn = false;
    l->refused_told = refused;
    if (c != NULL)
        c->dropped_told = dropped;
}

/* Writes what a channel holds; the lock is held. */
static void drain(struct log *l, struct log_channel *c)
{
    must(c->magic == CHANNEL_MAGIC);
    uint32_t count = 0;
    for (const void *m = ring_peek(&c->ring, &count); m != NULL; m = ring_peek(&c->ring, &count)) {
        must(count == sizeof(struct entry));
        emit(l, c, m);
        ring_release(&c->ring);
    }
}

static void sleep_until_poll(struct log *l)
{
    struct timespec until;
    must(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_nsec += POLL_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int rc = pthread_cond_timedwait(&l->wake, &l->lock, &until);
    must(rc == 0 || rc == ETIMEDOUT);
}

/* Looks at `stopping` before it drains, so that what was put before log_close is written. */
static void *write_loop(void *arg)
{
    struct log *l = arg;
    must(l->magic == LOG_MAGIC);
    must(pthread_mutex_lock(&l->lock) == 0);
    for (bool last = false; !last;) {
        last = l->stopping;
        uint32_t channels = l->channel_count;
        for (uint32_t i = 0; i < channels; i++)
            drain(l, l->channel[i]);
        if (!last && !l->stopping)
            sleep_until_poll(l);
    }
    must(pthread_mutex_unlock(&l->lock) == 0);
    return NULL;
}

/* Signals belong to the main thread: the writer starts with all of them blocked. */
static int start_writer(struct log *l)
{
    sigset_t all, before;
    pthread_attr_t attr;
    sigfillset(&all);
    must(pthread_attr_init(&attr) == 0);
    must(pthread_attr_setstacksize(&attr, STACK_BYTES) == 0);
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int rc = pthread_create(&l->writer, &attr, write_loop, l);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    must(pthread_attr_destroy(&attr) == 0);
    return rc;
}

static void init_locks(struct log *l)
{
    pthread_condattr_t attr;
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&l->wake, &attr) == 0);
    must(pthread_condattr_destroy(&attr) == 0);
    must(pthread_mutex_init(&l->lock, NULL) == 0);
}

static void free_log(struct log *l)
{
    for (uint32_t i = 0; i < l->channel_count; i++) {
        l->channel[i]->magic = 0;
        free(l->channel[i]->bytes);
        free(l->channel[i]);
    }
    must(pthread_mutex_destroy(&l->lock) == 0);
    must(pthread_cond_destroy(&l->wake) == 0);
    l->magic = 0;
    free(l);
}

struct result log_open(struct log **out, int fd, enum log_form form, enum log_level min)
{
    must(out != NULL && (form == LOG_WORDS || form == LOG_JSON));
    must(min >= LOG_DEBUG && min <= LOG_ERROR);
    struct log *l = calloc(1, sizeof *l);
    must(l != NULL);
    l->magic = LOG_MAGIC;
    l->fd = fd;
    l->form = form;
    l->min = min;
    init_locks(l);
    if (start_writer(l) != 0) {
        free_log(l);
        return RESULT_OF(IO);
    }
    *out = l;
    return OK_RESULT;
}

void log_close(struct log *l)
{
    must(l->magic == LOG_MAGIC);
    must(pthread_mutex_lock(&l->lock) == 0);
    l->stopping = true;
    must(pthread_cond_signal(&l->wake) == 0);
    must(pthread_mutex_unlock(&l->lock) == 0);
    must(pthread_join(l->writer, NULL) == 0);
    free_log(l);
}

static struct log_channel *new_channel(const struct log *l, const char *name)
{
    struct log_channel *c = aligned_alloc(RING_LINE, sizeof *c);
    uint8_t *bytes = aligned_alloc(RING_LINE, CHANNEL_BYTES);
    must(c != NULL && bytes != NULL);
    memset(c, 0, sizeof *c);
    /* The pages are touched here, not by the first put. */
    memset(bytes, 0, CHANNEL_BYTES);
    ring_init(&c->ring, bytes, CHANNEL_BYTES);
    c->magic = CHANNEL_MAGIC;
    c->min = l->min;
    c->bytes = bytes;
    text_escape(c->name, sizeof c->name, name, strlen(name));
    must(strpbrk(c->name, "\"\\") == NULL);
    return c;
}

struct result log_channel_open(struct log *l, const char *name, struct log_channel **out)
{
    must(l->magic == LOG_MAGIC);
    must(name != NULL && out != NULL);
    bool added = false;
    must(pthread_mutex_lock(&l->lock) == 0);
    uint32_t count = l->channel_count;
    if (count < CHANNELS_MAX) {
        *out = new_channel(l, name);
        l->channel[count] = *out;
        atomic_store_explicit(&l->channel_count, count + 1, memory_order_release);
        added = true;
    }
    must(pthread_mutex_unlock(&l->lock) == 0);
    return added ? OK_RESULT : RESULT_OF(FULL);
}

void log_put(struct log_channel *c, enum log_level level, int64_t ts_ns, const struct log_ids *ids,
             const char *msg, int64_t a, int64_t b)
{
    must(c->magic == CHANNEL_MAGIC);
    must(level >= LOG_DEBUG && level <= LOG_ERROR && msg != NULL);
    if (level < c->min)
        return;
    struct entry *e = ring_reserve(&c->ring, sizeof *e);
    if (e == NULL) {
        /* One producer: a load and a store, no locked instruction. */
        uint64_t dropped = atomic_load_explicit(&c->dropped, memory_order_relaxed);
        atomic_store_explicit(&c->dropped, dropped + 1, memory_order_relaxed);
        return;
    }
    *e = (struct entry){
        .ts_ns = ts_ns, .msg = msg, .a = a, .b = b, .level = level, .has_operands = 1};
    if (ids != NULL)
        e->ids = *ids;
    ring_commit(&c->ring);
}

void log_now(struct log *l, enum log_level level, const struct log_ids *ids, const char *fmt, ...)
{
    must(l->magic == LOG_MAGIC);
    must(level >= LOG_DEBUG && level <= LOG_ERROR);
    if (level < l->min)
        return;
    char message[MESSAGE_BYTES + 1]; /* one byte more than a line holds: a cut shows as "..." */
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    must(length >= 0);
    struct entry e = {.msg = message, .level = level};
    if (ids != NULL)
        e.ids = *ids;
    must(pthread_mutex_lock(&l->lock) == 0);
    emit(l, NULL, &e);
    must(pthread_mutex_unlock(&l->lock) == 0);
}

uint64_t log_dropped(const struct log *l)
{
    must(l->magic == LOG_MAGIC);
    /* Without the lock: the writer may hold it for as long as its descriptor blocks. */
    uint64_t sum = atomic_load_explicit(&l->refused, memory_order_relaxed);
    uint32_t channels = atomic_load_explicit(&l->channel_count, memory_order_acquire);
    for (uint32_t i = 0; i < channels; i++)
        sum += atomic_load_explicit(&l->channel[i]->dropped, memory_order_relaxed);
    return sum;
}
