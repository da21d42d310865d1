/* SPDX-License-Identifier: Apache-2.0
 *
 * A world for one account: real adapters in agents, the real desk, and a network that is a list of
 * the messages that left, answered by the test. Two bays may be there, for a swap.
 */
#ifndef LIB_ADAPTER_WORLD_H
#define LIB_ADAPTER_WORLD_H
#include "egress/desk.h"
#include "tests/lib/adapter_rig.h"

enum { WORLD_OUT_MAX = 64, WORLD_SAID_MAX = 256 };
#define WORLD_T0 1700000000000000000ll
#define WORLD_AT 1234567890123456789ll
#define WORLD_KEY "KEY-1"
#define WORLD_SECRET "the-secret"
/* The first order of world_order, and how a cancel or a question names it. */
#define WORLD_ORDER_WORDS                                                                          \
    "{\"client_id\":\"T1-10-1\",\"symbol\":\"BTC-USD\",\"side\":\"buy\",\"type\":\"limit\","       \
    "\"qty\":\"1.5\",\"price\":\"100.25\",\"tif\":\"gtc\",\"reduce_only\":false,"                  \
    "\"at\":\"1234567890123456789\"}"
#define WORLD_ORDER_PATH "/v1/orders?client_id=T1-10-1&symbol=BTC-USD&at=1234567890123456789"

struct world_out { /* a message that left */
    struct desk_message m;
    char text[4096]; /* path, head and body, one after the other */
};
struct world_side { /* a bay of the account; the second one is there for a swap */
    struct adapter_rig rig;
    uint32_t fed; /* messages of the rig that the desk has taken */
    struct adapter_lane to_bay;
    uint32_t taken;
};
struct world {
    struct world_side side[2];
    uint32_t first; /* which of them serves */
    struct desk *desk;
    void *memory;
    struct witness *witness;
    uint32_t out_count, alarm_count, sent_count;
    struct world_out out[WORLD_OUT_MAX];
    struct road_alarm alarm[WORLD_SAID_MAX];
    struct road_sent sent[WORLD_SAID_MAX];
    uint64_t k;
};
extern struct world world;

void world_open(const char *plugin);
void world_open_hostile(const char *name); /* tests/fixtures/plugins/hostile_adapter */
void world_close(void);
struct adapter_rig *world_rig(void); /* of the bay that serves */
void world_settle(void);             /* until nobody has anything more to say */
/* The network: a link is up, a message of the stream, an answer to what left. `second`: of the bay
 * that does not serve yet. */
void world_link_up(uint32_t link);
void world_link_up_of(bool second, uint32_t link);
void world_hear(const char *text);
void world_hear_of(bool second, const char *text);
void world_answer(const struct world_out *o, uint32_t status, const char *text);
/* Logs in and reconciles the session; what left until then is forgotten. */
void world_go_live(bool second);
void world_pass_time(void); /* beyond the deadline of a template */
/* Approvals of the engine; they give their number. */
uint64_t world_order(void);
uint64_t world_cancel(void);
uint64_t world_query(void);
/* How it was answered, NULL = not yet. Fails when it was answered twice. */
const struct road_sent *world_sent(uint64_t approval);
bool world_is_named(uint32_t alarm, const char *why); /* was there such an alarm? */
/* What a venue would check. */
void world_sign(const char *text, char out[65]);
void world_assert_signed(const struct world_out *o, const char *method, const char *path,
                         const char *body);
#endif
