/* SPDX-License-Identifier: Apache-2.0
 *
 * A guest: a real bay (spawner, tenon-bay, a plugin) with the test in the engine's place, and in
 * egress's for an adapter. Each step fails the test when it does not work.
 */
#ifndef LIB_BAY_GUEST_H
#define LIB_BAY_GUEST_H
#include "bays/bay.h"
#include "bays/spawn.h"
#include "tbl/lines.h"

#define BAY_GUEST_PROGRAM TENON_BINARY_DIR "/tenon-bay"
#define BAY_GUEST_MINUTE_NS 60000000000ll
enum { BAY_GUEST_BARS = 600, BAY_GUEST_UID_FIRST = 64000, BAY_GUEST_WAIT_MS = 20000 };

struct bay_guest {
    struct spawn *spawn;
    struct link line, desk; /* desk: ADAPTER */
    struct spawn_child child;
    struct line_strategy spec;
    int module[3];
    uint32_t modules;
};
extern struct tn_event bay_guest_bars[BAY_GUEST_BARS];
extern uint8_t bay_guest_body[LINK_MESSAGE_MAX];

void bay_guest_good(struct result r, const struct trail *tr);
bool bay_guest_is_root(void);
bool bay_guest_is_whole(const struct spawn *s); /* can bays be contained here? */
struct spawn_config bay_guest_config(void);     /* with user ids when we are root */
struct spawn *bay_guest_spawner(void);
void bay_guest_make_bars(void);

/* What it is to run: nothing yet; another node (a file of swap/, default params); two averages and
 * a cross; a hostile strategy that behaves for so many bars. */
void bay_guest_begin(struct bay_guest *g, struct spawn *s, uint32_t wake);
struct line_node *bay_guest_add(struct bay_guest *g, const char *file);
void bay_guest_cross(struct bay_guest *g, struct spawn *s, uint32_t wake);
void bay_guest_hostile(struct bay_guest *g, struct spawn *s, const char *file, int64_t after);

/* A process, and nothing said to it yet. The descriptors of the modules are closed. */
struct result bay_guest_try(struct bay_guest *g, uint32_t kind, bool is_contained,
                            uint64_t memory_bytes, struct trail *tr);
void bay_guest_open(struct bay_guest *g); /* a strategy, created and active */
void bay_guest_send(struct bay_guest *g, uint32_t kind, const void *bytes, uint32_t count);
/* The next message of the engine's line into bay_guest_body; false: the bay has ended. */
bool bay_guest_next(struct bay_guest *g, struct link_message *m);
bool bay_guest_next_of(struct bay_guest *g, struct link *l, struct link_message *m);
/* The next one but for log lines must be this. */
struct line_done bay_guest_done(struct bay_guest *g, uint32_t kind, uint32_t what);
/* Waits for the end; gives the words for it. */
const char *bay_guest_end(struct bay_guest *g, int32_t *status);
void bay_guest_stop(struct bay_guest *g); /* STOP, and it ends in peace */
#endif
