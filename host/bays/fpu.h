/* SPDX-License-Identifier: Apache-2.0
 *
 * The floating-point control words of this thread (MXCSR and x87). A plugin that changes rounding,
 * flush-to-zero or the precision would change every number computed after it in the host. The
 * sticky exception flags of MXCSR are not control: any division may set them.
 */
#ifndef BAYS_FPU_H
#define BAYS_FPU_H
#include <stdbool.h>
#include <stdint.h>

#define FPU_MXCSR_FLAGS 0x3fu

struct fpu {
    uint32_t mxcsr; /* control bits only */
    uint16_t x87;
};

static inline struct fpu fpu_read(void)
{
    struct fpu f;
    __asm__ volatile("stmxcsr %0" : "=m"(f.mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(f.x87));
    f.mxcsr &= ~FPU_MXCSR_FLAGS;
    return f;
}
static inline bool fpu_same(struct fpu a, struct fpu b)
{
    return a.mxcsr == b.mxcsr && a.x87 == b.x87;
}
static inline void fpu_write(struct fpu f)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(f.mxcsr));
    __asm__ volatile("fldcw %0" : : "m"(f.x87));
}
#endif
