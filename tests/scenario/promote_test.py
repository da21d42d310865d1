#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the operator's whole road over the real programs. Two people start a host; builds, params
and limits are promoted, followed, taken back and told in the history; a kill is lifted by two; the
trust document is rotated; a host restarted on probation goes on with it; a strategy that leaves is
refused, flattened or handed over; a deployment whose time is over only reduces.
Method: one host per road, on minute bars, a hundred of them a second. Waiting is asking for the
status. At each road's end the journal is verified, and its core and its builds replay to the same.
"""
import datetime
import os
import sys

sys.dont_write_bytecode = True
import promote_lib as desk  # noqa: E402
import scenario_lib as lib  # noqa: E402

STEPS = ["proposed", "verified", "approved", "shadow", "canary", "probation"]
DAY_NS = 24 * 60 * lib.MINUTE_NS
TAIL = desk.strategy("tail", "1.0.0", stop_ppm=30000)
MEMO = desk.strategy("memo", "1.0.0")


def steps(lines, serial):
    """The states that lines name for this serial, in order."""
    head = f"serial {serial}: "
    return [line[len(head):].split(":")[0] for line in lines if line.startswith(head)]


class Promotion(desk.Desk):
    def test_two_builds_are_promoted_and_taken_back(self):
        self.begin({"tail": TAIL, "memo": MEMO})
        self.until_minutes(60)
        self.plans_next(2)
        two = self.propose(desk.deployment({"tail": {**TAIL, "version": "1.1.0"},
                                            "memo": {**MEMO, "version": "2.0.0"}},
                                           probation="20d"))
        desk.sign(two, ana="author")
        self.refused(12, "operator 1", by=("config", "promote", two))
        self.assertEqual(self.status()["serial"], 1)
        desk.sign(two, bo="operator")
        self.until_held("tail", "memo")
        lines = self.promote(two)
        self.assertEqual(steps(lines, 2), STEPS)
        self.assertRegex(lines[-1], r"2 builds swapped at event \d+, pause .*events missed 0, "
                                    r"doubled 0; carried over")
        self.shows_probation(two)
        self.plans_next(3)
        self.takes_back()
        self.plans_next(4)
        self.tells_all(two)
        self.ends_well()
        self.is_whole_by_the_hosts_own_word()

    def shows_probation(self, two):
        status = self.status()
        active = status["active"]
        self.assertEqual((active["serial"], active["sha256"], active["promotion"],
                          active["before_serial"]), (2, desk.sha256(two), "probation", 1))
        self.assertLess(0, active["probation_left_ns"])
        self.assertLess(active["probation_left_ns"], 20 * DAY_NS)
        self.assertEqual({s["name"]: (s["version"], s["generation"])
                          for s in status["strategies"]}, {"tail": ("1.1.0", 2),
                                                           "memo": ("2.0.0", 2)})
        files = {s["name"]: s["sha256"] for s in status["strategies"]}
        self.assertEqual(files["tail"], desk.sha256(os.path.join(self.plugins, "tail-1.1.0.so")))
        table = self.does(0, "status").out
        for words in ("serial 2, on probation for another", desk.sha256(two), "tail 1.1.0",
                      "a rollback brings serial 1 back"):
            self.assertIn(words, table)

    def takes_back(self):
        done = self.does(0, "config", "rollback", "--reason", "costs more than it earns", "--json")
        self.assertEqual((done.json["serial"], done.json["promotion"]), (3, "permanent"))
        self.assertEqual([self.strategy(n)["version"] for n in ("tail", "memo")],
                         ["1.0.0", "1.0.0"])
        self.assertEqual([self.strategy(n)["generation"] for n in ("tail", "memo")], [1, 1])
        self.refused(65, "is a rollback itself", by=("config", "rollback"))

    def tells_all(self, two):
        self.assertEqual(self.ways(), [(1, "superseded", "OK"), (2, "refused", "APPROVAL"),
                                       (2, "rolled back", "OK"), (3, "permanent", "OK")])
        one, _, second, third = self.history()
        self.assertEqual([[(s["person"], s["role"]) for s in d["signatures"]]
                          for d in (one, second, third)],
                         [[("ana", "author"), ("bo", "risk")],
                          [("ana", "author"), ("bo", "operator")], []])
        self.assertEqual((second["sha256"], second["text"]), (desk.sha256(two),
                                                              "costs more than it earns"))
        self.assertEqual((third["rollback_of"], third["active"]), (2, True))
        for flip in (second["flip"], third["flip"]):
            self.assertEqual((flip["swaps"], flip["positions"] > 0), (2, True), flip)
            self.assertGreater(flip["pause_ns"], 0)
        text = self.place.tenon("config", "history", "--journal", self.place.journal).out
        for words in (f"since event {second['flip']['seq']}, pause", "costs more than it earns",
                      "a rollback of serial 2", "ana (author, key", "bo (operator, key"):
            self.assertIn(words, text)

    def test_params_alone_and_limits_alone(self):
        self.begin({"tail": TAIL, "memo": MEMO})
        self.until_minutes(60)
        faster = {**TAIL, "params": {**TAIL["params"], "bars": 10}}
        self.text = desk.deployment({"tail": faster, "memo": MEMO}, probation="0ms")
        lines = self.promote(self.signed(self.text))
        self.assertTrue(any("1 build swapped" in line for line in lines), lines)
        self.assertEqual((self.strategy("tail")["generation"], self.strategy("memo")["generation"]),
                         (2, 1))
        self.plans_next(3)
        self.limits_only(faster)
        self.ends_well()

    def limits_only(self, faster):
        """Less is one operator's word; more takes risk; and what is held above it only shrinks."""
        builds = {"tail": faster, "memo": MEMO}
        less = desk.deployment(builds, probation="0ms", limits={"max_open_orders": "9"})
        lines = self.promote(self.signed(less, eve="operator"))
        self.assertTrue(any("0 builds swapped" in line for line in lines), lines)
        self.assertEqual(self.strategy("memo")["mode"], "ACTIVE")
        more = self.propose(desk.deployment(builds, probation="0ms"))
        desk.sign(more, ana="author", eve="operator")
        self.refused(12, "risk 1 .bo.", by=("config", "promote", more))
        desk.sign(more, bo="risk")
        self.promote(more)
        self.until_held("memo")
        tight = self.signed(desk.deployment(builds, probation="0ms",
                                            by_instrument={"max_position_qty": "0.2"}),
                            bo="operator")
        self.promote(tight)
        self.host.until(lambda s: all(x["mode"] == "REDUCING" for x in s["strategies"]),
                        "holders of more than the limit reduce")
        self.assertEqual(set(self.moded("LIMIT")), {"REDUCING"})
        self.assertEqual(self.status()["serial"], 5)

    def moded(self, why):
        """The modes that were entered for this reason."""
        return [r["payload"]["to"] for r in self.place.records("MODED")
                if r["payload"]["why"] == why]

    def test_a_deployment_whose_time_is_over_only_reduces(self):
        self.begin({"tail": TAIL})
        self.until_held("tail")
        until = self.status()["now_ns"] // 10**9 + 24 * 3600  # fourteen seconds of ours
        self.text = desk.deployment({"tail": TAIL}, run_until=self.stamp(until))
        self.promote(self.signed(self.text))
        reached = self.host.until(lambda s: s["mode"] == "REDUCING", "the end of its time")
        self.assertGreaterEqual(reached["now_ns"], until * 10**9)
        self.assertEqual(self.moded("UNTIL"), ["REDUCING"])
        self.plans_no_longer(until)
        self.ends_well()

    def plans_no_longer(self, until):
        """The same content again is over before it begins."""
        again = self.signed(desk.deployment({"tail": {**TAIL, "version": "1.1.0"}},
                                            run_until=self.stamp(until)))
        self.refused(77, "may run until", by=("config", "promote", again))

    @staticmethod
    def stamp(seconds):
        at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Modes(desk.Desk):
    def test_one_may_lower_and_two_lift_a_kill(self):
        self.begin({"tail": TAIL, "memo": MEMO})
        self.until_held("tail")
        self.does(0, "risk", "halt", "tail", "--reason", "drill")
        self.assertEqual((self.strategy("tail")["mode"], self.strategy("memo")["mode"]),
                         ("HALTED", "ACTIVE"))
        self.does(0, "risk", "resume", "tail")
        self.does(0, "risk", "reduce", "--reason", "drill")
        self.assertEqual(self.status()["mode"], "REDUCING")
        self.does(0, "risk", "resume")
        self.assertEqual(self.status()["mode"], "ACTIVE")
        self.does(0, "risk", "kill", "--reason", "drill")
        self.host.until(lambda s: s["mode"] == "KILLED" and
                        all(float(p["qty"]) == 0 for p in s["positions"]), "killed and flat")
        self.refused(77, "takes two people", by=("risk", "resume"))
        self.promotes_nothing()
        self.lifts()
        self.until_held("tail")
        self.plans_next(2)
        self.ends_well()

    def promotes_nothing(self):
        two = self.signed(desk.deployment({"tail": {**TAIL, "version": "1.1.0"}, "memo": MEMO}))
        self.refused(65, "killed", by=("config", "promote", two))
        self.assertEqual(self.ways()[-1], (2, "refused", "STATE"))

    def lifts(self):
        lift = self.place.at("lift.yaml")
        self.does(0, "risk", "resume", "--out", lift, "--reason", "the cause is found")
        self.refused(11, "is not signed", by=("risk", "resume", "--request", lift))
        desk.sign(lift, ana="operator")
        self.refused(12, "risk 1", by=("risk", "resume", "--request", lift))
        self.assertEqual(self.status()["mode"], "KILLED")
        desk.sign(lift, bo="risk")
        self.does(0, "risk", "resume", "--request", lift)
        self.host.until(lambda s: s["mode"] == "ACTIVE", "lifted")
        self.refused(65, "used before", by=("risk", "resume", "--request", lift))
        request, = self.place.records("REQUEST")
        self.assertEqual((request["payload"]["people"], request["payload"]["reason"]),
                         (2, "the cause is found"))


class Trust(desk.Desk):
    def test_a_key_goes_and_a_person_comes(self):
        self.begin({"tail": TAIL}, people={p: desk.ROLES[p] for p in ("ana", "bo")})
        next_one = self.rotated()
        self.refused(11, "is not signed", by=("trust", "rotate", next_one))
        desk.sign(next_one, bo="root")
        self.does(0, "trust", "rotate", next_one)
        self.host.until(lambda s: s["trust"]["version"] == 2, "the second trust document")
        self.refused(65, "version 2, and version 3 comes next", by=("trust", "rotate", next_one))
        self.until_minutes(60)
        two = self.propose(desk.deployment({"tail": {**TAIL, "version": "1.1.0"}}))
        desk.sign(two, ana="author", eve="operator")
        sentence = self.refused(11, "was revoked", by=("config", "promote", two))
        self.assertIn("ana.minisig", sentence)
        os.unlink(f"{two}.ana.minisig")
        desk.sign(two, ana2="author")
        self.promote(two)
        newest = self.history()[-1]
        self.assertEqual([(s["person"], s["role"]) for s in newest["signatures"]],
                         [("ana", "author"), ("eve", "operator")])
        shown = self.place.tenon("trust", "show", "--journal", self.place.journal, "--json").json
        self.assertEqual((shown["version"], shown["sha256"]), (2, desk.sha256(next_one)))
        self.plans_next(3)
        self.ends_well()

    def rotated(self):
        """The next document: ana has another key, the old one is revoked, and eve is new."""
        path = self.trust_document("next.yaml", desk.ROLES, ana="ana2")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        text = text.replace("version: 1", "version: 2").replace("0" * 64, desk.sha256(self.trust))
        return self.place.write("next.yaml", text + f'revoked: ["{desk.public("ana")}"]\n')


class Restart(desk.Desk):
    def test_probation_outlives_a_restart(self):
        self.begin({"tail": TAIL, "memo": MEMO})
        self.until_minutes(60)
        two = self.signed(desk.deployment({"tail": {**TAIL, "version": "1.1.0"},
                                           "memo": {**MEMO, "version": "2.0.0"}},
                                          probation="20d"))
        self.promote(two)
        until = self.status()["active"]["probation_until_ns"]
        self.until_minutes(30)
        self.host.stop()
        self.restart()
        active = self.status()["active"]
        self.assertEqual((active["serial"], active["promotion"], active["probation_until_ns"],
                          active["before_serial"]), (2, "probation", until, 1))
        self.assertEqual(self.status()["epoch"], 2)
        self.until_minutes(60)
        self.plans_next(3)
        done = self.does(0, "config", "rollback", "--reason", "after the restart", "--json")
        self.assertEqual(done.json["serial"], 3)
        self.assertEqual([self.strategy(n)["version"] for n in ("tail", "memo")],
                         ["1.0.0", "1.0.0"])
        self.until_minutes(30)
        self.assertEqual(self.ways(), [(1, "superseded", "OK"), (2, "rolled back", "OK"),
                                       (3, "permanent", "OK")])
        self.ends_well()


class Faults(desk.Desk):
    def breaking(self, after, hear):
        """A build that breaks its contract after so many live bars."""
        broken = desk.strategy("tail", "1.2.0", stop_ppm=30000, breaks_after=after)
        return self.signed(desk.deployment({"tail": broken, "memo": MEMO}, hear=hear,
                                           probation="20d"))

    def test_a_build_that_breaks_its_contract_never_stays(self):
        self.begin({"tail": TAIL, "memo": MEMO})
        self.until_minutes(60)
        self.refused(1, "broke its contract",
                     by=("config", "promote", self.breaking(5, "10h")))
        status = self.status()
        self.assertEqual((status["serial"], status["next"]), (1, None))
        self.assertEqual((status["refused"]["code"], status["refused"]["exit"]), ("PLUGIN", 1))
        self.plans_next(2)
        self.promote(self.breaking(400, "2m"))
        self.host.until(lambda s: s["serial"] == 3, "the host goes back by itself")
        self.host.until(lambda s: s["active"]["promotion"] == "permanent", "it is over")
        self.assertEqual((self.strategy("tail")["version"], self.strategy("tail")["generation"],
                          self.strategy("tail")["mode"]), ("1.0.0", 1, "ACTIVE"))
        self.assertEqual(self.ways(), [(1, "superseded", "OK"), (2, "refused", "PLUGIN"),
                                       (2, "rolled back", "OK"), (3, "permanent", "OK")])
        self.assertRegex(self.history()[2]["text"], "broke its contract")
        self.until_held("tail")
        self.ends_well()


class Leaving(desk.Desk):
    HOLDER = desk.strategy("memo", "1.0.0", stop_ppm=400000)  # turns seldom, and is not stopped
    ALL = {"one": HOLDER, "two": HOLDER, "three": HOLDER}

    def without(self, *names, **how):
        return desk.deployment({n: s for n, s in self.ALL.items() if n not in names},
                               probation="0ms", **how)

    def test_what_it_owns_is_flattened_or_handed_over(self):
        self.begin(self.ALL)
        self.until_minutes(60)
        self.until_held("one")
        self.refused(65, "strategy one leaves with .*on_remove",
                     by=("config", "promote", self.signed(self.without("one"))))
        self.flattens()
        self.hands_over()
        self.ends_well()

    def flattens(self):
        self.until_held("one")
        self.promote(self.signed(self.without("one", on_remove={"one": "flatten"})))
        self.host.until(lambda s: all(float(p["qty"]) == 0 for p in s["positions"]
                                      if p["strategy"] == "one"), "flat")
        self.assertIn("one", {p["strategy"] for p in self.status()["positions"]})
        self.assertIsNone(self.strategy("one"))
        intents = [r["payload"] for r in self.place.records("INTENT")]
        self.assertEqual([i["reducing"] for i in intents if i["origin"] == "REMOVE"], [True])
        self.text = self.without("one")
        self.plans_next(3)

    def hands_over(self):
        """An heir that holds something itself cannot take more; a new one takes all as it is."""
        self.until_held("two", "three")
        busy = self.signed(self.without("one", "two", on_remove={"two": "{hand_to: three}"}))
        self.refused(65, "two", "flat", by=("config", "promote", busy))
        self.assertEqual(self.status()["serial"], 2)
        self.plans_next(3)
        heir = {"three": self.HOLDER, "heir": TAIL}
        path = self.signed(desk.deployment(heir, probation="0ms",
                                           on_remove={"two": "{hand_to: heir}"}),
                           ana="author", bo="risk")
        self.until_held("two")
        self.promote(path)
        names = {r["payload"]["name"]: r["payload"]["id"] for r in self.place.records("INSTANCE")}
        flips = [r for r in self.place.records("FLIPPED")
                 if r["payload"]["instance"] == names["two"] and r["payload"]["to"] == 0]
        self.assertEqual([f["payload"]["handed_to"] for f in flips], [names["heir"]])
        self.assertEqual((flips[0]["payload"]["positions"], flips[0]["payload"]["stops"]), (1, 1))
        self.same_position(names["two"], names["heir"], int(flips[0]["seq"]))

    def same_position(self, old, new, seq):
        books = {}
        for r in self.place.records("POSITION"):
            p = r["payload"]
            if int(r["seq"]) < seq and p["strategy"] == old:
                books["before"] = (p["qty"], p["avg_price"])
            if int(r["seq"]) == seq:
                books[p["strategy"]] = (p["qty"], p["avg_price"])
        self.assertEqual(books[new], books["before"], books)
        self.assertEqual(books[old][0], 0)


if __name__ == "__main__":
    lib.main()
