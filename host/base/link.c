/* SPDX-License-Identifier: Apache-2.0
 *
 * The link.
 *
 * Positions are bytes since a ring began, as in base/ring.c: they only rise and are multiples of 8,
 * their low bits are the offset, and messages do not cross the end (a pad goes before one that
 * would, and reaches to the end whatever it says). What differs is whom it trusts. There, both ends
 * are ours and a wrong number is a bug; here the other side may write anything at any time into its
 * own page and ring. So
 *   - each word of its page is loaded once, and believed only if it fits what was seen before:
 *     a position never falls, never passes what there is, and keeps to the grid;
 *   - the head of a message is loaded once into a local, and its length is checked against what is
 *     published before a byte is copied; the message is copied before anybody looks at it;
 *   - what I know of my own side (head, tail) lives in my own memory, never in the shared page.
 * The first thing that does not fit is kept as `broken`, and from then on there is neither a
 * message nor room.
 *
 * A descriptor can be sealed against new writable maps, but only by one who can write it, and only
 * after its own map. So that the other side cannot be quicker, it is given the memfd opened again
 * read-only; the owner's seal then shuts the last door, its own descriptor.
 *
 * Sleeping is Dekker's agreement: the sleeper writes `asleep` and then looks for messages, the
 * other writes its head and then looks for `asleep`, each with sequential consistency, so at least
 * one of the two sees the other. link_commit needs release only; link_ring, once a batch, writes
 * the head again with the stronger order. A peer that says it sleeps when it does not costs one
 * system call a batch. The bells do not block: a bell that was rung to the brim is still a bell
 * that rings. (A peer that could clear O_NONBLOCK on it could make link_ring wait; bays/sandbox.c
 * takes fcntl away.)
 */
#include "base/link.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/must.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#define LINK_MAGIC 0x4b4e494cu /* "LINK" */
#define PAD UINT32_MAX
enum { PAGE_BYTES = 4096, LINE = 64, ALIGN = 8, SEALS = F_SEAL_SHRINK | F_SEAL_GROW };

struct link_page {
    uint32_t magic, version, capacity, reserved;
    _Alignas(LINE) _Atomic uint64_t head; /* of my ring: how far I have written */
    _Alignas(LINE) _Atomic uint64_t tail; /* of the other's ring: how far I have read */
    _Alignas(LINE) _Atomic uint32_t asleep;
    _Alignas(LINE) _Atomic int64_t beat;
};
static_assert(sizeof(struct link_page) <= PAGE_BYTES, "the page holds it");

struct head { /* before each message */
    uint32_t kind, bytes;
};
static_assert(sizeof(struct head) == ALIGN, "a pad fits wherever a message may end");

static uint64_t whole(uint32_t bytes)
{
    return sizeof(struct head) + (((uint64_t)bytes + ALIGN - 1) & ~(uint64_t)(ALIGN - 1));
}

static uint32_t largest(uint32_t capacity)
{
    return capacity / 4 < LINK_MESSAGE_MAX ? capacity / 4 : LINK_MESSAGE_MAX;
}

/* ---- making and opening ---- */
static bool is_capacity(uint32_t capacity)
{
    return capacity >= LINK_CAPACITY_MIN && capacity <= LINK_CAPACITY_MAX &&
           (capacity & (capacity - 1)) == 0;
}

/* Kernels before 6.3 do not know MFD_NOEXEC_SEAL. */
static int memory_file(void)
{
    for (unsigned int flags = MFD_NOEXEC_SEAL;; flags = 0) {
        int fd = memfd_create("tenon-link", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
        if (fd >= 0 || errno != EINVAL || flags == 0)
            return fd;
    }
}

/* A second description of the same memory, which cannot write. */
static int open_reader(int owner)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", owner);
    return open(name, O_RDONLY | O_CLOEXEC);
}

static struct result make_memory(uint32_t capacity, int *owner, int *reader, struct trail *tr)
{
    const struct link_page page = {
        .magic = LINK_MAGIC, .version = LINK_VERSION, .capacity = capacity};
    *owner = memory_file();
    if (*owner >= 0 && ftruncate(*owner, (off_t)PAGE_BYTES + capacity) == 0 &&
        pwrite(*owner, &page, sizeof page, 0) == (ssize_t)sizeof page &&
        fcntl(*owner, F_ADD_SEALS, SEALS) == 0)
        *reader = open_reader(*owner);
    if (*reader >= 0)
        return OK_RESULT;
    return FAIL(tr, IO,
                "no shared memory of %u bytes for a link: %s; free memory, raise the limit of open "
                "files, and see that /proc is mounted",
                capacity, strerror(errno));
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void link_end_close(struct link_end *e)
{
    close_one(&e->mine);
    close_one(&e->theirs);
    close_one(&e->bell);
    close_one(&e->their_bell);
}

static struct result make_bells(struct link_end out[2], struct trail *tr)
{
    for (int i = 0; i < 2; i++) {
        out[i].bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        out[1 - i].their_bell = out[i].bell < 0 ? -1 : fcntl(out[i].bell, F_DUPFD_CLOEXEC, 0);
        if (out[1 - i].their_bell < 0)
            return FAIL(tr, IO, "no bell for a link: %s; raise the limit of open files",
                        strerror(errno));
    }
    return OK_RESULT;
}

struct result link_make(uint32_t capacity, struct link_end out[2], struct trail *tr)
{
    for (int i = 0; i < 2; i++)
        out[i] = (struct link_end){
            .mine = -1, .theirs = -1, .bell = -1, .their_bell = -1, .capacity = capacity};
    if (!is_capacity(capacity))
        return FAIL(tr, RANGE, "a link of %u bytes: give a power of two from %d to %d", capacity,
                    LINK_CAPACITY_MIN, LINK_CAPACITY_MAX);
    struct result r = make_memory(capacity, &out[0].mine, &out[1].theirs, tr);
    if (is_ok(r))
        r = make_memory(capacity, &out[1].mine, &out[0].theirs, tr);
    if (is_ok(r))
        r = make_bells(out, tr);
    if (!is_ok(r))
        for (int i = 0; i < 2; i++)
            link_end_close(&out[i]);
    return r;
}

/* Is it a memory that cannot shrink below what is mapped, of the size and version agreed? */
static struct result check_memory(int fd, uint32_t capacity, struct trail *tr)
{
    struct stat st;
    struct link_page page;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS)
        return FAIL(tr, PROTOCOL, "descriptor %d is no memory sealed for a link", fd);
    if (fstat(fd, &st) != 0 || st.st_size != (off_t)PAGE_BYTES + capacity)
        return FAIL(tr, PROTOCOL, "the memory of a link has not the size agreed, %u bytes",
                    capacity);
    if (pread(fd, &page, sizeof page, 0) != (ssize_t)sizeof page || page.magic != LINK_MAGIC ||
        page.version != LINK_VERSION || page.capacity != capacity)
        return FAIL(tr, PROTOCOL, "the other side's link is not of version %d", LINK_VERSION);
    return OK_RESULT;
}

/* Populated: no page of it has to be found later, when memory may be short. */
static struct result map(int fd, uint32_t capacity, int access, void **out, struct trail *tr)
{
    TRY(check_memory(fd, capacity, tr));
    *out = mmap(NULL, (size_t)PAGE_BYTES + capacity, access, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (*out != MAP_FAILED)
        return OK_RESULT;
    *out = NULL;
    return FAIL(tr, IO, "the memory of a link cannot be mapped: %s", strerror(errno));
}

struct result link_open(const struct link_end *e, struct link *out, struct trail *tr)
{
    *out = (struct link){.end = *e};
    void *mine = NULL, *theirs = NULL;
    struct result r = OK_RESULT;
    if (!is_capacity(e->capacity))
        r = FAIL(tr, RANGE, "a link of %u bytes is none", e->capacity);
    if (is_ok(r))
        r = map(e->mine, e->capacity, PROT_READ | PROT_WRITE, &mine, tr);
    if (is_ok(r) && fcntl(e->mine, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
        r = FAIL(tr, IO, "the memory of a link cannot be sealed: %s; Linux 5.1 or newer is needed",
                 strerror(errno));
    if (is_ok(r))
        r = map(e->theirs, e->capacity, PROT_READ, &theirs, tr);
    out->mine = mine;
    out->theirs = theirs;
    if (!is_ok(r)) {
        link_close(out);
        return r;
    }
    out->out = (uint8_t *)mine + PAGE_BYTES;
    out->in = (const uint8_t *)theirs + PAGE_BYTES;
    close_one(&out->end.mine);
    close_one(&out->end.theirs);
    return OK_RESULT;
}

void link_close(struct link *l)
{
    size_t bytes = (size_t)PAGE_BYTES + l->end.capacity;
    if (l->mine)
        munmap(l->mine, bytes);
    if (l->theirs)
        munmap((void *)(uintptr_t)l->theirs, bytes);
    link_end_close(&l->end);
    *l = (struct link){.end = l->end, .broken = "closed"};
}

/* ---- writing ---- */
static void break_link(struct link *l, const char *why)
{
    if (!l->broken)
        l->broken = why;
}

/* Takes the other's word of how far it has read, if it can be true. */
static void look_at_tail(struct link *l)
{
    uint64_t tail = atomic_load_explicit(&l->theirs->tail, memory_order_acquire);
    if (tail < l->tail_seen || tail > l->head || (tail & (ALIGN - 1)) != 0)
        break_link(l, "the other side says it has read what was never written");
    else
        l->tail_seen = tail;
}

uint32_t link_room(struct link *l)
{
    if (!l->broken)
        look_at_tail(l);
    return l->broken ? 0 : l->end.capacity - (uint32_t)(l->head - l->tail_seen);
}

static void write_head(struct link *l, uint64_t at, uint32_t kind, uint32_t bytes)
{
    const struct head h = {.kind = kind, .bytes = bytes};
    memcpy(l->out + (at & (l->end.capacity - 1)), &h, sizeof h);
}

void *link_reserve(struct link *l, uint32_t kind, uint32_t bytes)
{
    if (l->broken)
        return NULL;
    must(kind != 0 && kind != PAD && bytes <= largest(l->end.capacity));
    must(l->reserved == l->head);
    uint64_t to_end = l->end.capacity - (l->head & (l->end.capacity - 1));
    uint64_t need = whole(bytes), pad = need > to_end ? to_end : 0;
    if (l->head + pad + need - l->tail_seen > l->end.capacity) {
        look_at_tail(l);
        if (l->broken)
            return NULL;
        if (l->head + pad + need - l->tail_seen > l->end.capacity) {
            l->full_count++;
            return NULL;
        }
    }
    if (pad > 0)
        write_head(l, l->head, PAD, 0);
    write_head(l, l->head + pad, kind, bytes);
    l->reserved = l->head + pad + need;
    return l->out + ((l->head + pad + sizeof(struct head)) & (l->end.capacity - 1));
}

void link_commit(struct link *l)
{
    must(l->reserved != l->head);
    l->head = l->reserved;
    l->put++;
    atomic_store_explicit(&l->mine->head, l->head, memory_order_release);
}

bool link_put(struct link *l, uint32_t kind, const void *bytes, uint32_t count)
{
    void *to = link_reserve(l, kind, count);
    if (!to)
        return false;
    if (count > 0)
        memcpy(to, bytes, count);
    link_commit(l);
    return true;
}

/* ---- reading ---- */
static bool look_at_head(struct link *l)
{
    if (l->head_seen != l->tail)
        return true;
    uint64_t head = atomic_load_explicit(&l->theirs->head, memory_order_acquire);
    if (head - l->tail > l->end.capacity || (head & (ALIGN - 1)) != 0) { /* or it fell: it wraps */
        break_link(l, "the other side says it has written what cannot be");
        return false;
    }
    l->head_seen = head;
    return head != l->tail;
}

/* A word that the other may be changing: loaded once. */
static uint32_t word_at(const struct link *l, uint64_t at)
{
    const void *p = l->in + (at & (l->end.capacity - 1));
    return atomic_load_explicit((const _Atomic uint32_t *)p, memory_order_relaxed);
}

static struct head read_head(const struct link *l, uint64_t at)
{
    return (struct head){.kind = word_at(l, at), .bytes = word_at(l, at + 4)};
}

/* The oldest message's head and position; false when there is none. */
static bool find_message(struct link *l, struct head *h, uint64_t *at)
{
    if (l->broken || !look_at_head(l))
        return false;
    *at = l->tail;
    *h = read_head(l, *at);
    uint64_t to_end = l->end.capacity - (*at & (l->end.capacity - 1));
    if (h->kind == PAD) {
        if (to_end >= l->head_seen - l->tail) {
            break_link(l, "a pad with nothing behind it");
            return false;
        }
        *at += to_end;
        to_end = l->end.capacity;
        *h = read_head(l, *at);
    }
    uint64_t need = whole(h->bytes);
    if (h->kind == 0 || h->kind == PAD || h->bytes > largest(l->end.capacity) || need > to_end ||
        need > l->head_seen - *at) {
        break_link(l, "a message whose kind or length cannot be");
        return false;
    }
    return true;
}

bool link_take(struct link *l, struct link_message *m, void *buffer, uint32_t capacity)
{
    struct head h;
    uint64_t at;
    if (!find_message(l, &h, &at))
        return false;
    if (h.bytes > capacity) {
        break_link(l, "a message longer than its kind can be");
        return false;
    }
    if (h.bytes > 0)
        memcpy(buffer, l->in + ((at + sizeof h) & (l->end.capacity - 1)), h.bytes);
    *m = (struct link_message){.kind = h.kind, .bytes = h.bytes};
    l->tail = at + whole(h.bytes);
    l->taken++;
    atomic_store_explicit(&l->mine->tail, l->tail, memory_order_release);
    return true;
}

bool link_has(const struct link *l)
{
    return !l->broken && (l->head_seen != l->tail ||
                          atomic_load_explicit(&l->theirs->head, memory_order_relaxed) != l->tail);
}

/* ---- waking ---- */
void link_ring(struct link *l)
{
    const uint64_t one = 1;
    if (l->broken)
        return;
    atomic_store_explicit(&l->mine->head, l->head, memory_order_seq_cst);
    if (atomic_load_explicit(&l->theirs->asleep, memory_order_seq_cst) == 0)
        return;
    ssize_t put = write(l->end.their_bell, &one, sizeof one);
    (void)put; /* EAGAIN: it has been rung so often that it rings for ever */
}

bool link_sleep(struct link *l)
{
    if (l->broken)
        return true;
    atomic_store_explicit(&l->mine->asleep, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&l->theirs->head, memory_order_seq_cst) == l->tail)
        return true;
    atomic_store_explicit(&l->mine->asleep, 0, memory_order_relaxed);
    return false;
}

void link_awake(struct link *l)
{
    uint64_t rung;
    if (l->mine)
        atomic_store_explicit(&l->mine->asleep, 0, memory_order_relaxed);
    ssize_t got = read(l->end.bell, &rung, sizeof rung);
    (void)got; /* EAGAIN: woken by something else */
}

void link_beat(struct link *l, int64_t mono_ns)
{
    if (l->mine)
        atomic_store_explicit(&l->mine->beat, mono_ns, memory_order_relaxed);
}

int64_t link_their_beat(const struct link *l)
{
    return l->theirs ? atomic_load_explicit(&l->theirs->beat, memory_order_relaxed) : 0;
}
