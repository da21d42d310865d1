#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: people sign with tenon or with the stock minisign, and either side takes what the other
made; a password is taken from a descriptor, a systemd credential or the terminal without echo, and
from nowhere else; a key that others can read is not used.
Method: the real programs on files of the test's own. The terminal is a pseudo terminal that a child
has as its controlling one; waiting is reading what it prints.
"""
import fcntl
import hashlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import unittest

sys.dont_write_bytecode = True
import scenario_lib as lib  # noqa: E402

PASSWORD = "correct horse battery"
DEPLOYMENT = "schema: 1\nhost: demo\nserial: 7\n"
ZEROS = "0" * 64


def trust_of(*people):
    """A first trust document by hand; people: (name, roles, public key)."""
    rows = "".join(f"  {name}: {{roles: [{roles}], keys: [\"{key}\"]}}\n"
                   for name, roles, key in people)
    return ("schema: 1\nkind: trust\nhost: demo\nversion: 1\n"
            f"parent: \"{ZEROS}\"\n"
            "thresholds: {root: 1, author: 1, operator: 1, risk: 1, request: 2}\n"
            f"people:\n{rows}")


class Terminal:
    """A program on a terminal of its own; everything it shows is kept. Our hold on the program's
    side keeps the terminal's settings when the program is gone."""

    def __init__(self, *argv):
        self.shown = ""
        self.fd, self.far = os.openpty()
        self.process = subprocess.Popen(
            argv, stdin=self.far, stdout=self.far, stderr=self.far, start_new_session=True,
            env=lib.environment(), preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def until(self, words):
        for _ in range(lib.TRIES):
            if words in self.shown:
                return
            if not select.select([self.fd], [], [], lib.GUARD_S)[0]:
                break
            self.shown += os.read(self.fd, 4096).decode(errors="replace")
        raise AssertionError(f"never shown: {words}; shown: {self.shown}")

    def type(self, text):
        os.write(self.fd, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self):
        """Exit code, or minus the signal."""
        code = self.process.wait(timeout=lib.GUARD_S)
        while select.select([self.fd], [], [], 0)[0]:
            self.shown += os.read(self.fd, 4096).decode(errors="replace")
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.far)
        os.close(self.fd)


class Case(unittest.TestCase):
    def setUp(self):
        self.path = tempfile.mkdtemp(prefix="tenon-keys-")
        self.addCleanup(shutil.rmtree, self.path, ignore_errors=True)
        self.keys = self.at("keys")

    def at(self, *names):
        return os.path.join(self.path, *names)

    def write(self, name, text):
        with open(self.at(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.at(name)

    def read(self, name):
        with open(self.at(name), encoding="utf-8") as f:
            return f.read()

    def tenon(self, *args, password=None, env=None):
        """The tool without a terminal; the password by descriptor."""
        args, fds = list(args), ()
        if password is not None:
            reading, writing = os.pipe()
            os.write(writing, (password + "\n").encode())
            os.close(writing)
            args += ["--password-fd", str(reading)]
            fds = (reading,)
        done = subprocess.run([lib.TENON, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, pass_fds=fds, timeout=lib.GUARD_S, check=False,
                              env={**lib.environment(), **(env or {})}, start_new_session=True)
        for fd in fds:
            os.close(fd)
        return lib.Finished(done.returncode, done.stdout, done.stderr)

    def new_key(self, person="ana"):
        done = self.tenon("key", "new", person, "--keys", self.keys, "--json", password=PASSWORD)
        self.assertEqual(done.code, 0, done)
        return done.json

    def sign(self, path, *args, person="ana", role="operator", password=PASSWORD, env=None):
        return self.tenon("config", "sign", path, "--role", role, "--key",
                          os.path.join(self.keys, f"{person}.key"), *args, password=password,
                          env=env)

    def refused(self, done, code, *words):
        self.assertEqual(done.code, code, done)
        self.assertEqual(done.err.count("\n"), 1, done)
        for word in words:
            self.assertIn(word, done.err)


class Stock(Case):
    """Both ways between tenon and the stock minisign."""

    def setUp(self):
        super().setUp()
        if shutil.which("minisign") is None:
            self.skipTest("minisign is not installed")

    def minisign(self, *args):
        return lib.call("minisign", *args, cwd=self.path)

    def stock_key(self, name="bo"):
        done = self.minisign("-G", "-W", "-p", f"{name}.pub", "-s", f"{name}.sec")
        self.assertEqual(done.code, 0, done)
        return self.read(f"{name}.pub").splitlines()[1]

    def stock_sign(self, path, out, comment, *more):
        done = self.minisign("-S", "-W", "-s", "bo.sec", "-m", path, "-x", out, "-t", comment,
                             *more)
        self.assertEqual(done.code, 0, done)

    def test_stock_verifies_ours(self):
        key = self.new_key()
        path = self.write("d.yaml", DEPLOYMENT)
        self.assertEqual(self.sign(path).code, 0)
        sig = path + ".ana.minisig"
        by_file = self.minisign("-Vm", path, "-x", sig, "-p", key["public_file"])
        self.assertEqual(by_file.code, 0, by_file)
        sha = hashlib.sha256(DEPLOYMENT.encode()).hexdigest()
        self.assertRegex(by_file.out, "Trusted comment: role=operator kind=deployment host=demo "
                                      f"serial=7 sha256={sha} signed=[-0-9T:]+Z\n")
        by_line = self.minisign("-Vm", path, "-x", sig, "-P", key["public"])
        self.assertEqual(by_line.code, 0, by_line)
        self.assertIn(key["key"], self.read("keys/ana.pub"))

    def test_stock_refuses_ours_over_another_file(self):
        key = self.new_key()
        path = self.write("d.yaml", DEPLOYMENT)
        self.assertEqual(self.sign(path).code, 0)
        self.write("d.yaml", DEPLOYMENT.replace("7", "8"))
        done = self.minisign("-Vm", path, "-x", path + ".ana.minisig", "-p", key["public_file"])
        self.assertNotEqual(done.code, 0)
        self.write("d.yaml", DEPLOYMENT)
        sig = self.read("d.yaml.ana.minisig")
        self.write("d.yaml.ana.minisig", sig.replace("role=operator", "role=rooooott"))
        done = self.minisign("-Vm", path, "-x", path + ".ana.minisig", "-p", key["public_file"])
        self.assertNotEqual(done.code, 0)

    def signed_trust(self, *more):
        """A trust document with a stock key and one of ours, signed by the stock key as root."""
        ours = self.new_key()["public"]
        path = self.write("t.yaml", trust_of(("ana", "author, operator", ours),
                                             ("bo", "operator, risk, root", self.stock_key())))
        self.stock_sign(path, path + ".bo.minisig", "role=root kind=trust host=demo", *more)
        return path

    def test_ours_verifies_stock_of_both_forms(self):
        for more, letters in ((), "RUR"), (("-l",), "RWR"):
            with self.subTest(more=more):
                shutil.rmtree(self.keys, ignore_errors=True)
                for name in os.listdir(self.path):
                    os.unlink(self.at(name))
                path = self.signed_trust(*more)
                start = self.read("t.yaml.bo.minisig").splitlines()[1][:2]
                self.assertEqual(start, letters[:2])
                done = self.tenon("config", "verify", path, "--trust", path)
                self.assertEqual(done.code, 0, done)
                self.assertIn("bo", done.out)

    def test_ours_refuses_stock_over_another_file(self):
        path = self.signed_trust()
        text = self.read("t.yaml")
        self.write("t.yaml", text.replace("author, operator", "author, risk"))
        done = self.tenon("config", "verify", path, "--trust", path)
        self.assertEqual(done.code, 11, done)
        self.write("t.yaml", text)
        self.stock_sign(path, path + ".bo.minisig", "role=root kind=trust host=elsewhere")
        done = self.tenon("config", "verify", path, "--trust", path)
        self.assertEqual(done.code, 11, done)

    def test_key_file_of_stock_is_refused_with_its_way_out(self):
        self.stock_key()
        os.mkdir(self.keys, 0o700)
        os.rename(self.at("bo.sec"), self.at("keys", "bo.key"))
        os.chmod(self.at("keys", "bo.key"), 0o600)
        done = self.sign(self.write("d.yaml", DEPLOYMENT), person="bo")
        self.refused(done, 65, "whose secret keys only minisign can use", "tenon key new")


class Keys(Case):
    def test_new_key_is_for_its_owner_alone(self):
        key = self.new_key()
        mode = {name: os.stat(os.path.join(self.keys, name)).st_mode & 0o777
                for name in os.listdir(self.keys)}
        self.assertEqual(mode, {"ana.key": 0o600, "ana.pub": 0o644})
        self.assertEqual(os.stat(self.keys).st_mode & 0o777, 0o700)
        self.assertIn("BEGIN ENCRYPTED PRIVATE KEY", self.read("keys/ana.key"))
        self.assertEqual(self.read("keys/ana.pub"),
                         f"untrusted comment: minisign public key {key['key']}\n{key['public']}\n")
        self.assertEqual(key["trust"], f"ana:ROLE+ROLE:{self.keys}/ana.pub")

    def test_existing_key_is_never_replaced(self):
        for gone in None, "ana.pub", "ana.key":
            with self.subTest(gone=gone):
                shutil.rmtree(self.keys, ignore_errors=True)
                self.new_key()
                if gone is not None:
                    os.unlink(os.path.join(self.keys, gone))
                before = {n: self.read(f"keys/{n}") for n in os.listdir(self.keys)}
                done = self.tenon("key", "new", "ana", "--keys", self.keys, password=PASSWORD)
                self.refused(done, 65, "is not replaced")
                self.assertEqual(before, {n: self.read(f"keys/{n}") for n in os.listdir(self.keys)})

    def test_names_and_passwords_that_are_none_are_refused(self):
        for name in "Ana", "../ana", "a.b", "1a", "-", "a" * 32:
            done = self.tenon("key", "new", "--keys", self.keys, password=PASSWORD, *["--", name])
            self.assertEqual(done.code, 64, done)
        for password, words in (("", "is empty"), ("1234567", "has 7 characters"),
                                ("x" * 1025, "at most 1024"), ("a\0bcdefgh", "without a NUL")):
            done = self.tenon("key", "new", "ana", "--keys", self.keys, password=password)
            self.refused(done, 77, words)
        self.assertEqual(os.listdir(self.keys), [])

    def test_list_shows_every_key_without_a_password(self):
        ids = {name: self.new_key(name)["key"] for name in ("bo", "ana")}
        os.unlink(os.path.join(self.keys, "bo.key"))
        os.chmod(os.path.join(self.keys, "ana.key"), 0o644)
        done = self.tenon("key", "list", "--keys", self.keys, "--json")
        self.assertEqual([(k["person"], k["key"], k["secret"], k["open_to_others"])
                          for k in done.json["keys"]],
                         [("ana", ids["ana"], True, True), ("bo", ids["bo"], False, False)])
        lines = self.tenon("key", "list", "--keys", self.keys).out.splitlines()
        self.assertIn("chmod 600", lines[0])
        self.assertIn("no secret key here", lines[1])
        self.refused(self.tenon("key", "list", "--keys", self.at("nowhere")), 66, "tenon key new")
        self.write("keys/bo.pub", "no key\n")
        self.refused(self.tenon("key", "list", "--keys", self.keys), 65, "bo.pub: is no public key")

    def test_openssl_reads_our_key(self):
        key = self.new_key()
        if shutil.which("openssl") is None:
            self.skipTest("openssl is not installed")
        secret = self.write("password", PASSWORD)
        done = lib.call("openssl", "pkey", "-in", key["secret_file"], "-passin", f"file:{secret}",
                        "-noout", "-text")
        self.assertEqual(done.code, 0, done)
        self.assertIn("ED25519 Private-Key", done.out)


class Signing(Case):
    def setUp(self):
        super().setUp()
        self.new_key()
        self.file = self.write("d.yaml", DEPLOYMENT)

    def test_what_was_signed_is_told(self):
        done = self.sign(self.file)
        self.assertEqual(done.code, 0, done)
        self.assertIn(hashlib.sha256(DEPLOYMENT.encode()).hexdigest(), done.out)
        self.assertIn("deployment for host demo, serial 7", done.out)
        told = self.sign(self.file, "--json").json
        self.assertEqual((told["kind"], told["host"], told["serial"], told["role"],
                          told["person"], told["file"]),
                         ("deployment", "demo", 7, "operator", "ana", self.file + ".ana.minisig"))

    def test_kinds_and_their_roles(self):
        trust = self.write("t.yaml", "schema: 1\nkind: trust\nhost: demo\nversion: 2\n")
        request = self.write("r.yaml", "schema: 1\nkind: request\nhost: demo\n")
        good = {(self.file, "author"), (self.file, "operator"), (self.file, "risk"),
                (trust, "root"), (request, "operator"), (request, "risk")}
        for path in self.file, trust, request:
            for role in "root", "author", "operator", "risk", "chief":
                with self.subTest(path=path, role=role):
                    done = self.sign(path, role=role)
                    self.assertEqual(done.code, 0 if (path, role) in good else 64, done)
        self.assertIn("kind=trust host=demo serial=2", self.read("t.yaml.ana.minisig"))
        self.assertIn("kind=request host=demo serial=0", self.read("r.yaml.ana.minisig"))

    def test_longest_comment_is_signed(self):
        host = "h" * 31
        path = self.write("long.yaml", f"schema: 1\nhost: {host}\nserial: 4294967295\n")
        self.assertEqual(self.sign(path).code, 0)
        self.assertIn(f"host={host} serial=4294967295 ", self.read("long.yaml.ana.minisig"))

    def test_files_that_cannot_be_signed_are_refused(self):
        os.symlink(self.file, self.at("link.yaml"))
        cases = ((self.write("zero.yaml", "schema: 1\nhost: demo\nserial: 0\n"), 78, "zero.yaml:3"),
                 (self.write("host.yaml", "schema: 1\nserial: 1\n"), 78, "host is missing"),
                 (self.write("kind.yaml", "kind: bond\nhost: demo\n"), 78, "kind: bond"),
                 (self.write("twice.yaml", DEPLOYMENT + "serial: 8\n"), 78, "twice.yaml:4"),
                 (self.write("list.yaml", "- 1\n"), 78, "list.yaml:1"),
                 (self.write("empty.yaml", ""), 78, "empty.yaml"),
                 (self.write("big.yaml", DEPLOYMENT + "#" * 300 * 1024), 78, "262144"),
                 (self.at("link.yaml"), 64, "symbolic link"),
                 (self.at("nothing.yaml"), 66, "nothing.yaml"))
        for path, code, words in cases:
            with self.subTest(path=path):
                self.refused(self.sign(path), code, words)
                self.assertFalse(os.path.exists(path + ".ana.minisig"))

    def test_key_that_others_can_read_is_not_used(self):
        for mode in 0o640, 0o604, 0o660, 0o610:
            os.chmod(self.at("keys", "ana.key"), mode)
            self.refused(self.sign(self.file), 77, "can be read by others", "chmod 600")
        os.chmod(self.at("keys", "ana.key"), 0o400)
        self.assertEqual(self.sign(self.file).code, 0)

    def test_wrong_password_signs_nothing(self):
        self.refused(self.sign(self.file, password="correct horse"), 77, "the password is wrong")
        self.refused(self.sign(self.file, password=""), 77, "is empty")
        self.assertFalse(os.path.exists(self.file + ".ana.minisig"))

    def test_password_comes_from_a_credential_or_nowhere(self):
        self.refused(self.sign(self.file, password=None), 77, "--password-fd",
                     "systemd credential tenon-ana")
        os.mkdir(self.at("given"))
        env = {"CREDENTIALS_DIRECTORY": self.at("given")}
        self.refused(self.sign(self.file, password=None, env=env), 77, "no terminal")
        self.write("given/tenon-ana", PASSWORD)
        self.assertEqual(self.sign(self.file, password=None, env=env).code, 0)
        self.write("given/tenon-ana", PASSWORD + "\n")
        self.assertEqual(self.sign(self.file, password=None, env=env).code, 0)
        os.rename(self.at("given", "tenon-ana"), self.at("elsewhere"))
        os.symlink(self.at("elsewhere"), self.at("given", "tenon-ana"))
        self.refused(self.sign(self.file, password=None, env=env), 77, "credential")
        self.refused(self.sign(self.file, "--password-fd", "9", password=None), 77, "no such")

    def test_one_descriptor_hands_over_a_line_each(self):
        """Nothing is taken beyond the line: a script can keep one descriptor for two people."""
        other = self.tenon("key", "new", "bo", "--keys", self.keys, password="another password")
        self.assertEqual(other.code, 0, other)
        script = (f'"$0" config sign {self.file} --role author --key {self.keys}/ana.key '
                  f'--password-fd 3 && "$0" config sign {self.file} --role operator '
                  f'--key {self.keys}/bo.key --password-fd 3')
        lines = self.write("lines", f"{PASSWORD}\nanother password\n")
        done = lib.call("/bin/sh", "-c", f"exec 3<{lines}; {script}", lib.TENON)
        self.assertEqual(done.code, 0, done)

    def test_only_ones_own_signature_is_replaced(self):
        sig = "d.yaml.ana.minisig"
        self.assertEqual(self.sign(self.file, role="author").code, 0)
        self.assertIn("role=author", self.read(sig))
        done = self.sign(self.file, role="operator")
        self.assertEqual(done.code, 0)
        self.assertIn("(replaced)", done.out)
        self.assertIn("role=operator", self.read(sig))
        shutil.rmtree(self.keys)
        self.new_key()  # another key of the same name
        kept = self.read(sig)
        self.refused(self.sign(self.file), 65, "is not replaced")
        self.assertEqual(self.read(sig), kept)
        self.write(sig, "a note\n")
        self.refused(self.sign(self.file), 65, "is not replaced")
        self.assertEqual(self.read(sig), "a note\n")
        self.assertEqual(sorted(os.listdir(self.path)), ["d.yaml", sig, "keys"])

    def test_folder_with_one_key_needs_no_name(self):
        args = ("config", "sign", self.file, "--role", "risk")
        self.assertEqual(self.tenon(*args, "--keys", self.keys, password=PASSWORD).code, 0)
        config = {"XDG_CONFIG_HOME": self.at("config")}
        os.makedirs(self.at("config", "tenon"))
        os.rename(self.keys, self.at("config", "tenon", "keys"))
        self.assertEqual(self.tenon(*args, password=PASSWORD, env=config).code, 0)
        os.rename(self.at("config", "tenon", "keys"), self.keys)
        self.new_key("bo")
        self.refused(self.tenon(*args, "--keys", self.keys, password=PASSWORD), 64, "ana, bo")
        self.refused(self.tenon(*args, "--keys", self.keys, "--key", self.at("keys", "ana.key"),
                                password=PASSWORD), 64, "one key signs")
        os.mkdir(self.at("none"))
        self.refused(self.tenon(*args, "--keys", self.at("none"), password=PASSWORD), 66, "--key")
        os.rename(self.at("keys", "ana.key"), self.at("ana.pem"))
        self.refused(self.tenon(*args, "--key", self.at("ana.pem"), password=PASSWORD), 64,
                     "name the file PERSON.key")


class Typed(Case):
    """The password from a terminal."""

    def start(self, *args):
        terminal = Terminal(lib.TENON, *args, "--keys", self.keys)
        self.addCleanup(terminal.close)
        return terminal

    def new(self, person="ana"):
        terminal = self.start("key", "new", person)
        terminal.until(f"New password for the key of {person}: ")
        self.assertFalse(terminal.echoes())
        return terminal

    def test_password_is_asked_twice_and_never_shown(self):
        terminal = self.new()
        terminal.type(PASSWORD + "\n")
        terminal.until("Once more: ")
        self.assertFalse(terminal.echoes())
        terminal.type(PASSWORD + "\n")
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertNotIn("horse", terminal.shown)
        self.assertTrue(terminal.echoes())
        path = self.write("d.yaml", DEPLOYMENT)
        terminal = self.start("config", "sign", path, "--role", "risk")
        terminal.until("Password for the key of ana: ")
        terminal.type(PASSWORD + "\n")
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertNotIn("horse", terminal.shown)
        self.assertIn("ana signed", terminal.shown)

    def test_two_that_differ_make_nothing(self):
        terminal = self.new()
        terminal.type(PASSWORD + "\n")
        terminal.until("Once more: ")
        terminal.type(PASSWORD + "!\n")
        self.assertEqual(terminal.end(), 77, terminal.shown)
        self.assertIn("the two passwords differ", terminal.shown)
        self.assertEqual(os.listdir(self.keys), [])

    def test_interrupt_puts_the_echo_back(self):
        for key, number in ("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT):
            terminal = self.new()
            terminal.type("half a pass" + key)
            self.assertEqual(terminal.end(), -number, terminal.shown)
            self.assertTrue(terminal.echoes())
        self.assertEqual(os.listdir(self.keys), [])

    def test_end_of_input_is_no_password(self):
        terminal = self.new()
        terminal.type("\x04")
        self.assertEqual(terminal.end(), 77, terminal.shown)
        self.assertIn("is empty", terminal.shown)


if __name__ == "__main__":
    if not os.access(lib.TENON, os.X_OK):
        lib.skip(f"{lib.TENON} is not built")
    unittest.main(verbosity=2)
