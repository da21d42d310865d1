#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a disk that fills up is survived: the host says so, takes no new risk, still obeys a kill,
loses nothing that was acknowledged, and goes on by itself when there is room again.
Method: the real host with its journal on a small tmpfs, most of which another file takes; that file
is removed to make room. Needs root and mount; skipped with the reason otherwise.
"""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

DISK, BALLAST = 24 << 20, 19 << 20


class DiskFull(lib.Scenario):
    def setUp(self):
        super().setUp()
        self.disk = self.place.at("disk")
        os.mkdir(self.disk)
        done = lib.call("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0777", "tenon", self.disk)
        if done.code != 0:
            self.skipTest(f"a tmpfs cannot be mounted here: {done.err.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=False)
        self.place.journal = os.path.join(self.disk, "journal")
        self.ballast = os.path.join(self.disk, "ballast")
        with open(self.ballast, "wb") as f:
            f.write(bytes(BALLAST))

    def fill(self):
        host = self.start("--demo", "--json", "--speed", "1000")
        full = host.until(lambda s: s["journal"]["state"] == "DISK_FULL" and
                          s["mode"] == "REDUCING", "a full disk")
        return host, full

    def acknowledged(self, status):
        """What was durable then is in the journal now, whole."""
        self.assertGreaterEqual(self.verified()["last_seq"], status["journal"]["durable_seq"])

    def test_full_and_then_room_again(self):
        host, full = self.fill()
        self.assertRegex(host.err(), "journal .*the disk is [0-9]+ % full.*free space")
        page = self.place.ask("status")
        self.assertRegex(page.out, "journal +DISK_FULL")
        still = host.status()
        self.assertEqual(still["totals"]["signals"], full["totals"]["signals"])
        self.assertEqual(still["totals"]["orders"], full["totals"]["orders"])
        os.remove(self.ballast)
        host.until(lambda s: s["journal"]["state"] == "OK" and s["mode"] == "ACTIVE" and
                   s["journal"]["durable_seq"] > full["journal"]["seq"], "a run that goes on")
        self.assertEqual(host.stop(), 0, host.finished())
        self.assertTrue(host.summary()["replay"]["identical"])
        self.acknowledged(full)
        modes = [(r["payload"]["mode"], r["payload"]["by"]) for r in self.place.records("MODE")]
        self.assertEqual(modes, [("REDUCING", "host"), ("ACTIVE", "host")])

    def test_a_kill_is_obeyed_while_the_disk_is_full(self):
        host, full = self.fill()
        done = self.place.ask("risk", "kill", "--reason", "full")
        self.assertEqual(done.code, 0, done)
        host.until(lambda s: s["mode"] == "KILLED" and s["open_orders"] == 0, "killed")
        os.remove(self.ballast)
        host.until(lambda s: s["journal"]["durable_seq"] > full["journal"]["seq"] and
                   all(p["qty"] == "0" for p in s["positions"]), "flat")
        self.assertEqual(host.stop(), 0, host.finished())
        self.acknowledged(full)
        self.assertEqual(self.place.records("MODE")[-1]["payload"]["mode"], "KILLED")

    def test_stopped_while_full_it_says_what_is_not_stored(self):
        host, full = self.fill()
        self.assertEqual(host.stop(), 1)
        sentence = self.complains(host.finished(), 1, "records after seq [0-9]+ up to seq [0-9]+",
                                  "free space")
        self.assertIn("DISK_FULL", sentence)
        self.acknowledged(full)
        os.remove(self.ballast)
        again = self.holds(self.place.headless("--for", "5m"))
        self.assertEqual(again["epoch"], 2)

    def test_a_start_on_a_full_disk_is_one_sentence(self):
        with open(self.ballast, "ab") as f:
            try:
                while f.write(bytes(1 << 16)):
                    f.flush()
            except OSError:
                pass
        self.complains(self.place.headless("--for", "5m"), 1, "journal", "free space|no space")
        os.remove(self.ballast)
        self.assertEqual(json.loads(self.place.headless("--for", "5m").out)["holds"], True)


if __name__ == "__main__":
    if not lib.IS_ROOT:
        lib.skip("only root may mount a small disk")
    lib.main()
