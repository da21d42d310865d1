/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens when a rule of ours is broken: one line to standard error, the hook, abort().
 *
 * The line is put together by hand and written with one write(2): the heap, stdio or a lock may be
 * the very thing that is broken. The hook runs at most once per process; if the hook itself breaks
 * a rule, or a second thread does while it runs, that one prints its line and aborts at once.
 *
 * The hook is the one mutable global of base/. It is set at boot, before other threads start: an
 * argument cannot carry it, since must() stands in functions that know nothing of the program.
 */
#include "base/must.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static must_hook_fn hook;
static void *hook_arg;
static atomic_flag failed = ATOMIC_FLAG_INIT;

void must_set_hook(must_hook_fn fn, void *arg)
{
    hook = fn;
    hook_arg = arg;
}

struct line {
    size_t count;
    char text[512];
};

/* Leaves one byte for the newline. */
static void add(struct line *l, const char *text)
{
    while (*text != '\0' && l->count < sizeof l->text - 1)
        l->text[l->count++] = *text++;
}

static void add_number(struct line *l, int number)
{
    char digits[12] = "";
    size_t at = sizeof digits - 1;
    unsigned rest = number > 0 ? (unsigned)number : 0;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    add(l, digits + at);
}

void must_fail(const char *expr, const char *file, int line)
{
    struct line l = {0};
    add(&l, "tenon: a rule of the program is broken: must(");
    add(&l, expr);
    add(&l, ") at ");
    add(&l, file);
    add(&l, ":");
    add_number(&l, line);
    add(&l, "; the process stops here, report this line with the log");
    l.text[l.count++] = '\n';
    /* Nothing is left to do when standard error is closed. */
    ssize_t written = write(STDERR_FILENO, l.text, l.count);
    (void)written;
    if (!atomic_flag_test_and_set(&failed) && hook != NULL)
        hook(hook_arg, expr, file, line);
    abort();
}
