/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the host takes its own line of /etc/subuid, and never half of one or somebody else's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/uids.h"

static struct uids parsed(const char *text)
{
    struct uids u = {7, 7};
    bool found = uids_parse(text, strlen(text), "tenon", &u);
    assert_int_equal(found, u.count != 0);
    return u;
}

static void test_takes_its_own_line(void **state)
{
    (void)state;
    struct uids u = parsed("ana:100000:65536\ntenonx:1:2\ntenon:2000000000:64\ntenon:9999:9\n");
    assert_int_equal(u.first, 2000000000);
    assert_int_equal(u.count, 64);
    u = parsed("tenon:5000:1"); /* a last line without its end */
    assert_int_equal(u.first, 5000);
    assert_int_equal(u.count, 1);
    assert_int_equal(parsed("tenon:100000:65536\n").count, UIDS_MAX);
}

static void test_skips_what_is_no_range(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "tenon",
        "tenon:",
        "tenon::64",
        "tenon:100000",
        "tenon:100000:",
        "tenon:100000:0",
        "tenon:-5:10",
        "tenon:100000:64x",
        "tenon:100000:64:1",
        "tenon:999:10",            /* ids of people and services */
        "tenon:0:10",              /* root */
        "tenon:4294967290:10",     /* past the last id */
        "tenon:99999999999999:10", /* does not fit */
        "teno:100000:64",
        "xtenon:100000:64",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(parsed(bad[i]).count, 0);
    assert_int_equal(parsed("tenon:0:10\ntenon:6000:10\n").first, 6000);
}

static void test_reads_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/uids-XXXXXX";
    struct uids u;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "tenon:7000:8\n", 13), 13);
    close(fd);
    assert_true(uids_read(path, "tenon", &u));
    assert_int_equal(u.first, 7000);
    unlink(path);
    assert_false(uids_read(path, "tenon", &u));
    assert_int_equal(u.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_its_own_line),
        cmocka_unit_test(test_skips_what_is_no_range),
        cmocka_unit_test(test_reads_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
