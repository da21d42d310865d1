/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer of `tenon status`: from the view to JSON (schema tenon.status.v1; prices, quantities
 * and money as decimal text, times as ns), and from that JSON to the table people read. The table
 * is made from the JSON, by the client, so the two cannot differ. Any thread.
 */
#ifndef GATEWAY_STATUS_H
#define GATEWAY_STATUS_H
#include <jansson.h>
#include <stdio.h>
#include "gateway/gateway.h"

/* New reference; NULL only without memory. v NULL: the host is starting. */
json_t *status_json(const struct gateway_view *v);
struct status_style {
    bool color, utc;
};
/* False when the JSON is not a tenon.status.v1. */
bool status_print(FILE *out, const json_t *status, const struct status_style *style);
const char *status_mode(uint32_t mode); /* "KILLED" */
/* A time as people read it: local, or UTC with a Z. */
enum { STATUS_TIME_BYTES = 40 };
void status_time(int64_t ns, bool utc, char out[STATUS_TIME_BYTES]);
#endif
