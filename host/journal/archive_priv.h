/* SPDX-License-Identifier: Apache-2.0
 *
 * The archive file, inside its zstd stream: archive_head; per group a u64 length and the group;
 * a u64 zero; a u64 length and a signed line (heads.h) for the last group.
 */
#ifndef JOURNAL_ARCHIVE_PRIV_H
#define JOURNAL_ARCHIVE_PRIV_H
#include "journal/group.h"

#define ARCHIVE_MAGIC "TENONARC"
enum { ARCHIVE_VERSION = 1 };
struct archive_head {
    char magic[8];
    uint32_t version;
    uint32_t head_bytes;
    uint8_t journal_id[GROUP_ID_BYTES];
};
static_assert(sizeof(struct archive_head) == 32, "archive_head layout");
#endif
