/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: lines are exact, whole and valid whatever the text; a full channel or a refusing
 * descriptor drops, counts and tells, and never blocks or stops a producer.
 * Method: files in memory and pipes that are full on purpose; log_close drains, so what was put is
 * there to read afterwards. Nothing waits for the writer by time.
 */
#include "tests/unit/base/dies.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "base/clock.h"
#include "base/log.h"

#define T_NS INT64_C(1514862245678901234)
#define T_TEXT "2018-01-02T03:04:05.678901234Z"

static int open_file(void)
{
    int fd = memfd_create("log_test", 0);
    assert_true(fd >= 0);
    return fd;
}

/* Everything in the file, as one string to be freed; closes it. */
static char *read_file(int fd)
{
    off_t bytes = lseek(fd, 0, SEEK_END);
    assert_true(bytes >= 0);
    char *text = calloc(1, (size_t)bytes + 1);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)bytes, 0), bytes);
    close(fd);
    return text;
}

static struct log *open_log(int fd, enum log_form form, enum log_level min)
{
    struct log *l = NULL;
    assert_true(is_ok(log_open(&l, fd, form, min)));
    return l;
}

static struct log_channel *open_channel(struct log *l, const char *name)
{
    struct log_channel *c = NULL;
    assert_true(is_ok(log_channel_open(l, name, &c)));
    return c;
}

static const struct log_ids all_ids = {
    .seq = 7, .cause_seq = 6, .intent = UINT64_MAX, .serial = 3, .plugin_hash = 0x00c0ffee00000001};

static void log_json_lines_are_exact(void **state)
{
    (void)state;
    int fd = open_file();
    struct log *l = open_log(fd, LOG_JSON, LOG_DEBUG);
    struct log_channel *c = open_channel(l, "core");
    const struct log_ids some = {.seq = 9};
    log_put(c, LOG_INFO, T_NS, &all_ids, "order sent", -1, INT64_MAX);
    log_put(c, LOG_DEBUG, T_NS + 1, &some, "tick", 0, 0);
    log_put(c, LOG_ERROR, T_NS, NULL, "no ids", INT64_MIN, 2);
    log_close(l);
    char *text = read_file(fd);
    assert_string_equal(
        text, "{\"ts\":\"" T_TEXT "\",\"level\":\"info\",\"msg\":\"order sent\",\"from\":\"core\","
              "\"a\":-1,\"b\":9223372036854775807,\"seq\":7,\"cause_seq\":6,"
              "\"intent\":18446744073709551615,\"serial\":3,\"plugin\":\"00c0ffee00000001\"}\n"
              "{\"ts\":\"2018-01-02T03:04:05.678901235Z\",\"level\":\"debug\",\"msg\":\"tick\","
              "\"from\":\"core\",\"a\":0,\"b\":0,\"seq\":9}\n"
              "{\"ts\":\"" T_TEXT "\",\"level\":\"error\",\"msg\":\"no ids\",\"from\":\"core\","
              "\"a\":-9223372036854775808,\"b\":2}\n");
    free(text);
}

static void log_words_lines_are_exact(void **state)
{
    (void)state;
    int fd = open_file();
    struct log *l = open_log(fd, LOG_WORDS, LOG_DEBUG);
    struct log_channel *c = open_channel(l, "core");
    log_put(c, LOG_WARN, T_NS, &all_ids, "order sent", 1, -2);
    log_put(c, LOG_ERROR, T_NS, NULL, "no ids", 3, 4);
    log_close(l);
    char *text = read_file(fd);
    assert_string_equal(text, T_TEXT
                        " warn  core: order sent 1 -2 seq=7 cause_seq=6"
                        " intent=18446744073709551615 serial=3 plugin=00c0ffee00000001\n" T_TEXT
                        " error core: no ids 3 4\n");
    free(text);
}

static void log_now_stamps_and_formats_at_once(void **state)
{
    (void)state;
    int fd = open_file();
    struct log *l = open_log(fd, LOG_JSON, LOG_DEBUG);
    int64_t before = clock_wall(&clock_system), ns = 0;
    log_now(l, LOG_INFO, &all_ids, "started %s in %d ms", "host", 12);
    off_t bytes = lseek(fd, 0, SEEK_END);
    assert_true(bytes > 0); /* before log_close: nothing waits for the writer */
    log_now(l, LOG_INFO, NULL, "ready");
    log_close(l);
    char *text = read_file(fd);
    assert_true(is_ok(clock_parse(text + strlen("{\"ts\":\""), 30, &ns)));
    assert_true(ns >= before && ns <= clock_wall(&clock_system));
    assert_non_null(
        strstr(text, "\"level\":\"info\",\"msg\":\"started host in 12 ms\",\"seq\":7,"));
    assert_non_null(strstr(text, "\"msg\":\"ready\"}\n"));
    free(text);
}

static void log_put_without_time_takes_the_writers_clock(void **state)
{
    (void)state;
    int fd = open_file();
    struct log *l = open_log(fd, LOG_WORDS, LOG_DEBUG);
    int64_t before = clock_wall(&clock_system), ns = 0;
    log_put(open_channel(l, "x"), LOG_INFO, 0, NULL, "now", 1, 2);
    log_close(l);
    char *text = read_file(fd);
    assert_true(is_ok(clock_parse(text, 30, &ns)));
    assert_true(ns >= before && ns <= clock_wall(&clock_system));
    free(text);
}

static void log_below_the_level_is_silent(void **state)
{
    (void)state;
    int fd = open_file();
    struct log *l = open_log(fd, LOG_WORDS, LOG_WARN);
    struct log_channel *c = open_channel(l, "x");
    log_put(c, LOG_INFO, T_NS, NULL, "quiet", 0, 0);
    log_now(l, LOG_DEBUG, NULL, "quiet");
    log_put(c, LOG_WARN, T_NS, NULL, "loud", 0, 0);
    assert_int_equal(log_dropped(l), 0);
    log_close(l);
    char *text = read_file(fd);
    assert_string_equal(text, T_TEXT " warn  x: loud 0 0\n");
    free(text);
}

static void log_hostile_text_stays_one_valid_line(void **state)
{
    (void)state;
    const char *hostile = "a\"b\\c\nd\te\x1b[2J\x7f\xff %s %n";
    int fd = open_file();
    struct log *l = open_log(fd, LOG_JSON, LOG_DEBUG);
    log_put(open_channel(l, "x"), LOG_INFO, T_NS, NULL, hostile, 0, 0);
    log_close(l);
    char *text = read_file(fd);
    assert_non_null(strstr(text, "\"msg\":\"a\\\"b\\\\c\\\\x0ad\\\\x09e\\\\x1b[2J\\\\x7f\\\\xff "
                                 "%s %n\",\"from\":\"x\""));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    free(text);
    fd = open_file();
    l = open_log(fd, LOG_WORDS, LOG_DEBUG);
    log_now(l, LOG_INFO, NULL, "%s", hostile);
    log_close(l);
    text = read_file(fd);
    assert_non_null(strstr(text, " a\"b\\c\\x0ad\\x09e\\x1b[2J\\x7f\\xff %s %n\n"));
    free(text);
}

static void log_long_text_is_cut_visibly(void **state)
{
    (void)state;
    /* the worst case for the line buffer: every character doubles */
    char quotes[5000];
    memset(quotes, '"', sizeof quotes - 1);
    quotes[sizeof quotes - 1] = '\0';
    int fd = open_file();
    struct log *l = open_log(fd, LOG_JSON, LOG_DEBUG);
    log_now(l, LOG_INFO, &all_ids, "%s", quotes);
    log_put(open_channel(l, "a channel with a very long name that is cut"), LOG_INFO, T_NS,
            &all_ids, quotes, INT64_MIN, INT64_MIN);
    log_close(l);
    char *text = read_file(fd);
    char *second = strchr(text, '\n');
    assert_non_null(second);
    assert_non_null(strstr(text, "\\\"\\\"...\",\"seq\":7"));
    assert_non_null(strstr(second, "\\\"\\\"...\",\"from\":\"a channel with a very long n...\""));
    assert_int_equal(text[strlen(text) - 2], '}');
    free(text);
}

static void log_channels_are_limited_to_sixteen(void **state)
{
    (void)state;
    int fd = open_file();
    struct log *l = open_log(fd, LOG_WORDS, LOG_DEBUG);
    struct log_channel *c = NULL;
    for (int i = 0; i < 16; i++) {
        assert_true(is_ok(log_channel_open(l, "x", &c)));
        log_put(c, LOG_INFO, T_NS, NULL, "here", i, 0);
    }
    assert_int_equal(log_channel_open(l, "x", &c).code, RESULT_FULL);
    log_close(l);
    char *text = read_file(fd);
    for (int i = 0; i < 16; i++) {
        char want[32];
        snprintf(want, sizeof want, "x: here %d 0\n", i);
        assert_non_null(strstr(text, want));
    }
    free(text);
}

static void log_writer_wakes_again_and_again_by_itself(void **state)
{
    (void)state;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    struct log *l = open_log(fd[1], LOG_WORDS, LOG_DEBUG);
    struct log_channel *c = open_channel(l, "x");
    for (int round = 0; round < 3; round++) {
        char text[256] = "", want[32];
        struct pollfd wait = {.fd = fd[0], .events = POLLIN};
        log_put(c, LOG_INFO, T_NS, NULL, "round", round, 0);
        assert_int_equal(poll(&wait, 1, 30000), 1); /* only a broken writer needs the bound */
        assert_true(read(fd[0], text, sizeof text - 1) > 0);
        snprintf(want, sizeof want, "x: round %d 0\n", round);
        assert_non_null(strstr(text, want));
    }
    log_close(l);
    close(fd[0]);
    close(fd[1]);
}

struct reader {
    int fd;
    uint64_t lines;
    uint64_t told; /* sum of dropped=N */
    char text[4 << 20];
};

static void *read_pipe(void *arg)
{
    struct reader *r = arg;
    size_t used = 0;
    for (ssize_t got = 1; got > 0; used += (size_t)(got > 0 ? got : 0))
        got = read(r->fd, r->text + used, sizeof r->text - 1 - used);
    r->text[used] = '\0';
    for (const char *at = r->text; (at = strchr(at, '\n')) != NULL; at++)
        r->lines++;
    for (const char *at = r->text; (at = strstr(at, " dropped=")) != NULL; at++)
        r->told += strtoull(at + strlen(" dropped="), NULL, 10);
    return NULL;
}

static void log_full_channel_drops_counts_and_tells(void **state)
{
    (void)state;
    enum { PUTS = 5000 };
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    /* a full pipe holds the writer at its first line, so the channel must run full */
    assert_int_equal(fcntl(fd[1], F_SETFL, O_NONBLOCK), 0);
    char junk[4096];
    memset(junk, 'j', sizeof junk);
    size_t filled = 0;
    for (ssize_t put; (put = write(fd[1], junk, sizeof junk)) > 0;)
        filled += (size_t)put;
    assert_int_equal(fcntl(fd[1], F_SETFL, 0), 0);
    struct log *l = open_log(fd[1], LOG_WORDS, LOG_DEBUG);
    struct log_channel *c = open_channel(l, "x");
    for (int i = 0; i < PUTS; i++)
        log_put(c, LOG_INFO, T_NS, NULL, "put", i, 0);
    uint64_t dropped = log_dropped(l);
    assert_true(dropped > 1000 && dropped < PUTS);
    struct reader *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->fd = fd[0];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_pipe, r), 0);
    log_close(l);
    close(fd[1]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(fd[0]);
    assert_true(strlen(r->text) > filled);
    assert_int_equal(r->told, dropped);
    assert_int_equal(r->lines + dropped, PUTS);
    assert_non_null(strstr(r->text, "x: put 0 0"));
    free(r);
}

static void log_refusing_descriptor_is_counted_and_told_later(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    struct log *l = open_log(fd, LOG_WORDS, LOG_DEBUG);
    for (int i = 0; i < 3; i++)
        log_now(l, LOG_INFO, NULL, "lost %d", i);
    assert_int_equal(log_dropped(l), 3);
    int good = open_file();
    assert_int_equal(dup2(good, fd), fd);
    log_now(l, LOG_INFO, NULL, "kept");
    log_now(l, LOG_INFO, NULL, "kept too");
    assert_int_equal(log_dropped(l), 3);
    log_close(l);
    close(fd);
    char *text = read_file(good);
    assert_non_null(strstr(text, " info  kept dropped=3\n"));
    assert_non_null(strstr(text, " info  kept too\n"));
    assert_null(strstr(text, "lost"));
    free(text);
}

static void log_torn_line_does_not_swallow_the_next(void **state)
{
    (void)state;
    int fd = open_file();
    struct log *l = open_log(fd, LOG_WORDS, LOG_DEBUG);
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = before;
    tight.rlim_cur = 20;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    log_now(l, LOG_INFO, NULL, "the first line is cut");
    log_now(l, LOG_INFO, NULL, "the second finds no room at all");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    log_now(l, LOG_INFO, NULL, "whole");
    log_now(l, LOG_INFO, NULL, "next");
    assert_int_equal(log_dropped(l), 2);
    log_close(l);
    char *text = read_file(fd);
    assert_int_equal(text[20], '\n');
    assert_null(strstr(text, "first"));
    const char *line = text + 21;
    assert_memory_equal(line, "20", 2);
    assert_non_null(strstr(line, " info  whole dropped=2\n20"));
    assert_non_null(strstr(line, " info  next\n"));
    free(text);
}

enum { THREAD_PUTS = 20000 };

static void *put_many(void *arg)
{
    for (int i = 0; i < THREAD_PUTS; i++)
        log_put(arg, LOG_INFO, T_NS, NULL, "many", i, i);
    return NULL;
}

static void log_threads_together_lose_nothing_unseen(void **state)
{
    (void)state;
    enum { COLD = 500 };
    int fd = open_file();
    struct log *l = open_log(fd, LOG_WORDS, LOG_DEBUG);
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            pthread_create(&thread[i], NULL, put_many, open_channel(l, i == 0 ? "one" : "two")), 0);
    for (int i = 0; i < COLD; i++)
        log_now(l, LOG_INFO, NULL, "cold %d", i);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    uint64_t dropped = log_dropped(l);
    log_close(l);
    char *text = read_file(fd);
    uint64_t lines = 0, told = 0;
    int last[2] = {-1, -1};
    for (char *at = strtok(text, "\n"); at != NULL; at = strtok(NULL, "\n"), lines++) {
        int a = 0, b = 0;
        char name[8] = "";
        const char *drops = strstr(at, " dropped=");
        told += drops == NULL ? 0 : strtoull(drops + strlen(" dropped="), NULL, 10);
        if (sscanf(at, "%*s info %3[a-z]: many %d %d", name, &a, &b) == 3) {
            int who = strcmp(name, "two") == 0;
            assert_int_equal(a, b);
            assert_true(a > last[who]);
            last[who] = a;
        } else {
            assert_non_null(strstr(at, " info  cold "));
        }
    }
    assert_int_equal(told, dropped);
    assert_int_equal(lines + dropped, 2 * THREAD_PUTS + COLD);
    free(text);
}

static void put_unset_level(void *arg)
{
    log_put(arg, LOG_LEVEL_UNSET, T_NS, NULL, "x", 0, 0);
}
static void open_quoted_name(void *arg)
{
    struct log_channel *c;
    dies_unseen(log_channel_open(arg, "a\"b", &c));
}
static void open_without_form(void *arg)
{
    dies_unseen(log_open(arg, 1, LOG_FORM_UNSET, LOG_INFO));
}

static void log_misuse_stops_the_process(void **state)
{
    (void)state;
    int fd = open_file();
    struct log *l = open_log(fd, LOG_WORDS, LOG_DEBUG), *other = NULL;
    struct log_channel *c = open_channel(l, "x");
    assert_dies(put_unset_level, c, "level >= LOG_DEBUG");
    assert_dies(open_without_form, &other, "form == LOG_WORDS");
    log_now(l, LOG_INFO, NULL, "still here");
    /* the lock is free when no other thread holds it at the fork, which nobody else does here */
    assert_dies(open_quoted_name, l, "strpbrk");
    log_close(l);
    close(fd);
}

/* Bytes of data of this process, as the limit counts them. */
static uint64_t data_bytes(void)
{
    unsigned long size, resident, shared, text, lib, data;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(
        fscanf(f, "%lu %lu %lu %lu %lu %lu", &size, &resident, &shared, &text, &lib, &data), 6);
    fclose(f);
    return (uint64_t)data * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void log_open_without_a_thread_is_a_result(void **state)
{
    (void)state;
    struct log *l = NULL;
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
    tight = before;
    tight.rlim_cur = data_bytes() + 65536; /* less than the writer's stack */
    assert_int_equal(setrlimit(RLIMIT_DATA, &tight), 0);
    int32_t code = log_open(&l, 1, LOG_WORDS, LOG_INFO).code;
    assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
    assert_int_equal(code, RESULT_IO);
    assert_null(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* first: later a stack of an ended thread might be used again */
        cmocka_unit_test(log_open_without_a_thread_is_a_result),
        cmocka_unit_test(log_json_lines_are_exact),
        cmocka_unit_test(log_words_lines_are_exact),
        cmocka_unit_test(log_now_stamps_and_formats_at_once),
        cmocka_unit_test(log_put_without_time_takes_the_writers_clock),
        cmocka_unit_test(log_below_the_level_is_silent),
        cmocka_unit_test(log_hostile_text_stays_one_valid_line),
        cmocka_unit_test(log_long_text_is_cut_visibly),
        cmocka_unit_test(log_channels_are_limited_to_sixteen),
        cmocka_unit_test(log_writer_wakes_again_and_again_by_itself),
        cmocka_unit_test(log_full_channel_drops_counts_and_tells),
        cmocka_unit_test(log_refusing_descriptor_is_counted_and_told_later),
        cmocka_unit_test(log_torn_line_does_not_swallow_the_next),
        cmocka_unit_test(log_threads_together_lose_nothing_unseen),
        cmocka_unit_test(log_misuse_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
