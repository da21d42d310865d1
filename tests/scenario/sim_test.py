#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: worlds of the simulator break no invariant, the same seed is the same world, and a process
that dies at any of its operations leaves nothing doubled and nothing lost.

Method: tenon-sim with the real adapter: some seeds with all faults, each run twice; every n-th
crash point of the engine and of egress. The campaign with all of them and with the planted bugs is
tools/sim."""
import os
import pathlib
import subprocess
import sys

build = pathlib.Path(os.environ["TENON_BUILD"])
sim = build / "tenon-sim"
adapter = build / "plugins" / "tenon_venue.so"

RUNS = [
    ["--seeds", "4", "--seconds", "300", "--twice"],
    ["--seconds", "130", "--crash", "engine", "--every", "53"],
    ["--seconds", "130", "--crash", "egress", "--every", "53"],
]


def main():
    for run in RUNS:
        done = subprocess.run([sim, "--adapter", adapter, *run], capture_output=True, text=True)
        print("tenon-sim", *run)
        print(done.stdout[-2000:], done.stderr[-2000:])
        if done.returncode != 0 or " 0 violations, 0 differences" not in done.stdout:
            return 1
    usage = subprocess.run([sim, "--adapter", adapter, "--seeds", "none"], capture_output=True)
    return 0 if usage.returncode == 64 else 1


if __name__ == "__main__":
    sys.exit(main())
