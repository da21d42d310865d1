#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: bad input of a venue's stream and of people, over the real programs (RISK-AND-ORDERS §5).
44, 45: market messages that are lost, come twice or are overtaken make the adapter ask for a
picture, and data goes on; a venue that begins anew is in process_kill_test.py. 68: a secret that
was added for live accounts signs nothing for a simulated one; nothing reaches the venue, and the
host says why. 69 is in egress_test.py. Method: the deployment of tools/kill-drill, rules at the
venue's control door, the host's log and its journal.
"""
import os
import sys
import tempfile
import types
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scenario_lib as lib  # noqa: E402

PROGRAMS = ("tenon", "tenond", "tenon-egress", "tenon-venue", "tenon-bay")


def load_drill():
    path = os.path.join(lib.SOURCE, "tools", "kill-drill")
    loader = SourceFileLoader("kill_drill", path)
    module = module_from_spec(spec_from_loader("kill_drill", loader))
    loader.exec_module(module)
    return module


drill = load_drill()


class StopRules(unittest.TestCase):
    def world(self, kind="simulated"):
        state = tempfile.mkdtemp(prefix="tenon-rules-")
        w = drill.Drill(types.SimpleNamespace(build=lib.BUILD, orders=0), "healthy", 0, state)
        self.addCleanup(drill.shutil.rmtree, state, ignore_errors=True)
        self.addCleanup(w.stop)
        w.start_programs(kind)
        return w

    def said(self, w, words, count):
        w.until(words, lambda: w.log("host.log").count(words) >= count)

    def test_cases_44_45_a_stream_with_holes_is_mended_by_a_picture(self):
        """Numbers are of a symbol: what overtakes another symbol's message is in order, and a
        symbol that is being asked for is not asked for again; so many are touched."""
        w = self.world()
        w.until("turnover", lambda: w.at_venue.status()["fills"] > 0)
        asked = "market data is missing or came twice"
        said = 0
        for rule, count in (("lose", 20), ("duplicate", 20), ("reorder", 200)):
            w.at_venue.control("POST", "/faults", {"on": "market", "do": rule, "count": count})
            self.said(w, asked, said + 1)
            said = w.log("host.log").count(asked)
            fills = w.at_venue.status()["fills"]  # strategies go on, so data does
            w.until("turnover", lambda n=fills: w.at_venue.status()["fills"] > n)

    def test_case_68_a_live_secret_signs_nothing_for_a_simulated_account(self):
        w = self.world("live")
        self.said(w, "added for live accounts and it is simulated", 1)
        status = w.at_venue.status()
        self.assertEqual((status["orders"], status["refused_sign"]), (0, 0), status)


if __name__ == "__main__":
    for program in PROGRAMS:
        if not os.access(os.path.join(lib.BUILD, program), os.X_OK):
            lib.skip(f"{program} is not built")
    lib.main()
