/* SPDX-License-Identifier: Apache-2.0
 *
 * Where things are when nobody says otherwise: the same answer for the tool and for the host.
 * Environment is read when called; any thread as long as nobody sets variables meanwhile.
 */
#ifndef GATEWAY_PATHS_H
#define GATEWAY_PATHS_H
#include "base/result.h"

enum { PATHS_BYTES = 4096, PATHS_SOCKET_BYTES = 108 /* sun_path */ };

/* $XDG_RUNTIME_DIR/tenon.sock when that variable is an absolute path, else
 * /run/tenon/tenon.sock. */
MUST_USE struct result paths_socket(char out[PATHS_SOCKET_BYTES], struct trail *tr);
/* The one to connect to: the first of both that exists, else the first. */
MUST_USE struct result paths_socket_find(char out[PATHS_SOCKET_BYTES], struct trail *tr);
/* The same for tenon-egress: name "egress" (where the host attaches) or "door" (where people come):
 * $XDG_RUNTIME_DIR/tenon-NAME.sock, else /run/tenon-egress/NAME.sock. */
MUST_USE struct result paths_egress(const char *name, char out[PATHS_SOCKET_BYTES],
                                    struct trail *tr);
MUST_USE struct result paths_egress_find(const char *name, char out[PATHS_SOCKET_BYTES],
                                         struct trail *tr);
/* The door of the egress that belongs to the host on `socket`: tenon-door.sock beside it. Where
 * there is none and the socket is where a host listens by itself, as paths_egress_find; a host
 * elsewhere (a demo, a test) must not lead a kill to the machine's own egress. */
MUST_USE struct result paths_door_of(const char *socket, char out[PATHS_SOCKET_BYTES],
                                     struct trail *tr);
/* name: "journal" or "heads". $XDG_STATE_HOME/tenon/NAME, $HOME/.local/state/tenon/NAME, and
 * /var/lib/tenon/NAME for root or without a home. */
MUST_USE struct result paths_state(const char *name, char out[PATHS_BYTES], struct trail *tr);
/* The folder of the running program. */
MUST_USE struct result paths_program(char out[PATHS_BYTES], struct trail *tr);
/* <program>/NAME, for tenond, tenon-verify and plugins. */
MUST_USE struct result paths_beside(const char *name, char out[PATHS_BYTES], struct trail *tr);
/* Folder with template/ and include/: $TENON_SHARE, else plugin-api of the source tree around the
 * program, else <program>/../share/tenon. NOT_FOUND when none has a template folder. */
MUST_USE struct result paths_share(char out[PATHS_BYTES], struct trail *tr);
#endif
