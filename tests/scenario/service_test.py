#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: under a service manager the host says when it is ready, that it is alive, and that it
stops; a host that hangs says nothing, and its children never speak for it.
Method: the real host with a notify socket of the test's, as systemd would give it.
"""
import os
import signal
import socket
import sys

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402


class Service(lib.Scenario):
    def setUp(self):
        super().setUp()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.listener.close)
        self.listener.settimeout(lib.GUARD_S)
        path = self.place.at("notify")
        self.listener.bind(path)
        os.chmod(path, 0o777)
        env = dict(lib.environment(), NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
        before, lib.environment = lib.environment, lambda: env
        try:
            self.host = self.start("--demo", "--speed", "600")
        finally:
            lib.environment = before

    def word(self):
        return self.listener.recv(64)

    def test_ready_alive_stopping(self):
        self.assertEqual(self.word(), b"READY=1")
        self.assertEqual(self.word(), b"WATCHDOG=1")
        self.assertEqual(self.word(), b"WATCHDOG=1")
        self.assertEqual(self.host.stop(), 0)
        word = self.word()
        while word == b"WATCHDOG=1":
            word = self.word()
        self.assertEqual(word, b"STOPPING=1")

    def test_a_host_that_hangs_is_silent(self):
        self.assertEqual(self.word(), b"READY=1")
        self.assertEqual(self.word(), b"WATCHDOG=1")
        self.host.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.host.process.pid, os.WSTOPPED | os.WNOWAIT)
        self.listener.setblocking(False)
        try:
            while True:
                self.word()  # said before it stopped
        except BlockingIOError:
            pass
        self.listener.settimeout(1)  # five times what it was asked for
        with self.assertRaises(TimeoutError):
            self.word()
        self.listener.settimeout(lib.GUARD_S)
        self.host.process.send_signal(signal.SIGCONT)
        self.assertEqual(self.word(), b"WATCHDOG=1")
        self.assertEqual(self.host.stop(), 0)


if __name__ == "__main__":
    lib.main()
