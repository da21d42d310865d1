/* SPDX-License-Identifier: Apache-2.0
 *
 * The password of the secrets, for a program without a person in front of it: from a descriptor, or
 * from the systemd credential tenon-secrets. Never from an argument or a variable. See
 * tools/tenon/password.h for where there is a person.
 */
#ifndef EGRESS_SECRET_ASK_H
#define EGRESS_SECRET_ASK_H
#include "base/result.h"

enum { SECRET_ASK_BYTES = 1025 };
/* One line. fd -1 = none was named. NOT_PERMITTED when there is none. */
MUST_USE struct result secret_ask_password(int fd, char out[SECRET_ASK_BYTES], struct trail *tr);
/* One line of at most room - 1 bytes, byte by byte, so that what follows stays for the next. END:
 * there is no further line. */
MUST_USE struct result secret_ask_line(int fd, char *out, size_t room, struct trail *tr);
void secret_ask_wipe(void *p, size_t count);
#endif
