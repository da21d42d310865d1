#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: SIGKILL of tenond, of tenon-egress, of an adapter's and a strategy's tenon-bay and of
tenon-venue, while orders are on their way, doubles no order, orphans none, and loses no fill; what
was killed serves again. Method: crash_campaign.py with two kills of each (tools/crash-processes is
the long form); the venue's ledger against the engine's journal; times are shown and not judged.
The books are shown what must not be, too, so that their yes means something.
"""
import argparse
import collections
import contextlib
import copy
import io
import os
import signal
import sys
import unittest
from unittest import mock

import scenario_lib as lib

sys.dont_write_bytecode = True
import crash_books  # noqa: E402
import crash_campaign  # noqa: E402
import crash_world  # noqa: E402
import venue_lib  # noqa: E402


class Kept(crash_campaign.Campaign):
    """A campaign of one world whose books are looked at again before it is removed."""

    books = None

    def judged(self, world):
        self.books = (venue_lib.Books(world.ledger), crash_books.Journal(world.journal))


class ProcessKill(unittest.TestCase):
    def setUp(self):
        self.place = lib.Place()
        self.addCleanup(self.place.remove)

    def campaign(self):
        seed = int(os.environ.get("TENON_SEED", "0")) or int.from_bytes(os.urandom(3), "big")
        print(f"seed {seed}")
        return Kept(argparse.Namespace(kills=2, target="all", seed=seed, per_world=25, failures=1,
                                       keep=self.place.path, quiet=False, slow=None))

    def test_killed_while_trading_the_books_are_equal(self):
        campaign = self.campaign()
        result = campaign.run()
        crash_campaign.show(result)
        self.assertTrue(result["holds"], (result, campaign.wrong))
        self.assertGreater(result["counts"]["fills"], 10, result)
        self.tell_apart(*campaign.books)

    def tell_apart(self, venue, journal):
        """Each of these worlds is wrong in one way, and said to be so."""
        def found(change):
            v, j = copy.deepcopy(venue), copy.deepcopy(journal)
            change(v, j)
            return [name for name, what in crash_books.judge(v, j)[0].items() if what]

        fill = venue.fills[-1]
        filled = next(c for c, o in venue.orders.items() if o["order"] == fill["order"])
        epoch, order, _ = crash_books.order_of(filled)
        again = venue_lib.client_id(order, epoch, 2)
        self.assertEqual(found(lambda v, j: None), [])
        self.assertEqual(found(lambda v, j: j.booked.subtract([fill["trade"]])), ["lost fills"])
        self.assertEqual(found(lambda v, j: j.booked.update([fill["trade"]])), ["duplicates"])
        self.assertEqual(found(lambda v, j: j.booked.update(["x"])), ["invented fills"])
        self.assertEqual(found(lambda v, j: (j.sent.pop(filled), v.orders[filled].update(
            reduce_only="0"))), ["orphans"])
        self.assertEqual(found(lambda v, j: (j.sent.pop(filled), v.orders[filled].update(
            reduce_only="1"))), ["orphans"])  # and no host said that it was unrecorded
        self.assertEqual(found(lambda v, j: v.orders[filled].update(state="working")), ["working"])
        self.assertEqual(found(lambda v, j: j.positions.update({fill["instrument"]: 1})),
                         ["positions"])
        self.assertEqual(found(lambda v, j: v.lines.append({"line": "duplicate"})), ["sent twice"])

        def twice(v, j):
            v.orders[again] = dict(v.orders[filled])
            j.sent[again] = j.sent[filled]
        self.assertEqual(found(twice), ["duplicates"])

    def test_priority_that_is_refused_is_a_sentence(self):
        argv, said = ["x", "--alone", "--keep", self.place.path], io.StringIO()
        with mock.patch("sys.argv", argv), contextlib.redirect_stderr(said), mock.patch(
                "os.sched_setscheduler", side_effect=PermissionError(1, "not permitted")):
            self.assertEqual(crash_campaign.main(), 77)
        self.assertIn("no real-time priority for this user: not permitted", said.getvalue())

    def test_client_ids_are_read_as_they_are_written(self):
        self.assertEqual(crash_books.order_of(venue_lib.client_id(825344, 3, 2)), (3, 825344, 2))
        self.assertIsNone(crash_books.order_of("K3-1"))
        self.assertEqual(collections.Counter(), crash_campaign.Times().figures([]))

    def test_what_the_venue_owed_is_told_from_its_ledger(self):
        """Two that overlap count once, a quick one not at all, one that never came to its end."""
        s = 10**9

        def asked(order, at, decided=None, cancel=False):
            what = ("receive_cancel", "ask_cancel") if cancel else ("receive", "order")
            return [{"line": what[0], "order": order, "at": str(at)}] + (
                [{"line": what[1], "order": order, "t": str(decided)}] if decided else [])

        lines = asked("1", 0, 3 * s) + asked("2", 1 * s, 4 * s, True) + (
            asked("3", 5 * s, 5 * s + s // 20))
        self.assertEqual(crash_campaign.owed_s(lines, 2 * s, 10 * s), 2.0)
        self.assertEqual(crash_campaign.owed_s(lines + asked("4", 9 * s), 2 * s, 10 * s), 3.0)
        self.assertEqual(crash_campaign.owed_s([], 0, s), 0.0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what it started ends with it
    for program in crash_world.PROGRAMS + (os.path.join(crash_world.PLUGINS, "churn-1.0.0.so"),):
        if not os.access(program, os.R_OK):
            lib.skip(f"{program} is not built")
    lib.main()
