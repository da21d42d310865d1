#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: `tenon doctor` says what is wrong with a machine and fails only for what stops Tenon;
`tenon top` shows the running host, marks old figures as old, and kills only for the typed word,
also while the host hangs.
Method: the real tool; the screen in a real pseudo-terminal, read until the words are there.
"""
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import unittest

sys.dont_write_bytecode = True
import egress_test  # noqa: E402
import scenario_lib as lib  # noqa: E402

ROWS, COLUMNS = 50, 120


class Terminal:
    """`tenon top` in a terminal of its own."""

    def __init__(self, *argv):
        self.near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(argv, stdin=far, stdout=far, stderr=far, close_fds=True,
                                        env=dict(lib.environment(), TERM="xterm"))
        os.close(far)
        self.seen = b""

    def press(self, keys):
        os.write(self.near, keys.encode())

    def until(self, *words):
        """Reads on until all words have been painted since the last call."""
        self.seen = b""
        for _ in range(lib.TRIES):
            if all(w.encode() in self.seen for w in words):
                return
            if not select.select([self.near], [], [], lib.GUARD_S)[0]:
                break
            try:
                piece = os.read(self.near, 65536)
            except OSError:
                break
            self.seen += piece
        raise AssertionError(f"never painted: {words}; {self.seen[-2000:]!r}")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.near)


class Top(lib.Scenario):
    def open(self):
        terminal = Terminal(lib.TENON, "top", "--socket", self.place.socket)
        self.addCleanup(terminal.close)
        return terminal

    def test_once_shows_what_status_shows(self):
        host = self.start("--demo", "--speed", "3000")
        host.until(lambda s: s["totals"]["signals"] > 0, "a signal")
        shown = self.place.ask("top", "--once")
        self.assertEqual(shown.code, 0, shown)
        status = host.status()
        for name in [s["name"] for s in status["strategies"]]:
            self.assertIn(name, shown.out)
        for title in ("STRATEGY", "ACCOUNT", "INSTRUMENT", "journal done", "per second"):
            self.assertIn(title, shown.out)
        data = self.place.ask("top", "--once", "--json").json
        self.assertEqual(data["schema"], "tenon.top.v1")
        self.assertEqual(data["status"]["host"], status["host"])
        self.assertGreater(data["rates"]["signals_per_s"], 0)

    def test_without_a_terminal_it_is_refused(self):
        self.complains(self.place.ask("top"), 64, "--once")
        self.complains(self.place.ask("top", "--json"), 64, "--once")

    def test_without_a_host_it_says_so(self):
        self.complains(self.place.ask("top", "--once"), 69)

    def test_the_screen_kills_only_for_the_whole_word(self):
        host = self.start("--demo", "--speed", "600")
        host.until(lambda s: s["state"] == "running", "running")
        top = self.open()
        top.until("STRATEGY", "q leave")
        top.press("K")
        top.until("type KILL")
        top.press("KIL\n")
        top.until("not killed")
        self.assertNotEqual(host.status()["mode"], "KILLED")
        top.press("K")
        top.until("type KILL")
        top.press("KILL\n")
        host.until(lambda s: s["mode"] == "KILLED", "killed from the screen")
        top.press("q")
        self.assertEqual(top.process.wait(timeout=lib.GUARD_S), 0)

    @unittest.skipUnless(os.access(egress_test.EGRESS, os.X_OK), "tenon-egress is not built")
    def test_the_screen_kills_at_egress_while_the_host_hangs(self):
        host = self.start("--demo", "--speed", "600")
        host.until(lambda s: s["state"] == "running", "running")
        egress = egress_test.Egress(self.place)
        self.addCleanup(egress.close)
        top = self.open()
        top.until("STRATEGY", "q leave")
        host.process.send_signal(signal.SIGSTOP)
        self.addCleanup(host.process.send_signal, signal.SIGCONT)
        top.until("NO ANSWER")
        top.press("K")
        top.until("type KILL")
        top.press("KILL\n")
        top.until("egress is killed")
        self.assertTrue(egress.status()["killed"])

    def test_a_silent_host_is_not_shown_as_live(self):
        host = self.start("--demo", "--speed", "600")
        host.until(lambda s: s["state"] == "running", "running")
        top = self.open()
        top.until("STRATEGY")
        host.stop()
        top.until("NO ANSWER")
        top.press("q")
        self.assertEqual(top.process.wait(timeout=lib.GUARD_S), 0)


class Doctor(lib.Scenario):
    def doctor(self, *args):
        return self.place.ask("doctor", "--journal", self.place.journal, "--plugins", lib.PLUGINS,
                              "--keys", self.place.at("keys"), *args)

    def rows(self, done, check):
        return [r for r in json.loads(done.out)["rows"] if r["check"] == check]

    def test_a_good_place_has_no_failed_row(self):
        done = self.doctor("--json")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.json["schema"], "tenon.doctor.v1")
        self.assertTrue(any("sync of 4 KiB" in r["text"] for r in self.rows(done, "disk")))
        self.assertIn("no host is running", str(self.rows(done, "host")))
        self.assertEqual(os.listdir(self.place.path), [])  # it leaves nothing behind
        words = self.doctor()
        self.assertEqual(words.code, 0, words)
        self.assertIn("0 failed", words.out)

    def test_a_key_others_can_read_fails(self):
        keys = self.place.at("keys")
        os.mkdir(keys)
        for person, mode in (("ana", 0o600), ("bo", 0o644)):
            path = os.path.join(keys, f"{person}.key")
            with open(path, "w", encoding="utf-8") as f:
                f.write("sealed\n")
            os.chmod(path, mode)
        done = self.doctor("--json")
        self.assertEqual(done.code, 1, done)
        failed = [r for r in done.json["rows"] if r["verdict"] == "fail"]
        self.assertEqual([r["check"] for r in failed], ["keys"])
        self.assertIn("bo.key", failed[0]["text"])

    def test_a_plugin_that_does_not_fit_fails(self):
        plugins = self.place.at("plugins")
        os.mkdir(plugins)
        shutil.copy(os.path.join(lib.PLUGINS, "sma.so"), plugins)
        with open(os.path.join(plugins, "torn.so"), "wb") as f:
            f.write(b"\x7fELF and nothing more")
        done = self.place.ask("doctor", "--journal", self.place.journal, "--plugins", plugins,
                              "--keys", self.place.at("keys"), "--json")
        self.assertEqual(done.code, 1, done)
        rows = self.rows(done, "plugins")
        self.assertTrue(any(r["verdict"] == "fail" and "torn.so" in r["text"] for r in rows), rows)
        self.assertTrue(any("1 of 2 fit" in r["text"] for r in rows), rows)

    def test_a_running_host_is_named(self):
        host = self.start("--demo", "--speed", "600")
        host.until(lambda s: s["state"] == "running", "running")
        done = self.doctor("--json")
        self.assertTrue(any("runs deployment" in r["text"] for r in self.rows(done, "host")), done)


if __name__ == "__main__":
    lib.main()
