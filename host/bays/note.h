/* SPDX-License-Identifier: Apache-2.0
 *
 * The ABI note: a plugin's static facts, read from the file without running any of its code, and
 * the rules a manifest must keep. A manifest that passed note_manifest_check is safe to use: every
 * text ends inside its array, every count is inside its table, every bound is ordered.
 */
#ifndef BAYS_NOTE_H
#define BAYS_NOTE_H
#include "bays/bay.h"
#include "bays/image.h"

enum {
    NOTE_ARENA_MAX_BYTES = 256 * 1024 * 1024,
    NOTE_STATE_MAX_BYTES = 64 * 1024 * 1024,
    NOTE_SIGNALS_MAX = 16,
};

struct note_found {
    uint32_t count;  /* ABI notes in the file; 1 is right */
    size_t desc_off; /* of the manifest in the file */
    uint64_t desc_vaddr;
    uint32_t desc_bytes;
    bool damaged; /* a note runs out of its segment, or ours has a wrong type or size */
};

void note_find(const struct image *im, struct note_found *out);
/* Copies the manifest into the host's own zeroed struct and checks it. The result's sentence goes
 * to why (IMAGE_TEXT_BYTES). RESULT_MISSING: no note. RESULT_ABI: not for this host.
 * RESULT_SYNTAX: a broken rule of the manifest. */
MUST_USE struct result note_read(const struct image *im, struct tn_manifest *out, char *why);
MUST_USE struct result note_manifest_check(const struct tn_manifest *m, char *why);
/* Build id as hex, "" when there is none. */
void note_build_id(const struct image *im, char *out, size_t out_bytes);
const char *note_kind_name(uint32_t kind); /* "indicator"; "?" when unknown */
#endif
