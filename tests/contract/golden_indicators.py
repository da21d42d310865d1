#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden numbers for sma, ema, rsi and atr, computed apart from the C code.

Everything is a fraction until the last line, so the numbers carry no rounding of their own; the
definitions are written from their formulas (TA-Lib's conventions for seeds), each value of the
SMA from its whole window. Prices are integers in price units.

  golden_indicators.py OUT.csv          write the table
  golden_indicators.py --check OUT.csv  compare with the table, exit 1 when it differs
"""
import io
import sys
from fractions import Fraction

PERIODS = {"sma": (1, 5, 20), "ema": (1, 5, 20), "rsi": (1, 5, 14), "atr": (1, 5, 14)}


def lcg(seed):
    """Knuth's 64-bit multiplier: a stream that needs no library and never changes."""
    while True:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        yield seed >> 33


def walk(seed, start, step, count):
    chance = lcg(seed)
    bars, close = [], start
    for _ in range(count):
        close = max(step, close + next(chance) % (2 * step + 1) - step)
        high = close + next(chance) % (step + 1)
        bars.append((high, max(1, close - next(chance) % (step + 1)), close))
    return bars


def series():
    yield "walk", walk(7, 6421000, 900, 120)
    yield "penny", walk(11, 40, 3, 60)
    yield "constant", [(500, 500, 500)] * 30
    yield "rising", [(100 + 10 * i + 4, 100 + 10 * i - 4, 100 + 10 * i) for i in range(30)]
    yield "falling", [(900 - 10 * i + 4, 900 - 10 * i - 4, 900 - 10 * i) for i in range(30)]
    yield "jump", [(1000, 1000, 1000)] * 10 + [(10**12, 999, 10**12)] + [(1000, 999, 1000)] * 25


def mean(values):
    return Fraction(sum(values)) / len(values)


def sma(bars, n):
    closes = [c for _, _, c in bars]
    return [None if i + 1 < n else mean(closes[i + 1 - n:i + 1]) for i in range(len(bars))]


def ema(bars, n):
    closes, out = [c for _, _, c in bars], [None] * len(bars)
    for i in range(n - 1, len(bars)):
        if i == n - 1:
            out[i] = mean(closes[:n])
        else:
            out[i] = (closes[i] * 2 + out[i - 1] * (n - 1)) / (n + 1)
        out[i] = Fraction(out[i]).limit_denominator(10**60)  # 1e-120 off: keeps it quick
    return out


def wilder(values, n):
    """values[0] belongs to bar 2; the first average to bar n + 1."""
    out = [None] * (len(values) + 1)
    for i in range(n, len(out)):
        out[i] = mean(values[:n]) if i == n else (out[i - 1] * (n - 1) + values[i - 1]) / n
        out[i] = Fraction(out[i]).limit_denominator(10**60)
    return out


def rsi(bars, n):
    moves = [bars[i][2] - bars[i - 1][2] for i in range(1, len(bars))]
    gain = wilder([max(m, 0) for m in moves], n)
    loss = wilder([max(-m, 0) for m in moves], n)
    return [None if g is None else 100 * g / (g + lo) if g + lo else Fraction(0)
            for g, lo in zip(gain, loss)]


def atr(bars, n):
    ranges = [max(h - lo, abs(h - before), abs(lo - before))
              for (h, lo, _), (_, _, before) in zip(bars[1:], bars)]
    return wilder(ranges, n)


def table():
    out = io.StringIO()
    columns = [(name, n) for name, periods in PERIODS.items() for n in periods]
    out.write("series,high,low,close," + ",".join(f"{name}_{n}" for name, n in columns) + "\n")
    for label, bars in series():
        results = [globals()[name](bars, n) for name, n in columns]
        for i, bar in enumerate(bars):
            cells = ["" if r[i] is None else repr(float(r[i])) for r in results]
            out.write(",".join([label, *map(str, bar), *cells]) + "\n")
    return out.getvalue()


def main(argv):
    text = table()
    if argv[:1] == ["--check"]:
        with open(argv[1], encoding="ascii") as f:
            if f.read() != text:
                print(f"{argv[1]} is not what golden_indicators.py computes: run it again "
                      "without --check and look at what changed", file=sys.stderr)
                return 1
        return 0
    with open(argv[0], "w", encoding="ascii") as f:
        f.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
