/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: only a plugin that keeps every rule gets in, each refusal is one sentence that names the
 * rule, and what is loaded is the sealed copy and stays. Method: plugins really built wrong
 * (tests/abi), one fault each; files cut, replaced and linked at run time.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/hash.h"
#include "bays/bay.h"
#include "bays/check.h"

#define ABI TENON_BINARY_DIR "/abi/"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "bays-load-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void *read_file(const char *path, size_t *count)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *count = (size_t)ftell(f);
    rewind(f);
    void *bytes = malloc(*count);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *count, f), *count);
    fclose(f);
    return bytes;
}

static void write_file(const char *path, const void *bytes, size_t count)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
}

/* Loads and expects a refusal of this code whose sentence has all the words. */
static void expect_refused(const char *path, int32_t code, const char *word, const char *word2)
{
    struct bay_module *m = NULL;
    struct trail tr = {0};
    struct result r = bay_load(path, NULL, &m, &tr);
    const char *said = trail_sentence(&tr, r);
    if (r.code != code || !strstr(said, word) || !strstr(said, word2))
        fail_msg("%s: code %d, sentence: %s", path, r.code, said);
    assert_null(m);
    assert_non_null(strstr(said, path)); /* where */
    assert_true(strlen(said) < TRAIL_TEXT_BYTES - 4);
}

struct refusal {
    const char *file;
    int32_t code;
    const char *word, *word2;
};

static const struct refusal refusals[] = {
    {"wrong_major.so", RESULT_ABI, "ABI 2.0, this host has ABI 1.0", "S03"},
    {"newer_minor.so", RESULT_ABI, "ABI 1.9, this host has ABI 1.0", "S03"},
    {"fingerprint.so", RESULT_ABI, "1122334455667788", "fingerprint"},
    {"no_note.so", RESULT_SYNTAX, "no tenon note", "S03"},
    {"two_notes.so", RESULT_SYNTAX, "2 tenon notes", "S03"},
    {"bad_id.so", RESULT_ABI, "id or version is malformed", "S03"},
    {"bad_count.so", RESULT_ABI, "17 params", "S03"},
    {"bad_default.so", RESULT_ABI, "parameter n", "default"},
    {"unknown_kind.so", RESULT_ABI, "kind 9 is unknown", "S03"},
    {"unknown_flag.so", RESULT_ABI, "feature bits 0x00800000", "S03"},
    {"constructor.so", RESULT_SYNTAX, "init array", "S09"},
    {"two_symbols.so", RESULT_SYNTAX, "exports tn_helper", "S04"},
    {"no_entry.so", RESULT_SYNTAX, "exports no tn_entry", "S04"},
    {"imports_malloc.so", RESULT_SYNTAX, "uses malloc", "S05"},
    {"missing_needed.so", RESULT_SYNTAX, "uses sin but does not name its library", "S07"},
    {"extra_library.so", RESULT_SYNTAX, "needs libcrypto", "S07"},
    {"unresolved.so", RESULT_SYNTAX, "no_library_has_this", "S05"},
    {"rpath.so", RESULT_SYNTAX, "RUNPATH", "S08"},
    {"soname.so", RESULT_SYNTAX, "SONAME libgcc_s.so.1", "S08"},
    {"ifunc.so", RESULT_SYNTAX, "IFUNC", "S10"},
    {"tls_data.so", RESULT_SYNTAX, "thread-local", "S12"},
    {"exec_stack.so", RESULT_SYNTAX, "executable stack", "S13"},
    {"lazy.so", RESULT_SYNTAX, "lazily", "S14"},
    {"no_relro.so", RESULT_SYNTAX, "stay writable", "S14"},
    {"nodelete.so", RESULT_SYNTAX, "NODELETE", "S15"},
    {"globals.so", RESULT_SYNTAX, "mutable globals", "S16"},
    {"program", RESULT_SYNTAX, "a program, not a shared object", "S01"},
    {"entry_abi.so", RESULT_ABI, "tn_entry says ABI 3.0, its note 1.0", "TN_PLUGIN"},
    {"entry_manifest.so", RESULT_ABI, "another manifest than its note", "TN_PLUGIN"},
    {"entry_size.so", RESULT_ABI, "tn_entry says 96 bytes", "TN_PLUGIN"},
    {"no_ops.so", RESULT_ABI, "table of functions is missing", "indicator"},
    {"short_ops.so", RESULT_ABI, "table of functions is missing or shorter", "indicator"},
    {"no_create.so", RESULT_ABI, "no function create", "add it"},
    {"foreign_function.so", RESULT_ABI, "activate does not lie in its own code", ""},
    {"revision.so", RESULT_ABI, "indicator/2, this host knows indicator/1", ""},
    {"state_without_save.so", RESULT_ABI, "no function state_save", ""},
};

static void load_broken_plugin_is_refused_with_its_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, ABI "%s", refusals[i].file);
        expect_refused(path, refusals[i].code, refusals[i].word, refusals[i].word2);
    }
}

static void load_refused_before_open_keeps_the_count(void **state)
{
    (void)state;
    uint32_t before = bay_module_count();
    expect_refused(ABI "constructor.so", RESULT_SYNTAX, "S09", "");
    assert_int_equal(bay_module_count(), before);
}

static void load_good_plugin_gives_facts_and_entry(void **state)
{
    (void)state;
    struct bay_module *m = NULL;
    struct trail tr = {0};
    struct bay_facts facts;
    uint32_t before = bay_module_count();
    assert_true(is_ok(bay_load(ABI "mean.so", NULL, &m, &tr)));
    assert_int_equal(bay_module_count(), before + 1);
    const struct tn_manifest *man = &bay_module_facts(m)->manifest;
    assert_string_equal(man->id, "mean");
    assert_int_equal(man->kind, TN_KIND_INDICATOR);
    assert_string_equal(man->params[0].name, "length");
    assert_int_equal(bay_module_entry(m)->abi_major, TN_ABI_MAJOR);
    assert_int_equal(strlen(bay_module_facts(m)->build_id), 40);
    assert_true(is_ok(bay_read_facts(ABI "mean.so", &facts, &tr)));
    assert_memory_equal(&facts, bay_module_facts(m), sizeof facts);
}

static void load_hash_pin_decides(void **state)
{
    (void)state;
    struct bay_module *m = NULL;
    struct trail tr = {0};
    uint8_t sha[32];
    size_t count;
    void *bytes = read_file(ABI "solo.so", &count);
    hash_sha256_once(bytes, count, sha);
    free(bytes);
    assert_true(is_ok(bay_load(ABI "solo.so", sha, &m, &tr)));
    sha[31] ^= 1;
    assert_int_equal(bay_load(ABI "solo.so", sha, &m, &tr).code, RESULT_FOREIGN);
    assert_null(m);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(FOREIGN)), "pins"));
}

static void load_warning_is_no_refusal(void **state)
{
    (void)state;
    struct bay_module *m = NULL;
    struct trail tr = {0};
    struct bay_checks checks = {0};
    struct bay_facts facts;
    size_t count;
    uint8_t *bytes = read_file(ABI "mxcsr.so", &count);
    bay_check_static(bytes, count, &checks, &facts);
    free(bytes);
    assert_int_equal(checks.count, 17);
    assert_int_equal(checks.failed, 0);
    assert_string_equal(checks.check[16].id, "S17");
    assert_int_equal(checks.check[16].verdict, BAY_WARN);
    assert_true(is_ok(bay_load(ABI "mxcsr.so", NULL, &m, &tr)));
}

static void load_two_copies_are_two_modules(void **state)
{
    (void)state;
    struct bay_module *a = NULL, *b = NULL;
    struct trail tr = {0};
    assert_true(is_ok(bay_load(ABI "mean.so", NULL, &a, &tr)));
    assert_true(is_ok(bay_load(ABI "mean.so", NULL, &b, &tr)));
    assert_ptr_not_equal(bay_module_entry(a)->ops, bay_module_entry(b)->ops);
    assert_ptr_not_equal(bay_module_entry(a)->manifest, bay_module_entry(b)->manifest);
}

static void load_same_path_with_new_content_gives_new_code(void **state)
{
    (void)state;
    struct bay_module *a = NULL, *b = NULL;
    struct trail tr = {0};
    char path[128];
    size_t n1, n2;
    void *one = read_file(ABI "mean.so", &n1), *two = read_file(ABI "solo.so", &n2);
    snprintf(path, sizeof path, "%s/p.so", folder);
    write_file(path, one, n1);
    assert_true(is_ok(bay_load(path, NULL, &a, &tr)));
    write_file(path, two, n2); /* in place: the file that was loaded is overwritten */
    assert_true(is_ok(bay_load(path, NULL, &b, &tr)));
    assert_string_equal(bay_module_entry(a)->manifest->id, "mean");
    assert_string_equal(bay_module_entry(b)->manifest->id, "solo");
    assert_int_equal(unlink(path), 0);
    free(one);
    free(two);
}

static void load_odd_files_are_refused_with_a_sentence(void **state)
{
    (void)state;
    char path[128], link_path[160];
    size_t count;
    uint8_t *bytes = read_file(ABI "mean.so", &count);
    snprintf(path, sizeof path, "%s/q.so", folder);
    expect_refused(path, RESULT_NOT_FOUND, "no such file", "");
    expect_refused(folder, RESULT_SYNTAX, "not a regular file", "");
    write_file(path, bytes, 0);
    expect_refused(path, RESULT_SYNTAX, "empty", "");
    write_file(path, "#!/bin/sh\nexit 0\n", 17);
    expect_refused(path, RESULT_SYNTAX, "not an ELF file", "S01");
    write_file(path, bytes, count / 2);
    expect_refused(path, RESULT_SYNTAX, "cut", "S01");
    bytes[18] = 183; /* e_machine: AArch64 */
    write_file(path, bytes, count);
    expect_refused(path, RESULT_SYNTAX, "machine 183, this host is x86-64", "S01");
    bytes[18] = 62;
    bytes[4] = 1; /* ELFCLASS32 */
    write_file(path, bytes, count);
    expect_refused(path, RESULT_SYNTAX, "not 64-bit", "S01");
    assert_int_equal(truncate(path, BAY_FILE_MAX_BYTES + 1), 0);
    expect_refused(path, RESULT_TOO_LARGE, "at most", "");
    snprintf(link_path, sizeof link_path, "%s/link.so", folder);
    assert_int_equal(symlink("q.so", link_path), 0);
    expect_refused(link_path, RESULT_NOT_PERMITTED, "symbolic link", "");
    assert_int_equal(unlink(link_path), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused(path, RESULT_SYNTAX, "not a regular file", "");
    assert_int_equal(unlink(path), 0);
    free(bytes);
}

static void load_sealed_copy_cannot_be_written(void **state)
{
    (void)state;
    struct bay_module *m = NULL;
    struct trail tr = {0};
    assert_true(is_ok(bay_load(ABI "mean.so", NULL, &m, &tr)));
    int sealed = 0;
    for (int fd = 3; fd < 256; fd++) {
        char name[40], target[128];
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(name, target, sizeof target - 1);
        if (n <= 0)
            continue;
        target[n] = 0;
        if (!strstr(target, "memfd:tenon-plugin"))
            continue;
        sealed++;
        assert_int_equal(fcntl(fd, F_GET_SEALS),
                         F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(ftruncate(fd, 0), -1);
    }
    /* every loaded module keeps its copy; refused before the load, none is left */
    assert_int_equal(sealed, bay_module_count());
}

/* What another process loads: a copy that was checked here, and is checked again there. */
static void load_handed_over_copy_is_checked_again(void **state)
{
    (void)state;
    struct bay_facts facts;
    struct bay_module *m = NULL;
    struct trail tr = {0};
    size_t count;
    int fd = -1;
    assert_int_equal(bay_seal(ABI "broken_str.so", (const uint8_t[32]){1}, &fd, &facts, &tr).code,
                     RESULT_FOREIGN);
    assert_int_equal(fd, -1);
    assert_true(is_ok(bay_seal(ABI "broken_str.so", NULL, &fd, &facts, &tr)));
    assert_int_equal(bay_load_sealed(dup(fd), "module 0", (const uint8_t[32]){1}, &m, &tr).code,
                     RESULT_FOREIGN);
    assert_true(is_ok(bay_load_sealed(dup(fd), "module 0", facts.sha256, &m, &tr)));
    assert_ptr_equal(bay_module_find(facts.sha256), m);
    assert_int_equal(lseek(bay_module_fd(m), 0, SEEK_END), facts.bytes);
    close(fd);

    void *bytes = read_file(ABI "broken_str.so", &count); /* the same bytes, but they can change */
    int loose = memfd_create("loose", MFD_ALLOW_SEALING);
    assert_int_equal(write(loose, bytes, count), count);
    free(bytes);
    m = NULL;
    tr = (struct trail){0};
    assert_int_equal(bay_load_sealed(loose, "module 0", facts.sha256, &m, &tr).code,
                     RESULT_FOREIGN);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(IO)), "not a sealed copy"));
    assert_null(m);
    assert_int_equal(fcntl(loose, F_GETFD), -1); /* taken over, also when it fails */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_broken_plugin_is_refused_with_its_rule),
        cmocka_unit_test(load_refused_before_open_keeps_the_count),
        cmocka_unit_test(load_good_plugin_gives_facts_and_entry),
        cmocka_unit_test(load_hash_pin_decides),
        cmocka_unit_test(load_warning_is_no_refusal),
        cmocka_unit_test(load_two_copies_are_two_modules),
        cmocka_unit_test(load_same_path_with_new_content_gives_new_code),
        cmocka_unit_test(load_odd_files_are_refused_with_a_sentence),
        cmocka_unit_test(load_sealed_copy_cannot_be_written),
        cmocka_unit_test(load_handed_over_copy_is_checked_again),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
