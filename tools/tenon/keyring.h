/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder of keys: PERSON.key (encrypted, for its owner alone) and PERSON.pub (for everybody).
 */
#ifndef TENON_KEYRING_H
#define TENON_KEYRING_H
#include "deploy/sign.h"
#include "tbl/facts.h"
#include "tools/tenon/cli.h"

/* --keys, else tenon/keys in XDG_CONFIG_HOME or ~/.config. */
MUST_USE struct result keyring_dir(const struct cli *cli, char out[PATHS_BYTES], struct trail *tr);
/* DIR/PERSON.SUFFIX */
MUST_USE struct result keyring_path(const char *dir, const char *person, const char *suffix,
                                    char out[PATHS_BYTES], struct trail *tr);
/* A name that a trust document and a file can have. */
bool keyring_is_person(const char *name);

struct keyring_names { /* of a folder, sorted, each once */
    char (*name)[FACT_NAME_BYTES];
    size_t count;
};
/* Everybody who has a .key (or, unless secret_only, a .pub) there; free(out->name). */
MUST_USE struct result keyring_list(const char *dir, bool secret_only, struct keyring_names *out,
                                    struct trail *tr);
MUST_USE struct result keyring_public(const char *path, struct sign_public *out, struct trail *tr);

/* The secret key that --key names, or the only one of the folder, and whose it is by its name.
 * NOT_PERMITTED when others can read it, before a password is asked for, and for a wrong one. */
struct keyring_key {
    char path[PATHS_BYTES];
    char person[FACT_NAME_BYTES];
    struct sign_secret *secret; /* for sign_secret_free */
};
MUST_USE struct result keyring_open(const struct cli *cli, struct keyring_key *out,
                                    struct trail *tr);
#endif
