/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: `config history` tells from a journal alone who signed which deployment, since which event
 * it was active, what its flip took, and why it ended; `journal cat` shows the same records.
 * Method: a real journal is written record by record (two good deployments, one refused, one
 * derived rollback), and the real tool is run on it; the table is compared with a golden text.
 */
#include "tests/unit/journal/kit.h"
#include <jansson.h>
#include <sys/wait.h>
#include "base/hash.h"
#include "deploy/trust.h"

enum { TEXT_MAX = 64 * 1024 };
static const char derived[] = "schema: 1\nserial: 3\nrollback_of: 2\n";
static char base[PATH_MAX], dir[PATH_MAX], heads[PATH_MAX];
static char out[TEXT_MAX], err[TEXT_MAX];
static struct journal *j;
static uint64_t seq;

static void put(uint16_t type, const void *payload)
{
    uint8_t step[sizeof(struct fact_head) + FACT_MAX_BYTES];
    seq++;
    struct fact_head h = {.bytes = fact_bytes(type),
                          .seq = seq,
                          .t_ns = 1514764800000000000 + (int64_t)seq * 1000000000,
                          .type = type,
                          .version = fact_version(type)};
    memcpy(step, &h, sizeof h);
    memcpy(step + sizeof h, payload, h.bytes);
    assert_ok(journal_put(j, step, (uint32_t)sizeof h + h.bytes, seq, false));
    assert_ok(journal_wait(j, seq, NULL));
}

static void put_text(const char *text, uint8_t sha256[32])
{
    struct fact_text_piece p = {.kind = FACT_TEXT_DEPLOYMENT,
                                .total = (uint32_t)strlen(text),
                                .count = (uint32_t)strlen(text)};
    hash_sha256_once(text, strlen(text), sha256);
    assert_true(p.count <= FACT_PIECE_BYTES);
    memcpy(p.sha256, sha256, sizeof p.sha256);
    memcpy(p.bytes, text, p.count);
    put(FACT_TEXT, &p);
}

static void put_signature(uint64_t serial, const uint8_t sha256[32], const char *person,
                          uint32_t role)
{
    struct fact_signature s = {.serial = serial, .role = role, .kind = FACT_TEXT_DEPLOYMENT};
    memcpy(s.sha256, sha256, sizeof s.sha256);
    memset(s.key_id, person[0], sizeof s.key_id);
    snprintf(s.person, sizeof s.person, "%s", person);
    snprintf(s.comment, sizeof s.comment, "role=operator");
    put(FACT_SIGNATURE, &s);
}

static void put_deploy(uint64_t serial, const uint8_t sha256[32], const char *name)
{
    struct fact_deploy d = {.serial = serial};
    memcpy(d.sha256, sha256, sizeof d.sha256);
    snprintf(d.name, sizeof d.name, "%s", name);
    put(FACT_DEPLOY, &d);
}

static struct fact_promotion move_of(uint64_t serial, const uint8_t sha256[32], uint32_t from,
                                     uint32_t to)
{
    struct fact_promotion p = {.serial = serial,
                               .from = from,
                               .to = to,
                               .why = PROMOTION_WHY_PASSED,
                               .by = "uid:1000",
                               .text = ""};
    memcpy(p.sha256, sha256, sizeof p.sha256);
    return p;
}

static void put_proposed(uint64_t serial, const uint8_t sha256[32])
{
    struct fact_promotion p = move_of(serial, sha256, PROMOTION_DRAFT, PROMOTION_PROPOSED);
    p.why = PROMOTION_WHY_PERSON;
    put(FACT_PROMOTION, &p);
}

static void put_flip(uint64_t serial, const uint8_t sha256[32], const char *name, int64_t pause_ns)
{
    put_deploy(serial, sha256, name);
    struct fact_promotion p = move_of(serial, sha256, PROMOTION_CANARY, PROMOTION_PROBATION);
    p.flip_seq = seq;
    p.pause_ns = pause_ns;
    p.swaps = 1;
    p.orders = 2;
    p.positions = p.stops = 1;
    put(FACT_PROMOTION, &p);
}

/* Serial 1 active, 2 takes over and is rolled back by 3, a wrong 4 is refused. */
static void write_history(void)
{
    uint8_t one[32], two[32], three[32], four[32];
    struct fact_trust trust = {.version = 1, .people = 3, .throwaway = 1};
    put(FACT_START, &(struct fact_start){.epoch = 1});
    put(FACT_TRUST, &trust);
    hash_sha256_once("one", 3, one);
    put_proposed(1, one);
    put_text("schema: 1\nserial: 2\n", two);
    put_signature(1, one, "ana", TRUST_AUTHOR);
    put_signature(1, one, "bo", TRUST_OPERATOR);
    put_flip(1, one, "one.yaml", 0);
    put_proposed(2, two);
    put_signature(2, two, "ana", TRUST_AUTHOR);
    put_signature(2, two, "bo", TRUST_OPERATOR);
    put_flip(2, two, "two.yaml", 812);
    struct fact_promotion back = move_of(2, two, PROMOTION_PROBATION, PROMOTION_ROLLED_BACK);
    back.why = PROMOTION_WHY_DENIALS;
    back.flip_seq = seq + 5;
    snprintf(
        back.text, sizeof back.text,
        "the gate denied 12 of the last 16 intents of cross_btc; serial 3 brings what serial 1 "
        "had back, look at tenon risk why before it is tried again");
    hash_sha256_once(derived, strlen(derived), three);
    put_proposed(3, three);
    put_text(derived, three);
    put(FACT_PROMOTION, &back);
    put_flip(3, three, "two.yaml", 1234567);
    hash_sha256_once("four", 4, four);
    put_proposed(4, four);
    struct fact_promotion no = move_of(4, four, PROMOTION_PROPOSED, PROMOTION_REFUSED);
    no.why = PROMOTION_WHY_CHECK;
    no.result = RESULT_APPROVAL;
    snprintf(no.text, sizeof no.text, "four.yaml: approvals are missing: one operator");
    put(FACT_PROMOTION, &no);
    hash_sha256_once("five", 4, four); /* too large: nothing of it was read */
    put_proposed(0, four);
    no = move_of(0, four, PROMOTION_PROPOSED, PROMOTION_REFUSED);
    no.why = PROMOTION_WHY_CHECK;
    no.result = RESULT_TOO_LARGE;
    put(FACT_PROMOTION, &no);
}

/* One hundred files that were no good: 98 of them after serial 3 and the two refused above. */
static void write_refused(void)
{
    uint8_t sha256[32];
    for (uint32_t i = 0; i < 98; i++) {
        hash_sha256_once(&i, sizeof i, sha256);
        put_proposed(4, sha256);
        struct fact_promotion no = move_of(4, sha256, PROMOTION_PROPOSED, PROMOTION_REFUSED);
        put(FACT_PROMOTION, &no);
    }
}

static void make_journal(bool with_history, bool with_refused)
{
    struct journal_store *store;
    struct journal_found found;
    struct trail tr = {0};
    kit_folder(base);
    kit_path(dir, base, "journal");
    kit_path(heads, base, "heads");
    seq = 0;
    assert_ok_tr(journal_store_rocksdb(dir, true, false, &store, &tr), &tr);
    const struct journal_options o = kit_options(store, heads);
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    if (with_history)
        write_history();
    else
        put(FACT_START, &(struct fact_start){.epoch = 1});
    if (with_refused)
        write_refused();
    assert_ok(journal_close(j, NULL, NULL));
}

static int make(void **state)
{
    (void)state;
    make_journal(true, false);
    return 0;
}

static int make_refused(void **state)
{
    (void)state;
    make_journal(true, true);
    return 0;
}

static int make_empty(void **state)
{
    (void)state;
    make_journal(false, false);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    kit_remove(base);
    return 0;
}

static void read_back(const char *name, char *to)
{
    char path[PATH_MAX];
    size_t n = 0;
    kit_path(path, base, name);
    uint8_t *bytes = kit_load(path, &n);
    assert_true(n < TEXT_MAX);
    memcpy(to, bytes, n);
    to[n] = '\0';
    free(bytes);
}

/* Runs `tenon ... --journal DIR`; what it printed is in out and err. */
static void run(const char *words, const char *journal, int exit)
{
    char command[3 * PATH_MAX];
    snprintf(command, sizeof command, "%s/tenon %s --journal %s >%s/out 2>%s/err", TENON_BINARY_DIR,
             words, journal, base, base);
    int status = system(command);
    read_back("out", out);
    read_back("err", err);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != exit)
        fail_msg("'%s' ended with %x: %s%s", words, status, out, err);
}

static void history_reads_as_golden(void **state)
{
    static const char golden[] =
        "trust document version 1, throwaway keys: for simulated accounts only\n"
        "\n"
        "serial 1  probation  one.yaml\n"
        "  sha256    7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\n"
        "  handed in event 3 (2018-01-01T00:00:03Z), by uid:1000\n"
        "  signed    ana (author, key 6161616161616161), bo (operator, key 6262626262626262)\n"
        "  active    since event 7, pause 0 ns, 1 swapped; carried over 2 orders, 1 position, "
        "1 stop\n"
        "  newest    event 8 (2018-01-01T00:00:08Z): active; the one before it is kept ready\n"
        "\n"
        "serial 2  rolled back  two.yaml\n"
        "  sha256    e5593d7fd24e48b784ba0c0ed5ff17e25a9fedcb3ed62d5d16ab6efe7efc2231\n"
        "  handed in event 9 (2018-01-01T00:00:09Z), by uid:1000\n"
        "  signed    ana (author, key 6161616161616161), bo (operator, key 6262626262626262)\n"
        "  active    since event 12, pause 812 ns, 1 swapped; carried over 2 orders, 1 position, "
        "1 stop\n"
        "  newest    event 16 (2018-01-01T00:00:16Z): the one before it is active again, under a "
        "new "
        "serial\n"
        "  why       the gate denied 12 of the last 16 intents of cross_btc; serial 3 brings what "
        "serial 1\n"
        "            had back, look at tenon risk why before it is tried again\n"
        "\n"
        "serial 3  probation (the active one)  two.yaml\n"
        "  sha256    86730c89e18082df923147260bb155320dfa37ee8c7358eeec41a922007c6e15\n"
        "  handed in event 14 (2018-01-01T00:00:14Z), by uid:1000\n"
        "  signed    by nobody: derived by the host from what was signed before\n"
        "  active    since event 17, pause 1.234 ms, 1 swapped; carried over 2 orders, 1 "
        "position, 1 stop\n"
        "  newest    event 18 (2018-01-01T00:00:18Z): active; the one before it is kept ready\n"
        "  what      a rollback of serial 2\n"
        "\n"
        "serial 4  refused\n"
        "  sha256    04efaf080f5a3e74e1c29d1ca6a48569382cbbcd324e8d59d2b83ef21c039f00\n"
        "  handed in event 19 (2018-01-01T00:00:19Z), by uid:1000\n"
        "  signed    by nobody\n"
        "  active    never\n"
        "  newest    event 20 (2018-01-01T00:00:20Z): nothing was changed\n"
        "  why       four.yaml: approvals are missing: one operator\n"
        "\n"
        "serial not read  refused\n"
        "  sha256    222b0bd51fcef7e65c2e62db2ed65457013bab56be6fafeb19ee11d453153c80\n"
        "  handed in event 21 (2018-01-01T00:00:21Z), by uid:1000\n"
        "  signed    by nobody\n"
        "  active    never\n"
        "  newest    event 22 (2018-01-01T00:00:22Z): nothing was changed\n"
        "  why       a check failed\n";
    (void)state;
    run("config history --utc", dir, 0);
    assert_string_equal(out, golden);
    for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
        assert_in_range(strlen(line), 1, 100);
}

static void history_in_json_is_one_object(void **state)
{
    (void)state;
    run("config history --json", dir, 0);
    json_t *root = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    json_t *list = json_object_get(root, "deployments"), *two = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(root, "schema")), "tenon.history.v1");
    assert_int_equal(json_array_size(list), 5);
    assert_true(json_is_true(json_object_get(json_object_get(root, "trust"), "throwaway_keys")));
    assert_string_equal(json_string_value(json_object_get(two, "state")), "rolled back");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(two, "flip"), "pause_ns")),
                     812);
    json_t *bo = json_array_get(json_object_get(two, "signatures"), 1);
    assert_string_equal(json_string_value(json_object_get(bo, "person")), "bo");
    assert_string_equal(json_string_value(json_object_get(bo, "role")), "operator");
    json_t *three = json_array_get(list, 2), *four = json_array_get(list, 3);
    assert_true(json_is_true(json_object_get(three, "active")));
    assert_int_equal(json_integer_value(json_object_get(three, "rollback_of")), 2);
    assert_true(json_is_null(json_object_get(two, "rollback_of")));
    assert_true(json_is_null(json_object_get(four, "flip")));
    assert_string_equal(json_string_value(json_object_get(four, "result")), "APPROVAL");
    json_decref(root);
}

static void history_counts_the_older_refused(void **state)
{
    (void)state;
    run("config history --utc", dir, 0);
    assert_non_null(strstr(out,
                           "\n36 older refused ones are not shown; tenon journal cat has them\n"
                           "\nserial 1  probation  one.yaml\n"));
    run("config history --json", dir, 0);
    json_t *root = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "refused_not_shown")), 36);
    assert_int_equal(json_array_size(json_object_get(root, "deployments")), 3 + 64);
    json_decref(root);
}

static void history_of_no_deployment_says_so(void **state)
{
    (void)state;
    run("config history", dir, 0);
    assert_string_equal(out, "no deployment was ever handed to this journal's host\n");
    run("config history", heads, 66); /* a folder without a journal */
    assert_non_null(strstr(err, "error[NOT_FOUND] config history: "));
}

static void journal_cat_shows_the_way_of_a_deployment(void **state)
{
    (void)state;
    run("journal cat --type promotion --from 16 --to 16", dir, 0);
    assert_non_null(strstr(out, " from=PROBATION to=ROLLED_BACK why=DENIALS result=OK "));
    run("journal cat --type SIGNATURE --json --limit 1", dir, 0);
    assert_non_null(strstr(out, "\"role\":\"AUTHOR\",\"kind\":\"DEPLOYMENT\""));
    run("journal cat --type TEXT --limit 1", dir, 0);
    assert_non_null(strstr(out, " kind=DEPLOYMENT total=20 offset=0 count=20 "
                                "bytes=\"schema: 1\\u000aserial: 2\\u000a\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(history_reads_as_golden, make, unmake),
        cmocka_unit_test_setup_teardown(history_in_json_is_one_object, make, unmake),
        cmocka_unit_test_setup_teardown(history_counts_the_older_refused, make_refused, unmake),
        cmocka_unit_test_setup_teardown(history_of_no_deployment_says_so, make_empty, unmake),
        cmocka_unit_test_setup_teardown(journal_cat_shows_the_way_of_a_deployment, make, unmake),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
