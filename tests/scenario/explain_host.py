# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of explain, replay and backtest share: the built programs, and a short run of
the demo on the golden deployment in a folder of its own."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get("TENON_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
BUILD = pathlib.Path(os.environ.get("TENON_BUILD", SOURCE / "build" / "release"))
GOLDEN = SOURCE / "tests" / "fixtures" / "golden"
SEED = "11"


def need(*programs, build=None):
    """Ends the test as skipped when the build is not there."""
    for name in programs:
        if not os.access((build or BUILD) / name, os.X_OK):
            print(f"skip: {(build or BUILD) / name} is not built")
            sys.exit(77)


def tenon(*words, build=None, env=None):
    """(exit code, standard output, standard error) of the tool."""
    done = subprocess.run([str((build or BUILD) / "tenon"), *map(str, words)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          env={**os.environ, "TENON_CONFIGS": str(GOLDEN), **(env or {})})
    return done.returncode, done.stdout, done.stderr


class Run:
    """One headless demo; `journal` is its journal. As root the host becomes its own user, who must
    be able to enter the folder."""

    def __init__(self, *flags, configs=GOLDEN, build=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tenon-scenario-"))
        self.dir.chmod(0o755)
        self.journal = self.dir / "journal"
        build = build or BUILD
        done = subprocess.run(
            [str(build / "tenond"), "--demo", "--headless", "--json", "--journal",
             str(self.journal), "--heads", str(self.dir / "heads"), "--plugins",
             str(build / "plugins"), "--socket", str(self.dir / "socket"), *flags],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            env={**os.environ, "TENON_CONFIGS": str(configs)})
        if done.returncode != 0:
            self.remove()
            raise RuntimeError(f"the host ended with {done.returncode}: {done.stderr}")
        self.summary = json.loads(done.stdout)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def records(self, kind):
        code, out, err = tenon("journal", "cat", "--journal", self.journal, "--type", kind,
                               "--json", "--quiet")
        if code != 0:
            raise RuntimeError(err)
        return [json.loads(line) for line in out.splitlines()]
