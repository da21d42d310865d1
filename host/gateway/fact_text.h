/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of the journal as text: one line of words, or one JSON object with the head's fields and,
 * under `payload`, every field of the payload by its own name. Mantissas stay raw: a record does
 * not know its exponents, and a printer that guessed them would lie. Ids of 64 bits are strings in
 * JSON, because many readers keep numbers as doubles. Any thread.
 */
#ifndef GATEWAY_FACT_TEXT_H
#define GATEWAY_FACT_TEXT_H
#include <stddef.h>
#include "tbl/facts.h"

enum fact_kind { /* how a field is read and shown */
                 FACT_KIND_UNSET = 0,
                 FACT_KIND_U32,
                 FACT_KIND_I32,
                 FACT_KIND_U64,
                 FACT_KIND_I64,
                 FACT_KIND_ID,     /* u64 shown as text in JSON */
                 FACT_KIND_HEX,    /* bytes */
                 FACT_KIND_KEY,    /* a key id, in the order and case in which minisign prints it */
                 FACT_KIND_TEXT,   /* NUL-padded */
                 FACT_KIND_WORD,   /* u32 of a closed list */
                 FACT_KIND_COLD,   /* the same, with FACT_COLD as its high bit: "STRATEGY+COLD" */
                 FACT_KIND_FLAG,   /* u32 that is 0 or 1 */
                 FACT_KIND_RESULT, /* i32, enum result_code by name */
                 FACT_KIND_RULES,  /* bit r-1 = rule r */
                 FACT_KIND_RESULTS, /* fact_decision.result */
                 FACT_KIND_FIGURES, /* fact_decision.rule */
                 FACT_KIND_REASONS, /* fact_signal.reason */
                 FACT_KIND_PAD,     /* reserved, not shown while zero */
};
struct fact_words { /* the closed list of a WORD: index = value, NULL = hole */
    const char *const *word;
    uint32_t count;
};
struct fact_field {
    const char *name;
    uint32_t kind;
    uint32_t offset;
    uint32_t bytes;
    const struct fact_words *words;
};
struct fact_fields {
    const struct fact_field *field;
    uint32_t count;
};
/* Fields of a record type in layout order; count 0 for an unknown type. */
struct fact_fields fact_fields(uint16_t type);
/* The word of a value in a list, or "?". */
const char *fact_word(const struct fact_words *words, uint32_t value);

enum fact_form { FACT_FORM_UNSET = 0, FACT_FORM_WORDS, FACT_FORM_JSON };
enum { FACT_PRINT_BYTES = 8192 };
/* Prints one record without newline; gives its length (cut at out_bytes - 1; FACT_PRINT_BYTES is
 * always enough). A type or version this program does not know is printed as bytes. */
size_t fact_print(enum fact_form form, const struct fact_head *head, const void *payload, char *out,
                  size_t out_bytes);
#endif
