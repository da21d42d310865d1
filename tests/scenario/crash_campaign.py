#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the programs with SIGKILL while they trade, again and again, and keeps the books.

A campaign is worlds one after the other; in each, programs are killed at seeded moments and started
again, and at its end all is halted, which cancels what works, and ledger and journal are compared
(crash_books.py). After a kill it waits until the venue received an order that opens
risk and that was approved after the reconciliation, so the time until then is the whole way back.
The venue's demo profile is silent for seconds now and then, and while the fate of an order is not
known nothing new is risked: slow ways back are set against what the venue owed after the
reconciliation, by its own ledger.

Three deaths of one bay in ten minutes leave it off, as they should. So a bay is killed twice, then
the host is killed too, whose next life counts anew; these kills of the host are told apart.
"""
import argparse
import datetime
import json
import os
import random
import re
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402
import crash_books  # noqa: E402
import venue_lib  # noqa: E402
from crash_world import MEMORY, Lost, World, parent_of  # noqa: E402

TARGETS = ("tenond", "egress", "adapter", "strategy", "venue")
DEATHS = 2  # of one bay in one life of the host
PER_WORLD = 25
SLOW_NS = 2 * 10**9
OWED_NS = 200 * 10**6  # latency and its jitter are 50 ms


class Times:
    """Seconds from the kill, and from the start of the next life, until it serves again."""

    def __init__(self):
        self.kills, self.killed, self.started, self.synced, self.own = 0, [], [], [], []

    def add(self, killed, started, synced, owed):
        """Seconds; owed = how many of them, after the reconciliation, the venue owed an answer."""
        self.kills += 1
        self.killed.append(killed)
        self.started.append(started)
        self.synced.append(synced)
        self.own.append(killed - owed)

    @staticmethod
    def figures(values):
        v = sorted(values)
        at = lambda q: round(v[min(len(v) - 1, int(q * len(v)))], 3)  # noqa: E731
        return {"p50": at(0.5), "p99": at(0.99), "max": round(v[-1], 3)} if v else {}

    def json(self):
        return {"kills": self.kills, "ready_from_kill_s": self.figures(self.killed),
                "ready_from_start_s": self.figures(self.started),
                "reconciled_from_kill_s": self.figures(self.synced),
                "over_2_s": sum(1 for x in self.killed if x >= 2.0),
                "over_2_s_without_the_venue": sum(1 for x in self.own if x >= 2.0)}


def owed_s(lines, from_ns, until_ns):
    """How long in this time, in s, the venue owed an answer for longer than any latency of it."""
    waits, asked = [], {}
    for x in lines:
        kind, order = x["line"], x.get("order")
        if kind in ("receive", "receive_cancel"):
            asked.setdefault((kind, order), []).append(int(x["at"]))
        elif kind in ("order", "ask_cancel"):
            begun = asked.get(("receive" if kind == "order" else "receive_cancel", order))
            if begun:
                waits.append((begun.pop(0), int(x["t"])))
    waits += [(at, until_ns) for ats in asked.values() for at in ats]
    total, end = 0, from_ns
    for at, t in sorted(waits):
        if t - at > OWED_NS:
            at, t = max(at, end), min(t, until_ns)
            total, end = total + max(t - at, 0), max(end, t)
    return total / 1e9


def stamp(line):
    """The wall time of a log line, in ns."""
    t = json.loads(line)["ts"]
    whole, part = t[:-1].split(".")
    day = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return int(day.timestamp()) * 10**9 + int(part)


class Killer:
    """One world and what is killed in it."""

    def __init__(self, world, rng, times):
        self.w, self.rng, self.times = world, rng, times
        self.deaths = {}  # pid of a bay -> deaths of it before this process
        self.mark = self.ledger_at = 0
        self.leftover = 0
        self.slow = []  # what the logs say of kills that took long

    # ---- waiting ----

    def line(self, word, what):
        """The first line of the host's log since the mark with this word; its time in ns. Takes
        the mark to behind it."""
        found = []

        def look():
            for text in self.w.host.since(self.mark).splitlines(keepends=True):
                if not text.endswith("\n"):
                    return False
                if re.search(word, text):
                    found.append(text)
                    return True
            return False

        self.w.until(look, what, self.w.host)
        text = self.w.host.since(self.mark)
        self.mark += len(text[:text.index(found[0])].encode()) + len(found[0].encode())
        return stamp(found[0])

    def order(self, after_ns, epoch=0):
        """The time of the first new order that was approved after this."""
        found = []

        def look():
            orders, self.ledger_at = self.w.received(self.ledger_at)
            for t, client, is_risk in orders:
                if is_risk and t > after_ns and (crash_books.order_of(client) or (0,))[0] >= epoch:
                    found.append(t)
            return bool(found)

        self.w.until(look, "a new order at the venue", self.w.host)
        return found[0]

    def load(self):
        """Some orders, and a moment that is not on any beat."""
        wanted, seen = self.rng.randint(2, 8), 0
        until = time.monotonic() + lib.GUARD_S
        while seen < wanted:
            orders, self.ledger_at = self.w.received(self.ledger_at)
            seen += len(orders)
            self.w.nap.select(0.01)
            if time.monotonic() > until:
                raise Lost(f"only {seen} orders in {lib.GUARD_S} s\n{self.w.words()}")
        self.w.nap.select(self.rng.random() * 0.1)

    # ---- killing ----

    def kill(self, target):
        self.mark = self.w.host.size()
        killed = time.time_ns()
        begun = self.mark
        started, synced, ready = getattr(self, "kill_" + target)()
        owed = 0.0
        if ready - killed > SLOW_NS:
            owed = owed_s(venue_lib.read_ledger(self.w.ledger), synced, ready)
            self.slow.append(f"{target}: {(ready - killed) / 1e9:.3f} s after the kill, "
                             f"reconciled after {(synced - killed) / 1e9:.3f} s, then the venue "
                             f"owed answers for {owed:.3f} s; an order at {ready / 1e9:.3f}\n"
                             f"{self.w.host.since(begun)}{self.w.egress.tail(600)}")
        self.times[target].add((ready - killed) / 1e9, (ready - started) / 1e9,
                               (synced - killed) / 1e9, owed)

    def kill_tenond(self):
        bays = self.w.bays()
        self.w.host.kill()
        self.deaths = {}
        self.mark = self.w.host.size()
        started = time.time_ns()
        self.w.start_host()
        synced = self.line("reconciled with its venue", "the account is reconciled")
        ready = self.order(synced)
        for pid in bays["adapter"] + bays["strategy"]:
            self.leftover += parent_of(pid) is not None
        return started, synced, ready

    def kill_egress(self):
        self.w.egress.kill()
        started = time.time_ns()
        self.w.start_egress()
        self.line("in doubt", "the host sees that egress has gone")
        synced = self.line("reconciled with its venue", "the account is reconciled")
        return started, synced, self.order(synced)

    def kill_venue(self):
        self.w.venue.kill()
        started = time.time_ns()
        self.w.start_venue()
        self.line(r"in doubt|connection \d is down", "the host sees that the venue has gone")
        synced = self.line("reconciled with its venue", "the account is reconciled")
        return started, synced, self.order(synced)

    def bay(self, kind):
        """One that may die once more, or None."""
        may = [p for p in sorted(self.w.bays()[kind]) if self.deaths.get(p, 0) < DEATHS]
        return self.rng.choice(may) if may else None

    def took(self, kind, pid, before):
        """The process that came in its place inherits its deaths."""
        count = self.deaths.pop(pid, 0) + 1
        for new in set(self.w.bays()[kind]) - set(before):
            self.deaths[new] = count

    def kill_adapter(self):
        before = self.w.bays()["adapter"]
        pid = self.bay("adapter")
        os.kill(pid, signal.SIGKILL)
        died = self.line("in doubt", "the host sees that the adapter has gone")
        synced = self.line("reconciled with its venue", "the account is reconciled")
        self.took("adapter", pid, before)
        return died, synced, self.order(synced)

    def kill_strategy(self):
        before = self.w.bays()["strategy"]
        pid = self.bay("strategy")
        os.kill(pid, signal.SIGKILL)
        died = self.line("it is started again", "the host sees that the bay has gone")
        back = self.line("events shown again", "the bay is back")
        self.took("strategy", pid, before)
        return died, back, back

    def one(self, target):
        """Gives what it killed: the host instead, when this bay died often enough."""
        self.load()
        if target in ("adapter", "strategy") and self.bay(target) is None:
            target = "tenond"
        self.kill(target)
        return target

    # ---- the end of a world ----

    def settle(self):
        """No new orders, and what works is cancelled; positions stay."""
        done = lib.call(lib.TENON, "risk", "halt", "--reason", "counted", "--socket",
                        self.w.socket)
        if done.code != 0:
            raise Lost(f"risk halt: {done}\n{self.w.words()}")
        return self.w.until(lambda: (self.w.status() or {}).get("open_orders") == 0,
                            "no order is open", self.w.host)


def verdict(world):
    """Ends the host in order and compares the books."""
    code = world.host.kill(signal.SIGTERM)
    wrong, counts = crash_books.compare(world.ledger, world.journal)
    wrong["exit"] = [f"tenond ended with {code}: {world.host.tail(600)}"] if code else []
    done = lib.call(lib.VERIFY, world.journal, "--heads", world.heads, "--json")
    wrong["journal"] = [str(done)] if done.code else []
    return wrong, counts


class Campaign:
    def __init__(self, a):
        self.a, self.rng = a, random.Random(a.seed)
        self.times = {t: Times() for t in TARGETS}
        self.wrong, self.counts = {}, {}
        self.worlds = self.leftover = 0
        self.slow = []
        self.failed = []  # worlds whose folder is kept

    def targets(self):
        return TARGETS if self.a.target == "all" else (self.a.target,)

    def left(self):
        """Targets that were not killed often enough yet."""
        return [t for t in self.targets() if self.times[t].kills < self.a.kills]

    def world(self):
        """One world; its findings are added to the sums."""
        self.worlds += 1
        w = World(self.rng.randrange(1, 1000),
                  tempfile.mkdtemp(prefix=f"tenon-world-{self.worlds}-", dir=self.a.keep))
        k = Killer(w, self.rng, self.times)
        wrong, counts = {}, {}
        try:
            w.start()
            for i in range(self.a.per_world):
                left = self.left()
                if not left:
                    break
                self.tell(k.one(left[i % len(left)]))
            k.settle()
            wrong, counts = verdict(w)
            self.judged(w)
        except Lost as e:
            wrong["stuck"] = [str(e)]
        finally:
            w.close()
        self.leftover += k.leftover
        self.slow += k.slow
        for name, n in counts.items():
            self.counts[name] = self.counts.get(name, 0) + n
        for name, found in wrong.items():
            self.wrong.setdefault(name, []).extend(found)
        if any(wrong.values()):
            self.failed.append(w.path)
            print(f"world {self.worlds} (seed {self.a.seed}) kept in {w.path}: " +
                  json.dumps({n: f[:3] for n, f in wrong.items() if f})[:4000], flush=True)
        elif not (self.a.slow and k.slow):
            w.remove()

    def judged(self, world):
        """For whoever wants to look at a world before it is removed."""

    def tell(self, target):
        t = self.times[target]
        if not self.a.quiet:
            print(f"{target} {t.kills}: ready {t.killed[-1]:.3f} s after the kill", flush=True)

    def run(self):
        while self.left() and len(self.failed) < self.a.failures:
            self.world()
        return self.result()

    def result(self):
        wrong = {n: len(f) for n, f in self.wrong.items()}
        return {"seed": self.a.seed, "worlds": self.worlds, "counts": self.counts, "wrong": wrong,
                "leftover": self.leftover,
                "targets": {t: self.times[t].json() for t in TARGETS if self.times[t].kills},
                "holds": not any(wrong.values()) and not self.leftover and not self.left()}


def show(r):
    for name, t in r["targets"].items():
        f, s, c = (t[k] for k in ("ready_from_kill_s", "ready_from_start_s",
                                  "reconciled_from_kill_s"))
        print(f"{name:<9} {t['kills']:>4} kills; reconciled after p50 {c['p50']:.3f} p99 "
              f"{c['p99']:.3f} max {c['max']:.3f} s; new risk at the venue after p50 "
              f"{f['p50']:.3f} p99 {f['p99']:.3f} max {f['max']:.3f} s (from its start p50 "
              f"{s['p50']:.3f} max {s['max']:.3f}); {t['over_2_s']} over 2 s, "
              f"{t['over_2_s_without_the_venue']} of them not by an answer the venue owed")
    print(f"ledger and journal, {r['worlds']} worlds, {r['counts']}: " +
          ", ".join(f"{n} {what}" for what, n in r["wrong"].items()) +
          f"; processes left behind {r['leftover']}")
    print("holds" if r["holds"] else "DOES NOT HOLD")


def main():
    p = argparse.ArgumentParser(prog="tools/crash-processes")
    p.add_argument("--kills", type=int, default=250, help="of each target")
    p.add_argument("--target", choices=TARGETS + ("all",), default="all")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--per-world", type=int, default=PER_WORLD)
    p.add_argument("--failures", type=int, default=3, help="worlds that fail before it gives up")
    p.add_argument("--keep", default=MEMORY, help="where worlds are; those that hold are removed")
    p.add_argument("--alone", action="store_true",
                   help="real-time priority, so that times are of these programs and not of others")
    p.add_argument("--slow", metavar="FILE", help="what the logs say of kills of over 2 s; "
                   "the worlds of such are kept")
    p.add_argument("--json", action="store_true")
    p.add_argument("--quiet", action="store_true")
    a = p.parse_args()
    os.makedirs(a.keep, exist_ok=True)
    print(f"seed {a.seed}", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what it started ends with it
    if a.alone:  # what else this machine does does not come between; what is started inherits it
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except OSError as e:
            print(f"tools/crash-processes: --alone: no real-time priority for this user: "
                  f"{e.strerror}; run it as root, or leave --alone out", file=sys.stderr)
            return 77
    campaign = Campaign(a)
    r = campaign.run()
    if a.slow:
        with open(a.slow, "w", encoding="utf-8") as f:
            f.write("\n".join(campaign.slow))
    print(json.dumps(r)) if a.json else show(r)
    return 0 if r["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
