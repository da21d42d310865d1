/* SPDX-License-Identifier: Apache-2.0
 *
 * Every group is read and hashed, from group 1 or from the last signed checkpoint. What hashing
 * alone cannot see, the heads do: an end that is gone (shorter than its head), and a past that was
 * rewritten with all its checksums (another hash at a group that a head names).
 *
 * Three outcomes. Broken: a group or record is damaged, missing, foreign, or contradicts a head:
 * refuse, name it. Doubt: what is there is whole, but it ends before a head does: the host may
 * start, in SAFE. Good. Nothing is written here.
 *
 * A last group that cannot be used and that no head acknowledges was being written when the host
 * died; nobody acted on it, so it is left out ("cut") and said.
 */
#include "journal/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

struct walk {
    const struct heads *heads;
    const struct heads_mark *marks;
    uint32_t mark_count;
    uint32_t mark;    /* next to compare */
    uint64_t agreed;  /* highest group at which a head agreed */
    uint64_t differs; /* first group behind it that the list of hashes contradicts */
    uint64_t differs_first_seq, differs_last_seq;
    struct chain chain;
};

/* The highest group that any head acknowledges. */
static uint64_t acknowledged(const struct walk *w)
{
    uint64_t index = 0;
    if (!w->heads)
        return 0;
    if (heads_slot(w->heads))
        index = heads_slot(w->heads)->at.index;
    if (w->mark_count > 0 && w->marks[w->mark_count - 1].at.index > index)
        index = w->marks[w->mark_count - 1].at.index;
    return index;
}

static struct result contradicted(const struct walk *w, const struct heads_mark *m,
                                  const char *which, struct trail *tr)
{
    const struct chain *c = &w->chain;
    if (w->differs)
        return FAIL(
            tr, BROKEN_CHAIN,
            "a record in group %" PRIu64 " (seq %" PRIu64 " to %" PRIu64
            ") was altered and all checksums after it were redone: the chain hash at group "
            "%" PRIu64 " (seq %" PRIu64 ") is not the one its %s names; restore a good copy",
            w->differs, w->differs_first_seq, w->differs_last_seq, c->index, m->at.seq, which);
    return FAIL(tr, BROKEN_CHAIN,
                "a record in groups %" PRIu64 " to %" PRIu64 " was altered and all checksums after "
                "it were redone: the chain hash at group %" PRIu64 " (seq %" PRIu64
                ") is not the one its %s names; restore a good copy",
                w->agreed + 1, c->index, c->index, m->at.seq, which);
}

/* Compares the group just walked with every head that names it. */
static struct result compare_heads(struct walk *w, uint64_t first_seq, struct trail *tr)
{
    const struct chain *c = &w->chain;
    const struct heads_mark *agreed = NULL;
    if (w->differs == 0 && heads_differs(w->heads, c->index, c->hash)) {
        w->differs = c->index;
        w->differs_first_seq = first_seq;
        w->differs_last_seq = c->seq;
    }
    while (w->mark < w->mark_count && w->marks[w->mark].at.index <= c->index) {
        const struct heads_mark *m = &w->marks[w->mark++];
        if (m->at.index < c->index)
            continue; /* before the walk's start */
        if (memcmp(m->at.hash, c->hash, FACT_HASH_BYTES) == 0) {
            agreed = m;
            continue;
        }
        if (heads_is_signed(w->heads, m))
            return contradicted(w, m, "signed head", tr);
        return FAIL(tr, CORRUPT,
                    "line %u of %s/heads.signed contradicts the journal at group %" PRIu64
                    " and its signature is wrong: the line was altered; restore heads.signed",
                    m->line, heads_dir(w->heads), c->index);
    }
    const struct heads_mark *slot = heads_slot(w->heads);
    if (slot && slot->at.index == c->index) {
        if (memcmp(slot->at.hash, c->hash, FACT_HASH_BYTES) != 0)
            return contradicted(w, slot, "head file", tr);
        agreed = slot;
    }
    if (agreed) {
        w->agreed = c->index;
        w->differs = 0;
    }
    return OK_RESULT;
}

static struct result same_id(const uint8_t *is, const uint8_t *other, const char *whose,
                             struct trail *tr)
{
    if (memcmp(other, is, GROUP_ID_BYTES) == 0)
        return OK_RESULT;
    return FAIL(tr, FOREIGN,
                "the journal's id begins %02x%02x%02x%02x but %s %02x%02x%02x%02x: it is another "
                "host's or another network's; point to this host's own folder",
                is[0], is[1], is[2], is[3], whose, other[0], other[1], other[2], other[3]);
}

static struct result check_id(const struct walk *w, const uint8_t *id, struct trail *tr)
{
    static const uint8_t zero[GROUP_ID_BYTES];
    const uint8_t *is = w->chain.journal_id;
    if (id && memcmp(id, zero, GROUP_ID_BYTES) != 0)
        TRY(same_id(is, id, "what was asked for is", tr));
    if (w->heads && heads_slot(w->heads))
        TRY(same_id(is, heads_slot(w->heads)->at.journal_id, "its head file says", tr));
    if (w->mark_count > 0)
        TRY(same_id(is, w->marks[w->mark_count - 1].at.journal_id, "its signed heads say", tr));
    return OK_RESULT;
}

/* Puts the walk before the first group to be checked. */
static struct result begin(struct walk *w, uint64_t first, uint64_t last, struct trail *tr)
{
    const struct heads_mark *cp = w->heads ? heads_checkpoint(w->heads) : NULL;
    chain_begin(&w->chain);
    if (first == 1)
        return OK_RESULT;
    if (cp && first <= cp->at.index + 1) {
        if (last < cp->at.index)
            return FAIL(tr, TRUNCATED,
                        "the journal ends at group %" PRIu64 " before its signed checkpoint at "
                        "group %" PRIu64 ": restore the newest copy",
                        last, cp->at.index);
        w->chain = cp->at;
        w->agreed = cp->at.index;
        return OK_RESULT;
    }
    if (w->heads)
        return FAIL(tr, CORRUPT,
                    "the journal begins at group %" PRIu64 " and no signed checkpoint says that "
                    "the groups before it were pruned: groups %" PRIu64 " to %" PRIu64
                    " are missing; restore a good copy",
                    first, cp ? cp->at.index + 1 : 1, first - 1);
    chain_begin_at(&w->chain, first);
    return OK_RESULT;
}

static struct result walk_groups(struct walk *w, struct journal_store *store, const uint8_t *id,
                                 uint64_t last, struct check_end *out, struct trail *tr)
{
    struct hash_sha256 *sha;
    struct result r = hash_sha256_new(&sha);
    if (!is_ok(r))
        return r;
    bool known = false;
    while (is_ok(r) && w->chain.index < last) {
        const void *bytes;
        size_t count;
        struct trail why = {0};
        struct chain before = w->chain;
        r = store->ops->read(store, w->chain.index + 1, &bytes, &count, &why);
        if (is_ok(r))
            r = chain_add(&w->chain, bytes, count, sha, &why);
        const bool unacknowledged = before.index + 1 == last && w->heads && heads_slot(w->heads) &&
                                    acknowledged(w) <= before.index;
        if (r.code == RESULT_CORRUPT && unacknowledged) {
            w->chain = before;
            out->torn = true;
            snprintf(out->torn_text, sizeof out->torn_text,
                     "the last group was never acknowledged and is cut: %.230s",
                     trail_sentence(&why, r));
            r = OK_RESULT;
            break;
        }
        if (!is_ok(r)) {
            r = FAIL_AS(tr, r, "%s", trail_sentence(&why, r));
            break;
        }
        if (!known)
            r = check_id(w, id, tr);
        known = true;
        if (is_ok(r) && w->heads)
            r = compare_heads(w, before.seq + 1, tr);
    }
    hash_sha256_free(sha);
    return r;
}

/* A head beyond the end: who says so, and is it to be believed? */
static struct result compare_end(struct walk *w, struct check_end *out, struct trail *tr)
{
    const struct chain *c = &w->chain;
    const struct heads_mark *slot = heads_slot(w->heads);
    const struct heads_mark *beyond = slot && slot->at.index > c->index ? slot : NULL;
    for (uint32_t i = w->mark; i < w->mark_count; i++) {
        const struct heads_mark *m = &w->marks[i];
        if (!heads_is_signed(w->heads, m))
            return FAIL(tr, CORRUPT,
                        "line %u of %s/heads.signed (group %" PRIu64 ") lies past the journal's "
                        "end and its signature is wrong: restore heads.signed",
                        m->line, heads_dir(w->heads), m->at.index);
        if (!beyond || m->at.index > beyond->at.index)
            beyond = m;
    }
    if (beyond && c->index == 0)
        return FAIL(tr, TRUNCATED,
                    "the journal is empty but its head in %s says group %" PRIu64 ", seq %" PRIu64
                    ": restore the newest copy, or give the new journal another heads folder",
                    heads_dir(w->heads), beyond->at.index, beyond->at.seq);
    if (beyond) {
        out->doubt = true;
        snprintf(out->doubt_text, sizeof out->doubt_text,
                 "the journal is whole but ends at seq %" PRIu64 " (group %" PRIu64
                 ") and its head in %.100s says seq %" PRIu64 " (group %" PRIu64
                 "): what was acknowledged after it is gone; restore the newest copy",
                 c->seq, c->index, heads_dir(w->heads), beyond->at.seq, beyond->at.index);
    } else if (c->index > 0 && heads_is_blank(w->heads)) {
        out->doubt = true;
        snprintf(out->doubt_text, sizeof out->doubt_text,
                 "the journal ends at seq %" PRIu64 " (group %" PRIu64 ") but %.100s holds no head "
                 "of it: whether its end is missing cannot be told; restore the heads folder",
                 c->seq, c->index, heads_dir(w->heads));
    } else if (!out->torn && slot && slot->at.index == c->index &&
               heads_attempted(w->heads) > c->index) {
        out->torn = true;
        snprintf(out->torn_text, sizeof out->torn_text,
                 "group %" PRIu64 " was being stored when the host died; it was never acknowledged "
                 "and is not there",
                 heads_attempted(w->heads));
    }
    return OK_RESULT;
}

struct result check_store(struct journal_store *store, const struct heads *heads, const uint8_t *id,
                          struct check_end *out, struct trail *tr)
{
    struct walk w = {.heads = heads};
    uint64_t first, last;
    memset(out, 0, sizeof *out);
    if (heads)
        w.marks = heads_marks(heads, &w.mark_count);
    TRY(store->ops->bounds(store, &first, &last, tr));
    if (last < first)
        chain_begin(&w.chain);
    else
        TRY(begin(&w, first, last, tr));
    if (last >= first)
        TRY(walk_groups(&w, store, id, last, out, tr));
    if (heads)
        TRY(compare_end(&w, out, tr));
    must(w.chain.anchored || w.chain.index == 0);
    out->chain = w.chain;
    return OK_RESULT;
}
