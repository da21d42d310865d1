/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader of our own instead of libelf: libelf reads sections first, and what counts here is what
 * ld.so will do. Each structure is copied out with memcpy after one range test, so alignment and
 * overflow are settled in one place (within, copy_out).
 *
 * The number of dynamic symbols is nowhere written down. It is taken from the hash table that the
 * loader uses for look-ups (GNU hash, else the old one): a symbol outside it can be neither found
 * nor bound. Relocations that name a symbol beyond that count make the file invalid.
 */
#include "bays/image.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/must.h"

static bool within(const struct image *im, uint64_t offset, uint64_t bytes)
{
    return offset <= im->count && bytes <= im->count - offset;
}

static void copy_out(const struct image *im, size_t offset, void *out, size_t bytes)
{
    must(within(im, offset, bytes));
    memcpy(out, im->bytes + offset, bytes);
}

static uint32_t word_at(const struct image *im, size_t offset)
{
    uint32_t w;
    copy_out(im, offset, &w, sizeof w);
    return w;
}

static bool wrong(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(char *why, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, IMAGE_TEXT_BYTES, fmt, ap);
    va_end(ap);
    return false;
}

static bool read_header(struct image *im, Elf64_Ehdr *h, char *why)
{
    if (im->count < SELFMAG || memcmp(im->bytes, ELFMAG, SELFMAG) != 0)
        return wrong(why, "not an ELF file (no \\x7f"
                          "ELF at its start)");
    if (im->count < sizeof *h)
        return wrong(why, "cut: %zu bytes, an ELF header alone has %zu", im->count, sizeof *h);
    copy_out(im, 0, h, sizeof *h);
    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
        return wrong(why, "not 64-bit little-endian ELF (class %u, data %u)", h->e_ident[EI_CLASS],
                     h->e_ident[EI_DATA]);
    if (h->e_machine != EM_X86_64)
        return wrong(why, "built for machine %u, this host is x86-64 (machine %u)", h->e_machine,
                     EM_X86_64);
    if (h->e_ident[EI_OSABI] != ELFOSABI_NONE && h->e_ident[EI_OSABI] != ELFOSABI_GNU)
        return wrong(why, "built for OS ABI %u, not Linux", h->e_ident[EI_OSABI]);
    if (h->e_version != EV_CURRENT || h->e_ident[EI_VERSION] != EV_CURRENT)
        return wrong(why, "ELF version %u, only 1 is known", h->e_version);
    if (h->e_type != ET_DYN)
        return wrong(why, "ELF type %u, not a shared object (type %u)", h->e_type, ET_DYN);
    if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == 0 || h->e_phnum > IMAGE_PHDR_MAX)
        return wrong(why, "%u program headers of %u bytes: 1 to %d of %zu are read", h->e_phnum,
                     h->e_phentsize, IMAGE_PHDR_MAX, sizeof(Elf64_Phdr));
    if (!within(im, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr)))
        return wrong(why, "cut: its program headers lie beyond its %zu bytes", im->count);
    return true;
}

static bool read_segments(struct image *im, const Elf64_Ehdr *h, char *why)
{
    uint32_t loads = 0, dynamics = 0;
    uint64_t last_end = 0;
    im->phnum = h->e_phnum;
    copy_out(im, h->e_phoff, im->phdr, im->phnum * sizeof im->phdr[0]);
    for (uint32_t i = 0; i < im->phnum; i++) {
        const Elf64_Phdr *p = &im->phdr[i];
        if (!within(im, p->p_offset, p->p_filesz))
            return wrong(why, "cut: segment %u ends at byte %llu, the file at %zu", i,
                         (unsigned long long)(p->p_offset + p->p_filesz), im->count);
        if (p->p_vaddr > INT64_MAX || p->p_memsz > UINT32_MAX)
            return wrong(why, "segment %u has an impossible address or size", i);
        if (p->p_type == PT_DYNAMIC) {
            dynamics++;
            im->dyn_off = p->p_offset;
            im->dyn_count = p->p_filesz / sizeof(Elf64_Dyn);
        }
        if (p->p_type != PT_LOAD)
            continue;
        loads++;
        if (p->p_filesz > p->p_memsz || p->p_vaddr < last_end)
            return wrong(why, "segment %u overlaps the one before or is larger than its memory", i);
        last_end = p->p_vaddr + p->p_memsz;
    }
    if (loads == 0 || dynamics != 1)
        return wrong(why, "%u loadable segments and %u dynamic ones: not a shared object", loads,
                     dynamics);
    return true;
}

/* The dynamic table must lie where a loadable segment puts it: that is what ld.so reads. */
static bool read_dynamic(struct image *im, char *why)
{
    for (uint32_t i = 0; i < im->phnum; i++) {
        const Elf64_Phdr *p = &im->phdr[i];
        size_t off;
        if (p->p_type != PT_DYNAMIC)
            continue;
        if (!image_at(im, p->p_vaddr, p->p_filesz, &off) || off != p->p_offset)
            return wrong(why, "its dynamic table is not inside a loadable segment");
    }
    for (size_t n = 0; n < im->dyn_count; n++) {
        if (image_dyn_at(im, n).d_tag != DT_NULL)
            continue;
        im->dyn_count = n;
        return true;
    }
    return wrong(why, "its dynamic table has no end mark");
}

static bool read_strings(struct image *im, char *why)
{
    uint64_t addr, bytes;
    if (!image_dyn(im, DT_STRTAB, &addr) || !image_dyn(im, DT_STRSZ, &bytes) || bytes == 0)
        return wrong(why, "it has no dynamic string table");
    if (!image_at(im, addr, bytes, &im->str_off))
        return wrong(why, "its string table lies outside the file");
    im->str_bytes = bytes;
    if (im->bytes[im->str_off + bytes - 1] != 0)
        return wrong(why, "its string table does not end with NUL");
    return true;
}

/* Highest symbol index the GNU hash table reaches, plus one. */
static bool count_gnu(const struct image *im, uint64_t addr, size_t *out)
{
    size_t off;
    if (!image_at(im, addr, 16, &off))
        return false;
    uint32_t nbuckets = word_at(im, off), first = word_at(im, off + 4);
    uint32_t bloom = word_at(im, off + 8);
    uint64_t head = 16 + (uint64_t)bloom * 8;
    if (nbuckets == 0 || nbuckets > IMAGE_SYMBOLS_MAX || bloom > IMAGE_SYMBOLS_MAX ||
        first > IMAGE_SYMBOLS_MAX || !image_at(im, addr, head + (uint64_t)nbuckets * 4, &off))
        return false;
    size_t buckets = off + head, chains = buckets + (size_t)nbuckets * 4;
    uint32_t top = 0;
    for (uint32_t b = 0; b < nbuckets; b++) {
        uint32_t at = word_at(im, buckets + (size_t)b * 4);
        if (at > top)
            top = at;
    }
    if (top == 0) {
        *out = first;
        return true;
    }
    if (top < first)
        return false;
    for (;; top++) { /* a chain ends with an odd hash */
        size_t at = chains + (size_t)(top - first) * 4;
        if (top >= IMAGE_SYMBOLS_MAX || !within(im, at, 4))
            return false;
        if (word_at(im, at) & 1)
            break;
    }
    *out = (size_t)top + 1;
    return true;
}

static bool read_symbols(struct image *im, char *why)
{
    uint64_t sym, hash, entry = sizeof(Elf64_Sym);
    size_t off, gnu = 0, old = 0;
    if (!image_dyn(im, DT_SYMTAB, &sym))
        return wrong(why, "it has no dynamic symbol table");
    (void)image_dyn(im, DT_SYMENT, &entry);
    bool has_gnu = image_dyn(im, DT_GNU_HASH, &hash);
    if (has_gnu && !count_gnu(im, hash, &gnu))
        return wrong(why, "its GNU hash table is damaged");
    bool has_old = image_dyn(im, DT_HASH, &hash);
    if (has_old && !image_at(im, hash, 8, &off))
        return wrong(why, "its symbol hash table lies outside the file");
    if (has_old)
        old = word_at(im, off + 4);
    if ((!has_gnu && !has_old) || entry != sizeof(Elf64_Sym))
        return wrong(why, "it has no symbol hash table or symbols of an unknown size");
    im->sym_count = gnu > old ? gnu : old;
    if (im->sym_count > IMAGE_SYMBOLS_MAX ||
        !image_at(im, sym, im->sym_count * sizeof(Elf64_Sym), &im->sym_off))
        return wrong(why, "its symbol table of %zu entries lies outside the file", im->sym_count);
    return true;
}

static bool read_table(struct image *im, int64_t tag, int64_t size_tag, size_t *off, size_t *n)
{
    uint64_t addr, bytes;
    *off = *n = 0;
    if (!image_dyn(im, tag, &addr))
        return true;
    if (!image_dyn(im, size_tag, &bytes) || bytes % sizeof(Elf64_Rela) != 0)
        return false;
    *n = bytes / sizeof(Elf64_Rela);
    return image_at(im, addr, bytes, off);
}

static bool read_relocations(struct image *im, char *why)
{
    if (!read_table(im, DT_RELA, DT_RELASZ, &im->rela_off, &im->rela_count) ||
        !read_table(im, DT_JMPREL, DT_PLTRELSZ, &im->plt_off, &im->plt_count))
        return wrong(why, "its relocation table lies outside the file");
    for (size_t n = 0; n < im->rela_count + im->plt_count; n++) {
        uint64_t sym = ELF64_R_SYM(image_rela(im, n).r_info);
        if (sym != 0 && sym >= im->sym_count) {
            /* With only undefined symbols the GNU table counts none: take the highest named. */
            uint64_t addr;
            size_t off;
            if (sym >= IMAGE_SYMBOLS_MAX || !image_dyn(im, DT_SYMTAB, &addr) ||
                !image_at(im, addr, (sym + 1) * sizeof(Elf64_Sym), &off))
                return wrong(why, "a relocation names symbol %llu, which does not exist",
                             (unsigned long long)sym);
            im->sym_off = off;
            im->sym_count = sym + 1;
        }
    }
    return true;
}

bool image_parse(struct image *im, const uint8_t *bytes, size_t count, char *why)
{
    Elf64_Ehdr h;
    must(bytes || count == 0);
    memset(im, 0, sizeof *im);
    im->bytes = bytes;
    im->count = count;
    if (count == 0)
        return wrong(why, "empty: 0 bytes");
    return read_header(im, &h, why) && read_segments(im, &h, why) && read_dynamic(im, why) &&
           read_strings(im, why) && read_symbols(im, why) && read_relocations(im, why);
}

Elf64_Dyn image_dyn_at(const struct image *im, size_t n)
{
    Elf64_Dyn d;
    copy_out(im, im->dyn_off + n * sizeof d, &d, sizeof d);
    return d;
}

bool image_dyn(const struct image *im, int64_t tag, uint64_t *value)
{
    bool found = false; /* the loader keeps the last entry of a tag: so do we */
    for (size_t n = 0; n < im->dyn_count; n++) {
        Elf64_Dyn d = image_dyn_at(im, n);
        if (d.d_tag != tag)
            continue;
        *value = d.d_un.d_val;
        found = true;
    }
    return found;
}

Elf64_Sym image_symbol(const struct image *im, size_t n)
{
    Elf64_Sym s;
    must(n < im->sym_count);
    copy_out(im, im->sym_off + n * sizeof s, &s, sizeof s);
    return s;
}

Elf64_Rela image_rela(const struct image *im, size_t n)
{
    Elf64_Rela r;
    must(n < im->rela_count + im->plt_count);
    size_t off = n < im->rela_count ? im->rela_off + n * sizeof r
                                    : im->plt_off + (n - im->rela_count) * sizeof r;
    copy_out(im, off, &r, sizeof r);
    return r;
}

const char *image_string(const struct image *im, uint64_t offset)
{
    if (offset >= im->str_bytes)
        return NULL;
    return (const char *)im->bytes + im->str_off + offset; /* the table ends with NUL */
}

const Elf64_Phdr *image_segment(const struct image *im, uint64_t vaddr, uint64_t bytes)
{
    for (uint32_t i = 0; i < im->phnum; i++) {
        const Elf64_Phdr *p = &im->phdr[i];
        if (p->p_type == PT_LOAD && vaddr >= p->p_vaddr && vaddr - p->p_vaddr <= p->p_memsz &&
            bytes <= p->p_memsz - (vaddr - p->p_vaddr))
            return p;
    }
    return NULL;
}

bool image_at(const struct image *im, uint64_t vaddr, uint64_t bytes, size_t *offset)
{
    const Elf64_Phdr *p = image_segment(im, vaddr, bytes);
    if (!p || vaddr - p->p_vaddr > p->p_filesz || bytes > p->p_filesz - (vaddr - p->p_vaddr))
        return false;
    *offset = p->p_offset + (vaddr - p->p_vaddr);
    return within(im, *offset, bytes);
}

static uint64_t round_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

bool image_notes(const struct image *im, image_note_fn visit, void *arg)
{
    for (uint32_t i = 0; i < im->phnum; i++) {
        const Elf64_Phdr *p = &im->phdr[i];
        if (p->p_type != PT_NOTE)
            continue;
        uint64_t align = p->p_align == 8 ? 8 : 4, at = 0;
        while (p->p_filesz - at >= 12) {
            size_t off = p->p_offset + at;
            uint32_t name = word_at(im, off), desc = word_at(im, off + 4);
            uint64_t desc_at = round_up(at + 12 + name, align);
            if (desc_at > p->p_filesz || desc > p->p_filesz - desc_at)
                return false;
            struct image_note note = {.name = (const char *)im->bytes + off + 12,
                                      .name_bytes = name,
                                      .type = word_at(im, off + 8),
                                      .desc_off = p->p_offset + desc_at,
                                      .desc_bytes = desc,
                                      .desc_vaddr = p->p_vaddr + desc_at};
            visit(arg, &note);
            at = round_up(desc_at + desc, align);
            if (at > p->p_filesz)
                break;
        }
    }
    return true;
}
