#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: bad input from outside ends in one clear sentence (what, where, what to do) with the right
exit code, or is reported row by row; nothing is guessed, nothing is lost, nothing is left running.
One test per case of the catalogue of bad input, named by its number; plugins and files beside it.
Method: real files and commands through the real host; what it did is read from its journal.

Cases 76 and 78 need a record with all checksums redone, which only a writer of the format can make:
tests/unit/journal/group_test.c has them. Here are the ones a file on a disk can have.
"""
import glob
import gzip
import os
import re
import shutil
import signal
import sys
import unittest

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

FIELDS, NUMBER, DIGITS, PRICE, QTY, _, TIME, REPEAT, LENGTH = range(1, 10)  # TN_ROW_*
PLAIN_PATH = "give the plain path of the file itself"


def priced(row, price):
    """The bar row with this text in all four prices."""
    return ",".join([row.split(",")[0], price, price, price, price, "1"])


def contents(path):
    with open(path, "rb") as f:
        return f.read()


class BadInput(lib.Scenario):
    def run_rows(self, header, rows, instrument="BTC-USD", name="bars.csv"):
        path = self.place.write(name, lib.csv(header, rows))
        summary = self.holds(self.place.headless("--data", path, "--instrument", instrument))
        self.assertEqual(summary["rows"]["seen"], len(rows))
        return summary

    def reports(self):
        """Row reports as {line: reason}, one per line."""
        out = {}
        for r in self.place.records("ROWS"):
            for i in range(r["payload"]["count"]):
                out[r["payload"]["first_line"] + i] = r["payload"]["reason"]
        return out

    def health(self):
        return [(r["payload"]["to"], r["payload"]["why"]) for r in self.place.records("HEALTH")]

    def refuses_data(self, path, code, *words):
        done = self.place.headless("--data", path, "--instrument", "BTC-USD")
        self.complains(done, code, *words)
        self.assertEqual(self.verified()["records"], 0)

    # ---- market data ----

    def test_case41_prices_that_cannot_be(self):
        rows = lib.bar_rows(60)
        for i, price in ((10, "0"), (20, "-5"), (30, "1e18"), (40, "1000000000000000000")):
            rows[i] = priced(rows[i], price)
        summary = self.run_rows(lib.BARS, rows)
        self.assertEqual(summary["rows"]["reported"], 4)
        self.assertEqual(self.reports(), {12: PRICE, 22: PRICE, 32: PRICE, 42: PRICE})
        self.assertEqual(len(self.place.records("BAR")), 56)

    def test_case41_a_trade_of_nothing(self):
        rows = lib.trade_rows(100)
        rows[50] = rows[50].rsplit(",", 1)[0] + ",0"
        rows[60] = rows[60].rsplit(",", 1)[0] + ",-7"
        self.run_rows(lib.TRADES, rows, "IBM", "trades.csv")
        self.assertEqual(self.reports(), {52: QTY, 62: QTY})

    def test_case42_off_the_grid_is_used_and_counted(self):
        rows = lib.bar_rows(60)
        rows[10] = priced(rows[10], "10000.005")
        rows[20] = priced(rows[20], "10000.00000001")
        summary = self.run_rows(lib.BARS, rows)
        self.assertEqual(summary["rows"], {"seen": 60, "used": 60, "reported": 0, "off_tick": 2})
        bars = self.place.records("BAR")
        self.assertEqual([i for i, b in enumerate(bars) if b["payload"]["flags"] == 1], [10, 20])
        self.assertEqual(bars[20]["payload"]["close"], 1000000000001)

    def test_case42_more_digits_than_the_exponent_holds_are_reported(self):
        rows = lib.bar_rows(60)
        rows[10] = priced(rows[10], "10000.000000001")
        self.run_rows(lib.BARS, rows)
        self.assertEqual(self.reports(), {12: DIGITS})

    def test_case43_time_that_goes_back_or_stands_still(self):
        rows = lib.bar_rows(60)
        rows[30] = ",".join([rows[5].split(",")[0], *rows[30].split(",")[1:]])
        rows[40] = ",".join([rows[39].split(",")[0], *rows[40].split(",")[1:]])
        rows[50] = ",".join(["soon", *rows[50].split(",")[1:]])
        self.run_rows(lib.BARS, rows)
        self.assertEqual(self.reports(), {32: TIME, 42: REPEAT, 52: TIME})
        times = [r["t_ns"] for r in self.place.records("BAR")]
        self.assertEqual(times, sorted(set(times)))

    def test_case46_crossed_quotes_degrade_the_data(self):
        rows = lib.quote_rows(200)
        for i in range(50, 70):
            t, bid, ask, *sizes = rows[i].split(",")
            rows[i] = ",".join([t, ask, bid, *sizes])
        self.run_rows(lib.QUOTES, rows, name="quotes.csv")
        self.assertEqual(self.health(), [("HEALTHY", "FIRST"), ("DEGRADED", "CROSSED"),
                                         ("HEALTHY", "GOOD")])

    def test_case47_an_unknown_symbol_names_the_nearest(self):
        path = self.place.write("bars.csv", lib.csv(lib.BARS, lib.bar_rows(10)))
        done = self.place.headless("--data", path, "--instrument", "BTC-UDS")
        self.complains(done, 78, "instruments.yaml:[0-9]+", "BTC-UDS is not defined",
                       "nearest known symbol BTC-USD")
        done = self.place.headless("--data", path, "--instrument", "btc-usd")
        self.complains(done, 78, "btc-usd is not defined", "BTC-USD")

    def test_case48_numbers_are_exact_or_reported(self):
        rows = lib.bar_rows(60)
        rows[10] = priced(rows[10], "1.0005e4")
        rows[11] = priced(rows[11], "10005." + "0" * 30)
        bad = {20: "+10001.00", 21: "10000." + "1234567890" * 4, 22: "nan", 23: "0x10",
               24: "1_000", 25: "1e400", 26: "", 27: " 10000.00", 28: "10000.00 "}
        for i, price in bad.items():
            rows[i] = priced(rows[i], price)
        self.run_rows(lib.BARS, rows)
        self.assertEqual(sorted(self.reports()), [i + 2 for i in bad])
        closes = [r["payload"]["close"] for r in self.place.records("BAR")]
        self.assertEqual(closes[10:12], [1000500000000, 1000500000000])

    def test_case52_a_silent_feed_is_down_by_age(self):
        rows = lib.bar_rows(60) + lib.bar_rows(60, t0_ns=lib.T0_NS + 120 * lib.MINUTE_NS)
        self.run_rows(lib.BARS, rows)
        self.assertEqual(self.health(), [("HEALTHY", "FIRST"), ("DEGRADED", "AGE"), ("DOWN", "AGE"),
                                         ("HEALTHY", "GOOD")])

    def test_case52_a_frozen_feed_is_degraded_though_it_pings(self):
        rows = lib.quote_rows(50)
        start = int(rows[-1].split(",")[0])
        same = rows[-1].split(",", 1)[1]
        rows += [f"{start + i * lib.MINUTE_NS},{same}" for i in range(1, 60)]
        self.run_rows(lib.QUOTES, rows, name="quotes.csv")
        self.assertEqual(self.health()[:2], [("HEALTHY", "FIRST"), ("DEGRADED", "FROZEN")])

    def test_case53_a_burst_loses_no_trade(self):
        rows, burst = lib.trade_rows(2000), []
        for i, row in enumerate(rows):
            burst += [row] * (10 if 500 <= i < 1000 else 1)
        summary = self.run_rows(lib.TRADES, burst, "IBM", "trades.csv")
        self.assertEqual(summary["rows"]["used"], 6500)
        self.assertEqual(len(self.place.records("TRADE")), 6500)

    # ---- files ----

    def test_a_gzip_bomb_is_refused(self):
        path = self.place.at("bomb.gz")
        with gzip.open(path, "wb", 9) as f:
            f.write(f"{lib.BARS}\n".encode())
            for _ in range(100):
                f.write(b"0" * 1000000)
        os.chmod(path, 0o644)
        self.refuses_data(path, 65, "bomb.gz", "unpacks to more than", "check where it comes from")

    def test_a_line_of_a_megabyte_is_one_reported_row(self):
        rows = lib.bar_rows(60)
        rows[30] = "9" * 1000000
        self.run_rows(lib.BARS, rows)
        self.assertEqual(self.reports(), {32: LENGTH})
        text = self.place.records("ROWS")[0]["payload"]["text"]
        self.assertLess(len(text), 256)

    def test_a_file_cut_in_its_compressed_data(self):
        text = lib.csv(lib.BARS, lib.bar_rows(4000))
        for path in (lib.write_gz(self.place.at("cut.gz"), text),
                     lib.write_zst(self.place.at("cut.zst"), text)):
            with self.subTest(file=path):
                self.place = self.new_place()
                with open(path, "r+b") as f:
                    f.truncate(os.path.getsize(path) * 3 // 4)
                done = self.place.headless("--data", path, "--instrument", "BTC-USD")
                self.complains(done, 65, os.path.basename(path), "ends in the middle", "again")
                self.verified()

    def test_a_header_that_nobody_knows(self):
        path = self.place.write("what.csv", "colour,size\nred,4\n")
        self.refuses_data(path, 65, "what.csv: line 1", "known are")

    # ---- the command line ----

    def test_case65_flags_unknown_twice_or_in_conflict(self):
        for args, *words in (
                (["--headles"], "unknown flag --headles", "did you mean --headless"),
                (["--seed", "1", "--seed", "2"], "--seed is given twice"),
                (["--headless", "--speed", "2"], "exclude each other"),
                (["--config", "x.yaml"], "exclude each other"),
                (["--data", "x.csv"], "--data needs --instrument"),
                (["word"], "one argument too many|'word'"),
                (["--seed"], "--seed")):
            with self.subTest(args=args):
                self.complains(self.place.host("--demo", *args), 64, *words)
        self.assertFalse(os.path.exists(self.place.journal))

    def test_case66_numbers_are_parsed_strictly(self):
        for text in ("-1", "0x50", "", "99999999999999999999", "1e3", "+5", " 5", "5 ", "07", "١"):
            with self.subTest(text=text):
                self.complains(self.place.host("--demo", "--seed", text), 64, "--seed")
        for flag, text in (("--for", "5"), ("--for", "-5m"), ("--for", "5 m"), ("--for", "1000y"),
                           ("--speed", "0"), ("--speed", "fast"), ("--speed", "1e9")):
            with self.subTest(flag=flag, text=text):
                self.complains(self.place.host("--demo", flag, text), 64, flag)
        self.assertFalse(os.path.exists(self.place.journal))

    def test_case67_paths_that_are_no_plain_file(self):
        at = self.place.at
        plain = self.place.write("bars.csv", lib.csv(lib.BARS, lib.bar_rows(10)))
        os.symlink(plain, at("link.csv"))
        os.mkfifo(at("pipe.csv"))
        for path, code, *words in (
                ("-", 64, "standard input", PLAIN_PATH),
                (self.place.path, 64, "is a folder", PLAIN_PATH),
                (at("link.csv"), 64, "symbolic link", PLAIN_PATH),
                (at("pipe.csv"), 64, "device, pipe or socket", PLAIN_PATH),
                (at("a\nb.csv"), 64, "control characters", PLAIN_PATH),
                ("/" + "a" * 5000, 64, "5001 characters", PLAIN_PATH),
                (at("nothing.csv"), 66, "no file", "nothing.csv")):
            with self.subTest(path=path[:60]):
                done = self.place.headless("--data", path, "--instrument", "BTC-USD")
                sentence = self.complains(done, code, *words)
                self.assertLess(len(sentence), 600)
        self.assertFalse(os.path.exists(self.place.journal))

    def test_case69_a_secret_on_the_command_line_is_not_repeated(self):
        done = self.place.host("--demo", "--socket", "password=hunter22")
        sentence = self.complains(done, 64, "looks like a secret")
        self.assertNotIn("hunter22", sentence)

    # ---- who runs it, and how often ----

    @unittest.skipUnless(lib.IS_ROOT, "not root: there is no right to give up")
    def test_case70_root_becomes_the_hosts_own_user_for_good(self):
        host = self.start("--demo", "--speed", "60")
        host.until(lambda s: True, "an answer")
        with open(f"/proc/{host.process.pid}/status", encoding="ascii") as f:
            status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
        uid, gid = lib.pwd.getpwnam("tenon")[2:4]
        self.assertEqual(set(status["Uid"].split()), {str(uid)})
        self.assertEqual(set(status["Gid"].split()), {str(gid)})
        self.assertEqual(status["CapEff"], "0" * 16)
        self.assertEqual(status["CapPrm"], "0" * 16)
        for folder in (self.place.journal, self.place.heads):
            self.assertEqual(os.stat(folder).st_uid, uid)
            self.assertEqual(os.stat(folder).st_mode & 0o007, 0, folder)
        key = os.stat(os.path.join(self.place.heads, "host.key"))
        self.assertEqual((key.st_uid, key.st_mode & 0o777), (uid, 0o600))
        self.assertEqual(os.stat(self.place.socket).st_mode & 0o777, 0o600)
        self.assertEqual(host.stop(), 0, host.finished())

    def test_case70_a_key_that_others_can_read_is_refused(self):
        self.holds(self.place.headless("--for", "5m"))
        os.chmod(os.path.join(self.place.heads, "host.key"), 0o644)
        done = self.place.headless("--for", "5m")
        self.complains(done, 77, "host.key", "can be read by others", "chmod 600")

    def test_case71_a_second_host_is_refused(self):
        host = self.start("--demo", "--speed", "60")
        host.until(lambda s: True, "an answer")
        done = self.place.host("--demo", "--journal", self.place.at("j2"), "--heads",
                               self.place.at("h2"))
        self.complains(done, 75, "another host", re.escape(self.place.socket))
        done = self.place.host("--demo", "--socket", self.place.at("t.sock"))
        self.complains(done, 75, re.escape(self.place.journal), "another|in use|holds|lock")
        self.assertEqual(host.stop(), 0, host.finished())
        self.assertEqual(len(self.place.records("START")), 1)
        self.verified()

    # ---- journal ----

    def copy(self, heads_of=None):
        """Another place with this one's journal, and its heads (or another's)."""
        place = self.new_place()
        shutil.copytree(self.place.journal, place.journal)
        shutil.copytree((heads_of or self.place).heads, place.heads)
        return place

    def two_epochs(self):
        """A journal of two epochs; gives the data's arguments and a copy after the first."""
        path = self.place.write("bars.csv", lib.csv(lib.BARS, lib.bar_rows(600)))
        data = ["--data", path, "--instrument", "BTC-USD"]
        self.holds(self.place.headless(*data, "--for", "5h"))
        older = self.copy()
        self.holds(self.place.headless(*data, "--for", "2h"))
        return data, older

    @staticmethod
    def logs(place):
        return sorted(glob.glob(os.path.join(place.journal, "*.log")))

    def refused(self, place, data, *words):
        """The start and tenon-verify both find it; the start changed nothing it refused."""
        before = {path: contents(path) for path in self.logs(place)}
        done = place.headless(*data)
        self.complains(done, 65, *words)
        self.assertEqual({path: contents(path) for path in before}, before)
        verify = place.verify()
        self.assertEqual(verify.code, 65, verify)
        self.assertFalse(verify.json["ok"])

    def in_doubt(self, place, data):
        """It starts, says why, and takes no new risk."""
        self.assertEqual(place.verify().code, 65)
        done = place.headless(*data)
        self.assertEqual(done.code, 1, done)  # found, named on both ways out, and never a success
        self.assertIn("what was acknowledged after it is gone", done.err)
        summary = done.json
        self.assertFalse(summary["holds"], summary)
        self.assertTrue(summary["replay"]["identical"], summary)
        moded = [r["payload"]["to"] for r in place.records("MODED")]
        self.assertEqual(moded[-1], "SAFE_LOSS")
        start = [r["seq"] for r in place.records("START")][-1]
        decisions = [r["payload"] for r in place.records("DECISION", at_least=start)]
        self.assertEqual([d for d in decisions if d["approved"] and not d["reducing"]], [])
        mode = place.records("MODE")[-1]["payload"]
        self.assertIn("shorter than its head", mode["reason"])
        self.assertEqual(place.verify().code, 0)  # the rewind is signed: whole again
        return summary

    def test_case72_a_torn_record_that_was_acknowledged_is_a_doubt(self):
        data, _ = self.two_epochs()
        place = self.copy()
        with open(self.logs(place)[-1], "r+b") as f:
            f.truncate(len(f.read().rstrip(b"\0")) - 30)
        self.in_doubt(place, data)

    def test_case72_a_torn_record_that_was_not_is_cut(self):
        """What a crash in the middle of a write leaves: the heads of before, and half a group."""
        host = self.start("--demo", "--speed", "60000")
        host.until(lambda s: s["journal"]["durable_seq"] > 2000, "some records")
        place = self.new_place()
        shutil.copytree(self.place.heads, place.heads)
        known = host.status()["journal"]["durable_seq"]
        host.until(lambda s: s["journal"]["durable_seq"] > known + 2000, "more records")
        host.stop(signal.SIGKILL)
        shutil.copytree(self.place.journal, place.journal)
        with open(self.logs(place)[-1], "r+b") as f:
            f.truncate(len(f.read().rstrip(b"\0")) - 30)
        self.holds(place.headless("--for", "10m"))
        self.assertEqual([r["payload"]["to"] for r in place.records("MODED")][-1], "ACTIVE")
        self.verified(place)

    def test_case73_a_bad_checksum_in_the_middle_refuses_the_start(self):
        data, _ = self.two_epochs()
        place = self.copy()
        with open(self.logs(place)[0], "r+b") as f:
            size = len(f.read().rstrip(b"\0"))
            f.seek(size // 2)
            byte = f.read(1)[0]
            f.seek(size // 2)
            f.write(bytes([byte ^ 1]))
        self.refused(place, data, "group [0-9]+ is missing", "restore a good copy")

    def test_case74_a_missing_segment_refuses_the_start(self):
        data, _ = self.two_epochs()
        place = self.copy()
        os.remove(self.logs(place)[0])
        self.refused(place, data, "groups 1 to [0-9]+ are missing", "restore a good copy")

    def test_case74_an_older_copy_restored_is_a_doubt(self):
        data, older = self.two_epochs()
        shutil.rmtree(older.heads)
        shutil.copytree(self.place.heads, older.heads)
        self.in_doubt(older, data)

    def test_case75_another_hosts_journal_is_refused(self):
        data, _ = self.two_epochs()
        other = self.new_place()
        self.holds(other.headless("--for", "5m"))
        self.refused(self.copy(heads_of=other), data, "journal's id begins [0-9a-f]+",
                     "another host's", "point to this host's own folder")

    def test_case76_a_length_that_cannot_be_refuses_the_start(self):
        data, _ = self.two_epochs()
        place = self.copy()
        with open(self.logs(place)[0], "r+b") as f:
            f.seek(4)
            f.write(b"\xff\xff")  # of the log's first entry
        self.refused(place, data, "missing", "restore a good copy")

    def test_case77_a_snapshot_newer_than_the_journal_is_refused(self):
        self.holds(self.place.headless("--for", "3h"))
        older = self.copy()
        self.holds(self.place.headless("--for", "4h"))
        snapshots = glob.glob(os.path.join(self.place.journal, "snap-*.tns"))
        self.assertGreater(len(snapshots), 0, os.listdir(self.place.journal))
        shutil.copy(max(snapshots), older.journal)
        done = older.headless("--for", "5m")
        self.complains(done, 65, "holds a snapshot of event [0-9]+", "ends at event [0-9]+",
                       "restore the newest copy, or take the snapshot out")
        os.remove(os.path.join(older.journal, os.path.basename(max(snapshots))))
        self.holds(older.headless("--for", "5m"))

    def test_case78_a_snapshot_of_an_unknown_version_is_not_believed(self):
        self.holds(self.place.headless("--for", "5h"))
        path = max(glob.glob(os.path.join(self.place.journal, "snap-*.tns")))
        with open(path, "r+b") as f:
            f.seek(8)
            f.write((99).to_bytes(4, "little"))
        summary = self.holds(self.place.headless("--for", "10m"))  # from an older one or genesis
        self.assertEqual(summary["epoch"], 2)
        self.verified()


class BadPlugins(lib.Scenario):
    """Each file stands in for the plugin `refused` of a deployment that is good otherwise."""

    def setUp(self):
        super().setUp()
        self.plugins = self.place.at("plugins")
        os.mkdir(self.plugins)
        os.chmod(self.plugins, 0o755)
        for path in glob.glob(os.path.join(lib.PLUGINS, "*.so")):
            shutil.copy(path, self.plugins)
        self.data = self.place.write("bars.csv", lib.csv(lib.BARS, lib.bar_rows(300)))

    def start_with(self, content):
        path = os.path.join(self.plugins, "ema.so")
        if os.path.lexists(path):
            os.remove(path)
        if isinstance(content, bytes):
            with open(path, "wb") as f:
                f.write(content)
        else:
            shutil.copy(content, path)
        return self.place.headless("--data", self.data, "--instrument", "BTC-USD", "--plugins",
                                   self.plugins)

    def refused(self, content, code, *words):
        done = self.start_with(content)
        sentence = self.complains(done, code, *words)
        self.assertRegex(sentence, r"ema|refused")
        return sentence

    def nothing_happened(self):
        """No record was written, and the next start with a good plugin goes on. A file that is
        looked at to be pinned ends the start before there is a journal at all."""
        if os.path.exists(self.place.journal):
            self.assertEqual(self.verified()["records"], 0)
        self.holds(self.start_with(os.path.join(lib.PLUGINS, "ema.so")))

    @staticmethod
    def abi(name):
        path = os.path.join(lib.BUILD, "abi", name + ".so")
        if not os.path.exists(path):
            raise unittest.SkipTest(f"{path} is not built")
        return path

    def test_wrong_abi(self):
        self.refused(self.abi("wrong_major"), 76, "ema.so", "ABI 2.0, this host has ABI 1.0",
                     "built against this host's headers")
        self.refused(self.abi("newer_minor"), 76, "ema.so", "ABI 1.9")
        self.nothing_happened()

    def test_no_note(self):
        self.refused(self.abi("no_note"), 65, "ema.so", "no tenon note", "TN_PLUGIN")
        self.nothing_happened()

    def test_not_elf_empty_and_cut(self):
        whole = contents(os.path.join(lib.PLUGINS, "ema.so"))
        self.refused(b"#!/bin/sh\necho hello\n", 65, "ema.so", "not an ELF file")
        self.refused(b"", 65, "ema.so", "empty", "build or copy it again")
        for size in (3, 40, 1000, 3000):
            with self.subTest(size=size):
                self.refused(whole[:size], 65, "ema.so")
        self.nothing_happened()

    def test_a_symbolic_link_is_no_plugin(self):
        path = os.path.join(self.plugins, "ema.so")
        os.rename(path, self.place.at("elsewhere.so"))
        os.symlink(self.place.at("elsewhere.so"), path)
        done = self.place.headless("--data", self.data, "--instrument", "BTC-USD", "--plugins",
                                   self.plugins)
        self.complains(done, 77, r"ema\.so: a symbolic link", "give the path of the file itself")

    def test_another_plugin_under_its_name(self):
        self.refused(os.path.join(lib.PLUGINS, "rsi.so"), 76, r"yaml:[0-9]+ instance \w+",
                     "wants ema 1.0.0 but the file holds rsi 1.0.0", "install the one")
        self.nothing_happened()

    def test_no_such_plugin(self):
        os.remove(os.path.join(self.plugins, "ema.so"))
        done = self.place.headless("--data", self.data, "--instrument", "BTC-USD", "--plugins",
                                   self.plugins)
        self.complains(done, 66, "plugin ema 1.0.0", "build it, or name another folder")

    def test_static_checks_at_start(self):
        """Constructor code and two symbols: found when the file is loaded, so the deployment names
        it by its own id."""
        paths = {name: self.abi(name) for name in ("constructor", "two_symbols")}
        with open(os.path.join(lib.CONFIGS, "paper-bars.yaml"), encoding="utf-8") as f:
            text = f.read()
        text = re.sub(r"fast: \{plugin: ema,(.*?), params: \{period: 12\}\}",
                      r"fast: {plugin: refused,\1}", text)
        config = self.place.write("bad.yaml", text)
        for name, *words in (("constructor", "has an init array"),
                             ("two_symbols", "only tn_entry may be exported")):
            with self.subTest(fault=name):
                shutil.copy(paths[name], os.path.join(self.plugins, "refused.so"))
                done = self.place.host("--headless", "--throwaway-keys", "--config", config,
                                       "--data", self.data, "--instrument", "BTC-USD",
                                       "--plugins", self.plugins)
                self.complains(done, 65, r"refused\.so", "rebuild it", *words)
        self.assertEqual(self.verified()["records"], 0)

    def test_plugin_check_says_the_same_without_a_host(self):
        for name in ("wrong_major", "no_note", "constructor", "two_symbols"):
            with self.subTest(fault=name):
                done = self.place.tenon("plugin", "check", self.abi(name))
                self.assertNotEqual(done.code, 0, done)
                self.assertRegex(done.out + done.err, f"{name}")


if __name__ == "__main__":
    lib.main()
