/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what an earlier version wrote is read by today's code: group, head file, signed head,
 * snapshot and archive, one fixture per format version (tests/fixtures/journal-*).
 *
 * Method: the files in the repository are read and compared with what is known to be in them; and
 * today's writer must still give the very same bytes where they do not depend on a key.
 * With TENON_FIXTURES_WRITE=1 in the environment the files are made first. That is for a new
 * format version only, under new names: a fixture that was ever released is never made again.
 */
#include "tests/unit/journal/kit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "journal/heads.h"

#define FIXTURES TENON_SOURCE_DIR "/tests/fixtures/"

static char dir[PATH_MAX];

static const uint8_t no_hash[32];

static struct chain end_of_group(const uint8_t *g, size_t n)
{
    struct chain c;
    struct hash_sha256 *sha;
    struct trail tr = {0};
    chain_begin(&c);
    assert_ok(hash_sha256_new(&sha));
    assert_ok_tr(chain_add(&c, g, n, sha, &tr), &tr);
    hash_sha256_free(sha);
    return c;
}

static void copy_file(const char *from, const char *to)
{
    size_t n;
    uint8_t *bytes = kit_load(from, &n);
    kit_store(to, bytes, n);
    free(bytes);
}

/* The head file is mostly a list of zeros; only its first three pages are kept. */
enum { HEAD_PAGES = 3 * 4096 };

static void write_fixtures(void)
{
    char heads[PATH_MAX], journal[PATH_MAX], path[PATH_MAX];
    uint8_t sha[32];
    size_t n;
    struct heads *h;
    struct journal_store *s;
    struct journal *j;
    struct journal_found found;
    struct journal_report rep;
    uint8_t *g = kit_group(kit_id, 1, no_hash, 1, 3, &n);
    const struct chain c = end_of_group(g, n);
    kit_store(FIXTURES "journal-group-v1.bin", g, n);
    free(g);
    kit_path(heads, dir, "made-heads");
    assert_ok(heads_open(heads, true, &h, NULL));
    heads_write(h, &c, 1500000000000000000);
    assert_ok(heads_sign(h, HEADS_MINUTE, &c, 1500000000000000000, NULL));
    heads_close(h);
    kit_path(path, heads, "head");
    uint8_t *head = kit_load(path, &n);
    kit_store(FIXTURES "journal-head-v1.bin", head, HEAD_PAGES);
    free(head);
    kit_path(path, heads, "heads.signed");
    copy_file(path, FIXTURES "journal-signed-v1.txt");
    kit_path(path, heads, "host.pub");
    copy_file(path, FIXTURES "journal-host-v1.pub");
    assert_ok(journal_snapshot_write(dir, 42, "core state", 10, sha, NULL));
    kit_path(path, dir, "snap-00000000000000000042.tns");
    copy_file(path, FIXTURES "journal-snapshot-v1.tns");
    kit_path(journal, dir, "made-journal");
    kit_path(heads, dir, "made-heads-2");
    assert_ok(journal_store_rocksdb(journal, true, false, &s, NULL));
    const struct journal_options o = kit_options(s, heads);
    assert_ok(journal_open(&o, &j, &found, NULL));
    kit_put_groups(j, 1, 12, 4);
    assert_ok(journal_close(j, NULL, NULL));
    remove(FIXTURES "journal-archive-v1.tna");
    assert_ok(journal_archive(journal, heads, FIXTURES "journal-archive-v1.tna", 9, &rep, NULL));
}

static int make(void **state)
{
    (void)state;
    kit_folder(dir);
    if (getenv("TENON_FIXTURES_WRITE"))
        write_fixtures();
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    kit_remove(dir);
    return 0;
}

static void fixture_group_v1_is_read_and_written_alike(void **state)
{
    (void)state;
    size_t n, m;
    uint8_t *g = kit_load(FIXTURES "journal-group-v1.bin", &n);
    const struct chain c = end_of_group(g, n);
    assert_int_equal(c.seq, 3);
    assert_int_equal(c.records, 9);
    assert_int_equal(c.epoch, 1);
    uint8_t *now = kit_group(kit_id, 1, no_hash, 1, 3, &m);
    assert_int_equal(n, m);
    assert_memory_equal(g, now, n);
    free(g);
    free(now);
}

static void fixture_head_v1_is_read(void **state)
{
    (void)state;
    char heads[PATH_MAX], path[PATH_MAX];
    struct heads *h;
    size_t n;
    kit_path(heads, dir, "heads");
    assert_int_equal(mkdir(heads, 0700), 0);
    kit_path(path, heads, "head");
    copy_file(FIXTURES "journal-head-v1.bin", path);
    assert_ok(heads_open(heads, true, &h, NULL));
    const struct heads_mark *m = heads_slot(h);
    assert_non_null(m);
    uint8_t *g = kit_load(FIXTURES "journal-group-v1.bin", &n);
    const struct chain c = end_of_group(g, n);
    assert_int_equal(m->at.index, 1);
    assert_int_equal(m->at.seq, 3);
    assert_int_equal(m->at.records, 9);
    assert_memory_equal(m->at.hash, c.hash, 32);
    assert_memory_equal(m->at.journal_id, kit_id, 16);
    assert_int_equal(m->wall_ns, 1500000000000000000);
    heads_close(h);
    free(g);
}

/* The signature is checked with OpenSSL and the public key alone, as an auditor would. */
static void fixture_signed_head_v1_is_read_and_verifies(void **state)
{
    (void)state;
    struct heads_mark m;
    size_t n;
    char *line = (char *)kit_load(FIXTURES "journal-signed-v1.txt", &n);
    assert_ok(heads_parse(line, n, &m, NULL));
    assert_int_equal(m.kind, HEADS_MINUTE);
    assert_int_equal(m.at.seq, 3);
    FILE *f = fopen(FIXTURES "journal-host-v1.pub", "r");
    assert_non_null(f);
    EVP_PKEY *key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
    fclose(f);
    assert_non_null(key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(ctx, m.signature, 64, (const uint8_t *)line,
                                      (size_t)(strrchr(line, ' ') - line)),
                     1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    free(line);
}

static void fixture_snapshot_v1_is_read(void **state)
{
    (void)state;
    char path[PATH_MAX];
    uint64_t seq;
    void *bytes;
    size_t count;
    kit_path(path, dir, "snap-00000000000000000042.tns");
    copy_file(FIXTURES "journal-snapshot-v1.tns", path);
    assert_ok(journal_snapshot_read(dir, 42, &seq, &bytes, &count, NULL));
    assert_int_equal(seq, 42);
    assert_int_equal(count, 10);
    assert_memory_equal(bytes, "core state", 10);
    free(bytes);
}

static void fixture_archive_v1_is_read(void **state)
{
    (void)state;
    struct journal_store *s;
    struct trail tr = {0};
    assert_ok_tr(journal_store_archive(FIXTURES "journal-archive-v1.tna", &s, &tr), &tr);
    kit_expect_steps(s, 1, 8);
    s->ops->close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture_group_v1_is_read_and_written_alike),
        cmocka_unit_test(fixture_head_v1_is_read),
        cmocka_unit_test(fixture_signed_head_v1_is_read_and_verifies),
        cmocka_unit_test(fixture_snapshot_v1_is_read),
        cmocka_unit_test(fixture_archive_v1_is_read),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
