/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be known about a plugin before any of its code runs. Each check is one function over
 * struct image and fails for one reason, so a refusal can name the rule. The list of symbols is an
 * allow-list: what a new C library adds is refused until someone has thought about it.
 *
 * S17 in full (the FP control word is unchanged after the load) needs a load; here it is a scan
 * for the instructions that write MXCSR, and only a warning, since bytes are not instructions.
 */
#include "bays/check.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "bays/image.h"
#include "bays/note.h"

enum { CHECK_GLIBC_MINOR_MAX = 36, CHECK_VERSIONS_MAX = 1024 };

/* R_X86_64_* that bind data and functions of this module; all else has no place in a plugin. */
static bool is_plain_relocation(uint64_t type)
{
    return type == R_X86_64_RELATIVE || type == R_X86_64_64 || type == R_X86_64_GLOB_DAT ||
           type == R_X86_64_JUMP_SLOT || type == R_X86_64_NONE;
}
static bool is_tls_relocation(uint64_t type)
{
    return type == R_X86_64_DTPMOD64 || type == R_X86_64_DTPOFF64 || type == R_X86_64_TPOFF64 ||
           type == R_X86_64_TLSDESC;
}

/* Pure functions of libc: no allocation, no locale, no errno text, no hidden state. */
static const char *const libc_names[] = {
    "memcpy", "memmove", "memset", "memcmp",  "memchr", "memrchr", "memmem",  "strlen",  "strnlen",
    "strcmp", "strncmp", "strchr", "strrchr", "strstr", "strspn",  "strcspn", "strpbrk", "bsearch",
};
/* Functions of libm without global results (lgamma writes signgam); also with the suffix f. */
static const char *const libm_names[] = {
    "acos",      "acosh",    "asin",      "asinh", "atan",     "atan2",     "atanh",   "cbrt",
    "ceil",      "copysign", "cos",       "cosh",  "erf",      "erfc",      "exp",     "exp2",
    "expm1",     "fabs",     "fdim",      "floor", "fma",      "fmax",      "fmin",    "fmod",
    "frexp",     "hypot",    "ilogb",     "ldexp", "lgamma_r", "llrint",    "llround", "log",
    "log10",     "log1p",    "log2",      "logb",  "lrint",    "lround",    "modf",    "nearbyint",
    "nextafter", "pow",      "remainder", "rint",  "round",    "roundeven", "scalbln", "scalbn",
    "sin",       "sincos",   "sinh",      "sqrt",  "tan",      "tanh",      "tgamma",  "trunc",
};

static bool is_listed(const char *name, size_t bytes, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == bytes && memcmp(list[i], name, bytes) == 0)
            return true;
    }
    return false;
}
static bool is_libc(const char *name)
{
    return is_listed(name, strlen(name), libc_names, sizeof libc_names / sizeof libc_names[0]);
}
static bool is_libm(const char *name)
{
    size_t n = strlen(name), count = sizeof libm_names / sizeof libm_names[0];
    return is_listed(name, n, libm_names, count) ||
           (n > 1 && name[n - 1] == 'f' && is_listed(name, n - 1, libm_names, count)) ||
           strcmp(name, "lgammaf_r") == 0;
}

const char *check_verdict_name(uint32_t verdict)
{
    static const char *const names[] = {"?", "pass", "warn", "fail", "skip", "crash"};
    return verdict < sizeof names / sizeof names[0] ? names[verdict] : "?";
}

void check_add(struct bay_checks *out, const char *id, enum bay_verdict verdict, const char *fmt,
               ...)
{
    char text[512]; /* longer than a row: names of symbols are the plugin's own */
    must(out->count < BAY_CHECKS_MAX);
    must(verdict > BAY_VERDICT_UNSET && verdict <= BAY_CRASH);
    struct bay_check *c = &out->check[out->count++];
    memset(c, 0, sizeof *c);
    snprintf(c->id, sizeof c->id, "%s", id);
    c->verdict = verdict;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_escape(c->text, sizeof c->text, text, strlen(text));
    if (verdict == BAY_FAIL || verdict == BAY_CRASH)
        out->failed++;
}

const struct bay_check *check_first_failed(const struct bay_checks *checks)
{
    for (uint32_t i = 0; i < checks->count; i++) {
        if (checks->check[i].verdict == BAY_FAIL || checks->check[i].verdict == BAY_CRASH)
            return &checks->check[i];
    }
    return NULL;
}

#define PASS(...) check_add(out, id, BAY_PASS, __VA_ARGS__)
#define WARN(...) check_add(out, id, BAY_WARN, __VA_ARGS__)
#define FAILED(...) check_add(out, id, BAY_FAIL, __VA_ARGS__)

static void s02_identity(struct bay_checks *out, const char *id, const struct bay_facts *facts)
{
    char hex[HASH_HEX_BYTES];
    hash_hex(facts->sha256, hex);
    if (facts->build_id[0] == 0)
        WARN("sha256 %.16s..., %llu bytes, no build id: link with -Wl,--build-id", hex,
             (unsigned long long)facts->bytes);
    else
        PASS("sha256 %.16s..., %llu bytes, build id %s", hex, (unsigned long long)facts->bytes,
             facts->build_id);
}

static void s03_note(struct bay_checks *out, const char *id, const struct image *im,
                     struct bay_facts *facts)
{
    char why[IMAGE_TEXT_BYTES];
    struct result r = note_read(im, &facts->manifest, why);
    if (is_ok(r))
        PASS("one note: %s %s %s, ABI %u.%u", note_kind_name(facts->manifest.kind),
             facts->manifest.id, facts->manifest.version, facts->manifest.abi_major,
             facts->manifest.abi_minor);
    else
        FAILED("%s", why);
}

static bool is_exported(const Elf64_Sym *s)
{
    uint8_t bind = ELF64_ST_BIND(s->st_info), see = ELF64_ST_VISIBILITY(s->st_other);
    return s->st_shndx != SHN_UNDEF && bind != STB_LOCAL &&
           (see == STV_DEFAULT || see == STV_PROTECTED);
}

static void s04_exports(struct bay_checks *out, const char *id, const struct image *im)
{
    uint32_t entries = 0;
    for (size_t n = 1; n < im->sym_count; n++) {
        Elf64_Sym s = image_symbol(im, n);
        const char *name = image_string(im, s.st_name);
        if (!is_exported(&s))
            continue;
        if (!name || strcmp(name, "tn_entry") != 0) {
            FAILED("exports %s: only tn_entry may be exported (use a version script)",
                   name ? name : "a symbol without a name");
            return;
        }
        const Elf64_Phdr *p = image_segment(im, s.st_value, s.st_size);
        if (ELF64_ST_TYPE(s.st_info) != STT_OBJECT || s.st_size < sizeof(struct tn_entry) || !p ||
            (p->p_flags & PF_X)) {
            FAILED("tn_entry is not a data object of at least %zu bytes", sizeof(struct tn_entry));
            return;
        }
        entries++;
    }
    if (entries == 1)
        PASS("exports tn_entry only");
    else
        FAILED("exports no tn_entry%s", entries ? " but twice" : "");
}

static bool is_needed(const struct image *im, const char *library)
{
    for (size_t n = 0; n < im->dyn_count; n++) {
        Elf64_Dyn d = image_dyn_at(im, n);
        const char *name = d.d_tag == DT_NEEDED ? image_string(im, d.d_un.d_val) : NULL;
        if (name && strcmp(name, library) == 0)
            return true;
    }
    return false;
}

static void s05_imports(struct bay_checks *out, const char *id, const struct image *im)
{
    uint32_t count = 0;
    for (size_t n = 1; n < im->sym_count; n++) {
        Elf64_Sym s = image_symbol(im, n);
        if (s.st_shndx != SHN_UNDEF)
            continue;
        const char *name = image_string(im, s.st_name);
        if (!name || (!is_libc(name) && !is_libm(name))) {
            FAILED("uses %s, which is not on the list of pure functions a plugin may call",
                   name ? name : "a symbol without a name");
            return;
        }
        count++;
    }
    PASS("%u symbols imported, all on the list", count);
}

/* Names of the versions of glibc it wants, e.g. GLIBC_2.29. */
static void s06_glibc(struct bay_checks *out, const char *id, const struct image *im)
{
    uint64_t addr, count = 0;
    unsigned newest = 0, seen = 0;
    if (!image_dyn(im, DT_VERNEED, &addr) || !image_dyn(im, DT_VERNEEDNUM, &count))
        count = 0;
    for (uint64_t i = 0; i < count; i++) {
        Elf64_Verneed need;
        size_t off;
        if (i > CHECK_VERSIONS_MAX || !image_at(im, addr, sizeof need, &off)) {
            FAILED("its table of wanted versions is damaged");
            return;
        }
        memcpy(&need, im->bytes + off, sizeof need);
        uint64_t aux_addr = addr + need.vn_aux;
        for (uint16_t k = 0; k < need.vn_cnt; k++) {
            Elf64_Vernaux aux;
            const char *name = NULL;
            if (image_at(im, aux_addr, sizeof aux, &off)) {
                memcpy(&aux, im->bytes + off, sizeof aux);
                name = image_string(im, aux.vna_name);
            }
            if (!name || strncmp(name, "GLIBC_2.", 8) != 0 || seen++ > CHECK_VERSIONS_MAX) {
                FAILED("wants version %s, which Debian 12's C library does not give",
                       name ? name : "(damaged)");
                return;
            }
            unsigned minor = (unsigned)strtoul(name + 8, NULL, 10);
            newest = minor > newest ? minor : newest;
            aux_addr += aux.vna_next;
        }
        addr += need.vn_next;
    }
    if (newest > CHECK_GLIBC_MINOR_MAX)
        FAILED("wants glibc 2.%u, the newest allowed is 2.%d", newest, CHECK_GLIBC_MINOR_MAX);
    else
        PASS("newest glibc version wanted: 2.%u", newest);
}

static void s07_needed(struct bay_checks *out, const char *id, const struct image *im)
{
    for (size_t n = 0; n < im->dyn_count; n++) {
        Elf64_Dyn d = image_dyn_at(im, n);
        if (d.d_tag != DT_NEEDED)
            continue;
        const char *name = image_string(im, d.d_un.d_val);
        if (!name || (strcmp(name, "libc.so.6") != 0 && strcmp(name, "libm.so.6") != 0)) {
            FAILED("needs %s: only libc.so.6 and libm.so.6 are allowed", name ? name : "(damaged)");
            return;
        }
    }
    for (size_t n = 1; n < im->sym_count; n++) {
        Elf64_Sym s = image_symbol(im, n);
        const char *name = image_string(im, s.st_name);
        if (s.st_shndx != SHN_UNDEF || !name)
            continue;
        if ((is_libm(name) && !is_needed(im, "libm.so.6")) ||
            (is_libc(name) && !is_needed(im, "libc.so.6"))) {
            FAILED("uses %s but does not name its library: link with -lm, -lc and -Wl,-z,defs",
                   name);
            return;
        }
    }
    PASS("needs at most libc and libm");
}

/* ld.so matches later loads by SONAME first: a plugin must not answer to a library's name. */
static void s08_paths(struct bay_checks *out, const char *id, const struct image *im)
{
    static const struct {
        int64_t tag;
        const char *name;
    } banned[] = {{DT_RPATH, "RPATH"},       {DT_RUNPATH, "RUNPATH"}, {DT_AUDIT, "AUDIT"},
                  {DT_DEPAUDIT, "DEPAUDIT"}, {DT_FILTER, "FILTER"},   {DT_AUXILIARY, "AUXILIARY"},
                  {DT_CONFIG, "CONFIG"}};
    uint64_t v;
    for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++) {
        if (image_dyn(im, banned[i].tag, &v)) {
            FAILED("has a %s entry: a plugin may not change where libraries come from",
                   banned[i].name);
            return;
        }
    }
    const char *soname = image_dyn(im, DT_SONAME, &v) ? image_string(im, v) : "plugin";
    if (!soname || strchr(soname, '/') || strncmp(soname, "lib", 3) == 0 ||
        strncmp(soname, "ld", 2) == 0)
        FAILED("its SONAME %s could be taken for a library", soname ? soname : "(damaged)");
    else
        PASS("no search paths, audit or filter");
}

static void s09_constructors(struct bay_checks *out, const char *id, const struct image *im)
{
    static const struct {
        int64_t tag;
        const char *name;
    } banned[] = {{DT_INIT, "an init function"},
                  {DT_FINI, "a fini function"},
                  {DT_INIT_ARRAY, "an init array"},
                  {DT_FINI_ARRAY, "a fini array"},
                  {DT_PREINIT_ARRAY, "a preinit array"}};
    uint64_t v;
    for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++) {
        if (image_dyn(im, banned[i].tag, &v)) {
            FAILED("has %s: code would run at load, before any check (link with -nostartfiles)",
                   banned[i].name);
            return;
        }
    }
    PASS("no code runs at load");
}

static void s10_ifunc(struct bay_checks *out, const char *id, const struct image *im)
{
    for (size_t n = 1; n < im->sym_count; n++) {
        if (ELF64_ST_TYPE(image_symbol(im, n).st_info) == STT_GNU_IFUNC) {
            FAILED("has an IFUNC symbol: its resolver would run at load");
            return;
        }
    }
    for (size_t n = 0; n < im->rela_count + im->plt_count; n++) {
        uint64_t type = ELF64_R_TYPE(image_rela(im, n).r_info);
        if (type == R_X86_64_IRELATIVE) {
            FAILED("has an IFUNC relocation: its resolver would run at load");
            return;
        }
    }
    PASS("no IFUNC");
}

static void s11_unique(struct bay_checks *out, const char *id, const struct image *im)
{
    for (size_t n = 1; n < im->sym_count; n++) {
        if (ELF64_ST_BIND(image_symbol(im, n).st_info) == STB_GNU_UNIQUE) {
            FAILED("has a GNU-unique symbol: two versions would share it");
            return;
        }
    }
    PASS("no GNU-unique symbol");
}

static void s12_tls(struct bay_checks *out, const char *id, const struct image *im)
{
    uint64_t flags = 0;
    bool tls = image_dyn(im, DT_FLAGS, &flags) && (flags & DF_STATIC_TLS);
    for (uint32_t i = 0; i < im->phnum; i++)
        tls |= im->phdr[i].p_type == PT_TLS;
    for (size_t n = 1; n < im->sym_count; n++)
        tls |= ELF64_ST_TYPE(image_symbol(im, n).st_info) == STT_TLS;
    for (size_t n = 0; n < im->rela_count + im->plt_count; n++)
        tls |= is_tls_relocation(ELF64_R_TYPE(image_rela(im, n).r_info));
    if (tls)
        FAILED("has thread-local storage: keep state in the instance");
    else
        PASS("no thread-local storage");
}

static void s13_stack(struct bay_checks *out, const char *id, const struct image *im)
{
    for (uint32_t i = 0; i < im->phnum; i++) {
        if (im->phdr[i].p_type != PT_GNU_STACK)
            continue;
        if (im->phdr[i].p_flags & PF_X)
            FAILED("wants an executable stack, for the whole host: link with -Wl,-z,noexecstack");
        else
            PASS("stack not executable");
        return;
    }
    FAILED("does not say that its stack is not executable: link with -Wl,-z,noexecstack");
}

static bool finds_relro(const struct image *im, Elf64_Phdr *relro)
{
    for (uint32_t i = 0; i < im->phnum; i++) {
        if (im->phdr[i].p_type == PT_GNU_RELRO) {
            *relro = im->phdr[i];
            return true;
        }
    }
    return false;
}

static void s14_memory(struct bay_checks *out, const char *id, const struct image *im)
{
    uint64_t flags = 0, flags_1 = 0, v;
    Elf64_Phdr relro;
    (void)image_dyn(im, DT_FLAGS, &flags);
    (void)image_dyn(im, DT_FLAGS_1, &flags_1);
    for (uint32_t i = 0; i < im->phnum; i++) {
        const Elf64_Phdr *p = &im->phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_W) && (p->p_flags & PF_X)) {
            FAILED("has memory that is writable and executable");
            return;
        }
    }
    for (size_t n = 0; n < im->rela_count + im->plt_count; n++) {
        uint64_t type = ELF64_R_TYPE(image_rela(im, n).r_info);
        if (!is_plain_relocation(type) && !is_tls_relocation(type) && type != R_X86_64_IRELATIVE) {
            FAILED("has a relocation of type %llu", (unsigned long long)type);
            return;
        }
    }
    if (image_dyn(im, DT_TEXTREL, &v) || (flags & DF_TEXTREL) || image_dyn(im, DT_REL, &v))
        FAILED("has text relocations: compile with -fPIC");
    else if (!finds_relro(im, &relro))
        FAILED("its tables stay writable after load: link with -Wl,-z,relro");
    else if (!(flags & DF_BIND_NOW) && !(flags_1 & DF_1_NOW) && !image_dyn(im, DT_BIND_NOW, &v))
        FAILED("binds lazily: link with -Wl,-z,now");
    else
        PASS("no text relocations, no W+X, full RELRO");
}

static void s15_flags(struct bay_checks *out, const char *id, const struct image *im)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } banned[] = {{DF_1_NODELETE, "NODELETE"},   {DF_1_GLOBAL, "GLOBAL"},
                  {DF_1_INTERPOSE, "INTERPOSE"}, {DF_1_INITFIRST, "INITFIRST"},
                  {DF_1_LOADFLTR, "LOADFLTR"},   {DF_1_NODEFLIB, "NODEFLIB"}};
    uint64_t flags = 0;
    (void)image_dyn(im, DT_FLAGS_1, &flags);
    for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++) {
        if (flags & banned[i].bit) {
            FAILED("is linked with %s", banned[i].name);
            return;
        }
    }
    PASS("no special load flags");
}

static void s16_data(struct bay_checks *out, const char *id, const struct image *im,
                     const struct tn_manifest *m)
{
    Elf64_Phdr relro = {0};
    uint64_t writable = 0;
    (void)finds_relro(im, &relro);
    for (uint32_t i = 0; i < im->phnum; i++) {
        const Elf64_Phdr *p = &im->phdr[i];
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
            continue;
        uint64_t from = p->p_vaddr, to = p->p_vaddr + p->p_memsz;
        uint64_t ro_to = relro.p_vaddr + relro.p_memsz;
        if (relro.p_vaddr <= from && ro_to > from)
            from = ro_to < to ? ro_to : to;
        writable += to - from;
    }
    if (writable > m->data_bytes)
        FAILED("has %llu bytes of mutable globals, it declares data_bytes %u",
               (unsigned long long)writable, m->data_bytes);
    else
        PASS("%llu bytes of mutable globals", (unsigned long long)writable);
}

/* LDMXCSR (0F AE /2), FXRSTOR (/1), XRSTOR (/5) with a memory operand. */
static void s17_fp_control(struct bay_checks *out, const char *id, const struct image *im)
{
    for (uint32_t i = 0; i < im->phnum; i++) {
        const Elf64_Phdr *p = &im->phdr[i];
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
            continue;
        const uint8_t *code = im->bytes + p->p_offset;
        for (uint64_t n = 0; n + 3 <= p->p_filesz; n++) {
            uint8_t reg = (code[n + 2] >> 3) & 7;
            if (code[n] == 0x0f && code[n + 1] == 0xae && (code[n + 2] >> 6) != 3 &&
                (reg == 1 || reg == 2 || reg == 5)) {
                WARN("bytes at 0x%llx look like an instruction that writes the FP control word",
                     (unsigned long long)(p->p_vaddr + n));
                return;
            }
        }
    }
    PASS("no instruction that writes the FP control word; the loader compares it too");
}

static bool is_program(const struct image *im)
{
    uint64_t flags = 0;
    (void)image_dyn(im, DT_FLAGS_1, &flags);
    for (uint32_t i = 0; i < im->phnum; i++) {
        if (im->phdr[i].p_type == PT_INTERP)
            return true;
    }
    return (flags & DF_1_PIE) != 0;
}

void bay_check_static(const uint8_t *elf, size_t bytes, struct bay_checks *out,
                      struct bay_facts *facts)
{
    static const char rest[][4] = {"S03", "S04", "S05", "S06", "S07", "S08", "S09", "S10",
                                   "S11", "S12", "S13", "S14", "S15", "S16", "S17"};
    struct image im;
    char why[IMAGE_TEXT_BYTES];
    memset(facts, 0, sizeof *facts);
    facts->bytes = bytes;
    hash_sha256_once(elf, bytes, facts->sha256);
    bool parsed = image_parse(&im, elf, bytes, why);
    if (parsed && is_program(&im)) {
        parsed = false;
        snprintf(why, sizeof why, "a program, not a shared object: link with -shared");
    }
    if (parsed)
        note_build_id(&im, facts->build_id, sizeof facts->build_id);
    check_add(out, "S01", parsed ? BAY_PASS : BAY_FAIL, "%s",
              parsed ? "ELF64 x86-64 shared object" : why);
    s02_identity(out, "S02", facts);
    for (size_t i = 0; i < sizeof rest / sizeof rest[0] && !parsed; i++)
        check_add(out, rest[i], BAY_SKIP, "not readable (S01)");
    if (!parsed)
        return;
    s03_note(out, "S03", &im, facts);
    s04_exports(out, "S04", &im);
    s05_imports(out, "S05", &im);
    s06_glibc(out, "S06", &im);
    s07_needed(out, "S07", &im);
    s08_paths(out, "S08", &im);
    s09_constructors(out, "S09", &im);
    s10_ifunc(out, "S10", &im);
    s11_unique(out, "S11", &im);
    s12_tls(out, "S12", &im);
    s13_stack(out, "S13", &im);
    s14_memory(out, "S14", &im);
    s15_flags(out, "S15", &im);
    s16_data(out, "S16", &im, &facts->manifest);
    s17_fp_control(out, "S17", &im);
}
