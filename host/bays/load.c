/* SPDX-License-Identifier: Apache-2.0
 *
 * The loader. ld.so finds a library by name before it looks at files, and a file can change
 * between check and use. So the bytes go into a sealed memory file first; that copy is hashed,
 * checked and opened, under the name of a descriptor that stays open as long as the process, and
 * ld.so is asked beforehand that it does not know this name yet.
 *
 * After dlopen nothing is trusted that was not checked in the file: tn_entry must lie where the
 * symbol table says, its manifest must be the note, each function must lie in the module's own
 * code. A module refused after dlopen stays loaded and unused: dlclose has crashed hosts before
 * (ABI-RULES section 0), keeping a few pages has not.
 */
#include "bays/module.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/must.h"
#include "bays/check.h"
#include "bays/fpu.h"
#include "bays/note.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
enum { LOAD_MODULES_MAX = 1024 };

/* Process-wide by nature: ld.so's list of loaded objects is, too. */
static _Atomic(struct bay_module *) all_modules;
static atomic_uint module_count;

struct sealed {
    int fd;
    const uint8_t *bytes;
    size_t count;
};

static struct result open_regular(const char *path, int *fd, struct trail *tr)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 && errno == ENOENT)
        return FAIL(tr, NOT_FOUND, "%s: there is no such file; check the path", path);
    if (*fd < 0 && errno == ELOOP)
        return FAIL(tr, NOT_PERMITTED, "%s: a symbolic link; give the path of the file itself",
                    path);
    if (*fd < 0)
        return FAIL(tr, IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(*fd);
        return FAIL(tr, SYNTAX, "%s: not a regular file; give the path of a plugin's .so", path);
    }
    if (st.st_size > BAY_FILE_MAX_BYTES) {
        close(*fd);
        return FAIL(tr, TOO_LARGE, "%s: %lld bytes, a plugin has at most %d; strip it", path,
                    (long long)st.st_size, BAY_FILE_MAX_BYTES);
    }
    return OK_RESULT;
}

/* The file may grow while it is read: the cap is tested again on what was read. */
static struct result copy_to(int from, int to, const char *path, size_t *count, struct trail *tr)
{
    uint8_t buffer[65536];
    *count = 0;
    for (;;) {
        ssize_t got = read(from, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FAIL(tr, IO, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return OK_RESULT;
        if (*count + (size_t)got > BAY_FILE_MAX_BYTES)
            return FAIL(tr, TOO_LARGE, "%s: grows above %d bytes while it is read", path,
                        BAY_FILE_MAX_BYTES);
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, buffer + done, (size_t)(got - done));
            if (put < 0 && errno != EINTR)
                return FAIL(tr, IO, "%s: no memory for a sealed copy: %s", path, strerror(errno));
            done += put < 0 ? 0 : put;
        }
        *count += (size_t)got;
    }
}

static struct result map_copy(const char *path, struct sealed *s, struct trail *tr)
{
    void *map = mmap(NULL, s->count, PROT_READ, MAP_PRIVATE, s->fd, 0);
    if (map == MAP_FAILED)
        return FAIL(tr, IO, "%s: its copy cannot be mapped: %s", path, strerror(errno));
    s->bytes = map;
    return OK_RESULT;
}

static struct result seal_copy(const char *path, struct sealed *out, struct trail *tr)
{
    int from = -1;
    TRY(open_regular(path, &from, tr));
    out->fd = memfd_create("tenon-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (out->fd < 0 && errno == EINVAL) /* kernels before 6.3 do not know MFD_EXEC */
        out->fd = memfd_create("tenon-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct result r = OK_RESULT;
    if (out->fd < 0)
        r = FAIL(tr, IO, "%s: no memory file for a sealed copy: %s", path, strerror(errno));
    if (is_ok(r))
        r = copy_to(from, out->fd, path, &out->count, tr);
    close(from);
    if (is_ok(r) && out->count == 0)
        r = FAIL(tr, SYNTAX, "%s: empty, 0 bytes; build or copy it again", path);
    if (is_ok(r) &&
        fcntl(out->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        r = FAIL(tr, IO, "%s: its copy cannot be sealed: %s", path, strerror(errno));
    if (is_ok(r))
        r = map_copy(path, out, tr);
    if (!is_ok(r) && out->fd >= 0)
        close(out->fd);
    return r;
}

static void drop_copy(struct sealed *s)
{
    munmap((void *)(uintptr_t)s->bytes, s->count);
    close(s->fd);
}

/* The class of the refusal by its first failed check. */
static struct result refuse(const char *path, const struct bay_checks *checks,
                            const struct bay_facts *facts, struct trail *tr)
{
    const struct bay_check *c = check_first_failed(checks);
    bool abi = strcmp(c->id, "S03") == 0 && facts->manifest.size > 0;
    struct result r = abi ? RESULT_OF(ABI) : RESULT_OF(SYNTAX);
    const char *todo = abi ? "build it against this host's headers"
                           : "rebuild it with the TenonPlugin package, then run tenon plugin check";
    if (checks->failed == 1)
        return FAIL_AS(tr, r, "%s: %s (%s); %s", path, c->text, c->id, todo);
    return FAIL_AS(tr, r, "%s: %s (%s, and %u more checks failed); %s", path, c->text, c->id,
                   checks->failed - 1, todo);
}

static struct result check_copy(const char *path, const struct sealed *s, const uint8_t *want,
                                struct bay_facts *facts, struct trail *tr)
{
    struct bay_checks checks = {0};
    bay_check_static(s->bytes, s->count, &checks, facts);
    if (want && memcmp(want, facts->sha256, HASH_SHA256_BYTES) != 0) {
        char is[HASH_HEX_BYTES], pinned[HASH_HEX_BYTES];
        hash_hex(facts->sha256, is);
        hash_hex(want, pinned);
        return FAIL(tr, FOREIGN,
                    "%s: its SHA-256 is %.16s..., the deployment pins %.16s...; "
                    "restore the pinned file or promote a deployment with the new hash",
                    path, is, pinned);
    }
    if (checks.failed > 0)
        return refuse(path, &checks, facts, tr);
    return OK_RESULT;
}

/* ---- after dlopen: is it what the file said? ---- */
struct claim {
    const struct image *im;
    uintptr_t base; /* load address */
    const char *path;
    struct trail *tr;
};

static bool lies_in(const struct claim *c, const void *p, size_t bytes, uint32_t flag)
{
    const Elf64_Phdr *seg = image_segment(c->im, (uintptr_t)p - c->base, bytes);
    return seg && (seg->p_flags & flag) == flag;
}

static struct result check_function(const struct claim *c, const char *name, const void *fn,
                                    bool required)
{
    if (!fn && !required)
        return OK_RESULT;
    if (!fn)
        return FAIL(c->tr, ABI,
                    "%s: its table has no function %s, which its kind must have; add it", c->path,
                    name);
    if (!lies_in(c, fn, 1, PF_X))
        return FAIL(c->tr, ABI,
                    "%s: its function %s does not lie in its own code; give the table "
                    "functions of the plugin itself",
                    c->path, name);
    return OK_RESULT;
}

/* Function pointers are compared as addresses; POSIX lets them be converted. */
#define ADDRESS(fn) ((const void *)(uintptr_t)(fn))

/* The facts are data that the host reads without a call: they are checked row by row (agent.c),
 * here only that they lie in the plugin. */
static struct result check_adapter(const struct claim *c, const struct tn_adapter_ops *o)
{
    if (!lies_in(c, o->facts, sizeof *o->facts, PF_R))
        return FAIL(c->tr, ABI, "%s: its facts are not constant data of its own; add them",
                    c->path);
    TRY(check_function(c, "activate", ADDRESS(o->base.activate), true));
    TRY(check_function(c, "deactivate", ADDRESS(o->base.deactivate), true));
    TRY(check_function(c, "destroy", ADDRESS(o->base.destroy), true));
    TRY(check_function(c, "create", ADDRESS(o->create), true));
    TRY(check_function(c, "start", ADDRESS(o->start), true));
    TRY(check_function(c, "on_in", ADDRESS(o->on_in), true));
    return check_function(c, "on_approval", ADDRESS(o->on_approval), true);
}

static struct result check_ops(const struct claim *c, struct bay_module *m)
{
    const struct tn_manifest *man = &m->facts.manifest;
    const struct tn_instance_ops *base = m->entry.ops;
    bool adapter = man->kind == TN_KIND_ADAPTER;
    bool draft = man->kind != TN_KIND_INDICATOR && man->kind != TN_KIND_STRATEGY;
    uint32_t revision = draft ? 0 : 1;
    size_t want = man->kind == TN_KIND_INDICATOR  ? sizeof m->ops.indicator
                  : man->kind == TN_KIND_STRATEGY ? sizeof m->ops.strategy
                  : adapter                       ? sizeof m->ops.adapter
                                                  : sizeof m->ops.base;
    if (!lies_in(c, base, want, PF_R) || base->size < want || !lies_in(c, base, base->size, PF_R))
        return FAIL(c->tr, ABI,
                    "%s: its table of functions is missing or shorter than the %zu "
                    "bytes of kind %s; set base.size to the size of the whole table",
                    c->path, want, note_kind_name(man->kind));
    if ((adapter || !draft) && base->revision != revision)
        return FAIL(c->tr, ABI,
                    "%s: it gives interface %s/%u, this host knows %s/%u; set "
                    "base.revision to %u",
                    c->path, note_kind_name(man->kind), base->revision, note_kind_name(man->kind),
                    revision, revision);
    memcpy(&m->ops, base, want);
    if (adapter)
        return check_adapter(c, &m->ops.adapter);
    if (draft)
        return OK_RESULT;
    const struct tn_instance_ops *b = &m->ops.base;
    bool state = man->state_schema != 0;
    TRY(check_function(c, "create", ADDRESS(b->create), true));
    TRY(check_function(c, "activate", ADDRESS(b->activate), true));
    TRY(check_function(c, "deactivate", ADDRESS(b->deactivate), true));
    TRY(check_function(c, "destroy", ADDRESS(b->destroy), true));
    TRY(check_function(c, "state_save", ADDRESS(b->state_save), state));
    TRY(check_function(c, "state_load", ADDRESS(b->state_load), state));
    TRY(check_function(c, "warmup", ADDRESS(b->warmup), false));
    const void *hot = man->kind == TN_KIND_STRATEGY ? ADDRESS(m->ops.strategy.on_events)
                                                    : ADDRESS(m->ops.indicator.on_events);
    return check_function(c, "on_events", hot, true);
}

static bool find_entry(const struct image *im, Elf64_Sym *out)
{
    for (size_t n = 1; n < im->sym_count; n++) {
        *out = image_symbol(im, n);
        const char *name = image_string(im, out->st_name);
        if (out->st_shndx != SHN_UNDEF && name && strcmp(name, "tn_entry") == 0)
            return true;
    }
    return false;
}

static struct result check_entry(const struct claim *c, const struct tn_entry *e,
                                 struct bay_module *m)
{
    Elf64_Sym sym;
    struct note_found note;
    bool found = find_entry(c->im, &sym);
    must(found); /* S04 */
    note_find(c->im, &note);
    must(note.count == 1); /* S03 */
    if ((uintptr_t)e != c->base + sym.st_value)
        return FAIL(c->tr, ABI, "%s: tn_entry is not where its symbol table says", c->path);
    if (e->size < sizeof *e || e->size > sym.st_size)
        return FAIL(c->tr, ABI,
                    "%s: tn_entry says %u bytes, ABI 1.0 has %zu; rebuild it with "
                    "TN_PLUGIN",
                    c->path, e->size, sizeof *e);
    memcpy(&m->entry, e, sizeof *e);
    const struct tn_manifest *man = &m->facts.manifest;
    if (e->abi_major != man->abi_major || e->abi_minor != man->abi_minor ||
        e->fingerprint != man->fingerprint)
        return FAIL(c->tr, ABI,
                    "%s: tn_entry says ABI %u.%u, its note %u.%u; rebuild it with "
                    "TN_PLUGIN",
                    c->path, e->abi_major, e->abi_minor, man->abi_major, man->abi_minor);
    const uint8_t *file = c->im->bytes + note.desc_off;
    if ((uintptr_t)e->manifest != c->base + note.desc_vaddr)
        return FAIL(c->tr, ABI,
                    "%s: tn_entry points to another manifest than its note; rebuild it "
                    "with TN_PLUGIN",
                    c->path);
    if (memcmp(e->manifest, file, note.desc_bytes) != 0)
        return FAIL(c->tr, ABI,
                    "%s: its manifest in memory differs from the note in the file; "
                    "rebuild it with TN_PLUGIN",
                    c->path);
    return check_ops(c, m);
}

static struct result open_copy(const char *path, int fd, void **handle, struct trail *tr)
{
    char name[40];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    must(dlopen(name, RTLD_NOW | RTLD_NOLOAD) == NULL); /* the descriptor is ours and new */
    struct fpu before = fpu_read();
    *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!*handle) {
        const char *why = dlerror();
        fpu_write(before);
        return FAIL(tr, ABI, "%s: the dynamic loader refuses it: %s", path,
                    why ? why : "no reason");
    }
    if (!fpu_same(before, fpu_read())) {
        fpu_write(before);
        return FAIL(tr, PLUGIN,
                    "%s: loading it changed the floating-point control word (S17); "
                    "build it without -ffast-math",
                    path);
    }
    return OK_RESULT;
}

static void keep(struct bay_module *m)
{
    m->next = atomic_load(&all_modules);
    while (!atomic_compare_exchange_weak(&all_modules, &m->next, m))
        continue;
}

static struct result load_copy(const char *path, const struct sealed *s, struct bay_module *m,
                               struct trail *tr)
{
    struct image im;
    char why[IMAGE_TEXT_BYTES];
    bool parsed = image_parse(&im, s->bytes, s->count, why);
    must(parsed); /* S01 */
    struct result r = open_copy(path, s->fd, &m->handle, tr);
    if (!m->handle)
        return r;
    keep(m); /* from here on it lives as long as the process, refused or not */
    TRY(r);
    struct link_map *map = NULL;
    const struct tn_entry *e = dlsym(m->handle, "tn_entry");
    if (!e || dlinfo(m->handle, RTLD_DI_LINKMAP, &map) != 0)
        return FAIL(tr, ABI, "%s: tn_entry cannot be found after load; rebuild it with TN_PLUGIN",
                    path);
    struct claim c = {.im = &im, .base = map->l_addr, .path = path, .tr = tr};
    return check_entry(&c, e, m);
}

/* Takes the copy over, also when it fails. */
static struct result load_checked(const char *path, struct sealed *s, const uint8_t *want_sha,
                                  struct bay_module **out, struct trail *tr)
{
    if (atomic_fetch_add(&module_count, 1) >= LOAD_MODULES_MAX) {
        atomic_fetch_sub(&module_count, 1);
        drop_copy(s);
        return FAIL(tr, FULL,
                    "%s: %d modules are loaded already and none is ever unloaded; "
                    "restart the host",
                    path, LOAD_MODULES_MAX);
    }
    struct bay_module *m = calloc(1, sizeof *m);
    must(m != NULL);
    m->fd = s->fd;
    struct result r = check_copy(path, s, want_sha, &m->facts, tr);
    if (is_ok(r))
        r = load_copy(path, s, m, tr);
    if (m->handle) { /* loaded for good: the descriptor stays open with it */
        munmap((void *)(uintptr_t)s->bytes, s->count);
        if (is_ok(r))
            atomic_store(&m->is_good, 1);
        *out = is_ok(r) ? m : NULL;
        return r;
    }
    drop_copy(s);
    free(m);
    atomic_fetch_sub(&module_count, 1);
    return r;
}

struct result bay_load(const char *path, const uint8_t want_sha[32], struct bay_module **out,
                       struct trail *tr)
{
    struct sealed s = {.fd = -1};
    must(path && out);
    *out = NULL;
    TRY(seal_copy(path, &s, tr));
    return load_checked(path, &s, want_sha, out, tr);
}

struct result bay_seal(const char *path, const uint8_t want_sha[32], int *fd,
                       struct bay_facts *facts, struct trail *tr)
{
    struct sealed s = {.fd = -1};
    must(path && fd && facts);
    *fd = -1;
    TRY(seal_copy(path, &s, tr));
    struct result r = check_copy(path, &s, want_sha, facts, tr);
    if (!is_ok(r)) {
        drop_copy(&s);
        return r;
    }
    munmap((void *)(uintptr_t)s.bytes, s.count);
    *fd = s.fd;
    return OK_RESULT;
}

struct result bay_load_sealed(int fd, const char *name, const uint8_t want_sha[32],
                              struct bay_module **out, struct trail *tr)
{
    const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    struct sealed s = {.fd = fd};
    struct stat st;
    must(name && out);
    *out = NULL;
    int has = fcntl(fd, F_GET_SEALS);
    if (has < 0 || (has & seals) != seals || fstat(fd, &st) != 0 || st.st_size <= 0 ||
        st.st_size > BAY_FILE_MAX_BYTES) {
        close(fd);
        return FAIL(tr, FOREIGN, "%s: what was handed over is not a sealed copy of a plugin", name);
    }
    s.count = (size_t)st.st_size;
    struct result r = map_copy(name, &s, tr);
    if (!is_ok(r)) {
        close(fd);
        return r;
    }
    return load_checked(name, &s, want_sha, out, tr);
}

int bay_module_fd(const struct bay_module *m)
{
    must(m != NULL);
    return m->fd;
}

struct result bay_read_facts(const char *path, struct bay_facts *out, struct trail *tr)
{
    struct sealed s = {.fd = -1};
    struct image im;
    char why[IMAGE_TEXT_BYTES];
    TRY(seal_copy(path, &s, tr));
    memset(out, 0, sizeof *out);
    out->bytes = s.count;
    hash_sha256_once(s.bytes, s.count, out->sha256);
    struct result r = OK_RESULT;
    if (!image_parse(&im, s.bytes, s.count, why))
        r = RESULT_OF(SYNTAX);
    if (is_ok(r))
        r = note_read(&im, &out->manifest, why);
    if (is_ok(r))
        note_build_id(&im, out->build_id, sizeof out->build_id);
    else
        r = FAIL_AS(tr, r, "%s: %s; give a plugin built against this host's headers", path, why);
    drop_copy(&s);
    return r;
}

struct bay_module *bay_module_find(const uint8_t sha256[32])
{
    for (struct bay_module *m = atomic_load(&all_modules); m != NULL; m = m->next) {
        if (atomic_load(&m->is_good) && memcmp(m->facts.sha256, sha256, 32) == 0)
            return m;
    }
    return NULL;
}

const struct bay_facts *bay_module_facts(const struct bay_module *m)
{
    must(m != NULL);
    return &m->facts;
}

const struct tn_entry *bay_module_entry(const struct bay_module *m)
{
    must(m != NULL);
    return &m->entry;
}

uint32_t bay_module_count(void)
{
    return atomic_load(&module_count);
}
