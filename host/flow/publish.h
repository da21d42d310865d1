/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's state as the plain struct that the gateway shows.
 */
#ifndef FLOW_PUBLISH_H
#define FLOW_PUBLISH_H
#include "flow/lockstep.h"
#include "gateway/gateway.h"

/* Fills everything but window_events and window_ns, which the caller measures. */
void publish_view(const struct lockstep *l, const char *market, struct gateway_view *out);
#endif
