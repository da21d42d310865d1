#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a disk that fills up is survived: the host says so, takes no new risk, still obeys a kill,
loses nothing that was acknowledged, and goes on by itself when there is room again.
Method: the real host with its journal on a tmpfs, of which another file takes all that is left;
that file is removed to make room. The disk is many times what the journal holds ready ahead of
itself, so that one removal is room enough. Needs root and mount; skipped with the reason otherwise.
"""
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

DISK = 128 << 20


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

    def take(self, leave):
        """Takes the disk but for about so many bytes."""
        with open(self.ballast, "ab", buffering=0) as f:
            piece = 1 << 20
            while piece >= 512:
                try:
                    room = shutil.disk_usage(self.disk).free - leave
                    f.write(bytes(min(piece, max(room, 0))))
                    if room <= 0:
                        break
                except OSError:
                    piece //= 2

    def fill(self):
        """A host whose disk filled up, and its status when nothing moves any more."""
        self.take(DISK // 18)  # less than 95 %
        host = self.start("--demo", "--json", "--speed", "1000")
        before = [None]

        def stands(s):
            j, was = s["journal"], before[0]
            before[0] = (j["seq"], j["durable_seq"])
            return (j["state"] == "DISK_FULL" and s["mode"] == "REDUCING" and before[0] == was and
                    j["seq"] > j["durable_seq"])

        return host, host.until(stands, "a full disk")

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
        self.take(0)
        self.complains(self.place.headless("--for", "5m"), 1, "journal", "free space|no space")
        os.remove(self.ballast)
        self.assertEqual(json.loads(self.place.headless("--for", "5m").out)["holds"], True)


if __name__ == "__main__":
    if not lib.IS_ROOT:
        lib.skip("only root may mount a small disk")
    lib.main()
