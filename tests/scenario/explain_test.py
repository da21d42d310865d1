#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: what `tenon explain --json` and `tenon risk why --json` say is what the journal holds, by
every way of asking; and what is not there is said, with exit 66 and a sentence.

Method: a short run of the golden deployment; the records that `journal cat` prints are the other
witness: sums, fills, moves and figures are counted again from them here.
"""
import decimal
import json
import sys
import unittest

sys.dont_write_bytecode = True
import explain_host as host  # noqa: E402

sys.path.insert(0, str(host.SOURCE / "tests" / "contract"))
try:
    import jsonschema
except ImportError:
    jsonschema = None


SAMPLES = 12  # each is a call of the tool, which walks the journal


def spread(rows):
    """At most SAMPLES of them, from the first to the last."""
    return rows[::max(1, len(rows) // SAMPLES)]


class Explain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_ = host.Run("--for", "4h", "--seed", host.SEED)
        cls.addClassCleanup(cls.run_.remove)
        cls.execs = cls.run_.records("EXEC")
        cls.decisions = cls.run_.records("DECISION")
        cls.moves = cls.run_.records("ORDER")

    def ask(self, *words):
        code, out, err = host.tenon(*words, "--json", "--journal", self.run_.journal)
        self.assertEqual((code, err), (0, ""))
        return json.loads(out)

    def explain(self, name):
        story = self.ask("explain", name)
        self.assertEqual(story["schema"], "tenon.explain/1")
        return story

    def of(self, records, order):
        return [r for r in records if r["payload"]["order"] == order]

    def test_every_order_is_told_with_all_its_records(self):
        orders = sorted({m["payload"]["order"] for m in self.moves})
        self.assertGreater(len(orders), 20)
        for order in spread(orders):
            (told,) = self.explain(order)["orders"]
            self.assertEqual(told["order"], order)
            moves = self.of(self.moves, order)
            self.assertEqual([m["seq"] for m in told["moves"]], [str(m["seq"]) for m in moves])
            self.assertEqual(told["state"], moves[-1]["payload"]["to"])
            self.assertEqual([r["seq"] for r in told["reports"]],
                             [str(e["seq"]) for e in self.of(self.execs, order)])

    def test_a_stop_is_told_with_the_fill_that_set_it(self):
        stop = next(r for r in self.run_.records("STOPPED") if r["payload"]["what"] == "SET")
        (told,) = self.explain(str(stop["seq"]))["orders"]
        self.assertIn(stop, told["steps"])

    def test_contributions_sum_to_the_score(self):
        for signal in spread(self.run_.records("SIGNAL")):
            for told in self.explain(str(signal["seq"]))["orders"]:
                parts = [decimal.Decimal(r["contribution"]) for r in told["signal"]["reasons"]]
                self.assertEqual(sum(parts), decimal.Decimal(told["signal"]["score"]))
                self.assertEqual(told["signal"]["seq"], str(signal["seq"]))
                names = [r["feature"] for r in told["signal"]["reasons"]]
                inputs = ["fast", "slow"] if signal["generation"] == 1 else ["fast", "slow", "atr"]
                self.assertEqual(names, inputs)

    def test_the_bar_is_counted_again_from_its_trades(self):
        trades = self.run_.records("TRADE")
        order = self.moves[0]["payload"]["order"]
        (told,) = self.explain(order)["orders"]
        begin, end = int(told["bar"]["open_ns"]), int(told["bar"]["end_ns"])
        instrument = self.moves[0]["payload"]["instrument"]
        mine = [t["payload"]["price"] for t in trades
                if begin <= t["t_ns"] < end and t["payload"]["instrument"] == instrument]
        self.assertEqual(told["bar"]["trades"], len(mine))
        (definition,) = [i["payload"] for i in self.run_.records("INSTRUMENT")
                         if i["payload"]["id"] == instrument]
        unit = decimal.Decimal(10) ** definition["price_exp"]
        for name, price in (("open", mine[0]), ("high", max(mine)), ("low", min(mine)),
                            ("close", mine[-1])):
            self.assertEqual(decimal.Decimal(told["bar"][name]), price * unit)

    def test_all_names_of_an_order_lead_to_it(self):
        fill = next(e for e in self.execs if e["payload"]["kind"] == "TRADE")
        order = fill["payload"]["order"]
        told = self.explain(order)["orders"][0]
        names = (told["client_id"], told["client_id"].lower(), str(fill["seq"]),
                 told["cause"]["seq"], told["signal"]["seq"])
        for name in names:
            found = [o["order"] for o in self.explain(str(name))["orders"]]
            self.assertIn(order, found, name)

    def test_decisions_are_the_records_and_denials_valid(self):
        schema = json.loads(
            (host.SOURCE / "plugin-api/schema/denial-v1.schema.json").read_text("utf-8"))
        for record in spread(self.decisions):
            denial = self.ask("risk", "why", record["payload"]["intent"])
            self.assertEqual(denial["schema"], "tenon/denial/1")
            self.assertEqual(denial["seq"], str(record["seq"]))
            self.assertEqual(denial["denied_by"], record["payload"]["denied_by"])
            if jsonschema is not None:
                jsonschema.validate(denial, schema)

    def test_since_is_the_first_denial_without_a_break(self):
        since = {}
        for record in self.decisions:
            p = record["payload"]
            book = (p["strategy"], p["instrument"])
            for rule, result in p["result"].items():
                if result in ("DENY", "CUT"):
                    since.setdefault((book, rule), record["t_ns"])
                elif result == "PASS":
                    since.pop((book, rule), None)
            if not p["denied_by"] and not p["cut_by"]:
                continue
            told = {r["code"]: r["since"] for r in self.ask("risk", "why", p["intent"])["rules"]}
            for rule, result in p["result"].items():
                want = str(since[book, rule]) if result in ("DENY", "CUT") else None
                self.assertEqual(told[rule], want, (record["seq"], rule))

    def test_the_last_denial_or_cut_is_the_answer_to_why(self):
        said = [d for d in self.decisions if d["payload"]["denied_by"] or d["payload"]["cut_by"]]
        self.assertEqual(self.ask("risk", "why")["seq"], str(said[-1]["seq"]))

    def refused(self, code, words, *command):
        got, out, err = host.tenon(*command, "--journal", self.run_.journal)
        self.assertEqual((got, out), (code, ""), err)
        self.assertIn(words, err)

    def test_what_is_not_there_is_said(self):
        last = self.run_.summary["last_seq"]
        self.refused(66, "no order, intent or event", "explain", str(10 ** 15))
        self.refused(66, f"its events are 1 to {last}", "explain", "T1-ZZZZ00-1")
        self.refused(64, "is no number of an order", "explain", "order-7")
        self.refused(66, "led to no decision", "risk", "why", "1")
        order = self.moves[0]["payload"]["order"]
        client = self.explain(order)["orders"][0]["client_id"]
        self.refused(66, f"another client id, {client}", "explain", client[:-1] + "2")

    def test_an_event_without_an_order_is_told_as_it_is(self):
        story = self.explain("1")
        self.assertEqual(story["orders"], [])
        self.assertEqual(story["event"][0]["type"], "GENESIS")

    def test_no_journal_is_said(self):
        code, _, err = host.tenon("explain", "1", "--journal", self.run_.dir / "nowhere")
        self.assertEqual(code, 66)
        self.assertIn("there is no journal", err)


if __name__ == "__main__":
    host.need("tenon", "tenond")
    unittest.main()
