/* SPDX-License-Identifier: Apache-2.0
 *
 * The look-ups over tbl/results.h and the trail.
 *
 * Each look-up is one switch generated from the table, so that a code which the table does not
 * have (a damaged file, a newer peer) is an answer and never an index out of range. Such a code
 * counts as class BUG: nobody may retry on it.
 *
 * A sentence is formatted first and escaped second. Escaping the arguments one by one would be
 * forgotten somewhere; escaping the whole sentence cannot be. The raw buffer is one byte longer
 * than the frame's, so a sentence that vsnprintf had to cut is always too long for the frame too
 * and ends in "...".
 */
#include "base/result.h"
#include "base/must.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *result_name(struct result r)
{
    switch (r.code) {
#define X(name, code, class, exit, text, remedy)                                                   \
    case code:                                                                                     \
        return #name;
        RESULTS(X)
#undef X
    default:
        return "?";
    }
}

const char *result_text(struct result r)
{
    switch (r.code) {
#define X(name, code, class, exit, text, remedy)                                                   \
    case code:                                                                                     \
        return text;
        RESULTS(X)
#undef X
    default:
        return "an unknown result";
    }
}

const char *result_remedy(struct result r)
{
    switch (r.code) {
#define X(name, code, class, exit, text, remedy)                                                   \
    case code:                                                                                     \
        return remedy;
        RESULTS(X)
#undef X
    default:
        return "report it with the log";
    }
}

int result_exit(struct result r)
{
    switch (r.code) {
#define X(name, code, class, exit, text, remedy)                                                   \
    case code:                                                                                     \
        return exit;
        RESULTS(X)
#undef X
    default:
        return 70;
    }
}

enum result_class result_class(struct result r)
{
    switch (r.code) {
#define X(name, code, class, exit, text, remedy)                                                   \
    case code:                                                                                     \
        return RESULT_CLASS_##class;
        RESULTS(X)
#undef X
    default:
        return RESULT_CLASS_BUG;
    }
}

struct result trail_add(struct trail *tr, struct result r, const char *file, int line,
                        const char *fmt, ...)
{
    must(!is_ok(r));
    if (tr == NULL)
        return r;
    must(tr->count <= TRAIL_FRAMES);
    uint32_t idx = tr->count < TRAIL_FRAMES ? tr->count++ : TRAIL_FRAMES - 1;
    struct trail_frame *frame = &tr->frame[idx];
    char raw[TRAIL_TEXT_BYTES + 1];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    must(length >= 0);
    frame->file = file;
    frame->line = line;
    text_escape(frame->text, sizeof frame->text, raw, strlen(raw));
    return r;
}

const char *trail_sentence(const struct trail *tr, struct result r)
{
    if (tr == NULL || tr->count == 0)
        return result_text(r);
    must(tr->count <= TRAIL_FRAMES);
    return tr->frame[0].text;
}

static bool is_plain(char c)
{
    return c >= ' ' && c <= '~';
}

/* How many bytes of `text` can be written before `room` is used up; *whole says if that is all. */
static size_t fit(const char *text, size_t count, size_t room, bool *whole)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        used += is_plain(text[i]) ? 1 : 4;
        if (used > room) {
            *whole = false;
            return i;
        }
    }
    *whole = true;
    return count;
}

void text_escape(char *out, size_t out_bytes, const char *text, size_t count)
{
    static const char hex[] = "0123456789abcdef";
    static const char cut[] = "...";
    must(out != NULL && out_bytes >= 8);
    must(text != NULL || count == 0);
    bool whole = true;
    size_t taken = fit(text, count, out_bytes - 1, &whole);
    if (!whole)
        taken = fit(text, count, out_bytes - sizeof cut, &whole);
    for (size_t i = 0; i < taken; i++) {
        uint8_t byte = (uint8_t)text[i];
        if (is_plain(text[i])) {
            *out++ = text[i];
            continue;
        }
        *out++ = '\\';
        *out++ = 'x';
        *out++ = hex[byte >> 4];
        *out++ = hex[byte & 15];
    }
    memcpy(out, whole ? "" : cut, whole ? 1 : sizeof cut);
}
