/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a bay that is a process gives the answers of an inline bay, has nothing that was not handed
 * to it, and whatever ends it, it is known how, and nothing is left behind. Method: the real
 * spawner and the real tenon-bay with shipped plugins and hostile ones; what a bay has is read from
 * its folder in /proc, from outside.
 */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/lib/bay_guest.h"

static struct spawn *spawn;

static int start_spawner(void **state)
{
    const gid_t group = 7; /* bays are not to have it */
    (void)state;
    if (bay_guest_is_root() && setgroups(1, &group) != 0)
        return -1;
    spawn = bay_guest_spawner();
    return 0;
}
static int stop_spawner(void **state)
{
    (void)state;
    spawn_stop(spawn);
    return 0;
}

/* ---- what a bay has ---- */
static void read_proc(const struct bay_guest *g, const char *name, char *out, size_t room)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)g->child.pid, name);
    FILE *f = fopen(path, "r");
    size_t got = f ? fread(out, 1, room - 1, f) : 0;
    out[got] = 0;
    if (f)
        fclose(f);
}

static pid_t parent_of(const struct bay_guest *g)
{
    char text[4096];
    read_proc(g, "status", text, sizeof text);
    const char *at = strstr(text, "PPid:");
    assert_non_null(at);
    return (pid_t)atoi(at + 5);
}

static uint32_t count_descriptors(const struct bay_guest *g)
{
    char path[128];
    uint32_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)g->child.pid);
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

static void assert_other_namespace(const struct bay_guest *g, const char *name)
{
    char path[128], ours[128] = "", theirs[128] = "";
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    assert_true(readlink(path, ours, sizeof ours - 1) > 0);
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)g->child.pid, name);
    assert_true(readlink(path, theirs, sizeof theirs - 1) > 0);
    assert_string_not_equal(ours, theirs);
}

static void spawn_bay_has_only_what_it_was_given(void **state)
{
    static const char *const namespace[] = {"pid", "net", "ipc", "uts", "mnt"};
    char text[8192], want[64];
    struct bay_guest g;
    (void)state;
    if (!bay_guest_is_whole(spawn))
        skip(); /* the folder of a process that keeps itself to itself is root's */
    bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK);
    bay_guest_open(&g);
    /* Life, note, words, two bells, three modules. */
    assert_int_equal(count_descriptors(&g), 3 + 2 + 3);
    read_proc(&g, "environ", text, sizeof text);
    for (size_t i = 0; i < sizeof BAY_LIBM_PIN; i++)
        assert_int_equal(text[i], 0);
    read_proc(&g, "status", text, sizeof text);
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    assert_non_null(strstr(text, "Seccomp:\t2"));
    assert_non_null(strstr(text, "Seccomp_filters:\t2"));
    assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
    assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
    assert_non_null(strstr(text, "Groups:\t \n"));
    snprintf(want, sizeof want, "Uid:\t%d\t%d\t%d\t%d", BAY_GUEST_UID_FIRST, BAY_GUEST_UID_FIRST,
             BAY_GUEST_UID_FIRST, BAY_GUEST_UID_FIRST);
    assert_non_null(strstr(text, want));
    for (size_t i = 0; i < sizeof namespace / sizeof namespace[0]; i++)
        assert_other_namespace(&g, namespace[i]);
    read_proc(&g, "limits", text, sizeof text);
    assert_non_null(strstr(text, "Max core file size        0                    0"));
    assert_non_null(strstr(text, "Max processes             0                    0"));
    bay_guest_stop(&g);
}

static void spawn_bays_have_users_of_their_own(void **state)
{
    char text[4096];
    struct bay_guest a, b;
    (void)state;
    if (!bay_guest_is_whole(spawn))
        skip();
    bay_guest_cross(&a, spawn, LINE_WAKE_BLOCK);
    bay_guest_cross(&b, spawn, LINE_WAKE_BLOCK);
    bay_guest_open(&a);
    bay_guest_open(&b);
    read_proc(&b, "status", text, sizeof text);
    assert_non_null(strstr(text, "Uid:\t64001\t"));
    bay_guest_stop(&a);
    bay_guest_stop(&b);
}

static void spawn_bay_is_bound_to_its_cpu(void **state)
{
    struct bay_guest g;
    struct trail tr = {0};
    cpu_set_t set;
    (void)state;
    bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK);
    struct link_end end[2];
    bay_guest_good(link_make(LINE_BYTES, end, &tr), &tr);
    bay_guest_good(link_open(&end[0], &g.line, &tr), &tr);
    struct spawn_request q = {.kind = SPAWN_STRATEGY,
                              .cpu = 0,
                              .core = end[1],
                              .module_fd = g.module,
                              .module_count = g.modules};
    bay_guest_good(spawn_bay(spawn, &q, &g.child, &tr), &tr);
    assert_int_equal(sched_getaffinity(g.child.pid, sizeof set, &set), 0);
    assert_int_equal(CPU_COUNT(&set), 1);
    assert_true(CPU_ISSET(0, &set));
    bay_guest_send(&g, LINE_STOP, NULL, 0);
    assert_string_equal(bay_guest_end(&g, NULL), "ended");
    bay_guest_good(link_make(LINE_BYTES, end, &tr), &tr);
    link_end_close(&end[0]);
    q.core = end[1];
    q.cpu = 1000; /* there is none */
    assert_false(is_ok(spawn_bay(spawn, &q, &g.child, &tr)));
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(IO)), "bound to its CPU"));
    for (uint32_t i = 0; i < g.modules; i++)
        close(g.module[i]);
}

/* Of root's powers it keeps four: kill, set group and user ids, administer (for namespaces). */
static void spawn_spawner_keeps_four_capabilities(void **state)
{
    static const char *const set[] = {"CapPrm", "CapEff", "CapBnd"};
    char path[64], text[8192], want[64];
    struct bay_guest g;
    (void)state;
    if (!bay_guest_is_whole(spawn))
        skip();
    bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK);
    bay_guest_open(&g);
    snprintf(path, sizeof path, "../%d/status", (int)parent_of(&g));
    read_proc(&g, path, text, sizeof text);
    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
        snprintf(want, sizeof want, "%s:\t00000000002000e0", set[i]);
        assert_non_null(strstr(text, want));
    }
    bay_guest_stop(&g);
}

/* ---- how it ends ---- */
static const char *run_to_the_end(const char *file, uint64_t memory, int32_t *status)
{
    struct bay_guest g;
    struct trail tr = {0};
    struct link_message m;
    bay_guest_hostile(&g, spawn, file, 3);
    bay_guest_good(bay_guest_try(&g, SPAWN_STRATEGY, bay_guest_is_whole(spawn), memory, &tr), &tr);
    bay_guest_send(&g, LINE_STRATEGY, &g.spec, sizeof g.spec);
    assert_int_equal(bay_guest_done(&g, LINE_DONE, LINE_STRATEGY).code, RESULT_OK);
    bay_guest_send(&g, LINE_ACTIVATE, NULL, 0);
    (void)bay_guest_done(&g, LINE_DONE, LINE_ACTIVATE);
    for (uint32_t i = 0; i < 6; i++)
        bay_guest_send(&g, LINE_GIVE, &bay_guest_bars[i], sizeof bay_guest_bars[i]);
    while (bay_guest_next(&g, &m))
        ;
    return bay_guest_end(&g, status);
}

static void spawn_bay_death_is_named(void **state)
{
    static const struct {
        const char *file, *how;
    } row[] = {{"hostile_segfault-1.0.0", "signal 11"},
               {"hostile_open-1.0.0", "made a forbidden system call: openat (257)"},
               {"hostile_socket-1.0.0", "made a forbidden system call: socket (41)"},
               {"hostile_wx-1.0.0", "made a forbidden system call: mprotect (10)"},
               {"hostile_kill-1.0.0", "made a forbidden system call: kill (62)"},
               {"hostile_quit-1.0.0", "ended"}};
    int32_t status;
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const char *how = run_to_the_end(row[i].file, 0, &status);
        if (!strstr(how, row[i].how))
            fail_msg("%s: \"%s\", expected \"%s\"", row[i].file, how, row[i].how);
    }
}

static void spawn_bay_that_leaks_ends_alone(void **state)
{
    int32_t status = 0;
    (void)state;
    (void)run_to_the_end("hostile_leak-1.0.0", 64 * 1024 * 1024, &status);
    assert_int_not_equal(status, 0);
}

static void spawn_kill_ends_a_spinning_bay(void **state)
{
    struct bay_guest g;
    int32_t status = 0;
    (void)state;
    bay_guest_hostile(&g, spawn, "hostile_spin-1.0.0", 0);
    bay_guest_open(&g);
    bay_guest_send(&g, LINE_GIVE, bay_guest_bars, sizeof bay_guest_bars[0]);
    spawn_kill(spawn, g.child.id);
    assert_non_null(strstr(bay_guest_end(&g, &status), "signal 9"));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void spawn_bay_ends_with_the_spawner(void **state)
{
    struct bay_guest g;
    char text[SPAWN_TEXT_BYTES];
    (void)state;
    bay_guest_hostile(&g, spawn, "hostile_spin-1.0.0", 0);
    bay_guest_open(&g);
    bay_guest_send(&g, LINE_GIVE, bay_guest_bars, sizeof bay_guest_bars[0]);
    spawn_stop(spawn);
    struct pollfd p = {.fd = g.child.pidfd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, BAY_GUEST_WAIT_MS), 1);
    close(g.child.pidfd);
    link_close(&g.line);
    spawn = bay_guest_spawner();
    assert_false(spawn_how(spawn, 12345, NULL, text));
}

/* The spawner is killed: the kernel ends its bays, also one that spins, and the host is told. */
static void spawn_bay_ends_with_a_killed_spawner(void **state)
{
    struct bay_guest g, next;
    struct trail tr = {0};
    (void)state;
    bay_guest_hostile(&g, spawn, "hostile_spin-1.0.0", 0);
    bay_guest_open(&g);
    bay_guest_send(&g, LINE_GIVE, bay_guest_bars, sizeof bay_guest_bars[0]);
    assert_true(spawn_is_alive(spawn));
    assert_int_equal(kill(parent_of(&g), SIGKILL), 0);
    struct pollfd p = {.fd = g.child.pidfd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, BAY_GUEST_WAIT_MS), 1);
    bay_guest_cross(&next, spawn, LINE_WAKE_BLOCK);
    assert_int_equal(result_class(bay_guest_try(&next, SPAWN_STRATEGY, false, 0, &tr)),
                     RESULT_CLASS_PEER);
    assert_false(spawn_is_alive(spawn));
    link_close(&next.line);
    close(g.child.pidfd);
    link_close(&g.line);
    spawn_stop(spawn);
    spawn = bay_guest_spawner();
}

/* ---- many at once ---- */
enum { THREADS = 2, EACH = 6 };
static void *start_and_stop(void *arg) /* gives it back when something is wrong */
{
    for (int i = 0; i < EACH; i++) {
        struct bay_guest g;
        struct trail tr = {0};
        char text[SPAWN_TEXT_BYTES];
        bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK);
        if (!is_ok(bay_guest_try(&g, SPAWN_STRATEGY, false, 0, &tr)))
            return arg;
        spawn_kill(spawn, g.child.id);
        struct pollfd p = {.fd = g.child.pidfd, .events = POLLIN};
        (void)poll(&p, 1, BAY_GUEST_WAIT_MS);
        while (!spawn_how(spawn, g.child.id, NULL, text))
            sched_yield();
        if (!strstr(text, "signal 9"))
            return arg;
        close(g.child.pidfd);
        link_close(&g.line);
    }
    return NULL;
}

static void spawn_serves_two_threads(void **state)
{
    pthread_t thread[THREADS];
    void *bad = NULL;
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, start_and_stop, thread), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], &bad), 0);
        assert_null(bad);
    }
}

/* ---- refusals ---- */
static void spawn_bay_refuses_wrong_modules(void **state)
{
    struct bay_guest g;
    struct trail tr = {0};
    (void)state;
    bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK);
    g.spec.node[2].sha256[0] ^= 1;
    bay_guest_good(bay_guest_try(&g, SPAWN_STRATEGY, false, 0, &tr), &tr);
    bay_guest_send(&g, LINE_STRATEGY, &g.spec, sizeof g.spec);
    struct line_done d = bay_guest_done(&g, LINE_DONE, LINE_STRATEGY);
    assert_int_equal(d.code, RESULT_FOREIGN);
    assert_non_null(strstr(d.text, "SHA-256"));
    bay_guest_send(&g, LINE_STOP, NULL, 0);
    assert_string_equal(bay_guest_end(&g, NULL), "ended");
    bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK);
    close(g.module[0]);
    g.module[0] = dup(STDIN_FILENO); /* nothing sealed */
    bay_guest_good(bay_guest_try(&g, SPAWN_STRATEGY, false, 0, &tr), &tr);
    bay_guest_send(&g, LINE_STRATEGY, &g.spec, sizeof g.spec);
    d = bay_guest_done(&g, LINE_DONE, LINE_STRATEGY);
    assert_int_equal(d.code, RESULT_FOREIGN);
    assert_non_null(strstr(d.text, "not a sealed copy"));
    spawn_kill(spawn, g.child.id);
    (void)bay_guest_end(&g, NULL);
}

static void spawn_bay_ends_on_a_foreign_message(void **state)
{
    struct bay_guest g;
    struct link_message m;
    int32_t status;
    (void)state;
    bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK);
    bay_guest_open(&g);
    bay_guest_send(&g, LINE_GIVE, bay_guest_bars, sizeof bay_guest_bars[0] - 1);
    while (bay_guest_next(&g, &m))
        ;
    assert_non_null(strstr(bay_guest_end(&g, &status), "its events are cut"));
    assert_int_equal(WEXITSTATUS(status), 70);
}

static void spawn_contained_needs_everything(void **state)
{
    struct spawn_config c = {.program = BAY_GUEST_PROGRAM};
    struct spawn *other = NULL, *kept = spawn;
    struct bay_guest g;
    char text[SANDBOX_TEXT_BYTES], status[4096];
    struct trail tr = {0};
    (void)state;
    bay_guest_good(spawn_start(&c, &other, &tr), &tr); /* no user ids to give */
    assert_false(sandbox_is_whole(spawn_can(other)));
    assert_true(sandbox_say(spawn_can(other), 0, text));
    spawn = other;
    bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK);
    assert_false(is_ok(bay_guest_try(&g, SPAWN_STRATEGY, true, 0, &tr)));
    const char *why = trail_sentence(&tr, RESULT_OF(NOT_PERMITTED));
    assert_non_null(strstr(why, text));
    link_close(&g.line);
    bay_guest_cross(&g, spawn, LINE_WAKE_BLOCK); /* trusted: runs without */
    bay_guest_good(bay_guest_try(&g, SPAWN_STRATEGY, false, 0, &tr), &tr);
    read_proc(&g, "status", status, sizeof status); /* and never as root */
    assert_null(strstr(status, "Uid:\t0\t"));
    assert_non_null(strstr(status, "CapEff:\t0000000000000000"));
    bay_guest_send(&g, LINE_STOP, NULL, 0);
    assert_string_equal(bay_guest_end(&g, NULL), "ended");
    spawn = kept;
    spawn_stop(other);
}

static void spawn_start_says_what_is_missing(void **state)
{
    struct spawn_config c = {.program = "/nonexistent/tenon-bay"};
    struct spawn *s = NULL;
    struct trail tr = {0};
    (void)state;
    assert_int_equal(result_class(spawn_start(&c, &s, &tr)), RESULT_CLASS_INPUT);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(IO)), "/nonexistent/tenon-bay"));
    c.program = "/bin/true"; /* it starts, and says nothing */
    assert_int_equal(result_class(spawn_start(&c, &s, &tr)), RESULT_CLASS_PEER);
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spawn_bay_has_only_what_it_was_given),
        cmocka_unit_test(spawn_bays_have_users_of_their_own),
        cmocka_unit_test(spawn_bay_is_bound_to_its_cpu),
        cmocka_unit_test(spawn_spawner_keeps_four_capabilities),
        cmocka_unit_test(spawn_bay_death_is_named),
        cmocka_unit_test(spawn_bay_that_leaks_ends_alone),
        cmocka_unit_test(spawn_kill_ends_a_spinning_bay),
        cmocka_unit_test(spawn_bay_ends_with_the_spawner),
        cmocka_unit_test(spawn_bay_ends_with_a_killed_spawner),
        cmocka_unit_test(spawn_serves_two_threads),
        cmocka_unit_test(spawn_bay_refuses_wrong_modules),
        cmocka_unit_test(spawn_bay_ends_on_a_foreign_message),
        cmocka_unit_test(spawn_contained_needs_everything),
        cmocka_unit_test(spawn_start_says_what_is_missing),
    };
    bay_guest_make_bars();
    return cmocka_run_group_tests(tests, start_spawner, stop_spawner);
}
