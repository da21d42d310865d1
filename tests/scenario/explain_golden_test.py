#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: `tenon explain` and `tenon risk why` tell the whole story, word for word: bar, features,
signal with reasons, every rule with figure and limit, order, fills, plugins.

Method: a short run of the golden deployment with a fixed seed, which is promoted and rolled back on
the way; the first order of each kind, and the first by the promoted build and after the rollback,
is told and compared with tests/fixtures/golden/*.txt. Hashes, key ids, paths and versions are
masked; numbers are not, since the same seed gives the same market to the digit. `--update` writes
the texts anew.
"""
import difflib
import re
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.path[0])
import explain_host as host  # noqa: E402

HASH = re.compile(r"\b[0-9a-f]{64}\b")
KEY = re.compile(r"\bkey [0-9A-F]{16}\b")
VERSION = re.compile(r"^(  host )\S+(, core logic )\d+", re.MULTILINE)
UPDATE = "--update" in sys.argv


def field(record, name):
    return record["payload"][name]


def first(records, **wanted):
    for record in records:
        if all(field(record, name) == value for name, value in wanted.items()):
            return record
    raise AssertionError(f"the run has no record with {wanted}")


def pick(run):
    """name of the golden text -> the words that ask for it."""
    moves, decisions = run.records("ORDER"), run.records("DECISION")
    partial = {field(m, "order") for m in moves if field(m, "to") == "PARTIAL"}
    cancelled = next(m for m in moves
                     if field(m, "to") == "CANCELLED" and field(m, "order") in partial)
    denied = field(first(decisions, approved=False), "intent")
    cut = next(d for d in decisions if field(d, "cut_by") and field(d, "approved"))
    fill = first(run.records("EXEC"), kind="TRADE")
    # the first orders of the strategy that is promoted, after the flip and after the way back
    flips = [r for r in run.records("FLIPPED") if field(r, "from") and field(r, "to")]
    promoted, back = (next(d for d in decisions if int(d["seq"]) > int(flip["seq"]) and
                           field(d, "strategy") == field(flip, "instance")) for flip in flips)
    return {
        "explain-filled": ("explain", field(first(moves, to="FILLED"), "order")),
        "explain-rejected": ("explain", field(first(moves, to="REJECTED"), "order")),
        "explain-cancelled-after-partial": ("explain", field(cancelled, "order")),
        "explain-denied": ("explain", denied),
        "explain-fill-event": ("explain", str(fill["seq"])),
        "explain-promoted": ("explain", field(promoted, "intent")),
        "explain-rolled-back": ("explain", field(back, "intent")),
        "why-denied": ("risk", "why", denied),
        "why-cut": ("risk", "why", field(cut, "intent")),
        "why-last": ("risk", "why"),
    }


def mask(text, run):
    text = KEY.sub("key <id>", HASH.sub("<sha256>", text)).replace(str(run.dir), "<state>")
    return VERSION.sub(r"\1<version>\2<n>", text)


class Golden(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_ = host.Run("--for", "8h", "--seed", host.SEED)
        cls.addClassCleanup(cls.run_.remove)
        cls.picked = pick(cls.run_)

    def told(self, name):
        code, out, err = host.tenon(*self.picked[name], "--utc", "--journal", self.run_.journal)
        self.assertEqual((code, err), (0, ""))
        return mask(out, self.run_)

    def compare(self, name):
        path = host.GOLDEN / f"{name}.txt"
        text = self.told(name)
        if UPDATE:
            path.write_text(text, encoding="ascii")
        golden = path.read_text(encoding="ascii")
        if text != golden:
            self.fail("differs from the golden text (rewrite with --update):\n" + "".join(
                difflib.unified_diff(golden.splitlines(True), text.splitlines(True), path.name,
                                     "told now")))

    def test_filled(self):
        self.compare("explain-filled")

    def test_rejected_by_the_venue(self):
        self.compare("explain-rejected")

    def test_cancelled_after_partial(self):
        self.compare("explain-cancelled-after-partial")

    def test_denied(self):
        self.compare("explain-denied")

    def test_a_fill_leads_to_its_order(self):
        self.compare("explain-fill-event")

    def test_by_a_promoted_build(self):
        self.compare("explain-promoted")

    def test_after_a_rollback(self):
        self.compare("explain-rolled-back")

    def test_why_denied(self):
        self.compare("why-denied")

    def test_why_cut(self):
        self.compare("why-cut")

    def test_why_without_a_number_is_the_last(self):
        self.compare("why-last")

    def test_lines_fit_a_hundred_columns(self):
        for name in self.picked:
            for line in self.told(name).splitlines():
                self.assertLessEqual(len(line), 100, line)


if __name__ == "__main__":
    host.need("tenon", "tenond")
    unittest.main(argv=[a for a in sys.argv if a != "--update"])
