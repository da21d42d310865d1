/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what stands at the path of a socket is only removed when it is a socket and nobody is
 * behind it. Method: each of them in a folder of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "egress/attach.h"

static char folder[] = "/tmp/tenon-listen-XXXXXX", path[64];

static struct result listen_there(int *fd)
{
    struct trail tr = {0};
    return attach_listen(path, SOCK_SEQPACKET, false, fd, &tr);
}

static int stand_there(int kind)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, path);
    int s = socket(AF_UNIX, kind, 0);
    assert_return_code(s, 0);
    assert_int_equal(bind(s, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s, 1), 0);
    return s;
}

static void attach_listen_leaves_a_live_socket_alone(void **state)
{
    (void)state;
    static const int kinds[] = {SOCK_SEQPACKET, SOCK_STREAM};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int fd, live = stand_there(kinds[i]);
        assert_int_equal(listen_there(&fd).code, RESULT_BUSY);
        assert_int_equal(access(path, F_OK), 0);
        close(live);
        assert_int_equal(listen_there(&fd).code, RESULT_OK);
        close(fd);
        unlink(path);
    }
}

static void attach_listen_takes_the_place_of_a_dead_one(void **state)
{
    (void)state;
    int fd;
    close(stand_there(SOCK_SEQPACKET));
    assert_int_equal(listen_there(&fd).code, RESULT_OK);
    close(fd);
    unlink(path);
}

static void attach_listen_removes_no_file(void **state)
{
    (void)state;
    int fd;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(listen_there(&fd).code, RESULT_STATE);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/s.sock", folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attach_listen_leaves_a_live_socket_alone),
        cmocka_unit_test(attach_listen_takes_the_place_of_a_dead_one),
        cmocka_unit_test(attach_listen_removes_no_file),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
