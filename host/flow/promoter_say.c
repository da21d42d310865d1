/* SPDX-License-Identifier: Apache-2.0
 *
 * What the promoter has put on record. How many facts there are and in which order depends on the
 * document and on its fate alone, never on timing: a run that is repeated gets the same numbers.
 */
#include "flow/promoter_priv.h"
#include <stdio.h>
#include <string.h>
#include "base/must.h"

void promoter_say(struct promoter_job *j, uint16_t type, uint32_t generation, const void *payload)
{
    struct promoter_item *i = promoter_item_new(PROMOTER_FACT);
    i->head.type = type;
    i->head.version = fact_version(type);
    i->head.generation = generation;
    i->head.bytes = fact_bytes(type);
    must(i->head.bytes > 0 && i->head.bytes <= FACT_MAX_BYTES);
    memcpy(i->payload, payload, i->head.bytes);
    promoter_post(j->p, i);
}

void promoter_say_move(struct promoter_job *j, enum promotion_state to, enum promotion_why why,
                       struct result result, const char *text)
{
    struct fact_promotion f = {.serial = j->serial,
                               .from = j->state,
                               .to = to,
                               .why = why,
                               .result = result.code,
                               .wall_ns = j->wall_ns};
    memcpy(f.sha256, j->sha256, sizeof f.sha256);
    snprintf(f.by, sizeof f.by, "%s", j->ask->by);
    text_escape(f.text, sizeof f.text, text, strlen(text)); /* cut with dots when it is longer */
    if (j->offer != NULL)
        f.swaps = j->offer->change.swap_count;
    promoter_say(j, FACT_PROMOTION, 0, &f);
    j->state = to;
}

void promoter_say_text(struct promoter_job *j, enum fact_text_kind kind)
{
    const struct bundle_part *file = &j->ask->bundle->file;
    for (size_t at = 0; at < file->count; at += FACT_PIECE_BYTES) {
        const size_t left = file->count - at;
        const size_t count = left < FACT_PIECE_BYTES ? left : FACT_PIECE_BYTES;
        struct fact_text_piece f = {.kind = kind,
                                    .total = (uint32_t)file->count,
                                    .offset = (uint32_t)at,
                                    .count = (uint32_t)count};
        memcpy(f.sha256, j->sha256, sizeof f.sha256);
        memcpy(f.bytes, file->bytes + at, count);
        promoter_say(j, FACT_TEXT, 0, &f);
    }
}

void promoter_say_signatures(struct promoter_job *j, enum fact_text_kind kind,
                             const struct trust_signed *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct fact_signature f = {
            .serial = j->serial, .role = s[i].role, .kind = kind, .is_hashed = s[i].file.is_hashed};
        memcpy(f.sha256, j->sha256, sizeof f.sha256);
        memcpy(f.key_id, s[i].file.id, sizeof f.key_id);
        memcpy(f.signature, s[i].file.signature, sizeof f.signature);
        memcpy(f.global, s[i].file.global, sizeof f.global);
        snprintf(f.person, sizeof f.person, "%s", s[i].name);
        snprintf(f.comment, sizeof f.comment, "%s", s[i].file.comment);
        promoter_say(j, FACT_SIGNATURE, 0, &f);
    }
}

void promoter_say_stage(struct promoter_job *j, enum fact_stage_what what)
{
    const struct promoter_offer *o = j->offer;
    struct fact_stage f = {.serial = o->serial,
                           .what = what,
                           .rows = o->rows.count,
                           .run_until_ns = o->doc->run_until_ns};
    memcpy(f.sha256, o->sha256, sizeof f.sha256);
    memcpy(f.parent, o->parent, sizeof f.parent);
    memcpy(f.name, o->doc->fact.name, sizeof f.name);
    promoter_say(j, FACT_STAGE, 0, &f);
    j->is_staged = what == FACT_STAGE_BEGIN;
}

void promoter_say_rows(struct promoter_job *j)
{
    for (uint32_t i = 0; i < j->offer->rows.count; i++) {
        const struct stage_row *r = &j->offer->rows.row[i];
        must(fact_bytes((uint16_t)r->type) <= sizeof r->u);
        promoter_say(j, (uint16_t)r->type, r->generation, &r->u);
    }
}

void promoter_people(const struct trust_signed *s, uint32_t count, char *out, size_t bytes)
{
    size_t at = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < count && at < bytes; i++)
        at += (size_t)snprintf(out + at, bytes - at, "%s%s (%s)", i > 0 ? ", " : "", s[i].name,
                               trust_role_name(s[i].role));
}

void promoter_end(struct promoter_job *j, uint32_t kind, const char *sentence)
{
    struct promoter_item *i = promoter_item_new(kind);
    i->news->request = j->ask->request;
    snprintf(i->news->sentence, sizeof i->news->sentence, "%s", sentence);
    if (kind == PROMOTER_OFFERED) {
        i->news->offer = j->offer;
        j->offer = NULL;
    }
    promoter_post(j->p, i);
}

/* Why it ends: what failed, or that nobody wants it any more. False: the host stops, and says no
 * more. */
static bool find_reason(struct promoter_job *j, struct result *r, char text[TRAIL_TEXT_BYTES])
{
    struct promoter *p = j->p;
    pthread_mutex_lock(&p->lock);
    const bool is_abandoned = p->is_abandoned, is_closing = p->is_closing;
    if (is_abandoned) {
        j->why = p->abandon_why;
        snprintf(text, TRAIL_TEXT_BYTES, "%s", p->abandon_text);
        *r = RESULT_OF(STATE);
    }
    pthread_mutex_unlock(&p->lock);
    if (!is_abandoned)
        snprintf(text, TRAIL_TEXT_BYTES, "%s", trail_sentence(&j->tr, *r));
    return is_abandoned || !is_closing;
}

void promoter_refuse(struct promoter_job *j, struct result r)
{
    char text[TRAIL_TEXT_BYTES];
    must(!is_ok(r));
    if (!find_reason(j, &r, text))
        return;
    if (j->is_staged)
        promoter_say_stage(j, FACT_STAGE_DROP);
    promoter_say_move(j, PROMOTION_REFUSED, j->why, r, text);
    struct promoter_item *i = promoter_item_new(PROMOTER_REFUSED);
    i->news->request = j->ask->request;
    i->news->result = r;
    snprintf(i->news->sentence, sizeof i->news->sentence, "%s", text);
    promoter_post(j->p, i);
}
