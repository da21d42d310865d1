/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle: bytes are copied and ended, a name loses its folder and is cut, freeing nothing is fine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/bundle.h"

static void test_copies_and_ends_what_it_is_given(void **state)
{
    (void)state;
    struct bundle *b = bundle_new();
    char text[] = {'a', 0, 'b'};
    bundle_set(&b->file, "some/folder/paper.yaml", text, sizeof text);
    text[0] = 'x';
    assert_string_equal(b->file.name, "paper.yaml");
    assert_int_equal(b->file.count, 3);
    assert_memory_equal(b->file.bytes, "a\0b\0", 4);

    b->signature_count = 2;
    bundle_set(&b->signature[0], "plain", NULL, 0);
    assert_string_equal(b->signature[0].name, "plain");
    assert_string_equal(b->signature[0].bytes, "");
    bundle_free(b); /* a signature that was never set is freed too */
}

static void test_a_long_name_is_cut(void **state)
{
    (void)state;
    struct bundle *b = bundle_new();
    char name[2 * BUNDLE_NAME_BYTES];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    bundle_set(&b->file, name, "", 0);
    assert_int_equal(strlen(b->file.name), BUNDLE_NAME_BYTES - 1);
    bundle_free(b);
    bundle_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_and_ends_what_it_is_given),
        cmocka_unit_test(test_a_long_name_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
