#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a host that ends, by a signal, by kill -9 or by a kill of its trading, goes on where its
journal ends: nothing lost, nothing twice, indicators warm, positions kept, auto trading off until
somebody switches it on, a kill for ever.
Method: the real host in two epochs on one journal; figures from the journal's records, which are
recounted here, and from an uninterrupted run on the same data.
"""
import collections
import json
import os
import shutil
import signal
import sys

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

ENDED = {"DENIED", "FILLED", "CANCELLED", "REJECTED", "EXPIRED", "ABSENT"}


class Restart(lib.Scenario):
    def bars(self, count=2000, seed=1):
        path = self.place.write("bars.csv", lib.csv(lib.BARS, lib.bar_rows(count, seed)))
        return ["--data", path, "--instrument", "BTC-USD"]

    def books(self, place=None):
        """Net positions, counted from the fills in the journal; nothing twice on the way."""
        net, trades, sends = collections.Counter(), set(), set()
        for r in (place or self.place).records():
            p = r["payload"]
            if r["type"] == "SEND":
                attempt = (p["order"], p["attempt"])
                self.assertNotIn(attempt, sends)
                sends.add(attempt)
            if r["type"] != "EXEC" or p["kind"] != "TRADE":
                continue
            trade = (p["account"], p["instrument"], p["trade_id"])
            self.assertNotIn(trade, trades, r)
            trades.add(trade)
            self.assertIn(p["order"], {order for order, _ in sends}, "a fill of an order not sent")
            net[p["instrument"]] += int(p["last_qty"]) * (1 if p["side"] == "LONG" else -1)
        return net, len(trades), len(sends)

    def modes(self):
        return [(r["payload"]["to"], r["payload"]["why"]) for r in self.place.records("MODED")]

    def signals(self, place):
        keys = ("side", "target_ppm", "score_ppm", "limit_offset", "stop_distance", "reasons",
                "reason")
        return [(r["t_ns"], *(json.dumps(r["payload"].get(k)) for k in keys))
                for r in place.records("SIGNAL")]

    # ---- an ordered end ----

    def test_two_halves_are_one_run(self):
        data = self.bars()
        first = self.holds(self.place.headless(*data, "--for", "20h"))
        self.assertGreater(first["positions_left"], 0)
        second = self.holds(self.place.headless(*data))
        self.assertEqual(second["epoch"], 2)
        bars = [int(r["payload"]["open_ns"]) for r in self.place.records("BAR")]
        self.assertEqual(len(bars), 2000)
        self.assertEqual(bars, sorted(set(bars)))
        self.assertEqual(first["market_events"] + second["market_events"], len(bars))
        net, fills, orders = self.books()
        self.assertEqual(net[1], second["venue"]["net"]["BTC-USD"])
        self.assertEqual((fills, orders), (second["venue"]["fills"], second["venue"]["orders"]))
        self.assertGreater(orders, first["venue"]["orders"])
        self.verified()
        whole = self.new_place()
        self.holds(whole.headless(*data))
        self.assertEqual(self.signals(self.place), self.signals(whole))

    def test_the_ledgers_of_both_epochs_add_up(self):
        data = self.bars()
        self.holds(self.place.headless(*data, "--for", "20h"))
        second = self.holds(self.place.headless(*data))
        text = ""
        for path in self.place.ledgers():
            with open(path, encoding="ascii") as f:
                text += f.read() if not text else f.read().split("\n", 1)[1]
        both = self.place.write("both", text)
        summary = self.place.write("summary.json", json.dumps(second))
        done = lib.call(sys.executable, lib.RECOUNT, both, "--compare", summary)
        self.assertEqual(done.code, 0, done.err)

    def test_rows_reported_before_are_not_reported_again(self):
        rows = lib.bar_rows(300)
        dirty = [*rows[:100], "bad,row", *rows[100:]]  # right behind the row the first run ends at
        path = self.place.write("bars.csv", lib.csv(lib.BARS, dirty))
        data = ["--data", path, "--instrument", "BTC-USD"]
        self.holds(self.place.headless(*data, "--for", "99m"))
        self.holds(self.place.headless(*data))
        reports = self.place.records("ROWS")
        self.assertEqual([r["payload"]["first_line"] for r in reports], [102])
        self.assertEqual(len(self.place.records("BAR")), 300)

    def test_sigterm_ends_a_paced_run_in_order_and_it_goes_on(self):
        host = self.start("--demo", "--json", "--speed", "60000")
        host.until(lambda s: s["totals"]["orders"] > 5, "five orders")
        self.assertEqual(host.stop(signal.SIGTERM), 0, host.finished())
        first = host.summary()
        self.assertTrue(first["replay"]["identical"])
        self.assertEqual(self.place.records("STOP")[-1]["payload"]["positions"],
                         first["positions_left"])
        second = self.holds(self.place.headless("--for", "2h"))
        self.assertEqual(second["epoch"], 2)
        self.assertGreaterEqual(second["venue"]["orders"], first["venue"]["orders"])
        net, fills, _ = self.books()
        self.assertEqual(fills, second["venue"]["fills"])
        self.assertEqual({k: net[i + 1] for i, k in enumerate(("BTC-USD", "ETH-USD", "SPY"))},
                         second["venue"]["net"])
        self.verified()

    def test_auto_is_off_after_a_start_that_is_no_demo(self):
        data = self.bars()
        self.holds(self.place.headless(*data, "--for", "20h"))
        config = ["--config", os.path.join(lib.CONFIGS, "paper-bars.yaml")]
        self.holds(self.place.host("--headless", "--json", *config, *data))
        start = [r["seq"] for r in self.place.records("START")][-1]
        decisions = [r["payload"] for r in self.place.records("DECISION", at_least=start)]
        opening = [d for d in decisions if not d["reducing"]]
        self.assertGreater(len(opening), 0)  # belief spoke, permission was not given
        self.assertEqual([d for d in opening if d["approved"]], [])
        self.assertTrue(all("LIFECYCLE_AUTO_OFF" in d["denied_by"] for d in opening), opening[:1])

    # ---- a sudden end ----

    def test_kill_9_in_the_middle_loses_and_doubles_nothing(self):
        host = self.start("--demo", "--speed", "60000")
        seen = host.until(lambda s: s["totals"]["orders"] > 12, "twelve orders")
        host.stop(signal.SIGKILL)
        self.assertEqual(host.process.returncode, -signal.SIGKILL)
        dead = self.verified()
        self.assertGreaterEqual(dead["last_seq"], seen["journal"]["durable_seq"])
        summary = self.holds(self.place.headless("--for", "3h"))
        self.assertEqual(summary["epoch"], 2)
        self.assertEqual(self.modes()[-2:], [("SAFE_START", "START"), ("ACTIVE", "CLEAN")])
        net, fills, orders = self.books()
        self.assertEqual((fills, orders), (summary["venue"]["fills"], summary["venue"]["orders"]))
        self.assertEqual({k: net[i + 1] for i, k in enumerate(("BTC-USD", "ETH-USD", "SPY"))},
                         summary["venue"]["net"])
        self.assertGreaterEqual(orders, seen["totals"]["orders"])
        start = [r["seq"] for r in self.place.records("START")][-1]
        state = {r["payload"]["order"]: r["payload"]["to"] for r in self.place.records("ORDER")}
        before = {o: s for o, s in state.items() if int(o) >> 10 < start}
        self.assertGreater(len(before), 12)
        self.assertEqual({s for s in before.values()} - ENDED, set(), "orders that never end")
        self.verified()

    def test_a_start_that_fails_leaves_the_next_one_free(self):
        data = self.bars(300)
        plugins = self.place.at("plugins")
        shutil.copytree(lib.PLUGINS, plugins)
        os.chmod(plugins, 0o755)
        os.remove(os.path.join(plugins, "ema.so"))
        done = self.place.headless(*data, "--plugins", plugins)
        self.complains(done, 66, "plugin ema 1.0.0", "--plugins")
        self.holds(self.place.headless(*data))

    # ---- what it refuses to go on from ----

    def test_a_changed_deployment_is_refused(self):
        data = self.bars(300)
        self.holds(self.place.headless(*data, "--for", "2h"))
        with open(os.path.join(lib.CONFIGS, "paper-bars.yaml"), encoding="utf-8") as f:
            changed = f.read().replace("period: 12", "period: 13")
        config = self.place.write("changed.yaml", changed)
        done = self.place.host("--headless", "--json", "--config", config, *data)
        self.complains(done, 65, "another deployment", "changed.yaml", "empty journal folder")
        self.assertEqual(len(self.place.records("START")), 1)
        self.holds(self.place.headless(*data))

    def test_other_data_is_refused(self):
        data = self.bars(300)
        self.holds(self.place.headless(*data, "--for", "2h"))
        for name, rows, words in (("other.csv", lib.bar_rows(300, seed=2), "something else than"),
                                  ("short.csv", lib.bar_rows(50), "71 events before")):
            path = self.place.write(name, lib.csv(lib.BARS, rows))
            done = self.place.headless("--data", path, "--instrument", "BTC-USD")
            self.complains(done, 65, name, words, "empty journal folder")
        self.holds(self.place.headless(*data))
        self.verified()

    def test_another_seed_of_the_demo_market_is_refused(self):
        self.holds(self.place.headless("--for", "10m"))
        done = self.place.headless("--for", "10m", "--seed", "8")
        self.complains(done, 65, "generated market", "something else than")

    # ---- without a deployment ----

    def test_no_deployment_is_a_clear_state_and_survives_a_restart(self):
        for epoch in (1, 2):
            host = self.start()
            status = host.until(lambda s: True, "an answer")
            self.assertEqual(status["epoch"], epoch)
            self.assertEqual((status["state"], status["deployment"]), ("no_deployment", ""))
            page = self.place.ask("status")
            self.assertEqual(page.code, 0)
            self.assertRegex(page.out, "deployment +none is active: start one with")
            self.assertRegex(page.out, "market +none")
            self.assertEqual(host.stop(), 0, host.finished())
        self.verified()

    def test_a_run_goes_on_under_its_own_deployment_without_being_told(self):
        data = self.bars(300)
        first = self.holds(self.place.headless(*data, "--for", "2h"))
        second = self.holds(self.place.host("--headless", "--json", *data))
        self.assertEqual((first["epoch"], second["epoch"]), (1, 2))
        self.assertEqual(second["rows"]["used"], 300)
        deployed = {r["payload"]["sha256"] for r in self.place.records("DEPLOY")}
        self.assertEqual(len(deployed), 1)
        self.assertEqual(len(self.place.records("TRUST")), 1)  # nobody signed again

    # ---- a kill ----

    def test_a_kill_cancels_flattens_denies_and_stays(self):
        host = self.start("--demo", "--json", "--speed", "60000")
        host.until(lambda s: any(p["qty"] != "0" for p in s["positions"]), "a position")
        done = self.place.ask("risk", "kill", "--reason", "scenario")
        self.assertEqual(done.code, 0, done)
        host.until(lambda s: s["mode"] == "KILLED" and s["open_orders"] == 0 and
                   all(p["qty"] == "0" for p in s["positions"]), "killed and flat")
        orders = host.status()["totals"]["orders"]
        denied = host.status()["totals"]["denials"]
        host.until(lambda s: s["totals"]["denials"] > denied, "a denial under the kill")
        self.assertEqual(host.status()["totals"]["orders"], orders)
        self.assertEqual(host.stop(), 0, host.finished())
        again = self.holds(self.place.headless("--for", "4h"))
        self.assertEqual(again["epoch"], 2)
        self.assertEqual(again["venue"]["orders"], orders)
        self.assertGreater(again["denied"], 0)
        self.assertEqual(again["positions_left"], 0)
        self.assertEqual(self.modes()[-1][0], "KILLED")
        mode = self.place.records("MODE")[-1]["payload"]
        self.assertEqual((mode["mode"], mode["reason"]), ("KILLED", "scenario"))


if __name__ == "__main__":
    lib.main()
