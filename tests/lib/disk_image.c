/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the log: a sync folds what is on its way into what is sure, so an image costs what
 * its files weigh and not what the log is long. Contents on their way point into the log.
 */
#include "tests/lib/disk_image.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "tests/fault/disk_shim.h"

enum { FILES_MAX = 1024, HANDLES_MAX = 65536, NAMES_MAX = 256, NAME_BYTES = 128, SECTOR = 512 };

struct change {  /* of a file, on its way */
    bool is_cut; /* to `at` bytes; else `count` bytes at `at` */
    uint64_t at, count;
    const uint8_t *bytes;
};
struct content {
    uint8_t *bytes;
    size_t count, room;
};
struct file {
    struct content sure;
    struct change *change;
    uint32_t changes, room;
};
struct name {
    char text[NAME_BYTES];
    uint32_t file; /* 0 = none */
};
struct names {
    struct name row[NAMES_MAX];
    uint32_t count;
};
struct name_change {
    uint32_t kind; /* DISK_OP_OPEN (created), RENAME, LINK, UNLINK */
    uint32_t file;
    char from[NAME_BYTES], to[NAME_BYTES];
};
struct disk {
    const uint8_t *log;
    size_t log_bytes, at;
    uint64_t taken;
    uint32_t last_kind;
    uint32_t files;
    struct file file[FILES_MAX];
    uint32_t of_handle[HANDLES_MAX]; /* file; folders: 0 */
    char folder[HANDLES_MAX / 64][NAME_BYTES];
    uint32_t folder_handle[HANDLES_MAX / 64];
    uint32_t folders;
    struct names now, sure;
    struct name_change name_change[NAMES_MAX];
    uint32_t name_changes;
    uint64_t asked, durable;
    uint32_t told_file;
};

/* ---- contents ---- */

static void make_room(struct content *c, size_t bytes)
{
    if (bytes <= c->room)
        return;
    c->room = bytes + bytes / 2 + 4096;
    c->bytes = realloc(c->bytes, c->room);
    must(c->bytes);
}

static void put(struct content *c, uint64_t at, const uint8_t *bytes, uint64_t count)
{
    if (count == 0)
        return;
    make_room(c, at + count);
    if (at > c->count)
        memset(c->bytes + c->count, 0, at - c->count);
    memcpy(c->bytes + at, bytes, count);
    if (at + count > c->count)
        c->count = at + count;
}

static void cut(struct content *c, uint64_t size)
{
    make_room(c, size);
    if (size > c->count)
        memset(c->bytes + c->count, 0, size - c->count);
    c->count = size;
}

static void apply(struct content *c, const struct change *h)
{
    if (h->is_cut)
        cut(c, h->at);
    else
        put(c, h->at, h->bytes, h->count);
}

static void add_change(struct file *f, struct change h)
{
    if (f->changes == f->room) {
        f->room = f->room ? 2 * f->room : 64;
        f->change = realloc(f->change, f->room * sizeof *f->change);
        must(f->change);
    }
    f->change[f->changes++] = h;
}

/* ---- names ---- */

static struct name *find(struct names *n, const char *text)
{
    for (uint32_t i = 0; i < n->count; i++)
        if (strcmp(n->row[i].text, text) == 0)
            return &n->row[i];
    return NULL;
}

static void bind(struct names *n, const char *text, uint32_t file)
{
    struct name *at = find(n, text);
    if (!at && file == 0)
        return;
    if (!at) {
        must(n->count < NAMES_MAX);
        at = &n->row[n->count++];
        memcpy(at->text, text, NAME_BYTES);
    }
    at->file = file;
    if (file == 0)
        *at = n->row[--n->count];
}

static void apply_name(struct names *n, const struct name_change *h)
{
    if (h->kind == DISK_OP_RENAME || h->kind == DISK_OP_UNLINK)
        bind(n, h->from, 0);
    if (h->kind != DISK_OP_UNLINK)
        bind(n, h->to, h->file);
}

static void change_name(struct disk *d, uint32_t kind, uint32_t file, const char *from,
                        const char *to)
{
    must(d->name_changes < NAMES_MAX);
    struct name_change *h = &d->name_change[d->name_changes++];
    h->kind = kind;
    h->file = file;
    memcpy(h->from, from, NAME_BYTES);
    memcpy(h->to, to, NAME_BYTES);
    apply_name(&d->now, h);
}

static bool is_in(const char *folder, const char *text)
{
    const size_t n = strlen(folder);
    return text[0] && strncmp(text, folder, n) == 0 && text[n] == '/' && !strchr(text + n + 1, '/');
}

/* What a synced folder makes sure; or, with a file, its own creation. */
static void settle_names(struct disk *d, const char *folder, uint32_t file)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->name_changes; i++) {
        const struct name_change h = d->name_change[i];
        const bool settles = folder ? is_in(folder, h.to) || is_in(folder, h.from)
                                    : h.kind == DISK_OP_OPEN && h.file == file;
        if (settles)
            apply_name(&d->sure, &h);
        else
            d->name_change[kept++] = h;
    }
    d->name_changes = kept;
}

/* ---- the log ---- */

static uint32_t new_file(struct disk *d)
{
    must(d->files + 1 < FILES_MAX);
    return ++d->files;
}

static void on_open(struct disk *d, const struct disk_op *op, const char *path)
{
    static const char none[NAME_BYTES];
    must(op->handle < HANDLES_MAX);
    if (op->size & DISK_OPEN_FOLDER) {
        must(d->folders < HANDLES_MAX / 64);
        memcpy(d->folder[d->folders], path, NAME_BYTES);
        d->folder_handle[d->folders++] = op->handle;
        return;
    }
    const struct name *n = find(&d->now, path);
    uint32_t file = n ? n->file : 0;
    if (file == 0 || (op->size & DISK_OPEN_CREATED)) {
        file = new_file(d);
        change_name(d, DISK_OP_OPEN, file, none, path);
    }
    if (op->size & DISK_OPEN_CUT)
        add_change(&d->file[file], (struct change){.is_cut = true});
    d->of_handle[op->handle] = file;
    if (strcmp(path, "told") == 0)
        d->told_file = file;
}

static void on_sync(struct disk *d, const struct disk_op *op)
{
    const uint32_t file = d->of_handle[op->handle];
    if (file == 0) {
        for (uint32_t i = 0; i < d->folders; i++)
            if (d->folder_handle[i] == op->handle)
                settle_names(d, d->folder[i], 0);
        return;
    }
    struct file *f = &d->file[file];
    for (uint32_t i = 0; i < f->changes; i++)
        apply(&f->sure, &f->change[i]);
    f->changes = 0;
    settle_names(d, NULL, file);
}

static void on_write(struct disk *d, const struct disk_op *op, const uint8_t *bytes)
{
    const uint32_t file = d->of_handle[op->handle];
    uint64_t told[2];
    must(file != 0);
    if (file == d->told_file && op->data_bytes == sizeof told) {
        memcpy(told, bytes, sizeof told);
        d->asked = told[0];
        d->durable = told[1];
        return;
    }
    add_change(&d->file[file],
               (struct change){.at = op->offset, .count = op->data_bytes, .bytes = bytes});
}

static void on_names(struct disk *d, const struct disk_op *op, const char *a, const char *b)
{
    const struct name *n = find(&d->now, a);
    if (n) /* else it is a file that only standard I/O knows: RocksDB's own log */
        change_name(d, op->kind, n->file, a, b);
}

bool disk_next(struct disk *d)
{
    struct disk_op op;
    char a[NAME_BYTES] = {0}, b[NAME_BYTES] = {0};
    if (d->at + sizeof op > d->log_bytes)
        return false;
    memcpy(&op, d->log + d->at, sizeof op);
    must(op.path_bytes < NAME_BYTES && op.more_bytes < NAME_BYTES);
    const uint8_t *more = d->log + d->at + sizeof op;
    const size_t whole = sizeof op + op.path_bytes + op.more_bytes + op.data_bytes;
    if (d->at + whole > d->log_bytes)
        return false;
    memcpy(a, more, op.path_bytes);
    memcpy(b, more + op.path_bytes, op.more_bytes);
    d->at += whole;
    d->taken++;
    d->last_kind = op.kind;
    if (op.kind == DISK_OP_OPEN)
        on_open(d, &op, a);
    else if (op.kind == DISK_OP_WRITE)
        on_write(d, &op, more + op.path_bytes + op.more_bytes);
    else if (op.kind == DISK_OP_TRUNCATE)
        add_change(&d->file[d->of_handle[op.handle]],
                   (struct change){.is_cut = true, .at = op.size});
    else if (op.kind == DISK_OP_SYNC)
        on_sync(d, &op);
    else
        on_names(d, &op, a, b);
    return true;
}

uint64_t disk_at(const struct disk *d)
{
    return d->taken;
}

bool disk_is_change(const struct disk *d)
{
    return d->last_kind != DISK_OP_OPEN || d->name_changes > 0;
}

void disk_told(const struct disk *d, uint64_t *asked, uint64_t *durable)
{
    *asked = d->asked;
    *durable = d->durable;
}

/* ---- images ---- */

static void put_blocks(struct content *c, const struct change *h, struct rng *rng)
{
    for (uint64_t at = 0; at < h->count;) {
        const uint64_t end = (h->at + at) / SECTOR * SECTOR + SECTOR - h->at;
        const uint64_t n = (end < h->count ? end : h->count) - at;
        if (rng_below(rng, 2))
            put(c, h->at + at, h->bytes + at, n);
        at += n;
    }
    /* The length may have reached the disk and the bytes not. */
    if (h->at + h->count > c->count && rng_below(rng, 4) == 0)
        cut(c, h->at + h->count);
}

static void put_torn(struct content *c, struct change h, struct rng *rng)
{
    if (!h.is_cut) {
        const uint64_t sectors = h.count / SECTOR + 1;
        h.count = rng_below(rng, sectors) * SECTOR;
        put(c, h.at, h.bytes, h.count);
    }
}

static void spoil(const struct file *f, enum disk_damage damage, struct rng *rng, struct content *c)
{
    const uint32_t prefix = damage == DISK_KEPT     ? f->changes
                            : damage == DISK_SYNCED ? 0
                            : damage == DISK_TORN   ? (uint32_t)rng_below(rng, f->changes + 1u)
                                                    : 0;
    c->count = 0;
    if (f->sure.count)
        put(c, 0, f->sure.bytes, f->sure.count);
    for (uint32_t i = 0; i < prefix; i++)
        apply(c, &f->change[i]);
    if (damage == DISK_TORN && prefix < f->changes)
        put_torn(c, f->change[prefix], rng);
    for (uint32_t i = 0; damage == DISK_MIXED && i < f->changes; i++) {
        const struct change *h = &f->change[i];
        if (h->is_cut && rng_below(rng, 2))
            apply(c, h);
        else if (!h->is_cut && rng_below(rng, 4))
            put_blocks(c, h, rng);
    }
}

/* Zeros are left as holes: logs are extended with them. */
static void store(const char *path, const struct content *c)
{
    enum { BLOCK = 4096 };
    static const uint8_t zero[BLOCK];
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0);
    for (size_t at = 0; at < c->count; at += BLOCK) {
        const size_t n = c->count - at < BLOCK ? c->count - at : BLOCK;
        if (memcmp(c->bytes + at, zero, n) != 0)
            must(pwrite(fd, c->bytes + at, n, (off_t)at) == (ssize_t)n);
    }
    must(ftruncate(fd, (off_t)c->count) == 0);
    close(fd);
}

static struct names *pick_names(const struct disk *d, enum disk_damage damage, struct rng *rng)
{
    struct names *n = malloc(sizeof *n);
    must(n);
    *n = d->sure;
    const uint32_t prefix = damage == DISK_TORN   ? (uint32_t)rng_below(rng, d->name_changes + 1u)
                            : damage == DISK_KEPT ? d->name_changes
                                                  : 0;
    for (uint32_t i = 0; i < d->name_changes; i++)
        if (i < prefix || (damage == DISK_MIXED && rng_below(rng, 2)))
            apply_name(n, &d->name_change[i]);
    return n;
}

void disk_write_image(const struct disk *d, enum disk_damage damage, struct rng *rng,
                      const char *to)
{
    struct names *n = pick_names(d, damage, rng);
    struct content c = {0};
    for (uint32_t i = 0; i < n->count; i++) {
        char path[PATH_MAX];
        must(snprintf(path, sizeof path, "%s/%s", to, n->row[i].text) < PATH_MAX);
        spoil(&d->file[n->row[i].file], damage, rng, &c);
        store(path, &c);
    }
    free(c.bytes);
    free(n);
}

/* ---- the beginning ---- */

static void load_file(struct disk *d, const char *base, const char *text)
{
    char path[PATH_MAX];
    struct stat st;
    must(snprintf(path, sizeof path, "%s/%s", base, text) < PATH_MAX);
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    char name[NAME_BYTES] = {0};
    must(snprintf(name, sizeof name, "%s", text) < NAME_BYTES);
    const uint32_t file = new_file(d);
    struct content *c = &d->file[file].sure;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0);
    cut(c, (uint64_t)st.st_size);
    must(st.st_size == 0 || pread(fd, c->bytes, c->count, 0) == (ssize_t)c->count);
    close(fd);
    bind(&d->sure, name, file);
    bind(&d->now, name, file);
}

static void load_folder(struct disk *d, const char *base, const char *folder)
{
    char path[PATH_MAX];
    must(snprintf(path, sizeof path, "%s/%s", base, folder) < PATH_MAX);
    DIR *dir = opendir(path);
    for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        char text[NAME_BYTES];
        if (snprintf(text, sizeof text, "%s/%s", folder, e->d_name) < NAME_BYTES)
            load_file(d, base, text);
    }
    if (dir)
        closedir(dir);
}

struct disk *disk_new(const char *log, const char *base)
{
    struct disk *d = calloc(1, sizeof *d);
    const int fd = open(log, O_RDONLY | O_CLOEXEC);
    struct stat st;
    must(d && fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0);
    d->log_bytes = (size_t)st.st_size;
    d->log = mmap(NULL, d->log_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    must(d->log != MAP_FAILED);
    close(fd);
    if (base) {
        load_folder(d, base, "journal");
        load_folder(d, base, "heads");
    }
    return d;
}

void disk_free(struct disk *d)
{
    for (uint32_t i = 0; i <= d->files; i++) {
        free(d->file[i].sure.bytes);
        free(d->file[i].change);
    }
    munmap((void *)(uintptr_t)d->log, d->log_bytes);
    free(d);
}
