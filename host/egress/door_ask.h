/* SPDX-License-Identifier: Apache-2.0
 *
 * A request at the door from its bytes, and the bytes of an answer. Pure.
 */
#ifndef EGRESS_DOOR_ASK_H
#define EGRESS_DOOR_ASK_H
#include "base/result.h"
#include "tbl/facts.h"

enum { DOOR_ASK_VERSION = 1 };
enum door_ask_what {
    DOOR_ASK_UNSET = 0,
    DOOR_ASK_KILL,
    DOOR_ASK_STATUS,
    DOOR_ASK_SECRETS,
};
struct door_ask {
    uint32_t what;
    int64_t id;
    char account[FACT_NAME_BYTES]; /* by its name in the deployment; "" = all */
    bool keep_positions;
    char reason[FACT_TEXT_BYTES];
};
MUST_USE struct result door_ask_read(const char *json, size_t count, struct door_ask *out,
                                     struct trail *tr);
/* Texts go into JSON: what is not plain ASCII is escaped. Give the length, without a frame. */
size_t door_ask_answer(int64_t id, const char *members, char *out, size_t room);
size_t door_ask_refuse(int64_t id, struct result r, const char *where, const struct trail *tr,
                       char *out, size_t room);
void door_ask_text(const char *text, char *out, size_t room);
#endif
