# SPDX-License-Identifier: Apache-2.0
"""Helpers of the scenario tests: folders, the real host, its journal, generated market data.

Waiting is reading: a line of the host's output, or its answer on the socket, at most so many times.
Nothing here sleeps, and nothing asserts a time; GUARD_S only ends a test that hangs.
"""
import gzip
import json
import os
import pwd
import random
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

GUARD_S = 120
GRACE_S = 60  # from the asking to the end of a program that has others to end first
TRIES = 1000
MINUTE_NS = 60 * 10**9
T0_NS = 1514764800 * 10**9  # 2018-01-01

SOURCE = os.environ.get("TENON_SOURCE") or os.path.abspath(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("TENON_BUILD") or os.path.join(SOURCE, "build", "dev")
TENON = os.path.join(BUILD, "tenon")
TENOND = os.path.join(BUILD, "tenond")
VERIFY = os.path.join(BUILD, "tenon-verify")
PLUGINS = os.path.join(BUILD, "plugins")
CONFIGS = os.path.join(SOURCE, "configs")
SHARED_DATA = os.path.normpath(os.path.join(SOURCE, "..", "shared", "data"))
RECOUNT = os.path.join(SOURCE, "tests", "scenario", "recount.py")
IS_ROOT = os.geteuid() == 0
IS_LONG = os.environ.get("TENON_LONG") == "1"


def skip(reason):
    print(f"skip: {reason}")
    sys.exit(77)


def need_programs():
    """Ends the test program with 77 where the host cannot run at all."""
    for program in (TENON, TENOND, VERIFY):
        if not os.access(program, os.X_OK):
            skip(f"{program} is not built")
    if IS_ROOT:
        try:
            pwd.getpwnam("tenon")
        except KeyError:
            skip("started as root, and there is no user 'tenon' to become: useradd --system tenon")


def main():
    need_programs()
    unittest.main(verbosity=2)


class Finished:
    """What a program left: exit code, standard output, standard error."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out[-3000:]}\n--- err\n{self.err[-3000:]}"

    @property
    def json(self):
        return json.loads(self.out)


def environment():
    env = dict(os.environ, TENON_CONFIGS=CONFIGS)
    env.pop("XDG_RUNTIME_DIR", None)
    return env


def call(*argv, cwd=None, env=None, timeout=GUARD_S):
    """Runs a program to its end. One that hangs is asked to end before it is killed, since what it
    started would outlive it; who has a guard of its own is given a longer one here."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, cwd=cwd, env=env or environment()) as child:
        try:
            out, err = child.communicate(timeout=timeout)
        except BaseException:
            child.terminate()
            try:
                child.communicate(timeout=GRACE_S)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
    return Finished(child.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def load_tool(name):
    """A program of tools/ as a module."""
    loader = SourceFileLoader(name.replace("-", "_"), os.path.join(SOURCE, "tools", name))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Place:
    """A folder for one run: journal, heads and socket of its own."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="tenon-scenario-")
        os.chmod(self.path, 0o755)  # the host's own user must be able to enter
        self.journal = self.at("journal")
        self.heads = self.at("heads")
        self.socket = self.at("s.sock")

    def at(self, *names):
        return os.path.join(self.path, *names)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def arguments(self, args):
        given = {a.split("=")[0] for a in args}
        own = {"--journal": self.journal, "--heads": self.heads, "--plugins": PLUGINS,
               "--socket": self.socket}
        out = list(args)
        for flag, value in own.items():
            if flag not in given:
                out += [flag, value]
        return out

    def host(self, *args, cwd=None):
        """The host from start to end."""
        return call(TENOND, *self.arguments(args), cwd=cwd)

    def headless(self, *args):
        return self.host("--demo", "--headless", "--json", *args)

    def start(self, *args):
        return Host(self, args)

    def tenon(self, *args):
        return call(TENON, *args)

    def ask(self, *args):
        return call(TENON, *args, "--socket", self.socket)

    def records(self, kind=None, at_least=None):
        """The journal's records as dicts, of one type or all."""
        args = ["journal", "cat", "--json", "--journal", self.journal]
        if kind is not None:
            args += ["--type", kind]
        if at_least is not None:
            args += ["--from", str(at_least)]
        done = self.tenon(*args)
        if done.code != 0:
            raise AssertionError(f"journal cat: {done}")
        return [json.loads(line) for line in done.out.splitlines()]

    def verify(self, heads=True):
        return call(VERIFY, self.journal, *(["--heads", self.heads] if heads else []), "--json")

    def ledgers(self):
        names = [n for n in os.listdir(self.heads) if n.endswith(".ledger")]
        return [os.path.join(self.heads, n) for n in sorted(names)]

    def write(self, name, text):
        path = self.at(name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)
        return path


class Host:
    """A host that is running; its output is read line by line."""

    def __init__(self, place, args):
        self.place = place
        self.lines = []
        self.err_path = place.at(f"err-{len(os.listdir(place.path))}")
        with open(self.err_path, "wb") as err:
            self.process = subprocess.Popen([TENOND, *place.arguments(args)],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=err, env=environment())
        self.fd = self.process.stdout.fileno()
        os.set_blocking(self.fd, False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.fd, selectors.EVENT_READ)
        self.rest = b""
        self.is_open = True

    def err(self):
        with open(self.err_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def pump(self, seconds):
        """Reads what there is within so many seconds."""
        if not self.is_open or not self.selector.select(seconds):
            return
        piece = os.read(self.fd, 65536)
        if piece == b"":
            self.is_open = False
        self.rest += piece
        *whole, self.rest = self.rest.split(b"\n")
        self.lines += [line.decode(errors="replace") for line in whole]

    def status(self):
        """The host's answer to `tenon status`, or None while it does not answer or only starts."""
        done = self.place.ask("status", "--json")
        status = json.loads(done.out) if done.code == 0 else {}
        return status if status.get("state") in ("running", "no_deployment") else None

    def until(self, wanted, what):
        """Asks for the status until wanted(status) holds."""
        status = None
        for _ in range(TRIES):
            self.pump(0.02)
            status = self.status()
            if status is not None and wanted(status):
                return status
            if self.process.poll() is not None:
                break
        raise AssertionError(f"never came: {what}; last {status}; exit {self.process.poll()}\n"
                             f"{self.lines[-5:]}\n{self.err()[-3000:]}")

    def stop(self, sig=signal.SIGTERM):
        """Ends it by a signal; gives its exit code."""
        self.process.send_signal(sig)
        return self.wait()

    def wait(self):
        for _ in range(GUARD_S):
            if not self.is_open:
                break
            self.pump(1)
        code = self.process.wait(timeout=GUARD_S)
        self.selector.close()
        self.process.stdout.close()
        return code

    def finished(self):
        return Finished(self.process.returncode, "\n".join(self.lines), self.err())

    def summary(self):
        return json.loads(next(line for line in self.lines if line.startswith("{")))

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.wait()


class Scenario(unittest.TestCase):
    """One Place per test, removed at its end; hosts left running are ended."""

    def setUp(self):
        self.place = self.new_place()

    def new_place(self):
        place = Place()
        self.addCleanup(place.remove)
        return place

    def start(self, *args, place=None):
        host = (place or self.place).start(*args)
        self.addCleanup(host.close)
        return host

    def holds(self, done):
        """A finished run in which everything that must hold does; gives its summary."""
        self.assertEqual(done.code, 0, done)
        summary = done.json
        self.assertTrue(summary["holds"], summary)
        self.assertTrue(summary["replay"]["identical"], summary)
        rows = summary["rows"]
        self.assertEqual(rows["seen"], rows["used"] + rows["reported"], rows)
        return summary

    def recounted(self, summary, place=None):
        """The venue's ledger, recounted, equals the summary; gives the recount."""
        place = place or self.place
        ledgers = place.ledgers()
        self.assertEqual(len(ledgers), 1, ledgers)
        path = place.write("summary.json", json.dumps(summary))
        done = call(sys.executable, RECOUNT, ledgers[0], "--compare", path)
        self.assertEqual(done.code, 0, done.err)
        return done.json

    def verified(self, place=None):
        done = (place or self.place).verify()
        self.assertEqual(done.code, 0, done)
        return done.json

    def complains(self, done, code, *words):
        """An exit code and one sentence with these words; not a stack trace."""
        self.assertEqual(done.code, code, done)
        for word in words:
            self.assertRegex(done.err, re.compile(word, re.IGNORECASE), done)
        self.assertNotIn("AddressSanitizer", done.err)
        self.assertNotIn("runtime error", done.err)
        lines = [x for x in done.err.splitlines() if x.startswith("error[")]
        self.assertEqual(len(lines), 1, done)
        return lines[0]


# ---- generated market data ----

def decimal(mantissa, digits):
    sign = "-" if mantissa < 0 else ""
    text = str(abs(mantissa)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else sign + text


class Walk:
    """Prices in cents that trend up and down so that moving averages cross often."""

    def __init__(self, seed, price=1000000, step=600):
        self.rng = random.Random(seed)
        self.price, self.step, self.drift, self.left = price, step, 0, 0

    def next(self):
        if self.left == 0:
            self.left = self.rng.randint(8, 40)
            self.drift = self.rng.choice((-1, 1)) * self.rng.randint(0, self.step // 2)
        self.left -= 1
        self.price = max(100, self.price + self.drift + self.rng.randint(-self.step, self.step))
        return self.price


def bar_rows(count, seed=1, price=1000000, step=600, t0_ns=T0_NS):
    """Rows `ts_ns,open,high,low,close,volume` of one-minute bars, stamped at their start."""
    walk, rows, close = Walk(seed, price, step), [], price
    for i in range(count):
        start, close = close, walk.next()
        high = max(start, close) + walk.rng.randint(0, step // 4)
        low = max(1, min(start, close) - walk.rng.randint(0, step // 4))
        volume = walk.rng.randint(10**6, 9 * 10**8)
        rows.append(f"{t0_ns + i * MINUTE_NS},{decimal(start, 2)},{decimal(high, 2)},"
                    f"{decimal(low, 2)},{decimal(close, 2)},{decimal(volume, 6)}")
    return rows


def trade_rows(count, seed=1, price=18000, step=6, gap_ns=2 * 10**9, t0_ns=T0_NS):
    walk = Walk(seed, price, step)
    return [f"{t0_ns + i * gap_ns},{decimal(walk.next(), 2)},{walk.rng.randint(50, 900)}"
            for i in range(count)]


def quote_rows(count, seed=1, price=1100000, step=20, gap_ns=10**9, t0_ns=T0_NS):
    walk, rows = Walk(seed, price, step), []
    for i in range(count):
        mid = walk.next()
        rows.append(f"{t0_ns + i * gap_ns},{decimal(mid - 5, 2)},{decimal(mid + 5, 2)},5,5")
    return rows


BARS = "ts_ns,open,high,low,close,volume"
TRADES = "ts_ns,price,qty"
QUOTES = "ts_ns,bid,ask,bid_qty,ask_qty"


def csv(header, rows):
    return "\n".join([header, *rows]) + "\n"


def write_gz(path, text):
    with gzip.GzipFile(path, "wb", mtime=0) as f:
        f.write(text.encode())
    os.chmod(path, 0o644)
    return path


def write_zst(path, text):
    done = subprocess.run(["zstd", "-q", "-f", "-o", path], input=text.encode(), check=False,
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    os.chmod(path, 0o644)
    return path
