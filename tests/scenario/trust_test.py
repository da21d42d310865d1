#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may sign what: trust init, show, revoke and config verify, over real keys and files.

Method: three people make keys; a trust document, deployments and a request are written, signed and
spoiled in one way at a time. Each refusal is held to its exit code and to the words an operator
acts on; who signed is always told first, also when the file is refused.
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from scenario_lib import TENON, Scenario, main

ZEROS = "0" * 64
PEOPLE = {"ana": "author+operator", "bo": "operator+risk+root", "eve": "operator+risk"}
DEPLOYMENT = """schema: 1
host: lab
serial: {serial}
parent: "{parent}"
not_before: {not_before}
expires: {expires}
seed: 7
currencies:
  USD: {{exponent: -8}}
accounts:
  paper:
    currency: USD
    balance: "100000"
    simulated: true
    venue: {{profile: demo, latency_ms: 20, maker_fee_bps: 1, taker_fee_bps: 5}}
instruments:
  COIN:
    contract: linear
    price_exponent: -8
    qty_exponent: -8
    tick: 0.01
    lot: 0.0001
    multiplier: 1
    settle: USD
    bar: 1m
    stamp: start
    session: always
    degraded_after: 5m
    down_after: 30m
instances:
  cross:
    plugin: ema_cross
    version: 1.0.0
    instrument: COIN
    bar: 1m
    sha256: "{pin}"
routes:
  - {{strategy: cross, instrument: COIN, account: paper, env: paper, budget: "20000"}}
limits:
  all:
    max_order_qty: 4
    max_order_value: "25000"
    max_position_qty: 100
    price_collar_pct: 2
    max_exposure_pct: 20
    max_leverage_x: 2.5
    max_open_orders: 20
    max_messages_per_s: 10
    max_clock_skew_ms: 50
"""
REQUEST = """schema: 1
kind: request
host: lab
wish: resume
scope: global
to: active
reason: "cause found"
created: {created}
expires: {expires}
nonce: "0123456789abcdef"
"""


def deployment(**changed):
    values = {"serial": 1, "parent": ZEROS, "not_before": "2020-01-01T00:00:00Z",
              "expires": "2199-01-01T00:00:00Z", "pin": "ab" * 32}
    return DEPLOYMENT.format(**{**values, **changed})


class Trust(unittest.TestCase):
    keys = None

    @classmethod
    def setUpClass(cls):
        cls.keys = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.keys.cleanup)
        for person in (*PEOPLE, "kim"):
            cls.tool(cls.keys.name, "key", "new", person, "--keys", ".", person=person, must=0)

    @staticmethod
    def tool(folder, *words, person=None, must=None):
        """Runs tenon there; the person's password comes over a pipe."""
        env = {**os.environ, "XDG_STATE_HOME": os.path.join(folder, "none")}
        read, write = os.pipe()
        extra = ()
        if person:
            os.write(write, f"password-of-{person}\n".encode())
            extra = ("--password-fd", str(read))
        os.close(write)
        done = subprocess.run([TENON, *words, *extra], cwd=folder, env=env, capture_output=True,
                              text=True, check=False, pass_fds=(read,), timeout=120)
        os.close(read)
        if must is not None and done.returncode != must:
            raise AssertionError(f"{words} gave {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        specs = [f"{name}:{roles}:{self.keys.name}/{name}.pub" for name, roles in PEOPLE.items()]
        self.specs = specs
        self.run_tenon("trust", "init", "trust.yaml", *specs, "--host", "lab", must=0)

    def run_tenon(self, *words, **how):
        return self.tool(self.folder, *words, **how)

    def sign(self, file, person, role):
        return self.run_tenon("config", "sign", file, "--role", role, "--key",
                              f"{self.keys.name}/{person}.key", person=person, must=0)

    def write(self, name, text):
        (pathlib.Path(self.folder) / name).write_text(text)

    def verify(self, name, code, *words, trust="trust.yaml"):
        done = self.run_tenon("config", "verify", name, "--trust", trust, must=code)
        for word in words:
            self.assertIn(word, done.stdout + done.stderr)
        return done

    # ---- trust init, show, revoke ----

    def test_init_writes_what_show_reads(self):
        shown = json.loads(self.run_tenon("trust", "show", "trust.yaml", "--json", must=0).stdout)
        self.assertEqual(shown["schema"], "tenon.trust.v1")
        self.assertEqual((shown["host"], shown["version"], shown["parent"]), ("lab", 1, ZEROS))
        self.assertEqual({p["name"]: "+".join(sorted(p["roles"])) for p in shown["people"]},
                         {n: "+".join(sorted(r.split("+"))) for n, r in PEOPLE.items()})
        self.assertEqual(shown["thresholds"], {"root": 1, "author": 1, "operator": 1, "risk": 1,
                                               "request": 2})
        text = self.run_tenon("trust", "show", "trust.yaml", must=0).stdout
        for person in shown["people"]:
            self.assertIn(person["keys"][0]["id"], text)

    def test_init_refuses_what_cannot_work(self):
        pub = f"{self.keys.name}/ana.pub"
        for code, words, specs in (
                (65, "a second person is needed", [f"ana:root+author+operator+risk:{pub}"]),
                (65, "lifting a kill takes 2 different people",
                 [self.specs[0].replace("+operator", ""), self.specs[1]]),
                (64, "a part is missing", ["ana:author"]),
                (64, "roles are root, author, operator and risk", [f"ana:king:{pub}"]),
                (64, "beginning with a letter", [f"Ana:author:{pub}"]),
                (64, "named before with other roles", [*self.specs, f"ana:risk:{pub}"]),
                (64, "a key has one owner", [*self.specs, f"kim:risk:{pub}"]),
                (66, "no such file", ["ana:author:nothing.pub"])):
            done = self.run_tenon("trust", "init", "new.yaml", *specs, "--host", "lab", must=code)
            self.assertIn(words, done.stderr)
            self.assertFalse((pathlib.Path(self.folder) / "new.yaml").exists())
        before = (pathlib.Path(self.folder) / "trust.yaml").read_bytes()
        done = self.run_tenon("trust", "init", "trust.yaml", *self.specs, "--host", "lab", must=65)
        self.assertIn("exists already", done.stderr)
        self.assertEqual((pathlib.Path(self.folder) / "trust.yaml").read_bytes(), before)

    def test_a_first_version_is_signed_by_root(self):
        done = self.run_tenon("config", "verify", "trust.yaml", must=11)
        self.assertTrue(done.stdout.startswith("✖ nobody"), done.stdout)
        self.sign("trust.yaml", "bo", "root")
        done = self.run_tenon("config", "verify", "trust.yaml", must=0)
        self.assertTrue(done.stdout.startswith("✔ bo "), done.stdout)
        self.assertIn("may begin a journal of host lab", done.stdout)
        self.verify("trust.yaml", 0, "version 1 is the one of trust.yaml")
        self.run_tenon("trust", "init", "other.yaml", *self.specs, "--host", "prod", must=0)
        self.sign("other.yaml", "bo", "root")
        self.verify("other.yaml", 65, "is for the host prod, and this one is lab")

    def test_revoke_writes_the_next_version(self):
        kim = f"kim:operator+risk+root:{self.keys.name}/kim.pub"
        self.run_tenon("trust", "init", "one.yaml", *self.specs, kim, "--host", "lab", must=0)
        one = json.loads(self.run_tenon("trust", "show", "one.yaml", "--json").stdout)
        bo = next(p for p in one["people"] if p["name"] == "bo")["keys"][0]
        done = self.run_tenon("trust", "revoke", bo["id"].lower(), "--trust", "one.yaml", "--out",
                              "two.yaml", "--json", must=0)
        two = json.loads(done.stdout)
        self.assertEqual((two["version"], two["parent"]), (2, one["sha256"]))
        self.assertEqual(two["revoked"], [bo])
        self.assertNotIn("bo", [p["name"] for p in two["people"]])
        self.sign("two.yaml", "bo", "root")
        self.verify("two.yaml", 12, "✔ bo", "✖ missing    root 1 (kim)", trust="one.yaml")
        self.sign("two.yaml", "kim", "root")
        self.verify("two.yaml", 0, "✔ kim", "may be rotated in", trust="one.yaml")
        done = self.run_tenon("config", "verify", "two.yaml", must=66)
        self.assertIn("the version before it is not at hand", done.stderr)
        again = ("trust", "revoke", bo["public"], "--trust", "two.yaml", "--out", "three.yaml")
        self.assertIn("is revoked already", self.run_tenon(*again, must=65).stderr)

    def test_revoke_refuses_unknown_keys_and_too_few_people(self):
        out = ("--trust", "trust.yaml", "--out", "two.yaml")
        done = self.run_tenon("trust", "revoke", "0011223344556677", *out, must=66)
        self.assertIn("no such key in trust.yaml (version 1)", done.stderr)
        bo = json.loads(self.run_tenon("trust", "show", "trust.yaml", "--json").stdout)
        key = bo["people"][1]["keys"][0]["id"]
        done = self.run_tenon("trust", "revoke", key, *out, must=65)
        self.assertIn("changing this document takes 1 different person", done.stderr)
        self.assertFalse((pathlib.Path(self.folder) / "two.yaml").exists())

    # ---- deployments ----

    def test_verify_names_who_signed_and_who_is_missing(self):
        self.write("d.yaml", deployment())
        self.verify("d.yaml", 11, "✖ nobody", "is not signed")
        self.sign("d.yaml", "ana", "author")
        self.verify("d.yaml", 12, "✔ ana", "✖ missing    risk 1 (bo or eve)",
                    "ana is its author and cannot approve it alone")
        self.sign("d.yaml", "bo", "operator")
        self.verify("d.yaml", 12, "✔ bo", "✖ missing    risk 1 (bo or eve)")
        self.sign("d.yaml", "eve", "risk")
        done = self.verify("d.yaml", 0, "serial 1 may become active on host lab")
        self.assertEqual([line[:5] for line in done.stdout.splitlines()[:3]],
                         ["✔ ana", "✔ bo ", "✔ eve"])

    def signed(self, name="d.yaml", **changed):
        self.write(name, deployment(**changed))
        for person, role in (("ana", "author"), ("bo", "operator"), ("eve", "risk")):
            self.sign(name, person, role)

    def test_verify_refuses_an_altered_file(self):
        self.signed()
        self.write("d.yaml", deployment().replace("seed: 7", "seed: 8"))
        done = self.verify("d.yaml", 11, "ana (key ", "it was changed since")
        self.assertEqual(done.stdout.count("✖"), 3)

    def test_verify_refuses_one_bad_signature_among_good_ones(self):
        self.signed()
        self.write("other.yaml", deployment(serial=2))
        self.sign("other.yaml", "bo", "operator")
        here = pathlib.Path(self.folder)
        (here / "other.yaml.bo.minisig").rename(here / "d.yaml.zz.minisig")
        done = self.verify("d.yaml", 11, "d.yaml.zz.minisig: bo (key ",
                           "the signature is of another file")
        self.assertEqual((done.stdout.count("✔"), done.stdout.count("✖")), (3, 1))

    def test_verify_refuses_strangers_and_wrong_roles(self):
        self.signed()
        self.sign("d.yaml", "kim", "operator")
        self.verify("d.yaml", 11, "is nobody's in the trust document of lab")
        os.unlink(os.path.join(self.folder, "d.yaml.kim.minisig"))
        self.sign("d.yaml", "eve", "author")
        self.verify("d.yaml", 11, "eve signed as author and has the roles operator, risk")

    def test_verify_refuses_by_time_host_and_form(self):
        self.signed("late.yaml", expires="2021-01-01T00:00:00Z")
        self.verify("late.yaml", 77, "✔ ana", "expired at 2021-01-01T00:00:00Z")
        self.signed("early.yaml", not_before="2198-01-01T00:00:00Z")
        self.verify("early.yaml", 77, "may be promoted from 2198-01-01T00:00:00Z on")
        self.write("form.yaml", deployment() + "colour: red\n")
        self.sign("form.yaml", "ana", "author")
        self.verify("form.yaml", 78, "✔ ana", "colour: unknown key")
        self.write("host.yaml", deployment().replace("host: lab", "host: prod"))
        self.sign("host.yaml", "ana", "author")
        self.verify("host.yaml", 11, "did not sign it for the host lab")

    def test_verify_without_a_journal_says_what_it_did_not_compare(self):
        self.signed(serial=7, parent="12" * 32)
        self.verify("d.yaml", 0, "not compared with a running deployment")
        done = self.run_tenon("config", "verify", "d.yaml", must=66)
        self.assertIn("there is no trust document at hand", done.stderr)

    def test_verify_in_json_is_one_object_also_when_refused(self):
        self.signed()
        os.unlink(os.path.join(self.folder, "d.yaml.eve.minisig"))
        done = self.run_tenon("config", "verify", "d.yaml", "--trust", "trust.yaml", "--json",
                              must=12)
        told = json.loads(done.stdout)
        self.assertEqual((told["schema"], told["ok"], told["exit"]), ("tenon.verify.v1", False, 12))
        self.assertEqual([(s["person"], s["role"]) for s in told["signers"]],
                         [("ana", "author"), ("bo", "operator")])
        self.assertEqual(told["missing"], "risk 1 (bo or eve)")
        self.assertEqual(told["error"]["code"], "APPROVAL")

    # ---- requests ----

    def test_verify_of_a_request_counts_two_people(self):
        now = int(pathlib.Path(self.folder).stat().st_mtime) - 60
        stamp = lambda s: subprocess.run(["date", "-u", "-d", f"@{s}", "+%Y-%m-%dT%H:%M:%SZ"],
                                         capture_output=True, text=True, check=True).stdout.strip()
        self.write("r.yaml", REQUEST.format(created=stamp(now), expires=stamp(now + 3600)))
        self.sign("r.yaml", "bo", "risk")
        self.verify("r.yaml", 12, "✔ bo", "✖ missing    operator or risk 1 (ana or eve)")
        self.sign("r.yaml", "ana", "operator")
        self.verify("r.yaml", 0, "host lab may be asked for it until")
        self.write("old.yaml", REQUEST.format(created="2020-01-01T00:00:00Z",
                                              expires="2020-01-01T01:00:00Z"))
        self.sign("old.yaml", "bo", "risk")
        self.sign("old.yaml", "ana", "operator")
        self.verify("old.yaml", 77, "✔ ana", "expired at 2020-01-01T01:00:00Z")


class InAJournal(Scenario):
    def test_the_document_in_force_is_shown_and_gone_by(self):
        done = self.place.headless("--for", "2m")
        self.assertEqual(done.code, 0, done)
        shown = self.place.tenon("trust", "show", "--journal", self.place.journal, "--json").json
        self.assertEqual((shown["host"], shown["version"], shown["throwaway"]), ("demo", 1, True))
        facts = self.place.records("TRUST", at_least=1)
        self.assertEqual(facts[0]["payload"]["sha256"], shown["sha256"])
        text = self.place.write("d.yaml", deployment().replace("host: lab", "host: demo"))
        done = self.place.tenon("config", "verify", text, "--journal", self.place.journal)
        self.complains(done, 11, "is not signed")
        self.assertIn("nobody     signed it", done.out)

    def test_without_a_journal_there_is_nothing_to_show(self):
        done = self.place.tenon("trust", "show", "--journal", self.place.at("none"))
        self.complains(done, 66, "no journal|no such")


if __name__ == "__main__":
    main()
