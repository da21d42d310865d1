/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a document that may become active ends in one offer of builds that answer as those they
 * replace, and in the same records in the same order whatever the timing; any other ends in one
 * REFUSED with its sentence, its records, and nothing changed. Method: the laboratory of
 * promoter_rig.h, whose engine is the test; real keys, files, journal and plugins. How asks end on
 * the way is in promoter_end_test.c.
 */
#include "tests/unit/flow/promoter_rig.h"

static const struct lab_instance TAIL_1[] = {{"main", "tail", "1.0.0", "bars: 20", NULL}};
static const struct lab_instance TAIL_2[] = {{"main", "tail", "1.1.0", "bars: 20", NULL}};
static const struct lab_instance MEMO_1[] = {{"main", "memo", "1.0.0", "", NULL}};
static const struct lab_instance MEMO_2[] = {{"main", "memo", "2.0.0", "", NULL}};
static const struct lab_instance COLD_1[] = {{"main", "cold", "1.0.0", "", NULL}};
static const struct lab_instance COLD_2[] = {{"main", "cold", "1.1.0", "", NULL}};

#define SAID_SIGNED "proposed TEXT SIGNATURE SIGNATURE SIGNATURE"
#define SAID_STAGED SAID_SIGNED " verified approved BEGIN"

/* Hands serial 2 with one strategy over; the offer is left in l->news. */
static struct promoter_offer *offered(struct lab *l, const struct lab_instance *next,
                                      uint32_t count, const char *limit)
{
    lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, next, count, limit));
    assert_true(promoter_is_busy(l->promoter));
    if (lab_run(l) != PROMOTER_OFFERED)
        fail_msg("%s", l->news.sentence);
    assert_false(promoter_is_busy(l->promoter));
    assert_int_equal(l->news.request, 77);
    assert_non_null(l->news.offer);
    return l->news.offer;
}

static void promoter_offers_a_build_that_answers_as_the_old_one(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL_1, 1);
    lab_bars(l, 300);
    l->bars_after_listen = 150;
    struct promoter_offer *o = offered(l, TAIL_2, 1, NULL);
    assert_string_equal(lab_facts(l), SAID_STAGED " INSTANCE LIMIT");
    assert_int_equal(o->serial, 2);
    assert_memory_equal(o->parent, l->doc.fact.sha256, FACT_HASH_BYTES);
    assert_int_equal(o->doc->fact.serial, 2);
    assert_int_equal(o->part.bay_count, 1);
    assert_int_equal(o->warm.seat[0].how, WARM_REPLAY);
    assert_true(o->warm.seat[0].have >= o->warm.seat[0].need);
    assert_int_equal(o->warm.to_seq, l->tap->from_seq);
    assert_true(l->tap->put - o->tap_at <= 32);
    assert_false(o->is_rollback);
    assert_string_equal(o->by, "uid:0");
    assert_non_null(strstr(l->news.sentence, "deployment 2 is verified and approved"));
    assert_true(o->took.vet > 0 && o->took.load > 0 && o->took.warm > 0 && o->took.catch_up > 0);
    lab_adopt(l, o);
    const uint32_t from = l->signal_count;
    lab_bars(l, 500);
    assert_true(lab_twins(l, from) > 30);
    promoter_offer_free(o);
    lab_free(l);
}

static void promoter_puts_everything_signed_on_record(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL_1, 1);
    lab_bars(l, 50);
    struct bundle *b = lab_bundle(l, TAIL_2, 1, NULL);
    char *text = strdup(b->file.bytes);
    lab_ask(l, PROMOTER_DEPLOYMENT, b);
    assert_int_equal(lab_run(l), PROMOTER_OFFERED);
    /* The pieces give the text again. */
    size_t at = 0;
    for (uint32_t i = 0; lab_fact(l, FACT_TEXT, i) != NULL; i++) {
        const struct fact_text_piece *p = &lab_fact(l, FACT_TEXT, i)->u.fact_text_piece;
        assert_int_equal(p->kind, FACT_TEXT_DEPLOYMENT);
        assert_int_equal(p->total, strlen(text));
        assert_int_equal(p->offset, at);
        assert_memory_equal(p->bytes, text + at, p->count);
        assert_memory_equal(p->sha256, l->news.offer->sha256, FACT_HASH_BYTES);
        at += p->count;
    }
    assert_int_equal(at, strlen(text));
    /* A signature can be verified again from its record alone. */
    static const char *const who[] = {"ana", "bo", "eve"};
    static const uint32_t role[] = {TRUST_AUTHOR, TRUST_OPERATOR, TRUST_RISK};
    for (uint32_t i = 0; i < 3; i++) {
        const struct fact_signature *s = &lab_fact(l, FACT_SIGNATURE, i)->u.fact_signature;
        struct sign_file f = {.is_hashed = s->is_hashed};
        assert_string_equal(s->person, who[i]);
        assert_int_equal(s->role, role[i]);
        assert_int_equal(s->serial, 2);
        memcpy(f.id, s->key_id, sizeof f.id);
        memcpy(f.signature, s->signature, sizeof f.signature);
        memcpy(f.global, s->global, sizeof f.global);
        memcpy(f.comment, s->comment, sizeof f.comment);
        LAB_OK(l, sign_verify(&f, sign_secret_public(people_secret[i]), text, strlen(text),
                              "record", &l->tr));
    }
    static const uint32_t move[][2] = {{PROMOTION_DRAFT, PROMOTION_PROPOSED},
                                       {PROMOTION_PROPOSED, PROMOTION_VERIFIED},
                                       {PROMOTION_VERIFIED, PROMOTION_APPROVED}};
    for (uint32_t i = 0; i < 3; i++) {
        const struct fact_promotion *p = &lab_fact(l, FACT_PROMOTION, i)->u.fact_promotion;
        assert_int_equal(p->from, move[i][0]);
        assert_int_equal(p->to, move[i][1]);
        assert_int_equal(p->serial, 2);
        assert_true(p->wall_ns == lab_wall(NULL));
        assert_string_equal(p->by, "uid:0");
    }
    const struct fact_view *row = lab_fact(l, FACT_INSTANCE, 0);
    assert_int_equal(row->head.generation, 2);
    assert_int_equal(row->u.fact_instance.id, 1);
    assert_int_equal(row->u.fact_instance.kind, TN_KIND_STRATEGY);
    assert_string_equal(row->u.fact_instance.version, "1.1.0");
    assert_int_equal(lab_fact(l, FACT_STAGE, 0)->u.fact_stage.rows, l->news.offer->rows.count);
    free(text);
    promoter_offer_free(l->news.offer);
    lab_free(l);
}

/* The same document and market, once with time to spare and once with a market that goes on. */
static void promoter_records_do_not_depend_on_timing(void **state)
{
    (void)state;
    char said[2][8192];
    uint32_t count[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct lab *l = lab_new(MEMO_1, 1);
        lab_bars(l, 100);
        l->bars_after_listen = i * 700;
        promoter_offer_free(offered(l, MEMO_2, 1, NULL));
        snprintf(said[i], sizeof said[i], "%s", lab_facts(l));
        count[i] = l->fact_count;
        lab_free(l);
    }
    assert_string_equal(said[0], said[1]);
    assert_int_equal(count[0], count[1]);
}

static void promoter_hands_state_over_to_a_newer_schema(void **state)
{
    (void)state;
    struct lab *l = lab_new(MEMO_1, 1);
    lab_bars(l, 6000); /* more than a replay shows */
    l->bars_after_listen = 100;
    l->owned.positions = 1; /* with state it may swap whatever it holds */
    struct promoter_offer *o = offered(l, MEMO_2, 1, NULL);
    assert_int_equal(o->warm.seat[0].how, WARM_STATE);
    assert_int_equal(lab_fact(l, FACT_INSTANCE, 0)->u.fact_instance.kind, TN_KIND_STRATEGY);
    /* Whose state it began with, for belief replay. */
    const struct fact_view *w = lab_fact(l, FACT_PLUGIN, 0);
    assert_int_equal(w->head.generation, 2);
    assert_int_equal(w->u.fact_plugin.what, FACT_PLUGIN_WARM);
    assert_int_equal(w->u.fact_plugin.instance, 1);
    assert_int_equal(w->u.fact_plugin.from_seq, l->tap->from_seq);
    assert_int_equal(w->u.fact_plugin.to_seq, 1);
    lab_adopt(l, o);
    const uint32_t from = l->signal_count;
    for (uint32_t i = 0; i < 20; i++) { /* through the mean of all, and back */
        l->close = i % 2 ? 55000 : 145000;
        lab_bars(l, 3);
    }
    assert_true(lab_twins(l, from) >= 19);
    promoter_offer_free(o);
    lab_free(l);
}

/* State that does not fit makes it a cold swap: only while nothing is held. */
static void promoter_state_that_does_not_fit_swaps_only_when_flat(void **state)
{
    (void)state;
    static const struct {
        struct lab_instance old, next;
        const char *words;
    } row[] = {
        {{"main", "memo", "2.0.0", "", NULL},
         {"main", "memo", "1.0.0", "", NULL}, /* the state would be of a newer schema */
         "strategy main: the new build starts cold (the state of main has schema 2, and memo "
         "1.0.0 reads 1 to 1), and it holds 2 working orders, 0 stops and 1 positions; flatten "
         "it first"},
        {{"main", "memo", "1.0.0", "", NULL},
         {"main", "memo", "3.0.0", "", NULL},
         "has schema 1, and memo 3.0.0 reads 3 to 3"},
        {{"main", "memo", "1.0.0", "", NULL},
         {"main", "memo", "2.0.0", "target_ppm: 400000", NULL},
         "does not fit"},
        {{"main", "cold", "1.0.0", "", NULL},
         {"main", "cold", "1.1.0", "", NULL},
         "the new build starts cold (a part of it has neither state nor warm-up)"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct lab *l = lab_new(&row[i].old, 1);
        lab_bars(l, 60);
        l->owned = (struct core_owned){.orders = 2, .positions = 1};
        lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, &row[i].next, 1, NULL));
        lab_refused(l, RESULT_STATE, PROMOTION_WHY_STATE, row[i].words);
        assert_string_equal(lab_facts(l), SAID_SIGNED " refused");
        l->owned = (struct core_owned){0};
        l->fact_count = 0;
        struct promoter_offer *o = offered(l, &row[i].next, 1, NULL);
        assert_int_equal(o->warm.seat[0].how, WARM_COLD);
        assert_int_equal(lab_fact(l, FACT_INSTANCE, 0)->u.fact_instance.kind,
                         TN_KIND_STRATEGY | FACT_COLD);
        assert_int_equal(o->part.instance[0].kind, TN_KIND_STRATEGY);
        promoter_offer_free(o);
        lab_free(l);
    }
}

static void promoter_warmup_longer_than_history_is_refused(void **state)
{
    (void)state;
    static const struct lab_instance longer[] = {{"main", "tail", "1.1.0", "bars: 60", NULL}};
    static const struct lab_instance added[] = {{"main", "tail", "1.0.0", "bars: 20", NULL},
                                                {"other", "tail", "1.1.0", "bars: 60", NULL}};
    struct lab *l = lab_new(TAIL_1, 1);
    lab_bars(l, 50);
    lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, longer, 1, NULL));
    lab_refused(l, RESULT_STATE, PROMOTION_WHY_CHECK,
                "instance main: its warm-up is longer than the history: it needs 61 bars or events "
                "before its first answer and the journal has 50");
    assert_string_equal(lab_facts(l), SAID_SIGNED " refused");
    /* A strategy that is new has nobody's state, either. */
    lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, added, 2, NULL));
    lab_refused(l, RESULT_STATE, PROMOTION_WHY_CHECK, "instance other: its warm-up is longer");
    lab_bars(l, 11);
    struct promoter_offer *o = offered(l, added, 2, NULL);
    assert_int_equal(o->part.bay_count, 1); /* main goes on as it is */
    assert_int_equal(o->warm.seat[0].strategy, 2);
    promoter_offer_free(o);
    lab_free(l);
}

/* Replay would be first choice; the history is too short, and the running build can tell. */
static void promoter_state_is_the_second_choice_of_a_short_history(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL_1, 1);
    lab_bars(l, 12);
    struct promoter_offer *o = offered(l, TAIL_2, 1, NULL);
    assert_int_equal(o->warm.seat[0].how, WARM_STATE);
    assert_int_equal(o->warm.seat[0].have, 12);
    lab_adopt(l, o);
    const uint32_t from = l->signal_count;
    lab_bars(l, 200);
    assert_true(lab_twins(l, from) > 10);
    promoter_offer_free(o);
    lab_free(l);
}

static void promoter_limits_only_swaps_nothing(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL_1, 1);
    lab_bars(l, 5); /* too few for any warm-up, which nobody needs */
    struct promoter_offer *o = offered(l, TAIL_1, 1, "900");
    assert_int_equal(o->part.bay_count, 0);
    assert_int_equal(o->change.swap_count, 0);
    assert_string_equal(lab_facts(l), SAID_STAGED " LIMIT");
    lab_adopt(l, o);
    assert_int_equal(belief_count(l->plant.belief), 1);
    promoter_offer_free(o);
    lab_free(l);
}

static void promoter_makes_the_way_back_ready(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL_1, 1);
    lab_bars(l, 60);
    struct promoter_offer *o = offered(l, TAIL_2, 1, "900");
    assert_non_null(o->back.text);
    assert_int_equal(o->back.doc->fact.serial, 3);
    assert_int_equal(o->back.doc->rollback_of, 2);
    assert_memory_equal(o->back.doc->parent, o->sha256, FACT_HASH_BYTES);
    bool is_found = false;
    for (uint32_t i = 0; i < o->back.rows.count; i++) {
        const struct stage_row *r = &o->back.rows.row[i];
        if (r->type != FACT_INSTANCE)
            continue;
        is_found = true;
        assert_int_equal(r->generation, 1); /* the build that ran before */
        assert_string_equal(r->u.instance.version, "1.0.0");
        assert_memory_equal(r->u.instance.sha256, l->plant.instance[0].sha256, FACT_HASH_BYTES);
    }
    assert_true(is_found);
    promoter_offer_free(o);
    lab_free(l);
}

/* Its builds do not run any more: the derived text goes the same road, without signatures. */
static void promoter_rollback_builds_anew_without_signatures(void **state)
{
    (void)state;
    struct lab *l = lab_new(TAIL_1, 1);
    lab_bars(l, 10); /* shorter than its warm-up: it brings back what ran before */
    char *text = lab_text(2, l->doc.fact.sha256, TAIL_2, 1, NULL);
    struct bundle *b = people_bundle("rollback-2.yaml", text);
    free(text);
    lab_ask(l, PROMOTER_ROLLBACK, b);
    if (lab_run(l) != PROMOTER_OFFERED)
        fail_msg("%s", l->news.sentence);
    assert_string_equal(lab_facts(l),
                        "proposed TEXT PLUGIN verified approved BEGIN INSTANCE LIMIT");
    assert_true(l->news.offer->is_rollback);
    assert_null(l->news.offer->back.text);
    assert_int_equal(l->news.offer->part.bay_count, 1);
    promoter_offer_free(l->news.offer);
    lab_free(l);
}

/* ---- refused ---- */

static void refuse_bundle(struct bundle *(*make)(struct lab *), const struct lab_instance *old,
                          int32_t code, enum promotion_why why, const char *words, const char *said)
{
    struct lab *l = lab_new(old, 1);
    lab_bars(l, 60);
    lab_ask(l, PROMOTER_DEPLOYMENT, make(l));
    lab_refused(l, code, why, words);
    assert_string_equal(lab_facts(l), said);
    const uint32_t from = l->signal_count;
    lab_bars(l, 100); /* and the running build goes on, alone */
    assert_true(l->signal_count > from || old == COLD_1);
    assert_int_equal(belief_count(l->plant.belief), 1);
    lab_free(l);
}

static struct bundle *unsigned_one(struct lab *l)
{
    char *text = lab_text(2, l->doc.fact.sha256, TAIL_2, 1, NULL);
    struct bundle *b = people_bundle("lab-2.yaml", text);
    free(text);
    return b;
}

static struct bundle *altered_one(struct lab *l)
{
    struct bundle *b = lab_bundle(l, TAIL_2, 1, NULL);
    b->file.bytes[b->file.count / 2] ^= 1;
    return b;
}

static struct bundle *without_risk(struct lab *l)
{
    char *text = lab_text(2, l->doc.fact.sha256, TAIL_2, 1, "2000");
    struct bundle *b = people_bundle("lab-2.yaml", text);
    free(text);
    people_sign(b, ANA, "author", "deployment");
    people_sign(b, BO, "operator", "deployment");
    return b;
}

static struct bundle *of_wrong_pin(struct lab *l)
{
    char hex[HASH_HEX_BYTES], *at;
    struct bundle *b = lab_bundle(l, TAIL_2, 1, NULL);
    lab_pin(&TAIL_2[0], hex);
    at = strstr(b->file.bytes, hex);
    assert_non_null(at);
    at[7] = at[7] == 'a' ? 'b' : 'a';
    for (uint32_t i = 0; i < b->signature_count; i++)
        free(b->signature[i].bytes);
    memset(b->signature, 0, sizeof b->signature);
    b->signature_count = 0;
    people_sign(b, ANA, "author", "deployment");
    people_sign(b, BO, "operator", "deployment");
    people_sign(b, EVE, "risk", "deployment");
    return b;
}

static struct bundle *of_param_out_of_range(struct lab *l)
{
    static const struct lab_instance next[] = {{"main", "tail", "1.1.0", "bars: 61", NULL}};
    return lab_bundle(l, next, 1, NULL);
}

static struct bundle *of_a_faulty_build(struct lab *l)
{
    static const struct lab_instance next[] = {
        {"main", "tail", "1.0.0", "bars: 20", NULL},
        {"bad", "broken_str", "1.0.0", "mode: 1, at: 40", TENON_BINARY_DIR "/abi"}};
    return lab_bundle(l, next, 2, NULL);
}

static struct bundle *of_one_that_leaves(struct lab *l)
{
    static const struct lab_instance next[] = {{"other", "tail", "1.0.0", "bars: 20", NULL}};
    l->owned.stops = 1;
    return lab_bundle(l, next, 1, NULL);
}

static void promoter_refuses_whole_with_a_sentence_and_a_record(void **state)
{
    (void)state;
    /* Nothing of a file that is not signed is kept but its hash. */
    refuse_bundle(unsigned_one, TAIL_1, RESULT_SIGNATURE, PROMOTION_WHY_CHECK, "is not signed",
                  "proposed refused");
    refuse_bundle(altered_one, TAIL_1, RESULT_SIGNATURE, PROMOTION_WHY_CHECK, "lab-2.yaml",
                  "proposed refused");
    refuse_bundle(without_risk, TAIL_1, RESULT_APPROVAL, PROMOTION_WHY_CHECK,
                  "approvals are missing: risk 1", "proposed TEXT SIGNATURE SIGNATURE refused");
    refuse_bundle(of_wrong_pin, TAIL_1, RESULT_CONFIG, PROMOTION_WHY_CHECK, "not the pinned",
                  SAID_SIGNED " refused");
    refuse_bundle(of_param_out_of_range, TAIL_1, RESULT_CONFIG, PROMOTION_WHY_CHECK, "bars",
                  SAID_SIGNED " refused");
    refuse_bundle(of_a_faulty_build, TAIL_1, RESULT_PLUGIN, PROMOTION_WHY_FAULT,
                  "instance bad (broken_str 1.0.0): broke its contract while it was warmed",
                  SAID_SIGNED " refused");
    refuse_bundle(of_one_that_leaves, TAIL_1, RESULT_STATE, PROMOTION_WHY_STATE,
                  "strategy main leaves with 0 working orders, 1 stops and 0 positions",
                  SAID_SIGNED " refused");
}

static void promoter_takes_one_ask_at_a_time(void **state)
{
    (void)state;
    struct lab *l = lab_new(COLD_1, 1);
    struct promoter_ask *second = calloc(1, sizeof *second);
    lab_bars(l, 10);
    lab_ask(l, PROMOTER_DEPLOYMENT, lab_bundle(l, COLD_2, 1, NULL));
    second->bundle = people_bundle("x.yaml", "x");
    assert_int_equal(promoter_submit(l->promoter, second, &l->tr).code, RESULT_BUSY);
    promoter_ask_free(second); /* it stayed ours */
    promoter_ask_free(NULL);
    promoter_offer_free(NULL);
    assert_int_equal(lab_run(l), PROMOTER_OFFERED);
    promoter_offer_free(l->news.offer);
    lab_free(l);
}

/* ---- the other papers ---- */

static struct bundle *next_trust(const struct lab *l, bool by_root)
{
    char hex[HASH_HEX_BYTES], form[2048];
    hash_hex(l->trust.sha256, hex);
    snprintf(form, sizeof form,
             "schema: 1\nkind: trust\nhost: lab\nversion: 2\nparent: \"%s\"\n"
             "thresholds: {root: 1, author: 1, operator: 1, risk: 1, request: 2}\n" PEOPLE_LIST
             "revoked: [\"$OLD\"]\n",
             hex);
    char *text = people_fill(form);
    struct bundle *b = people_bundle("trust-2.yaml", text);
    free(text);
    if (by_root)
        people_sign(b, BO, "root", "trust");
    return b;
}

static void promoter_takes_the_next_trust_document(void **state)
{
    (void)state;
    struct lab *l = lab_new(COLD_1, 1);
    lab_ask(l, PROMOTER_TRUST, next_trust(l, true));
    assert_int_equal(lab_run(l), PROMOTER_DONE);
    assert_string_equal(lab_facts(l), "TEXT SIGNATURE TRUST");
    assert_string_equal(l->news.sentence,
                        "trust document 2 of 3 people is in force, signed by bo (root)");
    const struct fact_trust *t = &lab_fact(l, FACT_TRUST, 0)->u.fact_trust;
    assert_int_equal(t->version, 2);
    assert_int_equal(t->people, 3);
    assert_int_equal(t->throwaway, 0);
    assert_int_equal(lab_fact(l, FACT_TEXT, 0)->u.fact_text_piece.kind, FACT_TEXT_TRUST);
    assert_memory_equal(lab_fact(l, FACT_TEXT, 0)->u.fact_text_piece.sha256, t->sha256,
                        FACT_HASH_BYTES);
    l->fact_count = 0;
    lab_ask(l, PROMOTER_TRUST, next_trust(l, false));
    lab_refused(l, RESULT_SIGNATURE, PROMOTION_WHY_CHECK, "trust-2.yaml: is not signed");
    assert_string_equal(lab_facts(l), "refused");
    assert_int_equal(lab_fact(l, FACT_PROMOTION, 0)->u.fact_promotion.from, PROMOTION_DRAFT);
    assert_int_equal(lab_fact(l, FACT_PROMOTION, 0)->u.fact_promotion.serial, 2);
    lab_free(l);
}

static struct bundle *request_of(const char *scope)
{
    char text[512];
    snprintf(text, sizeof text,
             "schema: 1\nkind: request\nhost: lab\nwish: resume\nscope: %s\nto: active\n"
             "reason: \"cause found\"\ncreated: 2017-07-14T03:00:00Z\n"
             "expires: 2017-07-14T04:00:00Z\nnonce: \"0123456789abcdef\"\n",
             scope);
    struct bundle *b = people_bundle("request.yaml", text);
    people_sign(b, BO, "risk", "request");
    people_sign(b, EVE, "operator", "request");
    return b;
}

static void promoter_counts_a_request_once(void **state)
{
    (void)state;
    struct lab *l = lab_new(COLD_1, 1);
    lab_ask(l, PROMOTER_REQUEST, request_of("strategy:main"));
    if (lab_run(l) != PROMOTER_DONE)
        fail_msg("%s", l->news.sentence);
    assert_string_equal(lab_facts(l), "TEXT SIGNATURE SIGNATURE REQUEST");
    const struct fact_request *q = &lab_fact(l, FACT_REQUEST, 0)->u.fact_request;
    assert_int_equal(q->scope, MODE_SCOPE_STRATEGY);
    assert_int_equal(q->id, 1);
    assert_int_equal(q->mode, MODE_ACTIVE);
    assert_int_equal(q->people, 2);
    assert_string_equal(q->by, "bo, eve");
    assert_string_equal(q->reason, "cause found");
    l->fact_count = 0;
    lab_ask(l, PROMOTER_REQUEST, request_of("strategy:nobody"));
    lab_refused(l, RESULT_UNKNOWN_NAME, PROMOTION_WHY_CHECK, "this host has no strategy nobody");
    assert_string_equal(lab_facts(l), "refused");
    struct promoter_ask *a = calloc(1, sizeof *a);
    a->kind = PROMOTER_REQUEST;
    a->request = 77;
    a->bundle = request_of("global");
    a->trust = l->trust;
    a->is_used = true;
    snprintf(a->host, sizeof a->host, "lab");
    LAB_OK(l, promoter_submit(l->promoter, a, &l->tr));
    l->fact_count = 0;
    lab_refused(l, RESULT_STATE, PROMOTION_WHY_CHECK, "was used before");
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promoter_offers_a_build_that_answers_as_the_old_one),
        cmocka_unit_test(promoter_puts_everything_signed_on_record),
        cmocka_unit_test(promoter_records_do_not_depend_on_timing),
        cmocka_unit_test(promoter_hands_state_over_to_a_newer_schema),
        cmocka_unit_test(promoter_state_that_does_not_fit_swaps_only_when_flat),
        cmocka_unit_test(promoter_warmup_longer_than_history_is_refused),
        cmocka_unit_test(promoter_state_is_the_second_choice_of_a_short_history),
        cmocka_unit_test(promoter_limits_only_swaps_nothing),
        cmocka_unit_test(promoter_makes_the_way_back_ready),
        cmocka_unit_test(promoter_rollback_builds_anew_without_signatures),
        cmocka_unit_test(promoter_refuses_whole_with_a_sentence_and_a_record),
        cmocka_unit_test(promoter_takes_one_ask_at_a_time),
        cmocka_unit_test(promoter_takes_the_next_trust_document),
        cmocka_unit_test(promoter_counts_a_request_once),
    };
    return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
