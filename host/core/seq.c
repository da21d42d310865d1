/* SPDX-License-Identifier: Apache-2.0
 *
 * Held answers lie in a fixed array; a binary heap of their indices keeps the earliest on top, with
 * (due, cause, instance, generation, order given) as a total order, so that nothing depends on how
 * the heap was built. Bounds are kept by lane: two builds of one instance do not share them, and a
 * lane that becomes free begins anew.
 */
#include "core/seq.h"
#include "base/must.h"
#include <string.h>

void seq_init(struct seq *s, uint64_t last_seq, int64_t last_ns)
{
    memset(s, 0, sizeof *s);
    s->last_seq = last_seq;
    s->last_ns = last_ns;
    s->excused_ns = INT64_MIN;
    for (uint32_t i = 0; i < SEQ_HELD_MAX; i++)
        s->free[i] = (uint16_t)(SEQ_HELD_MAX - 1 - i);
}

void seq_number(struct seq *s, struct fact_head *head)
{
    must(head->sub == 0);
    if (head->t_ns < s->last_ns)
        head->t_ns = s->last_ns;
    head->seq = ++s->last_seq;
    s->last_ns = head->t_ns;
}

static bool before(const struct seq *s, uint16_t a, uint16_t b)
{
    const struct seq_held *x = &s->held[a], *y = &s->held[b];
    if (x->due_ns != y->due_ns)
        return x->due_ns < y->due_ns;
    if (x->cause_seq != y->cause_seq)
        return x->cause_seq < y->cause_seq;
    if (x->signal.instance != y->signal.instance)
        return x->signal.instance < y->signal.instance;
    if (x->generation != y->generation)
        return x->generation < y->generation;
    return x->order < y->order;
}

static void swap(struct seq *s, uint32_t i, uint32_t k)
{
    uint16_t t = s->heap[i];
    s->heap[i] = s->heap[k];
    s->heap[k] = t;
}

static void rise(struct seq *s, uint32_t i)
{
    while (i > 0 && before(s, s->heap[i], s->heap[(i - 1) / 2])) {
        swap(s, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static void sink(struct seq *s, uint32_t i)
{
    for (;;) {
        uint32_t least = i, left = 2 * i + 1, right = 2 * i + 2;
        if (left < s->count && before(s, s->heap[left], s->heap[least]))
            least = left;
        if (right < s->count && before(s, s->heap[right], s->heap[least]))
            least = right;
        if (least == i)
            return;
        swap(s, i, least);
        i = least;
    }
}

static bool note_late(struct seq *s, uint32_t lane, bool late)
{
    uint32_t bits = (s->late_bits[lane] << 1 | late) & ((1u << SEQ_LATE_WINDOW) - 1);
    s->late_bits[lane] = bits;
    return __builtin_popcount(bits) >= SEQ_LATE_MAX;
}

enum seq_put seq_answer(struct seq *s, uint32_t lane, uint32_t generation, uint64_t cause_seq,
                        int64_t due_ns, const struct fact_signal *signal)
{
    must(cause_seq <= s->last_seq);
    must(lane < SEQ_LANES_MAX);
    bool late = s->last_seq > cause_seq && s->last_ns >= due_ns;
    if (late && due_ns <= s->excused_ns)
        return SEQ_LATE;
    if (note_late(s, lane, late))
        return SEQ_FAULT;
    if (late)
        return SEQ_LATE;
    if (s->count == SEQ_HELD_MAX || s->held_by[lane] == SEQ_HELD_PER_INSTANCE)
        return SEQ_FAULT;
    uint16_t row = s->free[SEQ_HELD_MAX - 1 - s->count];
    s->held[row] = (struct seq_held){.due_ns = due_ns,
                                     .order = s->given++,
                                     .cause_seq = cause_seq,
                                     .lane = lane,
                                     .generation = generation,
                                     .signal = *signal};
    s->heap[s->count] = row;
    rise(s, s->count++);
    s->held_by[lane]++;
    return SEQ_HELD;
}

void seq_excuse(struct seq *s, int64_t until_ns)
{
    if (until_ns > s->excused_ns)
        s->excused_ns = until_ns;
}

int64_t seq_due(const struct seq *s)
{
    return s->count == 0 ? INT64_MAX : s->held[s->heap[0]].due_ns;
}

static void remove_at(struct seq *s, uint32_t i)
{
    uint16_t row = s->heap[i];
    must(s->held_by[s->held[row].lane] > 0);
    s->held_by[s->held[row].lane]--;
    s->count--;
    s->free[SEQ_HELD_MAX - 1 - s->count] = row;
    if (i == s->count)
        return;
    s->heap[i] = s->heap[s->count];
    rise(s, i);
    sink(s, i);
}

void seq_take(struct seq *s, struct seq_held *out)
{
    must(s->count > 0);
    *out = s->held[s->heap[0]];
    remove_at(s, 0);
}

void seq_drop(struct seq *s, uint32_t lane)
{
    must(lane < SEQ_LANES_MAX);
    for (uint32_t i = 0; i < s->count;) {
        if (s->held[s->heap[i]].lane == lane) {
            remove_at(s, i);
            i = 0; /* the row that took the place may have risen past i */
        } else {
            i++;
        }
    }
    must(s->held_by[lane] == 0);
    s->late_bits[lane] = 0; /* the next build of this lane is not to blame */
}
