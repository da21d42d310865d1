#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: `tenon replay --belief` proves what the plugins of a run answered: each build of each
generation again, over promotion, rollback and kills of the host; with other builds it names the
first signal that differs.

Method: the golden run, whole; and killed at steps of its promotion (at the line that says so), then
gone on with. Every journal's signals are counted by `journal cat` too, so that none is overlooked.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.path[0])
import explain_host as host  # noqa: E402

PLUGINS = host.BUILD / "plugins"


def replay(journal, *flags):
    return host.tenon("replay", "--belief", "--journal", journal, "--plugins", PLUGINS, *flags)


def report(journal, *flags):
    code, out, err = replay(journal, "--json", *flags)
    if err:
        raise AssertionError(err)
    return code, json.loads(out)


class Whole(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_ = host.Run("--for", "8h", "--seed", host.SEED)
        cls.addClassCleanup(cls.run_.remove)

    def test_every_signal_of_every_build_comes_again(self):
        code, told = report(self.run_.journal)
        self.assertEqual((code, told["identical"], told["differing"]), (0, True, 0))
        builds = {(b["instance"], b["generation"]): b for b in told["builds"]}
        self.assertEqual(sorted(builds), [("coin_cross", 1), ("coin_cross", 2), ("share_cross", 1)])
        self.assertEqual(builds["coin_cross", 2]["version"], "1.1.0")
        recorded = self.run_.records("SIGNAL")
        self.assertEqual(told["signals"], len(recorded))
        for (_, generation), build in builds.items():
            mine = [r for r in recorded if r["generation"] == generation and
                    r["payload"]["instance"] == build["id"]]
            self.assertGreater(len(mine), 0)
            self.assertEqual((build["signals"], build["same"]), (len(mine), len(mine)))

    def test_table(self):
        code, out, err = replay(self.run_.journal)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("INSTANCE", out)
        self.assertEqual(out.count("ema_cross 1.0.0"), 2)
        self.assertEqual(out.count("ema_cross 1.1.0"), 1)
        self.assertTrue(out.rstrip().endswith("identical"))
        for line in out.splitlines():
            self.assertLessEqual(len(line), 100 if "journal" not in line else 400, line)

    def test_other_builds_differ_at_a_named_signal(self):
        recorded = {r["cause_seq"] for r in self.run_.records("SIGNAL")}
        for serial, instance_of, generation in (("2", "coin_cross", 1), ("1", "coin_cross", 2)):
            code, told = report(self.run_.journal, "--as", serial)
            self.assertEqual((code, told["identical"], told["as_serial"]), (1, False, serial))
            (differs,) = [b for b in told["builds"] if not b["identical"]]
            self.assertEqual((differs["instance"], differs["generation"]),
                             (instance_of, generation))
            first = differs["difference"]
            self.assertIn(f"event {first['seq']} of {instance_of}, generation {generation}",
                          first["text"])
            self.assertIn("the journal has", first["text"])
            if "this build gives none" in first["text"]:
                self.assertIn(int(first["seq"]), recorded)

    def test_wrong_calls_are_refused(self):
        for flags, code, word in ((("--as", "9"), 66, "no deployment 9"),
                                  (("--snapshot",), 64, "from the first record"),
                                  (("--as", "0"), 64, "--as")):
            got, _, err = replay(self.run_.journal, *flags)
            self.assertEqual(got, code, err)
            self.assertIn(word, err)
        code, _, err = host.tenon("replay", "--as", "1", "--journal", self.run_.journal)
        self.assertEqual(code, 64, err)
        self.assertIn("--belief", err)

    def test_plugins_that_are_gone_are_said_so(self):
        code, out, _ = host.tenon("replay", "--belief", "--journal", self.run_.journal,
                                  "--plugins", self.run_.dir)
        self.assertEqual(code, 1)
        self.assertIn("cannot be built again", out)
        self.assertNotIn("  identical", out)


class Killed(unittest.TestCase):
    """A host that is killed on the way: what was heard before and after is proved alike."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tenon-scenario-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.dir.chmod(0o755)

    def words(self, length):
        return [str(host.BUILD / "tenond"), "--demo", "--headless", "--for", length, "--seed",
                host.SEED, "--journal", str(self.dir / "journal"), "--heads",
                str(self.dir / "heads"), "--plugins", str(PLUGINS), "--socket",
                str(self.dir / "socket")]

    def start(self, length):
        return subprocess.Popen(self.words(length), stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                env={**os.environ, "TENON_CONFIGS": str(host.GOLDEN)})

    def kill_at(self, word):
        with self.start("8h") as running:
            seen = any(word in line for line in running.stderr)
            running.kill()
        self.assertTrue(seen, f"the run never said '{word}'")

    def go_on(self, length):
        with self.start(length) as running:
            err = running.stderr.read()
        self.assertEqual(running.returncode, 0, err)

    def check(self, *words):
        for word in words:
            self.kill_at(word)
            self.go_on("3h")
            code, told = report(self.dir / "journal")
            self.assertEqual((code, told["differing"]), (0, 0), told)
            self.assertGreater(told["signals"], 30)
            shutil.rmtree(self.dir / "journal")
            shutil.rmtree(self.dir / "heads")

    def test_before_the_flip(self):
        self.check("serial 2: shadow")

    def test_on_probation(self):
        self.check("serial 2: probation")

    def test_after_the_rollback(self):
        self.check("serial 2: rolled back")


if __name__ == "__main__":
    host.need("tenon", "tenond")
    unittest.main()
