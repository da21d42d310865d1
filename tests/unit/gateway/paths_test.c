/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a kill that names the host's socket goes to the egress of that host: beside it, or where
 * the shipped services put it, and from a host elsewhere never to the machine's own.
 * Method: the environment is set by the test; files only in a folder of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "gateway/paths.h"

static char folder[64], own[PATHS_SOCKET_BYTES], door[PATHS_SOCKET_BYTES];

static void expect_door(const char *of, const char *want)
{
    char out[PATHS_SOCKET_BYTES];
    struct trail tr = {0};
    assert_true(is_ok(paths_door_of(of, out, &tr)));
    assert_string_equal(out, want);
}

static void paths_door_of_the_services_host_is_the_services_egress(void **state)
{
    (void)state;
    unsetenv("XDG_RUNTIME_DIR");
    expect_door("/run/tenon/tenon.sock", "/run/tenon-egress/door.sock");
}

static void paths_door_of_a_host_elsewhere_is_beside_it(void **state)
{
    (void)state;
    unsetenv("XDG_RUNTIME_DIR");
    expect_door(own, door);
    expect_door("s.sock", "tenon-door.sock");
    close(open(door, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    expect_door(own, door);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", folder, 1), 0);
    expect_door(own, door);
}

static void paths_door_of_too_long_a_path_is_refused(void **state)
{
    char long_one[200], out[PATHS_SOCKET_BYTES];
    struct trail tr = {0};
    (void)state;
    memset(long_one, 'x', sizeof long_one);
    long_one[sizeof long_one - 1] = '\0';
    assert_int_equal(paths_door_of(long_one, out, &tr).code, RESULT_TOO_LARGE);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/tenon-paths-XXXXXX", P_tmpdir);
    if (!mkdtemp(folder))
        return -1;
    snprintf(own, sizeof own, "%s/tenon.sock", folder);
    snprintf(door, sizeof door, "%s/tenon-door.sock", folder);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    unlink(door);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_door_of_the_services_host_is_the_services_egress),
        cmocka_unit_test(paths_door_of_a_host_elsewhere_is_beside_it),
        cmocka_unit_test(paths_door_of_too_long_a_path_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, drop);
}
