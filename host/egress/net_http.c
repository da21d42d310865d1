/* SPDX-License-Identifier: Apache-2.0
 *
 * The desk has compared the fields that it found in these bytes with an approval. That is worth
 * nothing if a server reads the same bytes as two requests, or as another one: so the path has no
 * blank, the header lines are whole lines with names, none of them says how long the body is or
 * where it goes, and the body's length is counted here.
 */
#include "egress/net_http.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/must.h"

static const char *method_of(uint32_t method)
{
    switch (method) {
    case TN_METHOD_GET:
        return "GET";
    case TN_METHOD_POST:
        return "POST";
    case TN_METHOD_PUT:
        return "PUT";
    case TN_METHOD_DELETE:
        return "DELETE";
    default:
        return NULL;
    }
}

static bool is_path(const uint8_t *path, size_t count)
{
    if (count == 0 || path[0] != '/')
        return false;
    for (size_t i = 0; i < count; i++) {
        if (path[i] <= ' ' || path[i] >= 0x7f || path[i] == '#')
            return false;
    }
    return true;
}

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* One header line without its end: a name that is not ours to give, and printable bytes. */
static bool is_header(const uint8_t *line, size_t count)
{
    static const char *const ours[] = {
        "host", "content-length",   "transfer-encoding", "upgrade",   "connection", "expect",
        "te",   "proxy-connection", "trailer",           "keep-alive"};
    size_t name = 0;
    while (name < count && is_name_byte(line[name]))
        name++;
    if (name == 0 || name == count || line[name] != ':')
        return false;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strlen(ours[i]) == name && strncasecmp((const char *)line, ours[i], name) == 0)
            return false;
    }
    for (size_t i = name; i < count; i++) {
        if ((line[i] < ' ' && line[i] != '\t') || line[i] >= 0x7f)
            return false;
    }
    return true;
}

/* Whole lines, each ended by CR LF; nothing at all is fine too. */
static bool are_headers(const uint8_t *head, size_t count)
{
    while (count > 0) {
        const uint8_t *end = memchr(head, '\r', count);
        if (end == NULL || (size_t)(end - head) + 1 >= count || end[1] != '\n' ||
            !is_header(head, (size_t)(end - head)))
            return false;
        count -= (size_t)(end - head) + 2;
        head = end + 2;
    }
    return true;
}

size_t net_http_frame(const struct desk_message *m, const char *host, uint8_t *out, size_t room,
                      struct trail *tr)
{
    const char *method = method_of(m->method);
    const uint8_t *head = m->bytes + m->path_bytes, *body = head + m->head_bytes;
    struct result r = OK_RESULT;
    char first[NET_HTTP_EXTRA / 2], length[NET_HTTP_EXTRA / 4];
    if (method == NULL)
        r = FAIL(tr, SYNTAX, "the request has no HTTP method");
    else if (!is_path(m->bytes, m->path_bytes))
        r = FAIL(tr, SYNTAX, "the request's path is not one path");
    else if (!are_headers(head, m->head_bytes))
        r = FAIL(tr, SYNTAX,
                 "the request's header lines are not whole lines of \"Name: value\", CR LF, or "
                 "name what egress itself says");
    if (!is_ok(r))
        return 0;
    bool has_body = m->body_bytes > 0 || m->method == TN_METHOD_POST || m->method == TN_METHOD_PUT;
    int n = snprintf(first, sizeof first, " HTTP/1.1\r\nHost: %s\r\n", host);
    int k = has_body ? snprintf(length, sizeof length, "Content-Length: %u\r\n\r\n", m->body_bytes)
                     : snprintf(length, sizeof length, "\r\n");
    must(n > 0 && (size_t)n < sizeof first && k > 0 && (size_t)k < sizeof length);
    const struct {
        const void *bytes;
        size_t count;
    } part[] = {{method, strlen(method)},  {" ", 1},
                {m->bytes, m->path_bytes}, {first, (size_t)n},
                {head, m->head_bytes},     {length, (size_t)k},
                {body, m->body_bytes}};
    size_t used = 0;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        must(part[i].count <= room - used);
        if (part[i].count > 0)
            memcpy(out + used, part[i].bytes, part[i].count);
        used += part[i].count;
    }
    return used;
}

/* ---- addresses ---- */
static const char *scheme_of(uint32_t type)
{
    return type == TN_LINK_HTTP ? "http://" : type == TN_LINK_WS ? "ws://" : "tcp://";
}

static bool is_loopback(struct net_address *a)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcmp(a->host, "localhost") == 0)
        snprintf(a->host, sizeof a->host, "127.0.0.1"); /* no look-up decides where orders go */
    if (a->is_v6)
        return inet_pton(AF_INET6, a->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    return inet_pton(AF_INET, a->host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static bool port_of(const char *text, uint16_t *out)
{
    uint32_t port = 0;
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 5 || text[n] != 0)
        return false;
    for (size_t i = 0; i < n; i++)
        port = port * 10 + (uint32_t)(text[i] - '0');
    *out = (uint16_t)port;
    return port >= 1 && port <= 65535;
}

struct result net_http_address(const char *endpoint, uint32_t type, struct net_address *out,
                               struct trail *tr)
{
    const char *scheme = scheme_of(type), *at = endpoint + strlen(scheme);
    memset(out, 0, sizeof *out);
    if (strncmp(endpoint, scheme, strlen(scheme)) != 0)
        return FAIL(tr, CONFIG,
                    "endpoint '%.100s' does not begin with %s; name it in the deployment "
                    "as %sHOST:PORT",
                    endpoint, scheme, scheme);
    out->is_v6 = at[0] == '[';
    const char *end = strrchr(at, out->is_v6 ? ']' : ':');
    const char *begin = at + (out->is_v6 ? 1 : 0);
    const char *colon = end == NULL || !out->is_v6 ? end : end + 1;
    if (end == NULL || end <= begin || (size_t)(end - begin) >= sizeof out->host ||
        colon[0] != ':' || !port_of(colon + 1, &out->port))
        return FAIL(tr, CONFIG,
                    "endpoint '%.100s' is not %sHOST:PORT; write it so in the deployment", endpoint,
                    scheme);
    memcpy(out->host, begin, (size_t)(end - begin));
    snprintf(out->named, sizeof out->named, "%.80s", at);
    if (!is_loopback(out))
        return FAIL(tr, NOT_PERMITTED,
                    "endpoint '%.100s' is not on this machine; this release talks to loopback "
                    "addresses only (127.0.0.1, localhost, [::1])",
                    endpoint);
    return OK_RESULT;
}
