/* SPDX-License-Identifier: Apache-2.0
 *
 * Triple buffer of struct gateway_view: one writer, one reader, neither ever waits, the reader
 * always gets the newest whole view. Three slots: one being written, one being read, one between.
 */
#ifndef GATEWAY_VIEW_H
#define GATEWAY_VIEW_H
#include <stdatomic.h>
#include "gateway/gateway.h"

enum { VIEW_FRESH = 4 }; /* bit beside the index: not yet read */
struct view {
    struct gateway_view slot[3];
    _Atomic uint32_t between; /* index, with VIEW_FRESH */
    uint32_t writing;         /* writer's */
    uint32_t reading;         /* reader's */
    bool any;                 /* reader's: something was ever published */
};
void view_init(struct view *v);
void view_put(struct view *v, const struct gateway_view *from); /* writer */
const struct gateway_view *view_get(struct view *v); /* reader; NULL before the first put */
#endif
