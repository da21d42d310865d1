#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: recount.py counts right and finds what is wrong, before anything is checked with it.
Method: small ledgers written by hand with figures worked out by hand; then each rule broken once.
"""
import io
import json
import os
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import recount  # noqa: E402

HEAD = """tenon-venue-ledger 1
venue account=1 profile=plain maker_ppm=-100 taker_ppm=500
instrument id=1 symbol=LIN contract=linear price_exp=-2 qty_exp=-3 tick=1 lot=1 multiplier=1 \
multiplier_exp=0 settle=1 settle_exp=-2
instrument id=2 symbol=INV contract=inverse price_exp=-1 qty_exp=0 tick=5 lot=1 multiplier=100 \
multiplier_exp=0 settle=2 settle_exp=-8
"""


def order(number, side, qty, price, instrument=1):
    return (f"order t=1 order={number} client=c instrument={instrument} side={side} qty={qty} "
            f"price={price} tif=gtc reduce_only=0\n"
            f"accept t=1 order={number} venue_order={number} cum=0 leaves={qty}\n")


def fill(number, trade, side, qty, price, fee, cum, leaves, liquidity="taker", instrument=1):
    return (f"fill t=2 order={number} venue_order={number} trade={trade} instrument={instrument} "
            f"side={side} qty={qty} price={price} fee={fee} liquidity={liquidity} cum={cum} "
            f"leaves={leaves}\n")


# 3.000 at 100.00, then 2.000 at 101.00, sold 4.000 at 102.01 in two parts, 1.000 left.
GOOD = (HEAD + order(1, "buy", 3000, 10000) + fill(1, 1, "buy", 3000, 10000, 15, 3000, 0) +
        order(2, "buy", 2000, 10100) +
        fill(2, 2, "buy", 2000, 10100, -2, 2000, 0, liquidity="maker") +
        order(3, "sell", 5000, 10200) + fill(3, 3, "sell", 1500, 10201, 8, 1500, 3500) +
        fill(3, 4, "sell", 2500, 10201, 13, 4000, 1000) +
        "ask_cancel t=3 order=3\ncancel t=3 order=3 venue_order=3 cum=4000 leaves=0\n"
        "ask_cancel t=4 order=3\ncancel_late t=4 order=3 venue_order=3 cum=4000 leaves=0\n"
        "order t=5 order=4 client=c instrument=1 side=buy qty=1 price=1 tif=ioc reduce_only=0\n"
        "reject t=5 order=4 venue_order=0 cum=0 leaves=0 reason=4 text=no\n")


class Recount(unittest.TestCase):
    def run_on(self, ledger, summary=None):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ledger")
            with open(path, "w", encoding="ascii") as f:
                f.write(ledger)
            args = [path]
            if summary is not None:
                with open(path + ".json", "w", encoding="ascii") as f:
                    json.dump(summary, f)
                args += ["--compare", path + ".json"]
            out, err = io.StringIO(), io.StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                code = recount.main(args)
            return code, out.getvalue(), err.getvalue()

    def totals(self, ledger):
        code, out, err = self.run_on(ledger)
        self.assertEqual((code, err), (0, ""))
        return json.loads(out)

    def broken(self, ledger, words, code=1):
        got, _, err = self.run_on(ledger)
        self.assertEqual(got, code, err)
        self.assertIn(words, err)

    def test_counts_of_a_small_ledger(self):
        t = self.totals(GOOD)
        want = {"orders": 4, "accepted": 3, "rejects": 1, "fills": 4, "partial_fills": 2,
                "partial_orders": 1, "full_orders": 2, "maker_fills": 1, "taker_fills": 3,
                "cancels": 1, "cancels_late": 1, "cancel_rejects": 0, "expired": 0,
                "venue_cancels": 0, "cancelled_after_partial": 1, "open": 0}
        self.assertEqual({k: t[k] for k in want}, want)
        self.assertEqual(t["net"], {"LIN": 1000, "INV": 0})
        self.assertEqual(t["fees"], {"1": 15 - 2 + 8 + 13, "2": 0})

    def test_profit_is_average_cost_rounded_once_half_even_per_fill(self):
        # cost 502.00 for 5; sold 1.5 at 102.01: 153.015 - 150.60 = 2.415 -> 2.42 (241.5: even 242);
        # sold 2.5: 255.025 - 251.00 = 4.025 -> 4.02 (402.5: even 402)
        self.assertEqual(self.totals(GOOD)["realised"], {"1": 242 + 402, "2": 0})

    def test_fills_are_booked_in_the_order_they_were_due(self):
        late = fill(1, 1, "buy", 1000, 10000, 5, 1000, 0).replace(" trade=", " due=9 trade=")
        soon = fill(2, 2, "sell", 1000, 10200, 6, 1000, 0).replace(" trade=", " due=8 trade=")
        third = fill(3, 3, "buy", 1000, 9900, 5, 1000, 0).replace(" trade=", " due=10 trade=")
        t = self.totals(HEAD + order(1, "buy", 1000, 10000) + late + order(2, "sell", 1000, 10200) +
                        soon + order(3, "buy", 1000, 9900) + third)
        # sold at 102.00 first, bought back at 100.00: 2.00; then long at 99.00
        self.assertEqual((t["realised"]["1"], t["net"]["LIN"]), (200, 1000))

    def test_resume_sets_the_net(self):
        t = self.totals(GOOD + "resume instrument=1 net=250\n")
        self.assertEqual(t["net"]["LIN"], 250)
        self.assertEqual(t["realised"]["1"], 242 + 402)

    def test_through_zero_closes_first(self):
        t = self.totals(HEAD + order(1, "sell", 1000, 10000) +
                        fill(1, 1, "sell", 1000, 10000, 5, 1000, 0) +
                        order(2, "buy", 3000, 9900) +
                        fill(2, 2, "buy", 3000, 9900, 15, 3000, 0))
        self.assertEqual(t["realised"]["1"], 100)
        self.assertEqual(t["net"]["LIN"], 2000)

    def test_inverse_profit_grows_with_the_price(self):
        # 3 x 100 at 30000.0 cost 0.01; at 31000.0 worth 0.00967741935...; gain 0.00032258
        t = self.totals(HEAD + order(1, "buy", 3, 310000, 2) +
                        fill(1, 1, "buy", 3, 300000, 500, 3, 0, instrument=2) +
                        order(2, "sell", 3, 300000, 2) +
                        fill(2, 2, "sell", 3, 310000, 484, 3, 0, instrument=2))
        self.assertEqual(t["realised"]["2"], 32258)
        self.assertEqual(t["fees"]["2"], 984)

    def test_broken_rules_are_named(self):
        first = fill(1, 1, "buy", 3000, 10000, 15, 3000, 0)
        for old, new, words in (
                ("fee=15", "fee=14", "the fee is 14, counted 15"),
                ("trade=2", "trade=1", "a trade id is used twice"),
                ("trade=1 instrument=1 side=buy qty=3000 price=10000",
                 "trade=1 instrument=1 side=buy qty=3000 price=10001", "a fill beyond the limit"),
                ("cum=4000 leaves=1000", "cum=4000 leaves=999", "cum and leaves are"),
                ("trade=1 instrument=1 side=buy qty=3000",
                 "trade=1 instrument=1 side=buy qty=3001", "more than is left"),
                (first, first + first, "an order that is not open"),
                ("accept t=1 order=1 ", "accept t=1 order=9 ", "that was not asked"),
                ("\ncancel t=3 order=3", "\ncancel t=3 order=2", "an order that is not open"),
                ("cancel_late t=4 order=3", "cancel_late t=4 order=8", "has not ended")):
            self.assertIn(old, GOOD)
            self.broken(GOOD.replace(old, new, 1), words)

    def test_what_is_no_ledger_is_said(self):
        self.broken("tenon-venue-ledger 2\n", "the first line is not", 65)
        self.broken(GOOD + "dance t=1\n", "unknown word 'dance'", 65)
        self.broken(GOOD + "ask_cancel t=1", "the last line is cut off", 65)
        self.broken(HEAD + "order t=1 order\n", "", 65)
        with redirect_stderr(io.StringIO()):
            self.assertEqual(recount.main([]), 64)

    def test_compare_names_the_first_difference(self):
        good = self.totals(GOOD)
        self.assertEqual(self.run_on(GOOD, good)[0], 0)
        self.assertEqual(self.run_on(GOOD, {"venue": good, "other": 1})[0], 0)
        for change, words in (({"fills": 5}, "fills: the summary says 5, the ledger gives 4"),
                              ({"net": {"LIN": 999}}, "net of LIN: the summary says 999"),
                              ({"fees": {"1": 34, "7": 1}}, "fees of 7")):
            code, _, err = self.run_on(GOOD, {**good, **change})
            self.assertEqual(code, 1)
            self.assertIn(words, err)
        code, _, err = self.run_on(GOOD, {"orders": 4})
        self.assertEqual((code, err), (1, "recount: fills: not in the summary\n"))


if __name__ == "__main__":
    unittest.main()
