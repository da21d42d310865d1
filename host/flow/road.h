/* SPDX-License-Identifier: Apache-2.0
 *
 * Between facts and the road: effects become messages to tenon-egress, its answers and an
 * adapter's words become facts. Pure functions without state, so that the engine and the simulator
 * say the same thing the same way. What comes from a bay is hostile: each function that reads it
 * says in words what cannot be, and the caller takes the bay for broken.
 */
#ifndef FLOW_ROAD_H
#define FLOW_ROAD_H
#include "base/result.h"
#include "tbl/lines.h"
#include "tbl/road.h"

/* An approval's number: rises with events and their effects. */
uint64_t road_approval(uint64_t seq, uint32_t sub);
uint64_t road_approval_seq(uint64_t approval);

/* Client ids are T<epoch>-<order>-<attempt> in base 32 (core/oms.c). */
struct road_client {
    uint64_t epoch, order;
    uint32_t attempt;
};
void road_client_text(const struct road_client *c, char out[ROAD_CLIENT_ID_BYTES]);
/* False when it is not one of ours. */
bool road_client_read(const char *text, size_t bytes, struct road_client *out);

/* Effects of one event, with their head, to the road. */
void road_order_of(const struct fact_head *head, const struct fact_send *s, struct road_order *out);
void road_cancel_of(const struct fact_head *head, const struct fact_cancel *c, uint64_t epoch,
                    struct road_cancel *out);
void road_query_of(const struct fact_head *head, const struct fact_query *q, uint64_t epoch,
                   uint32_t instrument, struct road_query *out);

/* What an account may speak of. */
enum { ROAD_INSTRUMENTS_MAX = LINE_INSTRUMENTS_MAX };
struct road_names {
    uint32_t account, instrument_count;
    struct {
        uint32_t id;        /* the core's */
        int32_t settle_exp; /* of what fees are in */
        char settle[16];
    } instrument[ROAD_INSTRUMENTS_MAX];
};
/* What a venue said, as an execution report. NULL, or why it cannot be. */
const char *road_exec_of(const struct road_names *n, const struct tn_said *said,
                         struct fact_exec *out);
/* A market event as a fact; its time is in the head. NULL, or why it cannot be. */
const char *road_market_of(const struct road_names *n, const struct tn_event *ev,
                           struct fact_view *out);
/* The answer to an approval, as an event for the core; false when it asks for none (a query). */
bool road_sent_of(const struct road_sent *s, struct fact_sent *out);
/* The number of a venue's id: its decimal digits, or a hash of its text when it has others. */
uint64_t road_number(const char *text, size_t bytes);
#endif
