/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the host's side of sources: what files are taken, unpacked and refused; facts and ROWS in
 * file order whatever the packing; totals; and a source that breaks its contract is caught.
 * Method: real plugins (replay.so, synth.so) over files the test writes, plain, gzip and zstd; then
 * a faulty source made of a table of tricks. Case numbers are those of the bad-input list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include "base/hash.h"
#include "flow/feed.h"
#include "tenon/strategy.h"

#define NS 1000000000ll
static char folder[64];
static const struct tn_entry *replay, *synth;

static const struct fact_instrument instrument = {.id = 7,
                                                  .contract = FACT_LINEAR,
                                                  .price_exp = -2,
                                                  .qty_exp = -3,
                                                  .tick = 5,
                                                  .lot = 1,
                                                  .multiplier = 1,
                                                  .symbol = "TEST"};

static const struct tn_entry *load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.so", TENON_PLUGIN_DIR, name);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        print_message("%s\n", dlerror());
    assert_non_null(handle);
    const struct tn_entry *entry = dlsym(handle, "tn_entry");
    assert_non_null(entry);
    return entry;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/feed-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    replay = load("replay");
    synth = load("synth");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const void *bytes, size_t count)
{
    FILE *f = fopen(path_of(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
}

static struct feed_spec spec_of(const char *path)
{
    return (struct feed_spec){.path = path,
                              .entry = replay,
                              .instrument = &instrument,
                              .instrument_count = 1,
                              .stamp = TN_STAMP_START,
                              .bar_ns = 60 * NS,
                              .seed = 11,
                              .source = 3};
}

static void expect_open_fails(struct feed_spec s, enum result_code code, const char *part)
{
    struct trail tr = {.count = 0};
    struct feed *f = (struct feed *)1;
    struct result r = feed_open(&s, &f, &tr);
    const char *said = trail_sentence(&tr, r);
    if (r.code != (int32_t)code || strstr(said, part) == NULL)
        print_message("%s: %s\n", result_name(r), said);
    assert_int_equal(r.code, code);
    assert_non_null(strstr(said, part));
    assert_null(f);
}

/* Everything a feed gives, as text: one line per fact. */
static char story[1 << 20];
static size_t tell(const char *name, struct feed_totals *t, struct result *end, struct trail *tr)
{
    struct feed_spec s = spec_of(path_of(name));
    struct feed *f;
    struct result r = feed_open(&s, &f, tr);
    size_t n = 0;
    story[0] = '\0';
    *end = r;
    if (!is_ok(r))
        return 0;
    static struct fact_view v;
    while (is_ok(*end = feed_next(f, &v, tr))) {
        assert_int_equal(v.head.bytes, fact_bytes(v.head.type));
        assert_int_equal(v.head.version, fact_version(v.head.type));
        assert_int_equal(v.head.source, 3);
        assert_int_equal(v.head.seq, 0);
        if (v.head.type == FACT_ROWS)
            n += (size_t)snprintf(
                story + n, sizeof story - n, "rows %lld %llu+%llu %u %s\n", (long long)v.head.t_ns,
                (unsigned long long)v.u.fact_rows.first_line,
                (unsigned long long)v.u.fact_rows.count, v.u.fact_rows.reason, v.u.fact_rows.text);
        else if (v.head.type == FACT_TRADE)
            n += (size_t)snprintf(story + n, sizeof story - n, "trade %lld %lld %lld %u\n",
                                  (long long)v.head.t_ns, (long long)v.u.fact_trade.price,
                                  (long long)v.u.fact_trade.qty, v.u.fact_trade.flags);
        else
            n += (size_t)snprintf(story + n, sizeof story - n, "%s %lld\n", fact_name(v.head.type),
                                  (long long)v.head.t_ns);
        assert_true(n < sizeof story);
    }
    assert_int_equal(feed_next(f, &v, tr).code, end->code); /* the same result comes again */
    feed_totals(f, t);
    feed_close(f);
    return n;
}

/* ---- facts ---- */
static const char small[] = "ts_ns,price,qty\n"
                            "10,1.00,1\n"
                            "11,zero,1\n"
                            "12,nil,1\n"
                            "12,1.05,-1\n"
                            "13,1.02,2\n"
                            "12,1.00,2\n"
                            "14,1.10,2\n"
                            "a\x01z\n";
static const char small_story[] = "trade 10 100 1000 0\n"
                                  "rows 10 3+2 2 11,zero,1\n"
                                  "rows 10 5+1 5 12,1.05,-1\n"
                                  "trade 13 102 2000 1\n"
                                  "rows 13 7+1 7 12,1.00,2\n"
                                  "trade 14 110 2000 0\n"
                                  "rows 14 9+1 12 a\\x01z\n";

static void feed_small_file_tells_every_row_in_order(void **state)
{
    (void)state;
    write_file("small.csv", small, sizeof small - 1);
    struct feed_totals t;
    struct result end;
    struct trail tr = {.count = 0};
    tell("small.csv", &t, &end, &tr);
    assert_int_equal(end.code, RESULT_END);
    assert_string_equal(story, small_story);
    assert_int_equal(t.rows, 8);
    assert_int_equal(t.used, 3);
    assert_int_equal(t.reported, 5);
    assert_int_equal(t.off_tick, 1);
    assert_int_equal(t.bytes, sizeof small - 1);
    unlink(path_of("small.csv"));
}

static void feed_bars_and_quotes_become_facts(void **state)
{
    (void)state;
    static const char text[] = "ts_ns,open,high,low,close,volume\n60000000000,1,2,1,1.5,3\n";
    write_file("bars.csv", text, sizeof text - 1);
    struct feed_spec s = spec_of(path_of("bars.csv"));
    struct feed *f;
    struct trail tr = {.count = 0};
    struct fact_view *v = malloc(sizeof *v);
    assert_non_null(v);
    assert_true(is_ok(feed_open(&s, &f, &tr)));
    assert_true(is_ok(feed_next(f, v, &tr)));
    assert_int_equal(v->head.type, FACT_BAR);
    assert_int_equal(v->head.t_ns, 120 * NS);
    assert_int_equal(v->u.fact_bar.instrument, 7);
    assert_int_equal(v->u.fact_bar.open_ns, 60 * NS);
    assert_int_equal(v->u.fact_bar.high, 200);
    assert_int_equal(v->u.fact_bar.close, 150);
    assert_int_equal(v->u.fact_bar.volume, 3000);
    uint8_t want[HASH_SHA256_BYTES];
    hash_sha256_once(text, sizeof text - 1, want);
    assert_memory_equal(feed_sha256(f), want, sizeof want);
    feed_close(f);
    static const char quote[] = "ts_ns,bid,ask\n5,1,2\n";
    write_file("bars.csv", quote, sizeof quote - 1);
    assert_true(is_ok(feed_open(&s, &f, &tr)));
    assert_true(is_ok(feed_next(f, v, &tr)));
    assert_int_equal(v->head.type, FACT_QUOTE);
    assert_int_equal(v->u.fact_quote.bid, 100);
    assert_int_equal(v->u.fact_quote.ask, 200);
    feed_close(f);
    free(v);
    unlink(path_of("bars.csv"));
}

static size_t gzip_into(uint8_t *out, size_t room, const void *bytes, size_t count)
{
    z_stream z = {.next_in = (Bytef *)bytes,
                  .avail_in = (uInt)count,
                  .next_out = out,
                  .avail_out = (uInt)room};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = z.total_out;
    deflateEnd(&z);
    return n;
}

static void feed_packed_files_tell_the_same_in_one_or_many_parts(void **state)
{
    (void)state;
    uint8_t packed[4096];
    struct feed_totals t;
    struct result end;
    struct trail tr = {.count = 0};
    for (int form = 0; form < 4; form++) {
        size_t half = form % 2 == 0 ? sizeof small - 1 : 31, n;
        if (form < 2) {
            n = gzip_into(packed, sizeof packed, small, half);
            if (form == 1)
                n +=
                    gzip_into(packed + n, sizeof packed - n, small + half, sizeof small - 1 - half);
        } else {
            n = ZSTD_compress(packed, sizeof packed, small, half, 3);
            if (form == 3)
                n += ZSTD_compress(packed + n, sizeof packed - n, small + half,
                                   sizeof small - 1 - half, 3);
        }
        write_file("packed.csv", packed, n); /* the form is told by the bytes, not the name */
        tell("packed.csv", &t, &end, &tr);
        assert_int_equal(end.code, RESULT_END);
        assert_string_equal(story, small_story);
        write_file("packed.csv", packed, n - 3);
        tell("packed.csv", &t, &end, &tr);
        assert_int_equal(end.code, RESULT_CORRUPT);
        packed[n / 2] ^= 0x20;
        packed[n - 6] ^= 0x20;
        write_file("packed.csv", packed, n);
        tell("packed.csv", &t, &end, &tr);
        assert_int_not_equal(end.code, RESULT_END);
    }
    unlink(path_of("packed.csv"));
}

static void feed_large_file_is_the_same_packed_or_not(void **state)
{
    (void)state;
    size_t room = 3 << 20, n = 0;
    char *text = malloc(room);
    uint8_t *packed = malloc(room);
    assert_true(text != NULL && packed != NULL);
    n += (size_t)snprintf(text, room, "ts_ns,price,qty\n");
    for (int i = 0; i < 30000; i++)
        n += (size_t)snprintf(text + n, room - n, "%d,%d.%02d,%s\n", 1000 + i / 3, 100 + i % 7,
                              i % 100,
                              i % 977 == 0  ? "x"
                              : i % 500 < 3 ? "0"
                                            : "1.5");
    struct feed_totals t, u;
    struct result end;
    struct trail tr = {.count = 0};
    write_file("large.csv", text, n);
    tell("large.csv", &t, &end, &tr);
    assert_int_equal(end.code, RESULT_END);
    assert_int_equal(t.rows, 30000);
    char *first = strdup(story);
    write_file("large.csv", packed, ZSTD_compress(packed, room, text, n, 1));
    tell("large.csv", &u, &end, &tr);
    assert_int_equal(end.code, RESULT_END);
    assert_string_equal(story, first);
    assert_memory_equal(&t, &u, sizeof t);
    free(first);
    free(packed);
    free(text);
    unlink(path_of("large.csv"));
}

/* ---- files that are refused ---- */
static void case_67_paths_that_are_no_plain_file_are_refused(void **state)
{
    (void)state;
    expect_open_fails(spec_of(""), RESULT_USAGE, "the path is empty");
    expect_open_fails(spec_of("-"), RESULT_USAGE, "standard input");
    expect_open_fails(spec_of("/"), RESULT_USAGE, "it is a folder");
    expect_open_fails(spec_of("/dev/null"), RESULT_USAGE, "it is a device");
    expect_open_fails(spec_of("no\nsuch"), RESULT_NOT_FOUND, "no\\x0asuch: there is no such file");
    static char longest[6000];
    memset(longest, 'p', sizeof longest - 1);
    expect_open_fails(spec_of(longest), RESULT_USAGE, "longer than 511 bytes");
    char path[128];
    strcpy(path, path_of("pipe"));
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_open_fails(spec_of(path), RESULT_USAGE, "it is a pipe");
    unlink(path);
    strcpy(path, path_of("link"));
    assert_int_equal(symlink("/etc/passwd", path), 0);
    expect_open_fails(spec_of(path), RESULT_NOT_FOUND, "it is a symbolic link");
    unlink(path);
    write_file("empty", "", 0);
    expect_open_fails(spec_of(path_of("empty")), RESULT_SYNTAX, "it is empty");
    unlink(path_of("empty"));
}

static void case_50_bombs_are_stopped(void **state)
{
    (void)state;
    size_t raw = 80u << 20;
    char *zeros = calloc(1, raw);
    uint8_t *packed = malloc(1 << 20);
    assert_true(zeros != NULL && packed != NULL);
    memset(zeros, '\n', raw);
    memcpy(zeros, "ts_ns,price,qty", 15);
    write_file("bomb.csv", packed, ZSTD_compress(packed, 1 << 20, zeros, raw, 1));
    struct feed_spec s = spec_of(path_of("bomb.csv"));
    struct trail tr = {.count = 0};
    struct feed *f;
    struct fact_view *v = malloc(sizeof *v);
    struct result r;
    assert_true(is_ok(feed_open(&s, &f, &tr)));
    while (is_ok(r = feed_next(f, v, &tr)))
        ;
    assert_int_equal(r.code, RESULT_TOO_LARGE);
    assert_non_null(strstr(trail_sentence(&tr, r), "250 times its size"));
    feed_close(f);
    s.bytes_max = 100000;
    memset(&tr, 0, sizeof tr);
    assert_true(is_ok(feed_open(&s, &f, &tr)));
    r = feed_next(f, v, &tr);
    assert_int_equal(r.code, RESULT_TOO_LARGE);
    assert_non_null(strstr(trail_sentence(&tr, r), "more than 100000 bytes"));
    feed_close(f);
    free(v);
    free(packed);
    free(zeros);
    unlink(path_of("bomb.csv"));
}

static void case_49_unknown_header_is_one_sentence(void **state)
{
    (void)state;
    static const char text[] = "Date,Open\n1,2\n";
    write_file("odd.csv", text, sizeof text - 1);
    struct feed_totals t;
    struct result end;
    struct trail tr = {.count = 0};
    tell("odd.csv", &t, &end, &tr);
    assert_int_equal(end.code, RESULT_SYNTAX);
    const char *said = trail_sentence(&tr, end);
    assert_non_null(strstr(said, "odd.csv: line 1 is no header"));
    assert_non_null(strstr(said, "no column ts_ns, recv_ns or date"));
    unlink(path_of("odd.csv"));
}

static void feed_file_that_changes_while_read_is_an_error(void **state)
{
    (void)state;
    size_t n = 2 << 20;
    char *text = malloc(n + 1);
    assert_non_null(text);
    size_t at = (size_t)sprintf(text, "ts_ns,price,qty\n");
    while (at + 32 < n)
        at += (size_t)sprintf(text + at, "10,1.00,1\n");
    write_file("moving.csv", text, at);
    struct feed_spec s = spec_of(path_of("moving.csv"));
    struct feed *f;
    struct trail tr = {.count = 0};
    struct fact_view *v = malloc(sizeof *v);
    assert_true(is_ok(feed_open(&s, &f, &tr)));
    assert_true(is_ok(feed_next(f, v, &tr)));
    int fd = open(path_of("moving.csv"), O_WRONLY);
    assert_int_equal(pwrite(fd, "2", 1, (off_t)at - 8), 1);
    close(fd);
    struct result r;
    while (is_ok(r = feed_next(f, v, &tr)))
        ;
    assert_int_equal(r.code, RESULT_CORRUPT);
    assert_non_null(strstr(trail_sentence(&tr, r), "changed while it was read"));
    feed_close(f);
    free(v);
    free(text);
    unlink(path_of("moving.csv"));
}

/* ---- the generator ---- */
static void feed_generator_gives_facts_without_end(void **state)
{
    (void)state;
    struct feed_spec s = spec_of(NULL);
    s.entry = synth;
    struct feed *f, *g;
    struct trail tr = {.count = 0};
    struct fact_view *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    assert_true(a != NULL && b != NULL);
    assert_true(is_ok(feed_open(&s, &f, &tr)));
    assert_true(is_ok(feed_open(&s, &g, &tr)));
    int64_t last = 0;
    for (int i = 0; i < 20000; i++) {
        assert_true(is_ok(feed_next(f, a, &tr)));
        assert_true(is_ok(feed_next(g, b, &tr)));
        assert_memory_equal(&a->head, &b->head, sizeof a->head);
        assert_memory_equal(a->u.bytes, b->u.bytes, a->head.bytes);
        assert_true(a->head.type == FACT_QUOTE || a->head.type == FACT_TRADE);
        assert_true(a->head.t_ns >= last);
        last = a->head.t_ns;
    }
    struct feed_totals t;
    feed_totals(f, &t);
    assert_int_equal(t.rows, 20000);
    assert_int_equal(t.used, 20000);
    feed_close(f);
    feed_close(g);
    free(a);
    free(b);
    s.path = "x";
    expect_open_fails(s, RESULT_USAGE, "reads no file");
    s = spec_of(NULL);
    expect_open_fails(s, RESULT_USAGE, "it reads a file; give one");
}

/* ---- a source that breaks its contract ---- */
enum trick {
    TRICK_NONE = 0,
    TRICK_STATUS,
    TRICK_USED,
    TRICK_COUNT,
    TRICK_IDLE,
    TRICK_BACK,
    TRICK_FOREIGN,
    TRICK_PRICE,
    TRICK_TYPE,
    TRICK_REASON,
    TRICK_LINES,
    TRICK_LENGTH,
    TRICK_ROWS,
    TRICK_COUNT_OF
};
static uint32_t trick, calls;

static int32_t faulty_create(const struct tn_host *host, const struct tn_source_create *c,
                             void **inst)
{
    (void)c;
    *inst = host->alloc(host->self, 16);
    calls = 0;
    return host->alloc(host->self, 1 << 30) == NULL ? TN_OK : TN_E_MEMORY;
}

static struct tn_event *add(struct tn_source_out *out, int64_t t)
{
    struct tn_event *ev = &out->event[out->event_count++];
    *ev = (struct tn_event){.size = sizeof *ev, .type = TN_EVENT_TRADE, .t_ns = t, .instrument = 7};
    ev->u.trade = (struct tn_trade){.price = 5, .qty = 1};
    return ev;
}

static int32_t faulty_feed(void *inst, const uint8_t *bytes, uint64_t count, uint32_t final,
                           uint64_t *used, struct tn_source_out *out)
{
    (void)inst;
    (void)bytes;
    (void) final;
    *used = count + (trick == TRICK_USED);
    out->rows = out->rows_used = 2;
    if (calls++ > 0 || trick == TRICK_IDLE) {
        *used = 0;
        return TN_OK;
    }
    struct tn_event *ev = add(out, 10);
    add(out, trick == TRICK_BACK ? 9 : 11);
    ev->instrument += trick == TRICK_FOREIGN;
    ev->u.trade.price -= trick == TRICK_PRICE ? 5 : 0;
    ev->type = trick == TRICK_TYPE ? TN_EVENT_POSITION : ev->type;
    out->rows += trick == TRICK_ROWS;
    out->event_count += trick == TRICK_COUNT ? 100000 : 0;
    if (trick >= TRICK_REASON && trick <= TRICK_LENGTH) {
        out->report_count = 2;
        out->rows += 2;
        out->report[0] = (struct tn_row_report){.line = 3, .reason = trick != TRICK_REASON};
        out->report[1] = out->report[0];
        out->report[0].bytes = trick == TRICK_LENGTH ? 65 : 0;
    }
    return trick == TRICK_STATUS ? 99 : TN_OK;
}

static void feed_source_that_breaks_its_contract_is_caught(void **state)
{
    (void)state;
    static struct tn_source_ops ops = {.base.size = sizeof ops,
                                       .source_kind = TN_SOURCE_FILE,
                                       .create = faulty_create,
                                       .feed = faulty_feed};
    static const struct tn_manifest m = {.kind = TN_KIND_SOURCE, .id = "faulty", .arena_bytes = 64};
    static const struct tn_entry entry = {.manifest = &m, .ops = &ops};
    static const char *const words[TRICK_COUNT_OF] = {
        [TRICK_STATUS] = "failed in the middle",
        [TRICK_USED] = "more than it was given",
        [TRICK_COUNT] = "more than it was given",
        [TRICK_IDLE] = "makes no progress",
        [TRICK_BACK] = "let time go back",
        [TRICK_FOREIGN] = "an instrument that it was not asked for",
        [TRICK_PRICE] = "prices or sizes that cannot be",
        [TRICK_TYPE] = "no market data",
        [TRICK_REASON] = "a report without a reason",
        [TRICK_LINES] = "lines that go back",
        [TRICK_LENGTH] = "longer than its room",
        [TRICK_ROWS] = "does not account for every row",
    };
    write_file("any.csv", "0123456789", 10);
    struct fact_view *v = malloc(sizeof *v);
    for (trick = TRICK_NONE; trick < TRICK_COUNT_OF; trick++) {
        struct feed_spec s = spec_of(path_of("any.csv"));
        s.entry = &entry;
        struct feed *f;
        struct trail tr = {.count = 0};
        struct result r;
        assert_true(is_ok(feed_open(&s, &f, &tr)));
        while (is_ok(r = feed_next(f, v, &tr)))
            ;
        const char *said = trail_sentence(&tr, r);
        if (trick == TRICK_NONE) {
            assert_int_equal(r.code, RESULT_END);
        } else {
            assert_int_equal(r.code, RESULT_PLUGIN);
            if (strstr(said, words[trick]) == NULL)
                print_message("trick %u: %s\n", trick, said);
            assert_non_null(strstr(said, words[trick]));
            assert_non_null(strstr(said, "source faulty"));
        }
        feed_close(f);
    }
    free(v);
    unlink(path_of("any.csv"));
}

static void feed_plugin_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct tn_manifest m = {.kind = TN_KIND_STRATEGY, .id = "wrong"};
    struct tn_entry entry = {.manifest = &m};
    struct feed_spec s = spec_of("x");
    s.entry = &entry;
    expect_open_fails(s, RESULT_ABI, "plugin wrong: it is not a source");
    m.kind = TN_KIND_SOURCE;
    expect_open_fails(s, RESULT_ABI, "function table is incomplete");
}

static void feed_reason_has_words_for_each_code(void **state)
{
    (void)state;
    for (uint32_t i = TN_ROW_FIELDS; i <= TN_ROW_ENCODING; i++)
        assert_string_not_equal(feed_reason(i), "?");
    assert_string_equal(feed_reason(0), "?");
    assert_string_equal(feed_reason(TN_ROW_ENCODING + 1), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_small_file_tells_every_row_in_order),
        cmocka_unit_test(feed_bars_and_quotes_become_facts),
        cmocka_unit_test(feed_packed_files_tell_the_same_in_one_or_many_parts),
        cmocka_unit_test(feed_large_file_is_the_same_packed_or_not),
        cmocka_unit_test(case_67_paths_that_are_no_plain_file_are_refused),
        cmocka_unit_test(case_50_bombs_are_stopped),
        cmocka_unit_test(case_49_unknown_header_is_one_sentence),
        cmocka_unit_test(feed_file_that_changes_while_read_is_an_error),
        cmocka_unit_test(feed_generator_gives_facts_without_end),
        cmocka_unit_test(feed_source_that_breaks_its_contract_is_caught),
        cmocka_unit_test(feed_plugin_of_another_kind_is_refused),
        cmocka_unit_test(feed_reason_has_words_for_each_code),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
