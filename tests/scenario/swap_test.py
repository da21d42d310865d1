#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the demo promotes a new version in the middle of its run and rolls it back, and the journal
proves that nothing was missed, doubled or dropped; the same run twice gives the same events.
Method: the real host, headless; swap_proof.py on its journal, the history, the replays. The proof
itself is fed records that were altered one at a time, and must find each.
"""
import copy
import json
import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402
import swap_proof  # noqa: E402

PROOF = os.path.join(lib.SOURCE, "tests", "scenario", "swap_proof.py")
RUN = ("--for", "12h")  # promoted at a third of it, rolled back at two thirds


class Shared:
    """One run that several tests look at, made when the first of them asks."""

    place = summary = None

    @classmethod
    def run(cls):
        if cls.place is None:
            cls.place = lib.Place()
            unittest.addModuleCleanup(cls.place.remove)
            done = cls.place.headless(*RUN)
            if done.code != 0:
                raise AssertionError(done)
            cls.summary = done.json
        return cls.place


def proof_of(records):
    proof = swap_proof.Proof()
    for record in records:
        proof.take(record)
    return proof, proof.end()


class Demo(lib.Scenario):
    def proved(self, place):
        done = lib.call(sys.executable, PROOF, place.journal, "--json")
        self.assertEqual((done.code, done.err), (0, ""), done)
        return done.json

    def test_the_demo_promotes_and_rolls_back_and_the_journal_proves_it(self):
        place = Shared.run()
        self.assertTrue(Shared.summary["holds"])
        told = self.proved(place)
        self.assertEqual((told["missed"], told["doubled"], told["skipped"]), (0, 0, 0))
        self.assertEqual([f["serial"] for f in told["flips"]], [2, 3])
        for flip in told["flips"]:
            self.assertGreater(flip["signals_before"], 0, flip)
            self.assertGreater(flip["signals_after"], 0, flip)
        self.assertGreater(sum(f["positions"] + f["orders"] for f in told["flips"]), 0)
        self.assertGreater(told["not_believed"], 0)
        self.verified(place)

    def test_history_says_who_signed_and_what_became_of_it(self):
        place = Shared.run()
        told = place.tenon("config", "history", "--json", "--journal", place.journal)
        self.assertEqual(told.code, 0, told)
        entries = told.json["deployments"]
        self.assertEqual([(e["serial"], e["state"]) for e in entries],
                         [(1, "superseded"), (2, "rolled back"), (3, "permanent")])
        self.assertTrue(told.json["trust"]["throwaway_keys"])
        self.assertEqual([len(e["signatures"]) for e in entries], [3, 3, 0])
        people = {s["person"] for s in entries[1]["signatures"]}
        self.assertEqual(len(people), 3)
        self.assertTrue(entries[2]["active"])
        page = place.tenon("config", "history", "--journal", place.journal)
        self.assertEqual(page.code, 0, page)
        for words in ("to show the way back", "a rollback of serial 2", "throwaway keys"):
            self.assertIn(words, page.out)
        self.assertEqual([line for line in page.out.splitlines() if len(line) > 100], [])

    def test_core_and_beliefs_replay_identically(self):
        place = Shared.run()
        done = place.tenon("replay", "--json", "--journal", place.journal)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.json["effects_sha256"], Shared.summary["effects_sha256"])
        done = place.tenon("replay", "--belief", "--plugins", lib.PLUGINS, "--journal",
                           place.journal)
        self.assertEqual(done.code, 0, done)
        self.assertRegex(done.out, r"btc_cross +1 +ema_cross 1\.0\.0 .* identical")
        self.assertRegex(done.out, r"btc_cross +2 +ema_cross 1\.1\.0 .* identical")

    def test_two_runs_have_the_same_events(self):
        """Also those of the promotion: how fast its thread was must not show in any number."""
        first, second = Shared.run(), self.new_place()
        one, two = Shared.summary, self.holds(second.headless(*RUN))
        self.assertEqual(one["effects_sha256"], two["effects_sha256"])
        self.assertEqual(one["last_seq"], two["last_seq"])
        events = [[(r["seq"], r["type"], r["t_ns"]) for r in place.records() if r["sub"] == 0]
                  for place in (first, second)]
        self.assertEqual(events[0], events[1])

    def test_the_operator_sees_one_line_per_flip(self):
        done = self.place.host("--demo", "--headless", *RUN)
        self.assertEqual(done.code, 0, done)
        lines = [x for x in done.out.splitlines() if "swapped at event" in x]
        self.assertEqual(len(lines), 2, done.out)
        for line, serial, state in zip(lines, (2, 3), ("probation", "permanent")):
            self.assertRegex(line, rf"^serial {serial}: {state}: 2 builds swapped at event \d+, "
                                   r"pause [\d.]+ [nu]s, events missed 0, doubled 0; carried over: "
                                   r"\d+ orders?, \d+ positions?, \d+ stops?$")
        flips = [r["seq"] for r in self.place.records("DEPLOY")][1:]
        self.assertEqual([int(re.search(r"at event (\d+)", x)[1]) for x in lines], flips)

    def test_a_run_too_short_for_its_second_act_holds(self):
        self.holds(self.place.headless("--for", "30m"))
        self.assertEqual(self.proved(self.place)["flips"], [])
        self.holds(self.place.headless("--for", "11h"))  # goes on; its keys are gone
        self.assertEqual(self.proved(self.place)["flips"], [])


class Unsigned(lib.Scenario):
    """A deployment that nobody signed runs only where that was asked for."""

    CONFIG = os.path.join(lib.CONFIGS, "demo.yaml")

    def test_a_file_without_signatures_is_refused(self):
        done = self.place.host("--headless", "--for", "5m", "--config", self.CONFIG)
        sentence = self.complains(done, 78, "demo.yaml", "--trust", "--throwaway-keys")
        self.assertLess(len(sentence), 600)
        self.assertEqual(self.verified()["records"], 0)

    def test_throwaway_keys_are_asked_for_and_seen(self):
        summary = self.place.host("--headless", "--json", "--for", "5m", "--config", self.CONFIG,
                                  "--throwaway-keys")
        self.assertEqual(summary.code, 0, summary)
        self.assertEqual([r["payload"]["throwaway"] for r in self.place.records("TRUST")], [1])
        self.assertEqual(len(self.place.records("SIGNATURE")), 4)


class Proof(lib.Scenario):
    """The proof can fail: one record is altered, and it says so."""

    @classmethod
    def setUpClass(cls):
        cls.records = Shared.run().records()
        cls.flips = [r["seq"] for r in cls.records if r["type"] == "DEPLOY"]
        refused = {r["seq"] for r in cls.records
                   if r["type"] == "IGNORED" and r["payload"]["why"] == "NOT_ACCEPTED"}
        cls.believed = [i for i, r in enumerate(cls.records)
                        if r["type"] == "SIGNAL" and r["seq"] not in refused]
        cls.heard = [i for i, r in enumerate(cls.records)
                     if r["type"] == "SIGNAL" and r["seq"] in refused]

    def at(self, kind, after=0):
        return next(i for i, r in enumerate(self.records)
                    if r["type"] == kind and r["seq"] > after)

    def altered(self, words, change):
        """change(records) alters a copy; the proof must fail and find it by these words."""
        records = list(self.records)
        change(records)
        proof, code = proof_of(records)
        self.assertEqual(code, 1, words)
        self.assertTrue([f for f in proof.findings if re.search(words, f)], proof.findings[:5])
        return proof

    def with_payload(self, i, **fields):
        def change(records):
            records[i] = copy.deepcopy(records[i])
            records[i]["payload"].update(fields)
        return change

    def with_head(self, i, **fields):
        def change(records):
            records[i] = dict(records[i], **fields)
        return change

    def test_untouched_it_holds(self):
        proof, code = proof_of(self.records)
        self.assertEqual((code, proof.findings), (0, []))

    def test_no_records_prove_nothing(self):
        self.assertEqual(proof_of([])[1], 2)

    def test_an_event_that_is_missing(self):
        i = self.at("QUOTE", self.flips[1])
        proof = self.altered("1 missed", lambda records: records.pop(i))
        self.assertEqual((proof.missed, proof.doubled), (1, 0))

    def test_an_event_that_is_there_twice(self):
        i = self.at("QUOTE", self.flips[1])
        proof = self.altered("comes again", lambda records: records.insert(i, records[i]))
        self.assertEqual((proof.missed, proof.doubled), (0, 1))

    def test_an_effect_that_is_missing(self):
        i = next(i for i, r in enumerate(self.records) if r["sub"] == 1 and
                 self.records[i + 1]["sub"] == 2)
        self.altered("effect 2 follows effect 0", lambda records: records.pop(i))

    def test_an_order_that_changes_its_owner(self):
        seen = set()
        for i, r in enumerate(self.records):
            if r["type"] == "ORDER" and r["payload"]["order"] in seen and r["seq"] > self.flips[1]:
                break
            if r["type"] == "ORDER":
                seen.add(r["payload"]["order"])
        self.altered("order .* of strategy", self.with_payload(i, strategy=99))

    def test_a_signal_of_the_wrong_build_that_was_believed(self):
        i = next(i for i in self.believed if self.records[i]["seq"] > self.flips[1] and
                 self.records[i]["generation"] == 2)
        self.altered("was believed, and build 2 reigned", self.with_head(i, generation=1))

    def test_a_signal_heard_only_that_was_believed(self):
        i = self.heard[0]
        self.altered("was believed, and build", lambda records: records.pop(i + 1))

    def test_a_cause_that_is_answered_twice(self):
        first, second = [i for i in self.believed if
                         self.records[i]["payload"]["instance"] == 9][:2]
        self.altered("a second believed signal",
                     self.with_head(second, cause_seq=self.records[first]["cause_seq"]))

    def test_an_order_more_than_is_carried(self):
        i = self.at("FLIPPED", self.flips[0])
        orders = self.records[i]["payload"]["orders"]
        self.altered("is said to keep", self.with_payload(i, orders=orders + 1))

    def test_a_position_that_changes_in_the_flip(self):
        i = next(i for i, r in enumerate(self.records)
                 if r["seq"] == self.flips[1] and self.records[i + 1]["sub"] == 0)
        position = dict(next(r for r in self.records[i::-1] if r["type"] == "POSITION"))
        position.update(seq=self.flips[1], sub=self.records[i]["sub"] + 1)
        position["payload"] = dict(position["payload"], qty=position["payload"]["qty"] + 1)
        self.altered("position .* before the flip",
                     lambda records: records.insert(i + 1, position))

    def test_a_flip_without_its_commit(self):
        i = next(i for i, r in enumerate(self.records) if r["type"] == "STAGE" and
                 r["payload"]["what"] == "COMMIT" and r["payload"]["serial"] == 2)
        self.altered("without a commit", self.with_payload(i, what="DROP"))

    def test_a_build_that_was_left_out(self):
        i = self.at("PLUGIN", self.flips[1])
        self.altered("was not shown events", self.with_payload(i, what="SKIPPED"))

    def test_as_a_program_it_says_no(self):
        path = self.place.at("records")
        with open(path, "w", encoding="utf-8") as f:
            for record in self.records[:1000] + self.records[1001:]:
                f.write(json.dumps(record) + "\n")
        done = lib.call(sys.executable, PROOF, "--records", path)
        self.assertEqual(done.code, 1, done)
        self.assertIn("missed 1, doubled 0", done.out)
        self.assertRegex(done.err, r"^event \d+: follows event \d+: 1 missed")


if __name__ == "__main__":
    lib.main()
