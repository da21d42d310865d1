/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a broken rule prints one line that names it, runs the hook once, and aborts.
 * Method: break rules in child processes and read what they print.
 */
#include "tests/unit/base/dies.h"
#include "base/must.h"

static void break_rule(void *arg)
{
    int value = *(int *)arg;
    must(value == 4 + 1);
}

static void print_hook(void *arg, const char *expr, const char *file, int line)
{
    dprintf(STDERR_FILENO, "hook %s %s %d %d\n", (const char *)arg, expr, strstr(file, "x.c") != 0,
            line);
}

static void break_with_hook(void *arg)
{
    must_set_hook(print_hook, arg);
    must_fail("a == b", "dir/x.c", 2147483647);
}

static void break_again_hook(void *arg, const char *expr, const char *file, int line)
{
    (void)arg;
    (void)expr;
    must_fail("inside the hook", file, line + 1);
}

static void break_in_hook(void *arg)
{
    must_set_hook(break_again_hook, arg);
    must_fail("first", "dir/x.c", 10);
}

static void break_with_long_expression(void *arg)
{
    must_fail(arg, "dir/x.c", 0);
}

static void break_with_closed_stderr(void *arg)
{
    close(STDERR_FILENO);
    must_set_hook(NULL, arg);
    must_fail("nobody hears", "x.c", 1);
}

static int count_lines(const char *text)
{
    int lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void must_true_continues(void **state)
{
    (void)state;
    int evaluated = 0;
    must(++evaluated == 1);
    assert_int_equal(evaluated, 1);
}

static void must_in_an_if_without_braces_binds_the_else_rightly(void **state)
{
    (void)state;
    int other = 0;
    if (other == 1)
        must(other == 1);
    else
        other = 7;
    assert_int_equal(other, 7);
}

static void must_false_prints_one_line_and_aborts(void **state)
{
    (void)state;
    int value = 6;
    char err[DIES_TEXT_BYTES];
    assert_int_equal(dies_run(break_rule, &value, err), SIGABRT);
    assert_non_null(strstr(err, "must(value == 4 + 1) at "));
    assert_non_null(strstr(err, "must_test.c:"));
    assert_int_equal(count_lines(err), 1);
    value = 5;
    assert_int_equal(dies_run(break_rule, &value, err), 0);
    assert_string_equal(err, "");
}

static void must_hook_set_runs_once_after_the_line(void **state)
{
    (void)state;
    char err[DIES_TEXT_BYTES];
    char arg[] = "seq 42";
    assert_int_equal(dies_run(break_with_hook, arg, err), SIGABRT);
    assert_non_null(strstr(err, "must(a == b) at dir/x.c:2147483647;"));
    assert_non_null(strstr(err, "\nhook seq 42 a == b 1 2147483647\n"));
    assert_int_equal(count_lines(err), 2);
}

static void must_broken_inside_the_hook_aborts_without_a_loop(void **state)
{
    (void)state;
    char err[DIES_TEXT_BYTES];
    assert_int_equal(dies_run(break_in_hook, NULL, err), SIGABRT);
    assert_non_null(strstr(err, "must(first) at dir/x.c:10;"));
    assert_non_null(strstr(err, "must(inside the hook) at dir/x.c:11;"));
    assert_int_equal(count_lines(err), 2);
}

static void must_long_expression_is_cut_to_one_line(void **state)
{
    (void)state;
    char err[DIES_TEXT_BYTES];
    char expr[1000];
    memset(expr, 'e', sizeof expr - 1);
    expr[sizeof expr - 1] = '\0';
    assert_int_equal(dies_run(break_with_long_expression, expr, err), SIGABRT);
    assert_int_equal(strlen(err), 512);
    assert_int_equal(err[511], '\n');
    char zero[] = "z";
    assert_int_equal(dies_run(break_with_long_expression, zero, err), SIGABRT);
    assert_non_null(strstr(err, "must(z) at dir/x.c:0;"));
}

static void must_with_closed_stderr_still_aborts(void **state)
{
    (void)state;
    char err[DIES_TEXT_BYTES];
    assert_int_equal(dies_run(break_with_closed_stderr, NULL, err), SIGABRT);
    assert_string_equal(err, "");
}

static void must_slow_is_on_only_when_asked_for(void **state)
{
    (void)state;
    int evaluated = 0;
    must_slow(++evaluated > 0);
#ifdef TENON_SLOW_CHECKS
    assert_int_equal(evaluated, 1);
#else
    assert_int_equal(evaluated, 0);
#endif
}

static sigjmp_buf after_abort;

static void leave_abort(int signal_no)
{
    siglongjmp(after_abort, signal_no);
}

struct seen {
    int times;
    int line;
    const char *expr;
    const char *file;
};

static void see_hook(void *arg, const char *expr, const char *file, int line)
{
    struct seen *s = arg;
    s->times++;
    s->line = line;
    s->expr = expr;
    s->file = file;
}

/* In this process, by jumping out of abort(). Last of all: the hook never runs again after it. */
static void must_hook_gets_what_broke_and_where(void **state)
{
    (void)state;
    static struct seen seen;
    int err[2], saved = dup(STDERR_FILENO);
    char text[DIES_TEXT_BYTES] = "";
    assert_int_equal(pipe(err), 0);
    dup2(err[1], STDERR_FILENO);
    must_set_hook(see_hook, &seen);
    void (*before)(int) = signal(SIGABRT, leave_abort);
    for (volatile int round = 0; round < 2; round++)
        if (sigsetjmp(after_abort, 1) == 0)
            must_fail("a < b", "dir/x.c", 120 + round);
    signal(SIGABRT, before);
    must_set_hook(NULL, NULL);
    dup2(saved, STDERR_FILENO);
    assert_true(read(err[0], text, sizeof text - 1) > 0);
    close(err[0]);
    close(err[1]);
    close(saved);
    assert_int_equal(seen.times, 1);
    assert_int_equal(seen.line, 120);
    assert_string_equal(seen.expr, "a < b");
    assert_string_equal(seen.file, "dir/x.c");
    assert_non_null(strstr(text, "must(a < b) at dir/x.c:120;"));
    assert_non_null(strstr(text, "must(a < b) at dir/x.c:121;"));
    assert_int_equal(count_lines(text), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(must_true_continues),
        cmocka_unit_test(must_in_an_if_without_braces_binds_the_else_rightly),
        cmocka_unit_test(must_false_prints_one_line_and_aborts),
        cmocka_unit_test(must_hook_set_runs_once_after_the_line),
        cmocka_unit_test(must_broken_inside_the_hook_aborts_without_a_loop),
        cmocka_unit_test(must_long_expression_is_cut_to_one_line),
        cmocka_unit_test(must_with_closed_stderr_still_aborts),
        cmocka_unit_test(must_slow_is_on_only_when_asked_for),
        cmocka_unit_test(must_hook_gets_what_broke_and_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
