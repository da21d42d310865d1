#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a run over tenon-egress, tenon-venue, the adapter's and the strategies' bays is the run in
one process, event by event. Method: tools/processes itself, with the demo made quicker (shorter
bars and averages, so that half a minute of market trades, and slowly: nothing may be late on a busy
machine either), and its verdict read; its measure of time is shown and not judged. A venue with
another seed must be told apart, so that equal means something.
"""
import json
import os
import re
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

PROGRAMS = ("tenon-egress", "tenon-venue", "tenon-bay")
RUN_S = 300  # more than the guards of tools/processes


def quick():
    """The demo's document with bars of a second and averages of a few of them."""
    with open(os.path.join(lib.CONFIGS, "demo-processes.yaml"), encoding="utf-8") as f:
        text = f.read().replace("bar: 5s", "bar: 1s")
    periods = iter((1, 3, 1, 3, 1, 3))
    return re.sub(r"period: \d+", lambda m: f"period: {next(periods)}", text)


class Processes(unittest.TestCase):
    def setUp(self):
        self.place = lib.Place()
        self.addCleanup(self.place.remove)

    def test_run_over_processes_is_the_run_in_one(self):
        config = self.place.write("quick.yaml", quick())
        done = lib.call(os.path.join(lib.SOURCE, "tools", "processes"), "--build", lib.BUILD,
                        "--state", self.place.at("state"), "--config", config, "--for", "30s",
                        "--speed", "2.5", "--json", timeout=RUN_S)
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

    def test_what_cannot_run_is_told_in_a_sentence(self):
        bare = self.place.write("bare.yaml", re.sub(r"latency_ms: \d+", "", quick()))
        never = self.place.write("never.yaml", re.sub(r"\bdue: \w+", "", quick()))
        here = self.place.write("here.yaml", quick().replace("via: egress", ""))
        good = self.place.write("good.yaml", quick())
        for words, code, *given in (
                ("--for: '90' is no time", 64, "--config", good, "--for", "90"),
                ("--speed 0", 64, "--config", good, "--speed", "0"),
                ("--speed: invalid", 64, "--config", good, "--speed", "x"),
                ("cannot be read", 66, "--config", self.place.at("none.yaml")),
                ("one account via egress", 66, "--config", here),
                ("says no latency_ms", 66, "--config", bare),
                ("says no due", 66, "--config", never)):
            done = lib.call(os.path.join(lib.SOURCE, "tools", "processes"), "--build", lib.BUILD,
                            "--state", self.place.at("state"), *given)
            self.assertEqual((done.code, len(done.err.splitlines())), (code, 1), done)
            self.assertIn(words, done.err)
            self.assertFalse(os.path.exists(self.place.at("state")))

    def test_program_that_does_not_end_is_killed(self):
        processes = lib.load_tool("processes")
        processes.GRACE_S = 0.1
        run = processes.Run.__new__(processes.Run)
        run.children, deaf = [], "trap '' TERM; echo deaf; read never"
        child = subprocess.Popen(["/bin/sh", "-c", deaf], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        self.assertEqual(child.stdout.readline(), b"deaf\n")
        run.children.append(child)
        run.stop()
        self.assertEqual(child.returncode, -signal.SIGKILL)
        child.stdin.close()
        child.stdout.close()

    def test_comparison_tells_a_different_story_apart(self):
        processes = lib.load_tool("processes")
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
