/* SPDX-License-Identifier: Apache-2.0
 *
 * A bounds-safe view of an ELF64 x86-64 shared object as the dynamic loader will see it: program
 * headers, the dynamic table, symbols and relocations. Nothing is copied, mapped or run.
 *
 * Invariants
 *   1. Every offset kept here plus its length lies inside the bytes.
 *   2. Facts come from program headers and PT_DYNAMIC, never from section headers: the loader does
 *      not read those, so a hostile file may lie in them.
 *   3. The bytes are hostile: any answer is allowed, reading outside is not.
 */
#ifndef BAYS_IMAGE_H
#define BAYS_IMAGE_H
#include <elf.h>
#include "base/result.h"

enum { IMAGE_TEXT_BYTES = 160, IMAGE_PHDR_MAX = 64, IMAGE_SYMBOLS_MAX = 65536 };

struct image {
    const uint8_t *bytes;
    size_t count;
    uint32_t phnum;
    Elf64_Phdr phdr[IMAGE_PHDR_MAX]; /* copies: the file's own may be unaligned */
    size_t dyn_off;                  /* of PT_DYNAMIC in the file */
    size_t dyn_count;                /* entries before DT_NULL */
    size_t str_off, str_bytes;
    size_t sym_off, sym_count;
    size_t rela_off, rela_count; /* DT_RELA */
    size_t plt_off, plt_count;   /* DT_JMPREL */
};

/* One sentence of what is wrong is written to why (IMAGE_TEXT_BYTES). */
MUST_USE bool image_parse(struct image *im, const uint8_t *bytes, size_t count, char *why);

/* The value of a dynamic tag; false when it is absent. */
bool image_dyn(const struct image *im, int64_t tag, uint64_t *value);
/* The n-th entry of the dynamic table, n < dyn_count. */
Elf64_Dyn image_dyn_at(const struct image *im, size_t n);
Elf64_Sym image_symbol(const struct image *im, size_t n); /* n < sym_count */
/* Relocation n < rela_count + plt_count. */
Elf64_Rela image_rela(const struct image *im, size_t n);
/* A NUL-terminated string of the dynamic string table, or NULL. */
const char *image_string(const struct image *im, uint64_t offset);
/* File offset of `bytes` bytes at a virtual address, when all of them are in the file. */
bool image_at(const struct image *im, uint64_t vaddr, uint64_t bytes, size_t *offset);
/* The segment that holds the address, or NULL. */
const Elf64_Phdr *image_segment(const struct image *im, uint64_t vaddr, uint64_t bytes);

/* One note of the PT_NOTE segments. */
struct image_note {
    const char *name; /* name_bytes, not NUL-terminated for certain */
    uint32_t name_bytes;
    uint32_t type;
    size_t desc_off;
    uint32_t desc_bytes;
    uint64_t desc_vaddr;
};
typedef void (*image_note_fn)(void *arg, const struct image_note *note);
/* Visits every note; false when a note runs out of its segment. */
MUST_USE bool image_notes(const struct image *im, image_note_fn visit, void *arg);
#endif
