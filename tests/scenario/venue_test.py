#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: tenon-venue over its real sockets: signatures, reports, rate limits, every fault of a
script, and kill -9: what it acknowledged it knows afterwards, once.

Method: the demo's market on wall time, a client that shares no code with the host (venue_lib), and
the venue's own ledger as the judge. Waiting is reading.
"""
import http.client
import json
import os
import random
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402
import venue_lib as venue  # noqa: E402

SYMBOLS = ("market:BTC-USD", "market:ETH-USD", "market:SPY")


def kill_at(v, word):
    """kill -9 from beside, while requests are on their way."""
    word.wait(lib.GUARD_S)
    v.process.kill()


def listen(s, into):
    """Trade ids of the stream's fills, until it breaks."""
    try:
        while True:
            m = s.get()
            if m["ch"] == "reports" and m["kind"] == "trade":
                into.append(m["trade_id"])
    except (venue.Closed, OSError):
        pass


class VenueTest(lib.Scenario):
    def open(self, *args, **named):
        v = venue.Venue(self.place, *args, **named)
        self.addCleanup(v.close)
        return v

    def http(self, v, **named):
        h = venue.Http(v.port, **named)
        self.addCleanup(h.close)
        return h

    def stream(self, v, *channels, login=True):
        s = venue.Stream(v.port)
        self.addCleanup(s.close)
        self.assertEqual(s.until(ch="hello")["venue"], "tenon")
        if login:
            self.assertTrue(s.login()["ok"])
        if channels:
            s.subscribe(*channels)
        return s

    def market_price(self, s):
        while True:
            m = s.until(ch="market", symbol="BTC-USD")
            if m["kind"] == "quote" and m["a"] != "0":
                return m["a"]

    def test_who_is_not_known_gets_nothing(self):
        v = self.open()
        h = self.http(v)
        self.assertEqual(h.ask("GET", "/v1/positions").status, 200)
        now = time.time_ns() // 10**6
        for named, code in (({"signature": "0" * 64}, "SIGN"), ({"at_ms": now - 6000}, "TIME"),
                            ({"at_ms": now + 6000}, "TIME")):
            r = h.ask("GET", "/v1/positions", **named)
            self.assertEqual((r.status, r["code"]), (401, code))
        self.assertEqual(self.http(v, secret="wrong").ask("GET", "/v1/fills").status, 401)
        self.assertEqual(self.http(v, key="nobody").ask("GET", "/v1/fills").status, 401)
        self.assertEqual(self.http(v, key="", secret="").ask("GET", "/v1/time").status, 200)
        s = venue.Stream(v.port, secret="wrong")
        self.addCleanup(s.close)
        self.assertEqual(s.login(), {"ch": "login", "ok": False, "code": "SIGN"})
        s.put({"op": "subscribe", "channels": ["reports"]})
        self.assertEqual(s.until(ch="error")["code"], "CHANNEL")
        for junk in ("", "{", "[]", '{"op":5}', '{"op":"order"}', "x" * 5000):
            s.put(junk)
            self.assertEqual(s.until(ch="error")["code"], "MALFORMED")
        s.put("x" * 20000)
        with self.assertRaises(venue.Closed):
            s.until(ch="never")
        self.assertGreaterEqual(v.status()["refused_sign"], 6)
        self.assertEqual(v.stop(), 0)

    def test_order_is_filled_and_told_once(self):
        v = self.open()
        h, s = self.http(v), self.stream(v, *SYMBOLS, "reports")
        wide = str(round(float(self.market_price(s)) * 1.05, 2))
        filled = 0
        for i in range(1, 21):
            name = venue.client_id(i)
            r = h.order(name, price=wide, qty="0.01", tif="ioc")
            self.assertEqual((r.status, r["ok"]), (200, True))
            self.assertEqual(s.until(ch="reports", client_id=name)["kind"], "new")
            trade = s.until(ch="reports", client_id=name)
            filled += trade["kind"] == "trade"
        self.assertGreater(filled, 5)
        numbers = [m["n"] for m in s.seen if m["ch"] == "reports"]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        for symbol in ("BTC-USD", "ETH-USD", "SPY"):
            seen = [m["n"] for m in s.seen if m["ch"] == "market" and m["symbol"] == symbol]
            self.assertEqual(seen, list(range(seen[0], seen[0] + len(seen))))
        told = {m["trade_id"] for m in s.seen if m.get("kind") == "trade" and "client_id" in m}
        fills = h.ask("GET", "/v1/fills?after=&limit=1000")["fills"]
        self.assertLessEqual(told, {f["trade_id"] for f in fills})
        s.put({"op": "snapshot", "symbol": "SPY"})
        self.assertEqual(s.until(ch="snapshot")["symbol"], "SPY")
        s.put({"op": "ping"})
        s.until(ch="pong")
        self.assertEqual(v.stop(signal.SIGINT), 0)
        bought = sum(float(f["last_qty"]) for f in fills)
        lines = venue.read_ledger(v.ledger)
        self.assertEqual(len([x for x in lines if x["line"] == "receive"]), 20)
        self.assertAlmostEqual(sum(int(x["qty"]) for x in lines if x["line"] == "fill") / 1e8,
                               bought)

    def test_over_the_budget_is_429_then_banned(self):
        v = self.open()
        h, other = self.http(v), self.http(v, key=venue.OTHER_KEY, secret=venue.OTHER_SECRET)
        seen = set()
        for _ in range(20000):
            r = h.ask("GET", "/v1/positions")
            seen.add(r.status)
            if r.status != 200:
                self.assertEqual(r["code"], "RATE")
                self.assertGreater(int(r.headers["Retry-After"]), 0)
            if r.status == 418:
                break
        self.assertEqual(seen, {200, 429, 418})
        self.assertEqual(h.order("x").status, 418)
        self.assertEqual(other.ask("GET", "/v1/positions").status, 200)

    def test_requests_spoiled_by_the_script(self):
        v = self.open()
        h, s = self.http(v), self.stream(v, "reports")

        def known(name):
            return h.ask("GET", f"/v1/orders?client_id={name}")["found"]

        v.fault(on="order", do="error_before", client_id="e1")
        self.assertEqual(h.order("e1", price="1").status, 503)
        self.assertEqual(known("e1"), "proved_absent")
        v.fault(on="order", do="error_after", status=500)
        self.assertEqual(h.order("e2", price="1").status, 500)
        s.until(ch="reports", client_id="e2")
        self.assertNotEqual(known("e2"), "proved_absent")
        v.fault(on="order", do="drop_reply")
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            h.order("e3", price="1")
        h.close()
        s.until(ch="reports", client_id="e3")
        v.fault(on="order", do="delay", ms=400)
        begin = time.monotonic()
        h.send("POST", "/v1/orders", {"client_id": "e4", "symbol": "BTC-USD", "side": "buy",
                                      "type": "limit", "qty": "1", "price": "1", "tif": "gtc"})
        s.until(ch="reports", client_id="e4")  # the stream tells before the reply does
        self.assertEqual(h.take().status, 200)
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        v.fault(on="order", do="swallow")
        self.assertEqual(h.order("e5", price="1").status, 200)
        self.assertEqual(known("e5"), "proved_absent")
        v.fault(on="cancel", do="swallow")
        working = next(o["client_id"] for o in h.ask("GET", "/v1/orders/open")["orders"])
        cancel = f"/v1/orders?client_id={working}"
        self.assertEqual(h.ask("DELETE", cancel).status, 200)
        self.assertEqual(h.order("e6", price="1").status, 200)  # and that one is canceled
        s.until(ch="reports", client_id="e6", kind="new")
        self.assertEqual(h.ask("DELETE", "/v1/orders?client_id=e6").status, 200)
        s.until(ch="reports", client_id="e6", kind="canceled")
        self.assertEqual([m["client_id"] for m in s.seen if m.get("kind") == "canceled"], ["e6"])
        self.assertEqual(known(working), "working")
        v.fault(on="positions", do="ban", seconds=60)
        r = h.ask("GET", "/v1/positions")
        self.assertEqual((r.status, r.headers["Retry-After"]), (418, "60"))
        self.assertEqual(h.ask("GET", "/v1/positions").status, 418)
        v.fault(on="query", do="freeze", ms=400, count=0)
        other = self.http(v, key=venue.OTHER_KEY, secret=venue.OTHER_SECRET)
        begin = time.monotonic()
        self.assertEqual(other.ask("GET", "/v1/orders?client_id=e2").status, 404)
        v.status()  # the next that it reads
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        left = {(f["on"], f["do"]): f for f in v.control("GET", "/faults").body}
        self.assertEqual(left[("query", "freeze")]["used"], 1)
        self.assertEqual(v.control("DELETE", "/faults").status, 200)
        self.assertEqual(v.control("GET", "/faults").body, [])
        r = v.control("POST", "/faults", {"on": "report", "do": "swallow"})
        self.assertEqual(r.status, 400)

    def test_stream_spoiled_by_the_script(self):
        script = self.place.write("script.json", json.dumps(
            [{"on": "report", "do": "duplicate"}, {"on": "report", "do": "lose"},
             {"on": "report", "do": "reorder"}, {"on": "report", "do": "disconnect", "skip": 1}]))
        v = self.open("--script", script)
        h, s = self.http(v), self.stream(v, "reports")
        for i in range(1, 6):
            try:
                self.assertEqual(h.order(f"s{i}", price="1").status, 200)
                for n in {1: (1, 1), 4: (4, 3)}.get(i, ()):  # not to be overtaken by the end
                    s.until(ch="reports", n=n)
            except (http.client.HTTPException, ConnectionError):
                break  # the fifth report closes this connection too
        with self.assertRaises(venue.Closed):
            s.until(ch="never")
        numbers = [m["n"] for m in s.seen if m["ch"] == "reports"]
        self.assertEqual(numbers[:4], [1, 1, 4, 3])
        v.fault(on="connect", do="refuse")
        with self.assertRaises(venue.Closed):
            self.stream(v, login=False)
        v.fault(on="login", do="refuse")
        again = self.stream(v, login=False)
        self.assertFalse(again.login()["ok"])
        self.assertTrue(again.login()["ok"])

    def test_wrong_starts_are_one_sentence(self):
        v = self.open()
        keys = self.place.at("venue.keys")

        def start(*args):
            return lib.call(venue.VENUE, "--config", os.path.join(lib.CONFIGS, "demo.yaml"),
                            "--instruments", os.path.join(lib.CONFIGS, "instruments.yaml"),
                            "--plugins", lib.PLUGINS, "--keys", keys, *args)

        ledger = ["--ledger", self.place.at("other.ledger")]
        self.complains(start("--account", "paper", "--ledger", v.ledger), 75, "another tenon-venue")
        self.complains(start("--account", "nobody", *ledger), 66, "has no account nobody")
        self.complains(start("--account", "paper", *ledger, "--port", str(v.port)), 1,
                       f"127.0.0.1:{v.port}: cannot be listened on")
        self.complains(start("--account", "paper"), 64, "--ledger")
        self.complains(start("--account", "paper", *ledger, "--clock", "script"), 64, "--market0")
        self.complains(start("--account", "paper", *ledger, "--port", "x"), 64, "--port x")
        kept = self.place.write("kept.txt", "not a socket")
        self.complains(start("--account", "paper", *ledger, "--control", kept), 65, "no socket")
        self.assertTrue(os.path.exists(kept))
        os.chmod(keys, 0o644)
        self.complains(start("--account", "paper", *ledger), 77, "others may read it")
        os.chmod(keys, 0o600)
        v.stop()
        with open(v.ledger, "r+b") as f:
            f.seek(3)
            f.write(b"!")
        self.complains(start("--account", "paper", "--ledger", v.ledger), 65, "was altered")
        self.complains(lib.call(venue.VENUE, "ledger", v.ledger), 65, "was altered")

    def test_script_clock_is_the_engines(self):
        """At 600 times real time and a market that began before: events are ahead by the lead."""
        market0 = 1704153600 * 10**9
        mono0 = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        v = self.open("--clock", "script", "--market0", str(market0), "--mono0", str(mono0),
                      "--speed", "600000", "--lead", str(5 * 10**9))
        s = self.stream(v, *SYMBOLS, "reports")
        h = self.http(v)
        for _ in range(50):
            m = s.until(ch="market")
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            self.assertLessEqual(int(m["t"]), market0 + (now - mono0) * 600 + 5 * 10**9)
        at = int(h.ask("GET", "/v1/time")["t"])
        self.assertEqual(h.order(venue.client_id(7), price="1", at=str(at)).status, 200)
        m = s.until(ch="reports", client_id=venue.client_id(7))
        self.assertGreaterEqual(int(m["due"]), at + 20 * 10**6)  # the demo's latency
        self.assertGreaterEqual(v.status()["late"], 1)  # 5 s of lead leave nothing of 10 ms

    def test_killed_again_and_again_it_knows_what_it_said(self):
        rounds = 40 if lib.IS_LONG else 6
        rng = random.Random(11)
        acknowledged, reported, sent = set(), set(), 0
        for turn in range(rounds):
            v = self.open("--speed", "2000", profile="demo")
            stop = threading.Event()
            got = []
            s = self.stream(v, "reports")
            listener = threading.Thread(target=listen, args=(s, got))
            listener.start()
            h, count = self.http(v), rng.randint(20, 120)
            killer = threading.Thread(target=kill_at, args=(v, stop))
            killer.start()
            try:
                for i in range(10000):
                    name = venue.client_id(1 + turn * 10000 + i)
                    sent += 1
                    if i >= count and len(got) > 1:  # killed while it talks
                        stop.set()
                    if h.order(name, side=rng.choice(("buy", "sell")), qty="0.02", tif="ioc",
                               price=rng.choice(("1", "90000"))).status == 200:
                        acknowledged.add(name)
            except (http.client.HTTPException, ConnectionError):
                pass
            killer.join()
            listener.join()
            v.close()
            reported |= set(got)
        v = self.open(profile="demo")
        kept = v.status()
        v.stop()
        books = venue.Books(v.ledger)
        self.assertEqual(books.doubled, [])
        self.assertEqual(books.lives, rounds + 1)
        self.assertLessEqual(acknowledged, set(books.orders))
        self.assertGreater(len(acknowledged), rounds * 15)
        self.assertLessEqual(reported, {f["trade"] for f in books.fills})
        self.assertGreater(len(reported), rounds)
        then = venue.Books(v.ledger, count=kept["lines"])  # what waited at the kill goes on
        self.assertEqual(kept["fills"], len(then.fills))
        self.assertEqual(kept["working"], len(then.working()))
        print(f"{rounds} kills, {sent} orders sent, {len(acknowledged)} acknowledged, "
              f"{len(books.fills)} fills, {len(reported)} reported")


if __name__ == "__main__":
    if not os.access(venue.VENUE, os.X_OK):
        lib.skip(f"{venue.VENUE} is not built")
    lib.main()
