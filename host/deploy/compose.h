/* SPDX-License-Identifier: Apache-2.0
 *
 * Deployment files that a program writes. The text is canonical: keys in the order of keys.h,
 * named rows in the order of the file they came from, two blanks per level, values as written, one
 * comment line at the top. The same input gives the same bytes.
 */
#ifndef DEPLOY_COMPOSE_H
#define DEPLOY_COMPOSE_H
#include "deploy/deploy.h"

struct compose_head {
    uint64_t serial;
    uint8_t parent[FACT_HASH_BYTES];
    int64_t not_before_ns, expires_ns; /* wall clock, whole seconds */
    const char *host;                  /* NULL: as in the file */
};
/* A proposal from a file that its author wrote (serial 0 or any): the head is set, `template` names
 * the SHA-256 of the file, missing pins are filled in by `pin`, which gives a shared object's hash
 * or NOT_FOUND (NULL: left out), instruments named but not defined in it are written out from the
 * instruments file, relative paths are written whole, `symbol` (may be NULL) replaces its only
 * instrument as in deploy_read_as. *text is malloc'ed, NUL-ended; it parses (from serial 1 on that
 * takes every pin), and says the same. */
MUST_USE struct result compose_proposal(const char *path, const char *instruments_path,
                                        const char *symbol, const struct compose_head *head,
                                        struct result (*pin)(void *arg, const char *plugin,
                                                             const char *version, const char *path,
                                                             uint8_t sha256[FACT_HASH_BYTES],
                                                             struct trail *tr),
                                        void *pin_arg, char **text, struct trail *tr);
/* The rollback that signing `now` authorised (DECISIONS 31): the content of `old` under serial
 * now + 1 with now's hash as parent and `rollback_of`; each limit and budget is the tighter of the
 * two, a limit that only one has is kept where its strategy or instrument is still there, a rule's
 * default counts as a limit, run_until is the earlier. Of an instrument that both have the shorter
 * ages and the lower price_max hold, and a rate that both have stays as `now` says. Strategies that
 * only `now` has routes for are flattened (on_remove), so that nothing they own can block the way
 * back. not_before and expires are now's own. Both are texts that parse. */
MUST_USE struct result compose_rollback(const char *old_text, size_t old_count,
                                        const char *now_text, size_t now_count, char **text,
                                        struct trail *tr);
#endif
