# SPDX-License-Identifier: Apache-2.0
"""Two books of one world compared: the venue's ledger, recounted by venue_lib.Books, and the
engine's journal, read by `tenon journal cat`. What must hold after any number of kills:

  duplicates  no client id was received twice, no order had two attempts accepted, no trade is
              booked twice, and the venue refused no order because its id had been used
  orphans     each order at the venue is of a SEND in the journal, but for egress's own closes, K...
              A close may leave before its record is durable, so a kill may take its record: such
              an order must have been reduce-only and must have ended, its fills are EXTERNAL, the
              next host's journal names it as UNRECORDED, and it is counted apart
  lost fills  each fill at the venue moved a position, once, and no position moved without one
  equal ends  the same working orders and the same positions on both sides
"""
import collections
import json
import re

import scenario_lib as lib
import venue_lib

BASE32 = {c: i for i, c in enumerate(venue_lib.BASE32)}


def number(text):
    out = 0
    for c in text:
        out = out * 32 + BASE32[c]
    return out


def order_of(client):
    """(epoch, order, attempt) of a client id of the engine's; None for any other."""
    m = re.fullmatch(r"T([0-9A-Z]+)-([0-9A-Z]+)-([0-9A-Z]+)", client)
    return tuple(number(x) for x in m.groups()) if m else None


def records(journal, kind):
    done = lib.call(lib.TENON, "journal", "cat", "--json", "--type", kind, "--journal", journal)
    if done.code != 0:
        raise AssertionError(f"journal cat --type {kind}: {done}")
    return [json.loads(line) for line in done.out.splitlines()]


class Journal:
    """What the engine's journal tells of orders, trades and positions."""

    def __init__(self, path):
        self.sent = {}  # client id -> its SEND
        self.booked = collections.Counter()
        self.positions = collections.Counter()
        last = {}
        self.answers = collections.Counter(r["payload"]["what"].lower()
                                           for r in records(path, "SENT"))
        self.unrecorded = {(int(r["payload"]["epoch"]), int(r["payload"]["order"]))
                           for r in records(path, "UNRECORDED")}
        for r in records(path, "SEND"):
            self.sent[r["payload"]["client_id"]] = r["payload"]
        for r in records(path, "POSITION"):
            p = r["payload"]
            if p["trade_id"] != "0":
                self.booked[(p["trade_id"])] += 1
            last[(p["strategy"], p["instrument"])] = p["qty"]
        for (_, instrument), qty in last.items():
            self.positions[str(instrument)] += qty


def compare(ledger, journal):
    """Findings by name, each a list of what is wrong; and the counts."""
    return judge(venue_lib.Books(ledger), Journal(journal))


def judge(v, j):
    accepted = collections.defaultdict(list)
    for client, o in v.orders.items():
        if o["state"] in ("working", "done") and order_of(client):
            accepted[order_of(client)[:2]].append(client)
    trades = collections.Counter(f["trade"] for f in v.fills)
    own = [c for c in v.orders if c.startswith("K")]
    unknown = {c: o for c, o in v.orders.items() if c not in j.sent and c not in own}
    instruments = set(v.positions) | set(j.positions)
    wrong = {
        "duplicates": [str(x) for x in v.doubled] +
                      [str(c) for c in accepted.values() if len(c) > 1] +
                      [f"trade {t} booked {n} times" for t, n in j.booked.items() if n > 1],
        "sent twice": [str(x) for x in v.lines if x["line"] == "duplicate"],
        "orphans": [f"{c} {o['state']} cum {o['cum']}" for c, o in unknown.items()
                    if o["reduce_only"] != "1" or o["state"] in ("received", "working") or
                    (order_of(c) or (0, 0))[:2] not in j.unrecorded],
        "lost fills": [str(f) for f in v.fills if j.booked[f["trade"]] == 0],
        "invented fills": [t for t in j.booked if t not in trades],
        "positions": [f"instrument {i}: venue {v.positions.get(i, 0)}, engine {j.positions[i]}"
                      for i in sorted(instruments) if v.positions.get(i, 0) != j.positions[i]],
        "working": v.working(),
    }
    counts = {"orders": len(v.orders), "fills": len(v.fills), "sends": len(j.sent),
              "venue lives": v.lives, "own closes": len(own), "closes without record": len(unknown)}
    counts.update({f"sent {what}": n for what, n in j.answers.items()})
    return wrong, counts
