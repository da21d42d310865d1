#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a strategy that is hostile on purpose, in a bay of its own process, is contained and named
in the journal, and changes nothing of what the strategy beside it does: not one intent, in a run as
fast as it goes as well as in one that keeps pace with the clock and waits for nobody.
Method: the real host and tenon-bay, two markets, one strategy on each; the well-behaved one's
intents of every run are compared with those beside a bay that is never hostile.
"""
import os
import sys
import unittest

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

SWAP = os.path.join(lib.BUILD, "swap")
# The words by which the end of each is told; all there are go through tests/unit/bays.
WAITED = {
    "hostile_nan": "finite",
    "hostile_segfault": "died 3 times",
    "hostile_leak": "died 3 times",
    "hostile_socket": "socket",
    "hostile_scribble": "has written what",
    "hostile_quit": "died 3 times",
}
PACED = ("hostile_spin", "hostile_flood")
NEVER = 1000000  # live bars until it is hostile

DOCUMENT = """schema: 1
host: lab
serial: 0
seed: 7
currencies:
  USD: {{exponent: -8}}
accounts:
  paper:
    currency: USD
    balance: "100000"
    simulated: true
    venue: {{profile: plain, latency_ms: 20, maker_fee_bps: 1, taker_fee_bps: 5}}
instruments:
  BTC-USD: {{}}
  ETH-USD: {{}}
instances:
  good: {{plugin: chatty, version: 1.0.0, instrument: BTC-USD, bar: 1m, due: 20ms}}
  bad:
    plugin: {plugin}
    version: 1.0.0
    instrument: ETH-USD
    bar: 1m
    due: 20ms
    bay: process
    params: {{after: {after}, target_ppm: 1000}}
routes:
  - {{strategy: good, instrument: BTC-USD, account: paper, env: paper, budget: "20000"}}
  - {{strategy: bad, instrument: ETH-USD, account: paper, env: paper, budget: "100"}}
limits:
  all: {{max_order_value: "21000", price_collar_pct: 2, max_exposure_pct: 50, max_leverage_x: 3,
        max_open_orders: 10, max_messages_per_s: 20, max_order_qty: 50, max_position_qty: 50}}
"""


class Hostile(lib.Scenario):
    def run_beside(self, plugin, speed=None, after=5):
        """Runs it; gives the other's intents and what the journal says of the bay."""
        place = self.new_place()
        config = place.write("hostile.yaml", DOCUMENT.format(plugin=plugin, after=after))
        args = ["--config", config, "--throwaway-keys", "--plugins", SWAP, "--auto"]
        if speed is None:
            done = place.host(*args, "--headless", "--json", "--for", "40m")
            self.assertTrue(done.json["replay"]["identical"], done)
            self.assertIn(done.code, (0, 1))  # 1: a bay in quarantine is nothing to call good
        else:
            host = self.start(*args, "--speed", speed, place=place)
            began_ns = host.until(lambda s: True, "the first event")["now_ns"]
            host.until(lambda s: s["now_ns"] > began_ns + 25 * lib.MINUTE_NS, "25 minutes")
            host.process.kill()
            host.wait()
        self.verified(place)
        names = {r["payload"]["name"]: r["payload"]["id"] for r in place.records("INSTANCE")}
        intents = [tuple(r["payload"][k] for k in ("side", "qty", "price", "origin")) + (r["t_ns"],)
                   for r in place.records("INTENT")
                   if r["payload"]["strategy"] in ("good", names["good"])]
        told = [(r["payload"]["what"], r["payload"].get("text", ""))
                for r in place.records("PLUGIN")
                if r["payload"]["instance"] in ("bad", names["bad"])]
        return intents, told

    def run_healthy(self):
        """The other's intents beside a bay that lives to the end."""
        intents, told = self.run_beside("hostile_nan", after=NEVER)
        self.assertEqual([x for x in told if x[0] in ("DIED", "QUARANTINED")], [])
        return intents

    def test_fast_run_contains_and_names_each(self):
        base = self.run_healthy()
        for plugin, words in WAITED.items():
            with self.subTest(plugin):
                intents, told = self.run_beside(plugin)
                ends = [text for what, text in told if what == "QUARANTINED"]
                self.assertEqual(len(ends), 1, told)
                self.assertIn(words, ends[0])
                self.assertGreater(len(intents), 10)
                self.assertEqual(intents, base)

    def test_paced_run_waits_for_nobody(self):
        base = self.run_healthy()
        for plugin in PACED:
            with self.subTest(plugin):
                intents, told = self.run_beside(plugin, "600")
                deaths = [text for what, text in told if what == "DIED"]
                self.assertGreater(len(deaths), 0, told)
                self.assertIn("no answer", deaths[0])
                self.assertGreater(len(intents), 10)
                both = min(len(intents), len(base))
                self.assertEqual(intents[:both], base[:both])


if __name__ == "__main__":
    if not os.path.exists(os.path.join(lib.BUILD, "tenon-bay")):
        lib.skip("tenon-bay is not built")
    unittest.main(verbosity=2)
