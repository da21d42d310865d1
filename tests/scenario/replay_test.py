#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the same journal gives the same effects, byte for byte: from the first record, from a
snapshot and its tail, in this build and in the other one; and a damaged journal is refused.

Method: one run of the golden deployment; `tenon replay` four times, hashes compared with each other
and with the run's own. The other build is $TENON_OTHER_BUILD, else the preset next to this one. The
damage is one byte flipped in a copy. (Records altered with checksums redone: tests/replay.)
"""
import json
import os
import pathlib
import shutil
import sys
import unittest

sys.dont_write_bytecode = True
import explain_host as host  # noqa: E402

OTHER = {"release": "dev", "dev": "release", "tsan": "release", "cov": "release"}


def other_build():
    """The folder of the other build, or None."""
    given = os.environ.get("TENON_OTHER_BUILD")
    beside = host.BUILD.parent / OTHER.get(host.BUILD.name, "release")
    found = pathlib.Path(given) if given else beside
    same = found.resolve() == host.BUILD.resolve()
    return found if not same and os.access(found / "tenon", os.X_OK) else None


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_ = host.Run("--for", "8h", "--seed", host.SEED)
        cls.addClassCleanup(cls.run_.remove)

    def replay(self, *flags, build=None, journal=None):
        code, out, err = host.tenon("replay", "--json", "--journal", journal or self.run_.journal,
                                    *flags, build=build)
        return code, json.loads(out), err

    def same(self, build):
        for flags in ((), ("--snapshot",), ("--current",)):
            code, told, err = self.replay(*flags, build=build)
            self.assertEqual((code, err), (0, ""), told)
            self.assertEqual(told["schema"], "tenon.replay/1")
            self.assertTrue(told["identical"])
            self.assertIsNone(told["difference"])
            self.assertEqual(told["effects_sha256"], self.run_.summary["effects_sha256"], flags)
            self.assertEqual(told["chain"], self.run_.summary["journal_head"])
            self.assertEqual(told["last_seq"], str(self.run_.summary["last_seq"]))
            begins = int(told["from_seq"])
            self.assertEqual(begins > 0, "--snapshot" in flags)
            self.assertEqual(told["events"], self.run_.summary["last_seq"] - begins)

    def test_genesis_and_snapshot_give_the_same_hash(self):
        self.same(None)

    def test_the_other_build_gives_the_same_hash(self):
        build = other_build()
        if build is None:
            self.skipTest("no other build; name one in TENON_OTHER_BUILD")
        self.same(build)

    def test_the_text_says_the_same(self):
        code, out, err = host.tenon("replay", "--journal", self.run_.journal)
        self.assertEqual((code, err), (0, ""))
        for words in (self.run_.summary["effects_sha256"], self.run_.summary["journal_head"],
                      "identical", "from the first record"):
            self.assertIn(words, out)

    def test_without_a_snapshot_it_begins_at_the_first_record_and_says_so(self):
        copy = self.copy("bare")
        for path in copy.glob("snap-*"):
            path.unlink()
        code, told, err = self.replay("--snapshot", journal=copy)
        self.assertEqual((code, told["from_seq"]), (0, "0"))
        self.assertIn("no snapshot", err)
        self.assertEqual(told["effects_sha256"], self.run_.summary["effects_sha256"])

    def test_a_pruned_journal_replays_from_its_snapshot_only(self):
        copy, heads = self.copy("pruned"), self.run_.dir / "pruned-heads"
        shutil.copytree(self.run_.dir / "heads", heads)
        code, _, err = host.tenon("journal", "prune", "--before", "99999999", "--journal", copy,
                                  "--heads", heads)
        self.assertEqual(code, 65)
        self.assertIn("no snapshot covers the events before 99999999", err)
        code, _, err = host.tenon("journal", "prune", "--before", "20000", "--journal", copy,
                                  "--heads", heads)
        self.assertEqual(code, 0, err)
        code, _, err = self.replay(journal=copy)
        self.assertEqual(code, 65)
        self.assertIn("was pruned; replay it from a snapshot with --snapshot", err)
        code, told, _ = self.replay("--snapshot", journal=copy)
        self.assertEqual((code, told["identical"]), (0, True))
        code, _, err = host.tenon("risk", "why", "--journal", copy)
        self.assertEqual(code, 66)
        self.assertIn("its beginning was pruned; look in the archive", err)

    def copy(self, name):
        copy = self.run_.dir / name
        shutil.copytree(self.run_.journal, copy)
        self.addCleanup(shutil.rmtree, copy)
        return copy

    def test_a_flipped_byte_is_found_and_named(self):
        copy = self.copy("damaged")
        largest = max((p for p in copy.iterdir() if p.suffix in (".log", ".sst")),
                      key=lambda p: p.stat().st_size)
        data = bytearray(largest.read_bytes())
        data[len(data) // 2] ^= 0x10
        largest.write_bytes(data)
        code, told, err = self.replay(journal=copy)
        self.assertEqual(code, 65, told)
        self.assertEqual(told["schema"], "tenon.error.v1")
        # The database refuses a damaged log whole; a damaged table is read up to the group.
        self.assertRegex(err, f"group \\d+|record \\d+|seq \\d+|{copy} cannot be opened")

    def test_flags_that_could_do_nothing_are_gone(self):
        for command in (("replay", "--data", "x.csv"), ("backtest", "--journal", "j")):
            code, _, err = host.tenon(*command)
            self.assertEqual(code, 64, err)


if __name__ == "__main__":
    host.need("tenon", "tenond")
    unittest.main()
