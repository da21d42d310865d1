/* SPDX-License-Identifier: Apache-2.0
 *
 * What `tenon doctor` looks at. A check adds rows; each row is a verdict, what was seen, and what
 * to do about it. Nothing here changes the machine beyond one file that is written and removed
 * again. One thread.
 */
#ifndef TENON_DOCTOR_H
#define TENON_DOCTOR_H
#include "tools/tenon/cli.h"

/* SKIP: cannot be told here, and why. WARN: works, but not as well as it should. FAIL: Tenon will
 * not work, or not safely. */
enum doctor_verdict { DOCTOR_UNSET = 0, DOCTOR_OK, DOCTOR_SKIP, DOCTOR_WARN, DOCTOR_FAIL };
enum { DOCTOR_ROWS_MAX = 96 };
struct doctor_row {
    uint32_t verdict;
    char name[24];
    char text[320];
    char advice[240]; /* empty for OK */
};
struct doctor {
    const struct cli *cli;
    uint32_t count;
    struct doctor_row row[DOCTOR_ROWS_MAX];
};
/* The text is printf's; advice NULL = none. More rows than fit are counted, and the last says so.
 */
void doctor_say(struct doctor *d, const char *name, enum doctor_verdict verdict, const char *advice,
                const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* doctor_machine.c: the clock and what keeps it, cores, limits of this user */
void doctor_clock(struct doctor *d);
void doctor_cores(struct doctor *d);
void doctor_limits(struct doctor *d);
/* doctor_disk.c: the folder of state: can be written, has room, how long a sync takes */
void doctor_disk(struct doctor *d);
/* doctor_install.c: plugins, keys, what confines a plugin, who is running */
void doctor_plugins(struct doctor *d);
void doctor_keys(struct doctor *d);
void doctor_sandbox(struct doctor *d);
void doctor_host(struct doctor *d);
#endif
