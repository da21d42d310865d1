/* SPDX-License-Identifier: Apache-2.0
 *
 * One picture of `tenon top`: lines of text made from a status and the one before it. Pure: the
 * terminal paints what is here, and --once prints it, so both always show the same.
 */
#ifndef TENON_TOP_H
#define TENON_TOP_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { TOP_LINES_MAX = 200, TOP_LINE_BYTES = 320, TOP_COLUMNS_MIN = 60 };
enum top_look { TOP_PLAIN = 0, TOP_TITLE, TOP_GOOD, TOP_BAD, TOP_FAINT };
struct top_frame {
    uint32_t count;
    struct {
        enum top_look look;
        char text[TOP_LINE_BYTES];
    } line[TOP_LINES_MAX];
};
struct top_view {
    bool utc, wide;
    bool by_gain;      /* strategies: the worst first, instead of in the deployment's order */
    int64_t silent_ms; /* the host has not answered for so long; 0 = `now` is fresh */
    uint32_t columns;  /* lines are cut to these */
};
/* before may be NULL: then rates are the host's own, or not shown. False: `now` is no status. */
bool top_draw(const json_t *now, const json_t *before, int64_t between_ns,
              const struct top_view *view, struct top_frame *out);
/* The rates alone, for --once --json: per second between both statuses, null where unknown. */
json_t *top_rates(const json_t *now, const json_t *before, int64_t between_ns);
#endif
