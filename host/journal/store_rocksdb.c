/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups in RocksDB: key = big-endian index, value = the whole group. RocksDB gives the write-ahead
 * log, the files, the lock and block checksums; whether anything is missing is judged by the chain
 * and the heads, never by RocksDB.
 *
 * That is why the log is opened in the mode that skips damaged entries. The stricter modes either
 * end at the first damage without a word (the default), or refuse without naming what was hit. A
 * skipped entry is a missing group, and check.c names it; a skipped last entry is a journal shorter
 * than its head. Recovered logs are kept as they are (avoid_flush_during_recovery), so a refused
 * start does not destroy what it refused.
 *
 * A sync is cheap only when it writes no metadata, that is, when the file neither grows nor has
 * blocks never written before. RocksDB's own answer, recycled log files, cannot be had: the strict
 * modes forbid it, and in the skipping mode its log reader (7.8.3) never ends on a recycled log
 * after a crash. So this file keeps the current log extended with zeros, a piece at a time while
 * nothing waits, or in passing when a load leaves no pause. Zeros are the end of a log to RocksDB
 * in every mode, and only the thread that appends also extends.
 *
 * After a failed write RocksDB stays read-only, so the next append closes and opens the database
 * again and checks that nothing acknowledged has gone.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <rocksdb/c.h>

#include "base/must.h"
#include "journal/disk.h"
#include "journal/journal.h"

enum {
    REOPEN_BYTES = 2 * 1024 * 1024, /* free on the disk before a database is opened to write */
    KEY_BYTES = 8,
    LOOKS_MAX = 8, /* at a journal that is being written, before something is missing */
    LOG_BYTES = 16 * 1024 * 1024, /* memtable, and so about one log file */
    LOG_BYTES_MAX = LOG_BYTES + LOG_BYTES / 4,
    ZERO_BYTES = 256 * 1024,  /* of one piece of upkeep */
    ZERO_AHEAD = 2048 * 1024, /* upkeep keeps this much ready */
    ZERO_PASSING = 1024 * 1024,
};

struct rocks {
    struct journal_store store; /* first: the store is the object */
    char dir[PATH_MAX];
    bool read_only;
    bool broken; /* an append failed: open again before the next one */
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_writeoptions_t *synced, *unsynced;
    rocksdb_readoptions_t *scan;
    uint64_t last;           /* index last appended or found */
    uint64_t log_number;     /* of the current log; 0 = not looked for yet */
    int log_fd;              /* to extend it; -1 = not to be extended */
    uint64_t log_size;       /* bytes of it that exist */
    uint64_t log_used;       /* bytes of it that were appended */
    uint64_t log_look_at;    /* when log_used is there, look for a newer log */
    pthread_mutex_t reading; /* guards the members below */
    rocksdb_iterator_t *at;  /* stands on group at_index, or NULL */
    uint64_t at_index;
    _Atomic uint64_t changes; /* an iterator from before a change does not see it */
    uint64_t at_changes;
};

static struct rocks *of(struct journal_store *s)
{
    return (struct rocks *)s;
}

static void key_of(uint64_t index, char key[KEY_BYTES])
{
    const uint64_t big = __builtin_bswap64(index);
    memcpy(key, &big, KEY_BYTES);
}

/* Index of the entry the iterator stands on; 0 when it is no group of ours. */
static uint64_t index_at(const rocksdb_iterator_t *it)
{
    size_t count = 0;
    uint64_t big = 0;
    const char *key = rocksdb_iter_key(it, &count);
    if (count == KEY_BYTES)
        memcpy(&big, key, KEY_BYTES);
    return __builtin_bswap64(big);
}

/* RocksDB answers in words; its first words are stable and tell the class. Frees them. */
static struct result failed(char *words, const char *dir, const char *what, struct trail *tr)
{
    char shown[200];
    struct result r = RESULT_OF(IO);
    if (strstr(words, "No space left") || strstr(words, "NoSpace") ||
        strstr(words, "Disk quota exceeded"))
        r = RESULT_OF(DISK_FULL);
    else if (strstr(words, "lock hold by") || strstr(words, "While lock file"))
        r = RESULT_OF(BUSY);
    else if (strncmp(words, "Corruption", 10) == 0 || strstr(words, "No such file") ||
             strstr(words, "mismatch"))
        r = RESULT_OF(CORRUPT);
    /* A table that is not there is named by the old ending, which RocksDB tries last. */
    for (char *old = strstr(words, ".ldb"); old; old = strstr(old, ".ldb"))
        memcpy(old, ".sst", 4);
    text_escape(shown, sizeof shown, words, strlen(words));
    rocksdb_free(words);
    if (r.code == RESULT_BUSY)
        return FAIL_AS(tr, r,
                       "the journal in %s is in use: another instance holds it; stop that "
                       "one first",
                       dir);
    return FAIL_AS(tr, r, "the journal in %s %s: %s; %s", dir, what, shown, result_remedy(r));
}

static rocksdb_options_t *make_options(bool create)
{
    rocksdb_options_t *base = rocksdb_options_create();
    rocksdb_options_t *o = rocksdb_options_create();
    char *error = NULL;
    /* No door of its own in the C API. */
    rocksdb_get_options_from_string(base, "avoid_flush_during_recovery=true;", o, &error);
    rocksdb_options_destroy(base);
    if (error)
        rocksdb_free(error);
    rocksdb_options_set_create_if_missing(o, create);
    rocksdb_options_set_paranoid_checks(o, 1);
    rocksdb_options_set_wal_recovery_mode(o, rocksdb_skip_any_corrupted_records_recovery);
    rocksdb_options_set_write_buffer_size(o, LOG_BYTES);
    rocksdb_options_set_max_write_buffer_number(o, 6);
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    rocksdb_options_set_allow_concurrent_memtable_write(o, 0);
    rocksdb_options_set_enable_write_thread_adaptive_yield(o, 0);
    rocksdb_options_set_bytes_per_sync(o, 1 << 20);
    rocksdb_options_set_level0_slowdown_writes_trigger(o, 1 << 20);
    rocksdb_options_set_level0_stop_writes_trigger(o, 1 << 20);
    rocksdb_options_set_max_open_files(o, 256);
    rocksdb_options_set_keep_log_file_num(o, 2);
    rocksdb_options_set_max_log_file_size(o, 1 << 20);
    /* Only what is fatal: Debian's RocksDB has its assertions on, and a second line that its own
     * log file cannot take on a full disk is one of them. Every failure reaches us as a result. */
    rocksdb_options_set_info_log_level(o, 4);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_stats_persist_period_sec(o, 0);
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_no_block_cache(table, 1);
    rocksdb_options_set_block_based_table_factory(o, table);
    rocksdb_block_based_options_destroy(table);
    return o;
}

/* ---- reading ---- */

static void drop_iterator(struct rocks *k)
{
    if (k->at)
        rocksdb_iter_destroy(k->at);
    k->at = NULL;
}

/* Moves the iterator to the first key >= index; going on by one is the common case. */
static void move_to(struct rocks *k, uint64_t index)
{
    char key[KEY_BYTES];
    const uint64_t changes = atomic_load(&k->changes);
    if (k->at && k->at_index + 1 == index && rocksdb_iter_valid(k->at)) {
        rocksdb_iter_next(k->at);
        if (rocksdb_iter_valid(k->at) || changes == k->at_changes)
            return;
    }
    drop_iterator(k);
    key_of(index, key);
    k->at_changes = changes;
    k->at = rocksdb_create_iterator(k->db, k->scan);
    rocksdb_iter_seek(k->at, key, KEY_BYTES);
}

static struct result iterator_error(struct rocks *k, const char *what, struct trail *tr)
{
    char *error = NULL;
    rocksdb_iter_get_error(k->at, &error);
    return error ? failed(error, k->dir, what, tr) : OK_RESULT;
}

static struct result read_at(struct rocks *k, uint64_t index, const void **bytes, size_t *count,
                             struct trail *tr)
{
    char what[80];
    move_to(k, index);
    snprintf(what, sizeof what, "cannot be read at group %" PRIu64, index);
    TRY(iterator_error(k, what, tr));
    if (!rocksdb_iter_valid(k->at))
        return RESULT_OF(END);
    k->at_index = index_at(k->at);
    if (k->at_index != index)
        return FAIL(tr, CORRUPT,
                    "group %" PRIu64 " is missing in %s: its entry was damaged or removed, and "
                    "group %" PRIu64 " comes next; restore a good copy",
                    index, k->dir, k->at_index);
    *bytes = rocksdb_iter_value(k->at, count);
    return OK_RESULT;
}

static struct result open_db(struct rocks *k, struct trail *tr);

/* A reader beside a writer may have opened between the end of a log and the table that replaced it:
 * then groups are missing in its view that are in the journal. Another look tells; what is missing
 * in every one of them is missing. */
static struct result look_again(struct rocks *k, struct trail *tr)
{
    drop_iterator(k);
    if (k->db)
        rocksdb_close(k->db);
    k->db = NULL;
    return open_db(k, tr);
}

static struct result closed(const struct rocks *k, struct trail *tr)
{
    return FAIL(tr, IO, "the journal in %s is closed after a failed write: free space and wait",
                k->dir);
}

static struct result rocks_read(struct journal_store *s, uint64_t index, const void **bytes,
                                size_t *count, struct trail *tr)
{
    struct rocks *k = of(s);
    const uint32_t said = tr != NULL ? tr->count : 0;
    pthread_mutex_lock(&k->reading);
    struct result r = k->db ? read_at(k, index, bytes, count, tr) : closed(k, tr);
    for (uint32_t i = 0; k->read_only && r.code == RESULT_CORRUPT && i < LOOKS_MAX; i++) {
        if (tr != NULL)
            tr->count = said;
        r = look_again(k, tr);
        if (is_ok(r))
            r = read_at(k, index, bytes, count, tr);
    }
    if (!is_ok(r))
        drop_iterator(k);
    pthread_mutex_unlock(&k->reading);
    return r;
}

static struct result read_bounds(struct rocks *k, uint64_t *first, uint64_t *last, struct trail *tr)
{
    drop_iterator(k);
    k->at_index = 0;
    k->at_changes = atomic_load(&k->changes);
    k->at = rocksdb_create_iterator(k->db, k->scan);
    rocksdb_iter_seek_to_last(k->at);
    TRY(iterator_error(k, "cannot be read at its last group", tr));
    *first = 1;
    *last = 0;
    if (!rocksdb_iter_valid(k->at))
        return OK_RESULT;
    *last = index_at(k->at);
    rocksdb_iter_seek_to_first(k->at);
    TRY(iterator_error(k, "cannot be read at its first group", tr));
    if (rocksdb_iter_valid(k->at))
        *first = index_at(k->at);
    if (*first == 0 || *last < *first)
        return FAIL(tr, CORRUPT,
                    "the journal in %s has an entry that is no group: something else "
                    "wrote to it; restore a good copy",
                    k->dir);
    return OK_RESULT;
}

static struct result rocks_bounds(struct journal_store *s, uint64_t *first, uint64_t *last,
                                  struct trail *tr)
{
    struct rocks *k = of(s);
    pthread_mutex_lock(&k->reading);
    struct result r = k->db ? read_bounds(k, first, last, tr) : closed(k, tr);
    drop_iterator(k);
    pthread_mutex_unlock(&k->reading);
    return r;
}

/* ---- opening ---- */

/* A reader may find a log in the list that the writer has just done away with: it looks again. */
static struct result open_db(struct rocks *k, struct trail *tr)
{
    char *error = NULL;
    for (uint32_t i = 0; i < LOOKS_MAX; i++) {
        free(error);
        error = NULL;
        k->db = k->read_only ? rocksdb_open_for_read_only(k->options, k->dir, 0, &error)
                             : rocksdb_open(k->options, k->dir, &error);
        if (!error)
            return OK_RESULT;
        k->db = NULL;
        if (!k->read_only)
            break;
    }
    return failed(error, k->dir, "cannot be opened", tr);
}

static void close_db(struct rocks *k)
{
    pthread_mutex_lock(&k->reading);
    drop_iterator(k);
    if (k->db)
        rocksdb_close(k->db);
    k->db = NULL;
    if (k->log_fd >= 0)
        close(k->log_fd);
    k->log_fd = -1;
    k->log_number = 0;
    atomic_fetch_add(&k->changes, 1);
    pthread_mutex_unlock(&k->reading);
}

/* After a failed append: a fresh database object, and proof that what was acknowledged is there. */
static struct result open_again(struct rocks *k, struct trail *tr)
{
    uint64_t first, last;
    TRY(disk_has_room(k->dir, REOPEN_BYTES, tr));
    close_db(k);
    pthread_mutex_lock(&k->reading);
    struct result r = open_db(k, tr);
    if (is_ok(r))
        r = read_bounds(k, &first, &last, tr);
    drop_iterator(k);
    pthread_mutex_unlock(&k->reading);
    if (!is_ok(r))
        return r;
    if (last < k->last)
        return FAIL(tr, TRUNCATED,
                    "the journal in %s ends at group %" PRIu64 " after a failed write, but group "
                    "%" PRIu64 " was acknowledged: run tenon-verify",
                    k->dir, last, k->last);
    k->broken = false;
    return OK_RESULT;
}

/* ---- the log file ahead of what is written ---- */

static bool is_log(const char *name, uint64_t *number)
{
    char *end;
    if (name[0] < '0' || name[0] > '9')
        return false;
    *number = strtoull(name, &end, 10);
    return strcmp(end, ".log") == 0;
}

/* Turns to the newest log, when it is another one. */
static void follow_log(struct rocks *k)
{
    uint64_t newest = 0, number;
    struct stat st;
    DIR *d = opendir(k->dir);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        if (is_log(e->d_name, &number) && number > newest)
            newest = number;
    if (d)
        closedir(d);
    if (newest <= k->log_number)
        return;
    char path[PATH_MAX + 32];
    if (k->log_fd >= 0)
        close(k->log_fd);
    snprintf(path, sizeof path, "%s/%06" PRIu64 ".log", k->dir, newest);
    k->log_fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    k->log_number = newest;
    k->log_size = k->log_used = 0;
    k->log_look_at = LOG_BYTES - LOG_BYTES / 8;
    if (k->log_fd >= 0 && fstat(k->log_fd, &st) == 0)
        k->log_size = k->log_used = (uint64_t)st.st_size;
}

/* Whoever fails here only goes without: the append itself will say what is wrong. */
static void extend_log(struct rocks *k, uint64_t bytes, bool sync)
{
    static const uint8_t zero[ZERO_PASSING];
    must(bytes <= sizeof zero);
    if (k->log_size >= LOG_BYTES_MAX)
        return;
    if (k->log_size < k->log_used)
        k->log_size = k->log_used;
    if (pwrite(k->log_fd, zero, bytes, (off_t)k->log_size) == (ssize_t)bytes &&
        (!sync || fdatasync(k->log_fd) == 0)) {
        k->log_size += bytes;
        return;
    }
    close(k->log_fd);
    k->log_fd = -1;
}

static void rocks_upkeep(struct journal_store *s)
{
    struct rocks *k = of(s);
    if (k->broken || k->read_only || !k->db)
        return;
    if (k->log_number == 0)
        follow_log(k);
    if (k->log_fd >= 0 && k->log_size < k->log_used + ZERO_AHEAD)
        extend_log(k, ZERO_BYTES, true);
}

/* ---- writing ---- */

static struct result rocks_append(struct journal_store *s, uint64_t index, const void *bytes,
                                  size_t count, bool sync, struct trail *tr)
{
    struct rocks *k = of(s);
    char key[KEY_BYTES];
    char *error = NULL;
    must(!k->read_only);
    must(index == k->last + 1 || (index == k->last && index > 0));
    if (k->broken)
        TRY(open_again(k, tr));
    if (sync && k->log_fd >= 0 && k->log_used + count + ZERO_BYTES > k->log_size)
        extend_log(k, ZERO_PASSING, false);
    key_of(index, key);
    rocksdb_put(k->db, sync ? k->synced : k->unsynced, key, KEY_BYTES, bytes, count, &error);
    if (error) {
        k->broken = true;
        return failed(error, k->dir, "cannot be written", tr);
    }
    k->last = index;
    k->log_used += count + count / 1024 + 64; /* with RocksDB's headers */
    if (k->log_used > k->log_look_at) {
        k->log_look_at = k->log_used + ZERO_BYTES;
        follow_log(k);
    }
    atomic_fetch_add_explicit(&k->changes, 1, memory_order_relaxed);
    return OK_RESULT;
}

static struct result rocks_sync(struct journal_store *s, struct trail *tr)
{
    struct rocks *k = of(s);
    char *error = NULL;
    if (k->broken)
        TRY(open_again(k, tr));
    rocksdb_flush_wal(k->db, 1, &error);
    if (!error)
        return OK_RESULT;
    k->broken = true;
    return failed(error, k->dir, "cannot be synced", tr);
}

static struct result rocks_checkpoint(struct journal_store *s, const char *dir, struct trail *tr)
{
    struct rocks *k = of(s);
    char *error = NULL;
    rocksdb_checkpoint_t *c = rocksdb_checkpoint_object_create(k->db, &error);
    if (!error)
        rocksdb_checkpoint_create(c, dir, 0, &error);
    if (c)
        rocksdb_checkpoint_object_destroy(c);
    return error ? failed(error, k->dir, "cannot be copied", tr) : OK_RESULT;
}

/* Whole files first, which frees their space at once; then what is left of the range. */
static struct result rocks_drop_before(struct journal_store *s, uint64_t index, struct trail *tr)
{
    struct rocks *k = of(s);
    char from[KEY_BYTES], to[KEY_BYTES];
    char *error = NULL;
    must(!k->read_only);
    key_of(0, from);
    key_of(index, to);
    rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
    rocksdb_flush(k->db, flush, &error);
    rocksdb_flushoptions_destroy(flush);
    if (!error)
        rocksdb_delete_file_in_range(k->db, from, KEY_BYTES, to, KEY_BYTES, &error);
    if (!error) {
        rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
        rocksdb_writebatch_delete_range(batch, from, KEY_BYTES, to, KEY_BYTES);
        rocksdb_write(k->db, k->synced, batch, &error);
        rocksdb_writebatch_destroy(batch);
    }
    atomic_fetch_add(&k->changes, 1);
    return error ? failed(error, k->dir, "cannot be pruned", tr) : OK_RESULT;
}

static struct result rocks_space(struct journal_store *s, uint64_t *used_ppm, struct trail *tr)
{
    return disk_used_ppm(of(s)->dir, used_ppm, tr);
}

static void rocks_close(struct journal_store *s)
{
    struct rocks *k = of(s);
    close_db(k);
    rocksdb_readoptions_destroy(k->scan);
    rocksdb_writeoptions_destroy(k->synced);
    rocksdb_writeoptions_destroy(k->unsynced);
    rocksdb_options_destroy(k->options);
    pthread_mutex_destroy(&k->reading);
    free(k);
}

static const struct journal_store_ops rocks_ops = {
    .name = "rocksdb",
    .append = rocks_append,
    .sync = rocks_sync,
    .read = rocks_read,
    .bounds = rocks_bounds,
    .checkpoint = rocks_checkpoint,
    .drop_before = rocks_drop_before,
    .space = rocks_space,
    .upkeep = rocks_upkeep,
    .close = rocks_close,
};

/* A database without its CURRENT file would be made anew over what is left of it. A log or a table
 * is only ever made after CURRENT: without either, a power cut ended the first start of all. */
static struct result check_remains(struct rocks *k, bool create, struct trail *tr)
{
    char path[PATH_MAX + 16];
    uint64_t number;
    bool remains = false;
    snprintf(path, sizeof path, "%s/CURRENT", k->dir);
    if (access(path, F_OK) == 0)
        return OK_RESULT;
    DIR *d = opendir(k->dir);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        remains = remains || is_log(e->d_name, &number) || strstr(e->d_name, ".sst");
    if (d)
        closedir(d);
    if (remains)
        return FAIL(tr, CORRUPT,
                    "the file CURRENT of the journal in %s is missing: restore a good "
                    "copy",
                    k->dir);
    if (!create)
        return FAIL(tr, NOT_FOUND, "there is no journal in %s (no file CURRENT): check the path",
                    k->dir);
    return OK_RESULT;
}

static struct result open_new(struct rocks *k, bool create, struct trail *tr)
{
    uint64_t first;
    TRY(check_remains(k, create, tr));
    if (create && mkdir(k->dir, 0700) != 0 && errno != EEXIST)
        return FAIL(tr, IO, "the journal folder %s cannot be made: %s", k->dir, strerror(errno));
    if (!k->read_only)
        TRY(disk_has_room(k->dir, REOPEN_BYTES, tr));
    struct result r = open_db(k, tr);
    if (is_ok(r))
        r = rocks_bounds(&k->store, &first, &k->last, tr);
    return r;
}

struct result journal_store_rocksdb(const char *dir, bool create, bool read_only,
                                    struct journal_store **out, struct trail *tr)
{
    *out = NULL;
    if (strlen(dir) >= PATH_MAX - 300)
        return FAIL(tr, TOO_LARGE, "the name of the journal folder is longer than %d bytes",
                    PATH_MAX - 300);
    struct rocks *k = calloc(1, sizeof *k);
    if (!k)
        return FAIL(tr, FULL, "no memory for the journal in %s", dir);
    k->store.ops = &rocks_ops;
    memcpy(k->dir, dir, strlen(dir) + 1);
    k->read_only = read_only;
    k->log_fd = -1;
    pthread_mutex_init(&k->reading, NULL);
    k->options = make_options(create && !read_only);
    k->synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(k->synced, 1);
    k->unsynced = rocksdb_writeoptions_create();
    k->scan = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(k->scan, 1);
    rocksdb_readoptions_set_fill_cache(k->scan, 0);
    rocksdb_readoptions_set_readahead_size(k->scan, 2 << 20);
    struct result r = open_new(k, create && !read_only, tr);
    if (!is_ok(r)) {
        rocks_close(&k->store);
        return r;
    }
    *out = &k->store;
    return OK_RESULT;
}
