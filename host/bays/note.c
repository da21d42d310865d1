/* SPDX-License-Identifier: Apache-2.0
 *
 * The first sixteen bytes of a manifest (size, ABI, fingerprint) never move in any ABI, so a host
 * can name both versions even when the rest has another layout; they are looked at first. Only
 * then the rest is copied (the smaller of both sizes) and every member is checked: the manifest
 * prints, sizes memory and indexes tables all over the host, and nobody checks it a second time.
 */
#include "bays/note.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/must.h"

#define NOTE_NAME "tenon\0\0" /* eight bytes with its own NUL */
enum { NOTE_TYPE = 1, NOTE_NAME_BYTES = 8, GNU_BUILD_ID = 3 };

static struct result wrong(char *why, struct result r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static struct result wrong(char *why, struct result r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, IMAGE_TEXT_BYTES, fmt, ap);
    va_end(ap);
    return r;
}
#define WRONG(name, ...) wrong(why, RESULT_OF(name), __VA_ARGS__)

static void see_note(void *arg, const struct image_note *note)
{
    struct note_found *f = arg;
    if (note->name_bytes != NOTE_NAME_BYTES || memcmp(note->name, NOTE_NAME, NOTE_NAME_BYTES) != 0)
        return;
    if (f->count++ > 0)
        return;
    f->desc_off = note->desc_off;
    f->desc_vaddr = note->desc_vaddr;
    f->desc_bytes = note->desc_bytes;
    f->damaged = note->type != NOTE_TYPE;
}

void note_find(const struct image *im, struct note_found *out)
{
    memset(out, 0, sizeof *out);
    if (!image_notes(im, see_note, out))
        out->damaged = true;
}

struct build_id {
    char *out;
    size_t out_bytes;
    const struct image *im;
};

static void see_build_id(void *arg, const struct image_note *note)
{
    struct build_id *b = arg;
    if (note->name_bytes != 4 || memcmp(note->name, "GNU", 4) != 0 || note->type != GNU_BUILD_ID)
        return;
    size_t used = 0;
    for (uint32_t i = 0; i < note->desc_bytes && used + 3 <= b->out_bytes; i++, used += 2)
        snprintf(b->out + used, 3, "%02x", b->im->bytes[note->desc_off + i]);
}

void note_build_id(const struct image *im, char *out, size_t out_bytes)
{
    struct build_id b = {.out = out, .out_bytes = out_bytes, .im = im};
    must(out_bytes > 0);
    out[0] = 0;
    if (!image_notes(im, see_build_id, &b))
        out[0] = 0;
}

const char *note_kind_name(uint32_t kind)
{
    static const char *const names[] = {"?",       "indicator", "strategy",
                                        "adapter", "router",    "source"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : "?";
}

/* Printable ASCII, NUL inside, and nothing but zeros after it (R8: note bytes are compared). */
static bool is_text(const char *text, size_t bytes)
{
    size_t n = strnlen(text, bytes);
    for (size_t i = 0; i < bytes; i++) {
        if (i < n ? (text[i] < 0x20 || text[i] > 0x7e) : text[i] != 0)
            return false;
    }
    return n < bytes;
}

static bool is_name(const char *text, size_t bytes)
{
    if (!is_text(text, bytes) || text[0] < 'a' || text[0] > 'z')
        return false;
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0;
}

/* MAJOR.MINOR.PATCH with an optional -tail. */
static bool is_version(const char *text, size_t bytes)
{
    if (!is_text(text, bytes))
        return false;
    const char *p = text;
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(p, "0123456789");
        if (digits == 0 || digits > 9)
            return false;
        p += digits;
        if (part < 2 && *p++ != '.')
            return false;
    }
    if (*p == '-')
        p += strspn(p, "-.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    return *p == 0;
}

static bool is_zero(const void *bytes, size_t count)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < count; i++) {
        if (p[i] != 0)
            return false;
    }
    return true;
}

static bool bounds_ordered(const struct tn_param *p)
{
    if (p->type == TN_TYPE_F64)
        return isfinite(p->def.f) && isfinite(p->min.f) && isfinite(p->max.f) &&
               isfinite(p->step.f) && p->min.f <= p->def.f && p->def.f <= p->max.f &&
               p->step.f >= 0;
    if (p->type == TN_TYPE_BOOL && (p->min.i != 0 || p->max.i != 1))
        return false;
    return p->min.i <= p->def.i && p->def.i <= p->max.i && p->step.i >= 0;
}

static struct result check_params(const struct tn_manifest *m, char *why)
{
    for (uint32_t i = 0; i < m->param_count; i++) {
        const struct tn_param *p = &m->params[i];
        if (!is_name(p->name, sizeof p->name) || !is_text(p->unit, sizeof p->unit) ||
            !is_text(p->text, sizeof p->text) || p->text[0] == 0)
            return WRONG(SYNTAX, "parameter %u: name, unit or sentence is not plain text", i + 1);
        if (p->type < TN_TYPE_I64 || p->type > TN_TYPE_BOOL || p->reserved != 0)
            return WRONG(SYNTAX, "parameter %s: type %u is unknown", p->name, p->type);
        if (!bounds_ordered(p))
            return WRONG(SYNTAX, "parameter %s: its default is not within [min, max]", p->name);
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(m->params[k].name, p->name) == 0)
                return WRONG(SYNTAX, "parameter %s is declared twice", p->name);
        }
    }
    if (!is_zero(&m->params[m->param_count],
                 (TN_MAX_PARAMS - m->param_count) * sizeof m->params[0]))
        return WRONG(SYNTAX, "bytes behind parameter %u are not zero", m->param_count);
    return OK_RESULT;
}

static struct result check_ports(const struct tn_port *port, uint32_t count, uint32_t max,
                                 const char *word, char *why)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!is_name(port[i].name, sizeof port[i].name) ||
            !is_text(port[i].unit, sizeof port[i].unit) ||
            !is_text(port[i].text, sizeof port[i].text))
            return WRONG(SYNTAX, "%s %u: name, unit or sentence is not plain text", word, i + 1);
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(port[k].name, port[i].name) == 0)
                return WRONG(SYNTAX, "%s %s is declared twice", word, port[i].name);
        }
    }
    if (!is_zero(&port[count], (max - count) * sizeof port[0]))
        return WRONG(SYNTAX, "bytes behind %s %u are not zero", word, count);
    return OK_RESULT;
}

static struct result check_kind(const struct tn_manifest *m, char *why)
{
    bool draft = m->kind == TN_KIND_ADAPTER || m->kind == TN_KIND_SOURCE;
    if (m->kind != TN_KIND_INDICATOR && m->kind != TN_KIND_STRATEGY && !draft)
        return WRONG(ABI, "kind %u is unknown to this host", m->kind);
    if (m->flags & TN_FLAGS_REQUIRED & ~TN_FLAG_DRAFT)
        return WRONG(ABI, "it requires feature bits 0x%08x that this host does not know",
                     m->flags & TN_FLAGS_REQUIRED & ~TN_FLAG_DRAFT);
    if (draft != ((m->flags & TN_FLAG_DRAFT) != 0))
        return WRONG(SYNTAX, "kind %s and the draft flag do not agree", note_kind_name(m->kind));
    if (m->kind == TN_KIND_INDICATOR && (m->output_count == 0 || m->input_count != 0))
        return WRONG(SYNTAX, "an indicator has at least one output and no inputs");
    if (m->kind == TN_KIND_STRATEGY && (m->output_count != 0 || m->signals_max == 0))
        return WRONG(SYNTAX, "a strategy has no outputs and signals_max of at least 1");
    if (m->kind != TN_KIND_STRATEGY && m->signals_max != 0)
        return WRONG(SYNTAX, "signals_max is for strategies only");
    return OK_RESULT;
}

struct result note_manifest_check(const struct tn_manifest *m, char *why)
{
    if (m->abi_major != TN_ABI_MAJOR || m->abi_minor > TN_ABI_MINOR)
        return WRONG(ABI, "it is built for ABI %u.%u, this host has ABI %u.%u", m->abi_major,
                     m->abi_minor, TN_ABI_MAJOR, TN_ABI_MINOR);
    if (m->fingerprint != TN_ABI_FINGERPRINT)
        return WRONG(ABI, "its ABI fingerprint is %016llx, this host's %016llx",
                     (unsigned long long)m->fingerprint, (unsigned long long)TN_ABI_FINGERPRINT);
    if (!is_name(m->id, sizeof m->id) || !is_version(m->version, sizeof m->version))
        return WRONG(SYNTAX, "id or version is malformed (id [a-z][a-z0-9_]*, version 1.2.3)");
    if (!is_text(m->vendor, sizeof m->vendor) || !is_text(m->text, sizeof m->text))
        return WRONG(SYNTAX, "vendor or sentence is not plain text");
    if (m->param_count > TN_MAX_PARAMS || m->output_count > TN_MAX_OUTPUTS ||
        m->input_count > TN_MAX_INPUTS || m->signals_max > NOTE_SIGNALS_MAX)
        return WRONG(SYNTAX, "%u params, %u outputs, %u inputs, %u signals: at most %d, %d, %d, %d",
                     m->param_count, m->output_count, m->input_count, m->signals_max, TN_MAX_PARAMS,
                     TN_MAX_OUTPUTS, TN_MAX_INPUTS, NOTE_SIGNALS_MAX);
    if (m->arena_bytes > NOTE_ARENA_MAX_BYTES || m->state_max_bytes > NOTE_STATE_MAX_BYTES)
        return WRONG(SYNTAX, "arena_bytes %u or state_max_bytes %u is above %d or %d",
                     m->arena_bytes, m->state_max_bytes, NOTE_ARENA_MAX_BYTES,
                     NOTE_STATE_MAX_BYTES);
    if (m->state_schema_oldest > m->state_schema)
        return WRONG(SYNTAX, "state_schema_oldest %u is above state_schema %u",
                     m->state_schema_oldest, m->state_schema);
    TRY(check_kind(m, why));
    TRY(check_params(m, why));
    TRY(check_ports(m->outputs, m->output_count, TN_MAX_OUTPUTS, "output", why));
    return check_ports(m->inputs, m->input_count, TN_MAX_INPUTS, "input", why);
}

struct result note_read(const struct image *im, struct tn_manifest *out, char *why)
{
    struct note_found f;
    memset(out, 0, sizeof *out);
    note_find(im, &f);
    if (f.count == 0)
        return WRONG(MISSING, "no tenon note: not a plugin, or built without TN_PLUGIN");
    if (f.count > 1)
        return WRONG(DUPLICATE, "%u tenon notes, exactly one is allowed", f.count);
    size_t head = offsetof(struct tn_manifest, kind), off;
    if (f.damaged || f.desc_bytes < head)
        return WRONG(SYNTAX, "its tenon note is damaged");
    memcpy(out, im->bytes + f.desc_off, head);
    if (out->abi_major != TN_ABI_MAJOR || out->abi_minor > TN_ABI_MINOR)
        return note_manifest_check(out, why); /* the rest may have another layout */
    if (out->size != f.desc_bytes || out->size < sizeof *out)
        return WRONG(SYNTAX, "its manifest says %u bytes, the note has %u, ABI 1.0 has %zu",
                     out->size, f.desc_bytes, sizeof *out);
    if (!image_at(im, f.desc_vaddr, f.desc_bytes, &off) || off != f.desc_off)
        return WRONG(SYNTAX, "its tenon note is not in a loadable segment");
    if (image_segment(im, f.desc_vaddr, f.desc_bytes)->p_flags & PF_W)
        return WRONG(SYNTAX, "its tenon note lies in writable memory");
    memcpy(out, im->bytes + f.desc_off, sizeof *out);
    return note_manifest_check(out, why);
}
