/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest host that a plugin test needs: an arena of the declared size with guard bytes,
 * streams that move a few bytes at a time, events, and the golden table. Header only: a test
 * program includes it beside the plugin's own sources, so that the sanitizers see those too.
 */
#ifndef PLUGIN_HOST_H
#define PLUGIN_HOST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tenon/indicator.h"
#include "tenon/strategy.h"

enum { PLUGIN_HOST_GUARD = 64, PLUGIN_HOST_STREAM = 1 << 16 };

struct plugin_host {
    struct tn_host host;
    struct tn_instrument instrument;
    uint64_t arena_bytes, arena_used;
    uint8_t *arena;
};

static inline void *plugin_host_alloc(void *self, uint64_t bytes)
{
    struct plugin_host *h = self;
    bytes = (bytes + 15) & ~15ull;
    if (bytes > h->arena_bytes - h->arena_used)
        return NULL;
    void *piece = h->arena + h->arena_used;
    h->arena_used += bytes;
    return piece;
}

static inline void plugin_host_init(struct plugin_host *h, uint64_t arena_bytes)
{
    memset(h, 0, sizeof *h);
    h->arena_bytes = arena_bytes & ~15ull;
    h->arena = aligned_alloc(16, h->arena_bytes + PLUGIN_HOST_GUARD);
    assert_non_null(h->arena);
    memset(h->arena, 0, h->arena_bytes);
    memset(h->arena + h->arena_bytes, 0xa5, PLUGIN_HOST_GUARD);
    h->host = (struct tn_host){.size = sizeof h->host, .self = h, .alloc = plugin_host_alloc};
    h->instrument = (struct tn_instrument){.size = sizeof h->instrument,
                                           .id = 1,
                                           .price_exp = -2,
                                           .qty_exp = -3,
                                           .tick = 1,
                                           .lot = 1,
                                           .price_scale = 0.01,
                                           .qty_scale = 0.001,
                                           .symbol = "TEST"};
}

static inline void plugin_host_fini(struct plugin_host *h)
{
    for (int i = 0; i < PLUGIN_HOST_GUARD; i++)
        assert_int_equal(h->arena[h->arena_bytes + i], 0xa5);
    free(h->arena);
}

static inline int32_t plugin_host_create(struct plugin_host *h, const struct tn_entry *entry,
                                         const union tn_number *params, void **inst)
{
    const struct tn_instance_ops *base = entry->ops; /* each kind's table begins with it */
    const struct tn_create c = {.size = sizeof c,
                                .param_count = entry->manifest->param_count,
                                .params = params,
                                .instrument = &h->instrument,
                                .bar_ns = 60000000000,
                                .seed = 1};
    *inst = NULL;
    return base->create(&h->host, &c, inst);
}

/* The defaults of a manifest's table. */
static inline void plugin_host_defaults(const struct tn_manifest *m,
                                        union tn_number out[TN_MAX_PARAMS])
{
    for (uint32_t i = 0; i < m->param_count; i++)
        out[i] = m->params[i].def;
}

/* ---- streams ---- */
struct plugin_stream {
    uint8_t bytes[PLUGIN_HOST_STREAM];
    uint64_t count, at, chunk; /* at most chunk bytes in one call */
};

static inline int64_t plugin_stream_write(void *self, const void *bytes, uint64_t count)
{
    struct plugin_stream *s = self;
    uint64_t n = count < s->chunk ? count : s->chunk;
    if (n > sizeof s->bytes - s->count)
        return -1;
    memcpy(s->bytes + s->count, bytes, n);
    s->count += n;
    return (int64_t)n;
}

static inline int64_t plugin_stream_read(void *self, void *bytes, uint64_t count)
{
    struct plugin_stream *s = self;
    uint64_t n = count < s->chunk ? count : s->chunk;
    if (n > s->count - s->at)
        n = s->count - s->at;
    memcpy(bytes, s->bytes + s->at, n);
    s->at += n;
    return (int64_t)n;
}

static inline int32_t plugin_save(const struct tn_instance_ops *ops, void *inst,
                                  struct plugin_stream *s, uint64_t chunk)
{
    s->count = s->at = 0;
    s->chunk = chunk;
    const struct tn_stream_out out = {.size = sizeof out, .self = s, .write = plugin_stream_write};
    return ops->state_save(inst, &out);
}

static inline int32_t plugin_load(const struct tn_instance_ops *ops, void *inst,
                                  struct plugin_stream *s, uint32_t schema, uint64_t chunk)
{
    s->at = 0;
    s->chunk = chunk;
    const struct tn_stream_in in = {.size = sizeof in, .self = s, .read = plugin_stream_read};
    return ops->state_load(inst, schema, &in);
}

/* ---- events ---- */
static inline struct tn_event plugin_bar(uint64_t seq, int64_t high, int64_t low, int64_t close)
{
    const int64_t end_ns = (int64_t)seq * 60000000000;
    return (struct tn_event){.size = sizeof(struct tn_event),
                             .type = TN_EVENT_BAR,
                             .seq = seq,
                             .t_ns = end_ns,
                             .instrument = 1,
                             .u.bar = {.open_ns = end_ns - 60000000000,
                                       .open = close,
                                       .high = high,
                                       .low = low,
                                       .close = close,
                                       .volume = 1000}};
}

/* ---- the golden table ---- */
enum { PLUGIN_GOLDEN_ROWS = 512, PLUGIN_GOLDEN_COLUMNS = 12 };
struct plugin_golden {
    uint32_t rows;
    struct plugin_golden_row {
        char series[16];
        int64_t high, low, close;
        double value[PLUGIN_GOLDEN_COLUMNS]; /* sma 1 5 20, ema 1 5 20, rsi 1 5 14, atr 1 5 14 */
        bool has[PLUGIN_GOLDEN_COLUMNS];
    } row[PLUGIN_GOLDEN_ROWS];
};
static const int64_t PLUGIN_GOLDEN_PERIOD[PLUGIN_GOLDEN_COLUMNS] = {1, 5, 20, 1, 5, 20,
                                                                    1, 5, 14, 1, 5, 14};

static inline void plugin_golden_row(char *line, struct plugin_golden_row *row)
{
    memset(row, 0, sizeof *row);
    char *cell = line;
    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < 4 + PLUGIN_GOLDEN_COLUMNS; i++) {
        char *next = strchr(cell, ',');
        if (next != NULL)
            *next = '\0';
        if (i == 0)
            memcpy(row->series, cell, strnlen(cell, sizeof row->series - 1));
        else if (i <= 3)
            *(i == 1 ? &row->high : i == 2 ? &row->low : &row->close) = strtoll(cell, NULL, 10);
        else if ((row->has[i - 4] = *cell != '\0'))
            row->value[i - 4] = strtod(cell, NULL);
        assert_true(next != NULL || i == 3 + PLUGIN_GOLDEN_COLUMNS);
        cell = next != NULL ? next + 1 : cell;
    }
}

static inline struct plugin_golden *plugin_golden_read(void)
{
    struct plugin_golden *g = calloc(1, sizeof *g);
    FILE *f = fopen(TENON_SOURCE_DIR "/tests/fixtures/indicators/golden.csv", "r");
    assert_non_null(g);
    assert_non_null(f);
    char line[1024];
    assert_non_null(fgets(line, sizeof line, f)); /* the header */
    while (fgets(line, sizeof line, f) != NULL) {
        assert_true(g->rows < PLUGIN_GOLDEN_ROWS);
        plugin_golden_row(line, &g->row[g->rows++]);
    }
    fclose(f);
    assert_true(g->rows > 200);
    return g;
}

static inline bool plugin_is_near(double got, double want, double relative)
{
    const double error = got > want ? got - want : want - got;
    const double size = want < 0 ? -want : want;
    return error <= relative * (size > 1 ? size : 1);
}
#endif
