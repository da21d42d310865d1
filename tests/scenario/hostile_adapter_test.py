#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a hostile adapter in its bay gets nothing past tenon-egress, and is named in the host's log
with what it did. Method: the processes of tools/processes, with adapters built around the real one
(tests/fixtures/plugins/hostile_adapter) in its place; the venue's own count says what arrived. One
of them here, all with TENON_LONG=1."""
import json
import os
import re
import shutil
import sys
import types
import unittest

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

PROGRAMS = ("tenond", "tenon", "tenon-egress", "tenon-venue", "tenon-bay")
# what it does: how it is named; the most orders that may have reached the venue
HOSTILES = {
    "quantity": ("not sent: a field that says something else: qty", 0),
    "replayed": ("the adapter invented a request that no open approval covers", 1),
    "symbol": ("not sent: a field that says something else: symbol", 0),
    "price": ("not sent: a field that says something else: price", 0),
    "side": ("not sent: a field that says something else: side", 0),
    "leverage": ("not sent: a field that says something else: leverage", 0),
    "client_id": ("not sent: a field that says something else: client_id", 0),
    "unnamed": ("not sent: a field that no row names: note", 0),
    "twice_named": ("not sent: the same key twice", 0),
    "header": ("not sent: a field that no row names: X-Account:", 0),
    "class": ("not sent: it is of another class than it says", 0),
    "no_cancel": ("no order leaves: the adapter gave no stored cancel and cancel-all", 0),
    "invented": ("the adapter invented a request that no open approval covers", 1),
}
SHORT = ("quantity",)


def document():
    """The demo's, quicker, with the hostile one as the account's adapter."""
    with open(os.path.join(lib.CONFIGS, "demo-processes.yaml"), encoding="utf-8") as f:
        text = f.read().replace("bar: 5s", "bar: 1s")
    text = text.replace("plugin: tenon_venue", "plugin: hostile_adapter")
    periods = iter((3, 7, 2, 6, 4, 9))
    return re.sub(r"period: \d+", lambda m: f"period: {next(periods)}", text)


class HostileAdapter(unittest.TestCase):
    def setUp(self):
        self.place = lib.Place()
        self.addCleanup(self.place.remove)
        self.processes = lib.load_tool("processes")
        self.config = self.place.write("hostile.yaml", document())
        self.market0 = None

    def build_with(self, name):
        """A build folder whose plugin of the adapter's id is this one."""
        build = self.place.at(f"build-{name}")
        shutil.copytree(lib.PLUGINS, os.path.join(build, "plugins"))
        for program in PROGRAMS:
            os.symlink(os.path.join(lib.BUILD, program), os.path.join(build, program))
        shutil.copy(os.path.join(lib.BUILD, "hostile", f"adapter_{name}.so"),
                    os.path.join(build, "plugins", "hostile_adapter.so"))
        return build

    def run_with(self, name, market="30s", speed=10.0):
        run = self.processes.Run(types.SimpleNamespace(
            build=self.build_with(name), state=self.place.at(f"state-{name}"), config=self.config,
            instruments=os.path.join(lib.CONFIGS, "instruments.yaml"), market=market,
            speed=speed, json=True, disk=True))
        try:
            if self.market0 is None:
                run.inside()
                self.market0 = self.processes.Story(run.records("inside")).market0
            _, counts = run.over_processes(self.market0)
        finally:
            run.stop()
        with open(run.at("processes.log"), encoding="utf-8") as f:
            said = [json.loads(line)["msg"] for line in f if line.startswith("{")]
        sent = [r["payload"] for r in run.records("processes") if r["type"] == "SENT"]
        self.records = list(run.records("processes"))
        return counts[0], said, sent

    @unittest.skipUnless(lib.IS_LONG, "two minutes of market")
    def test_withheld_executions_end_the_order_and_name_the_adapter(self):
        arrived, said, _ = self.run_with("dropped_fill", "150s", 6.0)
        self.assertGreater(arrived, 0)
        kinds = [r["type"] for r in self.records]
        alerts = [r["payload"] for r in self.records if r["type"] == "ALERT"]
        self.assertEqual({a["what"] for a in alerts}, {"MISSING_FILLS"}, alerts)
        self.assertLess(kinds.count("QUERY"), 60)
        words = "hostile_adapter 1.0.0 withholds executions"
        lost = [r["payload"]["text"] for r in self.records
                if r["type"] == "SYNC" and r["payload"]["phase"] == "LOST"]
        self.assertTrue(lost and lost[0].startswith(words), lost)
        self.assertTrue([m for m in said if "after a whole reconciliation too" in m], said)
        modes = [r["payload"] for r in self.records if r["type"] == "MODED"]
        self.assertIn(("ACCOUNT", "REDUCING"), [(m["scope"], m["to"]) for m in modes])

    def test_hostile_adapters_are_refused_and_named(self):
        for name in HOSTILES if lib.IS_LONG else SHORT:
            words, most = HOSTILES[name]
            with self.subTest(adapter=name):
                arrived, said, sent = self.run_with(name)
                self.assertLessEqual(arrived, most, said)
                self.assertTrue([m for m in said if words in m], said)
                orders = [s for s in sent if not s["is_cancel"]]
                self.assertGreater(len(orders), 1, "nothing was approved: run longer")
                passed = [s for s in orders if s["what"] == "OK"]
                self.assertEqual(len(passed), arrived, orders)
                for s in orders:
                    self.assertIn(s["what"], ("OK", "SUPPRESSED"), orders)
                print(f"{name:12s} {len(orders)} approved, {arrived} at the venue: {words}")


if __name__ == "__main__":
    for program in PROGRAMS:
        if not os.access(os.path.join(lib.BUILD, program), os.X_OK):
            lib.skip(f"{program} is not built")
    lib.main()
