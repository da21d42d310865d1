/* SPDX-License-Identifier: Apache-2.0
 *
 * Cards T50-T55: saved state is exact, complete, small enough, and hostile bytes do no harm.
 * "Unchanged" is tested by saving again: a state is what the plugin itself says it is, and T51
 * tests that this is all it needs.
 */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/must.h"
#include "bays/cards_priv.h"
#include "bays/guard.h"

enum { WARM = 5000, RANDOM_BYTES = 1024 * 1024, CUTS_MAX = 4096, FLIPS_MAX = 16384 };

static void *need(size_t bytes)
{
    void *p = calloc(bytes > 0 ? bytes : 1, 1);
    must(p != NULL);
    return p;
}

/* A warm instance and its state; says FAIL and gives -1 when it cannot be saved. */
static int64_t warm_state(struct cards_case *c, struct rig *r, const struct feed_market *f,
                          uint8_t **bytes)
{
    if (!cards_start(c, r, f))
        return -1;
    rig_feed(r, f, 0, WARM, 16);
    rig_forget(r);
    *bytes = need(c->manifest->state_max_bytes);
    int64_t count = rig_save(r, *bytes, 0);
    if (count < 0)
        CARD_FAIL("state_save failed or wrote more than the declared %u bytes",
                  c->manifest->state_max_bytes);
    return count;
}

/* A fresh instance that has loaded the state; false when that was said to fail. */
static bool load_twin(struct cards_case *c, struct rig *twin, const struct feed_market *f,
                      const void *bytes, size_t count, size_t step)
{
    rig_init(twin, c->module, f);
    int32_t status = rig_create(twin);
    if (status == TN_OK)
        status = rig_load(twin, c->manifest->state_schema, bytes, count, step);
    if (status == TN_OK)
        status = rig_activate(twin);
    if (status != TN_OK)
        CARD_FAIL("its own state is not loaded by a fresh instance: status %d", status);
    return status == TN_OK;
}

void cards_t50(struct cards_case *c)
{
    struct feed_market f;
    struct rig r, twin;
    uint8_t *bytes;
    cards_market(c, &f, WARM);
    int64_t count = warm_state(c, &r, &f, &bytes);
    if (count < 0 || !load_twin(c, &twin, &f, bytes, (size_t)count, 0))
        return;
    uint8_t *again = need(c->manifest->state_max_bytes);
    int64_t count2 = rig_save(&twin, again, 0);
    if (count2 != count || memcmp(bytes, again, (size_t)count) != 0)
        CARD_FAIL("save, load, save gives other bytes (%lld and %lld)", (long long)count,
                  (long long)count2);
    else
        CARD_PASS("save, load, save gives the same %lld bytes", (long long)count);
}

void cards_t51(struct cards_case *c)
{
    struct feed_market f;
    struct rig r, twin;
    uint8_t *bytes;
    cards_market(c, &f, WARM + CARDS_LONG_EVENTS);
    int64_t count = warm_state(c, &r, &f, &bytes);
    if (count < 0 || !load_twin(c, &twin, &f, bytes, (size_t)count, 0))
        return;
    rig_feed(&r, &f, WARM, f.count, 64);
    rig_feed(&twin, &f, WARM, f.count, 64);
    if (rig_same(&r, &twin))
        CARD_PASS("the next %d events after a load equal an uninterrupted run", CARDS_LONG_EVENTS);
    else
        CARD_FAIL("after a load its answers differ from an uninterrupted run");
}

void cards_t52(struct cards_case *c)
{
    struct feed_market f;
    struct rig r, twin;
    uint8_t *bytes;
    cards_market(c, &f, WARM);
    int64_t count = warm_state(c, &r, &f, &bytes);
    uint8_t *again = need(c->manifest->state_max_bytes);
    for (size_t step = 1; step <= 23 && count >= 0; step++) {
        if (rig_save(&r, again, step) != count || memcmp(bytes, again, (size_t)count) != 0) {
            CARD_FAIL("a stream that takes %zu bytes a call gets another state", step);
            return;
        }
        if (!load_twin(c, &twin, &f, bytes, (size_t)count, step))
            return;
        if (rig_save(&twin, again, 0) != count || memcmp(bytes, again, (size_t)count) != 0) {
            CARD_FAIL("a stream that gives %zu bytes a call is read wrongly", step);
            return;
        }
        rig_end(&twin);
        rig_fini(&twin);
    }
    if (count >= 0)
        CARD_PASS("streams of 1 to 23 bytes a call carry the same state");
}

/* ---- T53 ---- */

struct hostile {
    struct cards_case *c;
    struct rig rig;
    const struct feed_market *market;
    uint8_t *before, *after;
    int64_t before_count;
    uint32_t taken, odd; /* loads that were accepted; of them, with impossible answers after */
};

/* Loads bad bytes into a running instance; false when a rule was broken (then it is said). */
static bool try_bytes(struct hostile *h, const void *bytes, size_t count, const char *what,
                      size_t n, bool must_fail)
{
    struct cards_case *c = h->c;
    int32_t status = rig_load(&h->rig, c->manifest->state_schema, bytes, count, 0);
    if (!guard_status_known(status)) {
        CARD_FAIL("%s %zu gave unknown status %d", what, n, status);
        return false;
    }
    if (status == TN_OK && must_fail) {
        CARD_FAIL("%s %zu was taken for a good state", what, n);
        return false;
    }
    if (status != TN_OK) {
        int64_t now = rig_save(&h->rig, h->after, 0);
        if (now == h->before_count && memcmp(h->before, h->after, (size_t)now) == 0)
            return true;
        CARD_FAIL("%s %zu was refused (status %d) but changed the instance", what, n, status);
        return false;
    }
    h->taken++;
    rig_feed(&h->rig, h->market, 0, 64, 16);
    h->odd += h->rig.broken != NULL;
    h->rig.broken = NULL;
    rig_forget(&h->rig);
    h->before_count = rig_save(&h->rig, h->before, 0);
    return true;
}

static bool try_cuts(struct hostile *h, const uint8_t *bytes, size_t count)
{
    size_t step = count / CUTS_MAX + 1;
    for (size_t n = 0; n < count; n += step) {
        if (!try_bytes(h, bytes, n, "state cut to", n, true))
            return false;
    }
    return true;
}

static bool try_flips(struct hostile *h, uint8_t *bytes, size_t count)
{
    size_t step = count * 8 / FLIPS_MAX + 1;
    for (size_t bit = 0; bit < count * 8; bit += step) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool fine = try_bytes(h, bytes, count, "state with flipped bit", bit, false);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (!fine)
            return false;
    }
    return true;
}

static bool try_random(struct hostile *h)
{
    uint8_t *noise = need(RANDOM_BYTES);
    struct rng rng;
    bool fine = true;
    for (uint64_t seed = 1; seed <= 3 && fine; seed++) {
        rng_seed(&rng, seed);
        for (size_t i = 0; i < RANDOM_BYTES; i += 8) {
            uint64_t v = rng_next(&rng);
            memcpy(noise + i, &v, 8);
        }
        fine = try_bytes(h, noise, RANDOM_BYTES, "a megabyte of noise, seed", seed, true);
    }
    free(noise);
    return fine;
}

void cards_t53(struct cards_case *c)
{
    struct feed_market f;
    uint8_t *bytes;
    struct hostile h = {.c = c, .market = &f};
    cards_market(c, &f, WARM);
    int64_t count = warm_state(c, &h.rig, &f, &bytes);
    if (count < 0)
        return;
    h.before = need(c->manifest->state_max_bytes);
    h.after = need(c->manifest->state_max_bytes);
    h.before_count = rig_save(&h.rig, h.before, 0);
    if (!try_cuts(&h, bytes, (size_t)count) || !try_flips(&h, bytes, (size_t)count) ||
        !try_random(&h))
        return;
    if (h.odd > 0)
        CARD_WARN("%u of %u flipped bits that were taken give answers out of range later", h.odd,
                  h.taken);
    else
        CARD_PASS("cut, flipped and random state: refused or harmless (%u flips taken)", h.taken);
}

void cards_t54(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    uint8_t *bytes;
    const struct tn_manifest *m = c->manifest;
    cards_market(c, &f, WARM);
    int64_t count = warm_state(c, &r, &f, &bytes);
    if (count < 0)
        return;
    uint8_t *again = need(m->state_max_bytes);
    int32_t status = rig_load(&r, m->state_schema + 1, bytes, (size_t)count, 0);
    int64_t now = rig_save(&r, again, 0);
    if (status != TN_E_SCHEMA)
        CARD_FAIL("state of newer schema %u gave status %d, not TN_E_SCHEMA", m->state_schema + 1,
                  status);
    else if (now != count || memcmp(bytes, again, (size_t)count) != 0)
        CARD_FAIL("a newer schema was refused but changed the instance");
    else if (m->state_schema_oldest < m->state_schema)
        CARD_WARN("newer schema refused; schemas %u to %u are declared readable, without fixtures",
                  m->state_schema_oldest, m->state_schema - 1);
    else
        CARD_PASS("newer schema refused without effect; no older one is declared");
}

void cards_t55(struct cards_case *c)
{
    struct feed_market f;
    struct rig quiet, saved;
    uint8_t *bytes;
    cards_market(c, &f, 2 * WARM);
    int64_t count = warm_state(c, &saved, &f, &bytes);
    if (count < 0 || !cards_start(c, &quiet, &f))
        return;
    rig_feed(&quiet, &f, 0, WARM, 16);
    rig_forget(&quiet);
    int64_t most = count;
    for (uint32_t at = WARM; at < f.count; at += 250) {
        int64_t n = rig_save(&saved, bytes, 0);
        if (n < 0) {
            CARD_FAIL("state_save after %u events failed or wrote too much", at);
            return;
        }
        most = n > most ? n : most;
        rig_feed(&saved, &f, at, at + 250, 16);
        rig_feed(&quiet, &f, at, at + 250, 16);
    }
    if (!rig_same(&quiet, &saved))
        CARD_FAIL("saving state changes later answers");
    else
        CARD_PASS("at most %lld of %u declared bytes; saving changes nothing", (long long)most,
                  c->manifest->state_max_bytes);
}
