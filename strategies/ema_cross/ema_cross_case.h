/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of both versions of ema_cross share: one instance fed bar by bar with averages
 * that the test makes up. The including file names the version by including its source first.
 */
#ifndef EMA_CROSS_CASE_H
#define EMA_CROSS_CASE_H

struct cross_case {
    struct plugin_host host;
    void *inst;
    uint64_t seq;
    struct tn_signal signal; /* the last one */
};

static inline void case_open(struct cross_case *c, const union tn_number *params)
{
    memset(c, 0, sizeof *c);
    plugin_host_init(&c->host, tn_entry.manifest->arena_bytes);
    assert_int_equal(plugin_host_create(&c->host, &tn_entry, params, &c->inst), TN_OK);
}

/* One bar with these inputs; gives the number of signals. */
static inline uint32_t case_bar(struct cross_case *c, int64_t close, const double *in,
                                uint32_t ready)
{
    const struct tn_strategy_ops *ops = tn_entry.ops;
    const struct tn_event ev = plugin_bar(++c->seq, close, close, close);
    const struct tn_inputs inputs = {.size = sizeof inputs,
                                     .input_count = tn_entry.manifest->input_count,
                                     .value = in,
                                     .ready = &ready};
    struct tn_signals out = {.size = sizeof out, .capacity = 1, .signal = &c->signal};
    assert_int_equal(ops->on_events(c->inst, &ev, 1, &inputs, &out), TN_OK);
    if (out.count > 0)
        card_signal_is_sound(&c->signal, tn_entry.manifest);
    return out.count;
}

static inline void case_close(struct cross_case *c)
{
    card_drop(&c->host, &tn_entry, c->inst);
}
#endif
