/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the parts: each is written to the work area, and, when it is not hidden, to the
 * message. A digest names only parts before it, so one pass is enough and no two digests can wait
 * for each other.
 */
#include "egress/assemble.h"
#include <string.h>
#include "base/must.h"
#include "base/num.h"
#include "egress/mac.h"

struct layout {
    const struct assemble_from *from;
    struct assembled *out;
    const struct road_row *row; /* of FIELD parts */
    uint32_t work, sent, literal;
    uint32_t start[TN_ADAPTER_PARTS_MAX + 1]; /* of each part in the work area */
};

static const char *part_fits(const struct line_request *h, const struct line_part *p, uint32_t i,
                             uint64_t *literal)
{
    uint32_t kind = p->kind & ~TN_PART_HIDDEN;
    if (kind < TN_PART_BYTES || kind > TN_PART_FIELD || p->kind == (TN_PART_HMAC | TN_PART_HIDDEN))
        return "a part of an unknown kind";
    if (kind == TN_PART_HMAC && (p->first >= i || p->count > i - p->first || !p->count))
        return "a digest over parts that are not before it";
    if (kind == TN_PART_FIELD && !(h->flags & TN_REQUEST_STORED))
        return "a field part in a template that is not stored";
    if (kind == TN_PART_BYTES)
        *literal += p->bytes;
    return NULL;
}

const char *assemble_take(const void *message, uint32_t count, struct assemble_template *out)
{
    if (count < sizeof out->head)
        return "a template shorter than its head";
    memcpy(&out->head, message, sizeof out->head);
    const struct line_request *h = &out->head;
    if (!h->part_count || h->part_count > TN_ADAPTER_PARTS_MAX || h->path_parts > h->part_count ||
        h->head_parts > h->part_count - h->path_parts)
        return "a template with too few or too many parts";
    size_t parts = h->part_count * sizeof out->part[0];
    if (count - sizeof *h < parts || count - sizeof *h - parts != h->bytes)
        return "a template that is not as long as it says";
    memcpy(out->part, (const uint8_t *)message + sizeof *h, parts);
    out->bytes = (const uint8_t *)message + sizeof *h + parts;
    uint64_t literal = 0;
    const char *why = NULL;
    for (uint32_t i = 0; i < h->part_count && !why; i++)
        why = part_fits(h, &out->part[i], i, &literal);
    if (!why && literal != h->bytes)
        why = "a template that is not as long as it says";
    if (!why && h->flags & ~TN_REQUEST_STORED)
        why = "a template with unknown flags";
    return why;
}

static const char *put(struct layout *l, const struct line_part *p, const void *bytes,
                       uint32_t count)
{
    struct assembled *o = l->out;
    if (count > sizeof o->work - l->work || count > sizeof o->bytes - l->sent)
        return "a request longer than the limit";
    memcpy(o->work + l->work, bytes, count);
    l->work += count;
    if (p->kind & TN_PART_HIDDEN)
        return NULL;
    memcpy(o->bytes + l->sent, bytes, count);
    if (p->kind != TN_PART_BYTES)
        o->span[o->span_count++] = (struct wire_span){p->kind, l->sent, count};
    l->sent += count;
    return NULL;
}

static const char *put_secret(struct layout *l, const struct line_part *p)
{
    uint8_t secret[ASSEMBLE_SECRET_BYTES];
    int32_t n = l->from->secret(l->from->arg, p->field, secret);
    const char *why = n < 0 ? "no such secret" : put(l, p, secret, (uint32_t)n);
    mac_wipe(secret, sizeof secret);
    return why;
}

static const char *put_hmac(struct layout *l, const struct line_part *p)
{
    uint8_t secret[ASSEMBLE_SECRET_BYTES], mac[MAC_BYTES_MAX];
    char text[MAC_TEXT_BYTES];
    int32_t n = l->from->secret(l->from->arg, p->field, secret);
    if (n < 0)
        return "no such secret";
    uint32_t at = l->start[p->first], end = l->start[p->first + p->count];
    size_t count = mac_hmac(p->digest, secret, (size_t)n, l->out->work + at, end - at, mac);
    mac_wipe(secret, sizeof secret);
    size_t length = count ? mac_text(p->encode, mac, count, text) : 0;
    return length ? put(l, p, text, (uint32_t)length) : "an unknown digest or encoding";
}

static const char *put_now(struct layout *l, const struct line_part *p)
{
    char text[NUM_TEXT_BYTES];
    size_t n = num_print(l->from->wall_ns / 1000000, 0, text);
    return put(l, p, text, (uint32_t)n);
}

static const char *put_capture(struct layout *l, const struct line_part *p)
{
    const uint8_t *text = NULL;
    int32_t n = l->from->capture(l->from->arg, p->field, &text);
    return n < 0 ? "nothing was captured under this id" : put(l, p, text, (uint32_t)n);
}

static const char *put_field(struct layout *l, const struct line_part *p)
{
    char text[WIRE_TEXT_BYTES];
    int32_t n = -1;
    if (l->row && l->from->want)
        n = wire_print(l->row, p->field, l->from->want, text);
    return n < 0 ? "a field that cannot be filled in" : put(l, p, text, (uint32_t)n);
}

static const char *put_part(struct layout *l, const struct line_part *p)
{
    switch (p->kind & ~TN_PART_HIDDEN) {
    case TN_PART_BYTES:
        l->literal += p->bytes;
        return put(l, p, l->from->bytes + l->literal - p->bytes, p->bytes);
    case TN_PART_SECRET:
        return put_secret(l, p);
    case TN_PART_HMAC:
        return put_hmac(l, p);
    case TN_PART_NOW_MS:
        return put_now(l, p);
    case TN_PART_CAPTURE:
        return put_capture(l, p);
    default:
        return put_field(l, p);
    }
}

/* The row that a stored template is for: by its literal path, or the first message of its class. */
static const struct road_row *row_of(const struct assemble_from *f)
{
    const struct line_request *h = f->head;
    char path[64];
    uint32_t n = 0, at = 0;
    if (!h->path_parts)
        return wire_row(f->place, h->class_of, h->link, h->method, NULL, 0);
    for (uint32_t i = 0; i < h->path_parts; i++) {
        const struct line_part *p = &f->part[i];
        for (uint32_t k = 0; p->kind == TN_PART_BYTES && k < p->bytes && n < sizeof path; k++) {
            char c = (char)f->bytes[at + k];
            if (c == '?')
                return wire_row(f->place, h->class_of, h->link, h->method, path, n);
            path[n++] = c;
        }
        if ((p->kind & ~TN_PART_HIDDEN) == TN_PART_BYTES)
            at += p->bytes;
    }
    return wire_row(f->place, h->class_of, h->link, h->method, path, n);
}

const char *assemble(const struct assemble_from *from, struct assembled *out)
{
    const struct line_request *h = from->head;
    struct layout l = {.from = from, .out = out};
    const char *why = NULL;
    must(h->part_count <= TN_ADAPTER_PARTS_MAX);
    out->span_count = out->path_bytes = out->head_bytes = 0;
    if (from->want)
        l.row = row_of(from);
    for (uint32_t i = 0; i < h->part_count && !why; i++) {
        l.start[i] = l.work;
        why = put_part(&l, &from->part[i]);
        l.start[i + 1] = l.work;
        if (i + 1 == h->path_parts)
            out->path_bytes = l.sent;
        if (i + 1 == h->path_parts + h->head_parts)
            out->head_bytes = l.sent - out->path_bytes;
    }
    if (h->path_parts == 0 && h->head_parts == 0)
        out->path_bytes = out->head_bytes = 0;
    out->body_bytes = l.sent - out->path_bytes - out->head_bytes;
    mac_wipe(out->work, l.work);
    return why;
}
