#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: `tenon config plan` says, for each kind of change, what an operator needs to act on: the
differences and which way they move risk, what becomes of what is held, the warm-up, who signs, the
next command; and what it writes with --out is what it said.

Method: a short run of the demo deployment, signed with throwaway keys, with a fixed seed, so that
positions, orders and history are the same to the digit. Its journal is read by the plan of one
edited file per kind of change; the texts are compared with tests/fixtures/golden/plan-*.txt.
Hashes, folders and times of day are masked. `--update` writes the texts anew.
"""
import difflib
import json
import os
import pathlib
import re
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scenario_lib as lib  # noqa: E402

GOLDEN = pathlib.Path(lib.SOURCE) / "tests" / "fixtures" / "golden"
DEMO = pathlib.Path(lib.CONFIGS) / "demo.yaml"
UPDATE = "--update" in sys.argv
MASKS = [(re.compile(r"(?<=serial \d \()[0-9a-f]{12}"), "<sha256>"),
         (re.compile(r"(?<=sha256 {2})[0-9a-f]{12} -> [0-9a-f]{12}"), "<sha256> -> <sha256>"),
         (re.compile(r"\b[0-9a-f]{12}\b"), "<sha256>"),
         (re.compile(r"promoted from \S+ to \S+Z"), "promoted from <now> to <tomorrow>")]

BTC = "btc_cross:\n    plugin: ema_cross\n    version: 1.0.0"
ATR = "  btc_atr: {plugin: atr, version: 1.0.0, instrument: BTC-USD, bar: 1m}\n  "
INPUTS = "slow: btc_slow.value}"
SPY_ROUTE = ("  - {strategy: spy_cross, instrument: SPY, account: paper, env: paper, "
             'budget: "20000"}\n')
SPY_LIMITS = ("  by_strategy:\n    spy_cross: {max_open_orders: 1}\n", "")
SPY = re.compile(r"  spy_fast:.*\n  spy_slow:.*\n  spy_cross:\n(    .*\n)+")
KINDS = {
    "plan-version": [("  " + BTC, ATR + BTC.replace("1.0.0", "1.1.0")),
                     (INPUTS, INPUTS[:-1] + ", atr: btc_atr.value}")],
    "plan-params": [("params: {period: 8}", "params: {period: 9}"),
                    ("stop_ppm: 30000", "stop_ppm: 25000")],
    "plan-tighter": [('max_order_value: "21000"', 'max_order_value: "15000"'),
                     ("BTC-USD: {max_order_qty: 5, max_position_qty: 5}",
                      "BTC-USD: {max_order_qty: 2, max_position_qty: 0.5}")],
    "plan-looser": [("max_leverage_x: 3", "max_leverage_x: 4"),
                    ('instrument: ETH-USD, account: paper, env: paper, budget: "20000"',
                     'instrument: ETH-USD, account: paper, env: paper, budget: "30000"')],
    "plan-removed": [(SPY_ROUTE, ""), SPY_LIMITS, (SPY, "")],
    "plan-removed-flatten": [(SPY_ROUTE, ""), SPY_LIMITS, (SPY, ""),
                             ("seed: 7\n", "seed: 7\non_remove: {spy_cross: flatten}\n")],
    "plan-until": [("seed: 7\n", "seed: 7\nrun_until: 2024-06-30T00:00:00Z\n"
                    "swap: {hear: 5m, probation: 2h, denials: 4}\n")],
}


def edited(text, edits):
    for old, new in edits:
        if isinstance(old, re.Pattern):
            text, count = old.subn(new, text)
            assert count == 1, old
        else:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
    return text


class Plans(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = lib.Place()
        cls.addClassCleanup(cls.place.remove)
        done = cls.place.host("--config", str(DEMO), "--throwaway-keys", "--auto", "--headless",
                              "--json", "--for", "6h", "--seed", "7")
        if done.code != 0:
            raise AssertionError(done)
        cls.base = DEMO.read_text(encoding="utf-8")

    def plan(self, name, *flags):
        path = self.place.write("next.yaml", edited(self.base, KINDS[name]))
        return lib.call(lib.TENON, "config", "plan", path, "--plugins", lib.PLUGINS, "--journal",
                        self.place.journal, *flags)

    def mask(self, text):
        text = text.replace(self.place.path, "<folder>")
        for pattern, word in MASKS:
            text = pattern.sub(word, text)
        return text

    def compare(self, name):
        done = self.plan(name)
        self.assertEqual((done.code, done.err), (0, ""), done)
        text = self.mask(done.out)
        path = GOLDEN / f"{name}.txt"
        if UPDATE:
            path.write_text(text, encoding="ascii")
        golden = path.read_text(encoding="ascii")
        if text != golden:
            self.fail("differs from the golden text (rewrite with --update):\n" + "".join(
                difflib.unified_diff(golden.splitlines(True), text.splitlines(True), path.name,
                                     "told now")))
        for line in text.splitlines():
            self.assertLessEqual(len(line), 100, line)

    def test_another_version(self):
        self.compare("plan-version")

    def test_params_only(self):
        self.compare("plan-params")

    def test_limits_tightened(self):
        self.compare("plan-tighter")

    def test_limits_raised(self):
        self.compare("plan-looser")

    def test_strategy_removed_that_holds(self):
        self.compare("plan-removed")

    def test_strategy_removed_with_on_remove(self):
        self.compare("plan-removed-flatten")

    def test_times(self):
        self.compare("plan-until")

    def test_first_deployment(self):
        """No journal and no trust document: said to be unknown."""
        path = self.place.write("first.yaml", self.base)
        home = self.place.at("home")
        done = lib.call(lib.TENON, "config", "plan", path, "--plugins", lib.PLUGINS,
                        env=dict(lib.environment(), HOME=home, XDG_STATE_HOME=home))
        self.assertEqual((done.code, done.err), (0, ""), done)
        text, golden = self.mask(done.out), GOLDEN / "plan-first.txt"
        if UPDATE:
            golden.write_text(text, encoding="ascii")
        self.assertEqual(text, golden.read_text(encoding="ascii"))

    def test_json_says_the_same(self):
        done = self.plan("plan-removed", "--json")
        self.assertEqual(done.code, 0, done)
        plan = done.json
        self.assertEqual(plan["schema"], "tenon.plan.v1")
        self.assertEqual([x["strategy"] for x in plan["leaving"]], ["spy_cross"])
        self.assertEqual(plan["leaving"][0]["owns"]["positions"], 1)
        self.assertEqual(plan["running"]["serial"], 1)

    def test_out_is_what_was_said_and_takes_nobodys_place(self):
        out = self.place.at("proposal.yaml")
        done = self.plan("plan-params", "--out", out)
        self.assertEqual(done.code, 0, done)
        self.assertIn(f"Plan for {out}: serial 2 for host demo", done.out)
        again = self.plan("plan-params", "--out", out)
        self.assertEqual(again.code, 65, again)
        self.assertIn("exists already", again.err)
        valid = lib.call(lib.TENON, "config", "validate", out, "--plugins", lib.PLUGINS)
        self.assertEqual(valid.code, 0, valid)
        with open(out, encoding="ascii") as f:
            first = f.read()
        same = lib.call(lib.TENON, "config", "plan", out, "--plugins", lib.PLUGINS, "--journal",
                        self.place.journal, "--out", out)  # the very file: replaced
        self.assertEqual(same.code, 0, same)
        with open(out, encoding="ascii") as f:
            second = f.read()
        strip = re.compile(r"^template: .*\n", re.MULTILINE)
        self.assertEqual(strip.sub("", first), strip.sub("", second))
        diff = lib.call(lib.TENON, "config", "diff", out, "--journal", self.place.journal, "--json")
        rows = json.loads(diff.out)["rows"]
        self.assertEqual([r["path"] for r in rows],
                         ["instances.btc_fast.params.period",
                          "instances.eth_cross.params.stop_ppm"])
        other = self.place.write("stale.yaml", first.replace("serial: 2\n", "serial: 3\n"))
        stale = lib.call(lib.TENON, "config", "plan", other, "--journal", self.place.journal)
        self.assertEqual(stale.code, 65, stale)
        self.assertIn("is serial 3, but the running one is serial 1, so the next is 2", stale.err)

    def test_a_build_that_does_not_fit_is_refused_before_anybody_signs(self):
        path = self.place.write("bad.yaml", edited(self.base, [(BTC, BTC.replace("1.0", "1.1"))]))
        out = self.place.at("none.yaml")
        done = lib.call(lib.TENON, "config", "plan", path, "--plugins", lib.PLUGINS, "--journal",
                        self.place.journal, "--out", out)
        self.assertEqual(done.code, 78, done)
        self.assertIn("input atr of ema_cross is not bound", done.err)
        self.assertFalse(os.path.exists(out))

    def test_plugins_that_are_not_here_leave_the_warm_up_unknown(self):
        out = self.place.at("pinned.yaml")
        self.assertEqual(self.plan("plan-params", "--out", out).code, 0)
        empty = self.place.at("empty")
        os.makedirs(empty, exist_ok=True)
        done = lib.call(lib.TENON, "config", "plan", out, "--plugins", empty, "--journal",
                        self.place.journal)
        self.assertEqual(done.code, 0, done)
        self.assertIn("the warm-up is not known: ", done.err)
        self.assertIn("btc_cross: not known here", done.out)

    def test_what_cannot_change_is_refused_before_anybody_signs(self):
        path = self.place.write("fixed.yaml", self.base.replace("seed: 7\n", "seed: 8\n"))
        out = self.place.at("never.yaml")
        done = lib.call(lib.TENON, "config", "plan", path, "--plugins", lib.PLUGINS, "--journal",
                        self.place.journal, "--out", out)
        self.assertEqual(done.code, 78, done)
        self.assertIn("seed: cannot change from 7 to 8 while the host runs", done.err)
        self.assertFalse(os.path.exists(out))


if __name__ == "__main__":
    lib.need_programs()
    unittest.main(argv=[a for a in sys.argv if a != "--update"])
