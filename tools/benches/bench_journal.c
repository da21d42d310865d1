/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal against flat files that carry the same record bytes, in the same run (C1 to C6).
 *
 *   C1  durable records a second in groups of 256, and the time of one such group
 *   C2  time of one durable record
 *   C3  time of one hand-off on the trading thread while 100,000 records a second flow
 *   C4  records a second appended unsynced, with the chain's hash
 *   C5  records a second verified, against reading a flat file and hashing it
 *   C6  opening again: the database alone, and with the whole chain checked
 *
 * Records are 200 bytes. The limit is a preallocated file, its blocks written once before, then
 * pwrite + fdatasync. Rounds of limit and journal alternate, since the disk is shared; the ratio
 * is of the medians of the rounds. Nothing is asserted.
 *
 *   bench_journal [--dir DIR] [--rounds N] [--records N] [--verify PROGRAM]
 */
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/must.h"
#include "journal/group.h"
#include "journal/journal.h"

enum {
    RECORD_BYTES = 200,
    BATCH = 256,
    BATCH_BYTES = BATCH * RECORD_BYTES,
    BLOCK = 50,     /* of each, in turn */
    GROUPS = 500,   /* of C1, each round */
    SINGLES = 1000, /* of C2 */
    COUNT_MAX = 1000,
    HANDOFFS = 200000,
    ROUNDS_MAX = 31,
};

struct bench {
    char dir[PATH_MAX];
    char journal[PATH_MAX + 32], heads[PATH_MAX + 32], flat[PATH_MAX + 32];
    char verify[PATH_MAX];
    uint32_t rounds;
    uint64_t records; /* of C4, C5, C6 */
    uint64_t seq;
};

/* ---- time and figures ---- */

static int64_t now_ns(void)
{
    return clock_mono(&clock_system);
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int compare_double(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *v, uint32_t n)
{
    qsort(v, n, sizeof *v, compare_double);
    return v[n / 2];
}

struct percentiles {
    double p50, p99, p999;
};

static struct percentiles percentiles_of(uint64_t *v, uint32_t n)
{
    qsort(v, n, sizeof *v, compare_u64);
    const uint32_t p50 = n / 2, p99 = n - 1 - n / 100, p999 = n - 1 - n / 1000;
    return (struct percentiles){(double)v[p50], (double)v[p99], (double)v[p999]};
}

/* Medians of each percentile over the rounds. */
struct rounds {
    double rate[ROUNDS_MAX];
    double p50[ROUNDS_MAX], p99[ROUNDS_MAX], p999[ROUNDS_MAX];
    uint32_t count;
};

static void add_round(struct rounds *r, double rate, struct percentiles p)
{
    r->rate[r->count] = rate;
    r->p50[r->count] = p.p50;
    r->p99[r->count] = p.p99;
    r->p999[r->count] = p.p999;
    r->count++;
}

static struct percentiles show(const char *name, struct rounds *r, double unit, const char *word)
{
    const struct percentiles p = {median(r->p50, r->count) / unit, median(r->p99, r->count) / unit,
                                  median(r->p999, r->count) / unit};
    printf("  %-26s p50 %8.1f  p99 %8.1f  p99.9 %8.1f %s", name, p.p50, p.p99, p.p999, word);
    if (r->rate[0] > 0)
        printf("  %10.0f records/s", median(r->rate, r->count));
    printf("\n");
    return p;
}

/* ---- records ---- */

/* A record that makes 200 bytes with its header: the definition of an instance, with what such a
 * record holds (numbers, a hash, names), so that storage that compresses sees the real thing. */
static void fill(uint8_t *out, uint64_t first_seq, uint32_t count)
{
    static_assert(sizeof(struct fact_head) + sizeof(struct fact_instance) == RECORD_BYTES,
                  "the record of this bench has 200 bytes");
    struct fact_instance payload = {
        .kind = 2, .name = "ema-btc", .plugin = "ema_cross", .version = "1.1.0"};
    for (uint32_t i = 0; i < count; i++, out += RECORD_BYTES) {
        const uint64_t seq = first_seq + i;
        const struct fact_head h = {.bytes = sizeof payload,
                                    .seq = seq,
                                    .t_ns = (int64_t)seq * 1000,
                                    .type = FACT_INSTANCE,
                                    .version = fact_version(FACT_INSTANCE)};
        payload.id = (uint32_t)seq;
        payload.due_ns = (int64_t)seq * 7;
        payload.params_hash = seq * 0x9e3779b97f4a7c15ull;
        for (uint32_t k = 0; k < sizeof payload.sha256; k += 8) {
            const uint64_t word = (seq + k) * 0xd6e8feb86659fd93ull;
            memcpy(payload.sha256 + k, &word, 8);
        }
        memcpy(out, &h, sizeof h);
        memcpy(out + sizeof h, &payload, sizeof payload);
    }
}

static void check(struct result r, const struct trail *tr, const char *what)
{
    if (is_ok(r))
        return;
    fprintf(stderr, "bench_journal: %s: %s\n", what, trail_sentence(tr, r));
    exit(1);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct journal *open_journal(struct bench *b, uint32_t group_records, bool sync,
                                    struct journal_found *found)
{
    struct trail tr = {0};
    struct journal_store *store;
    struct journal *j;
    check(journal_store_rocksdb(b->journal, true, false, &store, &tr), &tr, "opening the store");
    const struct journal_options o = {.store = store,
                                      .heads_dir = b->heads,
                                      .group_records_max = group_records,
                                      .sync = sync,
                                      .clock = &clock_system};
    check(journal_open(&o, &j, found, &tr), &tr, "opening the journal");
    b->seq = found->last_seq;
    return j;
}

static void close_journal(struct journal *j)
{
    struct trail tr = {0};
    check(journal_close(j, NULL, &tr), &tr, "closing the journal");
}

static void put(struct journal *j, const uint8_t *bytes, uint32_t count, uint64_t last_seq)
{
    struct result r = journal_put(j, bytes, count, last_seq, false);
    while (r.code == RESULT_FULL) {
        const struct timespec t = {.tv_nsec = 20000};
        nanosleep(&t, NULL);
        r = journal_put(j, bytes, count, last_seq, false);
    }
    check(r, NULL, "journal_put");
}

/* A host that starts has a quiet moment before its first order: upkeep gets the log ready. */
static void settle(void)
{
    const struct timespec t = {.tv_nsec = 300000000};
    nanosleep(&t, NULL);
}

/* ---- the limit: a flat preallocated file ---- */

static int open_flat(const struct bench *b, size_t bytes)
{
    static const uint8_t zero[1 << 20];
    const int fd = open(b->flat, O_RDWR | O_CREAT, 0600);
    must(fd >= 0);
    for (size_t at = (size_t)lseek(fd, 0, SEEK_END); at < bytes; at += sizeof zero)
        must(pwrite(fd, zero, sizeof zero, (off_t)at) == sizeof zero);
    must(fsync(fd) == 0);
    return fd;
}

/* ---- C1, C2: durable ---- */

struct limit_file {
    int fd;
    off_t at;
};

static void flat_block(struct limit_file *f, uint32_t bytes, uint64_t *took)
{
    static uint8_t records[BATCH_BYTES];
    fill(records, 1, bytes / RECORD_BYTES);
    for (uint32_t i = 0; i < BLOCK; i++) {
        const int64_t at = now_ns();
        must(pwrite(f->fd, records, bytes, f->at) == (ssize_t)bytes);
        must(fdatasync(f->fd) == 0);
        took[i] = (uint64_t)(now_ns() - at);
        f->at += bytes;
    }
}

/* Puts, each waited for. */
static void journal_block(struct bench *b, struct journal *j, uint32_t bytes, uint64_t *took)
{
    static uint8_t records[BATCH_BYTES];
    for (uint32_t i = 0; i < BLOCK; i++) {
        fill(records, b->seq + 1, bytes / RECORD_BYTES);
        b->seq += bytes / RECORD_BYTES;
        const int64_t at = now_ns();
        put(j, records, bytes, b->seq);
        check(journal_wait(j, b->seq, NULL), NULL, "journal_wait");
        took[i] = (uint64_t)(now_ns() - at);
    }
}

static double rate_of(const uint64_t *took, uint32_t n, uint32_t bytes)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += took[i];
    const size_t records = bytes / RECORD_BYTES;
    return (double)n * (double)records / ((double)sum / 1e9);
}

/* One round: blocks of both, in turn, since what else uses the disk changes within a second. */
static void durable_round(struct bench *b, struct journal *j, uint32_t count, uint32_t bytes,
                          struct rounds *flat, struct rounds *mine)
{
    static uint64_t flat_took[COUNT_MAX], took[COUNT_MAX];
    struct limit_file f = {.fd = open_flat(b, (size_t)count * bytes)};
    must(count <= COUNT_MAX);
    for (uint32_t done = 0; done < count; done += BLOCK) {
        flat_block(&f, bytes, flat_took + done);
        journal_block(b, j, bytes, took + done);
    }
    close(f.fd);
    add_round(flat, rate_of(flat_took, count, bytes), percentiles_of(flat_took, count));
    add_round(mine, rate_of(took, count, bytes), percentiles_of(took, count));
}

/* The trading thread hands over single records as fast as it can; groups of at most 256. */
static double stream(struct bench *b, struct journal *j, uint64_t records)
{
    uint8_t bytes[RECORD_BYTES];
    const int64_t begin = now_ns();
    for (uint64_t i = 0; i < records; i++) {
        fill(bytes, ++b->seq, 1);
        put(j, bytes, RECORD_BYTES, b->seq);
    }
    check(journal_wait(j, b->seq, NULL), NULL, "journal_wait");
    return (double)records / ((double)(now_ns() - begin) / 1e9);
}

static void bench_durable(struct bench *b)
{
    static struct rounds flat, group, one_flat, one;
    static double streamed[ROUNDS_MAX], ratio[ROUNDS_MAX];
    struct journal_found found;
    struct journal *j = open_journal(b, BATCH, true, &found);
    settle();
    for (uint32_t i = 0; i < b->rounds; i++)
        durable_round(b, j, SINGLES, RECORD_BYTES, &one_flat, &one);
    for (uint32_t i = 0; i < b->rounds; i++) {
        durable_round(b, j, GROUPS, BATCH_BYTES, &flat, &group);
        streamed[i] = stream(b, j, (uint64_t)GROUPS * BATCH);
        ratio[i] = streamed[i] / flat.rate[i];
    }
    close_journal(j);
    printf("C1 durable, groups of 256\n");
    const struct percentiles f = show("flat preallocated", &flat, 1000, "us");
    const struct percentiles g = show("journal, put and waited", &group, 1000, "us");
    const double rate = median(flat.rate, flat.count);
    const double stream_rate = median(streamed, b->rounds);
    printf("  %-26s %*.0f records/s\n", "journal, streamed", 60, stream_rate);
    printf("  ratio of rates: %.2f waited, %.2f streamed (target >= 0.6); p50 of a group %.2f x\n",
           median(group.rate, group.count) / rate, median(ratio, b->rounds), g.p50 / f.p50);
    printf("C2 one durable record\n");
    const struct percentiles f1 = show("flat preallocated", &one_flat, 1000, "us");
    const struct percentiles g1 = show("journal", &one, 1000, "us");
    printf("  ratio: p50 %.2f x (target <= 1.2), p99 %.2f x\n", g1.p50 / f1.p50, g1.p99 / f1.p99);
}

/* ---- C3: hand-off ---- */

static void bench_handoff(struct bench *b)
{
    static uint64_t took[HANDOFFS];
    struct journal_found found;
    struct rounds null_loop = {0}, hand = {0};
    uint8_t bytes[RECORD_BYTES];
    struct journal *j = open_journal(b, 0, true, &found);
    settle();
    for (uint32_t round = 0; round < b->rounds; round++) {
        for (uint32_t i = 0; i < HANDOFFS; i++) {
            const int64_t at = now_ns();
            took[i] = (uint64_t)(now_ns() - at);
        }
        add_round(&null_loop, 0, percentiles_of(took, HANDOFFS));
        int64_t next = now_ns();
        for (uint32_t i = 0; i < HANDOFFS; i++) {
            fill(bytes, ++b->seq, 1);
            while (now_ns() < next)
                ;
            const int64_t at = now_ns();
            const struct result r = journal_put(j, bytes, RECORD_BYTES, b->seq, false);
            took[i] = (uint64_t)(now_ns() - at);
            check(r, NULL, "journal_put");
            next += 10000;
        }
        add_round(&hand, 0, percentiles_of(took, HANDOFFS));
    }
    close_journal(j);
    printf("C3 hand-off at 100,000 records a second, durable behind it\n");
    const struct percentiles n = show("null loop (two clock reads)", &null_loop, 1, "ns");
    const struct percentiles h = show("journal_put", &hand, 1, "ns");
    printf("  without the clock: p50 %.0f ns (target <= 100), p99 %.0f ns\n", h.p50 - n.p50,
           h.p99 - n.p50);
}

/* ---- C4: unsynced ---- */

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double hash_alone(uint64_t records)
{
    struct hash_sha256 *sha;
    uint8_t record[RECORD_BYTES], chain[32] = {0};
    check(hash_sha256_new(&sha), NULL, "SHA-256");
    fill(record, 1, 1);
    const int64_t begin = now_ns();
    for (uint64_t i = 0; i < records; i++) {
        memcpy(record + 100, chain, sizeof chain);
        hash_sha256_begin(sha);
        hash_sha256_add(sha, record, RECORD_BYTES);
        hash_sha256_end(sha, chain);
    }
    const double rate = (double)records / ((double)(now_ns() - begin) / 1e9);
    hash_sha256_free(sha);
    return rate;
}

static void bench_unsynced(struct bench *b)
{
    struct journal_found found;
    const double limit = hash_alone(b->records);
    struct journal *j = open_journal(b, 0, false, &found);
    const double cpu = cpu_seconds();
    const double rate = stream(b, j, b->records);
    const double used = cpu_seconds() - cpu;
    close_journal(j);
    printf("C4 unsynced append with the chain's hash\n");
    printf("  %-26s %10.0f records/s\n", "SHA-256 chain alone", limit);
    printf("  %-26s %10.0f records/s (%.2f x; target >= 1.5M), %.2f us of CPU a record in all "
           "threads\n",
           "journal on RocksDB", rate, rate / limit, used / (double)b->records * 1e6);
}

/* ---- C5, C6: reading it back ---- */

/* Reads a flat file of the same records in groups of 256 and hashes: per group with each record's
 * CRC (the journal's own checks), or a chain of one hash per record. */
static double scan_flat(const struct bench *b, uint64_t records, bool per_record)
{
    static uint8_t bytes[BATCH_BYTES];
    struct hash_sha256 *sha;
    uint8_t chain[32] = {0};
    uint32_t crc = 0;
    check(hash_sha256_new(&sha), NULL, "SHA-256");
    const int fd = open(b->flat, O_RDONLY);
    must(fd >= 0);
    const int64_t begin = now_ns();
    for (uint64_t done = 0; done < records; done += BATCH) {
        must(read(fd, bytes, sizeof bytes) == sizeof bytes);
        if (!per_record) {
            hash_sha256_begin(sha);
            hash_sha256_add(sha, chain, sizeof chain);
            hash_sha256_add(sha, bytes, sizeof bytes);
            hash_sha256_end(sha, chain);
        }
        for (uint32_t i = 0; i < BATCH; i++) {
            const uint8_t *record = bytes + (size_t)i * RECORD_BYTES;
            if (!per_record) {
                crc ^= group_crc(record, RECORD_BYTES - sizeof(struct fact_head));
                continue;
            }
            hash_sha256_begin(sha);
            hash_sha256_add(sha, chain, sizeof chain);
            hash_sha256_add(sha, record, RECORD_BYTES);
            hash_sha256_end(sha, chain);
        }
    }
    const double rate = (double)records / ((double)(now_ns() - begin) / 1e9);
    close(fd);
    hash_sha256_free(sha);
    if (crc == 1 && chain[0] == 1)
        printf(" "); /* the results are used */
    return rate;
}

static double run_verify(const struct bench *b, uint64_t records)
{
    const int64_t begin = now_ns();
    int status = -1;
    const pid_t child = fork();
    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        execl(b->verify, "tenon-verify", b->journal, "--heads", b->heads, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        return 0;
    return (double)records / ((double)(now_ns() - begin) / 1e9);
}

static void bench_verify(struct bench *b)
{
    static uint8_t bytes[BATCH_BYTES];
    static double whole[ROUNDS_MAX], chained[ROUNDS_MAX], start[ROUNDS_MAX], tool[ROUNDS_MAX];
    static double database[ROUNDS_MAX], all[ROUNDS_MAX];
    struct journal_found found = {0};
    const uint64_t flat_records = b->records / BATCH * BATCH;
    const int fd = open(b->flat, O_RDWR | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0);
    for (uint64_t done = 0; done < flat_records; done += BATCH) {
        fill(bytes, done + 1, BATCH);
        must(write(fd, bytes, sizeof bytes) == sizeof bytes);
    }
    close(fd);
    for (uint32_t i = 0; i < b->rounds; i++) {
        whole[i] = scan_flat(b, flat_records, false);
        chained[i] = scan_flat(b, flat_records, true);
        struct trail tr = {0};
        struct journal_store *store;
        const int64_t a = now_ns();
        check(journal_store_rocksdb(b->journal, false, false, &store, &tr), &tr, "opening");
        const int64_t c = now_ns();
        store->ops->close(store);
        const int64_t d = now_ns();
        struct journal *j = open_journal(b, 0, true, &found);
        const int64_t e = now_ns();
        close_journal(j);
        database[i] = (double)(c - a) / 1e6;
        all[i] = (double)(e - d) / 1e6;
        start[i] = (double)found.records / ((double)(e - d) / 1e9);
        tool[i] = run_verify(b, found.records);
    }
    const double limit = median(whole, b->rounds);
    const double mine = median(start, b->rounds), theirs = median(tool, b->rounds);
    printf("C5 verify, %" PRIu64 " records, page cache warm\n", found.records);
    printf("  %-34s %10.0f records/s\n", "flat scan + SHA-256 + CRC per group", limit);
    printf("  %-34s %10.0f records/s\n", "flat scan + SHA-256 chain per record",
           median(chained, b->rounds));
    printf("  %-34s %10.0f records/s (%.2f x)\n", "start (open and check)", mine, mine / limit);
    printf("  %-34s %10.0f records/s (%.2f x; target >= 0.7)\n", "tenon-verify, whole process",
           theirs, theirs / limit);
    printf("C6 open again, %" PRIu64 " records\n", found.records);
    printf("  database alone %.1f ms (target <= 50); with every group read and hashed %.0f ms\n",
           median(database, b->rounds), median(all, b->rounds));
}

static void bench_start(struct bench *b)
{
    double took[ROUNDS_MAX];
    struct journal_found found;
    struct journal *j = open_journal(b, 0, true, &found);
    stream(b, j, 10000);
    close_journal(j);
    for (uint32_t i = 0; i < b->rounds; i++) {
        const int64_t at = now_ns();
        j = open_journal(b, 0, true, &found);
        took[i] = (double)(now_ns() - at) / 1e6;
        close_journal(j);
    }
    printf("start with a small database (10,000 records): %.1f ms (target <= 30 in all)\n",
           median(took, b->rounds));
}

/* ---- main ---- */

static void new_folder(struct bench *b)
{
    const char *base = getenv("TMPDIR");
    if (b->dir[0] == '\0')
        snprintf(b->dir, sizeof b->dir, "%s", base ? base : P_tmpdir);
    const size_t n = strlen(b->dir);
    snprintf(b->dir + n, sizeof b->dir - n, "/bench-journal-XXXXXX");
    if (!mkdtemp(b->dir)) {
        fprintf(stderr, "bench_journal: no folder can be made in %s; use --dir\n", b->dir);
        exit(1);
    }
    snprintf(b->journal, sizeof b->journal, "%s/journal", b->dir);
    snprintf(b->heads, sizeof b->heads, "%s/heads", b->dir);
    snprintf(b->flat, sizeof b->flat, "%s/flat", b->dir);
}

static void again(struct bench *b)
{
    remove_tree(b->journal);
    remove_tree(b->heads);
    b->seq = 0;
}

static void parse_args(struct bench *b, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--dir") == 0)
            snprintf(b->dir, sizeof b->dir, "%s", argv[i + 1]);
        else if (strcmp(argv[i], "--rounds") == 0)
            b->rounds = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--records") == 0)
            b->records = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--verify") == 0)
            snprintf(b->verify, sizeof b->verify, "%s", argv[i + 1]);
        else
            argc = 0;
    }
    if (argc % 2 == 1 && b->rounds > 0 && b->rounds <= ROUNDS_MAX && b->records >= BATCH)
        return;
    fprintf(stderr,
            "usage: bench_journal [--dir DIR] [--rounds 1..%d] [--records N] "
            "[--verify PROGRAM]\n",
            ROUNDS_MAX);
    exit(64);
}

int main(int argc, char **argv)
{
    static struct bench b = {.rounds = 5, .records = 2000000};
    const ssize_t n = readlink("/proc/self/exe", b.verify, sizeof b.verify - 1);
    char *name = n > 0 ? strrchr(b.verify, '/') : NULL;
    if (name && (size_t)(name - b.verify) + 16 < sizeof b.verify)
        memcpy(name, "/tenon-verify", 14);
    parse_args(&b, argc, argv);
    new_folder(&b);
    printf("journal bench: %d-byte records, %u rounds, in %s\n", RECORD_BYTES, b.rounds, b.dir);
    bench_durable(&b);
    again(&b);
    bench_handoff(&b);
    again(&b);
    bench_start(&b);
    again(&b);
    bench_unsynced(&b);
    bench_verify(&b);
    remove_tree(b.dir);
    return 0;
}
