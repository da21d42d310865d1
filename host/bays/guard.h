/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract of every answer of a plugin. Each check gives NULL or a static sentence that says
 * which rule was broken; the bay makes a fault of it. Hot: no allocation, lock or system call.
 */
#ifndef BAYS_GUARD_H
#define BAYS_GUARD_H
#include "bays/bay.h"

#define GUARD_READY_UNWRITTEN 0x80000000u /* ready words are set to this before each call */

static inline bool guard_status_known(int32_t status)
{
    return (uint32_t)status <= TN_E_UNSUPPORTED;
}
const char *guard_status_name(int32_t status); /* "TN_E_PARAM"; "an unknown status" */

/* Outputs of an indicator at one event. Values that are not ready are set to 0. */
const char *guard_outputs(double *value, uint32_t ready, uint32_t output_count);

/* One signal of a strategy in a batch of `events`. */
const char *guard_signal(const struct tn_signal *s, uint32_t events, uint32_t input_count);
#endif
