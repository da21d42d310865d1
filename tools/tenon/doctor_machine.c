/* SPDX-License-Identifier: Apache-2.0
 *
 * The clock, the cores and the limits. Venues refuse signed requests whose time is off by seconds,
 * and the kernel knows whether anything keeps its clock: adjtimex says it without asking a server.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#include "tools/tenon/doctor.h"

/* The first line of a file of /sys or /proc; false when there is none. */
static bool first_line(const char *path, char *out, size_t bytes)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    bool got = fgets(out, (int)bytes, f) != NULL;
    fclose(f);
    if (got)
        out[strcspn(out, "\n")] = 0;
    return got;
}

static void clock_source(struct doctor *d)
{
    char source[64];
    if (!first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", source,
                    sizeof source)) {
        doctor_say(d, "clock", DOCTOR_SKIP, NULL, "the clock source is not shown by this kernel");
        return;
    }
    bool is_fast = strcmp(source, "tsc") == 0 || strcmp(source, "kvm-clock") == 0 ||
                   strcmp(source, "arch_sys_counter") == 0;
    doctor_say(d, "clock", is_fast ? DOCTOR_OK : DOCTOR_WARN,
               is_fast ? NULL : "choose tsc (kernel option clocksource=tsc) where the CPU has it",
               "clock source %s%s", source, is_fast ? "" : ": each reading is a slow one");
}

void doctor_clock(struct doctor *d)
{
    static const char advice[] =
        "install and start a time service: apt-get install chrony (or systemd-timesyncd)";
    struct timex t = {0};
    int state = adjtimex(&t);
    if (state < 0)
        doctor_say(d, "clock", DOCTOR_SKIP, NULL, "whether the clock is kept cannot be asked (%s)",
                   strerrordesc_np(errno));
    else if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
        doctor_say(d, "clock", DOCTOR_WARN, advice,
                   "nothing keeps the clock: venues refuse requests once it is seconds off");
    else
        doctor_say(d, "clock", t.maxerror > 500000 ? DOCTOR_WARN : DOCTOR_OK,
                   t.maxerror > 500000 ? advice : NULL, "kept, at most %ld ms off",
                   t.maxerror / 1000);
    clock_source(d);
}

static void governor(struct doctor *d)
{
    char word[64];
    if (!first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", word, sizeof word))
        return; /* a virtual machine has none */
    bool is_fast = strcmp(word, "performance") == 0;
    doctor_say(d, "cores", is_fast ? DOCTOR_OK : DOCTOR_WARN,
               is_fast ? NULL : "cpupower frequency-set -g performance", "frequency governor %s%s",
               word, is_fast ? "" : ": cores clock down between events");
}

void doctor_cores(struct doctor *d)
{
    cpu_set_t set;
    char isolated[256] = "";
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        doctor_say(d, "cores", DOCTOR_SKIP, NULL, "the cores cannot be asked for (%s)",
                   strerrordesc_np(errno));
        return;
    }
    int cores = CPU_COUNT(&set);
    doctor_say(d, "cores", cores >= 2 ? DOCTOR_OK : DOCTOR_WARN,
               cores >= 2 ? NULL : "two cores let the engine have one for itself",
               "%d core%s may be used", cores, cores == 1 ? "" : "s");
    first_line("/sys/devices/system/cpu/isolated", isolated, sizeof isolated);
    doctor_say(d, "cores", DOCTOR_OK, NULL, "%s%s",
               isolated[0] != 0 ? "isolated for pinned threads: " : "no core is isolated",
               isolated);
    governor(d);
}

static void limit(struct doctor *d, const char *what, __rlimit_resource_t resource, rlim_t least,
                  enum doctor_verdict below, const char *advice)
{
    struct rlimit r;
    char text[32] = "unlimited";
    if (getrlimit(resource, &r) != 0)
        return;
    if (r.rlim_cur != RLIM_INFINITY)
        snprintf(text, sizeof text, "%" PRIuMAX, (uintmax_t)r.rlim_cur);
    bool enough = r.rlim_cur == RLIM_INFINITY || r.rlim_cur >= least;
    doctor_say(d, "limits", enough ? DOCTOR_OK : below, enough ? NULL : advice, "%s: %s%s", what,
               text, enough ? "" : ", which is too few");
}

void doctor_limits(struct doctor *d)
{
    limit(d, "open files", RLIMIT_NOFILE, 1024, DOCTOR_FAIL, "ulimit -n 4096, or LimitNOFILE=");
    limit(d, "locked memory (bytes)", RLIMIT_MEMLOCK, 8 * 1024 * 1024, DOCTOR_WARN,
          "ulimit -l 65536, or LimitMEMLOCK=64M: secrets and the core must not be paged out");
    limit(d, "file size (bytes)", RLIMIT_FSIZE, (rlim_t)1 << 40, DOCTOR_WARN,
          "ulimit -f unlimited, or LimitFSIZE=infinity: the journal only grows");
    struct rlimit core;
    if (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur != 0)
        doctor_say(d, "limits", DOCTOR_WARN, "ulimit -c 0, or LimitCORE=0",
                   "core files are written: one of tenon-egress would hold venue keys");
}
