#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the second door. A kill is taken by whoever lives: host, tenon-egress, or both, with the
host stopped or dead and no room on the disk; it outlives tenon-egress; and secrets are sealed,
listed, rotated and removed by the tool while tenon-egress runs.

Method: the real host on its demo market, the real tenon-egress, the real tool; the host is stopped
with SIGSTOP, the full disk is a file size limit of 0 (RLIMIT_FSIZE).
"""
import json
import os
import pwd
import resource
import signal
import socket
import stat
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scenario_lib as lib  # noqa: E402

EGRESS = os.path.join(lib.BUILD, "tenon-egress")


def no_room():
    """No file may grow by a byte from here on, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


class Egress:
    """A tenon-egress that is running, in the folder of a Place; its door lies beside the host's
    socket, where the tool looks for it."""

    def __init__(self, place, password=None, without_disk=False):
        self.place = place
        self.state, self.door = place.at("egress"), place.at("tenon-door.sock")
        args = [EGRESS, "--state", self.state, "--attach", place.at("tenon-egress.sock"),
                "--door", self.door]
        if lib.IS_ROOT:
            args += ["--engine-user", "tenon"]
        give = None
        if password is not None:
            args += ["--password-fd", "0"]
            give = (password + "\n").encode()
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=lib.environment(),
                                        preexec_fn=no_room if without_disk else None)
        if give is not None:
            self.process.stdin.write(give)
        self.process.stdin.close()
        self.said = ""
        for line in self.process.stderr:
            self.said += line.decode(errors="replace")
            if "ready: " in self.said:
                return
        self.process.stderr.close()
        self.process.wait(timeout=lib.GUARD_S)
        raise AssertionError(f"it does not start: {self.said}")

    def status(self):
        done = lib.call(lib.TENON, "egress", "status", "--json", "--door", self.door)
        assert done.code == 0, done
        return done.json

    def end(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        self.said += self.process.stderr.read().decode(errors="replace")
        self.process.stderr.close()
        return self.process.wait(timeout=lib.GUARD_S)

    def close(self):
        if not self.process.stderr.closed:
            self.end(signal.SIGKILL)


class EgressScenario(lib.Scenario):
    def egress(self, password=None, without_disk=False):
        egress = Egress(self.place, password, without_disk)
        self.addCleanup(egress.close)
        return egress

    def demo(self):
        host = self.start("--demo", "--speed", "60")
        host.until(lambda s: s["state"] == "running", "a running host")
        return host

    def kill(self, *args):
        return self.place.ask("risk", "kill", "--reason", "scenario", "--json", *args)


class Kill(EgressScenario):
    def test_kill_reaches_host_and_egress(self):
        host, egress = self.demo(), self.egress()
        self.assertFalse(egress.status()["killed"])
        done = self.kill()
        self.assertEqual(done.code, 0, done)
        self.assertEqual((done.json["took"], done.json["silent"]), (["host", "egress"], []), done)
        self.assertTrue(egress.status()["killed"])
        host.until(lambda s: "KILLED" in json.dumps(s), "mode KILLED")

    def test_kill_with_the_host_stopped_is_taken_by_egress_and_names_the_host(self):
        host, egress = self.demo(), self.egress()
        host.process.send_signal(signal.SIGSTOP)
        self.addCleanup(host.process.send_signal, signal.SIGCONT)
        done = self.kill()
        self.assertEqual(done.code, 0, done)
        self.assertEqual((done.json["took"], done.json["silent"]), (["egress"], ["host"]), done)
        self.assertTrue(egress.status()["killed"])
        host.process.send_signal(signal.SIGCONT)  # the word was written to its socket, too
        host.until(lambda s: "KILLED" in json.dumps(s), "mode KILLED")

    def test_kill_with_a_host_that_accepts_nobody_is_taken_by_egress(self):
        host, egress = self.demo(), self.egress()
        host.process.send_signal(signal.SIGSTOP)
        self.addCleanup(host.process.send_signal, signal.SIGCONT)
        for _ in range(64):  # as many looks of a tenon top: its queue is full
            waits = socket.socket(socket.AF_UNIX)
            self.addCleanup(waits.close)
            waits.setblocking(False)
            try:
                waits.connect(self.place.socket)
            except BlockingIOError:
                break
        done = self.kill()
        self.assertEqual((done.json["took"], done.json["silent"]), (["egress"], ["host"]), done)
        self.assertTrue(egress.status()["killed"])

    def test_kill_without_host_is_taken_by_egress(self):
        egress = self.egress()
        done = self.place.ask("risk", "kill")
        self.assertEqual(done.code, 0, done)
        self.assertIn("host: is not running", done.err)
        self.assertIn("egress: egress is killed", done.err)
        self.assertTrue(egress.status()["killed"])

    def test_kill_without_anybody_fails(self):
        self.assertEqual(self.kill().code, 69)

    def test_kill_without_room_on_the_disk_is_taken_and_outlives_egress(self):
        self.assertEqual(self.egress().end(), 0)  # made its witness while there was room
        egress = self.egress(without_disk=True)
        done = self.kill()
        self.assertEqual((done.code, done.json["took"]), (0, ["egress"]), done)
        self.assertTrue(egress.status()["killed"])
        self.assertEqual(egress.end(signal.SIGKILL), -signal.SIGKILL)
        self.assertTrue(self.egress(without_disk=True).status()["killed"])

    def test_a_door_that_does_not_speak_our_protocol_is_no_answer(self):
        done = self.place.ask("risk", "kill", "--door", self.place.write("file", "x"))
        self.assertNotEqual(done.code, 0, done)


class Life(EgressScenario):
    def test_ends_on_sigterm_and_takes_its_sockets_along(self):
        egress = self.egress()
        self.assertEqual(egress.end(), 0, egress.said)
        self.assertIn("stopped by SIGTERM", egress.said)

    def test_a_second_one_on_the_same_folder_is_refused(self):
        egress = self.egress()
        done = lib.call(EGRESS, "--state", egress.state, "--attach", self.place.at("x"), "--door",
                        self.place.at("y"), *(["--engine-user", "tenon"] if lib.IS_ROOT else []))
        self.complains(done, 75, "another tenon-egress holds")

    def test_a_second_one_on_the_same_door_is_refused(self):
        egress = self.egress()
        done = lib.call(EGRESS, "--state", self.place.at("other"), "--attach", self.place.at("x"),
                        "--door", egress.door,
                        *(["--engine-user", "tenon"] if lib.IS_ROOT else []))
        self.complains(done, 75, "another tenon-egress answers")

    @unittest.skipUnless(lib.IS_ROOT, "only root can give itself up")
    def test_started_as_root_it_becomes_its_own_user(self):
        egress = self.egress()
        with open(f"/proc/{egress.process.pid}/status", encoding="ascii") as f:
            uid = next(line for line in f if line.startswith("Uid:")).split()[1:]
        self.assertEqual({int(x) for x in uid}, {pwd.getpwnam("tenon-egress").pw_uid})

    def test_tells_the_service_manager_when_it_is_ready_and_alive(self):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.settimeout(lib.GUARD_S)
        path = self.place.at("notify")
        listener.bind(path)
        env = dict(lib.environment(), NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
        before, lib.environment = lib.environment, lambda: env
        try:
            egress = self.egress()
        finally:
            lib.environment = before
        self.assertEqual(listener.recv(64), b"READY=1")
        self.assertEqual(listener.recv(64), b"WATCHDOG=1")
        self.assertEqual(listener.recv(64), b"WATCHDOG=1")
        self.assertEqual(egress.end(), 0)
        word = listener.recv(64)
        while word == b"WATCHDOG=1":
            word = listener.recv(64)
        self.assertEqual(word, b"STOPPING=1")


class Secrets(EgressScenario):
    PASSWORD = "long enough"

    def secret(self, verb, *args, password=PASSWORD, fields=None):
        """The tool with a password, and fields, each on a descriptor of its own."""
        argv, fds = [lib.TENON, "secret", verb, *args, "--json"], []
        for flag, text in (("--password-fd", password), ("--secret-fd", fields)):
            if text is None:
                continue
            read, write = os.pipe()
            os.write(write, (text + "\n").encode())
            os.close(write)
            argv += [flag, str(read)]
            fds.append(read)
        argv += ["--state", self.place.at("egress")]
        if verb == "add" and "--for" not in args:
            argv += ["--for", "simulated"]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, pass_fds=fds,
                              env=lib.environment(), timeout=lib.GUARD_S, check=False)
        for fd in fds:
            os.close(fd)
        return lib.Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

    def names(self):
        return self.secret("list", password=None).json["names"]

    def test_secrets_are_added_rotated_removed_and_never_in_the_clear(self):
        door = ("--door", self.place.at("tenon-door.sock"))
        done = self.secret("add", "paper", *door, fields="the-key\nthe-secret")
        self.assertEqual(done.code, 0, done)
        self.assertFalse(done.json["in_use"])
        path = done.json["file"]
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, "rb") as f:
            text = f.read()
        self.assertIn(b"paper", text)
        self.assertNotIn(b"the-secret", text)
        egress = self.egress(self.PASSWORD)
        self.assertEqual(egress.status()["secrets"], 1)
        self.assertEqual(self.secret("add", "live", "--for", "live", *door,
                                     fields="k\ns").json["in_use"], True)
        self.assertEqual(egress.status()["secrets"], 2)
        self.assertEqual(self.secret("rotate", "live", *door, fields="k2\ns2").json["in_use"], True)
        self.assertEqual(self.names(), ["paper", "live"])
        listed = self.secret("list", password=None).json["for"]
        self.assertEqual(listed, ["simulated", "live"])
        self.assertEqual(self.secret("remove", "paper", *door).code, 0)
        self.assertEqual(self.names(), ["live"])
        self.assertEqual(egress.status()["secrets"], 1)

    def test_wrong_words_are_refused_and_change_nothing(self):
        self.assertEqual(self.secret("add", "paper", fields="k\ns").code, 0)
        for verb, args, options, code in (
                ("add", ["paper"], {"fields": "k"}, 65),
                ("add", ["other"], {"fields": "k", "password": "wrong password"}, 77),
                ("add", ["Other"], {"fields": "k"}, 65),
                ("add", ["other"], {"fields": ""}, 65),
                ("add", ["other", "--for", "both"], {"fields": "k"}, 64),
                ("add", ["other"], {"fields": "x" * 600}, 65),
                ("rotate", ["other"], {"fields": "k"}, 66),
                ("remove", ["other"], {}, 66),
                ("remove", ["paper"], {"password": "wrong password"}, 77)):
            with self.subTest(verb=verb, args=args):
                self.complains(self.secret(verb, *args, **options), code)
        self.assertEqual(self.names(), ["paper"])

    def test_case69_a_key_on_the_command_line_is_refused_and_not_shown(self):
        done = self.secret("add", "paper", "hunter2", "hunter3")
        self.complains(done, 64, "looks like a secret", "every user of this machine can read")
        self.assertNotIn("hunter", done.out + done.err)
        self.assertFalse(os.path.exists(self.place.at("egress", "secrets")))

    def test_an_account_is_killed_by_a_name_that_an_engine_said(self):
        egress = self.egress()
        done = self.kill("--account", "nobody")
        self.complains(done, 66, "knows no account 'nobody'")
        self.assertFalse(egress.status()["killed"])

    def test_a_new_file_wants_a_long_password(self):
        self.complains(self.secret("add", "paper", fields="k", password="short"), 77,
                       "at least 8")

    def test_egress_does_not_start_without_the_password(self):
        self.assertEqual(self.secret("add", "paper", fields="k\ns").code, 0)
        with self.assertRaisesRegex(AssertionError, "password"):
            Egress(self.place)
        with self.assertRaisesRegex(AssertionError, "password is wrong"):
            Egress(self.place, "something else")


if __name__ == "__main__":
    if not os.access(EGRESS, os.X_OK):
        lib.skip(f"{EGRESS} is not built")
    if lib.IS_ROOT:
        try:
            pwd.getpwnam("tenon-egress")
        except KeyError:
            lib.skip("started as root, and there is no user 'tenon-egress': tools/setup run")
    lib.main()
