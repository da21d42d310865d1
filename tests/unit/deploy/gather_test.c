/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a file comes with exactly the signatures that are named after it, in the order of their
 * names, each read once and not through a link. Method: real files in a folder of the test's own.
 */
#include "deploy/gather.h"
#include "deploy/sign.h"
#include "tests/unit/deploy/document.h"

static char folder[64];

static void put(const char *name, const char *text, size_t count)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
}

static int empty_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "gather-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int drop_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r -- '%s'", folder);
    return system(command); /* NOLINT: a name of our own making */
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void gather_takes_what_is_named_after_the_file(void **state)
{
    (void)state;
    struct bundle *b;
    struct trail tr = {0};
    static const char *const other[] = {"d.yaml2.minisig", "d.yaml.minisig.bak", "e.yaml.minisig",
                                        "d.yaml..minisig", "xd.yaml.minisig",    "d.yaml.pub"};
    put("d.yaml", "text\n", 5);
    put("d.yaml.eve.minisig", "E", 1);
    put("d.yaml.minisig", "M", 1);
    put("d.yaml.ana.minisig", "A", 1);
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        put(other[i], "x", 1);
    assert_true(is_ok(gather(path_of("d.yaml"), &b, &tr)));
    assert_string_equal(b->file.name, "d.yaml");
    assert_string_equal(b->file.bytes, "text\n");
    assert_int_equal(b->signature_count, 3);
    assert_string_equal(b->signature[0].name, "d.yaml.ana.minisig");
    assert_string_equal(b->signature[1].name, "d.yaml.eve.minisig");
    assert_string_equal(b->signature[2].name, "d.yaml.minisig");
    assert_string_equal(b->signature[2].bytes, "M");
    bundle_free(b);
    assert_true(is_ok(gather_file(path_of("d.yaml"), &b, &tr)));
    assert_int_equal(b->signature_count, 0);
    bundle_free(b);
}

static void gather_finds_signatures_of_a_bare_name(void **state)
{
    (void)state;
    struct bundle *b;
    struct trail tr = {0};
    put("d.yaml", "text\n", 5);
    put("d.yaml.ana.minisig", "A", 1);
    assert_int_equal(chdir(folder), 0);
    struct result r = gather("d.yaml", &b, &tr);
    assert_int_equal(chdir(".."), 0);
    assert_true(is_ok(r));
    assert_int_equal(b->signature_count, 1);
    bundle_free(b);
}

static void refused(const char *name, int32_t code, const char *words)
{
    struct bundle *b;
    struct trail tr = {0};
    struct result r = gather(path_of(name), &b, &tr);
    assert_null(b);
    assert_non_null(strstr(trail_sentence(&tr, r), words));
    assert_int_equal(r.code, code);
}

static void gather_refuses_what_is_no_plain_file(void **state)
{
    (void)state;
    put("d.yaml", "text\n", 5);
    refused("none.yaml", RESULT_NOT_FOUND, "none.yaml: there is no such file");
    assert_int_equal(symlink("d.yaml", path_of("link.yaml")), 0);
    refused("link.yaml", RESULT_CONFIG, "link.yaml: is a symbolic link");
    assert_int_equal(mkdir(path_of("dir.yaml"), 0755), 0);
    refused("dir.yaml", RESULT_CONFIG, "dir.yaml: is not a regular file");
    assert_int_equal(mkfifo(path_of("pipe.yaml"), 0644), 0);
    refused("pipe.yaml", RESULT_CONFIG, "pipe.yaml: is not a regular file");
    assert_int_equal(symlink("d.yaml", path_of("d.yaml.bo.minisig")), 0);
    refused("d.yaml", RESULT_CONFIG, "d.yaml.bo.minisig: is a symbolic link");
}

static void gather_holds_its_limits(void **state)
{
    (void)state;
    struct bundle *b;
    struct trail tr = {0};
    char name[64];
    char *big = calloc(1, GATHER_FILE_BYTES + 1);
    assert_non_null(big);
    put("big.yaml", big, GATHER_FILE_BYTES + 1);
    refused("big.yaml", RESULT_TOO_LARGE, "is larger than 614400 bytes and was not read");
    put("d.yaml", big, GATHER_FILE_BYTES);
    put("d.yaml.0.minisig", big, 100000); /* cut where the parser sees that it is too large */
    for (int i = 1; i < BUNDLE_SIGNATURES_MAX; i++) {
        snprintf(name, sizeof name, "d.yaml.%d.minisig", i);
        put(name, "x", 1);
    }
    assert_true(is_ok(gather(path_of("d.yaml"), &b, &tr)));
    assert_int_equal(b->file.count, GATHER_FILE_BYTES);
    assert_int_equal(b->signature_count, BUNDLE_SIGNATURES_MAX);
    assert_int_equal(b->signature[0].count, SIGN_FILE_BYTES + 1);
    bundle_free(b);
    put("d.yaml.more.minisig", "x", 1);
    refused("d.yaml", RESULT_FULL, "has 17 signature files beside it and at most 16 are taken");
    free(big);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, empty_folder, drop_folder)
    const struct CMUnitTest tests[] = {
        TEST(gather_takes_what_is_named_after_the_file),
        TEST(gather_finds_signatures_of_a_bare_name),
        TEST(gather_refuses_what_is_no_plain_file),
        TEST(gather_holds_its_limits),
    };
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
