/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-ups over the record table, generated from events.h by one switch each: an unknown type is
 * an answer (0, "?"), never an index out of range.
 */
#include "tbl/facts.h"

uint32_t fact_bytes(uint16_t type)
{
    switch (type) {
#define X(id, name, payload, version, class, text)                                                 \
    case id:                                                                                       \
        return (uint32_t)sizeof(struct payload);
        FACT_EVENTS(X)
        FACT_EFFECTS(X)
#undef X
    default:
        return 0;
    }
}

const char *fact_name(uint16_t type)
{
    switch (type) {
#define X(id, name, payload, version, class, text)                                                 \
    case id:                                                                                       \
        return #name;
        FACT_EVENTS(X)
        FACT_EFFECTS(X)
#undef X
    default:
        return "?";
    }
}

const char *fact_text(uint16_t type)
{
    switch (type) {
#define X(id, name, payload, version, class, text)                                                 \
    case id:                                                                                       \
        return text;
        FACT_EVENTS(X)
        FACT_EFFECTS(X)
#undef X
    default:
        return "an unknown record";
    }
}

enum fact_class fact_class_of(uint16_t type)
{
    switch (type) {
#define X(id, name, payload, version, class, text)                                                 \
    case id:                                                                                       \
        return FACT_CLASS_##class;
        FACT_EVENTS(X)
        FACT_EFFECTS(X)
#undef X
    default:
        return FACT_CLASS_UNSET;
    }
}

uint16_t fact_version(uint16_t type)
{
    switch (type) {
#define X(id, name, payload, version, class, text)                                                 \
    case id:                                                                                       \
        return version;
        FACT_EVENTS(X)
        FACT_EFFECTS(X)
#undef X
    default:
        return 0;
    }
}

/* Each payload fits, keeps the 8-byte grid, and so has no padding at its end. */
#define X(id, name, payload, version, class, text)                                                 \
    static_assert(sizeof(struct payload) <= FACT_MAX_BYTES && sizeof(struct payload) % 8 == 0,     \
                  #name " payload");
FACT_EVENTS(X)
FACT_EFFECTS(X)
#undef X
