#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a run over tenon-egress, tenon-venue, the adapter's and the strategies' bays is the run in
one process, event by event. Method: tools/processes itself, with the demo made quicker (shorter
bars and averages, so that a minute of market trades), and its verdict read; its measure of time is
shown and not judged. A venue with another seed must be told apart, so that equal means something.
"""
import json
import os
import re
import sys
import unittest

import scenario_lib as lib

PROGRAMS = ("tenon-egress", "tenon-venue", "tenon-bay")


def quick():
    """The demo's document with bars of a second and averages of a few of them."""
    with open(os.path.join(lib.CONFIGS, "demo-processes.yaml"), encoding="utf-8") as f:
        text = f.read().replace("bar: 5s", "bar: 1s")
    periods = iter((3, 7, 2, 6, 4, 9))
    return re.sub(r"period: \d+", lambda m: f"period: {next(periods)}", text)


class Processes(unittest.TestCase):
    def setUp(self):
        self.place = lib.Place()
        self.addCleanup(self.place.remove)

    def test_run_over_processes_is_the_run_in_one(self):
        config = self.place.write("quick.yaml", quick())
        done = lib.call(os.path.join(lib.SOURCE, "tools", "processes"), "--build", lib.BUILD,
                        "--state", self.place.at("state"), "--config", config, "--for", "60s",
                        "--speed", "5", "--json")
        self.assertTrue(done.out, done)
        verdict = done.json
        different = [k for k, row in verdict["equal"].items() if not row["equal"]]
        self.assertEqual(different, [], verdict)
        self.assertEqual(sum(verdict["late"].values()), 0, verdict)
        for what in ("signals by cause", "quantities", "fills", "positions"):
            self.assertGreater(verdict["equal"][what]["processes"], 3, verdict)
        self.assertEqual(verdict["venue"]["orders"], verdict["equal"]["quantities"]["inside"])

    def test_account_via_egress_without_egress_is_refused_with_a_sentence(self):
        config = self.place.write("quick.yaml", quick())
        done = self.place.host("--config", config, "--instruments",
                               os.path.join(lib.CONFIGS, "instruments.yaml"), "--throwaway-keys",
                               "--headless", "--for", "10s", "--attach", self.place.at("nobody"))
        self.assertEqual(done.code, 69, done)
        self.assertIn("start tenon-egress", done.err)

    def test_account_via_egress_is_served_in_the_engine(self):
        config = self.place.write("quick.yaml", quick())
        done = self.place.host("--config", config, "--instruments",
                               os.path.join(lib.CONFIGS, "instruments.yaml"), "--throwaway-keys",
                               "--headless", "--json", "--auto", "--in-engine", "--for", "120s")
        self.assertEqual(done.code, 0, done)
        self.assertGreater(done.json["venue"]["fills"], 0)
        syncs = self.place.records("SYNC")
        self.assertEqual([s["payload"]["phase"] for s in syncs], ["WHOLE"])
        first = self.place.records("SEND")[0]
        sent = [r for r in self.place.records("SENT") if r["cause_seq"] == first["seq"]]
        self.assertEqual(sent[0]["t_ns"] - first["t_ns"], 2 * 10**9)  # half the latency

    def test_comparison_tells_a_different_story_apart(self):
        sys.dont_write_bytecode = True
        from importlib.machinery import SourceFileLoader
        from importlib.util import module_from_spec, spec_from_loader
        path = os.path.join(lib.SOURCE, "tools", "processes")
        loader = SourceFileLoader("processes", path)
        processes = module_from_spec(spec_from_loader("processes", loader))
        loader.exec_module(processes)
        send = {"seq": 1, "sub": 1, "type": "SEND", "type_id": 258, "t_ns": 5, "cause_seq": 0,
                "payload": {"order": "1", "client_id": "T1-1-1", "side": "LONG", "qty": 4,
                            "price": 7, "tif": "GTC", "reduce_only": False}}
        other = json.loads(json.dumps(send).replace('"qty": 4', '"qty": 5'))
        one = processes.Story([send])
        self.assertFalse(any(row[3] for row in processes.compare(one, processes.Story([send]))))
        rows = processes.compare(one, processes.Story([other]))
        self.assertEqual([row[0] for row in rows if row[3]], ["quantities", "every record"])


if __name__ == "__main__":
    for program in PROGRAMS:
        if not os.access(os.path.join(lib.BUILD, program), os.X_OK):
            lib.skip(f"{program} is not built")
    lib.main()
