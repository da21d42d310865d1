/* SPDX-License-Identifier: Apache-2.0
 *
 * Static checks S01..S17 (bay_check_static in bay.h), and how any check gets its row.
 */
#ifndef BAYS_CHECK_H
#define BAYS_CHECK_H
#include "bays/bay.h"

/* Adds a row; counts fail and crash as failed. More than BAY_CHECKS_MAX rows is our bug. */
void check_add(struct bay_checks *out, const char *id, enum bay_verdict verdict, const char *fmt,
               ...) __attribute__((format(printf, 4, 5)));
/* The first failed row, or NULL. */
const struct bay_check *check_first_failed(const struct bay_checks *checks);
const char *check_verdict_name(uint32_t verdict); /* "pass" */
#endif
