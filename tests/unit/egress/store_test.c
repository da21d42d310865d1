/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the witness's memory outlives its process, belongs to one process, and has all its blocks.
 * Method: opened, written, closed and opened again; a second holder; a process that is killed after
 * its stores; files of another size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "egress/store.h"

enum { BYTES = 64 * 1024 };
static char dir[64], folder[96], witness[128];

static struct store *open_store(size_t bytes, int32_t code)
{
    struct trail tr = {0};
    struct store *s = NULL;
    struct result r = store_open(folder, bytes, &s, &tr);
    assert_int_equal(r.code, code);
    if (!is_ok(r))
        assert_null(s);
    return s;
}

static void store_keeps_what_was_stored(void **state)
{
    (void)state;
    struct stat st;
    struct store *s = open_store(BYTES, RESULT_OK);
    char *w = store_witness(s);
    for (int i = 0; i < BYTES; i++)
        assert_int_equal(w[i], 0);
    w[0] = 'a';
    w[BYTES - 1] = 'z';
    store_sync_soon(s);
    store_close(s);
    s = open_store(BYTES, RESULT_OK);
    w = store_witness(s);
    assert_int_equal(w[0], 'a');
    assert_int_equal(w[BYTES - 1], 'z');
    assert_int_equal(store_failures(s), 0);
    assert_int_equal(stat(witness, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(st.st_blocks * 512 >= BYTES); /* no hole that a full disk could refuse to fill */
    store_close(s);
}

static void store_belongs_to_one(void **state)
{
    (void)state;
    struct store *s = open_store(BYTES, RESULT_OK);
    (void)open_store(BYTES, RESULT_BUSY);
    store_close(s);
    store_close(open_store(BYTES, RESULT_OK));
    store_close(NULL);
}

static void store_outlives_a_killed_process(void **state)
{
    (void)state;
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct trail tr = {0};
        struct store *s = NULL;
        if (!is_ok(store_open(folder, BYTES, &s, &tr)))
            _exit(1);
        strcpy((char *)store_witness(s) + 100, "last word");
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct store *s = open_store(BYTES, RESULT_OK);
    assert_string_equal((char *)store_witness(s) + 100, "last word");
    store_close(s);
}

static void store_of_another_size_is_refused_and_left_alone(void **state)
{
    (void)state;
    struct stat st;
    store_close(open_store(BYTES, RESULT_OK));
    (void)open_store(2 * BYTES, RESULT_VERSION);
    assert_int_equal(stat(witness, &st), 0);
    assert_int_equal(st.st_size, BYTES);
}

static void store_folder_that_cannot_be_is_named(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct store *s = NULL;
    struct result r = store_open("/proc/no/such", BYTES, &s, &tr);
    assert_int_equal(r.code, RESULT_IO);
    assert_non_null(strstr(trail_sentence(&tr, r), "/proc/no"));
}

static void store_boot_is_the_same_within_a_boot(void **state)
{
    (void)state;
    struct trail tr = {0};
    uint64_t a = 0, b = 0;
    assert_true(is_ok(store_boot(&a, &tr)));
    assert_true(is_ok(store_boot(&b, &tr)));
    assert_true(a == b && a != 0);
}

static int before(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/tenon-store-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(folder, sizeof folder, "%s/a/b", dir);
    snprintf(witness, sizeof witness, "%s/witness", folder);
    return 0;
}

static int after(void **state)
{
    char path[160];
    (void)state;
    unlink(witness);
    snprintf(path, sizeof path, "%s/egress.lock", folder);
    unlink(path);
    rmdir(folder);
    snprintf(path, sizeof path, "%s/a", dir);
    rmdir(path);
    return rmdir(dir);
}

#define T(name) cmocka_unit_test_setup_teardown(name, before, after)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(store_keeps_what_was_stored),          T(store_belongs_to_one),
        T(store_outlives_a_killed_process),      T(store_of_another_size_is_refused_and_left_alone),
        T(store_folder_that_cannot_be_is_named), T(store_boot_is_the_same_within_a_boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
