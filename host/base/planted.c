/* SPDX-License-Identifier: Apache-2.0
 *
 * See planted.h. Nothing in an ordinary build.
 */
#include "base/planted.h"

#ifdef TENON_PLANTED
enum plant planted;
#endif
