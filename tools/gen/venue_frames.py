#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what tenon-venue says to an adapter: tests/fixtures/frames/tenon_venue.txt.

Runs the real program and speaks to it as the adapter would, so each request in the file is one that
the venue took. Beside each frame stands what it means, worked out here with exact decimals and no
code of the host. tests/contract/venue_frames_test.c replays the file into the adapter.

    TENON_BUILD=build/dev tools/gen/venue_frames.py > tests/fixtures/frames/tenon_venue.txt

Lines: S a message of the stream; C an approval; Q the request it becomes; A its answer's status and
body; = what the adapter must say now, one line for each."""
import json
import os
import sys
import time
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests",
                                "scenario"))
import scenario_lib  # noqa: E402
import venue_lib  # noqa: E402

SYMBOLS = ["BTC-USD", "ETH-USD", "SPY"]
EXP = 8  # of the prices and quantities of the two that trade here; SPY's data is let pass
AT = 1700000000000000000
KINDS = ["", "new", "rejected", "trade", "canceled", "cancel_rejected", "cancel_late", "expired",
         "venue_cancel", "bust", "status"]
CODES = ["", "SYMBOL", "HALTED", "PRICE", "QTY", "FUNDS", "DUPLICATE", "POST_ONLY", "RATE", "OTHER"]
FOUND = ["", "working", "done", "absent", "proved_absent"]


def units(text):
    value = Decimal(text or "0").scaleb(EXP)
    assert value == value.to_integral_value(), text
    return int(value)


def free(text):
    """Mantissa and exponent without zeros at the end."""
    if not text or Decimal(text) == 0:
        return 0, 0
    sign, digits, exponent = Decimal(text).normalize().as_tuple()
    return int("".join(map(str, digits))) * (-1 if sign else 1), exponent


def cents(price):
    """A price as the adapter writes it."""
    text = str(price.quantize(Decimal("0.01")))
    return text.rstrip("0").rstrip(".")


def side(word):
    return {"buy": 1, "sell": 2}.get(word, 0)


class Recorder:
    def __init__(self, port):
        self.http = venue_lib.Http(port)
        self.stream = venue_lib.Stream(port)
        self.cursor, self.newest, self.n, self.heard = "", 0, 0, set()

    def out(self, *words):
        print(*words, sep=" ")

    # ---- what is meant ----
    def said(self, kind, m, found=0, reason=0):
        fee, fee_exp = free(m.get("fee")) if kind == 3 else (0, 0)
        self.out("= said", kind, m["client_id"], units(m.get("cum_qty")),
                 units(m.get("leaves_qty")), units(m.get("last_qty") if kind == 3 else "0"),
                 units(m.get("last_price") if kind == 3 else "0"), fee, fee_exp,
                 m.get("trade_id", "-") if kind == 3 else "-", found, reason)

    def mean(self, m):
        if m["ch"] == "market":
            names = {"bar": ("open_t", "o", "h", "l", "c", "v"), "trade": ("p", "q"),
                     "quote": ("b", "bq", "a", "aq")}[m["kind"]]
            numbers = [int(m[n]) if n == "open_t" else units(m[n]) for n in names]
            if m["kind"] == "trade":
                numbers.append(side(m.get("side")))
            self.out("= event", m["kind"], SYMBOLS.index(m["symbol"]) + 1, m["t"], *numbers)
        elif m["ch"] == "reports":
            self.said(KINDS.index(m["kind"]), m, reason=CODES.index(m.get("code", "")))
            if m["kind"] == "trade":
                self.heard.add(m["trade_id"])

    def hear(self):
        m = self.stream.get()
        if m.get("symbol") == "SPY":
            return m  # other exponents; the adapter of the test does not trade it
        self.out("S", json.dumps(m, separators=(",", ":")))
        if m["ch"] in ("market", "reports"):
            self.newest = max(self.newest, int(m["t"]))
        hole = m["ch"] == "reports" and self.n and m["n"] != self.n + 1
        self.n = m["n"] if m["ch"] == "reports" else self.n
        self.mean(m)
        if hole:  # what was missed is asked for
            self.reconcile()
        return m

    def until(self, **wanted):
        while True:
            m = self.hear()
            if all(m.get(k) == v for k, v in wanted.items()):
                return m

    # ---- requests ----
    def ask(self, method, path, body=""):
        self.out("Q", method, path, body)
        r = self.http.ask(method, path, body or None)
        self.out("A", r.status, json.dumps(r.body, separators=(",", ":")))
        return r

    def fills(self, is_told=False):
        while True:
            r = self.ask("GET", f"/v1/fills?after={self.cursor}&limit=100")
            for m in r["fills"]:
                self.newest = max(self.newest, int(m["t"]))
                if is_told or m["trade_id"] not in self.heard:
                    self.said(3, m)
                self.heard.add(m["trade_id"])
                self.cursor = m["trade_id"]
            if not r["more"]:
                return

    def reconcile(self):
        self.fills(is_told=True)
        for m in self.ask("GET", "/v1/orders/open?after=")["orders"]:
            self.newest = max(self.newest, int(m["t"]))
            self.said(10, m, found=1)

    def order(self, client, word, qty, price, tif, refused=None):
        self.out("C order", client, side(word), units(qty), units(price), tif)
        body = (f'{{"client_id":"{client}","symbol":"BTC-USD","side":"{word}","type":"limit",'
                f'"qty":"{qty}","price":"{price}","tif":"{tif}","reduce_only":false,"at":"{AT}"}}')
        r = self.ask("POST", "/v1/orders", body)
        if refused == "DUPLICATE":
            self.found(client, self.ask("GET", self.path(client, self.newest)))
        return r

    def path(self, client, at=AT):
        return f"/v1/orders?client_id={client}&symbol=BTC-USD&at={at}"

    def found(self, client, r):
        m = dict(r.body.get("order", {}), client_id=client)
        self.newest = max(self.newest, int(m.get("t", 0)))
        if units(m.get("cum_qty")):
            self.fills()
        self.said(10, m, found=FOUND.index(r["found"]))

    def query(self, client):
        self.out("C query", client)
        self.found(client, self.ask("GET", self.path(client)))

    def cancel(self, client):
        self.out("C cancel", client)
        self.ask("DELETE", self.path(client))


def record(v):
    r = Recorder(v.port)
    r.until(ch="hello")
    stamp = str(time.time_ns() // 10**6)
    r.stream.put({"op": "login", "key": venue_lib.KEY, "time": stamp,
                  "sign": venue_lib.sign(venue_lib.SECRET, stamp, "LOGIN")})
    r.until(ch="login")
    r.stream.put({"op": "subscribe",
                  "channels": [f"market:{s}" for s in SYMBOLS[:2]] + ["reports"]})
    r.reconcile()
    r.until(ch="subscribed")
    last = r.until(ch="market", symbol="BTC-USD", kind="quote")
    bid, ask = Decimal(last["b"]), Decimal(last["a"])
    one, two, three, four = (venue_lib.client_id(n) for n in (101, 102, 103, 104))
    r.order(one, "buy", "0.25", cents(bid * Decimal("0.9")), "gtc")
    r.until(ch="reports", kind="new", client_id=one)
    r.query(one)
    r.order(one, "buy", "0.25", "100.5", "gtc", refused="DUPLICATE")
    r.order(two, "buy", "0.00000001", "100.5", "gtc")
    r.until(ch="reports", kind="rejected", client_id=two)
    r.order(three, "buy", "0.5", cents(ask * Decimal("1.05")), "ioc")
    r.until(ch="reports", kind="trade", client_id=three)
    r.cancel(one)
    r.until(ch="reports", kind="canceled", client_id=one)
    r.query(one)
    r.query(three)
    r.query(venue_lib.client_id(999))
    v.fault(on="report", do_="lose", count=1)
    r.order(four, "sell", "0.1", cents(bid * Decimal("0.98")), "ioc")
    r.until(ch="reports", kind="trade", client_id=four)
    r.stream.put({"op": "ping"})
    r.until(ch="pong")
    for kind in ("trade", "quote"):
        r.until(ch="market", kind=kind)
    r.stream.put({"op": "snapshot", "symbol": "ETH-USD"})
    r.until(ch="snapshot")


def main():
    print("# SPDX-License-Identifier: Apache-2.0")
    print("# Recorded from tenon-venue by tools/gen/venue_frames.py; see there for the lines.")
    place = scenario_lib.Place()
    v = venue_lib.Venue(place)
    try:
        record(v)
    finally:
        v.close()
        place.remove()


if __name__ == "__main__":
    main()
