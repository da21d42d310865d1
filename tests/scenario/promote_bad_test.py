#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: whatever is wrong with a deployment, it is refused whole: with a sentence and an exit code
of its own, the active deployment unchanged, the attempt in the journal, and the host trading on.
And the bytes that run are the bytes that were pinned, whatever becomes of the files on disk.
Method: one host on minute bars. A proposal that is good but for one thing is made for each case; at
the end the very same proposal, whole, is promoted, so that it was that one thing. What
`tenon config sign` refuses to sign is signed by hand. The table is printed: case, exit, sentence.
"""
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
import promote_lib as desk  # noqa: E402
import scenario_lib as lib  # noqa: E402

TAIL = desk.strategy("tail", "1.0.0", stop_ppm=30000)
MEMO = desk.strategy("memo", "3.0.0", stop_ppm=400000)
NEXT = desk.deployment({"tail": {**TAIL, "version": "1.1.0"}, "memo": MEMO})
FORGETFUL = desk.deployment({"tail": TAIL, "memo": {**MEMO, "version": "1.0.0"}})
# Cases that the host cannot tell apart, so that their sentences differ in figures only: a file that
# was changed is another file; a file on disk that is not the pinned one may be either's mistake.
ALIKE = [{"altered by one byte", "signature of another file"},
         {"other plugin hash than pinned", "plugin file swapped after the check"}]
STOP = "^( +)stop_ppm: 30000$"  # of the strategy tail


def change(text, old, new):
    """Exactly one place."""
    if text.count(old) != 1:
        raise AssertionError(f"{old} stands there {text.count(old)} times")
    return text.replace(old, new)


def sub(text, pattern, new):
    done, count = re.subn(pattern, new, text, flags=re.MULTILINE)
    if count != 1:
        raise AssertionError(f"{pattern} stands there {count} times")
    return done


class Folder(desk.Desk):
    """A desk whose plugins folder is its own, so that a test can change the files in it."""

    def setUp(self):
        super().setUp()
        self.plugins = shutil.copytree(desk.SWAP_PLUGINS, self.place.at("plugins"))
        os.chmod(self.plugins, 0o755)

    def spoil(self, name):
        """Other bytes under the same name; it still loads. Gives both hashes."""
        path = os.path.join(self.plugins, name)
        before = desk.sha256(path)
        with open(path, "rb") as f:
            data = f.read()
        with open(path + ".new", "wb") as f:
            f.write(data + b"\0")
        os.chmod(path + ".new", 0o755)
        os.replace(path + ".new", path)
        return before, desk.sha256(path)

    def mend(self, name):
        shutil.copy(os.path.join(desk.SWAP_PLUGINS, name), os.path.join(self.plugins, name))


class BadInput(Folder):
    speed = "600"  # ten market minutes a second: the history is short for six seconds

    def setUp(self):
        super().setUp()
        self.table = []
        self.told = []  # (sha256 of the file, sentence)
        one = self.prepare({"tail": TAIL, "memo": MEMO}, keys_of={"ana": "ana ana2"})
        self.slow = self.long_warmup(one)
        self.restart("--config", one, "--trust", self.trust)

    # ---- files ----

    def long_warmup(self, one):
        """What follows the first one, made before there is a host: it comes while it is young."""
        with open(one, encoding="utf-8") as f:
            text = change(f.read(), "\nserial: 1\n", "\nserial: 2\n")
        text = change(text, "0" * 64, desk.sha256(one))
        return self.file("slow", sub(text, STOP, r"\g<0>\n\g<1>bars: 60"))

    def file(self, name, text, by=desk.sign, **roles):
        path = self.place.write(f"{name}.yaml", text)
        by(path, **(roles or {"ana": "author", "bo": "operator"}))
        return path

    def by_hand(self, name, text):
        """Signed for this host as it is, which `tenon config sign` would not do."""
        return self.file(name, text, by=desk.sign_by_hand)

    def good(self):
        with open(self.whole, encoding="utf-8") as f:
            return f.read()

    # ---- one case ----

    def case(self, name, code, path, *words):
        """Refused; nothing else changes, and trading goes on."""
        before = self.status()
        sentence = self.refused(code, *words, by=("config", "promote", path))
        sentence = sentence.split(" config promote: ", 1)[-1].split(" Hint: ")[0].rstrip(".")
        self.table.append((name, code, sentence))
        self.told.append((desk.sha256(path), sentence))
        after = self.host.until(lambda s: s["now_ns"] > before["now_ns"] + lib.MINUTE_NS,
                                "trading goes on")
        self.assertEqual((after["active"]["serial"], after["active"]["sha256"], after["mode"]),
                         (1, before["active"]["sha256"], "ACTIVE"))
        self.assertIsNone(after["next"])

    def are_journaled(self):
        """The journal knows each of them, once, in order, with its sentence and who asked."""
        rows = [r["payload"] for r in self.place.records("PROMOTION")
                if r["payload"]["to"] == "REFUSED"]
        self.assertEqual([r["sha256"] for r in rows], [sha256 for sha256, _ in self.told])
        for row, (_, sentence) in zip(rows, self.told):
            self.assertTrue(row["text"] and sentence.startswith(row["text"].rstrip(".")),
                            (row["text"], sentence))
            self.assertEqual(row["by"][:4], "uid:")

    # ---- all of them ----

    def test_each_is_refused_in_its_own_words(self):
        self.case("warm-up longer than history", 65, self.slow, "longer than the history",
                  "needs 61 bars")
        self.whole = self.signed(NEXT, "whole.yaml")
        self.revokes_eve()
        self.signatures()
        self.people()
        self.places()
        self.times()
        self.forms()
        self.plugin_files()
        self.until_held("memo")
        self.case("state blob from a newer schema", 65, self.signed(FORGETFUL),
                  "the state of memo has schema 3, and memo 1.0.0 reads 1 to 1")
        self.are_all_different()
        ends = [(d["state"], d["flip"], d["active"]) for d in self.history()[1:]]
        self.assertEqual(ends, [("refused", None, False)] * len(self.table))
        self.promote(self.whole)
        self.assertEqual(self.status()["serial"], 2)
        print("\n" + "\n".join(f"{n} | {c} | {s}" for n, c, s in self.table))
        self.ends_well()
        self.are_journaled()

    def revokes_eve(self):
        two = self.place.at("trust2.yaml")
        self.does(0, "trust", "revoke", desk.public("eve"), "--journal", self.place.journal,
                  "--out", two)
        desk.sign(two, bo="root")
        self.does(0, "trust", "rotate", two)

    def signatures(self):
        text = self.good()
        self.case("unsigned", 11, self.place.write("unsigned.yaml", text), "is not signed")
        altered = self.file("altered", text)
        self.place.write("altered.yaml", change(text, "seed: 7", "seed: 8"))
        self.case("altered by one byte", 11, altered, "ana", "changed since")
        other = self.place.write("other.yaml", text + "# another one\n")
        for person in ("ana", "bo"):
            shutil.copy(f"{self.whole}.{person}.minisig", f"{other}.{person}.minisig")
        self.case("signature of another file", 11, other, "of another file")
        forged = self.file("forged", text)
        with open(f"{forged}.bo.minisig", encoding="utf-8") as f:
            lines = f.read()
        self.place.write("forged.yaml.bo.minisig", change(lines, "role=operator", "role=risk"))
        self.case("signature whose role was altered", 11, forged, "bo", "comment .*was changed")
        self.case("revoked key", 11, self.file("revoked", text, ana="author", eve="operator"),
                  "eve.minisig", "was revoked", "version 2")
        self.case("wrong role", 11, self.file("role", text, bo="author", ana="operator"),
                  "bo signed as author", "has the roles root, operator, risk")
        self.case("signed for another host", 11,
                  self.file("foreign", change(text, "host: desk", "host: prod")),
                  "did not sign it for the host desk")

    def people(self):
        text = self.good()
        self.case("author approving alone", 12, self.file("alone", text, ana="author"),
                  "operator 1", "is its author and cannot approve it alone")
        self.case("one person with two keys", 12,
                  self.file("twice", text, ana="author", ana2="operator"),
                  "operator 1", "ana signed 2 times and counts once")

    def places(self):
        text = self.good()
        self.case("wrong host", 78, self.by_hand("host", change(text, "host: desk", "host: prod")),
                  "is for the host prod, and this one is desk")
        self.case("serial skipped", 65, self.file("skipped", change(text, "\nserial: 2\n",
                                                                    "\nserial: 3\n")),
                  "serial 3 leaves out 2")
        self.case("serial repeated", 65, self.file("repeated", change(text, "\nserial: 2\n",
                                                                      "\nserial: 1\n")),
                  "serial 1 was used already", "the next is 2")
        self.case("wrong parent", 65, self.file("parent", sub(text, '^parent: ".*"$',
                                                              f'parent: "{"ab" * 32}"')),
                  "to follow abababababab", desk.sha256(self.active)[:12])

    def times(self):
        text = self.good()
        past = sub(sub(text, "^not_before: .*$", "not_before: 2020-01-01T00:00:00Z"),
                   "^expires: .*$", "expires: 2021-01-01T00:00:00Z")
        self.case("expired", 77, self.file("expired", past), "expired at 2021-01-01T00:00:00Z")
        future = sub(sub(text, "^not_before: .*$", "not_before: 2198-01-01T00:00:00Z"),
                     "^expires: .*$", "expires: 2199-01-01T00:00:00Z")
        self.case("not yet valid", 77, self.file("early", future),
                  "may be promoted from 2198-01-01T00:00:00Z on")

    def forms(self):
        text = self.good()
        bars = sub(text, STOP, r"\g<0>\n\g<1>bars: 61")
        self.case("param out of range", 78, self.file("range", bars), "bars", "61", "60")
        self.case("unknown key", 78, self.file("unknown", text + "colour: red\n"),
                  "colour: unknown key", r"unknown\.yaml:\d+:1")
        self.case("duplicate key", 78, self.by_hand("duplicate", text + "seed: 7\n"), "seed",
                  r"duplicate\.yaml:\d+:1")
        self.case("anchor", 78, self.by_hand("anchor", change(text, "seed: 7", "seed: &x 7")),
                  "anchor", r"anchor\.yaml:\d+:\d+")
        self.case("300 KiB file", 65, self.by_hand("large", text + "#" * 300 * 1024),
                  "at most 262144")

    def plugin_files(self):
        text = self.good()
        pinned = desk.sha256(os.path.join(self.plugins, "tail-1.1.0.so"))
        wrong = self.file("pin", change(text, pinned, "cd" * 32))
        self.case("other plugin hash than pinned", 78, wrong, "tail 1.1.0", pinned[:12],
                  "cdcdcdcdcdcd")
        before, after = self.spoil("tail-1.1.0.so")
        self.case("plugin file swapped after the check", 78, self.whole, before[:12], after[:12])
        self.mend("tail-1.1.0.so")

    def are_all_different(self):
        """In words, not in figures and file names."""
        seen = {}
        for name, _, sentence in self.table:
            words = re.sub(r"[\w.]+\.yaml(\.\w+\.minisig)?(:\d+)*", "FILE", sentence)
            words = re.sub(r"\b[0-9a-fA-F]{12,64}\b|\b\d+\b", "N", words)
            twin = seen.setdefault(words, name)
            self.assertTrue(twin == name or {twin, name} in ALIKE, (twin, name, sentence))
        self.assertEqual(len({s for _, _, s in self.table}), len(self.table))


class FileOnDisk(Folder):
    """What runs is what was pinned: a running host holds its own copy, and a start refuses."""

    def test_other_bytes_under_the_same_name_never_run(self):
        self.begin({"tail": TAIL, "memo": MEMO})
        self.until_minutes(60)
        before, after = self.spoil("tail-1.0.0.so")
        self.promote(self.signed(NEXT.replace("probation: 30m", "probation: 20d"), "two.yaml"))
        self.spoil("tail-1.1.0.so")
        done = self.does(0, "config", "rollback", "--reason", "drill", "--json")
        self.assertEqual(done.json["serial"], 3)
        self.assertEqual(self.strategy("tail")["sha256"], before)
        self.until_minutes(30)
        self.host.stop()
        refused = self.place.host("--data", desk.market(), "--instrument", "BTC-USD", "--plugins",
                                  self.plugins, "--headless", "--for", "1m")
        self.complains(refused, 78, "tail 1.0.0", before[:12], after[:12])
        self.mend("tail-1.0.0.so")
        self.restart()
        self.assertEqual(self.strategy("tail")["sha256"], before)
        self.until_minutes(30)
        self.mend("tail-1.1.0.so")
        self.ends_well()


if __name__ == "__main__":
    lib.main()
