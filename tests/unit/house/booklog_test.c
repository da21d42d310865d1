/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the ledger file gives back what was synced, cuts what is torn, refuses what was altered.
 * Method: one ledger is written, then cut at every byte, and changed at every byte; each copy is
 * opened again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "house/booklog.h"

enum { LINES = 12, FILE_MAX = 4096 };
static char folder[64], path[96];
static char file[FILE_MAX];
static size_t file_count;

struct seen {
    uint64_t count;
    char last[BOOKLOG_LINE_MAX + 1];
};

static struct result on_line(void *arg, uint64_t number, char *text, struct trail *tr)
{
    (void)tr;
    struct seen *s = arg;
    assert_int_equal(number, ++s->count);
    strcpy(s->last, text);
    return OK_RESULT;
}

static void line_of(uint32_t i, char out[64])
{
    snprintf(out, 64, "fill t=%u order=%u qty=-%u", i * 977, i, i * i);
}

static void put_file(const char *bytes, size_t count)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, count, f), count);
    fclose(f);
}

static struct result open_it(struct booklog **b, struct seen *s, uint64_t *cut, struct trail *tr)
{
    memset(s, 0, sizeof *s);
    memset(tr, 0, sizeof *tr);
    const struct booklog_reader reader = {s, on_line};
    return booklog_open(path, &reader, b, cut, tr);
}

static int begin(void **state)
{
    (void)state;
    struct booklog *b = NULL;
    struct seen s;
    struct trail tr;
    uint64_t cut;
    snprintf(folder, sizeof folder, "/tmp/booklog-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ledger", folder);
    assert_true(is_ok(open_it(&b, &s, &cut, &tr)));
    for (uint32_t i = 1; i <= LINES; i++) {
        char text[64];
        line_of(i, text);
        booklog_put(b, text, strlen(text));
        if (i % 3 == 0)
            assert_true(is_ok(booklog_sync(b, &tr)));
    }
    assert_int_equal(booklog_syncs(b), LINES / 3);
    assert_int_equal(booklog_lines(b), LINES);
    booklog_close(b);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    file_count = fread(file, 1, sizeof file, f);
    fclose(f);
    assert_true(file_count > 0 && file_count < FILE_MAX);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    rmdir(folder);
    return 0;
}

static void booklog_reopened_gives_every_line_and_goes_on(void **state)
{
    (void)state;
    struct booklog *b = NULL;
    struct seen s;
    struct trail tr;
    uint64_t cut;
    char text[64];
    put_file(file, file_count);
    assert_true(is_ok(open_it(&b, &s, &cut, &tr)));
    line_of(LINES, text);
    assert_int_equal(s.count, LINES);
    assert_string_equal(s.last, text);
    assert_int_equal(cut, 0);
    booklog_put(b, "more", 4);
    booklog_close(b);
    assert_true(is_ok(open_it(&b, &s, &cut, &tr)));
    assert_int_equal(s.count, LINES + 1);
    assert_string_equal(s.last, "more");
    struct booklog *second = NULL;
    struct seen s2;
    assert_int_equal(open_it(&second, &s2, &cut, &tr).code, RESULT_BUSY);
    memset(&s2, 0, sizeof s2);
    const struct booklog_reader reader = {&s2, on_line};
    assert_true(is_ok(booklog_read(path, &reader, &cut, &tr)));
    assert_int_equal(s2.count, LINES + 1);
    booklog_close(b);
}

static uint64_t lines_within(size_t count)
{
    uint64_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += file[i] == '\n';
    return n;
}

static void booklog_torn_anywhere_is_cut_to_the_last_whole_line(void **state)
{
    (void)state;
    for (size_t count = 0; count < file_count; count++) {
        struct booklog *b = NULL;
        struct seen s;
        struct trail tr;
        uint64_t cut;
        put_file(file, count);
        struct result r = open_it(&b, &s, &cut, &tr);
        assert_true(is_ok(r));
        assert_int_equal(s.count, lines_within(count));
        booklog_put(b, "after", 5);
        booklog_close(b);
        assert_true(is_ok(open_it(&b, &s, &cut, &tr)));
        assert_int_equal(s.count, lines_within(count) + 1);
        assert_int_equal(cut, 0);
        booklog_close(b);
    }
}

/* In the last line, or of the newline before it, a change is a torn end; before that, and in the
 * last line's own chain while its text is intact, it is somebody's hand. */
static void booklog_altered_anywhere_is_refused(void **state)
{
    (void)state;
    size_t last = file_count - 1;
    while (file[last - 1] != '\n')
        last--;
    for (size_t i = 0; i < file_count; i++) {
        struct booklog *b = NULL;
        struct seen s;
        struct trail tr;
        uint64_t cut;
        char copy[FILE_MAX];
        memcpy(copy, file, file_count);
        copy[i] ^= 1;
        put_file(copy, file_count);
        struct result r = open_it(&b, &s, &cut, &tr);
        bool is_chain = i < file_count - 1 && i >= file_count - 17;
        if (i + 1 >= last && !is_chain) {
            assert_true(is_ok(r));
            assert_int_equal(s.count, i >= last ? LINES - 1 : LINES - 2);
            booklog_close(b);
        } else {
            assert_int_equal(r.code, RESULT_CORRUPT);
            assert_null(b);
            assert_non_null(strstr(trail_sentence(&tr, r), "was altered"));
        }
    }
}

static void booklog_line_taken_out_is_refused(void **state)
{
    (void)state;
    char *second = memchr(file, '\n', file_count);
    assert_non_null(second);
    char *third = strchr(second + 1, '\n');
    char copy[FILE_MAX];
    size_t head = (size_t)(second + 1 - file), tail = file_count - (size_t)(third + 1 - file);
    memcpy(copy, file, head);
    memcpy(copy + head, third + 1, tail);
    put_file(copy, head + tail);
    struct booklog *b = NULL;
    struct seen s;
    struct trail tr;
    uint64_t cut;
    assert_int_equal(open_it(&b, &s, &cut, &tr).code, RESULT_CORRUPT);
    assert_int_equal(s.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booklog_reopened_gives_every_line_and_goes_on),
        cmocka_unit_test(booklog_torn_anywhere_is_cut_to_the_last_whole_line),
        cmocka_unit_test(booklog_altered_anywhere_is_refused),
        cmocka_unit_test(booklog_line_taken_out_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
