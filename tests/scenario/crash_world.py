# SPDX-License-Identifier: Apache-2.0
"""One world for the kill -9 driver: tenon-egress, tenon-venue, tenond and the bays that it starts,
on wall time, with a deployment that always has orders on their way. Each program can be killed and
is started again as it was: with the same state, the same flags, the same password.

How ready is seen: the venue by its first line, egress and the engine and the bays by what the
engine says of itself: its answer to `status` on the socket, and its log (one line per adapter that
was reconciled, one per bay that is back). All of it is read; nothing here waits for a time.
"""
import json
import os
import pwd
import re
import secrets
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import scenario_lib as lib

EGRESS = os.path.join(lib.BUILD, "tenon-egress")
VENUE = os.path.join(lib.BUILD, "tenon-venue")
PLUGINS = os.path.join(lib.BUILD, "swap")  # the shipped ones and the fixtures
BAY = os.path.join(lib.BUILD, "tenon-bay")
PROGRAMS = (EGRESS, VENUE, BAY)
INSTRUMENTS = os.path.join(lib.CONFIGS, "instruments.yaml")
ACCOUNT = "paper"
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
SPEED = 45000  # thousandths: thirty quotes and more trades a second of each instrument
RECEIVED = re.compile(r"\breceive at=(\d+) .*?client=(\S+) .*?reduce_only=(\d)")
SYMBOLS = ("BTC-USD", "ETH-USD", "SPY")

HEAD = """# SPDX-License-Identifier: Apache-2.0
schema: 1
host: killed
serial: 0
seed: {seed}
currencies:
  USD: {{exponent: -8}}
accounts:
  paper:
    currency: USD
    balance: "1000000"
    simulated: true
    venue:
      profile: demo
      latency_ms: 40
      jitter_ms: 10
      maker_fee_bps: 1
      taker_fee_bps: 5
      slippage_bps: 1
      volume_part_pct: 25
    via: egress
    adapter:
      plugin: tenon_venue
      version: 1.0.0
      endpoints:
        rest: "http://127.0.0.1:{port}"
        stream: "ws://127.0.0.1:{port}"
instruments:
  BTC-USD: {{}}
  ETH-USD: {{}}
  SPY: {{}}
instances:
"""

STRATEGY = """  {n}:
    plugin: churn
    version: 1.0.0
    instrument: {symbol}
    bar: 1s
    params: {{{params}}}
    due: 250ms
    bay: process
"""

LIMITS = """limits:
  all:
    max_order_value: "40000"
    price_collar_pct: 5
    max_exposure_pct: 50
    max_leverage_x: 3
    max_open_orders: 40
    max_messages_per_s: 150
  by_instrument:
    BTC-USD: {max_order_qty: 50, max_position_qty: 50}
    ETH-USD: {max_order_qty: 500, max_position_qty: 500}
    SPY: {max_order_qty: 2000, max_position_qty: 2000}
"""


def strategies():
    """Name, symbol, parameters: takers that turn often, and makers whose orders rest."""
    for symbol in SYMBOLS:
        name = symbol.split("-", maxsplit=1)[0].lower()
        yield name + "_take", symbol, "every: 3"
        yield name + "_make", symbol, "every: 5, limit_ppm: 200, ttl_ms: 1500"


def document(port, seed):
    text = HEAD.format(port=port, seed=seed)
    for n, symbol, params in strategies():
        text += STRATEGY.format(n=n, symbol=symbol, params=params)
    text += "routes:\n"
    for n, symbol, _ in strategies():
        text += (f"  - {{strategy: {n}, instrument: {symbol}, account: paper, env: paper, "
                 'budget: "20000"}\n')
    return text + LIMITS


class Lost(AssertionError):
    """Something that had to come did not."""


def user_of(name):
    return {"user": name, "group": pwd.getpwnam(name).pw_gid} if lib.IS_ROOT else {}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def parent_of(pid):
    """Of a living process; None when it has ended, whether somebody has waited for it or not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            rest = f.read().rsplit(") ", 1)[1].split()
    except OSError:
        return None
    return int(rest[1]) if rest[0] not in "ZX" else None


class Program:
    """A program that is killed and started again; one log over all its lives."""

    def __init__(self, name, log):
        self.name, self.log, self.process, self.lives = name, log, None, 0
        self.read_at = 0

    def start(self, argv, fds=(), **more):
        self.lives += 1
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, pass_fds=fds, env=lib.environment(),
                                            **more)
        for fd in fds:
            os.close(fd)

    def kill(self, sig=signal.SIGKILL):
        self.process.send_signal(sig)
        return self.process.wait(timeout=lib.GUARD_S)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def size(self):
        return os.path.getsize(self.log) if os.path.exists(self.log) else 0

    def since(self, at):
        with open(self.log, "rb") as f:
            f.seek(at)
            return f.read().decode(errors="replace")

    def tail(self, count=2500):
        return self.since(max(0, self.size() - count)) if os.path.exists(self.log) else ""


class World:
    def __init__(self, seed, keep=None):
        self.seed = seed
        self.path = keep or tempfile.mkdtemp(prefix="tenon-kill-")
        os.makedirs(self.path, exist_ok=True)
        os.chmod(self.path, 0o755)
        self.port = free_port()
        self.nap = selectors.DefaultSelector()
        self.run = self.folder("run")
        # The venue is another machine in the field, so its disk is kept apart from ours: in memory
        # while it runs (it syncs every order), in this world's folder afterwards.
        self.venue_dir = tempfile.mkdtemp(prefix="tenon-venue-", dir=MEMORY)
        os.chmod(self.venue_dir, 0o777)
        self.state = self.folder("host")
        self.journal, self.heads = self.at("host", "journal"), self.at("host", "heads")
        self.ledger = os.path.join(self.venue_dir, "venue.ledger")
        self.control = os.path.join(self.venue_dir, "control")
        self.socket = os.path.join(self.run, "s.sock")
        self.config = self.write("deployment.yaml", document(self.port, seed))
        self.egress = Program("tenon-egress", self.at("egress.log"))
        self.venue = Program("tenon-venue", self.at("venue.log"))
        self.host = Program("tenond", self.at("host.log"))
        self.programs = (self.egress, self.venue, self.host)
        self.make_secret()

    # ---- folders ----

    def at(self, *names):
        return os.path.join(self.path, *names)

    def folder(self, name):
        os.makedirs(self.at(name), exist_ok=True)
        os.chmod(self.at(name), 0o777)
        return self.at(name)

    def write(self, name, text):
        with open(self.at(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.at(name), 0o644)
        return self.at(name)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    # ---- starting ----

    @staticmethod
    def pipe(text):
        read, write = os.pipe()
        os.write(write, text.encode())
        os.close(write)
        return read

    def make_secret(self):
        key, secret = "k1", secrets.token_hex(24)
        self.password = secrets.token_hex(16)
        self.keys = os.path.join(self.venue_dir, "keys")
        with open(self.keys, "w", encoding="utf-8",
                  opener=lambda n, f: os.open(n, f, 0o600)) as f:
            f.write(f"{key} {secret}\n")
        if lib.IS_ROOT:
            os.chown(self.keys, pwd.getpwnam("tenon").pw_uid, -1)
        word, fields = self.pipe(self.password + "\n"), self.pipe(f"{key}\n{secret}\n")
        argv = [lib.TENON, "secret", "add", ACCOUNT, "--for", "simulated", "--state",
                self.at("egress"), "--password-fd", str(word), "--secret-fd", str(fields)]
        done = subprocess.run(argv, pass_fds=(word, fields), capture_output=True, check=False)
        os.close(word)
        os.close(fields)
        if done.returncode != 0:
            raise Lost(f"tenon secret add: {done.stderr.decode()}")

    def start_egress(self):
        fd = self.pipe(self.password + "\n")
        self.egress.start([EGRESS, "--state", self.at("egress"), "--attach",
                           os.path.join(self.run, "attach.sock"), "--door",
                           os.path.join(self.run, "door.sock"), "--password-fd", str(fd)], (fd,))

    def start_venue(self):
        self.venue.start([VENUE, "--config", self.config, "--instruments", INSTRUMENTS,
                          "--plugins", PLUGINS, "--account", ACCOUNT, "--port",
                          str(self.port), "--ledger", self.ledger, "--keys", self.keys,
                          "--control", self.control, "--speed", str(SPEED)], **user_of("tenon"))

    def start_host(self):
        self.host.start([lib.TENOND, "--config", self.config, "--instruments", INSTRUMENTS,
                         "--throwaway-keys", "--plugins", PLUGINS, "--auto", "--quiet",
                         "--leave", "--journal", self.journal, "--heads", self.heads, "--socket",
                         self.socket, "--attach", os.path.join(self.run, "attach.sock")])

    def start(self):
        mark = self.egress.size()
        self.start_egress()
        self.until(lambda: "ready" in self.egress.since(mark), "egress is ready", self.egress)
        mark = self.venue.size()
        self.start_venue()
        self.until(lambda: "127.0.0.1:" in self.venue.since(mark), "the venue serves", self.venue)
        self.start_host()
        self.until(self.trades, "the host trades", self.host)

    def close(self):
        for p in (self.host, self.venue, self.egress):
            if p.is_running():
                p.kill()
        if os.path.isdir(self.venue_dir):
            if os.path.exists(self.control):
                os.unlink(self.control)  # a socket cannot go to another file system
            shutil.move(self.venue_dir, self.at("venue"))
        self.ledger = self.at("venue", "venue.ledger")

    # ---- looking ----

    def until(self, holds, what, program=None):
        """Looks every few ms until it holds; gives the seconds it took."""
        begin = time.monotonic()
        while time.monotonic() - begin < lib.GUARD_S:
            if holds():
                return time.monotonic() - begin
            if program is not None and not program.is_running():
                break
            self.nap.select(0.004)
        raise Lost(f"never came: {what}\n{self.words()}")

    def words(self):
        out = ""
        for p in self.programs:
            code = p.process.poll() if p.process else None
            out += f"--- {p.name}, exit {code}, {p.log}\n{p.tail()}\n"
        return out

    def ask(self, cmd, **args):
        """The engine's answer, or None while it does not answer."""
        body = json.dumps({"v": 1, "id": 1, "cmd": cmd, "args": args}).encode()
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5)
                s.connect(self.socket)
                s.sendall(struct.pack("<I", len(body)) + body)
                count = struct.unpack("<I", self.whole(s, 4))[0]
                return json.loads(self.whole(s, count))
        except (OSError, ValueError, struct.error):
            return None

    @staticmethod
    def whole(s, count):
        out = b""
        while len(out) < count:
            piece = s.recv(count - len(out))
            if not piece:
                raise OSError("the other side closed")
            out += piece
        return out

    def status(self):
        answer = self.ask("status")
        return answer.get("result") if answer and answer.get("ok") else None

    def bays(self):
        """{kind: [pids]} of the living bays that the running host's spawner started."""
        out = {"adapter": [], "strategy": [], "spawner": []}
        parents = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as f:
                    argv = f.read().split(b"\0")
            except OSError:
                continue
            up = parent_of(entry)
            if argv[0] == b"tenon-bay" and len(argv) > 2 and up is not None:
                kind = "spawner" if argv[1] == b"spawner" else argv[2].decode()
                parents[int(entry)] = (up, kind)
        spawners = {p for p, (up, kind) in parents.items()
                    if kind == "spawner" and up == self.host.process.pid}
        for pid, (up, kind) in parents.items():
            if kind in ("adapter", "strategy") and up in spawners:
                out[kind].append(pid)
        out["spawner"] = sorted(spawners)
        return out

    def trades(self):
        """Has the venue received an order that opens risk?"""
        return self.orders_since(0) > 0

    def received(self, at):
        """From this byte of the ledger: the orders that were received, as (t_ns, client id, is it
        new risk), and the byte after the last whole line."""
        try:
            with open(self.ledger, "rb") as f:
                f.seek(at)
                piece = f.read()
        except OSError:
            return [], at
        end = piece.rfind(b"\n") + 1
        found = RECEIVED.findall(piece[:end].decode(errors="replace"))
        return [(int(t), client, reduces == "0") for t, client, reduces in found], at + end

    def orders_since(self, t_ns):
        return sum(1 for t, _, is_risk in self.received(0)[0] if is_risk and t > t_ns)
