/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: between a tick and its order there is no system call, no lock that could sleep (that would
 * be one) and no allocation. Method: a real core and an inline bay with the real ema and ema_cross
 * trade a saw-tooth of bars; each step is handed to the journal, each order is sent, accepted and
 * filled. The loop runs once under the allocation watch, and once in a child process under a
 * seccomp filter, where the kernel kills the process at any call but write and exit. Both traps
 * are shown to catch.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/must.h"
#include "bays/bay.h"
#include "core/step.h"
#include "journal/journal.h"
#include "tests/lib/alloc_watch.h"

enum { BARS = 4000, ORDERS_MIN = 200 };
#define MINUTE_NS 60000000000ll

static struct plant {
    struct core *core;
    struct core_out out;
    struct bay *bay;
    uint64_t seq;
    int64_t t_ns;
    int64_t close;
    uint64_t orders, trade_id;
    void *memory;
    size_t bytes;
    struct journal *journal;
    uint8_t record[256 * 1024]; /* one step: the event and its effects */
} plant;

static void step(uint16_t type, const void *payload, uint64_t cause_seq)
{
    struct fact_head head = {.bytes = fact_bytes(type),
                             .seq = ++plant.seq,
                             .t_ns = plant.t_ns,
                             .cause_seq = cause_seq,
                             .type = type,
                             .version = fact_version(type)};
    core_step(plant.core, &head, payload, &plant.out);
    uint32_t used = (uint32_t)sizeof head + head.bytes;
    must(used + plant.out.used <= sizeof plant.record);
    memcpy(plant.record, &head, sizeof head);
    memcpy(plant.record + sizeof head, payload, head.bytes);
    memcpy(plant.record + used, plant.out.bytes, plant.out.used);
    must(is_ok(journal_put(plant.journal, plant.record, used + plant.out.used, plant.seq, false)));
}

static void limit(uint32_t rule, int64_t value)
{
    step(FACT_LIMIT, &(struct fact_limit){.rule = rule, .limit = value}, 0);
}

static void configure_core(void)
{
    plant.t_ns = 1514764800ll * 1000000000;
    step(FACT_GENESIS, &(struct fact_genesis){.journal_id = {1}, .host = "test", .seed = 1}, 0);
    step(FACT_CURRENCY, &(struct fact_currency){.id = 1, .exp = -2, .name = "USD"}, 0);
    struct fact_instrument in = {.id = 1,
                                 .contract = FACT_LINEAR,
                                 .price_exp = -2,
                                 .qty_exp = -3,
                                 .tick = 1,
                                 .lot = 1,
                                 .min_qty = 1,
                                 .multiplier = 1,
                                 .settle = 1,
                                 .bar_ns = MINUTE_NS,
                                 .age_degraded_ns = 10 * MINUTE_NS,
                                 .age_down_ns = 60 * MINUTE_NS,
                                 .symbol = "SAW"};
    step(FACT_INSTRUMENT, &in, 0);
    step(FACT_ACCOUNT,
         &(struct fact_account){
             .id = 1, .currency = 1, .balance = 100000000, .simulated = 1, .name = "paper"},
         0);
    struct fact_instance strategy = {.id = 1, .kind = TN_KIND_STRATEGY, .name = "saw"};
    step(FACT_INSTANCE, &strategy, 0);
    step(FACT_ROUTE,
         &(struct fact_route){.strategy = 1, .instrument = 1, .account = 1, .budget = 1000000}, 0);
    limit(RISK_MAX_QTY, 1000000000);
    limit(RISK_MAX_VALUE, 1000000000);
    limit(RISK_POSITION, 1000000000);
    limit(RISK_EXPOSURE, 100000000);
    step(FACT_DEPLOY, &(struct fact_deploy){.serial = 0, .name = "test"}, 0);
    step(FACT_START,
         &(struct fact_start){.epoch = 1, .core_logic = FACT_CORE_LOGIC, .kind = FACT_RUN_PAPER},
         0);
    step(FACT_AUTO, &(struct fact_auto){.on = 1, .by = "test"}, 0);
}

static const struct bay_module *load(const char *file)
{
    char path[512];
    struct trail tr = {0};
    struct bay_module *m = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", TENON_PLUGIN_DIR, file);
    struct result r = bay_load(path, NULL, &m, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return m;
}

static void open_bay(void)
{
    static const union tn_number fast[] = {{.i = 2}}, slow[] = {{.i = 5}};
    static const union tn_number cross[] = {{.i = 500000}, {.i = 0}, {.i = 0}, {.i = 0}, {.f = 50}};
    const struct bay_module *ema = load("ema.so");
    struct bay_spec spec = {.instrument = {.size = sizeof spec.instrument,
                                           .id = 1,
                                           .price_exp = -2,
                                           .qty_exp = -3,
                                           .tick = 1,
                                           .lot = 1,
                                           .price_scale = 0.01,
                                           .qty_scale = 0.001,
                                           .symbol = "SAW"},
                            .bar_ns = MINUTE_NS,
                            .seed = 1,
                            .node_count = 3,
                            .node = {{.id = 2, .module = ema, .params = fast},
                                     {.id = 3, .module = ema, .params = slow},
                                     {.id = 1,
                                      .module = load("ema_cross-1.0.0.so"),
                                      .params = cross,
                                      .input_node = {0, 1},
                                      .input_output = {0, 0}}}};
    struct trail tr = {0};
    struct result r = bay_inline_new(&spec, NULL, &plant.bay, &tr);
    if (is_ok(r))
        r = plant.bay->ops->activate(plant.bay, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
}

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

static void open_journal(void)
{
    struct journal_found found;
    struct trail tr = {0};
    struct journal_options o = {.ring_bytes = 64 * 1024 * 1024, .clock = &clock_system};
    struct result r = journal_store_memory(&o.store);
    if (is_ok(r))
        r = journal_open(&o, &plant.journal, &found, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
}

static int open_plant(void **state)
{
    (void)state;
    memset(&plant, 0, sizeof plant);
    struct core_limits sizes = {0};
    size_t bytes = core_bytes(&sizes);
    plant.bytes = bytes;
    plant.memory = map(bytes);
    plant.core = core_init(plant.memory, bytes, &sizes);
    plant.out = (struct core_out){.bytes = map(CORE_OUT_BYTES), .capacity = CORE_OUT_BYTES};
    open_journal();
    configure_core();
    open_bay();
    return 0;
}

static int close_plant(void **state)
{
    (void)state;
    uint8_t head[FACT_HASH_BYTES];
    struct trail tr = {0};
    assert_true(is_ok(journal_close(plant.journal, head, &tr)));
    plant.bay->ops->stop(plant.bay);
    (void)munmap(plant.memory, plant.bytes);
    (void)munmap(plant.out.bytes, CORE_OUT_BYTES);
    return 0;
}

/* The venue of this test: takes every order and fills it whole, at the last close. */
static void answer(const struct fact_send *s)
{
    struct fact_sent sent = {.order = s->order, .attempt = s->attempt, .what = FACT_SENT_OK};
    struct fact_exec e = {.order = s->order,
                          .venue_order = ++plant.orders,
                          .kind = FACT_EXEC_NEW,
                          .instrument = s->instrument,
                          .account = s->account,
                          .side = s->side,
                          .leaves_qty = s->qty,
                          .venue_ns = plant.t_ns};
    step(FACT_SENT, &sent, plant.seq);
    step(FACT_EXEC, &e, plant.seq);
    e.kind = FACT_EXEC_TRADE;
    e.trade_id = ++plant.trade_id;
    e.last_qty = e.cum_qty = s->qty;
    e.last_price = plant.close;
    e.leaves_qty = 0;
    e.liquidity = FACT_TAKER;
    step(FACT_EXEC, &e, plant.seq);
}

/* Answers the orders among the effects of the last step. */
static void serve_effects(void)
{
    struct fact_send send[4];
    uint32_t count = 0;
    for (uint32_t at = 0; at < plant.out.used;) {
        struct fact_head head;
        memcpy(&head, plant.out.bytes + at, sizeof head);
        at += (uint32_t)sizeof head;
        if (head.type == FACT_SEND) {
            must(count < 4);
            memcpy(&send[count++], plant.out.bytes + at, sizeof send[0]);
        }
        at += head.bytes;
    }
    for (uint32_t i = 0; i < count; i++) {
        answer(&send[i]);
        serve_effects(); /* a fill may lead to the next leg */
    }
}

static void bar(int k)
{
    int64_t open = plant.close;
    plant.t_ns += MINUTE_NS;
    plant.close = 10000 + (k % 16 < 8 ? k % 8 : 8 - k % 8) * 10;
    if (open == 0)
        open = plant.close;
    struct fact_bar b = {.instrument = 1,
                         .open_ns = plant.t_ns - MINUTE_NS,
                         .open = open,
                         .high = open > plant.close ? open : plant.close,
                         .low = open < plant.close ? open : plant.close,
                         .close = plant.close,
                         .volume = 1000 + k % 7};
    step(FACT_BAR, &b, 0);
    struct tn_event ev = {.size = sizeof ev,
                          .type = TN_EVENT_BAR,
                          .seq = plant.seq,
                          .t_ns = plant.t_ns,
                          .instrument = 1,
                          .u.bar = {.open_ns = b.open_ns,
                                    .open = b.open,
                                    .high = b.high,
                                    .low = b.low,
                                    .close = b.close,
                                    .volume = b.volume}};
    serve_effects();
    plant.bay->ops->give(plant.bay, &ev, 1);
    struct bay_answer a;
    while (plant.bay->ops->take(plant.bay, &a)) {
        must(a.kind == BAY_SIGNAL);
        step(FACT_SIGNAL, &a.signal, a.cause_seq);
        serve_effects();
    }
}

static void trade_bars(int from, int to)
{
    for (int k = from; k < to; k++)
        bar(k);
}

static void hot_path_saw_tooth_trades(void **state)
{
    (void)state;
    trade_bars(0, BARS);
    assert_true(plant.orders >= ORDERS_MIN);
    assert_int_equal(core_totals(plant.core)->fills, plant.orders);
}

static void hot_path_tick_to_order_allocates_nothing(void **state)
{
    (void)state;
    trade_bars(0, 100);
    alloc_watch_start();
    trade_bars(100, BARS);
    assert_int_equal(alloc_watch_stop(), 0);
    assert_true(plant.orders >= ORDERS_MIN);
}

static void hot_path_watch_catches_an_allocation(void **state)
{
    (void)state;
    alloc_watch_start();
    void *volatile p = malloc(10);
    free(p);
    assert_int_equal(alloc_watch_stop(), 2);
    p = malloc(10);
    free(p);
    assert_int_equal(alloc_watch_stop(), 2);
}

/* From here on any call but write and exit_group ends the process with SIGSYS. */
static bool close_cage(void)
{
    struct sock_filter rows[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog filter = {.len = sizeof rows / sizeof rows[0], .filter = rows};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* Runs the bars in the cage, plus one system call when asked, and writes the orders to fd. */
static void __attribute__((noreturn)) run_caged(int fd, bool with_a_call)
{
    if (!close_cage())
        (void)syscall(SYS_exit_group, 2);
    trade_bars(0, BARS);
    if (with_a_call)
        (void)syscall(SYS_getppid);
    uint64_t orders = plant.orders;
    bool wrote = syscall(SYS_write, fd, &orders, sizeof orders) == sizeof orders;
    for (;;)
        (void)syscall(SYS_exit_group, wrote ? 0 : 3);
}

/* How the caged child ended, and the orders it told of. */
static int caged(bool with_a_call, uint64_t *orders)
{
    int fd[2], status = 0;
    assert_int_equal(pipe(fd), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_caged(fd[1], with_a_call);
    (void)close(fd[1]);
    *orders = 0;
    ssize_t got = read(fd[0], orders, sizeof *orders);
    assert_true(got == 0 || got == sizeof *orders);
    (void)close(fd[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void hot_path_tick_to_order_makes_no_system_call(void **state)
{
    (void)state;
    uint64_t orders;
    int status = caged(false, &orders);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(orders >= ORDERS_MIN);
}

static void hot_path_cage_catches_a_system_call(void **state)
{
    (void)state;
    uint64_t orders;
    int status = caged(true, &orders);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
    assert_int_equal(orders, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hot_path_saw_tooth_trades, open_plant, close_plant),
        cmocka_unit_test_setup_teardown(hot_path_tick_to_order_allocates_nothing, open_plant,
                                        close_plant),
        cmocka_unit_test(hot_path_watch_catches_an_allocation),
        cmocka_unit_test_setup_teardown(hot_path_tick_to_order_makes_no_system_call, open_plant,
                                        close_plant),
        cmocka_unit_test_setup_teardown(hot_path_cage_catches_a_system_call, open_plant,
                                        close_plant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
