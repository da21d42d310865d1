/* SPDX-License-Identifier: Apache-2.0
 *
 * libm gives other last bits on CPUs with FMA: its IFUNCs choose such variants at start. The only
 * door is the tunable glibc.cpu.hwcaps, read by ld.so before main, hence one re-exec with it set.
 *
 * Which names count was read off glibc 2.36: its libm selectors ask for FMA (with AVX2), FMA4, and
 * AVX; the AVX variants are the same C compiled with VEX encodings and give the baseline's bits,
 * and AVX2 alone selects nothing. So -FMA,-FMA4 is enough, and memcpy keeps its AVX2 forms. The
 * older spelling FMA_Usable is ignored by 2.36, without a word: so the unit test compares bits, and
 * the probe hash is journaled with every start.
 *
 * A marker in the environment stops a loop when the tunable has no effect (set-user-id programs).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/must.h"
#include "bays/bay.h"

#define MARKER "TENON_LIBM_PINNED"
#define HWCAPS "glibc.cpu.hwcaps="
#define PINNED "-FMA,-FMA4"
enum { PROBE_STEPS = 8192, PROBE_CHUNK = 256, PROBE_FUNCTIONS = 8 };

/* Through volatile pointers, so that the compiler computes nothing at build time. */
static double (*volatile const probe_fn[PROBE_FUNCTIONS - 1])(double) = {exp, log,  sin, cos,
                                                                         tan, atan, log2};
static double (*volatile const probe_pow)(double, double) = pow;

/* Around 1 the FMA and the plain variant of each function differ in about one result of 2000. */
void bay_libm_probe(uint8_t out[32])
{
    double value[PROBE_CHUNK * PROBE_FUNCTIONS];
    struct hash_sha256 *sha = NULL;
    struct result r = hash_sha256_new(&sha);
    must(is_ok(r));
    hash_sha256_begin(sha);
    for (int i = 0; i < PROBE_STEPS; i += PROBE_CHUNK) {
        size_t n = 0;
        for (int j = i; j < i + PROBE_CHUNK; j++) {
            double x = 0.9 + 0.2 * (double)j / (double)PROBE_STEPS;
            for (size_t k = 0; k < PROBE_FUNCTIONS - 1; k++)
                value[n++] = probe_fn[k](x);
            value[n++] = probe_pow(x, 1.37 + (double)j * 1e-4);
        }
        must(n == sizeof value / sizeof value[0]);
        hash_sha256_add(sha, value, sizeof value);
    }
    hash_sha256_end(sha, out);
    hash_sha256_free(sha);
}

/* Of two hwcaps entries ld.so takes the last. */
static const char *last_hwcaps(const char *tunables)
{
    const char *last = NULL;
    for (const char *at = tunables; at && (at = strstr(at, HWCAPS)); at += strlen(HWCAPS))
        last = at;
    return last;
}

static bool is_pinned(const char *tunables)
{
    const char *at = last_hwcaps(tunables);
    const char *found = at ? strstr(at, PINNED) : NULL;
    const char *end = at ? strchr(at, ':') : NULL;
    return found && (!end || found < end);
}

/* The tunables of the user are kept, ours is added to their hwcaps. */
static char *make_tunables(const char *old)
{
    size_t bytes = (old ? strlen(old) : 0) * 2 + sizeof HWCAPS + sizeof PINNED + 4;
    char *text = malloc(bytes), *used = text;
    must(text != NULL);
    const char *at = last_hwcaps(old);
    const char *caps = at ? at + strlen(HWCAPS) : "";
    int caps_bytes = (int)strcspn(caps, ":");
    if (old && old[0])
        used += sprintf(used, "%s:", old);
    sprintf(used, "%s%.*s%s%s", HWCAPS, caps_bytes, caps, caps_bytes ? "," : "", PINNED);
    return text;
}

struct result bay_pin_libm(char **argv, struct trail *tr)
{
    const char *old = getenv("GLIBC_TUNABLES");
    must(argv && argv[0]);
    if (is_pinned(old))
        return OK_RESULT;
    if (getenv(MARKER))
        return FAIL(tr, STATE,
                    "libm could not be pinned: %s is set but GLIBC_TUNABLES lost %s%s; "
                    "start the program with both or with neither",
                    MARKER, HWCAPS, PINNED);
    char *tunables = make_tunables(old), *before = old ? strdup(old) : NULL;
    if (setenv("GLIBC_TUNABLES", tunables, 1) == 0 && setenv(MARKER, "1", 1) == 0)
        execv("/proc/self/exe", argv);
    int cause = errno;
    if (!before || setenv("GLIBC_TUNABLES", before, 1) != 0)
        unsetenv("GLIBC_TUNABLES");
    free(tunables);
    free(before);
    unsetenv(MARKER);
    return FAIL(tr, IO,
                "libm could not be pinned: the program cannot start itself again: %s; "
                "numbers may differ from other machines in the last bit",
                strerror(cause));
}
