/* SPDX-License-Identifier: Apache-2.0
 *
 * Line by line while it is head, byte counts while it is body. Why not libwebsockets' own HTTP
 * client: it hides when the first byte leaves, adds headers of its own and follows redirects, and
 * egress must answer for each byte and say of each request whether anything of it left.
 *
 * Refused: two lengths that differ, a length beside chunks, a line folded or without a colon, more
 * than fits, a 1xx that switches protocols.
 */
#include "egress/net_reply.h"
#include <string.h>
#include <strings.h>
#include "base/must.h"

enum reply_state {
    REPLY_UNSET = 0,
    REPLY_STATUS,
    REPLY_HEAD,
    REPLY_BODY,
    REPLY_CHUNK_SIZE,
    REPLY_CHUNK,
    REPLY_CHUNK_END,
    REPLY_TRAILER,
    REPLY_WHOLE,
};

void net_reply_begin(struct net_reply *r)
{
    memset(r, 0, offsetof(struct net_reply, line));
    r->state = REPLY_STATUS;
    r->retry_s = -1;
}

bool net_reply_has_begun(const struct net_reply *r)
{
    return r->head_bytes > 0;
}

static bool digits(const char *text, size_t count, uint64_t *out)
{
    *out = 0;
    if (count == 0 || count > 10)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

static struct result take_status(struct net_reply *r, struct trail *tr)
{
    uint64_t status = 0;
    if (r->line_bytes < 12 || memcmp(r->line, "HTTP/1.", 7) != 0 ||
        (r->line[7] != '0' && r->line[7] != '1') || r->line[8] != ' ' ||
        !digits(r->line + 9, 3, &status) || (r->line_bytes > 12 && r->line[12] != ' '))
        return FAIL(tr, PROTOCOL, "the reply does not begin with an HTTP/1.1 status line");
    if (status < 100 || status > 599 || status == 101)
        return FAIL(tr, PROTOCOL, "the reply has status %lu, which nobody asked for",
                    (unsigned long)status);
    r->status = (uint32_t)status;
    r->is_last = r->line[7] == '0';
    r->state = REPLY_HEAD;
    return OK_RESULT;
}

static bool is_named(const struct net_reply *r, size_t name_bytes, const char *name)
{
    return strlen(name) == name_bytes && strncasecmp(r->line, name, name_bytes) == 0;
}

static bool is_value(const char *value, size_t count, const char *text)
{
    return strlen(text) == count && strncasecmp(value, text, count) == 0;
}

static struct result take_length(struct net_reply *r, const char *value, size_t count,
                                 struct trail *tr)
{
    uint64_t n = 0;
    if (!digits(value, count, &n) || (r->has_length && n != r->left))
        return FAIL(tr, PROTOCOL, "the reply's Content-Length is not one plain number");
    if (n > NET_REPLY_BODY_MAX)
        return FAIL(tr, TOO_LARGE, "the reply has %lu bytes, at most %d are taken",
                    (unsigned long)n, NET_REPLY_BODY_MAX);
    r->has_length = true;
    r->left = n;
    return OK_RESULT;
}

static struct result take_header(struct net_reply *r, struct trail *tr)
{
    const char *colon = memchr(r->line, ':', r->line_bytes);
    if (colon == NULL || colon == r->line || r->line[0] == ' ' || r->line[0] == '\t' ||
        memchr(r->line, ' ', (size_t)(colon - r->line)) != NULL)
        return FAIL(tr, PROTOCOL, "the reply has a header line without a name");
    const size_t name = (size_t)(colon - r->line);
    const char *value = colon + 1, *end = r->line + r->line_bytes;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    const size_t count = (size_t)(end - value);
    uint64_t seconds = 0;
    if (is_named(r, name, "content-length"))
        return take_length(r, value, count, tr);
    if (is_named(r, name, "transfer-encoding")) {
        if (!is_value(value, count, "chunked") || r->is_chunked)
            return FAIL(tr, PROTOCOL, "the reply's Transfer-Encoding is not plain 'chunked'");
        r->is_chunked = true;
    } else if (is_named(r, name, "connection")) {
        if (is_value(value, count, "close"))
            r->is_last = true;
        else if (is_value(value, count, "keep-alive"))
            r->is_last = false;
    } else if (is_named(r, name, "retry-after") && digits(value, count, &seconds)) {
        r->retry_s = seconds > 86400 ? 86400 : (int32_t)seconds;
    }
    return OK_RESULT;
}

/* The empty line: what follows? */
static struct result end_head(struct net_reply *r, struct trail *tr)
{
    if (r->is_chunked && r->has_length)
        return FAIL(tr, PROTOCOL, "the reply has a Content-Length and chunks");
    if (r->status < 200) { /* 100 Continue: the reply itself is still to come */
        uint32_t bytes = r->head_bytes;
        net_reply_begin(r);
        r->head_bytes = bytes;
        return OK_RESULT;
    }
    if (r->status == 204 || r->status == 304) {
        r->state = REPLY_WHOLE;
        return OK_RESULT;
    }
    if (!r->is_chunked && !r->has_length) {
        r->is_last = true; /* the body ends when the connection does */
        r->left = UINT64_MAX;
    }
    r->state = r->is_chunked ? REPLY_CHUNK_SIZE : r->left == 0 ? REPLY_WHOLE : REPLY_BODY;
    return OK_RESULT;
}

static struct result take_chunk_size(struct net_reply *r, struct trail *tr)
{
    uint64_t n = 0;
    uint32_t i = 0;
    for (; i < r->line_bytes && i < 8; i++) {
        const char c = r->line[i];
        if (c >= '0' && c <= '9')
            n = n * 16 + (uint64_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            n = n * 16 + (uint64_t)((c | 0x20) - 'a' + 10);
        else
            break;
    }
    if (i == 0 || (i < r->line_bytes && r->line[i] != ';'))
        return FAIL(tr, PROTOCOL, "the reply has a chunk without a plain size");
    if (n > NET_REPLY_BODY_MAX - r->body_bytes)
        return FAIL(tr, TOO_LARGE, "the reply has more than %d bytes", NET_REPLY_BODY_MAX);
    r->left = n;
    r->state = n == 0 ? REPLY_TRAILER : REPLY_CHUNK;
    return OK_RESULT;
}

static struct result take_line(struct net_reply *r, struct trail *tr)
{
    struct result rc = OK_RESULT;
    switch (r->state) {
    case REPLY_STATUS:
        rc = take_status(r, tr);
        break;
    case REPLY_HEAD:
        rc = r->line_bytes == 0 ? end_head(r, tr) : take_header(r, tr);
        break;
    case REPLY_CHUNK_SIZE:
        rc = take_chunk_size(r, tr);
        break;
    case REPLY_CHUNK_END:
        if (r->line_bytes != 0)
            return FAIL(tr, PROTOCOL, "the reply has a chunk longer than its size");
        r->state = REPLY_CHUNK_SIZE;
        break;
    default: /* trailers are read and forgotten */
        must(r->state == REPLY_TRAILER);
        if (r->line_bytes == 0)
            r->state = REPLY_WHOLE;
    }
    r->line_bytes = 0;
    return rc;
}

static struct result feed_line(struct net_reply *r, uint8_t c, struct trail *tr)
{
    r->head_bytes += r->state != REPLY_CHUNK_SIZE && r->state != REPLY_CHUNK_END;
    if (r->head_bytes > NET_REPLY_HEAD_MAX || r->line_bytes == NET_REPLY_LINE_MAX)
        return FAIL(tr, TOO_LARGE, "the reply's head has more than %d bytes", NET_REPLY_HEAD_MAX);
    if (c != '\n') {
        if (c == 0 || (r->line_bytes > 0 && r->line[r->line_bytes - 1] == '\r'))
            return FAIL(tr, PROTOCOL, "the reply's head has a control byte");
        r->line[r->line_bytes++] = (char)c;
        return RESULT_OF(AGAIN);
    }
    if (r->line_bytes > 0 && r->line[r->line_bytes - 1] == '\r')
        r->line_bytes--;
    TRY(take_line(r, tr));
    return r->state == REPLY_WHOLE ? OK_RESULT : RESULT_OF(AGAIN);
}

static struct result feed_body(struct net_reply *r, const uint8_t *bytes, size_t count, size_t *n,
                               struct trail *tr)
{
    *n = count > r->left ? (size_t)r->left : count;
    if (*n > NET_REPLY_BODY_MAX - r->body_bytes)
        return FAIL(tr, TOO_LARGE, "the reply has more than %d bytes", NET_REPLY_BODY_MAX);
    memcpy(r->body + r->body_bytes, bytes, *n);
    r->body_bytes += (uint32_t)*n;
    if (r->left != UINT64_MAX)
        r->left -= *n;
    if (r->left > 0)
        return RESULT_OF(AGAIN);
    r->state = r->state == REPLY_CHUNK ? REPLY_CHUNK_END : REPLY_WHOLE;
    return r->state == REPLY_WHOLE ? OK_RESULT : RESULT_OF(AGAIN);
}

struct result net_reply_feed(struct net_reply *r, const uint8_t *bytes, size_t count, size_t *used,
                             struct trail *tr)
{
    struct result rc = RESULT_OF(AGAIN);
    must(r->state != REPLY_WHOLE);
    *used = 0;
    while (*used < count && rc.code == RESULT_AGAIN) {
        size_t n = 1;
        if (r->state == REPLY_BODY || r->state == REPLY_CHUNK)
            rc = feed_body(r, bytes + *used, count - *used, &n, tr);
        else
            rc = feed_line(r, bytes[*used], tr);
        *used += n;
    }
    return rc;
}

struct result net_reply_end(struct net_reply *r, struct trail *tr)
{
    if (r->state == REPLY_BODY && r->left == UINT64_MAX) {
        r->state = REPLY_WHOLE;
        return OK_RESULT;
    }
    return FAIL(tr, UNREACHABLE, "the server closed the connection %s",
                net_reply_has_begun(r) ? "within its reply" : "without a reply");
}
