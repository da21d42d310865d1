#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the main job on files: every row used or reported, orders, an equal recount, an identical
replay; plain, gzip and zstd alike; bad rows reported with line and reason, never guessed.
Method: files made here, with and without defects. Where the real files of the shared data are
there, they too: bitcoin by the minute of 2018 (its first 60,000 rows; all of it with
TENON_LONG=1), a US share by the minute, a US share's trade tape.
"""
import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

BTC_ROWS = 60000


def shared(*names):
    return os.path.join(lib.SHARED_DATA, *names)


def has_shared(test):
    return unittest.skipUnless(os.path.isdir(lib.SHARED_DATA), "the shared data is not there")(test)


def first_rows(path, count, out):
    """The header and the first rows of a .zst file as a plain file."""
    with open(out, "wb") as to, subprocess.Popen(["zstd", "-dc", path],
                                                 stdout=subprocess.PIPE) as unpack:
        for _ in range(count + 1):
            to.write(unpack.stdout.readline())
        unpack.stdout.close()
    os.chmod(out, 0o644)
    return out


def rows_in(path):
    done = subprocess.run(["zstd", "-dcf", path], stdout=subprocess.PIPE, check=True)
    return done.stdout.count(b"\n") - 1


class Data(lib.Scenario):
    def trades_on(self, path, instrument, orders, *args):
        summary = self.holds(self.place.headless("--data", path, "--instrument", instrument, *args))
        counted = self.recounted(summary)
        self.assertGreaterEqual(counted["orders"], orders)
        self.assertGreater(counted["fills"], 0)
        self.assertEqual(self.verified()["last_seq"], summary["last_seq"])
        return summary

    # ---- real files ----

    @has_shared
    def test_bitcoin_by_the_minute(self):
        path = shared("crypto_bars", "bitfinex_BTCUSD_1m_2018.csv.zst")
        rows = rows_in(path) if lib.IS_LONG else BTC_ROWS
        if not lib.IS_LONG:
            path = first_rows(path, BTC_ROWS, self.place.at("btc.csv"))
        summary = self.trades_on(path, "BTC-USD", 200)
        self.assertEqual(summary["rows"]["seen"], rows)
        self.assertGreater(summary["rows"]["off_tick"], 0)

    @has_shared
    def test_a_share_by_the_minute(self):
        path = shared("equity_intraday", "us_IBM_1m_20131004-20131011.csv.zst")
        summary = self.trades_on(path, "IBM", 50)
        self.assertEqual(summary["rows"]["seen"], rows_in(path))

    @has_shared
    def test_a_trade_tape(self):
        path = shared("microstructure", "us_IBM_20131007_trades.csv.zst")
        summary = self.trades_on(path, "IBM", 50)
        self.assertEqual(summary["rows"]["seen"], rows_in(path))
        self.assertEqual(summary["market_events"], summary["rows"]["used"])

    # ---- files made here ----

    def test_bars_and_trades_each_trade(self):
        for name, header, rows, instrument in (
                ("bars.csv", lib.BARS, lib.bar_rows(2500), "BTC-USD"),
                ("trades.csv", lib.TRADES, lib.trade_rows(6000), "IBM")):
            with self.subTest(file=name):
                self.place = self.new_place()
                path = self.place.write(name, lib.csv(header, rows))
                summary = self.trades_on(path, instrument, 10)
                self.assertEqual(summary["rows"], {"seen": len(rows), "used": len(rows),
                                                   "reported": 0, "off_tick": 0})

    def test_gzip_and_zstd_give_what_the_plain_file_gives(self):
        text = lib.csv(lib.BARS, lib.bar_rows(1500))
        plain = self.place.write("bars.csv", text)
        files = [plain, lib.write_gz(self.place.at("bars.csv.gz"), text),
                 lib.write_zst(self.place.at("bars.csv.zst"), text)]
        effects = set()
        for path in files:
            self.place = self.new_place()
            effects.add(self.trades_on(path, "BTC-USD", 5)["effects_sha256"])
        self.assertEqual(len(effects), 1)

    def test_defects_are_reported_row_by_row_and_the_rest_is_used(self):
        rows = lib.bar_rows(1500)
        defects = {  # after this row: the bad one, and the reason in the journal
            10: "not,a,row",
            20: ",".join([rows[20].split(",")[0], "0", "0", "0", "0", "1"]),
            30: rows[29],
            40: rows[39].replace(".", ".0000000001", 1),
            41: "x" * 5000,
            1499: rows[0],
        }
        dirty = []
        for i, row in enumerate(rows):
            dirty += [row, defects[i]] if i in defects else [row]
        for pack in (self.place.write("bars.csv", lib.csv(lib.BARS, dirty)),
                     lib.write_gz(self.place.at("b.gz"), lib.csv(lib.BARS, dirty)),
                     lib.write_zst(self.place.at("b.zst"), lib.csv(lib.BARS, dirty))):
            with self.subTest(file=os.path.basename(pack)):
                self.place = self.new_place()
                summary = self.trades_on(pack, "BTC-USD", 5)
                self.assertEqual(summary["rows"]["seen"], len(dirty))
                self.assertEqual(summary["rows"]["reported"], len(defects))
                self.assertEqual(summary["market_events"], len(rows))
                reports = self.place.records("ROWS")
                self.assertEqual(sum(int(r["payload"]["count"]) for r in reports), len(defects))
                lines = sorted(int(r["payload"]["first_line"]) for r in reports)
                wanted = sorted(i + 3 + sum(k < i for k in defects) for i in defects)
                self.assertEqual(lines, wanted)

    def test_quotes_are_used_but_make_no_bars(self):
        rows = lib.quote_rows(3000, price=18000, step=6)
        path = self.place.write("quotes.csv", lib.csv(lib.QUOTES, rows))
        summary = self.holds(self.place.headless("--data", path, "--instrument", "IBM"))
        self.assertEqual(summary["rows"]["used"], len(rows))
        self.assertEqual(len(self.place.records("QUOTE")), len(rows))
        self.assertEqual(summary["signals"], 0)

    def test_an_empty_file_and_one_with_a_header_only(self):
        empty = self.place.write("empty.csv", "")
        done = self.place.headless("--data", empty, "--instrument", "BTC-USD")
        self.complains(done, 65, "empty.csv: it is empty", "header and rows")
        self.place = self.new_place()
        header = self.place.write("header.csv", lib.BARS + "\n")
        done = self.place.headless("--data", header, "--instrument", "BTC-USD")
        self.assertEqual(done.code, 1, done)
        self.assertIn("header.csv has none below its header", done.err)
        self.assertEqual(done.json["rows"]["seen"], 0)
        self.assertEqual(done.json["venue"]["orders"], 0)


if __name__ == "__main__":
    lib.main()
