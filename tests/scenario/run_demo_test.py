#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the demo as it is shipped does the main job: enough orders, every kind of answer a venue
can give, totals that an independent recount confirms, a replay that is identical, and the same
effects for the same seed only.
Method: the real host, headless, on the generated market; figures from its summary, from the
venue's ledger (recount.py) and from tenon-verify.
"""
import sys

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

KINDS = {  # what must occur on the demo: figures of the venue's ledger
    "full": "full_orders",
    "partial": "partial_fills",
    "maker": "maker_fills",
    "taker": "taker_fills",
    "venue reject": "rejects",
    "cancel done": "cancels",
    "too late": "cancels_late",
    "cancelled after a partial": "cancelled_after_partial",
}


class Demo(lib.Scenario):
    def test_the_demo_shows_every_kind_and_holds(self):
        summary = self.holds(self.place.headless())
        counted = self.recounted(summary)
        self.assertGreaterEqual(counted["orders"], 200)
        self.assertEqual(summary["rows"]["reported"], 0)
        for name, key in KINDS.items():
            with self.subTest(kind=name):
                self.assertGreater(counted[key], 0)
        with self.subTest(kind="gate denial"):
            self.assertGreater(summary["denied"], 0)
            self.assertEqual(summary["denied"], summary["intents"] - summary["approved"])
        with self.subTest(kind="by time to live"):
            self.assertGreater(summary["ttl_cancels"], 0)
        verified = self.verified()
        self.assertEqual(verified["head"], summary["journal_head"])
        self.assertEqual(verified["last_seq"], summary["last_seq"])
        self.assertEqual(summary["orders_left"], 0)

    def effects_of(self, *args):
        place = self.new_place()
        summary = self.holds(place.headless("--for", "100m", *args))
        self.recounted(summary, place)
        return summary

    def test_the_same_seed_gives_the_same_effects_and_another_seed_others(self):
        first, again = self.effects_of(), self.effects_of()
        self.assertGreater(first["venue"]["orders"], 0)
        self.assertEqual(first["effects_sha256"], again["effects_sha256"])
        self.assertNotEqual(first["journal_head"], again["journal_head"])  # journals have ids
        other = self.effects_of("--seed", "8")
        self.assertNotEqual(first["effects_sha256"], other["effects_sha256"])

    def test_the_page_for_people_says_what_the_json_says(self):
        summary = self.holds(self.place.headless("--for", "40m"))
        other = self.new_place()
        page = other.host("--demo", "--headless", "--for", "40m")
        self.assertEqual(page.code, 0, page)
        for words in (f"orders      {summary['venue']['orders']}: ", "replay      identical: ",
                      summary["effects_sha256"],
                      f"rows        {summary['rows']['seen']} seen = "):
            self.assertIn(words, page.out)

    def test_the_ledger_that_differs_by_one_is_noticed(self):
        """The comparison itself can fail: one fee more in the summary."""
        summary = self.holds(self.place.headless("--for", "40m"))
        summary["venue"]["fees"]["1"] += 1
        with self.assertRaises(AssertionError):
            self.recounted(summary)


if __name__ == "__main__":
    lib.main()
