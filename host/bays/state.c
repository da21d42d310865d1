/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugin writes only its own bytes; who, when, which schema and the hash are the host's (a
 * plugin cannot claim another's state). A blob is hostile input to the plugin, and a header is
 * hostile input to the host: every member is checked before the plugin is called.
 *
 * state_load refuses a newer schema here, so "refused without effect" does not depend on the
 * plugin. Parameters are compared by name because state of a 20-bar average is no state of a 30-bar
 * one, and because a newer version may have learned a parameter that the older one never had.
 */
#include "bays/state.h"
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "bays/guard.h"

static int64_t on_write(void *self, const void *bytes, uint64_t count)
{
    struct state_sink *s = self;
    if (count == 0)
        return 0;
    if (!bytes || s->count == s->max) {
        s->over = true;
        return -1;
    }
    size_t room = s->max - s->count, n = count < room ? (size_t)count : room;
    n = s->step > 0 && n > s->step ? s->step : n;
    memcpy(s->bytes + s->count, bytes, n);
    s->count += n;
    return (int64_t)n;
}

static int64_t on_read(void *self, void *bytes, uint64_t count)
{
    struct state_source *s = self;
    size_t left = s->count - s->at, n = count < left ? (size_t)count : left;
    if (!bytes)
        return -1;
    n = s->step > 0 && n > s->step ? s->step : n;
    if (n > 0)
        memcpy(bytes, s->bytes + s->at, n);
    s->at += n;
    return (int64_t)n;
}

void state_sink_init(struct state_sink *s, void *memory, size_t max)
{
    memset(s, 0, sizeof *s);
    s->stream = (struct tn_stream_out){.size = sizeof s->stream, .self = s, .write = on_write};
    s->bytes = memory;
    s->max = max;
}

void state_source_init(struct state_source *s, const void *bytes, size_t count)
{
    memset(s, 0, sizeof *s);
    s->stream = (struct tn_stream_in){.size = sizeof s->stream, .self = s, .read = on_read};
    s->bytes = bytes;
    s->count = count;
}

uint64_t state_market(const struct tn_instrument *instrument, int64_t bar_ns)
{
    const int64_t fixed[] = {instrument->id,   instrument->price_exp, instrument->qty_exp,
                             instrument->tick, instrument->lot,       bar_ns};
    return hash_fnv64(HASH_FNV64_SEED, fixed, sizeof fixed);
}

/* rest: parameters and blob. */
static void seal_header(const struct state_header *h, const uint8_t *rest, size_t bytes,
                        uint8_t out[32])
{
    struct state_header clean = *h;
    struct hash_sha256 *sha = NULL;
    struct result r = hash_sha256_new(&sha);
    must(is_ok(r));
    memset(clean.sha256, 0, sizeof clean.sha256);
    hash_sha256_begin(sha);
    hash_sha256_add(sha, &clean, sizeof clean);
    hash_sha256_add(sha, rest, bytes);
    hash_sha256_end(sha, out);
    hash_sha256_free(sha);
}

static void put_params(const struct state_owner *o, struct state_param *out)
{
    const struct tn_manifest *m = o->manifest;
    for (uint32_t i = 0; i < m->param_count; i++) {
        memcpy(out[i].name, m->params[i].name, sizeof out[i].name);
        out[i].value = o->params[i];
    }
}

struct result state_save(const struct state_owner *o, const struct tn_instance_ops *ops, void *inst,
                         uint64_t as_of_seq, void **bytes, size_t *count, struct trail *tr)
{
    const struct tn_manifest *m = o->manifest;
    struct state_sink sink;
    *bytes = NULL;
    *count = 0;
    if (m->state_schema == 0)
        return FAIL(tr, STATE, "plugin %s keeps no state: it is warmed by history instead", m->id);
    const size_t head = sizeof(struct state_header) + m->param_count * sizeof(struct state_param);
    uint8_t *memory = calloc(1, head + m->state_max_bytes);
    must(memory != NULL);
    state_sink_init(&sink, memory + head, m->state_max_bytes);
    int32_t status = ops->state_save(inst, &sink.stream);
    if (status != TN_OK || sink.over) {
        free(memory);
        return FAIL(tr, PLUGIN,
                    "plugin %s %s: state_save gave %s after %zu of at most %u bytes; "
                    "report it to %s",
                    m->id, m->version, sink.over ? "too many bytes" : guard_status_name(status),
                    sink.count, m->state_max_bytes, m->vendor);
    }
    struct state_header *h = (struct state_header *)(void *)memory;
    h->magic = STATE_MAGIC;
    h->version = STATE_VERSION;
    h->header_bytes = (uint32_t)head;
    memcpy(h->plugin, m->id, sizeof h->plugin);
    memcpy(h->plugin_version, m->version, sizeof h->plugin_version);
    h->schema = m->state_schema;
    h->param_count = m->param_count;
    h->market = o->market;
    h->as_of_seq = as_of_seq;
    h->blob_bytes = sink.count;
    put_params(o, (struct state_param *)(void *)(memory + sizeof *h));
    seal_header(h, memory + sizeof *h, head - sizeof *h + sink.count, h->sha256);
    *bytes = memory;
    *count = head + sink.count;
    return OK_RESULT;
}

/* Form and hash: is it what some host saved, whole? */
static struct result check_form(const struct state_header *h, const uint8_t *bytes, size_t count,
                                struct trail *tr)
{
    uint8_t sha[32];
    if (h->magic != STATE_MAGIC)
        return FAIL(tr, CORRUPT, "the bytes are no saved state of a plugin; warm it by history");
    if (h->version != STATE_VERSION)
        return FAIL(tr, VERSION,
                    "the saved state has format version %u, this host knows %d; warm "
                    "it by history",
                    h->version, STATE_VERSION);
    if (h->param_count > TN_MAX_PARAMS ||
        h->header_bytes != sizeof *h + h->param_count * sizeof(struct state_param) ||
        h->header_bytes > count)
        return FAIL(tr, CORRUPT,
                    "the saved state says %u parameters in a header of %u bytes and has %zu bytes "
                    "in all; warm it by history",
                    h->param_count, h->header_bytes, count);
    if (h->blob_bytes != count - h->header_bytes)
        return FAIL(tr, CORRUPT, "the saved state says %llu bytes and has %zu; warm it by history",
                    (unsigned long long)h->blob_bytes, count - h->header_bytes);
    seal_header(h, bytes + sizeof *h, count - sizeof *h, sha);
    if (memcmp(sha, h->sha256, sizeof sha) != 0)
        return FAIL(tr, CORRUPT, "the saved state does not match its SHA-256; warm it by history");
    return OK_RESULT;
}

/* What both builds call by one name must be one value. */
static struct result check_params(const struct state_owner *o, const struct state_header *h,
                                  const uint8_t *rows, struct trail *tr)
{
    const struct tn_manifest *m = o->manifest;
    for (uint32_t k = 0; k < h->param_count; k++) {
        struct state_param saved;
        memcpy(&saved, rows + k * sizeof saved, sizeof saved);
        for (uint32_t i = 0; i < m->param_count; i++) {
            if (strncmp(saved.name, m->params[i].name, sizeof saved.name) == 0 &&
                memcmp(&saved.value, &o->params[i], sizeof saved.value) != 0)
                return FAIL(tr, FOREIGN,
                            "the saved state of %s was made with another %s; warm it by history, "
                            "or keep that parameter",
                            m->id, m->params[i].name);
        }
    }
    return OK_RESULT;
}

static struct result check_owner(const struct state_owner *o, const struct state_header *h,
                                 struct trail *tr)
{
    const struct tn_manifest *m = o->manifest;
    if (strncmp(h->plugin, m->id, sizeof h->plugin) != 0)
        return FAIL(tr, FOREIGN, "the saved state is of plugin %.32s, not of %s; give %s its own",
                    h->plugin, m->id, m->id);
    if (h->schema > m->state_schema || h->schema < m->state_schema_oldest)
        return FAIL(tr, VERSION,
                    "the saved state has schema %u, plugin %s %s reads %u to %u; use "
                    "the version that wrote it (%.32s) or warm it by history",
                    h->schema, m->id, m->version, m->state_schema_oldest, m->state_schema,
                    h->plugin_version);
    if (h->blob_bytes > m->state_max_bytes)
        return FAIL(tr, TOO_LARGE,
                    "the saved state has %llu bytes, plugin %s %s declares at most "
                    "%u; warm it by history",
                    (unsigned long long)h->blob_bytes, m->id, m->version, m->state_max_bytes);
    if (h->market != o->market)
        return FAIL(tr, FOREIGN,
                    "the saved state of %s was made with another instrument or bar length; warm it "
                    "by history",
                    m->id);
    return OK_RESULT;
}

struct result state_load(const struct state_owner *o, const struct tn_instance_ops *ops, void *inst,
                         const void *bytes, size_t count, struct trail *tr)
{
    const struct tn_manifest *m = o->manifest;
    struct state_header h;
    struct state_source source;
    if (m->state_schema == 0)
        return FAIL(tr, STATE, "plugin %s keeps no state: it is warmed by history instead", m->id);
    if (count < sizeof h)
        return FAIL(tr, CORRUPT,
                    "the saved state is cut: %zu bytes, its header alone has %zu; "
                    "warm it by history",
                    count, sizeof h);
    memcpy(&h, bytes, sizeof h);
    TRY(check_form(&h, bytes, count, tr));
    TRY(check_owner(o, &h, tr));
    TRY(check_params(o, &h, (const uint8_t *)bytes + sizeof h, tr));
    state_source_init(&source, (const uint8_t *)bytes + h.header_bytes, h.blob_bytes);
    int32_t status = ops->state_load(inst, h.schema, &source.stream);
    if (status == TN_OK && source.at == source.count)
        return OK_RESULT;
    if (status == TN_OK)
        return FAIL(tr, PLUGIN, "plugin %s %s: state_load left %zu bytes unread; report it to %s",
                    m->id, m->version, source.count - source.at, m->vendor);
    return FAIL(tr, PLUGIN, "plugin %s %s: state_load gave %s for its own state; report it to %s",
                m->id, m->version, guard_status_name(status), m->vendor);
}
