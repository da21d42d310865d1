/* SPDX-License-Identifier: Apache-2.0
 *
 * The story of an order, read from the journal: what explain and risk why tell.
 *
 * story_read walks the journal once from its first to its last record (read-only, beside a running
 * host) and keeps what belongs to the orders asked for; signals, causes and bars, which lie before
 * them, are then fetched by number. Everything that is told is a record or arithmetic on records;
 * the deployment file and the plugins are not needed. Definitions (instruments, limits, plugins)
 * are taken as they were at the moment of the decision.
 *
 * One thread; heap. All views stay valid until story_free.
 */
#ifndef TENON_STORY_H
#define TENON_STORY_H
#include <jansson.h>
#include <stdio.h>
#include "flow/bars.h"
#include "gateway/json_facts.h"
#include "journal/journal.h"
#include "tenon/abi.h"

enum { STORY_ORDERS_MAX = 256, STORY_COLUMNS = 100, STORY_SIGNERS_MAX = 16 };

struct story_list {
    struct fact_view *row;
    uint32_t count, room;
};
void story_list_add(struct story_list *l, const struct fact_head *head, const void *payload);

/* ---- definitions, as they were after event `upto` (story_names.c) ---- */
bool story_is_name(uint16_t type);
struct story_stage { /* rows of a promotion that is not active yet */
    bool is_open;
    uint8_t sha256[FACT_HASH_BYTES];
    struct story_list rows;
    uint64_t deploy_seq;   /* of the last DEPLOY ... */
    uint32_t count_before; /* ... and how many names there were before it */
};
/* Any record, in order: keeps it when it is a definition. */
void story_names_take(struct story_list *names, struct story_stage *g, const struct fact_view *v);
/* The instance's row of this generation: whose signals bear it. */
const struct fact_view *story_build(const struct story_list *names, uint32_t instance,
                                    uint32_t generation, uint64_t upto);
/* The n-th signature over the document with this hash, from 0; NULL past the last. */
const struct fact_signature *story_signature(const struct story_list *names,
                                             const uint8_t sha256[FACT_HASH_BYTES], uint32_t n);
/* The last fact of a type whose first member is this id; NULL = none. */
const struct fact_view *story_name(const struct story_list *names, uint16_t type, uint32_t id,
                                   uint64_t upto);
const struct fact_view *story_last(const struct story_list *names, uint16_t type, uint64_t upto);
const struct fact_input *story_input(const struct story_list *names, uint32_t instance,
                                     uint32_t generation, uint32_t input, uint64_t upto);
const struct fact_route *story_route(const struct story_list *names, uint32_t strategy,
                                     uint32_t instrument, uint64_t upto);
/* The tightest row that sets a rule's limit; NULL = the built-in default holds. */
const struct fact_limit *story_limit(const struct story_list *names, uint32_t rule,
                                     uint32_t strategy, uint32_t instrument, uint64_t upto);

/* What one decision was about, in words and exponents; never NULL members. */
struct story_scope {
    uint64_t upto;
    uint32_t origin; /* enum fact_origin of the intent; 0 = none */
    const struct fact_deploy *deploy;
    const struct fact_instrument *instrument;
    const struct fact_account *account;
    const struct fact_instance *strategy;
    const struct fact_currency *money, *settle;
    uint32_t generation; /* of the build whose inputs these are */
    const char *input[TN_MAX_INPUTS];
    uint32_t rule_line[RISK_RULE_END];
    const char *signer[STORY_SIGNERS_MAX]; /* of the deployment in force, each person once */
    uint32_t signer_count;
    struct json_facts_names json; /* the same for the JSON writers */
};
/* NOT_FOUND when a definition is not in the journal (it was pruned). */
MUST_USE struct result story_scope(const struct story_list *names, uint64_t upto, uint32_t strategy,
                                   uint32_t instrument, uint32_t account, struct story_scope *out,
                                   struct trail *tr);

/* The inputs of another build than the one in force: whose signal it was. */
void story_scope_build(const struct story_list *names, uint32_t generation, struct story_scope *s);

/* ---- denials, as they pass (story_denials.c) ---- */
struct story_seen { /* decisions with the same strategy and the same codes */
    uint32_t strategy, denied_by, cut_by;
    uint64_t count;
    int64_t first_ns, last_ns;
};
struct story_book { /* per strategy and instrument: since when each rule has said no */
    uint32_t strategy, instrument;
    int64_t since_ns[RISK_RULE_END];
};
struct story_denials {
    struct story_seen *seen;
    struct story_book *book;
    uint32_t seen_count, seen_room, book_count, book_room;
};
void story_denials_take(struct story_denials *d, const struct fact_head *head,
                        const struct fact_decision *f);
/* Both of a decision that was taken. */
const struct story_book *story_denials_book(const struct story_denials *d,
                                            const struct fact_decision *f);
const struct story_seen *story_denials_seen(const struct story_denials *d,
                                            const struct fact_decision *f);
void story_denials_free(struct story_denials *d);

/* ---- the story ---- */
struct story_order { /* head.type 0 of a view: there is none */
    uint64_t id;
    struct fact_view intent, decision, send;
    struct fact_view signal;  /* the belief behind it */
    struct fact_view cause;   /* what the signal answers, or what made the intent */
    struct fact_view made;    /* the event in whose step the intent was made */
    struct fact_view trigger; /* the stop that was hit, or the mode that flattens */
    struct bars_bar bar;      /* of the cause, made from trades; trades 0 = none */
    int64_t position_before;
    uint32_t state; /* enum order_state at the journal's end */
    int64_t since_ns[RISK_RULE_END];
    struct story_scope scope;
    const struct fact_view *build; /* whose signal it is; NULL: no signal, or pruned */
};
struct story {
    const char *journal; /* its folder, borrowed */
    struct story_list names;
    struct story_stage stage;
    struct story_order *order;
    uint32_t order_count, order_room;
    uint64_t orders_more;     /* over STORY_ORDERS_MAX: counted, not told */
    struct story_list kept;   /* what happened to the orders, in the journal's order */
    struct story_list event;  /* the event asked for and its effects; empty for an order */
    struct story_list signal; /* signals given at or because of the event asked for */
    struct story_denials denials;
    uint64_t first_seq, last_seq;
};
struct story_ask {
    const char *id;     /* order, intent, event or client id; NULL: the last denial or cut */
    bool decision_only; /* risk why: an event number is not enough */
};
MUST_USE struct result story_read(const char *dir, const struct story_ask *ask, struct story *out,
                                  struct trail *tr);
void story_free(struct story *s);
/* The order that a record is about; 0 = none. */
uint64_t story_order_of(const struct fact_view *v);

/* ---- telling ---- */
struct story_style {
    bool utc;
};
void story_print(FILE *f, const struct story *s, const struct story_style *style);
void story_print_denial(FILE *f, const struct story *s, const struct story_style *style);
MUST_USE struct result story_json(const struct story *s, const char *id, json_t **out,
                                  struct trail *tr);
MUST_USE struct result story_json_denial(const struct story *s, json_t **out, struct trail *tr);

/* ---- pieces of text (story_words.c) ---- */
enum { STORY_WORD_BYTES = 96 };
/* One or more lines of at most STORY_COLUMNS; what does not fit goes on two deeper. */
void story_say(FILE *f, int indent, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
const char *story_decimal(char out[STORY_WORD_BYTES], int64_t mantissa, int exp);
const char *story_real(char out[STORY_WORD_BYTES], int64_t bits); /* shortest exact text */
const char *story_time(char out[STORY_WORD_BYTES], int64_t ns, bool utc);
const char *story_since(char out[STORY_WORD_BYTES], int64_t ns); /* "+0.023676611 s" */
const char *story_span(char out[STORY_WORD_BYTES], int64_t ns);  /* "20m", "1500ms" */
const char *story_side(uint32_t side);                           /* buy, sell */
const char *story_state(uint32_t state);
/* The word of a u32 member of a record, by the field table; "?" when it is none. */
const char *story_field(uint16_t type, const char *member, uint32_t value);
/* A rule's figure or limit in its unit. */
const char *story_figure(char out[STORY_WORD_BYTES], const struct story_scope *s,
                         const struct fact_decision *f, uint32_t rule, bool limit);
const char *story_rule_code(uint32_t rule);
uint32_t story_rule_unit(uint32_t rule);
/* "demo.yaml:67", or "built in". */
const char *story_rule_source(char out[STORY_WORD_BYTES], const struct story_scope *s,
                              const struct fact_decision *f, uint32_t rule);
#define STORY_WORD ((char[STORY_WORD_BYTES]){0})
#endif
