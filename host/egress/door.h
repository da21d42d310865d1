/* SPDX-License-Identifier: Apache-2.0
 *
 * The second door: a Unix socket of tenon-egress on which people (tenon risk kill) reach it without
 * the host. It works while the host hangs, the disk is full or an adapter is dead: nothing behind
 * it waits for any of them.
 *
 * Frames as on the host's socket: u32 little-endian length, JSON {v, id, cmd, args}, answered by
 * {v, id, ok, exit, result | error}. Commands: "risk kill" (args reason, keep-positions, words[0] =
 * account number, none = all), "egress status", "egress secrets" (read the file of secrets again).
 *
 * Who may: root, ourselves, the engine's uid. One thread: net's.
 */
#ifndef EGRESS_DOOR_H
#define EGRESS_DOOR_H
#include "egress/net.h"

enum { DOOR_CONNECTIONS = 16, DOOR_REQUEST_MAX = 8192, DOOR_ANSWER_MAX = 4096 };

struct door_ops {
    void *arg;
    /* An account's number by its name; 0 = no engine has named it. */
    uint32_t (*account)(void *arg, const char *name);
    /* Sets the flag before it returns. *sentence: for the answer, borrowed until the next call. */
    void (*kill)(void *arg, const struct road_kill *k, const char **sentence);
    /* Members of a JSON object, without its braces. */
    void (*status)(void *arg, char *out, size_t room);
    MUST_USE struct result (*secrets)(void *arg, char *sentence, size_t room, struct trail *tr);
    void (*log)(void *arg, uint32_t level, const char *line);
};
struct door;
/* listen_fd: of attach_listen(SOCK_STREAM); taken over. */
MUST_USE struct result door_new(int listen_fd, uint32_t engine_uid, struct net *net,
                                const struct door_ops *ops, struct door **out, struct trail *tr);
void door_free(struct door *d); /* NULL is let pass */
#endif
