/* SPDX-License-Identifier: Apache-2.0
 *
 * The printer over the field table. Both forms come from the same walk, so words and JSON cannot
 * disagree. It writes into a buffer of the caller without the heap and without stdio on the way:
 * a journal has millions of records, and `journal cat` should be limited by the disk. The record
 * is copied field by field with memcpy: a reader's buffer may be aligned anyhow.
 */
#include "gateway/fact_text.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/must.h"
#include "base/result.h"

struct sink {
    char *out;
    size_t bytes, used;
    bool json;
    bool first; /* no field was shown yet */
};

static void add(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct sink *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(s->out + s->used, s->bytes - s->used, fmt, ap);
    va_end(ap);
    must(n >= 0);
    s->used += (size_t)n < s->bytes - s->used ? (size_t)n : s->bytes - s->used - 1;
}

/* NUL-padded text of the record: whatever is in it, the line stays one line and the JSON valid. */
static void add_text(struct sink *s, const uint8_t *text, uint32_t bytes)
{
    uint32_t count = (uint32_t)strnlen((const char *)text, bytes);
    add(s, "\"");
    for (uint32_t i = 0; i < count; i++) {
        if (text[i] == '"' || text[i] == '\\')
            add(s, "\\%c", text[i]);
        else if (text[i] < 0x20 || text[i] >= 0x7f)
            add(s, "\\u%04x", text[i]);
        else
            add(s, "%c", text[i]);
    }
    add(s, "\"");
}

static void add_hex(struct sink *s, const uint8_t *bytes, uint32_t count)
{
    add(s, s->json ? "\"" : "");
    for (uint32_t i = 0; i < count; i++)
        add(s, "%02x", bytes[i]);
    add(s, s->json ? "\"" : "");
}

/* minisign shows the id as a little-endian number: last byte first */
static void add_key(struct sink *s, const uint8_t *bytes, uint32_t count)
{
    add(s, s->json ? "\"" : "");
    for (uint32_t i = count; i > 0; i--)
        add(s, "%02X", bytes[i - 1]);
    add(s, s->json ? "\"" : "");
}

static const char *rule_name(uint32_t rule)
{
    switch (rule) {
#define X(id, name, code, unit, may_cut, closes, def, source, text)                                \
    case id:                                                                                       \
        return code;
        RISK_RULES(X)
#undef X
    default:
        return "?";
    }
}

static void add_rules(struct sink *s, uint32_t mask)
{
    const char *sep = "";
    add(s, "[");
    for (uint32_t r = 1; r <= 32; r++) {
        if (!(mask >> (r - 1) & 1))
            continue;
        add(s, s->json ? "%s\"%s\"" : "%s%s", sep, rule_name(r));
        sep = ",";
    }
    add(s, "]");
}

static const char *result_word(uint8_t result)
{
    static const char *const words[] = {"UNSET", "PASS", "CUT", "DENY", "FREE"};
    return result < sizeof words / sizeof words[0] ? words[result] : "?";
}

static void add_results(struct sink *s, const uint8_t *result, uint32_t bytes)
{
    add(s, s->json ? "{" : "[");
    for (uint32_t r = 1; r < RISK_RULE_END && r < bytes; r++)
        add(s, s->json ? "%s\"%s\":\"%s\"" : "%s%s:%s", r > 1 ? "," : "", rule_name(r),
            result_word(result[r]));
    add(s, s->json ? "}" : "]");
}

static void add_figures(struct sink *s, const uint8_t *bytes, uint32_t count)
{
    struct fact_rule figure;
    add(s, s->json ? "{" : "[");
    for (uint32_t r = 1; r <= count / sizeof figure; r++) {
        memcpy(&figure, bytes + (r - 1) * sizeof figure, sizeof figure);
        add(s,
            s->json ? "%s\"%s\":{\"observed\":%" PRId64 ",\"limit\":%" PRId64 "}"
                    : "%s%s:%" PRId64 "/%" PRId64,
            r > 1 ? "," : "", rule_name(r), figure.observed, figure.limit);
    }
    add(s, s->json ? "}" : "]");
}

static void add_reasons(struct sink *s, const uint8_t *payload)
{
    struct fact_signal signal;
    memcpy(&signal, payload, sizeof signal);
    add(s, "[");
    for (uint32_t i = 0; i < signal.reason_count && i < FACT_MAX_REASONS; i++) {
        const struct fact_reason *r = &signal.reason[i];
        double value;
        memcpy(&value, &r->value_bits, sizeof value);
        add(s,
            s->json ? "%s{\"input\":%" PRIu32 ",\"contribution_ppm\":%" PRId32
                      ",\"value_bits\":\"%016" PRIx64 "\",\"value\":\"%.17g\"}"
                    : "%s%" PRIu32 ":%" PRId32 ":%016" PRIx64 ":%.17g",
            i > 0 ? "," : "", r->input, r->contribution_ppm, (uint64_t)r->value_bits, value);
    }
    add(s, "]");
}

static bool is_known_result(int32_t code)
{
    return strcmp(result_name((struct result){code}), "?") != 0;
}

/* Kind of a plugin, and whether it may only be swapped while flat. */
static void add_kind(struct sink *s, const struct fact_field *f, uint32_t value)
{
    const char *word = fact_word(f->words, value & ~FACT_COLD);
    const char *quote = s->json ? "\"" : "";
    if (strcmp(word, "?") == 0)
        add(s, "%s?%" PRIu32 "%s", quote, value, quote);
    else
        add(s, "%s%s%s%s", quote, word, (value & FACT_COLD) != 0 ? "+COLD" : "", quote);
}

static void add_number(struct sink *s, const struct fact_field *f, const uint8_t *at)
{
    uint64_t u = 0;
    must(f->bytes == 4 || f->bytes == 8);
    memcpy(&u, at, f->bytes); /* little-endian, like the format */
    if (f->kind == FACT_KIND_U32 || f->kind == FACT_KIND_U64 || f->kind == FACT_KIND_PAD)
        add(s, "%" PRIu64, u);
    else if (f->kind == FACT_KIND_I32)
        add(s, "%" PRId32, (int32_t)(uint32_t)u);
    else if (f->kind == FACT_KIND_I64)
        add(s, "%" PRId64, (int64_t)u);
    else if (f->kind == FACT_KIND_ID)
        add(s, s->json ? "\"%" PRIu64 "\"" : "%" PRIu64, u);
    else if (f->kind == FACT_KIND_RESULT && is_known_result((int32_t)(uint32_t)u))
        add(s, s->json ? "\"%s\"" : "%s", result_name((struct result){(int32_t)(uint32_t)u}));
    else if (f->kind == FACT_KIND_COLD)
        add_kind(s, f, (uint32_t)u);
    else if (f->kind == FACT_KIND_FLAG && u <= 1)
        add(s, "%s", s->json ? (u ? "true" : "false") : (u ? "yes" : "no"));
    else if (f->kind == FACT_KIND_WORD && strcmp(fact_word(f->words, (uint32_t)u), "?") != 0)
        add(s, s->json ? "\"%s\"" : "%s", fact_word(f->words, (uint32_t)u));
    else /* a value outside its closed list: shown as it is, never hidden */
        add(s, s->json ? "\"?%" PRIu64 "\"" : "?%" PRIu64, u);
}

static bool is_hidden(const struct fact_field *f, const uint8_t *at)
{
    static const uint8_t zero[8];
    return f->kind == FACT_KIND_PAD && memcmp(at, zero, f->bytes) == 0;
}

static void add_field(struct sink *s, const struct fact_field *f, const uint8_t *payload)
{
    const uint8_t *at = payload + f->offset;
    if (is_hidden(f, at))
        return;
    add(s, s->json ? "%s\"%s\":" : "%s%s=", s->json ? (s->first ? "" : ",") : " ", f->name);
    s->first = false;
    switch (f->kind) {
    case FACT_KIND_HEX:
        add_hex(s, at, f->bytes);
        break;
    case FACT_KIND_KEY:
        add_key(s, at, f->bytes);
        break;
    case FACT_KIND_TEXT:
        add_text(s, at, f->bytes);
        break;
    case FACT_KIND_RULES: {
        uint32_t mask;
        memcpy(&mask, at, sizeof mask);
        add_rules(s, mask);
        break;
    }
    case FACT_KIND_RESULTS:
        add_results(s, at, f->bytes);
        break;
    case FACT_KIND_FIGURES:
        add_figures(s, at, f->bytes);
        break;
    case FACT_KIND_REASONS:
        add_reasons(s, payload);
        break;
    default:
        add_number(s, f, at);
    }
}

static void add_head(struct sink *s, const struct fact_head *h)
{
    char when[CLOCK_TEXT_BYTES];
    clock_print(h->t_ns, when);
    if (s->json) {
        add(s,
            "{\"schema\":\"tenon.record.v1\",\"seq\":%" PRIu64 ",\"sub\":%u,\"t_ns\":%" PRId64
            ",\"time\":\"%s\",\"type\":\"%s\",\"type_id\":%u,\"version\":%u,\"cause_seq\":%" PRIu64
            ",\"source\":%" PRIu32,
            h->seq, h->sub, h->t_ns, when, fact_name(h->type), h->type, h->version, h->cause_seq,
            h->source);
        if (h->generation) /* of an instance's build; what is not of one has none */
            add(s, ",\"generation\":%" PRIu32, h->generation);
    } else {
        add(s, "%" PRIu64 ".%u %s %s", h->seq, h->sub, when, fact_name(h->type));
        if (h->cause_seq)
            add(s, " cause_seq=%" PRIu64, h->cause_seq);
        if (h->source)
            add(s, " source=%" PRIu32, h->source);
        if (h->generation)
            add(s, " generation=%" PRIu32, h->generation);
    }
}

size_t fact_print(enum fact_form form, const struct fact_head *head, const void *payload, char *out,
                  size_t out_bytes)
{
    must(head != NULL && (payload != NULL || head->bytes == 0));
    must(out_bytes > 0);
    struct sink s = {.out = out, .bytes = out_bytes, .json = form == FACT_FORM_JSON};
    struct fact_fields fields = fact_fields(head->type);
    bool known = fields.count > 0 && head->bytes == fact_bytes(head->type) &&
                 head->version == fact_version(head->type);
    out[0] = '\0';
    add_head(&s, head);
    s.first = true;
    if (s.json) /* apart: payloads have a seq and a version of their own */
        add(&s, ",\"payload\":{");
    for (uint32_t i = 0; known && i < fields.count; i++)
        add_field(&s, &fields.field[i], payload);
    if (!known) {
        if (!s.json)
            add(&s, " (type %u version %u)", head->type, head->version);
        add(&s, s.json ? "\"bytes\":" : " bytes=");
        add_hex(&s, payload, head->bytes < FACT_MAX_BYTES ? head->bytes : FACT_MAX_BYTES);
    }
    if (s.json)
        add(&s, "}}");
    return s.used;
}
