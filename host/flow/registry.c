/* SPDX-License-Identifier: Apache-2.0
 *
 * See registry.h. Entries and texts are kept in arrays that grow: a journal holds as many
 * deployments as people promoted, which is few, and as many refused ones as somebody cared to send,
 * which is not: so a REFUSED record is also where the old ones of its kind are let go. A text is
 * put together piece by piece; a piece that does not follow the one before begins nothing, so a
 * half-written document is never a document.
 */
#include "flow/registry.h"
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"

struct text {
    uint8_t sha256[FACT_HASH_BYTES];
    char *bytes; /* NUL after total */
    uint32_t total, have;
    uint32_t kind;
    bool is_whole; /* and its hash is right */
};

struct registry {
    struct registry_entry **entry;
    uint32_t entry_count, text_count, used_count;
    uint64_t dropped;
    bool keeps_all;
    struct text *text;
    uint8_t (*used)[FACT_HASH_BYTES];
    struct registry_entry *active, *before; /* NULL = none */
    struct { /* what they were before the newest DEPLOY, which the core may refuse */
        struct registry_entry *active, *before;
        uint64_t flip_seq; /* of the entry that the DEPLOY named */
    } was;
    bool has_trust, is_throwaway;
    uint8_t trust[FACT_HASH_BYTES];
    uint64_t trust_version;
    int64_t wall_ns;
};

static void *grow(void *rows, uint32_t count, size_t bytes)
{
    if ((count & (count - 1)) != 0)
        return rows; /* there is room until the next power of two */
    void *more = realloc(rows, (count == 0 ? 1 : (size_t)count * 2) * bytes);
    must(more != NULL);
    return more;
}

struct registry *registry_new(void)
{
    struct registry *r = calloc(1, sizeof *r);
    must(r != NULL);
    return r;
}

void registry_keep_all(struct registry *r)
{
    r->keeps_all = true;
}

static void free_entry(struct registry_entry *e)
{
    free(e->signature);
    free(e);
}

void registry_free(struct registry *r)
{
    if (r == NULL)
        return;
    for (uint32_t i = 0; i < r->entry_count; i++)
        free_entry(r->entry[i]);
    for (uint32_t i = 0; i < r->text_count; i++)
        free(r->text[i].bytes);
    free(r->entry);
    free(r->text);
    free(r->used);
    free(r);
}

static struct text *find_text(const struct registry *r, const uint8_t sha256[32])
{
    for (uint32_t i = r->text_count; i-- > 0;) {
        if (memcmp(r->text[i].sha256, sha256, FACT_HASH_BYTES) == 0)
            return &r->text[i];
    }
    return NULL;
}

/* The serial that a derived rollback takes back stands in a line of its own: our own text. */
static uint64_t rollback_of(const char *text)
{
    static const char key[] = "\nrollback_of: ";
    const char *at = strstr(text, key);
    return at == NULL ? 0 : strtoull(at + sizeof key - 1, NULL, 10);
}

/* ---- entries ---- */

static struct registry_entry *find_entry(const struct registry *r, const uint8_t sha256[32])
{
    for (uint32_t i = r->entry_count; i-- > 0;) {
        if (memcmp(r->entry[i]->sha256, sha256, FACT_HASH_BYTES) == 0)
            return r->entry[i];
    }
    return NULL;
}

static struct registry_entry *add_entry(struct registry *r, uint64_t serial,
                                        const uint8_t sha256[32], const struct fact_head *head)
{
    r->entry = grow(r->entry, r->entry_count, sizeof(struct registry_entry *));
    struct registry_entry *e = calloc(1, sizeof *e);
    must(e != NULL);
    r->entry[r->entry_count++] = e;
    const struct text *t = find_text(r, sha256); /* a file that was handed over before */
    e->rollback_of = t != NULL && t->is_whole ? rollback_of(t->bytes) : 0;
    e->serial = serial;
    memcpy(e->sha256, sha256, sizeof e->sha256);
    e->first_seq = head->seq;
    e->first_ns = head->t_ns;
    return e;
}

static void note_wall(struct registry *r, int64_t wall_ns)
{
    if (wall_ns > r->wall_ns)
        r->wall_ns = wall_ns;
}

/* The entry that a record moves: the same file may have been handed over again, and refused, while
 * it was active, so the newest of its hash need not be the one. */
static struct registry_entry *find_moved(const struct registry *r, const struct fact_promotion *p)
{
    for (uint32_t i = r->entry_count; i-- > 0;) {
        if (r->entry[i]->state == p->from &&
            memcmp(r->entry[i]->sha256, p->sha256, FACT_HASH_BYTES) == 0)
            return r->entry[i];
    }
    return find_entry(r, p->sha256);
}

/* Nothing can refer to it any more: no flip names it, no later record moves it. */
static bool is_spent(const struct registry_entry *e)
{
    return e->state == PROMOTION_REFUSED && e->flip.flip_seq == 0;
}

/* A text that only spent entries had. That of a trust document is none of theirs. */
static void drop_text(struct registry *r, const uint8_t sha256[32])
{
    struct text *t = find_text(r, sha256);
    if (t == NULL || t->kind != FACT_TEXT_DEPLOYMENT)
        return;
    for (uint32_t i = 0; i < r->entry_count; i++) {
        if (!is_spent(r->entry[i]) && memcmp(r->entry[i]->sha256, sha256, FACT_HASH_BYTES) == 0)
            return;
    }
    free(t->bytes);
    *t = r->text[--r->text_count];
}

/* The oldest of the spent ones, when there are too many. */
static void drop_oldest(struct registry *r)
{
    uint32_t spent = 0, oldest = r->entry_count;
    for (uint32_t i = r->entry_count; i-- > 0;) {
        if (!is_spent(r->entry[i]))
            continue;
        spent++;
        oldest = i;
    }
    if (spent <= REGISTRY_REFUSED_MAX)
        return;
    free_entry(r->entry[oldest]);
    r->entry_count--;
    memmove(&r->entry[oldest], &r->entry[oldest + 1],
            (r->entry_count - oldest) * sizeof(struct registry_entry *));
    r->dropped++;
}

static bool is_accepted(uint32_t state)
{
    return state == PROMOTION_APPROVED || state == PROMOTION_PROBATION ||
           state == PROMOTION_PERMANENT;
}

static void take_promotion(struct registry *r, const struct fact_head *head,
                           const struct fact_promotion *p)
{
    struct registry_entry *e = find_moved(r, p);
    if (e == NULL || p->from == PROMOTION_DRAFT)
        e = add_entry(r, p->serial, p->sha256, head);
    if (p->serial != 0)
        e->serial = p->serial;
    e->state = p->to;
    e->last = *p;
    e->last_seq = head->seq;
    e->last_ns = head->t_ns;
    if (p->flip_seq != 0 && p->to != PROMOTION_ROLLED_BACK)
        e->flip = *p;
    if (is_accepted(p->to))
        note_wall(r, p->wall_ns);
    if (!is_spent(e) || r->keeps_all)
        return;
    drop_text(r, p->sha256);
    drop_oldest(r);
}

static void take_deploy(struct registry *r, const struct fact_head *head,
                        const struct fact_deploy *d)
{
    struct registry_entry *e = find_entry(r, d->sha256);
    if (e == NULL) { /* unsigned: nobody promoted it */
        e = add_entry(r, d->serial, d->sha256, head);
        e->state = PROMOTION_PERMANENT;
    }
    memcpy(e->name, d->name, sizeof e->name);
    r->was.active = r->active;
    r->was.before = r->before;
    r->was.flip_seq = e->flip.flip_seq;
    e->flip.flip_seq = head->seq;
    r->before = r->active;
    r->active = e;
}

/* The effect that follows a DEPLOY which the core does not take: nothing became active. */
static void take_ignored(struct registry *r, const struct fact_head *head,
                         const struct fact_ignored *i)
{
    if (i->detail != FACT_DEPLOY || r->active == NULL || r->active->flip.flip_seq != head->seq)
        return;
    r->active->flip.flip_seq = r->was.flip_seq;
    r->active = r->was.active;
    r->before = r->was.before;
}

static void take_signature(struct registry *r, const struct fact_head *head,
                           const struct fact_signature *s)
{
    struct registry_entry *e = find_entry(r, s->sha256);
    if (e == NULL || e->signature_count == REGISTRY_SIGNATURES_MAX)
        return;
    e->signature = grow(e->signature, e->signature_count, sizeof *e->signature);
    e->signature[e->signature_count++] = (struct registry_signature){.fact = *s, .seq = head->seq};
}

/* ---- texts ---- */

static void text_done(struct registry *r, struct text *t)
{
    uint8_t hash[FACT_HASH_BYTES];
    hash_sha256_once(t->bytes, t->total, hash);
    t->is_whole = memcmp(hash, t->sha256, sizeof hash) == 0;
    struct registry_entry *e = find_entry(r, t->sha256);
    if (t->is_whole && e != NULL)
        e->rollback_of = rollback_of(t->bytes);
}

static void take_text(struct registry *r, const struct fact_text_piece *p)
{
    struct text *t = find_text(r, p->sha256);
    if (p->offset == 0 && (t == NULL || !t->is_whole)) {
        if (t == NULL) {
            r->text = grow(r->text, r->text_count, sizeof *r->text);
            t = &r->text[r->text_count++];
            *t = (struct text){0};
        }
        free(t->bytes);
        *t = (struct text){.total = p->total, .kind = p->kind};
        memcpy(t->sha256, p->sha256, sizeof t->sha256);
        t->bytes = calloc(1, (size_t)p->total + 1);
        must(t->bytes != NULL);
    }
    if (t == NULL || t->is_whole || p->offset != t->have || p->count > FACT_PIECE_BYTES ||
        p->count > t->total - t->have)
        return;
    memcpy(t->bytes + t->have, p->bytes, p->count);
    t->have += p->count;
    if (t->have == t->total)
        text_done(r, t);
}

/* ---- taking ---- */

void registry_take(struct registry *r, const struct fact_head *head, const void *payload)
{
    switch (head->type) {
    case FACT_TRUST: {
        const struct fact_trust *t = payload;
        memcpy(r->trust, t->sha256, sizeof r->trust);
        r->trust_version = t->version;
        r->is_throwaway = t->throwaway != 0;
        r->has_trust = true;
        note_wall(r, t->wall_ns);
        break;
    }
    case FACT_TEXT:
        take_text(r, payload);
        break;
    case FACT_SIGNATURE:
        take_signature(r, head, payload);
        break;
    case FACT_PROMOTION:
        take_promotion(r, head, payload);
        break;
    case FACT_DEPLOY:
        take_deploy(r, head, payload);
        break;
    case FACT_IGNORED:
        take_ignored(r, head, payload);
        break;
    case FACT_REQUEST: {
        const struct fact_request *q = payload;
        r->used = grow(r->used, r->used_count, sizeof *r->used);
        memcpy(r->used[r->used_count++], q->sha256, sizeof *r->used);
        note_wall(r, q->wall_ns);
        break;
    }
    default:
        break;
    }
}

struct result registry_read(struct registry *r, struct journal_store *store, struct trail *tr)
{
    struct journal_reader *reader = NULL;
    struct fact_head head;
    const void *payload;
    TRY(journal_reader_open(store, &reader, tr));
    struct result x;
    while (is_ok(x = journal_reader_next(reader, &head, &payload, tr)))
        registry_take(r, &head, payload);
    journal_reader_close(reader);
    return x.code == RESULT_END ? OK_RESULT : x;
}

struct result registry_read_dir(struct registry *r, const char *dir, struct trail *tr)
{
    struct journal_store *store = NULL;
    TRY(journal_store_rocksdb(dir, false, true, &store, tr));
    struct result x = registry_read(r, store, tr);
    store->ops->close(store);
    return x;
}

/* ---- questions ---- */

uint32_t registry_count(const struct registry *r)
{
    return r->entry_count;
}

const struct registry_entry *registry_entry(const struct registry *r, uint32_t i)
{
    must(i < r->entry_count);
    return r->entry[i];
}

uint64_t registry_dropped(const struct registry *r)
{
    return r->dropped;
}

const struct registry_entry *registry_active(const struct registry *r)
{
    return r->active;
}

const struct registry_entry *registry_before(const struct registry *r)
{
    return r->before;
}

const struct registry_entry *registry_find(const struct registry *r, const uint8_t sha256[32])
{
    return find_entry(r, sha256);
}

const struct registry_entry *registry_serial(const struct registry *r, uint64_t serial)
{
    /* A refused file may have borne the same serial: what was active comes first. */
    const struct registry_entry *found = NULL;
    for (uint32_t i = 0; i < r->entry_count; i++) {
        const struct registry_entry *e = r->entry[i];
        if (e->serial == serial && (found == NULL || e->flip.flip_seq != 0))
            found = e;
    }
    return found;
}

const char *registry_text(const struct registry *r, const uint8_t sha256[32], size_t *count)
{
    const struct text *t = find_text(r, sha256);
    if (t == NULL || !t->is_whole)
        return NULL;
    *count = t->total;
    return t->bytes;
}

bool registry_trust(const struct registry *r, uint8_t sha256[32], uint64_t *version)
{
    memcpy(sha256, r->trust, FACT_HASH_BYTES);
    *version = r->trust_version;
    return r->has_trust;
}

bool registry_is_throwaway(const struct registry *r)
{
    return r->is_throwaway;
}

bool registry_used(const struct registry *r, const uint8_t sha256[32])
{
    for (uint32_t i = 0; i < r->used_count; i++) {
        if (memcmp(r->used[i], sha256, FACT_HASH_BYTES) == 0)
            return true;
    }
    return false;
}

int64_t registry_wall(const struct registry *r)
{
    return r->wall_ns;
}

/* ---- words ---- */

const char *promotion_state_name(uint32_t state)
{
    static const char *const name[PROMOTION_STATE_END] = {"unset",
#define X(id, name, word, text) word,
                                                          PROMOTION_STATES(X)
#undef X
    };
    return state < PROMOTION_STATE_END ? name[state] : "?";
}

const char *promotion_state_text(uint32_t state)
{
    static const char *const name[PROMOTION_STATE_END] = {"unset",
#define X(id, name, word, text) text,
                                                          PROMOTION_STATES(X)
#undef X
    };
    return state < PROMOTION_STATE_END ? name[state] : "?";
}

const char *promotion_why_text(uint32_t why)
{
    static const char *const name[PROMOTION_WHY_END] = {"no reason is recorded",
#define X(id, name, text) text,
                                                        PROMOTION_WHYS(X)
#undef X
    };
    return why < PROMOTION_WHY_END ? name[why] : "?";
}
