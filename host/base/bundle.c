/* SPDX-License-Identifier: Apache-2.0
 *
 * See bundle.h.
 */
#include "base/bundle.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

struct bundle *bundle_new(void)
{
    struct bundle *b = calloc(1, sizeof *b);
    must(b != NULL);
    return b;
}

void bundle_set(struct bundle_part *p, const char *name, const void *bytes, size_t count)
{
    must(p->bytes == NULL);
    const char *slash = strrchr(name, '/');
    snprintf(p->name, sizeof p->name, "%s", slash != NULL ? slash + 1 : name);
    p->bytes = malloc(count + 1);
    must(p->bytes != NULL);
    if (count > 0)
        memcpy(p->bytes, bytes, count);
    p->bytes[count] = 0;
    p->count = count;
}

void bundle_free(struct bundle *b)
{
    if (b == NULL)
        return;
    free(b->file.bytes);
    for (uint32_t i = 0; i < b->signature_count; i++)
        free(b->signature[i].bytes);
    free(b);
}
