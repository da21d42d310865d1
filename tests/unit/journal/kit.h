/* SPDX-License-Identifier: Apache-2.0
 *
 * What the journal's tests share: steps with known content, folders of their own, and the shelf: a
 * store whose groups lie open to the test and which fails when told to. (The shelf implements the
 * storage seam, which exists for that; the real store is tested beside it.)
 */
#ifndef TESTS_JOURNAL_KIT_H
#define TESTS_JOURNAL_KIT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/chain.h"
#include "journal/journal.h"

#define KIT_UNUSED __attribute__((unused))

#define assert_ok(expr)                                                                            \
    do {                                                                                           \
        struct result kit_r_ = (expr);                                                             \
        if (!is_ok(kit_r_))                                                                        \
            fail_msg("%s: %s", #expr, result_name(kit_r_));                                        \
    } while (0)
#define assert_ok_tr(expr, tr)                                                                     \
    do {                                                                                           \
        struct result kit_r_ = (expr);                                                             \
        if (!is_ok(kit_r_))                                                                        \
            fail_msg("%s: %s: %s", #expr, result_name(kit_r_), trail_sentence((tr), kit_r_));      \
    } while (0)
#define assert_code(expr, name) assert_string_equal(result_name(expr), #name)

/* ---- steps ---- */

/* Appends one record of `type` with a payload made from seq and sub; its size. */
KIT_UNUSED static size_t kit_record(uint8_t *out, uint16_t type, uint64_t seq, uint16_t sub,
                                    int64_t t_ns)
{
    struct fact_head h = {.bytes = fact_bytes(type),
                          .seq = seq,
                          .t_ns = t_ns,
                          .type = type,
                          .version = fact_version(type),
                          .sub = sub};
    memcpy(out, &h, sizeof h);
    memset(out + sizeof h, 0, h.bytes);
    for (uint32_t i = 0; i < h.bytes; i++)
        out[sizeof h + i] = (uint8_t)(seq * 31 + sub * 7 + i);
    if (type == FACT_START)
        memcpy(out + sizeof h, &(struct fact_start){.epoch = seq}, sizeof(struct fact_start));
    if (type == FACT_SNAPSHOT)
        memcpy(out + sizeof h, &(struct fact_snapshot){.seq = seq - 1},
               sizeof(struct fact_snapshot));
    return sizeof h + h.bytes;
}

/* One step: an event of `type` and some effects. */
KIT_UNUSED static uint32_t kit_step_of(uint8_t *out, uint16_t type, uint64_t seq, uint32_t effects)
{
    const int64_t t_ns = (int64_t)seq * 1000;
    size_t n = kit_record(out, type, seq, 0, t_ns);
    for (uint32_t i = 1; i <= effects; i++)
        n += kit_record(out + n, i % 2 ? FACT_ORDER : FACT_POSITION, seq, (uint16_t)i, t_ns);
    return (uint32_t)n;
}

/* The step of a number is always the same: START first, then bars with 0 to 3 effects. */
KIT_UNUSED static uint32_t kit_step(uint8_t *out, uint64_t seq)
{
    return kit_step_of(out, seq == 1 ? FACT_START : FACT_BAR, seq, (uint32_t)(seq % 4));
}

enum { KIT_STEP_BYTES = 4096 };

/* Puts steps from..to one by one, waiting for room when the ring is full. */
KIT_UNUSED static void kit_put(struct journal *j, uint64_t from, uint64_t to)
{
    uint8_t step[KIT_STEP_BYTES];
    for (uint64_t seq = from; seq <= to; seq++) {
        const uint32_t n = kit_step(step, seq);
        struct result r = journal_put(j, step, n, seq, false);
        while (r.code == RESULT_FULL && seq > from) {
            assert_ok(journal_wait(j, seq - 1, NULL));
            r = journal_put(j, step, n, seq, false);
        }
        assert_ok(r);
    }
}

/* Puts steps from..to as groups of `per` steps each (a put is never split), each made durable. */
KIT_UNUSED static void kit_put_groups(struct journal *j, uint64_t from, uint64_t to, uint64_t per)
{
    uint8_t *steps = malloc(per * KIT_STEP_BYTES);
    assert_non_null(steps);
    for (uint64_t seq = from; seq <= to;) {
        uint32_t n = 0;
        for (uint64_t i = 0; i < per && seq <= to; i++)
            n += kit_step(steps + n, seq++);
        assert_ok(journal_put(j, steps, n, seq - 1, false));
        assert_ok(journal_wait(j, seq - 1, NULL));
    }
    free(steps);
}

/* Reads everything and compares it with kit_step; the number of records. */
KIT_UNUSED static uint64_t kit_expect_steps(struct journal_store *store, uint64_t from, uint64_t to)
{
    struct journal_reader *reader;
    struct trail tr = {0};
    uint8_t step[KIT_STEP_BYTES];
    uint64_t records = 0;
    assert_ok_tr(journal_reader_open(store, &reader, &tr), &tr);
    for (uint64_t seq = from; seq <= to; seq++) {
        const uint32_t n = kit_step(step, seq);
        for (uint32_t at = 0; at < n; records++) {
            struct fact_head want, head;
            const void *payload;
            memcpy(&want, step + at, sizeof want);
            assert_ok_tr(journal_reader_next(reader, &head, &payload, &tr), &tr);
            want.crc = head.crc;
            assert_memory_equal(&head, &want, sizeof head);
            assert_memory_equal(payload, step + at + sizeof head, head.bytes);
            at += (uint32_t)sizeof head + head.bytes;
        }
    }
    struct fact_head head;
    const void *payload;
    assert_code(journal_reader_next(reader, &head, &payload, &tr), END);
    journal_reader_close(reader);
    return records;
}

/* ---- folders ---- */

KIT_UNUSED static void kit_folder(char out[PATH_MAX])
{
    const char *base = getenv("TMPDIR");
    snprintf(out, PATH_MAX, "%s/tenon-journal-XXXXXX", base ? base : P_tmpdir);
    assert_non_null(mkdtemp(out));
}

KIT_UNUSED static int kit_remove_one(const char *path, const struct stat *st, int flag,
                                     struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

KIT_UNUSED static void kit_remove(const char *path)
{
    nftw(path, kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

KIT_UNUSED static void kit_path(char out[PATH_MAX], const char *dir, const char *name)
{
    assert_true(snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX);
}

KIT_UNUSED static uint8_t *kit_load(const char *path, size_t *count)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *count = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(*count + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *count, f), *count);
    bytes[*count] = 0;
    fclose(f);
    return bytes;
}

KIT_UNUSED static void kit_store(const char *path, const void *bytes, size_t count)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
}

/* Copies the plain files of a folder. */
KIT_UNUSED static void kit_copy(const char *from, const char *to)
{
    DIR *d = opendir(from);
    assert_non_null(d);
    assert_int_equal(mkdir(to, 0700), 0);
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        char a[PATH_MAX], b[PATH_MAX];
        struct stat st;
        kit_path(a, from, e->d_name);
        kit_path(b, to, e->d_name);
        if (stat(a, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        size_t n;
        uint8_t *bytes = kit_load(a, &n);
        kit_store(b, bytes, n);
        assert_int_equal(chmod(b, st.st_mode & 0777), 0);
        free(bytes);
    }
    closedir(d);
}

/* ---- groups by hand ---- */

/* A sealed group of the steps from..to; malloc'ed. */
KIT_UNUSED static uint8_t *kit_group(const uint8_t id[16], uint64_t index, const uint8_t prev[32],
                                     uint64_t from, uint64_t to, size_t *count)
{
    struct hash_sha256 *sha;
    struct group_head head = {.index = index, .first_seq = from, .last_seq = to};
    uint8_t *g = malloc(sizeof head + (to - from + 1) * KIT_STEP_BYTES);
    assert_non_null(g);
    memcpy(head.journal_id, id, 16);
    memcpy(head.prev, prev, 32);
    head.last_t_ns = (int64_t)to * 1000;
    size_t n = sizeof head;
    for (uint64_t seq = from; seq <= to; seq++) {
        const uint32_t step = kit_step(g + n, seq);
        for (uint32_t at = 0; at < step; head.record_count++) {
            struct fact_head h;
            memcpy(&h, g + n + at, sizeof h);
            h.crc = group_crc(g + n + at, h.bytes);
            memcpy(g + n + at, &h, sizeof h);
            at += (uint32_t)group_stride(h.bytes);
        }
        n += step;
    }
    memcpy(g, &head, sizeof head);
    assert_ok(hash_sha256_new(&sha));
    group_seal(g, n, sha);
    hash_sha256_free(sha);
    *count = n;
    return g;
}

KIT_UNUSED static void kit_reseal(uint8_t *group, size_t count)
{
    struct hash_sha256 *sha;
    assert_ok(hash_sha256_new(&sha));
    group_seal(group, count, sha);
    hash_sha256_free(sha);
}

/* ---- the shelf ---- */

enum { SHELF_GROUPS = 4096 };
struct shelf {
    struct journal_store store; /* first */
    pthread_mutex_t lock;
    pthread_cond_t tried;
    struct {
        uint8_t *bytes;
        size_t count;
    } group[SHELF_GROUPS + 1]; /* by index, from 1 */
    uint64_t first, last;
    int32_t fail_with;      /* code of each append while it is not 0 */
    uint64_t tries, stored; /* appends asked for, and done */
    uint64_t used_ppm;
    bool closed; /* shelves outlive their journal */
};

KIT_UNUSED static struct result shelf_append(struct journal_store *st, uint64_t index,
                                             const void *bytes, size_t count, bool sync,
                                             struct trail *tr)
{
    struct shelf *s = (struct shelf *)st;
    (void)sync;
    pthread_mutex_lock(&s->lock);
    struct result r = {.code = s->fail_with};
    s->tries++;
    if (is_ok(r)) {
        assert_true(index <= SHELF_GROUPS);
        free(s->group[index].bytes);
        s->group[index].bytes = malloc(count);
        memcpy(s->group[index].bytes, bytes, count);
        s->group[index].count = count;
        s->last = index;
        s->stored++;
    }
    pthread_cond_broadcast(&s->tried);
    pthread_mutex_unlock(&s->lock);
    return is_ok(r) ? r : FAIL_AS(tr, r, "the shelf fails as told");
}

KIT_UNUSED static struct result shelf_sync(struct journal_store *st, struct trail *tr)
{
    (void)st;
    (void)tr;
    return OK_RESULT;
}

KIT_UNUSED static struct result shelf_read(struct journal_store *st, uint64_t index,
                                           const void **bytes, size_t *count, struct trail *tr)
{
    struct shelf *s = (struct shelf *)st;
    if (index > s->last)
        return RESULT_OF(END);
    if (!s->group[index].bytes)
        return FAIL(tr, CORRUPT, "group %" PRIu64 " is missing on the shelf", index);
    *bytes = s->group[index].bytes;
    *count = s->group[index].count;
    return OK_RESULT;
}

KIT_UNUSED static struct result shelf_bounds(struct journal_store *st, uint64_t *first,
                                             uint64_t *last, struct trail *tr)
{
    struct shelf *s = (struct shelf *)st;
    (void)tr;
    *first = s->first;
    *last = s->last;
    return OK_RESULT;
}

KIT_UNUSED static struct result shelf_space(struct journal_store *st, uint64_t *ppm,
                                            struct trail *tr)
{
    (void)tr;
    *ppm = ((struct shelf *)st)->used_ppm;
    return OK_RESULT;
}

KIT_UNUSED static void shelf_close(struct journal_store *st)
{
    ((struct shelf *)st)->closed = true;
}

static const struct journal_store_ops shelf_ops KIT_UNUSED = {.name = "shelf",
                                                              .append = shelf_append,
                                                              .sync = shelf_sync,
                                                              .read = shelf_read,
                                                              .bounds = shelf_bounds,
                                                              .space = shelf_space,
                                                              .close = shelf_close};

KIT_UNUSED static struct shelf *shelf_new(void)
{
    struct shelf *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->store.ops = &shelf_ops;
    s->first = 1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->tried, NULL);
    return s;
}

KIT_UNUSED static void shelf_free(struct shelf *s)
{
    for (uint64_t i = 0; i <= SHELF_GROUPS; i++)
        free(s->group[i].bytes);
    pthread_cond_destroy(&s->tried);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Puts groups of `per` steps each on the shelf, up to the step `to`; chained, journal id 7. */
static const uint8_t kit_id[16] KIT_UNUSED = {7, 7, 7, 7};
KIT_UNUSED static void shelf_fill(struct shelf *s, uint64_t to, uint64_t per)
{
    uint8_t prev[32] = {0};
    for (uint64_t seq = 1; seq <= to; seq += per) {
        const uint64_t index = ++s->last;
        s->group[index].bytes =
            kit_group(kit_id, index, prev, seq, seq + per - 1, &s->group[index].count);
        memcpy(prev, s->group[index].bytes + offsetof(struct group_head, hash), 32);
    }
}

KIT_UNUSED static void shelf_fail_with(struct shelf *s, int32_t code)
{
    pthread_mutex_lock(&s->lock);
    s->fail_with = code;
    pthread_mutex_unlock(&s->lock);
}

/* Blocks until `more` further appends were asked for. */
KIT_UNUSED static void shelf_await_tries(struct shelf *s, uint64_t more)
{
    pthread_mutex_lock(&s->lock);
    const uint64_t until = s->tries + more;
    while (s->tries < until)
        pthread_cond_wait(&s->tried, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

KIT_UNUSED static struct journal_options kit_options(struct journal_store *store, const char *heads)
{
    return (struct journal_options){
        .store = store, .heads_dir = heads, .sync = true, .clock = &clock_system};
}
#endif
