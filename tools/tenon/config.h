/* SPDX-License-Identifier: Apache-2.0
 *
 * What the config commands share: reading an author's file, and finding the plugins it names.
 */
#ifndef TENON_CONFIG_H
#define TENON_CONFIG_H
#include "flow/plant.h"
#include "tools/tenon/cli.h"

/* With the instruments of --instruments or the shipped ones, where there are any. */
MUST_USE struct result config_read(const struct cli *cli, const char *path, struct deploy_doc *out,
                                   struct trail *tr);
/* The shared object that an instance of this document names: by its path (may be empty), else by id
 * and version in `dir`. NOT_FOUND. */
MUST_USE struct result config_plugin(const char *document, const char *dir, const char *plugin,
                                     const char *version, const char *path,
                                     char out[DEPLOY_PATH_BYTES], struct trail *tr);
#endif
