/* SPDX-License-Identifier: Apache-2.0
 *
 * What a denial needs from those before and after it: how often this strategy was told the same,
 * and since when each rule has said no without a break. Two small tables, searched from their end:
 * a host has a few dozen pairs of strategy and instrument, and a few dozen different denials.
 */
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "tools/tenon/story.h"

static void *grown(void *rows, uint32_t count, uint32_t *room, size_t bytes)
{
    if (count < *room)
        return rows;
    *room = *room ? 2 * *room : 16;
    void *more = realloc(rows, *room * bytes);
    must(more != NULL);
    return more;
}

static struct story_book *find_book(const struct story_denials *d, const struct fact_decision *f)
{
    for (uint32_t i = d->book_count; i-- > 0;) {
        if (d->book[i].strategy == f->strategy && d->book[i].instrument == f->instrument)
            return &d->book[i];
    }
    return NULL;
}

static struct story_seen *find_seen(const struct story_denials *d, const struct fact_decision *f)
{
    for (uint32_t i = d->seen_count; i-- > 0;) {
        struct story_seen *s = &d->seen[i];
        if (s->strategy == f->strategy && s->denied_by == f->denied_by && s->cut_by == f->cut_by)
            return s;
    }
    return NULL;
}

static struct story_book *book_of(struct story_denials *d, const struct fact_decision *f)
{
    struct story_book *b = find_book(d, f);
    if (b != NULL)
        return b;
    d->book = grown(d->book, d->book_count, &d->book_room, sizeof *d->book);
    b = &d->book[d->book_count++];
    *b = (struct story_book){.strategy = f->strategy, .instrument = f->instrument};
    return b;
}

void story_denials_take(struct story_denials *d, const struct fact_head *head,
                        const struct fact_decision *f)
{
    must(head->type == FACT_DECISION);
    struct story_book *b = book_of(d, f);
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        bool binds = f->result[r] == FACT_RULE_DENY || f->result[r] == FACT_RULE_CUT;
        if (binds && b->since_ns[r] == 0)
            b->since_ns[r] = head->t_ns;
        else if (!binds && f->result[r] != FACT_RULE_FREE)
            b->since_ns[r] = 0; /* a rule that does not bind says nothing either way */
    }
    if (f->denied_by == 0 && f->cut_by == 0)
        return;
    struct story_seen *s = find_seen(d, f);
    if (s == NULL) {
        d->seen = grown(d->seen, d->seen_count, &d->seen_room, sizeof *d->seen);
        s = &d->seen[d->seen_count++];
        *s = (struct story_seen){.strategy = f->strategy,
                                 .denied_by = f->denied_by,
                                 .cut_by = f->cut_by,
                                 .first_ns = head->t_ns};
    }
    s->count++;
    s->last_ns = head->t_ns;
}

const struct story_book *story_denials_book(const struct story_denials *d,
                                            const struct fact_decision *f)
{
    const struct story_book *b = find_book(d, f);
    must(b != NULL);
    return b;
}

const struct story_seen *story_denials_seen(const struct story_denials *d,
                                            const struct fact_decision *f)
{
    const struct story_seen *s = find_seen(d, f);
    must(s != NULL || (f->denied_by == 0 && f->cut_by == 0));
    return s;
}

void story_denials_free(struct story_denials *d)
{
    free(d->seen);
    free(d->book);
    memset(d, 0, sizeof *d);
}
