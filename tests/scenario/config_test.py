#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: `config validate` refuses what could not run here and says where, `config explain` knows
every key, and `config diff` sets the last good, the running and the proposed deployment side by
side. Method: the real tool over edited copies of the demo deployment, and over the journal of a
demo run that promoted once and went back.
"""
import os
import pathlib
import re
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scenario_lib as lib  # noqa: E402

DEMO = pathlib.Path(lib.CONFIGS) / "demo.yaml"
KEYS = pathlib.Path(lib.SOURCE) / "host" / "deploy" / "keys.h"
LATER = ("TRUST", "THRESHOLDS", "PERSON", "REQUEST", "TABLE")  # of other documents


class Config(lib.Scenario):
    def config(self, *args):
        return lib.call(lib.TENON, "config", *args)

    def edited(self, old, new):
        text = DEMO.read_text(encoding="utf-8")
        self.assertEqual(text.count(old), 1, old)
        return self.place.write("edited.yaml", text.replace(old, new))

    def test_every_shipped_file_is_valid(self):
        for name in ("demo", "paper-bars", "paper-tape", "paper-us-share"):
            done = self.config("validate", f"{lib.CONFIGS}/{name}.yaml", "--plugins", lib.PLUGINS,
                               "--json")
            self.assertEqual(done.code, 0, done)
            self.assertTrue(done.json["valid"])
            self.assertEqual(done.json["plugins_missing"], 0)
            self.assertEqual(done.json["plugins_checked"], done.json["instances"])

    def test_validate_asks_the_plugins(self):
        pin = '"' + "0" * 64 + '"'
        bad = (
            ("params: {period: 8}", "params: {period: 0}", 78,
             r"CFG012\S* \S+edited.yaml:32:\d+ instances.btc_fast.params.period: 0 is outsi"),
            ("params: {period: 8}", "params: {perod: 8}", 78, r"nearest known parameter period"),
            ("slow: btc_slow.value}", "slow: btc_slow.valu}", 78, r"ema has no output valu"),
            ("{fast: btc_fast.value, slow", "{quick: btc_fast.value, slow", 78,
             r"has no input quick"),
            ("inputs: {fast: btc_fast.value, slow: btc_slow.value}",
             "inputs: {fast: btc_fast.value}", 78, r"input slow of ema_cross is not bound"),
            ("btc_fast: {plugin: ema, version: 1.0.0,",
             f"btc_fast: {{plugin: ema, version: 1.0.0, path: {lib.PLUGINS}/atr.so,", 76,
             r"wants ema 1.0.0 but the file holds atr"),
            ("btc_fast: {plugin: ema,", "btc_fast: {plugin: emma,", 66, r"plugin emma 1.0.0: neit"),
        )
        for old, new, code, words in bad:
            with self.subTest(new=new):
                path = self.edited(old, new)
                done = self.config("validate", path, "--plugins", lib.PLUGINS)
                self.complains(done, code, words)
        text = DEMO.read_text(encoding="utf-8").replace(
            "{plugin: ema, version: 1.0.0,", f"{{plugin: ema, version: 1.0.0, sha256: {pin},")
        done = self.config("validate", self.place.write("pin.yaml", text), "--plugins", lib.PLUGINS)
        self.complains(done, 78, r"CFG019.*not the pinned 000000000000")

    def test_validate_without_plugins_says_what_it_did_not_check(self):
        path = self.edited("btc_fast: {plugin: ema,", "btc_fast: {plugin: emma,")
        done = self.config("validate", path)
        self.assertEqual(done.code, 0, done)
        self.assertRegex(done.err, r"^1 of 9 instances were not checked against their plugins")

    def test_explain_knows_every_key(self):
        rows = re.findall(r"X\(([A-Z]+), (\w+), [01], ", KEYS.read_text(encoding="ascii"))
        keys = {key for section, key in rows if section not in LATER}
        self.assertGreater(len(keys), 60)
        for key in sorted(keys):
            done = self.config("explain", key, "--json")
            self.assertEqual(done.code, 0, done)
            for found in done.json["keys"]:
                self.assertEqual(found["key"], key)
                for part in ("text", "form", "default", "example"):
                    self.assertNotEqual(found[part], "", (key, part))

    def test_explain_takes_paths_and_names_the_nearest(self):
        for path, words in (("limits.all.price_collar_pct", "range    0.1 to 50 percent"),
                            ("limits.by_strategy.btc_cross.max_open_orders", "default  50"),
                            ("routes[0].budget", "above 0 to 10000000000"),
                            ("routes.budget", "money behind a full signal"),
                            ("instances.btc_cross.due", "range    0ms to 1h"),
                            ("accounts.paper.venue.profile", "one of: plain demo"),
                            ("instances.btc_cross.params.period", "instance: params"),
                            ("swap.denials", "range    1 to 16 of 16 intents")):
            done = self.config("explain", path)
            self.assertEqual(done.code, 0, done)
            self.assertIn(words, done.out)
        self.complains(self.config("explain", "limits.all.max_ordr_qty"), 66,
                       "nearest known key max_order_qty")
        self.complains(self.config("explain", "limits.all.xyzzyx"), 66, "is no key of a deployment")

    def test_diff_of_two_files(self):
        done = self.config("diff", self.edited("max_leverage_x: 3", "max_leverage_x: 4"), str(DEMO))
        self.assertEqual(done.code, 0, done)
        self.assertRegex(done.out, r"\n! limits.all.max_leverage_x +3 +4\n")
        self.assertIn("raises risk", done.out)
        same = self.config("diff", str(DEMO), str(DEMO))
        self.assertEqual(same.out, f"{DEMO} says the same as {DEMO}.\n")

    def test_diff_sets_three_side_by_side(self):
        self.holds(self.place.headless("--for", "6h"))
        proposed = self.place.at("proposal.yaml")
        path = self.edited("max_leverage_x: 3", "max_leverage_x: 2")
        done = self.config("plan", path, "--plugins", lib.PLUGINS, "--journal", self.place.journal,
                           "--out", proposed)
        self.assertEqual(done.code, 0, done)
        done = self.config("diff", proposed, "--journal", self.place.journal)
        self.assertEqual(done.code, 0, done)
        self.assertRegex(done.out, r"^  KEY +LAST GOOD +RUNNING +PROPOSED\n")
        self.assertRegex(done.out, r"\n~ limits.all.max_leverage_x +3 +3 +2\n")
        # What only the last change touched: taken back, and so it stays.
        self.assertRegex(done.out, r"\n  instances.btc_cross.version +1.1.0 +1.0.0 +1.0.0\n")


if __name__ == "__main__":
    lib.main()
