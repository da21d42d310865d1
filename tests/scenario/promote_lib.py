# SPDX-License-Identifier: Apache-2.0
"""Helpers of the promotion scenarios: people with keys, deployments as an author writes them, and a
desk: a host with its market, its trust document and an operator's commands.

Everything goes through the real programs. Only `sign_by_hand` makes a signature without them (with
the openssl command, from the same key file): what `tenon config sign` refuses to sign must reach
the host all the same, to be refused there.
"""
import atexit
import base64
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

import scenario_lib as lib

SWAP_PLUGINS = os.path.join(lib.BUILD, "swap")
ROWS = 40000    # of the market: more than any test lives to see
TICKS = 600     # cents that a price moves in a minute, at most
PASSWORDS = {"ana": "correct horse of ana", "ana2": "another of ana", "bo": "correct horse of bo",
             "eve": "correct horse of eve"}
ROLES = {"ana": "author+operator", "bo": "operator+risk+root", "eve": "operator"}


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


# ---- people ----

def with_password(person, *words):
    """A command that reads the person's password from a descriptor."""
    far, near = os.pipe()
    os.write(near, PASSWORDS[person].encode() + b"\n")
    os.close(near)
    try:
        done = subprocess.run([*words, str(far)], pass_fds=[far], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=lib.GUARD_S, env=lib.environment(),
                              check=False)
    finally:
        os.close(far)
    return lib.Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def lighten(person, path):
    """Seals a key anew with little work, for it is opened a hundred times here; else the same."""
    word = PASSWORDS[person].encode() + b"\n"
    done = subprocess.run(["openssl", "pkcs8", "-topk8", "-in", path, "-passin", "stdin", "-out",
                           path + ".new", "-passout", "stdin", "-v2", "aes-256-cbc", "-scrypt",
                           "-scrypt_N", "16", "-scrypt_r", "1", "-scrypt_p", "1"],
                          input=word + word, capture_output=True, timeout=lib.GUARD_S, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    os.chmod(path + ".new", 0o600)
    os.replace(path + ".new", path)


@functools.cache
def keys():
    """The folder of everybody's keys, made once per program."""
    path = tempfile.mkdtemp(prefix="tenon-keys-")
    atexit.register(shutil.rmtree, path, True)
    for person in PASSWORDS:
        done = with_password(person, lib.TENON, "key", "new", person, "--keys", path,
                             "--password-fd")
        if done.code != 0:
            raise AssertionError(f"key new {person}: {done}")
        lighten(person, os.path.join(path, f"{person}.key"))
    return path


def public(person):
    with open(os.path.join(keys(), f"{person}.pub"), encoding="utf-8") as f:
        return f.read().splitlines()[1]


def sign(path, **roles):
    """tenon config sign by each person in this role."""
    for person, role in roles.items():
        done = with_password(person, lib.TENON, "config", "sign", path, "--role", role, "--key",
                             os.path.join(keys(), f"{person}.key"), "--password-fd")
        if done.code != 0:
            raise AssertionError(f"{person} signs {path}: {done}")


def openssl_sign(person, data):
    path = tempfile.mkdtemp(prefix="tenon-sign-")
    try:
        with open(os.path.join(path, "data"), "wb") as f:
            f.write(data)
        done = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-in",
                               os.path.join(path, "data"), "-inkey",
                               os.path.join(keys(), f"{person}.key"), "-passin", "stdin"],
                              input=PASSWORDS[person].encode() + b"\n", capture_output=True,
                              timeout=lib.GUARD_S, check=False)
    finally:
        shutil.rmtree(path)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return done.stdout


def sign_by_hand(path, comment="role={role} kind=deployment host=desk serial=2", **roles):
    """The same file that `sign` writes, whatever the document says."""
    with open(path, "rb") as f:
        data = f.read()
    for person, role in roles.items():
        key_id = base64.b64decode(public(person))[2:10]
        words = comment.format(role=role).encode()
        signature = openssl_sign(person, hashlib.blake2b(data).digest())
        whole = openssl_sign(person, signature + words)
        with open(f"{path}.{person}.minisig", "wb") as f:
            f.write(b"untrusted comment: by hand\n" + base64.b64encode(b"ED" + key_id + signature) +
                    b"\ntrusted comment: " + words + b"\n" + base64.b64encode(whole) + b"\n")
        os.chmod(f"{path}.{person}.minisig", 0o644)


# ---- deployments ----

def strategy(plugin, version, **params):
    """A strategy on the desk's one instrument, with a route."""
    return {"plugin": plugin, "version": version,
            "params": {"target_ppm": 500000, **params}}


HEAD = """schema: 1
host: desk
serial: 0
{run_until}seed: 7
swap: {{hear: {hear}, probation: {probation}}}
currencies:
  USD: {{exponent: -8}}
accounts:
  paper:
    currency: USD
    balance: "100000"
    simulated: true
    venue: {{profile: plain, latency_ms: 20, maker_fee_bps: 1, taker_fee_bps: 5}}
instruments:
  BTC-USD: {{}}
"""
LIMITS = {"max_order_value": '"50000"', "price_collar_pct": "2", "max_exposure_pct": "100",
          "max_leverage_x": "5", "max_open_orders": "20", "max_messages_per_s": "50"}
BY_INSTRUMENT = {"max_order_qty": "50", "max_position_qty": "50"}


def mapping(values):
    return "{" + ", ".join(f"{k}: {v}" for k, v in values.items()) + "}"


def deployment(strategies, *, hear="2m", probation="30m", run_until=None, on_remove=None,
               limits=None, by_instrument=None, by_strategy=None):
    """An author's file: nobody's word yet, without serial and pins."""
    text = HEAD.format(hear=hear, probation=probation,
                       run_until=f"run_until: {run_until}\n" if run_until else "")
    text += "instances:\n"
    for name, s in strategies.items():
        text += (f"  {name}:\n    plugin: {s['plugin']}\n    version: {s['version']}\n"
                 f"    instrument: BTC-USD\n    bar: 1m\n    params: {mapping(s['params'])}\n")
    text += "routes:\n"
    text += "".join(f"  - {{strategy: {name}, instrument: BTC-USD, account: paper, env: paper, "
                    'budget: "20000"}\n' for name in strategies)
    text += f"limits:\n  all: {mapping({**LIMITS, **(limits or {})})}\n"
    coin = mapping({**BY_INSTRUMENT, **(by_instrument or {})})
    text += f"  by_instrument:\n    BTC-USD: {coin}\n"
    if by_strategy:
        text += "  by_strategy:\n"
        text += "".join(f"    {name}: {mapping(rows)}\n" for name, rows in by_strategy.items())
    if on_remove:
        text += "on_remove:\n"
        text += "".join(f"  {name}: {what}\n" for name, what in on_remove.items())
    return text


@functools.cache
def market():
    """Minute bars in which averages cross all the time."""
    path = tempfile.mkdtemp(prefix="tenon-market-")
    atexit.register(shutil.rmtree, path, True)
    os.chmod(path, 0o755)
    name = os.path.join(path, "btc.csv")
    with open(name, "w", encoding="utf-8") as f:
        f.write(lib.csv(lib.BARS, lib.bar_rows(ROWS, seed=11, step=TICKS)))
    os.chmod(name, 0o644)
    return name


# ---- a desk ----

class Desk(lib.Scenario):
    """A host on bars, its trust document, and what an operator does."""

    plugins = SWAP_PLUGINS
    speed = "6000"  # a hundred market minutes a second

    def setUp(self):
        super().setUp()
        self.written = 0
        self.host = None
        self.active = None  # path of the newest file that was promoted here

    # ---- commands ----

    def does(self, code, *words):
        """tenon with these words on this host; gives what it printed."""
        done = self.place.ask(*words)
        self.assertEqual(done.code, code, done)
        self.assertNotIn("Sanitizer", done.err)
        self.assertNotIn("runtime error", done.err)
        return done

    def refused(self, code, *words_and_patterns, by):
        """A command that is refused with one sentence that has these words; gives the sentence."""
        return self.complains(self.does(code, *by), code, *words_and_patterns)

    def status(self):
        status = self.host.status()
        self.assertIsNotNone(status, self.host.err())
        return status

    def history(self):
        done = self.place.tenon("config", "history", "--json", "--journal", self.place.journal)
        self.assertEqual(done.code, 0, done)
        return done.json["deployments"]

    def ways(self):
        return [(d["serial"], d["state"], d["result"]) for d in self.history()]

    # ---- files ----

    def trust_document(self, name="trust.yaml", people=None, **key):
        """A first document. key: a person's keys, when not the one of the same name."""
        path = self.place.at(name)
        rows = [f"{p}:{roles}:{keys()}/{k}.pub" for p, roles in (people or ROLES).items()
                for k in key.get(p, p).split()]
        done = self.place.tenon("trust", "init", path, *rows, "--host", "desk")
        self.assertEqual(done.code, 0, done)
        os.chmod(path, 0o644)
        return path

    def plan(self, text, *flags, knows=None):
        """Writes an author's file and asks for its plan. knows: what the plan is told of the host;
        its journal when left out."""
        self.written += 1
        path = self.place.write(f"draft{self.written}.yaml", text)
        return self.place.tenon("config", "plan", path, *(knows or ("--journal",
                                                                    self.place.journal)),
                                "--plugins", self.plugins, "--json", *flags)

    def propose(self, text, name=None):
        """An author's file completed by `config plan --out`; gives the proposal's path."""
        path = self.place.at(name or f"proposal{self.written + 1}.yaml")
        done = self.plan(text, "--out", path)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.json["sha256"], sha256(path))
        return path

    def signed(self, text, name=None, **roles):
        path = self.propose(text, name)
        sign(path, **(roles or {"ana": "author", "bo": "operator"}))
        return path

    def plans_next(self, serial):
        """What is planned now becomes this serial, and follows what is active."""
        done = self.plan(self.text)
        self.assertEqual(done.code, 0, done)
        self.assertEqual((done.json["serial"], done.json["running"]["serial"],
                          done.json["running"]["sha256"]),
                         (serial, serial - 1, self.status()["active"]["sha256"]))

    # ---- the host ----

    def prepare(self, strategies, people=None, keys_of=None, **how):
        """The trust document and the first deployment, signed by two; gives its path."""
        self.trust = self.trust_document(people=people, **(keys_of or {}))
        sign(self.trust, bo="root")
        self.text = deployment(strategies, **how)
        self.active = self.place.at("one.yaml")
        done = self.plan(self.text, "--out", self.active, knows=("--trust", self.trust))
        self.assertEqual((done.code, done.json.get("serial"), done.json.get("running")),
                         (0, 1, None), done)
        sign(self.active, ana="author", bo="risk")
        return self.active

    def begin(self, strategies, **how):
        """The first deployment, and a host that trades it."""
        self.restart("--config", self.prepare(strategies, **how), "--trust", self.trust)

    def restart(self, *flags):
        self.host = self.start("--data", market(), "--instrument", "BTC-USD", "--speed", self.speed,
                               "--auto", "--plugins", self.plugins, *flags)
        self.host.until(lambda s: s["active"]["serial"] > 0, "an active deployment")

    def until_minutes(self, minutes):
        """So much market time from now on."""
        upto = self.status()["now_ns"] + minutes * lib.MINUTE_NS
        return self.host.until(lambda s: s["now_ns"] >= upto, f"{minutes} minutes")

    def until_held(self, *names):
        """Each of these strategies holds a position."""
        def held(s):
            return {p["strategy"] for p in s["positions"] if float(p["qty"]) != 0} >= set(names)
        return self.host.until(held, f"positions of {names}")

    def promote(self, path, *flags):
        """Promotes what must be accepted; gives the lines that were said on the way."""
        done = self.does(0, "config", "promote", path, "--json", *flags)
        self.assertEqual(done.json["sha256"], sha256(path))
        self.active = path
        return done.json["lines"]

    def strategy(self, name):
        return next((s for s in self.status()["strategies"] if s["name"] == name), None)

    # ---- the end ----

    def ends_well(self):
        """Stops the host; its journal is whole, and core and builds replay to the same."""
        self.assertIn(self.host.stop(), (0, 1), self.host.err())
        err = self.host.err()
        self.assertNotIn("Sanitizer", err)
        self.assertNotIn("runtime error", err)
        self.verified()
        self.replays()

    def is_whole_by_the_hosts_own_word(self):
        """What tenon-verify finds without the host's code, `tenon journal verify` finds too."""
        whole = self.place.tenon("journal", "verify", "--journal", self.place.journal, "--heads",
                                 self.place.heads)
        self.assertEqual(whole.code, 0, whole)

    def replays(self):
        done = self.place.tenon("replay", "--journal", self.place.journal, "--json")
        self.assertEqual((done.code, done.json["identical"]), (0, True), done)
        done = self.place.tenon("replay", "--belief", "--plugins", self.plugins, "--journal",
                                self.place.journal, "--json")
        self.assertEqual((done.code, done.json["identical"]), (0, True), done)
        self.assertGreater(done.json["signals"], 0)
        return done.json


def serial_of(path):
    with open(path, encoding="utf-8") as f:
        return int(re.search(r"^serial: (\d+)", f.read(), re.MULTILINE)[1])
