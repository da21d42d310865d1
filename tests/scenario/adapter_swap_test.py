#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a promotion that pins another build of an account's adapter swaps it under trading: the new
session logs in and is reconciled beside the old one, takes over, the old one goes; no order or
execution is lost or doubled, and the account is never in doubt.
Method: the world of the kill driver with a trust document and signed deployments instead of
throw-away keys; the venue's ledger and the engine's journal are compared as after kills. What the
host says in its log, in order, is the swap's own story.
"""
import json
import os
import shutil
import signal
import sys
import unittest

sys.dont_write_bytecode = True
import crash_books  # noqa: E402
import crash_world  # noqa: E402
import promote_lib as people  # noqa: E402
import scenario_lib as lib  # noqa: E402
import venue_lib  # noqa: E402
from crash_campaign import stamp  # noqa: E402

OLD = "plugin: tenon_venue\n      version: 1.0.0"
NEW = OLD.replace("1.0.0", "1.0.1")
OTHER_TABLE = OLD.replace("tenon_venue", "hostile_adapter")  # another budget
TOOK_OVER = "tenon_venue 1.0.1 took over"


class SignedWorld(crash_world.World):
    """Deployments that two people signed."""

    def __init__(self, seed):
        super().__init__(seed)
        self.plugins = self.at("plugins")
        shutil.copytree(crash_world.PLUGINS, self.plugins)
        shutil.copy(os.path.join(lib.BUILD, "hostile", "adapter_thrifty.so"),
                    os.path.join(self.plugins, "hostile_adapter.so"))
        with open(self.config, encoding="utf-8") as f:
            self.text = f.read().replace("seed: ", "swap: {hear: 1s, probation: 1s}\nseed: ", 1)
        self.trust = self.at("trust.yaml")
        rows = [f"{p}:{roles}:{people.keys()}/{p}.pub" for p, roles in people.ROLES.items()]
        self.tenon("trust", "init", self.trust, *rows, "--host", "killed")
        os.chmod(self.trust, 0o644)
        people.sign(self.trust, bo="root")
        self.first = self.signed("one", self.text, "--trust", self.trust, ana="author", bo="risk")

    @staticmethod
    def tenon(*words):
        done = lib.call(lib.TENON, *words)
        if done.code != 0:
            raise AssertionError(f"tenon {words}: {done}")
        return done

    def signed(self, name, text, *knows, **roles):
        """An author's file, completed by its plan and signed; gives its path."""
        draft, path = self.write(f"{name}-draft.yaml", text), self.at(f"{name}.yaml")
        self.tenon("config", "plan", draft, *knows, "--plugins", self.plugins, "--json", "--out",
                   path)
        people.sign(path, **roles)
        return path

    def start_host(self):
        self.host.start([lib.TENOND, "--config", self.first, "--trust", self.trust,
                         "--instruments", crash_world.INSTRUMENTS, "--plugins",
                         self.plugins, "--auto", "--quiet", "--leave", "--journal",
                         self.journal, "--heads", self.heads, "--socket", self.socket, "--attach",
                         os.path.join(self.run, "attach.sock")])

    def log(self):
        return [x for x in self.host.since(0).splitlines() if x.startswith("{")]

    def said(self):
        """The host's own words, in order."""
        return [json.loads(x)["msg"] for x in self.log()]


class AdapterSwap(unittest.TestCase):
    def setUp(self):
        self.world = SignedWorld(seed=5)
        self.addCleanup(self.world.remove)
        self.addCleanup(self.world.close)

    def orders(self, more):
        """Until the venue has received so many more that open risk."""
        _, at = self.world.received(0)
        seen = []

        def look():
            nonlocal at
            found, at = self.world.received(at)
            seen.extend(found)
            return sum(is_risk for _, _, is_risk in seen) >= more

        self.world.until(look, f"{more} more orders", self.world.host)

    def promote(self, adapter):
        """The first deployment with another adapter, while an order works; gives the old bay."""
        w = self.world
        w.start()
        self.orders(3)
        before = w.bays()["adapter"]
        self.assertEqual(len(before), 1)
        two = w.signed("two", w.text.replace(OLD, adapter), "--journal", w.journal, ana="author",
                       bo="operator")
        w.until(lambda: (w.status() or {}).get("open_orders", 0) > 0, "an order works", w.host)
        done = w.tenon("config", "promote", two, "--json", "--socket", w.socket)
        self.assertEqual(done.json["serial"], 2, done)
        return before

    def phases(self):
        return [s["payload"]["phase"] for s in crash_books.records(self.world.journal, "SYNC")]

    def test_promoted_adapter_takes_over_while_orders_work(self):
        w = self.world
        before = self.promote(NEW)
        w.until(lambda: any(TOOK_OVER in m for m in w.said()), TOOK_OVER, w.host)
        w.until(lambda: len(w.bays()["adapter"]) == 1, "the old one is gone", w.host)
        after = w.bays()["adapter"]
        self.assertNotEqual(after, before)
        self.orders(6)
        self.ends_well(after)
        took_over, = [stamp(x) for x in w.log() if TOOK_OVER in x]
        ledger = venue_lib.read_ledger(w.ledger)  # orders come in bursts: while both stood
        again = next(s["t_ns"] for s in crash_books.records(w.journal, "SYNC")
                     if s["payload"]["phase"] == "AGAIN")
        self.assertTrue(any(venue_lib.working_at(ledger, t) for t in
                            range(again, took_over + 1, 2 * 10**6)), (again, took_over))
        self.assertEqual(self.phases()[:3], ["WHOLE", "AGAIN", "WHOLE"])
        self.assertNotIn("LOST", self.phases())
        texts = [s["payload"]["text"] for s in crash_books.records(w.journal, "SYNC")]
        self.assertRegex(texts[1], "beside the old one")
        self.assertRegex(texts[2], "took over")

    def test_adapter_with_another_wire_table_is_told_to_egress_anew(self):
        w = self.world
        before = self.promote(OTHER_TABLE)
        w.until(lambda: sum("reconciled with" in m for m in w.said()) == 2, "it is back", w.host)
        after = w.bays()["adapter"]
        self.assertNotEqual(after, before)
        self.orders(3)
        self.ends_well(after)
        self.assertEqual(self.phases()[:3], ["WHOLE", "LOST", "WHOLE"])

    def test_adapter_that_cannot_be_opened_is_refused_before_anything_changed(self):
        w = self.world
        w.start()
        self.orders(3)
        before = w.bays()["adapter"]
        two = w.signed("two", w.text.replace(OLD, NEW), "--journal", w.journal, ana="author",
                       bo="operator")
        os.remove(os.path.join(w.plugins, "tenon_venue-1.0.1.so"))
        done = lib.call(lib.TENON, "config", "promote", two, "--socket", w.socket)
        self.assertNotEqual(done.code, 0, done)
        self.assertRegex(done.err, "tenon_venue")
        self.orders(3)
        self.ends_well(before)
        self.assertEqual(self.phases(), ["WHOLE"])

    def ends_well(self, after):
        w = self.world
        w.tenon("auto", "off", "--socket", w.socket)
        w.until(lambda: (w.status() or {}).get("open_orders") == 0, "no order is open", w.host)
        self.assertEqual(w.bays()["adapter"], after)  # it did not die meanwhile
        code = w.host.kill(signal.SIGTERM)
        self.assertEqual(code, 0, w.words())
        wrong, counts = crash_books.compare(w.ledger, w.journal)
        self.assertEqual({k: v for k, v in wrong.items() if v}, {}, w.words())
        self.assertGreater(counts["fills"], 3)
        done = lib.call(lib.VERIFY, w.journal, "--heads", w.heads, "--json")
        self.assertEqual(done.code, 0, done)
        print(f"adapter swapped: {counts}")


if __name__ == "__main__":
    for program in crash_world.PROGRAMS:
        if not os.access(program, os.X_OK):
            lib.skip(f"{program} is not built")
    lib.main()
