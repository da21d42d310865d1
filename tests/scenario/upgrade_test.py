#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: tenond is replaced while orders rest at the venue and positions are open, by the same
program and by one of another core logic, and no order is lost or doubled.
A host that is given its journal alone finds its way to egress by the deployment in it.
Method: the real programs (upgrade_lib.py); SIGTERM to a host started with --leave, the next host on
its journal. The venue's ledger and the journal are compared; an order that the next host had not
taken up would rest for ever, and the settling at the end would not come.
The campaign with figures is tools/upgrade-drill.
"""
import os
import sys
import unittest

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402
import crash_world  # noqa: E402
import upgrade_lib as upgrade  # noqa: E402


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.world = upgrade.Upgraded(5, "plain")
        self.addCleanup(self.world.remove)
        self.addCleanup(self.world.close)

    def test_orders_rest_through_the_same_and_another_core_logic(self):
        runs, wrong, counts = upgrade.drill([lib.TENOND, upgrade.NEXT], 5, self.world)
        self.assertEqual(wrong, {})
        own = counts["logics"][0]
        self.assertEqual(counts["logics"], [own, own, own + 1])
        for run in runs:
            self.assertGreaterEqual(run["working"], 1, run)
            self.assertGreater(run["active_s"], 0, run)
        self.assertGreater(sum(run["outlived"] for run in runs), 0, runs)

    def test_what_another_logic_left_undone_is_refused_by_name_and_finished_by_it(self):
        w = self.world
        w.start()
        w.until(w.is_loaded, "orders that rest beside a position", w.host)
        w.host.kill()  # SIGKILL: nothing is stored for the next
        mark, w.program = w.host.size(), upgrade.NEXT
        w.start_host()
        self.assertNotEqual(w.host.process.wait(timeout=lib.GUARD_S), 0)
        said = w.host.since(mark)
        own = int(lib.call(lib.TENON, "version", "--json").json["core_logic"])
        self.assertIn(f"was decided by core logic {own} (tenon ", said)
        self.assertIn(f"this program has core logic {own + 1}: start that version, stop it in "
                      "order", said)
        mark, w.program, w.is_named = w.host.size(), lib.TENOND, False
        w.start_host()
        w.line(mark, "reconciled with its venue")
        w.settle()
        wrong, _ = w.books()
        self.assertEqual({n: f for n, f in wrong.items() if f}, {})


if __name__ == "__main__":
    for program in crash_world.PROGRAMS + (upgrade.NEXT,):
        if not os.access(program, os.X_OK):
            lib.skip(f"{program} is not built")
    lib.main()
