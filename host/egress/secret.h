/* SPDX-License-Identifier: Apache-2.0
 *
 * The secrets of accounts, sealed at rest: one file, names in the clear, everything else under
 * AES-256-GCM with a key that scrypt makes of a password. Whoever changes a name, swaps two
 * entries or cuts the file makes it unreadable, since names and counts are bound into the seal.
 *
 * Open, they lie in one piece of memory that is locked (never swapped), left out of core files and
 * of children, and wiped when it is given back. Only tenon-egress holds them, and the tool for as
 * long as a command takes. One thread.
 *
 * Each is added for one kind of account, simulated or live, and is used for no other: a key of real
 * money in a rehearsal, or a rehearsal's key where orders should be real, is somebody's mistake.
 *
 * File (little-endian, version 2): struct secret_head, `count` of struct secret_clear, nonce[12]
 * and 4 zero bytes, sealed body, tag[16]. All before the body is bound in. The body has for each
 * name: u32 field count, and for each field u32 length and its bytes.
 */
#ifndef EGRESS_SECRET_H
#define EGRESS_SECRET_H
#include "base/result.h"
#include "tbl/facts.h"

enum {
    SECRET_VERSION = 2,
    SECRET_NAMES_MAX = 64,
    SECRET_NAME_BYTES = FACT_NAME_BYTES,
    SECRET_FIELDS_MAX = 8,
    SECRET_FIELD_BYTES = 512, /* of one field */
    SECRET_FILE_MAX = 512 * 1024,
};
struct secret_head {
    char magic[8]; /* "TENONSEC" */
    uint32_t version, head_bytes;
    uint32_t log2_n, r, p; /* of scrypt */
    uint32_t count;
    uint8_t salt[16];
    uint64_t generation; /* one more each time it is written */
    uint32_t body_bytes, reserved;
};
enum secret_kind { SECRET_KIND_UNSET = 0, SECRET_SIMULATED, SECRET_LIVE };
struct secret_clear { /* what anybody may read */
    char name[SECRET_NAME_BYTES];
    uint32_t kind; /* enum secret_kind */
    uint32_t reserved;
};
struct secret_field {
    uint32_t count;
    uint8_t bytes[SECRET_FIELD_BYTES];
};

struct secrets; /* locked memory */
/* Empty, under a new salt. log2_n: 0 = what is written today; tests take less. */
MUST_USE struct result secret_new(const char *password, uint32_t log2_n, struct secrets **out,
                                  struct trail *tr);
/* name: of the file, for sentences. NOT_PERMITTED: the password is wrong or the file was altered
 * (the seal cannot tell which). */
MUST_USE struct result secret_open(const void *bytes, size_t count, const char *password,
                                   const char *name, struct secrets **out, struct trail *tr);
/* The file as it is now, under the key that is held already. STATE: it is older than what is held.
 * On failure nothing changes. */
MUST_USE struct result secret_reload(struct secrets *s, const void *bytes, size_t count,
                                     const char *name, struct trail *tr);
void secret_free(struct secrets *s); /* wipes; NULL is let pass */

uint32_t secret_count(const struct secrets *s);
const char *secret_name(const struct secrets *s, uint32_t i);
/* What it was added for; UNSET: there is no such name. */
enum secret_kind secret_kind_of(const struct secrets *s, const char *name);
const char *secret_kind_text(uint32_t kind); /* "simulated", "live" */
/* Length, or -1: no such name or field. room: of out. */
int32_t secret_get(const struct secrets *s, const char *name, uint32_t field, uint8_t *out,
                   size_t room);
/* A new name: DUPLICATE when it is there. */
MUST_USE struct result secret_add(struct secrets *s, const char *name, enum secret_kind kind,
                                  const struct secret_field *field, uint32_t field_count,
                                  struct trail *tr);
/* Other fields for a name, of the kind that it is: NOT_FOUND when it is not there. */
MUST_USE struct result secret_rotate(struct secrets *s, const char *name,
                                     const struct secret_field *field, uint32_t field_count,
                                     struct trail *tr);
MUST_USE struct result secret_remove(struct secrets *s, const char *name, struct trail *tr);
bool secret_is_name(const char *name); /* as names in a deployment: a-z, 0-9, _ and - */

/* The whole file; malloc'ed, nothing in it need be wiped. */
MUST_USE struct result secret_seal(struct secrets *s, uint8_t **out, size_t *count,
                                   struct trail *tr);
/* The names and kinds of a file, without a password: nothing proves them. */
MUST_USE struct result secret_list(const void *bytes, size_t count, const char *name,
                                   struct secret_clear out[SECRET_NAMES_MAX], uint32_t *out_count,
                                   struct trail *tr);

/* ---- the file ---- */
/* Refused: a link, no regular file, readable by others. NOT_FOUND when there is none. malloc'ed. */
MUST_USE struct result secret_read(const char *path, uint8_t **out, size_t *count,
                                   struct trail *tr);
/* Whole or not at all: a passing file beside it, synced, renamed. Mode 0600. */
MUST_USE struct result secret_write(const char *path, const uint8_t *bytes, size_t count,
                                    struct trail *tr);
#endif
