/* SPDX-License-Identifier: Apache-2.0
 *
 * Planted bugs: each is one line of wrong code that the simulator must find, so that "no violation"
 * means something. They exist only in a build with -DTENON_PLANTED=ON, and there only while
 * tenon-sim --plant names one; in every other build PLANTED is the constant false and the wrong
 * line is not compiled in.
 *
 * Row: X(NAME, sentence)
 */
#ifndef BASE_PLANTED_H
#define BASE_PLANTED_H
#include <stdbool.h>

#define PLANTS(X)                                                                                  \
    X(UNSYNCED, "egress sends before the record is durable")                                       \
    X(AFTER_KILL, "egress does not look at the kill flag before an order")                         \
    X(TAKEN_FAILED, "egress says after its restart that what it had taken was not sent")           \
    X(FILL_TWICE, "the core books a fill again that it knows")                                     \
    X(UNKNOWN_FREE, "the core gives the reservation of an unknown order back")                     \
    X(UNRECONCILED, "the gate opens before the account is reconciled")                             \
    X(NO_QUERY, "the core does not ask for an unknown order")                                      \
    X(QUANTITY, "the road carries one lot more than was approved")

enum plant {
    PLANT_NONE = 0,
#define X(name, text) PLANT_##name,
    PLANTS(X)
#undef X
};

#ifdef TENON_PLANTED
extern enum plant planted;
#define PLANTED(name) (planted == PLANT_##name)
#else
#define PLANTED(name) false
#endif
#endif
