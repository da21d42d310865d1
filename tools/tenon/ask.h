/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tool asks of the running host: the command with its flags and arguments as they were
 * given, and, for a signed file, its bytes and those of the signatures beside it. One thread.
 */
#ifndef TENON_ASK_H
#define TENON_ASK_H
#include "base/bundle.h"
#include "gateway/client.h"
#include "tools/tenon/cli.h"

/* The request's args; bundle may be NULL. New reference, NULL only without memory. */
json_t *ask_args(const struct args *a, const struct bundle *b);
/* One request, one answer: *result is a new reference, or NULL and a complaint. With a bundle the
 * host may take its time. */
MUST_USE struct result ask(const struct cli *cli, const struct bundle *b, json_t **result,
                           struct complaint *c);
/* A command whose answer is one sentence: asks, prints, gives the exit code. */
int ask_act(const struct cli *cli, const struct bundle *b);
/* The sentence of an answer: "done" when it says nothing. Borrowed. */
const char *ask_text(const json_t *result);
/* The file named and its signatures; a complaint when it cannot be sent. bundle_free. */
MUST_USE struct result ask_gather(const struct cli *cli, const char *path, struct bundle **out,
                                  struct complaint *c);
/* What `tenon status` would get. */
MUST_USE struct result ask_status(const struct cli *cli, json_t **result, struct complaint *c);
#endif
