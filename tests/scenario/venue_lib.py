# SPDX-License-Identifier: Apache-2.0
"""A client of tenon-venue that shares no code with the host: signed HTTP, a WebSocket, the control
door, the ledger. Waiting is reading from a socket; GUARD_S only ends what hangs."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import time

from scenario_lib import BUILD, CONFIGS, GUARD_S, PLUGINS, call, environment

VENUE = os.path.join(BUILD, "tenon-venue")
KEY, SECRET = "paper-key", "paper-secret-0123456789"
OTHER_KEY, OTHER_SECRET = "other-key", "other-secret-0123456789"
BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ENDS = ("cancel", "expire", "venue_cancel", "reject")


def base32(value):
    text = BASE32[value & 31]
    while value > 31:
        value >>= 5
        text = BASE32[value & 31] + text
    return text


def client_id(order, epoch=1, attempt=1):
    return f"T{base32(epoch)}-{base32(order)}-{base32(attempt)}"


def sign(secret, *parts):
    return hmac.new(secret.encode(), "".join(parts).encode(), hashlib.sha256).hexdigest()


class Reply:
    def __init__(self, status, body, headers):
        self.status, self.body, self.headers = status, body, headers

    def __repr__(self):
        return f"{self.status} {self.body}"

    def __getitem__(self, key):
        return self.body[key]


class Http:
    """One keep-alive connection with one key."""

    def __init__(self, port, key=KEY, secret=SECRET):
        self.key, self.secret = key, secret
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=GUARD_S)

    def send(self, method, path, body=None, at_ms=None, signature=None):
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        stamp = str(at_ms if at_ms is not None else time.time_ns() // 10**6)
        good = sign(self.secret, stamp, method, path, text)
        headers = {"X-Key": self.key, "X-Time": stamp, "X-Sign": signature or good}
        if method == "POST":
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, body=text or None, headers=headers)

    def take(self):
        r = self.connection.getresponse()
        body = r.read()
        return Reply(r.status, json.loads(body), r.headers)

    def ask(self, *args, **named):
        self.send(*args, **named)
        return self.take()

    def order(self, client, side="buy", qty="1", price="100", symbol="BTC-USD", tif="gtc", **more):
        return self.ask("POST", "/v1/orders", {"client_id": client, "symbol": symbol, "side": side,
                                               "type": "limit", "qty": qty, "price": price,
                                               "tif": tif, "reduce_only": False, **more})

    def close(self):
        self.connection.close()


class Closed(Exception):
    """The other side closed the stream."""


class Stream:
    """The WebSocket, read message by message."""

    def __init__(self, port, key=KEY, secret=SECRET):
        self.key, self.secret = key, secret
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=GUARD_S)
        nonce = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                             "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\n\r\n"
                             ).encode())
        self.rest = b""
        self.seen = []
        try:
            head = self._until(b"\r\n\r\n")
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise Closed(head.decode(errors="replace"))
        except Exception:
            self.close()
            raise

    def _more(self):
        piece = self.socket.recv(65536)
        if piece == b"":
            raise Closed("end of stream")
        self.rest += piece

    def _until(self, mark):
        while mark not in self.rest:
            self._more()
        head, self.rest = self.rest.split(mark, 1)
        return head

    def _take(self, count):
        while len(self.rest) < count:
            self._more()
        head, self.rest = self.rest[:count], self.rest[count:]
        return head

    def put(self, message):
        text = message.encode() if isinstance(message, str) else json.dumps(message).encode()
        mask = os.urandom(4)
        size = (bytes([0x80 | len(text)]) if len(text) < 126 else
                bytes([0x80 | 126]) + struct.pack(">H", len(text)))
        self.socket.sendall(b"\x81" + size + mask +
                            bytes(b ^ mask[i % 4] for i, b in enumerate(text)))

    def get(self):
        """The next message; pings are answered, a close frame or a reset is Closed."""
        while True:
            try:
                first, second = self._take(2)
                count = second & 127
                if count == 126:
                    count = struct.unpack(">H", self._take(2))[0]
                elif count == 127:
                    count = struct.unpack(">Q", self._take(8))[0]
                payload = self._take(count)
            except ConnectionError as e:
                raise Closed(str(e)) from e
            if first & 15 == 8:
                raise Closed("close frame")
            if first & 15 == 1:
                self.seen.append(json.loads(payload))
                return self.seen[-1]

    def until(self, **wanted):
        """The next message with these members."""
        while True:
            m = self.get()
            if all(m.get(k) == v for k, v in wanted.items()):
                return m

    def login(self):
        stamp = str(time.time_ns() // 10**6)
        self.put({"op": "login", "key": self.key, "time": stamp,
                  "sign": sign(self.secret, stamp, "LOGIN")})
        return self.until(ch="login")

    def subscribe(self, *channels):
        self.put({"op": "subscribe", "channels": list(channels)})
        return self.until(ch="subscribed")

    def close(self):
        self.socket.close()


def read_ledger(path):
    """Its lines as dicts, by tenon-venue's own reader."""
    done = call(VENUE, "ledger", path)
    if done.code != 0:
        raise AssertionError(f"ledger: {done}")
    return [json.loads(line) for line in done.out.splitlines()]


def lines_until(lines, t_ns):
    for x in lines:
        if int(x.get("t", x.get("at", 0))) <= t_ns:
            yield x


def working_at(lines, t_ns):
    """Client ids of the orders that work at the venue at this time."""
    client, open_ = {}, set()
    for x in lines_until(lines, t_ns):
        kind = x["line"]
        if kind == "receive":
            client[x["order"]] = x["client"]
        elif kind == "accept":
            open_.add(x["order"])
        elif kind in ENDS or (kind == "fill" and x["leaves"] == "0"):
            open_.discard(x["order"])
    return {client[o] for o in open_}


class Books:
    """What the ledger tells, or its first lines do, recounted: orders by client id, fills,
    positions, doubles."""

    def __init__(self, path, count=None):
        self.lines = read_ledger(path)[:count]
        self.orders, self.fills, self.positions = {}, [], {}
        self.doubled = []  # client ids, orders or trades that are there twice
        self.refused_twice = self.lives = 0
        by_order, accepted, trades = {}, set(), set()
        for x in self.lines:
            kind = x["line"]
            if kind == "receive":
                if x["client"] in self.orders or x["order"] in by_order:
                    self.doubled.append(x)
                self.orders[x["client"]] = by_order[x["order"]] = dict(x, cum=0, state="received")
            elif kind == "accept":
                if x["order"] in accepted:
                    self.doubled.append(x)
                accepted.add(x["order"])
                by_order[x["order"]]["state"] = "working"
            elif kind == "fill":
                if x["trade"] in trades:
                    self.doubled.append(x)
                trades.add(x["trade"])
                self.fills.append(x)
                order = by_order[x["order"]]
                order["cum"] += int(x["qty"])
                order["state"] = "done" if x["leaves"] == "0" else "working"
                sign = 1 if x["side"] == "buy" else -1
                self.positions[x["instrument"]] = (self.positions.get(x["instrument"], 0) +
                                                   sign * int(x["qty"]))
            elif kind in ENDS:
                by_order[x["order"]]["state"] = "rejected" if kind == "reject" else "done"
            elif kind == "duplicate":
                self.refused_twice += 1
            elif kind == "house":
                self.lives += 1

    def working(self):
        return sorted(c for c, o in self.orders.items() if o["state"] == "working")


class Venue:
    """A running tenon-venue; its folder and files belong to the place. Its profile is plain unless
    a test wants the demo's: what that does on wall time is not the same twice."""

    def __init__(self, place, *args, config=None, name="venue", profile="plain"):
        self.ledger = place.at(f"{name}.ledger")
        self.control_path = place.at(f"{name}.ctl")
        keys = place.write(f"{name}.keys", f"{KEY} {SECRET}\n{OTHER_KEY} {OTHER_SECRET}\n")
        os.chmod(keys, 0o600)
        self.err_path = place.at(f"{name}.err")
        if config is None:
            with open(os.path.join(CONFIGS, "demo.yaml"), encoding="utf-8") as f:
                text = f.read().replace("profile: demo", f"profile: {profile}")
            config = place.write(f"{name}.yaml", text)
        with open(self.err_path, "ab") as err:
            self.process = subprocess.Popen(
                [VENUE, "--config", config, "--instruments",
                 os.path.join(CONFIGS, "instruments.yaml"), "--plugins", PLUGINS, "--account",
                 "paper", "--ledger", self.ledger, "--keys", keys, "--control",
                 self.control_path, *args],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, env=environment())
        self.first_line = self._line()
        if "127.0.0.1:" not in self.first_line:
            raise AssertionError(f"tenon-venue did not start: {self.err()}")
        self.port = int(self.first_line.split("127.0.0.1:")[1].split(",")[0])

    def _line(self):
        with selectors.DefaultSelector() as s:
            s.register(self.process.stdout, selectors.EVENT_READ)
            if not s.select(GUARD_S):
                raise AssertionError("tenon-venue says nothing")
        return self.process.stdout.readline().decode()

    def err(self):
        with open(self.err_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def control(self, method, path, body=None):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(GUARD_S)
        s.connect(self.control_path)
        c = http.client.HTTPConnection("control")
        c.sock = s
        c.request(method, path, body=None if body is None else json.dumps(body))
        r = c.getresponse()
        out = Reply(r.status, json.loads(r.read()), r.headers)
        c.close()
        return out

    def fault(self, **rule):
        r = self.control("POST", "/faults", {k.rstrip("_"): v for k, v in rule.items()})
        if r.status != 200:
            raise AssertionError(f"fault rule: {r}")

    def status(self):
        return self.control("GET", "/status").body

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=GUARD_S)
        self.process.stdout.close()

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        code = self.process.wait(timeout=GUARD_S)
        self.process.stdout.close()
        return code

    def close(self):
        if self.process.poll() is None:
            self.kill()
        elif not self.process.stdout.closed:
            self.process.stdout.close()
