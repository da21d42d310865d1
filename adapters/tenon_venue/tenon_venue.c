/* SPDX-License-Identifier: Apache-2.0
 *
 * Adapter `tenon_venue`: the entry. What it does stands in session.h and the README.
 */
#include "session.h"

TN_PLUGIN(TN_KIND_ADAPTER, &session_ops, .id = "tenon_venue", .version = "1.0.0", .vendor = "tenon",
          .flags = TN_FLAG_DRAFT | TN_FLAG_COLD,
          .text = "the way to a tenon-venue: orders over signed HTTP, market and reports by stream",
          .arena_bytes = SESSION_ARENA_BYTES, .budget_ns = 20000,
          .param_count = SESSION_PARAM_COUNT, .params = {SESSION_PARAMS});
