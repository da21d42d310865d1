/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the service manager hears each word once, on a path and in the abstract name space, and
 * signs of life only as often as it wants them.
 * Method: a datagram socket of our own in NOTIFY_SOCKET; time is a number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "gateway/notify.h"

static int listen_at(const char *name, bool is_abstract)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    memcpy(at.sun_path, name, n);
    if (is_abstract)
        at.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, bytes), 0);
    return fd;
}

static void assert_word(int fd, const char *want)
{
    char word[64] = "";
    ssize_t n = recv(fd, word, sizeof word - 1, MSG_DONTWAIT);
    if (want == NULL)
        assert_int_equal(n, -1);
    else
        assert_string_equal(word, want);
}

static void notify_words_reach_the_manager(void **state)
{
    (void)state;
    char path[64], abstract[64];
    struct notify n;
    snprintf(path, sizeof path, "/tmp/tenon-notify-%d", (int)getpid());
    snprintf(abstract, sizeof abstract, "@tenon-notify-%d", (int)getpid());
    const char *const name[] = {path, abstract};
    for (int i = 0; i < 2; i++) {
        int fd = listen_at(name[i], i == 1);
        setenv("NOTIFY_SOCKET", name[i], 1);
        notify_open(&n);
        assert_null(getenv("NOTIFY_SOCKET"));
        notify_say(&n, "READY=1");
        assert_word(fd, "READY=1");
        assert_word(fd, NULL);
        close(fd);
        notify_say(&n, "STOPPING=1"); /* nobody hears, nobody waits */
        notify_close(&n);
    }
    unlink(path);
}

static void notify_life_comes_each_half_of_the_time(void **state)
{
    (void)state;
    char name[64], pid[32];
    struct notify n;
    snprintf(name, sizeof name, "@tenon-notify-%d", (int)getpid());
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    int fd = listen_at(name, true);
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "2000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    notify_open(&n);
    assert_int_equal(notify_alive(&n, 5000000), 6000000);
    assert_word(fd, "WATCHDOG=1");
    assert_int_equal(notify_alive(&n, 5999999), 6000000);
    assert_word(fd, NULL);
    assert_int_equal(notify_alive(&n, 6000000), 7000000);
    assert_word(fd, "WATCHDOG=1");
    notify_close(&n);
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "2000", 1);
    setenv("WATCHDOG_PID", "1", 1); /* another process's watchdog */
    notify_open(&n);
    assert_int_equal(notify_alive(&n, 0), INT64_MAX);
    notify_close(&n);
    close(fd);
}

static void notify_without_manager_is_silent(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "relative", "/no/such/socket", "@"};
    struct notify n;
    unsetenv("NOTIFY_SOCKET");
    notify_open(&n);
    assert_int_equal(n.fd, -1);
    notify_say(&n, "READY=1");
    assert_int_equal(notify_alive(&n, 1), INT64_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("NOTIFY_SOCKET", bad[i], 1);
        setenv("WATCHDOG_USEC", "12x", 1);
        notify_open(&n);
        assert_int_equal(n.fd, -1);
        assert_int_equal(n.watchdog_ns, 0);
        notify_close(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notify_words_reach_the_manager),
        cmocka_unit_test(notify_life_comes_each_half_of_the_time),
        cmocka_unit_test(notify_without_manager_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
