#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recounts a simulated venue's ledger, sharing no code with the host.

usage: recount.py LEDGER [--compare SUMMARY.json]

Prints the totals as JSON. All money, prices and quantities are mantissas; fees and realised profit
are keyed by the settle currency's id, net positions by the instrument's symbol. On the way it
checks the ledger itself: cum and leaves add up, no fill is beyond its limit or after the order's
end, trade ids are unique, each fee is the rate on the value rounded against us.

Realised profit is by average cost over the venue's net of each instrument, each fill rounded once,
half-even, in the order in which the reports were due: fills of two orders may be heard in another
order than they were made. The venue knows no strategies: it equals the host's sum only where each
instrument is traded by one strategy.

With --compare each key of SUMMARY.json (of its member "venue", if it has one) that is counted here
must be equal; "orders" and "fills" must be there. The first difference is named.
Exit: 0 good, 1 a difference or a broken rule, 64 usage, 65 not a ledger, 66 no such file.
"""
import json
import sys

FIRST_LINE = "tenon-venue-ledger 1"
INVERSE_DIGITS = 10  # the host keeps an inverse contract's value this much finer than its currency


class Broken(Exception):
    """A rule of the venue that a line of the ledger breaks."""


class NotALedger(Exception):
    """The text is not in the ledger's form."""


def half_even(top, below):
    """top / below to the nearest integer, ties to even; below > 0."""
    quotient, rest = divmod(top, below)
    if 2 * rest > below or (2 * rest == below and quotient % 2 == 1):
        quotient += 1
    return quotient


def ceil_div(top, below):
    return -((-top) // below)


def scaled(top, below, shift):
    """The fraction top / below * 10**shift as two integers."""
    return (top * 10**shift, below) if shift >= 0 else (top, below * 10**-shift)


class Instrument:
    def __init__(self, f):
        self.symbol = f["symbol"]
        self.inverse = f["contract"] == "inverse"
        for name in ("id", "price_exp", "qty_exp", "multiplier", "multiplier_exp", "settle",
                     "settle_exp"):
            setattr(self, name, int(f[name]))
        self.net = 0
        self.cost = 0
        self.realised = 0
        self.fees = 0
        self.cost_exp = (self.settle_exp - INVERSE_DIGITS if self.inverse else
                         self.price_exp + self.qty_exp + self.multiplier_exp)

    def value(self, price, qty):
        """Worth of qty at price, at cost_exp."""
        if not self.inverse:
            return price * qty * self.multiplier
        shift = self.qty_exp + self.multiplier_exp - self.price_exp - self.cost_exp
        return half_even(*scaled(qty * self.multiplier, price, shift))

    def settle_units(self, value):
        return half_even(*scaled(value, 1, self.cost_exp - self.settle_exp))

    def fee(self, price, qty, ppm):
        top, below, exp = qty * self.multiplier * ppm, 1, self.qty_exp + self.multiplier_exp - 6
        if self.inverse:
            below, exp = price, exp - self.price_exp
        else:
            top, exp = top * price, exp + self.price_exp
        return ceil_div(*scaled(top, below, exp - self.settle_exp))

    def fill(self, buys, qty, price, fee):
        self.fees += fee
        signed = qty if buys else -qty
        if self.net * signed < 0:
            closing = min(qty, abs(self.net))
            taken = half_even(self.cost * closing, abs(self.net))
            gain = self.value(price, closing) - taken
            if (self.net > 0) == self.inverse:
                gain = -gain
            self.realised += self.settle_units(gain)
            self.cost -= taken
            self.net += closing if buys else -closing
            qty -= closing
        if qty > 0:
            self.cost += self.value(price, qty)
            self.net += qty if buys else -qty


class Recount:
    NAMES = ("orders", "accepted", "rejects", "fills", "partial_fills", "partial_orders",
             "full_orders", "maker_fills", "taker_fills", "cancels", "cancel_rejects",
             "cancels_late", "expired", "venue_cancels", "cancelled_after_partial")

    def __init__(self):
        self.count = dict.fromkeys(self.NAMES, 0)
        self.instrument = {}
        self.asked = {}  # the last "order" line, until it is answered
        self.open = {}
        self.ended = {}
        self.trades = set()
        self.unbooked = []  # fills, to be booked in the order they were due
        self.maker_ppm = self.taker_ppm = None

    def add(self, name, by=1):
        self.count[name] += by

    def line(self, word, f):
        handler = getattr(self, "on_" + word, None)
        if handler is None:
            raise NotALedger(f"unknown word '{word}'")
        handler(f)

    def on_venue(self, f):
        self.maker_ppm, self.taker_ppm = int(f["maker_ppm"]), int(f["taker_ppm"])

    def on_instrument(self, f):
        new = Instrument(f)
        old = self.instrument.get(new.id)
        if old is not None:
            new.net, new.cost = old.net, old.cost
            new.realised, new.fees = old.realised, old.fees
        self.instrument[new.id] = new

    def on_order(self, f):
        self.add("orders")
        self.asked = f

    def on_reject(self, f):
        if self.asked.get("order") != f["order"]:
            raise Broken("a reject of an order that was not asked")
        self.asked = {}
        self.add("rejects")

    def on_accept(self, f):
        if self.asked.get("order") != f["order"]:
            raise Broken("an accept of an order that was not asked")
        if f["order"] in self.open or f["order"] in self.ended:
            raise Broken("an order id is accepted twice")
        order = {"instrument": self.instrument[int(self.asked["instrument"])],
                 "buys": self.asked["side"] == "buy", "qty": int(self.asked["qty"]),
                 "price": int(self.asked["price"]), "cum": 0, "parts": 0}
        self.asked = {}
        self.open[f["order"]] = order
        self.expect(order, f)
        self.add("accepted")

    @staticmethod
    def expect(order, f, leaves=None):
        """The line's cum and leaves against our own."""
        want = order["qty"] - order["cum"] if leaves is None else leaves
        if int(f["cum"]) != order["cum"] or int(f["leaves"]) != want:
            raise Broken(f"cum and leaves are {f['cum']} and {f['leaves']}, "
                         f"counted {order['cum']} and {want}")

    def live(self, f):
        if f["order"] not in self.open:
            raise Broken("an order that is not open")
        return self.open[f["order"]]

    def end(self, f, name, leaves=None):
        order = self.live(f)
        self.expect(order, f, leaves)
        del self.open[f["order"]]
        self.ended[f["order"]] = order
        self.add(name)
        return order

    def on_fill(self, f):
        order = self.live(f)
        qty, price, fee = int(f["qty"]), int(f["price"]), int(f["fee"])
        if f["trade"] in self.trades:
            raise Broken("a trade id is used twice")
        self.trades.add(f["trade"])
        if qty <= 0 or order["cum"] + qty > order["qty"]:
            raise Broken("a fill of nothing, or of more than is left")
        if price > order["price"] if order["buys"] else price < order["price"]:
            raise Broken("a fill beyond the limit")
        if (f["side"] == "buy") != order["buys"] or int(f["instrument"]) != order["instrument"].id:
            raise Broken("a fill on another side or instrument than its order")
        maker = f["liquidity"] == "maker"
        want = order["instrument"].fee(price, qty, self.maker_ppm if maker else self.taker_ppm)
        if fee != want:
            raise Broken(f"the fee is {fee}, counted {want}")
        order["cum"] += qty
        self.unbooked.append((int(f.get("due", f["t"])), order["instrument"].id, order["buys"],
                              qty, price, fee))
        self.add("fills")
        self.add("maker_fills" if maker else "taker_fills")
        if order["cum"] < order["qty"]:
            self.add("partial_fills")
            if order["parts"] == 0:
                self.add("partial_orders")
            order["parts"] += 1
            self.expect(order, f)
        else:
            self.end(f, "full_orders")

    def on_cancel(self, f):
        if self.end(f, "cancels", 0)["cum"] > 0:
            self.add("cancelled_after_partial")

    def on_expire(self, f):
        self.end(f, "expired", 0)

    def on_venue_cancel(self, f):
        if self.end(f, "venue_cancels", 0)["cum"] > 0:
            self.add("cancelled_after_partial")

    def on_cancel_reject(self, f):
        if f["order"] in self.ended:
            raise Broken("a cancel of an ended order is refused as if it worked")
        self.add("cancel_rejects")

    def on_cancel_late(self, f):
        if f.get("text") == "ended_with_the_epoch_before":
            self.open.pop(f["order"], None)
            self.add("cancels_late")
            return
        if f["order"] not in self.ended:
            raise Broken("a cancel is called late, but the order has not ended")
        self.expect(self.ended[f["order"]], f, 0)
        self.add("cancels_late")

    def on_ask_cancel(self, _):
        pass

    def on_ask_status(self, _):
        pass

    def on_status(self, f):
        known = self.open.get(f["order"]) or self.ended.get(f["order"])
        if known is not None and f["found"] != "3":
            self.expect(known, f, None if f["order"] in self.open else 0)

    def book(self):
        for _, instrument, *fill in sorted(self.unbooked, key=lambda fill: fill[0]):
            self.instrument[instrument].fill(*fill)
        self.unbooked = []

    def on_resume(self, f):
        """A later epoch: its books begin with what the host holds."""
        self.book()
        self.instrument[int(f["instrument"])].net = int(f["net"])

    def totals(self):
        self.book()
        fees, realised = {}, {}
        for i in self.instrument.values():
            fees[str(i.settle)] = fees.get(str(i.settle), 0) + i.fees
            realised[str(i.settle)] = realised.get(str(i.settle), 0) + i.realised
        return {**self.count, "open": len(self.open), "fees": fees, "realised": realised,
                "net": {i.symbol: i.net for i in self.instrument.values()}}


def recount(path):
    book = Recount()
    with open(path, encoding="ascii") as ledger:
        if ledger.readline().rstrip("\n") != FIRST_LINE:
            raise NotALedger(f"{path}:1: the first line is not '{FIRST_LINE}'")
        for number, text in enumerate(ledger, 2):
            if not text.endswith("\n"):
                raise NotALedger(f"{path}:{number}: the last line is cut off")
            word, *pairs = text.split()
            try:
                book.line(word, dict(pair.split("=", 1) for pair in pairs))
            except Broken as why:
                raise Broken(f"{path}:{number}: {why}: {text.strip()}") from None
            except (KeyError, ValueError, NotALedger) as why:
                raise NotALedger(f"{path}:{number}: {why}: {text.strip()}") from None
    return book.totals()


def first_difference(ours, theirs):
    """None, or one sentence about the first key that is not equal."""
    theirs = theirs.get("venue", theirs)
    for name in ("orders", "fills"):
        if name not in theirs:
            return f"{name}: not in the summary"
    for name, mine in ours.items():
        if name not in theirs:
            continue
        if not isinstance(mine, dict):
            if theirs[name] != mine:
                return f"{name}: the summary says {theirs[name]}, the ledger gives {mine}"
            continue
        for key in sorted(set(mine) | set(theirs[name])):
            if theirs[name].get(key, 0) != mine.get(key, 0):
                return (f"{name} of {key}: the summary says {theirs[name].get(key, 0)}, "
                        f"the ledger gives {mine.get(key, 0)}")
    return None


def main(args):
    if len(args) not in (1, 3) or (len(args) == 3 and args[1] != "--compare"):
        print("usage: recount.py LEDGER [--compare SUMMARY.json]", file=sys.stderr)
        return 64
    try:
        totals = recount(args[0])
        print(json.dumps(totals, indent=2))
        if len(args) == 3:
            with open(args[2], encoding="utf-8") as summary:
                difference = first_difference(totals, json.load(summary))
            if difference is not None:
                print(f"recount: {difference}", file=sys.stderr)
                return 1
    except FileNotFoundError as why:
        print(f"recount: {why.filename}: there is no such file", file=sys.stderr)
        return 66
    except Broken as why:
        print(f"recount: {why}", file=sys.stderr)
        return 1
    except (NotALedger, UnicodeDecodeError, json.JSONDecodeError) as why:
        print(f"recount: {why}", file=sys.stderr)
        return 65
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
