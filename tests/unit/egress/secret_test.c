/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: secrets come back as they were put, only with the password, and any changed byte of the
 * file is noticed.
 * Method: round trips in memory and on disk, every byte of a file flipped once, old and foreign
 * files offered to an open store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "egress/secret.h"
#include "egress/secret_ask.h"

enum { CHEAP = 10 }; /* log2 of scrypt's N */

static struct secrets *store_of(const char *name, const char *key, const char *secret)
{
    struct trail tr = {0};
    struct secrets *s = NULL;
    struct secret_field f[2] = {0};
    f[0].count = (uint32_t)strlen(key);
    memcpy(f[0].bytes, key, f[0].count);
    f[1].count = (uint32_t)strlen(secret);
    memcpy(f[1].bytes, secret, f[1].count);
    assert_true(is_ok(secret_new("correct horse", CHEAP, &s, &tr)));
    assert_true(is_ok(secret_add(s, name, SECRET_SIMULATED, f, 2, &tr)));
    return s;
}

static void assert_field(const struct secrets *s, const char *name, uint32_t field,
                         const char *want)
{
    uint8_t out[SECRET_FIELD_BYTES];
    int32_t n = secret_get(s, name, field, out, sizeof out);
    assert_int_equal(n, (int32_t)strlen(want));
    assert_memory_equal(out, want, strlen(want));
}

static void secret_sealed_comes_back_whole(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secrets *s = store_of("paper", "key-1", "hush hush"), *t = NULL;
    uint8_t *file = NULL, out[4];
    size_t n = 0;
    assert_true(is_ok(secret_seal(s, &file, &n, &tr)));
    assert_null(memmem(file, n, "hush hush", 9));
    assert_null(memmem(file, n, "key-1", 5));
    assert_true(is_ok(secret_open(file, n, "correct horse", "f", &t, &tr)));
    assert_int_equal(secret_count(t), 1);
    assert_string_equal(secret_name(t, 0), "paper");
    assert_field(t, "paper", 0, "key-1");
    assert_field(t, "paper", 1, "hush hush");
    assert_int_equal(secret_get(t, "paper", 2, out, sizeof out), -1);
    assert_int_equal(secret_get(t, "other", 0, out, sizeof out), -1);
    assert_int_equal(secret_get(t, "paper", 0, out, sizeof out), -1); /* no room */
    secret_free(s);
    secret_free(t);
    free(file);
}

static void secret_wrong_password_is_refused(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secrets *s = store_of("paper", "k", "s"), *t = NULL;
    uint8_t *file = NULL;
    size_t n = 0;
    assert_true(is_ok(secret_seal(s, &file, &n, &tr)));
    assert_int_equal(secret_open(file, n, "correct horsf", "f", &t, &tr).code,
                     RESULT_NOT_PERMITTED);
    assert_null(t);
    secret_free(s);
    free(file);
}

/* One bit of each byte: head, names, nonce, body, tag. The salt changes the key, the costs too. */
static void secret_any_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secrets *s = store_of("paper", "k", "s"), *t = NULL;
    uint8_t *file = NULL;
    size_t n = 0;
    assert_true(is_ok(secret_seal(s, &file, &n, &tr)));
    for (size_t i = 0; i < n; i++) {
        file[i] ^= 1u << (i % 8);
        /* costs that are allowed but dearer are not worth the test's time */
        if (i != offsetof(struct secret_head, log2_n)) {
            struct trail why = {0};
            assert_false(is_ok(secret_open(file, n, "correct horse", "f", &t, &why)));
            assert_null(t);
        }
        file[i] ^= 1u << (i % 8);
    }
    for (size_t cut = 0; cut < n; cut += 7)
        assert_false(is_ok(secret_open(file, cut, "correct horse", "f", &t, &tr)));
    assert_true(is_ok(secret_open(file, n, "correct horse", "f", &t, &tr)));
    secret_free(s);
    secret_free(t);
    free(file);
}

static void secret_names_and_fields_have_rules(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secrets *s = store_of("paper", "k", "s");
    struct secret_field f = {.count = 1, .bytes = "x"}, none = {0};
    assert_int_equal(secret_add(s, "paper", SECRET_LIVE, &f, 1, &tr).code, RESULT_DUPLICATE);
    assert_int_equal(secret_rotate(s, "live", &f, 1, &tr).code, RESULT_NOT_FOUND);
    assert_int_equal(secret_add(s, "No Name", SECRET_LIVE, &f, 1, &tr).code, RESULT_SYNTAX);
    assert_int_equal(secret_add(s, "a", SECRET_LIVE, &none, 1, &tr).code, RESULT_RANGE);
    assert_int_equal(secret_add(s, "a", SECRET_LIVE, &f, 0, &tr).code, RESULT_MISSING);
    assert_int_equal(secret_remove(s, "live", &tr).code, RESULT_NOT_FOUND);
    assert_true(is_ok(secret_add(s, "live", SECRET_LIVE, &f, 1, &tr)));
    assert_true(is_ok(secret_remove(s, "paper", &tr)));
    assert_int_equal(secret_count(s), 1);
    assert_field(s, "live", 0, "x");
    secret_free(s);
}

static void secret_full_store_refuses_one_more_and_holds_all(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secrets *s = NULL, *t = NULL;
    struct secret_field f[SECRET_FIELDS_MAX];
    char name[SECRET_NAME_BYTES];
    uint8_t *file = NULL;
    size_t n = 0;
    memset(f, 'z', sizeof f);
    for (uint32_t i = 0; i < SECRET_FIELDS_MAX; i++)
        f[i].count = SECRET_FIELD_BYTES;
    assert_true(is_ok(secret_new("pw", CHEAP, &s, &tr)));
    for (uint32_t i = 0; i <= SECRET_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        struct result r = secret_add(s, name, SECRET_LIVE, f, SECRET_FIELDS_MAX, &tr);
        assert_int_equal(r.code, i < SECRET_NAMES_MAX ? RESULT_OK : RESULT_FULL);
    }
    assert_true(is_ok(secret_seal(s, &file, &n, &tr)));
    assert_true(n <= SECRET_FILE_MAX);
    assert_true(is_ok(secret_open(file, n, "pw", "f", &t, &tr)));
    assert_int_equal(secret_count(t), SECRET_NAMES_MAX);
    secret_free(s);
    secret_free(t);
    free(file);
}

static void secret_reload_takes_newer_refuses_older_and_foreign(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secrets *tool = store_of("paper", "old", "s"), *egress = NULL;
    struct secrets *other = store_of("paper", "evil", "s");
    struct secret_field f = {.count = 3, .bytes = "new"};
    uint8_t *first = NULL, *second = NULL, *foreign = NULL;
    size_t n1 = 0, n2 = 0, n3 = 0;
    assert_true(is_ok(secret_seal(tool, &first, &n1, &tr)));
    assert_true(is_ok(secret_open(first, n1, "correct horse", "f", &egress, &tr)));
    assert_true(is_ok(secret_rotate(tool, "paper", &f, 1, &tr)));
    assert_true(is_ok(secret_seal(tool, &second, &n2, &tr)));
    assert_true(is_ok(secret_reload(egress, second, n2, "f", &tr)));
    assert_field(egress, "paper", 0, "new");
    assert_int_equal(secret_reload(egress, first, n1, "f", &tr).code, RESULT_STATE);
    assert_true(is_ok(secret_seal(other, &foreign, &n3, &tr)));
    assert_int_equal(secret_reload(egress, foreign, n3, "f", &tr).code, RESULT_STATE);
    second[n2 - 1] ^= 1;
    assert_int_equal(secret_reload(egress, second, n2, "f", &tr).code, RESULT_NOT_PERMITTED);
    assert_field(egress, "paper", 0, "new");
    secret_free(tool);
    secret_free(egress);
    secret_free(other);
    free(first);
    free(second);
    free(foreign);
}

static void secret_list_names_without_password(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secret_clear listed[SECRET_NAMES_MAX];
    struct secrets *s = store_of("paper", "k", "s");
    uint8_t *file = NULL;
    size_t n = 0;
    uint32_t count = 0;
    assert_true(is_ok(secret_seal(s, &file, &n, &tr)));
    assert_true(is_ok(secret_list(file, n, "f", listed, &count, &tr)));
    assert_int_equal(count, 1);
    assert_string_equal(listed[0].name, "paper");
    assert_int_equal(listed[0].kind, SECRET_SIMULATED);
    assert_int_equal(secret_list(file, n - 1, "f", listed, &count, &tr).code, RESULT_CORRUPT);
    assert_int_equal(secret_list("TENON", 5, "f", listed, &count, &tr).code, RESULT_SYNTAX);
    secret_free(s);
    free(file);
}

/* What a secret is for comes back with it, stays over a rotation, and is under the seal. */
static void secret_kind_is_kept_and_sealed(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secrets *s = store_of("paper", "k", "s"), *t = NULL;
    struct secret_field f = {.count = 1, .bytes = "x"};
    struct secret_clear listed[SECRET_NAMES_MAX];
    uint8_t *file = NULL;
    size_t n = 0;
    uint32_t count = 0;
    assert_true(is_ok(secret_add(s, "real", SECRET_LIVE, &f, 1, &tr)));
    assert_true(is_ok(secret_rotate(s, "real", &f, 1, &tr)));
    assert_int_equal(secret_kind_of(s, "real"), SECRET_LIVE);
    assert_int_equal(secret_kind_of(s, "none"), SECRET_KIND_UNSET);
    assert_true(is_ok(secret_seal(s, &file, &n, &tr)));
    assert_true(is_ok(secret_open(file, n, "correct horse", "f", &t, &tr)));
    assert_int_equal(secret_kind_of(t, "paper"), SECRET_SIMULATED);
    assert_int_equal(secret_kind_of(t, "real"), SECRET_LIVE);
    secret_free(t);
    const uint32_t other = SECRET_LIVE; /* of the first name: anybody can write it, not seal it */
    memcpy(file + sizeof(struct secret_head) + offsetof(struct secret_clear, kind), &other, 4);
    assert_true(is_ok(secret_list(file, n, "f", listed, &count, &tr)));
    assert_int_equal(listed[0].kind, SECRET_LIVE);
    assert_int_equal(secret_open(file, n, "correct horse", "f", &t, &tr).code,
                     RESULT_NOT_PERMITTED);
    secret_free(s);
    free(file);
}

static size_t read_fixture(const char *path, uint8_t *out, size_t room)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(out, 1, room, f);
    fclose(f);
    return n;
}

/* A file of format version 2, made when that was the newest, still opens. */
static void secret_file_of_version_2_still_opens(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secrets *s = NULL;
    uint8_t file[1024];
    const size_t n =
        read_fixture(TENON_SOURCE_DIR "/tests/fixtures/egress-secrets-v2.bin", file, sizeof file);
    assert_true(is_ok(secret_open(file, n, "fixture password", "f", &s, &tr)));
    assert_int_equal(secret_count(s), 2);
    assert_field(s, "paper", 1, "the-secret");
    assert_field(s, "other_1", 0, "the-key");
    assert_int_equal(secret_kind_of(s, "paper"), SECRET_SIMULATED);
    assert_int_equal(secret_kind_of(s, "other_1"), SECRET_LIVE);
    secret_free(s);
}

/* Version 1 did not say what a secret is for, and nobody may guess it. */
static void secret_file_of_version_1_is_to_be_made_again(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct secrets *s = NULL;
    uint8_t file[1024];
    const size_t n =
        read_fixture(TENON_SOURCE_DIR "/tests/fixtures/egress-secrets-v1.bin", file, sizeof file);
    struct result r = secret_open(file, n, "fixture password", "f", &s, &tr);
    assert_int_equal(r.code, RESULT_VERSION);
    assert_non_null(strstr(trail_sentence(&tr, r), "add the secrets again"));
}

/* ---- on disk ---- */
static void secret_file_is_private_and_replaced_whole(void **state)
{
    (void)state;
    char dir[] = "/tmp/tenon-secret-XXXXXX", path[64], link_path[64];
    struct trail tr = {0};
    struct stat st;
    uint8_t *back = NULL;
    size_t n = 0;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/secrets", dir);
    snprintf(link_path, sizeof link_path, "%s/link", dir);
    assert_int_equal(secret_read(path, &back, &n, &tr).code, RESULT_NOT_FOUND);
    assert_true(is_ok(secret_write(path, (const uint8_t *)"one", 3, &tr)));
    assert_true(is_ok(secret_write(path, (const uint8_t *)"second", 6, &tr)));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(is_ok(secret_read(path, &back, &n, &tr)));
    assert_int_equal(n, 6);
    assert_memory_equal(back, "second", 6);
    free(back);
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(secret_read(link_path, &back, &n, &tr).code, RESULT_NOT_PERMITTED);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(secret_read(path, &back, &n, &tr).code, RESULT_NOT_PERMITTED);
    unlink(link_path);
    unlink(path);
    assert_int_equal(rmdir(dir), 0); /* no passing file is left */
}

static void secret_ask_reads_one_line_and_no_more(void **state)
{
    (void)state;
    struct trail tr = {0};
    char line[8], password[SECRET_ASK_BYTES];
    int p[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(write(p[1], "pass\nsecond\n\ntoo long a line\nlast", 33), 33);
    close(p[1]);
    assert_true(is_ok(secret_ask_password(p[0], password, &tr)));
    assert_string_equal(password, "pass");
    assert_true(is_ok(secret_ask_line(p[0], line, sizeof line, &tr)));
    assert_string_equal(line, "second");
    assert_int_equal(secret_ask_password(p[0], password, &tr).code, RESULT_NOT_PERMITTED);
    assert_int_equal(secret_ask_line(p[0], line, sizeof line, &tr).code, RESULT_RANGE);
    assert_true(is_ok(secret_ask_line(p[0], line, sizeof line, &tr)));
    assert_string_equal(line, "last");
    assert_int_equal(secret_ask_line(p[0], line, sizeof line, &tr).code, RESULT_END);
    close(p[0]);
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(secret_ask_password(-1, password, &tr).code, RESULT_NOT_PERMITTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_sealed_comes_back_whole),
        cmocka_unit_test(secret_wrong_password_is_refused),
        cmocka_unit_test(secret_any_flipped_bit_is_noticed),
        cmocka_unit_test(secret_names_and_fields_have_rules),
        cmocka_unit_test(secret_full_store_refuses_one_more_and_holds_all),
        cmocka_unit_test(secret_reload_takes_newer_refuses_older_and_foreign),
        cmocka_unit_test(secret_list_names_without_password),
        cmocka_unit_test(secret_kind_is_kept_and_sealed),
        cmocka_unit_test(secret_file_of_version_2_still_opens),
        cmocka_unit_test(secret_file_of_version_1_is_to_be_made_again),
        cmocka_unit_test(secret_file_is_private_and_replaced_whole),
        cmocka_unit_test(secret_ask_reads_one_line_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
