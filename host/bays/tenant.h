/* SPDX-License-Identifier: Apache-2.0
 *
 * A tenant is the strategy that lives in a process bay: it turns the messages of its line
 * (tbl/lines.h) into calls of an inline bay, and what that answers into messages. So the same code
 * guards plugins in both homes. Sans-I/O: tenon-bay drives it with a link.
 */
#ifndef BAYS_TENANT_H
#define BAYS_TENANT_H
#include "bays/bay.h"
#include "tbl/lines.h"

struct tenant_ops {
    void *arg;
    /* Puts head and body as one message; waits for room if it must. */
    void (*put)(void *arg, uint32_t kind, const void *head, uint32_t head_count, const void *body,
                uint32_t body_count);
    /* Something was done: a sign of life is due. */
    void (*beat)(void *arg);
};

struct tenant; /* heap */
/* Creates the nodes. module[n] is what was handed over as number n. */
MUST_USE struct result tenant_new(const struct line_strategy *spec,
                                  const struct bay_module *const *module, uint32_t module_count,
                                  const struct tenant_ops *ops, struct tenant **out,
                                  struct trail *tr);
uint32_t tenant_warmup(struct tenant *t);
/* One message: ACTIVATE, GIVE, SAVE, LOAD or PING. NULL, or what is wrong with a message that no
 * engine of this version sends. */
const char *tenant_take(struct tenant *t, uint32_t kind, const void *bytes, uint32_t count);
/* Deactivates and destroys. NULL is fine. */
void tenant_free(struct tenant *t);
#endif
