#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a host that is killed (SIGKILL) at any step of a promotion or a rollback comes back with
the old deployment or with the new one, never a mixture; it trades on, and its journal is whole.
Method: the demo, which promotes and rolls back; it is killed when it has said a step's line, at
once or a seeded moment later, and started again. What is active is read from the journal three
ways, which must agree: the last DEPLOY, the generation of every instance, and the states of all
deployments.
TENON_KILLS says how often each step is killed (1 here; tools/crash-swap takes 50).
"""
import collections
import json
import os
import random
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

KILLS = int(os.environ.get("TENON_KILLS", "1"))
SEED = int(os.environ.get("TENON_SEED", "1"))
LATER_US = 4000  # a kill comes so long after the line, at most: the disk's answer lies within
# Each step, and what may be active after a kill at it: the commit is what decides, and its record
# may or may not have reached the disk.
STEPS = {"serial 2: proposed": {1, 2}, "serial 2: verified": {1, 2}, "serial 2: approved": {1, 2},
         "serial 2: shadow": {1, 2}, "serial 2: canary": {1, 2}, "serial 1: superseded": {2},
         "serial 2: probation": {2}, "serial 3: proposed": {2, 3}, "serial 3: canary": {2, 3},
         "serial 2: rolled back": {3}, "serial 3: permanent": {3}}
ENDED = {"permanent", "superseded", "rolled back", "refused", "probation"}
# Instances that the demo's promotion gives another build; all others stay with the first.
SWAPPED = {"btc_cross", "eth_cross"}
ADDED = {"btc_atr", "eth_atr"}


def wait_us(us):
    """Not a wait for anything: the kill's own moment."""
    end = time.perf_counter_ns() + us * 1000
    while time.perf_counter_ns() < end:
        pass


class SwapKill(lib.Scenario):
    def kill_at(self, place, step, later_us):
        """Runs the demo until it says the step; True when it was killed before it ended."""
        with subprocess.Popen([lib.TENOND, *place.arguments(["--demo", "--headless", "--for", "6h",
                                                             "--json"])],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, env=lib.environment()) as host:
            for line in host.stderr:
                if step.encode() in line:
                    wait_us(later_us)
                    break
            host.kill()
            host.stderr.read()
        return host.returncode == -9

    def generations(self, records):
        """What each instance's signals come from, by its FLIPPED effects."""
        names, now = {}, {}
        for r in records:
            p = r["payload"]
            if r["type"] == "INSTANCE":
                names[p["id"]] = p["name"]
            elif r["type"] == "FLIPPED":
                now[names[p["instance"]]] = p["to"]
        return now

    def expected(self, serial):
        swapped = 2 if serial == 2 else 1
        want = {"btc_fast": 1, "btc_slow": 1, "eth_fast": 1, "eth_slow": 1, "spy_fast": 1,
                "spy_slow": 1, "spy_cross": 1}
        want.update({name: swapped for name in SWAPPED})
        return want

    def is_one(self, place):
        """Old or new, whole; gives the active serial."""
        records = place.records()
        deploys = [r["payload"] for r in records if r["type"] == "DEPLOY"]
        serials = [d["serial"] for d in deploys]
        self.assertEqual(serials, sorted(set(serials)), "a deployment became active twice")
        history = place.tenon("config", "history", "--json", "--journal", place.journal).json
        active = [d for d in history["deployments"] if d["active"]]
        self.assertEqual(len(active), 1, history)
        self.assertEqual((active[0]["serial"], active[0]["sha256"]),
                         (deploys[-1]["serial"], deploys[-1]["sha256"]))
        states = [(d["serial"], d["state"]) for d in history["deployments"]]
        self.assertLessEqual({s for _, s in states}, ENDED, states)
        generations = self.generations(records)
        for name in ADDED:
            self.assertEqual(generations.pop(name, 0), 2 if deploys[-1]["serial"] == 2 else 0)
        self.assertEqual(generations, self.expected(deploys[-1]["serial"]))
        return deploys[-1]["serial"]

    def has_no_pair_twice(self, place):
        sends = collections.Counter((r["payload"]["order"], r["payload"]["attempt"])
                                    for r in place.records("SEND"))
        self.assertEqual([s for s, n in sends.items() if n > 1], [])

    def once(self, step, later_us):
        place = self.new_place()
        killed = self.kill_at(place, step, later_us)
        self.assertTrue(killed, "the demo ended before it said " + step)
        done = place.host("--demo", "--headless", "--for", "20m", "--json")
        self.holds(done)
        serial = self.is_one(place)
        self.has_no_pair_twice(place)
        self.verified(place)
        place.remove()
        return serial

    def test_killed_at_each_step(self):
        rng = random.Random(SEED)
        print(f"seed {SEED}, {KILLS} at each of {len(STEPS)} steps")
        for step, allowed in STEPS.items():
            ended = collections.Counter()
            for _ in range(KILLS):
                later_us = rng.randrange(0, LATER_US)
                with self.subTest(step=step, later_us=later_us):
                    ended[self.once(step, later_us)] += 1
            print(f"  killed at {step:24}  active afterwards: " +
                  ", ".join(f"serial {s} {n} times" for s, n in sorted(ended.items())))
            self.assertLessEqual(set(ended), allowed, step)


if __name__ == "__main__":
    lib.main()
