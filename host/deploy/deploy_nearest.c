/* SPDX-License-Identifier: Apache-2.0
 *
 * "Did you mean": Levenshtein distance over two rows. At most three edits and fewer than the word
 * has letters, since with more any short word is near to any other. Ties go to the first known
 * name, so the answer does not depend on anything but the table.
 */
#include <string.h>
#include "base/must.h"
#include "deploy/deploy.h"

enum { WORD_MAX = 64, EDITS_MAX = 3 };

static uint32_t least(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t m = a < b ? a : b;
    return m < c ? m : c;
}

static uint32_t distance(const char *a, size_t na, const char *b, size_t nb)
{
    uint32_t was[WORD_MAX + 1], now[WORD_MAX + 1];
    must(na <= WORD_MAX && nb <= WORD_MAX);
    for (size_t j = 0; j <= nb; j++)
        was[j] = (uint32_t)j;
    for (size_t i = 1; i <= na; i++) {
        now[0] = (uint32_t)i;
        for (size_t j = 1; j <= nb; j++)
            now[j] = least(was[j] + 1, now[j - 1] + 1, was[j - 1] + (a[i - 1] != b[j - 1]));
        memcpy(was, now, sizeof(was));
    }
    return was[nb];
}

const char *deploy_nearest(const char *word, const char *const *known, size_t count)
{
    const char *best = NULL;
    size_t n = strlen(word);
    uint32_t best_edits = EDITS_MAX + 1;
    if (n == 0 || n > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t m = strlen(known[i]);
        if (m > WORD_MAX)
            continue;
        uint32_t edits = distance(word, n, known[i], m);
        if (edits < best_edits && edits < n) {
            best = known[i];
            best_edits = edits;
        }
    }
    return best;
}
