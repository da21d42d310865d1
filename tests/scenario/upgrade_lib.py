# SPDX-License-Identifier: Apache-2.0
"""Upgrades of tenond while orders work: SIGTERM to a host that was started with --leave, then
another program on the same journal. tenon-egress, tenon-venue and their session stay.

The world is that of the kill -9 driver, but the makers' orders rest for seconds, so that some of
them outlive the upgrade: what the next host did not take up would never end, since only the engine
ends them. Times are those of the log, the journal and the ledger; nothing waits for a time.
"""
import http.client
import json
import os
import random
import re
import signal
import socket
import time

import scenario_lib as lib
import crash_books
import crash_world
import venue_lib
from crash_campaign import stamp
from crash_world import Lost, World

NEXT = os.path.join(lib.BUILD, "tenond-next")  # the same sources, core logic one higher
crash_world.SPEED = 6000  # a fifth: what is tried here is the change, not the load
RESTS_MS = 2500
LEFT = 2  # working orders, at least, and one position, when a host is asked to end


class Upgraded(World):
    """The kill -9 driver's world, with orders that rest, and a host that may be another program."""

    def __init__(self, seed, profile="demo"):
        super().__init__(seed)
        text = crash_world.document(self.port, seed).replace("profile: demo", f"profile: {profile}")
        text = text.replace("due: 20ms", "due: 500ms")  # a crowded machine is not the question
        text = text.replace("every: 7}", "every: 3}")
        text = text.replace("every: 11, limit_ppm: 200, ttl_ms: 1500",
                            f"every: 7, limit_ppm: 10000, ttl_ms: {RESTS_MS}")
        self.config = self.write("deployment.yaml", text)
        self.program, self.is_named = lib.TENOND, True

    def start_host(self):
        attach = os.path.join(self.run, "attach.sock")
        kept = ["--plugins", crash_world.PLUGINS, "--auto", "--quiet", "--leave", "--journal",
                self.journal, "--heads", self.heads, "--socket", self.socket]
        if self.is_named:
            self.host.start([self.program, "--config", self.config, "--instruments",
                             crash_world.INSTRUMENTS, "--throwaway-keys", "--attach", attach,
                             *kept])
        else:  # the journal says what it runs, and egress is found where it is looked for
            if not os.path.lexists(os.path.join(self.run, "tenon-egress.sock")):
                os.symlink(attach, os.path.join(self.run, "tenon-egress.sock"))
            self.host.start(["env", f"XDG_RUNTIME_DIR={self.run}", self.program, *kept])

    def line(self, mark, word):
        """The wall time of the host's first log line after the mark with this word."""
        found = []

        def look():
            for text in self.host.since(mark).splitlines(keepends=True):
                if text.endswith("\n") and text.startswith("{") and re.search(word, text):
                    found.append(stamp(text))
                    return True
            return False

        self.until(look, word, self.host)
        return found[0]

    def order_of_epoch(self, epoch):
        """The time of the first order that opens risk of this epoch or a later one."""
        found, at = [], 0

        def look():
            nonlocal at
            orders, at = self.received(at)
            for t, client, is_risk in orders:
                if is_risk and (crash_books.order_of(client) or (0,))[0] >= epoch:
                    found.append(t)
                    return True
            return False

        self.until(look, f"an order of epoch {epoch}", self.host)
        return found[0]

    def at_venue(self):
        """What the venue says of itself at its control door."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(lib.GUARD_S)
            s.connect(self.control)
            c = http.client.HTTPConnection("control")
            c.sock = s
            c.request("GET", "/status")
            return json.loads(c.getresponse().read())

    def is_loaded(self):
        """Orders rest at the venue, and the engine holds a position."""
        s = self.status() or {}
        return (s.get("mode") == "ACTIVE" and self.at_venue()["working"] >= LEFT and
                any(p["qty"] not in ("0", "") for p in s["positions"]))

    def upgrade(self, program, epoch):
        """One upgrade to this program, whose host has this epoch. Gives when it was asked for and
        the seconds from then until the old one had ended, the account was reconciled and the venue
        had received the first order that opens risk."""
        self.until(self.is_loaded, "orders that rest beside a position", self.host)
        asked = time.time_ns()
        code = self.host.kill(signal.SIGTERM)
        ended = time.time_ns()
        if code != 0:
            raise Lost(f"tenond ended with {code}\n{self.words()}")
        self.program, mark = program, self.host.size()
        self.start_host()
        synced = self.line(mark, "reconciled with its venue")
        first = self.order_of_epoch(epoch)
        return {"asked_ns": asked, "synced_ns": synced, "ended_s": (ended - asked) / 1e9,
                "synced_s": (synced - asked) / 1e9, "order_s": (first - asked) / 1e9}

    def settle(self):
        """Trading off; what is open ends by itself, if the engine knows of it."""
        done = lib.call(lib.TENON, "auto", "off", "--socket", self.socket)
        if done.code != 0:
            raise Lost(f"auto off: {done}\n{self.words()}")
        self.until(lambda: (self.status() or {}).get("open_orders") == 0, "no order is open",
                   self.host)

    def books(self):
        """Ends the host and compares ledger and journal: findings by name, and counts."""
        code = self.host.kill(signal.SIGTERM)
        wrong, counts = crash_books.compare(self.ledger, self.journal)
        wrong["exit"] = [f"tenond ended with {code}: {self.host.tail(1500)}"] if code else []
        done = lib.call(lib.VERIFY, self.journal, "--heads", self.heads, "--json")
        wrong["journal"] = [str(done)] if done.code else []
        return wrong, counts


def active_again(journal):
    """{epoch: the time at which the host was ACTIVE again}, by the journal's own records."""
    out, starts = {}, crash_books.records(journal, "START")
    for moded in crash_books.records(journal, "MODED"):
        p = moded["payload"]
        if p["scope"] != "GLOBAL" or p["to"] != "ACTIVE":
            continue
        epoch = max(int(s["payload"]["epoch"]) for s in starts if s["seq"] <= moded["seq"])
        out.setdefault(epoch, moded["t_ns"])
    return out


def left_lists(journal):
    """Per STOP the order numbers that the host said it left."""
    out, now = [], set()
    for r in sorted(crash_books.records(journal, "LEFT") + crash_books.records(journal, "STOP"),
                    key=lambda r: r["seq"]):
        if r["type"] == "LEFT" and r["payload"]["order"] != "0":
            now.add(int(r["payload"]["order"]))
        elif r["type"] == "STOP":
            out.append(now)
            now = set()
    return out


def logics(journal):
    return [s["payload"]["core_logic"] for s in crash_books.records(journal, "START")]


def drill(programs, seed, world=None):
    """Upgrades to these programs, one after the other. Gives the figures of each, what is wrong by
    the books, and counts."""
    w = world or Upgraded(seed)
    rng, runs = random.Random(seed), []
    try:
        w.start()
        for i, program in enumerate(programs):
            w.nap.select(rng.random() * 0.5)  # a moment that is not on any beat
            runs.append(w.upgrade(program, i + 2))
        w.settle()
        wrong, counts = w.books()
        active, left = active_again(w.journal), left_lists(w.journal)
        lines = venue_lib.read_ledger(w.ledger)
        for i, run in enumerate(runs):
            then = venue_lib.working_at(lines, run["asked_ns"])
            run["active_s"] = (active[i + 2] - run["asked_ns"]) / 1e9
            run["working"] = len(then)
            run["outlived"] = len(then & venue_lib.working_at(lines, run["synced_ns"]))
            ended = run["asked_ns"] + int(run["ended_s"] * 1e9)
            at_end = then & venue_lib.working_at(lines, ended)
            wrong.setdefault("not in the list of the stop", []).extend(
                c for c in at_end if crash_books.order_of(c)[1] not in left[i])
        counts["logics"] = logics(w.journal)
        return runs, {name: found for name, found in wrong.items() if found}, counts
    finally:
        w.close()
