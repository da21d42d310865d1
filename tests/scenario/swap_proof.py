#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves from a journal's records alone, as `tenon journal cat --json` prints them, that its flips
missed and doubled nothing and carried everything over. It knows nothing of how the host does it.

    swap_proof.py JOURNAL [--json]        reads the journal with $TENON_BUILD/tenon
    swap_proof.py --records FILE          reads records from a file, "-" is standard input

For the whole journal
  - events are numbered 1, 2, 3 ... : a gap is an event missed, a number that comes again is one
    doubled; the effects of each are numbered 1, 2, 3 ... too; no build was left out of an event
    (PLUGIN SKIPPED), and time never goes back;
  - an order keeps its strategy for life, unless a flip hands it over (FLIPPED handed_to);
  - a signal is believed (it has no IGNORED NOT_ACCEPTED effect) exactly when its build reigned at
    the event that caused it, and each cause has at most one believed signal of a strategy on an
    instrument.
For each flip, the event S of a DEPLOY after the first
  - what it makes active was staged and committed before it;
  - every order, stop and position that was there before S is the same after S, but for strategies
    that S takes away; its FLIPPED effects count exactly what is there;
  - signals with a cause up to S are believed of the old build, later ones of the new build.

Exit 0: all of it holds; 1: it does not, each finding on standard error; 2: no records.
"""
import json
import os
import subprocess
import sys

LIVE = {"APPROVED", "SENDING", "UNKNOWN", "WORKING", "PARTIAL", "PEND_CANCEL", "PEND_REPLACE",
        "QUARANTINE", "EXTERNAL"}
FINDINGS_SHOWN = 20


class Flip:
    """What one DEPLOY changed, and who was believed around it."""

    def __init__(self, seq, serial, gone):
        self.seq, self.serial, self.gone = seq, serial, gone
        self.builds = {}  # instance: (from, to)
        self.orders = self.stops = self.positions = 0
        self.before = self.after = 0  # believed signals of the builds it changed

    def figures(self):
        return {"serial": self.serial, "event": self.seq, "builds": len(self.builds),
                "orders": self.orders, "stops": self.stops, "positions": self.positions,
                "signals_before": self.before, "signals_after": self.after}


class Proof:
    """Takes records in order; `findings` says what does not hold."""

    def __init__(self):
        self.findings, self.flips = [], []
        self.last_seq = self.last_sub = self.last_ns = 0
        self.missed = self.doubled = self.skipped = self.believed = self.unbelieved = 0
        self.orders, self.stops, self.positions = {}, {}, {}  # order: [strategy, state]
        self.reigns = {}  # instance: [(since, generation), ...]
        self.committed = None
        self.leaving = set()  # strategies of which the staged deployment takes something away
        self.answers = {}  # instance: believed signals of its newest reign
        self.signal = None  # the last event when it is a signal, until its effects are known
        self.flip = self.held = None
        self.answered = set()

    def find(self, seq, text):
        self.findings.append(f"event {seq}: {text}")

    # ---- numbers ----

    def count(self, r):
        seq, sub = r["seq"], r["sub"]
        if sub == 0:
            if seq <= self.last_seq:
                self.doubled += 1
                self.find(seq, f"comes again after event {self.last_seq}")
            elif seq > self.last_seq + 1:
                self.missed += seq - self.last_seq - 1
                self.find(seq, f"follows event {self.last_seq}: {seq - self.last_seq - 1} missed")
            if r["t_ns"] < self.last_ns:
                self.find(seq, "its time lies before that of the event before it")
            self.last_ns = r["t_ns"]
        elif seq != self.last_seq or sub != self.last_sub + 1:
            self.find(seq, f"effect {sub} follows effect {self.last_sub} of event {self.last_seq}")
            if seq == self.last_seq and sub <= self.last_sub:
                self.doubled += 1
            else:
                self.missed += 1
        self.last_seq, self.last_sub = max(seq, self.last_seq), sub

    # ---- who is believed ----

    def reign(self, instance, cause):
        for since, generation in reversed(self.reigns.get(instance, [])):
            if cause > since:
                return generation
        return 0

    def end_signal(self):
        """All effects of the last signal are known: was it believed, and rightly so?"""
        if self.signal is None:
            return
        r, refused = self.signal
        self.signal = None
        p, cause, build = r["payload"], r["cause_seq"], r.get("generation", 0)
        reigned = self.reign(p["instance"], cause)
        if refused == (build == reigned):
            self.find(r["seq"], f"a signal of build {build} of instance {p['instance']} to event "
                                f"{cause} was {'not ' if refused else ''}believed, and build "
                                f"{reigned} reigned there")
        if refused:
            self.unbelieved += 1
            return
        self.believed += 1
        key = (p["instance"], p["instrument"], cause)
        if key in self.answered:
            self.doubled += 1
            self.find(r["seq"], f"a second believed signal of instance {p['instance']} to event "
                                f"{cause}")
        self.answered.add(key)
        self.answers[p["instance"]] = self.answers.get(p["instance"], 0) + 1
        newest = next((f for f in reversed(self.flips) if p["instance"] in f.builds), None)
        if newest is not None:
            newest.before += cause <= newest.seq
            newest.after += cause > newest.seq

    # ---- flips ----

    def things(self, gone=()):
        """What every strategy owns now, but for those that leave."""
        orders = {o: (s, state) for o, (s, state) in self.orders.items()
                  if state in LIVE and s not in gone}
        return (orders, {k: v for k, v in self.stops.items() if k[0] not in gone},
                {k: v for k, v in self.positions.items() if v[0] != 0 and k[0] not in gone})

    def begin_flip(self, r):
        p = r["payload"]
        self.flip = Flip(r["seq"], p["serial"], self.leaving)
        self.held = self.things()
        if self.committed != (p["serial"], p["sha256"]):
            self.find(r["seq"], f"serial {p['serial']} becomes active without a commit before it")
        self.committed = None

    def end_flip(self):
        flip, self.flip = self.flip, None
        if flip is None:
            return
        before = tuple({k: v for k, v in part.items()
                        if (v[0] if i == 0 else k[0]) not in flip.gone}
                       for i, part in enumerate(self.held))
        for name, old, new in zip(("order", "stop", "position"), before, self.things(flip.gone)):
            for key in old.keys() | new.keys():
                if old.get(key) != new.get(key):
                    self.find(flip.seq, f"{name} {key} was {old.get(key)} before the flip and is "
                                        f"{new.get(key)} after it")
        self.flips.append(flip)

    def flipped(self, r):
        p = r["payload"]
        who, flip = p["instance"], self.flip
        if flip is None:
            self.find(r["seq"], "a build changes in an event that is no DEPLOY")
            return
        orders, stops, positions = self.held
        have = (sum(s == who for s, _ in orders.values()), sum(k[0] == who for k in stops),
                sum(k[0] == who for k in positions))
        if have != (p["orders"], p["stops"], p["positions"]):
            self.find(r["seq"], f"instance {who} is said to keep {p['orders']} orders, "
                                f"{p['stops']} stops, {p['positions']} positions, and has {have}")
        if self.reigns.get(who, [(0, 0)])[-1][1] != p["from"]:
            self.find(r["seq"], f"instance {who} did not come from build {p['from']}")
        self.reigns.setdefault(who, []).append((r["seq"], p["to"]))
        flip.builds[who] = (p["from"], p["to"])
        flip.before += self.answers.pop(who, 0)
        if p["handed_to"] != 0:
            for order in self.orders.values():
                if order[0] == who:
                    order[0] = p["handed_to"]
        flip.orders += p["orders"]
        flip.stops += p["stops"]
        flip.positions += p["positions"]

    # ---- what is owned ----

    def order(self, r):
        p = r["payload"]
        have = self.orders.setdefault(p["order"], [p["strategy"], p["to"]])
        if have[0] != p["strategy"]:
            self.find(r["seq"], f"order {p['order']} of strategy {have[0]} is now strategy "
                                f"{p['strategy']}'s")
        have[0], have[1] = p["strategy"], p["to"]

    def own(self, r):
        p = r["payload"]
        if r["type"] == "ORDER":
            self.order(r)
        elif r["type"] == "POSITION":
            key = (p["strategy"], p["instrument"], p["account"])
            self.positions[key] = (p["qty"], p["avg_price"])
        elif p["what"] in ("SET", "TIGHTENED"):
            self.stops[(p["strategy"], p["instrument"])] = p["price"]
        else:
            self.stops.pop((p["strategy"], p["instrument"]), None)

    # ---- records ----

    def take(self, r):
        self.count(r)
        kind, p = r["type"], r["payload"]
        if r["sub"] == 0:
            self.end_signal()
            self.end_flip()
        if kind == "SIGNAL":
            self.signal = [r, False]
        elif kind == "IGNORED" and p["why"] == "NOT_ACCEPTED" and self.signal is not None:
            self.signal[1] = True
        elif kind == "STAGE":
            self.committed = (p["serial"], p["sha256"]) if p["what"] == "COMMIT" else None
            self.leaving = self.leaving if p["what"] == "COMMIT" else set()
        elif kind == "REMOVE":
            self.leaving |= {p["strategy"], p["to"]}
        elif kind == "DEPLOY":
            self.begin_flip(r)
        elif kind == "FLIPPED":
            self.flipped(r)
        elif kind == "PLUGIN" and p["what"] == "SKIPPED":
            self.skipped += 1
            self.find(r["seq"], f"instance {p['instance']} was not shown events {p['from_seq']} to "
                                f"{p['to_seq']}")
        elif kind in ("ORDER", "POSITION", "STOPPED"):
            self.own(r)

    def end(self):
        self.end_signal()
        self.end_flip()
        if self.last_seq == 0:
            return 2
        return 1 if self.findings else 0

    def figures(self):
        flips = [f.figures() for f in self.flips[1:]]
        return {"holds": not self.findings, "events": self.last_seq, "missed": self.missed,
                "doubled": self.doubled, "skipped": self.skipped, "believed": self.believed,
                "not_believed": self.unbelieved, "findings": len(self.findings), "flips": flips}

    def page(self):
        f = self.figures()
        print(f"events {f['events']}: missed {f['missed']}, doubled {f['doubled']}, not shown to a "
              f"build {f['skipped']}")
        print(f"signals: believed {f['believed']}, heard only {f['not_believed']}; findings "
              f"{f['findings']}")
        for flip in f["flips"]:
            print(f"flip to serial {flip['serial']} at event {flip['event']}: {flip['builds']} "
                  f"builds; carried over {flip['orders']} orders, {flip['positions']} positions, "
                  f"{flip['stops']} stops; signals {flip['signals_before']} of the builds before, "
                  f"{flip['signals_after']} of those after")


def records_of(journal):
    """The records as the tool prints them; the tool's own failure ends the proof."""
    build = os.environ.get("TENON_BUILD") or os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "release")
    words = [os.path.join(build, "tenon"), "journal", "cat", "--json", "--quiet", "--journal",
             journal]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as tool:
        for line in tool.stdout:
            yield json.loads(line)
    if tool.returncode != 0:
        sys.exit(2)


def main(argv):
    args = [a for a in argv if a != "--json"]
    if len(args) == 2 and args[0] == "--records":
        with (sys.stdin if args[1] == "-" else open(args[1], encoding="utf-8")) as f:
            lines = [json.loads(line) for line in f]
    elif len(args) == 1 and not args[0].startswith("-"):
        lines = records_of(args[0])
    else:
        print(__doc__, file=sys.stderr)
        return 64
    proof = Proof()
    for record in lines:
        proof.take(record)
    code = proof.end()
    if "--json" in argv:
        print(json.dumps(proof.figures()))
    else:
        proof.page()
    for finding in proof.findings[:FINDINGS_SHOWN]:
        print(finding, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
