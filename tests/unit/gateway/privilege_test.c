/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: root is given up for good, folders change hands whole, and what cannot be is said.
 * Method: each case in a child process, since a process drops only once; as root only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "gateway/privilege.h"

static const char user[] = "nobody"; /* every Debian has it */

static int child(int (*run)(const char *folder), const char *folder)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(run(folder));
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void make_folder(char out[64])
{
    snprintf(out, 64, "/tmp/privilege-XXXXXX");
    assert_non_null(mkdtemp(out));
    char file[80];
    snprintf(file, sizeof file, "%s/a", out);
    int fd = open(file, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void drop_folder(const char *folder)
{
    char file[80];
    snprintf(file, sizeof file, "%s/a", folder);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(folder), 0);
}

static int give_and_drop(const char *folder)
{
    struct trail tr = {0};
    if (!is_ok(privilege_give(folder, user, &tr)) || !is_ok(privilege_drop(user, folder, &tr)))
        return 1;
    char file[80];
    snprintf(file, sizeof file, "%s/a", folder);
    int fd = open(file, O_WRONLY);
    bool became = fd >= 0 && geteuid() == getpwnam(user)->pw_uid && setuid(0) != 0;
    return became && !privilege_is_root() ? 0 : 2;
}

static void privilege_drop_is_for_good_and_keeps_the_folder(void **state)
{
    (void)state;
    char folder[64];
    if (!privilege_is_root())
        skip(); /* only root has something to give up */
    make_folder(folder);
    assert_int_equal(child(give_and_drop, folder), 0);
    drop_folder(folder);
}

static int drop_without_giving(const char *folder)
{
    struct trail tr = {0};
    struct result r = privilege_drop(user, folder, &tr);
    return r.code == RESULT_NOT_PERMITTED && strstr(trail_sentence(&tr, r), folder) ? 0 : 1;
}

static void privilege_drop_refuses_a_folder_out_of_reach(void **state)
{
    (void)state;
    char folder[64];
    if (!privilege_is_root())
        skip();
    make_folder(folder);
    assert_int_equal(child(drop_without_giving, folder), 0);
    drop_folder(folder);
}

static void privilege_can_read_asks_as_the_user(void **state)
{
    (void)state;
    char folder[64];
    if (!privilege_is_root())
        skip();
    make_folder(folder); /* 0700, root's */
    const char *const both[] = {"/usr", folder};
    assert_true(privilege_can_read(user, both, 1));
    assert_false(privilege_can_read(user, both, 2));
    assert_true(privilege_is_root()); /* only a child changed */
    drop_folder(folder);
}

static void privilege_unknown_user_is_a_sentence(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct result r = privilege_user("no-such-user-here", &tr);
    assert_int_equal(r.code, RESULT_NOT_FOUND);
    assert_non_null(strstr(trail_sentence(&tr, r), "tools/setup"));
    assert_int_equal(privilege_give("/", "no-such-user-here", &tr).code, RESULT_NOT_FOUND);
    assert_int_equal(privilege_drop("no-such-user-here", NULL, &tr).code, RESULT_NOT_FOUND);
}

static void privilege_give_names_what_is_not_there(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct result r = privilege_give("/tmp/privilege-not-there", user, &tr);
    assert_int_equal(r.code, RESULT_IO);
    assert_non_null(strstr(trail_sentence(&tr, r), "/tmp/privilege-not-there"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(privilege_drop_is_for_good_and_keeps_the_folder),
        cmocka_unit_test(privilege_drop_refuses_a_folder_out_of_reach),
        cmocka_unit_test(privilege_can_read_asks_as_the_user),
        cmocka_unit_test(privilege_unknown_user_is_a_sentence),
        cmocka_unit_test(privilege_give_names_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
