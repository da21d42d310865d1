#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: what operators do to a running host, with keys of their own: promote, follow, roll back,
read the history; lift a kill by two people; take a person's key out of the trust document. What is
refused is refused with its own exit code, changes nothing and is in the journal.
Method: the real host on its generated market; the first deployment is the demo's own text, taken
from a journal and signed by three people of the test's. Waiting is asking for the status.
"""
import hashlib
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

PASSWORD = b"correct horse battery\n"
PEOPLE = {"ana": "author", "bo": "root+operator+risk", "eve": "root+author+operator+risk"}
WARM_NS = 110 * lib.MINUTE_NS  # the demo's strategies need 105 bars


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def demo_text():
    """The demo's first deployment, as it is written and signed for one run."""
    place = lib.Place()
    try:
        place.headless("--for", "5m")
        pieces = [r["payload"] for r in place.records("TEXT")]
        first = next(p["sha256"] for p in pieces if p["kind"] == "DEPLOYMENT")
        return "".join(p["bytes"] for p in pieces if p["sha256"] == first)
    finally:
        place.remove()


class Operator(lib.Scenario):
    @classmethod
    def setUpClass(cls):
        cls.text = demo_text()

    def setUp(self):
        super().setUp()
        self.keys = self.place.at("keys")
        for person in PEOPLE:
            self.secret("key", "new", person, "--keys", self.keys)
        self.trust = self.place.at("trust.yaml")
        people = [f"{p}:{roles}:{self.keys}/{p}.pub" for p, roles in PEOPLE.items()]
        self.does(0, "trust", "init", self.trust, *people, "--host", "demo")
        self.sign(self.trust, bo="root")
        self.one = self.document("one.yaml", 1, "0" * 64)
        self.sign(self.one, ana="author", bo="operator", eve="risk")
        self.host = self.start("--config", self.one, "--trust", self.trust, "--speed", "600")
        self.began_ns = self.host.until(lambda s: s["serial"] == 1, "serial 1")["now_ns"]

    def secret(self, *words):
        """A command that needs a password, which it reads from a descriptor."""
        far, near = os.pipe()
        os.write(near, PASSWORD)
        os.close(near)
        done = subprocess.run([lib.TENON, *words, "--password-fd", str(far)], pass_fds=[far],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=lib.GUARD_S,
                              env=lib.environment(), check=False)
        os.close(far)
        self.assertEqual(done.returncode, 0, done)

    def sign(self, path, **roles):
        for person, role in roles.items():
            self.secret("config", "sign", path, "--role", role, "--key",
                        f"{self.keys}/{person}.key")

    def document(self, name, serial, parent, **changed):
        text = re.sub(r"\nserial: \d+\nparent: \".*\"", f'\nserial: {serial}\nparent: "{parent}"',
                      self.text)
        for old, new in changed.items():
            self.assertIn(f"{old}: ", text)
            text = re.sub(rf"\b{old}: \S+", f"{old}: {new}", text, count=1)
        return self.place.write(name, text)

    def does(self, code, *words):
        """tenon with these words on this host; gives what it printed."""
        done = self.place.ask(*words)
        self.assertEqual(done.code, code, done)
        self.assertNotIn("AddressSanitizer", done.err)
        return done

    def history(self):
        done = self.place.tenon("config", "history", "--json", "--journal", self.place.journal)
        return [(d["serial"], d["state"], d["result"]) for d in done.json["deployments"]]

    # ---- promotion ----

    def test_promote_follow_and_roll_back(self):
        two = self.document("two.yaml", 2, sha256(self.one), stop_ppm=15000)
        self.sign(two, ana="author", bo="operator")
        self.host.until(lambda s: s["now_ns"] - self.began_ns >= WARM_NS, "enough history")
        done = self.does(0, "config", "promote", two)
        self.assertIn("serial 2 is active, on probation", done.out)
        steps = re.findall(r"^serial 2: (\w+)", done.err, re.MULTILINE)
        self.assertEqual(steps, ["proposed", "verified", "approved", "shadow", "canary",
                                 "probation"])
        status = self.host.status()
        self.assertEqual((status["serial"], status["active"]["sha256"]), (2, sha256(two)))
        self.assertEqual(status["active"]["before_serial"], 1)
        self.assertEqual({s["name"]: s["generation"] for s in status["strategies"]}["btc_cross"], 2)
        self.does(65, "config", "promote", two)  # the serial is taken
        done = self.does(0, "config", "rollback", "--reason", "drill", "--json")
        self.assertEqual((done.json["schema"], done.json["serial"]), ("tenon.promotion.v1", 3))
        self.does(65, "config", "rollback")  # a signature authorises one way back
        self.host.stop()
        self.assertEqual(self.history(), [(1, "superseded", "OK"), (2, "rolled back", "OK"),
                                          (2, "refused", "STATE"), (3, "permanent", "OK")])
        table = self.place.tenon("config", "history", "--journal", self.place.journal).out
        self.assertRegex(table, r"signed    ana \(author, key [0-9A-F]{16}\), bo \(operator")
        self.assertIn("why       drill", table)
        self.assertLessEqual(max(len(line) for line in table.splitlines()), 100)

    def test_what_is_refused_changes_nothing(self):
        two = self.document("two.yaml", 2, sha256(self.one), stop_ppm=15000)
        large = self.place.write("large.yaml", "#" * 300 * 1024)
        rows = [(11, two, "is not signed"), (65, large, "307200 bytes")]
        for code, path, words in rows:
            self.complains(self.does(code, "config", "promote", path), code, words)
        self.sign(two, ana="author")
        self.complains(self.does(12, "config", "promote", two), 12, "operator 1")
        self.sign(two, bo="operator")
        with open(two, "a", encoding="utf-8") as f:
            f.write("# one more line\n")
        self.complains(self.does(11, "config", "promote", two), 11, "two.yaml")
        huge = self.place.write("huge.yaml", "#" * 700 * 1024)
        self.complains(self.does(65, "config", "promote", huge), 65, "614400 bytes")
        self.complains(self.does(65, "config", "rollback"), 65, "nothing to go back to")
        self.assertEqual(self.host.status()["serial"], 1)
        self.host.stop()
        refused = [r for _, state, r in self.history() if state == "refused"]
        self.assertEqual(refused, ["SIGNATURE", "TOO_LARGE", "APPROVAL", "SIGNATURE"])

    # ---- modes ----

    def test_one_person_reduces_and_two_lift_a_kill(self):
        self.does(0, "risk", "halt", "btc_cross", "--reason", "drill")
        self.does(0, "risk", "resume", "btc_cross")
        self.does(0, "risk", "reduce")
        self.host.until(lambda s: s["mode"] == "REDUCING", "reducing")
        self.does(0, "risk", "resume")
        self.does(0, "risk", "kill", "--reason", "drill")
        self.complains(self.does(77, "risk", "resume"), 77, "takes two people")
        lift = self.place.at("lift.yaml")
        self.does(64, "risk", "resume", "--out", lift)
        self.does(0, "risk", "resume", "--out", lift, "--reason", "drill is over")
        self.complains(self.does(11, "risk", "resume", "--request", lift), 11, "is not signed")
        self.sign(lift, bo="operator")
        self.complains(self.does(12, "risk", "resume", "--request", lift), 12, "missing")
        self.assertEqual(self.host.status()["mode"], "KILLED")
        self.sign(lift, eve="risk")
        self.does(0, "risk", "resume", "--request", lift)
        self.host.until(lambda s: s["mode"] in ("ACTIVE", "SAFE_START"), "lifted")
        self.complains(self.does(65, "risk", "resume", "--request", lift), 65, "used before")
        self.host.stop()
        request, = self.place.records("REQUEST")
        self.assertEqual((request["payload"]["people"], request["payload"]["mode"]), (2, "ACTIVE"))
        self.verified()

    # ---- trust ----

    def test_a_key_is_revoked_and_its_signature_counts_no_more(self):
        two = self.place.at("trust2.yaml")
        with open(f"{self.keys}/ana.pub", encoding="utf-8") as f:
            key = f.read().splitlines()[1]
        self.does(0, "trust", "revoke", key, "--trust", self.trust, "--out", two)
        self.complains(self.does(11, "trust", "rotate", two), 11, "is not signed")
        self.sign(two, bo="root")
        self.does(0, "trust", "rotate", two)
        self.host.until(lambda s: s["trust"]["version"] == 2, "the next trust document")
        next_one = self.document("two.yaml", 2, sha256(self.one), stop_ppm=15000)
        self.sign(next_one, ana="author", bo="operator")
        self.complains(self.does(11, "config", "promote", next_one), 11, "revoked")
        self.complains(self.does(65, "trust", "rotate", two), 65, "trust2.yaml")
        self.host.stop()
        versions = [r["payload"]["version"] for r in self.place.records("TRUST")]
        self.assertEqual(versions, [1, 2])


if __name__ == "__main__":
    lib.main()
