#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: a backtest is repeatable to the byte, trades exactly what paper trades on the same file,
and says what it was made from.

Method: a small file of minute bars is made here with a fixed seed (a random walk with a trend that
turns, so that the averages cross). Two backtests of it, one of another file, and a paper run of the
real host on the same file and deployment are compared.
"""
import hashlib
import json
import pathlib
import random
import sys
import unittest

sys.dont_write_bytecode = True
import explain_host as host  # noqa: E402

ROWS = 4000
MINUTE_NS = 60 * 10 ** 9
CONFIGS = host.SOURCE / "configs"


def write_bars(path, seed):
    rng = random.Random(seed)
    price, t_ns = 13000.0, 1514764800 * 10 ** 9
    with open(path, "w", encoding="ascii") as f:
        f.write("ts_ns,open,high,low,close,volume\n")
        for row in range(ROWS):
            drift = 0.0004 if row // 250 % 2 == 0 else -0.0004
            opened, price = price, max(100.0, price * (1 + rng.gauss(drift, 0.002)))
            high = max(opened, price) * (1 + abs(rng.gauss(0, 0.0005)))
            low = min(opened, price) * (1 - abs(rng.gauss(0, 0.0005)))
            f.write(f"{t_ns},{opened:.2f},{high:.2f},{low:.2f},{price:.2f},"
                    f"{rng.uniform(1, 40):.4f}\n")
            t_ns += MINUTE_NS


class Backtest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        data = host.tempfile.mkdtemp(prefix="tenon-backtest-")
        cls.addClassCleanup(host.shutil.rmtree, data)
        cls.dir = pathlib.Path(data)
        cls.dir.chmod(0o755)
        cls.file = cls.dir / "bars.csv"
        write_bars(cls.file, 5)
        cls.result = cls.backtest(cls.file)

    @classmethod
    def words(cls, file, *flags):
        return ("backtest", "--config", CONFIGS / "paper-bars.yaml", "--data", file,
                "--instrument", "BTC-USD", "--plugins", host.BUILD / "plugins", *flags)

    @classmethod
    def backtest(cls, file, *flags):
        code, out, err = host.tenon(*cls.words(file, "--json", *flags),
                                    env={"TENON_CONFIGS": str(CONFIGS)})
        if code != 0:
            raise AssertionError(f"exit {code}: {err}")
        return json.loads(out)

    def test_it_trades(self):
        self.assertTrue(self.result["holds"])
        self.assertEqual(self.result["rows"]["used"], ROWS)
        self.assertGreater(self.result["venue"]["fills"], 50)

    def test_the_result_names_its_data(self):
        self.assertEqual(self.result["dataset"], {
            "name": "bars.csv", "rows": ROWS,
            "sha256": hashlib.sha256(self.file.read_bytes()).hexdigest()})

    def test_twice_gives_the_same_effects(self):
        self.assertEqual(self.backtest(self.file), self.result)

    def test_other_data_gives_other_effects(self):
        other = self.dir / "other.csv"
        write_bars(other, 6)
        told = self.backtest(other)
        self.assertNotEqual(told["effects_sha256"], self.result["effects_sha256"])
        self.assertNotEqual(told["dataset"]["sha256"], self.result["dataset"]["sha256"])

    def test_paper_on_the_same_file_trades_the_same(self):
        run = host.Run("--data", str(self.file), "--instrument", "BTC-USD", configs=CONFIGS)
        self.addCleanup(run.remove)
        same = ("venue", "accounts", "dataset", "rows", "signals", "intents", "approved", "denied",
                "denied_by", "cancels_sent", "stops_hit", "late", "positions_left")
        for name in same:
            self.assertEqual(run.summary[name], self.result[name], name)

    def test_the_text_has_the_data_and_the_hash(self):
        code, out, err = host.tenon(*self.words(self.file), env={"TENON_CONFIGS": str(CONFIGS)})
        self.assertEqual((code, err), (0, ""))
        self.assertIn(self.result["effects_sha256"], out)
        self.assertIn(self.result["dataset"]["sha256"], out)

    def test_bad_input_is_said(self):
        cut = self.dir / "cut.csv"
        cut.write_text("when,what\n1,2\n", encoding="ascii")
        code, out, err = host.tenon(*self.words(cut), env={"TENON_CONFIGS": str(CONFIGS)})
        self.assertEqual((code, out), (65, ""), err)
        self.assertIn("line 1", err)
        code, _, err = host.tenon("backtest", "--config", CONFIGS / "paper-bars.yaml", "--data",
                                  self.file, "--instrument", "NO-SUCH", "--plugins",
                                  host.BUILD / "plugins", env={"TENON_CONFIGS": str(CONFIGS)})
        self.assertNotEqual(code, 0)
        self.assertIn("NO-SUCH", err)


if __name__ == "__main__":
    host.need("tenon", "tenond")
    unittest.main()
