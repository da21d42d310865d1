/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of struct tn_host. Plugin text is hostile: it is escaped when it arrives (log
 * injection), cut at a fixed length and rate limited in event time, so a run and its replay lose
 * the same lines. The arena is a mapping of its own: a plugin that runs over its end hits the
 * guard page, and dropping the instance is one munmap whatever it forgot.
 */
#include "bays/serve.h"
#include <string.h>
#include "base/must.h"

enum { ALIGN = 16 };

static void *on_alloc(void *self, uint64_t bytes)
{
    struct serve *s = self;
    if (!s->setup) {
        s->misused = true;
        return NULL;
    }
    uint64_t want = (bytes + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
    if (bytes == 0 || want < bytes || want > s->declared - s->used) {
        s->denied++;
        return NULL;
    }
    void *piece = arena_take(&s->arena, want, ALIGN);
    must(piece != NULL); /* the mapping holds what was declared */
    s->used += want;
    return piece;
}

static bool take_token(struct serve *s)
{
    if (s->now_ns > s->refilled_ns && s->tokens < SERVE_BURST) {
        uint64_t more = (uint64_t)(s->now_ns - s->refilled_ns) / (uint64_t)SERVE_REFILL_NS;
        uint64_t room = SERVE_BURST - s->tokens;
        s->tokens += (uint32_t)(more < room ? more : room);
        if (more > 0)
            s->refilled_ns = s->now_ns;
    }
    if (s->tokens == 0)
        return false;
    if (s->tokens == SERVE_BURST)
        s->refilled_ns = s->now_ns;
    s->tokens--;
    return true;
}

static void on_log(void *self, uint32_t level, const char *text, uint32_t count)
{
    struct serve *s = self;
    if (!text || s->line_count == SERVE_LINES || !take_token(s)) {
        s->lines_lost++;
        return;
    }
    struct serve_line *line = &s->line[s->line_count++];
    line->level = level >= LOG_DEBUG && level <= LOG_ERROR ? level : LOG_WARN;
    size_t n = strnlen(text, count < SERVE_LINE_BYTES ? count : SERVE_LINE_BYTES);
    text_escape(line->text, sizeof line->text, text, n);
}

/* ABI 1.0 has no optional interface: every name is unknown. */
static const void *on_get_interface(void *self, const char *id)
{
    struct serve *s = self;
    (void)id;
    if (!s->setup)
        s->misused = true;
    return NULL;
}

struct result serve_init(struct serve *s, uint64_t arena_bytes, struct trail *tr)
{
    memset(s, 0, sizeof *s);
    s->declared = (arena_bytes + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
    s->tokens = SERVE_BURST;
    s->host = (struct tn_host){.size = sizeof s->host,
                               .self = s,
                               .alloc = on_alloc,
                               .log = on_log,
                               .get_interface = on_get_interface};
    if (s->declared == 0)
        return OK_RESULT;
    struct result r = arena_map(&s->arena, s->declared);
    if (!is_ok(r))
        return FAIL_AS(tr, r,
                       "no memory for an instance arena of %llu bytes; free memory or "
                       "declare less arena_bytes",
                       (unsigned long long)s->declared);
    must(s->arena.capacity >= s->declared);
    return OK_RESULT;
}

void serve_fini(struct serve *s)
{
    if (s->declared > 0)
        arena_unmap(&s->arena);
    s->declared = s->used = 0;
}

void serve_flush(struct serve *s, struct log *l, const struct log_ids *ids, const char *who)
{
    for (uint32_t i = 0; i < s->line_count && l; i++)
        log_now(l, (enum log_level)s->line[i].level, ids, "plugin %s says: %s", who,
                s->line[i].text);
    if (s->lines_lost > 0 && l)
        log_now(l, LOG_WARN, ids, "plugin %s: %llu log lines dropped, it writes too many", who,
                (unsigned long long)s->lines_lost);
    s->line_count = 0;
    s->lines_lost = 0;
}
