/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the check cards. A card is a function that runs in its own child process
 * with the plugin loaded, and says exactly one verdict.
 */
#ifndef BAYS_CARDS_PRIV_H
#define BAYS_CARDS_PRIV_H
#include "bays/rig.h"

enum { CARDS_EVENTS = 20000, CARDS_LONG_EVENTS = 100000, CARDS_TEXT_BYTES = 160 };
#define CARDS_SEED 1618033988ull

struct cards_said { /* in memory shared with the checker */
    uint32_t verdict;
    char text[CARDS_TEXT_BYTES];
};

struct cards_case {
    const char *path;
    const struct bay_module *module;
    const struct tn_manifest *manifest;
    struct cards_said *said;
};

typedef void (*cards_fn)(struct cards_case *c);

void cards_say(struct cards_case *c, uint32_t verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define CARD_PASS(...) cards_say(c, BAY_PASS, __VA_ARGS__)
#define CARD_WARN(...) cards_say(c, BAY_WARN, __VA_ARGS__)
#define CARD_SKIP(...) cards_say(c, BAY_SKIP, __VA_ARGS__)
#define CARD_FAIL(...) cards_say(c, BAY_FAIL, __VA_ARGS__)

/* A market with extremes for this plugin's inputs. */
void cards_market(const struct cards_case *c, struct feed_market *f, uint32_t count);
/* Creates and activates; says FAIL and gives false when the plugin does not. */
bool cards_start(struct cards_case *c, struct rig *r, const struct feed_market *f);
/* Loads one more copy of the plugin; says FAIL and gives NULL when that is refused. */
const struct bay_module *cards_load_again(struct cards_case *c);

void cards_l19(struct cards_case *c);
void cards_l20(struct cards_case *c);
void cards_l21(struct cards_case *c);
void cards_l22(struct cards_case *c);
void cards_l23(struct cards_case *c);
void cards_l24(struct cards_case *c);
void cards_l25(struct cards_case *c);

void cards_c26(struct cards_case *c);
void cards_c27(struct cards_case *c);
void cards_c28(struct cards_case *c);
void cards_c29(struct cards_case *c);
void cards_c30(struct cards_case *c);
void cards_c31(struct cards_case *c);
void cards_c32(struct cards_case *c);
void cards_c33(struct cards_case *c);
void cards_c34(struct cards_case *c);
void cards_c35(struct cards_case *c);

void cards_d36(struct cards_case *c);
void cards_d39(struct cards_case *c);
void cards_d43(struct cards_case *c);

void cards_p45(struct cards_case *c);
void cards_p46(struct cards_case *c);
void cards_p47(struct cards_case *c);
void cards_p48(struct cards_case *c);

void cards_t50(struct cards_case *c);
void cards_t51(struct cards_case *c);
void cards_t52(struct cards_case *c);
void cards_t53(struct cards_case *c);
void cards_t54(struct cards_case *c);
void cards_t55(struct cards_case *c);
#endif
