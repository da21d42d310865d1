/* SPDX-License-Identifier: Apache-2.0
 *
 * What a loaded module is, for the files of bays/ only. A module never changes after load and
 * lives as long as the process: any thread may read it.
 */
#ifndef BAYS_MODULE_H
#define BAYS_MODULE_H
#include "bays/bay.h"
#include "tenon/draft/adapter.h"

struct bay_module {
    struct bay_module *next; /* list of all: keeps them reachable */
    struct bay_facts facts;
    struct tn_entry entry; /* the host's copy (ABI-RULES R8) */
    union {                /* the host's copy, by kind; for a source only base is filled */
        struct tn_instance_ops base;
        struct tn_indicator_ops indicator;
        struct tn_strategy_ops strategy;
        struct tn_adapter_ops adapter;
    } ops;
    _Atomic uint32_t is_good; /* 1: all checks passed; the others stay loaded and unused */
    void *handle;
    int fd; /* the sealed copy; open while it is mapped, so its name cannot come again */
};
#endif
