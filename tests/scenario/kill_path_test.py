#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the kill works whatever is broken: with the host stopped, with no room on the disk, with
the adapter's bay dead, with the rate budget used up, no new order leaves, every working order is
asked to be cancelled, and the account ends flat. Method: tools/kill-drill with one kill in each
situation and fewer orders, judged by the venue's own ledger; how long it took is shown and not
judged.
"""
import os
import sys
import types
import unittest

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

PROGRAMS = ("tenon", "tenond", "tenon-egress", "tenon-venue", "tenon-bay")
DRILL = os.path.join(lib.SOURCE, "tools", "kill-drill")
ORDERS = 60
DRILL_S = 600  # three of its own guards, and less than the runner's


class KillPath(unittest.TestCase):
    def drill(self, situation):
        done = lib.call(sys.executable, DRILL, "--build", lib.BUILD, "--repeat", "1", "--situation",
                        situation, "--orders", str(ORDERS), "--json", timeout=DRILL_S)
        self.assertTrue(done.out, done)
        verdict = done.json
        self.assertEqual(verdict["faults"], [], verdict)
        x = verdict["runs"][0]
        self.assertGreaterEqual(x["working"], ORDERS, x)
        self.assertEqual(x["cancels"], x["working"], x)
        self.assertEqual((x["new"], x["left"], x["open"]), (0, 0, 0), x)
        self.assertGreaterEqual(x["closes"], 8, x)  # a position in each market
        print(f"{situation}: flag after {x['flag_ms']:.0f} ms, flat after {x['flat_ms']:.0f} ms")
        return x

    def test_books_that_end_with_the_press_name_what_worked(self):
        books = lib.load_tool("kill-drill").Books([
            {"line": "receive", "at": "1", "order": "7", "client": "T1-1-1"},
            {"line": "accept", "t": "2", "order": "7"}])
        told = books.since(5, 6)
        self.assertEqual((told["working"], told["cancels"], told["left"]), (1, 0, 1), told)

    def test_programs_that_are_not_there_are_named(self):
        place = lib.Place()
        self.addCleanup(place.remove)
        for name in ("kill-drill", "upgrade-drill"):
            env = dict(lib.environment(), TENON_BUILD=place.path)
            done = lib.call(sys.executable, os.path.join(lib.SOURCE, "tools", name), env=env)
            self.assertEqual((done.code, len(done.err.splitlines())), (66, 1), done)
            self.assertRegex(done.err, f"^tools/{name}: .* is not built: ")

    def test_program_that_refuses_to_tell_is_a_sentence(self):
        drill = lib.load_tool("kill-drill")
        w = drill.Drill.__new__(drill.Drill)
        w.a, w.run = types.SimpleNamespace(build=lib.BUILD), "/nowhere"
        w.state = "here"
        with self.assertRaisesRegex(drill.Failed, "(?s)^tenon egress: .*: see here$"):
            w.egress_status()

    def test_with_the_host_stopped(self):
        x = self.drill("stopped")
        self.assertRegex(x["words"][0], "^egress: egress is killed")
        self.assertRegex(x["words"][1], "^host: DID NOT TAKE IT")

    @unittest.skipUnless(lib.IS_ROOT and lib.IS_LONG, "root, to mount a small disk; TENON_LONG=1")
    def test_with_the_disk_full(self):
        self.drill("disk_full")

    @unittest.skipUnless(lib.IS_LONG, "twenty seconds: with TENON_LONG=1")
    def test_with_the_adapters_bay_dead(self):
        self.drill("bay_dead")

    @unittest.skipUnless(lib.IS_LONG, "twenty seconds: with TENON_LONG=1")
    def test_with_the_rate_budget_used_up(self):
        x = self.drill("rate_used_up")
        self.assertGreater(x["egress"]["rate_held"], 0)


if __name__ == "__main__":
    for program in PROGRAMS:
        if not os.access(os.path.join(lib.BUILD, program), os.X_OK):
            lib.skip(f"{program} is not built")
    lib.main()
